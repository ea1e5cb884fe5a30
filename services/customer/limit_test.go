package customer_test

import (
	"errors"
	"testing"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/customer"
)

// assess takes an assessment at a time and returns when the next may be taken; 0: it was
// recorded.
func (b *bank) assess(t *testing.T, at, level string) fund.Date {
	t.Helper()
	b.now = day(t, at)
	_, err := b.PutRiskAssessment(t.Context(), &fundmatchv1.PutRiskAssessmentRequest{CustomerId: known, RiskLevel: level})
	var limit *customer.AssessmentLimitError
	if errors.As(err, &limit) {
		return limit.Next
	}
	if err != nil {
		t.Fatalf("%s: %v", at, err)
	}
	return 0
}

func TestTheThirdAssessmentOfADayIsRefused(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.rules = pack{perDay: 2, perYear: 8}
	for _, at := range []string{"2026-03-05T00:00:00+08:00", "2026-03-05T09:00:00+08:00"} {
		if next := b.assess(t, at, "C2"); next != 0 {
			t.Fatalf("%s is refused until %s", at, next)
		}
	}
	before := revision(t, b)
	if next := b.assess(t, "2026-03-05T23:59:59+08:00", "C4"); next != 2026_03_06 {
		t.Errorf("the third: next %s, want the day after", next)
	}
	if b.cell(t, "risk_level").GetValue() != "C2" || revision(t, b) != before {
		t.Error("the third is refused and yet written")
	}
	if next := b.assess(t, "2026-03-06T00:00:00+08:00", "C4"); next != 0 {
		t.Errorf("the day after is refused until %s", next)
	}
}

func TestTheNinthAssessmentOfTwelveMonthsIsRefused(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.rules = pack{perDay: 2, perYear: 8}
	for _, at := range []string{
		"2024-02-29T09:00:00+08:00", "2024-02-29T10:00:00+08:00", "2024-04-01T09:00:00+08:00", "2024-05-01T09:00:00+08:00",
		"2024-06-01T09:00:00+08:00", "2024-07-01T09:00:00+08:00", "2024-08-01T09:00:00+08:00", "2024-09-01T09:00:00+08:00",
	} {
		if next := b.assess(t, at, "C2"); next != 0 {
			t.Fatalf("%s is refused until %s", at, next)
		}
	}
	if next := b.assess(t, "2025-02-28T23:59:59+08:00", "C3"); next != 2025_03_01 {
		t.Errorf("the ninth: next %s, want 1 March, a year after 29 February", next)
	}
	for _, at := range []string{"2025-03-01T00:00:00+08:00", "2025-03-01T01:00:00+08:00"} {
		if next := b.assess(t, at, "C3"); next != 0 {
			t.Errorf("%s is refused until %s", at, next)
		}
	}
	if next := b.assess(t, "2025-03-02T09:00:00+08:00", "C3"); next != 2025_04_01 {
		t.Errorf("the ninth again: next %s, want a year after the third", next)
	}
}

// What was done before under a key is answered again, and is no assessment more.
func TestARepeatedAssessmentIsNoNewOne(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.rules = pack{perDay: 1, perYear: 8}
	ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs(customer.IdempotencyMetadata, "k1"))
	put := func(at string) (*fundmatchv1.PutRiskAssessmentResponse, error) {
		b.now = day(t, at)
		return b.PutRiskAssessment(ctx, &fundmatchv1.PutRiskAssessmentRequest{CustomerId: known, RiskLevel: "C2"})
	}
	if _, err := put("2026-03-05T09:00:00+08:00"); err != nil {
		t.Fatal(err)
	}
	if got, err := put("2026-03-05T09:01:00+08:00"); err != nil || !got.GetReceipt().GetReplayed() {
		t.Errorf("under its key: %v, %v", got, err)
	}
	same := &fundmatchv1.PutRiskAssessmentRequest{CustomerId: known, RiskLevel: "C2", AssessedAt: timestamppb.New(day(t, "2026-03-05T09:00:00+08:00"))}
	if _, err := b.PutRiskAssessment(t.Context(), same); err != nil {
		t.Errorf("the same instant and level without a key: %v", err)
	}
	same.RiskLevel = "C5"
	var limit *customer.AssessmentLimitError
	if _, err := b.PutRiskAssessment(t.Context(), same); !errors.As(err, &limit) {
		t.Errorf("another level of that instant: %v, want an AssessmentLimitError", err)
	}
}

