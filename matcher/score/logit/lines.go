package logit

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// lines returns the calibration of all rows, then of each segment by name.
func lines(rows []Forecast) []Line {
	segments := map[string][]Forecast{}
	for _, r := range rows {
		if r.Segment != "" {
			segments[r.Segment] = append(segments[r.Segment], r)
		}
	}
	out := []Line{lineOf("", rows)}
	for _, name := range slices.Sorted(maps.Keys(segments)) {
		out = append(out, lineOf(name, segments[name]))
	}
	return out
}

// lineOf fits one line, or says why there is none.
func lineOf(segment string, rows []Forecast) Line {
	l := Line{Segment: segment, Rows: int64(len(rows))}
	x, y := make([]float64, len(rows)), make([]float64, len(rows))
	for i, r := range rows {
		x[i] = math.Log(r.Probability) - math.Log1p(-r.Probability)
		l.Predicted += r.Probability / float64(l.Rows)
		if r.Happened {
			y[i] = 1
			l.Events++
		}
	}
	l.Observed = float64(l.Events) / float64(l.Rows)
	if fewer := min(l.Events, l.Rows-l.Events); fewer < fewestOutcomes {
		l.Unknown = fmt.Sprintf("%d events in %d rows: at least %d of both outcomes are needed", l.Events, l.Rows, fewestOutcomes)
		return l
	}
	fitted, err := fitLine(x, y)
	if err != nil {
		l.Unknown = err.Error()
		return l
	}
	l.Intercept, l.Slope = sandwich(rows, fitted, x, y)
	l.InTheLarge = inTheLarge(rows, x, y)
	return l
}

// sandwich returns the line with intervals that take customers, not rows, for independent:
// H⁻¹ (Σ g_c g_c') H⁻¹ C/(C-1), g_c being customer c's part of the likelihood's slope.
func sandwich(rows []Forecast, l line, x, y []float64) (intercept, slope Interval) {
	sums := map[string][2]float64{}
	var h00, h01, h11 float64
	for i, r := range rows {
		p := l.at(x[i])
		d, w := y[i]-p, p*(1-p)
		g := sums[r.Customer]
		sums[r.Customer] = [2]float64{g[0] + d, g[1] + float64(d*x[i])}
		h00, h01, h11 = h00+w, h01+float64(w*x[i]), h11+float64(float64(w*x[i])*x[i])
	}
	det := float64(h00*h11) - float64(h01*h01)
	var v0, v1 float64
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		g := sums[name]
		a := (float64(h11*g[0]) - float64(h01*g[1])) / det
		b := (float64(h00*g[1]) - float64(h01*g[0])) / det
		v0, v1 = v0+float64(a*a), v1+float64(b*b)
	}
	spare := sparing(len(sums))
	return around(l.intercept, math.Sqrt(v0*spare)), around(l.slope, math.Sqrt(v1*spare))
}

// inTheLarge fits the intercept alone, the slope being 1.
func inTheLarge(rows []Forecast, x, y []float64) Interval {
	l := line{slope: 1}
	var h float64
	for range maxSteps {
		var g float64
		h = 0
		for i, v := range x {
			p := l.at(v)
			g += p - y[i]
			h += float64(p * (1 - p))
		}
		// A step of at most 1: the likelihood is concave, and far out it is flat.
		move := min(max(g/h, -1), 1)
		l.intercept -= move
		if math.Abs(move) <= 1e-12 {
			break
		}
	}
	sums := map[string]float64{}
	for i, r := range rows {
		sums[r.Customer] += y[i] - l.at(x[i])
	}
	var squares float64
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		squares += float64(sums[name] * sums[name])
	}
	return around(l.intercept, math.Sqrt(squares*sparing(len(sums)))/h)
}

// sparing is the small-sample factor of a sandwich of so many customers.
func sparing(customers int) float64 {
	if customers < 2 {
		return math.Inf(1)
	}
	return float64(customers) / float64(customers-1)
}

func around(value, deviation float64) Interval {
	return Interval{Value: value, Low: value - z95*deviation, High: value + z95*deviation}
}
