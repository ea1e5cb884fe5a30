package switching_test

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/switching"
)

// drawFees draws a schedule whose exit ladder falls, as every lawful one does.
func drawFees(t *rapid.T, name string) fund.FeeSchedule {
	f := fund.FeeSchedule{
		Subscription: []fund.SubscriptionTier{{Rate: fund.BasisPoints(rapid.Int32Range(0, 150).Draw(t, name+" entry"))}},
		DiscountPct:  rapid.SampledFrom([]int32{0, 60, 90, 100}).Draw(t, name+" off"),
		Management:   fund.BasisPoints(rapid.Int32Range(0, 150).Draw(t, name+" management")),
		Custody:      fund.BasisPoints(rapid.Int32Range(0, 25).Draw(t, name+" custody")),
		Service:      fund.BasisPoints(rapid.SampledFrom([]int32{0, 0, 20, 40}).Draw(t, name+" service")),
	}
	if rapid.IntRange(0, 4).Draw(t, name+" fixed") == 0 {
		f.Subscription = []fund.SubscriptionTier{{Below: 1_000_000, Rate: 80}, {Fixed: fund.Money(rapid.Int64Range(1, 100_000).Draw(t, name+" fee"))}}
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

// drawCase draws a switch of one to six lots.
func drawCase(t *rapid.T) switching.Case {
	on := fund.Date(20280229)
	c := switching.Case{
		Sell: switching.Sale{
			Product: &fund.Product{Code: "OLD", Type: "债券型", Fees: drawFees(t, "old")},
			UnitNAV: float64(rapid.Int64Range(1_000, 90_000).Draw(t, "nav")) / 10_000,
		},
		Buy: switching.Purchase{Classes: []*fund.Product{{Code: "NEW", Type: "债券型", Fees: drawFees(t, "new")}}},
		On:  on, HorizonDays: rapid.Int32Range(1, 2_000).Draw(t, "horizon"), ServiceLimit: fund.ServiceLimit(rapid.SampledFrom([]int32{0, 365, 365, 100}).Draw(t, "limit")),
	}
	for range rapid.IntRange(1, 6).Draw(t, "lots") {
		l := fund.Lot{ProductCode: "OLD", Shares: fund.Shares(rapid.Int64Range(1, 10_000_000_000).Draw(t, "shares"))}
		if age := rapid.IntRange(-1, 1_000).Draw(t, "age"); age >= 0 {
			l.AcquiredOn = on.AddDays(-age)
		}
		c.Sell.Lots = append(c.Sell.Lots, l)
	}
	switch rapid.IntRange(0, 2).Draw(t, "how") {
	case 0:
		c.Sell.Shares = fund.Shares(rapid.Int64Range(1, 20_000_000_000).Draw(t, "sold"))
	case 1:
		c.Buy.Amount = fund.Money(rapid.Int64Range(1, 1_000_000_000).Draw(t, "amount"))
	}
	return c
}

// half rounds a number of fen half up.
func half(x *big.Rat) fund.Money {
	n := new(big.Int).Add(new(big.Int).Mul(x.Num(), big.NewInt(2)), x.Denom())
	return fund.Money(n.Div(n, new(big.Int).Mul(x.Denom(), big.NewInt(2))).Int64())
}

func part(m fund.Money, num, den int64) fund.Money {
	return half(new(big.Rat).Mul(new(big.Rat).SetInt64(int64(m)), big.NewRat(num, den)))
}

func rateOf(f *fund.FeeSchedule, days int32) int64 {
	for _, t := range f.Redemption {
		if t.Below == 0 || days < t.Below {
			return int64(t.Rate)
		}
	}
	return 0
}

// leaving is what leaving costs so many days on, of both funds, by the words of the docs.
func leaving(c *switching.Case, a *switching.Assessment, days int32) (newFee, oldFee fund.Money) {
	fees := &c.Sell.Product.Fees
	for _, l := range a.Lots {
		rate := rateOf(fees, l.Days+days)
		if l.Days < 0 {
			rate = rateOf(fees, 18_300) // the last step of a ladder that falls
		}
		oldFee += part(l.Moved, rate, 10_000)
	}
	return part(a.Moved, rateOf(&c.Buy.Classes[0].Fees, days), 10_000), oldFee
}

// running is what both funds take of the moved money over so many days.
func running(c *switching.Case, a *switching.Assessment, days int32) (newFee, oldFee fund.Money) {
	bears := func(from, to int32) int64 {
		n := int64(0)
		for d := from; d < to; d++ {
			if c.ServiceLimit == 0 || d < int32(c.ServiceLimit) {
				n++
			}
		}
		return n
	}
	n, o := &c.Buy.Classes[0].Fees, &c.Sell.Product.Fees
	const year = 3_650_000
	newFee = part(a.Moved, int64(n.Management+n.Custody)*int64(days), year) + part(a.Moved, int64(n.Service)*bears(0, days), year)
	oldFee = part(a.Moved, int64(o.Management+o.Custody)*int64(days), year)
	for _, l := range a.Lots {
		switch {
		case l.Days >= 0:
			oldFee += part(l.Moved, int64(o.Service)*bears(l.Days, l.Days+days), year)
		case c.ServiceLimit == 0:
			oldFee += part(l.Moved, int64(o.Service)*int64(days), year)
		}
	}
	return newFee, oldFee
}

// Every sum against a slow oracle in exact fractions, the break-even day by day.
func TestAgainstExactFractions(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := drawCase(t)
		a := assess(&c)
		nav := new(big.Rat).SetFrac64(int64(c.Sell.UnitNAV*10_000+.5), 10_000)
		var value, fee, moved fund.Money
		for _, l := range a.Lots {
			if want := half(new(big.Rat).Mul(nav, big.NewRat(int64(l.Shares), 100))); l.Value != want {
				t.Fatalf("lot %+v is worth %d", l, want)
			}
			rate := rateOf(&c.Sell.Product.Fees, max(l.Days, 0))
			if want := part(l.Value, rate, 10_000); l.Fee != want {
				t.Fatalf("lot %+v costs %d", l, want)
			}
			value, fee, moved = value+l.Value, fee+l.Fee, moved+l.Moved
		}
		if a.Sold.Value != value || a.Sold.Fee != fee || a.Sold.Proceeds != value-fee || moved != a.Moved {
			t.Fatalf("%+v, moved %d of %d", a.Sold, moved, a.Moved)
		}
		if a.Gaps&^(switching.NoLotDay|switching.TooFew) != 0 {
			if a.Cost.OK {
				t.Fatal("a cost in spite of what is not known")
			}
			return
		}
		newExit, oldExit := leaving(&c, a, c.HorizonDays)
		newRun, oldRun := running(&c, a, c.HorizonDays)
		want := switching.Cost{
			OK: true, Exit: fee, Entry: c.Buy.Classes[0].Fees.EntryFee(a.Amount), Lost: max(0, newExit-oldExit), Running: max(0, newRun-oldRun),
		}
		if a.Cost != want || a.Benefit.Running != max(0, oldRun-newRun) {
			t.Fatalf("cost %+v, benefit %+v; want %+v, %d", a.Cost, a.Benefit, want, oldRun-newRun)
		}
		day, above := int32(-1), fund.Money(0)
		for d := int32(1); d <= 1_200 && day < 0; d++ {
			newExit, oldExit := leaving(&c, a, d)
			newRun, oldRun := running(&c, a, d)
			if above = oldRun - newRun - want.Exit - want.Entry - max(0, newExit-oldExit); above > 0 {
				day = d
			}
		}
		if a.BreakEven == -1 && above <= fund.Money(len(a.Lots))+2 {
			return // what rounding alone leaves over is no saving
		}
		if got := a.BreakEven; day != got && (day >= 0 || got >= 0 && got <= 1_200) {
			t.Fatalf("break-even on day %d, want %d", got, day)
		}
	})
}

