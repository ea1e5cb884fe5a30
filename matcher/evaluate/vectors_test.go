package evaluate_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/evaluate"
	"github.com/fundmatch/fundmatch/matcher/evaluate/trec"
)

const vectorsFile = "../../../shared/vectors/ranking.json"

// vector is one published case.
type vector struct {
	ID        string          `json:"id"`
	Metric    string          `json:"metric"`
	Input     vectorInput     `json:"input"`
	Expected  json.RawMessage `json:"expected"`
	Tolerance float64         `json:"tolerance"`
}

// vectorInput holds what any of the cases brings.
type vectorInput struct {
	Qrels     map[string]int32     `json:"qrels"`
	Run       []string             `json:"run"`
	RunScores map[string]float64   `json:"run_scores"`
	K         int                  `json:"k"`
	Queries   []vectorInput        `json:"queries"`
	Hits      [][]int32            `json:"hit_matrix"`
	Relevant  json.RawMessage      `json:"relevant"`
	Count     []int                `json:"n_relevant"`
	Top       [][]int32            `json:"topk_lists"`
	Lists     map[string][]string  `json:"lists"`
	Features  map[string][]float64 `json:"item_features"`
}

func (in *vectorInput) judge() evaluate.Judgement { return evaluate.Judge(in.Run, in.Qrels) }

// vectorCases say how each published case is computed here.
func vectorCases() map[string]func(in *vectorInput) any {
	linear := func(in *vectorInput) any {
		j := in.judge()
		return j.NDCG(in.K, evaluate.LinearGain)
	}
	return map[string]func(in *vectorInput) any{
		"rk01": linear,
		"rk03": linear,
		"rk05": func(in *vectorInput) any {
			j := in.judge()
			return j.NDCG(in.K, evaluate.ExponentialGain)
		},
		"rk07": func(in *vectorInput) any { return trecNDCGAndMAP(in) },
		"rk09": func(in *vectorInput) any { return trecNDCGAndMAP(in)["ndcg"] },
		"rk11": func(in *vectorInput) any {
			return meanOf(in.Queries, func(j evaluate.Judgement) float64 { return j.Hit(in.K) })
		},
		"rk13": func(in *vectorInput) any {
			return meanOf(in.Queries, func(j evaluate.Judgement) float64 { return j.Recall(in.K, evaluate.OverRelevant) })
		},
		"rk15": func(in *vectorInput) any {
			j := in.judge()
			out := map[string]any{}
			for _, p := range []string{"0.5", "0.8", "0.95"} {
				persistence, _ := strconv.ParseFloat(p, 64)
				out[p] = j.RankBiasedPrecision(0, persistence)
			}
			return out
		},
		"rk17": func(in *vectorInput) any {
			return byCutoff(in, func(j *evaluate.Judgement, k int) float64 { return j.NDCG(k, evaluate.LinearGain) })
		},
		"rk19": func(in *vectorInput) any {
			return byCutoff(in, func(j *evaluate.Judgement, k int) float64 { return j.ReciprocalRank(k) })
		},
		"rk21": func(in *vectorInput) any { return evaluate.Entropy(evaluate.Counts(in.Top, 8)) },
		"rk23": func(in *vectorInput) any {
			var relevant map[string][]string
			if err := json.Unmarshal(in.Relevant, &relevant); err != nil {
				return err
			}
			var values []float64
			for user, list := range in.Lists {
				grades := map[string]int32{}
				for _, p := range relevant[user] {
					grades[p] = 1
				}
				j := evaluate.Judge(list, grades)
				values = append(values, j.NDCG(in.K, evaluate.LinearGain))
			}
			return evaluate.Mean(values, evaluate.CountAsZero)
		},
		"rk25": func(in *vectorInput) any {
			var values []float64
			for _, list := range in.Lists {
				values = append(values, evaluate.Diversity(numbers(list), in.K, func(p int32) []float64 { return in.Features[fmt.Sprint(p)] }))
			}
			return evaluate.Mean(values, evaluate.CountAsZero)
		},
	}
}

func trecNDCGAndMAP(in *vectorInput) map[string]any {
	var run []evaluate.Scored
	for id, score := range in.RunScores {
		run = append(run, evaluate.Scored{ID: id, Score: score})
	}
	j := evaluate.Judge(evaluate.Order(run, evaluate.TiesByIDDescending), in.Qrels)
	return map[string]any{"ndcg": j.NDCG(0, evaluate.LinearGain), "map": j.AveragePrecision(0, evaluate.OverRelevant)}
}

