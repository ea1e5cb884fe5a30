package objection

import "github.com/fundmatch/fundmatch/matcher/fund"

// haveSentences name what is held already, by kinship.
var haveSentences = [...]string{
	sameManager: "objection.ALREADY_HAVE.manager",
	sameTheme:   "objection.ALREADY_HAVE.theme",
	sameIndex:   "objection.ALREADY_HAVE.index",
	sameFund:    "objection.ALREADY_HAVE.fund",
}

// answerAlreadyHave says what both have in common and how much of his holdings would be
// in it after the purchase; never to redeem the one in order to buy the other.
func (v *view) answerAlreadyHave(o *Objection) {
	h := v.overlap.held
	if h == nil || !sayable(h.Product.Name) {
		o.Sentences[0] = "objection.ALREADY_HAVE.none_found"
		v.figure("HELD_FUNDS", fund.UnitCount, int64(len(v.who.Held)), sourceCustomer)
		return
	}
	o.Sentences[0] = haveSentences[v.overlap.kind]
	v.text("HELD_NAME", h.Product.Name, sourcePool)
	switch v.overlap.kind {
	case sameManager:
		if !sayable(v.Product.Parties.ManagerName) {
			o.Sentences[0] = "objection.ALREADY_HAVE.alike"
		}
		v.text("MANAGER", v.Product.Parties.ManagerName, sourceProduct)
	case sameTheme:
		if !sayable(v.overlap.theme) {
			o.Sentences[0] = "objection.ALREADY_HAVE.alike"
		}
		v.text("THEME", v.overlap.theme, sourceProduct)
	case sameIndex:
		if !sayable(v.Product.Content.Benchmark) {
			o.Sentences[0] = "objection.ALREADY_HAVE.alike"
		}
		v.text("BENCHMARK", v.Product.Content.Benchmark, sourceProduct)
	case sameFund:
		if h.Product.Code == v.Product.Code {
			o.Sentences[0] = "objection.ALREADY_HAVE.itself"
		}
	case noKin:
	}
	if share, ok := v.shareAfter(); ok {
		o.Sentences[1] = "objection.ALREADY_HAVE.share_after"
		v.figure("AMOUNT", fund.UnitFen, int64(v.Quote.Amount), sourceComputed)
		v.figure("SHARE_AFTER", fund.UnitRatio, int64(share), sourceComputed)
	}
	o.Sentences[2] = "objection.ALREADY_HAVE.keep"
}

// shareAfter is what the product and everything as near to it as the nearest holding
// would be of all that he holds, if he bought the suggested amount.
func (v *view) shareAfter() (fund.Ratio, bool) {
	total := v.conduct.Portfolio.Value
	if v.Barred || !v.Quote.Asked || v.Quote.Amount <= 0 || total <= 0 {
		return 0, false
	}
	part := fund.Money(0)
	for i := range v.who.Held {
		if kind, _ := v.kinTo(v.who.Held[i].Product); kind >= v.overlap.kind {
			part += v.who.Held[i].value()
		}
	}
	if part <= 0 || part > total {
		return 0, false // the values of the positions and their sum are not of one mind
	}
	return fund.RatioOf(float64(part+v.Quote.Amount) / float64(total+v.Quote.Amount)), true
}

// answerBreakEvenFirst keeps what he holds and this purchase apart. What the holding
// needs stands in Grounds: nothing of his loss is in a sentence.
func (v *view) answerBreakEvenFirst(o *Objection) {
	o.Sentences[0] = "objection.BREAK_EVEN_FIRST.apart"
	o.Sentences[1] = "objection.BREAK_EVEN_FIRST.no_cure"
	if v.Grade != fund.GradeUnknown {
		o.Sentences[2] = "objection.BREAK_EVEN_FIRST.grade"
		v.text("GRADE", v.Grade.String(), sourcePool)
	}
}

