package money_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/evaluate/money"
)

var nan = math.NaN()

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.IsNaN(want) != math.IsNaN(got) || math.Abs(got-want) > 1e-12 {
		t.Errorf("%s: %v, expected %v", what, got, want)
	}
}

func state(t interface{ Fatal(...any) }, cutoffs []int, rows ...*money.Rows) *money.State {
	s, err := money.New(money.Settings{Cutoffs: cutoffs})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if err := s.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// Two lists: of customer 7, who bought the first product and lost, and of customer 8, who bought both.
func someRows() *money.Rows {
	return &money.Rows{
		Ends: []int32{3, 5}, Cluster: []uint64{7, 8},
		Position: []int32{1, 2, 3, 1, 2},
		Return: [money.Horizons][]float64{
			{-.1, .2, nan, .05, .01},
			{-.2, .4, .6, .3, nan},
		},
		Amount:   []float64{100_000, nan, 0, 200_000, 300_000},
		HeldDays: []float64{6, nan, nan, 7, 800},
	}
}

func TestByHand(t *testing.T) {
	t.Parallel()
	r := state(t, []int{1, 2, 3}, someRows()).Result()
	if r.Lists != 2 || r.Rows != 5 {
		t.Errorf("%d lists of %d rows", r.Lists, r.Rows)
	}
	quarter, half := r.Returns[0], r.Returns[1]
	near(t, "ROI@1 over 90 days", quarter.ROI[0].Return, (-.1+.05)/2)
	near(t, "ROI@2 over 90 days", quarter.ROI[1].Return, ((-.1+.2)/2+(.05+.01)/2)/2)
	near(t, "monthly", quarter.ROI[1].Monthly,
		((math.Cbrt(.9)-1+math.Cbrt(1.2)-1)/2+(math.Cbrt(1.05)-1+math.Cbrt(1.01)-1)/2)/2)
	if got := quarter.ROI[2]; got.Lists != 1 || got.Censored != 1 || math.Abs(got.Return-.03) > 1e-15 {
		t.Errorf("a list with a return that is not known is in ROI@3: %+v", got)
	}
	if got := half.ROI[1]; got.Lists != 1 || got.Censored != 1 {
		t.Errorf("180 days: %+v", got)
	}
	if l := quarter.Loss; l.Known != 4 || l.Fell != 1 || l.Share != .25 || l.Mean != -.1 {
		t.Errorf("losses: %+v", l)
	}
	if year := r.Returns[2]; year.Days != 365 || year.Loss.Known != 0 || !math.IsNaN(year.Loss.Share) || !math.IsNaN(year.ROI[0].Return) || !math.IsNaN(year.Profit.Share) {
		t.Errorf("a horizon that the log has not: %+v", year)
	}
	if p := quarter.Profit; p.Customers != 2 || p.Gained != 1 || p.Share != .5 || p.Sampled {
		t.Errorf("in profit: %+v", p)
	}
	if h := r.Held; h.Sold != 3 || h.Mean != 271 || h.Min != 6 || h.Max != 800 || h.Histogram != [money.HeldBins]int64{1, 1, 0, 0, 0, 0, 1} {
		t.Errorf("held: %+v", h)
	}
}

// A log without the columns has no figures, and none that looks like one.
func TestAbsentColumns(t *testing.T) {
	t.Parallel()
	r := state(t, nil, &money.Rows{Ends: []int32{1}, Cluster: []uint64{1}, Position: []int32{1}}).Result()
	for name, v := range map[string]float64{
		"ROI": r.Returns[0].ROI[0].Return, "loss": r.Returns[0].Loss.Mean, "profit": r.Returns[0].Profit.Share, "held": r.Held.Mean, "least": r.Held.Min,
	} {
		if !math.IsNaN(v) {
			t.Errorf("%s: %v", name, v)
		}
	}
	if r.Lists != 1 || r.Returns[0].ROI[0].K != 10 {
		t.Errorf("%+v", r)
	}
}

// A value that cannot be is named, and nothing of its rows is added.
func TestBadRows(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(*money.Rows)
		row   int
		text  string
	}{
		"return":          {func(r *money.Rows) { r.Return[1][2] = -1.5 }, 2, "row 2: Return[180d]: -1.5, expected -1 to 1e+06"},
		"infinite return": {func(r *money.Rows) { r.Return[0][4] = math.Inf(1) }, 4, "row 4: Return[90d]: +Inf, expected -1 to 1e+06"},
		"amount":          {func(r *money.Rows) { r.Amount[0] = -1 }, 0, "row 0: Amount: -1, expected 0 to 1e+16"},
		"days":            {func(r *money.Rows) { r.HeldDays[3] = -.5 }, 3, "row 3: HeldDays: -0.5, expected 0 to 100000"},
		"a short column":  {func(r *money.Rows) { r.Amount = r.Amount[:3] }, -1, ""},
		"ends":            {func(r *money.Rows) { r.Ends = []int32{4, 3} }, -1, ""},
		"ends beyond":     {func(r *money.Rows) { r.Ends = []int32{3, 6} }, -1, ""},
		"rows beyond":     {func(r *money.Rows) { r.Ends = []int32{3, 4} }, -1, ""},
		"customers":       {func(r *money.Rows) { r.Cluster = r.Cluster[:1] }, -1, ""},
	} {
		rows, s := someRows(), state(t, nil)
		c.spoil(rows)
		err := s.Add(rows)
		var bad *money.RowError
		if !errors.Is(err, money.ErrValue) || errors.As(err, &bad) != (c.row >= 0) || c.row >= 0 && (bad.Row != c.row || bad.Error() != c.text) {
			t.Errorf("%s: %v, expected %s", name, err, c.text)
		}
		if r := s.Result(); r.Rows != 0 || r.Returns[0].Loss.Known != 0 || r.Held.Sold != 0 {
			t.Errorf("%s: something was added: %+v", name, r)
		}
	}
	for _, cutoffs := range [][]int{{0}, {2, 2}, {3, 1}, {money.MaxCutoff + 1}, make([]int, money.MaxCutoffs+1)} {
		if _, err := money.New(money.Settings{Cutoffs: cutoffs}); !errors.Is(err, money.ErrValue) {
			t.Errorf("cutoffs %v: %v", cutoffs, err)
		}
	}
}

