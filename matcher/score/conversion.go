package score

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// ConversionInput is one thing that the probability of conversion is read from. All are
// facts about the customer, the product and what passed between them before the instant
// asked about. None says what the seller earns (F04), and none whether the product is a new
// issue: that these were pushed in the past must not become a reason to push them.
type ConversionInput uint8

// The inputs, in the order in which they are added up. The first nine are the values of the
// score's features; docs/training.md defines all of them.
const (
	InputAffinity ConversionInput = iota
	InputGoalFit
	InputHorizonFit
	InputLiquidityFit
	InputLossFit
	InputQuality
	InputCost
	InputPopularity
	InputObjected
	InputBranch          // 1: asked in the branch
	InputHeld            // 1: he has the fund
	InputShown           // how lately he was shown the product: 1 / (1 + days / 7); 0: never
	InputViewed          // how lately he read its page
	InputStarted         // how lately he began an order of it, or left one
	InputBought          // how lately an order of it was confirmed, with 30 days in place of 7
	InputDoubts          // doubts that he raised about it within 180 days: at most 3
	InputShowings        // log(1 + exposures of whatever product within 30 days)
	InputVisits          // log(1 + visits within 90 days)
	InputVisitRecency    // how lately he visited
	InputPurchases       // log(1 + purchases within 365 days)
	InputPurchaseRecency // how lately he bought, with 30 days in place of 7
	InputContacts        // log(1 + contacts within 30 days)
	InputLevel           // 0 for C1 to 1 for C5
	InputGrade           // 0 for R1 to 1 for R5
	InputMoneyMarket     // 1: of that class
	InputBonds           // 1: SHORT_BOND or BOND
	InputMixed           // 1: MIXED_BOND, BALANCED or FUND_OF_FUNDS
	ConversionInputCount // the number of inputs
)

var conversionInputNames = [ConversionInputCount]string{
	"AFFINITY", "GOAL_FIT", "HORIZON_FIT", "LIQUIDITY_FIT", "LOSS_FIT", "QUALITY", "COST", "POPULARITY", "OBJECTED",
	"BRANCH", "HELD", "SHOWN", "VIEWED", "STARTED", "BOUGHT", "DOUBTS", "SHOWINGS", "VISITS", "VISIT_RECENCY", "PURCHASES",
	"PURCHASE_RECENCY", "CONTACTS", "LEVEL", "GRADE", "MONEY_MARKET", "BONDS", "MIXED",
}

// String returns the input's name.
func (i ConversionInput) String() string {
	if i < ConversionInputCount {
		return conversionInputNames[i]
	}
	return fmt.Sprintf("INPUT_%d", uint8(i))
}

// ConversionDefinition is the version of what the inputs mean. A model of another one is
// refused: its coefficients are about something else.
const ConversionDefinition = "1"

// ConversionInputs are the inputs of one customer and product, by ConversionInput.
type ConversionInputs [ConversionInputCount]float64

// Conversion is a fitted, calibrated probability that an order of the fund is confirmed
// within some days of its being shown to the customer. It is immutable.
type Conversion struct {
	WithinDays  int32
	Intercept   float64
	Terms       []ConversionTerm // by input, each at most once
	Calibration Calibration
}

// ConversionTerm is one input with its coefficient, per unit of the input. Mean and Scale are
// those of the training examples: Coefficient * Scale compares inputs with each other.
type ConversionTerm struct {
	Input       ConversionInput
	Coefficient float64
	Mean, Scale float64
}

// Calibration turns a linear predictor into a probability. With knots it is isotonic: linear
// between them and flat outside. Without, it is Platt's (1999): the logistic function of
// Slope * z + Intercept; slope 1 and intercept 0 leave the fit as it is.
type Calibration struct {
	Slope, Intercept float64
	Knots            []Knot // of At rising, of Probability not falling; none: Platt's
}

// Knot is one point of an isotonic calibration.
type Knot struct {
	At          float64 `json:"at"` // linear predictor
	Probability float64 `json:"probability"`
}

// Linear returns the linear predictor z, added in the order of the terms.
func (m *Conversion) Linear(in *ConversionInputs) float64 {
	z := m.Intercept
	for i := range m.Terms {
		t := &m.Terms[i]
		z += float64(t.Coefficient * in[t.Input])
	}
	return z
}

// Probability returns the calibrated probability in millionths: what is served and recorded
// is a whole number, so that no platform's last digit shows in it.
func (m *Conversion) Probability(in *ConversionInputs) fund.Ratio {
	return fund.Ratio(math.Round(float64(m.Calibration.Of(m.Linear(in)) * 1e6)))
}

