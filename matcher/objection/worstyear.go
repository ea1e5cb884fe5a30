package objection

import "github.com/fundmatch/fundmatch/matcher/fund"

// WorstYearFacts appends what the worst twelve months of the series would have taken from
// an amount: nothing where the record is too short to be shown, or they lost nothing.
func WorstYearFacts(r *fund.TrackRecord, amount fund.Money, facts []fund.Evidence) []fund.Evidence {
	worst := &r.Spans[fund.SinceStart].Worst[fund.TwelveMonths]
	if !Showable(r) || !worst.OK || worst.Value >= 0 || amount <= 0 {
		return facts
	}
	return append(facts,
		fund.Evidence{Field: "WORST_12M", Unit: fund.UnitRatio, Number: int64(worst.Value), Window: worst.Window, AsOf: r.AsOf, Stale: r.StaleDays, Source: sourceNAV},
		loss("LOSS_12M", amount, worst.Value, worst.Window, r))
}
