package monitor

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

//go:embed page.html
var pageText string

// page is the template of WriteHTML. Everything from the bank is escaped by html/template,
// or by drawing's own text.
var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"instant": showInstant, "count": showCount, "age": showAge,
	"fill": drawFill, "strip": drawStrip, "axis": drawAxis, "drift": drawDrift, "fillTile": drawFillTile, "driftTile": drawDriftTile,
	"median": func(a Age) int64 { return a.Quantiles[2] }, "short": shortened, "statuses": showStatuses,
	"all": func(f Feature) *Line { return &f.Lines[0] }, "parts": func(f Feature) []*Line {
		out := make([]*Line, 0, len(f.Lines))
		for i := range f.Lines[1:] {
			out = append(out, &f.Lines[1+i])
		}
		return out
	},
	"percent": func(part float64) float64 { return 100 * part },
}).Parse(pageText))

// WriteHTML writes the report as one page for people: no scripts, nothing from elsewhere.
// The same report gives the same bytes.
func (r *Report) WriteHTML(w io.Writer) error {
	return page.Execute(w, pageData{Report: r, Unstable: r.countBand(Unstable), Shifted: r.countBand(Shifted)})
}

type pageData struct {
	*Report
	Unstable, Shifted int // features, over all customers
}

func (r *Report) countBand(b Band) (n int) {
	for i := range r.Features {
		if r.Features[i].Lines[0].Drift.Band() == b {
			n++
		}
	}
	return n
}

// Sizes in pixels. The widths of the columns add up to less than 1,240, so that the page
// fits a screen of 1,280 and a landscape sheet.
const (
	fillWidth  = 120
	stripWidth = 300
	driftWidth = 120
	tileWidth  = 54
	tileHeight = 18
	rowHeight  = 20
)

// charWidth is what a character of the pages' 11 pixel digits takes at most.
const charWidth = 6.7

func svg(width, height int, label string, content ...string) template.HTML {
	return template.HTML(fmt.Sprintf(`<svg width="%[1]d" height="%[2]d" viewBox="0 0 %[1]d %[2]d" role="img" aria-label=%[3]s>%[4]s</svg>`, //nolint:gosec // numbers, and texts that were escaped
		width, height, attribute(label), strings.Join(content, "")))
}

// attribute writes a text as a quoted attribute.
func attribute(text string) string { return `"` + template.HTMLEscapeString(text) + `"` }

