package monitor

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Baseline is what was counted at one instant, with the bins that it was counted into.
type Baseline struct {
	at        fund.Instant
	customers int64
	segments  []string // nil: without segments
	features  map[view.Ref]baseFeature
}

type baseFeature struct {
	bins  bins
	lines []baseLine // all, segments, others
}

// baseLine is what a comparison needs of one line.
type baseLine struct {
	Rows    int64   `json:"rows"`
	Present int64   `json:"present"`
	Bins    []int64 `json:"bins"`
}

// At returns the instant that was counted.
func (b *Baseline) At() fund.Instant { return b.at }

func (r *run) baseline(at fund.Instant, c *counts) *Baseline {
	b := &Baseline{at: at, customers: c.customers, segments: r.frame.segments, features: map[view.Ref]baseFeature{}}
	for i, ref := range r.refs {
		f := baseFeature{bins: r.frame.bins[i]}
		for j := range c.lines[i] {
			l := &c.lines[i][j]
			f.lines = append(f.lines, baseLine{Rows: l.rows, Present: l.statuses[view.Present], Bins: l.bins})
		}
		b.features[ref] = f
	}
	return b
}

// covers reports whether everything that is asked for was counted.
func (b *Baseline) covers(refs []view.Ref, types []view.Type, segments bool) error {
	if segments && b.segments == nil {
		return fmt.Errorf("%w: the baseline was taken without segments, expected one with them", features.ErrInvalid)
	}
	for i, ref := range refs {
		f, ok := b.features[ref]
		if !ok {
			return fmt.Errorf("%w: the baseline has no feature %s, expected each that is measured", features.ErrInvalid, ref)
		}
		if f.bins.kind != types[i] {
			return fmt.Errorf("%w: the baseline has feature %s as %s, expected %s", features.ErrInvalid, ref, f.bins.kind, types[i])
		}
	}
	return nil
}

// frameFor returns the frame of some of its features. Segments that the baseline does not
// know are counted as others.
func (b *Baseline) frameFor(refs []view.Ref, segments bool) *frame {
	f := &frame{bins: make([]bins, len(refs))}
	for i, ref := range refs {
		f.bins[i] = b.features[ref].bins
	}
	if segments {
		f.segments = b.segments
	}
	return f
}

func (b *Baseline) linesFor(refs []view.Ref, segments bool) [][]baseLine {
	out := make([][]baseLine, len(refs))
	for i, ref := range refs {
		out[i] = b.features[ref].lines
		if !segments {
			out[i] = out[i][:1]
		}
	}
	return out
}

// MaxBaselineBytes bounds a saved baseline.
const MaxBaselineBytes = 64 << 20

const baselineFormat = "fundmatch baseline 1"

// savedBaseline is the file.
type savedBaseline struct {
	Format    string         `json:"format"`
	At        string         `json:"at"`
	Customers int64          `json:"customers"`
	Segments  []string       `json:"segments"` // null: without segments
	Features  []savedFeature `json:"features"`
}

type savedFeature struct {
	View   string     `json:"view"`
	Name   string     `json:"name"`
	Type   string     `json:"type"`
	Cuts   []savedCut `json:"cuts,omitempty"`
	Levels []string   `json:"levels,omitempty"`
	Lines  []baseLine `json:"lines"`
}

type savedCut struct {
	At    json.RawMessage `json:"at"`
	Below bool            `json:"below,omitempty"`
}

// Write saves the baseline: the same bytes for the same counts.
func (b *Baseline) Write(w io.Writer) error {
	s := savedBaseline{Format: baselineFormat, At: b.at.String(), Customers: b.customers, Segments: b.segments}
	for ref, f := range b.features {
		row := savedFeature{View: ref.View, Name: ref.Name, Type: f.bins.kind.String(), Levels: f.bins.levels, Lines: f.lines}
		for _, c := range f.bins.cuts {
			row.Cuts = append(row.Cuts, savedCut{c.at.AppendJSON(nil), c.below})
		}
		s.Features = append(s.Features, row)
	}
	slices.SortFunc(s.Features, func(a, b savedFeature) int {
		return compareRefs(view.Ref{View: a.View, Name: a.Name}, view.Ref{View: b.View, Name: b.Name})
	})
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	return e.Encode(s)
}

func compareRefs(a, b view.Ref) int {
	if d := strings.Compare(a.View, b.View); d != 0 {
		return d
	}
	return strings.Compare(a.Name, b.Name)
}

// ReadBaseline reads what Write saved. Anything else: features.ErrInvalid, with the place.
func ReadBaseline(r io.Reader) (*Baseline, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxBaselineBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxBaselineBytes {
		return nil, invalid("the file", "more than "+strconv.Itoa(MaxBaselineBytes)+" bytes", "a saved baseline")
	}
	var s savedBaseline
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return nil, invalid("byte "+strconv.FormatInt(d.InputOffset(), 10), shownError(err), "a saved baseline")
	}
	if d.More() || s.Format != baselineFormat {
		return nil, invalid("format", s.Format, baselineFormat+" and nothing after it")
	}
	return s.baseline()
}

