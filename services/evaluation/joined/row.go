package joined

import (
	"math"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/services/evaluation/policylog"
)

// Row is one product of a decision. Texts and Numbers stand in the order of TextColumns and NumberColumns; an empty
// text and NaN are values that are not known.
type Row struct {
	DecisionID, CustomerID string
	DecidedAt              fund.Instant
	Position               int32 // from 1
	ProductCode            string
	Reward                 float64 // NaN: censored
	Propensity             float64
	Target                 float64 // NaN without a policy
	Texts                  [textColumns]string
	Numbers                [numberColumns]float64
}

// The places of Row.Texts.
const (
	segment = iota
	channel
	model
	arm
	riskLevel
	riskGrade
	issuer
	action
	foreseen
	raised
	textColumns
)

// The places of Row.Numbers.
const (
	exposed = iota
	viewed
	answered
	started
	confirmed
	abandoned
	refused
	complained
	redeemed7
	redeemed30
	redeemed90
	newIssue
	noBenefit
	breached90
	breached180
	breached365
	amount
	return90
	return180
	return365
	heldDays
	probability
	unsupported
	numberColumns
)

// TextColumns are the names of the columns of text, in the order of Row.Texts.
func TextColumns() []string {
	return []string{
		policylog.ColumnSegment, policylog.ColumnChannel, policylog.ColumnModel, policylog.ColumnArm, policylog.ColumnRiskLevel,
		policylog.ColumnRiskGrade, policylog.ColumnIssuer, policylog.ColumnAction, policylog.ColumnForeseen, policylog.ColumnRaised,
	}
}

// NumberColumns are the names of the columns of numbers, in the order of Row.Numbers.
func NumberColumns() []string {
	return []string{
		policylog.ColumnExposed, policylog.ColumnViewed, policylog.ColumnAnswered, policylog.ColumnStarted,
		policylog.ColumnConfirmed, policylog.ColumnAbandoned, policylog.ColumnRefused, policylog.ColumnComplained,
		policylog.ColumnRedeemed7, policylog.ColumnRedeemed30, policylog.ColumnRedeemed90,
		policylog.ColumnNewIssue, policylog.ColumnNoBenefit,
		policylog.ColumnBreached90, policylog.ColumnBreached180, policylog.ColumnBreached365,
		policylog.ColumnAmount, policylog.ColumnReturn90, policylog.ColumnReturn180, policylog.ColumnReturn365,
		policylog.ColumnHeldDays, policylog.ColumnProbability, policylog.ColumnUnsupported,
	}
}

// emptyNumbers are those of a row of which nothing is known yet.
func emptyNumbers() (n [numberColumns]float64) {
	for i := range n {
		n[i] = math.NaN()
	}
	return n
}

// oneIf is 1 for true and 0 for false.
func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
