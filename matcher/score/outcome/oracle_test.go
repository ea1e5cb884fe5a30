package outcome

import (
	"fmt"
	"math"
	"sort"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// The plain computation: every holding from its definition, with no sums carried on and no code shared.

// plainSight is the log volatility of a series before a day: of now and of all returns.
func plainSight(s *Series, asOf fund.Date, settings *Settings) (now, all float64, returns int) {
	var days []fund.Date
	var logs []float64
	for i, d := range s.Days {
		if d < asOf {
			days, logs = append(days, d), append(logs, math.Log(s.Wealth[i]))
		}
	}
	n := len(logs) - 1
	if n < int(settings.MinReturns) || asOf.DaysSince(days[n]) > 31 {
		return 0, 0, 0
	}
	weighted, weights, squares := 0.0, 0.0, 0.0
	for i := 1; i <= n; i++ {
		r := logs[i] - logs[i-1]
		w := math.Pow(0.5, float64(n-i)/settings.HalfLife)
		weighted, weights, squares = weighted+w*r*r, weights+w, squares+r*r
	}
	yearly := float64(n) * 365.25 / float64(days[n].DaysSince(days[0]))
	return math.Log(max(1e-4, math.Sqrt(weighted/weights*yearly))), math.Log(max(1e-4, math.Sqrt(squares/float64(n)*yearly))), n
}

// plainVolatility is what is foreseen for a product on a day.
func plainVolatility(products []Product, i int, asOf fund.Date, s *Settings, h Horizon) (float64, bool) {
	mix := func(now, all float64) float64 { return (1-s.LongRun[h])*now + s.LongRun[h]*all }
	now, all, n := plainSight(&products[i].Series, asOf, s)
	sum, funds := 0.0, 0
	for k := range products {
		if products[k].Class == products[i].Class && products[k].Class != fund.ClassUnknown {
			if a, b, m := plainSight(&products[k].Series, asOf, s); m > 0 {
				sum, funds = sum+mix(a, b), funds+1
			}
		}
	}
	switch speaks := funds >= int(s.MinClass); {
	case n == 0:
		return 0, false
	case !speaks:
		return math.Exp(mix(now, all)), true
	}
	w := float64(n) / (float64(n) + s.ClassReturns)
	return math.Exp(w*mix(now, all) + (1-w)*sum/float64(funds)), true
}

// deepest is the deepest fall of a path, over all pairs.
func deepest(path []float64) (d float64) {
	for i := range path {
		for _, later := range path[i:] {
			d = max(d, 1-later/path[i])
		}
	}
	return d
}

func plainPast(products []Product, until fund.Date, s *Settings) (out []Holding) {
	for i := range products {
		p := &products[i]
		if len(p.Series.Days) == 0 {
			continue
		}
		last := fund.Date(0)
		for _, d := range p.Series.Days {
			if d < until {
				last = d
			}
		}
		for asOf := fund.Date(20150101); asOf < until; asOf = asOf.AddDays(1) {
			if asOf.Weekday() != time.Wednesday {
				continue
			}
			entry := sort.Search(len(p.Series.Days), func(k int) bool { return p.Series.Days[k] >= asOf })
			if entry == len(p.Series.Days) || p.Series.Days[entry] > asOf.AddDays(6) || p.Series.Days[entry] >= until {
				continue
			}
			var volatility [Horizons]float64
			known := true
			for k := range Horizons {
				v, ok := plainVolatility(products, i, asOf, s, k)
				volatility[k], known = v, known && ok
			}
			if !known {
				continue
			}
			for h := range Horizons {
				bought := p.Series.Days[entry]
				due := bought.AddMonths(int(h.Months()))
				if due >= until || due > last {
					continue
				}
				exit := entry
				for exit+1 < len(p.Series.Days) && p.Series.Days[exit+1] <= due {
					exit++
				}
				if exit == entry {
					continue
				}
				held := p.Series.Wealth[entry : exit+1]
				in, back := 1-p.Costs.Entry.Float(), 1-p.Costs.Exit[h].Float()
				path := []float64{1}
				for _, w := range held {
					path = append(path, in*w/held[0])
				}
				path[len(path)-1] *= back
				out = append(out, Holding{
					Product: i, Horizon: h, AsOf: asOf, Bought: bought, Due: due, Volatility: volatility,
					Gross: Result{held[len(held)-1]/held[0] - 1, deepest(held)},
					Net:   Result{path[len(path)-1] - 1, deepest(path)},
				})
			}
		}
	}
	return out
}

func TestPastIsThePlainComputation(t *testing.T) {
	t.Parallel()
	seen := 0
	rapid.Check(t, func(t *rapid.T) {
		products := drawProducts(t, 350)
		until := fund.Date(20150101).AddDays(rapid.IntRange(200, 600).Draw(t, "until"))
		settings := DefaultSettings()
		settings.MinReturns = rapid.Int32Range(2, 60).Draw(t, "returns")
		settings.MinClass = rapid.Int32Range(1, 3).Draw(t, "class")
		settings.HalfLife = rapid.Float64Range(1, 100).Draw(t, "half life")
		settings.ClassReturns = rapid.SampledFrom([]float64{0, 60}).Draw(t, "class returns")
		var got []Holding
		if err := Past(products, until, settings, func(h *Holding) error { got = append(got, *h); return nil }); err != nil {
			t.Fatal(err)
		}
		want := plainPast(products, until, &settings)
		if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-9, 1e-9), cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
		seen += len(got)
	})
	if seen < 1000 {
		t.Errorf("only %d holdings were compared", seen)
	}
}

