package expectation

import "github.com/fundmatch/fundmatch/matcher/fund"

// Question is the one question that would tell most.
type Question uint8

// The questions. The numbers stand in decision records.
const (
	NoQuestion Question = iota
	AskGoal
	AskHorizon
	AskLiquidity
	AskLossAttitude // what he would do after a loss
	AskCashCycle    // a company's horizon: when the money must be paid out
	questionCount
)

// Questions is the number of questions, NoQuestion included.
const Questions = int(questionCount)

var questionNames = [Questions]string{"", "GOAL", "HORIZON", "LIQUIDITY", "LOSS_ATTITUDE", "CASH_CYCLE"}

// String returns the question's code.
func (q Question) String() string { return questionNames[q] }

// Sentence returns the template of the question to a person, or "" when there is none.
func (q Question) Sentence() string { return questionSentences[q][forPerson] }

// What an answer is expected to rule out, in percent of a pool. The first three are
// computed from the shipped model: a goal is served by 4.8 of 12 classes on average; a
// horizon of 6, 12, 24 or 36 months rules out 75, 67, 42 or 0 % of the classes. The
// others are judgement: a goal that was concluded is often right, one from a
// questionnaire mostly.
const (
	narrowsGoal           = 60
	narrowsHorizon        = 45
	narrowsConcludedGoal  = 50
	narrowsAnsweredGoal   = 30
	narrowsAnsweredMonths = 25
	narrowsNeed           = 20
	narrowsAttitude       = 10
)

// goalGap is what asking for the goal rules out by where the goal comes from.
var goalGap = [Sources]int{
	FromGroup: narrowsGoal, FromTag: narrowsConcludedGoal, FromBehaviour: narrowsConcludedGoal,
	FromHoldings: narrowsConcludedGoal, FromQuestionnaire: narrowsAnsweredGoal, Stated: 0,
}

// question chooses the question with the most to rule out. What an order has to wait for
// (MustAsk) always comes before what it has not.
func (w *Wish) question(lost bool) Question {
	ask, most := NoQuestion, 0
	if n := goalGap[w.Source]; n > most {
		ask, most = AskGoal, n
	}
	if n := w.horizonGap(); n > most {
		ask, most = AskHorizon, n
		if w.Company {
			ask = AskCashCycle
		}
	}
	if w.Need == fund.NeedUnknown && narrowsNeed > most {
		ask, most = AskLiquidity, narrowsNeed
	}
	if lost && w.Attitude == AttitudeUnknown && narrowsAttitude > most {
		ask = AskLossAttitude
	}
	return ask
}

func (w *Wish) horizonGap() int {
	switch {
	case w.HorizonMonths <= 0:
		return narrowsHorizon
	case w.HorizonSource == Stated:
		return 0
	default:
		return narrowsAnsweredMonths
	}
}

// The two that are spoken to.
const (
	forPerson = iota
	forCompany
	voices
)

// voice tells whom to speak to: whoever names a company's goal speaks for one.
func (w *Wish) voice() int {
	if w.Company || w.Goal == fund.Treasury {
		return forCompany
	}
	return forPerson
}

var questionSentences = [Questions][voices]string{
	AskGoal:         {"expectation.question.goal", "expectation.question.goal.TREASURY"},
	AskHorizon:      {"expectation.question.horizon", "expectation.question.cash_cycle"},
	AskLiquidity:    {"expectation.question.liquidity", "expectation.question.liquidity.COMPANY"},
	AskLossAttitude: {"expectation.question.loss_attitude", "expectation.question.loss_attitude.COMPANY"},
	AskCashCycle:    {"expectation.question.cash_cycle", "expectation.question.cash_cycle"},
}

// confirmSentences put to him what a questionnaire already answers.
var confirmSentences = [Questions][voices]string{
	AskGoal:      {"expectation.question.goal.confirm", "expectation.question.goal.confirm.COMPANY"},
	AskHorizon:   {"expectation.question.horizon.confirm", "expectation.question.cash_cycle.confirm"},
	AskCashCycle: {"expectation.question.cash_cycle.confirm", "expectation.question.cash_cycle.confirm"},
}

// Answered reports whether a questionnaire has an answer to the question already.
func (w *Wish) Answered() bool {
	return w.Question == AskGoal && w.Source == FromQuestionnaire ||
		(w.Question == AskHorizon || w.Question == AskCashCycle) && w.HorizonSource == FromQuestionnaire
}

// QuestionSentence returns the template of the question in words for a person or a
// company, or "" when there is none. It has no slots.
func (w *Wish) QuestionSentence() string {
	if w.Answered() {
		return confirmSentences[w.Question][w.voice()]
	}
	return questionSentences[w.Question][w.voice()]
}
