package uplift

import (
	"encoding/json"
	"fmt"
	"slices"
)

// MaxBins bounds a state.
const MaxBins = 10_000

// State counts observations in bins of equal width over forecasts from -1 to 1. It does not grow with them. Forecasts of
// one bin count as equal.
type State struct{ bins []Group }

// NewState has so many bins, 1 to MaxBins.
// Errors: ErrData.
func NewState(bins int) (*State, error) {
	if bins < 1 || bins > MaxBins {
		return nil, fmt.Errorf("%w: %d bins, expected 1 to %d", ErrData, bins, MaxBins)
	}
	return &State{bins: make([]Group, bins)}, nil
}

// Add adds an observation whose forecast is from -1 to 1. Its bin is min(floor((u + 1)/2 B), B - 1).
// Errors: ErrData, and the state is as before.
func (s *State) Add(o Observation) error {
	if !(o.Uplift >= -1 && o.Uplift <= 1) {
		return fmt.Errorf("%w: forecast %v, expected -1 to 1", ErrData, o.Uplift)
	}
	s.bins[min(int((o.Uplift+1)/2*float64(len(s.bins))), len(s.bins)-1)].add(o.Treated, o.Happened)
	return nil
}

// Merge adds the observations of another state with as many bins: what comes out is exactly that of all.
// Errors: ErrData, and the state is as before.
func (s *State) Merge(o *State) error {
	if len(o.bins) != len(s.bins) {
		return fmt.Errorf("%w: %d bins, expected %d as in the other state", ErrData, len(o.bins), len(s.bins))
	}
	for i, g := range o.bins {
		s.bins[i].plus(g)
	}
	return nil
}

// Groups are the bins, the highest forecast first, for QiniCurve, Curve, Qini and AUUC.
func (s *State) Groups() []Group {
	out := slices.Clone(s.bins)
	slices.Reverse(out)
	return out
}

// MarshalJSON writes the bins, the lowest forecast first.
func (s *State) MarshalJSON() ([]byte, error) { return json.Marshal(s.bins) }

// UnmarshalJSON reads what MarshalJSON wrote, and refuses what no observations add up to.
// Errors: ErrData, those of encoding/json.
func (s *State) UnmarshalJSON(data []byte) error {
	var bins []Group
	if err := json.Unmarshal(data, &bins); err != nil {
		return err
	}
	if len(bins) < 1 || len(bins) > MaxBins {
		return fmt.Errorf("%w: %d bins, expected 1 to %d", ErrData, len(bins), MaxBins)
	}
	for i, g := range bins {
		if g.TreatedEvents < 0 || g.ControlEvents < 0 || g.TreatedEvents > g.Treated || g.ControlEvents > g.Control {
			return fmt.Errorf("%w: bin %d has more events than customers", ErrData, i+1)
		}
	}
	s.bins = bins
	return nil
}
