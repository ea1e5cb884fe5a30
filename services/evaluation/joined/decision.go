package joined

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/services/decisionlog"
	"github.com/fundmatch/fundmatch/services/evaluation/policylog"
)

// worker joins batches, one after the other.
type worker struct {
	*running
	judged matcher.Slate // buffers of the candidate's answer
}

// decision is a recommendation with the rows that it became.
type decision struct {
	id, customer string
	at           fund.Instant
	pool         *pool
	funds        []string // of each row
	rows         []Row
	off          bool // he had switched personalisation off
	read         bool // his history was there
}

// join makes the rows of a batch: first what the records say, then what the customers did, read together.
func (w *worker) join(ctx context.Context, b *batch) error {
	c := &b.counts
	var all []*decision
	for i := range b.stored {
		c.records.Read++
		if err := ctx.Err(); err != nil {
			return err
		}
		d, err := w.read(ctx, &b.stored[i], c)
		if err != nil {
			return fmt.Errorf("decision %s: %w", b.stored[i].DecisionID, err)
		}
		if d != nil {
			all = append(all, d)
		}
	}
	b.stored = nil
	if err := w.joinHistories(ctx, all, c); err != nil {
		return err
	}
	for _, d := range all {
		if !d.read {
			c.withheld.UnknownCustomer++
			w.silence(d)
		}
		for i := range d.rows {
			if math.IsNaN(d.rows[i].Reward) {
				c.censored++
			}
		}
		b.rows = append(b.rows, d.rows...)
	}
	return nil
}

// read makes the rows of a record as far as the record and the market say; nil: it has none, and is counted.
func (w *worker) read(ctx context.Context, stored *decisionlog.Stored, c *batchCounts) (*decision, error) {
	switch {
	case stored.Kind != decisionlog.KindDecision:
		c.records.Served++
		return nil, nil //nolint:nilnil // it has no rows
	case stored.Erased:
		c.records.Erased++
		return nil, nil //nolint:nilnil // it has no rows
	case matcher.KindOf(stored.Payload) != matcher.SlateAnswer:
		c.records.Other++
		return nil, nil //nolint:nilnil // it has no rows
	case !w.inRange(stored):
		c.records.Outside++
		return nil, nil //nolint:nilnil // it is not asked for
	}
	slate, err := matcher.ParseSlate(stored.Payload)
	if err != nil {
		return nil, err
	}
	switch {
	case !w.asked(&slate.Request):
		c.records.Filtered++
		return nil, nil //nolint:nilnil // it is not asked for
	case len(slate.Items) == 0:
		c.records.Empty++
		return nil, nil //nolint:nilnil // it has no rows
	}
	profile, err := fund.ParseProfile(stored.Profile)
	if err != nil {
		return nil, fmt.Errorf("sealed profile: %w", err)
	}
	c.records.Decisions++
	d := &decision{
		id: stored.DecisionID, customer: stored.CustomerID, at: fund.Instant(stored.DecidedAt),
		rows: make([]Row, len(slate.Items)), off: profile.Personalization == fund.No,
	}
	if w.end(d.at) > w.Options.Through {
		c.records.OpenEnded++
	}
	if err := w.describe(ctx, d, slate, profile); err != nil {
		return nil, err
	}
	return d, w.aim(ctx, d, slate, profile, &c.support)
}

// asked reports whether the answers of a channel and for a reader are asked for.
func (r *running) asked(q *matcher.Request) bool {
	o := &r.Options
	return (o.Channel == fund.ChannelUnknown || o.Channel == q.Channel) && (o.Audience == nil || *o.Audience == q.Audience)
}

