package evaluation_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/evaluate/policy"
	"github.com/fundmatch/fundmatch/services/evaluation"
	"github.com/fundmatch/fundmatch/services/evaluation/policylog"
)

// drawBlock makes a block of decisions whose rows have a value of a column each, and a channel for the whole decision.
func drawBlock(t *rapid.T) *policylog.Block {
	b := &policylog.Block{Texts: []policylog.Text{
		{Name: "theme", There: true, Names: []string{"GOLD", "", "BONDS", "never"}},
		{Name: "channel", There: true, Names: []string{"APP", "BRANCH"}},
	}}
	b.Codes = []string{"F1", "F2", "F3"}
	for d := range rapid.IntRange(1, 12).Draw(t, "decisions") {
		channel := uint32(rapid.IntRange(0, 1).Draw(t, "channel"))
		for k := range rapid.IntRange(1, 5).Draw(t, "rows") {
			b.Position = append(b.Position, int32(k+1))
			b.Product = append(b.Product, uint32(rapid.IntRange(0, 2).Draw(t, "product")))
			b.Reward = append(b.Reward, float64(rapid.IntRange(-3, 9).Draw(t, "reward"))/7)
			b.Propensity = append(b.Propensity, rapid.Float64Range(.01, 1).Draw(t, "propensity"))
			b.Target = append(b.Target, rapid.Float64Range(0, 1).Draw(t, "target"))
			b.Texts[0].Values = append(b.Texts[0].Values, uint32(rapid.IntRange(0, 2).Draw(t, "theme")))
			b.Texts[1].Values = append(b.Texts[1].Values, channel)
		}
		b.Ends = append(b.Ends, int32(len(b.Position)))
		b.Cluster = append(b.Cluster, uint64(d))
		b.Decisions = append(b.Decisions, policylog.Decision{ID: fmt.Appendf(nil, "d%d", d)})
	}
	return b
}

// only are the rows of a block with one value, taken one by one.
func only(b *policylog.Block, has func(row int) bool) *policy.Batch {
	out := &policy.Batch{Codes: b.Codes}
	row := 0
	for d, end := range b.Ends {
		for ; row < int(end); row++ {
			if !has(row) {
				continue
			}
			out.Position, out.Product = append(out.Position, b.Position[row]), append(out.Product, b.Product[row])
			out.Reward, out.Propensity = append(out.Reward, b.Reward[row]), append(out.Propensity, b.Propensity[row])
			out.Target = append(out.Target, b.Target[row])
		}
		ends := int32(len(out.Position))
		if len(out.Ends) == 0 && ends > 0 || len(out.Ends) > 0 && ends > out.Ends[len(out.Ends)-1] {
			out.Ends, out.Cluster = append(out.Ends, ends), append(out.Cluster, b.Cluster[d])
		}
	}
	return out
}