// drawRows are rows of dyadic numbers, whose sums are exact in any order.
func drawRows(t *rapid.T) *money.Rows {
	r := &money.Rows{}
	value := func(label string, low, high int, unit float64) float64 {
		if rapid.IntRange(0, 5).Draw(t, label+" known") == 0 {
			return nan
		}
		return float64(rapid.IntRange(low, high).Draw(t, label)) * unit
	}
	for range rapid.IntRange(0, 6).Draw(t, "lists") {
		for position := range rapid.Int32Range(1, 4).Draw(t, "products") {
			r.Position = append(r.Position, position+1)
			for h := range r.Return {
				r.Return[h] = append(r.Return[h], value("return", -8, 8, 1.0/8))
			}
			r.Amount = append(r.Amount, value("amount", 0, 4, 1024))
			r.HeldDays = append(r.HeldDays, value("days", 0, 800, 1))
		}
		r.Ends = append(r.Ends, int32(len(r.Position)))
		r.Cluster = append(r.Cluster, rapid.Uint64Range(0, 4).Draw(t, "customer"))
	}
	return r
}

func bytesOf(t interface{ Fatal(...any) }, s *money.State) []byte {
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Parts that are merged, and parts that were written down in between, have the figures of the whole. Monthly returns are
// no dyadic numbers: their sums may differ in the last digits, and are compared so.
func TestMergeAndBytes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		parts := []*money.Rows{drawRows(t), drawRows(t), drawRows(t)}
		whole, merged := state(t, []int{1, 3}, parts...), state(t, []int{1, 3})
		for _, p := range parts {
			written := bytesOf(t, state(t, []int{1, 3}, p))
			read := &money.State{}
			if err := json.Unmarshal(written, read); err != nil {
				t.Fatal(err)
			}
			if again := bytesOf(t, read); !bytes.Equal(again, written) {
				t.Fatalf("%s, expected %s", again, written)
			}
			if err := merged.Merge(read); err != nil {
				t.Fatal(err)
			}
		}
		a, b := whole.Result(), merged.Result()
		for h := range a.Returns {
			for i := range a.Returns[h].ROI {
				x, y := &a.Returns[h].ROI[i], &b.Returns[h].ROI[i]
				if math.Abs(x.Monthly-y.Monthly) > 1e-14 || math.Abs(x.Return-y.Return) > 1e-14 {
					t.Fatalf("%+v, expected %+v", y, x)
				}
				x.Monthly, x.Return = y.Monthly, y.Return
			}
		}
		if got, want := shown(t, b), shown(t, a); got != want {
			t.Fatalf("%s\nexpected\n%s", got, want)
		}
	})
	other := state(t, []int{5})
	if err := state(t, nil).Merge(other); !errors.Is(err, money.ErrState) {
		t.Errorf("%v", err)
	}
}

