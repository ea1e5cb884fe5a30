package recommendation

import (
	"fmt"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/expectation"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
	"github.com/fundmatch/fundmatch/matcher/wording"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/wire"
)

// presenter turns answers into messages for one audience. It is the one place where
// what must not reach the customer is left out. After the first error it goes on with
// empty texts; err tells.
type presenter struct {
	core     *matcher.Core
	audience wording.Audience
	buf      []byte
	err      error
}

func (v *presenter) forManager() bool { return v.audience == wording.Manager }

// answer presents a slate.
func (v *presenter) answer(s *matcher.Slate, explain bool) *fundmatchv1.RecommendResponse {
	out := &fundmatchv1.RecommendResponse{
		DecidedAt: wire.Timestamp(s.Request.At), ValidUntil: wire.Timestamp(s.ValidUntil), Personalized: s.Personal,
		Revisions: wire.Revisions(s.Identity), CustomerId: s.CustomerID, Channel: s.Request.Channel.String(),
		Audience: v.audience.String(), Initiative: fund.ByFirm.String(),
		Items: make([]*fundmatchv1.Item, len(s.Items)), Excluded: make([]*fundmatchv1.Exclusion, len(s.Excluded)),
	}
	for i := range s.Items {
		out.Items[i] = v.item(s, i, explain)
	}
	for i, x := range s.Excluded {
		out.Excluded[i] = &fundmatchv1.Exclusion{RuleId: string(x.ID), Count: int32(x.Count)}
	}
	for _, name := range s.Disclosures {
		out.Disclosures = append(out.Disclosures, v.disclosure(name, s.Identity.WordingID))
	}
	for i := range s.Notices {
		n := &s.Notices[i]
		if v.mayShow(n.Sentence) {
			out.Notices = append(out.Notices, &fundmatchv1.Notice{Code: n.Code, Text: v.sentence(n.Sentence, n.Evidence), Task: n.Task})
		}
	}
	return out
}

func (v *presenter) item(s *matcher.Slate, i int, explain bool) *fundmatchv1.Item {
	it := &s.Items[i]
	place, ok := v.core.Find(it.Code)
	if !ok {
		v.fail(fmt.Errorf("product %s of the answer is not in its core", it.Code))
		return nil
	}
	out := &fundmatchv1.Item{
		Rank: int32(i + 1), Product: wire.Product(v.core, place), Score: it.Score, Propensity: it.Propensity, PeerCode: it.PeerCode,
		Expectation: v.expectation(&s.Wish, s.Personal, it.Matched), Conversion: v.conversion(&it.Conversion),
		Orderable: it.Conversion.Action == conversion.Buy,
	}
	if explain {
		out.Contributions = wire.Contributions(it.Contributions)
	}
	for j := range it.Objections {
		out.Objections = append(out.Objections, v.objection(&it.Objections[j]))
	}
	return out
}

func (v *presenter) expectation(w *expectation.Wish, personal bool, matched []expectation.Match) *fundmatchv1.Expectation {
	out := &fundmatchv1.Expectation{
		Goal: w.Goal.String(), HorizonMonths: w.HorizonMonths, Confidence: w.Confidence.Float(), Source: w.Source.String(),
		Headline: v.sentence(w.Headline(personal), nil), QuestionCode: w.Question.String(),
	}
	if name := w.Question.Sentence(); name != "" {
		out.Question = v.sentence(name, nil)
	}
	for i := range matched {
		m := &matched[i]
		facts := append([]fund.Evidence{m.Customer, m.Product}, m.Facts...)
		horizon := fund.Evidence{Field: "HORIZON", Unit: fund.UnitMonths, Number: int64(w.HorizonMonths)}
		out.Matched = append(out.Matched, &fundmatchv1.MatchedAspect{
			Aspect: m.Aspect.String(), CustomerValue: m.Customer.Value(), ProductValue: m.Product.Value(),
			Evidence: wire.Evidence(m.Facts), Text: v.sentence(m.Sentence, append(facts, horizon)),
		})
	}
	return out
}

