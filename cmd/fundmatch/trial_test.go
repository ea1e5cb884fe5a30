package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

const (
	poolFile = "product_code,name,product_type,risk_grade,status\n900001,一号,混合型,R3,OPEN\n"
	navHead  = "product_code,nav_date,unit_nav,accum_nav\n"
)

// folderOf writes a dataset folder and returns its name.
func folderOf(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// navRows writes a NAV a day from a day on.
func navRows(from fund.Date, accum ...string) string {
	out := navHead
	for i, a := range accum {
		out += fmt.Sprintf("900001,%s,1,%s\n", from.AddDays(i), a)
	}
	return out
}

// A pool that cannot become a core is refused whole, with product and reason, and what
// was in force stays; also when the fault lies in days to come, or only together with
// what the store has.
func TestImportRefusesAPoolThatDoesNotCompile(t *testing.T) {
	t.Parallel()
	wild := []string{"1.0", "999999", "0.0001", "1.0"}
	good := map[string]string{"products.csv": poolFile, "nav.csv": navRows(2026_05_04, "1.0", "1.1", "1.2")}
	cases := []struct {
		name  string
		files map[string]string
		day   string // of the NAV that is refused
	}{
		{"wild NAVs", map[string]string{"products.csv": poolFile, "nav.csv": navRows(2026_05_04, wild...)}, "2026-05-06"},
		{"wild NAVs of the future", map[string]string{"products.csv": poolFile, "nav.csv": navRows(2026_07_06, wild...)}, "2026-07-08"},
		{"a NAV that is wild after the stored ones", map[string]string{"nav.csv": navRows(2026_05_07, "0.0001")}, "2026-05-07"},
	}
	for _, c := range cases {
		store := "sqlite:" + filepath.Join(t.TempDir(), "bank.db")
		if c.files["products.csv"] != "" {
			out := inProcess(t.Context(), "", "import", folderOf(t, c.files), "--store", store)
			if out.code != exitUsage || !strings.Contains(out.stderr, "product 900001: ") || !strings.Contains(out.stderr, "accum_nav of "+c.day) {
				t.Errorf("%s into a new store: %+v", c.name, out)
			}
			if out := inProcess(t.Context(), "", "recommend", "X", "--store", store); out.code != exitUnavailable || !strings.Contains(out.stderr, "no pool is published") {
				t.Errorf("%s left a pool: %+v", c.name, out)
			}
		}
		mustRun(t, "import", folderOf(t, good), "--store", store)
		out := inProcess(t.Context(), "", "import", folderOf(t, c.files), "--store", store)
		if out.code != exitUsage || strings.Count(out.stderr, "\n") != 1 || !strings.Contains(out.stderr, "product 900001: ") {
			t.Errorf("%s into a bank: %+v", c.name, out)
		}
		if again := mustRun(t, "import", folderOf(t, good), "--store", store); !strings.Contains(again, ", 0 changed\n") {
			t.Errorf("%s changed the store: %s", c.name, again)
		}
	}
}

// A pool that an older program, or a hand, put in force and that does not compile: the
// question is answered with 3, the log names product and reason and claims no last good
// core. Importing customers is still possible.
func TestAPoolInForceThatDoesNotCompile(t *testing.T) {
	t.Parallel()
	spec, err := parseStore("sqlite:" + filepath.Join(t.TempDir(), "bank.db"))
	if err != nil {
		t.Fatal(err)
	}
	store, err := spec.open(t.Context(), create)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Import(t.Context(), 1, func(b features.Batch) error {
		return errors.Join(
			b.Products([]fund.Product{{Code: "900001", Name: "一号", Grades: fund.Grades{Bank: fund.R3}}}),
			b.NAVs("900001", []fund.NAV{{Date: 2026_05_04, Unit: 1, Accum: 1}, {Date: 2026_05_05, Unit: 1, Accum: 0.0001}, {Date: 2026_05_06, Unit: 1, Accum: 999_999}, {Date: 2026_05_07, Unit: 1, Accum: 0.0001}}))
	}); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, verb := range [][]string{{"recommend", "C1"}, {"explain", "C1", "900001"}} {
		out := inProcess(t.Context(), "", append(verb, "--store", spec.text)...)
		if out.code != exitUnavailable || !strings.Contains(out.stderr, "product 900001: ") {
			t.Errorf("%s: %+v", verb[0], out)
		}
	}
	people := folderOf(t, map[string]string{"customers.csv": "customer_id,investor_type,risk_level\nC1,ORDINARY,C3\n"})
	mustRun(t, "import", people, "--store", spec.text)

	s, log := serviceOver(t, spec)
	if err := s.engine.Reload(t.Context()); err == nil {
		t.Fatal("the pool compiles")
	}
	line := log.String()
	if !strings.Contains(line, "product 900001: ") || !strings.Contains(line, "there is no core") || strings.Contains(line, "last good") {
		t.Errorf("the log says %s", line)
	}
}

// serviceOver wires a service over a store as serve does, without listening.
func serviceOver(t *testing.T, spec storeSpec) (*service, *bytes.Buffer) {
	t.Helper()
	w, _, stderr := testWorld("")
	config, err := (&serveOptions{store: spec.text}).settings()
	if err != nil {
		t.Fatal(err)
	}
	s := &service{program: &program{world: w}, config: config}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.open(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if err := s.wire(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s, stderr
}

// Only an import that changes pool or market data is tried: customers come in also while
// what is in force does not compile for another reason.
func TestOnlyTheMarketIsTried(t *testing.T) {
	t.Parallel()
	store := bankInProcess(t)
	p := &program{world: world{version: "test"}}
	spec, err := parseStore(store)
	if err != nil {
		t.Fatal(err)
	}
	s, err := spec.open(t.Context(), mustExist)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	bad := features.Activation{Kind: features.RulesArtifact, ArtifactID: put(t, s, features.RulesArtifact, "no rules"), At: 1, By: "tester"}
	if err := s.Activate(t.Context(), bad); err != nil {
		t.Fatal(err)
	}
	try := func(fill func(features.Batch) error) error {
		_, err := s.Import(t.Context(), 2, func(b features.Batch) error {
			filled := fill(b)
			_, refused := p.tryPool(t.Context(), s, b, fund.Date(2026_06_30).Start())
			return errors.Join(filled, refused)
		})
		return err
	}
	if err := try(func(b features.Batch) error {
		return b.Cells([]features.Cell{{CustomerID: "C9", View: features.PersonView, Name: "segment", Value: "x"}})
	}); err != nil {
		t.Errorf("customers beside rules that do not parse: %v", err)
	}
	if err := try(func(b features.Batch) error { return b.Calendar([]features.CalendarDay{{Date: 2026_06_30}}) }); codeOf(err) != exitUsage {
		t.Errorf("a market beside rules that do not parse: %v", err)
	}
}

func put(t *testing.T, s bankStore, kind features.ArtifactKind, text string) string {
	t.Helper()
	id, err := s.Put(t.Context(), kind, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// Consents are kept for a later version; whoever imports them is told that they do
// nothing yet.
func TestImportTellsOfConsents(t *testing.T) {
	t.Parallel()
	files := map[string]string{"customers.csv": "customer_id,investor_type,risk_level\nC1,ORDINARY,C3\n"}
	store := "sqlite:" + filepath.Join(t.TempDir(), "bank.db")
	if out := mustRun(t, "import", folderOf(t, files), "--store", store); strings.Contains(out, "notice") {
		t.Errorf("an import without consents: %s", out)
	}
	files["consents.csv"] = "customer_id,purpose,granted,event_at\nC1,marketing,false,2026-06-01T10:00:00+08:00\n"
	if out := mustRun(t, "import", folderOf(t, files), "--store", store); strings.Count(out, "notice: consents to calls and pushes govern contacts") != 1 {
		t.Errorf("an import of consents: %s", out)
	}
}

// The future is not known, so there is no answer about it.
func TestTheFutureIsRefused(t *testing.T) {
	t.Parallel()
	store := bankInProcess(t)
	for _, c := range []struct {
		at   string
		code int
	}{{"2026-06-30T10:00:00+08:00", exitDone}, {"2026-06-30T10:00:00.000001+08:00", exitUsage}, {"2199-01-01T00:00:00Z", exitUsage}} {
		for _, verb := range [][]string{{"recommend", demoCustomer}, {"explain", demoCustomer, "W90001"}} {
			out := inProcess(t.Context(), "", append(verb, "--store", store, "--at", c.at)...)
			if out.code != c.code || c.code == exitUsage && !strings.Contains(out.stderr, "--at: ") {
				t.Errorf("%s --at %s: %d, want %d; %s", verb[0], c.at, out.code, c.code, out.stderr)
			}
		}
	}
}

// A verb that there is not is named, whatever follows it.
func TestUnknownVerbIsNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ line, want string }{
		{"match 900001 --store sqlite:x.db", `unknown command "match" for "fundmatch"`},
		{"--quiet match --top 3", `unknown command "match" for "fundmatch"`},
		{"match --help", `unknown command "match" for "fundmatch"`},
		{"decisions prune --older 1y", `unknown command "prune" for "fundmatch decisions"`},
		{"recommend X --frob", "unknown flag: --frob"},
		{"--frob", "unknown flag: --frob"},
	} {
		if out := inProcess(t.Context(), "", strings.Fields(c.line)...); out.code != exitUsage || !strings.Contains(out.stderr, c.want) {
			t.Errorf("%s: %+v", c.line, out)
		}
	}
	for _, line := range []string{"", "--quiet", "--help", "help recommend", "decisions --help", "__complete rec", "completion bash"} {
		if out := inProcess(t.Context(), "", strings.Fields(line)...); out.code != exitDone {
			t.Errorf("%q: %+v", line, out)
		}
	}
}
