package training

import (
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/score/modelfile"
)

// Report tells what was learnt, from what, and how well it holds.
type Report struct {
	Model      string           `json:"model"`
	Training   modelfile.Window `json:"training"`
	Counts     Counts           `json:"counts"`
	Conversion *Conversion      `json:"conversion"` // null: not fitted; Notices say why
	Weights    []Weight         `json:"weights"`
	Amount     *score.Linear    `json:"amount"`
	Holding    *score.Linear    `json:"holding"`
	Notices    []string         `json:"notices"`
}

// Counts says what became of the exposures.
type Counts struct {
	Customers int64 `json:"customers"`
	Exposures int64 `json:"exposures"`
}

// Conversion is how well the probability holds on what was held out.
type Conversion struct{}

// Weight is one weight of the score, judged and fitted.
type Weight struct {
	Feature       string  `json:"feature"`
	Judged        float64 `json:"judged"`
	Fitted        float64 `json:"fitted"`
	StandardError float64 `json:"standardError"`
	Bound         string  `json:"bound"` // why it is not what the fit says: SIGN, PROTECTED; "": it is
}
