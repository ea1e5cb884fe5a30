package experiments

import (
	"fmt"
	"math"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/evaluate/inference"
	"github.com/fundmatch/fundmatch/services/evaluation/gate"
)

// Judge evaluates what was added. Document.Rows are the customers, and Input is null.
// Errors: ErrConfig (the control or an arm has no customers or no weight), ErrData (nobody, or one arm).
func (s *State) Judge(config Config) (*Document, error) {
	if err := config.Check(); err != nil {
		return nil, err
	}
	if !s.columns.equal(&config.Columns) {
		return nil, fmt.Errorf("%w: columns other than those that were added", ErrConfig)
	}
	d := &Document{
		Schema: Schema, Rows: s.Customers(), Skipped: Skipped{Listed: []BadListed{}}, Gates: []gate.Result{},
		Comparisons: []Comparison{}, Segments: []SegmentParts{},
	}
	var err error
	if d.Config, err = s.settle(config); err != nil {
		return nil, err
	}
	if d.SRM, err = s.mismatch(d.Config.Weights); err != nil {
		return nil, err
	}
	j := judge{state: s, config: &d.Config, interval: intervalName(config.Alpha)}
	d.Arms, d.Comparisons = j.arms(s.whole), j.comparisons(s.whole)
	adjust(d.Comparisons)
	for i, name := range config.Segments {
		d.Segments = append(d.Segments, j.segment(name, s.segments[i]))
	}
	d.Verdict = j.verdict(d)
	return d, nil
}

// settle says who the control is, and which shares were planned.
func (s *State) settle(config Config) (Settings, error) {
	out := Settings{
		Columns: s.columns, Control: config.Control, Alpha: config.Alpha, Tuning: config.Tuning,
		MinCustomers: config.MinCustomers, SkipBad: config.SkipBad,
	}
	out.Pre, out.Segments = slices.Clone(config.Pre), append([]string{}, config.Segments...)
	names := sortedKeys(s.whole)
	if len(names) < 2 {
		return out, fmt.Errorf("%w: customers of %d arms, expected of 2 or more", ErrData, len(names))
	}
	if out.Control == "" {
		out.Control = ControlArm
		if s.whole[ControlArm] == nil {
			out.Control, out.ControlAssumed = names[0], true
		}
	}
	if s.whole[out.Control] == nil {
		return out, fmt.Errorf("%w: control %q has no customers, expected one of %q", ErrConfig, out.Control, names)
	}
	planned := names
	if config.Weights != nil {
		planned = sortedKeys(config.Weights)
	}
	for _, name := range planned {
		weight, given := config.Weights[name]
		if !given {
			weight = 1 / float64(len(names))
		}
		out.Weights = append(out.Weights, Weight{name, weight})
	}
	out.WeightsAssumed = config.Weights == nil
	for _, name := range names {
		if !slices.Contains(planned, name) {
			return out, fmt.Errorf("%w: arm %q has customers and no weight, expected one of %q", ErrConfig, name, planned)
		}
	}
	return out, nil
}

// mismatch tests all planned arms, those without customers too.
func (s *State) mismatch(planned []Weight) (*Mismatch, error) {
	customers, weights := make([]int64, len(planned)), make([]float64, len(planned))
	for i, w := range planned {
		weights[i] = w.Weight
		if a := s.whole[w.Arm]; a != nil {
			customers[i] = a.Customers
		}
	}
	r, err := inference.SampleRatio(customers, weights)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	out := &Mismatch{Chi2: Number(r.Chi2), DF: r.DF, P: Number(r.P), Mismatch: r.Mismatch()}
	for i, w := range planned {
		out.Arms = append(out.Arms, MismatchArm{w.Arm, customers[i], Number(r.Expected[i])})
	}
	return out, nil
}

// judge compares the arms of groups.
type judge struct {
	state    *State
	config   *Settings
	interval string
}

// order are the arms of a group: the control first, the others by name.
func (j *judge) order(g group) []string {
	names := slices.DeleteFunc(sortedKeys(g), func(name string) bool { return name == j.config.Control })
	if g[j.config.Control] != nil {
		names = slices.Insert(names, 0, j.config.Control)
	}
	return names
}

func (j *judge) arms(g group) []Arm {
	out := []Arm{}
	for _, name := range j.order(g) {
		a := Arm{Arm: name, Customers: g[name].Customers}
		for i, metric := range j.state.columns.Metrics {
			c := &g[name].Cells[i]
			m := ArmMetric{Metric: metric, N: c.All.N, Censored: c.Censored, Mean: Number(math.NaN()), SD: Number(math.Sqrt(c.All.Variance()))}
			if c.All.N > 0 {
				m.Mean = Number(c.All.Mean)
			}
			a.Metrics = append(a.Metrics, m)
		}
		out = append(out, a)
	}
	return out
}

