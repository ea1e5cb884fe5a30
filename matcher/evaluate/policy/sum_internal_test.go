package policy

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func exactly(s sum) *big.Float {
	x := new(big.Float).SetPrec(2000).SetFloat64(s.hi)
	return x.Add(x, new(big.Float).SetFloat64(s.lo))
}

// drawSum has digits in both numbers.
func drawSum(t *rapid.T, name string) sum {
	number := rapid.Custom(func(t *rapid.T) float64 {
		x := math.Ldexp(rapid.Float64Range(1, 2).Draw(t, "digits"), rapid.IntRange(-60, 60).Draw(t, "power"))
		return x * rapid.SampledFrom([]float64{-1, 0, 1}).Draw(t, "sign")
	})
	hi := number.Draw(t, name)
	return normal(hi, math.Ldexp(hi, -53)*rapid.Float64Range(-1, 1).Draw(t, "less"))
}

// Each operation is right to 31 digits of its operands, and a division to the last digit of a float64 and a half.
func TestSumsHaveThirtyTwoDigits(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a, b := drawSum(rt, "a"), drawSum(rt, "b")
		x := b.hi
		ea, eb, ex := exactly(a), exactly(b), exactly(sum{hi: x})
		float := func() *big.Float { return new(big.Float).SetPrec(2000) }
		size := math.Abs(a.hi) + math.Abs(b.hi)
		hold := func(name string, got sum, want *big.Float, size float64) {
			if got.hi+got.lo != got.hi {
				rt.Fatalf("%s of %v and %v is %v, which is not normal", name, a, b, got)
			}
			off, _ := float().Sub(exactly(got), want).Float64()
			if !(math.Abs(off) <= 1e-31*size) {
				rt.Fatalf("%s of %v and %v is %v: %g off", name, a, b, got, off)
			}
		}
		hold("sum", a.plus(b), float().Add(ea, eb), size)
		hold("difference", a.minus(b), float().Sub(ea, eb), size)
		hold("sum with a number", a.add(x), float().Add(ea, ex), size)
		hold("product", a.times(x), float().Mul(ea, ex), math.Abs(a.hi*x))
		hold("exact product", product(a.hi, x), float().Mul(exactly(sum{hi: a.hi}), ex), 0)
		hold("square", a.square(), float().Mul(ea, ea), a.hi*a.hi)
		if x == 0 {
			return
		}
		hold("quotient", a.by(x), float().Quo(ea, ex), math.Abs(a.hi/x))
		for name, q := range map[string]struct {
			got float64
			by  *big.Float
		}{"over": {a.over(x), ex}, "quotient of sums": {quotient(a, b), eb}} {
			want := float().Quo(ea, q.by)
			off, _ := float().Sub(exactly(sum{hi: q.got}), want).Float64()
			if ulp := math.Nextafter(math.Abs(q.got), math.Inf(1)) - math.Abs(q.got); !(math.Abs(off) <= .51*ulp) {
				rt.Fatalf("%s of %v and %v is %v: %g of its last digit off", name, a, b, q.got, off/ulp)
			}
		}
	})
}
