package money

import "math"

// Result is what a state says. A figure of nothing is NaN.
type Result struct {
	Lists, Rows int64
	Returns     [Horizons]Horizon
	Held        Held
}

// Held is how long what was sold again had been held, in days.
type Held struct {
	Sold      int64
	Mean      float64
	Histogram [HeldBins]int64 // by HeldBounds: below the first, from the first to below the second, ..., from the last on
	Min, Max  float64
}

// HeldBins is how many bins the histogram of holding days has.
const HeldBins = 7

// HeldBounds are the bounds between the bins, in days: those of redemption fees, then a quarter, half a year, a year, two.
func HeldBounds() [HeldBins - 1]float64 { return [HeldBins - 1]float64{7, 30, 90, 180, 365, 730} }

// Result reads the state. It may go on afterwards.
func (s *State) Result() Result {
	r := Result{Lists: s.sums.Lists, Rows: s.sums.Rows, Held: s.sums.Held.result()}
	for h, days := range HorizonDays() {
		r.Returns[h] = s.sums.Returns[h].result(days, s.cutoffs)
		r.Returns[h].Profit = s.buyers.Profit(h)
	}
	return r
}

// held sums holding days.
type held struct {
	Sold int64           `json:"sold"`
	Days float64         `json:"days"`
	Bins [HeldBins]int64 `json:"bins"`
	Min  float64         `json:"min"` // 0 while nothing was sold
	Max  float64         `json:"max"`
}

func (s *held) add(days []float64) {
	bounds := HeldBounds()
	for _, d := range days {
		if math.IsNaN(d) {
			continue
		}
		bin := 0
		for bin < len(bounds) && d >= bounds[bin] {
			bin++
		}
		s.merge(&held{Sold: 1, Days: d, Min: d, Max: d})
		s.Bins[bin]++
	}
}

func (s *held) merge(other *held) {
	if other.Sold == 0 {
		return
	}
	if s.Sold == 0 {
		s.Min, s.Max = other.Min, other.Max
	}
	s.Sold += other.Sold
	s.Days += other.Days
	s.Min, s.Max = min(s.Min, other.Min), max(s.Max, other.Max)
	for i, n := range other.Bins {
		s.Bins[i] += n
	}
}

func (s *held) result() Held {
	h := Held{Sold: s.Sold, Mean: ratio(s.Days, s.Sold), Histogram: s.Bins, Min: s.Min, Max: s.Max}
	if s.Sold == 0 {
		h.Min, h.Max = math.NaN(), math.NaN()
	}
	return h
}
