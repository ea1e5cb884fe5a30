// Package trec measures runs as trec_eval 9.0 does (https://github.com/usnistgov/trec_eval): the same measures under the
// same names, with the same treatment of ties, of documents that nobody judged, of queries that only one side has, and of
// cutoffs beyond the end of a list. The variants that trec_eval does not have are in matcher/evaluate. docs/evaluation/
// ranking.md says each definition and the file of trec_eval that it comes from.
package trec

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// Unjudged is the grade of a document that the judgements do not have, or have with a grade below 0. It is not relevant,
// and bpref passes it over.
const Unjudged int32 = -1

// Retrieved is a document of a run, with its score. trec_eval 9.0 keeps scores as 32-bit numbers: two that differ beyond
// those digits are a tie.
type Retrieved struct {
	ID    string
	Score float32
	Line  uint32 // of the file that it comes from, for messages; 0 where there is none
}

// Order puts a query's run into the order that trec_eval gives it: scores descending, ties by id, bytes descending. The
// rank that a run's file says is ignored, there as here.
func Order(run []Retrieved) {
	slices.SortFunc(run, func(a, b Retrieved) int {
		switch {
		case a.Score > b.Score:
			return -1
		case a.Score < b.Score:
			return 1
		}
		return cmp.Compare(b.ID, a.ID)
	})
}

// Judgement is a document of a query with its grade. Grades below 0 are of documents that were pooled and not judged.
type Judgement struct {
	ID    string
	Grade int32
	Line  uint32 // of the file that it comes from, for messages; 0 where there is none
}

// DuplicateError is a document that was judged twice for a query, the second time in Line.
type DuplicateError struct {
	ID          string
	First, Line uint32
}

func (e *DuplicateError) Error() string {
	return fmt.Sprintf("document %.80q is judged in line %d and in line %d, expected once", e.ID, e.First, e.Line)
}

// Judged is what was judged of a query's documents.
type Judged struct {
	documents []Judgement // by id
	levels    []int32     // grades of 0 and above, descending
}

// NewJudged takes what was judged for a query, and puts it in order in its place: the judgements must not be used
// otherwise. An error is a *DuplicateError, of the first line that repeats.
func NewJudged(judgements []Judgement) (*Judged, error) {
	slices.SortFunc(judgements, func(a, b Judgement) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Line, b.Line))
	})
	var twice *DuplicateError
	graded := 0
	for i := range judgements {
		if judgements[i].Grade >= 0 {
			graded++
		}
		if i > 0 && judgements[i].ID == judgements[i-1].ID && (twice == nil || judgements[i].Line < twice.Line) {
			twice = &DuplicateError{judgements[i].ID, judgements[i-1].Line, judgements[i].Line}
		}
	}
	if twice != nil {
		return nil, twice
	}
	j := &Judged{documents: judgements, levels: make([]int32, 0, graded)}
	for i := range judgements {
		if judgements[i].Grade >= 0 {
			j.levels = append(j.levels, judgements[i].Grade)
		}
	}
	slices.SortFunc(j.levels, func(a, b int32) int { return cmp.Compare(b, a) })
	return j, nil
}

// Rank looks up the grades of a run that Order has put in order, one a rank. It appends to dst.
func (j *Judged) Rank(dst []int32, run []Retrieved) []int32 {
	for i := range run {
		dst = append(dst, j.grade(run[i].ID))
	}
	return dst
}

func (j *Judged) grade(id string) int32 {
	at, judged := slices.BinarySearchFunc(j.documents, id, func(d Judgement, id string) int { return cmp.Compare(d.ID, id) })
	if !judged || j.documents[at].Grade < 0 {
		return Unjudged
	}
	return j.documents[at].Grade
}

// atLeast counts the documents of a grade or above.
func (j *Judged) atLeast(grade int32) int {
	n, _ := slices.BinarySearchFunc(j.levels, grade, func(have, want int32) int {
		if have >= want {
			return -1
		}
		return 1
	})
	return n
}

// The bounds of Settings.
const (
	MaxCutoff  = 1_000_000
	MaxCutoffs = 100
)

