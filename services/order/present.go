package order

import (
	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/wording"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/wire"
)

// presenter turns answers into messages for one audience. After the first error it goes on
// with empty texts; err tells.
type presenter struct {
	core     *matcher.Core
	audience wording.Audience
	err      error
}

func (v *presenter) forManager() bool { return v.audience == wording.Manager }

// order presents an order check.
func (v *presenter) order(o *matcher.OrderCheck, given []features.Confirmation, decisionID string) *fundmatchv1.CheckOrderResponse {
	r := &o.Request
	out := &fundmatchv1.CheckOrderResponse{
		DecisionId: decisionID, DecidedAt: wire.Timestamp(r.At), CustomerId: o.CustomerID, AmountFen: int64(r.Amount),
		Channel: r.Channel.String(), Audience: v.audience.String(), Verdict: o.Verdict.String(), Initiative: o.Origin.Initiative.String(),
		Revisions: wire.Revisions(o.Identity), Product: v.product(r.ProductCode), UsedConfirmations: o.Uses,
		AvailableOn: o.Dealing.On.String(), CalendarSource: o.Dealing.Calendar.String(),
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
	v.told(o, out)
	return out
}

func (v *presenter) product(code string) *fundmatchv1.ProductSummary {
	place, ok := v.core.Find(code)
	if !ok {
		return nil // not in the pool any more, and the judgement has said so
	}
	return wire.Product(v.core, place)
}
