package decision_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/dataset/synthetic"
	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/wording"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/decision"
	"github.com/fundmatch/fundmatch/services/decisionlog"
	"github.com/fundmatch/fundmatch/services/engine"
	"github.com/fundmatch/fundmatch/services/recommendation"
)

const customerID = "DEMO-0002-STEADY-C3"

// bank is a synthetic bank with a decision log on disk.
type bank struct {
	store   *memory.Store
	loader  *engine.Loader
	log     *decisionlog.Log
	dir     string
	service *decision.Service
	answer  func(tb testing.TB, customerID string) *fundmatchv1.RecommendResponse
}

func openBank(tb testing.TB) *bank {
	tb.Helper()
	opts := synthetic.Options{Customers: 40, Products: 60, Seed: 5, AsOf: fund.Date(20260310)}
	at := opts.AsOf.Start().Add(10 * time.Hour)
	b := &bank{store: memory.New(), dir: filepath.Join(tb.TempDir(), "decisions")}
	generated, err := synthetic.Generate(opts)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := b.store.Import(tb.Context(), at, generated.Load); err != nil {
		tb.Fatal(err)
	}
	if err := engine.InstallDefaults(tb.Context(), b.store, at); err != nil {
		tb.Fatal(err)
	}
	if b.loader, err = engine.NewLoader(b.store, b.store, "test"); err != nil {
		tb.Fatal(err)
	}
	core, err := b.loader.Newest(tb.Context(), at)
	if err != nil {
		tb.Fatal(err)
	}
	if b.log, err = decisionlog.Open(b.dir, decisionlog.Config{Now: at.Time}); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = b.log.Close() })
	recommend := recommendation.New(recommendation.Fixed(core, at), b.store, b.log, recommendation.Config{
		Clock: at.Time, NewID: func() (string, error) { id, err := uuid.NewV7(); return id.String(), err },
	})
	b.answer = func(tb testing.TB, customerID string) *fundmatchv1.RecommendResponse {
		tb.Helper()
		got, err := recommend.Recommend(tb.Context(), &fundmatchv1.RecommendRequest{CustomerId: customerID})
		if err != nil {
			tb.Fatal(err)
		}
		return got
	}
	b.service = decision.New(b.loader, b.reader(tb))
	return b
}

