package training

import (
	"context"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/score/affinity"
)

// owner is what the affinity model learns of one customer.
type owner struct {
	purchases []affinity.Purchase
	levels    []affinity.Fact
	segment   string // empty: unknown
}

// readOwners reads what the affinity learns of all customers, in their order. It comes before
// the cores of the past, which learn from it up to their day.
func (r *running) readOwners(ctx context.Context) error {
	all := r.survey.customers
	r.owners = make([]owner, len(all))
	var done atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(r.Options.Workers)
	for first := 0; first < len(all); first += partCustomers {
		group.Go(func() error {
			last := min(first+partCustomers, len(all))
			if err := r.readOwnersOf(ctx, first, last); err != nil {
				return err
			}
			r.tell(Owners, done.Add(int64(last-first)), int64(len(all)))
			return nil
		})
	}
	return group.Wait()
}

// readOwnersOf reads the customers of places [first, last).
func (r *running) readOwnersOf(ctx context.Context, first, last int) error {
	place := first
	query := r.places(first, last)
	query.Views, query.NoEvents = []features.View{features.PersonView, features.AssessmentView}, true
	return r.Store.Histories(ctx, query, func(h *features.History) (err error) {
		if place == last || r.survey.customers[place] != h.CustomerID {
			return nil // he came after the survey
		}
		r.owners[place], err = r.ownerOf(h)
		place++
		return err
	})
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

// among is the owner as the affinity model takes him, his segment numbered among the groups.
func (o *owner) among(groups []string) affinity.Customer {
	c := affinity.Customer{Purchases: o.purchases, Levels: o.levels}
	if at, ok := slices.BinarySearch(groups, o.segment); ok {
		c.Groups = []affinity.Fact{{Value: int32(at), Day: affinity.Always}}
	}
	return c
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
