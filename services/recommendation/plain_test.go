package recommendation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/expectation"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
	"github.com/fundmatch/fundmatch/matcher/wording"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/wire"
)

// plain presents answers one message and one text at a time: slower by half, and easy to
// see through. What presenter makes on its page must be the same.
type plain struct {
	core     *matcher.Core
	audience wording.Audience
	buf      []byte
	err      error
}

func (v *plain) forManager() bool { return v.audience == wording.Manager }

// answer presents a slate.
func (v *plain) answer(s *matcher.Slate, explain bool) *fundmatchv1.RecommendResponse {
	out := &fundmatchv1.RecommendResponse{
		DecidedAt: wire.Timestamp(s.Request.At), ValidUntil: wire.Timestamp(s.ValidUntil), Personalized: s.Personal,
		Revisions: wire.Revisions(s.Identity), CustomerId: s.CustomerID, Channel: s.Request.Channel.String(),
		Audience: v.audience.String(), Initiative: fund.ByFirm.String(),
		Items: make([]*fundmatchv1.Item, len(s.Items)), Excluded: make([]*fundmatchv1.Exclusion, 0, len(s.Excluded)),
		Presentation: v.presentation(s.Elder),
	}
	for i := range s.Items {
		out.Items[i] = v.item(s, i, explain)
	}
	for _, x := range s.Excluded {
		if v.audience == wording.Manager || x.ID != eligibility.C07 {
			out.Excluded = append(out.Excluded, &fundmatchv1.Exclusion{RuleId: string(x.ID), Count: int32(x.Count)})
		}
	}
	for _, name := range s.Disclosures {
		if name == matcher.IssuerDisclosure {
			out.Disclosures = append(out.Disclosures, v.issuers(s)...)
			continue
		}
		out.Disclosures = append(out.Disclosures, v.disclosure(name, s.Identity.WordingID))
	}
	for i := range s.Notices {
		n := &s.Notices[i]
		if v.mayShow(n.Sentence) {
			out.Notices = append(out.Notices, &fundmatchv1.Notice{Code: n.Code, Text: v.sentence(n.Sentence, n.Evidence), Task: n.Task})
		}
	}
	for i := range s.Holdings {
		out.Holdings = append(out.Holdings, v.holding(&s.Holdings[i]))
	}
	if v.forManager() {
		out.Brief = v.brief(s.Brief)
	}
	return out
}

func (v *plain) presentation(elder bool) *fundmatchv1.Presentation {
	if !elder {
		return &fundmatchv1.Presentation{}
	}
	return &fundmatchv1.Presentation{ElderMode: true, LargeType: true, PlainWords: true, HumanRoute: v.sentence("card.human_route", nil)}
}

func (v *plain) holding(h *matcher.HoldingReview) *fundmatchv1.HoldingReview {
	place, _ := v.core.Find(h.Code)
	out := &fundmatchv1.HoldingReview{
		Product: wire.Product(v.core, place), Action: h.Action.String(), Text: v.sentence(h.Sentence, h.Evidence), Evidence: wire.Evidence(h.Evidence),
	}
	if v.forManager() {
		out.ManagerEvidence = wire.Evidence(h.Private)
	}
	return out
}

func (v *plain) item(s *matcher.Slate, i int, explain bool) *fundmatchv1.Item {
	it := &s.Items[i]
	place, ok := v.core.Find(it.Code)
	if !ok {
		v.fail(fmt.Errorf("product %s of the answer is not in its core", it.Code))
		return nil
	}
	out := &fundmatchv1.Item{
		Rank: int32(i + 1), Product: wire.Product(v.core, place), Score: it.Score, Propensity: it.Propensity, PeerCode: it.PeerCode,
		Expectation: v.expectation(s, it.Matched), Conversion: v.conversion(&it.Conversion),
		Orderable: it.Conversion.Action == conversion.Buy || it.Conversion.Action == conversion.Plan,
	}
	for _, name := range it.Why {
		if name != "" {
			out.Why = append(out.Why, v.sentence(name, nil))
		}
	}
	if v.forManager() && it.Card != nil {
		out.TalkCard = v.talkCard(s, it, v.core.Product(place))
	}
	if explain {
		out.Contributions = wire.Contributions(it.Contributions)
	}
	out.Objections = v.objections(it.Objections)
	return out
}

