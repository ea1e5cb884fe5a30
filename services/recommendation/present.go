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

// presenter turns answers into messages for one audience. What it makes itself is for
// both; what only managers read its desk adds (manager.go). After the first error it goes
// on with empty texts; err tells.
type presenter struct {
	core     *matcher.Core
	audience wording.Audience
	static   *static
	onFile   *evidenceFile
	page     page
	facts    []fund.Evidence // that one sentence is filled from
	wish     wishFacts       // of the answer in hand
	err      error
}

// wishFacts is what a wish rests on: the same for every item, so made once.
type wishFacts struct {
	facts    []fund.Evidence
	messages []*fundmatchv1.Evidence
}

func (v *presenter) forManager() bool { return v.audience == wording.Manager }

// answer presents a slate.
func (v *presenter) answer(s *matcher.Slate, explain bool) *fundmatchv1.RecommendResponse {
	out := &fundmatchv1.RecommendResponse{
		DecidedAt: wire.Timestamp(s.Request.At), ValidUntil: wire.Timestamp(s.ValidUntil), Personalized: s.Personal,
		Revisions: wire.Revisions(s.Identity), CustomerId: s.CustomerID, Channel: s.Request.Channel.String(),
		Audience: v.audience.String(), Initiative: fund.ByFirm.String(),
		Items: make([]*fundmatchv1.Item, len(s.Items)), Excluded: make([]*fundmatchv1.Exclusion, 0, len(s.Excluded)),
		Presentation: v.static.presentation(s.Elder),
	}
	v.begin(s)
	for i := range s.Items {
		out.Items[i] = v.item(s, i, explain)
	}
	out.Holdings = v.holdings(s.Holdings)
	for _, x := range s.Excluded {
		if v.forManager() || x.ID.Tellable() {
			out.Excluded = append(out.Excluded, &fundmatchv1.Exclusion{RuleId: string(x.ID), Count: int32(x.Count)})
		}
	}
	for _, name := range s.Disclosures {
		if name == matcher.IssuerDisclosure {
			out.Disclosures = v.issuers(s, out.Disclosures)
			continue
		}
		out.Disclosures = append(out.Disclosures, v.disclosure(name))
	}
	out.Notices = v.notices(s)
	if d, ok := v.desk(); ok {
		d.answer(s, out)
	}
	v.page.finish()
	return out
}

// begin makes room for what a slate holds, and what all its items share.
func (v *presenter) begin(s *matcher.Slate) {
	v.page.lay(s)
	v.wish = wishFacts{facts: s.Wish.Facts(s.Request.At.Date(), nil)}
	if len(v.wish.facts) > 0 {
		v.wish.messages = v.page.facts(v.wish.facts)
	}
}

