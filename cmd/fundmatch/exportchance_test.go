package main

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/experiment"
	"github.com/fundmatch/fundmatch/matcher/slate"
	"github.com/fundmatch/fundmatch/services/decisionlog"
)

// An explored answer is exported with what an evaluation of another policy needs: the
// propensity of what was shown, all that could have been, and the arms.
func TestExportOfAnExploredAnswer(t *testing.T) {
	t.Parallel()
	s := &matcher.Slate{
		CustomerID: "C1", Identity: matcher.Identity{Definitions: "1"}, Personal: true,
		Request: matcher.Request{
			Limit: 2, Exploration: slate.Exploration{Probability: 1000, Next: 4, MaxGap: .5}, Seed: 7,
			Exposures: []experiment.Assignment{{Layer: "ranking", Experiment: "ease", Arm: "b"}, {Layer: "learning", Experiment: "explore", Arm: "control"}},
		},
		Items:    []matcher.Item{{Code: "A", Score: 3, Propensity: 1}, {Code: "C", Score: 1, Propensity: .05}},
		Explored: matcher.Explored{Rank: 2, Drawn: 1, Choices: []matcher.Choice{{Code: "B", Score: 2}, {Code: "C", Score: 1}, {Code: "D", Score: 1}}},
	}
	stored := &decisionlog.Stored{Record: decisionlog.Record{DecisionID: "d", CustomerID: "C1", Kind: decisionlog.KindDecision, Payload: s.AppendCanonical(nil)}}
	rows, err := appendRows(nil, stored)
	if err != nil || len(rows) != 2 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if r := &rows[0]; r.Propensity != 1 || r.Explored || r.Choices != "" || r.Greedy != "A" || r.Arms != "ranking:ease:b learning:explore:control" {
		t.Errorf("%+v", r.chanceColumns)
	}
	if r := &rows[1]; r.Propensity != .05 || !r.Explored || r.Choices != "B:0.9 C:0.05 D:0.05" || r.Greedy != "B" || r.Arms != rows[0].Arms {
		t.Errorf("%+v", r.chanceColumns)
	}
	sum := 0.0
	for choice := range strings.FieldsSeq(rows[1].Choices) {
		_, propensity, _ := strings.Cut(choice, ":")
		p, err := strconv.ParseFloat(propensity, 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += p
	}
	if math.Abs(sum-1) > 1e-12 {
		t.Errorf("the choices' propensities sum to %v", sum)
	}
}
