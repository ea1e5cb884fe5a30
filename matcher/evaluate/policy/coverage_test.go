package policy_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/evaluate/policy"
)

// The world of the simulations: lists of two of five products, by a logging policy that knows of two kinds of customers;
// the target does not. A reward is 0 or 1, by product and position. Weights go up to 12.
var (
	simLogging = [2][2][5]float64{
		{{.45, .25, .15, .10, .05}, {.05, .10, .20, .25, .40}},
		{{.05, .15, .20, .25, .35}, {.30, .25, .20, .15, .10}},
	}
	simTarget = [2][5]float64{{.05, .05, .10, .20, .60}, {.50, .20, .10, .10, .10}}
	simMean   = [2][5]float64{{.20, .35, .25, .40, .30}, {.30, .15, .25, .10, .20}}
)

const (
	simulations   = 2000
	simDecisions  = 4000
	simPositions  = 2
	simRareOption = 4 // its weight is .60/.05 = 12 for the first kind at the first position
)

// simTruth is the target's value, mean over positions.
func simTruth() float64 {
	total := 0.0
	for k := range simPositions {
		for a, p := range simTarget[k] {
			total += p * simMean[k][a]
		}
	}
	return total / simPositions
}

// simulate makes a log into the batch's memory.
func simulate(rng *rand.Rand, b *policy.Batch) {
	row := 0
	for d := range simDecisions {
		kind := rng.IntN(2)
		for k := range simPositions {
			u, a := rng.Float64(), 0
			for u >= simLogging[kind][k][a] && a < simRareOption {
				u -= simLogging[kind][k][a]
				a++
			}
			b.Position[row], b.Product[row] = int32(k+1), uint32(a)
			b.Propensity[row], b.Reward[row] = simLogging[kind][k][a], 0
			if rng.Float64() < simMean[k][a] {
				b.Reward[row] = 1
			}
			row++
		}
		b.Ends[d], b.Cluster[d] = int32(row), rng.Uint64()
	}
}

func simBatch() *policy.Batch {
	const rows = simDecisions * simPositions
	return &policy.Batch{
		Codes: []string{"A", "B", "C", "D", "E"}, Ends: make([]int32, simDecisions), Cluster: make([]uint64, simDecisions),
		Position: make([]int32, rows), Product: make([]uint32, rows), Reward: make([]float64, rows), Propensity: make([]float64, rows),
	}
}

// tallied is an estimator over simulations.
type tallied struct {
	name           string
	of             func(*policy.Result) *policy.Estimate
	truth          float64
	covered        int
	sum, ss, error float64
}

func (s *tallied) add(r *policy.Result) {
	e := s.of(r)
	v := float64(e.Value)
	if float64(e.CI95[0]) <= s.truth && s.truth <= float64(e.CI95[1]) {
		s.covered++
	}
	s.sum += v
	s.ss += (v - s.truth) * (v - s.truth)
	s.error += float64(e.StdErr)
}

func (s *tallied) coverage() float64 { return float64(s.covered) / simulations }
func (s *tallied) bias() float64     { return s.sum/simulations - s.truth }
func (s *tallied) spread() float64   { return math.Sqrt(s.ss/simulations - s.bias()*s.bias()) }

// The 95 % intervals of the estimators that have no bias hold the true value 93.5 to 96.5 times in a hundred; what the others do is
// told (docs/evaluation/policy.md has the table: go test -v -run Coverage ./matcher/evaluate/policy).
func TestCoverage(t *testing.T) {
	rows := map[string][]float64{}
	for a, code := range []string{"A", "B", "C", "D", "E"} {
		rows[code] = []float64{simTarget[0][a], simTarget[1][a]}
	}
	settings := allSettings()
	settings.Target, settings.Clip, settings.SwitchLambda = mustTarget(rows), 5, 5
	table := simEstimators()
	batch, rng, state := simBatch(), rand.New(rand.NewPCG(2026, 11)), newState(t, &settings)
	for range simulations {
		simulate(rng, batch)
		state.Reset()
		must(t, state.Add(batch))
		r := state.Result()
		for _, e := range table {
			e.add(r)
		}
	}
	var out strings.Builder
	out.WriteString("| | bias | standard deviation | mean standard error | coverage |\n|---|---|---|---|---|\n")
	for i, e := range table {
		fmt.Fprintf(&out, "| %s | %+.5f | %.5f | %.5f | %.2f %% |\n", e.name, e.bias(), e.spread(), e.error/simulations, 100*e.coverage())
		if c := e.coverage(); i < 4 && !(c >= .935 && c <= .965) {
			t.Errorf("%s covers %.2f %%, expected 93.5 to 96.5", e.name, 100*c)
		}
	}
	t.Log("true value ", simTruth(), "\n", out.String())
}

// simEstimators has the four that are held to their coverage first.
func simEstimators() []*tallied {
	one, list := simTruth(), simPositions*simTruth()
	return []*tallied{
		{name: "ips", of: func(r *policy.Result) *policy.Estimate { return &r.Estimates.IPS }, truth: one},
		{name: "snips", of: func(r *policy.Result) *policy.Estimate { return &r.Estimates.SNIPS }, truth: one},
		{name: "dr", of: func(r *policy.Result) *policy.Estimate { return r.Estimates.DR }, truth: one},
		{name: "sndr", of: func(r *policy.Result) *policy.Estimate { return r.Estimates.SNDR }, truth: one},
		{name: "clipped_ips", of: func(r *policy.Result) *policy.Estimate { return &r.Estimates.ClippedIPS }, truth: one},
		{name: "switch_dr", of: func(r *policy.Result) *policy.Estimate { return r.Estimates.SwitchDR }, truth: one},
		{name: "dros", of: func(r *policy.Result) *policy.Estimate { return r.Estimates.DRos }, truth: one},
		{name: "dm", of: func(r *policy.Result) *policy.Estimate { return r.Estimates.DM }, truth: one},
		{name: "slates.standard", of: func(r *policy.Result) *policy.Estimate { return r.Slates.Standard }, truth: list},
		{name: "slates.sn_standard", of: func(r *policy.Result) *policy.Estimate { return r.Slates.SNStandard }, truth: list},
		{name: "slates.independent", of: func(r *policy.Result) *policy.Estimate { return r.Slates.Independent }, truth: list},
		{name: "slates.sn_independent", of: func(r *policy.Result) *policy.Estimate { return r.Slates.SNIndependent }, truth: list},
		{name: "slates.reward_interaction", of: func(r *policy.Result) *policy.Estimate { return r.Slates.RewardInteraction }, truth: list},
		{name: "slates.sn_reward_interaction", of: func(r *policy.Result) *policy.Estimate { return r.Slates.SNRewardInteraction }, truth: list},
	}
}
