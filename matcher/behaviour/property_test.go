package behaviour_test

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// money draws amounts up to the largest one, and unknown ones.
func money() *rapid.Generator[fund.Money] {
	return rapid.OneOf(
		rapid.Just(fund.Money(0)), rapid.Just(fund.MaxMoney),
		rapid.Map(rapid.Int64Range(1, int64(fund.MaxMoney)), func(n int64) fund.Money { return fund.Money(n) }),
		rapid.Map(rapid.Int64Range(1, 10_000_000), func(n int64) fund.Money { return fund.Money(n) }),
	)
}

func someDay(t *rapid.T, fromAgo, toAgo int) fund.Date {
	return day(rapid.IntRange(toAgo, fromAgo).Draw(t, "days ago"))
}

func someCode(t *rapid.T) string {
	return rapid.SampledFrom([]string{"P1", "P2", "P3", "P4", "P5", "P6"}).Draw(t, "code")
}

// somePool draws what is known of most products.
func somePool(t *rapid.T) market {
	pool := market{}
	for _, code := range []string{"P1", "P2", "P3", "P4", "P5"} { // P6 is not in the pool
		p := &behaviour.Product{
			FundCode: rapid.SampledFrom([]string{"", "F1", "F2"}).Draw(t, "fund"), Issuer: rapid.SampledFrom([]string{"", "甲", "乙"}).Draw(t, "issuer"),
			Theme: rapid.SampledFrom([]string{"", "消费", "医药"}).Draw(t, "theme"), Grade: fund.RiskGrade(rapid.Uint8Max(5).Draw(t, "grade")),
			UnitNAV: rapid.SampledFrom([]float64{0, 0.0001, 0.8, 1, 1.0437, 37.25, 1e6, math.NaN(), math.Inf(1), -1}).Draw(t, "nav"),
		}
		if rapid.Bool().Draw(t, "launch is known") {
			p.LaunchedOn = someDay(t, 1_500, 0)
		}
		for range rapid.IntRange(0, 3).Draw(t, "falls") {
			f := fund.Fall{Depth: -fund.Ratio(rapid.IntRange(100_000, 900_000).Draw(t, "depth")), PeakOn: someDay(t, 1_500, -50)}
			f.TroughOn = f.PeakOn.AddDays(rapid.IntRange(1, 400).Draw(t, "down"))
			if rapid.Bool().Draw(t, "recovered") {
				f.RecoveredOn = f.TroughOn.AddDays(rapid.IntRange(1, 400).Draw(t, "up"))
			}
			p.Falls = append(p.Falls, f)
		}
		pool[code] = p
	}
	return pool
}

func someLots(t *rapid.T, from, to int) (lots []fund.Lot) {
	for range rapid.IntRange(0, 6).Draw(t, "lots") {
		shares := rapid.OneOf(rapid.Int64Range(0, 10), rapid.Int64Range(1, 1e9), rapid.Just(int64(1e15))).Draw(t, "shares")
		lots = append(lots, fund.Lot{ProductCode: someCode(t), Shares: fund.Shares(shares), AcquiredOn: someDay(t, from, to), Cost: money().Draw(t, "cost")})
	}
	return lots
}

func somePurchases(t *rapid.T, from, to int) (list []fund.Purchase) {
	for range rapid.IntRange(0, 6).Draw(t, "purchases") {
		kind := rapid.SampledFrom([]string{"BUY", "BUY", "REDEEM", "VIEW"}).Draw(t, "kind")
		list = append(list, fund.Purchase{ProductCode: someCode(t), KnownOn: someDay(t, from, to), Kind: kind, Amount: money().Draw(t, "amount")})
	}
	return list
}

