package eligibility

import (
	"errors"
	"fmt"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// MaxProducts is how many products one gate takes.
const MaxProducts = 1 << 17

// ErrCompile is wrapped by every error of Compile.
var ErrCompile = errors.New("gate not compiled")

// Gate is a pack's rules in force on a day over a pool of products. It never changes
// and may be used by any number of goroutines.
type Gate struct {
	edition     Edition // of the CSRC's book: the customer's, the bank's, public funds'
	nfra        Edition
	products    []candidate
	funds       funds
	places      map[string]int32 // of products, by code
	silence     *Rule            // A06's entry, which speaks from Refusals; nil while not in force
	refusals    Outcomes         // A06's
	rules       []compiledRule
	programs    [situations]program
	from, until fund.Instant
}

// compiledRule is one rule in both books: part i of one is part i of the other, over the
// products of its own book. A bankwide rule stands under the CSRC for all products.
type compiledRule struct {
	id       RuleID
	bankwide bool
	books    [Books][]compiledPart
}

type compiledPart struct {
	part
	entry      *Rule
	parameters []Parameter // those of the entry that the part reads
	byKey      []*mask     // nil: none of the products
}

// Compile makes the gate of a pack over products at an instant. Product i of every
// answer is products[i]; the slice must not change afterwards. Errors wrap ErrCompile.
func Compile(pack *Pack, products []fund.Product, asOf fund.Instant) (*Gate, error) {
	switch {
	case pack == nil:
		return nil, fmt.Errorf("%w: no rule pack", ErrCompile)
	case asOf <= 0 || asOf == fund.Forever:
		return nil, fmt.Errorf("%w: instant %d, expected one between 1970 and 2199", ErrCompile, asOf)
	case len(products) > MaxProducts:
		return nil, fmt.Errorf("%w: %d products, expected at most %d", ErrCompile, len(products), MaxProducts)
	}
	g := &Gate{edition: pack.InForce(asOf), nfra: pack.InForceIn(asOf, NFRA), funds: fundsOf(products)}
	g.products = candidates(products, &g.edition, asOf.Date())
	g.places = make(map[string]int32, len(products))
	for i := range products {
		g.places[products[i].Code] = int32(i)
	}
	g.from, g.until = validity(pack, asOf)
	for i := range pack.Rules {
		g.compileRule(pack.Rules[i].ID, asOf.Date())
	}
	for s := range situations {
		g.programs[s] = g.program(s)
	}
	return g, nil
}

// validity: products change at 00:00 of a day only, rules at their boundaries.
func validity(pack *Pack, asOf fund.Instant) (from, until fund.Instant) {
	day := asOf.Date()
	from, until = day.Start(), day.AddDays(1).Start()
	for _, b := range pack.Boundaries() {
		if b <= asOf {
			from = max(from, b)
		} else {
			until = min(until, b)
		}
	}
	return from, until
}

// compileRule compiles the entries of a rule that are in force, in each book, once: a rule
// stands where the pack names it first.
func (g *Gate) compileRule(id RuleID, day fund.Date) {
	spec := specOf(id)
	if spec == nil || spec.parts == nil || slices.ContainsFunc(g.rules, func(c compiledRule) bool { return c.id == id }) {
		return
	}
	c := compiledRule{id: id, bankwide: spec.bankwide}
	for book := range Books {
		e := g.EditionOf(book)
		r := e.Rule(id)
		if r == nil || spec.bankwide && book != CSRC {
			continue
		}
		of := book
		if spec.bankwide {
			of = BothBooks
		}
		c.books[book] = g.compileParts(r, spec.parts(e, day), of)
		if id == A06 {
			g.silence, g.refusals = r, r.Outcomes.onFirmsInitiative()
		}
	}
	g.rules = append(g.rules, c)
}

func (g *Gate) compileParts(r *Rule, parts []part, book Book) []compiledPart {
	compiled := make([]compiledPart, len(parts))
	for i, p := range parts {
		if p.outcomes == (Outcomes{}) {
			p.outcomes = r.Outcomes
		}
		p.outcomes = p.outcomes.onFirmsInitiative()
		compiled[i] = compiledPart{part: p, entry: r, parameters: r.parameters(p.reads), byKey: g.masks(&p, book)}
	}
	return compiled
}

// parameters returns those of some names, in the pack's order.
func (r *Rule) parameters(names []string) []Parameter {
	var out []Parameter
	for _, p := range r.Parameters {
		if slices.Contains(names, p.Name) {
			out = append(out, p)
		}
	}
	return out
}

// Len is the number of products.
func (g *Gate) Len() int { return len(g.products) }

// Edition is what is in force for the customer, the bank and public funds.
func (g *Gate) Edition() *Edition { return &g.edition }

// EditionOf is what is in force in a book.
func (g *Gate) EditionOf(b Book) *Edition {
	if b == NFRA {
		return &g.nfra
	}
	return &g.edition
}

// Book is the set of rules that product i is sold by (S11); i must be less than Len.
func (g *Gate) Book(i int) Book { return g.products[i].book }

// Validity returns the instants [from, until) in which the gate's answers hold: until
// the next 00:00 in Asia/Shanghai or the next boundary of the pack.
func (g *Gate) Validity() (from, until fund.Instant) { return g.from, g.until }

// Judge says what every rule has to say about product i, which must be less than Len.
// It appends a finding for each part that spoke, in pack order, to dst. r nil: the customer
// said nothing.
func (g *Gate) Judge(i int, f *Facts, r *Refusals, dst []Finding) (Verdict, []Finding) {
	said := len(dst)
	for k := range g.rules {
		rule := &g.rules[k]
		if rule.id == A06 {
			dst = g.judgeRefusals(i, f, r, dst)
		}
		for _, p := range rule.partsOf(g.products[i].book) {
			dst = p.judge(&g.products[i], f, dst)
		}
	}
	v := Verdict{}
	for j := range dst[said:] {
		v.Outcome = max(v.Outcome, dst[said+j].Outcome)
	}
	v.Permitted = !v.Outcome.Excludes()
	v.Information = v.Permitted && f.Situation == Recommendation && f.informational()
	return v, dst
}

// partsOf returns the parts that hold for a product of a book.
func (c *compiledRule) partsOf(b Book) []compiledPart {
	if b == NFRA && !c.bankwide {
		return c.books[NFRA]
	}
	return c.books[CSRC]
}

func (p *compiledPart) judge(c *candidate, f *Facts, dst []Finding) []Finding {
	outcome := p.outcomes[f.Situation]
	key := p.keyOf(f)
	if outcome == None || key < 0 || !p.speaks(c, key) {
		return dst
	}
	return append(dst, Finding{
		Rule: p.entry.ID, Outcome: outcome, Reason: p.reason, Facts: p.facts(c, f),
		Parameters: p.parameters, Remedy: p.way.name(c, f), Citation: p.entry.Citation,
	})
}

// reliedOn are the optional facts that a rule of this package reads, and takes in the
// way that the rulebook allows where they are missing.
var reliedOn = [...]fund.Field{
	fund.FieldKind, fund.FieldIssuerGrade, fund.FieldPoolPeriod, fund.FieldMinPurchase, fund.FieldDayLimit,
	fund.FieldLockup, fund.FieldNextOpen, fund.FieldSubscriptionLadder, fund.FieldRedemptionLadder, fund.FieldServiceFee,
	fund.FieldLaunchedOn,
}

// Assumed lists the facts of product i that the bank did not give and that the rules
// assumed: a public fund, no lockup, as published, ...
func (g *Gate) Assumed(i int) []fund.Field {
	p := &g.products[i]
	missing := p.Missing
	if p.Listing.Kind == fund.KindUnknown {
		missing = missing.With(fund.FieldKind)
	}
	if p.Grades.Issuer == fund.GradeUnknown {
		missing = missing.With(fund.FieldIssuerGrade)
	}
	if p.Listing.PoolFrom == 0 && p.Listing.PoolTo == 0 {
		missing = missing.With(fund.FieldPoolPeriod)
	}
	var out []fund.Field
	for _, f := range reliedOn {
		if missing.Has(f) {
			out = append(out, f)
		}
	}
	return out
}
