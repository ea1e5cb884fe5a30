package model_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"google.golang.org/grpc/metadata"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/score/modelfile"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/model"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// office is a registry on a clock of its own, a second a call.
type office struct {
	*model.Service
	store *memory.Store
	mu    sync.Mutex
	now   time.Time
	tried []string // names of the models that were compiled
	check error    // what compiling answers
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{store: memory.New(), now: time.Date(2026, 3, 10, 2, 0, 0, 0, time.UTC)}
	o.Service = model.New(o.store, o.try, o.tick)
	o.put(t, features.ModelArtifact, score.DefaultModel())
	return o
}

// put is what engine.InstallDefaults does.
func (o *office) put(t *testing.T, kind features.ArtifactKind, data []byte) {
	t.Helper()
	id, err := o.store.Put(t.Context(), kind, data)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.store.Activate(t.Context(), features.Activation{Kind: kind, ArtifactID: id, At: fund.InstantOf(o.tick()), By: "fundmatch", Note: "built-in"}); err != nil {
		t.Fatal(err)
	}
}

func (o *office) tick() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = o.now.Add(time.Second)
	return o.now
}

func (o *office) try(_ context.Context, data []byte) error {
	m, err := score.ParseModel(data)
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tried = append(o.tried, m.Name)
	return o.check
}

// own is the default model under a name of the bank's.
func own(name string) []byte {
	return bytes.Replace(score.DefaultModel(), []byte("name: spine"), []byte("name: "+name), 1)
}

func idOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

var builtIn = idOf(score.DefaultModel()) //nolint:gochecknoglobals // a hash, spelt once

// keep puts a model into the registry and returns its id.
func (o *office) keep(t *testing.T, name string) string {
	t.Helper()
	a, err := o.CreateModel(t.Context(), &fundmatchv1.CreateModelRequest{Artifact: own(name), By: "quant.wang", Note: "made " + name})
	if err != nil {
		t.Fatal(err)
	}
	return a.GetModel().GetModelId()
}

func (o *office) activate(ctx context.Context, id string) error {
	_, err := o.ActivateModel(ctx, &fundmatchv1.ActivateModelRequest{ModelId: id, By: "risk.li", Note: "committee"})
	return err
}

func (o *office) rollback(ctx context.Context, id string) error {
	_, err := o.RollbackModel(ctx, &fundmatchv1.RollbackModelRequest{ModelId: id, By: "risk.li", Note: "complaints"})
	return err
}

func (o *office) shadow(ctx context.Context, id string) error {
	_, err := o.ShadowModel(ctx, &fundmatchv1.ShadowModelRequest{ModelId: id, By: "quant.wang", Note: "beside"})
	return err
}

// list returns the registry.
func (o *office) list(t *testing.T) *fundmatchv1.ListModelsResponse {
	t.Helper()
	a, err := o.ListModels(t.Context(), &fundmatchv1.ListModelsRequest{PageSize: model.MaxPageSize})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// states returns name: states of every model, in the order of the list.
func (o *office) states(t *testing.T) (out []string) {
	t.Helper()
	for _, m := range o.list(t).GetModels() {
		out = append(out, m.GetName()+": "+strings.Join(m.GetStates(), " "))
	}
	return out
}

func wantStates(t *testing.T, o *office, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, o.states(t)); diff != "" {
		t.Errorf("registry (-want +got):\n%s", diff)
	}
}

// histories returns everything that the store remembers of models.
func (o *office) histories(t *testing.T) (out []features.Activation) {
	t.Helper()
	for _, kind := range []features.ArtifactKind{features.ModelArtifact, features.ShadowArtifact, features.KeptArtifact} {
		h, err := o.store.Activations(t.Context(), kind)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, h...)
	}
	return out
}

