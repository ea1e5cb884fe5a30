package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/services/engine"
)

// modelNamed is the built-in model under another name: another artifact.
func modelNamed(name string) []byte {
	return bytes.Replace(score.DefaultModel(), []byte("name: spine"), []byte("name: "+name), 1)
}

// planOf is a plan in which every customer is in an experiment: half get the model.
func planOf(name, model string) []byte {
	return fmt.Appendf(nil, `schema: fundmatch.experiments/v1
name: %s
version: 1
layers:
  - name: models
    salt: salt-of-models
    experiments:
      - name: first
        salt: salt-of-first
        from: 2024-01-01
        until: 2024-06-01
        first_bucket: 0
        end_bucket: 10000
        arms:
          - {name: control, share_bps: 5000, control: true}
          - {name: canary, share_bps: 5000, model: %q}
`, name, model)
}

// noPlan ends all experiments.
const noPlan = "schema: fundmatch.experiments/v1\nname: none\nversion: 1\nlayers: []\n"

// put puts an artifact in force and returns its id.
func (r *rig) put(t *testing.T, kind features.ArtifactKind, data []byte) string {
	t.Helper()
	id := r.keep(t, kind, data)
	if err := r.Activate(t.Context(), features.Activation{Kind: kind, ArtifactID: id, At: fund.InstantOf(r.clock()), By: "tester"}); err != nil {
		t.Fatal(err)
	}
	return id
}

