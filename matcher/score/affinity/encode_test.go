package affinity_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/score/affinity"
)

// sameAnswers compares two models by what they serve.
func sameAnswers(t *rapid.T, a, b *affinity.Model) {
	q := drawQuery(t, a.Items())
	x, y := make([]float64, a.Items()), make([]float64, a.Items())
	if sa, sb := a.Affinity(&q, &affinity.Scratch{}, x), b.Affinity(&q, &affinity.Scratch{}, y); sa != sb || !slices.Equal(x, y) {
		t.Fatalf("%+v: %v of strength %v, was %v of %v", q, y, sb, x, sa)
	}
	if !slices.Equal(a.Popular(), b.Popular()) || !slices.Equal(a.Holders(), b.Holders()) {
		t.Fatalf("popular %v and %v, holders %v and %v", a.Popular(), b.Popular(), a.Holders(), b.Holders())
	}
}

func TestEncodingKeepsAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, s := drawBank(t), drawSettings(t)
		m := b.train(t, s)
		names := b.numbered()
		names.Kinds, names.Themes = []string{"STOCK", "", "债券", "d"}, []string{"a", "b", "c", "d", "e"}
		data, err := m.AppendBinary([]byte("before"), names)
		if err != nil {
			t.Fatal(err)
		}
		data = data[len("before"):]
		back, got, err := affinity.Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Items, names.Items) || !slices.Equal(got.Kinds, names.Kinds) || !slices.Equal(got.Themes, names.Themes) || got.Goals != nil {
			t.Fatalf("names %+v, expected %+v", got, names)
		}
		if back.Settings() != s || back.AsOf() != today || back.Items() != len(b.items) {
			t.Fatalf("settings %+v of day %d", back.Settings(), back.AsOf())
		}
		sameAnswers(t, m, back)
		if again, err := back.AppendBinary(nil, got); err != nil || !bytes.Equal(again, data) {
			t.Fatalf("encoded again it is %d other bytes: %v", len(again), err)
		}
	})
}

