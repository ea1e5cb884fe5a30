package policy_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/evaluate/policy"
)

func TestATargetIsReadStrictly(t *testing.T) {
	for in, want := range map[string]string{
		`{"probabilities": {"A": [0.25, 1], "B": [0.75, 0]}}`:  "",
		`{"probabilities": {"A": [0.3], "B": [0.7000000005]}}`: "",
		``:                                              `target policy: EOF near byte 0, expected {"probabilities": {"CODE": [p, ...]}}`,
		`[]`:                                            `target policy: "[" at byte 1, expected "{"`,
		`{}`:                                            `target policy: "}" at byte 2, expected "probabilities"`,
		`{"probs": {"A": [1]}}`:                         `target policy: "probs" at byte 8, expected "probabilities"`,
		`{"probabilities": {}}`:                         `target policy: no product, expected at least one`,
		`{"probabilities": {"A": 1}}`:                   `target policy: "1" at byte 25, expected "["`,
		`{"probabilities": {"A": []}}`:                  `target policy, product A: no positions, expected a probability for each`,
		`{"probabilities": {"A": [2]}}`:                 `target policy, product A, position 1: 2, expected a probability from 0 to 1`,
		`{"probabilities": {"A": [1,-0.5]}}`:            `target policy, product A, position 2: -0.5, expected a probability from 0 to 1`,
		`{"probabilities": {"A": [1e999]}}`:             `target policy, product A, position 1: 1e999, expected a probability from 0 to 1`,
		`{"probabilities": {"A": ["1"]}}`:               `target policy, product A, position 1: 1, expected a probability from 0 to 1`,
		`{"probabilities": {"A": [[1]]}}`:               `target policy, product A, position 1: [, expected a probability from 0 to 1`,
		`{"probabilities": {"A": [null]}}`:              `target policy, product A, position 1: <nil>, expected a probability from 0 to 1`,
		`{"probabilities": {"A": [NaN]}}`:               `target policy: invalid character 'N'`,
		`{"probabilities": {"": [1]}}`:                  `target policy: product code "", expected 1 to 64`,
		`{"probabilities": {"a b": [1]}}`:               `target policy: product code "a b", expected 1 to 64`,
		`{"probabilities": {"A": [0.5], "A": [0.5]}}`:   `target policy, product A: stands twice, expected each product once`,
		`{"probabilities": {"A": [1, 1], "B": [0]}}`:    `target policy, product B: 1 positions, expected 2 as product A has`,
		`{"probabilities": {"A": [1, 0.9], "B":[0,0]}}`: `target policy, position 2: probabilities add up to 0.9, expected 1 within 1e-9`,
		`{"probabilities": {"A": [0.999999998]}}`:       `target policy, position 1: probabilities add up to 0.999999998, expected 1 within 1e-9`,
		`{"probabilities": {"A": [1]}, "more": 1}`:      `target policy: "more" at byte 36, expected "}"`,
		`{"probabilities": {"A": [1]}} {}`:              `target policy: more behind its end, at byte 31, expected nothing`,
		`{"probabilities": {"A": [1]}`:                  `target policy: EOF near byte 28`,
		`{"probabilities": {"A": [1`:                    `target policy: EOF near byte 26`,
	} {
		_, err := policy.ParseTarget([]byte(in))
		var wrong *policy.TargetError
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", in, err)
		case want != "" && (err == nil || !strings.HasPrefix(err.Error(), want) || !errors.As(err, &wrong)):
			t.Errorf("%s: %v, expected %s", in, err, want)
		}
	}
}

func TestATargetHasSoManyCellsAtMost(t *testing.T) {
	row := "[1" + strings.Repeat(",1", policy.MaxCells) + "]"
	_, err := policy.ParseTarget([]byte(`{"probabilities": {"A": ` + row + `}}`))
	if err == nil || err.Error() != "target policy: 1 products at 262145 positions, expected at most 262144 of both multiplied" {
		t.Errorf("%v", err)
	}
	if _, err = policy.ParseTarget(make([]byte, policy.MaxTargetBytes+1)); err == nil || !strings.Contains(err.Error(), "expected at most 16777216") {
		t.Errorf("%v", err)
	}
}

