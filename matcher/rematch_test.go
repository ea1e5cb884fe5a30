package matcher_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

// rematchDay is the day on which the holdings of this file are matched again.
const rematchDay fund.Date = 20260715

func graded(code string, grade fund.RiskGrade) fund.Product {
	return fund.Product{
		Code: code, Name: code, Type: "股票型", Grades: fund.Grades{Bank: grade},
		Listing: fund.Listing{Kind: fund.PublicFund, Status: fund.Open, DueDiligenceID: "D"},
	}
}

// rematchCore knows one product a grade, and one without.
func rematchCore(tb testing.TB, products ...fund.Product) *matcher.Core {
	tb.Helper()
	b := &bank{asOf: rematchDay.Start(), day: rematchDay, products: products}
	b.products = append(b.products, graded("R1", fund.R1), graded("R2", fund.R2), graded("R3", fund.R3), graded("R4", fund.R4), graded("X", 0))
	return b.compile(tb)
}

// owner was assessed, level by level, on the given days, oldest first, and holds and plans
// what the test adds.
func owner(levels ...fund.Assessed) *fund.Profile {
	p := &fund.Profile{CustomerID: "K1", Person: fund.Person{
		InvestorType: fund.Ordinary, BirthDate: 19800229, Capacity: fund.FullCapacity, IsLowestClass: fund.No, ManagerID: "M1", BranchID: "B1",
	}}
	if n := len(levels); n > 0 {
		p.Assessments = levels
		p.Assessment = fund.Assessment{Level: levels[n-1].Level, On: levels[n-1].At.Date(), At: levels[n-1].At}
	}
	return p
}

func level(l fund.RiskLevel, on fund.Date) fund.Assessed {
	return fund.Assessed{At: on.Start(), Level: l}
}

func holds(p *fund.Profile, code string, on fund.Date) *fund.Profile {
	p.Lots = append(p.Lots, fund.Lot{ProductCode: code, Shares: 1000, AcquiredOn: on})
	return p
}

func plans(p *fund.Profile, code string, on ...fund.Date) *fund.Profile {
	for _, day := range on {
		p.Purchases = append(p.Purchases, fund.Purchase{ProductCode: code, KnownOn: day, Kind: fund.KindPlan, Amount: 50_000})
	}
	return p
}

// told writes what a re-match found, a line a mismatch.
func told(r *matcher.Rematch) string {
	var lines []string
	for i := range r.Mismatches {
		m := &r.Mismatches[i]
		since := m.Since.String()
		if since == "" {
			since = "-"
		}
		line := []string{m.ProductCode, m.Kind.String(), m.Cause.String(), since, m.Task.String()}
		if m.FromLevel != 0 {
			line = append(line, m.FromLevel.String()+">"+m.Level.String())
		}
		if m.FromGrade != 0 {
			line = append(line, m.FromGrade.String()+">"+m.Grade.String())
		}
		lines = append(lines, strings.Join(line, " "))
	}
	return strings.Join(lines, "\n")
}

