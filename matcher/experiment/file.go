package experiment

import (
	"fmt"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/slate"
	"github.com/fundmatch/fundmatch/matcher/strictyaml"
)

// The schema and bounds of a plan file.
const (
	Schema = "fundmatch.experiments/v1"
	// MaxBytes is the greatest size of a file.
	MaxBytes = 1 << 18
)

// planFile is the file as it is written.
type planFile struct {
	Schema  string      `yaml:"schema"`
	Name    string      `yaml:"name"`
	Version int         `yaml:"version"`
	Layers  []layerFile `yaml:"layers"`
}

type layerFile struct {
	Name        string           `yaml:"name"`
	Salt        string           `yaml:"salt"`
	Experiments []experimentFile `yaml:"experiments"`
}

type experimentFile struct {
	Name        string    `yaml:"name"`
	Salt        string    `yaml:"salt"`
	From        string    `yaml:"from"`
	Until       string    `yaml:"until"`
	FirstBucket *int      `yaml:"first_bucket"`
	EndBucket   *int      `yaml:"end_bucket"`
	Arms        []armFile `yaml:"arms"`
}

// armFile is an arm. What it may choose stands here, and there is no rule among it.
type armFile struct {
	Name        string           `yaml:"name"`
	ShareBps    int              `yaml:"share_bps"`
	Control     bool             `yaml:"control"`
	Model       string           `yaml:"model"`
	Exploration *explorationFile `yaml:"exploration"`
}

type explorationFile struct {
	ProbabilityBps int     `yaml:"probability_bps"`
	Next           int     `yaml:"next"`
	MaxGap         float64 `yaml:"max_gap"`
}

// refuse makes an error that names the place, the value and what was expected.
func refuse(place string, value any, expected string, args ...any) error {
	return fmt.Errorf("%w: %s: %.80q, expected %s", ErrPlan, place, fmt.Sprint(value), fmt.Sprintf(expected, args...))
}

// Parse reads and checks a plan file: YAML of schema fundmatch.experiments/v1, strict, of
// bounded size, without anchors. Errors wrap ErrPlan and name the place, the value and what
// was expected.
func Parse(data []byte) (*Plan, error) {
	var file planFile
	if err := decode(data, &file); err != nil {
		return nil, err
	}
	if file.Schema != Schema {
		return nil, refuse("schema", file.Schema, "%s", Schema)
	}
	p := &Plan{Name: file.Name, Version: file.Version, Layers: make([]Layer, len(file.Layers))}
	for i := range file.Layers {
		if err := p.Layers[i].read(&file.Layers[i], fmt.Sprintf("layers[%d]", i)); err != nil {
			return nil, err
		}
	}
	if err := p.Check(); err != nil {
		return nil, err
	}
	return p, nil
}

// decode reads the YAML.
func decode(data []byte, file *planFile) error {
	form := strictyaml.Form{
		Limits: strictyaml.Limits{Bytes: MaxBytes, Line: 4096, Depth: 8, Marks: 200},
		Keys: "{schema, name, version, layers: [{name, salt, experiments: [{name, salt, from, until, first_bucket, end_bucket, " +
			"arms: [{name, share_bps, control, model, exploration: {probability_bps, next, max_gap}}]}]}]}",
		Refuse: func(place, value, expected string) error { return refuse(place, value, "%s", expected) },
	}
	return form.Decode(data, file)
}

func (l *Layer) read(f *layerFile, place string) error {
	*l = Layer{Name: f.Name, Salt: f.Salt, Experiments: make([]Experiment, len(f.Experiments))}
	for i := range f.Experiments {
		if err := l.Experiments[i].read(&f.Experiments[i], fmt.Sprintf("%s.experiments[%d]", place, i)); err != nil {
			return err
		}
	}
	return nil
}

func (e *Experiment) read(f *experimentFile, place string) (err error) {
	*e = Experiment{Name: f.Name, Salt: f.Salt, Arms: make([]Arm, len(f.Arms))}
	if e.From, err = midnight(place+".from", f.From); err != nil {
		return err
	}
	if e.Until, err = midnight(place+".until", f.Until); err != nil {
		return err
	}
	if f.FirstBucket == nil || f.EndBucket == nil {
		return refuse(place+".first_bucket, end_bucket", "nothing", "the buckets of the layer, first to end, the end not among them")
	}
	e.FirstBucket, e.EndBucket = *f.FirstBucket, *f.EndBucket
	for i := range f.Arms {
		a := &f.Arms[i]
		// Wider than basis points are, so that a number beyond them is refused and not cut off.
		if a.ShareBps < 0 || a.ShareBps > Buckets {
			return refuse(fmt.Sprintf("%s.arms[%d].share_bps", place, i), a.ShareBps, "1 to %d", Buckets)
		}
		e.Arms[i] = Arm{Name: a.Name, Share: fund.BasisPoints(a.ShareBps), Control: a.Control, Model: a.Model}
		if x := a.Exploration; x != nil {
			if x.ProbabilityBps < 0 || x.ProbabilityBps > slate.MaxExploration {
				return refuse(fmt.Sprintf("%s.arms[%d].exploration.probability_bps", place, i), x.ProbabilityBps, "0 to %d", slate.MaxExploration)
			}
			e.Arms[i].Explore = &slate.Exploration{Probability: fund.BasisPoints(x.ProbabilityBps), Next: x.Next, MaxGap: x.MaxGap}
		}
	}
	return nil
}

// midnight reads a day, YYYY-MM-DD, as its first instant in Asia/Shanghai.
func midnight(place, text string) (fund.Instant, error) {
	day, err := fund.ParseDate(text)
	if err != nil || day == 0 {
		return 0, refuse(place, text, "a day such as 2026-12-01, from whose 00:00 in Asia/Shanghai on")
	}
	return day.Start(), nil
}
