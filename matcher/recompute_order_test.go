package matcher_test

import (
	"math"
	"slices"
	"time"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// mostOrdered is the largest amount of a product that he might order on the firm's
// initiative, as the rulebook has it: the day limit less what is dealt that day (G01), half
// of his assets less the orders of thirty days (S15), and the shares of a fund, an issuer and
// a theme by his level (K04).
func (k *clerk) mostOrdered(c *claim) float64 {
	p, day := k.about(c), k.day
	most := math.Inf(1)
	var lately, today float64
	for _, e := range k.deeds {
		if e.Kind != fund.OrderConfirm {
			continue
		}
		if e.At.Date() > day.AddDays(-30) {
			lately += float64(e.Amount)
		}
		if e.ProductCode == p.Code && dealtOn(e.At, p) == dealtOn(k.r.At, p) {
			today += float64(e.Amount)
		}
	}
	if p.Terms.DayLimit > 0 {
		most = float64(p.Terms.DayLimit) - today
	}
	if k.p.Person.AUM > 0 {
		most = min(most, math.Floor(float64(k.p.Person.AUM)/2)-lately)
	} else if k.p.Person.Income > 0 {
		most = min(most, float64(k.p.Person.Income)-lately)
	}
	level := k.p.Assessment.Level
	narrow, wide := [...]float64{.2, .2, .25, .3, .35, .4}[level], [...]float64{.4, .4, .5, .6, .6, .7}[level]
	most = min(most, k.roomFor(narrow, func(x *fund.Product) bool { return x.FundCode() == p.FundCode() }))
	if p.Parties.Issuer != "" {
		most = min(most, k.roomFor(wide, func(x *fund.Product) bool { return x.Parties.Issuer == p.Parties.Issuer }))
	}
	for _, theme := range p.Content.Themes {
		most = min(most, k.roomFor(narrow, func(x *fund.Product) bool { return slices.Contains(x.Content.Themes, theme) }))
	}
	return max(0, most)
}

// least is the smallest amount of a product: of those with entry conditions 300,000 yuan (P01).
func (k *clerk) least(p *fund.Product) float64 {
	if p.Listing.Kind == fund.Trust || p.Listing.Kind == fund.AssetManagement {
		return max(float64(p.Terms.MinPurchase), 30_000_000)
	}
	return float64(p.Terms.MinPurchase)
}

// dealtOn is the weekday on which an order is dealt: the next one from three in the
// afternoon on, and none before the product opens.
func dealtOn(at fund.Instant, p *fund.Product) fund.Date {
	day := at.Date()
	if at.SinceMidnight() >= 15*time.Hour {
		day = day.AddDays(1)
	}
	if p.Listing.Status != fund.Subscription {
		day = max(day, p.Terms.ClosedUntil, p.Terms.NextOpenOn)
	}
	for day.Weekday() == time.Saturday || day.Weekday() == time.Sunday {
		day = day.AddDays(1)
	}
	return day
}

// roomFor is what may be added to what he has of some products: until they are a share of
// his assets or, where those are less than what he holds or not known, of that and the order.
func (k *clerk) roomFor(share float64, of func(*fund.Product) bool) float64 {
	all, some := 0.0, 0.0
	add := func(code string, fen float64) {
		all += fen
		if code != "" && of(k.find(code)) {
			some += fen
		}
	}
	for _, at := range k.held {
		if at.value > 0 {
			add(at.code, at.value)
		} else {
			add(at.code, at.cost)
		}
	}
	for _, e := range k.deeds {
		if e.Kind != fund.OrderConfirm || e.At.Date() < k.day.AddDays(-30) {
			continue
		}
		filed := slices.ContainsFunc(k.p.Lots, func(l fund.Lot) bool {
			return l.ProductCode == e.ProductCode && l.Shares > 0 && l.AcquiredOn <= k.day && l.AcquiredOn >= e.At.Date()
		})
		if !filed {
			add(e.ProductCode, float64(e.Amount))
		}
	}
	switch aum := float64(k.p.Person.AUM); {
	case aum > 0 && aum >= all:
		return math.Floor(share*aum+1e-6) - some
	case all == 0:
		return math.Inf(1)
	default:
		return math.Floor((share*all-some)/(1-share) + 1e-6)
	}
}
