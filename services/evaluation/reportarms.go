package evaluation

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/fundmatch/fundmatch/matcher/evaluate/draw"
	"github.com/fundmatch/fundmatch/services/evaluation/policylog"
)

// The bounds of what is held of experiments. Of more customers those with the smallest hashes are held, a sample that is
// the same in whatever order rows, blocks and shards come, and that knows nothing of the arms.
const (
	MaxArmCustomers = 1 << 15 // of an experiment
	MaxArms         = 16      // of an experiment
	MaxExperiments  = 16      // in a log
)

// ArmWeight is the planned share of an arm, of any sum. The first that is named of an experiment is its control.
type ArmWeight struct {
	Experiment string  `json:"experiment"`
	Arm        string  `json:"arm"`
	Weight     float64 `json:"weight"`
}

// ParseArm reads EXPERIMENT:ARM=WEIGHT.
func ParseArm(text string) (ArmWeight, error) {
	at := strings.LastIndexByte(text, '=')
	experiment, arm, named := splitArm(text[:max(at, 0)])
	weight, err := strconv.ParseFloat(text[at+1:], 64)
	w := ArmWeight{experiment, arm, weight}
	if !named || err != nil || CheckArms([]ArmWeight{w}) != nil {
		return w, fmt.Errorf("%.80q, expected EXPERIMENT:ARM=WEIGHT, the weight above 0", text)
	}
	return w, nil
}

// CheckArms refuses what ParseArm does not read, and an arm that is named twice.
func CheckArms(arms []ArmWeight) error {
	if len(arms) > MaxArms*MaxExperiments {
		return fmt.Errorf("%d arms, expected %d at most", len(arms), MaxArms*MaxExperiments)
	}
	for i, a := range arms {
		if a.Experiment == "" || a.Arm == "" || strings.Contains(a.Experiment, ":") || !(a.Weight > 0 && a.Weight <= 1e9) {
			return fmt.Errorf("arm %.80q of experiment %.80q with weight %v, expected names and a weight above 0", a.Arm, a.Experiment, a.Weight)
		}
		for _, b := range arms[:i] {
			if a.Experiment == b.Experiment && a.Arm == b.Arm {
				return fmt.Errorf("arm %.80q of experiment %.80q is there twice", a.Arm, a.Experiment)
			}
		}
	}
	return nil
}

// armsMeasure sums each customer's reward by experiment. A customer in the sample is there with all his rows: whoever is
// among the smallest hashes of the log is among them in each part of it.
type armsMeasure struct {
	experiments map[string]*armSample
	lacked      bool // some block had no such column
}

// armSample is what is held of one experiment.
type armSample struct {
	customers map[uint64]*armCustomer
	bound     uint64 // hashes from here on are not held; 0: all are
	sampled   bool   // somebody was left out
}

// armCustomer is one customer in an experiment.
type armCustomer struct {
	Arm    string  `json:"arm"`
	Mixed  bool    `json:"mixed,omitempty"` // he was seen in several arms
	Lists  int64   `json:"lists"`
	Reward float64 `json:"reward"` // of the rows whose reward is known
	Known  int64   `json:"known"`
	Open   int64   `json:"open"` // rows whose reward is not
}

func newArms() *armsMeasure { return &armsMeasure{experiments: map[string]*armSample{}} }

// splitArm takes experiment:arm apart; false: the text names none. An arm may hold colons, an experiment may not.
func splitArm(text string) (experiment, arm string, named bool) {
	experiment, arm, named = strings.Cut(text, ":")
	return experiment, arm, named && experiment != "" && arm != ""
}

// shownText quotes as much of a text as an error shows.
func shownText(s string) string { return fmt.Sprintf("%.80q", s) }

// Add counts a block. The arm of a list is that of its first row.
func (m *armsMeasure) Add(b *policylog.Block) error {
	t := textOf(b, policylog.ColumnArm)
	if t == nil {
		m.lacked = true
		return nil
	}
	begin := 0
	for d, end := range b.Ends {
		name := t.Names[t.Values[begin]]
		for i := begin; i < int(end); i++ {
			if t.Values[i] != t.Values[begin] {
				return rowError(b, i, policylog.ColumnArm, shownText(t.Names[t.Values[i]]), "the decision's "+shownText(name))
			}
		}
		if err := m.addList(b, d, begin, int(end), name); err != nil {
			return err
		}
		begin = int(end)
	}
	return m.trim()
}

// addList counts a list in each experiment that its customer was in.
func (m *armsMeasure) addList(b *policylog.Block, decision, begin, end int, names string) error {
	for _, name := range strings.Fields(names) {
		experiment, arm, named := splitArm(name)
		if !named {
			return rowError(b, begin, policylog.ColumnArm, shownText(name), "experiment:arm, several separated by blanks, or nothing")
		}
		one := armCustomer{Arm: arm, Lists: 1}
		for _, r := range b.Reward[begin:end] {
			if math.IsNaN(r) {
				one.Open++
			} else {
				one.Known++
				one.Reward += r
			}
		}
		s, err := m.sample(experiment)
		if err != nil {
			return err
		}
		s.put(draw.Spread(b.Cluster[decision]), &one)
	}
	return nil
}

