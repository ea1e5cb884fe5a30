package order

import (
	"context"
	"strconv"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/switching"
	"github.com/fundmatch/fundmatch/matcher/wording"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/wire"
)

// switchQuestion is a switch as it is asked about.
type switchQuestion struct {
	customerID string
	audience   wording.Audience
	request    matcher.SwitchRequest
}

// AssessSwitch implements the RPC. Errors: *features.InvalidError, *features.NotFoundError,
// those of Core.AssessSwitch, of the stores and of the log.
func (s *Service) AssessSwitch(ctx context.Context, r *fundmatchv1.AssessSwitchRequest) (*fundmatchv1.AssessSwitchResponse, error) {
	asked, err := parseSwitch(r)
	if err != nil {
		return nil, err
	}
	q, err := s.ask(ctx, asked.customerID)
	if err != nil {
		return nil, err
	}
	asked.request.At = q.at
	if asked.request.Licence, err = s.licence(ctx, &q, asked.request.Channel); err != nil {
		return nil, err
	}
	for _, code := range [...]string{asked.request.SellCode, asked.request.BuyCode} {
		if _, ok := q.core.Find(code); !ok {
			return nil, &features.NotFoundError{Kind: features.ProductKind, ID: code}
		}
	}
	var assessment matcher.SwitchAssessment
	if err := q.core.AssessSwitch(q.profile, asked.request, &assessment); err != nil {
		return nil, err
	}
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	view := presenter{question: q, audience: asked.audience}
	answer := view.assessment(&assessment, id)
	if view.err != nil {
		return nil, view.err
	}
	if err := s.record(ctx, id, &q, assessment.AppendCanonical(nil)); err != nil {
		return nil, err
	}
	return answer, nil
}

// parseSwitch checks every value of the request.
func parseSwitch(r *fundmatchv1.AssessSwitchRequest) (q switchQuestion, err error) {
	q = switchQuestion{customerID: r.GetCustomerId()}
	q.request = matcher.SwitchRequest{SellCode: r.GetSellProductCode(), BuyCode: r.GetBuyProductCode(), Amount: fund.Money(r.GetAmountFen())}
	for _, id := range [...]struct{ field, value string }{
		{"customerId", q.customerID}, {"sellProductCode", q.request.SellCode}, {"buyProductCode", q.request.BuyCode},
	} {
		if err := checkID(id.field, id.value); err != nil {
			return q, err
		}
	}
	if q.request.BuyCode == q.request.SellCode {
		return q, features.Invalid("buyProductCode", q.request.BuyCode, "another product than sellProductCode")
	}
	if q.request.Amount < 0 || q.request.Amount > fund.MaxMoney {
		return q, features.Invalid("amountFen", strconv.FormatInt(r.GetAmountFen(), 10), "0 to "+strconv.FormatInt(int64(fund.MaxMoney), 10)+" fen")
	}
	if text := r.GetShares(); text != "" {
		shares, ok := wire.ParseShares(text)
		if !ok || shares == 0 {
			return q, features.Invalid("shares", text, wire.SharesExpected+", more than 0, or nothing")
		}
		q.request.Shares = shares
	}
	if q.request.Channel, err = parseChannel(r.GetChannel(), fund.Branch); err != nil {
		return q, err
	}
	q.audience, err = parseAudience(r.GetAudience(), wording.Manager)
	return q, err
}

// assessment presents a switch.
func (v *presenter) assessment(s *matcher.SwitchAssessment, decisionID string) *fundmatchv1.AssessSwitchResponse {
	r, a := &s.Request, &s.Assessment
	out := &fundmatchv1.AssessSwitchResponse{
		DecisionId: decisionID, DecidedAt: wire.Timestamp(r.At), CustomerId: s.CustomerID, Verdict: s.Verdict.String(),
		Initiative: s.Origin.Initiative.String(), Balance: a.Verdict.String(), Gaps: gapCodes(a.Gaps), Sell: v.product(r.SellCode), Buy: v.product(r.BuyCode),
		Sale: sale(&a.Sold), AmountFen: int64(a.Amount), Cost: wire.SwitchCost(&a.Cost), Benefit: benefit(&a.Benefit), Findings: v.findings(s.Findings),
		AvailableOn: s.Dealing.On.String(), CalendarSource: s.Dealing.Calendar.String(), Revisions: wire.Revisions(s.Identity),
		HorizonDays: s.Horizon.Days, HorizonAssumed: s.Horizon.Assumed, Presentation: v.presentation(), Channel: r.Channel.String(), Audience: v.audience.String(),
	}
	for i := range a.Lots {
		out.Lots = append(out.Lots, lot(&a.Lots[i]))
	}
	for i := range a.Classes {
		out.Options = append(out.Options, option(&a.Classes[i]))
	}
	for _, x := range a.Leaving {
		out.Leaving = append(out.Leaving, &fundmatchv1.SwitchLeaving{Days: x.Days, NewFen: int64(x.New), OldFen: int64(x.Old)})
	}
	if days := a.BreakEven; days >= 0 {
		out.BreakEvenDays = &days
	}
	for _, j := range s.Justify {
		out.Justify = append(out.Justify, &fundmatchv1.SwitchJustification{
			Code: string(j.Code), On: j.On.String(), ProductCode: j.ProductCode, AmountFen: int64(j.Amount), SavedFen: int64(j.Saved),
		})
	}
	out.Texts = v.said(s)
	if v.forManager() {
		out.History = history(&a.Past)
		out.OriginReason, out.OriginOn = string(s.Origin.Reason), s.Origin.On.String()
	}
	return out
}

