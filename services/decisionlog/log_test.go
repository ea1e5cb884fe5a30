package decisionlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestRoundTrip(t *testing.T) {
	dir := memoryDir(t)
	l := openLog(t, dir, Config{})
	want := records(0, 25)
	want[3].Profile = nil
	want[4].Payload = nil
	want[5].CustomerID = strings.Repeat("x", MaxCustomerIDBytes)
	want[6].Kind = KindServed
	want[7].RecordedAt = 0
	mustAppend(t, l, want...)
	want[7].RecordedAt = fixedClock().UnixMicro()

	for pass, name := range []string{"while open", "closed"} {
		if pass == 1 {
			mustClose(t, l)
		}
		got := readAll(t, dir)
		if len(got) != len(want) {
			t.Fatalf("%s: %d records, want %d", name, len(got), len(want))
		}
		for i, s := range got {
			if s.Index != uint64(i+1) || s.Writer != 1 || s.Segment != 1 || s.Erased {
				t.Errorf("%s: record %d stands at writer %d, segment %d, index %d", name, i, s.Writer, s.Segment, s.Index)
			}
			if !equalRecord(s.Record, want[i]) {
				t.Errorf("%s: record %d differs: %s", name, i, cmp.Diff(want[i], s.Record))
			}
		}
	}
	report := mustVerify(t, dir)
	if report.Records != 25 || report.Segments != 1 || report.Erased != 0 || len(report.Writers) != 1 {
		t.Errorf("report %+v", report)
	}
}

func equalRecord(a, b Record) bool {
	return a.DecisionID == b.DecisionID && a.DecidedAt == b.DecidedAt && a.RecordedAt == b.RecordedAt && a.Kind == b.Kind &&
		a.CustomerID == b.CustomerID && bytes.Equal(a.Profile, b.Profile) && bytes.Equal(a.Payload, b.Payload)
}

// Any sequence of records, reopenings and segment sizes is read back as it was, and found by id.
func TestRoundTripProperty(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir := memoryDir(t)
		cfg := Config{SegmentBytes: rapid.Int64Range(minSegmentBytes, 32<<10).Draw(rt, "segment"), MaxProfiles: rapid.IntRange(2, 8).Draw(rt, "profiles")}
		var want []Record
		for range rapid.IntRange(1, 3).Draw(rt, "openings") {
			l, err := Open(dir, cfg)
			if err != nil {
				rt.Fatal(err)
			}
			for range rapid.IntRange(0, 12).Draw(rt, "records") {
				r := testRecord(len(want))
				r.CustomerID = rapid.SampledFrom([]string{"A", "B", "C"}).Draw(rt, "customer")
				r.Profile = []byte(rapid.SampledFrom([]string{"", "one", "two"}).Draw(rt, "profile"))
				r.Payload = bytes.Repeat([]byte{byte(len(want))}, rapid.IntRange(0, 5000).Draw(rt, "payload"))
				if err := l.Append(context.Background(), r); err != nil {
					rt.Fatal(err)
				}
				want = append(want, r)
			}
			if err := l.Close(); err != nil {
				rt.Fatal(err)
			}
		}
		r, err := OpenReader(dir)
		if err != nil {
			rt.Fatal(err)
		}
		for _, w := range want {
			got, err := r.Find(context.Background(), w.DecisionID)
			if err != nil || !equalRecord(got.Record, w) {
				rt.Fatalf("Find %s: %v, %s", w.DecisionID, err, cmp.Diff(w, got.Record))
			}
		}
		if report, err := Verify(context.Background(), dir, nil); err != nil || report.Records != uint64(len(want)) {
			rt.Fatalf("Verify: %+v, %v, want %d records", report, err, len(want))
		}
	})
}

