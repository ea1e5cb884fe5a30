package affinity_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"strconv"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/score/affinity"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const today = 100

// bank is a random bank, hostile in what it may be: funds of no attribute, purchases
// without a day, of the future and twice, facts that change.
type bank struct {
	items     []affinity.Item
	customers []affinity.Customer
}

// fataler is a test, of testing or of rapid.
type fataler interface {
	Helper()
	Fatal(args ...any)
}

func drawBank(t *rapid.T) *bank {
	b := &bank{}
	value := rapid.Int32Range(affinity.Unknown, 3)
	for range rapid.IntRange(1, 12).Draw(t, "funds") {
		b.items = append(b.items, affinity.Item{
			Kind: value.Draw(t, "kind"), Issuer: value.Draw(t, "issuer"), Theme: value.Draw(t, "theme"), Goal: value.Draw(t, "goal"), Market: value.Draw(t, "market"),
		})
	}
	b.customers = rapid.SliceOfN(rapid.Custom(b.drawCustomer), 0, 30).Draw(t, "customers")
	return b
}

func (b *bank) drawCustomer(t *rapid.T) affinity.Customer {
	day := rapid.OneOf(rapid.Int32Range(0, today+20), rapid.SampledFrom([]int32{affinity.Always, 0, today, today + 1}))
	fact := rapid.Custom(func(t *rapid.T) affinity.Fact {
		return affinity.Fact{Value: rapid.Int32Range(affinity.Unknown, 2).Draw(t, "value"), Day: day.Draw(t, "day")}
	})
	return affinity.Customer{
		Purchases: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) affinity.Purchase {
			return affinity.Purchase{Item: rapid.Int32Range(0, int32(len(b.items)-1)).Draw(t, "item"), Day: day.Draw(t, "day")}
		}), 0, 9).Draw(t, "purchases"),
		Groups: rapid.SliceOfN(fact, 0, 3).Draw(t, "groups"),
		Levels: rapid.SliceOfN(fact, 0, 3).Draw(t, "levels"),
	}
}

func (b *bank) history(tb fataler) *affinity.History {
	tb.Helper()
	h := affinity.NewHistory(len(b.items))
	for _, c := range b.customers {
		if err := h.Add(c); err != nil {
			tb.Fatal(err)
		}
	}
	return h
}

