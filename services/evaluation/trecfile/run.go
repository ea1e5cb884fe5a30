package trecfile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fundmatch/fundmatch/matcher/evaluate/trec"
)

// Run is a run beside judgements: of every query that both have, the grades by rank.
type Run struct {
	File   string
	ranked map[string][]int32
}

// ReadRun reads a run: query, Q0 (ignored), document, rank (ignored), score, name of the run (ignored). A document may
// stand once a query. Of queries that qrels does not have, nothing is kept. A query's lines are held until it ends; a file
// whose queries are scattered is read a second time and held whole. An error wraps ErrInput, or is of the file system, or
// the context's.
func ReadRun(ctx context.Context, name string, qrels *Qrels, o Options) (*Run, error) {
	r := &runReader{name: name, options: o, qrels: qrels}
	ranked, err := r.contiguous(ctx)
	if errors.Is(err, errScattered) {
		ranked, err = r.scattered(ctx)
	}
	if err != nil {
		return nil, err
	}
	return &Run{File: name, ranked: ranked}, nil
}

// errScattered says that the lines of a query do not stand together.
var errScattered = errors.New("a query goes on after another")

// runReader collects lines into queries.
type runReader struct {
	name    string
	options Options
	qrels   *Qrels
	seen    map[string]int // of a query: the place of each document; used again for the next
}

// group is a query's lines.
type group struct {
	query string
	run   []trec.Retrieved
	lines []int64
}

// contiguous holds one query at a time.
func (r *runReader) contiguous(ctx context.Context) (map[string][]int32, error) {
	ranked, ended := map[string][]int32{}, map[string]bool{}
	var now group
	end := func() error {
		if now.query == "" { // ids have a byte at least: none was begun
			return nil
		}
		ended[now.query] = true
		grades, err := r.rank(&now)
		if grades != nil {
			ranked[now.query] = grades
		}
		return err
	}
	err := r.read(ctx, func(query string) (*group, error) {
		if query == now.query {
			return &now, nil
		}
		if err := end(); err != nil {
			return nil, err
		}
		if ended[query] {
			return nil, errScattered
		}
		now = group{strings.Clone(query), now.run[:0], now.lines[:0]}
		return &now, nil
	})
	if err == nil {
		err = end()
	}
	return ranked, err
}

// scattered holds the whole file.
func (r *runReader) scattered(ctx context.Context) (map[string][]int32, error) {
	groups := map[string]*group{}
	err := r.read(ctx, func(query string) (*group, error) {
		g := groups[query]
		if g == nil {
			g = &group{query: query}
			groups[query] = g
		}
		return g, nil
	})
	if err != nil {
		return nil, err
	}
	ranked := map[string][]int32{}
	var first *Error // of the duplicates the one that stands first in the file
	for _, query := range slices.Sorted(maps.Keys(groups)) {
		grades, err := r.rank(groups[query])
		if e := (*Error)(nil); errors.As(err, &e) && (first == nil || e.Line < first.Line) {
			first = e
		}
		if grades != nil {
			ranked[strings.Clone(query)] = grades
		}
		delete(groups, query)
	}
	if first != nil {
		return nil, first
	}
	return ranked, nil
}

// read hands every line to the query that it is of.
func (r *runReader) read(ctx context.Context, of func(query string) (*group, error)) error {
	limits := r.options.limits()
	l, err := open(r.name, limits.LineBytes, r.options.Progress)
	if err != nil {
		return err
	}
	err = l.records(ctx, runFields[:], limits.Retrieved, func(fields []string) error {
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
		g.run = append(g.run, trec.Retrieved{ID: fields[2], Score: s})
		g.lines = append(g.lines, l.number)
		return nil
	})
	return errors.Join(err, l.close())
}

// rank orders a query's lines and looks their grades up; nil where nobody judged the query.
func (r *runReader) rank(g *group) ([]int32, error) {
	if r.seen == nil {
		r.seen = map[string]int{}
	}
	clear(r.seen)
	for i := range g.run {
		document := g.run[i].ID
		if at, twice := r.seen[document]; twice {
			return nil, &Error{
				File: r.name, Line: g.lines[i], Field: "document", Value: document,
				Want: fmt.Sprintf("a document that stands once for query %.80q: it stands in line %d", g.query, g.lines[at]),
			}
		}
		r.seen[document] = i
	}
	judged := r.qrels.judged[g.query]
	if judged == nil {
		return nil, nil
	}
	trec.Order(g.run)
	return judged.Rank(make([]int32, 0, len(g.run)), g.run), nil
}
