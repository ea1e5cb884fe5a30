package objection_test

import (
	"slices"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
)

// fact finds a field among what is said about one doubt; the second result is false where
// there is none.
func fact(t *testing.T, c *objection.Case, code objection.Code, field string) (fund.Evidence, bool) {
	t.Helper()
	found, _ := objection.Foresee(c, nil, nil)
	for i := range found {
		if found[i].Code != code {
			continue
		}
		for _, facts := range [][]fund.Evidence{found[i].Grounds, found[i].Evidence} {
			for _, e := range facts {
				if e.Field == field {
					return e, true
				}
			}
		}
		return fund.Evidence{}, false
	}
	t.Fatalf("%s is not among %v", code, codesOf(found))
	return fund.Evidence{}, false
}

// Two funds are compared over the same days only, the longest span that both reach first.
func TestFallsOverTheSameDays(t *testing.T) {
	for name, c := range map[string]struct {
		change func(held *fund.TrackRecord)
		months int64
	}{
		"the same days":      {func(*fund.TrackRecord) {}, 36},
		"seven days apart":   {func(r *fund.TrackRecord) { r.Spans[fund.ThreeYears].Drawdown.Window.From = 20210312 }, 36},
		"eight days apart":   {func(r *fund.TrackRecord) { r.Spans[fund.ThreeYears].Drawdown.Window.From = 20210313 }, 12},
		"ends eight earlier": {func(r *fund.TrackRecord) { r.Spans[fund.ThreeYears].Drawdown.Window.To = 20240226 }, 12},
		"one year only":      {func(r *fund.TrackRecord) { r.Spans[fund.ThreeYears] = fund.SpanFigures{} }, 12},
		"no span": {func(r *fund.TrackRecord) {
			r.Spans[fund.ThreeYears], r.Spans[fund.OneYear] = fund.SpanFigures{}, fund.SpanFigures{}
		}, 0},
	} {
		in := person()
		loses(in)
		c.change(in.Customer.Held[0].Record)
		if e, _ := fact(t, in, objection.LossTrauma, "SPAN_MONTHS"); e.Number != c.months {
			t.Errorf("%s: over %d months, want %d", name, e.Number, c.months)
		}
	}
}

// One doubt under two codes is one doubt: each raised once makes twice.
func TestTwoCodesUnderOneFaceCountTogether(t *testing.T) {
	in := person()
	doubted(in, "DRAWDOWN", 1)
	doubted(in, "LOSS_TRAUMA", 1)
	found, _ := objection.Foresee(in, nil, nil)
	if o := &found[0]; o.Code != objection.LossTrauma || o.Raised != 2 || !o.Silenced {
		t.Errorf("%s raised %d times, silenced %v", o.Code, o.Raised, o.Silenced)
	}
}

// The rise that a loss needs is arithmetic: 1/(1+r) - 1, half up to the millionth.
func TestBreakEvenRise(t *testing.T) {
	for result, want := range map[fund.Ratio]int64{-150_000: 176_471, -300_000: 428_571, -500_000: 1_000_000, -360_000: 562_500} {
		in := person()
		in.Customer.Conduct.Losses.Worst = fund.Measure{Value: result, OK: true}
		in.Customer.Conduct.Habits.Postponements = 2
		if e, _ := fact(t, in, objection.BreakEvenFirst, "BREAK_EVEN_RISE"); e.Number != want {
			t.Errorf("%d needs %d, want %d", result, e.Number, want)
		}
	}
	in := person()
	in.Customer.Conduct.Losses.Worst = fund.Measure{Value: -1_000_000, OK: true}
	in.Customer.Conduct.Habits.Postponements = 2
	if e, ok := fact(t, in, objection.BreakEvenFirst, "BREAK_EVEN_RISE"); ok {
		t.Errorf("from nothing nothing rises, said %d", e.Number)
	}
}

// What he holds of the same kind counts, as far as it is as near as the nearest; values
// that do not add up say nothing.
func TestShareAfterThePurchase(t *testing.T) {
	nearFund := func(code string, value fund.Money) func(c *objection.Case) {
		return func(c *objection.Case) {
			h := other(code, "名字"+code, fund.Equity, fund.R3)
			h.Product.Content.Themes = []string{"科技"}
			holding(c, h, value, value)
		}
	}
	for name, c := range map[string]struct {
		changes []func(c *objection.Case)
		want    int64
		nearest string
	}{
		"one":                       {[]func(c *objection.Case){nearFund("A", 3_000_000)}, 1_000_000, "名字A"},
		"two of a kind":             {[]func(c *objection.Case){nearFund("A", 1_000_000), nearFund("B", 2_000_000)}, 1_000_000, "名字B"},
		"one and something else":    {[]func(c *objection.Case){nearFund("A", 3_000_000), func(c *objection.Case) { holding(c, other("X", "别的", fund.Bond, fund.R2), 4_000_000, 4_000_000) }}, 500_000, "名字A"},
		"nearer than the rest":      {[]func(c *objection.Case){nearFund("A", 4_000_000), func(c *objection.Case) { kindred(c, "沪深指数", "", "", "") }}, 565_217, "已持有混合"},
		"more than all that he has": {[]func(c *objection.Case){nearFund("A", 3_000_000), func(c *objection.Case) { c.Customer.Conduct.Portfolio.Value = 2_999_999 }}, 0, "名字A"},
		"values unknown":            {[]func(c *objection.Case){nearFund("A", 3_000_000), func(c *objection.Case) { c.Customer.Held[0].Position.ValueOK = false }}, 0, "名字A"},
		"no amount of his":          {[]func(c *objection.Case){nearFund("A", 3_000_000), func(c *objection.Case) { c.Quote.Asked = false }}, 0, "名字A"},
	} {
		in := person()
		for _, change := range c.changes {
			change(in)
		}
		if e, _ := fact(t, in, objection.AlreadyHave, "SHARE_AFTER"); e.Number != c.want {
			t.Errorf("%s: %d, want %d", name, e.Number, c.want)
		}
		if e, _ := fact(t, in, objection.AlreadyHave, "HELD_NAME"); e.Text != c.nearest {
			t.Errorf("%s: beside %s, want %s", name, e.Text, c.nearest)
		}
	}
}

