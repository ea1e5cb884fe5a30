package sqlstore

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// recorded is when the tests import: after every fact of theirs.
const recorded fund.Instant = 4_000_000_000_000_000

// manyStale are more customers than one transaction of the refolding takes.
const manyStale = headsAtOnce + 10

// staleBank makes a store and returns its profiles by customer.
func staleBank(t *testing.T, path string) map[string]*fund.Profile {
	t.Helper()
	s := openInternal(t, path)
	_, err := s.Import(t.Context(), recorded, func(b features.Batch) error {
		for i := range manyStale {
			id := fmt.Sprintf("c%04d", i)
			cells := []features.Cell{tagOf(id, "1")}
			if i%2 == 0 {
				cells = append(cells, features.Cell{CustomerID: id, View: features.ConsentView, Name: fund.ConsentPush, Value: "true", EventAt: 7})
			}
			if err := b.Cells(cells); err != nil {
				return err
			}
			event := features.Event{ID: "e" + id, CustomerID: id, Kind: "CLICK", EventAt: 5, Attributes: `{"page":"FEE"}`}
			if i%3 == 0 {
				if err := b.Events([]features.Event{event}); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]*fund.Profile{}
	for i := range manyStale {
		id := fmt.Sprintf("c%04d", i)
		if want[id], err = s.Profile(t.Context(), id, 9); err != nil {
			t.Fatal(err)
		}
	}
	if len(want["c0000"].Trail.Recent) != 1 || len(want["c0000"].Consents) != 1 {
		t.Fatalf("c0000 is %+v, want an event and a consent", want["c0000"])
	}
	age(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return want
}

// age makes of a store what a program of schema 1 had left: its tables, and heads that
// know of no events and consents.
func age(t *testing.T, s *Store) {
	t.Helper()
	downTo(t, s, 1)
	for i := range manyStale {
		p, _, err := s.Head(t.Context(), fmt.Sprintf("c%04d", i))
		if err != nil {
			t.Fatal(err)
		}
		p.Trail, p.Consents = fund.Trail{}, nil
		_, err = s.writer.ExecContext(t.Context(), "UPDATE heads SET head = ?, effective_from = 1 WHERE customer_id = ?", fund.AppendProfile(nil, p), p.CustomerID)
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A trail of events that are there must not be missing after an upgrade.
func TestOpeningAnOlderStoreFoldsItsHeadsAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bank.db")
	want := staleBank(t, path)
	s := openInternal(t, path)
	if s.SchemaVersion() != 4 {
		t.Errorf("schema %d, want 4", s.SchemaVersion())
	}
	for id, w := range want {
		for _, at := range []fund.Instant{9, 6, 4} {
			got, err := s.Profile(t.Context(), id, at)
			if err != nil {
				t.Fatal(err)
			}
			if at == 9 {
				if d := cmp.Diff(w, got); d != "" {
					t.Fatalf("%s is not what it was (-want +got):\n%s", id, d)
				}
			}
			if at == 4 && (len(got.Trail.Recent) != 0 || len(got.Consents) != 0) {
				t.Fatalf("%s knew before it happened: %+v", id, got)
			}
		}
	}
	var left int
	if err := s.reader.QueryRowxContext(t.Context(), "SELECT COUNT(*) FROM stale_heads").Scan(&left); err != nil || left != 0 {
		t.Errorf("%d heads are left on the list, %v", left, err)
	}
}

// An opening that is interrupted between two runs leaves the rest to the next one.
func TestRefoldingGoesOnWhereItStopped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bank.db")
	want := staleBank(t, path)
	s := openInternal(t, path)
	last := fmt.Sprintf("c%04d", (manyStale-1)/6*6) // has an event and a consent
	p := *want[last]
	p.Trail = fund.Trail{}
	for _, q := range []struct {
		text string
		args []any
	}{
		{"INSERT INTO stale_heads (customer_id) VALUES (?)", []any{last}},
		{"UPDATE heads SET head = ? WHERE customer_id = ?", []any{fund.AppendProfile(nil, &p), last}},
	} {
		if _, err := s.writer.ExecContext(t.Context(), q.text, q.args...); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := openInternal(t, path).Profile(t.Context(), last, 9)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want[last], got); d != "" {
		t.Errorf("%s is not what it was (-want +got):\n%s", last, d)
	}
}

// A store of schema 2 has one row for each kind in force and heads without earlier
// assessments. The row becomes the first entry of the history, which nobody is known to
// have made, and the heads are folded again.
func TestAStoreOfSchemaTwoKeepsWhatIsInForce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bank.db")
	s := openInternal(t, path)
	id := "c0001"
	assessed := features.Cell{CustomerID: id, View: features.AssessmentView, Name: features.AssessedName, Value: `{"level":"C3","on":"2020-03-01"}`, EventAt: 7}
	importCells(t, s, tagOf(id, "1"), assessed)
	want, from, err := s.Head(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	first := features.Activation{Kind: features.RulesArtifact, At: 50}
	if first.ArtifactID, err = s.Put(t.Context(), features.RulesArtifact, []byte("rules")); err != nil {
		t.Fatal(err)
	}
	before := *want
	before.Assessments = nil
	downTo(t, s, 2)
	for _, q := range []struct {
		text string
		args []any
	}{
		{"INSERT INTO active_artifacts (kind, artifact_id, activated_at) VALUES (?, ?, ?)", []any{"RULES", first.ArtifactID, 50}},
		{"UPDATE heads SET head = ?, effective_from = ? WHERE customer_id = ?", []any{fund.AppendProfile(nil, &before), int64(from), id}},
	} {
		if _, err := s.writer.ExecContext(t.Context(), q.text, q.args...); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = openInternal(t, path)
	got, _, err := s.Head(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" || len(got.Assessments) != 1 {
		t.Errorf("head (-want +got):\n%s", d)
	}
	second := first
	second.At, second.By, second.Note = 60, "compliance.li", "as before"
	if err := s.Activate(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	history, err := s.Activations(t.Context(), features.RulesArtifact)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]features.Activation{first, second}, history); d != "" {
		t.Errorf("history (-want +got):\n%s", d)
	}
	downTo(t, s, 2) // and back: the last one is what is in force
	var at int64
	if err := s.writer.QueryRowxContext(t.Context(), "SELECT activated_at FROM active_artifacts").Scan(&at); err != nil || at != 60 {
		t.Errorf("in force since %d, %v, want 60", at, err)
	}
}

// In a store of schema 3 a value that was removed in the microsecond of its writing may still
// be in a head, and a key does not say whose write it belongs to.
func TestAStoreOfSchemaThreeForgetsWhatWasRemoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bank.db")
	s := openInternal(t, path)
	kept, removed := tagOf("c1", "1"), tagOf("c1", "gone")
	removed.Name = "b"
	importCells(t, s, kept, removed, tagOf("c2", "1"))
	before, from, err := s.Head(t.Context(), "c1")
	if err != nil || len(before.Tags) != 2 {
		t.Fatalf("%+v, %v, want two tags", before, err)
	}
	gone := removed
	gone.Value, gone.Tombstone = "", true
	importCells(t, s, gone)
	downTo(t, s, 3)
	for _, q := range []struct {
		text string
		args []any
	}{
		{"UPDATE heads SET head = ?, effective_from = ? WHERE customer_id = 'c1'", []any{fund.AppendProfile(nil, before), int64(from)}},
		{
			"INSERT INTO idempotency (scope, idempotency_key, body_hash, revision, changed, recorded_at) VALUES (?, 'k', ?, 1, 1, 1), (?, 'k', ?, 1, 1, 1)",
			[]any{"li PUT c1 tags", make([]byte, 32), "li PUT c2", make([]byte, 32)},
		},
	} {
		if _, err := s.writer.ExecContext(t.Context(), q.text, q.args...); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = openInternal(t, path)
	if head := wantFolded(t, s, "c1"); len(head.Tags) != 1 || head.Tags[0].Name != kept.Name {
		t.Errorf("tags %+v, want %s alone", head.Tags, kept.Name)
	}
	var owners []string
	if err := s.writer.SelectContext(t.Context(), &owners, "SELECT customer_id FROM idempotency ORDER BY scope"); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"c1", "c2"}, owners); d != "" {
		t.Errorf("the keys belong to (-want +got):\n%s", d)
	}
}

// downTo takes a store back to an older schema.
func downTo(t *testing.T, s *Store, version int64) {
	t.Helper()
	folder, err := fs.Sub(migrations, s.dialect.migrations)
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(s.dialect.goose, s.writer.DB, folder)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.DownTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
}
