package expectation

import "github.com/fundmatch/fundmatch/matcher/fund"

// What a range of outcomes must show before anything is said of it.
const (
	entryMonths = 12 // entry days over at least so long, or one market's mood is taken for the product's
	toldMonths  = 12 // shorter holdings are for managers only (W01)
)

// expectOutcome compares the worst that a holding of his horizon ever brought, over all
// past entry days, with the fall that he is taken to bear. A record that is stale, or too
// young, says nothing.
func expectOutcome(c *Case, matches []Match, facts []fund.Evidence) ([]Match, []fund.Evidence) {
	r := c.Record
	if r == nil || c.Means.Tolerance <= 0 || r.StaleDays > c.StaleDays {
		return matches, facts
	}
	h, ok := holdingFor(r, c.Wish.HorizonMonths)
	if !ok {
		return matches, facts
	}
	o := &r.Outcomes[h]
	matches, m := add(matches, OutcomeAspect)
	m.Customer = ratio("TOLERANCE", c.Means.Tolerance, sourceModel, c.AsOf)
	m.Product = nav(r, "WORST_OUTCOME", fund.UnitRatio, int64(o.Worst), o.WorstIn)
	bears := c.Means.bears()
	m.settle(borne(bears, o.Worst), -o.Worst <= bears, "expectation.matched.outcome", "expectation.unmatched.outcome")
	start := len(facts)
	facts = append(facts,
		nav(r, "HOLDING", fund.UnitMonths, int64(h.Months()), o.Window),
		nav(r, "OUTCOME_FROM", fund.UnitDate, int64(o.Window.From), o.Window),
		nav(r, "OUTCOME_TO", fund.UnitDate, int64(o.Window.To), o.Window),
		nav(r, "ENTRIES", fund.UnitCount, int64(o.Entries), o.Window),
		nav(r, "OUTCOME_P10", fund.UnitRatio, int64(o.P10), o.Window),
		nav(r, "OUTCOME_MEDIAN", fund.UnitRatio, int64(o.Median), o.Window),
		nav(r, "OUTCOME_P90", fund.UnitRatio, int64(o.P90), o.Window))
	switch {
	case !m.Met && -o.Worst <= c.Means.Tolerance: // his level bears it, he did not
		m.Sentence = "expectation.unmatched.outcome.experience"
		facts = append(facts, ratio("BEARS", bears, sourceComputed, c.AsOf))
	case !m.Met:
	case o.Worst >= 0:
		// That nothing was ever lost may not be told as an argument (W04).
		m.Sentence, m.ManagerOnly = "expectation.matched.outcome.no_loss", true
	case h.Months() < toldMonths:
		m.Sentence, m.ManagerOnly = "expectation.matched.outcome.short", true
	case c.Means.Amount > 0:
		m.Sentence = "expectation.matched.outcome.amount"
		facts = append(facts,
			fund.Evidence{Field: "AMOUNT", Unit: fund.UnitFen, Number: int64(c.Means.Amount), AsOf: c.AsOf, Source: sourceComputed},
			fund.Evidence{
				Field: "OUTCOME_LOSS", Unit: fund.UnitFen, Number: int64(fund.LossOf(c.Means.Amount, o.Worst)),
				Window: o.WorstIn, AsOf: r.AsOf, Stale: r.StaleDays, Source: sourceComputed,
			})
	}
	m.Facts = facts[start:len(facts):len(facts)]
	return matches, facts
}

// holdingFor returns the longest measured holding that ends within the horizon.
func holdingFor(r *fund.TrackRecord, horizon int32) (fund.Holding, bool) {
	for h := fund.Holdings; h > 0; h-- {
		holding := h - 1
		o := &r.Outcomes[holding]
		if !o.OK || int32(holding.Months()) > horizon {
			continue
		}
		if o.Window.From.AddMonths(holding.Months()+entryMonths) <= o.Window.To {
			return holding, true
		}
	}
	return 0, false
}

func nav(r *fund.TrackRecord, field string, unit fund.Unit, n int64, w fund.Window) fund.Evidence {
	return fund.Evidence{Field: field, Unit: unit, Number: n, Window: w, AsOf: r.AsOf, Stale: r.StaleDays, Source: sourceNAV}
}

// Bears returns the fall, positive, that he is taken to bear: his level's; half of it
// where he says that he would sell, or sold in more falls than he kept or added in, but
// not less than the deepest fall that he did sit out. Never more than the level's. For
// managers only: it tells of his losses. Losses may be nil: nothing is known of them.
func Bears(level fund.Ratio, l *fund.Losses, a Attitude) fund.Ratio {
	sold := a == WouldSell || l != nil && l.SoldInFall > l.KeptInFall+l.AddedInFall
	if !sold {
		return level
	}
	bears := level / 2
	if l != nil && l.Borne.OK {
		bears = max(bears, min(level, -l.Borne.Value))
	}
	return bears
}

// bears is the fall that he is taken to bear, never more than his level's.
func (m *Means) bears() fund.Ratio {
	if m.Bears > 0 {
		return min(m.Bears, m.Tolerance)
	}
	return m.Tolerance
}

// borne is how much of a result, a loss below 0, is within what he bears.
func borne(bears, result fund.Ratio) fund.Ratio {
	if -result <= bears {
		return whole
	}
	return bears * whole / -result
}