// A segment is what the log would say if it had the segment's rows alone: to the last bit, over several blocks, with
// states that were used before.
func TestSegmentsAreTheRowsOfTheirValue(t *testing.T) {
	settings := policy.DefaultSettings()
	columns := []string{"theme", "channel", "product_code", "position"}
	part, err := evaluation.SegmentsPart(&settings, columns)
	if err != nil {
		t.Fatal(err)
	}
	rowwise := settings
	rowwise.ListCutoff, rowwise.Slates, rowwise.Replicates = 0, false, 0
	rapid.Check(t, func(t *rapid.T) {
		all, block := part.New(), part.New()
		want := map[[2]string]*policy.State{}
		for range rapid.IntRange(1, 3).Draw(t, "blocks") {
			b := drawBlock(t)
			if err := block.Add(b); err != nil {
				t.Fatal(err)
			}
			if err := all.Merge(block); err != nil {
				t.Fatal(err)
			}
			as[evaluation.Resetter](block).Reset()
			for _, column := range columns {
				valueOf := func(row int) string {
					switch column {
					case "product_code":
						return b.Codes[b.Product[row]]
					case "position":
						return fmt.Sprint(b.Position[row])
					case "channel":
						return b.Texts[1].Names[b.Texts[1].Values[row]]
					}
					return b.Texts[0].Names[b.Texts[0].Values[row]]
				}
				values := map[string]bool{}
				for row := range b.Position {
					values[valueOf(row)] = true
				}
				for value := range values {
					key := [2]string{column, value}
					if want[key] == nil {
						if want[key], err = policy.New(&rowwise); err != nil {
							t.Fatal(err)
						}
					}
					if err := want[key].Add(only(b, func(row int) bool { return valueOf(row) == value })); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		for key, state := range want {
			text, err := state.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			got, there := evaluation.SegmentState(all, slices.Index(columns, key[0]), key[1])
			if !there || got != string(text) {
				t.Fatalf("%s %q: %s\nexpected %s", key[0], key[1], got, text)
			}
		}
		if _, there := evaluation.SegmentState(all, 0, "never"); there {
			t.Fatal("a value that no row has is a segment")
		}
		text, err := all.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		back := part.New()
		if err := back.UnmarshalJSON(text); err != nil {
			t.Fatal(err)
		}
		if again, err := back.MarshalJSON(); err != nil || !bytes.Equal(again, text) {
			t.Fatalf("%s, %v, expected %s", again, err, text)
		}
	})
}

// valued is a block of one decision whose rows have the values from so many on.
func valued(from, to int) *policylog.Block {
	b := &policylog.Block{Texts: []policylog.Text{{Name: "theme", There: true}}}
	b.Codes = []string{"F1"}
	for i := from; i < to; i++ {
		b.Position = append(b.Position, int32(i-from+1))
		b.Product, b.Reward = append(b.Product, 0), append(b.Reward, 1)
		b.Propensity, b.Target = append(b.Propensity, 1), append(b.Target, 1)
		b.Texts[0].Values = append(b.Texts[0].Values, uint32(i-from))
		b.Texts[0].Names = append(b.Texts[0].Names, fmt.Sprint("v", i))
	}
	b.Ends, b.Cluster = []int32{int32(to - from)}, []uint64{1}
	b.Decisions = []policylog.Decision{{ID: []byte("d1"), Row: 41}}
	return b
}

// A thousand values are judged, one more is refused: within a block, and over several.
func TestSegmentsAreBounded(t *testing.T) {
	settings := policy.DefaultSettings()
	part, err := evaluation.SegmentsPart(&settings, []string{"theme"})
	if err != nil {
		t.Fatal(err)
	}
	all := part.New()
	if err := all.Add(valued(0, evaluation.MaxValues)); err != nil {
		t.Errorf("%d values: %v", evaluation.MaxValues, err)
	}
	wrong := (*evaluation.SegmentsError)(nil)
	if err := all.Add(valued(0, evaluation.MaxValues)); err != nil {
		t.Errorf("the same values again: %v", err)
	}
	if err := all.Add(valued(7000, 7001)); !errors.As(err, &wrong) || wrong.Column != "theme" || !errors.Is(err, evaluation.ErrSegments) {
		t.Errorf("%v for one value more", err)
	}
	if err := part.New().Add(valued(0, evaluation.MaxValues+1)); !errors.Is(err, evaluation.ErrSegments) {
		t.Errorf("%v for one value too many in a block", err)
	}
	other := part.New()
	if err := other.Add(valued(2000, 2001)); err != nil {
		t.Fatal(err)
	}
	if err := all.Merge(other); !errors.Is(err, evaluation.ErrSegments) {
		t.Errorf("%v for one value too many in two states", err)
	}
}

// A reward model for each value costs memory by products and positions: that is bounded too.
func TestSegmentModelsAreBounded(t *testing.T) {
	settings := policy.DefaultSettings()
	text := []byte(`{"probabilities":{"F0":[`)
	for k := range 1 << 14 {
		if k > 0 {
			text = append(text, ',')
		}
		text = append(text, '1')
	}
	var err error
	if settings.Target, err = policy.ParseTarget(append(text, "]}}"...)); err != nil {
		t.Fatal(err)
	}
	part, err := evaluation.SegmentsPart(&settings, []string{"theme"})
	if err != nil {
		t.Fatal(err)
	}
	values := evaluation.MaxSegmentCells >> 14
	all := part.New()
	for v := range values { // one at a time: each needs a model
		if err := all.Add(valued(v, v+1)); err != nil {
			t.Fatalf("value %d of %d: %v", v+1, values, err)
		}
	}
	if err := all.Add(valued(values, values+1)); !errors.Is(err, evaluation.ErrSegments) {
		t.Errorf("%v for a model too many", err)
	}
}

// A position that the target policy does not have is told with the decision and where it stands.
func TestRowsThatThePolicyCannotJudge(t *testing.T) {
	target, err := policy.ParseTarget([]byte(`{"probabilities":{"F1":[1,1]}}`))
	if err != nil {
		t.Fatal(err)
	}
	settings := &evaluation.Settings{Verb: evaluation.VerbPolicy, Policy: policy.DefaultSettings()}
	settings.Policy.Target = target
	parts, err := settings.Parts()
	if err != nil {
		t.Fatal(err)
	}
	wrong := (*evaluation.RowError)(nil)
	err = parts[0].New().Add(valued(0, 3))
	if !errors.As(err, &wrong) || wrong.Decision != "d1" || wrong.Row != 41 || wrong.Position != 3 {
		t.Errorf("%v, expected an error about position 3 of d1, which begins in row 41", err)
	}
}

// Settings come back from partial files: what no command line could have asked is refused.
func TestSettingsFromOutside(t *testing.T) {
	good := &evaluation.Settings{Verb: evaluation.VerbPolicy, Policy: policy.DefaultSettings(), Segments: []string{"segment"}}
	text, err := good.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := evaluation.DecodeSettings(text); err != nil {
		t.Errorf("%s: %v", text, err)
	}
	for name, change := range map[string]func(s *evaluation.Settings){
		"another verb":    func(s *evaluation.Settings) { s.Verb = "x" },
		"a segment twice": func(s *evaluation.Settings) { s.Segments = []string{"a", "a"} },
		"no name":         func(s *evaluation.Settings) { s.Segments = []string{""} },
		"many segments":   func(s *evaluation.Settings) { s.Segments = make([]string, 21) },
		"no clip":         func(s *evaluation.Settings) { s.Policy.Clip = 0 },
		"many replicates": func(s *evaluation.Settings) { s.Policy.Replicates = 1 << 30 },
	} {
		s := *good
		change(&s)
		text, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := evaluation.DecodeSettings(text); err == nil {
			t.Errorf("%s: %s was taken", name, text)
		}
	}
	for _, bad := range []string{"", "null", "[]", string(text) + "1", `{"verb":"policy","x":1}`} {
		if _, err := evaluation.DecodeSettings([]byte(bad)); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// A file that was written again is another, also where its size and time are the same.
func TestIdentities(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.csv")
	at := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	identity := func(reward string, at time.Time) string {
		text := "decision_id,customer_id,decided_at,position,product_code,reward,propensity\nd1,C1,2026-06-01T10:00:00Z,1,F1," + reward + ",.5\n"
		if err := errors.Join(os.WriteFile(name, []byte(text), 0o600), os.Chtimes(name, at, at)); err != nil {
			t.Fatal(err)
		}
		log, err := policylog.Open([]string{name}, policylog.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = log.Close() }() // it is only looked at
		source, err := evaluation.LogSource(log, true)
		if err != nil {
			t.Fatal(err)
		}
		return source.Files()[0].Identity
	}
	first := identity("0", at)
	if first == "" || identity("0", at) != first {
		t.Errorf("%q, and another for the same file", first)
	}
	for what, other := range map[string]string{
		"size": identity("10", at), "content": identity("1", at), "time": identity("0", at.Add(time.Second)),
	} {
		if other == first {
			t.Errorf("another %s is the same file", what)
		}
	}
}
