package slate_test

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/slate"
)

func TestExplorationBounds(t *testing.T) {
	for _, e := range []slate.Exploration{{}, {Next: 50}, {Probability: 2000, Next: 50, MaxGap: 1e300}, {Probability: 1, Next: 1}} {
		if err := e.Check(); err != nil {
			t.Errorf("%+v: %v", e, err)
		}
	}
	for _, e := range []slate.Exploration{
		{Probability: -1, Next: 1},
		{Probability: 2001, Next: 1},
		{Probability: 1},
		{Next: -1},
		{Next: 51},
		{MaxGap: -1e-9},
		{MaxGap: math.NaN()},
		{MaxGap: math.Inf(1)},
	} {
		if err := e.Check(); !errors.Is(err, slate.ErrExploration) {
			t.Errorf("%+v: error %v", e, err)
		}
	}
}

// The generator is the published one: its reference output for a seed of 1234567.
func TestTheGeneratorIsSplitMix64(t *testing.T) {
	want := []uint64{6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821}
	for i, w := range want {
		if got := slate.SplitMix64(1234567, uint64(i+1)); got != w {
			t.Errorf("output %d: %d, want %d", i+1, got, w)
		}
	}
}

// A draw is below its bound whatever the bound is, and words that would favour small numbers
// are passed over.
func TestDrawRejectsTheExcess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed, n := rapid.Uint64().Draw(t, "seed"), rapid.Uint64Min(1).Draw(t, "n")
		if got := slate.Draw(seed, n); got >= n {
			t.Fatalf("%d drawn below %d", got, n)
		}
	})
	const n = 1<<63 + 1 // the greatest half of all words is excess but for one
	passed := 0
	for seed := range uint64(1000) {
		first := slate.SplitMix64(seed, 1)
		counter := uint64(1)
		for slate.SplitMix64(seed, counter) >= n {
			counter++
		}
		if got, want := slate.Draw(seed, n), slate.SplitMix64(seed, counter); got != want {
			t.Fatalf("seed %d: %d, want word %d, %d", seed, got, counter, want)
		}
		if first >= n {
			passed++
		}
	}
	if passed < 400 || passed > 600 {
		t.Errorf("%d of 1000 first words passed over, expected a half", passed)
	}
}

// Of all numbers that may be drawn each alternative has exactly its share, and the product
// that stands there without exploration all others: marginals are exact, not nearly so.
func TestEveryAlternativeHasExactlyItsShare(t *testing.T) {
	for _, probability := range []fund.BasisPoints{1, 7, 500, 1999, slate.MaxExploration} {
		for _, m := range []int{1, 2, 3, 10, slate.MaxNext} {
			e := slate.Exploration{Probability: probability, Next: m}
			counts := make([]int, m+1)
			for number := range uint64(10_000 * m) {
				counts[e.Place(number, m)+1]++
			}
			if counts[0] != (10_000-int(probability))*m {
				t.Errorf("%d bps of %d: it stays in %d", probability, m, counts[0])
			}
			stays, taken := e.Propensities(m)
			sum := stays
			for i, n := range counts[1:] {
				sum += taken
				if n != int(probability) {
					t.Errorf("%d bps of %d: alternative %d in %d", probability, m, i, n)
				}
			}
			if whole := float64(10_000 * m); stays != float64(counts[0])/whole || taken != float64(counts[1])/whole || math.Abs(sum-1) > 1e-12 {
				t.Errorf("%d bps of %d: propensities %v and %v, sum %v", probability, m, stays, taken, sum)
			}
		}
	}
}

func TestNothingIsDrawnWithoutNeed(t *testing.T) {
	for _, e := range []slate.Exploration{{}, {Next: 5}, {Probability: 2000, Next: 5}} {
		m := 5
		if e.Probability > 0 {
			m = 0 // nothing else could stand there
		}
		for seed := range uint64(100) {
			if got := e.Draw(seed, m); got != -1 {
				t.Errorf("%+v: %d drawn of %d", e, got, m)
			}
		}
		if stays, taken := e.Propensities(m); stays != 1 || taken != 0 {
			t.Errorf("%+v: %v and %v", e, stays, taken)
		}
	}
}

// alternatives names who may take the last place of the list that is chosen.
func (c *choice) alternatives(s slate.Settings, limit int, e slate.Exploration, shown func(int32) int32) (list []int32, out []string) {
	var buf slate.Buffers
	chooser := slate.Compile(c.products, s)
	r := &slate.Request{Permitted: c.permitted(), Scores: c.scores, Held: c.held, Limit: limit}
	for _, p := range chooser.Choose(r, &buf) {
		list = append(list, p.Product)
	}
	for _, a := range chooser.Alternatives(r, &slate.Seat{List: list, Shown: shown}, &e, &buf) {
		out = append(out, c.name(a.Product, a.Peer))
	}
	return list, out
}

func asListed(product int32) int32 { return product }

