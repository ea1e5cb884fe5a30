package calibration

import (
	"encoding/json"
	"fmt"
	"math"
)

// MaxBins bounds a state.
const MaxBins = 10_000

// State sums forecasts in bins of equal width over the probabilities. It does not grow with them.
type State struct {
	bins    []sums
	squares float64 // of p - y
	losses  float64
}

// sums are those of a bin.
type sums struct {
	Rows        int64   `json:"rows"`
	Events      int64   `json:"events"`
	Probability float64 `json:"probability"`
}

// NewState has so many bins, 1 to MaxBins.
// Errors: ErrBins.
func NewState(bins int) (*State, error) {
	if bins < 1 || bins > MaxBins {
		return nil, fmt.Errorf("%w: %d, expected 1 to %d", ErrBins, bins, MaxBins)
	}
	return &State{bins: make([]sums, bins)}, nil
}

// leastChance is the least probability that log loss takes anything to have had: one forecast that was certain and wrong
// must not hide all others behind an infinity (scikit-learn's eps for float64).
const leastChance = 0x1p-52

// Add adds a forecast and whether it happened. Its bin is min(floor(p B), B - 1).
// Errors: ErrForecast, and the state is as before.
func (s *State) Add(p float64, happened bool) error {
	if !(p >= 0 && p <= 1) {
		return fmt.Errorf("%w: probability %v, expected 0 to 1", ErrForecast, p)
	}
	b := &s.bins[min(int(p*float64(len(s.bins))), len(s.bins)-1)]
	b.Rows++
	b.Probability += p
	given := 1 - p
	if happened {
		b.Events++
		given = p
	}
	s.squares += float64((1 - given) * (1 - given))
	s.losses -= math.Log(min(max(given, leastChance), 1-leastChance))
	return nil
}

// Merge adds the forecasts of another state with as many bins.
// Errors: ErrBins, and the state is as before.
func (s *State) Merge(o *State) error {
	if len(o.bins) != len(s.bins) {
		return fmt.Errorf("%w: %d, expected %d as in the other state", ErrBins, len(o.bins), len(s.bins))
	}
	for i, b := range o.bins {
		s.bins[i].Rows += b.Rows
		s.bins[i].Events += b.Events
		s.bins[i].Probability += b.Probability
	}
	s.squares += o.squares
	s.losses += o.losses
	return nil
}

// stateJSON is the exact form of a state.
type stateJSON struct {
	Bins    []sums  `json:"bins"`
	Squares float64 `json:"squares"`
	Losses  float64 `json:"losses"`
}

// MarshalJSON writes the state so that it comes back bit for bit.
func (s *State) MarshalJSON() ([]byte, error) {
	return json.Marshal(stateJSON{s.bins, s.squares, s.losses})
}

// UnmarshalJSON reads what MarshalJSON wrote, and refuses what no forecasts add up to.
// Errors: ErrBins, ErrForecast, those of encoding/json.
func (s *State) UnmarshalJSON(data []byte) error {
	var in stateJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	if len(in.Bins) < 1 || len(in.Bins) > MaxBins {
		return fmt.Errorf("%w: %d, expected 1 to %d", ErrBins, len(in.Bins), MaxBins)
	}
	for i, b := range in.Bins {
		if b.Events < 0 || b.Events > b.Rows || !(b.Probability >= 0 && b.Probability <= float64(b.Rows)) {
			return fmt.Errorf("%w: bin %d has %d rows, %d events and the sum %v", ErrForecast, i+1, b.Rows, b.Events, b.Probability)
		}
	}
	if !(in.Squares >= 0 && in.Losses >= 0) {
		return fmt.Errorf("%w: sums %v and %v, expected 0 or more", ErrForecast, in.Squares, in.Losses)
	}
	s.bins, s.squares, s.losses = in.Bins, in.Squares, in.Losses
	return nil
}
