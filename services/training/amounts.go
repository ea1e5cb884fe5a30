package training

import (
	"fmt"
	"math"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
)

// leastOrders is what the fits of amounts and holding days need.
const leastOrders = 200

// about is what of a product and its buyer the amount and the days are fitted on.
var about = [...]score.ConversionInput{score.InputGrade, score.InputMoneyMarket, score.InputBonds, score.InputMixed}

// fitAmount fits the logarithm of the yuan of an order on the customer's means and the
// product. It is told and not written: no part of the product reads it. Errors: errTooLittle.
func (r *running) fitAmount(examples []example) (*score.Linear, error) {
	columns := []score.Column{{Name: "ASSETS", Unit: "log yuan"}, {Name: "LEVEL"}, {Name: "BRANCH"}}
	for _, input := range about {
		columns = append(columns, score.Column{Name: input.String()})
	}
	m, err := score.NewMoments(score.Column{Name: "AMOUNT", Unit: "log yuan"}, columns, 0)
	if err != nil {
		return nil, err
	}
	end := r.cuts().calibrate
	for i := range examples {
		x := &examples[i]
		if x.amount == 0 || x.means == 0 || r.windowEnd(x.at) > end || r.sideOf(r.survey.customers[x.customer]) != learning {
			continue
		}
		row := []float64{x.means, x.inputs[score.InputLevel], x.inputs[score.InputBranch]}
		for _, input := range about {
			row = append(row, x.inputs[input])
		}
		if err := m.Add(x.amount, row); err != nil {
			return nil, err
		}
	}
	return fitTold("amount", m)
}

// holding is a position that was left: by a redemption after a first purchase.
type holding struct {
	product string
	days    float64
}

// holdingsOf adds what the ledger tells of how long a customer of the learning side held
// what he redeemed. Who holds still is not in it, so the days are those of the impatient.
func (r *running) holdingsOf(customer int32, h *features.History, dst []holding) []holding {
	if r.sideOf(r.survey.customers[customer]) != learning {
		return dst
	}
	day := r.cuts().calibrate.Date()
	var bought fund.Date // since he last left the product
	for i := range h.Purchases {
		b := &h.Purchases[i] // by product, day, kind
		if i > 0 && h.Purchases[i-1].ProductCode != b.ProductCode {
			bought = 0
		}
		switch {
		case b.KnownOn >= day:
		case b.Owns() && bought == 0:
			bought = b.KnownOn
		case b.Kind == "REDEEM" && bought != 0 && b.KnownOn > bought:
			dst = append(dst, holding{b.ProductCode, float64(b.KnownOn.DaysSince(bought))})
			bought = 0
		}
	}
	return dst
}

// fitHolding fits the logarithm of the days on the product. Errors: errTooLittle.
func (r *running) fitHolding(holdings []holding) (*score.Linear, error) {
	var columns []score.Column
	for _, input := range about {
		columns = append(columns, score.Column{Name: input.String()})
	}
	m, err := score.NewMoments(score.Column{Name: "HOLDING", Unit: "log days"}, columns, 0)
	if err != nil {
		return nil, err
	}
	core := r.cores[0]
	for _, x := range holdings {
		place, ok := core.Find(x.product)
		if !ok {
			continue
		}
		var in score.ConversionInputs
		core.ProductInputs(place, &in)
		row := make([]float64, 0, len(about))
		for _, input := range about {
			row = append(row, in[input])
		}
		if err := m.Add(math.Log(x.days), row); err != nil {
			return nil, err
		}
	}
	return fitTold("holding days", m)
}

// fitTold fits what is told only.
func fitTold(what string, m *score.Moments) (*score.Linear, error) {
	if m.Rows() < leastOrders {
		return nil, fmt.Errorf("%w: %s: %d rows, expected at least %d", errTooLittle, what, m.Rows(), leastOrders)
	}
	linear, err := score.Fit(m, score.FitOptions{Ridge: 1})
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", errTooLittle, what, err)
	}
	return linear, nil
}