func TestAlternatives(t *testing.T) {
	ten := slate.Exploration{Probability: 1000, Next: 3, MaxGap: 100}
	plain := pool(8, nil)
	_, got := plain.alternatives(loose, 2, ten, asListed)
	expect(t, "the next three", got, "c", "d", "e")
	ten.Next = 50
	_, got = plain.alternatives(loose, 2, ten, asListed)
	expect(t, "all there are", got, "c", "d", "e", "f", "g", "h")
	near := ten
	near.MaxGap = 2
	_, got = plain.alternatives(loose, 2, near, asListed)
	expect(t, "no further below than the gap", got, "c", "d")
	_, got = plain.alternatives(loose, 8, ten, asListed)
	expect(t, "nothing is left", got)
	_, got = plain.alternatives(loose, 2, ten, func(i int32) int32 {
		if i == 3 {
			return -1
		}
		return i
	})
	expect(t, "one that is not to be drawn", got, "c", "e", "f", "g", "h")

	classes := pool(6, func(i int, p *slate.Product) { p.Fund = int32(i / 2) })
	_, got = classes.alternatives(loose, 1, ten, asListed)
	expect(t, "one entry a fund, and no other class of the fund that leaves", got, "c", "e")

	issuers := pool(6, func(i int, p *slate.Product) { p.Issuer = []string{"甲", "乙", "甲", "乙", "", "丙"}[i] })
	s := loose
	s.MaxIssuerPct = 40
	_, got = issuers.alternatives(s, 2, ten, asListed)
	expect(t, "an issuer of the others is full, that of the one that leaves is free", got, "d", "e", "f")

	held := pool(6, nil)
	held.held = []int32{0, 3, 5}
	s = loose
	s.MaxHeldPct = 20
	_, got = held.alternatives(s, 2, ten, asListed)
	expect(t, "he has as many as a list may hold", got, "c", "e")

	issues := pool(8, func(i int, p *slate.Product) { p.NewIssue = i == 4 || i == 5; p.Class = fund.Bond })
	s = loose
	s.NewIssuePct = 25
	_, got = issues.alternatives(s, 4, ten, asListed)
	expect(t, "a new issue beside its peer, within their share (K03)", got, "e/a", "f/a", "g", "h")
	for i := range issues.products {
		issues.products[i].Class = fund.Equity
	}
	issues.products[4].Class = fund.Bond
	_, got = issues.alternatives(s, 4, ten, asListed)
	expect(t, "a new issue that has no peer is left out", got, "f/a", "g", "h")
	s.NewIssuePct = 24
	_, got = issues.alternatives(s, 4, ten, asListed)
	expect(t, "no share for a new issue", got, "g", "h")
}

// A product is shown in the class that costs least: gap and bounds hold as listed and as shown.
func TestAlternativesAsTheyAreShown(t *testing.T) {
	// c is shown as g, d as h: other classes of their funds.
	exchanged := func(i int32) int32 {
		if i == 2 || i == 3 {
			return i + 4
		}
		return i
	}
	classes := func(scores ...float64) *choice {
		c := pool(8, func(i int, p *slate.Product) {
			if i >= 6 {
				p.Fund = int32(i - 4)
			}
		})
		c.scores = scores
		c.forbidden[6], c.forbidden[7] = true, true // not to be listed themselves
		return c
	}
	e := slate.Exploration{Probability: 1000, Next: 5, MaxGap: 3}
	_, got := classes(9, 8, 7, 6, 5.5, 5, 7.5, 4).alternatives(loose, 2, e, exchanged)
	expect(t, "shown too far below", got, "c", "e", "f")
	_, got = classes(9, 8, 7, 6, 5.5, 5, 8.5, 6).alternatives(loose, 2, e, exchanged)
	expect(t, "shown above the one that it would stand for", got, "d", "e", "f")
	_, got = classes(9, 8, 4, 3, 2, 1, 7, 7).alternatives(loose, 2, e, exchanged)
	expect(t, "listed too far below", got)
	other := classes(9, 8, 7, 6, 5.5, 5, 7, 6)
	for _, i := range []int{0, 6} {
		other.products[i].Issuer = "甲"
	}
	s := loose
	s.MaxIssuerPct = 10
	_, got = other.alternatives(s, 2, e, exchanged)
	expect(t, "shown in a class of an issuer that the list is full of", got, "d", "e", "f")
}

