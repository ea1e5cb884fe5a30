package conversion_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

func instant(t *testing.T, s string) fund.Instant {
	t.Helper()
	at, err := fund.ParseInstant(s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// plans are the limits of the shipped model.
var plans = conversion.PlanLimits{Months: 36, Share: 1_000}

// buyable is a case in which nothing stands in the way: Wednesday, 10:00.
func buyable(t *testing.T) conversion.Case {
	t.Helper()
	return conversion.Case{
		Product: &fund.Product{Code: "161725", ShareClass: "A", Listing: fund.Listing{Status: fund.Open, KeyFactsVersion: "v3"}},
		Grade:   fund.R3, At: instant(t, "2024-03-06T10:00:00+08:00"), Calendar: &fund.Calendar{}, Person: conversion.Person{Level: fund.C3, Affordable: true},
		Plans: plans,
		Quote: conversion.Quote{Min: 1_000, Suggested: 500_000, Max: 1_000_000, CostAmount: 500_000, Own: conversion.ClassCost{OK: true}},
	}
}

func steps(v *conversion.Conversion) string {
	var out []string
	for _, s := range v.Steps {
		if s != "" {
			out = append(out, string(s))
		}
	}
	return strings.Join(out, " ")
}

// Each branch of the decision: what to do, what is said, which gates come before.
func TestDecide(t *testing.T) {
	text, err := wording.Compile(wording.DefaultTemplates())
	if err != nil {
		t.Fatal(err)
	}
	closed := map[fund.Date]bool{}
	for i := range 80 {
		closed[fund.Date(20240306).AddDays(i)] = false
	}
	never := fund.NewCalendar(closed)
	const (
		order     = "READ_KEY_FACTS MATCHING_OPINION CONFIRM_FEES PLACE_ORDER"
		planSteps = "READ_KEY_FACTS MATCHING_OPINION CONFIRM_FEES CONFIRM_PLAN PLACE_ORDER"
		plain     = "如果您考虑清楚了，可以投入5,000元，买A类。2024年3月6日15:00前下单，按当天净值成交。"
		peace     = "您说过不考虑，我们尊重您的决定。您想了解时，随时可以自己查看。"
		watch     = "您可以先关注，不必现在决定。"
		elder     = "建议您请客户经理当面讲一讲，也可以和家人商量以后再决定。"
	)
	for name, c := range map[string]struct {
		change func(c *conversion.Case)
		action conversion.Action
		steps  string
		text   string
	}{
		"nothing in the way": {func(*conversion.Case) {}, conversion.Buy, order, "如果您考虑清楚了，可以投入5,000元，买A类。2024年3月6日15:00前下单，按当天净值成交。"},
		"a fund of one class": {
			func(c *conversion.Case) { c.Product.ShareClass = "" },
			conversion.Buy, order, "如果您考虑清楚了，可以投入5,000元。2024年3月6日15:00前下单，按当天净值成交。",
		},
		"no amount to suggest": {
			func(c *conversion.Case) { c.Quote.Suggested, c.Quote.Min = 0, 1 },
			conversion.Buy, "READ_KEY_FACTS MATCHING_OPINION CONFIRM_FEES CONFIRM_AMOUNT PLACE_ORDER", "如果您考虑清楚了，可以自己定一个不影响平时用钱的金额。2024年3月6日15:00前下单，按当天净值成交。",
		},
		"fees unknown": {
			func(c *conversion.Case) { c.Quote.Own.OK = false },
			conversion.Buy, "READ_KEY_FACTS MATCHING_OPINION ASK_FEES PLACE_ORDER", "如果您考虑清楚了，可以投入5,000元，买A类。2024年3月6日15:00前下单，按当天净值成交。",
		},
		"in the branch": {
			func(c *conversion.Case) { c.Branch = true },
			conversion.Buy, "RECORD_SALE READ_KEY_FACTS MATCHING_OPINION CONFIRM_FEES PLACE_ORDER", "如果您考虑清楚了，可以投入5,000元，买A类。2024年3月6日15:00前下单，按当天净值成交。",
		},
		"everything to be done at once": {
			func(c *conversion.Case) {
				c.Branch, c.Person.Guardian, c.Person.Elder, c.Quote.Own.OK, c.Quote.Suggested, c.Grade = true, true, true, false, 0, fund.R4
			},
			conversion.Buy, "GUARDIAN RECORD_SALE READ_KEY_FACTS MATCHING_OPINION ASK_FEES SIGN_WARNING CONFIRM_ELDER CONFIRM_AMOUNT PLACE_ORDER", "如果您考虑清楚了，可以自己定一个不影响平时用钱的金额。2024年3月6日15:00前下单，按当天净值成交。",
		},
		"in its launch": {
			func(c *conversion.Case) {
				c.Product.Listing.Status, c.Product.Terms.ClosedUntil = fund.Subscription, 20240901
			},
			conversion.Buy, order, "这只基金正在募集。如果您考虑清楚了，可以认购5,000元，2024年3月6日15:00前下单。",
		},
		"in its launch, no amount to suggest": {
			func(c *conversion.Case) {
				c.Product.Listing.Status, c.Product.Terms.ClosedUntil, c.Quote.Suggested = fund.Subscription, 20240901, 0
			},
			conversion.Buy, "READ_KEY_FACTS MATCHING_OPINION CONFIRM_FEES CONFIRM_AMOUNT PLACE_ORDER",
			"这只基金正在募集。如果您考虑清楚了，可以自己定一个不影响平时用钱的金额，2024年3月6日15:00前下单。",
		},
		"it opens later, no amount to suggest": {
			func(c *conversion.Case) { c.Product.Terms.NextOpenOn, c.Quote.Suggested = 20240323, 0 },
			conversion.Buy, "READ_KEY_FACTS MATCHING_OPINION CONFIRM_FEES CONFIRM_AMOUNT PLACE_ORDER",
			"这只产品下一次开放是2024年3月25日。如果您考虑清楚了，可以到时自己定一个不影响平时用钱的金额。",
		},
		"it opens later": {
			func(c *conversion.Case) { c.Product.Terms.NextOpenOn = 20240323 }, // a Saturday
			conversion.Buy, order, "这只产品下一次开放是2024年3月25日。如果您考虑清楚了，可以到时再买5,000元。",
		},
		"the market does not open": {func(c *conversion.Case) { c.Calendar = &never }, conversion.Watch, "", "您可以先关注，不必现在决定。"},
		"the minimum is above the day limit": {
			func(c *conversion.Case) { c.Quote.Min = 2_000_000 }, conversion.Watch, "", "您可以先关注，不必现在决定。",
		},
		"the minimum is beyond his means": {
			func(c *conversion.Case) { c.Person.Affordable = false; c.Quote.Min = 1_000_000 }, conversion.Watch, "", "这只产品10,000元起购，超过了适合您的金额，您可以先关注。",
		},
		"he holds it":                  {func(c *conversion.Case) { c.Person.Held, c.Person.HeldVery, c.Person.Question = true, true, "GOAL" }, conversion.Hold, "", "您已经持有这只产品，暂时不需要再买。"},
		"he holds another class of it": {func(c *conversion.Case) { c.Person.Held = true }, conversion.Hold, "", "您已经持有这只基金的另一类份额，暂时不需要再买。"},
		"goal unknown":                 {func(c *conversion.Case) { c.Person.Question = "GOAL" }, conversion.Ask, "ANSWER_QUESTION", "先告诉我们这笔钱的用途，再看这只产品适不适合您。"},
		"horizon unknown": {
			func(c *conversion.Case) { c.Person.Question = "HORIZON" }, conversion.Ask, "ANSWER_QUESTION", "先告诉我们这笔钱多久以后要用，再看这只产品适不适合您。",
		},
		"need unknown": {
			func(c *conversion.Case) { c.Person.Question = "LIQUIDITY" }, conversion.Ask, "ANSWER_QUESTION", "先告诉我们您会不会提前用到这笔钱，再看这只产品适不适合您。",
		},
		"for information, expired": {
			func(c *conversion.Case) {
				c.Standing, c.Person.Expired, c.Person.Held = conversion.Information, 20240301, true
			},
			conversion.RetestRisk, "RETEST_RISK", "您的风险测评已于2024年3月1日到期，重新测评以后才能购买。",
		},
		"for information, never assessed": {
			func(c *conversion.Case) { c.Standing = conversion.Information },
			conversion.RetestRisk, "TAKE_RISK_TEST", "您还没有做过风险测评，完成测评以后才能购买。",
		},
		"above his level": {
			func(c *conversion.Case) { c.Standing, c.Grade = conversion.Confirmable, fund.R5 },
			conversion.ConfirmRequired, "READ_KEY_FACTS MATCHING_OPINION CONFIRM_FEES SIGN_WARNING", "这只产品的风险等级是R5，高于您的风险承受等级C3，不适合您。如果您仍要购买，须先阅读风险警示并书面确认。",
		},
		"to be confirmed for another reason": {
			func(c *conversion.Case) { c.Standing, c.Person.Level = conversion.Confirmable, fund.LevelUnknown },
			conversion.ConfirmRequired, "READ_KEY_FACTS MATCHING_OPINION CONFIRM_FEES SIGN_WARNING", "下单前有一项风险提示需要您阅读并确认。",
		},
		"refused": {func(c *conversion.Case) { c.Standing = conversion.Refused }, conversion.Hold, "", "这只产品目前不适合您，或者还不能购买，现在不需要做什么。"},
		"refused, but he holds it": {
			func(c *conversion.Case) { c.Standing, c.Person.Held = conversion.Refused, true }, conversion.Hold, "", "暂时不需要做什么，保持现在的持仓就可以。",
		},
		"refused, the end unknown": {
			func(c *conversion.Case) {
				c.Thread.Journey = &fund.Journey{Refused: fund.RefusalWord{At: c.At - 1}}
			}, conversion.NoContact, "", peace,
		},
		"refused until tomorrow":       {func(c *conversion.Case) { c.Thread.RefusedUntil = 20240307 }, conversion.NoContact, "", peace},
		"refused until today":          {func(c *conversion.Case) { c.Thread.RefusedUntil = 20240306 }, conversion.Buy, order, plain},
		"not now, until tomorrow":      {func(c *conversion.Case) { c.Thread.NotNowUntil = 20240307 }, conversion.NoContact, "", "您说过现在先不考虑，我们不打扰您。您想了解时，随时可以自己查看。"},
		"the day that he named came":   {func(c *conversion.Case) { c.Thread.NotNowUntil = 20240306 }, conversion.Buy, order, plain},
		"a complaint, in the app":      {func(c *conversion.Case) { c.Thread.Contact.OpenComplaints = 1 }, conversion.TalkToManager, "TALK_TO_MANAGER", "您反映的意见还在处理。您想了解进展，或者想和人谈一谈，可以随时联系客户经理。"},
		"a complaint, in the branch":   {func(c *conversion.Case) { c.Thread.Contact.OpenComplaints, c.Branch = 1, true }, conversion.NoContact, "", "您反映的意见还在处理，处理好以前我们不主动向您介绍产品。"},
		"rebutted twice":               {func(c *conversion.Case) { c.Thread.Silenced = true }, conversion.Watch, "", watch},
		"put off twice":                {func(c *conversion.Case) { c.Thread.Postponed = true }, conversion.Watch, "", watch},
		"put off twice, to a day":      {func(c *conversion.Case) { c.Thread.Postponed, c.Thread.NotNowUntil = true, 20240306 }, conversion.Buy, order, plain},
		"put off until a day, unasked": {func(c *conversion.Case) { c.Thread.NotNowUntil, c.Person.Question = 20240307, "GOAL" }, conversion.NoContact, "", "您说过现在先不考虑，我们不打扰您。您想了解时，随时可以自己查看。"},
		"an elder in the app, R3":      {func(c *conversion.Case) { c.Person.Elder = true }, conversion.TalkToManager, "TALK_TO_MANAGER", elder},
		"an elder in the app, R2": {
			func(c *conversion.Case) { c.Person.Elder, c.Grade = true, fund.R2 },
			conversion.Buy, "READ_KEY_FACTS MATCHING_OPINION CONFIRM_FEES CONFIRM_ELDER PLACE_ORDER", plain,
		},
		"an elder in the app, grade unknown": {
			func(c *conversion.Case) { c.Person.Elder, c.Grade = true, fund.GradeUnknown }, conversion.TalkToManager, "TALK_TO_MANAGER", elder,
		},
		"an elder in the branch": {
			func(c *conversion.Case) { c.Person.Elder, c.Branch = true, true },
			conversion.Buy, "RECORD_SALE READ_KEY_FACTS MATCHING_OPINION CONFIRM_FEES CONFIRM_ELDER PLACE_ORDER", plain,
		},
		"a company has no age": {func(c *conversion.Case) { c.Person.Elder, c.Person.Company = true, true }, conversion.Buy, order, plain},
		"an elder, above his level": {
			func(c *conversion.Case) { c.Standing, c.Grade, c.Person.Elder = conversion.Confirmable, fund.R4, true },
			conversion.TalkToManager, "TALK_TO_MANAGER", "这只产品的风险等级是R4，高于您的风险承受等级C3，不适合您。您想了解的话，建议请客户经理当面讲一讲，也可以和家人商量。",
		},
		"an elder, to be confirmed": {
			func(c *conversion.Case) { c.Standing, c.Person.Elder = conversion.Confirmable, true }, conversion.TalkToManager, "TALK_TO_MANAGER", elder,
		},
		"an elder, above his level, in the branch": {
			func(c *conversion.Case) {
				c.Standing, c.Grade, c.Person.Elder, c.Branch = conversion.Confirmable, fund.R4, true, true
			},
			conversion.ConfirmRequired, "RECORD_SALE READ_KEY_FACTS MATCHING_OPINION CONFIRM_FEES SIGN_WARNING CONFIRM_ELDER",
			"这只产品的风险等级是R4，高于您的风险承受等级C3，不适合您。如果您仍要购买，须先阅读风险警示并书面确认。",
		},
		"to be confirmed, at his level": {
			func(c *conversion.Case) { c.Standing = conversion.Confirmable },
			conversion.ConfirmRequired, "READ_KEY_FACTS MATCHING_OPINION CONFIRM_FEES SIGN_WARNING", "下单前有一项风险提示需要您阅读并确认。",
		},
		"to be confirmed, for it does not suit him": {
			func(c *conversion.Case) { c.Standing, c.Bar = conversion.Confirmable, conversion.Unfit },
			conversion.ConfirmRequired, "READ_KEY_FACTS MATCHING_OPINION CONFIRM_FEES SIGN_WARNING", "这只产品与您的目标、打算放的时间或者用钱的安排不一致，我们不向您推荐。如果您仍要购买，须先阅读风险提示并确认。",
		},
		"to be confirmed, for an elder's money is tied": {
			func(c *conversion.Case) {
				c.Standing, c.Bar, c.Person.Elder, c.Branch = conversion.Confirmable, conversion.LongLockup, true, true
			},
			conversion.ConfirmRequired, "RECORD_SALE READ_KEY_FACTS MATCHING_OPINION CONFIRM_FEES SIGN_WARNING CONFIRM_ELDER",
			"这只产品的钱要锁定很长时间，我们不主动向年长的客户推荐。如果您仍要购买，请先和家人商量，再阅读风险提示并确认。",
		},
		"a complaint, where A06 leaves a confirmation": {
			func(c *conversion.Case) {
				c.Standing, c.Thread.Contact.OpenComplaints, c.Branch = conversion.Confirmable, 1, true
			},
			conversion.NoContact, "", "您反映的意见还在处理，处理好以前我们不主动向您介绍产品。",
		},
		"he feels sold to":   {func(c *conversion.Case) { c.Thread.Pushed = true }, conversion.Watch, "", "您可以先关注，不必现在决定。"},
		"he asks his family": {func(c *conversion.Case) { c.Thread.Consulting = true }, conversion.Watch, "", "您说过要和家人商量，不着急，也没有期限。商量好了，您随时可以再来看。"},
		"a goal from a questionnaire": {
			func(c *conversion.Case) { c.Person.Question, c.Person.Answered = "GOAL", true }, conversion.Ask, "ANSWER_QUESTION",
			"您在问卷里说过这笔钱的用途。先请您确认有没有变化，再看这只产品适不适合您。",
		},
		"a horizon from a questionnaire": {
			func(c *conversion.Case) { c.Person.Question, c.Person.Answered = "CASH_CYCLE", true }, conversion.Ask, "ANSWER_QUESTION",
			"您在问卷里说过这笔钱打算放多久。先请您确认有没有变化，再看这只产品适不适合您。",
		},
		"he asked about the dearer class": {
			func(c *conversion.Case) {
				c.Product.ShareClass, c.Quote.Months = "C", 24
				c.Quote.Own = conversion.ClassCost{Cost: fund.Cost{Service: 900}, OK: true}
				c.Quote.A, c.Quote.C = conversion.ClassCost{Cost: fund.Cost{Service: 899}, OK: true}, c.Quote.Own
			}, conversion.Buy, order, "如果您考虑清楚了，可以投入5,000元。按持有2年计算，同一只基金的A类费用更低，您可以先看A类。2024年3月6日15:00前下单，按当天净值成交。",
		},
		"he asked about the class that costs as much": {
			func(c *conversion.Case) {
				c.Quote.Own = conversion.ClassCost{Cost: fund.Cost{Service: 900}, OK: true}
				c.Quote.A, c.Quote.C = c.Quote.Own, c.Quote.Own
			}, conversion.Buy, order, plain,
		},
		"a professional, above his level": {
			func(c *conversion.Case) { c.Grade = fund.R4 },
			conversion.Buy, "READ_KEY_FACTS MATCHING_OPINION CONFIRM_FEES SIGN_WARNING PLACE_ORDER", plain,
		},
		"he hesitates": {
			hesitant(nil), conversion.Plan, planSteps, "如果您不想一次投入，可以每月定投1,000元，随时可以暂停。定投也可能亏损。",
		},
		"he hesitates, in the branch, an elder, unpriced": {
			hesitant(func(c *conversion.Case) { c.Branch, c.Person.Elder, c.Quote.Own.OK = true, true, false }),
			conversion.Plan, "RECORD_SALE READ_KEY_FACTS MATCHING_OPINION ASK_FEES CONFIRM_ELDER CONFIRM_PLAN PLACE_ORDER", "如果您不想一次投入，可以每月定投1,000元，随时可以暂停。定投也可能亏损。",
		},
		"he hesitates, income and minimum unknown": {
			hesitant(func(c *conversion.Case) { c.Person.Income, c.Product.Terms.MinPurchase = 0, 0 }),
			conversion.Plan, planSteps, "如果您不想一次投入，可以考虑每月定投，金额由您定，以不影响生活为准，随时可以暂停。定投也可能亏损。",
		},
		"he hesitates, no open day in sight": {hesitant(func(c *conversion.Case) { c.Calendar = &never }), conversion.Watch, "", watch},
	} {
		in := buyable(t)
		c.change(&in)
		before := []fund.Evidence{{Field: "OTHER"}}
		got, facts := conversion.Decide(&in, before)
		if got.Action != c.action || steps(&got) != c.steps {
			t.Errorf("%s: %s with steps %q, want %s with %q", name, got.Action, steps(&got), c.action, c.steps)
		}
		if len(facts) != 1+len(got.Evidence) || facts[0].Field != "OTHER" {
			t.Errorf("%s: facts %+v", name, facts)
		}
		if (got.Quote.Suggested+got.Quote.Min+got.Quote.Max == 0) != (got.Action != conversion.Buy) {
			t.Errorf("%s: %s with amounts %+v", name, got.Action, got.Quote)
		}
		if said := say(t, text, got.Sentence, got.Evidence); said != c.text {
			t.Errorf("%s: says %q, want %q", name, said, c.text)
		}
		for _, step := range got.Steps {
			if step != "" {
				say(t, text, step.Label(), nil)
			}
		}
		if got.ToManager != "" {
			sayToManager(t, text, got.ToManager, got.Evidence)
		}
	}
}

// sayToManager renders a sentence that no customer may read.
func sayToManager(t *testing.T, text *wording.Templates, name string, evidence []fund.Evidence) string {
	t.Helper()
	id, ok := text.ID(name)
	if !ok || text.Audience(id) != wording.Manager {
		t.Fatalf("%q is no sentence for managers only", name)
	}
	out, err := text.AppendEvidence(nil, id, evidence)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// hesitant makes a case one of a customer who hesitates and whom a plan would suit: three
// years, 120,000 yuan a year, an open equity fund from 10 yuan.
func hesitant(change func(c *conversion.Case)) func(c *conversion.Case) {
	return func(c *conversion.Case) {
		c.Thread.Hesitant, c.Class = true, fund.Equity
		c.Person.HorizonMonths, c.Person.Income, c.Product.Terms.MinPurchase = plans.Months, 12_000_000, 1_000
		if change != nil {
			change(c)
		}
	}
}

// say renders a sentence for the customer from exactly its own evidence.
func say(t *testing.T, text *wording.Templates, name string, evidence []fund.Evidence) string {
	t.Helper()
	id, ok := text.ID(name)
	if !ok || !text.Audience(id).May(wording.Customer) {
		t.Fatalf("%q is no sentence for a customer", name)
	}
	out, err := text.AppendEvidence(nil, id, evidence)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// The day on which an order given now is dealt, and its cutoff.
func TestDealingDayAndCutoff(t *testing.T) {
	holiday := fund.NewCalendar(map[fund.Date]bool{20240307: true, 20240308: false, 20240309: false, 20240310: false, 20240311: true})
	for name, c := range map[string]struct {
		at       string
		calendar fund.Calendar
		change   func(p *fund.Product)
		day      fund.Date
		source   conversion.CalendarSource
	}{
		"a microsecond before 15:00":   {"2024-03-06T14:59:59.999999+08:00", fund.Calendar{}, nil, 20240306, conversion.AssumedCalendar},
		"15:00":                        {"2024-03-06T15:00:00+08:00", fund.Calendar{}, nil, 20240307, conversion.AssumedCalendar},
		"15:00 on a Friday":            {"2024-03-08T15:00:00+08:00", fund.Calendar{}, nil, 20240311, conversion.AssumedCalendar},
		"over a holiday that is known": {"2024-03-07T15:00:00+08:00", holiday, nil, 20240311, conversion.KnownCalendar},
		"half of the way is known":     {"2024-03-11T15:00:00+08:00", holiday, nil, 20240312, conversion.AssumedCalendar},
		"closed until":                 {"2024-03-06T10:00:00+08:00", fund.Calendar{}, func(p *fund.Product) { p.Terms.ClosedUntil = 20240315 }, 20240315, conversion.AssumedCalendar},
		"closed, and open still later": {"2024-03-06T10:00:00+08:00", fund.Calendar{}, func(p *fund.Product) { p.Terms.ClosedUntil, p.Terms.NextOpenOn = 20240315, 20240320 }, 20240320, conversion.AssumedCalendar},
		"a launch takes orders today":  {"2024-03-06T10:00:00+08:00", fund.Calendar{}, func(p *fund.Product) { p.Listing.Status, p.Terms.ClosedUntil = fund.Subscription, 20240901 }, 20240306, conversion.AssumedCalendar},
	} {
		in := buyable(t)
		in.At, in.Calendar = instant(t, c.at), &c.calendar
		if c.change != nil {
			c.change(in.Product)
		}
		got, _ := conversion.Decide(&in, nil)
		if got.AvailableOn != c.day || got.Cutoff != c.day.Start().Add(fund.Cutoff) || got.Calendar != c.source {
			t.Errorf("%s: %s until %s (%s), want %s (%s)", name, got.AvailableOn, got.Cutoff, got.Calendar, c.day, c.source)
		}
	}
}

func TestCodesAreThePlaybooks(t *testing.T) {
	var got []string
	for a := range conversion.Actions {
		got = append(got, a.String())
	}
	want := strings.Fields("BUY PLAN WATCH ASK TALK_TO_MANAGER RETEST_RISK HOLD REDUCE NO_CONTACT CONFIRM_REQUIRED")
	if !slices.Equal(got, want) || conversion.AssumedCalendar.String() != "ASSUMED" || conversion.KnownCalendar.String() != "KNOWN" {
		t.Errorf("%v", got)
	}
}