// describe fills in what record, pool, rules and market say.
func (w *worker) describe(ctx context.Context, d *decision, s *matcher.Slate, p *fund.Profile) error {
	id := &s.Identity
	var err error
	if d.pool, err = w.files.pool(ctx, id.PoolRevision); err != nil {
		return err
	}
	pack, err := w.files.pack(ctx, id.RulesID)
	if err != nil {
		return err
	}
	settings, err := w.files.model(ctx, id.ModelID)
	if err != nil {
		return err
	}
	edition, day := pack.InForce(id.AsOf), id.AsOf.Date() // as the core that answered
	level := sealedLevel(p, d.at)
	tolerance := settings.Settings.LossTolerance[level]
	shared := [textColumns]string{channel: s.Request.Channel.String(), model: id.ModelID, arm: armOf(s, w.Options.Layer), riskLevel: level.String()}
	if edition.Professional(&p.Person, day) {
		shared[riskLevel] = policylog.LevelProfessional
	}
	if !d.off {
		shared[segment] = p.Person.Segment
	}
	d.funds = make([]string, len(s.Items))
	for i := range s.Items {
		it, row := &s.Items[i], &d.rows[i]
		*row = Row{
			DecisionID: d.id, CustomerID: d.customer, DecidedAt: d.at, Position: int32(i + 1), ProductCode: it.Code,
			Reward: math.NaN(), Propensity: it.Propensity, Target: math.NaN(), Texts: shared, Numbers: emptyNumbers(),
		}
		row.Texts[action] = it.Conversion.Action.String()
		row.Texts[foreseen] = foreseenCodes(it)
		if foretold := it.Conversion.Probability; foretold.OK && !d.off {
			row.Numbers[probability] = foretold.Value.Float()
		}
		d.funds[i] = d.pool.fundOf(it.Code)
		product := d.pool.product(it.Code)
		if product == nil {
			continue // recorded from another pool than the store has: nothing more is known of it
		}
		row.Texts[riskGrade], row.Texts[issuer] = edition.Grade(product).String(), product.Parties.Issuer
		row.Numbers[newIssue] = oneIf(edition.IsNewIssue(product, day))
		w.market.fillResults(row, product, d.at, it.Conversion.Quote.CostAmount, tolerance)
	}
	return nil
}

// sealedLevel is the assessed level that the gate went by, expired or not; unknown where there was none.
func sealedLevel(p *fund.Profile, at fund.Instant) fund.RiskLevel {
	if a := &p.Assessment; a.On <= at.Date() { // of an unknown day: 0
		return a.Level
	}
	return fund.LevelUnknown
}

// armOf names experiment:arm of a layer, or of the first that he was in; "": he was in none.
func armOf(s *matcher.Slate, layer string) string {
	for i := range s.Request.Exposures {
		if x := &s.Request.Exposures[i]; layer == "" || x.Layer == layer {
			return x.Experiment + ":" + x.Arm
		}
	}
	return ""
}

func foreseenCodes(it *matcher.Item) string {
	codes := make([]string, len(it.Objections))
	for i := range it.Objections {
		codes[i] = it.Objections[i].Code.String()
	}
	return strings.Join(codes, " ")
}

// joinHistories reads the customers of a batch together and joins what they did.
func (w *worker) joinHistories(ctx context.Context, all []*decision, c *batchCounts) error {
	of := map[string][]*decision{}
	var ids []string
	for _, d := range all {
		if _, known := of[d.customer]; !known {
			ids = append(ids, d.customer)
		}
		of[d.customer] = append(of[d.customer], d)
	}
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	query := features.HistoryQuery{CustomerIDs: ids, Views: readViews(), NoPurchases: true}
	return w.Store.Histories(ctx, query, func(h *features.History) error {
		word, err := w.wordOf(h)
		if err != nil {
			return err
		}
		done := w.doneBy(h)
		for _, d := range of[h.CustomerID] {
			d.read = true
			switch {
			case d.off || word == offNow:
				c.withheld.PersonalizationOff++
				w.silence(d)
			case word == withdrawn:
				c.withheld.ConsentWithdrawn++
				w.silence(d)
			default:
				w.joinEvents(d, done, &c.events)
			}
		}
		return nil
	})
}

// word is what a customer says about the use of what he did.
type word uint8

const (
	usable word = iota
	offNow
	withdrawn
)

// wordOf reads his word as of the last instant that is looked at. EVALUATION is a personalizing purpose: after he
// switched personalisation off it reads what the gate reads, and after he took his consent back to it, nothing of his
// (docs/features.md).
func (w *worker) wordOf(h *features.History) (word, error) {
	p, err := features.Fold(h.CustomerID, h.Cells, nil, features.AsKnown(w.Options.Through))
	switch {
	case err != nil:
		return usable, err
	case p.Personalization == fund.No:
		return offNow, nil
	case !fund.Usable(p.Consents, view.Evaluation):
		return withdrawn, nil
	}
	return usable, nil
}

// silence takes out what is the customer's own and no fact of the gate.
func (w *worker) silence(d *decision) {
	for i := range d.rows {
		d.rows[i].Texts[segment] = ""
	}
}
