package conversion_test

import (
	"testing"

	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// stood makes a case of a customer who reached a key node on a day, at noon, and who may
// be contacted.
func stood(c *conversion.Case, node fund.KeyNode, on fund.Date) {
	j := &fund.Journey{ProductCode: c.Product.Code, Node: node}
	j.Reached[node] = on.Start().Add(hours(12))
	c.Thread.Journey, c.Thread.Contact.Allowed = j, true
}

// What follows each key node, when, and when nothing does. It is Wednesday, 2024-03-06.
func TestFollowUp(t *testing.T) {
	text := templates(t)
	holiday := fund.NewCalendar(map[fund.Date]bool{20240307: false, 20240308: false})
	closed := map[fund.Date]bool{}
	for i := range 80 {
		closed[fund.Date(20240306).AddDays(i)] = false
	}
	never := fund.NewCalendar(closed)
	const (
		viewed    = "客户看过这只产品。可以问问有没有不清楚的地方，不问买不买。"
		asked     = "客户提过疑问，还没有下单。先把疑问答清楚；答清楚以后，继续不继续由他定。"
		started   = "客户开始下单后停下了。先回到他的疑问，弄清为什么停下，不请他接着下单。"
		abandoned = "客户放弃了下单。先回到他的疑问，弄清为什么放弃，不请他重新下单。"
		notNow    = "客户说过这一天以后再看。可以问一句现在想不想看，不想看就到此为止。"
		confirmed = "客户买入已有一段时间。回访他持有得是否安心，告诉他怎么看净值和费用，不介绍别的产品。"
	)
	type want struct {
		node     fund.KeyNode
		backward bool
		on       fund.Date
		text     string
	}
	nothing := want{}
	held := func(c *conversion.Case) { c.Person.Held, c.Person.HeldVery = true, true }
	for name, c := range map[string]struct {
		node   fund.KeyNode
		on     fund.Date
		change func(c *conversion.Case)
		want   want
	}{
		"no journey":             {fund.Viewed, 20240305, func(c *conversion.Case) { c.Thread.Journey = nil }, nothing},
		"no node":                {fund.NoNode, 20240305, nil, nothing},
		"only shown":             {fund.Exposed, 20240305, nil, nothing},
		"a node without a day":   {fund.Viewed, 20240305, func(c *conversion.Case) { c.Thread.Journey.Reached = [fund.KeyNodes]fund.Instant{} }, nothing},
		"a node out of range":    {fund.Viewed, 20240305, func(c *conversion.Case) { c.Thread.Journey.Node = fund.KeyNodes }, nothing},
		"viewed yesterday":       {fund.Viewed, 20240305, nil, want{fund.Asked, false, 20240308, viewed}},
		"viewed on Friday":       {fund.Viewed, 20240301, nil, want{fund.Asked, false, 20240306, viewed}},
		"viewed today, weekend":  {fund.Viewed, 20240306, nil, want{fund.Asked, false, 20240311, viewed}},
		"viewed, over a holiday": {fund.Viewed, 20240304, func(c *conversion.Case) { c.Calendar = &holiday }, want{fund.Asked, false, 20240311, viewed}},
		"viewed 90 days ago":     {fund.Viewed, 20231207, nil, want{fund.Asked, false, 20240306, viewed}},
		"viewed 91 days ago":     {fund.Viewed, 20231206, nil, nothing},
		"no open day is in sight": {fund.Viewed, 20240305, func(c *conversion.Case) {
			c.Calendar = &never
			c.Person.Question = "GOAL" // which can be asked on any day
		}, nothing},
		"asked yesterday":     {fund.Asked, 20240305, nil, want{fund.Started, false, 20240306, asked}},
		"started yesterday":   {fund.Started, 20240305, nil, want{fund.Asked, true, 20240307, started}},
		"abandoned yesterday": {fund.Abandoned, 20240305, nil, want{fund.Asked, true, 20240307, abandoned}},

		"refused until today, looked again since": {fund.Viewed, 20240305, func(c *conversion.Case) {
			c.Thread.RefusedUntil, c.Thread.Journey.Refused.At = 20240306, instantOf("2024-03-05T11:59:59+08:00")
		}, want{fund.Asked, false, 20240308, viewed}},
		"refused until today, not seen since": {fund.Viewed, 20240305, func(c *conversion.Case) {
			c.Thread.RefusedUntil, c.Thread.Journey.Refused.At = 20240306, instantOf("2024-03-05T12:00:00+08:00")
		}, nothing},
		"refused until tomorrow":   {fund.Viewed, 20240305, func(c *conversion.Case) { c.Thread.RefusedUntil = 20240307 }, nothing},
		"a complaint is open":      {fund.Viewed, 20240305, func(c *conversion.Case) { c.Thread.Contact.OpenComplaints = 1 }, nothing},
		"rebutted twice":           {fund.Viewed, 20240305, func(c *conversion.Case) { c.Thread.Silenced = true }, nothing},
		"feels sold to":            {fund.Asked, 20240305, func(c *conversion.Case) { c.Thread.Pushed = true }, nothing},
		"put off, no day named":    {fund.Abandoned, 20240305, func(c *conversion.Case) { c.Thread.Postponed = true }, nothing},
		"put off to a day to come": {fund.Abandoned, 20240305, func(c *conversion.Case) { c.Thread.NotNowUntil = 20240601 }, want{fund.Asked, true, 20240603, notNow}},
		"put off long ago, to a day to come": {
			fund.Viewed, 20230305, func(c *conversion.Case) { c.Thread.NotNowUntil = 20240401 }, want{fund.Asked, false, 20240401, notNow},
		},
		"the day that he named is today":       {fund.Viewed, 20230305, func(c *conversion.Case) { c.Thread.NotNowUntil = 20240306 }, want{fund.Asked, false, 20240306, viewed}},
		"the day that he named is 90 days ago": {fund.Viewed, 20230305, func(c *conversion.Case) { c.Thread.NotNowUntil = 20231207 }, want{fund.Asked, false, 20240306, viewed}},
		"the day that he named is long over":   {fund.Viewed, 20230305, func(c *conversion.Case) { c.Thread.NotNowUntil = 20231206 }, nothing},

		"no consent":       {fund.Viewed, 20240305, func(c *conversion.Case) { c.Thread.Contact = conversion.Contact{Reason: conversion.ContactNoConsent} }, nothing},
		"contact not read": {fund.Viewed, 20240305, func(c *conversion.Case) { c.Thread.Contact = conversion.Contact{} }, nothing},
		"capped until May": {fund.Viewed, 20240305, func(c *conversion.Case) {
			c.Thread.Contact = conversion.Contact{Reason: conversion.ContactCap, NotBefore: 20240504}
		}, want{fund.Asked, false, 20240506, viewed}},
		"capped without an end": {fund.Viewed, 20240305, func(c *conversion.Case) { c.Thread.Contact = conversion.Contact{Reason: conversion.ContactCap} }, nothing},
		"quiet until tomorrow": {fund.Asked, 20240305, func(c *conversion.Case) {
			c.Thread.Contact = conversion.Contact{Reason: conversion.ContactQuiet, NotBefore: 20240307}
		}, want{fund.Started, false, 20240307, asked}},

		"a question":                    {fund.Viewed, 20240305, func(c *conversion.Case) { c.Person.Question = "GOAL" }, want{fund.Asked, false, 20240308, viewed}},
		"an elder in the app":           {fund.Viewed, 20240305, func(c *conversion.Case) { c.Person.Elder = true }, want{fund.Asked, false, 20240308, viewed}},
		"he hesitates":                  {fund.Viewed, 20240305, hesitant(nil), want{fund.Asked, false, 20240308, viewed}},
		"no valid test":                 {fund.Viewed, 20240305, func(c *conversion.Case) { c.Standing = conversion.Information }, nothing},
		"above his level":               {fund.Viewed, 20240305, func(c *conversion.Case) { c.Standing, c.Grade = conversion.Confirmable, fund.R5 }, nothing},
		"above an elder's":              {fund.Viewed, 20240305, func(c *conversion.Case) { c.Standing, c.Grade, c.Person.Elder = conversion.Confirmable, fund.R5, true }, nothing},
		"barred":                        {fund.Viewed, 20240305, func(c *conversion.Case) { c.Standing = conversion.Refused }, nothing},
		"beyond his means":              {fund.Viewed, 20240305, func(c *conversion.Case) { c.Person.Affordable = false }, nothing},
		"he holds it":                   {fund.Viewed, 20240305, held, nothing},
		"bought 29 days ago":            {fund.Confirmed, 20240206, held, want{fund.Confirmed, false, 20240307, confirmed}},
		"bought 30 days ago":            {fund.Confirmed, 20240205, held, want{fund.Confirmed, false, 20240306, confirmed}},
		"bought 31 days ago":            {fund.Confirmed, 20240204, held, nothing},
		"bought, sold since":            {fund.Confirmed, 20240206, nil, nothing},
		"bought, sold and barred since": {fund.Confirmed, 20240206, func(c *conversion.Case) { c.Standing = conversion.Refused }, nothing},
		"bought, barred since":          {fund.Confirmed, 20240206, func(c *conversion.Case) { held(c); c.Standing = conversion.Refused }, want{fund.Confirmed, false, 20240307, confirmed}},
		"bought, complained":            {fund.Confirmed, 20240206, func(c *conversion.Case) { held(c); c.Thread.Contact.OpenComplaints = 1 }, nothing},
		"bought, capped, later": {fund.Confirmed, 20240101, func(c *conversion.Case) {
			held(c)
			c.Thread.Contact = conversion.Contact{Reason: conversion.ContactCap, NotBefore: 20240401}
		}, want{fund.Confirmed, false, 20240401, confirmed}},
	} {
		in := buyable(t)
		stood(&in, c.node, c.on)
		if c.change != nil {
			c.change(&in)
		}
		got, _ := conversion.Decide(&in, nil)
		f := got.FollowUp
		if f.Node != c.want.node || f.Backward != c.want.backward || f.On != c.want.on {
			t.Errorf("%s: after %s %+v, want %+v", name, got.Action, f, c.want)
			continue
		}
		said := ""
		if f.Sentence != "" {
			said = sayToManager(t, text, f.Sentence, nil)
		}
		if said != c.want.text {
			t.Errorf("%s: says %q, want %q", name, said, c.want.text)
		}
	}
}

// A purchase on a day whose thirtieth falls on a weekend is followed up on Monday, and on
// Monday itself it is not forgotten.
func TestCompanionDayOverAWeekend(t *testing.T) {
	for at, want := range map[string]fund.Date{
		"2024-03-08T10:00:00+08:00": 20240311, // Friday
		"2024-03-09T10:00:00+08:00": 20240311, // Saturday: the thirtieth day
		"2024-03-11T10:00:00+08:00": 20240311, // Monday
		"2024-03-12T10:00:00+08:00": 0,
	} {
		in := buyable(t)
		in.At = instantOf(at)
		stood(&in, fund.Confirmed, 20240208)
		in.Person.Held = true
		if got, _ := conversion.Decide(&in, nil); got.FollowUp.On != want {
			t.Errorf("at %s: on %s, want %s", at, got.FollowUp.On, want)
		}
	}
}
