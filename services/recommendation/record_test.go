package recommendation_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/decisionlog"
	"github.com/fundmatch/fundmatch/services/recommendation"
)

const storyCustomer = "DEMO-0002-STEADY-C3"

// TestAnAnswerThatIsNotRecordedIsNotGiven: whatever the log's reason, the caller gets it
// and no answer, and nobody counts one.
func TestAnAnswerThatIsNotRecordedIsNotGiven(t *testing.T) {
	t.Parallel()
	b := openBank(t, testBank)
	observed := 0
	service := recommendation.New(b.engine, b.store, b.log, recommendation.Config{
		Clock: func() time.Time { return b.at }, NewID: newID, ObserveAnswer: func(*matcher.Slate) { observed++ },
	})
	for _, reason := range []error{decisionlog.ErrFull, decisionlog.ErrRefused, decisionlog.ErrClosed, context.Canceled} {
		b.log.err = fmt.Errorf("append: %w", reason)
		got, err := service.Recommend(t.Context(), &fundmatchv1.RecommendRequest{CustomerId: storyCustomer})
		if got != nil || !errors.Is(err, reason) {
			t.Errorf("%v: answer %v, error %v", reason, got, err)
		}
	}
	if observed != 0 || len(b.log.records) != 0 {
		t.Errorf("%d answers observed, %d recorded", observed, len(b.log.records))
	}
	b.log.err = nil
	got, err := service.Recommend(t.Context(), &fundmatchv1.RecommendRequest{CustomerId: storyCustomer})
	if err != nil || len(got.GetItems()) == 0 || observed != 1 || len(b.log.records) != 1 {
		t.Errorf("after the log recovered: %v, %v; %d observed, %d recorded", got, err, observed, len(b.log.records))
	}
}

// TestNothingIsRecordedWithoutAnID: ids that cannot be made stop answers.
func TestNothingIsRecordedWithoutAnID(t *testing.T) {
	t.Parallel()
	b := openBank(t, testBank)
	service := recommendation.New(b.engine, b.store, b.log, recommendation.Config{
		Clock: func() time.Time { return b.at }, NewID: func() (string, error) { return "", errors.New("no randomness") },
	})
	if got, err := service.Recommend(t.Context(), &fundmatchv1.RecommendRequest{CustomerId: storyCustomer}); err == nil || got != nil {
		t.Errorf("%v, %v", got, err)
	}
	if len(b.log.records) != 0 {
		t.Error("something was recorded")
	}
}

// TestARecordIsTheAnswer: what was recorded is what was answered, and the sealed profile
// and the core that it names give the same bytes again.
func TestARecordIsTheAnswer(t *testing.T) {
	t.Parallel()
	b := openBank(t, testBank)
	ask := newAsker(t, b, 6)
	var given []*fundmatchv1.RecommendResponse
	for range 300 {
		got, err := b.service.Recommend(t.Context(), ask.question())
		if err != nil {
			t.Fatal(err)
		}
		given = append(given, got)
	}
	if len(b.log.records) != len(given) {
		t.Fatalf("%d answers, %d records", len(given), len(b.log.records))
	}
	seen := map[string]bool{}
	for i := range given {
		r := &b.log.records[i]
		if r.DecisionID != given[i].GetDecisionId() || r.CustomerID != given[i].GetCustomerId() || seen[r.DecisionID] {
			t.Fatalf("record %d is not of its answer: %s %s, %s %s", i, r.DecisionID, r.CustomerID, given[i].GetDecisionId(), given[i].GetCustomerId())
		}
		seen[r.DecisionID] = true
		if err := again(t.Context(), b, r, given[i]); err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
	}
}

// again recomputes a record from what it holds.
func again(ctx context.Context, b *bank, r *decisionlog.Record, given *fundmatchv1.RecommendResponse) error {
	recorded, err := matcher.ParseSlate(r.Payload)
	if err != nil {
		return err
	}
	profile, err := fund.ParseProfile(r.Profile)
	if err != nil {
		return err
	}
	core, err := b.loader.Past(ctx, recorded.Identity)
	if err != nil {
		return err
	}
	var slate matcher.Slate
	if err := core.Match(profile, recorded.Request, &slate); err != nil {
		return err
	}
	if !bytes.Equal(slate.AppendCanonical(nil), r.Payload) {
		return errors.New("recomputed bytes differ")
	}
	if len(slate.Items) != len(given.GetItems()) {
		return fmt.Errorf("%d items recorded, %d given", len(slate.Items), len(given.GetItems()))
	}
	for i, it := range given.GetItems() {
		was := &slate.Items[i]
		if it.GetProduct().GetCode() != was.Code || it.GetScore() != was.Score { //nolint:testifylint // the same bits
			return fmt.Errorf("item %d: %s %v recorded, %s %v given", i, was.Code, was.Score, it.GetProduct().GetCode(), it.GetScore())
		}
	}
	return nil
}

