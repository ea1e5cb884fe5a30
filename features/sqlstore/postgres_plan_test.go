package sqlstore

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/fundmatch/fundmatch/features/sqlstore/pgtest"
)

// fillForPlans gives tables the sizes at which a planner prefers an index, and statistics.
const fillForPlans = `
	INSERT INTO heads SELECT 'c' || i, i, i, '\x01' FROM generate_series(1, 20000) i;
	INSERT INTO cells SELECT 'c' || i % 20000, 'tag', 't' || i, i, i, 0, '\x01', 'v', 0, FALSE, '', '', i FROM generate_series(1, 60000) i;
	INSERT INTO interactions SELECT 'c' || i % 20000, 'P' || i % 300, 20200101, 'BUY', i, 1 FROM generate_series(1, 40000) i;
	INSERT INTO events SELECT 'c' || i % 20000, i, 'e' || i, 'CLICK', i, '', '', '', '{}', i FROM generate_series(1, 40000) i;
	INSERT INTO navs SELECT 'P' || i % 300, 20200101 + i / 300, i, 1, 1 FROM generate_series(1, 40000) i;
	INSERT INTO changes (seq, customer_id) SELECT i / 3, 'c' || i FROM generate_series(1, 40000) i;
	INSERT INTO transactions SELECT i, i, i % 100 = 0 FROM generate_series(1, 20000) i;
	INSERT INTO idempotency SELECT 's', 'k' || i, '\x01', i, TRUE, i FROM generate_series(1, 20000) i;
	INSERT INTO stale_heads SELECT 'c' || i FROM generate_series(1, 20000) i;
	INSERT INTO confirmations SELECT 'w' || i, 'c' || i, '', '', '', 1, 1, 1, '', '', '', '', '', '', 1, 1, 1, '', 0 FROM generate_series(1, 20000) i;
	INSERT INTO pool_revisions SELECT i, '\x01', i, i, 300 FROM generate_series(1, 100) i;
	INSERT INTO pool_products SELECT i / 300 + 1, 'P' || i % 300, '\x01' FROM generate_series(1, 20000) i;
	ANALYZE`

// planOf returns PostgreSQL's plan of a statement as the store's connections make it, for any
// arguments.
func planOf(t *testing.T, tx *sqlx.Tx, text string) string {
	t.Helper()
	if _, err := tx.ExecContext(t.Context(), "PREPARE planned AS "+text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	execute := "EXPLAIN (COSTS OFF) EXECUTE planned"
	if n := strings.Count(text, "$"); n > 0 {
		execute += "(NULL" + strings.Repeat(", NULL", n-1) + ")"
	}
	var lines []string
	if err := tx.SelectContext(t.Context(), &lines, execute); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if _, err := tx.ExecContext(t.Context(), "DEALLOCATE planned"); err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

// The counterpart of TestEveryQueryHasItsIndex. The plans are made for any arguments
// (force_generic_plan), which is how the store's connections run them.
func TestEveryQueryHasItsIndexInPostgres(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	s := openServer(t, dsn)
	exec(t, dsn, fillForPlans)
	tx, err := s.writer.BeginTxx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	const big = `(cells|heads|interactions|navs|changes|transactions|idempotency|events|stale_heads|pool_products|confirmations)\b`
	scans := regexp.MustCompile(`Seq Scan on ` + big)
	// A key's order without a condition on the key: a stream. All others walk to their rows.
	whole := regexp.MustCompile(`(?m)Index (Only )?Scan using \S+ on ` + big + `[^\n]*(\n +Filter[^\n]*)?(\n +->|\n*\z)`)
	streams := map[statement]bool{streamNAVs: true, streamPurchases: true}
	exists := map[statement]bool{anyCell: true, anyPurchase: true, anyNAV: true, anyEvent: true, anyStale: true}
	sorts := regexp.MustCompile(`(?m)^ *(-> +)?Sort$`)
	for i := range statementCount {
		text := s.dialect.text(i)
		if text == "" || !planned.MatchString(text) {
			continue
		}
		p := planOf(t, tx, text)
		if scans.MatchString(p) {
			t.Errorf("scans a big table:\n%s\n%s", text, p)
		}
		if whole.MatchString(p) && !streams[i] && !exists[i] {
			t.Errorf("walks a whole key:\n%s\n%s", text, p)
		}
		if streams[i] && sorts.MatchString(p) {
			t.Errorf("sorts a stream:\n%s\n%s", text, p)
		}
	}
	for _, bad := range []string{"SELECT head FROM heads WHERE revision = $1", "SELECT customer_id FROM heads ORDER BY effective_from LIMIT 1"} {
		if p := planOf(t, tx, bad); !scans.MatchString(p) {
			t.Errorf("the test does not see the scan of %s:\n%s", bad, p)
		}
	}
	if p := planOf(t, tx, "SELECT customer_id FROM events WHERE kind = $1 ORDER BY customer_id, event_at, event_id"); !whole.MatchString(p) {
		t.Errorf("the test does not see the walk of a whole key:\n%s", p)
	}
}

// planned are the statements that PREPARE takes and a plan says something of.
var planned = regexp.MustCompile(`^(SELECT|UPDATE|DELETE|INSERT)`)

// A table that an import fills in the same transaction has no statistics yet: the plans must
// be the same.
func TestPlansNeedNoStatistics(t *testing.T) {
	t.Parallel()
	s := openServer(t, pgtest.Database(t))
	tx, err := s.writer.BeginTxx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	for _, st := range []statement{touchedCells, touchedPurchases, touchedEvents, lockRevisions, storedCells, selectChanges} {
		p := planOf(t, tx, s.dialect.text(st))
		if strings.Contains(p, "Seq Scan") || strings.Contains(p, "Hash") || strings.Contains(p, "Merge") {
			t.Errorf("statement %d of an empty store:\n%s", st, fmt.Sprint(p))
		}
	}
}
