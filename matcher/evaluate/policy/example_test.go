package policy_test

import (
	"math"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/evaluate/policy"
)

// tableOf is a small log of three products, two to a list, and the target that is judged by it.
func tableLog() (*policy.Batch, *policy.Target) {
	b := &policy.Batch{Codes: []string{"A", "B", "C"}}
	for i, r := range []struct {
		product            uint32
		reward, propensity float64
	}{
		{0, 1, .5},
		{1, 0, .25},
		{1, 0, .2},
		{2, 2, .5},
		{2, 1, .4},
		{0, 0, .1},
		{0, 0, .8},
		{2, 1.5, .05},
		{1, .5, .6},
		{1, 0, .3},
		{2, 0, .1},
		{0, 3, .4},
	} {
		b.Position, b.Product = append(b.Position, int32(i%2+1)), append(b.Product, r.product)
		b.Reward, b.Propensity = append(b.Reward, r.reward), append(b.Propensity, r.propensity)
		if i%2 == 1 {
			b.Ends, b.Cluster = append(b.Ends, int32(i+1)), append(b.Cluster, uint64(i)*0x9e3779b97f4a7c15)
		}
	}
	return b, mustTarget(map[string][]float64{"A": {.5, .1}, "B": {.3, .2}, "C": {.2, .7}})
}

// The expected numbers are numpy's and scipy's (1.24, 1.10), from the formulas of each source.
func TestATableByNumpy(t *testing.T) {
	b, target := tableLog()
	s := allSettings()
	s.Target, s.Clip, s.SwitchLambda, s.DRosLambda, s.MinESS = target, 2, 1.5, 10, 2
	r := fold(t, &s, []*policy.Batch{b}).Result()
	want := textbook{
		"ips":                {2.1916666666666664, 1.7256403437447778},
		"snips":              {1.0849089034032313, 0.2922383752451847},
		"clipped_ips":        {0.6916666666666668, 0.31351099089847145},
		"dm":                 {0.8374999999999999, 0.022613350843332276},
		"dr":                 {1.075347222222222, 0.5262462306855474},
		"sndr":               {0.9552380543141972, 0.2152843578171775},
		"switch_dr":          {0.8253472222222221, 0.1624275109728871},
		"dros":               {0.7086147119541909, 0.20442088503336564},
		"standard":           {3.381944444444444, 2.0367303325503996},
		"independent":        {4.383333333333333, 3.3438168477222416},
		"reward_interaction": {3.429166666666666, 2.024129614042649},
		"ndcg":               {0.8154648767857289, 0.08252661594868202},
		// their standard errors are held by the textbook
		"sn_standard":           {1.562901155327343, float64(r.Slates.SNStandard.StdErr)},
		"sn_independent":        {1.640820081482455, float64(r.Slates.SNIndependent.StdErr)},
		"sn_reward_interaction": {1.7356501008619105, float64(r.Slates.SNRewardInteraction.StdErr)},
	}
	compare(t, r, want, 1e-14)
	d := r.Diagnostics
	for _, v := range []struct {
		name      string
		got, want float64
	}{
		{"mean weight", float64(d.MeanWeight), 2.020138888888889},
		{"its p", float64(d.MeanWeightP), 0.3530494531588979},
		{"max weight", float64(d.MaxWeight), 14},
		{"ess", float64(d.ESS), 2.821922024566781},
		{"clipped rows", float64(d.ClippedRows), 1},
		{"clipped at 5", float64(d.Clip[1].Value), 1.0666666666666667},
		{"its standard error", float64(d.Clip[1].StdErr), 0.6295240305584093},
		{"cut at 2", float64(d.Clip[0].Cut), 0.49501546923341344},
		{"cut at 10", float64(d.Clip[2].Cut), 0.16500515641113778},
		{"cut at 20", float64(d.Clip[3].Cut), 0},
	} {
		if !near(v.got, v.want, 1e-13) {
			t.Errorf("%s is %v, expected %v", v.name, v.got, v.want)
		}
	}
	if r.Verdict.Status != policy.Given || len(r.Verdict.Reasons) != 0 {
		t.Errorf("verdict is %v, expected it given", r.Verdict)
	}
	// .25 | .5 .5 .625 .667 .8 | 1 1 1.4 1.5 | 2 | 14
	bins := map[float64]int64{.25: 1, .5: 5, 1: 4, 2: 1, 8: 1}
	for _, bin := range d.Weights {
		if bin.Rows != bins[float64(bin.From)] {
			t.Errorf("%d weights from %v to %v, expected %d", bin.Rows, bin.From, bin.To, bins[float64(bin.From)])
		}
	}
}

