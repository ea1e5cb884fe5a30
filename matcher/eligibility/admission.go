package eligibility

// Admission lists what keeps product i out of the pool whoever asks (C02, F01, F02): what
// head office must know. The rest of the pool is published all the same. Facts name the
// value that was found and what was expected. i must be less than Len.
func (g *Gate) Admission(i int) []Finding {
	var out []Finding
	for k := range g.rules {
		rule := &g.rules[k]
		if rule.id != C02 && rule.id != F01 && rule.id != F02 {
			continue
		}
		for _, p := range rule.partsOf(g.products[i].book) {
			out = p.judge(&g.products[i], &Facts{}, out)
		}
	}
	return out
}
