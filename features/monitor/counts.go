package monitor

import (
	"time"

	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// counts are those of one instant: of each feature, of each line of the frame. Sums, least
// and greatest only: parts merge to the same in any order.
type counts struct {
	frame     *frame
	customers int64
	lines     [][]line // feature, line
}

// line counts one feature of one segment.
type line struct {
	rows           int64
	statuses       [view.PurposeDenied + 1]int64
	bins           []int64
	undated        int64
	ages           ages
	oldest, newest fund.Instant
}

func newCounts(f *frame) *counts {
	c := &counts{frame: f, lines: make([][]line, len(f.bins))}
	for i := range c.lines {
		c.lines[i] = make([]line, f.lines())
		for j := range c.lines[i] {
			c.lines[i][j].bins = make([]int64, f.bins[i].count())
		}
	}
	return c
}

// add counts one customer, in the line of all and in that of his segment.
func (c *counts) add(p *fund.Profile, cells []view.Cell, at fund.Instant) {
	c.customers++
	segment := c.frame.line(p)
	for i := range cells {
		c.lines[i][0].add(&cells[i], &c.frame.bins[i], at)
		if segment > 0 {
			c.lines[i][segment].add(&cells[i], &c.frame.bins[i], at)
		}
	}
}

func (l *line) add(c *view.Cell, b *bins, at fund.Instant) {
	l.rows++
	l.statuses[c.Status]++
	if c.Status != view.Present {
		l.bins[b.missing()]++
		return
	}
	b.add(l.bins, c.Value)
	if c.From == 0 {
		l.undated++
		return
	}
	l.ages.add(int64(at-c.From) / int64(time.Second/time.Microsecond))
	if l.oldest == 0 || c.From < l.oldest {
		l.oldest = c.From
	}
	l.newest = max(l.newest, c.From)
}

func (c *counts) merge(o *counts) {
	c.customers += o.customers
	for i := range c.lines {
		for j := range c.lines[i] {
			c.lines[i][j].merge(&o.lines[i][j])
		}
	}
}

func (l *line) merge(o *line) {
	l.rows += o.rows
	l.undated += o.undated
	for i, n := range o.statuses {
		l.statuses[i] += n
	}
	for i, n := range o.bins {
		l.bins[i] += n
	}
	l.ages.merge(&o.ages)
	if o.oldest != 0 && (l.oldest == 0 || o.oldest < l.oldest) {
		l.oldest = o.oldest
	}
	l.newest = max(l.newest, o.newest)
}

// age sums up how old the values are.
func (l *line) age() Age {
	a := Age{Dated: l.ages.total, Undated: l.undated, Oldest: l.oldest, Newest: l.newest}
	for i, q := range AgeQuantiles {
		a.Quantiles[i] = l.ages.quantile(q)
	}
	return a
}