// What a policy would have earned beside the log's own is known without any doubt where both are the same.
func TestTheLoggingPolicyItselfIsWorthWhatItEarned(t *testing.T) {
	b := listBatch(3, 500, 4)
	copy(b.Target, b.Propensity)
	total := 0.0
	for _, r := range b.Reward {
		total += r
	}
	s := allSettings()
	r := fold(t, &s, []*policy.Batch{b}).Result()
	for name, e := range map[string]policy.Estimate{"ips": r.Estimates.IPS, "snips": r.Estimates.SNIPS, "clipped_ips": r.Estimates.ClippedIPS} {
		if !near(float64(e.Value), total/2000, 1e-15) {
			t.Errorf("%s is %v, expected %v", name, e.Value, total/2000)
		}
	}
	for name, e := range map[string]*policy.Estimate{"standard": r.Slates.Standard, "independent": r.Slates.Independent, "sn_reward_interaction": r.Slates.SNRewardInteraction} {
		if !near(float64(e.Value), total/500, 1e-15) {
			t.Errorf("%s is %v, expected %v", name, e.Value, total/500)
		}
	}
	if d := r.Diagnostics; d.MeanWeight != 1 || d.MeanWeightP != 1 || d.ESS != 2000 || d.MaxWeight != 1 {
		t.Errorf("diagnostics are %+v, expected weights of 1", d)
	}
	if d := text(t, r.Diagnostics); !strings.Contains(d, `"support_violations":0,"unseen_mass":null`) {
		t.Errorf("diagnostics are %s, expected that what is unseen is not known", d)
	}
}

// rowsBatch has one row to a list.
func rowsBatch(rewards, propensities, targets []float64) *policy.Batch {
	b := &policy.Batch{Codes: []string{"A"}, Reward: rewards, Propensity: propensities, Target: targets}
	for i := range rewards {
		b.Position, b.Product = append(b.Position, 1), append(b.Product, 0)
		b.Ends, b.Cluster = append(b.Ends, int32(i+1)), append(b.Cluster, uint64(i)*0x9e3779b97f4a7c15)
	}
	return b
}

func repeat(n int, v ...float64) (out []float64) {
	for range n {
		out = append(out, v...)
	}
	return out
}

// The limit itself is not above it; and every limit tells the same as clipping there.
func TestClipping(t *testing.T) {
	b := rowsBatch([]float64{1, 1, 1, -1, 2, 1}, repeat(6, .01), []float64{.01, .03, .05, .05, .07, 1})
	for _, c := range []struct {
		clip, value float64
		rows        int64
	}{{1, (1 + 1 + 1 - 1 + 2 + 1.) / 6, 5}, {3, (1 + 3 + 3 - 3 + 6 + 3.) / 6, 4}, {5, (1 + 3 + 5 - 5 + 10 + 5.) / 6, 2}, {6, (1 + 3 + 5 - 5 + 12 + 6.) / 6, 2}, {100, (1 + 3 + 5 - 5 + 14 + 100.) / 6, 0}, {1e9, (1 + 3 + 5 - 5 + 14 + 100.) / 6, 0}} {
		s := allSettings()
		s.Clip = c.clip
		r := fold(t, &s, []*policy.Batch{b}).Result()
		if e := r.Estimates.ClippedIPS; !near(float64(e.Value), c.value, 1e-15) || r.Diagnostics.ClippedRows != c.rows {
			t.Errorf("clipped at %v: %v, %d rows, expected %v, %d", c.clip, e.Value, r.Diagnostics.ClippedRows, c.value, c.rows)
		}
		for _, at := range r.Diagnostics.Clip {
			s.Clip = float64(at.L)
			if e := fold(t, &s, []*policy.Batch{b}).Result().Estimates.ClippedIPS; text(t, e) != text(t, at.Estimate) {
				t.Errorf("clipped at %v: %s, told %s", at.L, text(t, e), text(t, at.Estimate))
			}
		}
	}
}

