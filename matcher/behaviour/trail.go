package behaviour

import (
	"math"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// How many of the newest events of one kind a trail keeps. Each kind has a room of its
// own: whatever floods in, a refusal or a complaint is pushed out only by later words of
// the same kind, and of those there is the most room (A06).
const (
	KeptWords     = 768 // REFUSAL, COMPLAINT
	KeptExposures = 512 // EXPOSURE: seventeen a day for thirty days
	KeptActs      = 256 // CLICK, DETAIL_VIEW, OBJECTION, EVIDENCE_OPEN, ORDER_CONFIRM, REDEEM, CONTACT
	KeptAttempts  = 128 // ORDER_START, ORDER_ABANDON
)

// All rooms together fit into a trail: this does not compile otherwise.
const _ = uint(fund.MaxTrail - (2*KeptWords + KeptExposures + 7*KeptActs + 2*KeptAttempts))

// Kept returns how many events of a kind a trail keeps; 0: none, it means nothing.
func Kept(kind fund.EventKind) int {
	switch kind {
	case fund.Refusal, fund.Complaint:
		return KeptWords
	case fund.Exposure:
		return KeptExposures
	case fund.Click, fund.DetailView, fund.ObjectionRaised, fund.EvidenceOpen, fund.OrderConfirm, fund.Redeem, fund.Contact:
		return KeptActs
	case fund.OrderStart, fund.OrderAbandon:
		return KeptAttempts
	case fund.EventUnknown:
	}
	return 0
}

// Fold takes one event into a trail, which it changes in place: a trail that others may
// be reading is copied first. The order in which events are folded in leaves no trace:
// the result is Of of all of them. Two equal events are two; whether an event has come
// before is for the store to know, by its id. EventUnknown is passed over.
func Fold(t *fund.Trail, e *fund.Event) {
	room := Kept(e.Kind)
	if room == 0 {
		return
	}
	count(&t.Tallies[e.Kind], e)
	place := after(t.Recent, e)
	kept, oldest := keptOf(t, e.Kind)
	switch {
	case kept < room:
		t.Recent = slices.Insert(t.Recent, place, *e)
	case place > oldest: // the oldest of its kind goes, what lies between moves up
		copy(t.Recent[oldest:place-1], t.Recent[oldest+1:place])
		t.Recent[place-1] = *e
	}
}

// Of makes the trail of all events of a customer, in whatever order they stand: what
// folding them in one by one gives, in n log n steps. It leaves the list as it is.
func Of(events []fund.Event) fund.Trail {
	var t fund.Trail
	order := make([]int32, 0, len(events))
	for i := range events {
		if e := &events[i]; Kept(e.Kind) > 0 {
			count(&t.Tallies[e.Kind], e)
			order = append(order, int32(i))
		}
	}
	slices.SortFunc(order, func(a, b int32) int { return fund.CompareEvents(&events[a], &events[b]) })
	var kept [fund.EventKinds]int
	newest := order[len(order):]
	for i := len(order) - 1; i >= 0; i-- {
		if kind := events[order[i]].Kind; kept[kind] < Kept(kind) {
			kept[kind]++
			newest = append(newest, order[i])
		}
	}
	if len(newest) > 0 {
		t.Recent = make([]fund.Event, 0, len(newest))
	}
	for _, i := range slices.Backward(newest) {
		t.Recent = append(t.Recent, events[i])
	}
	return t
}

// Reach returns the instant from which on a trail holds every event of a kind; 0: it
// holds all that there ever were. What lies before is only in the tally: who must show
// that something did not happen can show it no further back.
func Reach(t *fund.Trail, kind fund.EventKind) fund.Instant {
	if Kept(kind) == 0 {
		return 0
	}
	kept, oldest := keptOf(t, kind)
	switch {
	case int(t.Tallies[kind].Count) <= kept:
		return 0
	case kept == 0:
		return fund.Forever
	}
	return t.Recent[oldest].At
}

// count adds an event to the tally of its kind. Only amounts above 0 are known ones, and
// a sum that only grows stops at the largest number in any order.
func count(y *fund.Tally, e *fund.Event) {
	if y.Count == 0 {
		y.First, y.Last = e.At, e.At
	}
	y.First, y.Last = min(y.First, e.At), max(y.Last, e.At)
	if y.Count < math.MaxInt32 {
		y.Count++
	}
	y.Amount = plus(y.Amount, max(e.Amount, 0))
}

// plus adds and stops at the largest and the smallest number.
func plus(a, b fund.Money) fund.Money {
	switch {
	case b > 0 && a > math.MaxInt64-b:
		return math.MaxInt64
	case b < 0 && a < math.MinInt64-b:
		return math.MinInt64
	}
	return a + b
}

// after returns the place behind all events that are not later than e.
func after(recent []fund.Event, e *fund.Event) int {
	lo, hi := 0, len(recent)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if fund.CompareEvents(&recent[mid], e) <= 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// keptOf counts the events of a kind and finds the oldest of them.
func keptOf(t *fund.Trail, kind fund.EventKind) (kept, oldest int) {
	for i := len(t.Recent) - 1; i >= 0; i-- {
		if t.Recent[i].Kind == kind {
			kept++
			oldest = i
		}
	}
	return kept, oldest
}
