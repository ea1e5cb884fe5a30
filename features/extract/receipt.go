package extract

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/history"
	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Verdict says how a feature that a decision was made with stands to what the store says of
// that instant today.
type Verdict string

// The verdicts.
const (
	Match    Verdict = "MATCH"
	Mismatch Verdict = "MISMATCH" // both have it, and not the same of it
	Missing  Verdict = "MISSING"  // sealed with the decision, and not in the store as of then
	Extra    Verdict = "EXTRA"    // in the store as of then, and not sealed
)

// Finding is one feature that is no match.
type Finding struct {
	Feature string // view.feature, or profile.PART of what no feature reads
	Verdict Verdict
	Sealed  view.Cell
	Then    view.Cell
	Why     string // as far as the store can tell; "": it cannot
}

// Receipt says how a decision's sealed profile stands to the store.
type Receipt struct {
	Matches  int // features that match
	Findings []Finding
}

// CheckReceipt compares a sealed profile with the history of its customer, feature by
// feature, both read by the same catalogue at the instant of the decision. A nil history is
// a customer whom the store does not know.
func CheckReceipt(c *view.Catalogue, sealed *fund.Profile, h *features.History, at fund.Instant) (Receipt, error) {
	then := &fund.Profile{CustomerID: sealed.CustomerID}
	if h != nil {
		var err error
		if then, err = history.AsOf(h, features.AsKnown(at)); err != nil {
			return Receipt{}, err
		}
	}
	plan, err := c.Plan(RefsOf(c, sealed, then))
	if err != nil {
		return Receipt{}, err
	}
	var out Receipt
	request := view.Request{At: at}
	was, is := plan.Read(sealed, &request, nil), plan.Read(then, &request, nil)
	for i := range was {
		f := Finding{Feature: was[i].String(), Sealed: was[i], Then: is[i], Verdict: verdict(&was[i], &is[i])}
		switch f.Verdict {
		case "": // neither has it
		case Match:
			out.Matches++
		default:
			f.Why = why(h, sealed.Revision, was[i].Ref, at)
			out.Findings = append(out.Findings, f)
		}
	}
	out.addParts(c, sealed, then)
	return out, nil
}

// verdict compares what was read of one feature; "": neither has it.
func verdict(sealed, then *view.Cell) Verdict {
	had, has := sealed.Status != view.NotFound, then.Status != view.NotFound
	switch {
	case !had && !has:
		return ""
	case !has:
		return Missing
	case !had:
		return Extra
	case sealed.Status == then.Status && sealed.Value.Equal(then.Value) && sealed.From == then.From && sealed.To == then.To:
		return Match
	}
	return Mismatch
}

// why looks for the cell that came into the store after the profile was sealed.
func why(h *features.History, sealed uint64, ref view.Ref, at fund.Instant) string {
	if h == nil {
		return "the store does not know the customer"
	}
	reason := ""
	for i := range h.Cells {
		c := &h.Cells[i]
		if string(c.View) != ref.View || c.Name != ref.Name || !c.VisibleAt(at) || i >= len(h.CellSeqs) || h.CellSeqs[i] <= sealed {
			continue
		}
		if c.KnownAt == 0 {
			return fmt.Sprintf("written later (transaction %d, the decision saw %d) and dated back without a known time: it counts as known from %s on",
				h.CellSeqs[i], sealed, instantText(c.EventAt))
		}
		reason = fmt.Sprintf("written later (transaction %d, the decision saw %d) with a known time before the decision, %s",
			h.CellSeqs[i], sealed, instantText(c.KnownAt))
	}
	return reason
}

func instantText(at fund.Instant) string {
	if at == 0 {
		return "ever"
	}
	return at.String()
}

// part is what several features, or none, are read from.
type part struct {
	name string
	of   func(from, into *fund.Profile)
}

// parts are those of a profile that views may pass over.
func parts(c *view.Catalogue) []part {
	return []part{
		{"person", func(from, into *fund.Profile) { into.Person = from.Person }},
		{"assessments", func(from, into *fund.Profile) {
			into.Assessment, into.Assessments, into.PredictedLevel = from.Assessment, from.Assessments, from.PredictedLevel
		}},
		{"needs", func(from, into *fund.Profile) {
			into.Needs, into.Personalization = from.Needs, from.Personalization
		}},
		{"lots", func(from, into *fund.Profile) { into.Lots = from.Lots }},
		{"purchases", func(from, into *fund.Profile) { into.Purchases = from.Purchases }},
		{"trail", func(from, into *fund.Profile) { into.Trail = from.Trail }},
		{"undeclared", func(from, into *fund.Profile) { // of views that the catalogue does not know
			for i := range from.Features {
				if _, declared := c.View(from.Features[i].View); !declared {
					into.Features = append(into.Features, from.Features[i])
				}
			}
		}},
	}
}

// addParts compares what a decision is made with besides features: lots and trails entry by
// entry. A part that both lack is not counted.
func (r *Receipt) addParts(c *view.Catalogue, sealed, then *fund.Profile) {
	none := fund.AppendProfile(nil, &fund.Profile{})
	for _, p := range parts(c) {
		var a, b fund.Profile
		p.of(sealed, &a)
		p.of(then, &b)
		was, is := fund.AppendProfile(nil, &a), fund.AppendProfile(nil, &b)
		had, has := !bytes.Equal(was, none), !bytes.Equal(is, none)
		f := Finding{Feature: "profile." + p.name}
		switch {
		case !had && !has:
			continue
		case bytes.Equal(was, is):
			r.Matches++
			continue
		case !has:
			f.Verdict = Missing
		case !had:
			f.Verdict = Extra
		default:
			f.Verdict = Mismatch
		}
		r.Findings = append(r.Findings, f)
	}
}

// RefsOf lists every feature that a catalogue declares, and those of its open views that the
// profiles have: by view in the catalogue's order, then as declared, then by name.
func RefsOf(c *view.Catalogue, profiles ...*fund.Profile) []view.Ref {
	var out []view.Ref
	for _, v := range c.Views() {
		var names []string
		for _, f := range v.Features {
			out = append(out, view.Ref{View: v.Name, Name: f.Name})
			names = append(names, f.Name)
		}
		if v.Open == 0 {
			continue
		}
		var more []string
		for _, p := range profiles {
			more = appendNames(more, p, v.Name)
		}
		slices.SortFunc(more, cmp.Compare)
		for _, name := range slices.Compact(more) {
			if !slices.Contains(names, name) {
				out = append(out, view.Ref{View: v.Name, Name: name})
			}
		}
	}
	return out
}

// appendNames appends the names that a profile has of an open view.
func appendNames(names []string, p *fund.Profile, of string) []string {
	switch features.View(of) {
	case features.TagView:
		for i := range p.Tags {
			names = append(names, p.Tags[i].Name)
		}
	case features.AttributeView:
		for i := range p.Attributes {
			names = append(names, p.Attributes[i].Name)
		}
	case features.ConsentView:
		for i := range p.Consents {
			names = append(names, p.Consents[i].Purpose)
		}
	default:
		for i := range p.Features {
			if p.Features[i].View == of {
				names = append(names, p.Features[i].Name)
			}
		}
	}
	return names
}
