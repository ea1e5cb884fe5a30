package score

import (
	"cmp"
	"math"
	"slices"
)

// Neighbours are the funds most held together with each fund: row x lists candidates y
// with their similarity co(x,y) / (n_x^a n_y^b), best first (asymmetric item kNN;
// Deshpande and Karypis, 2004, conditional-probability similarity with damped
// popularity). Rows are stored one after the other; a row is a few hundred entries, not
// a dense square.
type Neighbours struct {
	Holders []int32 // customers who hold each fund
	start   []int32 // row x is entries[start[x]:start[x+1]]
	entries []neighbour
}

type neighbour struct {
	fund       int32
	similarity float64
}

// Baskets collects, customer by customer, who holds which funds.
type Baskets struct {
	maxBasket int
	customers [][]int32 // sorted funds of each customer with at least one
}

// NewBaskets returns an empty collection. Customers with more than maxBasket funds count
// as holders but make no pairs: they say nothing about taste and cost the square.
func NewBaskets(maxBasket int) *Baskets { return &Baskets{maxBasket: maxBasket} }

// Add records the funds of one customer, in any order and with repetitions; it keeps a
// copy. Negative entries (products outside the pool) are skipped.
func (b *Baskets) Add(funds []int32) {
	own := make([]int32, 0, len(funds))
	for _, f := range funds {
		if f >= 0 {
			own = append(own, f)
		}
	}
	slices.Sort(own)
	if own = slices.Compact(own); len(own) > 0 {
		b.customers = append(b.customers, own)
	}
}

// Neighbours computes the rows for so many funds. The order in which customers were
// added does not matter: counts are whole numbers.
func (b *Baskets) Neighbours(funds int, s NearestSettings) *Neighbours {
	n := &Neighbours{Holders: make([]int32, funds), start: make([]int32, 1, funds+1)}
	holdersOf := make([][]int32, funds)
	for c, basket := range b.customers {
		for _, f := range basket {
			n.Holders[f]++
			if len(basket) > 1 && len(basket) <= b.maxBasket {
				holdersOf[f] = append(holdersOf[f], int32(c))
			}
		}
	}
	candidate := make([]float64, funds)
	for y, h := range n.Holders {
		candidate[y] = math.Pow(float64(h), s.CandidatePower)
	}
	together := make([]int32, funds)
	var row []neighbour
	for x := range funds {
		row = b.countRow(x, holdersOf[x], together, row[:0])
		owned := math.Pow(float64(n.Holders[x]), s.OwnedPower)
		for i := range row {
			row[i].similarity /= owned * candidate[row[i].fund]
		}
		slices.SortFunc(row, func(a, b neighbour) int {
			return cmp.Or(cmp.Compare(b.similarity, a.similarity), cmp.Compare(a.fund, b.fund))
		})
		n.entries = append(n.entries, row[:min(len(row), s.Neighbours)]...)
		n.start = append(n.start, int32(len(n.entries)))
	}
	return n
}

// countRow counts the customers who hold each other fund together with x. together is
// all zero before and after.
func (b *Baskets) countRow(x int, holders, together []int32, row []neighbour) []neighbour {
	for _, c := range holders {
		for _, y := range b.customers[c] {
			if int(y) == x {
				continue
			}
			if together[y] == 0 {
				row = append(row, neighbour{fund: y})
			}
			together[y]++
		}
	}
	for i := range row {
		row[i].similarity = float64(together[row[i].fund])
		together[row[i].fund] = 0
	}
	return row
}

// Accumulate adds up, into dst (one entry a fund, overwritten), the similarities of the
// rows of the owned funds. Owned funds must be sorted and different: the order of
// addition is theirs.
func (n *Neighbours) Accumulate(owned []int32, dst []float64) {
	clear(dst)
	if len(n.start) <= 1 {
		return
	}
	for _, x := range owned {
		for _, e := range n.entries[n.start[x]:n.start[x+1]] {
			dst[e.fund] += e.similarity
		}
	}
}
