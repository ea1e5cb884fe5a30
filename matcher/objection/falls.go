package objection

import "github.com/fundmatch/fundmatch/matcher/fund"

// PastPerformance is the disclosure that goes with every figure from the past (W05).
const PastPerformance = "disclosure.PAST_PERFORMANCE"

// answerDrawdown shows the deepest fall, when it ended, and the worst twelve months, in
// yuan where the amount is one that was suggested to him.
func (v *view) answerDrawdown(o *Objection) {
	d := &v.Record.Spans[fund.SinceStart].Drawdown
	if !v.shows {
		v.noHistory(o)
		return
	}
	o.Discloses = PastPerformance
	v.facts.fall(v.Record)
	switch {
	case d.Value == 0:
		o.Sentences[0] = "objection.DRAWDOWN.no_fall"
		return
	case !v.fresh(v.Record):
		o.Sentences[0] = "objection.DRAWDOWN.stale"
		return
	}
	worst := &v.Record.Spans[fund.SinceStart].Worst[fund.TwelveMonths]
	told := telling{recovered: d.RecoveredOn != 0, worstYear: worst.OK && worst.Value < 0, amount: v.Quote.Asked}
	o.Sentences[0] = told.sentence()
	if !told.amount {
		return
	}
	v.figure("AMOUNT", fund.UnitFen, int64(v.Quote.Amount), sourceComputed)
	v.loss("LOSS", d.Value, d.Window)
	if told.worstYear {
		v.loss("LOSS_12M", worst.Value, worst.Window)
	}
}

// noHistory says that there is no record or that it is too young, and what the grade says.
func (v *view) noHistory(o *Objection) {
	if v.Grade == fund.GradeUnknown {
		o.Sentences[0] = "objection.DRAWDOWN.no_history.no_grade"
		v.nav(v.Record, "OBSERVATIONS", fund.UnitCount, int64(v.Record.Observations), v.Record.Series)
		return
	}
	o.Sentences[0] = "objection.DRAWDOWN.no_history"
	if v.launching() {
		o.Sentences[0] = "objection.DRAWDOWN.launching"
	}
	v.text("GRADE", v.Grade.String(), sourcePool)
}

// telling is what there is to say about a fall.
type telling struct {
	recovered bool // it came back
	worstYear bool // there were twelve months in which it fell
	amount    bool // what it would have cost him
}

// sentence returns the template.
func (t telling) sentence() string {
	switch t {
	case telling{true, true, true}:
		return "objection.DRAWDOWN.recovered.worst_year"
	case telling{true, true, false}:
		return "objection.DRAWDOWN.recovered.worst_year.no_amount"
	case telling{true, false, true}:
		return "objection.DRAWDOWN.recovered"
	case telling{true, false, false}:
		return "objection.DRAWDOWN.recovered.no_amount"
	case telling{false, true, true}:
		return "objection.DRAWDOWN.not_recovered.worst_year"
	case telling{false, true, false}:
		return "objection.DRAWDOWN.not_recovered.worst_year.no_amount"
	case telling{false, false, true}:
		return "objection.DRAWDOWN.not_recovered"
	default:
		return "objection.DRAWDOWN.not_recovered.no_amount"
	}
}

// minMonthsShown is how old a record must be before any of it is shown (W01).
const minMonthsShown = 6

// Showable reports whether a record is long enough to be shown.
func Showable(r *fund.TrackRecord) bool {
	d := &r.Spans[fund.SinceStart].Drawdown
	return d.OK && d.Window.From.AddMonths(minMonthsShown) <= d.Window.To
}

// worstMonths is the span that the worst result is looked for over.
const worstMonths = 12

// DrawdownFacts appends what the record says about the deepest fall and the worst twelve
// months since the series starts: nothing where it is too short to be shown.
func DrawdownFacts(r *fund.TrackRecord, facts []fund.Evidence) []fund.Evidence {
	if !Showable(r) {
		return facts
	}
	s := sheet(facts)
	s.fall(r)
	return s
}

