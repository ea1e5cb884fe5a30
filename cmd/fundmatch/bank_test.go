package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// bankInProcess imports a small demo bank and returns its --store.
func bankInProcess(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	store := "sqlite:" + filepath.Join(dir, "bank.db")
	mustRun(t, "demo", "--out", filepath.Join(dir, "bank"), "--customers", "30", "--products", "20")
	mustRun(t, "import", filepath.Join(dir, "bank"), "--store", store)
	return store
}

func mustRun(t *testing.T, args ...string) string {
	t.Helper()
	out := inProcess(t.Context(), "", args...)
	if out.code != exitDone {
		t.Fatalf("fundmatch %s: exit code %d\n%s%s", strings.Join(args, " "), out.code, out.stdout, out.stderr)
	}
	return out.stdout
}

// The same question at the same instant has the same answer but for its id; the decision
// is recorded, a refused question leaves nothing.
func TestRecommendInProcess(t *testing.T) {
	t.Parallel()
	store := bankInProcess(t)
	log := strings.TrimPrefix(store, "sqlite:") + ".decisions"
	if out := inProcess(t.Context(), "", "recommend", "NOBODY", "--store", store); out.code != exitUsage {
		t.Errorf("an unknown customer: %+v", out)
	}
	mustRun(t, "explain", demoCustomer, "W90001", "--store", store)
	if _, err := os.Stat(log); err == nil {
		t.Error("a refused question or an explanation left a decision log")
	}
	first := mustRun(t, "recommend", demoCustomer, "--store", store, "--explain", "--json")
	answer := decode[list](t, first)
	checkWhole(t, &answer)
	if !strings.Contains(first, `"cutoff":"2026-06-30T07:00:00Z"`) || !strings.Contains(first, `"suggested":"`) || strings.Count(first, "\n") != 1 {
		t.Errorf("the JSON is not protojson on one line: %s", first)
	}
	if second := mustRun(t, "recommend", demoCustomer, "--store", store, "--explain", "--json"); second != first {
		t.Errorf("same question, clock and randomness, another answer:\n%s\n%s", first, second)
	}
	manager := mustRun(t, "recommend", demoCustomer, "--store", store, "--audience", "MANAGER", "--channel", "BRANCH", "--limit", "1", "--json")
	if !strings.Contains(manager, `"likelihoodBand":"`) || strings.Contains(manager, `"likelihoodBand":""`) {
		t.Errorf("a manager is not told how likely a doubt is: %s", manager)
	}
}

// What the log holds comes out the same in all three formats.
func TestExportFormats(t *testing.T) {
	t.Parallel()
	store := bankInProcess(t)
	for range 3 {
		mustRun(t, "recommend", demoCustomer, "--store", store, "--limit", "3")
	}
	dir := t.TempDir()
	read := func(format string) []byte {
		t.Helper()
		name := filepath.Join(dir, "out."+format)
		mustRun(t, "decisions", "export", "--store", store, "--format", format, "--out", name)
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}

	var lines []exportRow
	for d := json.NewDecoder(bytes.NewReader(read("ndjson"))); d.More(); {
		var r exportRow
		if err := d.Decode(&r); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, r)
	}
	packed := read("parquet")
	rows, err := parquet.Read[exportRow](bytes.NewReader(packed), int64(len(packed)))
	if err != nil || !slices.Equal(rows, lines) {
		t.Errorf("Parquet and NDJSON differ: %v\n%+v\n%+v", err, rows, lines)
	}
	checkCSV(t, read("csv"), lines)
	checkRows(t, lines)
	if since := mustRun(t, "decisions", "export", "--store", store, "--since", "2026-06-30T02:00:01Z"); strings.Count(since, "\n") != 1 {
		t.Errorf("an export from after the last record has rows: %s", since)
	}
}

func checkCSV(t *testing.T, data []byte, lines []exportRow) {
	t.Helper()
	table, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil || len(table) != len(lines)+1 {
		t.Fatalf("CSV: %d rows, %v; want %d and a header", len(table), err, len(lines))
	}
	column := func(name string) int { return slices.Index(table[0], name) }
	for i, r := range lines {
		row := table[i+1]
		score, err := strconv.ParseFloat(row[column("score")], 64)
		if err != nil || score != r.Score || row[column("decision_id")] != r.DecisionID || row[column("position")] != strconv.Itoa(int(r.Position)) || row[column("personalized")] != "true" {
			t.Errorf("CSV row %d differs: %v\n%+v", i, row, r)
		}
	}
}

// checkRows wants the rows of three decisions of three items each.
func checkRows(t *testing.T, lines []exportRow) {
	t.Helper()
	if len(lines) != 9 {
		t.Fatalf("%d rows, want 3 decisions with 3 items", len(lines))
	}
	for i, r := range lines {
		if r.Position != int32(i%3+1) || r.CustomerID != demoCustomer || r.Status != "PRESENT" || r.Kind == "" || r.ProductCode == "" ||
			r.Propensity != 1 || r.Action == "" || r.Objections == "" || !strings.Contains(r.Excluded, "S02:") || r.Model == "" ||
			r.DecidedAt != "2026-06-30T02:00:00Z" || r.Goal != "CASH" || r.Channel != "APP" || r.Limit != 3 {
			t.Errorf("row %d: %+v", i, r)
		}
	}
}

