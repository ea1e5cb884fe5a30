package eligibility

import (
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/strictyaml"
)

// MaxPackBytes is the size of the largest rule pack that is read.
const MaxPackBytes = 64 << 10

const (
	maxRules = 256
	maxText  = 800 // bytes of a citation, name or version
)

// ErrPack is wrapped by every error about a rule pack.
var ErrPack = errors.New("rule pack refused")

// PackError says where a rule pack is wrong. It wraps ErrPack.
type PackError struct {
	Place    string // rules[3] S04 parameters.class_months.EQUITY
	Value    string
	Expected string
}

// Error names place, value and what was expected.
func (e *PackError) Error() string {
	return fmt.Sprintf("%v: %s: %s, expected %s", ErrPack, e.Place, e.Value, e.Expected)
}

// Unwrap returns ErrPack.
func (e *PackError) Unwrap() error { return ErrPack }

func refuse(place string, value any, expected string, args ...any) error {
	v := fmt.Sprintf("%v", value)
	if s, ok := value.(string); ok {
		v = fmt.Sprintf("%q", s)
	}
	if len(v) > 120 {
		v = v[:120] + "..."
	}
	return &PackError{Place: place, Value: v, Expected: fmt.Sprintf(expected, args...)}
}

//go:embed default.yaml
var defaultPack []byte

// Default returns the YAML of the built-in rule pack.
func Default() []byte { return slices.Clone(defaultPack) }

// Pack is a published set of rules. It never changes.
type Pack struct {
	Version string
	Name    string
	Rules   []Rule // in the file's order
}

// Rule is one entry of a pack: what a rule is set to in [From, Until).
type Rule struct {
	ID         RuleID
	Book       Book         // BothBooks: of every product
	From       fund.Instant // 0: since ever
	Until      fund.Instant // fund.Forever: open
	Enabled    bool
	Outcomes   Outcomes // all None for a switch, which other code reads
	Parameters []Parameter
	Citation   string
	SourceMark int // 1 read in the text, 2 read in a report, 3 known and not checked

	setting setting
	forms   []form // beside Parameters
}

// Parameter is one value that a bank may set, as text for people.
type Parameter struct{ Name, Value string }

type packFile struct {
	Version string     `yaml:"version"`
	Name    string     `yaml:"name"`
	Rules   []ruleFile `yaml:"rules"`
}

type ruleFile struct {
	ID            string            `yaml:"id"`
	Book          string            `yaml:"book"`
	EffectiveFrom string            `yaml:"effective_from"`
	EffectiveTo   string            `yaml:"effective_to"`
	Enabled       *bool             `yaml:"enabled"`
	Parameters    map[string]any    `yaml:"parameters"`
	Outcome       map[string]string `yaml:"outcome"`
	Citation      string            `yaml:"citation"`
	SourceMark    int               `yaml:"source_mark"`
}

