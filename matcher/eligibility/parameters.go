package eligibility

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// setting is what a rule's parameters mean to an edition.
type setting interface{ install(e *Edition) }

// reader reads a rule's parameters: each must be there, be of its kind and within its
// bounds, and none may be left over. The first error is kept.
type reader struct {
	place  string
	values map[string]any
	// recorded: the pack was in force once, perhaps before some parameters were known.
	recorded bool
	read     []Parameter
	forms    []form // beside read
	err      error
}

// form is what a parameter is made of, for people who compare packs and their bounds.
type form struct {
	bounds string // of a value, or of each cell: 1-12, R1-R5, ELDER|ADULT
	cells  []cell // of a table by key, in order; one without a key of anything else
}

// cell is one value of a parameter. A word that reads as several is quoted.
type cell struct{ key, value string }

func (r *reader) fail(name string, value any, expected string, args ...any) {
	if r.err == nil {
		r.err = refuse(r.place+"."+name, value, expected, args...)
	}
}

func (r *reader) take(name string) any {
	v, ok := r.values[name]
	if !ok {
		r.fail(name, "nothing", "a value")
	}
	r.read = append(r.read, Parameter{Name: name})
	r.forms = append(r.forms, form{})
	return v
}

// note keeps a parameter's value as text.
func (r *reader) note(text string) {
	r.read[len(r.read)-1].Value = text
	r.hold("", text)
}

// hold keeps one cell of the parameter that is being read.
func (r *reader) hold(key, text string) {
	f := r.form()
	f.cells = append(f.cells, cell{key, text})
}

// form is that of the parameter that is being read.
func (r *reader) form() *form { return &r.forms[len(r.forms)-1] }

// noteWords keeps a list as text.
func (r *reader) noteWords(key string, words []string) {
	quoted := make([]string, len(words))
	for i, w := range words {
		if quoted[i] = w; strings.ContainsFunc(w, func(c rune) bool { return c == '"' || unicode.IsSpace(c) || !unicode.IsPrint(c) }) {
			quoted[i] = strconv.Quote(w)
		}
	}
	r.hold(key, strings.Join(quoted, " "))
}

// number reads a whole number from lo to hi.
func (r *reader) number(name string, lo, hi int) int {
	n := r.within(name, r.take(name), lo, hi)
	r.note(strconv.Itoa(n))
	return n
}

// added reads a whole number that packs of an earlier version of this program lack; where
// such a recorded pack lacks it, it is absent.
func (r *reader) added(name string, lo, hi, absent int) int {
	if _, ok := r.values[name]; !ok && r.recorded {
		return absent
	}
	return r.number(name, lo, hi)
}

func (r *reader) within(name string, v any, lo, hi int) int {
	r.form().bounds = strconv.Itoa(lo) + "–" + strconv.Itoa(hi)
	n := int64(lo) - 1
	switch t := v.(type) {
	case uint64:
		n = int64(min(t, uint64(hi)+1))
	case int64:
		n = t
	}
	if n < int64(lo) || n > int64(hi) {
		r.fail(name, v, "a whole number from %d to %d", lo, hi)
		return lo
	}
	return int(n)
}

// yes reads true or false.
func (r *reader) yes(name string) bool {
	v := r.take(name)
	b, ok := v.(bool)
	if !ok {
		r.fail(name, v, "true or false")
	}
	r.form().bounds = "true|false"
	r.note(strconv.FormatBool(b))
	return b
}

// word reads one of several words.
func (r *reader) word(name string, words ...string) string {
	v := r.take(name)
	s, _ := v.(string)
	if !slices.Contains(words, s) {
		r.fail(name, v, "one of %s", strings.Join(words, " "))
	}
	r.form().bounds = strings.Join(words, "|")
	r.note(s)
	return s
}

// grade reads R1 to R5.
func (r *reader) grade(name string) fund.RiskGrade {
	v := r.take(name)
	g := r.asGrade(name, v)
	r.note(g.String())
	return g
}

func (r *reader) asGrade(name string, v any) fund.RiskGrade {
	r.form().bounds = "R1–R5"
	s, _ := v.(string)
	g, err := fund.ParseRiskGrade(s)
	if err != nil || g == fund.GradeUnknown {
		r.fail(name, v, "R1 to R5")
	}
	return g
}

// date reads a day.
func (r *reader) date(name string) fund.Date {
	v := r.take(name)
	s, _ := v.(string)
	d, err := fund.ParseDate(s)
	if err != nil || d == 0 {
		r.fail(name, v, "a day, YYYY-MM-DD")
	}
	r.form().bounds = "YYYY-MM-DD"
	r.note(d.String())
	return d
}

// words reads a list of different words.
func (r *reader) words(name string, limit int) []string {
	out := r.asWords(name, r.take(name), limit)
	r.read[len(r.read)-1].Value = strings.Join(out, " ")
	r.noteWords("", out)
	return out
}

func (r *reader) asWords(name string, v any, limit int) []string {
	r.form().bounds = "1–" + strconv.Itoa(limit) + " 项"
	list, ok := v.([]any)
	if !ok || len(list) == 0 || len(list) > limit {
		r.fail(name, v, "a list of 1 to %d words", limit)
		return nil
	}
	out := make([]string, 0, len(list))
	for _, item := range list {
		s, ok := item.(string)
		if !ok || s == "" || slices.Contains(out, s) {
			r.fail(name, item, "different words")
			return nil
		}
		out = append(out, s)
	}
	return out
}

// table reads a value for every key of a fixed list, in its order.
func (r *reader) table(name string, keys []string, each func(place, key string, v any) (text string)) {
	v := r.take(name)
	m, ok := v.(map[string]any)
	if !ok {
		r.fail(name, v, "a table of %s", strings.Join(keys, " "))
		return
	}
	texts := make([]string, len(keys))
	for i, k := range keys {
		entry, ok := m[k]
		if !ok {
			r.fail(name+"."+k, "nothing", "a value")
			return
		}
		text := each(name+"."+k, k, entry)
		texts[i] = k + ": " + text
		r.hold(k, text)
	}
	for _, k := range sortedKeys(m) {
		if !slices.Contains(keys, k) {
			r.fail(name+"."+k, m[k], "only the keys %s", strings.Join(keys, " "))
		}
	}
	r.read[len(r.read)-1].Value = strings.Join(texts, ", ")
}

// done returns the parameters as text, or the first error.
func (r *reader) done() ([]Parameter, error) {
	for _, k := range sortedKeys(r.values) {
		if !slices.ContainsFunc(r.read, func(p Parameter) bool { return p.Name == k }) {
			r.fail(k, fmt.Sprint(r.values[k]), "only parameters of this rule")
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	return r.read, nil
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
