package evaluation

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
)

// ReportJSONSchema is the JSON Schema (draft 2020-12) of report.json, made from the very types that are written. It is
// published in docs/evaluation/report.schema.json.
func ReportJSONSchema() []byte {
	m := &schemaMaker{}
	root := m.object(reflect.TypeFor[Report]())
	document := append(ordered{
		{"$schema", "https://json-schema.org/draft/2020-12/schema"},
		{"$id", "urn:fundmatch:evaluation-report:v1"},
		{"title", ReportSchema},
	}, root...)
	var compact, out bytes.Buffer
	document.write(&compact)
	_ = json.Indent(&out, compact.Bytes(), "", "  ") // compact is JSON: write made it
	out.WriteByte('\n')
	return out.Bytes()
}

// member is a name and its value: a string, a list of strings, a bool, an ordered.
type member struct {
	name  string
	value any
}

// ordered is an object whose members keep their order.
type ordered []member

func (o ordered) write(b *bytes.Buffer) {
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		name, _ := json.Marshal(m.name) // a string
		b.Write(name)
		b.WriteByte(':')
		if object, is := m.value.(ordered); is {
			object.write(b)
			continue
		}
		value, _ := json.Marshal(m.value) // strings and bools
		b.Write(value)
	}
	b.WriteByte('}')
}

// schemaMaker turns types into schemas.
type schemaMaker struct{}

// of is the schema of a type; null is whether the value may be null.
func (m *schemaMaker) of(t reflect.Type, null bool) ordered {
	kind := func(name string) ordered {
		if null {
			return ordered{{"type", []string{name, "null"}}}
		}
		return ordered{{"type", name}}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return m.of(t.Elem(), true)
	case reflect.Struct:
		return append(kind("object"), m.object(t)[1:]...)
	case reflect.Slice, reflect.Array:
		out := append(kind("array"), member{"items", m.of(t.Elem(), false)})
		if t.Kind() == reflect.Array {
			out = append(out, member{"minItems", t.Len()}, member{"maxItems", t.Len()})
		}
		return out
	case reflect.String:
		return kind("string")
	case reflect.Bool:
		return kind("boolean")
	case reflect.Float32, reflect.Float64:
		null = null || t.Implements(reflect.TypeFor[json.Marshaler]()) // a number that is written as null where it is none
		return kind("number")
	default:
		return kind("integer")
	}
}

// object is the schema of a struct: its fields and no others.
func (m *schemaMaker) object(t reflect.Type) ordered {
	properties, required := ordered{}, []string{}
	m.fields(t, &properties, &required)
	return ordered{{"type", "object"}, {"properties", properties}, {"required", required}, {"additionalProperties", false}}
}

func (m *schemaMaker) fields(t reflect.Type, properties *ordered, required *[]string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" {
			embedded := f.Type
			if embedded.Kind() == reflect.Pointer {
				embedded = embedded.Elem()
			}
			m.fields(embedded, properties, required)
			continue
		}
		if !f.IsExported() || name == "-" {
			continue
		}
		schema := m.of(f.Type, false)
		if says := f.Tag.Get("says"); says != "" {
			schema = append(ordered{{"description", says}}, schema...)
		}
		*properties = append(*properties, member{name, schema})
		if !strings.Contains(options, "omitempty") {
			*required = append(*required, name)
		}
	}
}
