package backtest

import (
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// History is all that a recommender learns from: what was known on a day. It is a copy;
// what became known later is not in it, and neither is what the lists are judged by.
// Products and customers are numbered as in Data: in the order of their codes and ids. It
// is read only.
type History struct {
	asOf     fund.Date
	products []fund.Product
	facts    []Facts
	levels   []fund.RiskLevel
	start    []int32 // customer c bought product[start[c]:start[c+1]]
	product  []int32
	knownOn  []fund.Date
}

// historyOf copies what was known on a day.
func (d *Data) historyOf(asOf fund.Date) *History {
	h := &History{asOf: asOf, products: d.products, facts: d.facts, levels: make([]fund.RiskLevel, len(d.levels)), start: make([]int32, 0, len(d.ids)+1)}
	for c, l := range d.levels {
		h.levels[c] = l.on(asOf)
	}
	at := 0
	for c := range d.ids {
		h.start = append(h.start, int32(len(h.product)))
		for ; at < len(d.bought) && int(d.bought[at].customer) == c; at++ {
			if x := &d.bought[at]; x.knownOn <= asOf {
				h.product, h.knownOn = append(h.product, x.product), append(h.knownOn, x.knownOn)
			}
		}
	}
	h.start = append(h.start, int32(len(h.product)))
	return h
}

// AsOf is the day: what was known on it is in the history.
func (h *History) AsOf() fund.Date { return h.asOf }

// Products are the bank's, in the order of their codes. They must not be changed.
func (h *History) Products() []fund.Product { return h.products }

// Customers is how many the bank has, with purchases or without.
func (h *History) Customers() int { return len(h.levels) }

// Level is a customer's risk level, if it was assessed by then, and unknown otherwise.
func (h *History) Level(c int32) fund.RiskLevel { return h.levels[c] }

// Facts are what is known of a customer always. They must not be changed.
func (h *History) Facts(c int32) *Facts { return &h.facts[c] }

// Bought returns the products that a customer had bought by then, ascending, and beside
// each the day on which the first purchase became known. They must not be changed.
func (h *History) Bought(c int32) (products []int32, knownOn []fund.Date) {
	from, to := h.start[c], h.start[c+1]
	return h.product[from:to:to], h.knownOn[from:to:to]
}

// Buyers counts the customers who had bought each product.
func (h *History) Buyers() []int32 {
	n := make([]int32, len(h.products))
	for _, p := range h.product {
		n[p]++
	}
	return n
}
