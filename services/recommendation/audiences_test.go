package recommendation

import (
	"slices"
	"testing"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/expectation"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/wording"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
)

// smallCore has one product of each kind that the rules know.
func smallCore(t *testing.T) *matcher.Core {
	t.Helper()
	pack, err := eligibility.ParsePack(eligibility.Default())
	if err != nil {
		t.Fatal(err)
	}
	return coreOf(t, pack, explainedPool())
}

// onlyItem presents one product of a bank, changed, to an audience.
func onlyItem(t *testing.T, core *matcher.Core, audience wording.Audience, change func(*matcher.Slate, *matcher.Item)) *fundmatchv1.RecommendResponse {
	t.Helper()
	s := matcher.Slate{Items: []matcher.Item{{Code: core.Product(0).Code, Conversion: conversion.Conversion{Sentence: humanRoute}}}}
	s.Request.At = explainedOn.Start()
	change(&s, &s.Items[0])
	v := new(Service).presenter(core, audience)
	out := v.answer(&s, false)
	if v.err != nil {
		t.Fatal(v.err)
	}
	return out
}

// A customer sees a doubt under its face: once, the stronger one, and not at all what has
// none or what he has heard enough of. A manager sees all of them as they are.
func TestADoubtHasAFaceForTheCustomer(t *testing.T) {
	t.Parallel()
	core := smallCore(t)
	quiet := func(c objection.Code) objection.Objection { return objection.Objection{Code: c, Silenced: true} }
	loud := func(c objection.Code) objection.Objection {
		return objection.Objection{Code: c, Sentences: [4]string{humanRoute}}
	}
	for _, c := range []struct {
		name   string
		doubts []objection.Objection
		want   []string
	}{
		{"plain ones", []objection.Objection{loud(objection.Fee), loud(objection.Timing)}, []string{"FEE", "TIMING"}},
		{"a loss shows as a fall", []objection.Objection{loud(objection.LossTrauma)}, []string{"DRAWDOWN"}},
		{"one face once", []objection.Objection{loud(objection.LossTrauma), loud(objection.Drawdown), loud(objection.Fee)}, []string{"DRAWDOWN", "FEE"}},
		{"no face", []objection.Objection{loud(objection.Pushed), loud(objection.BreakEvenFirst), loud(objection.Size)}, []string{"SIZE"}},
		{"silenced", []objection.Objection{quiet(objection.Fee), loud(objection.Size)}, []string{"SIZE"}},
		{"a silenced face stays silent", []objection.Objection{loud(objection.LossTrauma), quiet(objection.Drawdown)}, nil},
		{"nothing to say", []objection.Objection{{Code: objection.NotNow}, loud(objection.Fee)}, []string{"FEE"}},
		{"silence of a faceless doubt silences nothing", []objection.Objection{quiet(objection.Pushed), loud(objection.Fee)}, []string{"FEE"}},
	} {
		for _, audience := range []wording.Audience{wording.Customer, wording.Manager} {
			out := onlyItem(t, core, audience, func(_ *matcher.Slate, it *matcher.Item) { it.Objections = c.doubts })
			want := c.want
			if audience == wording.Manager {
				want = nil
				for i := range c.doubts {
					want = append(want, c.doubts[i].Code.String())
				}
			}
			var got []string
			for _, o := range out.GetItems()[0].GetObjections() {
				got = append(got, o.GetCode())
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s to the %s: %v, expected %v", c.name, audience, got, want)
			}
		}
	}
}

// The answer that goes with a face is the stronger doubt's.
func TestAFaceHasTheStrongerAnswer(t *testing.T) {
	t.Parallel()
	core := smallCore(t)
	out := onlyItem(t, core, wording.Customer, func(_ *matcher.Slate, it *matcher.Item) {
		it.Objections = []objection.Objection{
			{Code: objection.LossTrauma, Sentences: [4]string{"why.GOAL_FIT"}}, {Code: objection.Drawdown, Sentences: [4]string{"why.AFFINITY"}},
		}
	})
	got := out.GetItems()[0].GetObjections()
	if want := text(t, core, "why.GOAL_FIT"); len(got) != 1 || got[0].GetAnswer() != want {
		t.Errorf("%v, expected the answer %q", got, want)
	}
}

