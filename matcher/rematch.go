package matcher

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Rematch is what one customer has, matched again with his level of now (S08; 适当性办法
// 21). Its buffers are used again by the next call.
type Rematch struct {
	CustomerID, ManagerID, BranchID string

	Level      fund.RiskLevel // of the last assessment; unknown: none on file
	State      eligibility.LevelState
	Mismatches []Mismatch // by product, a holding before a plan
	Unmatched  []string   // what he holds and has no grade to match by, or is not in the pool

	facts []fund.Evidence
	held  []position
}

// Mismatch is one thing that is above his level, and what is to be done about it.
type Mismatch struct {
	ProductCode string
	Kind        MismatchKind
	Cause       MismatchCause
	Task        MismatchTask
	Grade       fund.RiskGrade
	FromGrade   fund.RiskGrade // before it was raised; unknown unless that is the cause
	Level       fund.RiskLevel // of the last assessment, expired or not
	FromLevel   fund.RiskLevel // before it was lowered; unknown unless that is the cause
	Since       fund.Date      // the first day on which it did not suit him; 0: unknown
	Facts       []fund.Evidence
}

// Paused reports whether nothing more is bought for him until the task is done. What he
// holds he may keep.
func (m *Mismatch) Paused() bool { return m.Kind == RunningPlan }

// MismatchKind says what does not match.
type MismatchKind uint8

// The kinds.
const (
	Holding MismatchKind = iota
	RunningPlan
)

var mismatchKinds = [...]string{"HOLDING", "PLAN"}

// String returns the kind's code.
func (k MismatchKind) String() string { return mismatchKinds[k] }

// MismatchCause says why it does not match.
type MismatchCause uint8

// The causes.
const (
	NeverSuitable MismatchCause = iota // by the assessments on file
	LevelLowered
	LevelExpired
	LevelAbsent // no assessment proper is on file
	LowestClass // S01: his level alone would allow it
	GradeRaised
	GradeMissing // a plan buys what nobody graded (S10)
)

var mismatchCauses = [...]string{
	"NEVER_SUITABLE", "LEVEL_LOWERED", "LEVEL_EXPIRED", "LEVEL_ABSENT", "LOWEST_CLASS", "GRADE_RAISED", "GRADE_MISSING",
}

// String returns the cause's code.
func (c MismatchCause) String() string { return mismatchCauses[c] }

// MismatchTask is what somebody has to do.
type MismatchTask uint8

// The tasks.
const (
	TellCustomer MismatchTask = iota // that it is above his level, and that he may keep it
	ConfirmPlan                      // he is warned, and confirms the plan or lets it end
	RetestRisk                       // a plan waits for an assessment: no order passes before (S12)
	EndPlan                          // he is of the lowest class: no confirmation lets it go on (S01)
	CheckGrade                       // head office grades the product, or takes the plan off it
)

var mismatchTasks = [...]string{"TELL_CUSTOMER", "CONFIRM_PLAN", "RETEST_RISK", "END_PLAN", "CHECK_GRADE"}

// String returns the task's code.
func (t MismatchTask) String() string { return mismatchTasks[t] }

// Why is the template of the manager's sentence about the cause.
func (m *Mismatch) Why() string {
	name := "rematch.cause." + m.Cause.String()
	switch dated := m.Since != 0; {
	case dated, m.Cause == LevelAbsent, m.Cause == LowestClass, m.Cause == GradeMissing:
		return name
	default:
		return name + ".undated"
	}
}

// Do is the template of the manager's sentence about the task.
func (m *Mismatch) Do() string { return "rematch.task." + m.Task.String() }

// Tell is the template of what the customer is told.
func (m *Mismatch) Tell() string { return "rematch.tell." + m.Kind.String() + "." + m.Cause.String() }

// ForManager says why it does not match and what is to be done, for the relationship
// manager. An error says that a sentence lacks a fact.
func (c *Core) ForManager(m *Mismatch) (string, error) {
	text, err := c.say(nil, m.Why(), m.Facts)
	if err == nil {
		text, err = c.say(text, m.Do(), m.Facts)
	}
	return string(text), err
}

// ForCustomer says what the customer is told of it.
func (c *Core) ForCustomer(m *Mismatch) (string, error) {
	text, err := c.say(nil, m.Tell(), m.Facts)
	return string(text), err
}

// say appends a sentence.
func (c *Core) say(dst []byte, name string, facts []fund.Evidence) ([]byte, error) {
	id, ok := c.text.ID(name)
	if !ok {
		return dst, fmt.Errorf("%w: no sentence %s", ErrCompile, name)
	}
	return c.text.AppendEvidence(dst, id, facts)
}

// EarlierGrades are the grades of a pool revision of before.
type EarlierGrades struct {
	byCode   map[string]fund.RiskGrade
	raisedOn fund.Date
}

// GradesOf takes the effective grades (S10) of an earlier revision's products. replacedOn is
// the day on which it gave way to the one that is matched now; 0: unknown, or others lay
// between.
func GradesOf(products []fund.Product, replacedOn fund.Date) *EarlierGrades {
	e := &EarlierGrades{byCode: make(map[string]fund.RiskGrade, len(products)), raisedOn: replacedOn}
	for i := range products {
		e.byCode[products[i].Code] = products[i].Grades.Effective()
	}
	return e
}

// Rematch matches what a customer holds, and the plans that run for him, with his level at
// an instant. earlier nil: no raised grade is told from another cause. The error wraps
// ErrOutsideValidity.
func (c *Core) Rematch(p *fund.Profile, at fund.Instant, earlier *EarlierGrades, out *Rematch) error {
	if at < c.from || at >= c.until {
		return fmt.Errorf("%w: %s, expected [%s, %s)", ErrOutsideValidity, at, c.from, c.until)
	}
	f := c.gate.Facts(p, fund.GoalUnknown, 0, fund.NeedUnknown, eligibility.Context{At: at})
	*out = Rematch{
		CustomerID: p.CustomerID, ManagerID: p.Person.ManagerID, BranchID: p.Person.BranchID, Level: f.Level, State: f.State,
		Mismatches: out.Mismatches[:0], Unmatched: out.Unmatched[:0], facts: out.facts[:0], held: heldSince(p, out.held[:0]),
	}
	r := rematching{core: c, profile: p, standing: &f.Standing, earlier: earlier, day: at.Date(), out: out}
	for i := range out.held {
		r.holding(&out.held[i])
	}
	for plan := range fund.RunningPlans(p) {
		r.plan(&plan)
	}
	slices.SortStableFunc(out.Mismatches, func(a, b Mismatch) int {
		return cmp.Or(cmp.Compare(a.ProductCode, b.ProductCode), cmp.Compare(a.Kind, b.Kind))
	})
	return nil
}

// position is a product that he holds and the day since when; 0: unknown.
type position struct {
	code  string
	since fund.Date
}

// heldSince lists what he holds, each product once.
func heldSince(p *fund.Profile, held []position) []position {
	for code := range p.Held() {
		if n := len(held); n == 0 || held[n-1].code != code { // another lot: they are by product
			held = append(held, position{code, acquired(p, code)})
		}
	}
	return held
}

// acquired is the day of the oldest lot with shares, or of the first purchase where no lots
// are known; 0 when the day of any is unknown.
func acquired(p *fund.Profile, code string) fund.Date {
	first, found := fund.Date(0), false
	note := func(day fund.Date) {
		if !found || day < first {
			first, found = day, true
		}
	}
	for i := range p.Lots {
		if l := &p.Lots[i]; l.ProductCode == code && l.Shares > 0 {
			note(l.AcquiredOn)
		}
	}
	if found {
		return first
	}
	for i := range p.Purchases {
		if b := &p.Purchases[i]; b.ProductCode == code && b.Owns() {
			note(b.KnownOn)
		}
	}
	return first
}

// rematching is one customer being matched again.
type rematching struct {
	core     *Core
	profile  *fund.Profile
	standing *eligibility.Standing
	earlier  *EarlierGrades
	day      fund.Date
	matrix   eligibility.Matrix // of the book by which the product at hand is sold (S09, S11)
	out      *Rematch
}

func (r *rematching) holding(h *position) {
	grade := r.grade(h.code)
	switch {
	case grade == fund.GradeUnknown:
		r.out.Unmatched = append(r.out.Unmatched, h.code)
	case r.exceeds(grade):
		m := Mismatch{ProductCode: h.code, Kind: Holding, Task: TellCustomer, Grade: grade, Level: r.standing.Level}
		r.trace(&m, h.since)
		r.report(&m)
	}
}

func (r *rematching) plan(p *fund.Plan) {
	m := Mismatch{ProductCode: p.ProductCode, Kind: RunningPlan, Grade: r.grade(p.ProductCode), Level: r.standing.Level}
	switch {
	case m.Grade == fund.GradeUnknown:
		m.Cause, m.Task = GradeMissing, CheckGrade
		r.report(&m)
		return
	case !r.exceeds(m.Grade):
		return
	}
	r.trace(&m, p.StartedOn)
	switch {
	case r.standing.Lowest:
		m.Task = EndPlan
	case m.Cause == LevelExpired || m.Cause == LevelAbsent || r.untested():
		m.Task = RetestRisk
	case r.confirmed(&m, p):
		return
	default:
		m.Task = ConfirmPlan
	}
	r.report(&m)
}

// grade takes up a product and returns its effective grade (S10); unknown also for what is
// not in the pool.
func (r *rematching) grade(code string) fund.RiskGrade {
	i, ok := r.core.index[code]
	if !ok {
		return fund.GradeUnknown
	}
	edition := r.core.edition(int(i))
	r.matrix = edition.Matrix()
	return edition.Grade(&r.core.products[i])
}

// untested reports whether no order of his passes for want of a valid assessment (S12).
func (r *rematching) untested() bool {
	return r.standing.State != eligibility.Valid && !r.standing.Professional
}

// exceeds reports whether a grade is above what his level of now allows. A documented
// professional without a level has none to exceed (S14).
func (r *rematching) exceeds(grade fund.RiskGrade) bool {
	switch {
	case r.standing.Professional && r.standing.Level == fund.LevelUnknown && !r.standing.Lowest:
		return false
	case r.untested():
		return !r.matrix.Fits(grade, fund.LevelUnknown)
	default:
		return !r.fitsLast(grade)
	}
}

// fitsLast reports whether a grade is within the level of the last assessment, whether that
// holds or not.
func (r *rematching) fitsLast(grade fund.RiskGrade) bool {
	return r.matrix.Fits(grade, r.standing.Level) && (!r.standing.Lowest || r.matrix.Fits(grade, fund.C1))
}

// trace finds the cause of a mismatch of what he has had since a day; 0: unknown.
func (r *rematching) trace(m *Mismatch, since fund.Date) {
	switch {
	case r.standing.Level == fund.LevelUnknown && r.standing.Professional:
		m.Cause = LowestClass // nothing else speaks against what a professional has
	case r.standing.Level == fund.LevelUnknown:
		m.Cause = LevelAbsent
	case r.fitsLast(m.Grade):
		m.Cause, m.Since = LevelExpired, r.core.expiresOn(r.profile)
	case r.raised(m):
		m.Cause, m.Since = GradeRaised, r.earlier.raisedOn
	case r.matrix.Fits(m.Grade, m.Level):
		m.Cause = LowestClass
	case r.lowered(m, since):
		m.Cause = LevelLowered
	default:
		m.Cause, m.Since = NeverSuitable, since
	}
}

// raised reports whether the product's earlier grade suited his level.
func (r *rematching) raised(m *Mismatch) bool {
	if r.earlier == nil {
		return false
	}
	before := r.earlier.byCode[m.ProductCode]
	if before == fund.GradeUnknown || !r.fitsLast(before) {
		return false
	}
	m.FromGrade = before
	return true
}

// lowered looks for the newest assessment by which the grade suited him: the one after it
// lowered his level. What he came by later was above his level from the first.
func (r *rematching) lowered(m *Mismatch, since fund.Date) bool {
	history := r.profile.Assessments
	first := len(history) // of the assessments by which it does not suit him
	for first > 0 && !r.matrix.Fits(m.Grade, history[first-1].Level) {
		first--
	}
	if first == 0 || first == len(history) {
		return false
	}
	on := history[first].At.Date()
	if since >= on {
		return false
	}
	m.FromLevel, m.Since = history[first-1].Level, on
	return true
}

// confirmed reports whether he renewed the plan after it had come to be above his level of
// now, at the grade of now: then he was warned of just that (S03).
func (r *rematching) confirmed(m *Mismatch, p *fund.Plan) bool {
	if p.RenewedOn == 0 || p.RenewedOn < r.levelSince() {
		return false
	}
	return m.Cause != GradeRaised || m.Since != 0 && p.RenewedOn >= m.Since
}

// levelSince is the day from which on he has had the level of now without a break.
func (r *rematching) levelSince() fund.Date {
	on := r.profile.Assessment.On
	history := r.profile.Assessments
	for i := len(history) - 1; i >= 0 && history[i].Level == r.standing.Level; i-- {
		on = min(on, history[i].At.Date())
	}
	return on
}

// report keeps a mismatch with the facts of its sentences.
func (r *rematching) report(m *Mismatch) {
	out, start := r.out, len(r.out.facts)
	text := func(field, value, source string) {
		if value != "" {
			out.facts = append(out.facts, fund.Evidence{Field: field, Text: value, AsOf: r.day, Source: source})
		}
	}
	text("GRADE", m.Grade.String(), "POOL")
	text("LEVEL", m.Level.String(), "CUSTOMER")
	text("FROM_GRADE", m.FromGrade.String(), "POOL")
	text("FROM_LEVEL", m.FromLevel.String(), "CUSTOMER")
	if m.Since != 0 {
		source := "CUSTOMER"
		if m.Cause == GradeRaised {
			source = "POOL"
		}
		out.facts = append(out.facts, fund.Evidence{Field: "SINCE", Unit: fund.UnitDate, Number: int64(m.Since), AsOf: r.day, Source: source})
	}
	m.Facts = out.facts[start:len(out.facts):len(out.facts)]
	out.Mismatches = append(out.Mismatches, *m)
}
