package behaviour

import (
	"math"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// holding is what is known of one product while it is read.
type holding struct {
	code    string
	product *Product
	lots    []fund.Lot
	deals   []fund.Purchase
	now     bool      // held at the instant
	since   fund.Date // from when on that is certain; 0: unknown
	bought  fund.Date // the first purchase; 0: none
	added   fund.Date // the last purchase or lot; 0: none
	sold    fund.Date // the last redemption, of the ledger or of the trail; 0: none
	traced  bool      // the trail has one
}

// readProducts goes over lots and purchases, both ordered by product, a product at a time.
func (r *reading) readProducts() {
	lots, deals := r.profile.Lots, r.profile.Purchases
	r.lotsKnown = slices.ContainsFunc(lots, func(l fund.Lot) bool { return l.AcquiredOn <= r.days.today })
	if y := &r.profile.Trail.Tallies[fund.Redeem]; y.Count > 0 && y.First <= r.out.At {
		r.ledger.until = y.First.Date()
	}
	for len(lots) > 0 || len(deals) > 0 {
		var h holding
		if len(deals) == 0 || len(lots) > 0 && lots[0].ProductCode <= deals[0].ProductCode {
			h.code = lots[0].ProductCode
		} else {
			h.code = deals[0].ProductCode
		}
		n := 0
		for n < len(lots) && lots[n].ProductCode == h.code {
			n++
		}
		h.lots, lots = lots[:n], lots[n:]
		for n = 0; n < len(deals) && deals[n].ProductCode == h.code; {
			n++
		}
		h.deals, deals = deals[:n], deals[n:]
		h.product = r.product(h.code)
		r.readLots(&h)
		r.readDeals(&h)
		r.readFalls(&h)
	}
}

// readLots makes a position of a product's lots.
func (r *reading) readLots(h *holding) {
	pos := r.positionOf(h)
	if pos.Shares == 0 {
		return
	}
	h.now, h.since, h.added = true, pos.FirstOn, pos.LastOn
	if p := h.product; p != nil {
		pos.Value, pos.ValueOK = valueOf(pos.Shares, p.UnitNAV)
		if pos.ValueOK {
			pos.ValuedOn = p.NAVOn
			r.stakes.add(stake{value: pos.Value, product: p, code: h.code})
			r.age(h)
		}
	}
	r.valueless = r.valueless || !pos.ValueOK
	if pos.ValueOK && pos.CostOK {
		pos.Result = resultOf(pos.Value, pos.Cost)
	}
	r.out.Positions = append(r.out.Positions, pos)
}

// positionOf adds up the lots that have shares and were acquired by the day.
func (r *reading) positionOf(h *holding) fund.Position {
	pos := fund.Position{ProductCode: h.code, CostOK: true}
	for i := range h.lots {
		l := &h.lots[i]
		if l.Shares <= 0 || l.AcquiredOn > r.days.today {
			continue
		}
		pos.Shares += min(l.Shares, math.MaxInt64-pos.Shares)
		pos.Cost = plus(pos.Cost, max(l.Cost, 0))
		pos.CostOK = pos.CostOK && l.Cost > 0
		if on := l.AcquiredOn; on != 0 {
			if pos.FirstOn == 0 || on < pos.FirstOn {
				pos.FirstOn = on
			}
			pos.LastOn = max(pos.LastOn, on)
		}
	}
	if !pos.CostOK {
		pos.Cost = 0
	}
	return pos
}

// valueOf is shares times NAV, rounded half up to the fen. What is more than a bank can
// hold is a mistake in the data and no value.
func valueOf(s fund.Shares, nav float64) (fund.Money, bool) {
	const perFen = 100 // ten-thousandths of a share in a share, over fen in a yuan
	x := float64(s) * nav / perFen
	if !(nav > 0 && x < float64(fund.MaxMoney)) { // NaN is neither
		return 0, false
	}
	return fund.Money(math.Floor(x + 0.5)), true
}

// resultOf is value over cost - 1.
func resultOf(value, cost fund.Money) fund.Measure {
	return fund.Measure{Value: ratioOf(float64(value-cost) / float64(cost)), OK: true}
}

// maxRatio bounds a ratio where a cost of some fen would make one beyond all numbers.
const maxRatio = 1e9

func ratioOf(x float64) fund.Ratio { return fund.RatioOf(min(max(x, -maxRatio), maxRatio)) }

// ages sums up the ages of the lots, each by its value.
type ages struct{ weighted, weight float64 }

func (r *reading) age(h *holding) {
	today := r.days.today.DayNumber()
	for i := range h.lots {
		l := &h.lots[i]
		if l.Shares <= 0 || l.AcquiredOn == 0 || l.AcquiredOn > r.days.today {
			continue
		}
		weight := float64(float64(l.Shares) * h.product.UnitNAV)
		r.ages.weighted += float64(weight * float64(today-l.AcquiredOn.DayNumber()))
		r.ages.weight += weight
	}
}

// readDeals takes in what the ledger says of a product.
func (r *reading) readDeals(h *holding) {
	heldSince, in := fund.Date(0), false
	for i := range h.deals {
		b := &h.deals[i]
		if b.KnownOn == 0 || b.KnownOn > r.days.today {
			continue
		}
		in = b.Owns()
		switch {
		case in:
			r.readPurchase(h, b)
			if heldSince == 0 {
				heldSince = b.KnownOn
			}
		case b.Kind == redeemKind:
			heldSince = 0
			h.sold = b.KnownOn
			if r.ledger.until == 0 || b.KnownOn < r.ledger.until {
				r.ledger.redeems.purchase(b, &r.days)
			}
		}
	}
	if in && !r.lotsKnown { // as fund.Profile.Held has it
		h.now, h.since = true, heldSince
		r.valueless = true
	}
}

func (r *reading) readPurchase(h *holding, b *fund.Purchase) {
	r.ledger.buys.purchase(b, &r.days)
	addMonth(&r.out.Habits, b.KnownOn)
	r.newBuys.add(h.product, b.KnownOn)
	if h.bought == 0 {
		h.bought = b.KnownOn
	}
	h.added = max(h.added, b.KnownOn)
}

// addMonth counts a purchase under its month.
func addMonth(h *fund.Habits, on fund.Date) {
	if m := on.Month(); m >= 1 && m <= len(h.Season) {
		h.Season[m-1]++
	}
}

// settlePortfolio makes one of the positions.
func (r *reading) settlePortfolio(level fund.RiskLevel) {
	f, l := &r.out.Portfolio, &r.out.Losses
	var value, cost fund.Money // of positions with both
	for i := range r.out.Positions {
		p := &r.out.Positions[i]
		if p.ValueOK {
			f.Value = plus(f.Value, p.Value)
		}
		if p.CostOK {
			f.Cost = plus(f.Cost, p.Cost)
		}
		if !p.Result.OK {
			continue
		}
		value, cost = plus(value, p.Value), plus(cost, p.Cost)
		l.Open = plus(l.Open, max(p.Cost-p.Value, 0))
		if p.Result.Value < min(l.Worst.Value, 0) {
			l.Worst, l.WorstCode = p.Result, p.ProductCode
		}
	}
	if cost > 0 {
		f.Result = resultOf(value, cost)
	}
	if r.ages.weight > 0 {
		f.HoldingDays = int32(r.ages.weighted/r.ages.weight + 0.5)
	}
	if n := &r.newBuys; n.known > 0 {
		f.NewIssues = shareOf(fund.Money(n.early), fund.Money(n.known))
	}
	r.settleShares()
	r.stakes.settle(f, level)
	f.Turnover = r.turnover()
}

// settleShares says what part of the value each position is.
func (r *reading) settleShares() {
	for i := range r.out.Positions {
		if p := &r.out.Positions[i]; p.ValueOK {
			p.Share = shareOf(p.Value, r.out.Portfolio.Value)
		}
	}
}

// shareOf is part over whole; of nothing there are no shares.
func shareOf(part, whole fund.Money) fund.Measure {
	if whole <= 0 {
		return fund.Measure{}
	}
	return fund.Measure{Value: ratioOf(float64(part) / float64(whole)), OK: true}
}

// turnover is what he redeemed in 365 days over that and what he has. It is known only
// when everything that he has has a value and everything that he redeemed has an amount.
func (r *reading) turnover() fund.Measure {
	if r.valueless || r.ledger.redeems.unpriced > 0 {
		return fund.Measure{}
	}
	redeemed := r.out.Redemptions.Amount365
	return shareOf(redeemed, plus(r.out.Portfolio.Value, redeemed))
}
