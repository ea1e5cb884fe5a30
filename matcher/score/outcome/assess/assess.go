// Package assess measures how well package outcome foresaw: for every product, entry day
// and horizon, whether and how far the realised drawdown went beyond the range, and the
// pinball loss against the unconditional past quantile. Parameters are fitted to holdings
// that were completed before a day (purged by the horizon) and tested on entries after it.
package assess

import (
	"fmt"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score/outcome"
)

// Plan says what is trained on, what counts as crash, and how intervals are made.
type Plan struct {
	TrainUntil  fund.Date   // shapes are fitted to holdings completed before it
	Until       fund.Date   // NAVs are dated before it
	Crash       fund.Window // holdings that touch it are reported by themselves; defined in advance
	BlockMonths int         // entries of so many calendar months are drawn together
	Resamples   int         // of the bootstrap
	Seed        uint64
}

// The bounds of a plan.
const (
	MaxBlockMonths = 36        // in a block
	MaxResamples   = 1_000_000 // of a bootstrap
)

func (p *Plan) check() error {
	switch {
	case p.TrainUntil <= 0 || p.Until <= p.TrainUntil:
		return fmt.Errorf("%w: training until %q of NAVs before %q, expected an earlier day", fund.ErrInvalid, p.TrainUntil, p.Until)
	case p.Crash.From <= 0 || p.Crash.To < p.Crash.From:
		return fmt.Errorf("%w: crash from %q to %q, expected days that rise", fund.ErrInvalid, p.Crash.From, p.Crash.To)
	case p.BlockMonths < 1 || p.BlockMonths > MaxBlockMonths:
		return fmt.Errorf("%w: blocks of %d months, expected 1 to %d", fund.ErrInvalid, p.BlockMonths, MaxBlockMonths)
	case p.Resamples < 1 || p.Resamples > MaxResamples:
		return fmt.Errorf("%w: %d resamples, expected 1 to %d", fund.ErrInvalid, p.Resamples, MaxResamples)
	}
	return nil
}

// Part is a set of entries.
type Part uint8

// The parts. Every entry is in one of the first four.
const (
	Training Part = iota // completed before training ended: what the shapes were fitted to
	Purged               // entered before training ended and completed after: neither trained on nor held out
	HeldOut              // entered after training ended
	Crash                // the holding touches the crash
	Ordinary             // all but the crash
	All
	parts
)

var partNames = [parts]string{"TRAINING", "PURGED", "HELD_OUT", "CRASH", "ORDINARY", "ALL"}

// String returns the part's code.
func (p Part) String() string {
	if p < parts {
		return partNames[p]
	}
	return fmt.Sprintf("PART_%d", uint8(p))
}

// partOf sorts a holding.
func (p *Plan) partOf(h *outcome.Holding) Part {
	switch {
	case h.Due >= p.Crash.From && h.Bought <= p.Crash.To:
		return Crash
	case h.Due < p.TrainUntil:
		return Training
	case h.AsOf < p.TrainUntil:
		return Purged
	}
	return HeldOut
}

func (p Part) covers(of Part) bool {
	return p == of || p == All || p == Ordinary && of != Crash
}

// entry is one holding with what was foreseen of it.
type entry struct {
	outcome.Holding

	part     Part
	foreseen outcome.Range
	past     outcome.Range // the unconditional quantiles of completed holdings
	compared bool          // past is known
}

// Run fits, foresees every completed holding and reports. The same arguments give the same
// report. The error wraps fund.ErrInvalid or outcome.ErrParams.
func Run(products []outcome.Product, plan Plan, s outcome.Settings) (*Report, error) {
	if err := plan.check(); err != nil {
		return nil, err
	}
	params, err := outcome.Fit(products, plan.TrainUntil, s)
	if err != nil {
		return nil, err
	}
	var entries [outcome.Horizons][]entry
	err = outcome.Past(products, plan.Until, s, func(h *outcome.Holding) error {
		e := entry{Holding: *h, part: plan.partOf(h)}
		e.foreseen = params.Ranges(&h.Volatility, &products[h.Product].Costs)[h.Horizon]
		entries[h.Horizon] = append(entries[h.Horizon], e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	r := newReport(products, &plan, &params)
	for h := range outcome.Horizons {
		compare(products, entries[h])
		r.Horizons = append(r.Horizons, reportOf(&plan, products, h, entries[h]))
	}
	return r, nil
}
