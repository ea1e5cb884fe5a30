// Package slate chooses the products of one list from the scores of those that the gate
// permits: best first, one entry a fund, a bounded share of one issuer, theme or manager,
// and no preference for new issues (rule K03). The order is total, so that neither the
// pool's order nor chance decides.
package slate

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Settings bound the composition of a list, in percent of its length; each bound lets at
// least one item through.
type Settings struct {
	MaxIssuerPct  int
	MaxThemePct   int
	MaxManagerPct int
	MaxHeldPct    int // funds that the customer has already
	NewIssuePct   int // K03: new issues, rounded down: a short list may have none
}

// Product is what the choice needs to know of one product.
type Product struct {
	Code     string
	Fund     int32
	Issuer   string // empty: unknown, not counted
	Manager  string
	Themes   []string
	Class    fund.Class
	NewIssue bool
}

// Chooser is the compiled pool of choices. It is immutable.
type Chooser struct {
	settings Settings
	items    []item
	groups   int // number of issuers, managers and themes
}

// item is a product with its parties as small numbers.
type item struct {
	fund     int32
	class    fund.Class
	newIssue bool
	tie      uint32 // among equal scores the lower is first: existing funds, then by code
	groups   []group
}

// group is a party or theme that lists are balanced over.
type group struct {
	id  int32
	pct int32
}

// Compile numbers the parties and the order of codes. The result does not depend on the
// order of products but for the indices themselves.
func Compile(products []Product, s Settings) *Chooser {
	c := &Chooser{settings: s, items: make([]item, len(products))}
	order := make([]int, len(products))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(products[a].Code, products[b].Code) })
	ids := map[string]int32{}
	for position, i := range order {
		p := &products[i]
		it := item{fund: p.Fund, class: p.Class, newIssue: p.NewIssue, tie: uint32(position)}
		if p.NewIssue {
			it.tie |= 1 << 31
		}
		it.groups = join(it.groups, ids, "issuer:", p.Issuer, s.MaxIssuerPct)
		it.groups = join(it.groups, ids, "manager:", p.Manager, s.MaxManagerPct)
		for _, t := range p.Themes {
			it.groups = join(it.groups, ids, "theme:", t, s.MaxThemePct)
		}
		c.items[i] = it
	}
	c.groups = len(ids)
	return c
}

func join(groups []group, ids map[string]int32, kind, name string, pct int) []group {
	if name == "" {
		return groups
	}
	id, ok := ids[kind+name]
	if !ok {
		id = int32(len(ids))
		ids[kind+name] = id
	}
	return append(groups, group{id: id, pct: int32(pct)})
}

// Request is one choice to make.
type Request struct {
	Permitted []uint64  // bit i: product i passed the gate
	Scores    []float64 // of every product
	Held      []int32   // funds that the customer has: sorted
	Limit     int
}

// Pick is one chosen product.
type Pick struct {
	Product int32
	Peer    int32 // existing product of the same class beside a new issue; -1: none needed
}

// Buffers are reused between choices and must not be shared.
type Buffers struct {
	Picks        []Pick
	Alternatives []Alternative
	order        order
	counts       []int32
	funds        []int32
}

// Choose returns up to r.Limit products, best first, in buf.Picks. It allocates only when
// the buffers are too small.
func (c *Chooser) Choose(r *Request, buf *Buffers) []Pick {
	c.arrange(r, &buf.order)
	c.fill(r, buf)
	c.trimNewIssues(buf)
	return buf.Picks
}

// less orders products: higher score first, an existing fund before an equal new issue
// (K03), then by code.
func (c *Chooser) less(scores []float64, a, b int32) bool {
	if scores[a] != scores[b] {
		return scores[a] > scores[b]
	}
	return c.items[a].tie < c.items[b].tie
}

