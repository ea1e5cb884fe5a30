package monitor

import (
	"math/bits"
)

// ages counts whole seconds in buckets that widen with the age: below 64 one for each
// second, above 64 for each doubling. A value taken from the middle of its bucket is within
// 1/128 of the true one. Counts add up, so that parts counted apart merge exactly.
type ages struct {
	octaves [ageOctaves]*[agesPerOctave]int64 // made when first needed
	total   int64
	least   int64
	most    int64
}

const (
	agesPerOctave = 64
	ageOctaves    = 64 - 6 + 1 // octave 0 holds 0 to 63
)

// add counts one age in seconds; a negative one counts as 0.
func (a *ages) add(seconds int64) {
	seconds = max(seconds, 0)
	octave, place := 0, seconds
	if seconds >= agesPerOctave {
		shift := bits.Len64(uint64(seconds)) - 7
		octave, place = shift+1, seconds>>shift-agesPerOctave
	}
	if a.octaves[octave] == nil {
		a.octaves[octave] = new([agesPerOctave]int64)
	}
	a.octaves[octave][place]++
	if a.total == 0 || seconds < a.least {
		a.least = seconds
	}
	a.most = max(a.most, seconds)
	a.total++
}

// merge adds what another counted.
func (a *ages) merge(b *ages) {
	if b.total == 0 {
		return
	}
	for o, counts := range b.octaves {
		if counts == nil {
			continue
		}
		if a.octaves[o] == nil {
			a.octaves[o] = new([agesPerOctave]int64)
		}
		for i, n := range counts {
			a.octaves[o][i] += n
		}
	}
	if a.total == 0 || b.least < a.least {
		a.least = b.least
	}
	a.most = max(a.most, b.most)
	a.total += b.total
}

// quantile returns the age that so many percent of the values do not exceed (the nearest
// rank), in seconds; 0 without values.
func (a *ages) quantile(percent int) int64 {
	if a.total == 0 {
		return 0
	}
	rank := max((a.total*int64(percent)+99)/100, 1)
	for o, counts := range a.octaves {
		if counts == nil {
			continue
		}
		for i, n := range counts {
			if rank -= n; rank <= 0 {
				return min(max(middle(o, i), a.least), a.most)
			}
		}
	}
	return a.most
}

// middle returns the middle of a bucket.
func middle(octave, place int) int64 {
	if octave == 0 {
		return int64(place)
	}
	shift := octave - 1
	return int64(place+agesPerOctave)<<shift + (int64(1)<<shift)/2
}
