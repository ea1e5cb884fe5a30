// Package share counts answers of yes and no that come in clusters, such as the products of one decision, and says how
// sure their share is. Counts are whole numbers: any order of adding and merging gives the same.
package share

import (
	"errors"
	"math"
)

// Share is how often the answer was yes. Rows of one cluster are alike, so the interval needs the sums over clusters of
// yes², yes x known and known²; they do not grow with the rows.
type Share struct {
	Yes     int64 `json:"yes"`
	No      int64 `json:"no"`
	Unknown int64 `json:"unknown"` // asked, and no answer: in neither of the two, never taken for a no

	Clusters   int64 `json:"clusters"` // with at least one known answer
	YesYes     int64 `json:"yes_yes"`
	YesKnown   int64 `json:"yes_known"`
	KnownKnown int64 `json:"known_known"`
}

// Add counts the answers of one cluster.
func (s *Share) Add(yes, no, unknown int64) {
	s.Yes += yes
	s.No += no
	s.Unknown += unknown
	known := yes + no
	if known == 0 {
		return
	}
	s.Clusters++
	s.YesYes += yes * yes
	s.YesKnown += yes * known
	s.KnownKnown += known * known
}

// Merge adds what another has counted, of other clusters.
func (s *Share) Merge(o *Share) {
	s.Yes += o.Yes
	s.No += o.No
	s.Unknown += o.Unknown
	s.Clusters += o.Clusters
	s.YesYes += o.YesYes
	s.YesKnown += o.YesKnown
	s.KnownKnown += o.KnownKnown
}

// Known is how many answers there were.
func (s *Share) Known() int64 { return s.Yes + s.No }

// ErrCounts says that a Share read from outside counts what cannot be.
var ErrCounts = errors.New("share: counts that cannot be")

// Check refuses counts that no rows give.
func (s *Share) Check() error {
	for _, n := range [...]int64{s.Yes, s.No, s.Unknown, s.Clusters, s.YesYes, s.YesKnown, s.KnownKnown} {
		if n < 0 {
			return ErrCounts
		}
	}
	known := s.Known()
	if known < 0 || s.Clusters > known || (s.Clusters == 0) != (known == 0) ||
		s.YesYes < s.Yes || s.YesKnown < s.YesYes || s.KnownKnown < max(s.YesKnown, known) {
		return ErrCounts
	}
	return nil
}

// Value is yes / known; false: nothing is known.
func (s *Share) Value() (float64, bool) {
	if s.Known() == 0 {
		return 0, false
	}
	return float64(s.Yes) / float64(s.Known()), true
}

// z95 is the 97.5 % point of the normal distribution.
const z95 = 1.959963984540054

// Interval is Wilson's 95 % interval at the effective number of rows,
//
//	p(1-p) / v,   v = C/(C-1) sum over clusters (yes - p known)² / (sum of known)²,
//
// v the linearised variance of a ratio over C clusters, and never more than the rows that there are. Where all answers
// are the same, v is 0 and says nothing: then each cluster counts as one row. It is never empty and never leaves [0, 1]
// (Korn and Graubard, Survey Methodology 24 (1998) 193, with Wilson's interval instead of the exact one). False: nothing
// is known.
func (s *Share) Interval() (low, high float64, known bool) {
	p, known := s.Value()
	if !known {
		return 0, 0, false
	}
	low, high = Wilson(p, s.effective(p))
	return low, high, true
}

// effective is how many independent rows would be as sure.
func (s *Share) effective(p float64) float64 {
	clusters, rows := float64(s.Clusters), float64(s.Known())
	if s.Yes == 0 || s.No == 0 || s.Clusters < 2 {
		return clusters
	}
	squares := float64(s.YesYes) - float64(2*p*float64(s.YesKnown)) + float64(float64(p*p)*float64(s.KnownKnown))
	if squares <= 0 {
		return rows // every cluster has the same share: more alike than chance makes rows, and no more sure than rows
	}
	v := clusters / (clusters - 1) * squares / float64(rows*rows)
	return max(1, min(rows, float64(p*(1-p))/v))
}

// Wilson is the 95 % score interval of a share p of n independent rows (JASA 22 (1927) 209).
func Wilson(p, n float64) (low, high float64) {
	const zz = z95 * z95
	scale := 1 / (1 + zz/n)
	middle := float64((p + zz/(2*n)) * scale)
	half := float64(z95 * scale * math.Sqrt(float64(p*(1-p))/n+zz/float64(4*n*n)))
	low, high = max(0, middle-half), min(1, middle+half)
	return min(low, p), max(high, p)
}

// Difference is a's share less b's with its 95 % interval by the square-and-add method of the two intervals (Newcombe,
// Statistics in Medicine 17 (1998) 873, method 10). False: one of the two is not known.
func Difference(a, b *Share) (value, low, high float64, known bool) {
	pa, knownA := a.Value()
	pb, knownB := b.Value()
	if !knownA || !knownB {
		return 0, 0, 0, false
	}
	lowA, highA, _ := a.Interval()
	lowB, highB, _ := b.Interval()
	value = pa - pb
	return value, value - length(pa-lowA, highB-pb), value + length(highA-pa, pb-lowB), true
}

// length is that of (x, y). Not math.Hypot: its last digit is the processor's.
func length(x, y float64) float64 { return math.Sqrt(float64(x*x) + float64(y*y)) }
