package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// realData returns a folder of real data beside the repository, or skips.
func realData(t *testing.T, name string) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join(root, "..", "shared", "data", name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the data set %s is not beside the repository: ../shared/data/%s", name, name)
	}
	return dir
}

// An ordinary customer of a real bank, while his assessment holds and after it expired.
func TestE2ERealCustomer(t *testing.T) {
	t.Parallel()
	w := newWorkbench(t)
	w.must("import", realData(t, "fartrans"), "--store", "sqlite:far.db")
	ask := func(at string) list {
		t.Helper()
		a := decode[list](t, w.must("recommend", "02DF6316A92C55491047", "--store", "sqlite:far.db", "--at", at, "--explain", "--json"))
		checkWhole(t, &a)
		return a
	}

	valid := ask("2020-06-01T10:00:00+08:00")
	if !valid.Personalized {
		t.Error("2020: the list is not personal")
	}
	affinity := false
	for _, it := range valid.Items {
		if it.Product.RiskGrade > "R4" {
			t.Errorf("2020: %s of grade %s for a customer assessed C4", it.Product.Code, it.Product.RiskGrade)
		}
		affinity = affinity || slices.ContainsFunc(it.Contributions, func(c contribution) bool { return c.Feature == "AFFINITY" && c.Contribution > 0 })
		if it.Expectation.Goal != "UNKNOWN" || it.Expectation.QuestionCode != "GOAL" {
			t.Errorf("2020: goal %s, question %s; an unknown goal is asked for", it.Expectation.Goal, it.Expectation.QuestionCode)
		}
	}
	if !affinity {
		t.Error("2020: no item owes anything to co-holding affinity")
	}

	expired := ask("2021-06-01T10:00:00+08:00")
	if expired.Personalized {
		t.Error("2021: the list is personal after the assessment expired")
	}
	if len(expired.Notices) == 0 || expired.Notices[0].Code != "RISK_ASSESSMENT_EXPIRED" || expired.Notices[0].Task != "RETEST_RISK" {
		t.Errorf("2021: notices %+v", expired.Notices)
	}
	for _, it := range expired.Items {
		if it.Product.RiskGrade != "R1" || it.Orderable {
			t.Errorf("2021: %s of grade %s, orderable %v; expected R1 for information", it.Product.Code, it.Product.RiskGrade, it.Orderable)
		}
	}
}

// The fall of 2015 of a real fund, equal to an independent computation.
func TestE2ERealFund(t *testing.T) {
	t.Parallel()
	w := newWorkbench(t)
	w.must("import", realData(t, "cn-funds"), "--store", "sqlite:funds.db")
	w.write("customer/customers.csv", "customer_id,investor_type,risk_level,risk_level_source,risk_assessed_on\nTEST-1,ORDINARY,C5,ASSESSED,2020-01-02\n")
	w.must("import", "customer", "--store", "sqlite:funds.db")
	type answer struct {
		Evidence []struct{ Field, Value, Window, AsOf string }
	}
	got := map[string]string{}
	for _, e := range decode[answer](t, w.must("explain", "TEST-1", "161725", "--store", "sqlite:funds.db", "--at", "2020-06-01T10:00:00+08:00", "--json")).Evidence {
		got[e.Field] = e.Value
	}
	for field, want := range map[string]string{"MAX_DRAWDOWN": "-0.360111", "PEAK_ON": "2015-06-15", "TROUGH_ON": "2015-08-25"} {
		if got[field] != want {
			t.Errorf("%s of 161725 is %q, want %s", field, got[field], want)
		}
	}
}
