package decisionlog

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"
)

// startMillis is the time in the ids that testID makes: 2026-06-01T00:00:00Z.
const startMillis = 1780272000000

// TestMain doubles as the program that TestKillNine kills.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		os.Exit(appendUntilKilled(dir))
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

// memoryDir is t.TempDir in memory.
func memoryDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp(memory(), "decisionlog")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func openLog(t testing.TB, dir string, cfg Config) *Log {
	t.Helper()
	if cfg.Now == nil {
		cfg.Now = fixedClock
	}
	l, err := Open(dir, cfg)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func mustAppend(t testing.TB, l *Log, records ...Record) {
	t.Helper()
	for _, r := range records {
		if err := l.Append(context.Background(), r); err != nil {
			t.Fatalf("Append %s: %v", r.DecisionID, err)
		}
	}
}

func mustClose(t testing.TB, l *Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
}

func mustVerify(t testing.TB, dir string) Report {
	t.Helper()
	report, err := Verify(context.Background(), dir, nil)
	if err != nil {
		t.Fatalf("Verify: %v", err)
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
func readAll(t testing.TB, dir string) []Stored {
	t.Helper()
	r, err := OpenReader(dir)
	if err != nil {
		t.Fatalf("OpenReader: %v", err)
	}
	var all []Stored
	for s, err := range r.All(context.Background(), 0) {
		if err != nil {
			t.Fatalf("All: %v", err)
		}
		all = append(all, s)
	}
	return all
}

// segmentFiles gives the paths of all segments, in order.
func segmentFiles(t testing.TB, dir string) []string {
	t.Helper()
	places, err := listAll(dir)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, at := range places {
		paths = append(paths, at.path)
	}
	return paths
}

// smallLog writes records 0..n-1 one a block, all synced, and closes.
func smallLog(t testing.TB, n int, cfg Config) string {
	t.Helper()
	dir := memoryDir(t)
	cfg.SyncEachAnswer = true
	l := openLog(t, dir, cfg)
	mustAppend(t, l, records(0, n)...)
	mustClose(t, l)
	return dir
}

func copyDir(t testing.TB, from string) string {
	t.Helper()
	to := memoryDir(t)
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(to, strings.TrimPrefix(path, from))
		if d.IsDir() {
			return os.MkdirAll(target, dirMode)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, content, fileMode)
	})
	if err != nil {
		t.Fatal(err)
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
