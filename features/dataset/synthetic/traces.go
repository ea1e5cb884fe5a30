package synthetic

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/dataset"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// at returns an instant of a day: minutes and seconds after midnight.
func at(date fund.Date, minute, second int) fund.Instant {
	return date.Start() + fund.Instant(minute*60+second)*1_000_000
}

// seconds returns an instant a little later.
func seconds(i fund.Instant, n int) fund.Instant { return i + fund.Instant(n)*1_000_000 }

// event records what the customer did, about no product when that is nil. Ids are given
// when the record is settled.
func (l *life) event(kind string, about *listing, when fund.Instant, channel, attributes string) {
	e := features.Event{CustomerID: l.record.Customer.CustomerID, Kind: kind, EventAt: when, Channel: channel, Attributes: attributes}
	if about != nil {
		e.ProductCode = about.product.Code
	}
	l.record.Events = append(l.record.Events, e)
}

// eventDays is how far back the app's own log of events goes; redemptions and
// complaints are kept from the beginning.
const eventDays = 270

func (l *life) isLogged(day int) bool {
	return l.bank.market.days[day] >= l.bank.opts.AsOf.AddDays(-eventDays)
}

// traceOrder records the way to a purchase: exposed, looked at, perhaps doubted,
// ordered before 15:00 of the day.
func (l *life) traceOrder(about *listing, day int, amount fund.Money, channel string) {
	if !l.isLogged(day) {
		return
	}
	when := at(l.bank.market.days[day], l.s.between(9*60+30, 14*60+30), l.s.intn(60))
	start := l.view(about, seconds(when, -l.s.between(120, 900)), channel)
	if l.s.chance(0.25) {
		l.event("OBJECTION", about, seconds(start, 20), channel, `{"objection":"`+l.doubt(about)+`"}`)
		start = seconds(start, 60)
	}
	attributes := fmt.Sprintf(`{"amount_fen":%d}`, amount)
	start = max(start, when)
	l.event("ORDER_START", about, start, channel, attributes)
	l.event("ORDER_CONFIRM", about, seconds(start, l.s.between(20, 240)), channel, attributes)
}

// view records an exposure that is followed to the product's page, and returns when the
// page was left.
func (l *life) view(about *listing, when fund.Instant, channel string) fund.Instant {
	dwell := l.s.between(5, 90)
	l.event("EXPOSURE", about, when, channel, "")
	l.event("CLICK", about, seconds(when, 4), channel, "")
	l.event("DETAIL_VIEW", about, seconds(when, 6), channel, fmt.Sprintf(`{"page":%q,"dwell_seconds":%d}`, l.page(), dwell))
	return seconds(when, 6+dwell)
}

// page draws what of a product's page was read: the fearful read about the risk.
func (l *life) page() string {
	fear := l.persona.fear
	pages := [...]string{"OVERVIEW", "PERFORMANCE", "RISK", "FEE", "COMPARE"}
	return pages[l.detail.pick([]float64{0.4, 0.3 * (1 - fear), 0.1 + float64(0.3*fear), 0.12, 0.08})]
}

// contact records that the manager spoke of a product.
func (l *life) contact(about *listing, day int) {
	if l.isLogged(day) {
		l.event("CONTACT", about, at(l.bank.market.days[day], l.s.between(9*60, 9*60+14), l.s.intn(60)), "BRANCH", "")
	}
}

// objection returns the doubt that ends a visit; one in eight only wants to come back to
// the product, and mostly names a day.
func (l *life) objection(about *listing, when fund.Instant) string {
	code := l.doubt(about) // drawn in any case: what is detail changes no purchase
	if l.detail.chance(0.125) {
		until := when.Date().AddDays(l.detail.between(14, 120))
		if l.detail.chance(0.25) {
			return `{"objection":"NOT_NOW"}`
		}
		return `{"objection":"NOT_NOW","until":"` + until.String() + `"}`
	}
	return `{"objection":"` + code + `"}`
}

// doubt returns the code of the doubt that the customer has about a product.
func (l *life) doubt(about *listing) string {
	p := &l.persona
	code := "UNDERSTAND"
	switch x := l.s.float(); {
	case about.path.first >= len(l.bank.market.days):
		code = "NEW_FUND"
	case about.product.Grades.Bank >= fund.R3 && x < p.fear:
		code = "DRAWDOWN"
	case p.need == fund.NeedHigh && x < 0.7:
		code = "LIQUIDITY"
	case p.goal == fund.Cash && x < 0.8:
		code = "OPPORTUNITY_COST"
	case x < 0.45:
		code = "FEE"
	case x < 0.7:
		code = "TIMING"
	}
	return code
}

