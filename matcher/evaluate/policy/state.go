package policy

import (
	"errors"
	"fmt"
	"math"
)

// State is what batches have come to. Its size does not depend on how many there were. It is for one goroutine.
//
// Add is defined as Merge of a state that holds the batch alone: so the same tree of batches gives the same bits, whether
// it was folded in one process or in many. Other trees differ by the rounding of numbers of 32 digits.
type State struct {
	plan *plan

	rows, decisions, censored int64

	moments  moments
	lists    lists
	slates   *slates
	model    *model
	resample *resample
}

// ErrSettings is wrapped where states of different settings meet.
var ErrSettings = errors.New("states of different settings")

// BatchError is a batch that cannot be added. Nothing of it was.
type BatchError struct {
	Row  int // from 0 in the batch; -1 where it is not about one
	What string
	Want string
}

func (e *BatchError) Error() string {
	if e.Row < 0 {
		return fmt.Sprintf("batch: %s, expected %s", e.What, e.Want)
	}
	return fmt.Sprintf("row %d of the batch: %s, expected %s", e.Row, e.What, e.Want)
}

// New makes an empty state. An error is a *SettingsError. The settings are copied; their target is only read.
func New(settings *Settings) (*State, error) {
	p, err := newPlan(settings)
	if err != nil {
		return nil, err
	}
	return p.state(), nil
}

// Fresh makes an empty state of the same settings, without looking at them again.
func (s *State) Fresh() *State { return s.plan.state() }

func (p *plan) state() *State {
	s := &State{plan: p}
	s.moments.bands = make([]band, len(p.steps)+1)
	if p.Slates {
		s.slates = &slates{}
	}
	if p.cells {
		s.model = newModel(p.Target)
	}
	if p.Replicates > 0 {
		s.resample = newResample(p.Replicates)
	}
	return s
}

// Reset empties the state and keeps its memory.
func (s *State) Reset() {
	s.rows, s.decisions, s.censored = 0, 0, 0
	s.moments.reset()
	s.lists = lists{}
	if s.slates != nil {
		s.slates.reset()
	}
	if s.model != nil {
		s.model.reset()
	}
	if s.resample != nil {
		clear(s.resample.sums)
	}
}

// Settings are the state's own copy.
func (s *State) Settings() Settings { return s.plan.Settings }

// Merge adds what another state holds. It refuses one of other settings (ErrSettings).
func (s *State) Merge(other *State) error {
	if s.plan != other.plan && s.plan.digest != other.plan.digest {
		return fmt.Errorf("%w: %x and %x", ErrSettings, s.plan.digest[:6], other.plan.digest[:6])
	}
	s.rows += other.rows
	s.decisions += other.decisions
	s.censored += other.censored
	s.moments.merge(&other.moments)
	s.lists.merge(&other.lists)
	if s.slates != nil {
		s.slates.merge(other.slates)
	}
	if s.model != nil {
		s.model.merge(other.model)
	}
	if s.resample != nil {
		s.resample.merge(other.resample)
	}
	return nil
}

// Add adds a batch. Its values are as its columns say: the reader has refused others. An error is a *BatchError: columns of
// different lengths, a row at a position that the target does not have, or numbers whose squares are beyond float64.
func (s *State) Add(b *Batch) error {
	if err := s.plan.check(b); err != nil {
		return err
	}
	w, kept := s.plan.idle.Get().(*work)
	if !kept {
		w = &work{spare: s.Fresh()}
	}
	defer s.plan.idle.Put(w)
	to := s
	if s.rows > 0 {
		to = w.spare
	}
	to.Reset()
	err := to.fill(b, w)
	if to == s || err != nil {
		if err != nil {
			to.Reset()
		}
		return err
	}
	return s.Merge(to)
}

// check compares the columns.
func (p *plan) check(b *Batch) error {
	rows, target := len(b.Position), len(b.Target)
	if p.Target != nil {
		target = rows
	}
	if len(b.Product) != rows || len(b.Reward) != rows || len(b.Propensity) != rows || target != rows {
		return &BatchError{-1, fmt.Sprintf("columns of %d, %d, %d, %d and %d rows", rows, len(b.Product), len(b.Reward), len(b.Propensity), target), "all of the same length"}
	}
	if len(b.Cluster) != len(b.Ends) {
		return &BatchError{-1, fmt.Sprintf("%d decisions of %d customers", len(b.Ends), len(b.Cluster)), "one each"}
	}
	last := int32(0)
	for _, end := range b.Ends {
		if end <= last || int(end) > rows {
			return &BatchError{-1, fmt.Sprintf("a decision that ends at %d behind %d", end, last), "ascending ends"}
		}
		last = end
	}
	if int(last) != rows {
		return &BatchError{-1, fmt.Sprintf("decisions of %d rows", last), fmt.Sprintf("all %d", rows)}
	}
	return nil
}

// chunkRows is how many rows are worked through at a time, and then on to the end of the decision: their weights stay in the
// nearest cache, and their plain sums are short before they are added up with all digits.
const chunkRows = 512

// work is memory that adding a batch needs. It is the plan's, so that many states need it once, and is filled anew each time.
type work struct {
	spare  *State    // holds the batch, if the state that it is added to holds something already
	weight []float64 // of the chunk's rows
	shift  float64   // what is taken off rewards, so that squares of large ones keep their digits
	gains  []float64
	lookup lookup
	slates slateWork
}

