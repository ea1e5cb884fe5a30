package money

import "github.com/fundmatch/fundmatch/matcher/fund"

// Suitability counts rows whose product was riskier than its customer bears. Violations must be 0, and so must Ungraded.
// The zero value has none.
type Suitability struct {
	Rows       int64 `json:"rows"`
	Violations int64 `json:"violations"` // grade above the level; without a level above R1
	Ungraded   int64 `json:"ungraded"`   // the grade is not known: nobody can say that it was suitable
}

// Violates reports whether a grade is above a level: R3 is for C3 and above. A customer without a level may get R1 alone.
// A product without a grade violates nothing, and suits nobody: see Suitability.Ungraded.
func Violates(level fund.RiskLevel, grade fund.RiskGrade) bool {
	return uint8(grade) > max(uint8(level), uint8(fund.R1))
}

// Add counts a row.
func (s *Suitability) Add(level fund.RiskLevel, grade fund.RiskGrade) {
	s.Rows++
	switch {
	case grade == fund.GradeUnknown:
		s.Ungraded++
	case Violates(level, grade):
		s.Violations++
	}
}

// Merge adds what another counted.
func (s *Suitability) Merge(other Suitability) {
	s.Rows += other.Rows
	s.Violations += other.Violations
	s.Ungraded += other.Ungraded
}

// Rate is the share of rows that violate; NaN of none.
func (s *Suitability) Rate() float64 { return ratio(float64(s.Violations), s.Rows) }

// Passes reports whether every row was suitable, and known to be.
func (s *Suitability) Passes() bool { return s.Violations == 0 && s.Ungraded == 0 }