func (v *plain) expectation(s *matcher.Slate, matched []expectation.Match) *fundmatchv1.Expectation {
	w := &s.Wish
	grounds := w.Facts(s.Request.At.Date(), nil)
	out := &fundmatchv1.Expectation{
		Goal: w.Goal.String(), HorizonMonths: w.HorizonMonths, Confidence: w.Confidence.Float(), Source: w.Source.String(),
		Headline: v.sentence(w.Headline(s.Personal), nil), QuestionCode: w.Question.String(), Company: w.Company, Evidence: wire.Evidence(grounds),
	}
	if name := w.Reason(); name != "" {
		out.Reason = v.sentence(name, grounds)
	}
	if name := w.QuestionSentence(); name != "" {
		out.Question = v.sentence(name, nil)
	}
	for i := range matched {
		m := &matched[i]
		if !v.forManager() && (m.ManagerOnly || !m.Met) {
			continue
		}
		facts := append([]fund.Evidence{m.Customer, m.Product}, m.Facts...)
		horizon := fund.Evidence{Field: "HORIZON", Unit: fund.UnitMonths, Number: int64(w.HorizonMonths)}
		aspect := &fundmatchv1.MatchedAspect{
			Aspect: m.Aspect.String(), CustomerValue: m.Customer.Value(), ProductValue: m.Product.Value(), Met: m.Met,
			Evidence: wire.Evidence(m.Facts), Text: v.sentence(m.Sentence, append(facts, horizon)),
		}
		if v.forManager() {
			aspect.Fit = m.Fit.Float()
		}
		out.Matched = append(out.Matched, aspect)
	}
	return out
}

// objections presents the doubts of an item: to a customer by their faces.
func (v *plain) objections(doubts []objection.Objection) []*fundmatchv1.Objection {
	var out []*fundmatchv1.Objection
	quiet := map[string]bool{}
	for i := range doubts {
		if face, ok := doubts[i].Code.Face(); ok && doubts[i].Silenced {
			quiet[face.String()] = true
		}
	}
	for i := range doubts {
		m := v.objection(&doubts[i])
		if !v.forManager() {
			face, ok := doubts[i].Code.Face()
			if !ok || quiet[face.String()] || m.GetAnswer() == "" {
				continue
			}
			m.Code, quiet[face.String()] = face.String(), true
		}
		out = append(out, m)
	}
	return out
}

// objection presents a doubt.
func (v *plain) objection(o *objection.Objection) *fundmatchv1.Objection {
	out := &fundmatchv1.Objection{Code: o.Code.String(), Evidence: wire.Evidence(o.Evidence)}
	for _, name := range o.Sentences {
		if name != "" {
			out.Answer += v.sentence(name, o.Evidence)
		}
	}
	if o.Discloses != "" {
		out.Disclosures = []string{o.Discloses}
	}
	if v.forManager() {
		v.ground(o, out)
	}
	return out
}

// ground says what raises a doubt.
func (v *plain) ground(o *objection.Objection, out *fundmatchv1.Objection) {
	out.LikelihoodBand, out.ResolvedBand, out.Silenced, out.Raised = o.Band.String(), "UNKNOWN", o.Silenced, o.Raised
	for _, t := range o.Triggers {
		if t != "" {
			out.Trigger = append(out.Trigger, t)
		}
	}
	for i := range o.Grounds {
		one := wire.Evidence(o.Grounds[i : i+1])
		if o.Grounds[i].Source == "NAV" {
			out.ManagerEvidence = append(out.ManagerEvidence, one...)
		} else {
			out.Grounds = append(out.Grounds, one...)
		}
	}
	if o.Advice != "" {
		out.Advice = v.sentence(o.Advice, append(slices.Clone(o.Grounds), o.Evidence...))
	}
}

func (v *plain) conversion(c *conversion.Conversion) *fundmatchv1.Conversion {
	out := &fundmatchv1.Conversion{
		Action: c.Action.String(), ProductCode: c.ProductCode, ShareClass: c.ShareClass, CalendarSource: c.Calendar.String(),
		AvailableOn: c.AvailableOn.String(), Text: v.sentence(c.Sentence, c.Evidence),
		HorizonCost: &fundmatchv1.HorizonCost{A: plainCost(&c.Quote.A), C: plainCost(&c.Quote.C), Days: c.Quote.Days, AmountFen: int64(c.Quote.CostAmount)},
	}
	if c.Cutoff != 0 {
		out.Cutoff = wire.Timestamp(c.Cutoff)
	}
	if c.Action == conversion.Buy {
		out.AmountFen = &fundmatchv1.AmountRange{Min: int64(c.Quote.Min), Suggested: int64(c.Quote.Suggested), Max: int64(c.Quote.Max)}
	}
	if c.Plan.Cadence == conversion.Monthly {
		out.Plan = &fundmatchv1.Plan{Cadence: "MONTHLY", AmountFen: int64(c.Plan.Amount)}
	}
	if v.forManager() {
		v.thread(c, out)
	}
	for _, step := range c.Steps {
		if step != "" {
			out.Steps = append(out.Steps, &fundmatchv1.Step{Code: string(step), Text: v.sentence(step.Label(), nil)})
		}
	}
	return out
}

