package behaviour

import (
	"slices"
	"strings"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// stake is a position of known value.
type stake struct {
	key     string // what it is counted under
	value   fund.Money
	product *Product
	code    string
}

// stakes are the positions of known value. Up to so many need no memory of their own.
type stakes struct {
	few  [32]stake
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
		s.many = append(make([]stake, 0, 4*len(s.few)), s.few[:]...)
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
	var total fund.Money
	for i := range all {
		if all[i].key = by.of(&all[i]); all[i].key != "" {
			total = plus(total, all[i].value)
		}
	}
	if total == 0 {
		return fund.Measure{}, fund.Measure{}
	}
	slices.SortFunc(all, func(a, b stake) int { return strings.Compare(a.key, b.key) })
	var squares float64
	var most fund.Money
	for i := 0; i < len(all); {
		var group fund.Money
		first := i
		for i < len(all) && all[i].key == all[first].key {
			group = plus(group, all[i].value)
			i++
		}
		if all[first].key == "" {
			continue
		}
		share := float64(group) / float64(total)
		squares += float64(share * share)
		most = max(most, group)
	}
	return fund.Measure{Value: ratioOf(squares), OK: true}, shareOf(most, total)
}
