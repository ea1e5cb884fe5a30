package monitor

import "math"

// MinDriftRows is how many rows both sides need before a drift is said: with fewer the
// index is mostly noise.
const MinDriftRows = 100

// drift compares the counts of the same bins. The population stability index is the
// symmetric Kullback-Leibler divergence (Lewis, An Introduction to Credit Scoring, 1992;
// Siddiqi, Credit Risk Scorecards, 2006):
//
//	PSI = sum over bins of (a - b) ln(a / b)
//
// with a and b the shares of now and of the baseline. A bin that is empty on one side
// would make it infinite, so that shares are smoothed by half a row a bin (the estimator
// of Krichevsky and Trofimov, 1981): a = (rows in the bin + 1/2) / (rows + bins/2). Its
// average without any drift is (bins-1) (1/n + 1/m) (Yurdakul and Naranjo, Statistical
// Properties of the Population Stability Index, 2020).
func drift(now, baseline []int64) Drift {
	d := Drift{Bins: len(now)}
	var n, m int64
	for i := range now {
		n, m = n+now[i], m+baseline[i]
	}
	if n < MinDriftRows || m < MinDriftRows {
		return d
	}
	d.Known = true
	half := float64(len(now)) / 2
	for i := range now {
		a := (float64(now[i]) + 0.5) / (float64(n) + half)
		b := (float64(baseline[i]) + 0.5) / (float64(m) + half)
		d.PSI += float64((a - b) * math.Log(a/b))
	}
	d.Noise = float64(len(now)-1) * (1/float64(n) + 1/float64(m))
	return d
}
