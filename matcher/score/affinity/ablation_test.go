package affinity_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/evaluate"
	"github.com/fundmatch/fundmatch/matcher/score/affinity"
)

// TestAblation prints the table of docs/models.md: what each term is worth on real
// customers, with intervals. It takes a minute and asserts nothing, so it must be asked
// for: FUNDMATCH_ABLATION=1 go test -run Ablation -v ./matcher/score/affinity.
func TestAblation(t *testing.T) {
	if os.Getenv("FUNDMATCH_ABLATION") == "" {
		t.Skip("set FUNDMATCH_ABLATION=1 for the table of docs/models.md")
	}
	b := readReal(t)
	panel := evaluate.Panel{Strata: make([][]int32, len(b.splits))}
	clusters := map[string]int32{}
	for i := range b.splits {
		for _, id := range b.splits[i].customers {
			at, ok := clusters[id]
			if !ok {
				at = int32(len(clusters))
				clusters[id], panel.Clusters = at, append(panel.Clusters, id)
			}
			panel.Strata[i] = append(panel.Strata[i], at)
		}
	}
	variants := ablations()
	for _, v := range variants {
		series := make([][]float64, len(b.splits))
		for i := range b.splits {
			if v.settings == nil {
				series[i] = b.ndcg(i, b.knn(i))
			} else {
				series[i] = b.ndcg(i, b.learned(t, i, *v.settings))
			}
		}
		panel.Series = append(panel.Series, series)
	}
	drawn, err := evaluate.DefaultBootstrap().Resample(&panel, 2)
	if err != nil {
		t.Fatal(err)
	}
	means, err := panel.Means()
	if err != nil {
		t.Fatal(err)
	}
	table := "\n| | 0-9 | 0-45 | 23-45 | 0-45 against all | 23-45 against all |\n|---|---|---|---|---|---|\n"
	for s, v := range variants {
		over := func(from, to int) string { return fmt.Sprintf("%.4f", mean(means[s][from:to])) }
		against := func(from, to int) string {
			if s == 0 {
				return ""
			}
			in := drawn.Interval(func(m evaluate.Means) float64 { return mean(m[s][from:to]) - mean(m[0][from:to]) })
			return fmt.Sprintf("%+.4f [%+.4f, %+.4f]", mean(means[s][from:to])-mean(means[0][from:to]), in.Low, in.High)
		}
		n := len(b.splits)
		table += fmt.Sprintf("| %s | %s | %s | %s | %s | %s |\n", v.name, over(0, 10), over(0, n), over(23, n), against(0, n), against(23, n))
	}
	t.Log(table)
}

// ablation is a change of the settings that ship; nil is item kNN.
type ablation struct {
	name     string
	settings *affinity.Settings
}

func ablations() []ablation {
	with := func(name string, change func(s *affinity.Settings)) ablation {
		s := affinity.Default()
		change(&s)
		return ablation{name, &s}
	}
	return []ablation{
		with("all, as shipped", func(*affinity.Settings) {}),
		with("without joint", func(s *affinity.Settings) { s.Joint.Gain = 0 }),
		with("without trend", func(s *affinity.Settings) { s.Trend.Power = 0 }),
		with("without crowds", func(s *affinity.Settings) { s.Crowd.Power = 0 }),
		with("without back-off", func(s *affinity.Settings) { s.Backoff.Holders = 0 }),
		with("shares alone", func(s *affinity.Settings) {
			s.Joint.Gain, s.Trend.Power, s.Crowd.Power, s.Backoff.Holders = 0, 0, 0, 0
		}),
		with("ridge 1", func(s *affinity.Settings) { s.Joint.Ridge = 1 }),
		with("ridge 10", func(s *affinity.Settings) { s.Joint.Ridge = 10 }),
		with("gain 1/4", func(s *affinity.Settings) { s.Joint.Gain = .25 }),
		with("60 most held funds in joint", func(s *affinity.Settings) { s.Joint.Funds = 60 }),
		with("trend of 60 days", func(s *affinity.Settings) { s.Trend.HalfLifeDays = 60 }),
		with("trend of power .6", func(s *affinity.Settings) { s.Trend.Power = .6 }),
		with("40 neighbours", func(s *affinity.Settings) { s.Neighbours = 40 }),
		with("market beside kind", func(s *affinity.Settings) { s.Backoff.Weights.Market = 1 }),
		{"item kNN, co/(n_x^.5 n_y^.1)", nil},
	}
}