// browse records visits without a purchase: what was shown, looked at, begun and left.
func (l *life) browse() {
	m := l.bank.market
	from := max(l.persona.joined, indexOnOrAfter(m.days, l.bank.opts.AsOf.AddDays(-eventDays)))
	visits := int(l.s.quantile([]float64{0, 0.3, 0.7, 1.1, 1.6, 2.5, 4.5}))
	for range visits {
		day := l.s.between(from, len(m.days)-1)
		i := l.choose(day)
		if i < 0 {
			continue
		}
		when := at(m.days[day], l.s.between(7*60, 22*60), l.s.intn(60))
		l.visit(l.bank.pool.listings[i], when)
	}
}

// visit is one look at a product, at whatever time of the day.
func (l *life) visit(about *listing, when fund.Instant) {
	x := l.s.float()
	if x < 0.55 {
		l.event("EXPOSURE", about, when, "APP", "")
		return
	}
	left := l.view(about, when, "APP")
	switch {
	case x < 0.72:
	case x < 0.84:
		l.event("OBJECTION", about, left, "APP", l.objection(about, left))
	case x < 0.93:
		amount := fmt.Sprintf(`{"amount_fen":%d}`, l.detail.between(1, 40)*100_000)
		l.event("ORDER_START", about, left, "APP", amount)
		l.event("ORDER_ABANDON", about, seconds(left, l.s.between(10, 600)), "APP", amount)
	case x < 0.98:
		l.event("EVIDENCE_OPEN", about, left, "APP", choose(l.detail, evidenceOpened[:]))
	default:
		l.event("REFUSAL", about, left, "APP", l.refusal(left))
	}
}

// evidenceOpened is what is opened: a figure, or the answer to a doubt.
var evidenceOpened = [...]string{
	`{"field":"MAX_DRAWDOWN"}`, `{"field":"MAX_DRAWDOWN"}`, `{"field":"MAX_DRAWDOWN","objection":"DRAWDOWN"}`, `{"field":"TOTAL_COST","objection":"FEE"}`,
}

// refusal returns why the customer wants no more of it, and sometimes until when.
func (l *life) refusal(when fund.Instant) string {
	reason := choose(l.detail, []string{"DRAWDOWN", "FEE", "PUSHED", "ALREADY_HAVE", "MANAGER_TRUST", "OPPORTUNITY_COST"})
	if l.detail.chance(0.2) {
		return `{"reason":"` + reason + `","until":"` + when.Date().AddDays(l.detail.between(30, 180)).String() + `"}`
	}
	return `{"reason":"` + reason + `"}`
}

// leaveTraces records what else the bank holds: complaints, tags, consents.
func (l *life) leaveTraces() {
	l.complain()
	l.tagAll()
	l.consentAll()
}

// complain lets some complain of what has lost since they bought it: first of all those
// whom a manager talked into new issues.
func (l *life) complain() {
	m, share := l.bank.market, 0.02
	if l.persona.chases {
		share = 0.35
	}
	if !l.s.chance(share) {
		return
	}
	last := len(m.days) - 1
	for i := range l.lots {
		held := &l.lots[i]
		about := l.bank.pool.listings[held.listing]
		price, paid := int64(about.path.unitAt(last)), int64(l.bank.pool.priceOn(about, held.day))
		if price != 0 && price*100 < paid*93 && held.day < last-20 {
			day := l.s.between(max(held.day+1, about.path.first), last)
			when := at(m.days[day], l.s.between(9*60, 20*60), l.s.intn(60))
			l.event("COMPLAINT", about, when, "PHONE", `{"about":"LOSS"}`)
			l.settleComplaint(about, when)
			return
		}
	}
}

// settleComplaint closes most complaints within two months.
func (l *life) settleComplaint(about *listing, when fund.Instant) {
	settled := at(when.Date().AddDays(l.detail.between(3, 60)), 10*60, 0)
	if l.detail.chance(0.7) && settled.Date() < l.bank.opts.AsOf {
		l.event("COMPLAINT", about, settled, "PHONE", `{"about":"LOSS","closed":true}`)
	}
}

// depositMaturing is the tag of a deposit that ends; its value is the day.
const depositMaturing = "deposit_maturing"

// The purposes of tags and consents.
const (
	personalization = "PERSONALIZATION"
	marketingPush   = "MARKETING_PUSH"
	marketingCall   = "MARKETING_CALL"
)

