package evaluation

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/evaluate/draw"
	"github.com/fundmatch/fundmatch/services/evaluation/experiments"
)

// Of more customers than there is room for, those with the smallest hashes are held with all that they did, however the
// log is cut into parts.
func TestTheSampleOfCustomersDoesNotDependOnTheParts(t *testing.T) {
	t.Parallel()
	const customers, parts = MaxArmCustomers + 9000, 3
	whole := newArms()
	split := [parts]*armsMeasure{newArms(), newArms(), newArms()}
	put := func(m *armsMeasure, i int) {
		s, err := m.sample("e")
		if err != nil {
			t.Fatal(err)
		}
		s.put(draw.Spread(uint64(i)), &armCustomer{Arm: "ab"[i%2 : i%2+1], Lists: 1, Known: 1, Reward: float64(i % 7)})
	}
	for round := range 2 { // each customer comes twice, in different parts
		for i := 1; i <= customers; i++ {
			put(whole, i)
			put(split[(i+round)%parts], i)
		}
		for _, m := range append(split[:], whole) {
			if err := m.trim(); err != nil {
				t.Fatal(err)
			}
		}
	}
	merged := newArms()
	for _, m := range split {
		data, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		back := newArms()
		if err := back.UnmarshalJSON(data); err != nil {
			t.Fatal(err)
		}
		if err := merged.Merge(back); err != nil {
			t.Fatal(err)
		}
	}
	got, want := merged.experiments["e"], whole.experiments["e"]
	if !got.sampled || !want.sampled || len(want.customers) != MaxArmCustomers {
		t.Fatalf("sampled %v and %v, %d customers", got.sampled, want.sampled, len(want.customers))
	}
	if !maps.EqualFunc(got.customers, want.customers, func(a, b *armCustomer) bool { return *a == *b }) {
		t.Errorf("%d customers in parts, %d as a whole, not the same", len(got.customers), len(want.customers))
	}
	all := make([]uint64, 0, customers)
	for i := 1; i <= customers; i++ {
		all = append(all, draw.Spread(uint64(i)))
	}
	slices.Sort(all)
	if held := slices.Sorted(maps.Keys(want.customers)); !slices.Equal(held, all[:MaxArmCustomers]) {
		t.Error("the customers held are not those with the smallest hashes")
	}
	for _, c := range want.customers {
		if c.Lists != 2 || c.Mixed {
			t.Fatalf("a customer of two lists has %+v", c)
		}
	}
}

// Who was seen in two arms is in neither.
func TestMixedCustomersAreLeftOut(t *testing.T) {
	t.Parallel()
	m := newArms()
	s, err := m.sample("e")
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint64(400) {
		s.put(i, &armCustomer{Arm: []string{"control", "new"}[i%2], Lists: 1, Known: 1, Reward: float64(i % 5)})
	}
	s.put(7, &armCustomer{Arm: "control", Lists: 1, Known: 1, Reward: 1000})
	r, err := m.report(nil)
	if err != nil {
		t.Fatal(err)
	}
	e := &r.Experiments[0]
	if e.Mixed != 1 || e.Arms[0].Customers != 200 || e.Arms[1].Customers != 199 || *e.Arms[0].Reward != 2 {
		t.Errorf("%+v", e)
	}
}

// A customer's reward is of the rows whose reward is known. Where one arm's rows are known less often than another's, as of
// an arm that came later, its customers seem to earn less: nothing is said then.
func TestArmsThatAreKnownLessOftenAreNotCompared(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		open   [2]int64 // of ten rows, by arm
		varied int64    // some customers have so many more
		given  bool
	}{
		"alike":               {[2]int64{4, 4}, 3, true},
		"all known":           {[2]int64{0, 0}, 0, true},
		"later":               {[2]int64{1, 6}, 3, false},
		"later, each as much": {[2]int64{1, 6}, 0, false},
	} {
		m := newArms()
		s, err := m.sample("e")
		if err != nil {
			t.Fatal(err)
		}
		for i := range int64(400) {
			open := c.open[i%2] + i/2%2*c.varied
			s.put(uint64(i), &armCustomer{Arm: []string{"control", "new"}[i%2], Lists: 10, Known: 10 - open, Open: open, Reward: float64((10 - open) * (i % 3))})
		}
		r, err := m.report(nil)
		if err != nil {
			t.Fatal(err)
		}
		v := r.Experiments[0].Verdict
		censored := slices.ContainsFunc(v.Reasons, func(why experiments.Reason) bool { return why.Code == experiments.ReasonCensoring })
		if (v.Status == experiments.Given) != c.given || censored == c.given {
			t.Errorf("%s: %+v", name, v)
		}
	}
}
