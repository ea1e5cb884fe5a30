package fund

// profileVersion is the first byte of an encoded profile. A change of the layout adds a
// version; the old ones stay readable, because decision records keep them for years.
//
// 2 added consents and the trail, 3 what the rules on products with entry conditions,
// pension accounts, open checks and repeated assessments need, 4 the features of the
// bank's own views. A profile is written in the lowest version from plainVersion on that
// can hold it, so that one without such features has the bytes that it always had.
const (
	plainVersion   = 3
	profileVersion = 4
)

// AppendProfile appends the canonical bytes of a profile: its head row, and what a
// decision record seals. The lists are in their documented order.
func AppendProfile(dst []byte, p *Profile) []byte {
	version := byte(plainVersion)
	if len(p.Features) > 0 {
		version = profileVersion
	}
	e := Encoder{Buf: append(dst, version)}
	e.Text(p.CustomerID)
	e.Uint(p.Revision)
	encodePerson(&e, &p.Person)
	e.Byte(byte(p.Assessment.Level))
	e.Int(int64(p.Assessment.On))
	e.Int(int64(p.Assessment.At))
	e.Text(p.Assessment.Questionnaire)
	e.Text(p.Assessment.Channel)
	e.Byte(byte(p.PredictedLevel))
	e.Uint(uint64(len(p.Needs.Goals)))
	for _, g := range p.Needs.Goals {
		e.Byte(byte(g))
	}
	e.Int(int64(p.Needs.HorizonMonths))
	e.Byte(byte(p.Needs.Liquidity))
	e.Byte(byte(p.Personalization))
	encodeLists(&e, p)
	return e.Buf
}

func encodePerson(e *Encoder, p *Person) {
	e.Byte(byte(p.InvestorType))
	e.Text(p.Professional.Class)
	e.Int(int64(p.Professional.Until))
	e.Byte(byte(p.Professional.ElectsOrdinary))
	e.Int(int64(p.BirthDate))
	e.Byte(byte(p.Capacity))
	e.Byte(byte(p.IsLowestClass))
	e.Text(p.Industry)
	e.Text(p.Segment)
	e.Text(p.BranchID)
	e.Text(p.ManagerID)
	e.Int(int64(p.AUM))
	e.Int(int64(p.Income))
}

func encodeLists(e *Encoder, p *Profile) {
	e.Uint(uint64(len(p.Tags)))
	for i := range p.Tags {
		t := &p.Tags[i]
		e.Text(t.Name)
		e.Text(t.Value)
		e.Int(int64(t.From))
		e.Int(int64(t.To))
		e.Text(t.Source)
		e.Text(t.Purpose)
	}
	e.Uint(uint64(len(p.Lots)))
	for i := range p.Lots {
		l := &p.Lots[i]
		e.Text(l.ProductCode)
		e.Int(int64(l.Shares))
		e.Int(int64(l.AcquiredOn))
		e.Int(int64(l.Cost))
		e.Text(l.Account)
		e.Text(l.BatchID)
	}
	e.Uint(uint64(len(p.Purchases)))
	for i := range p.Purchases {
		b := &p.Purchases[i]
		e.Text(b.ProductCode)
		e.Int(int64(b.KnownOn))
		e.Text(b.Kind)
		e.Int(int64(b.Amount))
	}
	e.Uint(uint64(len(p.Attributes)))
	for _, a := range p.Attributes {
		e.Text(a.Name)
		e.Text(a.Value)
	}
	e.Uint(uint64(len(p.Consents)))
	for i := range p.Consents {
		e.Text(p.Consents[i].Purpose)
		e.Byte(flag(p.Consents[i].Granted))
		e.Int(int64(p.Consents[i].At))
	}
	encodeTrail(e, &p.Trail)
	encodeStanding(e, p)
	if len(p.Features) > 0 {
		encodeFeatures(e, p.Features)
	}
}

