package view

import (
	"slices"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// unknown stands for a customer who is not known. Never assigned.
var unknown fund.Profile

// Read appends one cell for each column, read off a profile as of the request's instant.
// nil is a customer who is not known. The checks of a cell, the first that fails speaks:
//
//  1. reader and purpose: PURPOSE_DENIED
//  2. the consents to the purpose, and to that which the cell is kept for: CONSENT_MISSING,
//     CONSENT_WITHDRAWN
//  3. whether there is anything, and within retention and look-back: NOT_FOUND
//  4. its own validity, [from, to): EXPIRED
//  5. the read age: OUTSIDE_MAX_AGE
//  6. whether it was written as unknown: NULL_VALUE
//
// A cell that fails 1 or 2 says nothing of what is there, not even its times. It does not
// allocate beyond dst, but for lists, texts with escapes, days and decimals that are not in
// canonical digits. The cells share texts with the profile.
func (p *Plan) Read(profile *fund.Profile, r *Request, dst []Cell) []Cell {
	if profile == nil {
		profile = &unknown
	}
	s, _ := p.sources.Get().(*source)
	defer p.giveBack(s)
	s.profile, s.at = profile, r.At
	purpose := p.use(profile, r)
	dst = slices.Grow(dst, len(p.columns))
	for i := range p.columns {
		c := &p.columns[i]
		cell := Cell{Ref: c.Ref, Status: c.allowed(profile, r, purpose)}
		if cell.Status == Present {
			c.fill(s, r, &cell)
		}
		dst = append(dst, cell)
	}
	return dst
}

// giveBack keeps the buffers of a derivation, and nothing that it said of anybody.
func (p *Plan) giveBack(s *source) {
	c := &s.conduct
	if s.derived {
		clear(c.Positions[:cap(c.Positions)])
		clear(c.Journeys[:cap(c.Journeys)])
		clear(c.Doubts[:cap(c.Doubts)])
		*c = fund.Conduct{Positions: c.Positions[:0], Journeys: c.Journeys[:0], Doubts: c.Doubts[:0]}
	}
	s.profile, s.derived = nil, false
	p.sources.Put(s)
}

// use says what a request does with what it reads.
type use uint8

const (
	undeclared use = iota // of no purpose that the catalogue knows
	program               // the program's own
	personal
	gateOnly // reads no personal cell but those of the gate
)

// use judges the purpose of a request for one customer.
func (p *Plan) use(profile *fund.Profile, r *Request) use {
	if r.Purpose == "" {
		return program
	}
	for i := range p.purposes {
		if x := &p.purposes[i]; x.Name == r.Purpose {
			if x.Kind == NonPersonal || x.Kind == Personalizing && profile.Personalization == fund.No {
				return gateOnly
			}
			return personal
		}
	}
	return undeclared
}

// allowed says whether reader and purpose may have the column's cells; Present: they may.
func (c *column) allowed(profile *fund.Profile, r *Request, u use) Status {
	switch {
	case r.Role != AnyRole && !slices.Contains(c.access.Roles, r.Role):
		return PurposeDenied
	case u == program:
		return Present
	case u == undeclared || !slices.Contains(c.access.Purposes, r.Purpose):
		return PurposeDenied
	case u == gateOnly && c.access.Personal && !c.access.Gate:
		return PurposeDenied
	case slices.Contains(c.access.NeedsConsent, r.Purpose):
		return consented(profile, r, r.Purpose)
	}
	return Present
}

// consented says whether the customer's word on a purpose is a consent; Present: it is.
func consented(profile *fund.Profile, r *Request, purpose string) Status {
	switch wordOn(profile, purpose, r.At) {
	case fund.Yes:
		return Present
	case fund.No:
		return ConsentWithdrawn
	case fund.Unknown:
	}
	return ConsentMissing
}

// wordOn returns the customer's word on a purpose as of an instant.
func wordOn(profile *fund.Profile, purpose string, at fund.Instant) fund.Answer {
	for i := range profile.Consents {
		c := &profile.Consents[i]
		switch {
		case c.Purpose != purpose || c.At > at:
		case c.Granted:
			return fund.Yes
		default:
			return fund.No
		}
	}
	return fund.Unknown
}

// fill reads the cell of a reader who may have it.
func (c *column) fill(s *source, r *Request, cell *Cell) {
	f := c.read(s)
	if f.purpose != "" && f.state != absent {
		if cell.Status = c.keptFor(s.profile, r, f.purpose); cell.Status != Present {
			return
		}
	}
	cell.Status = c.judge(&f, r.At)
	if cell.Status == NotFound {
		return
	}
	cell.From, cell.To = f.from, f.to
	if f.to == 0 && f.state != unproven {
		cell.To = fund.Forever
	}
	if cell.Status == Present {
		cell.Value = f.value
	}
}

// judge says what a finding is at an instant. What is past its retention reads as what was
// deleted: the same read gives the same answer before and after the bank deletes it.
func (c *column) judge(f *finding, at fund.Instant) Status {
	age := int64(at - f.from)
	switch {
	case f.state == absent || f.state == removed || age < 0:
		return NotFound
	case c.span.Retention > 0 && age >= c.span.Retention.Microseconds():
		return NotFound
	case c.span.LookBack > 0 && age > c.span.LookBack.Microseconds():
		return NotFound
	case f.state == unproven || f.to != 0 && at >= f.to:
		return Expired
	case c.span.MaxAge > 0 && age > c.span.MaxAge.Microseconds():
		return OutsideMaxAge
	case f.state == null:
		return NullValue
	}
	return Present
}

// keptFor says whether a cell that is kept for a purpose may be used: for no other, and by
// nobody without the consent that it needs. The program itself needs the consent too.
func (c *column) keptFor(profile *fund.Profile, r *Request, purpose string) Status {
	if r.Purpose != "" && r.Purpose != purpose {
		return PurposeDenied
	}
	needed := fund.NeedsConsent(purpose) || slices.Contains(c.access.NeedsConsent, purpose)
	if status := consented(profile, r, purpose); needed || status == ConsentWithdrawn {
		return status
	}
	return Present
}