// chunk is a run of whole decisions of a batch, beside their weights.
type chunk struct {
	*Batch
	decisions [2]int // from, to
	rows      [2]int
	weight    []float64
}

func (c *chunk) reward() []float64 { return c.Reward[c.rows[0]:c.rows[1]] }

// fill adds the first batch of a state.
func (s *State) fill(b *Batch, w *work) error {
	s.rows, s.decisions = int64(b.Rows()), int64(b.Decisions())
	w.shift = shift(b.Reward)
	w.lookup.open(s.plan.Target, b)
	if s.slates != nil {
		w.slates.open(b.Ends)
	}
	for from, row := 0, 0; from < len(b.Ends); {
		to := from + 1
		for to < len(b.Ends) && int(b.Ends[to-1])-row < chunkRows {
			to++
		}
		c := chunk{Batch: b, decisions: [2]int{from, to}, rows: [2]int{row, int(b.Ends[to-1])}}
		if err := s.chunk(&c, w); err != nil {
			return err
		}
		from, row = to, c.rows[1]
	}
	if s.slates != nil {
		s.slates.take(&w.slates, w.shift)
	}
	if s.model != nil {
		s.model.close()
	}
	return s.bounded(b)
}

// chunk adds the rows of a chunk.
func (s *State) chunk(c *chunk, w *work) error {
	target := c.Target
	if s.plan.Target != nil {
		looked, err := w.lookup.rows(s.plan.Target, c)
		if err != nil {
			return err
		}
		target = looked
	} else {
		target = target[c.rows[0]:c.rows[1]]
	}
	c.weight = w.weigh(target, c.Propensity[c.rows[0]:c.rows[1]])
	s.censored += int64(len(c.weight)) - s.moments.add(c.weight, c.reward(), w.shift, s.plan.steps)
	if s.model != nil {
		s.model.add(c, w.lookup.cells, s.plan)
	}
	if s.plan.ListCutoff > 0 || s.slates != nil || s.resample != nil {
		s.perDecision(c, w)
	}
	return nil
}

// perDecision adds what is of whole lists.
func (s *State) perDecision(c *chunk, w *work) {
	row := c.rows[0]
	for d := c.decisions[0]; d < c.decisions[1]; d++ {
		end := int(c.Ends[d])
		position, reward, weight := c.Position[row:end], c.Reward[row:end], c.weight[row-c.rows[0]:end-c.rows[0]]
		row = end
		kind, ndcg, slate := kindOf(reward), 0.0, false
		if s.plan.ListCutoff > 0 && kind != incomplete {
			ndcg = w.ndcg(kind, position, reward, s.plan.logs)
			s.lists.add(ndcg)
		}
		if s.slates != nil {
			slate = kind != incomplete && w.slates.add(position, reward, weight, w.shift)
			if !slate {
				s.slates.leftOut++
			}
		}
		if s.resample != nil {
			var p parts
			p.ofRows(reward, weight, s.plan.Clip)
			if kind != incomplete {
				p[partLists], p[partNDCG] = 1, ndcg
			}
			if slate && w.slates.reason == "" {
				p.ofSlate(w.slates.list.weight, w.slates.list.reward)
			}
			s.resample.add(c.Cluster[d], &p, s.plan)
		}
	}
}

// weigh divides.
func (w *work) weigh(target, propensity []float64) []float64 {
	if cap(w.weight) < len(target) {
		w.weight = make([]float64, len(target)+chunkRows)
	}
	out := w.weight[:len(target)]
	propensity = propensity[:len(target)]
	for i, t := range target {
		out[i] = t / propensity[i]
	}
	return out
}

// bounded refuses a batch whose sums are beyond float64, and names the row that made them so.
func (s *State) bounded(b *Batch) error {
	if s.moments.finite() && (s.model == nil || s.model.finite()) && (s.resample == nil || s.resample.finite()) {
		return nil
	}
	const want = "weights and rewards whose squares are below 1e308"
	row, largest := -1, 0.0
	for i, r := range b.Reward {
		t := 1.0 // where the target is looked up, propensities alone say enough
		if len(b.Target) > 0 {
			t = b.Target[i]
		}
		w := t / b.Propensity[i]
		size := max(w, math.Abs(r), math.Abs(w*r))
		if math.IsNaN(r) || size <= largest {
			continue
		}
		row, largest = i, size
		if !(size < 1e153) {
			break
		}
	}
	if row < 0 {
		return &BatchError{-1, "sums that are not finite", want}
	}
	return &BatchError{row, fmt.Sprintf("reward %v at propensity %v", b.Reward[row], b.Propensity[row]), want}
}

// shift is what rewards are taken less in sums of squares: their mean as the first rows have it, where that is large beside
// their spread; else 0, which leaves zeros and ones what they are.
func shift(reward []float64) float64 {
	const first = 256
	n, base, m, mm := 0.0, 0.0, 0.0, 0.0
	for _, r := range reward[:min(first, len(reward))] {
		if math.IsNaN(r) {
			continue
		}
		if n == 0 {
			base = r
		}
		n++
		m += r - base
		mm += float64((r - base) * (r - base))
	}
	if n == 0 {
		return 0
	}
	mean, variance := base+m/n, (mm-float64(m*m)/n)/n
	if math.Abs(mean) > 1e150 || !(float64(mean*mean) > 4*variance) {
		return 0
	}
	return mean
}
