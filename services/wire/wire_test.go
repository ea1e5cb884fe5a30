package wire_test

import (
	"math"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/services/wire"
)

// TestTimestamp: every instant that a bank can know is shown to the microsecond; unknown
// and open ones are absent.
func TestTimestamp(t *testing.T) {
	t.Parallel()
	if wire.Timestamp(0) != nil || wire.Timestamp(fund.Forever) != nil {
		t.Error("an unknown or open instant is shown")
	}
	rapid.Check(t, func(rt *rapid.T) {
		at := fund.Instant(rapid.Int64Range(1, 7_000_000_000_000_000).Draw(rt, "at"))
		got := wire.Timestamp(at)
		if err := got.CheckValid(); err != nil || !got.AsTime().Equal(at.Time()) {
			rt.Fatalf("%d: %v, %v", at, got, err)
		}
	})
}

func TestEvidence(t *testing.T) {
	t.Parallel()
	facts := []fund.Evidence{
		{Field: "MAX_DRAWDOWN", Unit: fund.UnitRatio, Number: -28_109, Window: fund.Window{From: 20200609, To: 20260309}, AsOf: 20260310, Stale: 1, Source: "NAV"},
		{Field: "GOAL", Text: "稳健收益", AsOf: 20260310, Source: "PRODUCT", Document: "KF-1"},
		{},
	}
	got := wire.Evidence(facts)
	if len(got) != len(facts) {
		t.Fatalf("%d facts, expected %d", len(got), len(facts))
	}
	for i := range facts {
		f, g := &facts[i], got[i]
		if g.GetField() != f.Field || g.GetValue() != f.Value() || g.GetUnit() != f.Unit.String() || g.GetWindow() != f.Window.String() ||
			g.GetAsOf() != f.AsOf.String() || g.GetStaleDays() != f.Stale || g.GetSource() != f.Source || g.GetDocumentId() != f.Document {
			t.Errorf("fact %d: %v", i, g)
		}
	}
	if got[0].GetValue() != "-0.028109" || got[0].GetWindow() != "2020-06-09/2026-03-09" || got[1].GetValue() != "稳健收益" || got[2].GetAsOf() != "" {
		t.Errorf("%v", got)
	}
	if len(wire.Evidence(nil)) != 0 {
		t.Error("no facts became some")
	}
}

// TestContributions keeps the order and every bit: who adds them up gets the score.
func TestContributions(t *testing.T) {
	t.Parallel()
	cs := []score.Contribution{
		{Feature: 0, Value: 0.1, Weight: 3, Amount: score.Amount(0.1, 3)},
		{Feature: 1, Value: math.Copysign(0, -1), Weight: -8, Amount: score.Amount(math.Copysign(0, -1), -8)},
		{Feature: 2, Value: math.SmallestNonzeroFloat64, Weight: 1, Amount: math.SmallestNonzeroFloat64},
	}
	for i, c := range wire.Contributions(cs) {
		if c.GetFeature() != cs[i].Feature.String() || math.Float64bits(c.GetValue()) != math.Float64bits(cs[i].Value) ||
			math.Float64bits(c.GetWeight()) != math.Float64bits(cs[i].Weight) || math.Float64bits(c.GetContribution()) != math.Float64bits(cs[i].Amount) {
			t.Errorf("contribution %d: %v", i, c)
		}
	}
}

func TestRevisions(t *testing.T) {
	t.Parallel()
	got := wire.Revisions(matcher.Identity{PoolRevision: 7, DataSeq: 12, AsOf: fund.Date(20260310).Start(), ModelID: "m", RulesID: "r", WordingID: "w", Engine: "e"})
	const want = `{"pool":"7","model":"m","rules":"r","engine":"e","coreAsOf":"2026-03-09T16:00:00Z","dataSeq":"12","wording":"w"}`
	text, err := protojson.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if compact(string(text)) != want {
		t.Errorf("%s, expected %s", text, want)
	}
}

// compact takes out the blanks that protojson puts in at random.
func compact(s string) string {
	out := make([]rune, 0, len(s))
	for _, r := range s {
		if r != ' ' {
			out = append(out, r)
		}
	}
	return string(out)
}

func TestHash(t *testing.T) {
	t.Parallel()
	var h [32]byte
	h[0], h[31] = 0xAB, 0x01
	if got := wire.Hash(h); len(got) != 64 || got[:2] != "ab" || got[62:] != "01" {
		t.Error(got)
	}
}
