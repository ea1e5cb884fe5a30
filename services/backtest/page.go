package backtest

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strings"
)

//go:embed page.html
var pageText string

// pageTemplate is the template of WriteHTML. Everything from the bank is escaped by
// html/template, or by drawing's own text.
var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"count": func(n int) string { return grouped(int64(n)) }, "count64": grouped,
	"number": showNumber, "signed": signed, "role": func(r Role) string { return strings.ToLower(string(r)) },
	"percent": func(n Number) string { return fmt.Sprintf("%g", 100*float64(n)) },
	"curve":   (*page).curve,
}).Parse(pageText))

// WriteHTML writes the report as one page for people: no scripts, nothing from elsewhere.
// The same report gives the same bytes, whatever it took to make it.
func (r *Report) WriteHTML(w io.Writer) error {
	return pageTemplate.Execute(w, &page{Report: r})
}

// page is what the template asks.
type page struct{ *Report }

// Subject is the contender whose lists are the run.
func (p *page) Subject() *Contender { return &p.Contenders[0] }

// Whole names all splits of the run.
func (p *page) Whole() string {
	return fmt.Sprintf("%d-%d", p.Config.FirstSplit, p.Config.LastSplit)
}

// Measure is the one that is drawn: with the grade rule, what it permits.
func (p *page) Measure() string {
	if p.Config.Permitted {
		return "permitted nDCG@10"
	}
	return "nDCG@10"
}

func (p *page) figure(f *Figures) Figure {
	if p.Config.Permitted {
		return f.PermittedNDCG
	}
	return f.NDCG
}

// Main is the difference in the measure that is drawn.
func (p *page) Main(d Differences) Difference {
	if p.Config.Permitted {
		return d.PermittedNDCG
	}
	return d.NDCG
}

// IsBaseline reports whether a contender is a baseline.
func (p *page) IsBaseline(name string) bool {
	return slices.ContainsFunc(p.Contenders, func(c Contender) bool { return c.Name == name && c.Role == RoleBaseline })
}

// Sizes in pixels.
const (
	curveWidth   = 1200
	curveHeight  = 330
	curveLeft    = 44 // of the axis
	curveTop     = 24 // of the axis; the legend stands above
	curveBottom  = curveHeight - 34
	whiskerWidth = 420
	rowHeight    = 20
)

// curve draws the measure by split: a line and the band of its interval for the subject
// and each baseline.
func (p *page) curve() template.HTML {
	low, high := p.bounds()
	y := func(v Number) float64 {
		return curveBottom - (float64(v)-low)/(high-low)*(curveBottom-curveTop)
	}
	x := func(i int) float64 {
		return curveLeft + (float64(i)+.5)*(curveWidth-curveLeft)/float64(len(p.Splits))
	}
	content := []string{}
	for v := low; v < high+1e-9; v += tick(high - low) {
		at := y(Number(v))
		content = append(content, line(curveLeft, at, curveWidth, at, "#e4e7eb"), text(curveLeft-6, at+4, "end", fmt.Sprintf("%.2f", v)))
	}
	step := 1 + len(p.Splits)/12
	for i := 0; i < len(p.Splits); i += step {
		s := &p.Splits[i]
		content = append(content, text(x(i), curveBottom+14, "middle", fmt.Sprint(s.Split)), text(x(i), curveBottom+27, "middle", s.AsOf))
	}
	drawn := slices.DeleteFunc(slices.Clone(p.Contenders), func(c Contender) bool { return c.Role == RoleVariant })
	for i := len(drawn) - 1; i >= 0; i-- { // the subject above the others
		content = append(content, p.drawContender(&drawn[i], i, x, y)...)
	}
	return svg(curveWidth, curveHeight, p.Measure()+" by split", content...)
}

// bounds are the lowest and the highest value of the curve's axis, at ticks.
func (p *page) bounds() (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for i := range p.Contenders {
		for j := range p.Contenders[i].Splits {
			f := p.figure(&p.Contenders[i].Splits[j].Figures)
			for _, v := range [...]Number{f.Value, f.CI95[0], f.CI95[1]} {
				if !math.IsNaN(float64(v)) && p.Contenders[i].Role != RoleVariant {
					low, high = min(low, float64(v)), max(high, float64(v))
				}
			}
		}
	}
	if low > high {
		return 0, 1
	}
	t := tick(high - low)
	low, high = math.Floor(low/t)*t, math.Ceil(high/t)*t
	if high-low < t {
		high = low + t
	}
	return low, high
}

// tick is the distance of an axis' ticks.
func tick(span float64) float64 {
	switch {
	case span > .5:
		return .1
	case span > .2:
		return .05
	default:
		return .02
	}
}

// colour is that of a contender, by its place among those that are drawn.
func colour(shown int) string { return [...]string{"#1d5a9a", "#b3541e", "#6b7683"}[min(shown, 2)] }

