package eligibility

import (
	"errors"
	"fmt"
	"math/bits"
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
	edition     Edition
	nfra        Edition
	products    []candidate
	funds       funds
	refusals    Outcomes // A06's, which speaks from Refusals; silent while not in force
	rules       []compiledRule
	from, until fund.Instant
}

type compiledRule struct {
	*Rule
	parts []compiledPart
}

type compiledPart struct {
	part
	byKey []mask
}

// mask is the set of products that a part speaks about to one key. No bits: none.
type mask struct {
	bits  []uint64
	count int
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
	g := &Gate{edition: pack.InForce(asOf), nfra: pack.InForceIn(asOf, NFRA), products: candidates(products, asOf.Date()), funds: fundsOf(products)}
	g.from, g.until = validity(pack, asOf)
	for _, r := range g.edition.Rules {
		spec := specOf(r.ID)
		if spec == nil || spec.parts == nil || r.Book == NFRA {
			continue
		}
		g.rules = append(g.rules, g.compile(r, spec.parts(&g.edition, asOf.Date())))
		if r.ID == A06 {
			g.refusals = r.Outcomes.onFirmsInitiative()
		}
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

func (g *Gate) compile(r *Rule, parts []part) compiledRule {
	c := compiledRule{Rule: r, parts: make([]compiledPart, len(parts))}
	for i, p := range parts {
		if p.outcomes == (Outcomes{}) {
			p.outcomes = r.Outcomes
		}
		p.outcomes = p.outcomes.onFirmsInitiative()
		c.parts[i] = compiledPart{part: p, byKey: g.masks(&p)}
	}
	return c
}

// masks asks a part about every product for every key.
func (g *Gate) masks(p *part) []mask {
	masks := make([]mask, p.keys)
	changes := g.changes(p)
	for key := range masks {
		if changes[key] {
			masks[key] = g.mask(p, key)
		} else {
			masks[key] = masks[key-1]
		}
	}
	return masks
}

// changes says for which keys the answers may differ from those to the key before: a
// horizon of 40 months rarely differs from one of 41, and shares its bits.
func (g *Gate) changes(p *part) []bool {
	changes := make([]bool, p.keys)
	changes[0] = true
	if p.below == nil {
		for key := range changes {
			changes[key] = true
		}
		return changes
	}
	for i := range g.products {
		if key := p.below(&g.products[i]); key > 0 && key < p.keys {
			changes[key] = true
		}
	}
	return changes
}

func (g *Gate) mask(p *part, key int) mask {
	m := mask{bits: make([]uint64, (len(g.products)+63)/64)}
	for i := range g.products {
		if p.speaks(&g.products[i], key) {
			m.bits[i>>6] |= 1 << (i & 63)
			m.count++
		}
	}
	if m.count == 0 {
		m.bits = nil
	}
	return m
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
func (g *Gate) Book(i int) Book { return g.edition.BookOf(g.products[i].Listing.Kind) }

// Validity returns the instants [from, until) in which the gate's answers hold: until
// the next 00:00 in Asia/Shanghai or the next boundary of the pack.
func (g *Gate) Validity() (from, until fund.Instant) { return g.from, g.until }

// maxParts bounds the parts of one rule.
const maxParts = 8

// Select says which products a customer's facts and his own words permit; r nil: he said
// nothing. It does not allocate once v's buffers have grown.
func (g *Gate) Select(f *Facts, r *Refusals, v *Verdicts) {
	g.permitAll(v)
	refused := g.refuse(f, r, v.Permitted)
	v.Information = f.Situation == Recommendation && f.informational()
	for i := range g.rules {
		rule := &g.rules[i]
		var spoken [maxParts]*mask
		n := 0
		for j := range rule.parts {
			p := &rule.parts[j]
			if !p.outcomes[f.Situation].Excludes() {
				continue
			}
			if key := p.key(f); key >= 0 && p.byKey[key].count > 0 {
				spoken[n] = &p.byKey[key]
				n++
			}
		}
		count := exclude(v.Permitted, spoken[:n])
		if rule.ID == A06 {
			count = refused
		}
		if count > 0 {
			v.Excluded = append(v.Excluded, RuleCount{ID: rule.ID, Count: count})
		}
	}
}

func (g *Gate) permitAll(v *Verdicts) {
	words := (len(g.products) + 63) / 64
	v.Permitted = slices.Grow(v.Permitted[:0], words)[:words]
	v.Excluded = slices.Grow(v.Excluded[:0], len(g.rules))
	for i := range v.Permitted {
		v.Permitted[i] = ^uint64(0)
	}
	if rest := len(g.products) & 63; rest != 0 {
		v.Permitted[words-1] = 1<<rest - 1
	}
}

// exclude takes the products of any of the masks away and returns how many they are.
func exclude(permitted []uint64, masks []*mask) int {
	switch len(masks) {
	case 0:
		return 0
	case 1:
		for i, b := range masks[0].bits {
			permitted[i] &^= b
		}
		return masks[0].count
	}
	count := 0
	for i := range permitted {
		b := uint64(0)
		for _, m := range masks {
			b |= m.bits[i]
		}
		count += bits.OnesCount64(b)
		permitted[i] &^= b
	}
	return count
}

// Judge says what every rule has to say about product i, which must be less than Len.
// It appends a finding for each part that spoke, in pack order, to dst. r nil: the customer
// said nothing.
func (g *Gate) Judge(i int, f *Facts, r *Refusals, dst []Finding) (Verdict, []Finding) {
	product := &g.products[i]
	v := Verdict{}
	for k := range g.rules {
		rule := &g.rules[k]
		if rule.ID == A06 {
			said := len(dst)
			if dst = g.judgeRefusals(i, f, r, rule.Rule, dst); len(dst) > said {
				v.Outcome = max(v.Outcome, dst[said].Outcome)
			}
		}
		for j := range rule.parts {
			p := &rule.parts[j]
			outcome := p.outcomes[f.Situation]
			key := p.key(f)
			if outcome == None || key < 0 || !p.speaks(product, key) {
				continue
			}
			v.Outcome = max(v.Outcome, outcome)
			dst = append(dst, Finding{
				Rule: rule.ID, Outcome: outcome, Reason: p.reason, Facts: p.facts(product, f), Citation: rule.Citation,
			})
		}
	}
	v.Permitted = !v.Outcome.Excludes()
	v.Information = v.Permitted && f.Situation == Recommendation && f.informational()
	return v, dst
}

// reliedOn are the optional facts that a rule of this package reads, and takes in the
// way that the rulebook allows where they are missing.
var reliedOn = [...]fund.Field{
	fund.FieldKind, fund.FieldIssuerGrade, fund.FieldPoolPeriod, fund.FieldMinPurchase, fund.FieldDayLimit,
	fund.FieldLockup, fund.FieldNextOpen, fund.FieldLaunchedOn,
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
