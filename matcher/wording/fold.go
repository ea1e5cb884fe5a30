package wording

import (
	"fmt"
	"unicode"
)

// A boundary is what stands between two kept characters of a line, the strongest
// mark winning.
type boundary uint8

const (
	joined   boundary = iota // nothing, or marks without width
	loose                    // spaces, symbols, quotes, brackets, the list comma
	clause                   // comma, colon, semicolon
	sentence                 // full stop, question and exclamation mark, the ends of the line
)

// A folded line: only the characters that carry meaning, in one form (simplified,
// half width, lower case, no accents), each with its place in the original. What
// was between them is kept as a boundary, so that a word cut by stars is found
// and two words of two clauses are not taken for one.
type folded struct {
	original []rune
	runes    []rune
	at       []int32    // at[i]: offset of runes[i] in original
	before   []boundary // before[i] stands before runes[i]; one more for the end
}

// A folding maps every character to the form that patterns are written in.
type folding struct {
	plane []uint16 // basic plane: the folded character, or a mark below
}

// Folded values that are no characters. They lie in the control range, which text
// never keeps.
const (
	markDrop     uint16 = 1 // zero width: as if it were not there
	markLoose    uint16 = 2
	markClause   uint16 = 3
	markSentence uint16 = 4
	markUnknown  uint16 = 5 // a letter beyond the basic plane
)

const basicPlane = 1 << 16

// newFolding builds the table; variants maps a character to its common form.
func newFolding(variants map[string]string) (*folding, error) {
	f := &folding{plane: make([]uint16, basicPlane)}
	for r := range rune(basicPlane) {
		f.plane[r] = foldOne(r)
	}
	for common, group := range variants {
		to := []rune(common)
		if len(to) != 1 || to[0] >= basicPlane {
			return nil, fmt.Errorf("variants: %q: want one character", common)
		}
		for _, r := range group {
			if r >= basicPlane {
				return nil, fmt.Errorf("variants: %q: %q is beyond the basic plane", common, r)
			}
			f.plane[r] = f.plane[to[0]]
		}
	}
	return f, nil
}

// foldOne folds one character of the basic plane without the variants.
func foldOne(r rune) uint16 {
	switch {
	case r >= 0xFF01 && r <= 0xFF5E: // full width forms
		r -= 0xFEE0
	case r == 0x3000:
		r = ' '
	}
	switch r {
	case '。', '!', '?':
		return markSentence
	case ',', ';', ':', '；', '︰':
		return markClause
	case '%':
		return '%'
	case '‰':
		return '‰'
	}
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return markDrop
	case unicode.IsLetter(r), unicode.IsNumber(r):
		return uint16(foldLetter(unicode.ToLower(r)))
	default:
		return markLoose
	}
}

// foldLetter takes the tone off a pinyin vowel.
func foldLetter(r rune) rune {
	switch r {
	case 'ā', 'á', 'ǎ', 'à', 'а':
		return 'a'
	case 'ē', 'é', 'ě', 'è', 'ê', 'е':
		return 'e'
	case 'ī', 'í', 'ǐ', 'ì':
		return 'i'
	case 'ō', 'ó', 'ǒ', 'ò', 'о':
		return 'o'
	case 'ū', 'ú', 'ǔ', 'ù', 'ü', 'ǖ', 'ǘ', 'ǚ', 'ǜ':
		return 'u'
	case 'ń', 'ň', 'ǹ':
		return 'n'
	}
	return r
}

// of folds one character, also beyond the basic plane.
func (f *folding) of(r rune) uint16 {
	switch {
	case r < basicPlane:
		return f.plane[r]
	case r >= 0x1D7CE && r <= 0x1D7FF: // mathematical digits
		return uint16('0' + (r-0x1D7CE)%10)
	case r >= 0x1D400 && r <= 0x1D6A3: // mathematical Latin letters, alphabets of 52
		return uint16('a' + (r-0x1D400)%52%26)
	case unicode.In(r, unicode.Mn, unicode.Cf):
		return markDrop
	case unicode.IsLetter(r):
		return markUnknown
	default:
		return markLoose
	}
}

// word folds a pattern: marks are not kept.
func (f *folding) word(s string) []rune {
	out := make([]rune, 0, len(s)/2)
	for _, r := range s {
		if c := f.of(r); c > markUnknown {
			out = append(out, rune(c))
		}
	}
	return out
}

// fold reads one line into l, reusing its memory.
func (f *folding) fold(l *folded, text string) {
	l.original, l.runes = l.original[:0], l.runes[:0]
	l.at, l.before = l.at[:0], l.before[:0]
	for _, r := range text {
		l.original = append(l.original, r)
	}
	between := sentence // the start of a line is one
	for i, r := range l.original {
		c := f.of(r)
		switch {
		case c == '%' || c > markUnknown:
		case c == markUnknown:
		case c == markDrop:
			continue
		case r == '.' && digitAt(l.original, i-1) && digitAt(l.original, i+1):
			c = '.'
		default:
			between = max(between, boundary(c-markLoose)+loose)
			continue
		}
		l.runes = append(l.runes, rune(c))
		l.at = append(l.at, int32(i))
		l.before = append(l.before, between)
		between = joined
	}
	l.before = append(l.before, sentence)
}

// digitAt reports whether an ASCII or full-width digit stands at i.
func digitAt(text []rune, i int) bool {
	if i < 0 || i >= len(text) {
		return false
	}
	return isDigit(text[i]) || text[i] >= '０' && text[i] <= '９'
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

func isLatin(r rune) bool { return r >= 'a' && r <= 'z' }

// matches reports whether word stands at i, joined within its clause. It does not
// look at what stands before its first character.
func (l *folded) matches(i int, word []rune) bool {
	if i < 0 || i+len(word) > len(l.runes) {
		return false
	}
	for k, r := range word {
		if l.runes[i+k] != r || k > 0 && l.before[i+k] >= clause {
			return false
		}
	}
	return true
}

// endsWith reports whether word ends just before i, within the clause.
func (l *folded) endsWith(i int, word []rune) bool {
	return l.before[i] < clause && l.matches(i-len(word), word)
}

// startsWith reports whether word starts at i, with no clause boundary before it.
func (l *folded) startsWith(i int, word []rune) bool {
	return l.before[i] < clause && l.matches(i, word)
}

// clauseStart returns the index of the first character of the clause of i, as far
// back as a denial reaches.
func (l *folded) clauseStart(i int) int { return l.startOf(i, denialReach, clause) }

// startOf walks back from i to a boundary of at least the given strength.
func (l *folded) startOf(i, reach int, b boundary) int {
	from := max(0, i-reach)
	for i > from && l.before[i] < b {
		i--
	}
	return i
}

// endOf walks on from i, the index after a word, to the next boundary of at least
// the given strength.
func (l *folded) endOf(i, reach int, b boundary) int {
	to := min(len(l.runes), i+reach)
	for i < to && l.before[i] < b {
		i++
	}
	return i
}

// find returns the first place of any of the words in [from, to), and which one;
// -1 when there is none.
func (l *folded) find(from, to int, words [][]rune) (int, int) {
	for i := from; i < to; i++ {
		for k, w := range words {
			if i+len(w) <= to && l.runes[i] == w[0] && l.matches(i, w) {
				return i, k
			}
		}
	}
	return -1, -1
}

// has reports whether any of the words stands in [from, to).
func (l *folded) has(from, to int, words [][]rune) bool {
	i, _ := l.find(from, to, words)
	return i >= 0
}
