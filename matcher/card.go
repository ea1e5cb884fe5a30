package matcher

import (
	"slices"
	"strings"

	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
)

// card gathers what a manager needs beside one product.
func (c *Core) card(a *asking, it *Item, s subject, quote *conversion.Quote, w *work) *Card {
	p := &c.products[s.product]
	w.cards = append(w.cards, Card{
		BankGrade: p.Grades.Bank, IssuerGrade: p.Grades.Issuer, Grade: c.subjects[s.product].Grade, BreakEvenDays: -1,
		Recording: a.request.Channel == fund.Branch, DoNothing: doNothing(it.Conversion.Action, s.standing),
	})
	out := &w.cards[len(w.cards)-1]
	c.opinion(a, out, s.product, s.standing, w)
	c.costs(a, out, s, quote, w)
	start := len(w.facts)
	w.facts = objection.WorstYearFacts(c.subjects[s.product].Record, quote.CostAmount, w.facts)
	out.WorstYear = w.facts[start:len(w.facts):len(w.facts)]
	if s.peer >= 0 {
		start = len(w.facts)
		w.facts = objection.DrawdownFacts(c.subjects[s.peer].Record, w.facts)
		out.PeerFacts = w.facts[start:len(w.facts):len(w.facts)]
	}
	return out
}

// opinion is the matching opinion: level and grade, and until when the level holds.
func (c *Core) opinion(a *asking, out *Card, product int32, standing conversion.Standing, w *work) {
	f, day := &a.facts, a.request.At.Date()
	start := len(w.facts)
	if out.Grade != fund.GradeUnknown {
		w.facts = append(w.facts, fund.Evidence{Field: "GRADE", Text: out.Grade.String(), AsOf: day, Source: "POOL"})
	}
	if f.Level != fund.LevelUnknown {
		w.facts = append(w.facts, fund.Evidence{Field: "LEVEL", Text: f.Level.String(), AsOf: day, Source: "CUSTOMER"})
	}
	expires := c.expiresOn(a.profile)
	if expires != 0 {
		for _, d := range [...]struct {
			field string
			day   fund.Date
		}{{"ASSESSED_ON", a.profile.Assessment.On}, {"EXPIRES_ON", expires}} {
			w.facts = append(w.facts, fund.Evidence{Field: d.field, Unit: fund.UnitDate, Number: int64(d.day), AsOf: day, Source: "CUSTOMER"})
		}
	}
	out.OpinionFacts = w.facts[start:len(w.facts):len(w.facts)]
	switch {
	case out.Grade == fund.GradeUnknown:
		out.Opinion = "card.opinion.UNGRADED"
	case f.Professional:
		out.Opinion = "card.opinion.PROFESSIONAL"
	case f.State == eligibility.Expired && expires != 0:
		out.Opinion = "card.opinion.EXPIRED"
	case f.State != eligibility.Valid:
		out.Opinion = "card.opinion.ABSENT"
	case !c.edition(int(product)).Matrix().Fits(out.Grade, f.Level):
		out.Opinion = "card.opinion.ABOVE"
	case standing != conversion.Permitted:
		// The grade fits and another rule speaks against it: no opinion that could be read
		// out as a recommendation.
		out.Opinion = "card.opinion.FITS_NOT_OFFERED"
	default:
		out.Opinion = "card.opinion.FITS"
	}
}

// costs is the table of what the amount costs when it is left after so long, in the
// product's own class and in the fund's other one that is on offer.
func (c *Core) costs(a *asking, out *Card, s subject, quote *conversion.Quote, w *work) {
	p := &c.products[s.product]
	start := len(w.costs)
	add := func(place int32) {
		w.points = conversion.CostTable(&c.products[place], c.serviceLimit(int(place)), quote.CostAmount, w.points[:0])
		for _, point := range w.points {
			if point.Days == 0 && p.Terms.ClosedUntil > a.request.At.Date() {
				continue // nobody gets out on the day of entry
			}
			w.costs = append(w.costs, CostPoint{ShareClass: c.products[place].ShareClass, Days: point.Days, Cost: point.Cost, OK: point.OK})
		}
	}
	add(s.product)
	classA, classC := int32(-1), int32(-1)
	for _, m := range c.funds.members[c.funds.of[s.product]] {
		if m != s.product && s.offered != nil && !s.offered.Has(int(m)) {
			continue
		}
		switch c.products[m].ShareClass {
		case "A":
			classA = m
		case "C":
			classC = m
		}
	}
	if classA >= 0 && classC >= 0 {
		other := classA
		if p.ShareClass == "A" {
			other = classC
		}
		if other != s.product {
			add(other)
		}
		if days, ok := conversion.BreakEven(&c.products[classA], &c.products[classC], c.serviceLimit(int(s.product)), quote.CostAmount); ok {
			out.BreakEvenDays = days
		}
	}
	out.Costs = w.costs[start:len(w.costs):len(w.costs)]
}

