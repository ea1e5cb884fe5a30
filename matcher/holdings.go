package matcher

import (
	"context"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/score/affinity"
)

// readPurchases learns which funds are held together.
func (c *Core) readPurchases(in *Inputs) error {
	if settings := &in.Model.Settings.Affinity; settings.IsNearest {
		return c.countNeighbours(in, settings.Nearest)
	}
	if t := in.Model.Affinity; t != nil && t.Model.AsOf() <= c.day() {
		return c.adoptAffinity(t)
	}
	return c.learnAffinity(in)
}

// day numbers the core's day as affinity models do.
func (c *Core) day() int32 { return int32(c.identity.AsOf.Date().DayNumber()) }

// adoptAffinity takes over what the model was trained with. Of a day before that it is not
// taken: what came later does not leak into an answer about the past.
func (c *Core) adoptAffinity(t *score.TrainedAffinity) error {
	learned, err := t.For(c.joined())
	c.holdings = score.Holdings{Learned: learned, Groups: t.Names.Groups}
	return err
}

// learnAffinity trains from the purchases known by the core's instant. They carry neither
// group nor level: those are learned from by `train` alone.
func (c *Core) learnAffinity(in *Inputs) error {
	var own affinity.Customer
	customers := func(yield func(affinity.Customer) error) error {
		return in.Purchases(func(_ string, purchases []fund.Purchase) error {
			own.Purchases = own.Purchases[:0]
			for i := range purchases {
				p := &purchases[i]
				if product, ok := c.index[p.ProductCode]; ok && p.Owns() {
					own.Purchases = append(own.Purchases, affinity.Purchase{Item: c.funds.of[product], Day: int32(p.KnownOn.DayNumber())})
				}
			}
			return yield(own)
		})
	}
	// One worker: a core is compiled beside requests, which need the processors more.
	learned, err := score.Learn(context.Background(), c.joined(), customers, c.day(), in.Model.Settings.Affinity.Learned, affinity.Options{Workers: 1})
	if err != nil {
		return err
	}
	c.holdings = score.Holdings{Learned: learned.Model}
	return nil
}

// joined are the funds of the pool.
func (c *Core) joined() *score.Funds {
	f := &score.Funds{Products: make([]*fund.Product, len(c.products)), Of: c.funds.of, Codes: make([]string, len(c.funds.members))}
	for i := range c.products {
		f.Products[i] = &c.products[i]
	}
	for code, x := range c.funds.byCode {
		f.Codes[x] = code
	}
	return f
}

// countNeighbours is what models of before version 3 learn.
func (c *Core) countNeighbours(in *Inputs, settings score.NearestSettings) error {
	baskets := score.NewBaskets(settings.MaxBasket)
	var owned []int32
	err := in.Purchases(func(_ string, purchases []fund.Purchase) error {
		owned = owned[:0]
		for i := range purchases {
			if !purchases[i].Owns() {
				continue
			}
			if product, ok := c.index[purchases[i].ProductCode]; ok {
				owned = append(owned, c.funds.of[product])
			}
		}
		baskets.Add(owned)
		return nil
	})
	if err != nil {
		return err
	}
	c.holdings = score.Holdings{Nearest: baskets.Neighbours(len(c.funds.members), settings)}
	return nil
}
