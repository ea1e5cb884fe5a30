package synthetic

import "github.com/fundmatch/fundmatch/matcher/fund"

// The codes of the anchor products, the same in every bank: examples, story customers
// and golden tests name them.
const (
	AnchorMoney       = "900001" // money fund, A; B is 900002
	AnchorShortBond   = "900003" // short bonds, A; C is 900004
	AnchorLimited     = "900005" // bonds, LIMITED to 1,000 yuan a day
	AnchorIssuerGrade = "900006" // mixed bonds; the issuer's grade is above the bank's
	AnchorLockup      = "900007" // 180 days of holding
	AnchorBalanced    = "900008"
	AnchorRetirement  = "900009" // fund of funds, A; Y, for pension accounts, is 900010
	AnchorConsumer    = "900011" // equities, A; C is 900012
	AnchorSlump       = "900013" // the theme that has fallen for 18 months
	AnchorIndex       = "900014"
	AnchorOverseas    = "900015" // R5
	AnchorNewIssue    = "900016" // in subscription for twenty days: no values
	AnchorInterval    = "900017" // CLOSED, opens in 40 days
	AnchorSuspended   = "900018" // SUSPENDED, a gap in its values, no due diligence on file
	AnchorOwn         = "W90001"
	AnchorPrivate     = "S90001" // must never be admitted
)

// The codes of the products that show the rules on fees and entry conditions, in banks of
// MinProducts+len(ruled) products and more.
const (
	AnchorEntryAbove   = "900901" // F01: an entry fee above the cap
	AnchorExitBelow    = "900902" // F02: a redemption fee below the floor
	AnchorServiceAbove = "900903" // F01: a service fee above the cap; C alone
	AnchorTrust        = "T90901" // P01: for qualified investors, from 300,000 yuan
)

// anchor is a fund that every bank lists, whatever its seed.
type anchor struct {
	style   styleID
	theme   int
	grade   fund.RiskGrade
	classes []string
	adjust  func(d *draft, asOf fund.Date) // nil: an open fund as most are
}

// broadTheme is the index of the theme that is the market itself.
const broadTheme = len(themes) - 1

// anchors list MinProducts share classes, in the order of the codes above.
var anchors = [...]anchor{
	{moneyStyle, -1, fund.R1, []string{"A", "B"}, nil},
	{shortBondStyle, -1, fund.R2, []string{"A", "C"}, nil},
	{longBondStyle, -1, fund.R2, []string{""}, func(d *draft, _ fund.Date) {
		d.listing.Status, d.terms.DayLimit = fund.Limited, 100_000
	}},
	{mixedBondStyle, -1, fund.R2, []string{""}, func(d *draft, _ fund.Date) { d.grades.Issuer = fund.R3 }},
	{bondTiltStyle, -1, fund.R3, []string{""}, func(d *draft, _ fund.Date) { d.terms.LockupDays = 180 }},
	{balancedStyle, -1, fund.R3, []string{""}, nil},
	{fofStyle, -1, fund.R3, []string{"A", "Y"}, nil},
	{stockTiltStyle, 3, fund.R4, []string{"A", "C"}, nil},
	{stockStyle, slumpTheme, fund.R4, []string{""}, nil},
	{indexStyle, broadTheme, fund.R4, []string{""}, nil},
	{overseasStyle, -1, fund.R5, []string{""}, nil},
	{stockTiltStyle, 1, fund.R4, []string{""}, func(d *draft, asOf fund.Date) {
		d.stage, d.listing.Status = inLaunch, fund.Subscription
		// Longer ago than the longest holiday, so that it could be bought on some day.
		d.terms.LaunchedOn, d.terms.ClosedUntil = asOf.AddDays(-20), asOf.AddDays(60)
	}},
	{longBondStyle, -1, fund.R2, []string{""}, func(d *draft, asOf fund.Date) {
		d.listing.Status, d.terms.LockupDays, d.terms.NextOpenOn = fund.Closed, 92, asOf.AddDays(40)
	}},
	{flexibleStyle, 2, fund.R4, []string{""}, func(d *draft, _ fund.Date) {
		d.listing.Status, d.listing.DueDiligenceID = fund.Suspended, ""
	}},
	{ownStyle, -1, fund.R2, []string{""}, func(d *draft, _ fund.Date) { d.terms.MinPurchase = 100_000 }},
	{privateStyle, -1, fund.R5, []string{""}, func(d *draft, _ fund.Date) { d.terms.MinPurchase = 100_000_000 }},
}

// ruled are listed after all others, one share class each, so that no other product is
// drawn otherwise for them.
var ruled = [...]struct {
	code string
	anchor
}{
	{AnchorEntryAbove, anchor{stockTiltStyle, 4, fund.R4, []string{""}, func(d *draft, asOf fund.Date) {
		d.terms.LaunchedOn, d.money.entry = underFeeRules(asOf), entryBefore2026
	}}},
	{AnchorExitBelow, anchor{balancedStyle, -1, fund.R3, []string{""}, func(d *draft, asOf fund.Date) {
		d.terms.LaunchedOn, d.money.exit = underFeeRules(asOf), ladderUnder
	}}},
	{AnchorServiceAbove, anchor{flexibleStyle, 2, fund.R3, []string{"C"}, func(d *draft, asOf fund.Date) {
		d.terms.LaunchedOn, d.money.service = underFeeRules(asOf), 60
	}}},
	{AnchorTrust, anchor{trustStyle, -1, fund.R4, []string{""}, func(d *draft, _ fund.Date) {
		d.terms.MinPurchase = 30_000_000
	}}},
}

// underFeeRules returns a launch day to which the fee rules apply, where the bank is late
// enough for one.
func underFeeRules(asOf fund.Date) fund.Date {
	const days, least = 200, 60
	if day := max(asOf.AddDays(-days), feeRulesFrom); day <= asOf.AddDays(-least) {
		return day
	}
	return asOf.AddDays(-days)
}

// addRuled lists the i-th of ruled.
func (b *poolBuilder) addRuled(i int) {
	b.addAnchorFund(&ruled[i].anchor, newStream(b.opts.Seed, fundStream, -1-len(anchors)-i))
	b.listings[len(b.listings)-1].product.Code = ruled[i].code
}

// addAnchor lists the i-th anchor fund.
func (b *poolBuilder) addAnchor(i int) {
	b.addAnchorFund(&anchors[i], newStream(b.opts.Seed, fundStream, -1-i))
}

func (b *poolBuilder) addAnchorFund(a *anchor, s stream) {
	asOf, st := b.opts.AsOf, &styles[a.style]
	launched := asOf.AddDays(-historyDays - 400)
	d := &draft{style: a.style, theme: a.theme, classes: a.classes, grades: fund.Grades{Bank: a.grade, Issuer: a.grade}}
	d.issuerStem, d.issuer = drawIssuer(s, st.kind)
	d.listing = fund.Listing{Kind: st.kind, Status: fund.Open, DueDiligenceID: "DD-DEMO-" + st.kind.String()[:3], KeyFactsVersion: "1"}
	d.terms = fund.Terms{LaunchedOn: launched, MinPurchase: 1_000}
	d.money = fundMoney{entry: st.fees.entry, service: st.fees.service, exit: st.fees.exit, size: 300_000_000_000}
	d.people = fundPeople{manager: choose(s, surnames[:]) + choose(s, givenNames[:]), since: asOf.AddDays(-900)}
	if a.adjust != nil {
		a.adjust(d, asOf)
	}
	d.listing.PoolFrom = d.terms.LaunchedOn
	d.people.since = max(d.people.since, d.terms.LaunchedOn)
	b.list(d, s)
}
