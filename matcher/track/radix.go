package track

import "github.com/fundmatch/fundmatch/matcher/fund"

const (
	digitBits = 11
	digits    = 1 << digitBits
)

// sortRatios sorts by least significant digits (H. Seward, 1954) and returns the one of
// its two arguments, equally long, that holds the result; the other holds rubbish.
// Results of holdings span a few million millionths, two digits: six times as fast as
// comparing, and this is most of a track record's work.
func sortRatios(values, spare []fund.Ratio) []fund.Ratio {
	if len(values) == 0 {
		return values
	}
	least, most := values[0], values[0]
	for _, v := range values {
		least, most = min(least, v), max(most, v)
	}
	var next [digits]int32
	for shift := 0; uint64(most-least)>>shift > 0; shift += digitBits {
		clear(next[:])
		for _, v := range values {
			next[uint64(v-least)>>shift%digits]++
		}
		at := int32(0)
		for d, count := range next {
			next[d] = at
			at += count
		}
		for _, v := range values {
			d := uint64(v-least) >> shift % digits
			spare[next[d]] = v
			next[d]++
		}
		values, spare = spare, values
	}
	return values
}
