package outcome

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// grid is a distribution whose drawdown has the quantiles 2, 3, 5, 8, 12, 20 and 30 %.
func grid() *Distribution {
	return &Distribution{Months: 12, Drawdown: Grid{20_000, 30_000, 50_000, 80_000, 120_000, 200_000, 300_000}}
}

// Computed by hand: at a quantile the probability is what lies beyond it, between two it is on the line.
func TestBreach(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		tolerance fund.Ratio
		want      float64
	}{
		{-1, 1},
		{0, 1},
		{10_000, 0.975}, // half the way to the 5 % quantile
		{20_000, 0.95},
		{30_000, 0.90},
		{40_000, 0.825}, // between 10 and 25 %
		{80_000, 0.50},
		{100_000, 0.375},
		{120_000, 0.25},
		{160_000, 0.175},
		{200_000, 0.10},
		{300_000, 0.05},
		{650_000, 0.025}, // half the way to the loss of everything
		{1_000_000, 0},
		{2_000_000, 0},
	} {
		if got := Breach(grid(), c.tolerance); !(math.Abs(got-c.want) <= 1e-12) {
			t.Errorf("tolerance %d: %v, want %v", c.tolerance, got, c.want)
		}
	}
}

// Quantiles that coincide are a step: what falls by exactly the tolerance is not beyond it.
func TestBreachAtAStep(t *testing.T) {
	t.Parallel()
	d := &Distribution{Drawdown: Grid{0, 0, 0, 100_000, 100_000, 100_000, 1_000_000}}
	for _, c := range []struct {
		tolerance fund.Ratio
		want      float64
	}{{0, 0.75}, {50_000, 0.625}, {99_999, 0.5000025}, {100_000, 0.10}, {1_000_000, 0}} {
		if got := Breach(d, c.tolerance); !(math.Abs(got-c.want) <= 1e-12) {
			t.Errorf("tolerance %d: %v, want %v", c.tolerance, got, c.want)
		}
	}
}

func TestBreachNeverRisesWithTheTolerance(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(0, 1_000_000), Levels, Levels).Draw(t, "quantiles")
		slices.Sort(values)
		var d Distribution
		for i, v := range values {
			d.Drawdown[i] = fund.Ratio(v)
		}
		tolerances := rapid.SliceOfN(rapid.Int64Range(-10, 1_100_000), 2, 40).Draw(t, "tolerances")
		slices.Sort(tolerances)
		last := 1.0
		for _, x := range tolerances {
			p := Breach(&d, fund.Ratio(x))
			if !(p >= 0 && p <= 1 && p <= last) {
				t.Fatalf("tolerance %d: %v after %v", x, p, last)
			}
			last = p
		}
		for i, q := range d.Drawdown { // where a quantile stands alone, what is beyond it is what its level leaves
			if (i == 0 || d.Drawdown[i-1] < q) && (i == Levels-1 || q < d.Drawdown[i+1]) && q > 0 && q < whole {
				if got := Breach(&d, q); math.Abs(got-(1-levels[i])) > 1e-12 {
					t.Fatalf("beyond the quantile %v of %d: %v", levels[i], q, got)
				}
			}
		}
	})
}

func TestWithin(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		months int32
		want   Horizon
	}{{0, ThreeMonths}, {3, ThreeMonths}, {4, SixMonths}, {12, TwelveMonths}, {13, TwoYears}, {24, TwoYears}, {36, ThreeYears}, {120, ThreeYears}} {
		if got := Within(c.months); got != c.want {
			t.Errorf("%d months: %v, want %v", c.months, got, c.want)
		}
	}
	if Horizons.Months() != 0 || Level(-1) != 0 || Level(Levels) != 0 || Level(5) != 0.9 || TwelveMonths.String() != "12M" {
		t.Error("names of horizons and levels")
	}
}

