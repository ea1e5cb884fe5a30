package policy

import (
	"fmt"
	"math"
)

// Result reads the state, which stays as it is.
func (s *State) Result() *Result {
	r := &Result{Rows: s.rows, Decisions: s.decisions, Censored: s.censored}
	r.Estimates.IPS, r.Estimates.SNIPS = s.moments.ips(), s.moments.snips()
	r.Estimates.ClippedIPS, _ = s.moments.clipped(s.plan.Clip, s.plan.steps)
	r.Diagnostics = s.moments.diagnostics(s.plan)
	if s.model != nil {
		fitted := s.model.fit(s.plan)
		fitted.estimates(&r.Estimates)
		r.Diagnostics.SupportViolations, r.Diagnostics.UnseenMass = fitted.violations, Number(fitted.unseen)
	} else {
		r.Diagnostics.UnseenMass = Number(math.NaN()) // rows do not tell what the target shows beside them
	}
	if s.slates != nil {
		r.Slates = s.slates.estimates()
	}
	if k := s.plan.ListCutoff; k > 0 {
		r.Lists = &ListMeasures{K: k, Decisions: s.lists.n, NDCG: mean(float64(s.lists.n), s.lists.sum, s.lists.ss)}
	}
	if s.resample != nil {
		s.resample.intervals(r)
	}
	r.Verdict = s.verdict(r)
	return r
}

// normal975 is the 97.5 % point of the standard normal distribution.
const normal975 = 1.959963984540054

// estimate puts the standard error of a mean beside it: squares is the sum of squared differences from the mean of n
// independent parts.
func estimate(value float64, n float64, squares sum) Estimate {
	stderr := math.NaN()
	if n > 1 {
		stderr = math.Sqrt(max(0, squares.hi) / (n - 1) / n)
	}
	half := float64(normal975 * stderr)
	return Estimate{Value: Number(value), StdErr: Number(stderr), CI95: [2]Number{Number(value - half), Number(value + half)}}
}

// mean is of n parts with a sum, and a sum of squares.
func mean(n float64, total, squares sum) Estimate {
	return estimate(total.over(n), n, centred(n, total, squares))
}

// centred is the sum of squared differences from the mean.
func centred(n float64, total, squares sum) sum {
	return squares.minus(total.square().by(n))
}

// total is all bands in one.
func (m *moments) total() (all band) {
	for i := range m.bands {
		b := &m.bands[i]
		all.n += b.n
		all.merge(&b.pair)
	}
	return all
}

func (m *moments) ips() Estimate {
	all := m.total()
	return mean(float64(all.n), all.x, all.xx)
}

// snips moves with a row by w (r - v) / mean(w): these sum to 0.
func (m *moments) snips() Estimate {
	all := m.total()
	n, w := float64(all.n), all.w.hi
	v := quotient(all.x, all.w)
	return estimate(v, n, all.squares(v).by(w/n).by(w/n))
}

// quotient is to the last digit of a float64.
func quotient(a, b sum) float64 {
	q := a.hi / b.hi
	return q + a.minus(b.times(q)).hi/b.hi
}

// clipped is mean(min(w, at) r), and the share of weight that is cut; at is one of the steps.
func (m *moments) clipped(at float64, steps []float64) (Estimate, float64) {
	var n float64
	var value, squares, weight, cut sum
	for i := range m.bands {
		b := &m.bands[i]
		n += float64(b.n)
		weight = weight.plus(b.w)
		if i < len(steps) && steps[i] <= at {
			value, squares = value.plus(b.x), squares.plus(b.xx)
			continue
		}
		value, squares = value.plus(b.r.times(at)), squares.plus(b.rr.times(at).times(at))
		cut = cut.plus(b.w.minus(product(float64(b.n), at)))
	}
	return mean(n, value, squares), quotient(cut, weight)
}

func (m *moments) diagnostics(p *plan) Diagnostics {
	all := m.total()
	n := float64(all.n)
	d := Diagnostics{MaxWeight: Number(math.NaN()), MeanWeight: Number(all.w.over(n)), ESS: 0}
	d.MeanWeightP = Number(meanIsOne(n, &all.pair))
	if all.n > 0 {
		d.MaxWeight = Number(m.largest)
	}
	if all.w.hi > 0 {
		d.ESS = Number(quotient(all.w.square(), all.ww))
	}
	for i, step := range p.steps {
		e, cut := m.clipped(step, p.steps)
		d.Clip = append(d.Clip, ClipAt{L: Number(step), Estimate: e, Cut: Number(cut)})
		if step >= p.Clip {
			d.ClippedRows += m.bands[i+1].n
		}
	}
	for i, rows := range m.weights {
		to := math.Ldexp(1, firstPower+i)
		from := to / 2
		switch i {
		case 0:
			from = 0
		case bins - 1:
			to = math.Inf(1)
		}
		d.Weights = append(d.Weights, WeightCount{Number(from), Number(to), rows})
	}
	return d
}

// meanIsOne is the two-sided p of the test that the mean weight is 1, by the normal distribution. Target probabilities
// are good to 1e-9, and so is the mean.
func meanIsOne(n float64, all *pair) float64 {
	off := math.Abs(all.w.over(n) - 1)
	if off <= within {
		return 1
	}
	stderr := math.Sqrt(max(0, centred(n, all.w, all.ww).hi) / (n - 1) / n)
	return math.Erfc(off / stderr / math.Sqrt2)
}

// verdict says why the estimates are not fit to decide by, if they are not.
func (s *State) verdict(r *Result) Verdict {
	v := Verdict{Status: Given, Reasons: []Reason{}}
	because := func(code ReasonCode, format string, args ...any) {
		v.Status = Withheld
		v.Reasons = append(v.Reasons, Reason{code, fmt.Sprintf(format, args...)})
	}
	if s.rows == s.censored {
		because(Empty, "no row has a reward: %d rows, %d of them censored", s.rows, s.censored)
		return v
	}
	d := &r.Diagnostics
	if !(float64(d.ESS) >= s.plan.MinESS) {
		because(SmallEffectiveSample, "the effective sample is %.1f rows, expected at least %g", float64(d.ESS), s.plan.MinESS)
	}
	if float64(d.MeanWeightP) < MeanWeightAlpha {
		because(MeanWeightOff, "the mean weight is %.6g, expected 1 (p %s): propensities are wrong, or the target shows what the log does not", float64(d.MeanWeight), chance(float64(d.MeanWeightP)))
	}
	if d.SupportViolations > 0 {
		because(SupportBroken, "the target shows %d products at positions where the log never does: %.3g of its probability", d.SupportViolations, float64(d.UnseenMass))
	}
	return v
}

// chance is a p-value in words: none is 0.
func chance(p float64) string {
	if p < 1e-99 {
		return "below 1e-99"
	}
	return fmt.Sprintf("= %.2g", p)
}
