package trecfile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/fundmatch/fundmatch/matcher/evaluate/trec"
)

// Run is a run beside judgements: of every query that both have, the grades by rank.
type Run struct {
	File    string
	queries int
	ranked  [][]int32 // by the place of the query in the judgements; nil: the run does not have it
}

// ReadRun reads a run: query, Q0 (ignored), document, rank (ignored), score, name of the run (ignored). A document may
// stand once a query. Of queries that qrels does not have, nothing is kept. A query's lines are held until it ends; a file
// whose queries are scattered is read a second time and held whole. An error wraps ErrInput, or is of the file system, or
// the context's.
func ReadRun(ctx context.Context, name string, qrels *Qrels, o Options) (*Run, error) {
	r := &runReader{name: name, options: o, qrels: qrels, seen: map[string]int{}}
	run, err := r.contiguous(ctx)
	if errors.Is(err, errScattered) {
		if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() { // a pipe has no second time
			return nil, &Error{File: name, Want: "a regular file, or one in which the lines of a query stand together"}
		}
		run, err = r.scattered(ctx)
	}
	if err != nil {
		return nil, err
	}
	return run, nil
}

// errScattered says that the lines of a query do not stand together.
var errScattered = errors.New("a query goes on after another")

// runReader collects lines into queries.
type runReader struct {
	name    string
	options Options
	qrels   *Qrels
	seen    map[string]int // of a query: the place of each document; used again for the next

	documents names // where the whole file is held; nil: lines are held until their query ends
}

// group is a query's lines.
type group struct {
	query string
	run   []trec.Retrieved
}

// contiguous holds one query at a time.
func (r *runReader) contiguous(ctx context.Context) (*Run, error) {
	run := &Run{File: r.name, ranked: make([][]int32, len(r.qrels.ids))}
	unjudged := map[string]bool{}
	var now group
	end := func() error {
		if now.query == "" { // ids have a byte at least: none was begun
			return nil
		}
		if _, judged := r.qrels.number[now.query]; !judged {
			unjudged[strings.Clone(now.query)] = true // it is part of a block of the file
		}
		return r.rank(run, &now)
	}
	err := r.read(ctx, func(query string) (*group, error) {
		if query == now.query {
			return &now, nil
		}
		if err := end(); err != nil {
			return nil, err
		}
		if n, judged := r.qrels.number[query]; unjudged[query] || judged && run.ranked[n] != nil {
			return nil, errScattered
		}
		now = group{query, now.run[:0]}
		return &now, nil
	})
	if err == nil {
		err = end()
	}
	return run, err
}

// scattered holds the whole file.
func (r *runReader) scattered(ctx context.Context) (*Run, error) {
	groups := map[string]*group{}
	r.documents = names{}
	err := r.read(ctx, func(query string) (*group, error) {
		g := groups[query]
		if g == nil {
			g = &group{query: strings.Clone(query)}
			groups[g.query] = g
		}
		return g, nil
	})
	if err != nil {
		return nil, err
	}
	run := &Run{File: r.name, ranked: make([][]int32, len(r.qrels.ids))}
	var first *Error // of the duplicates the one that stands first in the file
	for _, g := range groups {
		if e := (*Error)(nil); errors.As(r.rank(run, g), &e) && (first == nil || e.Line < first.Line) {
			first = e
		}
		g.run = nil
	}
	if first != nil {
		return nil, first
	}
	return run, nil
}

// read hands every line to the query that it is of.
func (r *runReader) read(ctx context.Context, of func(query string) (*group, error)) error {
	limits := r.options.limits()
	l, err := open(r.name, limits.LineBytes, r.options.Progress)
	if err != nil {
		return err
	}
	err = l.records(ctx, runFields(), limits.Retrieved, func(fields []string) error {
		s, ok := score(fields[4])
		if !ok {
			return l.wrong("score", fields[4], "a finite decimal number")
		}
		g, err := of(fields[0])
		if err != nil {
			return err
		}
		if int64(len(g.run)) == limits.QueryLines {
			return l.wrong("query", g.query, fmt.Sprintf("%d lines of a query at most", limits.QueryLines))
		}
		document := fields[2]
		if r.documents != nil {
			document = r.documents.hold(document)
		}
		g.run = append(g.run, trec.Retrieved{ID: document, Score: s, Line: l.place()})
		return nil
	})
	return errors.Join(err, l.close())
}

// rank orders a query's lines and looks their grades up, unless nobody judged the query.
func (r *runReader) rank(run *Run, g *group) error {
	clear(r.seen)
	for i := range g.run {
		document := g.run[i].ID
		if at, twice := r.seen[document]; twice {
			return &Error{
				File: r.name, Line: int64(g.run[i].Line), Field: "document", Value: document,
				Want: fmt.Sprintf("a document that stands once for query %.80q: it stands in line %d", g.query, g.run[at].Line),
			}
		}
		r.seen[document] = i
	}
	if n, judged := r.qrels.number[g.query]; judged {
		trec.Order(g.run)
		run.ranked[n] = r.qrels.judged[n].Rank(make([]int32, 0, len(g.run)), g.run)
		run.queries++
	}
	return nil
}
