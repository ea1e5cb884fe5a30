package fund

import (
	"fmt"
	"strings"
)

// Product is one sellable share class as head office's pool describes it. Optional
// facts that the bank did not give are named in Missing: a zero is never a guess.
type Product struct {
	Code       string
	Name       string
	Type       string // the trade's own words: 混合型-偏股, MTF/Bond
	ShareClass string // A, C, Y, ...; empty when the fund has one class
	ParentCode string // the code that all classes of one fund share; empty: its own
	Parties    Parties
	Grades     Grades
	Listing    Listing
	Terms      Terms
	Fees       FeeSchedule
	Content    Content
	Missing    FieldSet
}

// Parties are who stands behind a product.
type Parties struct {
	Issuer       string
	ManagerName  string
	ManagerSince Date
	Size         Money // net assets; 0 unknown
}

// Grades are the two opinions of a product's risk.
type Grades struct {
	Bank   RiskGrade
	Issuer RiskGrade
}

// Effective is the higher of the two grades (rule S10), unknown when the bank has none.
func (g Grades) Effective() RiskGrade {
	if g.Bank == GradeUnknown {
		return GradeUnknown
	}
	return max(g.Bank, g.Issuer)
}

// Listing is a product's place in head office's pool.
type Listing struct {
	Kind            Kind
	Status          Status
	PoolFrom        Date // [PoolFrom, PoolTo); unknown: unbounded
	PoolTo          Date
	DueDiligenceID  string
	KeyFactsVersion string
}

// Terms are the conditions of trading.
type Terms struct {
	LaunchedOn  Date
	ClosedUntil Date // no orders before this day
	NextOpenOn  Date
	MinPurchase Money
	DayLimit    Money // 0: none
	LockupDays  int32
}

// Content is what a product is for and about.
type Content struct {
	Goals      GoalSet
	Themes     []string
	Benchmark  string
	Attributes []Attribute // columns that the dataset format does not know, by name
}

// Attribute is one named fact without a meaning of its own to the matcher.
type Attribute struct{ Name, Value string }

// FundCode returns the code that all share classes of the fund have in common.
func (p *Product) FundCode() string {
	if p.ParentCode != "" {
		return p.ParentCode
	}
	return p.Code
}

// Kind says under which rules a product is sold.
type Kind uint8

// The kinds. KindUnknown is treated as a public fund without entry conditions and
// reported as ASSUMED.
const (
	KindUnknown Kind = iota
	PublicFund
	OwnProduct       // the bank's own wealth management product
	PrivateFund      // directly sold private fund: never admitted (C02)
	Trust            // entry conditions (P01)
	AssetManagement  // entry conditions (P01)
	PensionFund      // Y shares: only in a pension account (P03)
	InsuranceProduct // sold under rules of its own; entry conditions
)

var kindNames = [...]string{"", "PUBLIC_FUND", "OWN", "PRIVATE", "TRUST", "ASSET_MANAGEMENT", "PENSION", "INSURANCE"}

// String returns the code of the dataset format.
func (k Kind) String() string { return nameOf(kindNames[:], uint8(k)) }

// ParseKind reads a code of the dataset format. The empty text is unknown.
func ParseKind(s string) (Kind, error) {
	n, err := parseName(kindNames[:], s, "kind")
	return Kind(n), err
}

// HasEntryConditions reports whether the kind may only be sold to investors who have
// shown that they qualify (rules S07, P01, P02).
func (k Kind) HasEntryConditions() bool {
	return k == PrivateFund || k == Trust || k == AssetManagement || k == InsuranceProduct
}

// Status says what may be done with a product.
type Status uint8

// The states of a product. StatusUnknown blocks.
const (
	StatusUnknown Status = iota
	Subscription         // being launched: 认购
	Open
	Limited
	Closed
	Suspended
)

var statusNames = [...]string{"", "SUBSCRIPTION", "OPEN", "LIMITED", "CLOSED", "SUSPENDED"}

// String returns the code of the dataset format.
func (s Status) String() string { return nameOf(statusNames[:], uint8(s)) }

// ParseStatus reads a code of the dataset format. The empty text is unknown.
func ParseStatus(s string) (Status, error) {
	n, err := parseName(statusNames[:], s, "status")
	return Status(n), err
}

