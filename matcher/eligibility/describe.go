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
}

// ParameterDescription tells people about one parameter of a rule, in zh-CN.
type ParameterDescription struct {
	Name string // as in a pack: class_months
	Says string // a few words
	Unit string // empty: none
}

// Describe tells about a rule; the zero value about one that there is not.
func Describe(id RuleID) Description { return Description{} }

// DescribeParameter tells about a parameter; only the name is set where there is none such.
func DescribeParameter(id RuleID, name string) ParameterDescription {
	return ParameterDescription{Name: name}
}