// under is a call with an idempotency key.
func under(ctx context.Context, key string) context.Context {
	return metadata.NewIncomingContext(ctx, metadata.Pairs("idempotency-key", key))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheLifeOfAModel(t *testing.T) {
	t.Parallel()
	o, ctx := newOffice(t), t.Context()
	wantStates(t, o, "spine: ACTIVE")
	one := o.keep(t, "one")
	if len(o.tried) != 0 {
		t.Error("a model was compiled that is only kept")
	}
	wantStates(t, o, "one: KEPT", "spine: ACTIVE")
	must(t, o.shadow(ctx, one))
	wantStates(t, o, "one: SHADOW", "spine: ACTIVE")
	must(t, o.activate(ctx, one))
	wantStates(t, o, "one: ACTIVE", "spine: PREVIOUS")
	if !slices.Equal(o.tried, []string{"one", "one"}) {
		t.Errorf("compiled %v, want it before the shadow and before it was in force", o.tried)
	}
	must(t, o.rollback(ctx, one))
	wantStates(t, o, "one: KEPT", "spine: ACTIVE")
	m, err := o.GetModel(ctx, &fundmatchv1.GetModelRequest{ModelId: one})
	must(t, err)
	var told []string
	for _, h := range m.GetModel().GetHistory() {
		told = append(told, h.GetKind()+" by "+h.GetBy()+": "+h.GetNote())
	}
	if diff := cmp.Diff([]string{"KEPT by quant.wang: made one", "SHADOWED by quant.wang: beside", "ACTIVATED by risk.li: committee"}, told); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	if id, _, err := o.store.Active(ctx, features.ModelArtifact); err != nil || id != builtIn {
		t.Errorf("in force %s, %v", id, err)
	}
}

// A rollback goes to what was in force before, and never to what was itself taken back.
func TestWhatARollbackGoesBackTo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		steps string // a letter activates, < rolls back
		want  string // in force afterwards
	}{
		"to the one before":                 {"AB<", "A"},
		"twice, step by step":               {"ABC<<", "A"},
		"to the built-in in the end":        {"AB<<", "spine"},
		"not further than the first":        {"A<<", "spine refused"},
		"what was taken back stays away":    {"AB<C<", "A"},
		"an old one again is a step back":   {"ABCA<", "spine"},
		"what came back may be taken back":  {"AB<B<", "A"},
		"the one in force again is no step": {"ABB<", "A"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, ctx := newOffice(t), t.Context()
			var err error
			for _, step := range c.steps {
				must(t, err)
				if step == '<' {
					err = o.rollback(ctx, o.list(t).GetActiveModelId())
					continue
				}
				err = o.activate(ctx, o.keep(t, string(step)))
			}
			want, refused := strings.CutSuffix(c.want, " refused")
			var state *model.StateError
			if refused != (errors.As(err, &state) && state.Reason == model.NoPrevious) || !refused && err != nil {
				t.Errorf("%s: %v", c.steps, err)
			}
			for _, m := range o.list(t).GetModels() {
				if slices.Contains(m.GetStates(), model.Active) != (m.GetName() == want) {
					t.Errorf("%s: %s is %v, want %s in force", c.steps, m.GetName(), m.GetStates(), want)
				}
			}
		})
	}
}

// Nothing that is refused leaves a trace.
func TestWhatIsRefusedChangesNothing(t *testing.T) {
	t.Parallel()
	o, ctx := newOffice(t), t.Context()
	one := o.keep(t, "one")
	must(t, o.activate(ctx, one))
	o.check = fmt.Errorf("%w: the pool has\nnothing for it", matcher.ErrCompile)
	two := o.keep(t, "two")
	before := o.histories(t)
	good := trained(t)
	create := func(data []byte) func() error {
		return func() error {
			_, err := o.CreateModel(ctx, &fundmatchv1.CreateModelRequest{Artifact: data, By: "a", Note: "b"})
			return err
		}
	}
	for name, c := range map[string]struct {
		call   func() error
		reason string // of a RefusedError, or with ! before it of a StateError, or the field of an InvalidError
	}{
		"truncated":         {create(good[:len(good)-3]), model.Truncated},
		"altered":           {create(bytes.Replace(good, []byte("weight: 0.8"), []byte("weight: 0.9"), 1)), model.Altered},
		"of a newer schema": {create([]byte("fundmatch.model/v7\nwhatever")), "!" + model.Newer},
		"paid by sales":     {create(own("x\nweights: [{feature: COMMISSION, weight: 1, reason: r}]\nx")), model.Malformed},
		"F04":               {create(bytes.Replace(own("x"), []byte("feature: QUALITY"), []byte("feature: REBATE"), 1)), model.ForbiddenInput},
		"not a model":       {create([]byte("hello")), model.Malformed},
		"the built-in name": {create(bytes.Replace(score.DefaultModel(), []byte("weight: 0.8"), []byte("weight: 0.9"), 1)), model.NameReserved},
		"nothing":           {create(nil), "artifact"},
		"too much":          {create(make([]byte, model.MaxArtifact+1)), "artifact"},
		"not compiled":      {func() error { return o.activate(ctx, two) }, "!" + model.NotCompiled},
		"no shadow of it":   {func() error { return o.shadow(ctx, two) }, "!" + model.NotCompiled},
		"nor back to it":    {func() error { return o.rollback(ctx, one) }, "!" + model.NotCompiled},
		"not in force":      {func() error { return o.rollback(ctx, two) }, "!" + model.NotInForce},
		"no id":             {func() error { return o.activate(ctx, "active") }, "modelId"},
		"an id in capitals": {func() error { return o.activate(ctx, strings.ToUpper(two)) }, "modelId"},
	} {
		err := c.call()
		var refused *model.RefusedError
		var state *model.StateError
		var invalid *features.InvalidError
		got := ""
		switch {
		case errors.As(err, &refused):
			got = refused.Reason
		case errors.As(err, &state):
			got = "!" + state.Reason
		case errors.As(err, &invalid):
			got = invalid.Field
		}
		if got != c.reason || strings.Contains(err.Error(), "\n") || len(err.Error()) > 700 {
			t.Errorf("%s: %s: %v, want %s", name, got, err, c.reason)
		}
	}
	if diff := cmp.Diff(before, o.histories(t)); diff != "" {
		t.Errorf("a refusal left a trace:\n%s", diff)
	}
	wantStates(t, o, "two: KEPT", "one: ACTIVE", "spine: PREVIOUS")
}