// shownError says what the JSON decoder found, without its package's name.
func shownError(err error) string {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return "the end of the file"
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

func invalid(field, value, expected string) error { return features.Invalid(field, value, expected) }

func (s *savedBaseline) baseline() (*Baseline, error) {
	at, err := fund.ParseInstant(s.At)
	if err != nil {
		return nil, invalid("at", s.At, "an RFC 3339 instant")
	}
	b := &Baseline{at: at, customers: s.Customers, segments: s.Segments, features: map[view.Ref]baseFeature{}}
	if s.Customers < 0 {
		return nil, invalid("customers", strconv.FormatInt(s.Customers, 10), "0 or more")
	}
	if len(s.Segments) > maxSegments || !ascending(s.Segments, strings.Compare) {
		return nil, invalid("segments", strings.Join(s.Segments, " "), fmt.Sprintf("at most %d, each once, sorted", maxSegments))
	}
	if len(s.Features) > MaxFeatures {
		return nil, invalid("features", strconv.Itoa(len(s.Features)), fmt.Sprintf("at most %d", MaxFeatures))
	}
	f := frame{segments: s.Segments}
	for i := range s.Features {
		row := &s.Features[i]
		place := fmt.Sprintf("features[%d]", i)
		ref := view.Ref{View: row.View, Name: row.Name}
		if _, twice := b.features[ref]; twice {
			return nil, invalid(place, row.View+"/"+row.Name, "each feature once")
		}
		if b.features[ref], err = row.feature(place, f.lines()); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// feature checks one feature: the bins ascend, and there is a count for each.
func (s *savedFeature) feature(place string, lines int) (baseFeature, error) {
	kind, err := view.ParseType(s.Type)
	if err != nil {
		return baseFeature{}, invalid(place+".type", s.Type, "a type of values")
	}
	b := bins{kind: kind, levels: s.Levels}
	for i, c := range s.Cuts {
		at, err := view.ParseValue(kind, string(c.At))
		if err != nil {
			return baseFeature{}, invalid(fmt.Sprintf("%s.cuts[%d].at", place, i), string(c.At), "the JSON of a value of the feature's type")
		}
		b.cuts = append(b.cuts, cut{at, c.Below})
	}
	if b.numbers() && s.Levels != nil || !b.numbers() && s.Cuts != nil {
		return baseFeature{}, invalid(place, kind.String(), "cuts of numbers and instants, levels of all else")
	}
	if len(s.Cuts) > 2*quantileBins || !ascending(b.cuts, compareCuts) {
		return baseFeature{}, invalid(place+".cuts", strconv.Itoa(len(s.Cuts)), fmt.Sprintf("at most %d, ascending", 2*quantileBins))
	}
	if len(s.Levels) > maxLevels || !ascending(s.Levels, strings.Compare) {
		return baseFeature{}, invalid(place+".levels", strconv.Itoa(len(s.Levels)), fmt.Sprintf("at most %d, each once, sorted", maxLevels))
	}
	if len(s.Lines) != lines {
		return baseFeature{}, invalid(place+".lines", strconv.Itoa(len(s.Lines)), fmt.Sprintf("%d: all, each segment and the others", lines))
	}
	for i := range s.Lines {
		if err := s.Lines[i].check(fmt.Sprintf("%s.lines[%d]", place, i), b.count()); err != nil {
			return baseFeature{}, err
		}
	}
	return baseFeature{bins: b, lines: s.Lines}, nil
}

// maxRows bounds a count, so that sums of counts do not overflow.
const maxRows = 1 << 40

func (l *baseLine) check(place string, bins int) error {
	if len(l.Bins) != bins {
		return invalid(place+".bins", strconv.Itoa(len(l.Bins)), fmt.Sprintf("%d counts", bins))
	}
	for _, n := range append([]int64{l.Rows, l.Present}, l.Bins...) {
		if n < 0 || n > maxRows {
			return invalid(place, strconv.FormatInt(n, 10), "a count of rows")
		}
	}
	if l.Present > l.Rows {
		return invalid(place+".present", strconv.FormatInt(l.Present, 10), "at most the rows")
	}
	return nil
}

func compareCuts(a, b cut) int {
	if d := a.at.Compare(b.at); d != 0 {
		return d
	}
	if a.below == b.below {
		return 0
	}
	if a.below {
		return -1
	}
	return 1
}

// ascending reports whether each is above the one before.
func ascending[T any](rows []T, compare func(a, b T) int) bool {
	for i := 1; i < len(rows); i++ {
		if compare(rows[i-1], rows[i]) >= 0 {
			return false
		}
	}
	return true
}
