package logit

import "math"

// Sigmoid returns the probability of log-odds eta, 1/(1+e^-eta): the same bits on every
// platform, never 0, and below 1 up to log-odds of 36. NaN stays NaN.
func Sigmoid(eta float64) float64 {
	if eta >= 0 {
		return 1 / (1 + Exp(-eta))
	}
	e := Exp(eta)
	return e / (1 + e)
}

// Exp returns e^x within 1 ulp for x in [-700, 700], to which it is bounded. Package math
// takes another path with other last digits where the processor has fused arithmetic; a
// served probability is replayed bit for bit, so this is FreeBSD's e_exp.c (Sun
// Microsystems 1993/2004) with every product rounded.
func Exp(x float64) float64 {
	const (
		ln2High, ln2Low = 6.93147180369123816490e-01, 1.90821492927058770002e-10
		p1, p2, p3      = 1.66666666666666657415e-01, -2.77777777770155933842e-03, 6.61375632143793436117e-05
		p4, p5          = -1.65339022054652515390e-06, 4.13813679705723846039e-08
	)
	x = min(max(x, -700), 700)
	if math.IsNaN(x) {
		return x
	}
	k := math.Floor(float64(math.Log2E*x) + .5)
	high, low := x-float64(k*ln2High), float64(k*ln2Low)
	r := high - low
	t := float64(r * r)
	c := p4 + float64(t*p5)
	c = p3 + float64(t*c)
	c = p2 + float64(t*c)
	c = p1 + float64(t*c)
	c = r - float64(t*c)
	y := 1 - ((low - float64(r*c)/(2-c)) - high)
	return y * math.Float64frombits(uint64(1023+int(k))<<52)
}
