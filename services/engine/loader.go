package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

// Loader compiles cores from the stores.
type Loader struct {
	pools   features.Pools
	models  features.Models
	wording *wording.Templates
	version string // of the program

	mu   sync.Mutex
	past []*family // cores compiled for replay, newest last
}

// maxPast is how many families of the past are kept: a replay of a day needs one or two.
const maxPast = 4

// NewLoader returns a loader. It compiles the built-in sentences; version is the
// program's.
func NewLoader(pools features.Pools, models features.Models, version string) (*Loader, error) {
	text, err := wording.Compile(wording.DefaultTemplates())
	if err != nil {
		return nil, err
	}
	return &Loader{pools: pools, models: models, wording: text, version: version}, nil
}

// InstallDefaults puts the built-in model and rule pack in force in a store that has none.
func InstallDefaults(ctx context.Context, models features.Models, at fund.Instant) error {
	return install(ctx, models, at, func(builtIn, []byte) bool { return false })
}

// RenewDefaults does so too, and replaces a built-in of a lower version: who serves with a
// newer program serves by its rules. A bank's own model or pack, which has a name of its
// own, is left alone, and so is what a newer program put there.
func RenewDefaults(ctx context.Context, models features.Models, at fund.Instant) error {
	return install(ctx, models, at, builtIn.renews)
}

// builtIn is an artifact that comes with the program.
type builtIn struct {
	kind  features.ArtifactKind
	data  []byte
	title func([]byte) (name, version string) // versions compare as texts
}

// renews reports whether an artifact is a lower version of the built-in.
func (b builtIn) renews(active []byte) bool {
	name, version := b.title(active)
	ourName, ourVersion := b.title(b.data)
	return name == ourName && version < ourVersion
}

func install(ctx context.Context, models features.Models, at fund.Instant, replaces func(b builtIn, active []byte) bool) error {
	for _, d := range []builtIn{
		{features.ModelArtifact, score.DefaultModel(), modelTitle},
		{features.RulesArtifact, eligibility.Default(), packTitle},
	} {
		_, active, err := models.Active(ctx, d.kind)
		switch {
		case errors.Is(err, features.ErrNotFound):
		case err != nil:
			return err
		case !replaces(d, active):
			continue
		}
		id, err := models.Put(ctx, d.kind, d.data)
		if err != nil {
			return err
		}
		if err := models.Activate(ctx, features.Activation{Kind: d.kind, ArtifactID: id, At: at, By: "fundmatch", Note: "built-in"}); err != nil {
			return err
		}
	}
	return nil
}

// modelTitle returns name and version of a model file, also of one that knows fewer
// features than this program; nothing for one that does not parse.
func modelTitle(data []byte) (name, version string) {
	if m, err := score.ParseRecorded(data); err == nil {
		return m.Name, fmt.Sprintf("%09d", m.Version)
	}
	return "", ""
}

// packTitle returns name and version of a rule pack, also of one that knows fewer rules
// than this program.
func packTitle(data []byte) (name, version string) {
	if p, err := eligibility.ParseRecorded(data); err == nil {
		return p.Name, p.Version
	}
	return "", ""
}

// versions are what a lineup is made from but for the instant.
type versions struct {
	pool, seq    uint64
	model, rules string
	plan, shadow string // empty: none
	wording      string
	engine       string
}

func (v versions) identity(asOf fund.Instant) matcher.Identity {
	return matcher.Identity{
		PoolRevision: v.pool, DataSeq: v.seq, AsOf: asOf, ModelID: v.model, RulesID: v.rules, WordingID: v.wording, Engine: v.engine,
	}
}

// sameBase reports whether a core of the versions differs from one in model and instant alone.
func (v versions) sameBase(id matcher.Identity) bool {
	other := v.identity(id.AsOf)
	other.ModelID, other.Definitions = id.ModelID, id.Definitions
	return other == id
}

// newest asks the store what is in force.
func (l *Loader) newest(ctx context.Context) (versions, error) {
	revision, err := l.pools.Published(ctx)
	if err != nil {
		return versions{}, err
	}
	v := versions{pool: revision.ID, seq: revision.Seq, wording: l.wording.Version(), engine: l.version}
	if v.model, err = l.models.ActiveID(ctx, features.ModelArtifact); err != nil {
		return versions{}, fmt.Errorf("model in force: %w", err)
	}
	if v.rules, err = l.models.ActiveID(ctx, features.RulesArtifact); err != nil {
		return versions{}, fmt.Errorf("rule pack in force: %w", err)
	}
	if v.plan, err = l.models.ActiveID(ctx, features.ExperimentsArtifact); err != nil && !errors.Is(err, features.ErrNotFound) {
		return versions{}, fmt.Errorf("experiments in force: %w", err)
	}
	if v.shadow, err = l.models.ActiveID(ctx, features.ShadowArtifact); err != nil && !errors.Is(err, features.ErrNotFound) {
		return versions{}, fmt.Errorf("shadow in force: %w", err)
	}
	return v, nil
}

