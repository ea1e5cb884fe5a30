package sqlstore

import (
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
)

// archiveSchema is the schema whose tables stand below: that of the newest migration, on
// both databases. Whoever adds a migration says here what it changes; a test compares.
const archiveSchema = 4

// columnKind is how a column's values are written in an archive.
type columnKind uint8

const (
	wholeColumn columnKind = iota // int64
	flagColumn                    // 0 or 1 on SQLite, boolean on PostgreSQL
	realColumn                    // float64
	textColumn                    // UTF-8 without NUL, which PostgreSQL does not keep
	blobColumn
)

// archiveColumn is one column. None of them may be NULL.
type archiveColumn struct {
	name string
	kind columnKind
}

// archiveTable is one table of an archive.
type archiveTable struct {
	name    string
	key     string // the order of the rows, the same on both databases
	columns []archiveColumn
}

// archiveTables returns the tables of an archive in the order of their references. Left
// out on purpose: the change log and its positions, which are a database's own, and the
// list of stale heads, which is empty in an open store.
func archiveTables() []archiveTable {
	return []archiveTable{
		table("transactions", "seq", "seq recorded_at market:flag"),
		table("pool_revisions", "revision", "revision hash:blob published_at seq products"),
		table("pool_products", "revision, product_code", "revision product_code:text product:blob"),
		table("artifacts", "kind, artifact_id", "kind:text artifact_id:text data:blob"),
		table("artifact_activations", "place", "place kind:text artifact_id:text activated_at activated_by:text note:text"),
		table("calendar_days", "day, seq", "day seq open:flag"),
		table("navs", "product_code, nav_date, seq", "product_code:text nav_date seq unit_nav:real accum_nav:real"),
		table("managers", "manager_id", "manager_id:text branch_id:text licence_id:text licence_until seq"),
		table("branches", "branch_id", "branch_id:text name:text region:text parent_id:text seq"),
		table("interactions", "customer_id, product_code, known_on, kind, seq",
			"customer_id:text product_code:text known_on kind:text seq amount"),
		table("cells", "customer_id, view, name, event_at, known_at, source_seq, digest",
			"customer_id:text view:text name:text event_at known_at source_seq digest:blob value:text valid_to tombstone:flag source:text purpose:text seq"),
		table("events", "customer_id, event_at, event_id",
			"customer_id:text event_at event_id:text kind:text known_at product_code:text decision_id:text channel:text attributes:text seq"),
		table("heads", "customer_id", "customer_id:text revision effective_from head:blob"),
		table("confirmations", "confirmation_id",
			"confirmation_id:text customer_id:text rule_id:text reason:text product_code:text grade level amount decision_id:text channel:text "+
				"trace:text recording_id:text manager_id:text reviewer_id:text asked_at confirmed_at expires_at used_by:text used_at"),
		table("idempotency", "scope, idempotency_key", "scope:text idempotency_key:text body_hash:blob revision changed:flag recorded_at customer_id:text quarantined"),
		table("erasures", "customer_id, seq", "customer_id:text erased_at erased_by:text commitment:blob cells events purchases seq"),
		table("quarantined", "place", "place customer_id:text digest:blob what:text event_at recorded_at content:text"),
	}
}

// unarchived are the tables that an archive leaves out.
func unarchived() []string { return []string{"changes", "stale_heads", "goose_db_version"} }

// archiveName names the database in an archive.
func (d *dialect) archiveName() string {
	if d.goose == goose.DialectPostgres {
		return "postgres"
	}
	return "sqlite"
}

// claiming are the statements with which a restore begins: it has the tables for itself,
// as long as it takes, and no import runs, which may have read them empty and locks none
// before its first row. SQLite has one writer anyway, and no timeout of statements.
func (d *dialect) claiming() []string {
	if d.goose != goose.DialectPostgres {
		return nil
	}
	names := []string{"changes"}
	for _, t := range archiveTables() {
		names = append(names, t.name)
	}
	return []string{
		"SET LOCAL statement_timeout = 0", "SET LOCAL idle_in_transaction_session_timeout = 0",
		"SELECT pg_advisory_xact_lock(" + strconv.FormatInt(importLock, 10) + ")",
		"LOCK TABLE " + strings.Join(names, ", ") + " IN EXCLUSIVE MODE",
	}
}

// renumbering are the statements with which a restore ends: the database's own sequences
// go on above what was restored. SQLite's numbers follow the rows by themselves.
func (d *dialect) renumbering() []string {
	if d.goose != goose.DialectPostgres {
		return nil
	}
	return []string{
		"SELECT setval('transaction_seq', COALESCE((SELECT MAX(seq) FROM transactions), 0) + 1, false)",
		"SELECT setval(pg_get_serial_sequence('quarantined', 'place'), COALESCE((SELECT MAX(place) FROM quarantined), 0) + 1, false)",
	}
}

// archiving are the statements with which a backup begins.
func (d *dialect) archiving() []string {
	if d.goose != goose.DialectPostgres {
		return nil
	}
	return []string{"SET LOCAL statement_timeout = 0", "SET LOCAL idle_in_transaction_session_timeout = 0"}
}

// table reads columns written as name or name:kind.
func table(name, key, columns string) archiveTable {
	kinds := map[string]columnKind{"": wholeColumn, "flag": flagColumn, "real": realColumn, "text": textColumn, "blob": blobColumn}
	t := archiveTable{name: name, key: key}
	for column := range strings.FieldsSeq(columns) {
		name, kind, _ := strings.Cut(column, ":")
		t.columns = append(t.columns, archiveColumn{name, kinds[kind]})
	}
	return t
}

// list returns the names of the columns for a statement.
func (t *archiveTable) list() string {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.name
	}
	return strings.Join(names, ", ")
}
