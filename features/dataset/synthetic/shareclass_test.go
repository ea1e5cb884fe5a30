package synthetic

import (
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

func TestShareClassesPayInTheirOwnWay(t *testing.T) {
	for _, c := range []struct {
		style                    styleID
		class                    string
		entry                    fund.Money // on 100,000 yuan without discount
		service, management      fund.BasisPoints
		exitWithinAWeek, exitDay fund.BasisPoints // exitDay: after 100 days
	}{
		{stockTiltStyle, "A", 79_365, 0, 120, 150, 50}, // 10,000,000 - 10,000,000/1.008
		{stockTiltStyle, "C", 0, 40, 120, 150, 50},
		{indexStyle, "A", 29_910, 0, 50, 150, 0},
		{fofStyle, "Y", 49_751, 0, 40, 150, 50},
		{moneyStyle, "A", 0, 20, 20, 0, 0},
		{moneyStyle, "B", 0, 1, 20, 0, 0},
	} {
		st := &styles[c.style]
		d := &draft{style: c.style, theme: -1, money: fundMoney{entry: st.fees.entry, service: st.fees.service, exit: st.fees.exit}}
		f := d.schedule(c.class, st)
		if got := f.EntryFee(10_000_000); got != c.entry {
			t.Errorf("%s %s: entry fee %d, expected %d", st.typ, c.class, got, c.entry)
		}
		if f.Service != c.service || f.Management != c.management || f.ExitRate(3) != c.exitWithinAWeek || f.ExitRate(100) != c.exitDay {
			t.Errorf("%s %s: %+v, expected %+v", st.typ, c.class, f, c)
		}
	}
}

func TestClosedPeriodsPublishOnFridays(t *testing.T) {
	m := newMarket(1, asOf)
	first := len(m.days) - 30
	f := &fundPath{first: first, start: 1, weekly: true, returns: make([]float64, 30)}
	p := m.classPath(f, &fund.FeeSchedule{})
	navs := p.navs(nil, m.days)
	if len(navs) < 4 || len(navs) > 8 || navs[0].Date != m.days[first] {
		t.Fatalf("%d values from %s, expected one a week from %s", len(navs), navs[0].Date, m.days[first])
	}
	for _, nav := range navs[1:] {
		if nav.Date.Weekday() != time.Friday {
			t.Errorf("a value of %s, a %s", nav.Date, nav.Date.Weekday())
		}
	}
}

func TestHiddenDaysHaveNoValueAndNoPrice(t *testing.T) {
	m := newMarket(1, asOf)
	f := &fundPath{start: 1, returns: make([]float64, len(m.days))}
	f.hide(newStream(1, pathStream, 0), len(m.days))
	p := m.classPath(f, &fund.FeeSchedule{})
	from, to := f.hidden[0], f.hidden[1]
	if m.days[to].DaysSince(m.days[from-1]) <= 31 {
		t.Errorf("the gap from %s to %s is no longer than 31 days", m.days[from-1], m.days[to])
	}
	for _, c := range []struct {
		day    int
		priced bool
	}{{from - 1, true}, {from, false}, {to - 1, false}, {to, true}, {len(m.days), false}} {
		if got := p.unitAt(c.day) != 0; got != c.priced {
			t.Errorf("day %d of a gap [%d, %d): priced %v", c.day, from, to, got)
		}
	}
}

func TestShelvesServeThePopularMost(t *testing.T) {
	h := shelf{members: []int{7, 8, 9}, cumulative: []float64{1, 2, 12}}
	s := newStream(1, customerStream, 0)
	counts := map[int]int{}
	for range 12_000 {
		counts[h.pick(s)]++
	}
	if counts[7] < 800 || counts[7] > 1_200 || counts[9] < 9_700 || counts[9] > 10_300 || len(counts) != 3 {
		t.Errorf("picked %v, expected 1:1:10", counts)
	}
	if empty := (&shelf{}).pick(s); empty != -1 {
		t.Errorf("an empty shelf gave %d, expected -1", empty)
	}
}