func someEvents(t *rapid.T, from, to int) (events []fund.Event) {
	for range rapid.IntRange(0, 25).Draw(t, "events") {
		e := fund.Event{
			Kind: fund.EventKind(rapid.IntRange(0, fund.EventKinds-1).Draw(t, "kind")), ProductCode: someCode(t),
			At:      daysAgo(rapid.IntRange(to, from).Draw(t, "event days ago")) - fund.Instant(rapid.IntRange(0, 3).Draw(t, "moments")),
			Channel: rapid.SampledFrom([]string{"", "APP", "BRANCH"}).Draw(t, "channel"), About: rapid.SampledFrom([]string{"", "FEE", "NOT_NOW"}).Draw(t, "about"),
			Amount: money().Draw(t, "amount"), Cost: money().Draw(t, "cost"), Dwell: rapid.Int32Range(0, math.MaxInt32).Draw(t, "dwell"), Closed: rapid.Bool().Draw(t, "closed"),
		}
		if rapid.IntRange(0, 4).Draw(t, "about a product") == 0 {
			e.ProductCode = ""
		}
		events = append(events, e)
	}
	return events
}

// profileOf puts the lists into their documented orders.
func profileOf(lots []fund.Lot, purchases []fund.Purchase, events []fund.Event) *fund.Profile {
	p := &fund.Profile{Lots: slices.Clone(lots), Purchases: slices.Clone(purchases), Trail: behaviour.Of(events)}
	slices.SortStableFunc(p.Lots, func(a, b fund.Lot) int {
		return cmp.Or(strings.Compare(a.ProductCode, b.ProductCode), cmp.Compare(a.AcquiredOn, b.AcquiredOn))
	})
	slices.SortStableFunc(p.Purchases, func(a, b fund.Purchase) int {
		return cmp.Or(strings.Compare(a.ProductCode, b.ProductCode), cmp.Compare(a.KnownOn, b.KnownOn), strings.Compare(a.Kind, b.Kind))
	})
	return p
}

// As of an instant nothing later is looked at, and a buffer that was used before leaves
// nothing behind.
func TestReadLooksAtNothingLater(t *testing.T) {
	used := &fund.Conduct{}
	rapid.Check(t, func(t *rapid.T) {
		pool := somePool(t)
		lots, purchases, events := someLots(t, 1_500, 0), somePurchases(t, 1_500, 0), someEvents(t, 1_500, 0)
		want := read(profileOf(lots, purchases, events), pool)
		later := profileOf(
			append(slices.Clone(lots), someLots(t, -1, -400)...), append(slices.Clone(purchases), somePurchases(t, -1, -400)...),
			append(slices.Clone(events), someEvents(t, -1, -400)...))
		behaviour.Read(later, fund.C3, base, pool, used)
		if d := gocmp.Diff(want, used, cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("what came later changed it (-before +after):\n%s", d)
		}
	})
}

func TestInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pool := somePool(t)
		p := profileOf(someLots(t, 1_500, -20), somePurchases(t, 1_500, -20), someEvents(t, 1_500, -20))
		c := read(p, pool)
		for name, a := range map[string]*fund.Activity{"purchases": &c.Purchases, "redemptions": &c.Redemptions, "visits": &c.Visits, "contacts": &c.Contacts} {
			if a.Count30 > a.Count90 || a.Count90 > a.Count365 || a.Count365 > a.Count || a.Amount365 > a.Amount || a.Amount365 < 0 || (a.Count > 0) != (a.Last > 0) || a.Last > 20240315 {
				t.Fatalf("%s: %+v", name, a)
			}
		}
		checkPortfolio(t, c)
		if l := &c.Losses; l.Open < 0 || l.Worst.OK != (l.WorstCode != "") || l.Worst.Value > 0 || l.Borne.Value > 0 || l.Borne.OK && l.KeptInFall+l.AddedInFall == 0 ||
			l.SilentInFall > l.SoldInFall+l.KeptInFall+l.AddedInFall {
			t.Fatalf("losses: %+v", *l)
		}
		sorted := slices.IsSortedFunc(c.Positions, func(a, b fund.Position) int { return apart(strings.Compare(a.ProductCode, b.ProductCode)) }) &&
			slices.IsSortedFunc(c.Journeys, func(a, b fund.Journey) int { return apart(strings.Compare(a.ProductCode, b.ProductCode)) }) &&
			slices.IsSortedFunc(c.Doubts, func(a, b fund.Doubt) int {
				return apart(cmp.Or(strings.Compare(a.ProductCode, b.ProductCode), strings.Compare(a.Code, b.Code)))
			})
		if !sorted {
			t.Fatalf("not in order, or twice: %+v %+v %+v", c.Positions, c.Journeys, c.Doubts)
		}
		facts := behaviour.Facts(c, nil)
		if len(facts) > behaviour.MaxFacts {
			t.Fatalf("%d facts", len(facts))
		}
	})
}

