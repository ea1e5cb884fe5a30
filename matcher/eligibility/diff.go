package eligibility

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Change is one difference between two packs. The differences of a list, one after
// another, tell all that the newer pack sets otherwise.
type Change struct {
	Rule RuleID // empty: of the pack as a whole
	// Book and From tell which entry of the rule: as it stands in the newer pack, or stood
	// in the older one where the newer has it no more.
	Book   Book
	From   fund.Instant
	Kind   ChangeKind
	Name   string // of a parameter, with the key of a table's cell (matrix.C3); the situation of an outcome
	Before string // as text; empty: there was none
	After  string // as text; empty: there is none
	Effect Effect
}

// ChangeKind says what of a pack differs.
type ChangeKind string

// The kinds of changes.
const (
	NameChanged      ChangeKind = "NAME"
	VersionChanged   ChangeKind = "VERSION"
	EntryAdded       ChangeKind = "ENTRY_ADDED"   // what it sets follows, without a before
	EntryRemoved     ChangeKind = "ENTRY_REMOVED" // nothing of it follows
	BookChanged      ChangeKind = "BOOK"
	FromChanged      ChangeKind = "EFFECTIVE_FROM"
	UntilChanged     ChangeKind = "EFFECTIVE_TO"
	EnabledChanged   ChangeKind = "ENABLED"
	OutcomeChanged   ChangeKind = "OUTCOME"
	ParameterChanged ChangeKind = "PARAMETER"
	CitationChanged  ChangeKind = "CITATION"
	MarkChanged      ChangeKind = "SOURCE_MARK"
)

// Effect says whether a change protects customers more or less.
type Effect string

// The effects.
const (
	Neutral  Effect = "" // or not for a program to say
	Stricter Effect = "STRICTER"
	Laxer    Effect = "LAXER"
)

// Diff says what differs between two packs, in an order of its own: the pack as a whole,
// then the rules in the rulebook's order, each entry by book and beginning. Empty: they
// set the same. The order of entries in the files sets nothing.
func Diff(before, after *Pack) []Change {
	d := differences{}
	d.text(NameChanged, before.Name, after.Name)
	d.text(VersionChanged, before.Version, after.Version)
	for i := range rulebook {
		for _, pair := range pairs(before.all(rulebook[i].id), after.all(rulebook[i].id)) {
			d.entry(pair[0], pair[1])
		}
	}
	return d.found
}

// all returns the entries of a rule by book and beginning.
func (p *Pack) all(id RuleID) []*Rule {
	var entries []*Rule
	for i := range p.Rules {
		if p.Rules[i].ID == id {
			entries = append(entries, &p.Rules[i])
		}
	}
	slices.SortStableFunc(entries, compareEntries)
	return entries
}

func compareEntries(a, b *Rule) int {
	return cmp.Or(cmp.Compare(a.Book, b.Book), cmp.Compare(a.From, b.From))
}

// pairs says which entry of a rule became which: the one of the same book and beginning;
// else the next of the same book; else the next. nil: there is none. Sorted by the newer
// entry, or the older one where there is no newer.
func pairs(before, after []*Rule) [][2]*Rule {
	var out [][2]*Rule
	pair := func(same func(a, b *Rule) bool) {
		after = slices.DeleteFunc(after, func(b *Rule) bool {
			i := slices.IndexFunc(before, func(a *Rule) bool { return same(a, b) })
			if i < 0 {
				return false
			}
			out = append(out, [2]*Rule{before[i], b})
			before = slices.Delete(before, i, i+1)
			return true
		})
	}
	pair(func(a, b *Rule) bool { return a.Book == b.Book && a.From == b.From })
	pair(func(a, b *Rule) bool { return a.Book == b.Book })
	pair(func(*Rule, *Rule) bool { return true })
	for _, a := range before {
		out = append(out, [2]*Rule{a, nil})
	}
	for _, b := range after {
		out = append(out, [2]*Rule{nil, b})
	}
	slices.SortStableFunc(out, func(a, b [2]*Rule) int { return compareEntries(newer(a), newer(b)) })
	return out
}

func newer(pair [2]*Rule) *Rule {
	if pair[1] != nil {
		return pair[1]
	}
	return pair[0]
}

// differences collects the changes of one entry after another.
type differences struct {
	found []Change
	of    Change // rule, book and beginning of the entry at hand
}

func (d *differences) add(kind ChangeKind, name, before, after string, effect Effect) {
	c := d.of
	c.Kind, c.Name, c.Before, c.After, c.Effect = kind, name, before, after, effect
	d.found = append(d.found, c)
}

func (d *differences) text(kind ChangeKind, before, after string) {
	if before != after {
		d.add(kind, "", before, after, Neutral)
	}
}

