package outcome

import (
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Holding is a past holding of a product: what was foreseen of it on the day of entry, and
// what came of it.
type Holding struct {
	Product int // index
	Horizon Horizon
	AsOf    fund.Date // the day of the order: what is foreseen rests on NAVs before it
	Bought  fund.Date // the day of the NAV that it is bought at: the first on or after AsOf
	Due     fund.Date // the same day so many months later; the exit is the last NAV until then
	// Volatility is what was foreseen, a year, for all horizons, as Foresee would on AsOf.
	Volatility [Horizons]float64
	Gross, Net Result // before and after the product's costs
}

// Result is what came of a holding.
type Result struct {
	Return   float64
	Drawdown float64 // deepest fall from a peak on the way; after costs from the money paid on, with the exit's fee on the last day
}

// Entries are on Wednesdays: a week's middle is the least often closed.
const (
	daysAWeek    = 7
	firstWeekday = 6 // day number of 1970-01-07, a Wednesday
)

// Past calls yield with every holding entered on a Wednesday that was completed before a
// day, in the order of products, entry days and horizons. A product needs a record of its
// own on the day of entry; a week without a NAV has no entry. Errors are those of Foresee,
// or yield's.
func Past(products []Product, until fund.Date, s Settings, yield func(*Holding) error) error {
	if err := s.Check(); err != nil {
		return err
	}
	p := past{settings: &s, products: products, weeks: make([]weekly, len(products))}
	for i := range products {
		if err := p.read(i, until); err != nil {
			return err
		}
	}
	for i := range products {
		if err := p.hold(i, yield); err != nil {
			return err
		}
	}
	return nil
}

// past looks at all products week by week.
type past struct {
	settings *Settings
	products []Product
	weeks    []weekly
	first    int       // week of classes[0]
	classes  [][]crowd // by week, class; a week is counted from 1970
}

// weekly is what a product's record says on the entry days of its weeks.
type weekly struct {
	n      int // NAVs before the day asked about
	first  int // week of sights[0]
	sights []sight
	bought []int32 // the NAV that an entry in the week is bought at; -1: none
}

// weekOf returns the week of the last entry day before or on a day.
func weekOf(day fund.Date) int { return floorDiv(day.DayNumber()-firstWeekday, daysAWeek) }

// LastEntry returns the last day, not after a day, that Past counts entries on.
func LastEntry(day fund.Date) fund.Date { return entryDay(weekOf(day)) }

func entryDay(week int) fund.Date { return fund.DateOfDay(week*daysAWeek + firstWeekday) }

func floorDiv(a, b int) int {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

// read looks at one product on every entry day on which its record speaks.
func (p *past) read(i int, until fund.Date) error {
	product := &p.products[i]
	w := &p.weeks[i]
	var err error
	if w.n, err = product.Series.before(product.Code, until); err != nil || w.n == 0 {
		return err
	}
	days, wealth := product.Series.Days[:w.n], product.Series.Wealth[:w.n]
	w.first = weekOf(days[0]) + 1
	v := newSums(p.settings, days[0], wealth[0])
	next := 1
	for week := w.first; ; week++ {
		entry := entryDay(week)
		if entry.DaysSince(days[w.n-1]) > staleDays {
			break
		}
		for next < w.n && days[next] < entry {
			v.add(days[next], wealth[next])
			next++
		}
		seen, bought := sight{}, int32(-1)
		if entry.DaysSince(days[next-1]) <= staleDays {
			seen = v.sight(p.settings.MinReturns)
		}
		if next < w.n && days[next].DaysSince(entry) < daysAWeek {
			bought = int32(next)
		}
		w.sights, w.bought = append(w.sights, seen), append(w.bought, bought)
	}
	p.count(product.Class, w)
	return nil
}

// count adds a product's sights to those of its class.
func (p *past) count(class fund.Class, w *weekly) {
	if len(w.sights) == 0 || class == fund.ClassUnknown || int(class) >= fund.Classes {
		return
	}
	if len(p.classes) == 0 {
		p.first = w.first
	}
	if lead := p.first - w.first; lead > 0 {
		p.classes = append(make([][]crowd, lead), p.classes...)
		p.first = w.first
	}
	for k := range w.sights {
		week := w.first + k - p.first
		for week >= len(p.classes) {
			p.classes = append(p.classes, nil)
		}
		if p.classes[week] == nil {
			p.classes[week] = make([]crowd, fund.Classes)
		}
		p.classes[week][class].add(w.sights[k])
	}
}

func (p *past) classOf(class fund.Class, week int) crowd {
	k := week - p.first
	if k < 0 || k >= len(p.classes) || p.classes[k] == nil || int(class) >= fund.Classes || class == fund.ClassUnknown {
		return crowd{}
	}
	return p.classes[k][class]
}

// hold walks over a product's entries.
func (p *past) hold(i int, yield func(*Holding) error) error {
	w := &p.weeks[i]
	product := &p.products[i]
	for k, at := range w.bought {
		own := w.sights[k]
		if at < 0 || own.returns == 0 {
			continue
		}
		week := w.first + k
		class := p.classOf(product.Class, week)
		walk := newWalk(product, int(at))
		volatility, _, _ := p.settings.blendAll(own, class) // it has a record of its own
		for h := range Horizons {
			due := walk.bought().AddMonths(int(h.Months()))
			if due > product.Series.Days[w.n-1] {
				break // nor have the longer ones passed
			}
			if !walk.to(due, w.n) {
				continue
			}
			holding := Holding{
				Product: i, Horizon: h, AsOf: entryDay(week), Bought: walk.bought(), Due: due,
				Volatility: volatility, Gross: walk.gross(), Net: walk.net(h),
			}
			if err := yield(&holding); err != nil {
				return err
			}
		}
	}
	return nil
}

// walk follows one entry from horizon to horizon.
type walk struct {
	product         *Product
	entry, exit     int
	peak, least     float64 // of wealth since the entry
	deepest         float64 // fall
	atEntry, atExit float64
}

func newWalk(p *Product, entry int) walk {
	w := p.Series.Wealth[entry]
	return walk{product: p, entry: entry, exit: entry, peak: w, least: w, atEntry: w, atExit: w}
}

func (w *walk) bought() fund.Date { return w.product.Series.Days[w.entry] }

// to goes on to the last of the first n NAVs until a day, and reports whether there is one
// after the entry.
func (w *walk) to(due fund.Date, n int) bool {
	days, wealth := w.product.Series.Days, w.product.Series.Wealth
	for w.exit+1 < n && days[w.exit+1] <= due {
		w.exit++
		v := wealth[w.exit]
		w.atExit = v
		if v > w.peak {
			w.peak = v
			continue
		}
		w.least = min(w.least, v)
		w.deepest = max(w.deepest, 1-v/w.peak)
	}
	return w.exit > w.entry
}

func (w *walk) gross() Result {
	return Result{Return: w.atExit/w.atEntry - 1, Drawdown: w.deepest}
}

// net is the result on the money paid: it is lowered by the entry's fee at once, and by the
// exit's on the last day.
func (w *walk) net(h Horizon) Result {
	entry, exit := w.product.Costs.kept(h)
	paid := w.atEntry / entry // wealth that the money paid would be without a fee
	return Result{
		Return:   w.product.Costs.ofReturn(h, w.atExit/w.atEntry-1),
		Drawdown: max(w.deepest, 1-w.least/paid, 1-float64(exit*w.atExit)/max(w.peak, paid), 0),
	}
}
