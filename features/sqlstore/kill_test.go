package sqlstore_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/sqlstore"
	"github.com/fundmatch/fundmatch/features/sqlstore/pgtest"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// victimEnv makes the test binary import into a store until it is killed.
const victimEnv = "SQLSTORE_TEST_VICTIM"

func TestMain(m *testing.M) {
	if path := os.Getenv(victimEnv); path != "" {
		victim(path)
	}
	if path := os.Getenv(eraserEnv); path != "" {
		eraser(path)
	}
	os.Exit(pgtest.Main(m))
}

// recorded is when the tests import: after every fact of theirs.
const recorded fund.Instant = 4_000_000_000_000_000

// victim imports more than the page cache holds, so that uncommitted pages are in the
// file's log, says so, and waits.
func victim(path string) {
	ctx := context.Background()
	s, err := sqlstore.Open(ctx, sqlstore.OpenConfig{Path: path})
	if err != nil {
		panic(err)
	}
	_, err = s.Import(ctx, recorded, func(b features.Batch) error {
		for i := range 12 {
			id := fmt.Sprintf("c%06d", i)
			long := features.Cell{
				CustomerID: id, View: features.HoldingsView, Name: features.SnapshotName, EventAt: 1,
				Value: "[" + strings.Repeat(" ", features.MaxSnapshotLength-2) + "]",
			}
			if err := errors.Join(fillCustomer(b, id, "after"), b.Cells([]features.Cell{long})); err != nil {
				return err
			}
		}
		// What waits in memory is written before anybody may look at it.
		shown, ok := b.(features.Previewer)
		if !ok {
			return errors.New("the batch shows nothing")
		}
		if _, err := shown.Preview(); err != nil {
			return err
		}
		if _, err := os.Stdout.WriteString("ready\n"); err != nil {
			return err
		}
		select {}
	})
	panic(err)
}

func fillCustomer(b features.Batch, id, value string) error {
	if err := b.Cells([]features.Cell{{CustomerID: id, View: features.PersonView, Name: "segment", Value: value}}); err != nil {
		return err
	}
	p := fund.Purchase{ProductCode: "P1", KnownOn: 20200101, Kind: "BUY"}
	if value == "after" {
		p.Amount = 1
	}
	return b.Purchases([]features.CustomerPurchase{{CustomerID: id, Purchase: p}})
}

// answers writes down what the store says.
func answers(t *testing.T, s *sqlstore.Store) map[string]any {
	t.Helper()
	log, err := s.Changes(t.Context(), features.Position{}, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	ids, err := s.CustomerIDs(t.Context(), "", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]any{"changes": log, "ids": ids}
	for _, id := range ids {
		p, err := s.Profile(t.Context(), id, fund.Date(20210101).Start())
		if err != nil {
			t.Fatal(err)
		}
		out[id] = p
	}
	err = s.Purchases(t.Context(), features.Cut{AsOf: fund.Date(20210101).Start(), Seq: 1 << 40}, func(id string, rows []fund.Purchase) error {
		out["bought "+id] = append([]fund.Purchase(nil), rows...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAKilledImportLeavesTheStoreAsItWas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bank.db")
	s := open(t, path)
	if _, err := s.Import(t.Context(), recorded, func(b features.Batch) error { return fillCustomer(b, "c000007", "before") }); err != nil {
		t.Fatal(err)
	}
	before := answers(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	cmd := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // this test itself
	cmd.Env = append(os.Environ(), victimEnv+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "ready\n" {
		t.Fatalf("the victim says %q, %v", line, err)
	}
	if wal, err := os.Stat(path + "-wal"); err != nil || wal.Size() < 1<<20 {
		t.Errorf("log %v, %v: the victim had nothing on disk yet, so its death shows nothing", wal, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()

	again := open(t, path)
	if d := cmp.Diff(before, answers(t, again)); d != "" {
		t.Errorf("the store changed (-before +after):\n%s", d)
	}
	if _, err := again.Import(t.Context(), recorded, func(b features.Batch) error { return fillCustomer(b, "c000007", "after") }); err != nil {
		t.Errorf("import after the death: %v", err)
	}
}