func TestWhoAndWhyAreNeeded(t *testing.T) {
	t.Parallel()
	o, ctx := newOffice(t), t.Context()
	before := o.histories(t)
	for _, c := range []struct{ by, note, field string }{
		{"", "why", "by"},
		{"a b", "why", "by"},
		{strings.Repeat("a", 65), "why", "by"},
		{"a", "", "note"},
		{"a", strings.Repeat("x", 257), "note"},
		{"a", "\xff", "note"},
		{"a", "a\x00", "note"},
	} {
		_, errs := o.CreateModel(ctx, &fundmatchv1.CreateModelRequest{Artifact: own("x"), By: c.by, Note: c.note})
		_, erra := o.ActivateModel(ctx, &fundmatchv1.ActivateModelRequest{ModelId: builtIn, By: c.by, Note: c.note})
		_, errr := o.RollbackModel(ctx, &fundmatchv1.RollbackModelRequest{ModelId: builtIn, By: c.by, Note: c.note})
		_, errh := o.ShadowModel(ctx, &fundmatchv1.ShadowModelRequest{ModelId: builtIn, By: c.by, Note: c.note})
		for _, err := range []error{errs, erra, errr, errh} {
			var invalid *features.InvalidError
			if !errors.As(err, &invalid) || invalid.Field != c.field {
				t.Errorf("by %q, note %q: %v, want %s", c.by, c.note, err, c.field)
			}
		}
	}
	if diff := cmp.Diff(before, o.histories(t)); diff != "" {
		t.Errorf("somebody unknown left a trace:\n%s", diff)
	}
}

// A call that is sent again under its key does nothing, whatever happened since.
func TestAKeyMakesACallOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	create := func(ctx context.Context, note string) (bool, error) {
		a, err := o.CreateModel(ctx, &fundmatchv1.CreateModelRequest{Artifact: own("one"), By: "a", Note: note})
		return a.GetCreated(), err
	}
	for i, want := range []bool{true, false} {
		if created, err := create(under(ctx, "k"), "first"); err != nil || created != want {
			t.Errorf("put %d: %v, %v", i, created, err)
		}
	}
	if _, err := create(under(ctx, "k"), "other"); !errors.Is(err, features.ErrIdempotencyReused) {
		t.Errorf("another note under the key: %v", err)
	}
	another := &fundmatchv1.CreateModelRequest{Artifact: own("two"), By: "a", Note: "first"}
	if _, err := o.CreateModel(under(ctx, "k"), another); !errors.Is(err, features.ErrIdempotencyReused) {
		t.Errorf("another model under the key: %v", err)
	}
	one := idOf(own("one"))
	must(t, o.activate(under(ctx, "k"), one)) // a key is one for each method and model
	must(t, o.rollback(under(ctx, "k"), one))
	before := o.histories(t)
	must(t, o.activate(under(ctx, "k"), one))
	must(t, o.rollback(under(ctx, "k"), one))
	if diff := cmp.Diff(before, o.histories(t)); diff != "" {
		t.Errorf("a repetition did something:\n%s", diff)
	}
	wantStates(t, o, "one: KEPT", "spine: ACTIVE")
	must(t, o.shadow(under(ctx, "s"), one))
	must(t, o.shadow(ctx, builtIn))
	must(t, o.shadow(under(ctx, "s"), one))
	wantStates(t, o, "one: KEPT", "spine: ACTIVE")
	_, err := o.ActivateModel(under(ctx, "k"), &fundmatchv1.ActivateModelRequest{ModelId: one, By: "a", Note: "other"})
	if !errors.Is(err, features.ErrIdempotencyReused) {
		t.Errorf("another body under the key: %v", err)
	}
	var invalid *features.InvalidError
	if err := o.activate(under(ctx, "a b"), one); !errors.As(err, &invalid) || invalid.Field != "idempotency-key" {
		t.Errorf("a key with a blank: %v", err)
	}
}