func TestCostsOf(t *testing.T) {
	t.Parallel()
	p := fund.Product{Fees: fund.FeeSchedule{
		Subscription: []fund.SubscriptionTier{{Below: 100_000_000, Rate: 150}, {Fixed: 100_000}},
		DiscountPct:  90,
		Redemption:   []fund.RedemptionTier{{Below: 7, Rate: 150}, {Below: 365, Rate: 50}, {Below: 730, Rate: 25}, {}},
	}}
	got := CostsOf(&p, 5_000_000)
	// 50,000 yuan at 0.15 %: 50,000 - 50,000/1.0015 = 74.89 yuan, 0.14978 % of what is paid. 360 days are less than a year.
	want := Costs{Known: true, Entry: 1498, Exit: [Horizons]fund.Ratio{5000, 5000, 5000, 2500, 0}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, f := range []fund.Field{fund.FieldSubscriptionLadder, fund.FieldRedemptionLadder} {
		without := p
		without.Missing = without.Missing.With(f)
		if got := CostsOf(&without, 5_000_000); got != (Costs{}) {
			t.Errorf("without %v: %+v, want no known costs", f, got)
		}
	}
	if got := CostsOf(&p, 0); got.Known {
		t.Errorf("of nothing: %+v", got)
	}
}

func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	p := Default()
	if err := p.Check(); err != nil {
		t.Fatalf("the default: %v", err)
	}
	nan := math.NaN()
	for name, spoil := range map[string]func(*Params){
		"half life below a return":  func(p *Params) { p.Settings.HalfLife = 0.5 },
		"half life no number":       func(p *Params) { p.Settings.HalfLife = nan },
		"half life beyond":          func(p *Params) { p.Settings.HalfLife = maxHalfLife + 1 },
		"long run above 1":          func(p *Params) { p.Settings.LongRun[4] = 1.01 },
		"long run no number":        func(p *Params) { p.Settings.LongRun[0] = nan },
		"class returns below 0":     func(p *Params) { p.Settings.ClassReturns = -1 },
		"one return":                func(p *Params) { p.Settings.MinReturns = 1 },
		"no class":                  func(p *Params) { p.Settings.MinClass = 0 },
		"another horizon":           func(p *Params) { p.Shapes[2].Months = 11 },
		"falling quantiles":         func(p *Params) { p.Shapes[1].Drawdown[3] = p.Shapes[1].Drawdown[2] - 0.01 },
		"drawdown below 0":          func(p *Params) { p.Shapes[0].Drawdown[0] = -0.01 },
		"drawdown beyond":           func(p *Params) { p.Shapes[0].Drawdown[6] = maxShape + 1 },
		"return no number":          func(p *Params) { p.Shapes[0].Return[6] = nan },
		"return falls":              func(p *Params) { p.Shapes[0].Return[6] = -1 },
		"holdings below 0":          func(p *Params) { p.Shapes[0].Holdings = -1 },
		"windows no number":         func(p *Params) { p.Shapes[0].Windows = nan },
		"nothing, the zero value":   func(p *Params) { *p = Params{} },
		"return below every crash":  func(p *Params) { p.Shapes[0].Return[0] = -maxShape - 1 },
		"windows beyond all bounds": func(p *Params) { p.Shapes[0].Windows = maxClass + 1 },
	} {
		p := Default()
		spoil(&p)
		if err := p.Check(); !errors.Is(err, ErrParams) {
			t.Errorf("%s: %v, want ErrParams", name, err)
		}
		if _, err := Foresee(nil, 20170101, &p); !errors.Is(err, ErrParams) {
			t.Errorf("%s: Foresee gave %v, want ErrParams", name, err)
		}
	}
}

// The largest absolute value of a Brownian motion: P. Lévy's series, summed, gives each level back.
func TestRandomWalk(t *testing.T) {
	t.Parallel()
	for i, x := range randomWalk.Drawdown {
		sum := 0.0
		for k := range 50 {
			n := float64(2*k + 1)
			term := math.Exp(-n*n*math.Pi*math.Pi/(8*x*x)) / n
			if k%2 == 1 {
				term = -term
			}
			sum += term
		}
		if got := 4 / math.Pi * sum; math.Abs(got-levels[i]) > 2e-4 {
			t.Errorf("P(D <= %v) is %v, want %v", x, got, levels[i])
		}
		if got := (1 + math.Erf(randomWalk.Return[i]/math.Sqrt2)) / 2; math.Abs(got-levels[i]) > 1e-5 {
			t.Errorf("P(R <= %v) is %v, want %v", randomWalk.Return[i], got, levels[i])
		}
	}
}

// Parameters travel in a model file: written and read back they are the same, in YAML and in JSON.
func TestParamsTravel(t *testing.T) {
	t.Parallel()
	want := Default()
	for name, f := range map[string]struct {
		write func(any) ([]byte, error)
		read  func([]byte, any) error
	}{
		"YAML": {yaml.Marshal, func(b []byte, v any) error { return yaml.UnmarshalWithOptions(b, v, yaml.Strict()) }},
		"JSON": {json.Marshal, json.Unmarshal},
	} {
		data, err := f.write(&want)
		if err != nil {
			t.Fatal(err)
		}
		var got Params
		if err := f.read(data, &got); err != nil || got != want {
			t.Errorf("%s: %v\n%s", name, err, data)
		}
		if !strings.Contains(string(data), "half_life_returns") || !strings.Contains(string(data), "long_run_weights") {
			t.Errorf("%s:\n%s", name, data)
		}
	}
}
