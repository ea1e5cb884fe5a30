package outcome

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// zigzag is a series on n+1 consecutive days whose log returns are size and -size in turn: every mean of their squares
// is size squared, whatever the weights.
func zigzag(first fund.Date, n int, size float64) Series {
	var s Series
	for i := range n + 1 {
		w := 1.0
		if i%2 == 1 {
			w = math.Exp(size)
		}
		s.Days, s.Wealth = append(s.Days, first.AddDays(i)), append(s.Wealth, w)
	}
	return s
}

// unit are parameters whose quantiles are easy to reckon with: a drawdown of level i is 0.1 (i+1) volatilities.
func unit() *Params {
	p := Params{Settings: DefaultSettings()}
	for h := range Horizons {
		p.Shapes[h].Months = h.Months()
		for i := range Levels {
			p.Shapes[h].Drawdown[i] = float64(i+1) / 10
			p.Shapes[h].Return[i] = float64(i-3) / 10
		}
	}
	return &p
}

func foresee(t *testing.T, products []Product, asOf fund.Date, p *Params) *Forecast {
	t.Helper()
	f, err := Foresee(products, asOf, p)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// One fund without a class. 100 returns of 1 % a day on consecutive days: 0.01 sqrt(365.25) = 19.1115 % a year, over
// six months 13.5138 %.
func TestForeseeByHand(t *testing.T) {
	t.Parallel()
	products := []Product{{Code: "A", Series: zigzag(20170101, 100, 0.01)}}
	asOf := fund.Date(20170101).AddDays(101)
	d, ok := foresee(t, products, asOf, unit()).Of(0, SixMonths)
	if !ok {
		t.Fatal("nothing foreseen")
	}
	volatility := 0.01 * math.Sqrt(365.25)
	six := volatility * math.Sqrt(0.5)
	want := Distribution{Months: 6, Basis: Basis{
		AsOf: asOf, LastNAV: asOf.AddDays(-1), OwnReturns: 100, OwnWeight: 1_000_000, Volatility: fund.RatioOf(volatility),
	}}
	for i := range Levels {
		want.Drawdown[i] = fund.RatioOf(1 - math.Exp(-six*float64(i+1)/10))
		want.Return[i] = fund.RatioOf(math.Exp(six*float64(i-3)/10) - 1)
	}
	if diff := cmp.Diff(want, *d); diff != "" {
		t.Error(diff)
	}
	if want.Basis.Volatility != 191_115 || want.Drawdown[0] != 13_423 || want.Return[3] != 0 {
		t.Errorf("by hand: volatility %d, least fall %d", want.Basis.Volatility, want.Drawdown[0])
	}
}

// Own and class are weighed as n to 60 in logarithms: after 60 returns the volatility is the geometric mean of the
// fund's and of its class's, which the fund itself is part of.
func TestForeseeLeansOnTheClass(t *testing.T) {
	t.Parallel()
	var products []Product
	for i := range 4 {
		products = append(products, Product{Code: fmt.Sprint(i), Class: fund.Equity, Series: zigzag(20170101, 60, 0.01)})
	}
	products = append(products,
		Product{Code: "wild", Class: fund.Equity, Series: zigzag(20170101, 60, 0.04)},
		Product{Code: "new", Class: fund.Equity, Series: zigzag(20170220, 10, 0.04)},
		Product{Code: "without", Class: fund.Equity},
		Product{Code: "alone", Class: fund.Bond, Series: zigzag(20170101, 60, 0.001)},
		Product{Code: "nobody", Class: fund.Bond},
		Product{Code: "unplaced", Series: zigzag(20170101, 60, 0.04)},
		Product{Code: "unplaced without"},
	)
	asOf := fund.Date(20170101).AddDays(61)
	f := foresee(t, products, asOf, unit())
	year := math.Sqrt(365.25)
	class := math.Exp((4*math.Log(0.01) + math.Log(0.04)) / 5)
	for _, c := range []struct {
		index      int
		volatility float64
		own        int32
		weight     fund.Ratio
		funds      int32
	}{
		{0, math.Sqrt(0.01 * class), 60, 500_000, 5},
		{4, math.Sqrt(0.04 * class), 60, 500_000, 5},
		{5, class, 0, 0, 5},          // ten returns say nothing
		{6, class, 0, 0, 5},          // none either
		{7, 0.001, 60, 1_000_000, 1}, // a class of one says nothing
		{9, 0.04, 60, 1_000_000, 0},  // compared with nothing
	} {
		d, ok := f.Of(c.index, TwelveMonths)
		if !ok {
			t.Errorf("%s: nothing foreseen", products[c.index].Code)
			continue
		}
		b := d.Basis
		if b.Volatility != fund.RatioOf(c.volatility*year) || b.OwnReturns != c.own || b.OwnWeight != c.weight || b.ClassFunds != c.funds {
			t.Errorf("%s: %+v, want a volatility of %v", products[c.index].Code, b, c.volatility*year)
		}
	}
	for _, i := range []int{8, 10, -1, len(products)} {
		if d, ok := f.Of(i, TwelveMonths); ok {
			t.Errorf("product %d: %+v, want nothing", i, d)
		}
	}
	if _, ok := f.Of(0, Horizons); ok {
		t.Error("a horizon that there is not")
	}
}

// 31 days after its last NAV a record still speaks; after 32 its class does.
func TestForeseeFromAStaleRecord(t *testing.T) {
	t.Parallel()
	products := []Product{{Code: "A", Class: fund.Equity, Series: zigzag(20170101, 60, 0.01)}}
	last := fund.Date(20170101).AddDays(60)
	if _, ok := foresee(t, products, last.AddDays(31), unit()).Of(0, SixMonths); !ok {
		t.Error("31 days: nothing foreseen")
	}
	if d, ok := foresee(t, products, last.AddDays(32), unit()).Of(0, SixMonths); ok {
		t.Errorf("32 days: %+v, want nothing", d)
	}
}

// The volatility of now weighs returns by half each half-life; the longer horizons lean on what it was on all days.
func TestForeseeWeighsReturns(t *testing.T) {
	t.Parallel()
	calm := zigzag(20160101, 200, 0.01)
	for i := range 46 { // two half-lives of 3 %
		w := calm.Wealth[len(calm.Wealth)-1] * math.Exp(0.03*float64(1-2*(i%2)))
		calm.Days, calm.Wealth = append(calm.Days, fund.Date(20160101).AddDays(201+i)), append(calm.Wealth, w)
	}
	f := foresee(t, []Product{{Code: "A", Series: calm}}, fund.Date(20160101).AddDays(247), unit())
	kept := 0.25 * (1 - math.Exp2(-200.0/23)) / (1 - math.Exp2(-246.0/23)) // weight of the calm part
	now := math.Sqrt((kept*1e-4 + (1-kept)*9e-4) * 365.25)
	past := 0.0 // 177 days of 1 %, and of 46 days what they had come to by then
	for i := 1; i <= 46; i++ {
		left := math.Exp2(-float64(i)/23) * (1 - math.Exp2(-200.0/23)) / (1 - math.Exp2(-float64(200+i)/23))
		past += math.Log(left*1e-4 + (1-left)*9e-4)
	}
	all := math.Sqrt(math.Exp((177*math.Log(1e-4)+past)/223) * 365.25)
	two := math.Pow(now, 0.14) * math.Pow(all, 0.86)
	for h, want := range map[Horizon]float64{TwelveMonths: now, TwoYears: two} {
		d, _ := f.Of(0, h)
		if d.Basis.Volatility != fund.RatioOf(want) {
			t.Errorf("%v: %d, want %d", h, d.Basis.Volatility, fund.RatioOf(want))
		}
	}
}

// Weekly returns of sqrt(7) times a daily one's size are the same volatility.
func TestForeseeCountsReturnsAYear(t *testing.T) {
	t.Parallel()
	weekly := zigzag(20160101, 60, 0.01*math.Sqrt(7))
	for i := range weekly.Days {
		weekly.Days[i] = fund.Date(20160101).AddDays(7 * i)
	}
	asOf := fund.Date(20160101).AddDays(421)
	f := foresee(t, []Product{{Code: "W", Series: weekly}, {Code: "D", Series: zigzag(20160101, 420, 0.01)}}, asOf, unit())
	a, _ := f.Of(0, SixMonths)
	b, _ := f.Of(1, SixMonths)
	if a.Basis.Volatility != b.Basis.Volatility {
		t.Errorf("weekly %d, daily %d", a.Basis.Volatility, b.Basis.Volatility)
	}
}

// 1.5 % at entry and 0.5 % at exit: a return of nothing is a loss of 1 - 0.985 x 0.995 = 1.9925 %, and so is no fall.
func TestForeseeAfterFees(t *testing.T) {
	t.Parallel()
	costs := Costs{Known: true, Entry: 15_000, Exit: [Horizons]fund.Ratio{SixMonths: 5000}}
	flat := Series{}
	for i := range 80 {
		flat.Days, flat.Wealth = append(flat.Days, fund.Date(20170101).AddDays(i)), append(flat.Wealth, 1)
	}
	f := foresee(t, []Product{{Code: "A", Series: flat, Costs: costs}}, fund.Date(20170101).AddDays(80), unit())
	six, _ := f.Of(0, SixMonths)
	year, _ := f.Of(0, TwelveMonths)
	if six.Return[3] != -19_925 || year.Return[3] != -15_000 || !six.Basis.Costed {
		t.Errorf("returns %d and %d, want -19925 and -15000", six.Return[3], year.Return[3])
	}
	// A money fund's NAV that stands still has the least volatility, 0.01 %.
	if six.Drawdown[0] != 19_932 || year.Drawdown[0] != 15_010 {
		t.Errorf("falls %d and %d, want 19932 and 15010", six.Drawdown[0], year.Drawdown[0])
	}
}

func TestForeseeRefuses(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*Series){
		"a day twice":           func(s *Series) { s.Days[5] = s.Days[4] },
		"days that fall":        func(s *Series) { s.Days[5], s.Days[6] = s.Days[6], s.Days[5] },
		"a day unknown":         func(s *Series) { s.Days[0] = 0 },
		"wealth of nothing":     func(s *Series) { s.Wealth[3] = 0 },
		"wealth below 0":        func(s *Series) { s.Wealth[3] = -1 },
		"wealth no number":      func(s *Series) { s.Wealth[3] = math.NaN() },
		"wealth without end":    func(s *Series) { s.Wealth[3] = math.Inf(1) },
		"a value without a day": func(s *Series) { s.Days = s.Days[:len(s.Days)-1] },
	} {
		s := zigzag(20170101, 80, 0.01)
		spoil(&s)
		products := []Product{{Code: "A", Series: s}}
		asOf := fund.Date(20170101).AddDays(81)
		if _, err := Foresee(products, asOf, unit()); !errors.Is(err, fund.ErrInvalid) {
			t.Errorf("%s: Foresee gave %v, want fund.ErrInvalid", name, err)
		}
		if _, err := Fit(products, asOf, DefaultSettings()); !errors.Is(err, fund.ErrInvalid) {
			t.Errorf("%s: Fit gave %v, want fund.ErrInvalid", name, err)
		}
	}
}