func (v *plain) thread(c *conversion.Conversion, out *fundmatchv1.Conversion) {
	if c.ToManager != "" {
		out.ManagerText = v.sentence(c.ToManager, c.Evidence)
	}
	if c.Probability.OK {
		probability := float64(c.Probability.Value) / 1e6
		out.Probability = &probability
	}
	if c.FollowUp.Node != fund.NoNode {
		out.FollowUp = &fundmatchv1.FollowUp{KeyNode: c.FollowUp.Node.String(), On: c.FollowUp.On.String(), Direction: "FORWARD"}
		if c.FollowUp.Backward {
			out.FollowUp.Direction = "BACKWARD"
		}
		if c.FollowUp.Sentence != "" {
			out.FollowUp.Text = v.sentence(c.FollowUp.Sentence, nil)
		}
	}
}

func plainCost(c *conversion.ClassCost) *fundmatchv1.Cost {
	if !c.OK {
		return nil
	}
	return &fundmatchv1.Cost{
		EntryFen: int64(c.Entry), ServiceFen: int64(c.Service), RunningFen: int64(c.Running), ExitFen: int64(c.Exit), TotalFen: int64(c.Total()),
	}
}

// talkCard presents what a manager needs beside a product.
func (v *plain) talkCard(s *matcher.Slate, it *matcher.Item, p *fund.Product) *fundmatchv1.TalkCard {
	c := it.Card
	out := &fundmatchv1.TalkCard{
		BankGrade: c.BankGrade.String(), IssuerGrade: c.IssuerGrade.String(), EffectiveGrade: c.Grade.String(),
		WorstYear: wire.Evidence(c.WorstYear), KeyFactsVersion: p.Listing.KeyFactsVersion, RecordingRequired: c.Recording,
	}
	if c.Opinion != "" {
		out.Opinion = v.sentence(c.Opinion, c.OpinionFacts)
	}
	if c.DoNothing != "" {
		out.DoNothing = v.sentence(c.DoNothing, nil)
	}
	if s.Brief != nil {
		out.RiskLevel, out.AssessedOn, out.ExpiresOn = s.Brief.Level.String(), s.Brief.AssessedOn.String(), s.Brief.ExpiresOn.String()
	}
	if days := c.BreakEvenDays; days >= 0 {
		out.BreakEvenDays = &days
	}
	v.saying(s, it, p, out)
	for i := range c.Costs {
		x := &c.Costs[i]
		point := &fundmatchv1.CostPoint{ShareClass: x.ShareClass, Days: x.Days, Cost: plainCost(&conversion.ClassCost{Cost: x.Cost, OK: x.OK})}
		if x.Days == 0 {
			point.Label = v.sentence("card.cost.entry", nil)
		} else {
			point.Label = v.sentence("card.cost.held", []fund.Evidence{{Field: "HELD", Unit: fund.UnitDays, Number: int64(x.Days)}})
		}
		out.Costs = append(out.Costs, point)
	}
	if it.PeerCode != "" {
		place, _ := v.core.Find(it.PeerCode)
		peer := wire.Product(v.core, place)
		out.Peer = &fundmatchv1.Peer{Code: peer.GetCode(), Name: peer.GetName(), RiskGrade: peer.GetRiskGrade(), Evidence: wire.Evidence(c.PeerFacts)}
	}
	return out
}

