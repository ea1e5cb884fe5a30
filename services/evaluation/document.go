package evaluation

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/fundmatch/fundmatch/matcher/evaluate/policy"
	"github.com/fundmatch/fundmatch/services/evaluation/gate"
)

// PolicySchema names the form of a PolicyDocument.
const PolicySchema = "fundmatch.policy-evaluation/v1"

// PolicyDocument is what `fundmatch evaluate policy` writes. The same rows and options give the same bytes, whatever the
// format, the files' names, the workers, the shards.
type PolicyDocument struct {
	Schema      string             `json:"schema"`
	Rows        int64              `json:"rows"` // that were read; censored ones too
	Decisions   int64              `json:"decisions"`
	Censored    int64              `json:"censored"` // rows without a reward: in no estimate
	Skipped     int64              `json:"skipped"`  // bad rows that were left out
	Input       Input              `json:"input"`
	Config      PolicyConfig       `json:"config"`
	Verdict     policy.Verdict     `json:"verdict"`
	Estimates   policy.Estimates   `json:"estimates"`
	Diagnostics policy.Diagnostics `json:"diagnostics"`
	*Lists
	Segments []SegmentResult `json:"segments"`
	Gates    []gate.Result   `json:"gates"`
}

// Lists is what is said of whole lists.
type Lists struct {
	Slates *policy.SlateEstimates `json:"slates"` // null: not asked for
	Logged *policy.ListMeasures   `json:"lists"`  // as they were logged
}

// Input says which rows were judged.
type Input struct {
	SHA256 string `json:"sha256"` // of the log's rows in canonical form
}

// PolicyConfig is what was asked.
type PolicyConfig struct {
	Target       Target             `json:"target"`
	Clip         float64            `json:"clip"`
	SwitchLambda float64            `json:"switch_lambda"`
	DRosLambda   float64            `json:"dros_lambda"`
	RewardModel  policy.RewardModel `json:"reward_model"`
	MinESS       float64            `json:"min_ess"`
	K            int                `json:"k"` // of nDCG
	Slates       bool               `json:"slates"`
	Bootstrap    *Bootstrap         `json:"bootstrap"`
	Segments     []string           `json:"segments"`
	RewardRange  *[2]float64        `json:"reward_range"`
	SkipBad      bool               `json:"skip_bad"`
	CheckUnique  bool               `json:"check_unique"`
}

// Target says which policy was judged.
type Target struct {
	Source string  `json:"source"` // LOG: the column target_propensity; FILE: a policy file
	SHA256 *string `json:"sha256"` // of the policy file's content in canonical form
}

// Bootstrap says how customers were drawn again.
type Bootstrap struct {
	Replicates int    `json:"replicates"`
	Seed       uint64 `json:"seed"`
}

// PolicyDocumentOf makes the document of an outcome, without gates. An error wraps ErrPartial where the policy's state is
// not of the rows that were read.
func PolicyDocumentOf(o *Outcome, s *Settings) (*PolicyDocument, error) {
	whole, is := o.State.Of(PartPolicy).(policyMeasure)
	bySegment, is2 := o.State.Of(PartSegments).(*segments)
	if !is || !is2 {
		return nil, errOtherPart
	}
	config, err := configOf(s)
	if err != nil {
		return nil, err
	}
	r, results := whole.Result(), bySegment.results()
	if unseen, is := o.State.Of(partSupport).(*support); is {
		unseen.tell(r)
		unseen.withhold(results)
	}
	if r.Rows != o.Rows || r.Decisions != o.Decisions { // only what was merged from outside can differ
		return nil, fmt.Errorf("%w: states of %d rows where %d were read", ErrPartial, r.Rows, o.Rows)
	}
	return &PolicyDocument{
		Schema: PolicySchema, Rows: o.Rows, Decisions: o.Decisions, Censored: r.Censored, Skipped: o.Skipped,
		Input: Input{hex.EncodeToString(o.SHA256[:])}, Config: config,
		Verdict: r.Verdict, Estimates: r.Estimates, Diagnostics: r.Diagnostics,
		Lists: &Lists{r.Slates, r.Lists}, Segments: results, Gates: []gate.Result{},
	}, nil
}

func configOf(s *Settings) (PolicyConfig, error) {
	c := PolicyConfig{
		Target: Target{Source: "LOG"}, Clip: s.Policy.Clip, SwitchLambda: s.Policy.SwitchLambda, DRosLambda: s.Policy.DRosLambda,
		RewardModel: s.Policy.RewardModel, MinESS: s.Policy.MinESS, K: s.Policy.ListCutoff, Slates: s.Policy.Slates,
		Segments: append([]string{}, s.Segments...), RewardRange: s.RewardRange, SkipBad: s.SkipBad, CheckUnique: s.CheckUnique,
	}
	if s.Policy.Replicates > 0 {
		c.Bootstrap = &Bootstrap{s.Policy.Replicates, s.Policy.Seed}
	}
	if s.Policy.Target != nil {
		text, err := s.Policy.Target.MarshalJSON()
		if err != nil {
			return c, err
		}
		sum := sha256.Sum256(text)
		sha := hex.EncodeToString(sum[:])
		c.Target = Target{"FILE", &sha}
	}
	return c, nil
}

// Encode writes the document, indented, a line at its end.
func (d *PolicyDocument) Encode() ([]byte, error) { return encodeDocument(d) }

func encodeDocument(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("write the document: %w", err)
	}
	return out.Bytes(), nil
}

// Withheld says of the path of a figure whether its verdict is: of all estimates of the whole log, and of those of a
// segment, which has a verdict of its own. Diagnostics are not withheld, nor is what is said of the lists as logged.
func (d *PolicyDocument) Withheld(path string) bool {
	if isEstimate(path) {
		return d.Verdict.Status == policy.Withheld
	}
	rest, is := strings.CutPrefix(path, "segments.")
	for i := 0; is && i < len(d.Segments); i++ {
		s := &d.Segments[i]
		for _, name := range []string{s.Name, s.Value, strconv.Itoa(i)} {
			figure, its := strings.CutPrefix(rest, name+".")
			if its && isEstimate(figure) && s.Verdict.Status == policy.Withheld {
				return true
			}
		}
	}
	return false
}

// isEstimate reports whether a figure of a result is one of what the policy earns. Clipped IPS at other bounds is, though
// it stands among the diagnostics.
func isEstimate(path string) bool {
	root, rest, _ := strings.Cut(path, ".")
	switch root {
	case "estimates", "slates":
		return true
	case "diagnostics":
		return strings.HasPrefix(rest, "clip_sensitivity.") && !strings.HasSuffix(rest, ".l") && !strings.HasSuffix(rest, ".cut")
	}
	return false
}
