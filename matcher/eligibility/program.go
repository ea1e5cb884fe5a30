package eligibility

import (
	"math/bits"
	"slices"
)

// mask is a set of products.
type mask struct {
	bits  []uint64 // of a multiple of block words; what lies beyond the pool is 0
	count int
}

// block is how many words are taken at a time: a loop over a fixed number of them needs no
// check of bounds.
const block = 8

// words is the length of a mask of n products.
func words(n int) int { return (n + 64*block - 1) / (64 * block) * block }

// masks asks a part about every product of a book for every key.
func (g *Gate) masks(p *part, book Book) []*mask {
	masks := make([]*mask, max(p.keys, 1))
	changes := g.changes(p, len(masks))
	for key := range masks {
		if changes[key] {
			masks[key] = g.mask(p, book, key)
		} else {
			masks[key] = masks[key-1]
		}
	}
	return masks
}

// changes says for which keys the answers may differ from those to the key before: a
// horizon of 40 months rarely differs from one of 41, and shares its bits.
func (g *Gate) changes(p *part, keys int) []bool {
	changes := make([]bool, keys)
	changes[0] = true
	if p.below == nil {
		for key := range changes {
			changes[key] = true
		}
		return changes
	}
	for i := range g.products {
		if key := max(p.below(&g.products[i]), 0); key < keys {
			changes[key] = true
		}
	}
	return changes
}

// mask returns the products of a book that a part speaks about to a key; nil: none.
func (g *Gate) mask(p *part, book Book, key int) *mask {
	var m *mask
	for i := range g.products {
		c := &g.products[i]
		if book != BothBooks && c.book != book || !p.speaks(c, key) {
			continue
		}
		if m == nil {
			m = &mask{bits: make([]uint64, words(len(g.products)))}
		}
		m.bits[i>>6] |= 1 << (i & 63)
		m.count++
	}
	return m
}

// union returns the products of either.
func union(a, b *mask) *mask {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	m := &mask{bits: make([]uint64, len(a.bits))}
	for i := range m.bits {
		m.bits[i] = a.bits[i] | b.bits[i]
		m.count += bits.OnesCount64(m.bits[i])
	}
	return m
}

// program is what Select does in one situation: what everybody is refused is taken away
// ahead, all rules at once, and what is left depends on the customer.
type program struct {
	open  []uint64 // products that no rule refuses to everybody
	steps []step   // of rules that may exclude something, in pack order
}

// step is one rule. It counts what it excludes whatever other rules do.
type step struct {
	rule     RuleID
	everyone *mask // what it refuses to everybody; nil: nothing
	asks     []ask
}

// ask is one part of a rule that depends on the customer, or the same part in both books.
type ask struct {
	key   func(f *Facts) int
	byKey []*mask
}

func (g *Gate) program(s Situation) program {
	p := program{open: make([]uint64, words(len(g.products)))}
	for i := range g.products {
		p.open[i>>6] |= 1 << (i & 63)
	}
	for i := range g.rules {
		st := g.rules[i].step(s)
		if st.everyone != nil {
			for w, b := range st.everyone.bits {
				p.open[w] &^= b
			}
		}
		if st.everyone != nil || len(st.asks) > 0 || st.rule == A06 {
			p.steps = append(p.steps, st)
		}
	}
	return p
}

// step gathers what the rule excludes in a situation.
func (c *compiledRule) step(s Situation) step {
	st := step{rule: c.id}
	for i := range max(len(c.books[CSRC]), len(c.books[NFRA])) {
		csrc, nfra := c.excluding(CSRC, i, s), c.excluding(NFRA, i, s)
		if csrc != nil && nfra != nil && csrc.key != nil && !csrc.apart {
			st.asks = append(st.asks, ask{csrc.key, unions(csrc.byKey, nfra.byKey)})
			continue
		}
		for _, p := range [...]*compiledPart{csrc, nfra} {
			switch {
			case p == nil:
			case p.key == nil:
				st.everyone = union(st.everyone, p.byKey[0])
			default:
				st.asks = append(st.asks, ask{p.key, p.byKey})
			}
		}
	}
	st.asks = slices.DeleteFunc(st.asks, func(a ask) bool { return !slices.ContainsFunc(a.byKey, func(m *mask) bool { return m != nil }) })
	return st
}

// excluding returns part i in a book where it excludes what it speaks about; else nil.
func (c *compiledRule) excluding(b Book, i int, s Situation) *compiledPart {
	if i < len(c.books[b]) && c.books[b][i].outcomes[s].Excludes() {
		return &c.books[b][i]
	}
	return nil
}

// unions joins the books key by key; keys that share their bits share the union.
func unions(a, b []*mask) []*mask {
	out := make([]*mask, len(a))
	for key := range out {
		if key > 0 && a[key] == a[key-1] && b[key] == b[key-1] {
			out[key] = out[key-1]
		} else {
			out[key] = union(a[key], b[key])
		}
	}
	return out
}

// maxAsks bounds the parts of one rule, in both books together.
const maxAsks = 16

// Select says which products a customer's facts and his own words permit; r nil: he said
// nothing. It does not allocate once v's buffers have grown.
func (g *Gate) Select(f *Facts, r *Refusals, v *Verdicts) {
	p := &g.programs[f.Situation]
	v.Permitted = append(v.Permitted[:0], p.open...)
	permitted := v.Permitted // whole blocks
	v.Permitted = permitted[:(len(g.products)+63)/64]
	v.Excluded = slices.Grow(v.Excluded[:0], len(p.steps))
	v.Information = f.Situation == Recommendation && f.informational()
	var spoken [maxAsks]*mask
	for i := range p.steps {
		st := &p.steps[i]
		n := 0
		for j := range st.asks {
			a := &st.asks[j]
			if key := a.key(f); key >= 0 && a.byKey[key] != nil {
				spoken[n] = a.byKey[key]
				n++
			}
		}
		var count int
		if st.rule == A06 {
			count = g.refuse(f, r, permitted)
		} else {
			count = exclude(permitted, st.everyone, spoken[:n], len(g.products))
		}
		if count > 0 {
			v.Excluded = append(v.Excluded, RuleCount{ID: st.rule, Count: count})
		}
	}
}

// exclude takes the products of any of the masks away and returns how many they are, those
// refused to everybody included, which are away already.
func exclude(permitted []uint64, everyone *mask, masks []*mask, all int) int {
	for _, m := range masks {
		if m.count == all {
			clear(permitted)
			return all
		}
	}
	switch {
	case len(masks) > 1 || len(masks) == 1 && everyone != nil:
		return excludeAny(permitted, everyone, masks)
	case len(masks) == 1:
		for i := 0; i < len(permitted); i += block {
			p, b := (*[block]uint64)(permitted[i:]), (*[block]uint64)(masks[0].bits[i:])
			for w := range p {
				p[w] &^= b[w]
			}
		}
		return masks[0].count
	case everyone != nil:
		return everyone.count
	default:
		return 0
	}
}

// excludeAny counts a product of several masks once.
func excludeAny(permitted []uint64, everyone *mask, masks []*mask) (count int) {
	for i := 0; i < len(permitted); i += block {
		var sum [block]uint64
		if everyone != nil {
			sum = [block]uint64(everyone.bits[i:])
		}
		for _, m := range masks {
			b := (*[block]uint64)(m.bits[i:])
			for w := range sum {
				sum[w] |= b[w]
			}
		}
		p := (*[block]uint64)(permitted[i:])
		for w, b := range sum {
			count += bits.OnesCount64(b)
			p[w] &^= b
		}
	}
	return count
}
