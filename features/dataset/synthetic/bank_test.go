package synthetic

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/dataset"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// TestNothingIsDatedAfterAsOf and fits no other day than its own: whatever the options,
// every row keeps to the calendar, to the pool and to what was known.
func TestNothingIsDatedAfterAsOf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		day := EarliestAsOf.AddDays(rapid.IntRange(0, LatestAsOf.DaysSince(EarliestAsOf)).Draw(t, "day"))
		b, err := Generate(Options{
			Customers: 40, Products: rapid.IntRange(MinProducts, 60).Draw(t, "products"), Seed: rapid.Uint64().Draw(t, "seed"), AsOf: day,
		})
		if err != nil {
			t.Fatal(err)
		}
		w := newWitness(t, b)
		for p := range b.Products() {
			w.product(&p)
		}
		for code, navs := range b.NAVs() {
			w.navs(code, navs)
		}
		for i := range b.Customers() {
			w.customer(b.Customer(i))
		}
	})
}

// witness checks rows against the pool and the calendar of their bank.
type witness struct {
	t        *rapid.T
	asOf     fund.Date
	products map[string]fund.Product
	open     map[fund.Date]bool
	managers map[string]string // branch by manager
	branches map[string]bool
}

func newWitness(t *rapid.T, b *Bank) *witness {
	w := &witness{t: t, asOf: b.Options().AsOf, products: products(b), open: map[fund.Date]bool{}, managers: map[string]string{}, branches: map[string]bool{}}
	for d := range b.Calendar() {
		w.open[d.Date] = d.Open
	}
	for _, branch := range b.Branches() {
		w.branches[branch.ID] = true
	}
	for _, m := range b.Managers() {
		w.managers[m.ID] = m.BranchID
		if !w.branches[m.BranchID] {
			t.Fatalf("manager %s sits in branch %q, which is not there", m.ID, m.BranchID)
		}
	}
	return w
}

func (w *witness) product(p *fund.Product) {
	t := w.t
	if p.Terms.LaunchedOn == 0 || p.Terms.LaunchedOn >= w.asOf || p.Parties.ManagerSince >= w.asOf {
		t.Fatalf("%s was launched on %s, its manager came on %s, as of %s", p.Code, p.Terms.LaunchedOn, p.Parties.ManagerSince, w.asOf)
	}
	if p.Listing.PoolFrom != 0 && p.Listing.PoolFrom < p.Terms.LaunchedOn {
		t.Fatalf("%s is in the pool from %s, before its launch on %s", p.Code, p.Listing.PoolFrom, p.Terms.LaunchedOn)
	}
	if p.ParentCode != "" && w.products[p.ParentCode].ParentCode != p.ParentCode {
		// The parent is the first class; the last fund of the pool may have been cut short
		// after it, never before it.
		t.Fatalf("%s has parent %s, which is no product", p.Code, p.ParentCode)
	}
	if p.Class() == fund.ClassUnknown {
		t.Fatalf("%s: type %q has no class", p.Code, p.Type)
	}
	if len(p.Fees.Subscription) == 0 || len(p.Fees.Redemption) == 0 {
		t.Fatalf("%s has no fee ladders", p.Code)
	}
}

func (w *witness) navs(code string, navs []fund.NAV) {
	p := w.products[code]
	if p.Listing.Status == fund.Subscription || p.Listing.Kind.HasEntryConditions() {
		w.t.Fatalf("%s is %s %s and has values", code, p.Listing.Status, p.Listing.Kind)
	}
	before := p.Terms.LaunchedOn
	for _, nav := range navs {
		if nav.Date <= before || nav.Date >= w.asOf || !w.open[nav.Date] {
			w.t.Fatalf("%s: value of %s, after %s, as of %s, open %v", code, nav.Date, before, w.asOf, w.open[nav.Date])
		}
		if nav.Unit <= 0 || nav.Accum < nav.Unit {
			w.t.Fatalf("%s: unit %.4f, accumulated %.4f", code, nav.Unit, nav.Accum)
		}
		before = nav.Date
	}
}

func (w *witness) customer(r *Record) {
	t, c := w.t, &r.Customer
	if err := fund.CheckID(c.CustomerID); err != nil {
		t.Fatal(err)
	}
	if !w.branches[c.Person.BranchID] || c.Person.ManagerID != "" && w.managers[c.Person.ManagerID] != c.Person.BranchID {
		t.Fatalf("%s: manager %s, branch %s", c.CustomerID, c.Person.ManagerID, c.Person.BranchID)
	}
	if c.Level.AssessedOn >= w.asOf || c.Person.BirthDate >= w.asOf {
		t.Fatalf("%s: assessed on %s, born on %s", c.CustomerID, c.Level.AssessedOn, c.Person.BirthDate)
	}
	w.assessments(r)
	for i := range r.Consents {
		w.instant(r.Consents[i].EventAt)
	}
	for i := range r.Tags {
		w.instant(r.Tags[i].EventAt)
		w.instant(max(r.Tags[i].KnownAt, r.Tags[i].EventAt))
	}
	for i := range r.Interactions {
		w.interaction(&r.Interactions[i])
	}
	w.lockups(r.Interactions)
	w.holdings(r)
	w.events(r.Events)
}

