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
		f := h.product.Falls[i]
		if f.TroughOn > r.days.today || !h.during(&f) {
			continue
		}
		if f.RecoveredOn > r.days.today {
			f.RecoveredOn = 0
		}
		r.readFall(h, &f)
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
	acted := h.sold >= f.PeakOn || h.added >= f.PeakOn && h.added > first
	switch {
	case acted && r.soldWithin(h, f.PeakOn, r.endOf(f)):
		l.SoldInFall++
		return
	case acted && h.boughtWithin(max(f.PeakOn, first+1), r.endOf(f)): // first+1 need be no day to be compared with
		l.AddedInFall++
	default:
		l.KeptInFall++
	}
	if first <= f.PeakOn && f.Depth < l.Borne.Value {
		l.Borne = fund.Measure{Value: f.Depth, OK: true}
	}
}

// endOf returns until when what he does counts as done in the fall: the day of the
// recovery, and at least SilenceDays after the trough; one that has not recovered goes on.
func (r *reading) endOf(f *fund.Fall) fund.Date {
	if f.RecoveredOn == 0 {
		return r.days.today
	}
	return min(max(f.RecoveredOn, f.TroughOn.AddDays(fund.SilenceDays)), r.days.today)
}

// soldWithin reports a redemption in [from, to].
func (r *reading) soldWithin(h *holding, from, to fund.Date) bool {
	for i := range h.deals {
		if b := &h.deals[i]; b.Kind == redeemKind && b.KnownOn >= from && b.KnownOn <= to {
			return true
		}
	}
	if !h.traced {
		return false
	}
	for _, i := range r.redeems.all() {
		if e := &r.trail[i]; e.ProductCode == h.code {
			if on := e.At.Date(); on >= from && on <= to {
				return true
			}
		}
	}
	return false
}

// boughtWithin reports a purchase or a lot in [from, to].
func (h *holding) boughtWithin(from, to fund.Date) bool {
	for i := range h.deals {
		if b := &h.deals[i]; b.Owns() && b.KnownOn >= from && b.KnownOn <= to {
			return true
		}
	}
	for i := range h.lots {
		if l := &h.lots[i]; l.Shares > 0 && l.AcquiredOn >= from && l.AcquiredOn <= to {
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
