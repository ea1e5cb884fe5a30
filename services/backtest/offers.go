package backtest

import (
	"slices"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// offers are the products that may be listed for the customers of a split.
type offers struct {
	history  *History
	levels   []Level               // of the file; nil: the grade rule is off
	byGrade  [fund.R5 + 1][]uint64 // eligible products of at most the grade
	learned  int
	eligible int
	// candidates are those that occur in the training history, whoever may have them.
	candidates []uint64
}

// newOffers finds the candidates that occur in the training history.
func newOffers(d *Data, h *History, candidates []int32, permitted bool) *offers {
	words := (len(d.products) + 63) / 64
	o := &offers{history: h, candidates: make([]uint64, words)}
	if permitted {
		o.levels = d.levels
	}
	for g := range o.byGrade {
		o.byGrade[g] = make([]uint64, words)
	}
	buyers := h.Buyers()
	for _, n := range buyers {
		if n > 0 {
			o.learned++
		}
	}
	for _, p := range candidates {
		if buyers[p] == 0 {
			continue
		}
		o.eligible++
		o.candidates[p/64] |= 1 << (p % 64)
		grade := d.products[p].Grades.Effective()
		if grade == fund.GradeUnknown { // nobody may be permitted what nobody has graded
			if permitted {
				continue
			}
			grade = fund.R5
		}
		for ; grade <= fund.R5; grade++ {
			o.byGrade[grade][p/64] |= 1 << (p % 64)
		}
	}
	return o
}

// offer is what may be listed for one customer after another.
type offer struct {
	offers    *offers
	permitted []uint64
}

func (o *offers) forOne() *offer {
	return &offer{offers: o, permitted: slices.Clone(o.byGrade[fund.R5])}
}

// to returns the products that may be listed for a customer: eligible, permitted to him
// where the grade rule is on, and not his already. It is valid until the next call.
func (o *offer) to(customer int32) []uint64 {
	grade := fund.R5
	if o.offers.levels != nil {
		grade = highest(o.offers.levels[customer].Level)
	}
	copy(o.permitted, o.offers.byGrade[grade])
	bought, _ := o.offers.history.Bought(customer)
	for _, p := range bought {
		o.permitted[p/64] &^= 1 << (p % 64)
	}
	return o.permitted
}

// has reports whether all of a list was in the last offer, each product once.
func (o *offer) has(list []int32) bool {
	for i, p := range list {
		if p < 0 || int(p) >= 64*len(o.permitted) || o.permitted[p/64]>>(p%64)&1 == 0 || slices.Contains(list[:i], p) {
			return false
		}
	}
	return true
}
