package joined

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/track"
)

// market is what became of the products after the decisions: it is later than they are, on purpose.
type market struct {
	pieces   map[string][]track.Piece // by code, from the first decision's day on
	calendar fund.Calendar
}

// readMarket reads the NAVs from the first decision's day on: 12 bytes each are kept in memory, which is what bounds the
// days that one join can be of (5,000 products over three years: 45 MB).
func (r *running) readMarket(ctx context.Context) error {
	m := &r.market
	m.pieces = map[string][]track.Piece{}
	revision, err := r.Store.Published(ctx)
	if errors.Is(err, features.ErrNoPool) {
		return nil // nothing is known of any product
	}
	if err != nil {
		return err
	}
	if m.calendar, err = r.Store.Calendar(ctx, revision.Seq); err != nil {
		return err
	}
	from, until := r.survey.first.Date(), r.Options.Through.Date()
	cut := features.Cut{AsOf: r.Options.Through, Seq: revision.Seq}
	return r.Store.NAVs(ctx, cut, func(code string, navs []fund.NAV) error {
		pieces, err := track.Pieces(navs, until)
		if err != nil {
			return fmt.Errorf("product %s: %w", code, err)
		}
		for _, p := range pieces {
			if at, _ := slices.BinarySearch(p.Days, from); at < len(p.Days) {
				m.pieces[code] = append(m.pieces[code], track.Piece{Days: slices.Clone(p.Days[at:]), Wealth: slices.Clone(p.Wealth[at:])})
			}
		}
		return nil
	})
}

// horizons are the days of holding that results are told of, as the columns name them.
var horizons = [...]int{90, 180, 365}

// How long after the day on which an order is dealt its NAV may come. A fund that is silent for longer cannot be
// bought; one in its subscription period gets its first NAV when it has been launched.
const (
	maxEntryDays  = 31
	maxLaunchDays = 183
)

// held is what came of an entry within a horizon, after the fees of entry and exit.
type held struct {
	known bool
	// gain is the total return, .05 is 5 %. fall is the deepest fall from a peak on the way, from the money paid on,
	// with the exit's fee on the last day; positive.
	gain, fall float64
}

// entered is a product bought on a decision.
type entered struct {
	days   []fund.Date // from the entry on
	wealth []float64
}

// enter finds the first NAV on or after the day on which an order of an instant is dealt.
func (m *market) enter(p *fund.Product, at fund.Instant) (entered, bool) {
	day, _ := m.calendar.Dealing(at, 0)
	if day == 0 {
		return entered{}, false
	}
	latest := day.AddDays(maxEntryDays)
	if p.Listing.Status == fund.Subscription {
		latest = day.AddDays(maxLaunchDays)
	}
	for _, piece := range m.pieces[p.Code] {
		i, _ := slices.BinarySearch(piece.Days, day)
		if i == len(piece.Days) {
			continue
		}
		return entered{piece.Days[i:], piece.Wealth[i:]}, piece.Days[i] <= latest
	}
	return entered{}, false
}

// leaves are the shares of the money that the fees of entry and of an exit leave; false: the bank did not give both
// ladders, and an unknown fee is not free.
func leaves(p *fund.Product, sum fund.Money, days int) (entry, exit float64, ok bool) {
	if sum <= 0 || p.Missing.Has(fund.FieldSubscriptionLadder) || p.Missing.Has(fund.FieldRedemptionLadder) {
		return 0, 0, false
	}
	fee := float64(p.Fees.EntryFee(sum)) / float64(sum)
	return 1 - fee, 1 - float64(p.Fees.ExitRate(int32(days)))/10_000, true
}

// hold is the holding of so many days: the exit is the last NAV until then, and that day must have passed by the last
// NAV of all. A gap in the record on the way leaves it unknown. The formulas are those of matcher/score/outcome, by
// which the ranges were foreseen: net return entry·exit·(w_exit/w_entry) - 1.
func (e *entered) hold(p *fund.Product, sum fund.Money, days int) (h held) {
	due := e.days[0].AddDays(days)
	entry, exit, ok := leaves(p, sum, days)
	if !ok || e.days[len(e.days)-1] < due {
		return h
	}
	last, found := slices.BinarySearch(e.days, due)
	if !found {
		last--
	}
	if last == 0 {
		return h
	}
	peak, least, deepest := e.wealth[0], e.wealth[0], 0.0
	for _, w := range e.wealth[1 : last+1] {
		peak, least = max(peak, w), min(least, w)
		deepest = max(deepest, 1-w/peak)
	}
	paid := e.wealth[0] / entry // wealth that the money paid would be without a fee
	h.known = true
	h.gain = float64(entry*exit*(e.wealth[last]/e.wealth[0])) - 1
	h.fall = max(deepest, 1-least/paid, 1-float64(exit*e.wealth[last])/max(peak, paid), 0)
	return h
}

// fillResults fills in the columns of results: returns, and whether it fell beyond what the customer can bear; tolerance
// is 0 where that is not known.
func (m *market) fillResults(row *Row, p *fund.Product, at fund.Instant, sum fund.Money, tolerance fund.Ratio) {
	e, ok := m.enter(p, at)
	if !ok {
		return
	}
	for i, days := range horizons {
		h := e.hold(p, sum, days)
		if !h.known || math.IsNaN(h.gain) || math.IsInf(h.gain, 0) {
			continue
		}
		row.Numbers[return90+i] = h.gain
		if tolerance > 0 {
			row.Numbers[breached90+i] = oneIf(h.fall > tolerance.Float())
		}
	}
}
