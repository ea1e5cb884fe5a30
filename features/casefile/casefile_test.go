package casefile_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/casefile"
	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/features/sqlstore"
	"github.com/fundmatch/fundmatch/features/sqlstore/pgtest"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// oneStore runs every batch in the same store, as a named one is run in.
func oneStore(s casefile.Store) casefile.Open {
	return func(context.Context) (casefile.Store, func() error, error) {
		return s, func() error { return nil }, nil
	}
}

// passTwice runs all cases in one store, and some once more in what that left.
func passTwice(t *testing.T, cfg sqlstore.OpenConfig) {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for i, name := range append(files(), files()[0]) {
		run, err := casefile.Scratch(t.Context(), s)
		if err != nil || run != casefile.RunName(uint64(i)+1) {
			t.Fatalf("run %q, %v, want run %d", run, err, i+1)
		}
		pass(t, read(t, name), run, oneStore(s))
	}
	run, err := casefile.Scratch(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	pass(t, read(t, vectors), run, oneStore(s))
}

func TestCasesPassInSQLite(t *testing.T) {
	t.Parallel()
	passTwice(t, sqlstore.OpenConfig{Path: filepath.Join(t.TempDir(), "cases.db")})
}

func TestCasesPassInPostgres(t *testing.T) {
	t.Parallel()
	passTwice(t, sqlstore.OpenConfig{DSN: pgtest.Database(t)})
}

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func TestScratchRefusesABank(t *testing.T) {
	t.Parallel()
	for name, fill := range map[string]func(features.Batch) error{
		"a customer": func(b features.Batch) error {
			return b.Cells([]features.Cell{{CustomerID: "C1", View: features.AttributeView, Name: "a", Value: "1"}})
		},
		"a customer after those of cases": func(b features.Batch) error {
			return b.Cells([]features.Cell{
				{CustomerID: casefile.RunName(3) + "0.1.0", View: features.AttributeView, Name: "a", Value: "1"},
				{CustomerID: "d", View: features.AttributeView, Name: "a", Value: "1"},
			})
		},
		"a customer who looks like one of a case": func(b features.Batch) error {
			return b.Cells([]features.Cell{{CustomerID: "check-cases.x.1", View: features.AttributeView, Name: "a", Value: "1"}})
		},
		"a pool": func(b features.Batch) error {
			return b.Products([]fund.Product{{Code: "P1", Name: "x", Type: "混合型", Grades: fund.Grades{Bank: fund.R3}, Listing: fund.Listing{Status: fund.Open}}})
		},
	} {
		s := memory.New()
		if _, err := s.Import(t.Context(), 1, fill); err != nil {
			t.Fatal(err)
		}
		if run, err := casefile.Scratch(t.Context(), s); !errors.Is(err, features.ErrInvalid) {
			t.Errorf("%s: run %q, error %v, want %v", name, run, err, features.ErrInvalid)
		}
	}
}

func TestScratchCountsOn(t *testing.T) {
	t.Parallel()
	s := memory.New()
	for _, n := range []uint64{1, 2, 10, 9} {
		id := casefile.RunName(n) + "0.1.0"
		_, err := s.Import(t.Context(), 1, func(b features.Batch) error {
			return b.Cells([]features.Cell{{CustomerID: id, View: features.AttributeView, Name: "a", Value: "1"}})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if run, err := casefile.Scratch(t.Context(), s); err != nil || run != casefile.RunName(11) {
		t.Errorf("run %q, %v, want the eleventh", run, err)
	}
}

// TestEveryExpectationCounts alters each single value that the cases expect: none may pass.
func TestEveryExpectationCounts(t *testing.T) {
	t.Parallel()
	altered := 0
	for _, c := range slices.Concat(read(t, files()[0]).Cases, read(t, files()[1]).Cases) {
		var rows any
		if err := json.Unmarshal(c.Expected, &rows); err != nil {
			t.Fatal(err)
		}
		for n := 0; ; n++ {
			left := n
			other := alter(rows, &left)
			if left >= 0 {
				break
			}
			altered++
			changed := c
			changed.Expected, _ = json.Marshal(other)
			one := &casefile.File{Cases: []casefile.Case{changed}}
			err := casefile.Run(t.Context(), one, casefile.RunName(1), openMemory, func(r *casefile.Result) error {
				if r.Verdict == casefile.Pass {
					t.Errorf("%s passes with value %d of what it expects altered: %s", c.ID, n, changed.Expected)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if altered < 1_000 {
		t.Errorf("%d values were altered, want at least 1,000", altered)
	}
}

// alter returns a tree with its n-th leaf replaced; n falls below 0 when there was one.
func alter(v any, n *int) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = alter(v[i], n)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			out[k] = alter(v[k], n)
		}
		return out
	}
	*n--
	if *n == -1 {
		return map[string]any{"something": "else"}
	}
	return v
}

// file writes a file of one case.
func file(op, params, input, expected string) string {
	return fmt.Sprintf(`{"version":1,"cases":[{"id":"A","op":%q,"params":%s,"input":%s,"expected":%s}]}`, op, params, input, expected)
}

// verdict runs a file of one case.
func verdict(t *testing.T, text string) casefile.Result {
	t.Helper()
	f, err := casefile.Read([]byte(text))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	var out casefile.Result
	err = casefile.Run(t.Context(), f, casefile.RunName(1), openMemory, func(r *casefile.Result) error {
		out = *r
		return nil
	})
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return out
}

func TestWhatIsNotUnderstoodIsNoPass(t *testing.T) {
	t.Parallel()
	const views = `{"views":[{"name":"s","features":["v"],"ttl_seconds":null,"rows":[%s]}],"requests":[{"row_id":"1","entity":"1","as_of":"2026-01-02T00:00:00Z"}]}`
	const good = `{"entity":"1","event_ts":"2026-01-01T00:00:00Z","known_ts":null,"values":{"v":1}}`
	const answer = `[{"row_id":"1","values":{"s.v":1}}]`
	rows := func(r string) string { return fmt.Sprintf(views, r) }
	if r := verdict(t, file("pit_join", "{}", rows(good), answer)); r.Verdict != casefile.Pass {
		t.Fatalf("the case that the others are made from: %+v", r)
	}
	for name, c := range map[string]struct{ text, says string }{
		"an operation":              {file("pit_joins", "{}", rows(good), answer), "pit_joins"},
		"a parameter":               {file("pit_join", `{"as_if":true}`, rows(good), answer), "as_if"},
		"a parameter's type":        {file("pit_join", `{"known_cutoff":"yes"}`, rows(good), answer), "known_cutoff"},
		"a bound":                   {file("pit_join", `{"bound":"open"}`, rows(good), answer), "open"},
		"a key of a row":            {file("pit_join", "{}", rows(strings.Replace(good, `"known_ts"`, `"seen_ts"`, 1)), answer), "seen_ts"},
		"a key of a case":           {strings.Replace(file("pit_join", "{}", rows(good), answer), `"params"`, `"note":1,"params"`, 1), "note"},
		"a time that is none":       {file("pit_join", "{}", rows(strings.Replace(good, "2026-01-01T", "2026-13-01T", 1)), answer), "2026-13-01"},
		"a time that is a number":   {file("pit_join", "{}", rows(strings.Replace(good, `"2026-01-01T00:00:00Z"`, "5", 1)), answer), "5"},
		"a time of nanoseconds":     {file("pit_join", "{}", rows(strings.Replace(good, "00:00:00Z", "00:00:00.000000001Z", 1)), answer), "microseconds"},
		"a time before 1970":        {file("pit_join", "{}", rows(strings.Replace(good, "2026-01-01T", "1960-01-01T", 1)), answer), "1970"},
		"a row without its time":    {file("pit_join", "{}", rows(strings.Replace(good, `"event_ts":"2026-01-01T00:00:00Z",`, "", 1)), answer), "event time"},
		"a row without its entity":  {file("pit_join", "{}", rows(strings.Replace(good, `"entity":"1",`, "", 1)), answer), "entity"},
		"an entity that is null":    {file("pit_join", "{}", rows(strings.Replace(good, `"entity":"1"`, `"entity":null`, 1)), answer), "entity"},
		"an object and a number":    {file("pit_join", "{}", rows(good+","+strings.Replace(good, `{"v":1}`, `{"v":{"a":1}}`, 1)), answer), "s.v"},
		"an object and a text":      {file("pit_join", "{}", rows(strings.Replace(good, `{"v":1}`, `{"v":"{}"}`, 1)+","+strings.Replace(good, `{"v":1}`, `{"v":{}}`, 1)), answer), "s.v"},
		"two types":                 {file("pit_join", "{}", rows(good+","+strings.Replace(good, `{"v":1}`, `{"v":"x"}`, 1)), answer), "type"},
		"a feature nobody declared": {file("pit_join", "{}", rows(strings.Replace(good, `{"v":1}`, `{"w":1}`, 1)), answer), "s.w"},
		"a number without end":      {file("pit_join", "{}", rows(strings.Replace(good, `{"v":1}`, `{"v":1e999999999}`, 1)), answer), "s.v"},
		"a negative ttl":            {file("pit_join", "{}", strings.Replace(rows(good), `"ttl_seconds":null`, `"ttl_seconds":-1`, 1), answer), "-1"},
		"a long ttl":                {file("pit_join", "{}", strings.Replace(rows(good), `"ttl_seconds":null`, `"ttl_seconds":1e30`, 1), answer), "seconds"},
		"no expectation":            {`{"version":1,"cases":[{"id":"A","op":"pit_join","input":` + rows(good) + `}]}`, "expected"},
		"an expectation too many":   {file("pit_join", "{}", rows(good), `[{"row_id":"1","values":{"s.v":1},"score":3}]`), "score"},
		"no values expected":        {file("pit_join", "{}", rows(good), `[{"row_id":"1"}]`), "values"},
		"a window of nothing":       {file("window_avg", `{"window_seconds":0}`, `{"changes":[],"requests":[]}`, "[]"), "0 seconds"},
		"a sign of 2":               {file("window_avg", "{}", `{"changes":[{"entity":"1","event_ts":"2026-01-01T00:00:00Z","known_ts":null,"value":1,"sign":2}],"requests":[]}`, "[]"), "sign"},
		"a cap of 0":                {file("window_count_self", `{"window_seconds":1,"max_size":0}`, `{"entity":"1","events":[]}`, "[]"), "max_size"},
		"an average of texts":       {file("window_avg", "{}", `{"changes":[{"entity":"1","event_ts":"2026-01-01T00:00:00Z","known_ts":null,"value":"x","sign":1}],"requests":[{"row_id":"1","entity":"1","as_of":"2026-01-02T00:00:00Z"}]}`, `[{"row_id":"1","value":1}]`), "decimal"},
		"several and none is 1":     {file("online_upsert", "{}", `{"batches":[[{"entity":"2","event_ts":"2026-01-01T00:00:00Z","known_ts":null,"value":1},{"entity":"3","event_ts":"2026-01-01T00:00:00Z","known_ts":null,"value":1}]]}`, `[{"value":null}]`), "entities"},
		"an end before the start":   {file("validity_read", "{}", `{"rows":[{"entity":"1","value":1,"valid_from":"2026-01-02T00:00:00Z","valid_to":"2026-01-01T00:00:00Z","known_ts":null}],"requests":[]}`, "[]"), "valid to"},
		"a word that is neither":    {file("consent_read", "{}", `{"features":{},"values":{},"consents":[{"purpose":"m","ts":"2026-01-02T00:00:00Z"}],"requests":[]}`, "[]"), "granted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if r := verdict(t, c.text); r.Verdict != casefile.Unsupported || !strings.Contains(r.Reason, c.says) {
				t.Errorf("%s, %q, want UNSUPPORTED that names %s", r.Verdict, r.Reason, c.says)
			}
		})
	}
}

func TestDifferencesAreNamed(t *testing.T) {
	t.Parallel()
	input := `{"views":[{"name":"s","features":["v"],"rows":[]}],"requests":[{"row_id":"a","entity":"1","as_of":"2026-01-02T00:00:00Z"},{"row_id":"b","entity":"1","as_of":"2026-01-02T00:00:00Z"}]}`
	r := verdict(t, file("pit_join", "{}", input, `[{"row_id":"a","values":{"s.v":null}},{"row_id":"b","values":{"s.v":1}},{"row_id":"c","values":{"s.v":1}}]`))
	if r.Verdict != casefile.Fail || len(r.Differences) != 2 {
		t.Fatalf("%+v, want two rows that differ", r)
	}
	if d := r.Differences[0]; d.Row != "b" || string(d.Got) != `{"row_id":"b","values":{"s.v":null}}` || !strings.Contains(string(d.Expected), `"s.v":1`) {
		t.Errorf("%+v, want row b with what was expected and what was got", d)
	}
	if d := r.Differences[1]; string(d.Got) != "null" {
		t.Errorf("%+v, want a row that is not there", d)
	}
	if r := verdict(t, file("pit_join", "{}", input, "[]")); r.Verdict != casefile.Fail || len(r.Differences) != 2 {
		t.Errorf("%+v, want two rows too many", r)
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	const one = `{"id":"A","op":"replay"}`
	for name, c := range map[string]struct{ text, says string }{
		"nothing":              {"", "line 1, column 1"},
		"no JSON":              {"{\n \"version\": 1,\n nope}", "line 3"},
		"a half of it":         {`{"version":1,"cases":[`, "middle"},
		"two documents":        {`{"version":1,"cases":[` + one + `]} {}`, "after the document"},
		"no UTF-8":             {"{\"version\":1,\"name\":\"\xff\"}", "UTF-8"},
		"a key twice":          {`{"version":1,"cases":[],"cases":[` + one + `]}`, "twice"},
		"a key twice, inside":  {`{"version":1,"cases":[{"id":"A","op":"replay","input":{"a":1,"a":2}}]}`, "twice"},
		"a list":               {`[]`, "another type"},
		"no version":           {`{"cases":[` + one + `]}`, "version"},
		"another version":      {`{"version":2,"cases":[` + one + `]}`, "version"},
		"no cases":             {`{"version":1}`, "0 cases"},
		"a case that is none":  {`{"version":1,"cases":[5]}`, "cases[0]"},
		"a case that is null":  {`{"version":1,"cases":[null]}`, "cases[0]"},
		"a case without id":    {`{"version":1,"cases":[{"op":"replay"}]}`, "id"},
		"a case without op":    {`{"version":1,"cases":[{"id":"A"}]}`, "op"},
		"an id that is none":   {`{"version":1,"cases":[{"id":["A"],"op":"replay"}]}`, "id"},
		"an id twice":          {`{"version":1,"cases":[` + one + "," + one + `]}`, "cases[1]"},
		"deeper than anything": {`{"version":1,"cases":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, "deeper"},
		"too many cases":       {`{"version":1,"cases":[` + strings.Repeat("1,", casefile.MaxCases) + `1]}`, "cases"},
		"too large":            {strings.Repeat(" ", casefile.MaxBytes+1), "bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := casefile.Read([]byte(c.text))
			if !errors.Is(err, features.ErrInvalid) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want ErrInvalid that says %q", err, c.says)
			}
		})
	}
}

func TestStrangeConventionsAreNamed(t *testing.T) {
	t.Parallel()
	f, err := casefile.Read([]byte(`{"version":1,"conventions":{"ttl":"exclusive","time":"RFC 3339; compare as instants"},"cases":[{"id":"A","op":"replay"}]}`))
	if err != nil || len(f.Strange) != 1 || f.Strange[0] != "ttl" {
		t.Errorf("%v, %v, want ttl alone", f, err)
	}
	if f := read(t, vectors); len(f.Strange) != 0 {
		t.Errorf("conventions %v, want none that is strange", f.Strange)
	}
}

// brokenStore fails at every import.
type brokenStore struct{ casefile.Store }

func (brokenStore) Import(context.Context, fund.Instant, func(features.Batch) error) (features.ImportResult, error) {
	return features.ImportResult{}, features.ErrUnavailable
}

// lyingStore answers reads of profiles as nobody wrote them.
type lyingStore struct{ casefile.Store }

func (s lyingStore) Profile(ctx context.Context, id string, at fund.Instant) (*fund.Profile, error) {
	p, err := s.Store.Profile(ctx, id, at)
	if err != nil {
		return nil, err
	}
	other := *p
	other.Features = nil
	return &other, nil
}

func TestStoresThatDoNotWork(t *testing.T) {
	t.Parallel()
	f := read(t, "testdata/cases.json")
	nothing := func(*casefile.Result) error { return nil }
	err := casefile.Run(t.Context(), f, casefile.RunName(1), oneStore(brokenStore{memory.New()}), nothing)
	if !errors.Is(err, features.ErrUnavailable) || !strings.Contains(err.Error(), "case T01") {
		t.Errorf("%v, want ErrUnavailable at the first case", err)
	}
	failed := 0
	err = casefile.Run(t.Context(), f, casefile.RunName(1), oneStore(lyingStore{memory.New()}), func(r *casefile.Result) error {
		if r.Verdict == casefile.Fail && strings.Contains(r.Reason, "history") {
			failed++
		}
		return nil
	})
	if err != nil || failed < 20 {
		t.Errorf("%d cases failed, %v, want every online read of a store that lies", failed, err)
	}
	stop := errors.New("enough")
	if err := casefile.Run(t.Context(), f, casefile.RunName(1), openMemory, func(*casefile.Result) error { return stop }); err != stop { //nolint:errorlint // as it is
		t.Errorf("%v, want the error of yield as it is", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"version":1,"cases":[{"id":"A","op":"replay","input":{"rows":[]}}]}`))
	f.Add([]byte(file("pit_join", "{}", `{"views":[],"requests":[]}`, "[]")))
	f.Add([]byte(file("window_avg", `{"window_seconds":1}`, `{"changes":[{"entity":1,"event_ts":"2026-01-01T00:00:00Z","value":1,"sign":1}],"requests":[]}`, "[]")))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := casefile.Read(data)
		if err != nil {
			return
		}
		err = casefile.Run(t.Context(), file, casefile.RunName(1), openMemory, func(*casefile.Result) error { return nil })
		if err != nil {
			t.Errorf("%v", err)
		}
	})
}
