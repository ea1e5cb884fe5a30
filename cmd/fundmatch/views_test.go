package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

const salaryViews = `schema: fundmatch.views/v1
purposes:
  - {name: RESEARCH, kind: personalizing, doc: to find out what helps}
views:
  - name: salary
    owner: retail data
    version: "3"
    purposes: [SUITABILITY, RESEARCH]
    needs_consent: [RESEARCH]
    roles: [MANAGER]
    max_age: 30d
    features:
      - {name: monthly, type: decimal, doc: yuan a month}
      - {name: employer, type: string, roles: [MANAGER]}
  - name: tag
    features:
      - {name: children, type: int}
`

// bankViews writes a catalogue with its edits (old, new, ...).
func bankViews(t *testing.T, edits ...string) string {
	t.Helper()
	for i, old := range edits {
		if n := strings.Count(salaryViews, old); i%2 == 0 && n != 1 {
			t.Fatalf("the catalogue has %q %d times", old, n)
		}
	}
	return writeText(t, filepath.Join(t.TempDir(), "views.yaml"), strings.NewReplacer(edits...).Replace(salaryViews))
}

// runOn runs a verb at another instant than the tests' own.
func runOn(t *testing.T, at string, args ...string) {
	t.Helper()
	now, err := time.Parse(time.RFC3339, at)
	if err != nil {
		t.Fatal(err)
	}
	w, stdout, stderr := testWorld("")
	w.now = func() time.Time { return now }
	if code := run(t.Context(), w, args); code != exitDone {
		t.Fatalf("fundmatch %s: exit code %d\n%s%s", strings.Join(args, " "), code, stdout, stderr)
	}
}

func publishViews(t *testing.T, store, file string) {
	t.Helper()
	mustRun(t, "views", "publish", file, "--by", "zhang.li", "--note", "data council", "--store", store)
}

func viewsOf(t *testing.T, store string, more ...string) viewsAnswer {
	t.Helper()
	return decode[viewsAnswer](t, mustRun(t, append([]string{"views", "show", "--json", "--store", store}, more...)...))
}

func viewNamed(a viewsAnswer, name string) viewAnswer {
	if i := slices.IndexFunc(a.Views, func(v viewAnswer) bool { return v.Name == name }); i >= 0 {
		return a.Views[i]
	}
	return viewAnswer{}
}

// A bank declares its views by publishing them: who, when, why and what is told ever after,
// and what was in force at an instant of the past is still known.
func TestViewsArePublishedWithTheirHistory(t *testing.T) {
	t.Parallel()
	store := "sqlite:" + filepath.Join(t.TempDir(), "bank.db")
	mustRun(t, "migrate", "--store", store)
	if a := viewsOf(t, store); a.ID != "" || a.Published != nil || len(a.Views) != len(view.Default().Views()) || !viewNamed(a, "behaviour").Derived {
		t.Errorf("before the first: %+v", a)
	}
	first, second := bankViews(t), bankViews(t, "max_age: 30d", "max_age: 36h", `version: "3"`, `version: "4"`, "type: decimal", "type: int", "      - {name: employer, type: string, roles: [MANAGER]}\n", "")
	if out := mustRun(t, "views", "check", first); !strings.HasSuffix(out, "in order: 1 view and 3 named features of the bank's, 1 purpose\n") {
		t.Errorf("check: %s", out)
	}
	publish := []string{"views", "publish", first, "--by", "zhang.li", "--note", "data council", "--store", store}
	for _, line := range []string{
		"+ purpose RESEARCH: personalizing to find out what helps\n", "+ view salary version: 3\n", "+ view salary max_age: 30d\n",
		"+ view salary feature employer: string for MANAGER\n", "+ view tag feature children: int\n", "trial: nothing was published\n",
	} {
		if out := mustRun(t, append(publish, "--dry-run")...); !strings.Contains(out, line) {
			t.Errorf("dry run: %s does not say %q", out, line)
		}
	}
	if a := viewsOf(t, store); a.ID != "" {
		t.Errorf("after the dry run: %+v", a)
	}
	runOn(t, "2026-06-01T00:00:00+08:00", publish...)
	if out := mustRun(t, publish...); !strings.Contains(out, "in force already, nothing changed") {
		t.Errorf("published again: %s", out)
	}
	publishViews(t, store, second)
	a := viewsOf(t, store)
	if s := viewNamed(a, "salary"); a.Published.By != "zhang.li" || s.Version != "4" || s.MaxAge != "36h" || s.BuiltIn || !s.Personal || !viewNamed(a, "tag").BuiltIn ||
		!cmp.Equal(s.Features, []featureAnswer{{"monthly", "int", "yuan a month", []string{}}}) {
		t.Errorf("in force: %+v", a)
	}
	if s := viewNamed(viewsOf(t, store, "--at", "2026-06-15T00:00:00+08:00"), "salary"); s.Version != "3" || s.MaxAge != "30d" {
		t.Errorf("in the middle of June: %+v", s)
	}
	if a := viewsOf(t, store, "--at", "2026-05-31T23:59:59+08:00"); a.ID != "" {
		t.Errorf("before the first publication: %+v", a)
	}
	h := decode[viewsHistoryAnswer](t, mustRun(t, "views", "history", "--json", "--store", store)).History
	want := []viewChange{
		{"view salary version", "3", "4"},
		{"view salary max_age", "30d", "36h"},
		{"view salary feature monthly", "decimal: yuan a month", "int: yuan a month"},
		{"view salary feature employer", "string for MANAGER", ""},
	}
	if len(h) != 2 || !h[0].Readable || h[0].At != "2026-05-31T16:00:00Z" || h[1].Note != "data council" || !cmp.Equal(h[1].Changes, want) {
		t.Errorf("history: %+v", h)
	}
	out := mustRun(t, "views", "history", "--store", store)
	if !strings.Contains(out, "  view salary version: 3 -> 4\n") || !strings.Contains(out, "  - view salary feature employer: string for MANAGER\n") {
		t.Errorf("history: %s", out)
	}
	if out := mustRun(t, "views", "show", "--store", store); !strings.Contains(out, "view salary (version 4, personal): \n") || !strings.Contains(out, "monthly int  yuan a month") {
		t.Errorf("show: %s", out)
	}
}

