package objection

import "github.com/fundmatch/fundmatch/matcher/fund"

// Sources of evidence: where the bank can look a fact up.
const (
	sourceNAV      = "NAV"
	sourceProduct  = "PRODUCT"
	sourcePool     = "POOL"
	sourceModel    = "MODEL"
	sourceComputed = "COMPUTED"
)

// PastPerformance is the disclosure that goes with every figure from the past (W05).
const PastPerformance = "disclosure.PAST_PERFORMANCE"

// answerDrawdown shows the deepest fall, when it ended, and the worst twelve months, in
// yuan where the amount is one that was suggested to him.
func answerDrawdown(c *Case, o *Objection, facts []fund.Evidence) []fund.Evidence {
	d := &c.Record.Spans[fund.SinceStart].Drawdown
	if !c.showsRecord() {
		o.Sentences[0] = "objection.DRAWDOWN.no_history"
		return append(facts, fund.Evidence{Field: "GRADE", Text: c.Grade.String(), AsOf: c.Day, Source: sourcePool})
	}
	o.Discloses = PastPerformance
	facts = DrawdownFacts(c.Record, facts)
	switch {
	case d.Value == 0:
		o.Sentences[0] = "objection.DRAWDOWN.no_fall"
		return facts
	case c.Record.StaleDays > c.Limits.StaleDays:
		o.Sentences[0] = "objection.DRAWDOWN.stale"
		return facts
	}
	worst := &c.Record.Spans[fund.SinceStart].Worst[fund.TwelveMonths]
	told := telling{recovered: d.RecoveredOn != 0, worstYear: worst.OK && worst.Value < 0, amount: c.Quote.Asked}
	o.Sentences[0] = told.sentence()
	if !told.amount {
		return facts
	}
	facts = append(facts,
		fund.Evidence{Field: "AMOUNT", Unit: fund.UnitFen, Number: int64(c.Quote.Amount), AsOf: c.Day, Source: sourceComputed},
		loss("LOSS", c.Quote.Amount, d.Value, d.Window, c.Record))
	if told.worstYear {
		facts = append(facts, loss("LOSS_12M", c.Quote.Amount, worst.Value, worst.Window, c.Record))
	}
	return facts
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

// showsRecord reports whether figures of the past are shown. Of a new issue none are,
// whatever NAVs came with it.
func (c *Subject) showsRecord() bool { return !c.NewIssue && Showable(c.Record) }

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
	all := &r.Spans[fund.SinceStart]
	d := &all.Drawdown
	if !Showable(r) {
		return facts
	}
	nav := func(field string, unit fund.Unit, number int64, w fund.Window) fund.Evidence {
		return fund.Evidence{Field: field, Unit: unit, Number: number, Window: w, AsOf: r.AsOf, Stale: r.StaleDays, Source: sourceNAV}
	}
	facts = append(facts,
		nav("MAX_DRAWDOWN", fund.UnitRatio, int64(d.Value), d.Window),
		nav("FROM", fund.UnitDate, int64(d.Window.From), d.Window),
		nav("AS_OF", fund.UnitDate, int64(d.Window.To), d.Window))
	if d.Value < 0 {
		facts = append(facts,
			nav("PEAK_ON", fund.UnitDate, int64(d.PeakOn), d.Window),
			nav("TROUGH_ON", fund.UnitDate, int64(d.TroughOn), d.Window))
		if d.RecoveredOn != 0 {
			facts = append(facts, nav("RECOVERED_ON", fund.UnitDate, int64(d.RecoveredOn), d.Window))
		}
		days := "RECOVERY_DAYS"
		if d.RecoveredOn == 0 {
			days = "DAYS_SINCE_TROUGH"
		}
		facts = append(facts, nav(days, fund.UnitDays, int64(d.DaysToRecover), d.Window))
	}
	if w := &all.Worst[fund.TwelveMonths]; w.OK {
		facts = append(facts,
			nav("WORST_12M", fund.UnitRatio, int64(w.Value), w.Window),
			nav("WORST_12M_FROM", fund.UnitDate, int64(w.Window.From), w.Window),
			nav("WORST_12M_TO", fund.UnitDate, int64(w.Window.To), w.Window),
			nav("WORST_12M_MONTHS", fund.UnitMonths, worstMonths, w.Window))
	}
	return facts
}

// loss is what a fall takes from an amount, rounded half up to the fen.
func loss(field string, amount fund.Money, fall fund.Ratio, w fund.Window, r *fund.TrackRecord) fund.Evidence {
	return fund.Evidence{
		Field: field, Unit: fund.UnitFen, Number: lossOf(amount, fall),
		Window: w, AsOf: r.AsOf, Stale: r.StaleDays, Source: sourceComputed,
	}
}

// lossOf is amount times -fall, rounded half up to the fen, without overflow.
func lossOf(amount fund.Money, fall fund.Ratio) int64 {
	const million = 1_000_000
	whole, rest := int64(amount)/million, int64(amount)%million
	return whole*-int64(fall) + (rest*-int64(fall)+million/2)/million
}

