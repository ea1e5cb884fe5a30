package logit

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Forecast is a probability that was given before the outcome was known, with the outcome:
// a row that neither the model nor the calibration was fitted on.
type Forecast struct {
	Customer    string  // whose; a customer's rows are resampled together
	Segment     string  // empty: of none
	Probability float64 // above 0 and below 1
	Happened    bool
}

// AssessOptions are the settings of Assess.
type AssessOptions struct {
	Bins       int    // of the reliability table, 2 to 100; 0: 10
	Replicates int    // of the bootstrap, 100 to 10,000; 0: 1,000
	Seed       uint64 // of the bootstrap
	Workers    int    // 1 to 256; 0: as many as there are processors. The result is the same
}

// Assessment says what probabilities were worth.
type Assessment struct {
	Rows      int64   `json:"rows"`
	Events    int64   `json:"events"`
	Customers int64   `json:"customers"`
	Brier     float64 `json:"brier"`      // mean (p - y)²
	BaseBrier float64 `json:"base_brier"` // that of the rows' own share of events, given to all: the best constant, known only afterwards
	// Skill is 1 - Brier / BaseBrier with a 95 % percentile interval by a bootstrap of customers.
	Skill   Interval `json:"skill"`
	LogLoss float64  `json:"log_loss"`
	// ECE is the mean distance of predicted and observed over ten bins of equal width.
	ECE   float64 `json:"ece"`
	Bins  []Bin   `json:"bins"`  // of equal counts, by ascending probability
	Lines []Line  `json:"lines"` // the first of all rows; then of each segment, by name
}

// Interval is a value with the ends of its 95 % interval.
type Interval struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// Bin is a row of the reliability table.
type Bin struct {
	From      float64 `json:"from"` // smallest probability in it
	To        float64 `json:"to"`   // largest
	Rows      int64   `json:"rows"`
	Events    int64   `json:"events"`
	Predicted float64 `json:"predicted"` // mean probability
	// Observed is the share of events with Wilson's 95 % interval (1927), which takes rows
	// for independent.
	Observed Interval `json:"observed"`
}

// Line is the calibration of some rows: the regression of the outcome on the log-odds of
// the probability (Cox 1958). Slope 1 and Intercept 0 are right; a slope below 1 says that
// probabilities are too extreme. InTheLarge is the intercept where the slope is held at 1:
// above 0, more happens than was said. Intervals are by the sandwich of customers' sums.
type Line struct {
	Segment    string   `json:"segment"` // empty: all
	Rows       int64    `json:"rows"`
	Events     int64    `json:"events"`
	Predicted  float64  `json:"predicted"` // mean probability
	Observed   float64  `json:"observed"`  // share of events
	Slope      Interval `json:"slope"`
	Intercept  Interval `json:"intercept"`
	InTheLarge Interval `json:"in_the_large"`
	// Unknown says why there is no slope: too few events, or one probability for all. Then
	// the three intervals are zero and mean nothing.
	Unknown string `json:"unknown,omitempty"`
}

// fewestOutcomes is how many events, and how many rows without, a slope needs.
const fewestOutcomes = 10

// z95 is the 97.5th percentile of the normal distribution.
const z95 = 1.959963984540054

// Assess measures forecasts. The order of the rows does not matter but for the last digits.
// Errors: ErrOptions, ErrTooFew, ErrOneClass, ErrNotFinite (a probability that is not above
// 0 and below 1: nothing is certain), each within a *DataError.
func Assess(rows []Forecast, o AssessOptions) (*Assessment, error) {
	o, err := o.settled()
	if err != nil {
		return nil, err
	}
	if err := checkForecasts(rows); err != nil {
		return nil, err
	}
	out := &Assessment{Rows: int64(len(rows)), ECE: ece(rows), Bins: bins(rows, o.Bins)}
	customers := byCustomer(rows)
	out.Customers = int64(len(customers))
	total := tally{}
	for _, c := range customers {
		total = total.plus(c.tally, 1)
	}
	out.Events = int64(total.events)
	out.Brier, out.BaseBrier = total.squares/total.rows, total.base()
	for _, r := range rows {
		p := r.Probability
		if !r.Happened {
			p = 1 - p
		}
		out.LogLoss -= math.Log(p) / total.rows
	}
	out.Skill = bootstrapSkill(customers, total.skill(), o)
	out.Lines = lines(rows)
	return out, nil
}

