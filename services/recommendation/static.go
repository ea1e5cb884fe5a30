package recommendation

import (
	"strings"

	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/wording"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
)

// static are the texts for one audience that no fact fills: the same in every answer, so
// made once. Answers share the messages; nobody may change them.
type static struct {
	wording     *wording.Templates
	sentences   map[string]string // by template
	disclosures map[string]*fundmatchv1.Disclosure
	steps       map[conversion.Step]*fundmatchv1.Step
	elder       *fundmatchv1.Presentation
	plain       *fundmatchv1.Presentation
}

// humanRoute tells an elder how to reach a human (A04, A07).
const humanRoute = "card.human_route"

// presentation says how an answer is to be shown.
func (s *static) presentation(elder bool) *fundmatchv1.Presentation {
	if elder {
		return s.elder
	}
	return s.plain
}

// newStatic renders every sentence without slots that the audience may read.
func newStatic(w *wording.Templates, audience wording.Audience) *static {
	s := &static{
		wording: w, sentences: map[string]string{},
		disclosures: map[string]*fundmatchv1.Disclosure{}, steps: map[conversion.Step]*fundmatchv1.Step{},
		elder: &fundmatchv1.Presentation{ElderMode: true, LargeType: true, PlainWords: true}, plain: &fundmatchv1.Presentation{},
	}
	for _, name := range w.Names() {
		id, _ := w.ID(name)
		if !w.Audience(id).May(audience) || len(w.Slots(id)) > 0 {
			continue
		}
		text, err := w.Append(nil, id, nil)
		if err != nil {
			continue // whoever shows it tells of it
		}
		s.sentences[name] = string(text)
		if strings.HasPrefix(name, "disclosure.") {
			s.disclosures[name] = &fundmatchv1.Disclosure{Id: name, Version: w.Version(), Text: string(text)}
		}
		if code, ok := strings.CutPrefix(name, conversion.Step("").Label()); ok {
			s.steps[conversion.Step(code)] = &fundmatchv1.Step{Code: code, Text: string(text)}
		}
	}
	s.elder.HumanRoute = s.sentences[humanRoute]
	return s
}

// static returns the texts of a core's wording for an audience.
func (s *Service) static(w *wording.Templates, audience wording.Audience) *static {
	slot := &s.statics[audience]
	made := slot.Load()
	if made == nil || made.wording != w {
		made = newStatic(w, audience)
		slot.Store(made)
	}
	return made
}
