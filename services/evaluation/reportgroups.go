package evaluation

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/fundmatch/fundmatch/matcher/evaluate/conduct"
	"github.com/fundmatch/fundmatch/matcher/evaluate/money"
	"github.com/fundmatch/fundmatch/matcher/evaluate/share"
	"github.com/fundmatch/fundmatch/services/evaluation/policylog"
)

// errMeasure is for bytes that are not those of a state.
var errMeasure = errors.New("not a state of the report")

// decode reads bytes strictly.
func decode(data []byte, into any) error {
	if err := strict(data, into); err != nil {
		return errors.Join(errMeasure, err)
	}
	return nil
}

// sums are those of values, one a decision or a customer.
type sums struct {
	N       int64   `json:"n"`
	Sum     float64 `json:"sum"`
	Squares float64 `json:"squares"`
}

func (s *sums) add(v float64) {
	s.N++
	s.Sum += v
	s.Squares += float64(v * v)
}

func (s *sums) merge(o sums) {
	s.N += o.N
	s.Sum += o.Sum
	s.Squares += o.Squares
}

// ratioSums are those of a ratio of sums over clusters: of y to n, a mean of rows whose errors come by decision.
type ratioSums struct {
	Clusters int64   `json:"clusters"`
	Rows     int64   `json:"rows"`
	Sum      float64 `json:"sum"`
	SumSum   float64 `json:"sum_sum"`
	SumRows  float64 `json:"sum_rows"`
	RowsRows int64   `json:"rows_rows"`
}

func (r *ratioSums) add(sum float64, rows int64) {
	if rows == 0 {
		return
	}
	r.Clusters++
	r.Rows += rows
	r.Sum += sum
	r.SumSum += float64(sum * sum)
	r.SumRows += float64(sum * float64(rows))
	r.RowsRows += rows * rows
}

func (r *ratioSums) merge(o *ratioSums) {
	r.Clusters += o.Clusters
	r.Rows += o.Rows
	r.Sum += o.Sum
	r.SumSum += o.SumSum
	r.SumRows += o.SumRows
	r.RowsRows += o.RowsRows
}

// mean is Σy/Σn with the linearised variance of a ratio over clusters.
func (r *ratioSums) mean() Mean {
	m := Mean{N: r.Rows}
	if r.Rows == 0 {
		return m
	}
	rows := float64(r.Rows)
	value := r.Sum / rows
	m.Value = finite(value)
	if c := float64(r.Clusters); r.Clusters > 1 {
		squares := r.SumSum - float64(2*value*r.SumRows) + float64(float64(value*value)*float64(r.RowsRows))
		m.interval(value, math.Sqrt(c/(c-1)*max(0, squares))/rows)
	}
	return m
}

// mean is that of the values, with its standard error.
func (s *sums) mean() Mean {
	m := Mean{N: s.N}
	if s.N == 0 {
		return m
	}
	n := float64(s.N)
	value := s.Sum / n
	m.Value = finite(value)
	if s.N > 1 {
		m.interval(value, math.Sqrt(max(0, s.Squares-float64(value*s.Sum))/(n-1)/n))
	}
	return m
}

// overview is what the log as a whole is: its days, and what it earned.
type overview struct {
	From int64 `json:"from"` // nanoseconds since 1970; 0 while there is nothing
	To   int64 `json:"to"`
	group
}

// Add counts a block.
func (o *overview) Add(b *policylog.Block) error {
	var days overview
	for i := range b.Decisions {
		at := b.Decisions[i].At
		if i == 0 {
			days.From, days.To = at, at
		}
		days.From, days.To = min(days.From, at), max(days.To, at)
	}
	count(b, nil, nil, func(uint32) *group { return &days.group })
	return o.Merge(&days)
}

// Merge adds what a later state counted.
func (o *overview) Merge(later Measure) error {
	l, same := later.(*overview)
	switch {
	case !same:
		return errOtherPart
	case l.Lists == 0:
		return nil
	case o.Lists == 0:
		o.From, o.To = l.From, l.To
	}
	o.From, o.To = min(o.From, l.From), max(o.To, l.To)
	o.merge(&l.group)
	return nil
}

// overviewForm is overview without its methods.
type overviewForm overview

// MarshalJSON writes the exact form.
func (o *overview) MarshalJSON() ([]byte, error) { return json.Marshal((*overviewForm)(o)) }