// Tenure is in full months, and all funds count, but none is measured by an old record.
func TestManagersRecord(t *testing.T) {
	for since, want := range map[fund.Date]int64{20230906: 6, 20230907: 5, 20240306: 0, 20230407: 10} {
		in := person()
		in.Product.Parties.ManagerSince = since
		if e, _ := fact(t, in, objection.ManagerTrust, "TENURE"); e.Number != want {
			t.Errorf("since %s: %d months, want %d", since, e.Number, want)
		}
	}
	in := person()
	in.Product.Parties.ManagerSince = 20230901
	old := deep()
	old.StaleDays = 31
	in.Managed = []objection.Managed{{Code: "A", Name: "甲", Record: mild()}, {Code: "B", Name: "乙", Record: old}, {Code: "C", Name: "丙", Record: young(20240101)}}
	for field, want := range map[string]int64{"FUNDS": 3, "FUNDS_MEASURED": 1, "FUNDS_WORST": -13_100} {
		if e, _ := fact(t, in, objection.ManagerTrust, field); e.Number != want {
			t.Errorf("%s is %d, want %d", field, e.Number, want)
		}
	}
}

// Outcomes are of the longest holding that the horizon allows and the record reaches,
// and never of less than a year.
func TestHoldingOfOutcomes(t *testing.T) {
	for _, c := range []struct {
		months int32
		longer bool // the record reaches 36 months too
		want   int64
	}{{6, true, 12}, {12, true, 12}, {23, true, 12}, {24, true, 24}, {35, true, 24}, {36, true, 36}, {36, false, 24}, {600, true, 36}} {
		in := person()
		in.Quote.Months, in.Record.Outcomes[fund.Hold36M] = c.months, in.Record.Outcomes[fund.Hold24M]
		in.Record.Outcomes[fund.Hold36M].OK = c.longer
		doubted(in, "TIMING", 1)
		if e, _ := fact(t, in, objection.Timing, "HOLDING"); e.Number != c.want {
			t.Errorf("%d months: %d, want %d", c.months, e.Number, c.want)
		}
	}
	in := person()
	in.Record.Outcomes[fund.Hold12M].OK, in.Record.Outcomes[fund.Hold24M].OK = false, false
	doubted(in, "TIMING", 1)
	if e, ok := fact(t, in, objection.Timing, "HOLDING"); ok {
		t.Errorf("results of %d months are shown", e.Number)
	}
}

// A ladder of nothing but free steps is no ladder.
func TestFreeLadder(t *testing.T) {
	in := person()
	in.Product.Fees.Redemption = []fund.RedemptionTier{{Below: 7}, {}}
	doubted(in, "FEE", 1)
	if found, _ := objection.Foresee(in, nil, nil); found[0].Sentences[2] != "objection.FEE.no_exit_fee" {
		t.Errorf("said %v", found[0].Sentences)
	}
}

// What is not offered to him, and what he has already, is nothing to begin with.
func TestNothingToBeginWithWhereNothingIsOffered(t *testing.T) {
	for name, c := range map[string]struct {
		change func(c *objection.Case)
		begins bool
	}{
		"offered":      {func(*objection.Case) {}, true},
		"not offered":  {func(c *objection.Case) { c.Barred = true }, false},
		"he holds it":  {holdsIt, false},
		"both of them": {func(c *objection.Case) { c.Barred = true; holdsIt(c) }, false},
	} {
		in := calm()
		in.Product.Terms.MinPurchase = 1_000
		doubted(in, "LOSS_TRAUMA", 1)
		c.change(in)
		found, _ := objection.Foresee(in, nil, nil)
		if found[0].Code != objection.LossTrauma {
			t.Fatalf("%s: %s comes first", name, found[0].Code)
		}
		if got := slices.Contains(found[0].Sentences[:], "objection.DRAWDOWN.small"); got != c.begins {
			t.Errorf("%s: %v", name, found[0].Sentences)
		}
	}
}

// holdsIt has him hold the very product.
func holdsIt(c *objection.Case) {
	holding(c, &objection.Held{Product: c.Product, Class: c.Class, Record: c.Record}, 3_000_000, 3_100_000)
}
