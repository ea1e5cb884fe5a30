// Package score gives each product of the pool one number for one customer: features
// times coefficients, added in a fixed order, so that the contributions shown sum to the
// score exactly. What depends on the product alone, or on the product and one coded fact
// of the customer, is a column computed at compile; a match adds columns up.
package score

import (
	"bytes"
	_ "embed" // the default model
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score/affinity"
	"github.com/fundmatch/fundmatch/matcher/score/modelfile"
	"github.com/fundmatch/fundmatch/matcher/score/outcome"
	"github.com/fundmatch/fundmatch/matcher/strictyaml"
)

//go:embed default.yaml
var defaultModel []byte

// DefaultModel returns the model file that ships with the program.
func DefaultModel() []byte { return bytes.Clone(defaultModel) }

// Feature is one term of the score.
type Feature uint8

// The features, in the order in which contributions are added.
const (
	Affinity Feature = iota
	GoalFit
	HorizonFit
	LiquidityFit
	LossFit
	Quality
	Cost
	Popularity
	Objected
	Breach   // the newest feature is the last: records name features by their number
	Features // the number of features
)

var featureNames = [Features]string{
	"AFFINITY", "GOAL_FIT", "HORIZON_FIT", "LIQUIDITY_FIT", "LOSS_FIT", "QUALITY", "COST", "POPULARITY", "OBJECTED", "BREACH",
}

// String returns the feature's code.
func (f Feature) String() string {
	if f < Features {
		return featureNames[f]
	}
	return fmt.Sprintf("FEATURE_%d", uint8(f))
}

// Personal reports whether the feature reads personal cells (rule A02).
func (f Feature) Personal() bool { return f != Quality && f != Cost && f != Popularity }

// ErrModel is wrapped by every error about a model file; the message names the place,
// the value and what was expected.
var ErrModel = errors.New("model refused")

// ErrForbiddenInput is wrapped when a model wants commission, rebate, trailing fee or
// quota as an input (rule F04).
var ErrForbiddenInput = errors.New("forbidden input (F04)")

// Model is a parsed and checked model file.
type Model struct {
	Name     string
	Version  int
	Weights  [Features]float64
	Reasons  [Features]string
	Settings Settings
	// Affinity was trained ahead; nil: it is to be trained from what the core is compiled
	// from, with the settings.
	Affinity *TrainedAffinity
	// Manifest says what a trained model was trained from; nil for plain YAML.
	Manifest *modelfile.Manifest
	// Conversion foretells what becomes of an item that is shown. It is no part of the score.
	// nil: the model has none, and no probability is given.
	Conversion *Conversion
}

// Settings are the parameters of the features, and of the stages that follow the score.
type Settings struct {
	Affinity  AffinitySettings
	Cost      CostSettings
	StaleDays int32
	Quality   QualitySettings
	Tables
	Slate      SlateSettings
	Suggestion SuggestionSettings
	Objection  ObjectionSettings
	Track      TrackSettings
	Plan       PlanSettings
	// Outcome are the parameters that ranges of outcomes are foreseen with (BREACH); nil:
	// none are, and BREACH weighs nothing.
	Outcome *outcome.Params
}

// Tables say what is expected of levels, needs, classes and goals.
type Tables struct {
	LossTolerance [fund.C5 + 1]fund.Ratio // by level; 0 for an unknown one
	LiquidityDays [fund.Needs]int32       // by need; 0 for an unknown one
	Classes       [fund.Classes]ClassSettings
	Goals         [fund.Goals][fund.Classes]float64
}

// AffinitySettings shape how near a fund is to those that a customer owns: by a model that
// is learned, or, in models of before version 3, by co-holding neighbours alone.
type AffinitySettings struct {
	Learned   affinity.Settings // unless IsNearest
	IsNearest bool
	Nearest   NearestSettings // if IsNearest
}

// NearestSettings shape the co-holding neighbours (item kNN).
type NearestSettings struct {
	OwnedPower     float64 `yaml:"owned_power"`
	CandidatePower float64 `yaml:"candidate_power"`
	Neighbours     int     `yaml:"neighbours"`
	MaxBasket      int     `yaml:"max_basket"`
}

// CostSettings say at which amount and horizon costs are compared.
type CostSettings struct {
	ReferenceAmount      fund.Money `yaml:"reference_amount_fen"`
	DefaultHorizonMonths int32      `yaml:"default_horizon_months"`
}

