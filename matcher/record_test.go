package matcher_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// someSlates are answers of every kind: personal, for information, not personal, empty.
func someSlates(tb testing.TB) []*matcher.Slate {
	tb.Helper()
	b := newBank(21, 120)
	core := b.compile(tb)
	out := []*matcher.Slate{{}}
	for i := range 80 {
		out = append(out, match(tb, core, b.customer(i), b.request(core)))
	}
	return out
}

// What a decision record keeps is the whole answer: nothing is lost on the way.
func TestARecordKeepsTheWholeAnswer(t *testing.T) {
	for i, s := range someSlates(t) {
		parsed, err := matcher.ParseSlate(s.AppendCanonical(nil))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s, parsed, cmpopts.IgnoreUnexported(matcher.Slate{}), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("slate %d (- answered, + read back):\n%s", i, diff)
		}
	}
}

func TestAppendCanonicalAppends(t *testing.T) {
	s := someSlates(t)[1]
	want := append([]byte("before"), s.AppendCanonical(nil)...)
	if got := s.AppendCanonical([]byte("before")); !bytes.Equal(got, want) {
		t.Error("the bytes before are not kept")
	}
}

func TestParseSlateRefuses(t *testing.T) {
	good := someSlates(t)[1].AppendCanonical(nil)
	newer := bytes.Clone(good)
	newer[0] = 5
	for name, c := range map[string]struct {
		in   []byte
		want error
	}{
		"nothing":         {nil, fund.ErrMalformed},
		"version 0":       {[]byte{0}, fund.ErrMalformed},
		"a newer version": {newer, fund.ErrNewerVersion},
		"a cut":           {good[:len(good)/2], fund.ErrMalformed},
		"a byte too many": {append(bytes.Clone(good), 0), fund.ErrMalformed},
	} {
		if _, err := matcher.ParseSlate(c.in); !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", name, err, c.want)
		}
	}
	for cut := range good {
		if _, err := matcher.ParseSlate(good[:cut]); err == nil {
			t.Fatalf("cut at %d of %d bytes it still parses", cut, len(good))
		}
	}
}

// Bytes from a damaged log never panic, and what parses has one encoding.
func FuzzParseSlate(f *testing.F) {
	for _, s := range someSlates(f)[:12] {
		f.Add(s.AppendCanonical(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := matcher.ParseSlate(b)
		if err != nil {
			return
		}
		once := s.AppendCanonical(nil)
		again, err := matcher.ParseSlate(once)
		if err != nil || !bytes.Equal(again.AppendCanonical(nil), once) {
			t.Fatalf("read back as another answer: %v", err)
		}
	})
}
