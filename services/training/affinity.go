package training

import (
	"context"
	"slices"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/score/affinity"
	"github.com/fundmatch/fundmatch/matcher/score/modelfile"
)

// owner is what the affinity model learns of one customer.
type owner struct {
	purchases []affinity.Purchase
	levels    []affinity.Fact
	segment   string // empty: unknown
}

// ownerOf reads a customer's purchases, assessed levels and segment, as known by the end of
// the last day. A segment is known always, as the dataset has it.
func (r *running) ownerOf(h *features.History) (owner, error) {
	last := r.survey.until() - 1
	p, err := r.AsOf(h, features.AsOf{At: last, Known: last})
	if err != nil {
		return owner{}, err
	}
	own := owner{segment: p.Person.Segment}
	for i := range h.Purchases {
		b := &h.Purchases[i]
		if of, ok := r.pool.funds[b.ProductCode]; ok && b.Owns() && b.KnownOn <= r.survey.through {
			own.purchases = append(own.purchases, affinity.Purchase{Item: of, Day: int32(b.KnownOn.DayNumber())})
		}
	}
	for _, a := range p.Assessments {
		own.levels = append(own.levels, affinity.Fact{Value: int32(a.Level), Day: int32(a.At.Date().DayNumber())})
	}
	return own, nil
}

// addAffinity trains the affinity ahead, as of the last day, and adds its section. A base of
// neighbours alone has none.
func (r *running) addAffinity(ctx context.Context, g *gathered, sections map[string][]byte) error {
	settings := &r.base.Settings.Affinity
	if settings.IsNearest {
		return nil
	}
	groups := groupsOf(g.owners)
	customers := func(yield func(affinity.Customer) error) error {
		for i := range g.owners {
			o := &g.owners[i]
			c := affinity.Customer{Purchases: o.purchases, Levels: o.levels}
			if at, ok := slices.BinarySearch(groups, o.segment); ok {
				c.Groups = []affinity.Fact{{Value: int32(at), Day: affinity.Always}}
			}
			if err := yield(c); err != nil {
				return err
			}
		}
		return nil
	}
	day := int32(r.survey.through.DayNumber())
	learned, err := score.Learn(ctx, r.pool.joined(), customers, day, settings.Learned, affinity.Options{Workers: r.Options.Workers})
	if err != nil {
		return err
	}
	learned.Names.Groups = groups
	sections[modelfile.SectionAffinity], err = learned.AppendBinary(nil)
	return err
}

// groupsOf are the segments that there are, sorted; those beyond the model's bound are
// nobody's group.
func groupsOf(owners []owner) []string {
	var all []string
	for i := range owners {
		if s := owners[i].segment; s != "" {
			all = append(all, s)
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	return all[:min(len(all), affinity.MaxFact+1)]
}

// joined are the products by their funds.
func (p *poolOf) joined() *score.Funds {
	f := &score.Funds{Products: make([]*fund.Product, len(p.products)), Of: make([]int32, len(p.products))}
	for i := range p.products {
		f.Products[i] = &p.products[i]
		f.Of[i] = p.funds[p.products[i].Code]
		if int(f.Of[i]) == len(f.Codes) { // numbered in the order of the products
			f.Codes = append(f.Codes, p.products[i].FundCode())
		}
	}
	return f
}