// Where nothing runs in the shadow, a change of the model in force does not make it.
func TestTheShadowStaysAsItIs(t *testing.T) {
	t.Parallel()
	o, ctx := newOffice(t), t.Context()
	one, two := o.keep(t, "one"), o.keep(t, "two")
	shadow := func(want string) {
		t.Helper()
		if got := o.list(t).GetShadowModelId(); got != want {
			t.Errorf("in the shadow %.8q, want %.8q", got, want)
		}
	}
	must(t, o.activate(ctx, one))
	if h, err := o.store.Activations(ctx, features.ShadowArtifact); err != nil || len(h) != 0 {
		t.Errorf("a history of shadows that never were: %v, %v", h, err)
	}
	must(t, o.shadow(ctx, two))
	must(t, o.activate(ctx, builtIn))
	shadow(two) // goes on beside another model in force
	must(t, o.shadow(ctx, builtIn))
	shadow("")
	must(t, o.activate(ctx, one))
	shadow("") // and not the built-in, which the store calls the shadow
	must(t, o.rollback(ctx, one))
	shadow("")
	must(t, o.shadow(ctx, two))
	must(t, o.activate(ctx, two))
	shadow("") // it was promoted
	must(t, o.rollback(ctx, two))
	shadow("")
}

func TestPagesAreStable(t *testing.T) {
	t.Parallel()
	o, ctx := newOffice(t), t.Context()
	for i := range 5 {
		o.keep(t, fmt.Sprint("m", i))
	}
	var names []string
	token := ""
	for page := 0; page == 0 || token != ""; page++ {
		a, err := o.ListModels(ctx, &fundmatchv1.ListModelsRequest{PageSize: 2, PageToken: token})
		must(t, err)
		if a.GetTotalSize() != int32(6+page) {
			t.Errorf("page %d: %d in all, want %d", page, a.GetTotalSize(), 6+page)
		}
		for _, m := range a.GetModels() {
			names = append(names, m.GetName())
		}
		token = a.GetNextPageToken()
		o.keep(t, fmt.Sprint("late", page)) // in front: no page sees it
	}
	if want := []string{"m4", "m3", "m2", "m1", "m0", "spine"}; !slices.Equal(names, want) {
		t.Errorf("pages %v, want %v", names, want)
	}
	for _, r := range []*fundmatchv1.ListModelsRequest{{PageSize: -1}, {PageSize: 101}, {PageToken: "!"}, {PageToken: "bm9uZQ"}} {
		var invalid *features.InvalidError
		if _, err := o.ListModels(ctx, r); !errors.As(err, &invalid) {
			t.Errorf("%v: %v, want an InvalidError", r, err)
		}
	}
}

// trained is a model file as a training writes it.
func trained(t *testing.T) []byte {
	t.Helper()
	plain, err := score.ParseModel(own("trained"))
	must(t, err)
	low, high := 0.40, 0.42
	data, err := modelfile.Encode(modelfile.File{
		Manifest: modelfile.Manifest{
			Name: "trained", Version: plain.Version, Code: "v1.2.0", Features: []modelfile.Term{{Name: "AFFINITY", Definition: "2"}},
			Training:   modelfile.Window{From: "2024-01-01", Through: "2026-02-28", Rows: 77, DataHash: strings.Repeat("ab", 32)},
			Validation: []modelfile.Figure{{Name: "ndcg@10", Value: 0.41, Low: &low, High: &high}, {Name: "brier", Value: 0.1}},
		},
		Sections: map[string][]byte{modelfile.SectionModel: own("trained")},
	})
	must(t, err)
	return data
}

