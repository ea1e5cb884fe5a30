package matcher_test

import (
	"slices"
	"testing"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/slate"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

// benchBank is a pool of ordinary funds: nearly all may be offered, so that everything
// is scored, ordered and completed.
func benchBank(products int) *bank {
	b := newBank(42, products)
	for i := range b.products {
		p := &b.products[i]
		p.Grades = fund.Grades{Bank: fund.RiskGrade(1 + i%5)}
		p.Listing = fund.Listing{Kind: fund.PublicFund, Status: fund.Open, DueDiligenceID: "DD"}
		p.Terms = fund.Terms{LaunchedOn: 20150101, MinPurchase: 1000}
		p.Content.Goals = 0
		p.Missing = 0
		b.fees(p)
	}
	return b
}

// benchCustomer is a customer about whom much is known.
func benchCustomer(b *bank) *fund.Profile {
	p := &fund.Profile{
		CustomerID: "C0001",
		Person:     fund.Person{InvestorType: fund.Ordinary, BirthDate: 19800615, Capacity: fund.FullCapacity, AUM: 80_000_000},
		Assessment: fund.Assessment{Level: fund.C4, On: b.day.AddDays(-100)},
		Needs:      fund.StatedNeeds{Goals: []fund.Goal{fund.Growth}, HorizonMonths: 60, Liquidity: fund.NeedLow},
	}
	for i := range 8 {
		code := b.products[i*len(b.products)/8].Code
		p.Purchases = append(p.Purchases, fund.Purchase{ProductCode: code, KnownOn: b.day, Kind: "BUY"})
		p.Lots = append(p.Lots, fund.Lot{ProductCode: code, Shares: 10_000, AcquiredOn: b.day})
	}
	return p
}

// busyCustomer is one who has lots, and a trail of a year: he looked, asked, doubted,
// began orders and left them, and was called.
func busyCustomer(b *bank) *fund.Profile {
	p := benchCustomer(b)
	p.Person.Income, p.Person.ManagerID = 24_000_000, "M1"
	p.Consents = []fund.Consent{{Purpose: fund.ConsentCall, Granted: true, At: 1}}
	p.Tags = []fund.Tag{{Name: "reads_risk_tab", Value: "true", To: fund.Forever}}
	for i := range p.Lots {
		p.Lots[i].Shares, p.Lots[i].Cost, p.Lots[i].AcquiredOn = 100_000_000, 1_100_000, b.day.AddDays(-40*i-10)
	}
	var events []fund.Event
	for i := range 60 {
		at := b.day.AddDays(-i*6-1).Start() + fund.Instant(i)*1_000_000
		code := b.products[i*7%len(b.products)].Code
		kind := [...]fund.EventKind{fund.Exposure, fund.Click, fund.DetailView, fund.ObjectionRaised, fund.OrderStart, fund.OrderAbandon, fund.EvidenceOpen, fund.Redeem, fund.Contact, fund.Exposure}[i%10]
		e := fund.Event{Kind: kind, At: at, ProductCode: code, Channel: "APP", Dwell: 12}
		switch kind { //nolint:exhaustive // the others have nothing of their own
		case fund.ObjectionRaised, fund.EvidenceOpen:
			e.About = "DRAWDOWN"
		case fund.Redeem:
			e.Amount, e.Cost = 900_000, 1_000_000
		}
		events = append(events, e)
	}
	p.Trail = behaviour.Of(events)
	return p
}

func benchMatch(b *testing.B, products int, customer func(*bank) *fund.Profile, r matcher.Request) {
	b.Helper()
	bank := benchBank(products)
	core := bank.compile(b)
	p := customer(bank)
	r.At, r.Limit = bank.asOf, 5
	var out matcher.Slate
	if err := core.Match(p, r, &out); err != nil {
		b.Fatal(err)
	}
	if len(out.Items) != r.Limit {
		b.Fatalf("an unrealistic answer: %+v", out.Items)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := core.Match(p, r, &out); err != nil {
			b.Fatal(err)
		}
	}
}

// The promise of docs/performance.md: at most 15 us and no allocation.
func BenchmarkMatch(b *testing.B) {
	benchMatch(b, 300, benchCustomer, matcher.Request{Channel: fund.App, Audience: wording.Customer})
}

// With the last place left to chance: what else could stand there is found for each answer.
func BenchmarkMatchExplored(b *testing.B) {
	benchMatch(b, 300, benchCustomer, matcher.Request{
		Channel: fund.App, Audience: wording.Customer, Exploration: slate.Exploration{Probability: 500, Next: 10, MaxGap: .1},
	})
}

func BenchmarkMatch20000(b *testing.B) {
	benchMatch(b, 20_000, benchCustomer, matcher.Request{Channel: fund.App, Audience: wording.Customer})
}

// With everything: a trail of a year, lots with losses, the branch, the manager's card and
// brief. The promise: at most 25 us.
func BenchmarkMatchEverything(b *testing.B) {
	benchMatch(b, 300, busyCustomer, matcher.Request{Channel: fund.Branch, Licence: licensed, Audience: wording.Manager})
}

func BenchmarkCompile(b *testing.B) {
	bank := benchBank(300)
	in := bank.inputs()
	b.ReportAllocs()
	for b.Loop() {
		compile(b, in)
	}
}

func BenchmarkAppendCanonical(b *testing.B) {
	bank := benchBank(300)
	core := bank.compile(b)
	s := match(b, core, benchCustomer(bank), matcher.Request{At: bank.asOf, Channel: fund.App, Limit: 5})
	buf := s.AppendCanonical(nil)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		buf = s.AppendCanonical(buf[:0])
	}
}

// Match allocates nothing once its buffers have grown.
func TestMatchDoesNotAllocate(t *testing.T) {
	bank := benchBank(300)
	core := bank.compile(t)
	p := busyCustomer(bank)
	r := matcher.Request{At: bank.asOf, Channel: fund.Branch, Licence: licensed, Audience: wording.Manager, Limit: 5}
	var out matcher.Slate
	if err := core.Match(p, r, &out); err != nil {
		t.Fatal(err)
	}
	canonical := slices.Grow(out.AppendCanonical(nil), 1024)
	allocated := testing.AllocsPerRun(100, func() {
		if err := core.Match(p, r, &out); err != nil {
			t.Error(err)
		}
		canonical = out.AppendCanonical(canonical[:0])
	})
	if allocated != 0 {
		t.Errorf("%v allocations an answer", allocated)
	}
}
