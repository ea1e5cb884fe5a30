package objection

import "github.com/fundmatch/fundmatch/matcher/fund"

// answerNewFund says that there is no record, names an existing fund beside it with its
// deepest fall, and shows what else its manager runs, all of it (W08).
func (v *view) answerNewFund(o *Objection) {
	o.Discloses = "disclosure.NEW_ISSUE"
	if !v.NewIssue {
		v.answerNoNewFund(o)
		return
	}
	name := newFundSentences[0]
	subscription := v.launching()
	if subscription {
		name = newFundSentences[2]
	}
	status := v.Product.Listing.Status.String()
	if status == "" {
		status = "UNKNOWN" // who asks about a product that is not offered may meet one without a status
	}
	v.text("STATUS", status, sourcePool)
	launched := v.Product.Terms.LaunchedOn
	if launched != 0 {
		v.date("LAUNCHED_ON", launched)
	} else if !subscription {
		name = newFundSentences[1]
	}
	if closed := v.Product.Terms.ClosedUntil; subscription && closed > v.Day {
		name = newFundSentences[3]
		v.date("CLOSED_UNTIL", closed)
	}
	o.Sentences[0] = name.alone
	next := 1
	if v.Peer != nil && sayable(v.Peer.Name) {
		o.Sentences[0] = name.peer
		v.text("PEER", v.Peer.Name, sourcePool)
		if v.peerFell() {
			o.Sentences[next] = "objection.NEW_FUND.peer_fall"
			next++
		}
	}
	if len(v.Managed) > 1 { // others than this one
		o.Sentences[next] = v.allManaged()
	}
}

// answerNoNewFund says since when the fund runs and which days its record has: what is in
// the record is DRAWDOWN's, which stands beside it.
func (v *view) answerNoNewFund(o *Objection) {
	o.Discloses = ""
	dated, undated := "objection.NEW_FUND.runs", "objection.NEW_FUND.runs.no_date"
	if !v.shows {
		dated, undated = newFundSentences[0].alone, newFundSentences[1].alone
	}
	o.Sentences[0] = undated
	if launched := v.Product.Terms.LaunchedOn; launched != 0 {
		o.Sentences[0] = dated
		v.date("LAUNCHED_ON", launched)
	}
	if !v.shows {
		return
	}
	series := v.Record.Spans[fund.SinceStart].Drawdown.Window // whole: what is shown is Showable
	v.nav(v.Record, "FROM", fund.UnitDate, int64(series.From), series)
	v.nav(v.Record, "AS_OF", fund.UnitDate, int64(series.To), series)
}

// newFundSentences are those of a young fund, of one whose launch is not known, of one in
// its subscription, and of one that is closed afterwards.
var newFundSentences = [...]struct{ alone, peer string }{
	{"objection.NEW_FUND.young", "objection.NEW_FUND.young.peer"},
	{"objection.NEW_FUND.young.no_date", "objection.NEW_FUND.young.no_date.peer"},
	{"objection.NEW_FUND.subscription", "objection.NEW_FUND.subscription.peer"},
	{"objection.NEW_FUND.subscription.closed", "objection.NEW_FUND.subscription.closed.peer"},
}

// peerFell adds the peer's deepest fall where it may be shown.
func (v *view) peerFell() bool {
	r := v.Peer.Record
	if r == nil || !Showable(r) || !v.fresh(r) {
		return false
	}
	d := &r.Spans[fund.SinceStart].Drawdown
	if d.Value >= 0 {
		return false
	}
	v.nav(r, "PEER_PEAK_ON", fund.UnitDate, int64(d.PeakOn), d.Window)
	v.nav(r, "PEER_TROUGH_ON", fund.UnitDate, int64(d.TroughOn), d.Window)
	v.nav(r, "PEER_DRAWDOWN", fund.UnitRatio, int64(d.Value), d.Window)
	return true
}

// answerManagerTrust shows tenure and all comparable funds, never the best alone (W08).
func (v *view) answerManagerTrust(o *Objection) {
	p := &v.Product.Parties
	if !sayable(p.ManagerName) {
		o.Sentences[0] = "objection.MANAGER_TRUST.unknown"
		v.text("MANAGER", "UNKNOWN", sourceProduct)
		return
	}
	v.text("MANAGER", p.ManagerName, sourceProduct)
	switch {
	case p.ManagerSince == 0 || p.ManagerSince > v.Day:
		o.Sentences[0] = "objection.MANAGER_TRUST.since_unknown"
	case v.tookOver():
		o.Sentences[0] = "objection.MANAGER_TRUST.took_over"
		if v.tenure() == 0 {
			o.Sentences[0] = "objection.MANAGER_TRUST.took_over.just"
		}
		v.date("LAUNCHED_ON", v.Product.Terms.LaunchedOn)
	default:
		o.Sentences[0] = "objection.MANAGER_TRUST.tenure"
		if v.tenure() == 0 {
			o.Sentences[0] = "objection.MANAGER_TRUST.tenure.just"
		}
	}
	o.Sentences[1] = v.allManaged()
	if o.Sentences[1] == allManaged[someMeasured] || o.Sentences[1] == allManaged[oneMeasured] {
		o.Discloses = PastPerformance
	}
}

