package logit

// Trial is what one calibration came to on rows that it was not fitted on.
type Trial struct {
	Method  Method  `json:"method" yaml:"method"`
	Brier   float64 `json:"brier" yaml:"brier"`     // mean squared error of the probability
	Refused string  `json:"refused" yaml:"refused"` // why it could not be fitted; else empty
	Chosen  bool    `json:"chosen" yaml:"chosen"`
}

// Choose fits each method on one half of the calibration rows, takes that of the smallest
// Brier score on the other, and fits it again on both. A method that can do less wins a
// tie: none, then Platt, then isotonic. The rows are those of neither the model's fit nor
// its assessment, and a customer belongs into one half only.
// Errors: those of Isotonic and Platt that all rows have: ErrTooFew, ErrOneClass, ErrNotFinite.
func Choose(fit, held []Scored) (*Calibration, []Trial, error) {
	if err := checkScored(fit); err != nil {
		return nil, nil, err
	}
	if err := checkScored(held); err != nil {
		return nil, nil, err
	}
	methods := [...]func([]Scored) (*Calibration, error){asIs, Platt, Isotonic}
	names := [...]Method{Uncalibrated, PlattScaling, IsotonicSteps}
	trials := make([]Trial, len(methods))
	best := 0
	for i, method := range methods {
		trials[i].Method = names[i]
		c, err := method(fit)
		if err != nil {
			trials[i].Refused = err.Error()
			continue
		}
		trials[i].Brier = brierOf(c, held)
		if trials[i].Brier < trials[best].Brier {
			best = i
		}
	}
	trials[best].Chosen = true
	all := append(append(make([]Scored, 0, len(fit)+len(held)), fit...), held...)
	c, err := methods[best](all)
	if err != nil {
		return nil, nil, err
	}
	return c, trials, nil
}

// asIs keeps the model's probability.
func asIs(rows []Scored) (*Calibration, error) {
	return calibrationOf(Uncalibrated, len(rows)), checkScored(rows)
}

// brierOf returns the mean squared error of the calibrated probabilities.
func brierOf(c *Calibration, rows []Scored) float64 {
	var sum float64
	for _, r := range rows {
		d := c.Apply(r.LogOdds)
		if r.Happened {
			d = 1 - d
		}
		sum += float64(d * d)
	}
	return sum / float64(len(rows))
}