// doNothing is the template of what it means to leave things as they are.
func doNothing(action conversion.Action, standing conversion.Standing) string {
	switch {
	case action == conversion.Reduce:
		return "card.do_nothing.REDUCE"
	case action == conversion.Hold:
		return "card.do_nothing.HOLD"
	case standing == conversion.Information:
		return "card.do_nothing.EXPIRED"
	default:
		return "card.do_nothing.PLAIN"
	}
}

// brief gathers what a manager must know of the customer before he speaks to him.
func (c *Core) brief(a *asking, w *work) *Brief {
	p, f := a.profile, &a.facts
	w.brief = Brief{
		Standing: Standing{
			Level: f.Level, State: f.State, AssessedOn: p.Assessment.On, ExpiresOn: c.expiresOn(p), InvestorType: p.Person.InvestorType,
			Elder: f.Elder, Company: f.Company,
		},
		Contact: a.contact, Consents: append(w.brief.Consents[:0], p.Consents...), Licence: a.request.Licence,
	}
	w.brief.Delivery, w.brief.DeliveryReason = delivery(a, &w.conduct)
	if a.personal {
		start := len(w.facts)
		w.conduct.Complaints = w.complaints
		w.facts = behaviour.Facts(&w.conduct, w.facts)
		w.brief.Facts = w.facts[start:len(w.facts):len(w.facts)]
	}
	return &w.brief
}

// The ways by which a customer is reached.
const (
	byApp     = "APP"
	byManager = "MANAGER"
)

// delivery says by which way the customer is reached best: some by a manager whom they
// trust, others by the app, and nobody by a call that he did not agree to.
func delivery(a *asking, conduct *fund.Conduct) (way, reason string) {
	switch {
	case a.contact.Reason == conversion.ContactRefused:
		return byApp, "card.delivery.APP.refused"
	case a.contact.Reason == conversion.ContactComplaint:
		return byApp, "card.delivery.APP.complaint"
	case a.facts.Company:
		return byManager, "card.delivery.MANAGER.company"
	case a.facts.Elder:
		return byManager, "card.delivery.MANAGER.elder"
	case a.contact.Reason == conversion.ContactNoConsent && a.request.Channel == fund.App:
		return byApp, "card.delivery.APP.no_push_consent"
	case a.contact.Reason == conversion.ContactNoConsent:
		return byApp, "card.delivery.APP.no_call_consent"
	case !a.personal || conduct.Habits.Channel == "":
		return "", "card.delivery.unknown"
	case conduct.Habits.Channel == fund.App.String():
		return byApp, "card.delivery.APP.habit"
	default:
		return byManager, "card.delivery.MANAGER.habit"
	}
}

// maxReviews bounds the holdings that an answer speaks about.
const maxReviews = 10

// reviewHoldings lists what he holds above the level of a valid assessment: the bank tells
// him so whether or not the list is personal, and he may keep it (S08).
func (c *Core) reviewHoldings(a *asking, out *Slate) {
	lots := a.profile.Lots
	for len(lots) > 0 && len(out.Holdings) < maxReviews {
		n := 1
		for n < len(lots) && lots[n].ProductCode == lots[0].ProductCode {
			n++
		}
		if i, ok := c.index[lots[0].ProductCode]; ok {
			if review, ok := c.review(a, i, lots[:n], &out.work); ok {
				out.Holdings = append(out.Holdings, review)
			}
		}
		lots = lots[n:]
	}
}

// review speaks about one holding; false: there is nothing to say.
func (c *Core) review(a *asking, product int32, lots []fund.Lot, w *work) (HoldingReview, bool) {
	grade, matrix := c.subjects[product].Grade, c.edition(int(product)).Matrix()
	if a.facts.State != eligibility.Valid || a.facts.Professional || matrix.Fits(grade, a.facts.Level) {
		return HoldingReview{}, false
	}
	k := conversion.HoldingCase{
		Product: &c.products[product], Grade: grade, Level: a.facts.Level, Ceiling: matrix[a.facts.Level], At: a.request.At, Lots: lots,
		UnitNAV: c.records[product].UnitNAV, NAVOn: c.records[product].Series.To,
	}
	start := len(w.facts)
	var review conversion.Review
	review, w.facts = conversion.ReviewHolding(&k, w.facts)
	if review.Action != conversion.Reduce {
		w.facts = w.facts[:start]
		return HoldingReview{}, false
	}
	return HoldingReview{Code: review.ProductCode, Action: review.Action, Sentence: review.Sentence, Evidence: review.Evidence}, true
}

// reduce replaces the action about a product that he holds by that of its review.
func (c *Core) reduce(a *asking, it *Item, product int32, w *work) {
	lots := a.profile.Lots
	from, held := slices.BinarySearchFunc(lots, it.Code, func(l fund.Lot, code string) int { return strings.Compare(l.ProductCode, code) })
	if !held {
		return
	}
	to := from
	for to < len(lots) && lots[to].ProductCode == it.Code {
		to++
	}
	review, ok := c.review(a, product, lots[from:to], w)
	if !ok {
		return
	}
	v := &it.Conversion
	v.Action, v.Sentence, v.Evidence, v.Steps = review.Action, review.Sentence, review.Evidence, [conversion.MaxSteps]conversion.Step{}
	v.ToManager, v.FollowUp = "", conversion.FollowUp{}
}