// shown is a result as text, its NaNs too.
func shown(t interface{ Fatal(...any) }, r money.Result) string {
	var out bytes.Buffer
	for _, h := range r.Returns {
		data, err := json.Marshal([]any{h.Days, h.Loss.Known, h.Loss.Fell, h.Profit.Customers, h.Profit.Gained})
		if err != nil {
			t.Fatal(err)
		}
		out.Write(data)
		for _, roi := range h.ROI {
			data, err := json.Marshal([]any{roi.Lists, roi.Censored})
			if err != nil {
				t.Fatal(err)
			}
			out.Write(data)
		}
	}
	data, err := json.Marshal([]any{r.Lists, r.Rows, r.Held.Sold, r.Held.Histogram})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(data)
	if !math.IsNaN(r.Held.Mean) {
		data, err = json.Marshal([]float64{r.Held.Mean, r.Held.Min, r.Held.Max})
		if err != nil {
			t.Fatal(err)
		}
		out.Write(data)
	}
	return out.String()
}

// What is no state is not read as one.
func TestBadState(t *testing.T) {
	t.Parallel()
	good := string(bytesOf(t, state(t, []int{1}, someRows())))
	for _, text := range []string{
		"{}", "null", "[]", `{"cutoffs": [1]}`,
		replaced(t, good, `"cutoffs":[1]`, `"cutoffs":[0]`), replaced(t, good, `"cutoffs":[1]`, `"cutoffs":[1,2]`),
		replaced(t, good, `"cutoffs":[1]`, `"other":1,"cutoffs":[1]`), replaced(t, good, `"beyond":false`, `"beyond":true`),
		replaced(t, good, `"gains":[{"hash":`, `"gains":[{"hash":9`),
	} {
		if err := new(money.State).UnmarshalJSON([]byte(text)); !errors.Is(err, money.ErrState) {
			t.Errorf("%.60s: %v", text, err)
		}
	}
}

func replaced(t *testing.T, text, old, by string) string {
	t.Helper()
	out := bytes.Replace([]byte(text), []byte(old), []byte(by), 1)
	if string(out) == text {
		t.Fatalf("%s is not in %s", old, text)
	}
	return string(out)
}

// Beyond the limit the customers are a sample that does not depend on order or parts, and whose share is near the truth.
func TestCustomersAreSampled(t *testing.T) {
	t.Parallel()
	const customers = 50_000
	add := func(c *money.Customers, id uint64) {
		gain := .1
		if id%4 == 0 {
			gain = -.1
		}
		c.Add(id, 1000, [money.Horizons]float64{gain, nan, nan})
		c.Add(id, 500, [money.Horizons]float64{gain, 1, nan})
	}
	var all, even, odd, backwards money.Customers
	for id := range uint64(customers) {
		add(&all, id)
		add(&backwards, customers-1-id)
		if id%2 == 0 {
			add(&even, id)
		} else {
			add(&odd, id)
		}
	}
	odd.Merge(&even)
	want, err := json.Marshal(&all)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*money.Customers{"backwards": &backwards, "in parts": &odd} {
		if got, err := json.Marshal(c); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: other customers were held, %v", name, err)
		}
	}
	p := all.Profit(0)
	if p.Customers != money.MaxCustomers || !p.Sampled || math.Abs(p.Share-.75) > .0102 { // 3 standard errors
		t.Errorf("%+v", p)
	}
	if p := all.Profit(2); p.Customers != 0 || !math.IsNaN(p.Share) {
		t.Errorf("of nobody: %+v", p)
	}
	var few money.Customers
	for id := range uint64(money.MaxCustomers) {
		add(&few, id)
	}
	if p := few.Profit(0); p.Sampled || p.Share != .75 {
		t.Errorf("at the limit: %+v", p)
	}
	add(&few, money.MaxCustomers)
	if p := few.Profit(0); !p.Sampled || p.Customers != money.MaxCustomers {
		t.Errorf("beyond it: %+v", p)
	}
	var none money.Customers
	none.Merge(&few)
	if p := none.Profit(0); !p.Sampled {
		t.Errorf("merged into nobody: %+v", p)
	}
}

