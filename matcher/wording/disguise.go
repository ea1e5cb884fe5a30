package wording

import (
	"fmt"
	"math/bits"
)

// A disguise finds the forbidden words in characters of the same sound or of a
// similar shape. Every character of every word is one bit of a state that is shifted
// along the text (shift-and with classes of characters: Baeza-Yates and Gonnet, A new
// approach to text searching, CACM 35(10), 1992), so that a text costs the same
// whatever it is made of.
type disguise struct {
	class  []uint8 // basic plane -> row of masks; 0 is in no word
	masks  []stateBits
	first  stateBits // bits where a word starts
	last   stateBits // bits where a word ends
	words  []disguisedWord
	ending [stateWidth]int32 // bit where a word ends -> its index

	before, after, sales phrases
	ordinary             map[rune][][]rune // by first character
	longest              int               // of the ordinary words
}

type disguisedWord struct {
	group int32
	word  []rune
}

const stateWidth = 192

type stateBits [stateWidth / 64]uint64

func (s *stateBits) set(bit int) { s[bit/64] |= 1 << (bit % 64) }

// disguiseSource is the shape of rules/disguises.yaml.
type disguiseSource struct {
	Sounds   map[string]string `yaml:"sounds"`
	Shapes   map[string]string `yaml:"shapes"`
	Before   []string          `yaml:"before"`
	After    []string          `yaml:"after"`
	Sales    []string          `yaml:"sales"`
	Ordinary []string          `yaml:"ordinary"`
}

func newDisguise(f *folding, s *disguiseSource, words []disguisedWord) (*disguise, error) {
	d := &disguise{
		class: make([]uint8, basicPlane), masks: make([]stateBits, 1), words: words,
		before: f.list(s.Before), after: f.list(s.After), sales: f.list(s.Sales), ordinary: map[rune][][]rune{},
	}
	for _, w := range f.list(s.Ordinary).list {
		d.ordinary[w[0]] = append(d.ordinary[w[0]], w)
		d.longest = max(d.longest, len(w))
	}
	perRune := map[rune]*stateBits{}
	bit := 0
	for i, w := range words {
		if bit+len(w.word) > stateWidth {
			return nil, fmt.Errorf("the disguised words have more than %d characters", stateWidth)
		}
		d.first.set(bit)
		for _, r := range w.word {
			for like := range alike(f, s, r) {
				if perRune[like] == nil {
					perRune[like] = &stateBits{}
				}
				perRune[like].set(bit)
			}
			bit++
		}
		d.last.set(bit - 1)
		d.ending[bit-1] = int32(i)
	}
	if err := d.addMasks(perRune); err != nil {
		return nil, err
	}
	return d, nil
}

// alike returns the characters that may stand for r, itself among them.
func alike(f *folding, s *disguiseSource, r rune) map[rune]struct{} {
	out := map[rune]struct{}{r: {}}
	for _, group := range s.Sounds {
		folded := f.word(group)
		for _, c := range folded {
			if c != r {
				continue
			}
			for _, same := range folded {
				out[same] = struct{}{}
			}
			break
		}
	}
	for whole, group := range s.Shapes {
		if w := f.word(whole); len(w) == 1 && w[0] == r {
			for _, c := range f.word(group) {
				out[c] = struct{}{}
			}
		}
	}
	return out
}

// addMasks gives equal masks one row.
func (d *disguise) addMasks(perRune map[rune]*stateBits) error {
	rows := map[stateBits]uint8{}
	for r, mask := range perRune {
		row, ok := rows[*mask]
		if !ok {
			if len(d.masks) > 255 {
				return fmt.Errorf("the disguised words need more than %d classes of characters", 255)
			}
			row = uint8(len(d.masks))
			rows[*mask] = row
			d.masks = append(d.masks, *mask)
		}
		d.class[r] = row
	}
	return nil
}

// scan appends the disguised words of a line, the forbidden words themselves left out.
func (d *disguise) scan(line *folded, found []candidate) []candidate {
	var state stateBits
	live := false
	for i, r := range line.runes {
		row := d.class[r]
		if row == 0 {
			if live {
				state, live = stateBits{}, false
			}
			continue
		}
		mask := &d.masks[row]
		carry := uint64(0)
		live = false
		for k := range state {
			shifted := state[k]<<1 | carry
			carry = state[k] >> 63
			state[k] = (shifted&^d.first[k] | d.first[k]) & mask[k]
			live = live || state[k] != 0
			for ends := state[k] & d.last[k]; ends != 0; ends &= ends - 1 {
				word := d.ending[k*64+bits.TrailingZeros64(ends)]
				from := i + 1 - len(d.words[word].word)
				if c, ok := d.candidate(line, word, from, i+1); ok {
					found = append(found, c)
				}
			}
		}
	}
	return found
}

// candidate reports whether [from, to) is a disguise of the word, and no chance.
func (d *disguise) candidate(line *folded, word int32, from, to int) (candidate, bool) {
	w := d.words[word].word
	changed := 0
	for k, r := range w {
		if line.runes[from+k] != r {
			changed++
		}
	}
	if changed == 0 || d.isOrdinary(line, w, from) {
		return candidate{}, false
	}
	if len(w) > 2 && changed < len(w) {
		return candidate{word: -1 - d.words[word].group, from: from, to: to}, true
	}
	framed := (line.before[from] >= clause || endsWithAny(line, from, d.before)) &&
		(line.before[to] >= clause || longestAfter(line, to, d.after) > 0)
	sold := len(line.runes) == len(w) ||
		line.has(line.startOf(from, sentenceReach, sentence), line.endOf(to, sentenceReach, sentence), d.sales)
	return candidate{word: -1 - d.words[word].group, from: from, to: to}, framed && sold
}

func endsWithAny(line *folded, i int, words phrases) bool {
	for _, w := range words.list {
		if line.endsWith(i, w) {
			return true
		}
	}
	return false
}

// isOrdinary reports whether an ordinary word runs across a character that differs
// from the forbidden word's at from.
func (d *disguise) isOrdinary(line *folded, forbidden []rune, from int) bool {
	to := from + len(forbidden)
	for i := max(0, from-d.longest+1); i < to; i++ {
		for _, w := range d.ordinary[line.runes[i]] {
			if i+len(w) > from && line.matches(i, w) && differs(line, forbidden, from, i, i+len(w)) {
				return true
			}
		}
	}
	return false
}

// differs reports whether, within [i, end), the line differs from the word at from.
func differs(line *folded, word []rune, from, i, end int) bool {
	for k := max(from, i); k < min(end, from+len(word)); k++ {
		if line.runes[k] != word[k-from] {
			return true
		}
	}
	return false
}
