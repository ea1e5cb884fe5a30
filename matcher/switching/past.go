package switching

import (
	"cmp"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// History is what he did before.
type History struct {
	At         fund.Instant
	Events     []fund.Event // as a trail keeps them; later ones than At are passed over
	Purchases  []fund.Purchase
	Holdings   fund.Money // what he holds now, money funds aside
	Known      bool       // all of Holdings has a value
	WindowDays int32      // K01's
	Pool       Pool
	// Pending: an order at At, of the product that is bought, is not on the trail yet. A
	// redemption within the window before it is a switch.
	Pending bool
}

// Pool finds products.
type Pool interface {
	// Product finds a product by its code; nil: it is not in the pool.
	Product(code string) *fund.Product
}

// Past is how often he was switched within 365 days, the day of the instant included, and
// what that took. Money funds are no part of it.
type Past struct {
	Switches     int32        // redemptions that paid an order; this switch is counted
	Redeemed     fund.Money   // of those whose amount is known
	Mean         fund.Money   // mean of his holdings over the 365 days; 0: unknown
	Fees         fund.Money   // of the switches made, as far as they are known
	FeesUnknown  int32        // fees that are not in it
	Turnover     fund.Measure // Redeemed over Mean
	CostToEquity fund.Measure // Fees over Mean
	InAndOut     bool         // he buys back what he sold within the window
}

// lookBack reads the past off the trail.
func (a *assessing) lookBack() {
	h, past := &a.History, &a.out.Past
	if !h.Pending && a.out.Verdict != NoSwitch {
		past.Switches = 1
	}
	today := h.At.Date()
	since := today.AddDays(1 - daysInYear)
	weighing := weighing{first: since, until: today.AddDays(1), value: h.Holdings, known: h.Known}
	for i := len(h.Events) - 1; i >= 0; i-- {
		e := &h.Events[i]
		day := e.At.Date()
		if e.At > h.At || e.Kind != fund.Redeem && e.Kind != fund.OrderConfirm {
			continue
		}
		if day < since {
			break
		}
		if h.isMoney(e.ProductCode) {
			continue
		}
		weighing.before(e, day)
		if e.Kind == fund.Redeem {
			a.readRedemption(i, day, today)
		} else {
			a.readOrder(e, day)
		}
	}
	if past.Mean = weighing.mean(); past.Mean > 0 {
		past.Turnover = shareOf(past.Redeemed, past.Mean)
		past.CostToEquity = shareOf(past.Fees, past.Mean)
	}
}

// readRedemption counts one redemption if an order stands near it. Redemptions of one
// product on one day are one, however many orders they were split into.
func (a *assessing) readRedemption(i int, day, today fund.Date) {
	h, past, e := &a.History, &a.out.Past, &a.History.Events[i]
	past.Redeemed += min(max(e.Amount, 0), fund.MaxMoney)
	near := int(h.WindowDays)
	if len(a.Buy.Classes) > 0 && today.DaysSince(day) <= near && h.fundOf(e.ProductCode) == a.new().FundCode() {
		past.InAndOut = true
	}
	paid := h.Pending && today.DaysSince(day) <= near || h.isNear(fund.OrderConfirm, day)
	if !paid {
		return
	}
	if !h.splits(i, day) {
		past.Switches++
	}
	fee, ok := h.exitFee(e, day)
	past.add(fee, ok)
}

// readOrder adds the fee of an order near a redemption.
func (a *assessing) readOrder(e *fund.Event, day fund.Date) {
	h := &a.History
	if !h.isNear(fund.Redeem, day) {
		return
	}
	p := h.product(e.ProductCode)
	if p == nil || p.Missing.Has(fund.FieldSubscriptionLadder) || len(p.Fees.Subscription) == 0 || e.Amount <= 0 || e.Amount > fund.MaxMoney {
		a.out.Past.add(0, false)
		return
	}
	a.out.Past.add(p.Fees.EntryFee(e.Amount), true)
}

func (p *Past) add(fee fund.Money, known bool) {
	p.Fees += fee
	if !known {
		p.FeesUnknown++
	}
}

// isNear reports whether an event of a kind, of a product that is no money fund where it is
// a redemption, stands within the window on either side of a day.
func (h *History) isNear(kind fund.EventKind, day fund.Date) bool {
	for i := range h.Events {
		e := &h.Events[i]
		if e.Kind != kind || e.At > h.At || kind == fund.Redeem && h.isMoney(e.ProductCode) {
			continue
		}
		if apart := day.DaysSince(e.At.Date()); max(apart, -apart) <= int(h.WindowDays) {
			return true
		}
	}
	return false
}

// splits reports whether an earlier event of the same day redeemed the same product.
func (h *History) splits(i int, day fund.Date) bool {
	for j := i - 1; j >= 0 && h.Events[j].At.Date() == day; j-- {
		if e := &h.Events[j]; e.Kind == fund.Redeem && e.ProductCode == h.Events[i].ProductCode {
			return true
		}
	}
	return false
}

// exitFee reads the fee of a redemption back from what it paid out. It is known only where
// every age that the shares can have had bears the same rate.
func (h *History) exitFee(e *fund.Event, day fund.Date) (fund.Money, bool) {
	p := h.product(e.ProductCode)
	if p == nil || p.Missing.Has(fund.FieldRedemptionLadder) || e.Amount <= 0 || e.Amount > fund.MaxMoney {
		return 0, false
	}
	from, to := int32(0), int32(longestHolding)
	if w := h.Acquired(e.ProductCode, day); w.From != 0 {
		from, to = int32(day.DaysSince(w.To)), int32(day.DaysSince(w.From))
	}
	least, highest, ok := p.Fees.ExitRates(from, to)
	if !ok || least != highest {
		return 0, false
	}
	return fund.GrossOf(e.Amount, highest) - e.Amount, true
}

// Acquired returns the first and the last day on which he is known to have bought a product
// before a day, by the ledger and the trail; zero: on none.
func (h *History) Acquired(code string, before fund.Date) (w fund.Window) {
	add := func(day fund.Date) {
		if day == 0 || day >= before {
			return
		}
		w.From, w.To = min(cmp.Or(w.From, day), day), max(w.To, day)
	}
	for i := range h.Purchases {
		if b := &h.Purchases[i]; b.ProductCode == code && b.Owns() {
			add(b.KnownOn)
		}
	}
	for i := range h.Events {
		if e := &h.Events[i]; e.Kind == fund.OrderConfirm && e.ProductCode == code {
			add(e.At.Date())
		}
	}
	return w
}

func (h *History) product(code string) *fund.Product {
	if h.Pool == nil {
		return nil
	}
	return h.Pool.Product(code)
}

// isMoney reports whether a product is known to be a money fund.
func (h *History) isMoney(code string) bool {
	p := h.product(code)
	return p != nil && p.Class() == fund.MoneyMarket
}

func (h *History) fundOf(code string) string {
	if p := h.product(code); p != nil {
		return p.FundCode()
	}
	return code
}

// weighing goes back from what he holds now, undoing one deal after another, and weighs each
// value by the days that it stood. Prices are taken as if they had not moved.
type weighing struct {
	first, until fund.Date // the days not yet weighed: [first, until)
	value        fund.Money
	sum          fund.Money // of the values of the days weighed
	known        bool
}

// before weighs the days since an event and undoes it.
func (w *weighing) before(e *fund.Event, day fund.Date) {
	w.weigh(day)
	w.known = w.known && e.Amount > 0 && e.Amount <= fund.MaxMoney
	if e.Kind == fund.Redeem {
		w.value += min(e.Amount, fund.MaxMoney)
	} else {
		w.value -= min(e.Amount, fund.MaxMoney)
	}
}

func (w *weighing) weigh(from fund.Date) {
	w.sum += min(max(0, w.value), fund.MaxMoney) * fund.Money(w.until.DaysSince(from))
	w.until = from
}

// mean is the mean value of the days; 0: unknown.
func (w *weighing) mean() fund.Money {
	w.weigh(w.first)
	if !w.known {
		return 0
	}
	return w.sum / daysInYear
}

// shareOf is part over whole.
func shareOf(part, whole fund.Money) fund.Measure {
	return fund.Measure{Value: fund.RatioOf(min(float64(part)/float64(whole), maxRatio)), OK: true}
}

// maxRatio bounds a ratio over some fen.
const maxRatio = 1e9