// ErrSettings is wrapped by every error of New.
var ErrSettings = errors.New("settings")

// Settings are trec_eval's options.
type Settings struct {
	Cutoffs []int // beside trec_eval's own; they only add measures
	Level   int32 // -l: the least grade that counts as relevant, from 1; 0: 1. nDCG takes every grade above 0 as a gain
	// Complete (-c) takes the queries that the run lacks into the means, with 0 for every measure and the least for
	// gm_map, and their relevant documents into num_rel. trec_eval leaves them out without -c, and so does the default.
	Complete bool
}

// Measures are what is measured, in trec_eval's order.
type Measures struct {
	level    int32
	complete bool
	cutoffs  []int // of P, recall, ndcg_cut and map_cut, ascending
	success  []int // of success, ascending
	names    []string
	at       places
}

// places say where the values of a family begin.
type places struct {
	iprec, precision, recall, elevenPoint, ndcg, ndcgCut, mapCut, success, sets int
}

// The places of the first measures.
const (
	numQ = iota
	numRet
	numRel
	numRelRet
	meanAP
	gmAP
	rPrec
	bPref
	recipRank
	firsts
)

// recallPoints is how many levels of recall precision is interpolated at: 0, .1, ... 1.
const recallPoints = 11

// leastAP is what an average precision of 0 counts as in gm_map (MIN_GEO_MEAN of trec_eval.h).
const leastAP = .00001

func recallLevels() [recallPoints]float64 {
	return [recallPoints]float64{0, .1, .2, .3, .4, .5, .6, .7, .8, .9, 1}
}

// New says what is measured. An error wraps ErrSettings.
func New(s Settings) (*Measures, error) {
	if len(s.Cutoffs) > MaxCutoffs {
		return nil, fmt.Errorf("%w: %d cutoffs, expected %d at most", ErrSettings, len(s.Cutoffs), MaxCutoffs)
	}
	for _, k := range s.Cutoffs {
		if k < 1 || k > MaxCutoff {
			return nil, fmt.Errorf("%w: cutoff %d, expected 1 to %d", ErrSettings, k, MaxCutoff)
		}
	}
	if s.Level < 0 {
		return nil, fmt.Errorf("%w: relevance from grade %d, expected 1 or above", ErrSettings, s.Level)
	}
	m := &Measures{level: max(s.Level, 1), complete: s.Complete}
	m.cutoffs = union([]int{5, 10, 15, 20, 30, 100, 200, 500, 1000}, s.Cutoffs)
	m.success = union([]int{1, 5, 10}, s.Cutoffs)
	m.name()
	return m, nil
}

func union(own, added []int) []int {
	all := slices.Concat(own, added)
	slices.Sort(all)
	return slices.Compact(all)
}

// name lists the measures in the order in which trec_eval prints them (measures.c), and remembers where each family is.
func (m *Measures) name() {
	m.names = []string{"num_q", "num_ret", "num_rel", "num_rel_ret", "map", "gm_map", "Rprec", "bpref", "recip_rank"}
	m.at.iprec = len(m.names)
	for _, level := range recallLevels() {
		m.names = append(m.names, "iprec_at_recall_"+strconv.FormatFloat(level, 'f', 2, 64))
	}
	m.at.precision = m.family("P_", m.cutoffs)
	m.at.recall = m.family("recall_", m.cutoffs)
	m.at.elevenPoint = len(m.names)
	m.at.ndcg = m.at.elevenPoint + 1
	m.names = append(m.names, "11pt_avg", "ndcg")
	m.at.ndcgCut = m.family("ndcg_cut_", m.cutoffs)
	m.at.mapCut = m.family("map_cut_", m.cutoffs)
	m.at.success = m.family("success_", m.success)
	m.at.sets = len(m.names)
	m.names = append(m.names, "set_P", "set_recall", "set_F")
}

func (m *Measures) family(name string, cutoffs []int) (at int) {
	at = len(m.names)
	for _, k := range cutoffs {
		m.names = append(m.names, name+strconv.Itoa(k))
	}
	return at
}

