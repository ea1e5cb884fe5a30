package decisionlog

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// childEnv tells the test binary to be the program that TestKillNine kills.
const childEnv = "DECISIONLOG_TEST_CHILD"

// appendUntilKilled appends to the log in the working directory, from several goroutines, and prints each id after its
// Append returned.
func appendUntilKilled() {
	l, err := Open(".", Config{SegmentBytes: 64 << 10})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	var serial atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				r := testRecord(int(serial.Add(1)))
				if err := l.Append(context.Background(), r); err != nil {
					fmt.Fprintln(os.Stderr, err)
					return
				}
				_, _ = os.Stdout.WriteString(r.DecisionID + "\n") // one write(2), unbuffered
			}
		})
	}
	wg.Wait()
}

// A process that is killed while it appends leaves every record that it answered for, and a chain that is whole.
func TestKillNine(t *testing.T) {
	dir := memoryDir(t)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	answered := map[string]bool{}
	for _, enough := range []int{1, 50, 700, 1500} {
		child := exec.Command(program)
		child.Env = append(os.Environ(), childEnv+"=1")
		child.Dir = dir
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		n := 0
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if line := lines.Text(); len(line) == DecisionIDLength {
				answered[line] = true
			}
			if n++; n == enough {
				_ = child.Process.Kill()
			}
		}
		_ = child.Wait()
		if n < enough {
			t.Fatalf("the child ended after %d records", n)
		}
	}
	l := openLog(t, dir, Config{})
	mustAppend(t, l, testRecord(1_000_000))
	mustClose(t, l)
	mustVerify(t, dir)
	found := map[string]bool{}
	for _, s := range readAll(t, dir) {
		found[s.DecisionID] = true
	}
	for id := range answered {
		if !found[id] {
			t.Errorf("%s was answered and is not in the log", id)
		}
	}
}

// A file that ends anywhere inside its last block: Verify names that block's first record, Open sets the rest aside and
// goes on, nothing else is lost.
func TestTornTailAtEveryByte(t *testing.T) {
	const whole = 3
	source := smallLog(t, whole+1, Config{})
	name := filepath.Join(filepath.Base(writerDir("", 1)), filepath.Base(segmentFiles(t, source)[0]))
	content, err := os.ReadFile(filepath.Join(source, name))
	if err != nil {
		t.Fatal(err)
	}
	starts := blockStarts(t, filepath.Join(source, name))
	last := starts[whole].offset
	for size := last + 1; size < int64(len(content)); size++ {
		dir := memoryDir(t)
		path := filepath.Join(dir, name)
		overwrite(t, path, content[:size])
		if size%16 == 0 { // Verify waits a little for a live writer
			var broken *BrokenError
			if _, err := Verify(context.Background(), dir, nil); !errors.As(err, &broken) || broken.Index != whole+1 || broken.Offset != last ||
				broken.Writer != 1 || broken.Segment != 1 {
				t.Fatalf("cut to %d bytes: Verify says %v", size, err)
			}
		}
		if got := len(readAll(t, dir)); got != whole {
			t.Fatalf("cut to %d bytes: a reader sees %d records", size, got)
		}
		checkTornRecovery(t, dir, content[last:size], last)
	}
}

