package training

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"math"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
)

// partCustomers is how many customers are read at a time. The parts are the same for any
// number of workers, and are put together in the customers' order.
const partCustomers = 128

// part is what some customers tell.
type part struct {
	counts   Counts
	examples []example
	pairs    []pair
	holdings []holding
	digests  []byte // of each customer's rows
}

// gathered is what all of them tell.
type gathered struct {
	part
	dataHash string
}

// gather reads every customer's history once, some at a time.
func (r *running) gather(ctx context.Context) (*gathered, error) {
	all := r.survey.customers
	parts := make([]part, (len(all)+partCustomers-1)/partCustomers)
	share := r.pairShare()
	var done atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(r.Options.Workers)
	for i := range parts {
		group.Go(func() error {
			first := i * partCustomers
			last := min(first+partCustomers, len(all))
			if err := r.readPart(ctx, first, last, share, &parts[i]); err != nil {
				return err
			}
			r.tell(Examples, done.Add(int64(last-first)), int64(len(all)))
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return r.join(parts), nil
}

// readPart reads the customers of places [first, last).
func (r *running) readPart(ctx context.Context, first, last int, share uint64, out *part) error {
	reader := reader{running: r, out: out, shown: map[showing]bool{}}
	digest := sha256.New()
	place := first
	return r.Store.Histories(ctx, r.places(first, last), func(h *features.History) error {
		if place == last || r.survey.customers[place] != h.CustomerID {
			return nil // he came after the survey
		}
		customer := int32(place)
		place++
		digest.Reset()
		r.digest(digest, h)
		out.digests = digest.Sum(out.digests)
		if mix(h.CustomerID, exampleSalt) <= r.exampleShare() {
			if err := reader.read(customer, h); err != nil {
				return err
			}
		}
		out.holdings = r.holdingsOf(customer, h, out.holdings)
		if mix(h.CustomerID, pairSalt) >= share {
			return nil
		}
		return reader.pair(h)
	})
}

// places asks for the customers of places [first, last).
func (r *running) places(first, last int) features.HistoryQuery {
	query := features.HistoryQuery{Through: r.survey.customers[last-1]}
	if first > 0 {
		query.After = r.survey.customers[first-1]
	}
	return query
}

// join puts the parts together in their order.
func (r *running) join(parts []part) *gathered {
	g := &gathered{}
	sum := sha256.New()
	sum.Write(r.pool.revision.Hash[:])
	sum.Write(r.marketHash[:])
	for i := range parts {
		p := &parts[i]
		g.counts.add(&p.counts)
		g.examples = append(g.examples, p.examples...)
		g.pairs = append(g.pairs, p.pairs...)
		g.holdings = append(g.holdings, p.holdings...)
		sum.Write(p.digests)
		*p = part{} // not twice in memory
	}
	g.counts.Customers = int64(len(r.survey.customers))
	g.dataHash = hex.EncodeToString(sum.Sum(nil))
	return g
}

// digest takes in the canonical rows of a customer that are known by the last day: cells,
// purchases, events, each in its order, every text with its length before it.
func (r *running) digest(d hash.Hash, h *features.History) {
	until := r.survey.until()
	e := fund.Encoder{}
	e.Text(h.CustomerID)
	for i := range h.Cells {
		c := &h.Cells[i]
		if max(c.EventAt, c.Known()) >= until {
			continue
		}
		for _, text := range [...]string{string(c.View), c.Name, c.Value, c.Source, c.Purpose} {
			e.Text(text)
		}
		for _, at := range [...]fund.Instant{c.EventAt, c.KnownAt, c.ValidTo} {
			e.Int(int64(at))
		}
		if c.Tombstone {
			e.Byte(1)
		}
	}
	for i := range h.Purchases {
		if b := &h.Purchases[i]; b.KnownOn.Start() < until {
			e.Text(b.ProductCode)
			e.Text(b.Kind)
			e.Int(int64(b.KnownOn))
			e.Int(int64(b.Amount))
		}
	}
	for i := range h.Events {
		if v := &h.Events[i]; v.VisibleFrom() < until {
			for _, text := range [...]string{v.ID, v.Kind, v.ProductCode, v.DecisionID, v.Channel, v.Attributes} {
				e.Text(text)
			}
			e.Int(int64(v.EventAt))
			e.Int(int64(v.KnownAt))
		}
	}
	_, _ = d.Write(e.Buf) // a hash takes everything
}

// The salts of the customers' draws: for one purpose they are independent of the others'.
const (
	sideSalt    = "fundmatch.training.side/v1"
	exampleSalt = "fundmatch.training.example/v1"
	pairSalt    = "fundmatch.training.pair/v1"
)

// mix draws a number for a customer, uniform over 64 bits: the first eight bytes of a
// SHA-256, so that neither order nor shape of the ids shows in it.
func mix(customerID, salt string) uint64 {
	sum := sha256.Sum256([]byte(salt + "\x00" + customerID))
	n := uint64(0)
	for _, b := range sum[:8] {
		n = n<<8 | uint64(b)
	}
	return n
}

// logYuan is the logarithm of 1 + an amount in yuan.
func logYuan(m fund.Money) float64 { return math.Log1p(float64(max(m, 0)) / 100) }

// maxExposures is about how many exposures are read: an example takes 300 bytes, and the
// figures of a million are as good as those of ten.
const maxExposures = 2_000_000

// exampleShare is the part of the customers, of 2^64, whose exposures are read: all, until
// there are too many.
func (r *running) exampleShare() uint64 {
	if r.survey.exposures <= maxExposures {
		return math.MaxUint64
	}
	return uint64(maxExposures / float64(r.survey.exposures) * (1 << 63) * 2)
}

// pair is a product that he might have been offered at the start of a period, and whether
// he ordered it within the days.
type pair struct {
	values [score.Features]float64
	bought bool
}

// maxPairs is about how many pairs the weights are fitted on: their standard errors are
// then far below the differences that matter, and the rows fit into memory.
const maxPairs = 400_000

// pairShare is the part of the customers, of 2^64, whose pairs are taken: all of a
// customer's or none, so that nothing is chosen by what he did. That half of the customers
// may order, and each a quarter of the pool, is a guess which bounds the memory well enough.
func (r *running) pairShare() uint64 {
	periods := 0
	for _, core := range r.cores {
		if r.windowEnd(core.Identity().AsOf) <= r.cuts().calibrate {
			periods++
		}
	}
	likely := float64(len(r.survey.customers)) / 4 * float64(periods) * float64(len(r.pool.funds)) / 4
	if likely <= maxPairs {
		return math.MaxUint64
	}
	return uint64(maxPairs / likely * (1 << 63) * 2)
}

// pair adds the pairs of a customer: at the start of each period whose days are over when
// the model is fitted, every product that may be offered to him. Customers who are held out
// add none.
func (r *reader) pair(h *features.History) error {
	if r.sideOf(h.CustomerID) != learning {
		return nil
	}
	for _, core := range r.cores {
		at := core.Identity().AsOf
		if r.windowEnd(at) > r.cuts().calibrate {
			break
		}
		p, err := r.profileBefore(h, at)
		if err != nil {
			return err
		}
		if err := core.Situate(p, requestAt(at), &r.situation); err != nil {
			return err
		}
		if !r.situation.Personal() || !r.situation.Ordering() {
			continue
		}
		ordered := r.orderedWithin(h, at)
		for place := range core.Len() {
			if !r.situation.Permitted(place) {
				continue
			}
			x := pair{bought: ordered[r.pool.funds[core.Product(place).Code]]}
			for _, c := range r.situation.Contributions(place) {
				x.values[c.Feature] = c.Value
			}
			r.out.pairs = append(r.out.pairs, x)
		}
	}
	return nil
}

// orderedWithin lists the funds that he ordered within the days from an instant on.
func (r *running) orderedWithin(h *features.History, at fund.Instant) map[int32]bool {
	ordered, end := map[int32]bool{}, r.windowEnd(at)
	for i := range h.Events {
		e := &h.Events[i]
		if e.Kind != fund.OrderConfirm.String() || e.EventAt < at || e.EventAt >= end || isInstalment(e) {
			continue
		}
		if number, ok := r.pool.funds[e.ProductCode]; ok {
			ordered[number] = true
		}
	}
	return ordered
}