func TestAppendRefusesWhatIsPastTheLimits(t *testing.T) {
	l := openLog(t, memoryDir(t), Config{})
	for _, c := range []struct {
		name   string
		change func(r *Record)
		field  string
	}{
		{"id empty", func(r *Record) { r.DecisionID = "" }, "decision id"},
		{"id upper case", func(r *Record) { r.DecisionID = strings.ToUpper(r.DecisionID) }, "decision id"},
		{"id version 4", func(r *Record) { r.DecisionID = "f47ac10b-58cc-4372-a567-0e02b2c3d479" }, "decision id"},
		{"id variant", func(r *Record) { r.DecisionID = "018f0000-0000-7000-0000-000000000000" }, "decision id"},
		{"id in braces", func(r *Record) { r.DecisionID = "{" + r.DecisionID + "}" }, "decision id"},
		{"id without dashes", func(r *Record) { r.DecisionID = strings.ReplaceAll(r.DecisionID, "-", "0") }, "decision id"},
		{"kind 0", func(r *Record) { r.Kind = 0 }, "kind"},
		{"kind 3", func(r *Record) { r.Kind = 3 }, "kind"},
		{"decided at 0", func(r *Record) { r.DecidedAt = 0 }, "decided at"},
		{"recorded before 1970", func(r *Record) { r.RecordedAt = -1 }, "recorded at"},
		{"no customer", func(r *Record) { r.CustomerID = "" }, "customer id"},
		{"customer too long", func(r *Record) { r.CustomerID = strings.Repeat("x", MaxCustomerIDBytes+1) }, "customer id"},
		{"profile too large", func(r *Record) { r.Profile = make([]byte, MaxProfileBytes+1) }, "profile"},
		{"payload too large", func(r *Record) { r.Payload = make([]byte, MaxPayloadBytes+1) }, "payload"},
	} {
		r := testRecord(1)
		c.change(&r)
		err := l.Append(context.Background(), r)
		var invalid *InvalidError
		if !errors.As(err, &invalid) || invalid.Field != c.field || !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v, want an InvalidError of %s", c.name, err, c.field)
		}
	}
	atLimit := testRecord(2)
	atLimit.CustomerID = strings.Repeat("x", MaxCustomerIDBytes)
	atLimit.Profile = incompressible(MaxProfileBytes)
	atLimit.Payload = incompressible(MaxPayloadBytes)
	mustAppend(t, l, atLimit)
	got := readAll(t, l.dir)
	if len(got) != 1 || !equalRecord(got[0].Record, atLimit) {
		t.Fatal("the record at the limits did not come back")
	}
	mustVerify(t, l.dir)
}

func incompressible(n int) []byte {
	b := make([]byte, n)
	x := uint64(88172645463325252)
	for i := range b {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b[i] = byte(x)
	}
	return b
}

func TestOpenRefusesConfiguration(t *testing.T) {
	for _, c := range []struct {
		cfg   Config
		field string
	}{
		{Config{SegmentBytes: minSegmentBytes - 1}, "SegmentBytes"},
		{Config{SegmentBytes: maxSegmentBytes + 1}, "SegmentBytes"},
		{Config{SyncEvery: minSyncEvery - 1}, "SyncEvery"},
		{Config{SyncEvery: maxSyncEvery + 1}, "SyncEvery"},
		{Config{MaxProfiles: 1}, "MaxProfiles"},
		{Config{MaxProfiles: maxProfiles + 1}, "MaxProfiles"},
	} {
		l, err := Open(memoryDir(t), c.cfg)
		var invalid *InvalidError
		if !errors.As(err, &invalid) || invalid.Field != c.field {
			t.Errorf("%+v: %v, %v", c.cfg, l, err)
		}
	}
	for _, cfg := range []Config{
		{SegmentBytes: minSegmentBytes, SyncEvery: minSyncEvery, MaxProfiles: minProfiles},
		{SegmentBytes: maxSegmentBytes, SyncEvery: maxSyncEvery, MaxProfiles: maxProfiles},
	} {
		mustClose(t, openLog(t, memoryDir(t), cfg))
	}
}

