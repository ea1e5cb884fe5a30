package money

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/evaluate/draw"
)

// MaxCustomers is how many customers' gains are held. Up to it figures are of all who bought; beyond it of those with
// the smallest hashes, a sample that does not depend on the order of rows, blocks or shards and whose share is within
// 1.2 percentage points of the truth at 3 standard errors.
const MaxCustomers = 16384

// Customers holds the gains of customers who bought, by horizon. Whoever is held is held with all his purchases: a
// customer among those with the smallest hashes of a log is among them in every part of it. The zero value holds nobody.
type Customers struct {
	gains   map[uint64]*gain
	largest []uint64 // a heap of the hashes that are held, the largest first
	beyond  bool     // somebody was left out
}

// gain is what a customer's purchases gained, by horizon.
type gain struct {
	Fen   [Horizons]float64
	Known [Horizons]int64 // purchases whose return is known
}

// Profit is the share of customers in profit: of those who bought, and of whose purchases some return is known, those
// whose purchases together gained more than 0 after fees. NaN of nobody.
type Profit struct {
	Customers int64
	Gained    int64
	Share     float64
	Sampled   bool // of a sample of MaxCustomers
}

// Profit is the share in profit at a horizon, a place in HorizonDays.
func (c *Customers) Profit(horizon int) Profit {
	p := Profit{Sampled: c.beyond}
	for _, g := range c.gains { // counts do not depend on the order
		if g.Known[horizon] > 0 {
			p.Customers++
			if g.Fen[horizon] > 0 {
				p.Gained++
			}
		}
	}
	p.Share = ratio(float64(p.Gained), p.Customers)
	return p
}

// Add adds a purchase: fen that were paid, and what became of it over the horizons, NaN where that is not known yet.
func (c *Customers) Add(customer uint64, fen float64, returns [Horizons]float64) {
	g := c.of(draw.Spread(customer))
	if g == nil {
		return
	}
	for h, r := range returns {
		if !math.IsNaN(r) {
			g.Fen[h] += float64(fen * r)
			g.Known[h]++
		}
	}
}

func (c *Customers) add(rows *Rows) {
	if rows.Amount == nil {
		return
	}
	begin := int32(0)
	for d, end := range rows.Ends {
		for i := begin; i < end; i++ {
			if rows.Amount[i] > 0 {
				c.Add(rows.Cluster[d], rows.Amount[i], rows.returns(int(i)))
			}
		}
		begin = end
	}
}

func (r *Rows) returns(row int) (of [Horizons]float64) {
	for h, column := range r.Return {
		of[h] = math.NaN()
		if column != nil {
			of[h] = column[row]
		}
	}
	return of
}

// Merge adds what another holds.
func (c *Customers) Merge(other *Customers) {
	c.beyond = c.beyond || other.beyond
	for _, hash := range slices.Sorted(maps.Keys(other.gains)) {
		from := other.gains[hash]
		if g := c.of(hash); g != nil {
			for h := range g.Fen {
				g.Fen[h] += from.Fen[h]
				g.Known[h] += from.Known[h]
			}
		}
	}
}

// of is the place of a customer, or nil where his hash is too large to be held.
func (c *Customers) of(hash uint64) *gain {
	if g := c.gains[hash]; g != nil {
		return g
	}
	if len(c.largest) == MaxCustomers {
		c.beyond = true
		if hash > c.largest[0] {
			return nil
		}
		delete(c.gains, c.largest[0])
		c.largest[0] = hash
		sink(c.largest)
	} else {
		c.largest = append(c.largest, hash)
		rise(c.largest)
	}
	if c.gains == nil {
		c.gains = map[uint64]*gain{}
	}
	g := &gain{}
	c.gains[hash] = g
	return g
}

// rise moves the last of a heap to its place, sink the first.
func rise(heap []uint64) {
	for at := len(heap) - 1; at > 0; {
		parent := (at - 1) / 2
		if heap[parent] >= heap[at] {
			return
		}
		heap[parent], heap[at] = heap[at], heap[parent]
		at = parent
	}
}

func sink(heap []uint64) {
	for at := 0; ; {
		child := 2*at + 1
		if child >= len(heap) {
			return
		}
		if child+1 < len(heap) && heap[child+1] > heap[child] {
			child++
		}
		if heap[at] >= heap[child] {
			return
		}
		heap[at], heap[child] = heap[child], heap[at]
		at = child
	}
}

// customersForm is the byte form: customers by ascending hash.
type customersForm struct {
	Beyond bool           `json:"beyond"`
	Gains  []customerForm `json:"gains"`
}

type customerForm struct {
	Hash  uint64            `json:"hash"`
	Fen   [Horizons]float64 `json:"fen"`
	Known [Horizons]int64   `json:"known"`
}

// MarshalJSON is the exact byte form.
func (c *Customers) MarshalJSON() ([]byte, error) {
	f := customersForm{Beyond: c.beyond, Gains: make([]customerForm, 0, len(c.gains))}
	for _, hash := range slices.Sorted(maps.Keys(c.gains)) {
		f.Gains = append(f.Gains, customerForm{hash, c.gains[hash].Fen, c.gains[hash].Known})
	}
	return json.Marshal(f)
}

// UnmarshalJSON reads the byte form. An error wraps ErrState.
func (c *Customers) UnmarshalJSON(data []byte) error {
	var f customersForm
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return fmt.Errorf("%w: customers: %w", ErrState, err)
	}
	if len(f.Gains) > MaxCustomers || f.Beyond && len(f.Gains) < MaxCustomers {
		return fmt.Errorf("%w: %d customers, expected %d at most, and as many where some are left out", ErrState, len(f.Gains), MaxCustomers)
	}
	if !slices.IsSortedFunc(f.Gains, func(a, b customerForm) int { return cmp.Compare(a.Hash, b.Hash) }) {
		return fmt.Errorf("%w: customers, expected them by ascending hash", ErrState)
	}
	made := Customers{beyond: f.Beyond, gains: make(map[uint64]*gain, len(f.Gains)), largest: make([]uint64, 0, len(f.Gains))}
	for _, g := range slices.Backward(f.Gains) { // descending hashes are a heap
		if made.gains[g.Hash] != nil {
			return fmt.Errorf("%w: customer %d stands twice", ErrState, g.Hash)
		}
		made.gains[g.Hash] = &gain{g.Fen, g.Known}
		made.largest = append(made.largest, g.Hash)
	}
	*c = made
	return nil
}
