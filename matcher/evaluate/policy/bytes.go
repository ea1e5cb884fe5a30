package policy

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// wire is a state's byte form.
type wire struct {
	Settings string     `json:"settings"` // SHA-256 of the settings' JSON, hexadecimal
	Rows     int64      `json:"rows"`
	Decided  int64      `json:"decisions"`
	Censored int64      `json:"censored"`
	Largest  float64    `json:"max_weight"`
	Weights  []int64    `json:"weights"`
	Bands    table      `json:"bands"`
	Lists    table      `json:"lists"`
	Slates   *slateWire `json:"slates,omitempty"`
	Model    *modelWire `json:"model,omitempty"`
	Resample floats     `json:"resample,omitempty"`
}

// table is of things that have a count and the same number of sums each. A sum is two numbers, hi and lo.
type table struct {
	N    []int64 `json:"n"`
	Sums floats  `json:"sums"`
}

// modelWire has the cells that rows are in, by cell.at ascending.
type modelWire struct {
	Rows  []int64 `json:"rows"`
	At    []int32 `json:"at"`
	Cells table   `json:"cells"`
}

type slateWire struct {
	LeftOut     int64   `json:"left_out"`
	Reason      string  `json:"reason"`
	Lengths     []int64 `json:"lengths"`
	Standard    floats  `json:"standard"`
	Independent floats  `json:"independent"`
	Interaction floats  `json:"interaction"`
}

// floats are written so that each reads back as the same bits.
type floats []float64

// MarshalJSON refuses what is not finite.
func (f floats) MarshalJSON() ([]byte, error) {
	for _, v := range f {
		if v-v != 0 {
			return nil, fmt.Errorf("a sum is %v, expected a finite number", v)
		}
	}
	return appendFloats(nil, f), nil
}

func appendFloats(out []byte, values []float64) []byte {
	out = append(out, '[')
	for i, v := range values {
		if i > 0 {
			out = append(out, ',')
		}
		out = strconv.AppendFloat(out, v, 'g', -1, 64)
	}
	return append(out, ']')
}

// MarshalJSON is the state's byte form, exact: the same state, the same bytes, and UnmarshalJSON gives the same state to the
// last bit. It says what the settings were only by a digest: they are written once, beside all the states of an evaluation.
func (s *State) MarshalJSON() ([]byte, error) {
	w := wire{
		Settings: hex.EncodeToString(s.plan.digest[:]), Rows: s.rows, Decided: s.decisions, Censored: s.censored,
		Largest: s.moments.largest, Weights: s.moments.weights[:],
	}
	for i := range s.moments.bands {
		b := &s.moments.bands[i]
		w.Bands.put(b.n, b.sums())
	}
	w.Lists.put(s.lists.n, s.lists.sums())
	if s.slates != nil {
		w.Slates = s.slates.wire()
	}
	if s.model != nil {
		w.Model = s.model.wire()
	}
	if s.resample != nil {
		for i := range s.resample.sums {
			w.Resample = append(w.Resample, s.resample.sums[i][:]...)
		}
	}
	return json.Marshal(&w)
}

func (t *table) put(n int64, sums []*sum) {
	t.N = append(t.N, n)
	t.Sums = t.Sums.put(sums)
}

func (f floats) put(sums []*sum) floats {
	for _, s := range sums {
		f = append(f, s.hi, s.lo)
	}
	return f
}

func (p *pair) sums() []*sum { return []*sum{&p.w, &p.x, &p.ww, &p.wx, &p.xx} }

func (b *band) sums() []*sum { return append(b.pair.sums(), &b.r, &b.rr) }

func (l *lists) sums() []*sum { return []*sum{&l.sum, &l.ss} }

func (c *cell) sums() []*sum {
	out := append([]*sum{&c.r}, c.low.sums()...)
	return append(append(out, c.high.sums()...), c.shrunk.sums()...)
}

func (t *triple) sums() []*sum {
	return []*sum{&t.a, &t.b, &t.aa, &t.ab, &t.ac, &t.bb, &t.bc}
}

// sums are those of k positions, table by table.
func (s *slots) sums(k int) (out []*sum) {
	for _, values := range s.all() {
		for j := range k {
			for i := range k {
				out = append(out, &(*values)[j*s.k+i])
			}
		}
	}
	return out
}

