package monitor

import (
	"cmp"
	"container/heap"
	"context"
	"hash/fnv"
	"slices"
)

// idsAtOnce is how many ids are read at a time.
const idsAtOnce = 10_000

// Choose returns up to n customers of a store, sorted: those whose ids have the smallest
// hashes. The same store gives the same customers, and one who is chosen stays so while
// the store does not grow much.
func Choose(ctx context.Context, src Source, n int) ([]string, error) {
	s, err := surveyed(ctx, src, n)
	if err != nil {
		return nil, err
	}
	return s.chosen.ids(), nil
}

// survey is what one pass over the ids tells: how many there are, where the ranges of
// work end, and some customers chosen by hash.
type survey struct {
	customers int64
	ends      []string // the last id of each range
	chosen    chosen
}

// rangeSize is how many customers one worker takes at a time. Ids of the ends are all that
// stays of a pass, so that a bank of ten million keeps five thousand of them.
const rangeSize = 2_000

func surveyed(ctx context.Context, src Source, n int) (*survey, error) {
	s := &survey{chosen: chosen{most: n}}
	after := ""
	for {
		ids, err := src.CustomerIDs(ctx, after, idsAtOnce)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			s.customers++
			if s.customers%rangeSize == 0 {
				s.ends = append(s.ends, id)
			}
			s.chosen.offer(id)
			after = id
		}
		if len(ids) < idsAtOnce {
			break
		}
	}
	if s.customers%rangeSize != 0 {
		s.ends = append(s.ends, after)
	}
	return s, nil
}

// chosen keeps the ids with the smallest hashes: a heap with the largest on top.
type chosen struct {
	most int
	rows []hashed
}

type hashed struct {
	hash uint64
	id   string
}

func (h hashed) compare(o hashed) int {
	return cmp.Or(cmp.Compare(h.hash, o.hash), cmp.Compare(h.id, o.id))
}

// offer keeps an id if it is among the smallest so far.
func (c *chosen) offer(id string) {
	h := hashed{hashOf(id), id}
	switch {
	case len(c.rows) < c.most:
		heap.Push(c, h)
	case c.most > 0 && h.compare(c.rows[0]) < 0:
		c.rows[0] = h
		heap.Fix(c, 0)
	}
}

// ids returns them sorted.
func (c *chosen) ids() []string {
	out := make([]string, len(c.rows))
	for i, r := range c.rows {
		out[i] = r.id
	}
	slices.Sort(out)
	return out
}

// hashOf spreads ids evenly: FNV-1a, whose high bits hardly differ for short ids of one
// form, and the finalizer of splitmix64 (Steele, Lea and Flood, 2014).
func hashOf(id string) uint64 {
	f := fnv.New64a()
	_, _ = f.Write([]byte(id)) // a hash takes everything
	h := f.Sum64()
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

// Len, Less, Swap, Push and Pop are heap.Interface.
func (c *chosen) Len() int           { return len(c.rows) }
func (c *chosen) Less(i, j int) bool { return c.rows[i].compare(c.rows[j]) > 0 }
func (c *chosen) Swap(i, j int)      { c.rows[i], c.rows[j] = c.rows[j], c.rows[i] }

// Push adds a row.
func (c *chosen) Push(x any) { c.rows = append(c.rows, x.(hashed)) } //nolint:forcetypeassert,errcheck // offer pushes nothing else

// Pop removes the last row.
func (c *chosen) Pop() any {
	last := c.rows[len(c.rows)-1]
	c.rows = c.rows[:len(c.rows)-1]
	return last
}
