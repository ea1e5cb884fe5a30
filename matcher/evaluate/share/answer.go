package share

import "math"

// Answer is what is known of a row.
type Answer uint8

// The answers. They are the places of a Tally.
const (
	No Answer = iota
	Yes
	Unknown
)

// AnswerOf is what a column of yes and no says of a row: 1 is yes, 0 is no, NaN is not known. Nothing is known by a column
// that a log lacks, which is nil.
func AnswerOf(column []float64, row int) Answer {
	if column == nil {
		return Unknown
	}
	switch v := column[row]; {
	case math.IsNaN(v):
		return Unknown
	case v != 0:
		return Yes
	default:
		return No
	}
}

// Tally counts the answers of one cluster.
type Tally [3]int64

// Into adds the cluster to a share, and begins anew.
func (t *Tally) Into(s *Share) {
	s.Add(t[Yes], t[No], t[Unknown])
	*t = Tally{}
}
