package policy

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"
	"sync"

	"github.com/fundmatch/fundmatch/matcher/evaluate/draw"
)

// RewardModel says what the mean reward q is taken over.
type RewardModel string

// The reward models.
const (
	ModelAction         RewardModel = "action"          // q(a): of a product, wherever it stood
	ModelActionPosition RewardModel = "action-position" // q(a, k): of a product at a position
	ModelNone           RewardModel = "none"            // no model is kept, and dm, dr, sndr, switch_dr, dros are not given
)

// Limits of settings.
const (
	MaxReplicates = 10_000
	MaxCutoff     = 1_000
)

// Settings are what an evaluation is asked. States of different settings do not merge.
type Settings struct {
	Clip         float64     `json:"clip"`          // L of clipped IPS, above 0
	SwitchLambda float64     `json:"switch_lambda"` // the residual is kept up to this weight, above 0
	DRosLambda   float64     `json:"dros_lambda"`   // above 0
	RewardModel  RewardModel `json:"reward_model"`
	// Target is the policy that is judged, where it is given instead of the log's column. Without it there is no
	// reward model: a row's own target propensity does not say what the target would have done with other products.
	Target     *Target `json:"target,omitempty"`
	MinESS     float64 `json:"min_ess"`     // with less the verdict is withheld
	ListCutoff int     `json:"list_cutoff"` // k of nDCG@k; 0: no list measures
	Slates     bool    `json:"slates"`      // estimators of whole lists; they take twice the time of all others
	Replicates int     `json:"replicates"`  // of the bootstrap by customer; 0: none
	Seed       uint64  `json:"seed"`        // of its draws
}

// DefaultSettings are the contract's; without slates.
func DefaultSettings() Settings {
	return Settings{
		Clip: 10, SwitchLambda: 5, DRosLambda: 10, RewardModel: ModelAction,
		MinESS: 100, ListCutoff: 10, Seed: 1,
	}
}

// SettingsError is a setting out of its bounds.
type SettingsError struct {
	Setting string // its JSON name
	Value   string
	Want    string
}

func (e *SettingsError) Error() string {
	return fmt.Sprintf("setting %s is %s, expected %s", e.Setting, e.Value, e.Want)
}

// Validate returns a *SettingsError about the first setting that is out of its bounds.
func (s *Settings) Validate() error {
	for _, v := range []struct {
		name  string
		value float64
	}{{"clip", s.Clip}, {"switch_lambda", s.SwitchLambda}, {"dros_lambda", s.DRosLambda}} {
		if !(v.value > 0 && v.value <= math.MaxFloat32) {
			return &SettingsError{v.name, fmt.Sprint(v.value), "a number above 0"}
		}
	}
	switch s.RewardModel {
	case ModelAction, ModelActionPosition, ModelNone:
	default:
		return &SettingsError{"reward_model", fmt.Sprintf("%q", string(s.RewardModel)), "action, action-position or none"}
	}
	if !(s.MinESS >= 0 && s.MinESS <= math.MaxFloat64) {
		return &SettingsError{"min_ess", fmt.Sprint(s.MinESS), "a number of 0 or more"}
	}
	if s.ListCutoff < 0 || s.ListCutoff > MaxCutoff {
		return &SettingsError{"list_cutoff", fmt.Sprint(s.ListCutoff), fmt.Sprintf("0 to %d", MaxCutoff)}
	}
	if s.Replicates != 0 && (s.Replicates < 2 || s.Replicates > MaxReplicates) {
		return &SettingsError{"replicates", fmt.Sprint(s.Replicates), fmt.Sprintf("0, or 2 to %d", MaxReplicates)}
	}
	return nil
}

// plan is what follows from settings, made once and shared by all states of an evaluation. But for idle memory it never changes.
type plan struct {
	Settings
	digest [sha256.Size]byte // of the settings' JSON, which is the same for the same settings
	steps  []float64         // the weights that part the bands, ascending
	logs   []float64         // at i: log2(i+2), what a gain at position i+1 is divided by
	cells  bool              // a reward model is kept
	table  draw.Poisson      // the bootstrap's
	keys   []uint64          // the bootstrap's: of each replicate
	idle   sync.Pool         // of *work
}

func newPlan(settings *Settings) (*plan, error) {
	if err := settings.Validate(); err != nil {
		return nil, err
	}
	text, err := json.Marshal(settings)
	if err != nil {
		return nil, err
	}
	p := &plan{Settings: *settings, digest: sha256.Sum256(text), steps: steps(settings.Clip)}
	p.cells = settings.Target != nil && settings.RewardModel != ModelNone
	for i := range settings.ListCutoff {
		p.logs = append(p.logs, math.Log2(float64(i+2)))
	}
	p.table = draw.NewPoisson()
	for r := range settings.Replicates {
		p.keys = append(p.keys, draw.Key(settings.Seed, r))
	}
	return p, nil
}
