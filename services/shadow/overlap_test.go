package shadow

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func list(codes string) (out []ranked) {
	for i, c := range codes {
		out = append(out, ranked{string(c), float64(10 - i)})
	}
	return out
}

// directly is equation 32 as it is printed, with sets.
func directly(a, b []ranked) float64 {
	if len(a) > len(b) {
		a, b = b, a
	}
	s, l, p := len(a), len(b), persistence
	common := func(d int) (n float64) {
		for _, x := range a[:min(d, s)] {
			if slices.ContainsFunc(b[:min(d, l)], func(y ranked) bool { return y.code == x.code }) {
				n++
			}
		}
		return n
	}
	first, second := 0., 0.
	for d := 1; d <= l; d++ {
		first += common(d) / float64(d) * math.Pow(p, float64(d))
	}
	for d := s + 1; d <= l; d++ {
		second += common(s) * float64(d-s) / float64(s*d) * math.Pow(p, float64(d))
	}
	return (1-p)/p*(first+second) + ((common(l)-common(s))/float64(l)+common(s)/float64(s))*math.Pow(p, float64(l))
}

// The overlap of ranks is what its authors define, does not depend on who is compared with
// whom, and is 1 for the same list and 0 for nothing in common.
func TestRankBiasedOverlap(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want float64
	}{
		{"", "", 1},
		{"", "a", 0},
		{"abcde", "", 0},
		{"abcde", "abcde", 1},
		{"abcde", "fghij", 0},
		{"a", "a", 1},
		{"ab", "ba", .1/.9*(1*.81) + .81}, // agree at depth 2 alone: 0, 1
		{"abc", "abd", .1/.9*(.9+.81+2./3*.729) + 2./3*.729}, // 1, 1, 2/3
	} {
		if got := rankBiased(list(c.a), list(c.b)); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%q, %q: %v, want %v", c.a, c.b, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) (out []ranked) {
			for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(0, 12), 0, 10, rapid.ID).Draw(t, name) {
				out = append(out, ranked{fmt.Sprint(n), 0})
			}
			return out
		}
		a, b := draw("a"), draw("b")
		got := rankBiased(a, b)
		if got != rankBiased(b, a) || got < 0 || got > 1+1e-12 {
			t.Fatalf("%v one way, %v the other", got, rankBiased(b, a))
		}
		if len(a) > 0 && len(b) > 0 && math.Abs(got-directly(a, b)) > 1e-12 {
			t.Fatalf("%v, by the definition %v", got, directly(a, b))
		}
	})
}

func TestCompare(t *testing.T) {
	t.Parallel()
	scored := func(code string, score float64) ranked { return ranked{code, score} }
	for name, c := range map[string]struct {
		a, b []ranked
		want Comparison
	}{
		"nothing":       {nil, nil, Comparison{Overlap: 1, Same: true}},
		"the same":      {list("abc"), list("abc"), Comparison{Overlap: 1, Same: true}},
		"another order": {list("abc"), list("acb"), Comparison{Overlap: 1, ScoreGap: 2. / 3}},
		"shorter":       {list("ab"), list("a"), Comparison{Overlap: .5}},
		"longer":        {list("a"), list("ab"), Comparison{Overlap: .5}},
		"other scores": {
			[]ranked{scored("a", 2), scored("b", 1)},
			[]ranked{scored("a", 1.5), scored("c", 9)},
			Comparison{Overlap: .5, ScoreGap: .5},
		},
		"nothing in common": {list("ab"), list("cd"), Comparison{}},
	} {
		got := compare(c.a, c.b)
		c.want.RankBiased = rankBiased(c.a, c.b)
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}