// What does not meet his wish is for the manager to see.
func TestUnmetAspectsAreManagers(t *testing.T) {
	t.Parallel()
	core := smallCore(t)
	matches := []expectation.Match{
		{Aspect: expectation.GoalAspect, Sentence: "why.GOAL_FIT", Fit: 1_000_000, Met: true},
		{Aspect: expectation.HorizonAspect, Sentence: "why.HORIZON_FIT", Fit: 250_000},
		{Aspect: expectation.LossAspect, Sentence: "why.LOSS_FIT", Fit: 1_000_000, Met: true, ManagerOnly: true},
	}
	for audience, want := range map[wording.Audience][]string{wording.Customer: {"GOAL"}, wording.Manager: {"GOAL", "HORIZON", "LOSS_TOLERANCE"}} {
		out := onlyItem(t, core, audience, func(_ *matcher.Slate, it *matcher.Item) { it.Matched = matches })
		var got []string
		for i, m := range out.GetItems()[0].GetExpectation().GetMatched() {
			got = append(got, m.GetAspect())
			fit := 0.0
			if audience == wording.Manager {
				fit = matches[i].Fit.Float()
			}
			if m.GetFit() != fit || m.GetMet() != matches[i].Met {
				t.Errorf("%s: fit %v, met %v", m.GetAspect(), m.GetFit(), m.GetMet())
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("to the %s: %v, expected %v", audience, got, want)
		}
	}
}

// An elder's answer says how to show it and how to reach a human (A07); another's does not.
func TestElderMode(t *testing.T) {
	t.Parallel()
	core := smallCore(t)
	for _, elder := range []bool{false, true} {
		out := onlyItem(t, core, wording.Customer, func(s *matcher.Slate, _ *matcher.Item) { s.Elder = elder })
		p := out.GetPresentation()
		if p.GetElderMode() != elder || p.GetLargeType() != elder || p.GetPlainWords() != elder || (p.GetHumanRoute() != "") != elder {
			t.Errorf("elder %v: %v", elder, p)
		}
	}
}

// A customer is told how far a plan goes and may order one.
func TestAPlanIsShownAndMayBeOrdered(t *testing.T) {
	t.Parallel()
	core := smallCore(t)
	out := onlyItem(t, core, wording.Customer, func(_ *matcher.Slate, it *matcher.Item) {
		it.Conversion.Action, it.Conversion.Plan = conversion.Plan, conversion.PlanTerms{Cadence: conversion.Monthly, Amount: 50_000}
	})
	it := out.GetItems()[0]
	if plan := it.GetConversion().GetPlan(); plan.GetCadence() != "MONTHLY" || plan.GetAmountFen() != 50_000 || !it.GetOrderable() {
		t.Errorf("%v, orderable %v", plan, it.GetOrderable())
	}
}

// An explanation gives a customer no reasons for a product that may not be recommended.
func TestWhatMayNotBeRecommendedIsNotPraised(t *testing.T) {
	t.Parallel()
	core := smallCore(t)
	for _, c := range []struct {
		audience  wording.Audience
		permitted bool
		want      int
	}{{wording.Customer, true, 1}, {wording.Customer, false, 0}, {wording.Manager, false, 1}} {
		e := &matcher.Explanation{}
		e.Verdict.Permitted = c.permitted
		e.Slate.Request.At = explainedOn.Start()
		e.Slate.Items = []matcher.Item{{
			Code: core.Product(0).Code, Conversion: conversion.Conversion{Sentence: humanRoute},
			Why: matcher.WhyOf([]score.Contribution{{Feature: score.GoalFit, Value: 1, Amount: 1}}, true),
		}}
		v := new(Service).presenter(core, c.audience)
		if out := v.explanation(e); v.err != nil || len(out.GetWhy()) != c.want {
			t.Errorf("%+v: %v, %v", c, out.GetWhy(), v.err)
		}
	}
}

// A talk card warns of what this product and this customer make tempting.
func TestWhatIsToBeAvoided(t *testing.T) {
	t.Parallel()
	core := smallCore(t)
	avoid := func(elder bool, goal fund.Goal) []string {
		out := onlyItem(t, core, wording.Manager, func(s *matcher.Slate, it *matcher.Item) {
			s.Elder, it.Card = elder, &matcher.Card{BreakEvenDays: -1}
			if goal != fund.GoalUnknown {
				s.Wish.Goal, s.Wish.Source = goal, expectation.Stated
			}
		})
		return out.GetItems()[0].GetTalkCard().GetAvoid()
	}
	plain := avoid(false, fund.GoalUnknown)
	if len(plain) < len(avoidAlways) || slices.Contains(plain, text(t, core, "card.avoid.FAMILY")) {
		t.Errorf("%q", plain)
	}
	if got := avoid(true, fund.TaxDeferredPension); !slices.Contains(got, text(t, core, "card.avoid.FAMILY")) || !slices.Contains(got, text(t, core, "card.avoid.PENSION")) {
		t.Errorf("%q", got)
	}
	out := onlyItem(t, core, wording.Manager, func(_ *matcher.Slate, it *matcher.Item) { it.Card = &matcher.Card{BreakEvenDays: -1} })
	if card := out.GetItems()[0].GetTalkCard(); card.BreakEvenDays != nil || len(card.GetMandatory()) != 3 || card.GetIssuerLine() == "" {
		t.Errorf("%v", card)
	}
}

// text is a sentence without slots.
func text(t *testing.T, core *matcher.Core, name string) string {
	t.Helper()
	id, ok := core.Wording().ID(name)
	if !ok {
		t.Fatalf("no sentence %s", name)
	}
	out, err := core.Wording().Append(nil, id, nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
