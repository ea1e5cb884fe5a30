package wire_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/services/wire"
)

// Shares are read as they are written.
func TestSharesReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		want := fund.Shares(rapid.Int64Range(0, 1_000_000_000_000_000).Draw(rt, "shares"))
		if got, ok := wire.ParseShares(wire.Shares(want)); !ok || got != want {
			rt.Fatalf("%d: %s reads as %d, %v", want, wire.Shares(want), got, ok)
		}
	})
	for _, bad := range []string{"", ".5", "5.", "-1", "+1", "1e3", "1.00001", "100000000000.0001", "1234567890123", "１"} {
		if got, ok := wire.ParseShares(bad); ok {
			t.Errorf("%q reads as %d", bad, got)
		}
	}
}