// QualitySettings bound the comparison of track records.
type QualitySettings struct {
	MinObservations int32      `yaml:"min_observations"`
	VolatilityFloor fund.Ratio `yaml:"volatility_floor_ratio"`
}

// ClassSettings are what is expected of a class.
type ClassSettings struct {
	Known    bool       `yaml:"-"`
	Months   int32      `yaml:"months"`         // sensible holding period
	Drawdown fund.Ratio `yaml:"drawdown_ratio"` // fall to expect, positive
}

// SlateSettings are shares of a list in percent.
type SlateSettings struct {
	MaxIssuerPct  int `yaml:"max_issuer_pct"`
	MaxThemePct   int `yaml:"max_theme_pct"`
	MaxManagerPct int `yaml:"max_manager_pct"`
	MaxHeldPct    int `yaml:"max_held_pct"`
	// Exploration is how much of a list is left to chance; absent: nothing.
	Exploration ExplorationSettings `yaml:"exploration"`
}

// ExplorationSettings are what slate.Exploration takes: with a probability the last place of
// a list goes to one of the next products, none of which scores more than the gap less.
type ExplorationSettings struct {
	Probability fund.BasisPoints `yaml:"probability_bps"`
	Next        int              `yaml:"next"`
	MaxGap      float64          `yaml:"max_gap"`
}

// SuggestionSettings bound the suggested amount.
type SuggestionSettings struct {
	AUMShare    fund.BasisPoints `yaml:"aum_share_bps"`
	MaxAUMShare fund.BasisPoints `yaml:"max_aum_share_bps"`
	Rounding    fund.Money       `yaml:"rounding_fen"`
}

// ObjectionSettings say when a product or a customer gives rise to a doubt (化).
type ObjectionSettings struct {
	// ClosureLine is the size in fen below which a fund may have to be closed: 50 million
	// yuan (公开募集证券投资基金运作管理办法 41). SIZE looks at funds near it.
	ClosureLine fund.Money `yaml:"closure_line_fen"`
	// LossRatio is the loss of a holding, in millionths and positive, from which on it
	// counts as a loss that he remembers (LOSS_TRAUMA).
	LossRatio fund.Ratio `yaml:"loss_ratio"`
	// TenureDays is how long a manager must have run a fund to be no newcomer to it, and
	// ManyFunds from how many funds on he runs many (MANAGER_TRUST).
	TenureDays int32 `yaml:"tenure_days"`
	ManyFunds  int32 `yaml:"many_funds"`
}

// TrackSettings are parameters of a track record's figures.
type TrackSettings struct {
	RiskFree fund.BasisPoints // a year; what Sharpe ratios measure against
}

// PlanSettings bound the regular purchase that is suggested (定投).
type PlanSettings struct {
	IncomeShare      fund.BasisPoints `yaml:"income_share_bps"`   // of a month's income, at most
	MinHorizonMonths int32            `yaml:"min_horizon_months"` // no plan for a shorter horizon
}

// modelFile is the file as it is written.
type modelFile struct {
	Schema   string       `yaml:"schema"`
	Name     string       `yaml:"name"`
	Version  int          `yaml:"version"`
	Weights  []weightFile `yaml:"weights"`
	Features featureFile  `yaml:",inline"`
	Stages   stageFile    `yaml:",inline"`
}

type weightFile struct {
	Feature string  `yaml:"feature"`
	Weight  float64 `yaml:"weight"`
	Reason  string  `yaml:"reason"`
}

// featureFile are the parameters of the features.
type featureFile struct {
	Affinity      affinityFile                  `yaml:"affinity"`
	Cost          CostSettings                  `yaml:"cost"`
	StaleDays     int32                         `yaml:"stale_days"`
	Quality       QualitySettings               `yaml:"quality"`
	LossTolerance map[string]fund.Ratio         `yaml:"loss_tolerance_ratio"`
	LiquidityDays map[string]int32              `yaml:"liquidity_days"`
	Classes       map[string]ClassSettings      `yaml:"classes"`
	Goals         map[string]map[string]float64 `yaml:"goals"`
}

// stageFile are the parameters of the stages that follow. Models of before 2026-11-22
// lack those that are pointers here.
type stageFile struct {
	Slate      SlateSettings      `yaml:"slate"`
	Suggestion SuggestionSettings `yaml:"suggestion"`
	Objection  *ObjectionSettings `yaml:"objection"`
	Track      *trackFile         `yaml:"track"`
	Plan       *PlanSettings      `yaml:"plan"`
	Outcome    *outcome.Params    `yaml:"outcome"`
}

