package money

import "math"

// Result is what a state says. A figure of nothing is NaN.
type Result struct {
	Lists, Rows int64
	Returns     [Horizons]Horizon
	Held        Held
	Redeemed    [Windows]Rate // by WindowDays
	NewIssues   NewIssues
	Suitability Suitability
}

// Rate is how many of those of whom it is known. Share is NaN of nobody.
type Rate struct {
	Count, Known int64
	Share        float64
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

// NewIssues is the share of new issues among what was listed, among what was bought, and in the money that it was bought
// for: the gap between the first two and the share of the pool is what 爱卖新发 looks like.
type NewIssues struct {
	Listed, Bought Rate
	Amount         float64 // share of the fen; NaN of none
}

// Result reads the state. It may go on afterwards.
func (s *State) Result() Result {
	r := Result{
		Lists: s.sums.Lists, Rows: s.sums.Rows,
		Held:        s.sums.Held.result(),
		NewIssues:   NewIssues{s.sums.Listed.rate(), s.sums.Bought.rate(), math.NaN()},
		Suitability: s.sums.Suits,
	}
	for h, days := range HorizonDays() {
		r.Returns[h] = s.sums.Returns[h].result(days, s.cutoffs)
		r.Returns[h].Profit = s.buyers.Profit(h)
	}
	for w := range r.Redeemed {
		r.Redeemed[w] = s.sums.Redeemed[w].rate()
	}
	if all := s.sums.Amount.All; all > 0 {
		r.NewIssues.Amount = s.sums.Amount.New / all
	}
	return r
}

// rateSum counts a column of 0, 1 and NaN.
type rateSum struct {
	Count int64 `json:"count"`
	Known int64 `json:"known"`
}

func (s *rateSum) add(flags []float64) {
	for _, v := range flags {
		s.addOne(v)
	}
}

func (s *rateSum) addOne(flag float64) {
	if !math.IsNaN(flag) {
		s.Known++
		s.Count += int64(flag)
	}
}

func (s *rateSum) merge(other rateSum) {
	s.Count += other.Count
	s.Known += other.Known
}

func (s *rateSum) rate() Rate { return Rate{s.Count, s.Known, ratio(float64(s.Count), s.Known)} }

// amountSum is fen of new issues and of all that it is known of.
type amountSum struct {
	New float64 `json:"new"`
	All float64 `json:"all"`
}

func (s *amountSum) merge(other amountSum) {
	s.New += other.New
	s.All += other.All
}

func (s *sums) addNewIssues(rows *Rows) {
	s.Listed.add(rows.NewIssue)
	if rows.Amount == nil {
		return
	}
	for i, isNew := range rows.NewIssue {
		amount := rows.Amount[i]
		if math.IsNaN(isNew) || !(amount > 0) {
			continue
		}
		s.Bought.addOne(isNew)
		s.Amount.All += amount
		s.Amount.New += float64(isNew * amount)
	}
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