func (r *rig) keep(t *testing.T, kind features.ArtifactKind, data []byte) string {
	t.Helper()
	id, err := r.Put(t.Context(), kind, data)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// follow reloads and describes what is in force.
func (r *rig) follow(t *testing.T) (*engine.Lineup, error) {
	t.Helper()
	err := r.engine.Reload(t.Context())
	lineup, at, lineupErr := r.engine.Lineup()
	if lineupErr != nil {
		t.Fatalf("nothing is in force: %v (reload: %v)", lineupErr, err)
	}
	if at != fund.InstantOf(r.clock()) {
		t.Errorf("the lineup is for %s, now is %s", at, r.clock())
	}
	return lineup, err
}

// standing is what a lineup is of.
type standing struct {
	model, plan string
	arms        []string
	shadow      string
}

// want compares what is in force; refused are the kinds of the refusals.
func (r *rig) want(t *testing.T, l *engine.Lineup, s standing, refused ...features.ArtifactKind) {
	t.Helper()
	_, gotPlan := l.Plan()
	gotShadow := ""
	if l.Shadow() != nil {
		gotShadow = l.Shadow().Identity().ModelID
	}
	if l.Core().Identity().ModelID != s.model || gotPlan != s.plan || !slices.Equal(l.Arms(), s.arms) || gotShadow != s.shadow {
		t.Errorf("in force: model %.8s, plan %.8s, arms %.8s, shadow %.8s\nwant: model %.8s, plan %.8s, arms %.8s, shadow %.8s",
			l.Core().Identity().ModelID, gotPlan, l.Arms(), gotShadow, s.model, s.plan, s.arms, s.shadow)
	}
	var got []features.ArtifactKind
	degraded := false
	for _, x := range r.engine.Refusals() {
		got = append(got, x.Kind)
		degraded = degraded || x.Kind != features.ShadowArtifact
		if x.Err == nil || x.ID == "" {
			t.Errorf("a refusal without a reason: %+v", x)
		}
	}
	if !slices.Equal(got, refused) || r.engine.Degraded() != degraded {
		t.Errorf("refused %v, degraded %v, want %v, %v", got, r.engine.Degraded(), refused, degraded)
	}
}

// Arms and shadow are put in force with one swap, are of the same pool, data and instant as
// the core, and end with it; everybody is answered by the model of his arm.
func TestALineupIsOfOnePool(t *testing.T) {
	r := newRig(t)
	inForce, canary, dark := modelID(t, r), r.keep(t, features.ModelArtifact, modelNamed("canary")), r.put(t, features.ShadowArtifact, modelNamed("dark"))
	plan := r.put(t, features.ExperimentsArtifact, planOf("a", canary))
	l, err := r.follow(t)
	if err != nil {
		t.Fatal(err)
	}
	r.want(t, l, standing{inForce, plan, []string{canary}, dark})
	from, until := l.Validity()
	by := map[string]int{}
	for i := range 400 {
		e := l.For(fmt.Sprint("C", i), fund.InstantOf(noon))
		id := e.Core.Identity()
		by[id.ModelID]++
		if arm := e.Exposures[0].Arm; len(e.Exposures) != 1 || (arm == "canary") != (id.ModelID == canary) || (arm == "canary") != (e.Shadow == nil) {
			t.Fatalf("customer %d: model %.8s, exposures %v, shadow %v", i, id.ModelID, e.Exposures, e.Shadow != nil)
		}
		if a, b := e.Core.Validity(); a != from || b != until {
			t.Fatalf("an arm speaks from %s to %s, the core from %s to %s", a, b, from, until)
		}
		if id.ModelID = inForce; id != l.Core().Identity() {
			t.Fatalf("an arm is of %+v, the core of %+v", id, l.Core().Identity())
		}
	}
	if by[canary] < 150 || by[inForce] < 150 || len(by) != 2 {
		t.Errorf("customers by model: %v", by)
	}
	if e := engine.Single(l.Core()).For("C1", from); e.Core != l.Core() || e.Exposures != nil || e.Shadow != nil {
		t.Errorf("without experiments: %+v", e)
	}
}

// A swap of the model alone reads no market data, and what is an arm or the shadow already is
// not compiled at all when it is promoted.
func TestASwapOfTheModelReadsNoMarketData(t *testing.T) {
	r := newRig(t)
	canary := r.keep(t, features.ModelArtifact, modelNamed("canary"))
	r.put(t, features.ShadowArtifact, modelNamed("dark"))
	r.put(t, features.ExperimentsArtifact, planOf("a", canary))
	first, err := r.follow(t)
	if err != nil {
		t.Fatal(err)
	}
	whole := func() (n int) {
		r.set(func(s *stores) { n = s.reads })
		return n
	}
	if whole() != 1 || r.compiles() != 3 {
		t.Fatalf("%d compiles, %d of them from the start, want 3, 1", r.compiles(), whole())
	}
	r.at(noon.Add(time.Hour))
	for name, compiles := range map[string]int{"dark": 0, "canary": 0, "another": 1} {
		before, read := r.compiles(), whole()
		id := r.put(t, features.ModelArtifact, modelNamed(name))
		l, err := r.follow(t)
		if err != nil || l.Core().Identity().ModelID != id || r.compiles()-before > compiles+1 || whole() != read {
			t.Errorf("%s: %v; in force %.8s after %d compiles, %d from the start", name, err, l.Core().Identity().ModelID, r.compiles()-before, whole()-read)
		}
		if l.Core().Identity().AsOf != first.Core().Identity().AsOf {
			t.Errorf("%s: other data than those that the core was compiled from", name)
		}
		past, err := r.loader.Past(t.Context(), l.Core().Identity())
		if err != nil || past.Identity() != l.Core().Identity() {
			t.Errorf("%s: cannot be compiled again for replay: %v", name, err)
		}
	}
}

// damages are what a model, or a plan, in the store must not be taken for.
func damages(data []byte) map[string][]byte {
	return map[string][]byte{
		"truncated": data[:len(data)/2],
		"newer":     bytes.Replace(data, []byte("/v1"), []byte("/v9"), 1),
		"noise":     {0, 1, 2, 0xff},
	}
}

// A plan that cannot run is refused as a whole with the reason: the last good one stays, and
// the core is swapped all the same.
func TestABadPlanKeepsTheLastGoodOne(t *testing.T) {
	unknown := strings.Repeat("ab", 32)
	bad := damages(planOf("worse", unknown))
	bad["an unknown model"] = planOf("unknown", unknown)
	for name, data := range bad {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			canary := r.keep(t, features.ModelArtifact, modelNamed("canary"))
			good := planOf("good", canary)
			plan := r.put(t, features.ExperimentsArtifact, good)
			if _, err := r.follow(t); err != nil {
				t.Fatal(err)
			}
			r.put(t, features.ExperimentsArtifact, data)
			l, err := r.follow(t)
			if err != nil {
				t.Errorf("the core is in force, and yet: %v", err)
			}
			r.want(t, l, standing{modelID(t, r), plan, []string{canary}, ""}, features.ExperimentsArtifact)
			next := r.put(t, features.ModelArtifact, modelNamed("next"))
			r.publish(t, "000002")
			if l, err = r.follow(t); err != nil || l.Core().Identity().PoolRevision != 2 {
				t.Errorf("a bad plan holds back model and pool: %v", err)
			}
			r.want(t, l, standing{next, plan, []string{canary}, ""}, features.ExperimentsArtifact)
			r.at(noon.Add(24 * time.Hour))
			l, _ = r.follow(t)
			r.want(t, l, standing{next, plan, []string{canary}, ""}, features.ExperimentsArtifact)

			r.put(t, features.ExperimentsArtifact, good)
			before := r.compiles()
			l, err = r.follow(t)
			r.want(t, l, standing{next, plan, []string{canary}, ""})
			if err != nil || r.compiles() != before {
				t.Errorf("%v after %d more compiles", err, r.compiles()-before)
			}
			none := r.put(t, features.ExperimentsArtifact, []byte(noPlan))
			l, _ = r.follow(t)
			r.want(t, l, standing{next, none, nil, ""})
		})
	}
}

