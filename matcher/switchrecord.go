package matcher

import (
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/switching"
)

// A recorded switch assessment begins with its kind, which no version of a slate has, and
// its version. A change of the layout adds a version and keeps the old one readable. 2 added
// the version of the definitions that features were derived by.
const (
	switchKind    = 0x60
	switchVersion = 2
)

// AppendCanonical appends the canonical bytes of the answer: what the decision log keeps and
// replay compares. The same answer gives the same bytes. Texts are not in it; they follow
// from the sentences' names, the evidence, and the wording's version.
func (s *SwitchAssessment) AppendCanonical(dst []byte) []byte {
	e := fund.Encoder{Buf: append(dst, switchKind, recordVersion(switchVersion, &s.Identity))}
	e.Text(s.CustomerID)
	encodeSwitchRequest(&e, &s.Request)
	encodeIdentity(&e, &s.Identity)
	encodeOrigin(&e, &s.Origin)
	e.Byte(byte(s.Verdict))
	encodeDealing(&e, &s.Dealing)
	e.Int(int64(s.Horizon.Days))
	e.Byte(flag(s.Horizon.Assumed))
	encodeSwitchSums(&e, &s.Assessment)
	encodeSwitchLists(&e, &s.Assessment)
	encodePast(&e, &s.Assessment.Past)
	e.Uint(uint64(len(s.Findings)))
	for i := range s.Findings {
		encodeFinding(&e, &s.Findings[i])
	}
	e.Uint(uint64(len(s.Justify)))
	for i := range s.Justify {
		j := &s.Justify[i]
		e.Text(string(j.Code))
		e.Text(j.ProductCode)
		encodeInts(&e, int64(j.On), int64(j.Amount), int64(j.Saved))
	}
	e.Uint(uint64(len(s.Sentences)))
	for i := range s.Sentences {
		e.Text(s.Sentences[i].Sentence)
		encodeFacts(&e, s.Sentences[i].Evidence)
	}
	return e.Buf
}

func encodeInts(e *fund.Encoder, numbers ...int64) {
	for _, n := range numbers {
		e.Int(n)
	}
}

func encodeSwitchRequest(e *fund.Encoder, r *SwitchRequest) {
	e.Int(int64(r.At))
	e.Byte(byte(r.Channel))
	e.Byte(byte(r.Licence))
	e.Text(r.SellCode)
	e.Int(int64(r.Shares))
	e.Text(r.BuyCode)
	e.Int(int64(r.Amount))
}

func encodeSwitchSums(e *fund.Encoder, s *switching.Assessment) {
	e.Byte(byte(s.Verdict))
	e.Byte(byte(s.Gaps))
	e.Byte(byte(s.Gaps >> 8))
	d, k, b := &s.Sold, &s.Cost, &s.Benefit
	encodeInts(e, int64(d.Shares), int64(d.Value), int64(d.Fee), int64(d.Proceeds), int64(d.Youngest), int64(d.Locked), int64(d.Short))
	encodeInts(e, int64(s.Amount), int64(s.Moved))
	e.Byte(flag(k.OK))
	encodeInts(e, int64(k.Exit), int64(k.Entry), int64(k.Lost), int64(k.Running))
	encodeInts(e, int64(b.Running), int64(b.YearOld), int64(b.YearNew))
	e.Byte(flag(b.Mismatch))
	e.Byte(flag(b.Concentration))
	e.Int(int64(s.BreakEven))
}

func encodeSwitchLists(e *fund.Encoder, s *switching.Assessment) {
	e.Uint(uint64(len(s.Lots)))
	for i := range s.Lots {
		l := &s.Lots[i]
		encodeInts(e, int64(l.AcquiredOn), int64(l.Days), int64(l.Held), int64(l.Shares), int64(l.Value), int64(l.Rate), int64(l.Fee))
		e.Byte(flag(l.Locked))
		encodeInts(e, int64(l.FreeOn), int64(l.Moved), int64(l.Next.On), int64(l.Next.Rate), int64(l.Next.Fee))
	}
	e.Uint(uint64(len(s.Classes)))
	for i := range s.Classes {
		o := &s.Classes[i]
		e.Text(o.Code)
		e.Text(o.ShareClass)
		encodeCost(e, &o.Cost)
		e.Byte(flag(o.OK))
	}
	e.Uint(uint64(len(s.Leaving)))
	for i := range s.Leaving {
		encodeInts(e, int64(s.Leaving[i].Days), int64(s.Leaving[i].New), int64(s.Leaving[i].Old))
	}
}

func encodePast(e *fund.Encoder, p *switching.Past) {
	encodeInts(e, int64(p.Switches), int64(p.Redeemed), int64(p.Mean), int64(p.Fees), int64(p.FeesUnknown))
	for _, m := range [...]*fund.Measure{&p.Turnover, &p.CostToEquity} {
		e.Byte(flag(m.OK))
		e.Int(int64(m.Value))
	}
	e.Byte(flag(p.InAndOut))
}

