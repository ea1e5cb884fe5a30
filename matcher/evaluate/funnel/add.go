package funnel

import (
	"maps"
	"slices"
	"strings"

	"github.com/fundmatch/fundmatch/matcher/evaluate/share"
)

// Add counts rows. The same rows in the same order give the same state, however they are cut into runs of whole
// decisions.
func (s *State) Add(r *Rows) {
	s.lacked |= r.lacks()
	begin := 0
	if n := len(r.Ends); n > 0 {
		s.Rows += int64(r.Ends[n-1])
	}
	for _, end := range r.Ends {
		s.addSteps(r, begin, int(end))
		begin = int(end)
	}
	if r.Raised != nil || r.Foreseen != nil {
		s.addDoubts(r)
	}
}

// lacks are the columns that these rows do not have.
func (r *Rows) lacks() (bits uint32) {
	for c, t := range [...]*Text{ColumnForeseen: r.Foreseen, ColumnRaised: r.Raised} {
		if t == nil {
			bits |= 1 << c
		}
	}
	for f, v := range r.Flags {
		if v == nil {
			bits |= 1 << FlagColumn(Flag(f))
		}
	}
	return bits
}

// flag is what a column says of a row.
func (r *Rows) flag(f Flag, row int) share.Answer { return share.AnswerOf(r.Flags[f], row) }

// reached says whether a row reached a step. Every row is listed.
func (r *Rows) reached(step Step, row int) share.Answer {
	if step == StepListed {
		return share.Yes
	}
	return r.flag(step.flag(), row)
}

// addSteps counts the rows of one decision, step by step.
func (s *State) addSteps(r *Rows, begin, end int) {
	var t share.Tally
	for step := StepExposed; step < Steps; step++ {
		way := &s.Ways[step]
		for i := begin; i < end; i++ {
			here := r.reached(step, i)
			if r.reached(step-1, i) == share.Yes {
				t[here]++
			} else if here == share.Yes {
				way.Entered++
			}
		}
		t.Into(&way.WentOn)
	}
	for i := begin; i < end; i++ {
		if r.flag(Started, i) == share.Yes {
			t[r.flag(Abandoned, i)]++
		}
	}
	t.Into(&s.Quits)
}

// doubted is what is said of an objection in one decision.
type doubted struct {
	here     bool // it was foreseen or raised
	answered share.Tally
	wentOn   [2]share.Tally
}

// addDoubts counts the rows by objection.
func (s *State) addDoubts(r *Rows) {
	words := codesOf(r.Foreseen, r.Raised)
	doubts := make([]Doubt, len(words.codes)+1) // the last: any of them
	now := make([]doubted, len(doubts))
	here := make([]int, 0, len(doubts))
	begin := 0
	for _, end := range r.Ends {
		var none share.Tally
		for i := begin; i < int(end); i++ {
			foreseen, raised := words.of(0, i), words.of(1, i)
			if r.Raised != nil && len(raised) == 0 && r.flag(Viewed, i) == share.Yes {
				none[r.flag(Started, i)]++
			}
			here = touch(now, here, foreseen, raised)
			r.countDoubts(doubts, now, i, foreseen, raised)
		}
		none.Into(&s.None)
		for _, code := range here {
			n := &now[code]
			n.answered.Into(&doubts[code].Answered)
			n.wentOn[0].Into(&doubts[code].WentOn[0])
			n.wentOn[1].Into(&doubts[code].WentOn[1])
			n.here = false
		}
		here = here[:0]
		begin = int(end)
	}
	s.Any.merge(&doubts[len(words.codes)])
	for i, code := range words.codes {
		s.put(code, &doubts[i])
	}
}

// touch remembers which codes a decision speaks of.
func touch(now []doubted, here, foreseen, raised []int) []int {
	for _, codes := range [...][]int{foreseen, raised} {
		for _, code := range codes {
			if !now[code].here {
				now[code].here = true
				here = append(here, code)
			}
		}
	}
	return here
}

