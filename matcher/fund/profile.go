package fund

import (
	"fmt"
	"iter"
	"slices"
	"strings"
)

// Profile is what is known of one customer: the head that one read brings. Validity
// is evaluated by whoever reads it, at the instant he asks about.
type Profile struct {
	CustomerID      string
	Revision        uint64 // the store's change sequence of the newest fact in it
	Person          Person
	Assessment      Assessment // the latest assessment proper; a predicted level is no assessment
	Assessments     []Assessed // the newest assessments, oldest first, at most MaxAssessed (S13)
	PredictedLevel  RiskLevel
	Needs           StatedNeeds
	Personalization Answer     // No: the customer switched personalisation off
	Tags            []Tag      // by name
	Lots            []Lot      // by product, day, account
	Purchases       []Purchase // by product, day, kind
	Attributes      []Attribute
	Consents        []Consent // by purpose
	Features        []Feature // of the bank's own views, by view and name
	Trail           Trail
}

// Person are the slow facts of a customer.
type Person struct {
	InvestorType  InvestorType
	Professional  Professional
	BirthDate     Date
	Capacity      Capacity
	IsLowestClass Answer
	Industry      string
	Segment       string
	BranchID      string
	ManagerID     string
	AUM           Money // 0 unknown
	Income        Money // a year; 0 unknown
	Qualified     Qualified
	Pension       Answer // has a pension account (P03)
	OpenChecks    Checks // reported open; none reported: none (C07)
}

// Qualified is the proof that he qualifies for products with entry conditions (S07, P01).
type Qualified struct {
	Class string // what was shown: ASSETS, INCOME, ...; empty: no proof
	Until Date   // the proof holds before this day; unknown: no proof
}

// Checks are the duties of a bank towards a customer that may stand open (C07).
type Checks uint8

// The checks.
const (
	CheckKYC Checks = 1 << iota // know your customer
	CheckAML                    // anti money laundering

	allChecks = CheckKYC | CheckAML
)

// checkNames are the checks' codes, the lowest bit first.
var checkNames = [...]string{"KYC", "AML"}

// String returns the codes of the dataset format, separated by spaces; empty: none.
func (c Checks) String() string {
	out := make([]string, 0, len(checkNames))
	for i, name := range checkNames {
		if c&(1<<i) != 0 {
			out = append(out, name)
		}
	}
	return strings.Join(out, " ")
}

// ParseChecks reads codes separated by single spaces, each at most once, in any order.
// The empty text is none.
func ParseChecks(s string) (Checks, error) {
	var c Checks
	if s == "" {
		return c, nil
	}
	for word := range strings.SplitSeq(s, " ") {
		i := slices.Index(checkNames[:], word)
		if i < 0 {
			return 0, fmt.Errorf("%w: check %.80q, expected %s", ErrInvalid, word, strings.Join(checkNames[:], " "))
		}
		if c&(1<<i) != 0 {
			return 0, fmt.Errorf("%w: check %q twice, expected each once", ErrInvalid, word)
		}
		c |= 1 << i
	}
	return c, nil
}

// Professional is the documented standing of a professional investor (rule S14).
type Professional struct {
	Class          string
	Until          Date // unknown: no proof on file
	ElectsOrdinary Answer
}

// Assessment is one risk assessment. The zero value is none.
type Assessment struct {
	Level         RiskLevel
	On            Date // the day it holds from, 00:00 Asia/Shanghai
	At            Instant
	Questionnaire string
	Channel       string
}

// AssessmentMonths is how long an assessment holds at most, in calendar months (S12).
const AssessmentMonths = 12

// Validity returns when the assessed level holds: from its day, 00:00 in Asia/Shanghai, to the
// same date a year on (of 29 February: to 1 March). false: there is none, or its day is
// unknown, so that it cannot be shown to hold.
func (a *Assessment) Validity() (from, to Instant, ok bool) {
	if a.Level == LevelUnknown || a.On == 0 {
		return 0, 0, false
	}
	return a.On.Start(), a.On.AddMonths(AssessmentMonths).Start(), true
}

// Assessed is one entry of the history of assessments (S13).
type Assessed struct {
	At    Instant // of the assessment; a bank that knows days only: the day's start
	Level RiskLevel
}

// MaxAssessed bounds Profile.Assessments: above the most that S13's parameters count.
const MaxAssessed = 32

// StatedNeeds are what the customer said that he wants.
type StatedNeeds struct {
	Goals         []Goal // in the order he named them
	HorizonMonths int32  // 0 unknown
	Liquidity     Need
}

// MaxHorizonMonths is the longest horizon that may be stated: fifty years.
const MaxHorizonMonths = 600

// Tag is a named value about a customer, valid in [From, To).
type Tag struct {
	Name, Value string
	From        Instant // 0: always
	To          Instant // Forever: open
	Source      string
	Purpose     string
}

// Feature is the newest cell of a feature of one of the bank's own views. A removed one
// stays with the instant of its removal and no value: it was there once, and is no more.
type Feature struct {
	View, Name string
	Value      string  // canonical JSON; "null": written as unknown; empty: removed
	From       Instant // 0: always
	To         Instant // Forever: open
	Source     string
	Purpose    string
}