// notices presents what is for the audience.
func (v *presenter) notices(s *matcher.Slate) (out []*fundmatchv1.Notice) {
	for i := range s.Notices {
		n := &s.Notices[i]
		if v.mayShow(n.Sentence) {
			notice := &fundmatchv1.Notice{Code: n.Code, Task: n.Task}
			v.sentence(&notice.Text, n.Sentence, n.Evidence)
			out = append(out, notice)
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
	parts := &v.page.items.take(1)[0]
	wire.FillProduct(&parts.product, v.core, place)
	out := &parts.item
	out.Rank, out.Product, out.Score, out.Propensity, out.PeerCode = int32(i+1), &parts.product, it.Score, it.Propensity, it.PeerCode
	out.Expectation = v.expectation(parts, &s.Wish, s.Personal, it.Matched)
	out.Conversion = v.conversion(parts, &it.Conversion)
	out.Orderable = it.Conversion.Action == conversion.Buy || it.Conversion.Action == conversion.Plan
	if explain {
		out.Contributions = wire.Contributions(it.Contributions)
	}
	out.Objections = v.objections(it.Objections, place)
	out.Why = v.why(&it.Why)
	return out
}

// why renders the reasons of an item.
func (v *presenter) why(names *[matcher.MaxWhy]string) []string {
	n := 0
	for n < len(names) && names[n] != "" {
		n++
	}
	if n == 0 {
		return nil
	}
	out := v.page.texts.take(n)
	for i := range out {
		v.sentence(&out[i], names[i], nil)
	}
	return out
}

// holdings presents the words about what he holds.
func (v *presenter) holdings(reviews []matcher.HoldingReview) []*fundmatchv1.HoldingReview {
	if len(reviews) == 0 {
		return nil
	}
	out := make([]*fundmatchv1.HoldingReview, len(reviews))
	for i := range reviews {
		r := &reviews[i]
		place, ok := v.core.Find(r.Code)
		if !ok {
			v.fail(fmt.Errorf("holding %s of the answer is not in its core", r.Code))
			continue
		}
		out[i] = &fundmatchv1.HoldingReview{
			Product: wire.Product(v.core, place), Action: r.Action.String(), Evidence: v.page.facts(r.Evidence),
		}
		v.sentence(&out[i].Text, r.Sentence, r.Evidence)
	}
	return out
}

func (v *presenter) expectation(parts *itemParts, w *expectation.Wish, personal bool, matched []expectation.Match) *fundmatchv1.Expectation {
	out := &parts.expectation
	out.Goal, out.HorizonMonths, out.Confidence = w.Goal.String(), w.HorizonMonths, w.Confidence.Float()
	out.Source, out.QuestionCode, out.Company = w.Source.String(), w.Question.String(), w.Company
	out.Evidence = v.wish.messages
	v.sentence(&out.Headline, w.Headline(personal), nil)
	if name := w.Reason(); name != "" {
		v.sentence(&out.Reason, name, v.wish.facts)
	}
	if name := w.QuestionSentence(); name != "" {
		v.sentence(&out.Question, name, nil)
	}
	aspects := v.page.aspects.take(len(matched))
	out.Matched = make([]*fundmatchv1.MatchedAspect, 0, len(matched))
	for i := range matched {
		if m := &matched[i]; v.forManager() || m.Met && !m.ManagerOnly {
			v.aspect(&aspects[i], m, w)
			out.Matched = append(out.Matched, &aspects[i])
		}
	}
	return out
}

// aspect presents the comparison of one wish with one property.
func (v *presenter) aspect(out *fundmatchv1.MatchedAspect, m *expectation.Match, w *expectation.Wish) {
	out.Aspect, out.Evidence, out.Met = m.Aspect.String(), v.page.facts(m.Facts), m.Met
	v.page.value(&out.CustomerValue, &m.Customer)
	v.page.value(&out.ProductValue, &m.Product)
	v.facts = append(append(v.facts[:0], m.Customer, m.Product), m.Facts...)
	v.facts = append(v.facts, fund.Evidence{Field: "HORIZON", Unit: fund.UnitMonths, Number: int64(w.HorizonMonths)})
	v.sentence(&out.Text, m.Sentence, v.facts)
}

// objections presents the doubts: to a manager each under its own name, to the customer
// under its face, one a face, and nothing of what has none, of what he has heard enough,
// or of what there is nothing to say about.
func (v *presenter) objections(doubts []objection.Objection, place int) []*fundmatchv1.Objection {
	parts := v.page.objections.take(len(doubts))
	out := make([]*fundmatchv1.Objection, 0, len(parts))
	var told objection.Set
	if !v.forManager() {
		told = objection.Silence(doubts)
	}
	for i := range doubts {
		o, name := &doubts[i], doubts[i].Code
		if !v.forManager() {
			face, shown := objection.Tell(&told, o)
			if !shown {
				continue
			}
			name = face
		}
		parts[i].Code = name.String()
		v.objection(&parts[i], o, place)
		out = append(out, &parts[i])
	}
	return out
}

// objection presents a doubt and its answer. What raises it is for managers only.
func (v *presenter) objection(out *fundmatchv1.Objection, o *objection.Objection, place int) {
	var known bool
	if out.Evidence, known = v.onFile.find(place, o.Code, o.Evidence); !known {
		out.Evidence = v.page.facts(o.Evidence)
	}
	start := len(v.page.text)
	for _, name := range o.Sentences {
		if name != "" {
			v.appendSentence(name, o.Evidence)
		}
	}
	v.page.put(&out.Answer, start)
	if o.Discloses != "" {
		out.Disclosures = []string{o.Discloses}
	}
}

func (v *presenter) conversion(parts *itemParts, c *conversion.Conversion) *fundmatchv1.Conversion {
	out := &parts.conversion
	out.Action, out.ProductCode, out.ShareClass, out.CalendarSource = c.Action.String(), c.ProductCode, c.ShareClass, c.Calendar.String()
	v.sentence(&out.Text, c.Sentence, c.Evidence)
	start := len(v.page.text)
	v.page.text = c.AvailableOn.Append(v.page.text)
	v.page.put(&out.AvailableOn, start)
	out.HorizonCost = &parts.cost
	parts.cost.A, parts.cost.C = fillCost(&parts.a, &c.Quote.A), fillCost(&parts.c, &c.Quote.C)
	parts.cost.Days, parts.cost.AmountFen = c.Quote.Days, int64(c.Quote.CostAmount)
	if c.Cutoff != 0 {
		out.Cutoff = wire.Timestamp(c.Cutoff)
	}
	if c.Plan.Cadence != conversion.NoPlan {
		out.Plan = &fundmatchv1.Plan{Cadence: c.Plan.Cadence.String(), AmountFen: int64(c.Plan.Amount)}
	}
	if c.Action == conversion.Buy {
		out.AmountFen = &parts.amount
		parts.amount.Min, parts.amount.Suggested, parts.amount.Max = int64(c.Quote.Min), int64(c.Quote.Suggested), int64(c.Quote.Max)
	}
	out.Steps = v.steps(c.Steps[:])
	return out
}

func (v *presenter) steps(codes []conversion.Step) []*fundmatchv1.Step {
	var out []*fundmatchv1.Step
	for _, code := range codes {
		if code == "" {
			continue
		}
		if out == nil {
			out = make([]*fundmatchv1.Step, 0, len(codes))
		}
		step := v.static.steps[code]
		if step == nil {
			step = &fundmatchv1.Step{Code: string(code)}
			v.sentence(&step.Text, code.Label(), nil)
		}
		out = append(out, step)
	}
	return out
}

// issuers names each issuer of the list's products once, in the order of the items (C08).
func (v *presenter) issuers(s *matcher.Slate, out []*fundmatchv1.Disclosure) []*fundmatchv1.Disclosure {
	named := map[string]bool{}
	for i := range s.Items {
		place, ok := v.core.Find(s.Items[i].Code)
		if !ok {
			continue // item has failed already
		}
		p := v.core.Product(place)
		if p.Listing.Kind == fund.OwnProduct || p.Parties.Issuer == "" || named[p.Parties.Issuer] {
			continue
		}
		named[p.Parties.Issuer] = true
		d := &fundmatchv1.Disclosure{Id: matcher.IssuerDisclosure, Version: v.core.Wording().Version()}
		v.sentence(&d.Text, d.GetId(), []fund.Evidence{{Field: "ISSUER", Text: p.Parties.Issuer}})
		out = append(out, d)
	}
	return out
}

func (v *presenter) disclosure(name string) *fundmatchv1.Disclosure {
	out := v.static.disclosures[name]
	if out == nil {
		out = &fundmatchv1.Disclosure{Id: name, Version: v.core.Wording().Version()}
		v.sentence(&out.Text, name, nil)
	}
	return out
}

// fillCost fills a cost; nil when it is not known.
func fillCost(out *fundmatchv1.Cost, c *conversion.ClassCost) *fundmatchv1.Cost {
	if !c.OK {
		return nil
	}
	out.EntryFen, out.ServiceFen, out.RunningFen, out.ExitFen = int64(c.Entry), int64(c.Service), int64(c.Running), int64(c.Exit)
	out.TotalFen = int64(c.Total())
	return out
}

// mayShow reports whether a sentence is for this audience.
func (v *presenter) mayShow(name string) bool {
	id, ok := v.core.Wording().ID(name)
	return ok && v.core.Wording().Audience(id).May(v.audience)
}

// sentence renders a template into a field. The field has its text when the page is
// finished.
func (v *presenter) sentence(into *string, name string, facts []fund.Evidence) {
	if text, ok := v.static.sentences[name]; ok {
		*into = text
		return
	}
	start := len(v.page.text)
	v.appendSentence(name, facts)
	v.page.put(into, start)
}

// appendSentence renders a template onto the page. A sentence that is for somebody else,
// or whose slot no fact fills, is an error: a text with a hole is not sent.
func (v *presenter) appendSentence(name string, facts []fund.Evidence) {
	id, ok := v.core.Wording().ID(name)
	if !ok || !v.core.Wording().Audience(id).May(v.audience) {
		v.fail(fmt.Errorf("sentence %q is unknown or not for %s", name, v.audience))
		return
	}
	text, err := v.core.Wording().AppendEvidence(v.page.text, id, facts)
	if err != nil {
		v.fail(err)
		return
	}
	v.page.text = text
}

func (v *presenter) fail(err error) {
	if v.err == nil {
		v.err = err
	}
}