// TestExplainRecordsNothing: a question is no decision.
func TestExplainRecordsNothing(t *testing.T) {
	t.Parallel()
	b := openBank(t, testBank)
	core, _, err := b.engine.Core()
	if err != nil {
		t.Fatal(err)
	}
	for i := range core.Len() {
		if _, err := b.service.Explain(t.Context(), &fundmatchv1.ExplainRequest{CustomerId: storyCustomer, ProductCode: core.Product(i).Code}); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.log.records) != 0 {
		t.Errorf("%d records", len(b.log.records))
	}
}

// TestStagesAreMeasured: each stage once an answer, in their order.
func TestStagesAreMeasured(t *testing.T) {
	t.Parallel()
	b := openBank(t, testBank)
	var stages []recommendation.Stage
	service := recommendation.New(b.engine, b.store, b.log, recommendation.Config{
		Clock: func() time.Time { return b.at }, NewID: newID,
		ObserveStage: func(s recommendation.Stage, _ time.Duration) { stages = append(stages, s) },
	})
	if _, err := service.Recommend(t.Context(), &fundmatchv1.RecommendRequest{CustomerId: storyCustomer}); err != nil {
		t.Fatal(err)
	}
	want := []recommendation.Stage{recommendation.StageProfile, recommendation.StageMatch, recommendation.StageRender, recommendation.StageRecord}
	if fmt.Sprint(stages) != fmt.Sprint(want) {
		t.Errorf("%v, expected %v", stages, want)
	}
}

// headerStream takes the header that a handler sets.
type headerStream struct {
	grpc.ServerTransportStream
	header metadata.MD
}

func (s *headerStream) SetHeader(md metadata.MD) error {
	s.header = metadata.Join(s.header, md)
	return nil
}

// TestAnETagNamesWhatAnAnswerSays: equal names, equal answers; and what the customer
// tells, another core or another question gives another name.
func TestAnETagNamesWhatAnAnswerSays(t *testing.T) {
	t.Parallel()
	b := openBank(t, testBank)
	ask := newAsker(t, b, 7)
	said := map[string]string{}
	again := 0
	for i := range 1500 {
		b.at = b.at.Add(time.Duration(ask.rng.IntN(3)) * time.Second)
		question := ask.question()
		if i%3 > 0 { // some questions come again
			limit := int32(3)
			question.CustomerId, question.Limit = ask.ids[ask.rng.IntN(20)], &limit
		}
		stream := &headerStream{}
		got, err := b.service.Recommend(grpc.NewContextWithServerTransportStream(t.Context(), stream), question)
		if err != nil {
			t.Fatal(err)
		}
		tag := stream.header.Get("etag")
		if len(tag) != 1 {
			t.Fatalf("%d ETags", len(tag))
		}
		body := contentOf(t, got)
		before, known := said[tag[0]]
		if known && before != body {
			t.Fatalf("%s names two answers:\n%s\n%s", tag[0], before, body)
		}
		if known {
			again++
		}
		said[tag[0]] = body
	}
	if again < 100 || len(said) < 100 {
		t.Fatalf("%d names, %d of them again: nothing was tried", len(said), again)
	}
}

// contentOf is an answer but for its id and time.
func contentOf(tb testing.TB, answer *fundmatchv1.RecommendResponse) string {
	tb.Helper()
	out, ok := proto.Clone(answer).(*fundmatchv1.RecommendResponse)
	if !ok {
		tb.Fatal("a clone of another type")
	}
	out.DecisionId, out.DecidedAt = "", nil
	return bytesOf(tb, out)
}

// TestAWriteChangesTheETag: a fact that changes the profile changes the name.
func TestAWriteChangesTheETag(t *testing.T) {
	t.Parallel()
	b := openBank(t, testBank)
	tag := func() string {
		stream := &headerStream{}
		if _, err := b.service.Recommend(grpc.NewContextWithServerTransportStream(t.Context(), stream), &fundmatchv1.RecommendRequest{CustomerId: storyCustomer}); err != nil {
			t.Fatal(err)
		}
		return stream.header.Get("etag")[0]
	}
	before := tag()
	if tag() != before {
		t.Fatal("the same answer has two names")
	}
	at := fund.InstantOf(b.at)
	_, err := b.store.Write(t.Context(), features.Write{CustomerID: storyCustomer, RecordedAt: at, Cells: []features.Cell{{
		CustomerID: storyCustomer, View: features.PersonalizationView, Name: features.EnabledName, Value: "false", EventAt: at, KnownAt: at,
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if tag() == before {
		t.Fatal("personalisation is off and the answer has its old name")
	}
}