func (m *model) wire() *modelWire {
	w := &modelWire{Rows: m.rows, At: []int32{}, Cells: table{N: []int64{}}}
	for at := range m.places {
		if c := m.find(at); c != nil {
			w.At = append(w.At, c.at)
			w.Cells.put(c.n, c.sums())
		}
	}
	return w
}

func (s *slates) wire() *slateWire {
	k := s.longest()
	return &slateWire{
		LeftOut: s.leftOut, Reason: s.reason, Lengths: append([]int64{}, s.lengths[:k]...), Standard: floats{}.put(s.standard.sums()),
		Independent: floats{}.put(s.independent.sums(k)), Interaction: floats{}.put(s.interaction.sums(k)),
	}
}

// StateError is a byte form that is not one of a state.
type StateError struct {
	Field string // of the JSON; "" where it is not about one
	What  string
	Want  string
}

func (e *StateError) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("state of a policy evaluation: %s, expected %s", e.What, e.Want)
	}
	return fmt.Sprintf("state of a policy evaluation, %s: %s, expected %s", e.Field, e.What, e.Want)
}

// UnmarshalJSON reads a byte form into a state that New or Fresh made, in the place of what it held. It comes from outside: what
// cannot be a state is a *StateError, and one of other settings wraps ErrSettings. Then the state is empty.
func (s *State) UnmarshalJSON(text []byte) error {
	if s.plan == nil {
		return &StateError{"", "no settings", "a state made by New"}
	}
	s.Reset()
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	var w wire
	if err := dec.Decode(&w); err != nil {
		return &StateError{"", err.Error(), "the JSON of a state"}
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return &StateError{"", "more behind its end", "nothing"}
	}
	if digest := hex.EncodeToString(s.plan.digest[:]); w.Settings != digest {
		return fmt.Errorf("%w: %.12q and %.12q", ErrSettings, w.Settings, digest)
	}
	if err := s.read(&w); err != nil {
		s.Reset()
		return err
	}
	return nil
}

// most is a bound of counts: float64 tells all whole numbers up to it.
const most = 1 << 53

func (s *State) read(w *wire) error {
	s.rows, s.decisions, s.censored, s.moments.largest = w.Rows, w.Decided, w.Censored, w.Largest
	r := reader{}
	r.counts("rows, decisions, censored", []int64{w.Rows, w.Decided, w.Censored}, 3)
	if w.Censored > w.Rows || w.Decided > w.Rows || !(w.Largest >= 0) {
		r.fail("rows", fmt.Sprintf("%d rows, %d decisions, %d censored, greatest weight %v", w.Rows, w.Decided, w.Censored, w.Largest), "what rows can be")
	}
	known := w.Rows - w.Censored
	r.equal("weights", r.counts("weights", w.Weights, bins), known)
	copy(s.moments.weights[:], w.Weights)
	var all []*sum
	for i := range s.moments.bands {
		all = append(all, s.moments.bands[i].sums()...)
	}
	r.equal("bands", r.table("bands", &w.Bands, len(s.moments.bands), all), known)
	r.atMost("lists", r.table("lists", &w.Lists, 1, s.lists.sums()), w.Decided)
	r.there("slates", w.Slates != nil, s.slates != nil)
	r.there("model", w.Model != nil, s.model != nil)
	r.there("resample", w.Resample != nil, s.resample != nil)
	if r.err != nil {
		return r.err
	}
	for i, n := range w.Bands.N {
		s.moments.bands[i].n = n
	}
	s.lists.n = w.Lists.N[0]
	if s.slates != nil {
		s.slates.read(w.Slates, w.Decided, &r)
	}
	if s.model != nil {
		s.model.read(w.Model, known, &r)
	}
	if s.resample != nil {
		s.resample.read(w.Resample, &r)
	}
	return r.error()
}

// reader keeps the first error.
type reader struct{ err *StateError }

func (r *reader) error() error {
	if r.err != nil {
		return r.err
	}
	return nil
}

func (r *reader) fail(field, what, want string) {
	if r.err == nil {
		r.err = &StateError{field, what, want}
	}
}

func (r *reader) there(field string, there, wanted bool) {
	if there != wanted {
		r.fail(field, fmt.Sprintf("there: %t", there), fmt.Sprintf("%t by the settings", wanted))
	}
}