// encodeFeatures writes what version 4 added.
func encodeFeatures(e *Encoder, features []Feature) {
	e.Uint(uint64(len(features)))
	for i := range features {
		f := &features[i]
		e.Text(f.View)
		e.Text(f.Name)
		e.Text(f.Value)
		e.Int(int64(f.From))
		e.Int(int64(f.To))
		e.Text(f.Source)
		e.Text(f.Purpose)
	}
}

// encodeStanding writes what version 3 added. The assessments' times are differences: they
// are in their order.
func encodeStanding(e *Encoder, p *Profile) {
	e.Text(p.Person.Qualified.Class)
	e.Int(int64(p.Person.Qualified.Until))
	e.Byte(byte(p.Person.Pension))
	e.Byte(byte(p.Person.OpenChecks))
	e.Uint(uint64(len(p.Assessments)))
	var last Instant
	for _, a := range p.Assessments {
		e.Int(int64(a.At - last))
		last = a.At
		e.Byte(byte(a.Level))
	}
}

// encodeTrail writes the times of the events as differences: they are in their order.
func encodeTrail(e *Encoder, t *Trail) {
	e.Uint(uint64(len(t.Recent)))
	var last Instant
	for i := range t.Recent {
		v := &t.Recent[i]
		e.Byte(byte(v.Kind))
		e.Int(int64(v.At - last))
		last = v.At
		e.Text(v.ProductCode)
		e.Text(v.Channel)
		e.Text(v.About)
		e.Int(int64(v.Until))
		e.Int(int64(v.Amount))
		e.Int(int64(v.Cost))
		e.Int(int64(v.Dwell))
		e.Byte(flag(v.Closed))
	}
	for k := range t.Tallies {
		y := &t.Tallies[k]
		e.Int(int64(y.Count))
		if y.Count > 0 {
			e.Int(int64(y.First))
			e.Int(int64(y.Last))
			e.Int(int64(y.Amount))
		}
	}
}

// ParseProfile reads what AppendProfile wrote. Errors wrap ErrMalformed or
// ErrNewerVersion.
func ParseProfile(b []byte) (*Profile, error) {
	d := newWholeDecoder(b)
	version := d.Byte()
	if d.err == nil && (version == 0 || version > profileVersion) {
		return nil, VersionError("profile", version, profileVersion)
	}
	p := &Profile{CustomerID: d.Text(), Revision: d.Uint()}
	decodePerson(d, &p.Person)
	p.Assessment.Level = RiskLevel(d.Step(int(C5) + 1))
	p.Assessment.On = d.Day()
	p.Assessment.At = Instant(d.Int())
	p.Assessment.Questionnaire = d.Text()
	p.Assessment.Channel = d.Text()
	p.PredictedLevel = RiskLevel(d.Step(int(C5) + 1))
	p.Needs.Goals = list[Goal](d.Count(Goals))
	for i := range p.Needs.Goals {
		p.Needs.Goals[i] = Goal(d.Step(Goals))
	}
	p.Needs.HorizonMonths = d.Int32()
	p.Needs.Liquidity = Need(d.Step(Needs))
	p.Personalization = Answer(d.Step(int(Yes) + 1))
	decodeLists(d, p)
	if version >= 2 {
		decodeTrail(d, p)
	}
	if version >= 3 {
		decodeStanding(d, p)
	}
	if version >= 4 {
		decodeFeatures(d, p)
	}
	if err := d.Done(); err != nil {
		return nil, err
	}
	return p, nil
}

func decodePerson(d *Decoder, p *Person) {
	p.InvestorType = InvestorType(d.Step(len(investorNames)))
	p.Professional.Class = d.Text()
	p.Professional.Until = d.Day()
	p.Professional.ElectsOrdinary = Answer(d.Step(int(Yes) + 1))
	p.BirthDate = d.Day()
	p.Capacity = Capacity(d.Step(len(capacityNames)))
	p.IsLowestClass = Answer(d.Step(int(Yes) + 1))
	p.Industry = d.Text()
	p.Segment = d.Text()
	p.BranchID = d.Text()
	p.ManagerID = d.Text()
	p.AUM = Money(d.Int())
	p.Income = Money(d.Int())
}

