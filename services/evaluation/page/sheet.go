package page

import (
	"errors"
	"fmt"
	"html"
	"image"
	"image/color"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// ink is a colour by its name in the page's style, which says what it is in the light and in the dark.
type ink string

// The inks.
const (
	inkText  ink = "ink"
	inkFaint ink = "faint" // lines behind the data
	inkMuted ink = "muted"
	inkFirst ink = "c1"
	inkBand  ink = "band" // of the first, as an area
	inkGood  ink = "good"
	inkBad   ink = "bad"
)

// RGBA makes an ink a color.Color for gonum/plot; nothing asks for its value.
func (ink) RGBA() (r, g, b, a uint32) { return 0, 0, 0, math.MaxUint16 }

// sheet is a vg.Canvas that writes SVG whose colours and letters are the page's, not those of the program. Texts are
// anchored where they are meant to be, so that no font has to be known.
type sheet struct {
	width, height float64
	body          strings.Builder
	now           state
	stack         []state
	failed        error
}

// state is what Push keeps: an affine map from the plot's coordinates, and how lines are drawn.
type state struct {
	a, b, c, d, e, f float64 // x' = a x + c y + e, y' = b x + d y + f
	width            vg.Length
	dash             []vg.Length
	colour           color.Color
}

// Lengths of a sheet, in its own unit: a CSS pixel where there is room for all of it.
const (
	sheetWidth = 460
	letter     = 13 // size of letters
	ascent     = 10
	descent    = 3
)

// errDrawing says that a plot asks for what a sheet does not draw.
var errDrawing = errors.New("page: a drawing of something unknown")

func newSheet(height float64) *sheet {
	s := &sheet{width: sheetWidth, height: height}
	s.now = state{a: 1, d: -1, f: height, width: 1, colour: inkText}
	return s
}

// writeSVG draws a chart as one svg element.
func writeSVG(w io.Writer, c Chart, number int) error {
	s := newSheet(0)
	if err := c.draw(s); err != nil {
		return err
	}
	if s.failed != nil {
		return s.failed
	}
	title, says := c.words()
	_, err := fmt.Fprintf(w, `<svg viewBox="0 0 %s %s" role="img" aria-labelledby="chart%d chart%d-says"><title id="chart%d">%s</title><desc id="chart%d-says">%s</desc>%s</svg>`,
		coordinate(s.width), coordinate(s.height), number, number, number, html.EscapeString(title), number, html.EscapeString(says), s.body.String())
	return err
}

// resize sets the height, before anything is drawn.
func (s *sheet) resize(height float64) { *s = *newSheet(height) }

// plot draws a plot on the sheet, but for an edge: a reader's letters may be wider than they were taken for.
func (s *sheet) plot(p *plot.Plot) {
	p.Draw(draw.Crop(draw.NewCanvas(s, vg.Length(s.width), vg.Length(s.height)), 2, -8, 3, -5))
}

// newPlot is a plot with the page's inks and letters. Its axes have no names: a chart's heading says what they show.
func (s *sheet) newPlot() *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	style := func(t *text.Style) {
		t.Color, t.Font, t.Handler = inkText, font.Font{Size: letter}, letters{s}
	}
	p.TextHandler = letters{s}
	style(&p.Title.TextStyle)
	style(&p.Legend.TextStyle)
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		style(&axis.Label.TextStyle)
		style(&axis.Tick.Label)
		axis.Color, axis.Tick.Color = inkMuted, inkMuted
		axis.Tick.Length = 4
	}
	return p
}

// Size is that of the sheet.
func (s *sheet) Size() (w, h vg.Length) { return vg.Length(s.width), vg.Length(s.height) }

// SetLineWidth is one of vg.Canvas, as the methods that follow.
func (s *sheet) SetLineWidth(w vg.Length) { s.now.width = w }

// SetLineDash sets how lines are broken.
func (s *sheet) SetLineDash(pattern []vg.Length, _ vg.Length) { s.now.dash = pattern }

// SetColor sets the ink.
func (s *sheet) SetColor(c color.Color) { s.now.colour = c }

// Rotate turns what follows.
func (s *sheet) Rotate(angle float64) {
	sin, cos := math.Sincos(angle)
	s.now.transform(cos, sin, -sin, cos, 0, 0)
}

// Translate moves what follows.
func (s *sheet) Translate(pt vg.Point) { s.now.transform(1, 0, 0, 1, float64(pt.X), float64(pt.Y)) }

// Scale stretches what follows.
func (s *sheet) Scale(x, y float64) { s.now.transform(x, 0, 0, y, 0, 0) }

// transform lets another map come before this one.
func (t *state) transform(a, b, c, d, e, f float64) {
	old := *t
	t.a, t.b = old.a*a+old.c*b, old.b*a+old.d*b
	t.c, t.d = old.a*c+old.c*d, old.b*c+old.d*d
	t.e, t.f = old.a*e+old.c*f+old.e, old.b*e+old.d*f+old.f
}

