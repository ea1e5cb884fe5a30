package main

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The bank of this file: one customer whose level was lowered, one who never had one for what
// he holds, one with a plan; K2 is left alone.
func rematchBank(t *testing.T, gradeOfB string) map[string]string {
	t.Helper()
	return map[string]string{
		"products.csv": "product_code,name,product_type,risk_grade,status,due_diligence_id\n" +
			"A,甲,债券型-长债,R2,OPEN,D\nB,乙,股票型," + gradeOfB + ",OPEN,D\nC,丙,股票型,R4,OPEN,D\n",
		"customers.csv": "customer_id,investor_type,risk_level,risk_assessed_on,is_lowest_class,birth_date,capacity,branch_id,manager_id\n" +
			"K1,ORDINARY,C2,2026-05-01,false,1980-01-01,FULL,B1,M1\n" +
			"K2,ORDINARY,C4,2026-05-01,false,1980-01-01,FULL,B1,M1\n" +
			"K3,ORDINARY,C3,2026-05-01,false,1980-01-01,FULL,B2,M2\n",
		"assessments.csv":  "customer_id,assessed_at,risk_level\nK1,2025-08-01T10:00:00+08:00,C4\n",
		"holdings.csv":     "customer_id,product_code,shares,acquired_on\nK1,C,100,2025-09-01\nK1,A,100,2025-09-01\nK2,C,100,2025-09-01\nK3,B,100,2026-05-02\n",
		"interactions.csv": "customer_id,product_code,known_on,kind,amount_fen\nK3,C,2026-05-03,PLAN,50000\nK2,C,2026-05-03,PLAN,50000\nK3,B,2026-05-03,PLAN,50000\nK3,B,2026-05-04,PLAN_STOP,\n",
	}
}

// tasksOf reads the columns that a test compares.
func tasksOf(t *testing.T, text string) []string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(rows[0], ","); got != "customer_id,manager_id,branch_id,product_code,kind,grade,level,cause,since,task,text,tell" {
		t.Fatalf("columns %s", got)
	}
	var out []string
	for _, row := range rows[1:] {
		if row[10] == "" || row[11] == "" {
			t.Errorf("a task without words: %v", row)
		}
		out = append(out, strings.Join(row[:10], " "))
	}
	return out
}

// A level that was lowered, and one that never sufficed, become tasks; a grade that is raised
// afterwards is told from both, and import names the command.
func TestRematchVerb(t *testing.T) {
	t.Parallel()
	store := "sqlite:" + filepath.Join(t.TempDir(), "bank.db")
	first := mustRun(t, "import", folderOf(t, rematchBank(t, "R3")), "--store", store)
	if strings.Contains(first, "rematch") {
		t.Errorf("the first import speaks of grades that changed:\n%s", first)
	}
	want := []string{
		"K1 M1 B1 C HOLDING R4 C2 LEVEL_LOWERED 2026-05-01 TELL_CUSTOMER",
		"K3 M2 B2 C PLAN R4 C3 NEVER_SUITABLE 2026-05-03 CONFIRM_PLAN",
	}
	out := filepath.Join(t.TempDir(), "tasks.csv")
	for _, workers := range []string{"1", "3"} {
		mustRun(t, "rematch", "--store", store, "--out", out, "--workers", workers)
		text, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if got := tasksOf(t, string(text)); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s workers:\n%s", workers, strings.Join(got, "\n"))
		}
	}
	if got := tasksOf(t, mustRun(t, "rematch", "--store", store, "--customer", "K1")); len(got) != 1 || got[0] != want[0] {
		t.Errorf("of K1 alone: %q", got)
	}

	second := mustRun(t, "import", folderOf(t, rematchBank(t, "R4")), "--store", store)
	if !strings.Contains(second, "1 product changed grade: fundmatch rematch --store "+store+" --since-revision 1 ") {
		t.Errorf("the import that raises a grade says:\n%s", second)
	}
	got := tasksOf(t, mustRun(t, "rematch", "--store", store, "--since-revision", "1"))
	if len(got) != 3 || got[1] != "K3 M2 B2 B HOLDING R4 C3 GRADE_RAISED 2026-06-30 TELL_CUSTOMER" {
		t.Errorf("with the grades of before:\n%s", strings.Join(got, "\n"))
	}

	type document struct {
		PoolRevision, SinceRevision string
		Tasks                       []struct{ CustomerID, Cause, Tell string }
		Total                       struct{ Customers, Holdings, Plans, Unmatched string }
	}
	d := decode[document](t, mustRun(t, "rematch", "--store", store, "--json"))
	if d.PoolRevision != "2" || d.SinceRevision != "0" || len(d.Tasks) != 3 || d.Total.Customers != "3" || d.Total.Holdings != "2" || d.Total.Plans != "1" {
		t.Errorf("the document says %+v", d)
	}
	if none := decode[document](t, mustRun(t, "rematch", "--store", store, "--customer", "K2", "--json")); none.Tasks == nil || len(none.Tasks) != 0 {
		t.Errorf("of whom nothing is to be said: %+v", none)
	}
}

func TestRematchRefuses(t *testing.T) {
	t.Parallel()
	store := "sqlite:" + filepath.Join(t.TempDir(), "bank.db")
	mustRun(t, "import", folderOf(t, rematchBank(t, "R3")), "--store", store)
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--customer", "NOBODY"}, exitUsage, "NOBODY"},
		{[]string{"--customer", "a b"}, exitUsage, "--customer"},
		{[]string{"--since-revision", "9"}, exitUsage, "at most 1"},
		{[]string{"--workers", "0"}, exitUsage, "--workers"},
		{[]string{"--out", filepath.Join(t.TempDir(), "no", "tasks.csv")}, exitUsage, "no such folder"},
	} {
		out := inProcess(t.Context(), "", append([]string{"rematch", "--store", store}, c.args...)...)
		if out.code != c.code || !strings.Contains(out.stderr, c.says) || out.stdout != "" {
			t.Errorf("%v: %+v", c.args, out)
		}
	}
	if out := inProcess(t.Context(), "", "rematch", "--store", "sqlite:"+filepath.Join(t.TempDir(), "none.db")); out.code != exitUnavailable {
		t.Errorf("without a store: %+v", out)
	}
}