// assessments checks that they rise in time and that the newest is the customer's level.
func (w *witness) assessments(r *Record) {
	var last dataset.AssessmentRow
	for _, a := range r.Assessments {
		w.instant(a.AssessedAt)
		if a.AssessedAt <= last.AssessedAt {
			w.t.Fatalf("%s: assessed at %s after %s", a.CustomerID, a.AssessedAt, last.AssessedAt)
		}
		last = a
	}
	l := r.Customer.Level
	if l.IsAssessment() != (len(r.Assessments) > 0) || l.IsAssessment() && (l.Level != last.Level || l.AssessedOn != last.AssessedAt.Date()) {
		w.t.Fatalf("%s: level %+v, last assessment %+v", r.Customer.CustomerID, l, last)
	}
}

func (w *witness) instant(i fund.Instant) {
	if i <= 0 || i >= w.asOf.Start() {
		w.t.Fatalf("%s is not before %s", i, w.asOf)
	}
}

func (w *witness) interaction(x *features.CustomerPurchase) {
	p := w.products[x.ProductCode]
	if x.KnownOn >= w.asOf || !w.open[x.KnownOn] || x.KnownOn < p.Terms.LaunchedOn || x.KnownOn < p.Listing.PoolFrom {
		w.t.Fatalf("%s %s %s on %s, as of %s", x.CustomerID, x.Kind, x.ProductCode, x.KnownOn, w.asOf)
	}
	if x.Kind == buyKind && p.Listing.PoolTo != 0 && x.KnownOn >= p.Listing.PoolTo {
		w.t.Fatalf("%s bought %s on %s, out of the pool since %s", x.CustomerID, x.ProductCode, x.KnownOn, p.Listing.PoolTo)
	}
	if x.Amount <= 0 || x.Kind == buyKind && x.Amount < p.Terms.MinPurchase {
		w.t.Fatalf("%s %s %d fen of %s, minimum %d", x.CustomerID, x.Kind, x.Amount, x.ProductCode, p.Terms.MinPurchase)
	}
	if p.Listing.Kind.HasEntryConditions() {
		w.t.Fatalf("%s bought %s, which is %s", x.CustomerID, x.ProductCode, p.Listing.Kind)
	}
}

// lockups checks that what was bought once is not sold before its lockup ends.
func (w *witness) lockups(interactions []features.CustomerPurchase) {
	first := map[string]fund.Date{}
	for _, x := range interactions {
		switch day, bought := first[x.ProductCode]; {
		case x.Kind == buyKind && !bought:
			first[x.ProductCode] = x.KnownOn
		case x.Kind == redeemKind && !bought:
			w.t.Fatalf("%s sold %s on %s, which he never bought", x.CustomerID, x.ProductCode, x.KnownOn)
		case x.Kind == redeemKind && x.KnownOn.DaysSince(day) < int(w.products[x.ProductCode].Terms.LockupDays):
			w.t.Fatalf("%s sold %s of %s on %s, within its lockup", x.CustomerID, x.ProductCode, day, x.KnownOn)
		}
	}
}

// holdings checks that every lot was bought, and that nobody bought without a valid
// assessment.
func (w *witness) holdings(r *Record) {
	bought := map[string]bool{}
	for _, x := range r.Interactions {
		if x.Kind != buyKind {
			continue
		}
		bought[x.ProductCode+x.KnownOn.String()] = true
		valid := false
		for _, a := range r.Assessments {
			on := a.AssessedAt.Date()
			valid = valid || on <= x.KnownOn && x.KnownOn < on.AddMonths(12)
		}
		if !valid {
			w.t.Fatalf("%s bought on %s without a valid assessment", x.CustomerID, x.KnownOn)
		}
	}
	for _, h := range r.Holdings {
		if h.Shares <= 0 || h.Cost <= 0 || !bought[h.ProductCode+h.AcquiredOn.String()] {
			w.t.Fatalf("%s holds %d of %s from %s", h.CustomerID, h.Shares, h.ProductCode, h.AcquiredOn)
		}
	}
}