// Names are the names of the measures in trec_eval's order, which is that of all values.
func (m *Measures) Names() []string { return slices.Clone(m.names) }

// Complete reports whether queries that the run lacks count.
func (m *Measures) Complete() bool { return m.complete }

// OverAll reports whether a measure, by its place, is only said over all queries: num_q and gm_map.
func OverAll(measure int) bool { return measure == numQ || measure == gmAP }

// Counts reports whether a measure, by its place, is a number of things: over all queries it is their sum, not a mean.
func Counts(measure int) bool { return measure <= numRelRet }

// Query measures a query: what was judged of it, and the grades that Rank found. It sets values, one a measure; those of
// OverAll are what Summary adds up, not what is said.
func (m *Measures) Query(values []float64, j *Judged, ranked []int32) {
	clear(values)
	relevant := j.atLeast(m.level)
	values[numQ] = 1
	values[numRet] = float64(len(ranked))
	values[numRel] = float64(relevant)
	found := m.alongRanks(values, ranked, relevant, len(j.levels)-relevant)
	values[numRelRet] = float64(found)
	m.normalise(values, j.levels)
	m.interpolate(values, ranked, found, relevant)
	if found > 0 {
		precision, recall := float64(found)/float64(len(ranked)), float64(found)/float64(relevant)
		values[m.at.sets], values[m.at.sets+1] = precision, recall
		values[m.at.sets+2] = 2 * precision * recall / (precision + recall)
	}
	values[gmAP] = math.Log(max(values[meanAP], leastAP))
}

// walk is what is known of a list on the way down its ranks.
type walk struct {
	found, nonrelevant int     // so far
	precisions         float64 // summed at the ranks of relevant documents
	preferences        float64 // bpref's
	gain               float64 // discounted and cumulated
}

// alongRanks sets what is read off on the way down, nDCG without its ideal, and returns how many relevant documents the
// list holds.
func (m *Measures) alongRanks(values []float64, ranked []int32, relevant, nonrelevant int) (found int) {
	var w walk
	next, nextSuccess := 0, 0
	for i, grade := range ranked {
		if next < len(m.cutoffs) && i == m.cutoffs[next] {
			m.cut(values, &w, next, relevant)
			next++
		}
		if nextSuccess < len(m.success) && i == m.success[nextSuccess] {
			values[m.at.success+nextSuccess] = float64(min(w.found, 1))
			nextSuccess++
		}
		w.step(i, grade, m.level, relevant, nonrelevant)
		if w.found == 1 && grade >= m.level {
			values[recipRank] = 1 / float64(i+1)
		}
		if i == relevant-1 {
			values[rPrec] = float64(w.found) / float64(relevant)
		}
	}
	for ; next < len(m.cutoffs); next++ { // places that the list does not have hold nothing relevant
		m.cut(values, &w, next, relevant)
	}
	for ; nextSuccess < len(m.success); nextSuccess++ {
		values[m.at.success+nextSuccess] = float64(min(w.found, 1))
	}
	if w.found > 0 {
		values[meanAP] = w.precisions / float64(relevant)
		values[bPref] = w.preferences / float64(relevant)
		if len(ranked) < relevant {
			values[rPrec] = float64(w.found) / float64(relevant)
		}
	}
	values[m.at.ndcg] = w.gain
	return w.found
}

// step takes the document at place i, from 0.
func (w *walk) step(i int, grade, level int32, relevant, nonrelevant int) {
	if grade > 0 {
		w.gain += float64(grade) / math.Log2(float64(i+2))
	}
	switch {
	case grade >= level:
		w.found++
		w.precisions += float64(w.found) / float64(i+1)
		wrong := 0.0 // the share of the first nonrelevant documents, as many as relevant ones at most, that stand above it
		if w.nonrelevant > 0 {
			wrong = float64(min(w.nonrelevant, relevant)) / float64(min(nonrelevant, relevant))
		}
		w.preferences += 1 - wrong
	case grade >= 0:
		w.nonrelevant++
	}
}

