package behaviour

import "github.com/fundmatch/fundmatch/matcher/fund"

// redeems are the places of the redemptions in the trail.
type redeems struct {
	places [KeptActs]uint16
	n      int
}

func (s *redeems) add(place int) {
	if s.n < len(s.places) {
		s.places[s.n] = uint16(place)
		s.n++
	}
}

func (s *redeems) all() []uint16 { return s.places[:s.n] }

// settleRealised sums up what the redemptions of known cost brought.
func (r *reading) settleRealised() {
	l := &r.out.Losses
	for _, i := range r.redeems.all() {
		e := &r.trail[i]
		if e.Cost <= 0 || e.Amount <= 0 {
			continue
		}
		l.RealisedOK = true
		l.Realised = plus(l.Realised, e.Amount-e.Cost)
		if e.Amount < e.Cost {
			l.SoldAtLoss++
		}
	}
}

// readFalls says how he bore the falls of a product while he had it.
func (r *reading) readFalls(h *holding) {
	if h.product == nil || len(h.product.Falls) == 0 {
		return
	}
	r.lastSale(h)
	for i := range h.product.Falls {
		if f := &h.product.Falls[i]; f.TroughOn <= r.days.today && h.during(f) {
			r.readFall(h, f)
		}
	}
}

// lastSale looks for a later redemption in the trail.
func (r *reading) lastSale(h *holding) {
	for _, i := range r.redeems.all() {
		if e := &r.trail[i]; e.ProductCode == h.code {
			h.traced = true
			h.sold = max(h.sold, e.At.Date())
		}
	}
}

// during reports whether he certainly had the product in a fall: a lot of before the
// trough that he still has, or a purchase of before it and a redemption after the peak.
func (h *holding) during(f *fund.Fall) bool {
	return h.now && h.since != 0 && h.since < f.TroughOn ||
		h.bought != 0 && h.bought < f.TroughOn && h.sold >= f.PeakOn
}

// first returns the first day on which he is known to have had the product.
func (h *holding) first() fund.Date {
	if h.bought == 0 || h.since != 0 && h.since < h.bought {
		return h.since
	}
	return h.bought
}

// readFall files one fall under what he did in it.
func (r *reading) readFall(h *holding, f *fund.Fall) {
	l := &r.out.Losses
	if r.fellSilent(f) {
		l.SilentInFall++
	}
	first := h.first()
	switch {
	case h.sold >= f.PeakOn && r.soldIn(h, f):
		l.SoldInFall++
		return
	case h.added >= f.PeakOn && h.added > first && r.addedIn(h, f, first):
		l.AddedInFall++
	default:
		l.KeptInFall++
	}
	if first <= f.PeakOn && f.Depth < l.Borne.Value {
		l.Borne = fund.Measure{Value: f.Depth, OK: true}
	}
}

// within reports whether what was done on a day was done in a fall: from the peak to the
// recovery, and at least to SilenceDays after the trough. One that has not recovered goes on.
func within(on fund.Date, f *fund.Fall) bool {
	const year = 10_000 // in a date: spares counting days that are far apart
	switch {
	case on < f.PeakOn:
		return false
	case f.RecoveredOn == 0 || on <= f.RecoveredOn:
		return true
	}
	return on <= f.TroughOn+year && on.DaysSince(f.TroughOn) <= fund.SilenceDays
}

// soldIn reports a redemption in a fall.
func (r *reading) soldIn(h *holding, f *fund.Fall) bool {
	for i := range h.deals {
		if b := &h.deals[i]; b.KnownOn <= r.days.today && within(b.KnownOn, f) && b.Kind == redeemKind {
			return true
		}
	}
	if !h.traced {
		return false
	}
	for _, i := range r.redeems.all() {
		if e := &r.trail[i]; e.ProductCode == h.code && within(e.At.Date(), f) {
			return true
		}
	}
	return false
}

// addedIn reports a purchase or a lot in a fall, after the first day.
func (r *reading) addedIn(h *holding, f *fund.Fall, first fund.Date) bool {
	for i := range h.deals {
		if b := &h.deals[i]; b.KnownOn > first && b.KnownOn <= r.days.today && within(b.KnownOn, f) && b.Owns() {
			return true
		}
	}
	for i := range h.lots {
		l := &h.lots[i]
		if l.Shares > 0 && l.AcquiredOn > first && l.AcquiredOn <= r.days.today && within(l.AcquiredOn, f) {
			return true
		}
	}
	return false
}

// fellSilent reports whether his visits stopped after the trough: there was one within
// 365 days up to it, none in the SilenceDays after it, and those have passed.
func (r *reading) fellSilent(f *fund.Fall) bool {
	if r.firstVisit == 0 || r.firstVisit > f.TroughOn {
		return false
	}
	end := f.TroughOn.AddDays(fund.SilenceDays)
	return end <= r.days.today && r.visited(f.TroughOn.AddDays(-364), f.TroughOn) && !r.visited(f.TroughOn.AddDays(1), end)
}

// visited reports a visit in [from, to].
func (r *reading) visited(from, to fund.Date) bool {
	past := to.AddDays(1).Start()
	for i := seenBy(r.trail, from.Start()-1); i < len(r.trail) && r.trail[i].At < past; i++ {
		if k := r.trail[i].Kind; k == fund.Click || k == fund.DetailView {
			return true
		}
	}
	return false
}
