package joined

import (
	"context"
	"errors"
	"fmt"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/slate"
	"github.com/fundmatch/fundmatch/services/engine"
)

// target makes the lists of a candidate from what was sealed: the pool, the data, the rules and the instant that a
// record names, with the candidate in the place of the model. The gate stands before it as always.
type target struct {
	loader *engine.Loader
	id     string // of the candidate
}

// makeTarget prepares the policy that is judged.
func (r *running) makeTarget(ctx context.Context) error {
	if r.Options.Policy != Candidate {
		return nil
	}
	if _, err := score.ParseModel(r.Options.Model); errors.Is(err, score.ErrModel) {
		return err
	} else if err != nil {
		return fmt.Errorf("%w: %w", score.ErrModel, err)
	}
	models := engine.Suppose(r.Store, features.ModelArtifact, r.Options.Model)
	id, err := models.ActiveID(ctx, features.ModelArtifact)
	if err != nil {
		return err
	}
	loader, err := engine.NewLoader(r.Store, models, r.Version)
	if err != nil {
		return err
	}
	r.target = &target{loader, id}
	return nil
}

// aim fills in target_propensity and unsupported, and counts the support.
func (w *worker) aim(ctx context.Context, d *decision, logged *matcher.Slate, p *fund.Profile, c *support) error {
	switch w.Options.Policy {
	case NoPolicy:
		return nil
	case Greedy:
		for i := range d.rows {
			d.rows[i].Target, d.rows[i].Numbers[unsupported] = greedyAt(logged, i+1), 0
		}
		c.count(d.rows, len(d.rows))
		return nil
	case Candidate:
	}
	judged := &w.judged
	if err := w.target.list(ctx, w.files, logged, p, judged); err != nil {
		return fmt.Errorf("candidate: %w", err)
	}
	for i := range d.rows {
		row, rank := &d.rows[i], i+1
		row.Target, row.Numbers[unsupported] = chance(judged, rank, row.ProductCode), massOutside(judged, logged, rank)
	}
	c.count(d.rows, len(judged.Items))
	return nil
}

// greedyAt is 1 where a row shows what stands there without exploration.
func greedyAt(s *matcher.Slate, rank int) float64 {
	x := &s.Explored
	return oneIf(x.Rank != rank || x.Drawn == 0)
}

// list is what the candidate answers the sealed request, into out.
func (t *target) list(ctx context.Context, f *files, logged *matcher.Slate, p *fund.Profile, out *matcher.Slate) error {
	id := logged.Identity
	id.ModelID = t.id
	core, err := t.loader.Past(ctx, id)
	if err != nil {
		return err
	}
	recorded, err := f.model(ctx, logged.Identity.ModelID)
	if err != nil {
		return err
	}
	request := logged.Request
	request.Exploration = explorationOf(&logged.Request, recorded, core)
	return core.Match(p, request, out)
}

// explorationOf is how the candidate would leave a place to chance: as its own file says, and for a customer whose arm
// said otherwise as the arm said.
func explorationOf(logged *matcher.Request, recorded *score.Model, candidate *matcher.Core) slate.Exploration {
	own := &recorded.Settings.Slate.Exploration
	if logged.Exploration != settled(slate.Exploration{Probability: own.Probability, Next: own.Next, MaxGap: own.MaxGap}) {
		return logged.Exploration
	}
	return candidate.Exploration()
}

// settled are the settings as a record keeps them: none where nothing is left to chance.
func settled(e slate.Exploration) slate.Exploration {
	if e.Probability == 0 {
		return slate.Exploration{}
	}
	return e
}

// chance is the probability that a list has a product at a rank. It is exact: 1, 0, or a marginal of the draw.
func chance(s *matcher.Slate, rank int, code string) float64 {
	if rank > len(s.Items) {
		return 0
	}
	if s.Explored.Rank != rank {
		return oneIf(s.Items[rank-1].Code == code)
	}
	for i := range s.Explored.Choices {
		if s.Explored.Choices[i].Code == code {
			return s.Explored.Choices[i].Propensity
		}
	}
	return 0
}

// massOutside is how much of the judged list stands, at a rank, on products that the logged one could not show there.
func massOutside(judged, logged *matcher.Slate, rank int) float64 {
	if rank > len(judged.Items) {
		return 0
	}
	if judged.Explored.Rank != rank {
		return oneIf(chance(logged, rank, judged.Items[rank-1].Code) == 0)
	}
	mass := 0.0
	for i := range judged.Explored.Choices {
		x := &judged.Explored.Choices[i]
		if chance(logged, rank, x.Code) == 0 {
			mass += x.Propensity
		}
	}
	return mass
}

// support counts how far the log can speak of the judged policy.
type support struct {
	unsupported, longer, shorter int64
	positions                    []PositionSupport // Mass is the sum
}

// count takes in one decision and how long the judged list is.
func (s *support) count(rows []Row, judged int) {
	without := judged > len(rows)
	if without {
		s.longer++
	}
	if judged < len(rows) {
		s.shorter++
	}
	for i := range rows {
		for len(s.positions) <= i {
			s.positions = append(s.positions, PositionSupport{Position: int32(len(s.positions) + 1)})
		}
		at, mass := &s.positions[i], rows[i].Numbers[unsupported]
		at.Decisions++
		at.Mass += mass
		if mass > 0 {
			at.Unsupported++
			without = true
		}
	}
	if without {
		s.unsupported++
	}
}

// add takes in what was counted of a later batch.
func (s *support) add(o *support) {
	s.unsupported += o.unsupported
	s.longer += o.longer
	s.shorter += o.shorter
	for i := range o.positions {
		for len(s.positions) <= i {
			s.positions = append(s.positions, PositionSupport{Position: int32(len(s.positions) + 1)})
		}
		s.positions[i].Decisions += o.positions[i].Decisions
		s.positions[i].Unsupported += o.positions[i].Unsupported
		s.positions[i].Mass += o.positions[i].Mass
	}
}

// summary is what is told of it.
func (s *support) summary(p Policy, t *target) *PolicySummary {
	out := &PolicySummary{Policy: string(p), Unsupported: s.unsupported, Longer: s.longer, Shorter: s.shorter, Positions: []PositionSupport{}}
	if t != nil {
		out.Model = t.id
	}
	for _, at := range s.positions {
		at.Mass /= float64(at.Decisions)
		out.Positions = append(out.Positions, at)
	}
	return out
}
