package synthetic

import (
	"github.com/fundmatch/fundmatch/features/dataset"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// story is a customer who shows one situation. His facts are written, not drawn; only
// the prices that he bought at follow from the market.
type story struct {
	id       string
	age      int // full years; 0: a company
	level    fund.RiskLevel
	assessed int // days before as-of; 0: never
	needs    fund.StatedNeeds
	adjust   func(row *dataset.CustomerRow, asOf fund.Date) // nil: an ordinary customer
	buys     []scripted
}

// scripted is a purchase of a story: the anchor's code, so many days before as-of.
type scripted struct {
	code string
	ago  int
	yuan fund.Money
}

func wants(months int32, need fund.Need, goals ...fund.Goal) fund.StatedNeeds {
	return fund.StatedNeeds{Goals: goals, HorizonMonths: months, Liquidity: need}
}

// stories are the first customers of every bank, described in docs/demo-bank.md.
var stories = [...]story{
	{"DEMO-0001-CASH-ELDER", 72, fund.C2, 90, wants(6, fund.NeedHigh, fund.Cash), nil, []scripted{{AnchorMoney, 400, 80_000}}},
	{"DEMO-0002-STEADY-C3", 45, fund.C3, 60, wants(24, fund.NeedMedium, fund.SteadyIncome), nil, []scripted{
		{AnchorShortBond, 700, 60_000}, {AnchorMoney, 300, 20_000},
	}},
	{"DEMO-0003-EXPIRED", 51, fund.C3, 500, wants(36, fund.NeedMedium, fund.SteadyIncome), nil, []scripted{{AnchorIssuerGrade, 480, 40_000}}},
	{"DEMO-0004-NO-ASSESSMENT", 29, fund.LevelUnknown, 0, wants(12, fund.NeedMedium, fund.Cash), nil, nil},
	{"DEMO-0005-LOWEST-CLASS", 58, fund.C1, 45, wants(6, fund.NeedHigh, fund.Cash), func(row *dataset.CustomerRow, _ fund.Date) {
		row.Person.IsLowestClass = fund.Yes
	}, []scripted{{AnchorMoney, 40, 10_000}}},
	{"DEMO-0006-MINOR", 15, fund.C1, 120, wants(36, fund.NeedLow, fund.Education), func(row *dataset.CustomerRow, _ fund.Date) {
		row.Person.Capacity, row.Person.IsLowestClass = fund.LimitedCapacity, fund.Yes
		row.Person.AUM, row.Person.Income, row.Person.Segment = 2_000_000, 0, "MASS"
	}, nil},
	{"DEMO-0007-PROFESSIONAL", 41, fund.C3, 30, wants(60, fund.NeedLow, fund.Growth), func(row *dataset.CustomerRow, asOf fund.Date) {
		row.Person.InvestorType = fund.ProfessionalInvestor
		row.Person.Professional = fund.Professional{Class: "B", Until: asOf.AddDays(300), ElectsOrdinary: fund.No}
		row.Person.AUM, row.Person.Segment = 1_200_000_000, "PRIVATE"
	}, []scripted{{AnchorOverseas, 300, 500_000}}},
	{"DEMO-0008-PERSONALIZATION-OFF", 36, fund.C3, 80, wants(36, fund.NeedMedium, fund.Education), func(row *dataset.CustomerRow, _ fund.Date) {
		row.Personalization = fund.No
	}, []scripted{{AnchorBalanced, 200, 30_000}}},
	{"DEMO-0009-GOAL-UNKNOWN", 33, fund.C3, 100, fund.StatedNeeds{}, nil, nil},
	{"DEMO-0010-LIQUIDITY-HIGH", 40, fund.C3, 150, wants(12, fund.NeedHigh, fund.SteadyIncome), nil, []scripted{{AnchorShortBond, 150, 50_000}}},
	{"DEMO-0011-HOLDS-LOSS", 39, fund.C4, 70, wants(60, fund.NeedLow, fund.Growth), nil, []scripted{
		{AnchorIndex, crashFrom + 10, 40_000}, {AnchorSlump, 540, 90_000},
	}},
	{"DEMO-0012-COMPANY", 0, fund.C2, 200, wants(3, fund.NeedHigh, fund.Treasury), func(row *dataset.CustomerRow, _ fund.Date) {
		row.Person.AUM, row.Person.Segment, row.Person.Industry = 2_000_000_000, "CORPORATE", "物流"
		row.Person.Capacity = fund.CapacityUnknown
	}, []scripted{{AnchorMoney, 30, 3_000_000}}},
	{"DEMO-0013-PREDICTED-ONLY", 27, fund.C4, 0, wants(48, fund.NeedLow, fund.Growth), nil, nil},
	{"DEMO-0014-NEW-ISSUE-CHASER", 61, fund.C4, 12, wants(36, fund.NeedLow, fund.Growth), func(row *dataset.CustomerRow, _ fund.Date) {
		row.Person.ManagerID = "M00002" // who pushes new issues
	}, []scripted{{AnchorConsumer, 900, 60_000}, {AnchorNewIssue, 5, 50_000}}},
	{"DEMO-0015-ELECTS-ORDINARY", 48, fund.C3, 20, wants(60, fund.NeedLow, fund.Growth), func(row *dataset.CustomerRow, asOf fund.Date) {
		row.Person.InvestorType = fund.ProfessionalInvestor
		row.Person.Professional = fund.Professional{Class: "A", Until: asOf.AddDays(200), ElectsOrdinary: fund.Yes}
	}, nil},
	{"DEMO-0016-GROWTH-C4", 34, fund.C4, 25, wants(84, fund.NeedLow, fund.Growth), nil, []scripted{
		{AnchorIndex, 900, 30_000}, {AnchorConsumer, 300, 20_000},
	}},
	{"DEMO-0017-REFUSED", 43, fund.C3, 110, wants(24, fund.NeedMedium, fund.SteadyIncome), nil, []scripted{{AnchorShortBond, 350, 80_000}}},
	{"DEMO-0018-ABANDONED", 31, fund.C4, 50, wants(60, fund.NeedLow, fund.Growth), nil, []scripted{{AnchorMoney, 200, 30_000}}},
	{"DEMO-0019-SOLD-IN-FALL", 47, fund.C4, 75, wants(48, fund.NeedLow, fund.Growth), nil, []scripted{
		{AnchorIndex, crashFrom + 40, 60_000}, {AnchorIndex, crashFrom + 10, 50_000},
	}},
	{"DEMO-0020-ASKS-FAMILY", 68, fund.C2, 35, wants(24, fund.NeedMedium, fund.SteadyIncome), nil, []scripted{{AnchorShortBond, 400, 100_000}}},
	{"DEMO-0021-DEPOSIT", 55, fund.C2, 65, wants(12, fund.NeedMedium, fund.SteadyIncome), nil, nil},
	{"DEMO-0022-COMPLAINT", 52, fund.C4, 95, wants(36, fund.NeedMedium, fund.Growth), nil, []scripted{
		{AnchorIndex, crashFrom + 10, 80_000}, {AnchorMoney, 400, 40_000},
	}},
	{"DEMO-0023-OPEN-CHECK", 44, fund.C3, 85, wants(24, fund.NeedMedium, fund.SteadyIncome), func(row *dataset.CustomerRow, _ fund.Date) {
		row.Person.OpenChecks = fund.CheckKYC
	}, []scripted{{AnchorShortBond, 500, 50_000}}},
	{"DEMO-0024-QUALIFIED", 50, fund.C4, 40, wants(36, fund.NeedLow, fund.SteadyIncome), func(row *dataset.CustomerRow, asOf fund.Date) {
		row.Person.Qualified = fund.Qualified{Class: "ASSETS", Until: asOf.AddDays(200)}
		row.Person.AUM, row.Person.Segment = 800_000_000, "PRIVATE"
	}, []scripted{{AnchorShortBond, 450, 1_000_000}}},
	{"DEMO-0025-QUALIFIED-EXPIRED", 53, fund.C4, 55, wants(36, fund.NeedLow, fund.SteadyIncome), func(row *dataset.CustomerRow, asOf fund.Date) {
		row.Person.Qualified = fund.Qualified{Class: "INCOME", Until: asOf.AddDays(-20)}
		row.Person.AUM, row.Person.Segment = 650_000_000, "PRIVATE"
	}, []scripted{{AnchorShortBond, 450, 800_000}}},
	{"DEMO-0026-PENSION", 38, fund.C3, 65, wants(240, fund.NeedLow, fund.TaxDeferredPension, fund.Retirement), func(row *dataset.CustomerRow, _ fund.Date) {
		row.Person.Pension = fund.Yes
	}, nil},
	{"DEMO-0027-THREE-TESTS", 37, fund.C3, 220, wants(36, fund.NeedMedium, fund.Education), nil, nil},
	{"DEMO-0028-LEVEL-JUMP", 46, fund.C2, 200, wants(60, fund.NeedLow, fund.Growth), nil, []scripted{{AnchorShortBond, 190, 40_000}}},
	{"DEMO-0029-REDEEMED", 42, fund.C4, 90, wants(48, fund.NeedLow, fund.Growth), nil, []scripted{
		{AnchorIndex, 800, 40_000}, {AnchorShortBond, 420, 90_000},
	}},
}

// acts are what story customers did besides buying, by their ids.
var acts = [...]struct {
	id  string
	act func(l *life)
}{
	{"DEMO-0017-REFUSED", func(l *life) {
		l.did("CONTACT", AnchorBalanced, 7, 10*60, "BRANCH", "")
		l.did("DETAIL_VIEW", AnchorBalanced, 7, 10*60+5, "BRANCH", `{"page":"RISK","dwell_seconds":80}`)
		l.did("OBJECTION", AnchorBalanced, 7, 10*60+10, "BRANCH", `{"objection":"DRAWDOWN"}`)
		l.did("REFUSAL", "", 7, 10*60+20, "BRANCH", `{"reason":"DRAWDOWN"}`) // of any product
	}},
	{"DEMO-0018-ABANDONED", func(l *life) {
		l.consent(marketingCall, true, at(l.bank.opts.AsOf.AddDays(-60), 10*60, 0))
		l.did("EXPOSURE", AnchorConsumer, 3, 20*60, "APP", "")
		l.did("CLICK", AnchorConsumer, 3, 20*60+1, "APP", `{"page":"OVERVIEW"}`)
		l.did("DETAIL_VIEW", AnchorConsumer, 3, 20*60+1, "APP", `{"page":"FEE","dwell_seconds":75}`)
		l.did("ORDER_START", AnchorConsumer, 3, 20*60+3, "APP", `{"amount_fen":2000000}`)
		l.did("ORDER_ABANDON", AnchorConsumer, 3, 20*60+4, "APP", `{"amount_fen":2000000}`)
	}},
	{"DEMO-0019-SOLD-IN-FALL", func(l *life) {
		l.redeem(0, l.dayOf(crashTo+15), "FELL")
		l.did("DETAIL_VIEW", AnchorIndex, 20, 21*60, "APP", `{"page":"PERFORMANCE","dwell_seconds":35}`)
	}},
	{"DEMO-0020-ASKS-FAMILY", func(l *life) {
		l.did("CONTACT", AnchorLimited, 4, 9*60+40, "BRANCH", "")
		l.did("OBJECTION", AnchorLimited, 4, 9*60+55, "BRANCH", `{"objection":"ASK_FAMILY"}`)
	}},
	{"DEMO-0021-DEPOSIT", func(l *life) {
		asOf := l.bank.opts.AsOf
		l.record.Tags = append(l.record.Tags, dataset.TagRow{
			CustomerID: l.record.Customer.CustomerID, Name: depositMaturing, Value: asOf.AddDays(9).String(),
			EventAt: at(asOf.AddDays(-30), 8*60, 0), ValidTo: asOf.AddDays(10).Start(), Source: "CORE_BANKING", Purpose: personalization,
		})
		l.did("DETAIL_VIEW", AnchorShortBond, 5, 19*60, "APP", `{"page":"COMPARE","dwell_seconds":55}`)
	}},
	{"DEMO-0022-COMPLAINT", func(l *life) {
		l.did("COMPLAINT", AnchorMoney, 300, 11*60, "PHONE", `{"about":"SERVICE"}`)
		l.did("COMPLAINT", AnchorMoney, 296, 15*60, "PHONE", `{"about":"SERVICE","closed":true}`)
		l.did("COMPLAINT", AnchorIndex, 12, 16*60, "PHONE", `{"about":"LOSS"}`)
	}},
	{"DEMO-0027-THREE-TESTS", func(l *life) {
		l.test(3, 19*60, fund.C3)
		l.test(3, 19*60+12, fund.C3)
		l.test(3, 19*60+25, fund.C4)
	}},
	{"DEMO-0028-LEVEL-JUMP", func(l *life) { l.test(5, 19*60, fund.C4) }},
	{"DEMO-0029-REDEEMED", func(l *life) { l.redeem(1, l.dayOf(6), "NEEDED") }},
}

// act plays what the customer of a story did besides buying.
func (l *life) act() {
	for i := range acts {
		if acts[i].id == l.record.Customer.CustomerID {
			acts[i].act(l)
		}
	}
}

// did records an event so many days before as-of, at a minute of the day; code "": about
// no product.
func (l *life) did(kind, code string, ago, minute int, channel, attributes string) {
	var about *listing
	for _, listed := range l.bank.pool.listings {
		if listed.product.Code == code {
			about = listed
		}
	}
	l.event(kind, about, at(l.bank.opts.AsOf.AddDays(-ago), minute, 0), channel, attributes)
}

// dayOf returns the first open day from so many days before as-of on.
func (l *life) dayOf(ago int) int {
	days := l.bank.market.days
	return min(indexOnOrAfter(days, l.bank.opts.AsOf.AddDays(-ago)), len(days)-1)
}

// StoryIDs lists the ids of the story customers in order.
func StoryIDs() []string {
	ids := make([]string, len(stories))
	for i := range stories {
		ids[i] = stories[i].id
	}
	return ids
}

// tellStory writes out a story customer.
func (b *Bank) tellStory(index int) *Record {
	t := &stories[index]
	row := dataset.CustomerRow{CustomerID: t.id, Needs: t.needs, Personalization: fund.Yes, Person: fund.Person{
		InvestorType: fund.Ordinary, Capacity: fund.FullCapacity, Segment: "AFFLUENT",
		BranchID: outletID(0), ManagerID: b.network.managers[0].row.ID, AUM: 60_000_000, Income: 18_000_000,
	}}
	if t.age > 0 {
		row.Person.BirthDate = b.opts.AsOf.AddMonths(-12 * t.age).AddDays(-30)
	} else {
		row.Person.Income = 0
	}
	if t.adjust != nil {
		t.adjust(&row, b.opts.AsOf)
	}
	p := persona{goal: fund.Growth, need: t.needs.Liquidity, theme: -1, manager: 0, tolerance: 0.5, fear: 0.4}
	if len(t.needs.Goals) > 0 {
		p.goal = t.needs.Goals[0]
	}
	l := newLife(b, index, newStream(b.opts.Seed, storyStream, index), row, p)
	b.script(l, t)
	l.act()
	l.consentAll()
	return l.settle()
}

// script plays a story's assessment and purchases, each on the first open day.
func (b *Bank) script(l *life, t *story) {
	dayOf := l.dayOf
	l.persona.joined = dayOf(historyDays - 20)
	l.level = t.level
	switch {
	case t.assessed > 0:
		first := t.assessed
		for _, buy := range t.buys {
			if buy.ago > first {
				l.note(dayOf(buy.ago), t.level)
			}
		}
		l.note(dayOf(t.assessed), t.level)
	case t.level != fund.LevelUnknown:
		l.record.Customer.Level = dataset.CustomerLevel{Level: t.level, Source: dataset.LevelPredicted}
	}
	for _, buy := range t.buys {
		for i, listing := range b.pool.listings {
			if listing.product.Code == buy.code {
				l.buy(i, dayOf(buy.ago), buy.yuan*100, "BRANCH")
			}
		}
	}
}

// note records a written assessment in the branch, before the orders of an open day.
func (l *life) note(day int, level fund.RiskLevel) {
	l.assessed(l.bank.market.days[day], 8*60+30, level, "BRANCH")
}

// test records a written assessment in the app, at a minute of the first open day from so
// many days before as-of on.
func (l *life) test(ago, minute int, level fund.RiskLevel) {
	l.assessed(l.bank.market.days[l.dayOf(ago)], minute, level, "APP")
}

func (l *life) assessed(date fund.Date, minute int, level fund.RiskLevel, channel string) {
	l.level, l.on = level, date
	l.record.Assessments = append(l.record.Assessments, dataset.AssessmentRow{
		CustomerID: l.record.Customer.CustomerID, AssessedAt: at(date, minute, 0), Level: level,
		Questionnaire: questionnaireOf(date), Channel: channel,
	})
}
