package wording

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strings"

	"github.com/goccy/go-yaml"
)

//go:embed rules/*.yaml
var rulesFiles embed.FS

// The shape of rules/text_rules.yaml.
type rulesFile struct {
	Rules []ruleSource `yaml:"rules"`
}

// A text rule of the rule book: what it forbids, why, and what would be allowed.
type ruleSource struct {
	ID      string        `yaml:"id"`
	Why     string        `yaml:"why"`
	Instead string        `yaml:"instead"`
	Groups  []groupSource `yaml:"groups"`
}

// Words that are forbidden in the same way and lawful in the same contexts.
type groupSource struct {
	Name      string   `yaml:"name"`
	Terms     []string `yaml:"terms"`
	Spellings []string `yaml:"spellings"` // homophones and look-alikes, written out
	Disguised []string `yaml:"disguised"` // terms also found by sound and shape
	With      []string `yaml:"with"`      // the term counts only in a sentence with one of these
	Objects   []string `yaml:"objects"`   // lawful when one of these follows in the clause
	Subjects  []string `yaml:"subjects"`  // or when one of these stands before it in the clause
	Money     []string `yaml:"money"`     // unless one of these stands there too
	Behind    []string `yaml:"behind"`    // the term counts only within Within behind one of these
	Across    bool     `yaml:"across"`    // Then may stand in a later clause of the sentence
	Gap       []string `yaml:"gap"`       // with Then: none of these may stand between
	Pinyin    []string `yaml:"pinyin"`    // syllables separated by spaces, one entry a term of the same length
	Lawful    []string `yaml:"lawful"`    // contexts around ~ that make it no claim
	Claims    []string `yaml:"claims"`    // when given, only these contexts are claims
	Within    int      `yaml:"within"`    // with Then: at most so many characters between
	Then      []string `yaml:"then"`      // the term counts only when one of these follows
	Near      []string `yaml:"near"`      // lawful when the sentence also has one of these
	Proof     bool     `yaml:"proof"`     // lawful beside a named source and a date
	Instead   string   `yaml:"instead"`   // instead of the rule's
}

// The shape of rules/context.yaml: how negation, reports of unlawful claims and
// performance are put into words.
type contextSource struct {
	Variants map[string]string `yaml:"variants"`
	Split    map[string]string `yaml:"split"`

	Negators   []string `yaml:"negators"`
	Aversions  []string `yaml:"aversions"`
	Rhetorical []string `yaml:"rhetorical"`
	Doubts     []string `yaml:"doubts"`
	NotOnly    []string `yaml:"not_only"`
	Open       []string `yaml:"open_questions"`
	Predicates []string `yaml:"question_predicates"`
	Drives     []string `yaml:"question_drives"`
	Assents    []string `yaml:"question_assents"`

	Quantifiers []string `yaml:"quantifiers"`

	Fillers    []string `yaml:"fillers"`
	Denials    []string `yaml:"denials"`
	DenialStop []string `yaml:"denial_stop"`

	Reported reportedSource    `yaml:"reported"`
	Record   performanceSource `yaml:"performance"`
}

type reportedSource struct {
	Alone    []string `yaml:"alone"`
	Copulas  []string `yaml:"copulas"`
	Dated    []string `yaml:"dated"`
	Verdicts []string `yaml:"verdicts"`
	Turned   []string `yaml:"turned"`
	Openers  []string `yaml:"openers"`
	Disowned []string `yaml:"disowned"`
	Warnings []string `yaml:"warnings"`
	Resumed  []string `yaml:"resumed"`

	Sanctions []string `yaml:"sanctions"`
	Suffered  []string `yaml:"suffered"`

	Condemned  []string `yaml:"condemned"`
	Unequal    []string `yaml:"unequal"`
	Topics     []string `yaml:"topics"`
	Past       []string `yaml:"past"`
	Others     []string `yaml:"others"`
	Conditions []string `yaml:"conditions"`
	Reactions  []string `yaml:"reactions"`

	Penalties []string `yaml:"penalties"`
	Wishes    []string `yaml:"wishes"`
	Refusals  []string `yaml:"refusals"`
	Answers   []string `yaml:"answers"`
	Sources   []string `yaml:"sources"`
}

