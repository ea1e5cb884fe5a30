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
	yearly := float64(n) * 365.25 / float64(days[n].DaysSince(days[0]))
	of := func(last int) float64 { // the mean square as of the last-th return
		weighted, weights := 0.0, 0.0
		for i := 1; i <= last; i++ {
			r := logs[i] - logs[i-1]
			w := math.Pow(0.5, float64(last-i)/settings.HalfLife)
			weighted, weights = weighted+w*r*r, weights+w
		}
		return weighted / weights
	}
	now = math.Log(max(1e-4, math.Sqrt(of(n)*yearly)))
	sum, counted := 0.0, 0
	for last := int(settings.HalfLife) + 1; last <= n; last++ {
		sum, counted = sum+math.Log(max(1e-8/365.25, of(last))), counted+1
	}
	if counted == 0 {
		return now, now, n
	}
	return now, max(math.Log(1e-4), (sum/float64(counted)+math.Log(yearly))/2), n
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
	agree(t, &params)
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

// agree holds the shapes to one another: what falls so far within a year has fallen so far within two.
func agree(t *testing.T, p *Params) {
	t.Helper()
	for h := Horizon(1); h < Horizons; h++ {
		for i := range Levels {
			short := p.Shapes[h-1].Drawdown[i] * math.Sqrt(float64((h - 1).Months()))
			if long := p.Shapes[h].Drawdown[i] * math.Sqrt(float64(h.Months())); long < short {
				t.Errorf("%v: quantile %v falls to %v, within %v to %v", h, Level(i), long, h-1, short)
			}
		}
	}
}

// A quantile of a longer horizon that is below the shorter one's is deepened, to what it is there and no further; the
// shipped shapes agree, also where a bank's own are put among them.
func TestShapesAgree(t *testing.T) {
	t.Parallel()
	shipped := Default()
	agree(t, &shipped)
	p := *unit()
	p.Shapes[TwelveMonths].Drawdown = [Levels]float64{0.1, 0.2, 0.3, 0.4, 0.5, 3, 4}
	for h := range Horizons {
		p.Shapes[h].Windows = 9
	}
	p.Shapes[TwoYears].Windows = 0
	got := p.OrElse(unit(), 8)
	agree(t, &got)
	// 3 over the root of 2 is 2.1213 of two years, rounded up; 0.1 stays.
	if d := got.Shapes[TwoYears].Drawdown; d != [Levels]float64{0.1, 0.2, 0.3, 0.4, 0.5, 2.1214, 2.8285} {
		t.Errorf("two years: %v", d)
	}
	calm := Series{} // all that falls, falls within the first quarter
	for i, day := 0, fund.Date(20100101); i < 1500; i, day = i+1, day.AddDays(1) {
		w := math.Exp(0.002 * float64(i))
		if i < 250 {
			w *= 1 + 0.2*math.Sin(float64(i))
		}
		calm.Days, calm.Wealth = append(calm.Days, day), append(calm.Wealth, w)
	}
	fitted, err := Fit([]Product{{Code: "A", Series: calm}}, 20150101, DefaultSettings())
	if err != nil {
		t.Fatal(err)
	}
	agree(t, &fitted)
}

// Of a persistence of a half, one return on all of a deviation is there, over two 3/4, over many little.
func TestKept(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ persistence, returns, want float64 }{
		{0.5, 1, 1}, {0.5, 2, 0.75}, {0.5, 4, (1 + 0.5 + 0.25 + 0.125) / 4}, {0, 10, 0.1},
	} {
		if got := Kept(c.persistence, c.returns); math.Abs(got-c.want) > 1e-15 {
			t.Errorf("%+v: %v", c, got)
		}
	}
	for h, years := range map[Horizon]float64{TwoYears: 2, ThreeYears: 3} { // the shipped weights, rounded
		if got, want := DefaultSettings().LongRun[h], 1-Kept(0.9856, 244*years); math.Abs(got-want) > 0.005 {
			t.Errorf("%v: the long run weighs %v, want %.3f", h, got, want)
		}
	}
}

// Three quarters of a record at 1 % a day and the last at 4 %: the long run is nearer to the first than the root of the
// mean square is, and nearer still than the volatility of now.
func TestTheLongRunOutlivesACrash(t *testing.T) {
	t.Parallel()
	s := zigzag(20100101, 1200, 0.01)
	for i := 901; i <= 1200; i++ {
		if i%2 == 1 {
			s.Wealth[i] = math.Exp(0.04)
		}
	}
	p := unit()
	p.Settings.LongRun = [Horizons]float64{0, 0, 0, 1, 1}
	f := foresee(t, []Product{{Code: "A", Series: s}}, s.Days[1200].AddDays(1), p)
	now, _ := f.Of(0, TwelveMonths)
	long, _ := f.Of(0, TwoYears)
	year := math.Sqrt(365.25)
	geometric := 0.01 * math.Pow(4, 0.25) * year
	if v := now.Basis.Volatility.Float(); math.Abs(v/(0.04*year)-1) > 0.001 {
		t.Errorf("now %v, want %v", v, 0.04*year)
	}
	if v := long.Basis.Volatility.Float(); math.Abs(v/geometric-1) > 0.03 {
		t.Errorf("in the long run %v, want about %v", v, geometric)
	}
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
	deepen(&want.Shapes) // TestShapesAgree
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
