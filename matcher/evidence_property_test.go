package matcher_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

// claim is one figure of an answer, with where it stands.
type claim struct {
	fund.Evidence
	where   string // the part of the answer: objection DRAWDOWN, card, ...
	product string // that the part is about; empty: none
	item    *matcher.Item
	slate   *matcher.Slate
}

// claimsOf lists every figure of an answer.
func claimsOf(s *matcher.Slate) []claim {
	var all []claim
	add := func(where, product string, it *matcher.Item, facts ...fund.Evidence) {
		for _, e := range facts {
			all = append(all, claim{e, where, product, it, s})
		}
	}
	for i := range s.Items {
		it := &s.Items[i]
		for j := range it.Objections {
			o := &it.Objections[j]
			add("objection "+o.Code.String(), it.Code, it, o.Evidence...)
			add("grounds "+o.Code.String(), it.Code, it, o.Grounds...)
		}
		for j := range it.Matched {
			m := &it.Matched[j]
			add("matched "+m.Aspect.String(), it.Code, it, append([]fund.Evidence{m.Customer, m.Product}, m.Facts...)...)
		}
		add("conversion", it.Code, it, it.Conversion.Evidence...)
		if c := it.Card; c != nil {
			add("opinion", it.Code, it, c.OpinionFacts...)
			add("worst year", it.Code, it, c.WorstYear...)
			add("peer", it.PeerCode, it, c.PeerFacts...)
		}
	}
	if s.Brief != nil {
		add("brief", "", nil, s.Brief.Facts...)
	}
	for i := range s.Notices {
		add("notice "+s.Notices[i].Code, "", nil, s.Notices[i].Evidence...)
	}
	for i := range s.Holdings {
		add("holding", s.Holdings[i].Code, nil, s.Holdings[i].Evidence...)
		add("holding", s.Holdings[i].Code, nil, s.Holdings[i].Private...)
	}
	add("wish", "", nil, s.Wish.Facts(s.Request.At.Date(), nil)...)
	return all
}

// furnish gives a bank's products what only figures need: sizes, managers' days, papers,
// benchmarks in the pool, and NAVs that pay out.
func (b *bank) furnish() {
	for i := range b.products {
		p := &b.products[i]
		p.Parties.Size = pick(b, fund.Money(0), 3_000_000_000, 7_000_000_000, 90_000_000_000)
		p.Parties.ManagerSince = pick(b, 0, b.day.AddDays(-100), b.day.AddDays(-401), b.day.AddDays(-2_000))
		p.Listing.KeyFactsVersion = pick(b, "", "v1", "v2")
		if b.one(3) {
			p.Content.Benchmark = b.products[b.rng.IntN(len(b.products))].Code
		}
		if b.one(4) {
			b.navs[p.Code] = b.paying()
		}
	}
}

// paying is a series of published values, to 0.0001 yuan, with payouts.
func (b *bank) paying() []fund.NAV {
	navs, paid := b.series(260+b.rng.IntN(600), 1), 0.0
	round := func(x float64) float64 { return math.Round(x*10_000) / 10_000 }
	for i := range navs {
		if b.one(90) {
			paid = round(paid + pick(b, .01, .03))
		}
		accum := round(navs[i].Accum)
		navs[i].Accum, navs[i].Unit = accum, round(accum-paid)
	}
	return navs
}

// Every figure of an answer, in whichever part, is recomputed from the pool, the NAVs and
// the profile by the table of recompute_test.go, with its window, day, age and source. A
// field without a row there is a figure that nobody can check, and fails.
func TestEveryFigureCanBeRecomputed(t *testing.T) {
	t.Parallel()
	rows := recomputations()
	seen := map[string]int{}
	n := tries(t, 600, 20)
	const perBank = 40
	for seed := uint64(3_000); n > 0 && !t.Failed(); seed++ {
		b := newBank(seed, 40)
		b.furnish()
		core := b.compile(t)
		books := map[string]*navBook{}
		for _, p := range b.products {
			books[p.Code] = newNAVBook(b.navs[p.Code], b.day)
		}
		for i := range perBank {
			n--
			p, r := b.customer(i), b.request(core)
			if !b.one(5) {
				r.Audience = wording.Manager
			}
			s := match(t, core, p, r)
			x, err := core.Explain(p, b.products[b.rng.IntN(len(b.products))].Code, r)
			if err != nil {
				t.Fatal(err)
			}
			all := append(claimsOf(s), claimsOf(&x.Slate)...)
			for _, e := range x.Evidence {
				all = append(all, claim{e, "record", x.Product.Code, &x.Slate.Items[0], &x.Slate})
			}
			k := newClerk(b, core, books, p, r)
			for j := range all {
				c := &all[j]
				seen[c.Field]++
				if why := k.check(rows, c); why != "" {
					t.Errorf("bank %d, customer %d at %s over %s, %s of %s: %s: %s", seed, i, r.At, r.Channel, c.where, c.product, c.Field, why)
				}
			}
		}
	}
	if len(seen) < 150 {
		t.Errorf("only %d fields were seen: %v", len(seen), seen)
	}
}

// check recomputes one figure; empty: it is right.
func (k *clerk) check(rows map[string]row, c *claim) string {
	row, ok := rows[c.Field]
	if !ok {
		return "no row says how to recompute it"
	}
	w := row.of(k, c)
	sources := strings.Fields(row.sources)
	switch number := float64(c.Number); {
	case w.none:
		return fmt.Sprintf("%s %s, expected no such figure", c.Unit, c.Value())
	case !slices.Contains(sources, c.Source):
		return fmt.Sprintf("source %s, expected one of %s", c.Source, sources)
	case c.AsOf != k.day:
		return fmt.Sprintf("as of %s, expected %s", c.AsOf, k.day)
	case c.Text != w.text || c.Unit == fund.UnitNone && c.Text == "":
		return fmt.Sprintf("%q, expected %q", c.Text, w.text)
	case math.Abs(number-w.number) > w.slack && !slices.Contains(w.others, c.Number):
		return fmt.Sprintf("%s %s, expected %v", c.Unit, c.Value(), w.number)
	case c.Window != w.window:
		return fmt.Sprintf("window %s, expected %s", c.Window, w.window)
	case c.Stale != w.stale:
		return fmt.Sprintf("stale %d, expected %d", c.Stale, w.stale)
	}
	return ""
}
