package decisionlog

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The bytes of version 1, for years: a log written with fixed clock and salts is the golden one, and the golden one is
// read.
func TestGoldenSegment(t *testing.T) {
	golden := filepath.Join("testdata", "v1.seg")
	dir := memoryDir(t)
	l := openLog(t, dir, Config{Random: bytes.NewReader(incompressible(48 * 8)), SyncEachAnswer: true, Now: fixedClock})
	mustAppend(t, l, records(0, 3)...)
	again := testRecord(3)
	again.CustomerID, again.Profile = testRecord(1).CustomerID, testRecord(1).Profile // refers to the profile of record 2
	bare := testRecord(4)
	bare.Kind, bare.Profile, bare.Payload = KindServed, nil, nil
	mustAppend(t, l, again, bare)
	if n, err := l.Erase(t.Context(), "CUSTOMER02"); n != 1 || err != nil { // seals, too
		t.Fatalf("Erase: %d, %v", n, err)
	}
	got, err := os.ReadFile(segmentFiles(t, dir)[0])
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		overwrite(t, golden, got)
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(headersOf(t, got), headersOf(t, want)) { // s2 may find shorter encodings one day
		t.Error("the format of segments changed; a new format needs a new version byte")
	}
	fresh := memoryDir(t)
	overwrite(t, segmentPath(writerDir(fresh, 1), 1), want)
	if report := mustVerify(t, fresh); report.Records != 5 || report.Erased != 1 {
		t.Errorf("report %+v", report)
	}
	all := readAll(t, fresh)
	if !equalRecord(all[3].Record, again) || !equalRecord(all[4].Record, bare) || !all[2].Erased || !equalRecord(all[0].Record, testRecord(0)) {
		t.Errorf("the golden segment holds %+v", all)
	}
}

// headersOf gives a segment's header and decompressed bodies, with what depends on the compressor left out.
func headersOf(t *testing.T, content []byte) []byte {
	t.Helper()
	s, err := newSegment(place{path: "golden", writer: 1, number: 1}, bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	out := s.header.encode()
	for {
		h, err := s.nextBlock()
		if err != nil {
			if !errors.Is(err, io.EOF) || !s.sealed {
				t.Fatal(err)
			}
			return out
		}
		body, err := s.body(&h)
		if err != nil {
			t.Fatal(err)
		}
		b := block{head: h}
		b.head.stored, b.head.bodyCRC, b.head.codec, b.head.durable = 0, 0, 0, 0
		out = append(append(out, b.sealed()...), body...)
	}
}

func TestKindString(t *testing.T) {
	for kind, want := range map[Kind]string{KindDecision: "DECISION", KindServed: "SERVED", 9: "KIND_9"} {
		if got := kind.String(); got != want {
			t.Errorf("%d: %s, want %s", kind, got, want)
		}
	}
}

// FuzzSegment: no bytes make the parser panic, read past limits or accept what Verify would not understand.
func FuzzSegment(f *testing.F) {
	dir := memoryDir(f)
	l := openLog(f, dir, Config{SyncEachAnswer: true, SegmentBytes: minSegmentBytes})
	mustAppend(f, l, records(0, 20)...)
	mustClose(f, l)
	content, err := os.ReadFile(segmentFiles(f, dir)[0])
	if err != nil {
		f.Fatal(err)
	}
	f.Add(content)
	f.Add(content[:len(content)/2])
	f.Add([]byte(segmentMagic))
	f.Fuzz(func(t *testing.T, content []byte) {
		content = bytes.Clone(content)
		fixChecksums(content)
		s, err := newSegment(place{path: "fuzz", writer: 1, number: 1}, bytes.NewReader(content))
		if err != nil {
			return
		}
		check := newSegmentCheck(s, newHasher())
		for {
			before := s.offset
			err := check.block(s)
			if err != nil {
				if !errors.Is(err, io.EOF) && !errors.Is(err, ErrCorrupt) {
					t.Fatalf("an error of another kind: %v", err)
				}
				return
			}
			if s.offset <= before || s.offset > int64(len(content)) {
				t.Fatalf("a block from %d to %d of %d bytes", before, s.offset, len(content))
			}
		}
	})
}

// fixChecksums lets the fuzzer past the CRCs of the segment header and of the first blocks.
func fixChecksums(content []byte) {
	if len(content) < headerBytes {
		return
	}
	putChecksum(content[:headerBytes])
	for at := headerBytes; at+blockHeaderBytes <= len(content); {
		head := content[at : at+blockHeaderBytes]
		stored := int(head[8]) | int(head[9])<<8 | int(head[10])<<16
		body := content[at+blockHeaderBytes:]
		if stored <= len(body) {
			sum := checksum(body[:stored])
			head[20], head[21], head[22], head[23] = byte(sum), byte(sum>>8), byte(sum>>16), byte(sum>>24)
		}
		putChecksum(head)
		at += blockHeaderBytes + stored
	}
}

func putChecksum(head []byte) {
	sum := checksum(head[:len(head)-4])
	copy(head[len(head)-4:], []byte{byte(sum), byte(sum >> 8), byte(sum >> 16), byte(sum >> 24)})
}
