package training

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/dataset/synthetic"
	"github.com/fundmatch/fundmatch/features/history"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// begun is a training that has its cores and nothing else yet.
func begun(tb testing.TB, store Store, o Options) *running {
	tb.Helper()
	r := &running{Job: jobOn(tb, store, o)}
	if err := r.settle(); err != nil {
		tb.Fatal(err)
	}
	for _, step := range []func(context.Context) error{r.takeSurvey, r.readPool, r.readOwners, r.compileCores} {
		if err := step(tb.Context()); err != nil {
			tb.Fatal(err)
		}
	}
	return r
}

func (r *running) examplesOf(tb testing.TB, h *features.History) *part {
	tb.Helper()
	out := &part{}
	reader := reader{running: r, out: out, shown: map[showing]bool{}}
	if err := reader.read(0, h); err != nil {
		tb.Fatal(err)
	}
	return out
}

// What an exposure became: an order of the fund, of whichever class, that was confirmed after
// it and within thirty days. Each case ends with a visit on day 100, up to which all is known.
func TestWhatBecameOfAnExposure(t *testing.T) {
	shown := did(fund.Exposure, 10, 10, "")
	all := begun(t, &told{Store: aBank(t, 40, 40), histories: []*features.History{customer(1, shown, did(fund.DetailView, 100, 10, ""))}}, Options{})
	with := func(e features.Event, change func(*features.Event)) features.Event {
		change(&e)
		return e
	}
	for name, c := range map[string]struct {
		events    []features.Event
		examples  int64
		converted int64
		left      Counts
	}{
		"nothing":                   {[]features.Event{shown}, 1, 0, Counts{}},
		"an order the same day":     {[]features.Event{shown, did(fund.OrderConfirm, 10, 11, "")}, 1, 1, Counts{}},
		"an order on the last day":  {[]features.Event{shown, did(fund.OrderConfirm, 40, 9, "")}, 1, 1, Counts{}},
		"an order a month later":    {[]features.Event{shown, did(fund.OrderConfirm, 40, 10, "")}, 1, 0, Counts{}},
		"an order before":           {[]features.Event{did(fund.OrderConfirm, 10, 9, ""), shown}, 1, 0, Counts{}},
		"an order at once":          {[]features.Event{shown, did(fund.OrderConfirm, 10, 10, "")}, 1, 0, Counts{}},
		"begun and left":            {[]features.Event{shown, did(fund.OrderStart, 10, 11, ""), did(fund.OrderAbandon, 10, 11, "")}, 1, 0, Counts{}},
		"an instalment of a plan":   {[]features.Event{shown, did(fund.OrderConfirm, 12, 11, `{"amount_fen":1000,"plan":true}`)}, 1, 0, Counts{}},
		"an order by hand":          {[]features.Event{shown, did(fund.OrderConfirm, 12, 11, `{"plan":false}`)}, 1, 1, Counts{}},
		"of another class":          {[]features.Event{shown, with(did(fund.OrderConfirm, 12, 11, ""), func(e *features.Event) { e.ProductCode = "900004" })}, 1, 1, Counts{}},
		"of another fund":           {[]features.Event{shown, with(did(fund.OrderConfirm, 12, 11, ""), func(e *features.Event) { e.ProductCode = synthetic.AnchorMoney })}, 1, 0, Counts{}},
		"twice in a day":            {[]features.Event{shown, did(fund.Exposure, 10, 20, ""), did(fund.OrderConfirm, 12, 11, "")}, 1, 1, Counts{Repeated: 1}},
		"on two days":               {[]features.Event{shown, did(fund.Exposure, 11, 10, ""), did(fund.OrderConfirm, 12, 11, "")}, 2, 2, Counts{}},
		"the other class that day":  {[]features.Event{shown, with(did(fund.Exposure, 10, 12, ""), func(e *features.Event) { e.ProductCode = "900004" })}, 1, 0, Counts{Repeated: 1}},
		"by his manager":            {[]features.Event{with(did(fund.Contact, 10, 10, ""), func(e *features.Event) { e.Channel = "" }), did(fund.OrderConfirm, 10, 11, "")}, 1, 1, Counts{}},
		"its days are not over":     {[]features.Event{shown, did(fund.Exposure, 90, 10, ""), did(fund.OrderConfirm, 91, 11, "")}, 1, 0, Counts{OpenWindow: 1}},
		"not in the pool":           {[]features.Event{shown, with(did(fund.Exposure, 20, 10, ""), func(e *features.Event) { e.ProductCode = "777777" })}, 1, 0, Counts{NotInPool: 1}},
		"above his level":           {[]features.Event{shown, with(did(fund.Exposure, 20, 10, ""), func(e *features.Event) { e.ProductCode = synthetic.AnchorOverseas })}, 1, 0, Counts{NotOffered: 1}},
		"known after the last day":  {[]features.Event{shown, with(did(fund.Exposure, 20, 10, ""), func(e *features.Event) { e.KnownAt = day(200) })}, 1, 0, Counts{}},
		"an order known after that": {[]features.Event{shown, with(did(fund.OrderConfirm, 12, 11, ""), func(e *features.Event) { e.KnownAt = day(200) })}, 1, 0, Counts{}},
	} {
		t.Run(name, func(t *testing.T) {
			h := customer(1, append(slices.Clone(c.events), did(fund.DetailView, 100, 10, ""))...)
			got := all.examplesOf(t, h)
			want := c.left
			want.Examples, want.Converted = c.examples, c.converted
			want.Exposures = c.examples + c.left.Repeated + c.left.OpenWindow + c.left.NotInPool + c.left.NotOffered
			if diff := cmp.Diff(want, got.counts); diff != "" {
				t.Errorf("- wanted, + counted:\n%s", diff)
			}
		})
	}
}

