package main

import (
	"crypto/rand"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/fundmatch/fundmatch/features/extract"
	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/decisionlog"
)

func writeText(t *testing.T, name, text string) string {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func textOf(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// An extract keeps the rows and columns of the labels, puts the features behind them, and is
// the same for any number of workers; the leaking mode is named.
func TestFeaturesExtract(t *testing.T) {
	t.Parallel()
	store, dir := bankInProcess(t), t.TempDir()
	labels := writeText(t, filepath.Join(dir, "labels.csv"), "n,customer_id,as_of\n2,NOBODY,2026-06-30\n1,"+demoCustomer+",2026-06-30T00:00:00Z\n1,"+demoCustomer+",2016-06-30\n")
	args := func(out string, more ...string) []string {
		return append([]string{"features", "extract", "--labels", labels, "--views", "person.segment,consent.PERSONALIZATION", "--out", filepath.Join(dir, out), "--store", store}, more...)
	}
	mustRun(t, args("a.csv", "--workers", "1", "--status")...)
	mustRun(t, args("b.csv", "--workers", "3", "--status")...)
	a, b := textOf(t, filepath.Join(dir, "a.csv")), textOf(t, filepath.Join(dir, "b.csv"))
	want := "n,customer_id,as_of,person.segment,person.segment:status,consent.PERSONALIZATION,consent.PERSONALIZATION:status\n" +
		"2,NOBODY,2026-06-30,,NOT_FOUND,,NOT_FOUND\n" +
		"1," + demoCustomer + ",2026-06-30T00:00:00Z,AFFLUENT,PRESENT,true,PRESENT\n" +
		"1," + demoCustomer + ",2016-06-30,AFFLUENT,PRESENT,,NOT_FOUND\n"
	if a != want || b != a {
		t.Errorf("got\n%s\nand\n%s\nwant\n%s", a, b, want)
	}
	meta := decode[map[string]string](t, textOf(t, filepath.Join(dir, "a.csv.meta.json")))
	if meta["fundmatch.known"] != "known_at, else as_of" || meta["fundmatch.store_position"] == "" || meta["fundmatch.views"] != "person=1 consent=1" {
		t.Errorf("metadata %v", meta)
	}
	if out := inProcess(t.Context(), "", args("a.csv")...); strings.Contains(out.stderr, "later than now") {
		t.Errorf("labels of the past: %s", out.stderr)
	}
	future := writeText(t, filepath.Join(dir, "future.csv"), "customer_id,as_of\n"+demoCustomer+",2126-06-30\n")
	if out := inProcess(t.Context(), "", args("d.csv", "--labels", future)...); out.code != exitDone || !strings.Contains(out.stderr, "notice: 1 row has an as_of later than now") {
		t.Errorf("a mistyped year: %+v", out)
	}
	mustRun(t, args("c.parquet", "--known", "now")...)
	data := textOf(t, filepath.Join(dir, "c.parquet"))
	file, err := parquet.OpenFile(strings.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if known, _ := file.Lookup("fundmatch.known"); file.NumRows() != 3 || !strings.Contains(known, "LEAKS") {
		t.Errorf("%d rows, known %q", file.NumRows(), known)
	}
}

// What is asked for wrongly is refused with code 2 before anything is written.
func TestFeaturesExtractRefuses(t *testing.T) {
	t.Parallel()
	store, dir := bankInProcess(t), t.TempDir()
	good := writeText(t, filepath.Join(dir, "good.csv"), "customer_id,as_of\n"+demoCustomer+",2026-06-30\n")
	bad := writeText(t, filepath.Join(dir, "bad.csv"), "customer_id,as_of\n"+demoCustomer+",2026-06-30\n"+demoCustomer+",soon\n")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--labels", bad, "--views", "person"}, `bad.csv:3:as_of: "soon", expected an RFC 3339 time`},
		{[]string{"--labels", good, "--views", "nothing"}, `"nothing", expected one of person`},
		{[]string{"--labels", good}, "--views: expected views"},
		{[]string{"--views", "person"}, "--labels: expected a file"},
		{[]string{"--labels", good, "--views", "person", "--role", "KING"}, `"KING", expected one of PROGRAM`},
		{[]string{"--labels", good, "--views", "person", "--purpose", "FUN"}, `--purpose: "FUN", expected one of`},
		{[]string{"--labels", good, "--views", "person", "--known", "when"}, "good.csv:1:when: column is missing"},
		{[]string{"--labels", good, "--views", "person", "--workers", "0"}, "--workers: 0"},
		{[]string{"--labels", good, "--views", "person", "--memory", "1"}, "--memory: 1, expected MiB from 8"},
		{[]string{"--labels", dir, "--views", "person"}, "directory"},
		{[]string{"--labels", good, "--views", "person", "--catalogue", bad}, "bad.csv"},
	} {
		out := inProcess(t.Context(), "", append([]string{"features", "extract", "--store", store, "--out", filepath.Join(dir, "out.csv")}, c.args...)...)
		if out.code != exitUsage || !strings.Contains(out.stderr, c.want) {
			t.Errorf("%v: exit code %d, %s, want %s", c.args, out.code, out.stderr, c.want)
		}
	}
	if out := inProcess(t.Context(), "", "features", "extract", "--store", store, "--labels", good, "--views", "person", "--out", filepath.Join(dir, "x.txt")); out.code != exitUsage {
		t.Errorf("a file of no known format: %+v", out)
	}
	// The labels of months of work are never overwritten, whatever the name that they are reached by.
	if out := inProcess(t.Context(), "", "features", "extract", "--store", store, "--labels", good, "--views", "person", "--out", dir+"/./good.csv"); out.code != exitUsage || !strings.Contains(out.stderr, "is what is read") {
		t.Errorf("--out is --labels: %+v", out)
	}
	if text := textOf(t, good); !strings.HasPrefix(text, "customer_id,as_of\n") {
		t.Errorf("the labels are %q", text)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("files were left behind: %v, %v", entries, err)
	}
}

// A row of a view, feature or type that the catalogue lacks is bad, whether a file says so or
// the catalogue in force.
func TestImportChecksFeaturesByTheCatalogue(t *testing.T) {
	t.Parallel()
	store, dir := bankInProcess(t), t.TempDir()
	views := writeText(t, filepath.Join(dir, "views.yaml"), "schema: fundmatch.views/v1\nviews:\n"+
		"  - {name: salary, owner: retail, version: \"1\", features: [{name: monthly, type: decimal}]}\n")
	for _, c := range []struct {
		row, catalogue string
		code           int
		says           string
	}{
		{"salary,monthly,12.50", views, exitDone, ""},
		{"salary,monthly,true", views, exitUsage, "features.csv:2:"},
		{"salary,yearly,12.50", views, exitUsage, "features.csv:2:"},
		{"wages,monthly,12.50", views, exitUsage, "features.csv:2:"},
		{"wages,monthly,12.50", "", exitUsage, "fundmatch views publish"},
		{"salary,monthly,12.50", dir, exitUsage, "is a directory"},
	} {
		folder := folderOf(t, map[string]string{"features.csv": "customer_id,view,feature,value,event_at\n" +
			demoCustomer + "," + c.row + ",2026-06-01T10:00:00+08:00\n"})
		args := []string{"import", folder, "--store", store}
		if c.catalogue != "" {
			args = append(args, "--catalogue", c.catalogue)
		}
		out := inProcess(t.Context(), "", args...)
		if out.code != c.code || !strings.Contains(out.stderr, c.says) {
			t.Errorf("%s: exit code %d, want %d; %q, want it to say %q", c.row, out.code, c.code, out.stderr, c.says)
		}
	}
}

// One customer as of then: as a table and as JSON, and not what became known later.
func TestFeaturesAsOf(t *testing.T) {
	t.Parallel()
	store := bankInProcess(t)
	args := []string{"features", "as-of", demoCustomer, "--store", store}
	text := mustRun(t, args...)
	if !strings.Contains(text, "consent.PERSONALIZATION") || !strings.Contains(text, "PRESENT") || !strings.Contains(text, `"AFFLUENT"`) {
		t.Errorf("the table: %s", text)
	}
	asked := append(slices.Clone(args), "--views", "consent.PERSONALIZATION,assessment.level,person.aum_fen", "--json")
	got := decode[asOfAnswer](t, mustRun(t, append(asked, "--at", "2026-06-30")...))
	if len(got.Cells) != 3 || got.Known != got.At || got.Role != "PROGRAM" {
		t.Fatalf("got %+v", got)
	}
	for i, want := range []string{`{"bool","PRESENT","true"}`, `{"string","PRESENT","\"C2\""}`, `{"int","PRESENT","60000000"}`} {
		if c := got.Cells[i]; fmt.Sprintf("{%q,%q,%q}", c.Type, c.Status, c.Value) != want {
			t.Errorf("%s: %+v, want %s", c.Feature, c, want)
		}
	}
	if c := got.Cells[1]; c.EventTime == "" || c.ValidTo == "" || c.AgeSeconds == nil || *c.AgeSeconds <= 0 {
		t.Errorf("the level without its times: %+v", c)
	}
	early := decode[asOfAnswer](t, mustRun(t, append(asked, "--at", "2026-06-30", "--known", "2010-01-01")...))
	if early.Cells[0].Status != "NOT_FOUND" || string(early.Cells[0].Value) != "null" {
		t.Errorf("known in 2010: %+v", early.Cells[0])
	}
	for _, wrong := range [][]string{
		{"features", "as-of", "NOBODY", "--store", store},
		{"features", "as-of", "no body", "--store", store},
		append(slices.Clone(args), "--at", "then"),
		append(slices.Clone(args), "--known", "x"),
		append(slices.Clone(args), "--at", "2027-01-01"),
		append(slices.Clone(args), "--views", "person,person"),
		append(slices.Clone(args), "--purpose", "FUN"),
	} {
		if out := inProcess(t.Context(), "", wrong...); out.code != exitUsage {
			t.Errorf("%v: %+v", wrong, out)
		}
	}
	if out := inProcess(t.Context(), "", "features", "as-of", demoCustomer, "--store", "sqlite:"+filepath.Join(t.TempDir(), "none.db")); out.code != exitUnavailable {
		t.Errorf("no store: %+v", out)
	}
}

// Receipts match until a fact is dated back behind a decision's back; then they say which
// transaction did it.
func TestFeaturesVerify(t *testing.T) {
	t.Parallel()
	store, dir := bankInProcess(t), t.TempDir()
	args := []string{"features", "verify", "--store", store}
	if out := inProcess(t.Context(), "", args...); out.code != exitUnavailable {
		t.Errorf("without a log: %+v", out)
	}
	mustRun(t, "recommend", demoCustomer, "--store", store)
	clean := decode[receiptSummary](t, mustRun(t, append(slices.Clone(args), "--json")...))
	if clean.Decisions != 1 || clean.Match < 20 || clean.Mismatch+clean.Missing+clean.Extra != 0 {
		t.Fatalf("at once: %+v", clean)
	}
	writeText(t, filepath.Join(dir, "tags.csv"), "customer_id,name,value,event_at\n"+demoCustomer+",late,x,2026-06-01T00:00:00+08:00\n")
	mustRun(t, "import", dir, "--store", store)
	out := inProcess(t.Context(), "", append(slices.Clone(args), "--json")...)
	late := decode[receiptSummary](t, out.stdout)
	if out.code != exitDone || late.Extra != 1 || late.Mismatch+late.Missing != 0 || late.Match != clean.Match {
		t.Fatalf("a fact that was dated back: exit code %d, %+v", out.code, late)
	}
	if f := late.Findings[0]; f.Feature != "tag.late" || f.Verdict != "EXTRA" || !strings.Contains(f.Why, "without a known time") || !strings.Contains(f.Store, `"x"`) {
		t.Errorf("finding %+v", f)
	}
	writeText(t, filepath.Join(dir, "tags.csv"), "customer_id,name,value,event_at,known_at\n"+demoCustomer+",late,y,2026-06-02T00:00:00+08:00,2026-07-02T00:00:00+08:00\n")
	writeText(t, filepath.Join(dir, "consents.csv"), "customer_id,purpose,granted,event_at\n"+demoCustomer+",PERSONALIZATION,false,2026-06-02T00:00:00+08:00\n")
	mustRun(t, "import", dir, "--store", store)
	out = inProcess(t.Context(), "", args...)
	if out.code != exitFailed || !strings.Contains(out.stdout, "MISMATCH consent.PERSONALIZATION") || !strings.Contains(out.stdout, "dated back without a known time") {
		t.Errorf("a consent that was dated back: %+v", out)
	}
	if strings.Count(out.stdout, "tag.late") != 1 { // what became known in July is no part of June
		t.Errorf("the tag: %s", out.stdout)
	}
}

// A store that does not know the customer lacks all that was sealed; an unknown decision is
// wrong usage.
func TestFeaturesVerifyAnotherStore(t *testing.T) {
	t.Parallel()
	store, dir := bankInProcess(t), t.TempDir()
	mustRun(t, "recommend", demoCustomer, "--store", store)
	writeText(t, filepath.Join(dir, "customers.csv"), "customer_id,investor_type,risk_level\nOTHER,ORDINARY,C1\n")
	other := "sqlite:" + filepath.Join(dir, "other.db")
	mustRun(t, "import", dir, "--store", other)
	log := strings.TrimPrefix(store, "sqlite:") + ".decisions"
	out := inProcess(t.Context(), "", "features", "verify", "--store", other, "--decisions", log, "--json")
	if got := decode[receiptSummary](t, out.stdout); out.code != exitFailed || got.Missing < 20 || got.Match != 0 || !strings.Contains(got.Findings[0].Why, "does not know the customer") {
		t.Errorf("exit code %d, %+v", out.code, got)
	}
	for _, id := range []string{"01890a5d-ac96-774b-bcce-b302099a8057", "x"} {
		if out := inProcess(t.Context(), "", "features", "verify", "--store", store, "--decision", id); out.code != exitUsage {
			t.Errorf("decision %s: %+v", id, out)
		}
	}
}

// Online is offline: what an extract says of the instants of decisions is what they sealed,
// every feature of every view with its status. A synthetic bank has all kinds of facts.
func TestExtractGivesWhatWasSealed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := "sqlite:" + filepath.Join(dir, "bank.db")
	mustRun(t, "demo", "--out", filepath.Join(dir, "bank"), "--customers", "120", "--products", "20", "--as-of", "2026-06-29")
	mustRun(t, "import", filepath.Join(dir, "bank"), "--store", store)
	checkSealed(t, store, 120, []string{"2026-06-29T10:00:00+08:00", "2026-03-31T00:00:00+08:00", "2025-01-02T15:04:05.000006Z", "2023-06-30T09:30:00+08:00"})
}

// The same for 1,000 decisions on a real bank.
func TestE2EExtractGivesWhatWasSealed(t *testing.T) {
	t.Parallel()
	data := realData(t, "fartrans")
	store := "sqlite:" + filepath.Join(t.TempDir(), "far.db")
	mustRun(t, "import", data, "--store", store)
	checkSealed(t, store, 500, []string{"2020-06-01T10:00:00+08:00", "2022-03-01T16:00:00+08:00"})
}

// checkSealed makes a decision for each of some customers at each instant, through the
// recommendations' own path, and compares.
func checkSealed(t *testing.T, store string, customers int, ats []string) {
	t.Helper()
	w, _, _ := testWorld("")
	w.random = rand.Reader
	p := &program{world: w}
	for _, at := range ats {
		decide(t, p, store, at, customers)
	}
	sealed := sealedProfiles(t, strings.TrimPrefix(store, "sqlite:")+".decisions")
	if len(sealed) != customers*len(ats) {
		t.Fatalf("%d decisions, expected %d", len(sealed), customers*len(ats))
	}
	catalogue := view.Default()
	profiles := make([]*fund.Profile, len(sealed))
	labels := "customer_id,as_of\n"
	for i := range sealed {
		profiles[i] = sealed[i].profile
		labels += sealed[i].profile.CustomerID + "," + sealed[i].at.String() + "\n"
	}
	refs := extract.RefsOf(catalogue, profiles...)
	names := make([]string, len(refs))
	for i, ref := range refs {
		names[i] = ref.String()
	}
	dir := t.TempDir()
	out := filepath.Join(dir, "out.csv")
	mustRun(t, "features", "extract", "--labels", writeText(t, filepath.Join(dir, "labels.csv"), labels), "--views", strings.Join(names, ","), "--status", "--out", out, "--store", store)
	rows, err := csv.NewReader(strings.NewReader(textOf(t, out))).ReadAll()
	if err != nil || len(rows) != len(sealed)+1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	plan, err := catalogue.Plan(refs)
	if err != nil {
		t.Fatal(err)
	}
	present := 0
	for i, s := range sealed {
		for j, cell := range plan.Read(s.profile, &view.Request{At: s.at}, nil) {
			want := ""
			if cell.Status == view.Present {
				want = cell.Value.String()
				present++
			}
			if value, status := rows[i+1][2+2*j], rows[i+1][3+2*j]; value != want || status != cell.Status.String() {
				t.Fatalf("%s at %s, %s: the extract has %q %s, sealed was %q %s", s.profile.CustomerID, s.at, names[j], value, status, want, cell.Status)
			}
		}
	}
	t.Logf("%d decisions, %d features, %d cells with a value: all equal", len(sealed), len(refs), present)
	if present < 5*len(sealed) {
		t.Errorf("only %d cells have a value", present)
	}
	sum := decode[receiptSummary](t, mustRun(t, "features", "verify", "--store", store, "--json"))
	if sum.Decisions != len(sealed) || sum.Match < present || sum.Mismatch+sum.Missing+sum.Extra != 0 {
		t.Errorf("receipts: %+v", sum)
	}
}

// decide makes decisions at one instant for customers spread over the bank.
func decide(t *testing.T, p *program, store, at string, customers int) {
	t.Helper()
	desk, err := p.openDesk(t.Context(), &askOptions{store: store, at: at})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := desk.close(); err != nil {
			t.Error(err)
		}
	}()
	ids, err := desk.store.CustomerIDs(t.Context(), "", 1<<20)
	if err != nil || len(ids) < customers {
		t.Fatalf("%d customers, %v", len(ids), err)
	}
	for i := range customers {
		id := ids[i*len(ids)/customers]
		request := fundmatchv1.RecommendRequest{CustomerId: id, Channel: "APP", Audience: "CUSTOMER"}
		if _, err := desk.service.Recommend(t.Context(), &request); err != nil {
			t.Fatalf("customer %s: %v", id, err)
		}
	}
}

// sealedProfile is what one decision was made with.
type sealedProfile struct {
	at      fund.Instant
	profile *fund.Profile
}

func sealedProfiles(t *testing.T, dir string) (out []sealedProfile) {
	t.Helper()
	reader, err := decisionlog.OpenReader(dir)
	if err != nil {
		t.Fatal(err)
	}
	for stored, err := range reader.All(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		profile, err := fund.ParseProfile(stored.Profile)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, sealedProfile{fund.Instant(stored.DecidedAt), profile})
	}
	return out
}