// UnmarshalJSON reads it.
func (o *overview) UnmarshalJSON(data []byte) error {
	var f overviewForm
	if err := decode(data, &f); err != nil {
		return err
	}
	if f.From > f.To {
		return errMeasure
	}
	*o = overview(f)
	return f.check()
}

// horizons are those of returnColumns.
const horizons = money.Horizons

// group is what is counted of one segment, or of all.
type group struct {
	Rows     int64          `json:"rows"`
	Lists    int64          `json:"lists"`
	Censored int64          `json:"censored"` // rows without a reward
	Reward   ratioSums      `json:"reward"`   // of the rows whose reward is known, by list
	NDCG     sums           `json:"ndcg"`     // of the lists whose rewards are all known
	ROI      [horizons]sums `json:"roi"`      // of the lists whose returns are known
	Wrong    share.Share    `json:"violations"`
}

func (g *group) merge(o *group) {
	g.Rows += o.Rows
	g.Lists += o.Lists
	g.Censored += o.Censored
	g.Reward.merge(&o.Reward)
	g.NDCG.merge(o.NDCG)
	for i := range g.ROI {
		g.ROI[i].merge(o.ROI[i])
	}
	g.Wrong.Merge(&o.Wrong)
}

func (g *group) check() error {
	counts := []int64{g.Rows, g.Lists, g.Censored, g.Rows - g.Lists, g.Rows - g.Censored - g.Reward.Rows, g.Reward.Clusters, g.Reward.Rows - g.Reward.Clusters, g.Lists - g.NDCG.N, g.NDCG.N}
	for i := range g.ROI {
		counts = append(counts, g.ROI[i].N, g.Lists-g.ROI[i].N)
	}
	if slices.Min(counts) < 0 {
		return errMeasure
	}
	if err := g.Wrong.Check(); err != nil {
		return errors.Join(errMeasure, err)
	}
	return nil
}

// count adds each list of a block to the groups of its rows: those of a value are a list of their own. A nil column is
// one group of all.
func count(b *policylog.Block, column *policylog.Text, wrong []conduct.Kind, of func(value uint32) *group) {
	c := counter{block: b, wrong: wrong}
	for i, name := range returnColumns() {
		c.returns[i] = numbersOf(b, name)
	}
	var rows []int
	var values []uint32
	begin := 0
	for _, end := range b.Ends {
		values = values[:0]
		for i := begin; i < int(end); i++ {
			value := uint32(0)
			if column != nil {
				value = column.Values[i]
			}
			if !slices.Contains(values, value) {
				values = append(values, value)
			}
		}
		for _, value := range values {
			rows = rows[:0]
			for i := begin; i < int(end); i++ {
				if column == nil || column.Values[i] == value {
					rows = append(rows, i)
				}
			}
			c.add(of(value), rows)
		}
		begin = int(end)
	}
}

// counter is what counting the lists of a block needs.
type counter struct {
	block   *policylog.Block
	returns [horizons][]float64
	wrong   []conduct.Kind
	list    []int     // rows by their position
	gains   []float64 // rewards, the largest first
}

// add counts one list.
func (c *counter) add(g *group, rows []int) {
	b := c.block
	g.Rows += int64(len(rows))
	g.Lists++
	var sum float64
	var known int64
	for _, i := range rows {
		if r := b.Reward[i]; !math.IsNaN(r) {
			sum += r
			known++
		}
	}
	g.Censored += int64(len(rows)) - known
	g.Reward.add(sum, known)
	c.list = append(c.list[:0], rows...)
	slices.SortFunc(c.list, func(x, y int) int { return cmp.Compare(b.Position[x], b.Position[y]) })
	if known == int64(len(rows)) {
		g.NDCG.add(c.ndcg())
	}
	for h, returns := range c.returns {
		if returns == nil {
			continue
		}
		if v := listReturn(returns, c.list); !math.IsNaN(v) {
			g.ROI[h].add(v)
		}
	}
	if c.wrong != nil {
		bad := int64(0)
		for _, i := range rows {
			if c.wrong[i] < conduct.Kinds {
				bad++
			}
		}
		g.Wrong.Add(bad, int64(len(rows))-bad, 0)
	}
}

// listReturn is the mean return of a list's first products, NaN unless all of them are known.
func listReturn(returns []float64, list []int) float64 {
	sum := 0.
	first := list[:min(len(list), ReportCutoff)]
	for _, i := range first {
		sum += returns[i]
	}
	return sum / float64(len(first))
}

