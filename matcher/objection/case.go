package objection

import "github.com/fundmatch/fundmatch/matcher/fund"

// Case is one product before one customer.
type Case struct {
	Subject
	Quote    Quote
	Customer Customer
	Barred   bool // it may not be offered to him: no answer speaks of buying it
}

// Subject is a product as the pool and its NAVs describe it as of a day.
type Subject struct {
	Product  *fund.Product     // never nil
	Record   *fund.TrackRecord // never nil; the zero record: none
	Grade    fund.RiskGrade    // the one that rules go by (S10)
	Class    fund.Class
	NewIssue bool
	Day      fund.Date
	Limits   *Limits   // never nil
	Managed  []Managed // all comparable funds of its manager in the pool, itself included, one share class a fund, by code; empty: not known
	Peer     *Peer     // existing fund beside a new issue; nil: none
}

// Managed is one fund of a manager's.
type Managed struct {
	Code, Name string
	Record     *fund.TrackRecord // never nil
}

// Peer is an existing fund beside a new issue.
type Peer struct {
	Name   string
	Record *fund.TrackRecord // nil: not known
}

// Quote is the amount that an answer speaks of and what it costs.
type Quote struct {
	Months    int32      // that the costs are computed for
	Amount    fund.Money // that costs and losses are computed for
	Asked     bool       // Amount is a suggestion for him, not the model's reference
	A, C, Own ClassCost  // of the fund's classes on offer, and of the product itself
}

// ClassCost is the cost of one share class; not OK when it is not on offer or its fees
// are unknown.
type ClassCost struct {
	fund.Cost
	OK bool
}

// Customer is who is asked for. Nothing but Refused is read unless Personal.
type Customer struct {
	Person
	Personal bool          // personal facts may be read
	At       fund.Instant  // the instant asked about
	Refused  bool          // a refusal of this product, or of all, is in force: nothing follows it
	Conduct  *fund.Conduct // nil: not known
	Journey  *fund.Journey // with this product; nil: he never met it
	Doubts   []fund.Doubt  // that he raised about this product
	Held     []Held        // everything he holds that is in the pool
}

// Person is what a customer's profile says.
type Person struct {
	Level          fund.RiskLevel
	Goal           fund.Goal
	Need           fund.Need
	HorizonMonths  int32 // 0: unknown
	Elder          bool
	Company        bool
	Tags           []fund.Tag     // by name
	Words          []fund.Consent // his words on the purposes that tags are kept for
	OptedOut       bool           // he refused marketing calls or pushes lately
	ManagerChanged bool           // his relationship manager changed lately
}

// Held is what he holds of one product in the pool.
type Held struct {
	Product  *fund.Product // never nil
	Class    fund.Class
	Position *fund.Position    // nil: only that he holds it is known
	Record   *fund.TrackRecord // nil: not known
}

// Limits are the settings of the stage. The model file carries StaleDays, ClosureLine,
// LossRatio, TenureMonths and ManagerFunds.
type Limits struct {
	StaleDays     int32            // an older record is shown with its date and resolves nothing
	ClosureLine   fund.Money       // net assets below which a fund may be wound up
	SizeNear      fund.Money       // net assets that are near that line
	LossRatio     fund.Ratio       // a position this far below cost is a loss that he feels; positive
	DeepFall      fund.Ratio       // a fall this deep raises a doubt by itself; positive
	Spread        fund.Ratio       // results of 12 months this far apart (P90 - P10) make the entry day matter
	TenureMonths  int32            // a manager in office for less is new
	ManagerFunds  int32            // a manager of more funds than these has many
	DearRunning   fund.BasisPoints // management, custody and service fee a year that make a product dear
	ShortDwell    int32            // seconds on a product's page below which it was not read
	Looks         int32            // exposures after a view, without an order, that make a watcher
	Postponements int32            // in a year that make NOT_NOW
}

// DefaultLimits are the settings that fundmatch ships with. The closure line is that of
// 公开募集证券投资基金运作管理办法 41: net assets of less than 50 million yuan for 60
// working days must be reported with a plan to merge or wind up. The others were set by
// judgement; outcomes will move them.
func DefaultLimits() Limits {
	return Limits{
		StaleDays: 30, ClosureLine: 5_000_000_000, SizeNear: 10_000_000_000, LossRatio: 100_000, DeepFall: 200_000, Spread: 300_000,
		TenureMonths: 12, ManagerFunds: 8, DearRunning: 175, ShortDwell: 15, Looks: 3, Postponements: 2,
	}
}
