package sqlstore

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/jmoiron/sqlx"
)

// What waits for an insert is bounded in bytes too: values of an archive may be long, and
// unpack from next to nothing.
func TestARestoreHoldsFewLongValues(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), OpenConfig{Path: filepath.Join(t.TempDir(), "bank.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	undo := errors.New("enough")
	err = s.durably(t.Context(), func(tx *sqlx.Tx) error {
		in := &restoring{ctx: t.Context(), tx: tx, dialect: s.dialect}
		artifacts := archiveTables()[3]
		if err := in.begin(&artifacts); err != nil {
			return err
		}
		long := bytes.Repeat([]byte{7}, maxRestoredBytes/4)
		for i := range 10 {
			if err := in.add(&artifacts, []any{"MODEL", fmt.Sprint(i), long}); err != nil {
				return err
			}
			if in.held >= maxRestoredBytes || len(in.args) > 4*len(artifacts.columns) {
				t.Fatalf("after %d values %d bytes wait, want less than %d", i+1, in.held, maxRestoredBytes)
			}
		}
		if err := in.end(&artifacts); err != nil {
			return err
		}
		var n, short int
		if err := tx.QueryRowContext(t.Context(), `SELECT COUNT(*), COUNT(CASE WHEN length(data) < ? THEN 1 END) FROM artifacts`, len(long)).Scan(&n, &short); err != nil {
			return err
		}
		if n != 10 || short != 0 {
			t.Errorf("%d artifacts, %d cut off, want 10 whole ones", n, short)
		}
		return undo
	})
	if !errors.Is(err, undo) {
		t.Fatal(err)
	}
}
