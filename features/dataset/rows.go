package dataset

import "github.com/fundmatch/fundmatch/matcher/fund"

// A row of products.csv is a fund.Product; interactions.csv holds
// features.CustomerPurchase, events.csv features.Event, managers.csv features.Manager,
// branches.csv features.Branch and calendar.csv features.CalendarDay. The other files
// have rows of their own.

// NAVRow is one row of nav.csv.
type NAVRow struct {
	ProductCode string
	fund.NAV
	PurchaseStatus string // the publisher's words: 开放申购, 暂停申购
	RedeemStatus   string
}

// CustomerRow is one row of customers.csv.
type CustomerRow struct {
	CustomerID      string
	Person          fund.Person
	Level           CustomerLevel
	Needs           fund.StatedNeeds
	Personalization fund.Answer
	NoOpenChecks    bool             // open_checks is NONE: what was reported open is closed
	Attributes      []fund.Attribute // columns that the format does not know, by name
}

// CustomerLevel is what customers.csv says of a customer's risk level.
type CustomerLevel struct {
	Level      fund.RiskLevel // unknown: no level
	Source     LevelSource
	AssessedOn fund.Date
}

// IsAssessment reports whether the level is an assessment: it has a date, and nobody
// marked it as predicted. A level without a date proves nothing and counts as predicted.
func (l CustomerLevel) IsAssessment() bool {
	return l.Level != fund.LevelUnknown && l.AssessedOn != 0 && l.Source != LevelPredicted
}

// LevelSource says where a level comes from.
type LevelSource uint8

// The sources of a level.
const (
	LevelSourceUnknown LevelSource = iota
	LevelAssessed
	LevelPredicted
)

// String returns the code of the dataset format.
func (s LevelSource) String() string {
	switch s {
	case LevelAssessed:
		return "ASSESSED"
	case LevelPredicted:
		return "PREDICTED"
	default:
		return ""
	}
}

// AssessmentRow is one row of assessments.csv.
type AssessmentRow struct {
	CustomerID    string
	AssessedAt    fund.Instant
	Level         fund.RiskLevel
	Questionnaire string // version
	Channel       string
}

// ConsentRow is one row of consents.csv.
type ConsentRow struct {
	CustomerID string
	Purpose    string
	Granted    bool // false: refused or withdrawn
	EventAt    fund.Instant
	Channel    string
}

// TagRow is one row of tags.csv.
type TagRow struct {
	CustomerID  string
	Name, Value string
	EventAt     fund.Instant
	KnownAt     fund.Instant // 0: unknown, counts as EventAt
	ValidTo     fund.Instant // 0: open
	Source      string
	Purpose     string
}

// HoldingRow is one row of holdings.csv.
type HoldingRow struct {
	CustomerID string
	fund.Lot
}
