package decision_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/experiment"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/slate"
	"github.com/fundmatch/fundmatch/matcher/wording"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/decision"
	"github.com/fundmatch/fundmatch/services/decisionlog"
)

// explored records answers with exploration and exposures until one was drawn or, as asked,
// left as it was.
func (b *bank) explored(t *testing.T, audience wording.Audience, drawn bool) (string, *matcher.Slate) {
	t.Helper()
	was := b.stored(t, b.answer(t, customerID).GetDecisionId())
	profile, err := fund.ParseProfile(was.Profile)
	if err != nil {
		t.Fatal(err)
	}
	core, err := b.loader.Newest(t.Context(), fund.Instant(was.DecidedAt))
	if err != nil {
		t.Fatal(err)
	}
	request := matcher.Request{
		At: fund.Instant(was.DecidedAt), Channel: fund.App, Audience: audience, Limit: 4,
		Exploration: slate.Exploration{Probability: slate.MaxExploration, Next: 5, MaxGap: 2},
		Exposures:   []experiment.Assignment{{Layer: "ranking", Experiment: "ease", Arm: "control"}},
	}
	for {
		id, err := uuid.NewV7()
		if err != nil {
			t.Fatal(err)
		}
		request.Seed = matcher.SeedOf(id.String())
		var s matcher.Slate
		if err := core.Match(profile, request, &s); err != nil {
			t.Fatal(err)
		}
		if s.Explored.Rank == 0 {
			t.Fatal("nothing else could stand there")
		}
		if drawn != (s.Explored.Drawn > 0) {
			continue
		}
		if err := b.log.Append(t.Context(), decisionlog.Record{
			DecisionID: id.String(), DecidedAt: was.DecidedAt, CustomerID: customerID, Kind: decisionlog.KindDecision,
			Profile: was.Profile, Payload: s.AppendCanonical(nil),
		}); err != nil {
			t.Fatal(err)
		}
		return id.String(), &s
	}
}

// The draw of an explored list is made again, and one by a seed that the decision's id does
// not give is no match: whoever chooses the seed chooses the product.
func TestReplayDrawsAgain(t *testing.T) {
	t.Parallel()
	b := openBank(t)
	for _, drawn := range []bool{true, false} {
		id, _ := b.explored(t, wording.Customer, drawn)
		stored := b.stored(t, id)
		if got := replay(t, b.service, stored); got.GetVerdict() != string(decision.Match) {
			t.Errorf("drawn %v: %v", drawn, got)
		}
		otherID := *stored
		otherID.DecisionID = "01890a5d-ac96-774b-bcce-b302099a8057"
		if got := replay(t, b.service, &otherID); got.GetVerdict() != string(decision.Mismatch) || !strings.HasPrefix(got.GetDifferences()[0], "seed: recorded") {
			t.Errorf("under another id: %v", got)
		}
		got := replay(t, b.service, tampered(t, stored, func(s *matcher.Slate) { s.Items[3].Propensity = 1 }))
		if got.GetVerdict() != string(decision.Mismatch) || !strings.HasPrefix(got.GetDifferences()[0], "item 4 propensity: recorded 1,") {
			t.Errorf("with another propensity: %v", got)
		}
		got = replay(t, b.service, tampered(t, stored, func(s *matcher.Slate) {
			s.Explored.Choices = append(s.Explored.Choices, matcher.Choice{Code: "X"})
		}))
		if got.GetVerdict() != string(decision.Mismatch) || !strings.HasPrefix(got.GetDifferences()[0], "choices at the explored place: recorded 7, recomputed 6") {
			t.Errorf("with another choice: %v", got)
		}
	}
}

// The bank's people read from a manager's record what was left to chance, and which arms the
// customer was in; that of a customer's answer says neither.
func TestGetDecisionTellsWhatWasLeftToChance(t *testing.T) {
	t.Parallel()
	b := openBank(t)
	for _, drawn := range []bool{true, false} {
		id, s := b.explored(t, wording.Manager, drawn)
		got, err := b.service.GetDecision(t.Context(), &fundmatchv1.GetDecisionRequest{DecisionId: id})
		if err != nil {
			t.Fatal(err)
		}
		e, last := got.GetExploration(), got.GetItems()[3]
		if len(got.GetExposures()) != 1 || got.GetExposures()[0].GetArm() != "control" || got.GetExposures()[0].GetExperiment() != "ease" {
			t.Errorf("exposures %v", got.GetExposures())
		}
		if e.GetRank() != 4 || e.GetProbabilityBps() != 2000 || e.GetSeed() != matcher.SeedOf(id) || len(e.GetChoices()) != len(s.Explored.Choices) {
			t.Fatalf("%v, expected %+v", e, s.Explored)
		}
		shown := e.GetChoices()[s.Explored.Drawn]
		if !shown.GetDrawn() || shown.GetProductCode() != last.GetProductCode() || shown.GetPropensity() != last.GetPropensity() || last.GetExplored() != drawn {
			t.Errorf("%v beside %v", shown, last)
		}
	}
	id, _ := b.explored(t, wording.Customer, true)
	got, err := b.service.GetDecision(t.Context(), &fundmatchv1.GetDecisionRequest{DecisionId: id})
	if err != nil {
		t.Fatal(err)
	}
	marked := slices.ContainsFunc(got.GetItems(), func(i *fundmatchv1.RecordedItem) bool { return i.GetExplored() })
	if got.GetExploration() != nil || len(got.GetExposures()) != 0 || marked {
		t.Errorf("a customer's record says %v and %v", got.GetExploration(), got.GetExposures())
	}
}
