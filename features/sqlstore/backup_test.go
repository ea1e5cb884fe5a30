package sqlstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/history"
	"github.com/fundmatch/fundmatch/features/sqlstore"
	"github.com/fundmatch/fundmatch/features/sqlstore/pgtest"
	"github.com/fundmatch/fundmatch/features/storetest"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// opener opens a new store of one kind.
type opener func(tb testing.TB) *sqlstore.Store

func openEmpty(tb testing.TB) *sqlstore.Store {
	tb.Helper()
	return open(tb, filepath.Join(tb.TempDir(), "bank.db"))
}

func openEmptyPostgres(tb testing.TB) *sqlstore.Store {
	tb.Helper()
	return openPostgres(tb, pgtest.Database(tb))
}

// onBoth runs a test on each kind of store, with the other kind to restore into.
func onBoth(t *testing.T, test func(t *testing.T, from, to opener)) {
	t.Helper()
	t.Run("SQLite to PostgreSQL", func(t *testing.T) { test(t, openEmpty, openEmptyPostgres) })
	t.Run("PostgreSQL to SQLite", func(t *testing.T) { test(t, openEmptyPostgres, openEmpty) })
}

// archived returns an archive of a store.
func archived(tb testing.TB, s *sqlstore.Store) ([]byte, sqlstore.Archive) {
	tb.Helper()
	var out bytes.Buffer
	a, err := s.Backup(context.Background(), &out, 7, nil)
	if err != nil {
		tb.Fatalf("backup: %v", err)
	}
	return out.Bytes(), a
}

// restored returns a new store with what an archive holds.
func restored(tb testing.TB, to opener, archive []byte) *sqlstore.Store {
	tb.Helper()
	s := to(tb)
	if _, err := s.Restore(context.Background(), bytes.NewReader(archive), nil); err != nil {
		tb.Fatalf("restore: %v", err)
	}
	return s
}

// wantSameTables compares what two archives say of their tables, digests included.
func wantSameTables(tb testing.TB, got, want sqlstore.Archive) {
	tb.Helper()
	if d := cmp.Diff(want.Tables, got.Tables); d != "" {
		tb.Errorf("tables (-want +got):\n%s", d)
	}
}

// carried is a store that, at its end, is carried over to another one by an archive.
type carried struct {
	*sqlstore.Store
	t    *testing.T
	to   opener
	once sync.Once
}

func (c *carried) Close() error {
	c.once.Do(func() {
		if c.Ping(context.Background()) != nil {
			return // the case closed the store beneath
		}
		archive, made := archived(c.t, c.Store)
		_, again := archived(c.t, restored(c.t, c.to, archive))
		wantSameTables(c.t, again, made)
	})
	return c.Store.Close()
}

func TestWhateverAStoreHoldsIsRestored(t *testing.T) {
	if os.Getenv("FUNDMATCH_NIGHTLY") == "" {
		t.Skip("carries the whole conformance suite over, to PostgreSQL: set FUNDMATCH_NIGHTLY=1")
	}
	storetest.Run(t, func(t *testing.T) storetest.Store {
		t.Helper()
		return &carried{Store: openEmpty(t), t: t, to: openEmptyPostgres}
	})
}

const (
	aDay  fund.Date    = 2020_03_02
	aHour fund.Instant = 3_600_000_000
)

// fillBank gives a store some of everything, with corrections.
func fillBank(tb testing.TB, s *sqlstore.Store) {
	tb.Helper()
	ctx := context.Background()
	at := aDay.Start()
	for round := range 2 {
		_, err := s.Import(ctx, at+fund.Instant(round), func(b features.Batch) error {
			return errors.Join(
				b.Products([]fund.Product{{Code: "P1", Name: fmt.Sprintf("Fund %d", round)}, {Code: "P2", Name: "华夏"}}),
				b.NAVs("P1", []fund.NAV{{Date: aDay, Unit: 1.1 + float64(round), Accum: 1.1}}),
				b.Calendar([]features.CalendarDay{{Date: aDay, Open: round == 0}}),
				b.Managers([]features.Manager{{ID: "M1", BranchID: "B1", LicenceID: "L", LicenceUntil: aDay}}),
				b.Branches([]features.Branch{{ID: "B1", Name: "总行", Region: "华东"}}),
				fillPeople(b, round),
			)
		})
		if err != nil {
			tb.Fatal(err)
		}
	}
	writeBank(ctx, tb, s, at)
}

