package matcher

import (
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/switching"
)

// justify lists what would justify the switch, or make it cheaper. Doing nothing is always
// the last.
func (c *Core) justify(out *SwitchAssessment) {
	s := &out.Assessment
	add := func(j Justification) { out.Justify = append(out.Justify, j) }
	if s.Gaps&^(switching.InLockup|switching.TooFew|switching.NoHorizon) != 0 {
		add(Justification{Code: JustifyFees})
	}
	if day := firstFree(s.Lots); day != 0 {
		add(Justification{Code: JustifyLockup, On: day})
	}
	if day, saved := nextStep(s.Lots); day != 0 {
		add(Justification{Code: JustifyWait, On: day, Saved: saved})
	}
	if free := freeProceeds(s.Lots); free > 0 && s.Sold.Fee > 0 {
		add(Justification{Code: JustifyLess, Amount: free, Saved: s.Sold.Fee})
	}
	if o, saved := cheaperClass(s.Classes); o != nil {
		add(Justification{Code: JustifyClass, ProductCode: o.Code, Saved: saved})
	}
	if s.BreakEven > out.Horizon.Days {
		add(Justification{Code: JustifyLonger, On: out.Dealing.On.AddDays(int(s.BreakEven))})
	}
	add(Justification{Code: JustifyKeep, Saved: s.Cost.Total()})
}

// firstFree is the first day on which a locked lot can be sold; 0: none is locked, or it is
// not known.
func firstFree(lots []switching.LotSale) (day fund.Date) {
	for i := range lots {
		if on := lots[i].FreeOn; on != 0 && (day == 0 || on < day) {
			day = on
		}
	}
	return day
}

// nextStep is the first day on which the redemption fee of a lot falls, and what all lots
// save whose fee has fallen by then.
func nextStep(lots []switching.LotSale) (day fund.Date, saved fund.Money) {
	for i := range lots {
		if on := lots[i].Next.On; on != 0 && (day == 0 || on < day) {
			day = on
		}
	}
	for i := range lots {
		if l := &lots[i]; day != 0 && l.Next.On == day {
			saved += l.Fee - l.Next.Fee
		}
	}
	return day, saved
}

// freeProceeds is what the lots bring that cost nothing to sell.
func freeProceeds(lots []switching.LotSale) (sum fund.Money) {
	for i := range lots {
		if lots[i].Fee == 0 {
			sum = addMoney(sum, lots[i].Value)
		}
	}
	return sum
}

// cheaperClass is the class that costs least to the horizon, if it is not the one asked for.
func cheaperClass(classes []switching.Option) (*switching.Option, fund.Money) {
	if len(classes) == 0 || !classes[0].OK {
		return nil, 0
	}
	best := 0
	for i := range classes {
		if classes[i].OK && classes[i].Differing() < classes[best].Differing() {
			best = i
		}
	}
	if best == 0 {
		return nil, 0
	}
	return &classes[best], classes[0].Differing() - classes[best].Differing()
}

// teller says what there is to say of a switch, sentence by sentence.
type teller struct {
	out *SwitchAssessment
	day fund.Date
}

// sayOfSwitch says what it costs, what is certain and what is not, what would be cheaper, and
// that nothing has to be done. No sentence speaks of a return.
func (c *Core) sayOfSwitch(a *asking, sell, buy int, out *SwitchAssessment) {
	t := teller{out: out, day: c.identity.AsOf.Date()}
	s := &out.Assessment
	if s.Verdict == switching.NoSwitch {
		t.say("switch.no_switch")
	}
	if s.Cost.OK {
		t.sayCost()
		t.sayBenefit(c, a, sell, buy)
	} else {
		t.say("switch.cost.unknown")
	}
	t.sayJustified(c)
	t.say("switch.uncertain")
	t.say("switch.keep")
	t.sayToManager()
}

func (t *teller) say(sentence string, evidence ...fund.Evidence) {
	t.out.Sentences = append(t.out.Sentences, Said{Sentence: sentence, Evidence: evidence})
}

func (t *teller) fen(field string, m fund.Money) fund.Evidence {
	return fund.Evidence{Field: field, Unit: fund.UnitFen, Number: int64(m), AsOf: t.day, Source: "FEES"}
}

