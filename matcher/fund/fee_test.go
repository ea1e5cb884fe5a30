package fund_test

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

func subscription(t *testing.T, s string) []fund.SubscriptionTier {
	t.Helper()
	tiers, err := fund.ParseSubscriptionLadder(s)
	if err != nil {
		t.Fatal(err)
	}
	return tiers
}

func redemption(t *testing.T, s string) []fund.RedemptionTier {
	t.Helper()
	tiers, err := fund.ParseRedemptionLadder(s)
	if err != nil {
		t.Fatal(err)
	}
	return tiers
}

// Hand-computed 外扣法: net = gross / (1 + rate), the fee is what is left, to the fen.
func TestEntryFee(t *testing.T) {
	const ladder = "100000000:150;500000000:100;:100000f"
	for name, c := range map[string]struct {
		ladder   string
		discount int32
		gross    fund.Money
		want     fund.Money
	}{
		"10,000 yuan at 1.5 %: 10000/1.015 = 9852.22":             {ladder, 0, 1_000_000, 14_778},
		"the same at a tenth: 10000/1.0015 = 9985.02":             {ladder, 90, 1_000_000, 1_498},
		"no discount taken from 100 %: nothing is left to pay":    {ladder, 100, 1_000_000, 0},
		"a fen below a million yuan: /1.015 = 98522166.5 fen, up": {ladder, 0, 99_999_999, 1_477_832},
		"a million yuan: the second, /1.01 = 990099.01":           {ladder, 0, 100_000_000, 990_099},
		"five million yuan: 1,000 yuan":                           {ladder, 0, 500_000_000, 100_000},
		"the fixed fee, too, is discounted":                       {ladder, 90, 500_000_000, 10_000},
		"a fixed fee above the amount takes no more than it":      {":100000f", 0, 5_000, 5_000},
		"one fen":                      {ladder, 0, 1, 0},
		"67 fen at 1.5 %: 66.01":       {ladder, 0, 67, 1},
		"nothing":                      {ladder, 0, 0, 0},
		"a negative amount":            {ladder, 0, -5, 0},
		"no fee":                       {":0", 0, 1_000_000, 0},
		"an unknown ladder":            {"", 0, 1_000_000, 0},
		"the largest amount: 1e15/1.2": {":2000", 0, fund.MaxMoney, 166_666_666_666_667},
	} {
		f := fund.FeeSchedule{Subscription: subscription(t, c.ladder), DiscountPct: c.discount}
		if got := f.EntryFee(c.gross); got != c.want {
			t.Errorf("%s: %d fen, want %d", name, got, c.want)
		}
	}
}

func TestExitRateByDay(t *testing.T) {
	f := fund.FeeSchedule{Redemption: redemption(t, "7:150;30:75;180:50;:0")}
	for days, want := range map[int32]fund.BasisPoints{0: 150, 6: 150, 7: 75, 29: 75, 30: 50, 179: 50, 180: 0, 100_000: 0} {
		if got := f.ExitRate(days); got != want {
			t.Errorf("after %d days %d bps, want %d", days, got, want)
		}
	}
}

// 1.5 % of 1,000,100 fen is 15,001.5 fen: rounded up; of nothing it is nothing.
func TestExitFee(t *testing.T) {
	f := fund.FeeSchedule{Redemption: redemption(t, "7:150;:0")}
	for _, c := range []struct {
		value fund.Money
		days  int32
		want  fund.Money
	}{{1_000_100, 6, 15_002}, {1_000_033, 6, 15_000}, {1_000_100, 7, 0}, {0, 0, 0}, {-5, 0, 0}} {
		if got := f.ExitFee(c.value, c.days); got != c.want {
			t.Errorf("%d fen after %d days: %d, want %d", c.value, c.days, got, c.want)
		}
	}
}

func TestFreeExitAfter(t *testing.T) {
	for ladder, want := range map[string]int32{
		"7:150;30:75;180:50;:0": 180, ":0": 0, ":50": -1, "7:150;:50": -1, "7:0;:0": 0, "7:0;30:50;:0": 30, "7:150;30:0;:0": 7,
	} {
		f := fund.FeeSchedule{Redemption: redemption(t, ladder)}
		if got := f.FreeExitAfter(); got != want {
			t.Errorf("%q is free after %d days, want %d", ladder, got, want)
		}
	}
}

