package wording

import (
	"fmt"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// AppendEvidence writes the sentence with its slots filled from evidence: the slot
// {max_drawdown:abs_percent} takes the evidence MAX_DRAWDOWN. A figure in a text is thus
// always one of the facts that stand beside it. Errors as for Append; a unit that the
// slot's type cannot show is ErrSlot.
func (t *Templates) AppendEvidence(dst []byte, id TemplateID, evidence []fund.Evidence) ([]byte, error) {
	if id == 0 || int(id) >= len(t.list) {
		return dst, fmt.Errorf("%w: %d", ErrTemplate, id)
	}
	tp := &t.list[id]
	out := dst
	for i := range tp.segments {
		s := &tp.segments[i]
		if s.slot == "" {
			out = append(out, s.literal...)
			continue
		}
		e := fieldOf(evidence, s.field)
		if e == nil {
			return dst, tp.unfilled(s, nil)
		}
		v, ok := valueOf(e, s)
		if !ok {
			return dst, fmt.Errorf("%w: %s: {%s:%s} was given %s in %s", ErrSlot, tp.name, s.slot, s.kind, e.Field, e.Unit)
		}
		var err error
		if out, err = v.append(out); err != nil {
			return dst, fmt.Errorf("%s: %w", tp.name, err)
		}
	}
	return out, nil
}

func fieldOf(evidence []fund.Evidence, field string) *fund.Evidence {
	for i := range evidence {
		if evidence[i].Field == field {
			return &evidence[i]
		}
	}
	return nil
}

// valueOf reads a fact as the slot's type. Grades and levels come as their codes.
func valueOf(e *fund.Evidence, s *segment) (Value, bool) {
	v := Value{Name: s.slot, Type: s.kind, Number: e.Number, Text: e.Text}
	switch s.kind {
	case Percent, AbsPercent:
		return v, e.Unit == fund.UnitRatio
	case Money, LargeMoney:
		return v, e.Unit == fund.UnitFen
	case Date:
		return v, e.Unit == fund.UnitDate
	case Days:
		return v, e.Unit == fund.UnitDays
	case Months:
		return v, e.Unit == fund.UnitMonths
	case Count:
		return v, e.Unit == fund.UnitCount
	case Clock:
		return v, e.Unit == fund.UnitMinutes
	case Text:
		return v, e.Unit == fund.UnitNone
	case Grade:
		g, err := fund.ParseRiskGrade(e.Text)
		v.Number = int64(g)
		return v, err == nil && e.Unit == fund.UnitNone
	case Level:
		l, err := fund.ParseRiskLevel(e.Text)
		v.Number = int64(l)
		return v, err == nil && e.Unit == fund.UnitNone
	}
	return v, false
}
