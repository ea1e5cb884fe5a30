package expectation_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fundmatch/fundmatch/matcher/expectation"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

func templates(t *testing.T) *wording.Templates {
	t.Helper()
	text, err := wording.Compile(wording.DefaultTemplates())
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// say renders a sentence for the customer.
func say(t *testing.T, text *wording.Templates, name string, evidence ...fund.Evidence) string {
	t.Helper()
	id, ok := text.ID(name)
	if !ok || !text.Audience(id).May(wording.Customer) {
		t.Fatalf("%q is no sentence for a customer", name)
	}
	out, err := text.AppendEvidence(nil, id, evidence)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// What a profile says of his wish, and until when.
func TestSettle(t *testing.T) {
	const at = fund.Instant(1_000)
	tag := func(value string, from, to fund.Instant) []fund.Tag {
		return []fund.Tag{{Name: "age_group", Value: "x", To: at + 1}, {Name: "goal", Value: value, From: from, To: to}}
	}
	stated := fund.StatedNeeds{Goals: []fund.Goal{fund.House, fund.Cash}, HorizonMonths: 24, Liquidity: fund.NeedMedium}
	for name, c := range map[string]struct {
		profile fund.Profile
		want    expectation.Wish
		until   fund.Instant
		mustAsk bool
	}{
		"everything is stated: the first goal": {
			fund.Profile{Needs: stated},
			expectation.Wish{Goal: fund.House, HorizonMonths: 24, Need: fund.NeedMedium, Source: expectation.Stated, Confidence: 900_000},
			fund.Forever, false,
		},
		"a stated goal outweighs a tag": {
			fund.Profile{Needs: stated, Tags: tag("GROWTH", 0, at+9)},
			expectation.Wish{Goal: fund.House, HorizonMonths: 24, Need: fund.NeedMedium, Source: expectation.Stated, Confidence: 900_000},
			fund.Forever, false,
		},
		"no horizon": {
			fund.Profile{Needs: fund.StatedNeeds{Goals: []fund.Goal{fund.Cash}}},
			expectation.Wish{Goal: fund.Cash, Source: expectation.Stated, Confidence: 900_000, Question: expectation.AskHorizon},
			fund.Forever, true,
		},
		"no need: asked, and no reason to wait": {
			fund.Profile{Needs: fund.StatedNeeds{Goals: []fund.Goal{fund.Cash}, HorizonMonths: 6}},
			expectation.Wish{Goal: fund.Cash, HorizonMonths: 6, Source: expectation.Stated, Confidence: 900_000, Question: expectation.AskLiquidity},
			fund.Forever, false,
		},
		"a tag": {
			fund.Profile{Tags: tag("GROWTH", 0, at+9)},
			expectation.Wish{Goal: fund.Growth, Source: expectation.FromTag, Confidence: 500_000, Question: expectation.AskGoal},
			at + 9, true,
		},
		"a tag that ends now": {
			fund.Profile{Tags: tag("GROWTH", 0, at)}, expectation.Wish{Confidence: 100_000, Question: expectation.AskGoal}, fund.Forever, true,
		},
		"a tag that begins later": {
			fund.Profile{Tags: tag("GROWTH", at+5, fund.Forever)}, expectation.Wish{Confidence: 100_000, Question: expectation.AskGoal}, at + 5, true,
		},
		"a tag that says nothing": {
			fund.Profile{Tags: tag("UNKNOWN", 0, fund.Forever)}, expectation.Wish{Confidence: 100_000, Question: expectation.AskGoal}, fund.Forever, true,
		},
		"a tag of another meaning": {
			fund.Profile{Tags: tag("rich soon", 0, fund.Forever)}, expectation.Wish{Confidence: 100_000, Question: expectation.AskGoal}, fund.Forever, true,
		},
		"a horizon out of damaged bytes": {
			fund.Profile{Needs: fund.StatedNeeds{HorizonMonths: 1 << 30}},
			expectation.Wish{HorizonMonths: fund.MaxHorizonMonths, Confidence: 100_000, Question: expectation.AskGoal},
			fund.Forever, true,
		},
		"a negative one": {
			fund.Profile{Needs: fund.StatedNeeds{HorizonMonths: -5}}, expectation.Wish{Confidence: 100_000, Question: expectation.AskGoal}, fund.Forever, true,
		},
	} {
		got, until := expectation.Settle(&c.profile, at, nil)
		if got != c.want || until != c.until || got.MustAsk() != c.mustAsk {
			t.Errorf("%s: %+v until %d, must ask %v; want %+v until %d", name, got, until, got.MustAsk(), c.want, c.until)
		}
	}
	if w := expectation.Impersonal(); w.Goal != fund.GoalUnknown || !w.MustAsk() || w.Source != expectation.FromGroup {
		t.Errorf("nobody in particular wants %+v", w)
	}
}

func aCase() *expectation.Case {
	return &expectation.Case{
		Wish:    &expectation.Wish{Goal: fund.Growth, HorizonMonths: 36, Need: fund.NeedHigh},
		Product: &fund.Product{Code: "x", Content: fund.Content{Goals: 1<<fund.Goals - 2}}, Grade: fund.R3, Level: fund.C3, Months: 36, Serves: true, AsOf: 20240306,
	}
}

// Each aspect is claimed only where both sides are known and meet.
func TestExpect(t *testing.T) {
	text := templates(t)
	const (
		goal    = "这只产品的用途包括长期增值，与您的目标一致。"
		horizon = "您打算放3年，这只产品适合持有3年以上。"
		liquid  = "您可能需要提前用钱，这只产品没有锁定期，赎回按规则到账。"
		loss    = "您的风险承受等级是C3，这只产品的风险等级是R3，没有超出您的等级。"
	)
	fall := &fund.Evidence{Field: "MAX_DRAWDOWN", Unit: fund.UnitRatio, Number: -360_111}
	for name, c := range map[string]struct {
		change func(c *expectation.Case)
		want   []string
	}{
		"all four":                       {func(*expectation.Case) {}, []string{goal, horizon, liquid, loss}},
		"it does not serve the goal":     {func(c *expectation.Case) { c.Serves = false }, []string{horizon, liquid, loss}},
		"the goal is unknown":            {func(c *expectation.Case) { c.Wish.Goal = 0 }, []string{horizon, liquid, loss}},
		"a month short":                  {func(c *expectation.Case) { c.Wish.HorizonMonths = 35 }, []string{goal, liquid, loss}},
		"the horizon is unknown":         {func(c *expectation.Case) { c.Wish.HorizonMonths = 0 }, []string{goal, liquid, loss}},
		"the class's months are unknown": {func(c *expectation.Case) { c.Months = -1 }, []string{goal, liquid, loss}},
		"a money fund needs no months":   {func(c *expectation.Case) { c.Months = 0 }, []string{goal, liquid, loss}},
		"a lockup":                       {func(c *expectation.Case) { c.Product.Terms.LockupDays = 1 }, []string{goal, horizon, loss}},
		"a lockup does no harm to him": {
			func(c *expectation.Case) { c.Product.Terms.LockupDays, c.Wish.Need = 1, fund.NeedLow },
			[]string{goal, horizon, "您近期不急用这笔钱，这只产品的取用安排与此相符。", loss},
		},
		"the lockup is unknown": {
			func(c *expectation.Case) { c.Product.Missing = c.Product.Missing.With(fund.FieldLockup) }, []string{goal, horizon, loss},
		},
		"the need is unknown":  {func(c *expectation.Case) { c.Wish.Need = 0 }, []string{goal, horizon, loss}},
		"above his level":      {func(c *expectation.Case) { c.Grade = fund.R4 }, []string{goal, horizon, liquid}},
		"the level is unknown": {func(c *expectation.Case) { c.Level = 0 }, []string{goal, horizon, liquid}},
		"the grade is unknown": {func(c *expectation.Case) { c.Grade = 0 }, []string{goal, horizon, liquid}},
		"a known fall": {
			func(c *expectation.Case) { c.Drawdown = fall },
			[]string{goal, horizon, liquid, "您的风险承受等级是C3，这只产品的风险等级是R3，历史上曾最多下跌36.01%，请确认您能承受。过往业绩不预示未来表现。"},
		},
		"nothing is known": {func(c *expectation.Case) {
			*c = expectation.Case{Wish: &expectation.Wish{}, Product: c.Product, Months: -1}
		}, nil},
	} {
		in := aCase()
		c.change(in)
		matches, facts := expectation.Expect(in, nil, []fund.Evidence{{Field: "BEFORE"}})
		var got []string
		for i := range matches {
			m := &matches[i]
			got = append(got, say(t, text, m.Sentence, append([]fund.Evidence{m.Customer, m.Product}, m.Facts...)...))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %s", name, cmp.Diff(c.want, got))
		}
		if facts[0].Field != "BEFORE" {
			t.Errorf("%s: facts %+v", name, facts)
		}
	}
}

// Every headline and question that can be asked for is there for a customer to read.
func TestHeadlinesAndQuestionsExist(t *testing.T) {
	text := templates(t)
	for g := range fund.Goal(fund.Goals) {
		for _, s := range []expectation.Source{expectation.FromGroup, expectation.FromTag, expectation.Stated} {
			for _, personal := range []bool{false, true} {
				w := expectation.Wish{Goal: g, Source: s}
				name := w.Headline(personal)
				if say(t, text, name) == "" || !personal && name != "expectation.headline.NOT_PERSONALIZED" {
					t.Errorf("%s from %s (personal: %v) is headed %q", g, s, personal, name)
				}
			}
		}
	}
	for q := expectation.AskGoal; q <= expectation.AskLiquidity; q++ {
		if say(t, text, q.Sentence()) == "" || q.String() == "" {
			t.Errorf("question %d", q)
		}
	}
	if expectation.NoQuestion.Sentence() != "" || expectation.NoQuestion.String() != "" {
		t.Error("no question asks something")
	}
}

// Each goal has a name that customers read.
func TestEveryGoalHasAName(t *testing.T) {
	text := templates(t)
	seen := map[string]bool{}
	for g := fund.Cash; int(g) < fund.Goals; g++ {
		in := aCase()
		in.Wish.Goal = g
		matches, _ := expectation.Expect(in, nil, nil)
		m := &matches[0]
		said := say(t, text, m.Sentence, append([]fund.Evidence{m.Customer, m.Product}, m.Facts...)...)
		if seen[said] || strings.Contains(said, g.String()) {
			t.Errorf("%s: %s", g, said)
		}
		seen[said] = true
	}
}

func TestCodes(t *testing.T) {
	got := []string{
		expectation.FromGroup.String(), expectation.FromTag.String(), expectation.Stated.String(), expectation.GoalAspect.String(),
		expectation.HorizonAspect.String(), expectation.LiquidityAspect.String(), expectation.LossAspect.String(),
	}
	if want := strings.Fields("GROUP TAG STATED GOAL HORIZON LIQUIDITY LOSS_TOLERANCE"); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
