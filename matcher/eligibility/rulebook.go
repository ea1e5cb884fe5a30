package eligibility

import (
	"slices"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// ruleSpec is what the code knows of a rule: whether it is law, the weakest outcomes
// that a bank may set, its parameters with their bounds, and the parts that speak.
type ruleSpec struct {
	id        RuleID
	mandatory bool      // law: present, enabled and in force at every instant from since on
	since     fund.Date // 0: ever
	bankwide  bool      // about the customer or the bank: one entry for all books (S11)
	floor     Outcomes
	read      func(in *reader) setting
	parts     func(e *Edition, day fund.Date) []part // of a product and a customer
	order     func(e *Edition) []orderPart           // of one order
}

// isSwitch reports whether no part speaks: other code reads the rule.
func (s *ruleSpec) isSwitch() bool { return s.parts == nil && s.order == nil }

// Days from which rules are law.
const (
	feeReform   fund.Date = 20260101 // 公开募集证券投资基金销售费用管理规定
	nfraInForce fund.Date = 20260201 // 金融机构产品适当性管理办法
)

// The floors that several rules share.
var (
	blocks    = Outcomes{Block, Block, Block}
	discloses = Outcomes{Disclose, Disclose, Disclose}
)

// rulebook lists the rules that this program knows, in the rulebook's order.
var rulebook = [...]ruleSpec{
	{id: S01, mandatory: true, floor: blocks, read: noParameters, parts: lowestClass},
	{id: S02, mandatory: true, floor: Outcomes{Hide, Block, None}, read: noParameters, parts: gradeOverLevel},
	{id: S03, mandatory: true, floor: Outcomes{None, None, Confirm}, read: noParameters, parts: warnedOfGrade},
	{id: S04, mandatory: true, floor: Outcomes{Hide, Hide, Disclose}, read: readFit, parts: fitsGoal},
	{id: S05, mandatory: true, floor: Outcomes{Confirm, Confirm, Confirm}, read: readHighRisk, parts: highRisk},
	{id: S06, mandatory: true, bankwide: true, read: noParameters},
	{id: S07, mandatory: true, floor: blocks, read: noParameters, parts: entryConditions},
	{id: S08, mandatory: true, bankwide: true, read: noParameters},
	{id: S09, mandatory: true, read: readMatrix},
	{id: S10, mandatory: true, floor: blocks, read: noParameters, parts: hasGrade},
	{id: S11, mandatory: true, since: nfraInForce, bankwide: true, read: readBooks},
	{id: S12, mandatory: true, bankwide: true, floor: Outcomes{Hide, Block, Block}, read: readAssessment, parts: validAssessment},
	{id: S13, floor: Outcomes{Review, Review, Review}, read: readTests, parts: tested},
	{id: S14, bankwide: true, read: readProfessional},
	{id: S15, floor: Outcomes{None, Confirm, Confirm}, read: readMeans, order: withinMeans},
	{id: E01, bankwide: true, floor: Outcomes{Hide, Hide, Confirm}, read: readElder, parts: elders},
	{id: E02, mandatory: true, floor: blocks, read: noParameters, parts: civilCapacity},
	{id: C01, mandatory: true, bankwide: true, floor: blocks, read: readChannels, parts: ownChannels},
	{id: C02, mandatory: true, floor: blocks, read: noParameters, parts: inPool},
	{id: C03, mandatory: true, bankwide: true, floor: blocks, read: noParameters, parts: licensed},
	{id: C04, mandatory: true, floor: Outcomes{None, Step, Step}, read: noParameters, order: recorded},
	{id: C05, mandatory: true, floor: Outcomes{None, Step, Step}, read: noParameters, order: delivered},
	{id: C06, mandatory: true, bankwide: true, read: readEvidence},
	{id: C07, mandatory: true, bankwide: true, floor: blocks, read: noParameters, parts: checksOpen},
	{id: C08, mandatory: true, floor: discloses, read: noParameters, parts: noDeposit},
	{id: C09, mandatory: true, bankwide: true, read: noParameters},
	{id: G01, mandatory: true, floor: blocks, read: noParameters, parts: tradable, order: dealt},
	{id: P01, mandatory: true, floor: blocks, read: readQualified, order: qualifiedAmount},
	{id: P02, mandatory: true, floor: Outcomes{Hide, Hide, Hide}, read: noParameters, parts: unspecifiedPublic},
	{id: P03, mandatory: true, floor: blocks, read: noParameters, parts: pensionAccount},
	{id: A01, mandatory: true, bankwide: true, floor: Outcomes{Disclose, None, None}, read: noParameters, parts: algorithmic},
	{id: A02, mandatory: true, bankwide: true, read: readPersonalization},
	{id: A03, mandatory: true, bankwide: true, read: noParameters},
	{id: A04, mandatory: true, bankwide: true, read: noParameters},
	{id: A05, mandatory: true, bankwide: true, read: noParameters},
	{id: A06, mandatory: true, bankwide: true, floor: Outcomes{Hide, Hide, None}, read: readSilence, parts: nothingFollows},
	{id: A07, mandatory: true, bankwide: true, floor: discloses, read: noParameters, parts: elderMode},
	{id: A08, mandatory: true, bankwide: true, read: readLogs},
	{id: A09, mandatory: true, bankwide: true, read: readForbiddenTags},
	{id: F01, mandatory: true, since: feeReform, floor: blocks, read: readFeeCaps, parts: feesCapped},
	{id: F02, mandatory: true, since: feeReform, floor: blocks, read: readExitFloors, parts: exitFeesKept},
	{id: F03, mandatory: true, since: feeReform, bankwide: true, read: readServiceFee},
	{id: F04, mandatory: true, bankwide: true, read: readForbiddenInputs},
	{id: K01, mandatory: true, bankwide: true, floor: Outcomes{Hide, Hide, Audit}, read: readSwitching, parts: redeemedToBuy, order: switched},
	{id: K02, mandatory: true, bankwide: true, read: noParameters},
	{id: K03, bankwide: true, read: readNewIssues},
	{id: K04, floor: Outcomes{None, Confirm, Confirm}, read: readConcentration, order: concentrated},
	{id: W01, bankwide: true, read: noParameters},
	{id: W02, bankwide: true, read: noParameters},
	{id: W03, bankwide: true, read: noParameters},
	{id: W04, bankwide: true, read: noParameters},
	{id: W05, mandatory: true, bankwide: true, read: noParameters},
	{id: W06, bankwide: true, read: noParameters},
	{id: W07, mandatory: true, bankwide: true, read: noParameters},
	{id: W08, mandatory: true, bankwide: true, read: noParameters},
	{id: W09, mandatory: true, bankwide: true, read: noParameters},
	{id: W10, mandatory: true, bankwide: true, read: noParameters},
}

func specOf(id RuleID) *ruleSpec {
	for i := range rulebook {
		if rulebook[i].id == id {
			return &rulebook[i]
		}
	}
	return nil
}

type nothing struct{}

func (nothing) install(*Edition) {}

func noParameters(*reader) setting { return nothing{} }

// Matrix is the highest grade that fits a level (S09), by level; the unknown level has
// the lowest class's.
type Matrix [fund.C5 + 1]fund.RiskGrade

// Fits reports whether a known grade is within a level.
func (m Matrix) Fits(grade fund.RiskGrade, level fund.RiskLevel) bool { return grade <= m[level] }

func (m Matrix) install(e *Edition) { e.matrix = m }

// readMatrix: a bank may be stricter than C1-R1 ... C5-R5, not laxer, and a higher level
// never has a lower limit.
func readMatrix(in *reader) setting {
	var m Matrix
	m[fund.LevelUnknown] = fund.R1
	level := fund.C1
	in.table("matrix", []string{"C1", "C2", "C3", "C4", "C5"}, func(place, _ string, v any) string {
		m[level] = in.asGrade(place, v)
		if m[level] > fund.RiskGrade(level) || m[level] < m[level-1] {
			in.fail(place, v, "R1 to R%d, rising with the level", level)
		}
		level++
		return m[level-1].String()
	})
	return m
}

// Fit says which products serve which goal and horizon (S04).
type Fit struct {
	UnknownLockupDays  int // the longest lockup while goal or horizon are unknown or inferred
	HighNeedLockupDays int // the longest lockup for a high liquidity need
	Serves             [fund.Goals][fund.Classes]bool
	Months             [fund.Classes]int // the shortest sensible horizon
}

func (f *Fit) install(e *Edition) { e.fit = *f }

func readFit(in *reader) setting {
	f := &Fit{
		UnknownLockupDays:  in.number("unknown_lockup_days", 0, 365),
		HighNeedLockupDays: in.number("high_need_lockup_days", 0, 90),
	}
	classes, goals := classNames(), goalNames()
	in.table("goal_classes", goals, func(place, goal string, v any) string {
		words := in.asWords(place, v, len(classes))
		for _, w := range words {
			c := slices.Index(classes, w)
			if c < 0 {
				in.fail(place, w, "classes of %v", classes)
				return ""
			}
			f.Serves[slices.Index(goals, goal)+1][c+1] = true
		}
		return joinWords(words)
	})
	class := 1
	in.table("class_months", classes, func(place, _ string, v any) string {
		f.Months[class] = in.within(place, v, 0, fund.MaxHorizonMonths)
		class++
		return itoa(f.Months[class-1])
	})
	// What a product is made of is unknown: the longest horizon of all is needed.
	f.Months[fund.ClassUnknown] = slices.Max(f.Months[:])
	return f
}

// classNames lists the known classes.
func classNames() []string {
	names := make([]string, 0, fund.Classes)
	for c := fund.ClassUnknown + 1; int(c) < fund.Classes; c++ {
		names = append(names, c.String())
	}
	return names
}

// goalNames lists the known goals.
func goalNames() []string {
	names := make([]string, 0, fund.Goals)
	for g := fund.GoalUnknown + 1; int(g) < fund.Goals; g++ {
		names = append(names, g.String())
	}
	return names
}

type assessment struct {
	ValidMonths        int
	SellR1WhileExpired bool
}

func (a assessment) install(e *Edition) { e.assessment = a }

func readAssessment(in *reader) setting {
	return assessment{ValidMonths: in.number("valid_months", 1, 12), SellR1WhileExpired: in.yes("sell_r1_while_expired")}
}

type professional struct{}

func (professional) install(e *Edition) { e.professional = true }

func readProfessional(*reader) setting { return professional{} }

type elder struct {
	on             bool
	From           int // age
	UnknownIsElder bool
	AppGrade       fund.RiskGrade // the highest without a manager
	LockupDays     int            // the longest that is pushed
}

func (el *elder) install(e *Edition) { e.elder = *el }

func readElder(in *reader) setting {
	return &elder{
		on:             true,
		From:           in.number("age", 55, 70),
		UnknownIsElder: in.word("unknown_age", "ELDER", "ADULT") == "ELDER",
		AppGrade:       in.grade("app_grade"),
		LockupDays:     in.number("lockup_days", 0, 3650),
	}
}

type personalization struct{ WhenUnset bool }

func (p personalization) install(e *Edition) { e.personal = p }

func readPersonalization(in *reader) setting {
	return personalization{WhenUnset: in.word("when_unset", "ON", "OFF") == "ON"}
}

type forbiddenInputs []string

func (f forbiddenInputs) install(e *Edition) { e.forbidden = f }

// readForbiddenInputs: a bank may add to what no score may read, not take away.
func readForbiddenInputs(in *reader) setting {
	words := in.words("inputs", 64)
	for _, law := range []string{"commission", "rebate", "trailing_fee", "quota"} {
		if !slices.Contains(words, law) {
			in.fail("inputs", joinWords(words), "%s among them", law)
		}
	}
	return forbiddenInputs(words)
}

// NewIssues is how many funds in their launch a list may hold (K03).
type NewIssues struct {
	SharePercent int // of a list
	WithinDays   int // since launch: how long an issue is new
}

func (n NewIssues) install(e *Edition) { e.newIssues = n }

func readNewIssues(in *reader) setting {
	return NewIssues{SharePercent: in.number("share_percent", 0, 100), WithinDays: in.number("new_for_days", 0, 730)}
}
