package model

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/wire"
)

// change is what every write has: the model, who, why, and the key under which it is made once.
type change struct {
	id       string
	by, note string
	key      features.Idempotency
}

// request is what the requests of writes to a model have in common.
type request interface {
	proto.Message
	GetModelId() string
	GetBy() string
	GetNote() string
}

// begin checks what a write to a model says.
func begin(ctx context.Context, method string, req request) (*change, error) {
	if err := checkID(req.GetModelId()); err != nil {
		return nil, err
	}
	c := &change{id: req.GetModelId(), by: req.GetBy(), note: req.GetNote()}
	if err := c.checkAuthor(); err != nil {
		return nil, err
	}
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(req)
	if err != nil {
		return nil, features.Invalid("body", "", "a message of valid UTF-8 texts")
	}
	if err := c.under(ctx, method, c.id, body); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *change) checkAuthor() error {
	if fund.CheckID(c.by) != nil {
		return features.Invalid("by", c.by, "who does it: 1 to 64 of 0-9 A-Z a-z . _ -")
	}
	if n := len(c.note); n < 1 || n > features.MaxNoteLength || !utf8.ValidString(c.note) || strings.ContainsRune(c.note, 0) {
		return features.Invalid("note", c.note, "why it is done, in 1 to "+strconv.Itoa(features.MaxNoteLength)+" bytes")
	}
	return nil
}

// under takes over the call's idempotency key, for the path that a method and a model make,
// none where the model comes with the body.
func (c *change) under(ctx context.Context, method, model string, body []byte) error {
	key, err := wire.IdempotencyKey(ctx)
	if err != nil || key == "" {
		return err
	}
	c.key = features.Idempotency{Scope: wire.Anonymous + " " + method + " " + model, Key: key, BodyHash: sha256.Sum256(body)}
	return nil
}

// checkID accepts the hex SHA-256 of bytes.
func checkID(id string) error {
	if len(id) != 2*sha256.Size || strings.Trim(id, "0123456789abcdef") != "" {
		return features.Invalid("modelId", id, "a model id: 64 lower-case hex digits")
	}
	return nil
}

