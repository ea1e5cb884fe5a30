package synthetic

import "github.com/fundmatch/fundmatch/matcher/fund"

// appetites say which styles a goal leads to; the level decides what of them may be
// sold. This is the signal that a matcher can find.
var appetites = [fund.Goals][styleCount]float64{
	fund.Cash:         {moneyStyle: 62, shortBondStyle: 16, ownStyle: 16, longBondStyle: 3, mixedBondStyle: 1, indexStyle: 1, stockTiltStyle: 1},
	fund.SteadyIncome: {moneyStyle: 10, shortBondStyle: 20, longBondStyle: 22, mixedBondStyle: 15, bondTiltStyle: 12, ownStyle: 12, propertyStyle: 4, stockTiltStyle: 3, indexStyle: 2},
	fund.Growth:       {moneyStyle: 4, mixedBondStyle: 3, flexibleStyle: 11, stockTiltStyle: 29, stockStyle: 16, indexStyle: 22, overseasStyle: 11, balancedStyle: 3, commodityStyle: 1},
	fund.Education:    {moneyStyle: 5, mixedBondStyle: 16, bondTiltStyle: 20, balancedStyle: 17, flexibleStyle: 10, indexStyle: 20, stockTiltStyle: 9, longBondStyle: 3},
	fund.Retirement:   {moneyStyle: 4, fofStyle: 32, bondTiltStyle: 16, balancedStyle: 13, indexStyle: 10, stockTiltStyle: 12, longBondStyle: 8, mixedBondStyle: 5},
	fund.Inflation:    {moneyStyle: 7, commodityStyle: 17, propertyStyle: 11, mixedBondStyle: 16, bondTiltStyle: 18, balancedStyle: 11, flexibleStyle: 8, fofStyle: 5, overseasStyle: 4, longBondStyle: 3},
	fund.House:        {moneyStyle: 30, shortBondStyle: 34, longBondStyle: 18, ownStyle: 14, mixedBondStyle: 3, stockTiltStyle: 1},
	fund.TaxDeferredPension: {
		fofStyle: 85, bondTiltStyle: 5, indexStyle: 6, longBondStyle: 4,
	},
	fund.Treasury: {moneyStyle: 55, shortBondStyle: 25, ownStyle: 18, longBondStyle: 2},
}

// triesAChoice bounds the search for a product that fits.
const triesAChoice = 14

// choose returns the listing that the customer takes on a day, -1 when he finds none:
// a style by his goal among those that his level allows, then a product of it by
// popularity, preferring the theme that he likes and the issuer that he trusts.
func (l *life) choose(day int) int {
	weights := appetites[l.persona.goal]
	for i := range weights {
		if styleFloor(styleID(i)) > fund.RiskGrade(l.level) {
			weights[i] = 0
		}
	}
	style := l.s.pick(weights[:])
	if style < 0 {
		style = int(moneyStyle)
	}
	shelf := &l.bank.pool.byStyle[style]
	for range triesAChoice {
		i := shelf.pick(l.s)
		if i < 0 {
			return -1
		}
		if listing := l.bank.pool.listings[i]; l.fits(listing, day) && l.likes(listing) {
			return i
		}
	}
	return -1
}

// styleFloor is the lowest grade that funds of a style have.
func styleFloor(id styleID) fund.RiskGrade {
	for i, w := range styles[id].grades {
		if w > 0 {
			return fund.R1 + fund.RiskGrade(i)
		}
	}
	return fund.R5
}

// insistence is how often a customer takes what is above his level, on his own wish and
// after a warning (rule S03); the lowest class never can (S01).
const insistence = 0.03

// fits reports whether the bank would have sold the product to the customer on a day.
func (l *life) fits(listing *listing, day int) bool {
	m, p := l.bank.market, &listing.product
	if !listing.sellable(m.days[day]) || l.bank.pool.priceOn(listing, day) == 0 {
		return false
	}
	if p.Listing.Kind == fund.PensionFund && l.persona.goal != fund.TaxDeferredPension {
		return false
	}
	if p.Terms.MinPurchase > l.record.Customer.Person.AUM {
		return false
	}
	if p.Grades.Effective() <= fund.RiskGrade(l.level) {
		return true
	}
	return l.isAdultPerson() && l.level > fund.C1 && l.s.chance(insistence)
}

// likes reports whether the customer takes a product that he may have.
func (l *life) likes(listing *listing) bool {
	p, terms := &l.persona, &listing.product.Terms
	if int(terms.LockupDays) > p.horizon*30 && !l.s.chance(0.05) {
		return false
	}
	if p.need == fund.NeedHigh && terms.LockupDays > 0 && !l.s.chance(0.1) {
		return false
	}
	if listing.theme >= 0 && p.theme >= 0 && listing.theme != p.theme && !l.s.chance(0.12) {
		return false
	}
	if listing.product.ShareClass == "A" && p.horizon < 9 && !l.s.chance(0.5) {
		return false
	}
	if listing.product.Parties.Issuer != issuers[p.issuer]+"基金" && listing.product.Listing.Kind == fund.PublicFund {
		return l.s.chance(0.4)
	}
	return true
}

// amount is what the customer puts in: a part of his assets, smaller in what is riskier,
// never less than the minimum.
func (l *life) amount(choice int) fund.Money {
	p := &l.bank.pool.listings[choice].product
	part := l.s.within(0.04, 0.30)
	if p.Grades.Bank >= fund.R4 {
		part *= 0.6
	}
	aum := l.record.Customer.Person.AUM
	amount := fund.Money(float64(part*float64(aum))) / 10_000 * 10_000
	return min(max(amount, p.Terms.MinPurchase, 10_000), max(aum, p.Terms.MinPurchase))
}

// newIssueDays is how long after its launch a fund is pushed as a new issue.
const newIssueDays = 25

// chaseNewIssue buys what the manager pushes: a fund in subscription, whatever the
// customer hopes for, often paid by redeeming an old one (赎旧买新). This is the
// malpractice that fundmatch is there to end.
func (l *life) chaseNewIssue(day int) bool {
	choice := l.pushed(day)
	if choice < 0 {
		return false
	}
	if len(l.lots) > 0 && l.s.chance(0.6) {
		l.redeem(0, day, "SWITCH")
	}
	l.contact(l.bank.pool.listings[choice], day)
	return l.buy(choice, day, l.amount(choice), "BRANCH")
}

// pushed returns a fund in subscription on a day that may be sold to the customer, -1
// when there is none.
func (l *life) pushed(day int) int {
	pool, date := l.bank.pool, l.bank.market.days[day]
	launched := pool.launchedWithin(date.AddDays(-newIssueDays), date.AddDays(1))
	if len(launched) == 0 {
		return -1
	}
	first := l.s.intn(len(launched))
	for i := range launched {
		choice := launched[(first+i)%len(launched)]
		listing := pool.listings[choice]
		if day < listing.path.first && listing.product.Listing.Kind != fund.PensionFund && l.fits(listing, day) {
			return choice
		}
	}
	return -1
}