// No part of a cost is below nothing, and of a cure or a benefit nothing speaks of a return:
// the NAV's past is not even asked for, and at twice the NAV of half the shares all is the same.
func TestCostsAreNeverNegative(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := drawCase(t)
		a := assess(&c)
		for _, m := range []fund.Money{a.Cost.Exit, a.Cost.Entry, a.Cost.Lost, a.Cost.Running, a.Benefit.Running, a.Moved, a.Sold.Proceeds} {
			if m < 0 {
				t.Fatalf("%+v, %+v", a.Cost, a.Benefit)
			}
		}
		for i := range c.Sell.Lots {
			c.Sell.Lots[i].Shares *= 2
		}
		c.Sell.Shares *= 2
		c.Sell.UnitNAV /= 2
		if b := assess(&c); c.Buy.Amount == 0 && (b.Cost != a.Cost || b.Benefit != a.Benefit || b.BreakEven != a.BreakEven || b.Verdict != a.Verdict) {
			t.Fatalf("cost %+v, benefit %+v, at half the NAV %+v, %+v", a.Cost, a.Benefit, b.Cost, b.Benefit)
		}
	})
}

// Selling in two parts costs what selling at once does, up to a fen a lot and part.
func TestSellingInParts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := drawCase(t)
		c.Buy.Amount, c.Sell.Shares = 0, 0
		whole := assess(&c)
		c.Sell.Shares = fund.Shares(rapid.Int64Range(1, int64(whole.Sold.Shares)).Draw(t, "first"))
		first := *assess(&c)
		rest := c
		rest.Sell.Shares, rest.Sell.Lots = 0, nil
		for _, l := range first.Lots {
			if left := l.Held - l.Shares; left > 0 {
				rest.Sell.Lots = append(rest.Sell.Lots, fund.Lot{ProductCode: "OLD", Shares: left, AcquiredOn: l.AcquiredOn})
			}
		}
		second := *assess(&rest)
		apart := first.Sold.Fee + second.Sold.Fee - whole.Sold.Fee
		if bound := fund.Money(len(whole.Lots)); apart > bound || apart < -bound {
			t.Fatalf("%d + %d is not %d", first.Sold.Fee, second.Sold.Fee, whole.Sold.Fee)
		}
		if first.Sold.Shares+second.Sold.Shares != whole.Sold.Shares {
			t.Fatal("shares were lost")
		}
	})
}

