package matcher

import (
	"fmt"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score/outcome"
	"github.com/fundmatch/fundmatch/matcher/track"
)

// foresight gathers, while the NAVs stream by, what outcomes are foreseen from. A nil one,
// of a model that foresees nothing, gathers nothing.
type foresight struct {
	params   *outcome.Params
	products []outcome.Product
}

func (c *Core) newForesight() *foresight {
	params := c.model.Settings.Outcome
	if params == nil {
		return nil
	}
	f := &foresight{params: params, products: make([]outcome.Product, len(c.products))}
	for i := range c.products {
		p := &c.products[i]
		f.products[i] = outcome.Product{Code: p.Code, Class: p.Class(), Costs: outcome.CostsOf(p, c.model.Settings.Cost.ReferenceAmount)}
	}
	return f
}

// add takes a product's NAVs. Where they are not on one basis they say nothing: the range
// is then its class's.
func (f *foresight) add(i int32, navs []fund.NAV, record *fund.TrackRecord) error {
	if f == nil || unclear(record) {
		return nil
	}
	days, wealth, err := track.Wealth(navs, record.AsOf)
	if err != nil {
		return fmt.Errorf("product %s: %w", f.products[i].Code, err)
	}
	f.products[i].Series = outcome.Series{Days: days, Wealth: wealth}
	return nil
}

// foresee returns the ranges as of a day; nil from a nil one.
func (f *foresight) foresee(day fund.Date) (*outcome.Forecast, error) {
	if f == nil {
		return nil, nil //nolint:nilnil // nothing is foreseen by this model
	}
	return outcome.Foresee(f.products, day, f.params)
}

// foreseen are the ranges of the product at a place, by horizon; nil where nothing is known.
func (c *Core) foreseen(i int) (ranges [outcome.Horizons]*outcome.Distribution) {
	if c.forecast == nil {
		return ranges
	}
	for h := range outcome.Horizons {
		if d, ok := c.forecast.Of(i, h); ok {
			ranges[h] = d
		}
	}
	return ranges
}

// Foreseen returns the range of outcomes of the product at a place over a horizon, after
// fees; not OK where nothing is known, or the model foresees nothing. It must not be changed.
func (c *Core) Foreseen(i int, h outcome.Horizon) (*outcome.Distribution, bool) {
	if c.forecast == nil {
		return nil, false
	}
	return c.forecast.Of(i, h)
}
