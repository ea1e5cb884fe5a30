package recommendation

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/fundmatch/fundmatch/features/dataset/synthetic"
	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/wording"
	"github.com/fundmatch/fundmatch/services/engine"
)

// TestPageMakesWhatThePlainPresenterMakes, for random customers, channels, lengths and
// audiences, on buffers that are used again.
func TestPageMakesWhatThePlainPresenterMakes(t *testing.T) {
	t.Parallel()
	store, core, at := openCore(t)
	ids, err := store.CustomerIDs(t.Context(), "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var slate matcher.Slate
	var b buffers
	var service Service
	items := 0
	for range 500 {
		p, err := store.Profile(t.Context(), ids[rng.IntN(len(ids))], at)
		if err != nil {
			t.Fatal(err)
		}
		r := matcher.Request{At: at, Channel: fund.App, Audience: wording.Customer, Limit: 1 + rng.IntN(matcher.MaxLimit)}
		if rng.IntN(2) == 0 {
			r.Channel, r.Audience = fund.Branch, wording.Manager
		}
		if err := core.Match(p, r, &slate); err != nil {
			t.Fatal(err)
		}
		explain := rng.IntN(2) == 0
		onPage := service.presenter(core, r.Audience)
		onPage.page.text, onPage.page.marks, onPage.facts = b.text, b.marks, b.facts
		got := onPage.answer(&slate, explain)
		b.text, b.marks, b.facts = onPage.page.text, onPage.page.marks, onPage.facts
		simple := plain{core: core, audience: r.Audience}
		want := simple.answer(&slate, explain)
		if onPage.err != nil || simple.err != nil || !proto.Equal(want, got) {
			t.Fatalf("%v, %v (-plain +page):\n%s", simple.err, onPage.err, cmp.Diff(want, got, protocmp.Transform()))
		}
		items += len(got.GetItems())
	}
	if items < 1000 {
		t.Errorf("only %d items were compared", items)
	}
}

// openCore compiles the core of a synthetic bank.
func openCore(tb testing.TB) (*memory.Store, *matcher.Core, fund.Instant) {
	tb.Helper()
	opts := synthetic.Options{Customers: 200, Products: 80, Seed: 21, AsOf: fund.Date(20260310)}
	at := opts.AsOf.Start().Add(10 * time.Hour)
	generated, err := synthetic.Generate(opts)
	if err != nil {
		tb.Fatal(err)
	}
	store := memory.New()
	if _, err := store.Import(tb.Context(), at, generated.Load); err != nil {
		tb.Fatal(err)
	}
	if err := engine.InstallDefaults(tb.Context(), store, at); err != nil {
		tb.Fatal(err)
	}
	loader, err := engine.NewLoader(store, store, "test")
	if err != nil {
		tb.Fatal(err)
	}
	core, err := loader.Newest(tb.Context(), at)
	if err != nil {
		tb.Fatal(err)
	}
	return store, core, at
}

// TestStaticTextsAreShared: messages that many answers share are made once for an
// audience, for that audience alone, and again for another wording.
func TestStaticTextsAreShared(t *testing.T) {
	t.Parallel()
	_, core, _ := openCore(t)
	var s Service
	customer, manager := s.static(core.Wording(), wording.Customer), s.static(core.Wording(), wording.Manager)
	if customer != s.static(core.Wording(), wording.Customer) || customer == manager {
		t.Error("texts are made again, or for the wrong audience")
	}
	if customer.sentences["rule.S01.change"] != "" || manager.sentences["rule.S01.change"] == "" {
		t.Error("a manager's sentence is among the customer's texts, or not among the manager's")
	}
	if len(customer.disclosures) == 0 || len(customer.steps) == 0 {
		t.Errorf("%d disclosures, %d steps", len(customer.disclosures), len(customer.steps))
	}
	other, err := wording.Compile(wording.DefaultTemplates())
	if err != nil {
		t.Fatal(err)
	}
	if s.static(other, wording.Customer) == customer {
		t.Error("another wording has the old texts")
	}
}

// TestAPresenterSendsNoHalfText: a sentence that is for managers, that nobody wrote, or
// whose slot no fact fills, is an error and leaves no text.
func TestAPresenterSendsNoHalfText(t *testing.T) {
	t.Parallel()
	_, core, _ := openCore(t)
	for _, name := range []string{"rule.S01.change", "rule.XXX.change", "objection.DRAWDOWN.recovered"} {
		v := new(Service).presenter(core, wording.Customer)
		text := ""
		v.sentence(&text, name, nil)
		v.page.finish()
		if v.err == nil || text != "" {
			t.Errorf("%s: %q, %v", name, text, v.err)
		}
	}
}
