package page

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Words are a chart's heading and what it shows, for those who do not see it.
type Words struct{ Title, Says string }

func (w Words) words() (title, says string) { return w.Title, w.Says }

// Interval is a value with its interval. What is not finite is not drawn.
type Interval struct {
	Label            string
	Value, Low, High float64
	Tone             Tone
}

// Intervals draws values with their intervals below each other.
type Intervals struct {
	Words
	Rows      []Interval
	Reference float64 // drawn as a line through all of them; NaN: none
}

// Bar is a bar's label, length and what is written behind it.
type Bar struct {
	Label  string
	Value  float64
	Behind string
	Tone   Tone
}

// Bars draws lengths below each other.
type Bars struct {
	Words
	Rows []Bar
}

// Mark is a point of a curve or of a cloud.
type Mark struct {
	Label     string
	X, Y      float64
	Low, High float64 // of Y; NaN: none
}

// Curve joins points from the left to the right, within the band of their intervals.
type Curve struct {
	Words
	Marks    []Mark
	Log      bool // X grows by factors
	Diagonal bool // with the line on which X is Y
}

// Cloud draws points with their labels.
type Cloud struct {
	Words
	Marks []Mark
}

const (
	maxDrawn = 1e12 // a value beyond is no figure that anyone reads off a drawing
	maxLabel = 22   // letters of a label
)

func drawable(values ...float64) bool {
	return !slices.ContainsFunc(values, func(v float64) bool { return math.IsNaN(v) || math.Abs(v) > maxDrawn })
}

// clipped keeps a label within its room.
func clipped(label string) string {
	width := 0
	for i, r := range label {
		width++
		if r >= 0x1100 {
			width++
		}
		if width > maxLabel {
			return label[:i] + "…"
		}
	}
	return label
}

func (t Tone) ink() ink {
	return [...]ink{inkFirst, inkGood, inkBad, inkMuted}[min(t, Unsure)]
}

// nominal names the rows of a drawing, the first on top.
func nominal(p *plot.Plot, labels []string) {
	ticks := make([]plot.Tick, len(labels))
	for i, l := range labels {
		ticks[i] = plot.Tick{Value: float64(len(labels) - 1 - i), Label: clipped(l)}
	}
	p.Y.Tick.Marker = plot.ConstantTicks(ticks)
	p.Y.Width, p.Y.Tick.Width = 0, 0
	p.Y.Min, p.Y.Max = -.6, float64(len(labels))-.4
}

const rowHeight = 24

// height of a drawing with so many rows.
func height(rows int) float64 { return float64(rowHeight*rows) + 40 }

func (c *Intervals) draw(s *sheet) error {
	s.resize(height(len(c.Rows)))
	p := s.newPlot()
	labels := make([]string, len(c.Rows))
	for i, r := range c.Rows {
		labels[i] = r.Label
		if !drawable(r.Value) {
			continue
		}
		y := float64(len(c.Rows) - 1 - i)
		if drawable(r.Low, r.High) {
			bar, err := plotter.NewLine(plotter.XYs{{X: r.Low, Y: y}, {X: r.High, Y: y}})
			if err != nil {
				return err
			}
			bar.Color, bar.Width = r.Tone.ink(), 2.5
			p.Add(bar)
		}
		dot, err := newDots(r.Tone.ink(), plotter.XY{X: r.Value, Y: y})
		if err != nil {
			return err
		}
		p.Add(dot)
	}
	p.X.Tick.Marker = fewTicks{}
	if drawable(c.Reference) {
		p.X.Min, p.X.Max = min(p.X.Min, c.Reference), max(p.X.Max, c.Reference)
		p.Add(upright{at: c.Reference})
	}
	nominal(p, labels)
	widen(&p.X)
	s.plot(p)
	return nil
}

func newDots(i ink, at ...plotter.XY) (*plotter.Scatter, error) {
	dots, err := plotter.NewScatter(plotter.XYs(at))
	if err != nil {
		return nil, err
	}
	dots.GlyphStyle = draw.GlyphStyle{Color: i, Radius: 4, Shape: draw.CircleGlyph{}}
	return dots, nil
}

// upright is a broken line from the bottom to the top.
type upright struct{ at float64 }

