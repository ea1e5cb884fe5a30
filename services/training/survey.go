package training

import (
	"context"
	"fmt"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// survey is what a first look at the events finds: whom there is, and over which days.
type survey struct {
	customers []string // all, in the order of their ids
	exposures int64
	from      fund.Date // of the first exposure
	through   fund.Date // the last day that is looked at
}

// until is the first instant that is not looked at.
func (s *survey) until() fund.Instant { return s.through.AddDays(1).Start() }

// tellEvery is the number of customers between two reports of progress.
const tellEvery = 256

// takeSurvey reads the events once. The last day is that of the newest event, not today: of
// days that nothing was reported of, nobody knows that nothing happened on them.
func (r *running) takeSurvey(ctx context.Context) error {
	s := &r.survey
	var first, newest fund.Instant
	query := features.HistoryQuery{Views: []features.View{}, NoPurchases: true}
	err := r.Store.Histories(ctx, query, func(h *features.History) error {
		s.customers = append(s.customers, h.CustomerID)
		if n := int64(len(s.customers)); n%tellEvery == 0 {
			r.tell(Survey, n, -1)
		}
		for i := range h.Events {
			e := &h.Events[i]
			if r.Options.Through != 0 && e.EventAt.Date() > r.Options.Through {
				continue
			}
			newest = max(newest, e.EventAt)
			if isExposure(e) {
				s.exposures++
				if first == 0 || e.EventAt < first {
					first = e.EventAt
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if s.exposures == 0 {
		return fmt.Errorf("%w: no event EXPOSURE or CONTACT of a product among %d customers", ErrNoHistory, len(s.customers))
	}
	s.from, s.through = first.Date(), newest.Date()
	if r.Options.Through != 0 {
		s.through = min(s.through, r.Options.Through)
	}
	if s.through.DaysSince(s.from) > maxHistoryDays {
		s.from = s.through.AddDays(-maxHistoryDays)
	}
	return nil
}

// maxHistoryDays bounds how far back examples are taken from: what people did longer ago
// they did in another market, before other products.
const maxHistoryDays = 3 * 365

// isExposure reports whether an event put a product before the customer.
func isExposure(e *features.Event) bool {
	return e.ProductCode != "" && (e.Kind == fund.Exposure.String() || e.Kind == fund.Contact.String())
}
