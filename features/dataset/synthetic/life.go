package synthetic

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/dataset"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// life is one customer's past with the bank, lived day by day. Nothing in it knows what
// came later.
type life struct {
	bank    *Bank
	s       stream
	detail  stream // of what events tell besides
	persona persona
	record  *Record
	lots    []lot
	dealt   map[dealing]bool // what the keys of interactions.csv forbid to repeat
	level   fund.RiskLevel   // of the newest assessment
	on      fund.Date        // its day
}

// lot is a number of shares that the customer still has.
type lot struct {
	listing int // index in pool.listings
	day     int // index in market.days
	shares  fund.Shares
	cost    fund.Money
}

// dealing is the key of an interaction.
type dealing struct {
	listing, day int
	kind         string
}

// The kinds of interactions.
const (
	buyKind    = "BUY"
	redeemKind = "REDEEM"
)

func newLife(b *Bank, index int, s stream, row dataset.CustomerRow, p persona) *life {
	return &life{bank: b, s: s, detail: newStream(b.opts.Seed, detailStream, index), persona: p, record: &Record{Customer: row}, dealt: map[dealing]bool{}}
}

// live lives the customer's past: he comes, is assessed, decides from time to time, and
// perhaps follows a savings plan.
func (l *life) live() {
	p := &l.persona
	switch p.assessed {
	case byAssessment:
		l.assess(p.joined)
		for _, day := range l.decisionDays() {
			l.decide(day)
		}
		if l.s.chance(0.05) && l.isAdultPerson() {
			l.followPlan()
		}
		l.retestLately()
	case byPrediction:
		l.record.Customer.Level = dataset.CustomerLevel{Level: l.readTolerance(0), Source: dataset.LevelPredicted}
	default: // the bank knows no level, and sells nothing (S12)
	}
	l.browse()
	l.leaveTraces()
}

// decisionDays draws when the customer thinks of his funds, in order: any time, when
// his manager has a new issue to sell, and, for the fearful, in the crash.
func (l *life) decisionDays() []int {
	m, p := l.bank.market, &l.persona
	days := make([]int, 0, p.decisions+2)
	for range p.decisions {
		day := l.s.between(p.joined, len(m.days)-1)
		if p.chases && l.s.chance(0.5) {
			day = l.pushedOn(day)
		}
		days = append(days, day)
	}
	crash := indexOnOrAfter(m.days, m.asOf.AddDays(-crashFrom))
	if p.joined < crash && p.decisions > 0 && l.s.chance(p.fear) {
		end := indexOnOrAfter(m.days, m.asOf.AddDays(-crashTo))
		days = append(days, l.s.between((crash+end)/2, end), l.s.between((crash+end)/2, end))
	}
	slices.Sort(days)
	return slices.Compact(days)
}

// pushedOn returns a day in the subscription of the first fund that is launched on or
// after a day; the day itself when there is none.
func (l *life) pushedOn(day int) int {
	m := l.bank.market
	next := l.bank.pool.launchedWithin(m.days[day], m.asOf)
	if len(next) == 0 {
		return day
	}
	return min(indexOnOrAfter(m.days, l.bank.pool.launch(next[0]).AddDays(l.s.intn(8))), len(m.days)-1)
}

// The falls of equities, from the highest of the last year, at which people act.
const (
	frightening = -0.12
	paralysing  = -0.22
)

// decide is one decision: sell in a fall, sell because money is needed, or buy.
func (l *life) decide(day int) {
	fall := l.bank.market.drawdown[day]
	if fall < frightening && l.s.chance(l.persona.fear*0.8) {
		if i := l.riskiestLot(); i >= 0 {
			l.redeem(i, day, "FELL")
			return
		}
	}
	if fall < paralysing && l.s.chance(0.4) {
		return
	}
	if len(l.lots) > 0 && l.s.chance(0.14) {
		l.redeem(0, day, "NEEDED")
		return
	}
	if !l.mayOrder(day) {
		return
	}
	if l.persona.chases && l.s.chance(0.65) && l.chaseNewIssue(day) {
		return
	}
	if choice := l.choose(day); choice >= 0 {
		l.buy(choice, day, l.amount(choice), channelOf(l))
	}
}

