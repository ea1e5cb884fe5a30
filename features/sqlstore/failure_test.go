package sqlstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"modernc.org/sqlite"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// tagOf returns a tag of a customer.
func tagOf(id, value string) features.Cell {
	return features.Cell{CustomerID: id, View: features.TagView, Name: "a", Value: value, EventAt: 1}
}

func importCells(t *testing.T, s *Store, cells ...features.Cell) {
	t.Helper()
	if _, err := s.Import(t.Context(), 1, func(b features.Batch) error { return b.Cells(cells) }); err != nil {
		t.Fatal(err)
	}
}

// wantUnavailable checks an error's kind, and that it tells nothing of the driver.
func wantUnavailable(t *testing.T, err error, what string) {
	t.Helper()
	if !errors.Is(err, features.ErrUnavailable) || !strings.Contains(err.Error(), what) {
		t.Fatalf("error %v, want ErrUnavailable: %s", err, what)
	}
	var driver *sqlite.Error
	if errors.As(err, &driver) {
		t.Errorf("the driver's error can be had: %v", driver)
	}
	for _, word := range []string{"SQLITE", "sqlite", "SQL logic", "database or disk is full", "database is locked"} {
		if strings.Contains(err.Error(), word) {
			t.Errorf("%q says %q", err, word)
		}
	}
}

func TestAMissingStoreIsUnavailable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.db")
	_, err := Open(t.Context(), OpenConfig{Path: path, MustExist: true})
	wantUnavailable(t, err, "there is no such file")
	if _, err := os.Stat(path); err == nil {
		t.Error("opening made the file")
	}
	_, err = Open(t.Context(), OpenConfig{Path: filepath.Join(t.TempDir(), "no", "directory.db")})
	wantUnavailable(t, err, "there is no such file")
}

func TestAFileThatIsNoStoreIsUnavailableAndUntouched(t *testing.T) {
	path := filepath.Join(t.TempDir(), "text.db")
	text := []byte(strings.Repeat("no database at all\n", 100))
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), OpenConfig{Path: path})
	wantUnavailable(t, err, "damaged or no store")
	if got, _ := os.ReadFile(path); !bytes.Equal(got, text) {
		t.Error("the file changed")
	}
}

func TestTheDatabaseOfAnotherProgramIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bank.db")
	s := openInternal(t, path)
	for _, q := range []string{"CREATE TABLE other (x INTEGER)", "DROP TABLE goose_db_version"} {
		if _, err := s.writer.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	_ = s.Close()
	_, err := Open(t.Context(), OpenConfig{Path: path})
	wantUnavailable(t, err, "another program")
}

func TestANewerStoreIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bank.db")
	s := openInternal(t, path)
	if s.SchemaVersion() != 4 {
		t.Errorf("schema version %d, want 4", s.SchemaVersion())
	}
	if _, err := s.writer.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (5, 1)"); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	if _, err := Open(t.Context(), OpenConfig{Path: path}); !errors.Is(err, features.ErrNewerStore) {
		t.Errorf("error %v, want ErrNewerStore", err)
	}
}

func TestConfigurationIsChecked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bank.db")
	for name, cfg := range map[string]OpenConfig{
		"no path":              {},
		"negative connections": {Path: path, ReadConns: -1},
		"too many connections": {Path: path, ReadConns: maxReadConns + 1},
		"negative timeout":     {Path: path, LockTimeout: -1},
	} {
		if _, err := Open(t.Context(), cfg); !errors.Is(err, features.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
	s, err := Open(t.Context(), OpenConfig{Path: path, ReadConns: maxReadConns})
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
}

func TestOnlyTheOwnerMayReadTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bank.db")
	s := openInternal(t, path)
	importCells(t, s, tagOf("c1", "1"))
	for _, p := range []string{path, path + "-wal"} {
		info, err := os.Stat(p)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %o, want 600", filepath.Base(p), mode)
		}
	}
}

