package policylog

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestParseUUID compares with a regular expression and the standard library, texts that are nearly UUIDs above all.
func TestParseUUID(t *testing.T) {
	pattern := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	check := func(text []byte) (problem string) {
		u, ok := parseUUID(text)
		if want := pattern.Match(text); ok != want {
			return "not told apart"
		}
		if !ok {
			return ""
		}
		want, err := hex.DecodeString(strings.ReplaceAll(string(text), "-", ""))
		got := binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, u.first), u.second)
		if err != nil || !bytes.Equal(got, want) {
			return "other bytes"
		}
		return ""
	}
	good := []byte("019a2b3c-4d5e-7f60-8912-abcdef345678")
	for at := range good {
		for c := range 256 {
			text := append([]byte{}, good...)
			text[at] = byte(c)
			if problem := check(text); problem != "" {
				t.Errorf("%q: %s", text, problem)
			}
		}
	}
	for n := range good {
		if problem := check(good[:n]); problem != "" {
			t.Errorf("%q: %s", good[:n], problem)
		}
	}
	if t.Failed() {
		return
	}
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(rapid.StringMatching(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`).Draw(t, "uuid"))
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			text[rapid.IntRange(0, len(text)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
		}
		if problem := check(text); problem != "" {
			t.Fatalf("%q: %s", text, problem)
		}
	})
}

// TestUUIDsAreDecisionIDs: who takes a UUID looks at it no further.
func TestUUIDsAreDecisionIDs(t *testing.T) {
	if id := []byte("019a2b3c-4d5e-7f60-8912-abcdef345678"); !isDecisionID(id) || !isWord(id, idByte|colonByte) {
		t.Error("a UUID is no decision id")
	}
}

// TestEightBytesAtOnce: what is judged all at once is what is judged byte by byte, whatever stands beside it.
func TestEightBytesAtOnce(t *testing.T) {
	for at := range 8 {
		for c := range 256 {
			for _, others := range []string{"C0000000", "zzzzzzzz", "99999999", "AAAAAAAA", "ZaZ09zAa"} {
				text := []byte(others)
				text[at] = byte(c)
				letters := isWord(text, firstByte)
				if areAlphanumeric(binary.LittleEndian.Uint64(text)) != letters || isID(text) != isWord(text, idByte) {
					t.Errorf("%q", text)
				}
			}
		}
	}
}