// told checks that an event of a kind that tells something tells it.
func (w *witness) told(e *features.Event) {
	entry, ok := e.Entry()
	missing := !ok
	switch entry.Kind {
	case fund.DetailView:
		missing = entry.About == "" || entry.Dwell == 0
	case fund.ObjectionRaised, fund.Refusal, fund.Complaint:
		missing = entry.About == ""
	case fund.Redeem:
		missing = entry.Amount == 0 || entry.Cost == 0
	case fund.OrderStart, fund.OrderConfirm, fund.OrderAbandon:
		missing = entry.Amount == 0
	default:
	}
	if missing || entry.Until != 0 && entry.Until <= e.EventAt.Date() {
		w.t.Fatalf("%s, a %s, tells %q: %+v", e.ID, e.Kind, e.Attributes, entry)
	}
}

// events checks that they are in time, about products that were there, and that what
// ends an order follows what began it.
func (w *witness) events(events []features.Event) {
	var last fund.Instant
	started := map[string]bool{}
	for _, e := range events {
		w.instant(e.EventAt)
		if e.EventAt < last {
			w.t.Fatalf("%s at %s after %s", e.ID, e.EventAt, last)
		}
		last = e.EventAt
		ofAny := e.Kind == "REFUSAL" && e.ProductCode == ""
		if p := w.products[e.ProductCode]; !ofAny && (p.Code == "" || e.EventAt.Date() < p.Terms.LaunchedOn) {
			w.t.Fatalf("%s at %s about %q of %s", e.ID, e.EventAt, e.ProductCode, p.Terms.LaunchedOn)
		}
		if err := e.CheckAttributes(); err != nil {
			w.t.Fatalf("%s: %v", e.ID, err)
		}
		w.told(&e)
		switch e.Kind {
		case "ORDER_START":
			started[e.ProductCode] = true
		case "ORDER_CONFIRM", "ORDER_ABANDON":
			if !started[e.ProductCode] {
				w.t.Fatalf("%s: %s without a start", e.ID, e.Kind)
			}
		}
	}
}

func TestACustomerDependsOnHisIndexAlone(t *testing.T) {
	b := smallBank(t)
	forwards := make([]*Record, b.Customers())
	for i := range forwards {
		forwards[i] = b.Customer(i)
	}
	for i := b.Customers() - 1; i >= 0; i-- {
		mustEqual(t, b.Customer(i), forwards[i])
	}
}

func TestStyleAndFeeTablesAreWhole(t *testing.T) {
	classes := map[styleID]fund.Class{
		moneyStyle: fund.MoneyMarket, shortBondStyle: fund.ShortBond, longBondStyle: fund.Bond, mixedBondStyle: fund.MixedBond,
		bondTiltStyle: fund.MixedBond, balancedStyle: fund.Balanced, flexibleStyle: fund.Balanced, stockTiltStyle: fund.Equity,
		stockStyle: fund.Equity, indexStyle: fund.Index, fofStyle: fund.FundOfFunds, overseasStyle: fund.OverseasFund,
		commodityStyle: fund.Commodity, propertyStyle: fund.RealEstate, ownStyle: fund.ShortBond,
	}
	for id, want := range classes {
		p := fund.Product{Type: styles[id].typ}
		if got := p.Class(); got != want {
			t.Errorf("type %s is of class %s, expected %s", p.Type, got, want)
		}
	}
	for _, ladder := range []string{ladderF02, ladderWeek, ladderFree, ladderUnder} {
		if got := fund.FormatRedemptionLadder(mustRedemption(ladder)); got != ladder {
			t.Errorf("ladder %q reads as %q", ladder, got)
		}
	}
	for goal, appetite := range appetites {
		total := 0.0
		for _, w := range appetite {
			total += w
		}
		if fund.Goal(goal) != fund.GoalUnknown && total != 100 {
			t.Errorf("the appetites of %s sum to %v, expected 100", fund.Goal(goal), total)
		}
	}
}

