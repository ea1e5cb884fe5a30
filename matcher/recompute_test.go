package matcher_test

import (
	"math"
	"slices"
	"strings"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// clerk recomputes figures of one answer from what the bank has on file.
type clerk struct {
	*bank
	core  *matcher.Core
	books map[string]*navBook
	p     *fund.Profile
	r     matcher.Request
	deeds []fund.Event // of his trail, up to the question
	held  []position   // by code
}

// position is what he holds of one product.
type position struct {
	code     string
	lots     []fund.Lot
	value    float64 // fen; 0: no NAV
	cost     float64 // fen; 0: not known
	lastNAV  fund.Date
	shares   float64
	ageSum   float64 // days times shares times NAV
	ageValue float64
}

func newClerk(b *bank, core *matcher.Core, books map[string]*navBook, p *fund.Profile, r matcher.Request) *clerk {
	k := &clerk{bank: b, core: core, books: books, p: p, r: r}
	for _, e := range p.Trail.Recent {
		if e.At <= r.At {
			k.deeds = append(k.deeds, e)
		}
	}
	for _, l := range p.Lots {
		if l.Shares <= 0 || l.AcquiredOn > b.day {
			continue
		}
		if n := len(k.held); n == 0 || k.held[n-1].code != l.ProductCode {
			k.held = append(k.held, position{code: l.ProductCode})
		}
		at := &k.held[len(k.held)-1]
		at.lots = append(at.lots, l)
		at.shares += float64(l.Shares)
	}
	for i := range k.held {
		k.value(&k.held[i])
	}
	return k
}

func (k *clerk) value(at *position) {
	book := k.books[at.code]
	for _, l := range at.lots {
		if l.Cost == 0 {
			at.cost = 0
			break
		}
		at.cost += float64(l.Cost)
	}
	if len(book.navs) == 0 {
		return
	}
	nav := book.navs[len(book.navs)-1].Unit
	at.value, at.lastNAV = math.Floor(at.shares*nav/100+.5), book.last()
	for _, l := range at.lots {
		at.ageSum += float64(k.day.DaysSince(l.AcquiredOn)) * float64(l.Shares) * nav
		at.ageValue += float64(l.Shares) * nav
	}
}

// want is what a figure should be.
type want struct {
	none   bool // there should be no such figure
	text   string
	number float64
	slack  float64 // a ratio may lie on the border of two millionths
	others []int64 // as good as number
	window fund.Window
	stale  int32
}

// row says how a field is recomputed and where it may be looked up.
type row struct {
	sources string
	of      func(*clerk, *claim) want
}

func isText(s string) want                        { return want{text: s} }
func isNumber[T ~int | ~int32 | ~int64](n T) want { return want{number: float64(n)} }
func isMoney(fen float64) want                    { return want{number: fen, slack: .01} }
func isRatio(r float64) want                      { return want{number: r * 1e6, slack: .51 + 1e-6*math.Abs(r*1e6)} }
func nothing() want                               { return want{none: true} }
func (w want) during(x fund.Window) want          { w.window = x; return w }
func (w want) aged(days int32) want               { w.stale = days; return w }

// about is the product that a claim speaks of.
func (k *clerk) about(c *claim) *fund.Product { return k.find(c.product) }

func (k *clerk) find(code string) *fund.Product {
	i := slices.IndexFunc(k.products, func(p fund.Product) bool { return p.Code == code })
	return &k.products[i]
}

func (k *clerk) book(c *claim) *navBook { return k.books[c.product] }

func grade(p *fund.Product) fund.RiskGrade {
	if p.Grades.Bank == 0 {
		return 0
	}
	return max(p.Grades.Bank, p.Grades.Issuer)
}

// fromNAV makes a row of the claim's product's series.
func fromNAV(of func(k *clerk, b *navBook, c *claim) want) row {
	return row{"NAV", func(k *clerk, c *claim) want {
		b := k.book(c)
		return of(k, b, c).aged(b.stale())
	}}
}

// onPaper makes a row of the product's own papers.
func onPaper(of func(p *fund.Product) want) row {
	return row{"PRODUCT", func(k *clerk, c *claim) want { return of(k.about(c)) }}
}

func fromPool(of func(k *clerk, p *fund.Product) want) row {
	return row{"POOL", func(k *clerk, c *claim) want { return of(k, k.about(c)) }}
}

func constant(source string, w want) row {
	return row{source, func(*clerk, *claim) want { return w }}
}

// recomputations is the table: every field of evidence there is, and how to get it.
func recomputations() map[string]row {
	all := map[string]row{}
	for _, part := range []map[string]row{recordRows(), outcomeRows(), managedRows(), productRows(), costRows(), personRows(), holdingRows(), behaviourRows(), groundRows()} {
		for field, r := range part {
			all[field] = r
		}
	}
	return all
}

// recordRows are figures of a series.
func recordRows() map[string]row {
	rows := map[string]row{
		"NAV_BASIS": fromNAV(func(_ *clerk, b *navBook, _ *claim) want {
			if !b.drifts() {
				return nothing()
			}
			return isText("UNCLEAR").during(b.window(0))
		}),
		"OBSERVATIONS": fromNAV(func(_ *clerk, b *navBook, _ *claim) want {
			return isNumber(len(b.navs)).during(b.window(0))
		}),
		"MAX_DRAWDOWN": fromNAV(func(_ *clerk, b *navBook, _ *claim) want { return isRatio(b.fall(0).value).during(b.window(0)) }),
		"PEER_DRAWDOWN": {"NAV", func(k *clerk, c *claim) want {
			b := k.books[c.item.PeerCode]
			return isRatio(b.fall(0).value).during(b.window(0)).aged(b.stale())
		}},
		"NAV_GAP": fromNAV(func(_ *clerk, b *navBook, c *claim) want {
			if !slices.Contains(b.gaps, c.Window) {
				return nothing()
			}
			return isNumber(c.Window.To.DaysSince(c.Window.From)).during(c.Window)
		}),
		"WORST_12M_MONTHS": fromNAV(func(_ *clerk, b *navBook, c *claim) want {
			return isNumber(12).during(worst(b.results(0, 12), c.Window).window)
		}),
		"LOSS": {"COMPUTED", func(k *clerk, c *claim) want {
			b := k.book(c)
			return k.loses(c, b.fall(0).value).during(b.window(0)).aged(b.stale())
		}},
		"LOSS_12M": {"COMPUTED", func(k *clerk, c *claim) want {
			b := k.book(c)
			least := worst(b.results(0, 12), c.Window)
			return k.loses(c, least.value).during(least.window).aged(b.stale())
		}},
	}
	for _, d := range []struct {
		field string
		of    func(*navBook, deepest) fund.Date
	}{
		{"PEAK_ON", func(b *navBook, d deepest) fund.Date { return b.navs[d.peak].Date }},
		{"TROUGH_ON", func(b *navBook, d deepest) fund.Date { return b.navs[d.trough].Date }},
		{"RECOVERED_ON", func(b *navBook, d deepest) fund.Date { return b.navs[d.again].Date }},
	} {
		rows[d.field] = fromNAV(func(_ *clerk, b *navBook, _ *claim) want {
			return isNumber(int(d.of(b, b.fall(0)))).during(b.window(0))
		})
		rows["PEER_"+d.field] = row{"NAV", func(k *clerk, c *claim) want {
			b := k.books[c.item.PeerCode]
			return isNumber(int(d.of(b, b.fall(0)))).during(b.window(0)).aged(b.stale())
		}}
	}
	for field, back := range map[string]bool{"RECOVERY_DAYS": true, "DAYS_SINCE_TROUGH": false} {
		rows[field] = fromNAV(func(_ *clerk, b *navBook, _ *claim) want {
			d := b.fall(0)
			if (d.again >= 0) != back {
				return nothing()
			}
			return isNumber(d.days).during(b.window(0))
		})
	}
	for field, months := range map[string]int{"WORST_1M": 1, "WORST_3M": 3, "WORST_6M": 6, "WORST_12M": 12} {
		rows[field] = worstRow(0, months)
	}
	for field, months := range map[string]int{"1Y": 12, "3Y": 36, "5Y": 60, "SINCE_START": 0} {
		rows["WORST_12M_"+field] = worstRow(months, 12)
		rows["RETURN_"+field] = fromNAV(func(_ *clerk, b *navBook, _ *claim) want {
			from := b.start(months)
			return isRatio(b.wealth[len(b.wealth)-1]/b.wealth[from] - 1).during(b.window(from))
		})
		rows["MAX_DRAWDOWN_"+field] = fromNAV(func(_ *clerk, b *navBook, _ *claim) want {
			from := b.start(months)
			return isRatio(b.fall(from).value).during(b.window(from))
		})
		rows["VOLATILITY_"+field] = volatilityRow(months)
	}
	rows["VOLATILITY"] = volatilityRow(0)
	for i, field := range []string{"WORST_12M_FROM", "WORST_12M_TO"} {
		rows[field] = fromNAV(func(_ *clerk, b *navBook, c *claim) want {
			w := worst(b.results(0, 12), c.Window).window
			return isNumber(int([]fund.Date{w.From, w.To}[i])).during(w)
		})
	}
	dates := func(i int) row {
		return row{"NAV", func(k *clerk, c *claim) want { return k.windowDay(c, i) }}
	}
	rows["FROM"], rows["AS_OF"], rows["TO"] = dates(0), dates(1), dates(1)
	return rows
}

func worstRow(span, months int) row {
	return fromNAV(func(_ *clerk, b *navBook, c *claim) want {
		all := b.results(b.start(span), months)
		if len(all) == 0 {
			return nothing()
		}
		least := worst(all, c.Window)
		return isRatio(least.value).during(least.window)
	})
}

func volatilityRow(months int) row {
	return fromNAV(func(_ *clerk, b *navBook, _ *claim) want {
		from := b.start(months)
		v, ok := b.volatility(from)
		if !ok {
			return nothing()
		}
		return isRatio(v).during(b.window(from))
	})
}

// windowDay is the first (0) or last (1) day of a series, or in notices of a gap or of the
// oldest of the list's series.
func (k *clerk) windowDay(c *claim, end int) want {
	switch c.where {
	case "notice NAV_GAP":
		for i := range c.slate.Items {
			if gaps := k.books[c.slate.Items[i].Code].gaps; len(gaps) > 0 {
				last := gaps[len(gaps)-1]
				return isNumber(int([]fund.Date{last.From, last.To}[end]))
			}
		}
		return nothing()
	case "notice PRODUCT_DATA_STALE":
		oldest := k.day
		for i := range c.slate.Items {
			if b := k.books[c.slate.Items[i].Code]; len(b.navs) > 0 {
				oldest = min(oldest, b.last())
			}
		}
		if k.day.DaysSince(oldest) <= 30 {
			return nothing()
		}
		return isNumber(int(oldest))
	}
	b := k.book(c)
	w := b.window(0)
	return isNumber(int([]fund.Date{w.From, w.To}[end])).during(w).aged(b.stale())
}

// loses is what a fall, below 0, takes from the amount of an item; the ratio is rounded to
// millionths first.
func (k *clerk) loses(c *claim, fall float64) want {
	return want{number: k.amount(c) * -math.Round(fall*1e6) / 1e6, slack: .51 + k.amount(c)/1e6}
}

// outcomeRows are figures over all past entry days.
func outcomeRows() map[string]row {
	rows := map[string]row{}
	of := func(field string, figure func(all []result, months int, c *claim) want) {
		rows[field] = fromNAV(func(k *clerk, b *navBook, c *claim) want {
			months := k.holdingMonths(b, c)
			if months == 0 {
				return nothing()
			}
			all := b.results(0, months)
			over := fund.Window{From: all[0].window.From, To: slices.MaxFunc(all, func(x, y result) int { return int(x.window.To) - int(y.window.To) }).window.To}
			w := figure(all, months, c)
			if w.window == (fund.Window{}) {
				w.window = over
			}
			switch c.Field {
			case "OUTCOME_FROM":
				w.number = float64(over.From)
			case "OUTCOME_TO":
				w.number = float64(over.To)
			}
			return w
		})
	}
	for field, percent := range map[string]int{"P10": 10, "MEDIAN": 50, "P90": 90, "OUTCOME_P10": 10, "OUTCOME_MEDIAN": 50, "OUTCOME_P90": 90} {
		of(field, func(all []result, _ int, _ *claim) want { return isRatio(quantile(all, percent)) })
	}
	of("HOLDING", func(_ []result, months int, _ *claim) want { return isNumber(months) })
	of("ENTRIES", func(all []result, _ int, _ *claim) want { return isNumber(len(all)) })
	of("OUTCOME_FROM", func([]result, int, *claim) want { return want{} })
	of("OUTCOME_TO", func([]result, int, *claim) want { return want{} })
	for _, field := range []string{"WORST", "WORST_OUTCOME", "WORST_FROM", "WORST_TO"} {
		of(field, func(all []result, _ int, c *claim) want {
			least := worst(all, c.Window)
			w := isRatio(least.value)
			switch field {
			case "WORST_FROM":
				w = isNumber(int(least.window.From))
			case "WORST_TO":
				w = isNumber(int(least.window.To))
			}
			return w.during(least.window)
		})
	}
	rows["OUTCOME_LOSS"] = row{"COMPUTED", func(k *clerk, c *claim) want {
		b := k.book(c)
		least := worst(b.results(0, k.holdingMonths(b, c)), c.Window)
		return k.loses(c, least.value).during(least.window).aged(b.stale())
	}}
	tolerance := func(k *clerk, _ *claim) want {
		return isNumber([]int{0, 10_000, 50_000, 150_000, 300_000, 450_000}[k.p.Assessment.Level])
	}
	rows["TOLERANCE"] = row{"MODEL", tolerance}
	rows["BENCHMARK_FALL"] = fromNAV(func(k *clerk, b *navBook, c *claim) want {
		w := b.window(0)
		other := k.books[k.about(c).Content.Benchmark]
		from := slices.IndexFunc(other.navs, func(n fund.NAV) bool { return n.Date == w.From })
		cut := &navBook{navs: other.navs, wealth: other.wealth}
		for i, n := range other.navs {
			if n.Date <= w.To {
				cut.navs, cut.wealth = other.navs[:i+1], other.wealth[:i+1]
			}
		}
		if from < 0 {
			return nothing()
		}
		return isRatio(cut.fall(from).value).during(w)
	})
	return rows
}

// holdingMonths is the longest holding that is told: for doubts of a year and more within
// the horizon of the quote, for the wish within his own, where entry days span a year.
func (k *clerk) holdingMonths(b *navBook, c *claim) int {
	horizon, least := max(12, k.horizon(c)), 12
	wish := strings.HasPrefix(c.where, "matched")
	if wish {
		horizon, least = int(c.slate.Wish.HorizonMonths), 1
	}
	for _, months := range []int{36, 24, 12, 6, 3, 1} {
		if months > horizon || months < least || len(b.navs) < 2 {
			continue
		}
		all := b.results(0, months)
		if len(all) < 60 {
			continue
		}
		if wish && monthsLater(all[0].window.From, months+12) > all[len(all)-1].window.To {
			continue
		}
		return months
	}
	return 0
}

// managedRows are ranges over all comparable funds of a manager.
func managedRows() map[string]row {
	rows := map[string]row{"FUNDS": {"POOL", func(k *clerk, c *claim) want { return isNumber(len(k.managed(c))) }}}
	of := func(field string, figure func(m *measuredFunds) want) {
		rows[field] = row{"NAV", func(k *clerk, c *claim) want {
			m := k.measure(c)
			if m == nil {
				return nothing()
			}
			w := figure(m)
			if w.window == (fund.Window{}) {
				w.window = m.all
			}
			return w.aged(m.stale)
		}}
	}
	of("FUNDS_MEASURED", func(m *measuredFunds) want { return isNumber(len(m.years)) })
	of("FUNDS_SPAN", func(m *measuredFunds) want { return isNumber(m.months) })
	of("FUNDS_YEAR", func(*measuredFunds) want { return isNumber(12) })
	of("FUNDS_FROM", func(m *measuredFunds) want { return isNumber(int(m.all.From)) })
	of("FUNDS_TO", func(m *measuredFunds) want { return isNumber(int(m.all.To)) })
	least := func(all []result, sign float64) want {
		best := slices.MinFunc(all, func(a, b result) int {
			return int(sign * (math.Round(a.value*1e6) - math.Round(b.value*1e6)))
		})
		return isRatio(best.value).during(best.window)
	}
	of("FUNDS_WORST", func(m *measuredFunds) want { return least(m.years, 1) })
	of("FUNDS_BEST", func(m *measuredFunds) want { return least(m.years, -1) })
	of("FUNDS_DRAWDOWN", func(m *measuredFunds) want { return least(m.falls, 1) })
	of("FUNDS_VOLATILITY", func(m *measuredFunds) want { return least(m.swings, -1) })
	return rows
}

type measuredFunds struct {
	months               int
	stale                int32
	all                  fund.Window
	years, falls, swings []result
}

// managed are the funds of the manager in the class, by the first share class of each.
func (k *clerk) managed(c *claim) (codes []string) {
	p := k.about(c)
	sorted := inCodeOrder(k.products)
	seen := map[string]bool{}
	for i := range sorted {
		q := &sorted[i]
		if !seen[q.FundCode()] && q.Parties.ManagerName == p.Parties.ManagerName && q.Class() == p.Class() {
			codes = append(codes, q.Code)
		}
		seen[q.FundCode()] = true
	}
	return codes
}

func (k *clerk) measure(c *claim) *measuredFunds {
	for _, months := range []int{36, 12} {
		m := &measuredFunds{months: months}
		for _, code := range k.managed(c) {
			b := k.books[code]
			from := b.start(months)
			if !b.showable() || b.stale() > 30 || from < 0 || b.drifts() { // of a drifting one nothing is told
				continue
			}
			years := b.results(from, 12)
			swing, ok := b.volatility(from)
			if len(years) == 0 || !ok {
				continue
			}
			w := b.window(from)
			m.years = append(m.years, worst(years, c.Window))
			m.falls, m.swings = append(m.falls, result{w, b.fall(from).value}), append(m.swings, result{w, swing})
			if m.all.From == 0 || w.From < m.all.From {
				m.all.From = w.From
			}
			m.all.To, m.stale = max(m.all.To, w.To), max(m.stale, b.stale())
		}
		if len(m.years) > 0 {
			return m
		}
	}
	return nil
}
