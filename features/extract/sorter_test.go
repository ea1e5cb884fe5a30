package extract

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Whatever records come, and however little memory there is, they come back by their keys.
func TestSorterSorts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		prefix := rapid.SampledFrom([]string{"", "C", "CUSTOMER-0000"}).Draw(t, "prefix")
		records := rapid.SliceOfNDistinct(rapid.SliceOfN(rapid.Byte(), 0, 12), 0, 200, func(b []byte) string { return string(b) }).Draw(t, "records")
		s := newSorter(dir, rapid.SampledFrom([]int{1, 100, 1000, 1 << 20}).Draw(t, "limit"))
		var want [][]byte
		for i, r := range records {
			key := append([]byte(prefix), r...)
			want = append(want, key)
			if err := s.add(key, binary.AppendUvarint(nil, uint64(i))); err != nil {
				t.Fatal(err)
			}
		}
		slices.SortFunc(want, bytes.Compare)
		for range 2 { // labels are gone through twice
			var got [][]byte
			err := s.each(func(key, value []byte) error {
				i, _ := binary.Uvarint(value)
				if !bytes.Equal(append([]byte(prefix), records[i]...), key) {
					t.Fatalf("key %q has the value of another", key)
				}
				got = append(got, bytes.Clone(key))
				return nil
			})
			if err != nil || !slices.EqualFunc(got, want, bytes.Equal) {
				t.Fatalf("got %q, %v, want %q", got, err, want)
			}
		}
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
	})
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("files left behind: %v, %v", left, err)
	}
}

// What is kept in memory stays below the limit, but for one record.
func TestSorterKeepsItsLimit(t *testing.T) {
	t.Parallel()
	s := newSorter(t.TempDir(), 64<<10)
	for i := range 100_000 {
		if err := s.add(binary.BigEndian.AppendUint64(nil, uint64(i*7919%100_003)), []byte("value")); err != nil {
			t.Fatal(err)
		}
		if s.held > s.limit {
			t.Fatalf("%d bytes are held, expected at most %d", s.held, s.limit)
		}
	}
	if len(s.runs) < 10 || len(s.chunks)+len(s.spare) > 2 {
		t.Errorf("%d runs, %d chunks: expected many runs and hardly any chunks", len(s.runs), len(s.chunks)+len(s.spare))
	}
	n := uint64(0)
	if err := s.each(func([]byte, []byte) error { n++; return nil }); err != nil || n != 100_000 {
		t.Errorf("%d records came back: %v", n, err)
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
}

// A file that is too short is an error and no early end.
func TestSorterTellsADamagedFile(t *testing.T) {
	t.Parallel()
	s := newSorter(t.TempDir(), 100)
	for i := range 100 {
		if err := s.add([]byte{byte(i)}, []byte("0123456789")); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.file.Truncate(s.end / 2); err != nil {
		t.Fatal(err)
	}
	if err := s.each(func([]byte, []byte) error { return nil }); err == nil {
		t.Error("a file cut in half was read without an error")
	}
	stop := errors.New("stop")
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	whole := newSorter(t.TempDir(), 1<<10)
	_ = whole.add([]byte("a"), nil)
	if err := whole.each(func([]byte, []byte) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v, expected the caller's own error", err)
	}
}
