package score

// Holding is how long somebody held what he bought, and what was known before.
type Holding struct {
	Days  int32     // from the purchase to the sale, or to the day on which one looked; 0 or more
	Ended bool      // he sold; else he held it still
	X     []float64 // in the order of the columns
}

// HoldingFit says how many days of the next HorizonDays a product will be held.
type HoldingFit struct {
	Linear      Linear `json:"linear" yaml:"linear"`             // of min(days, HorizonDays)
	HorizonDays int32  `json:"horizon_days" yaml:"horizon_days"` // beyond which days are not told apart
	Rows        int64  `json:"rows" yaml:"rows"`
	Unseen      int64  `json:"unseen" yaml:"unseen"` // of them: held still, and for less than the horizon
	// Seen is the share that would be seen to their end or to the horizon, were all held so long.
	Seen float64 `json:"seen" yaml:"seen"`
}

// leastSeen is the share below which single rows would stand for more than twenty.
const leastSeen = .05

// FitHolding fits the days held, at most horizonDays (1 to 36,525), to the columns.
//
// Who holds still has not been seen to sell: to leave him out would count the impatient
// alone, to count his days so far would end them today. Each row that was seen to its end,
// or to the horizon, stands for those like it that were not: it weighs 1/G, G being the
// probability (Kaplan and Meier 1958, of the looking) that one looked no sooner than it
// ended. The weighted squares then have the mean of the unweighted ones of all, seen or
// not (inverse probability of censoring; Robins and Rotnitzky 1992), as long as when one
// looked has nothing to do with how long is held. Standard errors take the weights as given.
//
// Errors: those of Moments and Fit; ErrFitOptions (the horizon); ErrFitRange for a row with
// days below 0; ErrFitWeight when fewer than 5 % could be seen to the horizon: ask for less.
func FitHolding(columns []Column, holdings []Holding, horizonDays int32, o FitOptions) (*HoldingFit, error) {
	if horizonDays < 1 || horizonDays > maxHorizonDays {
		return nil, &FitError{Err: ErrFitOptions, Value: float64(horizonDays), Want: "a horizon of 1 to 36525 days"}
	}
	for i, h := range holdings {
		if h.Days < 0 {
			return nil, &FitError{Err: ErrFitRange, Column: holdingName, Row: int64(i) + 1, Value: float64(h.Days), Want: "0 days or more"}
		}
	}
	m, err := NewMoments(Column{Name: holdingName, Unit: "days"}, columns, 0)
	if err != nil {
		return nil, err
	}
	out := &HoldingFit{HorizonDays: horizonDays, Rows: int64(len(holdings))}
	looked := lookedAt(holdings, horizonDays)
	out.Seen = looked[horizonDays]
	if len(holdings) > 0 && out.Seen < leastSeen {
		return nil, &FitError{Err: ErrFitWeight, Value: out.Seen, Want: "at least 5 % of the rows seen to the horizon: a shorter one"}
	}
	for _, h := range holdings {
		if !h.Ended && h.Days < horizonDays {
			out.Unseen++
			continue
		}
		days := min(h.Days, horizonDays)
		if err := m.AddWeighted(float64(days), 1/looked[days], h.X); err != nil {
			return nil, err
		}
	}
	l, err := Fit(m, o)
	if err != nil {
		return nil, err
	}
	out.Linear = *l
	return out, nil
}

const (
	holdingName    = "holding"
	maxHorizonDays = 36_525
)

// lookedAt returns, for each day up to the horizon, the probability that one looked on that
// day or later: the product over earlier days of 1 - those looked at, still held, over
// those held beyond that day or looked at on it. Sales of a day come before looking.
func lookedAt(holdings []Holding, horizon int32) []float64 {
	ended, open := make([]int64, horizon+1), make([]int64, horizon+1)
	for _, h := range holdings {
		counts := open
		if h.Ended {
			counts = ended
		}
		counts[min(h.Days, horizon)]++
	}
	out := make([]float64, horizon+1)
	atRisk, share := int64(len(holdings)), 1.
	for day := range out {
		out[day] = share
		atRisk -= ended[day]
		if open[day] > 0 {
			share *= 1 - float64(open[day])/float64(atRisk)
		}
		atRisk -= open[day]
	}
	return out
}

// Days returns how many days of the horizon are expected, between 0 and all of it. ok is
// false when x has another length.
func (h *HoldingFit) Days(x []float64) (days float64, ok bool) {
	days, ok = h.Linear.Predict(x)
	return min(max(days, 0), float64(h.HorizonDays)), ok
}

// Validate refuses what FitHolding cannot have made. It wraps ErrLinear.
func (h *HoldingFit) Validate() error {
	if h.HorizonDays < 1 || h.HorizonDays > maxHorizonDays {
		return &FitError{Err: ErrLinear, Column: "horizon_days", Value: float64(h.HorizonDays), Want: "1 to 36525"}
	}
	if h.Unseen < 0 || h.Rows != h.Unseen+h.Linear.Rows {
		return &FitError{Err: ErrLinear, Column: "rows", Value: float64(h.Rows), Want: "those fitted and those unseen"}
	}
	if !(h.Seen >= leastSeen && h.Seen <= 1) {
		return &FitError{Err: ErrLinear, Column: "seen", Value: h.Seen, Want: "0.05 to 1"}
	}
	return h.Linear.Validate()
}