// Whatever is read can be written, and is read again as the same; what is in it is a policy.
func FuzzTarget(f *testing.F) {
	f.Add([]byte(`{"probabilities": {"A": [0.25, 1], "B": [0.75, 0]}}`))
	f.Add([]byte(`{"probabilities": {"A": [1e-7], "B": [0.9999999]}}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		target, err := policy.ParseTarget(in)
		if err != nil {
			return
		}
		for k := range target.Positions() {
			total := 0.0
			for _, code := range target.Codes() {
				p := target.Probability(code, k+1)
				if !(p >= 0 && p <= 1) {
					t.Fatalf("%s at %d has %v", code, k+1, p)
				}
				total += p
			}
			if total < 1-1e-8 || total > 1+1e-8 {
				t.Fatalf("position %d adds up to %v", k+1, total)
			}
		}
		again, err := policy.ParseTarget([]byte(text(t, target)))
		if err != nil || text(t, again) != text(t, target) {
			t.Fatalf("%s is read again as %v, %v", text(t, target), again, err)
		}
	})
}

// fullSettings have everything that a state can hold.
func fullSettings() *policy.Settings {
	s := allSettings()
	_, s.Target = tableLog()
	s.Replicates = 2
	return &s
}

func fullState(t fataler) *policy.State {
	t.Helper()
	b, _ := tableLog()
	return fold(t, fullSettings(), []*policy.Batch{b})
}

func TestAStateFromOutsideIsChecked(t *testing.T) {
	good := text(t, fullState(t))
	for _, c := range []struct{ old, new, want string }{
		{`{"settings"`, `["settings"`, "the JSON of a state"},
		{`{"settings"`, `{"more": 1, "settings"`, `unknown field "more"`},
		{`"rows":12`, `"rows":13`, "weights: 12 in all, expected 13"},
		{`"rows":12`, `"rows":-1`, "rows, decisions, censored: a count of -1"},
		{`"rows":12`, `"rows":1e3`, "the JSON of a state"},
		{`"censored":0`, `"censored":13`, "13 censored"},
		{`"decisions":6`, `"decisions":13`, "13 decisions"},
		{`"decisions":6`, `"decisions":5`, "lists: 6 in all, expected at most 5"},
		{`"decisions":6`, `"decisions":7`, "slates: 6 in all, expected 7"},
		{`"max_weight":1`, `"max_weight":-1`, "greatest weight -1"},
		{`"weights":[0,`, `"weights":[`, "weights: 31 counts, expected 32"},
		{`"bands":{"n":[11,`, `"bands":{"n":[10,`, "bands: 11 in all, expected 12"},
		{`"sums":[`, `"sums":[1,`, "bands: 99 numbers, expected 98"},
		{`"sums":[`, `"sums":[0.5,1,`, "bands: 100 numbers, expected 98"},
		{`"lists":{"n":[6],"sums":[`, `"lists":{"n":[6],"sums":[1,1,1,1],"sums":[`, ""}, // the last of a key that stands twice
		{`"slates":{`, `"slates":null,"x":{`, "unknown field"},
		{`"reason":""`, `"reason":"MAYBE"`, `slates.reason: "MAYBE", expected TOO_LONG`},
		{`"reason":""`, `"reason":"TOO_LONG"`, "slates.lengths: 2 lengths"},
		{`"lengths":[0,6]`, `"lengths":[6,0]`, "slates.lengths: 2 lengths"},
		{`"lengths":[0,6]`, `"lengths":[6]`, "slates.independent: 40 numbers, expected 10"},
		{`"lengths":[0,6]`, `"lengths":[-1,7]`, "slates.lengths: a count of -1"},
		{`"left_out":0`, `"left_out":9223372036854775807`, "slates.left_out: a count of 9223372036854775807"},
		{`"model":{"rows":[6,6]`, `"model":{"rows":[6,6,0]`, "model.rows: 3 counts, expected 2"},
		{`"model":{"rows":[6,6]`, `"model":{"rows":[5,7]`, "model.cells at position 1: 6 in all, expected at most 5"},
		{`"at":[0,`, `"at":[-1,`, "model.at: a cell -1, expected ascending, 0 to 5"},
		{`"at":[0,1,`, `"at":[1,1,`, "model.at: a cell 1, expected ascending"},
		{`"at":[0,`, `"at":[`, "model.cells: 6 counts, expected 5"},
		{`"cells":{"n":[2,2,`, `"cells":{"n":[4,0,`, "model.cells: no row in cell 1"},
		{`"resample":[`, `"resample":[1,`, "resample: 25 numbers, expected 24"},
		{`"resample":[`, `"resample":[1e999,`, "the JSON of a state"},
	} {
		if !strings.Contains(good, c.old) {
			t.Fatalf("%s is not in %s", c.old, good)
		}
		state := fullState(t)
		err := state.UnmarshalJSON([]byte(strings.Replace(good, c.old, c.new, 1)))
		if c.want == "" {
			must(t, err)
			continue
		}
		var wrong *policy.StateError
		if err == nil || !strings.Contains(err.Error(), c.want) || !errors.As(err, &wrong) {
			t.Errorf("%s for %s: %v, expected %s", c.new, c.old, err, c.want)
		}
		if text(t, state) != text(t, state.Fresh()) {
			t.Errorf("%s for %s: the state is not empty", c.new, c.old)
		}
	}
	for _, bad := range []string{"", "null", good + "{}", good[:len(good)/2]} {
		if err := fullState(t).UnmarshalJSON([]byte(bad)); err == nil {
			t.Errorf("%.20q was read", bad)
		}
	}
	if err := new(policy.State).UnmarshalJSON([]byte(good)); err == nil || !strings.Contains(err.Error(), "a state made by New") {
		t.Errorf("%v", err)
	}
}

// A state from outside is refused, or is one: it can be told, merged and written again.
func FuzzState(f *testing.F) {
	f.Add([]byte(text(f, fullState(f))))
	f.Add([]byte(text(f, newState(f, fullSettings()))))
	f.Fuzz(func(t *testing.T, in []byte) {
		state := newState(t, fullSettings())
		if json.Unmarshal(in, state) != nil {
			return
		}
		again := through(t, state)
		must(t, again.Merge(state))
		_ = text(t, again.Result())
	})
}