// Nothing at the exposure or after it, and of the day itself no purchase and no lot, changes
// what an example is read from: the outcome cannot foretell itself.
func TestNoExampleLooksAhead(t *testing.T) {
	bank := aBank(t, 60, 40)
	events := []features.Event{
		did(fund.Exposure, 5, 10, ""), did(fund.DetailView, 5, 11, `{"dwell_seconds":20}`), did(fund.ObjectionRaised, 8, 10, `{"objection":"FEE"}`),
		did(fund.Exposure, 30, 10, ""), did(fund.DetailView, 100, 10, ""),
	}
	at := did(fund.Exposure, 30, 10, "").EventAt
	before := customer(1, events...)
	r := begun(t, &told{Store: bank, histories: []*features.History{before}}, Options{})
	want := r.examplesOf(t, before).examples
	if len(want) != 2 {
		t.Fatalf("%d examples, expected 2", len(want))
	}
	rapid.Check(t, func(rt *rapid.T) {
		after := customer(1, events...)
		for range rapid.IntRange(1, 5).Draw(rt, "facts") {
			plantLater(rt, after, at)
		}
		history.Settle(after)
		got := r.examplesOf(t, after).examples
		if len(got) < 2 {
			rt.Fatalf("%d examples, expected the 2 before", len(got))
		}
		for i := range want {
			if diff := cmp.Diff(want[i].inputs, got[i].inputs); diff != "" {
				rt.Fatalf("example %d (- before, + after):\n%s", i, diff)
			}
		}
	})
	earlier := customer(1, append(slices.Clone(events), did(fund.DetailView, 29, 10, ""))...)
	if got := r.examplesOf(t, earlier).examples; cmp.Equal(want[1].inputs, got[1].inputs) {
		t.Error("a visit the day before changes nothing: the test would see nothing")
	}
}

// plantLater adds something that nobody could know just before an instant.
func plantLater(rt *rapid.T, h *features.History, at fund.Instant) {
	later := at.Add(time.Duration(rapid.Int64Range(0, 20*24*3600).Draw(rt, "seconds later")) * time.Second)
	code := rapid.SampledFrom([]string{synthetic.AnchorShortBond, "900004", synthetic.AnchorMoney}).Draw(rt, "product")
	switch rapid.IntRange(0, 4).Draw(rt, "what") {
	case 0:
		kind := rapid.SampledFrom([]fund.EventKind{
			fund.Click, fund.DetailView, fund.ObjectionRaised, fund.OrderStart, fund.OrderConfirm, fund.OrderAbandon, fund.Refusal, fund.Redeem, fund.Complaint,
		}).Draw(rt, "kind")
		h.Events = append(h.Events, features.Event{ID: "L" + later.String(), CustomerID: h.CustomerID, Kind: kind.String(), EventAt: later, ProductCode: code})
		h.EventSeqs = append(h.EventSeqs, 2)
	case 1: // it happened before and came in later
		h.Events = append(h.Events, features.Event{ID: "K" + later.String(), CustomerID: h.CustomerID, Kind: fund.DetailView.String(), EventAt: at - 1_000_000, KnownAt: later, ProductCode: code})
		h.EventSeqs = append(h.EventSeqs, 2)
	case 2: // of this very day, and so perhaps of this very exposure
		h.Purchases = append(h.Purchases, fund.Purchase{ProductCode: code, KnownOn: later.Date(), Kind: "BUY", Amount: 100})
		h.PurchaseSeqs = append(h.PurchaseSeqs, 2)
	case 3:
		h.Cells = append(h.Cells, features.Cell{
			CustomerID: h.CustomerID, View: features.AssessmentView, Name: "assessed", Value: `{"level":"C5","on":"` + later.Date().String() + `"}`, EventAt: later, SourceSeq: uint64(len(h.Cells)),
		})
		h.CellSeqs = append(h.CellSeqs, 2)
	case 4: // holdings are dated by the day as well
		on := later.Date()
		h.Cells = append(h.Cells, features.Cell{
			CustomerID: h.CustomerID, View: features.LotView, Name: features.LotName(code, on, "MAIN"), EventAt: on.Start(), SourceSeq: uint64(len(h.Cells)),
			Value: `{"product_code":"` + code + `","shares":1000000,"acquired_on":"` + on.String() + `","account":"MAIN"}`,
		})
		h.CellSeqs = append(h.CellSeqs, 2)
	}
}

// Exposures of one answer are seen as of its first: what stands beside a product in a list is
// not what he was shown before it.
func TestExposuresOfOneAnswerDoNotSeeEachOther(t *testing.T) {
	bank := aBank(t, 40, 40)
	beside := did(fund.Exposure, 10, 10, "")
	beside.ProductCode, beside.EventAt = synthetic.AnchorMoney, beside.EventAt-5_000_000
	apart := beside
	apart.EventAt = beside.EventAt.Add(-2 * burst)
	last := did(fund.DetailView, 100, 10, "")
	read := func(events ...features.Event) example {
		h := customer(1, events...)
		r := begun(t, &told{Store: bank, histories: []*features.History{h}}, Options{})
		examples := r.examplesOf(t, h).examples
		return examples[len(examples)-1]
	}
	alone := read(did(fund.Exposure, 10, 10, ""), last)
	if diff := cmp.Diff(alone.inputs, read(beside, did(fund.Exposure, 10, 10, ""), last).inputs); diff != "" {
		t.Errorf("beside another (- alone, + beside):\n%s", diff)
	}
	if cmp.Equal(alone.inputs, read(apart, did(fund.Exposure, 10, 10, ""), last).inputs) {
		t.Error("what he was shown minutes before is not seen either")
	}
}