// apart makes equal neighbours count as out of order.
func apart(c int) int {
	if c == 0 {
		return 1
	}
	return c
}

func checkPortfolio(t *rapid.T, c *fund.Conduct) {
	f := &c.Portfolio
	n, sum := 0, fund.Ratio(0)
	for i := range c.Positions {
		p := &c.Positions[i]
		if p.Shares <= 0 || p.FirstOn > p.LastOn || p.LastOn > 20240315 || !p.ValueOK && p.Value != 0 || !p.CostOK && p.Cost != 0 || p.Result.OK != (p.ValueOK && p.CostOK) {
			t.Fatalf("position %+v", *p)
		}
		if p.Share.OK {
			n++
			sum += p.Share.Value
		}
	}
	if n > 0 && (sum < 1_000_000-fund.Ratio(n) || sum > 1_000_000+fund.Ratio(n)) {
		t.Fatalf("the shares of %d positions add up to %d millionths", n, sum)
	}
	for name, m := range map[string]fund.Measure{
		"largest": f.Largest, "HHI fund": f.HHIFund, "HHI issuer": f.HHIIssuer, "HHI theme": f.HHITheme, "above level": f.AboveLevel, "new issues": f.NewIssues, "turnover": f.Turnover,
	} {
		if m.Value < 0 || m.Value > 1_000_000 || !m.OK && m.Value != 0 {
			t.Fatalf("%s: %+v", name, m)
		}
	}
	for name, m := range map[string]fund.Measure{"HHI fund": f.HHIFund, "HHI issuer": f.HHIIssuer, "HHI theme": f.HHITheme, "largest": f.Largest} {
		if m.OK && int64(m.Value) < 1_000_000/int64(n)-1 {
			t.Fatalf("%s of %d positions: %d", name, n, m.Value)
		}
	}
	if f.HHIFund.OK && (f.Largest.Value < f.HHIFund.Value-1 || !f.Largest.OK) {
		t.Fatalf("largest %d, HHI %d", f.Largest.Value, f.HHIFund.Value)
	}
	if f.GradeGap.OK && (f.GradeGap.Value < -2_000_000 || f.GradeGap.Value > 2_000_000) {
		t.Fatalf("grade gap of C3: %d", f.GradeGap.Value)
	}
}

// A plain computation by maps and loops over whole lists says the same.
func TestAPlainComputationSaysTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pool := somePool(t)
		lots, purchases, events := someLots(t, 1_500, -20), somePurchases(t, 1_500, -20), someEvents(t, 1_500, -20)
		c := read(profileOf(lots, purchases, events), pool)
		seen := slices.DeleteFunc(slices.Clone(events), func(e fund.Event) bool {
			binds := e.Kind == fund.Refusal || e.Kind == fund.Complaint // from its instant on
			return e.At > base || e.At == base && !binds
		})
		visits := plainActivity(seen, fund.Click, fund.DetailView)
		visits.Amount, visits.Amount365 = c.Visits.Amount, c.Visits.Amount365
		if c.Visits != visits {
			t.Fatalf("visits %+v, want %+v", c.Visits, visits)
		}
		if want := plainActivity(seen, fund.Contact); c.Contacts != want {
			t.Fatalf("contacts %+v, want %+v", c.Contacts, want)
		}
		if d := gocmp.Diff(plainJourneys(seen), c.Journeys, cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("journeys (-plain +read):\n%s", d)
		}
		if d := gocmp.Diff(plainDoubts(seen), c.Doubts, cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("doubts (-plain +read):\n%s", d)
		}
		issuer := plainHHI(c, func(code string) string { return pool[code].Issuer })
		byFund := plainHHI(c, func(code string) string { return cmp.Or(pool[code].FundCode, code) })
		if math.Abs(issuer-c.Portfolio.HHIIssuer.Value.Float()) > 1e-6 || math.Abs(byFund-c.Portfolio.HHIFund.Value.Float()) > 1e-6 {
			t.Fatalf("HHI %v and %v, want %v and %v", c.Portfolio.HHIIssuer, c.Portfolio.HHIFund, issuer, byFund)
		}
	})
}

