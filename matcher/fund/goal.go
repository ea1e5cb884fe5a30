package fund

import (
	"fmt"
	"strings"
)

// Goal is what a customer hopes for.
type Goal uint8

// The goals of the playbook. GoalUnknown asks before it sells.
const (
	GoalUnknown Goal = iota
	Cash
	SteadyIncome
	Growth
	Education
	Retirement
	Inflation
	House
	TaxDeferredPension
	Treasury // idle cash of a company
	goalCount
)

// Goals is the number of goals, GoalUnknown included.
const Goals = int(goalCount)

var goalNames = [...]string{
	"UNKNOWN", "CASH", "STEADY_INCOME", "GROWTH", "EDUCATION", "RETIREMENT", "INFLATION", "HOUSE", "TAX_DEFERRED_PENSION", "TREASURY",
}

// String returns the goal's code.
func (g Goal) String() string { return nameOf(goalNames[:], uint8(g)) }

// ParseGoal reads a goal's code. The empty text and UNKNOWN are unknown.
func ParseGoal(s string) (Goal, error) {
	if s == "" {
		return GoalUnknown, nil
	}
	n, err := parseName(goalNames[:], s, "goal")
	return Goal(n), err
}

// GoalSet is a set of goals.
type GoalSet uint16

// With returns the set with g in it.
func (s GoalSet) With(g Goal) GoalSet { return s | 1<<g }

// Has reports whether g is in the set.
func (s GoalSet) Has(g Goal) bool { return s&(1<<g) != 0 }

// ParseGoals reads codes separated by spaces, commas, semicolons or bars.
func ParseGoals(s string) ([]Goal, error) {
	words := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" ,;|", r) })
	goals := make([]Goal, 0, len(words))
	seen := GoalSet(0)
	for _, w := range words {
		g, err := ParseGoal(w)
		if err != nil {
			return nil, err
		}
		if g == GoalUnknown || seen.Has(g) {
			return nil, fmt.Errorf("%w: goals %q, expected different goals of %s", ErrInvalid, s, strings.Join(goalNames[1:], " "))
		}
		seen = seen.With(g)
		goals = append(goals, g)
	}
	return goals, nil
}

// SetOf returns the goals as a set.
func SetOf(goals []Goal) GoalSet {
	var s GoalSet
	for _, g := range goals {
		s = s.With(g)
	}
	return s
}

// Goals lists the set in the order of the codes.
func (s GoalSet) Goals() []Goal {
	var out []Goal
	for g := Cash; g < goalCount; g++ {
		if s.Has(g) {
			out = append(out, g)
		}
	}
	return out
}

// JoinGoals writes goals as ParseGoals reads them.
func JoinGoals(goals []Goal) string {
	names := make([]string, len(goals))
	for i, g := range goals {
		names[i] = g.String()
	}
	return strings.Join(names, " ")
}

// Need is how soon a customer may need his money back.
type Need uint8

// The liquidity needs.
const (
	NeedUnknown Need = iota
	NeedLow          // no need before the horizon
	NeedMedium       // within some months
	NeedHigh         // at any time
	needCount
)

// Needs is the number of needs, NeedUnknown included.
const Needs = int(needCount)

var needNames = [...]string{"", "LOW", "MEDIUM", "HIGH"}

// String returns the need's code.
func (n Need) String() string { return nameOf(needNames[:], uint8(n)) }

// ParseNeed reads LOW, MEDIUM or HIGH. The empty text is unknown.
func ParseNeed(s string) (Need, error) {
	n, err := parseName(needNames[:], s, "liquidity need")
	return Need(n), err
}
