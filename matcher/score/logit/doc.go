// Package logit says how likely something is to happen: a logistic regression, the
// calibration that follows it, and the measures that tell whether its probabilities may be
// believed. Models are fitted offline and served as a plain dot product.
//
// Everything gives the same bits for any number of workers, and what is served, Predict
// and Apply, on every platform: products are rounded before they are added, and the
// exponential function is this package's own.
package logit
