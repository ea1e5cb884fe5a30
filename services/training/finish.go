package training

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/score/logit"
	"github.com/fundmatch/fundmatch/matcher/score/modelfile"
)

// fit fits all there is to fit, and writes the model.
func (r *running) fit(ctx context.Context, g *gathered) (*Result, error) {
	affinity := func(_ *gathered, sections map[string][]byte) error { return r.addAffinity(ctx, sections) }
	steps := []func(*gathered, map[string][]byte) error{r.addConversion, r.addWeights, r.addAmount, r.addHolding, affinity}
	r.describe(g)
	sections := map[string][]byte{}
	for i, step := range steps {
		r.tell(Fit, int64(i), int64(len(steps)))
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		switch err := step(g, sections); {
		case errors.Is(err, errTooLittle):
			r.report.Notices = append(r.report.Notices, err.Error())
		case err != nil:
			return nil, err
		}
	}
	r.tell(Fit, int64(len(steps)), int64(len(steps)))
	return r.finish(sections)
}

// describe says what the model is made from.
func (r *running) describe(g *gathered) {
	s, c := &r.survey, r.cuts()
	r.report = Report{
		Schema: ReportSchema, Name: strings.TrimSuffix(r.base.Name, trainedSuffix) + trainedSuffix, Version: r.base.Version,
		Training: modelfile.Window{From: s.from.String(), Through: s.through.String(), Rows: g.counts.Examples, DataHash: g.dataHash},
		Cuts:     ReportCuts{c.calibrate.Date().String(), c.judge.Date().String()},
		Counts:   g.counts, Chosen: r.Options.Weights, Weights: []Weight{}, Pairs: int64(len(g.pairs)), Notices: []string{},
		Outcome: r.toldOutcome,
	}
	if r.base.Name == r.report.Name {
		r.report.Version++ // trained again
	}
}

// trainedSuffix tells a trained model from the one that comes with the program, which a
// newer program replaces by itself.
const trainedSuffix = "-trained"

func (r *running) addConversion(g *gathered, sections map[string][]byte) error {
	model, told, err := r.fitConversion(g.examples)
	if err != nil {
		return err
	}
	r.report.Conversion = told
	sections[modelfile.SectionConversion], err = model.Encode()
	return err
}

func (r *running) addWeights(g *gathered, _ map[string][]byte) (err error) {
	weights, err := r.fitWeights(g.pairs)
	if err != nil {
		if r.Options.Weights == Fitted && errors.Is(err, errTooLittle) {
			return fmt.Errorf("%w: weights %s: %s", ErrOptions, Fitted, err.Error()) // what was asked for cannot be had
		}
		return err
	}
	r.report.Weights = weights
	return nil
}

func (r *running) addAmount(g *gathered, _ map[string][]byte) (err error) {
	r.report.Amount, err = r.fitAmount(g.examples)
	return err
}

func (r *running) addHolding(g *gathered, _ map[string][]byte) (err error) {
	r.report.Holding, err = r.fitHolding(g.holdings)
	return err
}

// finish writes the file, and reads it back: nothing leaves that a program would refuse.
func (r *running) finish(sections map[string][]byte) (*Result, error) {
	yaml, err := r.settings()
	if err != nil {
		return nil, err
	}
	sections[modelfile.SectionModel] = yaml
	file := modelfile.File{Sections: sections, Manifest: modelfile.Manifest{
		Name: r.report.Name, Version: r.report.Version, Code: r.Version, Features: r.terms(), Training: r.report.Training,
		Validation: r.figures(),
	}}
	data, err := modelfile.Encode(file)
	if err != nil {
		return nil, err
	}
	if _, err := score.ParseModel(data); err != nil {
		return nil, fmt.Errorf("the model that was trained: %w", err)
	}
	sum := sha256.Sum256(data)
	r.report.ID = hex.EncodeToString(sum[:])
	return &Result{Model: data, Report: r.report}, nil
}

// terms are the features with the versions of their definitions. A manifest names each once,
// so the inputs of the conversion stand under names of their own.
func (r *running) terms() []modelfile.Term {
	terms := make([]modelfile.Term, 0, int(score.Features)+int(score.ConversionInputCount))
	for f := range score.Features {
		terms = append(terms, modelfile.Term{Name: f.String(), Definition: "behaviour/" + behaviour.DefinitionVersion})
	}
	if r.report.Conversion != nil {
		for _, t := range r.report.Conversion.Fit.Terms {
			terms = append(terms, modelfile.Term{
				Name: "CONVERSION." + t.Name, Definition: score.ConversionDefinition + ", behaviour/" + behaviour.DefinitionVersion,
			})
		}
	}
	return terms
}

// figures are those of the validation.
func (r *running) figures() []modelfile.Figure {
	c := r.report.Conversion
	if c == nil {
		return nil
	}
	a := c.Assessment
	interval := func(name string, i logit.Interval) modelfile.Figure {
		return modelfile.Figure{Name: name, Value: i.Value, Low: &i.Low, High: &i.High}
	}
	plain := func(name string, v float64) modelfile.Figure { return modelfile.Figure{Name: name, Value: v} }
	return []modelfile.Figure{
		plain("conversion.held_out.rows", float64(a.Rows)), plain("conversion.held_out.events", float64(a.Events)),
		plain("conversion.brier", a.Brier), interval("conversion.brier_skill", a.Skill),
		interval("conversion.slope", a.Lines[0].Slope), interval("conversion.intercept", a.Lines[0].Intercept),
		plain("conversion.log_loss", a.LogLoss), plain("conversion.ece", a.ECE),
	}
}

// settings are the base's with the model's name and version, and the fitted weights where
// those were chosen. The file is edited as text, so that its comments and reasons stay, and
// read again to see that it says what was meant.
func (r *running) settings() ([]byte, error) {
	text, err := replaceOne(string(r.yaml), regexp.MustCompile(`(?m)^name:.*$`), "name: "+r.report.Name)
	if err != nil {
		return nil, err
	}
	if text, err = replaceOne(text, regexp.MustCompile(`(?m)^version:.*$`), "version: "+strconv.Itoa(r.report.Version)); err != nil {
		return nil, err
	}
	if text, err = r.withOutcome(text); err != nil {
		return nil, err
	}
	wanted := r.base.Weights
	if r.Options.Weights == Fitted {
		for f := range score.Features {
			wanted[f] = r.report.Weights[f].Fitted
			line := regexp.MustCompile(`(?m)^(\s*- feature: ` + f.String() + `\s*\n\s*weight:).*$`)
			if text, err = replaceOne(text, line, "${1} "+strconv.FormatFloat(wanted[f], 'g', -1, 64)); err != nil {
				return nil, err
			}
		}
		text = "# Weights fitted on " + r.report.Training.From + " to " + r.report.Cuts.Calibrate + "; the reasons are those of the features.\n" + text
	}
	m, err := score.ParseModel([]byte(text))
	if err != nil {
		return nil, err
	}
	if m.Name != r.report.Name || m.Version != r.report.Version || !slices.Equal(m.Weights[:], wanted[:]) {
		return nil, fmt.Errorf("%w: name, version and weights of the base are not written as one line each", score.ErrModel)
	}
	return []byte(text), nil
}

func replaceOne(text string, line *regexp.Regexp, with string) (string, error) {
	if n := len(line.FindAllStringIndex(text, 2)); n != 1 {
		return "", fmt.Errorf("%w: %d lines %q in the base, expected one", score.ErrModel, n, line)
	}
	return line.ReplaceAllString(text, with), nil
}
