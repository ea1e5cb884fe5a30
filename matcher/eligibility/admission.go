package eligibility

// admits lists the rules that a product itself breaks or keeps: one that breaks any is in
// quarantine, and the rest of the pool goes on (F01, F02, C02).
var admits = [...]RuleID{C02, F01, F02}

// Admission says which rules of admission product i, which must be less than Len, breaks on
// the gate's day, in pack order; none: it is admitted. Nothing of a customer is asked.
func (g *Gate) Admission(i int) []Finding {
	var nobody Facts
	var out []Finding
	product := &g.products[i]
	for k := range g.rules {
		rule := &g.rules[k]
		if !admitsBy(rule.ID) {
			continue
		}
		for j := range rule.parts {
			p := &rule.parts[j]
			outcome := p.outcomes[Recommendation]
			if key := p.key(&nobody); outcome == Block && key >= 0 && p.speaks(product, key) {
				out = append(out, Finding{
					Rule: rule.ID, Outcome: outcome, Reason: p.reason, Facts: p.facts(product, &nobody),
					Parameters: rule.Parameters, Citation: rule.Citation,
				})
			}
		}
	}
	return out
}

func admitsBy(id RuleID) bool {
	for _, rule := range admits {
		if rule == id {
			return true
		}
	}
	return false
}
