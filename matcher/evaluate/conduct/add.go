package conduct

import (
	"strings"

	"github.com/fundmatch/fundmatch/matcher/evaluate/share"
)

// Add counts rows. The same rows in the same order give the same state, however they are cut into runs of whole
// decisions.
func (s *State) Add(r *Rows) {
	s.lacked |= r.lacks()
	rows := len(r.Position)
	in := make([]share.Answer, rows)
	for i := range in {
		in[i] = share.Yes
	}
	wrong := Violations(r.RiskLevel, r.RiskGrade)
	s.name(r, wrong)
	s.Scopes[Shown].add(r, wrong, in)
	for i := range in {
		in[i] = r.flag(Confirmed, i)
	}
	s.Scopes[Bought].add(r, wrong, in)
}

// lacks are the columns that these rows do not have.
func (r *Rows) lacks() (bits uint32) {
	for c, t := range [...]*Text{ColumnRiskLevel: r.RiskLevel, ColumnRiskGrade: r.RiskGrade, ColumnIssuer: r.Issuer} {
		if t == nil {
			bits |= 1 << c
		}
	}
	for f, v := range r.Flags {
		if v == nil {
			bits |= 1 << FlagColumn(Flag(f))
		}
	}
	return bits
}

// flag is what a column says of a row.
func (r *Rows) flag(f Flag, row int) share.Answer { return share.AnswerOf(r.Flags[f], row) }

// add counts the rows that are in a scope.
func (f *Figures) add(r *Rows, wrong []Kind, in []share.Answer) {
	for i, a := range in {
		switch a {
		case share.Yes:
			f.Rows++
			if i < len(wrong) && wrong[i] < Kinds {
				f.Kinds[wrong[i]]++
			}
		case share.Unknown:
			f.Unknown++
		case share.No:
		}
	}
	if wrong != nil {
		count(&f.Violations, r.Ends, in, func(i int) share.Answer {
			if wrong[i] < Kinds {
				return share.Yes
			}
			return share.No
		})
	}
	for flag := range Flags {
		if r.Flags[flag] != nil {
			count(&f.Flags[flag], r.Ends, in, func(i int) share.Answer { return r.flag(flag, i) })
		}
	}
	f.Products.add(r.Product, in)
	f.Issuers.add(r.Issuer, in)
}

// count asks the rows in a scope, decision by decision.
func count(s *share.Share, ends []int32, in []share.Answer, ask func(row int) share.Answer) {
	begin := 0
	for _, end := range ends {
		var t share.Tally
		for i := begin; i < int(end); i++ {
			if in[i] == share.Yes {
				t[ask(i)]++
			}
		}
		t.Into(s)
		begin = int(end)
	}
}

// Violations says of each row what is wrong with it; Kinds: nothing. It is nil where one of the columns is.
func Violations(level, grade *Text) []Kind {
	if level == nil || grade == nil {
		return nil
	}
	levels, grades := steps(level.Names, 'C'), steps(grade.Names, 'R')
	for i, name := range level.Names {
		if name == Professional {
			levels[i] = unbounded
		}
	}
	wrong := make([]Kind, len(level.Values))
	for i := range wrong {
		wrong[i] = judge(levels[level.Values[i]], grades[grade.Values[i]])
	}
	return wrong
}

// judge compares a level with a grade; 0 is one that is not known.
func judge(level, grade int) Kind {
	switch {
	case grade == 0:
		return Ungraded
	case level == 0 && grade > 1:
		return UnknownLevel
	case level > 0 && grade > level:
		return AboveLevel
	default:
		return Kinds
	}
}

// unbounded is a step that no grade is above.
const unbounded = 5

// steps reads C1 to C5, or R1 to R5. Anything else is not known.
func steps(names []string, letter byte) []int {
	out := make([]int, len(names))
	for i, name := range names {
		if len(name) == 2 && name[0] == letter && name[1] >= '1' && name[1] <= '5' {
			out[i] = int(name[1] - '0')
		}
	}
	return out
}

// name keeps the first violations for people to look up.
func (s *State) name(r *Rows, wrong []Kind) {
	decision := 0
	for i := 0; i < len(wrong) && len(s.First) < MaxViolations; i++ {
		for int(r.Ends[decision]) <= i {
			decision++
		}
		if wrong[i] == Kinds {
			continue
		}
		s.First = append(s.First, Violation{
			DecisionID: shown(string(r.IDs[decision])), Position: r.Position[i],
			Product:   shown(r.Product.Names[r.Product.Values[i]]),
			RiskLevel: shown(r.RiskLevel.Names[r.RiskLevel.Values[i]]),
			RiskGrade: shown(r.RiskGrade.Names[r.RiskGrade.Values[i]]),
			Kind:      wrong[i].String(),
		})
	}
}

// maxText is the longest text that is kept of a row.
const maxText = 128

// shown is a text as a report can keep it: short, and valid UTF-8, so that it is the same after it was written and read.
func shown(s string) string {
	return strings.Clone(strings.ToValidUTF8(s[:min(len(s), maxText)], "\uFFFD"))
}