// A higher fee of the new fund, or a higher one to leave the old, never makes the switch
// cheaper against what it saves.
func TestAFeeNeverLowersTheCost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := drawCase(t)
		before := assess(&c)
		more := fund.BasisPoints(rapid.Int32Range(1, 50).Draw(t, "more"))
		product := *c.Buy.Classes[0]
		f := &product.Fees
		switch rapid.IntRange(0, 4).Draw(t, "which") {
		case 0:
			f.Management += more
		case 1:
			f.Service += more
		case 2:
			f.Custody += more
		case 3:
			f.Redemption = append([]fund.RedemptionTier(nil), f.Redemption...)
			for i := range f.Redemption {
				f.Redemption[i].Rate += more
			}
		case 4:
			f.Subscription = append([]fund.SubscriptionTier(nil), f.Subscription...)
			for i := range f.Subscription {
				if f.Subscription[i].Fixed > 0 {
					f.Subscription[i].Fixed += fund.Money(more)
				} else {
					f.Subscription[i].Rate += more
				}
			}
		}
		c.Buy.Classes = []*fund.Product{&product}
		after := assess(&c)
		// A dearer entry leaves less money to bear the other fees: at most a fen for each lot of
		// what they round, and what they would have taken of it.
		slack := fund.Money(len(after.Lots)) + 2 + (before.Moved-after.Moved)/4
		net := func(a *switching.Assessment) fund.Money { return a.Cost.Total() - a.Benefit.Running }
		if before.Cost.OK && net(after) < net(before)-slack {
			t.Fatalf("%+v, then %+v", before.Cost, after.Cost)
		}
	})
}

// An assessment goes into buffers that are used again, and leaves no trace of the one before.
func TestBuffersAreUsedAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first, second := drawCase(t), drawCase(t)
		used := assess(&first)
		switching.Assess(&second, used)
		fresh := assess(&second)
		if used.Cost != fresh.Cost || used.Benefit != fresh.Benefit || len(used.Lots) != len(fresh.Lots) || len(used.Leaving) != len(fresh.Leaving) || used.Gaps != fresh.Gaps {
			t.Fatalf("%+v, fresh %+v", used, fresh)
		}
	})
	c := plain(t)
	out := assess(&c)
	if n := testing.AllocsPerRun(100, func() { switching.Assess(&c, out) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
