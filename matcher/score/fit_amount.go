package score

import (
	"math"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score/logit"
)

// Order is what somebody spent, and what was known of him and the product before.
type Order struct {
	Amount fund.Money // 1 fen to fund.MaxMoney
	X      []float64  // in the order of the columns
}

// AmountFit says how much is spent. Amounts differ by factors, not by yuan, so it is the
// logarithm that is linear.
type AmountFit struct {
	Log Linear `json:"log" yaml:"log"` // of ln(amount in yuan)
	// Smearing is the mean of e^residual (Duan 1983): what the mean is above the median.
	Smearing float64 `json:"smearing" yaml:"smearing"`
}

// FitAmount fits the logarithm of amounts. Errors: those of Moments and Fit, and
// ErrFitRange, naming the row, for an amount that is none.
func FitAmount(columns []Column, orders []Order, o FitOptions) (*AmountFit, error) {
	m, err := NewMoments(Column{Name: "amount", Unit: "ln yuan"}, columns, 0)
	if err != nil {
		return nil, err
	}
	for i, order := range orders {
		if order.Amount < 1 || order.Amount > fund.MaxMoney {
			return nil, &FitError{Err: ErrFitRange, Column: "amount", Row: int64(i) + 1, Value: float64(order.Amount), Want: "1 to 1e15 fen"}
		}
		if err := m.Add(order.log(), order.X); err != nil {
			return nil, err
		}
	}
	l, err := Fit(m, o)
	if err != nil {
		return nil, err
	}
	var smearing float64
	for _, order := range orders {
		y, _ := l.Predict(order.X) // finite: the rows were fitted
		smearing += math.Exp(order.log() - y)
	}
	out := &AmountFit{Log: *l, Smearing: smearing / float64(len(orders))}
	if err := out.Validate(); err != nil {
		return nil, err
	}
	return out, nil
}

func (o Order) log() float64 { return math.Log(float64(o.Amount) / fenPerYuan) }

const fenPerYuan = 100

// Median returns the amount that half of such orders are below, rounded to the fen. ok is
// false when x has another length, or there is no such amount.
func (a *AmountFit) Median(x []float64) (amount fund.Money, ok bool) { return a.times(x, 1) }

// Mean returns the mean of such orders, rounded to the fen; ok is that of Median.
func (a *AmountFit) Mean(x []float64) (amount fund.Money, ok bool) { return a.times(x, a.Smearing) }

func (a *AmountFit) times(x []float64, factor float64) (fund.Money, bool) {
	y, ok := a.Log.Predict(x)
	if !ok {
		return 0, false
	}
	fen := math.Floor(float64(logit.Exp(y)*fenPerYuan)*factor + .5)
	if !(fen >= 1 && fen <= float64(fund.MaxMoney)) {
		return 0, false
	}
	return fund.Money(fen), true
}

// Validate refuses what FitAmount cannot have made. It wraps ErrLinear.
func (a *AmountFit) Validate() error {
	if !(a.Smearing > 0 && a.Smearing <= MaxFitValue) {
		return &FitError{Err: ErrLinear, Column: "smearing", Value: a.Smearing, Want: "above 0"}
	}
	return a.Log.Validate()
}