// counts checks how many there are, and returns their total.
func (r *reader) counts(field string, n []int64, want int) (total int64) {
	if len(n) != want {
		r.fail(field, fmt.Sprintf("%d counts", len(n)), strconv.Itoa(want))
		return 0
	}
	for _, v := range n {
		if v < 0 || v > most || total+v > most {
			r.fail(field, fmt.Sprintf("a count of %d", v), "0 to 2^53 in all")
			return 0
		}
		total += v
	}
	return total
}

func (r *reader) equal(field string, got, want int64) {
	if got != want {
		r.fail(field, fmt.Sprintf("%d in all", got), fmt.Sprintf("%d, as rows and decisions say", want))
	}
}

func (r *reader) atMost(field string, got, bound int64) {
	if got > bound {
		r.fail(field, fmt.Sprintf("%d in all", got), fmt.Sprintf("at most %d, as rows and decisions say", bound))
	}
}

func (r *reader) table(field string, t *table, n int, to []*sum) int64 {
	total := r.counts(field, t.N, n)
	r.sums(field, t.Sums, to)
	return total
}

func (r *reader) sums(field string, from floats, to []*sum) {
	if len(from) != 2*len(to) {
		r.fail(field, fmt.Sprintf("%d numbers", len(from)), strconv.Itoa(2*len(to)))
		return
	}
	for i, s := range to {
		*s = sum{from[2*i], from[2*i+1]}
		if s.hi+s.lo != s.hi {
			r.fail(field, fmt.Sprintf("the sum %v and %v", s.hi, s.lo), "the second below the last digit of the first")
			return
		}
	}
}

func (m *model) read(w *modelWire, known int64, r *reader) {
	r.equal("model.rows", r.counts("model.rows", w.Rows, len(m.rows)), known)
	for i, at := range w.At {
		if at < 0 || int(at) >= len(m.places) || i > 0 && at <= w.At[i-1] {
			r.fail("model.at", fmt.Sprintf("a cell %d", at), fmt.Sprintf("ascending, 0 to %d", len(m.places)-1))
		}
	}
	r.counts("model.cells", w.Cells.N, len(w.At))
	if r.err != nil {
		return
	}
	copy(m.rows, w.Rows)
	all, by := make([]*sum, 0, 16*len(w.At)), make([]int64, len(m.rows))
	m.cells = slices.Grow(m.cells, len(w.At)) // so that its cells stay where they are
	for i, at := range w.At {
		c := m.open(at)
		c.n = w.Cells.N[i]
		by[int(at)%len(by)] += c.n
		all = append(all, c.sums()...)
		if c.n == 0 {
			r.fail("model.cells", fmt.Sprintf("no row in cell %d", at), "1 or more")
		}
	}
	r.sums("model.cells", w.Cells.Sums, all)
	for k, n := range by {
		r.atMost(fmt.Sprintf("model.cells at position %d", k+1), n, m.rows[k])
	}
}

func (s *slates) read(w *slateWire, decisions int64, r *reader) {
	if w.Reason != "" && w.Reason != TooLong && w.Reason != Overflow {
		r.fail("slates.reason", fmt.Sprintf("%.20q", w.Reason), "TOO_LONG, OVERFLOW or nothing")
	}
	k := len(w.Lengths)
	if k > MaxSlate || k > 0 && (w.Lengths[k-1] == 0 || w.Reason != "") {
		r.fail("slates.lengths", fmt.Sprintf("%d lengths", k), fmt.Sprintf("at most %d, and lists of the last; none with a reason", MaxSlate))
	}
	lists := r.counts("slates.lengths", w.Lengths, k)
	left := r.counts("slates.left_out", []int64{w.LeftOut}, 1)
	if w.Reason == "" {
		r.equal("slates", lists+left, decisions)
	}
	if r.err != nil {
		return
	}
	s.leftOut, s.reason = w.LeftOut, w.Reason
	s.grow(k)
	copy(s.lengths, w.Lengths)
	r.sums("slates.standard", w.Standard, s.standard.sums())
	r.sums("slates.independent", w.Independent, s.independent.sums(k))
	r.sums("slates.interaction", w.Interaction, s.interaction.sums(k))
}

func (s *resample) read(w floats, r *reader) {
	if len(w) != len(s.sums)*int(partCount) {
		r.fail("resample", fmt.Sprintf("%d numbers", len(w)), strconv.Itoa(len(s.sums)*int(partCount)))
		return
	}
	for i := range s.sums {
		copy(s.sums[i][:], w[i*int(partCount):])
	}
}
