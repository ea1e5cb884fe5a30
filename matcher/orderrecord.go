package matcher

import (
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// A recorded order check begins with its kind, which no version of a slate has, and its
// version. A change of the layout adds a version and keeps the old ones readable. 2 added the
// version of the definitions that features were derived by.
const (
	orderKind    = 0x40
	orderVersion = 2
)

// AppendCanonical appends the canonical bytes of the check: what the decision log keeps and
// replay compares. All inputs but the profile, which the log seals, are in it: CheckOrder of
// Request again, by a core of Identity, gives the same bytes. Texts are not in it; they
// follow from the sentences' names, the evidence, and the wording's version.
func (o *OrderCheck) AppendCanonical(dst []byte) []byte {
	e := orderEncoder{fund.Encoder{Buf: append(dst, orderKind, recordVersion(orderVersion, &o.Identity))}}
	e.Text(o.CustomerID)
	e.request(&o.Request)
	encodeIdentity(&e.Encoder, &o.Identity)
	encodeOrigin(&e.Encoder, &o.Origin)
	e.Byte(byte(o.Verdict))
	e.Uint(uint64(len(o.Findings)))
	for i := range o.Findings {
		encodeFinding(&e.Encoder, &o.Findings[i].Finding)
		e.Byte(flag(o.Findings[i].Done))
	}
	e.demands(&o.OrderDemands)
	e.Uint(uint64(len(o.Rejected)))
	for _, r := range o.Rejected {
		e.Text(r.ID)
		e.Text(string(r.Why))
	}
	e.Uint(uint64(len(o.Uses)))
	for _, id := range o.Uses {
		e.Text(id)
	}
	encodeDealing(&e.Encoder, &o.Dealing)
	e.Int(int64(o.MaxAmount))
	encodeFacts(&e.Encoder, o.Facts)
	return e.Buf
}

type orderEncoder struct{ fund.Encoder }

func (e *orderEncoder) request(r *OrderRequest) {
	e.Text(r.ProductCode)
	e.Int(int64(r.Amount))
	e.Int(int64(r.At))
	e.Byte(byte(r.Channel))
	e.Byte(byte(r.Licence))
	e.Text(r.RecordingID)
	e.Uint(uint64(len(r.Confirmations)))
	for i := range r.Confirmations {
		c := &r.Confirmations[i]
		e.Text(c.ID)
		e.warnedOf(&c.WarnedOf)
		for _, s := range [...]string{c.Channel, c.Trace, c.RecordingID, c.ManagerID, c.ReviewerID} {
			e.Text(s)
		}
		for _, at := range [...]fund.Instant{c.AskedAt, c.ConfirmedAt, c.ExpiresAt} {
			e.Int(int64(at))
		}
		e.Byte(flag(c.Used))
	}
}

func (e *orderEncoder) warnedOf(w *WarnedOf) {
	e.Text(string(w.Rule))
	e.Text(w.Reason)
	e.Text(w.ProductCode)
	e.Byte(byte(w.Grade))
	e.Byte(byte(w.Level))
	e.Int(int64(w.Amount))
}

func (e *orderEncoder) demands(d *OrderDemands) {
	e.Uint(uint64(len(d.Required)))
	for i := range d.Required {
		r := &d.Required[i]
		e.warnedOf(&r.WarnedOf)
		e.Byte(byte(r.Kind))
		e.Byte(flag(r.Met))
		e.Text(r.Sentence)
		encodeFacts(&e.Encoder, r.Evidence)
		e.Int(int64(r.NotBefore))
	}
	e.Uint(uint64(len(d.Steps)))
	for i := range d.Steps {
		s := &d.Steps[i]
		e.Text(string(s.Rule))
		e.Text(s.Code)
		e.Byte(flag(s.Done))
		e.Text(s.Sentence)
		encodeFacts(&e.Encoder, s.Evidence)
	}
	e.Uint(uint64(len(d.Disclosures)))
	for i := range d.Disclosures {
		x := &d.Disclosures[i]
		e.Text(string(x.Rule))
		e.Text(x.Code)
		e.Text(x.Sentence)
		encodeFacts(&e.Encoder, x.Evidence)
	}
}

// ParseOrderCheck reads what AppendCanonical wrote. Errors wrap fund.ErrMalformed or
// fund.ErrNewerVersion.
func ParseOrderCheck(b []byte) (*OrderCheck, error) {
	d := orderReader{&slateReader{Decoder: fund.NewDecoder(b), version: slateVersion}}
	if err := d.begin("order check", orderKind, orderVersion); err != nil {
		return nil, err
	}
	o := &OrderCheck{CustomerID: d.Text(), Request: d.request()}
	if err := d.identity(&o.Identity); err != nil {
		return nil, err
	}
	o.Origin = d.origin()
	o.Verdict = OrderVerdict(d.Step(int(orderVerdicts)))
	for range d.Count(maxRecordedList) {
		o.Findings = append(o.Findings, eligibility.OrderFinding{Finding: d.finding(), Done: d.flag()})
	}
	d.demands(&o.OrderDemands)
	for range d.Count(MaxGivenConfirmations) {
		o.Rejected = append(o.Rejected, RejectedConfirmation{ID: d.Text(), Why: RejectionReason(d.Text())})
	}
	for range d.Count(MaxGivenConfirmations) {
		o.Uses = append(o.Uses, d.Text())
	}
	o.Dealing = d.dealing()
	o.MaxAmount = fund.Money(d.Int())
	o.Facts = d.facts()
	if err := d.Done(); err != nil {
		return nil, err
	}
	return o, nil
}

type orderReader struct{ *slateReader }

func (d orderReader) request() OrderRequest {
	r := OrderRequest{ProductCode: d.Text(), Amount: fund.Money(d.Int()), At: fund.Instant(d.Int())}
	r.Channel = fund.Channel(d.Step(int(fund.Branch) + 1))
	r.Licence = eligibility.Licence(d.Step(int(eligibility.LicenceValid) + 1))
	r.RecordingID = d.Text()
	for range d.Count(MaxGivenConfirmations) {
		c := GivenConfirmation{ID: d.Text(), WarnedOf: d.warnedOf()}
		for _, s := range [...]*string{&c.Channel, &c.Trace, &c.RecordingID, &c.ManagerID, &c.ReviewerID} {
			*s = d.Text()
		}
		for _, at := range [...]*fund.Instant{&c.AskedAt, &c.ConfirmedAt, &c.ExpiresAt} {
			*at = fund.Instant(d.Int())
		}
		c.Used = d.flag()
		r.Confirmations = append(r.Confirmations, c)
	}
	return r
}

func (d orderReader) warnedOf() WarnedOf {
	return WarnedOf{
		Rule: eligibility.RuleID(d.Text()), Reason: d.Text(), ProductCode: d.Text(), Grade: d.grade(),
		Level: fund.RiskLevel(d.Step(int(fund.C5) + 1)), Amount: fund.Money(d.Int()),
	}
}

func (d orderReader) demands(out *OrderDemands) {
	for range d.Count(maxRecordedList) {
		out.Required = append(out.Required, Requirement{
			WarnedOf: d.warnedOf(), Kind: d.outcome(), Met: d.flag(), Sentence: d.Text(), Evidence: d.facts(), NotBefore: fund.Instant(d.Int()),
		})
	}
	for range d.Count(maxRecordedList) {
		out.Steps = append(out.Steps, OrderStep{
			Rule: eligibility.RuleID(d.Text()), Code: d.Text(), Done: d.flag(), Sentence: d.Text(), Evidence: d.facts(),
		})
	}
	for range d.Count(maxRecordedList) {
		out.Disclosures = append(out.Disclosures, OrderDisclosure{
			Rule: eligibility.RuleID(d.Text()), Code: d.Text(), Sentence: d.Text(), Evidence: d.facts(),
		})
	}
}
