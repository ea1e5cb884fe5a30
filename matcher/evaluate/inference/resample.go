package inference

import (
	"fmt"
	"math"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/evaluate/draw"
)

// Limits of resampling.
const (
	MaxReplicates = 1_000_000
	mostExact     = 20 // differences of which all 2^n signs are tried
)

// Randomisation is Fisher's test of paired differences.
type Randomisation struct {
	Mean     float64 // of the differences
	P        float64 // two-sided
	Exact    bool    // all sign patterns were tried
	Patterns int     // so many were
}

// FlipSigns tests whether paired differences could as well have the other sign (Fisher 1935): the share of sign patterns
// whose sum is as far from 0 as the one observed. Up to 20 differences all patterns are tried; else so many are drawn from
// seed, and p = (1 + as far)/(1 + drawn), which is never 0.
// Errors: ErrTooFew (no differences), ErrOptions (replicates not from 1 to MaxReplicates), ErrValue.
func FlipSigns(differences []float64, replicates int, seed uint64) (*Randomisation, error) {
	if err := checkValues(differences); err != nil {
		return nil, err
	}
	if len(differences) == 0 {
		return nil, fmt.Errorf("%w: no differences", ErrTooFew)
	}
	if err := checkReplicates(replicates); err != nil {
		return nil, err
	}
	var sum, size float64
	for _, d := range differences {
		sum += d
		size += math.Abs(d)
	}
	// Patterns of the same sum must count as such whatever the order of adding.
	far := math.Abs(sum) - float64(1e-12*size)
	r := &Randomisation{Mean: sum / float64(len(differences))}
	if len(differences) <= mostExact {
		r.Exact, r.Patterns = true, 1<<len(differences)
		r.P = float64(countFar(differences, r.Patterns, far, func(i int) uint64 { return uint64(i) })) / float64(r.Patterns)
		return r, nil
	}
	draws := source{state: seed}
	r.Patterns = replicates
	r.P = float64(1+countFar(differences, replicates, far, func(int) uint64 { return draws.next() })) / float64(1+replicates)
	return r, nil
}

// countFar counts the patterns whose sum is at least so far from 0. Of a word each bit is the sign of one difference; a
// pattern takes as many words as it needs.
func countFar(differences []float64, patterns int, far float64, word func(i int) uint64) (count int) {
	for i := range patterns {
		var sum float64
		for from := 0; from < len(differences); from += 64 {
			signs := word(i)
			for _, d := range differences[from:min(from+64, len(differences))] {
				if signs&1 == 0 {
					d = -d
				}
				sum += d
				signs >>= 1
			}
		}
		if math.Abs(sum) >= far {
			count++
		}
	}
	return count
}

// Resampling are the settings of a bootstrap.
type Resampling struct {
	Replicates int // 2 to MaxReplicates
	Seed       uint64
	Alpha      float64
}

// BootstrapPairs is the percentile interval of the mean of paired differences (Efron 1979): pairs are drawn with
// repetition. Its ends interpolate between replicates (type 7 of Hyndman and Fan 1996).
// Errors: ErrTooFew, ErrOptions, ErrValue.
func BootstrapPairs(differences []float64, o Resampling) (low, high float64, err error) {
	return o.percentiles(func(s *source) float64 { return s.mean(differences) }, differences)
}

// BootstrapArms is the percentile interval of mean(b) - mean(a) of two independent samples, each drawn from by itself.
// Errors: those of BootstrapPairs.
func BootstrapArms(a, b []float64, o Resampling) (low, high float64, err error) {
	return o.percentiles(func(s *source) float64 { return s.mean(b) - s.mean(a) }, a, b)
}

func (o Resampling) percentiles(statistic func(*source) float64, samples ...[]float64) (low, high float64, err error) {
	for _, sample := range samples {
		if len(sample) == 0 {
			return math.NaN(), math.NaN(), fmt.Errorf("%w: an empty sample", ErrTooFew)
		}
		if err := checkValues(sample); err != nil {
			return math.NaN(), math.NaN(), err
		}
	}
	if err := checkAlpha(o.Alpha); err != nil {
		return math.NaN(), math.NaN(), err
	}
	if err := checkReplicates(o.Replicates); err != nil || o.Replicates < 2 {
		return math.NaN(), math.NaN(), fmt.Errorf("%w: %d replicates, expected 2 to %d", ErrOptions, o.Replicates, MaxReplicates)
	}
	draws := source{state: o.Seed}
	values := make([]float64, o.Replicates)
	for i := range values {
		values[i] = statistic(&draws)
	}
	slices.Sort(values)
	return percentile(values, o.Alpha/2), percentile(values, 1-o.Alpha/2), nil
}

func checkReplicates(n int) error {
	if n < 1 || n > MaxReplicates {
		return fmt.Errorf("%w: %d replicates, expected 1 to %d", ErrOptions, n, MaxReplicates)
	}
	return nil
}

// percentile interpolates between sorted values.
func percentile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	below := min(int(at), len(sorted)-2)
	return sorted[below] + float64((at-float64(below))*(sorted[below+1]-sorted[below]))
}

// source is splitmix64 (Steele, Lea and Flood 2014).
type source struct{ state uint64 }

func (s *source) next() uint64 {
	s.state += draw.Golden
	return draw.Spread(s.state)
}

// below draws a number below n, n < 2^32: off from even by less than n/2^32 of its chance.
func (s *source) below(n int) int { return int(s.next() >> 32 * uint64(n) >> 32) }

// mean is that of as many values drawn with repetition as there are.
func (s *source) mean(values []float64) float64 {
	var sum float64
	for range values {
		sum += values[s.below(len(values))]
	}
	return sum / float64(len(values))
}
