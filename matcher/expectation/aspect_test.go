package expectation_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/expectation"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

// aCase is a customer and a product that meet in everything.
func aCase() *expectation.Case {
	var record fund.TrackRecord
	record.AsOf, record.StaleDays = day, 1
	record.Outcomes[fund.Hold12M] = outcome(20200101, -90_000, 12)
	record.Outcomes[fund.Hold36M] = outcome(20180101, -120_000, 36)
	return &expectation.Case{
		Wish: &expectation.Wish{
			Goal: fund.Growth, Source: expectation.Stated, Confidence: 900_000, HorizonMonths: 36, HorizonSource: expectation.Stated,
			Need: fund.NeedHigh, NeedSource: expectation.Stated, Theme: "医药 消费",
		},
		Product: &fund.Product{
			Code: "x", Content: fund.Content{Goals: fund.GoalSet(0).With(fund.Growth).With(fund.House), Themes: []string{"消费", "白酒"}},
			Terms: fund.Terms{MinPurchase: 100_000}, Listing: fund.Listing{KeyFactsVersion: "v3"},
		},
		Record: &record, Grade: fund.R3, Level: fund.C3, Months: 36, Serves: true,
		Means: expectation.Means{AtHand: 500_000, Tolerance: 150_000}, StaleDays: 30, AsOf: day,
	}
}

// outcome is a distribution over five years from a day on.
func outcome(from fund.Date, worst fund.Ratio, months int) fund.Outcome {
	return fund.Outcome{
		OK: true, Entries: 500, Window: fund.Window{From: from, To: from.AddMonths(60)}, Worst: worst,
		WorstIn: fund.Window{From: from, To: from.AddMonths(months)},
		P10:     worst / 2, P25: 10_000, Median: 50_000, P75: 90_000, P90: 150_000, Best: 400_000,
	}
}

// told writes each match as its reader has it: how well it is met, to whom, and the words.
func told(t *testing.T, text *wording.Templates, c *expectation.Case) []string {
	t.Helper()
	before := []fund.Evidence{{Field: "BEFORE"}}
	matches, facts := expectation.Expect(c, nil, before)
	if facts[0].Field != "BEFORE" {
		t.Fatalf("facts of others are gone: %+v", facts)
	}
	var out []string
	for i := range matches {
		m := &matches[i]
		reader, to := wording.Customer, ""
		if m.ManagerOnly {
			reader, to = wording.Manager, "经理："
		}
		line := m.Aspect.String() + " " + itoa(int64(m.Fit)) + " " + to + say(t, text, reader, m.Sentence, append([]fund.Evidence{m.Customer, m.Product}, m.Facts...)...)
		out = append(out, line)
		if !m.Met && !m.ManagerOnly || m.Fit < 0 || m.Fit > 1_000_000 {
			t.Errorf("%+v", m)
		}
	}
	return out
}

const (
	goalMet   = "GOAL 1000000 这只产品的用途包括长期增值，与您的目标一致。"
	timeMet   = "HORIZON 1000000 您打算放3年，这只产品适合持有3年以上。"
	liquid    = "LIQUIDITY 1000000 您可能需要提前用钱，这只产品没有锁定期，赎回按规则到账。"
	lossMet   = "LOSS_TOLERANCE 1000000 您的风险承受等级是C3，这只产品的风险等级是R3，没有超出您的等级。"
	themeMet  = "THEME 1000000 您关注过消费，这只产品的主题包括消费。是否合适，还要看风险和期限。"
	amountMet = "AMOUNT 1000000 这只产品1,000元起购，没有超过适合您投入一只产品的金额。"
	rangeMet  = "OUTCOME 1000000 从2018年1月1日到2023年1月1日，在不同日子买入、持有3年的情形里，结果最差的一次亏损12.00%，没有超过本行按您的风险承受等级设定的15.00%。过往业绩不预示未来表现。"
)

// with is the list of all that is met, some of it replaced: an empty text leaves an
// aspect out.
func with(replaced ...string) []string {
	out := []string{goalMet, timeMet, liquid, lossMet, themeMet, amountMet, rangeMet}
	for _, line := range replaced {
		aspect, rest, _ := strings.Cut(line, " ")
		i := slices.IndexFunc(out, func(s string) bool { return strings.HasPrefix(s, aspect+" ") })
		if rest == "" {
			out = slices.Delete(out, i, i+1)
		} else {
			out[i] = line
		}
	}
	return out
}

