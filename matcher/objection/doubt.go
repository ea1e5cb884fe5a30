package objection

import (
	"slices"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// doubt is a doubt before it is answered.
type doubt struct {
	code     Code
	band     fund.Band // BandUnknown: he does not have it
	heard    heard
	opened   bool  // he opened the evidence about it
	own      uint8 // Medium triggers of his own
	count    uint8 // of triggers
	triggers [3]trigger
	raised   int32
}

// heard says whether he raised the doubt himself.
type heard uint8

const (
	notHeard  heard = iota
	elsewhere       // about another product, within a year
	here            // about this one
)

// doubts are all doubts, by code.
type doubts [Codes]doubt

// because adds a trigger with the band that it makes likely by itself. Two triggers of
// his own that are worth Medium make High.
func (d *doubt) because(t trigger, band fund.Band) {
	d.name(t)
	if t.own() && band == fund.Medium {
		if d.own++; d.own > 1 {
			band = fund.High
		}
	}
	d.band = max(d.band, band)
}

// name adds a trigger where there is room.
func (d *doubt) name(t trigger) {
	if int(d.count) < len(d.triggers) {
		d.triggers[d.count] = t
		d.count++
	}
}

// nameFirst adds a trigger before all others; the last falls out where there is no room.
func (d *doubt) nameFirst(t trigger) {
	copy(d.triggers[1:], d.triggers[:])
	d.triggers[0] = t
	d.count = min(d.count+1, uint8(len(d.triggers)))
}

// strength orders doubts of the same band: what hurts most, or what he did, comes before
// what is asked of every product. It decides nothing else.
var strength = [Codes]uint8{
	LossTrauma: 17, Drawdown: 16, Pushed: 15, NotNow: 14, CheaperElsewhere: 13, Fee: 12, Liquidity: 11, NewFund: 10, AlreadyHave: 9,
	OpportunityCost: 8, Understand: 7, ManagerTrust: 6, Timing: 5, BreakEvenFirst: 4, AskFamily: 3, Dividend: 2, Size: 1,
}

// strongest returns the strongest doubt, nil where none is left: what he raised about
// this product, then about others, then by band.
func (all *doubts) strongest() *doubt {
	var best *doubt
	for i := range all {
		if d := &all[i]; d.band != fund.BandUnknown && (best == nil || d.rank() > best.rank()) {
			best = d
		}
	}
	return best
}

func (d *doubt) rank() uint32 {
	return uint32(d.heard)<<16 | uint32(d.band)<<8 | uint32(strength[d.code])
}

// raise fills in which doubts he has, from the product, from what is known of him and
// from what he said.
func (v *view) raise(all *doubts) {
	for i := range all {
		all[i].code = Code(i)
	}
	v.raiseByProduct(all)
	if v.who != &nobody {
		v.raiseByPerson(all)
		v.listen(all)
	}
	for i := range all {
		all[i].settle()
	}
	all.wear(Drawdown, LossTrauma)
	all.wear(Fee, CheaperElsewhere)
	v.leaveAlone(all)
}

// listen reads what he said: OBJECTION and EVIDENCE_OPEN events.
func (v *view) listen(all *doubts) {
	since := v.who.At.Date().AddDays(-doubtLives).Start() // by days: an answer does not change within one
	for i := range v.who.Doubts {
		said := &v.who.Doubts[i]
		code, ok := ParseCode(said.Code)
		switch {
		case !ok:
		case said.Count > 0 && (said.Last == 0 || said.Last >= since || said.Until > v.Day): // a day to come does not age
			all[code].heard, all[code].raised = here, said.Count
		case said.Opened > 0 && v.applies(code):
			all[code].opened = true
		}
	}
	for i := range v.conduct.Doubts {
		said := &v.conduct.Doubts[i]
		if said.Count <= 0 || said.Last < since || said.ProductCode == v.Product.Code {
			continue
		}
		if code, ok := ParseCode(said.Code); ok && v.applies(code) {
			all[code].heard = max(all[code].heard, elsewhere)
		}
	}
}

// doubtLives is how long a doubt about one product speaks about others.
const doubtLives = 365

// applies reports whether a doubt that he had elsewhere can be one about this product.
func (v *view) applies(code Code) bool {
	switch code {
	case NewFund:
		return v.NewIssue
	case Size:
		return v.Product.Parties.Size > 0 && v.Product.Parties.Size < v.Limits.SizeNear
	case AlreadyHave:
		return v.overlap.kind != noKin
	case ManagerTrust:
		return v.Product.Parties.ManagerName != ""
	case BreakEvenFirst:
		return v.loser.ok
	case Drawdown, LossTrauma:
		return v.mayFall()
	case Timing:
		return v.moves()
	case AskFamily:
		return !v.who.Company
	case NotNow:
		return false // he put off another product
	default:
		return true
	}
}

// settle makes the band final.
func (d *doubt) settle() {
	switch {
	case d.heard == here:
		d.nameFirst(raisedHere)
		d.band = fund.High
	case d.heard == elsewhere:
		d.nameFirst(raisedElsewhere)
		d.band = fund.High
	case d.opened:
		d.name(openedEvidence)
		d.band = min(d.band+1, fund.High)
	}
}

// wear makes one of two doubts that a customer sees under one face: the particular one
// takes the place of the general one, unless only the general one is his own word.
func (all *doubts) wear(general, particular Code) {
	kept, dropped := &all[particular], &all[general]
	if kept.band == fund.BandUnknown || dropped.band == fund.BandUnknown {
		return
	}
	if dropped.heard > kept.heard {
		kept, dropped = dropped, kept
	}
	for _, t := range dropped.triggers[:dropped.count] {
		if !slices.Contains(kept.triggers[:kept.count], t) {
			kept.name(t)
		}
	}
	kept.band = max(kept.band, dropped.band)
	kept.raised += dropped.raised
	dropped.band = fund.BandUnknown
}

// leaveAlone drops everything but NOT_NOW for who asked for time until a day to come.
func (v *view) leaveAlone(all *doubts) {
	if v.postponedUntil() <= v.Day {
		return
	}
	for i := range all {
		if Code(i) != NotNow {
			all[i].band = fund.BandUnknown
		}
	}
}

// postponedUntil is the day that he named when he put this product off; 0: none.
func (v *view) postponedUntil() fund.Date {
	until := fund.Date(0)
	for i := range v.who.Doubts {
		if said := &v.who.Doubts[i]; said.Code == "NOT_NOW" && said.Count > 0 {
			until = max(until, said.Until)
		}
	}
	return until
}