func (p *page) drawContender(c *Contender, shown int, x func(int) float64, y func(Number) float64) (content []string) {
	var upper, lower, middle []string
	for i := range c.Splits {
		f := p.figure(&c.Splits[i].Figures)
		if math.IsNaN(float64(f.Value)) {
			continue
		}
		middle = append(middle, fmt.Sprintf("%.1f,%.1f", x(i), y(f.Value)))
		content = append(content, fmt.Sprintf(`<circle cx="%.1f" cy="%.1f" r="2" fill=%s/>`, x(i), y(f.Value), attribute(colour(shown))))
		if !math.IsNaN(float64(f.CI95[0])) {
			upper = append(upper, fmt.Sprintf("%.1f,%.1f", x(i), y(f.CI95[1])))
			lower = append(lower, fmt.Sprintf("%.1f,%.1f", x(i), y(f.CI95[0])))
		}
	}
	slices.Reverse(lower)
	return append([]string{
		fmt.Sprintf(`<polygon points=%s fill=%s opacity="0.15"/>`, attribute(strings.Join(append(upper, lower...), " ")), attribute(colour(shown))),
		fmt.Sprintf(`<polyline points=%s fill="none" stroke=%s stroke-width="1.5"/>`, attribute(strings.Join(middle, " ")), attribute(colour(shown))),
		fmt.Sprintf(`<rect x="%d" y="4" width="14" height="8" fill=%s/>`, curveLeft+240*shown, attribute(colour(shown))),
		text(float64(curveLeft+240*shown+20), 12, "start", clipped(c.Name)),
	}, content...)
}

// clipped keeps a name within its place in the legend.
func clipped(name string) string {
	const most = 32
	if r := []rune(name); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return name
}

// Scale is what the whiskers of one table share: the largest distance from 0, at least .01.
type Scale struct{ reach float64 }

func scaleOf(differences ...Difference) Scale {
	s := Scale{reach: .01}
	for _, d := range differences {
		for _, v := range d.CI95 {
			if !math.IsNaN(float64(v)) {
				s.reach = max(s.reach, math.Abs(float64(v)))
			}
		}
	}
	return s
}

// Scale is that of the table of all comparisons.
func (p *page) Scale() Scale {
	var all []Difference
	for i := range p.Comparisons {
		all = append(all, p.Main(p.Comparisons[i].Whole))
	}
	return scaleOf(all...)
}

// ScaleOf is that of one comparison's parts.
func (p *page) ScaleOf(c Comparison) Scale {
	var all []Difference
	for _, part := range slices.Concat(c.Fives, c.Halves) {
		all = append(all, p.Main(part.Differences))
	}
	return scaleOf(all...)
}

// at is where a difference is.
func (s Scale) at(v Number) float64 {
	return whiskerWidth/2 + float64(v)/s.reach*(whiskerWidth/2-4)
}

// Whisker draws a difference and its interval beside 0.
func (s Scale) Whisker(d Difference) template.HTML {
	content := []string{line(s.at(0), 0, s.at(0), rowHeight, "#8b96a1")}
	if low, high := d.CI95[0], d.CI95[1]; !math.IsNaN(float64(d.Value)) && !math.IsNaN(float64(low)) {
		ink := attribute("#6b7683")
		switch {
		case low > 0:
			ink = attribute("#1d7a46")
		case high < 0:
			ink = attribute("#b3261e")
		}
		content = append(content, fmt.Sprintf(`<rect x="%.1f" y="9" width="%.1f" height="2" fill=%s/><circle cx="%.1f" cy="10" r="3.5" fill=%s/>`,
			s.at(low), s.at(high)-s.at(low), ink, s.at(d.Value), ink))
	}
	return svg(whiskerWidth, rowHeight, "difference "+signed(d.Figure), content...)
}

// Axis names the ends of the scale.
func (s Scale) Axis() template.HTML {
	return svg(whiskerWidth, 16, "scale",
		text(2, 12, "start", fmt.Sprintf("%+.3f", -s.reach)), text(whiskerWidth/2, 12, "middle", "0"), text(whiskerWidth-2, 12, "end", fmt.Sprintf("%+.3f", s.reach)))
}

func svg(width, height int, label string, content ...string) template.HTML {
	return template.HTML(fmt.Sprintf(`<svg width="%[1]d" height="%[2]d" viewBox="0 0 %[1]d %[2]d" role="img" aria-label=%[3]s>%[4]s</svg>`, //nolint:gosec // numbers, and texts that were escaped
		width, height, attribute(label), strings.Join(content, "")))
}

// attribute writes a text as a quoted attribute.
func attribute(s string) string { return `"` + template.HTMLEscapeString(s) + `"` }

func line(x1, y1, x2, y2 float64, ink string) string {
	return fmt.Sprintf(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke=%s/>`, x1, y1, x2, y2, attribute(ink))
}

func text(x, y float64, anchor, s string) string {
	return fmt.Sprintf(`<text x="%.1f" y="%.1f" text-anchor=%s>%s</text>`, x, y, attribute(anchor), template.HTMLEscapeString(s))
}

func showNumber(n Number) string {
	if math.IsNaN(float64(n)) {
		return "–"
	}
	return fmt.Sprintf("%.4f", float64(n))
}

// signed shows a difference and its interval.
func signed(f Figure) string {
	if math.IsNaN(float64(f.Value)) {
		return "–"
	}
	return fmt.Sprintf("%+.4f [%+.4f, %+.4f]", float64(f.Value), float64(f.CI95[0]), float64(f.CI95[1]))
}

// grouped groups digits by thousands.
func grouped(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
