package evaluation

import (
	"math"

	"github.com/fundmatch/fundmatch/matcher/evaluate/policy"
	"github.com/fundmatch/fundmatch/services/evaluation/experiments"
	"github.com/fundmatch/fundmatch/services/evaluation/gate"
)

// ReportSchema names the form of a Report.
const ReportSchema = "fundmatch.evaluation-report/v1"

// Report is all that one log says, in the order in which it is asked: is it safe, is it better, for whom, how sure is
// that, what did customers get, where do they drop out. A figure that is not known is null and never 0. The tag says
// becomes a description in the published JSON Schema.
type Report struct {
	Schema  string `json:"schema" says:"fundmatch.evaluation-report/v1"`
	Version string `json:"version" says:"of the program"`

	Conclusion Conclusion      `json:"conclusion" says:"what to do, in words"`
	Violations *int64          `json:"violations" says:"products shown that must not have been; must be 0; null: risk_level or risk_grade is not in the log"`
	Log        ReportLog       `json:"log" says:"what was read"`
	Conduct    ConductReport   `json:"conduct" says:"is it safe"`
	Policy     PolicyReport    `json:"policy" says:"is it better, by the log of another policy, and how sure is that; the document of evaluate policy"`
	Experiment ArmsReport      `json:"experiment" says:"is it better, by the arms that customers were in"`
	Segments   []SegmentReport `json:"segments" says:"for whom"`
	Forecasts  ForecastReport  `json:"forecasts" says:"how sure are the forecasts: what the probabilities of conversion were worth"`
	Money      MoneyReport     `json:"money" says:"what customers got"`
	Funnel     FunnelReport    `json:"funnel" says:"where people drop out"`
	Gates      []gate.Result   `json:"gates" says:"what had to hold; the first is built in where it can be judged"`
}

// PolicyReport is what the log says of another policy than the one that ran.
type PolicyReport struct {
	Verdict     policy.Verdict         `json:"verdict" says:"GIVEN, WITHHELD, or NOT_ASKED: the log has no target_propensity and no policy was given"`
	Config      *PolicyConfig          `json:"config"`
	Estimates   policy.Estimates       `json:"estimates"`
	Diagnostics *policy.Diagnostics    `json:"diagnostics"`
	Slates      *policy.SlateEstimates `json:"slates" says:"estimates of whole lists; null: not asked for"`
	Lists       *policy.ListMeasures   `json:"lists" says:"as they were logged"`
	Segments    []SegmentResult        `json:"segments"`
}

// Conclusion is what a reader takes away.
type Conclusion struct {
	Status   string `json:"status" says:"STOP: a gate failed; WITHHELD: nothing failed, and whether it is better cannot be said; CLEAR: nothing failed"`
	Headline string `json:"headline"`
	Points   []Told `json:"points"`
}

// The statuses of a conclusion.
const (
	StatusStop     = "STOP"
	StatusWithheld = "WITHHELD"
	StatusClear    = "CLEAR"
)

// Told is a sentence and how it is meant.
type Told struct {
	Tone string `json:"tone" says:"GOOD, BAD, UNSURE or PLAIN"`
	Text string `json:"text"`
}

// ReportLog says what was read.
type ReportLog struct {
	Rows      int64  `json:"rows" says:"products of lists"`
	Decisions int64  `json:"decisions" says:"lists"`
	Skipped   int64  `json:"skipped" says:"bad rows that were left out (--skip-bad)"`
	Censored  int64  `json:"censored" says:"rows whose reward is not known yet; they are in no estimate"`
	From      string `json:"from" says:"instant of the first decision"`
	To        string `json:"to" says:"instant of the last decision"`
	SHA256    string `json:"sha256" says:"of the rows in canonical form"`
	Reward    Mean   `json:"reward" says:"a row, as it was logged; its interval is by decision"`
	NDCG      Mean   `json:"ndcg10" says:"of the lists whose rewards are all known, rewards for gains; a list that earned nothing counts 0"`
}

// Mean is a mean with its standard error and normal 95 % interval.
type Mean struct {
	N      int64       `json:"n"`
	Value  *float64    `json:"value"`
	StdErr *float64    `json:"stderr"`
	CI95   *[2]float64 `json:"ci95"`
}

// normal95 is the 97.5 % point of the normal distribution.
const normal95 = 1.959963984540054

func (m *Mean) interval(value, stderr float64) {
	if half := float64(normal95 * stderr); !math.IsNaN(half) && !math.IsInf(half, 0) {
		m.StdErr, m.CI95 = &stderr, &[2]float64{value - half, value + half}
	}
}

// finite is a number that JSON has; nil: it is none.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// Share is how often the answer was yes, with its 95 % interval by decision.
type Share struct {
	Value   *float64    `json:"value" says:"yes / known"`
	CI95    *[2]float64 `json:"ci95" says:"Wilson's at the effective number of rows"`
	Yes     int64       `json:"yes"`
	Known   int64       `json:"known"`
	Unknown int64       `json:"unknown" says:"not known yet, or not asked: in neither"`
}

