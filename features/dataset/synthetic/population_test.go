package synthetic

import (
	"slices"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// census counts the default bank, once for all tests of this file.
type census struct {
	bank     *Bank
	products map[string]fund.Product
	last     map[string]float64 // last unit value
	records  []*Record
}

func takeCensus(tb testing.TB) *census {
	tb.Helper()
	b := generate(tb, Options{AsOf: asOf})
	c := &census{bank: b, products: products(b), last: map[string]float64{}}
	for code, navs := range b.NAVs() {
		c.last[code] = navs[len(navs)-1].Unit
	}
	for i := range b.Customers() {
		c.records = append(c.records, b.Customer(i))
	}
	return c
}

// count returns how many customers are so.
func (c *census) count(is func(r *Record) bool) int {
	n := 0
	for _, r := range c.records {
		if is(r) {
			n++
		}
	}
	return n
}

func (c *census) age(r *Record) int {
	age, _ := r.Customer.Person.AgeOn(asOf)
	return age
}

func isValid(r *Record) bool {
	l := &r.Customer.Level
	return l.IsAssessment() && asOf < l.AssessedOn.AddMonths(12)
}

func TestTheDefaultBank(t *testing.T) {
	c := takeCensus(t)
	t.Run("shares of customers", c.testShares)
	t.Run("customers of each rule", c.testRulesCustomers)
	t.Run("products of each rule", c.testRulesProducts)
	t.Run("goals show in what is held", c.testSignal)
	t.Run("grades of what is bought", c.testGrades)
	t.Run("the fearful sell in the crash", c.testFear)
	t.Run("managers who push new issues sell them", c.testMalpractice)
	t.Run("losses and complaints", c.testLosses)
	t.Run("values", c.testValues)
	t.Run("events", c.testEvents)
}

func (c *census) testShares(t *testing.T) {
	n := float64(len(c.records))
	assessed := c.count(func(r *Record) bool { return r.Customer.Level.IsAssessment() })
	for _, s := range []struct {
		what     string
		got      float64
		low, top float64
	}{
		{"assessments that have expired", 1 - float64(c.count(isValid))/float64(assessed), 0.30, 0.50},
		{"levels that are only predicted", float64(c.count(func(r *Record) bool {
			return r.Customer.Level.Level != 0 && !r.Customer.Level.IsAssessment()
		})) / n, 0.04, 0.08},
		{"no level", float64(c.count(func(r *Record) bool { return r.Customer.Level.Level == 0 })) / n, 0.02, 0.06},
		{"stated goals", float64(c.count(func(r *Record) bool { return len(r.Customer.Needs.Goals) > 0 })) / n, 0.45, 0.55},
		{"personalisation off", float64(c.count(func(r *Record) bool { return r.Customer.Personalization == fund.No })) / n, 0.04, 0.06},
		{"65 and older", float64(c.count(func(r *Record) bool { return c.age(r) >= 65 })) / n, 0.10, 0.25},
		{"companies", float64(c.count(func(r *Record) bool { return r.Customer.Person.Industry != "" })) / n, 0.02, 0.04},
		{"holders of a fund", float64(c.count(func(r *Record) bool { return len(r.Holdings) > 0 })) / n, 0.5, 0.8},
	} {
		if s.got < s.low || s.got > s.top {
			t.Errorf("%s: %.3f, expected %.2f to %.2f", s.what, s.got, s.low, s.top)
		}
	}
	for level := fund.C1; level <= fund.C5; level++ {
		got := float64(c.count(func(r *Record) bool { return r.Customer.Level.Level == level })) / n
		if got < 0.05 || got > 0.35 {
			t.Errorf("level %s: %.3f of the customers, expected .05 to .35", level, got)
		}
	}
}

// testRulesCustomers looks for customers on whom each rule of the spine speaks.
func (c *census) testRulesCustomers(t *testing.T) {
	person := func(is func(p *fund.Person) bool) func(r *Record) bool {
		return func(r *Record) bool { return is(&r.Customer.Person) }
	}
	professional := func(p *fund.Person) bool { return p.InvestorType == fund.ProfessionalInvestor }
	for _, rule := range []struct {
		id      string
		atLeast int
		is      func(r *Record) bool
	}{
		{"S01 lowest class", 100, func(r *Record) bool {
			return r.Customer.Level.Level == fund.C1 && r.Customer.Person.IsLowestClass == fund.Yes
		}},
		{"S01 not lowest though C1", 100, func(r *Record) bool {
			return r.Customer.Level.Level == fund.C1 && r.Customer.Person.IsLowestClass == fund.No
		}},
		{"S02 holds above his level", 100, c.holdsAbove},
		{"S04 short horizon", 50, func(r *Record) bool { m := r.Customer.Needs.HorizonMonths; return m > 0 && m <= 6 }},
		{"S04 needs money at any time", 500, func(r *Record) bool { return r.Customer.Needs.Liquidity == fund.NeedHigh }},
		{"S12 expired", 1_000, func(r *Record) bool { return r.Customer.Level.IsAssessment() && !isValid(r) }},
		{"S14 with proof", 50, person(func(p *fund.Person) bool { return professional(p) && p.Professional.Until > asOf })},
		{"S14 proof expired", 20, person(func(p *fund.Person) bool {
			return professional(p) && p.Professional.Until != 0 && p.Professional.Until <= asOf
		})},
		{"S14 no proof", 20, person(func(p *fund.Person) bool { return professional(p) && p.Professional.Until == 0 })},
		{"S14 elects ordinary", 20, person(func(p *fund.Person) bool {
			return professional(p) && p.Professional.ElectsOrdinary == fund.Yes
		})},
		{"E01 elder", 1_000, func(r *Record) bool { return c.age(r) >= 65 && isValid(r) }},
		{"E01 unknown age", 100, person(func(p *fund.Person) bool { return p.BirthDate == 0 && p.Industry == "" })},
		{"E02 minor", 20, func(r *Record) bool { return c.age(r) > 0 && c.age(r) < 18 }},
		{"E02 adult of limited capacity", 20, func(r *Record) bool {
			return c.age(r) >= 18 && r.Customer.Person.Capacity == fund.LimitedCapacity
		}},
		{"A02 personalisation off with a valid level", 100, func(r *Record) bool {
			return r.Customer.Personalization == fund.No && isValid(r)
		}},
	} {
		if n := c.count(rule.is); n < rule.atLeast {
			t.Errorf("%s: %d customers, expected %d or more", rule.id, n, rule.atLeast)
		}
	}
}

func (c *census) holdsAbove(r *Record) bool {
	level := r.Customer.Level
	return level.IsAssessment() && slices.ContainsFunc(r.Interactions, func(x features.CustomerPurchase) bool {
		p := c.products[x.ProductCode]
		return x.Kind == buyKind && p.Grades.Effective() > fund.RiskGrade(level.Level)
	})
}

// testRulesProducts looks for products on which each rule of the spine speaks.
func (c *census) testRulesProducts(t *testing.T) {
	for _, rule := range []struct {
		id      string
		atLeast int
		is      func(p *fund.Product) bool
	}{
		{"S07, P02 private", 2, func(p *fund.Product) bool { return p.Listing.Kind == fund.PrivateFund }},
		{"S07, P01 trust", 2, func(p *fund.Product) bool { return p.Listing.Kind == fund.Trust }},
		{"S10 issuer's grade higher", 10, func(p *fund.Product) bool { return p.Grades.Issuer > p.Grades.Bank }},
		{"S10 issuer's grade unknown", 5, func(p *fund.Product) bool { return p.Grades.Issuer == fund.GradeUnknown }},
		{"S11 own", 10, func(p *fund.Product) bool { return p.Listing.Kind == fund.OwnProduct }},
		{"C02 pool ended", 3, func(p *fund.Product) bool { return p.Listing.PoolTo != 0 && p.Listing.PoolTo <= asOf }},
		{"C02 pool not begun", 3, func(p *fund.Product) bool { return p.Listing.PoolFrom > asOf }},
		{"C02 no period", 5, func(p *fund.Product) bool { return p.Missing.Has(fund.FieldPoolPeriod) }},
		{"C02 no due diligence", 2, func(p *fund.Product) bool { return p.Listing.DueDiligenceID == "" }},
		{"C05 no key facts", 2, func(p *fund.Product) bool { return p.Listing.KeyFactsVersion == "" }},
		{"G01 open", 150, func(p *fund.Product) bool { return p.Listing.Status == fund.Open }},
		{"G01 limited", 5, func(p *fund.Product) bool { return p.Listing.Status == fund.Limited && p.Terms.DayLimit > 0 }},
		{"G01 closed until", 2, func(p *fund.Product) bool { return p.Listing.Status == fund.Closed && p.Terms.ClosedUntil > asOf }},
		{"G01 closed between openings", 3, func(p *fund.Product) bool { return p.Listing.Status == fund.Closed && p.Terms.NextOpenOn > asOf }},
		{"G01 suspended", 2, func(p *fund.Product) bool { return p.Listing.Status == fund.Suspended }},
		{"G01 high minimum", 5, func(p *fund.Product) bool { return p.Terms.MinPurchase >= 100_000_000 }},
		{"K03 new issues", 5, func(p *fund.Product) bool { return p.Listing.Status == fund.Subscription }},
		{"E01 long lockup", 5, func(p *fund.Product) bool { return p.Terms.LockupDays >= 365 }},
		{"P03 pension shares", 2, func(p *fund.Product) bool { return p.Listing.Kind == fund.PensionFund && p.ShareClass == "Y" }},
		{"F01 entry fee above every cap", 2, func(p *fund.Product) bool { return p.Fees.EntryFee(100_000) > 800 && p.Listing.Kind == fund.PublicFund }},
		{"F02 exit under .5 to 1 %", 2, func(p *fund.Product) bool { return p.Fees.ExitRate(10) == 75 }},
	} {
		n := 0
		for _, p := range c.products {
			if rule.is(&p) {
				n++
			}
		}
		if n < rule.atLeast {
			t.Errorf("%s: %d products, expected %d or more", rule.id, n, rule.atLeast)
		}
		if n > len(c.products)*9/10 {
			t.Errorf("%s: %d of %d products", rule.id, n, len(c.products))
		}
	}
}

// testSignal holds that a matcher can find goals in what is bought: by the latent goal's
// statement, and by the theme that a tag shows.
func (c *census) testSignal(t *testing.T) {
	equity := func(goal fund.Goal) float64 {
		bought, risky := 0, 0
		for _, r := range c.records {
			if len(r.Customer.Needs.Goals) == 0 || r.Customer.Needs.Goals[0] != goal {
				continue
			}
			for _, h := range r.Holdings {
				p := c.products[h.ProductCode]
				if bought++; p.Class() >= fund.Equity {
					risky++
				}
			}
		}
		return float64(risky) / float64(max(bought, 1))
	}
	if growth, cash := equity(fund.Growth), equity(fund.Cash); growth < cash+0.4 {
		t.Errorf("equities are %.2f of the lots of GROWTH and %.2f of CASH, expected far more", growth, cash)
	}
	if house, education := equity(fund.House), equity(fund.Education); education < house+0.05 {
		t.Errorf("equities are %.2f of the lots of EDUCATION and %.2f of HOUSE, expected more", education, house)
	}
	same, other := 0, 0
	for _, r := range c.records {
		for _, tag := range r.Tags {
			if tag.Name == "theme_interest" {
				s, o := c.themeLots(r, tag.Value)
				same, other = same+s, other+o
			}
		}
	}
	if share := float64(same) / float64(same+other); share < 0.3 { // by chance: one in eight
		t.Errorf("%.2f of the lots with a theme are of the customer's own, expected .3 and more", share)
	}
}

func (c *census) themeLots(r *Record, name string) (same, other int) {
	for _, h := range r.Holdings {
		l := c.products[h.ProductCode].Content.Themes
		switch {
		case len(l) == 0 || !slices.ContainsFunc(themes[:], func(th theme) bool { return th.name == l[0] }):
		case l[0] == name:
			same++
		default:
			other++
		}
	}
	return same, other
}

// testFear compares those who sold out of fear with all who held something risky through
// the crash: they are the ones whose level is low.
func (c *census) testFear(t *testing.T) {
	inCrash, otherwise := 0, 0
	var levels, customers [2]int // of those who held through, of those who sold
	for _, r := range c.records {
		held, sold := false, false
		for _, x := range r.Interactions {
			held = held || x.Kind == buyKind && x.KnownOn < asOf.AddDays(-crashFrom) && c.products[x.ProductCode].Grades.Bank >= fund.R3
		}
		for _, e := range r.Events {
			if !strings.HasPrefix(e.Attributes, `{"reason":"FELL",`) {
				continue
			}
			if day := e.EventAt.Date(); day < asOf.AddDays(-crashFrom) || day >= asOf.AddDays(-slumpTo) {
				otherwise++
				continue
			}
			inCrash, sold = inCrash+1, true
		}
		if who := boolIndex(sold); held {
			levels[who] += int(r.Assessments[0].Level)
			customers[who]++
		}
	}
	if inCrash < 200 || inCrash < 2*otherwise {
		t.Errorf("%d sales out of fear in crash and slump and %d at other times", inCrash, otherwise)
	}
	stayed, sold := float64(levels[0])/float64(customers[0]), float64(levels[1])/float64(customers[1])
	if sold > stayed-0.25 {
		t.Errorf("first level of those who sold %.2f, of those who stayed %.2f, expected a quarter of a level less", sold, stayed)
	}
}

func boolIndex(b bool) int {
	if b {
		return 1
	}
	return 0
}

// testGrades holds that what was sold above the level of the day is the rare wish of the
// customer himself, and never of the lowest level.
func (c *census) testGrades(t *testing.T) {
	bought, above := 0, 0
	for _, r := range c.records[len(stories):] {
		for _, x := range r.Interactions {
			if x.Kind != buyKind {
				continue
			}
			level := fund.LevelUnknown
			for _, a := range r.Assessments {
				if a.AssessedAt.Date() <= x.KnownOn {
					level = a.Level
				}
			}
			bought++
			if c.products[x.ProductCode].Grades.Effective() <= fund.RiskGrade(level) {
				continue
			}
			if above++; level == fund.C1 {
				t.Errorf("%s bought %s on %s with level C1", r.Customer.CustomerID, x.ProductCode, x.KnownOn)
			}
		}
	}
	if share := float64(above) / float64(bought); share > 0.04 || share < 0.001 {
		t.Errorf("%.4f of the purchases are above the level of the day, expected .001 to .04", share)
	}
}

// testMalpractice compares the customers of managers who push with the others.
func (c *census) testMalpractice(t *testing.T) {
	pushes := map[string]bool{}
	for i := range c.bank.network.managers {
		m := &c.bank.network.managers[i]
		pushes[m.row.ID] = m.pushes
	}
	var bought, fresh [2]int
	switches := 0
	for _, r := range c.records {
		who := 0
		if pushes[r.Customer.Person.ManagerID] {
			who = 1
		}
		for _, x := range r.Interactions {
			if x.Kind != buyKind {
				continue
			}
			bought[who]++
			if x.KnownOn.DaysSince(c.products[x.ProductCode].Terms.LaunchedOn) <= newIssueDays {
				fresh[who]++
			}
		}
		for _, e := range r.Events {
			if strings.HasPrefix(e.Attributes, `{"reason":"SWITCH",`) {
				switches++
			}
		}
	}
	normal, pushed := float64(fresh[0])/float64(bought[0]), float64(fresh[1])/float64(bought[1])
	if pushed < 3*normal || fresh[1] < 200 {
		t.Errorf("new issues are %.4f of the purchases with managers who push (%d), %.4f with others, expected three times as many", pushed, fresh[1], normal)
	}
	if switches < 50 {
		t.Errorf("%d redeemed the old to buy the new, expected 50 and more", switches)
	}
}

// testLosses holds that there is something to answer for: lots below cost, and the slump
// among them.
func (c *census) testLosses(t *testing.T) {
	lots, losing, slump := 0, 0, 0
	for _, r := range c.records {
		for _, h := range r.Holdings {
			p := c.products[h.ProductCode]
			if p.Grades.Bank < fund.R4 {
				continue
			}
			lots++
			value := float64(h.Shares) / 10_000 * c.last[h.ProductCode] * 100
			if value < 0.95*float64(h.Cost) {
				losing++
				if slices.Contains(p.Content.Themes, themes[slumpTheme].name) {
					slump++
				}
			}
		}
	}
	if share := float64(losing) / float64(lots); share < 0.08 || share > 0.6 {
		t.Errorf("%.3f of the risky lots are more than 5 %% below cost, expected .08 to .6", share)
	}
	if slump < 50 {
		t.Errorf("%d losing lots of the slumping theme, expected 50 and more", slump)
	}
}

// testValues looks for what a track record has to cope with.
func (c *census) testValues(t *testing.T) {
	gaps, payers, short, withValues := 0, 0, 0, 0
	for code, navs := range c.bank.NAVs() {
		withValues++
		gap, pays := false, false
		for i := range navs {
			gap = gap || i > 0 && navs[i].Date.DaysSince(navs[i-1].Date) > 31
			pays = pays || navs[i].Accum > navs[i].Unit
		}
		if gap {
			gaps++
		}
		if pays && c.products[code].Type != styles[moneyStyle].typ {
			payers++
		}
		if len(navs) < 20 {
			short++
		}
	}
	if gaps < 3 || payers < 10 || short < 3 || withValues < 250 {
		t.Errorf("of %d products with values %d have a gap of more than 31 days, %d paid out, %d are young; expected 250, 3, 10, 3 and more", withValues, gaps, payers, short)
	}
	for _, l := range c.bank.pool.listings {
		if l.product.ShareClass != "C" || l.path.first >= len(c.bank.market.days) {
			continue
		}
		a := c.last[l.product.ParentCode]
		if l.product.Parties.ManagerSince != 0 && a != 0 && c.last[l.product.Code] > a {
			t.Errorf("%s ends above its A shares, though it pays a service fee", l.product.Code)
		}
	}
}

// testEvents holds that every kind of the contract but those of a running service occurs.
func (c *census) testEvents(t *testing.T) {
	kinds := map[string]int{}
	for _, r := range c.records {
		for _, e := range r.Events {
			kinds[e.Kind]++
		}
	}
	contract := []string{
		"EXPOSURE", "CLICK", "DETAIL_VIEW", "OBJECTION", "EVIDENCE_OPEN", "ORDER_START", "ORDER_CONFIRM", "ORDER_ABANDON", "REFUSAL",
		"REDEEM", "COMPLAINT", "CONTACT",
	}
	for _, kind := range contract {
		if kinds[kind] == 0 {
			t.Errorf("no event of kind %s", kind)
		}
	}
	if len(kinds) != len(contract) {
		t.Errorf("events of kinds that the contract does not know: %v", kinds)
	}
}

// discard is a batch that counts rows.
type discard struct{ rows int }

func (d *discard) Products(rows []fund.Product) error { d.rows += len(rows); return nil }

func (d *discard) NAVs(_ string, rows []fund.NAV) error { d.rows += len(rows); return nil }

func (d *discard) Calendar(rows []features.CalendarDay) error { d.rows += len(rows); return nil }

func (d *discard) Cells(rows []features.Cell) error { d.rows += len(rows); return nil }

func (d *discard) Purchases(rows []features.CustomerPurchase) error { d.rows += len(rows); return nil }

func (d *discard) Events(rows []features.Event) error { d.rows += len(rows); return nil }

func (d *discard) Managers(rows []features.Manager) error { d.rows += len(rows); return nil }

func (d *discard) Branches(rows []features.Branch) error { d.rows += len(rows); return nil }

// BenchmarkLoadDefaultBank invents the default bank and hands over its rows; the store's
// own time comes on top. The promise of `serve --demo` is ten seconds for both.
func BenchmarkLoadDefaultBank(b *testing.B) {
	b.ReportAllocs()
	var d discard
	for b.Loop() {
		d.rows = 0
		if err := generate(b, Options{AsOf: asOf}).Load(&d); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(d.rows), "rows")
}

// BenchmarkWriteDefaultBank is `demo --out` without options.
func BenchmarkWriteDefaultBank(b *testing.B) {
	parent := b.TempDir()
	for b.Loop() {
		dir := parent + "/bank"
		if err := generate(b, Options{AsOf: asOf}).WriteFolder(b.Context(), dir, nil); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		removeAll(b, dir)
		b.StartTimer()
	}
}
