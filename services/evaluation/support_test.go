package evaluation

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/evaluate/policy"
	"github.com/fundmatch/fundmatch/services/evaluation/policylog"
)

// unsupportedBlock is a decision with a column unsupported.
func unsupportedBlock(values ...float64) *policylog.Block {
	b := &policylog.Block{
		Decisions: []policylog.Decision{{ID: []byte("D1")}},
		Numbers:   []policylog.Number{{Name: policylog.ColumnUnsupported, There: true, Values: values}},
	}
	b.Ends = []int32{int32(len(values))}
	for i := range values {
		b.Position = append(b.Position, int32(i+1))
	}
	return b
}

// What the log could not show is counted, merged, written and read as it is, and withholds the verdict.
func TestSupportIsCounted(t *testing.T) {
	t.Parallel()
	var whole, later, read support
	for s, values := range map[*support][]float64{&whole: {0, .1, math.NaN()}, &later: {1, 0, 0}} {
		if err := s.Add(unsupportedBlock(values...)); err != nil {
			t.Fatal(err)
		}
	}
	if err := whole.Merge(&later); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(&whole)
	if err != nil || json.Unmarshal(data, &read) != nil || read != whole || whole != (support{5, 2, 1.1}) {
		t.Errorf("%s: %+v, read back as %+v (%v)", data, whole, read, err)
	}
	r := &policy.Result{Verdict: policy.Verdict{Status: policy.Given, Reasons: []policy.Reason{}}}
	segments := []SegmentResult{{}, {}}
	whole.tell(r)
	whole.withhold(segments)
	if d := r.Diagnostics; d.SupportViolations != 2 || math.Abs(float64(d.UnseenMass)-.22) > 1e-15 || r.Verdict.Status != policy.Withheld ||
		r.Verdict.Reasons[0].Code != policy.SupportBroken || segments[1].Verdict.Status != policy.Withheld {
		t.Errorf("%+v, %+v", r.Diagnostics, r.Verdict)
	}
	for values, want := range map[float64]bool{0: false, math.NaN(): true} { // known to be nothing, and not known
		var s support
		if err := s.Add(unsupportedBlock(values, values)); err != nil {
			t.Fatal(err)
		}
		r := &policy.Result{Verdict: policy.Verdict{Status: policy.Given}}
		r.Diagnostics.UnseenMass = policy.Number(math.NaN())
		if s.tell(r); math.IsNaN(float64(r.Diagnostics.UnseenMass)) != want || r.Verdict.Status != policy.Given {
			t.Errorf("unsupported %v: %+v", values, r)
		}
	}
	var none support
	if err := none.Add(&policylog.Block{}); err != nil {
		t.Fatal(err)
	}
	r = &policy.Result{Verdict: policy.Verdict{Status: policy.Given}}
	if none.tell(r); r.Verdict.Status != policy.Given || r.Diagnostics.SupportViolations != 0 {
		t.Errorf("without the column: %+v", r)
	}
}

// What is no part of a probability, and what no rows could have left behind, is refused.
func TestSupportRefuses(t *testing.T) {
	t.Parallel()
	for _, v := range []float64{-.1, 1.1, math.Inf(1)} {
		var s support
		if err := s.Add(unsupportedBlock(0, v)); err == nil || !strings.Contains(err.Error(), "position 2: unsupported: ") {
			t.Errorf("%v: %v", v, err)
		}
	}
	for _, text := range []string{
		`{"rows":1,"off":2,"mass":1}`, `{"rows":2,"off":1,"mass":1.5}`, `{"rows":2,"off":-1,"mass":0}`, `{"rows":2,"off":0,"mass":0.5}`, `{"rows":2,"off":1,"mass":0}`, `{"more":1}`, `[]`,
	} {
		var s support
		if err := json.Unmarshal([]byte(text), &s); err == nil {
			t.Errorf("%s is read as %+v", text, s)
		}
	}
}
