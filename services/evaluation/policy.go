package evaluation

import (
	"errors"
	"fmt"

	"github.com/fundmatch/fundmatch/matcher/evaluate/policy"
	"github.com/fundmatch/fundmatch/services/evaluation/policylog"
)

// Names of the parts that every run has.
const (
	PartPolicy   = "policy"
	PartSegments = "segments"
)

// policyMeasure is the policy that is judged, over all rows.
type policyMeasure struct{ *policy.State }

// Add implements Measure.
func (m policyMeasure) Add(b *policylog.Block) error {
	return rowOf(b, m.State.Add(&b.Batch))
}

// Merge implements Measure.
func (m policyMeasure) Merge(later Measure) error {
	other, is := later.(policyMeasure)
	if !is {
		return errOtherPart
	}
	return m.State.Merge(other.State)
}

// errOtherPart is for a caller that mixed parts up.
var errOtherPart = errors.New("a state of another part")

// policyPart is the part of PartPolicy.
func policyPart(s *policy.Settings) (Part, error) {
	empty, err := policy.New(s)
	if err != nil {
		return Part{}, err
	}
	return Part{Name: PartPolicy, New: func() Measure { return policyMeasure{empty.Fresh()} }}, nil
}

// rowOf tells an error about a batch as one about the decision.
func rowOf(b *policylog.Block, err error) error {
	wrong := (*policy.BatchError)(nil)
	if !errors.As(err, &wrong) || wrong.Row < 0 || wrong.Row >= b.Rows() {
		return err
	}
	decision := 0
	for int(b.Ends[decision]) <= wrong.Row {
		decision++
	}
	d := &b.Decisions[decision]
	return &RowError{d.Row, string(d.ID), b.Position[wrong.Row], wrong.What, wrong.Want}
}

// RowError is a row that reads well but that the policy cannot be judged by.
type RowError struct {
	Row      int64 // of the file, from 1: where its decision begins
	Decision string
	Position int32
	What     string
	Want     string
}

func (e *RowError) Error() string {
	return fmt.Sprintf("decision %s from row %d on, position %d: %s, expected %s", e.Decision, e.Row, e.Position, e.What, e.Want)
}
