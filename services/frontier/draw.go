package frontier

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"text/tabwriter"
)

// WriteTable writes the points for people.
func (r *Report) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "model %s, weight of BREACH %g; lists of %d places on %d days from %s to %s: %d for %d customers, %d whose customer then bought something permitted\n",
		r.Model, r.Shipped, Places, r.Days, r.First, r.Last, r.Lists, r.Customers, r.Wanting)
	fmt.Fprintf(w, "intervals: 95 %%, bootstrap over customers; change: against no weight\n\n")
	fmt.Fprint(t, "weight\tnDCG@10\t\tchange\t\tfell beyond\t\tchange\t\tforeseen\t\n")
	for i := range r.Points {
		p := &r.Points[i]
		fmt.Fprintf(t, "%g\t%.4f\t%s\t%+.4f\t%s\t%.2f %%\t%s\t%+.2f\t%s\t%.2f %%\t\n", p.Weight,
			p.Demand.Value, p.Demand.interval("%.4f", 1), p.DemandChange.Value, p.DemandChange.interval("%+.4f", 1),
			100*p.Beyond.Value, p.Beyond.interval("%.2f", 100), 100*p.BeyondChange.Value, p.BeyondChange.interval("%+.2f", 100), 100*p.Foreseen.Value)
	}
	return t.Flush()
}

func (v *Value) interval(verb string, unit float64) string {
	return fmt.Sprintf("["+verb+", "+verb+"]", unit*v.Low, unit*v.High)
}

// Sizes of the figure in pixels.
const (
	figureWidth, figureHeight = 960, 460
	plotLeft, plotRight       = 76, 900
	plotTop, plotBottom       = 72, 404
	steps                     = 4 // of an axis
)

// span is an axis.
type span struct{ least, most float64 }

func (s *span) take(v Value) { s.least, s.most = min(s.least, v.Low), max(s.most, v.High) }

// at places a value between two pixels.
func (s *span) at(v, from, to float64) float64 {
	if s.most <= s.least {
		return (from + to) / 2
	}
	return from + (v-s.least)/(s.most-s.least)*(to-from)
}

// WriteSVG draws the frontier: how much less well lists meet what was bought, over how many
// fewer of the listed products fell beyond what the customer's level bears, against the lists
// of no weight; a point a weight with the intervals of both, the weight of the model in red. The same report gives the same bytes.
func (r *Report) WriteSVG(w io.Writer) error {
	x, y := span{math.Inf(1), math.Inf(-1)}, span{math.Inf(1), math.Inf(-1)}
	for i := range r.Points {
		x.take(r.Points[i].BeyondChange)
		y.take(r.Points[i].DemandChange)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="%[2]d" viewBox="0 0 %[1]d %[2]d" role="img" aria-label="Demand met over falls beyond the tolerance, by the weight of BREACH" font-family="sans-serif" font-size="11" fill="#1d3b57">`, figureWidth, figureHeight)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#ffffff"/>`, figureWidth, figureHeight)
	words(&b, plotLeft, 18, "start", "What a weight of BREACH costs and saves: further left, fewer of the listed products fell beyond what the customer's level bears;")
	words(&b, plotLeft, 33, "start", "lower, lists met less of what was bought. A point a weight, against none; bars: 95 %, over customers; red: the model's weight.")
	words(&b, plotLeft, 52, "start", fmt.Sprintf("change of nDCG@%d of permitted products bought within six months (%.4f without a weight)", Places, r.Points[0].Demand.Value))
	words(&b, plotRight, figureHeight-16, "end", fmt.Sprintf("change of the share of listed products that fell beyond the tolerance within twelve months, after fees (%.2f %% without a weight)", 100*r.Points[0].Beyond.Value))
	for i := range steps + 1 {
		part := float64(i) / steps
		px, py := plotLeft+part*(plotRight-plotLeft), plotBottom+part*(plotTop-plotBottom)
		line(&b, plotLeft, py, plotRight, py, "#d9dee4", 0.5)
		words(&b, plotLeft-6, py+4, "end", fmt.Sprintf("%+.4f", y.least+part*(y.most-y.least)))
		words(&b, px, plotBottom+16, "middle", fmt.Sprintf("%+.2f %%", 100*(x.least+part*(x.most-x.least))))
	}
	r.points(&b, &x, &y)
	b.WriteString("</svg>\n")
	_, err := w.Write(b.Bytes())
	return err
}

func (r *Report) points(b *bytes.Buffer, x, y *span) {
	lastX, lastY, labelX, labelY := 0.0, 0.0, math.Inf(1), 0.0
	for i := range r.Points {
		p := &r.Points[i]
		px, py := x.at(p.BeyondChange.Value, plotLeft, plotRight), y.at(p.DemandChange.Value, plotBottom, plotTop)
		colour, radius := "#4878a8", 3.5
		if p.Weight == r.Shipped {
			colour, radius = "#c0503f", 5
		}
		line(b, x.at(p.BeyondChange.Low, plotLeft, plotRight), py, x.at(p.BeyondChange.High, plotLeft, plotRight), py, "#9aa5b1", 0.7)
		line(b, px, y.at(p.DemandChange.Low, plotBottom, plotTop), px, y.at(p.DemandChange.High, plotBottom, plotTop), "#9aa5b1", 0.7)
		if i > 0 {
			line(b, lastX, lastY, px, py, "#4878a8", 1.5)
		}
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="%.1f" fill="%s"/>`, px, py, radius, colour)
		if math.Abs(px-labelX) > 30 || math.Abs(py-labelY) > 11 || p.Weight == r.Shipped { // labels do not lie on one another
			words(b, px+6, py-6, "start", fmt.Sprintf("%g", p.Weight))
			labelX, labelY = px, py
		}
		lastX, lastY = px, py
	}
}

func line(b *bytes.Buffer, x1, y1, x2, y2 float64, colour string, width float64) {
	fmt.Fprintf(b, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-width="%.1f"/>`, x1, y1, x2, y2, colour, width)
}

// words writes a text of the report's own words, which holds nothing to escape.
func words(b *bytes.Buffer, x, y float64, anchor, text string) {
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`, x, y, anchor, text)
}
