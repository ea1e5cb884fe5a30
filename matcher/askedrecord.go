package matcher

import (
	"fmt"

	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// What the records of order checks and of switches have in common. Both layouts rest on it:
// who changes it adds a version to both.

// begin reads the kind and the version of a record of the newest version.
func (d *slateReader) begin(what string, kind, newest byte) error {
	is, version := d.Byte(), d.Byte()
	switch {
	case d.Err() != nil:
		return d.Err()
	case is != kind:
		return fmt.Errorf("%w: a record of kind %#x, expected that of a %s, %#x", fund.ErrMalformed, is, what, kind)
	case version == 0 || version > newest:
		return fund.VersionError(what, version, newest)
	}
	d.defined = version >= 2
	return nil
}

func encodeOrigin(e *fund.Encoder, o *behaviour.Origin) {
	e.Byte(byte(o.Initiative))
	e.Text(string(o.Reason))
	e.Int(int64(o.On))
}

func (d *slateReader) origin() (o behaviour.Origin) {
	o.Initiative = fund.Initiative(d.Step(int(fund.ByCustomer) + 1))
	o.Reason, o.On = behaviour.OriginReason(d.Text()), d.Day()
	return o
}

func encodeDealing(e *fund.Encoder, x *Dealing) {
	e.Int(int64(x.On))
	e.Byte(flag(x.Later))
	e.Byte(byte(x.Calendar))
}

func (d *slateReader) dealing() (x Dealing) {
	x.On, x.Later = d.Day(), d.flag()
	x.Calendar = conversion.CalendarSource(d.Step(int(conversion.KnownCalendar) + 1))
	return x
}

func encodeFinding(e *fund.Encoder, f *eligibility.Finding) {
	e.Text(string(f.Rule))
	e.Byte(byte(f.Outcome))
	e.Text(f.Reason)
	e.Uint(uint64(len(f.Facts)))
	for _, x := range f.Facts {
		e.Text(x.Name)
		e.Text(x.Value)
	}
	e.Uint(uint64(len(f.Parameters)))
	for _, x := range f.Parameters {
		e.Text(x.Name)
		e.Text(x.Value)
	}
	e.Text(f.Remedy.Code)
	e.Int(int64(f.Remedy.On))
	e.Text(f.Citation)
}

func (d *slateReader) finding() (f eligibility.Finding) {
	f.Rule, f.Outcome, f.Reason = eligibility.RuleID(d.Text()), d.outcome(), d.Text()
	for range d.Count(maxRecordedList) {
		f.Facts = append(f.Facts, eligibility.Fact{Name: d.Text(), Value: d.Text()})
	}
	for range d.Count(maxRecordedList) {
		f.Parameters = append(f.Parameters, eligibility.Parameter{Name: d.Text(), Value: d.Text()})
	}
	f.Remedy.Code, f.Remedy.On = d.Text(), d.Day()
	f.Citation = d.Text()
	return f
}

func (d *slateReader) outcome() eligibility.Outcome {
	return eligibility.Outcome(d.Step(int(eligibility.Block) + 1))
}