// Random pools against a second reading that sorts everything: exactly the products that, in
// the last place, would leave a list that keeps every bound; in order, one a fund.
func TestAlternativesAgainstTheOracle(t *testing.T) {
	found := 0
	rapid.Check(t, func(t *rapid.T) {
		c, s, limit := randomChoice(t)
		limit = min(limit, 12)
		e := slate.Exploration{Probability: 100, Next: rapid.IntRange(1, 50).Draw(t, "next"), MaxGap: float64(rapid.IntRange(0, 9).Draw(t, "gap"))}
		list, got := c.alternatives(s, limit, e, asListed)
		if len(list) == 0 {
			return
		}
		var want []string
		for _, a := range c.mayStand(s, limit, list, &e) {
			want = append(want, c.name(a[0], a[1]))
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
		found += len(got)
	})
	if found == 0 {
		t.Error("nothing could be drawn: the draws show nothing")
	}
}

// mayStand tries every permitted product in the last place, best first.
func (c *choice) mayStand(s slate.Settings, limit int, list []int32, e *slate.Exploration) (out [][2]int32) {
	last := list[len(list)-1]
	taken := map[int32]bool{}
	for _, i := range list {
		taken[c.products[i].Fund] = true
	}
	for _, i := range c.sorted() {
		p := &c.products[i]
		peer := int32(-1)
		if p.NewIssue {
			peer = c.bestPeer(p)
		}
		with := append(slices.Clone(list[:len(list)-1]), i)
		if len(out) == e.Next || taken[p.Fund] || c.scores[last]-c.scores[i] > e.MaxGap || c.compare(i, last) < 0 ||
			p.NewIssue && peer < 0 || !c.keeps(s, limit, with) {
			continue
		}
		out, taken[p.Fund] = append(out, [2]int32{i, peer}), true
	}
	return out
}

// compare is the order of the list: score, an existing fund before a new issue, code.
func (c *choice) compare(a, b int32) int {
	later := map[bool]int{true: 1}
	return cmp.Or(cmp.Compare(c.scores[b], c.scores[a]), cmp.Compare(later[c.products[a].NewIssue], later[c.products[b].NewIssue]),
		cmp.Compare(c.products[a].Code, c.products[b].Code))
}

// sorted are the permitted products, best first.
func (c *choice) sorted() (order []int32) {
	for i := range c.products {
		if !c.forbidden[i] {
			order = append(order, int32(i))
		}
	}
	slices.SortFunc(order, c.compare)
	return order
}

// bestPeer is the best existing product of the class and of another fund; -1: none.
func (c *choice) bestPeer(p *slate.Product) int32 {
	for _, j := range c.sorted() {
		if q := &c.products[j]; !q.NewIssue && q.Class == p.Class && q.Fund != p.Fund {
			return j
		}
	}
	return -1
}

// keeps reports whether a whole list keeps every bound: those of parties and of what he has
// are of the length that was asked for, that of new issues is of what is shown.
func (c *choice) keeps(s slate.Settings, limit int, list []int32) bool {
	counts, bounds := map[string]int{}, map[string]int{"new": s.NewIssuePct * len(list) / 100}
	count := func(name string, pct int) {
		counts[name]++
		bounds[name] = max(1, pct*limit/100)
	}
	for _, i := range list {
		p := &c.products[i]
		if p.Issuer != "" {
			count("issuer"+p.Issuer, s.MaxIssuerPct)
		}
		if p.Manager != "" {
			count("manager"+p.Manager, s.MaxManagerPct)
		}
		for _, theme := range p.Themes {
			count("theme"+theme, s.MaxThemePct)
		}
		if slices.Contains(c.held, p.Fund) {
			count("held", s.MaxHeldPct)
		}
		if p.NewIssue {
			counts["new"]++
		}
	}
	for name, n := range counts {
		if n > bounds[name] {
			return false
		}
	}
	return true
}

func TestAlternativesDoNotAllocate(t *testing.T) {
	c := pool(26, func(i int, p *slate.Product) { p.Issuer, p.NewIssue = fmt.Sprint(i%3), i%5 == 0 })
	chooser := slate.Compile(c.products, slate.Settings{MaxIssuerPct: 40, MaxThemePct: 30, MaxManagerPct: 30, MaxHeldPct: 20, NewIssuePct: 30})
	r := &slate.Request{Permitted: c.permitted(), Scores: c.scores, Limit: 5}
	e := slate.Exploration{Probability: 1000, Next: 10, MaxGap: 100}
	var buf slate.Buffers
	var list []int32
	for _, p := range chooser.Choose(r, &buf) {
		list = append(list, p.Product)
	}
	ask := func() {
		chooser.Choose(r, &buf)
		seat := slate.Seat{List: list, Shown: func(i int32) int32 { return i + int32(r.Limit) - 5 }}
		chooser.Alternatives(r, &seat, &e, &buf)
	}
	ask()
	if allocated := testing.AllocsPerRun(50, ask); allocated != 0 || len(buf.Alternatives) == 0 {
		t.Errorf("%v allocations, %d alternatives", allocated, len(buf.Alternatives))
	}
}

// Candidates far down a large pool are found, however many were ordered first.
func TestAlternativesFarDownAreFound(t *testing.T) {
	c := &choice{forbidden: map[int]bool{}}
	for i := range 1000 {
		p := slate.Product{Code: fmt.Sprintf("%04d", i), Fund: int32(i), Class: fund.Bond, Issuer: "甲"}
		if i%300 == 299 {
			p.Issuer = ""
		}
		c.products, c.scores = append(c.products, p), append(c.scores, float64(-i))
	}
	s := loose
	s.MaxIssuerPct = 50
	_, got := c.alternatives(s, 4, slate.Exploration{Probability: 1, Next: 50, MaxGap: 1e6}, asListed)
	expect(t, "those of no issuer, of which the list has two already", got, "0899")
}
