package behaviour

import (
	"math"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// acts counts acts of one kind. Windows and sums are those of fund.Activity.
type acts struct {
	last      fund.Instant // of events
	lastOn    fund.Date    // of purchases, or the day of last once settled
	count     int32
	within    [windows]int32
	amount    fund.Money
	amount365 fund.Money
	unpriced  int32 // within 365 days, of unknown amount
}

// event adds an event; they come in the order of time.
func (a *acts) event(e *fund.Event, d *days) {
	a.last = e.At
	a.count++
	amount := max(e.Amount, 0)
	a.amount = plus(a.amount, amount)
	if e.At < d.sinceInst[in365] {
		return
	}
	a.within[in365]++
	a.year(amount)
	if e.At >= d.sinceInst[in90] {
		a.within[in90]++
	}
	if e.At >= d.sinceInst[in30] {
		a.within[in30]++
	}
}

// purchase adds an entry of the ledger.
func (a *acts) purchase(b *fund.Purchase, d *days) {
	a.lastOn = max(a.lastOn, b.KnownOn)
	a.count++
	amount := max(b.Amount, 0)
	a.amount = plus(a.amount, amount)
	if b.KnownOn < d.since[in365] {
		return
	}
	a.within[in365]++
	a.year(amount)
	if b.KnownOn >= d.since[in90] {
		a.within[in90]++
	}
	if b.KnownOn >= d.since[in30] {
		a.within[in30]++
	}
}

// year adds an amount of the last 365 days.
func (a *acts) year(amount fund.Money) {
	a.amount365 = plus(a.amount365, amount)
	if amount == 0 {
		a.unpriced++
	}
}

// merge adds the acts of another source.
func (a *acts) merge(b *acts) {
	a.last, a.lastOn = max(a.last, b.last), max(a.lastOn, b.lastOn)
	a.count = int32(min(int64(a.count)+int64(b.count), math.MaxInt32))
	for i := range a.within {
		a.within[i] += b.within[i] // of what is kept: far from the largest number
	}
	a.amount, a.amount365 = plus(a.amount, b.amount), plus(a.amount365, b.amount365)
	a.unpriced += b.unpriced
}

// activity returns what the features say of the acts.
func (a *acts) activity() fund.Activity {
	return fund.Activity{
		Last: max(a.lastOn, a.last.Date()), Count: a.count, Count30: a.within[in30], Count90: a.within[in90], Count365: a.within[in365],
		Amount: a.amount, Amount365: a.amount365,
	}
}

// ledger is what the purchases say.
type ledger struct {
	buys    acts
	redeems acts      // those of before the trail's own record of redemptions
	until   fund.Date // the first day of that record; 0: there is none
}

// The kind of a purchase that puts a product out of the customer's hands.
const redeemKind = "REDEEM"

// settleActivities makes the activities out of ledger and trail. Purchases are those of
// the ledger; where it has none at all, confirmed orders stand in. Redemptions are those
// of the trail from its first one on, and of the ledger before that day: a bank that
// reports both must not have them counted twice.
func (r *reading) settleActivities() {
	for _, kind := range [...]fund.EventKind{fund.Click, fund.DetailView, fund.OrderConfirm, fund.Redeem, fund.Contact} {
		r.addForgotten(kind)
	}
	if r.ledger.buys.count == 0 {
		r.ledger.buys = r.kinds[fund.OrderConfirm]
		r.readConfirmed()
	}
	r.ledger.redeems.merge(&r.kinds[fund.Redeem])
	visits := r.kinds[fund.Click]
	visits.merge(&r.kinds[fund.DetailView])
	r.out.Purchases = r.ledger.buys.activity()
	r.out.Redemptions = r.ledger.redeems.activity()
	r.out.Visits = visits.activity()
	r.out.Contacts = r.kinds[fund.Contact].activity()
}

// addForgotten adds what the trail keeps no longer and its tally still counts. All of it
// is older than what is kept, so it was there at any instant since. Of an instant before
// all that is kept only the first is certain. Windows hold what is kept.
func (r *reading) addForgotten(kind fund.EventKind) {
	y, a := &r.profile.Trail.Tallies[kind], &r.kinds[kind]
	if y.Count <= a.count || y.First >= r.out.At {
		return
	}
	missing, amount := y.Count-a.count, y.Amount-a.amount
	for i := len(r.trail); i < len(r.profile.Trail.Recent); i++ {
		if e := &r.profile.Trail.Recent[i]; e.Kind == kind {
			missing--
			amount = plus(amount, -max(e.Amount, 0))
		}
	}
	switch {
	case missing <= 0:
	case a.count == 0:
		a.count, a.last = 1, y.First
	default:
		a.count += missing
		a.amount = plus(a.amount, max(amount, 0))
	}
}

// readConfirmed reads from confirmed orders what purchases would have said of the months
// and of new issues.
func (r *reading) readConfirmed() {
	if r.kinds[fund.OrderConfirm].count == 0 {
		return
	}
	for i := range r.trail {
		e := &r.trail[i]
		if e.Kind != fund.OrderConfirm {
			continue
		}
		on := e.At.Date()
		addMonth(&r.out.Habits, on)
		if e.ProductCode != "" {
			r.newBuys.add(r.product(e.ProductCode), on)
		}
	}
}

// newBuys counts purchases of products whose launch is known.
type newBuys struct{ known, early int32 }

// add counts a purchase: before the launch, in the time of subscription, is early too.
func (n *newBuys) add(p *Product, on fund.Date) {
	if p == nil || p.LaunchedOn == 0 {
		return
	}
	n.known++
	if on.DaysSince(p.LaunchedOn) <= fund.NewIssueDays {
		n.early++
	}
}
