package policylog

import (
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
)

// TestBlocksAllocateNothing: once a block has its memory the next ones need none, for each format and packing.
func TestBlocksAllocateNothing(t *testing.T) {
	dir := t.TempDir()
	for _, s := range styles() {
		if s.name == "ndjson, escapes, CRLF" {
			continue // every text is copied
		}
		name := filepath.Join(dir, "log."+s.format.String())
		write(t, name, s.write(cellsOf(someRows(2000))))
		o := allOptions
		o.blockRows = 40
		c, err := open(t, []string{name}, o).File(0, Position{})
		if err != nil {
			t.Fatal(err)
		}
		var b Block
		next := func() {
			if err := c.Next(&b); err != nil {
				t.Fatal(s.name, err)
			}
		}
		for range 40 {
			next()
		}
		if n := testing.AllocsPerRun(100, next); n >= 1 {
			t.Errorf("%s: %v allocations a block", s.name, n)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestDictionaryOverBlocks: places are those of the first rows of each block, whatever came before, and the table begins
// anew before it holds more than a log of few texts needs.
func TestDictionaryOverBlocks(t *testing.T) {
	var d dictionary
	text := func(n int) []byte {
		return []byte{byte(n), byte(n >> 8), byte(n >> 16), 'x', 'y', 'z', 'a', 'b', 'c'}[:3+n%7]
	}
	for block := range 5 {
		d.begin()
		places := map[string]uint32{}
		for i := range 60_000 {
			v := text((i*7 + block*13_001) % 50_000)
			want, known := places[string(v)]
			if !known {
				want = uint32(len(places))
				places[string(v)] = want
				if d.find(v) != noPlace {
					t.Fatal("a text of another block has a place")
				}
			}
			padded := append(append([]byte("??"), v...), make([]byte, padding)...)
			if got := d.add(v); got != want || d.find(v) != want || d.findAt(padded, 2, 2+len(v)) != want || d.names[got] != string(v) {
				t.Fatalf("%q has place %d, expected %d", v, got, want)
			}
		}
		if len(d.names) != len(places) {
			t.Fatalf("%d names, expected %d", len(d.names), len(places))
		}
		if block == 2 { // many other texts
			for i := range keptTexts {
				d.add([]byte{byte(i), byte(i >> 8), 0xff, 0xff, 0xff, 0xff})
			}
		}
	}
	if len(d.entries) > keptTexts {
		t.Errorf("%d texts are kept", len(d.entries))
	}
}

// TestHeaderOnly: a file without rows is read as such; whether a log may be empty is for its reader to say.
func TestHeaderOnly(t *testing.T) {
	rows, hashes, err := readText([]byte(allHeader+"\r\n"), CSV, 1)
	if err != nil || len(rows) != 0 || len(hashes) != 0 {
		t.Error(rows, hashes, err)
	}
}

// TestBrokenPipe: what the system says of an input is told, and nothing of the rest is taken for the end.
func TestBrokenPipe(t *testing.T) {
	in := io.MultiReader(strings.NewReader(allHeader+"\n"+allRow+"\n"), errReader{})
	rows, _, err := readRows([]string{Stdin}, Options{Stdin: in})
	if _, ok := errors.AsType[*FileError](err); !ok || !errors.Is(err, io.ErrClosedPipe) || len(rows) != 0 {
		t.Error(rows, err)
	}
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }
