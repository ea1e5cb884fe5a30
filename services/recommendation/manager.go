package recommendation

import (
	"fmt"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/expectation"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
	"github.com/fundmatch/fundmatch/matcher/score/outcome"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/wire"
)

// What only managers read: every field that the API marks manager_only is filled in this
// file, and nothing in it runs for a customer.

// desk fills the manager's fields of messages that a presenter made for both.
type desk struct{ *presenter }

// desk opens the manager's desk; not for a customer.
func (v *presenter) desk() (desk, bool) { return desk{v}, v.forManager() }

// answer fills what managers read of a slate.
func (d desk) answer(s *matcher.Slate, out *fundmatchv1.RecommendResponse) {
	out.Brief = d.brief(s.Brief)
	for i := range s.Items {
		if item := out.Items[i]; item != nil {
			d.aspects(s.Items[i].Matched, item.GetExpectation().GetMatched())
			d.objections(s.Items[i].Objections, item.GetObjections())
			d.conversion(&s.Items[i].Conversion, item.GetConversion())
			item.TalkCard = d.talkCard(s, &s.Items[i])
		}
	}
	for i := range s.Holdings {
		if h := out.Holdings[i]; h != nil && len(s.Holdings[i].Private) > 0 {
			h.ManagerEvidence = d.page.facts(s.Holdings[i].Private)
		}
	}
}

// explanation fills what managers read of an explanation, whose items were presented.
func (d desk) explanation(e *matcher.Explanation, out *fundmatchv1.ExplainResponse) {
	s := &e.Slate
	out.Brief, out.BreachBasis = d.brief(s.Brief), breachBasis(e.Breach)
	d.findings(e.Findings, out.GetFindings())
	d.findings(e.OrderFindings, out.GetOrderFindings())
	for i := range s.Items {
		if out.GetConversion() == nil {
			continue // the item has failed already
		}
		d.aspects(s.Items[i].Matched, out.GetExpectation().GetMatched())
		d.objections(s.Items[i].Objections, out.GetObjections())
		d.conversion(&s.Items[i].Conversion, out.GetConversion())
		out.TalkCard = d.talkCard(s, &s.Items[i])
	}
}

// breachBasis presents how the value of BREACH came about; nil when there is none.
func breachBasis(b *matcher.BreachBasis) *fundmatchv1.BreachBasis {
	if b == nil {
		return nil
	}
	out := &fundmatchv1.BreachBasis{
		Probability: b.Value, Level: b.Level.String(), Tolerance: b.Tolerance.Float(), HorizonMonths: b.Months,
	}
	if b.Foreseen == nil {
		return out
	}
	is := &b.Foreseen.Basis
	out.Volatility, out.AsOf, out.LastNav = is.Volatility.Float(), is.AsOf.String(), is.LastNAV.String()
	out.OwnReturns, out.OwnWeight, out.ClassFunds, out.Costed = is.OwnReturns, is.OwnWeight.Float(), is.ClassFunds, is.Costed
	if is.Class != fund.ClassUnknown {
		out.Class = is.Class.String()
	}
	for i, fall := range b.Foreseen.Drawdown {
		out.Fall = append(out.Fall, &fundmatchv1.FallQuantile{Level: outcome.Level(i), Fall: fall.Float()})
	}
	return out
}

// aspects tells how well each aspect is met: how he bore falls is in it. To a manager all
// are shown, so that the messages stand in the aspects' order.
func (d desk) aspects(matched []expectation.Match, out []*fundmatchv1.MatchedAspect) {
	for i := range out {
		out[i].Fit = matched[i].Fit.Float()
	}
}

// objections tells what raises each doubt, how likely it is, and how to speak of it. To a
// manager all are shown, so that the messages stand in the doubts' order.
func (d desk) objections(doubts []objection.Objection, out []*fundmatchv1.Objection) {
	for i := range out {
		o, m := &doubts[i], out[i]
		m.LikelihoodBand, m.ResolvedBand, m.Silenced, m.Raised = o.Band.String(), "UNKNOWN", o.Silenced, o.Raised
		for _, t := range o.Triggers {
			if t != "" {
				m.Trigger = append(m.Trigger, t)
			}
		}
		for j, message := range d.page.facts(o.Grounds) {
			if o.Grounds[j].Source == productRecord {
				m.ManagerEvidence = append(m.ManagerEvidence, message)
			} else {
				m.Grounds = append(m.Grounds, message)
			}
		}
		d.advice(&m.Advice, o)
	}
}

