package share_test

import (
	"encoding/json"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/evaluate/share"
)

// of counts clusters given as pairs of yes and no.
func of(clusters ...[2]int64) *share.Share {
	s := &share.Share{}
	for _, c := range clusters {
		s.Add(c[0], c[1], 0)
	}
	return s
}

// singles are clusters of one row.
func singles(yes, no int) *share.Share {
	s := &share.Share{}
	for range yes {
		s.Add(1, 0, 0)
	}
	for range no {
		s.Add(0, 1, 0)
	}
	return s
}

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if !(math.Abs(got-want) <= within) {
		t.Errorf("%s: %v, expected %v", what, got, want)
	}
}

// Rows that stand alone have Wilson's interval of as many rows, but for the C/(C-1) of the variance: 81 of 263 is Newcombe's
// own example (Statistics in Medicine 17 (1998) 857, table I: .2553 to .3662), 0 of 20 and 1 of 29 are two more of his.
func TestIntervalsOfSingleRows(t *testing.T) {
	for _, c := range []struct {
		yes, no   int
		low, high float64
		within    float64
	}{
		{81, 182, .2553, .3662, 2e-4},
		{0, 20, 0, .1611, 1e-4},
		{1, 28, .0061, .1718, 6e-3},
		{20, 0, .8389, 1, 1e-4},
	} {
		low, high, known := singles(c.yes, c.no).Interval()
		if !known {
			t.Fatalf("%d of %d: not known", c.yes, c.yes+c.no)
		}
		near(t, "low", low, c.low, c.within)
		near(t, "high", high, c.high, c.within)
	}
}

// Clusters whose rows all say the same are worth one row each, not ten: the interval must be that of 40 rows.
func TestRowsOfAClusterThatAreAlikeAreWorthOne(t *testing.T) {
	alike, alone := &share.Share{}, singles(10, 30)
	for i := range 40 {
		if i < 10 {
			alike.Add(10, 0, 0)
		} else {
			alike.Add(0, 10, 0)
		}
	}
	low, high, _ := alike.Interval()
	lowAlone, highAlone, _ := alone.Interval()
	near(t, "low", low, lowAlone, 1e-12)
	near(t, "high", high, highAlone, 1e-12)
}

// Newcombe's worked example of method 10: 56 of 70 less 48 of 80 is .2 from .0524 to .3339.
func TestDifference(t *testing.T) {
	v, low, high, known := share.Difference(singles(56, 14), singles(48, 32))
	if !known {
		t.Fatal("not known")
	}
	near(t, "difference", v, .2, 1e-12)
	near(t, "low", low, .0524, 1.5e-3)
	near(t, "high", high, .3339, 1.5e-3)
	if _, _, _, known := share.Difference(singles(1, 1), &share.Share{Unknown: 5}); known {
		t.Error("a difference with nothing is known")
	}
}

func TestWhatIsNotKnownIsNoNo(t *testing.T) {
	s := &share.Share{}
	s.Add(0, 0, 7)
	if _, known := s.Value(); known || s.Unknown != 7 || s.Known() != 0 || s.Clusters != 0 {
		t.Errorf("%+v", s)
	}
	s.Add(1, 1, 1)
	if v, _ := s.Value(); v != .5 {
		t.Errorf("value %v, expected .5", v)
	}
}

func TestAnswersAreTallied(t *testing.T) {
	column := []float64{1, 0, math.NaN(), 1}
	var tally share.Tally
	for row := range column {
		tally[share.AnswerOf(column, row)]++
	}
	tally[share.AnswerOf(nil, 7)]++ // a column that is not there
	if want := (share.Tally{share.Yes: 2, share.No: 1, share.Unknown: 2}); tally != want {
		t.Errorf("%v, expected %v", tally, want)
	}
	s := &share.Share{}
	tally.Into(s)
	if s.Yes != 2 || s.No != 1 || s.Unknown != 2 || s.Clusters != 1 || tally != (share.Tally{}) {
		t.Errorf("%+v, %v left", s, tally)
	}
}

func TestSharesMergeAndComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clusters := rapid.SliceOf(rapid.SliceOfN(rapid.Int64Range(0, 12), 3, 3)).Draw(t, "clusters")
		cut := rapid.IntRange(0, len(clusters)).Draw(t, "cut")
		whole, first, second := &share.Share{}, &share.Share{}, &share.Share{}
		for i, c := range clusters {
			whole.Add(c[0], c[1], c[2])
			part := first
			if i >= cut {
				part = second
			}
			part.Add(c[0], c[1], c[2])
		}
		second.Merge(first) // the order does not matter
		if *second != *whole {
			t.Fatalf("merged %+v, whole %+v", second, whole)
		}
		if err := whole.Check(); err != nil {
			t.Fatalf("%+v: %v", whole, err)
		}
		data, err := json.Marshal(whole)
		back := &share.Share{}
		if err != nil || json.Unmarshal(data, back) != nil || *back != *whole {
			t.Fatalf("came back as %+v from %s, %v", back, data, err)
		}
		v, known := whole.Value()
		if low, high, also := whole.Interval(); known != also || known && !(0 <= low && low <= v && v <= high && high <= 1 && low < high) {
			t.Fatalf("%v in %v to %v, known %v %v", v, low, high, known, also)
		}
	})
}

func TestCountsThatCannotBe(t *testing.T) {
	good := of([2]int64{3, 1}, [2]int64{0, 2})
	for name, spoil := range map[string]func(*share.Share){
		"below 0":             func(s *share.Share) { s.No = -1 },
		"unknown below 0":     func(s *share.Share) { s.Unknown = -1 },
		"clusters of nothing": func(s *share.Share) { *s = share.Share{Clusters: 1} },
		"more clusters":       func(s *share.Share) { s.Clusters = 7 },
		"no cluster":          func(s *share.Share) { s.Clusters = 0 },
		"squares too small":   func(s *share.Share) { s.YesYes = 2 },
		"products too small":  func(s *share.Share) { s.YesKnown = s.YesYes - 1 },
		"known too small":     func(s *share.Share) { s.KnownKnown = 5 },
		"overflow":            func(s *share.Share) { s.Yes, s.No = math.MaxInt64, 1 },
	} {
		s := *good
		spoil(&s)
		if s.Check() == nil {
			t.Errorf("%s: %+v is taken", name, s)
		}
	}
}
