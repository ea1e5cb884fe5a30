package objection

import "strings"

// AllDoubts tells every doubt of a case before the strongest are chosen: band and triggers
// by code, "" for one that he does not have.
func AllDoubts(c *Case) [Codes]string {
	v := newView(c, nil)
	var all doubts
	v.raise(&all)
	var out [Codes]string
	for i := range all {
		d := &all[i]
		if d.band == 0 {
			continue
		}
		words := []string{d.band.String()}
		for _, t := range d.triggers[:d.count] {
			words = append(words, t.String())
		}
		out[i] = strings.Join(words, " ")
	}
	return out
}

// Own reports of each trigger's code whether it is something of the customer's.
func Own() map[string]bool {
	out := map[string]bool{}
	for t := range triggers {
		out[t.String()] = t.own()
	}
	return out
}