// tag records a tag, valid for so many days; 0: open.
func (l *life) tag(name, value, source string, validDays int) {
	when := at(l.someDay(), l.s.between(0, 23*60), 0)
	row := dataset.TagRow{
		CustomerID: l.record.Customer.CustomerID, Name: name, Value: value, EventAt: when, Source: source, Purpose: personalization,
	}
	if source == "BEHAVIOUR" { // computed in the night after
		row.KnownAt = min(seconds(when, 6*3_600), l.bank.opts.AsOf.Start()-1_000_000)
	}
	if validDays > 0 {
		row.ValidTo = when + fund.Instant(validDays)*86_400_000_000
	}
	l.record.Tags = append(l.record.Tags, row)
}

// someDay returns an open day of the customer's past, mostly of the last two years.
func (l *life) someDay() fund.Date {
	days := l.bank.market.days
	return days[l.s.between(max(l.persona.joined, len(days)-2*yearDays), len(days)-1)]
}

// tagAll records what is noticed of the customer: likings and events of life, some of
// them out of date.
func (l *life) tagAll() {
	p := &l.persona
	if p.theme >= 0 && l.s.chance(0.5) {
		l.tag("theme_interest", themes[p.theme].name, "BEHAVIOUR", 365)
	}
	if p.goal == fund.Education && l.s.chance(0.6) {
		l.tag("family", "HAS_CHILD", "STATED", 0)
	}
	if l.s.chance(0.2) && l.isAdultPerson() {
		l.tag("payroll", "true", "CORE_BANKING", 0)
	}
	if p.tolerance < 0.45 && l.s.chance(0.25) {
		l.tag(depositMaturing, "", "CORE_BANKING", l.s.between(20, 120))
		row := &l.record.Tags[len(l.record.Tags)-1]
		row.Value = row.ValidTo.Date().String()
	}
	if l.s.chance(0.3) {
		l.tag("channel_preference", channelOf(l), "BEHAVIOUR", 180)
	}
	if p.fear > 0.7 && l.s.chance(0.4) {
		l.tag("reads_risk_tab", "true", "BEHAVIOUR", 90)
	}
}

// consent records a yes or no to a purpose.
func (l *life) consent(purpose string, granted bool, when fund.Instant) {
	l.record.Consents = append(l.record.Consents, dataset.ConsentRow{
		CustomerID: l.record.Customer.CustomerID, Purpose: purpose, Granted: granted, EventAt: when, Channel: "APP",
	})
}

// consentAll records consents from the day the customer came, and their withdrawal by
// those who switched personalisation off.
func (l *life) consentAll() {
	came := at(l.bank.market.days[l.persona.joined], l.s.between(9*60, 17*60), l.s.intn(60))
	row := &l.record.Customer
	if row.Personalization != fund.Unknown {
		l.consent(personalization, true, came)
	}
	l.consent(marketingPush, l.s.chance(0.7), came)
	if l.persona.manager >= 0 {
		l.consent(marketingCall, l.s.chance(0.5), came)
	}
	if row.Personalization == fund.No {
		l.consent(personalization, false, max(at(l.someDay(), l.s.between(18*60, 22*60), 0), seconds(came, 3_600)))
	}
}

// settle closes the record: the level as customers.csv gives it, the lots that are
// left, everything in order and with its id.
func (l *life) settle() *Record {
	r := l.record
	id := r.Customer.CustomerID
	if l.on != 0 {
		r.Customer.Level = dataset.CustomerLevel{Level: l.level, Source: dataset.LevelAssessed, AssessedOn: l.on}
	}
	if r.Customer.Level.Level == fund.C1 && r.Customer.Person.IsLowestClass == fund.Unknown {
		r.Customer.Person.IsLowestClass = fund.Answer(l.s.pick([]float64{0.2, 0.55, 0.25}))
	}
	slices.SortStableFunc(r.Interactions, func(a, b features.CustomerPurchase) int { return cmp.Compare(a.KnownOn, b.KnownOn) })
	slices.SortStableFunc(l.lots, func(a, b lot) int { return cmp.Compare(a.day, b.day) })
	for i := range l.lots {
		held := &l.lots[i]
		listing := l.bank.pool.listings[held.listing]
		account := "MAIN"
		if listing.product.Listing.Kind == fund.PensionFund {
			account = "PENSION"
		}
		r.Holdings = append(r.Holdings, dataset.HoldingRow{CustomerID: id, Lot: fund.Lot{
			ProductCode: listing.product.Code, Shares: held.shares, AcquiredOn: l.bank.market.days[held.day], Cost: held.cost, Account: account,
		}})
	}
	slices.SortStableFunc(r.Events, func(a, b features.Event) int { return cmp.Compare(a.EventAt, b.EventAt) })
	for i := range r.Events {
		r.Events[i].ID = fmt.Sprintf("EV-%s-%04d", id, i+1)
	}
	return r
}