// What may not be in force is refused with its place, its value and what was expected, and
// what is in force stays.
func TestABadCatalogueIsNotPublished(t *testing.T) {
	t.Parallel()
	store := "sqlite:" + filepath.Join(t.TempDir(), "bank.db")
	mustRun(t, "migrate", "--store", store)
	publishViews(t, store, bankViews(t))
	for name, c := range map[string]struct {
		file, by, note string
		say            []string
	}{
		"an unknown key":         {bankViews(t, "max_age: 30d", "max_ages: 30d"), "a", "b", []string{"max_ages"}},
		"an unknown type":        {bankViews(t, "type: decimal", "type: money"), "a", "b", []string{"line 13, views[0].features[0].type", `"money"`, "decimal"}},
		"a span out of bounds":   {bankViews(t, "max_age: 30d", "max_age: 30y"), "a", "b", []string{"line 11, views[0].max_age", `"30y"`}},
		"an undeclared purpose":  {bankViews(t, "[SUITABILITY, RESEARCH]", "[SUITABILITY, FUN]"), "a", "b", []string{"views[0].purposes[1]", `"FUN"`}},
		"a built-in view":        {bankViews(t, "name: salary", "name: person"), "a", "b", []string{"views[0]", `"person"`}},
		"the same version":       {bankViews(t, "type: decimal", "type: string"), "a", "b", []string{"view salary, feature monthly: type string", "expected decimal", `version "3"`}},
		"another type, open":     {bankViews(t, "      - {name: monthly, type: decimal, doc: yuan a month}\n", "", "    max_age: 30d\n", "    max_age: 30d\n    open: bool\n"), "a", "b", []string{"feature monthly: type bool"}},
		"nobody":                 {bankViews(t, "max_age: 30d", "max_age: 31d"), "", "b", []string{"--by"}},
		"no reason":              {bankViews(t, "max_age: 30d", "max_age: 31d"), "a", "", []string{"--note"}},
		"no file":                {"no-such-file.yaml", "a", "b", []string{"no-such-file.yaml"}},
		"a file without an end":  {writeText(t, filepath.Join(t.TempDir(), "long.yaml"), strings.Repeat("# nothing\n", view.MaxCatalogueBytes/10+1)), "a", "b", []string{"262144"}},
		"a file that is no YAML": {writeText(t, filepath.Join(t.TempDir(), "no.yaml"), "\x00\x01 {"), "a", "b", []string{"document"}},
	} {
		out := inProcess(t.Context(), "", "views", "publish", c.file, "--by", c.by, "--note", c.note, "--store", store)
		if out.code != exitUsage {
			t.Errorf("%s: %+v", name, out)
		}
		for _, s := range c.say {
			if !strings.Contains(out.stderr, s) {
				t.Errorf("%s: %q does not say %q", name, out.stderr, s)
			}
		}
	}
	if h := decode[viewsHistoryAnswer](t, mustRun(t, "views", "history", "--json", "--store", store)).History; len(h) != 1 {
		t.Errorf("history: %+v", h)
	}
	none := "sqlite:" + filepath.Join(t.TempDir(), "none.db")
	for _, args := range [][]string{{"show"}, {"history"}, {"publish", bankViews(t), "--by", "a", "--note", "b"}} {
		if out := inProcess(t.Context(), "", append(append([]string{"views"}, args...), "--store", none)...); out.code != exitUnavailable {
			t.Errorf("%v without a store: %+v", args, out)
		}
	}
	// A built-in view's values are texts: what a bank makes of a tag it may say anew.
	publishViews(t, store, bankViews(t, "{name: children, type: int}", "{name: children, type: string}"))
}

