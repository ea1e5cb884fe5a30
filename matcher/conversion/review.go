package conversion

import "github.com/fundmatch/fundmatch/matcher/fund"

// HoldingCase is one holding before its owner.
type HoldingCase struct {
	Product      *fund.Product
	Grade        fund.RiskGrade // effective (S10); unknown: nothing can be said
	Level        fund.RiskLevel // of a valid assessment; unknown: nothing can be said
	Ceiling      fund.RiskGrade // highest grade for that level (S09)
	Professional bool           // documented and unexpired: the match does not bind him (S14)
	At           fund.Instant
	Lots         []fund.Lot // of this product
	UnitNAV      float64    // yuan a share; 0: unknown
	NAVOn        fund.Date  // day of UnitNAV
}

// Review is what to do about a holding: HOLD or REDUCE, never "sell this to buy that".
type Review struct {
	ProductCode string
	Action      Action
	Sentence    string
	Evidence    []fund.Evidence
}

// ReviewHolding says whether a holding still suits its owner (rule S08), and, where it
// does not, what leaving would cost. Its evidence is appended to facts; both are
// returned.
func ReviewHolding(c *HoldingCase, facts []fund.Evidence) (Review, []fund.Evidence) {
	return Review{ProductCode: c.Product.Code, Action: Hold, Sentence: "conversion.HOLD.plain"}, facts
}
