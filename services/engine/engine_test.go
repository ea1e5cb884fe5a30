package engine_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/services/engine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errDown = errors.New("store down")

// stores is a memory store whose parts can be made to fail.
type stores struct {
	*memory.Store
	mu       sync.Mutex
	down     bool
	products func() ([]fund.Product, error) // nil: the store's
	artifact func(data []byte) []byte       // nil: as stored
	missing  string                         // an artifact that is not given
	reads    int                            // of NAVs
}

func newStore() *memory.Store { return memory.New() }

func (s *stores) set(change func(*stores)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

func (s *stores) Published(ctx context.Context) (features.Revision, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return features.Revision{}, errDown
	}
	return s.Store.Published(ctx)
}

func (s *stores) Pool(ctx context.Context, revision uint64) ([]fund.Product, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.products != nil && revision > 1 {
		return s.products()
	}
	return s.Store.Pool(ctx, revision)
}

func (s *stores) NAVs(ctx context.Context, cut features.Cut, yield func(string, []fund.NAV) error) error {
	s.set(func(s *stores) { s.reads++ })
	return s.Store.NAVs(ctx, cut, yield)
}

func (s *stores) Artifact(ctx context.Context, kind features.ArtifactKind, id string) ([]byte, error) {
	data, err := s.Store.Artifact(ctx, kind, id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if id == s.missing {
		return nil, errDown
	}
	if s.artifact != nil && err == nil {
		data = s.artifact(data)
	}
	return data, err
}

// rig is an engine on a clock of its own.
type rig struct {
	*stores
	loader *engine.Loader
	engine *engine.Engine
	mu     sync.Mutex
	now    time.Time
	seen   []engine.Compiled
}

// noon of a Wednesday in Shanghai.
var noon = time.Date(2024, 2, 28, 12, 0, 0, 0, time.FixedZone("CST", 8*60*60))

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{stores: &stores{Store: memory.New()}, now: noon}
	if err := engine.InstallDefaults(t.Context(), r.Store, fund.InstantOf(noon)); err != nil {
		t.Fatal(err)
	}
	r.publish(t, "000001")
	loader, err := engine.NewLoader(r.stores, r.stores, "test")
	if err != nil {
		t.Fatal(err)
	}
	r.loader = loader
	r.engine = engine.New(loader, r.clock, engine.Config{Poll: time.Millisecond, Observe: func(c engine.Compiled) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.seen = append(r.seen, c)
	}})
	return r
}

func (r *rig) clock() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

func (r *rig) at(t time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = t
}

func (r *rig) compiles() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.seen)
}