// Newest compiles what was in force as of an instant: the core of a question about the past,
// or of a single answer without a server. Before the first model and pack ever put in force,
// the first ones answer.
func (l *Loader) Newest(ctx context.Context, asOf fund.Instant) (*matcher.Core, error) {
	then, parse, err := l.versionsAt(ctx, asOf)
	if err != nil {
		return nil, err
	}
	return newFamily(l, then.identity(asOf), parse, unobserved).core(ctx, features.ModelArtifact, then.model)
}

// Lineup does the same with the experiments of then: what a service that begins would answer
// with. What it would have to do without comes with it.
func (l *Loader) Lineup(ctx context.Context, asOf fund.Instant) (*Lineup, []Refusal, error) {
	then, parse, err := l.versionsAt(ctx, asOf)
	if err != nil {
		return nil, nil, err
	}
	if then.plan, _, err = l.models.ActiveAt(ctx, features.ExperimentsArtifact, asOf); err != nil && !errors.Is(err, features.ErrNotFound) {
		return nil, nil, fmt.Errorf("experiments in force: %w", err)
	}
	a, err := newFamily(l, then.identity(asOf), parse, unobserved).assemble(ctx, then, "")
	if err != nil {
		return nil, nil, err
	}
	return a.lineup, a.refused, nil
}

// versionsAt names what was in force at an instant, without experiments, and says how it is
// read: what is no longer in force may lack what was not known then.
func (l *Loader) versionsAt(ctx context.Context, asOf fund.Instant) (versions, parsers, error) {
	parse := forNewAnswers()
	now, err := l.newest(ctx)
	if err != nil {
		return versions{}, parse, err
	}
	then := now
	then.plan, then.shadow = "", ""
	if then.model, err = l.inForce(ctx, features.ModelArtifact, asOf); err != nil {
		return versions{}, parse, fmt.Errorf("model in force: %w", err)
	}
	if then.rules, err = l.inForce(ctx, features.RulesArtifact, asOf); err != nil {
		return versions{}, parse, fmt.Errorf("rule pack in force: %w", err)
	}
	if then.model != now.model {
		parse.model = forReplay().model
	}
	if then.rules != now.rules {
		parse.rules = forReplay().rules
	}
	return then, parse, nil
}

// inForce names the artifact that was in force at an instant, or else the first one ever.
func (l *Loader) inForce(ctx context.Context, kind features.ArtifactKind, at fund.Instant) (string, error) {
	id, _, err := l.models.ActiveAt(ctx, kind, at)
	if !errors.Is(err, features.ErrNotFound) {
		return id, err
	}
	history, errHistory := l.models.Activations(ctx, kind)
	if errHistory != nil || len(history) == 0 {
		return "", errors.Join(err, errHistory)
	}
	return history[0].ArtifactID, nil
}

// Past returns the core that an old decision names, compiled again from the same
// revision, data, model and rules with this program and its sentences: Identity of the
// result tells both. A decision of an arm names the arm's model.
func (l *Loader) Past(ctx context.Context, id matcher.Identity) (*matcher.Core, error) {
	id.WordingID, id.Engine = l.wording.Version(), l.version
	l.mu.Lock()
	defer l.mu.Unlock()
	f, known := l.pastFamily(id)
	core, err := f.core(ctx, features.ModelArtifact, id.ModelID)
	if err != nil || known {
		return core, err
	}
	if len(l.past) == maxPast {
		l.past = l.past[1:]
	}
	l.past = append(l.past, f)
	return core, nil
}

// pastFamily returns the family of an identity: one that is known, or an empty one. A day's
// decisions are of one or two, and each of as many models as there were arms.
func (l *Loader) pastFamily(id matcher.Identity) (f *family, known bool) {
	f = newFamily(l, id, forReplay(), unobserved)
	for _, kept := range l.past {
		if kept.identity == f.identity && len(kept.cores) <= maxModels {
			return kept, true
		}
	}
	return f, false
}

