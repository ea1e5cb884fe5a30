package main

import (
	"fmt"

	"github.com/fundmatch/fundmatch/features/monitor"
	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// monitorReport is the report as JSON: plain numbers, null where a thing is not known.
type monitorReport struct {
	At                string           `json:"at"`
	BaselineAt        *string          `json:"baselineAt"`
	Customers         int64            `json:"customers"`
	BaselineCustomers int64            `json:"baselineCustomers"`
	Segments          []string         `json:"segments"`
	Features          []monitorFeature `json:"features"`
}

type monitorFeature struct {
	View  string        `json:"view"`
	Name  string        `json:"name"`
	Type  string        `json:"type"`
	Lines []monitorLine `json:"lines"` // all customers first
}

type monitorLine struct {
	Segment      string           `json:"segment"` // "": all
	Rows         int64            `json:"rows"`
	Statuses     map[string]int64 `json:"statuses"`
	Fill         float64          `json:"fill"`
	Age          monitorAge       `json:"age"`
	BaselineRows int64            `json:"baselineRows"`
	BaselineFill float64          `json:"baselineFill"`
	PSI          *float64         `json:"psi"`
	PSINoise     *float64         `json:"psiNoise"`
	Bins         int              `json:"bins"`
	Band         string           `json:"band"`
}

type monitorAge struct {
	Dated    int64            `json:"dated"`
	Undated  int64            `json:"undated"`
	Seconds  map[string]int64 `json:"seconds"` // p05, p25, ...
	OldestAt *string          `json:"oldestAt"`
	NewestAt *string          `json:"newestAt"`
}

func monitorJSON(r *monitor.Report) *monitorReport {
	out := &monitorReport{
		At: r.At.String(), BaselineAt: instantOrNull(r.BaselineAt), Customers: r.Customers, BaselineCustomers: r.BaselineCustomers,
		Segments: append([]string{}, r.Segments...), Features: make([]monitorFeature, 0, len(r.Features)),
	}
	for i := range r.Features {
		f := &r.Features[i]
		row := monitorFeature{View: f.View, Name: f.Name, Type: f.Type.String()}
		for j := range f.Lines {
			row.Lines = append(row.Lines, monitorLineJSON(&f.Lines[j]))
		}
		out.Features = append(out.Features, row)
	}
	return out
}

func monitorLineJSON(l *monitor.Line) monitorLine {
	out := monitorLine{
		Segment: l.Segment, Rows: l.Rows, Statuses: map[string]int64{}, Fill: l.Fill(), BaselineRows: l.BaselineRows, BaselineFill: l.BaselineFill,
		Bins: l.Drift.Bins, Band: l.Drift.Band().String(),
		Age: monitorAge{Dated: l.Age.Dated, Undated: l.Age.Undated, Seconds: map[string]int64{}, OldestAt: instantOrNull(l.Age.Oldest), NewestAt: instantOrNull(l.Age.Newest)},
	}
	for s := view.Present; int(s) < len(l.Statuses); s++ {
		out.Statuses[s.String()] = l.Statuses[s]
	}
	if l.Age.Dated > 0 {
		for i, q := range monitor.AgeQuantiles {
			out.Age.Seconds[fmt.Sprintf("p%02d", q)] = l.Age.Quantiles[i]
		}
	}
	if l.Drift.Known {
		out.PSI, out.PSINoise = &l.Drift.PSI, &l.Drift.Noise
	}
	return out
}

func instantOrNull(i fund.Instant) *string {
	if i == 0 {
		return nil
	}
	text := i.String()
	return &text
}