// Goal, horizon, liquidity and loss: met, not met, not known.
func TestExpect(t *testing.T) {
	text := templates(t)
	class := func(c *expectation.Case) { c.Product.Content.Goals, c.GoalFit = 0, 700_000 }
	for name, c := range map[string]struct {
		change func(c *expectation.Case)
		want   []string
	}{
		"everything": {func(*expectation.Case) {}, with()},
		"nothing is known": {func(c *expectation.Case) {
			*c = expectation.Case{Wish: &expectation.Wish{}, Product: &fund.Product{}, Months: -1}
		}, nil},
		"a product for other goals": {
			func(c *expectation.Case) { c.Serves = false },
			with("GOAL 0 经理：这只产品的用途不包括客户的目标：长期增值。不要把它说成适合这个目标。"),
		},
		"its class serves the goal, in part":  {class, with("GOAL 700000 这类产品可以用于长期增值，与您的目标一致。")},
		"its class does not":                  {func(c *expectation.Case) { class(c); c.Serves = false }, with("GOAL 0 经理：这类产品一般不用于客户的目标：长期增值。不要把它说成适合这个目标。")},
		"its class is unknown":                {func(c *expectation.Case) { class(c); c.Serves, c.Months = false, -1 }, with("GOAL", "HORIZON")},
		"a concluded goal is to be confirmed": {func(c *expectation.Case) { c.Wish.Source, c.Wish.Confidence = expectation.FromHoldings, 600_000 }, with("GOAL 1000000 这只产品的用途包括长期增值。这可能是您的目标，请您确认。")},
		"so is a tag's, by the class": {
			func(c *expectation.Case) { class(c); c.Wish.Source, c.Wish.Confidence = expectation.FromTag, 500_000 },
			with("GOAL 700000 这类产品可以用于长期增值。这可能是您的目标，请您确认。"),
		},
		"a group's guess is met by nothing": {func(c *expectation.Case) { c.Wish.Source, c.Wish.Confidence = expectation.FromGroup, 200_000 }, with("GOAL")},
		"the goal is unknown":               {func(c *expectation.Case) { c.Wish.Goal = 0 }, with("GOAL")},
		"a month short": {
			func(c *expectation.Case) { c.Wish.HorizonMonths = 35 },
			with("HORIZON 972222 经理：客户打算放2年11个月，这只产品适合持有3年以上，时间不够。不要劝客户先买了再说。",
				"OUTCOME 1000000 从2020年1月1日到2025年1月1日，在不同日子买入、持有1年的情形里，结果最差的一次亏损9.00%，没有超过本行按您的风险承受等级设定的15.00%。过往业绩不预示未来表现。"),
		},
		"the horizon is unknown":         {func(c *expectation.Case) { c.Wish.HorizonMonths = 0 }, with("HORIZON", "OUTCOME")},
		"the class's months are unknown": {func(c *expectation.Case) { c.Months = -1 }, with("HORIZON")},
		"a money fund needs no months":   {func(c *expectation.Case) { c.Months = 0 }, with("HORIZON")},
		"a lockup": {
			func(c *expectation.Case) { c.Product.Terms.LockupDays = 1 },
			with("LIQUIDITY 0 经理：客户可能需要提前用钱，这只产品要锁定1天。先把锁定期说清楚，不要说随时能取。"),
		},
		"no lockup, no need": {
			func(c *expectation.Case) { c.Wish.Need = fund.NeedLow },
			with("LIQUIDITY 1000000 您近期不急用这笔钱，这只产品的取用安排与此相符。"),
		},
		"a lockup to the last day of his horizon": {
			func(c *expectation.Case) { c.Product.Terms.LockupDays, c.Wish.Need = 1080, fund.NeedLow },
			with("LIQUIDITY 1000000 这只产品锁定1080天，在您打算持有的3年之内。"),
		},
		"a day longer": {
			func(c *expectation.Case) { c.Product.Terms.LockupDays, c.Wish.Need = 1081, fund.NeedLow },
			with("LIQUIDITY 999074 经理：客户打算放3年，这只产品要锁定1081天，比客户打算的时间长。先把锁定期说清楚。"),
		},
		"a lockup, and nobody knows how long": {
			func(c *expectation.Case) {
				c.Product.Terms.LockupDays, c.Wish.Need, c.Wish.HorizonMonths = 90, fund.NeedLow, 0
			},
			with("LIQUIDITY", "HORIZON", "OUTCOME"),
		},
		"the lockup is unknown": {func(c *expectation.Case) { c.Product.Missing = c.Product.Missing.With(fund.FieldLockup) }, with("LIQUIDITY")},
		"the need is unknown":   {func(c *expectation.Case) { c.Wish.Need = 0 }, with("LIQUIDITY")},
		"above his level": {
			func(c *expectation.Case) { c.Grade = fund.R4 },
			with("LOSS_TOLERANCE 0 经理：客户的风险承受等级是C3，这只产品的风险等级是R4，超出客户的等级。不要主动推荐。"),
		},
		"the level is unknown": {func(c *expectation.Case) { c.Level, c.Means.Tolerance = 0, 0 }, with("LOSS_TOLERANCE", "OUTCOME")},
		"the grade is unknown": {func(c *expectation.Case) { c.Grade = 0 }, with("LOSS_TOLERANCE")},
		"a known fall": {
			func(c *expectation.Case) {
				c.Drawdown = &fund.Evidence{Field: "MAX_DRAWDOWN", Unit: fund.UnitRatio, Number: -300_000}
			},
			with("LOSS_TOLERANCE 500000 您的风险承受等级是C3，这只产品的风险等级是R3，历史上曾最多下跌30.00%，请确认您能承受。过往业绩不预示未来表现。"),
		},
	} {
		in := aCase()
		c.change(in)
		if got := told(t, text, in); !slices.Equal(got, c.want) {
			t.Errorf("%s: %s", name, cmp.Diff(c.want, got))
		}
	}
}

