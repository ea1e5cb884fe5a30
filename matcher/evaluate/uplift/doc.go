// Package uplift says whether a model that forecasts what a treatment changes puts those first whom it does change: Qini
// and uplift curves and their normalised areas, as scikit-uplift has them. It is pure; State is the streaming form.
package uplift

import "errors"

// The errors of this package; each is wrapped with what was given and what was expected.
var (
	ErrData = errors.New("not uplift data")     // lengths that differ, a NaN, a bin that there is not
	ErrArms = errors.New("an arm is empty")     // nobody treated, or nobody not
	ErrFlat = errors.New("nothing to be found") // the best order is as good as chance: no area to compare with
)