// fill takes the ordered products one by one as long as the bounds allow.
func (c *Chooser) fill(r *Request, buf *Buffers) {
	buf.reset(c.groups)
	held := 0
	newIssues, maxNew := 0, r.Limit*c.settings.NewIssuePct/100
	maxHeld := atMost(c.settings.MaxHeldPct, r.Limit)
	for place := 0; len(buf.Picks) < r.Limit; place++ {
		i := c.nth(r, &buf.order, place)
		if i < 0 {
			return
		}
		it := &c.items[i]
		_, has := slices.BinarySearch(r.Held, it.fund)
		if slices.Contains(buf.funds, it.fund) || has && held == maxHeld || !c.fits(it, r.Limit, buf.counts) {
			continue
		}
		pick := Pick{Product: i, Peer: -1}
		if it.newIssue {
			if newIssues < maxNew {
				pick.Peer = c.peer(it, r, &buf.order)
			}
			if pick.Peer < 0 {
				continue // beyond the share, or with nothing to stand beside it
			}
			newIssues++
		}
		if has {
			held++
		}
		buf.take(it, pick)
	}
}

// reset empties the list and sets the counts of so many groups to zero.
func (b *Buffers) reset(groups int) {
	b.Picks = b.Picks[:0]
	b.resetCounts(groups)
}

// resetCounts counts from nothing, and keeps the list.
func (b *Buffers) resetCounts(groups int) {
	b.funds = b.funds[:0]
	if cap(b.counts) < groups {
		b.counts = make([]int32, groups)
	}
	b.counts = b.counts[:groups]
	clear(b.counts)
}

// take adds a pick and counts its parties.
func (b *Buffers) take(it *item, pick Pick) {
	b.count(it)
	b.Picks = append(b.Picks, pick)
}

// count counts the parties and the fund of a product.
func (b *Buffers) count(it *item) {
	for _, g := range it.groups {
		b.counts[g.id]++
	}
	b.funds = append(b.funds, it.fund)
}

// fits reports whether one more product of these parties keeps the bounds.
func (c *Chooser) fits(it *item, limit int, counts []int32) bool {
	for _, g := range it.groups {
		if int(counts[g.id]) >= atMost(int(g.pct), limit) {
			return false
		}
	}
	return true
}

// atMost is a share of a list's length, at least one.
func atMost(pct, limit int) int { return max(1, pct*limit/100) }

// peersAmong is how many of the first products are asked for a peer before all are.
const peersAmong = 64

// Peer returns the best permitted existing product of the same class beside a new issue
// that is looked at alone, as a list would name it; -1: the product is no new issue, or
// there is none.
func (c *Chooser) Peer(product int32, r *Request) int32 {
	it := &c.items[product]
	if !it.newIssue {
		return -1
	}
	return c.peer(it, r, nil)
}

// peer returns the best permitted existing product of the same class but of another
// fund, or -1. It is nearly always among the first in order, where there is one; where it is
// not, all are looked at, so that the answer does not depend on how many were ordered.
func (c *Chooser) peer(newIssue *item, r *Request, o *order) int32 {
	for place := 0; o != nil && place < peersAmong; place++ {
		i := c.nth(r, o, place)
		if i < 0 {
			break
		}
		if c.items[i].isPeerOf(newIssue) {
			return i
		}
	}
	best := int32(-1)
	for w, word := range r.Permitted {
		for ; word != 0; word &= word - 1 {
			i := int32(w*64 + bits.TrailingZeros64(word))
			if c.items[i].isPeerOf(newIssue) && (best < 0 || c.less(r.Scores, i, best)) {
				best = i
			}
		}
	}
	return best
}

func (it *item) isPeerOf(newIssue *item) bool {
	return !it.newIssue && it.class == newIssue.class && it.fund != newIssue.fund
}

// trimNewIssues drops the last new issues of a list that stayed short, until their share
// is within K03's bound of the list that is really shown.
func (c *Chooser) trimNewIssues(buf *Buffers) {
	newIssues := 0
	for _, p := range buf.Picks {
		if c.items[p.Product].newIssue {
			newIssues++
		}
	}
	for i := len(buf.Picks) - 1; i >= 0 && newIssues > len(buf.Picks)*c.settings.NewIssuePct/100; i-- {
		if c.items[buf.Picks[i].Product].newIssue {
			buf.Picks = slices.Delete(buf.Picks, i, i+1)
			newIssues--
		}
	}
}
