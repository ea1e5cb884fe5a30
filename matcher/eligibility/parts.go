package eligibility

import "github.com/fundmatch/fundmatch/matcher/fund"

// part is a small piece of a rule that speaks about a product to all customers of one
// key. Keys enumerate what the part needs to know of a customer, so that Compile can ask
// it about every product and key ahead; Judge asks it again.
type part struct {
	reason   string
	outcomes Outcomes           // of the rule; fixed for a part that says its own
	keys     int                // 0: it says the same to everybody
	key      func(f *Facts) int // nil: to everybody; -1: the part does not apply
	speaks   func(c *candidate, key int) bool
	facts    func(c *candidate, f *Facts) []Fact
	way      wayOut
	// reads are the parameters of the rule's entry that the part goes by.
	reads []string
	// below, where it is set, is the first key to which the part no longer speaks about
	// a product: speaks is key < below. It spares Compile the keys that change nothing.
	below func(c *candidate) int
	// apart: key reads the parameters of its book's entry, so that the two books' products
	// cannot share a key.
	apart bool
}

// speaksBelow makes the part one of rising keys, such as months.
func (p part) speaksBelow(below func(c *candidate) int) part {
	p.below = below
	p.speaks = func(c *candidate, key int) bool { return key < below(c) }
	return p
}

// says makes the part speak its own outcome, not the rule's: work that comes with it.
func (p part) says(o Outcome) part { return p.saysBy(Outcomes{o, o, o}) }

func (p part) saysBy(o Outcomes) part {
	p.outcomes = o
	return p
}

// keyOf is the key of a customer's facts, -1 where the part does not apply to him.
func (p *part) keyOf(f *Facts) int {
	if p.key == nil {
		return 0
	}
	return p.key(f)
}

// when is the key of a part that applies to some customers and asks nothing more.
func when(applies bool) int {
	if applies {
		return 0
	}
	return -1
}

func always(*candidate, int) bool { return true }

func noFacts(*candidate, *Facts) []Fact { return nil }

// candidate is a product with what the parts read of it most.
type candidate struct {
	*fund.Product
	grade fund.RiskGrade // the effective one (S10)
	class fund.Class
	tied  int // tiedDays
	book  Book
}

func candidates(products []fund.Product, e *Edition, day fund.Date) []candidate {
	out := make([]candidate, len(products))
	for i := range products {
		p := &products[i]
		out[i] = candidate{Product: p, grade: e.Grade(p), class: p.Class(), tied: tiedDays(p, day), book: e.BookOf(p.Listing.Kind)}
	}
	return out
}

// tiedDays is how long money put in on a day cannot come out: until the next opening,
// or the end of a launch's closed period, and then the lockup.
func tiedDays(p *fund.Product, day fund.Date) int {
	start := max(day, p.Terms.NextOpenOn)
	if p.Listing.Status == fund.Subscription {
		start = max(start, p.Terms.ClosedUntil)
	}
	return start.DaysSince(day) + int(p.Terms.LockupDays)
}

// isPublicFund: what is of no known kind is a public fund (ASSUMED). Pension funds are
// public funds in a share class of their own.
func (c *candidate) isPublicFund() bool {
	k := c.Listing.Kind
	return k == fund.KindUnknown || k == fund.PublicFund || k == fund.PensionFund
}

func kindFacts(c *candidate, _ *Facts) []Fact { return []Fact{{"kind", c.Listing.Kind.String()}} }
