// Package decision answers DecisionService: the record of an answer, and the answer
// computed again from what was sealed.
package decision

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
	"github.com/fundmatch/fundmatch/matcher/wording"
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
	EngineDiffers Verdict = "ENGINE_DIFFERS" // another program or its texts recorded it, and the bytes differ
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
	slate, err := matcher.ParseSlate(stored.Payload)
	if err != nil {
		return nil, fmt.Errorf("decision %s: %w", stored.DecisionID, err)
	}
	out.Status, out.RecordSha256 = "PRESENT", wire.Hash(sha256.Sum256(stored.Payload))
	present(slate, out)
	return out, nil
}

// present fills in what a slate says.
func present(s *matcher.Slate, out *fundmatchv1.GetDecisionResponse) {
	out.CustomerId, out.Channel, out.Audience = s.CustomerID, s.Request.Channel.String(), s.Request.Audience.String()
	out.Limit, out.Personalized, out.ValidUntil = int32(s.Request.Limit), s.Personal, wire.Timestamp(s.ValidUntil)
	out.Revisions = wire.Revisions(s.Identity)
	for i := range s.Items {
		it := &s.Items[i]
		item := &fundmatchv1.RecordedItem{
			Rank: int32(i + 1), ProductCode: it.Code, Score: it.Score, Propensity: it.Propensity, Goal: s.Wish.Goal.String(),
			Contributions: wire.Contributions(it.Contributions), Action: it.Conversion.Action.String(),
			AmountFen: int64(it.Conversion.Quote.Suggested),
		}
		item.Objections = shownDoubts(it.Objections, s.Request.Audience)
		out.Items = append(out.Items, item)
	}
	for _, x := range s.Excluded {
		out.Excluded = append(out.Excluded, &fundmatchv1.Exclusion{RuleId: string(x.ID), Count: int32(x.Count)})
	}
	for i := range s.Notices {
		out.Notices = append(out.Notices, s.Notices[i].Code)
	}
}

// shownDoubts are the codes that the answer showed to its reader.
func shownDoubts(doubts []objection.Objection, audience wording.Audience) (codes []string) {
	told := objection.Silence(doubts)
	for i := range doubts {
		code := doubts[i].Code
		if audience != wording.Manager {
			face, shown := objection.Tell(&told, &doubts[i])
			if !shown {
				continue
			}
			code = face
		}
		codes = append(codes, code.String())
	}
	return codes
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
	recorded, err := matcher.ParseSlate(stored.Payload)
	if err != nil {
		return nil, fmt.Errorf("decision %s: %w", stored.DecisionID, err)
	}
	profile, err := fund.ParseProfile(stored.Profile)
	if err != nil {
		return nil, fmt.Errorf("decision %s: sealed profile: %w", stored.DecisionID, err)
	}
	core, err := s.cores.Past(ctx, recorded.Identity)
	if err != nil {
		return nil, fmt.Errorf("decision %s: %w", stored.DecisionID, err)
	}
	var again matcher.Slate
	if err := core.Match(profile, recorded.Request, &again); err != nil {
		return nil, fmt.Errorf("decision %s: %w", stored.DecisionID, err)
	}
	now := core.Identity()
	sameEngine := now == recorded.Identity
	// The record names the program that made it: the comparison is about the answer.
	again.Identity = recorded.Identity
	payload := again.AppendCanonical(nil)
	out.RecordedSha256, out.RecomputedSha256 = wire.Hash(sha256.Sum256(stored.Payload)), wire.Hash(sha256.Sum256(payload))
	switch {
	case bytes.Equal(payload, stored.Payload):
		out.Verdict = string(Match)
		return out, nil
	case sameEngine:
		out.Verdict = string(Mismatch)
	default:
		out.Verdict = string(EngineDiffers)
	}
	out.Differences = differences(recorded, &again)
	return out, nil
}

// maxDifferences bounds the list: the first ones tell.
const maxDifferences = 20

// differences says in words what differs between a recorded and a recomputed answer:
// standing, order, scores, actions.
func differences(recorded, again *matcher.Slate) []string {
	var out []string
	add := func(what, was, is string) {
		if was != is && len(out) < maxDifferences {
			out = append(out, what+": recorded "+was+", recomputed "+is)
		}
	}
	add("personalized", strconv.FormatBool(recorded.Personal), strconv.FormatBool(again.Personal))
	add("information", strconv.FormatBool(recorded.Information), strconv.FormatBool(again.Information))
	add("validUntil", recorded.ValidUntil.String(), again.ValidUntil.String())
	add("items", strconv.Itoa(len(recorded.Items)), strconv.Itoa(len(again.Items)))
	for i := range min(len(recorded.Items), len(again.Items)) {
		was, is, at := &recorded.Items[i], &again.Items[i], "item "+strconv.Itoa(i+1)+" "
		add(at+"product", was.Code, is.Code)
		add(at+"score", formatScore(was.Score), formatScore(is.Score))
		add(at+"action", was.Conversion.Action.String(), is.Conversion.Action.String())
		add(at+"amount", strconv.FormatInt(int64(was.Conversion.Quote.Suggested), 10), strconv.FormatInt(int64(is.Conversion.Quote.Suggested), 10))
		add(at+"objections", strconv.Itoa(len(was.Objections)), strconv.Itoa(len(is.Objections)))
	}
	add("excluding rules", fmt.Sprint(recorded.Excluded), fmt.Sprint(again.Excluded))
	if len(out) == 0 {
		out = append(out, "only evidence, texts' names or derived values differ")
	}
	return out
}

func formatScore(s float64) string { return strconv.FormatFloat(s, 'g', -1, 64) }
