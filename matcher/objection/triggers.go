package objection

// trigger is what raises a doubt. Triggers are for managers only.
type trigger uint8

// The triggers: what he said, what the product raises, what is known of him.
const (
	raisedHere trigger = iota
	raisedElsewhere
	openedEvidence

	gradeRaises
	lockup
	periodic
	newIssue
	shortTenure
	tookOver
	managesMany
	belowClosureLine
	nearClosureLine
	noPayouts
	specialKind

	lowLevel
	soldInFall
	readsRiskPage
	shortHorizon
	feePage
	shortHolding
	needsMoney
	age
	deposits
	lossOpen
	soldAtLoss
	silentInFall
	watches
	abandoned
	firstOfKind
	shortDwell
	maturingDeposit
	cashGoal
	openComplaint
	optedOut
	managerChanged
	heldFund
	heldIndex
	heldTheme
	heldManager
	incomeGoal
	asksIncome
	holdsLoss
	postpones
	elder
	decidesJointly
	comparePage
	comparesBanks
	triggers // the number of triggers
)

var triggerNames = [triggers]string{
	"RAISED", "RAISED_ELSEWHERE", "OPENED_EVIDENCE",
	"GRADE", "LOCKUP", "PERIODIC", "NEW_ISSUE", "SHORT_TENURE", "TOOK_OVER", "MANAGES_MANY", "BELOW_CLOSURE_LINE", "NEAR_CLOSURE_LINE",
	"NO_PAYOUTS", "SPECIAL_KIND",
	"LOW_LEVEL", "SOLD_IN_FALL", "READS_RISK", "SHORT_HORIZON", "FEE_PAGE", "SHORT_HOLDING", "NEED", "AGE", "DEPOSITS", "OPEN_LOSS",
	"SOLD_AT_LOSS", "SILENT_IN_FALL", "WATCHES", "ABANDONED", "FIRST_OF_KIND", "SHORT_DWELL", "DEPOSIT_MATURING", "CASH_GOAL",
	"OPEN_COMPLAINT", "OPTED_OUT", "MANAGER_CHANGED", "HELD_FUND", "HELD_INDEX", "HELD_THEME", "HELD_MANAGER", "INCOME_GOAL",
	"ASKS_FOR_INCOME", "HOLDS_LOSS", "POSTPONES", "ELDER", "JOINT_DECISION", "COMPARE_PAGE", "COMPARES_PLATFORMS",
}

// String returns the trigger's code.
func (t trigger) String() string { return triggerNames[t] }

// own reports whether the trigger is something of his, not of the product.
func (t trigger) own() bool { return t >= lowLevel }