// tenure adds since when the manager is in office, and returns the full months.
func (v *view) tenure() int {
	since := v.Product.Parties.ManagerSince
	v.date("MANAGER_SINCE", since)
	months := (v.Day.Year()-since.Year())*12 + v.Day.Month() - since.Month()
	if v.Day.Day() < since.Day() {
		months--
	}
	v.figure("TENURE", fund.UnitMonths, int64(months), sourceComputed)
	return months
}

// What there is to say about all funds of a manager.
const (
	notKnown = iota
	noneMeasured
	oneMeasured
	someMeasured
)

var allManaged = [...]string{
	"objection.MANAGER_TRUST.funds_unknown", "objection.MANAGER_TRUST.funds_young", "objection.MANAGER_TRUST.funds.one", "objection.MANAGER_TRUST.funds",
}

// allManaged adds the range over all comparable funds of the manager: each one's worst
// twelve months, deepest fall and swings within the same span, the worst and the best
// together. The span is the longest that any fund reaches back for. NEW_FUND and
// MANAGER_TRUST both ask for it: whichever comes first tells it, and it is told once.
func (v *view) allManaged() string {
	if v.managed {
		return ""
	}
	v.managed = true
	if len(v.Managed) == 0 {
		return allManaged[notKnown]
	}
	v.figure("FUNDS", fund.UnitCount, int64(len(v.Managed)), sourcePool)
	for _, s := range comparedSpans {
		var all measured
		for i := range v.Managed {
			if r := v.Managed[i].Record; Showable(r) && v.fresh(r) {
				all.add(&r.Spans[s.of], r.StaleDays)
			}
		}
		if all.funds == 0 {
			continue
		}
		v.measured(&all, s.months)
		if all.funds == 1 {
			return allManaged[oneMeasured]
		}
		return allManaged[someMeasured]
	}
	return allManaged[noneMeasured]
}

// measured is the range of what several funds did within one span.
type measured struct {
	funds             int64
	worst, best       fund.Ratio // of the worst twelve months
	drawdown          fund.Ratio // the deepest
	volatility        fund.Ratio // the greatest
	window            fund.Window
	stale             int32
	worstIn, bestIn   fund.Window
	fellIn, swungWith fund.Window
}

// add takes one fund in where it has every figure.
func (m *measured) add(f *fund.SpanFigures, stale int32) {
	year := &f.Worst[fund.TwelveMonths]
	if !year.OK || !f.Drawdown.OK || !f.Volatility.OK {
		return
	}
	if m.funds == 0 || year.Value < m.worst {
		m.worst, m.worstIn = year.Value, year.Window
	}
	if m.funds == 0 || year.Value > m.best {
		m.best, m.bestIn = year.Value, year.Window
	}
	if m.funds == 0 || f.Drawdown.Value < m.drawdown {
		m.drawdown, m.fellIn = f.Drawdown.Value, f.Drawdown.Window
	}
	if m.funds == 0 || f.Volatility.Value > m.volatility {
		m.volatility, m.swungWith = f.Volatility.Value, f.Volatility.Window
	}
	w := f.Drawdown.Window
	if m.funds == 0 || w.From < m.window.From {
		m.window.From = w.From
	}
	m.window.To = max(m.window.To, w.To)
	m.stale = max(m.stale, stale)
	m.funds++
}

// measured adds the range.
func (v *view) measured(m *measured, months int64) {
	add := func(field string, unit fund.Unit, number int64, w fund.Window) {
		e := v.facts.add(field, unit, number, v.Day, sourceNAV)
		e.Window, e.Stale = w, m.stale
	}
	add("FUNDS_MEASURED", fund.UnitCount, m.funds, m.window)
	add("FUNDS_SPAN", fund.UnitMonths, months, m.window)
	add("FUNDS_FROM", fund.UnitDate, int64(m.window.From), m.window)
	add("FUNDS_TO", fund.UnitDate, int64(m.window.To), m.window)
	add("FUNDS_YEAR", fund.UnitMonths, worstMonths, m.window)
	add("FUNDS_WORST", fund.UnitRatio, int64(m.worst), m.worstIn)
	add("FUNDS_BEST", fund.UnitRatio, int64(m.best), m.bestIn)
	add("FUNDS_DRAWDOWN", fund.UnitRatio, int64(m.drawdown), m.fellIn)
	add("FUNDS_VOLATILITY", fund.UnitRatio, int64(m.volatility), m.swungWith)
}

