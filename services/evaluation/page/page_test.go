package page_test

import (
	"bytes"
	"math"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/services/evaluation/page"
)

// hostile is what a log may hold where a name is expected.
const hostile = `</svg><script>alert(1)</script>"'&\u202e 大众`

func pageOf(charts ...page.Chart) *page.Page {
	return &page.Page{
		Title: hostile, About: []page.Fact{{Name: hostile, Value: hostile}},
		Conclusion: page.Conclusion{Tone: page.Bad, Headline: hostile, Points: []page.Point{{Tone: page.Unsure, Text: hostile}}},
		Sections: []page.Section{{
			ID: "one", Title: hostile, Lead: hostile, Tone: page.Good, Tiles: []page.Tile{{Name: hostile, Value: hostile, Under: hostile}},
			Blocks: []page.Block{
				{Heading: hostile, Table: &page.Table{Caption: hostile, Head: []string{hostile, "n"}, Numbers: []bool{false, true}, Rows: []page.Row{{Tone: page.Bad, Cells: []string{hostile, "1"}}}, Note: hostile}},
				{Charts: charts},
			},
		}},
		Footer: []string{hostile},
	}
}

func written(t interface{ Fatal(args ...any) }, p *page.Page) string {
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// charts draw some of everything, with values that are none among them.
func charts(values ...float64) []page.Chart {
	at := func(i int) float64 { return values[i%len(values)] }
	w := page.Words{Title: hostile, Says: hostile}
	return []page.Chart{
		&page.Intervals{Words: w, Reference: at(0), Rows: []page.Interval{
			{Label: hostile, Value: at(0), Low: at(1), High: at(2)}, {Label: "b", Value: at(3), Low: math.NaN(), High: at(1), Tone: page.Unsure},
		}},
		&page.Bars{Words: w, Rows: []page.Bar{{Label: hostile, Value: at(0), Behind: hostile}, {Label: "b", Value: at(1), Tone: page.Bad}}},
		&page.Curve{Words: w, Log: true, Marks: []page.Mark{{X: 1, Y: at(0), Low: at(1), High: at(2)}, {X: at(2), Y: at(3), Low: at(0), High: at(1)}, {X: 100, Y: at(1)}}},
		&page.Curve{Words: w, Diagonal: true, Marks: []page.Mark{{X: at(0), Y: at(1)}}},
		&page.Cloud{Words: w, Marks: []page.Mark{{Label: hostile, X: at(0), Y: at(1)}, {Label: hostile, X: at(0), Y: at(1)}, {Label: "c", X: at(2), Y: at(3)}}},
		&page.Intervals{Words: w, Reference: math.NaN()}, &page.Bars{Words: w}, &page.Curve{Words: w}, &page.Curve{Words: w, Log: true}, &page.Cloud{Words: w},
	}
}

func TestNothingOfALogBecomesMarkup(t *testing.T) {
	text := written(t, pageOf(charts(.1, .2, .3, .4)...))
	if strings.Contains(text, "<script") || strings.Contains(text, "alert(1)</") && strings.Contains(text, "<script>") {
		t.Error("a name of the log became a script")
	}
	if n := strings.Count(text, "<svg"); n != 10 || strings.Count(text, "</svg>") != n {
		t.Errorf("%d drawings begin, %d end, expected 10", n, strings.Count(text, "</svg>"))
	}
	if !strings.Contains(text, "&lt;/svg&gt;&lt;script&gt;") {
		t.Error("the name itself is not shown")
	}
}

// Every drawing is named for those who do not see it, and has the page's colours, not its own.
func TestDrawingsAreNamedAndTakeThePagesColours(t *testing.T) {
	text := written(t, pageOf(charts(.1, .2, .3, .4)...))
	style, drawn, _ := strings.Cut(text, "</style>")
	if colour := regexp.MustCompile(`#[0-9a-fA-F]{3,6}\b|rgb\(|style=|font-family=`).FindString(drawn); colour != "" {
		t.Errorf("a drawing has its own %q", colour)
	}
	for _, class := range regexp.MustCompile(`class="([fs]-[a-z0-9]+)"`).FindAllStringSubmatch(drawn, -1) {
		if !strings.Contains(style, "."+class[1]+" {") {
			t.Errorf("the style does not know %s", class[1])
		}
	}
	seen := map[string]bool{}
	for _, id := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(drawn, -1) {
		if seen[id[1]] {
			t.Errorf("the id %s is there twice", id[1])
		}
		seen[id[1]] = true
	}
	for _, label := range regexp.MustCompile(`aria-labelledby="(\S+) (\S+)"`).FindAllStringSubmatch(drawn, -1) {
		if !seen[label[1]] || !seen[label[2]] {
			t.Errorf("%s names what is not there", label[0])
		}
	}
}

// Whatever the figures are, the page is written, twice the same, and within its drawings stand numbers only.
func TestAnyFiguresAreDrawn(t *testing.T) {
	value := rapid.OneOf(
		rapid.Float64(), rapid.Float64Range(-1, 1), rapid.SampledFrom([]float64{0, 1, -1, math.NaN(), math.Inf(1), math.Inf(-1), 1e300, -1e300, 5e-324, 1e12, .1 + 1e-17}),
	)
	number := regexp.MustCompile(` (?:x|y|d|viewBox|stroke-width)="([^"]*)"`)
	written(t, pageOf(charts(2e12, 2e12, 5e-324, 1)...)) // half of the least number is 0, of which there is no logarithm
	if tiny := regexp.MustCompile(`>-?\d+e-\d+<`).FindString(written(t, pageOf(charts(0, 0, 0, 0)...))); tiny != "" {
		t.Errorf("an axis of figures that are all 0 is marked %s", tiny)
	}
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(value, 4, 4).Draw(t, "values")
		text := written(t, pageOf(charts(values...)...))
		if again := written(t, pageOf(charts(values...)...)); again != text {
			t.Fatal("the same figures give another page")
		}
		for _, n := range number.FindAllStringSubmatch(text, -1) {
			if strings.ContainsAny(n[1], "Ne") {
				t.Fatalf("a drawing holds %s", n[0])
			}
		}
	})
}

// What a style says is all there is: a page that asks for a font or a picture from elsewhere would ask whoever opens it.
func TestThePageAsksForNothing(t *testing.T) {
	text := written(t, pageOf(charts(.1, .2, .3, .4)...))
	for _, banned := range []string{"http:", "https:", " src=", "url(", "@import", "<link", "<img", "href=", "@font-face"} {
		if strings.Contains(text, banned) {
			t.Errorf("the page holds %s", banned)
		}
	}
	for _, wanted := range []string{"prefers-color-scheme: dark", "@media print", `name="viewport"`, `lang="en"`, "overflow-x: auto", "size: A4"} {
		if !strings.Contains(text, wanted) {
			t.Errorf("the page lacks %s", wanted)
		}
	}
}
