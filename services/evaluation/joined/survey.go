package joined

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/services/decisionlog"
)

// survey is what a first look at the log finds: how much there is, from which day on the market is needed, and the
// switches that were assessed, which come after the recommendation that they may belong to.
type survey struct {
	records  int64
	answers  int64 // recommendations that are asked for
	first    fund.Instant
	switches map[string][]assessed // by customer, in order of time
	kept     int                   // of those; more than maxSwitches: none is
}

// assessed is a switch whose cost was worked out for a customer.
type assessed struct {
	at       fund.Instant
	buy      string
	known    bool // the cost
	benefits bool // what is saved is more than it costs
}

// maxSwitches bounds the memory for assessments, some 100 bytes each.
const maxSwitches = 2_000_000

// tellEvery is the number of customers or records between two reports of progress.
const tellEvery = 1024

// settleThrough finds the last instant that is looked at where none is named: that at which the newest event became
// known, not now. Of days that nothing was reported of, nobody knows that nothing happened on them.
func (r *running) settleThrough(ctx context.Context) error {
	if r.Options.Through != 0 {
		return nil
	}
	customers := int64(0)
	query := features.HistoryQuery{Views: []features.View{}, NoPurchases: true}
	err := r.Store.Histories(ctx, query, func(h *features.History) error {
		if customers++; customers%tellEvery == 0 {
			r.tell(Events, customers, -1)
		}
		for i := range h.Events {
			if at := h.Events[i].VisibleFrom(); at <= r.Now {
				r.Options.Through = max(r.Options.Through, at)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if r.Options.Through == 0 {
		return fmt.Errorf("%w: none of %d customers has one; name the instant by which what happened is known", ErrNoEvents, customers)
	}
	return nil
}

// takeSurvey reads the log once.
func (r *running) takeSurvey(ctx context.Context) error {
	s := &r.survey
	s.switches = map[string][]assessed{}
	for stored, err := range r.Log.All(ctx, r.recordedFrom()) {
		if err != nil {
			return err
		}
		if s.records++; s.records%tellEvery == 0 {
			r.tell(Survey, s.records, -1)
		}
		if stored.Erased || stored.Kind != decisionlog.KindDecision || !r.inRange(&stored) {
			continue
		}
		if err := s.add(&stored); err != nil {
			return err
		}
	}
	if s.answers == 0 {
		since := "the beginning"
		if o := &r.Options; o.Since != 0 {
			since = o.Since.String()
		}
		return fmt.Errorf("%w: none was decided from %s to %s", ErrNoDecisions, since, r.Options.Through)
	}
	r.settleSwitches()
	return nil
}

// add takes in a decision that is asked for.
func (s *survey) add(stored *decisionlog.Stored) error {
	switch matcher.KindOf(stored.Payload) { //nolint:exhaustive // an order check says nothing of a switch
	case matcher.SlateAnswer:
		s.answers++
		if at := fund.Instant(stored.DecidedAt); s.first == 0 || at < s.first {
			s.first = at
		}
	case matcher.SwitchAnswer:
		if s.kept++; s.kept <= maxSwitches {
			return s.keep(stored)
		}
	}
	return nil
}

// keep keeps what an assessment of a switch says.
func (s *survey) keep(stored *decisionlog.Stored) error {
	a, err := matcher.ParseSwitchAssessment(stored.Payload)
	if err != nil {
		return fmt.Errorf("decision %s: %w", stored.DecisionID, err)
	}
	cost, saved := &a.Assessment.Cost, a.Assessment.Benefit.Running
	s.switches[stored.CustomerID] = append(s.switches[stored.CustomerID], assessed{
		at: fund.Instant(stored.DecidedAt), buy: a.Request.BuyCode, known: cost.OK, benefits: cost.OK && saved > cost.Total(),
	})
	return nil
}

// settleSwitches orders each customer's: the writers of a log lie one after the other.
func (r *running) settleSwitches() {
	s := &r.survey
	if s.kept > maxSwitches {
		s.switches = nil
		r.summary.Notices = append(r.summary.Notices,
			fmt.Sprintf("no_benefit is empty: more than %d assessments of switches in the log, join it in parts with --since and --through", maxSwitches))
		return
	}
	for _, of := range s.switches {
		slices.SortStableFunc(of, func(a, b assessed) int { return cmp.Compare(a.at, b.at) })
	}
}

// switchInto is the last assessment of a switch into a fund from one instant on and before another.
func (s *survey) switchInto(customerID string, from, until fund.Instant, isFund func(code string) bool) (a assessed, found bool) {
	for _, x := range s.switches[customerID] {
		if x.at >= from && x.at <= until && isFund(x.buy) {
			a, found = x, true
		}
	}
	return a, found
}
