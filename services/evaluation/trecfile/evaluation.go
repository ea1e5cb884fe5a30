package trecfile

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"github.com/fundmatch/fundmatch/matcher/evaluate/trec"
)

// Evaluation is a run that was measured by judgements.
type Evaluation struct {
	measures *trec.Measures
	qrels    *Qrels
	run      *Run
	names    []string
	all      []float64
}

// overAll is the name under which the values over all queries stand.
const overAll = "all"

// Evaluate measures a run. An error wraps ErrInput: the two have no query in common (trec_eval ends so too).
func Evaluate(measures *trec.Measures, qrels *Qrels, run *Run) (*Evaluation, error) {
	e := &Evaluation{measures: measures, qrels: qrels, run: run, names: measures.Names()}
	if run.queries == 0 {
		return nil, &Error{File: run.File, Want: "a query that " + qrels.File + " has"}
	}
	sum := measures.Summary()
	values := make([]float64, len(e.names))
	for i, ranked := range run.ranked {
		if ranked == nil {
			sum.Lacks(qrels.judged[i])
			continue
		}
		measures.Query(values, qrels.judged[i], ranked)
		sum.Add(values, qrels.judged[i])
	}
	e.all = sum.Result()
	return e, nil
}

// Queries are how many queries both files have.
func (e *Evaluation) Queries() int { return e.run.queries }

// Lacking are how many queries were judged that the run does not have.
func (e *Evaluation) Lacking() int { return len(e.qrels.ids) - e.run.queries }

// each hands out the values of the queries that both have and that are wanted, ids ascending by bytes: trec_eval's order.
func (e *Evaluation) each(wanted func(query string) bool, take func(query string, values []float64) error) error {
	if wanted == nil {
		return nil
	}
	values := make([]float64, len(e.names))
	for i, query := range e.qrels.ids {
		if e.run.ranked[i] == nil || !wanted(query) {
			continue
		}
		e.measures.Query(values, e.qrels.judged[i], e.run.ranked[i])
		if err := take(query, values); err != nil {
			return err
		}
	}
	return nil
}

// WriteJSON writes {"all": {measure: value}} and behind it a member for every query that is wanted (nil: none), measures
// in trec_eval's order and numbers in their shortest form. A query whose id is "all" has no place in it: an error that
// wraps ErrInput.
func (e *Evaluation) WriteJSON(w io.Writer, wanted func(query string) bool) error {
	if n, judged := e.qrels.number[overAll]; judged && e.run.ranked[n] != nil && wanted != nil && wanted(overAll) {
		return &Error{File: e.run.File, Field: "query", Value: overAll, Want: "another id: this is the name of the values over all queries"}
	}
	out := bufio.NewWriterSize(w, 64<<10)
	line := e.appendObject([]byte(`{"`+overAll+`": `), e.all, true)
	if _, err := out.Write(line); err != nil {
		return err
	}
	err := e.each(wanted, func(query string, values []float64) error {
		id, err := json.Marshal(query)
		if err != nil {
			return fmt.Errorf("query %q: %w", query, err)
		}
		line = append(append(append(line[:0], ",\n "...), id...), ": "...)
		line = e.appendObject(line, values, false)
		_, err = out.Write(line)
		return err
	})
	if err != nil {
		return err
	}
	if _, err := out.WriteString("}\n"); err != nil {
		return err
	}
	return out.Flush()
}

func (e *Evaluation) appendObject(b []byte, values []float64, all bool) []byte {
	between := "{"
	for i, name := range e.names {
		if trec.OverAll(i) && !all {
			continue
		}
		b = append(append(append(append(b, between...), '"'), name...), `": `...)
		b = strconv.AppendFloat(b, values[i], 'g', -1, 64)
		between = ", "
	}
	return append(b, '}')
}

// WriteTable writes what trec_eval prints: measure, query and value, tabs between them, the queries that are wanted (nil:
// none) before all, four decimals.
func (e *Evaluation) WriteTable(w io.Writer, wanted func(query string) bool) error {
	out := bufio.NewWriterSize(w, 64<<10)
	var rows []byte
	err := e.each(wanted, func(query string, values []float64) error {
		rows = e.appendRows(rows[:0], query, values, false)
		_, err := out.Write(rows)
		return err
	})
	if err != nil {
		return err
	}
	if _, err := out.Write(e.appendRows(rows[:0], overAll, e.all, true)); err != nil {
		return err
	}
	return out.Flush()
}

// nameWidth is what trec_eval fills names up to.
const nameWidth = 22

func (e *Evaluation) appendRows(b []byte, query string, values []float64, all bool) []byte {
	for i, name := range e.names {
		if trec.OverAll(i) && !all {
			continue
		}
		b = append(b, name...)
		for range nameWidth - len(name) {
			b = append(b, ' ')
		}
		b = append(append(append(b, '\t'), query...), '\t')
		if trec.Counts(i) {
			b = strconv.AppendInt(b, int64(values[i]), 10)
		} else {
			b = strconv.AppendFloat(b, values[i], 'f', 4, 64)
		}
		b = append(b, '\n')
	}
	return b
}
