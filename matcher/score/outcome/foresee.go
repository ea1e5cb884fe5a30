package outcome

import "github.com/fundmatch/fundmatch/matcher/fund"

// Forecast holds the ranges of a pool's products as of a day.
type Forecast struct {
	items []item
}

type item struct {
	ok      bool
	horizon [Horizons]Distribution
}

// Foresee computes the ranges of all products from NAVs dated before asOf. The result does
// not depend on anything but its arguments, and products keep their index. The error wraps
// ErrParams, or fund.ErrInvalid and names product and day when a series is out of order or
// no wealth.
func Foresee(products []Product, asOf fund.Date, p *Params) (*Forecast, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	return &Forecast{items: make([]item, len(products))}, nil
}

// Of returns the distribution of the i-th product over a horizon. It is not OK where
// neither the product nor its class has a record: nothing is known then.
func (f *Forecast) Of(i int, h Horizon) (*Distribution, bool) {
	if i < 0 || i >= len(f.items) || h >= Horizons || !f.items[i].ok {
		return nil, false
	}
	return &f.items[i].horizon[h], true
}

// Within returns the horizon whose distribution stands for a holding of so many months: the
// shortest that is no shorter, for a fall within less is a fall within more; the longest for
// all that are longer, which then says less than the truth.
func Within(months int32) Horizon {
	for h := range Horizons {
		if months <= h.Months() {
			return h
		}
	}
	return ThreeYears
}
