package assess

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score/outcome"
)

// bank is a random walk of so many funds on every day of some years, of a yearly volatility of 16 %; half of their
// moves are the market's.
func bank(funds, days int) []outcome.Product {
	draws := generator(7)
	normal := func() float64 { // the sum of twelve draws (Irwin and Hall)
		sum := -6.0
		for range 12 {
			sum += float64(draws.next()>>11) / (1 << 53)
		}
		return sum * 0.16 / math.Sqrt(365.25)
	}
	market := make([]float64, days)
	for i := range market {
		market[i] = normal() * math.Sqrt(0.5)
	}
	products := make([]outcome.Product, funds)
	for i := range products {
		p := outcome.Product{Code: fmt.Sprintf("F%03d", i), Class: fund.Equity}
		w := 1.0
		for d := range days {
			w *= math.Exp(market[d] + normal()*math.Sqrt(0.5))
			p.Series.Days, p.Series.Wealth = append(p.Series.Days, fund.Date(20100101).AddDays(d)), append(p.Series.Wealth, w)
		}
		products[i] = p
	}
	return products
}

func plan() Plan {
	return Plan{
		TrainUntil: 20150101, Until: 20220101, Crash: fund.Window{From: 20180601, To: 20180901},
		BlockMonths: 6, Resamples: 500, Seed: 3,
	}
}

