package wording

import (
	"fmt"
	"strings"
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
	till     []int32    // till[i]: offset behind runes[i], further than at[i]+1 where two characters became one
	before   []boundary // before[i] stands before runes[i]; one more for the end
}

// A folding maps every character to the form that patterns are written in.
type folding struct {
	plane     []uint16            // basic plane: the folded character, or a mark below
	radicals  map[[2]rune]rune    // a character split into its parts: 亻呆 is 保
	heads     []bool              // basic plane: a first part of those
	syllables map[string]struct{} // of pinyin, after which a digit is a tone: bao3
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

// newFolding builds the table; variants maps a character to its common form, split
// one to the pairs of parts that it is taken apart into.
func newFolding(variants, split map[string]string) (*folding, error) {
	f := &folding{
		plane: make([]uint16, basicPlane), radicals: map[[2]rune]rune{}, heads: make([]bool, basicPlane), syllables: map[string]struct{}{},
	}
	for r := range rune(basicPlane) {
		f.plane[r] = foldOne(r)
	}
	for i, forms := range letterForms {
		for _, r := range forms {
			f.plane[r], f.plane[unicode.ToUpper(r)] = uint16('a'+i), uint16('a'+i)
		}
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
	for whole, pairs := range split {
		for _, pair := range strings.Fields(pairs) {
			to, parts := f.word(whole), f.word(pair)
			if len(to) != 1 || len(parts) != 2 {
				return nil, fmt.Errorf("split: %q: %q is no pair of parts", whole, pair)
			}
			f.radicals[[2]rune(parts)] = to[0]
			f.heads[parts[0]] = true
		}
	}
	return f, nil
}

// foldOne folds one character of the basic plane without the variants.
func foldOne(r rune) uint16 {
	if r >= 0x4E00 && r <= 0x9FFF { // most of the plane, and nothing to fold
		return uint16(r)
	}
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
	lower := unicode.ToLower(r)
	if plain, ok := foldEnclosed(lower); ok {
		return uint16(plain)
	}
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return markDrop
	case unicode.IsLetter(r) && !unicode.In(r, unicode.Han, unicode.Latin, unicode.Greek, unicode.Cyrillic):
		return markLoose // kana and the like are ornaments here: 保ベ本
	case unicode.IsLetter(r), unicode.IsNumber(r):
		return uint16(lower)
	default:
		return markLoose
	}
}

// letterForms are, for each letter from a to z, the forms with accents, and the
// Cyrillic, Greek, phonetic and raised letters that look like it. v is written for ü.
var letterForms = [26]string{
	0: "āáǎàâäãåαаɑᴀᵃ", 'b' - 'a': "βвьʙᵇ", 'c' - 'a': "çсᴄᶜ", 'd' - 'a': "ԁᴅᵈ", 'e' - 'a': "ēéěèêëеεєᴇᵉ",
	'f' - 'a': "ƒꜰᶠ", 'g' - 'a': "ɡɢᵍ", 'h' - 'a': "һнʜʰ", 'i' - 'a': "īíǐìîïıіιɪⁱ", 'j' - 'a': "јᴊʲ",
	'k' - 'a': "κкᴋᵏ", 'l' - 'a': "ⅼӏʟˡ", 'm' - 'a': "мᴍᵐ", 'n' - 'a': "ńňǹñηпɴⁿ", 'o' - 'a': "ōóǒòôöõοоᴏᵒ",
	'p' - 'a': "ρрᴘᵖ", 'q' - 'a': "ԛ", 'r' - 'a': "гʀʳ", 's' - 'a': "ѕꜱˢ", 't' - 'a': "τтᴛᵗ",
	'u' - 'a': "ūúǔùûüǖǘǚǜvυᴜᵘν", 'w' - 'a': "ωԝᴡʷ", 'x' - 'a': "хχˣ", 'y' - 'a': "уγʏʸ", 'z' - 'a': "ᴢᶻ",
}

// foldEnclosed opens letters and digits in circles, brackets and squares, and Roman
// numerals that are one character. r is in lower case.
func foldEnclosed(r rune) (rune, bool) {
	switch {
	case r >= 0x24D0 && r <= 0x24E9: // circled letters
		return 'a' + r - 0x24D0, true
	case r >= 0x249C && r <= 0x24B5: // letters in brackets
		return 'a' + r - 0x249C, true
	case r >= 0x2170 && r <= 0x2178: // ⅰ to ⅸ
		return '1' + r - 0x2170, true
	}
	for _, nine := range [...]rune{0x2460, 0x2474, 0x2488, 0x2776, 0x2780, 0x278A, 0x24F5} {
		if r >= nine && r < nine+9 {
			return '1' + r - nine, true
		}
	}
	return r, false
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
	}
	for _, a := range [...]rune{0x1F130, 0x1F150, 0x1F170, 0x1F1E6} { // in squares, circles, black squares, flags
		if r >= a && r < a+26 {
			return uint16('a' + r - a)
		}
	}
	switch {
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
	l.at, l.till, l.before = l.at[:0], l.till[:0], l.before[:0]
	for _, r := range text {
		l.original = append(l.original, r)
	}
	between := sentence // the start of a line is one
	for i, r := range l.original {
		c := f.of(r)
		switch {
		case c == '%' || c >= markUnknown:
		case c == markDrop:
			continue
		case r == '.' && digitAt(l.original, i-1) && digitAt(l.original, i+1):
			c = '.'
		default:
			between = max(between, boundary(c-markLoose)+loose)
			continue
		}
		if between < clause && f.joins(l, i, rune(c)) {
			between = joined
			continue
		}
		l.runes = append(l.runes, rune(c))
		l.at = append(l.at, int32(i))
		l.till = append(l.till, int32(i)+1)
		l.before = append(l.before, between)
		between = joined
	}
	l.before = append(l.before, sentence)
}

// joins reports whether the character at i of the original is no character of its
// own: it is the second part of one that was taken apart, or the tone of a syllable.
// The character before it then ends behind it.
func (f *folding) joins(l *folded, i int, c rune) bool {
	last := len(l.runes) - 1
	if last < 0 {
		return false
	}
	joined := c >= '1' && c <= '5' && isLatin(l.runes[last]) && !digitAt(l.original, i+1) && f.endsSyllable(l.runes)
	if f.heads[l.runes[last]] {
		if whole, ok := f.radicals[[2]rune{l.runes[last], c}]; ok {
			l.runes[last], joined = whole, true
		}
	}
	if joined {
		l.till[last] = int32(i) + 1
	}
	return joined
}

// endsSyllable reports whether the text ends with a syllable of the forbidden words
// in Latin letters, so that a digit behind it is its tone.
func (f *folding) endsSyllable(text []rune) bool {
	const longest = 6 // zhuang
	var letters [longest]byte
	n := 0
	for n < longest && n < len(text) && isLatin(text[len(text)-1-n]) {
		n++
		letters[longest-n] = byte(text[len(text)-n])
	}
	for k := 2; k <= n; k++ {
		if _, ok := f.syllables[string(letters[longest-k:])]; ok {
			return true
		}
	}
	return false
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
