// Package model answers fundmatch.v1.ModelService: the registry of models. It keeps what it
// has checked, puts in force what compiles, and tells who did what, when and why. What it
// refuses changes nothing.
package model

import (
	"context"
	"encoding/base64"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/score/modelfile"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
)

// The bounds of the registry.
const (
	// MaxArtifact bounds a model's bytes.
	MaxArtifact = modelfile.MaxBytes
	// MaxBody bounds the JSON that such a model comes in: base64 is four bytes for three, and
	// around it stand a few names.
	MaxBody = (MaxArtifact+2)/3*4 + 8<<10
	// MaxModels bounds the models of a registry: one a day for 27 years.
	MaxModels = 10_000
)

// The sizes of a page.
const (
	DefaultPageSize = 20
	MaxPageSize     = 100
)

// Check compiles a model as if it were in force, and changes nothing. Its error wraps
// matcher.ErrCompile when the model is at fault.
type Check func(ctx context.Context, data []byte) error

// Service implements fundmatchv1.ModelServiceServer. Its methods return *RefusedError,
// *StateError, the typed errors of package features, and what the store returns; the server's
// table gives them codes.
type Service struct {
	fundmatchv1.UnimplementedModelServiceServer
	models features.Models
	check  Check
	now    func() time.Time
	writer chan struct{} // holds the one who changes something

	mu        sync.Mutex
	summaries map[string]*fundmatchv1.Model // by model id; MaxModels at most
	receipts  map[string]string             // model ids by the artifact ids of their entries
}

// New returns the service over a store. check compiles a model before it is put in force, and
// now is the clock of the histories.
func New(models features.Models, check Check, now func() time.Time) *Service {
	return &Service{
		models: models, check: check, now: now, writer: make(chan struct{}, 1),
		summaries: map[string]*fundmatchv1.Model{}, receipts: map[string]string{},
	}
}

// ListModels implements the RPC. A page's token names the last model of the page before, so
// that models that come meanwhile, which stand in front, neither repeat nor skip any.
func (s *Service) ListModels(ctx context.Context, req *fundmatchv1.ListModelsRequest) (*fundmatchv1.ListModelsResponse, error) {
	size := int(req.GetPageSize())
	if size == 0 {
		size = DefaultPageSize
	}
	if size < 1 || size > MaxPageSize {
		return nil, features.Invalid("pageSize", strconv.Itoa(size), "1 to "+strconv.Itoa(MaxPageSize))
	}
	r, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	first, err := r.place(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	page := r.ids[first:min(first+size, len(r.ids))]
	out := &fundmatchv1.ListModelsResponse{TotalSize: int32(len(r.ids)), ActiveModelId: r.active, ShadowModelId: r.running()}
	for _, id := range page {
		m, err := s.present(ctx, r, id)
		if err != nil {
			return nil, err
		}
		out.Models = append(out.Models, m)
	}
	if end := first + len(page); end < len(r.ids) {
		out.NextPageToken = base64.RawURLEncoding.EncodeToString([]byte(page[len(page)-1]))
	}
	return out, nil
}

// place finds where the page of a token begins.
func (r *registry) place(token string) (int, error) {
	if token == "" {
		return 0, nil
	}
	after, err := base64.RawURLEncoding.DecodeString(token)
	at := slices.Index(r.ids, string(after))
	if err != nil || at < 0 {
		return 0, features.Invalid("pageToken", token, "the nextPageToken of an answer")
	}
	return at + 1, nil
}

// GetModel implements the RPC.
func (s *Service) GetModel(ctx context.Context, req *fundmatchv1.GetModelRequest) (*fundmatchv1.GetModelResponse, error) {
	id := req.GetModelId()
	if err := checkID(id); err != nil {
		return nil, err
	}
	m, err := s.current(ctx, id)
	return &fundmatchv1.GetModelResponse{Model: m}, err
}

// current tells a model as it stands.
func (s *Service) current(ctx context.Context, id string) (*fundmatchv1.Model, error) {
	r, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	if r.history[id] == nil {
		return nil, unknown(id)
	}
	return s.present(ctx, r, id)
}