// Plot draws it.
func (u upright) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	c.StrokeLine2(draw.LineStyle{Color: inkMuted, Width: 1, Dashes: []vg.Length{4, 3}}, x(u.at), c.Min.Y, x(u.at), c.Max.Y)
}

// widen gives an axis room at both ends, and a range where it has none.
func widen(a *plot.Axis) {
	if math.IsInf(a.Min, 0) || math.IsInf(a.Max, 0) {
		a.Min, a.Max = 0, 1
	}
	room := .04 * (a.Max - a.Min)
	switch {
	case a.Min == 0 && a.Max == 0:
		room = .1 // of nothing no size follows: one that is read easily
	case room == 0:
		room = max(math.Abs(a.Max)*.1, 1e-9)
	}
	a.Min, a.Max = a.Min-room, a.Max+room
}

// fewTicks marks an axis at about four round values.
type fewTicks struct{}

// Ticks are the round values between.
func (fewTicks) Ticks(low, high float64) []plot.Tick {
	step := math.Pow(10, math.Floor(math.Log10((high-low)/4)))
	for _, f := range [...]float64{1, 2, 5, 10} {
		if (high-low)/(step*f) <= 5 {
			step *= f
			break
		}
	}
	var ticks []plot.Tick
	for i := math.Ceil(low / step); i*step <= high && len(ticks) < 10; i++ {
		ticks = append(ticks, plot.Tick{Value: i * step, Label: tickLabel(i*step, step)})
	}
	return ticks
}

// tickLabel writes a value with as many digits as tell ticks apart.
func tickLabel(v, step float64) string {
	if math.Abs(v) >= 1e6 || step < 1e-5 {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	digits := max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
	s := strconv.FormatFloat(v, 'f', digits, 64)
	if strings.Trim(s, "-0.") == "" {
		return strings.TrimPrefix(s, "-")
	}
	return s
}

func (c *Bars) draw(s *sheet) error { //nolint:unparam // as of every Chart
	s.resize(float64(rowHeight*len(c.Rows)) + 8)
	p := s.newPlot()
	p.HideX()
	labels, most := make([]string, len(c.Rows)), 0.
	room := 0. // for what is written behind
	for i, r := range c.Rows {
		labels[i] = r.Label
		room = max(room, wide(r.Behind))
		if drawable(r.Value) {
			most = max(most, r.Value)
		}
	}
	if most == 0 {
		most = 1
	}
	nominal(p, labels)
	for i, r := range c.Rows {
		length := 0.
		if drawable(r.Value) {
			length = max(0, r.Value)
		}
		p.Add(bar{length: length, y: float64(len(c.Rows) - 1 - i), behind: r.Behind, ink: r.Tone.ink(), style: p.Y.Tick.Label})
	}
	left := 0.
	for _, l := range labels {
		left = max(left, wide(clipped(l)))
	}
	inner := max(40, s.width-left-room-20)
	p.X.Min, p.X.Max = 0, most*(inner+room+6)/inner
	s.plot(p)
	return nil
}

// bar is one bar and what is written behind it.
type bar struct {
	length, y float64
	behind    string
	ink       ink
	style     text.Style
}

// Plot draws it.
func (b bar) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	const half = 8
	begin, end, at := x(0), x(b.length), y(b.y)
	c.FillPolygon(b.ink, []vg.Point{{X: begin, Y: at - half}, {X: end, Y: at - half}, {X: end, Y: at + half}, {X: begin, Y: at + half}})
	b.style.XAlign, b.style.YAlign = text.XLeft, text.YCenter
	c.FillText(b.style, vg.Point{X: end + 5, Y: at + descent}, b.behind)
}

const plotHeight = 260

