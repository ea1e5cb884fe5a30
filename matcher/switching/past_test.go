package switching_test

import (
	"testing"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/switching"
)

// pool is a market of two funds with one ladder each, and a money fund.
type pool map[string]*fund.Product

func (p pool) Product(code string) *fund.Product { return p[code] }

func market(tb testing.TB) pool {
	tb.Helper()
	return pool{
		"X":    {Code: "X", Type: "混合型-偏股", ParentCode: "X", Fees: fees(tb, ":100", 0, steps, 140, 0)},
		"X-C":  {Code: "X-C", Type: "混合型-偏股", ParentCode: "X", Fees: fees(tb, ":0", 0, "7:150;:0", 140, 40)},
		"FLAT": {Code: "FLAT", Type: "混合型-偏股", Fees: fees(tb, ":0", 0, ":100", 140, 0)},
		"UNTOLD": {
			Code: "UNTOLD", Type: "混合型-偏股", Fees: fees(tb, ":0", 0, ":100", 140, 0),
			Missing: 1<<fund.FieldRedemptionLadder | 1<<fund.FieldSubscriptionLadder,
		},
		"CASH": {Code: "CASH", Type: "货币型", Fees: fees(tb, ":0", 0, ":0", 20, 0)},
	}
}

const noon fund.Instant = 12 * 60 * 60 * 1_000_000

// event is one deal on a day, at noon.
func event(tb testing.TB, kind fund.EventKind, on, code string, amount fund.Money) fund.Event {
	tb.Helper()
	return fund.Event{Kind: kind, At: day(tb, on).Start() + noon, ProductCode: code, Amount: amount}
}