func TestTheVerdictIsWithheld(t *testing.T) {
	nan := math.NaN()
	half := mustTarget(map[string][]float64{"A": {.5}, "Z": {.5}})
	all := mustTarget(map[string][]float64{"A": {1}})
	for name, c := range map[string]struct {
		batch  *policy.Batch
		target *policy.Target
		want   []policy.ReasonCode
	}{
		"nothing":             {&policy.Batch{}, nil, []policy.ReasonCode{policy.Empty}},
		"nothing known":       {rowsBatch(repeat(200, nan), repeat(200, .5), repeat(200, .5)), nil, []policy.ReasonCode{policy.Empty}},
		"all is well":         {rowsBatch(repeat(100, 1, 0), repeat(200, .5), repeat(100, 1, 0)), nil, nil},
		"few":                 {rowsBatch(repeat(99, 1), repeat(99, .5), repeat(99, .5)), nil, []policy.ReasonCode{policy.SmallEffectiveSample}},
		"few are heavy":       {rowsBatch(repeat(200, 1), append(repeat(199, 1), .005), append(repeat(199, 0), 1)), nil, []policy.ReasonCode{policy.SmallEffectiveSample}},
		"weights too small":   {rowsBatch(repeat(200, 1), repeat(200, .5), repeat(100, .2, .3)), nil, []policy.ReasonCode{policy.MeanWeightOff}},
		"weights all alike":   {rowsBatch(repeat(200, 1), repeat(200, .5), repeat(200, .25)), nil, []policy.ReasonCode{policy.MeanWeightOff}},
		"weights too large":   {rowsBatch(repeat(200, 1), repeat(200, .25), repeat(100, .4, .5)), nil, []policy.ReasonCode{policy.MeanWeightOff}},
		"rounding is no fact": {rowsBatch(repeat(200, 1), repeat(200, .7000000000000002), repeat(200, .7)), nil, nil},
		"a product unseen":    {rowsBatch(repeat(200, 1), repeat(200, .5), nil), half, []policy.ReasonCode{policy.SupportBroken}},
		"all products seen":   {rowsBatch(repeat(200, 1), repeat(200, 1), nil), all, nil},
		"no target, no rows":  {&policy.Batch{}, half, []policy.ReasonCode{policy.Empty}},
		"unseen, and weights": {rowsBatch(repeat(200, 1), repeat(200, 1), nil), half, []policy.ReasonCode{policy.MeanWeightOff, policy.SupportBroken}},
	} {
		s := allSettings()
		s.Target = c.target
		r := fold(t, &s, []*policy.Batch{c.batch}).Result()
		var got []policy.ReasonCode
		for _, reason := range r.Verdict.Reasons {
			got = append(got, reason.Code)
			if reason.Text == "" {
				t.Errorf("%s: %s says nothing", name, reason.Code)
			}
		}
		if text(t, got) != text(t, c.want) || (r.Verdict.Status == policy.Given) != (len(c.want) == 0) {
			t.Errorf("%s: %+v, expected %v", name, r.Verdict, c.want)
		}
	}
}