func (b *bank) train(tb fataler, s affinity.Settings) *affinity.Model {
	tb.Helper()
	m, err := affinity.Train(context.Background(), b.history(tb), b.items, today, s, affinity.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// numbered names every number of a bank.
func (b *bank) numbered() *affinity.Names {
	n := &affinity.Names{Groups: []string{"", "g", "h"}}
	for i := range b.items {
		n.Items = append(n.Items, "F"+strconv.Itoa(i))
	}
	return n
}

func (b *bank) bytes(tb fataler, m *affinity.Model) []byte {
	tb.Helper()
	data, err := m.AppendBinary(nil, b.numbered())
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func drawSettings(t *rapid.T) affinity.Settings {
	s := affinity.Default()
	s.MaxBasket = rapid.SampledFrom([]int{2, 5, 500}).Draw(t, "max basket")
	s.Backoff.Holders = rapid.SampledFrom([]float64{0, 1, 20}).Draw(t, "backoff")
	s.Backoff.Weights = affinity.AttributeWeights{Kind: 1, Theme: rapid.SampledFrom([]float64{0, .5}).Draw(t, "theme weight")}
	s.Joint.Gain = rapid.SampledFrom([]float64{0, .1, 1}).Draw(t, "gain")
	s.Joint.Funds = rapid.IntRange(1, 12).Draw(t, "joint funds")
	s.Trend.Power = rapid.SampledFrom([]float64{0, .3, 1}).Draw(t, "trend")
	s.Crowd.Power = rapid.SampledFrom([]float64{0, .15, 1}).Draw(t, "crowd")
	return s
}

func drawQuery(t *rapid.T, funds int) affinity.Query {
	owned := rapid.SliceOfNDistinct(rapid.Int32Range(0, int32(funds-1)), 0, min(funds, 7), rapid.ID).Draw(t, "owned")
	slices.Sort(owned)
	return affinity.Query{
		Owned: owned,
		Group: rapid.Int32Range(affinity.Unknown, 2).Draw(t, "group"),
		Level: rapid.Int32Range(affinity.Unknown, 2).Draw(t, "level"),
	}
}

// near reports whether two numbers are equal to single precision, in which neighbours are
// kept.
func near(a, b float64) bool { return math.Abs(a-b) <= 2e-6*max(1e-2, math.Abs(a), math.Abs(b)) }

func TestAffinityIsTheFormula(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, s := drawBank(t), drawSettings(t)
		m, o := b.train(t, s), newOracle(b.items, b.customers, today, s)
		got := slices.Repeat([]float64{math.NaN()}, len(b.items)) // what stands there before does not count
		var scratch affinity.Scratch
		for range 5 {
			q := drawQuery(t, len(b.items))
			strength := m.Affinity(&q, &scratch, got)
			var want []float64
			switch {
			case len(q.Owned) > 0:
				want = o.affinity(q)
				if strength != 1 {
					t.Fatalf("strength %v of who owns something", strength)
				}
			case strength > 0:
				want = o.cold(q)
			default:
				want = make([]float64, len(b.items))
			}
			for y := range want {
				if !near(got[y], want[y]) {
					t.Fatalf("%+v: fund %d is worth %v, by the formula %v", q, y, got[y], want[y])
				}
			}
		}
	})
}

// Only the nearest are kept: of those, the answer is what it was.
func TestNeighboursAreTheNearest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, s := drawBank(t), affinity.Default()
		s.Backoff.Holders, s.Joint.Gain, s.Trend.Power, s.Crowd.Power = 0, 0, 0, 0
		full := b.train(t, s)
		s.Neighbours = rapid.IntRange(1, 4).Draw(t, "neighbours")
		few := b.train(t, s)
		a, k := make([]float64, len(b.items)), make([]float64, len(b.items))
		for x := range int32(len(b.items)) {
			q := affinity.Query{Owned: []int32{x}, Group: affinity.Unknown, Level: affinity.Unknown}
			full.Affinity(&q, &affinity.Scratch{}, a)
			few.Affinity(&q, &affinity.Scratch{}, k)
			if kept := len(b.items) - count(k, 0); kept > s.Neighbours {
				t.Fatalf("%d neighbours of fund %d, expected at most %d", kept, x, s.Neighbours)
			}
			least := slices.MinFunc(append([]float64{math.Inf(1)}, k...), func(a, b float64) int {
				return cmp.Or(btoi(a == 0)-btoi(b == 0), cmp.Compare(a, b))
			})
			for y := range a {
				if k[y] != 0 && k[y] != a[y] {
					t.Fatalf("neighbour %d of %d is worth %v, was %v", y, x, k[y], a[y])
				}
				if k[y] == 0 && a[y] > least {
					t.Fatalf("%d, worth %v to %d, was dropped; one of %v was kept", y, a[y], x, least)
				}
			}
		}
	})
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func count(values []float64, v float64) int {
	n := 0
	for _, w := range values {
		if w == v {
			n++
		}
	}
	return n
}

// The same bytes for any number of workers, of processors, and order of customers.
func TestTrainIsDeterministic(t *testing.T) {
	h, items := syntheticBank(t, 400, 3000, 8)
	b := &bank{items: items}
	train := func(workers int) []byte {
		m, err := affinity.Train(t.Context(), h, items, 700, affinity.Default(), affinity.Options{Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		return b.bytes(t, m)
	}
	want := train(1)
	for _, workers := range []int{0, 2, 7, 1000} {
		if !bytes.Equal(train(workers), want) {
			t.Errorf("%d workers train another model than one", workers)
		}
	}
	before := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(before)
	for _, processors := range []int{1, 2, 5} {
		runtime.GOMAXPROCS(processors)
		if !bytes.Equal(train(2), want) {
			t.Errorf("%d processors train another model than %d", processors, before)
		}
	}
}

func TestOrderOfCustomersDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := drawBank(t)
		want := b.bytes(t, b.train(t, affinity.Default()))
		b.customers = rapid.Permutation(b.customers).Draw(t, "order")
		if !bytes.Equal(b.bytes(t, b.train(t, affinity.Default())), want) {
			t.Fatal("another order of customers trains another model")
		}
	})
}

