package policy_test

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/matcher/evaluate/policy"
)

// listBatch is a batch of lists of ten, one reward in a hundred, as a log has it: half of the weights are 1.
func listBatch(seed uint64, decisions, length int) *policy.Batch {
	rng := rand.New(rand.NewPCG(seed, 1))
	b := &policy.Batch{}
	for c := range 40 {
		b.Codes = append(b.Codes, string([]byte{'P', byte('0' + c/10), byte('0' + c%10)}))
	}
	for d := range decisions {
		for k := range length {
			b.Position = append(b.Position, int32(k+1))
			b.Product = append(b.Product, uint32(rng.IntN(len(b.Codes))))
			reward := 0.0
			if rng.IntN(100) == 0 {
				reward = 1
			}
			b.Reward = append(b.Reward, reward)
			p := .05 + .9*rng.Float64()
			t := p
			if rng.IntN(2) == 0 {
				t = rng.Float64()
			}
			b.Propensity, b.Target = append(b.Propensity, p), append(b.Target, t)
		}
		b.Ends = append(b.Ends, int32((d+1)*length))
		b.Cluster = append(b.Cluster, uint64(d/3)*0x9e3779b97f4a7c15)
	}
	return b
}

func BenchmarkAdd(b *testing.B) {
	batch := listBatch(1, 6554, 10)
	uniform := uniformTarget(batch.Codes, 10)
	for _, v := range []struct {
		name string
		with func(*policy.Settings)
	}{
		{"rows", func(s *policy.Settings) { s.ListCutoff, s.Slates = 0, false }},
		{"rows, lists", func(s *policy.Settings) { s.Slates = false }},
		{"rows, lists, slates", func(*policy.Settings) {}},
		{"rows, lists, target", func(s *policy.Settings) { s.Slates, s.Target = false, uniform }},
		{"all, 200 replicates", func(s *policy.Settings) { s.Target, s.Replicates = uniform, 200 }},
	} {
		b.Run(v.name, func(b *testing.B) {
			settings := allSettings()
			v.with(&settings)
			s, err := policy.New(&settings)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			before := processor(b)
			for b.Loop() {
				if err := s.Add(batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(processor(b)-before)/float64(b.N)/float64(batch.Rows()), "cpu-ns/row")
		})
	}
}

// processor is the time that this process has had on processors: others on the machine do not count.
func processor(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
