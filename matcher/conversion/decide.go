package conversion

import "github.com/fundmatch/fundmatch/matcher/fund"

// leaveRefused leaves him in peace: he refused.
func (v *Conversion) leaveRefused(c *sitting, facts []fund.Evidence) []fund.Evidence {
	v.decide(NoContact, "conversion.NO_CONTACT.peace")
	if c.Thread.RefusedUntil == 0 {
		v.ToManager = "conversion.NO_CONTACT.manager.refused"
		return facts
	}
	v.ToManager = "conversion.NO_CONTACT.manager.refused_until"
	return append(facts, until(c, c.Thread.RefusedUntil))
}

// leaveUntil leaves him in peace until the day that he named.
func (v *Conversion) leaveUntil(c *sitting, facts []fund.Evidence) []fund.Evidence {
	v.decide(NoContact, "conversion.NO_CONTACT.not_now")
	v.ToManager = "conversion.NO_CONTACT.manager.not_now"
	return append(facts, until(c, c.Thread.NotNowUntil))
}

// leaveForNow leaves to him what he answered with a word of his own, and reports whether
// there is one.
func (v *Conversion) leaveForNow(t *Thread) bool {
	sentence := "conversion.WATCH.plain"
	switch {
	case t.Silenced:
		v.ToManager = "conversion.WATCH.manager.silenced"
	case t.putOff():
		v.ToManager = "conversion.WATCH.manager.postponed"
	case t.Pushed:
		v.ToManager = "conversion.WATCH.manager.pushed"
	case t.Consulting:
		sentence, v.ToManager = "conversion.WATCH.family", "conversion.WATCH.manager.family"
	default:
		return false
	}
	v.decide(Watch, sentence)
	return true
}

func until(c *sitting, day fund.Date) fund.Evidence {
	return fund.Evidence{Field: "UNTIL", Unit: fund.UnitDate, Number: int64(day), AsOf: c.day, Source: "EVENTS"}
}

// hearComplaint puts what he complained of before every product: the app sends him to a
// person, and the person does not come with a product.
func (v *Conversion) hearComplaint(c *sitting, facts []fund.Evidence) []fund.Evidence {
	v.ToManager = "conversion.NO_CONTACT.manager.complaint"
	if c.Branch {
		v.decide(NoContact, "conversion.NO_CONTACT.complaint")
	} else {
		v.decide(TalkToManager, "conversion.TALK_TO_MANAGER.complaint", StepTalk)
	}
	return append(facts, fund.Evidence{
		Field: "OPEN_COMPLAINTS", Unit: fund.UnitCount, Number: int64(c.Thread.Contact.OpenComplaints), AsOf: c.day, Source: "EVENTS",
	})
}

func (v *Conversion) retest(c *sitting, facts []fund.Evidence) []fund.Evidence {
	if c.Person.Expired == 0 {
		v.decide(RetestRisk, "conversion.RETEST_RISK.required", StepFirstTest)
		return facts
	}
	v.decide(RetestRisk, "conversion.RETEST_RISK.expired", StepRetest)
	return append(facts, fund.Evidence{
		Field: "EXPIRED_ON", Unit: fund.UnitDate, Number: int64(c.Person.Expired), AsOf: c.day, Source: "CUSTOMER",
	})
}

// confirm says what he would have to be warned of. An elder in the app is sent to a
// person instead of to a form.
func (v *Conversion) confirm(c *sitting, facts []fund.Evidence) []fund.Evidence {
	risk := above(c)
	switch {
	case alone(c) && risk:
		v.decide(TalkToManager, "conversion.TALK_TO_MANAGER.elder_risk", StepTalk)
	case alone(c):
		v.decide(TalkToManager, "conversion.TALK_TO_MANAGER.elder", StepTalk)
	case risk:
		v.decide(ConfirmRequired, "conversion.CONFIRM_REQUIRED.risk")
		v.gates(c)
	default:
		v.decide(ConfirmRequired, c.Bar.warning())
		v.gates(c)
	}
	if !risk {
		return facts
	}
	return append(facts,
		fund.Evidence{Field: "GRADE", Text: c.Grade.String(), AsOf: c.day, Source: "POOL"},
		fund.Evidence{Field: "LEVEL", Text: c.Person.Level.String(), AsOf: c.day, Source: "CUSTOMER"})
}

// warning says to him why he has to confirm anything: a warning of which he does not hear
// what it is about is none.
func (b Bar) warning() string {
	switch b {
	case Unfit:
		return "conversion.CONFIRM_REQUIRED.unfit"
	case LongLockup:
		return "conversion.CONFIRM_REQUIRED.lockup"
	default:
		return "conversion.CONFIRM_REQUIRED.plain"
	}
}

// refuse says why he cannot buy it where that is one thing that he may hear and, where he can
// do something about it, what.
func (v *Conversion) refuse(b Bar) {
	switch b {
	case NoPension:
		v.decide(Hold, "conversion.HOLD.pension", StepPension)
	case Underage:
		v.decide(Hold, "conversion.HOLD.underage")
	case NotHisOwn:
		v.decide(Hold, "conversion.HOLD.guardian", StepGuardian)
	default:
		v.decide(Hold, "conversion.HOLD.not_now")
	}
}

