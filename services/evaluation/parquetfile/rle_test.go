package parquetfile

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go/encoding/rle"
	"pgregory.net/rapid"
)

// TestHybridReadsWhatTheLibraryWrites compares, for every width, in steps of all lengths, with some left out.
func TestHybridReadsWhatTheLibraryWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(1, 32).Draw(t, "width")
		var want []int32
		for range rapid.IntRange(1, 20).Draw(t, "runs") {
			v := rapid.Uint32Range(0, uint32(1<<width-1)).Draw(t, "value")
			for range rapid.IntRange(1, 30).Draw(t, "length") {
				want = append(want, int32(v))
				if rapid.Bool().Draw(t, "step") {
					v ^= 1
				}
			}
		}
		encoded, err := (&rle.Encoding{BitWidth: width}).EncodeInt32(nil, want)
		if err != nil {
			t.Fatal(err)
		}
		h := hybrid{b: encoded, width: uint(width)}
		for at := 0; at < len(want); {
			n := min(rapid.IntRange(0, 40).Draw(t, "n"), len(want)-at)
			if rapid.Bool().Draw(t, "skip") {
				if err := h.skip(n); err != nil {
					t.Fatal(err)
				}
				at += n
				continue
			}
			got := make([]uint32, n)
			if err := h.read(got); err != nil {
				t.Fatal(err)
			}
			for i := range got {
				if got[i] != uint32(want[at+i]) {
					t.Fatalf("width %d, value %d: got %d, want %d", width, at+i, got[i], want[at+i])
				}
			}
			at += n
		}
	})
}

// TestHybridCountsOnes compares with reading.
func TestHybridCountsOnes(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	levels := make([]byte, 5000)
	for i := range levels {
		if i%700 < 300 {
			levels[i] = byte(r.IntN(2))
		} else {
			levels[i] = byte(i / 700 % 2)
		}
	}
	encoded, err := (&rle.Encoding{BitWidth: 1}).EncodeLevels(nil, levels)
	if err != nil {
		t.Fatal(err)
	}
	for from := 0; from < len(levels); from += 611 {
		h := hybrid{b: encoded, width: 1}
		if err := h.skip(from); err != nil {
			t.Fatal(err)
		}
		want := 0
		for _, l := range levels[from:] {
			want += int(l)
		}
		if got, err := h.ones(len(levels) - from); err != nil || got != want {
			t.Errorf("from %d: %d (%v), want %d", from, got, err, want)
		}
	}
}

// TestHybridOfDamage is an error: runs that end early, none, of no numbers.
func TestHybridOfDamage(t *testing.T) {
	for _, b := range [][]byte{nil, {0}, {1}, {3}, {2}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}} {
		h := hybrid{b: b, width: 9}
		if err := h.read(make([]uint32, 20)); err == nil {
			t.Errorf("%v: no error", b)
		}
		h = hybrid{b: b, width: 9}
		if err := h.skip(20); err == nil {
			t.Errorf("%v: no error", b)
		}
	}
	h := hybrid{width: 0}
	got := []uint32{7, 7}
	if err := h.read(got); err != nil || !slices.Equal(got, []uint32{0, 0}) {
		t.Errorf("of no width: %v, %v", got, err)
	}
}

func BenchmarkUnpack(b *testing.B) {
	packed := make([]byte, 65536*4)
	for i := 0; i < len(packed); i += 8 {
		binary.LittleEndian.PutUint64(packed[i:], rand.Uint64())
	}
	dst := make([]uint32, 65536)
	for _, width := range []uint{1, 3, 9, 15, 18} {
		b.Run("", func(b *testing.B) {
			for b.Loop() {
				h := hybrid{packed: packed, width: width}
				h.unpack(dst)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/65536, "ns/value")
		})
	}
}