// What is known only later is not in the model: with it or without, the same bytes.
func TestTheFutureDoesNotLeak(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := drawBank(t)
		want := b.bytes(t, b.train(t, affinity.Default()))
		past := &bank{items: b.items}
		later := func(f affinity.Fact) bool { return f.Day > today }
		for _, c := range b.customers {
			past.customers = append(past.customers, affinity.Customer{
				Purchases: slices.DeleteFunc(slices.Clone(c.Purchases), func(p affinity.Purchase) bool { return p.Day > today }),
				Groups:    slices.DeleteFunc(slices.Clone(c.Groups), later),
				Levels:    slices.DeleteFunc(slices.Clone(c.Levels), later),
			})
		}
		if !bytes.Equal(past.bytes(t, past.train(t, affinity.Default())), want) {
			t.Fatal("what was known only later changed the model")
		}
	})
}

// A fund that nobody holds comes through its kind: before funds that no likes of his
// funds' holders hold.
func TestColdFundThroughItsKind(t *testing.T) {
	b := &bank{items: []affinity.Item{{Kind: 0}, {Kind: 1}, {Kind: 1}, {Kind: 2}, {Kind: affinity.Unknown}}}
	for range 10 {
		b.customers = append(b.customers, affinity.Customer{Purchases: []affinity.Purchase{{Item: 0}, {Item: 1}}})
	}
	b.customers = append(b.customers, affinity.Customer{Purchases: []affinity.Purchase{{Item: 3}}})
	m := b.train(t, affinity.Default())
	got := make([]float64, 5)
	m.Affinity(&affinity.Query{Owned: []int32{0}, Group: affinity.Unknown, Level: affinity.Unknown}, &affinity.Scratch{}, got)
	if got[2] <= 0 || got[2] >= got[1] {
		t.Errorf("of the kind that holders buy, the new fund is worth %v and the held one %v", got[2], got[1])
	}
	if got[3] != 0 || got[4] != 0 {
		t.Errorf("funds of another kind %v and of none %v, expected 0", got[3], got[4])
	}
}

// Who holds nothing is served by his group and level, and by nothing where they are
// unknown.
func TestColdCustomer(t *testing.T) {
	b := &bank{items: make([]affinity.Item, 3)}
	for i := range 60 {
		group := int32(i % 2)
		b.customers = append(b.customers, affinity.Customer{
			Purchases: []affinity.Purchase{{Item: group}, {Item: 2}}[:1+i%3/2],
			Groups:    []affinity.Fact{{Value: group, Day: affinity.Always}},
			Levels:    []affinity.Fact{{Value: 3, Day: today + 1}},
		})
	}
	s := affinity.Default()
	s.Crowd.ColdPower, s.Crowd.ColdStrength = 1, .25
	m := b.train(t, s)
	got := make([]float64, 3)
	ask := func(group, level int32) float64 {
		return m.Affinity(&affinity.Query{Group: group, Level: level}, &affinity.Scratch{}, got)
	}
	if strength := ask(0, affinity.Unknown); strength != .25 || got[0] <= 1.5*got[1] {
		t.Errorf("group 0: strength %v, %v: fund 0 is his group's", strength, got)
	}
	if strength := ask(1, affinity.Unknown); strength != .25 || got[1] <= 1.5*got[0] {
		t.Errorf("group 1: strength %v, %v: fund 1 is his group's", strength, got)
	}
	for _, q := range [][2]int32{
		{affinity.Unknown, affinity.Unknown}, {5, affinity.Unknown}, {affinity.Unknown, 3}, // assessed later
		{affinity.MaxFact + 1, math.MaxInt32},
	} {
		if strength := ask(q[0], q[1]); strength != 0 || slices.Max(got) != 0 {
			t.Errorf("group %d, level %d, of which nothing is known: strength %v, %v", q[0], q[1], strength, got)
		}
	}
}

