// Package decisiontable reads the decision table: the cases, in words of the compliance
// officer, that say of every rule when it speaks, when it just does not, and what it does
// where a fact is missing. The same cases are asked of the library and of the REST API, and
// printed as docs/decision-table.md. The package knows no rule: it turns the words of a case
// into the nouns of matcher/fund.
package decisiontable

import (
	"strings"
	"time"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// The kinds of cases. Every rule has each of them, or a written reason why it has none.
const (
	Fires   = "FIRES"   // the rule speaks
	Edge    = "EDGE"    // by a day, a fen, a basis point, an instant it does not, or just does
	Missing = "MISSING" // a fact is not there
)

// The situations of a question (Case.As).
const (
	Recommendation = "recommendation" // on the bank's own initiative
	FirmOrder      = "firm_order"     // an order that the bank brought up
	CustomerOrder  = "customer_order" // the customer's own
	Order          = "order"          // of whoever the trail of the case shows
)

// Case is one question and its answer: who asks for what, and what a rule says.
type Case struct {
	Kind     string
	About    string         `yaml:"case"`
	Set      map[string]any // parameters of the pack: RULE.parameter[.key]
	Customer Customer
	Product  Product
	At, As   string // At: RFC 3339
	Channel  string
	Licence  string // of the manager in charge: VALID, EXPIRED, ELSEWHERE or none
	Public   bool   // a list for everybody
	Settled  `yaml:",inline"`
	Ordered  `yaml:",inline"`
	Text     string // of a case about words
	Given    string // what a case about a duty of the program is about
	Answer   `yaml:",inline"`
}

// Settled is what was settled of a wish that the customer did not state.
type Settled struct {
	Goal    string `yaml:"settled_goal"`
	Horizon int32  `yaml:"settled_horizon"`
	Need    string `yaml:"settled_need"`
}

// Ordered is what a case about one order says beside customer and product.
type Ordered struct {
	Amount     Yuan
	Recording  string         // of sound and picture (C04)
	Confirmed  []Confirmation // by the customer or a reviewer
	Others     []Product      // further products of the pool
	ClosedDays []string       `yaml:"closed_days"` // days, or FROM..TO; with any, the calendar is known
}

// Confirmation is a word that the customer gave to a warning, or a reviewer's decision.
// What it does not say is as the order has it.
type Confirmation struct {
	Rule, Reason     string
	Asked, Confirmed string // RFC 3339
	Product          string // code, where another product was asked about
	Grade, Level     string // of then
	Amount           Yuan   // of then
	Used             bool   // another order spent it
	Branch           bool   // spoken in a branch
	Recording        string // of it
	Trace            string // of the signature; none: there is none
	Reviewer         string
}

// Answer is what is expected. What is empty is not looked at.
type Answer struct {
	// Says is the strongest outcome of the case's rule, Reason a reason that it gives.
	Says, Reason  string
	Facts, Remedy string
	By            map[string]string // what other rules say
	// Verdict is the strongest outcome of all rules; of an order ALLOW, CONFIRM or BLOCK.
	Verdict, Until string
	Information    bool
	Personal       *bool
	Assumed        string
	Step           string // DONE or OPEN: the step that the rule asks for under Reason
	Rejected       string // why a confirmation does not count
	Dealt          string // day on which the order is dealt
	Origin         string // what shows whose initiative it is
	Most           Yuan   // the largest amount
	Words          string // that a text rule points at
	Does           string // what the program does, in the words of the file
}

// Customer is a customer in the words of a case.
type Customer struct {
	Type, Level, Assessed, Predicted, Born, Capacity, Lowest string
	ProfessionalClass                                        string `yaml:"professional_class"`
	ProfessionalUntil                                        string `yaml:"professional_until"`
	ElectsOrdinary                                           string `yaml:"elects_ordinary"`
	Goals, Horizon, Need, Personalization                    string
	Segment                                                  string
	Qualified                                                string // the class of his proof
	QualifiedUntil                                           string `yaml:"qualified_until"`
	Pension                                                  string
	Checks                                                   []string
	Assets, Income                                           Yuan       // with the bank; a year
	History                                                  []Assessed // of assessments
	Said                                                     []Event    // his trail
	Lots                                                     []Lot
	Plan                                                     string // days on which he began an investment plan into the product, and renewed it
}

// Assessed is an earlier assessment.
type Assessed struct{ At, Level string }

// Event is one event of his trail.
type Event struct {
	Kind, At, Product, Until string
	About                    string // page, paper or matter
	Amount, Cost             Yuan
	Closed                   bool
	Times                    int
}

// Lot is what he holds of a product.
type Lot struct {
	Product, Since string
	Shares         int64
	Cost           Yuan
}

// Product is a product in the words of a case.
type Product struct {
	Launched, Subscription, Redemption string
	Service, Missing                   string
	MinPurchase                        string `yaml:"min_purchase"`
	DayLimit                           Yuan   `yaml:"day_limit"`
	Type, Grade, Status, Goals, Lockup string
	ShareClass                         string `yaml:"share_class"`
	Kind                               string `yaml:"product_kind"`
	IssuerGrade                        string `yaml:"issuer_grade"`
	DueDiligence                       string `yaml:"due_diligence"`
	PoolFrom                           string `yaml:"pool_from"`
	PoolTo                             string `yaml:"pool_to"`
	ClosedUntil                        string `yaml:"closed_until"`
	NextOpen                           string `yaml:"next_open"`
	Fund                               string // the code that its share classes have in common
	Sibling                            string // another share class in the pool
	Code, Issuer, Themes               string
	KeyFacts                           string `yaml:"key_facts"` // version of the document
	Management                         string // basis points a year
}

// Code is that of the product of a case that gives it none.
const Code = "000001"

// CustomerID is the customer's.
const CustomerID = "customer"

// The people of the bank in a case.
const (
	ManagerID  = "M1" // in charge of the customer
	BranchID   = "B1"
	ReviewerID = "M2"
)

// Yuan is an amount as people write it: 10000 or 10000.01. Empty: unknown.
type Yuan string

// Parts of a case in the nouns of matcher/fund. The errors name the value.

// Profile is the customer, without his trail: Events are its entries.
func (c *Case) Profile() (*fund.Profile, error) {
	var r reader
	p := c.Customer.profile(&r)
	for _, day := range strings.Fields(c.Customer.Plan) {
		p.Purchases = append(p.Purchases, fund.Purchase{
			ProductCode: c.Product.code(), KnownOn: of(&r, fund.ParseDate, day), Kind: fund.KindPlan, Amount: 50_000,
		})
	}
	return p, r.err
}

// Events are the entries of the customer's trail, in order.
func (c *Case) Events() ([]fund.Event, error) {
	var r reader
	return c.Customer.events(&r), r.err
}

// Origin is what happened before an order and shows whose it is: his own search for the
// product, or the bank's showing it. None where the case tells it itself.
func (c *Case) Origin() ([]fund.Event, error) {
	var r reader
	at := of(&r, fund.ParseInstant, c.At)
	for i := range c.Confirmed {
		at = min(at, of(&r, fund.ParseInstant, c.Confirmed[i].Asked))
	}
	e := fund.Event{Kind: fund.Exposure, At: at.Add(-time.Minute), ProductCode: c.Product.code()}
	switch c.As {
	case FirmOrder:
	case CustomerOrder:
		e.Kind, e.About = fund.Click, "SEARCH"
	default:
		return nil, r.err
	}
	return []fund.Event{e}, r.err
}

// Calendar says of the weeks around the question which days are open: working days but for
// those that the case closes. Empty: no calendar was loaded.
func (c *Case) Calendar() (map[fund.Date]bool, error) {
	if len(c.ClosedDays) == 0 {
		return nil, nil //nolint:nilnil // none was loaded
	}
	var r reader
	days := map[fund.Date]bool{}
	from := of(&r, fund.ParseInstant, c.At).Date().AddDays(-10)
	for i := range 100 {
		d := from.AddDays(i)
		days[d] = d.Weekday() != time.Saturday && d.Weekday() != time.Sunday
	}
	for _, closed := range c.ClosedDays {
		first, last, ranges := strings.Cut(closed, "..")
		if !ranges {
			last = first
		}
		end := of(&r, fund.ParseDate, last)
		for d := of(&r, fund.ParseDate, first); r.err == nil && d <= end; d = d.AddDays(1) {
			days[d] = false
		}
	}
	return days, r.err
}

// Products are the products of the pool; the first is the one asked about.
func (c *Case) Products() ([]fund.Product, error) {
	var r reader
	first := c.Product.product(&r)
	out := []fund.Product{first}
	if c.Product.Sibling != "" {
		out = append(out, fund.Product{Code: c.Product.Sibling, ParentCode: first.ParentCode})
	}
	for i := range c.Others {
		out = append(out, c.Others[i].product(&r))
	}
	return out, r.err
}