func plainActivity(seen []fund.Event, kinds ...fund.EventKind) (a fund.Activity) {
	for _, e := range seen {
		if !slices.Contains(kinds, e.Kind) {
			continue
		}
		on := e.At.Date()
		age := fund.Date(20240315).DaysSince(on)
		a.Last = max(a.Last, on)
		a.Count++
		a.Amount += e.Amount
		if age < 365 {
			a.Count365++
			a.Amount365 += e.Amount
		}
		if age < 90 {
			a.Count90++
		}
		if age < 30 {
			a.Count30++
		}
	}
	return a
}

var plainNode = map[fund.EventKind]fund.KeyNode{
	fund.Exposure: fund.Exposed, fund.Click: fund.Viewed, fund.DetailView: fund.Viewed, fund.ObjectionRaised: fund.Asked, fund.EvidenceOpen: fund.Asked,
	fund.OrderStart: fund.Started, fund.OrderAbandon: fund.Abandoned, fund.OrderConfirm: fund.Confirmed,
}

func plainJourneys(seen []fund.Event) (list []fund.Journey) {
	slices.SortFunc(seen, func(a, b fund.Event) int { return fund.CompareEvents(&a, &b) })
	journeys := map[string]*fund.Journey{}
	for _, e := range seen {
		node, known := plainNode[e.Kind]
		if e.ProductCode == "" || !known && e.Kind != fund.Refusal {
			continue
		}
		j := journeys[e.ProductCode]
		if j == nil {
			j = &fund.Journey{ProductCode: e.ProductCode}
			journeys[e.ProductCode] = j
		}
		if e.Kind == fund.Refusal {
			j.Refused = fund.RefusalWord{At: e.At, Reason: e.About, Until: max(j.Refused.Until, e.Until)}
			continue
		}
		if e.Kind == fund.Exposure {
			j.Exposures++
		}
		if e.Kind == fund.OrderAbandon {
			j.Abandons++
		}
		j.Reached[node] = max(j.Reached[node], e.At)
	}
	for _, code := range slices.Sorted(maps.Keys(journeys)) {
		j := journeys[code]
		for n, at := range j.Reached {
			if at > 0 && (j.Node <= fund.Exposed || at >= j.Reached[j.Node]) {
				j.Node = fund.KeyNode(n)
			}
		}
		list = append(list, *j)
	}
	return list
}

func plainDoubts(seen []fund.Event) (list []fund.Doubt) {
	for _, code := range []string{"", "P1", "P2", "P3", "P4", "P5", "P6"} {
		for _, about := range []string{"", "FEE", "NOT_NOW"} {
			d := fund.Doubt{ProductCode: code, Code: about}
			for _, e := range seen {
				if e.ProductCode != code || e.About != about {
					continue
				}
				if e.Kind == fund.ObjectionRaised {
					d.Count++
					d.Last = max(d.Last, e.At)
				}
				if e.Kind == fund.EvidenceOpen {
					d.Opened++
				}
			}
			if d.Count+d.Opened > 0 {
				list = append(list, d)
			}
		}
	}
	return list
}

func plainHHI(c *fund.Conduct, key func(code string) string) (hhi float64) {
	groups, total := map[string]float64{}, 0.0
	for _, p := range c.Positions {
		if !p.ValueOK {
			continue
		}
		if k := key(p.ProductCode); k != "" {
			groups[k] += float64(p.Value)
			total += float64(p.Value)
		}
	}
	if total == 0 {
		return 0
	}
	for _, g := range groups {
		hhi += g / total * g / total
	}
	return hhi
}