// A model that an arm names does not come by itself: it is tried again when the store has it.
func TestAPlanWaitsForItsModel(t *testing.T) {
	r := newRig(t)
	data := modelNamed("late")
	plan := r.put(t, features.ExperimentsArtifact, planOf("early", idOf(data)))
	l, err := r.follow(t)
	if err != nil {
		t.Fatal(err)
	}
	r.want(t, l, standing{modelID(t, r), "", nil, ""}, features.ExperimentsArtifact)
	late := r.keep(t, features.ModelArtifact, data)
	l, _ = r.follow(t)
	r.want(t, l, standing{modelID(t, r), plan, []string{late}, ""})
}

// An experiment that is over asks for nothing any more.
func TestAnExperimentThatIsOverNeedsNoModel(t *testing.T) {
	r := newRig(t)
	gone := strings.Repeat("cd", 32)
	over := bytes.Replace(planOf("over", gone), []byte("until: 2024-06-01"), []byte("until: 2024-02-28"), 1)
	plan := r.put(t, features.ExperimentsArtifact, over)
	l, err := r.follow(t)
	if err != nil {
		t.Fatal(err)
	}
	r.want(t, l, standing{modelID(t, r), plan, nil, ""})
	if e := l.For("C1", fund.InstantOf(noon)); e.Exposures != nil || e.Core != l.Core() {
		t.Errorf("answered with %v", e.Exposures)
	}
}

func idOf(data []byte) string {
	id, _ := newStore().Put(context.Background(), features.ModelArtifact, data)
	return id
}

// A model in the shadow that does not compile is left out and told of; nothing is degraded.
func TestABadShadowIsLeftOut(t *testing.T) {
	for name, data := range damages(modelNamed("dark")) {
		r := newRig(t)
		r.put(t, features.ShadowArtifact, data)
		l, err := r.follow(t)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		r.want(t, l, standing{modelID(t, r), "", nil, ""}, features.ShadowArtifact)
		dark := r.put(t, features.ShadowArtifact, modelNamed("dark"))
		l, _ = r.follow(t)
		r.want(t, l, standing{modelID(t, r), "", nil, dark})
		r.put(t, features.ShadowArtifact, score.DefaultModel())
		l, _ = r.follow(t)
		r.want(t, l, standing{modelID(t, r), "", nil, ""}) // the model in force as its own shadow
	}
}