// objection presents a doubt. Trigger, likelihood and how often the answer resolves it
// are for managers only.
func (v *presenter) objection(o *objection.Objection) *fundmatchv1.Objection {
	out := &fundmatchv1.Objection{Code: o.Code.String(), Evidence: wire.Evidence(o.Evidence)}
	start := len(v.buf)
	for _, name := range o.Sentences {
		if name != "" {
			v.appendSentence(name, o.Evidence)
		}
	}
	out.Answer = string(v.buf[start:])
	if o.Discloses != "" {
		out.Disclosures = []string{o.Discloses}
	}
	if v.forManager() {
		out.LikelihoodBand, out.ResolvedBand = o.Band.String(), "UNKNOWN"
		for _, t := range o.Triggers {
			if t != "" {
				out.Trigger = append(out.Trigger, t)
			}
		}
	}
	return out
}

func (v *presenter) conversion(c *conversion.Conversion) *fundmatchv1.Conversion {
	out := &fundmatchv1.Conversion{
		Action: c.Action.String(), ProductCode: c.ProductCode, ShareClass: c.ShareClass, CalendarSource: c.Calendar.String(),
		AvailableOn: c.AvailableOn.String(), Text: v.sentence(c.Sentence, c.Evidence),
		HorizonCost: &fundmatchv1.HorizonCost{A: cost(&c.Quote.A), C: cost(&c.Quote.C), Days: c.Quote.Days, AmountFen: int64(c.Quote.CostAmount)},
	}
	if c.Cutoff != 0 {
		out.Cutoff = wire.Timestamp(c.Cutoff)
	}
	if c.Action == conversion.Buy {
		out.AmountFen = &fundmatchv1.AmountRange{Min: int64(c.Quote.Min), Suggested: int64(c.Quote.Suggested), Max: int64(c.Quote.Max)}
	}
	for _, step := range c.Steps {
		if step != "" {
			out.Steps = append(out.Steps, &fundmatchv1.Step{Code: string(step), Text: v.sentence(step.Label(), nil)})
		}
	}
	return out
}

func cost(c *conversion.ClassCost) *fundmatchv1.Cost {
	if !c.OK {
		return nil
	}
	return &fundmatchv1.Cost{
		EntryFen: int64(c.Entry), ServiceFen: int64(c.Service), RunningFen: int64(c.Running), ExitFen: int64(c.Exit), TotalFen: int64(c.Total()),
	}
}

func (v *presenter) disclosure(name, version string) *fundmatchv1.Disclosure {
	return &fundmatchv1.Disclosure{Id: name, Version: version, Text: v.sentence(name, nil)}
}

// mayShow reports whether a sentence is for this audience.
func (v *presenter) mayShow(name string) bool {
	id, ok := v.core.Wording().ID(name)
	return ok && v.core.Wording().Audience(id).May(v.audience)
}

// sentence renders a template.
func (v *presenter) sentence(name string, facts []fund.Evidence) string {
	start := len(v.buf)
	v.appendSentence(name, facts)
	return string(v.buf[start:])
}

// appendSentence renders a template into the buffer. A sentence that is for somebody
// else, or whose slot no fact fills, is an error: a text with a hole is not sent.
func (v *presenter) appendSentence(name string, facts []fund.Evidence) {
	id, ok := v.core.Wording().ID(name)
	if !ok || !v.core.Wording().Audience(id).May(v.audience) {
		v.fail(fmt.Errorf("sentence %q is unknown or not for %s", name, v.audience))
		return
	}
	buf, err := v.core.Wording().AppendEvidence(v.buf, id, facts)
	if err != nil {
		v.fail(err)
		return
	}
	v.buf = buf
}

func (v *presenter) fail(err error) {
	if v.err == nil {
		v.err = err
	}
}
