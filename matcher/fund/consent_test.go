package fund_test

import (
	"testing"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

func TestUsable(t *testing.T) {
	words := []fund.Consent{{Purpose: "A", Granted: true}, {Purpose: fund.ConsentCall}, {Purpose: fund.ConsentPush, Granted: true}, {Purpose: "Z"}}
	for purpose, want := range map[string]bool{
		"": true, "A": true, "Z": false, "OTHER": true, fund.ConsentPush: true, fund.ConsentCall: false, fund.ConsentProfiling: false,
	} {
		if got := fund.Usable(words, purpose); got != want {
			t.Errorf("%q: %v, expected %v", purpose, got, want)
		}
	}
}

func TestAnAssessmentHoldsForAYear(t *testing.T) {
	for _, c := range []struct {
		on, until fund.Date
		level     fund.RiskLevel
		ok        bool
	}{
		{20230510, 20240510, fund.C3, true}, {20240229, 20250301, fund.C3, true}, {20230301, 20240301, fund.C1, true}, {0, 0, fund.C3, false}, {20230510, 0, fund.LevelUnknown, false},
	} {
		a := fund.Assessment{Level: c.level, On: c.on}
		from, to, ok := a.Validity()
		if ok != c.ok || ok && (from != c.on.Start() || to != c.until.Start()) {
			t.Errorf("%s from %s: %s to %s, %v", c.level, c.on, from, to, ok)
		}
	}
}
