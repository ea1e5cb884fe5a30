// Package policy judges a policy by the log of another: off-policy estimators over slates whose propensities are known,
// with the diagnostics that say whether they may be believed. It is pure and streaming: add a batch, merge two states,
// read the result; the same batches in the same order give the same bits.
package policy

// Batch is a run of whole decisions, column by column. Every column of rows has the same length; a batch is only read.
type Batch struct {
	Ends    []int32  // per decision: the row behind its last; ascending, the last is the number of rows
	Cluster []uint64 // per decision: a hash of the customer, for resampling by customer

	Position   []int32   // per row, from 1
	Product    []uint32  // per row: its code's place in Codes
	Reward     []float64 // per row; NaN: censored, its outcome is not known yet
	Propensity []float64 // per row: probability of the logging policy that this product stands there, in (0, 1]
	Target     []float64 // per row: the same of the policy that is judged, in [0, 1]; empty where Settings brings the target

	Codes []string // product codes of this batch, in the order of their first row
}

// Rows is the number of rows.
func (b *Batch) Rows() int { return len(b.Position) }

// Decisions is the number of decisions.
func (b *Batch) Decisions() int { return len(b.Ends) }
