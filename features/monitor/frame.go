package monitor

import (
	"cmp"
	"maps"
	"slices"

	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// binSample is how many customers the bins and the segments are taken from. Counts are of
// everybody; only the places of the cuts depend on the sample: a tenth of it is a tenth of
// all within 0.5 points (one standard error).
const binSample = 4_000

const (
	// maxSegments bounds the segments that have lines of their own.
	maxSegments = 16
	// noSegment is the line of customers without a segment.
	noSegment = "(none)"
	// otherSegments is the line of segments beyond maxSegments.
	otherSegments = "(others)"
)

// frame is into what customers are counted: the same for both sides of a comparison.
type frame struct {
	segments []string // sorted, with their own lines; nil: not asked for
	bins     []bins   // of each feature of the plan
}

// lines returns how many lines each feature has.
func (f *frame) lines() int {
	if f.segments == nil {
		return 1
	}
	return len(f.segments) + 2
}

// names returns the names of the segments' lines, after that of all.
func (f *frame) names() []string {
	if f.segments == nil {
		return nil
	}
	return append(slices.Clone(f.segments), otherSegments)
}

// line returns the line of a customer's segment; 0: there are no segments.
func (f *frame) line(p *fund.Profile) int {
	if f.segments == nil {
		return 0
	}
	i, ok := slices.BinarySearch(f.segments, segmentOf(p))
	if !ok {
		i = len(f.segments)
	}
	return i + 1
}

func segmentOf(p *fund.Profile) string { return cmp.Or(p.Person.Segment, noSegment) }

// framer makes a frame of a sample.
type framer struct {
	values   []values // of each feature
	segments map[string]int
}

func newFramer(types []view.Type) *framer {
	m := &framer{values: make([]values, len(types)), segments: map[string]int{}}
	for i, t := range types {
		m.values[i] = values{kind: t, texts: map[string]int{}}
	}
	return m
}

func (m *framer) add(p *fund.Profile, cells []view.Cell) {
	m.segments[segmentOf(p)]++
	for i := range cells {
		if cells[i].Status == view.Present {
			m.values[i].add(cells[i].Value)
		}
	}
}

func (m *framer) frame(segments bool) *frame {
	f := &frame{bins: make([]bins, len(m.values))}
	for i := range m.values {
		f.bins[i] = m.values[i].bins()
	}
	if segments {
		f.segments = m.largest()
	}
	return f
}

// largest returns the segments with most customers, sorted.
func (m *framer) largest() []string {
	all := slices.SortedFunc(maps.Keys(m.segments), func(a, b string) int {
		return cmp.Or(cmp.Compare(m.segments[b], m.segments[a]), cmp.Compare(a, b))
	})
	out := all[:min(len(all), maxSegments)]
	slices.Sort(out)
	return append([]string{}, out...)
}
