package track

import (
	"cmp"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// drawdown is the deepest fall from a peak, the first of equals, counted from the first
// day at that peak. A series that never fell has a drawdown of 0 without days.
func (s *series) drawdown() fund.Drawdown {
	d := fund.Drawdown{Figure: s.figure(0)}
	deepest := fall{}
	s.eachFall(func(f fall) {
		if f.depth < deepest.depth-sameValue {
			deepest = f
		}
	})
	if deepest.depth == 0 {
		return d
	}
	d.Value = fund.RatioOf(deepest.depth)
	d.PeakOn, d.TroughOn, d.RecoveredOn = s.days(deepest)
	until := d.RecoveredOn
	if until == 0 {
		until = s.date(s.end())
	}
	d.DaysToRecover = int32(until.DaysSince(d.TroughOn))
	return d
}

// falls lists the deepest falls of at least fund.MinFall by their peaks; of equally deep
// ones the earlier.
func (s *series) falls() []fund.Fall {
	var found []fund.Fall
	s.eachFall(func(f fall) {
		if depth := fund.RatioOf(f.depth); depth <= -fund.MinFall {
			listed := fund.Fall{Depth: depth}
			listed.PeakOn, listed.TroughOn, listed.RecoveredOn = s.days(f)
			found = append(found, listed)
		}
	})
	if len(found) > fund.MaxFalls {
		slices.SortStableFunc(found, func(a, b fund.Fall) int { return cmp.Compare(a.Depth, b.Depth) })
		found = found[:fund.MaxFalls]
		slices.SortFunc(found, func(a, b fund.Fall) int { return cmp.Compare(a.TroughOn, b.TroughOn) })
	}
	return found
}

// fall is a time below a peak, as indices of NAVs: it lasts until the peak is reached
// again, so that there is one to a peak, however often it turns within.
type fall struct {
	depth        float64 // below 0
	peak, trough int     // the first day at the peak, the first day at the least value
	back         int     // first day at or above the peak; 0: not within the series
}

// eachFall calls yield with every fall in the order of time. A value that is reached
// again does not move the peak's day: two falls from it share that day.
func (s *series) eachFall(yield func(fall)) {
	peak, f := s.wealth[0], fall{}
	// What lies below floor is deeper than the fall so far.
	floor := float64(peak * (1 - sameValue))
	for i, w := range s.wealth {
		switch {
		case w < floor:
			f.depth, f.trough = w/peak-1, i
			floor = float64(peak * (1 + f.depth - sameValue))
		case isSame(w, peak) || w > peak:
			if f.depth < 0 {
				f.back = i
				yield(f)
			}
			if !isSame(w, peak) {
				peak = w
				f.peak = i
			}
			f = fall{peak: f.peak}
			floor = float64(peak * (1 - sameValue))
		}
	}
	if f.depth < 0 {
		yield(f)
	}
}

// days returns the days of a fall; the last is unknown where it has not recovered.
func (s *series) days(f fall) (peak, trough, back fund.Date) {
	if f.back > 0 {
		back = s.date(f.back)
	}
	return s.date(f.peak), s.date(f.trough), back
}
