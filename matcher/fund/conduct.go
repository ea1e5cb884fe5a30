package fund

import "strings"

// Conduct is what lots, purchases and the trail say about a customer as of an instant:
// the derived features. matcher/behaviour computes it. What cannot be known is not OK,
// unknown or zero, as each field says; nothing is guessed.
type Conduct struct {
	At          Instant
	Purchases   Activity // interactions BUY, and ORDER_CONFIRM of the trail where there are none
	Redemptions Activity // REDEEM, and interactions REDEEM of before the first of them
	Visits      Activity // CLICK and DETAIL_VIEW
	Contacts    Activity // CONTACT
	Portfolio   Portfolio
	Losses      Losses
	Habits      Habits
	Complaints  int32 // open ones
	// Refused is the newest refusal that names no product; zero: none.
	Refused   RefusalWord
	Positions []Position // by product code
	Journeys  []Journey  // by product code
	Doubts    []Doubt    // by product code, then code
}

// Activity is recency, frequency and money of one kind of act (RFM).
type Activity struct {
	Last      Date // 0: never
	Count     int32
	Count30   int32 // within the last 30 days, today included
	Count90   int32
	Count365  int32
	Amount    Money // of those whose amount is known
	Amount365 Money
}

// DaysSince returns the days from the last act to a day; -1: never.
func (a *Activity) DaysSince(day Date) int32 {
	if a.Last == 0 {
		return -1
	}
	return int32(day.DaysSince(a.Last))
}

// Measure is a ratio that may not be known.
type Measure struct {
	Value Ratio
	OK    bool
}

// Portfolio is what he holds, as one.
type Portfolio struct {
	Value       Money   // of the positions whose NAV is known
	Cost        Money   // of the positions whose cost is known
	Result      Measure // value over cost - 1, of positions with both
	Largest     Measure // largest fund's share of Value
	HHIFund     Measure // Herfindahl index of the shares, 1 = one fund only
	HHIIssuer   Measure
	HHITheme    Measure // a product of several themes counts under its first
	AboveLevel  Measure // share of Value in grades above the level; unknown without a level
	GradeGap    Measure // value-weighted mean grade minus level, in grades
	NewIssues   Measure // share of his purchases made within NewIssueDays of the launch
	HoldingDays int32   // mean age of the lots, weighted by shares value; -1: unknown
	Turnover    Measure // redeemed in 365 days over Value plus redeemed
}

// NewIssueDays is how long after its launch a purchase counts as one of a new issue.
const NewIssueDays = 180

// Losses is what losses he bore and how.
type Losses struct {
	Open         Money   // sum of the positions' losses, as a positive number
	Worst        Measure // result of the worst position, below 0
	WorstCode    string  // its product
	Realised     Money   // result of all REDEEM events with a known cost; may be negative
	RealisedOK   bool
	SoldAtLoss   int32   // REDEEM events with proceeds below cost
	Borne        Measure // deepest fall of a fund that he had from its peak on and did not sell in, below 0
	SoldInFall   int32   // falls of 10 % and more in which he redeemed the fund
	KeptInFall   int32   // falls that he sat out
	AddedInFall  int32   // falls in which he bought more
	SilentInFall int32   // falls after which his visits stopped for SilenceDays
}

// SilenceDays is how many days without a visit after a fall count as silence.
const SilenceDays = 60

// Habits are how he deals with the bank.
type Habits struct {
	Channel       string    // of most of his own acts; empty: unknown
	Churn         Band      // how likely he is leaving; managers only
	Postponements int32     // orders abandoned and doubts NOT_NOW in 365 days
	Page          string    // the page seen last
	MeanDwell     int32     // seconds on a product's page, last 90 days; 0: unknown
	Next          KeyNode   // likely next step, from the newest journey
	LastSeen      Date      // of any act of his own
	Season        [12]int32 // his purchases by month, January first
}

// Band says how likely something is; no figure until outcomes calibrate one.
type Band uint8

// The bands.
const (
	BandUnknown Band = iota
	Low
	Medium
	High
)

var bandNames = [...]string{"UNKNOWN", "LOW", "MEDIUM", "HIGH"}

// String returns the band's code.
func (b Band) String() string { return nameOf(bandNames[:], uint8(b)) }

// KeyNode is a station on the way to a purchase (关键节点).
type KeyNode uint8

// The key nodes in the order of the way.
const (
	NoNode KeyNode = iota
	Exposed
	Viewed
	Asked
	Started
	Abandoned
	Confirmed
	KeyNodes // the number of nodes
)

var nodeNames = [...]string{"", "EXPOSED", "VIEWED", "ASKED", "STARTED", "ABANDONED", "CONFIRMED"}

// String returns the node's code.
func (n KeyNode) String() string { return nameOf(nodeNames[:], uint8(n)) }

// Position is what he holds of one product.
type Position struct {
	ProductCode string
	Shares      Shares
	FirstOn     Date
	LastOn      Date
	Cost        Money
	CostOK      bool // the cost of every lot is known
	Value       Money
	ValueOK     bool    // the product's NAV is known
	ValuedOn    Date    // the day of that NAV; 0: unknown
	Result      Measure // value over cost - 1
	Share       Measure // of Portfolio.Value
}

// Journey is how far he went with one product: the newest instant at each node, 0: never.
type Journey struct {
	ProductCode string
	Node        KeyNode           // where he stands: the node reached last; an exposure moves nobody back
	Reached     [KeyNodes]Instant // by node
	Exposures   int32
	Abandons    int32
	Refused     RefusalWord // of this product; zero: none
}

// RefusalWord is the newest of his refusals, and the latest day that he named in any: a
// later word never shortens an earlier one (A06).
type RefusalWord struct {
	At     Instant
	Reason string
	Until  Date // 0: he never named one
}

// Doubt is an objection that he raised, or whose evidence he opened, about a product.
type Doubt struct {
	ProductCode string
	Code        string  // as the event names it; empty: not said
	Count       int32   // times raised
	Last        Instant // of them; 0: he only opened the evidence
	Until       Date    // NOT_NOW: the day he named last
	Opened      int32   // times that he opened the evidence about it
}

// Journey finds the journey of a product; nil: he never met it.
func (c *Conduct) Journey(productCode string) *Journey {
	i, ok := find(c.Journeys, productCode, func(j *Journey) string { return j.ProductCode })
	if !ok {
		return nil
	}
	return &c.Journeys[i]
}

// Position finds what he holds of a product; nil: nothing.
func (c *Conduct) Position(productCode string) *Position {
	i, ok := find(c.Positions, productCode, func(p *Position) string { return p.ProductCode })
	if !ok {
		return nil
	}
	return &c.Positions[i]
}

// DoubtsAbout returns the doubts that he raised about a product.
func (c *Conduct) DoubtsAbout(productCode string) []Doubt {
	i, _ := find(c.Doubts, productCode, func(d *Doubt) string { return d.ProductCode })
	j := i
	for j < len(c.Doubts) && c.Doubts[j].ProductCode == productCode {
		j++
	}
	return c.Doubts[i:j]
}

// find returns the first place of a key in a list ordered by it.
func find[T any](list []T, key string, of func(*T) string) (int, bool) {
	lo, hi := 0, len(list)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if strings.Compare(of(&list[mid]), key) < 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < len(list) && of(&list[lo]) == key
}
