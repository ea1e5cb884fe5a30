package matcher

import (
	"fmt"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
	"github.com/fundmatch/fundmatch/matcher/slate"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

// Match answers a request for one customer into out. Errors: ErrRequest, and
// ErrOutsideValidity when the core does not speak for the instant. After the buffers of
// out have grown it does not allocate.
func (c *Core) Match(p *fund.Profile, r Request, out *Slate) error {
	if err := c.checkRequest(r); err != nil {
		return err
	}
	out.reset()
	w := &out.work
	w.asking = c.ask(p, r, r.context(fund.ByFirm), w)
	a := &w.asking
	out.CustomerID, out.Request, out.Identity = p.CustomerID, kept(r), c.identity
	out.Personal, out.Wish, out.Elder = a.personal, a.wish, a.facts.Elder
	c.selectAndScore(a, w)
	out.Excluded, out.Information = w.verdicts.Excluded, w.verdicts.Information
	choice := slate.Request{Permitted: w.verdicts.Permitted, Scores: w.scores.Product, Held: w.held, Limit: r.Limit}
	picks := c.chooser.Choose(&choice, &w.choice)
	w.reserve(len(picks) + 1) // and of who takes the explored place
	for _, pick := range picks {
		out.Items = append(out.Items, c.item(a, pick, w))
	}
	c.order(out)
	c.explore(a, &choice, out)
	c.reviewHoldings(a, out)
	if r.Audience == wording.Manager {
		out.Brief = c.brief(a, w)
	}
	c.annotate(a, out)
	a.profile, w.doubt = nil, objection.Case{} // an answer is whole without the profile, which may be large
	return nil
}

func (c *Core) checkRequest(r Request) error {
	if r.Limit < MinLimit || r.Limit > MaxLimit {
		return fmt.Errorf("%w: limit %d, expected %d to %d", ErrRequest, r.Limit, MinLimit, MaxLimit)
	}
	if err := r.Exploration.Check(); err != nil {
		return fmt.Errorf("%w: %w", ErrRequest, err)
	}
	if r.At < c.from || r.At >= c.until {
		return fmt.Errorf("%w: %s, the core speaks for %s to %s", ErrOutsideValidity, r.At, c.from, c.until)
	}
	return nil
}

// selectAndScore finds what the customer may be offered and how well each product fits.
func (c *Core) selectAndScore(a *asking, w *work) {
	c.gate.Select(&a.facts, &w.refusals, &w.verdicts)
	c.readHoldings(a, w)
	c.readDoubts(a, w)
	customer := a.customer(w)
	c.scorer.Score(&customer, w.verdicts.Permitted, &w.scores)
	if c.model.Conversion != nil {
		readShowings(a, w)
	}
}

// order restores best first after share classes were exchanged, in the chooser's total
// order: an existing fund stays above an equal new issue (K03). Insertion sort: the list
// is short and nearly in order.
func (c *Core) order(out *Slate) {
	items := out.Items
	for i := 1; i < len(items); i++ {
		for j := i; j > 0 && c.before(&items[j], &items[j-1]); j-- {
			items[j-1], items[j] = items[j], items[j-1]
		}
	}
}

func (c *Core) before(a, b *Item) bool {
	if a.Score != b.Score {
		return a.Score > b.Score
	}
	if isNew := c.newIssue[c.index[a.Code]]; isNew != c.newIssue[c.index[b.Code]] {
		return !isNew
	}
	return a.Code < b.Code
}
