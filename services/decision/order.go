package decision

import (
	"fmt"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
)

// orderAnswer is a recorded order check.
type orderAnswer matcher.OrderCheck

func (o *orderAnswer) check() *matcher.OrderCheck        { return (*matcher.OrderCheck)(o) }
func (o *orderAnswer) identity() *matcher.Identity       { return &o.Identity }
func (o *orderAnswer) AppendCanonical(dst []byte) []byte { return o.check().AppendCanonical(dst) }

func (o *orderAnswer) again(core *matcher.Core, profile *fund.Profile) (answer, error) {
	out := new(matcher.OrderCheck)
	return (*orderAnswer)(out), core.CheckOrder(profile, o.Request, out)
}

func (o *orderAnswer) present(out *fundmatchv1.GetDecisionResponse) {
	r := &o.Request
	out.CustomerId, out.Channel = o.CustomerID, r.Channel.String()
	out.Order = &fundmatchv1.RecordedOrder{
		ProductCode: r.ProductCode, AmountFen: int64(r.Amount), Verdict: o.Verdict.String(), Initiative: o.Origin.Initiative.String(),
		OriginReason: string(o.Origin.Reason), OriginOn: o.Origin.On.String(), RecordingId: r.RecordingID, UsedConfirmations: o.Uses,
	}
	for i := range r.Confirmations {
		out.Order.Confirmations = append(out.Order.Confirmations, r.Confirmations[i].ID)
	}
	for _, x := range o.Rejected {
		out.Order.RejectedConfirmations = append(out.Order.RejectedConfirmations, &fundmatchv1.RejectedConfirmation{Id: x.ID, Why: string(x.Why)})
	}
	for i := range o.Required {
		q := &o.Required[i]
		out.Order.Required = append(out.Order.Required, &fundmatchv1.RecordedRequirement{
			RuleId: string(q.Rule), Reason: q.Reason, Kind: q.Kind.String(), Met: q.Met,
		})
	}
	for i := range o.Findings {
		out.Order.Findings = append(out.Order.Findings, finding(&o.Findings[i].Finding))
	}
}

func finding(f *eligibility.Finding) *fundmatchv1.RecordedFinding {
	return &fundmatchv1.RecordedFinding{RuleId: string(f.Rule), Outcome: f.Outcome.String(), Reason: f.Reason}
}

// spoken lists which rules spoke, for a comparison.
func spoken(n int, at func(i int) *eligibility.Finding) string {
	out := make([]string, n)
	for i := range out {
		f := at(i)
		out[i] = string(f.Rule) + " " + f.Outcome.String() + " " + f.Reason
	}
	return fmt.Sprintf("%q", out)
}

func (o *orderAnswer) spoken() string {
	return spoken(len(o.Findings), func(i int) *eligibility.Finding { return &o.Findings[i].Finding })
}

// questions lists what had to be confirmed, and what of it was.
func (o *orderAnswer) questions() string {
	out := make([]string, len(o.Required))
	for i := range o.Required {
		q := &o.Required[i]
		out[i] = fmt.Sprintf("%s %s %s met=%t", q.Rule, q.Kind, q.Reason, q.Met)
	}
	return fmt.Sprintf("%q", out)
}

// differences: verdict, initiative, rules, questions, confirmations.
func (o *orderAnswer) differences(other answer) []string {
	again, ok := other.(*orderAnswer)
	if !ok {
		return nil
	}
	var out differing
	out.add("verdict", o.Verdict.String(), again.Verdict.String())
	out.add("initiative", o.Origin.Initiative.String(), again.Origin.Initiative.String())
	out.add("origin", string(o.Origin.Reason), string(again.Origin.Reason))
	out.add("rules", o.spoken(), again.spoken())
	out.add("required", o.questions(), again.questions())
	out.add("rejected confirmations", fmt.Sprint(o.Rejected), fmt.Sprint(again.Rejected))
	out.add("used confirmations", fmt.Sprint(o.Uses), fmt.Sprint(again.Uses))
	out.add("largest amount", fen(o.MaxAmount), fen(again.MaxAmount))
	out.add("dealt on", o.Dealing.On.String(), again.Dealing.On.String())
	return out.list()
}
