package wording

import (
	"cmp"
	"slices"
	"strings"
)

// A TextKind says what the text is, since a rule may ask more of one kind.
type TextKind uint8

const (
	// SalesText is text for a customer, judged a line at a time.
	SalesText TextKind = iota
	// ProductTemplate is a template about a product: beside a return it must also
	// show the benchmark (W03).
	ProductTemplate
)

// A Finding is a place where text breaks a text rule.
type Finding struct {
	Rule string // W01-W10, S06, C09
	Line int    // from 1
	// Start and End count characters within the line: [Start, End).
	Start, End int
	Text       string // the words as they stand in the line
	Why        string // zh-CN
	Instead    string // zh-CN: what would be allowed
}

// A Linter checks text against the text rules. It is immutable.
type Linter struct {
	fold        *folding
	groups      []group
	terms       []term // beside the words of the automaton
	words       *automaton
	disguise    *disguise
	statements  map[string]statement
	context     *context
	performance *performance
	version     string
}

type statement struct{ why, instead string }

// Version is the hash of the rule data, for the record of a decision.
func (l *Linter) Version() string { return l.version }

// Lint returns what is unlawful in the text, in the order of the text: by line,
// start, and rule. The same text gives the same findings. Bytes that are not UTF-8
// count as one character each and match nothing.
func (l *Linter) Lint(text string, kind TextKind) []Finding {
	return l.LintRules(text, kind, AllRules())
}

// LintRules is Lint with only the rules that are enabled: what a rule pack has
// switched off is not reported and changes nothing else.
func (l *Linter) LintRules(text string, kind TextKind, enabled RuleSet) []Finding {
	var out []Finding
	var line folded
	var hits []hit
	var scratch []candidate
	for number := 1; ; number++ {
		raw, rest, more := strings.Cut(text, "\n")
		l.fold.fold(&line, strings.TrimSuffix(raw, "\r"))
		hits = l.lintLine(&line, kind, hits[:0], &scratch)
		for _, h := range hits {
			if enabled.Has(h.rule) {
				out = append(out, finding(&line, number, h))
			}
		}
		if !more {
			return out
		}
		text = rest
	}
}

// A hit is a finding before it is put into words: characters [from, to) of the
// folded line.
type hit struct {
	rule, why, instead string
	from, to           int
}

func finding(line *folded, number int, h hit) Finding {
	start, end := int(line.at[h.from]), int(line.till[h.to-1])
	return Finding{
		Rule: h.rule, Line: number, Start: start, End: end,
		Text: string(line.original[start:end]), Why: h.why, Instead: h.instead,
	}
}

// lintLine appends the hits of one line, ordered, and of several that overlap
// under one rule only the first and longest.
func (l *Linter) lintLine(line *folded, kind TextKind, hits []hit, scratch *[]candidate) []hit {
	if len(line.runes) == 0 {
		return hits
	}
	for _, c := range l.candidates(line, scratch) {
		t := l.term(c)
		g := &l.groups[t.group]
		if to, ok := l.judge(line, g, t, c.from, c.to); ok {
			hits = append(hits, hit{rule: g.rule, why: g.why, instead: g.instead, from: c.from, to: to})
		}
	}
	hits = l.performance.check(line, kind, hits)
	slices.SortStableFunc(hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to), strings.Compare(a.rule, b.rule))
	})
	return withoutOverlaps(hits)
}

// A candidate is a forbidden word, found but not yet judged. A word below 0 is a
// disguise of one of the group -1-word.
type candidate struct {
	word     int32
	from, to int
}

// term returns what the candidate was found by.
func (l *Linter) term(c candidate) term {
	if c.word < 0 {
		return term{group: -1 - c.word}
	}
	return l.terms[c.word]
}

// candidates finds the forbidden words of a line. One that lies within a longer one
// of its group is left out: 稳赚不赔 is judged as a whole.
func (l *Linter) candidates(line *folded, scratch *[]candidate) []candidate {
	found := (*scratch)[:0]
	l.words.scan(line.runes, func(word int32, from, to int) {
		found = append(found, candidate{word: word, from: from, to: to})
	})
	found = l.disguise.scan(line, found)
	*scratch = found
	slices.SortFunc(found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to), cmp.Compare(a.word, b.word))
	})
	kept := found[:0]
	for _, c := range found {
		inside := false
		for i := len(kept) - 1; i >= 0 && i >= len(kept)-8; i-- {
			inside = inside || kept[i].to >= c.to && l.term(kept[i]).group == l.term(c).group
		}
		if !inside {
			kept = append(kept, c)
		}
	}
	return kept
}

