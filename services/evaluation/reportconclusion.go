package evaluation

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/fundmatch/fundmatch/matcher/evaluate/policy"
	"github.com/fundmatch/fundmatch/services/evaluation/experiments"
	"github.com/fundmatch/fundmatch/services/evaluation/gate"
)

// The tones of what is told.
const (
	toneGood   = "GOOD"
	toneBad    = "BAD"
	toneUnsure = "UNSURE"
	tonePlain  = "PLAIN"
)

// Conclude fills in the gates and what follows from all of it.
func (r *Report) Conclude(results []gate.Result) {
	r.Gates = append([]gate.Result{}, results...)
	c := &r.Conclusion
	c.Points = nil
	unsure := false
	tell := func(tone, format string, args ...any) {
		unsure = unsure || tone == toneUnsure
		c.Points = append(c.Points, Told{tone, fmt.Sprintf(format, args...)})
	}
	failed := gate.Failed(results)
	r.tellSafety(tell)
	r.tellSkipped(tell)
	for _, g := range failed {
		if g.Gate != BuiltInGate {
			tell(toneBad, "Gate %s.", g)
		}
	}
	r.tellPolicy(tell)
	r.tellExperiments(tell)
	switch {
	case len(failed) > 0:
		c.Status, c.Headline = StatusStop, "Do not release: "+plural(int64(len(failed)), "gate")+" failed."
	case unsure:
		c.Status, c.Headline = StatusWithheld, "No gate failed, but not everything can be judged. Read what is missing before you release."
	default:
		c.Status, c.Headline = StatusClear, "Nothing stops the release."
	}
}

type teller func(tone, format string, args ...any)

func (r *Report) tellSafety(tell teller) {
	switch v := r.Violations; {
	case v == nil:
		tell(toneUnsure, "Whether anything unsuitable was shown cannot be said: the log lacks %s, which fundmatch evaluate join writes.", and(r.missing("risk_level", "risk_grade")))
	case *v > 0:
		tell(toneBad, "%s of %s shown must not have been: above the customer's level, above R1 without a level, or without a grade. Find the cause before anything else.",
			plural(*v, "product"), grouped(r.Conduct.Shown.Rows))
	default:
		tell(toneGood, "No unsuitable product was shown: 0 violations in %s.", plural(r.Conduct.Shown.Rows, "row"))
	}
}

// tellSkipped says that rows are in no figure, not in those of safety either: who left them out may not have meant that.
func (r *Report) tellSkipped(tell teller) {
	if n := r.Log.Skipped; n > 0 {
		tell(toneUnsure, "Left out (--skip-bad): %s. No figure counts them, and whether they showed what they must not cannot be said.", plural(n, "bad row"))
	}
}

// missing are those of the columns that the log lacks.
func (r *Report) missing(columns ...string) (lacked []string) {
	for _, c := range columns {
		if slices.Contains(r.Conduct.Needs, c) {
			lacked = append(lacked, c)
		}
	}
	return lacked
}

func (r *Report) tellPolicy(tell teller) {
	p := &r.Policy
	switch p.Verdict.Status {
	case NotAsked:
		tell(tonePlain, "No other policy was judged: the log has no target_propensity, and no --target-policy was given.")
		return
	case policy.Withheld:
		tell(toneUnsure, "Whether the judged policy is better cannot be said, the verdict is withheld: %s. %s", reasons(p.Verdict), whatToDo(p.Verdict))
		return
	case policy.Given:
	}
	switch e := &p.Estimates.SNIPS; r.comparison() {
	case better:
		tell(toneGood, "The judged policy is better: %s a row by SNIPS, %s as logged, and the intervals do not meet.", estimateText(e), meanText(&r.Log.Reward))
	case worse:
		tell(toneBad, "The judged policy is worse: %s a row by SNIPS, %s as logged, and the intervals do not meet.", estimateText(e), meanText(&r.Log.Reward))
	default:
		tell(tonePlain, "The judged policy is not shown to be better or worse: %s a row by SNIPS, %s as logged.", estimateText(e), meanText(&r.Log.Reward))
	}
}

// whatToDo is what helps where a verdict on a policy is withheld.
func whatToDo(v policy.Verdict) string {
	if len(v.Reasons) > 0 && v.Reasons[0].Code == policy.Empty {
		return "Wait until the windows of the decisions are over, or join with a shorter one."
	}
	return "Log more, explore more, or judge a policy that is nearer to the one that ran."
}

// The outcomes of a comparison.
const (
	alike = iota
	better
	worse
)

// comparison sets the interval of SNIPS beside that of the logged reward. That they do not meet asks for more than a
// test of the difference would: both come of the same rows.
func (r *Report) comparison() int {
	e, logged := &r.Policy.Estimates.SNIPS, r.Log.Reward.CI95
	if r.Policy.Verdict.Status != policy.Given || logged == nil || math.IsNaN(float64(e.CI95[0]+e.CI95[1])) {
		return alike
	}
	switch {
	case float64(e.CI95[0]) > logged[1]:
		return better
	case float64(e.CI95[1]) < logged[0]:
		return worse
	}
	return alike
}

func (r *Report) tellExperiments(tell teller) {
	for i := range r.Experiment.Experiments {
		e := &r.Experiment.Experiments[i]
		if e.Verdict.Status == experiments.Withheld {
			texts := make([]string, len(e.Verdict.Reasons))
			for j, why := range e.Verdict.Reasons {
				texts[j] = why.Text
			}
			tell(toneUnsure, "Experiment %s: the verdict is withheld: %s.", e.Name, strings.Join(texts, "; "))
			continue
		}
		for _, c := range e.Comparisons {
			tone, word := tonePlain, "is not shown to differ from"
			if c.CI95 != nil && c.PHolm != nil && *c.PHolm < .05 {
				if tone, word = toneGood, "is better than"; c.CI95[1] < 0 {
					tone, word = toneBad, "is worse than"
				}
			}
			tell(tone, "Experiment %s: arm %s %s %s, by %s a customer.", e.Name, c.Arm, word, e.Control, intervalText(c.Difference, c.CI95))
		}
	}
}
