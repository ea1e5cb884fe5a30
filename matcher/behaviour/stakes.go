package behaviour

import (
	"slices"
	"strings"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// stake is a position of known value.
type stake struct {
	value   fund.Money
	product *Product
	code    string
}

// fewStakes is how many products a customer may hold before reading them takes memory.
const fewStakes = 32

// stakes are the positions of known value.
type stakes struct {
	few  [fewStakes]stake
	n    int
	many []stake // all of them, once there are more
}

func (s *stakes) add(x stake) {
	if s.many == nil && s.n < len(s.few) {
		s.few[s.n] = x
		s.n++
		return
	}
	if s.many == nil {
		s.many = append(make([]stake, 0, 4*fewStakes), s.few[:]...)
	}
	s.many = append(s.many, x)
}

func (s *stakes) all() []stake {
	if s.many != nil {
		return s.many
	}
	return s.few[:s.n]
}

// settle measures how the value is spread and how its risk stands to the level. A product
// that does not name its issuer, theme or grade is left out of that measure, as the
// rulebook leaves it out of the caps.
func (s *stakes) settle(f *fund.Portfolio, level fund.RiskLevel) {
	all := s.all()
	if level != fund.LevelUnknown {
		f.AboveLevel, f.GradeGap = against(all, level)
	}
	f.HHIFund, f.Largest = spread(all, byFund)
	f.HHIIssuer, _ = spread(all, byIssuer)
	f.HHITheme, _ = spread(all, byTheme)
}

// against returns the share of the value in grades above the level, R1 being C1's grade,
// and the mean grade by value less the level.
func against(all []stake, level fund.RiskLevel) (above, gap fund.Measure) {
	var graded, over fund.Money
	var weighted float64
	for i := range all {
		grade, value := all[i].product.Grade, all[i].value
		if grade == fund.GradeUnknown {
			continue
		}
		graded = plus(graded, value)
		weighted += float64(float64(value) * float64(grade))
		if int(grade) > int(level) {
			over = plus(over, value)
		}
	}
	if graded == 0 {
		return fund.Measure{}, fund.Measure{}
	}
	mean := float64(weighted / float64(graded))
	return shareOf(over, graded), fund.Measure{Value: ratioOf(mean - float64(level)), OK: true}
}

// grouping is what stakes are counted under.
type grouping uint8

const (
	byFund grouping = iota
	byIssuer
	byTheme
)

// of returns the key of a stake; empty: it has none.
func (g grouping) of(x *stake) string {
	switch g {
	case byIssuer:
		return x.product.Issuer
	case byTheme:
		return x.product.Theme
	case byFund:
	}
	if x.product.FundCode == "" {
		return x.code
	}
	return x.product.FundCode
}

// spread returns the Herfindahl index of the shares by key, the sum of their squares, and
// the largest share, over the value of what has a key.
func spread(all []stake, by grouping) (hhi, largest fund.Measure) {
	var few [fewStakes]group
	groups := few[:0]
	if len(all) > fewStakes {
		groups = sortedGroups(all, by)
	} else {
		groups = groupsOf(all, by, groups)
	}
	var total, most fund.Money
	for i := range groups {
		total = plus(total, groups[i].value)
		most = max(most, groups[i].value)
	}
	if total == 0 {
		return fund.Measure{}, fund.Measure{}
	}
	var squares float64
	for i := range groups {
		share := float64(groups[i].value) / float64(total)
		squares += float64(share * share)
	}
	return fund.Measure{Value: ratioOf(squares), OK: true}, shareOf(most, total)
}

// group is the value under one key.
type group struct {
	key   string
	value fund.Money
}

// groupsOf looks for the group of each stake: the faster way while they are few.
func groupsOf(all []stake, by grouping, groups []group) []group {
next:
	for i := range all {
		key := by.of(&all[i])
		if key == "" {
			continue
		}
		for k := range groups {
			if groups[k].key == key {
				groups[k].value = plus(groups[k].value, all[i].value)
				continue next
			}
		}
		groups = append(groups, group{key, all[i].value})
	}
	return groups
}

// sortedGroups brings the stakes of a group together first.
func sortedGroups(all []stake, by grouping) []group {
	sorted := make([]group, 0, len(all))
	for i := range all {
		if key := by.of(&all[i]); key != "" {
			sorted = append(sorted, group{key, all[i].value})
		}
	}
	slices.SortFunc(sorted, func(a, b group) int { return strings.Compare(a.key, b.key) })
	groups := sorted[:0]
	for _, g := range sorted {
		if n := len(groups); n > 0 && groups[n-1].key == g.key {
			groups[n-1].value = plus(groups[n-1].value, g.value)
		} else {
			groups = append(groups, g)
		}
	}
	return groups
}
