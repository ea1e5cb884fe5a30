// Package calibration says what forecast probabilities were worth once it was known what happened: Brier score, log loss,
// RMSE, AUC, calibration error and the reliability curve. It is pure and streaming: add a forecast, merge two states, read
// the result.
package calibration

import "errors"

// The errors of this package; each is wrapped with what was given and what was expected.
var (
	ErrForecast = errors.New("not a forecast")   // a probability that is not from 0 to 1
	ErrBins     = errors.New("wrong bins")       // a number of bins, or states whose bins differ
	ErrOneClass = errors.New("one outcome only") // AUC ranks what happened before what did not
	ErrEmpty    = errors.New("no forecasts")
)
