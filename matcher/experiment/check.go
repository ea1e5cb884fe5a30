package experiment

import (
	"fmt"
	"iter"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// The bounds of a plan.
const (
	MaxLayers      = 8
	MaxExperiments = 50 // of a layer
	MaxArms        = 10 // of an experiment
	modelIDLength  = 64 // hex SHA-256
	leastArms      = 2
	maxVersion     = 1_000_000_000
)

// Check reports whether the plan can be assigned by: names and salts that tell each other
// apart, experiments of a layer that never have a bucket at the same time, arms that share
// an experiment out with one control that chooses nothing, one layer that chooses the model
// and one that chooses the exploration at most. Errors wrap ErrPlan.
func (p *Plan) Check() error {
	switch {
	case fund.CheckID(p.Name) != nil:
		return refuse("name", p.Name, "an id of 1 to %d of 0-9 A-Z a-z . _ -", fund.MaxIDLength)
	case p.Version < 1 || p.Version > maxVersion:
		return refuse("version", p.Version, "1 to %d", maxVersion)
	case len(p.Layers) > MaxLayers:
		return refuse("layers", len(p.Layers), "at most %d", MaxLayers)
	}
	for i := range p.Layers {
		if err := p.Layers[i].check(fmt.Sprintf("layers[%d]", i)); err != nil {
			return err
		}
	}
	if err := p.checkNames(); err != nil {
		return err
	}
	return p.checkChoices()
}

func (l *Layer) check(place string) error {
	if len(l.Experiments) > MaxExperiments {
		return refuse(place+".experiments", len(l.Experiments), "at most %d", MaxExperiments)
	}
	for i := range l.Experiments {
		e := &l.Experiments[i]
		at := fmt.Sprintf("%s.experiments[%d]", place, i)
		if err := e.check(at); err != nil {
			return err
		}
		for j := range i {
			if o := &l.Experiments[j]; e.meets(o) {
				return refuse(at, e.Name, "buckets or days of its own: %s has some of them too, and a customer is in one experiment of a layer at most", o.Name)
			}
		}
	}
	return nil
}

// meets reports whether two experiments have a bucket at the same time.
func (e *Experiment) meets(o *Experiment) bool {
	return e.FirstBucket < o.EndBucket && o.FirstBucket < e.EndBucket && e.From < o.Until && o.From < e.Until
}

func (e *Experiment) check(place string) error {
	switch {
	case e.From <= 0 || e.From != e.From.Date().Start():
		return refuse(place+".from", e.From, "the begin of a day in Asia/Shanghai")
	case e.Until != e.Until.Date().Start():
		return refuse(place+".until", e.Until, "the begin of a day in Asia/Shanghai")
	case e.Until <= e.From:
		return refuse(place+".until", e.Until.Date(), "a later day than from, %s", e.From.Date())
	case e.FirstBucket < 0 || e.FirstBucket >= Buckets:
		return refuse(place+".first_bucket", e.FirstBucket, "0 to %d", Buckets-1)
	case e.EndBucket <= e.FirstBucket || e.EndBucket > Buckets:
		return refuse(place+".end_bucket", e.EndBucket, "%d to %d", e.FirstBucket+1, Buckets)
	case len(e.Arms) < leastArms || len(e.Arms) > MaxArms:
		return refuse(place+".arms", len(e.Arms), "%d to %d", leastArms, MaxArms)
	}
	return e.checkArms(place)
}

func (e *Experiment) checkArms(place string) error {
	sum, controls := 0, 0
	for i := range e.Arms {
		a := &e.Arms[i]
		at := fmt.Sprintf("%s.arms[%d]", place, i)
		if err := a.check(at); err != nil {
			return err
		}
		if slices.ContainsFunc(e.Arms[:i], func(o Arm) bool { return o.Name == a.Name }) {
			return refuse(at+".name", a.Name, "a name that no other arm of the experiment has")
		}
		sum += int(a.Share)
		if a.Control {
			controls++
		}
	}
	switch {
	case sum != Buckets:
		return refuse(place+".arms", sum, "shares that sum to %d", Buckets)
	case controls != 1:
		return refuse(place+".arms", fmt.Sprintf("%d with control: true", controls), "exactly one")
	}
	return nil
}

func (a *Arm) check(place string) error {
	chooses := a.Model != "" || a.Explore != nil
	switch {
	case fund.CheckID(a.Name) != nil:
		return refuse(place+".name", a.Name, "an id of 1 to %d of 0-9 A-Z a-z . _ -", fund.MaxIDLength)
	case a.Share < 1 || a.Share > Buckets:
		return refuse(place+".share_bps", a.Share, "1 to %d", Buckets)
	case a.Control && chooses:
		return refuse(place, a.Name, "a control that chooses nothing: it gets what everybody gets")
	case !a.Control && !chooses:
		return refuse(place, a.Name, "a model or an exploration (to compare a model with itself, name the one in force)")
	case a.Model != "" && !isModelID(a.Model):
		return refuse(place+".model", a.Model, "the hex SHA-256 of a model file, %d of 0-9 a-f", modelIDLength)
	case a.Explore == nil:
		return nil
	}
	if err := a.Explore.Check(); err != nil {
		return fmt.Errorf("%w: %s.exploration: %w", ErrPlan, place, err)
	}
	return nil
}

func isModelID(id string) bool {
	ok := len(id) == modelIDLength
	for i := 0; ok && i < len(id); i++ {
		ok = id[i] >= '0' && id[i] <= '9' || id[i] >= 'a' && id[i] <= 'f'
	}
	return ok
}

// checkNames sees to it that a record's exposure names one experiment, and that no two draws
// of the plan hash alike: layers would depend on each other.
func (p *Plan) checkNames() error {
	names, layers, salts := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i := range p.Layers {
		l := &p.Layers[i]
		place := fmt.Sprintf("layers[%d]", i)
		if err := unique(layers, place+".name", l.Name, "layer"); err != nil {
			return err
		}
		if err := unique(salts, place+".salt", l.Salt, "salt of the plan"); err != nil {
			return err
		}
	}
	for place, e := range p.all() {
		if err := unique(names, place+".name", e.Name, "experiment of the plan"); err != nil {
			return err
		}
		if err := unique(salts, place+".salt", e.Salt, "salt of the plan"); err != nil {
			return err
		}
	}
	return nil
}

func unique(seen map[string]bool, place, id, what string) error {
	if fund.CheckID(id) != nil {
		return refuse(place, id, "an id of 1 to %d of 0-9 A-Z a-z . _ -", fund.MaxIDLength)
	}
	if seen[id] {
		return refuse(place, id, "an id of its own: another %s has it", what)
	}
	seen[id] = true
	return nil
}

// checkChoices sees to it that no two layers choose the same: what a customer gets would
// depend on their order.
func (p *Plan) checkChoices() error {
	var model, exploration sole
	for i := range p.Layers {
		l := &p.Layers[i]
		for j := range l.Experiments {
			place := fmt.Sprintf("layers[%d].experiments[%d]", i, j)
			chooses := func(what func(Arm) bool) bool { return slices.ContainsFunc(l.Experiments[j].Arms, what) }
			if err := model.take(chooses(func(a Arm) bool { return a.Model != "" }), l.Name, place, "model"); err != nil {
				return err
			}
			if err := exploration.take(chooses(func(a Arm) bool { return a.Explore != nil }), l.Name, place, "exploration"); err != nil {
				return err
			}
		}
	}
	return nil
}

// sole is the only layer that may choose something; empty: none does yet.
type sole struct{ layer string }

func (s *sole) take(chooses bool, layer, place, what string) error {
	if !chooses {
		return nil
	}
	if s.layer != "" && s.layer != layer {
		return refuse(place, layer, "arms without %s, which layer %s chooses already", what, s.layer)
	}
	s.layer = layer
	return nil
}

// all gives every experiment with its place in the file, in the plan's order.
func (p *Plan) all() iter.Seq2[string, *Experiment] {
	return func(yield func(string, *Experiment) bool) {
		for i := range p.Layers {
			for j := range p.Layers[i].Experiments {
				if !yield(fmt.Sprintf("layers[%d].experiments[%d]", i, j), &p.Layers[i].Experiments[j]) {
					return
				}
			}
		}
	}
}
