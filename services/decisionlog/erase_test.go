package decisionlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// eraseLog writes records of ten customers in several segments and leaves the log open.
func eraseLog(t *testing.T, dir string, cfg Config) *Log {
	t.Helper()
	cfg.SegmentBytes = 8 << 10
	l := openLog(t, dir, cfg)
	mustAppend(t, l, records(0, 60)...)
	return l
}

// filesWith gives the files that hold the bytes, as they are or in the body of a block.
func filesWith(t *testing.T, dir string, want []byte) []string {
	t.Helper()
	var hits []string
	root := os.DirFS(dir)
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		path := filepath.Join(dir, name)
		if bytes.Contains(content, want) || bytes.Contains(bodies(path), want) {
			hits = append(hits, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return hits
}

// bodies gives the decompressed blocks of what may be a segment.
func bodies(path string) []byte {
	var at place
	if _, err := fmt.Sscanf(filepath.Base(path), "%d", &at.number); err != nil {
		return nil
	}
	_, _ = fmt.Sscanf(filepath.Base(filepath.Dir(path)), writerPrefix+"%d", &at.writer)
	at.path = path
	s, err := openSegment(at)
	if err != nil {
		return nil
	}
	defer s.release()
	var all []byte
	for {
		h, err := s.nextBlock()
		if err != nil {
			return all
		}
		body, err := s.body(&h)
		if err != nil {
			return all
		}
		all = append(all, body...)
	}
}

// checkErased: the customer's values are nowhere, everybody else's are as they were, the chain is whole.
func checkErased(t *testing.T, dir, customer string, before []Stored, chains []WriterReport) {
	t.Helper()
	report := mustVerify(t, dir)
	after := readAll(t, dir)
	if len(after) < len(before) {
		t.Fatalf("%d records after erasure, %d before", len(after), len(before))
	}
	erased := 0
	for i, was := range before {
		is := after[i]
		if is.DecisionID != was.DecisionID || is.DecidedAt != was.DecidedAt || is.RecordedAt != was.RecordedAt || is.Kind != was.Kind ||
			is.Commitment != was.Commitment || is.ProfileCommitment != was.ProfileCommitment || is.Index != was.Index {
			t.Errorf("record %d: its public part changed from %+v to %+v", was.Index, was, is)
		}
		if was.CustomerID != customer {
			if is.Erased != was.Erased || !equalRecord(is.Record, was.Record) {
				t.Errorf("record %d of %s changed", was.Index, was.CustomerID)
			}
			continue
		}
		erased++
		if !is.Erased || is.CustomerID != "" || is.Profile != nil || is.Payload != nil {
			t.Errorf("record %d is not erased: %+v", was.Index, is)
		}
		for _, value := range [][]byte{[]byte(customer), was.Profile, was.Payload[:40], was.Payload[100:140]} {
			if hits := filesWith(t, dir, value); hits != nil {
				t.Errorf("record %d: %.20q is still in %v", was.Index, value, hits)
			}
		}
	}
	if erased == 0 {
		t.Error("the customer had no records: the test tests nothing")
	}
	for i, chain := range chains {
		if got := report.Writers[i]; got.Records == chain.Records && got.Segments == chain.Segments && got.Chain != chain.Chain {
			t.Errorf("writer %d: the chain changed", chain.Writer)
		}
	}
}

func TestErase(t *testing.T) {
	const customer = "CUSTOMER03"
	dir := memoryDir(t)
	l := eraseLog(t, dir, Config{})
	before, whole := readAll(t, dir), mustVerify(t, dir)
	if len(filesWith(t, dir, []byte(customer))) == 0 || len(filesWith(t, dir, testRecord(3).Payload[:40])) == 0 {
		t.Fatal("the values are not found before erasure: the search does not work")
	}
	// An erasure of somebody else was interrupted and left a copy that still holds this customer.
	overwrite(t, segmentPath(writerDir(dir, 1), 99)+tempSuffix, testRecord(3).Payload)
	if n, err := l.Erase(context.Background(), customer); n != 6 || err != nil {
		t.Fatalf("Erase: %d, %v, want 6 records", n, err)
	}
	checkErased(t, dir, customer, before, whole.Writers)
	if n, err := l.Erase(context.Background(), customer); n != 0 || err != nil {
		t.Errorf("a second Erase: %d, %v", n, err)
	}
	r, err := OpenReader(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := r.Find(context.Background(), testID(3))
	if !errors.Is(err, ErrErased) || s.DecisionID != testID(3) || s.DecidedAt != testRecord(3).DecidedAt || s.Commitment != before[3].Commitment {
		t.Errorf("Find: %+v, %v", s, err)
	}
	mustAppend(t, l, records(60, 70)...) // the customer comes back
	mustClose(t, l)
	if report := mustVerify(t, dir); report.Records != 70 || report.Erased != 6 {
		t.Errorf("report %+v", report)
	}
	if s, err := r.Find(context.Background(), testID(63)); err != nil || !equalRecord(s.Record, testRecord(63)) {
		t.Errorf("Find after erasure: %v", err)
	}
	for _, bad := range []string{"", strings.Repeat("x", MaxCustomerIDBytes+1)} {
		if _, err := l.Erase(context.Background(), bad); !errors.Is(err, ErrInvalid) {
			t.Errorf("Erase of %d bytes: %v", len(bad), err)
		}
	}
}

// Records in the segment that goes on after Open, in those of a writer that nobody holds (with a torn end), and in that
// of a live writer: all are erased.
func TestEraseReachesAllWriters(t *testing.T) {
	const customer = "CUSTOMER04"
	dir := memoryDir(t)
	live, left := openLog(t, dir, Config{}), openLog(t, dir, Config{})
	mustAppend(t, live, records(0, 20)...)
	mustAppend(t, left, records(20, 40)...)
	mustClose(t, left)
	before := readAll(t, dir)
	path := segmentFiles(t, dir)[1]
	torn := append([]byte(blockMagic), "half a block of CUSTOMER04"...)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = f.Write(torn); err != nil {
		t.Fatal(err)
	}
	f.Close()

	third, fourth := openLog(t, dir, Config{}), openLog(t, dir, Config{}) // third takes writer 2 and sets its end aside
	if third.Recovery().Bytes != int64(len(torn)) {
		t.Fatalf("recovery %+v", third.Recovery())
	}
	mustAppend(t, third, records(40, 50)...)
	mustClose(t, third)
	if n, err := fourth.Erase(context.Background(), customer); n != 5 || err != nil {
		t.Fatalf("Erase: %d, %v, want 5 records", n, err)
	}
	checkErased(t, dir, customer, before[:20], nil)
	if hits := filesWith(t, dir, []byte(customer)); hits != nil {
		t.Errorf("still in %v", hits)
	}
	aside, err := os.ReadFile(third.Recovery().Torn)
	if err != nil || !strings.HasPrefix(string(aside), tornNote+": 30 bytes, SHA-256 ") {
		t.Errorf("set aside: %q, %v", aside, err)
	}
	if n, err := fourth.Erase(context.Background(), customer); n != 0 || err != nil {
		t.Errorf("a second Erase: %d, %v", n, err)
	}
	if again, err := os.ReadFile(third.Recovery().Torn); err != nil || !bytes.Equal(aside, again) {
		t.Errorf("the note changed to %q, %v", again, err)
	}
	mustAppend(t, live, records(50, 60)...)
	mustClose(t, live)
	mustVerify(t, dir)
}

// Stopped at any step, the log is whole, old or new, and erasing again finishes.
func TestEraseSurvivesACrashAtEveryStep(t *testing.T) {
	const customer = "CUSTOMER05"
	dir := memoryDir(t)
	stops := map[string]string{}
	cfg := Config{atStep: func(step string) {
		stops[fmt.Sprintf("%02d %s", len(stops), step)] = copyDir(t, dir)
	}}
	l := eraseLog(t, dir, cfg)
	before := readAll(t, dir)
	if n, err := l.Erase(context.Background(), customer); n != 6 || err != nil {
		t.Fatalf("Erase: %d, %v", n, err)
	}
	if len(stops) < 10 {
		t.Fatalf("only %d steps seen", len(stops))
	}
	for step, stopped := range stops {
		t.Run(step, func(t *testing.T) {
			mustVerify(t, stopped)
			again := openLog(t, stopped, Config{})
			if _, err := again.Erase(context.Background(), customer); err != nil {
				t.Fatal(err)
			}
			checkErased(t, stopped, customer, before, nil)
			mustClose(t, again)
			temps, err := filepath.Glob(filepath.Join(stopped, "*", "*"+tempSuffix))
			if err != nil || temps != nil {
				t.Errorf("left behind: %v, %v", temps, err)
			}
		})
	}
}

// A writer that holds its segment and does not answer: the erasure says so and leaves the segment as it was. When its
// process ends meanwhile, the erasure does its work.
func TestEraseBesideAWriterThatHangs(t *testing.T) {
	for _, ends := range []bool{false, true} {
		t.Run(fmt.Sprintf("its process ends %v", ends), func(t *testing.T) {
			const customer = "CUSTOMER06"
			dir := smallLog(t, 10, Config{})
			before := readAll(t, dir)
			hung, err := tryLock(filepath.Join(writerDir(dir, 1), lockName))
			if err != nil {
				t.Fatal(err)
			}
			defer hung.Close()
			l := openLog(t, dir, Config{})
			ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
			if ends {
				ctx, cancel = context.WithTimeout(context.Background(), rotateWait)
				fd, released := int(hung.Fd()), make(chan struct{})
				time.AfterFunc(50*time.Millisecond, func() { defer close(released); _ = unix.Flock(fd, unix.LOCK_UN) })
				defer func() { <-released }()
			}
			defer cancel()
			n, err := l.Erase(ctx, customer)
			if !ends {
				if n != 0 || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("Erase: %d, %v", n, err)
				}
				return
			}
			if n != 1 || err != nil {
				t.Fatalf("Erase: %d, %v", n, err)
			}
			checkErased(t, dir, customer, before, nil)
		})
	}
}

// A broken segment is left as it is and named; the others are erased nevertheless.
func TestEraseNamesABrokenSegment(t *testing.T) {
	const customer = "CUSTOMER07"
	dir := memoryDir(t)
	l := eraseLog(t, dir, Config{})
	path := segmentFiles(t, dir)[0]
	flipByte(t, path, 500)
	was, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n, err := l.Erase(context.Background(), customer)
	var broken *BrokenError
	if !errors.As(err, &broken) || broken.Path != path || n == 0 || n >= 6 {
		t.Errorf("Erase: %d, %v", n, err)
	}
	if is, err := os.ReadFile(path); err != nil || !bytes.Equal(is, was) {
		t.Errorf("the broken segment changed: %v", err)
	}
}

// Erasing while others append loses none of their records.
func TestEraseBesideAppends(t *testing.T) {
	dir := memoryDir(t)
	l := eraseLog(t, dir, Config{})
	other := openLog(t, dir, Config{SegmentBytes: 8 << 10})
	mustAppend(t, other, records(60, 80)...)
	done := make(chan error, 2)
	for i, log := range []*Log{l, other} {
		go func() {
			var err error
			for n := 100 + 200*i; n < 300+200*i && err == nil; n++ {
				r := testRecord(n)
				r.CustomerID = "SOMEBODY"
				err = log.Append(context.Background(), r)
			}
			done <- err
		}()
	}
	if n, err := l.Erase(context.Background(), "CUSTOMER08"); n != 8 || err != nil {
		t.Errorf("Erase: %d, %v, want 8 records", n, err)
	}
	if err := errors.Join(<-done, <-done); err != nil {
		t.Fatal(err)
	}
	mustClose(t, l)
	mustClose(t, other)
	if report := mustVerify(t, dir); report.Records != 480 || report.Erased != 8 {
		t.Errorf("report %+v", report)
	}
}
