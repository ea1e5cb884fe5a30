package matcher_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

func TestWhyOf(t *testing.T) {
	t.Parallel()
	add := func(f score.Feature, value, amount float64) score.Contribution {
		return score.Contribution{Feature: f, Value: value, Amount: amount}
	}
	for _, c := range []struct {
		name       string
		given      []score.Contribution
		impersonal bool
		want       [matcher.MaxWhy]string
	}{
		{name: "nothing"},
		{
			name:  "the two largest, the largest first",
			given: []score.Contribution{add(score.Affinity, 1, 0.2), add(score.GoalFit, 1, 0.8), add(score.Quality, 1, 0.3)},
			want:  [...]string{"why.GOAL_FIT", "why.QUALITY"},
		},
		{
			name:  "equal ones in the features' order",
			given: []score.Contribution{add(score.Affinity, 1, 0.5), add(score.GoalFit, 1, 0.5), add(score.LossFit, 1, 0.5)},
			want:  [...]string{"why.AFFINITY", "why.GOAL_FIT"},
		},
		{
			name:  "what takes away is no reason",
			given: []score.Contribution{add(score.Cost, 0.01, -0.08), add(score.Affinity, 0, 0), add(score.Popularity, 0.2, 0.03)},
			want:  [...]string{"why.POPULARITY", ""},
		},
		{
			name:  "half a fit is no reason",
			given: []score.Contribution{add(score.HorizonFit, 0.5, 0.2), add(score.LiquidityFit, 0.99, 0.3), add(score.LossFit, 0.9, 0.5), add(score.GoalFit, 0.4, 0.3)},
		},
		{
			name: "a list that is not personal speaks of the product", impersonal: true,
			given: []score.Contribution{add(score.GoalFit, 1, 0.8), add(score.Quality, 1, 0.2), add(score.Popularity, 1, 0.1)},
			want:  [...]string{"why.QUALITY.not_personalized", "why.POPULARITY.not_personalized"},
		},
		{
			name:  "an objection that he raised is never told as a reason",
			given: []score.Contribution{add(score.Objected, 1, 5)},
		},
	} {
		if got := matcher.WhyOf(c.given, !c.impersonal); got != c.want {
			t.Errorf("%s: %q, expected %q", c.name, got, c.want)
		}
	}
}

// Whatever the contributions are: the reasons have sentences that everybody may read and
// that need no facts, none stands twice, and none comes from an addend that takes away.
func TestWhyOfNamesSentences(t *testing.T) {
	t.Parallel()
	texts, err := wording.Compile(wording.DefaultTemplates())
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		var given []score.Contribution
		for f := range score.Features {
			value := rapid.Float64Range(0, 1).Draw(rt, "value")
			if rapid.Bool().Draw(rt, "whole") {
				value = 1
			}
			weight := rapid.Float64Range(-1, 1).Draw(rt, "weight")
			given = append(given, score.Contribution{Feature: f, Value: value, Weight: weight, Amount: score.Amount(value, weight)})
		}
		personal := rapid.Bool().Draw(rt, "personal")
		got := matcher.WhyOf(given, personal)
		if got[0] == "" && got[1] != "" || got[0] != "" && got[0] == got[1] {
			rt.Fatalf("%q", got)
		}
		for _, name := range got {
			if name == "" {
				continue
			}
			id, ok := texts.ID(name)
			if !ok || !texts.Audience(id).May(wording.Customer) || len(texts.Slots(id)) > 0 {
				rt.Fatalf("%s is no sentence for everybody without slots", name)
			}
			if !slices.ContainsFunc(given, func(c score.Contribution) bool { return c.Amount > 0 }) {
				rt.Fatalf("%s, and nothing adds to the score", name)
			}
		}
	})
}

// It stands on the way of every answer. Not parallel: it counts allocations.
func TestWhyOfDoesNotAllocate(t *testing.T) {
	given := []score.Contribution{{Feature: score.GoalFit, Value: 1, Amount: 1}, {Feature: score.Quality, Value: 1, Amount: 2}}
	if n := testing.AllocsPerRun(100, func() { matcher.WhyOf(given, true) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
