package matcher_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// recorded is an answer of some kind, as its record is written and read.
type recorded struct {
	kind     matcher.AnswerKind
	version  int  // place of the version's byte
	names    byte // the version that names definitions
	newest   byte
	identity *matcher.Identity
	append   func([]byte) []byte
}

// someRecorded is one answer of each kind.
func someRecorded(t *testing.T) map[string]recorded {
	t.Helper()
	s, o, w := plainSlate(t), newShop().check(t), someSwitches(t)[1]
	return map[string]recorded{
		"slate":  {matcher.SlateAnswer, 0, 3, 4, &s.Identity, s.AppendCanonical},
		"order":  {matcher.OrderAnswer, 1, 2, 2, &o.Identity, o.AppendCanonical},
		"switch": {matcher.SwitchAnswer, 1, 2, 2, &w.Identity, w.AppendCanonical},
	}
}

// plainSlate is an answer without exploration and experiments.
func plainSlate(t *testing.T) *matcher.Slate {
	t.Helper()
	for _, s := range someSlates(t)[1:] {
		if s.Request.Exploration.Probability == 0 && len(s.Request.Exposures) == 0 {
			return s
		}
	}
	t.Fatal("every slate has either")
	return nil
}

// rewritten reads a record and writes it again.
func rewritten(t *testing.T, record []byte) []byte {
	t.Helper()
	switch matcher.KindOf(record) {
	case matcher.OrderAnswer:
		o, err := matcher.ParseOrderCheck(record)
		return must[*matcher.OrderCheck](t)(o, err).AppendCanonical(nil)
	case matcher.SwitchAnswer:
		s, err := matcher.ParseSwitchAssessment(record)
		return must[*matcher.SwitchAssessment](t)(s, err).AppendCanonical(nil)
	case matcher.SlateAnswer:
	}
	s, err := matcher.ParseSlate(record)
	return must[*matcher.Slate](t)(s, err).AppendCanonical(nil)
}

// Every answer names the definitions that its features were derived by. A record of before
// is the same but for them, and keeps its bytes when it is read and written again: replay
// of it compares what was written then.
func TestARecordNamesItsDefinitions(t *testing.T) {
	for name, r := range someRecorded(t) {
		sealed := r.append(nil)
		id, err := matcher.RecordedIdentity(sealed)
		if err != nil || id != *r.identity || id.Definitions != behaviour.DefinitionVersion || sealed[r.version] != r.names || matcher.KindOf(sealed) != r.kind {
			t.Errorf("%s: %+v of version %d, %v", name, id, sealed[r.version], err)
		}
		r.identity.Definitions = ""
		old := r.append(nil)
		id, err = matcher.RecordedIdentity(old)
		if err != nil || id.Definitions != "" || id != *r.identity || old[r.version] != r.names-1 {
			t.Errorf("%s of before: %+v of version %d, %v", name, id, old[r.version], err)
		}
		for _, record := range [][]byte{sealed, old} {
			if diff := cmp.Diff(record, rewritten(t, record)); diff != "" {
				t.Errorf("%s: read and written again (- before, + after):\n%s", name, diff)
			}
		}
		e := fund.Encoder{}
		e.Text(behaviour.DefinitionVersion)
		engine := append([]byte("test"), e.Buf...) // the version of the program comes before
		if n := bytes.Count(sealed, engine); n != 1 {
			t.Fatalf("%s: the definitions stand %d times behind the engine", name, n)
		}
		without := bytes.Replace(sealed, engine, []byte("test"), 1)
		without[r.version]--
		if !bytes.Equal(without, old) {
			t.Errorf("%s: more differs from the version before than the definitions", name)
		}
	}
}

// A record of the version that names definitions names some: an answer has one encoding.
func TestARecordWithoutItsDefinitionsIsMalformed(t *testing.T) {
	for name, r := range someRecorded(t) {
		r.identity.Definitions = ""
		record := bytes.Replace(r.append(nil), []byte("test"), []byte("test\x00"), 1) // a text of length 0
		record[r.version]++
		if _, err := matcher.RecordedIdentity(record); !errors.Is(err, fund.ErrMalformed) {
			t.Errorf("%s: error %v, want %v", name, err, fund.ErrMalformed)
		}
		if _, err := matcher.RecordedIdentity(record[:len(record)/3]); !errors.Is(err, fund.ErrMalformed) {
			t.Errorf("%s, cut: error %v, want %v", name, err, fund.ErrMalformed)
		}
		record[r.version] = r.newest + 1
		if _, err := matcher.RecordedIdentity(record); !errors.Is(err, fund.ErrNewerVersion) {
			t.Errorf("%s of a newer version: error %v, want %v", name, err, fund.ErrNewerVersion)
		}
	}
}
