package matcher

import (
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Violations counts the products of an answer that the firm may not offer this customer, each
// judged by itself with every rule, as Explain does. It is 0 for whatever Match answered: the
// gate stands before the model, and this is how that is watched. buf is worked in. Errors are
// those of Match: the answer's request must be one that the core speaks for.
func (c *Core) Violations(p *fund.Profile, s, buf *Slate) (int, error) {
	r := s.Request
	if err := c.checkRequest(r); err != nil {
		return 0, err
	}
	buf.reset()
	w := &buf.work
	a := c.ask(p, r, r.context(fund.ByFirm), w)
	n := 0
	var findings []eligibility.Finding
	for i := range s.Items {
		place, ok := c.Find(s.Items[i].Code)
		if !ok {
			n++
			continue
		}
		var verdict eligibility.Verdict
		if verdict, findings = c.gate.Judge(place, &a.facts, &w.refusals, findings[:0]); !verdict.Permitted {
			n++
		}
	}
	return n, nil
}
