package synthetic

import (
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// product writes out one share class of a draft.
func (d *draft) product(class, code string) fund.Product {
	st := &styles[d.style]
	p := fund.Product{
		Code: code, Name: d.name + class, Type: st.typ, ShareClass: class,
		Parties: fund.Parties{
			Issuer: d.issuer, ManagerName: d.people.manager, ManagerSince: d.people.since, Size: d.money.size,
		},
		Grades: d.grades, Listing: d.listing, Terms: d.terms,
		Fees:    d.schedule(class, st),
		Content: d.content(class, st),
	}
	if d.stage == inLaunch {
		p.Parties.Size = 0
	}
	switch class {
	case "B":
		p.Terms.MinPurchase = 500_000_000 // five million yuan
	case "Y":
		p.Listing.Kind = fund.PensionFund
		p.Parties.Size /= 20
	case "C":
		p.Parties.Size /= 3
	}
	p.Missing = missing(&p)
	return p
}

// schedule returns the fees of a share class: A pays at entry, C while it is held, Y
// half of the running fees and nothing else.
func (d *draft) schedule(class string, st *style) fund.FeeSchedule {
	f := fund.FeeSchedule{
		DiscountPct: d.money.discount, Management: st.fees.management, Custody: st.fees.custody,
		Redemption: mustRedemption(d.money.exit),
		// Zero below every amount: the class has no entry fee, which is not the same as an
		// unknown one.
		Subscription: []fund.SubscriptionTier{{}},
	}
	switch {
	case class == "C":
		f.Service, f.DiscountPct = d.money.service, 0
		return f
	case class == "B":
		f.Service, f.DiscountPct = 1, 0
		return f
	case class == "Y":
		f.Management, f.Custody = f.Management/2, f.Custody/2
	case d.style == moneyStyle || d.style == ownStyle:
		f.Service, f.DiscountPct = d.money.service, 0
	}
	if entry := d.money.entry; entry > 0 {
		f.Subscription = []fund.SubscriptionTier{
			{Below: 100_000_000, Rate: entry},          // one million yuan
			{Below: 300_000_000, Rate: entry * 6 / 10}, // three million
			{Below: 500_000_000, Rate: entry * 3 / 10}, // five million
			{Fixed: 100_000},                           // a thousand yuan
		}
	}
	return f
}

// mustRedemption reads one of the package's own ladders; a test reads them all.
func mustRedemption(ladder string) []fund.RedemptionTier {
	tiers, err := fund.ParseRedemptionLadder(ladder)
	if err != nil {
		return nil
	}
	return tiers
}

// benchmarks by style; a theme's name stands before an equity index.
var benchmarks = map[styleID]string{
	moneyStyle: "活期存款利率（税后）", shortBondStyle: "中短期债券指数收益率", longBondStyle: "综合债券指数收益率",
	mixedBondStyle: "综合债券指数收益率*90%+股票指数收益率*10%", bondTiltStyle: "综合债券指数收益率*80%+股票指数收益率*20%",
	balancedStyle: "股票指数收益率*50%+综合债券指数收益率*50%", flexibleStyle: "股票指数收益率*60%+综合债券指数收益率*40%",
	stockTiltStyle: "股票指数收益率*85%+综合债券指数收益率*15%", stockStyle: "股票指数收益率*95%+活期存款利率（税后）*5%",
	indexStyle: "股票指数收益率*95%+活期存款利率（税后）*5%", fofStyle: "股票指数收益率*35%+综合债券指数收益率*65%",
	overseasStyle: "全球股票指数收益率（人民币）", commodityStyle: "黄金现货合约收益率*95%+活期存款利率（税后）*5%",
}

// content says what the share class is for and about.
func (d *draft) content(class string, st *style) fund.Content {
	c := fund.Content{Goals: fund.SetOf(st.goals), Benchmark: benchmarks[d.style]}
	if class == "Y" {
		c.Goals = fund.SetOf([]fund.Goal{fund.TaxDeferredPension, fund.Retirement})
	}
	if d.theme >= 0 {
		c.Themes = []string{themes[d.theme].name}
		c.Benchmark = themes[d.theme].name + c.Benchmark
		return c
	}
	switch d.style {
	case overseasStyle:
		c.Themes = []string{"海外"}
	case commodityStyle:
		c.Themes = []string{"黄金"}
	case fofStyle:
		c.Themes = []string{"养老"}
	case propertyStyle:
		c.Themes = []string{"基础设施"}
	default: // bonds, cash and balanced funds are about no theme
	}
	return c
}

// missing names the facts that the row leaves empty, as the reader of products.csv does.
func missing(p *fund.Product) fund.FieldSet {
	var s fund.FieldSet
	for _, f := range []struct {
		field  fund.Field
		absent bool
	}{
		{fund.FieldIssuerGrade, p.Grades.Issuer == fund.GradeUnknown},
		{fund.FieldPoolPeriod, p.Listing.PoolFrom == 0 && p.Listing.PoolTo == 0},
		{fund.FieldDayLimit, p.Terms.DayLimit == 0},
		{fund.FieldNextOpen, p.Terms.NextOpenOn == 0},
		{fund.FieldThemes, len(p.Content.Themes) == 0},
		{fund.FieldGoals, p.Content.Goals == 0},
	} {
		if f.absent {
			s = s.With(f.field)
		}
	}
	return s
}

// fundPath draws what the share classes of a draft have in common; nil for what
// publishes no value.
func (m *market) fundPath(seed uint64, index int, d *draft, st *style) *fundPath {
	if d.stage == inLaunch || st.kind == fund.PrivateFund || st.kind == fund.Trust {
		return nil
	}
	s := newStream(seed, pathStream, index)
	f := &fundPath{start: 1, isMoney: d.style == moneyStyle, weekly: d.stage == closedPeriod}
	if d.terms.LaunchedOn >= m.days[0] {
		f.first = indexOnOrAfter(m.days, d.terms.LaunchedOn.AddDays(s.between(12, 24)))
	} else if !f.isMoney {
		f.start = s.within(0.85, 2.2)
	}
	if !f.isMoney && d.stage == established {
		f.pays, f.payDay = s.chance(0.18), s.intn(12*31)
		if d.listing.Status == fund.Suspended || d.listing.Status == fund.Limited && s.chance(0.15) {
			f.hide(s, len(m.days))
		}
	}
	load := st.load
	load.carry += float64(s.normal() * 4 * load.noise) // some managers are better than others
	f.returns = m.grossReturns(s, load, d.theme, f.first)
	return f
}

// hide takes out 26 to 60 trading days, more than 31 days, somewhere in the past year.
func (f *fundPath) hide(s stream, days int) {
	length := s.between(26, 60)
	from := days - s.between(length+30, yearDays)
	if from > f.first {
		f.hidden = [2]int{from, from + length}
	}
}