// Many callers at once: every answered record is there once, the chain is whole, one reader watches all the while.
func TestConcurrentAppendersAndReader(t *testing.T) {
	for _, each := range []bool{false, true} {
		t.Run(fmt.Sprintf("sync each answer %v", each), func(t *testing.T) {
			const callers, perCaller = 32, 60
			dir := memoryDir(t)
			l := openLog(t, dir, Config{SegmentBytes: 64 << 10, SyncEachAnswer: each})
			var wg sync.WaitGroup
			var answered atomic.Int64
			for c := range callers {
				wg.Go(func() {
					for i := range perCaller {
						if err := l.Append(context.Background(), testRecord(c*perCaller+i)); err != nil {
							t.Errorf("Append: %v", err)
							return
						}
						answered.Add(1)
					}
				})
			}
			watched := make(chan struct{})
			go func() {
				defer close(watched)
				for answered.Load() < callers*perCaller && !t.Failed() {
					before := int(answered.Load())
					if got := len(readAll(t, dir)); got < before {
						t.Errorf("a reader sees %d records after %d were answered", got, before)
					}
					if _, err := Verify(context.Background(), dir, nil); err != nil {
						t.Errorf("Verify beside a writer: %v", err)
					}
				}
			}()
			wg.Wait()
			<-watched
			mustClose(t, l)
			var ids []string
			for _, s := range readAll(t, dir) {
				ids = append(ids, s.DecisionID)
			}
			slices.Sort(ids)
			if got := len(slices.Compact(ids)); got != callers*perCaller || len(ids) != got {
				t.Fatalf("%d records of %d ids, want %d", len(ids), got, callers*perCaller)
			}
			if report := mustVerify(t, dir); report.Segments < 2 {
				t.Errorf("%d segments: the log did not rotate", report.Segments)
			}
		})
	}
}

// The same profile is written once a segment, however often its customer asks, and every record reads it back.
func TestProfileIsSealedOnceASegment(t *testing.T) {
	dir := memoryDir(t)
	l := openLog(t, dir, Config{})
	profile := incompressible(20000)
	for n := range 50 {
		r := testRecord(n)
		r.CustomerID, r.Profile = "ONE", profile
		mustAppend(t, l, r)
	}
	other := testRecord(50)
	other.CustomerID, other.Profile = "TWO", profile // the same bytes of another customer are another profile
	mustAppend(t, l, other)
	mustClose(t, l)
	info, err := os.Stat(segmentFiles(t, dir)[0])
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() < 2*20000 || info.Size() > 2*20000+51*1000 {
		t.Errorf("segment of %d bytes: want the profile twice, not 51 times", info.Size())
	}
	sums := map[Hash]int{}
	for _, s := range readAll(t, dir) {
		if !bytes.Equal(s.Profile, profile) {
			t.Fatalf("record %d came back with another profile", s.Index)
		}
		sums[s.ProfileCommitment]++
	}
	if len(sums) != 2 {
		t.Errorf("%d commitments, want one a customer", len(sums))
	}
}

func TestRotationAndContinuation(t *testing.T) {
	dir := memoryDir(t)
	for n := range 4 {
		l := openLog(t, dir, Config{SegmentBytes: 8 << 10})
		mustAppend(t, l, records(n*20, n*20+20)...)
		mustClose(t, l)
	}
	report := mustVerify(t, dir)
	if report.Records != 80 || report.Segments < 3 || len(report.Writers) != 1 {
		t.Fatalf("report %+v", report)
	}
	for i, path := range segmentFiles(t, dir) {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		_, sealed, err := readSeal(path)
		if last := i == report.Segments-1; err != nil || sealed == last {
			t.Errorf("segment %d: sealed %v, %v", i+1, sealed, err)
		}
		if info.Size() > 8<<10+2000 {
			t.Errorf("segment %d has %d bytes", i+1, info.Size())
		}
	}
}

func TestTwoWritersOnOneDirectory(t *testing.T) {
	dir := memoryDir(t)
	a, b := openLog(t, dir, Config{}), openLog(t, dir, Config{})
	mustAppend(t, a, records(0, 5)...)
	mustAppend(t, b, records(5, 9)...)
	mustClose(t, a)
	c := openLog(t, dir, Config{}) // writer 1 is free again
	mustAppend(t, c, records(9, 12)...)
	mustClose(t, b)
	mustClose(t, c)
	report := mustVerify(t, dir)
	if len(report.Writers) != 2 || report.Writers[0].Records != 8 || report.Writers[1].Records != 4 {
		t.Fatalf("report %+v", report)
	}
	r, err := OpenReader(dir)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 12 {
		if s, err := r.Find(context.Background(), testID(n)); err != nil || !equalRecord(s.Record, testRecord(n)) {
			t.Errorf("Find %d: %v", n, err)
		}
	}
}

