package decisionlog

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	dir := memoryDir(t)
	l := openLog(t, dir, Config{SegmentBytes: 8 << 10})
	for n := range 60 {
		mustAppend(t, l, testRecord(n))
		served := testRecord(n / 2) // an earlier decision is served again
		served.Kind, served.Payload = KindServed, nil
		mustAppend(t, l, served)
	}
	r, err := OpenReader(dir)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 60 {
		s, err := r.Find(context.Background(), testID(n))
		if err != nil || !equalRecord(s.Record, testRecord(n)) {
			t.Errorf("Find %d: %+v, %v", n, s, err)
		}
	}
	for _, absent := range []string{testID(60), idAt(startMillis-1, 0), idAt(startMillis+5, 77)} {
		if _, err := r.Find(context.Background(), absent); !errors.Is(err, ErrNotFound) {
			t.Errorf("Find %s: %v, want ErrNotFound", absent, err)
		}
	}
	for _, bad := range []string{"", "x", strings.ToUpper(idAt(0xabcdef, 1))} {
		if _, err := r.Find(context.Background(), bad); !errors.Is(err, ErrInvalid) {
			t.Errorf("Find %q: %v, want ErrInvalid", bad, err)
		}
	}
	early := testRecord(60) // two replicas: the other one's decision comes later
	early.Kind, early.Payload = KindServed, nil
	mustAppend(t, l, early, testRecord(60))
	if s, err := r.Find(context.Background(), testID(60)); err != nil || !equalRecord(s.Record, testRecord(60)) {
		t.Errorf("Find of what was appended after the reader was opened: %v", err)
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := r.Find(ended, testID(0)); !errors.Is(err, context.Canceled) {
		t.Errorf("Find with an ended context: %v", err)
	}
}

// The clock of the record and the time in the id need not agree: a slow answer, a stepped clock, an import.
func TestFindDoesNotRelyOnTheClock(t *testing.T) {
	dir := memoryDir(t)
	l := openLog(t, dir, Config{SegmentBytes: 8 << 10})
	for n := range 60 {
		r := testRecord(n)
		r.DecisionID = idAt(uint64(startMillis-n*86_400_000), uint64(n))
		mustAppend(t, l, r)
	}
	reader, err := OpenReader(dir)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 60 {
		if s, err := reader.Find(context.Background(), idAt(uint64(startMillis-n*86_400_000), uint64(n))); err != nil || s.Index != uint64(n+1) {
			t.Errorf("Find %d: %+v, %v", n, s, err)
		}
	}
}

