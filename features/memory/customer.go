package memory

import (
	"cmp"
	"slices"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/history"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// dated is a value and the transaction that wrote it.
type dated[T any] struct {
	value T
	seq   uint64
}

// customer is everything about one customer. Once it is in the store it never changes:
// a write makes another one.
type customer struct {
	cells     []dated[features.Cell]
	purchases []dated[fund.Purchase]  // by product, day, kind and seq; the last of a key counts
	events    []dated[features.Event] // in the order of CompareEvents
	head      *fund.Profile
	from      fund.Instant // the head answers from here on
}

func (c *customer) clone() *customer {
	if c == nil {
		return &customer{}
	}
	n := *c
	n.cells, n.purchases, n.events = slices.Clone(c.cells), slices.Clone(c.purchases), slices.Clone(c.events)
	return &n
}

func (c *customer) plainCells() []features.Cell {
	out := make([]features.Cell, len(c.cells))
	for i := range c.cells {
		out[i] = c.cells[i].value
	}
	return out
}

// addCells adds the cells that are not there yet and returns their number.
func (c *customer) addCells(cells []features.Cell, seq uint64) int64 {
	added := int64(0)
	for _, cell := range cells {
		if !slices.ContainsFunc(c.cells, func(d dated[features.Cell]) bool { return d.value == cell }) {
			c.cells = append(c.cells, dated[features.Cell]{cell, seq})
			added++
		}
	}
	return added
}

// addPurchase adds a purchase, or another amount of one that is there.
func (c *customer) addPurchase(p fund.Purchase, seq uint64) bool {
	i := len(c.purchases)
	for i > 0 && comparePurchaseKeys(c.purchases[i-1].value, p) > 0 {
		i--
	}
	if i > 0 && c.purchases[i-1].value == p {
		return false
	}
	if i > 0 && comparePurchaseKeys(c.purchases[i-1].value, p) == 0 && c.purchases[i-1].seq == seq {
		c.purchases[i-1].value = p
		return true
	}
	c.purchases = slices.Insert(c.purchases, i, dated[fund.Purchase]{p, seq})
	return true
}

func comparePurchaseKeys(a, b fund.Purchase) int {
	return cmp.Or(cmp.Compare(a.ProductCode, b.ProductCode), cmp.Compare(a.KnownOn, b.KnownOn), cmp.Compare(a.Kind, b.Kind))
}

// purchasesIn returns the purchases written at or before seq and known at an instant,
// the newest of each key.
func (c *customer) purchasesIn(seq uint64, at fund.Instant) []fund.Purchase {
	var out []fund.Purchase
	for _, d := range c.purchases {
		if d.seq > seq || d.value.KnownOn.Start() > at {
			continue
		}
		if n := len(out); n > 0 && comparePurchaseKeys(out[n-1], d.value) == 0 {
			out[n-1] = d.value
			continue
		}
		out = append(out, d.value)
	}
	return out
}

// rebuild folds the head from all that is known.
func (c *customer) rebuild(id string) (err error) {
	h := c.history(id, &features.HistoryQuery{})
	c.from = history.Newest(h)
	if c.head, err = history.AsOf(h, features.AsKnown(c.from)); err != nil {
		return err
	}
	return features.CheckProfile(c.head)
}

// asOf returns the profile as of an instant.
func (c *customer) asOf(id string, at fund.Instant) (*fund.Profile, error) {
	if at >= c.from {
		return c.head, nil
	}
	return history.AsOf(c.history(id, &features.HistoryQuery{}), features.AsKnown(at))
}

// history writes down the parts of the customer that a query asks for.
func (c *customer) history(id string, q *features.HistoryQuery) *features.History {
	h := &features.History{CustomerID: id}
	for i := range c.cells {
		if history.Wants(q, c.cells[i].value.View) {
			h.Cells, h.CellSeqs = append(h.Cells, c.cells[i].value), append(h.CellSeqs, c.cells[i].seq)
		}
	}
	for i := 0; i < len(c.purchases) && !q.NoPurchases; i++ {
		h.Purchases, h.PurchaseSeqs = append(h.Purchases, c.purchases[i].value), append(h.PurchaseSeqs, c.purchases[i].seq)
	}
	for i := 0; i < len(c.events) && !q.NoEvents; i++ {
		h.Events, h.EventSeqs = append(h.Events, c.events[i].value), append(h.EventSeqs, c.events[i].seq)
	}
	history.Settle(h)
	return h
}

// addEvent adds an event that is not there.
func (c *customer) addEvent(e features.Event, seq uint64) {
	i, _ := c.findEvent(&e)
	c.events = slices.Insert(c.events, i, dated[features.Event]{e, seq})
}

// removeEvent takes an event away before another content replaces it.
func (c *customer) removeEvent(e *features.Event) {
	if i, ok := c.findEvent(e); ok {
		c.events = slices.Delete(c.events, i, i+1)
	}
}

func (c *customer) findEvent(e *features.Event) (int, bool) {
	return slices.BinarySearchFunc(c.events, e, func(d dated[features.Event], e *features.Event) int {
		return features.CompareEvents(&d.value, e)
	})
}
