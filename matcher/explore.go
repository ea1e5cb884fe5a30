package matcher

import (
	"github.com/fundmatch/fundmatch/matcher/slate"
)

// Exploration returns the model's own: what a list leaves to chance where no arm of an
// experiment says otherwise.
func (c *Core) Exploration() slate.Exploration {
	e := &c.model.Settings.Slate.Exploration
	return slate.Exploration{Probability: e.Probability, Next: e.Next, MaxGap: e.MaxGap}
}

// explore leaves the last place of a finished list to chance (docs/exploration.md): it goes to
// one of the next products with the request's probability. Nothing is left to chance in a
// list for information, where no order is possible, nor in one without personalisation,
// which is the same for all who have the same gate facts.
func (c *Core) explore(a *asking, choice *slate.Request, out *Slate) {
	e, w := &out.Request.Exploration, &out.work
	if e.Probability == 0 || !a.personal || out.Information || len(out.Items) == 0 {
		return
	}
	w.listed = w.listed[:0]
	for i := range out.Items {
		w.listed = append(w.listed, c.index[out.Items[i].Code])
	}
	seat := slate.Seat{List: w.listed, Shown: func(product int32) int32 { return c.drawable(a, product, w) }}
	alternatives := c.chooser.Alternatives(choice, &seat, e, &w.choice)
	if len(alternatives) == 0 {
		return
	}
	last := &out.Items[len(out.Items)-1]
	w.choices = append(w.choices[:0], Choice{Code: last.Code, Score: last.Score})
	for i := range alternatives {
		shown := alternatives[i].Shown
		w.choices = append(w.choices, Choice{Code: c.products[shown].Code, Score: w.scores.Product[shown]})
	}
	drawn := e.Draw(out.Request.Seed, len(alternatives))
	if drawn >= 0 {
		*last = c.item(a, alternatives[drawn].Pick, w)
	}
	out.Explored = Explored{Rank: len(out.Items), Choices: w.choices, Drawn: drawn + 1}
	out.Explored.setPropensities(e)
	last.Propensity = out.Explored.Choices[out.Explored.Drawn].Propensity
}

// setPropensities gives each choice its share of the draw.
func (x *Explored) setPropensities(e *slate.Exploration) {
	stays, taken := e.Propensities(len(x.Choices) - 1)
	for i := range x.Choices {
		x.Choices[i].Propensity = taken
	}
	if len(x.Choices) > 0 {
		x.Choices[0].Propensity = stays
	}
}

// drawable returns the share class in which a product would be shown, or -1: what the
// customer doubted, or what has in it what he doubts, is never drawn, so that an objection
// makes nothing likelier that it was about.
func (c *Core) drawable(a *asking, product int32, w *work) int32 {
	shown := c.cheapestClass(a, product, w)
	if w.scores.Objected(int(product)) || w.scores.Objected(int(shown)) {
		return -1
	}
	return shown
}

// kept is what of a request an answer keeps: no seed that nothing is drawn by.
func kept(r Request) Request {
	if r.Exploration.Probability == 0 {
		r.Exploration, r.Seed = slate.Exploration{}, 0
	}
	return r
}
