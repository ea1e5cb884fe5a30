package assess

import (
	"bytes"
	"fmt"
	"io"
	"math"
)

// Sizes of the figure in pixels.
const (
	figureWidth = 960
	panelHeight = 190
	plotLeft    = 56
	plotTop     = 34
	plotHeight  = 116
	figureTop   = 44
)

// WriteSVG draws how many of each month's entries went beyond the 90 % range of the
// drawdown: a panel for each horizon, the nominal tenth and the band of 5 to 15 % marked, the
// months whose holdings touch the crash in another colour. The same report gives the same
// bytes.
func (r *Report) WriteSVG(w io.Writer) error {
	var b bytes.Buffer
	panels, first, last := 0, math.MaxInt, 0
	for i := range r.Horizons {
		if months := r.Horizons[i].ByMonth; len(months) > 0 {
			panels++
			first, last = min(first, monthNumber(months[0].Month)), max(last, monthNumber(months[len(months)-1].Month))
		}
	}
	axis := axis{first: first, months: max(last-first+1, 12), train: monthNumber(r.Plan.TrainUntil[:len("2015-06")])}
	height := figureTop + max(panels, 1)*panelHeight
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="%[2]d" viewBox="0 0 %[1]d %[2]d" role="img" aria-label="Entries whose drawdown went beyond the foreseen 90 %% range, by month" font-family="sans-serif" font-size="11" fill="#1d3b57">`, figureWidth, height)
	rect(&b, 0, 0, figureWidth, float64(height), "#ffffff")
	text(&b, plotLeft, 18, "start", "Share of a month's entries whose drawdown went beyond the 90 % range that was foreseen")
	text(&b, plotLeft, 33, "start", fmt.Sprintf("blue: ordinary; red: holdings that touch the crash (%s to %s); green: 5 to 15 %%; grey line: end of training, %s",
		r.Plan.CrashFrom, r.Plan.CrashTo, r.Plan.TrainUntil))
	y := float64(figureTop)
	for i := range r.Horizons {
		if h := &r.Horizons[i]; len(h.ByMonth) > 0 {
			h.draw(&b, y, axis)
			y += panelHeight
		}
	}
	b.WriteString("</svg>\n")
	_, err := w.Write(b.Bytes())
	return err
}

// axis are the months of all panels.
type axis struct{ first, months, train int }

// at returns where a month begins.
func (a axis) at(month int) float64 { return plotLeft + a.step()*float64(month-a.first) }

func (a axis) step() float64 { return float64(figureWidth-plotLeft-16) / float64(a.months) }

// draw draws a horizon's panel with its top at y.
func (h *Horizon) draw(b *bytes.Buffer, y float64, axis axis) {
	top, bottom := y+plotTop, y+plotTop+plotHeight
	at := func(share float64) float64 { return bottom - float64(share*plotHeight) }
	width, step := axis.step()*float64(axis.months), axis.step()
	text(b, plotLeft, y+24, "start", fmt.Sprintf("%d months: %s", h.Months, h.summary()))
	rect(b, plotLeft, at(0.15), width, at(0.05)-at(0.15), "#d5e8d4")
	for _, share := range [...]float64{0, 0.1, 0.5, 1} {
		rect(b, plotLeft, at(share), width, 0.5, "#9aa5b1")
		text(b, plotLeft-6, at(share)+4, "end", fmt.Sprintf("%.0f %%", 100*share))
	}
	for i := range h.ByMonth {
		m := &h.ByMonth[i]
		colour := "#4878a8"
		if m.Crash {
			colour = "#c0503f"
		}
		// A month without an exceedance is a foot of one pixel: it was measured.
		rect(b, axis.at(monthNumber(m.Month))+0.1*step, at(m.Beyond90)-1, 0.8*step, bottom-at(m.Beyond90)+1, colour)
	}
	for month := axis.first; month < axis.first+axis.months; month++ {
		if month%12 == 0 {
			text(b, axis.at(month), bottom+14, "start", fmt.Sprint(month/12))
		}
	}
	if axis.train >= axis.first && axis.train < axis.first+axis.months {
		rect(b, axis.at(axis.train), top, 1, plotHeight, "#616e7c")
	}
}

// summary says the rates of the parts.
func (h *Horizon) summary() string {
	out := ""
	for i := range h.Parts {
		s := &h.Parts[i]
		if s.Part == Purged.String() || s.Part == All.String() {
			continue
		}
		if out != "" {
			out += ", "
		}
		out += fmt.Sprintf("%s %.1f %%", s.Part, 100*s.Beyond90.Value)
	}
	return out
}

// monthNumber counts months of "2015-06".
func monthNumber(month string) int {
	year, m := 0, 0
	if _, err := fmt.Sscanf(month, "%d-%d", &year, &m); err != nil {
		return 0
	}
	return year*12 + m - 1
}

func rect(b *bytes.Buffer, x, y, width, height float64, colour string) {
	fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`, x, y, width, height, colour)
}

// text writes a text of the report's own words, which holds nothing to escape.
func text(b *bytes.Buffer, x, y float64, anchor, words string) {
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`, x, y, anchor, words)
}
