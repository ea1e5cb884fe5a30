package trecfile

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/fundmatch/fundmatch/matcher/evaluate/trec"
)

// Qrels are judgements by query.
type Qrels struct {
	File   string
	ids    []string // of the queries, bytes ascending
	judged []*trec.Judged
	number map[string]int32 // a query's place in ids
}

// Queries are the ids of the queries, bytes ascending.
func (q *Qrels) Queries() []string { return slices.Clone(q.ids) }

// ReadQrels reads judgements: query, iteration (ignored), document, grade. A document may be judged once a query. Grades
// are whole numbers; those below 0 are of documents that were pooled and not judged. An error wraps ErrInput, or is of
// the file system, or the context's.
func ReadQrels(ctx context.Context, name string, o Options) (*Qrels, error) {
	limits := o.limits()
	l, err := open(name, limits.LineBytes, o.Progress)
	if err != nil {
		return nil, err
	}
	c, documents := &collected{number: map[string]int32{}}, names{}
	err = l.records(ctx, qrelsFields(), limits.Judgements, func(fields []string) error {
		grade, err := strconv.ParseInt(fields[3], 10, 32)
		if err != nil {
			return l.wrong("grade", fields[3], "a whole number of 32 bits")
		}
		c.add(fields[0], trec.Judgement{ID: documents.hold(fields[2]), Grade: int32(grade), Line: l.place()})
		return nil
	})
	if err := errors.Join(err, l.close()); err != nil {
		return nil, err
	}
	return c.qrels(name)
}

// collected is what was read of judgements: all in one slice, since there may be millions of queries with a few each.
type collected struct {
	number     map[string]int32 // queries by their first line
	ids        []string
	counts     []int
	query      []int32 // of each judgement
	judgements []trec.Judgement
}

func (c *collected) add(query string, j trec.Judgement) {
	n, known := c.number[query]
	if !known {
		query = strings.Clone(query) // it is part of a block of the file
		n = int32(len(c.ids))
		c.number[query] = n
		c.ids, c.counts = append(c.ids, query), append(c.counts, 0)
	}
	c.counts[n]++
	c.query, c.judgements = append(c.query, n), append(c.judgements, j)
}

// together puts the judgements of each query behind each other, unless they stand so.
func (c *collected) together() {
	if slices.IsSorted(c.query) {
		return
	}
	next := make([]int, len(c.counts))
	for n, begin := 1, 0; n < len(next); n++ {
		begin += c.counts[n-1]
		next[n] = begin
	}
	moved := make([]trec.Judgement, len(c.judgements))
	for i, n := range c.query {
		moved[next[n]] = c.judgements[i]
		next[n]++
	}
	c.judgements = moved
}

// qrels orders queries and looks for what is judged twice; of several the one that stands first in the file is told.
func (c *collected) qrels(name string) (*Qrels, error) {
	c.together()
	q := &Qrels{File: name, ids: c.ids, judged: make([]*trec.Judged, len(c.ids)), number: c.number}
	begin := 0
	var twice *Error
	byFirstLine := make([]*trec.Judged, len(c.ids))
	for n, count := range c.counts {
		judged, err := trec.NewJudged(c.judgements[begin : begin+count : begin+count])
		if e := (*trec.DuplicateError)(nil); errors.As(err, &e) && (twice == nil || int64(e.Line) < twice.Line) {
			twice = &Error{
				File: name, Line: int64(e.Line), Field: "document", Value: e.ID,
				Want: fmt.Sprintf("a document that is judged once for query %.80q: it stands in line %d", c.ids[n], e.First),
			}
		}
		byFirstLine[n] = judged
		begin += count
	}
	if twice != nil {
		return nil, twice
	}
	slices.Sort(q.ids)
	for i, id := range q.ids {
		q.judged[i] = byFirstLine[q.number[id]]
	}
	for i, id := range q.ids {
		q.number[id] = int32(i)
	}
	return q, nil
}

// place is the line's number as judgements and runs keep it.
func (l *lines) place() uint32 { return uint32(min(l.number, math.MaxUint32)) }