// trecByTrec measures the same by matcher/evaluate/trec.
func trecByTrec(in *vectorInput) map[string]float64 {
	var run []trec.Retrieved
	for id, score := range in.RunScores {
		run = append(run, trec.Retrieved{ID: id, Score: float32(score)})
	}
	var judgements []trec.Judgement
	for id, grade := range in.Qrels {
		judgements = append(judgements, trec.Judgement{ID: id, Grade: grade})
	}
	m, err := trec.New(trec.Settings{})
	if err != nil {
		return nil
	}
	judged, err := trec.NewJudged(judgements)
	if err != nil {
		return nil
	}
	trec.Order(run)
	values := make([]float64, len(m.Names()))
	m.Query(values, judged, judged.Rank(nil, run))
	out := map[string]float64{}
	for i, name := range m.Names() {
		out[name] = values[i]
	}
	return out
}

func meanOf(queries []vectorInput, measure func(evaluate.Judgement) float64) float64 {
	var values []float64
	for i := range queries {
		values = append(values, measure(queries[i].judge()))
	}
	return evaluate.Mean(values, evaluate.CountAsZero)
}

// byCutoff measures lists that are given as hits, at the cutoffs 1 to 3.
func byCutoff(in *vectorInput, measure func(*evaluate.Judgement, int) float64) any {
	var out []any
	for user, hits := range in.Hits {
		j := evaluate.Judgement{Ranked: hits, Relevant: slices.Repeat([]int32{1}, 3)}
		if in.Count != nil {
			j.Relevant = slices.Repeat([]int32{1}, in.Count[user])
		}
		var row []any
		for k := 1; k <= len(hits); k++ {
			row = append(row, measure(&j, k))
		}
		out = append(out, row)
	}
	return out
}

func numbers(list []string) (out []int32) {
	for _, s := range list {
		n, _ := strconv.ParseInt(s, 10, 32)
		out = append(out, int32(n))
	}
	return out
}

// Every published case of a ranking measure is reproduced, and none is passed over.
func TestPublishedVectors(t *testing.T) {
	data, err := os.ReadFile(vectorsFile)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("%s is not there: the published cases were not compared", vectorsFile)
	}
	var vectors []vector
	if err == nil {
		err = json.Unmarshal(data, &vectors)
	}
	if err != nil || len(vectors) == 0 {
		t.Fatalf("%s: %d cases, %v", vectorsFile, len(vectors), err)
	}
	cases := vectorCases()
	for _, v := range vectors {
		compute, ok := cases[v.ID]
		if !ok {
			t.Errorf("%s (%s): nothing computes it", v.ID, v.Metric)
			continue
		}
		var want any
		if err := json.Unmarshal(v.Expected, &want); err != nil {
			t.Fatal(err)
		}
		compare(t, v.ID+" "+v.Metric, compute(&v.Input), want, v.Tolerance)
		if v.Input.RunScores != nil { // a run with scores: as trec_eval has it
			values := trecByTrec(&v.Input)
			if one, is := want.(float64); is {
				want = map[string]any{v.Metric: one}
			}
			compare(t, v.ID+" by trec", map[string]any{"ndcg": values["ndcg"], "map": values["map"]}, want, v.Tolerance)
		}
	}
}

func compare(t *testing.T, name string, got, want any, tolerance float64) {
	t.Helper()
	switch want := want.(type) {
	case float64:
		if g, ok := got.(float64); !ok || !(math.Abs(g-want) <= tolerance) {
			t.Errorf("%s: %v, expected %v", name, got, want)
		}
	case []any:
		g, _ := got.([]any)
		if len(g) != len(want) {
			t.Fatalf("%s: %v, expected %v", name, got, want)
		}
		for i := range want {
			compare(t, fmt.Sprintf("%s[%d]", name, i), g[i], want[i], tolerance)
		}
	case map[string]any:
		g, _ := got.(map[string]any)
		for key := range want {
			compare(t, name+" "+key, g[key], want[key], tolerance)
		}
	default:
		t.Errorf("%s: cannot compare with %v", name, want)
	}
}