// fall adds the facts of DrawdownFacts of a record that may be shown.
func (s *sheet) fall(r *fund.TrackRecord) {
	all := &r.Spans[fund.SinceStart]
	d := &all.Drawdown
	s.nav(r, "MAX_DRAWDOWN", fund.UnitRatio, int64(d.Value), d.Window)
	s.nav(r, "FROM", fund.UnitDate, int64(d.Window.From), d.Window)
	s.nav(r, "AS_OF", fund.UnitDate, int64(d.Window.To), d.Window)
	if d.Value < 0 {
		s.nav(r, "PEAK_ON", fund.UnitDate, int64(d.PeakOn), d.Window)
		s.nav(r, "TROUGH_ON", fund.UnitDate, int64(d.TroughOn), d.Window)
		days := "DAYS_SINCE_TROUGH"
		if d.RecoveredOn != 0 {
			s.nav(r, "RECOVERED_ON", fund.UnitDate, int64(d.RecoveredOn), d.Window)
			days = "RECOVERY_DAYS"
		}
		s.nav(r, days, fund.UnitDays, int64(d.DaysToRecover), d.Window)
	}
	if w := &all.Worst[fund.TwelveMonths]; w.OK {
		s.nav(r, "WORST_12M", fund.UnitRatio, int64(w.Value), w.Window)
		s.nav(r, "WORST_12M_FROM", fund.UnitDate, int64(w.Window.From), w.Window)
		s.nav(r, "WORST_12M_TO", fund.UnitDate, int64(w.Window.To), w.Window)
		s.nav(r, "WORST_12M_MONTHS", fund.UnitMonths, worstMonths, w.Window)
	}
}

// loss adds what a fall takes from the amount, rounded half up to the fen.
func (v *view) loss(field string, fall fund.Ratio, w fund.Window) {
	e := v.facts.add(field, fund.UnitFen, int64(fund.LossOf(v.Quote.Amount, fall)), v.Record.AsOf, sourceComputed)
	e.Window, e.Stale = w, v.Record.StaleDays
}

// answerLossTrauma answers as DRAWDOWN, since that is what the customer sees, and sets
// the product beside what he holds: falls over the same days, the grades, a common theme;
// then says how little is enough to begin with, where it is offered and not held.
func (v *view) answerLossTrauma(o *Objection) {
	v.answerDrawdown(o)
	next := 1
	if h := v.loser.held; h != nil && h.Product.FundCode() != v.Product.FundCode() && sayable(h.Product.Name) {
		said := len(v.facts)
		for _, sentence := range [...]string{v.sameDaysFall(h), v.sharedTheme(h), v.lowerGrade(h)} {
			if sentence != "" && next < len(o.Sentences)-1 {
				o.Sentences[next] = sentence
				next++
			}
		}
		if len(v.facts) > said {
			v.text("HELD_NAME", h.Product.Name, sourcePool)
		}
	}
	if v.Barred || v.overlap.kind == sameFund {
		return // nothing is to be begun: it is not offered, or he has it already
	}
	if least := v.Product.Terms.MinPurchase; least > 0 {
		o.Sentences[next] = "objection.DRAWDOWN.small"
		v.product("MIN_PURCHASE", fund.UnitFen, int64(least))
	} else {
		o.Sentences[next] = "objection.DRAWDOWN.small.no_minimum"
	}
}

// sameDaysFall compares the deepest falls over the longest span that both records have.
func (v *view) sameDaysFall(h *Held) string {
	if h.Record == nil || !v.shows || !v.fresh(v.Record) || !v.fresh(h.Record) {
		return ""
	}
	for _, s := range comparedSpans {
		own, held := &v.Record.Spans[s.of].Drawdown, &h.Record.Spans[s.of].Drawdown
		if !own.OK || !held.OK || !sameWindow(own.Window, held.Window) {
			continue
		}
		v.nav(v.Record, "SPAN_MONTHS", fund.UnitMonths, s.months, own.Window)
		v.nav(v.Record, "SPAN_TO", fund.UnitDate, int64(own.Window.To), own.Window)
		v.nav(v.Record, "OWN_FALL", fund.UnitRatio, int64(own.Value), own.Window)
		v.nav(h.Record, "HELD_FALL", fund.UnitRatio, int64(held.Value), held.Window)
		return "objection.DRAWDOWN.beside_held"
	}
	return ""
}

// sharedTheme says that both live of the same theme.
func (v *view) sharedTheme(h *Held) string {
	for _, theme := range v.Product.Content.Themes {
		for _, other := range h.Product.Content.Themes {
			if theme == other && sayable(theme) {
				v.text("THEME", theme, sourceProduct)
				return "objection.DRAWDOWN.same_theme"
			}
		}
	}
	return ""
}

// lowerGrade compares the grades where both are known and the product's is lower.
func (v *view) lowerGrade(h *Held) string {
	if v.Grade == fund.GradeUnknown || v.Grade >= h.grade() {
		return ""
	}
	v.text("GRADE", v.Grade.String(), sourcePool)
	v.text("HELD_GRADE", h.grade().String(), sourcePool)
	return "objection.DRAWDOWN.lower_grade"
}

