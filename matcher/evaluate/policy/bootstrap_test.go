package policy_test

import (
	"math/rand/v2"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/evaluate/policy"
)

// With one list to a customer the percentile interval is that of the normal distribution, but for the draws.
func TestBootstrapAgreesWithTheDeltaMethod(t *testing.T) {
	s := allSettings()
	s.Replicates = 2000
	b := simBatch()
	rng := rand.New(rand.NewPCG(7, 7))
	simulate(rng, b)
	for i, p := range b.Propensity {
		b.Target = append(b.Target, .5*p+.5*simTarget[i%2][b.Product[i]])
	}
	r := fold(t, &s, []*policy.Batch{b}).Result()
	for name, e := range map[string]*policy.Estimate{
		"ips": &r.Estimates.IPS, "snips": &r.Estimates.SNIPS, "clipped_ips": &r.Estimates.ClippedIPS, "ndcg": &r.Lists.NDCG,
		"standard": r.Slates.Standard, "sn_standard": r.Slates.SNStandard, "independent": r.Slates.Independent,
		"reward_interaction": r.Slates.RewardInteraction,
	} {
		width := float64(e.CI95[1] - e.CI95[0])
		for end := range 2 {
			if off := float64(e.Bootstrap95[end]-e.CI95[end]) / width; off > .06 || off < -.06 {
				t.Errorf("%s: resampled %v, by the delta method %v", name, *e.Bootstrap95, e.CI95)
			}
		}
	}
	if r.Slates.SNIndependent.Bootstrap95 != nil {
		t.Error("an interval of what is not resampled")
	}
}

// All that a customer did comes together: ten times the same list of each is one list.
func TestBootstrapDrawsCustomers(t *testing.T) {
	s := allSettings()
	s.Replicates = 400
	once, often := &policy.Batch{Codes: []string{"A"}}, &policy.Batch{Codes: []string{"A"}}
	rng := rand.New(rand.NewPCG(8, 8))
	for range 300 {
		reward, customer := float64(rng.IntN(2)), rng.Uint64()
		single(once, reward, customer)
		for range 10 {
			single(often, reward, customer)
		}
	}
	a, b := fold(t, &s, []*policy.Batch{once}).Result(), fold(t, &s, []*policy.Batch{often}).Result()
	if got, want := *b.Estimates.IPS.Bootstrap95, *a.Estimates.IPS.Bootstrap95; !near(float64(got[0]), float64(want[0]), 1e-12) || !near(float64(got[1]), float64(want[1]), 1e-12) {
		t.Errorf("ten times the same is %v, expected %v", got, want)
	}
	if b.Estimates.IPS.StdErr > a.Estimates.IPS.StdErr/3 {
		t.Errorf("by rows the error is %v, expected less than a third of %v", b.Estimates.IPS.StdErr, a.Estimates.IPS.StdErr)
	}
	other := s
	other.Seed = 2
	if c := fold(t, &other, []*policy.Batch{once}).Result(); *c.Estimates.IPS.Bootstrap95 == *a.Estimates.IPS.Bootstrap95 {
		t.Error("another seed gives the same draws")
	}
}

// single adds a list of one row, weight 1.
func single(b *policy.Batch, reward float64, customer uint64) {
	b.Position, b.Product = append(b.Position, 1), append(b.Product, 0)
	b.Reward, b.Propensity, b.Target = append(b.Reward, reward), append(b.Propensity, .5), append(b.Target, .5)
	b.Ends, b.Cluster = append(b.Ends, int32(len(b.Position))), append(b.Cluster, customer)
}