// answerAskFamily is a plain summary to take home, dated, and without a deadline.
func (v *view) answerAskFamily(o *Objection) {
	o.Sentences[0] = "objection.ASK_FAMILY.take_home"
	if v.Grade != fund.GradeUnknown {
		o.Sentences[0] = "objection.ASK_FAMILY.take_home.grade"
		v.text("GRADE", v.Grade.String(), sourcePool)
	}
	o.Sentences[1] = "objection.ASK_FAMILY.no_fall_known"
	if v.shows {
		switch d := &v.Record.Spans[fund.SinceStart].Drawdown; {
		case d.Value == 0:
			o.Sentences[1] = "objection.ASK_FAMILY.no_fall"
		case d.RecoveredOn != 0:
			o.Sentences[1] = "objection.ASK_FAMILY.fall.recovered"
		default:
			o.Sentences[1] = "objection.ASK_FAMILY.fall.not_recovered"
		}
		o.Discloses = PastPerformance
		v.facts.fall(v.Record)
	}
	o.Sentences[2] = "objection.ASK_FAMILY.cost_unknown"
	if v.Quote.Own.OK {
		o.Sentences[2] = "objection.ASK_FAMILY.cost"
		v.quoted("COST", v.Quote.Own.Differing())
	}
	o.Sentences[3] = "objection.ASK_FAMILY.valid"
	v.figure("QUOTED_ON", fund.UnitDate, int64(v.Day), sourceComputed)
}

// answerPushed says why he sees it, that commission is not in the rank (F04), and how to
// switch it off (A02).
func (v *view) answerPushed(o *Objection) {
	o.Sentences = [...]string{"objection.PUSHED.why", "objection.PUSHED.commission", "objection.PUSHED.off", ""}
	v.text("COMMISSION_IN_RANK", "NO", sourceRules)
	v.text("SWITCH_OFF", "PERSONALIZATION", sourceRules)
	if v.conduct.Complaints > 0 {
		o.Sentences[3] = "objection.PUSHED.complaint"
	}
}

// advice is what a manager is told about each doubt where nothing more exact is known.
var advice = [Codes]string{
	Drawdown:         "objection.advice.DRAWDOWN",
	Fee:              "objection.advice.FEE",
	Liquidity:        "objection.advice.LIQUIDITY",
	NewFund:          "objection.advice.NEW_FUND",
	LossTrauma:       "objection.advice.LOSS_TRAUMA",
	Timing:           "objection.advice.TIMING",
	Understand:       "objection.advice.UNDERSTAND",
	ManagerTrust:     "objection.advice.MANAGER_TRUST",
	OpportunityCost:  "objection.advice.OPPORTUNITY_COST",
	Size:             "objection.advice.SIZE",
	Pushed:           "objection.advice.PUSHED",
	AlreadyHave:      "objection.advice.ALREADY_HAVE",
	Dividend:         "objection.advice.DIVIDEND",
	BreakEvenFirst:   "objection.advice.BREAK_EVEN_FIRST",
	AskFamily:        "objection.advice.ASK_FAMILY",
	CheaperElsewhere: "objection.advice.CHEAPER_ELSEWHERE",
	NotNow:           "objection.advice.NOT_NOW",
}

// ground appends what only a manager may see: the facts of him behind the doubt, and
// figures of windows that are too short for a customer (W01). Where they are exact, so is
// the advice.
func (v *view) ground(o *Objection) {
	v.hisCount("RAISED", o.Raised)
	habits := &v.conduct.Habits
	switch o.Code {
	case Drawdown, LossTrauma:
		v.groundFalls(o)
	case Fee, CheaperElsewhere:
		if days := v.conduct.Portfolio.HoldingDays; days > 0 {
			v.his("HOLDING_DAYS", fund.UnitDays, int64(days), fund.Window{})
		}
	case NewFund:
		if !v.NewIssue && v.shows {
			o.Advice = "objection.advice.NEW_FUND.runs"
		}
	case Timing:
		v.hisCount("EXPOSURES", v.journey.Exposures)
		v.hisCount("ABANDONS", v.journey.Abandons)
	case Understand:
		v.hisCount("MEAN_DWELL_SECONDS", habits.MeanDwell)
	case Pushed:
		v.groundPushed(o)
	case AlreadyHave:
		v.groundHave(o)
	case BreakEvenFirst:
		v.hisCount("POSTPONEMENTS", habits.Postponements)
		v.groundBreakEven(o)
	case NotNow:
		v.hisCount("POSTPONEMENTS", habits.Postponements)
		v.groundUntil(o)
	default:
	}
}