func TestMonthly(t *testing.T) {
	t.Parallel()
	near(t, "a month", money.Monthly(.05, 30), .05)
	near(t, "3 months", money.Monthly(.331, 90), .1)
	near(t, "a year", math.Pow(1+money.Monthly(.2, 365), 365.0/30)-1, .2)
	near(t, "all is lost", money.Monthly(-1, 90), -1)
	near(t, "more than all", money.Monthly(-1.1, 90), nan)
	near(t, "no days", money.Monthly(.1, 0), nan)
}

func TestDollarWeighted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		flows []money.Flow
		want  float64
		err   error
	}{
		"a year":             {[]money.Flow{{0, 100}, {1, -110}}, .1, nil},
		"in any order":       {[]money.Flow{{2, -121}, {0, 100}}, .1, nil},
		"half a year":        {[]money.Flow{{0, 100}, {.5, -110}}, .21, nil},
		"later days":         {[]money.Flow{{900, 100}, {901, -110}}, .1, nil},
		"a loss":             {[]money.Flow{{0, 100}, {1, -25}}, -.75, nil},
		"nearly all is lost": {[]money.Flow{{0, 1e6}, {1, -.01}}, 1e-8 - 1, nil},
		"a windfall":         {[]money.Flow{{0, 1}, {1, -1e6}}, 1e6 - 1, nil},
		"two of a day":       {[]money.Flow{{0, 60}, {0, 40}, {1, -50}, {1, -60}}, .1, nil},
		"nothing in nothing": {nil, 0, money.ErrNoReturn},
		"only paid in":       {[]money.Flow{{0, 100}, {1, 10}}, 0, money.ErrNoReturn},
		"all is lost":        {[]money.Flow{{0, 100}, {1, 0}}, 0, money.ErrNoReturn},
		"beyond the bounds":  {[]money.Flow{{0, 1}, {1e-3, -2}}, 0, money.ErrNoReturn},
		// Borrowed and paid back twice: (x-1.1)(x-1.3) has both rates, (x-1)²+.01 none.
		"two rates":             {[]money.Flow{{0, 1}, {1, -2.4}, {2, 1.43}}, 0, money.ErrManyReturns},
		"no rate":               {[]money.Flow{{0, 1}, {1, -2}, {2, 1.01}}, 0, money.ErrNoReturn},
		"three turns, one rate": {[]money.Flow{{0, 100}, {1, -10}, {2, 10}, {3, -133.1 + 12.1 - 11}}, .1, nil},
		"not a number":          {[]money.Flow{{0, nan}, {1, 1}}, 0, money.ErrValue},
		"before the day":        {[]money.Flow{{-1, 1}, {1, -1}}, 0, money.ErrValue},
		"too many":              {make([]money.Flow, money.MaxFlows+1), 0, money.ErrValue},
	} {
		got, err := money.DollarWeighted(c.flows)
		if !errors.Is(err, c.err) || err == nil && math.Abs(got-c.want) > 1e-9*max(1, math.Abs(c.want)) {
			t.Errorf("%s: %v, %v; expected %v, %v", name, got, err, c.want, c.err)
		}
	}
}

