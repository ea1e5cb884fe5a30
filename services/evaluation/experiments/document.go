package experiments

import (
	"encoding/json"
	"math"
	"strconv"

	"github.com/fundmatch/fundmatch/services/evaluation/gate"
)

// Schema names the form of a Document.
const Schema = "fundmatch.experiment-evaluation/v1"

// Document is what an experiment showed. The same rows in the same order and the same settings give the same bytes,
// whatever the format. Whoever judges gates fills them in.
type Document struct {
	Schema      string         `json:"schema"`
	Rows        int64          `json:"rows"`  // read, bad ones too
	Input       *Input         `json:"input"` // null where rows did not come from a file
	Config      Settings       `json:"config"`
	Skipped     Skipped        `json:"skipped"`
	Verdict     Verdict        `json:"verdict"`
	SRM         *Mismatch      `json:"srm"`
	Arms        []Arm          `json:"arms"`        // the control first, the others by name
	Comparisons []Comparison   `json:"comparisons"` // of each other arm with the control
	Segments    []SegmentParts `json:"segments"`
	Gates       []gate.Result  `json:"gates"` // what became of each
}

// Input says what was read.
type Input struct {
	SHA256 string `json:"sha256"` // of the rows in canonical form
}

// Settings are those of the evaluation.
type Settings struct {
	Columns

	Control        string   `json:"control"`
	ControlAssumed bool     `json:"control_assumed"` // nobody named it, and no arm is called control
	Weights        []Weight `json:"weights"`
	WeightsAssumed bool     `json:"weights_assumed"` // nobody gave them: equal
	Alpha          float64  `json:"alpha"`
	Tuning         float64  `json:"tuning"`
	MinCustomers   int64    `json:"min_customers"`
	SkipBad        bool     `json:"skip_bad"`
}

// Weight is the planned share of an arm.
type Weight struct {
	Arm    string  `json:"arm"`
	Weight float64 `json:"weight"`
}

// Skipped are the rows that were left out.
type Skipped struct {
	Rows   int64       `json:"rows"`
	Listed []BadListed `json:"listed"` // the first hundred
}

// BadListed is one of them.
type BadListed struct {
	Row      int64  `json:"row"` // from 1, the header not counted
	Column   string `json:"column"`
	Value    string `json:"text"`
	Expected string `json:"expected"`
}

// Verdict says whether the figures may be believed. Withheld they are there, but no gate on them passes.
type Verdict struct {
	Status  Status   `json:"status"`
	Reasons []Reason `json:"reasons"`
}

// Status is GIVEN or WITHHELD.
type Status string

// The statuses.
const (
	Given    Status = "GIVEN"
	Withheld Status = "WITHHELD"
)

// Reason is why a verdict is withheld.
type Reason struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// The reasons.
const (
	ReasonMismatch  = "SAMPLE_RATIO_MISMATCH" // the arms are not in the planned ratio
	ReasonCensoring = "CENSORING_DIFFERS"     // a metric is missing more often in one arm than in another
	ReasonTooFew    = "TOO_FEW_CUSTOMERS"     // an arm has fewer with a metric than were asked for
	ReasonControl   = "CONTROL_ASSUMED"       // nobody said which arm is the control
	ReasonNoFigure  = "NO_FIGURE"             // of a metric no difference can be told
)

// Mismatch is the sample-ratio mismatch test.
type Mismatch struct {
	Chi2     Number        `json:"chi2"`
	DF       int           `json:"df"`
	P        Number        `json:"p"`
	Mismatch bool          `json:"mismatch"` // p below .001
	Arms     []MismatchArm `json:"arms"`
}

// MismatchArm is an arm's part in it.
type MismatchArm struct {
	Arm      string `json:"arm"`
	Observed int64  `json:"observed"`
	Expected Number `json:"expected"`
}

