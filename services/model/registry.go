package model

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// The states of a model in the registry, in the order in which an entry lists them.
const (
	Active   = "ACTIVE"   // in force
	Shadow   = "SHADOW"   // its scores are compared and shown to nobody
	Previous = "PREVIOUS" // what a rollback puts in force
	Kept     = "KEPT"     // none of these
)

// The kinds of entries of a model's history.
const (
	WasKept      = "KEPT"
	WasActivated = "ACTIVATED"
	WasShadowed  = "SHADOWED"
)

// act is one entry of a model's history.
type act struct {
	kind string
	features.Activation
}

// registry is what the store says of models at one moment.
type registry struct {
	ids      []string // newest first
	history  map[string][]act
	kept     map[string]bool // those that were put into the registry, and not only in force
	active   string          // "": none ever was
	shadow   string          // as it stands in the store: the model in force as its own shadow is none
	previous string          // "": there is none to go back to
}

// read reads the three histories that make the registry.
func (s *Service) read(ctx context.Context) (*registry, error) {
	r := &registry{history: map[string][]act{}, kept: map[string]bool{}}
	receipts, err := s.models.Activations(ctx, features.KeptArtifact)
	if err != nil {
		return nil, err
	}
	for _, a := range receipts {
		if a.ArtifactID, err = s.receipt(ctx, a.ArtifactID); err != nil {
			return nil, err
		}
		r.kept[a.ArtifactID] = true
		r.add(WasKept, a)
	}
	activations, err := s.models.Activations(ctx, features.ModelArtifact)
	if err != nil {
		return nil, err
	}
	for _, a := range activations {
		r.add(WasActivated, a)
		r.active = a.ArtifactID
	}
	shadows, err := s.models.Activations(ctx, features.ShadowArtifact)
	if err != nil {
		return nil, err
	}
	for _, a := range shadows {
		r.add(WasShadowed, a)
		r.shadow = a.ArtifactID
	}
	r.previous = before(activations)
	r.order()
	return r, nil
}

func (r *registry) add(kind string, a features.Activation) {
	r.history[a.ArtifactID] = append(r.history[a.ArtifactID], act{kind, a})
}

// order sorts each history by its instants, and the models by the first of theirs.
func (r *registry) order() {
	for id, acts := range r.history {
		slices.SortStableFunc(acts, func(a, b act) int { return cmp.Compare(a.At, b.At) })
		r.ids = append(r.ids, id)
	}
	slices.SortFunc(r.ids, func(a, b string) int {
		return cmp.Or(cmp.Compare(r.since(b), r.since(a)), cmp.Compare(a, b))
	})
}

// since is when a model was first heard of.
func (r *registry) since(id string) fund.Instant { return r.history[id][0].At }

// states of a model, at least one.
func (r *registry) states(id string) (out []string) {
	for _, s := range [...]struct {
		is    bool
		state string
	}{{id == r.active, Active}, {id == r.shadow && id != r.active, Shadow}, {id == r.previous, Previous}} {
		if s.is {
			out = append(out, s.state)
		}
	}
	if out == nil {
		out = []string{Kept}
	}
	return out
}

// running is the model in the shadow; "": none.
func (r *registry) running() string {
	if r.shadow == r.active {
		return ""
	}
	return r.shadow
}

// before returns what was in force before the model in force: not the one that happens to
// stand before it in the history, since that may be one that was taken back. Putting a model
// in force that was there before goes back to it, and forgets what came after: a rollback
// never brings back what a rollback took away.
func before(activations []features.Activation) string {
	var stack []string
	for _, a := range activations {
		if at := slices.Index(stack, a.ArtifactID); at >= 0 {
			stack = stack[:at+1]
			continue
		}
		stack = append(stack, a.ArtifactID)
	}
	if len(stack) < 2 {
		return ""
	}
	return stack[len(stack)-2]
}

// receipt returns the model that an entry of the registry names. Entries never change, so
// that each is read once.
func (s *Service) receipt(ctx context.Context, entry string) (string, error) {
	s.mu.Lock()
	id, ok := s.receipts[entry]
	s.mu.Unlock()
	if ok {
		return id, nil
	}
	data, err := s.models.Artifact(ctx, features.KeptArtifact, entry)
	if err != nil {
		return "", err
	}
	if err := checkID(string(data)); err != nil {
		return "", fmt.Errorf("%w: entry %s of the registry names %.80q, expected a model id", features.ErrInvalid, entry, data)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.receipts[entry] = string(data)
	return string(data), nil
}
