package evaluation

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/fundmatch/fundmatch/matcher/evaluate/policy"
	"github.com/fundmatch/fundmatch/services/evaluation/policylog"
)

// Bounds of segments: what they keep grows with the values, and with what each value's reward model keeps.
const (
	MaxSegments     = 20      // columns
	MaxValues       = 1000    // of a column
	MaxSegmentCells = 2 << 20 // values times products times positions of the target policy, over all columns
)

// SegmentsError is a column that has too many values to judge each by itself.
type SegmentsError struct {
	Column string
	Values int
	Want   string
}

func (e *SegmentsError) Error() string {
	return fmt.Sprintf("segment column %s: %d values, expected %s", e.Column, e.Values, e.Want)
}

// Unwrap returns ErrSegments.
func (e *SegmentsError) Unwrap() error { return ErrSegments }

// segments holds, for each column, a state of each of its values: of the rows that have the value. A decision may have
// rows of several values, so that whole lists are not judged by segment.
type segments struct {
	empty   *policy.State
	columns []string
	values  []map[string]*policy.State // by column
	spare   []*policy.State
	work    splitter
}

// segmentsPart is the part of PartSegments.
func segmentsPart(s *policy.Settings, columns []string) (Part, error) {
	rows := *s
	rows.ListCutoff, rows.Slates, rows.Replicates = 0, false, 0
	empty, err := policy.New(&rows)
	if err != nil {
		return Part{}, err
	}
	return Part{Name: PartSegments, New: func() Measure {
		m := &segments{empty: empty, columns: columns, values: make([]map[string]*policy.State, len(columns))}
		for i := range m.values {
			m.values[i] = map[string]*policy.State{}
		}
		return m
	}}, nil
}

// of is the state of a value, made where it is new.
func (m *segments) of(column int, value string) (*policy.State, error) {
	s, there := m.values[column][value]
	if there {
		return s, nil
	}
	n, cells := len(m.values[column])+1, 0
	for _, values := range m.values {
		cells += len(values)
	}
	if t := m.empty.Settings().Target; t != nil {
		cells = (cells + 1) * len(t.Codes()) * t.Positions()
	}
	switch {
	case n > MaxValues:
		return nil, &SegmentsError{m.columns[column], n, fmt.Sprintf("at most %d", MaxValues)}
	case cells > MaxSegmentCells:
		return nil, &SegmentsError{m.columns[column], n, fmt.Sprintf(
			"that all values together times products times positions of the target policy are at most %d", MaxSegmentCells)}
	}
	if n := len(m.spare); n > 0 {
		s, m.spare = m.spare[n-1], m.spare[:n-1]
	} else {
		s = m.empty.Fresh()
	}
	m.values[column][value] = s
	return s, nil
}

// Reset implements Resetter.
func (m *segments) Reset() {
	for _, values := range m.values {
		for _, s := range values {
			s.Reset()
			m.spare = append(m.spare, s)
		}
		clear(values)
	}
}

// Add implements Measure.
func (m *segments) Add(b *policylog.Block) error {
	for i, name := range m.columns {
		values, names := columnOf(b, name)
		if names == nil {
			return fmt.Errorf("the block has no column %s", name)
		}
		for code, rows := range m.work.split(&b.Batch, values, len(names)) {
			if rows.Rows() == 0 {
				continue
			}
			s, err := m.of(i, names[code])
			if err != nil {
				return err
			}
			if err := s.Add(&rows); err != nil {
				return fmt.Errorf("%s %.80q: %w", name, names[code], err)
			}
		}
	}
	return nil
}

// columnOf are the values of a column of a block, as places in its names.
func columnOf(b *policylog.Block, name string) (values []uint32, names []string) {
	switch name {
	case policylog.ColumnProduct:
		return b.Product, b.Codes
	case policylog.ColumnPosition:
		return positions(b)
	}
	for i := range b.Texts {
		if t := &b.Texts[i]; t.Name == name && t.There {
			return t.Values, t.Names
		}
	}
	return nil, nil
}

// positions gives positions the form of a column of text.
func positions(b *policylog.Block) (values []uint32, names []string) {
	values, names = make([]uint32, len(b.Position)), []string{}
	places := map[int32]uint32{}
	for i, p := range b.Position {
		place, there := places[p]
		if !there {
			place = uint32(len(names))
			places[p], names = place, append(names, strconv.Itoa(int(p)))
		}
		values[i] = place
	}
	return values, names
}

// Merge implements Measure.
func (m *segments) Merge(later Measure) error {
	other, is := later.(*segments)
	if !is || !slices.Equal(m.columns, other.columns) {
		return errOtherPart
	}
	for i, values := range other.values {
		for _, value := range slices.Sorted(maps.Keys(values)) {
			s, err := m.of(i, value)
			if err != nil {
				return err
			}
			if err := s.Merge(values[value]); err != nil {
				return err
			}
		}
	}
	return nil
}

// MarshalJSON implements Measure: a list with the values of each column.
func (m *segments) MarshalJSON() ([]byte, error) { return json.Marshal(m.values) }

