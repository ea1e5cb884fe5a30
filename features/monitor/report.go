package monitor

import (
	"fmt"

	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Report is what was measured, in the order of the plan's features.
type Report struct {
	At                fund.Instant
	BaselineAt        fund.Instant // 0: no baseline
	Customers         int64        // of whom a cell was known at At
	BaselineCustomers int64
	Segments          []string // after all: by name, others last; empty: not asked for
	Features          []Feature
}

// Feature is what was measured of one feature.
type Feature struct {
	view.Ref
	Type  view.Type
	Lines []Line // all customers first, then the segments of the report
}

// Line is one feature in one segment.
type Line struct {
	Segment      string // "": all customers
	Rows         int64
	Statuses     [view.PurposeDenied + 1]int64 // rows by status
	Age          Age
	BaselineRows int64
	BaselineFill float64 // share; 0 without rows
	Drift        Drift
}

// Fill is the share of rows with a value that may be used, from 0 to 1; 0 without rows.
func (l *Line) Fill() float64 { return share(l.Statuses[view.Present], l.Rows) }

// Age says how old the values are: the instant of the report less the event time of each
// present value that has one. Quantiles are in seconds, within 1/128 of the true ones.
type Age struct {
	Dated     int64 // present values with an event time
	Undated   int64 // present values without one: they hold always
	Quantiles [len(AgeQuantiles)]int64
	Oldest    fund.Instant // event times; 0 without dated values
	Newest    fund.Instant
}

// AgeQuantiles are those of Age, in percent.
var AgeQuantiles = [...]int{5, 25, 50, 75, 95, 99}

// Drift says how far the distribution is from the baseline's.
type Drift struct {
	Known bool    // false: no baseline, or fewer than MinDriftRows rows on a side
	PSI   float64 // population stability index, 0 or more
	// Noise is what the index is on average when nothing moved: (bins-1) (1/rows + 1/baseline rows).
	Noise float64
	Bins  int
}

// Band returns the usual reading of the index.
func (d Drift) Band() Band {
	switch {
	case !d.Known:
		return NoBand
	case d.PSI < 0.1:
		return Stable
	case d.PSI < 0.25:
		return Shifted
	}
	return Unstable
}

// Band is a reading of the population stability index.
type Band uint8

// The bands: below 0.1, below 0.25, and above (Siddiqi, Credit Risk Scorecards, 2006).
const (
	NoBand Band = iota
	Stable
	Shifted
	Unstable
)

var bandNames = [...]string{"UNKNOWN", "STABLE", "SHIFTED", "UNSTABLE"}

// String returns the band's name.
func (b Band) String() string {
	if int(b) < len(bandNames) {
		return bandNames[b]
	}
	return fmt.Sprintf("Band(%d)", b)
}

// Bounds are what a report is held against. Zero values hold nothing.
type Bounds struct {
	MaxPSI  float64
	MinFill float64 // from 0 to 1
}

// Broken is a line of a report that breaks a bound.
type Broken struct {
	view.Ref
	Segment string
	What    string // e.g. PSI 0.3120 above 0.25
}

// Broken returns the lines that break a bound, in the order of the report. A drift that
// is not known breaks none; lines without rows break none.
func (r *Report) Broken(b Bounds) []Broken {
	var out []Broken
	for i := range r.Features {
		f := &r.Features[i]
		for j := range f.Lines {
			l := &f.Lines[j]
			if b.MaxPSI > 0 && l.Drift.Known && l.Drift.PSI > b.MaxPSI {
				out = append(out, Broken{f.Ref, l.Segment, fmt.Sprintf("PSI %.4f above %g", l.Drift.PSI, b.MaxPSI)})
			}
			if b.MinFill > 0 && l.Rows > 0 && l.Fill() < b.MinFill {
				out = append(out, Broken{f.Ref, l.Segment, fmt.Sprintf("fill %.4f below %g", l.Fill(), b.MinFill)})
			}
		}
	}
	return out
}

func share(part, of int64) float64 {
	if of == 0 {
		return 0
	}
	return float64(part) / float64(of)
}
