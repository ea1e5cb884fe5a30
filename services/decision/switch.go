package decision

import (
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/wire"
)

// switchAnswer is a recorded assessment of a switch.
type switchAnswer matcher.SwitchAssessment

func (s *switchAnswer) assessment() *matcher.SwitchAssessment { return (*matcher.SwitchAssessment)(s) }
func (s *switchAnswer) identity() *matcher.Identity           { return &s.Identity }
func (s *switchAnswer) AppendCanonical(dst []byte) []byte     { return s.assessment().AppendCanonical(dst) }

func (s *switchAnswer) again(core *matcher.Core, profile *fund.Profile) (answer, error) {
	out := new(matcher.SwitchAssessment)
	return (*switchAnswer)(out), core.AssessSwitch(profile, s.Request, out)
}

func (s *switchAnswer) present(out *fundmatchv1.GetDecisionResponse) {
	r, a := &s.Request, &s.Assessment
	out.CustomerId, out.Channel = s.CustomerID, r.Channel.String()
	out.Switch = &fundmatchv1.RecordedSwitch{
		SellProductCode: r.SellCode, BuyProductCode: r.BuyCode, AmountFen: int64(a.Amount), Verdict: s.Verdict.String(),
		Initiative: s.Origin.Initiative.String(), Balance: a.Verdict.String(), Cost: wire.SwitchCost(&a.Cost),
	}
	for i := range s.Findings {
		out.Switch.Findings = append(out.Switch.Findings, finding(&s.Findings[i]))
	}
}

func (s *switchAnswer) spoken() string {
	return spoken(len(s.Findings), func(i int) *eligibility.Finding { return &s.Findings[i] })
}

// differences: verdict, sums, rules.
func (s *switchAnswer) differences(other answer) []string {
	again, ok := other.(*switchAnswer)
	if !ok {
		return nil
	}
	was, is := &s.Assessment, &again.Assessment
	var out differing
	out.add("verdict", s.Verdict.String(), again.Verdict.String())
	out.add("initiative", s.Origin.Initiative.String(), again.Origin.Initiative.String())
	out.add("balance", was.Verdict.String(), is.Verdict.String())
	out.add("amount", fen(was.Amount), fen(is.Amount))
	out.add("cost", fen(was.Cost.Total()), fen(is.Cost.Total()))
	out.add("fees saved", fen(was.Benefit.Running), fen(is.Benefit.Running))
	out.add("rules", s.spoken(), again.spoken())
	return out.list()
}
