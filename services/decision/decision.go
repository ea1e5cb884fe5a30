// Package decision answers DecisionService: the record of an answer, and the answer
// computed again from what was sealed.
package decision

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"regexp"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/decisionlog"
	"github.com/fundmatch/fundmatch/services/wire"
)

// Verdict is the outcome of a replay.
type Verdict string

// The verdicts.
const (
	Match         Verdict = "MATCH"
	Mismatch      Verdict = "MISMATCH"
	EngineDiffers Verdict = "ENGINE_DIFFERS" // another program, its texts or its definitions recorded it, and the bytes differ
	Erased        Verdict = "ERASED"
)

// Cores compiles the cores of old decisions. *engine.Loader is one.
type Cores interface {
	// Past compiles the core of an identity with this program and its sentences.
	Past(ctx context.Context, id matcher.Identity) (*matcher.Core, error)
}

// Reader finds records. *decisionlog.Reader is one.
type Reader interface {
	// Find gives the record of a decision.
	Find(ctx context.Context, decisionID string) (decisionlog.Stored, error)
}

// Service implements fundmatchv1.DecisionServiceServer.
type Service struct {
	fundmatchv1.UnimplementedDecisionServiceServer
	cores  Cores
	reader Reader
}

// New returns a service.
func New(cores Cores, reader Reader) *Service { return &Service{cores: cores, reader: reader} }

// GetDecision implements the RPC.
func (s *Service) GetDecision(ctx context.Context, r *fundmatchv1.GetDecisionRequest) (*fundmatchv1.GetDecisionResponse, error) {
	stored, err := s.find(ctx, r.GetDecisionId())
	if err != nil {
		return nil, err
	}
	out := &fundmatchv1.GetDecisionResponse{
		DecisionId: stored.DecisionID, DecidedAt: wire.Timestamp(fund.Instant(stored.DecidedAt)),
		RecordedAt: wire.Timestamp(fund.Instant(stored.RecordedAt)), Status: string(Erased),
		Place:      fmt.Sprintf("writer-%04d/%012d/%d", stored.Writer, stored.Segment, stored.Index),
		Commitment: stored.Commitment.String(),
	}
	if stored.Erased {
		return out, nil
	}
	answer, err := parse(stored.Payload)
	if err != nil {
		return nil, fmt.Errorf("decision %s: %w", stored.DecisionID, err)
	}
	out.Status, out.RecordSha256 = "PRESENT", wire.Hash(sha256.Sum256(stored.Payload))
	out.Kind, out.Revisions = matcher.KindOf(stored.Payload).String(), wire.Revisions(*answer.identity())
	answer.present(out)
	return out, nil
}

// ReplayDecision implements the RPC.
func (s *Service) ReplayDecision(ctx context.Context, r *fundmatchv1.ReplayDecisionRequest) (*fundmatchv1.ReplayDecisionResponse, error) {
	stored, err := s.find(ctx, r.GetDecisionId())
	if err != nil {
		return nil, err
	}
	return s.Replay(ctx, &stored)
}

// decisionID is the canonical text of a UUID.
var decisionID = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// find returns a record, erased ones included.
func (s *Service) find(ctx context.Context, id string) (decisionlog.Stored, error) {
	if !decisionID.MatchString(id) {
		return decisionlog.Stored{}, features.Invalid("decisionId", id, "a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057")
	}
	stored, err := s.reader.Find(ctx, id)
	switch {
	case errors.Is(err, decisionlog.ErrErased):
		stored.Erased = true
		return stored, nil
	case errors.Is(err, decisionlog.ErrNotFound), errors.Is(err, decisionlog.ErrInvalid), errors.Is(err, fs.ErrNotExist):
		return stored, &features.NotFoundError{Kind: features.DecisionKind, ID: id}
	}
	return stored, err
}

// Replay computes a recorded answer again from the sealed profile and the core that the
// record names, and compares the canonical bytes: bit for bit on the same program,
// otherwise by what differs. An erased record cannot be replayed.
func (s *Service) Replay(ctx context.Context, stored *decisionlog.Stored) (*fundmatchv1.ReplayDecisionResponse, error) {
	out := &fundmatchv1.ReplayDecisionResponse{DecisionId: stored.DecisionID, Verdict: string(Erased)}
	if stored.Erased {
		return out, nil
	}
	recorded, err := parse(stored.Payload)
	if err != nil {
		return nil, fmt.Errorf("decision %s: %w", stored.DecisionID, err)
	}
	profile, err := fund.ParseProfile(stored.Profile)
	if err != nil {
		return nil, fmt.Errorf("decision %s: sealed profile: %w", stored.DecisionID, err)
	}
	core, err := s.cores.Past(ctx, *recorded.identity())
	if err != nil {
		return nil, fmt.Errorf("decision %s: %w", stored.DecisionID, err)
	}
	again, err := recorded.again(core, profile)
	if err != nil {
		return nil, fmt.Errorf("decision %s: %w", stored.DecisionID, err)
	}
	was, is := *recorded.identity(), core.Identity()
	// The record names the program that made it: the comparison is about the answer.
	*again.identity() = *recorded.identity()
	payload := again.AppendCanonical(nil)
	wrongSeed := seedDiffers(stored.DecisionID, recorded)
	out.RecordedSha256, out.RecomputedSha256 = wire.Hash(sha256.Sum256(stored.Payload)), wire.Hash(sha256.Sum256(payload))
	switch {
	case wrongSeed != "":
		out.Verdict, out.Differences = string(Mismatch), []string{wrongSeed}
		return out, nil
	case bytes.Equal(payload, stored.Payload):
		out.Verdict = string(Match)
		return out, nil
	case sameProgram(was, is):
		out.Verdict = string(Mismatch)
	default:
		out.Verdict = string(EngineDiffers)
	}
	out.Differences = recorded.differences(again)
	if was.Definitions != "" && was.Definitions != is.Definitions {
		out.Differences = append([]string{differentDefinitions(was.Definitions, is.Definitions)}, out.Differences...)
	}
	return out, nil
}

// seedDiffers says that an explored list was drawn by another seed than its decision's id
// gives: whoever may choose the seed chooses the product. Empty: it was not.
func seedDiffers(decisionID string, recorded answer) string {
	s, ok := recorded.(*slateAnswer)
	if !ok || s.Request.Exploration.Probability == 0 || s.Request.Seed == matcher.SeedOf(decisionID) {
		return ""
	}
	return fmt.Sprintf("seed: recorded %d, the decision's id gives %d", s.Request.Seed, matcher.SeedOf(decisionID))
}

// sameProgram reports whether a record was made by this program from what the core was
// compiled from. One of before the definitions were named says nothing of them: to be old
// excuses no other answer.
func sameProgram(was, is matcher.Identity) bool {
	was.Definitions = cmp.Or(was.Definitions, is.Definitions)
	return was == is
}

// differentDefinitions says why another answer is nobody's mistake: what was derived of the
// same trail, lots and purchases means something else.
func differentDefinitions(was, is string) string {
	return "definitions of derived features: recorded version " + was + ", this program has " + is
}
