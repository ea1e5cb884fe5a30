package affinity

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
)

// Step is a part of the training, for who watches it.
type Step string

// The steps of a training, in their order.
const (
	Counting  Step = "counting pairs"
	Inverting Step = "solving the joint model"
	Ranking   Step = "ranking neighbours"
)

// Options say how a model is trained, never what it becomes.
type Options struct {
	Workers  int                         // goroutines; 0 counts as 1
	Progress func(s Step, done, all int) // may be nil; called by one goroutine at a time
}

// Train learns a model of a day from what was known by then: purchases, groups and levels
// of a later day are not read. Items are the funds, in the history's numbering. The same
// input gives the same bits for any number of workers and any order of customers. Errors
// are those of the settings, of the items, and ctx's.
func Train(ctx context.Context, h *History, items []Item, asOf int32, s Settings, o Options) (*Model, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if err := checkItems(h, items); err != nil {
		return nil, err
	}
	known := h.knownBy(asOf)
	m := &Model{settings: s, asOf: asOf, items: len(items), holders: known.holders}
	m.trend = known.trend(&s.Trend)
	m.crowd = known.crowds(h, &s.Crowd)
	t := trainer{model: m, known: known, pairs: known.pairs(s.MaxBasket), o: o}
	if err := t.run(ctx, items); err != nil {
		return nil, err
	}
	m.derive()
	return m, nil
}

func checkItems(h *History, items []Item) error {
	if len(items) != h.items {
		return fmt.Errorf("%w: %d items, expected the %d of the history", ErrHistory, len(items), h.items)
	}
	for i := range items {
		for a, v := range items[i].list() {
			if v < Unknown || v > MaxAttribute {
				return fmt.Errorf("%w: item %d: %s %d, expected %d to %d", ErrHistory, i, attributeNames[a], v, Unknown, MaxAttribute)
			}
		}
	}
	return nil
}

// trainer holds what the steps share.
type trainer struct {
	model *Model
	known *snapshot
	pairs *pairs
	o     Options

	joint []int32   // the funds regressed, ascending
	at    []int32   // of each fund: its place in joint, or -1
	gram  []float64 // a square over joint, upper triangle: first pairs, then the inverse
}

func (t *trainer) run(ctx context.Context, items []Item) error {
	t.chooseJoint()
	if err := t.count(ctx, items); err != nil {
		return err
	}
	if len(t.joint) > 0 {
		t.o.tell(Inverting, 0, 1)
		if err := invert(t.gram, len(t.joint)); err != nil {
			return err
		}
		t.o.tell(Inverting, 1, 1)
	}
	return t.rank(ctx)
}

// chooseJoint picks the most held funds, of equally held ones the first.
func (t *trainer) chooseJoint() {
	s := &t.model.settings.Joint
	t.at = slices.Repeat([]int32{-1}, t.model.items)
	if s.Gain == 0 {
		return
	}
	holders := t.known.holders
	for x, n := range holders {
		if n > 0 {
			t.joint = append(t.joint, int32(x))
		}
	}
	slices.SortStableFunc(t.joint, func(a, b int32) int { return cmp.Compare(holders[b], holders[a]) })
	t.joint = t.joint[:min(len(t.joint), s.Funds)]
	slices.Sort(t.joint)
	for i, x := range t.joint {
		t.at[x] = int32(i)
	}
	t.gram = make([]float64, len(t.joint)*len(t.joint))
}

// count counts pairs, into the square to be inverted and by attribute.
func (t *trainer) count(ctx context.Context, items []Item) error {
	m := t.model
	counts := m.newLikes(items)
	ridge := m.settings.Joint.Ridge * t.known.meanHolders()
	err := t.o.each(ctx, Counting, m.items, func() func(int) {
		row := newRow(m.items)
		return func(x int) {
			t.pairs.count(int32(x), row)
			for _, y := range row.funds {
				t.addPair(int32(x), y, row.together[y])
			}
			if i := int(t.at[x]); i >= 0 {
				t.gram[i*len(t.joint)+i] = float64(t.known.holders[x]) + ridge
			}
			for a := range counts {
				counts[a].count(x, row)
			}
		}
	})
	if err != nil {
		return err
	}
	for a := range counts {
		counts[a].finish()
	}
	return nil
}

