package evaluation

import (
	"errors"
	"fmt"
	"strconv"

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

// rowOf tells an error about a batch as one about the row or the decision of the file.
func rowOf(b *policylog.Block, err error) error {
	wrong := (*policy.BatchError)(nil)
	if !errors.As(err, &wrong) || wrong.Row < 0 || wrong.Row >= b.Rows() {
		return err
	}
	decision := 0
	for int(b.Ends[decision]) <= wrong.Row {
		decision++
	}
	at := ""
	if b.BadRows == 0 { // else nobody knows which rows were left out
		at = "row " + strconv.FormatInt(b.End.Row-int64(b.Rows()-wrong.Row)+1, 10) + ", "
	}
	return fmt.Errorf("%sdecision %s, position %d: %s, expected %s",
		at, b.Decisions[decision].ID, b.Position[wrong.Row], wrong.What, wrong.Want)
}
