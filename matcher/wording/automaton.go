package wording

// An automaton finds all words of a set in one pass over a text (Aho and Corasick,
// Efficient string matching, CACM 18(6), 1975). Most characters of a text begin no
// word and cost one table read.
type automaton struct {
	class  []uint16         // basic plane -> class; 0 is in no word
	root   []int32          // class -> state, 0 when none
	next   map[uint64]int32 // state and class -> state
	fail   []int32
	output [][]int32 // words that end at the state, longest first
	length []int     // of each word, in characters
}

// newAutomaton builds the automaton of the words; their index is what scan reports.
func newAutomaton(words [][]rune) *automaton {
	a := &automaton{
		class: make([]uint16, basicPlane), next: map[uint64]int32{},
		fail: []int32{0}, output: [][]int32{nil}, length: make([]int, len(words)),
	}
	classes := uint16(0)
	for _, w := range words {
		for _, r := range w {
			if a.class[r] == 0 {
				classes++
				a.class[r] = classes
			}
		}
	}
	a.root = make([]int32, classes+1)
	order := a.grow(words)
	a.link(order, classes)
	return a
}

// grow makes the trie and returns its states, parents before children, with the
// edge that leads to each.
func (a *automaton) grow(words [][]rune) []edge {
	order := []edge{}
	for id, w := range words {
		a.length[id] = len(w)
		state := int32(0)
		for _, r := range w {
			key := transition(state, a.class[r])
			to, ok := a.next[key]
			if !ok {
				to = int32(len(a.fail))
				a.next[key] = to
				a.fail = append(a.fail, 0)
				a.output = append(a.output, nil)
				order = append(order, edge{from: state, to: to, class: a.class[r]})
			}
			state = to
		}
		a.output[state] = append(a.output[state], int32(id))
	}
	return order
}

type edge struct {
	from, to int32
	class    uint16
}

// link sets the failure links breadth first, so that a link always points to a
// state that is already linked.
func (a *automaton) link(order []edge, classes uint16) {
	for c := range classes + 1 {
		a.root[c] = a.next[transition(0, c)]
	}
	depth := make([]int, len(a.fail))
	deepest := 0
	for _, e := range order {
		depth[e.to] = depth[e.from] + 1
		deepest = max(deepest, depth[e.to])
	}
	for d := 1; d <= deepest; d++ {
		for _, e := range order {
			if depth[e.to] != d {
				continue
			}
			if e.from != 0 {
				a.fail[e.to] = a.step(a.fail[e.from], e.class)
			}
			a.output[e.to] = append(a.output[e.to], a.output[a.fail[e.to]]...)
		}
	}
}

func transition(state int32, class uint16) uint64 {
	return uint64(uint32(state))<<16 | uint64(class)
}

// step follows one character from a state.
func (a *automaton) step(state int32, class uint16) int32 {
	for state != 0 {
		if to, ok := a.next[transition(state, class)]; ok {
			return to
		}
		state = a.fail[state]
	}
	return a.root[class]
}

// scan calls found with the index of every word and its place [from, to).
func (a *automaton) scan(text []rune, found func(word int32, from, to int)) {
	state := int32(0)
	for i, r := range text {
		class := a.class[r]
		if class == 0 {
			state = 0
			continue
		}
		state = a.step(state, class)
		for _, id := range a.output[state] {
			found(id, i+1-a.length[id], i+1)
		}
	}
}
