package order

import (
	"slices"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/wording"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/wire"
)

// presenter turns answers into messages for one audience. What only managers read it fills
// only for them. After the first error it goes on with empty texts; err tells.
type presenter struct {
	question
	audience wording.Audience
	err      error
}

func (v *presenter) forManager() bool { return v.audience == wording.Manager }

// order presents an order check.
func (v *presenter) order(o *matcher.OrderCheck, given []features.Confirmation, decisionID string) *fundmatchv1.CheckOrderResponse {
	r, found := &o.Request, judged(o)
	out := &fundmatchv1.CheckOrderResponse{
		DecisionId: decisionID, DecidedAt: wire.Timestamp(r.At), CustomerId: o.CustomerID, AmountFen: int64(r.Amount),
		Channel: r.Channel.String(), Audience: v.audience.String(), Verdict: o.Verdict.String(), Initiative: o.Origin.Initiative.String(),
		Revisions: wire.Revisions(o.Identity), Product: v.product(r.ProductCode), UsedConfirmations: o.Uses, Presentation: v.presentation(),
		AvailableOn: o.Dealing.On.String(), CalendarSource: o.Dealing.Calendar.String(), Findings: v.findings(found),
	}
	if day := o.Dealing.On; day != 0 {
		out.Cutoff = wire.Timestamp(day.Start().Add(fund.Cutoff))
	}
	if limit := int64(o.MaxAmount); o.MaxAmount < fund.MaxMoney {
		out.MaxAmountFen = &limit
	}
	v.demands(o, out)
	for _, x := range o.Rejected {
		out.RejectedConfirmations = append(out.RejectedConfirmations, rejected(x, given))
	}
	out.Texts = v.texts(o.Verdict, found)
	if v.forManager() {
		out.OriginReason, out.OriginOn = string(o.Origin.Reason), o.Origin.On.String()
	}
	return out
}

// judged are the findings of an order without what was done about them.
func judged(o *matcher.OrderCheck) []eligibility.Finding {
	out := make([]eligibility.Finding, len(o.Findings))
	for i := range o.Findings {
		out[i] = o.Findings[i].Finding
	}
	return out
}

// demands presents what the order needs first.
func (v *presenter) demands(o *matcher.OrderCheck, out *fundmatchv1.CheckOrderResponse) {
	for i := range o.Required {
		out.Required = append(out.Required, v.requirement(&o.Required[i], o.Request.At))
	}
	for i := range o.Steps {
		x := &o.Steps[i]
		out.Steps = append(out.Steps, &fundmatchv1.OrderStep{RuleId: string(x.Rule), Code: x.Code, Text: v.sentence(x.Sentence, x.Evidence), Done: x.Done})
	}
	for i := range o.Disclosures {
		x := &o.Disclosures[i]
		d := &fundmatchv1.Disclosure{Id: x.Sentence, Version: v.core.Wording().Version(), Text: v.sentence(x.Sentence, x.Evidence)}
		if x.Sentence == "" {
			d.Id = "order." + string(x.Rule) + "." + x.Code
		}
		if !slices.ContainsFunc(out.GetDisclosures(), func(o *fundmatchv1.Disclosure) bool { return o.GetText() == d.GetText() }) {
			out.Disclosures = append(out.Disclosures, d)
		}
	}
}

// requirement presents one question. Why a person of the bank decides first is the bank's
// matter: a customer reads only that somebody does.
func (v *presenter) requirement(q *matcher.Requirement, at fund.Instant) *fundmatchv1.RequiredConfirmation {
	out := &fundmatchv1.RequiredConfirmation{
		Kind: q.Kind.String(), NotBefore: wire.Timestamp(q.NotBefore), Met: q.Met, ExpiresAt: wire.Timestamp(at.Add(matcher.OrderConfirmationLife)),
	}
	if q.Kind == eligibility.Review && !v.forManager() {
		out.Text = v.sentence(reviewSentence, nil)
		return out
	}
	out.RuleId, out.Reason, out.Text = string(q.Rule), q.Reason, v.sentence(q.Sentence, q.Evidence)
	return out
}

// rejected says why a confirmation does not count, and of a used one whom it served.
func rejected(x matcher.RejectedConfirmation, given []features.Confirmation) *fundmatchv1.RejectedConfirmation {
	out := &fundmatchv1.RejectedConfirmation{Id: x.ID, Why: string(x.Why)}
	for i := range given {
		if given[i].ID == x.ID && x.Why == matcher.RejectedUsed {
			out.UsedBy = given[i].UsedBy
		}
	}
	return out
}

// findings presents the rules that spoke, those that the audience may be told of.
func (v *presenter) findings(fs []eligibility.Finding) []*fundmatchv1.Finding {
	out := make([]*fundmatchv1.Finding, 0, len(fs))
	for i := range fs {
		if !v.forManager() && !tellable(&fs[i]) {
			continue
		}
		f := wire.Finding(v.core, &fs[i], v.audience)
		if v.forManager() {
			wire.FillFinding(f, v.core, &fs[i])
		}
		out = append(out, f)
	}
	return out
}

// tellable reports whether a customer may learn that a rule spoke. Work for the bank's
// people and what is only recorded is the bank's matter.
func tellable(f *eligibility.Finding) bool {
	switch f.Outcome {
	case eligibility.Review, eligibility.Task, eligibility.Audit:
		return false
	default:
		return f.Rule.Tellable()
	}
}

// texts are what the customer is told: what follows and, where something stands against it,
// why, in the words of the rules that he may be told of, each once.
func (v *presenter) texts(verdict matcher.OrderVerdict, findings []eligibility.Finding) []string {
	out := []string{v.sentence(verdictSentence(verdict), nil)}
	if verdict == matcher.OrderAllow {
		return out
	}
	for i := range findings {
		f := &findings[i]
		if f.Outcome < eligibility.Confirm || !tellable(f) {
			continue
		}
		if text := v.core.Words(f, wording.Customer).Text; text != "" && !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

// The sentences of this service, in templates/verdict.yaml. None of them tells a reason.
const reviewSentence = "verdict.REVIEW"

func verdictSentence(v matcher.OrderVerdict) string { return "verdict." + v.String() }

// sentence renders a sentence that the audience may read; "" for no name.
func (v *presenter) sentence(name string, facts []fund.Evidence) string {
	if name == "" {
		return ""
	}
	text := v.core.Wording()
	id, _ := text.ID(name)
	if !text.Audience(id).May(v.audience) {
		return ""
	}
	out, err := text.AppendEvidence(nil, id, facts)
	if err != nil && v.err == nil {
		v.err = err
	}
	return string(out)
}

func (v *presenter) product(code string) *fundmatchv1.ProductSummary {
	place, ok := v.core.Find(code)
	if !ok {
		return nil // the judgement has said so
	}
	return wire.Product(v.core, place)
}

func (v *presenter) presentation() *fundmatchv1.Presentation {
	out, err := wire.Presentation(v.core, v.core.IsElder(v.profile, v.at))
	if err != nil && v.err == nil {
		v.err = err
	}
	return out
}