// affinityFile is either the settings of a learned model or, with the powers, of neighbours.
type affinityFile struct {
	affinity.Settings `yaml:",inline"`
	OwnedPower        *float64 `yaml:"owned_power"`
	CandidatePower    *float64 `yaml:"candidate_power"`
}

// trackFile tells a rate of nothing from a missing one.
type trackFile struct {
	RiskFree *fund.BasisPoints `yaml:"risk_free_bps"`
}

// Schema is the schema of a model in plain YAML; that of a model file is modelfile.Magic.
const Schema = "fundmatch.model/v1"

// The limits of a model file.
const (
	maxWeight        = 1000
	maxNeighbours    = 1000
	maxLiquidityDays = 10_000
	maxExploration   = 2000 // basis points; this and the next as matcher/slate has them
	maxNext          = 50
	// leastObjected keeps the weight of OBJECTED above the rounding of a sum: what an
	// objection takes from a score must never be lost in it.
	leastObjected = -1e-6
	// leastBreach bounds the trade of what is likely bought for what is likely borne: at it,
	// a fund that is certain to fall too deep loses ten times what the best affinity gives.
	leastBreach = -10
)

// forbiddenWords mark inputs that pay the seller. They are looked for in feature names.
var forbiddenWords = [...]string{"COMMISSION", "REBATE", "TRAIL", "QUOTA", "KICKBACK", "INCENTIVE", "佣", "返利", "返点", "尾随", "任务", "指标", "提成"}

// CheckInput refuses an input of a model that pays the seller (rule F04), whatever part of
// the model reads it. Errors wrap ErrForbiddenInput.
func CheckInput(name string) error {
	upper := strings.ToUpper(name)
	for _, word := range forbiddenWords {
		if strings.Contains(upper, word) {
			return fmt.Errorf("%w: feature %q", ErrForbiddenInput, name)
		}
	}
	return nil
}

// ParseModel reads and checks a model: plain YAML, or a model file (package modelfile) with
// that YAML inside. Errors wrap ErrModel, ErrForbiddenInput where a feature is one that rule
// F04 refuses, and modelfile.ErrModelFile with its reason where the file itself is refused.
func ParseModel(data []byte) (*Model, error) {
	return parse(data, func(*modelFile) {})
}

// ParseRecorded reads a model that was in force once, for replay: as ParseModel does, but
// what programs of its time did not know may be missing. The feature OBJECTED then weighs
// nothing and the parameters of later stages are the built-in ones, so that an old
// decision is scored as it was. It must not be used for new answers.
func ParseRecorded(data []byte) (*Model, error) {
	return parse(data, (*modelFile).completeRecorded)
}

// parse reads a model of either form; complete may add what the YAML lacks.
func parse(data []byte, complete func(*modelFile)) (*Model, error) {
	if modelfile.Is(data) {
		return parseTrained(data, complete)
	}
	f, err := decodeModel(data)
	if err != nil {
		return nil, err
	}
	complete(f)
	return f.model()
}

// completeRecorded adds what a model of before 2026-11-22 cannot have.
func (f *modelFile) completeRecorded() {
	for _, later := range [...]Feature{Objected, Breach} {
		if !slices.ContainsFunc(f.Weights, func(w weightFile) bool { return w.Feature == later.String() }) {
			f.Weights = append(f.Weights, weightFile{Feature: later.String(), Reason: "Not known when the model was made; weighs nothing."})
		}
	}
	s := &f.Stages
	if s.Objection == nil {
		s.Objection = &ObjectionSettings{ClosureLine: 5_000_000_000, LossRatio: 50_000, TenureDays: 365, ManyFunds: 8}
	}
	if s.Track == nil {
		rate := fund.BasisPoints(150)
		s.Track = &trackFile{RiskFree: &rate}
	}
	if s.Plan == nil {
		s.Plan = &PlanSettings{IncomeShare: 1000, MinHorizonMonths: 36}
	}
}

// decodeModel reads the YAML; of an empty one, the header's check says what is missing.
func decodeModel(data []byte) (*modelFile, error) {
	if len(data) > modelfile.MaxModelBytes {
		return nil, fmt.Errorf("%w: %d bytes of YAML, expected at most %d, or a model file that begins with %q", ErrModel, len(data), modelfile.MaxModelBytes, modelfile.Magic)
	}
	form := strictyaml.Form{
		Limits:  strictyaml.Limits{Bytes: modelfile.MaxModelBytes, Line: 1024, Depth: 8, Marks: 64},
		Several: true,
		Refuse:  refuse,
	}
	document, err := form.Parse(data)
	if err != nil {
		return nil, err
	}
	if kind := document.Kind(); kind != strictyaml.Mapping && kind != strictyaml.Nothing {
		return nil, fmt.Errorf("%w: document: a %s, expected YAML of schema %s, or a model file that begins with %q", ErrModel, kind, Schema, modelfile.Magic)
	}
	f := &modelFile{}
	if err := document.Decode(f); err != nil {
		return nil, err
	}
	return f, nil
}

