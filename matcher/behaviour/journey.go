package behaviour

import (
	"slices"
	"strings"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// readTrail goes over the events once, in the order of time.
func (r *reading) readTrail() {
	for i := range r.trail {
		r.readEvent(i, &r.trail[i])
	}
	spoken := r.profile.Trail.Recent[:seenBy(r.profile.Trail.Recent, r.out.At)]
	for i := len(r.trail); i < len(spoken); i++ {
		if e := &spoken[i]; e.Kind == fund.Refusal || e.Kind == fund.Complaint {
			r.readEvent(i, e) // his word binds from its instant on
		}
	}
	if r.kinds[fund.Complaint].count > 0 {
		r.out.Complaints = openComplaints(spoken)
	}
}

// readEvent takes in one event, which stands at a place of the trail.
func (r *reading) readEvent(place int, e *fund.Event) {
	if e.Kind == fund.EventUnknown || int(e.Kind) >= fund.EventKinds {
		return
	}
	r.kinds[e.Kind].event(e, &r.days)
	r.own.event(e, &r.days)
	switch e.Kind {
	case fund.Redeem:
		r.redeems.add(place)
		return
	case fund.Click, fund.DetailView:
		if r.firstVisit == 0 {
			r.firstVisit = e.At.Date()
		}
	case fund.ObjectionRaised, fund.EvidenceOpen:
		r.doubt(e)
	case fund.Refusal:
		if e.ProductCode == "" {
			refuse(&r.out.Refused, e)
		}
	case fund.Complaint, fund.Contact:
		return
	default:
	}
	if e.ProductCode != "" {
		step(&r.out.Journeys[r.journey(e.ProductCode)], e)
	}
}

// journey returns the place of a product's journey, which it makes when there is none.
func (r *reading) journey(productCode string) int {
	list := r.out.Journeys
	slot := &r.met[productCode[len(productCode)-1]%lastMet]
	if i := int(*slot) - 1; i >= 0 && list[i].ProductCode == productCode {
		return i
	}
	lo, hi := 0, len(list)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if strings.Compare(list[mid].ProductCode, productCode) < 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == len(list) || list[lo].ProductCode != productCode {
		r.out.Journeys = slices.Insert(list, lo, fund.Journey{ProductCode: productCode})
		r.met = [lastMet]uint16{} // places have moved
	}
	*slot = uint16(lo + 1)
	return lo
}

// lastMet is how many of the journeys met last are remembered, one for each last sign of a
// code: he comes back to few products.
const lastMet = 16

// nodeOf returns the key node that an event reaches.
func nodeOf(kind fund.EventKind) fund.KeyNode {
	switch kind {
	case fund.Exposure:
		return fund.Exposed
	case fund.Click, fund.DetailView:
		return fund.Viewed
	case fund.ObjectionRaised, fund.EvidenceOpen:
		return fund.Asked
	case fund.OrderStart:
		return fund.Started
	case fund.OrderAbandon:
		return fund.Abandoned
	case fund.OrderConfirm:
		return fund.Confirmed
	case fund.EventUnknown, fund.Refusal, fund.Redeem, fund.Complaint, fund.Contact:
	}
	return fund.NoNode
}

// step takes a journey on by an event that is not earlier than those before it. He stands
// at the node reached last, which may be one further back; at one instant the further one.
func step(j *fund.Journey, e *fund.Event) {
	switch e.Kind { //nolint:exhaustive // the others have a node and nothing else
	case fund.Refusal:
		refuse(&j.Refused, e)
		return
	case fund.Exposure:
		j.Exposures++
	case fund.OrderAbandon:
		j.Abandons++
	}
	node := nodeOf(e.Kind)
	// To be shown it again is the firm's act: it moves nobody back who came further.
	if node > j.Node || node != fund.Exposed && e.At > j.Reached[j.Node] {
		j.Node = node
	}
	j.Reached[node] = e.At
}

// refuse takes in a refusal that is not earlier than those before it. The newest speaks,
// and never shortens an earlier one: the gate hides for as long (A06).
func refuse(w *fund.RefusalWord, e *fund.Event) {
	*w = fund.RefusalWord{At: e.At, Reason: e.About, Until: max(w.Until, e.Until)}
}

// doubt takes in an objection or the evidence that he opened about one.
func (r *reading) doubt(e *fund.Event) {
	list := r.out.Doubts
	i := 0
	for i < len(list) && before(&list[i], e) {
		i++
	}
	if i == len(list) || list[i].ProductCode != e.ProductCode || list[i].Code != e.About {
		list = slices.Insert(list, i, fund.Doubt{ProductCode: e.ProductCode, Code: e.About})
		r.out.Doubts = list
	}
	d := &list[i]
	if e.Kind == fund.EvidenceOpen {
		d.Opened++
		return
	}
	d.Count++
	d.Last = e.At
	if e.Until != 0 {
		d.Until = e.Until
	}
}

func before(d *fund.Doubt, e *fund.Event) bool {
	if d.ProductCode != e.ProductCode {
		return d.ProductCode < e.ProductCode
	}
	return d.Code < e.About
}

// openComplaints counts the complaints that nothing settled: no closed one about the same
// product, or about none, came at the same instant or later.
func openComplaints(trail []fund.Event) int32 {
	var places [KeptWords]uint16
	n := 0
	for i := range trail {
		if trail[i].Kind == fund.Complaint && n < len(places) {
			places[n] = uint16(i)
			n++
		}
	}
	var open int32
	for _, i := range places[:n] {
		if !trail[i].Closed && !settled(trail, places[:n], &trail[i]) {
			open++
		}
	}
	return open
}

func settled(trail []fund.Event, places []uint16, complaint *fund.Event) bool {
	for k := len(places) - 1; k >= 0; k-- {
		e := &trail[places[k]]
		if e.At < complaint.At {
			return false
		}
		if e.Closed && (e.ProductCode == "" || e.ProductCode == complaint.ProductCode) {
			return true
		}
	}
	return false
}
