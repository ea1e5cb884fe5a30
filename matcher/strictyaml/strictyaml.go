// Package strictyaml reads YAML that comes from outside: models, rule packs, experiments,
// catalogues. A text is bounded before it is parsed, is one document of plain values, and
// says nothing that its reader does not know. Readers bring their bounds and their errors.
package strictyaml

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Limits bound a text before it is parsed. The parser takes quadratic time, and worse, over
// long lines and deep nesting: over some texts of 64 KiB it takes minutes. All are inclusive.
type Limits struct {
	Bytes int // of the text
	Line  int // bytes of a line, its end included
	Depth int // brackets open at once, wherever they stand
	Marks int // of YAML's own characters in a line: - ? : ! & * | >
}

// Form is one kind of text: how large it may be, what it says and how it is refused.
type Form struct {
	Limits Limits
	// Keys is told, as what was expected, to who wrote another key or type: {name, version}.
	// Empty: the value has to tell it.
	Keys string
	// Several lets a text have several documents, of which the first is read, or none, which
	// changes nothing of what is decoded into. It is for kinds of text that were read so when
	// they were recorded. Otherwise a text is exactly one document.
	Several bool
	// Refuse makes the error of a text that is refused. The place is Whole or "line 12";
	// the value is what stands there and may be of any length.
	Refuse func(place, value, expected string) error
}

// Whole is the place of what is wrong with a text as a whole, or whose value says line and
// column itself.
const Whole = "document"

// Document is a parsed text.
type Document struct {
	form *Form
	body ast.Node // nil: empty, where the form allows it
}

// Decode reads a text into a pointer, as Parse and Document.Decode do.
func (f *Form) Decode(data []byte, into any) error {
	d, err := f.Parse(data)
	if err != nil {
		return err
	}
	return d.Decode(into)
}

// Parse checks and parses a text. Anchors, aliases and merge keys are refused: a few lines
// of them unfold to gigabytes. So are tags: one without a value panics in the decoder. Every
// error is one that f.Refuse made.
func (f *Form) Parse(data []byte) (*Document, error) {
	if len(data) > f.Limits.Bytes {
		return nil, f.Refuse(Whole, fmt.Sprintf("%d bytes", len(data)), fmt.Sprintf("at most %d bytes", f.Limits.Bytes))
	}
	if err := f.checkShape(data); err != nil {
		return nil, err
	}
	tree, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, f.Refuse(Whole, message(err), "YAML")
	}
	one := len(tree.Docs) == 1 && tree.Docs[0].Body != nil
	if !one && !f.Several {
		return nil, f.Refuse(Whole, "empty, or several documents", "one document of YAML")
	}
	refs := references{}
	for _, doc := range tree.Docs {
		if doc.Body != nil {
			ast.Walk(&refs, doc.Body)
		}
	}
	if refs.found {
		return nil, f.Refuse(Whole, "an anchor, alias or tag", "plain values")
	}
	d := &Document{form: f}
	if len(tree.Docs) > 0 {
		d.body = tree.Docs[0].Body
	}
	return d, nil
}

// Decode reads the document into a pointer to what its keys are declared in. An unknown key,
// a key that stands twice and a value of another type are refused, as Form.Refuse does.
func (d *Document) Decode(into any) error {
	if d.body == nil {
		return nil
	}
	if err := yaml.NodeToValue(d.body, into, yaml.Strict()); err != nil {
		return d.form.Refuse(Whole, message(err), d.form.Keys)
	}
	return nil
}

// places are what Line finds: over others, such as one of an open bracket, the library panics.
var places = regexp.MustCompile(`^[\w-]+(\[\d{1,9}\])*(\.[\w-]+(\[\d{1,9}\])*)*$`)

// The kinds of documents that readers tell apart.
const (
	Mapping = "mapping" // keys and values
	Nothing = "nothing" // of a form that allows it
)

// Kind returns what the document is as a whole, in small letters: Mapping, Nothing, or such
// as sequence, string, integer, null.
func (d *Document) Kind() string {
	if d.body == nil {
		return Nothing
	}
	switch t := d.body.Type(); t {
	case ast.MappingType, ast.MappingValueType:
		return Mapping
	default:
		return strings.ToLower(t.String())
	}
}

// Line returns the line, from 1, of the value at a place such as views[2].max_age, or of the
// innermost value that it should stand in; false: there is none.
func (d *Document) Line(place string) (int, bool) {
	if d.body == nil || !places.MatchString(place) {
		return 0, false
	}
	for place != "" {
		if path, err := yaml.PathString("$." + place); err == nil {
			if node, err := path.FilterNode(d.body); err == nil && node != nil && node.GetToken() != nil {
				return node.GetToken().Position.Line, true
			}
		}
		place = place[:max(strings.LastIndexByte(place, '.'), 0)]
	}
	return 0, false
}

// checkShape refuses long lines, deep nesting and rows of marks.
func (f *Form) checkShape(data []byte) error {
	number, depth := 0, 0
	for line := range bytes.Lines(data) {
		number++
		if len(line) > f.Limits.Line {
			return f.Refuse(fmt.Sprintf("line %d", number), fmt.Sprintf("%d bytes", len(line)), fmt.Sprintf("at most %d bytes", f.Limits.Line))
		}
		marks := 0
		for _, c := range line {
			switch c {
			case '[', '{':
				depth++
			case ']', '}':
				depth--
			case '-', '?', ':', '!', '&', '*', '|', '>':
				marks++
			}
			if depth > f.Limits.Depth || marks > f.Limits.Marks {
				return f.Refuse(fmt.Sprintf("line %d", number), fmt.Sprintf("%d open brackets, %d marks", depth, marks),
					fmt.Sprintf("at most %d and %d", f.Limits.Depth, f.Limits.Marks))
			}
		}
	}
	return nil
}

// message is what the library says, line and column before it, without its drawing of the
// place.
func message(err error) string {
	line, _, _ := strings.Cut(yaml.FormatError(err, false, false), "\n")
	return line
}

type references struct{ found bool }

// Visit looks for anchors, aliases, merge keys and tags.
func (r *references) Visit(n ast.Node) ast.Visitor {
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode, *ast.TagNode:
		r.found = true
	}
	return r
}