// channelOf says where the customer deals: with his manager in the branch, or alone.
func channelOf(l *life) string {
	if l.persona.manager >= 0 && l.s.chance(0.5) {
		return "BRANCH"
	}
	return "APP"
}

// mayOrder reports whether the customer has a valid assessment on a day. When it has
// expired most take the questionnaire again.
func (l *life) mayOrder(day int) bool {
	if l.on != 0 && l.bank.market.days[day] < l.on.AddMonths(12) {
		return true
	}
	if !l.s.chance(0.85) {
		return false
	}
	l.assess(day)
	return true
}

// assess takes the questionnaire on a day.
func (l *life) assess(day int) {
	date := l.bank.market.days[day]
	if date == l.on {
		return
	}
	l.level, l.on = l.readTolerance(day), date
	channel := "APP"
	if l.persona.manager >= 0 && l.s.chance(0.4) {
		channel = "BRANCH"
	}
	l.record.Assessments = append(l.record.Assessments, dataset.AssessmentRow{
		CustomerID: l.record.Customer.CustomerID, Level: l.level, Questionnaire: questionnaireOf(date), Channel: channel,
		AssessedAt: at(date, l.s.between(8*60, 9*60), l.s.intn(60)), // before the orders of the day
	})
}

// questionnaireOf names the version in use on a day.
func questionnaireOf(date fund.Date) string { return "RQ-" + date.String()[:4] }

// readTolerance is what the questionnaire makes of the customer: his tolerance, some
// noise, and less when a fall frightens him.
func (l *life) readTolerance(day int) fund.RiskLevel {
	p := &l.persona
	x := p.tolerance + float64(l.s.normal()*0.06)
	x += float64(0.5 * float64(p.fear*l.bank.market.drawdown[day]))
	level := fund.RiskLevel(min(max(int(x*5), 0), 4)) + fund.C1
	if l.record.Customer.Person.IsLowestClass == fund.Yes {
		return fund.C1
	}
	return level
}

// isAdultPerson reports whether the customer is a natural person of full age, as far as
// the bank knows.
func (l *life) isAdultPerson() bool {
	person := &l.record.Customer.Person
	return person.Industry == "" && person.Capacity != fund.LimitedCapacity
}

// buy records a purchase: the interaction, the lot and the traces in events. The shares
// are what is left of the amount after the entry fee (外扣法), cut to the hundredth as
// registrars do; what is still in subscription has no shares yet.
func (l *life) buy(choice, day int, amount fund.Money, channel string) bool {
	listing := l.bank.pool.listings[choice]
	key := dealing{choice, day, buyKind}
	if amount <= 0 || l.dealt[key] {
		return false
	}
	l.dealt[key] = true
	l.interact(key, amount)
	l.traceOrder(listing, day, amount, channel)
	if listing.path.first >= len(l.bank.market.days) {
		return true
	}
	price := int64(l.bank.pool.priceOn(listing, day))
	net := int64(amount - listing.product.Fees.EntryFee(amount))
	shares := fund.Shares(net * 10_000 / price * 100)
	l.lots = append(l.lots, lot{listing: choice, day: day, shares: shares, cost: amount})
	return true
}

// redeem sells a lot, or half of it.
func (l *life) redeem(i, day int, why string) {
	sold := l.lots[i]
	listing := l.bank.pool.listings[sold.listing]
	key := dealing{sold.listing, day, redeemKind}
	price := listing.path.unitAt(day)
	lockup := int(listing.product.Terms.LockupDays)
	date := l.bank.market.days[day]
	if price == 0 || l.dealt[key] || day == sold.day || date.DaysSince(l.bank.market.days[sold.day]) < lockup {
		return
	}
	shares := sold.shares
	if l.s.chance(0.3) {
		shares = shares / 200 * 100
	}
	if shares == 0 {
		return
	}
	l.dealt[key] = true
	amount := fund.Money(int64(shares) / 100 * int64(price) / 10_000)
	l.interact(key, amount)
	cost := sold.cost
	if shares != sold.shares {
		cost /= 2
	}
	l.event("REDEEM", listing, at(date, l.s.between(9*60+30, 14*60+50), l.s.intn(60)), "APP",
		fmt.Sprintf(`{"reason":%q,"amount_fen":%d,"cost_fen":%d}`, why, amount, cost))
	if shares == sold.shares {
		l.lots = slices.Delete(l.lots, i, i+1)
		return
	}
	kept := &l.lots[i]
	kept.shares -= shares
	kept.cost -= cost
}

