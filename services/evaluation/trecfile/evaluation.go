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
	sum := measures.Summary()
	values := make([]float64, len(e.names))
	for _, query := range qrels.ids {
		judged := qrels.judged[query]
		ranked, retrieved := run.ranked[query]
		if !retrieved {
			sum.Lacks(judged)
			continue
		}
		measures.Query(values, judged, ranked)
		sum.Add(values, judged)
	}
	if len(run.ranked) == 0 {
		return nil, &Error{File: run.File, Want: "a query that " + qrels.File + " has"}
	}
	e.all = sum.Result()
	return e, nil
}

// Queries are how many queries both files have.
func (e *Evaluation) Queries() int { return len(e.run.ranked) }

// Lacking are how many queries were judged that the run does not have.
func (e *Evaluation) Lacking() int { return len(e.qrels.ids) - len(e.run.ranked) }

// each hands out the values of every query that both have, ids ascending by bytes: trec_eval's order.
func (e *Evaluation) each(take func(query string, values []float64) error) error {
	values := make([]float64, len(e.names))
	for _, query := range e.qrels.ids {
		ranked, retrieved := e.run.ranked[query]
		if !retrieved {
			continue
		}
		e.measures.Query(values, e.qrels.judged[query], ranked)
		if err := take(query, values); err != nil {
			return err
		}
	}
	return nil
}

// WriteJSON writes {"all": {measure: value}} and, with perQuery, a member a query behind it, measures in trec_eval's
// order and numbers in their shortest form. A query whose id is "all" has no place in it: an error that wraps ErrInput.
func (e *Evaluation) WriteJSON(w io.Writer, perQuery bool) error {
	if _, taken := e.run.ranked[overAll]; taken && perQuery {
		return &Error{File: e.run.File, Field: "query", Value: overAll, Want: "another id: this is the name of the values over all queries"}
	}
	out := bufio.NewWriterSize(w, 64<<10)
	line := e.appendObject([]byte(`{"`+overAll+`": `), e.all, true)
	_, err := out.Write(line)
	if perQuery && err == nil {
		err = e.each(func(query string, values []float64) error {
			id, err := json.Marshal(query)
			if err != nil {
				return fmt.Errorf("query %q: %w", query, err)
			}
			line = append(append(append(line[:0], ",\n "...), id...), ": "...)
			line = e.appendObject(line, values, false)
			_, err = out.Write(line)
			return err
		})
	}
	if err != nil {
		return err
	}
	if _, err = out.WriteString("}\n"); err != nil {
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

// WriteTable writes what trec_eval prints: measure, query and value, tabs between them, queries before all, four
// decimals.
func (e *Evaluation) WriteTable(w io.Writer, perQuery bool) error {
	out := bufio.NewWriterSize(w, 64<<10)
	if perQuery {
		if err := e.each(func(query string, values []float64) error { return e.writeRows(out, query, values, false) }); err != nil {
			return err
		}
	}
	if err := e.writeRows(out, overAll, e.all, true); err != nil {
		return err
	}
	return out.Flush()
}

func (e *Evaluation) writeRows(w io.Writer, query string, values []float64, all bool) (err error) {
	for i, name := range e.names {
		switch {
		case trec.OverAll(i) && !all || err != nil:
		case trec.Counts(i):
			_, err = fmt.Fprintf(w, "%-22s\t%s\t%d\n", name, query, int64(values[i]))
		default:
			_, err = fmt.Fprintf(w, "%-22s\t%s\t%6.4f\n", name, query, values[i])
		}
	}
	return err
}