// More products than fit on the stack are read alike.
func TestManyProducts(t *testing.T) {
	for _, n := range []int{31, 32, 33, 34, 300} {
		p, pool := &fund.Profile{}, market{}
		for i := range n {
			code := fmt.Sprintf("P%03d", i)
			pool[code] = &behaviour.Product{UnitNAV: 1, Issuer: fmt.Sprintf("issuer %d", i%3), Theme: "all", Grade: fund.R4}
			p.Lots = append(p.Lots, fund.Lot{ProductCode: code, Shares: 10_000 * 100, AcquiredOn: 20240101, Cost: 1})
		}
		f := read(p, pool).Portfolio
		var issuer float64
		for k := range 3 {
			share := float64((n+2-k)/3) / float64(n)
			issuer += share * share
		}
		if f.HHIFund != ok(fund.RatioOf(1/float64(n))) || f.Largest != f.HHIFund || f.HHITheme != ok(1_000_000) || f.HHIIssuer != ok(fund.RatioOf(issuer)) ||
			f.AboveLevel != ok(1_000_000) || f.GradeGap != ok(1_000_000) || f.Value != fund.Money(n)*10_000 {
			t.Errorf("%d products: %+v, want 1/%d by fund and %v by issuer", n, f, n, issuer)
		}
	}
}

// The largest lots and amounts there may be do not overflow.
func TestTheLargestAmounts(t *testing.T) {
	pool := market{"P": {UnitNAV: 100, Grade: fund.R5}}
	p := &fund.Profile{}
	for range fund.MaxLots {
		p.Lots = append(p.Lots, fund.Lot{ProductCode: "P", Shares: 1e15, AcquiredOn: 20240101, Cost: fund.MaxMoney})
	}
	c := read(p, pool)
	if pos := c.Positions[0]; pos.Shares != math.MaxInt64 || pos.Cost != math.MaxInt64 || pos.ValueOK {
		t.Errorf("%+v: ten trillion yuan is more than a bank holds", pos)
	}
	p = trailOf(repeat(behaviour.KeptActs, 0, fund.Event{Kind: fund.Redeem, Amount: math.MaxInt64, Cost: 1})...)
	p.Lots = []fund.Lot{{ProductCode: "P", Shares: 1e15 - 1e4, AcquiredOn: 20240101, Cost: 1}}
	c = read(p, pool)
	if c.Redemptions.Amount != math.MaxInt64 || c.Losses.Realised != math.MaxInt64 || c.Portfolio.Turnover.Value > 1_000_000 {
		t.Errorf("%+v, realised %d, turnover %+v", c.Redemptions, c.Losses.Realised, c.Portfolio.Turnover)
	}
	if r := c.Portfolio.Result; !r.OK || r.Value != 1_000_000_000_000_000 {
		t.Errorf("a result of %d: it is bounded at a thousand million", r.Value)
	}
}

// A day that does not exist leaves a reading whole.
func TestImpossibleDays(t *testing.T) {
	for _, on := range []fund.Date{0, 20241399, 19700000, -5} {
		p := &fund.Profile{Purchases: []fund.Purchase{{ProductCode: "P", KnownOn: on, Kind: "BUY"}}, Lots: []fund.Lot{{ProductCode: "P", Shares: 1, AcquiredOn: on}}}
		if c := read(p, market{"P": {UnitNAV: 1, LaunchedOn: on}}); len(c.Positions) > 1 || c.Purchases.Count > 1 {
			t.Errorf("bought on %d: %+v", on, c.Positions)
		}
	}
	for _, at := range []fund.Instant{0, -1, 1, fund.Forever} {
		var c fund.Conduct
		p, pool := busyCustomer()
		behaviour.Read(p, fund.C3, at, pool, &c)
		behaviour.Facts(&c, nil)
	}
}
