package main

import (
	"database/sql"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every wrong input has its exit code and one clear sentence, and changes nothing.
func TestE2EWrongInput(t *testing.T) {
	t.Parallel()
	w := newWorkbench(t)
	w.demoBank()
	w.must("recommend", demoCustomer, "--store", "sqlite:bank.db", "--at", demoDay)
	w.must("recommend", demoCustomer, "--store", "sqlite:bank.db", "--at", demoDay)
	w.write("empty/readme.txt", "no data")
	w.write("grade/products.csv", "product_code,name,product_type,risk_grade\n000001,一号,混合型,R3\n000002,二号,混合型,R6\n")
	w.write("nav/nav.csv", "product_code,nav_date,unit_nav,accum_nav\n900001,2026-01-05,0,1\n")
	w.write("bad.yaml", "http:\n  port: 1\n")
	w.write("text.txt", "本产品保本保收益\n")
	w.newerStore("newer.db")
	cut, flipped := w.cutLog("cut", -20), w.cutLog("flipped", 1500)
	store := []string{"--store", "sqlite:bank.db"}

	cases := []struct {
		name    string
		args    []string
		code    int
		message string // pattern of what stderr says
	}{
		{"unknown verb", []string{"frobnicate"}, 2, `unknown command "frobnicate"`},
		{"unknown flag", []string{"recommend", "X", "--frob"}, 2, `unknown flag: --frob`},
		{"no model", []string{"models", "activate"}, 2, `models activate: 0 arguments given, expected ID`},
		{"no customer", []string{"recommend"}, 2, `recommend: 0 arguments given, expected CUSTOMER_ID`},
		{"no sub-verb", []string{"decisions"}, 2, `decisions: expected one of its verbs`},
		{"unknown customer", append([]string{"recommend", "NOBODY"}, store...), 2, `CUSTOMER "NOBODY": not found`},
		{"customer id with a slash", append([]string{"recommend", "a/b"}, store...), 2, `customerId: "a/b", expected`},
		{"unknown product", append([]string{"explain", demoCustomer, "999999"}, store...), 2, `PRODUCT "999999": not found`},
		{"unknown channel", append([]string{"recommend", demoCustomer, "--channel", "FAX"}, store...), 2, `channel: "FAX", expected APP or BRANCH`},
		{"unknown audience", append([]string{"recommend", demoCustomer, "--audience", "ALL"}, store...), 2, `audience: "ALL", expected CUSTOMER or MANAGER`},
		{"limit 0", append([]string{"recommend", demoCustomer, "--limit", "0"}, store...), 2, `limit: "0", expected 1 to 50`},
		{"limit 51", append([]string{"recommend", demoCustomer, "--limit", "51"}, store...), 2, `limit: "51", expected 1 to 50`},
		{"limit in words", append([]string{"recommend", demoCustomer, "--limit", "ten"}, store...), 2, `invalid argument "ten" for "--limit" flag`},
		{"malformed time", append([]string{"recommend", demoCustomer, "--at", "yesterday"}, store...), 2, `--at: "yesterday", expected an RFC 3339 time`},
		{"time without zone", append([]string{"recommend", demoCustomer, "--at", "2026-06-01T10:00:00"}, store...), 2, `--at: .* expected an RFC 3339 time`},
		{"malformed since", append([]string{"replay", "--all", "--since", "2026"}, store...), 2, `--since: "2026", expected`},
		{"id and --all", append([]string{"replay", "x", "--all"}, store...), 2, `expected either a decision id or --all`},
		{"malformed decision id", append([]string{"replay", "x"}, store...), 2, `decisionId: "x", expected a UUID`},
		{"unknown decision", append([]string{"replay", "01890a5d-ac96-774b-bcce-b302099a8057"}, store...), 2, `DECISION .*not found`},
		{"unknown format", append([]string{"decisions", "export", "--format", "xls"}, store...), 2, `--format: "xls", expected csv, ndjson or parquet`},
		{"export into no folder", append([]string{"decisions", "export", "--out", "no/such/f.csv"}, store...), 2, `no/such/f.csv: there is no such folder`},
		{"unknown store", []string{"recommend", "X", "--store", "mysql:x"}, 2, `--store: "mysql:x", expected sqlite:PATH`},
		{"a DSN that cannot be read", []string{"recommend", "X", "--store", "postgres://u:secret@h:port/d"}, 2, `--store: "postgres...", expected sqlite:PATH`},
		{"store in memory", []string{"recommend", "X", "--store", "memory:"}, 2, `memory: holds nothing`},
		{"no store", []string{"recommend", "X", "--store", "sqlite:none.db"}, 3, `none.db: .*no such file`},
		{"no store to explain", []string{"explain", "X", "Y", "--store", "sqlite:none.db"}, 3, `none.db: .*no such file`},
		{"no store to serve", []string{"serve", "--store", "sqlite:none.db"}, 3, `none.db: .*no such file`},
		{"no decision log", []string{"replay", "--all", "--store", "sqlite:none.db"}, 3, `none.db.decisions: there is no decision log`},
		{"newer store", []string{"recommend", "X", "--store", "sqlite:newer.db"}, 3, `newer version: schema 9999`},
		{"not a store", []string{"recommend", "X", "--store", "sqlite:text.txt"}, 3, `text.txt: .*damaged or no store`},
		{"no folder", []string{"import", "nowhere", "--store", "sqlite:bank.db"}, 2, `nowhere: no such file`},
		{"folder without data", []string{"import", "empty", "--store", "sqlite:bank.db"}, 2, `empty: no dataset file, expected`},
		{"grade R6", []string{"import", "grade", "--store", "sqlite:bank.db"}, 2, `products.csv:3:risk_grade: "R6", expected`},
		{"NAV of 0", []string{"import", "nav", "--store", "sqlite:bank.db"}, 2, `nav.csv:2:unit_nav: "0", expected`},
		{"demo without a folder", []string{"demo"}, 2, `--out: expected`},
		{"demo into a full folder", []string{"demo", "--out", "empty"}, 2, `not empty`},
		{"demo of nobody", []string{"demo", "--out", "d", "--customers", "0"}, 2, `--customers: 0, expected 1 to`},
		{"demo of 29 February", []string{"demo", "--out", "d", "--as-of", "2026-02-29"}, 2, `--as-of: "2026-02-29", expected a day`},
		{"unknown setting", []string{"check-config", "--config", "bad.yaml"}, 2, `bad.yaml:2:3: unknown setting "port"`},
		{"exposed address", []string{"serve", "--http", "0.0.0.0:8080"}, 2, `http.address: "0.0.0.0:8080", expected an address on loopback`},
		{"unlawful text", []string{"wording", "lint", "text.txt"}, 1, `text.txt: 1 finding`},
		{"no text", []string{"wording", "lint", "none.txt"}, 2, `none.txt: cannot be read`},
		{"segment cut in a record", []string{"decisions", "verify", "--decisions", cut}, 1, `record 2,.*000000000001.seg: block body cut`},
		{"segment with a flipped byte", []string{"decisions", "verify", "--decisions", flipped}, 1, `record 1,.*000000000001.seg`},
		{"replay of a broken log", append([]string{"replay", "--all", "--decisions", flipped}, store...), 1, `record 1,`},
	}
	before := w.must("recommend", demoCustomer, "--store", "sqlite:bank.db", "--at", demoDay, "--decisions", "other")
	for _, c := range cases {
		out := w.fundmatch(c.args...)
		if out.code != c.code || !regexp.MustCompile(c.message).MatchString(out.stderr) {
			t.Errorf("%s: exit code %d, want %d, and a message like %q; it said %q", c.name, out.code, c.code, c.message, out.stderr)
		}
		if strings.Count(out.stderr, "\n") != 1 || strings.Contains(out.stderr, "goroutine") || strings.Contains(out.stderr, "SQLITE") {
			t.Errorf("%s: the message is not one sentence: %q", c.name, out.stderr)
		}
	}
	if after := w.must("recommend", demoCustomer, "--store", "sqlite:bank.db", "--at", demoDay, "--decisions", "other"); body(after) != body(before) {
		t.Errorf("wrong input changed an answer:\n%s\n%s", before, after)
	}
	for _, name := range []string{"none.db", "none.db.decisions", "d"} {
		if _, err := os.Stat(filepath.Join(w.dir, name)); err == nil {
			t.Errorf("wrong input created %s", name)
		}
	}
}

// body is a talk card without its first two lines, which name instant and decision.
func body(card string) string {
	parts := strings.SplitN(card, "\n", 3)
	return parts[len(parts)-1]
}

// newerStore makes a store as a later version of the program would leave it.
func (w *workbench) newerStore(name string) {
	w.Helper()
	w.must("migrate", "--store", "sqlite:"+name)
	db, err := sql.Open("sqlite", filepath.Join(w.dir, name))
	if err != nil {
		w.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(w.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`); err != nil {
		w.Fatal(err)
	}
}

// cutLog copies the decision log and damages its segment: cut by so many bytes when at is
// negative, a byte changed at that place otherwise.
func (w *workbench) cutLog(name string, at int) string {
	w.Helper()
	if err := os.CopyFS(filepath.Join(w.dir, name), os.DirFS(filepath.Join(w.dir, "bank.db.decisions"))); err != nil {
		w.Fatal(err)
	}
	path := filepath.Join(w.dir, name, "writer-0001", "000000000001.seg")
	data, err := os.ReadFile(path)
	if err != nil {
		w.Fatal(err)
	}
	if at < 0 {
		data = data[:len(data)+at]
	} else {
		data[at] ^= 0xff
	}
	if err := os.WriteFile(path, data, 0o600); err != nil { //nolint:gosec // G703: a file of this test
		w.Fatal(err)
	}
	return name
}