func TestCloseEndsAppends(t *testing.T) {
	l := openLog(t, memoryDir(t), Config{})
	mustAppend(t, l, testRecord(0))
	mustClose(t, l)
	mustClose(t, l)
	if err := l.Append(context.Background(), testRecord(1)); !errors.Is(err, ErrClosed) {
		t.Errorf("Append: %v, want ErrClosed", err)
	}
	if _, err := l.Erase(context.Background(), "X"); !errors.Is(err, ErrClosed) {
		t.Errorf("Erase: %v, want ErrClosed", err)
	}
}

// A caller whose context ends while the disk stalls gets its error, and then its record is not in the log; one whose
// record a writer took up waits.
func TestCancelledWhileWaiting(t *testing.T) {
	stalled, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	disk := &faultyDisk{}
	dir := memoryDir(t)
	l := openLog(t, dir, Config{open: disk.open})
	mustAppend(t, l, testRecord(0))
	disk.write = func() error {
		once.Do(func() { close(stalled); <-release })
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	first, second := make(chan error, 1), make(chan error, 1)
	go func() { first <- l.Append(ctx, testRecord(1)) }()
	<-stalled
	go func() { second <- l.Append(ctx, testRecord(2)) }()
	for waiting := 0; waiting == 0; {
		l.queue.mu.Lock()
		waiting = len(l.queue.waiting)
		l.queue.mu.Unlock()
	}
	cancel()
	if err := <-second; !errors.Is(err, context.Canceled) {
		t.Errorf("the waiting caller got %v", err)
	}
	close(release)
	if err := <-first; err != nil {
		t.Errorf("the caller whose record was being written got %v", err)
	}
	if err := l.Append(ctx, testRecord(3)); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller with an ended context got %v", err)
	}
	mustAppend(t, l, testRecord(4))
	mustClose(t, l)
	var got []string
	for _, s := range readAll(t, dir) {
		got = append(got, s.DecisionID)
	}
	if want := []string{testID(0), testID(1), testID(4)}; !slices.Equal(got, want) {
		t.Errorf("log holds %v, want %v", got, want)
	}
}

func TestTimedSync(t *testing.T) {
	var syncs atomic.Int64
	disk := &faultyDisk{sync: func() error { syncs.Add(1); return nil }}
	l := openLog(t, memoryDir(t), Config{open: disk.open, SyncEvery: 20 * time.Millisecond})
	mustAppend(t, l, records(0, 200)...)
	deadline := time.Now().Add(5 * time.Second)
	for l.w.tail.durable.Load() != l.w.tail.written.Load() {
		if time.Now().After(deadline) {
			t.Fatal("what was written is not synced after 5 s")
		}
		time.Sleep(time.Millisecond)
	}
	if n := syncs.Load(); n > 100 {
		t.Errorf("%d fsyncs for 200 records: they are not grouped", n)
	}
}

func TestSaltsComeFromTheInjectedSource(t *testing.T) {
	one := incompressible(48 * 3)
	var sums []Hash
	for range 2 {
		dir := memoryDir(t)
		l := openLog(t, dir, Config{Random: bytes.NewReader(one)})
		mustAppend(t, l, records(0, 3)...)
		if err := l.Append(context.Background(), testRecord(3)); err == nil {
			t.Error("Append went on without randomness")
		}
		mustClose(t, l)
		sums = append(sums, mustVerify(t, dir).Writers[0].Chain)
	}
	if sums[0] != sums[1] {
		t.Error("the same records with the same salts and clock give another chain")
	}
}

// Each fsync of records is told, so that an operator sees a disk that grows slow.
func TestSyncIsObserved(t *testing.T) {
	var seen []time.Duration
	l := openLog(t, memoryDir(t), Config{SyncEachAnswer: true, ObserveSync: func(d time.Duration) { seen = append(seen, d) }})
	for i := range 3 {
		mustAppend(t, l, testRecord(i))
	}
	mustClose(t, l)
	if len(seen) != 3 || slices.Min(seen) < 0 {
		t.Errorf("told of %v, expected three durations", seen)
	}
}