// The verdicts do not depend on the number of workers; a decision that another engine
// recorded and that comes out the same is a match too.
func TestReplayWorkers(t *testing.T) {
	t.Parallel()
	store := bankInProcess(t)
	for i := range 5 {
		mustRun(t, "recommend", demoCustomer, "--store", store, "--limit", strconv.Itoa(i+1))
	}
	one := mustRun(t, "replay", "--all", "--store", store, "--json", "--workers", "1")
	if many := mustRun(t, "replay", "--all", "--store", store, "--json", "--workers", "7"); many != one {
		t.Errorf("1 worker: %s7 workers: %s", one, many)
	}
	if sum := decode[replaySummary](t, one); sum.Decisions != 5 || sum.Match != 5 {
		t.Errorf("%+v", sum)
	}
	other := inProcess(t.Context(), "", "replay", "--all", "--store", bankInProcess(t), "--decisions", strings.TrimPrefix(store, "sqlite:")+".decisions")
	if other.code != exitDone { // the same bank in another store has the same revisions
		t.Errorf("replay against a store of the same content: %+v", other)
	}
	for _, workers := range []string{"0", "1025"} {
		if out := inProcess(t.Context(), "", "replay", "--all", "--store", store, "--workers", workers); out.code != exitUsage {
			t.Errorf("%s workers: %+v", workers, out)
		}
	}
}

// With --skip-bad the good rows are loaded and the bad ones written; without bad rows
// there is no rejects file.
func TestImportSkipBad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	if err := os.MkdirAll(data, 0o750); err != nil {
		t.Fatal(err)
	}
	put := func(rows string) {
		t.Helper()
		text := "product_code,name,product_type,risk_grade\n" + rows
		if err := os.WriteFile(filepath.Join(data, "products.csv"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rejects := filepath.Join(dir, "rejects.csv")
	args := []string{"import", data, "--store", "sqlite:" + filepath.Join(dir, "bank.db"), "--skip-bad", "--rejects", rejects}

	put("000001,一号,混合型,R3\n")
	if out := mustRun(t, args...); !strings.Contains(out, "1 rows") {
		t.Errorf("import printed %q", out)
	}
	if _, err := os.Stat(rejects); err == nil {
		t.Error("a rejects file without rejects")
	}
	put("000001,一号,混合型,R3\n000002,二号,混合型,R6\n")
	if out := mustRun(t, args...); !strings.Contains(out, "1 rejected") || !strings.Contains(out, rejects) {
		t.Errorf("import printed %q", out)
	}
	if text, err := os.ReadFile(rejects); err != nil || !strings.Contains(string(text), "products.csv,3,risk_grade,R6") {
		t.Errorf("rejects: %q, %v", text, err)
	}
}

// What may be kept of nobody is not imported (A09): the message names file, line and value,
// and nothing is changed.
func TestAForbiddenTagEndsTheImport(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"customers.csv": "customer_id,investor_type,risk_level\nC1,ORDINARY,\n",
		"tags.csv":      "customer_id,name,value,event_at\nC1,child,2,2026-01-01T00:00:00Z\nC1,family.religion,x,2026-01-01T00:00:00Z\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	store := "sqlite:" + filepath.Join(t.TempDir(), "bank.db")
	out := inProcess(t.Context(), "", "import", dir, "--store", store)
	if out.code != exitUsage || !strings.Contains(out.stderr, `tags.csv:3:name: "family.religion"`) {
		t.Errorf("exit code %d, %q", out.code, out.stderr)
	}
	if out := inProcess(t.Context(), "", "recommend", "C1", "--store", store); out.code == exitDone {
		t.Errorf("the customer was kept: %q", out.stdout)
	}
}

// A log that ends within a record is worked through up to there, and the torn end is told
// with exit code 1.
func TestATornEndIsTold(t *testing.T) {
	t.Parallel()
	store := bankInProcess(t)
	for range 2 {
		mustRun(t, "recommend", demoCustomer, "--store", store, "--limit", "3")
	}
	segment := filepath.Join(strings.TrimPrefix(store, "sqlite:")+".decisions", "writer-0001", "000000000001.seg")
	info, err := os.Stat(segment)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(segment, info.Size()-20); err != nil {
		t.Fatal(err)
	}
	exported := filepath.Join(t.TempDir(), "out.csv")
	for _, c := range []struct {
		args []string
		want string // of stdout
	}{
		{[]string{"replay", "--all", "--store", store}, "1 decisions: 1 MATCH"},
		{[]string{"replay", "--all", "--store", store, "--json"}, `{"decisions":1,"match":1,`},
		{[]string{"decisions", "export", "--store", store}, demoCustomer},
		{[]string{"decisions", "export", "--store", store, "--out", exported}, ""},
	} {
		out := inProcess(t.Context(), "", append(c.args, "--quiet")...)
		if out.code != exitFailed || !strings.Contains(out.stderr, "record 2,") || strings.Count(out.stderr, "\n") != 1 || !strings.Contains(out.stdout, c.want) {
			t.Errorf("%v: %+v", c.args, out)
		}
	}
	if data, err := os.ReadFile(exported); err != nil || strings.Count(string(data), "\n") != 4 {
		t.Errorf("exported %q, %v, want a header and the three items of the first decision", data, err)
	}
}
