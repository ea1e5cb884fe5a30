package policylog

// The columns of a policy log (docs/evaluation/log.md). The first seven every log has; the others are read where they are
// asked for. `fundmatch evaluate join` writes all of them.
const (
	ColumnDecisionID = "decision_id"
	ColumnCustomerID = "customer_id"
	ColumnDecidedAt  = "decided_at"
	ColumnPosition   = "position" // from 1
	ColumnProduct    = "product_code"
	ColumnReward     = "reward"            // empty: censored, never 0
	ColumnPropensity = "propensity"        // marginal, of this product at this position, in (0, 1]
	ColumnTarget     = "target_propensity" // the same of the policy that is judged, in [0, 1]
)

// Columns of text: who was asked, and what about.
const (
	ColumnSegment   = "segment"
	ColumnChannel   = "channel"    // APP or BRANCH
	ColumnModel     = "model"      // hash of the model that made the list
	ColumnArm       = "arm"        // experiment:arm, one layer; "" without
	ColumnRiskLevel = "risk_level" // C1 to C5 as it was sealed, "" unknown; or LevelProfessional
	ColumnRiskGrade = "risk_grade" // R1 to R5 as it was sealed
	ColumnIssuer    = "issuer"
	ColumnAction    = "action"   // of the conversion: BUY, ..., "" none
	ColumnForeseen  = "foreseen" // codes of the objections foreseen for it, separated by blanks
	ColumnRaised    = "raised"   // codes of the objections that he raised about it within the window, separated by blanks
)

// LevelProfessional stands in risk_level for a professional investor in force, whom no level bounds (S14).
const LevelProfessional = "PROFESSIONAL"

// Columns that are 0 or 1, or empty where that is not known yet: what he did about this product within the window
// after the decision.
const (
	ColumnExposed    = "exposed"  // 接
	ColumnViewed     = "viewed"   // CLICK or DETAIL_VIEW
	ColumnAnswered   = "answered" // 化: he opened evidence about it (EVIDENCE_OPEN)
	ColumnStarted    = "started"  // 发
	ColumnConfirmed  = "confirmed"
	ColumnAbandoned  = "abandoned"
	ColumnRefused    = "refused"
	ColumnComplained = "complained"

	ColumnRedeemed7  = "redeemed_7d" // bought and redeemed within 7, 30, 90 days
	ColumnRedeemed30 = "redeemed_30d"
	ColumnRedeemed90 = "redeemed_90d"

	ColumnNewIssue    = "new_issue"    // it was in its subscription period
	ColumnNoBenefit   = "no_benefit"   // a switch whose net benefit is not above 0
	ColumnBreached90  = "breached_90d" // fell beyond what he can bear within 90, 180, 365 days of the entry
	ColumnBreached180 = "breached_180d"
	ColumnBreached365 = "breached_365d"
)

// Columns of numbers; empty where that is not known.
const (
	ColumnAmount    = "amount_fen" // that he bought for within the window
	ColumnReturn90  = "return_90d" // of the product from the entry on, after fees, as a fraction: .05 is 5 %
	ColumnReturn180 = "return_180d"
	ColumnReturn365 = "return_365d"
	ColumnHeldDays  = "held_days" // of what he bought and has sold again
	// ColumnProbability is the probability of conversion that the answer gave, for who may read it (managers).
	ColumnProbability = "conversion_probability"
	// ColumnUnsupported is how much of the judged policy stands at this position on products that could not be shown
	// there, in [0, 1]: the log says nothing of that part.
	ColumnUnsupported = "unsupported"
)
