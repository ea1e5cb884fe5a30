package score_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/score"
)

// A model of before version 3 has co-holding neighbours, and serves replay only: it weighs
// no breach.
func TestAModelOfNeighboursIsRead(t *testing.T) {
	old, err := os.ReadFile("testdata/spine-2.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := score.ParseModel(old); !errors.Is(err, score.ErrModel) || !strings.Contains(err.Error(), "BREACH") {
		t.Errorf("new answers by the old model: %v", err)
	}
	m, err := score.ParseRecorded(old)
	if err != nil {
		t.Fatal(err)
	}
	if a := m.Settings.Affinity; !a.IsNearest || a.Nearest != usual || m.Weights[score.Breach] != 0 || m.Settings.Outcome != nil {
		t.Errorf("affinity %+v, weights %v, outcome %v", a, m.Weights, m.Settings.Outcome)
	}
	for name, change := range map[string][3]string{
		"owned power":               {"owned_power: 0.5", "owned_power: 1.1", "affinity.owned_power"},
		"a power that is no number": {"candidate_power: 0.1", "candidate_power: .nan", "affinity.candidate_power"},
		"no neighbours":             {"neighbours: 200", "neighbours: 0", "affinity.neighbours"},
		"too many neighbours":       {"neighbours: 200", "neighbours: 1001", "affinity.neighbours"},
		"a basket of one":           {"max_basket: 500", "max_basket: 1 ", "affinity.max_basket"},
	} {
		data := bytes.Replace(old, []byte(change[0]), []byte(change[1]), 1)
		if _, err := score.ParseRecorded(data); !errors.Is(err, score.ErrModel) || !strings.Contains(err.Error(), change[2]) {
			t.Errorf("%s: error %v, expected ErrModel that says %q", name, err, change[2])
		}
	}
}
