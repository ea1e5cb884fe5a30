package score

import (
	"slices"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score/affinity"
)

// Funds are products joined by their share classes.
type Funds struct {
	Products []*fund.Product
	Of       []int32  // fund of each product
	Codes    []string // of each fund
}

// names are the values of the attributes that the products have, and the funds' codes.
func (f *Funds) names() affinity.Names {
	return affinity.Names{
		Items: f.Codes, Kinds: names(f.Products, kindOf), Issuers: names(f.Products, issuerOf),
		Themes: names(f.Products, firstTheme), Goals: names(f.Products, firstGoal),
	}
}

// items are the funds as the affinity model knows them: each has the attributes of its first
// product that tells them, by their place among the names, which are sorted.
func (f *Funds) items(known *affinity.Names) []affinity.Item {
	items := slices.Repeat([]affinity.Item{{
		Kind: affinity.Unknown, Issuer: affinity.Unknown, Theme: affinity.Unknown, Goal: affinity.Unknown, Market: affinity.Unknown,
	}}, len(f.Codes))
	f.attribute(known.Kinds, kindOf, func(x, n int32) { items[x].Kind = n })
	f.attribute(known.Issuers, issuerOf, func(x, n int32) { items[x].Issuer = n })
	f.attribute(known.Themes, firstTheme, func(x, n int32) { items[x].Theme = n })
	f.attribute(known.Goals, firstGoal, func(x, n int32) { items[x].Goal = n })
	return items
}

// attribute gives each fund the number of its attribute among names, which are sorted.
func (f *Funds) attribute(names []string, name func(*fund.Product) string, set func(fund, number int32)) {
	told := make([]bool, len(f.Codes))
	for i, p := range f.Products {
		at, ok := slices.BinarySearch(names, name(p))
		if x := f.Of[i]; ok && !told[x] {
			told[x] = true
			set(x, int32(at))
		}
	}
}

// names are the values of an attribute that there are, sorted; those beyond the bound of the
// model are of nobody's kind.
func names(products []*fund.Product, name func(*fund.Product) string) []string {
	var all []string
	for _, p := range products {
		if n := name(p); n != "" {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	return all[:min(len(all), affinity.MaxAttribute+1)]
}

func kindOf(p *fund.Product) string   { return p.Type }
func issuerOf(p *fund.Product) string { return p.Parties.Issuer }

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