func (o AssessOptions) settled() (AssessOptions, error) {
	o.Bins, o.Replicates = cmp.Or(o.Bins, 10), cmp.Or(o.Replicates, 1000)
	switch {
	case o.Bins < 2 || o.Bins > 100:
		return o, &DataError{Err: ErrOptions, Column: "bins", Value: float64(o.Bins), Want: "2 to 100"}
	case o.Replicates < 100 || o.Replicates > 10_000:
		return o, &DataError{Err: ErrOptions, Column: "replicates", Value: float64(o.Replicates), Want: "100 to 10000"}
	}
	workers, err := settledWorkers(o.Workers)
	o.Workers = workers
	return o, err
}

func checkForecasts(rows []Forecast) error {
	if len(rows) < 2 || len(rows) > MaxRows {
		return &DataError{Err: ErrTooFew, Value: float64(len(rows)), Want: fmt.Sprintf("2 to %d rows", MaxRows)}
	}
	events := 0
	for i, r := range rows {
		if !(r.Probability > 0 && r.Probability < 1) {
			return &DataError{Err: ErrNotFinite, Column: "probability", Row: i + 1, Value: r.Probability, Want: "above 0 and below 1"}
		}
		if r.Happened {
			events++
		}
	}
	if events == 0 || events == len(rows) {
		return &DataError{Err: ErrOneClass, Value: float64(events), Want: "some rows in which it happened and some in which it did not"}
	}
	return nil
}

// bins makes the reliability table: as many rows in each as in any other, but that equal
// probabilities stay together.
func bins(rows []Forecast, count int) []Bin {
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b Forecast) int {
		return cmp.Or(cmp.Compare(a.Probability, b.Probability), compareBools(a.Happened, b.Happened))
	})
	out := make([]Bin, 0, count)
	for from := 0; from < len(rows); {
		// The bin that row `from` belongs to ends where the next begins.
		at := from*count/len(rows) + 1
		to := max((at*len(rows)+count-1)/count, from+1)
		for to < len(rows) && rows[to].Probability == rows[to-1].Probability {
			to++
		}
		out = append(out, binOf(rows[from:to]))
		from = to
	}
	return out
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}

// binOf sums rows in ascending order.
func binOf(rows []Forecast) Bin {
	b := Bin{From: rows[0].Probability, To: rows[len(rows)-1].Probability, Rows: int64(len(rows))}
	var sum float64
	for _, r := range rows {
		sum += r.Probability
		if r.Happened {
			b.Events++
		}
	}
	b.Predicted = min(max(sum/float64(b.Rows), b.From), b.To)
	b.Observed = wilson(float64(b.Events), float64(b.Rows))
	return b
}

// wilson returns k/n with its 95 % score interval.
func wilson(k, n float64) Interval {
	p, z2 := k/n, z95*z95
	centre := (p + z2/(2*n)) / (1 + z2/n)
	half := z95 / (1 + z2/n) * math.Sqrt(p*(1-p)/n+z2/(4*n*n))
	return Interval{Value: p, Low: min(max(centre-half, 0), p), High: max(min(centre+half, 1), p)}
}

// ece returns the expected calibration error over ten bins of equal width.
func ece(rows []Forecast) float64 {
	const width = 10
	var predicted, observed [width]float64
	for _, r := range rows {
		at := min(int(r.Probability*width), width-1)
		predicted[at] += r.Probability
		if r.Happened {
			observed[at]++
		}
	}
	var sum float64
	for i := range width {
		sum += math.Abs(predicted[i] - observed[i])
	}
	return sum / float64(len(rows))
}
