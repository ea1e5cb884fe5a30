package eligibility

import "github.com/fundmatch/fundmatch/matcher/fund"

// Order is what the rules know of one order beside the product, the customer (Facts) and
// his words (Refusals). What could not be found out is not OK, and never zero.
type Order struct {
	Amount  OrderAmount
	Stakes  Stakes
	Wealth  Wealth
	Dealing Dealing
	Switch  Switch
	Proofs  Proofs
}

// OrderAmount is how much is ordered.
type OrderAmount struct {
	Fen fund.Money // of this order; over 0
	// Day is what he ordered of the same product to be dealt on the same day (G01).
	Day   fund.Money
	DayOK bool // every such order and its amount are on record
	// Window is what he ordered, of whatever product, in the days of S15: split orders are one.
	Window   fund.Money
	WindowOK bool
}

// Wealth is what his means are measured by (S15, K04).
type Wealth struct {
	AUM    fund.Money // assets with the bank; 0: unknown
	Income fund.Money // a year; 0: unknown
}

// Stakes are what he has before the order of what the product stands for (K04), orders that
// are confirmed and not yet on file included. What has neither a value nor a cost on file
// counts nothing.
type Stakes struct {
	Portfolio fund.Money // of all that he holds; 0: nothing of a known value
	Fund      Stake
	Issuer    Stake
	Theme     Stake // of the product's themes the one of which he has most
}

// Stake is what he has of one fund, issuer or theme. Not OK: the product names none, and
// it is not counted.
type Stake struct {
	Value fund.Money
	OK    bool
}

// Dealing is when the order is dealt (G01).
type Dealing struct {
	On          fund.Date // 0: no open day was found
	AfterCutoff bool      // given at or after 15:00
	ClosedDay   bool      // given on a day without dealing
	Assumed     bool      // not every day between is on the calendar
}

// Later reports whether the order is not accepted for the day on which it is given.
func (d *Dealing) Later() bool { return d.AfterCutoff || d.ClosedDay }

// Proofs are what is on record of an order's steps.
type Proofs struct {
	RecordingID string // of the sound and picture of a branch sale (C04); empty: none
	// KeyFacts, Opinion and Fees: he was given, and opened, the key facts document of the
	// current version, the matching opinion, the fees (C05).
	KeyFacts, Opinion, Fees bool
	// Warned: the gate's findings ask for a confirmation. JudgeOrder adds the order's own.
	Warned bool
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

// OrderFinding is what one rule said about one order.
type OrderFinding struct {
	Finding
	Done bool // of a Step: what it asks for is on record
}

// orderPart is a small piece of a rule that speaks about one order. Its functions are pure.
type orderPart struct {
	reason   string
	outcomes Outcomes // of the rule; fixed for a part that says its own
	remedy   string   // code of what would make it silent; empty: none to name
	reads    []string // the parameters that it reads, by name
	hisOnly  bool     // silent on the firm's initiative
	speaks   func(q *orderQuestion) bool
	facts    func(q *orderQuestion) []Fact     // nil: none
	done     func(q *orderQuestion) bool       // of a step; nil: nothing shows it
	room     func(q *orderQuestion) fund.Money // the largest amount at which it is silent; nil: no amount cures it
}

// orderQuestion is one order before the rules.
type orderQuestion struct {
	*Order
	product *candidate
	facts   *Facts
}

// says makes the part speak its own outcome, not the rule's.
func (p orderPart) says(o Outcome) orderPart {
	p.outcomes = Outcomes{None, o, o}
	return p
}

// defaultOriginDays is how long an exposure counts where the pack does not say (rulebook:
// initiative is derived).
const defaultOriginDays = 30

// OrderTerms are the parameters of orders that other code reads.
type OrderTerms struct {
	OriginDays   int // an order so many days after an exposure is the firm's (K01)
	WindowDays   int // orders of so many days count together, the day of the order included (S15)
	ThinkHours   int // from S05's warning to the order
	CoolingHours int // from P01's warning to the order
}

// OrderTerms returns the parameters of orders of product i.
func (g *Gate) OrderTerms(i int) OrderTerms {
	e := g.orderEdition(i)
	t := OrderTerms{
		OriginDays: e.switching.OriginDays, WindowDays: e.means.WindowDays,
		ThinkHours: e.highRisk.ThinkHours, CoolingHours: e.qualified.CoolingHours,
	}
	if t.OriginDays == 0 {
		t.OriginDays = defaultOriginDays
	}
	return t
}

// OrderLimits are the amounts that the rules measure an order by; for texts.
type OrderLimits struct {
	Means                fund.Money // of all orders in the window; 0: his means are unknown
	Base                 fund.Money // what he has with the bank, the order not added; 0: unknown
	Fund, Issuer, Theme  int        // percent of Base
	QualifiedMinPurchase fund.Money
}

// OrderLimits returns what an order of product i is measured by.
func (g *Gate) OrderLimits(i int, f *Facts, o *Order) OrderLimits {
	e := g.orderEdition(i)
	q := orderQuestion{Order: o, product: &g.products[i], facts: f}
	l := OrderLimits{Means: e.means.limit(&o.Wealth), QualifiedMinPurchase: e.qualified.MinPurchase}
	l.Base, _ = q.base()
	c := &e.concentration
	l.Fund, l.Issuer, l.Theme = c.Product[f.Level], c.Issuer[f.Level], c.Theme[f.Level]
	return l
}