func box(x, y, width, height float64, colour string) string {
	return fmt.Sprintf(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill=%s/>`, x, y, width, height, attribute(colour))
}

func label(x, y float64, anchor, text string) string {
	return fmt.Sprintf(`<text x="%.1f" y="%.1f" text-anchor=%s>%s</text>`, x, y, attribute(anchor), template.HTMLEscapeString(text))
}

// drawFill draws the share of rows with a value as a bar, and says it.
func drawFill(l *Line) template.HTML {
	const bar = fillWidth - 52
	text := showShare(l.Fill(), l.Rows)
	return svg(fillWidth, rowHeight, "filled "+text,
		box(0, 4, bar, 12, "#e4e7eb"), box(0, 4, bar*l.Fill(), 12, "#4878a8"), label(fillWidth-2, 14, "end", text))
}

// showShare says a share in percent. Only what is whole is 100 %.
func showShare(part float64, rows int64) string {
	switch text := fmt.Sprintf("%.1f %%", 100*part); {
	case rows == 0:
		return "no rows"
	case part < 1 && text == "100.0 %":
		return "99.9 %"
	case part > 0 && text == "0.0 %":
		return "0.1 %"
	default:
		return text
	}
}

// The ages that the strip shows, from a minute to ten years, on a logarithmic scale.
const (
	shortestAge = 60
	longestAge  = 10 * 365.25 * 86_400
)

// ageTicks are those of the axis.
func ageTicks() []struct {
	Seconds float64
	Name    string
} {
	return []struct {
		Seconds float64
		Name    string
	}{{3_600, "1 h"}, {86_400, "1 d"}, {30 * 86_400, "30 d"}, {365.25 * 86_400, "1 y"}}
}

// ageAt returns where an age is on the strip; ages beyond its ends are at the ends.
func ageAt(seconds float64) float64 {
	seconds = min(max(seconds, shortestAge), longestAge)
	return float64(stripWidth-4)*math.Log(seconds/shortestAge)/math.Log(longestAge/shortestAge) + 2
}

// drawStrip draws the ages: from the 5th to the 95th percentile as a line, the middle half as
// a box, the median as a mark.
func drawStrip(a Age) template.HTML {
	if a.Dated == 0 {
		return svg(stripWidth, rowHeight, "no dated values", `<g opacity="0.55">`, label(stripWidth/2, 14, "middle", "no dated values"), `</g>`)
	}
	at := make([]float64, len(a.Quantiles))
	for i, q := range a.Quantiles {
		at[i] = ageAt(float64(q))
	}
	content := []string{}
	for _, t := range ageTicks() {
		content = append(content, box(ageAt(t.Seconds), 0, 0.5, rowHeight, "#c4cad2"))
	}
	content = append(content,
		box(at[0], 9.5, max(at[4]-at[0], 1), 1.5, "#7a8794"),
		box(at[1], 5, max(at[3]-at[1], 1), 10, "#9db8d2"),
		box(at[2]-1, 3, 2, 14, "#1d3b57"))
	return svg(stripWidth, rowHeight, "median age "+showAge(a.Quantiles[2]), content...)
}

// drawAxis names the ticks of the strips.
func drawAxis() template.HTML {
	content := []string{label(2, 12, "start", "1 min")}
	for _, t := range ageTicks() {
		content = append(content, label(ageAt(t.Seconds), 12, "middle", t.Name))
	}
	return svg(stripWidth, 16, "ages, logarithmic", append(content, label(stripWidth-2, 12, "end", "10 y"))...)
}

func bandColour(b Band) string {
	return [...]string{"#ececec", "#d5e8d4", "#ffe9a8", "#f5b7ae"}[b]
}

// drawDrift draws the stability index in the colour of its band, with the band's name.
func drawDrift(d Drift) template.HTML {
	text := "unknown"
	if d.Known {
		text = fmt.Sprintf("%s %s", showPSI(d), strings.ToLower(d.Band().String()))
	}
	return svg(driftWidth, rowHeight, "drift "+text, box(0, 1, driftWidth, rowHeight-2, bandColour(d.Band())), label(driftWidth/2, 14, "middle", text))
}

func showPSI(d Drift) string {
	if !d.Known {
		return "–"
	}
	if d.PSI >= 100 {
		return "≥100"
	}
	return fmt.Sprintf("%.3f", d.PSI)
}

func drawDriftTile(l *Line) template.HTML {
	return tile(bandColour(l.Drift.Band()), showPSI(l.Drift))
}

func drawFillTile(l *Line) template.HTML {
	if l.Rows == 0 {
		return tile("#ececec", "–")
	}
	fill := l.Fill()
	shade := func(empty, full float64) int { return int(math.Round(empty + float64((full-empty)*fill))) }
	return tile(fmt.Sprintf("#%02x%02x%02x", shade(0xff, 0x9d), shade(0xff, 0xb8), shade(0xff, 0xd2)), showShare(fill, l.Rows))
}

func tile(colour, text string) template.HTML {
	return svg(tileWidth, tileHeight, text, box(0, 0, tileWidth, tileHeight, colour), label(tileWidth/2, 13, "middle", text))
}

func showInstant(i fund.Instant) string {
	if i == 0 {
		return "–"
	}
	return i.Time().UTC().Format("2006-01-02 15:04:05Z")
}

// showCount groups digits by thousands.
func showCount(n int64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// showAge says an age in its largest unit, with one decimal below ten.
func showAge(seconds int64) string {
	d := time.Duration(seconds) * time.Second
	for _, u := range [...]struct {
		name string
		unit time.Duration
	}{{"y", 365*24*time.Hour + 6*time.Hour}, {"d", 24 * time.Hour}, {"h", time.Hour}, {"min", time.Minute}} {
		if n := float64(seconds) / u.unit.Seconds(); n >= 1 {
			if n < 10 {
				return fmt.Sprintf("%.1f %s", n, u.name)
			}
			return fmt.Sprintf("%.0f %s", n, u.name)
		}
	}
	return fmt.Sprintf("%d s", int64(d/time.Second))
}

// maxShown bounds a name in a narrow column, in characters; the whole stands in its title.
const maxShown = 8

func shortened(name string) string {
	if utf8.RuneCountInString(name) <= maxShown {
		return name
	}
	return string([]rune(name)[:maxShown-1]) + "…"
}

// showStatuses says why rows have no value, as far as there are such rows.
func showStatuses(l *Line) string {
	var out []string
	for s := view.Present + 1; int(s) < len(l.Statuses); s++ {
		if n := l.Statuses[s]; n > 0 {
			out = append(out, fmt.Sprintf("%s %s", s, showCount(n)))
		}
	}
	return strings.Join(out, ", ")
}
