package conversion_test

import (
	"os"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// costFile is testdata/costs.yaml: cases worked out by hand and by another program.
type costFile struct {
	Schedules map[string]costSchedule `yaml:"schedules"`
	Cases     []struct {
		Case string `yaml:"case"`
		Of   struct {
			Schedule  string     `yaml:"schedule"`
			Amount    fund.Money `yaml:"amount"`
			Days      int32      `yaml:"days"`
			MoneyFund bool       `yaml:"money_fund"`
		} `yaml:"of"`
		Costs struct{ Entry, Service, Running, Exit fund.Money } `yaml:"costs"`
	} `yaml:"cases"`
	BreakEven []struct {
		Case string `yaml:"case"`
		Of   struct {
			A, C      string
			Amount    fund.Money `yaml:"amount"`
			MoneyFund bool       `yaml:"money_fund"`
		} `yaml:"of"`
		Day   int32 `yaml:"day"`
		Never bool  `yaml:"never"`
	} `yaml:"break_even"`
}

type costSchedule struct {
	Entry, Exit                       string
	Off, Management, Custody, Service int32
}

func readCosts(t *testing.T) *costFile {
	t.Helper()
	data, err := os.ReadFile("testdata/costs.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file costFile
	if err := yaml.UnmarshalWithOptions(data, &file, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	return &file
}

// product makes a product of a schedule; every fee is known.
func (f *costFile) product(t *testing.T, name string) *fund.Product {
	t.Helper()
	s, ok := f.Schedules[name]
	if !ok {
		t.Fatalf("no schedule %q", name)
	}
	entry, err := fund.ParseSubscriptionLadder(s.Entry)
	if err != nil {
		t.Fatal(err)
	}
	exit, err := fund.ParseRedemptionLadder(s.Exit)
	if err != nil {
		t.Fatal(err)
	}
	return &fund.Product{Code: name, Fees: fund.FeeSchedule{
		Subscription: entry, DiscountPct: s.Off, Redemption: exit,
		Management: fund.BasisPoints(s.Management), Custody: fund.BasisPoints(s.Custody), Service: fund.BasisPoints(s.Service),
	}}
}

// year is F03's limit as it is in force.
const year = fund.ServiceLimit(365)

func limitOf(moneyFund bool) fund.ServiceLimit {
	if moneyFund {
		return 0
	}
	return year
}

// Costs to the fen: ladders by day and by amount, fixed fees, 外扣法, discounts, F03.
func TestCostsByHand(t *testing.T) {
	file := readCosts(t)
	if len(file.Cases) < 60 {
		t.Fatalf("%d cases, want at least 60", len(file.Cases))
	}
	seen := map[string]bool{}
	for _, c := range file.Cases {
		got := conversion.CostOf(file.product(t, c.Of.Schedule), limitOf(c.Of.MoneyFund), c.Of.Amount, c.Of.Days)
		want := fund.Cost{Entry: c.Costs.Entry, Service: c.Costs.Service, Running: c.Costs.Running, Exit: c.Costs.Exit}
		if !got.OK || got.Cost != want || seen[c.Case] {
			t.Errorf("%s: %+v, want %+v", c.Case, got, want)
		}
		seen[c.Case] = true
	}
}

// The day from which class A costs no more than class C.
func TestBreakEvenByHand(t *testing.T) {
	file := readCosts(t)
	for _, c := range file.BreakEven {
		days, ok := conversion.BreakEven(file.product(t, c.Of.A), file.product(t, c.Of.C), limitOf(c.Of.MoneyFund), c.Of.Amount)
		if ok == c.Never || ok && days != c.Day {
			t.Errorf("%s: %d days, %v; want %d, never %v", c.Case, days, ok, c.Day, c.Never)
		}
	}
	a, c := file.product(t, "same_exit_a"), file.product(t, "same_exit_c")
	for _, missing := range []fund.Field{fund.FieldSubscriptionLadder, fund.FieldRedemptionLadder, fund.FieldServiceFee, fund.FieldManagementFee} {
		unknown := *c
		unknown.Missing = unknown.Missing.With(missing)
		if _, ok := conversion.BreakEven(a, &unknown, year, 1_000_000); ok {
			t.Errorf("without C's %s there is a break-even day", missing)
		}
		if _, ok := conversion.BreakEven(&unknown, a, year, 1_000_000); ok {
			t.Errorf("without A's %s there is a break-even day", missing)
		}
	}
	if _, ok := conversion.BreakEven(a, c, year, 0); ok {
		t.Error("nothing breaks even")
	}
}

// feesOf draws a fee schedule whose exit ladder falls, as every lawful one does.
func feesOf(t *rapid.T, name string, service int32) fund.FeeSchedule {
	f := fund.FeeSchedule{
		Subscription: []fund.SubscriptionTier{{Rate: fund.BasisPoints(rapid.Int32Range(0, 200).Draw(t, name+" entry"))}},
		DiscountPct:  rapid.SampledFrom([]int32{0, 60, 90, 100}).Draw(t, name+" off"),
		Service:      fund.BasisPoints(rapid.Int32Range(0, service).Draw(t, name+" service")),
	}
	rate := rapid.Int32Range(0, 150).Draw(t, name+" exit")
	for _, bound := range []int32{7, 30, 180, 365, 730} {
		if rapid.Bool().Draw(t, name+" bound") {
			f.Redemption = append(f.Redemption, fund.RedemptionTier{Below: bound, Rate: fund.BasisPoints(rate)})
			rate = rapid.Int32Range(0, rate).Draw(t, name+" exit")
		}
	}
	f.Redemption = append(f.Redemption, fund.RedemptionTier{Rate: fund.BasisPoints(rate)})
	return f
}

// The break-even day against a search day by day: exact where only class C has a service
// fee, to within a fen where both have one.
func TestBreakEvenAgainstEveryDay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		own := rapid.SampledFrom([]int32{0, 0, 60}).Draw(t, "A's most service fee")
		a := &fund.Product{Code: "A", Fees: feesOf(t, "A", own)}
		c := &fund.Product{Code: "C", Fees: feesOf(t, "C", 100)}
		amount := fund.Money(rapid.Int64Range(1, 1_000_000_000).Draw(t, "amount"))
		limit := limitOf(rapid.Bool().Draw(t, "money fund"))
		const far = 50 * 366
		last := int32(-1)
		for d := int32(far); d >= 0 && last < 0; d-- {
			if excess(a, c, limit, amount, d) > 0 {
				last = d
			}
		}
		days, ok := conversion.BreakEven(a, c, limit, amount)
		if own == 0 {
			if ok != (last < far) || ok && days != last+1 {
				t.Fatalf("%d days, %v; A last costs more on day %d", days, ok, last)
			}
			return
		}
		if !ok && excess(a, c, limit, amount, far) <= 0 || ok && days > 0 && excess(a, c, limit, amount, days-1) <= 0 {
			t.Fatalf("%d days, %v is later than need be", days, ok)
		}
		for d := days; ok && d < far; d += 1 + d/64 {
			if excess(a, c, limit, amount, d) > 1 {
				t.Fatalf("on day %d A costs more, %d was named", d, days)
			}
		}
	})
}

