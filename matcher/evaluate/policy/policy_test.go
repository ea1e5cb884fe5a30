package policy_test

import (
	"encoding/json"
	"math"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/evaluate/policy"
)

// drawSettings are around the defaults, with steps among the weights that are drawn.
func drawSettings(t *rapid.T) policy.Settings {
	s := allSettings()
	s.Clip = rapid.SampledFrom([]float64{.5, 1.5, 2, 3, 10, 200}).Draw(t, "clip")
	s.SwitchLambda = rapid.SampledFrom([]float64{.5, 1, 5}).Draw(t, "switch")
	s.DRosLambda = rapid.SampledFrom([]float64{.1, 1, 10}).Draw(t, "dros")
	s.ListCutoff = rapid.IntRange(1, 5).Draw(t, "k")
	if rapid.Bool().Draw(t, "with a target") {
		s.Target = drawTarget(t, 7)
		s.RewardModel = rapid.SampledFrom([]policy.RewardModel{policy.ModelAction, policy.ModelActionPosition, policy.ModelNone}).Draw(t, "model")
	}
	return s
}

func TestEstimatesAreThoseOfTheTextbook(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := drawSettings(rt)
		batches := drawBatches(rt, rapid.IntRange(2, 60).Draw(rt, "decisions"))
		got := fold(rt, &s, batches).Result()
		want := estimates(rowsOf(batches, s.Target), &s)
		compare(rt, got, want, 1e-9)
	})
}

// More rows than are worked through at a time, and heavier weights than are drawn above.
func TestEstimatesOfALargeBatchAreThoseOfTheTextbook(t *testing.T) {
	batch := listBatch(5, 3000, 4)
	for i := range batch.Reward {
		batch.Reward[i] += .1 * float64(i%7)
	}
	for _, target := range []*policy.Target{nil, uniformTarget(batch.Codes, 4)} {
		s := allSettings()
		s.Target, s.RewardModel = target, policy.ModelActionPosition
		got := through(t, fold(t, &s, []*policy.Batch{batch})).Result()
		compare(t, got, estimates(rowsOf([]*policy.Batch{batch}, target), &s), 1e-11)
	}
}

// One process or many: a tree of batches gives the same bits, and another tree the same to 1e-12.
func TestMergingIsAdding(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := drawSettings(rt)
		s.Replicates = 5
		batches := drawBatches(rt, rapid.IntRange(1, 40).Draw(rt, "decisions"))
		whole := fold(rt, &s, batches)
		one := newState(rt, &s)
		for _, b := range batches {
			block := one.Fresh()
			must(rt, block.Add(b))
			must(rt, one.Merge(through(rt, block)))
		}
		if a, b := text(rt, whole), text(rt, one); a != b {
			rt.Fatalf("a state of blocks is\n%s\nthat of batches\n%s", b, a)
		}
		cut := rapid.IntRange(0, len(batches)).Draw(rt, "cut")
		left, right := fold(rt, &s, batches[:cut]), fold(rt, &s, batches[cut:])
		must(rt, right.Merge(left))
		alike(rt, text(rt, right.Result()), text(rt, whole.Result()), 1e-12)
	})
}

// States of one evaluation share memory that adding needs; they may be filled side by side.
func TestStatesAreFilledSideBySide(t *testing.T) {
	s := allSettings()
	batches := []*policy.Batch{listBatch(1, 100, 3), listBatch(2, 200, 3), listBatch(3, 50, 3)}
	s.Target, s.Replicates = uniformTarget(batches[0].Codes, 3), 3
	empty := newState(t, &s)
	want := text(t, fold(t, &s, batches))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 10 {
				state := empty.Fresh()
				for _, b := range batches {
					if err := state.Add(b); err != nil {
						t.Error(err)
					}
				}
				if out, err := state.MarshalJSON(); err != nil || string(out) != want {
					t.Errorf("%s, %v, expected %s", out, err, want)
				}
			}
		})
	}
	wg.Wait()
}

func must(t fataler, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("unexpected: %v", err)
	}
}

// through writes a state and reads it again; the bytes must stay.
func through(t fataler, s *policy.State) *policy.State {
	t.Helper()
	first := text(t, s)
	again := s.Fresh()
	must(t, json.Unmarshal([]byte(first), again))
	if second := text(t, again); second != first {
		t.Fatalf("read again it is\n%s\nexpected\n%s", second, first)
	}
	if got, want := text(t, again.Result()), text(t, s.Result()); got != want {
		t.Fatalf("read again its result is\n%s\nexpected\n%s", got, want)
	}
	return again
}

// alike compares two documents but for the last digits of their numbers.
func alike(t fataler, got, want string, tolerance float64) {
	t.Helper()
	var a, b any
	must(t, json.Unmarshal([]byte(got), &a))
	must(t, json.Unmarshal([]byte(want), &b))
	if at := differs(a, b, "", tolerance); at != "" {
		t.Fatalf("%s differs:\n%s\nexpected\n%s", at, got, want)
	}
}

func differs(a, b any, at string, tolerance float64) string {
	switch a := a.(type) {
	case map[string]any:
		m, ok := b.(map[string]any)
		if !ok || len(a) != len(m) {
			return at
		}
		for k, v := range a {
			if d := differs(v, m[k], at+"."+k, tolerance); d != "" {
				return d
			}
		}
	case []any:
		m, ok := b.([]any)
		if !ok || len(a) != len(m) {
			return at
		}
		for i, v := range a {
			if d := differs(v, m[i], at, tolerance); d != "" {
				return d
			}
		}
	case float64:
		if v, ok := b.(float64); !ok || !near(a, v, tolerance) {
			return at
		}
	case string: // texts tell figures too
	default:
		if a != b {
			return at
		}
	}
	return ""
}