// What the log never shows is neither better nor worse than the rest, and counted.
func TestWhatTheLogNeverShows(t *testing.T) {
	b, _ := tableLog()
	s := allSettings()
	s.RewardModel = policy.ModelActionPosition
	// Z is never shown; B at 1 is; the third position is not asked about.
	s.Target = mustTarget(map[string][]float64{"A": {.5, 1, 0}, "B": {.25, 0, 0}, "Z": {.25, 0, 1}})
	b.Position[10], b.Position[11] = 2, 1 // a list the other way round: C at 2, A at 1
	r := fold(t, &s, []*policy.Batch{b}).Result()
	// position 1: A has 1, 0, 3, B 0, .5; position 2: A has 0
	want := ((.5*4/3+.25*.25)/.75 + 0) / 2
	if !near(float64(r.Estimates.DM.Value), want, 1e-15) {
		t.Errorf("dm is %v, expected %v", r.Estimates.DM.Value, want)
	}
	if d := r.Diagnostics; d.SupportViolations != 1 || d.UnseenMass != .125 {
		t.Errorf("%d violations of %v, expected 1 of .125", d.SupportViolations, d.UnseenMass)
	}
	s.Target = mustTarget(map[string][]float64{"Y": {.5, 1}, "Z": {.5, 0}})
	r = fold(t, &s, []*policy.Batch{b}).Result()
	if e := r.Estimates.DM; !math.IsNaN(float64(e.Value)) || text(t, e) != `{"value":null,"stderr":null,"ci95":[null,null]}` {
		t.Errorf("dm of what is all unknown is %s", text(t, e))
	}
	if v := r.Diagnostics.SupportViolations; v != 3 {
		t.Errorf("%d violations, expected 3", v)
	}
}

func TestSlatesAreLeftOutOrGivenUp(t *testing.T) {
	s := allSettings()
	nan := math.NaN()
	list := func(positions []int32, rewards []float64, weight float64) *policy.Batch {
		b := &policy.Batch{Codes: []string{"A"}, Position: positions, Reward: rewards, Ends: []int32{int32(len(positions))}, Cluster: []uint64{1}}
		b.Product = make([]uint32, len(positions))
		b.Propensity, b.Target = repeat(len(positions), 1/weight), repeat(len(positions), 1)
		return b
	}
	long := make([]int32, policy.MaxSlate+1)
	for i := range long {
		long[i] = int32(i + 1)
	}
	for name, c := range map[string]struct {
		batch          *policy.Batch
		lists, leftOut int64
		reason         string
	}{
		"whole":        {list([]int32{1, 2}, []float64{1, 0}, 1), 1, 0, ""},
		"shuffled":     {list([]int32{3, 1, 2}, []float64{1, 0, 2}, 1), 1, 0, ""},
		"a gap":        {list([]int32{1, 3}, []float64{1, 0}, 1), 0, 1, ""},
		"not from 1":   {list([]int32{2, 3}, []float64{1, 0}, 1), 0, 1, ""},
		"twice":        {list([]int32{1, 1}, []float64{1, 0}, 1), 0, 1, ""},
		"not known":    {list([]int32{1, 2}, []float64{1, nan}, 1), 0, 1, ""},
		"longest":      {list(long[:64], repeat(64, 1), 1), 1, 0, ""},
		"too long":     {list(long, repeat(65, 1), 1), 0, 0, policy.TooLong},
		"beyond float": {list(long[:64], repeat(64, 1), 1e6), 0, 0, policy.Overflow},
	} {
		state := fold(t, &s, []*policy.Batch{c.batch})
		got := through(t, state).Result().Slates
		if got.Decisions != c.lists || got.LeftOut != c.leftOut || got.Reason != c.reason || (got.Standard == nil) != (c.reason != "") {
			t.Errorf("%s: %s, expected %d lists, %d left out, reason %q", name, text(t, got), c.lists, c.leftOut, c.reason)
		}
		must(t, state.Add(list([]int32{1, 2}, []float64{1, 0}, 1)))
		if again := state.Result().Slates; again.Reason != c.reason {
			t.Errorf("%s: then the reason is %q", name, again.Reason)
		}
	}
}