func TestPast(t *testing.T) {
	t.Parallel()
	sold := func(on, code string, amount fund.Money) fund.Event { return event(t, fund.Redeem, on, code, amount) }
	bought := func(on, code string, amount fund.Money) fund.Event {
		return event(t, fund.OrderConfirm, on, code, amount)
	}
	for name, c := range map[string]struct {
		events  []fund.Event
		pending bool
		want    switching.Past // Mean, ratios aside
	}{
		"nothing but this one":       {want: switching.Past{Switches: 1}},
		"nothing, the order pending": {pending: true},
		"sold and bought, 14 days": {
			events: []fund.Event{sold("2026-05-01", "FLAT", 990_000), bought("2026-05-15", "X", 101_000)},
			want:   switching.Past{Switches: 2, Redeemed: 990_000, Fees: 10_000 + 1_000},
		},
		"15 days is no switch": {
			events: []fund.Event{sold("2026-05-01", "FLAT", 990_000), bought("2026-05-16", "X", 101_000)},
			want:   switching.Past{Switches: 1, Redeemed: 990_000},
		},
		"bought first": {
			events: []fund.Event{bought("2026-05-01", "X", 101_000), sold("2026-05-15", "FLAT", 990_000)},
			want:   switching.Past{Switches: 2, Redeemed: 990_000, Fees: 11_000},
		},
		"split into three orders": {
			events: []fund.Event{
				sold("2026-05-01", "FLAT", 990_000), bought("2026-05-02", "X", 101_000), bought("2026-05-03", "X", 101_000), bought("2026-05-04", "X", 101_000),
			},
			want: switching.Past{Switches: 2, Redeemed: 990_000, Fees: 13_000},
		},
		"split into two redemptions of a day": {
			events: []fund.Event{sold("2026-05-01", "FLAT", 99_000), sold("2026-05-01", "FLAT", 99_000), bought("2026-05-02", "X", 101_000)},
			want:   switching.Past{Switches: 2, Redeemed: 198_000, Fees: 3_000},
		},
		"two redemptions of two days": {
			events: []fund.Event{sold("2026-05-01", "FLAT", 99_000), sold("2026-05-02", "FLAT", 99_000), bought("2026-05-02", "X", 101_000)},
			want:   switching.Past{Switches: 3, Redeemed: 198_000, Fees: 3_000},
		},
		"a money fund sold": {
			events: []fund.Event{sold("2026-05-01", "CASH", 990_000), bought("2026-05-02", "X", 101_000)},
			want:   switching.Past{Switches: 1},
		},
		"the first day of the 365": {
			events: []fund.Event{sold("2025-11-24", "FLAT", 99_000), bought("2025-11-25", "X-C", 99_000)},
			want:   switching.Past{Switches: 2, Redeemed: 99_000, Fees: 1_000},
		},
		"the day before them": {
			events: []fund.Event{sold("2025-11-23", "FLAT", 99_000), bought("2025-11-25", "X-C", 99_000)},
			want:   switching.Past{Switches: 1, Fees: 0},
		},
		"an order not confirmed yet": {
			events:  []fund.Event{sold("2026-11-09", "FLAT", 99_000)},
			pending: true, want: switching.Past{Switches: 1, Redeemed: 99_000, Fees: 1_000},
		},
		"a day too late for it": {
			events:  []fund.Event{sold("2026-11-08", "FLAT", 99_000)},
			pending: true, want: switching.Past{Redeemed: 99_000},
		},
		"he buys back another class": {
			events: []fund.Event{sold("2026-11-09", "X", 99_000)},
			want:   switching.Past{Switches: 1, Redeemed: 99_000, InAndOut: true},
		},
		"fifteen days later it is none": {
			events: []fund.Event{sold("2026-11-08", "X", 99_000)},
			want:   switching.Past{Switches: 1, Redeemed: 99_000},
		},
		"fees that cannot be known": {
			events: []fund.Event{sold("2026-05-01", "X", 99_000), bought("2026-05-02", "GONE", 99_000), bought("2026-05-03", "X", 0)},
			want:   switching.Past{Switches: 2, Redeemed: 99_000, FeesUnknown: 3},
		},
		"a fee that its days make known": {
			events: []fund.Event{bought("2026-03-01", "X", 101_000), sold("2026-05-01", "X", 99_500), bought("2026-05-02", "X-C", 99_000)},
			want:   switching.Past{Switches: 2, Redeemed: 99_500, Fees: 500},
		},
		"a money fund bought": {
			events: []fund.Event{sold("2026-05-01", "FLAT", 99_000), bought("2026-05-02", "CASH", 99_000)},
			want:   switching.Past{Switches: 2, Redeemed: 99_000, Fees: 1_000},
		},
		"at the instant": {
			events: []fund.Event{sold("2026-11-20", "FLAT", 99_000), bought("2026-11-23", "X", 101_000)},
			want:   switching.Past{Switches: 2, Redeemed: 99_000, Fees: 2_000},
		},
		"he buys back the other class": {
			events: []fund.Event{sold("2026-11-09", "X-C", 99_000)},
			want:   switching.Past{Switches: 1, Redeemed: 99_000, InAndOut: true},
		},
		"two products redeemed on a day": {
			events: []fund.Event{sold("2026-05-01", "X", 99_000), sold("2026-05-01", "FLAT", 99_000), bought("2026-05-02", "X-C", 99_000)},
			want:   switching.Past{Switches: 3, Redeemed: 198_000, Fees: 1_000, FeesUnknown: 1},
		},
		"bought and redeemed on a day": {
			events: []fund.Event{bought("2026-05-01", "FLAT", 99_000), sold("2026-05-01", "FLAT", 99_000)},
			want:   switching.Past{Switches: 2, Redeemed: 99_000, Fees: 1_000},
		},
		"a product of no pool redeemed": {
			events: []fund.Event{sold("2026-05-01", "GONE", 99_000), bought("2026-05-02", "X-C", 99_000)},
			want:   switching.Past{Switches: 2, Redeemed: 99_000, FeesUnknown: 1},
		},
		"a ladder that is said to be missing": {
			events: []fund.Event{sold("2026-05-01", "UNTOLD", 99_000), bought("2026-05-02", "UNTOLD", 99_000)},
			want:   switching.Past{Switches: 2, Redeemed: 99_000, FeesUnknown: 2},
		},
		"a redemption of no amount": {
			events: []fund.Event{sold("2026-05-01", "FLAT", 0), bought("2026-05-02", "X-C", 99_000)},
			want:   switching.Past{Switches: 2, FeesUnknown: 1},
		},
		"the largest amounts": {
			events: []fund.Event{sold("2026-05-01", "FLAT", fund.MaxMoney), bought("2026-05-02", "X", fund.MaxMoney)},
			want:   switching.Past{Switches: 2, Redeemed: fund.MaxMoney, Fees: 10_101_010_101_010 + 9_900_990_099_010},
		},
		"amounts that no bank holds": {
			events: []fund.Event{sold("2026-05-01", "FLAT", fund.MaxMoney+1), bought("2026-05-02", "X", fund.MaxMoney+1)},
			want:   switching.Past{Switches: 2, Redeemed: fund.MaxMoney, FeesUnknown: 2},
		},
		"later than the instant": {
			events: []fund.Event{sold("2026-11-24", "FLAT", 99_000), bought("2026-11-24", "X", 101_000)},
			want:   switching.Past{Switches: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := plain(t)
			k.Buy.Classes[0].ParentCode = "X"
			k.History = switching.History{
				At: day(t, "2026-11-23").Start() + noon, Events: c.events, Holdings: 1_000_000, Known: true,
				WindowDays: 14, Pool: market(t), Pending: c.pending,
			}
			got := assess(&k).Past
			got.Mean, got.Turnover, got.CostToEquity = 0, fund.Measure{}, fund.Measure{}
			if got != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}

// The mean holdings by hand: 1,000 yuan now; until 73 days ago 2,000 more, which were
// redeemed. 292 days of 3,000 and 73 of 1,000 are 2,600 a day.
func TestMeanHoldings(t *testing.T) {
	t.Parallel()
	k := plain(t)
	k.History = switching.History{
		At:     day(t, "2026-11-23").Start() + 1,
		Events: []fund.Event{event(t, fund.Redeem, "2026-09-12", "FLAT", 200_000)}, Holdings: 100_000, Known: true, WindowDays: 14, Pool: market(t),
	}
	past := assess(&k).Past
	if past.Mean != 260_000 || past.Turnover != (fund.Measure{Value: 769_231, OK: true}) || past.CostToEquity != (fund.Measure{OK: true}) {
		t.Errorf("%+v", past)
	}
	k.History.Events = append([]fund.Event{event(t, fund.OrderConfirm, "2026-09-12", "X", 50_000)}, k.History.Events...)
	// 292 days of 2,500 and 73 of 1,000: 2,200; the exit fee is 2,000 ÷ .99 - 2,000, the entry fee 500 - 500 ÷ 1.01.
	if past = assess(&k).Past; past.Mean != 220_000 || past.Fees != 2_020+495 || past.CostToEquity.Value != 11_432 {
		t.Errorf("%+v", past)
	}
	for name, change := range map[string]func(*switching.History){
		"a holding without a value": func(h *switching.History) { h.Known = false },
		"a deal without an amount":  func(h *switching.History) { h.Events[0].Amount = 0 },
		"nothing was held":          func(h *switching.History) { h.Events, h.Holdings = nil, 0 },
	} {
		l := k
		l.History.Events = append([]fund.Event(nil), k.History.Events...)
		change(&l.History)
		if past := assess(&l).Past; past.Mean != 0 || past.Turnover.OK || past.CostToEquity.OK {
			t.Errorf("%s: %+v", name, past)
		}
	}
}

// The largest deal is one of a known amount; a fen more is a mistake in the data.
func TestMeanHoldingsOfTheLargestDeal(t *testing.T) {
	t.Parallel()
	for amount, want := range map[fund.Money]fund.Money{
		fund.MaxMoney:     fund.MaxMoney / daysOfAYear * 292, // 73 days of nothing
		fund.MaxMoney + 1: 0,
	} {
		k := plain(t)
		k.History = switching.History{
			At: day(t, "2026-11-23").Start() + noon, Known: true, WindowDays: 14, Pool: market(t),
			Events: []fund.Event{event(t, fund.Redeem, "2026-09-12", "FLAT", amount)},
		}
		if past := assess(&k).Past; past.Mean/daysOfAYear != want/daysOfAYear {
			t.Errorf("%d redeemed: mean %d, want %d", amount, past.Mean, want)
		}
	}
}

const daysOfAYear = 365

// A switch into nothing looks back all the same.
func TestPastOfNoPurchase(t *testing.T) {
	t.Parallel()
	k := plain(t)
	k.Buy.Classes = nil
	k.History = switching.History{
		At: day(t, "2026-11-23").Start() + noon, WindowDays: 14, Pool: market(t),
		Events: []fund.Event{event(t, fund.Redeem, "2026-11-20", "X", 99_000)},
	}
	if past := assess(&k).Past; past.InAndOut || past.Redeemed != 99_000 {
		t.Errorf("%+v", past)
	}
}

// When shares that were redeemed on a day had been bought: before it, by the ledger or the
// trail, and nothing that is another product's or another kind of deal.
func TestAcquired(t *testing.T) {
	t.Parallel()
	const sold, first, second, third = fund.Date(20260501), fund.Date(20260101), fund.Date(20260102), fund.Date(20260430)
	buy := func(code string, on fund.Date) fund.Purchase {
		return fund.Purchase{ProductCode: code, KnownOn: on, Kind: "BUY"}
	}
	deal := func(kind fund.EventKind, code string, on fund.Date) fund.Event {
		return fund.Event{Kind: kind, ProductCode: code, At: on.Start() + noon}
	}
	for name, c := range map[string]struct {
		purchases []fund.Purchase
		events    []fund.Event
		want      fund.Window
	}{
		"nothing on file":        {},
		"once, by the ledger":    {purchases: []fund.Purchase{buy("X", first)}, want: fund.Window{From: first, To: first}},
		"once, by the trail":     {events: []fund.Event{deal(fund.OrderConfirm, "X", first)}, want: fund.Window{From: first, To: first}},
		"twice, the later first": {purchases: []fund.Purchase{buy("X", third), buy("X", first)}, want: fund.Window{From: first, To: third}},
		"by both": {
			purchases: []fund.Purchase{buy("X", second)},
			events:    []fund.Event{deal(fund.OrderConfirm, "X", first), deal(fund.OrderConfirm, "X", third)},
			want:      fund.Window{From: first, To: third},
		},
		"on the day itself": {purchases: []fund.Purchase{buy("X", sold)}, events: []fund.Event{deal(fund.OrderConfirm, "X", sold)}},
		"after it":          {purchases: []fund.Purchase{buy("X", sold+1)}},
		"on no day":         {purchases: []fund.Purchase{buy("X", 0)}},
		"no day and a day":  {purchases: []fund.Purchase{buy("X", 0), buy("X", first), buy("X", 0)}, want: fund.Window{From: first, To: first}},
		"another product":   {purchases: []fund.Purchase{buy("Y", first)}, events: []fund.Event{deal(fund.OrderConfirm, "Y", first)}},
		"another kind": {
			purchases: []fund.Purchase{{ProductCode: "X", KnownOn: first, Kind: "GIVE_UP"}},
			events:    []fund.Event{deal(fund.Redeem, "X", first), deal(fund.Click, "X", second)},
		},
	} {
		h := switching.History{Purchases: c.purchases, Events: c.events}
		if got := h.Acquired("X", sold); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}