const salaryHeader = "customer_id,view,feature,value,event_at,purpose\n"

// salaries is a folder with features of the demo's customer.
func salaries(t *testing.T, rows ...string) string {
	t.Helper()
	dir, text := t.TempDir(), salaryHeader
	for _, row := range rows {
		text += demoCustomer + "," + row + "\n"
	}
	writeText(t, filepath.Join(dir, "features.csv"), text)
	return dir
}

const goodSalary = "salary,monthly,8500.50,2026-06-20T00:00:00+08:00,SUITABILITY"

// What features.csv brings has to be what the catalogue in force declares; the refusal names
// file, line, column, value and what was expected, and nothing of the import is kept.
func TestImportChecksFeaturesByTheViewsInForce(t *testing.T) {
	t.Parallel()
	store := bankInProcess(t)
	good := salaries(t, goodSalary)
	out := inProcess(t.Context(), "", "import", good, "--store", store)
	if out.code != exitUsage || !strings.Contains(out.stderr, "fundmatch views publish") || !strings.Contains(out.stderr, `"salary"`) {
		t.Errorf("before a catalogue was published: %+v", out)
	}
	publishViews(t, store, bankViews(t))
	for row, say := range map[string][]string{
		"salaries,monthly,1,2026-06-20T00:00:00+08:00,":     {"view", `"salaries"`, "a view of the catalogue"},
		"salary,yearly,1,2026-06-20T00:00:00+08:00,":        {"feature", `"yearly"`, "a feature of the view salary"},
		"salary,monthly,true,2026-06-20T00:00:00+08:00,":    {"value", "true", "decimal"},
		"salary,employer,7,2026-06-20T00:00:00+08:00,":      {"value", "7", "text"},
		"salary,monthly,1,2026-06-20T00:00:00+08:00,PUBLIC": {"purpose", `"PUBLIC"`, "a purpose of the view salary"},
	} {
		out := inProcess(t.Context(), "", "import", salaries(t, goodSalary, row), "--store", store)
		for _, s := range append(say, "features.csv:3:") {
			if out.code != exitUsage || !strings.Contains(out.stderr, s) {
				t.Errorf("%s: %+v does not say %q", row, out, s)
			}
		}
	}
	args := []string{"features", "as-of", demoCustomer, "--store", store, "--views", "salary.monthly", "--json"}
	if got := decode[asOfAnswer](t, mustRun(t, args...)).Cells[0]; got.Status != "NOT_FOUND" {
		t.Errorf("of a refused import is kept %+v", got)
	}
	rejects := filepath.Join(t.TempDir(), "rejects.csv")
	mustRun(t, "import", salaries(t, goodSalary, "salary,yearly,1,2026-06-20T00:00:00+08:00,"), "--skip-bad", "--rejects", rejects, "--store", store)
	if text := textOf(t, rejects); !strings.Contains(text, "yearly") || strings.Contains(text, "monthly") {
		t.Errorf("rejects: %s", text)
	}
	if got := decode[asOfAnswer](t, mustRun(t, args...)).Cells[0]; got.Status != "PRESENT" || string(got.Value) != "8500.5" || got.Type != "decimal" {
		t.Errorf("of the good row is kept %+v", got)
	}
}

