package slate_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/slate"
)

var loose = slate.Settings{MaxIssuerPct: 100, MaxThemePct: 100, MaxManagerPct: 100, MaxHeldPct: 100, NewIssuePct: 100}

// choice is a pool with scores.
type choice struct {
	products  []slate.Product
	scores    []float64
	forbidden map[int]bool
	held      []int32
}

func (c *choice) permitted() []uint64 {
	out := make([]uint64, (len(c.products)+63)/64)
	for i := range c.products {
		if !c.forbidden[i] {
			out[i/64] |= 1 << (i % 64)
		}
	}
	return out
}

// codes chooses and names what was chosen, a new issue with its peer.
func (c *choice) codes(s slate.Settings, limit int) []string {
	var buf slate.Buffers
	picks := slate.Compile(c.products, s).Choose(&slate.Request{Permitted: c.permitted(), Scores: c.scores, Held: c.held, Limit: limit}, &buf)
	var out []string
	for _, p := range picks {
		out = append(out, c.name(p.Product, p.Peer))
	}
	return out
}

func (c *choice) name(product, peer int32) string {
	if peer < 0 {
		return c.products[product].Code
	}
	return c.products[product].Code + "/" + c.products[peer].Code
}

// pool makes products a, b, c, ... with falling scores, each a fund of its own.
func pool(n int, change func(i int, p *slate.Product)) *choice {
	c := &choice{forbidden: map[int]bool{}}
	for i := range n {
		p := slate.Product{Code: fmt.Sprintf("%c", 'a'+i), Fund: int32(i), Class: fund.Equity}
		if change != nil {
			change(i, &p)
		}
		c.products, c.scores = append(c.products, p), append(c.scores, float64(n-i))
	}
	return c
}

