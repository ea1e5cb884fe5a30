package matcher

import (
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// IsElder reports whether a customer is served in elder mode at an instant (E01, A07): by
// his age, or because it is not known and the pack in force says so.
func (c *Core) IsElder(p *fund.Profile, at fund.Instant) bool {
	f := c.gate.Facts(p, fund.GoalUnknown, 0, fund.NeedUnknown, eligibility.Context{At: at})
	return f.Elder
}