// ConductReport is what a regulator asks.
type ConductReport struct {
	Needs  []string         `json:"needs" says:"columns that the log lacks; what needs them is null"`
	Shown  ConductFigures   `json:"shown" says:"over all rows"`
	Bought ConductFigures   `json:"bought" says:"over rows whose order was confirmed"`
	First  []NamedViolation `json:"first_violations" says:"the first in the order of the log, at most 10"`
}

// ConductFigures are those of one scope.
type ConductFigures struct {
	Rows         int64          `json:"rows"`
	Unknown      int64          `json:"unknown" says:"rows of which it is not known whether they belong here"`
	Violations   *Share         `json:"violations" says:"grade above the level, without a level above R1, or without a grade"`
	AboveLevel   *int64         `json:"above_level" says:"of these: the grade is above the level"`
	UnknownLevel *int64         `json:"unknown_level" says:"of these: no level, and a grade above R1"`
	Ungraded     *int64         `json:"ungraded" says:"of these: no grade"`
	NewIssues    *Share         `json:"new_issues" says:"in their subscription period"`
	NoBenefit    *Share         `json:"switches_without_benefit" says:"of the switches: the net benefit is not above 0"`
	Redeemed7    *Share         `json:"redeemed_7d"`
	Redeemed30   *Share         `json:"redeemed_30d"`
	Redeemed90   *Share         `json:"redeemed_90d"`
	Complaints   *Share         `json:"complaints"`
	Products     Concentration  `json:"products"`
	Issuers      *Concentration `json:"issuers"`
}

// NamedViolation is one row that must not be.
type NamedViolation struct {
	DecisionID string `json:"decision_id"`
	Position   int32  `json:"position"`
	Product    string `json:"product_code"`
	RiskLevel  string `json:"risk_level"`
	RiskGrade  string `json:"risk_grade"`
	Kind       string `json:"kind" says:"ABOVE_LEVEL, UNKNOWN_LEVEL or UNGRADED"`
}

// Concentration is how much goes to few.
type Concentration struct {
	Rows      int64       `json:"rows" says:"whose code is known"`
	Unknown   int64       `json:"unknown"`
	Codes     *int64      `json:"codes" says:"different ones; null: more than 65,536, they are not told apart"`
	HHI       *float64    `json:"hhi" says:"Herfindahl-Hirschman: 1 is all of one, 1/codes the same of each"`
	Effective *float64    `json:"effective" says:"1/hhi: as many of the same size would be as concentrated"`
	Largest   []CodeShare `json:"largest" says:"the five with the most rows"`
}

// CodeShare is one code of a concentration.
type CodeShare struct {
	Code  string  `json:"code"`
	Rows  int64   `json:"rows"`
	Share float64 `json:"share"`
}

// ArmsReport are the experiments of the log.
type ArmsReport struct {
	Needs       []string           `json:"needs" says:"columns that the log lacks"`
	Experiments []ExperimentReport `json:"experiments" says:"by name"`
}

// ExperimentReport is one experiment.
type ExperimentReport struct {
	Name        string              `json:"name"`
	Verdict     experiments.Verdict `json:"verdict"`
	Control     string              `json:"control" says:"the arm that others are compared with: the first of --arm, or control, or else the first by name"`
	Planned     bool                `json:"shares_planned" says:"the arms' shares were given (--arm); else they are taken for equal"`
	Mixed       int64               `json:"mixed_customers" says:"seen in several arms: left out"`
	Sampled     bool                `json:"sampled" says:"more than 32,768 customers: figures are of those with the smallest hashes"`
	Ratio       *RatioReport        `json:"sample_ratio" says:"chi-square of customers against the planned shares"`
	Arms        []ArmReport         `json:"arms"`
	Comparisons []ArmComparison     `json:"comparisons"`
}

// RatioReport is the test for a sample-ratio mismatch.
type RatioReport struct {
	Chi2     *float64 `json:"chi2"`
	DF       int      `json:"df"`
	P        *float64 `json:"p"`
	Mismatch bool     `json:"mismatch" says:"p below .001: what the experiment says is not to be believed"`
}

// ArmReport is one arm.
type ArmReport struct {
	Arm       string   `json:"arm"`
	Customers int64    `json:"customers"`
	Decisions int64    `json:"decisions"`
	Censored  int64    `json:"censored" says:"rows whose reward is not known yet"`
	Known     int64    `json:"known" says:"customers with any reward that is known"`
	Reward    *float64 `json:"reward" says:"mean a customer: the sum of his rows"`
	SD        *float64 `json:"sd"`
}

