package logit

import "math"

// Platt fits probability = sigmoid(Intercept + Slope * log-odds) by largest likelihood,
// with the targets of Platt (1999): of N rows in which it happened each counts as
// (N+1)/(N+2), of M others each as 1/(M+2), so that separated outcomes have an answer too.
// Errors: ErrTooFew, ErrOneClass, ErrNotFinite, ErrConstant (all log-odds the same),
// ErrNotMonotone (a slope not above 0), ErrNotConverged.
func Platt(rows []Scored) (*Calibration, error) {
	if err := checkScored(rows); err != nil {
		return nil, err
	}
	var events float64
	for _, r := range rows {
		if r.Happened {
			events++
		}
	}
	yes, no := (events+1)/(events+2), 1/(float64(len(rows))-events+2)
	x, target := make([]float64, len(rows)), make([]float64, len(rows))
	for i, r := range rows {
		x[i], target[i] = r.LogOdds, no
		if r.Happened {
			target[i] = yes
		}
	}
	l, err := fitLine(x, target)
	if err != nil {
		return nil, err
	}
	if !(l.slope > 0) {
		return nil, &DataError{Err: ErrNotMonotone, Value: l.slope, Want: "a slope above 0"}
	}
	c := calibrationOf(PlattScaling, len(rows))
	c.Slope, c.Intercept = l.slope, l.intercept
	return c, nil
}

// checkScored refuses rows that nothing can be calibrated on.
func checkScored(rows []Scored) error {
	if len(rows) < 2 || len(rows) > MaxRows {
		return &DataError{Err: ErrTooFew, Value: float64(len(rows)), Want: "at least two rows"}
	}
	events := 0
	for i, r := range rows {
		if !(math.Abs(r.LogOdds) <= maxValue) {
			return &DataError{Err: ErrNotFinite, Column: "log-odds", Row: i + 1, Value: r.LogOdds, Want: "a number within ±1e100"}
		}
		if r.Happened {
			events++
		}
	}
	if events == 0 || events == len(rows) {
		return &DataError{Err: ErrOneClass, Value: float64(events), Want: "some rows in which it happened and some in which it did not"}
	}
	return nil
}

func calibrationOf(m Method, rows int) *Calibration {
	least := .5 / float64(rows+1)
	return &Calibration{Method: m, Least: least, Most: 1 - least, Rows: int64(rows)}
}

// line is a logistic regression on one column: log-odds = intercept + slope * x.
type line struct{ intercept, slope float64 }

// at returns the line's probability.
func (l line) at(x float64) float64 { return Sigmoid(l.intercept + float64(l.slope*x)) }

// fitLine finds the line of largest likelihood for targets within [0, 1], by Newton's
// method on x in mean 0 and deviation 1. Errors: ErrConstant, ErrSeparated, ErrNotConverged.
func fitLine(x, target []float64) (line, error) {
	n := float64(len(x))
	var mean, share, squares float64
	for i, v := range x {
		mean += v / n
		share += target[i] / n
	}
	for _, v := range x {
		squares += float64((v-mean)*(v-mean)) / n
	}
	scale := math.Sqrt(squares)
	if !(scale > 0x1p-50*math.Abs(mean)) {
		return line{}, &DataError{Err: ErrConstant, Column: "log-odds", Value: mean, Want: "values that differ"}
	}
	z := make([]float64, len(x))
	for i, v := range x {
		z[i] = (v - mean) / scale
	}
	l := line{intercept: math.Log(share / (1 - share))}
	here := lossOf(l, z, target)
	for range maxSteps {
		move, ok := newtonStep(l, z, target)
		if !ok {
			return line{}, &DataError{Err: ErrSeparated, Column: "log-odds", Value: l.slope / scale, Want: "scores that do not tell the outcomes apart without fail"}
		}
		part := 1.
		next := line{l.intercept - move.intercept, l.slope - move.slope}
		there := lossOf(next, z, target)
		for ; there > here+1e-12*here && part > 1e-9; there = lossOf(next, z, target) {
			part /= 2
			next = line{l.intercept - part*move.intercept, l.slope - part*move.slope}
		}
		l, here = next, there
		if math.Abs(move.intercept)+math.Abs(move.slope) <= 1e-9*(1+math.Abs(l.intercept)+math.Abs(l.slope)) {
			slope := l.slope / scale
			return line{l.intercept - float64(slope*mean), slope}, nil
		}
	}
	return line{}, &DataError{Err: ErrNotConverged, Column: "log-odds", Value: l.slope / scale, Want: "steps that end"}
}

// lossOf returns minus the log-likelihood: log(1+e^eta) - target*eta, without cancellation.
func lossOf(l line, z, target []float64) (loss float64) {
	for i, v := range z {
		eta := l.intercept + float64(l.slope*v)
		loss += math.Log1p(Exp(-math.Abs(eta))) + max(eta, 0) - float64(target[i]*eta)
	}
	return loss
}

// newtonStep returns H⁻¹g at the line; not ok where H is not positive.
func newtonStep(l line, z, target []float64) (line, bool) {
	var g0, g1, h00, h01, h11 float64
	for i, v := range z {
		p := l.at(v)
		d, w := p-target[i], float64(p*(1-p))
		g0 += d
		g1 += float64(d * v)
		h00 += w
		h01 += float64(w * v)
		h11 += float64(float64(w*v) * v)
	}
	det := float64(h00*h11) - float64(h01*h01)
	if !(det > 0x1p-45*float64(h00*h11)) {
		return line{}, false
	}
	return line{(float64(h11*g0) - float64(h01*g1)) / det, (float64(h00*g1) - float64(h01*g0)) / det}, true
}
