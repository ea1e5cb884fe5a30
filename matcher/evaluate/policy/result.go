package policy

import (
	"encoding/json"
	"math"
	"strconv"
)

// Number is a float64 that JSON shows as null where it is not a number or infinite: where it cannot be said.
type Number float64

// MarshalJSON writes the shortest form that reads back as the same number.
func (n Number) MarshalJSON() ([]byte, error) {
	if v := float64(n); v-v != 0 {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON reads null as NaN.
func (n *Number) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*n = Number(math.NaN())
		return nil
	}
	v, err := strconv.ParseFloat(string(text), 64)
	*n = Number(v)
	return err
}

// Estimate is a value, its standard error and its 95 % interval by the normal distribution: value -+ 1.96 stderr. With
// fewer than two rows (or lists) there is no standard error.
type Estimate struct {
	Value  Number    `json:"value"`
	StdErr Number    `json:"stderr"`
	CI95   [2]Number `json:"ci95"`
	// Bootstrap95 is the percentile interval over customers drawn with repetition, where it was asked for and can be
	// had (see Settings.Replicates).
	Bootstrap95 *[2]Number `json:"bootstrap95,omitempty"`
}

// Estimates are of the mean reward of a row under the target. w is the row's weight, target over logged propensity; r
// its reward; q the modelled reward of its product; V its position's value under the target, the sum over products of
// target probability times q; n the rows. Standard errors of means are the rows' sample standard deviation / sqrt(n);
// those of ratios are by the delta method, numerator and denominator both moving.
type Estimates struct {
	// IPS is mean(w r): unbiased, of much variance (Horvitz and Thompson, 1952).
	IPS Estimate `json:"ips"`
	// SNIPS is sum(w r) / sum(w) (Hájek, 1971; Swaminathan and Joachims, 2015). A row moves it by w (r - SNIPS) / mean(w).
	SNIPS Estimate `json:"snips"`
	// ClippedIPS is mean(min(w, L) r) (Ionides, 2008; Bottou et al., 2013): biased towards 0.
	ClippedIPS Estimate `json:"clipped_ips"`
	// DM, the direct method, is mean(V). Its standard error knows only how positions differ, not how wrong q is.
	DM *Estimate `json:"dm"`
	// DR is mean(V + w (r - q)), doubly robust (Dudík, Langford and Li, 2011).
	DR *Estimate `json:"dr"`
	// SNDR is mean(V) + mean(w (r - q)) / mean(w) (Thomas and Brunskill, 2016).
	SNDR *Estimate `json:"sndr"`
	// SwitchDR is mean(V + [w <= lambda] w (r - q)) (Wang, Agarwal and Dudík, 2017).
	SwitchDR *Estimate `json:"switch_dr"`
	// DRos is mean(V + w' (r - q)), w' = lambda w / (w^2 + lambda): optimistic shrinkage (Su et al., 2020).
	DRos *Estimate `json:"dros"`
}

// SlateEstimates are of the mean over decisions of the whole list's reward, the sum over its positions (McInerney et
// al., 2020, arXiv 2007.12986). Only decisions count whose positions are 1 to n without a gap and whose rewards are all
// known. Logged propensities are marginal, so that products of w are the list's weight where positions are drawn
// independently, or at most one is left to chance.
//
// The self-normalised forms are those of the Open Bandit Pipeline (SelfNormalizedSlate*IPS): the standard form divides
// by the mean over rows of the list's weight, the others by the mean weight of each position apart.
type SlateEstimates struct {
	Decisions int64  `json:"decisions"`
	LeftOut   int64  `json:"left_out"`         // with a censored row or a gap
	Reason    string `json:"reason,omitempty"` // why there are no estimates: TOO_LONG or OVERFLOW
	// Standard is mean over lists of (product over k of w_k) (sum over k of r_k).
	Standard *Estimate `json:"standard"`
	// SNStandard is that, divided by the mean over rows of the list's weight (Swaminathan and Joachims, 2015).
	SNStandard *Estimate `json:"sn_standard"`
	// Independent is mean over lists of the sum over k of w_k r_k (Li et al., 2018: the item-position model).
	Independent *Estimate `json:"independent"`
	// SNIndependent is that, with each w_k divided by the mean weight of position k.
	SNIndependent *Estimate `json:"sn_independent"`
	// RewardInteraction is mean over lists of the sum over k of (product over j <= k of w_j) r_k: a reward depends on
	// what stood before it.
	RewardInteraction *Estimate `json:"reward_interaction"`
	// SNRewardInteraction is that, with each product divided by its mean at position k.
	SNRewardInteraction *Estimate `json:"sn_reward_interaction"`
}

