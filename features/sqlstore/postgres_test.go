package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/history"
	"github.com/fundmatch/fundmatch/features/sqlstore/pgtest"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// openServer opens a store whose inside the test looks at.
func openServer(tb testing.TB, dsn string) *Store {
	tb.Helper()
	s, err := Open(tb.Context(), OpenConfig{DSN: dsn})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

// openTwo opens a fresh database twice, as two replicas do.
func openTwo(t *testing.T) (a, b *Store) {
	t.Helper()
	dsn := pgtest.Database(t)
	return openServer(t, dsn), openServer(t, dsn)
}

// together runs f for each number at the same time and reports what fails.
func together(t *testing.T, n int, f func(i int) error) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if err := f(i); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// wantFolded checks that a customer's head is the fold of everything that is stored of him.
func wantFolded(t *testing.T, s *Store, id string) *fund.Profile {
	t.Helper()
	head, from, err := s.Head(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	err = s.Histories(t.Context(), features.HistoryQuery{CustomerIDs: []string{id}}, func(h *features.History) error {
		want, err := history.AsOf(h, features.AsKnown(history.Newest(h)))
		if d := cmp.Diff(want, head); d != "" || from != history.Newest(h) {
			t.Errorf("the head of %s, from %d, is not the fold (-fold +head):\n%s", id, from, d)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return head
}

func TestWritersOfOneCustomerTakeTurns(t *testing.T) {
	t.Parallel()
	a, b := openTwo(t)
	importCells(t, a, tagOf("c1", "0"))
	const writers = 40
	revisions := make([]uint64, writers)
	together(t, writers, func(i int) error {
		c := tagOf("c1", "x")
		c.Name = fmt.Sprint("t", i)
		r, err := []*Store{a, b}[i%2].Write(t.Context(), features.Write{CustomerID: "c1", Cells: []features.Cell{c}, RecordedAt: 1})
		revisions[i] = r.Revision
		return err
	})
	if head := wantFolded(t, b, "c1"); len(head.Tags) != writers+1 || head.Revision != slices.Max(revisions) {
		t.Errorf("%d tags at revision %d, want %d at %d", len(head.Tags), head.Revision, writers+1, slices.Max(revisions))
	}
	slices.Sort(revisions)
	if n := len(slices.Compact(revisions)); n != writers {
		t.Errorf("%d revisions of %d writes", n, writers)
	}
}

// Batches that name the same customers and events in opposite orders do not wait for each
// other for ever, and each event counts once.
func TestBatchesOfEventsTakeTurns(t *testing.T) {
	t.Parallel()
	a, b := openTwo(t)
	const customers = 20
	var cells []features.Cell
	var events []features.Event
	for i := range customers {
		id := fmt.Sprintf("c%02d", i)
		cells = append(cells, tagOf(id, "1"))
		events = append(events, features.Event{ID: "e" + id, CustomerID: id, Kind: "CLICK", EventAt: 5, Attributes: `{"page":"FEE"}`})
	}
	importCells(t, a, cells...)
	receipts := make([]features.EventsReceipt, 8)
	together(t, len(receipts), func(i int) (err error) {
		batch := features.EventBatch{Events: slices.Clone(events), RecordedAt: 9}
		if i%4 > 1 {
			slices.Reverse(batch.Events)
		}
		receipts[i], err = []*Store{a, b}[i%2].RecordEvents(t.Context(), batch)
		return err
	})
	var sum features.EventsReceipt
	for _, r := range receipts {
		sum.Accepted += r.Accepted
		sum.Duplicates += r.Duplicates
	}
	if want := (features.EventsReceipt{Accepted: customers, Duplicates: 7 * customers}); sum != want {
		t.Errorf("receipts %+v, want in all %+v", receipts, want)
	}
	for _, c := range cells {
		wantFolded(t, a, c.CustomerID)
	}
}

// One id with two contents, for customers who lock nothing of each other.
func TestAnEventIDIsTakenOnce(t *testing.T) {
	t.Parallel()
	a, b := openTwo(t)
	importCells(t, a, tagOf("c0", "1"), tagOf("c1", "1"))
	for round := range 20 {
		refused := make([]error, 2)
		together(t, 2, func(i int) error {
			e := features.Event{ID: fmt.Sprint("e", round), CustomerID: fmt.Sprint("c", i), Kind: "CLICK", EventAt: 5, Attributes: `{"page":"FEE"}`}
			_, refused[i] = []*Store{a, b}[i].RecordEvents(t.Context(), features.EventBatch{Events: []features.Event{e}, RecordedAt: 9})
			if refused[i] != nil && !errors.Is(refused[i], features.ErrEventReused) {
				return refused[i]
			}
			return nil
		})
		if (refused[0] == nil) == (refused[1] == nil) {
			t.Fatalf("round %d: %v and %v, want one accepted and one refused", round, refused[0], refused[1])
		}
	}
	wantFolded(t, a, "c0")
	wantFolded(t, a, "c1")
}

// A key is one write's, whoever comes with it at the same time: the same body is answered
// with what the first one did, another body is refused.
func TestAKeyIsTakenOnce(t *testing.T) {
	t.Parallel()
	a, b := openTwo(t)
	importCells(t, a, tagOf("c0", "1"), tagOf("c1", "1"))
	for round := range 20 {
		var receipts [4]features.Receipt
		var errs [4]error
		together(t, len(receipts), func(i int) error {
			id := fmt.Sprint("c", i%2)
			c := tagOf(id, fmt.Sprint("new", round))
			w := features.Write{CustomerID: id, Cells: []features.Cell{c}, RecordedAt: 1}
			w.Idempotency = features.Idempotency{Scope: "s", Key: fmt.Sprint("k", round), BodyHash: [32]byte{byte(i % 2)}}
			receipts[i], errs[i] = []*Store{a, b}[i/2].Write(t.Context(), w)
			if errs[i] != nil && !errors.Is(errs[i], features.ErrIdempotencyReused) {
				return errs[i]
			}
			return nil
		})
		first, reused := 0, 0
		for i := range receipts {
			if errs[i] != nil {
				reused++
			} else if !receipts[i].Replayed {
				first++
			}
		}
		if first != 1 || reused != 2 {
			t.Fatalf("round %d: %d writes and %d refusals, want 1 and 2: %+v %v", round, first, reused, receipts, errs)
		}
	}
}

// While an import runs, a single write of one of its customers takes a greater number and
// commits first. The import's content is newer, so the revision must be another one.
func TestAnImportThatIsOvertakenHasANewRevision(t *testing.T) {
	t.Parallel()
	a, b := openTwo(t)
	importCells(t, a, tagOf("c1", "0"), tagOf("c2", "0"))
	var between features.Receipt
	_, err := a.Import(t.Context(), fund.Date(20200102).Start(), func(batch features.Batch) error {
		other := tagOf("c1", "imported")
		other.Name = "b"
		bought := features.CustomerPurchase{CustomerID: "c1", Purchase: fund.Purchase{ProductCode: "P1", KnownOn: 20200101, Kind: "BUY"}}
		if err := errors.Join(batch.Cells([]features.Cell{other, tagOf("c2", "imported")}), batch.Purchases([]features.CustomerPurchase{bought})); err != nil {
			return err
		}
		written := tagOf("c1", "written")
		written.Name = "w"
		var err error
		between, err = b.Write(t.Context(), features.Write{CustomerID: "c1", Cells: []features.Cell{written}, RecordedAt: 1})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	head := wantFolded(t, b, "c1")
	if len(head.Tags) != 3 || len(head.Purchases) != 1 {
		t.Errorf("%+v, want what was there, written and imported", head)
	}
	if head.Revision <= between.Revision {
		t.Errorf("the revision is %d, that of the write was %d already", head.Revision, between.Revision)
	}
	wantFolded(t, b, "c2")
}

func TestImportsExcludeEachOther(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	a := openServer(t, dsn)
	b, err := Open(t.Context(), OpenConfig{DSN: dsn, LockTimeout: 30 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	_, err = a.Import(t.Context(), 1, func(batch features.Batch) error {
		_, err := b.Import(t.Context(), 1, func(features.Batch) error { return errors.New("it ran") })
		wantUnavailable(t, err, "locked by another process")
		return batch.Cells([]features.Cell{tagOf("c1", "1")})
	})
	if err != nil {
		t.Fatal(err)
	}
	importCells(t, b, tagOf("c1", "2"))
}

// A writer who waits for a row of a running import holds a head that the import needs.
func TestAnImportOutlastsAWriterWhoWaitsForIt(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	a := openServer(t, dsn)
	b, err := Open(t.Context(), OpenConfig{DSN: dsn, LockTimeout: 1500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	importCells(t, a, tagOf("c1", "1"))
	same := features.Event{ID: "e1", CustomerID: "c1", Kind: "CLICK", EventAt: 5, KnownAt: 9, Attributes: `{"page":"FEE"}`}
	var waited error
	done := make(chan struct{})
	_, err = a.Import(t.Context(), 1, func(rows features.Batch) error {
		if err := rows.Events([]features.Event{same}); err != nil {
			return err
		}
		inside, ok := rows.(*batch)
		if !ok {
			return fmt.Errorf("a batch of type %T", rows)
		}
		if err := inside.flush(); err != nil {
			return err
		}
		go func() {
			defer close(done)
			_, waited = b.RecordEvents(context.WithoutCancel(t.Context()), features.EventBatch{Events: []features.Event{same}, RecordedAt: 9})
		}()
		return untilWaiting(t, a)
	})
	<-done
	if err != nil {
		t.Errorf("the import failed: %v", err)
	}
	if waited != nil { // the server may have found out by him, and then he came again
		wantUnavailable(t, waited, "locked by another process")
	}
	if head := wantFolded(t, a, "c1"); len(head.Trail.Recent) != 1 {
		t.Errorf("%d events, want that of the import", len(head.Trail.Recent))
	}
}

// untilWaiting waits until somebody waits for a lock in the database of a store.
func untilWaiting(t *testing.T, s *Store) error {
	t.Helper()
	for {
		var n int
		err := s.reader.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&n)
		if n > 0 || err != nil {
			return err
		}
	}
}

func TestAWordIsUsedOnceByTwoReplicas(t *testing.T) {
	t.Parallel()
	a, b := openTwo(t)
	importCells(t, a, tagOf("c1", "1"))
	word := features.Confirmation{
		ID: "01890a5d-ac96-774b-bcce-b302099a8057", CustomerID: "c1", RuleID: "S03", Reason: "GRADE_ABOVE_LEVEL",
		ProductCode: "P1", Grade: fund.R4, Level: fund.C3, DecisionID: "d0", Channel: "BRANCH", Trace: "trace", RecordingID: "rec-1", ManagerID: "m1", ReviewerID: "r1",
		AskedAt: 1, ConfirmedAt: 2, ExpiresAt: 100,
	}
	for round := range 10 {
		word.ID = fmt.Sprintf("018f0000-0000-7000-8000-%012d", round)
		together(t, 4, func(i int) error { return []*Store{a, b}[i%2].Confirm(t.Context(), []features.Confirmation{word}) })
		var errs [4]error
		together(t, len(errs), func(i int) error {
			errs[i] = []*Store{a, b}[i%2].Use(t.Context(), "c1", []string{word.ID}, fmt.Sprint("decision", i), 5)
			if errs[i] != nil && !errors.Is(errs[i], features.ErrConfirmationUsed) {
				return errs[i]
			}
			return nil
		})
		used := 0
		for _, err := range errs {
			if err == nil {
				used++
			}
		}
		if used != 1 {
			t.Fatalf("used %d times, want once", used)
		}
	}
}

func TestEveryActivationIsInTheHistory(t *testing.T) {
	t.Parallel()
	a, b := openTwo(t)
	id, err := a.Put(t.Context(), features.RulesArtifact, []byte("rules"))
	if err != nil {
		t.Fatal(err)
	}
	const n = 3 // as many as one transaction is tried again for
	together(t, n, func(i int) error {
		return []*Store{a, b}[i%2].Activate(t.Context(), features.Activation{
			Kind: features.RulesArtifact, ArtifactID: id, At: fund.Instant(i + 1), By: "compliance.li", Note: "x",
		})
	})
	if all, err := b.Activations(t.Context(), features.RulesArtifact); err != nil || len(all) != n {
		t.Errorf("%d activations, %v, want %d", len(all), err, n)
	}
}

// The numbers of the change log are given before a commit: a reader that took what is there
// for all there is would miss whoever commits later.
func TestALateCommitIsNotSkipped(t *testing.T) {
	t.Parallel()
	a, b := openTwo(t)
	importCells(t, a, tagOf("early", "1"), tagOf("late", "1"))
	read := func(after features.Position, limit int) features.ChangePage {
		t.Helper()
		page, err := b.Changes(t.Context(), after, limit)
		if err != nil {
			t.Fatal(err)
		}
		return page
	}
	// settled reads until what is there is settled: transactions of other tests run in the same
	// server, and end.
	settled := func(after features.Position) features.ChangePage {
		t.Helper()
		for {
			page := read(after, 100)
			if page.Settled.Compare(page.Changes[len(page.Changes)-1].Position) >= 0 {
				return page
			}
		}
	}
	name := func(page features.ChangePage) (names []string) {
		for _, c := range page.Changes {
			names = append(names, c.CustomerID)
		}
		return names
	}
	end := settled(features.Position{}).Settled
	var after features.Position
	_, err := a.Import(t.Context(), 1, func(rows features.Batch) error { // its number comes first, its commit last
		if err := rows.Cells([]features.Cell{tagOf("late", "2")}); err != nil {
			return err
		}
		inside, ok := rows.(*batch)
		if !ok {
			return fmt.Errorf("a batch of type %T", rows)
		}
		if err := inside.flush(); err != nil {
			return err
		}
		for i := range 3 {
			_, err := b.Write(t.Context(), features.Write{CustomerID: "early", Cells: []features.Cell{tagOf("early", fmt.Sprint("w", i))}, RecordedAt: 1})
			if err != nil {
				return err
			}
		}
		page := read(end, 100)
		if got := name(page); !slices.Equal(got, []string{"early", "early", "early"}) {
			t.Errorf("before the commit the log names %v", got)
		}
		if page.Settled.Compare(page.Changes[0].Position) >= 0 {
			t.Errorf("%+v counts as settled while an older transaction runs", page.Settled)
		}
		if page.Lag <= 0 || page.Lag > time.Minute {
			t.Errorf("the lag is %s", page.Lag)
		}
		if later, err := b.ChangesEnd(t.Context()); err != nil || later.Compare(page.Settled) < 0 || later.Compare(page.Changes[0].Position) >= 0 {
			t.Errorf("the end is %+v, %v, want it from %+v on and below the running transaction", later, err, page.Settled)
		}
		after = page.Settled
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	page := settled(after)
	if got := name(page); !slices.Contains(got, "late") {
		t.Errorf("a reader that goes on from what was settled finds %v, want late in it", got)
	}
	first := read(after, 2) // a full page: what lies behind it is not settled for its reader
	if first.Settled != first.Changes[1].Position {
		t.Errorf("a page of two is settled up to %+v, want its last %+v", first.Settled, first.Changes[1].Position)
	}
}

func TestATransactionIsTriedAgainOnlyWhereThatIsSafe(t *testing.T) {
	t.Parallel()
	s := openServer(t, pgtest.Database(t))
	exec := func(text string) error {
		_, err := s.writer.ExecContext(t.Context(), text)
		return err
	}
	err := errors.Join(exec(`CREATE TABLE once (x INT PRIMARY KEY)`), exec(`INSERT INTO once VALUES (1)`),
		exec(`CREATE TABLE at_commit (x INT UNIQUE DEFERRABLE INITIALLY DEFERRED)`), exec(`INSERT INTO at_commit VALUES (1)`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text, what string
		runs       int
	}{
		{`INSERT INTO once VALUES (1)`, "another writer was in the way", attempts},
		{`INSERT INTO at_commit VALUES (1)`, "another writer was in the way", 1}, // fails at COMMIT: nobody knows in general
		{`SELECT pg_terminate_backend(pg_backend_pid())`, "ended the connection", 1},
		{`SELECT 1 / 0`, "the database failed", 1},
	} {
		runs := 0
		err := s.inTransaction(t.Context(), s.writer, func(tx *sqlx.Tx) error {
			runs++
			_, err := tx.ExecContext(t.Context(), c.text)
			return err
		})
		wantUnavailable(t, fail(t.Context(), "try", err), c.what)
		if runs != c.runs {
			t.Errorf("%s ran %d times, want %d", c.text, runs, c.runs)
		}
	}
}

func TestManyOpenANewDatabaseTogether(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	together(t, 6, func(int) error {
		s, err := Open(t.Context(), OpenConfig{DSN: dsn, ReadConns: 1, WriteConns: 1})
		if err != nil {
			return err
		}
		return s.Close()
	})
	var tables, versions int
	s := openServer(t, dsn)
	err := s.reader.QueryRowContext(t.Context(), `SELECT (SELECT COUNT(*) FROM pg_tables WHERE tablename = 'heads'), (SELECT COUNT(*) FROM goose_db_version)`).Scan(&tables, &versions)
	if err != nil || tables != 1 || versions != 2 {
		t.Errorf("%d tables of heads, %d versions, %v, want 1 and 2 (0 and %d)", tables, versions, err, s.SchemaVersion())
	}
}