// parsers read model and rule pack: strictly for new answers; for old ones also what lacks
// a rule or a feature that was not known then.
type parsers struct {
	model func([]byte) (*score.Model, error)
	rules func([]byte) (*eligibility.Pack, error)
}

func forNewAnswers() parsers { return parsers{score.ParseModel, eligibility.ParsePack} }

func forReplay() parsers { return parsers{score.ParseRecorded, eligibility.ParseRecorded} }

// compile reads everything else that an identity names and compiles it with a model.
func (l *Loader) compile(ctx context.Context, id matcher.Identity, model *score.Model, parse parsers) (*matcher.Core, error) {
	in := l.market(ctx, id)
	in.Model = model
	var err error
	if in.Rules, err = l.rules(ctx, id.RulesID, parse); err != nil {
		return nil, err
	}
	if in.Products, err = l.pools.Pool(ctx, id.PoolRevision); err != nil {
		return nil, err
	}
	if in.Calendar, err = l.pools.Calendar(ctx, id.DataSeq); err != nil {
		return nil, err
	}
	return matcher.Compile(in)
}

// market are the inputs of a core that are streamed, and its name.
func (l *Loader) market(ctx context.Context, id matcher.Identity) *matcher.Inputs {
	cut := features.Cut{AsOf: id.AsOf, Seq: id.DataSeq}
	return &matcher.Inputs{
		Identity: id, Wording: l.wording,
		NAVs: func(yield func(string, []fund.NAV) error) error { return l.pools.NAVs(ctx, cut, yield) },
		Purchases: func(yield func(string, []fund.Purchase) error) error {
			return l.pools.Purchases(ctx, cut, yield)
		},
	}
}

// model and rules read an artifact and check that its bytes are the ones named. One that does
// not parse is an error of the compile: a newer version of it may not replace the last good
// one.
func (l *Loader) model(ctx context.Context, kind features.ArtifactKind, id string, parse parsers) (*score.Model, error) {
	data, err := l.artifact(ctx, kind, id)
	if err != nil {
		return nil, err
	}
	model, err := parse.model(data)
	if err != nil {
		return nil, &artifactError{kind, id, refused(builtIn{data: score.DefaultModel(), title: modelTitle}, data, err)}
	}
	return model, nil
}

func (l *Loader) rules(ctx context.Context, id string, parse parsers) (*eligibility.Pack, error) {
	data, err := l.artifact(ctx, features.RulesArtifact, id)
	if err != nil {
		return nil, err
	}
	rules, err := parse.rules(data)
	if err != nil {
		return nil, &artifactError{features.RulesArtifact, id, refused(builtIn{data: eligibility.Default(), title: packTitle}, data, err)}
	}
	return rules, nil
}

// refused is the error about an artifact that does not parse. An older program's built-in
// is nobody's mistake, and one command replaces it.
func refused(b builtIn, data []byte, err error) error {
	if b.renews(data) {
		return fmt.Errorf("%w: %w; it came with an older program: fundmatch migrate puts this program's in its place", matcher.ErrCompile, err)
	}
	return fmt.Errorf("%w: %w", matcher.ErrCompile, err)
}

func (l *Loader) artifact(ctx context.Context, kind features.ArtifactKind, id string) ([]byte, error) {
	data, err := l.models.Artifact(ctx, kind, id)
	switch {
	case errors.Is(err, features.ErrNotFound):
		return nil, &artifactError{kind, id, fmt.Errorf("%s %s: %w", kind, id, features.ErrNotFound)} // what the store says besides is that again
	case err != nil:
		return nil, &artifactError{kind, id, fmt.Errorf("%s %s: %w", kind, id, err)}
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != id {
		return nil, &artifactError{kind, id, fmt.Errorf("%w: %s %s: the stored bytes have another hash", matcher.ErrCompile, kind, id)}
	}
	return data, nil
}

// artifactError says which artifact a core was not compiled for.
type artifactError struct {
	kind features.ArtifactKind
	id   string
	err  error
}

func (e *artifactError) Error() string { return e.err.Error() }
func (e *artifactError) Unwrap() error { return e.err }

// refusal says what a core was not compiled for: an artifact, or else the pool with it.
func (v versions) refusal(err error) Refusal {
	if a := (*artifactError)(nil); errors.As(err, &a) {
		return Refusal{a.kind, a.id, err}
	}
	return Refusal{"", strconv.FormatUint(v.pool, 10), err}
}
