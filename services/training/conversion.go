package training

import (
	"errors"
	"fmt"

	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/score/logit"
)

// Conversion is how well the probability holds for customers and days that it was not made
// from.
type Conversion struct {
	WithinDays int32             `json:"withinDays"`
	Fit        *logit.Model      `json:"fit"`
	Trials     []logit.Trial     `json:"calibrations"`
	Assessment *logit.Assessment `json:"heldOut"`
	Segments   []logit.Line      `json:"segments"` // by channel, level, and whether it was a new issue
}

// conversionRidge is one row's worth for each input: nothing to speak of among thousands, and
// enough where an input hardly varies. It was set before the first fit.
const conversionRidge = 1

// The least of examples, with an order and without, that a period must have.
const (
	leastFitted     = 200
	leastCalibrated = 50
	leastJudged     = 50
)

// errTooLittle: nothing is wrong, but there is too little to learn from. The model goes
// without, and a notice says so.
var errTooLittle = errors.New("too little history")

// fitConversion fits on the first period, calibrates on the second, and judges on the third
// once: nothing is chosen by what it says. Errors: errTooLittle.
func (r *running) fitConversion(examples []example) (*score.Conversion, *Conversion, error) {
	if r.tooShort() {
		c := r.cuts()
		return nil, nil, fmt.Errorf("%w: %s to %s with cuts at %s and %s leaves less than the %d days that an order is given",
			errTooLittle, r.survey.from, r.survey.through, c.calibrate.Date(), c.judge.Date(), r.Options.WithinDays)
	}
	p := r.split(examples)
	if err := p.enough(examples); err != nil {
		return nil, nil, err
	}
	fit, err := r.fitLogit(examples, p.fit)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: conversion: %w", errTooLittle, err)
	}
	// The clip of an uncalibrated model needs rows; all of the fit's own serve until there are others.
	raw, err := score.NewConversion(r.Options.WithinDays, fit, uncalibrated(fit))
	if err != nil {
		return nil, nil, err
	}
	calibration, trials, err := logit.Choose(scored(raw, examples, p.calibrate[0]), scored(raw, examples, p.calibrate[1]))
	if err != nil {
		return nil, nil, fmt.Errorf("%w: calibration: %w", errTooLittle, err)
	}
	model, err := score.NewConversion(r.Options.WithinDays, fit, calibration)
	if err != nil {
		return nil, nil, err
	}
	told := &Conversion{WithinDays: r.Options.WithinDays, Fit: fit, Trials: trials}
	if err := r.judge(model, examples, p.judge, told); err != nil {
		return nil, nil, fmt.Errorf("%w: held out: %w", errTooLittle, err)
	}
	return model, told, nil
}

// enough refuses periods that are too thin to be believed.
func (p *periods) enough(examples []example) error {
	for _, period := range [...]struct {
		name   string
		places []int
		least  int
	}{
		{"fitting", p.fit, leastFitted},
		{"calibrating, first half of the customers", p.calibrate[0], leastCalibrated},
		{"calibrating, second half of the customers", p.calibrate[1], leastCalibrated},
		{"judging", p.judge, leastJudged},
	} {
		orders := 0
		for _, i := range period.places {
			if examples[i].converted {
				orders++
			}
		}
		if others := len(period.places) - orders; orders < period.least || others < period.least {
			return fmt.Errorf("%w: %s: %d examples with an order and %d without, expected at least %d of each",
				errTooLittle, period.name, orders, others, period.least)
		}
	}
	return nil
}

// fitLogit fits the inputs that vary: one that never does tells nothing.
func (r *running) fitLogit(examples []example, places []int) (*logit.Model, error) {
	var inputs []score.ConversionInput
	var columns []logit.Column
	for input := range score.ConversionInputCount {
		first := examples[places[0]].inputs[input]
		for _, i := range places {
			if examples[i].inputs[input] != first {
				inputs = append(inputs, input)
				columns = append(columns, logit.Column{Name: input.String()})
				break
			}
		}
	}
	rows, err := logit.NewRows(columns)
	if err != nil {
		return nil, err
	}
	row := make([]float64, len(inputs))
	for _, i := range places {
		for k, input := range inputs {
			row[k] = examples[i].inputs[input]
		}
		if err := rows.Add(examples[i].converted, row); err != nil {
			return nil, err
		}
	}
	return logit.Fit(rows, logit.Options{Ridge: conversionRidge, Workers: r.Options.Workers})
}

func uncalibrated(fit *logit.Model) *logit.Calibration {
	least := .5 / float64(fit.Rows+1)
	return &logit.Calibration{Method: logit.Uncalibrated, Least: least, Most: 1 - least, Rows: fit.Rows}
}

func scored(m *score.Conversion, examples []example, places []int) []logit.Scored {
	out := make([]logit.Scored, 0, len(places))
	for _, i := range places {
		if z, ok := m.LogOdds(&examples[i].inputs); ok {
			out = append(out, logit.Scored{LogOdds: z, Happened: examples[i].converted})
		}
	}
	return out
}

// segments are by what the line of each is drawn. Whether it was a new issue is no input: the
// line shows what leaving it out costs.
func (x *example) segments() [3]string {
	out := [3]string{"APP", x.level.String(), "EXISTING"}
	if x.branch {
		out[0] = "BRANCH"
	}
	if x.newIssue {
		out[2] = "NEW_ISSUE"
	}
	return out
}

// judge measures the probabilities that would have been served.
func (r *running) judge(m *score.Conversion, examples []example, places []int, out *Conversion) (err error) {
	forecasts := make([]logit.Forecast, 0, len(places))
	kept := make([]int, 0, len(places))
	for _, i := range places {
		x := &examples[i]
		if p := m.Probability(&x.inputs); p.OK && p.Value > 0 && p.Value < 1e6 {
			forecasts = append(forecasts, logit.Forecast{
				Customer: r.survey.customers[x.customer], Probability: p.Value.Float(), Happened: x.converted,
			})
			kept = append(kept, i)
		}
	}
	options := logit.AssessOptions{Workers: r.Options.Workers}
	if out.Assessment, err = logit.Assess(forecasts, options); err != nil {
		return err
	}
	options.Replicates = 100 // only the lines are read, which need none
	for by := range examples[0].segments() {
		for k, i := range kept {
			forecasts[k].Segment = examples[i].segments()[by]
		}
		a, err := logit.Assess(forecasts, options)
		if err != nil {
			return err
		}
		out.Segments = append(out.Segments, a.Lines[1:]...)
	}
	return nil
}
