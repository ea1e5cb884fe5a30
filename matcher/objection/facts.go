package objection

import (
	"unicode/utf8"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Sources of evidence: where the bank can look a fact up.
const (
	sourceNAV      = "NAV"
	sourceProduct  = "PRODUCT"
	sourcePool     = "POOL"
	sourceModel    = "MODEL"
	sourceRules    = "RULES"
	sourceComputed = "COMPUTED"
	sourceCustomer = "CUSTOMER"
)

// sheet is evidence under way: the caller's slice and what is appended. Facts are written
// in place, field by field: building each one first and copying it costs twice.
type sheet []fund.Evidence

// add appends a fact about a day and returns it.
func (s *sheet) add(field string, unit fund.Unit, number int64, asOf fund.Date, source string) *fund.Evidence {
	n := len(*s)
	if n < cap(*s) {
		*s = (*s)[:n+1]
	} else {
		*s = append(*s, fund.Evidence{})
	}
	e := &(*s)[n]
	e.Field, e.Unit, e.Number, e.Text = field, unit, number, ""
	e.Window, e.AsOf, e.Stale, e.Source, e.Document = fund.Window{}, asOf, 0, source, ""
	return e
}

// nav adds a figure of a track record.
func (s *sheet) nav(r *fund.TrackRecord, field string, unit fund.Unit, number int64, w fund.Window) {
	e := s.add(field, unit, number, r.AsOf, sourceNAV)
	e.Window, e.Stale = w, r.StaleDays
}

// nav adds a figure of a track record.
func (v *view) nav(r *fund.TrackRecord, field string, unit fund.Unit, number int64, w fund.Window) {
	v.facts.nav(r, field, unit, number, w)
}

// product adds a fact of the product's own papers.
func (v *view) product(field string, unit fund.Unit, number int64) {
	v.facts.add(field, unit, number, v.Day, sourceProduct).Document = v.Product.Listing.KeyFactsVersion
}

// text adds a name or a code.
func (v *view) text(field, text, source string) {
	v.facts.add(field, fund.UnitNone, 0, v.Day, source).Text = text
}

// figure adds what comes from settings or was computed for this answer.
func (v *view) figure(field string, unit fund.Unit, number int64, source string) {
	v.facts.add(field, unit, number, v.Day, source)
}

// his adds a fact of the customer: for Grounds only.
func (v *view) his(field string, unit fund.Unit, number int64, w fund.Window) {
	v.facts.add(field, unit, number, v.Day, sourceCustomer).Window = w
}

// hisCount adds a count of the customer's where it is one or more.
func (v *view) hisCount(field string, n int32) {
	if n > 0 {
		v.his(field, fund.UnitCount, int64(n), fund.Window{})
	}
}

// sayable reports whether a text from outside fits into a sentence's slot.
func sayable(text string) bool {
	const slot = 200 // wording.MaxSlotText
	return text != "" && (len(text) <= slot || len(text) <= utf8.UTFMax*slot && utf8.RuneCountInString(text) <= slot)
}

// span is a part of a record whose figures two products can be compared by.
type span struct {
	of     fund.Span
	months int64
}

// comparedSpans are the spans of a fixed length, the longest that most funds have first.
var comparedSpans = [...]span{{fund.ThreeYears, 36}, {fund.OneYear, 12}}

// sameDays is how far the ends of two windows may lie apart: funds publish on different
// days, above all those that invest abroad.
const sameDays = 7

func sameWindow(a, b fund.Window) bool {
	return near(a.From, b.From) && near(a.To, b.To)
}

func near(a, b fund.Date) bool {
	days := a.DaysSince(b)
	return -sameDays <= days && days <= sameDays
}