// ParsePack reads a rule pack strictly: an unknown key or rule, a missing citation or
// parameter, a value out of bounds, an outcome weaker than the rulebook's, overlapping
// periods, and a legal rule that is missing, disabled or not in force at every instant
// are errors. Every error is a *PackError that wraps ErrPack.
func ParsePack(b []byte) (*Pack, error) {
	p, err := parsePack(b, false)
	if err != nil {
		return nil, err
	}
	for i := range rulebook {
		if err := p.checkComplete(&rulebook[i]); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// ParseRecorded reads a pack that was in force once, for replay: as ParsePack does, but
// a legal rule that this program has come to know since may be missing. An old decision
// is judged by the pack of its time. It must not be used for new answers.
func ParseRecorded(b []byte) (*Pack, error) { return parsePack(b, true) }

func parsePack(b []byte, recorded bool) (*Pack, error) {
	var file packFile
	if err := decodePack(b, &file); err != nil {
		return nil, err
	}
	for _, f := range [2]struct{ name, value string }{{"version", file.Version}, {"name", file.Name}} {
		if f.value == "" || len(f.value) > maxText {
			return nil, refuse(f.name, f.value, "a text of 1 to %d bytes", maxText)
		}
	}
	if len(file.Rules) > maxRules {
		return nil, refuse("rules", len(file.Rules), "at most %d entries", maxRules)
	}
	p := &Pack{Version: file.Version, Name: file.Name, Rules: make([]Rule, len(file.Rules))}
	for i := range file.Rules {
		r, err := readRule(fmt.Sprintf("rules[%d] %s", i, file.Rules[i].ID), &file.Rules[i], recorded)
		if err != nil {
			return nil, err
		}
		p.Rules[i] = r
	}
	for i := range rulebook {
		if err := p.checkPeriods(&rulebook[i]); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// decodePack reads the YAML.
func decodePack(b []byte, file *packFile) error {
	form := strictyaml.Form{
		Limits: strictyaml.Limits{Bytes: MaxPackBytes, Line: 1024, Depth: 8, Marks: 64},
		Keys:   "{version, name, rules: [{id, book, effective_from, effective_to, enabled, parameters, outcome, citation, source_mark}]}",
		Refuse: func(place, value, expected string) error { return refuse(place, value, "%s", expected) },
	}
	return form.Decode(b, file)
}

func readRule(place string, f *ruleFile, recorded bool) (Rule, error) {
	spec := specOf(RuleID(f.ID))
	switch {
	case spec == nil:
		return Rule{}, refuse(place+" id", f.ID, "a rule of this program")
	case f.Citation == "" || len(f.Citation) > maxText:
		return Rule{}, refuse(place+" citation", f.Citation, "the source, 1 to %d bytes", maxText)
	case f.SourceMark < 1 || f.SourceMark > 3:
		return Rule{}, refuse(place+" source_mark", f.SourceMark, "1, 2 or 3")
	case f.Enabled == nil:
		return Rule{}, refuse(place+" enabled", "nothing", "true or false")
	case spec.mandatory && !*f.Enabled:
		return Rule{}, refuse(place+" enabled", false, "true: the rule is law")
	}
	book, ok := parseBook(f.Book)
	switch {
	case !ok:
		return Rule{}, refuse(place+" book", f.Book, "CSRC, NFRA, or nothing for both")
	case book != BothBooks && spec.bankwide:
		return Rule{}, refuse(place+" book", f.Book, "nothing: the rule is about the customer or the bank, not about one kind of product")
	}
	r := Rule{ID: spec.id, Book: book, Enabled: *f.Enabled, Citation: f.Citation, SourceMark: f.SourceMark}
	var err error
	if r.From, r.Until, err = readPeriod(place, f); err != nil {
		return Rule{}, err
	}
	if r.Outcomes, err = readOutcomes(place+" outcome", f.Outcome, spec); err != nil {
		return Rule{}, err
	}
	in := reader{place: place + " parameters", values: f.Parameters, recorded: recorded}
	r.setting = spec.read(&in)
	r.Parameters, err = in.done()
	r.forms = in.forms
	return r, err
}

func readPeriod(place string, f *ruleFile) (from, until fund.Instant, err error) {
	if from, err = readInstant(f.EffectiveFrom); err != nil {
		return 0, 0, refuse(place+" effective_from", f.EffectiveFrom, "a date or an RFC 3339 time, or nothing")
	}
	if until, err = readInstant(f.EffectiveTo); err != nil {
		return 0, 0, refuse(place+" effective_to", f.EffectiveTo, "a date or an RFC 3339 time, or nothing")
	}
	if until == 0 {
		until = fund.Forever
	}
	if from >= until {
		return 0, 0, refuse(place+" effective_to", f.EffectiveTo, "a time after effective_from")
	}
	return from, until, nil
}

// readInstant reads a day, which means its 00:00 in Asia/Shanghai, or a time.
func readInstant(s string) (fund.Instant, error) {
	if d, err := fund.ParseDate(s); err == nil {
		return d.Start(), nil
	}
	return fund.ParseInstant(s)
}

func readOutcomes(place string, given map[string]string, spec *ruleSpec) (Outcomes, error) {
	var out Outcomes
	if spec.isSwitch() {
		if len(given) > 0 {
			return out, refuse(place, len(given), "nothing: other code reads this rule")
		}
		return out, nil
	}
	for s := range situations {
		name, ok := given[s.String()]
		if !ok {
			return out, refuse(place+"."+s.String(), "nothing", "an outcome")
		}
		o, ok := parseOutcome(name)
		if !ok {
			return out, refuse(place+"."+s.String(), name, "NONE AUDIT TASK DISCLOSE STEP CONFIRM REVIEW HIDE or BLOCK")
		}
		if o < spec.floor[s] {
			return out, refuse(place+"."+s.String(), name, "%s or stronger", spec.floor[s])
		}
		out[s] = o
	}
	if len(given) > int(situations) {
		return out, refuse(place, len(given), "recommendation, firm_order and customer_order and no other key")
	}
	return out, nil
}

func parseOutcome(s string) (Outcome, bool) {
	for o := None; o < outcomes; o++ {
		if o.String() == s {
			return o, true
		}
	}
	return None, false
}

// entries returns those of one rule in a book, by beginning: the book's own, and those of
// both books.
func (p *Pack) entries(id RuleID, book Book) (own, both []*Rule) {
	for i := range p.Rules {
		switch r := &p.Rules[i]; {
		case r.ID != id:
		case r.Book == BothBooks:
			both = append(both, r)
		case r.Book == book:
			own = append(own, r)
		}
	}
	byBeginning := func(a, b *Rule) int { return cmp.Compare(a.From, b.From) }
	slices.SortStableFunc(own, byBeginning)
	slices.SortStableFunc(both, byBeginning)
	return own, both
}

// checkPeriods: entries of one rule and book do not overlap. Those of one book stand before
// those of both.
func (p *Pack) checkPeriods(spec *ruleSpec) error {
	for book := range Books {
		own, both := p.entries(spec.id, book)
		for _, entries := range [2][]*Rule{own, both} {
			covered := fund.Instant(0)
			for i, r := range entries {
				if i > 0 && r.From < covered {
					return refuse("rules "+string(spec.id)+" effective_from", r.From.String(), "entries with disjoint periods")
				}
				covered = r.Until
			}
		}
	}
	return nil
}

// checkComplete: the entries of a legal rule leave no instant since it is law uncovered,
// in any book.
func (p *Pack) checkComplete(spec *ruleSpec) error {
	if !spec.mandatory {
		return nil
	}
	place := "rules " + string(spec.id)
	for book := range Books {
		own, both := p.entries(spec.id, book)
		entries := slices.Concat(own, both)
		slices.SortStableFunc(entries, func(a, b *Rule) int { return cmp.Compare(a.From, b.From) })
		covered := spec.since.Start()
		for _, r := range entries {
			if r.From > covered {
				return refuse(place+" effective_from", r.From.String(), "no gap before it in the book %s: the rule is law", book)
			}
			covered = max(covered, r.Until)
		}
		if covered != fund.Forever {
			return refuse(place, fmt.Sprintf("in force until %q", covered), "entries of the book %s that cover all time: the rule is law", book)
		}
	}
	return nil
}

// Boundaries returns the instants at which a rule begins or ends, in order, each once.
func (p *Pack) Boundaries() []fund.Instant {
	var at []fund.Instant
	for i := range p.Rules {
		if from := p.Rules[i].From; from != 0 {
			at = append(at, from)
		}
		if until := p.Rules[i].Until; until != fund.Forever {
			at = append(at, until)
		}
	}
	slices.Sort(at)
	return slices.Compact(at)
}