func (l *life) interact(key dealing, amount fund.Money) {
	l.record.Interactions = append(l.record.Interactions, features.CustomerPurchase{
		CustomerID: l.record.Customer.CustomerID,
		Purchase: fund.Purchase{
			ProductCode: l.bank.pool.listings[key.listing].product.Code, KnownOn: l.bank.market.days[key.day],
			Kind: key.kind, Amount: amount,
		},
	})
}

// riskiestLot returns the index of the oldest lot of the highest grade from R3 on, -1
// when there is none.
func (l *life) riskiestLot() int {
	best, grade := -1, fund.R2
	for i := range l.lots {
		if g := l.bank.pool.listings[l.lots[i].listing].product.Grades.Bank; g > grade {
			best, grade = i, g
		}
	}
	return best
}

// followPlan buys an index fund every month for a year or two (定投), until as-of.
func (l *life) followPlan() {
	m := l.bank.market
	choice := l.bank.pool.byStyle[indexStyle].pick(l.s)
	months := l.s.between(6, 24)
	amount := fund.Money(l.s.between(3, 20)) * 10_000
	if choice < 0 {
		return
	}
	listing := l.bank.pool.listings[choice]
	if amount = max(amount, listing.product.Terms.MinPurchase); amount > l.record.Customer.Person.AUM {
		return
	}
	for i := months; i > 0; i-- {
		day := indexOnOrAfter(m.days, l.bank.opts.AsOf.AddMonths(-i))
		if day >= len(m.days) || day < l.persona.joined || !listing.sellable(m.days[day]) || l.bank.pool.priceOn(listing, day) == 0 {
			continue
		}
		if level := l.levelOn(m.days[day]); fund.RiskGrade(level) >= listing.product.Grades.Effective() {
			before := len(l.record.Events)
			if l.buy(choice, day, amount, "APP") {
				l.debit(before)
			}
		}
	}
}

// debit makes of an order of the customer, whose events begin at a place, an instalment of
// his plan, which nobody looks at: the way to it is drawn as any, so that all that comes
// after is the same, and is not kept.
func (l *life) debit(before int) {
	events := l.record.Events
	l.record.Events = slices.DeleteFunc(events[before:], func(e features.Event) bool {
		return e.Kind != "ORDER_START" && e.Kind != "ORDER_CONFIRM"
	})
	n := len(l.record.Events)
	l.record.Events = events[:before+n]
	for i := before; i < before+n; i++ {
		e := &l.record.Events[i]
		e.Attributes = strings.TrimSuffix(e.Attributes, "}") + instalment
	}
}

// instalment ends the attributes of an order that a plan gives.
const instalment = `,"plan":true}`

func isInstalment(e *features.Event) bool { return strings.HasSuffix(e.Attributes, instalment) }

// levelOn returns the level that was valid on a day, unknown when there was none.
func (l *life) levelOn(date fund.Date) fund.RiskLevel {
	level := fund.LevelUnknown
	for i := range l.record.Assessments {
		a := &l.record.Assessments[i]
		on := a.AssessedAt.Date()
		switch {
		case on > date:
		case date < on.AddMonths(12):
			level = a.Level
		default:
			level = fund.LevelUnknown
		}
	}
	return level
}

// retestLately has some whose assessment has expired take it again.
func (l *life) retestLately() {
	m := l.bank.market
	if l.on == 0 || l.on.AddMonths(12) > l.bank.opts.AsOf || !l.s.chance(0.28) {
		return
	}
	// Not before it expired: what was ordered until then was ordered under the old level.
	from := indexOnOrAfter(m.days, max(l.on.AddMonths(12), l.bank.opts.AsOf.AddDays(-350)))
	l.assess(l.s.between(min(from, len(m.days)-1), len(m.days)-1))
}