// comparisons are those of a group that has the control.
func (j *judge) comparisons(g group) []Comparison {
	out := []Comparison{}
	control := g[j.config.Control]
	if control == nil {
		return out
	}
	for _, name := range j.order(g)[1:] {
		c := Comparison{Arm: name}
		for i, metric := range j.state.columns.Metrics {
			m := j.compare(&control.Cells[i], &g[name].Cells[i], j.config.Pre[i] != "")
			m.Metric = metric
			c.Metrics = append(c.Metrics, m)
		}
		out = append(out, c)
	}
	return out
}

// compare is one metric of one arm.
func (j *judge) compare(control, treated *cell, hasPre bool) MetricComparison {
	out := MetricComparison{Unknown: []string{}}
	unknown := func(what string, err error) {
		if err != nil {
			out.Unknown = append(out.Unknown, what+": "+err.Error())
		}
	}
	absolute, err := inference.Difference(control.All, treated.All)
	unknown("difference", err)
	out.Welch.Absolute, out.Sequential.Absolute = j.read(absolute, err)
	relative, err := inference.Relative(control.All, treated.All)
	unknown("relative difference", err)
	out.Welch.Relative, out.Sequential.Relative = j.read(relative, err)
	if !hasPre {
		return out
	}
	out.CUPED = &Cuped{Customers: control.Paired.N + treated.Paired.N, VarianceRatio: Number(math.NaN())}
	theta, err := inference.Theta(control.Paired, treated.Paired)
	out.CUPED.Theta = Number(theta)
	if err != nil {
		unknown("CUPED", err)
		return out
	}
	adjusted, err := inference.Adjusted(control.Paired, treated.Paired, theta)
	unknown("CUPED", err)
	out.CUPED.Absolute, out.CUPED.Sequential.Absolute = j.read(adjusted, err)
	if plain, errPlain := inference.Difference(control.Paired.Post(), treated.Paired.Post()); err == nil && errPlain == nil {
		out.CUPED.VarianceRatio = Number(adjusted.Variance / plain.Variance)
	}
	adjusted, err = inference.AdjustedRelative(control.Paired, treated.Paired, theta)
	unknown("CUPED, relative", err)
	out.CUPED.Relative, out.CUPED.Sequential.Relative = j.read(adjusted, err)
	return out
}

// read gives both intervals of a contrast, none where it could not be told.
func (j *judge) read(c inference.Contrast, err error) (once, always *Estimate) {
	if err != nil {
		return nil, nil
	}
	if e, err := c.Welch(j.config.Alpha); err == nil {
		once = j.estimate(e)
	}
	if e, err := c.Sequential(j.config.Alpha, j.config.Tuning); err == nil {
		always = j.estimate(e)
	}
	return once, always
}

func (j *judge) estimate(e inference.Effect) *Estimate {
	return &Estimate{
		Value: e.Value, StdErr: e.StdErr, Low: e.Low, High: e.High, P: e.P,
		Holm: math.NaN(), BH: math.NaN(), interval: j.interval,
	}
}

// adjust adjusts each kind of p-value over all arms and metrics: a kind is a way to judge the experiment, and one of them
// was to be chosen before.
func adjust(comparisons []Comparison) {
	kinds := []func(*MetricComparison) *Estimate{
		func(m *MetricComparison) *Estimate { return m.Welch.Absolute },
		func(m *MetricComparison) *Estimate { return m.Sequential.Absolute },
		func(m *MetricComparison) *Estimate {
			if m.CUPED == nil {
				return nil
			}
			return m.CUPED.Absolute
		},
		func(m *MetricComparison) *Estimate {
			if m.CUPED == nil {
				return nil
			}
			return m.CUPED.Sequential.Absolute
		},
	}
	for _, kind := range kinds {
		var family []*Estimate
		var p []float64
		for i := range comparisons {
			for m := range comparisons[i].Metrics {
				if e := kind(&comparisons[i].Metrics[m]); e != nil {
					family, p = append(family, e), append(p, e.P)
				}
			}
		}
		holm, bh := inference.Holm(p), inference.BenjaminiHochberg(p)
		for i, e := range family {
			e.Holm, e.BH = holm[i], bh[i]
		}
	}
}

// segment compares the arms among the customers of each value.
func (j *judge) segment(name string, values map[string]group) SegmentParts {
	out := SegmentParts{Name: name, Values: []SegmentPart{}}
	for _, value := range sortedKeys(values) {
		g := values[value]
		p := SegmentPart{Value: value, Arms: j.arms(g), Comparisons: j.comparisons(g)}
		for _, a := range p.Arms {
			p.Customers += a.Customers
		}
		out.Values = append(out.Values, p)
	}
	return out
}