// answerFee shows the cost of the amount over the horizon in each class and the way out.
func answerFee(c *Case, o *Objection, facts []fund.Evidence) []fund.Evidence {
	if !c.Quote.Own.OK {
		o.Sentences[0] = "objection.FEE.unknown"
		return append(facts, fund.Evidence{Field: "COST", Text: "UNKNOWN", AsOf: c.Day, Source: sourceProduct})
	}
	fen := func(field string, m fund.Money) fund.Evidence {
		return fund.Evidence{Field: field, Unit: fund.UnitFen, Number: int64(m), AsOf: c.Day, Source: sourceComputed, Document: c.Product.Listing.KeyFactsVersion}
	}
	facts = append(facts, fen("AMOUNT", c.Quote.Amount),
		fund.Evidence{Field: "HORIZON", Unit: fund.UnitMonths, Number: int64(c.Quote.Months), AsOf: c.Day, Source: sourceModel},
		fen("COST", c.Quote.Own.Differing()))
	o.Sentences[0] = "objection.FEE.single"
	if c.Quote.A.OK && c.Quote.C.OK {
		a, b := c.Quote.A.Differing(), c.Quote.C.Differing()
		facts = append(facts, fen("COST_A", a), fen("COST_C", b))
		if a == b {
			o.Sentences[0] = "objection.FEE.equal"
		} else {
			o.Sentences[0] = "objection.FEE.compare"
			cheaper := "A"
			if b < a {
				cheaper = "C"
			}
			facts = append(facts, fund.Evidence{Field: "CHEAPER", Text: cheaper, AsOf: c.Day, Source: sourceComputed})
		}
	}
	if running := c.Product.Fees.Management + c.Product.Fees.Custody; running > 0 {
		o.Sentences[1] = "objection.FEE.running"
		facts = append(facts, fund.Evidence{Field: "RUNNING", Unit: fund.UnitRatio, Number: int64(running) * 100, AsOf: c.Day, Source: sourceProduct})
	}
	if free := c.Product.Fees.FreeExitAfter(); free > 0 {
		o.Sentences[2] = "objection.FEE.exit_free"
		facts = append(facts, days("HELD", int64(free), c))
	} else if free == 0 {
		o.Sentences[2] = "objection.FEE.no_exit_fee"
	}
	return facts
}

// answerLiquidity shows when the money can come back, and at what price.
func answerLiquidity(c *Case, o *Objection, facts []fund.Evidence) []fund.Evidence {
	p, t := c.Product, &c.Product.Terms
	switch {
	case t.ClosedUntil > c.Day:
		o.Sentences[0] = "objection.LIQUIDITY.closed_until"
		return append(facts, date("CLOSED_UNTIL", t.ClosedUntil, c))
	case t.LockupDays > 0:
		o.Sentences[0] = "objection.LIQUIDITY.lockup"
		return append(facts, days("LOCKUP", int64(t.LockupDays), c))
	case t.NextOpenOn > c.Day:
		o.Sentences[0] = "objection.LIQUIDITY.next_open"
		return append(facts, date("NEXT_OPEN_ON", t.NextOpenOn, c))
	case p.Missing.Has(fund.FieldLockup):
		o.Sentences[0] = "objection.LIQUIDITY.unknown"
		return append(facts, fund.Evidence{Field: "LOCKUP", Text: "UNKNOWN", AsOf: c.Day, Source: sourceProduct})
	}
	facts = append(facts, days("LOCKUP", 0, c))
	if p.Missing.Has(fund.FieldRedemptionLadder) {
		o.Sentences[0] = "objection.LIQUIDITY.open_fee_unknown"
		return facts
	}
	free := p.Fees.FreeExitAfter()
	if free == 0 {
		o.Sentences[0] = "objection.LIQUIDITY.open_free"
		return facts
	}
	highest := fund.BasisPoints(0)
	last := int32(0)
	for _, tier := range p.Fees.Redemption {
		highest = max(highest, tier.Rate)
		last = max(last, tier.Below)
	}
	if free < 0 {
		// The fee never ends: the unknown variant would lie, so the ladder's last bound and rate are said.
		o.Sentences[0] = "objection.FEE.exit_last"
		return append(facts, days("HELD", int64(last), c), rate("FEE", p.Fees.ExitRate(last), c))
	}
	o.Sentences[0] = "objection.LIQUIDITY.open_fee"
	return append(facts, days("FEE_DAYS", int64(free), c), rate("FEE", highest, c))
}

// answerNewFund says that there is no record, and names an existing fund beside it.
func answerNewFund(c *Case, o *Objection, facts []fund.Evidence) []fund.Evidence {
	name := "objection.NEW_FUND.young"
	subscription := c.Product.Listing.Status == fund.Subscription
	if subscription {
		name = "objection.NEW_FUND.subscription"
	}
	facts = append(facts, fund.Evidence{Field: "STATUS", Text: c.Product.Listing.Status.String(), AsOf: c.Day, Source: sourcePool})
	if c.Product.Terms.LaunchedOn != 0 {
		facts = append(facts, date("LAUNCHED_ON", c.Product.Terms.LaunchedOn, c))
	}
	if closed := c.Product.Terms.ClosedUntil; subscription && closed > c.Day {
		name += ".closed"
		facts = append(facts, date("CLOSED_UNTIL", closed, c))
	}
	if c.Peer != nil {
		name += ".peer"
		facts = append(facts, fund.Evidence{Field: "PEER", Text: c.Peer.Name, AsOf: c.Day, Source: sourcePool})
	}
	o.Sentences[0] = name
	o.Discloses = "disclosure.NEW_ISSUE"
	return facts
}

func days(field string, n int64, c *Case) fund.Evidence {
	return fund.Evidence{Field: field, Unit: fund.UnitDays, Number: n, AsOf: c.Day, Source: sourceProduct, Document: c.Product.Listing.KeyFactsVersion}
}

func date(field string, d fund.Date, c *Case) fund.Evidence {
	return fund.Evidence{Field: field, Unit: fund.UnitDate, Number: int64(d), AsOf: c.Day, Source: sourceProduct, Document: c.Product.Listing.KeyFactsVersion}
}

func rate(field string, r fund.BasisPoints, c *Case) fund.Evidence {
	return fund.Evidence{Field: field, Unit: fund.UnitRatio, Number: int64(r) * 100, AsOf: c.Day, Source: sourceProduct, Document: c.Product.Listing.KeyFactsVersion}
}