func (c *Curve) draw(s *sheet) error {
	s.resize(plotHeight)
	p := s.newPlot()
	marks := slices.DeleteFunc(slices.Clone(c.Marks), func(m Mark) bool {
		return !drawable(m.X, m.Y) || c.Log && m.X < 1/maxDrawn
	})
	if c.Diagonal {
		line, err := plotter.NewLine(plotter.XYs{{X: 0, Y: 0}, {X: 1, Y: 1}})
		if err != nil {
			return err
		}
		line.Color, line.Dashes = inkMuted, []vg.Length{4, 3}
		p.Add(line)
	}
	if err := c.addMarks(p, marks); err != nil {
		return err
	}
	p.X.Tick.Marker, p.Y.Tick.Marker = fewTicks{}, fewTicks{}
	widen(&p.Y)
	if c.Log && len(marks) > 0 {
		ticks := make([]plot.Tick, len(marks))
		for i, m := range marks {
			ticks[i] = plot.Tick{Value: m.X, Label: strconv.FormatFloat(m.X, 'g', 4, 64)}
		}
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.ConstantTicks(ticks)
		if p.X.Min == p.X.Max {
			p.X.Min, p.X.Max = p.X.Min/2, p.X.Max*2
		}
	} else {
		widen(&p.X)
	}
	s.plot(p)
	return nil
}

// addMarks adds the band, the line and the points.
func (c *Curve) addMarks(p *plot.Plot, marks []Mark) error {
	if len(marks) == 0 {
		return nil
	}
	var line, above, below plotter.XYs
	for _, m := range marks {
		line = append(line, plotter.XY{X: m.X, Y: m.Y})
		if drawable(m.Low, m.High) {
			above, below = append(above, plotter.XY{X: m.X, Y: m.High}), append(below, plotter.XY{X: m.X, Y: m.Low})
		}
	}
	if len(above) > 1 {
		slices.Reverse(below)
		band, err := plotter.NewPolygon(append(above, below...))
		if err != nil {
			return err
		}
		band.Color, band.Width = inkBand, 0
		p.Add(band)
	}
	joined, err := plotter.NewLine(line)
	if err != nil {
		return err
	}
	joined.Color, joined.Width = inkFirst, 1.5
	dots, err := newDots(inkFirst, line...)
	if err != nil {
		return err
	}
	dots.Radius = 3
	p.Add(joined, dots)
	return nil
}

func (c *Cloud) draw(s *sheet) error {
	s.resize(plotHeight)
	p := s.newPlot()
	p.X.Tick.Marker, p.Y.Tick.Marker = fewTicks{}, fewTicks{}
	for _, m := range c.Marks {
		if !drawable(m.X, m.Y) {
			continue
		}
		dot, err := newDots(inkFirst, plotter.XY{X: m.X, Y: m.Y})
		if err != nil {
			return err
		}
		p.Add(dot)
	}
	widen(&p.X)
	widen(&p.Y)
	names := &names{style: p.Y.Tick.Label}
	for _, m := range c.Marks {
		if drawable(m.X, m.Y) {
			names.marks = append(names.marks, m)
		}
	}
	p.Add(names)
	s.plot(p)
	return nil
}

// names are labels beside points, each on the side where there is room. One that would cover another is left out: whoever
// draws a cloud has a table beside it.
type names struct {
	marks []Mark
	style text.Style
}

// Plot writes them.
func (n *names) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	var taken []vg.Rectangle
	for _, m := range n.marks {
		label := clipped(m.Label)
		width := vg.Length(wide(label))
		for _, right := range [...]bool{true, false} {
			style := n.style
			style.XAlign, style.YAlign = text.XLeft, text.YCenter
			at := vg.Point{X: x(m.X) + 7, Y: y(m.Y)}
			box := vg.Rectangle{Min: vg.Point{X: at.X, Y: at.Y - 7}, Max: vg.Point{X: at.X + width, Y: at.Y + 7}}
			if !right {
				style.XAlign, at.X = text.XRight, x(m.X)-7
				box.Min.X, box.Max.X = at.X-width, at.X
			}
			if box.Max.X > c.Max.X || box.Min.X < c.Min.X || slices.ContainsFunc(taken, func(o vg.Rectangle) bool { return meet(o, box) }) {
				continue
			}
			c.FillText(style, at.Add(vg.Point{Y: descent}), label)
			taken = append(taken, box)
			break
		}
	}
}

// meet says whether two boxes cover a place in common.
func meet(a, b vg.Rectangle) bool {
	return a.Min.X < b.Max.X && b.Min.X < a.Max.X && a.Min.Y < b.Max.Y && b.Min.Y < a.Max.Y
}
