package matcher

import "fmt"

// AnswerKind says what a recorded answer is.
type AnswerKind uint8

// The kinds. The zero value is a recommendation, the oldest.
const (
	SlateAnswer  AnswerKind = iota // a Slate
	OrderAnswer                    // an OrderCheck
	SwitchAnswer                   // a SwitchAssessment
)

var answerKindNames = [...]string{"RECOMMENDATION", "ORDER_CHECK", "SWITCH_ASSESSMENT"}

// String returns the kind's code.
func (k AnswerKind) String() string {
	if int(k) < len(answerKindNames) {
		return answerKindNames[k]
	}
	return fmt.Sprint(uint8(k))
}

// KindOf tells by its first byte which of its parsers reads a recorded answer. What none
// reads counts as a slate, whose parser refuses it.
func KindOf(canonical []byte) AnswerKind {
	if len(canonical) == 0 {
		return SlateAnswer
	}
	switch canonical[0] {
	case orderKind:
		return OrderAnswer
	case switchKind:
		return SwitchAnswer
	default:
		return SlateAnswer
	}
}

// RecordedIdentity reads what a recorded answer of whatever kind was computed from. Errors
// wrap fund.ErrMalformed or fund.ErrNewerVersion.
func RecordedIdentity(canonical []byte) (Identity, error) {
	switch KindOf(canonical) {
	case OrderAnswer:
		check, err := ParseOrderCheck(canonical)
		if err != nil {
			return Identity{}, err
		}
		return check.Identity, nil
	case SwitchAnswer:
		assessment, err := ParseSwitchAssessment(canonical)
		if err != nil {
			return Identity{}, err
		}
		return assessment.Identity, nil
	case SlateAnswer:
	}
	slate, err := ParseSlate(canonical)
	if err != nil {
		return Identity{}, err
	}
	return slate.Identity, nil
}