// Offline is online: what Past says was foreseen on a day is what Foresee gives on that day, to the last bit, also
// where a member of the class published last on exactly the 31st day before.
func TestPastForeseesAsServed(t *testing.T) {
	t.Parallel()
	check := func(products []Product, params *Params) (compared int, fault error) {
		fault = Past(products, 20160701, params.Settings, func(h *Holding) error {
			f, err := Foresee(products, h.AsOf, params)
			if err != nil {
				return err
			}
			d, ok := f.Of(h.Product, h.Horizon)
			want := params.Ranges(&h.Volatility, &products[h.Product].Costs)[h.Horizon]
			if !ok || d.Drawdown != want.Drawdown || d.Return != want.Return || d.Basis.Volatility != fund.RatioOf(h.Volatility[h.Horizon]) {
				return fmt.Errorf("%s %v on %s: %+v, want %+v", products[h.Product].Code, h.Horizon, h.AsOf, d, want)
			}
			compared++
			return nil
		})
		return compared, fault
	}
	params := unit()
	params.Settings.MinClass, params.Settings.MinReturns = 2, 20
	rapid.Check(t, func(t *rapid.T) {
		if _, err := check(drawProducts(t, 300), params); err != nil {
			t.Fatal(err)
		}
	})
	products := []Product{
		{Code: "A", Class: fund.Equity, Series: zigzag(20150101, 400, 0.01)},
		{Code: "B", Class: fund.Equity, Series: zigzag(20150101, 60, 0.04)}, // ends on 2015-03-02
		{Code: "C", Class: fund.Equity, Series: zigzag(20150101, 61, 0.04)}, // ends on 2015-03-03
		{Code: "D", Class: fund.Equity, Series: zigzag(20150101, 59, 0.04)}, // ends on 2015-03-01, 31 days before Wednesday 2015-04-01
	}
	if n, err := check(products, params); err != nil || n < 50 {
		t.Errorf("%d compared: %v", n, err)
	}
}

// A fit is the nearest rank of what Past lists, and a horizon with too few holdings takes the shorter one's shape.
func TestFitIsTheQuantilesOfThePast(t *testing.T) {
	t.Parallel()
	products := []Product{
		{Code: "A", Class: fund.Equity, Series: wavy(20140101, 700, 0.01, 90)},
		{Code: "B", Class: fund.Equity, Series: wavy(20140301, 500, 0.02, 50)},
	}
	until := fund.Date(20150601)
	settings := DefaultSettings()
	params, err := Fit(products, until, settings)
	if err != nil {
		t.Fatal(err)
	}
	var falls [Horizons][]float64
	if err := Past(products, until, settings, func(h *Holding) error {
		years := float64(h.Horizon.Months()) / 12
		falls[h.Horizon] = append(falls[h.Horizon], -math.Log(1-h.Gross.Drawdown)/h.Volatility[h.Horizon]/math.Sqrt(years))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for h := range Horizons {
		shape := &params.Shapes[h]
		if int(shape.Holdings) != len(falls[h]) || shape.Return != randomWalk.Return {
			t.Errorf("%v: fitted to %d, want %d; returns %v", h, shape.Holdings, len(falls[h]), shape.Return)
		}
		if h > SixMonths { // a year: fewer than 60 entries
			if len(falls[h]) >= MinHoldings {
				t.Fatalf("%v: %d holdings, expected few", h, len(falls[h]))
			}
			if shape.Drawdown != params.Shapes[SixMonths].Drawdown {
				t.Errorf("%v: a shape of its own from %d holdings", h, len(falls[h]))
			}
			continue
		}
		sort.Float64s(falls[h])
		for i, level := range levels {
			want := falls[h][int(math.Ceil(level*float64(len(falls[h]))))-1]
			if math.Abs(shape.Drawdown[i]-want) > 0.5/shapeStep+1e-12 {
				t.Errorf("%v: quantile %v is %v, want %v", h, level, shape.Drawdown[i], want)
			}
		}
	}
	empty, err := Fit(nil, until, settings)
	if err != nil || empty.Shapes[0].Drawdown != randomWalk.Drawdown || empty.Shapes[4].Drawdown != randomWalk.Drawdown {
		t.Errorf("of nothing: %v, %+v", err, empty.Shapes)
	}
}

// wavy rises and falls in waves of so many days, with a zigzag on it.
func wavy(first fund.Date, n int, size float64, wave int) Series {
	s := zigzag(first, n, size)
	for i := range s.Wealth {
		s.Wealth[i] *= math.Exp(0.2 * math.Sin(2*math.Pi*float64(i)/float64(wave)))
	}
	return s
}

func TestOrElseKeepsShapesOfEnoughWindows(t *testing.T) {
	t.Parallel()
	fitted, fallback := *unit(), Default()
	for h, windows := range []float64{9, 8, 7.99, 0, 20} {
		fitted.Shapes[h].Windows = windows
	}
	before := fitted
	got := fitted.OrElse(&fallback, 8)
	want := before
	want.Shapes[2], want.Shapes[3] = fallback.Shapes[2], fallback.Shapes[3]
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if fitted != before {
		t.Error("the fitted parameters were changed")
	}
}

func TestPastStopsAtAnError(t *testing.T) {
	t.Parallel()
	calls := 0
	err := Past([]Product{{Code: "A", Series: wavy(20140101, 700, 0.01, 90)}}, 20160101, DefaultSettings(), func(*Holding) error {
		calls++
		return errStop
	})
	if err != errStop || calls != 1 { //nolint:errorlint // the very error
		t.Errorf("%v after %d calls", err, calls)
	}
	if err := Past(nil, 20160101, Settings{}, nil); err == nil {
		t.Error("settings of nothing")
	}
}

type stopError struct{}

func (stopError) Error() string { return "stop" }

var errStop = stopError{}
