package spill_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/services/evaluation/spill"
)

// TestEachSortsWhateverMemoryHolds compares with a sort in memory, for records that often are the same.
func TestEachSortsWhateverMemoryHolds(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 20).Draw(t, "size")
		records := rapid.SliceOfN(rapid.SliceOfN(rapid.ByteRange(0, 2), size, size), 0, 300).Draw(t, "records")
		s := spill.New(dir, size, rapid.IntRange(0, 4096).Draw(t, "memory"))
		for _, r := range records {
			if err := s.Add(r); err != nil {
				t.Fatal(err)
			}
		}
		var got [][]byte
		if err := s.Each(func(r []byte) error { got = append(got, bytes.Clone(r)); return nil }); err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(records, bytes.Compare)
		if !slices.EqualFunc(got, records, bytes.Equal) {
			t.Fatalf("got %v, want %v", got, records)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%d files are left (%v)", len(left), err)
	}
}

// TestSpilledFileHasNoName is what a process that is killed leaves: nothing.
func TestSpilledFileHasNoName(t *testing.T) {
	dir := t.TempDir()
	s := spill.New(dir, 8, 0)
	for i := range 100 {
		if err := s.Add(binary.BigEndian.AppendUint64(nil, uint64(i))); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%d files are there while it sorts (%v)", len(left), err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestGroupsFoldInOrder sums per key; which records come first does not matter.
func TestGroupsFoldInOrder(t *testing.T) {
	record := func(key byte, v uint64) []byte { return binary.BigEndian.AppendUint64([]byte{key}, v) }
	sum := func(records ...[]byte) map[byte]uint64 {
		s := spill.New(t.TempDir(), 9, 60)
		defer s.Close()
		for _, r := range records {
			if err := s.Add(r); err != nil {
				t.Fatal(err)
			}
		}
		got := map[byte]uint64{}
		err := s.Groups(1, func(sum, r []byte) {
			binary.BigEndian.PutUint64(sum[1:], 10*binary.BigEndian.Uint64(sum[1:])+binary.BigEndian.Uint64(r[1:]))
		}, func(sum []byte) error {
			got[sum[0]] = binary.BigEndian.Uint64(sum[1:])
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	want := map[byte]uint64{1: 123, 2: 4, 7: 55}
	if diff := cmp.Diff(want, sum(record(1, 1), record(1, 2), record(1, 3), record(2, 4), record(7, 5), record(7, 5))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, sum(record(7, 5), record(1, 3), record(2, 4), record(1, 1), record(7, 5), record(1, 2))); diff != "" {
		t.Error(diff)
	}
	if got := sum(); len(got) > 0 {
		t.Errorf("no records give %v", got)
	}
}

// TestErrors are told: of who asks, of the folder, of a record that is none.
func TestErrors(t *testing.T) {
	stop := errors.New("enough")
	for _, memory := range []int{0, 1 << 20} {
		s := spill.New(t.TempDir(), 1, memory)
		for _, b := range []byte{3, 1, 2, 1} {
			if err := s.Add([]byte{b}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Each(func([]byte) error { return stop }); !errors.Is(err, stop) {
			t.Errorf("memory %d: Each gives %v", memory, err)
		}
		if err := s.Groups(1, func(_, _ []byte) {}, func([]byte) error { return stop }); !errors.Is(err, stop) {
			t.Errorf("memory %d: Groups gives %v", memory, err)
		}
		if err := s.Add([]byte{1, 2}); err == nil {
			t.Error("a record of another size is taken")
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	s := spill.New(t.TempDir()+"/absent", 1, 0)
	var err error
	for range 3 {
		err = errors.Join(err, s.Add([]byte{1}))
	}
	if err == nil {
		t.Error("a folder that is not there is no error")
	}
}