// saying is what must be said, what may not, and who stands behind the product.
func (v *plain) saying(s *matcher.Slate, it *matcher.Item, p *fund.Product, out *fundmatchv1.TalkCard) {
	names := []string{"NOT_A_DEPOSIT", "SUITABILITY", "INDEPENDENT_DECISION"}
	if len(it.Card.WorstYear)+len(it.Card.PeerFacts) > 0 {
		names = append(names, "PAST_PERFORMANCE")
	}
	for i := range it.Objections {
		name := strings.TrimPrefix(it.Objections[i].Discloses, "disclosure.")
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, name := range names {
		out.Mandatory = append(out.Mandatory, v.disclosure("disclosure."+name, s.Identity.WordingID))
	}
	avoid := []string{"PROMISE", "FORECAST", "WIN_RATE", "URGING", "DEPOSIT", "RANK", "SIZE", "GIFT", "SWITCH"}
	place, _ := v.core.Find(p.Code)
	for _, x := range []struct {
		name string
		also bool
	}{
		{"NEW_ISSUE", v.core.IsNewIssue(place)},
		{"ANY_TIME", p.Terms.LockupDays > 0 || p.Terms.ClosedUntil > s.Request.At.Date()},
		{"PENSION", s.Wish.Goal == fund.TaxDeferredPension || p.Listing.Kind == fund.PensionFund},
		{"FAMILY", s.Elder},
	} {
		if x.also {
			avoid = append(avoid, x.name)
		}
	}
	for _, name := range avoid {
		out.Avoid = append(out.Avoid, v.sentence("card.avoid."+name, nil))
	}
	issuer := []fund.Evidence{{Field: "ISSUER", Text: p.Parties.Issuer}}
	switch {
	case p.Listing.Kind == fund.OwnProduct:
		out.IssuerLine = v.sentence("card.issuer.own", nil)
	case p.Parties.Issuer == "":
		out.IssuerLine = v.sentence("card.issuer.unknown", nil)
	default:
		out.IssuerLine = v.sentence("card.issuer", issuer)
	}
}

// brief presents what a manager must know of the customer.
func (v *plain) brief(b *matcher.Brief) *fundmatchv1.ManagerBrief {
	if b == nil {
		return nil
	}
	c := b.Contact
	out := &fundmatchv1.ManagerBrief{
		RiskLevel: b.Level.String(), LevelState: b.State.String(), AssessedOn: b.AssessedOn.String(), ExpiresOn: b.ExpiresOn.String(),
		InvestorType: b.InvestorType.String(), Elder: b.Elder, Company: b.Company, Delivery: b.Delivery, Facts: wire.Evidence(b.Facts),
		Contact: &fundmatchv1.ContactAllowance{
			Allowed: c.Allowed, Reason: string(c.Reason), Remaining: c.Remaining, Cap: c.Cap, WindowDays: c.WindowDays,
			NotBefore: c.NotBefore.String(), LastOn: c.LastOn.String(), OpenComplaints: c.OpenComplaints,
		},
		Licence: &fundmatchv1.LicenceState{ManagerId: b.Licence.ManagerID, State: b.Licence.State, Until: b.Licence.Until.String()},
	}
	for _, w := range b.Consents {
		out.Consents = append(out.Consents, &fundmatchv1.ConsentState{Purpose: w.Purpose, Granted: w.Granted, At: w.At.Date().String()})
	}
	if b.DeliveryReason != "" {
		out.DeliveryReason = v.sentence(b.DeliveryReason, nil)
	}
	return out
}

// issuers names each issuer once, but for the bank's own products.
func (v *plain) issuers(s *matcher.Slate) []*fundmatchv1.Disclosure {
	var out []*fundmatchv1.Disclosure
	var named []string
	for i := range s.Items {
		place, _ := v.core.Find(s.Items[i].Code)
		p := v.core.Product(place)
		if issuer := p.Parties.Issuer; p.Listing.Kind != fund.OwnProduct && issuer != "" && !slices.Contains(named, issuer) {
			named = append(named, issuer)
			text := v.sentence(matcher.IssuerDisclosure, []fund.Evidence{{Field: "ISSUER", Text: issuer}})
			out = append(out, &fundmatchv1.Disclosure{Id: matcher.IssuerDisclosure, Version: s.Identity.WordingID, Text: text})
		}
	}
	return out
}

func (v *plain) disclosure(name, version string) *fundmatchv1.Disclosure {
	return &fundmatchv1.Disclosure{Id: name, Version: version, Text: v.sentence(name, nil)}
}

// mayShow reports whether a sentence is for this audience.
func (v *plain) mayShow(name string) bool {
	id, ok := v.core.Wording().ID(name)
	return ok && v.core.Wording().Audience(id).May(v.audience)
}

// sentence renders a template.
func (v *plain) sentence(name string, facts []fund.Evidence) string {
	start := len(v.buf)
	v.appendSentence(name, facts)
	return string(v.buf[start:])
}

// appendSentence renders a template into the buffer. A sentence that is for somebody
// else, or whose slot no fact fills, is an error: a text with a hole is not sent.
func (v *plain) appendSentence(name string, facts []fund.Evidence) {
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

func (v *plain) fail(err error) {
	if v.err == nil {
		v.err = err
	}
}
