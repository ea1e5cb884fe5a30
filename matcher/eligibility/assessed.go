package eligibility

import "github.com/fundmatch/fundmatch/matcher/fund"

// The keys of validAssessment.
const (
	recommendedWithoutLevel = iota
	orderedWithoutLevel
	orderedR1WhileExpired // and the pack lets R1 be sold meanwhile
	assessmentKeys
)

// validAssessment (S12; 适当性办法 18): without a valid assessment only R1 is shown, for
// information, and nothing is ordered. The way out, the retest, comes with every product.
// Parameters: valid_months, sell_r1_while_expired.
func validAssessment(e *Edition, _ fund.Date) []part {
	facts := func(c *candidate, f *Facts) []Fact {
		return []Fact{{"level_state", f.State.String()}, {"grade", c.grade.String()}}
	}
	key := func(f *Facts) int {
		switch {
		case !f.informational():
			return -1
		case f.Situation == Recommendation:
			return recommendedWithoutLevel
		case f.State == Expired && e.assessment.SellR1WhileExpired:
			return orderedR1WhileExpired
		default:
			return orderedWithoutLevel
		}
	}
	return []part{
		{
			reason: "NO_VALID_ASSESSMENT", keys: assessmentKeys, key: key,
			reads: []string{"valid_months", "sell_r1_while_expired"}, way: only(RemedyRetest),
			speaks: func(c *candidate, key int) bool {
				return key == orderedWithoutLevel || c.grade != fund.R1
			},
			facts: facts,
		},
		part{
			reason: "RETEST_RISK", keys: 1, key: func(f *Facts) int { return when(f.informational()) },
			reads: []string{"valid_months"}, way: only(RemedyRetest), speaks: always, facts: facts,
		}.says(Task),
	}
}

// The most assessments that S13's parameters let count; whoever has more is told apart no
// further.
const (
	mostDayTests  = 2
	mostYearTests = 8
)

// tested (S13; 金融机构产品适当性管理办法): a level that took more assessments than per_day
// or per_year sells nothing, in every situation; a level that jumped by jump_levels or more
// less than jump_days ago is reviewed for what the level before it would not have allowed.
// Parameters: per_day, per_year, jump_levels, jump_days.
func tested(e *Edition, day fund.Date) []part {
	t := &e.tests
	count := func(n uint8) []Fact { return []Fact{{"assessments", itoa(int(n))}} }
	jumpEnd := func(f *Facts) fund.Date { return f.JumpedOn.AddDays(t.JumpDays) }
	return []part{
		part{
			reason: "TOO_MANY_ASSESSMENTS_IN_DAY", keys: mostDayTests + 2, reads: []string{"per_day"}, way: only(RemedyRetest),
			key:    func(f *Facts) int { return min(int(f.DayTests), mostDayTests+1) },
			speaks: func(_ *candidate, key int) bool { return key > t.PerDay },
			facts:  func(_ *candidate, f *Facts) []Fact { return count(f.DayTests) },
		}.says(Block),
		part{
			reason: "TOO_MANY_ASSESSMENTS_IN_YEAR", keys: mostYearTests + 2, reads: []string{"per_year"}, way: only(RemedyRetest),
			key:    func(f *Facts) int { return min(int(f.YearTests), mostYearTests+1) },
			speaks: func(_ *candidate, key int) bool { return key > t.PerYear },
			facts:  func(_ *candidate, f *Facts) []Fact { return count(f.YearTests) },
		}.says(Block),
		{
			reason: "LEVEL_JUMPED", keys: len(e.matrix), apart: true, reads: []string{"jump_levels", "jump_days"},
			key: func(f *Facts) int {
				if f.Before == fund.LevelUnknown || int(f.Level)-int(f.Before) < t.JumpLevels || day >= jumpEnd(f) {
					return -1
				}
				return int(f.Before)
			},
			// Above his level too: were it not so, a product would gain by a higher grade.
			speaks: func(c *candidate, key int) bool { return gradeAbove(c, e.matrix[key]) },
			facts: func(c *candidate, f *Facts) []Fact {
				return []Fact{
					{"grade", c.grade.String()},
					{"level_before", f.Before.String()},
					{"level", f.Level.String()},
					{"jumped_on", f.JumpedOn.String()},
				}
			},
			way: wayOut{[]string{RemedyReview, RemedyWait}, func(_ *candidate, f *Facts) Remedy {
				if ownOrder(f) {
					return Remedy{Code: RemedyReview, On: jumpEnd(f)}
				}
				return Remedy{Code: RemedyWait, On: jumpEnd(f)}
			}},
		},
	}
}
