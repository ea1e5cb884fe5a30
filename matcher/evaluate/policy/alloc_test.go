//go:build !race

package policy_test

import (
	"testing"

	"github.com/fundmatch/fundmatch/matcher/evaluate/policy"
)

// The race detector throws kept memory away at random: there this test means nothing.
func TestAddingAllocatesNothing(t *testing.T) {
	b := listBatch(4, 300, 5)
	s := allSettings()
	s.Target, s.Replicates = uniformTarget(b.Codes, 5), 3
	state := fold(t, &s, []*policy.Batch{b})
	if n := testing.AllocsPerRun(20, func() { must(t, state.Add(b)) }); n > 0 {
		t.Errorf("%v allocations a batch, expected none", n)
	}
}
