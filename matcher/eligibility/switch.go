package eligibility

import (
	"strconv"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// ServiceFeeDays is after how many days of holding no service fee is charged (F03); 0,
// without limit, while the rule is not in force. Money funds are exempt (ServiceLimit.For).
func (e *Edition) ServiceFeeDays() fund.ServiceLimit { return fund.ServiceLimit(e.serviceFee.Days) }

// Switching are K01's parameters; zero while the rule is not in force.
func (e *Edition) Switching() Switching { return e.switching }

// Concentration are K04's limits; zero while the rule is not in force: nothing is too much.
func (e *Edition) Concentration() *Concentration { return &e.concentration }

// Justified reports whether a switch may be made on the firm's initiative: its cost is known
// and a certain benefit is above it, or a mismatch or a concentration is cured. A forecast of
// return is no benefit (K01, S06).
func (s *Switch) Justified() bool {
	return s.CostKnown && (s.Benefit > s.Cost || s.CuresMismatch || s.CuresConcentration)
}

// The remedies of K01.
const (
	RemedySupplyFees = "SUPPLY_FEES"     // the fees and values that are missing are put on file
	RemedyJustify    = "JUSTIFY_SWITCH"  // a certain benefit above the certain cost
	RemedyWaitForLot = "WAIT_FOR_LOT"    // until the youngest lot is old enough
	RemedyPause      = "PAUSE_SWITCHING" // until fewer switches stand in the last 365 days
)

// switched (K01): a purchase that a redemption pays is recorded; on the firm's initiative it
// is not made unless it is justified; young lots, many switches, a high turnover or cost, and
// buying back what was sold, are reviewed. Parameters: young_days, switches_a_year,
// turnover_percent, cost_to_equity_bps. Sources: 本行规则; the measures are FINRA's (Rule 2111
// and its quantitative suitability: turnover, cost-to-equity, in-and-out trading).
func switched(e *Edition) []orderPart {
	of := func(p orderPart, speaks func(s *Switch) bool, facts func(s *Switch) []Fact) orderPart {
		p.speaks = func(q *orderQuestion) bool { return q.Switch.Found && speaks(&q.Switch) }
		p.facts = func(q *orderQuestion) []Fact { return facts(&q.Switch) }
		return p
	}
	return append([]orderPart{
		of(orderPart{reason: "SWITCH_COST_UNKNOWN", remedy: RemedySupplyFees},
			func(s *Switch) bool { return !s.CostKnown },
			func(*Switch) []Fact { return []Fact{{"switch_cost", "UNKNOWN"}} }),
		of(orderPart{reason: "SWITCH_COSTS_MORE", remedy: RemedyJustify},
			func(s *Switch) bool { return s.CostKnown && !s.Justified() }, switchSums),
		of(orderPart{reason: "SWITCH_RECORDED"}.says(Audit),
			func(*Switch) bool { return true }, switchGrounds),
	}, reviewedSwitch(e.switching, of)...)
}

// reviewedSwitch are the parts of K01 that leave the decision to a person.
func reviewedSwitch(
	k Switching, of func(p orderPart, speaks func(s *Switch) bool, facts func(s *Switch) []Fact) orderPart,
) []orderPart {
	tooMuch := func(m fund.Measure, limit fund.Ratio, s *Switch) bool {
		// What cannot be measured is no matter where nothing was switched before.
		return m.OK && m.Value >= limit || !m.OK && s.SwitchesAYear > 1
	}
	turnover, cost := fund.Ratio(k.TurnoverTimes)*10_000, fund.Ratio(k.CostEquityBps)*100
	return []orderPart{
		of(orderPart{reason: "LOT_TOO_YOUNG", remedy: RemedyWaitForLot, reads: []string{"young_days"}}.says(Review),
			func(s *Switch) bool { return int(s.YoungestDays) < k.YoungDays },
			func(s *Switch) []Fact {
				return []Fact{{"youngest_days", daysOrUnknown(s.YoungestDays)}, {"young_days", itoa(k.YoungDays)}}
			}),
		of(orderPart{reason: "TOO_MANY_SWITCHES", remedy: RemedyPause, reads: []string{"switches_a_year"}}.says(Review),
			func(s *Switch) bool { return int(s.SwitchesAYear) > k.SwitchesAYear },
			func(s *Switch) []Fact {
				return []Fact{{"switches", itoa(s.SwitchesAYear)}, {"switches_a_year", itoa(k.SwitchesAYear)}}
			}),
		of(orderPart{reason: "TURNOVER_HIGH", remedy: RemedyPause, reads: []string{"turnover_percent"}}.says(Review),
			func(s *Switch) bool { return tooMuch(s.Turnover, turnover, s) },
			func(s *Switch) []Fact {
				return []Fact{{"turnover", ratioOrUnknown(s.Turnover)}, {"turnover_percent", itoa(k.TurnoverTimes)}}
			}),
		of(orderPart{reason: "COST_TO_EQUITY_HIGH", remedy: RemedyPause, reads: []string{"cost_to_equity_bps"}}.says(Review),
			func(s *Switch) bool { return tooMuch(s.CostToEquity, cost, s) },
			func(s *Switch) []Fact {
				return []Fact{{"cost_to_equity", ratioOrUnknown(s.CostToEquity)}, {"cost_to_equity_bps", itoa(k.CostEquityBps)}}
			}),
		of(orderPart{reason: "IN_AND_OUT", remedy: RemedyReview, reads: []string{"window_days"}}.says(Review),
			func(s *Switch) bool { return s.InAndOut },
			func(*Switch) []Fact { return []Fact{{"window_days", itoa(k.WindowDays)}} }),
	}
}

// JudgeSwitch says what K01 has to say about a switch into product i, which must be less than
// Len. It appends a finding for each part that spoke to dst. JudgeOrder says the same of an
// order that carries the switch. on is the day on which the lots are as old as s says.
func (g *Gate) JudgeSwitch(i int, f *Facts, s *Switch, on fund.Date, dst []Finding) (Verdict, []Finding) {
	v := Verdict{}
	q := orderQuestion{Order: &Order{Switch: *s}, product: &g.products[i], facts: f}
	g.edition.eachOrderPart(func(r *Rule, p *orderPart) {
		if r.ID != K01 {
			return
		}
		if found, ok := q.ask(r, p); ok {
			v.Outcome = max(v.Outcome, found.Outcome)
			found.Remedy = s.remedy(found.Remedy.Code, g.edition.switching, on)
			dst = append(dst, found)
		}
	})
	v.Permitted = !v.Outcome.Excludes()
	return v, dst
}

// remedy names the way out, with the day where only time is needed.
func (s *Switch) remedy(code string, k Switching, day fund.Date) Remedy {
	r := Remedy{Code: code}
	if code == RemedyWaitForLot && s.YoungestDays >= 0 {
		r.On = day.AddDays(k.YoungDays - int(s.YoungestDays))
	}
	return r
}

func switchSums(s *Switch) []Fact {
	return []Fact{fen("switch_cost", s.Cost), fen("switch_benefit", s.Benefit)}
}

func switchGrounds(s *Switch) []Fact {
	if !s.CostKnown {
		return []Fact{{"switch_cost", "UNKNOWN"}, {"switches", itoa(s.SwitchesAYear)}}
	}
	return append(switchSums(s),
		Fact{"cures_mismatch", strconv.FormatBool(s.CuresMismatch)},
		Fact{"cures_concentration", strconv.FormatBool(s.CuresConcentration)},
		Fact{"switches", itoa(s.SwitchesAYear)})
}

func daysOrUnknown(days int32) string {
	if days < 0 {
		return "UNKNOWN"
	}
	return itoa(days)
}

func ratioOrUnknown(m fund.Measure) string {
	if !m.OK {
		return "UNKNOWN"
	}
	return strconv.FormatFloat(m.Value.Float(), 'f', 6, 64)
}