func fillPeople(b features.Batch, round int) error {
	for i := range 40 {
		id := fmt.Sprintf("c%04d", i)
		err := errors.Join(
			b.Cells([]features.Cell{
				{CustomerID: id, View: features.PersonView, Name: "segment", Value: fmt.Sprintf("s%d", (i+round)%3)},
				{CustomerID: id, View: features.TagView, Name: "年龄", Value: "大", EventAt: aDay.Start() + fund.Instant(i), KnownAt: aDay.Start() + aHour},
			}),
			b.Purchases([]features.CustomerPurchase{{CustomerID: id, Purchase: fund.Purchase{ProductCode: "P1", KnownOn: aDay, Kind: "BUY", Amount: fund.Money(round + i)}}}),
			b.Events([]features.Event{{ID: "e" + id, CustomerID: id, Kind: "CLICK", EventAt: aDay.Start() + aHour, ProductCode: "P1", Attributes: "{}"}}),
		)
		if err != nil {
			return err
		}
	}
	return nil
}

func writeBank(ctx context.Context, tb testing.TB, s *sqlstore.Store, at fund.Instant) {
	tb.Helper()
	for i := range 40 {
		id := fmt.Sprintf("c%04d", i)
		_, err := s.Write(ctx, features.Write{
			CustomerID: id, RecordedAt: at + 2*aHour,
			Cells:       []features.Cell{{CustomerID: id, View: features.TagView, Name: "年龄", EventAt: at + 2*aHour, Tombstone: i%2 == 0, Value: map[bool]string{false: "小"}[i%2 == 0]}},
			Idempotency: features.Idempotency{Scope: "p PUT /tags", Key: "k" + id, BodyHash: [32]byte{byte(i)}},
		})
		if err != nil {
			tb.Fatal(err)
		}
	}
	first, err1 := s.Put(ctx, features.ModelArtifact, []byte("a model"))
	second, err2 := s.Put(ctx, features.ModelArtifact, bytes.Repeat([]byte{0, 0xff, 'x'}, 400_000)) // spans frames
	err := errors.Join(err1, err2,
		s.Activate(ctx, features.Activation{Kind: features.ModelArtifact, ArtifactID: first, At: at, By: "anna", Note: "first"}),
		s.Activate(ctx, features.Activation{Kind: features.ModelArtifact, ArtifactID: second, At: at + 9, By: "bert", Note: "second"}),
	)
	if err != nil {
		tb.Fatal(err)
	}
}

// everything writes down what a store answers, for every instant at which something changed.
func everything(tb testing.TB, s *sqlstore.Store) map[string]any {
	tb.Helper()
	ctx, at := context.Background(), aDay.Start()
	out := map[string]any{}
	ids, err := s.CustomerIDs(ctx, "", 1_000)
	if err != nil {
		tb.Fatal(err)
	}
	out["ids"] = ids
	for _, id := range ids {
		for _, t := range []fund.Instant{0, at, at + 20, at + aHour, at + 2*aHour - 1, at + 2*aHour, fund.Date(2199_01_01).Start()} {
			p, err := s.Profile(ctx, id, t)
			if err != nil {
				tb.Fatal(err)
			}
			out[fmt.Sprintf("profile %s %d", id, t)] = p
		}
	}
	revision, err := s.Published(ctx)
	if err != nil {
		tb.Fatal(err)
	}
	out["published"] = revision
	for r := range revision.ID {
		if out[fmt.Sprintf("pool %d", r+1)], err = s.Pool(ctx, r+1); err != nil {
			tb.Fatal(err)
		}
	}
	for seq := range revision.Seq + 1 {
		collectCut(tb, s, features.Cut{AsOf: fund.Date(2199_01_01).Start(), Seq: seq}, out)
	}
	collectModels(tb, s, out)
	return out
}