// drawProducts draws funds of two classes with at most so many NAVs, closed days and, at times, costs.
func drawProducts(t *rapid.T, most int) []Product {
	n := rapid.IntRange(1, 7).Draw(t, "funds")
	products := make([]Product, n)
	for i := range products {
		p := &products[i]
		p.Code = fmt.Sprint("F", i)
		p.Class = rapid.SampledFrom([]fund.Class{fund.ClassUnknown, fund.Equity, fund.Bond}).Draw(t, "class")
		if rapid.Bool().Draw(t, "costed") {
			p.Costs = Costs{Known: true, Entry: 15_000, Exit: [Horizons]fund.Ratio{15_000, 5000, 5000, 0, 0}}
		}
		day := fund.Date(20150101).AddDays(rapid.IntRange(0, 200).Draw(t, "start"))
		length := rapid.IntRange(0, most).Draw(t, "NAVs")
		seed := rapid.Uint64().Draw(t, "returns")
		size := rapid.SampledFrom([]float64{0, 1e-5, 0.01, 0.05}).Draw(t, "size")
		w := 1.0
		for range length {
			p.Series.Days, p.Series.Wealth = append(p.Series.Days, day), append(p.Series.Wealth, w)
			seed = seed*6364136223846793005 + 1442695040888963407
			w *= math.Exp(size * (float64(seed>>40)/(1<<23) - 1))
			day = day.AddDays(1)
			switch {
			case seed>>33%5 == 0:
				day = day.AddDays(int(seed >> 36 % 12))
			case seed>>33%101 == 1: // longer than a record speaks, and at times than a holding
				day = day.AddDays(25 + int(seed>>36%100))
			}
		}
	}
	return products
}

