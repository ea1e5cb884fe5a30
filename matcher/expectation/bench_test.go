package expectation_test

import (
	"testing"

	"github.com/fundmatch/fundmatch/matcher/expectation"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// settleCases are the ways through Settle, the dearest of each.
func settleCases() map[string]func() (fund.Profile, *expectation.Knowledge) {
	many := tags("channel_preference", "BEHAVIOUR", "APP", "deposit_maturing", "CORE_BANKING", "true", "family", "STATED", "HAS_CHILD",
		"horizon_months", asked, "36", "liquidity_need", asked, "LOW", "loss_attitude", asked, "HOLD", "payroll", "CORE_BANKING", "true",
		"theme_interest", "BEHAVIOUR", "消费")
	views := viewing(map[fund.Class]int32{fund.MoneyMarket: 2, fund.Bond: 1, fund.Equity: 9, fund.Index: 3})
	return map[string]func() (fund.Profile, *expectation.Knowledge){
		"stated": func() (fund.Profile, *expectation.Knowledge) {
			return fund.Profile{Needs: fund.StatedNeeds{Goals: []fund.Goal{fund.House}, HorizonMonths: 24, Liquidity: fund.NeedLow}, Tags: many}, views
		},
		"questionnaire": func() (fund.Profile, *expectation.Knowledge) {
			return fund.Profile{Tags: append(tags("goal", asked, "TREASURY"), many...)}, views
		},
		"holdings": func() (fund.Profile, *expectation.Knowledge) {
			return fund.Profile{Tags: many}, holding(map[fund.Class]fund.Ratio{fund.MoneyMarket: 100_000, fund.Bond: 100_000, fund.Equity: 400_000, fund.Index: 400_000})
		},
		"behaviour": func() (fund.Profile, *expectation.Knowledge) { return fund.Profile{Tags: many}, views },
		"nonsense": func() (fund.Profile, *expectation.Knowledge) {
			return fund.Profile{Tags: tags("goal", asked, "x", "horizon_months", asked, "x", "liquidity_need", asked, "x"), Person: person(19800101)}, &expectation.Knowledge{Fits: fits}
		},
		"company": func() (fund.Profile, *expectation.Knowledge) {
			return fund.Profile{Tags: many, Person: company("某地通用设备制造业")}, &expectation.Knowledge{Fits: fits}
		},
	}
}

// A wish and its matches are made without a byte of garbage.
func TestNothingIsAllocated(t *testing.T) {
	for name, of := range settleCases() {
		p, k := of()
		if n := testing.AllocsPerRun(100, func() { expectation.Settle(&p, at, k) }); n != 0 {
			t.Errorf("%s: Settle allocates %v times", name, n)
		}
	}
	in := aCase()
	in.Means.Amount = 1_000_000
	matches, facts := make([]expectation.Match, 0, 16), make([]fund.Evidence, 0, 32)
	if n := testing.AllocsPerRun(100, func() { expectation.Expect(in, matches, facts) }); n != 0 {
		t.Errorf("Expect allocates %v times", n)
	}
	if n := testing.AllocsPerRun(100, func() {
		in.Wish.Facts(day, facts)
		in.Wish.Headline(true)
		in.Wish.Reason()
		in.Wish.QuestionSentence()
	}); n != 0 {
		t.Errorf("the words allocate %v times", n)
	}
}

func BenchmarkSettle(b *testing.B) {
	for name, of := range settleCases() {
		p, k := of()
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				expectation.Settle(&p, at, k)
			}
		})
	}
}

func BenchmarkExpect(b *testing.B) {
	in := aCase()
	in.Means.Amount = 1_000_000
	in.Drawdown = &fund.Evidence{Field: "MAX_DRAWDOWN", Unit: fund.UnitRatio, Number: -300_000}
	matches, facts := make([]expectation.Match, 0, 16), make([]fund.Evidence, 0, 32)
	b.ReportAllocs()
	for b.Loop() {
		expectation.Expect(in, matches, facts)
	}
}