// said are the sentences about the switch that the audience may read, after what follows
// and why.
func (v *presenter) said(s *matcher.SwitchAssessment) []string {
	out := v.texts(s.Verdict, s.Findings)
	for i := range s.Sentences {
		if text := v.sentence(s.Sentences[i].Sentence, s.Sentences[i].Evidence); text != "" {
			out = append(out, text)
		}
	}
	return out
}

// gapNames are the codes of what keeps a cost from being known, or a sale from being made.
var gapNames = [...]struct {
	gap  switching.Gaps
	code string
}{
	{switching.NoLots, "NO_LOTS"},
	{switching.NoNAV, "NO_NAV"},
	{switching.NoExitFee, "NO_EXIT_FEE"},
	{switching.NoOldFees, "NO_OLD_FEES"},
	{switching.NoNewFees, "NO_NEW_FEES"},
	{switching.NoLotDay, "NO_LOT_DAY"},
	{switching.InLockup, "IN_LOCKUP"},
	{switching.TooFew, "TOO_FEW"},
	{switching.NoProceeds, "NO_PROCEEDS"},
	{switching.NoHorizon, "NO_HORIZON"},
}

func gapCodes(gaps switching.Gaps) (codes []string) {
	for _, g := range gapNames {
		if gaps.Has(g.gap) {
			codes = append(codes, g.code)
		}
	}
	return codes
}

func sale(s *switching.Sold) *fundmatchv1.SwitchSale {
	return &fundmatchv1.SwitchSale{
		Shares: wire.Shares(s.Shares), ValueFen: int64(s.Value), ExitFen: int64(s.Fee), ProceedsFen: int64(s.Proceeds), YoungestDays: s.Youngest,
		LockedShares: wire.Shares(s.Locked), ShortShares: wire.Shares(s.Short),
	}
}

func lot(l *switching.LotSale) *fundmatchv1.SwitchLot {
	return &fundmatchv1.SwitchLot{
		AcquiredOn: l.AcquiredOn.String(), HeldDays: l.Days, HeldShares: wire.Shares(l.Held), Shares: wire.Shares(l.Shares), ValueFen: int64(l.Value),
		ExitBps: int32(l.Rate), ExitFen: int64(l.Fee), FreeOn: l.FreeOn.String(), Locked: l.Locked,
		NextStepOn: l.Next.On.String(), NextStepBps: int32(l.Next.Rate), NextStepFen: int64(l.Next.Fee),
	}
}

func option(o *switching.Option) *fundmatchv1.SwitchOption {
	out := &fundmatchv1.SwitchOption{ProductCode: o.Code, ShareClass: o.ShareClass}
	if c := &o.Cost; o.OK {
		out.Cost = &fundmatchv1.Cost{
			EntryFen: int64(c.Entry), ServiceFen: int64(c.Service), RunningFen: int64(c.Running), ExitFen: int64(c.Exit), TotalFen: int64(c.Total()),
		}
	}
	return out
}

func benefit(b *switching.Benefit) *fundmatchv1.SwitchBenefit {
	return &fundmatchv1.SwitchBenefit{
		RunningFen: int64(b.Running), YearOldFen: int64(b.YearOld), YearNewFen: int64(b.YearNew),
		MismatchCured: b.Mismatch, ConcentrationCured: b.Concentration,
	}
}

func history(p *switching.Past) *fundmatchv1.SwitchHistory {
	return &fundmatchv1.SwitchHistory{
		Switches: p.Switches, RedeemedFen: int64(p.Redeemed), MeanFen: int64(p.Mean), FeesFen: int64(p.Fees), FeesUnknown: p.FeesUnknown,
		Turnover: ratio(p.Turnover), CostToEquity: ratio(p.CostToEquity), InAndOut: p.InAndOut,
	}
}

// ratio presents a measure; nil when it is not known.
func ratio(m fund.Measure) *float64 {
	if !m.OK {
		return nil
	}
	value := m.Value.Float()
	return &value
}