// The causes of a mismatch, each with its boundary (S08; 适当性办法 21).
func TestRematch(t *testing.T) {
	t.Parallel()
	core := rematchCore(t)
	lowered := []fund.Assessed{level(fund.C4, 20250701), level(fund.C3, 20251001), level(fund.C2, 20260701)}
	lowest := holds(owner(level(fund.C3, 20260101)), "R3", 20260201)
	lowest.Person.IsLowestClass = fund.Yes
	professional := holds(owner(), "R4", 20260101)
	professional.Person.InvestorType = fund.ProfessionalInvestor
	professional.Person.Professional = fund.Professional{Class: "A", Until: 20270101}
	undated := holds(owner(), "R2", 20260101)
	undated.Assessment.Level = fund.C2
	resold := holds(holds(owner(lowered...), "R3", 20260101), "R3", 20260702)
	resold.Lots[0].Shares = 0
	torn := holds(owner(level(fund.C4, 20250701)), "R4", 20250801) // its history lacks the assessment in force
	torn.Assessment = fund.Assessment{Level: fund.C2, On: 20260701}
	guessed := holds(owner(), "R2", 20260101)
	guessed.PredictedLevel = fund.C5
	for _, c := range []struct {
		name string
		p    *fund.Profile
		want string
	}{
		{"his grade is his level", holds(owner(level(fund.C3, 20260101)), "R3", 20260201), ""},
		{"he holds nothing", owner(level(fund.C1, 20260101)), ""},
		{"sold out", func() *fund.Profile {
			p := holds(owner(level(fund.C1, 20260101)), "R4", 20260201)
			p.Lots[0].Shares = 0
			return p
		}(), ""},
		{"one above from the first", holds(owner(level(fund.C3, 20260101)), "R4", 20260201), "R4 HOLDING NEVER_SUITABLE 2026-02-01 TELL_CUSTOMER"},
		{"the day of buying is unknown", holds(owner(level(fund.C3, 20260101)), "R4", 0), "R4 HOLDING NEVER_SUITABLE - TELL_CUSTOMER"},
		{"lowered twice: since the first that did not suit it", holds(owner(lowered...), "R4", 20250930), "R4 HOLDING LEVEL_LOWERED 2025-10-01 TELL_CUSTOMER C4>C2"},
		{"bought on the day of lowering", holds(owner(lowered...), "R4", 20251001), "R4 HOLDING NEVER_SUITABLE 2025-10-01 TELL_CUSTOMER"},
		{"lowered on the last assessment only", holds(owner(lowered...), "R3", 20251001), "R3 HOLDING LEVEL_LOWERED 2026-07-01 TELL_CUSTOMER C3>C2"},
		{"some of it bought before", holds(holds(owner(lowered...), "R3", 20260702), "R3", 20260101), "R3 HOLDING LEVEL_LOWERED 2026-07-01 TELL_CUSTOMER C3>C2"},
		{"what he sold before does not count", resold, "R3 HOLDING NEVER_SUITABLE 2026-07-02 TELL_CUSTOMER"},
		{"a history without the assessment in force", torn, "R4 HOLDING NEVER_SUITABLE 2025-08-01 TELL_CUSTOMER"},
		{"the last day of the assessment", holds(owner(level(fund.C2, 20250716)), "R2", 20251001), ""},
		{"the first day after it", holds(owner(level(fund.C2, 20250715)), "R2", 20251001), "R2 HOLDING LEVEL_EXPIRED 2026-07-15 TELL_CUSTOMER"},
		{"expired, and R1", holds(owner(level(fund.C2, 20250715)), "R1", 20251001), ""},
		{"expired, and above the old level too", holds(owner(level(fund.C2, 20250715)), "R4", 20251001), "R4 HOLDING NEVER_SUITABLE 2025-10-01 TELL_CUSTOMER"},
		{"a level without a date", undated, "R2 HOLDING LEVEL_EXPIRED - TELL_CUSTOMER"},
		{"never assessed", holds(owner(), "R2", 20251001), "R2 HOLDING LEVEL_ABSENT - TELL_CUSTOMER"},
		{"a predicted level is none", guessed, "R2 HOLDING LEVEL_ABSENT - TELL_CUSTOMER"},
		{"the lowest class within its level", lowest, "R3 HOLDING LOWEST_CLASS - TELL_CUSTOMER"},
		{"a professional without a level", professional, ""},
		{"a plan above his level", plans(owner(lowered...), "R3", 20251101), "R3 PLAN LEVEL_LOWERED 2026-07-01 CONFIRM_PLAN C3>C2"},
		{"a plan that he renewed the day before", plans(owner(lowered...), "R3", 20251101, 20260630), "R3 PLAN LEVEL_LOWERED 2026-07-01 CONFIRM_PLAN C3>C2"},
		{"a plan that he renewed since", plans(owner(lowered...), "R3", 20251101, 20260701), ""},
		{"a plan of the lowest class", plans(owner(level(fund.C1, 20260101)), "R2", 20260201, 20260301), "R2 PLAN NEVER_SUITABLE 2026-02-01 CONFIRM_PLAN"},
		{"a plan without a valid assessment", plans(owner(level(fund.C3, 20250715)), "R3", 20260101, 20260714), "R3 PLAN LEVEL_EXPIRED 2026-07-15 RETEST_RISK"},
		{"a plan above an expired level", plans(owner(level(fund.C3, 20250715)), "R4", 20260101), "R4 PLAN NEVER_SUITABLE 2026-01-01 RETEST_RISK"},
		{"a plan into what has no grade", plans(owner(level(fund.C4, 20260101)), "X", 20260201), "X PLAN GRADE_MISSING - CHECK_GRADE"},
		{"a plan into what is not in the pool", plans(owner(level(fund.C4, 20260101)), "GONE", 20260201), "GONE PLAN GRADE_MISSING - CHECK_GRADE"},
		{
			"holding and plan of two products", plans(holds(holds(owner(level(fund.C1, 20260101)), "R3", 20260201), "R4", 20260201), "R3", 20260201),
			"R3 HOLDING NEVER_SUITABLE 2026-02-01 TELL_CUSTOMER\nR3 PLAN NEVER_SUITABLE 2026-02-01 CONFIRM_PLAN\nR4 HOLDING NEVER_SUITABLE 2026-02-01 TELL_CUSTOMER",
		},
	} {
		if c.name == "a plan of the lowest class" {
			c.p.Person.IsLowestClass = fund.Yes
			c.want = "R2 PLAN NEVER_SUITABLE 2026-02-01 END_PLAN"
		}
		var got matcher.Rematch
		if err := core.Rematch(c.p, rematchDay.Start(), nil, &got); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if told(&got) != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, told(&got), c.want)
		}
		checkTold(t, core, &got)
	}
}

