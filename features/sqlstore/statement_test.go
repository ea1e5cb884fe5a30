package sqlstore

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// openInternal opens a store whose inside the test looks at.
func openInternal(tb testing.TB, path string) *Store {
	tb.Helper()
	s, err := Open(tb.Context(), OpenConfig{Path: path})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

// plan returns SQLite's plan of a statement, a step a line.
func plan(t *testing.T, s *Store, text string) string {
	t.Helper()
	args := make([]any, strings.Count(text, "?"))
	for i := range args {
		args[i] = 1
	}
	rows, err := s.writer.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+text, args...)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	defer rows.Close()
	var steps []string
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(steps, "\n")
}

// A scan of a table that grows with the bank is a query without its index. Two queries
// read a whole table on purpose; they read it in the order of its key and sort nothing.
func TestEveryQueryHasItsIndex(t *testing.T) {
	s := openInternal(t, filepath.Join(t.TempDir(), "bank.db"))
	big := regexp.MustCompile(`SCAN (cells|c|heads|interactions|i|navs|changes|t|transactions|idempotency|events|e|stale_heads|pool_products)\b`)
	streams := map[statement]bool{streamNAVs: true, streamPurchases: true}
	// Whether a table has any row at all: the scan ends with the first.
	exists := map[statement]bool{anyCell: true, anyPurchase: true, anyNAV: true, anyEvent: true, anyStale: true}
	for i := range statementCount {
		text := s.dialect.text(i)
		if text == "" {
			continue
		}
		p := plan(t, s, text)
		if strings.Contains(p, "TEMP B-TREE") {
			t.Errorf("sorts:\n%s\n%s", text, p)
		}
		if big.MatchString(p) != (streams[i] || exists[i]) {
			t.Errorf("scans a big table, or is no stream any more:\n%s\n%s", text, p)
		}
		if strings.Contains(text, "*") {
			t.Errorf("names no columns: %s", text)
		}
	}
	if p := plan(t, s, "SELECT head FROM heads WHERE revision = ?"); !big.MatchString(p) {
		t.Errorf("the test does not see the scan of %s", p)
	}
}

// Every statement and insert has a text: an entry that was forgotten would be "".
func TestEveryStatementHasAText(t *testing.T) {
	d := sqliteDialect()
	manyWriters := map[statement]bool{lockHeads: true, lockRevisions: true, lockMarket: true, restampCells: true, restampPurchases: true, restampEvents: true}
	for i := range statementCount {
		if d.text(i) == "" && !manyWriters[i] {
			t.Errorf("statement %d has no text", i)
		}
	}
	for i := range insertCount {
		in := d.inserts[i]
		if n := strings.Count(in.into, ",") + 1; n != in.columns {
			t.Errorf("%s: %d columns are named, %d are said", in.into, n, in.columns)
		}
		if got := strings.Count(d.rows(i, 3), "?"); got != 3*in.columns {
			t.Errorf("%s: %d placeholders for three rows of %d", in.into, got, in.columns)
		}
	}
}
