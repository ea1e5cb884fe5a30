package extract

import (
	"slices"
	"sort"
	"strings"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// past folds one history at many instants. It gives the profiles that history.AsOf gives,
// but for the revision, which no feature reads. A customer's labels lie close together, so
// what cannot have changed from one instant to the next is not folded again, and of what
// changed only the cells that did: everything goes through features.Fold all the same.
type past struct {
	history *features.History
	groups  []group
	begins  boundaries // event times
	knows   boundaries // known times
	buys    boundaries // when purchases are known, and the lots of the first posting
	seen    place      // of the last instant
	core    *fund.Profile
	trail   pastTrail
	// posting is the cell of the first posting batch, which speaks of the days before it too
	// (features.PostedName); -1: there is none.
	posting int
	// assessments says of each cell of the assessments whether it is visible.
	assessments []bool
	profile     fund.Profile    // of the last instant
	changed     []features.Cell // holds what is folded
}

// place says where an instant lies among those at which anything becomes visible: at two
// instants of one place the profile is the same.
type place struct{ begun, known, bought int }

// group is the cells of one view and name, in the order of features.Compare.
type group struct {
	first, last int           // in the history; last is not of the group
	list        list          // of the profile that the cell in force adds to
	inForce     int           // -1: none is visible
	of          *fund.Profile // has the folded cell, at its place of the list
	at          int           // -1: it adds nothing
}

// list is a list of the profile to which each cell adds an entry of its own. The other
// parts of a profile are decided by several cells together: the core.
type list uint8

const (
	noList list = iota
	tagList
	attributeList
	consentList
	featureList
)

func listOf(v features.View) list {
	switch {
	case v == features.TagView:
		return tagList
	case v == features.AttributeView:
		return attributeList
	case v == features.ConsentView:
		return consentList
	case !v.BuiltIn():
		return featureList
	}
	return noList
}

// newPast prepares a history, which nobody may change afterwards.
func newPast(h *features.History) *past {
	p := &past{history: h, seen: place{-1, -1, -1}, trail: pastTrail{events: h.Events}, posting: firstPosting(h)}
	for i := range h.Cells {
		c := &h.Cells[i]
		p.begins.add(c.EventAt)
		p.knows.add(c.Known())
		if n := len(p.groups) - 1; n >= 0 && h.Cells[p.groups[n].first].View == c.View && h.Cells[p.groups[n].first].Name == c.Name {
			p.groups[n].last++
			continue
		}
		p.groups = append(p.groups, group{first: i, last: i + 1, list: listOf(c.View), inForce: -1, at: -1})
	}
	for i := range h.Events {
		p.begins.add(h.Events[i].EventAt)
		p.knows.add(h.Events[i].Known())
	}
	for i := range h.Purchases {
		p.buys.add(h.Purchases[i].KnownOn.Start())
	}
	p.addPosting()
	p.begins.settle()
	p.knows.settle()
	p.buys.settle()
	return p
}

// firstPosting returns the cell of the posting batch that came first, the last of several
// at one instant; -1: there is none.
func firstPosting(h *features.History) int {
	first := -1
	for i := range h.Cells {
		c := &h.Cells[i]
		if c.View == features.HoldingsView && c.Name == features.PostedName && (first < 0 || c.EventAt == h.Cells[first].EventAt) {
			first = i // they are in the order of features.Compare
		}
	}
	return first
}

// addPosting adds the days of the first posting's lots to what becomes visible. A value that
// does not parse is told when it is folded.
func (p *past) addPosting() {
	if p.posting < 0 {
		return
	}
	of, err := features.Fold(p.history.CustomerID, p.history.Cells[p.posting:p.posting+1], nil, always())
	if err != nil {
		return
	}
	for i := range of.Lots {
		p.buys.add(of.Lots[i].AcquiredOn.Start())
	}
}

// asOf returns the profile of an instant; it is valid until the next call.
func (p *past) asOf(a features.AsOf) (*fund.Profile, error) {
	now := place{p.begins.before(a.At), p.knows.before(a.Known), p.buys.before(min(a.At, a.Known))}
	if now == p.seen && p.core != nil {
		return &p.profile, nil
	}
	core, lists := p.core == nil || now.bought != p.seen.bought, p.core == nil
	p.changed = p.changed[:0]
	for i := range p.groups {
		g := &p.groups[i]
		newest := p.newest(g, a)
		switch {
		case p.assessed(g): // several of them are in the profile
			core = p.seeAssessed(g, a) || core
		case newest == g.inForce:
			continue
		case g.list == noList:
			core = true
		default:
			lists = true
			g.of, g.at = nil, -1
			if newest >= 0 {
				p.changed = append(p.changed, p.history.Cells[newest])
			}
		}
		g.inForce = newest
	}
	if err := p.foldChanged(); err != nil {
		return nil, err
	}
	if core {
		if err := p.foldCore(a); err != nil {
			return nil, err
		}
	}
	if core || lists {
		p.assemble()
	}
	p.profile.Trail = p.trail.asOf(a)
	p.seen = now
	return &p.profile, nil
}

// newest returns the cell of a group that is in force.
func (p *past) newest(g *group, a features.AsOf) int {
	cells := p.history.Cells[g.first:g.last]
	begun := sort.Search(len(cells), func(i int) bool { return cells[i].EventAt > a.At })
	for i := begun - 1; i >= 0; i-- {
		if cells[i].Visible(a) {
			return g.first + i
		}
	}
	return -1
}

// assessed reports whether a group is the assessments.
func (p *past) assessed(g *group) bool {
	c := &p.history.Cells[g.first]
	return c.View == features.AssessmentView && c.Name == features.AssessedName
}

// seeAssessed reports whether other assessments are visible than before.
func (p *past) seeAssessed(g *group, a features.AsOf) (changed bool) {
	if p.assessments == nil {
		p.assessments = make([]bool, g.last-g.first)
	}
	for i := range p.assessments {
		visible := p.history.Cells[g.first+i].Visible(a)
		changed = changed || visible != p.assessments[i]
		p.assessments[i] = visible
	}
	return changed
}

// always is an instant at which every cell is visible.
func always() features.AsOf { return features.AsOf{At: fund.Forever, Known: fund.Forever} }

// foldChanged folds the cells that came into force, and gives the entries that they made to
// their groups. Entries and groups are in the same order.
func (p *past) foldChanged() error {
	if len(p.changed) == 0 {
		return nil
	}
	of, err := features.Fold(p.history.CustomerID, p.changed, nil, always())
	if err != nil {
		return err
	}
	var next [featureList + 1]int // entries of each list that are given away
	for i := range p.groups {
		g := &p.groups[i]
		if g.list == noList || g.at >= 0 || g.inForce < 0 {
			continue
		}
		if at := next[g.list]; g.list.has(of, at, &p.history.Cells[g.first]) {
			g.of, g.at = of, at
			next[g.list]++
		}
	}
	return nil
}

// has reports whether the entry at a place of the list is of the cell's view and name.
func (l list) has(p *fund.Profile, at int, c *features.Cell) bool {
	switch l {
	case tagList:
		return at < len(p.Tags) && p.Tags[at].Name == c.Name
	case attributeList:
		return at < len(p.Attributes) && p.Attributes[at].Name == c.Name
	case consentList:
		return at < len(p.Consents) && p.Consents[at].Purpose == c.Name
	case featureList:
		return at < len(p.Features) && p.Features[at].Name == c.Name && p.Features[at].View == string(c.View)
	case noList:
	}
	return false
}

// foldCore folds what several cells decide together.
func (p *past) foldCore(a features.AsOf) (err error) {
	cells := p.changed[:0]
	for i := range p.groups {
		g := &p.groups[i]
		switch {
		case g.list != noList:
		case p.assessed(g):
			cells = append(cells, p.history.Cells[g.first:g.last]...)
		case g.inForce >= 0:
			cells = append(cells, p.history.Cells[g.inForce])
		}
		if p.posting >= g.first && p.posting < g.last && p.posting != g.inForce {
			cells = append(cells, p.history.Cells[p.posting])
		}
	}
	p.core, err = features.Fold(p.history.CustomerID, cells, p.history.Purchases, a)
	p.changed = cells[:0]
	return err
}

// assemble puts the profile together.
func (p *past) assemble() {
	old := &p.profile
	tags, attributes, consents, own := old.Tags[:0], old.Attributes[:0], old.Consents[:0], old.Features[:0]
	for i := range p.groups {
		g := &p.groups[i]
		if g.at < 0 {
			continue
		}
		switch g.list {
		case tagList:
			tags = append(tags, g.of.Tags[g.at])
		case attributeList:
			attributes = append(attributes, g.of.Attributes[g.at])
		case consentList:
			consents = append(consents, g.of.Consents[g.at])
		case featureList:
			own = append(own, g.of.Features[g.at])
		case noList:
		}
	}
	p.profile = *p.core
	p.profile.Tags, p.profile.Attributes, p.profile.Consents, p.profile.Features = tags, attributes, consents, own
}

// boundaries are the instants at which something becomes visible.
type boundaries []fund.Instant

func (b *boundaries) add(at fund.Instant) {
	if n := len(*b); n == 0 || (*b)[n-1] != at {
		*b = append(*b, at)
	}
}

func (b *boundaries) settle() {
	slices.Sort(*b)
	*b = slices.Compact(*b)
}

// before counts the boundaries at or before an instant.
func (b *boundaries) before(at fund.Instant) int {
	n, found := slices.BinarySearch(*b, at)
	if found {
		n++
	}
	return n
}

// pastTrail folds events as time goes on.
type pastTrail struct {
	events  []features.Event
	entries []fund.Event // of the events, those of no kind left out
	of      []int        // the event of each entry
	in      []bool       // whether an entry is in the trail
	trail   fund.Trail
	fresh   []fund.Event
}

// manyFresh is the number of new events from which making the trail anew is cheaper than
// folding them in one by one.
const manyFresh = 16

// asOf returns the trail of an instant; it is valid until the next call.
func (t *pastTrail) asOf(a features.AsOf) fund.Trail {
	if t.in == nil {
		t.read()
	}
	gone := false
	t.fresh = t.fresh[:0]
	for i := range t.entries {
		visible := t.events[t.of[i]].Visible(a)
		gone = gone || t.in[i] && !visible
		if visible && !t.in[i] {
			t.fresh = append(t.fresh, t.entries[i])
		}
		t.in[i] = visible
	}
	if !gone && len(t.fresh) < manyFresh {
		for i := range t.fresh {
			behaviour.Fold(&t.trail, &t.fresh[i])
		}
		return t.trail
	}
	t.fresh = t.fresh[:0]
	for i := range t.entries {
		if t.in[i] {
			t.fresh = append(t.fresh, t.entries[i])
		}
	}
	t.trail = behaviour.Of(t.fresh)
	return t.trail
}

func (t *pastTrail) read() {
	for i := range t.events {
		if entry, ok := t.events[i].Entry(); ok {
			t.entries, t.of = append(t.entries, entry), append(t.of, i)
		}
	}
	t.in = make([]bool, len(t.entries))
}

// keep copies a history that is valid during a call only: its texts into one piece of
// memory.
func keep(h *features.History) *features.History {
	k := *h
	k.Cells, k.Purchases, k.Events = slices.Clone(h.Cells), slices.Clone(h.Purchases), slices.Clone(h.Events)
	k.CellSeqs, k.PurchaseSeqs, k.EventSeqs = nil, nil, nil
	n := 0
	eachText(&k, func(s *string) { n += len(*s) })
	var all strings.Builder
	all.Grow(n)
	eachText(&k, func(s *string) {
		start := all.Len()
		all.WriteString(*s)
		*s = all.String()[start:]
	})
	return &k
}

// eachText calls f with every text of a history.
func eachText(h *features.History, f func(*string)) {
	f(&h.CustomerID)
	for i := range h.Cells {
		c := &h.Cells[i]
		c.CustomerID = h.CustomerID
		view := string(c.View)
		f(&view)
		c.View = features.View(view)
		f(&c.Name)
		f(&c.Value)
		f(&c.Source)
		f(&c.Purpose)
	}
	for i := range h.Purchases {
		f(&h.Purchases[i].ProductCode)
		f(&h.Purchases[i].Kind)
	}
	for i := range h.Events {
		e := &h.Events[i]
		e.CustomerID = h.CustomerID
		for _, s := range []*string{&e.ID, &e.Kind, &e.ProductCode, &e.DecisionID, &e.Channel, &e.Attributes} {
			f(s)
		}
	}
}
