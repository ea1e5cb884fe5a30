package evaluation

import (
	"math"
	"strconv"
	"strings"

	"github.com/fundmatch/fundmatch/matcher/evaluate/policy"
)

// unknownText stands where a figure is not known.
const unknownText = "not known"

// grouped groups digits by thousands.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// groupedOf is grouped of what may not be known.
func groupedOf(n *int64) string {
	if n == nil {
		return unknownText
	}
	return grouped(*n)
}

// plural is a count with its noun.
func plural(n int64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return grouped(n) + " " + noun
}

// and joins names as a sentence does.
func and(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// numberText is a number with four digits that count.
func numberText(v float64) string {
	switch {
	case math.IsNaN(v):
		return unknownText
	case math.IsInf(v, 0):
		return "without bound"
	case v == 0:
		return "0"
	case math.Abs(v) < 1e-4 || math.Abs(v) >= 1e7:
		return strconv.FormatFloat(v, 'e', 2, 64)
	}
	digits := max(0, 3-int(math.Floor(math.Log10(math.Abs(v)))))
	return strconv.FormatFloat(v, 'f', min(digits, 6), 64)
}

func numberOf(v *float64) string {
	if v == nil {
		return unknownText
	}
	return numberText(*v)
}

// chanceText is a p-value.
func chanceText(p *float64) string {
	if p != nil && *p < 1e-4 {
		return "below 0.0001"
	}
	return numberOf(p)
}

// percentText is a fraction in per cent.
func percentText(v *float64) string {
	if v == nil {
		return unknownText
	}
	p := 100 * *v
	digits := 1
	if p != 0 && math.Abs(p) < 1 {
		digits = min(4, 1-int(math.Floor(math.Log10(math.Abs(p)))))
	}
	return strconv.FormatFloat(p, 'f', digits, 64) + "\u00a0%"
}

// boundsText is an interval.
func boundsText(ci *[2]float64) string {
	if ci == nil {
		return ""
	}
	return numberText(ci[0]) + " to " + numberText(ci[1])
}

// percentBounds is an interval of fractions.
func percentBounds(ci *[2]float64) string {
	if ci == nil {
		return ""
	}
	return percentText(&ci[0]) + " to " + percentText(&ci[1])
}

// intervalText is a value with its interval.
func intervalText(v *float64, ci *[2]float64) string {
	if v == nil {
		return unknownText
	}
	if ci == nil {
		return numberText(*v)
	}
	return numberText(*v) + " (95 % interval " + boundsText(ci) + ")"
}

func meanText(m *Mean) string { return intervalText(m.Value, m.CI95) }

func estimateText(e *policy.Estimate) string {
	return intervalText(finite(float64(e.Value)), estimateBounds(e))
}

// estimateBounds are the ends of an interval, nil where one is not known.
func estimateBounds(e *policy.Estimate) *[2]float64 {
	low, high := finite(float64(e.CI95[0])), finite(float64(e.CI95[1]))
	if low == nil || high == nil {
		return nil
	}
	return &[2]float64{*low, *high}
}

// shareText is a share with what it is of.
func shareText(s *Share) string {
	if s == nil || s.Value == nil {
		return unknownText
	}
	return percentText(s.Value)
}

// countText is a part of what is known.
func countText(yes, known int64) string { return grouped(yes) + " of " + grouped(known) }
