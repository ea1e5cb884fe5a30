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
	l := newLife(b, newStream(b.opts.Seed, storyStream, index), row, p)
	b.script(l, t)
	l.consentAll()
	return l.settle()
}

// script plays a story's assessment and purchases, each on the first open day.
func (b *Bank) script(l *life, t *story) {
	days := b.market.days
	dayOf := func(ago int) int { return min(indexOnOrAfter(days, b.opts.AsOf.AddDays(-ago)), len(days)-1) }
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

// note records a written assessment.
func (l *life) note(day int, level fund.RiskLevel) {
	date := l.bank.market.days[day]
	l.level, l.on = level, date
	l.record.Assessments = append(l.record.Assessments, dataset.AssessmentRow{
		CustomerID: l.record.Customer.CustomerID, AssessedAt: at(date, 8*60+30, 0), Level: level,
		Questionnaire: questionnaireOf(date), Channel: "BRANCH",
	})
}