func TestATrainedModelSaysWhatItIs(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	data := trained(t)
	a, err := o.CreateModel(t.Context(), &fundmatchv1.CreateModelRequest{Artifact: data, By: "a", Note: "b"})
	must(t, err)
	m := a.GetModel()
	if m.GetName() != "trained" || m.GetVersion() < 2 || m.GetSchema() != "fundmatch.model/v2" || m.GetBytes() != int64(len(data)) ||
		m.GetTrainedFrom() != "2024-01-01" || m.GetTrainedThrough() != "2026-02-28" || m.GetTrainingRows() != 77 ||
		m.GetDataHash() != strings.Repeat("ab", 32) || m.GetCode() != "v1.2.0" || m.GetProblem() != "" || len(m.GetWeights()) != int(score.Features) {
		t.Errorf("%v", m)
	}
	if f := m.GetFeatures(); len(f) != 1 || f[0].GetName() != "AFFINITY" || f[0].GetDefinition() != "2" {
		t.Errorf("features %v", f)
	}
	v := m.GetValidation()
	if len(v) != 2 || v[0].GetValue() != 0.41 || v[0].GetLow() != 0.40 || v[0].GetHigh() != 0.42 || v[1].Low != nil {
		t.Errorf("validation %v", v)
	}
	described, err := model.Describe(data)
	must(t, err)
	if described.GetModelId() != m.GetModelId() || described.GetTrainedThrough() != m.GetTrainedThrough() || described.GetStates() != nil {
		t.Errorf("described as %v", described)
	}
}

// What this program cannot put in force is listed with the reason, and refused when asked for.
func TestAModelThatThisProgramCannotUse(t *testing.T) {
	t.Parallel()
	o, ctx := newOffice(t), t.Context()
	lacking := regexp.MustCompile(`(?m)^  - feature: OBJECTED\n(    .*\n)+`).ReplaceAll(own("old"), nil) // as before objections were weighed
	newer := []byte("fundmatch.model/v9\nof a newer program")
	for _, data := range [][]byte{lacking, newer} {
		o.put(t, features.ModelArtifact, data)
	}
	o.put(t, features.ModelArtifact, score.DefaultModel())
	all := o.list(t).GetModels()
	if n, l := all[0], all[1]; n.GetName() != "" || n.GetSchema() != "fundmatch.model/v9" || !strings.Contains(n.GetProblem(), "newer") ||
		l.GetName() != "old" || !strings.Contains(l.GetProblem(), "OBJECTED") {
		t.Errorf("listed as %v\n%v", n, l)
	}
	for data, reason := range map[string]string{string(newer): model.Newer, string(lacking): model.Malformed} {
		var state *model.StateError
		if err := o.activate(ctx, idOf([]byte(data))); !errors.As(err, &state) || state.Reason != reason {
			t.Errorf("%v, want %s", err, reason)
		}
	}
}

// damaging gives other bytes than were put.
type damaging struct{ *memory.Store }

func (d *damaging) Artifact(ctx context.Context, kind features.ArtifactKind, id string) ([]byte, error) {
	data, err := d.Store.Artifact(ctx, kind, id)
	if kind == features.ModelArtifact && id != builtIn {
		data = append(data, '#')
	}
	return data, err
}

func TestADamagedModelIsSeen(t *testing.T) {
	t.Parallel()
	o, ctx := newOffice(t), t.Context()
	one := o.keep(t, "one")
	o.Service = model.New(&damaging{o.store}, o.try, o.tick)
	if m := o.list(t).GetModels()[0]; m.GetProblem() != "the stored bytes have another hash" || m.GetName() != "" {
		t.Errorf("%v", m)
	}
	var state *model.StateError
	if err := o.activate(ctx, one); !errors.As(err, &state) || state.Reason != model.Altered {
		t.Errorf("%v, want %s", err, model.Altered)
	}
}

func TestAnEntryThatNamesNoModelIsDamage(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.put(t, features.KeptArtifact, []byte("nonsense"))
	if _, err := o.ListModels(t.Context(), &fundmatchv1.ListModelsRequest{}); !errors.Is(err, features.ErrInvalid) {
		t.Errorf("%v, want ErrInvalid", err)
	}
}

