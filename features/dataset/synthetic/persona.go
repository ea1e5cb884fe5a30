package synthetic

import (
	"fmt"

	"github.com/fundmatch/fundmatch/features/dataset"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// persona is what a customer is like. The bank does not know it: what it knows are the
// traces that he leaves, and what he states.
type persona struct {
	goal      fund.Goal
	tolerance float64 // 0 to 1; a level is a noisy reading of it
	horizon   int     // months
	need      fund.Need
	theme     int     // index of themes that he likes; -1: none
	fear      float64 // 0 to 1: how surely he sells in a fall
	issuer    int     // index of issuers that he trusts
	decisions int     // how often he thought of his funds
	joined    int     // index in market.days of the day he came
	assessed  assessedness
	manager   int // index of network.managers; -1: none
	chases    bool
}

// assessedness says how the bank came to know the customer's level.
type assessedness int

// The ways.
const (
	byAssessment assessedness = iota
	byPrediction
	notAtAll
)

// traits are a goal's usual needs.
type traits struct {
	tolerance         float64
	minMonths         int
	maxMonths         int
	low, medium, high float64 // weights of the liquidity needs
	young, family     float64 // weight of the goal below 30, from 30 to 44,
	settled, retired  float64 // from 45 to 59, and from 60 on
}

var goalTraits = [fund.Goals]traits{
	fund.Cash:               {0.24, 1, 12, 0, 0.3, 0.7, 0.20, 0.12, 0.12, 0.28},
	fund.SteadyIncome:       {0.36, 12, 36, 0.3, 0.5, 0.2, 0.10, 0.16, 0.25, 0.42},
	fund.Growth:             {0.74, 36, 120, 0.7, 0.25, 0.05, 0.35, 0.27, 0.17, 0.06},
	fund.Education:          {0.52, 36, 144, 0.7, 0.3, 0, 0.03, 0.20, 0.09, 0.02},
	fund.Retirement:         {0.50, 60, 240, 0.8, 0.2, 0, 0.04, 0.08, 0.22, 0.10},
	fund.Inflation:          {0.48, 24, 84, 0.5, 0.4, 0.1, 0.08, 0.07, 0.10, 0.12},
	fund.House:              {0.34, 12, 48, 0.2, 0.6, 0.2, 0.18, 0.08, 0.02, 0},
	fund.TaxDeferredPension: {0.52, 120, 300, 1, 0, 0, 0.02, 0.02, 0.03, 0},
	fund.Treasury:           {0.30, 1, 9, 0, 0.3, 0.7, 0, 0, 0, 0},
}

// drawPersona invents what a customer of an age is like; age 0 is a company.
func (b *Bank) drawPersona(s stream, age int) persona {
	p := persona{goal: drawGoal(s, age), theme: -1, manager: -1, issuer: s.intn(len(issuers))}
	t := &goalTraits[p.goal]
	p.tolerance = t.tolerance + float64(s.normal()*0.14)
	if age >= 60 {
		p.tolerance -= 0.06
	}
	p.tolerance = min(max(p.tolerance, 0.02), 0.98)
	p.fear = min(max(0.85-p.tolerance+float64(s.normal()*0.22), 0), 1)
	p.horizon = s.between(t.minMonths, t.maxMonths)
	p.need = fund.NeedLow + fund.Need(s.pick([]float64{t.low, t.medium, t.high}))
	if s.chance(0.75) {
		p.theme = s.intn(len(themes))
	}
	p.decisions = int(s.quantile([]float64{0, 0.6, 1.2, 2, 3, 4, 5.5, 8, 12, 22}))
	p.joined = indexOnOrAfter(b.market.days, b.opts.AsOf.AddDays(-int(s.quantile([]float64{15, 400, 850, 1_250, 1_600, 1_900, 2_085}))))
	p.joined = min(p.joined, len(b.market.days)-2)
	switch x := s.float(); {
	case x < 0.06:
		p.assessed = byPrediction
	case x < 0.10:
		p.assessed = notAtAll
	}
	if s.chance(0.7) {
		p.manager = s.intn(len(b.network.managers))
		m := &b.network.managers[p.manager]
		p.chases = m.pushes && s.chance(0.6)
		if s.chance(0.6) {
			p.issuer = m.issuer
		}
	}
	return p
}

// drawGoal invents a hope by age.
func drawGoal(s stream, age int) fund.Goal {
	if age == 0 {
		return fund.Treasury
	}
	var weights [fund.Goals]float64
	for g := range goalTraits {
		t := &goalTraits[g]
		switch {
		case age < 30:
			weights[g] = t.young
		case age < 45:
			weights[g] = t.family
		case age < 60:
			weights[g] = t.settled
		default:
			weights[g] = t.retired
		}
	}
	return fund.Goal(s.pick(weights[:]))
}

// The shares of unusual customers.
const (
	companyShare      = 0.03
	minorShare        = 0.004
	limitedShare      = 0.004 // adults under guardianship
	professionalShare = 0.015
)

// drawAge returns full years, 0 for a company.
func drawAge(s stream) int {
	switch x := s.float(); {
	case x < companyShare:
		return 0
	case x < companyShare+minorShare:
		return s.between(8, 17)
	}
	return int(s.quantile([]float64{19, 25, 29, 33, 38, 43, 49, 56, 64, 71, 86}))
}

var industries = [...]string{"制造", "零售", "物流", "餐饮", "软件", "医疗器械", "建筑", "外贸", "农产品", "教育"}

// The bounds of total assets between the segments, in fen.
const (
	affluentFrom = fund.Money(50_000_000)  // half a million yuan
	privateFrom  = fund.Money(600_000_000) // six million
)

// drawPerson invents the slow facts that the bank has on file.
func (b *Bank) drawPerson(s stream, age int, p *persona) fund.Person {
	person := fund.Person{InvestorType: fund.Ordinary, Capacity: fund.FullCapacity}
	yuan := s.quantile([]float64{800, 6_000, 22_000, 60_000, 130_000, 260_000, 600_000, 1_600_000, 15_000_000})
	if age == 0 {
		yuan = float64(yuan*8) + 200_000
		person.Capacity, person.Segment, person.Industry = fund.CapacityUnknown, "CORPORATE", choose(s, industries[:])
	} else {
		person.BirthDate = b.opts.AsOf.AddMonths(-12 * age).AddDays(-s.intn(365))
		person.Income = fund.Money(s.quantile([]float64{20_000, 60_000, 95_000, 140_000, 220_000, 900_000})) * 100
	}
	person.AUM = fund.Money(yuan) * 100
	if age > 0 {
		person.Segment = segmentOf(person.AUM)
	}
	b.drawStanding(s, age, &person)
	person.BranchID = outletID(s.intn(b.network.outlets))
	if p.manager >= 0 {
		m := &b.network.managers[p.manager].row
		person.ManagerID, person.BranchID = m.ID, m.BranchID
	}
	return person
}

func segmentOf(aum fund.Money) string {
	switch {
	case aum >= privateFrom:
		return "PRIVATE"
	case aum >= affluentFrom:
		return "AFFLUENT"
	}
	return "MASS"
}

// drawStanding decides capacity and professional standing.
func (b *Bank) drawStanding(s stream, age int, person *fund.Person) {
	switch {
	case age > 0 && age < 18:
		person.Capacity, person.Income, person.IsLowestClass = fund.LimitedCapacity, 0, fund.Yes
		return
	case age > 0 && s.chance(limitedShare):
		person.Capacity, person.IsLowestClass = fund.LimitedCapacity, fund.Yes
		return
	case age > 0 && s.chance(0.08):
		person.Capacity = fund.CapacityUnknown
	}
	if s.chance(0.02) && age > 0 {
		person.BirthDate = 0 // never recorded
	}
	if !s.chance(professionalShare) {
		return
	}
	person.InvestorType = fund.ProfessionalInvestor
	person.Professional.Class = choose(s, []string{"A", "B"})
	switch x := s.float(); {
	case x < 0.55:
		person.Professional.Until = b.opts.AsOf.AddDays(s.between(20, 700))
	case x < 0.80:
		person.Professional.Until = b.opts.AsOf.AddDays(-s.between(1, 400)) // expired
	}
	if s.chance(0.2) {
		person.Professional.ElectsOrdinary = fund.Yes
	}
}

// The shares of those with a pension account among the working, with proof that they qualify
// among the wealthy, and with checks open among all.
const (
	pensionShare   = 0.15
	noPensionShare = 0.45 // the rest is unknown
	qualifiedShare = 0.4
	kycShare       = 0.004
	amlShare       = 0.001

	qualifiedFrom = fund.Money(300_000_000) // three million yuan
)

// drawProofs decides what the customer has shown the bank, and which checks are open.
func (b *Bank) drawProofs(s stream, age int, person *fund.Person) {
	if age >= 18 && age < 60 {
		switch x := s.float(); {
		case x < pensionShare:
			person.Pension = fund.Yes
		case x < pensionShare+noPensionShare:
			person.Pension = fund.No
		}
	}
	if person.AUM >= qualifiedFrom && person.Capacity != fund.LimitedCapacity && s.chance(qualifiedShare) {
		person.Qualified.Class = choose(s, []string{"ASSETS", "INCOME"})
		person.Qualified.Until = b.opts.AsOf.AddDays(s.between(-200, 700))
	}
	switch x := s.float(); {
	case x < amlShare:
		person.OpenChecks = fund.CheckKYC | fund.CheckAML
	case x < kycShare:
		person.OpenChecks = fund.CheckKYC
	}
}

// drawNeeds decides what the customer has told the bank: half name their goal.
func drawNeeds(s stream, p *persona) fund.StatedNeeds {
	var n fund.StatedNeeds
	if s.chance(0.5) {
		n.Goals = []fund.Goal{p.goal}
		if p.goal != fund.Inflation && s.chance(0.15) {
			n.Goals = append(n.Goals, fund.Inflation)
		}
		if s.chance(0.6) {
			n.HorizonMonths = int32(p.horizon)
		}
	}
	if s.chance(0.4) {
		n.Liquidity = p.need
	}
	return n
}

// drawCustomer invents the customer of an index. His level is filled in by his life.
func (b *Bank) drawCustomer(s stream, index int) (dataset.CustomerRow, persona) {
	age := drawAge(s)
	p := b.drawPersona(s, age)
	if age > 0 && age < 18 {
		p.decisions, p.tolerance = min(p.decisions, 2), 0.05
	}
	row := dataset.CustomerRow{
		CustomerID: fmt.Sprintf("K%07d", index+1), Person: b.drawPerson(s, age, &p), Needs: drawNeeds(s, &p),
		Personalization: fund.Yes,
	}
	switch x := s.float(); {
	case x < 0.05:
		row.Personalization = fund.No
	case x < 0.25:
		row.Personalization = fund.Unknown
	}
	b.drawProofs(newStream(b.opts.Seed, standingStream, index), age, &row.Person)
	return row, p
}