func collectCut(tb testing.TB, s *sqlstore.Store, cut features.Cut, out map[string]any) {
	tb.Helper()
	ctx := context.Background()
	calendar, err := s.Calendar(ctx, cut.Seq)
	if err != nil {
		tb.Fatal(err)
	}
	open, known := calendar.Open(aDay)
	out[fmt.Sprintf("open %d", cut.Seq)] = [2]bool{open, known}
	err = errors.Join(
		s.NAVs(ctx, cut, func(code string, navs []fund.NAV) error {
			out[fmt.Sprintf("navs %d %s", cut.Seq, code)] = slices.Clone(navs)
			return nil
		}),
		s.Purchases(ctx, cut, func(id string, rows []fund.Purchase) error {
			out[fmt.Sprintf("bought %d %s", cut.Seq, id)] = slices.Clone(rows)
			return nil
		}))
	if err != nil {
		tb.Fatal(err)
	}
}

func collectModels(tb testing.TB, s *sqlstore.Store, out map[string]any) {
	tb.Helper()
	activations, err := s.Activations(context.Background(), features.ModelArtifact)
	if err != nil {
		tb.Fatal(err)
	}
	out["activations"] = activations
	id, data, err := s.Active(context.Background(), features.ModelArtifact)
	if err != nil {
		tb.Fatal(err)
	}
	out["model "+id] = data
	if out["manager"], err = s.Manager(context.Background(), "M1"); err != nil {
		tb.Fatal(err)
	}
}

func TestRestoreGivesTheSameAnswers(t *testing.T) { onBoth(t, restoreGivesTheSameAnswers) }

