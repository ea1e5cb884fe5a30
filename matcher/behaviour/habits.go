package behaviour

import "github.com/fundmatch/fundmatch/matcher/fund"

// ownActs is what the customer's own acts say while the trail is read.
type ownActs struct {
	last          fund.Instant
	page          string
	dwell         int64
	dwells        int64
	postponements int32
	channels      [maxChannels]channelCount
	names         int
}

// maxChannels bounds the channels that are told apart, in the order in which he first
// used them. Banks have a handful.
const maxChannels = 16

type channelCount struct {
	name  string
	count int32
}

// notNow is the doubt of one who postpones.
const notNow = "NOT_NOW"

// event takes an event in.
func (o *ownActs) event(e *fund.Event, d *days) {
	switch e.Kind {
	case fund.EventUnknown, fund.Exposure, fund.Contact:
		return // done towards him
	case fund.Complaint:
		if !e.Closed { // settling one is the bank's act
			o.last = e.At
		}
		return
	case fund.Redeem:
		o.last = e.At
		return
	case fund.Click, fund.DetailView:
		o.visit(e, d)
	case fund.OrderAbandon:
		o.postpone(e, d)
	case fund.ObjectionRaised:
		if e.About == notNow {
			o.postpone(e, d)
		}
	case fund.EvidenceOpen, fund.OrderStart, fund.OrderConfirm, fund.Refusal:
	}
	o.last = e.At
	o.channel(e.Channel)
}

func (o *ownActs) visit(e *fund.Event, d *days) {
	if e.About != "" {
		o.page = e.About
	}
	if e.Kind == fund.DetailView && e.Dwell > 0 && e.At >= d.sinceInst[in90] {
		o.dwell += int64(e.Dwell)
		o.dwells++
	}
}

func (o *ownActs) postpone(e *fund.Event, d *days) {
	if e.At >= d.sinceInst[in365] {
		o.postponements++
	}
}

func (o *ownActs) channel(name string) {
	if name == "" {
		return
	}
	for i := range o.channels[:o.names] {
		if o.channels[i].name == name {
			o.channels[i].count++
			return
		}
	}
	if o.names < maxChannels {
		o.channels[o.names] = channelCount{name, 1}
		o.names++
	}
}

// settleHabits makes the habits out of everything that has been read.
func (r *reading) settleHabits() {
	h := &r.out.Habits
	best := channelCount{}
	for _, c := range r.own.channels[:r.own.names] {
		if c.count > best.count || c.count == best.count && c.name < best.name {
			best = c
		}
	}
	h.Channel = best.name
	h.Page = r.own.page
	h.Postponements = r.own.postponements
	if n := r.own.dwells; n > 0 {
		h.MeanDwell = int32((r.own.dwell + n/2) / n)
	}
	h.LastSeen = max(r.own.last.Date(), r.out.Purchases.Last, r.out.Redemptions.Last)
	h.Next = nextStep(r.out)
	h.Churn = churn(r.out)
}

// The signs of a customer who is leaving.
const (
	regularVisits = 4                   // visits in 365 days that make a habit
	emptied       = fund.Ratio(500_000) // share of what he had that he redeemed in 365 days
)

// churn counts the signs of one who leaves: visits that were a habit and stopped for 90
// days; redemptions without a purchase in 90 days; half or more of what he had redeemed
// within 365 days and not put back in. Two or three: high. One: medium. None: low, where
// there is a visit or a deal on record that could have shown one.
func churn(c *fund.Conduct) fund.Band {
	if c.Visits.Count == 0 && c.Purchases.Count == 0 && c.Redemptions.Count == 0 {
		return fund.BandUnknown
	}
	signs := 0
	if c.Visits.Count365 >= regularVisits && c.Visits.Count90 == 0 {
		signs++
	}
	if c.Redemptions.Count90 > 0 && c.Purchases.Count90 == 0 {
		signs++
	}
	if t := &c.Portfolio.Turnover; t.OK && t.Value >= emptied && c.Purchases.Amount365 < c.Redemptions.Amount365 {
		signs++
	}
	switch signs {
	case 0:
		return fund.Low
	case 1:
		return fund.Medium
	}
	return fund.High
}

// nextStep returns the likely next node of the newest journey. After an abandoned order
// the way leads back to his question, not to the order again.
func nextStep(c *fund.Conduct) fund.KeyNode {
	var newest *fund.Journey
	var when fund.Instant
	for i := range c.Journeys {
		j := &c.Journeys[i]
		if t := max(j.Reached[j.Node], j.Refused.At); newest == nil || t > when {
			newest, when = j, t
		}
	}
	if newest == nil || refusedSince(newest, max(c.Refused.At, newest.Refused.At)) {
		return fund.NoNode
	}
	switch newest.Node {
	case fund.Exposed:
		return fund.Viewed
	case fund.Viewed:
		return fund.Asked
	case fund.Asked:
		return fund.Started
	case fund.Started:
		return fund.Confirmed
	case fund.Abandoned:
		return fund.Asked
	case fund.NoNode, fund.Confirmed, fund.KeyNodes:
	}
	return fund.NoNode
}

// refusedSince reports whether a refusal stands: nothing that he did himself about the
// product came after it. That it was shown to him again does not lift it.
func refusedSince(j *fund.Journey, refused fund.Instant) bool {
	if refused == 0 {
		return false
	}
	for node := fund.Viewed; node < fund.KeyNodes; node++ {
		if j.Reached[node] > refused {
			return false
		}
	}
	return true
}