// UnmarshalJSON implements Measure.
func (m *segments) UnmarshalJSON(data []byte) error {
	var form []map[string]json.RawMessage
	if err := json.Unmarshal(data, &form); err != nil {
		return err
	}
	if len(form) != len(m.columns) {
		return fmt.Errorf("%d columns, expected %d", len(form), len(m.columns))
	}
	for i, values := range form {
		for _, value := range slices.Sorted(maps.Keys(values)) {
			s, err := m.of(i, value)
			if err != nil {
				return err
			}
			if err := s.UnmarshalJSON(values[value]); err != nil {
				return fmt.Errorf("%s %.80q: %w", m.columns[i], value, err)
			}
		}
	}
	return nil
}

// SegmentResult is what the rows with one value of a column say.
type SegmentResult struct {
	Name        string             `json:"name"` // column:value, by which gates call it
	Column      string             `json:"column"`
	Value       string             `json:"value"` // "": rows that have none
	Rows        int64              `json:"rows"`
	Decisions   int64              `json:"decisions"` // with a row of the value
	Censored    int64              `json:"censored"`
	Estimates   policy.Estimates   `json:"estimates"`
	Diagnostics policy.Diagnostics `json:"diagnostics"`
	Verdict     policy.Verdict     `json:"verdict"`
}

// results are by column as asked, and by value in bytewise order.
func (m *segments) results() []SegmentResult {
	results := []SegmentResult{}
	for i, column := range m.columns {
		for _, value := range slices.Sorted(maps.Keys(m.values[i])) {
			r := m.values[i][value].Result()
			results = append(results, SegmentResult{
				Name: column + ":" + value, Column: column, Value: value,
				Rows: r.Rows, Decisions: r.Decisions, Censored: r.Censored,
				Estimates: r.Estimates, Diagnostics: r.Diagnostics, Verdict: r.Verdict,
			})
		}
	}
	return results
}

// splitter deals the rows of a batch out by value, each value's in their order. Its memory is used again.
type splitter struct {
	starts []int // of each value's rows; one more at the end
	ends   []int // of each value's decisions
	last   []int // of each value: the decision of its last row, from 1
	rows   policy.Batch
	parts  []policy.Batch
}

// split returns a batch for each of n values; they hold until the next split.
func (s *splitter) split(b *policy.Batch, values []uint32, n int) []policy.Batch {
	s.place(values, n)
	s.room(b)
	next := slices.Clone(s.starts[:n]) // where each value's next row goes
	row := 0
	for d, end := range b.Ends {
		for ; row < int(end); row++ {
			v := values[row]
			to := next[v]
			next[v]++
			s.copyRow(b, row, to)
			if s.last[v] != d+1 { // its first row of this decision
				s.last[v] = d + 1
				s.rows.Cluster[s.ends[v]] = b.Cluster[d]
				s.ends[v]++
			}
			s.rows.Ends[s.ends[v]-1] = int32(to - s.starts[v] + 1)
		}
	}
	for v := range n {
		s.parts = append(s.parts, s.part(b, v))
	}
	return s.parts
}

// place counts, and gives each value its stretch of rows.
func (s *splitter) place(values []uint32, n int) {
	s.starts = append(s.starts[:0], make([]int, n+1)...)
	for _, v := range values {
		s.starts[v+1]++
	}
	for v := range n {
		s.starts[v+1] += s.starts[v]
	}
	s.ends = append(s.ends[:0], s.starts[:n]...)
	s.last = append(s.last[:0], make([]int, n)...)
	s.parts = s.parts[:0]
}

func (s *splitter) room(b *policy.Batch) {
	n := b.Rows()
	r := &s.rows
	r.Ends, r.Cluster = slices.Grow(r.Ends[:0], n)[:n], slices.Grow(r.Cluster[:0], n)[:n]
	r.Position, r.Product = slices.Grow(r.Position[:0], n)[:n], slices.Grow(r.Product[:0], n)[:n]
	r.Reward, r.Propensity = slices.Grow(r.Reward[:0], n)[:n], slices.Grow(r.Propensity[:0], n)[:n]
	r.Target = slices.Grow(r.Target[:0], len(b.Target))[:len(b.Target)]
}

func (s *splitter) copyRow(b *policy.Batch, from, to int) {
	r := &s.rows
	r.Position[to], r.Product[to] = b.Position[from], b.Product[from]
	r.Reward[to], r.Propensity[to] = b.Reward[from], b.Propensity[from]
	if len(b.Target) > 0 {
		r.Target[to] = b.Target[from]
	}
}

func (s *splitter) part(b *policy.Batch, v int) policy.Batch {
	r, from, to, ends := &s.rows, s.starts[v], s.starts[v+1], s.ends[v]
	p := policy.Batch{
		Ends: r.Ends[from:ends], Cluster: r.Cluster[from:ends],
		Position: r.Position[from:to], Product: r.Product[from:to],
		Reward: r.Reward[from:to], Propensity: r.Propensity[from:to], Codes: b.Codes,
	}
	if len(b.Target) > 0 {
		p.Target = r.Target[from:to]
	}
	return p
}
