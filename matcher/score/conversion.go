package score

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score/logit"
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
	Fit         logit.Model // its terms are named as inputs, in their order
	Calibration logit.Calibration
	inputs      []ConversionInput // of each term
}

// NewConversion puts a fit and its calibration together. Errors wrap ErrModel and name the
// place, the value and what was expected; ErrForbiddenInput where an input is one that F04
// refuses.
func NewConversion(withinDays int32, fit *logit.Model, c *logit.Calibration) (*Conversion, error) {
	m := &Conversion{WithinDays: withinDays, Fit: *fit, Calibration: *c}
	if withinDays < 1 || withinDays > maxWithinDays {
		return nil, fmt.Errorf("%w: conversion: withinDays %d, expected 1 to %d", ErrModel, withinDays, maxWithinDays)
	}
	if err := fit.Validate(); err != nil {
		return nil, fmt.Errorf("%w: conversion: fit: %w", ErrModel, err)
	}
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("%w: conversion: calibration: %w", ErrModel, err)
	}
	if err := m.readInputs(); err != nil {
		return nil, err
	}
	return m, nil
}

func (m *Conversion) readInputs() error {
	for i := range m.Fit.Terms {
		term := m.Fit.Terms[i].Name
		if err := CheckInput(term); err != nil {
			return fmt.Errorf("%w: conversion: fit.terms[%d]: %w", ErrModel, i, err)
		}
		place, known := indexOf(conversionInputNames[:], term)
		switch {
		case !known:
			return fmt.Errorf("%w: conversion: fit.terms[%d]: %.80q, expected one of %s", ErrModel, i, term, strings.Join(conversionInputNames[:], " "))
		case i > 0 && m.inputs[i-1] >= ConversionInput(place):
			return fmt.Errorf("%w: conversion: fit.terms[%d]: %s stands twice or out of order", ErrModel, i, term)
		}
		m.inputs = append(m.inputs, ConversionInput(place))
	}
	return nil
}

// Inputs returns what the model reads, in order. It must not be changed.
func (m *Conversion) Inputs() []ConversionInput { return m.inputs }

// LogOdds returns the linear predictor, added in the order of the terms; false: it is not
// finite, and nothing is known.
func (m *Conversion) LogOdds(in *ConversionInputs) (float64, bool) {
	var x ConversionInputs
	for i, input := range m.inputs {
		x[i] = in[input]
	}
	return m.Fit.LogOdds(x[:len(m.inputs)])
}

// Probability returns the calibrated probability in millionths, the zero Measure where
// nothing is known: what is served and recorded is a whole number, so that no platform's last
// digit shows in it.
func (m *Conversion) Probability(in *ConversionInputs) fund.Measure {
	z, ok := m.LogOdds(in)
	if !ok {
		return fund.Measure{}
	}
	return fund.Measure{Value: fund.RatioOf(m.Calibration.Apply(z)), OK: true}
}

// Limits of a conversion model.
const (
	maxConversionBytes = 1 << 20
	maxWithinDays      = 365
	conversionSchema   = "fundmatch.conversion/v1"
)

// conversionFile is the model as it is written.
type conversionFile struct {
	Schema      string             `json:"schema"`
	Definition  string             `json:"definition"`
	WithinDays  int32              `json:"withinDays"`
	Fit         *logit.Model       `json:"fit"`
	Calibration *logit.Calibration `json:"calibration"`
}

// Encode writes the model as ParseConversion reads it: one line of JSON, the same bytes for
// the same model.
func (m *Conversion) Encode() ([]byte, error) {
	data, err := json.Marshal(conversionFile{conversionSchema, ConversionDefinition, m.WithinDays, &m.Fit, &m.Calibration})
	if err != nil {
		return nil, fmt.Errorf("%w: conversion: %w", ErrModel, err)
	}
	return append(data, '\n'), nil
}

// ParseConversion reads what Encode writes. Errors are those of NewConversion, and ErrModel
// for what is no such document.
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
	switch {
	case f.Schema != conversionSchema:
		return nil, fmt.Errorf("%w: conversion: schema %.80q, expected %q", ErrModel, f.Schema, conversionSchema)
	case f.Definition != ConversionDefinition:
		return nil, fmt.Errorf("%w: conversion: definition %.80q, expected %q: the coefficients are of other inputs", ErrModel, f.Definition, ConversionDefinition)
	case f.Fit == nil:
		return nil, fmt.Errorf("%w: conversion: fit is missing", ErrModel)
	case f.Calibration == nil:
		return nil, fmt.Errorf("%w: conversion: calibration is missing", ErrModel)
	}
	return NewConversion(f.WithinDays, f.Fit, f.Calibration)
}