// countDoubts counts one row. Both lists end with the place of "any" unless they are empty.
func (r *Rows) countDoubts(doubts []Doubt, now []doubted, row int, foreseen, raised []int) {
	for _, code := range foreseen {
		doubts[code].Foreseen++
		if slices.Contains(raised, code) {
			doubts[code].Both++
		}
	}
	for _, code := range raised {
		doubts[code].Raised++
		heard, went := r.flag(Answered, row), r.flag(Started, row)
		now[code].answered[heard]++
		switch heard {
		case share.No:
			now[code].wentOn[0][went]++
		case share.Yes:
			now[code].wentOn[1][went]++
		default: // whether he looked is not known: he is in neither
		}
	}
}

// words are the codes of the two columns, each once.
type words struct {
	codes []string
	lists [2][][]int // by the text's place in Names: places in codes, then that of "any"; empty where there is none
	texts [2]*Text
}

// codesOf reads the codes of objections: what blanks separate.
func codesOf(texts ...*Text) *words {
	w := &words{}
	places := map[string]int{}
	for column, t := range texts {
		if t == nil {
			continue
		}
		w.texts[column] = t
		for _, name := range t.Names {
			w.lists[column] = append(w.lists[column], w.read(name, places))
		}
	}
	for column := range w.lists {
		for i, list := range w.lists[column] {
			if len(list) > 0 {
				w.lists[column][i] = append(list, len(w.codes))
			}
		}
	}
	return w
}

// read gives each code of a text its place. A code that is there twice counts once.
func (w *words) read(text string, places map[string]int) (list []int) {
	for _, code := range strings.Fields(text) {
		code = shown(code)
		at, there := places[code]
		if !there {
			at = len(places)
			places[code] = at
			w.codes = append(w.codes, code)
		}
		if !slices.Contains(list, at) {
			list = append(list, at)
		}
	}
	return list
}

// of are the codes of a row.
func (w *words) of(column, row int) []int {
	if w.texts[column] == nil {
		return nil
	}
	return w.lists[column][w.texts[column].Values[row]]
}

// maxCode is the longest code that is told from others.
const maxCode = 64

// shown is a code as a report can keep it: short, and valid UTF-8, so that it is the same after it was written and read.
func shown(s string) string {
	return strings.Clone(strings.ToValidUTF8(s[:min(len(s), maxCode)], "\uFFFD"))
}

// Merge adds the state of other decisions.
func (s *State) Merge(o *State) {
	s.Rows += o.Rows
	for i := range s.Ways {
		s.Ways[i].WentOn.Merge(&o.Ways[i].WentOn)
		s.Ways[i].Entered += o.Ways[i].Entered
	}
	s.Quits.Merge(&o.Quits)
	s.Any.merge(&o.Any)
	s.None.Merge(&o.None)
	if o.TooMany {
		s.Objections, s.TooMany = nil, true
	}
	for _, code := range slices.Sorted(maps.Keys(o.Objections)) {
		s.put(code, o.Objections[code])
	}
	s.lacked |= o.lacked
}

// put adds what was counted of one objection. Whether there are too many is a matter of all of them together, not of
// their order.
func (s *State) put(code string, d *Doubt) {
	if s.TooMany {
		return
	}
	if s.Objections == nil {
		s.Objections = map[string]*Doubt{}
	}
	sum, there := s.Objections[code]
	switch {
	case !there && len(s.Objections) == MaxObjections:
		s.Objections, s.TooMany = nil, true
	case !there:
		first := *d
		s.Objections[code] = &first
	default:
		sum.merge(d)
	}
}

func (d *Doubt) merge(o *Doubt) {
	d.Foreseen += o.Foreseen
	d.Raised += o.Raised
	d.Both += o.Both
	d.Answered.Merge(&o.Answered)
	for i := range d.WentOn {
		d.WentOn[i].Merge(&o.WentOn[i])
	}
}
