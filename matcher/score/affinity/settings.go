package affinity

import (
	"errors"
	"fmt"
)

// ErrSettings is wrapped by every error about settings; the message names the setting,
// its value and what was expected.
var ErrSettings = errors.New("affinity settings refused")

// Settings shape a model. Default returns those that ship.
type Settings struct {
	// Neighbours is the number of nearest funds kept for each fund.
	Neighbours int `yaml:"neighbours"`
	// MaxBasket is the number of funds above which a customer counts as a holder of each
	// but makes no pairs: he says nothing about taste and costs the square.
	MaxBasket int             `yaml:"max_basket"`
	Backoff   BackoffSettings `yaml:"backoff"`
	Joint     JointSettings   `yaml:"joint"`
	Trend     TrendSettings   `yaml:"trend"`
	Crowd     CrowdSettings   `yaml:"crowd"`
}

// BackoffSettings shrink the shares of thinly held funds towards those of their likes.
type BackoffSettings struct {
	// Holders is the number of imagined holders who hold what holders of the fund's likes
	// do. 0 switches the back-off off.
	Holders float64 `yaml:"holders"`
	// Weights say how much each attribute counts in telling what is alike; they are
	// divided by their sum. An attribute that a fund lacks adds nothing.
	Weights AttributeWeights `yaml:"weights"`
}

// AttributeWeights are one weight for each attribute of an item.
type AttributeWeights struct {
	Kind   float64 `yaml:"kind"`
	Issuer float64 `yaml:"issuer"`
	Theme  float64 `yaml:"theme"`
	Goal   float64 `yaml:"goal"`
	Market float64 `yaml:"market"`
}

func (w *AttributeWeights) list() [attributes]float64 {
	return [attributes]float64{w.Kind, w.Issuer, w.Theme, w.Goal, w.Market}
}

// JointSettings shape the ridge regression of each fund on all others.
type JointSettings struct {
	// Ridge is the penalty, in mean holders of a fund: the same number suits a small bank
	// and a large one.
	Ridge float64 `yaml:"ridge"`
	// Gain is the weight against the mean share, for each fund held beyond the first. 0
	// switches the term off.
	Gain float64 `yaml:"gain"`
	// Funds is the number of most held funds that are regressed; the rest keep their
	// shares alone. The cost is its cube, and what is seldom held has little to overlap.
	Funds int `yaml:"funds"`
}

// TrendSettings say how much of late purchases is believed.
type TrendSettings struct {
	HalfLifeDays float64 `yaml:"half_life_days"`
	// PerFund is the number of imagined purchases a fund, spread as the holders are: few
	// real ones against them change little.
	PerFund float64 `yaml:"per_fund"`
	// Power damps the lift. 0 switches the trend off.
	Power float64 `yaml:"power"`
}

// CrowdSettings say how much is believed of what the customer's likes hold: those with
// about as many funds, those of his group, those of his level.
type CrowdSettings struct {
	// Holdings is the number of imagined holdings, spread as all customers' are, in each
	// crowd.
	Holdings float64 `yaml:"holdings"`
	// Power damps each lift for who holds something. 0 switches them off.
	Power float64 `yaml:"power"`
	// ColdPower damps the lifts of group and level for who holds nothing: he has little
	// else.
	ColdPower float64 `yaml:"cold_power"`
	// ColdStrength is what his affinity counts against that of a holder, 0 to 1.
	ColdStrength float64 `yaml:"cold_strength"`
}

// Default returns the settings that ship. Where each was chosen is in docs/models.md.
func Default() Settings {
	return Settings{
		Neighbours: 200,
		MaxBasket:  500,
		Backoff:    BackoffSettings{Holders: 20, Weights: AttributeWeights{Kind: 1}},
		Joint:      JointSettings{Ridge: 3, Gain: 1. / 12, Funds: 2000},
		Trend:      TrendSettings{HalfLifeDays: 14, PerFund: 2, Power: .3},
		Crowd:      CrowdSettings{Holdings: 100, Power: .15, ColdPower: .5, ColdStrength: .5},
	}
}

// Bounds of settings. Beyond them a model is a mistake rather than a choice.
const (
	maxNeighbours = 5000
	maxPairBasket = 10_000
	maxJointFunds = 8000 // a square of float64: 512 MB
	minImagined   = 1e-3
	maxImagined   = 1e9
	maxPower      = 2
	maxHalfLife   = 3650
)

// number is a setting with its bounds; it points into the settings.
type number struct {
	name      string
	whole     *int     // or
	real      *float64 // one of the two
	low, high float64
}

func (n *number) get() float64 {
	if n.whole != nil {
		return float64(*n.whole)
	}
	return *n.real
}

func (n *number) set(v float64) {
	if n.whole != nil {
		*n.whole = int(v)
		return
	}
	*n.real = v
}

// numbers lists all settings, in the order in which they are encoded.
func (s *Settings) numbers() []number {
	w := &s.Backoff.Weights
	return []number{
		{"neighbours", &s.Neighbours, nil, 1, maxNeighbours},
		{"max_basket", &s.MaxBasket, nil, 2, maxPairBasket},
		{"backoff.holders", nil, &s.Backoff.Holders, 0, maxImagined},
		{"backoff.weights.kind", nil, &w.Kind, 0, 1},
		{"backoff.weights.issuer", nil, &w.Issuer, 0, 1},
		{"backoff.weights.theme", nil, &w.Theme, 0, 1},
		{"backoff.weights.goal", nil, &w.Goal, 0, 1},
		{"backoff.weights.market", nil, &w.Market, 0, 1},
		{"joint.ridge", nil, &s.Joint.Ridge, .01, maxImagined},
		{"joint.gain", nil, &s.Joint.Gain, 0, 10},
		{"joint.funds", &s.Joint.Funds, nil, 1, maxJointFunds},
		{"trend.half_life_days", nil, &s.Trend.HalfLifeDays, 1, maxHalfLife},
		{"trend.per_fund", nil, &s.Trend.PerFund, minImagined, maxImagined},
		{"trend.power", nil, &s.Trend.Power, 0, maxPower},
		{"crowd.holdings", nil, &s.Crowd.Holdings, minImagined, maxImagined},
		{"crowd.power", nil, &s.Crowd.Power, 0, maxPower},
		{"crowd.cold_power", nil, &s.Crowd.ColdPower, 0, maxPower},
		{"crowd.cold_strength", nil, &s.Crowd.ColdStrength, 0, 1},
	}
}

// Validate reports the first setting out of bounds.
func (s *Settings) Validate() error {
	for _, n := range s.numbers() {
		if v := n.get(); !(v >= n.low && v <= n.high) { // NaN fails too
			return fmt.Errorf("%w: %s: %v, expected %v to %v", ErrSettings, n.name, v, n.low, n.high)
		}
	}
	return nil
}
