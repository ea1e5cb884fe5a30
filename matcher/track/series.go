package track

import (
	"fmt"
	"math"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// series is NAVs without a gap.
type series struct {
	navs    []fund.NAV
	returns []float64 // of each day; none on the first
	wealth  []float64 // what 1 put in on the first day is worth, distributions put back in
}

func newSeries(navs []fund.NAV) (series, error) {
	n := len(navs)
	values := make([]float64, 2*n)
	s := series{navs: navs, returns: values[:n], wealth: values[n:]}
	s.wealth[0] = 1
	for i := 1; i < n; i++ {
		r := (navs[i].Accum - navs[i-1].Accum) / navs[i-1].Unit
		w := s.wealth[i-1] * (1 + r)
		if !(w >= 1/maxWealth && w <= maxWealth) {
			return series{}, fmt.Errorf("%w: accum_nav of %s is %v after %v with a unit_nav of %v: wealth comes to %v, expected %v to %v",
				fund.ErrInvalid, navs[i].Date, navs[i].Accum, navs[i-1].Accum, navs[i-1].Unit, w, 1/maxWealth, maxWealth)
		}
		s.returns[i], s.wealth[i] = r, w
	}
	return s, nil
}

func (s *series) end() int             { return len(s.navs) - 1 }
func (s *series) date(i int) fund.Date { return s.navs[i].Date }

func (s *series) window(from, to int) fund.Window {
	return fund.Window{From: s.date(from), To: s.date(to)}
}

// between is the total return from one NAV to another.
func (s *series) between(from, to int) float64 { return s.wealth[to]/s.wealth[from] - 1 }

// part is the series from one NAV to another, both included.
func (s *series) part(from, to int) series {
	return series{navs: s.navs[from : to+1], returns: s.returns[from : to+1], wealth: s.wealth[from : to+1]}
}

// lastOnOrBefore returns the index of the last NAV on or before a day, or -1.
func (s *series) lastOnOrBefore(day fund.Date) int {
	lo, hi := 0, len(s.navs)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if s.date(mid) <= day {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo - 1
}

func isSame(a, b float64) bool { return math.Abs(a-b) <= float64(sameValue*b) }
