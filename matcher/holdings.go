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
	return c.learnAffinity(in)
}

// learnAffinity trains from the purchases known by the core's instant. They carry neither
// group nor level: those are learned from by `train` alone.
func (c *Core) learnAffinity(in *Inputs) error {
	count := len(c.funds.members)
	history := affinity.NewHistory(count)
	var own affinity.Customer
	err := in.Purchases(func(_ string, purchases []fund.Purchase) error {
		own.Purchases = own.Purchases[:0]
		for i := range purchases {
			p := &purchases[i]
			if product, ok := c.index[p.ProductCode]; ok && p.Owns() {
				own.Purchases = append(own.Purchases, affinity.Purchase{Item: c.funds.of[product], Day: int32(p.KnownOn.DayNumber())})
			}
		}
		return history.Add(own)
	})
	if err != nil {
		return err
	}
	asOf := int32(c.identity.AsOf.Date().DayNumber())
	// One worker: a core is compiled beside requests, which need the processors more.
	learned, err := affinity.Train(context.Background(), history, c.items(), asOf, in.Model.Settings.Affinity.Learned, affinity.Options{Workers: 1})
	if err != nil {
		return err
	}
	c.holdings = score.Holdings{Learned: learned}
	return nil
}

// items are the funds as the affinity model knows them.
func (c *Core) items() []affinity.Item {
	products := make([]*fund.Product, len(c.products))
	for i := range c.products {
		products[i] = &c.products[i]
	}
	return score.Items(products, c.funds.of, len(c.funds.members))
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
