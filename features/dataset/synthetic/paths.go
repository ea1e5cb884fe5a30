package synthetic

import "github.com/fundmatch/fundmatch/matcher/fund"

// path is the history of one share class. Values are ten-thousandths of a yuan, the
// four decimals that funds publish.
type path struct {
	first  int     // index in market.days of the first value; len(days): none
	units  []int32 // a value a day from first; 0: none was published
	accums []int32 // nil: as units, nothing was ever distributed
}

// noPath is the history of what publishes no value.
func (m *market) noPath() path { return path{first: len(m.days)} }

// unitAt returns the value of a day by its index, 0 when there is none.
func (p *path) unitAt(day int) int32 {
	if day < p.first || day-p.first >= len(p.units) {
		return 0
	}
	return p.units[day-p.first]
}

// navs appends the published values in date order to dst.
func (p *path) navs(dst []fund.NAV, days []fund.Date) []fund.NAV {
	for i, unit := range p.units {
		if unit == 0 {
			continue
		}
		accum := unit
		if p.accums != nil {
			accum = p.accums[i]
		}
		dst = append(dst, fund.NAV{Date: days[p.first+i], Unit: float64(unit) / 10_000, Accum: float64(accum) / 10_000})
	}
	return dst
}

// fundPath is what the share classes of one fund have in common.
type fundPath struct {
	first   int       // index of the first value
	returns []float64 // gross of fees, from first on
	start   float64   // value of the first day
	hidden  [2]int    // no values in [from, to) of the market's days
	weekly  bool      // only Fridays' values: a closed period
	pays    bool      // distributes once a year
	payDay  int       // day of the year of the distribution
	isMoney bool      // the unit stays at 1.0000, all income is distributed
}

// grossReturns draws the returns of a fund from its loadings.
func (m *market) grossReturns(s stream, load loadings, themeIndex, first int) []float64 {
	out := make([]float64, len(m.days)-first)
	carry := load.carry / yearDays
	for i := range out {
		day := first + i
		r := carry + float64(s.normal()*load.noise)
		r += float64(load.equity * m.returns[equityFactor][day])
		r += float64(load.bond * m.returns[bondFactor][day])
		r += float64(load.overseas * m.returns[overseasFactor][day])
		r += float64(load.gold * m.returns[goldFactor][day])
		r += float64(load.property * m.returns[propertyFactor][day])
		if themeIndex >= 0 {
			r += float64(load.theme * m.returns[themeFactor+factor(themeIndex)][day])
		}
		out[i] = r
	}
	return out
}

// The bounds of a unit value, in yuan. No fund of the model comes near them in six
// years; they keep the ten-thousandths within 32 bits for every seed.
const (
	minUnit = 0.05
	maxUnit = 1_000
)

// classPath compounds a fund's returns less the running fees of one share class.
func (m *market) classPath(f *fundPath, fees *fund.FeeSchedule) path {
	p := path{first: f.first, units: make([]int32, len(f.returns))}
	if f.isMoney || f.pays {
		p.accums = make([]int32, len(f.returns))
	}
	fee := float64(fees.Management+fees.Custody+fees.Service) / 10_000 / yearDays
	value, paid := f.start, 0.0
	for i, r := range f.returns {
		if i > 0 {
			value = min(max(float64(value*(1+(r-fee))), minUnit), maxUnit)
		}
		day := f.first + i
		if paysOut, kept := f.distribution(m.days, day, value); paysOut > 0 {
			value, paid = kept, paid+paysOut
		}
		if f.published(m.days[day], day) {
			p.units[i] = tenThousandths(value)
			if p.accums != nil {
				p.accums[i] = tenThousandths(value + paid)
			}
		}
	}
	return p
}

// distribution returns what is paid out of a value on a day, and what stays.
func (f *fundPath) distribution(days []fund.Date, day int, value float64) (paid, kept float64) {
	switch {
	case f.isMoney && value > 1:
		return value - 1, 1
	case f.pays && value > 1.08 && isPayDay(days, day, f.payDay):
		return 0.05, value - 0.05
	}
	return 0, value
}

// isPayDay reports whether an open day is the first one at or after a day of the year,
// both counted as months of 31 days.
func isPayDay(days []fund.Date, day, ofYear int) bool {
	number := func(d fund.Date) int { return (d.Month()-1)*31 + d.Day() - 1 }
	if day == 0 || number(days[day]) < ofYear {
		return false
	}
	before := days[day-1]
	return before.Year() < days[day].Year() || number(before) < ofYear
}

// published reports whether the fund shows a value on a day.
func (f *fundPath) published(date fund.Date, day int) bool {
	if day >= f.hidden[0] && day < f.hidden[1] {
		return false
	}
	return !f.weekly || date.Weekday() == 5 || day == f.first
}

// tenThousandths rounds a positive value in yuan to four decimals.
func tenThousandths(x float64) int32 { return int32(float64(x*10_000) + 0.5) }
