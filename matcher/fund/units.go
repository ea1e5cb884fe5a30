package fund

import (
	"errors"
	"fmt"
)

// Money is an amount in fen (1/100 yuan).
type Money int64

// LossOf returns what a result below zero takes from an amount, as a positive number:
// amount times -result, rounded half up to the fen, without overflow.
func LossOf(amount Money, result Ratio) Money {
	const million = 1_000_000
	whole, rest := int64(amount)/million, int64(amount)%million
	return Money(whole*-int64(result) + (rest*-int64(result)+million/2)/million)
}

// BasisPoints is a rate in 1/100 of a percent.
type BasisPoints int32

// Ratio is a proportion in millionths: -360111 is -36.0111 %.
// Figures that are shown or recorded are rounded to it once, half away from zero,
// so that a text, an answer and a record never disagree in the last digit.
type Ratio int64

// RatioOf rounds x (1 = 100 %) half away from zero to a Ratio.
func RatioOf(x float64) Ratio {
	scaled := float64(x * 1e6) // rounded before the addition: no platform may fuse them
	if scaled < 0 {
		return -Ratio(0.5 - scaled)
	}
	return Ratio(scaled + 0.5)
}

// Float returns the ratio as a number, 1 = 100 %.
func (r Ratio) Float() float64 { return float64(r) / 1e6 }

// Shares is a number of fund shares in 1/10000 of a share.
type Shares int64

// ErrInvalid is wrapped by every error about a value that does not parse.
// The message names the value and what was expected.
var ErrInvalid = errors.New("invalid value")

// RiskGrade is a product's risk, R1 (lowest) to R5. The zero value is unknown.
type RiskGrade uint8

// The risk grades.
const (
	GradeUnknown RiskGrade = iota
	R1
	R2
	R3
	R4
	R5
)

// ParseRiskGrade reads "R1".."R5". The empty text is unknown.
func ParseRiskGrade(s string) (RiskGrade, error) {
	n, err := parseStep(s, 'R')
	return RiskGrade(n), err
}

// String returns "R1".."R5", or "" when unknown.
func (g RiskGrade) String() string { return stepName(gradeNames, uint8(g)) }

// RiskLevel is a customer's assessed tolerance, C1 (lowest) to C5. The zero value
// is unknown.
type RiskLevel uint8

// The risk levels.
const (
	LevelUnknown RiskLevel = iota
	C1
	C2
	C3
	C4
	C5
)

// ParseRiskLevel reads "C1".."C5". The empty text is unknown.
func ParseRiskLevel(s string) (RiskLevel, error) {
	n, err := parseStep(s, 'C')
	return RiskLevel(n), err
}

// String returns "C1".."C5", or "" when unknown.
func (l RiskLevel) String() string { return stepName(levelNames, uint8(l)) }

func parseStep(s string, letter byte) (uint8, error) {
	if s == "" {
		return 0, nil
	}
	if len(s) == 2 && s[0] == letter && s[1] >= '1' && s[1] <= '5' {
		return s[1] - '0', nil
	}
	return 0, fmt.Errorf("%w: %q, expected %c1 to %c5", ErrInvalid, s, letter, letter)
}

// The names of all steps in one text each, two bytes a step.
const (
	gradeNames = "R1R2R3R4R5"
	levelNames = "C1C2C3C4C5"
)

// stepName cuts a name out, so that none is made anew for every answer.
func stepName(names string, n uint8) string {
	if n < 1 || n > 5 {
		return ""
	}
	return names[2*n-2 : 2*n]
}

// Answer is a yes or no that may be unknown. The zero value is unknown.
type Answer uint8

// The answers.
const (
	Unknown Answer = iota
	No
	Yes
)

// String returns "true", "false" or "".
func (a Answer) String() string {
	switch a {
	case Yes:
		return "true"
	case No:
		return "false"
	case Unknown:
	}
	return ""
}

// ParseAnswer reads "true", "false" or the empty text.
func ParseAnswer(s string) (Answer, error) {
	switch s {
	case "":
		return Unknown, nil
	case "true":
		return Yes, nil
	case "false":
		return No, nil
	}
	return Unknown, fmt.Errorf("%w: %q, expected true or false", ErrInvalid, s)
}
