package eligibility

import "github.com/fundmatch/fundmatch/matcher/fund"

// orderPart is a small piece of a rule that speaks about one order.
type orderPart struct {
	reason   string
	outcomes Outcomes // of the rule; fixed for a part that says its own
}

// Switch is what K01 knows of a purchase that a redemption pays.
type Switch struct {
	Found              bool
	CostKnown          bool       // every fee of both legs is known
	Cost               fund.Money // certain: exit, entry and lost steps of the exit ladder
	Benefit            fund.Money // certain: fees saved over the horizon
	CuresMismatch      bool       // what is sold is above his level
	CuresConcentration bool
	YoungestDays       int32        // age of the youngest lot sold; -1: unknown
	SwitchesAYear      int32        // in the last 365 days, this one included
	Turnover           fund.Measure // redeemed in 365 days over the mean holdings
	CostToEquity       fund.Measure // fees of switches in 365 days over the mean holdings
	InAndOut           bool         // he sold what he now buys within the window
}

func withinMeans(*Edition) []orderPart     { return nil }
func recorded(*Edition) []orderPart        { return nil }
func delivered(*Edition) []orderPart       { return nil }
func dealt(*Edition) []orderPart           { return nil }
func qualifiedAmount(*Edition) []orderPart { return nil }
func switched(*Edition) []orderPart        { return nil }
func concentrated(*Edition) []orderPart    { return nil }