func TestForeseenRangesAreRanges(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		products := drawProducts(t, 500)
		asOf := fund.Date(20150101).AddDays(rapid.IntRange(1, 900).Draw(t, "as of"))
		params := Default()
		params.Settings.MinClass = 2
		f, err := Foresee(products, asOf, &params)
		if err != nil {
			t.Fatal(err)
		}
		for i := range products {
			var last *Distribution
			for h := range Horizons {
				d, ok := f.Of(i, h)
				if !ok {
					continue
				}
				for k := range Levels {
					if k > 0 && (d.Drawdown[k] < d.Drawdown[k-1] || d.Return[k] < d.Return[k-1]) {
						t.Fatalf("%s %v: quantiles fall: %+v", products[i].Code, h, d)
					}
					if d.Drawdown[k] < 0 || d.Drawdown[k] > whole || d.Return[k] < -whole {
						t.Fatalf("%s %v: out of bounds: %+v", products[i].Code, h, d)
					}
					if last != nil && !products[i].Costs.Known && d.Drawdown[k] < last.Drawdown[k] {
						t.Fatalf("%s: within %d months less than within %d", products[i].Code, d.Months, last.Months)
					}
				}
				last = d
			}
		}
	})
}

// What comes on or after the day asked about changes nothing: no value, no error.
func TestForeseeLooksAtNothingLater(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		products := drawProducts(t, 500)
		asOf := fund.Date(20150101).AddDays(rapid.IntRange(1, 900).Draw(t, "as of"))
		settings := DefaultSettings()
		settings.MinReturns, settings.MinClass = 20, 2
		params := unit()
		params.Settings = settings
		before, err := Foresee(products, asOf, params)
		if err != nil {
			t.Fatal(err)
		}
		fitted, err := Fit(products, asOf, settings)
		if err != nil {
			t.Fatal(err)
		}
		for i := range products {
			s := &products[i].Series
			for k := range s.Days {
				if s.Days[k] >= asOf {
					s.Wealth[k] = -1 // no wealth at all
				}
			}
		}
		after, err := Foresee(products, asOf, params)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before.items, after.items); diff != "" {
			t.Fatal(diff)
		}
		again, err := Fit(products, asOf, settings)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(fitted, again); diff != "" {
			t.Fatal(diff)
		}
	})
}