// Arm says what was seen of an arm.
type Arm struct {
	Arm       string      `json:"arm"`
	Customers int64       `json:"customers"`
	Metrics   []ArmMetric `json:"metrics"`
}

// ArmMetric says what was seen of a metric.
type ArmMetric struct {
	Metric   string `json:"metric"`
	N        int64  `json:"n"` // customers of whom it is known
	Mean     Number `json:"mean"`
	SD       Number `json:"sd"`
	Censored int64  `json:"censored"` // customers of whom it is not: left out, never 0
}

// Comparison is an arm beside the control.
type Comparison struct {
	Arm     string             `json:"arm"`
	Metrics []MetricComparison `json:"metrics"`
}

// MetricComparison is an arm beside the control in one metric. A null estimate is one that cannot be told; Unknown says why.
type MetricComparison struct {
	Metric     string   `json:"metric"`
	Welch      Reading  `json:"welch"`      // for one look, at a size that was planned
	Sequential Reading  `json:"sequential"` // for as many looks as one likes
	CUPED      *Cuped   `json:"cuped"`      // null: no column of before
	Unknown    []string `json:"unknown"`
}

// Cuped is the comparison less what was there before, over the customers whose value of before is known.
type Cuped struct {
	Customers     int64  `json:"customers"`
	Theta         Number `json:"theta"`
	VarianceRatio Number `json:"variance_ratio"` // of the difference, to that of the same customers without: below 1 is gained
	Reading
	Sequential Reading `json:"sequential"`
}

// Reading is a difference and what it is as a share of the control's mean.
type Reading struct {
	Absolute *Estimate `json:"absolute"`
	Relative *Estimate `json:"relative"`
}

// Estimate is a difference with its interval of level 1 - alpha, which is written under the name ci95 at alpha .05, ci99
// at .01.
type Estimate struct {
	Value, StdErr, Low, High, P float64

	// Holm and BH are P adjusted for all comparisons of all metrics. NaN where they do not stand beside others.
	Holm, BH float64

	interval string
}

// MarshalJSON writes value, stderr, the interval, p, p_holm, p_bh.
func (e *Estimate) MarshalJSON() ([]byte, error) {
	b := []byte(`{"value":`)
	b = appendNumber(b, e.Value)
	b = appendNumber(append(b, `,"stderr":`...), e.StdErr)
	b = appendNumber(append(b, `,"`+e.interval+`":[`...), e.Low)
	b = appendNumber(append(b, ','), e.High)
	b = appendNumber(append(b, `],"p":`...), e.P)
	b = appendNumber(append(b, `,"p_holm":`...), e.Holm)
	b = appendNumber(append(b, `,"p_bh":`...), e.BH)
	return append(b, '}'), nil
}

// intervalName is ci95 at alpha .05.
func intervalName(alpha float64) string {
	// Twelve digits hide that 100 (1 - .1) is not quite 90.
	return "ci" + strconv.FormatFloat(roundTo(100*(1-alpha), 1e10), 'f', -1, 64)
}

func roundTo(v, digits float64) float64 { return math.Round(v*digits) / digits }

// SegmentParts are the comparisons among customers of each value of a column. They are there to look into: their
// p-values are not adjusted, and none of them is a verdict.
type SegmentParts struct {
	Name   string        `json:"name"`
	Values []SegmentPart `json:"values"` // by value
}

// SegmentPart is a value of a column. An arm that has nobody there has no comparison.
type SegmentPart struct {
	Value       string       `json:"value"` // "" unknown
	Customers   int64        `json:"customers"`
	Arms        []Arm        `json:"arms"`
	Comparisons []Comparison `json:"comparisons"`
}

// Number is written as null where it is not finite.
type Number float64

// MarshalJSON writes the shortest text that reads back as the same number.
func (n Number) MarshalJSON() ([]byte, error) { return appendNumber(nil, float64(n)), nil }

func appendNumber(b []byte, v float64) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(b, "null"...)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return append(b, "null"...)
	}
	return append(b, text...)
}
