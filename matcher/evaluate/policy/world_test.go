package policy_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/evaluate/policy"
)

// uniformTarget shows each product alike at each position.
func uniformTarget(codes []string, positions int) *policy.Target {
	row := make([]float64, positions)
	for k := range row {
		row[k] = 1 / float64(len(codes))
	}
	rows := map[string][]float64{}
	for _, code := range codes {
		rows[code] = row
	}
	return mustTarget(rows)
}

func mustTarget(rows map[string][]float64) *policy.Target {
	text, err := json.Marshal(map[string]any{"probabilities": rows})
	if err != nil {
		panic(err)
	}
	t, err := policy.ParseTarget(text)
	if err != nil {
		panic(fmt.Sprintf("%v: %.300s", err, strings.TrimSpace(string(text))))
	}
	return t
}

var codes = []string{"A", "B", "C", "D"}

// drawTarget gives most cells something, some nothing.
func drawTarget(t *rapid.T, positions int) *policy.Target {
	rows := map[string][]float64{}
	for _, code := range codes {
		rows[code] = make([]float64, positions)
	}
	for k := range positions {
		shares := rapid.SliceOfN(rapid.IntRange(0, 4), len(codes), len(codes)).Draw(t, "shares")
		total := 0
		for _, s := range shares {
			total += s
		}
		if total == 0 {
			shares[0], total = 1, 1
		}
		for i, code := range codes {
			rows[code][k] = float64(shares[i]) / float64(total)
		}
	}
	return mustTarget(rows)
}

// drawBatches draws a log of lists of up to six, as they come: rows out of order, gaps, rewards that are not known yet.
func drawBatches(t *rapid.T, decisions int) []*policy.Batch {
	var out []*policy.Batch
	b := &policy.Batch{Codes: slices.Clone(codes)}
	reward := rapid.SampledFrom([]float64{0, 0, 0, 1, 1, .25, -2, 7.5})
	odd := rapid.SampledFrom([]string{"", "", "", "", "", "censored", "gap", "shuffled"})
	for d := range decisions {
		n, what := rapid.IntRange(1, 6).Draw(t, "length"), odd.Draw(t, "odd")
		positions := make([]int32, n)
		for k := range positions {
			positions[k] = int32(k + 1)
		}
		switch {
		case what == "gap" && n < 6:
			positions[n-1]++
		case what == "shuffled":
			positions = rapid.Permutation(positions).Draw(t, "order")
		}
		for k, position := range positions {
			r := reward.Draw(t, "reward")
			if what == "censored" && k == n/2 {
				r = math.NaN()
			}
			b.Position, b.Product = append(b.Position, position), append(b.Product, uint32(rapid.IntRange(0, len(codes)-1).Draw(t, "product")))
			b.Reward = append(b.Reward, r)
			b.Propensity = append(b.Propensity, float64(rapid.IntRange(1, 20).Draw(t, "propensity"))/20)
			b.Target = append(b.Target, float64(rapid.IntRange(0, 20).Draw(t, "target"))/20)
		}
		b.Ends = append(b.Ends, int32(len(b.Position)))
		b.Cluster = append(b.Cluster, uint64(rapid.IntRange(0, decisions/2).Draw(t, "customer"))*0x9e3779b97f4a7c15)
		if d == decisions-1 || rapid.IntRange(0, 9).Draw(t, "cut") == 0 {
			out = append(out, b)
			b = &policy.Batch{Codes: rapid.Permutation(codes).Draw(t, "codes")}
		}
	}
	return out
}

func newState(t fataler, s *policy.Settings) *policy.State {
	t.Helper()
	state, err := policy.New(s)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return state
}

// failer and fataler are a testing.TB or a *rapid.T.
type failer interface {
	Helper()
	Errorf(format string, args ...any)
}

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

func fold(t fataler, s *policy.Settings, batches []*policy.Batch) *policy.State {
	t.Helper()
	state := newState(t, s)
	for _, b := range batches {
		if err := state.Add(b); err != nil {
			t.Fatalf("Add: %v", err)
		}
	}
	return state
}

func text(t fataler, v any) string {
	t.Helper()
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("Marshal: %v", err)
	}
	return string(out)
}

// uniformBatch is of lists from a log that shows each product alike; rewards above 0, so that values are not near it.
func uniformBatch(seed uint64, decisions, positions int, scale float64) *policy.Batch {
	rng := rand.New(rand.NewPCG(seed, 2))
	b := &policy.Batch{Codes: slices.Clone(codes)}
	for d := range decisions {
		for k := range positions {
			code := rng.IntN(len(codes))
			if d < len(codes) {
				code = d // every product stands everywhere once
			}
			b.Position, b.Product = append(b.Position, int32(k+1)), append(b.Product, uint32(code))
			b.Reward = append(b.Reward, scale*(.1+rng.Float64()*float64(code+1)))
			b.Propensity, b.Target = append(b.Propensity, 1/float64(len(codes))), append(b.Target, 0)
		}
		b.Ends, b.Cluster = append(b.Ends, int32(len(b.Position))), append(b.Cluster, uint64(d))
	}
	return b
}

func isSettings(err error) bool { return errors.Is(err, policy.ErrSettings) }

// allSettings are the defaults, and all that may be asked besides.
func allSettings() policy.Settings {
	s := policy.DefaultSettings()
	s.Slates = true
	return s
}