// sample is the place of an experiment.
func (m *armsMeasure) sample(experiment string) (*armSample, error) {
	if s := m.experiments[experiment]; s != nil {
		return s, nil
	}
	if len(m.experiments) == MaxExperiments {
		return nil, fmt.Errorf("%w: column %s names more than %d experiments", ErrSegments, policylog.ColumnArm, MaxExperiments)
	}
	s := &armSample{customers: map[uint64]*armCustomer{}}
	m.experiments[strings.Clone(experiment)] = s
	return s, nil
}

// put adds what was counted of a customer.
func (s *armSample) put(hash uint64, one *armCustomer) {
	if s.bound != 0 && hash >= s.bound {
		s.sampled = true
		return
	}
	sum := s.customers[hash]
	if sum == nil {
		first := *one
		first.Arm = strings.Clone(one.Arm)
		s.customers[hash] = &first
		return
	}
	sum.Mixed = sum.Mixed || one.Mixed || sum.Arm != one.Arm
	sum.Arm = min(sum.Arm, one.Arm)
	sum.Lists += one.Lists
	sum.Known += one.Known
	sum.Open += one.Open
	sum.Reward += one.Reward
}

// trim leaves out whom there is no room for, and refuses more arms than an experiment has.
func (m *armsMeasure) trim() error {
	for name, s := range m.experiments {
		if len(s.customers) > MaxArmCustomers {
			hashes := slices.Sorted(maps.Keys(s.customers))
			s.bound, s.sampled = hashes[MaxArmCustomers], true
			for _, h := range hashes[MaxArmCustomers:] {
				delete(s.customers, h)
			}
		}
		if n := len(s.arms()); n > MaxArms {
			return fmt.Errorf("%w: experiment %.80q has more than %d arms", ErrSegments, name, MaxArms)
		}
	}
	return nil
}

// arms are those of the customers who are held.
func (s *armSample) arms() []string {
	seen := map[string]bool{}
	for _, c := range s.customers {
		seen[c.Arm] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

// Merge adds what a later state counted.
func (m *armsMeasure) Merge(later Measure) error {
	o, same := later.(*armsMeasure)
	if !same {
		return errOtherPart
	}
	m.lacked = m.lacked || o.lacked
	for _, name := range slices.Sorted(maps.Keys(o.experiments)) {
		s, err := m.sample(name)
		if err != nil {
			return err
		}
		from := o.experiments[name]
		s.sampled = s.sampled || from.sampled
		for hash, c := range from.customers { // each is of a customer of his own: the order does not show
			s.put(hash, c)
		}
		if from.bound != 0 && (s.bound == 0 || from.bound < s.bound) {
			s.bound = from.bound
			maps.DeleteFunc(s.customers, func(hash uint64, _ *armCustomer) bool { return hash >= s.bound })
		}
	}
	return m.trim()
}

// armsForm is the byte form of armsMeasure.
type armsForm struct {
	Lacked      bool                  `json:"lacked"`
	Experiments map[string]sampleForm `json:"experiments"`
}

type sampleForm struct {
	Bound     uint64         `json:"bound"`
	Sampled   bool           `json:"sampled"`
	Hashes    []uint64       `json:"hashes"` // ascending
	Customers []*armCustomer `json:"customers"`
}

// MarshalJSON writes the exact form.
func (m *armsMeasure) MarshalJSON() ([]byte, error) {
	f := armsForm{Lacked: m.lacked, Experiments: map[string]sampleForm{}}
	for name, s := range m.experiments {
		form := sampleForm{Bound: s.bound, Sampled: s.sampled, Hashes: slices.Sorted(maps.Keys(s.customers))}
		for _, h := range form.Hashes {
			form.Customers = append(form.Customers, s.customers[h])
		}
		f.Experiments[name] = form
	}
	return json.Marshal(f)
}

// UnmarshalJSON reads it.
func (m *armsMeasure) UnmarshalJSON(data []byte) error {
	var f armsForm
	if err := decode(data, &f); err != nil {
		return err
	}
	read := newArms()
	read.lacked = f.Lacked
	for _, name := range slices.Sorted(maps.Keys(f.Experiments)) {
		s, err := read.sample(name)
		if err != nil {
			return err
		}
		form := f.Experiments[name]
		if err := s.read(&form); err != nil {
			return err
		}
	}
	*m = *read
	return m.trim()
}

// read takes in customers by ascending hash.
func (s *armSample) read(form *sampleForm) error {
	if len(form.Hashes) != len(form.Customers) || len(form.Hashes) > MaxArmCustomers || form.Bound != 0 && !form.Sampled {
		return errMeasure
	}
	s.bound, s.sampled = form.Bound, form.Sampled
	for i, hash := range form.Hashes {
		c := form.Customers[i]
		outOfOrder := i > 0 && hash <= form.Hashes[i-1] || s.bound != 0 && hash >= s.bound
		if outOfOrder || c == nil || c.Arm == "" || c.Lists < 1 || min(c.Open, c.Known) < 0 {
			return errMeasure
		}
		s.customers[hash] = c
	}
	return nil
}
