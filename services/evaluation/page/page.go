// Package page shows an evaluation to people: one HTML file with its style and its drawings in it, nothing from
// elsewhere and no script, light and dark, on a wide screen, on a telephone and on paper. It knows nothing of what it
// shows: a Page says what stands where, and the same Page gives the same bytes.
package page

import (
	_ "embed"
	"html/template"
	"io"
	"strings"
)

//go:embed page.html
var pageText string

// Page is a report from top to bottom. Its texts are plain: they are escaped here.
type Page struct {
	Title      string
	About      []Fact // what was looked at: rows, days, hash
	Conclusion Conclusion
	Sections   []Section
	Footer     []string
}

// Tone is how a text is meant. It is shown by a word or a sign as well as by a colour.
type Tone uint8

// The tones.
const (
	Plain  Tone = iota
	Good        // it is as it must be
	Bad         // it must not be so
	Unsure      // it cannot be said
)

// Fact is a name and what stands behind it.
type Fact struct{ Name, Value string }

// Conclusion is what is said first.
type Conclusion struct {
	Tone     Tone
	Headline string
	Points   []Point
}

// Point is a sentence.
type Point struct {
	Tone Tone
	Text string
}

// Section answers one question.
type Section struct {
	ID     string // lower-case letters
	Title  string
	Lead   string // the answer in a sentence
	Tone   Tone
	Tiles  []Tile
	Blocks []Block
}

// Tile is a figure to be seen from afar.
type Tile struct {
	Tone               Tone
	Name, Value, Under string
}

// Block is a part of a section. What is set of it is shown in the order of the fields.
type Block struct {
	Heading string // a part of its own begins
	Points  []Point
	Table   *Table
	Charts  []Chart // beside each other where there is room
}

// Table is scrolled in a box of its own where it is too wide.
type Table struct {
	Caption string
	Head    []string
	Numbers []bool // which columns hold numbers, set to the right
	Rows    []Row
	Note    string
}

// Row is a row of a table; the first cell names it.
type Row struct {
	Tone  Tone
	Cells []string
}

// Chart is a drawing with a text for those who do not see it.
type Chart interface {
	words() (title, says string)
	draw(*sheet) error
}

// Write writes the page.
func (p *Page) Write(w io.Writer) error {
	drawn := &drawer{}
	t, err := template.New("page").Funcs(template.FuncMap{
		"tone": Tone.class, "sign": Tone.sign, "draw": drawn.draw,
		"caption": func(c Chart) string { title, _ := c.words(); return title },
		"number":  func(t *Table, column int) bool { return column < len(t.Numbers) && t.Numbers[column] },
	}).Parse(pageText)
	if err != nil {
		return err
	}
	return t.Execute(w, p)
}

func (t Tone) class() string {
	return [...]string{"plain", "good", "bad", "unsure"}[min(t, Unsure)]
}

func (t Tone) sign() string {
	return [...]string{"", "OK", "Stop", "Not known"}[min(t, Unsure)]
}

// drawer draws the charts of a page, and numbers them.
type drawer struct{ charts int }

func (d *drawer) draw(c Chart) (template.HTML, error) {
	d.charts++
	var b strings.Builder
	if err := writeSVG(&b, c, d.charts); err != nil {
		return "", err
	}
	return template.HTML(b.String()), nil //nolint:gosec // numbers and names of this package; texts are escaped in writeSVG
}
