package slate

import "math/bits"

// order gives the permitted products of a request best first, each when it is asked for: a
// list of ten looks at some thirty of three hundred, and to sort the others would be for
// nothing. Its memory is used again.
type order struct {
	ordered []int32  // the best, in order, as far as they were asked for
	heap    []ranked // those gathered behind them: the best is at the root
	batch   int      // how many were to be gathered; fewer: there are no more
}

// ranked is a product with what it is ordered by, side by side in memory.
type ranked struct {
	score   float64
	tie     uint32
	product int32
}

const (
	gatherAll  = 512 // of so many permitted products all are gathered
	firstBatch = 64  // of more, the best so many at first
)

// arrange begins the order of a request.
func (c *Chooser) arrange(r *Request, o *order) {
	permitted := 0
	for _, word := range r.Permitted {
		permitted += bits.OnesCount64(word)
	}
	o.batch = max(firstBatch, 3*r.Limit)
	if permitted <= gatherAll {
		o.batch = gatherAll
	}
	o.ordered = o.ordered[:0]
	c.gather(r, o)
}

// nth returns the product at a place of the order, from 0; -1: there are not so many.
func (c *Chooser) nth(r *Request, o *order, place int) int32 {
	for len(o.ordered) <= place {
		if len(o.heap) == 0 {
			if len(o.ordered) < o.batch {
				return -1
			}
			o.batch *= 4
			o.ordered = o.ordered[:0] // the same again, and more behind them
			c.gather(r, o)
			continue
		}
		last := len(o.heap) - 1
		o.ordered = append(o.ordered, o.heap[0].product)
		o.heap[0] = o.heap[last]
		o.heap = o.heap[:last]
		sink(o.heap, 0)
	}
	return o.ordered[place]
}

// gather puts the best permitted products, as many as the batch, into the heap. While more
// come than it takes, its keys are reversed: the worst is at the root and goes for a better.
func (c *Chooser) gather(r *Request, o *order) {
	heap := o.heap[:0]
	full := false
	for w, word := range r.Permitted {
		for ; word != 0; word &= word - 1 {
			i := int32(w*64 + bits.TrailingZeros64(word))
			next := ranked{score: r.Scores[i], tie: c.items[i].tie, product: i}
			switch {
			case !full && len(heap) < o.batch:
				heap = append(heap, next)
				continue
			case !full:
				full = true
				reverse(heap)
			}
			if next = next.reversed(); heap[0].before(&next) {
				heap[0] = next
				sink(heap, 0)
			}
		}
	}
	if full {
		reverse(heap)
	} else {
		build(heap)
	}
	o.heap = heap
}

// before is the order: higher score first, then the lower tie.
func (a *ranked) before(b *ranked) bool {
	return a.score > b.score || a.score == b.score && a.tie < b.tie
}

// reversed gives the key with which a product stands in the order from the end.
func (a *ranked) reversed() ranked {
	return ranked{score: -a.score, tie: ^a.tie, product: a.product}
}

// reverse turns the order of a heap around.
func reverse(heap []ranked) {
	for i := range heap {
		heap[i] = heap[i].reversed()
	}
	build(heap)
}

// build makes a heap (Floyd 1964): what is before all others is at the root.
func build(heap []ranked) {
	for i := len(heap)/2 - 1; i >= 0; i-- {
		sink(heap, i)
	}
}

// sink lets an entry go down to its place.
func sink(heap []ranked, i int) {
	if i >= len(heap) {
		return
	}
	moving := heap[i]
	for {
		child := 2*i + 1
		if child >= len(heap) {
			break
		}
		if next := child + 1; next < len(heap) && heap[next].before(&heap[child]) {
			child = next
		}
		if !heap[child].before(&moving) {
			break
		}
		heap[i] = heap[child]
		i = child
	}
	heap[i] = moving
}