func expect(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestBestFirst(t *testing.T) {
	c := pool(5, nil)
	expect(t, "three of five", c.codes(loose, 3), "a", "b", "c")
	expect(t, "more than there are", c.codes(loose, 50), "a", "b", "c", "d", "e")
	c.forbidden[0], c.forbidden[3] = true, true
	expect(t, "what the gate refuses is not there", c.codes(loose, 3), "b", "c", "e")
	c.scores = []float64{0, 1, 1, 0, 2}
	expect(t, "equal scores go by code", c.codes(loose, 3), "e", "b", "c")
	for i := range c.products {
		c.forbidden[i] = true
	}
	expect(t, "nothing is permitted", c.codes(loose, 3))
}

func TestOneEntryAFund(t *testing.T) {
	c := pool(4, func(i int, p *slate.Product) { p.Fund = int32(i / 2) })
	expect(t, "two classes of two funds", c.codes(loose, 4), "a", "c")
	c.forbidden[0] = true
	expect(t, "the better class is refused", c.codes(loose, 4), "b", "c")
}

func TestCaps(t *testing.T) {
	issuers := pool(6, func(i int, p *slate.Product) { p.Issuer = []string{"甲", "甲", "甲", "乙", "", ""}[i] })
	s := loose
	s.MaxIssuerPct = 40
	expect(t, "two of five of one issuer", issuers.codes(s, 5), "a", "b", "d", "e", "f")
	expect(t, "one of four: 1.6 rounded down", issuers.codes(s, 4), "a", "d", "e", "f")
	expect(t, "at least one, however short the list", issuers.codes(s, 1), "a")

	managers := pool(4, func(i int, p *slate.Product) { p.Manager = []string{"张", "张", "李", ""}[i] })
	s = loose
	s.MaxManagerPct = 30
	expect(t, "managers", managers.codes(s, 3), "a", "c", "d")

	themes := pool(4, func(i int, p *slate.Product) {
		p.Themes = [][]string{{"科技", "消费"}, {"消费"}, {"科技"}, {"医药"}}[i]
	})
	s = loose
	s.MaxThemePct = 30
	expect(t, "every theme of a product counts", themes.codes(s, 3), "a", "d")

	// An issuer and a manager of one name are two parties.
	names := pool(2, func(i int, p *slate.Product) { p.Issuer, p.Manager = []string{"张", ""}[i], []string{"", "张"}[i] })
	s = loose
	s.MaxIssuerPct, s.MaxManagerPct = 50, 50
	expect(t, "one name for two parties", names.codes(s, 2), "a", "b")

	held := pool(5, nil)
	held.held = []int32{0, 1, 2}
	s = loose
	s.MaxHeldPct = 20
	expect(t, "one in five may be held already", held.codes(s, 5), "a", "d", "e")
}

func TestNewIssues(t *testing.T) {
	s := loose
	s.NewIssuePct = 30
	newAt := func(at ...int) *choice {
		return pool(8, func(i int, p *slate.Product) { p.NewIssue = slices.Contains(at, i) })
	}
	expect(t, "one in four, beside the best existing fund", newAt(0, 1).codes(s, 4), "a/c", "c", "d", "e")
	expect(t, "a list of three may have none", newAt(0).codes(s, 3), "b", "c", "d")
	expect(t, "two in seven", newAt(0, 1, 2).codes(s, 7), "a/d", "b/d", "d", "e", "f", "g", "h")

	short := newAt(0, 1)
	for i := 5; i < 8; i++ {
		short.forbidden[i] = true
	}
	expect(t, "the share is of the list that is shown", short.codes(s, 8), "a/c", "c", "d", "e")
	short.forbidden[4] = true
	expect(t, "and where that allows none there is none", short.codes(s, 8), "c", "d")

	alone := newAt(0)
	for i := 1; i < 8; i++ {
		alone.products[i].Class = fund.Bond
	}
	expect(t, "without an existing fund of its class it is left out", alone.codes(s, 4), "b", "c", "d", "e")

	refused := newAt(0)
	for i := 2; i < 8; i++ {
		refused.products[i].Class = fund.Bond
	}
	refused.forbidden[1] = true
	expect(t, "a peer that is not permitted is none", refused.codes(s, 4), "c", "d", "e", "f")

	own := newAt(0)
	own.products[1].Fund = 0 // another class of the same fund
	for i := 2; i < 8; i++ {
		own.products[i].Class = fund.Bond
	}
	expect(t, "its own fund is no peer", own.codes(s, 4), "b", "c", "d", "e")

	equal := newAt(0)
	equal.scores = []float64{5, 1, 1, 1, 5, 1, 1, 1}
	expect(t, "an equal existing fund stands above it", equal.codes(s, 4), "e", "a/e", "b", "c")
}

// A peer far down the pool is found, however many candidates were ordered first.
func TestAPeerFarDownIsFound(t *testing.T) {
	c := &choice{}
	for i := range 500 {
		p := slate.Product{Code: fmt.Sprintf("%03d", i), Fund: int32(i), Class: fund.Bond}
		switch i {
		case 0:
			p.NewIssue, p.Class = true, fund.Equity
		case 497, 499:
			p.Class = fund.Equity
		}
		c.products, c.scores = append(c.products, p), append(c.scores, float64(1000-i))
	}
	expect(t, "the better of two", c.codes(loose, 2), "000/497", "001")

	chooser, r := slate.Compile(c.products, loose), &slate.Request{Permitted: c.permitted(), Scores: c.scores, Limit: 1}
	if peer := chooser.Peer(0, r); peer != 497 {
		t.Errorf("looked at alone, beside %d", peer)
	}
	if peer := chooser.Peer(1, r); peer != -1 {
		t.Errorf("an existing product stands beside %d", peer)
	}
}

// randomChoice draws a pool with many equal scores, parties in common and new issues.
func randomChoice(t *rapid.T) (*choice, slate.Settings, int) {
	n := rapid.IntRange(0, 150).Draw(t, "products")
	c := &choice{forbidden: map[int]bool{}}
	for i := range n {
		p := slate.Product{
			Code: fmt.Sprintf("%03d", (i*37)%997), Fund: int32(rapid.IntRange(0, n).Draw(t, "fund")),
			Issuer: rapid.SampledFrom([]string{"", "甲", "乙", "丙"}).Draw(t, "issuer"), Manager: rapid.SampledFrom([]string{"", "张", "李"}).Draw(t, "manager"),
			Themes: rapid.SampledFrom([][]string{nil, {"科技"}, {"科技", "消费"}}).Draw(t, "themes"),
			Class:  rapid.SampledFrom([]fund.Class{fund.Bond, fund.Equity, fund.Index}).Draw(t, "class"), NewIssue: rapid.Uint8Max(3).Draw(t, "new") == 0,
		}
		c.products = append(c.products, p)
		c.scores = append(c.scores, float64(rapid.IntRange(0, 9).Draw(t, "score")))
		c.forbidden[i] = rapid.Uint8Max(3).Draw(t, "forbidden") == 0
	}
	c.held = slices.Compact(slices.Sorted(slices.Values(rapid.SliceOfN(rapid.Int32Range(0, 160), 0, 20).Draw(t, "held"))))
	percent := rapid.IntRange(1, 100)
	return c, slate.Settings{
		MaxIssuerPct: percent.Draw(t, "issuer %"), MaxThemePct: percent.Draw(t, "theme %"), MaxManagerPct: percent.Draw(t, "manager %"),
		MaxHeldPct: percent.Draw(t, "held %"), NewIssuePct: percent.Draw(t, "new %") - 1,
	}, rapid.IntRange(1, 50).Draw(t, "limit")
}

// oracle sorts everything and takes what keeps the bounds.
func (c *choice) oracle(s slate.Settings, limit int) []string {
	var order []int
	for i := range c.products {
		if !c.forbidden[i] {
			order = append(order, i)
		}
	}
	rank := func(i int) int {
		if c.products[i].NewIssue {
			return 1
		}
		return 0
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(c.scores[b], c.scores[a]), cmp.Compare(rank(a), rank(b)), cmp.Compare(c.products[a].Code, c.products[b].Code))
	})
	counts := map[string]int{}
	var chosen, peers []int
	for _, i := range order {
		p := &c.products[i]
		bounds := map[string]int{fmt.Sprint("fund", p.Fund): 1}
		bound := func(name string, pct int) { bounds[name] = max(1, pct*limit/100) }
		if p.Issuer != "" {
			bound("issuer"+p.Issuer, s.MaxIssuerPct)
		}
		if p.Manager != "" {
			bound("manager"+p.Manager, s.MaxManagerPct)
		}
		for _, theme := range p.Themes {
			bound("theme"+theme, s.MaxThemePct)
		}
		if slices.Contains(c.held, p.Fund) {
			bound("held", s.MaxHeldPct)
		}
		peer := -1
		if p.NewIssue {
			bounds["new"] = s.NewIssuePct * limit / 100
			peer = slices.IndexFunc(order, func(j int) bool {
				q := &c.products[j]
				return !q.NewIssue && q.Class == p.Class && q.Fund != p.Fund
			})
			if peer < 0 {
				continue
			}
			peer = order[peer]
		}
		fits := len(chosen) < limit
		for name, most := range bounds {
			fits = fits && counts[name] < most
		}
		if !fits {
			continue
		}
		for name := range bounds {
			counts[name]++
		}
		chosen, peers = append(chosen, i), append(peers, peer)
	}
	for i := len(chosen) - 1; i >= 0 && counts["new"] > len(chosen)*s.NewIssuePct/100; i-- {
		if c.products[chosen[i]].NewIssue {
			chosen, peers = slices.Delete(chosen, i, i+1), slices.Delete(peers, i, i+1)
			counts["new"]--
		}
	}
	var out []string
	for i, product := range chosen {
		out = append(out, c.name(int32(product), int32(peers[i])))
	}
	return out
}

func TestChooseAgainstTheOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, s, limit := randomChoice(t)
		if got, want := c.codes(s, limit), c.oracle(s, limit); !slices.Equal(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
	})
}

// The pool's order decides nothing.
func TestTheOrderOfThePoolDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, s, limit := randomChoice(t)
		turned := &choice{forbidden: map[int]bool{}, held: c.held}
		for i := range c.products {
			j := len(c.products) - 1 - i
			turned.products, turned.scores = append(turned.products, c.products[j]), append(turned.scores, c.scores[j])
			turned.forbidden[i] = c.forbidden[j]
		}
		if got, want := turned.codes(s, limit), c.codes(s, limit); !slices.Equal(got, want) {
			t.Fatalf("turned round %v, was %v", got, want)
		}
	})
}

// place is where a fund stands in the list; the list's limit and beyond: nowhere.
func (c *choice) place(f int32, s slate.Settings, limit int) int {
	var buf slate.Buffers
	picks := slate.Compile(c.products, s).Choose(&slate.Request{Permitted: c.permitted(), Scores: c.scores, Held: c.held, Limit: limit}, &buf)
	if i := slices.IndexFunc(picks, func(p slate.Pick) bool { return c.products[p.Product].Fund == f }); i >= 0 {
		return i
	}
	return limit
}

// shareParties gives the classes of a fund what its first class has, as in a real pool.
func (c *choice) shareParties() {
	first := map[int32]slate.Product{}
	for i := range c.products {
		p := &c.products[i]
		if q, ok := first[p.Fund]; ok {
			code := p.Code
			*p = q
			p.Code = code
		}
		first[p.Fund] = *p
	}
}

// A fund that falls, all its classes alike and alone, does not come in by it, nor does it
// stand further up: no bound rewards what a customer objected to. Where others fall too,
// however little, a bound may let in what it kept out; docs/matching.md says so.
func TestAFallAloneLiftsNothing(t *testing.T) {
	moved := 0
	rapid.Check(t, func(t *rapid.T) {
		c, s, limit := randomChoice(t)
		if len(c.products) == 0 {
			return
		}
		c.shareParties()
		f := c.products[rapid.IntRange(0, len(c.products)-1).Draw(t, "falls")].Fund
		before := c.place(f, s, limit)
		by := float64(rapid.IntRange(1, 9).Draw(t, "by"))
		for i := range c.products {
			if c.products[i].Fund == f {
				c.scores[i] -= by
			}
		}
		after := c.place(f, s, limit)
		if after < before {
			t.Fatalf("fund %d stood at %d, fell by %v, and stands at %d of %d", f, before, by, after, limit)
		}
		if after > before {
			moved++
		}
	})
	if moved == 0 {
		t.Error("nothing moved: the draws show nothing")
	}
}

func TestChooseDoesNotAllocate(t *testing.T) {
	c := pool(26, func(i int, p *slate.Product) { p.Issuer, p.NewIssue = fmt.Sprint(i%3), i%5 == 0 })
	chooser := slate.Compile(c.products, slate.Settings{MaxIssuerPct: 40, MaxThemePct: 30, MaxManagerPct: 30, MaxHeldPct: 20, NewIssuePct: 30})
	r := &slate.Request{Permitted: c.permitted(), Scores: c.scores, Limit: 10}
	var buf slate.Buffers
	chooser.Choose(r, &buf)
	if allocated := testing.AllocsPerRun(50, func() { chooser.Choose(r, &buf) }); allocated != 0 {
		t.Errorf("%v allocations", allocated)
	}
}
