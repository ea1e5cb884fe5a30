package score_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/score/affinity"
	"github.com/fundmatch/fundmatch/matcher/score/outcome"
)

func TestTheDefaultModel(t *testing.T) {
	m := model(t)
	for f := range score.Features {
		if m.Reasons[f] == "" {
			t.Errorf("%s has no reason", f)
		}
	}
	if m.Weights[score.Cost] >= 0 || m.Settings.LossTolerance[fund.C5] <= m.Settings.LossTolerance[fund.C1] {
		t.Errorf("%+v", m)
	}
	for c := fund.MoneyMarket; int(c) < fund.Classes; c++ {
		if !m.Settings.Classes[c].Known {
			t.Errorf("nothing is known of class %s", c)
		}
	}
	for g := fund.Cash; int(g) < fund.Goals; g++ {
		served := false
		for _, fit := range m.Settings.Goals[g] {
			served = served || fit >= .8
		}
		if !served {
			t.Errorf("no class serves %s well", g)
		}
	}
}

// Each damage to the default model is refused, naming the place.
func TestParseModelRefuses(t *testing.T) {
	for name, c := range map[string]struct{ old, new, says string }{
		"another schema":             {"fundmatch.model/v1", "fundmatch.model/v2", "schema"},
		"no name":                    {"name: spine", "name: ''", "name"},
		"version 0":                  {"version: 3", "version: 0", "version 0"},
		"an unknown key":             {"stale_days: 30", "stale_days: 30\nfresh_days: 3", "fresh_days"},
		"a key twice":                {"stale_days: 30", "stale_days: 30\nstale_days: 31", "stale_days"},
		"an unknown feature":         {"feature: QUALITY", "feature: BEAUTY", "BEAUTY"},
		"a feature in small letters": {"feature: QUALITY", "feature: quality", "quality"},
		"a feature twice":            {"feature: QUALITY", "feature: COST", "COST"},
		"a feature missing":          {"  - feature: POPULARITY\n    weight: 0.15\n    reason: Breaks ties where nothing is known; small, so that the crowd does not decide.\n", "", "POPULARITY"},
		"no reason":                  {"reason: Money that is needed soon must come back without a fee.", "reason: ''", "LIQUIDITY_FIT: reason"},
		"a weight that is no number": {"weight: 0.4", "weight: .nan", "HORIZON_FIT"},
		"an infinite weight":         {"weight: 0.4", "weight: .inf", "HORIZON_FIT"},
		"a weight too large":         {"weight: 0.4", "weight: 1000.5", "HORIZON_FIT"},
		"a prize for cost":           {"weight: -8.0", "weight: 8.0", "COST"},
		"a prize for a doubt":        {"weight: -0.5", "weight: 0.5", "OBJECTED"},
		"a weight lost in rounding":  {"weight: -0.5", "weight: -0.0000009", "OBJECTED"},
		"no doubts weighed":          {"  - feature: OBJECTED\n    weight: -0.5\n    reason: He doubted this fund, or another for what this one has too; what he has not doubted comes first, and no objection ever lifts what it was about.\n", "", "OBJECTED"},
		"no closure line":            {"closure_line_fen: 5000000000", "closure_line_fen: 0", "objection.closure_line_fen"},
		"a closure line above all":   {"closure_line_fen: 5000000000", "closure_line_fen: 9000000000000000000", "objection.closure_line_fen"},
		"no loss":                    {"loss_ratio: 50000", "loss_ratio: 0", "objection.loss_ratio"},
		"a loss of more than all":    {"loss_ratio: 50000", "loss_ratio: 1000001", "objection.loss_ratio"},
		"no tenure":                  {"tenure_days: 365", "tenure_days: 0", "objection.tenure_days"},
		"a tenure beyond a life":     {"tenure_days: 365", "tenure_days: 3651", "objection.tenure_days"},
		"one fund is many":           {"many_funds: 8", "many_funds: 1", "objection.many_funds"},
		"no number is many":          {"many_funds: 8", "many_funds: 1001", "objection.many_funds"},
		"no rate":                    {"  risk_free_bps: 150", "", "track.risk_free_bps"},
		"a rate below nothing":       {"risk_free_bps: 150", "risk_free_bps: -1", "track.risk_free_bps"},
		"a rate that is no rate":     {"risk_free_bps: 150", "risk_free_bps: 2001", "track.risk_free_bps"},
		"a plan of nothing":          {"income_share_bps: 1000", "income_share_bps: 0", "plan.income_share_bps"},
		"a plan of more than all":    {"income_share_bps: 1000", "income_share_bps: 10001", "plan.income_share_bps"},
		"a plan for no time":         {"min_horizon_months: 36", "min_horizon_months: 0", "plan.min_horizon_months"},
		"a plan beyond a life":       {"min_horizon_months: 36", "min_horizon_months: 601", "plan.min_horizon_months"},
		"an unknown key of a stage":  {"  many_funds: 8", "  few_funds: 2\n  many_funds: 8", "few_funds"},
		"a text for a weight":        {"weight: 0.4", "weight: much", "[14:13]"},
		"a tolerance that falls":     {"C3: 150000", "C3: 40000", "C3"},
		"a tolerance above all":      {"C5: 450000", "C5: 1000001", "C5"},
		"a negative tolerance":       {"C1: 10000", "C1: -1", "C1"},
		"a level missing":            {"  C2: 50000\n", "", "C2"},
		"a level too many":           {"  C5: 450000\n", "  C5: 450000\n  C6: 460000\n", "no level"},
		"a need missing":             {"  HIGH: 7\n", "", "HIGH"},
		"a need of no days":          {"  HIGH: 7\n", "  HIGH: 0\n", "HIGH"},
		"an unknown need":            {"  HIGH: 7\n", "  HIGH: 7\n  HUGE: 1\n", "no level or need"},
		"an unknown class":           {"  SHORT_BOND:    {", "  LONG_BOND:    {", "LONG_BOND"},
		"the unknown class":          {"  SHORT_BOND:    {", "  UNKNOWN:    {", "UNKNOWN"},
		"a class of 601 months":      {"months: 3, ", "months: 601, ", "SHORT_BOND"},
		"a fall of more than all":    {"drawdown_ratio: 600000", "drawdown_ratio: 1000001", "STOCK"},
		"an unknown goal":            {"  HOUSE: ", "  CASTLE: ", "CASTLE"},
		"a goal of an unknown class": {"{MONEY_MARKET: 0.5, SHORT", "{GOLD: 0.5, SHORT", "GOLD"},
		"a fit above 1":              {"{MONEY_MARKET: 0.5, SHORT", "{MONEY_MARKET: 1.5, SHORT", "HOUSE"},
		"a negative fit":             {"{MONEY_MARKET: 0.5, SHORT", "{MONEY_MARKET: -0.5, SHORT", "HOUSE"},
		"one power":                  {"  max_basket: 500", "  max_basket: 500\n  owned_power: 0.5", "both owned_power and candidate_power"},
		"powers of neighbours":       {"  max_basket: 500", "  max_basket: 500\n  owned_power: 0.5\n  candidate_power: 0.1", "no section of a learned model"},
		"a gain that is no number":   {"gain: 0.08333333333333333", "gain: .nan", "affinity: affinity settings refused: joint.gain"},
		"no neighbours":              {"neighbours: 200", "neighbours: 0", "affinity: affinity settings refused: neighbours: 0"},
		"too many neighbours":        {"neighbours: 200", "neighbours: 5001", "neighbours: 5001"},
		"a basket of one":            {"max_basket: 500", "max_basket: 1", "max_basket: 1"},
		"no reference amount":        {"reference_amount_fen: 5000000", "reference_amount_fen: 0", "cost.reference_amount_fen"},
		"no default horizon":         {"default_horizon_months: 12", "default_horizon_months: 0", "cost.default_horizon_months"},
		"stale at once":              {"stale_days: 30", "stale_days: 0", "stale_days"},
		"quality of one day":         {"min_observations: 200", "min_observations: 1", "quality.min_observations"},
		"no floor":                   {"volatility_floor_ratio: 20000", "volatility_floor_ratio: 0", "quality.volatility_floor_ratio"},
		"no issuer at all":           {"max_issuer_pct: 40", "max_issuer_pct: 0", "slate.max_issuer_pct"},
		"more than the list":         {"max_theme_pct: 30", "max_theme_pct: 101", "slate.max_theme_pct"},
		"no manager":                 {"max_manager_pct: 30", "max_manager_pct: -1", "slate.max_manager_pct"},
		"no held":                    {"max_held_pct: 20", "max_held_pct: 0", "slate.max_held_pct"},
		"more than the assets":       {"  aum_share_bps: 500", "  aum_share_bps: 10001", "suggestion."},
		"a maximum below the share":  {"max_aum_share_bps: 2000", "max_aum_share_bps: 499", "suggestion.max_aum_share_bps"},
		"a rounding of 0":            {"rounding_fen: 10000", "rounding_fen: 0", "suggestion.rounding_fen"},
		"an anchor":                  {"name: spine", "name: &a spine", "alias"},
		"no YAML":                    {"schema:", "\t{schema:", ""},
	} {
		damaged := strings.Replace(string(score.DefaultModel()), c.old, c.new, 1)
		if damaged == string(score.DefaultModel()) {
			t.Errorf("%s: %q is not in the default model", name, c.old)
			continue
		}
		if _, err := score.ParseModel([]byte(damaged)); !errors.Is(err, score.ErrModel) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, expected ErrModel that says %q", name, err, c.says)
		}
	}
	for _, section := range []string{"objection", "track", "plan"} {
		whole := regexp.MustCompile(`(?m)^` + section + `:.*\n(  .*\n)+`)
		if damaged := whole.ReplaceAll(score.DefaultModel(), nil); len(damaged) == len(score.DefaultModel()) {
			t.Errorf("no section %s in the default model", section)
		} else if _, err := score.ParseModel(damaged); !errors.Is(err, score.ErrModel) || !strings.Contains(err.Error(), section) {
			t.Errorf("without %s: error %v", section, err)
		}
	}
	for _, other := range []string{"hello", "\x7fELF\x00\x01", "- a\n- b\n", "17"} { // what is no model at all is told what one looks like
		_, err := score.ParseModel([]byte(other))
		if !errors.Is(err, score.ErrModel) || !strings.Contains(err.Error(), score.Schema) && !strings.Contains(err.Error(), "YAML") {
			t.Errorf("%q: error %v", other, err)
		}
	}
	for name, data := range map[string][]byte{"nothing": nil, "too large": make([]byte, 1<<20+1)} {
		if _, err := score.ParseModel(data); !errors.Is(err, score.ErrModel) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// What pays the seller is no input of any score (F04), under whatever name it comes.
func TestAModelThatReadsWhatPaysTheSellerIsRefused(t *testing.T) {
	for _, name := range []string{"COMMISSION", "commission_bps", "Trailing_Fee", "TRAIL", "rebate", "SALES_QUOTA", "incentive", "kickback", "销售佣金", "返点", "尾随", "任务指标"} {
		damaged := strings.Replace(string(score.DefaultModel()), "feature: QUALITY", "feature: "+name, 1)
		if _, err := score.ParseModel([]byte(damaged)); !errors.Is(err, score.ErrForbiddenInput) || !errors.Is(err, score.ErrModel) {
			t.Errorf("%s: error %v, expected ErrForbiddenInput", name, err)
		}
	}
}

// The default model comes as a copy: nobody can change the next one's.
func TestTheDefaultModelIsACopy(t *testing.T) {
	clear(score.DefaultModel())
	model(t)
}

func FuzzParseModel(f *testing.F) {
	f.Add(score.DefaultModel())
	f.Add([]byte("schema: fundmatch.model/v1\nweights: [{feature: COST}]"))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("rules: !0 \nweights: !0 ")) // the decoder would panic
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := score.ParseModel(data)
		if (m == nil) == (err == nil) {
			t.Fatalf("a model and an error, or neither: %v", err)
		}
		if err != nil && !errors.Is(err, score.ErrModel) {
			t.Fatalf("error %v is no ErrModel", err)
		}
	})
}

// What the program foresees outcomes with stands in the model that it ships.
func TestTheDefaultModelForeseesAsThePackageDoes(t *testing.T) {
	if got := model(t).Settings.Outcome; got == nil || *got != outcome.Default() {
		t.Errorf("outcome %+v, expected %+v", got, outcome.Default())
	}
	if got := model(t).Settings.Affinity.Learned; got != affinity.Default() {
		t.Errorf("affinity %+v, expected %+v", got, affinity.Default())
	}
}