func blockStarts(t *testing.T, path string) []mark {
	t.Helper()
	s, err := openSegment(place{path: path, writer: 1, number: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.release()
	for {
		h, err := s.nextBlock()
		if err != nil {
			return s.passed
		}
		if err := s.skip(&h); err != nil {
			t.Fatal(err)
		}
	}
}

func checkTornRecovery(t *testing.T, dir string, torn []byte, offset int64) {
	t.Helper()
	l, err := Open(dir, Config{})
	if err != nil {
		t.Fatalf("%d torn bytes: Open: %v", len(torn), err)
	}
	got := l.Recovery()
	if aside, err := os.ReadFile(got.Torn); err != nil || !bytes.Equal(aside, torn) || got.Offset != offset || got.Bytes != int64(len(torn)) {
		t.Fatalf("%d torn bytes: recovery %+v, %d bytes set aside, %v", len(torn), got, len(aside), err)
	}
	mustAppend(t, l, testRecord(99))
	mustClose(t, l)
	report := mustVerify(t, dir)
	if report.Records != 4 || report.Segments != 2 || len(report.Writers[0].Torn) != 1 {
		t.Fatalf("%d torn bytes: report %+v", len(torn), report)
	}
}

// After a loss of power pages that were not synced may be missing in the middle: all from the first break on is set
// aside. A break before bytes that are known to have been on the disk is no trace of a crash, and Open refuses.
func TestOpenTellsTornFromBroken(t *testing.T) {
	for _, c := range []struct {
		name   string
		synced bool
	}{{"not synced", false}, {"synced", true}} {
		t.Run(c.name, func(t *testing.T) {
			dir := memoryDir(t)
			l := openLog(t, dir, Config{SyncEachAnswer: c.synced, SyncEvery: maxSyncEvery})
			mustAppend(t, l, records(0, 6)...)
			mustClose(t, l)
			path := segmentFiles(t, dir)[0]
			hole := blockStarts(t, path)[2]
			flipByte(t, path, hole.offset+blockHeaderBytes+5)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			l, err = Open(dir, Config{})
			if !c.synced {
				if err != nil {
					t.Fatal(err)
				}
				mustClose(t, l)
				if report := mustVerify(t, dir); report.Records != 2 {
					t.Errorf("report %+v", report)
				}
				return
			}
			var broken *BrokenError
			if !errors.As(err, &broken) || broken.Index != 3 || broken.Offset != hole.offset {
				t.Errorf("Open: %v", err)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, before) {
				t.Errorf("Open changed a segment that it refused: %v", err)
			}
		})
	}
}

func flipByte(tb testing.TB, path string, offset int64) {
	tb.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	content[offset] ^= 1 << (offset % 8)
	overwrite(tb, path, content)
}

// One bit that changes anywhere in any segment is found, and the report names the file.
func TestVerifyFindsEveryFlippedBit(t *testing.T) {
	dir := memoryDir(t)
	l := openLog(t, dir, Config{SegmentBytes: minSegmentBytes})
	mustAppend(t, l, records(0, 20)...)
	mustClose(t, l)
	paths := segmentFiles(t, dir)
	if len(paths) < 2 {
		t.Fatal("want several segments")
	}
	contents := make([][]byte, len(paths))
	for i, path := range paths {
		var err error
		if contents[i], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		i := rapid.IntRange(0, len(paths)-1).Draw(rt, "segment")
		bit := rapid.IntRange(0, len(contents[i])*8-1).Draw(rt, "bit")
		flipped := append([]byte(nil), contents[i]...)
		flipped[bit/8] ^= 1 << (bit % 8)
		if err := os.WriteFile(paths[i], flipped, fileMode); err != nil {
			rt.Fatal(err)
		}
		_, err := Verify(context.Background(), dir, nil)
		if err := os.WriteFile(paths[i], contents[i], fileMode); err != nil {
			rt.Fatal(err)
		}
		var broken *BrokenError
		if !errors.As(err, &broken) && !errors.Is(err, ErrNewerFormat) {
			rt.Fatalf("bit %d of segment %d: Verify says %v", bit, i+1, err)
		}
		if broken != nil && broken.Path != paths[i] {
			rt.Fatalf("bit %d of segment %d: %v", bit, i+1, err)
		}
	})
	mustVerify(t, dir)
}

// Someone who makes the checksums right again is still found out by commitments, links and numbers.
func TestVerifyFindsForgery(t *testing.T) {
	forge := func(change func(e *entry)) func(t *testing.T, dir string) {
		t.Helper()
		return func(t *testing.T, dir string) {
			t.Helper()
			rewriteSegment(t, segmentFiles(t, dir)[0], change, func(*blockHeader) {})
		}
	}
	forgeHead := func(change func(h *blockHeader)) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			t.Helper()
			rewriteSegment(t, segmentFiles(t, dir)[0], func(*entry) {}, change)
		}
	}
	for _, c := range []struct {
		name  string
		forge func(t *testing.T, dir string)
		want  string
		index uint64
	}{
		{"payload", forge(func(e *entry) {
			if e.index == 2 {
				e.payload[0] ^= 1
			}
		}), "payload differs", 2},
		{"customer", forge(func(e *entry) {
			if e.index == 3 {
				e.customerID[0] = 'X'
			}
		}), "customer id differs", 3},
		{"profile", forge(func(e *entry) {
			if e.index == 1 {
				e.profile[0] ^= 1
			}
		}), "profile differs", 1},
		{"time", forge(func(e *entry) {
			if e.index == 2 {
				e.decidedAt++
			}
		}), "chain", 2},
		{"profile reference", forge(func(e *entry) {
			if e.index == 11 {
				e.carrier = 2
			}
		}), "profile is not in record 2", 11},
		{"times of a block", forgeHead(func(h *blockHeader) {
			if h.first == 2 {
				h.span.maxID++
			}
		}), "times differ", 2},
		{"number of a block", forgeHead(func(h *blockHeader) {
			if h.first == 2 {
				h.first++
			}
		}), "block begins with record 3, want 2", 2},
		{"durable bytes", forgeHead(func(h *blockHeader) {
			if h.first == 2 {
				h.durable = 1 << 40
			}
		}), "on the disk before it", 2},
		{"seal", forgeHead(func(h *blockHeader) {
			if h.kind == blockSeal {
				h.span.minRecorded--
			}
		}), "seal differs", 0},
		{"segment of another log", func(t *testing.T, dir string) {
			t.Helper()
			later := func() time.Time { return fixedClock().Add(time.Hour) }
			other := smallLog(t, 30, Config{SegmentBytes: 8 << 10, Random: bytes.NewReader(incompressible(48 * 30)), Now: later})
			content, err := os.ReadFile(segmentFiles(t, other)[1])
			if err != nil {
				t.Fatal(err)
			}
			overwrite(t, segmentFiles(t, dir)[1], content)
		}, "chain of the segment before", 0},
		{"segment missing", func(t *testing.T, dir string) {
			t.Helper()
			if err := os.Remove(segmentFiles(t, dir)[1]); err != nil {
				t.Fatal(err)
			}
		}, "segment 2 is missing", 0},
		{"first segment missing", func(t *testing.T, dir string) {
			t.Helper()
			if err := os.Remove(segmentFiles(t, dir)[0]); err != nil {
				t.Fatal(err)
			}
		}, "segment 1 is missing", 1},
		{"end of a segment that has a successor", func(t *testing.T, dir string) {
			t.Helper()
			path := segmentFiles(t, dir)[0]
			starts := blockStarts(t, path)
			if err := os.Truncate(path, starts[len(starts)-1].offset); err != nil {
				t.Fatal(err)
			}
		}, "without a seal", 0},
		{"segment renamed", func(t *testing.T, dir string) {
			t.Helper()
			paths := segmentFiles(t, dir)
			if err := os.Rename(paths[0], paths[1]); err != nil {
				t.Fatal(err)
			}
		}, "header says writer 1, segment 1", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := smallLog(t, 30, Config{SegmentBytes: 8 << 10, Random: bytes.NewReader(incompressible(48 * 30))})
			mustVerify(t, dir)
			c.forge(t, dir)
			_, err := Verify(context.Background(), dir, nil)
			var broken *BrokenError
			if !errors.As(err, &broken) || !strings.Contains(broken.Reason, c.want) || c.index != 0 && broken.Index != c.index {
				t.Fatalf("Verify says %v, want %q at record %d", err, c.want, c.index)
			}
		})
	}
}

