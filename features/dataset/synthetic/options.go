package synthetic

import (
	"errors"
	"fmt"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// The bounds and defaults of Options.
const (
	DefaultCustomers = 20_000
	DefaultProducts  = 300
	DefaultSeed      = 1
	MaxCustomers     = 5_000_000
	MinProducts      = 20 // the anchor products, one for each situation
	MaxProducts      = 20_000
)

// The days that a bank may be generated as of: the lunar holidays of six years before
// and one year after must be tabled.
const (
	EarliestAsOf = fund.Date(20180101)
	LatestAsOf   = fund.Date(20381231)
)

// ErrOptions is wrapped by every error about an option; the message names it, its value
// and what was expected.
var ErrOptions = errors.New("invalid option of the synthetic bank")

// Options say which bank to invent. The zero value of Customers, Products and Seed is
// the default; AsOf has none, because the package has no clock.
type Options struct {
	Customers int
	Products  int
	Seed      uint64
	AsOf      fund.Date // the bank is as it stood at the start of this day
}

// withDefaults fills in the defaults and checks the bounds.
func (o Options) withDefaults() (Options, error) {
	if o.Customers == 0 {
		o.Customers = DefaultCustomers
	}
	if o.Products == 0 {
		o.Products = DefaultProducts
	}
	if o.Seed == 0 {
		o.Seed = DefaultSeed
	}
	switch {
	case o.Customers < 1 || o.Customers > MaxCustomers:
		return o, fmt.Errorf("%w: customers %d, expected 1 to %d", ErrOptions, o.Customers, MaxCustomers)
	case o.Products < MinProducts || o.Products > MaxProducts:
		return o, fmt.Errorf("%w: products %d, expected %d to %d", ErrOptions, o.Products, MinProducts, MaxProducts)
	case o.AsOf < EarliestAsOf || o.AsOf > LatestAsOf:
		return o, fmt.Errorf("%w: as-of %q, expected a day from %s to %s", ErrOptions, o.AsOf, EarliestAsOf, LatestAsOf)
	}
	if _, err := fund.NewDate(o.AsOf.Year(), o.AsOf.Month(), o.AsOf.Day()); err != nil {
		return o, fmt.Errorf("%w: as-of: %w", ErrOptions, err)
	}
	return o, nil
}