// Of returns the probability of a linear predictor.
func (c *Calibration) Of(z float64) float64 {
	n := len(c.Knots)
	if n == 0 {
		return 1 / (1 + math.Exp(-(float64(c.Slope*z) + c.Intercept)))
	}
	i, _ := slices.BinarySearchFunc(c.Knots, z, func(k Knot, z float64) int {
		if k.At <= z {
			return -1
		}
		return 1
	})
	switch {
	case i == 0:
		return c.Knots[0].Probability
	case i == n:
		return c.Knots[n-1].Probability
	}
	a, b := &c.Knots[i-1], &c.Knots[i]
	return a.Probability + float64((b.Probability-a.Probability)*((z-a.At)/(b.At-a.At)))
}

// Limits of a conversion model.
const (
	maxConversionBytes = 1 << 20
	maxKnots           = 10_000
	maxCoefficient     = 1e6
	maxWithinDays      = 365
	conversionSchema   = "fundmatch.conversion/v1"
)

// conversionFile is the model as it is written.
type conversionFile struct {
	Schema      string               `json:"schema"`
	Definition  string               `json:"definition"`
	WithinDays  int32                `json:"withinDays"`
	Intercept   *float64             `json:"intercept"`
	Inputs      []conversionTermFile `json:"inputs"`
	Calibration *calibrationFile     `json:"calibration"`
}

type conversionTermFile struct {
	Name        string   `json:"name"`
	Coefficient *float64 `json:"coefficient"`
	Mean        *float64 `json:"mean"`
	Scale       *float64 `json:"scale"`
}

type calibrationFile struct {
	Method    string   `json:"method"` // PLATT or ISOTONIC
	Slope     *float64 `json:"slope,omitempty"`
	Intercept *float64 `json:"intercept,omitempty"`
	Knots     []Knot   `json:"knots,omitempty"`
}

// The methods of calibration.
const (
	platt    = "PLATT"
	isotonic = "ISOTONIC"
)

// Encode writes the model as ParseConversion reads it: one line of JSON, the same bytes for
// the same model. Errors wrap ErrModel: of a model that ParseConversion would refuse.
func (m *Conversion) Encode() ([]byte, error) {
	f := conversionFile{Schema: conversionSchema, Definition: ConversionDefinition, WithinDays: m.WithinDays, Intercept: &m.Intercept}
	for i := range m.Terms {
		t := &m.Terms[i]
		f.Inputs = append(f.Inputs, conversionTermFile{t.Input.String(), &t.Coefficient, &t.Mean, &t.Scale})
	}
	f.Calibration = &calibrationFile{Method: isotonic, Knots: m.Calibration.Knots}
	if len(m.Calibration.Knots) == 0 {
		f.Calibration = &calibrationFile{Method: platt, Slope: &m.Calibration.Slope, Intercept: &m.Calibration.Intercept}
	}
	if _, err := f.model(); err != nil {
		return nil, err
	}
	data, err := json.Marshal(&f)
	if err != nil {
		return nil, fmt.Errorf("%w: conversion: %w", ErrModel, err)
	}
	return append(data, '\n'), nil
}

