package affinity

import "math"

// snapshot is what was known of purchases by a day. All counts are whole numbers, so no
// order of customers matters.
type snapshot struct {
	asOf     int32
	history  *History
	items    []int32 // of all customers, one customer after the other, ascending
	end      []int   // of customer c's
	holders  []int32 // customers who hold each fund
	holdings float64 // pairs of customer and fund
}

// knownBy cuts the history.
func (h *History) knownBy(asOf int32) *snapshot {
	s := &snapshot{
		asOf: asOf, history: h, items: make([]int32, 0, len(h.purchases)), end: make([]int, len(h.end)), holders: make([]int32, h.items),
	}
	for c := range h.end {
		for _, p := range h.of(c) {
			if p.Day <= asOf {
				s.items = append(s.items, p.Item)
				s.holders[p.Item]++
			}
		}
		s.end[c] = len(s.items)
	}
	s.holdings = float64(len(s.items))
	return s
}

// of is the basket of customer c.
func (s *snapshot) of(c int) []int32 {
	start := 0
	if c > 0 {
		start = s.end[c-1]
	}
	return s.items[start:s.end[c]]
}

// held is the number of funds that anybody holds.
func (s *snapshot) held() int {
	n := 0
	for _, h := range s.holders {
		if h > 0 {
			n++
		}
	}
	return n
}

// meanHolders is the mean over the funds that anybody holds; 1 where nobody holds any.
func (s *snapshot) meanHolders() float64 {
	if s.holdings == 0 {
		return 1
	}
	return s.holdings / float64(s.held())
}

// lift is how much oftener than expected a fund stands among counted holdings: its part
// of them over its part of all, shrunk to 1 by imagined ones that are spread as all are.
func (s *snapshot) lift(y int, count, all, imagined float64) float64 {
	if s.holders[y] == 0 || all+imagined == 0 {
		return 1
	}
	expected := float64(s.holders[y]) / s.holdings
	return (count + float64(imagined*expected)) / ((all + imagined) * expected)
}

// One purchase of the day, in the whole numbers that purchases of late are counted in:
// ten million of them stay below 2^63.
const purchase = 1 << 36

// trend is the lift of each fund among the purchases of late, each counted half for every
// half-life. What is of the history's first day, or of no day, is stock that was there
// when records began: it counts for none.
func (s *snapshot) trend(t *TrendSettings) []float64 {
	sums := make([]uint64, len(s.holders))
	var weights []uint64 // by age in days
	for age := 0; ; age++ {
		w := uint64(math.Round(purchase * math.Exp2(-float64(age)/t.HalfLifeDays)))
		if w == 0 {
			break
		}
		weights = append(weights, w)
	}
	for _, p := range s.history.purchases {
		if p.Day > s.asOf || p.Day == Always || p.Day == s.history.firstDay {
			continue
		}
		if age := int64(s.asOf) - int64(p.Day); age < int64(len(weights)) {
			sums[p.Item] += weights[age]
		}
	}
	all := uint64(0)
	for _, n := range sums {
		all += n
	}
	lifts := make([]float64, len(sums))
	imagined := t.PerFund * float64(s.held())
	for y, n := range sums {
		lifts[y] = s.lift(y, float64(n)/purchase, float64(all)/purchase, imagined)
	}
	return lifts
}

// crowds are the lifts among customers with so many funds, of each group and level.
func (s *snapshot) crowds(h *History, c *CrowdSettings) crowds {
	n := len(s.holders)
	size, groups, levels := newTally(sizes, n), newTally(MaxFact+1, n), newTally(MaxFact+1, n)
	for customer := range s.end {
		basket := s.of(customer)
		if len(basket) == 0 {
			continue
		}
		size.add(int32(sizeOf(len(basket))), basket)
		groups.add(h.groups.at(customer, s.asOf), basket)
		levels.add(h.levels.at(customer, s.asOf), basket)
	}
	var out crowds
	size.lifts(s, c.Holdings, out.size[:])
	groups.lifts(s, c.Holdings, out.groups[:])
	levels.lifts(s, c.Holdings, out.levels[:])
	return out
}

// tally counts the holdings of crowds.
type tally struct {
	items int
	rows  [][]int32 // by crowd; nil where it has nobody
	all   []int64
}

func newTally(crowds, items int) *tally {
	return &tally{items: items, rows: make([][]int32, crowds), all: make([]int64, crowds)}
}

func (t *tally) add(crowd int32, basket []int32) {
	if crowd == Unknown {
		return
	}
	if t.rows[crowd] == nil {
		t.rows[crowd] = make([]int32, t.items)
	}
	for _, y := range basket {
		t.rows[crowd][y]++
	}
	t.all[crowd] += int64(len(basket))
}

func (t *tally) lifts(s *snapshot, imagined float64, dst [][]float64) {
	for crowd, row := range t.rows {
		if row == nil {
			continue
		}
		dst[crowd] = make([]float64, len(row))
		for y, n := range row {
			dst[crowd][y] = s.lift(y, float64(n), float64(t.all[crowd]), imagined)
		}
	}
}
