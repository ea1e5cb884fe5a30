package experiments

import (
	"fmt"
	"math"
	"strings"

	"github.com/fundmatch/fundmatch/matcher/evaluate/inference"
)

// verdict withholds what is not to be believed.
func (j *judge) verdict(d *Document) Verdict {
	v := Verdict{Status: Given, Reasons: []Reason{}}
	withhold := func(code, format string, args ...any) {
		v.Status = Withheld
		v.Reasons = append(v.Reasons, Reason{code, fmt.Sprintf(format, args...)})
	}
	if d.SRM.Mismatch {
		planned, advice := "the planned shares", "find out who is missing before reading on"
		if d.Config.WeightsAssumed {
			planned, advice = "equal shares, which were assumed,", "name the shares that were planned, or find out who is missing"
		}
		withhold(ReasonMismatch, "the arms have %s customers: against %s the chance of that is %s, below %g; %s",
			counts(d), planned, chance(float64(d.SRM.P)), inference.MismatchBelow, advice)
	}
	if d.Config.ControlAssumed {
		withhold(ReasonControl, "no arm is called %s, and nobody named one: %s was taken, the first by name", ControlArm, d.Config.Control)
	}
	for i, metric := range j.state.columns.Metrics {
		j.few(i, metric, withhold)
		j.censored(i, metric, withhold)
		for c := range d.Comparisons {
			if m := &d.Comparisons[c].Metrics[i]; m.Welch.Absolute == nil {
				withhold(ReasonNoFigure, "%s of %s: %s", metric, d.Comparisons[c].Arm, strings.Join(m.Unknown, "; "))
			}
		}
	}
	return v
}

type withholder func(code, format string, args ...any)

// few withholds where an arm is too small.
func (j *judge) few(metric int, name string, withhold withholder) {
	for _, w := range j.config.Weights {
		n := int64(0)
		if a := j.state.whole[w.Arm]; a != nil {
			n = a.Cells[metric].All.N
		}
		if n < j.config.MinCustomers {
			withhold(ReasonTooFew, "%s is known of %d customers of %s, expected at least %d", name, n, w.Arm, j.config.MinCustomers)
		}
	}
}

// censored withholds where the metric is missing in one arm more often than in another: then those who are left were not
// drawn by lot.
func (j *judge) censored(metric int, name string, withhold withholder) {
	var known, customers []int64
	var shares []string
	for _, arm := range j.order(j.state.whole) {
		a := j.state.whole[arm]
		known, customers = append(known, a.Cells[metric].All.N), append(customers, a.Customers)
		shares = append(shares, fmt.Sprintf("%.2f %% of %s", 100*float64(a.Cells[metric].Censored)/float64(a.Customers), arm))
	}
	r, err := inference.SameShare(known, customers)
	if err == nil && r.Mismatch() {
		withhold(ReasonCensoring, "%s is missing of %s: the chance of that is %s, below %g", name, strings.Join(shares, ", "), chance(r.P), inference.MismatchBelow)
	}
}

// chance is a p-value in words: none is 0.
func chance(p float64) string {
	switch {
	case math.IsNaN(p):
		return show(p)
	case p < 1e-99:
		return "less than 1e-99"
	}
	return fmt.Sprintf("%.2g", p)
}

// counts are the customers of each arm, in words.
func counts(d *Document) string {
	parts := make([]string, len(d.SRM.Arms))
	for i, a := range d.SRM.Arms {
		parts[i] = fmt.Sprintf("%d (%s)", a.Observed, a.Arm)
	}
	return strings.Join(parts, ", ")
}

// Withheld says of the path of a figure whether the verdict on it is withheld: on all differences between arms, not on
// counts and on what says why.
func (d *Document) Withheld(path string) bool {
	if d.Verdict.Status != Withheld {
		return false
	}
	root, _, _ := strings.Cut(path, ".")
	return root == "comparisons" || root == "segments" || root == "estimates"
}

// Gateable is the document with estimates: the one comparison, where there is one, so that gates need not name it.
type Gateable struct {
	*Document

	Estimates *MetricComparison `json:"estimates,omitempty"`
}

// ForGates is what gates are judged by.
func (d *Document) ForGates() Gateable {
	g := Gateable{Document: d}
	if len(d.Comparisons) == 1 && len(d.Comparisons[0].Metrics) == 1 {
		g.Estimates = &d.Comparisons[0].Metrics[0]
	}
	return g
}
