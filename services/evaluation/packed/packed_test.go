package packed_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/fundmatch/fundmatch/services/evaluation/packed"
)

const window = 1 << 20

// pack packs data; the options are zstd's.
func pack(t *testing.T, p packed.Packing, data []byte, o ...zstd.EOption) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	switch p {
	case packed.Gzip:
		w = gzip.NewWriter(&out)
	case packed.Zstd:
		z, err := zstd.NewWriter(&out, o...)
		if err != nil {
			t.Fatal(err)
		}
		w = z
	case packed.None:
		return data
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func unpack(data []byte, p packed.Packing) ([]byte, error) {
	r, err := packed.NewReader(bytes.NewReader(data), p, window)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(r)
	if err == nil {
		err = r.Close()
	}
	return text, err
}

func TestUnpacking(t *testing.T) {
	t.Parallel()
	text := bytes.Repeat([]byte("decision_id,customer_id\n"), 50_000)
	for _, p := range []packed.Packing{packed.None, packed.Gzip, packed.Zstd} {
		whole := pack(t, p, text, zstd.WithWindowSize(window))
		if found := packed.ByStart(whole[:packed.StartBytes]); found != p {
			t.Errorf("%v begins as %v", p, found)
		}
		if got, err := unpack(whole, p); err != nil || !bytes.Equal(got, text) {
			t.Errorf("%v: %d bytes, %v", p, len(got), err)
		}
		if p == packed.None {
			continue
		}
		if _, err := unpack(whole[:len(whole)/2], p); err == nil {
			t.Errorf("%v that is cut short is taken", p)
		}
		if _, err := unpack(text, p); err == nil {
			t.Errorf("plain text is taken for %v", p)
		}
	}
}

// A file must not say how much memory its reader needs.
func TestWindowsAreBounded(t *testing.T) {
	t.Parallel()
	noise := make([]byte, 8*window)
	dice := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(dice.Uint32())
	}
	if _, err := unpack(pack(t, packed.Zstd, noise, zstd.WithWindowSize(4*window)), packed.Zstd); err == nil {
		t.Error("a window four times as large is taken")
	}
	if _, err := unpack(pack(t, packed.Zstd, noise, zstd.WithWindowSize(window)), packed.Zstd); err != nil {
		t.Errorf("a window of that size: %v", err)
	}
}

func TestByName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		stem string
		p    packed.Packing
	}{
		"a.csv": {"a.csv", packed.None}, "A.CSV.GZ": {"a.csv", packed.Gzip}, "b.run.zst": {"b.run", packed.Zstd},
		"gz": {"gz", packed.None}, "-": {"-", packed.None}, "c.gz.zst": {"c.gz", packed.Zstd},
	} {
		if stem, p := packed.ByName(name); stem != want.stem || p != want.p {
			t.Errorf("%s: %q packed as %q", name, stem, p)
		}
	}
	if p := packed.ByStart([]byte{0x1f}); p != packed.None {
		t.Errorf("one byte is taken for %v", p)
	}
}
