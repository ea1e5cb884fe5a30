package expectation_test

import (
	"strconv"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/expectation"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// What holdings say, from which share on, and what they rest on.
func TestHoldings(t *testing.T) {
	type shares = map[fund.Class]fund.Ratio
	for name, c := range map[string]struct {
		held    shares
		company bool
		goal    fund.Goal
		want    expectation.Ground
		sure    fund.Ratio
	}{
		"exactly enough":         {shares{fund.Bond: 600_000}, false, fund.SteadyIncome, expectation.Ground{Class: fund.Bond, Share: 600_000}, 600_000},
		"a millionth too little": {shares{fund.Bond: 599_999}, false, 0, expectation.Ground{}, 0},
		"halfway":                {shares{fund.Bond: 800_000}, false, fund.SteadyIncome, expectation.Ground{Class: fund.Bond, Share: 800_000}, 675_000},
		"all of it":              {shares{fund.MoneyMarket: 1_000_000}, false, fund.Cash, expectation.Ground{Class: fund.MoneyMarket, Share: 1_000_000}, 750_000},
		"two classes of one mind: the larger is named": {
			shares{fund.Equity: 300_000, fund.Index: 400_000, fund.Bond: 300_000}, false, fund.Growth, expectation.Ground{Class: fund.Index, Share: 700_000}, 637_500,
		},
		"of equal ones the plainer is named":     {shares{fund.Equity: 400_000, fund.Index: 400_000}, false, fund.Growth, expectation.Ground{Class: fund.Equity, Share: 800_000}, 675_000},
		"two minds":                              {shares{fund.Equity: 500_000, fund.Bond: 500_000}, false, 0, expectation.Ground{}, 0},
		"a company's reserve is idle cash":       {shares{fund.MoneyMarket: 900_000}, true, fund.Treasury, expectation.Ground{Class: fund.MoneyMarket, Share: 900_000}, 712_500},
		"a class tells no event of life":         {shares{fund.FundOfFunds: 1_000_000}, false, fund.Growth, expectation.Ground{Class: fund.FundOfFunds, Share: 1_000_000}, 750_000},
		"a class that serves nothing well":       {shares{fund.Commodity: 1_000_000}, false, 0, expectation.Ground{}, 0},
		"equally good for two: the plainer wish": {shares{fund.RealEstate: 1_000_000}, false, fund.SteadyIncome, expectation.Ground{Class: fund.RealEstate, Share: 1_000_000}, 750_000},
		"of an unknown class":                    {shares{fund.ClassUnknown: 1_000_000}, false, 0, expectation.Ground{}, 0},
		"shares that no portfolio has":           {shares{fund.Bond: 1 << 60, fund.Equity: -1 << 60}, false, fund.SteadyIncome, expectation.Ground{Class: fund.Bond, Share: 1_000_000}, 750_000},
		"more than all of it":                    {shares{fund.Bond: 1_000_000, fund.Equity: 1_000_000}, false, 0, expectation.Ground{}, 0},
		"nothing":                                {nil, false, 0, expectation.Ground{}, 0},
	} {
		p := fund.Profile{}
		if c.company {
			p.Person = company("")
		}
		w, _ := expectation.Settle(&p, at, holding(c.held))
		if c.goal == fund.GoalUnknown {
			if w.Source != expectation.FromGroup {
				t.Errorf("%s: %+v", name, w)
			}
			continue
		}
		if w.Goal != c.goal || w.Source != expectation.FromHoldings || w.Ground != c.want || w.Confidence != c.sure {
			t.Errorf("%s: %+v, want %s of %+v, %d sure", name, w, c.goal, c.want, c.sure)
		}
	}
}

// What visits say: enough of them, of one mind.
func TestBehaviour(t *testing.T) {
	type views = map[fund.Class]int32
	for name, c := range map[string]struct {
		viewed views
		goal   fund.Goal
		want   expectation.Ground
		sure   fund.Ratio
	}{
		"enough":               {views{fund.Equity: 6, fund.Bond: 2}, fund.Growth, expectation.Ground{Class: fund.Equity, Share: 750_000, Views: 8}, 536_250},
		"one too few":          {views{fund.Equity: 7}, 0, expectation.Ground{}, 0},
		"exactly enough share": {views{fund.Equity: 6, fund.Bond: 4}, fund.Growth, expectation.Ground{Class: fund.Equity, Share: 600_000, Views: 10}, 510_000},
		"of two minds":         {views{fund.Equity: 5, fund.Bond: 5}, 0, expectation.Ground{}, 0},
		"pages of unknown products speak for nothing": {views{fund.Equity: 5, fund.ClassUnknown: 5}, 0, expectation.Ground{}, 0},
		"numbers that cannot be":                      {views{fund.Equity: 1<<31 - 1, fund.Index: 1<<31 - 1, fund.Bond: -9}, fund.Growth, expectation.Ground{Class: fund.Equity, Share: 1_000_000, Views: 1<<31 - 1}, 580_000},
	} {
		w, _ := expectation.Settle(&fund.Profile{}, at, viewing(c.viewed))
		if c.goal == fund.GoalUnknown {
			if w.Source != expectation.FromGroup {
				t.Errorf("%s: %+v", name, w)
			}
			continue
		}
		if w.Goal != c.goal || w.Source != expectation.FromBehaviour || w.Ground != c.want || w.Confidence != c.sure {
			t.Errorf("%s: %+v, want %s of %+v, %d sure", name, w, c.goal, c.want, c.sure)
		}
	}
}

// Without the model's word on which class serves what, nothing is inferred.
func TestNothingIsInferredWithoutAModel(t *testing.T) {
	k := holding(map[fund.Class]fund.Ratio{fund.Bond: 1_000_000})
	k.Fits = nil
	if w, _ := expectation.Settle(&fund.Profile{}, at, k); w.Source != expectation.FromGroup || w.Goal != fund.GoalUnknown {
		t.Errorf("%+v", w)
	}
	if w, _ := expectation.Settle(&fund.Profile{}, at, holding(nil)); w.Source != expectation.FromGroup {
		t.Errorf("%+v", w)
	}
}

// The age decides to the day, and the wish ends on the birthday that changes it.
func TestAgeBands(t *testing.T) {
	birthday := func(years int) fund.Date { return day.AddMonths(-12 * years) }
	for name, c := range map[string]struct {
		birth fund.Date
		band  expectation.AgeBand
		until fund.Date // 0: for good
	}{
		"a child":                    {birthday(17), expectation.AgeUnknown, day.AddMonths(12)},
		"the day before majority":    {birthday(18).AddDays(1), expectation.AgeUnknown, day.AddDays(1)},
		"eighteen today":             {birthday(18), expectation.Under30, day.AddMonths(12 * 12)},
		"the day before thirty":      {birthday(30).AddDays(1), expectation.Under30, day.AddDays(1)},
		"thirty":                     {birthday(30), expectation.From30, day.AddMonths(15 * 12)},
		"forty-five":                 {birthday(45), expectation.From45, day.AddMonths(15 * 12)},
		"fifty-nine":                 {birthday(59), expectation.From45, day.AddMonths(12)},
		"sixty":                      {birthday(60), expectation.From60, 0},
		"a hundred":                  {birthday(100), expectation.From60, 0},
		"not known":                  {0, expectation.AgeUnknown, 0},
		"born tomorrow, so they say": {day.AddDays(1), expectation.AgeUnknown, day.AddDays(1).AddMonths(18 * 12)},
	} {
		w, until := expectation.Settle(&fund.Profile{Person: person(c.birth)}, at, nil)
		want := fund.Forever
		if c.until != 0 {
			want = c.until.Start()
		}
		if w.Ground.Age != c.band || until != want || (w.Goal == fund.GoalUnknown) != (c.band == expectation.AgeUnknown) {
			t.Errorf("%s: %s, %s until %s, want %s until %s", name, w.Goal, w.Ground.Age, until, c.band, want)
		}
	}
}

// A company's industry is read from the words that a bank has on file.
func TestIndustries(t *testing.T) {
	for name, want := range map[string]struct {
		label  string
		months int32
		need   fund.Need
	}{
		"物流": {"物流运输", 2, fund.NeedHigh}, "现代物流业": {"物流运输", 2, fund.NeedHigh}, "制造": {"制造", 3, fund.NeedMedium},
		"零售": {"零售", 1, fund.NeedHigh}, "餐饮": {"餐饮住宿", 1, fund.NeedHigh}, "软件": {"科技软件", 6, fund.NeedMedium},
		"医疗器械": {"医药医疗", 6, fund.NeedMedium}, "建筑": {"建筑工程", 6, fund.NeedMedium}, "外贸": {"贸易批发", 3, fund.NeedMedium},
		"农产品": {"农业", 6, fund.NeedMedium}, "农产品加工": {"农业", 6, fund.NeedMedium}, "教育": {"教育培训", 6, fund.NeedMedium},
		"": {"其他行业", 3, fund.NeedMedium}, "tea": {"其他行业", 3, fund.NeedMedium},
	} {
		w, _ := expectation.Settle(&fund.Profile{Person: company(name)}, at, nil)
		g := w.Ground
		if w.Goal != fund.Treasury || !w.Company || g.Industry.String() != want.label || g.Months != want.months || g.Need != want.need {
			t.Errorf("%q: %+v", name, w)
		}
		if w.HorizonMonths != 0 || w.Need != fund.NeedUnknown {
			t.Errorf("%q: what its industry does is taken for its own word: %+v", name, w)
		}
	}
	p := fund.Profile{Person: company("物流")}
	p.Person.BirthDate = 19800101
	if w, _ := expectation.Settle(&p, at, nil); w.Company || w.Goal == fund.Treasury {
		t.Errorf("who has a birthday is no company: %+v", w)
	}
}
