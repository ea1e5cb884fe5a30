package shadow

import "math"

// persistence is how likely a reader of a list goes on to the next place: with .9 the first
// ten places carry 86 % of the weight.
const persistence = .9

// ranked is one product of a list.
type ranked struct {
	code  string
	score float64
}

// compare says what two lists have in common. Products stand once in each.
func compare(answered, shadow []ranked) Comparison {
	c := Comparison{Overlap: 1, RankBiased: rankBiased(answered, shadow)}
	both, gap := 0, 0.
	for i := range answered {
		if j := place(shadow, answered[i].code); j >= 0 {
			both++
			gap += math.Abs(answered[i].score - shadow[j].score)
		}
	}
	if longer := max(len(answered), len(shadow)); longer > 0 {
		c.Overlap = float64(both) / float64(longer)
	}
	if both > 0 {
		c.ScoreGap = gap / float64(both)
	}
	c.Same = both == len(answered) && both == len(shadow)
	for i := range answered {
		c.Same = c.Same && answered[i].code == shadow[i].code
	}
	return c
}

// rankBiased is RBO_EXT of Webber, Moffat and Zobel (A Similarity Measure for Indefinite
// Rankings, 2010, equation 32): the agreement of the lists at every depth, weighted by the
// chance that a reader gets there, and extrapolated from where they end. Two empty lists
// agree; an empty one agrees with nothing.
func rankBiased(a, b []ranked) float64 {
	if len(a) > len(b) {
		a, b = b, a
	}
	short, long := len(a), len(b)
	switch {
	case long == 0:
		return 1
	case short == 0:
		return 0
	}
	agreed := make([]float64, long+1) // products in both lists down to each depth
	for d := 1; d <= long; d++ {
		agreed[d] = agreed[d-1]
		if d <= short && place(b[:d], a[d-1].code) >= 0 {
			agreed[d]++
		}
		if last := b[d-1].code; place(a[:min(d-1, short)], last) >= 0 {
			agreed[d]++
		}
	}
	sum, weight := 0., 1.
	for d := 1; d <= long; d++ {
		weight *= persistence
		sum += float64(agreed[d] / float64(d) * weight)
		if d > short {
			sum += float64(agreed[short] * float64(d-short) / float64(short*d) * weight)
		}
	}
	rest := (agreed[long]-agreed[short])/float64(long) + agreed[short]/float64(short)
	return float64((1-persistence)/persistence*sum) + float64(rest*weight)
}

func place(list []ranked, code string) int {
	for i := range list {
		if list[i].code == code {
			return i
		}
	}
	return -1
}
