package track

import (
	"math"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

const (
	payoutMonths = 36

	// ticks are in a yuan: NAVs are published to a ten-thousandth, or to a thousandth.
	// Reckoned in ticks, what a subtraction does to the last bit does not matter.
	ticks       = 10_000
	coarseTicks = 10 // in a thousandth

	// payoutSteps is what the distance of the two NAVs must grow by to be a payout, in
	// published steps: rounding both of them on both days makes two.
	payoutSteps = 3
	// payoutDaysApart is the least distance of two payouts. No fund pays more often than
	// monthly: two that are closer are not payouts.
	payoutDaysApart = 10

	// A distance that grows by half of the unit NAV, or by a twentieth and leaves 1 to
	// the last digit, is a conversion of shares: units are split to reach such a number,
	// a distribution hits it by chance.
	conversionSize      = 0.5
	conversionToOneSize = 0.05
)

// payouts are the days of the last 36 months on which the accumulated NAV moved up from
// the unit NAV. It is published as the unit NAV with all distributions added back, so in
// between their distance stays where it is, but for rounding. Some publishers multiply
// the unit NAV after a conversion of shares instead; then the distance drifts, and the
// series does not show payouts.
func (s *series) payouts() fund.Payouts {
	if s.end() == 0 {
		return fund.Payouts{}
	}
	part := s.part(max(s.lastOnOrBefore(s.date(s.end()).AddMonths(-payoutMonths)), 0), s.end())
	p := fund.Payouts{OK: true, Window: part.window(0, part.end())}
	least := payoutSteps * part.publishedStep()
	before := part.distance(0)
	level, grewOn, total := before, fund.Date(0), 0.0
	for i := 1; i <= part.end(); i++ {
		distance, day := part.distance(i), part.date(i)
		grown := distance - before
		before = distance
		if grown < least {
			if math.Abs(distance-level) >= least {
				return fund.Payouts{Drifts: part.unitMoves(least)}
			}
			continue
		}
		if grewOn != 0 && day.DaysSince(grewOn) < payoutDaysApart {
			return fund.Payouts{Drifts: part.unitMoves(least)}
		}
		level += grown
		grewOn = day
		size := grown / inTicks(part.navs[i-1].Unit)
		if isConversion(size, part.navs[i].Unit) {
			continue
		}
		total += size
		p.Count++
		p.Last, p.LastSize = day, fund.RatioOf(size)
	}
	p.Total = fund.RatioOf(total)
	return p
}

// unitMoves reports whether the unit NAV is more than a constant: one that pays out all it
// earns every day, as money funds do, keeps it, and its distance may grow from day to day.
func (s *series) unitMoves(least float64) bool {
	first := inTicks(s.navs[0].Unit)
	for i := range s.navs {
		if math.Abs(inTicks(s.navs[i].Unit)-first) >= least {
			return true
		}
	}
	return false
}

func inTicks(yuan float64) float64 { return math.Round(yuan * ticks) }

// distance is what has been paid a share, where the publisher reckons so, in ticks.
func (s *series) distance(i int) float64 { return inTicks(s.navs[i].Accum - s.navs[i].Unit) }

// publishedStep is the last digit of the NAVs in ticks: a thousandth where every value
// of both kinds is a multiple of it.
func (s *series) publishedStep() float64 {
	for i := range s.navs {
		if int64(inTicks(s.navs[i].Unit))%coarseTicks != 0 || int64(inTicks(s.navs[i].Accum))%coarseTicks != 0 {
			return 1
		}
	}
	return coarseTicks
}

func isConversion(size, unit float64) bool {
	return size >= conversionSize || size >= conversionToOneSize && inTicks(unit) == ticks
}