// Theme, amount and range of outcomes: met, not met, not known.
func TestExpectMore(t *testing.T) {
	text := templates(t)
	const worst = "从2018年1月1日到2023年1月1日，在不同日子买入、持有3年的情形里，结果最差的一次亏损"
	const past = "过往业绩不预示未来表现。"
	for name, c := range map[string]struct {
		change func(c *expectation.Case)
		want   []string
	}{
		"another theme excludes nothing": {func(c *expectation.Case) { c.Wish.Theme = "军工" }, with("THEME")},
		"part of a theme's name is none": {func(c *expectation.Case) { c.Wish.Theme = "消" }, with("THEME")},
		"the third of his themes":        {func(c *expectation.Case) { c.Wish.Theme = "军工，新能源、白酒" }, with("THEME 1000000 您关注过白酒，这只产品的主题包括白酒。是否合适，还要看风险和期限。")},
		"separators only":                {func(c *expectation.Case) { c.Wish.Theme = " ,，" }, with("THEME")},
		"an empty theme of the product":  {func(c *expectation.Case) { c.Wish.Theme, c.Product.Content.Themes = ",消费", []string{""} }, with("THEME")},
		"its themes are unknown":         {func(c *expectation.Case) { c.Product.Missing = c.Product.Missing.With(fund.FieldThemes) }, with("THEME")},
		"exactly the minimum":            {func(c *expectation.Case) { c.Means.AtHand = 100_000 }, with()},
		"a fen too little": {
			func(c *expectation.Case) { c.Means.AtHand = 99_999 },
			with("AMOUNT 999990 经理：这只产品1,000元起购，超过适合这位客户投入一只产品的999.99元。不要劝客户凑钱。"),
		},
		"the largest numbers": {
			func(c *expectation.Case) { c.Means.AtHand, c.Product.Terms.MinPurchase = 1, fund.MaxMoney },
			with("AMOUNT 0 经理：这只产品10,000,000,000,000元起购，超过适合这位客户投入一只产品的0.01元。不要劝客户凑钱。"),
		},
		"his means are unknown":      {func(c *expectation.Case) { c.Means.AtHand = 0 }, with("AMOUNT")},
		"the minimum is unknown":     {func(c *expectation.Case) { c.Product.Missing = c.Product.Missing.With(fund.FieldMinPurchase) }, with("AMOUNT")},
		"a minimum of a tenth":       {func(c *expectation.Case) { c.Means.AtHand = 1_000_000 }, with()},
		"a smaller one says nothing": {func(c *expectation.Case) { c.Means.AtHand = 1_000_010 }, with("AMOUNT")},
		"no minimum says nothing":    {func(c *expectation.Case) { c.Product.Terms.MinPurchase = 0 }, with("AMOUNT")},

		"as bad as he bears": {func(c *expectation.Case) { c.Means.Tolerance = 120_000 }, with("OUTCOME 1000000 " + worst + "12.00%，没有超过本行按您的风险承受等级设定的12.00%。" + past)},
		"a millionth worse":  {func(c *expectation.Case) { c.Means.Tolerance = 119_999 }, with("OUTCOME 999991 经理：" + worst + "12.00%，超过本行按客户等级设定的12.00%。先问客户能不能承受，不要只讲收益。" + past)},
		"in yuan":            {func(c *expectation.Case) { c.Means.Amount = 1_000_000 }, with("OUTCOME 1000000 " + worst + "12.00%，没有超过本行按您的风险承受等级设定的15.00%。如果投入10,000元，这样的亏损约为1,200元。" + past)},
		"what he bore raises no level": {
			func(c *expectation.Case) { c.Means.Tolerance, c.Means.Bears = 100_000, 200_000 },
			with("OUTCOME 833333 经理：" + worst + "12.00%，超过本行按客户等级设定的10.00%。先问客户能不能承受，不要只讲收益。" + past),
		},
		"his level bears it, he did not": {
			func(c *expectation.Case) { c.Means.Bears, c.Means.Amount = 75_000, 1_000_000 },
			with("OUTCOME 625000 经理：" + worst + "12.00%，在客户等级之内，但从客户以往的经历或回答看，能承受的大约是7.50%。先问感受，不要提他过去的亏损。" + past),
		},
		"never a loss: no argument": {
			func(c *expectation.Case) { c.Record.Outcomes[fund.Hold36M].Worst = 0 },
			with("OUTCOME 1000000 经理：从2018年1月1日到2023年1月1日，在不同日子买入、持有3年的情形里，最差的结果也没有亏损。这不代表以后，不要拿它劝客户买。" + past),
		},
		"below a year: not for customers": {
			func(c *expectation.Case) {
				c.Wish.HorizonMonths, c.Months = 11, 6
				c.Record.Outcomes[fund.Hold6M] = outcome(20200101, -60_000, 6)
			},
			with("HORIZON 1000000 您打算放11个月，这只产品适合持有6个月以上。",
				"OUTCOME 1000000 经理：从2020年1月1日到2025年1月1日，在不同日子买入、持有6个月的情形里，结果最差的一次亏损6.00%，没有超过本行按客户等级设定的15.00%。不足一年的数字只供您参考，不要给客户看。"+past),
		},
		"too young for his horizon, not for a year": {
			func(c *expectation.Case) { c.Record.Outcomes[fund.Hold36M].OK = false },
			with("OUTCOME 1000000 从2020年1月1日到2025年1月1日，在不同日子买入、持有1年的情形里，结果最差的一次亏损9.00%，没有超过本行按您的风险承受等级设定的15.00%。" + past),
		},
		"entry days of just a year": {
			func(c *expectation.Case) {
				o := &c.Record.Outcomes[fund.Hold36M]
				o.Window.To = o.Window.From.AddMonths(48)
			}, with(strings.Replace(rangeMet, "2023年", "2022年", 1)),
		},
		"a day less is one mood of the market": {
			func(c *expectation.Case) {
				c.Record.Outcomes[fund.Hold12M].OK = false
				o := &c.Record.Outcomes[fund.Hold36M]
				o.Window.To = o.Window.From.AddMonths(48).AddDays(-1)
			},
			with("OUTCOME"),
		},
		"too young for anything": {func(c *expectation.Case) { c.Record.Outcomes = [fund.Holdings]fund.Outcome{} }, with("OUTCOME")},
		"stale by a day":         {func(c *expectation.Case) { c.Record.StaleDays = 31 }, with("OUTCOME")},
		"just fresh":             {func(c *expectation.Case) { c.Record.StaleDays = 30 }, with()},
		"no record":              {func(c *expectation.Case) { c.Record = nil }, with("OUTCOME")},
	} {
		in := aCase()
		c.change(in)
		if got := told(t, text, in); !slices.Equal(got, c.want) {
			t.Errorf("%s: %s", name, cmp.Diff(c.want, got))
		}
	}
}

