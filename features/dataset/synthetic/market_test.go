package synthetic

import (
	"math"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// closed2025 are the weekdays of 2025 on which the exchanges of Shanghai and Shenzhen
// were closed, by their notice.
var closed2025 = []fund.Date{
	20250101, 20250128, 20250129, 20250130, 20250131, 20250203, 20250204, 20250404, 20250501, 20250502, 20250505, 20250602,
	20251001, 20251002, 20251003, 20251006, 20251007, 20251008,
}

func TestCalendarOf2025IsTheExchanges(t *testing.T) {
	closed := map[fund.Date]bool{}
	for _, d := range closed2025 {
		closed[d] = true
	}
	for d := fund.Date(20250101); d <= 20251231; d = d.AddDays(1) {
		weekend := d.Weekday() == time.Saturday || d.Weekday() == time.Sunday
		if want := !weekend && !closed[d]; isOpen(d) != want {
			t.Errorf("%s: open %v, expected %v", d, isOpen(d), want)
		}
	}
}

func TestEveryYearHasAsManyOpenDaysAsChineseYearsHave(t *testing.T) {
	for year := lunarFirstYear; year < lunarFirstYear+len(lunarHolidays); year++ {
		n := len(openDays(fund.Date(year*10000+101), fund.Date((year+1)*10000+101)))
		if n < 238 || n > 250 {
			t.Errorf("%d has %d open days, expected 238 to 250", year, n)
		}
		spring := fund.Date(year*10000 + lunarHolidays[year-lunarFirstYear][0])
		if spring < fund.Date(year*10000+120) || spring > fund.Date(year*10000+221) {
			t.Errorf("Spring Festival of %d on %s, expected 20 January to 21 February", year, spring)
		}
	}
}

// compound returns the total return over the days from so many days before as-of to so
// many.
func compound(m *market, f factor, from, to int) float64 {
	value := 1.0
	first, end := indexOnOrAfter(m.days, m.asOf.AddDays(-from)), indexOnOrAfter(m.days, m.asOf.AddDays(-to))
	for _, r := range m.returns[f][first:end] {
		value *= 1 + r
	}
	return value - 1
}

func TestEverySeedHasTheCrashAndTheSlump(t *testing.T) {
	for seed := range uint64(8) {
		m := newMarket(seed, asOf)
		for f := range themeFactor {
			from := historyDays
			for _, p := range marketHistories[f].phases {
				if got := compound(m, f, from, p.until); math.Abs(got-p.total) > 1e-9 {
					t.Errorf("seed %d: factor %d returned %.6f until %d days before as-of, expected %.6f", seed, f, got, p.until, p.total)
				}
				from = p.until
			}
		}
		if crash := compound(m, equityFactor, crashFrom, crashTo); crash > -0.35 {
			t.Errorf("seed %d: the crash took %.3f, expected more than 35 %%", seed, crash)
		}
		if slump := compound(m, themeFactor+slumpTheme, themeSlumpAt, 0); slump > -0.40 {
			t.Errorf("seed %d: the slump took %.3f, expected more than 40 %%", seed, slump)
		}
		deepest := 0.0
		for _, d := range m.drawdown {
			deepest = min(deepest, d)
		}
		if deepest > -0.35 || deepest < -0.60 {
			t.Errorf("seed %d: deepest fall within a year %.3f, expected 35 to 60 %%", seed, deepest)
		}
	}
}

func TestDrawdownLooksBackAYear(t *testing.T) {
	returns := make([]float64, 2*yearDays+10)
	returns[1], returns[5] = 1, -0.5 // doubles, then halves
	got := drawdowns(returns)
	for _, c := range []struct {
		day  int
		want float64
	}{{0, 0}, {4, 0}, {5, -0.5}, {4 + yearDays, -0.5}, {5 + yearDays, 0}} {
		if math.Abs(got[c.day]-c.want) > 1e-12 {
			t.Errorf("day %d: drawdown %.3f, expected %.3f", c.day, got[c.day], c.want)
		}
	}
}

func TestDistributionsComeOutOfTheUnitAndStayInTheAccumulated(t *testing.T) {
	m := newMarket(1, asOf)
	f := &fundPath{start: 1.2, pays: true, payDay: 180, returns: make([]float64, len(m.days))}
	p := m.classPath(f, &fund.FeeSchedule{})
	navs := p.navs(nil, m.days)
	falls := 0
	for i := 1; i < len(navs); i++ {
		if navs[i].Accum != 1.2 {
			t.Fatalf("%s: accumulated %.4f, expected 1.2 of a fund that earns nothing", navs[i].Date, navs[i].Accum)
		}
		if navs[i].Unit < navs[i-1].Unit {
			falls++
			if d := navs[i-1].Unit - navs[i].Unit; math.Abs(d-0.05) > 1e-9 {
				t.Errorf("%s: unit fell by %.4f, expected the .05 that was paid", navs[i].Date, d)
			}
		}
	}
	if falls != 3 { // 1.20, 1.15, 1.10 pay; 1.05 is too low
		t.Errorf("%d distributions, expected 3", falls)
	}
}

func TestMoneyFundsKeepTheirUnit(t *testing.T) {
	m := newMarket(1, asOf)
	returns := make([]float64, len(m.days))
	for i := range returns {
		returns[i] = 0.0001
	}
	p := m.classPath(&fundPath{start: 1, isMoney: true, returns: returns}, &fund.FeeSchedule{})
	navs := p.navs(nil, m.days)
	last := navs[len(navs)-1]
	if last.Unit != 1 || math.Abs(last.Accum-(1+0.0001*float64(len(navs)-1))) > 1e-4 {
		t.Errorf("after %d days unit %.4f and accumulated %.4f", len(navs), last.Unit, last.Accum)
	}
}