// alone waits until nobody else changes the registry through this service, and returns what
// ends that: what is checked stays true until it is done, and one compile at a time is enough.
func (s *Service) alone(ctx context.Context) (done func(), err error) {
	select {
	case s.writer <- struct{}{}:
		return func() { <-s.writer }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// CreateModel implements the RPC.
func (s *Service) CreateModel(ctx context.Context, req *fundmatchv1.CreateModelRequest) (*fundmatchv1.CreateModelResponse, error) {
	data := req.GetArtifact()
	if n := len(data); n < 1 || n > MaxArtifact {
		return nil, features.Invalid("artifact", strconv.Itoa(n)+" bytes", "1 to "+strconv.Itoa(MaxArtifact)+" bytes")
	}
	c := &change{id: idOf(data), by: req.GetBy(), note: req.GetNote()}
	if err := c.checkAuthor(); err != nil {
		return nil, err
	}
	if err := c.under(ctx, "CreateModel", "", []byte(c.id+"\x00"+c.by+"\x00"+c.note)); err != nil {
		return nil, err
	}
	if err := Admit(data); err != nil {
		return nil, err
	}
	done, err := s.alone(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	created, err := s.keep(ctx, c, data)
	if err != nil {
		return nil, err
	}
	m, err := s.current(ctx, c.id)
	return &fundmatchv1.CreateModelResponse{Model: m, Created: created}, err
}

// Admit says whether bytes are a model that may be kept: read strictly, with a name of the
// bank's own. Errors: *RefusedError, *StateError.
func Admit(data []byte) error {
	m, err := score.ParseModel(data)
	if err != nil {
		return refused(err)
	}
	builtIn, err := score.ParseModel(score.DefaultModel())
	if err != nil {
		return err
	}
	if m.Name == builtIn.Name && idOf(data) != idOf(score.DefaultModel()) {
		return &RefusedError{Reason: NameReserved, Text: fmt.Sprintf(
			"name: %q is the built-in model's, which a newer program replaces; expected a name of the bank's own", m.Name)}
	}
	return nil
}

// keep puts a model into the store and enters it in the registry, where it is not there yet.
func (s *Service) keep(ctx context.Context, c *change, data []byte) (created bool, err error) {
	now := fund.InstantOf(s.now())
	if done, err := s.models.Repeats(ctx, c.key, now); done || err != nil {
		return false, err
	}
	r, err := s.read(ctx)
	if err != nil || r.kept[c.id] {
		return false, err
	}
	created = r.history[c.id] == nil
	if created && len(r.ids) >= MaxModels {
		return false, &StateError{Reason: Full, Text: "the registry holds " + strconv.Itoa(MaxModels) + " models, and none can be added"}
	}
	if _, err := s.models.Put(ctx, features.ModelArtifact, data); err != nil {
		return false, err
	}
	entry, err := s.models.Put(ctx, features.KeptArtifact, []byte(c.id))
	if err != nil {
		return false, err
	}
	return created, s.models.Activate(ctx, c.activation(features.KeptArtifact, entry, now))
}

func (c *change) activation(kind features.ArtifactKind, id string, at fund.Instant) features.Activation {
	return features.Activation{Kind: kind, ArtifactID: id, At: at, By: c.by, Note: c.note, Idempotency: c.key}
}

// ActivateModel implements the RPC. A model that is in force already stays, and its history too.
func (s *Service) ActivateModel(ctx context.Context, req *fundmatchv1.ActivateModelRequest) (*fundmatchv1.ActivateModelResponse, error) {
	c, err := begin(ctx, "ActivateModel", req)
	if err != nil {
		return nil, err
	}
	err = s.once(ctx, c, func(r *registry) error {
		if r.active == c.id {
			return nil
		}
		return s.activate(ctx, r, c, c.id)
	})
	if err != nil {
		return nil, err
	}
	m, err := s.current(ctx, c.id)
	return &fundmatchv1.ActivateModelResponse{Model: m}, err
}

// RollbackModel implements the RPC.
func (s *Service) RollbackModel(ctx context.Context, req *fundmatchv1.RollbackModelRequest) (*fundmatchv1.RollbackModelResponse, error) {
	c, err := begin(ctx, "RollbackModel", req)
	if err != nil {
		return nil, err
	}
	err = s.once(ctx, c, func(r *registry) error {
		switch {
		case r.active != c.id:
			return &StateError{Reason: NotInForce, Text: fmt.Sprintf("model %s is not in force, so that it cannot be taken back; in force is %s", c.id, r.active)}
		case r.previous == "":
			return &StateError{Reason: NoPrevious, Text: "no model was in force before that was not taken back itself; activate one by its id"}
		}
		return s.activate(ctx, r, c, r.previous)
	})
	if err != nil {
		return nil, err
	}
	active, err := s.models.ActiveID(ctx, features.ModelArtifact)
	if err != nil {
		return nil, err
	}
	m, err := s.current(ctx, active)
	return &fundmatchv1.RollbackModelResponse{Model: m}, err
}

// ShadowModel implements the RPC.
func (s *Service) ShadowModel(ctx context.Context, req *fundmatchv1.ShadowModelRequest) (*fundmatchv1.ShadowModelResponse, error) {
	c, err := begin(ctx, "ShadowModel", req)
	if err != nil {
		return nil, err
	}
	err = s.once(ctx, c, func(r *registry) error {
		if r.shadow == c.id || r.shadow == "" && r.active == c.id {
			return nil
		}
		return s.shadow(ctx, c, r.active)
	})
	if err != nil {
		return nil, err
	}
	m, err := s.current(ctx, c.id)
	return &fundmatchv1.ShadowModelResponse{Model: m}, err
}

// once makes a change to a model of the registry, unless it was made under its key before.
func (s *Service) once(ctx context.Context, c *change, apply func(*registry) error) error {
	done, err := s.alone(ctx)
	if err != nil {
		return err
	}
	defer done()
	if done, err := s.models.Repeats(ctx, c.key, fund.InstantOf(s.now())); done || err != nil {
		return err
	}
	r, err := s.read(ctx)
	if err != nil {
		return err
	}
	if r.history[c.id] == nil {
		return unknown(c.id)
	}
	return apply(r)
}

// noShadow is the note of an entry that keeps the shadow empty.
const noShadow = "nothing runs in the shadow"

// activate puts a model in force that this program can answer with. Where nothing runs in the
// shadow, nothing does afterwards: otherwise the model that was in force would begin to.
func (s *Service) activate(ctx context.Context, r *registry, c *change, id string) error {
	data, err := s.usable(ctx, id)
	if err != nil {
		return err
	}
	if _, err := s.models.Put(ctx, features.ModelArtifact, data); err != nil { // it may have been kept as a shadow alone
		return err
	}
	if err := s.models.Activate(ctx, c.activation(features.ModelArtifact, id, fund.InstantOf(s.now()))); err != nil {
		return err
	}
	if r.shadow == "" || r.running() != "" || r.shadow == id {
		return nil
	}
	return s.enter(ctx, &change{id: id, by: c.by, note: noShadow}, id, data)
}

// shadow puts a model in the shadow; the one in force, of which there is nothing to check,
// ends it.
func (s *Service) shadow(ctx context.Context, c *change, active string) error {
	data, err := s.load(ctx, c.id)
	if err == nil && c.id != active {
		data, err = s.usable(ctx, c.id)
	}
	if err != nil {
		return err
	}
	return s.enter(ctx, c, c.id, data)
}

// enter adds a model to the history of shadows.
func (s *Service) enter(ctx context.Context, c *change, id string, data []byte) error {
	if _, err := s.models.Put(ctx, features.ShadowArtifact, data); err != nil {
		return err
	}
	return s.models.Activate(ctx, c.activation(features.ShadowArtifact, id, fund.InstantOf(s.now())))
}

// usable returns the bytes of a model that parses strictly and compiles with what is
// published. Errors: *StateError, *features.NotFoundError, what the store returns.
func (s *Service) usable(ctx context.Context, id string) ([]byte, error) {
	data, err := s.load(ctx, id)
	if err != nil {
		return nil, err
	}
	if idOf(data) != id {
		return nil, &StateError{Reason: Altered, Text: "model " + id + ": the stored bytes have another hash"}
	}
	if _, err := score.ParseModel(data); err != nil {
		return nil, unusable(id, err)
	}
	err = s.check(ctx, data)
	if errors.Is(err, matcher.ErrCompile) {
		return nil, &StateError{Reason: NotCompiled, Text: fmt.Sprintf("model %s: with it no core compiles: %s", id, oneLine(err)), cause: err}
	}
	return data, err
}
