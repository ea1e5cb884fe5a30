package matcher_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

// readableAnswer is an answer as a reviewer reads it in a golden file.
type readableAnswer struct {
	List       string            `json:"list"` // personal, information, not personal
	ValidUntil string            `json:"validUntil"`
	Headline   string            `json:"headline"`
	Question   string            `json:"question,omitempty"`
	Notices    []string          `json:"notices"`
	Excluded   map[string]int    `json:"excluded"`
	Items      []readableItem    `json:"items"`
	Holdings   []string          `json:"holdings,omitempty"`
	Shown      []string          `json:"disclosures"`
	Verdict    map[string]string `json:"verdict,omitempty"`
}

type readableItem struct {
	Product    string            `json:"product"`
	Score      string            `json:"score"`
	Why        string            `json:"contributions"`
	Peer       string            `json:"peer,omitempty"`
	Meets      []string          `json:"expectation"`
	Doubts     map[string]string `json:"objections"`
	Action     string            `json:"action"`
	Text       string            `json:"text"`
	Steps      string            `json:"steps"`
	AmountYuan string            `json:"amountYuan,omitempty"`
	CostYuan   string            `json:"costYuan"`
}

// speaker renders sentences for one audience and fails the test on one that has a hole,
// is unknown, or is not for that audience.
type speaker struct {
	t        testing.TB
	text     *wording.Templates
	audience wording.Audience
}

func (s *speaker) say(name string, facts ...fund.Evidence) string {
	s.t.Helper()
	id, ok := s.text.ID(name)
	if !ok {
		s.t.Fatalf("there is no sentence %q", name)
	}
	if !s.text.Audience(id).May(s.audience) {
		s.t.Fatalf("%q is not for %s", name, s.audience)
	}
	out, err := s.text.AppendEvidence(nil, id, facts)
	if err != nil {
		s.t.Fatalf("%s with %+v: %v", name, facts, err)
	}
	return string(out)
}

func readable(tb testing.TB, core *matcher.Core, s *matcher.Slate) *readableAnswer {
	tb.Helper()
	say := &speaker{tb, core.Wording(), s.Request.Audience}
	out := &readableAnswer{List: "not personal", ValidUntil: s.ValidUntil.String(), Excluded: map[string]int{}, Shown: s.Disclosures}
	switch {
	case s.Personal:
		out.List = "personal"
	case s.Information:
		out.List = "information"
	}
	out.Headline = say.say(s.Wish.Headline(s.Personal))
	if q := s.Wish.QuestionSentence(); q != "" {
		out.Question = say.say(q)
	}
	for _, n := range s.Notices {
		// A notice may be for managers only; whoever shows it asks.
		id, ok := core.Wording().ID(n.Sentence)
		reader := speaker{tb, core.Wording(), core.Wording().Audience(id)}
		if !ok || reader.audience == wording.Both {
			reader.audience = wording.Customer
		}
		out.Notices = append(out.Notices, n.Code+" "+n.Task+": "+reader.say(n.Sentence, n.Evidence...))
	}
	for _, x := range s.Excluded {
		out.Excluded[string(x.ID)] = x.Count
	}
	for _, d := range s.Disclosures {
		if d == matcher.IssuerDisclosure {
			continue // shown for each issuer, by whoever presents the list
		}
		say.say(d)
	}
	for i := range s.Items {
		out.Items = append(out.Items, readableOf(say, core, &s.Items[i]))
	}
	for i := range s.Holdings {
		out.Holdings = append(out.Holdings, s.Holdings[i].Code+" "+say.say(s.Holdings[i].Sentence, s.Holdings[i].Evidence...))
	}
	if s.Brief != nil {
		(&speaker{tb, core.Wording(), wording.Manager}).say(s.Brief.DeliveryReason)
	}
	return out
}

