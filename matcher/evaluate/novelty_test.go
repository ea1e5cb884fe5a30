package evaluate_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/evaluate"
)

func TestNovelty(t *testing.T) {
	t.Parallel()
	holders := map[string]int64{"all": 8, "half": 4, "one": 1, "more than there are": 9}
	have := func(p string) int64 { return holders[p] }
	for name, c := range map[string]struct {
		list []string
		k    int
		want float64
		mode evaluate.Unseen
	}{
		"everybody has it":        {[]string{"all"}, 0, 0, 0},
		"more than everybody":     {[]string{"more than there are"}, 0, 0, 0},
		"half have it":            {[]string{"half"}, 0, 1, 0},
		"mean":                    {[]string{"all", "half", "one"}, 0, 4.0 / 3, 0},
		"the first two":           {[]string{"all", "half", "one"}, 2, 1.0 / 2, 0},
		"nobody has it":           {[]string{"half", "none"}, 0, 2, 0},
		"nobody has it, left out": {[]string{"half", "none"}, 0, 1, evaluate.UnseenSkip},
	} {
		near(t, name, evaluate.Novelty(c.list, c.k, 8, have, c.mode), c.want)
	}
	for _, v := range []float64{
		evaluate.Novelty(nil, 0, 8, have, 0), evaluate.Novelty([]string{"none"}, 0, 8, have, evaluate.UnseenSkip), evaluate.Novelty([]string{"one"}, 0, 0, have, 0),
	} {
		if !math.IsNaN(v) {
			t.Errorf("%v of nothing", v)
		}
	}
}

func TestChurn(t *testing.T) {
	t.Parallel()
	near(t, "the same in another order", evaluate.Churn([]int{1, 2, 3}, []int{3, 1, 2}, 0), 0)
	near(t, "one of three", evaluate.Churn([]int{1, 2, 3}, []int{4, 1, 2}, 0), 1.0/3)
	near(t, "what went beyond the cutoff is new when it is back", evaluate.Churn([]int{1, 2, 3}, []int{3, 1}, 2), 1.0/2)
	near(t, "a shorter list", evaluate.Churn([]int{1, 2, 3}, []int{2}, 0), 0)
	if v := evaluate.Churn(nil, []int{1}, 0); !math.IsNaN(v) {
		t.Errorf("a first list: %v", v)
	}
	if v := evaluate.Churn([]int{1}, nil, 0); !math.IsNaN(v) {
		t.Errorf("no list: %v", v)
	}
	lists := rapid.SliceOfN(rapid.IntRange(0, 9), 1, 12)
	rapid.Check(t, func(t *rapid.T) {
		a, b := lists.Draw(t, "before"), lists.Draw(t, "now")
		if v := evaluate.Churn(a, b, 0); v < 0 || v > 1 || evaluate.Churn(a, a, 0) != 0 {
			t.Fatalf("%v", v)
		}
	})
}
