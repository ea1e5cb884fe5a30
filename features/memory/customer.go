package memory

import (
	"cmp"
	"slices"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/behaviour"
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

const anySeq = ^uint64(0)

// rebuild folds the head from all that is known.
func (c *customer) rebuild(id string) (err error) {
	var lastEvent fund.Instant
	for i := range c.events {
		lastEvent = max(lastEvent, c.events[i].value.VisibleFrom())
	}
	c.from = features.Newest(c.plainCells(), c.purchasesIn(anySeq, fund.Forever), lastEvent)
	if c.head, err = c.fold(id, c.from); err != nil {
		return err
	}
	return features.CheckProfile(c.head)
}

// asOf returns the profile as of an instant.
func (c *customer) asOf(id string, at fund.Instant) (*fund.Profile, error) {
	if at >= c.from {
		return c.head, nil
	}
	return c.fold(id, at)
}

func (c *customer) fold(id string, at fund.Instant) (*fund.Profile, error) {
	p, err := features.Fold(id, c.plainCells(), c.purchasesIn(anySeq, at), features.AsKnown(at))
	if err != nil {
		return nil, err
	}
	p.Revision = c.newestSeq(at)
	p.Trail = c.trail(at)
	return p, nil
}

// trail returns what the customer did, as it was known at an instant.
func (c *customer) trail(at fund.Instant) fund.Trail {
	var entries []fund.Event
	for i := range c.events {
		e := &c.events[i].value
		if !e.VisibleAt(at) {
			continue
		}
		if entry, ok := e.Entry(); ok {
			entries = append(entries, entry)
		}
	}
	return behaviour.Of(entries)
}

// newestSeq returns the newest transaction that wrote anything visible at an instant.
func (c *customer) newestSeq(at fund.Instant) uint64 {
	newest := uint64(0)
	for i := range c.cells {
		if c.cells[i].value.VisibleAt(at) {
			newest = max(newest, c.cells[i].seq)
		}
	}
	for _, d := range c.purchases {
		if d.value.KnownOn.Start() <= at {
			newest = max(newest, d.seq)
		}
	}
	for i := range c.events {
		if c.events[i].value.VisibleAt(at) {
			newest = max(newest, c.events[i].seq)
		}
	}
	return newest
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
