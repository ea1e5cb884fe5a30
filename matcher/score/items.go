package score

import (
	"slices"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score/affinity"
)

// Items are the funds as the affinity model knows them: each has the attributes of its first
// product that tells them. of is the fund of each product, from 0 to count-1. Attributes are
// numbered in the order of their names, so that the order of products does not matter.
func Items(products []*fund.Product, of []int32, count int) []affinity.Item {
	items := slices.Repeat([]affinity.Item{{
		Kind: affinity.Unknown, Issuer: affinity.Unknown, Theme: affinity.Unknown, Goal: affinity.Unknown, Market: affinity.Unknown,
	}}, count)
	attribute(products, of, func(p *fund.Product) string { return p.Type }, func(f, n int32) { items[f].Kind = n })
	attribute(products, of, func(p *fund.Product) string { return p.Parties.Issuer }, func(f, n int32) { items[f].Issuer = n })
	attribute(products, of, firstTheme, func(f, n int32) { items[f].Theme = n })
	attribute(products, of, firstGoal, func(f, n int32) { items[f].Goal = n })
	return items
}

// attribute gives each fund the number of its attribute among the names that there are. Names
// beyond the bound of the model are of nobody's kind.
func attribute(products []*fund.Product, of []int32, name func(*fund.Product) string, set func(fund, number int32)) {
	var names []string
	for _, p := range products {
		if n := name(p); n != "" {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	told := map[int32]bool{}
	for i, p := range products {
		at, ok := slices.BinarySearch(names, name(p))
		if ok && at <= affinity.MaxAttribute && !told[of[i]] {
			told[of[i]] = true
			set(of[i], int32(at))
		}
	}
}

func firstTheme(p *fund.Product) string {
	if len(p.Content.Themes) == 0 {
		return ""
	}
	return p.Content.Themes[0]
}

func firstGoal(p *fund.Product) string {
	for g := fund.Goal(1); int(g) < fund.Goals; g++ {
		if p.Content.Goals.Has(g) {
			return g.String()
		}
	}
	return ""
}