// Push keeps how things are drawn.
func (s *sheet) Push() { s.stack = append(s.stack, s.now) }

// Pop takes up again what Push kept.
func (s *sheet) Pop() {
	if n := len(s.stack); n > 0 {
		s.now, s.stack = s.stack[n-1], s.stack[:n-1]
	}
}

// Stroke draws a line.
func (s *sheet) Stroke(path vg.Path) {
	if s.now.width <= 0 {
		return
	}
	fmt.Fprintf(&s.body, `<path class="s-%s" stroke-width="%s"`, s.ink(), coordinate(float64(s.now.width)))
	if len(s.now.dash) > 0 {
		parts := make([]string, len(s.now.dash))
		for i, d := range s.now.dash {
			parts[i] = coordinate(float64(d))
		}
		fmt.Fprintf(&s.body, ` stroke-dasharray="%s"`, strings.Join(parts, " "))
	}
	fmt.Fprintf(&s.body, ` d="%s"/>`, s.data(path))
}

// Fill fills an area.
func (s *sheet) Fill(path vg.Path) {
	fmt.Fprintf(&s.body, `<path class="f-%s" d="%s"/>`, s.ink(), s.data(path))
}

// ink is the name of the ink; what is none of the page's is text.
func (s *sheet) ink() ink {
	if i, ours := s.now.colour.(ink); ours {
		return i
	}
	return inkText
}

func (s *sheet) data(path vg.Path) string {
	var b strings.Builder
	for i := range path {
		switch p := &path[i]; p.Type {
		case vg.MoveComp:
			fmt.Fprintf(&b, "M%s", s.point(p.Pos.X, p.Pos.Y))
		case vg.LineComp:
			fmt.Fprintf(&b, "L%s", s.point(p.Pos.X, p.Pos.Y))
		case vg.ArcComp: // only whole circles: glyphs
			r := coordinate(float64(p.Radius))
			left, right := s.point(p.Pos.X-p.Radius, p.Pos.Y), s.point(p.Pos.X+p.Radius, p.Pos.Y)
			fmt.Fprintf(&b, "M%[1]sA%[3]s,%[3]s 0 1 1 %[2]sA%[3]s,%[3]s 0 1 1 %[1]s", left, right, r)
		case vg.CloseComp:
			b.WriteByte('Z')
		default:
			s.failed = errDrawing
		}
	}
	return b.String()
}

func (s *sheet) point(x, y vg.Length) string {
	t := &s.now
	return coordinate(t.a*float64(x)+t.c*float64(y)+t.e) + "," + coordinate(t.b*float64(x)+t.d*float64(y)+t.f)
}

// coordinate is a number with two digits behind the point, which the eye does not tell apart; so no platform's last
// digit shows.
func coordinate(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "0"
	}
	s := strconv.FormatFloat(v, 'f', 2, 64)
	s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	if s == "-0" || s == "" {
		return "0"
	}
	return s
}

// FillString is not used: letters writes texts.
func (s *sheet) FillString(font.Face, vg.Point, string) { s.failed = errDrawing }

// DrawImage is not used.
func (s *sheet) DrawImage(vg.Rectangle, image.Image) { s.failed = errDrawing }

// letters writes texts on a sheet. How wide they are depends on the font that the reader has: they are anchored, and
// measured on the wide side.
type letters struct{ sheet *sheet }

// Cache is not used.
func (letters) Cache() *font.Cache { return nil }

// Extents are those of letters.
func (letters) Extents(font.Font) font.Extents {
	return font.Extents{Ascent: ascent, Descent: descent, Height: ascent + descent}
}

// Lines is the text: it has one.
func (letters) Lines(txt string) []string { return []string{txt} }

// Box is how much room a text takes.
func (letters) Box(txt string, _ font.Font) (width, height, depth vg.Length) {
	return vg.Length(wide(txt)), ascent, descent
}

// wide is how wide a text is at most in common fonts: Chinese letters are squares.
func wide(txt string) (width float64) {
	for _, r := range txt {
		switch {
		case r >= 0x1100:
			width += letter
		case unicode.IsUpper(r), r == '%', r == '&', r == '<', r == '>', r == '_':
			width += letter * .78
		default:
			width += letter * .65
		}
	}
	return width
}

// Draw writes a text. Its alignment becomes an anchor.
func (h letters) Draw(_ vg.Canvas, txt string, sty text.Style, pt vg.Point) {
	if txt == "" {
		return
	}
	s := h.sheet
	s.now.colour = sty.Color
	anchor := "start"
	switch sty.XAlign {
	case text.XCenter:
		anchor = "middle"
	case text.XRight:
		anchor = "end"
	case text.XLeft:
	}
	at := s.point(pt.X, pt.Y+vg.Length(sty.YAlign)*(ascent+descent)) // gonum adds the descent itself
	x, y, _ := strings.Cut(at, ",")
	fmt.Fprintf(&s.body, `<text class="f-%s" x="%s" y="%s" text-anchor="%s">%s</text>`, s.ink(), x, y, anchor, html.EscapeString(txt))
}
