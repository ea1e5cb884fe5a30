package storetest

import (
	"cmp"
	"slices"
	"strings"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// oracle remembers all that was ever said, in the order in which it came, and answers by the
// words of the contract in the plainest way: it filters, sorts and takes the last. It shares
// no code with the stores, the fold, nor the plan that it judges.
type oracle struct {
	customers map[string]bool
	cells     []saidCell
	events    []features.Event
	bought    []features.CustomerPurchase // in the order in which it was said
	imports   int
	aside     map[string]bool // of whom something came too early
}

// saidCell is a cell and the import that brought it; 0: a write.
type saidCell struct {
	features.Cell
	imported int
}

func newOracle() *oracle { return &oracle{customers: map[string]bool{}, aside: map[string]bool{}} }

// tooEarly reports whether a fact lies more than five minutes after its recording.
func tooEarly(recorded fund.Instant, times ...fund.Instant) bool {
	return slices.Max(times) > recorded+5*60*1_000_000
}

// write says cells of one customer.
func (o *oracle) write(recorded fund.Instant, cells []features.Cell) {
	for _, c := range cells {
		if tooEarly(recorded, c.EventAt, c.KnownAt) {
			o.aside[c.CustomerID] = true
			continue
		}
		o.cells = append(o.cells, saidCell{Cell: c})
	}
}

// load says what one import brings. What the newest import of that name and times said is
// not said again.
func (o *oracle) load(at fund.Instant, cells []features.Cell, events []features.Event, bought []features.CustomerPurchase) {
	o.imports++
	for _, c := range cells {
		if tooEarly(at, c.EventAt, c.KnownAt) {
			o.aside[c.CustomerID] = true
			continue
		}
		o.customers[c.CustomerID] = true
		if newest := o.lastImported(&c); newest == nil || *newest != c {
			o.cells = append(o.cells, saidCell{c, o.imports})
		}
	}
	for _, e := range events {
		if tooEarly(at, e.EventAt, e.KnownAt) {
			o.aside[e.CustomerID] = true
			continue
		}
		o.customers[e.CustomerID] = true
		o.events = append(o.events, e)
	}
	for _, p := range bought {
		if tooEarly(at, p.KnownOn.Start()) {
			o.aside[p.CustomerID] = true
			continue
		}
		o.customers[p.CustomerID] = true
		o.bought = append(o.bought, p)
	}
}

func (o *oracle) lastImported(c *features.Cell) *features.Cell {
	var last *features.Cell
	for i := range o.cells {
		s := &o.cells[i]
		if s.imported > 0 && s.CustomerID == c.CustomerID && s.View == c.View && s.Name == c.Name && s.EventAt == c.EventAt && s.KnownAt == c.KnownAt {
			last = &s.Cell
		}
	}
	return last
}

// record says events.
func (o *oracle) record(recorded fund.Instant, events []features.Event) {
	for _, e := range events {
		if slices.ContainsFunc(o.events, func(s features.Event) bool { return s.ID == e.ID }) {
			continue
		}
		if tooEarly(recorded, e.EventAt, e.KnownAt) {
			o.aside[e.CustomerID] = true
			continue
		}
		if e.KnownAt == 0 {
			e.KnownAt = recorded
		}
		o.events = append(o.events, e)
	}
}

// erase forgets a customer.
func (o *oracle) erase(id string) {
	delete(o.customers, id)
	delete(o.aside, id)
	o.cells = slices.DeleteFunc(o.cells, func(c saidCell) bool { return c.CustomerID == id })
	o.events = slices.DeleteFunc(o.events, func(e features.Event) bool { return e.CustomerID == id })
	o.bought = slices.DeleteFunc(o.bought, func(p features.CustomerPurchase) bool { return p.CustomerID == id })
}

// newest returns the last word on a name as of then; nil: there is none.
func (o *oracle) newest(id string, v features.View, name string, a features.AsOf) *saidCell {
	var said []*saidCell
	for i := range o.cells {
		c := &o.cells[i]
		known := c.KnownAt
		if known == 0 {
			known = c.EventAt
		}
		if c.CustomerID == id && c.View == v && c.Name == name && c.EventAt <= a.At && known <= a.Known && (c.KnownAt != 0 || !a.KnownOnly) {
			said = append(said, c)
		}
	}
	if len(said) == 0 {
		return nil
	}
	return slices.MaxFunc(said, later2)
}

// later2 orders two words on one name: event time, known time, import, the writer's own
// order, a removal after a value, the value, and then whatever is left.
func later2(a, b *saidCell) int {
	removal := func(c *saidCell) int {
		if c.Tombstone {
			return 1
		}
		return 0
	}
	return cmp.Or(
		cmp.Compare(a.EventAt, b.EventAt), cmp.Compare(a.KnownAt, b.KnownAt),
		cmp.Compare(a.imported, b.imported), cmp.Compare(a.SourceSeq, b.SourceSeq),
		cmp.Compare(removal(a), removal(b)), strings.Compare(a.Value, b.Value), cmp.Compare(a.ValidTo, b.ValidTo),
		strings.Compare(a.Source, b.Source), strings.Compare(a.Purpose, b.Purpose),
	)
}

// names returns every name of a view that was ever spoken of.
func (o *oracle) names(id string, v features.View) []string {
	var names []string
	for i := range o.cells {
		if c := &o.cells[i]; c.CustomerID == id && c.View == v {
			names = append(names, c.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// profile is what a read as of then may say, as far as the sequences write it.
func (o *oracle) profile(id string, a features.AsOf, own []features.View) answered {
	var out answered
	for _, name := range o.names(id, features.TagView) {
		if c := o.newest(id, features.TagView, name, a); c != nil && !c.Tombstone {
			out.Tags = append(out.Tags, fund.Tag{Name: name, Value: c.Value, From: c.EventAt, To: endOf(c), Source: c.Source, Purpose: c.Purpose})
		}
	}
	for _, v := range own {
		for _, name := range o.names(id, v) {
			if c := o.newest(id, v, name, a); c != nil {
				f := fund.Feature{View: string(v), Name: name, Value: c.Value, From: c.EventAt, To: endOf(c), Source: c.Source, Purpose: c.Purpose}
				if c.Tombstone {
					f.Value = ""
				}
				out.Features = append(out.Features, f)
			}
		}
	}
	for _, purpose := range o.names(id, features.ConsentView) {
		if c := o.newest(id, features.ConsentView, purpose, a); c != nil {
			out.Consents = append(out.Consents, fund.Consent{Purpose: purpose, Granted: c.Value == "true", At: c.EventAt})
		}
	}
	if c := o.newest(id, features.PersonView, "segment", a); c != nil && !c.Tombstone {
		out.Segment = c.Value
	}
	out.Purchases = o.purchases(id, a)
	out.Events = o.happened(id, a)
	return out
}

func endOf(c *saidCell) fund.Instant {
	if c.ValidTo == 0 {
		return fund.Forever
	}
	return c.ValidTo
}

// purchases are those known by then, of each product, day and kind what was said last.
func (o *oracle) purchases(id string, a features.AsOf) []fund.Purchase {
	type deal struct {
		product, kind string
		on            fund.Date
	}
	last := map[deal]fund.Purchase{}
	for _, p := range o.bought {
		if p.CustomerID == id && p.KnownOn.Start() <= a.At && p.KnownOn.Start() <= a.Known {
			last[deal{p.ProductCode, p.Kind, p.KnownOn}] = p.Purchase
		}
	}
	var out []fund.Purchase
	for _, p := range last {
		out = append(out, p)
	}
	slices.SortFunc(out, func(x, y fund.Purchase) int {
		return cmp.Or(strings.Compare(x.ProductCode, y.ProductCode), cmp.Compare(x.KnownOn, y.KnownOn), strings.Compare(x.Kind, y.Kind))
	})
	return out
}

// happened are the ids of the events that had happened and were known, by time and id.
func (o *oracle) happened(id string, a features.AsOf) []string {
	var seen []features.Event
	for _, e := range o.events {
		known := e.KnownAt
		if known == 0 {
			known = e.EventAt
		}
		if e.CustomerID == id && e.EventAt <= a.At && known <= a.Known && (e.KnownAt != 0 || !a.KnownOnly) {
			seen = append(seen, e)
		}
	}
	slices.SortFunc(seen, func(x, y features.Event) int {
		return cmp.Or(cmp.Compare(x.EventAt, y.EventAt), strings.Compare(x.ID, y.ID))
	})
	var ids []string
	for _, e := range seen {
		ids = append(ids, e.ID)
	}
	return ids
}

// status reads one feature for a purpose: first who may, then what there is.
func (o *oracle) status(id string, v *view.View, name string, a features.AsOf, purpose string) (view.Status, string) {
	if s := o.allowed(id, v, a, purpose); s != view.Present {
		return s, ""
	}
	c := o.newest(id, features.View(v.Name), name, a)
	if s := o.kept(id, v, c, a, purpose); s != view.Present {
		return s, ""
	}
	switch age := a.At - fromOf(c); {
	case c == nil || c.Tombstone:
		return view.NotFound, ""
	case v.LookBack > 0 && int64(age) > v.LookBack.Microseconds():
		return view.NotFound, ""
	case c.ValidTo != 0 && a.At >= c.ValidTo:
		return view.Expired, ""
	case v.MaxAge > 0 && int64(age) > v.MaxAge.Microseconds():
		return view.OutsideMaxAge, ""
	case c.Value == "null":
		return view.NullValue, ""
	}
	return view.Present, c.Value
}

// kept says whether a cell that is kept for a purpose of its own may be read for another;
// Present: it may.
func (o *oracle) kept(id string, v *view.View, c *saidCell, a features.AsOf, purpose string) view.Status {
	if c == nil || c.Purpose == "" {
		return view.Present
	}
	if purpose != "" && purpose != c.Purpose {
		return view.PurposeDenied
	}
	s := o.consent(id, c.Purpose, a)
	if s == view.ConsentWithdrawn || s == view.ConsentMissing && slices.Contains(v.NeedsConsent, c.Purpose) {
		return s
	}
	return view.Present
}

// allowed says whether a view may be read for a purpose; Present: it may.
func (o *oracle) allowed(id string, v *view.View, a features.AsOf, purpose string) view.Status {
	switch {
	case purpose == "":
		return view.Present
	case !slices.Contains(v.Purposes, purpose):
		return view.PurposeDenied
	case purpose == statistics && v.Personal:
		return view.PurposeDenied
	case purpose == care && v.Personal && o.switchedOff(id, a):
		return view.PurposeDenied
	case slices.Contains(v.NeedsConsent, purpose):
		return o.consent(id, purpose, a)
	}
	return view.Present
}

func fromOf(c *saidCell) fund.Instant {
	if c == nil {
		return 0
	}
	return c.EventAt
}

// consent is the customer's last word on a purpose; Present: he gave it.
func (o *oracle) consent(id, purpose string, a features.AsOf) view.Status {
	switch c := o.newest(id, features.ConsentView, purpose, a); {
	case c == nil:
		return view.ConsentMissing
	case c.Value == "true":
		return view.Present
	}
	return view.ConsentWithdrawn
}

// switchedOff reports whether the customer switched personalisation off.
func (o *oracle) switchedOff(id string, a features.AsOf) bool {
	c := o.newest(id, features.PersonalizationView, features.EnabledName, a)
	return c != nil && !c.Tombstone && c.Value == "false"
}

// answered is what the oracle and a store are compared by.
type answered struct {
	Tags      []fund.Tag
	Features  []fund.Feature
	Consents  []fund.Consent
	Purchases []fund.Purchase
	Events    []string
	Segment   string
}