// ParseConversion reads what Encode writes. Errors wrap ErrModel and name the place, the
// value and what was expected; ErrForbiddenInput where an input is one that F04 refuses.
func ParseConversion(data []byte) (*Conversion, error) {
	if len(data) > maxConversionBytes {
		return nil, fmt.Errorf("%w: conversion: %d bytes, expected at most %d", ErrModel, len(data), maxConversionBytes)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var f conversionFile
	if err := d.Decode(&f); err != nil {
		return nil, fmt.Errorf("%w: conversion: byte %d: %w", ErrModel, d.InputOffset(), err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: conversion: byte %d: more than one JSON document", ErrModel, d.InputOffset())
	}
	return f.model()
}

func (f *conversionFile) model() (*Conversion, error) {
	switch {
	case f.Schema != conversionSchema:
		return nil, fmt.Errorf("%w: conversion: schema %.80q, expected %q", ErrModel, f.Schema, conversionSchema)
	case f.Definition != ConversionDefinition:
		return nil, fmt.Errorf("%w: conversion: definition %.80q, expected %q: the coefficients are of other inputs", ErrModel, f.Definition, ConversionDefinition)
	case f.WithinDays < 1 || f.WithinDays > maxWithinDays:
		return nil, fmt.Errorf("%w: conversion: withinDays %d, expected 1 to %d", ErrModel, f.WithinDays, maxWithinDays)
	case len(f.Inputs) == 0:
		return nil, fmt.Errorf("%w: conversion: inputs is empty", ErrModel)
	case f.Calibration == nil:
		return nil, fmt.Errorf("%w: conversion: calibration is missing", ErrModel)
	}
	m := &Conversion{WithinDays: f.WithinDays}
	var err error
	if m.Intercept, err = conversionNumber("intercept", f.Intercept); err != nil {
		return nil, err
	}
	if m.Terms, err = readTerms(f.Inputs); err != nil {
		return nil, err
	}
	m.Calibration, err = f.Calibration.read()
	return m, err
}

func readTerms(inputs []conversionTermFile) ([]ConversionTerm, error) {
	terms := make([]ConversionTerm, 0, ConversionInputCount)
	for i := range inputs {
		in := &inputs[i]
		name := strings.ToUpper(in.Name)
		if slices.ContainsFunc(forbiddenWords[:], func(word string) bool { return strings.Contains(name, word) }) {
			return nil, fmt.Errorf("%w: %w: conversion: input %.80q", ErrModel, ErrForbiddenInput, in.Name)
		}
		place, known := indexOf(conversionInputNames[:], in.Name)
		switch {
		case !known:
			return nil, fmt.Errorf("%w: conversion: inputs[%d]: %.80q, expected one of %s", ErrModel, i, in.Name, strings.Join(conversionInputNames[:], " "))
		case len(terms) > 0 && terms[len(terms)-1].Input >= ConversionInput(place):
			return nil, fmt.Errorf("%w: conversion: inputs[%d]: %s stands twice or out of order", ErrModel, i, in.Name)
		}
		t := ConversionTerm{Input: ConversionInput(place)}
		var err [3]error
		t.Coefficient, err[0] = conversionNumber(in.Name+".coefficient", in.Coefficient)
		t.Mean, err[1] = conversionNumber(in.Name+".mean", in.Mean)
		t.Scale, err[2] = conversionNumber(in.Name+".scale", in.Scale)
		if err := errors.Join(err[:]...); err != nil {
			return nil, err
		}
		if t.Scale < 0 {
			return nil, fmt.Errorf("%w: conversion: %s.scale: %v, expected at least 0", ErrModel, in.Name, t.Scale)
		}
		terms = append(terms, t)
	}
	return terms, nil
}

func (f *calibrationFile) read() (c Calibration, err error) {
	switch f.Method {
	case platt:
		if len(f.Knots) > 0 {
			return c, fmt.Errorf("%w: conversion: calibration.knots: %d of them, expected none with %s", ErrModel, len(f.Knots), platt)
		}
		if c.Slope, err = conversionNumber("calibration.slope", f.Slope); err != nil {
			return c, err
		}
		if c.Slope <= 0 {
			return c, fmt.Errorf("%w: conversion: calibration.slope: %v, expected above 0: a calibration never turns the order about", ErrModel, c.Slope)
		}
		c.Intercept, err = conversionNumber("calibration.intercept", f.Intercept)
		return c, err
	case isotonic:
		if f.Slope != nil || f.Intercept != nil {
			return c, fmt.Errorf("%w: conversion: calibration: slope and intercept are of %s, expected knots alone", ErrModel, platt)
		}
		c.Knots = f.Knots
		return c, checkKnots(f.Knots)
	}
	return c, fmt.Errorf("%w: conversion: calibration.method: %.80q, expected %s or %s", ErrModel, f.Method, platt, isotonic)
}

func checkKnots(knots []Knot) error {
	if len(knots) == 0 || len(knots) > maxKnots {
		return fmt.Errorf("%w: conversion: calibration.knots: %d of them, expected 1 to %d", ErrModel, len(knots), maxKnots)
	}
	for i := range knots {
		k := &knots[i]
		switch {
		case math.IsNaN(k.At) || math.Abs(k.At) > maxCoefficient:
			return fmt.Errorf("%w: conversion: calibration.knots[%d].at: %v, expected a number to %v", ErrModel, i, k.At, maxCoefficient)
		case !(k.Probability >= 0 && k.Probability <= 1):
			return fmt.Errorf("%w: conversion: calibration.knots[%d].probability: %v, expected 0 to 1", ErrModel, i, k.Probability)
		case i > 0 && (k.At <= knots[i-1].At || k.Probability < knots[i-1].Probability):
			return fmt.Errorf("%w: conversion: calibration.knots[%d]: %v, expected above the one before", ErrModel, i, *k)
		}
	}
	return nil
}

// conversionNumber reads a number that has to be there.
func conversionNumber(name string, v *float64) (float64, error) {
	switch {
	case v == nil:
		return 0, fmt.Errorf("%w: conversion: %s is missing", ErrModel, name)
	case math.IsNaN(*v) || math.Abs(*v) > maxCoefficient:
		return 0, fmt.Errorf("%w: conversion: %s: %v, expected a number between -%v and %v", ErrModel, name, *v, maxCoefficient, maxCoefficient)
	}
	return *v, nil
}
