package synthetic

import (
	"fmt"
	"slices"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// showing is what the bank puts before a customer, and how he thinks it over: the app's
// feed, the manager at the counter, and the looks before a purchase. It is drawn after his
// life is lived, from a stream of its own: it changes no purchase. What it leaves is how an
// exposure becomes an order in docs/demo-bank.md: seldom, and by who he is and what went before.
type showing struct {
	*life
	draw  stream
	first int         // index in market.days of the first day in the log
	seen  []sight     // what he was shown, in the order in which it was drawn
	from  []fund.Date // by listing, from when he wants no more of it; 0: he never said so
}

// sight is one product shown on a day.
type sight struct{ listing, day int }

// show leaves what he was shown.
func (l *life) show(index int) {
	if l.persona.assessed != byAssessment {
		return
	}
	m := l.bank.market
	s := showing{
		life: l, draw: newStream(l.bank.opts.Seed, showingStream, index), from: make([]fund.Date, len(l.bank.pool.listings)),
		first: max(l.persona.joined, indexOnOrAfter(m.days, l.bank.opts.AsOf.AddDays(-eventDays))),
	}
	s.remember()
	s.thinkOver()
	feed := int(s.draw.quantile([]float64{0, 1, 2.4, 4, 6, 10, 18}))
	for _, day := range s.days(feed) {
		s.feed(day)
	}
	if l.persona.manager >= 0 {
		for _, day := range s.days(int(s.draw.quantile([]float64{0, 0.5, 1, 1.6, 2.6, 5}))) {
			s.counter(day)
		}
	}
}

// days draws the days of so many showings, in order.
func (s *showing) days(n int) []int {
	days := make([]int, n)
	for i := range days {
		days[i] = s.draw.between(s.first, len(s.bank.market.days)-1)
	}
	slices.Sort(days)
	return days
}

// remember notes what he refused: it is shown to him no more.
func (s *showing) remember() {
	for i := range s.record.Events {
		if e := &s.record.Events[i]; e.Kind == "REFUSAL" {
			s.refuse(s.indexOf(e.ProductCode), e.EventAt.Date())
		}
	}
}

func (s *showing) refuse(listing int, on fund.Date) {
	if listing >= 0 && (s.from[listing] == 0 || on < s.from[listing]) {
		s.from[listing] = on
	}
}

// indexOf finds a listing by its code; -1: none.
func (s *showing) indexOf(code string) int {
	i, ok := slices.BinarySearchFunc(s.bank.pool.listings, code, func(l *listing, code string) int {
		switch {
		case l.product.Code < code:
			return -1
		case l.product.Code > code:
			return 1
		}
		return 0
	})
	if !ok {
		return -1
	}
	return i
}

// thinkOver has him look at what he is going to buy, once or more in the weeks before: few
// buy what they see for the first time.
func (s *showing) thinkOver() {
	days := s.bank.market.days
	for _, e := range slices.Clone(s.record.Events) {
		if e.Kind != "ORDER_START" || !s.draw.chance(0.35) || isInstalment(&e) || s.isAbandoned(&e) {
			continue
		}
		bought, day := s.indexOf(e.ProductCode), indexOnOrAfter(days, e.EventAt.Date())
		for range s.draw.between(1, 2) {
			if before := day - s.draw.between(1, 15); bought >= 0 && before >= s.first && s.mayBeShown(bought, before) {
				s.look(bought, before, "APP", s.draw.chance(0.7))
			}
		}
	}
}

// isAbandoned reports whether an order that was begun came to nothing.
func (s *showing) isAbandoned(start *features.Event) bool {
	return slices.ContainsFunc(s.record.Events, func(e features.Event) bool {
		return e.Kind == "ORDER_ABANDON" && e.ProductCode == start.ProductCode && e.EventAt >= start.EventAt && e.EventAt < seconds(start.EventAt, 1_200)
	})
}

// feed shows what everybody is shown, by popularity and within his level, and now and then
// again what he saw of late. He reads of what serves his hope more than of the rest.
func (s *showing) feed(day int) {
	i := -1
	if n := len(s.seen); n > 0 && s.draw.chance(0.3) {
		if last := s.seen[s.draw.intn(n)]; last.day < day && day-last.day <= 25 {
			i = last.listing
		}
	}
	for range triesAChoice {
		if i >= 0 && s.mayBeShown(i, day) {
			s.answer(i, day, "APP", 0.05+float64(0.35*s.appetite(i)))
			return
		}
		i = s.bank.pool.byStyle[s.draw.pick(shelves[:])].pick(s.draw)
	}
}

// shelves is how much of the feed each style has: what sells, and what the bank would sell.
var shelves = [styleCount]float64{
	moneyStyle: 20, shortBondStyle: 10, longBondStyle: 8, mixedBondStyle: 9, bondTiltStyle: 9, balancedStyle: 7, flexibleStyle: 7,
	stockTiltStyle: 12, stockStyle: 6, indexStyle: 12, fofStyle: 6, overseasStyle: 4, commodityStyle: 2, propertyStyle: 2, ownStyle: 8,
}

// counter is a visit to the branch. Who has a manager that pushes hears of what is in
// subscription; the others of what may serve them. Most think about it.
func (s *showing) counter(day int) {
	l := s.bank.pool
	i := -1
	if launched := l.launchedWithin(s.bank.market.days[day].AddDays(-newIssueDays), s.bank.market.days[day].AddDays(1)); s.persona.chases && len(launched) > 0 {
		i = choose(s.draw, launched)
	}
	for range triesAChoice {
		if i >= 0 && s.mayBeShown(i, day) {
			s.answer(i, day, "BRANCH", 0.5)
			return
		}
		if style := s.draw.pick(appetites[s.persona.goal][:]); style >= 0 {
			i = l.byStyle[style].pick(s.draw)
		}
	}
}

// answer is what he makes of a showing that he does not follow: mostly nothing, or he reads
// the page, and then may doubt, begin and leave it, or refuse.
func (s *showing) answer(i, day int, channel string, reads float64) {
	left := s.look(i, day, channel, s.draw.chance(reads))
	if left == 0 {
		return
	}
	about := s.bank.pool.listings[i]
	switch x := s.draw.float(); {
	case x < 0.22:
		s.event("OBJECTION", about, left, channel, `{"objection":"`+s.qualm(about)+`"}`)
	case x < 0.27:
		amount := fmt.Sprintf(`{"amount_fen":%d}`, s.draw.between(1, 40)*100_000)
		s.event("ORDER_START", about, left, channel, amount)
		s.event("ORDER_ABANDON", about, seconds(left, s.draw.between(10, 600)), channel, amount)
	case x < 0.29:
		s.event("REFUSAL", about, left, channel, `{"reason":"`+choose(s.draw, []string{"DRAWDOWN", "FEE", "ALREADY_HAVE"})+`"}`)
		s.refuse(i, left.Date())
	}
}

// look records one showing, and the reading of the page that may follow; it returns when
// the page was left, 0 where it was not read.
func (s *showing) look(i, day int, channel string, reads bool) fund.Instant {
	about, open, end := s.bank.pool.listings[i], 7*60, 22*60
	if channel == "BRANCH" {
		open, end = 9*60, 16*60
	}
	when := at(s.bank.market.days[day], s.draw.between(open, end), s.draw.intn(60))
	s.seen = append(s.seen, sight{i, day})
	s.event("EXPOSURE", about, when, channel, "")
	if !reads {
		return 0
	}
	dwell := s.draw.between(5, 90)
	page := choose(s.draw, []string{"OVERVIEW", "OVERVIEW", "PERFORMANCE", "RISK", "FEE"})
	s.event("DETAIL_VIEW", about, seconds(when, 6), channel, fmt.Sprintf(`{"page":%q,"dwell_seconds":%d}`, page, dwell))
	return seconds(when, 6+dwell)
}

// qualm is the doubt that ends a reading.
func (s *showing) qualm(about *listing) string {
	p := &s.persona
	switch x := s.draw.float(); {
	case about.product.Grades.Bank >= fund.R3 && x < p.fear:
		return "DRAWDOWN"
	case p.need == fund.NeedHigh && x < 0.7:
		return "LIQUIDITY"
	case x < 0.5:
		return "FEE"
	}
	return "UNDERSTAND"
}

// appetite is how well a product's style serves his hope, from 0 to 1.
func (s *showing) appetite(i int) float64 {
	weights := &appetites[s.persona.goal]
	return weights[s.bank.pool.listings[i].style] / slices.Max(weights[:])
}

// mayBeShown reports whether the bank would have offered the product to him on a day: within
// the level of then, within his means, and nothing that he refused.
func (s *showing) mayBeShown(i, day int) bool {
	about, date := s.bank.pool.listings[i], s.bank.market.days[day]
	p := &about.product
	switch {
	case !about.sellable(date) || s.bank.pool.priceOn(about, day) == 0:
		return false
	case p.Listing.Kind == fund.PensionFund && s.persona.goal != fund.TaxDeferredPension:
		return false
	case p.Terms.MinPurchase > s.record.Customer.Person.AUM:
		return false
	case s.from[i] != 0 && date >= s.from[i]:
		return false
	}
	return p.Grades.Effective() <= fund.RiskGrade(s.levelOn(date))
}
