// Package behaviour says what lots, purchases and events tell about a customer. Fold
// takes events in one at a time, in any order; Read derives the features as of an
// instant. It is pure and takes the market from its caller.
package behaviour

import "github.com/fundmatch/fundmatch/matcher/fund"

// Product is what the pool knows of a product that a customer holds.
type Product struct {
	FundCode   string // what all its share classes have in common
	Issuer     string
	Theme      string // the first of its themes; empty: none
	Grade      fund.RiskGrade
	LaunchedOn fund.Date
	UnitNAV    float64   // yuan a share; 0: unknown
	NAVOn      fund.Date // the day of UnitNAV; 0: unknown
	Falls      []fund.Fall
}

// Pool finds products by code; nil: not in the pool.
type Pool interface {
	Product(code string) *Product
}