// ndcg is that of the list with its rewards for gains, those below 0 as 0. A list that earned nothing counts 0, as in
// policy.ListMeasures.
func (c *counter) ndcg() float64 {
	c.gains = c.gains[:0]
	for _, i := range c.list {
		c.gains = append(c.gains, max(0, c.block.Reward[i]))
	}
	got := dcg(c.gains)
	slices.SortFunc(c.gains, func(x, y float64) int { return cmp.Compare(y, x) })
	best := dcg(c.gains)
	if !(best > 0) || math.IsInf(best, 0) {
		return 0
	}
	return got / best
}

// dcg is the discounted sum of a list's first gains, discount 1/log2(rank+1).
func dcg(gains []float64) float64 {
	sum := 0.
	for i, g := range gains[:min(len(gains), ReportCutoff)] {
		sum += g / math.Log2(float64(i+2))
	}
	return sum
}

// groups are what is counted by segment.
type groups struct {
	columns []string
	by      []map[string]*group // by column, by value
	lacked  []bool              // by column: some block lacked it
}

func newGroups(columns []string) *groups {
	g := &groups{columns: columns, by: make([]map[string]*group, len(columns)), lacked: make([]bool, len(columns))}
	for i := range g.by {
		g.by[i] = map[string]*group{}
	}
	return g
}

// Add counts a block.
func (g *groups) Add(b *policylog.Block) error {
	wrong := conduct.Violations(conductText(b, policylog.ColumnRiskLevel), conductText(b, policylog.ColumnRiskGrade))
	for i, name := range g.columns {
		values, names := columnOf(b, name)
		if names == nil {
			g.lacked[i] = true
			continue
		}
		t := &policylog.Text{Values: values, Names: names}
		parts := make([]group, len(t.Names))
		count(b, t, wrong, func(value uint32) *group { return &parts[value] })
		for value := range parts {
			if err := g.put(i, t.Names[value], &parts[value]); err != nil {
				return err
			}
		}
	}
	return nil
}

// put adds what was counted of one segment.
func (g *groups) put(column int, value string, part *group) error {
	if part.Rows == 0 {
		return nil
	}
	sum := g.by[column][value]
	if sum == nil {
		if len(g.by[column]) == MaxValues {
			return &SegmentsError{g.columns[column], MaxValues + 1, fmt.Sprintf("at most %d", MaxValues)}
		}
		sum = &group{}
		g.by[column][strings.Clone(value)] = sum
	}
	sum.merge(part)
	return nil
}

// Merge adds what a later state counted.
func (g *groups) Merge(later Measure) error {
	o, same := later.(*groups)
	if !same || !slices.Equal(g.columns, o.columns) {
		return errOtherPart
	}
	for i := range o.by {
		g.lacked[i] = g.lacked[i] || o.lacked[i]
		for _, value := range slices.Sorted(maps.Keys(o.by[i])) {
			if err := g.put(i, value, o.by[i][value]); err != nil {
				return err
			}
		}
	}
	return nil
}

// groupsForm is the byte form of groups.
type groupsForm struct {
	Columns []string            `json:"columns"`
	By      []map[string]*group `json:"by"`
	Lacked  []bool              `json:"lacked"`
}

// MarshalJSON writes the exact form.
func (g *groups) MarshalJSON() ([]byte, error) {
	return json.Marshal(groupsForm{g.columns, g.by, g.lacked})
}

// UnmarshalJSON reads it, of the same columns.
func (g *groups) UnmarshalJSON(data []byte) error {
	var f groupsForm
	if err := decode(data, &f); err != nil {
		return err
	}
	if !slices.Equal(f.Columns, g.columns) || len(f.By) != len(f.Columns) || len(f.Lacked) != len(f.Columns) {
		return errMeasure
	}
	read := newGroups(g.columns)
	read.lacked = f.Lacked
	for i := range f.By {
		for _, value := range slices.Sorted(maps.Keys(f.By[i])) {
			part := f.By[i][value]
			if part == nil || part.Rows == 0 {
				return errMeasure
			}
			if err := part.check(); err != nil {
				return err
			}
			if err := read.put(i, value, part); err != nil {
				return err
			}
		}
	}
	*g = *read
	return nil
}
