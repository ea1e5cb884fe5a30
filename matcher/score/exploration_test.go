package score_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/score"
)

// Exploration is a section that a model may lack: then nothing is left to chance.
func TestAModelMayLeaveSomethingToChance(t *testing.T) {
	without, err := score.ParseModel(score.DefaultModel())
	if err != nil || without.Settings.Slate.Exploration != (score.ExplorationSettings{}) {
		t.Fatalf("the default model explores: %+v, %v", without.Settings.Slate.Exploration, err)
	}
	for section, want := range map[string]score.ExplorationSettings{
		"{probability_bps: 500, next: 10, max_gap: 0.05}": {Probability: 500, Next: 10, MaxGap: .05},
		"{probability_bps: 2000, next: 50}":               {Probability: 2000, Next: 50},
		"{probability_bps: 0}":                            {},
	} {
		m, err := score.ParseModel(exploring(t, section))
		if err != nil || m.Settings.Slate.Exploration != want {
			t.Errorf("%s: %+v, %v", section, m, err)
		}
	}
	for section, says := range map[string]string{
		"{probability_bps: -1, next: 1}":                   "slate.exploration.probability_bps",
		"{probability_bps: 2001, next: 1}":                 "slate.exploration.probability_bps",
		"{probability_bps: 500}":                           "slate.exploration.next",
		"{next: -1}":                                       "slate.exploration.next",
		"{probability_bps: 500, next: 51}":                 "slate.exploration.next",
		"{probability_bps: 500, next: 1, max_gap: -0.01}":  "slate.exploration.max_gap",
		"{probability_bps: 500, next: 1, max_gap: .nan}":   "slate.exploration.max_gap",
		"{probability_bps: 500, next: 1, max_gap: .inf}":   "slate.exploration.max_gap",
		"{probability_bps: 500, next: 1, rank: 1}":         "rank",
		"{probability_bps: 500, next: 1, max_gap: little}": "cannot unmarshal",
	} {
		if _, err := score.ParseModel(exploring(t, section)); !errors.Is(err, score.ErrModel) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: error %v, expected ErrModel that says %q", section, err, says)
		}
	}
}

// exploring is the default model with a section of exploration.
func exploring(t *testing.T, section string) []byte {
	t.Helper()
	const last = "  max_held_pct: 20\n"
	text := string(score.DefaultModel())
	if !strings.Contains(text, last) {
		t.Fatalf("the default model has no %q", last)
	}
	return []byte(strings.Replace(text, last, last+"  exploration: "+section+"\n", 1))
}