func TestABatchThatCannotBeAddedChangesNothing(t *testing.T) {
	good := rowsBatch([]float64{1, 0}, []float64{.5, .5}, []float64{.5, .5})
	two := mustTarget(map[string][]float64{"A": {1, 1}})
	for want, c := range map[string]struct {
		with   func(*policy.Batch)
		target *policy.Target
	}{
		"batch: columns of 2, 2, 2, 1 and 2 rows, expected all of the same length":                                        {func(b *policy.Batch) { b.Propensity = b.Propensity[:1] }, nil},
		"batch: columns of 2, 2, 2, 2 and 0 rows, expected all of the same length":                                        {func(b *policy.Batch) { b.Target = nil }, nil},
		"batch: 2 decisions of 1 customers, expected one each":                                                            {func(b *policy.Batch) { b.Cluster = b.Cluster[:1] }, nil},
		"batch: a decision that ends at 2 behind 2, expected ascending ends":                                              {func(b *policy.Batch) { b.Ends = []int32{2, 2} }, nil},
		"batch: decisions of 1 rows, expected all 2":                                                                      {func(b *policy.Batch) { b.Ends, b.Cluster = []int32{1}, []uint64{1} }, nil},
		"row 1 of the batch: position 3, expected 1 to 2, for which the target policy has probabilities":                  {func(b *policy.Batch) { b.Position = []int32{1, 3} }, two},
		"row 0 of the batch: position 0, expected 1 to 2, for which the target policy has probabilities":                  {func(b *policy.Batch) { b.Position = []int32{0, 3} }, two},
		"row 1 of the batch: product 7 of 1 codes, expected a place among the codes":                                      {func(b *policy.Batch) { b.Product = []uint32{0, 7} }, two},
		"row 1 of the batch: reward 1e+200 at propensity 0.5, expected weights and rewards whose squares are below 1e308": {func(b *policy.Batch) { b.Reward = []float64{1, 1e200} }, nil},
		"row 0 of the batch: reward 1e+160 at propensity 0.5, expected weights and rewards whose squares are below 1e308": {func(b *policy.Batch) { b.Reward = []float64{1e160, 1e200} }, nil},
		"row 1 of the batch: reward 1 at propensity 5e-324, expected weights and rewards whose squares are below 1e308":   {func(b *policy.Batch) { b.Reward, b.Propensity = []float64{1, 1}, []float64{1, 5e-324} }, nil},
	} {
		s := allSettings()
		s.Target = c.target
		state := fold(t, &s, []*policy.Batch{good})
		before := text(t, state)
		bad := *good
		c.with(&bad)
		if err := state.Add(&bad); err == nil || err.Error() != want {
			t.Errorf("%v, expected %s", err, want)
		}
		if after := text(t, state); after != before {
			t.Errorf("%s: the state is\n%s\nexpected\n%s", want, after, before)
		}
		must(t, state.Add(good))
	}
}

// Probabilities need not add up to 1 to the last digit, and are taken as they are written.
func TestADirectValueIsNotScaled(t *testing.T) {
	b := rowsBatch([]float64{1, 3}, []float64{.5, .5}, nil)
	b.Codes, b.Product = []string{"A", "B"}, []uint32{0, 1}
	s := allSettings()
	s.Target = mustTarget(map[string][]float64{"A": {.5}, "B": {.5000000005}})
	if got := fold(t, &s, []*policy.Batch{b}).Result().Estimates.DM.Value; got != .5*1+.5000000005*3 {
		t.Errorf("dm is %v, expected %v", got, .5*1+.5000000005*3)
	}
}