func (t *teller) days(field string, n int32) fund.Evidence {
	return fund.Evidence{Field: field, Unit: fund.UnitDays, Number: int64(n), AsOf: t.day, Source: "FEES"}
}

func (t *teller) date(field string, d fund.Date) fund.Evidence {
	return fund.Evidence{Field: field, Unit: fund.UnitDate, Number: int64(d), AsOf: t.day, Source: "FEES"}
}

func (t *teller) text(field, value, source string) fund.Evidence {
	return fund.Evidence{Field: field, Text: value, AsOf: t.day, Source: source}
}

func (t *teller) sayCost() {
	k, horizon := &t.out.Assessment.Cost, t.days("HORIZON", t.out.Horizon.Days)
	if t.out.Horizon.Assumed {
		t.say("switch.horizon", horizon)
	}
	t.say("switch.cost", t.fen("TOTAL_COST", k.Total()), t.fen("EXIT_FEE", k.Exit), t.fen("ENTRY_FEE", k.Entry))
	if k.Lost > 0 {
		t.say("switch.cost.lost", horizon, t.fen("LOST_STEPS", k.Lost))
	}
	if k.Running > 0 {
		t.say("switch.cost.running", horizon, t.fen("RUNNING_MORE", k.Running))
	}
}

func (t *teller) sayBenefit(c *Core, a *asking, sell, buy int) {
	s := &t.out.Assessment
	b := &s.Benefit
	if b.Running > 0 {
		t.say("switch.benefit.running", t.days("HORIZON", t.out.Horizon.Days), t.fen("RUNNING_SAVED", b.Running))
	}
	if b.Mismatch {
		t.say("switch.benefit.mismatch",
			t.text("SOLD_GRADE", c.subjects[sell].Grade.String(), "POOL"), t.text("BOUGHT_GRADE", c.subjects[buy].Grade.String(), "POOL"),
			t.text("LEVEL", a.facts.Level.String(), "CUSTOMER"))
	}
	if b.Concentration {
		t.say("switch.benefit.concentration")
	}
	if b.Running == 0 && !b.Mismatch && !b.Concentration {
		t.say("switch.benefit.none")
	}
	switch {
	case s.BreakEven >= 0:
		t.say("switch.break_even", t.days("BREAK_EVEN", s.BreakEven))
	case s.Cost.Total() > 0:
		t.say("switch.break_even.never")
	}
}

// sayJustified words what would be cheaper.
func (t *teller) sayJustified(c *Core) {
	if t.out.Assessment.Gaps.Has(switching.InLockup) {
		if day := firstFree(t.out.Assessment.Lots); day != 0 {
			t.say("switch.lockup", t.date("FREE_ON", day))
		} else {
			t.say("switch.lockup.unknown")
		}
	}
	for i := range t.out.Justify {
		switch j := &t.out.Justify[i]; j.Code {
		case JustifyWait:
			t.say("switch.wait", t.date("STEP_ON", j.On), t.fen("STEP_SAVED", j.Saved))
		case JustifyLess:
			t.say("switch.free_lots", t.fen("FREE_PROCEEDS", j.Amount), t.fen("EXIT_FEE", j.Saved))
		case JustifyClass:
			t.say("switch.class", t.text("CLASS", c.products[c.index[j.ProductCode]].ShareClass, "POOL"),
				t.days("HORIZON", t.out.Horizon.Days), t.fen("CLASS_SAVED", j.Saved))
		case JustifyFees, JustifyLockup, JustifyLonger, JustifyKeep: // said elsewhere, or the manager's
		}
	}
}

// sayToManager says what he may and may not do with it.
func (t *teller) sayToManager() {
	switch t.out.Assessment.Verdict {
	case switching.CostUnknown:
		t.say("switch.manager.unknown")
	case switching.CostsMore:
		t.say("switch.manager.costs_more")
	case switching.Cures:
		t.say("switch.manager.cures")
	case switching.Pays:
		t.say("switch.manager.pays")
	case switching.NoSwitch, switching.Verdicts:
	}
}
