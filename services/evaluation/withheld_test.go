package evaluation_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/evaluate/policy"
	"github.com/fundmatch/fundmatch/services/evaluation"
	"github.com/fundmatch/fundmatch/services/evaluation/experiments"
	"github.com/fundmatch/fundmatch/services/evaluation/gate"
)

// Whatever a withheld figure is called by, it is withheld; what stands beside it is not.
func TestWithheldByEveryName(t *testing.T) {
	t.Parallel()
	withheld, given := policy.Verdict{Status: policy.Withheld}, policy.Verdict{Status: policy.Given}
	d := &evaluation.PolicyDocument{Verdict: withheld, Segments: []evaluation.SegmentResult{
		{Name: "channel:APP", Value: "APP", Verdict: given}, {Name: "channel:BRANCH", Value: "BRANCH", Verdict: withheld},
	}}
	r := &evaluation.Report{Policy: evaluation.PolicyReport{Verdict: d.Verdict, Segments: d.Segments}}
	r.Experiment.Experiments = []evaluation.ExperimentReport{
		{Name: "a", Verdict: experiments.Verdict{Status: experiments.Given}}, {Name: "b", Verdict: experiments.Verdict{Status: experiments.Withheld}},
	}
	for path, want := range map[string]bool{
		"estimates.snips.ci95.low":                             true,
		"slates.standard":                                      true,
		"lists.ndcg":                                           false,
		"diagnostics.ess":                                      false,
		"diagnostics.clip_sensitivity.2":                       true,
		"diagnostics.clip_sensitivity.2.ci95.low":              true,
		"diagnostics.clip_sensitivity.2.l":                     false,
		"diagnostics.clip_sensitivity.2.cut":                   false,
		"segments.channel:APP.estimates.snips":                 false,
		"segments.channel:BRANCH.estimates.snips":              true,
		"segments.BRANCH.estimates.snips":                      true,
		"segments.1.estimates.snips":                           true,
		"segments.1.diagnostics.clip_sensitivity.0":            true,
		"segments.1.diagnostics.ess":                           false,
		"segments.1.rows":                                      false,
		"experiment.experiments.a.comparisons.new.ci95.low":    false,
		"experiment.experiments.0.comparisons.0.ci95.low":      false,
		"experiment.experiments.b.comparisons.new.ci95.low":    true,
		"experiment.experiments.1.comparisons.0.ci95.low":      true,
		"experiment.experiments.1.comparisons.new.always_ci95": true,
		"experiment.experiments.1.mixed_customers":             false,
	} {
		if strings.HasPrefix(path, "experiment.") {
			if got := r.Withheld(path); got != want {
				t.Errorf("report, %s: withheld %v", path, got)
			}
			continue
		}
		if got := d.Withheld(path); got != want {
			t.Errorf("policy, %s: withheld %v", path, got)
		}
		if got := r.Withheld("policy." + path); got != want {
			t.Errorf("report, policy.%s: withheld %v", path, got)
		}
	}
}

// No gate on a figure that is withheld passes, by whatever name it is asked for.
func TestGatesOnAWithheldExperimentFail(t *testing.T) {
	logs := filepath.Join(writeLogs(t, 900, false), "log-*.csv")
	s := reportSettings()
	for _, text := range []string{"exp:control=9", "exp:new=1"} { // the arms do not have these shares
		arm, err := evaluation.ParseArm(text)
		if err != nil {
			t.Fatal(err)
		}
		s.Arms = append(s.Arms, arm)
	}
	asked := []string{
		"experiment.experiments.exp.comparisons.new.ci95.low > -100", "experiment.experiments.0.comparisons.0.ci95.low > -100",
		"experiment.experiments.exp.comparisons.0.low > -100", "experiment.experiments.0.comparisons.new.difference < 100",
	}
	if failed := gate.Failed(reportOf(t, s, 1, asked, logs).Gates); len(failed) != len(asked) {
		t.Errorf("of %d gates these failed: %v", len(asked), failed)
	}
}

// Rows that were left out may have shown anything: the report does not call such a log clear.
func TestReportOfALogWithRowsLeftOut(t *testing.T) {
	dir := writeLogs(t, 900, false)
	name := filepath.Join(dir, "log-0.csv")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	// a product above the level, whose propensity is no probability: it is not counted as a violation
	row := "z1,c1,2026-01-02T01:00:00Z,1,P1,0,0,0.25,MASS,exp:control,C1,R5,I1" + strings.Repeat(",", strings.Count(joinedColumns, ",")-12) + "\n"
	if err := os.WriteFile(name, append(text, row...), 0o600); err != nil { //nolint:gosec // a file of this test
		t.Fatal(err)
	}
	s := reportSettings()
	s.SkipBad = true
	r := reportOf(t, s, 2, nil, filepath.Join(dir, "log-*.csv"))
	if r.Log.Skipped != 1 || *r.Violations != 0 || r.Conclusion.Status != evaluation.StatusWithheld {
		t.Fatalf("%d left out, %d violations, %+v", r.Log.Skipped, *r.Violations, r.Conclusion)
	}
	told := false
	for _, p := range r.Conclusion.Points {
		told = told || p.Tone == "UNSURE" && strings.Contains(p.Text, "1 bad row.")
	}
	if !told {
		t.Errorf("the conclusion does not say so: %+v", r.Conclusion)
	}
}
