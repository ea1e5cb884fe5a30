package survival

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Transform is the scale that an interval is symmetric on.
type Transform int

// The transforms.
const (
	// Plain is S ± z stderr, cut at 0 and 1 (Greenwood 1926).
	Plain Transform = iota
	// LogLog is S^exp(± z stderr/(S ln S)), which stays within 0 and 1 and is better where few are left (Kalbfleisch and
	// Prentice 1980).
	LogLog
)

// Point is a time at which somebody left.
type Point struct {
	Time      float64
	AtRisk    int64 // were there just before
	Events    int64
	Survival  float64 // share that stays longer
	StdErr    float64 // Greenwood's
	Low, High float64
}

// KaplanMeier is the product over times of 1 - events/at risk (1958), with Greenwood's variance S² Σ d/(n (n - d)) and
// intervals of level 1 - alpha. Who is censored at a time counts as there when others leave at it. Where all have left
// nothing is known of the spread: from there on the interval is that of 0 alone, [0, 0].
// Errors: ErrOptions.
func KaplanMeier(t *Table, alpha float64, scale Transform) ([]Point, error) {
	if !(alpha > 0 && alpha < 1) {
		return nil, fmt.Errorf("%w: alpha %v, expected above 0 and below 1", ErrOptions, alpha)
	}
	z := distuv.UnitNormal.Quantile(1 - alpha/2)
	var out []Point
	staying, sum := 1.0, 0.0
	atRisk := t.Customers()
	for _, r := range t.rows {
		if r.Events > 0 {
			n, d := float64(atRisk), float64(r.Events)
			staying *= (n - d) / n
			sum += d / (n * (n - d)) // +Inf where all left; staying is 0 then
			p := Point{Time: r.Time, AtRisk: atRisk, Events: r.Events, Survival: staying}
			if staying > 0 {
				p.StdErr = float64(staying * math.Sqrt(sum))
				p.Low, p.High = scale.interval(staying, float64(z*p.StdErr))
			}
			out = append(out, p)
		}
		atRisk -= r.Events + r.Censored
	}
	return out, nil
}

// interval is that about a share above 0 and below 1.
func (scale Transform) interval(share, half float64) (low, high float64) {
	if scale == LogLog {
		e := half / (share * math.Log(share)) // below 0
		return math.Pow(share, math.Exp(-e)), math.Pow(share, math.Exp(e))
	}
	return max(share-half, 0), min(share+half, 1)
}

// Median is the first time by which at most half stay longer; ok is false where more do to the end.
func Median(curve []Point) (time float64, ok bool) {
	for _, p := range curve {
		if p.Survival <= .5 {
			return p.Time, true
		}
	}
	return math.NaN(), false
}
