package affinity_test

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/score/affinity"
)

// The same pool in another order serves the same values, each at its fund's new place.
func TestForAnotherOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, s := drawBank(t), drawSettings(t)
		m := b.train(t, s)
		index := make([]int32, len(b.items))
		for i := range index {
			index[i] = int32(i)
		}
		index = rapid.Permutation(index).Draw(t, "order")
		items, place := make([]affinity.Item, len(index)), make([]int32, len(index))
		for i, x := range index {
			items[i], place[x] = b.items[x], int32(i)
		}
		moved, err := m.For(index, items)
		if err != nil {
			t.Fatal(err)
		}
		q := drawQuery(t, len(index))
		there := affinity.Query{Group: q.Group, Level: q.Level}
		for _, x := range q.Owned {
			there.Owned = append(there.Owned, place[x])
		}
		slices.Sort(there.Owned)
		a, k := make([]float64, len(index)), make([]float64, len(index))
		m.Affinity(&q, &affinity.Scratch{}, a)
		moved.Affinity(&there, &affinity.Scratch{}, k)
		for i, x := range index {
			if !near(a[x], k[i]) || m.Holders()[x] != moved.Holders()[i] || m.Popular()[x] != moved.Popular()[i] {
				t.Fatalf("fund %d is worth %v, in another place %v", x, a[x], k[i])
			}
		}
	})
}

// A fund that came since is reached through its kind; one that left is gone.
func TestForAnotherPool(t *testing.T) {
	b := &bank{items: []affinity.Item{{Kind: 0}, {Kind: 1}, {Kind: 2}}}
	for range 10 {
		b.customers = append(b.customers, affinity.Customer{Purchases: []affinity.Purchase{{Item: 0}, {Item: 1}, {Item: 2}}})
	}
	m := b.train(t, affinity.Default())
	// Fund 1 left; 3 came, of its kind; 4 of a kind that the model has not met.
	pool := []affinity.Item{{Kind: 0}, {Kind: 2}, {Kind: 1}, {Kind: 3}}
	now, err := m.For([]int32{0, 2, affinity.Unknown, affinity.Unknown}, pool)
	if err != nil {
		t.Fatal(err)
	}
	before, got := make([]float64, 3), make([]float64, 4)
	q := affinity.Query{Owned: []int32{0}, Group: affinity.Unknown, Level: affinity.Unknown}
	m.Affinity(&q, &affinity.Scratch{}, before)
	now.Affinity(&q, &affinity.Scratch{}, got)
	if !near(got[1], before[2]) || !(got[2] > 0 && got[2] < got[1]) || got[3] != 0 {
		t.Errorf("in the new pool %v, in the old %v", got, before)
	}
	if !slices.Equal(now.Holders(), []int32{10, 10, 0, 0}) || now.Popular()[2] != 0 {
		t.Errorf("holders %v, popular %v", now.Holders(), now.Popular())
	}
}

func TestForRefuses(t *testing.T) {
	b := &bank{items: make([]affinity.Item, 3)}
	m := b.train(t, affinity.Default())
	for name, index := range map[string][]int32{
		"a fund twice":             {0, 0},
		"a fund beyond the last":   {0, 3},
		"a fund before the first":  {-2, 1},
		"fewer indices than items": {0},
	} {
		if out, err := m.For(index, make([]affinity.Item, 2)); !errors.Is(err, affinity.ErrHistory) || out != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