// Every figure stands with where it comes from, its days and its age.
func TestEvidenceIsFilledHonestly(t *testing.T) {
	in := aCase()
	in.Means.Amount = 1_000_000
	matches, _ := expectation.Expect(in, nil, nil)
	m := &matches[len(matches)-1]
	o := &in.Record.Outcomes[fund.Hold36M]
	nav := func(field string, unit fund.Unit, n int64, w fund.Window) fund.Evidence {
		return fund.Evidence{Field: field, Unit: unit, Number: n, Window: w, AsOf: day, Stale: 1, Source: "NAV"}
	}
	want := []fund.Evidence{
		{Field: "TOLERANCE", Unit: fund.UnitRatio, Number: 150_000, AsOf: day, Source: "MODEL"},
		nav("WORST_OUTCOME", fund.UnitRatio, -120_000, o.WorstIn),
		nav("HOLDING", fund.UnitMonths, 36, o.Window), nav("OUTCOME_FROM", fund.UnitDate, 20180101, o.Window),
		nav("OUTCOME_TO", fund.UnitDate, 20230101, o.Window), nav("ENTRIES", fund.UnitCount, 500, o.Window),
		nav("OUTCOME_P10", fund.UnitRatio, -60_000, o.Window), nav("OUTCOME_MEDIAN", fund.UnitRatio, 50_000, o.Window),
		nav("OUTCOME_P90", fund.UnitRatio, 150_000, o.Window),
		{Field: "AMOUNT", Unit: fund.UnitFen, Number: 1_000_000, AsOf: day, Source: "COMPUTED"},
		{Field: "OUTCOME_LOSS", Unit: fund.UnitFen, Number: 120_000, Window: o.WorstIn, AsOf: day, Stale: 1, Source: "COMPUTED"},
	}
	if got := append([]fund.Evidence{m.Customer, m.Product}, m.Facts...); !slices.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
	sources := map[expectation.Aspect]string{}
	for i := range matches {
		sources[matches[i].Aspect] = matches[i].Customer.Source + " " + matches[i].Product.Source + " " + matches[i].Product.Document
	}
	if want := map[expectation.Aspect]string{
		expectation.GoalAspect: "CUSTOMER PRODUCT ", expectation.HorizonAspect: "CUSTOMER MODEL ", expectation.LiquidityAspect: "CUSTOMER PRODUCT ",
		expectation.LossAspect: "CUSTOMER POOL ", expectation.ThemeAspect: "TAG PRODUCT ", expectation.AmountAspect: "COMPUTED PRODUCT v3",
		expectation.OutcomeAspect: "MODEL NAV ",
	}; !cmp.Equal(sources, want) {
		t.Error(cmp.Diff(want, sources))
	}
	in.Wish.Source, in.Wish.HorizonSource, in.Wish.NeedSource = expectation.FromBehaviour, expectation.FromQuestionnaire, expectation.FromQuestionnaire
	matches, _ = expectation.Expect(in, nil, nil)
	if a, b, c := matches[0].Customer.Source, matches[1].Customer.Source, matches[2].Customer.Source; a != "BEHAVIOUR" || b != "QUESTIONNAIRE" || c != "QUESTIONNAIRE" {
		t.Errorf("goal, horizon and need from %s, %s, %s", a, b, c)
	}
}