// ParseSwitchAssessment reads what AppendCanonical wrote. Errors wrap fund.ErrMalformed or
// fund.ErrNewerVersion.
func ParseSwitchAssessment(b []byte) (*SwitchAssessment, error) {
	d := &switchReader{slateReader{Decoder: fund.NewDecoder(b), version: slateVersion}}
	if err := d.begin("switch assessment", switchKind, switchVersion); err != nil {
		return nil, err
	}
	s := &SwitchAssessment{CustomerID: d.Text(), Request: d.request()}
	if err := d.identity(&s.Identity); err != nil {
		return nil, err
	}
	s.Origin = d.origin()
	s.Verdict = OrderVerdict(d.Step(int(orderVerdicts)))
	s.Dealing = d.dealing()
	s.Horizon = SwitchHorizon{Days: d.Int32(), Assumed: d.flag()}
	d.sums(&s.Assessment)
	d.lists(&s.Assessment)
	d.past(&s.Assessment.Past)
	for range d.Count(maxRecordedList) {
		s.Findings = append(s.Findings, d.finding())
	}
	for range d.Count(maxRecordedList) {
		s.Justify = append(s.Justify, Justification{
			Code: JustifyCode(d.Text()), ProductCode: d.Text(), On: d.Day(), Amount: d.money(), Saved: d.money(),
		})
	}
	for range d.Count(maxRecordedList) {
		s.Sentences = append(s.Sentences, Said{Sentence: d.Text(), Evidence: d.facts()})
	}
	if err := d.Done(); err != nil {
		return nil, err
	}
	return s, nil
}

// switchReader reads a recorded switch assessment.
type switchReader struct{ slateReader }

func (d *switchReader) money() fund.Money { return fund.Money(d.Int()) }

func (d *switchReader) request() SwitchRequest {
	return SwitchRequest{
		At: fund.Instant(d.Int()), Channel: fund.Channel(d.Step(int(fund.Branch) + 1)),
		Licence:  eligibility.Licence(d.Step(int(eligibility.LicenceValid) + 1)),
		SellCode: d.Text(), Shares: fund.Shares(d.Int()), BuyCode: d.Text(), Amount: d.money(),
	}
}

func (d *switchReader) sums(s *switching.Assessment) {
	s.Verdict = switching.Verdict(d.Step(int(switching.Verdicts)))
	s.Gaps = switching.Gaps(d.Byte())
	s.Gaps |= switching.Gaps(d.Byte()) << 8
	s.Sold = switching.Sold{
		Shares: fund.Shares(d.Int()), Value: d.money(), Fee: d.money(), Proceeds: d.money(), Youngest: d.Int32(),
		Locked: fund.Shares(d.Int()), Short: fund.Shares(d.Int()),
	}
	s.Amount, s.Moved = d.money(), d.money()
	s.Cost = switching.Cost{OK: d.flag(), Exit: d.money(), Entry: d.money(), Lost: d.money(), Running: d.money()}
	s.Benefit = switching.Benefit{
		Running: d.money(), YearOld: d.money(), YearNew: d.money(), Mismatch: d.flag(), Concentration: d.flag(),
	}
	s.BreakEven = d.Int32()
}

func (d *switchReader) lists(s *switching.Assessment) {
	for range d.Count(fund.MaxLots) {
		s.Lots = append(s.Lots, switching.LotSale{
			AcquiredOn: d.Day(), Days: d.Int32(), Held: fund.Shares(d.Int()), Shares: fund.Shares(d.Int()), Value: d.money(),
			Rate: fund.BasisPoints(d.Int32()), Fee: d.money(), Locked: d.flag(), FreeOn: d.Day(), Moved: d.money(),
			Next: switching.Step{On: d.Day(), Rate: fund.BasisPoints(d.Int32()), Fee: d.money()},
		})
	}
	for range d.Count(maxRecordedList) {
		s.Classes = append(s.Classes, switching.Option{Code: d.Text(), ShareClass: d.Text(), Cost: d.cost(), OK: d.flag()})
	}
	for range d.Count(maxRecordedList) {
		s.Leaving = append(s.Leaving, switching.Leaving{Days: d.Int32(), New: d.money(), Old: d.money()})
	}
}

func (d *switchReader) past(p *switching.Past) {
	p.Switches, p.Redeemed, p.Mean, p.Fees, p.FeesUnknown = d.Int32(), d.money(), d.money(), d.money(), d.Int32()
	for _, m := range [...]*fund.Measure{&p.Turnover, &p.CostToEquity} {
		m.OK, m.Value = d.flag(), fund.Ratio(d.Int())
	}
	p.InAndOut = d.flag()
}