func readableOf(say *speaker, core *matcher.Core, it *matcher.Item) readableItem {
	place, _ := core.Find(it.Code)
	v, q := &it.Conversion, &it.Conversion.Quote
	out := readableItem{
		Product: it.Code + " " + core.Product(place).Name, Score: fmt.Sprintf("%.4f", it.Score), Peer: it.PeerCode, Doubts: map[string]string{},
		Action: fmt.Sprintf("%s on %s (%s calendar)", v.Action, v.AvailableOn, v.Calendar), Text: say.say(v.Sentence, v.Evidence...),
		CostYuan: fmt.Sprintf("own %s, A %s, C %s of %s over %d days", yuan(q.Own.Total(), q.Own.OK), yuan(q.A.Total(), q.A.OK), yuan(q.C.Total(), q.C.OK), yuan(q.CostAmount, true), q.Days),
	}
	var why, steps []string
	for _, c := range it.Contributions {
		if c.Amount != 0 {
			why = append(why, fmt.Sprintf("%s %+.4f", c.Feature, c.Amount))
		}
	}
	out.Why = strings.Join(why, ", ")
	for i := range it.Matched {
		m := &it.Matched[i]
		if m.ManagerOnly && say.audience != wording.Manager {
			continue
		}
		out.Meets = append(out.Meets, say.say(m.Sentence, append([]fund.Evidence{m.Customer, m.Product}, m.Facts...)...))
	}
	for i := range it.Objections {
		o := &it.Objections[i]
		if say.audience == wording.Manager && o.Advice != "" {
			say.say(o.Advice, append(slices.Clone(o.Evidence), o.Grounds...)...)
		}
		var answer []string
		for _, name := range o.Sentences {
			if name != "" {
				answer = append(answer, say.say(name, o.Evidence...))
			}
		}
		out.Doubts[fmt.Sprintf("%d %s %s %s", i+1, o.Code, o.Band, strings.Join(o.Triggers[:], " "))] = strings.Join(answer, "")
		if o.Discloses != "" {
			say.say(o.Discloses)
		}
	}
	if say.audience == wording.Manager {
		sayManagers(say, it)
	}
	for _, step := range v.Steps {
		if step != "" {
			say.say(step.Label())
			steps = append(steps, string(step))
		}
	}
	out.Steps = strings.Join(steps, " / ")
	if q.Suggested+q.Min+q.Max > 0 {
		out.AmountYuan = fmt.Sprintf("%s of %s to %s", yuan(q.Suggested, true), yuan(q.Min, true), yuan(q.Max, true))
	}
	return out
}

// sayManagers says what only a manager reads of an item.
func sayManagers(say *speaker, it *matcher.Item) {
	v := &it.Conversion
	if v.ToManager != "" {
		say.say(v.ToManager, v.Evidence...)
	}
	if v.FollowUp.Sentence != "" {
		say.say(v.FollowUp.Sentence)
	}
	say.say(it.Card.Opinion, it.Card.OpinionFacts...)
	say.say(it.Card.DoNothing)
}

func yuan(m fund.Money, ok bool) string {
	if !ok {
		return "unknown"
	}
	return fmt.Sprintf("%d.%02d", m/100, m%100)
}

func readableExplanation(tb testing.TB, core *matcher.Core, e *matcher.Explanation) *readableAnswer {
	tb.Helper()
	out := readable(tb, core, &e.Slate)
	out.Verdict = map[string]string{"recommendation": e.Verdict.Outcome.String(), "his own order": e.OrderVerdict.Outcome.String()}
	for _, f := range e.Findings {
		out.Verdict["recommendation "+string(f.Rule)+" "+f.Reason] = fmt.Sprint(f.Outcome, f.Facts)
	}
	for _, f := range e.OrderFindings {
		out.Verdict["his own order "+string(f.Rule)+" "+f.Reason] = fmt.Sprint(f.Outcome, f.Facts)
	}
	return out
}

// Whatever is said about random customers and products is a sentence for its reader,
// filled from exactly the evidence beside it; only managers' notices are for managers.
func TestEverySentenceCanBeSaid(t *testing.T) {
	said := map[string]bool{}
	for seed := range uint64(6) {
		b := newBank(100+seed, 100)
		core := b.compile(t)
		for i := range 120 {
			p, r := b.customer(i), b.request(core)
			s := match(t, core, p, r)
			readable(t, core, s)
			note(said, s)
			e, err := core.Explain(p, core.Product(i%core.Len()).Code, r)
			if err != nil {
				t.Fatal(err)
			}
			readableExplanation(t, core, e)
			note(said, &e.Slate)
		}
	}
	// The branches that random customers must have reached.
	for _, name := range []string{
		"notice.RISK_ASSESSMENT_EXPIRED", "notice.RISK_ASSESSMENT_REQUIRED", "notice.NOT_PERSONALIZED", "notice.NOT_PERSONALIZED.information",
		"notice.NO_SUITABLE_PRODUCT", "notice.AGE_UNKNOWN", "notice.GOAL_UNKNOWN", "notice.HORIZON_UNKNOWN", "notice.CALENDAR_ASSUMED",
		"notice.PRODUCT_DATA_STALE", "notice.NAV_GAP",
		"conversion.BUY.open", "conversion.BUY.no_amount", "conversion.WATCH.below_minimum", "conversion.ASK.goal", "conversion.ASK.horizon",
		"conversion.RETEST_RISK.expired", "conversion.RETEST_RISK.required", "conversion.HOLD.already", "conversion.HOLD.plain", "conversion.CONFIRM_REQUIRED.risk",
	} {
		if !said[name] {
			t.Errorf("%s was never said", name)
		}
	}
	t.Logf("%d sentences", len(said))
}

func note(said map[string]bool, s *matcher.Slate) {
	for _, n := range s.Notices {
		said[n.Sentence] = true
	}
	for i := range s.Items {
		said[s.Items[i].Conversion.Sentence] = true
		for j := range s.Items[i].Objections {
			for _, name := range s.Items[i].Objections[j].Sentences {
				said[name] = true
			}
		}
	}
}