// A model that is refused keeps the last good one, and holds back neither the end of an
// experiment nor a shadow.
func TestABadModelHoldsBackNothingElse(t *testing.T) {
	for name, data := range damages(modelNamed("next")) {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			good := modelID(t, r)
			canary := r.keep(t, features.ModelArtifact, modelNamed("canary"))
			r.put(t, features.ExperimentsArtifact, planOf("a", canary))
			if _, err := r.follow(t); err != nil {
				t.Fatal(err)
			}
			bad := r.put(t, features.ModelArtifact, data)
			none, dark := r.put(t, features.ExperimentsArtifact, []byte(noPlan)), r.put(t, features.ShadowArtifact, modelNamed("dark"))
			l, err := r.follow(t)
			if !errors.Is(err, matcher.ErrCompile) {
				t.Errorf("error %v, want ErrCompile", err)
			}
			r.want(t, l, standing{good, none, nil, dark}, features.ModelArtifact)
			if x := r.engine.Refusals()[0]; x.ID != bad || !errors.Is(x.Err, score.ErrModel) {
				t.Errorf("refused %.8s for %v", x.ID, x.Err)
			}
			r.at(noon.Add(24 * time.Hour))
			l, _ = r.follow(t)
			r.want(t, l, standing{good, none, nil, dark}, features.ModelArtifact)
			mended := r.put(t, features.ModelArtifact, modelNamed("mended"))
			if l, err = r.follow(t); err != nil {
				t.Error(err)
			}
			r.want(t, l, standing{mended, none, nil, dark})
		})
	}
}

// Bytes that were altered in the store are refused by their hash, of whatever kind.
func TestAlteredBytesAreRefused(t *testing.T) {
	for _, kind := range []features.ArtifactKind{features.ModelArtifact, features.ExperimentsArtifact, features.ShadowArtifact} {
		r := newRig(t)
		good := modelID(t, r)
		if _, err := r.follow(t); err != nil {
			t.Fatal(err)
		}
		data := modelNamed("altered")
		if kind == features.ExperimentsArtifact {
			data = planOf("altered", good)
		}
		r.set(func(s *stores) { s.artifact = func(data []byte) []byte { return append([]byte("# \n"), data...) } })
		r.put(t, kind, data)
		l, _ := r.follow(t)
		r.want(t, l, standing{good, "", nil, ""}, kind)
		if x := r.engine.Refusals()[0]; !strings.Contains(x.Err.Error(), "another hash") {
			t.Errorf("%s: %v", kind, x.Err)
		}
		r.set(func(s *stores) { s.artifact = nil })
		r.put(t, features.ModelArtifact, modelNamed("good"))
		if l, err := r.follow(t); err != nil || len(r.engine.Refusals()) > 0 {
			t.Errorf("%s: %v, refused %v, in force %.8s", kind, err, r.engine.Refusals(), l.Core().Identity().ModelID)
		}
	}
}