// A refused assessment leaves its key free, and imported ones count.
func TestImportedAssessmentsCount(t *testing.T) {
	t.Parallel()
	at := fund.InstantOf(day(t, "2026-03-05T08:00:00+08:00"))
	b := open(t, features.Cell{
		View: features.AssessmentView, Name: features.AssessedName, Value: `{"level":"C3","on":"2026-03-05"}`, EventAt: at, KnownAt: at,
	})
	b.rules = pack{perDay: 1, perYear: 8}
	ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs(customer.IdempotencyMetadata, "k1"))
	req := &fundmatchv1.PutRiskAssessmentRequest{CustomerId: known, RiskLevel: "C4"}
	var limit *customer.AssessmentLimitError
	if _, err := b.PutRiskAssessment(ctx, req); !errors.As(err, &limit) || limit.Next != 2026_03_06 {
		t.Fatalf("%v, want the next on 2026-03-06", err)
	}
	b.now = b.now.Add(24 * time.Hour)
	if got, err := b.PutRiskAssessment(ctx, req); err != nil || got.GetReceipt().GetReplayed() {
		t.Errorf("a day later under the same key: %v, %v", got, err)
	}
}

// Whatever the customer tries, no day and no twelve months hold more than their limit, and
// the day that he is told is free.
func TestNoTwelveMonthsHoldTooManyAssessments(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		b := open(t)
		b.rules = pack{perDay: rapid.IntRange(1, 2).Draw(rt, "per day"), perYear: rapid.IntRange(1, 4).Draw(rt, "per year")}
		start := day(t, "2024-01-01T09:00:00+08:00")
		last := start.AddDate(30, 0, 0)
		var taken []fund.Date
		put := func(at time.Time) error {
			b.now = last
			_, err := b.PutRiskAssessment(t.Context(), &fundmatchv1.PutRiskAssessmentRequest{CustomerId: known, RiskLevel: "C2", AssessedAt: timestamppb.New(at)})
			if err == nil {
				taken = append(taken, fund.InstantOf(at).Date())
			}
			return err
		}
		for i := range rapid.IntRange(1, 14).Draw(rt, "tries") {
			at := start.AddDate(0, 0, rapid.IntRange(0, 800).Draw(rt, "day")).Add(time.Duration(i) * time.Minute)
			var limit *customer.AssessmentLimitError
			if err := put(at); err != nil && !errors.As(err, &limit) {
				rt.Fatal(err)
			} else if err != nil && rapid.Bool().Draw(rt, "waits") {
				if err := put(limit.Next.Start().Time().Add(time.Duration(i) * time.Second)); err != nil {
					rt.Fatalf("on the day that he was told: %v", err)
				}
			}
		}
		for _, from := range taken {
			day, year := 0, 0
			for _, d := range taken {
				if d == from {
					day++
				}
				if d >= from && d < from.AddMonths(12) {
					year++
				}
			}
			if day > b.rules.perDay || year > b.rules.perYear {
				rt.Fatalf("%v: %d on %s and %d in the year from it", taken, day, from, year)
			}
		}
	})
}

func TestForbiddenTagsAreRefused(t *testing.T) {
	t.Parallel()
	b := open(t)
	before := revision(t, b)
	_, err := b.PutTags(t.Context(), &fundmatchv1.PutTagsRequest{CustomerId: known, Tags: []*fundmatchv1.Tag{{Name: "child", Value: "2"}, {Name: "religion", Value: "x"}}})
	var forbidden *customer.ForbiddenTagError
	if !errors.As(err, &forbidden) || *forbidden != (customer.ForbiddenTagError{Field: "tags[1].name", Name: "religion"}) {
		t.Errorf("%v, want tags[1].name refused", err)
	}
	if revision(t, b) != before || b.cell(t, "tag.child") != nil {
		t.Error("something was written")
	}
}

// What the rules govern is not written while nobody knows them.
func TestWithoutRulesNothingThatTheyGovernIsWritten(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.rules.missing = errors.New("no core")
	if _, err := b.PutRiskAssessment(t.Context(), &fundmatchv1.PutRiskAssessmentRequest{CustomerId: known, RiskLevel: "C2"}); !errors.Is(err, b.rules.missing) {
		t.Errorf("an assessment: %v", err)
	}
	if _, err := b.PutTags(t.Context(), &fundmatchv1.PutTagsRequest{CustomerId: known, Tags: []*fundmatchv1.Tag{{Name: "n", Value: "v"}}}); !errors.Is(err, b.rules.missing) {
		t.Errorf("a tag: %v", err)
	}
	if _, err := b.PutGoals(t.Context(), &fundmatchv1.PutGoalsRequest{CustomerId: known, HorizonMonths: 12}); err != nil {
		t.Errorf("a goal, which they do not govern: %v", err)
	}
}
