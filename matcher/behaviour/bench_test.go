package behaviour_test

import (
	"fmt"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// base is 2024-03-15 10:00 in Shanghai.
const base = fund.Instant(1_710_468_000_000_000)

// perDay is a day.
const perDay = fund.Instant(24 * 60 * 60 * 1_000_000)

// market is a pool of products by code.
type market map[string]*behaviour.Product

// Product finds one.
func (m market) Product(code string) *behaviour.Product { return m[code] }

// busyCustomer has 10 lots, 20 purchases, 60 events; his products fell five times each
// while he had them.
func busyCustomer() (*fund.Profile, market) {
	p, pool := &fund.Profile{CustomerID: "busy"}, market{}
	for i := range 10 {
		code := fmt.Sprintf("16172%d", i)
		day := fund.Date(20200103).AddDays(11 * i)
		product := &behaviour.Product{
			FundCode: code, Issuer: fmt.Sprintf("%d号基金", i%4), Theme: fmt.Sprintf("主题%d", i%5), Grade: fund.RiskGrade(1 + i%5),
			LaunchedOn: 20190601, UnitNAV: 0.7 + float64(i)/10, NAVOn: 20240314,
		}
		for k := range 5 {
			peak := fund.Date(20200801).AddDays(150*k + i)
			product.Falls = append(product.Falls, fund.Fall{Depth: -150_000 - fund.Ratio(i), PeakOn: peak, TroughOn: peak.AddDays(40), RecoveredOn: peak.AddDays(140)})
		}
		pool[code] = product
		p.Lots = append(p.Lots, fund.Lot{ProductCode: code, Shares: 123_456_700 + fund.Shares(i), AcquiredOn: day, Cost: 1_000_000})
		p.Purchases = append(p.Purchases,
			fund.Purchase{ProductCode: code, KnownOn: day, Kind: "BUY", Amount: 1_000_000},
			fund.Purchase{ProductCode: code, KnownOn: day.AddDays(1_200 + 20*i), Kind: [...]string{"BUY", "REDEEM"}[i%2], Amount: 500_000})
	}
	kinds := [...]fund.EventKind{
		fund.Exposure, fund.Click, fund.DetailView, fund.Exposure, fund.DetailView, fund.EvidenceOpen,
		fund.ObjectionRaised, fund.Exposure, fund.OrderStart, fund.OrderAbandon, fund.Contact, fund.Click,
	}
	for i := range 60 {
		e := fund.Event{
			Kind: kinds[i%len(kinds)], At: base - fund.Instant(60-i)*5*perDay, Channel: [...]string{"APP", "APP", "BRANCH"}[i%3],
			ProductCode: fmt.Sprintf("16172%d", i/2%12), Dwell: int32(i),
		}
		if e.Kind == fund.ObjectionRaised || e.Kind == fund.EvidenceOpen {
			e.About = [...]string{"FEE", "DRAWDOWN"}[i%2]
		}
		behaviour.Fold(&p.Trail, &e)
	}
	return p, pool
}

// A reading is one of the stages of a match: no memory, a few microseconds.
func TestReadAndFactsTakeNoMemory(t *testing.T) {
	p, pool := busyCustomer()
	var c fund.Conduct
	facts := make([]fund.Evidence, 0, behaviour.MaxFacts)
	behaviour.Read(p, fund.C3, base, pool, &c)
	if n := testing.AllocsPerRun(100, func() { behaviour.Read(p, fund.C3, base, pool, &c) }); n != 0 {
		t.Errorf("a reading allocates %v times", n)
	}
	if n := testing.AllocsPerRun(100, func() { facts = behaviour.Facts(&c, facts[:0]) }); n != 0 || len(facts) < 40 {
		t.Errorf("%d facts allocate %v times", len(facts), n)
	}
}

func BenchmarkRead(b *testing.B) {
	p, pool := busyCustomer()
	var c fund.Conduct
	b.ReportAllocs()
	for b.Loop() {
		behaviour.Read(p, fund.C3, base, pool, &c)
	}
}

func BenchmarkFacts(b *testing.B) {
	p, pool := busyCustomer()
	var c fund.Conduct
	behaviour.Read(p, fund.C3, base, pool, &c)
	facts := make([]fund.Evidence, 0, behaviour.MaxFacts)
	b.ReportAllocs()
	for b.Loop() {
		facts = behaviour.Facts(&c, facts[:0])
	}
}