// outcome finds the results of all past entry days over the longest holding of a year or
// more that the horizon allows and the record reaches.
func (v *view) outcome() (fund.Holding, *fund.Outcome) {
	longest := fund.Hold12M
	switch {
	case v.Quote.Months >= 36:
		longest = fund.Hold36M
	case v.Quote.Months >= 24:
		longest = fund.Hold24M
	}
	for h := longest; h >= fund.Hold12M; h-- {
		if o := &v.Record.Outcomes[h]; o.OK {
			return h, o
		}
	}
	return 0, nil
}

// outcomes adds the distribution over all past entry days with the fall, the swings and
// the benchmark's fall of the same window (W03), and names the sentence after a prefix of
// young, stale, plain and benchmark.
func (v *view) outcomes(o *Objection, say *outcomeSentences) string {
	all := &v.Record.Spans[fund.SinceStart]
	holding, results := v.outcome()
	switch {
	case !v.shows || results == nil || !all.Volatility.OK:
		v.nav(v.Record, "OBSERVATIONS", fund.UnitCount, int64(v.Record.Observations), v.Record.Series)
		return say.young
	case !v.fresh(v.Record):
		v.nav(v.Record, "AS_OF", fund.UnitDate, int64(v.Record.Series.To), v.Record.Series)
		return say.stale
	}
	if results.Worst >= 0 {
		return "" // a range without any loss is an argument and no answer (W04)
	}
	o.Discloses = PastPerformance
	r, w := v.Record, results.Window
	v.nav(r, "OUTCOME_FROM", fund.UnitDate, int64(w.From), w)
	v.nav(r, "OUTCOME_TO", fund.UnitDate, int64(w.To), w)
	v.nav(r, "HOLDING", fund.UnitMonths, int64(holding.Months()), w)
	v.nav(r, "ENTRIES", fund.UnitCount, int64(results.Entries), w)
	v.nav(r, "MEDIAN", fund.UnitRatio, int64(results.Median), w)
	v.nav(r, "P10", fund.UnitRatio, int64(results.P10), w)
	v.nav(r, "P90", fund.UnitRatio, int64(results.P90), w)
	v.nav(r, "WORST", fund.UnitRatio, int64(results.Worst), results.WorstIn)
	v.nav(r, "WORST_FROM", fund.UnitDate, int64(results.WorstIn.From), results.WorstIn)
	v.nav(r, "WORST_TO", fund.UnitDate, int64(results.WorstIn.To), results.WorstIn)
	v.nav(r, "FROM", fund.UnitDate, int64(all.Drawdown.Window.From), all.Drawdown.Window)
	v.nav(r, "AS_OF", fund.UnitDate, int64(all.Drawdown.Window.To), all.Drawdown.Window)
	v.nav(r, "MAX_DRAWDOWN", fund.UnitRatio, int64(all.Drawdown.Value), all.Drawdown.Window)
	v.nav(r, "VOLATILITY", fund.UnitRatio, int64(all.Volatility.Value), all.Volatility.Window)
	if f := &r.Benchmark.Falls[fund.SinceStart]; f.OK {
		v.nav(r, "BENCHMARK_FALL", fund.UnitRatio, int64(f.Value), f.Window)
		return say.benchmark
	}
	return say.plain
}

// outcomeSentences are one doubt's ways to speak of outcomes.
type outcomeSentences struct{ young, stale, plain, benchmark string }

var timingSentences = outcomeSentences{
	"objection.TIMING.young", "objection.TIMING.stale", "objection.TIMING.outcomes", "objection.TIMING.outcomes.benchmark",
}

// answerTiming shows what every past entry day led to, the worst included, and never how
// many ended well (W04).
func (v *view) answerTiming(o *Objection) {
	next := 0
	if o.Sentences[0] = v.outcomes(o, &timingSentences); o.Sentences[0] != "" {
		next++
	}
	o.Sentences[next] = "objection.TIMING.nobody_knows"
}

var opportunitySentences = outcomeSentences{
	"objection.OPPORTUNITY_COST.young", "objection.OPPORTUNITY_COST.stale",
	"objection.OPPORTUNITY_COST.range", "objection.OPPORTUNITY_COST.range.benchmark",
}

// answerOpportunityCost says first what it is not: a deposit; then the range of results
// with the losses in it, and how long the money may stay.
func (v *view) answerOpportunityCost(o *Objection) {
	o.Discloses = "disclosure.NOT_A_DEPOSIT"
	o.Sentences[0] = "objection.OPPORTUNITY_COST.not_deposit"
	next := 1
	if o.Sentences[1] = v.outcomes(o, &opportunitySentences); o.Sentences[1] != "" {
		next++
	}
	if v.who.HorizonMonths > 0 {
		o.Sentences[next] = "objection.OPPORTUNITY_COST.horizon"
		v.figure("HORIZON", fund.UnitMonths, int64(v.who.HorizonMonths), sourceCustomer)
	}
}