// smallModel is a model's bytes with all that there can be in them.
func smallModel(tb testing.TB) []byte {
	tb.Helper()
	h, items := syntheticBank(tb, 12, 60, 4)
	m, err := affinity.Train(tb.Context(), h, items, 700, affinity.Default(), affinity.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	data, err := m.AppendBinary(nil, (&bank{items: items}).numbered())
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func TestDecodeRefusesWhatIsCut(t *testing.T) {
	data := smallModel(t)
	if _, _, err := affinity.Decode(data); err != nil {
		t.Fatal(err)
	}
	for n := range data {
		if m, _, err := affinity.Decode(data[:n]); !errors.Is(err, affinity.ErrEncoding) || m != nil {
			t.Fatalf("the first %d of %d bytes: %v", n, len(data), err)
		}
	}
	if _, _, err := affinity.Decode(append(slices.Clone(data), 0)); !errors.Is(err, affinity.ErrEncoding) || !strings.Contains(err.Error(), "nothing left") {
		t.Errorf("a byte too many: %v", err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	const settings = len("fundmatch.affinity/1\n")
	const days = settings + 18*8 // the settings, then the day, then the number of codes
	put := func(at int, v float64) func(d []byte) []byte {
		return func(d []byte) []byte {
			binary.LittleEndian.PutUint64(d[at:], math.Float64bits(v))
			return d
		}
	}
	replace := func(old, with string) func(d []byte) []byte {
		return func(d []byte) []byte { return bytes.Replace(d, []byte(old), []byte(with), 1) }
	}
	for _, tt := range []struct {
		name, says string
		spoil      func(d []byte) []byte
	}{
		{"a newer format", "begins with", replace("affinity/1", "affinity/2")},
		{"a setting that is no number", "neighbours: NaN", put(settings, math.NaN())},
		{"a setting out of bounds", "max_basket: 1", put(settings+8, 1)},
		{"half a neighbour", "whole number", put(settings, 20.5)},
		{"codes without end", "items: ", func(d []byte) []byte {
			return append(binary.AppendUvarint(d[:days+4:days+4], 1<<40), d[days+5:]...)
		}},
		{"more codes than bytes", "bytes more", func(d []byte) []byte { return binary.AppendUvarint(d[:days+4:days+4], 90_000) }},
		{"a number longer than it need be", "items: ", func(d []byte) []byte {
			return append(append(d[:days+4:days+4], d[days+4]|0x80, 0), d[days+5:]...)
		}},
		{"a code twice", `"F1"`, replace("\x02F2", "\x02F1")},
		{"no code", `""`, replace("\x02F2", "\x00")},
	} {
		m, _, err := affinity.Decode(tt.spoil(slices.Clone(smallModel(t))))
		if !errors.Is(err, affinity.ErrEncoding) && !errors.Is(err, affinity.ErrSettings) || m != nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v, expected %q", tt.name, err, tt.says)
		}
	}
}

// A fund is no neighbour of itself, and none is beyond the last.
func TestDecodeRefusesNeighbours(t *testing.T) {
	b := &bank{items: make([]affinity.Item, 2), customers: []affinity.Customer{{Purchases: []affinity.Purchase{{Item: 0}, {Item: 1}}}}}
	data := b.bytes(t, b.train(t, affinity.Default()))
	last := len(data) - 9 // of the last fund's only neighbour: its place, two numbers of four bytes
	if data[last] != 0 {
		t.Fatalf("the last neighbour is %d, expected 0", data[last])
	}
	for _, place := range []byte{1, 2} {
		data[last] = place
		if m, _, err := affinity.Decode(data); !errors.Is(err, affinity.ErrEncoding) || m != nil || !strings.Contains(err.Error(), "another fund than 1") {
			t.Errorf("neighbour %d of fund 1 among 2: %v", place, err)
		}
	}
}

func TestAppendBinaryRefusesNames(t *testing.T) {
	h, items := syntheticBank(t, 10, 50, 4)
	m, err := affinity.Train(t.Context(), h, items, 700, affinity.Default(), affinity.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(n *affinity.Names){
		"a code less":       func(n *affinity.Names) { n.Items = n.Items[1:] },
		"a code twice":      func(n *affinity.Names) { n.Items[3] = n.Items[4] },
		"a code of nothing": func(n *affinity.Names) { n.Items[3] = "" },
		"a long code":       func(n *affinity.Names) { n.Items[3] = strings.Repeat("x", 1025) },
		"too few kinds":     func(n *affinity.Names) { n.Kinds = []string{"a"} },
		"too many goals":    func(n *affinity.Names) { n.Goals = make([]string, affinity.MaxAttribute+2) },
		"a long theme":      func(n *affinity.Names) { n.Themes = []string{strings.Repeat("x", 1025)} },
	} {
		names := (&bank{items: items}).numbered()
		spoil(names)
		if data, err := m.AppendBinary(nil, names); !errors.Is(err, affinity.ErrEncoding) || data != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzDecode: any bytes are refused, or are a model that serves and is written as it was
// read.
func FuzzDecode(f *testing.F) {
	data := smallModel(f)
	f.Add(data)
	f.Add(data[:len(data)/2])
	f.Add([]byte("fundmatch.affinity/1\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, names, err := affinity.Decode(data)
		if err != nil {
			if m != nil || !errors.Is(err, affinity.ErrEncoding) && !errors.Is(err, affinity.ErrSettings) {
				t.Fatalf("%v, and a model", err)
			}
			return
		}
		dst := make([]float64, m.Items())
		owned := make([]int32, min(5, m.Items()))
		for i := range owned {
			owned[i] = int32(i)
		}
		for _, q := range []affinity.Query{{Owned: owned, Group: 1, Level: 2}, {Group: 0, Level: affinity.Unknown}} {
			m.Affinity(&q, &affinity.Scratch{}, dst)
			for y, v := range dst {
				if math.IsNaN(v) || v < 0 {
					t.Fatalf("fund %d is worth %v", y, v)
				}
			}
		}
		if again, err := m.AppendBinary(nil, names); err != nil || !bytes.Equal(again, data) {
			t.Fatalf("written again it is %d other bytes than the %d read: %v", len(again), len(data), err)
		}
	})
}