// Every verb reads by the catalogue that was in force: of the past by that of then, unless a
// file is named.
func TestFeaturesAreReadByTheViewsInForce(t *testing.T) {
	t.Parallel()
	store := bankInProcess(t)
	publish := []string{"views", "publish", bankViews(t), "--by", "a", "--note", "b", "--store", store}
	runOn(t, "2026-06-22T00:00:00+08:00", publish...)
	mustRun(t, "import", salaries(t, goodSalary, `salary,employer,"""x""",2026-06-20T00:00:00+08:00,`), "--store", store)
	mustRun(t, "recommend", demoCustomer, "--store", store)
	narrow := bankViews(t, "max_age: 30d", "max_age: 1d", `version: "3"`, `version: "4"`)
	asOf := []string{"features", "as-of", demoCustomer, "--store", store, "--views", "salary.monthly", "--json"}
	status := func(more ...string) string {
		return decode[asOfAnswer](t, mustRun(t, append(slices.Clone(asOf), more...)...)).Cells[0].Status
	}
	if s := status(); s != "PRESENT" {
		t.Errorf("by the catalogue in force: %s", s)
	}
	if s := status("--catalogue", narrow); s != "OUTSIDE_MAX_AGE" {
		t.Errorf("by a file: %s", s)
	}
	if out := inProcess(t.Context(), "", append(slices.Clone(asOf), "--at", "2026-06-21")...); out.code != exitUsage || !strings.Contains(out.stderr, "salary") {
		t.Errorf("before the view was published: %+v", out)
	}
	dir := t.TempDir()
	labels, joined := writeText(t, filepath.Join(dir, "labels.csv"), "customer_id,as_of\n"+demoCustomer+",2026-06-29\n"), filepath.Join(dir, "out.csv")
	mustRun(t, "features", "extract", "--labels", labels, "--views", "salary", "--out", joined, "--store", store)
	if text := textOf(t, joined); !strings.Contains(text, "salary.monthly") || !strings.Contains(text, "8500.5") || !strings.Contains(textOf(t, joined+".meta.json"), "salary") {
		t.Errorf("extract: %s", text)
	}
	if out := mustRun(t, "features", "monitor", "--views", "salary", "--store", store); !strings.Contains(out, "salary.monthly") {
		t.Errorf("monitor: %s", out)
	}
	verify := func() receiptSummary {
		return decode[receiptSummary](t, mustRun(t, "features", "verify", "--store", store, "--json"))
	}
	before := verify()
	if before.Mismatch+before.Missing+before.Extra != 0 || before.Match < 20 {
		t.Errorf("receipts: %+v", before)
	}
	none := writeText(t, filepath.Join(dir, "none.yaml"), "schema: fundmatch.views/v1\n") // the view is given up
	runOn(t, "2026-07-02T00:00:00+08:00", "views", "publish", none, "--by", "a", "--note", "b", "--store", store)
	if s := status("--at", "2026-06-30"); s != "PRESENT" {
		t.Errorf("of June by the catalogue of June: %s", s)
	}
	if after := verify(); !cmp.Equal(before, after) {
		t.Errorf("receipts of June by the catalogue of July: %+v, expected %+v", after, before)
	}
}

// A catalogue that was published while the service runs counts from the next measurement
// on, and one that cannot be read leaves the last report.
func TestTheFeatureWatchTakesTheViewsInForce(t *testing.T) {
	t.Parallel()
	spec := bankInProcess(t)
	store, err := openHistories(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }() // read only
	world, _, _ := testWorld("")
	w := newFeatureWatch(store, world.now, monitorConfig{}, slog.New(slog.NewTextHandler(new(bytes.Buffer), nil)))
	measured := func() (names []string) {
		for _, f := range w.latest.Load().Features {
			if f.View == "salary" {
				names = append(names, f.Name)
			}
		}
		return names
	}
	if _, err := w.measure(t.Context(), nil); err != nil || measured() != nil {
		t.Fatalf("%v, measured %v of the view that was not published", err, measured())
	}
	publishViews(t, spec, bankViews(t))
	if _, err := w.measure(t.Context(), nil); err != nil || !slices.Equal(measured(), []string{"monthly", "employer"}) {
		t.Errorf("%v, measured %v", err, measured())
	}
	unreadable := []byte("schema: fundmatch.views/v9\n")
	a := features.Activation{Kind: features.ViewsArtifact, At: fund.InstantOf(world.now()), By: "newer"}
	if a.ArtifactID, err = store.Put(t.Context(), a.Kind, unreadable); err == nil {
		err = store.Activate(t.Context(), a)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.measure(t.Context(), nil); err == nil || !strings.Contains(err.Error(), a.ArtifactID) || len(measured()) != 2 {
		t.Errorf("%v, measured %v", err, measured())
	}
	// Nothing else is put in the place of what cannot be read, and it can be replaced.
	for _, args := range [][]string{{"views", "show"}, {"features", "as-of", demoCustomer}, {"import", salaries(t, goodSalary)}} {
		if out := inProcess(t.Context(), "", append(args, "--store", spec)...); out.code != exitUnavailable || !strings.Contains(out.stderr, a.ArtifactID) {
			t.Errorf("%v: %+v", args, out)
		}
	}
	publishViews(t, spec, bankViews(t))
	h := decode[viewsHistoryAnswer](t, mustRun(t, "views", "history", "--json", "--store", spec)).History
	if readable := fmt.Sprint(h[0].Readable, h[1].Readable, h[2].Readable); readable != "true false true" || len(h[2].Changes) != 0 {
		t.Errorf("%s: %+v", readable, h)
	}
}
