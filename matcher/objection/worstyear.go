package objection

import "github.com/fundmatch/fundmatch/matcher/fund"

// WorstYearFacts appends what the worst twelve months of the series would have taken from
// an amount: nothing where the record is too short to be shown, or they lost nothing.
func WorstYearFacts(r *fund.TrackRecord, amount fund.Money, facts []fund.Evidence) []fund.Evidence {
	worst := &r.Spans[fund.SinceStart].Worst[fund.TwelveMonths]
	if !Showable(r) || !worst.OK || worst.Value >= 0 || amount <= 0 {
		return facts
	}
	fact := fund.Evidence{Window: worst.Window, AsOf: r.AsOf, Stale: r.StaleDays, Source: sourceNAV}
	fact.Field, fact.Unit, fact.Number = "WORST_12M", fund.UnitRatio, int64(worst.Value)
	facts = append(facts, fact)
	fact.Field, fact.Unit, fact.Number, fact.Source = "LOSS_12M", fund.UnitFen, int64(fund.LossOf(amount, worst.Value)), sourceComputed
	return append(facts, fact)
}