// What he bears is his level's, and less where he or his conduct says so.
func TestBears(t *testing.T) {
	const level = fund.Ratio(300_000)
	borne := func(r fund.Ratio) fund.Measure { return fund.Measure{Value: r, OK: true} }
	for name, c := range map[string]struct {
		losses   *fund.Losses
		attitude expectation.Attitude
		want     fund.Ratio
	}{
		"nothing is known":                {nil, 0, level},
		"he would hold":                   {nil, expectation.WouldHold, level},
		"he would sell":                   {nil, expectation.WouldSell, level / 2},
		"he sold more than he kept":       {&fund.Losses{SoldInFall: 2, KeptInFall: 1}, 0, level / 2},
		"and added":                       {&fund.Losses{SoldInFall: 2, KeptInFall: 1, AddedInFall: 1}, 0, level},
		"as often as not":                 {&fund.Losses{SoldInFall: 1, KeptInFall: 1}, 0, level},
		"he would sell, and bore more":    {&fund.Losses{Borne: borne(-200_000)}, expectation.WouldSell, 200_000},
		"and bore less":                   {&fund.Losses{Borne: borne(-100_000)}, expectation.WouldSell, level / 2},
		"never more than his level":       {&fund.Losses{Borne: borne(-500_000)}, expectation.WouldSell, level},
		"what he bore raises no level":    {&fund.Losses{Borne: borne(-500_000), KeptInFall: 3}, expectation.WouldAdd, level},
		"an unknown fall is none":         {&fund.Losses{Borne: fund.Measure{Value: -200_000}}, expectation.WouldSell, level / 2},
		"all sold, whatever he says now ": {&fund.Losses{SoldInFall: 1}, expectation.WouldAdd, level / 2},
	} {
		if got := expectation.Bears(level, c.losses, c.attitude); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// For any customer and product: what is not met never reaches a customer, nothing is
// claimed twice, and a sentence has all its figures.
func TestAnyMatchCanBeTold(t *testing.T) {
	text := templates(t)
	rapid.Check(t, func(rt *rapid.T) {
		w, _ := expectation.Settle(anyProfile(rt), at, anyKnowledge(rt))
		in := aCase()
		in.Wish = &w
		in.Grade, in.Level = fund.RiskGrade(rapid.IntRange(0, 5).Draw(rt, "grade")), fund.RiskLevel(rapid.IntRange(0, 5).Draw(rt, "level"))
		in.Months, in.Serves = rapid.Int32Range(-1, 36).Draw(rt, "months"), rapid.Bool().Draw(rt, "serves")
		in.GoalFit = fund.Ratio(rapid.Int64().Draw(rt, "fit"))
		in.Product.Terms.LockupDays = rapid.Int32Range(0, 100_000).Draw(rt, "lockup")
		in.Product.Terms.MinPurchase = fund.Money(rapid.Int64Range(0, int64(fund.MaxMoney)).Draw(rt, "minimum"))
		in.Means = expectation.Means{
			AtHand: fund.Money(rapid.Int64Range(0, int64(fund.MaxMoney)).Draw(rt, "at hand")), Amount: fund.Money(rapid.Int64Range(0, int64(fund.MaxMoney)).Draw(rt, "amount")),
			Tolerance: fund.Ratio(rapid.Int64Range(0, 1_000_000).Draw(rt, "tolerance")), Bears: fund.Ratio(rapid.Int64Range(0, 1_000_000).Draw(rt, "bears")),
		}
		for h := range in.Record.Outcomes {
			months := fund.Holding(h).Months()
			in.Record.Outcomes[h] = outcome(20150101, fund.Ratio(rapid.Int64Range(-999_999, 2_000_000).Draw(rt, "worst")), months)
		}
		if rapid.Bool().Draw(rt, "own word") {
			in.Product.Content.Goals = 0
		}
		matches, _ := expectation.Expect(in, nil, nil)
		seen := map[expectation.Aspect]bool{}
		for i := range matches {
			m := &matches[i]
			if seen[m.Aspect] || !m.Met && !m.ManagerOnly || m.Fit < 0 || m.Fit > 1_000_000 || m.Aspect == expectation.GoalAspect && !w.Scores() {
				rt.Fatalf("%+v", m)
			}
			seen[m.Aspect] = true
			id, ok := text.ID(m.Sentence)
			if !ok || text.Audience(id).May(wording.Customer) == m.ManagerOnly {
				rt.Fatalf("%s is for %s, manager only: %v", m.Sentence, text.Audience(id), m.ManagerOnly)
			}
			if _, err := text.AppendEvidence(nil, id, append([]fund.Evidence{m.Customer, m.Product}, m.Facts...)); err != nil {
				rt.Fatal(err)
			}
		}
	})
}

// A loss in yuan is exact to the fen, at any amount.
func TestOutcomeLoss(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := aCase()
		in.Means.Amount = fund.Money(rapid.Int64Range(1, int64(fund.MaxMoney)).Draw(t, "amount"))
		worst := fund.Ratio(rapid.Int64Range(-150_000, -1).Draw(t, "worst"))
		in.Record.Outcomes[fund.Hold36M].Worst = worst
		matches, _ := expectation.Expect(in, nil, nil)
		facts := matches[len(matches)-1].Facts
		got := facts[len(facts)-1]
		exact := float64(in.Means.Amount) * float64(-worst) / 1e6
		if got.Field != "OUTCOME_LOSS" || math.Abs(float64(got.Number)-exact) > 0.5+exact*1e-15 {
			t.Fatalf("%d of %d at %d, want %f", got.Number, in.Means.Amount, worst, exact)
		}
	})
}