func (b *bank) reader(tb testing.TB) *decisionlog.Reader {
	tb.Helper()
	r, err := decisionlog.OpenReader(b.dir)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// stored returns the record of a decision.
func (b *bank) stored(tb testing.TB, id string) *decisionlog.Stored {
	tb.Helper()
	s, err := b.reader(tb).Find(tb.Context(), id)
	if err != nil {
		tb.Fatal(err)
	}
	return &s
}

func replay(tb testing.TB, s *decision.Service, stored *decisionlog.Stored) *fundmatchv1.ReplayDecisionResponse {
	tb.Helper()
	got, err := s.Replay(tb.Context(), stored)
	if err != nil {
		tb.Fatal(err)
	}
	return got
}

// TestReplayMatches: every story, read back from the disk, gives its bytes again; on
// another version of the program too, as long as that answers the same.
func TestReplayMatches(t *testing.T) {
	t.Parallel()
	b := openBank(t)
	newer, err := engine.NewLoader(b.store, b.store, "newer")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range synthetic.StoryIDs() {
		given := b.answer(t, id)
		for _, loader := range []*engine.Loader{b.loader, newer} {
			got, err := decision.New(loader, b.reader(t)).ReplayDecision(t.Context(), &fundmatchv1.ReplayDecisionRequest{DecisionId: given.GetDecisionId()})
			if err != nil {
				t.Fatal(err)
			}
			if got.GetVerdict() != string(decision.Match) || len(got.GetDifferences()) != 0 || got.GetRecordedSha256() != got.GetRecomputedSha256() || got.GetRecordedSha256() == "" {
				t.Errorf("%s: %v", id, got)
			}
		}
	}
}

// TestReplayDoesNotReadWhatChangedSince: it computes from what was sealed.
func TestReplayDoesNotReadWhatChangedSince(t *testing.T) {
	t.Parallel()
	b := openBank(t)
	given := b.answer(t, customerID)
	at := fund.InstantOf(given.GetDecidedAt().AsTime())
	_, err := b.store.Write(t.Context(), features.Write{CustomerID: customerID, RecordedAt: at, Cells: []features.Cell{{
		CustomerID: customerID, View: features.PersonalizationView, Name: features.EnabledName, Value: "false", EventAt: at, KnownAt: at,
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.store.Import(t.Context(), at, func(batch features.Batch) error {
		return batch.NAVs(given.GetItems()[0].GetProduct().GetCode(), []fund.NAV{{Date: 20250103, Unit: 9, Accum: 9}})
	}); err != nil {
		t.Fatal(err)
	}
	if got := replay(t, b.service, b.stored(t, given.GetDecisionId())); got.GetVerdict() != string(decision.Match) {
		t.Errorf("%v", got)
	}
}

// tampered says one thing differently than what was computed.
func tampered(tb testing.TB, stored *decisionlog.Stored, change func(*matcher.Slate)) *decisionlog.Stored {
	tb.Helper()
	slate, err := matcher.ParseSlate(stored.Payload)
	if err != nil {
		tb.Fatal(err)
	}
	change(slate)
	out := *stored
	out.Payload = slate.AppendCanonical(nil)
	return &out
}

// TestReplayTellsWhatDiffers, and whether the same program said so.
func TestReplayTellsWhatDiffers(t *testing.T) {
	t.Parallel()
	b := openBank(t)
	stored := b.stored(t, b.answer(t, customerID).GetDecisionId())
	for want, change := range map[string]func(*matcher.Slate){
		"item 1 product: recorded X":        func(s *matcher.Slate) { s.Items[0].Code = "X" },
		"item 2 score: recorded 77":         func(s *matcher.Slate) { s.Items[1].Score = 77 },
		"item 1 amount: recorded 1, ":       func(s *matcher.Slate) { s.Items[0].Conversion.Quote.Suggested = 1 },
		"item 1 objections: recorded 0":     func(s *matcher.Slate) { s.Items[0].Objections = nil },
		"items: recorded 1, recomputed":     func(s *matcher.Slate) { s.Items = s.Items[:1] },
		"personalized: recorded false":      func(s *matcher.Slate) { s.Personal = false },
		"excluding rules: recorded []":      func(s *matcher.Slate) { s.Excluded = nil },
		"only evidence, texts' names":       func(s *matcher.Slate) { s.Disclosures = s.Disclosures[:1] },
		"validUntil: recorded 2026-03-10T0": func(s *matcher.Slate) { s.ValidUntil-- },
	} {
		got := replay(t, b.service, tampered(t, stored, change))
		if got.GetVerdict() != string(decision.Mismatch) || len(got.GetDifferences()) == 0 || !strings.HasPrefix(got.GetDifferences()[0], want) {
			t.Errorf("%v, expected %s", got, want)
		}
		other := replay(t, b.service, tampered(t, stored, func(s *matcher.Slate) { change(s); s.Identity.Engine = "older" }))
		if other.GetVerdict() != string(decision.EngineDiffers) || len(other.GetDifferences()) == 0 {
			t.Errorf("%s on another engine: %v", want, other)
		}
	}
	everything := replay(t, b.service, tampered(t, stored, func(s *matcher.Slate) {
		for i := range s.Items {
			s.Items[i].Code, s.Items[i].Score, s.Items[i].Objections = "X", float64(i), nil
		}
	}))
	if n := len(everything.GetDifferences()); n != 20 {
		t.Errorf("%d differences, expected the first 20", n)
	}
}

// otherModel compiles cores with a model that is not the one that they name.
type otherModel struct{ *bank }

func (m otherModel) Past(ctx context.Context, id matcher.Identity) (*matcher.Core, error) {
	model, err := score.ParseModel(bytes.Replace(score.DefaultModel(), []byte("weight: 1.0\n"), []byte("weight: 1.25\n"), 1))
	if err != nil {
		return nil, err
	}
	rules, err := eligibility.ParsePack(eligibility.Default())
	if err != nil {
		return nil, err
	}
	text, err := wording.Compile(wording.DefaultTemplates())
	if err != nil {
		return nil, err
	}
	products, err := m.store.Pool(ctx, id.PoolRevision)
	if err != nil {
		return nil, err
	}
	calendar, err := m.store.Calendar(ctx, id.DataSeq)
	if err != nil {
		return nil, err
	}
	cut := features.Cut{AsOf: id.AsOf, Seq: id.DataSeq}
	return matcher.Compile(&matcher.Inputs{
		Identity: id, Products: products, Model: model, Rules: rules, Calendar: calendar, Wording: text,
		NAVs:      func(yield func(string, []fund.NAV) error) error { return m.store.NAVs(ctx, cut, yield) },
		Purchases: func(yield func(string, []fund.Purchase) error) error { return m.store.Purchases(ctx, cut, yield) },
	})
}

// TestATamperedModelIsAMismatch: same names, other weights.
func TestATamperedModelIsAMismatch(t *testing.T) {
	t.Parallel()
	b := openBank(t)
	given := b.answer(t, customerID)
	got := replay(t, decision.New(otherModel{b}, b.reader(t)), b.stored(t, given.GetDecisionId()))
	if got.GetVerdict() != string(decision.Mismatch) || !strings.Contains(strings.Join(got.GetDifferences(), "\n"), "score: recorded") {
		t.Errorf("%v", got)
	}
}

// changedArtifacts is a store whose files were changed under their names.
type changedArtifacts struct{ *memory.Store }

func (s changedArtifacts) Artifact(ctx context.Context, kind features.ArtifactKind, id string) ([]byte, error) {
	data, err := s.Store.Artifact(ctx, kind, id)
	return append(bytes.Clone(data), "\n# changed"...), err
}

// TestAChangedFileIsRefused: a model that is not the one recorded is not replayed with.
func TestAChangedFileIsRefused(t *testing.T) {
	t.Parallel()
	b := openBank(t)
	given := b.answer(t, customerID)
	loader, err := engine.NewLoader(b.store, changedArtifacts{b.store}, "test")
	if err != nil {
		t.Fatal(err)
	}
	_, err = decision.New(loader, b.reader(t)).ReplayDecision(t.Context(), &fundmatchv1.ReplayDecisionRequest{DecisionId: given.GetDecisionId()})
	if !errors.Is(err, matcher.ErrCompile) || !strings.Contains(err.Error(), "another hash") {
		t.Errorf("%v", err)
	}
}

// TestErased: after an erasure the record says so and nothing personal.
func TestErased(t *testing.T) {
	t.Parallel()
	b := openBank(t)
	given := b.answer(t, customerID)
	other := b.answer(t, "DEMO-0016-GROWTH-C4")
	if n, err := b.log.Erase(t.Context(), customerID); err != nil || n != 1 {
		t.Fatalf("%d erased, %v", n, err)
	}
	got, err := b.service.ReplayDecision(t.Context(), &fundmatchv1.ReplayDecisionRequest{DecisionId: given.GetDecisionId()})
	if err != nil || got.GetVerdict() != string(decision.Erased) || got.GetRecordedSha256() != "" || len(got.GetDifferences()) != 0 {
		t.Errorf("%v, %v", got, err)
	}
	record, err := b.service.GetDecision(t.Context(), &fundmatchv1.GetDecisionRequest{DecisionId: given.GetDecisionId()})
	if err != nil {
		t.Fatal(err)
	}
	if record.GetStatus() != "ERASED" || record.GetCustomerId() != "" || len(record.GetItems()) != 0 || record.GetRecordSha256() != "" || record.GetCommitment() == "" || record.GetDecidedAt() == nil {
		t.Errorf("%v", record)
	}
	if got := replay(t, b.service, b.stored(t, other.GetDecisionId())); got.GetVerdict() != string(decision.Match) {
		t.Errorf("another customer's decision: %v", got)
	}
}

// TestGetDecisionIsTheAnswer shows what was answered.
func TestGetDecisionIsTheAnswer(t *testing.T) {
	t.Parallel()
	b := openBank(t)
	for _, id := range synthetic.StoryIDs() {
		given := b.answer(t, id)
		got, err := b.service.GetDecision(t.Context(), &fundmatchv1.GetDecisionRequest{DecisionId: given.GetDecisionId()})
		if err != nil {
			t.Fatal(err)
		}
		if err := sameAnswer(given, got); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
}

func sameAnswer(given *fundmatchv1.RecommendResponse, got *fundmatchv1.GetDecisionResponse) error {
	switch {
	case got.GetStatus() != "PRESENT" || got.GetCustomerId() != given.GetCustomerId() || got.GetPersonalized() != given.GetPersonalized():
		return fmt.Errorf("%v", got)
	case len(got.GetItems()) != len(given.GetItems()) || len(got.GetExcluded()) != len(given.GetExcluded()):
		return fmt.Errorf("%d items, %d rules", len(got.GetItems()), len(got.GetExcluded()))
	case !got.GetValidUntil().AsTime().Equal(given.GetValidUntil().AsTime()) || !got.GetDecidedAt().AsTime().Equal(given.GetDecidedAt().AsTime()):
		return fmt.Errorf("decided %v, valid until %v", got.GetDecidedAt(), got.GetValidUntil())
	}
	for _, n := range given.GetNotices() { // those for managers are recorded too
		if !slices.Contains(got.GetNotices(), n.GetCode()) {
			return fmt.Errorf("notice %s is not in %v", n.GetCode(), got.GetNotices())
		}
	}
	for i, it := range got.GetItems() {
		was := given.GetItems()[i]
		sum := 0.0
		for _, c := range it.GetContributions() {
			sum += c.GetContribution()
		}
		if it.GetProductCode() != was.GetProduct().GetCode() || it.GetScore() != was.GetScore() || sum != it.GetScore() || //nolint:testifylint // the same bits
			it.GetAction() != was.GetConversion().GetAction() || it.GetAmountFen() != was.GetConversion().GetAmountFen().GetSuggested() || len(it.GetObjections()) != len(was.GetObjections()) {
			return fmt.Errorf("item %d: %v", i, it)
		}
	}
	return nil
}

// failingReader fails as the log does.
type failingReader struct{ err error }

func (r failingReader) Find(context.Context, string) (decisionlog.Stored, error) {
	return decisionlog.Stored{}, r.err
}

// TestRefused tells ids that cannot be from decisions that are not there, and both from
// a log that cannot be read.
func TestRefused(t *testing.T) {
	t.Parallel()
	b := openBank(t)
	for id, want := range map[string]string{
		"":                                     `decisionId: "", expected a UUID`,
		"DECISION":                             `decisionId: "DECISION", expected a UUID`,
		"019CD578-F500-72EB-A7EF-0E556E6EABF1": `decisionId: "019CD578`,
		"019cd578-f500-72eb-a7ef-0e556e6eabf1": `DECISION "019cd578-f500-72eb-a7ef-0e556e6eabf1": not found`,
		"019cd578-f500-42eb-a7ef-0e556e6eabf1": `DECISION "019cd578-f500-42eb-a7ef-0e556e6eabf1": not found`, // not a version 7
	} {
		_, err := b.service.GetDecision(t.Context(), &fundmatchv1.GetDecisionRequest{DecisionId: id})
		_, again := b.service.ReplayDecision(t.Context(), &fundmatchv1.ReplayDecisionRequest{DecisionId: id})
		for _, err := range []error{err, again} {
			if err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%q: %v, expected %s...", id, err, want)
			}
		}
	}
	for _, reason := range []error{decisionlog.ErrCorrupt, decisionlog.ErrNewerFormat, context.Canceled} {
		_, err := decision.New(b.loader, failingReader{reason}).GetDecision(t.Context(), &fundmatchv1.GetDecisionRequest{DecisionId: "019cd578-f500-72eb-a7ef-0e556e6eabf1"})
		if !errors.Is(err, reason) {
			t.Errorf("%v, expected %v", err, reason)
		}
	}
}

// TestARecordThatCannotBeReadIsAnError and never a verdict.
func TestARecordThatCannotBeReadIsAnError(t *testing.T) {
	t.Parallel()
	b := openBank(t)
	stored := b.stored(t, b.answer(t, customerID).GetDecisionId())
	for name, change := range map[string]func(*decisionlog.Stored){
		"payload cut":   func(s *decisionlog.Stored) { s.Payload = s.Payload[:len(s.Payload)/2] },
		"payload newer": func(s *decisionlog.Stored) { s.Payload = append([]byte{99}, s.Payload[1:]...) },
		"profile cut":   func(s *decisionlog.Stored) { s.Profile = s.Profile[:len(s.Profile)/2] },
		"no profile":    func(s *decisionlog.Stored) { s.Profile = nil },
		"pool that is gone": func(s *decisionlog.Stored) {
			*s = *tampered(t, s, func(sl *matcher.Slate) { sl.Identity.PoolRevision = 99 })
		},
		"outside the core": func(s *decisionlog.Stored) {
			*s = *tampered(t, s, func(sl *matcher.Slate) {
				sl.Request.At++
				sl.Request.At -= fund.Instant(48 * time.Hour / time.Microsecond)
			})
		},
	} {
		broken := *stored
		change(&broken)
		if got, err := b.service.Replay(t.Context(), &broken); err == nil || got != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
