package evaluation

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/fundmatch/fundmatch/matcher/evaluate/calibration"
	"github.com/fundmatch/fundmatch/services/evaluation/page"
	"github.com/fundmatch/fundmatch/services/evaluation/policylog"
)

const (
	partForecasts = "forecasts"
	forecastBins  = 10
)

// forecasts holds the probabilities of conversion that a model gave against the orders that were confirmed.
type forecasts struct {
	Lacks   [2]bool            `json:"lacks"`   // the columns of the probability and of the order
	Unknown int64              `json:"unknown"` // rows with a probability of which nothing is known yet
	Sums    *calibration.State `json:"sums"`
}

func newForecasts() *forecasts {
	sums, err := calibration.NewState(forecastBins)
	if err != nil {
		panic(err) // not reached: the number of bins is a constant
	}
	return &forecasts{Sums: sums}
}

// Add takes the rows of a block.
func (f *forecasts) Add(b *policylog.Block) error {
	given, came := numbersOf(b, policylog.ColumnProbability), numbersOf(b, policylog.ColumnConfirmed)
	f.Lacks[0], f.Lacks[1] = f.Lacks[0] || given == nil, f.Lacks[1] || came == nil
	if given == nil || came == nil {
		return nil
	}
	for row, p := range given {
		switch {
		case math.IsNaN(p):
			continue
		case math.IsNaN(came[row]):
			f.Unknown++
			continue
		case came[row] != 0 && came[row] != 1:
			return rowError(b, row, policylog.ColumnConfirmed, fmt.Sprint(came[row]), "1, 0, or nothing where it is not known")
		}
		if err := f.Sums.Add(p, came[row] == 1); err != nil {
			return rowError(b, row, policylog.ColumnProbability, fmt.Sprint(p), "0 to 1, or nothing where there is none")
		}
	}
	return nil
}

// Merge takes what a later state holds.
func (f *forecasts) Merge(later Measure) error {
	o, same := later.(*forecasts)
	if !same {
		return errOtherPart
	}
	f.Lacks[0], f.Lacks[1] = f.Lacks[0] || o.Lacks[0], f.Lacks[1] || o.Lacks[1]
	f.Unknown += o.Unknown
	return f.Sums.Merge(o.Sums)
}

// forecastsJSON has the fields of forecasts and not its methods.
type forecastsJSON forecasts

// MarshalJSON writes the exact form.
func (f *forecasts) MarshalJSON() ([]byte, error) { return json.Marshal((*forecastsJSON)(f)) }

// UnmarshalJSON reads it.
func (f *forecasts) UnmarshalJSON(data []byte) error {
	in := forecastsJSON(*newForecasts())
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	if in.Sums == nil || in.Unknown < 0 {
		return fmt.Errorf("%w: %d forecasts not known of, expected 0 or more and sums", calibration.ErrForecast, in.Unknown)
	}
	if err := newForecasts().Sums.Merge(in.Sums); err != nil { // as many bins
		return err
	}
	*f = forecasts(in)
	return nil
}

// ForecastReport says what the probabilities of conversion were worth that a model gave.
type ForecastReport struct {
	Needs       []string        `json:"needs" says:"columns that the log lacks"`
	Rows        int64           `json:"rows" says:"with a probability, and of which it is known whether an order was confirmed"`
	Unknown     int64           `json:"unknown" says:"rows with a probability of which that is not known yet"`
	Events      int64           `json:"events" says:"orders"`
	Brier       *float64        `json:"brier" says:"mean squared error"`
	Skill       *float64        `json:"brier_skill" says:"1 - brier over that of the mean of what came: above 0 is better than one number for all"`
	LogLoss     *float64        `json:"log_loss"`
	ECE         *float64        `json:"ece" says:"mean gap between forecast and what came, over ten bins of equal width"`
	AUC         *float64        `json:"auc" says:"of the bins: an order had the higher probability than no order, so often"`
	Reliability []ForecastPoint `json:"reliability" says:"the bins that hold forecasts"`
}

// ForecastPoint is a bin of the reliability curve.
type ForecastPoint struct {
	Predicted float64    `json:"predicted" says:"mean probability"`
	Observed  float64    `json:"observed" says:"share of orders"`
	CI95      [2]float64 `json:"ci95" says:"Wilson's, rows taken for independent"`
	Rows      int64      `json:"rows"`
}

func (f *forecasts) report() ForecastReport {
	n := &needs{names: []string{}}
	r := ForecastReport{Reliability: []ForecastPoint{}}
	lacks := n.lack(f.Lacks[0], policylog.ColumnProbability)
	lacks = n.lack(f.Lacks[1], policylog.ColumnConfirmed) || lacks
	if r.Needs = n.names; lacks {
		return r
	}
	s := f.Sums
	r.Rows, r.Unknown, r.Events = s.Rows(), f.Unknown, s.Events()
	share := float64(r.Events) / float64(r.Rows)
	r.Brier, r.Skill = finite(s.Brier()), finite(1-s.Brier()/(share*(1-share)))
	r.LogLoss, r.ECE, r.AUC = finite(s.LogLoss()), finite(s.ECE()), finite(s.BinnedAUC())
	for _, p := range s.Reliability() {
		r.Reliability = append(r.Reliability, ForecastPoint{p.Predicted, p.Observed, [2]float64{p.Low, p.High}, p.Rows})
	}
	return r
}

// reliabilityPage draws what was foreseen beside what came; nil: nothing was foreseen.
func (r *ForecastReport) reliabilityPage() []page.Block {
	if len(r.Reliability) == 0 {
		return nil
	}
	c := &page.Curve{
		Words: page.Words{
			Title: "Probability of conversion that the model gave (to the right), and share of orders that came (up)",
			Says:  "On the broken line forecasts are right; below it they promise too much. Each point is a tenth of the scale with its 95 % interval.",
		},
		Diagonal: true,
	}
	for _, p := range r.Reliability {
		c.Marks = append(c.Marks, page.Mark{X: p.Predicted, Y: p.Observed, Low: p.CI95[0], High: p.CI95[1]})
	}
	t := &page.Table{
		Caption: "Forecasts of conversion",
		Head:    []string{"Rows", "Orders", "Brier", "Skill", "ECE", "AUC"},
		Numbers: []bool{true, true, true, true, true, true},
		Rows: []page.Row{{Cells: []string{
			grouped(r.Rows), grouped(r.Events), numberOf(r.Brier), numberOf(r.Skill), numberOf(r.ECE), numberOf(r.AUC),
		}}},
	}
	return []page.Block{{Charts: []page.Chart{c}}, {Table: t}}
}