// refuse makes the error of a text that strictyaml refuses.
func refuse(place, value, expected string) error {
	text := value
	if place != strictyaml.Whole {
		text = place + ": " + value
	}
	if expected != "" {
		text += ", expected " + expected
	}
	return fmt.Errorf("%w: %s", ErrModel, text)
}

func (f *modelFile) model() (*Model, error) {
	in, after := &f.Features, &f.Stages
	m := &Model{Name: f.Name, Version: f.Version, Settings: Settings{
		Cost: in.Cost, StaleDays: in.StaleDays, Quality: in.Quality, Slate: after.Slate, Suggestion: after.Suggestion,
	}}
	for _, step := range []func(*modelFile) error{checkHeader, m.readWeights, m.readAffinity, m.readTables, m.readGoals, m.readStages, m.checkSettings, m.checkStages} {
		if err := step(f); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// readAffinity takes over the settings of the kind of affinity that the file has.
func (m *Model) readAffinity(f *modelFile) error {
	in, a := &f.Features.Affinity, &m.Settings.Affinity
	if in.OwnedPower == nil && in.CandidatePower == nil {
		a.Learned = in.Settings
		if err := a.Learned.Validate(); err != nil {
			return fmt.Errorf("%w: affinity: %w", ErrModel, err)
		}
		return nil
	}
	rest := in.Settings
	rest.Neighbours, rest.MaxBasket = 0, 0
	if in.OwnedPower == nil || in.CandidatePower == nil || rest != (affinity.Settings{}) {
		return fmt.Errorf("%w: affinity: expected both owned_power and candidate_power, and no section of a learned model beside them", ErrModel)
	}
	a.IsNearest = true
	a.Nearest = NearestSettings{
		OwnedPower: *in.OwnedPower, CandidatePower: *in.CandidatePower, Neighbours: in.Neighbours, MaxBasket: in.MaxBasket,
	}
	return refuseFirst([]bound{
		{"affinity.owned_power", a.Nearest.OwnedPower >= 0 && a.Nearest.OwnedPower <= 1},
		{"affinity.candidate_power", a.Nearest.CandidatePower >= 0 && a.Nearest.CandidatePower <= 1},
		{"affinity.neighbours", a.Nearest.Neighbours >= 1 && a.Nearest.Neighbours <= maxNeighbours},
		{"affinity.max_basket", a.Nearest.MaxBasket >= 2 && a.Nearest.MaxBasket <= 10_000},
	})
}

// readStages takes over the sections that only a recorded model may lack.
func (m *Model) readStages(f *modelFile) error {
	s := &f.Stages
	switch {
	case s.Objection == nil:
		return fmt.Errorf("%w: objection is missing", ErrModel)
	case s.Track == nil || s.Track.RiskFree == nil:
		return fmt.Errorf("%w: track.risk_free_bps is missing", ErrModel)
	case s.Plan == nil:
		return fmt.Errorf("%w: plan is missing", ErrModel)
	}
	m.Settings.Objection, m.Settings.Track.RiskFree, m.Settings.Plan = *s.Objection, *s.Track.RiskFree, *s.Plan
	return m.readOutcome(s.Outcome)
}

// readOutcome takes over how outcomes are foreseen: a model that does not say so cannot
// weigh a breach of tolerance.
func (m *Model) readOutcome(p *outcome.Params) error {
	if p == nil {
		if w := m.Weights[Breach]; w != 0 {
			return fmt.Errorf("%w: outcome is missing, expected it where BREACH weighs %v", ErrModel, w)
		}
		return nil
	}
	if err := p.Check(); err != nil {
		return fmt.Errorf("%w: outcome: %w", ErrModel, err)
	}
	m.Settings.Outcome = p
	return nil
}

func checkHeader(f *modelFile) error {
	switch {
	case f.Schema != Schema:
		return fmt.Errorf("%w: schema %q, expected %q", ErrModel, f.Schema, Schema)
	case f.Name == "" || len(f.Name) > fund.MaxTextLength:
		return fmt.Errorf("%w: name %q, expected 1 to %d bytes", ErrModel, f.Name, fund.MaxTextLength)
	case f.Version < 1:
		return fmt.Errorf("%w: version %d, expected at least 1", ErrModel, f.Version)
	}
	return nil
}

func (m *Model) readWeights(f *modelFile) error {
	var seen [Features]bool
	for _, w := range f.Weights {
		if err := CheckInput(w.Feature); err != nil {
			return fmt.Errorf("%w: weights: %w", ErrModel, err)
		}
		i, ok := indexOf(featureNames[:], w.Feature)
		switch {
		case !ok:
			return fmt.Errorf("%w: weights: feature %q, expected one of %s", ErrModel, w.Feature, strings.Join(featureNames[:], " "))
		case seen[i]:
			return fmt.Errorf("%w: weights: feature %q stands twice", ErrModel, w.Feature)
		case w.Reason == "":
			return fmt.Errorf("%w: weights: %s: reason is missing", ErrModel, w.Feature)
		}
		if err := checkWeight(Feature(i), w.Weight); err != nil {
			return err
		}
		seen[i], m.Weights[i], m.Reasons[i] = true, w.Weight, w.Reason
	}
	for i, ok := range seen {
		if !ok {
			return fmt.Errorf("%w: weights: feature %s is missing", ErrModel, featureNames[i])
		}
	}
	return nil
}

func checkWeight(f Feature, w float64) error {
	switch {
	case math.IsNaN(w) || math.Abs(w) > maxWeight:
		return fmt.Errorf("%w: weights: %s: weight %v, expected a number between -%d and %d", ErrModel, f, w, maxWeight, maxWeight)
	case f == Cost && w > 0:
		return fmt.Errorf("%w: weights: COST: weight %v, expected at most 0: nobody is better served by paying more", ErrModel, w)
	case f == Breach && (w > 0 || w < leastBreach):
		return fmt.Errorf("%w: weights: BREACH: weight %v, expected %d to 0: what may break his tolerance never gains by it", ErrModel, w, leastBreach)
	case f == Objected && w != 0 && w > leastObjected:
		return fmt.Errorf("%w: weights: OBJECTED: weight %v, expected 0 or at most %v: an objection never lifts what it was about", ErrModel, w, leastObjected)
	}
	return nil
}

func (m *Model) readTables(f *modelFile) error {
	for level := fund.C1; level <= fund.C5; level++ {
		v, ok := f.Features.LossTolerance[level.String()]
		if !ok || !isRatio(v) || v < m.Settings.LossTolerance[level-1] {
			return fmt.Errorf("%w: loss_tolerance_ratio: %s: %d, expected millionths that rise with the level", ErrModel, level, v)
		}
		m.Settings.LossTolerance[level] = v
	}
	for need := fund.NeedLow; int(need) < fund.Needs; need++ {
		v, ok := f.Features.LiquidityDays[need.String()]
		if !ok || v < 1 || v > maxLiquidityDays {
			return fmt.Errorf("%w: liquidity_days: %s: %d, expected 1 to %d", ErrModel, need, v, maxLiquidityDays)
		}
		m.Settings.LiquidityDays[need] = v
	}
	if len(f.Features.LossTolerance) != int(fund.C5) || len(f.Features.LiquidityDays) != fund.Needs-1 {
		return fmt.Errorf("%w: loss_tolerance_ratio or liquidity_days: an entry that is no level or need", ErrModel)
	}
	return m.readClasses(f)
}

func (m *Model) readClasses(f *modelFile) error {
	for name, c := range f.Features.Classes {
		class, err := parseClass(name)
		if err != nil || c.Months < 0 || c.Months > fund.MaxHorizonMonths || !isRatio(c.Drawdown) {
			return fmt.Errorf("%w: classes: %s: %+v, expected a class, months to %d and millionths", ErrModel, name, c, fund.MaxHorizonMonths)
		}
		c.Known = true
		m.Settings.Classes[class] = c
	}
	return nil
}

// isRatio reports whether r lies between 0 and 100 %.
func isRatio(r fund.Ratio) bool { return r >= 0 && r <= 1_000_000 }

func (m *Model) readGoals(f *modelFile) error {
	for name, fits := range f.Features.Goals {
		goal, err := fund.ParseGoal(name)
		if err != nil || goal == fund.GoalUnknown {
			return fmt.Errorf("%w: goals: %q is no goal", ErrModel, name)
		}
		for className, fit := range fits {
			class, err := parseClass(className)
			if err != nil || math.IsNaN(fit) || fit < 0 || fit > 1 {
				return fmt.Errorf("%w: goals: %s: %s: %v, expected a class and a fit from 0 to 1", ErrModel, name, className, fit)
			}
			m.Settings.Goals[goal][class] = fit
		}
	}
	return nil
}

func (m *Model) checkSettings(*modelFile) error {
	s := &m.Settings
	return refuseFirst([]bound{
		{"cost.reference_amount_fen", s.Cost.ReferenceAmount > 0 && s.Cost.ReferenceAmount <= fund.MaxMoney},
		{"cost.default_horizon_months", s.Cost.DefaultHorizonMonths >= 1 && s.Cost.DefaultHorizonMonths <= fund.MaxHorizonMonths},
		{"stale_days", s.StaleDays >= 1 && s.StaleDays <= 3650},
		{"quality.min_observations", s.Quality.MinObservations >= 2},
		{"quality.volatility_floor_ratio", s.Quality.VolatilityFloor > 0 && s.Quality.VolatilityFloor <= 1_000_000},
		{"slate.max_issuer_pct", isPercent(s.Slate.MaxIssuerPct)},
		{"slate.max_theme_pct", isPercent(s.Slate.MaxThemePct)},
		{"slate.max_manager_pct", isPercent(s.Slate.MaxManagerPct)},
		{"slate.max_held_pct", isPercent(s.Slate.MaxHeldPct)},
		{"suggestion.aum_share_bps", s.Suggestion.AUMShare >= 0 && s.Suggestion.AUMShare <= 10_000},
		{"suggestion.max_aum_share_bps", s.Suggestion.MaxAUMShare >= s.Suggestion.AUMShare && s.Suggestion.MaxAUMShare <= 10_000},
		{"suggestion.rounding_fen", s.Suggestion.Rounding >= 1 && s.Suggestion.Rounding <= fund.MaxMoney},
	})
}

func (m *Model) checkStages(*modelFile) error {
	s := &m.Settings
	return refuseFirst([]bound{
		{"slate.exploration.probability_bps", s.Slate.Exploration.Probability >= 0 && s.Slate.Exploration.Probability <= maxExploration},
		{"slate.exploration.next", s.Slate.Exploration.Next >= leastNext(s.Slate.Exploration.Probability) && s.Slate.Exploration.Next <= maxNext},
		{"slate.exploration.max_gap", s.Slate.Exploration.MaxGap >= 0 && !math.IsInf(s.Slate.Exploration.MaxGap, 0)},
		{"objection.closure_line_fen", s.Objection.ClosureLine >= 1 && s.Objection.ClosureLine <= fund.MaxMoney},
		{"objection.loss_ratio", s.Objection.LossRatio >= 1 && isRatio(s.Objection.LossRatio)},
		{"objection.tenure_days", s.Objection.TenureDays >= 1 && s.Objection.TenureDays <= 3650},
		{"objection.many_funds", s.Objection.ManyFunds >= 2 && s.Objection.ManyFunds <= 1000},
		{"track.risk_free_bps", s.Track.RiskFree >= 0 && s.Track.RiskFree <= 2000},
		{"plan.income_share_bps", s.Plan.IncomeShare >= 1 && s.Plan.IncomeShare <= 10_000},
		{"plan.min_horizon_months", s.Plan.MinHorizonMonths >= 1 && s.Plan.MinHorizonMonths <= fund.MaxHorizonMonths},
	})
}

// leastNext is from how many products one is drawn at least: from one, where any is.
func leastNext(probability fund.BasisPoints) int { return int(min(max(probability, 0), 1)) }

// bound is a setting, and whether it is within its bounds.
type bound struct {
	name string
	ok   bool
}

func refuseFirst(bounds []bound) error {
	for _, b := range bounds {
		if !b.ok {
			return fmt.Errorf("%w: %s is missing or out of bounds", ErrModel, b.name)
		}
	}
	return nil
}

func isPercent(n int) bool { return n >= 1 && n <= 100 }

func parseClass(name string) (fund.Class, error) {
	for c := range fund.Class(fund.Classes) {
		if c.String() == name && c != fund.ClassUnknown {
			return c, nil
		}
	}
	return 0, fmt.Errorf("%w: class %q", ErrModel, name)
}

func indexOf(names []string, name string) (int, bool) {
	for i, n := range names {
		if n == name {
			return i, true
		}
	}
	return 0, false
}
