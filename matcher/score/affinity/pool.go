package affinity

import (
	"cmp"
	"fmt"
	"slices"
)

// For returns the model for another numbering of funds, such as today's pool. index is,
// for each fund of it, the model's fund or Unknown for one that came since: such a fund
// is reached through its attributes, which are in the model's numbering; a value that the
// model has not met says nothing. Neighbours that are not in the pool are dropped.
func (m *Model) For(index []int32, items []Item) (*Model, error) {
	if len(items) != len(index) {
		return nil, fmt.Errorf("%w: %d items, expected %d", ErrHistory, len(items), len(index))
	}
	place := slices.Repeat([]int32{Unknown}, m.items) // of each of the model's funds in the pool
	for i, x := range index {
		switch {
		case x == Unknown:
		case !m.has(x) || place[x] != Unknown:
			return nil, fmt.Errorf("%w: fund %d is item %d, expected each of 0 to %d once, or %d", ErrHistory, i, x, m.items-1, Unknown)
		default:
			place[x] = int32(i)
		}
	}
	out := &Model{settings: m.settings, asOf: m.asOf, items: len(index), holders: make([]int32, len(index))}
	for i, x := range index {
		if x != Unknown {
			out.holders[i] = m.holders[x]
		}
	}
	moved := func(column []float64) []float64 {
		lifts := slices.Repeat([]float64{1}, len(index))
		for i, x := range index {
			if x != Unknown {
				lifts[i] = column[x]
			}
		}
		return lifts
	}
	out.trend, out.crowd = moved(m.trend), *m.crowd.mapped(moved)
	for a := range m.likes {
		out.likes[a] = m.likes[a].moved(items, a)
	}
	out.near = m.near.moved(index, place)
	out.derive()
	return out, nil
}

// moved returns the attribute over other items.
func (a *alike) moved(items []Item, attribute int) alike {
	out := alike{values: a.values, given: a.given}
	if a.values == 0 {
		return out
	}
	out.value = make([]int32, len(items))
	for i := range items {
		out.value[i] = Unknown
		if v := items[i].list()[attribute]; v >= 0 && int(v) < a.values {
			out.value[i] = v
		}
	}
	return out
}

// moved returns the rows in another numbering.
func (n *neighbours) moved(index, place []int32) neighbours {
	out := neighbours{start: make([]int, 1, len(index)+1)}
	for _, x := range index {
		own := len(out.entries)
		if x != Unknown {
			for _, e := range n.row(x) {
				if y := place[e.fund]; y != Unknown {
					out.entries = append(out.entries, neighbour{fund: y, share: e.share, joint: e.joint})
				}
			}
		}
		slices.SortFunc(out.entries[own:], func(a, b neighbour) int { return cmp.Compare(a.fund, b.fund) })
		out.start = append(out.start, len(out.entries))
	}
	return out
}