// list returns a list of so many entries; nil: none. Count bounds it by the bytes that are
// left, so that a few bytes cannot ask for much memory.
func list[T any](entries int) []T {
	if entries == 0 {
		return nil
	}
	return make([]T, entries)
}

func decodeLists(d *Decoder, p *Profile) {
	p.Tags = list[Tag](d.Count(MaxTags))
	for i := range p.Tags {
		t := &p.Tags[i]
		t.Name, t.Value, t.From, t.To, t.Source, t.Purpose = d.Text(), d.Text(), Instant(d.Int()), Instant(d.Int()), d.Text(), d.Text()
	}
	p.Lots = list[Lot](d.Count(MaxLots))
	for i := range p.Lots {
		l := &p.Lots[i]
		l.ProductCode, l.Shares, l.AcquiredOn, l.Cost = d.Text(), Shares(d.Int()), d.Day(), Money(d.Int())
		l.Account, l.BatchID = d.Text(), d.Text()
	}
	p.Purchases = list[Purchase](d.Count(MaxPurchases))
	for i := range p.Purchases {
		b := &p.Purchases[i]
		b.ProductCode, b.KnownOn, b.Kind, b.Amount = d.Text(), d.Day(), d.Text(), Money(d.Int())
	}
	p.Attributes = list[Attribute](d.Count(MaxAttributes))
	for i := range p.Attributes {
		p.Attributes[i].Name, p.Attributes[i].Value = d.Text(), d.Text()
	}
}

func decodeTrail(d *Decoder, p *Profile) {
	p.Consents = list[Consent](d.Count(MaxConsents))
	for i := range p.Consents {
		c := &p.Consents[i]
		c.Purpose, c.Granted, c.At = d.Text(), d.Step(2) == 1, Instant(d.Int())
	}
	p.Trail.Recent = list[Event](d.Count(MaxTrail))
	var last Instant
	for i := range p.Trail.Recent {
		v := &p.Trail.Recent[i]
		v.Kind = EventKind(d.Step(EventKinds))
		last += Instant(d.Int())
		v.At = last
		v.ProductCode, v.Channel, v.About, v.Until = d.Text(), d.Text(), d.Text(), d.Day()
		v.Amount, v.Cost, v.Dwell, v.Closed = Money(d.Int()), Money(d.Int()), d.Int32(), d.Step(2) == 1
	}
	for k := range p.Trail.Tallies {
		y := &p.Trail.Tallies[k]
		if y.Count = d.Int32(); y.Count > 0 {
			y.First, y.Last, y.Amount = Instant(d.Int()), Instant(d.Int()), Money(d.Int())
		}
	}
}

func decodeStanding(d *Decoder, p *Profile) {
	p.Person.Qualified.Class = d.Text()
	p.Person.Qualified.Until = d.Day()
	p.Person.Pension = Answer(d.Step(int(Yes) + 1))
	p.Person.OpenChecks = Checks(d.Step(int(allChecks) + 1))
	p.Assessments = list[Assessed](d.Count(MaxAssessed))
	var last Instant
	for i := range p.Assessments {
		last += Instant(d.Int())
		p.Assessments[i] = Assessed{At: last, Level: RiskLevel(d.Step(int(C5) + 1))}
	}
}

func decodeFeatures(d *Decoder, p *Profile) {
	p.Features = list[Feature](d.Count(MaxFeatures))
	for i := range p.Features {
		f := &p.Features[i]
		f.View, f.Name, f.Value, f.From, f.To = d.Text(), d.Text(), d.Text(), Instant(d.Int()), Instant(d.Int())
		f.Source, f.Purpose = d.Text(), d.Text()
	}
}
