package eligibility_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// reformed is a day on which every rule of the built-in pack is in force, both books too.
const reformed = fund.Date(20260601)

func benchmarkProfile() (*fund.Profile, eligibility.Context) {
	p := &fund.Profile{
		Assessment:  fund.Assessment{Level: fund.C3, On: 20260105},
		Assessments: []fund.Assessed{{At: fund.Date(20250105).Start(), Level: fund.C2}, {At: fund.Date(20260105).Start(), Level: fund.C3}},
		Person:      fund.Person{BirthDate: 19550101, Capacity: fund.FullCapacity},
		Needs:       fund.StatedNeeds{Goals: []fund.Goal{fund.Growth}, HorizonMonths: 60, Liquidity: fund.NeedHigh},
	}
	return p, eligibility.Context{At: reformed.Start(), Channel: fund.App}
}

func benchmarkProducts(n int) []fund.Product {
	products := make([]fund.Product, n)
	for i := range products {
		products[i] = rapid.Custom(someProduct).Example(i % 97)
		products[i].Code = fmt.Sprint("p", i)
	}
	return products
}

func benchmarkGate(tb testing.TB, n int) (*eligibility.Gate, eligibility.Facts) {
	tb.Helper()
	profile, ctx := benchmarkProfile()
	gate := compile(tb, packWith(tb, nil), benchmarkProducts(n), ctx.At)
	facts := gate.Facts(profile, fund.Growth, 60, fund.NeedHigh, ctx)
	return gate, facts
}

// saying is a customer who looked around and refused some funds of a pool.
func saying(gate *eligibility.Gate, n int) (*fund.Profile, *eligibility.Refusals) {
	p, _ := benchmarkProfile()
	for i := range 60 {
		p.Trail.Recent = append(p.Trail.Recent, fund.Event{
			Kind: []fund.EventKind{fund.Exposure, fund.Exposure, fund.DetailView}[i%3], At: reformed.AddDays(-20).Start() + fund.Instant(i), ProductCode: fmt.Sprint("p", i%7),
		})
	}
	for i := range n {
		p.Trail.Recent = append(p.Trail.Recent, fund.Event{Kind: fund.Refusal, At: reformed.AddDays(-1).Start(), ProductCode: fmt.Sprint("p", 50*i)})
	}
	r := &eligibility.Refusals{}
	gate.Refusals(p, reformed.Start(), r)
	return p, r
}

func TestTheGateDoesNotAllocate(t *testing.T) {
	gate, facts := benchmarkGate(t, 300)
	profile, r := saying(gate, 5)
	_, ctx := benchmarkProfile()
	often := *profile
	for i := range 200 {
		often.Trail.Recent = append(often.Trail.Recent, fund.Event{Kind: fund.Exposure, At: reformed.Start(), ProductCode: fmt.Sprint("p", i%3)})
	}
	var v eligibility.Verdicts
	for name, ask := range map[string]func(){
		"Select":            func() { gate.Select(&facts, nil, &v) },
		"Select, refusals":  func() { gate.Select(&facts, r, &v) },
		"Refusals":          func() { gate.Refusals(profile, ctx.At, r) },
		"Refusals, showing": func() { gate.Refusals(&often, ctx.At, r) },
		"Facts":             func() { facts = gate.Facts(profile, fund.Growth, 60, fund.NeedHigh, ctx) },
	} {
		ask()
		if n := testing.AllocsPerRun(100, ask); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	if gate.Refusals(&often, ctx.At, r); len(r.Tired) != 3 {
		t.Errorf("tired of %v, expected 3 funds", r.Tired)
	}
}

// BenchmarkSelect5000 is the online gate over a large pool with the whole built-in pack.
func BenchmarkSelect5000(b *testing.B) {
	gate, facts := benchmarkGate(b, 5_000)
	_, r := saying(gate, 3)
	for name, words := range map[string]*eligibility.Refusals{"silent": nil, "refusals": r} {
		b.Run(name, func(b *testing.B) {
			var v eligibility.Verdicts
			b.ReportAllocs()
			for b.Loop() {
				gate.Select(&facts, words, &v)
			}
		})
	}
}

// BenchmarkGate5000 is all that a request asks of the gate.
func BenchmarkGate5000(b *testing.B) {
	gate, facts := benchmarkGate(b, 5_000)
	profile, r := saying(gate, 1)
	_, ctx := benchmarkProfile()
	var v eligibility.Verdicts
	b.ReportAllocs()
	for b.Loop() {
		facts = gate.Facts(profile, fund.Growth, 60, fund.NeedHigh, ctx)
		gate.Refusals(profile, ctx.At, r)
		gate.Select(&facts, r, &v)
	}
}

func BenchmarkSelect(b *testing.B) {
	for _, n := range []int{300, 20_000} {
		gate, facts := benchmarkGate(b, n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var v eligibility.Verdicts
			for b.Loop() {
				gate.Select(&facts, nil, &v)
			}
		})
	}
}

func BenchmarkFacts(b *testing.B) {
	gate, facts := benchmarkGate(b, 1)
	profile, ctx := benchmarkProfile()
	for b.Loop() {
		facts = gate.Facts(profile, fund.Growth, 60, fund.NeedHigh, ctx)
	}
	_ = facts
}

func BenchmarkRefusals(b *testing.B) {
	gate, _ := benchmarkGate(b, 300)
	profile, r := saying(gate, 3)
	for b.Loop() {
		gate.Refusals(profile, reformed.Start(), r)
	}
}

func BenchmarkCompile(b *testing.B) {
	for _, n := range []int{300, 20_000} {
		products, pack := benchmarkProducts(n), packWith(b, nil)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				compile(b, pack, products, reformed.Start())
			}
		})
	}
}
