package score_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
)

func model(tb testing.TB) *score.Model {
	tb.Helper()
	m, err := score.ParseModel(score.DefaultModel())
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// free gives a product known fees that cost nothing.
func free(p fund.Product) fund.Product {
	p.Fees.Subscription, p.Fees.Redemption = []fund.SubscriptionTier{{}}, []fund.RedemptionTier{{}}
	return p
}

// scorer compiles products, each a fund of its own, with an empty record unless one is
// given.
func scorer(tb testing.TB, products []fund.Product, records map[int]*fund.TrackRecord, baskets ...[]int32) *score.Scorer {
	tb.Helper()
	m := model(tb)
	in := make([]score.Product, len(products))
	for i := range products {
		in[i] = score.Product{Product: &products[i], Fund: int32(i), Record: &fund.TrackRecord{}}
		if i%3 == 1 {
			in[i].Raises = 1 << (i % 4)
		}
		if r := records[i]; r != nil {
			in[i].Record = r
		}
	}
	return score.Compile(m, in, len(products), nearest(len(products), baskets...))
}

// all permits every product.
func all(n int) []uint64 {
	out := make([]uint64, (n+63)/64)
	for i := range n {
		out[i/64] |= 1 << (i % 64)
	}
	return out
}

// value is one feature of one product for a customer.
func value(s *score.Scorer, c *score.Customer, n, product int, f score.Feature) float64 {
	var out score.Scores
	s.Score(c, all(n), &out)
	return s.Contributions(&out, product, nil)[f].Value
}

func TestGoalFit(t *testing.T) {
	products := []fund.Product{
		free(fund.Product{Type: "股票型"}), free(fund.Product{Type: "货币型"}),
		free(fund.Product{Type: "货币型", Content: fund.Content{Goals: fund.GoalSet(0).With(fund.Growth)}}), free(fund.Product{Type: "?"}),
	}
	s := scorer(t, products, nil)
	for _, c := range []struct {
		goal    fund.Goal
		product int
		want    float64
	}{
		{fund.Growth, 0, 1},
		{fund.Growth, 1, 0},
		{fund.Growth, 2, 1}, // it says so itself
		{fund.Growth, 3, 0},
		{fund.Cash, 1, 1},
		{fund.SteadyIncome, 1, .3},
		{fund.GoalUnknown, 0, 0},
	} {
		if got := value(s, &score.Customer{Personal: true, Goal: c.goal}, 4, c.product, score.GoalFit); got != c.want {
			t.Errorf("%s and product %d: %v, want %v", c.goal, c.product, got, c.want)
		}
	}
}

func TestHorizonFit(t *testing.T) {
	s := scorer(t, []fund.Product{free(fund.Product{Type: "股票型"}), free(fund.Product{Type: "货币型"}), free(fund.Product{Type: "?"})}, nil)
	for _, c := range []struct {
		months  int32
		product int
		want    float64
	}{{36, 0, 1}, {35, 0, 35. / 36}, {18, 0, .5}, {1, 0, 1. / 36}, {600, 0, 1}, {0, 0, 0}, {1, 1, 1}, {0, 1, 0}, {36, 2, 0}} {
		if got := value(s, &score.Customer{Personal: true, HorizonMonths: c.months}, 3, c.product, score.HorizonFit); got != c.want {
			t.Errorf("%d months and product %d: %v, want %v", c.months, c.product, got, c.want)
		}
	}
}

func TestLiquidityFit(t *testing.T) {
	ladder := func(tiers ...fund.RedemptionTier) fund.FeeSchedule { return fund.FeeSchedule{Redemption: tiers} }
	products := []fund.Product{
		{Fees: ladder(fund.RedemptionTier{})},
		{Fees: ladder(fund.RedemptionTier{Below: 7, Rate: 150}, fund.RedemptionTier{})},
		{Fees: ladder(fund.RedemptionTier{Below: 180, Rate: 50}, fund.RedemptionTier{})},
		{Fees: ladder(fund.RedemptionTier{Rate: 50})}, // always costs
		{Fees: ladder(fund.RedemptionTier{}), Terms: fund.Terms{LockupDays: 365}},
		{Missing: fund.FieldSet(0).With(fund.FieldRedemptionLadder)}, // by the lockup alone
	}
	s := scorer(t, products, nil)
	for _, c := range []struct {
		need    fund.Need
		product int
		want    float64
	}{
		{fund.NeedHigh, 0, 1},
		{fund.NeedHigh, 1, 1},
		{fund.NeedHigh, 2, 7. / 180},
		{fund.NeedMedium, 2, .5},
		{fund.NeedLow, 2, 1},
		{fund.NeedHigh, 3, .1},
		{fund.NeedLow, 3, .1},
		{fund.NeedHigh, 4, 7. / 365},
		{fund.NeedLow, 4, 1},
		{fund.NeedHigh, 5, 1},
		{fund.NeedUnknown, 2, 0},
	} {
		if got := value(s, &score.Customer{Personal: true, Need: c.need}, len(products), c.product, score.LiquidityFit); got != c.want {
			t.Errorf("need %s and product %d: %v, want %v", c.need, c.product, got, c.want)
		}
	}
}

func fallOf(r fund.Ratio, stale int32) *fund.TrackRecord {
	out := &fund.TrackRecord{StaleDays: stale, Observations: 1000}
	out.Spans[fund.SinceStart].Drawdown.Figure = fund.Figure{Value: -r, OK: true}
	return out
}

func TestLossFit(t *testing.T) {
	equity := free(fund.Product{Type: "股票型"})  // 45 % to expect
	bond := free(fund.Product{Type: "债券型-长债"}) // 4 %
	records := map[int]*fund.TrackRecord{1: fallOf(600_000, 1), 2: fallOf(100_000, 1), 3: fallOf(600_000, 31), 4: fallOf(600_000, 30), 6: fallOf(80_000, 1)}
	s := scorer(t, []fund.Product{equity, equity, equity, equity, equity, bond, bond, free(fund.Product{Type: "?"})}, records)
	for name, c := range map[string]struct {
		level   fund.RiskLevel
		product int
		want    float64
	}{
		"no record: the class's fall":                 {fund.C5, 0, 1},
		"no record, C3 bears a third of it":           {fund.C3, 0, .15 / .45},
		"a record deeper than the class":              {fund.C5, 1, .45 / .6},
		"a young fund has not shown its worst":        {fund.C3, 2, .15 / .45},
		"stale by a day too many: nothing is claimed": {fund.C5, 3, 0},
		"the last day on which it is fresh":           {fund.C5, 4, .45 / .6},
		"a bond for C2":                               {fund.C2, 5, 1},
		"a bond that fell more":                       {fund.C2, 6, .05 / .08},
		"an unknown class without a record":           {fund.C5, 7, 0},
		"an unknown level":                            {fund.LevelUnknown, 5, 0},
	} {
		if got := value(s, &score.Customer{Personal: true, Level: c.level}, 8, c.product, score.LossFit); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestCostIsAShareOfTheAmountAYear(t *testing.T) {
	p := fund.Product{Type: "股票型", Fees: fund.FeeSchedule{
		Subscription: []fund.SubscriptionTier{{Rate: 150}}, Redemption: []fund.RedemptionTier{{Below: 366, Rate: 50}, {}}, Management: 120, Custody: 20,
	}}
	unknown := p
	unknown.Missing = unknown.Missing.With(fund.FieldRedemptionLadder)
	s := scorer(t, []fund.Product{p, unknown}, nil)
	for months, want := range map[int32]float64{
		// 50,000 yuan: entry 738.92, net 49,261.08; exit .5 % 246.31 below 366 days; running 1.4 % by day.
		3:  (738.92 + 246.31 + 49261.08*.014*92/365) / 50_000 * 4,
		12: (738.92 + 49261.08*.014*366/365) / 50_000,
		13: (738.92 + 49261.08*.014*731/365) / 50_000 / 2, // the next column that is computed: two years
		0:  (738.92 + 49261.08*.014*366/365) / 50_000,     // unknown: the model's twelve months
	} {
		if got := value(s, &score.Customer{Personal: true, HorizonMonths: months}, 2, 0, score.Cost); math.Abs(got-want) > 1e-6 {
			t.Errorf("%d months: %v a year, want %v", months, got, want)
		}
	}
	if got := value(s, &score.Customer{}, 2, 1, score.Cost); got != 0 {
		t.Errorf("unknown fees contribute %v", got)
	}
}

func ranked(ret, vol fund.Ratio, observations, stale int32) *fund.TrackRecord {
	r := &fund.TrackRecord{Observations: observations, StaleDays: stale}
	r.Spans[fund.OneYear] = fund.SpanFigures{Return: fund.Figure{Value: ret, OK: true}, Volatility: fund.Figure{Value: vol, OK: true}}
	return r
}

// Quality is the share of fresh records of the class that a product beats, ties half.
func TestQualityIsAPercentileOfTheClass(t *testing.T) {
	equity, bond := free(fund.Product{Type: "股票型"}), free(fund.Product{Type: "债券型-长债"})
	records := map[int]*fund.TrackRecord{
		0: ranked(100_000, 200_000, 240, 1), // .5
		1: ranked(50_000, 200_000, 240, 1),  // .25
		2: ranked(50_000, 200_000, 240, 1),  // .25
		3: ranked(-10_000, 200_000, 240, 1),
		4: ranked(900_000, 200_000, 199, 1),  // too short
		5: ranked(900_000, 200_000, 240, 31), // stale
		6: ranked(20_000, 1, 240, 1),         // alone in its class
	}
	products := []fund.Product{equity, equity, equity, equity, equity, equity, bond, equity}
	s := scorer(t, products, records)
	for i, want := range []float64{3.5 / 4, 2. / 4, 2. / 4, .5 / 4, 0, 0, .5, 0} {
		if got := value(s, &score.Customer{}, len(products), i, score.Quality); got != want {
			t.Errorf("product %d: %v, want %v", i, got, want)
		}
	}
}

func TestPopularity(t *testing.T) {
	products := []fund.Product{free(fund.Product{}), free(fund.Product{}), free(fund.Product{})}
	s := scorer(t, products, nil, []int32{0}, []int32{0}, []int32{0, 1})
	for i, want := range []float64{1, math.Log1p(1) / math.Log1p(3), 0} {
		if got := value(s, &score.Customer{}, 3, i, score.Popularity); got != want {
			t.Errorf("product %d: %v, want %v", i, got, want)
		}
	}
	if got := value(scorer(t, products, nil), &score.Customer{}, 3, 0, score.Popularity); got != 0 {
		t.Errorf("where nobody holds anything: %v", got)
	}
}

// The strongest affinity among what may be offered is 1; what may not be offered is no
// measure of it.
func TestAffinityIsScaledByWhatMayBeOffered(t *testing.T) {
	products := []fund.Product{free(fund.Product{}), free(fund.Product{}), free(fund.Product{})}
	s := scorer(t, products, nil, []int32{0, 1}, []int32{0, 1}, []int32{0, 1}, []int32{0, 2})
	customer := &score.Customer{Personal: true, Owned: []int32{0}}
	var out score.Scores
	for name, c := range map[string]struct {
		permitted uint64
		one, two  float64 // affinity of products 1 and 2
	}{
		"all":              {0b111, 1, math.Pow(3, .1) / 3},
		"the weaker alone": {0b100, 1, 1},
		"neither":          {0b001, 0, 0},
		"none":             {0, 0, 0},
	} {
		s.Score(customer, []uint64{c.permitted}, &out)
		one, two := s.Contributions(&out, 1, nil)[score.Affinity].Value, s.Contributions(&out, 2, nil)[score.Affinity].Value
		if one != c.one || math.Abs(two-c.two) > 1e-15 {
			t.Errorf("%s permitted: %v and %v, want %v and %v", name, one, two, c.one, c.two)
		}
	}
}

func aCustomer(t *rapid.T, funds int) *score.Customer {
	c := &score.Customer{
		Personal: rapid.Bool().Draw(t, "personal"), Goal: fund.Goal(rapid.Uint8Max(uint8(fund.Goals-1)).Draw(t, "goal")),
		HorizonMonths: rapid.Int32Range(0, 600).Draw(t, "horizon"), Need: fund.Need(rapid.Uint8Max(3).Draw(t, "need")),
		Level: fund.RiskLevel(rapid.Uint8Max(5).Draw(t, "level")),
		Owned: slices.Compact(slices.Sorted(slices.Values(rapid.SliceOfN(rapid.Int32Range(0, int32(funds)-1), 0, 4).Draw(t, "owned")))),
	}
	for range rapid.IntRange(0, 5).Draw(t, "objections") {
		object(c, rapid.Int32Range(0, int32(funds)-1).Draw(t, "objected"), someDoubt(t))
	}
	return c
}

func somePool(tb testing.TB) (*score.Scorer, int) {
	tb.Helper()
	return aPool(tb, 70)
}

func aPool(tb testing.TB, size int) (*score.Scorer, int) {
	tb.Helper()
	types := []string{"股票型", "货币型", "债券型-长债", "FOF", "?", "混合型-灵活"}
	var products []fund.Product
	records := map[int]*fund.TrackRecord{}
	for i := range size {
		p := free(fund.Product{Type: types[i%len(types)], Terms: fund.Terms{LockupDays: int32(i%5) * 40}})
		p.Fees.Management = fund.BasisPoints(i)
		products = append(products, p)
		if i%3 == 0 {
			records[i] = ranked(fund.Ratio(i*1000), 50_000, 300, 1)
		}
	}
	return scorer(tb, products, records, []int32{0, 1, 2}, []int32{0, 3}, []int32{5, 69}, []int32{1, 69}), len(products)
}

// The contributions, added in the order given, are the score to the last bit.
func TestContributionsSumToTheScore(t *testing.T) {
	s, n := somePool(t)
	rapid.Check(t, func(t *rapid.T) {
		var out score.Scores
		s.Score(aCustomer(t, n), all(n), &out)
		for i := range n {
			sum := 0.0
			for f, c := range s.Contributions(&out, i, nil) {
				if c.Feature != score.Feature(f) || c.Amount != score.Amount(c.Value, c.Weight) || math.IsNaN(c.Value) {
					t.Fatalf("product %d: %+v at place %d", i, c, f)
				}
				sum += c.Amount
			}
			if sum != out.Product[i] {
				t.Fatalf("product %d: contributions sum to %v, score %v", i, sum, out.Product[i])
			}
		}
	})
}

// A score that is not personal reads no personal fact (A02).
func TestAnImpersonalScoreReadsNothing(t *testing.T) {
	s, n := somePool(t)
	var want score.Scores
	s.Score(&score.Customer{}, all(n), &want)
	rapid.Check(t, func(t *rapid.T) {
		c := aCustomer(t, n)
		c.Personal = false
		var out score.Scores
		s.Score(c, all(n), &out)
		if !slices.Equal(out.Product, want.Product) {
			t.Fatalf("%+v is scored otherwise than nobody", c)
		}
		for _, contribution := range s.Contributions(&out, 3, nil) {
			if contribution.Feature.Personal() && contribution.Value != 0 {
				t.Fatalf("%s reads a personal fact", contribution.Feature)
			}
		}
	})
}

func TestUsedBuffersDoNotMatter(t *testing.T) {
	s, n := somePool(t)
	var used score.Scores
	rapid.Check(t, func(t *rapid.T) {
		c := aCustomer(t, n)
		var fresh score.Scores
		s.Score(c, all(n), &fresh)
		s.Score(c, all(n), &used)
		if !slices.Equal(fresh.Product, used.Product) {
			t.Fatal("used buffers score otherwise")
		}
	})
}

func TestScoreDoesNotAllocate(t *testing.T) {
	s, n := somePool(t)
	permitted := all(n)
	customer := &score.Customer{Personal: true, Goal: fund.Growth, HorizonMonths: 36, Need: fund.NeedLow, Level: fund.C3, Owned: []int32{0, 5}}
	object(customer, 5, 2)
	object(customer, 69, 4)
	var out score.Scores
	contributions := make([]score.Contribution, 0, score.Features)
	s.Score(customer, permitted, &out)
	if allocated := testing.AllocsPerRun(50, func() {
		s.Score(customer, permitted, &out)
		contributions = s.Contributions(&out, 1, contributions[:0])
	}); allocated != 0 {
		t.Errorf("%v allocations", allocated)
	}
}

func TestHorizonDays(t *testing.T) {
	for months, want := range map[int32]int32{0: 0, 1: 31, 3: 92, 12: 366, 24: 731, 120: 3653, 600: 18263} {
		if got := score.HorizonDays(months); got != want {
			t.Errorf("%d months are %d days, want %d", months, got, want)
		}
	}
}

func TestAmountKeepsZeroPositive(t *testing.T) {
	if a := score.Amount(0, -8); math.Signbit(a) {
		t.Error("nothing times a negative weight is -0")
	}
	if a := score.Amount(.5, -8); a != -4 {
		t.Errorf("half of -8 is %v", a)
	}
}

func BenchmarkScore(b *testing.B) {
	for _, size := range []int{70, 300} {
		s, n := aPool(b, size)
		permitted := all(n)
		customer := &score.Customer{Personal: true, Goal: fund.Growth, HorizonMonths: 36, Need: fund.NeedLow, Level: fund.C3, Owned: []int32{0, 5}}
		objecting := *customer
		object(&objecting, 5, 2)
		object(&objecting, 69, 4)
		for name, c := range map[string]*score.Customer{"": customer, "/objecting": &objecting} {
			b.Run(fmt.Sprint(size, name), func(b *testing.B) {
				var out score.Scores
				b.ReportAllocs()
				for b.Loop() {
					s.Score(c, permitted, &out)
				}
			})
		}
	}
}