// checkTold: every mismatch has its sentences, and what they say is the product's grade.
func checkTold(t *testing.T, core *matcher.Core, r *matcher.Rematch) {
	t.Helper()
	for i := range r.Mismatches {
		m := &r.Mismatches[i]
		manager, err := core.ForManager(m)
		customer, err2 := core.ForCustomer(m)
		if errors.Join(err, err2) != nil || manager == "" || customer == "" {
			t.Errorf("%s %s: %q %q %v", m.Kind, m.Cause, manager, customer, errors.Join(err, err2))
		}
		if m.Grade != 0 && !strings.Contains(manager, m.Grade.String()) {
			t.Errorf("%s does not say %s", manager, m.Grade)
		}
		if m.Kind == matcher.Holding && !strings.Contains(customer, "可以继续持有") {
			t.Errorf("he is not told that he may keep it: %s", customer)
		}
		if m.Paused() != strings.Contains(customer, "暂停") || m.Paused() != (m.Kind == matcher.RunningPlan) {
			t.Errorf("paused %v: %s", m.Paused(), customer)
		}
	}
}

// A grade that was raised is the cause, whoever's level it passed; what was above before is
// not.
func TestRematchOfARaisedGrade(t *testing.T) {
	t.Parallel()
	core := rematchCore(t)
	before := func(grade fund.RiskGrade, on fund.Date) *matcher.EarlierGrades {
		return matcher.GradesOf([]fund.Product{graded("R3", grade)}, on)
	}
	for _, c := range []struct {
		name    string
		earlier *matcher.EarlierGrades
		p       *fund.Profile
		want    string
	}{
		{"raised", before(fund.R2, 20260714), holds(owner(level(fund.C2, 20260101)), "R3", 20260201), "R3 HOLDING GRADE_RAISED 2026-07-14 TELL_CUSTOMER R2>R3"},
		{"nobody knows when", before(fund.R2, 0), holds(owner(level(fund.C2, 20260101)), "R3", 20260201), "R3 HOLDING GRADE_RAISED - TELL_CUSTOMER R2>R3"},
		{"above before, too", before(fund.R2, 20260714), holds(owner(level(fund.C1, 20260101)), "R3", 20260201), "R3 HOLDING NEVER_SUITABLE 2026-02-01 TELL_CUSTOMER"},
		{"not graded before", before(0, 20260714), holds(owner(level(fund.C2, 20260101)), "R3", 20260201), "R3 HOLDING NEVER_SUITABLE 2026-02-01 TELL_CUSTOMER"},
		{"raised within his level", before(fund.R2, 20260714), holds(owner(level(fund.C3, 20260101)), "R3", 20260201), ""},
		{"a plan", before(fund.R2, 20260714), plans(owner(level(fund.C2, 20260101)), "R3", 20260201), "R3 PLAN GRADE_RAISED 2026-07-14 CONFIRM_PLAN R2>R3"},
		{"renewed before it was raised", before(fund.R2, 20260714), plans(owner(level(fund.C2, 20260101)), "R3", 20260201, 20260713), "R3 PLAN GRADE_RAISED 2026-07-14 CONFIRM_PLAN R2>R3"},
		{"renewed at the new grade", before(fund.R2, 20260714), plans(owner(level(fund.C2, 20260101)), "R3", 20260201, 20260714), ""},
		{"renewed, and nobody knows when it was raised", before(fund.R2, 0), plans(owner(level(fund.C2, 20260101)), "R3", 20260201, 20260714), "R3 PLAN GRADE_RAISED - CONFIRM_PLAN R2>R3"},
	} {
		var got matcher.Rematch
		if err := core.Rematch(c.p, rematchDay.Start(), c.earlier, &got); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if told(&got) != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, told(&got), c.want)
		}
		checkTold(t, core, &got)
	}
}