// 10,000 yuan gross, entry 0.15 % (9,985.02 net), service 40 bps, running 140 bps.
func TestCostByHand(t *testing.T) {
	f := fund.FeeSchedule{
		Subscription: subscription(t, ":150"), DiscountPct: 90, Redemption: redemption(t, "7:150;30:75;180:50;:0"),
		Management: 120, Custody: 20, Service: 40,
	}
	for _, c := range []struct {
		days  int32
		limit fund.ServiceLimit
		want  fund.Cost
	}{
		{0, 365, fund.Cost{Entry: 1498, Exit: 14_978}},
		{6, 365, fund.Cost{Entry: 1498, Service: 66, Running: 230, Exit: 14_978}},
		{7, 365, fund.Cost{Entry: 1498, Service: 77, Running: 268, Exit: 7_489}},
		{29, 365, fund.Cost{Entry: 1498, Service: 317, Running: 1_111, Exit: 7_489}},
		{30, 365, fund.Cost{Entry: 1498, Service: 328, Running: 1_149, Exit: 4_993}},
		{179, 365, fund.Cost{Entry: 1498, Service: 1_959, Running: 6_855, Exit: 4_993}},
		{180, 365, fund.Cost{Entry: 1498, Service: 1_970, Running: 6_894}},
		{365, 365, fund.Cost{Entry: 1498, Service: 3_994, Running: 13_979}},
		{366, 365, fund.Cost{Entry: 1498, Service: 3_994, Running: 14_017}}, // F03: no service fee after a year
		{730, 365, fund.Cost{Entry: 1498, Service: 3_994, Running: 27_958}},
		{29, 30, fund.Cost{Entry: 1498, Service: 317, Running: 1_111, Exit: 7_489}}, // a pack's shorter limit
		{30, 29, fund.Cost{Entry: 1498, Service: 317, Running: 1_149, Exit: 4_993}},
		{730, 0, fund.Cost{Entry: 1498, Service: 7_988, Running: 27_958}}, // money funds go on, and so did all before F03
	} {
		got := f.CostOf(1_000_000, c.days, c.limit)
		if got != c.want {
			t.Errorf("%d days (limit %d): %+v, want %+v", c.days, c.limit, got, c.want)
		}
		if got.Total() != got.Differing()+got.Running {
			t.Errorf("%d days: the total %d is not what differs and what runs", c.days, got.Total())
		}
	}
	if got := f.CostOf(0, 10, 365); got != (fund.Cost{}) {
		t.Errorf("nothing costs %+v", got)
	}
}

// halfUp is a*num/den rounded half up, in numbers without bounds.
func halfUp(a fund.Money, num, den int64) int64 {
	x := new(big.Int).Mul(big.NewInt(int64(a)), big.NewInt(num))
	x.Add(x, big.NewInt(den/2))
	return x.Div(x, big.NewInt(den)).Int64()
}

// The costs against arithmetic without bounds, for every amount and rate that may enter.
func TestCostsAgainstBigNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Int32Range(0, int32(fund.MaxRate))
		f := fund.FeeSchedule{
			Subscription: []fund.SubscriptionTier{{Rate: fund.BasisPoints(rate.Draw(t, "entry"))}},
			DiscountPct:  rapid.Int32Range(0, 100).Draw(t, "discount"),
			Redemption:   []fund.RedemptionTier{{Rate: fund.BasisPoints(rate.Draw(t, "exit"))}},
			Management:   fund.BasisPoints(rate.Draw(t, "management")), Custody: fund.BasisPoints(rate.Draw(t, "custody")),
			Service: fund.BasisPoints(rate.Draw(t, "service")),
		}
		amount := fund.Money(rapid.Int64Range(1, int64(fund.MaxMoney)).Draw(t, "amount"))
		days := rapid.Int32Range(0, 18_300).Draw(t, "days")
		perMillion := int64(f.Subscription[0].Rate) * int64(100-f.DiscountPct)
		entry := int64(amount) - halfUp(amount, 1_000_000, 1_000_000+perMillion)
		net := amount - fund.Money(entry)
		want := fund.Cost{
			Entry: fund.Money(entry), Exit: fund.Money(halfUp(net, int64(f.Redemption[0].Rate), 10_000)),
			Service: fund.Money(halfUp(net, int64(f.Service)*int64(min(days, 365)), 3_650_000)),
			Running: fund.Money(halfUp(net, int64(f.Management+f.Custody)*int64(days), 3_650_000)),
		}
		if got := f.CostOf(amount, days, 365); got != want {
			t.Fatalf("%d fen for %d days: %+v, want %+v", amount, days, got, want)
		}
	})
}

