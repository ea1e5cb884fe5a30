package strictyaml_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fundmatch/fundmatch/matcher/strictyaml"
)

// errRefused is what the form of these tests refuses with.
var errRefused = errors.New("refused")

type plan struct {
	Name  string         `yaml:"name"`
	Years *int           `yaml:"years"`
	Parts []part         `yaml:"parts"`
	Table map[string]any `yaml:"table"`
}

type part struct {
	Share int   `yaml:"share"`
	Days  []int `yaml:"days"`
}

// form is that of a plan: its limits are small, so that tests stand at them.
func form() *strictyaml.Form {
	return &strictyaml.Form{
		Limits: strictyaml.Limits{Bytes: 400, Line: 60, Depth: 4, Marks: 8},
		Keys:   "{name, years, parts: [{share, days}], table}",
		Refuse: func(place, value, expected string) error {
			return fmt.Errorf("%w: %s: %s, expected %s", errRefused, place, value, expected)
		},
	}
}

const good = `# A plan
name: house
years: 5
parts:
  - share: 60
    days: [1, 2]
  - {share: 40}
table: {a: 1, b: [x, {}]}
`

func TestDecode(t *testing.T) {
	years := 5
	want := plan{
		Name: "house", Years: &years, Parts: []part{{Share: 60, Days: []int{1, 2}}, {Share: 40}},
		Table: map[string]any{"a": uint64(1), "b": []any{"x", map[string]any{}}},
	}
	var got plan
	if err := form().Decode([]byte(good), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Whatever a text must not be is refused with its place, its value and what was expected.
func TestDecodeRefuses(t *testing.T) {
	const keys = ", expected {name, years, parts: [{share, days}], table}"
	for _, c := range []struct{ name, old, new, say string }{
		{"nothing", good, "", "document: empty, or several documents, expected one document of YAML"},
		{"a comment alone", good, "# nothing\n", "document: "},
		{"a list", good, "[]\n", "document: "},
		{"several documents", "years: 5", "---\nyears: 5", "document: empty, or several documents, expected one document of YAML"},
		{"no YAML", "years: 5", "\tyears: 5", "document: [3:1] "},
		{"an unclosed bracket", "days: [1, 2]", "days: [1, 2", ", expected YAML"},
		{"an unknown key", "years: 5", "ages: 5", `document: [3:1] unknown field "ages"` + keys},
		{"an unknown key deep inside", "{share: 40}", "{shard: 40}", `document: [7:6] unknown field "shard"` + keys},
		{"a key twice", "years: 5", "years: 5\nyears: 6", `mapping key "years" already defined at [3:1]`},
		{"another type", "years: 5", "years: five", "document: [3:8] "},
		{"an anchor", "name: house", "name: &a house", "document: an anchor, alias or tag, expected plain values"},
		{"an alias", "name: house", "name: *a", "document: an anchor, alias or tag, expected plain values"},
		{"an alias of itself", "{a: 1, b: [x, {}]}", "&a [*a]", "document: an anchor, alias or tag, expected plain values"},
		{"a merge key", "years: 5", "<<: {years: 5}", "document: an anchor, alias or tag, expected plain values"},
		{"a tag", "years: 5", "years: !!int 5", "document: an anchor, alias or tag, expected plain values"},
		{"a tag without a value", "table: {a: 1, b: [x, {}]}\n", "table: !0 ", "document: an anchor, alias or tag, expected plain values"},
	} {
		t.Run(c.name, func(t *testing.T) { refuses(t, form(), c.old, c.new, c.say) })
	}
}

// The limits hold at their last value and not one past it, whatever the text says.
func TestLimits(t *testing.T) {
	for _, c := range []struct{ name, old, new, say string }{
		{"the last byte", good, good + strings.Repeat("\n", 400-len(good)), ""},
		{"a byte too many", good, good + strings.Repeat("\n", 401-len(good)), "document: 401 bytes, expected at most 400 bytes"},
		{"the longest line", "# A plan", "# " + strings.Repeat("x", 57), ""}, // and its end
		{"a line too long", "# A plan", "# " + strings.Repeat("x", 58), "line 1: 61 bytes, expected at most 60 bytes"},
		{"the deepest", "b: [x, {}]", "b: [x, [[]]]", ""},
		{"too deep", "b: [x, {}]", "b: [x, [[[]]]]", "line 8: 5 open brackets, 3 marks, expected at most 4 and 8"},
		{"too deep in a comment", "# A plan", "# [[[[[]]]]]", "line 1: 5 open brackets, 0 marks"},
		{"too deep over lines", "days: [1, 2]", "days: [\n[\n[\n[\n{", "line 10: 5 open brackets, 0 marks"},
		{"the last mark", "# A plan", "# -?:!&*|>", ""},
		{"a mark too many", "# A plan", "# -?:!&*|>>", "line 1: 0 open brackets, 9 marks, expected at most 4 and 8"},
		{"lists in lists", "  - share: 60", strings.Repeat("- ", 9) + "share: 60", "line 5: 0 open brackets, 9 marks"},
	} {
		t.Run(c.name, func(t *testing.T) { refuses(t, form(), c.old, c.new, c.say) })
	}
}

// A kind of text of which several documents were read once is read so still; what is wrong
// with a later one is not passed over.
func TestSeveral(t *testing.T) {
	several := form()
	several.Several = true
	for _, c := range []struct{ name, old, new, say string }{
		{"one document", "years: 5", "years: 6", ""},
		{"a second one", "table:", "---\nother: 1\ntable:", ""},
		{"an unknown key in the first", "years: 5", "ages: 5\n---", `unknown field "ages"`},
		{"an anchor in the second", "table:", "---\nother: &a 1\ntable:", "an anchor, alias or tag"},
		{"a tag in the second", "table:", "---\nother: !0 \ntable:", "an anchor, alias or tag"},
	} {
		t.Run(c.name, func(t *testing.T) { refuses(t, several, c.old, c.new, c.say) })
	}
	p := plan{Name: "as it was"}
	if err := several.Decode(nil, &p); err != nil || p.Name != "as it was" {
		t.Errorf("nothing: %+v, %v, expected what was there", p, err)
	}
	if err := several.Decode([]byte("name: first\n---\nname: second\n"), &p); err != nil || p.Name != "first" {
		t.Errorf("two documents: %+v, %v, expected the first", p, err)
	}
}

func TestKind(t *testing.T) {
	several := form()
	several.Several = true
	for text, want := range map[string]string{
		good: strictyaml.Mapping, "a: 1": strictyaml.Mapping, "{}": strictyaml.Mapping, "": strictyaml.Nothing,
		"[a: 1]": "sequence", "- a": "sequence", "text": "string", "7": "integer", "null": "null", "# only\n": strictyaml.Nothing,
	} {
		d, err := several.Parse([]byte(text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := d.Kind(); got != want {
			t.Errorf("%q: %s, expected %s", text, got, want)
		}
	}
}

func TestLine(t *testing.T) {
	d, err := form().Parse([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	for place, want := range map[string]int{
		"name": 2, "years": 3, "parts[0].share": 5, "parts[0].days[1]": 6, "parts[1].share": 7, "table.b": 8,
		"parts[1].days": 7, // is missing: where it should stand
		"table.c.d":     8,
		"document":      0, "": 0, "parts[": 0, "parts[0": 0, "0[0": 0, "parts[9999999999]": 0, "line 3": 0,
	} {
		got, ok := d.Line(place)
		if got != want || ok != (want > 0) {
			t.Errorf("%q: line %d, %v, expected %d", place, got, ok, want)
		}
	}
	empty := form()
	empty.Several = true
	if d, err = empty.Parse(nil); err != nil {
		t.Fatal(err)
	}
	if line, ok := d.Line("name"); ok {
		t.Errorf("line %d of nothing", line)
	}
}

// refuses reads the good text with one change; say is empty where it is to be read.
func refuses(t *testing.T, f *strictyaml.Form, old, changed, say string) {
	t.Helper()
	if !strings.Contains(good, old) {
		t.Fatalf("the good text has no %q", old)
	}
	var p plan
	err := f.Decode([]byte(strings.Replace(good, old, changed, 1)), &p)
	switch {
	case say == "" && err != nil:
		t.Errorf("error %v, expected none", err)
	case say != "" && (!errors.Is(err, errRefused) || !strings.Contains(err.Error(), say)):
		t.Errorf("error %v, expected it to say %q", err, say)
	}
}

// Whatever the bytes, nothing panics, every error is the form's, and what is read is read
// alike again. The seeds are those of the texts that are read so.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		good, "a: &a [*a]", "<<: {a: 1}", "views: [[[[[[", "\t{[:", "null", "[]",
		"rules: !0 \nweights: !0 ", // the decoder would panic, as over the next two
		"schema: fundmatch.views/v1\nviews: !0 ",
		"schema: fundmatch.experiments/v1\nn: fu none\nversion: 1\nlayers: !0 ",
		"schema: fundmatch.experiments/v1\nname: none\nversion: 1\nlayers: []\n",
		"schema: fundmatch.model/v1\nweights: [{feature: COST}]",
		"version: x\nname: y\nrules:\n  - {id: S04, parameters: {goal_classes: {CASH: [1, {}]}}}\n",
		"a: b\n---\nname: c\n",
	} {
		f.Add([]byte(seed), "parts[0].days", false)
		f.Add([]byte(seed), "name[0", true) // the library's path would panic
	}
	f.Fuzz(func(t *testing.T, data []byte, place string, several bool) {
		of := form()
		of.Limits, of.Several = strictyaml.Limits{Bytes: 4096, Line: 256, Depth: 8, Marks: 32}, several
		d, err := of.Parse(data)
		if err != nil {
			if !errors.Is(err, errRefused) {
				t.Fatalf("error %v", err)
			}
			return
		}
		if line, ok := d.Line(place); ok && line < 1 {
			t.Errorf("place %q: line %d", place, line)
		}
		var p, again plan
		if err := d.Decode(&p); err != nil {
			if !errors.Is(err, errRefused) {
				t.Fatalf("error %v", err)
			}
			return
		}
		if err := of.Decode(data, &again); err != nil {
			t.Fatalf("read once and then refused: %v", err)
		}
		if diff := cmp.Diff(fmt.Sprintf("%v", p.Parts), fmt.Sprintf("%v", again.Parts)); diff != "" || p.Name != again.Name {
			t.Errorf("read twice: %s", diff)
		}
	})
}