// What has no grade cannot be matched, and is not passed over in silence.
func TestRematchTellsWhatItCannotMatch(t *testing.T) {
	t.Parallel()
	core := rematchCore(t)
	p := holds(holds(owner(level(fund.C5, 20260101)), "GONE", 20260201), "X", 20260201)
	var got matcher.Rematch
	if err := core.Rematch(p, rematchDay.Start(), nil, &got); err != nil || !slices.Equal(got.Unmatched, []string{"GONE", "X"}) || len(got.Mismatches) > 0 {
		t.Errorf("unmatched %v, mismatches %v, %v", got.Unmatched, got.Mismatches, err)
	}
	if err := core.Rematch(p, rematchDay.AddDays(1).Start(), nil, &got); !errors.Is(err, matcher.ErrOutsideValidity) {
		t.Errorf("the day after the core's: %v", err)
	}
}

// The re-match and the gate agree: it speaks of a holding exactly where no order of the firm's
// own initiative would pass for the level or the assessment.
func TestRematchAgreesWithTheGate(t *testing.T) {
	t.Parallel()
	core := rematchCore(t)
	var got matcher.Rematch
	rapid.Check(t, func(t *rapid.T) {
		code := rapid.SampledFrom([]string{"R1", "R2", "R3", "R4"}).Draw(t, "code")
		var history []fund.Assessed
		for _, on := range []fund.Date{20250601, 20250714, 20250715, 20250716, 20260714}[rapid.IntRange(0, 5).Draw(t, "from"):] {
			history = append(history, level(rapid.SampledFrom([]fund.RiskLevel{fund.C1, fund.C2, fund.C3, fund.C4, fund.C5}).Draw(t, "level"), on))
		}
		p := holds(owner(history...), code, rapid.SampledFrom([]fund.Date{0, 20240101, 20250715, 20260714}).Draw(t, "bought"))
		p.Person.IsLowestClass = rapid.SampledFrom([]fund.Answer{fund.Unknown, fund.Yes, fund.No}).Draw(t, "lowest")
		if rapid.Bool().Draw(t, "professional") {
			p.Person.InvestorType, p.Person.Professional = fund.ProfessionalInvestor, fund.Professional{Class: "A", Until: 20270101}
		}
		if err := core.Rematch(p, rematchDay.Start(), nil, &got); err != nil {
			t.Fatal(err)
		}
		e, err := core.Explain(p, code, matcher.Request{At: rematchDay.Start(), Channel: fund.Branch, Audience: wording.Manager})
		if err != nil {
			t.Fatal(err)
		}
		speaks := slices.ContainsFunc(slices.Concat(e.Findings, e.OrderFindings), func(f eligibility.Finding) bool {
			aboutLevel := f.Rule == eligibility.S01 || f.Rule == eligibility.S02 || f.Rule == eligibility.S03
			return f.Outcome >= eligibility.Confirm && (aboutLevel || f.Rule == eligibility.S12 && code != "R1")
		})
		if speaks != (len(got.Mismatches) == 1) {
			t.Fatalf("the gate speaks: %v; the re-match says %q (state %s, level %s)", speaks, told(&got), got.State, got.Level)
		}
	})
}

// Matching again takes no memory once the buffers have grown.
func TestRematchAllocatesNothing(t *testing.T) {
	core := rematchCore(t)
	p := plans(holds(holds(owner(level(fund.C4, 20250901), level(fund.C1, 20260101)), "R3", 20251001), "R4", 20251001), "R2", 20251101)
	var out matcher.Rematch
	if n := testing.AllocsPerRun(100, func() {
		if err := core.Rematch(p, rematchDay.Start(), nil, &out); err != nil || len(out.Mismatches) != 3 {
			t.Fatal(err, len(out.Mismatches))
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