// A schedule out of damaged bytes gives a number, never a panic: the codec cannot know
// what the dataset reader refuses.
func TestDamagedFeesDoNotPanic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := fund.FeeSchedule{
			Subscription: []fund.SubscriptionTier{{
				Below: fund.Money(rapid.Int64().Draw(t, "below")), Rate: fund.BasisPoints(rapid.Int32().Draw(t, "rate")), Fixed: fund.Money(rapid.Int64().Draw(t, "fixed")),
			}},
			DiscountPct: rapid.Int32().Draw(t, "discount"), Redemption: []fund.RedemptionTier{{Rate: fund.BasisPoints(rapid.Int32().Draw(t, "exit"))}},
			Management: fund.BasisPoints(rapid.Int32().Draw(t, "management")), Service: fund.BasisPoints(rapid.Int32().Draw(t, "service")),
		}
		c := f.CostOf(fund.Money(rapid.Int64().Draw(t, "amount")), rapid.Int32().Draw(t, "days"), fund.ServiceLimit(rapid.Int32().Draw(t, "limit")))
		if c.Entry < 0 || c.Service < 0 || c.Running < 0 || c.Exit < 0 {
			t.Fatalf("a negative cost %+v", c)
		}
	})
}

func TestLaddersAreReadAndWritten(t *testing.T) {
	for _, s := range []string{"100000000:150;500000000:100;:100000f", ":0", ":2000", "1:0;:1000000000000000f", ""} {
		if got := fund.FormatSubscriptionLadder(subscription(t, s)); got != s {
			t.Errorf("entry ladder %q is written %q", s, got)
		}
	}
	for _, s := range []string{"7:150;30:100;180:50;:0", ":0", "40000:1;:0", ""} {
		if got := fund.FormatRedemptionLadder(redemption(t, s)); got != s {
			t.Errorf("exit ladder %q is written %q", s, got)
		}
	}
}

func TestLaddersRefuse(t *testing.T) {
	tooMany := ""
	for i := range fund.MaxLadderTiers {
		tooMany += string(rune('1'+i%9)) + strings.Repeat("0", i) + ":1;"
	}
	for _, s := range []string{
		"150", "7:150", "7:150;", ":", "a:1;:0", "7:x;:0", "7:-1;:0", "-7:1;:0", "0:1;:0", "30:1;7:1;:0", "7:1;7:1;:0", ":1;:0", "7:2001;:0",
		":2001", "7:1;:0;", " :0", "7:1.5;:0", "99999999999999999999:1;:0", tooMany + ":0",
	} {
		if _, err := fund.ParseRedemptionLadder(s); !errors.Is(err, fund.ErrInvalid) {
			t.Errorf("exit ladder %.60q: error %v", s, err)
		}
		if _, err := fund.ParseSubscriptionLadder(s); !errors.Is(err, fund.ErrInvalid) {
			t.Errorf("entry ladder %.60q: error %v", s, err)
		}
	}
	for _, s := range []string{":-5f", ":1000000000000001f", "1000000000000001:1;:0", ":5ff", ":f"} {
		if _, err := fund.ParseSubscriptionLadder(s); !errors.Is(err, fund.ErrInvalid) {
			t.Errorf("entry ladder %q: error %v", s, err)
		}
	}
	for _, s := range []string{":5f", "40001:1;:0"} {
		if _, err := fund.ParseRedemptionLadder(s); !errors.Is(err, fund.ErrInvalid) {
			t.Errorf("exit ladder %q: error %v", s, err)
		}
	}
}

// What is read is written in one way, and read again as the same.
func FuzzLadders(f *testing.F) {
	f.Add("100000000:150;500000000:100;:100000f")
	f.Add("7:150;30:100;180:50;:0")
	f.Add("07:+1;:0f")
	f.Fuzz(func(t *testing.T, s string) {
		if tiers, err := fund.ParseSubscriptionLadder(s); err == nil {
			again := subscription(t, fund.FormatSubscriptionLadder(tiers))
			if fund.FormatSubscriptionLadder(again) != fund.FormatSubscriptionLadder(tiers) {
				t.Fatalf("%q is read as %+v, then as %+v", s, tiers, again)
			}
		}
		if tiers, err := fund.ParseRedemptionLadder(s); err == nil {
			again := redemption(t, fund.FormatRedemptionLadder(tiers))
			if fund.FormatRedemptionLadder(again) != fund.FormatRedemptionLadder(tiers) {
				t.Fatalf("%q is read as %+v, then as %+v", s, tiers, again)
			}
		}
	})
}