func excess(a, c *fund.Product, limit fund.ServiceLimit, amount fund.Money, days int32) fund.Money {
	x, y := conversion.CostOf(a, limit, amount, days), conversion.CostOf(c, limit, amount, days)
	return x.Differing() - y.Differing()
}

// No holding costs less service fee than a shorter one, and none more than a year's (F03),
// a money fund's aside.
func TestServiceFeeEndsAfterAYear(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &fund.Product{Fees: feesOf(t, "C", 200)}
		amount := fund.Money(rapid.Int64Range(1, int64(fund.MaxMoney)).Draw(t, "amount"))
		days := rapid.Int32Range(0, 3_000).Draw(t, "days")
		at := func(limit fund.ServiceLimit, d int32) fund.Money {
			return conversion.CostOf(p, limit, amount, d).Service
		}
		if at(year, days) > at(year, days+1) || at(year, days) > at(year, 365) {
			t.Fatalf("%d days: %d, then %d, a year %d", days, at(year, days), at(year, days+1), at(year, 365))
		}
		if days <= 365 && at(year, days) != at(0, days) || at(0, days) > at(0, days+1) {
			t.Fatalf("%d days: %d, a money fund's %d", days, at(year, days), at(0, days))
		}
	})
}

// What the manager reads out: entry, each step of the ladder, a year.
func TestCostTable(t *testing.T) {
	file := readCosts(t)
	for name, c := range map[string]struct {
		ladder string
		lockup int32
		days   []int32
	}{
		"steps":                       {"7:150;30:100;180:50;:0", 0, []int32{0, 7, 30, 180, 365}},
		"no step":                     {":0", 0, []int32{0, 365}},
		"a step at a year":            {"7:150;365:50;:0", 0, []int32{0, 7, 365}},
		"a step after a year":         {"7:150;730:50;:0", 0, []int32{0, 7, 365, 730}},
		"two after a year":            {"366:50;730:25;:0", 0, []int32{0, 365, 366, 730}},
		"a year and one behind":       {"365:50;730:25;:0", 0, []int32{0, 365, 730}},
		"locked for less than a year": {"7:150;30:100;180:50;:0", 90, []int32{90, 180, 365}},
		"locked until a step":         {"7:150;30:100;180:50;:0", 180, []int32{180, 365}},
		"locked for three years":      {":0", 1095, []int32{1095}},
	} {
		p := file.product(t, "equity_a")
		exit, err := fund.ParseRedemptionLadder(c.ladder)
		if err != nil {
			t.Fatal(err)
		}
		p.Fees.Redemption, p.Terms.LockupDays = exit, c.lockup
		before := conversion.CostPoint{Days: -1}
		got := conversion.CostTable(p, year, 1_000_000, []conversion.CostPoint{before})
		want := []conversion.CostPoint{before}
		for _, d := range c.days {
			want = append(want, conversion.CostPoint{Days: d, Cost: p.Fees.CostOf(1_000_000, d, year), OK: true})
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
	unknown := file.product(t, "equity_a")
	unknown.Missing = unknown.Missing.With(fund.FieldRedemptionLadder)
	for name, got := range map[string][]conversion.CostPoint{
		"fees unknown": conversion.CostTable(unknown, year, 1_000_000, nil),
		"nothing":      conversion.CostTable(file.product(t, "equity_a"), year, 0, nil),
	} {
		if diff := cmp.Diff([]conversion.CostPoint{{}, {Days: 365}}, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
	money := conversion.CostTable(file.product(t, "money"), 0, 1_000_000, nil)
	if money[1].Service != 2_500 {
		t.Errorf("a money fund's year: %+v", money[1])
	}
}

// An unknown fee is not one of zero.
func TestCostOfUnknownFees(t *testing.T) {
	p := readCosts(t).product(t, "equity_c")
	for _, missing := range []fund.Field{fund.FieldSubscriptionLadder, fund.FieldRedemptionLadder, fund.FieldServiceFee, fund.FieldManagementFee} {
		unknown := *p
		unknown.Missing = unknown.Missing.With(missing)
		if got := conversion.CostOf(&unknown, year, 1_000_000, 730); got.OK || got.Total() != 0 || got.Code != p.Code {
			t.Errorf("without %s: %+v", missing, got)
		}
	}
	if got := conversion.CostOf(p, year, 0, 730); got.OK {
		t.Errorf("of nothing: %+v", got)
	}
}

func TestCheaper(t *testing.T) {
	cost := func(code string, entry, running fund.Money, ok bool) *conversion.ClassCost {
		return &conversion.ClassCost{Code: code, Cost: fund.Cost{Entry: entry, Running: running}, OK: ok}
	}
	order := []*conversion.ClassCost{cost("B", 5, 900, true), cost("A", 7, 0, true), cost("C", 7, 0, true), cost("D", 0, 0, false), cost("E", 0, 0, false)}
	for i, a := range order {
		for j, b := range order {
			if got := conversion.Cheaper(a, b); got != (i < j) {
				t.Errorf("%s before %s: %v", a.Code, b.Code, got)
			}
		}
	}
}