// What was bought of late comes before what was bought as often long ago.
func TestTrend(t *testing.T) {
	b := &bank{items: make([]affinity.Item, 3)}
	for i := range int32(40) {
		old, late := affinity.Purchase{Item: 1, Day: 5}, affinity.Purchase{Item: 2, Day: today - 3}
		b.customers = append(b.customers, affinity.Customer{Purchases: []affinity.Purchase{{Item: 0, Day: 0}, []affinity.Purchase{old, late}[i%2]}})
	}
	got := make([]float64, 3)
	q := affinity.Query{Owned: []int32{0}, Group: affinity.Unknown, Level: affinity.Unknown}
	m := b.train(t, affinity.Default())
	m.Affinity(&q, &affinity.Scratch{}, got)
	if !(got[2] > 1.1*got[1]) || !(m.Popular()[2] > m.Popular()[1]) {
		t.Errorf("affinity %v, popular %v: fund 2 is what is bought now", got, m.Popular())
	}
	s := affinity.Default()
	s.Trend.Power = 0
	b.train(t, s).Affinity(&q, &affinity.Scratch{}, got)
	if !near(got[1], got[2]) {
		t.Errorf("affinity %v with the trend off", got)
	}
	// Of the history's first day, all of it is stock.
	for i := range b.customers {
		b.customers[i].Purchases[1].Day = 0
	}
	b.train(t, affinity.Default()).Affinity(&q, &affinity.Scratch{}, got)
	if !near(got[1], got[2]) {
		t.Errorf("affinity %v of what was there when records began", got)
	}
}

func TestExplainIsTheAffinity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, s := drawBank(t), drawSettings(t)
		m := b.train(t, s)
		q := drawQuery(t, len(b.items))
		got := make([]float64, len(b.items))
		m.Affinity(&q, &affinity.Scratch{}, got)
		for y := range int32(len(b.items)) {
			p := m.Explain(&q, y)
			if len(q.Owned) == 0 {
				if p != (affinity.Parts{Trend: 1, Crowd: 1}) {
					t.Fatalf("parts %+v of who owns nothing", p)
				}
				continue
			}
			if v := max(0, p.Share+p.Likes+p.Joint) * p.Trend * p.Crowd; math.Abs(v-got[y]) > 1e-12*max(1, v) {
				t.Fatalf("fund %d: %+v make %v, expected %v", y, p, v, got[y])
			}
		}
	})
}

// Owned funds that the model does not have are as if they were not owned.
func TestForeignFundsAreSkipped(t *testing.T) {
	h, items := syntheticBank(t, 20, 200, 4)
	m, err := affinity.Train(t.Context(), h, items, 700, affinity.Default(), affinity.Options{})
	if err != nil {
		t.Fatal(err)
	}
	a, b := make([]float64, 20), make([]float64, 20)
	m.Affinity(&affinity.Query{Owned: []int32{3, 5}}, &affinity.Scratch{}, a)
	m.Affinity(&affinity.Query{Owned: []int32{-7, 3, 5, 20, 1 << 30}}, &affinity.Scratch{}, b)
	if !slices.Equal(a, b) || slices.Max(a) == 0 {
		t.Errorf("with foreign funds %v, without %v", b, a)
	}
	if p := m.Explain(&affinity.Query{Owned: []int32{3}}, 20); p != (affinity.Parts{Trend: 1, Crowd: 1}) {
		t.Errorf("a foreign fund is explained by %+v", p)
	}
}