func TestAnUnknownModelIsNotFound(t *testing.T) {
	t.Parallel()
	o, ctx := newOffice(t), t.Context()
	nobody := strings.Repeat("0", 64)
	_, get := o.GetModel(ctx, &fundmatchv1.GetModelRequest{ModelId: nobody})
	for _, err := range []error{get, o.activate(ctx, nobody), o.rollback(ctx, nobody), o.shadow(ctx, nobody)} {
		var unknown *features.NotFoundError
		if !errors.As(err, &unknown) || unknown.Kind != features.ModelKind || unknown.ID != nobody {
			t.Errorf("%v, want a NotFoundError", err)
		}
	}
}

// Of many who take back the same model at once, one does, and nobody goes back twice.
func TestManyRollBackAtOnce(t *testing.T) {
	t.Parallel()
	o, ctx := newOffice(t), t.Context()
	must(t, o.activate(ctx, o.keep(t, "one")))
	two := o.keep(t, "two")
	must(t, o.activate(ctx, two))
	var group sync.WaitGroup
	errs := make([]error, 20)
	for i := range errs {
		group.Go(func() { errs[i] = o.rollback(ctx, two) })
	}
	group.Wait()
	done := 0
	for _, err := range errs {
		var state *model.StateError
		switch {
		case err == nil:
			done++
		case !errors.As(err, &state) || state.Reason != model.NotInForce:
			t.Error(err)
		}
	}
	if done != 1 {
		t.Errorf("%d took it back, want one", done)
	}
	wantStates(t, o, "two: KEPT", "one: ACTIVE", "spine: PREVIOUS")
}

// Who waits for a compile stops waiting when his time is up.
func TestWaitingEndsWithTheCall(t *testing.T) {
	t.Parallel()
	o, ctx := newOffice(t), t.Context()
	one := o.keep(t, "one")
	held, release := make(chan struct{}), make(chan struct{})
	o.Service = model.New(o.store, func(context.Context, []byte) error { close(held); <-release; return nil }, o.tick)
	first := make(chan error, 1)
	go func() { first <- o.activate(ctx, one) }()
	<-held
	short, cancel := context.WithCancel(ctx)
	cancel()
	if err := o.rollback(short, builtIn); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want Canceled", err)
	}
	close(release)
	must(t, <-first)
	wantStates(t, o, "one: ACTIVE", "spine: PREVIOUS")
}

// A store that fails is told as it is, and what was not done is not told as done.
func TestAStoreThatFails(t *testing.T) {
	t.Parallel()
	o, ctx := newOffice(t), t.Context()
	one := o.keep(t, "one")
	must(t, o.store.Close())
	_, list := o.ListModels(ctx, &fundmatchv1.ListModelsRequest{})
	_, create := o.CreateModel(ctx, &fundmatchv1.CreateModelRequest{Artifact: own("x"), By: "a", Note: "b"})
	for _, err := range []error{list, create, o.activate(ctx, one), o.rollback(ctx, builtIn), o.shadow(ctx, one)} {
		if !errors.Is(err, features.ErrUnavailable) {
			t.Errorf("%v, want ErrUnavailable", err)
		}
	}
}

// A registry has a bound, at which nothing more is kept and everything else goes on.
func TestAFullRegistry(t *testing.T) {
	t.Parallel()
	o, ctx := newOffice(t), t.Context()
	enter := func(from, to int) {
		for i := from; i < to; i++ {
			o.put(t, features.KeptArtifact, []byte(idOf(fmt.Append(nil, i))))
		}
	}
	enter(0, model.MaxModels-2) // and the built-in one
	last := o.keep(t, "last")
	var state *model.StateError
	if _, err := o.CreateModel(ctx, &fundmatchv1.CreateModelRequest{Artifact: own("more"), By: "a", Note: "b"}); !errors.As(err, &state) || state.Reason != model.Full {
		t.Errorf("one more: %v, want %s", err, model.Full)
	}
	if _, err := o.store.Artifact(ctx, features.ModelArtifact, idOf(own("more"))); !errors.Is(err, features.ErrNotFound) {
		t.Errorf("what was refused is kept: %v", err)
	}
	o.keep(t, "last") // it is there
	must(t, o.activate(ctx, last))
}
