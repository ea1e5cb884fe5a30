package track_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/track"
)

// tenYears are 2,500 NAVs, one for each weekday, with the swings of a stock fund.
func tenYears(seed uint64) []fund.NAV {
	r := rand.New(rand.NewPCG(seed, 2)) // #nosec G404 -- a test's series
	navs := make([]fund.NAV, 0, 2500)
	v := 1.0
	for day := fund.Date(20150105); len(navs) < cap(navs); day = day.AddDays(1) {
		if w := day.Weekday(); w == time.Saturday || w == time.Sunday {
			continue
		}
		navs = append(navs, fund.NAV{Date: day, Unit: v, Accum: v})
		v *= 1 + 0.0002 + 0.014*r.NormFloat64()
	}
	return navs
}

func BenchmarkCompute(b *testing.B) {
	navs := tenYears(1)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := track.Compute(navs, 20250101, track.Settings{RiskFree: 150}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAgainst(b *testing.B) {
	record, err := track.Compute(tenYears(1), 20250101, track.Settings{RiskFree: 150})
	if err != nil {
		b.Fatal(err)
	}
	benchmark := tenYears(2)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := track.Against(&record, "INDEX", benchmark); err != nil {
			b.Fatal(err)
		}
	}
}
