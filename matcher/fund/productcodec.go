package fund

// productVersion is the first byte of an encoded product. A change of the layout adds a
// version; the old ones stay readable, because pool revisions are kept for years.
const productVersion = 1

// MaxThemes bounds the themes of one product.
const MaxThemes = 64

// AppendProduct appends the canonical bytes of a product: its row in a pool revision,
// and what the revision's hash is taken over.
func AppendProduct(dst []byte, p *Product) []byte {
	e := Encoder{Buf: append(dst, productVersion)}
	for _, s := range [...]string{p.Code, p.Name, p.Type, p.ShareClass, p.ParentCode, p.Parties.Issuer, p.Parties.ManagerName} {
		e.Text(s)
	}
	e.Int(int64(p.Parties.ManagerSince))
	e.Int(int64(p.Parties.Size))
	e.Byte(byte(p.Grades.Bank))
	e.Byte(byte(p.Grades.Issuer))
	encodeListing(&e, &p.Listing)
	e.Int(int64(p.Terms.LaunchedOn))
	e.Int(int64(p.Terms.ClosedUntil))
	e.Int(int64(p.Terms.NextOpenOn))
	e.Int(int64(p.Terms.MinPurchase))
	e.Int(int64(p.Terms.DayLimit))
	e.Int(int64(p.Terms.LockupDays))
	encodeFees(&e, &p.Fees)
	encodeContent(&e, &p.Content)
	e.Uint(uint64(p.Missing))
	return e.Buf
}

func encodeListing(e *Encoder, l *Listing) {
	e.Byte(byte(l.Kind))
	e.Byte(byte(l.Status))
	e.Int(int64(l.PoolFrom))
	e.Int(int64(l.PoolTo))
	e.Text(l.DueDiligenceID)
	e.Text(l.KeyFactsVersion)
}

func encodeFees(e *Encoder, f *FeeSchedule) {
	e.Uint(uint64(len(f.Subscription)))
	for _, t := range f.Subscription {
		e.Int(int64(t.Below))
		e.Int(int64(t.Rate))
		e.Int(int64(t.Fixed))
	}
	e.Int(int64(f.DiscountPct))
	e.Uint(uint64(len(f.Redemption)))
	for _, t := range f.Redemption {
		e.Int(int64(t.Below))
		e.Int(int64(t.Rate))
	}
	e.Int(int64(f.Management))
	e.Int(int64(f.Custody))
	e.Int(int64(f.Service))
}

func encodeContent(e *Encoder, c *Content) {
	e.Uint(uint64(c.Goals))
	e.Uint(uint64(len(c.Themes)))
	for _, t := range c.Themes {
		e.Text(t)
	}
	e.Text(c.Benchmark)
	e.Uint(uint64(len(c.Attributes)))
	for _, a := range c.Attributes {
		e.Text(a.Name)
		e.Text(a.Value)
	}
}

// ParseProduct reads what AppendProduct wrote. Errors wrap ErrMalformed or
// ErrNewerVersion.
func ParseProduct(b []byte) (*Product, error) {
	d := NewDecoder(b)
	if v := d.Byte(); d.err == nil && v != productVersion {
		return nil, VersionError("product", v, productVersion)
	}
	p := &Product{Code: d.Text(), Name: d.Text(), Type: d.Text(), ShareClass: d.Text(), ParentCode: d.Text()}
	p.Parties = Parties{Issuer: d.Text(), ManagerName: d.Text(), ManagerSince: d.Day(), Size: Money(d.Int())}
	p.Grades = Grades{Bank: RiskGrade(d.Step(int(R5) + 1)), Issuer: RiskGrade(d.Step(int(R5) + 1))}
	p.Listing = Listing{
		Kind: Kind(d.Step(len(kindNames))), Status: Status(d.Step(len(statusNames))),
		PoolFrom: d.Day(), PoolTo: d.Day(), DueDiligenceID: d.Text(), KeyFactsVersion: d.Text(),
	}
	p.Terms = Terms{
		LaunchedOn: d.Day(), ClosedUntil: d.Day(), NextOpenOn: d.Day(),
		MinPurchase: Money(d.Int()), DayLimit: Money(d.Int()), LockupDays: d.Int32(),
	}
	decodeFees(d, &p.Fees)
	decodeContent(d, &p.Content)
	p.Missing = FieldSet(d.set(int(fieldCount)))
	if err := d.Done(); err != nil {
		return nil, err
	}
	return p, nil
}

func decodeFees(d *Decoder, f *FeeSchedule) {
	for range d.Count(MaxLadderTiers) {
		f.Subscription = append(f.Subscription, SubscriptionTier{Below: Money(d.Int()), Rate: BasisPoints(d.Int32()), Fixed: Money(d.Int())})
	}
	f.DiscountPct = d.Int32()
	for range d.Count(MaxLadderTiers) {
		f.Redemption = append(f.Redemption, RedemptionTier{Below: d.Int32(), Rate: BasisPoints(d.Int32())})
	}
	f.Management = BasisPoints(d.Int32())
	f.Custody = BasisPoints(d.Int32())
	f.Service = BasisPoints(d.Int32())
}

func decodeContent(d *Decoder, c *Content) {
	c.Goals = GoalSet(d.set(Goals))
	for range d.Count(MaxThemes) {
		c.Themes = append(c.Themes, d.Text())
	}
	c.Benchmark = d.Text()
	for range d.Count(MaxAttributes) {
		c.Attributes = append(c.Attributes, Attribute{Name: d.Text(), Value: d.Text()})
	}
}

// set reads a bit set of so many possible members, fewer than 32.
func (d *Decoder) set(members int) uint32 {
	v := d.Uint()
	if v >= 1<<members {
		d.fail("a set %b, expected at most %d members", v, members)
		return 0
	}
	return uint32(v)
}