// advice renders how to speak of a doubt: of its grounds, and of what answers it.
func (v *presenter) advice(into *string, o *objection.Objection) {
	if o.Advice != "" {
		v.facts = append(append(v.facts[:0], o.Grounds...), o.Evidence...)
		v.sentence(into, o.Advice, v.facts)
	}
}

// productRecord is the source of facts about a product: among a doubt's grounds those are
// figures that only a manager may tell, such as windows of a few months (W01).
const productRecord = "NAV"

// conversion tells why this action, how likely it is to be taken where a model says so, and
// where to take up the thread again.
func (d desk) conversion(c *conversion.Conversion, out *fundmatchv1.Conversion) {
	d.optional(&out.ManagerText, c.ToManager, c.Evidence)
	if c.Probability.OK {
		probability := c.Probability.Value.Float()
		out.Probability = &probability
	}
	f := &c.FollowUp
	if f.Node == fund.NoNode {
		return
	}
	out.FollowUp = &fundmatchv1.FollowUp{KeyNode: f.Node.String(), On: f.On.String(), Direction: "FORWARD"}
	if f.Backward {
		out.FollowUp.Direction = "BACKWARD"
	}
	d.optional(&out.FollowUp.Text, f.Sentence, nil)
}

// talkCard presents what a manager needs to speak of a product; nil without a card.
func (d desk) talkCard(s *matcher.Slate, it *matcher.Item) *fundmatchv1.TalkCard {
	c := it.Card
	if c == nil {
		return nil
	}
	place, ok := d.core.Find(it.Code)
	if !ok {
		return nil // the item has failed already
	}
	p := d.core.Product(place)
	out := &fundmatchv1.TalkCard{
		BankGrade: c.BankGrade.String(), IssuerGrade: c.IssuerGrade.String(), EffectiveGrade: c.Grade.String(),
		Mandatory: d.mandatory(it), Avoid: d.avoid(p, s, place), Costs: d.costs(c.Costs),
		WorstYear: d.page.facts(c.WorstYear), KeyFactsVersion: p.Listing.KeyFactsVersion,
		RecordingRequired: c.Recording, Peer: d.peer(it),
	}
	if c.BreakEvenDays >= 0 {
		days := c.BreakEvenDays
		out.BreakEvenDays = &days
	}
	if b := s.Brief; b != nil {
		out.RiskLevel, out.AssessedOn, out.ExpiresOn = b.Level.String(), b.AssessedOn.String(), b.ExpiresOn.String()
	}
	d.optional(&out.Opinion, c.Opinion, c.OpinionFacts)
	d.optional(&out.DoNothing, c.DoNothing, nil)
	d.issuerLine(&out.IssuerLine, p)
	return out
}

// optional renders a sentence that may be wanting.
func (d desk) optional(into *string, name string, facts []fund.Evidence) {
	if name != "" {
		d.sentence(into, name, facts)
	}
}

// mandatory lists the words that must be said of this product, each once: what it is
// not, what an opinion is worth, and what the answers to its doubts disclose.
func (d desk) mandatory(it *matcher.Item) []*fundmatchv1.Disclosure {
	names := []string{"disclosure.NOT_A_DEPOSIT", "disclosure.SUITABILITY", "disclosure.INDEPENDENT_DECISION"}
	if len(it.Card.WorstYear) > 0 || len(it.Card.PeerFacts) > 0 {
		names = append(names, objection.PastPerformance)
	}
	for i := range it.Objections {
		if name := it.Objections[i].Discloses; name != "" {
			names = append(names, name)
		}
	}
	out := make([]*fundmatchv1.Disclosure, 0, len(names))
	for i, name := range names {
		if indexOf(names, name) == i {
			out = append(out, d.disclosure(name))
		}
	}
	return out
}

func indexOf(names []string, name string) int {
	for i := range names {
		if names[i] == name {
			return i
		}
	}
	return -1
}

// avoid lists what may not be said: of any product, then of one like this, then to a
// customer like him.
func (d desk) avoid(p *fund.Product, s *matcher.Slate, place int) []string {
	names := make([]string, 0, len(avoidAlways)+4)
	names = append(names, avoidAlways[:]...)
	if d.core.IsNewIssue(place) {
		names = append(names, "card.avoid.NEW_ISSUE")
	}
	if p.Terms.LockupDays > 0 || p.Terms.ClosedUntil > s.Request.At.Date() {
		names = append(names, "card.avoid.ANY_TIME")
	}
	if s.Wish.Goal == fund.TaxDeferredPension || p.Listing.Kind == fund.PensionFund {
		names = append(names, "card.avoid.PENSION")
	}
	if s.Elder {
		names = append(names, "card.avoid.FAMILY")
	}
	out := make([]string, len(names))
	for i, name := range names {
		d.sentence(&out[i], name, nil)
	}
	return out
}

