package matcher

import "github.com/fundmatch/fundmatch/matcher/eligibility"

// Admission says which rules of admission the product at a place breaks (F01, F02, C02):
// such a product is in quarantine, neither recommended nor sold, and the rest of the pool is
// published. None: it is admitted.
func (c *Core) Admission(i int) []eligibility.Finding { return c.gate.Admission(i) }

// Quarantined lists the places of the products in quarantine, in code order.
func (c *Core) Quarantined() []int { return c.quarantined }

// quarantine asks about every product once: a core speaks for one day.
func (c *Core) quarantine() {
	for i := range c.products {
		if len(c.gate.Admission(i)) > 0 {
			c.quarantined = append(c.quarantined, i)
		}
	}
}
