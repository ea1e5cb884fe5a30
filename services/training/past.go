package training

import (
	"slices"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// profileBefore folds what was known of a customer just before an instant: nothing at it or
// after it. What the bank dates by the day alone, purchases and lots, counts from the next
// day on. A purchase of this day stands in the files of the night after, and it is what an
// exposure of this day may have led to: with it, the outcome would foretell itself.
func (j *Job) profileBefore(h *features.History, at fund.Instant) (*fund.Profile, error) {
	day := at.Date()
	then := *h
	then.Purchases, then.PurchaseSeqs = nil, nil
	for i := range h.Purchases {
		if h.Purchases[i].KnownOn < day {
			then.Purchases = append(then.Purchases, h.Purchases[i])
		}
	}
	p, err := j.AsOf(&then, features.AsKnown(at-1))
	if err != nil {
		return nil, err
	}
	p.Lots = slices.DeleteFunc(slices.Clone(p.Lots), func(l fund.Lot) bool { return l.AcquiredOn >= day })
	return p, nil
}