var avoidAlways = [...]string{
	"card.avoid.PROMISE", "card.avoid.FORECAST", "card.avoid.WIN_RATE", "card.avoid.URGING", "card.avoid.DEPOSIT",
	"card.avoid.RANK", "card.avoid.SIZE", "card.avoid.GIFT", "card.avoid.SWITCH",
}

// costs presents what the amount costs by class and days; without fees there is no cost.
func (d desk) costs(points []matcher.CostPoint) []*fundmatchv1.CostPoint {
	out := make([]*fundmatchv1.CostPoint, len(points))
	for i := range points {
		c := &points[i]
		out[i] = &fundmatchv1.CostPoint{ShareClass: c.ShareClass, Days: c.Days}
		if c.OK {
			out[i].Cost = fillCost(new(fundmatchv1.Cost), &conversion.ClassCost{Cost: c.Cost, OK: true})
		}
		if c.Days == 0 {
			d.sentence(&out[i].Label, "card.cost.entry", nil)
			continue
		}
		d.sentence(&out[i].Label, "card.cost.held", []fund.Evidence{{Field: "HELD", Unit: fund.UnitDays, Number: int64(c.Days)}})
	}
	return out
}

// issuerLine says who stands behind a product (C08).
func (d desk) issuerLine(into *string, p *fund.Product) {
	switch {
	case p.Listing.Kind == fund.OwnProduct:
		d.sentence(into, "card.issuer.own", nil)
	case p.Parties.Issuer == "":
		d.sentence(into, "card.issuer.unknown", nil)
	default:
		d.sentence(into, "card.issuer", []fund.Evidence{{Field: "ISSUER", Text: p.Parties.Issuer}})
	}
}

// peer presents the existing fund beside a new issue (K03).
func (d desk) peer(it *matcher.Item) *fundmatchv1.Peer {
	if it.PeerCode == "" {
		return nil
	}
	place, ok := d.core.Find(it.PeerCode)
	if !ok {
		d.fail(fmt.Errorf("peer %s of the answer is not in its core", it.PeerCode))
		return nil
	}
	p := d.core.Product(place)
	return &fundmatchv1.Peer{
		Code: p.Code, Name: p.Name, RiskGrade: p.Grades.Effective().String(), Evidence: d.page.facts(it.Card.PeerFacts),
	}
}

// brief presents what a manager must know of the customer; nil when it was not made.
func (d desk) brief(b *matcher.Brief) *fundmatchv1.ManagerBrief {
	if b == nil {
		return nil
	}
	c := &b.Contact
	out := &fundmatchv1.ManagerBrief{
		RiskLevel: b.Level.String(), LevelState: b.State.String(), AssessedOn: b.AssessedOn.String(), ExpiresOn: b.ExpiresOn.String(),
		InvestorType: b.InvestorType.String(), Elder: b.Elder, Company: b.Company,
		Contact: &fundmatchv1.ContactAllowance{
			Allowed: c.Allowed, Reason: string(c.Reason), Remaining: c.Remaining, Cap: c.Cap, WindowDays: c.WindowDays,
			NotBefore: c.NotBefore.String(), LastOn: c.LastOn.String(), OpenComplaints: c.OpenComplaints,
		},
		Consents: make([]*fundmatchv1.ConsentState, len(b.Consents)),
		Licence:  &fundmatchv1.LicenceState{ManagerId: b.Licence.ManagerID, State: b.Licence.State, Until: b.Licence.Until.String()},
		Delivery: b.Delivery, Facts: d.page.facts(b.Facts),
	}
	for i, word := range b.Consents {
		out.Consents[i] = &fundmatchv1.ConsentState{Purpose: word.Purpose, Granted: word.Granted, At: word.At.Date().String()}
	}
	d.optional(&out.DeliveryReason, b.DeliveryReason, nil)
	return out
}

// findings gives the rules' words, citations, facts and parameters.
func (d desk) findings(fs []eligibility.Finding, out []*fundmatchv1.Finding) {
	for i := range fs {
		wire.FillFinding(out[i], d.core, &fs[i])
	}
}
