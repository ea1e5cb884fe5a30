package policylog

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var uuidPattern = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// canonicalForm writes rows of one block as docs/evaluation/log.md has it: the oracle of canonical.
func canonicalForm(rows []flat) []byte {
	b := []byte("fundmatch.policy-log-block/v1\n")
	count := func(n int) { b = binary.AppendUvarint(b, uint64(n)) }
	text := func(s string) { count(len(s)); b = append(b, s...) }
	var starts []int
	for i, r := range rows {
		if i == 0 || r.ID != rows[i-1].ID {
			starts = append(starts, i)
		}
	}
	count(len(starts))
	count(len(rows))
	var scattered []flat
	before := int64(0)
	for d, i := range starts {
		of := rows[i:append(starts, len(rows))[d+1]]
		straight := 1
		for k, r := range of {
			if int(r.Position) != k+1 {
				straight = 0
			}
		}
		count(2*len(of) + straight)
		if straight == 0 {
			scattered = append(scattered, of...)
		}
		if uuidPattern.MatchString(of[0].ID) {
			raw, _ := hex.DecodeString(strings.ReplaceAll(of[0].ID, "-", ""))
			b = append(append(b, 0), raw...)
		} else {
			text(of[0].ID)
		}
		text(of[0].Customer)
		b = binary.AppendVarint(b, of[0].At-before) // zigzag, as it happens
		before = of[0].At
	}
	places := func(value func(flat) string) {
		var names []string
		for _, r := range rows {
			if !slices.Contains(names, value(r)) {
				names = append(names, value(r))
			}
		}
		count(len(names))
		for _, n := range names {
			text(n)
		}
		for _, r := range rows { // at most 256 names here
			b = append(b, byte(slices.Index(names, value(r))))
		}
	}
	numbers := func(value func(flat) uint64) {
		tags := []uint64{0, math.Float64bits(1), math.Float64bits(math.NaN())}
		for group := range slices.Chunk(rows, 256) {
			tagged := !slices.ContainsFunc(group, func(r flat) bool { return !slices.Contains(tags, value(r)) })
			short := !slices.ContainsFunc(group, func(r flat) bool { return value(r)>>56 != 0x3f })
			switch {
			case tagged:
				b = append(b, 1)
				for i, r := range group {
					if i%4 == 0 {
						b = append(b, 0)
					}
					b[len(b)-1] |= byte(slices.Index(tags, value(r)) << (i % 4 * 2))
				}
			case short:
				b = append(b, 7)
				for _, r := range group {
					b = append(b, binary.LittleEndian.AppendUint64(nil, value(r))[:7]...)
				}
			default:
				b = append(b, 8)
				for _, r := range group {
					b = binary.LittleEndian.AppendUint64(b, value(r))
				}
			}
		}
	}
	places(func(r flat) string { return r.Product })
	for _, r := range scattered {
		b = binary.LittleEndian.AppendUint16(b, uint16(r.Position))
	}
	numbers(func(r flat) uint64 { return r.Reward })
	numbers(func(r flat) uint64 { return r.Propensity })
	count(len(rows))
	numbers(func(r flat) uint64 { return r.Target })
	count(1)
	text(ColumnSegment)
	places(func(r flat) string { return r.Segment })
	count(1)
	text(ColumnAmount)
	numbers(func(r flat) uint64 { return r.Amount })
	return b
}

// TestCanonicalForm: the hash is that of the form that is published.
func TestCanonicalForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := drawLog(t)
		if len(rows) == 0 {
			t.Skip()
		}
		_, hashes, err := readText(styles()[0].write(cellsOf(rows)), CSV, 1000)
		if err != nil || len(hashes) != 1 || hashes[0] != sha256.Sum256(canonicalForm(rows)) {
			t.Fatalf("%v: %x, of the form %x", err, hashes, sha256.Sum256(canonicalForm(rows)))
		}
	})
	rows := someRows(400) // more than the buffer holds
	_, hashes, err := readText(styles()[0].write(cellsOf(rows)), CSV, 10_000)
	if err != nil || len(hashes) != 1 || hashes[0] != sha256.Sum256(canonicalForm(rows)) {
		t.Errorf("%v: %x, of the form %x", err, hashes, sha256.Sum256(canonicalForm(rows)))
	}
}

// TestHashStays: the hash of a log is in reports, and stays what it was.
func TestHashStays(t *testing.T) {
	_, hashes, err := readText([]byte(allHeader+"\n"+allRow+"\n"), CSV, 10)
	if err != nil {
		t.Fatal(err)
	}
	log := HashLog([][32]byte{HashFile(hashes), HashFile(nil)})
	if got := hex.EncodeToString(log[:]); got != "b3e81d49425bf6f376273fd69f04e25142ed53e03d02c2a0dfa364a51816c303" {
		t.Error(got)
	}
}

// TestPlacesOfManyNames: one, two and four bytes.
func TestPlacesOfManyNames(t *testing.T) {
	for names, width := range map[int]int{1: 1, 256: 1, 257: 2, 65536: 2, 65537: 4} {
		places := []uint32{0, uint32(names - 1), uint32(names / 2)}
		var want []byte
		for _, p := range slices.Repeat(places, 1000) {
			want = append(want, binary.LittleEndian.AppendUint32(nil, p)[:width]...)
		}
		c := newCanonical()
		c.places(slices.Repeat(places, 1000), names)
		c.flush()
		if sum := sha256.Sum256(want); !bytes.Equal(c.hash.Sum(nil), sum[:]) {
			t.Errorf("%d names: not %d bytes each", names, width)
		}
	}
}

// TestClusterOf: the hash by which a log is resampled never changes, and tells ids of any length apart.
func TestClusterOf(t *testing.T) {
	seen := map[uint64]string{}
	for n := range 40 {
		for _, fill := range []byte{0, 'a'} {
			id := bytes.Repeat([]byte{fill}, n)
			h := ClusterOf(id)
			if other, is := seen[h]; is && n > 0 {
				t.Errorf("%q and %q have one hash", id, other)
			}
			seen[h] = string(id)
		}
	}
	for id, want := range map[string]uint64{"": 0xe220a8397b1dcdaf, "C1000001": 0x3e2c8dee6f65e41e, "019a2b3c-0000-7000-8000-000000000001": 0x87fae77c54400c3f} {
		if got := ClusterOf([]byte(id)); got != want {
			t.Errorf("%q: %#x", id, got)
		}
	}
}