type performanceSource struct {
	Returns    []string `yaml:"returns"`
	Others     []string `yaml:"others"`
	NotPast    []string `yaml:"not_past"`
	Prefixes   []string `yaml:"window_prefixes"`
	Between    []string `yaml:"window_fillers"`
	Since      []string `yaml:"since"`
	Multiples  []string `yaml:"multiples"`
	Counts     []string `yaml:"counts"`
	Defines    []string `yaml:"defines"`
	Drawdown   []string `yaml:"drawdown"`
	Volatility []string `yaml:"volatility"`
	Benchmark  []string `yaml:"benchmark"`
	MoneyFunds []string `yaml:"money_funds"`
	Past       []string `yaml:"past"`
	Future     []string `yaml:"future"`
	Foreseen   []string `yaml:"foreseen"`
	Market     []string `yaml:"market"`
	Product    []string `yaml:"product"`

	Records recordsSource `yaml:"records"`
}

// The words of ranks, managers' records, simulated plans and pension products.
type recordsSource struct {
	Ranks      []string `yaml:"ranks"`
	Ratings    []string `yaml:"ratings"`
	NotRanks   []string `yaml:"not_ranks"`
	Evaluators []string `yaml:"evaluators"`
	Unnamed    []string `yaml:"unnamed"`
	Classes    []string `yaml:"classes"`
	Managers   []string `yaml:"managers"`
	Titles     []string `yaml:"titles"`
	Manages    []string `yaml:"manages"`
	Surnames   []string `yaml:"surnames"`
	Coverage   []string `yaml:"coverage"`
	Pensions   []string `yaml:"pensions"`
	Outcomes   []string `yaml:"outcomes"`
	Yields     []string `yaml:"yields"`
	Costs      []string `yaml:"costs"`
	Indices    []string `yaml:"indices"`
	Formulas   []string `yaml:"formulas"`
	Sources    []string `yaml:"sources"`
}

// A group, ready to judge a hit.
type group struct {
	rule, why, instead string
	lawful, claims     []around
	then, near         phrases
	with, gap, behind  phrases
	objects, money     phrases
	subjects           phrases
	reach              boundary // how far Then may stand
	within             int
	proof              bool
}

// A context around a word: what stands before and after it. End means that the
// clause ends after it.
type around struct {
	before, after []rune
	end           bool
}

// A word that the automaton looks for.
type term struct {
	group  int32
	pinyin bool // must not run into other Latin letters
}

// NewLinter compiles the built-in text rules. It fails only when the rule data are
// broken, and then says where.
func NewLinter() (*Linter, error) { return newLinter(rulesFiles) }

func newLinter(files fs.FS) (*Linter, error) {
	var source rulesFile
	var ctx contextSource
	hash := sha256.New()
	var sounds disguiseSource
	for name, into := range map[string]any{
		"rules/text_rules.yaml": &source, "rules/context.yaml": &ctx, "rules/disguises.yaml": &sounds,
	} {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("wording: %w", err)
		}
		if err := yaml.UnmarshalWithOptions(text, into, yaml.Strict()); err != nil {
			return nil, fmt.Errorf("wording: %s: %w", name, err)
		}
	}
	fold, err := newFolding(ctx.Variants, ctx.Split)
	if err != nil {
		return nil, fmt.Errorf("wording: rules/context.yaml: %w", err)
	}
	for _, name := range []string{"rules/context.yaml", "rules/disguises.yaml", "rules/text_rules.yaml"} {
		text, _ := fs.ReadFile(files, name) // read above
		hash.Write(text)
	}
	l := &Linter{fold: fold, version: hex.EncodeToString(hash.Sum(nil))}
	if err := l.addRules(source.Rules, &sounds); err != nil {
		return nil, fmt.Errorf("wording: rules/text_rules.yaml: %w", err)
	}
	ctx.Fillers = append(ctx.Fillers, listed(source.Rules)...)
	l.context = newContext(fold, &ctx)
	l.performance, err = newPerformance(fold, &ctx.Record, l.context, l.statements)
	if err != nil {
		return nil, fmt.Errorf("wording: rules/context.yaml: %w", err)
	}
	return l, nil
}

// listed are the forbidden words that stand in lists, so that one negation rules all of
// them: 不涉及任何赠品、返现和抽奖.
func listed(rules []ruleSource) []string {
	var out []string
	for i := range rules {
		for k := range rules[i].Groups {
			if g := &rules[i].Groups[k]; len(g.Pinyin) > 0 && len(g.Then) == 0 && len(g.Claims) == 0 {
				out = append(out, g.Terms...)
			}
		}
	}
	return out
}