// With uniform logging the weights of a product at a position are all the same, and with its own mean as its model nothing is
// left over: DR is DM.
func TestUniformLoggingWithASaturatedModelGivesDRIsDM(t *testing.T) {
	worst := 0.0
	rapid.Check(t, func(rt *rapid.T) {
		positions := rapid.IntRange(1, 4).Draw(rt, "positions")
		s := allSettings()
		s.Target, s.RewardModel = drawTarget(rt, positions), policy.ModelActionPosition
		seed := rapid.Uint64().Draw(rt, "seed")
		scale := rapid.SampledFrom([]float64{1, 1e-3, 97.3, 1e6}).Draw(rt, "scale")
		b := uniformBatch(seed, rapid.IntRange(50, 3000).Draw(rt, "decisions"), positions, scale)
		e := fold(rt, &s, []*policy.Batch{b}).Result().Estimates
		dm, dr := float64(e.DM.Value), float64(e.DR.Value)
		off := math.Abs(dr-dm) / math.Abs(dm)
		worst = max(worst, off)
		if !(off <= 1e-15) {
			rt.Fatalf("DR is %v and DM %v: %g apart, expected 1e-15", dr, dm, off)
		}
	})
	t.Logf("at most %.2g apart", worst)
}

func TestRewardsFarFromZeroKeepTheDigitsOfTheirSpread(t *testing.T) {
	const far = 1 << 30
	near0, far0 := listBatch(9, 400, 5), listBatch(9, 400, 5)
	for i := range near0.Reward {
		near0.Reward[i] = float64(i % 3)
		far0.Reward[i] = far + near0.Reward[i]
	}
	s := allSettings()
	s.Target, s.RewardModel = uniformTarget(near0.Codes, 5), policy.ModelActionPosition
	a, b := fold(t, &s, []*policy.Batch{near0}).Result(), fold(t, &s, []*policy.Batch{far0}).Result()
	for _, v := range []struct {
		name      string
		near, far policy.Estimate
		more      float64
	}{
		{"snips", a.Estimates.SNIPS, b.Estimates.SNIPS, far},
		{"dr", *a.Estimates.DR, *b.Estimates.DR, far},
		{"sndr", *a.Estimates.SNDR, *b.Estimates.SNDR, far},
		{"dros", *a.Estimates.DRos, *b.Estimates.DRos, far},
		{"sn_independent", *a.Slates.SNIndependent, *b.Slates.SNIndependent, 5 * far},
		{"sn_standard", *a.Slates.SNStandard, *b.Slates.SNStandard, 5 * far},
		{"sn_reward_interaction", *a.Slates.SNRewardInteraction, *b.Slates.SNRewardInteraction, 5 * far},
	} {
		if got, want := float64(v.far.StdErr), float64(v.near.StdErr); math.Abs(got/want-1) > 1e-6 {
			t.Errorf("standard error of %s far from zero is %v, expected %v", v.name, got, want)
		}
		if got, want := float64(v.far.Value)-v.more, float64(v.near.Value); math.Abs(got-want) > 1e-5 {
			t.Errorf("%s far from zero is %v more, expected %v", v.name, got, want)
		}
	}
}

func TestStatesOfOtherSettingsDoNotMerge(t *testing.T) {
	base := allSettings()
	a := newState(t, &base)
	for name, with := range map[string]func(*policy.Settings){
		"clip":   func(s *policy.Settings) { s.Clip = 11 },
		"model":  func(s *policy.Settings) { s.RewardModel = policy.ModelActionPosition },
		"target": func(s *policy.Settings) { s.Target = uniformTarget([]string{"A"}, 1) },
		"k":      func(s *policy.Settings) { s.ListCutoff = 5 },
		"draws":  func(s *policy.Settings) { s.Replicates = 2 },
	} {
		other := base
		with(&other)
		b := newState(t, &other)
		if err := a.Merge(b); !isSettings(err) {
			t.Errorf("%s: merged with %v", name, err)
		}
		if err := a.UnmarshalJSON([]byte(text(t, b))); !isSettings(err) {
			t.Errorf("%s: read with %v", name, err)
		}
	}
	same := newState(t, &base)
	must(t, a.Merge(same))
}

func TestSettingsAreBounded(t *testing.T) {
	for want, with := range map[string]func(*policy.Settings){
		"setting clip is 0":           func(s *policy.Settings) { s.Clip = 0 },
		"setting clip is NaN":         func(s *policy.Settings) { s.Clip = math.NaN() },
		"setting switch_lambda is -1": func(s *policy.Settings) { s.SwitchLambda = -1 },
		"setting dros_lambda is +Inf": func(s *policy.Settings) { s.DRosLambda = math.Inf(1) },
		`setting reward_model is "x"`: func(s *policy.Settings) { s.RewardModel = "x" },
		"setting min_ess is NaN":      func(s *policy.Settings) { s.MinESS = math.NaN() },
		"setting list_cutoff is -1":   func(s *policy.Settings) { s.ListCutoff = -1 },
		"setting replicates is 1":     func(s *policy.Settings) { s.Replicates = 1 },
	} {
		s := allSettings()
		with(&s)
		if _, err := policy.New(&s); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, expected %s", err, want)
		}
	}
}
