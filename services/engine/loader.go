package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/behaviour"
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
	past []*matcher.Core // cores compiled for replay, newest last
}

// maxPast is how many cores of the past are kept: a replay of a day needs one or two.
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

// versions are what a core is compiled from but for the instant.
type versions struct {
	pool, seq    uint64
	model, rules string
	wording      string
	engine       string
}

func (v versions) identity(asOf fund.Instant) matcher.Identity {
	return matcher.Identity{
		PoolRevision: v.pool, DataSeq: v.seq, AsOf: asOf, ModelID: v.model, RulesID: v.rules, WordingID: v.wording, Engine: v.engine,
	}
}

// newest asks the store what is in force.
func (l *Loader) newest(ctx context.Context) (versions, error) {
	revision, err := l.pools.Published(ctx)
	if err != nil {
		return versions{}, err
	}
	v := versions{pool: revision.ID, seq: revision.Seq, wording: l.wording.Version(), engine: l.version}
	if v.model, _, err = l.models.Active(ctx, features.ModelArtifact); err != nil {
		return versions{}, fmt.Errorf("model in force: %w", err)
	}
	if v.rules, _, err = l.models.Active(ctx, features.RulesArtifact); err != nil {
		return versions{}, fmt.Errorf("rule pack in force: %w", err)
	}
	return v, nil
}

// Newest compiles what was in force as of an instant: the core of a question about the past,
// or of a single answer without a server. Before the first model and pack ever put in force,
// the first ones answer.
func (l *Loader) Newest(ctx context.Context, asOf fund.Instant) (*matcher.Core, error) {
	now, err := l.newest(ctx)
	if err != nil {
		return nil, err
	}
	then := now
	if then.model, err = l.inForce(ctx, features.ModelArtifact, asOf); err != nil {
		return nil, fmt.Errorf("model in force: %w", err)
	}
	if then.rules, err = l.inForce(ctx, features.RulesArtifact, asOf); err != nil {
		return nil, fmt.Errorf("rule pack in force: %w", err)
	}
	parse := forNewAnswers()
	if then.model != now.model { // what is no longer in force may lack what was not known then
		parse.model = forReplay().model
	}
	if then.rules != now.rules {
		parse.rules = forReplay().rules
	}
	return l.compile(ctx, then.identity(asOf), parse)
}

// Lineup compiles everything that was in force as of an instant, experiments too: what the
// service would answer with.
func (l *Loader) Lineup(ctx context.Context, asOf fund.Instant) (*Lineup, error) {
	core, err := l.Newest(ctx, asOf)
	if err != nil {
		return nil, err
	}
	return Single(core), nil
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
// result tells both.
func (l *Loader) Past(ctx context.Context, id matcher.Identity) (*matcher.Core, error) {
	id.WordingID, id.Engine, id.Definitions = l.wording.Version(), l.version, behaviour.DefinitionVersion
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.past {
		if c.Identity() == id {
			return c, nil
		}
	}
	core, err := l.compile(ctx, id, forReplay())
	if err != nil {
		return nil, err
	}
	if len(l.past) == maxPast {
		l.past = l.past[1:]
	}
	l.past = append(l.past, core)
	return core, nil
}

// parsers read model and rule pack: strictly for new answers; for old ones also what lacks
// a rule or a feature that was not known then.
type parsers struct {
	model func([]byte) (*score.Model, error)
	rules func([]byte) (*eligibility.Pack, error)
}

func forNewAnswers() parsers { return parsers{score.ParseModel, eligibility.ParsePack} }

func forReplay() parsers { return parsers{score.ParseRecorded, eligibility.ParseRecorded} }

// compile reads everything that an identity names and compiles it.
func (l *Loader) compile(ctx context.Context, id matcher.Identity, parse parsers) (*matcher.Core, error) {
	model, rules, err := l.artifacts(ctx, id, parse)
	if err != nil {
		return nil, err
	}
	products, err := l.pools.Pool(ctx, id.PoolRevision)
	if err != nil {
		return nil, err
	}
	calendar, err := l.pools.Calendar(ctx, id.DataSeq)
	if err != nil {
		return nil, err
	}
	cut := features.Cut{AsOf: id.AsOf, Seq: id.DataSeq}
	return matcher.Compile(&matcher.Inputs{
		Identity: id, Products: products, Model: model, Rules: rules, Calendar: calendar, Wording: l.wording,
		NAVs: func(yield func(string, []fund.NAV) error) error { return l.pools.NAVs(ctx, cut, yield) },
		Purchases: func(yield func(string, []fund.Purchase) error) error {
			return l.pools.Purchases(ctx, cut, yield)
		},
	})
}

// artifacts reads model and rule pack and checks that their bytes are the ones named.
// One that does not parse is an error of the compile: a newer version of it may not
// replace the last good one.
func (l *Loader) artifacts(ctx context.Context, id matcher.Identity, parse parsers) (*score.Model, *eligibility.Pack, error) {
	data, err := l.artifact(ctx, features.ModelArtifact, id.ModelID)
	if err != nil {
		return nil, nil, err
	}
	model, err := parse.model(data)
	if err != nil {
		return nil, nil, refused(builtIn{data: score.DefaultModel(), title: modelTitle}, data, err)
	}
	data, err = l.artifact(ctx, features.RulesArtifact, id.RulesID)
	if err != nil {
		return nil, nil, err
	}
	rules, err := parse.rules(data)
	if err != nil {
		return nil, nil, refused(builtIn{data: eligibility.Default(), title: packTitle}, data, err)
	}
	return model, rules, nil
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
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", kind, id, err)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != id {
		return nil, fmt.Errorf("%w: %s %s: the stored bytes have another hash", matcher.ErrCompile, kind, id)
	}
	return data, nil
}
