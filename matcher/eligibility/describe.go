package eligibility

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
