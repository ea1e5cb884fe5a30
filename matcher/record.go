package matcher

import (
	"math"

	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/expectation"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

// slateVersion is the first byte of a recorded slate. A change of the layout adds a
// version and keeps the old one readable: decisions are kept for years.
const slateVersion = 1

// maxRecordedList bounds the lists of a record; far above what Match makes.
const maxRecordedList = 4096

// AppendCanonical appends the canonical bytes of the answer: what the decision log
// keeps and replay compares. The same answer gives the same bytes. Texts are not in it;
// they follow from the sentences' names, the evidence, and the wording's version.
func (s *Slate) AppendCanonical(dst []byte) []byte {
	e := fund.Encoder{Buf: append(dst, slateVersion)}
	e.Text(s.CustomerID)
	e.Int(int64(s.Request.At))
	e.Byte(byte(s.Request.Channel))
	e.Byte(byte(s.Request.Audience))
	e.Uint(uint64(s.Request.Limit))
	encodeIdentity(&e, &s.Identity)
	e.Byte(flag(s.Personal))
	e.Byte(flag(s.Information))
	e.Int(int64(s.ValidUntil))
	encodeWish(&e, &s.Wish)
	e.Uint(uint64(len(s.Excluded)))
	for _, x := range s.Excluded {
		e.Text(string(x.ID))
		e.Uint(uint64(x.Count))
	}
	e.Uint(uint64(len(s.Notices)))
	for i := range s.Notices {
		n := &s.Notices[i]
		e.Text(n.Code)
		e.Text(n.Sentence)
		e.Text(n.Task)
		encodeFacts(&e, n.Evidence)
	}
	e.Uint(uint64(len(s.Disclosures)))
	for _, d := range s.Disclosures {
		e.Text(d)
	}
	e.Uint(uint64(len(s.Items)))
	for i := range s.Items {
		encodeItem(&e, &s.Items[i])
	}
	return e.Buf
}

func encodeIdentity(e *fund.Encoder, id *Identity) {
	e.Uint(id.PoolRevision)
	e.Uint(id.DataSeq)
	e.Int(int64(id.AsOf))
	e.Text(id.ModelID)
	e.Text(id.RulesID)
	e.Text(id.WordingID)
	e.Text(id.Engine)
}

func encodeWish(e *fund.Encoder, w *expectation.Wish) {
	e.Byte(byte(w.Goal))
	e.Int(int64(w.HorizonMonths))
	e.Byte(byte(w.Need))
	e.Byte(byte(w.Source))
	e.Int(int64(w.Confidence))
	e.Byte(byte(w.Question))
}

func encodeItem(e *fund.Encoder, it *Item) {
	e.Text(it.Code)
	e.Fixed64(math.Float64bits(it.Score))
	e.Fixed64(math.Float64bits(it.Propensity))
	e.Text(it.PeerCode)
	e.Uint(uint64(len(it.Contributions)))
	for _, c := range it.Contributions {
		e.Byte(byte(c.Feature))
		e.Fixed64(math.Float64bits(c.Value))
		e.Fixed64(math.Float64bits(c.Weight))
	}
	e.Uint(uint64(len(it.Matched)))
	for i := range it.Matched {
		m := &it.Matched[i]
		e.Byte(byte(m.Aspect))
		encodeFact(e, &m.Customer)
		encodeFact(e, &m.Product)
		encodeFacts(e, m.Facts)
		e.Text(m.Sentence)
	}
	e.Uint(uint64(len(it.Objections)))
	for i := range it.Objections {
		o := &it.Objections[i]
		e.Byte(byte(o.Code))
		e.Byte(byte(o.Band))
		for _, t := range o.Triggers {
			e.Text(t)
		}
		encodeFacts(e, o.Evidence)
		for _, t := range o.Sentences {
			e.Text(t)
		}
		e.Text(o.Discloses)
	}
	encodeConversion(e, &it.Conversion)
}

func encodeConversion(e *fund.Encoder, v *conversion.Conversion) {
	e.Byte(byte(v.Action))
	e.Text(v.ProductCode)
	e.Text(v.ShareClass)
	q := &v.Quote
	for _, m := range [...]fund.Money{q.Min, q.Suggested, q.Max, q.CostAmount} {
		e.Int(int64(m))
	}
	e.Int(int64(q.Months))
	e.Int(int64(q.Days))
	for _, c := range [...]*conversion.ClassCost{&q.A, &q.C, &q.Own} {
		e.Text(c.Code)
		e.Byte(flag(c.OK))
		for _, m := range [...]fund.Money{c.Entry, c.Service, c.Running, c.Exit} {
			e.Int(int64(m))
		}
	}
	e.Int(int64(v.AvailableOn))
	e.Int(int64(v.Cutoff))
	e.Byte(byte(v.Calendar))
	for _, s := range v.Steps {
		e.Text(string(s))
	}
	e.Text(v.Sentence)
	encodeFacts(e, v.Evidence)
}

func encodeFacts(e *fund.Encoder, facts []fund.Evidence) {
	e.Uint(uint64(len(facts)))
	for i := range facts {
		encodeFact(e, &facts[i])
	}
}

func encodeFact(e *fund.Encoder, f *fund.Evidence) {
	e.Text(f.Field)
	e.Byte(byte(f.Unit))
	e.Int(f.Number)
	e.Text(f.Text)
	e.Int(int64(f.Window.From))
	e.Int(int64(f.Window.To))
	e.Int(int64(f.AsOf))
	e.Int(int64(f.Stale))
	e.Text(f.Source)
	e.Text(f.Document)
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// ParseSlate reads what AppendCanonical wrote. Errors wrap fund.ErrMalformed or
// fund.ErrNewerVersion.
func ParseSlate(b []byte) (*Slate, error) {
	d := fund.NewDecoder(b)
	if v := d.Byte(); d.Err() == nil && v != slateVersion {
		return nil, fund.VersionError("decision", v, slateVersion)
	}
	s := &Slate{CustomerID: d.Text()}
	s.Request.At = fund.Instant(d.Int())
	s.Request.Channel = fund.Channel(d.Step(int(fund.Branch) + 1))
	s.Request.Audience = wording.Audience(d.Step(int(wording.Manager) + 1))
	s.Request.Limit = int(min(d.Uint(), MaxLimit))
	decodeIdentity(d, &s.Identity)
	s.Personal, s.Information = d.Step(2) == 1, d.Step(2) == 1
	s.ValidUntil = fund.Instant(d.Int())
	decodeWish(d, &s.Wish)
	for range d.Count(maxRecordedList) {
		s.Excluded = append(s.Excluded, eligibility.RuleCount{ID: eligibility.RuleID(d.Text()), Count: int(min(d.Uint(), eligibility.MaxProducts))})
	}
	for range d.Count(maxRecordedList) {
		s.Notices = append(s.Notices, Notice{Code: d.Text(), Sentence: d.Text(), Task: d.Text(), Evidence: decodeFacts(d)})
	}
	for range d.Count(maxRecordedList) {
		s.Disclosures = append(s.Disclosures, d.Text())
	}
	for range d.Count(MaxLimit) {
		s.Items = append(s.Items, decodeItem(d))
	}
	if err := d.Done(); err != nil {
		return nil, err
	}
	return s, nil
}

func decodeIdentity(d *fund.Decoder, id *Identity) {
	id.PoolRevision, id.DataSeq, id.AsOf = d.Uint(), d.Uint(), fund.Instant(d.Int())
	id.ModelID, id.RulesID, id.WordingID, id.Engine = d.Text(), d.Text(), d.Text(), d.Text()
}

func decodeWish(d *fund.Decoder, w *expectation.Wish) {
	w.Goal = fund.Goal(d.Step(fund.Goals))
	w.HorizonMonths = d.Int32()
	w.Need = fund.Need(d.Step(fund.Needs))
	w.Source = expectation.Source(d.Step(int(expectation.Stated) + 1))
	w.Confidence = fund.Ratio(d.Int())
	w.Question = expectation.Question(d.Step(int(expectation.AskLiquidity) + 1))
}

func decodeItem(d *fund.Decoder) Item {
	it := Item{Code: d.Text(), Score: math.Float64frombits(d.Fixed64()), Propensity: math.Float64frombits(d.Fixed64()), PeerCode: d.Text()}
	for range d.Count(maxRecordedList) {
		c := score.Contribution{Feature: score.Feature(d.Step(int(score.Features)))}
		c.Value, c.Weight = math.Float64frombits(d.Fixed64()), math.Float64frombits(d.Fixed64())
		c.Amount = score.Amount(c.Value, c.Weight)
		it.Contributions = append(it.Contributions, c)
	}
	for range d.Count(maxRecordedList) {
		it.Matched = append(it.Matched, expectation.Match{
			Aspect: expectation.Aspect(d.Step(int(expectation.LossAspect) + 1)), Customer: decodeFact(d), Product: decodeFact(d),
			Facts: decodeFacts(d), Sentence: d.Text(),
		})
	}
	for range d.Count(maxRecordedList) {
		o := objection.Objection{Code: objection.Code(d.Step(int(objection.Codes))), Band: objection.Band(d.Step(int(objection.High) + 1))}
		for i := range o.Triggers {
			o.Triggers[i] = d.Text()
		}
		o.Evidence = decodeFacts(d)
		for i := range o.Sentences {
			o.Sentences[i] = d.Text()
		}
		o.Discloses = d.Text()
		it.Objections = append(it.Objections, o)
	}
	decodeConversion(d, &it.Conversion)
	return it
}

func decodeConversion(d *fund.Decoder, v *conversion.Conversion) {
	v.Action = conversion.Action(d.Step(int(conversion.Actions)))
	v.ProductCode, v.ShareClass = d.Text(), d.Text()
	q := &v.Quote
	for _, m := range [...]*fund.Money{&q.Min, &q.Suggested, &q.Max, &q.CostAmount} {
		*m = fund.Money(d.Int())
	}
	q.Months, q.Days = d.Int32(), d.Int32()
	for _, c := range [...]*conversion.ClassCost{&q.A, &q.C, &q.Own} {
		c.Code, c.OK = d.Text(), d.Step(2) == 1
		for _, m := range [...]*fund.Money{&c.Entry, &c.Service, &c.Running, &c.Exit} {
			*m = fund.Money(d.Int())
		}
	}
	v.AvailableOn, v.Cutoff = d.Day(), fund.Instant(d.Int())
	v.Calendar = conversion.CalendarSource(d.Step(int(conversion.KnownCalendar) + 1))
	for i := range v.Steps {
		v.Steps[i] = conversion.Step(d.Text())
	}
	v.Sentence, v.Evidence = d.Text(), decodeFacts(d)
}

func decodeFacts(d *fund.Decoder) []fund.Evidence {
	n := d.Count(maxRecordedList)
	facts := make([]fund.Evidence, 0, min(n, 64))
	for range n {
		facts = append(facts, decodeFact(d))
	}
	return facts
}

func decodeFact(d *fund.Decoder) fund.Evidence {
	return fund.Evidence{
		Field: d.Text(), Unit: fund.Unit(d.Step(int(fund.UnitMinutes) + 1)), Number: d.Int(), Text: d.Text(),
		Window: fund.Window{From: d.Day(), To: d.Day()}, AsOf: d.Day(), Stale: d.Int32(), Source: d.Text(), Document: d.Text(),
	}
}
