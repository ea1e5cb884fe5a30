package logit

import (
	"fmt"
	"html"
	"io"
	"math"
	"strings"
)

// Sizes of the drawing in pixels.
const (
	drawnSide   = 320 // of the square
	drawnLeft   = 56
	drawnTop    = 46
	drawnCounts = 60 // height of the counts below
	drawnWidth  = drawnLeft + drawnSide + 24
	drawnHeight = drawnTop + drawnSide + 30 + drawnCounts + 34
)

// WriteSVG draws the reliability table: observed by predicted with Wilson's intervals, the
// diagonal on which predictions are right, and below how densely the rows lie, a bar of
// equal area for equally many. Both axes end above the largest of the points and
// intervals. No scripts, nothing from elsewhere; the same assessment gives the same bytes.
// title is for people.
func (a *Assessment) WriteSVG(w io.Writer, title string) error {
	top := 0.0
	for _, b := range a.Bins {
		top = max(top, b.Observed.High, b.Predicted)
	}
	d := drawing{top: roundedUp(top)}
	d.printf(`<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="%[2]d" viewBox="0 0 %[1]d %[2]d" role="img" aria-label="%[3]s" font-family="sans-serif" font-size="11" fill="#1d3b57">`,
		drawnWidth, drawnHeight, html.EscapeString(title))
	d.printf(`<rect width="100%%" height="100%%" fill="#ffffff"/>`)
	d.text(8, 16, "start", title)
	d.text(8, 32, "start", a.caption())
	d.axes()
	for _, b := range a.Bins {
		x := d.x(b.Predicted)
		d.printf(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#9db8d2" stroke-width="2"/>`, x, d.y(b.Observed.Low), x, d.y(b.Observed.High))
		d.printf(`<circle cx="%.1f" cy="%.1f" r="3" fill="#4878a8"/>`, x, d.y(b.Observed.Value))
	}
	d.bars(a.Bins)
	d.text(drawnLeft+drawnSide/2, drawnHeight-8, "middle", "predicted probability; bars: where the rows lie")
	d.printf("</svg>\n")
	_, err := io.WriteString(w, d.String())
	return err
}

// bars draws the density of the rows: of each bin from the middle between its neighbours'
// ends, so that no probability is left out.
func (d *drawing) bars(bins []Bin) {
	ends := make([]float64, len(bins)+1)
	ends[0], ends[len(bins)] = d.x(bins[0].From), min(d.x(bins[len(bins)-1].To), drawnLeft+drawnSide)
	for i := 1; i < len(bins); i++ {
		ends[i] = min(d.x((bins[i-1].To+bins[i].From)/2), drawnLeft+drawnSide)
	}
	density := make([]float64, len(bins))
	most := 0.0
	for i, b := range bins {
		density[i] = float64(b.Rows) / max(ends[i+1]-ends[i], 1)
		most = max(most, density[i])
	}
	const floor = drawnTop + drawnSide + 30 + drawnCounts
	for i := range bins {
		height := drawnCounts * density[i] / most
		d.printf(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="#9db8d2" stroke="#ffffff" stroke-width="0.5"/>`,
			ends[i], floor-height, max(ends[i+1]-ends[i], 1), height)
	}
}

// caption says the figures that matter.
func (a *Assessment) caption() string {
	slope := "slope unknown"
	if l := a.Lines[0]; l.Unknown == "" {
		slope = fmt.Sprintf("slope %.2f [%.2f, %.2f]", l.Slope.Value, l.Slope.Low, l.Slope.High)
	}
	return fmt.Sprintf("%d rows · skill %.3f [%.3f, %.3f] · %s", a.Rows, a.Skill.Value, a.Skill.Low, a.Skill.High, slope)
}

// drawing writes shapes; probabilities from 0 to top fill the square.
type drawing struct {
	strings.Builder
	top float64
}

func (d *drawing) printf(format string, values ...any) { fmt.Fprintf(&d.Builder, format, values...) }

func (d *drawing) x(p float64) float64 { return drawnLeft + drawnSide*p/d.top }

func (d *drawing) y(p float64) float64 { return drawnTop + drawnSide - drawnSide*p/d.top }

func (d *drawing) text(x, y float64, anchor, text string) {
	d.printf(`<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`, x, y, anchor, html.EscapeString(text))
}

// axes draws five ticks each way and the diagonal.
func (d *drawing) axes() {
	for i := range 6 {
		p := d.top * float64(i) / 5
		d.printf(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#e4e7eb"/>`, d.x(0), d.y(p), d.x(d.top), d.y(p))
		d.printf(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#e4e7eb"/>`, d.x(p), d.y(0), d.x(p), d.y(d.top))
		name := fmt.Sprintf("%.3g %%", 100*p)
		d.text(drawnLeft-6, d.y(p)+4, "end", name)
		d.text(d.x(p), drawnTop+drawnSide+16, "middle", name)
	}
	d.printf(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#7a8794" stroke-dasharray="4 3"/>`, d.x(0), d.y(0), d.x(d.top), d.y(d.top))
	d.printf(`<text transform="translate(12 %d) rotate(-90)" text-anchor="middle">observed share</text>`, drawnTop+drawnSide/2)
}

// roundedUp returns the next of 1, 1.5, 2, 3, 5, 7.5 and 10 times a power of ten, at most 1.
func roundedUp(p float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(p)))
	for _, step := range [...]float64{1, 1.5, 2, 3, 5, 7.5, 10} {
		if p <= step*power {
			return min(step*power, 1)
		}
	}
	return 1
}