func restoreGivesTheSameAnswers(t *testing.T, openFrom, openTo opener) { //nolint:thelper // a test: its failures must point into it
	from := openFrom(t)
	fillBank(t, from)
	archive, made := archived(t, from)
	to := restored(t, openTo, archive)
	if d := cmp.Diff(everything(t, from), everything(t, to)); d != "" {
		t.Errorf("the restored store answers otherwise (-archived +restored):\n%s", d)
	}
	_, remade := archived(t, to)
	wantSameTables(t, remade, made)
	verified, err := sqlstore.VerifyArchive(t.Context(), bytes.NewReader(archive), nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(made, verified); d != "" {
		t.Errorf("the archive is read as (-made +read):\n%s", d)
	}
	if made.Schema != from.SchemaVersion() || made.From == remade.From || made.MadeAt != 7 || made.Rows() < 40*5 {
		t.Errorf("the archive says schema %d, from %s, made %d, %d rows", made.Schema, made.From, made.MadeAt, made.Rows())
	}
}

func TestNumbersGoOnAboveTheRestored(t *testing.T) { onBoth(t, numbersGoOnAboveTheRestored) }

func numbersGoOnAboveTheRestored(t *testing.T, openFrom, openTo opener) { //nolint:thelper // a test: its failures must point into it
	from := openFrom(t)
	fillBank(t, from)
	archive, _ := archived(t, from)
	to := restored(t, openTo, archive)
	before, err := to.Profile(t.Context(), "c0007", fund.Forever-1)
	if err != nil {
		t.Fatal(err)
	}
	w := features.Write{CustomerID: "c0007", RecordedAt: aDay.Start(), Cells: []features.Cell{
		{CustomerID: "c0007", View: features.TagView, Name: "new", Value: "x", EventAt: aDay.Start()},
	}}
	r, err := to.Write(t.Context(), w)
	if err != nil || r.Revision <= before.Revision {
		t.Errorf("revision %d after %d, %v: expected a newer one", r.Revision, before.Revision, err)
	}
	w.Idempotency = features.Idempotency{Scope: "p PUT /tags", Key: "kc0007", BodyHash: [32]byte{99}}
	w.RecordedAt = aDay.Start() + 3*aHour
	if _, err := to.Write(t.Context(), w); !errors.Is(err, features.ErrIdempotencyReused) {
		t.Errorf("a key of before the backup with another body: %v", err)
	}
	page, err := to.Changes(t.Context(), features.Position{}, 10)
	if err != nil || len(page.Changes) != 1 || page.Changes[0].CustomerID != "c0007" {
		t.Errorf("change log %v, %v: expected the one write after the restore", page.Changes, err)
	}
}

func TestRestoreRefusesAStoreThatHoldsAnything(t *testing.T) {
	onBoth(t, restoreRefusesAStoreThatHoldsAnything)
}

func restoreRefusesAStoreThatHoldsAnything(t *testing.T, openFrom, openTo opener) { //nolint:thelper // a test: its failures must point into it
	from := openFrom(t)
	fillBank(t, from)
	archive, _ := archived(t, from)
	to := openTo(t)
	if _, err := to.Put(t.Context(), features.RulesArtifact, []byte("x")); err != nil {
		t.Fatal(err)
	}
	_, err := to.Restore(t.Context(), bytes.NewReader(archive), nil)
	if !errors.Is(err, features.ErrInvalid) || !strings.Contains(err.Error(), "artifacts") {
		t.Errorf("%v: expected ErrInvalid that names the table", err)
	}
	if ids, err := to.CustomerIDs(t.Context(), "", 1); err != nil || len(ids) != 0 {
		t.Errorf("customers %v, %v: expected none", ids, err)
	}
}

func TestDamagedArchivesAreRefusedAndLeaveNothing(t *testing.T) {
	onBoth(t, damagedArchivesAreRefusedAndLeaveNothing)
}

func damagedArchivesAreRefusedAndLeaveNothing(t *testing.T, openFrom, openTo opener) { //nolint:thelper // a test: its failures must point into it
	from := openFrom(t)
	fillBank(t, from)
	archive, _ := archived(t, from)
	to := openTo(t)
	refuse := func(what string, data []byte) {
		t.Helper()
		if _, err := sqlstore.VerifyArchive(t.Context(), bytes.NewReader(data), nil); !errors.Is(err, features.ErrInvalid) {
			t.Errorf("%s: verified with %v, expected ErrInvalid", what, err)
		}
		if _, err := to.Restore(t.Context(), bytes.NewReader(data), nil); !errors.Is(err, features.ErrInvalid) {
			t.Errorf("%s: restored with %v, expected ErrInvalid", what, err)
		}
	}
	for _, n := range []int{0, 5, 20, 33, 100, len(archive) / 2, len(archive) - 1} {
		refuse(fmt.Sprintf("cut off at %d of %d", n, len(archive)), archive[:n])
	}
	step := max(len(archive)/40, 1)
	for i := 0; i < len(archive); i += step {
		turned := slices.Clone(archive)
		turned[i] ^= 0x10
		refuse(fmt.Sprintf("byte %d of %d turned", i, len(archive)), turned)
	}
	refuse("something after the end", append(slices.Clone(archive), 'x'))
	refuse("two archives", append(slices.Clone(archive), archive...))
	if _, err := to.Restore(t.Context(), bytes.NewReader(archive), nil); err != nil {
		t.Errorf("after the refusals: %v: expected an empty store that takes the archive", err)
	}
}

// brokenReader ends with an error of its own.
type brokenReader struct{ io.Reader }

var errBroken = errors.New("the network is gone")

func (r brokenReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = errBroken
	}
	return n, err
}

// fullDisk takes some bytes.
type fullDisk struct{ left int }

func (w *fullDisk) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, errBroken
	}
	return len(p), nil
}

func TestErrorsOfTheFileAreNotTheStores(t *testing.T) { onBoth(t, errorsOfTheFileAreNotTheStores) }

