package cache

import (
	"context"
	"maps"
	"time"
	"unsafe"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Clock is the cache's source of time.
type Clock interface {
	// Elapsed is the time since some fixed start. It never steps back: a clock that is
	// set back would make old entries fresh.
	Elapsed() time.Duration
	// NewTicker returns a channel that gets a value each period, and what stops it.
	NewTicker(period time.Duration) (ticks <-chan time.Time, stop func())
}

// SystemClock is the monotonic clock of the machine.
func SystemClock() Clock {
	return systemClock{start: time.Now()} //nolint:forbidigo // only differences are used, and tests give a clock of their own
}

type systemClock struct{ start time.Time }

func (c systemClock) Elapsed() time.Duration {
	return time.Since(c.start) //nolint:forbidigo // see SystemClock
}

func (systemClock) NewTicker(period time.Duration) (<-chan time.Time, func()) {
	t := time.NewTicker(period) //nolint:forbidigo // see SystemClock
	return t.C, t.Stop
}

// changesAtOnce is how many changes one read of the log takes.
const changesAtOnce = 1000

// follow polls the change log twice within the bound of staleness, until ctx ends.
func (p *Profiles) follow(ctx context.Context) {
	ticks, stop := p.cfg.Clock.NewTicker(p.cfg.Staleness / 2)
	defer stop()
	for {
		if err := p.poll(ctx); err == nil {
			p.cfg.Observe(PollDone)
		} else if ctx.Err() == nil {
			p.cfg.Observe(PollFailed)
		}
		select {
		case <-ticks:
		case <-ctx.Done():
			return
		}
	}
}

// poll drops the customers that changed since the last poll. When it comes to the end,
// all changes from before its beginning have been seen.
func (p *Profiles) poll(ctx context.Context) error {
	began := p.cfg.Clock.Elapsed()
	// A poll that takes longer than the bound is of no use any more; the next one may be.
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Staleness)
	defer cancel()
	if !p.log.following.Load() {
		end, err := p.store.ChangesEnd(ctx)
		if err != nil {
			return err
		}
		// Nothing is kept before the end is known, so nothing older has to be dropped.
		p.log.position, p.log.ahead = end, map[features.Position]struct{}{}
		p.log.following.Store(true)
	}
	if err := p.catchUp(ctx); err != nil {
		return err
	}
	p.settle()
	p.log.freshUntil.Store(int64(began + p.cfg.Staleness))
	return nil
}

// catchUp drops whoever changed after the position, also those above what is settled. The
// position moves up as far as everything is settled without a gap: what commits late below
// a change that was seen is found by the next poll, which reads on from there.
func (p *Profiles) catchUp(ctx context.Context) error {
	settled := p.log.position
	for after := settled; ; {
		page, err := p.store.Changes(ctx, after, changesAtOnce)
		if err != nil {
			return err
		}
		last, full := after, len(page.Changes) == changesAtOnce
		for _, c := range page.Changes {
			last = c.Position
			if _, seen := p.log.ahead[c.Position]; !seen {
				p.drop(c.CustomerID)
				p.log.ahead[c.Position] = struct{}{}
			}
		}
		if settled.Compare(after) >= 0 {
			upTo := page.Settled
			if full && upTo.Compare(last) > 0 {
				upTo = last
			}
			if upTo.Compare(settled) > 0 {
				settled = upTo
			}
		}
		if !full {
			break
		}
		after = last
	}
	p.log.position = settled
	maps.DeleteFunc(p.log.ahead, func(at features.Position, _ struct{}) bool { return at.Compare(settled) <= 0 })
	return nil
}

// overhead is what ristretto and the maps of it need for an entry besides its values:
// key, item, two map slots.
const overhead = 256

// size returns the bytes that an entry holds in memory.
func size(p *fund.Profile) int64 {
	n := overhead + int(unsafe.Sizeof(entry{})+unsafe.Sizeof(*p)) + len(p.CustomerID) + len(p.Needs.Goals)
	n += len(p.Person.Professional.Class) + len(p.Person.Industry) + len(p.Person.Segment) + len(p.Person.BranchID) + len(p.Person.ManagerID)
	n += len(p.Assessment.Questionnaire) + len(p.Assessment.Channel)
	n += cap(p.Tags)*int(unsafe.Sizeof(fund.Tag{})) + cap(p.Lots)*int(unsafe.Sizeof(fund.Lot{}))
	n += cap(p.Consents)*int(unsafe.Sizeof(fund.Consent{})) + cap(p.Trail.Recent)*int(unsafe.Sizeof(fund.Event{}))
	n += cap(p.Features)*int(unsafe.Sizeof(fund.Feature{})) + cap(p.Assessments)*int(unsafe.Sizeof(fund.Assessed{}))
	n += cap(p.Purchases)*int(unsafe.Sizeof(fund.Purchase{})) + cap(p.Attributes)*int(unsafe.Sizeof(fund.Attribute{}))
	for i := range p.Tags {
		t := &p.Tags[i]
		n += len(t.Name) + len(t.Value) + len(t.Source) + len(t.Purpose)
	}
	for i := range p.Lots {
		n += len(p.Lots[i].ProductCode) + len(p.Lots[i].Account) + len(p.Lots[i].BatchID)
	}
	for i := range p.Purchases {
		n += len(p.Purchases[i].ProductCode) + len(p.Purchases[i].Kind)
	}
	for i := range p.Attributes {
		n += len(p.Attributes[i].Name) + len(p.Attributes[i].Value)
	}
	for i := range p.Consents {
		n += len(p.Consents[i].Purpose)
	}
	for i := range p.Features {
		f := &p.Features[i]
		n += len(f.View) + len(f.Name) + len(f.Value) + len(f.Source) + len(f.Purpose)
	}
	for i := range p.Trail.Recent {
		e := &p.Trail.Recent[i]
		n += len(e.ProductCode) + len(e.Channel) + len(e.About)
	}
	return int64(n)
}