// ListMeasures are of the lists as they were logged, whoever the target is.
type ListMeasures struct {
	K         int   `json:"k"`
	Decisions int64 `json:"decisions"` // without those that have a censored row
	// NDCG at k: gain max(r, 0), discount 1 / log2(position + 1); the ideal is the same list's rewards in the best
	// order, cut at k. A list without a gain counts 0.
	NDCG Estimate `json:"ndcg"`
}

// Diagnostics say whether the estimates may be believed.
type Diagnostics struct {
	MeanWeight  Number `json:"mean_weight"` // 1, but for chance, if propensities are right and the log shows all that the target shows
	MeanWeightP Number `json:"mean_weight_p"`
	MaxWeight   Number `json:"max_weight"`
	// ESS is the effective sample size, sum(w)^2 / sum(w^2) (Kish, 1965).
	ESS Number `json:"ess"`
	// SupportViolations counts products and positions that the target shows and the log, which has the position, never does.
	// Without a reward model rows do not tell: then it is 0, and UnseenMass null, unless whoever reads the log knows better
	// and counts the rows in which the target shows what could not be shown there.
	SupportViolations int64 `json:"support_violations"`
	// UnseenMass is the target's probability on them, mean over rows.
	UnseenMass  Number        `json:"unseen_mass"`
	ClippedRows int64         `json:"clipped_rows"` // with a weight above Settings.Clip
	Clip        []ClipAt      `json:"clip_sensitivity"`
	Weights     []WeightCount `json:"weights"`
}

// ClipAt is clipped IPS at another L.
type ClipAt struct {
	L Number `json:"l"`
	Estimate
	Cut Number `json:"cut"` // the share of all weight that lies above L, and is lost
}

// WeightCount is a bin of the histogram of weights: From <= w < To.
type WeightCount struct {
	From Number `json:"from"`
	To   Number `json:"to"` // infinite, so null, in the last
	Rows int64  `json:"rows"`
}

// Result is what the batches said.
type Result struct {
	Rows        int64           `json:"rows"` // censored ones too
	Decisions   int64           `json:"decisions"`
	Censored    int64           `json:"censored"` // rows whose reward is not known yet: left out of every estimate
	Estimates   Estimates       `json:"estimates"`
	Slates      *SlateEstimates `json:"slates"`
	Lists       *ListMeasures   `json:"lists"`
	Diagnostics Diagnostics     `json:"diagnostics"`
	Verdict     Verdict         `json:"verdict"`
}

// Status of a verdict.
type Status string

// The statuses.
const (
	Given    Status = "GIVEN"
	Withheld Status = "WITHHELD"
)

// ReasonCode says why a verdict is withheld.
type ReasonCode string

// The reasons.
const (
	Empty                ReasonCode = "EMPTY"                  // no row with a reward
	SmallEffectiveSample ReasonCode = "SMALL_EFFECTIVE_SAMPLE" // ESS below Settings.MinESS
	MeanWeightOff        ReasonCode = "MEAN_WEIGHT_OFF"        // the mean weight is not 1, p < .001
	SupportBroken        ReasonCode = "SUPPORT_BROKEN"         // the target shows what the log never does
)

// MeanWeightAlpha is the level of the test that the mean weight is 1.
const MeanWeightAlpha = .001

// Reason is a code, and a sentence with the figures.
type Reason struct {
	Code ReasonCode `json:"code"`
	Text string     `json:"text"`
}

// Verdict says whether the estimates are fit to decide by. They are told in any case.
type Verdict struct {
	Status  Status   `json:"status"`
	Reasons []Reason `json:"reasons"`
}
