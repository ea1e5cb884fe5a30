package eligibility_test

import (
	"testing"

	"github.com/fundmatch/fundmatch/matcher/eligibility"
)

// What the pack in force says of facts that may be kept of customers (A09, S13).
func TestWhatMayBeKeptOfCustomers(t *testing.T) {
	pack, err := eligibility.ParsePack(eligibility.Default())
	if err != nil {
		t.Fatal(err)
	}
	e := pack.InForce(1)
	for name, want := range map[string]bool{
		"religion": true, "Religion": true, "customer_religion": true, "health-score": true, "x.political.y": true, "sexual_orientation": true,
		"of sexual orientation": true, "is_sexual_orientation_known": true,
		"region": false, "healthy": false, "wealth": false, "orientation": false, "sexual": false, "racehorse": false, "deposit_maturing": false, "": false,
	} {
		if got := e.ForbidsTag(name); got != want {
			t.Errorf("tag %q forbidden: %v, expected %v", name, got, want)
		}
	}
	if perDay, perYear := e.Tests(); perDay != 2 || perYear != 8 {
		t.Errorf("%d assessments a day and %d a year, expected 2 and 8", perDay, perYear)
	}
	none := eligibility.Edition{}
	if perDay, perYear := none.Tests(); perDay != 0 || perYear != 0 || none.ForbidsTag("religion") {
		t.Error("rules that are not in force speak")
	}
}
