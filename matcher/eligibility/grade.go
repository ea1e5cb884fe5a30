package eligibility

import "github.com/fundmatch/fundmatch/matcher/fund"

// gradeAbove reports whether a product's grade is above a limit. A missing grade is S10's.
func gradeAbove(c *candidate, limit fund.RiskGrade) bool { return c.grade > limit }

func gradeFacts(c *candidate, f *Facts) []Fact {
	return []Fact{{"grade", c.grade.String()}, {"level", f.Level.String()}}
}

func hasNoLevel(f *Facts) bool { return f.State != Valid }

// lowestClass (S01; 适当性办法 22(5)): the lowest class is sold nothing above its level. No
// parameters of its own; the level's limit is S09's.
func lowestClass(e *Edition, _ fund.Date) []part {
	return []part{{
		reason: "ABOVE_LOWEST_CLASS", keys: 1, way: only(RemedyLowerGrade),
		key:    func(f *Facts) int { return when(f.Lowest) },
		speaks: func(c *candidate, _ int) bool { return gradeAbove(c, e.matrix[fund.C1]) },
		facts:  gradeFacts,
	}}
}

// gradeOverLevel (S02; 适当性办法 22(3)): nothing above his level is recommended to an
// ordinary investor; without a level nothing above the lowest. No parameters of its own;
// the limits are S09's.
func gradeOverLevel(e *Edition, _ fund.Date) []part {
	return []part{{
		reason: "GRADE_ABOVE_LEVEL", keys: len(e.matrix),
		key: func(f *Facts) int {
			if f.Professional {
				return -1
			}
			return int(f.Level)
		},
		speaks: func(c *candidate, key int) bool { return gradeAbove(c, e.matrix[key]) },
		facts:  gradeFacts,
		way:    either(hasNoLevel, only(RemedyRetest), only(RemedyLowerGrade)),
	}}
}

// warnedOfGrade (S03; 适当性办法 19): whoever wants a grade above the level on file is
// warned, the professional too; the lowest class is S01's. No parameters of its own; the
// limits are S09's.
func warnedOfGrade(e *Edition, _ fund.Date) []part {
	return []part{{
		reason: "WARN_GRADE_ABOVE_LEVEL", keys: len(e.matrix),
		key: func(f *Facts) int {
			if f.Level == fund.LevelUnknown || f.Lowest {
				return -1
			}
			return int(f.Level)
		},
		speaks: func(c *candidate, key int) bool { return gradeAbove(c, e.matrix[key]) },
		facts:  gradeFacts,
		way:    confirmed(),
	}}
}

// highRisk (S05; 适当性办法 20): a product of from_grade or above goes to an ordinary
// investor by a special procedure only, so the firm does not bring it up; with his own order
// comes a call-back. think_hours is the order's.
func highRisk(e *Edition, _ fund.Date) []part {
	highRisk := part{
		reason: "HIGH_RISK", keys: 1, reads: []string{"from_grade", "think_hours"}, way: confirmed(),
		key:    func(f *Facts) int { return when(!f.Professional) },
		speaks: func(c *candidate, _ int) bool { return c.grade >= e.highRisk.FromGrade },
		facts: func(c *candidate, _ *Facts) []Fact {
			return []Fact{{"grade", c.grade.String()}, {"from_grade", e.highRisk.FromGrade.String()}}
		},
	}
	callBack := highRisk
	callBack.reason, callBack.way, callBack.reads = "CALL_BACK", wayOut{}, []string{"from_grade"}
	return []part{highRisk, callBack.saysBy(Outcomes{CustomerOrder: Task})}
}

// hasGrade (S10; 孰高原则): without the bank's grade nothing is sold. No parameters.
func hasGrade(*Edition, fund.Date) []part {
	return []part{{
		reason: "GRADE_MISSING", way: only(RemedyHeadOffice),
		speaks: func(c *candidate, _ int) bool { return c.grade == fund.GradeUnknown },
		facts: func(c *candidate, _ *Facts) []Fact {
			return []Fact{{"bank_grade", c.Grades.Bank.String()}, {"issuer_grade", c.Grades.Issuer.String()}}
		},
	}}
}
