// Package switching says what it certainly costs to sell one fund in order to buy another
// (赎旧买新), lot by lot and to the fen, and what certain good would come of it. A forecast of
// return is in neither sum. docs/switching.md has every definition, with an example by hand.
package switching

import "github.com/fundmatch/fundmatch/matcher/fund"

// Case is one switch before it is made. Nothing in it is changed.
type Case struct {
	Sell         Sale
	Buy          Purchase
	On           fund.Date         // the day on which both legs are dealt
	HorizonDays  int32             // for how long the new fund would be held
	ServiceLimit fund.ServiceLimit // F03's as in force; a money fund has none
	Suitability  Suitability
	Portfolio    Portfolio
	History      History
}

// Sale is the leg that is sold. Either Lots are there to be sold, or Paid says what a
// redemption of before has paid out already.
type Sale struct {
	Product *fund.Product
	Lots    []fund.Lot  // his lots; those of other products are passed over
	Shares  fund.Shares // 0: as many as the purchase needs, or all
	UnitNAV float64     // yuan a share; 0: unknown
	Paid    Paid
}

// Paid is a redemption that was made: its lots are gone.
type Paid struct {
	Proceeds fund.Money  // net of the fee; 0: unknown
	On       fund.Date   // 0: there was none, the Lots are to be sold
	Acquired fund.Window // when what was redeemed had been bought; zero: unknown
}

// Purchase is the leg that is bought. The fund's retail classes are compared; the money
// goes into the first of them.
type Purchase struct {
	Classes []*fund.Product // the one that is asked for first; then the others on offer
	Amount  fund.Money      // gross; 0: what the sale brings
}

// Suitability is by what a mismatch is told: the highest grade that suits him, by the rule
// book of what is sold and by that of what is bought (S11). Unknown: without a valid level
// nothing is cured.
type Suitability struct{ Sold, Bought fund.RiskGrade }

// Portfolio is by what a concentration is told. It must have all that he holds.
type Portfolio struct {
	Known  bool       // everything that he holds has a value
	Assets fund.Money // that the shares are of
	Stakes []Stake
	// Sold and Bought are the limits of the rule book of what is sold and of what is bought (S11).
	Sold, Bought Limits
}

// Stake is what one holding is worth, and what it stands for. Empty names count nowhere.
type Stake struct {
	Fund, Issuer, Theme string
	Value               fund.Money
}

// Limits are K04's largest shares of the assets in percent; 0: no limit.
type Limits struct{ Product, Issuer, Theme int }

// Verdict is what the certain sums say.
type Verdict uint8

// The verdicts.
const (
	NoSwitch    Verdict = iota // a money fund is sold (K01)
	CostUnknown                // a fee, a value or a lot is not known: nothing speaks for it
	CostsMore                  // the certain benefit is not above the certain cost
	Cures                      // a mismatch or a concentration is cured
	Pays                       // the certain benefit is above the certain cost
	Verdicts                   // the number of verdicts
)

var verdictNames = [Verdicts]string{"NO_SWITCH", "COST_UNKNOWN", "COSTS_MORE", "CURES", "PAYS"}

// String returns the verdict's code.
func (v Verdict) String() string { return verdictNames[min(v, Verdicts-1)] }

// Assessment is what a switch costs and brings. Its slices are used again by the next
// Assess into it.
type Assessment struct {
	Verdict   Verdict
	Gaps      Gaps
	Sold      Sold
	Lots      []LotSale // in the order in which they are sold: first in, first out
	Classes   []Option  // of the fund that is bought, in the order of the case
	Leaving   []Leaving // what leaving costs on each day on which a step of the new ladder falls
	Amount    fund.Money
	Moved     fund.Money // net: what comes to work in the new fund out of the sale
	Cost      Cost
	Benefit   Benefit
	BreakEven int32 // first day on which the fees saved are above the cost; -1: none, or unknown
	Past      Past
}

// Sold sums up the sell leg.
type Sold struct {
	Shares   fund.Shares
	Value    fund.Money // at the unit NAV
	Fee      fund.Money // redemption fees
	Proceeds fund.Money
	Youngest int32       // days held of the youngest lot; -1: of some lot unknown
	Locked   fund.Shares // in lockup on the day
	Short    fund.Shares // asked for and not there, or locked
}

// LotSale is one lot of the sell leg.
type LotSale struct {
	AcquiredOn fund.Date // 0: unknown
	Days       int32     // held on the day; -1: unknown, and the highest fee is taken
	Held       fund.Shares
	Shares     fund.Shares // sold
	Value      fund.Money  // of the shares sold, rounded half up once
	Rate       fund.BasisPoints
	Fee        fund.Money
	Locked     bool       // in lockup on the day, or not shown to be out of it: it cannot be sold
	FreeOn     fund.Date  // first day after the lockup; 0: not locked, or unknown
	Moved      fund.Money // what of the value comes to work in the new fund, filled lot by lot
	Next       Step
}

// Step is the next step of a ladder that is cheaper.
type Step struct {
	On   fund.Date // 0: there is none, or the lot's day is unknown
	Rate fund.BasisPoints
	Fee  fund.Money // for the same value
}

// Option is the amount in one share class of the fund that is bought, held to the horizon.
type Option struct {
	Code       string
	ShareClass string
	fund.Cost
	OK bool // its fees are known
}

// Leaving compares what it costs to leave on one day with and without the switch.
type Leaving struct {
	Days     int32 // after the switch
	New, Old fund.Money
}

// Cost is what is certain to be paid. Not OK: some part is not known and stands at 0.
type Cost struct {
	OK      bool
	Exit    fund.Money // redemption fee of what is sold
	Entry   fund.Money // of what is bought
	Lost    fund.Money // by how much leaving at the horizon costs more than it would have
	Running fund.Money // by how much the running fees are higher over the horizon
}

// Total is the sum of the parts.
func (c Cost) Total() fund.Money { return c.Exit + c.Entry + c.Lost + c.Running }

// Benefit is what is certain to be gained.
type Benefit struct {
	Running       fund.Money // running fees saved over the horizon
	YearOld       fund.Money // running fees of the moved money in the old fund, the next 365 days
	YearNew       fund.Money // the same in the new fund
	Mismatch      bool       // cured
	Concentration bool       // cured
}

// Gaps are what keeps a cost from being known, or a sale from being made.
type Gaps uint16

// The gaps.
const (
	NoLots     Gaps = 1 << iota // none on file that could be sold
	NoNAV                       // no unit NAV, so no value
	NoExitFee                   // no redemption ladder of what is sold
	NoOldFees                   // no running fees of what is sold
	NoNewFees                   // no ladder or running fee of what is bought
	NoLotDay                    // a lot without a day: the highest fee is taken
	InLockup                    // lots in lockup
	TooFew                      // fewer shares than asked for, or than the amount needs
	NoProceeds                  // a redemption without an amount, or of unclear fee
	NoHorizon                   // no horizon
)

// Has reports whether all of g are among the gaps.
func (s Gaps) Has(g Gaps) bool { return s&g == g }

// unknowable are the gaps that leave the cost unknown.
const unknowable = NoLots | NoNAV | NoExitFee | NoOldFees | NoNewFees | NoProceeds | NoHorizon