// ArmComparison is an arm beside the control.
type ArmComparison struct {
	Arm        string      `json:"arm"`
	Difference *float64    `json:"difference" says:"of rewards a customer"`
	CI95       *[2]float64 `json:"ci95" says:"Welch: for one look"`
	P          *float64    `json:"p" says:"Welch, two-sided"`
	PHolm      *float64    `json:"p_holm" says:"adjusted for the number of arms"`
	AlwaysCI95 *[2]float64 `json:"always_ci95" says:"holds at every look (arXiv 2103.06476)"`
	Relative   *float64    `json:"relative" says:"to the control's mean"`
	RelCI95    *[2]float64 `json:"relative_ci95" says:"delta method"`
}

// SegmentReport is one value of a column.
type SegmentReport struct {
	Name       string `json:"name" says:"column:value"`
	Column     string `json:"column"`
	Value      string `json:"value" says:"empty: not known"`
	Rows       int64  `json:"rows"`
	Decisions  int64  `json:"decisions"`
	Censored   int64  `json:"censored"`
	Violations *int64 `json:"violations"`
	Reward     Mean   `json:"reward"`
	NDCG       Mean   `json:"ndcg10"`
	ROI90      Mean   `json:"roi10_90d" says:"return of the first ten of a list"`
	ROI180     Mean   `json:"roi10_180d"`
	ROI365     Mean   `json:"roi10_365d"`
}

// MoneyReport is what customers got.
type MoneyReport struct {
	Needs    []string        `json:"needs" says:"columns that the log lacks"`
	Horizons []HorizonReport `json:"horizons"`
	Held     HeldReport      `json:"held"`
}

// HorizonReport is what came of lists over so many days.
type HorizonReport struct {
	Days         int          `json:"days"`
	ROI          *Mean        `json:"roi10" says:"return of the first ten of a list, after fees: .05 is 5 %"`
	Censored     *int64       `json:"roi10_censored" says:"lists of which one of these returns is not known"`
	Monthly      *float64     `json:"roi10_monthly" says:"products' (1+r)^(30/days) - 1"`
	Fell         *CountReport `json:"fell" says:"rows whose product lost"`
	MeanLoss     *float64     `json:"mean_loss" says:"mean return of those that lost"`
	InProfit     *CountReport `json:"customers_in_profit" says:"of those who bought"`
	Sampled      bool         `json:"customers_sampled"`
	BreachShown  *Share       `json:"breach_shown" says:"fell beyond what the customer can bear, of all rows"`
	BreachBought *Share       `json:"breach_bought" says:"the same of rows that were bought"`
}

// CountReport is a part of what is known, without an interval.
type CountReport struct {
	Value *float64 `json:"value"`
	Yes   int64    `json:"yes"`
	Known int64    `json:"known"`
}

// HeldReport is how long what was sold again had been held.
type HeldReport struct {
	Sold int64     `json:"sold"`
	Days *float64  `json:"mean_days"`
	Bins []HeldBin `json:"bins"`
}

// HeldBin counts holdings of at least From and less than To days.
type HeldBin struct {
	From float64  `json:"from"`
	To   *float64 `json:"to" says:"null: any"`
	N    int64    `json:"n"`
}

// FunnelReport is where people drop out.
type FunnelReport struct {
	Needs      []string          `json:"needs" says:"columns that the log lacks"`
	Steps      []StepReport      `json:"steps" says:"listed, exposed, viewed (接), started, confirmed (发)"`
	Abandoned  *Share            `json:"abandoned" says:"of the orders started"`
	NoDoubt    *Share            `json:"started_without_objection" says:"of the rows viewed without an objection: an order was started"`
	Any        *ObjectionReport  `json:"any_objection" says:"化: rows with any objection"`
	Objections []ObjectionReport `json:"objections" says:"化: one by one"`
	TooMany    bool              `json:"too_many_objections" says:"more than 256 codes: they are not told apart"`
}

// StepReport is one step.
type StepReport struct {
	Code    string   `json:"code" says:"LISTED, EXPOSED, VIEWED, STARTED or CONFIRMED"`
	Reached *int64   `json:"reached" says:"rows"`
	WentOn  *Share   `json:"went_on" says:"of those that reached the step before"`
	DropOff *float64 `json:"drop_off" says:"1 - went_on"`
	Entered *int64   `json:"entered" says:"rows that reached it though they are not known to have reached the step before"`
}

// ObjectionReport is one objection.
type ObjectionReport struct {
	Code             string      `json:"code"`
	Foreseen         *int64      `json:"foreseen" says:"rows"`
	Raised           *int64      `json:"raised" says:"rows"`
	Both             *int64      `json:"foreseen_and_raised"`
	Answered         *Share      `json:"answered" says:"of the rows where it was raised: he opened evidence"`
	WentOnAnswered   *Share      `json:"went_on_answered" says:"an order was started, of those answered"`
	WentOnUnanswered *Share      `json:"went_on_unanswered"`
	Difference       *float64    `json:"difference" says:"answered less unanswered: who looks differs from who does not, so this is no effect"`
	CI95             *[2]float64 `json:"difference_ci95" says:"Newcombe"`
}