// Experiments go on over midnight without a gap, and without their model for no longer than
// the store does not give it.
func TestExperimentsGoOnOverMidnight(t *testing.T) {
	r := newRig(t)
	canary := r.keep(t, features.ModelArtifact, modelNamed("canary"))
	plan := r.put(t, features.ExperimentsArtifact, planOf("a", canary))
	dark := r.put(t, features.ShadowArtifact, modelNamed("dark"))
	if _, err := r.follow(t); err != nil {
		t.Fatal(err)
	}
	midnight := noon.Add(12 * time.Hour)
	r.at(midnight.Add(-30 * time.Second))
	r.set(func(s *stores) { s.missing = canary }) // for a moment
	l, err := r.follow(t)
	if err != nil {
		t.Fatal(err)
	}
	r.want(t, l, standing{modelID(t, r), plan, []string{canary}, dark})
	r.set(func(s *stores) { s.missing = "" })
	if _, err := r.follow(t); err != nil {
		t.Fatal(err)
	}
	r.at(midnight) // nobody has polled
	l, _, err = r.engine.Lineup()
	if err != nil || l.Core().Identity().AsOf != fund.InstantOf(midnight) {
		t.Fatalf("at midnight: %v", err)
	}
	r.want(t, l, standing{modelID(t, r), plan, []string{canary}, dark})
	before := r.compiles()
	l, _ = r.follow(t)
	r.want(t, l, standing{modelID(t, r), plan, []string{canary}, dark})
	if r.compiles() != before {
		t.Errorf("%d compiles for what was there", r.compiles()-before)
	}

	// The store does not give it before the day is over: told of, and mended as soon as it does.
	r.set(func(s *stores) { s.missing = canary })
	r.at(midnight.Add(24*time.Hour - time.Second))
	_, _ = r.follow(t)
	r.at(midnight.Add(24 * time.Hour))
	l, _ = r.follow(t)
	r.want(t, l, standing{modelID(t, r), "", nil, dark}, features.ExperimentsArtifact)
	r.set(func(s *stores) { s.missing = "" })
	l, _ = r.follow(t)
	r.want(t, l, standing{modelID(t, r), plan, []string{canary}, dark})
}

// Readers never see a lineup of two pools or models, nor none, while everything is swapped.
func TestReadersSeeOneLineup(t *testing.T) {
	r := newRig(t)
	models := []string{r.put(t, features.ModelArtifact, modelNamed("a")), r.put(t, features.ModelArtifact, modelNamed("b"))}
	plans := []string{r.keep(t, features.ExperimentsArtifact, planOf("a", models[1])), r.keep(t, features.ExperimentsArtifact, planOf("b", models[0]))}
	if _, err := r.follow(t); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for range 3 {
		running.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				l, at, err := r.engine.Lineup()
				if err != nil {
					t.Error(err)
					return
				}
				e := l.For(fmt.Sprint("C", i), at)
				arm, core := e.Core.Identity(), l.Core().Identity()
				if arm.ModelID = core.ModelID; arm != core {
					t.Errorf("an arm of %+v beside a core of %+v", arm, core)
					return
				}
			}
		})
	}
	for i := range 100 {
		activate := func(kind features.ArtifactKind, id string) {
			if err := r.Activate(t.Context(), features.Activation{Kind: kind, ArtifactID: id, At: 1, By: "tester"}); err != nil {
				t.Error(err)
			}
		}
		activate(features.ModelArtifact, models[i%2])
		activate(features.ExperimentsArtifact, plans[i%2])
		if i%50 == 0 {
			r.publish(t, "000001", fmt.Sprintf("%06d", i+2))
		}
		if err := r.engine.Reload(t.Context()); err != nil {
			t.Error(err)
		}
	}
	cancel()
	running.Wait()
}

// A question without a server is answered with the experiments of its time.
func TestALineupOfThePast(t *testing.T) {
	r := newRig(t)
	canary := r.keep(t, features.ModelArtifact, modelNamed("canary"))
	r.at(noon.Add(time.Hour))
	plan := r.put(t, features.ExperimentsArtifact, planOf("a", canary))
	r.at(noon.Add(2 * time.Hour))
	broken := r.put(t, features.ExperimentsArtifact, []byte("layers: ["))
	for _, c := range []struct {
		at      time.Time
		plan    string
		refused string
	}{
		{noon, "", ""}, {noon.Add(time.Hour), plan, ""}, {noon.Add(2 * time.Hour), "", broken},
	} {
		l, refused, err := r.loader.Lineup(t.Context(), fund.InstantOf(c.at))
		if err != nil {
			t.Fatal(err)
		}
		if _, id := l.Plan(); id != c.plan || (c.refused != "") != (len(refused) == 1) || len(refused) == 1 && refused[0].ID != c.refused {
			t.Errorf("%s: plan %.8s, refused %v", c.at, id, refused)
		}
	}
}