func (r *rig) publish(t *testing.T, codes ...string) {
	t.Helper()
	_, err := r.Import(t.Context(), fund.InstantOf(r.clock()), func(b features.Batch) error {
		var products []fund.Product
		for _, code := range codes {
			products = append(products, fund.Product{Code: code, Name: code, Type: "债券型-长债", Grades: fund.Grades{Bank: fund.R2}})
		}
		return b.Products(products)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// reload asks the store and expects the core of a pool revision, good or degraded.
func (r *rig) reload(t *testing.T, wantPool uint64, wantDegraded bool) error {
	t.Helper()
	err := r.engine.Reload(t.Context())
	core, at, coreErr := r.engine.Core()
	if coreErr != nil {
		t.Fatalf("no core: %v (reload: %v)", coreErr, err)
	}
	if at != fund.InstantOf(r.clock()) {
		t.Errorf("the core is for %s, now is %s", at, r.clock())
	}
	if got := core.Identity().PoolRevision; got != wantPool || r.engine.Degraded() != wantDegraded {
		t.Errorf("pool %d, degraded %v, want pool %d, degraded %v (reload: %v)", got, r.engine.Degraded(), wantPool, wantDegraded, err)
	}
	return err
}

func TestThereIsNoCoreBeforeTheFirstLoad(t *testing.T) {
	r := newRig(t)
	if _, _, err := r.engine.Core(); !errors.Is(err, engine.ErrNoCore) {
		t.Errorf("error %v, want ErrNoCore", err)
	}
	if err := r.reload(t, 1, false); err != nil {
		t.Error(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.seen) != 1 || r.seen[0].Products != 1 || r.seen[0].Err != nil || r.seen[0].Identity.Engine != "test" {
		t.Errorf("observed %+v", r.seen)
	}
}

func TestAStoreWithoutAPoolGivesNoCore(t *testing.T) {
	s := memory.New()
	if err := engine.InstallDefaults(t.Context(), s, 1); err != nil {
		t.Fatal(err)
	}
	loader, err := engine.NewLoader(s, s, "test")
	if err != nil {
		t.Fatal(err)
	}
	e := engine.New(loader, func() time.Time { return noon }, engine.Config{})
	if err := e.Reload(t.Context()); !errors.Is(err, features.ErrNoPool) {
		t.Errorf("error %v, want ErrNoPool", err)
	}
}

// A revision that does not compile is refused once, whatever is wrong with it; the last
// good one goes on, also into the next day.
func TestABadRevisionKeepsTheLastGoodOne(t *testing.T) {
	twice := func() ([]fund.Product, error) { return []fund.Product{{Code: "1"}, {Code: "1"}}, nil }
	unreadable := func() ([]fund.Product, error) { return nil, errors.New("damaged row") }
	for name, bad := range map[string]struct {
		products func() ([]fund.Product, error)
		triedBy  int // compiles after three reloads
	}{
		"a product twice":           {twice, 2},
		"rows that no one can read": {unreadable, 4},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			if err := r.reload(t, 1, false); err != nil {
				t.Fatal(err)
			}
			r.publish(t, "000002")
			r.set(func(s *stores) { s.products = bad.products })
			if err := r.reload(t, 1, true); err == nil {
				t.Error("the error is swallowed")
			}
			_, _ = r.reload(t, 1, true), r.reload(t, 1, true)
			if n := r.compiles(); n != bad.triedBy {
				t.Errorf("%d compiles, want %d", n, bad.triedBy)
			}
			r.at(noon.Add(24 * time.Hour))
			_ = r.reload(t, 1, true) // no core would be fatal

			r.set(func(s *stores) { s.products = nil })
			r.publish(t, "000003")
			if err := r.reload(t, 3, false); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAnUnknownModelOrRulePackKeepsTheLastGoodOne(t *testing.T) {
	for kind, data := range map[features.ArtifactKind]string{features.ModelArtifact: "schema: none", features.RulesArtifact: "rules: []"} {
		r := newRig(t)
		if err := r.reload(t, 1, false); err != nil {
			t.Fatal(err)
		}
		id, err := r.Put(t.Context(), kind, []byte(data))
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Activate(t.Context(), features.Activation{Kind: kind, ArtifactID: id, At: 1, By: "tester"}); err != nil {
			t.Fatal(err)
		}
		if err := r.reload(t, 1, true); !errors.Is(err, matcher.ErrCompile) {
			t.Errorf("%s: error %v, want ErrCompile", kind, err)
		}
		good := map[features.ArtifactKind][]byte{features.ModelArtifact: score.DefaultModel(), features.RulesArtifact: eligibility.Default()}[kind]
		if id, err = r.Put(t.Context(), kind, good); err != nil {
			t.Fatal(err)
		}
		if err := r.Activate(t.Context(), features.Activation{Kind: kind, ArtifactID: id, At: 1, By: "tester"}); err != nil {
			t.Fatal(err)
		}
		// The very versions in force are back: nothing is compiled, nothing is degraded.
		before := r.compiles()
		if err := r.reload(t, 1, false); err != nil || r.compiles() != before {
			t.Errorf("%s: %v after %d more compiles", kind, err, r.compiles()-before)
		}
	}
}

// Stored bytes that are not those that were named are never compiled.
func TestAnArtifactWithAnotherHashIsRefused(t *testing.T) {
	r := newRig(t)
	r.set(func(s *stores) { s.artifact = func(data []byte) []byte { return append([]byte("# \n"), data...) } })
	if err := r.engine.Reload(t.Context()); !errors.Is(err, matcher.ErrCompile) || !strings.Contains(err.Error(), "another hash") {
		t.Errorf("error %v", err)
	}
	if _, _, err := r.engine.Core(); !errors.Is(err, engine.ErrNoCore) {
		t.Errorf("error %v, want ErrNoCore", err)
	}
}

// The core of the next day is there before the day begins, and no instant is without one.
func TestThereIsNoGapAtMidnight(t *testing.T) {
	r := newRig(t)
	midnight := noon.Add(12 * time.Hour)
	for _, step := range []struct {
		at       time.Time
		compiles int
		day      fund.Date
	}{
		{noon, 1, 20240228},
		{midnight.Add(-time.Minute - time.Microsecond), 1, 20240228},
		{midnight.Add(-time.Minute), 2, 20240228}, // compiled ahead, not yet in force
		{midnight.Add(-time.Second), 2, 20240228},
		{midnight.Add(-time.Microsecond), 2, 20240228},
		{midnight, 2, 20240229},
		{midnight.Add(24 * time.Hour), 3, 20240301}, // late: no poll came in between
	} {
		r.at(step.at)
		if step.at.Equal(midnight) {
			// Nobody has polled yet: the next core answers at the very instant.
			if core, _, err := r.engine.Core(); err != nil || core.Identity().AsOf.Date() != step.day {
				t.Fatalf("at midnight: %v", err)
			}
		}
		if err := r.reload(t, 1, false); err != nil {
			t.Fatalf("%s: %v", step.at, err)
		}
		core, _, _ := r.engine.Core()
		if day := core.Identity().AsOf.Date(); day != step.day || r.compiles() != step.compiles {
			t.Errorf("%s: a core of %s after %d compiles, want %s after %d", step.at, day, r.compiles(), step.day, step.compiles)
		}
	}
}

// A store that does not answer changes nothing while the core lasts; then answers stop.
func TestAStoreThatIsDown(t *testing.T) {
	r := newRig(t)
	if err := r.reload(t, 1, false); err != nil {
		t.Fatal(err)
	}
	r.set(func(s *stores) { s.down = true })
	if err := r.reload(t, 1, false); !errors.Is(err, errDown) {
		t.Errorf("error %v", err)
	}
	r.at(noon.Add(12 * time.Hour))
	if err := r.engine.Reload(t.Context()); !errors.Is(err, errDown) {
		t.Errorf("error %v", err)
	}
	if _, _, err := r.engine.Core(); !errors.Is(err, engine.ErrNoCore) {
		t.Errorf("an ended core answers: %v", err)
	}
	r.set(func(s *stores) { s.down = false })
	if err := r.reload(t, 1, false); err != nil {
		t.Error(err)
	}
}

// Replay compiles a core of the past again, and keeps the last few.
func TestPastCoresAreCompiledAgain(t *testing.T) {
	r := newRig(t)
	if err := r.reload(t, 1, false); err != nil {
		t.Fatal(err)
	}
	core, _, _ := r.engine.Core()
	id := core.Identity()
	id.Engine, id.WordingID = "an older one", "other sentences"
	past, err := r.loader.Past(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if past.Identity() != core.Identity() {
		t.Errorf("the core of the past calls itself %+v, want this program's %+v", past.Identity(), core.Identity())
	}
	if again, _ := r.loader.Past(t.Context(), id); again != past {
		t.Error("the same core is compiled twice")
	}
	for day := range 5 {
		id.AsOf = fund.InstantOf(noon.Add(time.Duration(day+1) * 24 * time.Hour))
		if _, err := r.loader.Past(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	id.AsOf = core.Identity().AsOf
	if again, _ := r.loader.Past(t.Context(), id); again == past {
		t.Error("cores of the past are kept without end")
	}
	id.PoolRevision = 99
	if _, err := r.loader.Past(t.Context(), id); !errors.Is(err, features.ErrNotFound) {
		t.Errorf("a revision that never was: %v", err)
	}
}

func TestNewestIsOfAnyInstant(t *testing.T) {
	r := newRig(t)
	at := fund.InstantOf(noon.AddDate(-4, 0, 0))
	core, err := r.loader.Newest(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	if from, until := core.Validity(); at < from || at >= until {
		t.Errorf("asked at %s, speaks from %s to %s", at, from, until)
	}
}

func TestDefaultsDoNotReplaceWhatIsInForce(t *testing.T) {
	r := newRig(t)
	own := bytes.Replace(score.DefaultModel(), []byte("name: spine"), []byte("name: the bank's own"), 1)
	id, err := r.Put(t.Context(), features.ModelArtifact, own)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Activate(t.Context(), features.Activation{Kind: features.ModelArtifact, ArtifactID: id, At: 1, By: "tester"}); err != nil {
		t.Fatal(err)
	}
	if err := engine.InstallDefaults(t.Context(), r.Store, 2); err != nil {
		t.Fatal(err)
	}
	if active, _, err := r.Active(t.Context(), features.ModelArtifact); err != nil || active != id {
		t.Errorf("in force is %s (%v), want %s", active, err, id)
	}
}

// Run follows what is published, ends with its context and leaves nothing running; many
// readers never see a gap while cores are swapped across midnight.
func TestRunSwapsUnderReaders(t *testing.T) {
	r := newRig(t)
	if err := r.reload(t, 1, false); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { r.engine.Run(ctx) })
	for range 2 {
		running.Go(func() {
			for ctx.Err() == nil {
				if _, _, err := r.engine.Core(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	r.publish(t, "000002")
	wait(t, "the new revision", func() bool {
		core, _, err := r.engine.Core()
		return err == nil && core.Identity().PoolRevision == 2
	})
	for day := range 3 {
		midnight := noon.Add(12*time.Hour + time.Duration(day)*24*time.Hour)
		r.at(midnight.Add(-30 * time.Second))
		ahead := 3 + day
		wait(t, "the core of the next day", func() bool { return r.compiles() >= ahead })
		_ = r.engine.Reload(ctx) // a compile is told of before it is in force: the poll that made it is over
		r.at(midnight)
		wait(t, "the day", func() bool {
			core, _, err := r.engine.Core()
			return err == nil && core.Identity().AsOf.Date() == fund.InstantOf(midnight).Date()
		})
	}
	cancel()
	running.Wait()
}

func wait(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(8 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited too long for %s", what)
		}
	}
}

// A newer program puts its own built-in rules in force of those of an older one: a store
// made before a rule was known must not be answered from without it.
func TestDefaultsRenewAnOlderBuiltIn(t *testing.T) {
	r := newRig(t)
	text := eligibility.Default()
	start, end := bytes.Index(text, []byte("  - id: P03")), bytes.Index(text, []byte("  - id: A02"))
	older := bytes.Replace(slices.Concat(text[:start], text[end:]), []byte("2026-11-22"), []byte("2026-10-01"), 1)
	id, err := r.Put(t.Context(), features.RulesArtifact, older)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Activate(t.Context(), features.Activation{Kind: features.RulesArtifact, ArtifactID: id, At: 1, By: "tester"}); err != nil {
		t.Fatal(err)
	}
	if err := engine.InstallDefaults(t.Context(), r.Store, 2); err != nil {
		t.Fatal(err)
	}
	if active, _, err := r.Active(t.Context(), features.RulesArtifact); err != nil || active != id {
		t.Errorf("a question replaced the rules in force (%v)", err)
	}
	if err := engine.RenewDefaults(t.Context(), r.Store, 2); err != nil {
		t.Fatal(err)
	}
	if _, data, err := r.Active(t.Context(), features.RulesArtifact); err != nil || !bytes.Equal(data, text) {
		t.Errorf("the older built-in pack is still in force (%v)", err)
	}
	past, err := r.loader.Past(t.Context(), matcher.Identity{
		PoolRevision: 1, DataSeq: 1, AsOf: fund.InstantOf(noon), RulesID: id, ModelID: modelID(t, r),
	})
	if err != nil || past == nil {
		t.Errorf("the core of before cannot be compiled again: %v", err)
	}
}

// The same for the model: a store made before OBJECTED was known gets the newer built-in,
// and what was decided by the old one can still be recomputed.
func TestDefaultsRenewAnOlderModel(t *testing.T) {
	r := newRig(t)
	older, err := os.ReadFile("../../matcher/score/testdata/spine-1.yaml")
	if err != nil {
		t.Fatal(err)
	}
	id, err := r.Put(t.Context(), features.ModelArtifact, older)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Activate(t.Context(), features.Activation{Kind: features.ModelArtifact, ArtifactID: id, At: 1, By: "tester"}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.loader.Newest(t.Context(), fund.InstantOf(noon)); !errors.Is(err, matcher.ErrCompile) || !strings.Contains(err.Error(), "fundmatch migrate") {
		t.Errorf("a new answer by the old model: %v, expected an error that says what replaces it", err)
	}
	if err := engine.RenewDefaults(t.Context(), r.Store, 2); err != nil {
		t.Fatal(err)
	}
	if _, data, err := r.Active(t.Context(), features.ModelArtifact); err != nil || !bytes.Equal(data, score.DefaultModel()) {
		t.Errorf("the older built-in model is still in force (%v)", err)
	}
	rules, _, err := r.Active(t.Context(), features.RulesArtifact)
	if err != nil {
		t.Fatal(err)
	}
	past, err := r.loader.Past(t.Context(), matcher.Identity{PoolRevision: 1, DataSeq: 1, AsOf: fund.InstantOf(noon), RulesID: rules, ModelID: id})
	if err != nil || past == nil {
		t.Errorf("the core of before cannot be compiled again: %v", err)
	}
}

func modelID(t *testing.T, r *rig) string {
	t.Helper()
	id, _, err := r.Active(t.Context(), features.ModelArtifact)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// A question about the past is answered by the rules and the model of then.
func TestNewestTakesWhatWasInForceThen(t *testing.T) {
	r := newRig(t) // built-ins in force from noon on
	installed, _, err := r.Active(t.Context(), features.RulesArtifact)
	if err != nil {
		t.Fatal(err)
	}
	own, err := r.Put(t.Context(), features.RulesArtifact, bytes.Replace(eligibility.Default(), []byte("name: fundmatch default"), []byte("name: the bank's own"), 1))
	if err != nil {
		t.Fatal(err)
	}
	dayOn := fund.InstantOf(noon.Add(24 * time.Hour))
	if err := r.Activate(t.Context(), features.Activation{Kind: features.RulesArtifact, ArtifactID: own, At: dayOn, By: "compliance.li"}); err != nil {
		t.Fatal(err)
	}
	history, err := r.Activations(t.Context(), features.RulesArtifact)
	if err != nil || len(history) != 2 || history[0].By != "fundmatch" || history[0].Note != "built-in" || history[0].At != fund.InstantOf(noon) {
		t.Errorf("history %+v, %v", history, err)
	}
	for _, c := range []struct {
		at   fund.Instant
		want string
	}{
		{fund.InstantOf(noon.AddDate(-1, 0, 0)), installed}, // before any: the oldest known
		{fund.InstantOf(noon), installed},
		{dayOn - 1, installed},
		{dayOn, own},
		{dayOn + 1, own},
	} {
		core, err := r.loader.Newest(t.Context(), c.at)
		if err != nil {
			t.Fatalf("%s: %v", c.at, err)
		}
		if got := core.Identity(); got.RulesID != c.want || got.ModelID != modelID(t, r) || got.AsOf != c.at {
			t.Errorf("%s: %+v, want rules %s", c.at, got, c.want)
		}
	}
}

// What an older program had put in force still answers for its time, though it lacks what
// this program knows.
func TestNewestReadsAnOlderModelOfItsTime(t *testing.T) {
	r := newRig(t)
	older, err := os.ReadFile("../../matcher/score/testdata/spine-1.yaml")
	if err != nil {
		t.Fatal(err)
	}
	id, err := r.Put(t.Context(), features.ModelArtifact, older)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Activate(t.Context(), features.Activation{Kind: features.ModelArtifact, ArtifactID: id, At: 1, By: "tester"}); err != nil {
		t.Fatal(err)
	}
	if err := engine.RenewDefaults(t.Context(), r.Store, fund.InstantOf(noon)); err != nil {
		t.Fatal(err)
	}
	core, err := r.loader.Newest(t.Context(), fund.InstantOf(noon)-1)
	if err != nil || core.Identity().ModelID != id {
		t.Errorf("just before the renewal: %v", err)
	}
	core, err = r.loader.Newest(t.Context(), fund.InstantOf(noon))
	if err != nil || core.Identity().ModelID != modelID(t, r) {
		t.Errorf("from the renewal on: %v", err)
	}
}