func TestALockedStoreIsUnavailable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bank.db")
	first := openInternal(t, path)
	importCells(t, first, tagOf("c1", "1"))
	second, err := Open(t.Context(), OpenConfig{Path: path, LockTimeout: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	_, err = first.Import(t.Context(), 1, func(b features.Batch) error {
		_, err := second.Write(t.Context(), features.Write{CustomerID: "c1", Cells: []features.Cell{tagOf("c1", "2")}, RecordedAt: 1})
		wantUnavailable(t, err, "locked by another process")
		if p, err := second.Profile(t.Context(), "c1", 1); err != nil || p.Tags[0].Value != "1" {
			t.Errorf("a reader is locked out: %v, %v", p, err)
		}
		return b.Cells([]features.Cell{tagOf("c1", "3")})
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := second.Write(t.Context(), features.Write{CustomerID: "c1", Cells: []features.Cell{tagOf("c1", "2")}, RecordedAt: 1}); err != nil {
		t.Errorf("write after the lock: %v", err)
	}
}

func TestAFullDiskChangesNothing(t *testing.T) {
	s := openInternal(t, filepath.Join(t.TempDir(), "bank.db"))
	importCells(t, s, tagOf("c1", "before"))
	var pages int
	if err := s.writer.QueryRowContext(t.Context(), "PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	if _, err := s.writer.ExecContext(t.Context(), fmt.Sprintf("PRAGMA max_page_count = %d", pages+2)); err != nil {
		t.Fatal(err)
	}
	_, err := s.Import(t.Context(), 1, func(b features.Batch) error {
		for i := range 10_000 {
			if err := b.Cells([]features.Cell{tagOf(fmt.Sprint("d", i), "x"), tagOf("c1", "after")}); err != nil {
				return err
			}
		}
		return nil
	})
	wantUnavailable(t, err, "the disk is full")
	ids, err := s.CustomerIDs(t.Context(), "", 10)
	if err != nil || len(ids) != 1 {
		t.Errorf("customers %v, %v, want c1 alone", ids, err)
	}
	if p, err := s.Profile(t.Context(), "c1", 1); err != nil || p.Tags[0].Value != "before" {
		t.Errorf("c1 is %+v, %v, want the value of before", p, err)
	}
	if _, err := s.writer.ExecContext(t.Context(), "PRAGMA max_page_count = 1000000"); err != nil {
		t.Fatal(err)
	}
	importCells(t, s, tagOf("c1", "after"))
}

func TestADamagedHeadIsUnavailable(t *testing.T) {
	s := openInternal(t, filepath.Join(t.TempDir(), "bank.db"))
	importCells(t, s, tagOf("c1", "1"))
	set := func(head []byte) {
		if _, err := s.writer.ExecContext(t.Context(), "UPDATE heads SET head = ?", head); err != nil {
			t.Fatal(err)
		}
	}
	set([]byte{1, 2, 3})
	_, err := s.Profile(t.Context(), "c1", 1)
	wantUnavailable(t, err, "a stored value is damaged")
	newer := fund.AppendProfile(nil, &fund.Profile{})
	newer[0] = 5
	set(newer)
	if _, err := s.Profile(t.Context(), "c1", 1); !errors.Is(err, features.ErrNewerStore) {
		t.Errorf("a newer head: %v, want ErrNewerStore", err)
	}
}

func TestALogSeesTheDriversError(t *testing.T) {
	_, err := Open(t.Context(), OpenConfig{Path: filepath.Join(t.TempDir(), "none.db"), MustExist: true})
	var out strings.Builder
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "error", err)
	if !strings.Contains(out.String(), "driver=") || !strings.Contains(out.String(), "no such file or directory") {
		t.Errorf("the log says %q, want the driver's error in it", out.String())
	}
}

func TestAnEndedContextIsItself(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), -1)
	defer cancel()
	s := openInternal(t, filepath.Join(t.TempDir(), "bank.db"))
	if _, err := s.Profile(ctx, "c1", 1); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, features.ErrUnavailable) {
		t.Errorf("error %v, want DeadlineExceeded alone", err)
	}
}

// A commit of an import waits for the disk; a single write does not. The setting must
// go back even when an import fails.
func TestImportsAloneWaitForTheDisk(t *testing.T) {
	s := openInternal(t, filepath.Join(t.TempDir(), "bank.db"))
	synchronous := func() (n int) {
		if err := s.writer.QueryRowContext(t.Context(), "PRAGMA synchronous").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	const normal, full = 1, 2
	during := 0
	failed := errors.New("bad file")
	_, err := s.Import(t.Context(), 1, func(b features.Batch) error {
		inside, ok := b.(*batch)
		if !ok {
			t.Fatalf("a batch of type %T", b)
		}
		if err := inside.tx.QueryRowContext(t.Context(), "PRAGMA synchronous").Scan(&during); err != nil {
			t.Error(err)
		}
		return failed
	})
	if before := synchronous(); !errors.Is(err, failed) || during != full || before != normal {
		t.Errorf("error %v, synchronous %d within and %d after, want %d and %d", err, during, before, full, normal)
	}
}

// Many processes may start on one new file together.
func TestManyOpenANewStoreTogether(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bank.db")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			s, err := Open(t.Context(), OpenConfig{Path: path})
			if err != nil {
				t.Error(err)
				return
			}
			_ = s.Close()
		})
	}
	wg.Wait()
}
