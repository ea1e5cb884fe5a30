package eligibility

import (
	"cmp"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// adultAge is full age: 18 years (民法典 17).
const adultAge = 18

// Facts is all that the rules know of a customer and of the question. It is small and
// comparable: equal facts get equal answers.
type Facts struct {
	Standing
	Wish
	Setting
	Record
	// Personal: the ranking may read personal cells (A02, S12). The gate reads the
	// customer's facts either way.
	Personal bool
	// Until is the first instant after the question's at which any of these facts
	// changes by the clock alone.
	Until fund.Instant
}

// Standing is who the customer is before the rules.
type Standing struct {
	Level        fund.RiskLevel // of the last assessment proper, expired or not; unknown: none on file
	State        LevelState
	Professional bool // documented, unexpired, and not electing to be treated as ordinary (S14)
	Lowest       bool // the lowest risk class (S01)
	Elder        bool // E01; an unknown age counts as the pack says
	Minor        bool // the birth date shows under 18
	Company      bool // known to be no natural person (E01 is about persons)
	// Capacity is the effective one: unknown where neither a record nor an assessment
	// speaks for full capacity.
	Capacity fund.Capacity
}

// Record is what the bank's books say of the customer beside his level.
type Record struct {
	// Qualified: he has shown that he qualifies for products with entry conditions, and the
	// proof holds (S07, P01).
	Qualified  bool
	Pension    bool // has a pension account (P03)
	OpenChecks bool // a check of identity or of money laundering is reported open (C07)
	// DayTests and YearTests count assessments up to the one in force and itself: those of
	// its day, and those of the 12 months that end with it (S13).
	DayTests, YearTests uint8
	// Before is the lowest level that the assessments of that day replaced; unknown: it was
	// the first.
	// JumpedOn is its day (S13).
	Before   fund.RiskLevel
	JumpedOn fund.Date
	// Redeemed is the day of his last redemption, in the days that K01 looks back, of a fund
	// that was no money market fund and that suited him; 0: none.
	Redeemed fund.Date
}

// Wish is what he wants, as the expectation stage settled it.
type Wish struct {
	Goal          fund.Goal
	HorizonMonths int32 // 0: unknown
	Need          fund.Need
	// Stated: he named goal and horizon himself. What is inferred narrows and never
	// opens: the caution for the unknown stays on.
	Stated bool
}

// Setting is where and on whose initiative the question is asked.
type Setting struct {
	Situation Situation
	Channel   fund.Channel
	Licence   Licence
	Public    bool
}

// LevelState says what a risk level is worth.
type LevelState uint8

// The states of a level. Only Valid is one to recommend and sell by.
const (
	Absent    LevelState = iota
	Predicted            // a model's guess, no assessment
	Expired              // or of unknown date
	Valid
)

// String returns the state's code.
func (s LevelState) String() string {
	switch s {
	case Predicted:
		return "PREDICTED"
	case Expired:
		return "EXPIRED"
	case Valid:
		return "VALID"
	default:
		return "ABSENT"
	}
}

// informational reports whether all that may be shown is for reading only (S12).
func (f *Facts) informational() bool { return f.State != Valid && !f.Professional }

// Facts reads off a profile what the rules need, at the instant of the question. Goal,
// horizon and need are as the expectation stage settled them; where the customer stated
// his own they cannot be widened: another goal falls back to his first, the shorter
// horizon and the higher need win.
func (g *Gate) Facts(p *fund.Profile, goal fund.Goal, horizonMonths int32, need fund.Need, ctx Context) Facts {
	day := ctx.At.Date()
	f := Facts{
		Standing: g.standing(p, day),
		Wish:     wish(&p.Needs, goal, horizonMonths, need),
		Setting:  Setting{Situation: ctx.situation(), Channel: ctx.Channel, Licence: ctx.Licence, Public: ctx.Public},
		Until:    g.changesAfter(p, ctx.At),
	}
	g.read(p, ctx.At, &f)
	f.Personal = g.edition.Personal(p.Personalization) && !ctx.Public && !f.informational()
	return f
}

// Personal reports whether the ranking may read personal cells (A02).
func (g *Gate) Personal(f *Facts) bool { return f.Personal }

func (g *Gate) standing(p *fund.Profile, day fund.Date) Standing {
	e := &g.edition
	s := Standing{
		State:        e.levelState(p, day),
		Professional: e.Professional(&p.Person, day),
		Capacity:     p.Person.Capacity,
	}
	if s.State == Valid || s.State == Expired {
		s.Level = p.Assessment.Level
	}
	if s.Capacity == fund.CapacityUnknown && s.Level != fund.LevelUnknown {
		s.Capacity = fund.FullCapacity
	}
	s.Lowest = s.isLowest(p.Person.IsLowestClass)
	age, known := p.Person.AgeOn(day)
	// A birth date in the future is wrong, but it shows anything except an adult.
	s.Minor = known && age < adultAge || p.Person.BirthDate > day
	// A company has no age: an unknown one is nobody's whom E01 protects.
	s.Company = p.Person.IsCompany()
	s.Elder = !s.Company && e.elder.isElder(age, known)
	return s
}

// isLowest: by the flag; as C1 unless the flag or the standing of a professional says
// otherwise; and whoever has not full capacity (E02).
func (s *Standing) isLowest(flag fund.Answer) bool {
	if s.Capacity == fund.LimitedCapacity || s.Capacity == fund.NoCapacity || flag == fund.Yes {
		return true
	}
	return s.Level == fund.C1 && flag != fund.No && !s.Professional
}

func (el *elder) isElder(age int, known bool) bool {
	if !known {
		return el.on && el.UnknownIsElder
	}
	return el.on && age >= el.From
}

// levelState is what the assessment is worth on a day. A level without a date cannot be
// shown to be valid, so it counts as expired; one of a later day is not there yet.
func (e *Edition) levelState(p *fund.Profile, day fund.Date) LevelState {
	a := &p.Assessment
	switch {
	case a.Level != fund.LevelUnknown && a.On == 0:
		return Expired
	case a.Level != fund.LevelUnknown && a.On <= day:
		if day < a.On.AddMonths(e.assessment.ValidMonths) {
			return Valid
		}
		return Expired
	case p.PredictedLevel != fund.LevelUnknown:
		return Predicted
	default:
		return Absent
	}
}

// Professional reports whether somebody is a professional investor whom no level bounds (S14).
func (e *Edition) Professional(p *fund.Person, day fund.Date) bool {
	return e.professional && isProfessional(p, day)
}

// isProfessional: with class and proof, the proof in force until its day begins, and no
// election to be treated as ordinary (S14).
func isProfessional(p *fund.Person, day fund.Date) bool {
	return p.InvestorType == fund.ProfessionalInvestor && p.Professional.Class != "" &&
		day < p.Professional.Until && p.Professional.ElectsOrdinary != fund.Yes
}

// read fills in what the bank's books say of him, and when time alone changes that.
func (g *Gate) read(p *fund.Profile, at fund.Instant, f *Facts) {
	person, day := &p.Person, at.Date()
	f.Qualified = person.Qualified.Class != "" && day < person.Qualified.Until
	f.Pension = person.Pension == fund.Yes
	f.OpenChecks = person.OpenChecks != 0
	f.countTests(p, day)
	if next := g.readRedemption(p, at, f); next != 0 {
		f.Until = min(f.Until, next)
	}
	for book := range Books {
		e := g.EditionOf(book)
		if f.JumpedOn != 0 {
			f.changesOn(f.JumpedOn.AddDays(e.tests.JumpDays), at)
		}
	}
}

func (f *Facts) changesOn(day fund.Date, at fund.Instant) {
	if edge := day.Start(); edge > at {
		f.Until = min(f.Until, edge)
	}
}

// countTests reads the history of assessments as of the one in force (S13): those of its
// day, and those whose 12 months, to the same day a year on, had not ended by then. Before
// is the lowest of the levels that the assessments of that day replaced, so that two small
// steps on one day are the jump that they make together.
func (f *Facts) countTests(p *fund.Profile, day fund.Date) {
	a := &p.Assessment
	if a.Level == fund.LevelUnknown || a.On == 0 || a.On > day {
		return
	}
	f.DayTests, f.YearTests = 1, 1
	inForce, replaced := newestOf(p.Assessments, a), false
	for i := len(p.Assessments) - 1; i >= 0; i-- {
		h := &p.Assessments[i]
		on := h.At.Date()
		if i == inForce || on > a.On || on == 0 {
			continue
		}
		if on == a.On {
			f.DayTests++
		}
		if a.On < on.AddMonths(12) {
			f.YearTests++
		}
		if h.Level == fund.LevelUnknown || replaced {
			continue
		}
		f.Before, f.JumpedOn = min(cmp.Or(f.Before, h.Level), h.Level), a.On
		replaced = on < a.On // what stood before that day is the last that it replaced
	}
}

// newestOf is the place of an assessment in the history; -1: it is not in it.
func newestOf(history []fund.Assessed, a *fund.Assessment) int {
	for i := len(history) - 1; i >= 0; i-- {
		if history[i].Level == a.Level && history[i].At.Date() == a.On {
			return i
		}
	}
	return -1
}

// readRedemption finds the last redemption that a purchase may be paid with (K01), and the
// first later instant at which that changes; 0: never. A redemption of a money market fund
// is no switch, nor one that cured a mismatch; what the pool does not know counts as one.
func (g *Gate) readRedemption(p *fund.Profile, at fund.Instant, f *Facts) (next fund.Instant) {
	window := g.edition.switching.WindowDays
	if window == 0 {
		return 0
	}
	events := p.Trail.Recent
	from := at.Date().AddDays(1 - window).Start()
	for i := len(events) - 1; i >= 0 && events[i].At >= from; i-- {
		e := &events[i]
		if e.Kind != fund.Redeem || !g.pays(e.ProductCode, f.Level) {
			continue
		}
		if e.At > at { // not there yet
			next = e.At
			continue
		}
		f.Redeemed = e.At.Date()
		end := f.Redeemed.AddDays(window).Start()
		next = min(cmp.Or(next, end), end)
		break
	}
	return next
}

// pays reports whether a redemption of a product frees money that the bank may not bring
// another product up for.
func (g *Gate) pays(code string, level fund.RiskLevel) bool {
	i, ok := g.places[code]
	if !ok {
		return true
	}
	c := &g.products[i]
	return c.class != fund.MoneyMarket && (level == fund.LevelUnknown || g.EditionOf(c.book).matrix.Fits(c.grade, level))
}

func wish(stated *fund.StatedNeeds, goal fund.Goal, months int32, need fund.Need) Wish {
	w := Wish{Goal: goal, HorizonMonths: min(max(months, 0), fund.MaxHorizonMonths), Need: max(need, stated.Liquidity)}
	if len(stated.Goals) > 0 && !fund.SetOf(stated.Goals).Has(goal) {
		w.Goal = stated.Goals[0]
	}
	if h := stated.HorizonMonths; h > 0 {
		w.HorizonMonths = min(cmp.Or(w.HorizonMonths, h), h, fund.MaxHorizonMonths)
	}
	w.Stated = len(stated.Goals) > 0 && stated.HorizonMonths > 0
	return w
}

// changesAfter returns the first instant after at at which a fact of the customer
// changes by the clock alone.
func (g *Gate) changesAfter(p *fund.Profile, at fund.Instant) fund.Instant {
	e, day := &g.edition, at.Date()
	next := fund.Date(0)
	// Days are compared as days: a later one begins after the instant.
	consider := func(d fund.Date) {
		if d > day {
			next = min(cmp.Or(next, d), d)
		}
	}
	if on := p.Assessment.On; on != 0 && p.Assessment.Level != fund.LevelUnknown {
		consider(on)
		consider(on.AddMonths(e.assessment.ValidMonths))
	}
	if b := p.Person.BirthDate; b != 0 {
		consider(b)
		consider(b.AddMonths(adultAge * 12))
		if e.elder.on {
			consider(b.AddMonths(e.elder.From * 12))
		}
	}
	consider(p.Person.Professional.Until)
	consider(p.Person.Qualified.Until)
	if next == 0 {
		return fund.Forever
	}
	return next.Start()
}
