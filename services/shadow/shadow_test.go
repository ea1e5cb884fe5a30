package shadow_test

import (
	"bytes"
	"context"
	"math"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/dataset/synthetic"
	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/services/engine"
	"github.com/fundmatch/fundmatch/services/shadow"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bank has a core in force, and customers to ask about.
type bank struct {
	store  *memory.Store
	engine *engine.Engine
	at     fund.Instant
	core   *matcher.Core
	people []*fund.Profile
}

func openBank(t *testing.T) *bank {
	t.Helper()
	opts := synthetic.Options{Customers: 60, Products: 40, AsOf: fund.Date(20260310)}
	generated, err := synthetic.Generate(opts)
	if err != nil {
		t.Fatal(err)
	}
	b := &bank{store: memory.New(), at: opts.AsOf.Start() + 3_600_000_000}
	if _, err := b.store.Import(t.Context(), b.at, generated.Load); err != nil {
		t.Fatal(err)
	}
	if err := engine.InstallDefaults(t.Context(), b.store, b.at); err != nil {
		t.Fatal(err)
	}
	loader, err := engine.NewLoader(b.store, b.store, "test")
	if err != nil {
		t.Fatal(err)
	}
	b.engine = engine.New(loader, func() time.Time { return b.at.Time() }, engine.Config{})
	if err := b.engine.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b.core, _, err = b.engine.Core(); err != nil {
		t.Fatal(err)
	}
	ids, err := b.store.CustomerIDs(t.Context(), "", 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		p, err := b.store.Profile(t.Context(), id, b.at)
		if err != nil {
			t.Fatal(err)
		}
		b.people = append(b.people, p)
	}
	return b
}

// shadowOf puts the built-in model with an edit in the shadow.
func (b *bank) shadowOf(t *testing.T, old, replaced string) *matcher.Core {
	t.Helper()
	data := bytes.Replace(score.DefaultModel(), []byte(old), []byte(replaced), 1)
	id, err := b.store.Put(t.Context(), features.ShadowArtifact, data)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.store.Activate(t.Context(), features.Activation{Kind: features.ShadowArtifact, ArtifactID: id, At: b.at, By: "tester"}); err != nil {
		t.Fatal(err)
	}
	if err := b.engine.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	lineup, _, err := b.engine.Lineup()
	if err != nil || lineup.Shadow() == nil || bytes.Equal(data, score.DefaultModel()) {
		t.Fatalf("no shadow: %v %v", err, b.engine.Refusals())
	}
	return lineup.Shadow()
}

// offer answers everybody and offers the answers; the slate is worked in again and again.
func (b *bank) offer(t *testing.T, c *shadow.Comparer, dark *matcher.Core) {
	t.Helper()
	var slate matcher.Slate
	for _, p := range b.people {
		if err := b.core.Match(p, matcher.Request{At: b.at, Channel: fund.App, Limit: 5}, &slate); err != nil {
			t.Fatal(err)
		}
		c.Offer(dark, p, &slate)
	}
	if err := b.core.Match(b.people[0], matcher.Request{At: b.at, Channel: fund.App, Limit: 1}, &slate); err != nil {
		t.Fatal(err)
	}
}

// running runs a comparer; the returned function ends it and waits.
func running(c *shadow.Comparer) (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() { c.Run(ctx) })
	return func() { cancel(); group.Wait() }
}