// groundPushed adds what was done to him; who said nothing against the bank is owed no
// apology, but to be left in peace.
func (v *view) groundPushed(o *Objection) {
	if o.Raised == 0 && v.conduct.Complaints == 0 {
		o.Advice = "objection.advice.PUSHED.quiet"
	}
	v.hisCount("COMPLAINTS", v.conduct.Complaints)
	v.hisCount("CONTACTS_30D", v.conduct.Contacts.Count30)
}

// groundHave adds how much of his holdings the nearest one is.
func (v *view) groundHave(o *Objection) {
	h := v.overlap.held
	switch {
	case h == nil:
		o.Advice = "objection.advice.ALREADY_HAVE.none_found"
	case h.Position != nil && h.Position.Share.OK:
		v.his("HELD_SHARE", fund.UnitRatio, int64(h.Position.Share.Value), fund.Window{})
	}
}

// groundFalls adds how he bore falls, and the product's worst 1, 3 and 6 months, which a
// customer is not shown (W01).
func (v *view) groundFalls(o *Objection) {
	l := &v.conduct.Losses
	v.groundLoss()
	v.hisCount("SOLD_AT_LOSS", l.SoldAtLoss)
	v.hisCount("SOLD_IN_FALL", l.SoldInFall)
	v.hisCount("KEPT_IN_FALL", l.KeptInFall)
	v.hisCount("SILENT_IN_FALL", l.SilentInFall)
	if l.Borne.OK {
		v.his("BORNE", fund.UnitRatio, int64(l.Borne.Value), fund.Window{})
	}
	if o.Code == LossTrauma && v.loser.held != nil && sayable(v.loser.held.Product.Name) {
		o.Advice = "objection.advice.LOSS_TRAUMA.position"
	}
	if !v.shows {
		return
	}
	worst := &v.Record.Spans[fund.SinceStart].Worst
	for i, field := range [...]string{"WORST_1M", "WORST_3M", "WORST_6M"} {
		if f := &worst[i]; f.OK {
			v.nav(v.Record, field, fund.UnitRatio, int64(f.Value), f.Window)
		}
	}
}

// groundLoss adds the position that hurts most.
func (v *view) groundLoss() {
	if !v.loser.ok {
		return
	}
	w := fund.Window{}
	if h := v.loser.held; h != nil {
		v.text("LOSS_PRODUCT", h.Product.Name, sourceCustomer)
		if h.Position != nil && h.Position.FirstOn != 0 {
			w = fund.Window{From: h.Position.FirstOn, To: v.Day}
		}
	}
	v.his("LOSS_RESULT", fund.UnitRatio, int64(v.loser.result), w)
}

// groundBreakEven adds the rise that the position needs to be at its cost again: a result
// r needs 1/(1+r) - 1, by arithmetic alone.
func (v *view) groundBreakEven(o *Objection) {
	v.groundLoss()
	const whole = 1_000_000
	r := int64(v.loser.result)
	if !v.loser.ok || r <= -whole {
		return
	}
	left := whole + r
	v.figure("BREAK_EVEN_RISE", fund.UnitRatio, (-r*whole+left/2)/left, sourceComputed)
	o.Advice = "objection.advice.BREAK_EVEN_FIRST.rise"
}

// groundUntil adds the day that he named.
func (v *view) groundUntil(o *Objection) {
	until := v.postponedUntil()
	if until == 0 {
		return
	}
	v.his("UNTIL", fund.UnitDate, int64(until), fund.Window{})
	o.Advice = "objection.advice.NOT_NOW.until"
	if until <= v.Day {
		o.Advice = "objection.advice.NOT_NOW.passed"
	}
}