// ask puts the question first; what a questionnaire answers is put to him once more.
func (v *Conversion) ask(question string, answered bool) {
	sentence := "conversion.ASK.goal"
	switch question {
	case "HORIZON", "CASH_CYCLE": // a company's horizon is when it must pay
		sentence = "conversion.ASK.horizon"
		if answered {
			sentence = "conversion.ASK.horizon.confirm"
		}
	case "LIQUIDITY":
		sentence = "conversion.ASK.liquidity"
	default:
		if answered {
			sentence = "conversion.ASK.goal.confirm"
		}
	}
	v.decide(Ask, sentence, StepAnswer)
}

// watchMinimum says that the product asks for more than suits him.
func (v *Conversion) watchMinimum(c *sitting, facts []fund.Evidence) []fund.Evidence {
	v.decide(Watch, "conversion.WATCH.below_minimum")
	return append(facts, fund.Evidence{
		Field: "MINIMUM", Unit: fund.UnitFen, Number: int64(c.Quote.Min), AsOf: c.day, Source: "PRODUCT",
		Document: c.Product.Listing.KeyFactsVersion,
	})
}

// plan offers small equal parts to somebody who hesitates before one large one.
func (v *Conversion) plan(c *sitting, plan PlanTerms, facts []fund.Evidence) []fund.Evidence {
	v.decide(Plan, "conversion.PLAN.monthly")
	v.Plan = plan
	v.gates(c)
	facts = v.dealingFacts(c, facts)
	if plan.Amount == 0 {
		v.Sentence = "conversion.PLAN.no_amount"
		return facts
	}
	if c.Person.Income <= 0 { // the least that can be bought is no suggestion
		v.Sentence = "conversion.PLAN.minimum"
	}
	return append(facts, amountFact(c, plan.Amount))
}

// buy resolves amount, class, day and steps.
func (v *Conversion) buy(c *sitting, facts []fund.Evidence) []fund.Evidence {
	v.decide(Buy, "")
	v.gates(c)
	facts = v.dealingFacts(c, facts)
	if c.Quote.Suggested > 0 {
		facts = append(facts, amountFact(c, c.Quote.Suggested))
	}
	t, day := &c.Product.Terms, c.day
	launch, later := c.Product.Listing.Status == fund.Subscription, t.NextOpenOn > day || t.ClosedUntil > day
	switch none := c.Quote.Suggested == 0; {
	case launch && none:
		v.Sentence = "conversion.BUY.subscription.no_amount"
	case launch:
		v.Sentence = "conversion.BUY.subscription"
	case later && none:
		v.Sentence = "conversion.BUY.next_open.no_amount"
	case later:
		v.Sentence = "conversion.BUY.next_open"
	case none:
		v.Sentence = "conversion.BUY.no_amount"
	case v.ShareClass == "":
		v.Sentence = "conversion.BUY.open.no_class"
	case cheaperClass(&c.Quote, v.ShareClass) != "":
		v.Sentence = "conversion.BUY.open.dearer_class"
		facts = append(facts,
			fund.Evidence{Field: "CHEAPER_CLASS", Text: cheaperClass(&c.Quote, v.ShareClass), AsOf: day, Source: "COMPUTED"},
			fund.Evidence{Field: "HELD", Unit: fund.UnitMonths, Number: int64(c.Quote.Months), AsOf: day, Source: "COMPUTED"})
	default:
		v.Sentence = "conversion.BUY.open"
		facts = append(facts, fund.Evidence{Field: "SHARE_CLASS", Text: v.ShareClass, AsOf: day, Source: "PRODUCT"})
	}
	return facts
}

// cheaperClass returns the other class of the two that are sold to everyone where it costs
// less for the amount and the time; empty: it does not, or is not on offer. A list takes
// the cheaper one by itself; he may have asked about this one by name.
func cheaperClass(q *Quote, own string) string {
	switch {
	case own == "A" && q.C.OK && q.Own.OK && q.C.Differing() < q.Own.Differing():
		return "C"
	case own == "C" && q.A.OK && q.Own.OK && q.A.Differing() < q.Own.Differing():
		return "A"
	default:
		return ""
	}
}

func (v *Conversion) dealingFacts(c *sitting, facts []fund.Evidence) []fund.Evidence {
	return append(facts,
		fund.Evidence{Field: "AVAILABLE_ON", Unit: fund.UnitDate, Number: int64(v.AvailableOn), AsOf: c.day, Source: "CALENDAR"},
		fund.Evidence{Field: "CUTOFF", Unit: fund.UnitMinutes, Number: int64(fund.Cutoff.Minutes()), AsOf: c.day, Source: "CALENDAR"})
}

func amountFact(c *sitting, amount fund.Money) fund.Evidence {
	return fund.Evidence{Field: "AMOUNT", Unit: fund.UnitFen, Number: int64(amount), AsOf: c.day, Source: "COMPUTED"}
}