// rewriteSegment changes entries and block headers and makes all checksums right again; the chain stays.
func rewriteSegment(t *testing.T, path string, change func(e *entry), changeHead func(h *blockHeader)) {
	t.Helper()
	s, err := openSegment(place{path: path, writer: 1, number: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.release()
	out := s.header.encode()
	for {
		h, err := s.nextBlock()
		b := block{head: h}
		b.head.durable = 0
		changeHead(&b.head)
		if err != nil {
			if s.sealed {
				out = append(out, b.sealed()...)
			}
			break
		}
		body, err := s.body(&h)
		if err != nil {
			t.Fatal(err)
		}
		err = eachEntry(body, h.first, h.count, func(e *entry) error {
			change(e)
			b.raw = e.append(b.raw)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		b.finish()
		out = append(out, b.out...)
	}
	overwrite(t, path, out)
}

func TestNewerFormatIsRefused(t *testing.T) {
	dir := smallLog(t, 2, Config{})
	path := segmentFiles(t, dir)[0]
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	content[8] = formatVersion + 1
	overwrite(t, path, content)
	if _, err := Open(dir, Config{}); !errors.Is(err, ErrNewerFormat) {
		t.Errorf("Open: %v", err)
	}
	if _, err := Verify(context.Background(), dir, nil); !errors.Is(err, ErrNewerFormat) {
		t.Errorf("Verify: %v", err)
	}
	r, err := OpenReader(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Find(context.Background(), testID(0)); !errors.Is(err, ErrNewerFormat) {
		t.Errorf("Find: %v", err)
	}
}

// A write that fails leaves no trace, and the log goes on when there is space again.
func TestFullDisk(t *testing.T) {
	for _, shortBy := range []int{0, 1, 50, 1 << 20} {
		t.Run(fmt.Sprintf("short by %d", shortBy), func(t *testing.T) {
			disk := &faultyDisk{shortBy: shortBy}
			dir := memoryDir(t)
			l := openLog(t, dir, Config{open: disk.open})
			disk.write = func() error { return syscall.ENOSPC }
			if err := l.Append(context.Background(), testRecord(0)); !errors.Is(err, ErrFull) || !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("Append without a segment: %v", err)
			}
			disk.write = nil
			mustAppend(t, l, records(0, 3)...)
			disk.write = func() error { return syscall.ENOSPC }
			for n := 3; n < 6; n++ {
				if err := l.Append(context.Background(), testRecord(n)); !errors.Is(err, ErrFull) {
					t.Fatalf("Append on a full disk: %v", err)
				}
				mustVerify(t, dir)
			}
			disk.write = nil
			mustAppend(t, l, records(13, 20)...) // customer 3 again: the profile of the failed block is not relied on
			mustClose(t, l)
			if report := mustVerify(t, dir); report.Records != 10 {
				t.Errorf("report %+v", report)
			}
			for _, s := range readAll(t, dir) {
				if string(s.Profile) != "profile of "+s.CustomerID {
					t.Errorf("record %d has the profile %q", s.Index, s.Profile)
				}
			}
		})
	}
}

// Where not even cutting back succeeds, or fsync fails, the log says so from then on; opening it again mends it.
func TestDiskThatCannotBeTrustedIsRefused(t *testing.T) {
	fail := func() error { return errDisk }
	for _, c := range []struct {
		name   string
		cfg    Config
		breaks func(d *faultyDisk)
		keeps  int
	}{
		{"truncate", Config{}, func(d *faultyDisk) { d.write, d.truncate, d.shortBy = fail, fail, 7 }, 3},
		{"fsync before the answer", Config{SyncEachAnswer: true}, func(d *faultyDisk) { d.sync = fail }, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			disk := &faultyDisk{}
			dir := memoryDir(t)
			c.cfg.open = disk.open
			l := openLog(t, dir, c.cfg)
			mustAppend(t, l, records(0, 3)...)
			c.breaks(disk)
			if err := l.Append(context.Background(), testRecord(3)); !errors.Is(err, ErrRefused) || !errors.Is(err, errDisk) {
				t.Errorf("Append: %v", err)
			}
			*disk = faultyDisk{}
			for n := 4; n < 6; n++ {
				if err := l.Append(context.Background(), testRecord(n)); !errors.Is(err, ErrRefused) || !errors.Is(err, errDisk) {
					t.Errorf("Append after the failure: %v", err)
				}
			}
			if err := l.Close(); !errors.Is(err, ErrRefused) {
				t.Errorf("Close: %v", err)
			}
			l = openLog(t, dir, Config{})
			mustAppend(t, l, testRecord(9))
			mustClose(t, l)
			if report := mustVerify(t, dir); report.Records != uint64(c.keeps+1) {
				t.Errorf("report %+v", report)
			}
		})
	}
}

// Before it goes on in a segment, Open makes sure that what is in it is on the disk.
func TestOpenRefusesADiskThatDoesNotSync(t *testing.T) {
	dir := smallLog(t, 3, Config{})
	disk := &faultyDisk{sync: func() error { return errDisk }}
	if l, err := Open(dir, Config{open: disk.open}); !errors.Is(err, ErrRefused) || !errors.Is(err, errDisk) {
		t.Errorf("Open: %v, %v", l, err)
	}
	mustClose(t, openLog(t, dir, Config{})) // writer 1 was given free
	if report := mustVerify(t, dir); len(report.Writers) != 1 {
		t.Errorf("report %+v", report)
	}
}

func TestFailedTimedSyncIsReportedByTheNextAppend(t *testing.T) {
	var failed atomic.Bool
	disk := &faultyDisk{}
	l := openLog(t, memoryDir(t), Config{open: disk.open, SyncEvery: minSyncEvery})
	mustAppend(t, l, testRecord(0))
	for l.w.tail.durable.Load() != l.w.tail.written.Load() {
		runtime.Gosched()
	}
	l.w.mu.Lock()
	disk.sync = func() error { failed.Store(true); return errDisk }
	l.w.mu.Unlock()
	mustAppend(t, l, testRecord(1))
	for !failed.Load() || l.w.refused.Load() == nil {
		runtime.Gosched()
	}
	if err := l.Append(context.Background(), testRecord(2)); !errors.Is(err, ErrRefused) {
		t.Errorf("Append: %v", err)
	}
}

// A real file system that fills up: answered records are whole, the others are not there, space brings the log back.
func TestRealFullDisk(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("mounting a tmpfs of 256 KiB needs root")
	}
	dir := memoryDir(t)
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("cannot mount a tmpfs of 256 KiB: %v", err)
	}
	defer func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	}()
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 64<<10), fileMode); err != nil {
		t.Fatal(err)
	}
	l := openLog(t, dir, Config{SegmentBytes: 32 << 10})
	n, full := 0, error(nil)
	for ; full == nil && n < 10000; n++ {
		full = l.Append(context.Background(), testRecord(n))
	}
	if !errors.Is(full, ErrFull) || !errors.Is(full, syscall.ENOSPC) {
		t.Fatalf("after %d records: %v", n, full)
	}
	answered := uint64(n - 1)
	if report := mustVerify(t, dir); report.Records != answered {
		t.Errorf("report %+v, want %d records", report, answered)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, l, records(n, n+20)...)
	mustClose(t, l)
	if report := mustVerify(t, dir); report.Records != answered+20 {
		t.Errorf("report %+v, want %d records", report, answered+20)
	}
}