// A decision that may lie in what cannot be read is not "not found"; one that lies elsewhere is found nevertheless.
func TestFindBesideABrokenSegment(t *testing.T) {
	dir := smallLog(t, 60, Config{SegmentBytes: 8 << 10})
	flipByte(t, segmentFiles(t, dir)[0], blockStarts(t, segmentFiles(t, dir)[0])[1].offset+blockHeaderBytes+3)
	r, err := OpenReader(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Find(context.Background(), testID(1)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("Find in the broken block: %v", err)
	}
	for _, n := range []int{0, 2, 59} {
		if _, err := r.Find(context.Background(), testID(n)); err != nil {
			t.Errorf("Find %d: %v", n, err)
		}
	}
	if _, err := r.Find(context.Background(), testID(99)); !errors.Is(err, ErrNotFound) {
		t.Errorf("Find of an id of another time: %v", err)
	}
	broken := 0
	for s, err := range r.All(context.Background(), 0) {
		if err != nil {
			broken++
			if !errors.Is(err, ErrCorrupt) {
				t.Errorf("All: %v", err)
			}
		} else if s.Index != 1 {
			t.Errorf("All went on to record %d", s.Index)
		}
	}
	if broken != 1 {
		t.Errorf("All gave %d errors, want 1 at the end", broken)
	}
}

// A record that refers to a profile which is not its own does not come back with it, whatever the checksums say.
func TestReaderRefusesAForeignProfile(t *testing.T) {
	for name, forge := range map[string]func(e *entry){
		"of another customer": func(e *entry) { e.carrier = 3 },
		"of another revision": func(e *entry) { e.profileSum[0] ^= 1 },
		"that is not there":   func(e *entry) { e.carrier = 11 },
		"of another segment":  func(e *entry) { e.carrier = 0; e.profileSum = Hash{1} },
	} {
		t.Run(name, func(t *testing.T) {
			dir := smallLog(t, 14, Config{})
			rewriteSegment(t, segmentFiles(t, dir)[0], func(e *entry) {
				if e.index == 12 {
					forge(e)
				}
			}, func(*blockHeader) {})
			r, err := OpenReader(dir)
			if err != nil {
				t.Fatal(err)
			}
			if s, err := r.Find(context.Background(), testID(11)); !errors.Is(err, ErrCorrupt) {
				t.Errorf("Find: profile %q, %v", s.Profile, err)
			}
			for s, err := range r.All(context.Background(), 0) {
				if s.Index >= 12 || (err != nil) != (s.Index == 0) {
					t.Errorf("All: record %d, %v", s.Index, err)
				}
			}
		})
	}
}

func TestAllSince(t *testing.T) {
	dir := smallLog(t, 60, Config{SegmentBytes: 8 << 10})
	r, err := OpenReader(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ since, want int }{{-1, 60}, {0, 60}, {1, 59}, {30, 30}, {59, 1}, {60, 0}} {
		n := 0
		for s, err := range r.All(context.Background(), testRecord(c.since).RecordedAt) {
			if err != nil {
				t.Fatal(err)
			}
			if want := testRecord(c.since + n); c.since >= 0 && !equalRecord(s.Record, want) {
				t.Errorf("since %d: record %d is %s", c.since, n, s.DecisionID)
			}
			n++
		}
		if n != c.want {
			t.Errorf("since %d: %d records, want %d", c.since, n, c.want)
		}
	}
	for _, err := range r.All(context.Background(), 0) {
		if err != nil {
			t.Errorf("All: %v", err)
		}
		break // the walk ends where its caller does
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for _, err := range r.All(ended, 0) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("All with an ended context: %v", err)
		}
	}
}

func TestOpenReaderOfNothing(t *testing.T) {
	dir := memoryDir(t)
	if _, err := OpenReader(filepath.Join(dir, "absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent directory: %v", err)
	}
	name := filepath.Join(dir, "file")
	if err := os.WriteFile(name, nil, fileMode); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenReader(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file: %v", err)
	}
	if _, err := Verify(context.Background(), filepath.Join(dir, "absent"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Verify of an absent directory: %v", err)
	}
	if got := readAll(t, dir); len(got) != 0 { // strange files are passed over
		t.Errorf("%d records in an empty directory", len(got))
	}
	if report := mustVerify(t, dir); report.Records != 0 {
		t.Errorf("report %+v", report)
	}
}

func TestVerifyTellsProgress(t *testing.T) {
	dir := smallLog(t, 60, Config{SegmentBytes: 8 << 10})
	var dones []int64
	var total int64
	report, err := Verify(context.Background(), dir, func(done, all int64) { dones, total = append(dones, done), all })
	if err != nil {
		t.Fatal(err)
	}
	if len(dones) != report.Segments || dones[len(dones)-1] != total || total != report.Bytes {
		t.Errorf("progress %v of %d, report %+v", dones, total, report)
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Verify(ended, dir, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Verify with an ended context: %v", err)
	}
}

// In one block with the decision, even before it, a record that it was served again is not taken for it.
func TestFindPassesOverServedInTheSameBlock(t *testing.T) {
	dir := memoryDir(t)
	l := openLog(t, dir, Config{})
	served := testRecord(1)
	served.Kind, served.Payload = KindServed, nil
	err := l.exclusively(context.Background(), func() error {
		var batch []*pending
		for _, r := range []Record{served, testRecord(1)} {
			id, err := r.check()
			p := &pending{hash: newHasher()}
			if err := errors.Join(err, l.prepare(p, &r, id)); err != nil {
				return err
			}
			batch = append(batch, p)
		}
		l.w.write(batch)
		return errors.Join(batch[0].err, batch[1].err)
	})
	if err != nil {
		t.Fatal(err)
	}
	if blocks := blockStarts(t, segmentFiles(t, dir)[0]); len(blocks) != 1 {
		t.Fatalf("%d blocks, want both records in one", len(blocks))
	}
	r, err := OpenReader(dir)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := r.Find(context.Background(), testID(1)); err != nil || !equalRecord(s.Record, testRecord(1)) {
		t.Errorf("Find: %+v, %v", s, err)
	}
}