// answerSize speaks of the risk of being wound up and of nothing else (W06).
func (v *view) answerSize(o *Objection) {
	size := v.Product.Parties.Size
	if size <= 0 {
		o.Sentences[0] = "objection.SIZE.unknown"
		v.text("SIZE", "UNKNOWN", sourceProduct)
		return
	}
	v.product("SIZE", fund.UnitFen, int64(size))
	v.figure("CLOSURE_LINE", fund.UnitFen, int64(v.Limits.ClosureLine), sourceRules)
	switch {
	case size < v.Limits.ClosureLine:
		o.Sentences[0] = "objection.SIZE.below"
	case size < v.Limits.SizeNear:
		o.Sentences[0] = "objection.SIZE.near"
	default:
		o.Sentences[0] = "objection.SIZE.above"
	}
}

// answerDividend shows what was distributed, and that it comes out of the NAV.
func (v *view) answerDividend(o *Objection) {
	r := v.Record
	p := &r.Payouts
	if v.NewIssue || p.Window.To == 0 {
		o.Sentences[0] = "objection.DIVIDEND.unknown"
		v.nav(r, "OBSERVATIONS", fund.UnitCount, int64(r.Observations), r.Series)
		return
	}
	o.Discloses = PastPerformance
	v.nav(r, "PAYOUTS_FROM", fund.UnitDate, int64(p.Window.From), p.Window)
	v.nav(r, "PAYOUTS_TO", fund.UnitDate, int64(p.Window.To), p.Window)
	v.nav(r, "PAYOUTS", fund.UnitCount, int64(p.Count), p.Window)
	if p.Count == 0 || p.Last == 0 {
		o.Sentences[0] = "objection.DIVIDEND.none"
		return
	}
	o.Sentences[0] = "objection.DIVIDEND.paid"
	v.nav(r, "PAYOUT_LAST_ON", fund.UnitDate, int64(p.Last), p.Window)
	v.nav(r, "PAYOUT_LAST", fund.UnitRatio, int64(p.LastSize), p.Window)
	v.nav(r, "PAYOUTS_TOTAL", fund.UnitRatio, int64(p.Total), p.Window)
}

// kindSentences say in one line what a class is and what moves it.
var kindSentences = [fund.Classes]string{
	fund.ClassUnknown: "objection.UNDERSTAND.unknown",
	fund.MoneyMarket:  "objection.UNDERSTAND.MONEY_MARKET",
	fund.ShortBond:    "objection.UNDERSTAND.SHORT_BOND",
	fund.Bond:         "objection.UNDERSTAND.BOND",
	fund.MixedBond:    "objection.UNDERSTAND.MIXED_BOND",
	fund.Balanced:     "objection.UNDERSTAND.BALANCED",
	fund.FundOfFunds:  "objection.UNDERSTAND.FUND_OF_FUNDS",
	fund.Equity:       "objection.UNDERSTAND.EQUITY",
	fund.Index:        "objection.UNDERSTAND.INDEX",
	fund.OverseasFund: "objection.UNDERSTAND.QDII",
	fund.RealEstate:   "objection.UNDERSTAND.REIT",
	fund.Commodity:    "objection.UNDERSTAND.COMMODITY",
	fund.SingleStock:  "objection.UNDERSTAND.STOCK",
}

// answerUnderstand says in one line what the product is and what moves it, what it
// measures itself by, and sets its grade beside that of something held.
func (v *view) answerUnderstand(o *Objection) {
	if int(v.Class) < len(kindSentences) {
		o.Sentences[0] = kindSentences[v.Class]
	} else {
		o.Sentences[0] = kindSentences[fund.ClassUnknown]
	}
	v.text("CLASS", v.Class.String(), sourceProduct)
	next := 1
	if benchmark := v.Product.Content.Benchmark; sayable(benchmark) {
		o.Sentences[next] = "objection.UNDERSTAND.benchmark"
		v.text("BENCHMARK", benchmark, sourceProduct)
		next++
	}
	if v.Grade == fund.GradeUnknown {
		return
	}
	v.text("GRADE", v.Grade.String(), sourcePool)
	h := v.familiar()
	switch {
	case h == nil:
		o.Sentences[next] = "objection.UNDERSTAND.grade"
		return
	case h.grade() < v.Grade:
		o.Sentences[next] = "objection.UNDERSTAND.riskier_than_held"
	case h.grade() > v.Grade:
		o.Sentences[next] = "objection.UNDERSTAND.milder_than_held"
	default:
		o.Sentences[next] = "objection.UNDERSTAND.graded_as_held"
	}
	v.text("HELD_NAME", h.Product.Name, sourcePool)
	v.text("HELD_GRADE", h.grade().String(), sourcePool)
}

// familiar is the holding of the greatest value that has a grade, nil for none.
func (v *view) familiar() *Held {
	var best *Held
	for i := range v.who.Held {
		h := &v.who.Held[i]
		if h.grade() == fund.GradeUnknown || !sayable(h.Product.Name) || h.Product.FundCode() == v.Product.FundCode() {
			continue
		}
		if best == nil || h.value() > best.value() {
			best = h
		}
	}
	return best
}