func TestAffinityDoesNotAllocate(t *testing.T) {
	h, items := syntheticBank(t, 100, 1000, 6)
	m, err := affinity.Train(t.Context(), h, items, 700, affinity.Default(), affinity.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var scratch affinity.Scratch
	dst, q := make([]float64, 100), affinity.Query{Owned: []int32{1, 5, 9}, Group: 2, Level: 3}
	if n := testing.AllocsPerRun(100, func() { m.Affinity(&q, &scratch, dst) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestTrainRefuses(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	items := make([]affinity.Item, 3)
	h := affinity.NewHistory(3)
	bad := affinity.Default()
	bad.Joint.Ridge = 0
	for _, tt := range []struct {
		name  string
		ctx   context.Context
		items []affinity.Item
		s     affinity.Settings
		want  error
	}{
		{"a job that was cancelled", cancelled, items, affinity.Default(), context.Canceled},
		{"settings out of bounds", t.Context(), items, bad, affinity.ErrSettings},
		{"items of another history", t.Context(), items[:2], affinity.Default(), affinity.ErrHistory},
		{"an attribute out of bounds", t.Context(), []affinity.Item{{}, {Theme: affinity.MaxAttribute + 1}, {}}, affinity.Default(), affinity.ErrHistory},
		{"a negative attribute", t.Context(), []affinity.Item{{}, {Market: -2}, {}}, affinity.Default(), affinity.ErrHistory},
	} {
		if m, err := affinity.Train(tt.ctx, h, tt.items, today, tt.s, affinity.Options{Workers: 3}); !errors.Is(err, tt.want) || m != nil {
			t.Errorf("%s: %v, expected %v", tt.name, err, tt.want)
		}
	}
	// Nobody and nothing is a bank too.
	for _, n := range []int{0, 3} {
		m, err := affinity.Train(t.Context(), affinity.NewHistory(n), items[:n], today, affinity.Default(), affinity.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := slices.Repeat([]float64{7}, n)
		if m.Affinity(&affinity.Query{Owned: []int32{0}}, &affinity.Scratch{}, got); slices.ContainsFunc(got, func(v float64) bool { return v != 0 }) {
			t.Errorf("a bank of nobody: %v", got)
		}
	}
}

func TestAddRefuses(t *testing.T) {
	for _, c := range []affinity.Customer{
		{Purchases: []affinity.Purchase{{Item: 0}, {Item: 3}}},
		{Purchases: []affinity.Purchase{{Item: -1}}},
		{Groups: []affinity.Fact{{Value: affinity.MaxFact + 1}}},
		{Levels: []affinity.Fact{{Value: -2}}},
	} {
		h := affinity.NewHistory(3)
		if err := h.Add(c); !errors.Is(err, affinity.ErrHistory) || h.Customers() != 0 || h.Purchases() != 0 {
			t.Errorf("%+v: %v, %d customers, %d purchases", c, err, h.Customers(), h.Purchases())
		}
	}
}

func TestProgress(t *testing.T) {
	h, items := syntheticBank(t, 49, 300, 5)
	last := map[affinity.Step]int{}
	var order []affinity.Step
	_, err := affinity.Train(t.Context(), h, items, 700, affinity.Default(), affinity.Options{Workers: 3, Progress: func(s affinity.Step, done, all int) {
		if done < last[s] || done > all {
			t.Errorf("%s: %d of %d after %d", s, done, all, last[s])
		}
		last[s] = done
		if !slices.Contains(order, s) {
			order = append(order, s)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(order, []affinity.Step{affinity.Counting, affinity.Inverting, affinity.Ranking}) || last[affinity.Counting] != 49 || last[affinity.Ranking] != 49 {
		t.Errorf("steps %v, last %v", order, last)
	}
}

func TestSettingsBounds(t *testing.T) {
	good := affinity.Default()
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(s *affinity.Settings){
		"neighbours":             func(s *affinity.Settings) { s.Neighbours = 0 },
		"max_basket":             func(s *affinity.Settings) { s.MaxBasket = 1 },
		"backoff.holders":        func(s *affinity.Settings) { s.Backoff.Holders = -1 },
		"backoff.weights.theme":  func(s *affinity.Settings) { s.Backoff.Weights.Theme = 1.5 },
		"joint.ridge":            func(s *affinity.Settings) { s.Joint.Ridge = math.NaN() },
		"joint.gain":             func(s *affinity.Settings) { s.Joint.Gain = math.Inf(1) },
		"joint.funds":            func(s *affinity.Settings) { s.Joint.Funds = 1_000_000 },
		"trend.half_life_days":   func(s *affinity.Settings) { s.Trend.HalfLifeDays = 0 },
		"trend.per_fund":         func(s *affinity.Settings) { s.Trend.PerFund = 0 },
		"trend.power":            func(s *affinity.Settings) { s.Trend.Power = 3 },
		"crowd.holdings":         func(s *affinity.Settings) { s.Crowd.Holdings = 0 },
		"crowd.power":            func(s *affinity.Settings) { s.Crowd.Power = -.1 },
		"crowd.cold_power":       func(s *affinity.Settings) { s.Crowd.ColdPower = math.NaN() },
		"crowd.cold_strength":    func(s *affinity.Settings) { s.Crowd.ColdStrength = 2 },
		"backoff.weights.market": func(s *affinity.Settings) { s.Backoff.Weights.Market = math.NaN() },
	} {
		s := affinity.Default()
		spoil(&s)
		if err := s.Validate(); !errors.Is(err, affinity.ErrSettings) || !bytes.Contains([]byte(err.Error()), []byte(name+": ")) {
			t.Errorf("%s out of bounds: %v", name, err)
		}
	}
}
