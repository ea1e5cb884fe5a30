package policylog

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
)

// TestNumbersRoundAsStrconv: hundreds of thousands of numbers of the shapes that logs have, and those that lie half way
// between two floats or next to it. FuzzNumber looks for others.
func TestNumbersRoundAsStrconv(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 11))
	check := func(s string) {
		t.Helper()
		want, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		got, end := scanNumber(append([]byte(s+","), make([]byte, padding)...), 0)
		if end >= 0 && (end != len(s) || math.Float64bits(got) != math.Float64bits(want+0)) {
			t.Fatalf("%s: scanned as %v to %d, strconv %v", s, got, end, want)
		}
		if got, ok := parseNumber([]byte(s), true); !ok || math.Float64bits(got+0) != math.Float64bits(want+0) {
			t.Fatalf("%s: parsed as %v, strconv %v", s, got, want)
		}
	}
	scanned := 0
	for range 100_000 {
		v := r.Float64()
		check(strconv.FormatFloat(v, 'f', -1, 64))
		check(strconv.FormatFloat(-v*math.Pow(10, float64(r.IntN(40)-20)), 'g', -1, 64))
		digits := 1 + r.IntN(19)
		check(fmt.Sprintf("0.%0*d", digits, r.Uint64()%uint64(math.Pow10(digits))))
		check(fmt.Sprintf("%d.%0*de%d", r.Uint64N(1e6), 1+r.IntN(15), r.Uint64N(1e3), r.IntN(50)-25))
		half := 1<<52 + r.Uint64N(1<<52)
		check(fmt.Sprintf("%d.5", half))
		check(fmt.Sprintf("%d.%d", half/2, []int{25, 75, 24, 26}[r.IntN(4)]))
		check(fmt.Sprintf("%d.125", half/4))
		if _, end := scanNumber(append(strconv.AppendFloat(nil, v, 'f', -1, 64), make([]byte, padding)...), 0); end >= 0 {
			scanned++
		}
	}
	if scanned < 99_000 {
		t.Errorf("only %d of 100000 probabilities were scanned", scanned)
	}
}