func TestAnchorsHaveTheirCodes(t *testing.T) {
	for _, seed := range []uint64{1, 99} {
		b := generate(t, Options{Customers: 1, Products: MinProducts, Seed: seed, AsOf: asOf})
		got := products(b)
		if len(got) != MinProducts {
			t.Fatalf("%d products, expected the %d anchors", len(got), MinProducts)
		}
		for _, c := range []struct {
			code string
			is   func(p fund.Product) bool
		}{
			{AnchorMoney, func(p fund.Product) bool { return p.Class() == fund.MoneyMarket && p.Grades.Effective() == fund.R1 }},
			{AnchorShortBond, func(p fund.Product) bool { return p.Class() == fund.ShortBond && p.ShareClass == "A" }},
			{AnchorLimited, func(p fund.Product) bool { return p.Listing.Status == fund.Limited && p.Terms.DayLimit > 0 }},
			{AnchorIssuerGrade, func(p fund.Product) bool { return p.Grades.Issuer > p.Grades.Bank }},
			{AnchorLockup, func(p fund.Product) bool { return p.Terms.LockupDays == 180 }},
			{AnchorBalanced, func(p fund.Product) bool { return p.Class() == fund.Balanced }},
			{AnchorRetirement, func(p fund.Product) bool { return p.Class() == fund.FundOfFunds }},
			{"900010", func(p fund.Product) bool {
				return p.Listing.Kind == fund.PensionFund && p.ParentCode == AnchorRetirement
			}},
			{AnchorConsumer, func(p fund.Product) bool { return p.Class() == fund.Equity && p.Grades.Bank == fund.R4 }},
			{AnchorSlump, func(p fund.Product) bool { return p.Content.Themes[0] == themes[slumpTheme].name }},
			{AnchorIndex, func(p fund.Product) bool { return p.Class() == fund.Index }},
			{AnchorOverseas, func(p fund.Product) bool { return p.Grades.Effective() == fund.R5 }},
			{AnchorNewIssue, func(p fund.Product) bool {
				return p.Listing.Status == fund.Subscription && p.Terms.ClosedUntil > asOf
			}},
			{AnchorInterval, func(p fund.Product) bool { return p.Listing.Status == fund.Closed && p.Terms.NextOpenOn > asOf }},
			{AnchorSuspended, func(p fund.Product) bool {
				return p.Listing.Status == fund.Suspended && p.Listing.DueDiligenceID == ""
			}},
			{AnchorOwn, func(p fund.Product) bool { return p.Listing.Kind == fund.OwnProduct }},
			{AnchorPrivate, func(p fund.Product) bool { return p.Listing.Kind == fund.PrivateFund }},
		} {
			if p, ok := got[c.code]; !ok || !c.is(p) {
				t.Errorf("seed %d: %s is not the anchor that it is said to be: %+v", seed, c.code, p)
			}
		}
	}
}

// Rules F01 and F02 find the three products that are made for them, and nothing else that a
// bank lists in the year in which old funds keep their fees.
func TestOnlyThreeProductsBreakTheFeeRules(t *testing.T) {
	entry := map[fund.Class]fund.BasisPoints{fund.ShortBond: 30, fund.Bond: 30, fund.MixedBond: 50, fund.Balanced: 50, fund.FundOfFunds: 50, fund.Index: 30}
	service := map[fund.Class]fund.BasisPoints{fund.MoneyMarket: 25, fund.ShortBond: 20, fund.Bond: 20, fund.Index: 20}
	weekOnly := map[fund.Class]bool{fund.Index: true, fund.Bond: true, fund.ShortBond: true, fund.MixedBond: true}
	or := func(m map[fund.Class]fund.BasisPoints, c fund.Class, other fund.BasisPoints) fund.BasisPoints {
		if bps, ok := m[c]; ok {
			return bps
		}
		return other
	}
	for seed := range uint64(6) {
		b := generate(t, Options{Customers: 1, Products: 400, Seed: seed + 1, AsOf: 20261122})
		var broken []string
		for p := range b.Products() {
			class, fees := p.Class(), &p.Fees
			public := p.Listing.Kind == fund.PublicFund || p.Listing.Kind == fund.PensionFund
			if !public || p.Terms.LaunchedOn < feeRulesFrom {
				continue
			}
			exit := class == fund.MoneyMarket || fees.ExitRate(6) >= 150 &&
				(weekOnly[class] || fees.ExitRate(29) >= 100 && fees.ExitRate(179) >= 50)
			if fees.Subscription[0].Rate > or(entry, class, 80) || fees.Service > or(service, class, 40) || !exit {
				broken = append(broken, p.Code)
			}
		}
		if want := []string{AnchorEntryAbove, AnchorExitBelow, AnchorServiceAbove}; !slices.Equal(broken, want) {
			t.Errorf("seed %d: %v break F01 or F02, expected %v", seed+1, broken, want)
		}
	}
}

// All managers but one may sell, and customers are with a manager of their own branch.
func TestManagersAreLicensedButOne(t *testing.T) {
	b := smallBank(t)
	branch := map[string]string{}
	for _, m := range b.Managers() {
		branch[m.ID] = m.BranchID
		if valid := m.LicenceID != "" && m.LicenceUntil > asOf; valid != (m.ID != "M00003") {
			t.Errorf("%s: licence %q until %s", m.ID, m.LicenceID, m.LicenceUntil)
		}
	}
	for i := range b.Customers() {
		person := b.Customer(i).Customer.Person
		if person.ManagerID != "" && branch[person.ManagerID] != person.BranchID {
			t.Errorf("customer %d: manager %s is of %s, he of %s", i, person.ManagerID, branch[person.ManagerID], person.BranchID)
		}
	}
}
