package evaluation

import (
	"fmt"

	"github.com/fundmatch/fundmatch/matcher/evaluate/inference"
	"github.com/fundmatch/fundmatch/services/evaluation/experiments"
)

// openShares are, by arm, the customers' shares of rows whose reward is not known yet.
type openShares map[string]*inference.Moments

func (o openShares) add(c *armCustomer) {
	if o[c.Arm] == nil {
		o[c.Arm] = &inference.Moments{}
	}
	o[c.Arm].Add(float64(c.Open) / float64(c.Open+c.Known))
}

// withhold withholds the verdict where rewards are missing in one arm more often than in another. A customer's reward is
// what his known rows come to: then it says when his arm was on, and not what it did.
func (o openShares) withhold(r *ExperimentReport) {
	control := o[r.Control]
	for i := range r.Comparisons {
		name := r.Comparisons[i].Arm
		arm := o[name]
		if control == nil || arm == nil || !differ(*control, *arm) {
			continue
		}
		r.Verdict.Status = experiments.Withheld
		r.Verdict.Reasons = append(r.Verdict.Reasons, experiments.Reason{Code: experiments.ReasonCensoring, Text: fmt.Sprintf(
			"rewards are not known yet of %.2f %% of a customer's rows in %s and of %.2f %% in %s, which is not by chance", 100*control.Mean, r.Control, 100*arm.Mean, name)})
	}
}

// differ reports whether the means of two arms are not the same but by a chance below inference.MismatchBelow.
func differ(a, b inference.Moments) bool {
	c, err := inference.Difference(a, b)
	if err != nil { // none differs from the others of his arm, or there are too few for any verdict
		return a.Mean != b.Mean
	}
	e, err := c.Welch(.05)
	return err != nil || e.P < inference.MismatchBelow
}