// A model like the one in force differs in nothing, one with other weights in something, and
// neither offers what the rules do not permit. What is queued at the end is compared.
func TestAShadowIsCompared(t *testing.T) {
	b := openBank(t)
	n := int64(len(b.people))
	for name, c := range map[string]struct {
		old, replaced string
		differs       bool
	}{
		"the same under another name": {"name: spine", "name: twin", false},
		"other weights":               {"  - feature: QUALITY\n    weight: ", "  - feature: QUALITY\n    weight: 9", true},
	} {
		dark := b.shadowOf(t, c.old, c.replaced)
		var seen []shadow.Comparison
		var told []shadow.Summary
		comparer := shadow.New(shadow.Config{
			Observe: func(x shadow.Comparison) { seen = append(seen, x) }, Report: func(s shadow.Summary) { told = append(told, s) },
		})
		end := running(comparer)
		b.offer(t, comparer, dark)
		end()
		got := comparer.Summary()
		if len(seen) != int(n) || got.Compared != n || got.Failed+got.Dropped+got.Violations != 0 {
			t.Fatalf("%s: %d of %d observed, %+v", name, len(seen), n, got)
		}
		if got.Model != b.core.Identity().ModelID || got.Shadow != dark.Identity().ModelID || got.Since != b.at {
			t.Errorf("%s: of %.8s and %.8s since %s", name, got.Model, got.Shadow, got.Since)
		}
		if len(told) == 0 || told[len(told)-1] != got {
			t.Errorf("%s: told %+v at the end, found %+v", name, told, got)
		}
		overlap, rank, gap := 0., 0., 0.
		for _, x := range seen {
			overlap, rank, gap = overlap+x.Overlap, rank+x.RankBiased, gap+x.ScoreGap
		}
		if f := float64(n); !near(got.Overlap, overlap/f) || !near(got.RankBiased, rank/f) || !near(got.ScoreGap, gap/f) {
			t.Errorf("%s: %+v, the means are %v %v %v", name, got, overlap/f, rank/f, gap/f)
		}
		if same := got.Same == n && near(got.Overlap, 1) && near(got.RankBiased, 1) && got.ScoreGap == 0; same == c.differs {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

// Who offers never waits: beyond the queue answers are dropped and counted.
func TestAnOfferNeverWaits(t *testing.T) {
	b := openBank(t)
	dark := b.shadowOf(t, "name: spine", "name: twin")
	dropped, n := 0, len(b.people)
	c := shadow.New(shadow.Config{Queue: 7, Dropped: func() { dropped++ }})
	b.offer(t, c, dark) // nobody compares yet
	if dropped != n-7 || c.Summary().Dropped != int64(dropped) {
		t.Errorf("%d dropped, %+v, want %d", dropped, c.Summary(), n-7)
	}
	running(c)()
	if got := c.Summary(); got.Compared != 7 || got.Same != 7 {
		t.Errorf("%+v, want the 7 that were queued", got)
	}
	b.offer(t, c, dark) // the room is there again
	running(c)()
	if got := c.Summary(); got.Compared != 14 {
		t.Errorf("%+v, want 14 compared", got)
	}
}

// A pair of models is counted by itself, and a shadow that gives no answer is told of.
func TestASummaryIsOfOnePair(t *testing.T) {
	b := openBank(t)
	first := b.shadowOf(t, "name: spine", "name: first")
	c := shadow.New(shadow.Config{})
	b.offer(t, c, first)
	running(c)()
	b.at++
	second := b.shadowOf(t, "name: spine", "name: second")
	b.offer(t, c, second)
	b.at--
	b.offer(t, c, first) // late
	running(c)()
	n := int64(len(b.people))
	if got := c.Summary(); got.Shadow != second.Identity().ModelID || got.Compared != n || got.Since != b.at+1 {
		t.Errorf("%+v, want %d of the second alone", got, n)
	}

	var answered matcher.Slate
	if err := b.core.Match(b.people[0], matcher.Request{At: b.at, Channel: fund.App, Limit: 5}, &answered); err != nil {
		t.Fatal(err)
	}
	_, until := second.Validity()
	answered.Request.At = until
	c.Offer(second, b.people[0], &answered)
	running(c)()
	if got := c.Summary(); got.Failed != 1 || got.Compared != n {
		t.Errorf("%+v, want one without an answer", got)
	}
}

// An offer costs the path of the answer no allocation.
func TestAnOfferAllocatesNothing(t *testing.T) {
	b := openBank(t)
	dark := b.shadowOf(t, "name: spine", "name: twin")
	c := shadow.New(shadow.Config{Queue: 4})
	var slate matcher.Slate
	if err := b.core.Match(b.people[0], matcher.Request{At: b.at, Channel: fund.App, Limit: 5}, &slate); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		c.Offer(dark, b.people[0], &slate)
	}
	running(c)()
	if n := testing.AllocsPerRun(3, func() { c.Offer(dark, b.people[0], &slate) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