// Field names an optional fact of a product.
type Field uint8

// The optional facts whose absence changes an answer.
const (
	FieldKind Field = iota
	FieldIssuer
	FieldIssuerGrade
	FieldPoolPeriod
	FieldMinPurchase
	FieldDayLimit
	FieldLockup
	FieldNextOpen
	FieldSubscriptionLadder
	FieldRedemptionLadder
	FieldManagementFee
	FieldServiceFee
	FieldLaunchedOn
	FieldManager
	FieldThemes
	FieldGoals
	fieldCount
)

var fieldNames = [...]string{
	"kind", "issuer", "issuer_risk_grade", "pool_period", "min_purchase_fen", "day_limit_fen", "lockup_days",
	"next_open_on", "subscription_ladder", "redemption_ladder", "management_bps", "service_bps", "launched_on",
	"manager_name", "themes", "goals",
}

// String returns the column of the dataset format.
func (f Field) String() string { return nameOf(fieldNames[:], uint8(f)) }

// FieldSet is a set of optional facts.
type FieldSet uint32

// With returns the set with f in it.
func (s FieldSet) With(f Field) FieldSet { return s | 1<<f }

// Has reports whether f is in the set.
func (s FieldSet) Has(f Field) bool { return s&(1<<f) != 0 }

// Fields lists the set in column order.
func (s FieldSet) Fields() []Field {
	var out []Field
	for f := range fieldCount {
		if s.Has(f) {
			out = append(out, f)
		}
	}
	return out
}

// Class is what a product is made of: it decides which hopes it can serve, over how
// long, and which products it is compared with.
type Class uint8

// The classes, by rising risk.
const (
	ClassUnknown Class = iota
	MoneyMarket
	ShortBond
	Bond
	MixedBond
	Balanced
	FundOfFunds
	Equity
	Index
	OverseasFund // QDII
	RealEstate   // REIT
	Commodity
	SingleStock
	classCount
)

var classNames = [...]string{
	"UNKNOWN", "MONEY_MARKET", "SHORT_BOND", "BOND", "MIXED_BOND", "BALANCED", "FUND_OF_FUNDS", "EQUITY", "INDEX",
	"QDII", "REIT", "COMMODITY", "STOCK",
}

// Classes is the number of classes, ClassUnknown included.
const Classes = int(classCount)

// String returns the class's code.
func (c Class) String() string { return nameOf(classNames[:], uint8(c)) }

// classWords maps the trade's words to a class; the first that occurs decides, so that
// the more exact word stands before the more general one.
var classWords = [...]struct {
	word  string
	class Class
}{
	{"货币", MoneyMarket},
	{"money market", MoneyMarket},
	{"理财型", ShortBond},
	{"qdii）", Commodity},
	{"商品", Commodity},
	{"commodity", Commodity},
	{"qdii", OverseasFund},
	{"reit", RealEstate},
	{"fof", FundOfFunds},
	{"中短债", ShortBond},
	{"短债", ShortBond},
	{"混合债", MixedBond},
	{"可转债", MixedBond},
	{"偏债", MixedBond},
	{"债", Bond},
	{"bond", Bond},
	{"绝对收益", Balanced},
	{"平衡", Balanced},
	{"balanced", Balanced},
	{"灵活", Balanced},
	{"指数", Index},
	{"index", Index},
	{"股票", Equity},
	{"偏股", Equity},
	{"混合", Balanced},
	{"equity", Equity},
	{"stock", SingleStock},
}

// Class reads the product's class from its type. A type that it cannot place is
// ClassUnknown: it fits no goal, and comparisons leave it out.
func (p *Product) Class() Class {
	t := strings.ToLower(p.Type)
	for _, w := range classWords {
		if strings.Contains(t, w.word) {
			return w.class
		}
	}
	return ClassUnknown
}

func nameOf(names []string, n uint8) string {
	if int(n) < len(names) {
		return names[n]
	}
	return fmt.Sprintf("%d", n)
}

func parseName(names []string, s, what string) (uint8, error) {
	for i, name := range names {
		if name == s {
			return uint8(i), nil
		}
	}
	return 0, fmt.Errorf("%w: %s %q, expected one of %s", ErrInvalid, what, s, strings.Join(names[1:], " "))
}
