package decisionlog

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"
)

// startMillis is the time in the ids that testID makes: 2026-06-01T00:00:00Z.
const startMillis = 1780272000000

// TestMain doubles as the program that TestKillNine kills.
func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		appendUntilKilled()
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

// testID is the n-th decision id: n milliseconds after startMillis.
func testID(n int) string { return idAt(startMillis+uint64(n), uint64(n)) }

func idAt(millis, serial uint64) string {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:], millis<<16)
	binary.BigEndian.PutUint64(id[8:], serial)
	id[6] = 0x70 | id[6]&0x0f
	id[8] = 0x80 | id[8]&0x3f
	return id.String()
}

// testRecord is the n-th record, of one of ten customers, with values that occur nowhere else.
func testRecord(n int) Record {
	customer := fmt.Sprintf("CUSTOMER%02d", n%10)
	return Record{
		DecisionID: testID(n), Kind: KindDecision, CustomerID: customer,
		DecidedAt: (startMillis + int64(n)) * 1000, RecordedAt: (startMillis+int64(n))*1000 + 7,
		Profile: []byte("profile of " + customer), Payload: payload(n),
	}
}

// payload looks like a canonical decision: codes and numbers that compress a little.
func payload(n int) []byte {
	r := rand.New(rand.NewSource(int64(n)))
	b := fmt.Appendf(nil, "decision %d;", n)
	for len(b) < 300 {
		b = fmt.Appendf(b, "%06d R%d ", r.Intn(1e6), 1+r.Intn(5))
		b = binary.LittleEndian.AppendUint64(b, r.Uint64())
	}
	return b
}

// fixedClock is the clock of tests.
func fixedClock() time.Time { return time.UnixMilli(startMillis) }

// memory is a file system on which fsync is quick, where there is one: these tests sync thousands of times.
func memory() string {
	const shared = "/dev/shm"
	if info, err := os.Stat(shared); err == nil && info.IsDir() {
		return shared
	}
	return os.TempDir()
}

// memoryDir is a directory in memory that goes when the test ends.
func memoryDir(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp(memory(), "decisionlog") //nolint:usetesting // tb.TempDir cannot choose the file system
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func openLog(tb testing.TB, dir string, cfg Config) *Log {
	tb.Helper()
	if cfg.Now == nil {
		cfg.Now = fixedClock
	}
	l, err := Open(dir, cfg)
	if err != nil {
		tb.Fatalf("Open: %v", err)
	}
	tb.Cleanup(func() { _ = l.Close() })
	return l
}

func mustAppend(tb testing.TB, l *Log, records ...Record) {
	tb.Helper()
	for _, r := range records {
		if err := l.Append(context.Background(), r); err != nil {
			tb.Fatalf("Append %s: %v", r.DecisionID, err)
		}
	}
}

func mustClose(tb testing.TB, l *Log) {
	tb.Helper()
	if err := l.Close(); err != nil {
		tb.Fatalf("Close: %v", err)
	}
}

func mustVerify(tb testing.TB, dir string) Report {
	tb.Helper()
	report, err := Verify(context.Background(), dir, nil)
	if err != nil {
		tb.Fatalf("Verify: %v", err)
	}
	return report
}

func records(from, to int) []Record {
	var all []Record
	for n := from; n < to; n++ {
		all = append(all, testRecord(n))
	}
	return all
}

// readAll gives all that the log holds.
func readAll(tb testing.TB, dir string) []Stored {
	tb.Helper()
	r, err := OpenReader(dir)
	if err != nil {
		tb.Fatalf("OpenReader: %v", err)
	}
	var all []Stored
	for s, err := range r.All(context.Background(), 0) {
		if err != nil {
			tb.Fatalf("All: %v", err)
		}
		all = append(all, s)
	}
	return all
}

// segmentFiles gives the paths of all segments, in order.
func segmentFiles(tb testing.TB, dir string) []string {
	tb.Helper()
	places, err := listAll(dir)
	if err != nil {
		tb.Fatal(err)
	}
	var paths []string
	for _, at := range places {
		paths = append(paths, at.path)
	}
	return paths
}

// smallLog writes records 0..n-1 one a block, all synced, and closes.
func smallLog(tb testing.TB, n int, cfg Config) string {
	tb.Helper()
	dir := memoryDir(tb)
	cfg.SyncEachAnswer = true
	l := openLog(tb, dir, cfg)
	mustAppend(tb, l, records(0, n)...)
	mustClose(tb, l)
	return dir
}

// overwrite puts a file of the test's own in place.
func overwrite(tb testing.TB, path string, content []byte) {
	tb.Helper()
	if err := os.MkdirAll(filepath.Dir(path), dirMode); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, content, fileMode); err != nil { //nolint:gosec // a path below the test's directory
		tb.Fatal(err)
	}
}

func copyDir(tb testing.TB, from string) string {
	tb.Helper()
	to := memoryDir(tb)
	err := os.CopyFS(to, os.DirFS(from))
	if err != nil {
		tb.Fatal(err)
	}
	return to
}

// errDisk is what the failing disk answers.
var errDisk = errors.New("input/output error of the test")

// faultyDisk is a disk whose operations fail when told to.
type faultyDisk struct {
	write, truncate, sync func() error
	shortBy               int // bytes of a failing write that do not reach the file
}

func (d *faultyDisk) open(path string, flag int) (file, error) {
	f, err := openOnDisk(path, flag)
	return &faultyFile{file: f, disk: d}, err
}

type faultyFile struct {
	file
	disk *faultyDisk
}

func ask(f func() error) error {
	if f == nil {
		return nil
	}
	return f()
}

func (f *faultyFile) WriteAt(b []byte, off int64) (int, error) {
	if err := ask(f.disk.write); err != nil {
		n, _ := f.file.WriteAt(b[:max(len(b)-f.disk.shortBy, 0)], off)
		return n, err
	}
	return f.file.WriteAt(b, off)
}

func (f *faultyFile) Truncate(size int64) error {
	if err := ask(f.disk.truncate); err != nil {
		return err
	}
	return f.file.Truncate(size)
}

func (f *faultyFile) Sync() error {
	if err := ask(f.disk.sync); err != nil {
		return err
	}
	return f.file.Sync()
}