// cut sets the measures of a cutoff.
func (m *Measures) cut(values []float64, w *walk, cutoff, relevant int) {
	values[m.at.precision+cutoff] = float64(w.found) / float64(m.cutoffs[cutoff])
	values[m.at.ndcgCut+cutoff] = w.gain
	if relevant > 0 {
		values[m.at.recall+cutoff] = float64(w.found) / float64(relevant)
		values[m.at.mapCut+cutoff] = w.precisions / float64(relevant)
	}
}

// normalise divides the gains by those of the best list: of all judged documents, cut where the list is.
func (m *Measures) normalise(values []float64, levels []int32) {
	best, next := 0.0, 0
	for i, grade := range levels {
		if grade <= 0 {
			break
		}
		if next < len(m.cutoffs) && i == m.cutoffs[next] {
			values[m.at.ndcgCut+next] /= best
			next++
		}
		best += float64(grade) / math.Log2(float64(i+2))
	}
	if best == 0 {
		return
	}
	for ; next < len(m.cutoffs); next++ {
		values[m.at.ndcgCut+next] /= best
	}
	values[m.at.ndcg] /= best
}

// interpolate sets the precisions at levels of recall: the highest at any rank from the one on where so many relevant
// documents were found. The number is the level's share of them, + .9 and without what follows the point, as trec_eval 9
// has it (later versions round), whose last digits this keeps.
func (m *Measures) interpolate(values []float64, ranked []int32, found, relevant int) {
	if found == 0 {
		return
	}
	levels, at := recallLevels(), recallPoints-1
	var needed [recallPoints]int
	for i, level := range levels {
		needed[i] = int(float64(level*float64(relevant)) + .9)
	}
	for at >= 0 && needed[at] > found {
		at--
	}
	highest := float64(found) / float64(len(ranked))
	left := found
	for i := len(ranked); i > 0 && left > 0; i-- {
		highest = max(highest, float64(left)/float64(i))
		if ranked[i-1] < m.level {
			continue
		}
		for at >= 0 && left == needed[at] {
			values[m.at.iprec+at] = highest
			at--
		}
		left--
	}
	for ; at >= 0; at-- {
		values[m.at.iprec+at] = highest
	}
	sum := 0.0
	for i := recallPoints - 1; i >= 0; i-- {
		sum += values[m.at.iprec+i]
	}
	values[m.at.elevenPoint] = sum / recallPoints
}

// Summary adds up queries. Add them in the order of their ids, bytes ascending, for trec_eval's last digits.
type Summary struct {
	measures *Measures
	sums     []float64
	queries  int // that were measured
	lacking  int // that the run lacks
	graded   int // documents of grades above 0, of the queries that count
}

// Summary is that of no queries.
func (m *Measures) Summary() *Summary {
	return &Summary{measures: m, sums: make([]float64, len(m.names))}
}

// Add adds the values that Query set.
func (s *Summary) Add(values []float64, j *Judged) {
	for i, v := range values {
		s.sums[i] += v
	}
	s.queries++
	s.graded += j.atLeast(1)
}

// Lacks adds a query that was judged and that the run lacks. It counts where Settings.Complete is set.
func (s *Summary) Lacks(j *Judged) {
	if s.measures.complete {
		s.lacking++
		s.graded += j.atLeast(1)
	}
}

// Queries is how many queries count.
func (s *Summary) Queries() int { return s.queries + s.lacking }

// Result is the values over all queries: sums of counts, the geometric mean of gm_map, means of the others. All are 0
// where no query counts.
func (s *Summary) Result() []float64 {
	all := slices.Clone(s.sums)
	n := s.Queries()
	if n == 0 {
		return all
	}
	for i := range all {
		if !Counts(i) {
			all[i] /= float64(n)
		}
	}
	all[numQ] = float64(n)
	all[gmAP] = math.Exp((s.sums[gmAP] + float64(float64(s.lacking)*math.Log(leastAP))) / float64(n))
	if s.measures.complete {
		all[numRel] = float64(s.graded) // trec_eval counts grades above 0 here, whatever -l says
	}
	return all
}
