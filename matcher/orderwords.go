package matcher

import (
	"strings"

	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// otherWarning is said of a warning that has no sentence of its own.
const otherWarning = "order.confirm"

// sentence finds the words for a reason: order.<rule>.<reason>, or order.<rule>, where all
// that they tell is among the check's facts; else what is said of any other.
func (s *settlement) sentence(rule eligibility.RuleID, reason, other string) string {
	for _, name := range [...]string{"order." + string(rule) + "." + reason, "order." + string(rule), other} {
		if _, ok := s.slots(name); ok {
			return name
		}
	}
	return ""
}

// evidence are the facts that the sentence of a reason tells.
func (s *settlement) evidence(rule eligibility.RuleID, reason, other string) []fund.Evidence {
	facts, _ := s.slots(s.sentence(rule, reason, other))
	return facts
}

// slots finds the facts of a sentence's slots; not OK: there is no such sentence, or a fact
// is missing.
func (s *settlement) slots(name string) (facts []fund.Evidence, ok bool) {
	id, ok := s.core.text.ID(name)
	if !ok {
		return nil, false
	}
	for _, slot := range s.core.text.Slots(id) {
		fact := s.fact(slot.Name)
		if fact == nil {
			return nil, false
		}
		facts = append(facts, *fact)
	}
	return facts, true
}

// fact finds the fact of a slot: {amount:money} takes AMOUNT.
func (s *settlement) fact(slot string) *fund.Evidence {
	for i := range s.check.Facts {
		if strings.EqualFold(slot, s.check.Facts[i].Field) {
			return &s.check.Facts[i]
		}
	}
	return nil
}

// The sources of an order's facts.
const (
	fromOrder    = "ORDER"
	fromProduct  = "PRODUCT"
	fromCustomer = "CUSTOMER"
	fromRules    = "RULES"
	fromEvents   = "EVENTS"
	fromCalendar = "CALENDAR"
	fromHoldings = "HOLDINGS"
)

// orderFacts lists what the order is and what it was measured by. What is not known is not
// listed.
func (c *Core) orderFacts(s *settlement, f *eligibility.Facts, o *eligibility.Order, dst []fund.Evidence) []fund.Evidence {
	p := &c.products[s.place]
	limits := c.gate.OrderLimits(s.place, f, o)
	day := s.check.Request.At.Date()
	add := func(field string, unit fund.Unit, number int64, source string) {
		dst = append(dst, fund.Evidence{Field: field, Unit: unit, Number: number, AsOf: day, Source: source})
	}
	text := func(field, text, source string) {
		if text != "" {
			dst = append(dst, fund.Evidence{Field: field, Text: text, AsOf: day, Source: source})
		}
	}
	money := func(field string, m fund.Money, source string) {
		if m > 0 {
			add(field, fund.UnitFen, int64(m), source)
		}
	}
	text("PRODUCT", p.Name, fromProduct)
	text("ISSUER", p.Parties.Issuer, fromProduct)
	text("GRADE", s.grade().String(), fromProduct)
	text("LEVEL", f.Level.String(), fromCustomer)
	money("AMOUNT", o.Amount.Fen, fromOrder)
	money("MIN_PURCHASE", p.Terms.MinPurchase, fromProduct)
	money("DAY_LIMIT", p.Terms.DayLimit, fromProduct)
	money("ORDERED_FOR_DAY", o.Amount.Day, fromEvents)
	money("ORDERED_IN_WINDOW", o.Amount.Window, fromEvents)
	add("WINDOW", fund.UnitDays, int64(s.terms.WindowDays), fromRules)
	money("MEANS_LIMIT", limits.Means, fromRules)
	money("ASSETS", limits.Base, fromCustomer)
	for _, stake := range [...]struct {
		name    string
		of      eligibility.Stake
		percent int
	}{{"FUND", o.Stakes.Fund, limits.Fund}, {"ISSUER", o.Stakes.Issuer, limits.Issuer}, {"THEME", o.Stakes.Theme, limits.Theme}} {
		if stake.of.OK && limits.Base > 0 {
			add(stake.name+"_AFTER", fund.UnitFen, int64(addMoney(stake.of.Value, o.Amount.Fen)), fromHoldings)
			add(stake.name+"_LIMIT", fund.UnitRatio, int64(stake.percent)*10_000, fromRules)
		}
	}
	add("THINK_HOURS", fund.UnitCount, int64(s.terms.ThinkHours), fromRules)
	add("COOLING_HOURS", fund.UnitCount, int64(s.terms.CoolingHours), fromRules)
	if p.Listing.KeyFactsVersion != "" {
		text("KEY_FACTS_VERSION", p.Listing.KeyFactsVersion, fromProduct)
	}
	if entryFeeKnown(p) {
		add("ENTRY_FEE", fund.UnitFen, int64(p.Fees.EntryFee(o.Amount.Fen)), fromProduct)
	}
	if d := &o.Dealing; d.On != 0 {
		add("DEALING_ON", fund.UnitDate, int64(d.On), fromCalendar)
		add("CUTOFF", fund.UnitMinutes, int64(fund.Cutoff.Minutes()), fromCalendar)
	}
	money("MAX_AMOUNT", boundedAmount(s.check.MaxAmount), fromRules)
	return dst
}

// boundedAmount is an amount where anything bounds it.
func boundedAmount(m fund.Money) fund.Money {
	if m >= fund.MaxMoney {
		return 0
	}
	return m
}

func entryFeeKnown(p *fund.Product) bool { return !p.Missing.Has(fund.FieldSubscriptionLadder) }
