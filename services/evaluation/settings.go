package evaluation

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/evaluate/policy"
	"github.com/fundmatch/fundmatch/services/evaluation/policylog"
)

// Verbs that run over a log: what their outcome becomes.
const (
	VerbPolicy = "policy"
	VerbReport = "report"
)

// Settings are all that a result depends on besides the log. Shards of one run have the same.
type Settings struct {
	Verb        string          `json:"verb"`
	Policy      policy.Settings `json:"policy"`
	Segments    []string        `json:"segments"`               // columns that the log has
	RewardRange *[2]float64     `json:"reward_range,omitempty"` // nil: any finite reward
	SkipBad     bool            `json:"skip_bad,omitempty"`
	CheckUnique bool            `json:"check_unique,omitempty"`
	NoPolicy    bool            `json:"no_policy,omitempty"` // of a report: no other policy is judged
	Arms        []ArmWeight     `json:"arms,omitempty"`      // of a report: planned shares of arms
}

// Encode is the form that partial files and checkpoints hold.
func (s *Settings) Encode() ([]byte, error) { return json.Marshal(s) }

// DecodeSettings reads that form, strictly: it may come from outside.
func DecodeSettings(data []byte) (*Settings, error) {
	s := &Settings{}
	if err := strict(data, s); err != nil {
		return nil, err
	}
	if s.Verb != VerbPolicy && s.Verb != VerbReport {
		return nil, fmt.Errorf("verb %.40q, expected %s or %s", s.Verb, VerbPolicy, VerbReport)
	}
	if s.NoPolicy && s.Verb != VerbReport {
		return nil, fmt.Errorf("no policy: expected of verb %s alone", VerbReport)
	}
	if err := s.checkSegments(); err != nil {
		return nil, err
	}
	if err := CheckArms(s.Arms); err != nil {
		return nil, err
	}
	return s, s.Policy.Validate()
}

func (s *Settings) checkSegments() error {
	if len(s.Segments) > MaxSegments {
		return fmt.Errorf("%d segment columns, expected %d at most", len(s.Segments), MaxSegments)
	}
	for i, name := range s.Segments {
		if name == "" || slices.Contains(s.Segments[:i], name) {
			return fmt.Errorf("segment column %.80q: expected names of columns, each once", name)
		}
	}
	return nil
}

// Parts are those of the policy, by all rows and by segment, and of a report all that it says besides.
func (s *Settings) Parts() ([]Part, error) {
	if err := s.checkSegments(); err != nil {
		return nil, err
	}
	var besides []Part
	if s.Verb == VerbReport {
		besides = ReportParts(s.Segments)
	}
	if s.NoPolicy {
		return besides, nil
	}
	whole, err := policyPart(&s.Policy)
	if err != nil {
		return nil, err
	}
	bySegment, err := segmentsPart(&s.Policy, s.Segments)
	if err != nil {
		return nil, err
	}
	parts := []Part{whole, bySegment}
	if s.Policy.Target == nil {
		parts = append(parts, Part{partSupport, func() Measure { return &support{} }})
	}
	return append(parts, besides...), nil
}

// Texts are the columns of text that the segments read.
func (s *Settings) Texts() []string {
	return slices.DeleteFunc(slices.Clone(s.Segments), func(name string) bool {
		return name == policylog.ColumnProduct || name == policylog.ColumnPosition
	})
}

// Options are what the reader has to be told.
func (s *Settings) Options() policylog.Options {
	o := policylog.Options{Target: s.Policy.Target == nil, Texts: s.Texts(), SkipBad: s.SkipBad}
	if s.Verb == VerbReport {
		o.OptionalTarget, o.Target = o.Target, false
		o.OptionalTexts, o.OptionalNumbers = ReportTexts(s.Segments), ReportNumbers()
	}
	if s.Policy.Target == nil {
		o.OptionalNumbers = append(o.OptionalNumbers, policylog.ColumnUnsupported)
	}
	if r := s.RewardRange; r != nil {
		o.RewardLow, o.RewardHigh = r[0], r[1]
	}
	return o
}