// withoutOverlaps keeps, of hits that overlap under one rule, the first.
func withoutOverlaps(hits []hit) []hit {
	kept := hits[:0]
	for _, h := range hits {
		covered := false
		for i := len(kept) - 1; i >= 0 && i >= len(kept)-8; i-- {
			covered = covered || kept[i].rule == h.rule && kept[i].to > h.from
		}
		if !covered {
			kept = append(kept, h)
		}
	}
	return kept
}

// judge decides whether a word that was found is an unlawful claim, and where the
// claim ends.
func (l *Linter) judge(line *folded, g *group, t term, from, to int) (int, bool) {
	if !line.oneWord(from, to) || t.pinyin && !line.standsAlone(from, to) {
		return to, false
	}
	if isDigit(line.runes[from]) && from > 0 && isNumeric(line.runes[from-1]) {
		return to, false // 10风险 is not 0风险
	}
	if line.anyAround(g.lawful, from, to) || len(g.claims) > 0 && !line.anyAround(g.claims, from, to) {
		return to, false
	}
	end, whole := g.completed(line, from, to)
	if !whole || g.aboutOther(line, from, to) {
		return to, false
	}
	start, stop := line.startOf(from, sentenceReach, sentence), line.endOf(to, sentenceReach, sentence)
	lawful := line.has(start, stop, g.near) || l.context.lawful(line, from, to) ||
		g.proof && l.context.proven(line, from, to)
	return end, !lawful
}

// completed reports whether all that the group asks for beside the word stands there,
// and where the claim then ends.
func (g *group) completed(line *folded, from, to int) (int, bool) {
	end := to
	if !g.then.none() {
		at, k := line.find(to, line.endOf(to, g.within+8, g.reach), g.then)
		if at < 0 || at-to > g.within || line.has(to, at, g.gap) {
			return to, false
		}
		end = at + len(g.then.list[k])
	}
	if !g.behind.none() && !line.has(max(line.clauseStart(from), from-g.within), from, g.behind) {
		return to, false
	}
	if g.with.none() {
		return end, true
	}
	return end, line.has(line.startOf(from, sentenceReach, sentence), line.endOf(to, sentenceReach, sentence), g.with)
}

// aboutOther reports whether the word has an object or a subject that is no claim:
// 承诺保护隐私 promises no return, 客户信息安全有保障 is about data.
func (g *group) aboutOther(line *folded, from, to int) bool {
	rest, start := line.endOf(to, objectReach, clause), line.clauseStart(from)
	return (line.has(to, rest, g.objects) || line.has(start, from, g.subjects)) && !line.has(start, rest, g.money)
}

// sentenceReach bounds how far a sentence is read around a word, so that one line
// without marks costs no more than many.
const sentenceReach = 48

// objectReach is how far behind a word its object stands.
const objectReach = 24

// oneWord reports whether [from, to) is one word and not the end of one clause and
// the start of the next. A word cut by commas everywhere is a disguise: 保，本，基金.
func (l *folded) oneWord(from, to int) bool {
	cut, whole := 0, 0
	for i := from + 1; i < to; i++ {
		if l.before[i] >= clause {
			cut++
		} else {
			whole++
		}
	}
	switch {
	case cut == 0:
		return true
	case whole > 0:
		return false
	default:
		return to-from > 2 || l.before[from] > joined && l.before[to] > joined
	}
}

// standsAlone reports whether pinyin at [from, to) is no part of another word in Latin
// letters. It may run on in pinyin: wenzhuanbupei.
func (l *folded) standsAlone(from, to int) bool {
	start, end := from, to
	if isLatin(l.runes[from]) {
		for start > 0 && from-start < pinyinReach && isLatin(l.runes[start-1]) && l.before[start] == joined {
			start--
		}
	}
	if isLatin(l.runes[to-1]) {
		for end < len(l.runes) && end-to < pinyinReach && isLatin(l.runes[end]) && l.before[end] == joined {
			end++
		}
	}
	return inSyllables(l.runes[start:from]) && inSyllables(l.runes[to:end])
}

// isNumeric reports whether r continues a number or a code that ends in digits.
func isNumeric(r rune) bool { return isDigit(r) || r == '.' || isLatin(r) }

// anyAround reports whether one of the contexts stands around [from, to).
func (l *folded) anyAround(contexts []around, from, to int) bool {
	for i := range contexts {
		c := &contexts[i]
		if len(c.before) > 0 && !l.endsWith(from, c.before) {
			continue
		}
		if len(c.after) > 0 && !l.startsWith(to, c.after) {
			continue
		}
		if c.end && l.before[to+len(c.after)] < clause {
			continue
		}
		return true
	}
	return false
}
