package joined

import (
	"encoding/json"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
)

// did is one thing that a customer did, as far as it is joined.
type did struct {
	fund.Event
	decision string // that it names; "": none
	plan     bool   // an instalment: no answer brought it about
}

// doneBy reads what he did and was known to have done by the last instant that is looked at, in order of time.
func (r *running) doneBy(h *features.History) []did {
	all := make([]did, 0, len(h.Events))
	for i := range h.Events {
		e := &h.Events[i]
		if e.VisibleFrom() > r.Options.Through {
			continue
		}
		if entry, ok := e.Entry(); ok {
			all = append(all, did{entry, e.DecisionID, entry.Kind == fund.OrderConfirm && isInstalment(e)})
		}
	}
	return all
}

// isInstalment reports whether an order was given by a plan: {"plan": true}, as train reads it.
func isInstalment(e *features.Event) bool {
	var attributes struct {
		Plan bool `json:"plan"`
	}
	return e.Attributes != "" && json.Unmarshal([]byte(e.Attributes), &attributes) == nil && attributes.Plan
}

// outcome is what he did about one product of a decision within its window.
type outcome struct {
	kinds  [fund.EventKinds]bool
	raised objection.Set
	bought fund.Instant // the first order confirmed; 0: none
	amount total        // of the orders confirmed
	came   bool         // the outcome
	sum    total        // of it
}

// total is a sum of amounts, which is known only if all of them are.
type total struct {
	fen     fund.Money
	unknown bool
}

func (t *total) add(m fund.Money) {
	t.fen += m
	t.unknown = t.unknown || m == 0
}

func (t *total) value() float64 {
	if t.unknown {
		return math.NaN()
	}
	return float64(t.fen)
}

// joinEvents joins what he did to the rows of one decision. Its window is [decided, decided + window): the answer does
// not rest on what happened at its own instant, so that this may be what it led to.
func (w *worker) joinEvents(d *decision, done []did, c *EventCounts) {
	end := w.end(d.at)
	outcomes := make([]outcome, len(d.rows))
	first := sort.Search(len(done), func(i int) bool { return done[i].At >= d.at })
	countNamed(done[:first], d.id, &c.BeforeDecision)
	last := first
	for ; last < len(done) && done[last].At < end; last++ {
		w.joinEvent(d, &done[last], outcomes, c)
	}
	countNamed(done[last:], d.id, &c.AfterWindow)
	if end > w.Options.Through {
		return // nobody knows yet what becomes of it
	}
	for i := range d.rows {
		w.fill(d, i, &outcomes[i], done)
	}
}

// countNamed counts what names a decision and cannot be joined to it.
func countNamed(done []did, id string, n *int64) {
	for i := range done {
		if done[i].decision == id {
			*n++
		}
	}
}

// joinEvent joins one event within the window: by the decision that it names and the product, or, where it names no
// decision, by the product. An event that names another decision is that one's.
func (w *worker) joinEvent(d *decision, e *did, outcomes []outcome, c *EventCounts) {
	named := e.decision == d.id
	if !named && e.decision != "" {
		return
	}
	if e.ProductCode == "" {
		if named {
			c.NoProduct++
		}
		return
	}
	at := slices.Index(d.funds, d.pool.fundOf(e.ProductCode))
	switch {
	case at < 0:
		if named {
			c.NotListed++
		}
		return
	case !named && w.Options.NeedDecision:
		c.Unnamed++
		return
	case e.plan:
		c.Instalments++
		return
	}
	isOutcome := e.Kind == w.Options.Outcome
	c.joined(named, isOutcome, e.ProductCode != d.rows[at].ProductCode)
	outcomes[at].add(e, isOutcome)
}

// joined counts an event that was joined.
func (c *EventCounts) joined(named, isOutcome, otherClass bool) {
	if named {
		c.ByDecision++
	} else {
		c.ByProduct++
	}
	if otherClass {
		c.OtherClass++
	}
	if isOutcome {
		c.Outcomes++
		if named {
			c.OutcomesNamed++
		}
	}
}

// add takes in one event.
func (o *outcome) add(e *did, isOutcome bool) {
	o.kinds[e.Kind] = true
	if isOutcome {
		o.came = true
		o.sum.add(e.Amount)
	}
	switch e.Kind { //nolint:exhaustive // of the others it counts that they happened
	case fund.OrderConfirm:
		o.amount.add(e.Amount)
		if o.bought == 0 {
			o.bought = e.At
		}
	case fund.ObjectionRaised:
		if code, ok := objection.ParseCode(e.About); ok {
			o.raised = o.raised.With(code)
		}
	}
}

// redeemedWithin are the days of the columns redeemed_*.
var redeemedWithin = [...]int{7, 30, 90}

// fill fills in the columns of a row whose window is over.
func (w *worker) fill(d *decision, i int, o *outcome, done []did) {
	row := &d.rows[i]
	row.Reward = oneIf(o.came)
	if w.Options.Reward == Amount {
		row.Reward = o.sum.value()
	}
	n := &row.Numbers
	for column, happened := range [...]bool{
		exposed: o.kinds[fund.Exposure] || o.kinds[fund.Contact], viewed: o.kinds[fund.Click] || o.kinds[fund.DetailView],
		answered: o.kinds[fund.EvidenceOpen], started: o.kinds[fund.OrderStart], confirmed: o.kinds[fund.OrderConfirm],
		abandoned: o.kinds[fund.OrderAbandon], refused: o.kinds[fund.Refusal], complained: o.kinds[fund.Complaint],
	} {
		n[column] = oneIf(happened)
	}
	n[amount] = o.amount.value()
	row.Texts[raised] = raisedCodes(o.raised)
	if o.bought != 0 {
		w.fillBought(d, i, o.bought, done)
	}
}

// fillBought fills in what became of a purchase.
func (w *worker) fillBought(d *decision, i int, bought fund.Instant, done []did) {
	n, isFund := &d.rows[i].Numbers, func(code string) bool { return d.pool.fundOf(code) == d.funds[i] }
	sold := fund.Forever
	for k := range done {
		if e := &done[k]; e.Kind == fund.Redeem && e.At > bought && isFund(e.ProductCode) {
			sold = e.At
			n[heldDays] = float64(sold.Date().DaysSince(bought.Date()))
			break
		}
	}
	for k, days := range redeemedWithin {
		if until := bought.Add(time.Duration(days) * 24 * time.Hour); until <= w.Options.Through {
			n[redeemed7+k] = oneIf(sold < until)
		}
	}
	if s, found := w.survey.switchInto(d.customer, d.at, bought, isFund); found && s.known {
		n[noBenefit] = oneIf(!s.benefits)
	}
}

// raisedCodes lists doubts in the order of the playbook.
func raisedCodes(set objection.Set) string {
	var codes []string
	for c := range objection.Codes {
		if set.Has(c) {
			codes = append(codes, c.String())
		}
	}
	return strings.Join(codes, " ")
}