// MaxFeatures bounds Profile.Features.
const MaxFeatures = 512

// Lot is a number of shares bought on one day.
type Lot struct {
	ProductCode string
	Shares      Shares
	AcquiredOn  Date
	Cost        Money // 0 unknown
	Account     string
	BatchID     string
}

// Purchase is one dated interaction of a customer with a product.
type Purchase struct {
	ProductCode string
	KnownOn     Date
	Kind        string // BUY, ...
	Amount      Money  // 0 unknown
}

// Owns reports whether the purchase puts the product into the customer's hands.
func (p Purchase) Owns() bool { return p.Kind == "BUY" }

// InvestorType is the regulator's class of a customer.
type InvestorType uint8

// The investor types. An unknown type is treated as ordinary.
const (
	InvestorUnknown InvestorType = iota
	Ordinary
	ProfessionalInvestor
)

var investorNames = [...]string{"", "ORDINARY", "PROFESSIONAL"}

// String returns the code of the dataset format.
func (t InvestorType) String() string { return nameOf(investorNames[:], uint8(t)) }

// ParseInvestorType reads ORDINARY or PROFESSIONAL. The empty text is unknown.
func ParseInvestorType(s string) (InvestorType, error) {
	n, err := parseName(investorNames[:], s, "investor type")
	return InvestorType(n), err
}

// Capacity is a person's capacity for civil conduct.
type Capacity uint8

// The capacities.
const (
	CapacityUnknown Capacity = iota
	FullCapacity
	LimitedCapacity
	NoCapacity
)

var capacityNames = [...]string{"", "FULL", "LIMITED", "NONE"}

// String returns the code of the dataset format.
func (c Capacity) String() string { return nameOf(capacityNames[:], uint8(c)) }

// ParseCapacity reads FULL, LIMITED or NONE. The empty text is unknown.
func ParseCapacity(s string) (Capacity, error) {
	n, err := parseName(capacityNames[:], s, "capacity")
	return Capacity(n), err
}

// Tag returns the tag of a name that is valid at an instant.
func (p *Profile) Tag(name string, at Instant) (Tag, bool) {
	i, ok := slices.BinarySearchFunc(p.Tags, name, func(t Tag, n string) int { return strings.Compare(t.Name, n) })
	if !ok || at < p.Tags[i].From || at >= p.Tags[i].To {
		return Tag{}, false
	}
	return p.Tags[i], true
}

// Held yields the codes of the products that the customer has, some more than once: those
// of lots with shares. Where no lots are known at all, what he bought and did nothing with
// since counts as held.
func (p *Profile) Held() iter.Seq[string] {
	return func(yield func(productCode string) bool) {
		for i := range p.Lots {
			if p.Lots[i].Shares > 0 && !yield(p.Lots[i].ProductCode) {
				return
			}
		}
		if len(p.Lots) > 0 {
			return
		}
		// They are ordered by product, day and kind: the last entry of a product tells. What
		// is about a plan says nothing of what he has.
		last := -1
		for i := range p.Purchases {
			b := &p.Purchases[i]
			if b.isPlan() {
				continue
			}
			if last >= 0 && p.Purchases[last].ProductCode != b.ProductCode && !p.yieldOwned(last, yield) {
				return
			}
			last = i
		}
		if last >= 0 {
			p.yieldOwned(last, yield)
		}
	}
}

// yieldOwned yields a purchase's product if that put it into his hands.
func (p *Profile) yieldOwned(i int, yield func(string) bool) bool {
	return !p.Purchases[i].Owns() || yield(p.Purchases[i].ProductCode)
}

// AgeOn returns the full years of age on a day; the second result is false when the
// birth date is unknown or later than the day. Born on 29 February: a year older on
// 1 March of common years (民法典 201, 259).
func (p *Person) AgeOn(day Date) (int, bool) {
	if p.BirthDate == 0 || p.BirthDate > day {
		return 0, false
	}
	age := day.Year() - p.BirthDate.Year()
	if p.BirthDate.AddMonths(age*12) > day {
		age--
	}
	return age, true
}

// Limits of identifiers and lists in a profile.
const (
	MaxIDLength   = 64
	MaxTextLength = 256
	MaxTags       = 512
	MaxAttributes = 64
	MaxLots       = 10_000
	MaxPurchases  = 100_000
)

// CheckID reports whether s may identify a customer, a product, a manager or a branch:
// [0-9A-Za-z][0-9A-Za-z._-]{0,63}.
func CheckID(s string) error {
	ok := len(s) >= 1 && len(s) <= MaxIDLength
	for i := 0; ok && i < len(s); i++ {
		c := s[i]
		alnum := c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
		ok = alnum || i > 0 && (c == '.' || c == '_' || c == '-')
	}
	if ok {
		return nil
	}
	if len(s) > 80 {
		s = s[:80] + "..."
	}
	return fmt.Errorf("%w: id %q, expected 1 to %d of 0-9 A-Z a-z . _ - that begin with a letter or digit", ErrInvalid, s, MaxIDLength)
}
