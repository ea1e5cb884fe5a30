package recommendation

import (
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
)

// page is what one message is made on: parts of a kind lie beside each other, and all
// texts in one string. An answer of five items has a hundred facts and six hundred texts;
// made one by one they cost more than the match.
type page struct {
	text  []byte
	marks []mark

	evidence   slab[fundmatchv1.Evidence]
	evidences  slab[*fundmatchv1.Evidence]
	aspects    slab[fundmatchv1.MatchedAspect]
	objections slab[fundmatchv1.Objection]
	texts      slab[string]
	items      slab[itemParts]

	window dated[fund.Window]
	asOf   dated[fund.Date]
}

// itemParts are the messages that every item has.
type itemParts struct {
	item        fundmatchv1.Item
	product     fundmatchv1.ProductSummary
	expectation fundmatchv1.Expectation
	conversion  fundmatchv1.Conversion
	amount      fundmatchv1.AmountRange
	cost        fundmatchv1.HorizonCost
	a, c        fundmatchv1.Cost
}

// mark says that a part of the text is a field's.
type mark struct {
	into       *string
	start, end int
}

// dated is where something was written last: facts of one record share their dates.
type dated[T comparable] struct {
	value      T
	start, end int
}

// slab hands out the elements of slices that are made whole.
type slab[T any] struct{ free []T }

// slabSize is how many elements are made when nobody said how many are needed.
const slabSize = 16

func (s *slab[T]) take(n int) []T {
	if len(s.free) < n {
		s.free = make([]T, max(n, slabSize))
	}
	out := s.free[:n:n]
	s.free = s.free[n:]
	return out
}

// lay makes room for what a slate holds. The facts of doubts are mostly on file
// (evidence.go).
func (p *page) lay(s *matcher.Slate) {
	aspects, objections, reasons, facts := 0, 0, 0, 0
	for i := range s.Items {
		it := &s.Items[i]
		aspects, objections = aspects+len(it.Matched), objections+len(it.Objections)
		for j := range it.Matched {
			facts += len(it.Matched[j].Facts)
		}
		for _, name := range it.Why {
			if name != "" {
				reasons++
			}
		}
	}
	p.aspects.free, p.objections.free = make([]fundmatchv1.MatchedAspect, aspects), make([]fundmatchv1.Objection, objections)
	p.items.free, p.texts.free = make([]itemParts, len(s.Items)), make([]string, reasons)
	p.evidence.free, p.evidences.free = make([]fundmatchv1.Evidence, facts), make([]*fundmatchv1.Evidence, facts)
}

// put gives a field the text from start on. The field is filled by finish.
func (p *page) put(into *string, start int) {
	if len(p.text) > start {
		p.marks = append(p.marks, mark{into, start, len(p.text)})
	}
}

// finish fills the fields with their texts. The buffers can be used again after it.
func (p *page) finish() {
	all := string(p.text)
	for _, m := range p.marks {
		*m.into = all[m.start:m.end]
	}
	clear(p.marks) // the message is not kept alive
	p.text, p.marks = p.text[:0], p.marks[:0]
	p.window, p.asOf = dated[fund.Window]{}, dated[fund.Date]{}
}

// facts presents evidence as wire.Evidence does.
func (p *page) facts(facts []fund.Evidence) []*fundmatchv1.Evidence {
	out, parts := p.evidences.take(len(facts)), p.evidence.take(len(facts))
	for i := range facts {
		f, e := &facts[i], &parts[i]
		e.Field, e.Unit, e.StaleDays, e.Source, e.DocumentId = f.Field, f.Unit.String(), f.Stale, f.Source, f.Document
		p.value(&e.Value, f)
		p.dates(e, f)
		out[i] = e
	}
	return out
}

// value writes the value of a fact.
func (p *page) value(into *string, f *fund.Evidence) {
	if f.Unit == fund.UnitNone {
		*into = f.Text
		return
	}
	start := len(p.text)
	p.text = f.AppendValue(p.text)
	p.put(into, start)
}

// dates writes the days that a fact speaks of, once for as long as they stay the same.
func (p *page) dates(e *fundmatchv1.Evidence, f *fund.Evidence) {
	if f.Window != p.window.value {
		start := len(p.text)
		p.text = f.Window.Append(p.text)
		p.window = dated[fund.Window]{f.Window, start, len(p.text)}
	}
	if f.AsOf != p.asOf.value {
		start := len(p.text)
		p.text = f.AsOf.Append(p.text)
		p.asOf = dated[fund.Date]{f.AsOf, start, len(p.text)}
	}
	p.marks = append(p.marks, mark{&e.Window, p.window.start, p.window.end}, mark{&e.AsOf, p.asOf.start, p.asOf.end})
}