// entry compares what one entry sets. Of an added one all is said that a reader could not
// know otherwise; of a removed one nothing more.
func (d *differences) entry(before, after *Rule) {
	if after == nil {
		d.of = Change{Rule: before.ID, Book: before.Book, From: before.From}
		d.add(EntryRemoved, "", "", "", Neutral)
		return
	}
	d.of = Change{Rule: after.ID, Book: after.Book, From: after.From}
	added := before == nil
	if added {
		d.add(EntryAdded, "", "", "", Neutral)
		before = &Rule{ID: after.ID, Book: after.Book, From: after.From, Until: fund.Forever, Enabled: true}
	}
	d.text(BookChanged, before.Book.String(), after.Book.String())
	d.text(FromChanged, instantText(before.From), instantText(after.From))
	d.text(UntilChanged, instantText(before.Until), instantText(after.Until))
	if before.Enabled != after.Enabled {
		d.add(EnabledChanged, "", strconv.FormatBool(before.Enabled), strconv.FormatBool(after.Enabled), enabledEffect(after))
	}
	d.outcomes(before.Outcomes, after.Outcomes, added)
	d.parameters(before, after)
	d.text(CitationChanged, before.Citation, after.Citation)
	d.text(MarkChanged, markText(before.SourceMark), markText(after.SourceMark))
}

func enabledEffect(r *Rule) Effect {
	if r.Enabled == Describe(r.ID).Relaxes {
		return Laxer
	}
	return Stricter
}

func (d *differences) outcomes(before, after Outcomes, added bool) {
	for s := range situations {
		was := before[s].String()
		effect := effectOf(more, cmp.Compare(after[s], before[s]))
		if added {
			was, effect = "", Neutral
		}
		if before[s] != after[s] {
			d.add(OutcomeChanged, s.String(), was, after[s].String(), effect)
		}
	}
}

// parameters compares cell by cell, in the newer entry's order, then what only the older
// one has: an entry that was recorded by another program may know other parameters.
func (d *differences) parameters(before, after *Rule) {
	for i, p := range after.Parameters {
		was := before.cells(p.Name)
		for _, c := range after.forms[i].cells {
			d.cell(p.Name, c.key, valueOf(was, c.key), c.value)
		}
		for _, c := range was {
			if !slices.ContainsFunc(after.forms[i].cells, func(now cell) bool { return now.key == c.key }) {
				d.cell(p.Name, c.key, c.value, "")
			}
		}
	}
	for i, p := range before.Parameters {
		if after.cells(p.Name) != nil {
			continue
		}
		for _, c := range before.forms[i].cells {
			d.cell(p.Name, c.key, c.value, "")
		}
	}
}

func (d *differences) cell(parameter, key, before, after string) {
	if before == after {
		return
	}
	name := parameter
	if key != "" {
		name += "." + key
	}
	d.add(ParameterChanged, name, before, after, parameterEffect(DescribeParameter(d.of.Rule, parameter), before, after))
}

func parameterEffect(p ParameterDescription, before, after string) Effect {
	switch {
	case before == "" || after == "":
		return Neutral
	case p.strictly == "":
		return effectOf(p.stricter, compareValues(before, after))
	case p.strictly == after:
		return Stricter
	default:
		return Laxer
	}
}

func (r *Rule) cells(parameter string) []cell {
	for i := range r.Parameters {
		if r.Parameters[i].Name == parameter {
			return r.forms[i].cells
		}
	}
	return nil
}

func valueOf(cells []cell, key string) string {
	for _, c := range cells {
		if c.key == key {
			return c.value
		}
	}
	return ""
}

// effectOf turns a rise (1) or fall (-1) of what is stricter in a direction into an effect.
func effectOf(stricter direction, rise int) Effect {
	switch {
	case stricter == undirected || rise == 0:
		return Neutral
	case (rise > 0) == (stricter == more):
		return Stricter
	default:
		return Laxer
	}
}

// compareValues says whether a value rose (1) or fell (-1): whole numbers by size, grades
// and false before true by name, lists of words where one holds the other. 0: neither.
func compareValues(before, after string) int {
	a, errA := strconv.Atoi(before)
	b, errB := strconv.Atoi(after)
	if errA == nil && errB == nil {
		return cmp.Compare(b, a)
	}
	was, now := strings.Fields(before), strings.Fields(after)
	if len(was) == 1 && len(now) == 1 && (isGrade(before) && isGrade(after) || isBool(before) && isBool(after)) {
		return strings.Compare(after, before)
	}
	switch holdsWas, holdsNow := holds(now, was), holds(was, now); {
	case holdsWas && !holdsNow:
		return 1
	case holdsNow && !holdsWas:
		return -1
	default:
		return 0
	}
}

func isGrade(s string) bool {
	g, err := fund.ParseRiskGrade(s)
	return err == nil && g != fund.GradeUnknown
}

func isBool(s string) bool { return s == "true" || s == "false" }

// holds reports whether every word of a part is among the words.
func holds(words, part []string) bool {
	return !slices.ContainsFunc(part, func(w string) bool { return !slices.Contains(words, w) })
}

// instantText is an instant as a pack may write it: a day where it is the beginning of
// one; nothing for since ever and without end.
func instantText(t fund.Instant) string {
	switch {
	case t == 0 || t == fund.Forever:
		return ""
	case t.Date().Start() == t:
		return t.Date().String()
	default:
		return t.Time().In(time.FixedZone("", 8*60*60)).Format(time.RFC3339Nano) // Asia/Shanghai
	}
}

func markText(mark int) string {
	if mark == 0 {
		return ""
	}
	return strconv.Itoa(mark)
}
