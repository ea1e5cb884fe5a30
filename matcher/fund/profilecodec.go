package fund

// profileVersion is the first byte of an encoded profile. A change of the layout adds a
// version; the old ones stay readable, because decision records keep them for years.
const profileVersion = 1

// AppendProfile appends the canonical bytes of a profile: its head row, and what a
// decision record seals. The lists are in their documented order.
func AppendProfile(dst []byte, p *Profile) []byte {
	e := Encoder{Buf: append(dst, profileVersion)}
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
}

// ParseProfile reads what AppendProfile wrote. Errors wrap ErrMalformed or
// ErrNewerVersion.
func ParseProfile(b []byte) (*Profile, error) {
	d := NewDecoder(b)
	if v := d.Byte(); d.err == nil && v != profileVersion {
		return nil, VersionError("profile", v, profileVersion)
	}
	p := &Profile{CustomerID: d.Text(), Revision: d.Uint()}
	decodePerson(d, &p.Person)
	p.Assessment.Level = RiskLevel(d.Step(int(C5) + 1))
	p.Assessment.On = d.Day()
	p.Assessment.At = Instant(d.Int())
	p.Assessment.Questionnaire = d.Text()
	p.Assessment.Channel = d.Text()
	p.PredictedLevel = RiskLevel(d.Step(int(C5) + 1))
	for range d.Count(Goals) {
		p.Needs.Goals = append(p.Needs.Goals, Goal(d.Step(Goals)))
	}
	p.Needs.HorizonMonths = d.Int32()
	p.Needs.Liquidity = Need(d.Step(Needs))
	p.Personalization = Answer(d.Step(int(Yes) + 1))
	decodeLists(d, p)
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

func decodeLists(d *Decoder, p *Profile) {
	for range d.Count(MaxTags) {
		p.Tags = append(p.Tags, Tag{
			Name: d.Text(), Value: d.Text(), From: Instant(d.Int()), To: Instant(d.Int()), Source: d.Text(), Purpose: d.Text(),
		})
	}
	for range d.Count(MaxLots) {
		p.Lots = append(p.Lots, Lot{
			ProductCode: d.Text(), Shares: Shares(d.Int()), AcquiredOn: d.Day(), Cost: Money(d.Int()), Account: d.Text(), BatchID: d.Text(),
		})
	}
	for range d.Count(MaxPurchases) {
		p.Purchases = append(p.Purchases, Purchase{ProductCode: d.Text(), KnownOn: d.Day(), Kind: d.Text(), Amount: Money(d.Int())})
	}
	for range d.Count(MaxAttributes) {
		p.Attributes = append(p.Attributes, Attribute{Name: d.Text(), Value: d.Text()})
	}
}
