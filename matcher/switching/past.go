package switching

import "github.com/fundmatch/fundmatch/matcher/fund"

// History is what he did before.
type History struct {
	At         fund.Instant
	Events     []fund.Event // as a trail keeps them; later ones than At are passed over
	Purchases  []fund.Purchase
	Holdings   fund.Money // what he holds now, money funds aside
	Known      bool       // all of Holdings has a value
	WindowDays int32      // K01's
	Pool       Pool
	// Pending: an order at At, of the product that is bought, is not on the trail yet. A
	// redemption within the window before it is a switch.
	Pending bool
}

// Pool finds products.
type Pool interface {
	// Product finds a product by its code; nil: it is not in the pool.
	Product(code string) *fund.Product
}

// Past is how often he was switched within 365 days, and what that took.
type Past struct {
	Switches     int32 // redemptions that paid an order
	Redeemed     fund.Money
	Mean         fund.Money // mean value of his holdings over the 365 days
	Fees         fund.Money // of those switches, as far as they are known
	FeesUnknown  int32      // fees that are not in it
	Turnover     fund.Measure
	CostToEquity fund.Measure
	InAndOut     bool
}