// addRules compiles the rules into groups, terms and the automaton.
func (l *Linter) addRules(rules []ruleSource, sounds *disguiseSource) error {
	l.statements = map[string]statement{}
	var disguised []disguisedWord
	var words [][]rune
	for i := range rules {
		r := &rules[i]
		if r.ID == "" || r.Why == "" || r.Instead == "" {
			return fmt.Errorf("rule %d (%q): id, why and instead are needed", i+1, r.ID)
		}
		if _, twice := l.statements[r.ID]; twice {
			return fmt.Errorf("rule %s stands twice", r.ID)
		}
		l.statements[r.ID] = statement{why: r.Why, instead: r.Instead}
		for k := range r.Groups {
			more, err := l.addGroup(r, &r.Groups[k], &disguised)
			if err != nil {
				return fmt.Errorf("rule %s, group %q: %w", r.ID, r.Groups[k].Name, err)
			}
			words = append(words, more...)
		}
	}
	l.words = newAutomaton(words)
	var err error
	l.disguise, err = newDisguise(l.fold, sounds, disguised)
	return err
}

// addGroup appends one group and its terms and returns the words to look for.
func (l *Linter) addGroup(r *ruleSource, s *groupSource, disguised *[]disguisedWord) ([][]rune, error) {
	g := group{
		rule: r.ID, why: r.Why, instead: r.Instead, proof: s.Proof,
		then: l.fold.list(s.Then), near: l.fold.list(s.Near), within: s.Within,
		with: l.fold.list(s.With), gap: l.fold.list(s.Gap), behind: l.fold.list(s.Behind), reach: clause,
		objects: l.fold.list(s.Objects), money: l.fold.list(s.Money), subjects: l.fold.list(s.Subjects),
	}
	if s.Across {
		g.reach = sentence
	}
	if s.Instead != "" {
		g.instead = s.Instead
	}
	var err error
	if g.lawful, err = l.arounds(s.Lawful); err != nil {
		return nil, err
	}
	if g.claims, err = l.arounds(s.Claims); err != nil {
		return nil, err
	}
	index := int32(len(l.groups))
	for _, w := range s.Disguised {
		*disguised = append(*disguised, disguisedWord{group: index, word: l.fold.word(w)})
	}
	l.groups = append(l.groups, g)
	var words [][]rune
	for _, w := range append(append([]string(nil), s.Terms...), s.Spellings...) {
		if word := l.fold.word(w); len(word) >= 2 {
			words = append(words, word)
			l.terms = append(l.terms, term{group: index})
			continue
		}
		return nil, fmt.Errorf("term %q is shorter than two characters", w)
	}
	mixed, err := l.spelled(s)
	if err != nil {
		return nil, err
	}
	for range mixed {
		l.terms = append(l.terms, term{group: index, pinyin: true})
	}
	return append(words, mixed...), nil
}

// spelled writes the terms in pinyin, wholly and in every mixture with the
// characters, with and without tone digits.
func (l *Linter) spelled(s *groupSource) ([][]rune, error) {
	var out [][]rune
	for i, p := range s.Pinyin {
		if i >= len(s.Terms) {
			return nil, fmt.Errorf("pinyin %q: there is no term %d", p, i+1)
		}
		syllables, characters := strings.Fields(p), []rune(s.Terms[i])
		for _, syllable := range syllables {
			l.fold.syllables[syllable] = struct{}{}
		}
		if len(syllables) != len(characters) {
			return nil, fmt.Errorf("pinyin %q does not spell %q", p, s.Terms[i])
		}
		for mask := 1; mask < 1<<len(characters); mask++ {
			var b strings.Builder
			for k, c := range characters {
				if mask>>k&1 == 1 {
					b.WriteString(syllables[k])
				} else {
					b.WriteRune(c)
				}
			}
			out = append(out, l.fold.word(b.String()))
		}
	}
	return out, nil
}

// arounds compiles contexts: text around one ~, with $ for the end of the clause.
func (l *Linter) arounds(contexts []string) ([]around, error) {
	out := make([]around, 0, len(contexts))
	for _, c := range contexts {
		before, after, ok := strings.Cut(c, "~")
		if !ok || before+after == "" || strings.Contains(after, "~") {
			return nil, fmt.Errorf("context %q: want text around one ~", c)
		}
		rest, end := strings.CutSuffix(after, "$")
		out = append(out, around{before: l.fold.word(before), after: l.fold.word(rest), end: end})
	}
	return out, nil
}
