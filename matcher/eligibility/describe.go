package eligibility

import "github.com/fundmatch/fundmatch/matcher/fund"

// Description tells people about a rule, in zh-CN.
type Description struct {
	Name    string // a few words
	Says    string // one sentence
	Missing string // what the lack of a fact means; empty: the rule reads none that may be missing
	// Elsewhere are the packages, beside the gate and the check of orders, that hold the rule.
	Elsewhere []string
	// Relaxes: the rule lifts what others forbid, so that switching it on is laxer.
	Relaxes bool

	id         RuleID
	parameters []ParameterDescription
}

// ParameterDescription tells people about one parameter of a rule, in zh-CN.
type ParameterDescription struct {
	Name  string // as in a pack: class_months
	Says  string // a few words
	Unit  string // empty: none
	Bound string // beyond the bounds of its values; empty: nothing

	stricter direction
	strictly string // the stricter one of two words
}

// direction says which way a parameter is stricter.
type direction uint8

const (
	undirected direction = iota // or not for a program to say
	less                        // the smaller number, the lower grade, false, the fewer words
	more                        // the greater number, true, the more words
)

// Describe tells about a rule; the zero value about one that there is not.
func Describe(id RuleID) Description {
	for i := range descriptions {
		if descriptions[i].id == id {
			return descriptions[i]
		}
	}
	return Description{}
}

// DescribeParameter tells about a parameter; only the name is set where there is none such.
func DescribeParameter(id RuleID, name string) ParameterDescription {
	for _, p := range Describe(id).parameters {
		if p.Name == name {
			return p
		}
	}
	return ParameterDescription{Name: name}
}

// RuleIDs lists the rules that this program knows, in the rulebook's order.
func RuleIDs() []RuleID {
	ids := make([]RuleID, len(rulebook))
	for i := range rulebook {
		ids[i] = rulebook[i].id
	}
	return ids
}

// IsLaw reports whether a bank may neither switch a rule off nor leave an instant without
// it, and from which day on: 0 ever.
func IsLaw(id RuleID) (law bool, since fund.Date) {
	spec := specOf(id)
	if spec == nil {
		return false, 0
	}
	return spec.mandatory, spec.since
}

// HeldBy says in zh-CN which code holds a rule: the gate, the check of orders, and other
// packages. Empty: none yet.
func HeldBy(id RuleID) []string {
	spec := specOf(id)
	if spec == nil {
		return nil
	}
	var places []string
	if spec.parts != nil {
		places = append(places, "产品审查（matcher/eligibility）")
	}
	if spec.order != nil {
		places = append(places, "订单检查（matcher/eligibility）")
	}
	for _, dir := range Describe(id).Elsewhere {
		if dir == heldInWording {
			places = append(places, "文字检查（"+dir+"）")
		} else {
			places = append(places, dir)
		}
	}
	return places
}

// Bounds says which values of a parameter a pack may hold: 1–12, R1–R5, ELDER|ADULT. Of a
// table it is the bounds of each cell.
func (r *Rule) Bounds(parameter string) string {
	for i := range r.Parameters {
		if r.Parameters[i].Name == parameter {
			return r.forms[i].bounds
		}
	}
	return ""
}
