package objection_test

import (
	"testing"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
)

// typical is what an item costs on most days: an ordinary customer with three holdings,
// one of them at a loss, some tags, a few doubts.
func typical() *objection.Case {
	c := person()
	holding(c, other("H1", "医药混合", fund.Equity, fund.R4), 5_000_000, 3_900_000)
	holding(c, other("H2", "稳健债券", fund.Bond, fund.R2), 9_000_000, 9_100_000)
	holding(c, other("H3", "现金宝", fund.MoneyMarket, fund.R1), 2_000_000, 2_010_000)
	c.Customer.Tags = []fund.Tag{{Name: "channel_preference", Value: "APP", To: fund.Forever}, {Name: "reads_risk_tab", Value: "true", To: fund.Forever}}
	c.Customer.Conduct.Doubts = []fund.Doubt{{ProductCode: "H1", Code: "FEE", Count: 1, Last: now}}
	c.Customer.Journey = &fund.Journey{ProductCode: "EQ1", Exposures: 2}
	for range 3 {
		c.Managed = append(c.Managed, objection.Managed{Code: "M", Name: "同门", Record: mild()})
	}
	return c
}

func BenchmarkForesee(b *testing.B) {
	for name, c := range map[string]*objection.Case{"typical": typical(), "not_personal": func() *objection.Case {
		c := person()
		c.Customer = objection.Customer{}
		return c
	}()} {
		b.Run(name, func(b *testing.B) {
			dst, facts := objection.Foresee(c, nil, nil)
			b.ReportAllocs()
			for b.Loop() {
				dst, facts = objection.Foresee(c, dst[:0], facts[:0])
			}
		})
	}
}

// Into buffers that are long enough nothing is allocated, whatever is foreseen.
func TestForeseeAllocatesNothing(t *testing.T) {
	dst, facts := make([]objection.Objection, 0, 8), make([]fund.Evidence, 0, 256)
	for name, c := range map[string]*objection.Case{"typical": typical(), "ordinary": aCase(), "nothing personal": {Subject: person().Subject, Quote: person().Quote}} {
		if n := testing.AllocsPerRun(50, func() { dst, facts = objection.Foresee(c, dst[:0], facts[:0]) }); n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
		if n := testing.AllocsPerRun(50, func() { _ = objection.Raises(&c.Subject) }); n > 0 {
			t.Errorf("%s: Raises: %v allocations", name, n)
		}
	}
}
