package evaluation

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"github.com/fundmatch/fundmatch/matcher/evaluate/policy"
	"github.com/fundmatch/fundmatch/services/evaluation/policylog"
)

// partSupport counts what the log cannot say of a policy whose probabilities stand in it.
const partSupport = "support"

// support is how much of the judged policy stands, by the column unsupported, where the log could not show it. The
// probabilities of the rows do not tell: they are of what was shown.
type support struct {
	Rows int64   `json:"rows"` // of which it is known
	Off  int64   `json:"off"`  // with a part without support
	Mass float64 `json:"mass"` // the sum of those parts
}

// Add implements Measure.
func (s *support) Add(b *policylog.Block) error {
	for i, v := range numbersOf(b, policylog.ColumnUnsupported) {
		if math.IsNaN(v) {
			continue
		}
		if !(v >= 0 && v <= 1+massSlack) {
			return rowError(b, i, policylog.ColumnUnsupported, strconv.FormatFloat(v, 'g', -1, 64), "a part of 1, or nothing where it is not known")
		}
		s.Rows++
		if v > 0 {
			s.Off++
			s.Mass += v
		}
	}
	return nil
}

// massSlack is what a sum of probabilities may be above 1.
const massSlack = 1e-9

// Merge implements Measure.
func (s *support) Merge(later Measure) error {
	o, same := later.(*support)
	if !same {
		return errOtherPart
	}
	s.Rows += o.Rows
	s.Off += o.Off
	s.Mass += o.Mass
	return nil
}

// Reset implements Resetter.
func (s *support) Reset() { *s = support{} }

// MarshalJSON writes the exact form.
func (s *support) MarshalJSON() ([]byte, error) {
	type plain support
	return json.Marshal((*plain)(s))
}

// UnmarshalJSON reads it.
func (s *support) UnmarshalJSON(data []byte) error {
	type plain support
	if err := strict(data, (*plain)(s)); err != nil {
		return err
	}
	if s.Off < 0 || s.Off > s.Rows || !(s.Mass >= 0 && s.Mass <= float64(s.Off)*(1+massSlack)) || (s.Mass > 0) != (s.Off > 0) {
		return fmt.Errorf("%d of %d rows with %v, expected what rows could have left", s.Off, s.Rows, s.Mass)
	}
	return nil
}

// withhold withholds the verdicts of segments too: which of them lack support is not counted.
func (s *support) withhold(results []SegmentResult) {
	for i := 0; s.Off > 0 && i < len(results); i++ {
		v := &results[i].Verdict
		v.Status = policy.Withheld
		v.Reasons = append(v.Reasons, policy.Reason{Code: policy.SupportBroken, Text: "the whole log has rows in which the target shows what could not be shown there"})
	}
}

// tell puts what was counted into a result: broken support withholds the verdict. Of a log without the column nothing is
// known.
func (s *support) tell(r *policy.Result) {
	if s.Rows == 0 {
		return
	}
	mass := s.Mass / float64(s.Rows)
	r.Diagnostics.SupportViolations += s.Off
	r.Diagnostics.UnseenMass = policy.Number(mass)
	if s.Off == 0 {
		return
	}
	r.Verdict.Status = policy.Withheld
	r.Verdict.Reasons = append(r.Verdict.Reasons, policy.Reason{
		Code: policy.SupportBroken,
		Text: fmt.Sprintf("in %d of %d rows the target shows what could not be shown there: %.3g of its probability", s.Off, s.Rows, mass),
	})
}
