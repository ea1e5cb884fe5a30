package wording

// Phrases are words to be looked for at a place of a line. Most places begin none of
// them: one bit per first character, folded to 1024, says so without a comparison.
type phrases struct {
	list  [][]rune
	first *[16]uint64
}

// list folds words, empty ones left out.
func (f *folding) list(words []string) phrases {
	out := phrases{first: new([16]uint64)}
	for _, w := range words {
		if word := f.word(w); len(word) > 0 {
			out.list = append(out.list, word)
			out.first[word[0]>>6&15] |= 1 << (word[0] & 63)
		}
	}
	return out
}

// none reports whether there is nothing to look for.
func (p phrases) none() bool { return len(p.list) == 0 }

// begin reports whether a phrase may begin with r.
func (p phrases) begin(r rune) bool { return p.first[r>>6&15]>>(r&63)&1 == 1 }

// find returns the first place of any of the phrases in [from, to), and which one;
// -1 when there is none.
func (l *folded) find(from, to int, words phrases) (int, int) {
	for i := from; i < to; i++ {
		r := l.runes[i]
		if !words.begin(r) {
			continue
		}
		for k, w := range words.list {
			if w[0] == r && i+len(w) <= to && l.matches(i, w) {
				return i, k
			}
		}
	}
	return -1, -1
}

// has reports whether any of the phrases stands in [from, to).
func (l *folded) has(from, to int, words phrases) bool {
	i, _ := l.find(from, to, words)
	return i >= 0
}

// longestAt returns the length of the longest phrase at i, 0 when there is none.
func longestAt(l *folded, i int, words phrases) int {
	if i >= len(l.runes) || !words.begin(l.runes[i]) {
		return 0
	}
	longest := 0
	for _, w := range words.list {
		if len(w) > longest && l.matches(i, w) {
			longest = len(w)
		}
	}
	return longest
}

// longestAfter is longestAt within the clause of what stands before i.
func longestAfter(l *folded, i int, words phrases) int {
	if l.before[i] >= clause {
		return 0
	}
	return longestAt(l, i, words)
}

// endsIn reports whether one of the phrases is the last of the clause that ends at i.
func (l *folded) endsIn(i int, words phrases) bool {
	for _, w := range words.list {
		if l.matches(i-len(w), w) {
			return true
		}
	}
	return false
}
