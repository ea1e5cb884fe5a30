package shadow

import (
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Summary is what was found of one shadow beside one model in force. It begins anew when
// either is replaced.
type Summary struct {
	Model, Shadow string       // hex ids; empty: nothing was offered yet
	Since         fund.Instant // instant of the first answer that was counted
	Compared      int64        // answers compared
	Same          int64        // of these with the same products in the same order
	Dropped       int64        // answers not compared because too many waited
	Failed        int64        // the shadow gave no answer
	Violations    int64        // must be 0
	// Means over the compared answers; see Comparison.
	Overlap, RankBiased, ScoreGap float64
}

// totals are a summary in the making: sums in place of means.
type totals struct {
	Summary
	newest fund.Instant // of the answers counted
}

func (t *totals) add(c *Comparison) {
	if c.Err != nil {
		t.Failed++
		return
	}
	t.Compared++
	if c.Same {
		t.Same++
	}
	t.Violations += int64(c.Violations)
	t.Overlap += c.Overlap
	t.RankBiased += c.RankBiased
	t.ScoreGap += c.ScoreGap
}

// count counts for a pair of models, and begins anew with another pair. What comes late of a
// pair that was replaced counts for nothing.
func (c *Comparer) count(inForce string, shadow *matcher.Core, at fund.Instant, count func(*totals)) {
	id := shadow.Identity().ModelID
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sum.Model != inForce || c.sum.Shadow != id {
		if at < c.sum.newest {
			return
		}
		c.sum = totals{Summary: Summary{Model: inForce, Shadow: id, Since: at}}
	}
	c.sum.newest = max(c.sum.newest, at)
	count(&c.sum)
}

// Summary returns what was found so far.
func (c *Comparer) Summary() Summary {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.sum.Summary
	if n := float64(s.Compared); n > 0 {
		s.Overlap, s.RankBiased, s.ScoreGap = s.Overlap/n, s.RankBiased/n, s.ScoreGap/n
	}
	return s
}