func errorsOfTheFileAreNotTheStores(t *testing.T, openFrom, openTo opener) { //nolint:thelper // a test: its failures must point into it
	from := openFrom(t)
	fillBank(t, from)
	archive, _ := archived(t, from)
	if _, err := from.Backup(t.Context(), &fullDisk{len(archive) / 2}, 7, nil); !errors.Is(err, errBroken) {
		t.Errorf("backup to a full disk: %v", err)
	}
	to := openTo(t)
	for _, n := range []int{3, len(archive) / 2, len(archive)} {
		if _, err := to.Restore(t.Context(), brokenReader{bytes.NewReader(archive[:n])}, nil); !errors.Is(err, errBroken) {
			t.Errorf("restore of %d bytes and an error: %v", n, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := from.Backup(ctx, io.Discard, 7, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled backup: %v", err)
	}
	if _, err := to.Restore(ctx, bytes.NewReader(archive), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled restore: %v", err)
	}
}

func TestProgressEndsAtAllRows(t *testing.T) {
	from := openEmpty(t)
	fillBank(t, from)
	var out bytes.Buffer
	last := [2]int64{}
	note := func(done, total int64) { last = [2]int64{done, total} }
	made, err := from.Backup(t.Context(), &out, 7, note)
	if want := [2]int64{made.Rows(), made.Rows()}; err != nil || last != want {
		t.Errorf("backup: last progress %v, want %v; %v", last, want, err)
	}
	last = [2]int64{}
	if _, err := openEmpty(t).Restore(t.Context(), &out, note); err != nil || last != [2]int64{made.Rows(), made.Rows()} {
		t.Errorf("restore: last progress %v of %d rows; %v", last, made.Rows(), err)
	}
}

// TestABackupIsOneCommit archives a store while writers write: each archive has every
// write that was acknowledged before it began, and its heads are the fold of its cells.
func TestABackupIsOneCommit(t *testing.T) { onBoth(t, aBackupIsOneCommit) }

func aBackupIsOneCommit(t *testing.T, openFrom, openTo opener) { //nolint:thelper // a test: its failures must point into it
	s := openFrom(t)
	fillBank(t, s)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var acknowledged [4]int64 // by writer: how many; guarded by mu
	var mu sync.Mutex
	var writers sync.WaitGroup
	for w := range acknowledged {
		writers.Go(func() {
			for n := int64(1); ctx.Err() == nil; n++ {
				if err := writePair(ctx, s, w, n); err != nil {
					if ctx.Err() == nil {
						t.Error(err)
					}
					return
				}
				mu.Lock()
				acknowledged[w] = n
				mu.Unlock()
			}
		})
	}
	for range 4 {
		mu.Lock()
		before := acknowledged
		mu.Unlock()
		archive, _ := archived(t, s)
		wantOneCommit(t, restored(t, openTo, archive), before[:])
	}
	stop()
	writers.Wait()
}

// writePair writes the n-th pair of a writer: two tags of one customer that always agree.
func writePair(ctx context.Context, s *sqlstore.Store, writer int, n int64) error {
	id := fmt.Sprintf("c%04d", writer)
	at := aDay.Start() + 4*aHour + fund.Instant(n)
	value := fmt.Sprint(n)
	_, err := s.Write(ctx, features.Write{CustomerID: id, RecordedAt: at, Cells: []features.Cell{
		{CustomerID: id, View: features.TagView, Name: "left", Value: value, EventAt: at},
		{CustomerID: id, View: features.TagView, Name: "right", Value: value, EventAt: at},
	}})
	return err
}

func wantOneCommit(t *testing.T, s *sqlstore.Store, acknowledged []int64) {
	t.Helper()
	for w, n := range acknowledged {
		id := fmt.Sprintf("c%04d", w)
		heads, err := s.Heads(t.Context(), []string{id})
		if err != nil {
			t.Fatal(err)
		}
		head := heads[0].Profile
		var left, right int64
		for _, tag := range head.Tags {
			switch tag.Name {
			case "left":
				_, _ = fmt.Sscan(tag.Value, &left)
			case "right":
				_, _ = fmt.Sscan(tag.Value, &right)
			}
		}
		if left != right || left < n {
			t.Errorf("writer %d: left %d, right %d: expected one commit with at least %d", w, left, right, n)
		}
		err = s.Histories(t.Context(), features.HistoryQuery{CustomerIDs: []string{id}}, func(h *features.History) error {
			folded, err := history.AsOf(h, features.AsKnown(fund.Forever-1))
			if d := cmp.Diff(folded, head); d != "" {
				t.Errorf("the head of %s is not the fold of its cells (-fold +head):\n%s", id, d)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