// addPair sets the square's entry of two funds in the row of the first, which one
// goroutine alone writes.
func (t *trainer) addPair(x, y, together int32) {
	if i, j := t.at[x], t.at[y]; i >= 0 && j > i {
		t.gram[int(i)*len(t.joint)+int(j)] = float64(together)
	}
}

// rank keeps the nearest funds of each.
func (t *trainer) rank(ctx context.Context) error {
	m := t.model
	rows := make([][]neighbour, m.items)
	err := t.o.each(ctx, Ranking, m.items, func() func(int) {
		row := newRow(m.items)
		var all []neighbour
		return func(x int) {
			t.pairs.count(int32(x), row)
			all = t.neighboursOf(int32(x), row, all[:0])
			rows[x] = nearest(all, m.settings.Neighbours)
		}
	})
	if err != nil {
		return err
	}
	m.near.start = make([]int, 1, m.items+1)
	for _, row := range rows {
		m.near.entries = append(m.near.entries, row...)
		m.near.start = append(m.near.start, len(m.near.entries))
	}
	return nil
}

// neighboursOf appends all funds of which x says anything.
func (t *trainer) neighboursOf(x int32, row *row, all []neighbour) []neighbour {
	scale := 1 / (float64(t.known.holders[x]) + t.model.settings.Backoff.Holders)
	i, n := int(t.at[x]), len(t.joint)
	if i < 0 {
		for _, y := range row.funds {
			all = append(all, neighbour{fund: y, share: float32(float64(row.together[y]) * scale)})
		}
		return all
	}
	for _, y := range row.funds {
		if t.at[y] < 0 {
			all = append(all, neighbour{fund: y, share: float32(float64(row.together[y]) * scale)})
		}
	}
	for j, y := range t.joint {
		if j == i {
			continue
		}
		// Steck's B: -P[x][y] / P[y][y], P the inverse of the ridged Gram matrix.
		joint := -t.gram[min(i, j)*n+max(i, j)] / t.gram[j*n+j]
		all = append(all, neighbour{fund: y, share: float32(float64(row.together[y]) * scale), joint: float32(joint)})
	}
	return all
}

// nearest returns a copy of the n that matter most, by fund; of equal ones the first.
func nearest(all []neighbour, n int) []neighbour {
	all = slices.DeleteFunc(all, func(e neighbour) bool { return e.weight() == 0 })
	least := float32(0)
	if len(all) > n {
		weights := make([]float32, len(all))
		for i, e := range all {
			weights[i] = e.weight()
		}
		least = largest(weights, n)
		all = slices.DeleteFunc(all, func(e neighbour) bool { return e.weight() < least })
	}
	slices.SortFunc(all, func(a, b neighbour) int { return cmp.Compare(a.fund, b.fund) })
	kept := make([]neighbour, 0, min(n, len(all)))
	for surplus, i := len(all)-n, len(all)-1; i >= 0; i-- {
		if surplus > 0 && all[i].weight() == least {
			surplus--
			continue
		}
		kept = append(kept, all[i])
	}
	slices.Reverse(kept)
	return kept
}

// weight is how much a neighbour matters, for or against.
func (e neighbour) weight() float32 {
	return max(e.share, float32(math.Abs(float64(e.joint))))
}

// largest returns the n-th largest value, n from 1 to their number, and leaves them in
// another order (Hoare's selection, by the median of three).
func largest(values []float32, n int) float32 {
	low, high, want := 0, len(values)-1, n-1
	for low < high {
		a, b, c := values[low], values[(low+high)/2], values[high]
		pivot := max(min(a, b), min(max(a, b), c))
		i, j := low, high
		for i <= j {
			for values[i] > pivot {
				i++
			}
			for values[j] < pivot {
				j--
			}
			if i <= j {
				values[i], values[j] = values[j], values[i]
				i++
				j--
			}
		}
		switch {
		case want <= j:
			high = j
		case want >= i:
			low = i
		default:
			return values[want]
		}
	}
	return values[want]
}
