package synthetic

import "github.com/fundmatch/fundmatch/matcher/fund"

// The span of the market's history and of the calendar's future, in days.
const (
	historyDays  = 2_100 // five years and nine months
	calendarDays = 400   // ahead of as-of, so that every order finds its day
)

// factor is one common source of returns.
type factor int

// The factors: whole markets first, then the excess of a theme over the equity market.
const (
	equityFactor factor = iota
	bondFactor
	overseasFactor
	goldFactor
	propertyFactor
	themeFactor // the first of the themes' factors
)

// phase is a stretch of a factor's history: it ends so many days before as-of, and the
// factor returns so much over it.
type phase struct {
	until int
	total float64
}

// history is what happens to a factor. The totals hold exactly for every seed: the
// crash is there in every bank, only its days differ.
type history struct {
	volatility float64 // of a day
	phases     []phase
}

// The days before as-of at which the market turns.
const (
	crashFrom    = 1_230 // three years and four months before as-of
	crashTo      = 1_000
	slumpTo      = 480 // of the whole market
	themeSlumpAt = 540 // of the one theme, until as-of
	bondSlumpAt  = 430
	bondSlumpTo  = 375
)

var marketHistories = [themeFactor]history{
	equityFactor: {0.0105, []phase{{crashFrom, 0.52}, {crashTo, -0.37}, {slumpTo, -0.09}, {0, 0.24}}},
	bondFactor: {0.0005, []phase{
		{crashFrom, 0.092}, {bondSlumpAt, 0.082}, {bondSlumpTo, -0.028}, {0, 0.037},
	}},
	overseasFactor: {0.0100, []phase{{crashFrom, 0.38}, {900, -0.24}, {slumpTo, 0.26}, {0, 0.15}}},
	goldFactor:     {0.0080, []phase{{crashFrom, 0.10}, {700, 0.16}, {slumpTo, -0.06}, {0, 0.34}}},
	propertyFactor: {0.0075, []phase{{crashFrom, 0.16}, {slumpTo, -0.27}, {0, 0.06}}},
}

// theme is a part of the equity market that people speak of.
type theme struct {
	name    string
	history history
}

// slumpTheme is the index of the theme that has fallen for the last 18 months.
const slumpTheme = 0

var themes = [...]theme{
	{"新能源", history{0.0090, []phase{{crashFrom, 0.70}, {crashTo, 0.06}, {themeSlumpAt, 0.02}, {0, -0.46}}}},
	{"科技", history{0.0080, []phase{{crashFrom, 0.20}, {crashTo, -0.12}, {slumpTo, -0.05}, {0, 0.26}}}},
	{"医药", history{0.0070, []phase{{crashFrom, 0.30}, {crashTo, 0.02}, {slumpTo, -0.24}, {0, -0.03}}}},
	{"消费", history{0.0055, []phase{{crashFrom, 0.24}, {crashTo, 0.05}, {slumpTo, -0.10}, {0, -0.06}}}},
	{"金融", history{0.0060, []phase{{crashFrom, -0.18}, {crashTo, 0.10}, {slumpTo, 0.06}, {0, 0.04}}}},
	{"红利", history{0.0040, []phase{{crashFrom, -0.14}, {crashTo, 0.18}, {slumpTo, 0.16}, {0, -0.02}}}},
	{"军工", history{0.0085, []phase{{crashFrom, 0.05}, {crashTo, -0.06}, {slumpTo, -0.08}, {0, 0.12}}}},
	{"宽基", history{0.0008, []phase{{0, 0}}}}, // the market itself
}

const factorCount = themeFactor + factor(len(themes))

// market is the common past of all funds, a value for each open day before as-of.
type market struct {
	asOf     fund.Date
	days     []fund.Date
	returns  [factorCount][]float64 // simple returns of the day
	drawdown []float64              // of equities from the highest of the last year, <= 0
}

// newMarket draws the market of a seed.
func newMarket(seed uint64, asOf fund.Date) *market {
	m := &market{asOf: asOf, days: openDays(asOf.AddDays(-historyDays), asOf)}
	for f := range factorCount {
		h := &themes[max(f-themeFactor, 0)].history
		if f < themeFactor {
			h = &marketHistories[f]
		}
		m.returns[f] = m.draw(newStream(seed, marketStream, int(f)), h)
	}
	m.drawdown = drawdowns(m.returns[equityFactor])
	return m
}

// draw makes the daily returns of a history.
func (m *market) draw(s stream, h *history) []float64 {
	out := make([]float64, len(m.days))
	for i := range out {
		out[i] = float64(s.normal() * h.volatility)
	}
	from := 0
	for _, p := range h.phases {
		to := indexOnOrAfter(m.days, m.asOf.AddDays(-p.until))
		steer(out[from:to], p.total)
		from = to
	}
	return out
}

// steer shifts daily returns by the one constant that makes them compound to total. The
// constant is found by bisection: compounding rises with it.
func steer(returns []float64, total float64) {
	lo, hi := -0.05, 0.05
	for range 50 {
		mid := (lo + hi) / 2
		value := 1.0
		for _, r := range returns {
			value *= 1 + (r + mid)
		}
		if value < 1+total {
			lo = mid
		} else {
			hi = mid
		}
	}
	for i := range returns {
		returns[i] += lo
	}
}

// yearDays is the number of trading days that count as a year.
const yearDays = 243

// drawdowns returns, for each day, the fall from the highest value of the last year.
func drawdowns(returns []float64) []float64 {
	out := make([]float64, len(returns))
	values := make([]float64, len(returns))
	value := 1.0
	for i, r := range returns {
		value *= 1 + r
		values[i] = value
		peak := value
		for _, v := range values[max(0, i-yearDays):i] {
			peak = max(peak, v)
		}
		out[i] = value/peak - 1
	}
	return out
}
