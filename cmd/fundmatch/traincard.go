package main

import (
	"fmt"

	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/score/logit"
	"github.com/fundmatch/fundmatch/services/training"
)

// tellTraining prints what was learnt.
func (p *program) tellTraining(o *trainOptions, r *training.Report) error {
	if o.json {
		return p.printJSON(r)
	}
	var c card
	c.line(0, "%s, version %d, id %s", r.Name, r.Version, r.ID)
	c.line(0, "history %s to %s: %d exposures of %d customers, %d examples, %d with an order", r.Training.From, r.Training.Through,
		r.Counts.Exposures, r.Counts.Customers, r.Counts.Examples, r.Counts.Converted)
	c.line(2, "left out: %d shown again that day, %d of which the days are not over, %d not in the pool, %d without personalisation, %d not to be offered",
		r.Counts.Repeated, r.Counts.OpenWindow, r.Counts.NotInPool, r.Counts.Impersonal, r.Counts.NotOffered)
	if r.Conversion != nil {
		tellConversion(&c, r)
	}
	if len(r.Weights) > 0 {
		tellWeights(&c, r)
	}
	tellAffinity(&c, r.Affinity)
	tellOutcome(&c, r.Outcome)
	tellLinear(&c, "amount of an order", r.Amount)
	tellLinear(&c, "days until a redemption", r.Holding)
	for _, notice := range r.Notices {
		c.line(0, "notice: %s", notice)
	}
	if o.out != "" {
		c.line(0, "wrote %s", o.out)
	}
	return c.writeTo(p.stdout)
}

func tellConversion(c *card, r *training.Report) {
	v := r.Conversion
	a := v.Assessment
	all := &a.Lines[0]
	c.line(0, "probability of an order within %d days: fitted before %s, calibrated before %s (%s), held out from then on, other customers",
		v.WithinDays, r.Cuts.Calibrate, r.Cuts.Judge, chosenMethod(v.Trials))
	c.line(2, "held out: %d examples of %d customers, %d with an order", a.Rows, a.Customers, a.Events)
	c.line(2, "Brier %.5f, skill %s; log loss %.5f; calibration error %.4f", a.Brier, interval(a.Skill), a.LogLoss, a.ECE)
	c.line(2, "slope %s, intercept %s", interval(all.Slope), interval(all.Intercept))
	for i := range v.Segments {
		s := &v.Segments[i]
		if s.Unknown != "" {
			c.line(4, "%-10s %6d examples: %s", s.Segment, s.Rows, s.Unknown)
			continue
		}
		c.line(4, "%-10s %6d examples, said %.4f, was %.4f; slope %s, intercept %s", s.Segment, s.Rows, s.Predicted, s.Observed, interval(s.Slope), interval(s.InTheLarge))
	}
	c.line(2, "inputs, by log-odds a deviation:")
	for i := range v.Fit.Terms {
		t := &v.Fit.Terms[i]
		c.line(4, "%-17s %+8.4f, coefficient %+9.4f, standard error %.4f", t.Name, t.Coefficient*t.Scale, t.Coefficient, t.StandardError)
	}
}

func chosenMethod(trials []logit.Trial) string {
	for i := range trials {
		if trials[i].Chosen {
			return string(trials[i].Method)
		}
	}
	return "?"
}

func interval(i logit.Interval) string {
	return fmt.Sprintf("%.4f [%.4f, %.4f]", i.Value, i.Low, i.High)
}

func tellWeights(c *card, r *training.Report) {
	c.line(0, "weights on %d pairs of a customer and a permitted product; the model has those %s:", r.Pairs, r.Chosen)
	for i := range r.Weights {
		w := &r.Weights[i]
		c.line(2, "%-15s judged %+8.3f, regression %+9.3f (%.3f), within bounds %+9.3f %s", w.Feature, w.Judged, w.Free, w.StandardError, w.Fitted, w.Bound)
	}
}

// tellOutcome says whose shapes the ranges foreseen have.
func tellAffinity(c *card, a *training.Affinity) {
	if a != nil {
		c.line(0, "affinity as of %s: %s, of which %d held by somebody; %d bytes", a.AsOf, plural(a.Funds, "fund", "funds"), a.Held, a.Bytes)
	}
}

func tellOutcome(c *card, o *training.Outcome) {
	if o == nil {
		return
	}
	c.line(0, "ranges foreseen, from the NAVs of %s:", plural(o.Products, "product", "products"))
	for _, s := range o.Horizons {
		whose := "the program's shape"
		if s.Own {
			whose = "the bank's own shape"
		}
		c.line(2, "%2d months: %6d holdings, %.1f windows: %s", s.Months, s.Holdings, s.Windows, whose)
	}
}

func tellLinear(c *card, what string, l *score.Linear) {
	if l == nil {
		return
	}
	c.line(0, "%s, %s: R2 %.4f on %d rows; told, not in the model", what, l.Target.Unit, l.RSquared, l.Rows)
	for i := range l.Terms {
		t := &l.Terms[i]
		c.line(2, "%-15s %+9.4f, standard error %.4f", t.Name, t.Coefficient, t.StandardError)
	}
}
