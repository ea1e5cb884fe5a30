package frontier

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/fundmatch/fundmatch/features/dataset/synthetic"
	"github.com/fundmatch/fundmatch/features/history"
	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// asOf is the day of the synthetic bank.
const asOf = fund.Date(20261120)

func jobOn(tb testing.TB, store Store, o Options) *Job {
	tb.Helper()
	rules, err := eligibility.ParsePack(eligibility.Default())
	if err != nil {
		tb.Fatal(err)
	}
	model, err := score.ParseModel(score.DefaultModel())
	if err != nil {
		tb.Fatal(err)
	}
	return &Job{Store: store, AsOf: history.AsOf, Model: model, Rules: rules, Version: "test", Options: o}
}

func aBank(tb testing.TB, customers, products int) *memory.Store {
	tb.Helper()
	bank, err := synthetic.Generate(synthetic.Options{Customers: customers, Products: products, AsOf: asOf})
	if err != nil {
		tb.Fatal(err)
	}
	store := memory.New()
	if _, err := store.Import(context.Background(), asOf.Start(), bank.Load); err != nil {
		tb.Fatal(err)
	}
	return store
}

// The same report for any number of workers; the stronger the weight, the fewer falls are
// foreseen in the lists; no weight is no change; whoever is counted is told.
func TestTheFrontier(t *testing.T) {
	store := aBank(t, 400, 60)
	first, err := jobOn(t, store, Options{Days: 4, Workers: 1}).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	again, err := jobOn(t, store, Options{Days: 4, Workers: 3}).Run(t.Context())
	if diff := cmp.Diff(first, again); diff != "" || err != nil {
		t.Errorf("three workers (%v): %s", err, diff)
	}
	if len(first.Points) != len(Weights()) || first.Points[0].Weight != 0 || first.Points[0].DemandChange != (Value{}) || first.Points[0].BeyondChange != (Value{}) {
		t.Errorf("without a weight: %+v", first.Points[0])
	}
	if first.Shipped != -0.5 || first.Last > "2025-11-20" || first.Wanting == 0 || first.Customers == 0 || first.Lists < first.Customers || first.Lists > 4*first.Customers {
		t.Errorf("%+v", first)
	}
	for i, p := range first.Points {
		if p.Weight != Weights()[i] || p.Demand.Value < 0 || p.Demand.Value > 1 || p.Beyond.Value < 0 || p.Beyond.Value > 1 {
			t.Errorf("%+v", p)
		}
		if i > 0 && p.Foreseen.Value > first.Points[i-1].Foreseen.Value+1e-12 {
			t.Errorf("weight %v: %v foreseen, %v with less weight", p.Weight, p.Foreseen.Value, first.Points[i-1].Foreseen.Value)
		}
		if p.Demand.Low > p.Demand.Value || p.Demand.High < p.Demand.Value {
			t.Errorf("%+v: the value is outside its interval", p)
		}
	}
	// A day further back: what came since then is not looked at.
	early, err := jobOn(t, store, Options{Days: 4, Through: 20260601}).Run(t.Context())
	if err != nil || early.Last > "2025-06-01" {
		t.Errorf("%v: %+v", err, early)
	}
	written(t, first)
}

// written holds that the drawing is XML with a point a weight, the JSON can be read, and the
// table has a line a weight.
func written(t *testing.T, r *Report) {
	t.Helper()
	var svg, table, doc bytes.Buffer
	if err := errors.Join(r.WriteSVG(&svg), r.WriteTable(&table), r.WriteJSON(&doc)); err != nil {
		t.Fatal(err)
	}
	circles, red := 0, 0
	for d := xml.NewDecoder(&svg); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "circle" {
			circles++
			if slices.ContainsFunc(e.Attr, func(a xml.Attr) bool { return a.Value == "#c0503f" }) {
				red++
			}
		}
	}
	if circles != len(r.Points) || red != 1 {
		t.Errorf("%d points of %d, %d red", circles, len(r.Points), red)
	}
	if n := strings.Count(table.String(), "\n"); n != len(r.Points)+4 {
		t.Errorf("%d lines:\n%s", n, table.String())
	}
	var back Report
	if err := json.Unmarshal(doc.Bytes(), &back); err != nil || !cmp.Equal(&back, r) {
		t.Errorf("read back: %v", err)
	}
}

// Of three offers the weight turns the order: by hand, with one that fell beyond, one that
// did not and one of which nothing is known.
func TestMeasure(t *testing.T) {
	r := &running{falls: map[entry]float64{{1, 20250101}: 0.2, {2, 20250101}: 0.15}}
	d := dayOf{
		running: r, day: 20250101, tolerance: 0.15, wanted: map[int32]int32{1: 1},
		offers: []offer{{place: 1, rest: 2, fears: 0.9}, {place: 2, rest: 1.5, fears: 0.1}, {place: 3, rest: 1.5, fears: 0.2}},
	}
	if got, want := d.measure(0), [measures]float64{1, 0.5, 0.4}; !near(got, want) {
		t.Errorf("no weight: %v, want %v", got, want) // what he bought is first; one of two known fell beyond
	}
	if got, want := d.measure(-1), [measures]float64{0.5, 0.5, 0.4}; !near(got, want) {
		t.Errorf("a weight of 1: %v, want %v", got, want) // 1.1, 1.4, 1.3: it is third, 1/log2(4)
	}
	d.wanted, d.falls = nil, nil
	if got := d.measure(0); !math.IsNaN(got[demand]) || !math.IsNaN(got[beyond]) {
		t.Errorf("nothing known: %v", got)
	}
	d.offers = nil
	for i := range 25 {
		d.offers = append(d.offers, offer{place: int32(i), rest: float64(i % 5)})
	}
	d.measure(0)
	if want := []int32{4, 9, 14, 19, 24, 3, 8, 13, 18, 23}; !slices.Equal(d.list, want) { // equals in the pool's order
		t.Errorf("%v, want %v", d.list, want)
	}
}

func near(a, b [measures]float64) bool {
	for i := range a {
		if math.Abs(a[i]-b[i]) > 1e-12 {
			return false
		}
	}
	return true
}

func TestRefusals(t *testing.T) {
	store := aBank(t, 3, 20)
	for name, c := range map[string]struct {
		spoil func(*Job)
		want  error
	}{
		"too many days":           {func(j *Job) { j.Options.Days = MaxDays + 1 }, ErrOptions},
		"days below 0":            {func(j *Job) { j.Options.Days = -1 }, ErrOptions},
		"too many workers":        {func(j *Job) { j.Options.Workers = MaxWorkers + 1 }, ErrOptions},
		"a model without ranges":  {func(j *Job) { j.Model.Settings.Outcome = nil }, ErrOptions},
		"before there were NAVs":  {func(j *Job) { j.Options.Through = 19990101 }, ErrNoHistory},
		"before there were lists": {func(j *Job) { j.Options.Through, j.Options.Days = 20220301, 1 }, ErrNoHistory},
	} {
		j := jobOn(t, store, Options{})
		c.spoil(j)
		if _, err := j.Run(t.Context()); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := jobOn(t, store, Options{Days: 1}).Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("ended: %v", err)
	}
}