func run(t *testing.T, products []outcome.Product, p Plan) *Report {
	t.Helper()
	r, err := Run(products, p, outcome.DefaultSettings())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func part(t *testing.T, h *Horizon, name Part) *Score {
	t.Helper()
	for i := range h.Parts {
		if h.Parts[i].Part == name.String() {
			return &h.Parts[i]
		}
	}
	t.Fatalf("%d months: no part %s", h.Months, name)
	return nil
}

// On a random walk, where past and future are alike, what was held out goes beyond the ranges as often as they say,
// and the ranges are no worse than the unconditional quantiles.
func TestRunOnARandomWalk(t *testing.T) {
	t.Parallel()
	r := run(t, bank(12, 12*365), plan())
	for i := range r.Horizons[:2] {
		h := &r.Horizons[i]
		training, held := part(t, h, Training), part(t, h, HeldOut)
		if got := training.Beyond90.Value; math.Abs(got-0.1) > 0.005 {
			t.Errorf("%d months: %v of the training part beyond 90 %%", h.Months, got)
		}
		if got := held.Beyond90; got.Value < 0.04 || got.Value > 0.18 || got.Low > 0.1 || got.High < 0.1 || got.Blocks < 10 {
			t.Errorf("%d months: %+v of what was held out beyond 90 %%", h.Months, got)
		}
		if held.Beyond95.Value > held.Beyond90.Value || held.Excess90 <= 0 || held.Excess90 > 0.1 {
			t.Errorf("%d months: %+v", h.Months, held)
		}
		if l := held.Drawdown; l.Foreseen > 1.15*l.Past || l.Compared != held.Entries || math.Abs(l.Gain.Value-(l.Past-l.Foreseen)) > 1e-12 {
			t.Errorf("%d months: %+v", h.Months, l)
		}
		if held.Products != 12 || held.First < "2015-01-01" || training.Last >= "2015-01-01" {
			t.Errorf("%d months: held out %+v, training %+v", h.Months, held, training)
		}
	}
}

// A simulated GARCH(1,1) of a persistence of 0.97 is found again; on a random walk nothing persists that could be told,
// and of too few returns nothing is said. What comes on or after the day counts for nothing.
func TestPersistence(t *testing.T) {
	t.Parallel()
	draws := generator(5)
	products := make([]outcome.Product, 12)
	for i := range products {
		s, variance, w := &products[i].Series, 1.0, 1.0
		for d := range 1500 {
			normal := -6.0
			for range 12 {
				normal += float64(draws.next()>>11) / (1 << 53)
			}
			r := normal * math.Sqrt(variance)
			variance = 0.03 + 0.1*r*r + 0.87*variance
			w *= math.Exp(0.01 * r)
			s.Days, s.Wealth = append(s.Days, fund.Date(20100101).AddDays(d)), append(s.Wealth, w)
		}
	}
	until := products[0].Series.Days[1400]
	got := Persistence(products, until)
	if math.Abs(got-0.97) > 0.01 {
		t.Errorf("%v, want 0.97", got)
	}
	for i := range products {
		for d := 1400; d < 1500; d++ {
			products[i].Series.Wealth[d] = float64(1 + d%2)
		}
	}
	if again := Persistence(products, until); again != got {
		t.Errorf("%v with another future, %v before", again, got)
	}
	if got := Persistence(products, products[0].Series.Days[150]); got != 0 {
		t.Errorf("of 149 returns: %v", got)
	}
	flat := outcome.Product{Series: outcome.Series{Days: products[0].Series.Days, Wealth: make([]float64, 1500)}}
	for d := range flat.Series.Wealth {
		flat.Series.Wealth[d] = 1
	}
	if got := Persistence([]outcome.Product{flat}, until); got != 0 {
		t.Errorf("of what does not move: %v", got)
	}
}

// Every entry is in one of four parts, ordinary is all but the crash, and the months hold all entries.
func TestRunAccountsForEveryEntry(t *testing.T) {
	t.Parallel()
	products := bank(3, 12*365)
	r := run(t, products, plan())
	counts := map[int32]int{}
	if err := outcome.Past(products, plan().Until, outcome.DefaultSettings(), func(h *outcome.Holding) error {
		counts[h.Horizon.Months()]++
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for i := range r.Horizons {
		h := &r.Horizons[i]
		n := func(name Part) int { return part(t, h, name).Entries }
		if all := counts[h.Months]; n(All) != all || n(Ordinary)+n(Crash) != all || n(Training)+n(Purged)+n(HeldOut) != n(Ordinary) {
			t.Errorf("%d months: %d entries, all %d, ordinary %d, crash %d", h.Months, all, n(All), n(Ordinary), n(Crash))
		}
		months := 0
		for _, m := range h.ByMonth {
			months += m.Entries
		}
		if months != n(All) {
			t.Errorf("%d months: %d entries by month", h.Months, months)
		}
	}
}

func TestPartOf(t *testing.T) {
	t.Parallel()
	p := plan()
	for _, c := range []struct {
		asOf, bought, due fund.Date
		want              Part
	}{
		{20140601, 20140602, 20141231, Training},
		{20140601, 20140602, 20150101, Purged}, // its NAV is of the day on which training ends
		{20141231, 20141231, 20150630, Purged},
		{20150101, 20150101, 20150701, HeldOut},
		{20180501, 20180502, 20180531, HeldOut},
		{20180501, 20180502, 20180601, Crash},
		{20180901, 20180901, 20190301, Crash},
		{20180902, 20180903, 20190303, HeldOut},
	} {
		if got := p.partOf(&outcome.Holding{AsOf: c.asOf, Bought: c.bought, Due: c.due}); got != c.want {
			t.Errorf("bought %s, due %s: %s, want %s", c.bought, c.due, got, c.want)
		}
	}
	if got := Part(9).String(); got != "PART_9" {
		t.Error(got)
	}
}

func TestPinball(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ value, quantile, level, want float64 }{
		{0.3, 0.2, 0.9, 0.09}, // beyond the quantile: nine tenths of the distance
		{0.1, 0.2, 0.9, 0.01},
		{0.2, 0.2, 0.9, 0},
		{-0.1, 0.1, 0.05, 0.19},
	} {
		if got := pinball(c.value, c.quantile, c.level); math.Abs(got-c.want) > 1e-15 {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// The past quantiles are those of holdings completed before the entry day, counted again for each entry.
func TestCompareIsThePlainComputation(t *testing.T) {
	t.Parallel()
	products := bank(3, 900)
	products[1].Class = fund.Bond
	products[2].Series.Days = products[2].Series.Days[400:] // begins later: its class speaks for it
	products[2].Series.Wealth = products[2].Series.Wealth[400:]
	var entries []entry
	if err := outcome.Past(products, 20990101, outcome.DefaultSettings(), func(h *outcome.Holding) error {
		if h.Horizon == outcome.SixMonths {
			entries = append(entries, entry{Holding: *h})
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	compare(products, entries)
	byClass, unknown := 0, 0
	for _, e := range entries {
		var own, class []float64
		for _, o := range entries {
			if o.Due < e.AsOf && products[o.Product].Class == products[e.Product].Class {
				class = append(class, o.Net.Drawdown)
				if o.Product == e.Product {
					own = append(own, o.Net.Drawdown)
				}
			}
		}
		values := own
		if len(own) < 13 {
			values = class
			if len(class) < 60 {
				unknown++
				if e.compared {
					t.Fatalf("%s: compared with %d and %d", e.AsOf, len(own), len(class))
				}
				continue
			}
			byClass++
		}
		slices.Sort(values)
		want := values[int(math.Ceil(0.9*float64(len(values))))-1]
		if !e.compared || e.past.Drawdown[level90] != fund.RatioOf(want) {
			t.Fatalf("%s of product %d: %v, want %v", e.AsOf, e.Product, e.past.Drawdown, want)
		}
	}
	if byClass == 0 || unknown == 0 || byClass+unknown >= len(entries) {
		t.Errorf("of %d entries %d by class, %d unknown: not all ways were taken", len(entries), byClass, unknown)
	}
}

func TestBlocks(t *testing.T) {
	t.Parallel()
	p := plan()
	same := blocks{months: 3}
	for m := range 12 {
		same.add(fund.Date(20150101).AddMonths(m), 0.25)
	}
	if got, want := same.mean(&p), (Estimate{0.25, 0.25, 0.25, 4}); got != want {
		t.Errorf("of one value: %+v, want %+v", got, want)
	}
	one := blocks{months: 3}
	one.add(20150105, 1)
	one.add(20150331, 0)
	if got, want := one.mean(&p), (Estimate{0.5, 0.5, 0.5, 1}); got != want {
		t.Errorf("of one block: %+v, want %+v", got, want)
	}
	if got := (&blocks{months: 3}).mean(&p); got != (Estimate{}) {
		t.Errorf("of nothing: %+v", got)
	}
	// Two blocks, of 3 ones and of 1 nought: the resamples are 1, 0.75 and 0, as 1 to 2 to 1.
	two := blocks{months: 1}
	for _, day := range []fund.Date{20150105, 20150106, 20150107} {
		two.add(day, 1)
	}
	two.add(20150205, 0)
	if got, want := two.mean(&p), (Estimate{0.75, 0, 1, 2}); got != want {
		t.Errorf("of two blocks: %+v, want %+v", got, want)
	}
}

// The interval of a mean of 40 independent blocks is that of the normal approximation.
func TestBlocksIntervalIsOfTheRightWidth(t *testing.T) {
	t.Parallel()
	p := plan()
	p.Resamples = 4000
	b, draws := blocks{months: 1}, generator(11)
	var values []float64
	for m := range 40 {
		v := float64(draws.below(1000)) / 1000
		values = append(values, v)
		b.add(fund.Date(20100101).AddMonths(m), v)
	}
	mean := total(values) / 40
	squares := 0.0
	for _, v := range values {
		squares += (v - mean) * (v - mean)
	}
	half := 1.96 * math.Sqrt(squares) / 40
	got := b.mean(&p)
	if math.Abs(got.Value-mean) > 1e-12 || math.Abs(got.Low-(mean-half)) > 0.15*half || math.Abs(got.High-(mean+half)) > 0.15*half {
		t.Errorf("%+v, want %v and %v about %v", got, mean-half, mean+half, mean)
	}
}

// The first values of splitmix64 from a seed of 1234567, as its authors' C code gives them.
func TestGenerator(t *testing.T) {
	t.Parallel()
	g := generator(1234567)
	for _, want := range []uint64{6457827717110365317, 3203168211198807973, 9817491932198370423} {
		if got := g.next(); got != want {
			t.Errorf("%d, want %d", got, want)
		}
	}
}

func TestRunRefuses(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*Plan){
		"no end of training":      func(p *Plan) { p.TrainUntil = 0 },
		"nothing to test":         func(p *Plan) { p.Until = p.TrainUntil },
		"a crash that ends first": func(p *Plan) { p.Crash.To = p.Crash.From.AddDays(-1) },
		"no crash":                func(p *Plan) { p.Crash = fund.Window{} },
		"blocks of nothing":       func(p *Plan) { p.BlockMonths = 0 },
		"blocks too long":         func(p *Plan) { p.BlockMonths = MaxBlockMonths + 1 },
		"no resample":             func(p *Plan) { p.Resamples = 0 },
		"too many resamples":      func(p *Plan) { p.Resamples = MaxResamples + 1 },
	} {
		p := plan()
		spoil(&p)
		if _, err := Run(nil, p, outcome.DefaultSettings()); !errors.Is(err, fund.ErrInvalid) {
			t.Errorf("%s: %v, want fund.ErrInvalid", name, err)
		}
	}
	if _, err := Run(nil, plan(), outcome.Settings{}); !errors.Is(err, outcome.ErrParams) {
		t.Errorf("no settings: %v", err)
	}
}

// The same arguments give the same bytes, as JSON, table and figure; all three can be read.
func TestReportIsTheSameBytes(t *testing.T) {
	t.Parallel()
	write := func() [3]string {
		var out [3]string
		r := run(t, bank(3, 6*365), plan())
		for i, f := range []func(io.Writer) error{r.WriteJSON, r.WriteTable, r.WriteSVG} {
			var b bytes.Buffer
			if err := f(&b); err != nil {
				t.Fatal(err)
			}
			out[i] = b.String()
		}
		return out
	}
	a, b := write(), write()
	if diff := cmp.Diff(a, b); diff != "" {
		t.Fatal(diff)
	}
	var r Report
	if err := json.Unmarshal([]byte(a[0]), &r); err != nil || r.Schema != Schema || len(r.Horizons) != int(outcome.Horizons) || r.Products != 3 {
		t.Errorf("JSON: %v, %+v", err, r.Plan)
	}
	if n := strings.Count(a[1], "ORDINARY"); n == 0 || !strings.Contains(a[1], "12 months") {
		t.Errorf("table:\n%s", a[1])
	}
	d := xml.NewDecoder(strings.NewReader(a[2]))
	rects := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("figure: %v", err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "rect" {
			rects++
		}
	}
	if rects < len(r.Horizons[0].ByMonth) {
		t.Errorf("figure of %d rectangles for %d months", rects, len(r.Horizons[0].ByMonth))
	}
}

// Of no products there is a report that says so.
func TestRunOfNothing(t *testing.T) {
	t.Parallel()
	r := run(t, nil, plan())
	var b bytes.Buffer
	if err := errors.Join(r.WriteJSON(&b), r.WriteTable(&b), r.WriteSVG(&b)); err != nil || r.Products != 0 || len(r.Horizons[0].Parts) != 0 {
		t.Errorf("%v, %+v", err, r)
	}
}

// Two parts of one fund's series are one product, and a fall after fees is counted from the money paid.
func TestRunCountsFundsAndFees(t *testing.T) {
	t.Parallel()
	products := bank(2, 6*365)
	products[1].Code = products[0].Code
	products[0].Costs = outcome.Costs{Known: true, Entry: 15_000}
	products[1].Costs = products[0].Costs
	r := run(t, products, plan())
	if r.Products != 1 || r.Costed != 1 || part(t, &r.Horizons[0], All).Products != 1 {
		t.Errorf("%d products, %d costed", r.Products, r.Costed)
	}
}

// What the customer has counts, after the fees, and a fall of exactly the range is within it.
func TestIsBeyond(t *testing.T) {
	t.Parallel()
	e := entry{Holding: outcome.Holding{Gross: outcome.Result{Drawdown: 0.19}, Net: outcome.Result{Drawdown: 0.2}}}
	e.foreseen.Drawdown = outcome.Grid{level90: 200_000, level95: 250_000}
	if e.isBeyond(level90) || e.isBeyond(level95) {
		t.Error("a fall of the range is beyond it")
	}
	e.Net.Drawdown = 0.2001
	if !e.isBeyond(level90) || e.isBeyond(level95) {
		t.Error("a fall of 20.01 % is not beyond 20 %, or beyond 25 %")
	}
}

// Two of four falls go beyond 10 %, by 5 and by 1 % of what the customer has.
func TestScoreOfExcess(t *testing.T) {
	t.Parallel()
	p, products := plan(), []outcome.Product{{Code: "A"}, {Code: "B"}}
	var entries []*entry
	for i, fall := range []float64{0.15, 0.05, 0.11, 0.10} {
		e := &entry{Holding: outcome.Holding{
			Product: i % 2, AsOf: 20150107, Bought: 20150107, Due: 20150407,
			Gross: outcome.Result{Drawdown: fall - 0.01}, Net: outcome.Result{Drawdown: fall},
		}}
		e.foreseen.Drawdown[level90], e.foreseen.Drawdown[level95] = 100_000, 140_000
		entries = append(entries, e)
	}
	s := scoreOf(&p, products, HeldOut, entries)
	if math.Abs(s.Excess90-0.03) > 1e-12 || s.Beyond90.Value != 0.5 || s.Beyond95.Value != 0.25 || s.Products != 2 || s.Entries != 4 {
		t.Errorf("%+v", s)
	}
	if math.Abs(s.Windows-90/(365.25/4)) > 1e-12 { // 90 days of a quarter's 91.3
		t.Errorf("%v windows", s.Windows)
	}
}

// A month is the crash's when more than half of its holdings touch it; months come in order.
func TestByMonth(t *testing.T) {
	t.Parallel()
	of := func(bought fund.Date, part Part, fall float64) entry {
		e := entry{Holding: outcome.Holding{Bought: bought, Net: outcome.Result{Drawdown: fall}}, part: part}
		e.foreseen.Drawdown[level90] = 100_000
		return e
	}
	got := byMonth([]entry{
		of(20150304, Crash, 0.2), of(20150311, Crash, 0.05), of(20150318, HeldOut, 0.05), of(20150325, HeldOut, 0.05),
		of(20141203, Training, 0.2), of(20150401, Crash, 0.2), of(20150408, Crash, 0.05), of(20150415, HeldOut, 0.05),
	})
	want := []Month{
		{Month: "2014-12", Entries: 1, Beyond90: 1},
		{Month: "2015-03", Entries: 4, Beyond90: 0.25},
		{Month: "2015-04", Entries: 3, Beyond90: 1.0 / 3, Crash: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