// Flows that grew at a rate have that rate, and one that all had from the first day has no gap.
func TestDollarWeightedFindsTheRate(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Float64Range(-.9, 5).Draw(t, "rate")
		var flows []money.Flow
		last := 10.0
		for range rapid.IntRange(1, 8).Draw(t, "flows") {
			f := money.Flow{Years: rapid.Float64Range(0, 9).Draw(t, "years"), Amount: rapid.Float64Range(1, 100).Draw(t, "amount")}
			flows = append(flows, f)
		}
		grown := 0.0
		for _, f := range flows {
			grown += f.Amount * math.Pow(1+rate, last-f.Years)
		}
		got, err := money.DollarWeighted(append(slices.Clone(flows), money.Flow{Years: last, Amount: -grown}))
		if err != nil || math.Abs(got-rate) > 1e-9 {
			t.Fatalf("%v, %v; expected %v", got, err, rate)
		}
		r := rapid.SliceOfN(rapid.Float64Range(-.5, 1), 1, 10).Draw(t, "returns")
		var periods []money.Period
		for _, v := range r {
			periods = append(periods, money.Period{Return: v})
		}
		if g, err := money.InvestorGap(100, periods, .25); err != nil || math.Abs(g.Gap) > 1e-9 {
			t.Fatalf("%+v, %v", g, err)
		}
	})
}

func TestInvestorGap(t *testing.T) {
	t.Parallel()
	late, err := money.InvestorGap(10, []money.Period{{Return: .5}, {Inflow: 100, Return: -.5}}, 1)
	if err != nil || !(late.DollarWeighted < late.TimeWeighted) || math.Abs(late.TimeWeighted-(math.Sqrt(.75)-1)) > 1e-12 {
		t.Errorf("who came late: %+v, %v", late, err)
	}
	left, err := money.InvestorGap(100, []money.Period{{Return: -.5}, {Inflow: -40, Return: .5}}, 1)
	if err != nil || !(left.Gap < 0) {
		t.Errorf("who left at the bottom: %+v, %v", left, err)
	}
	for _, periods := range [][]money.Period{{{Inflow: -20, Return: 0}}, {{Return: -1.5}}, {{Return: nan}}} {
		if _, err := money.InvestorGap(10, periods, 1); !errors.Is(err, money.ErrValue) {
			t.Errorf("%v: %v", periods, err)
		}
	}
	if _, err := money.InvestorGap(10, []money.Period{{Return: -1}}, 1); !errors.Is(err, money.ErrNoReturn) {
		t.Errorf("all is lost: %v", err)
	}
	near(t, "no time", money.TimeWeighted([]float64{.1}, 0), nan)
}

func TestConcentrate(t *testing.T) {
	t.Parallel()
	c, err := money.Concentrate([]float64{5, 0, 3, 2})
	if err != nil || c.Holders != 3 || math.Abs(c.HHI-.38) > 1e-15 || math.Abs(c.Effective-1/.38) > 1e-14 || math.Abs(c.Normalised-.07) > 1e-15 || c.Top1 != .5 {
		t.Errorf("%+v, %v", c, err)
	}
	equal, err := money.Concentrate([]float64{4, 4, 4, 4})
	if err != nil || equal.HHI != .25 || equal.Effective != 4 || equal.Normalised != 0 {
		t.Errorf("%+v, %v", equal, err)
	}
	one, err := money.Concentrate([]float64{7})
	if err != nil || one.HHI != 1 || one.Normalised != 1 || one.Top1 != 1 {
		t.Errorf("%+v, %v", one, err)
	}
	none, err := money.Concentrate([]float64{0, 0})
	if err != nil || none.Holders != 0 || !math.IsNaN(none.HHI+none.Effective+none.Normalised+none.Top1) {
		t.Errorf("%+v, %v", none, err)
	}
	for _, bad := range [][]float64{{-1}, {nan}, {math.Inf(1)}, {math.MaxFloat64, math.MaxFloat64}} {
		if _, err := money.Concentrate(bad); !errors.Is(err, money.ErrValue) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func TestTurnover(t *testing.T) {
	t.Parallel()
	near(t, "turnover", money.Turnover(30, 50, 120), .25)
	near(t, "nothing held", money.Turnover(30, 50, 0), nan)
	near(t, "no amount", money.Turnover(-1, 50, 10), nan)
}
