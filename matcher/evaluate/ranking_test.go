package evaluate_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/evaluate"
)

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-12) {
		t.Errorf("%s: %v, expected %v", what, got, want)
	}
}

// By hand: a list a b c d e, relevant are b (grade 3), d (1) and z (2), which is not listed.
func TestMeasuresByHand(t *testing.T) {
	j := evaluate.Judge([]string{"a", "b", "c", "d", "e"}, map[string]int32{"b": 3, "d": 1, "z": 2, "x": 0, "y": -1})
	if !slices.Equal(j.Ranked, []int32{0, 3, 0, 1, 0}) || !slices.Equal(j.Relevant, []int32{3, 2, 1}) {
		t.Fatalf("judged as %+v", j)
	}
	log3, log5 := math.Log2(3), math.Log2(5)
	near(t, "nDCG", j.NDCG(0, evaluate.LinearGain), (3/log3+1/log5)/(3+2/log3+1/2.0))
	near(t, "nDCG@2", j.NDCG(2, evaluate.LinearGain), (3/log3)/(3+2/log3))
	near(t, "nDCG exponential", j.NDCG(5, evaluate.ExponentialGain), (7/log3+1/log5)/(7+3/log3+1/2.0))
	near(t, "recall@2 of R", j.Recall(2, evaluate.OverRelevant), 1.0/3)
	near(t, "recall@2 of min(R,K)", j.Recall(2, evaluate.OverCutoff), 1.0/2)
	near(t, "recall of min(R,K) without K", j.Recall(0, evaluate.OverCutoff), 2.0/3)
	near(t, "precision@4", j.Precision(4), 2.0/4)
	near(t, "precision@10, places that are not there", j.Precision(10), 2.0/10)
	near(t, "precision of the list", j.Precision(0), 2.0/5)
	near(t, "AP of R", j.AveragePrecision(0, evaluate.OverRelevant), (1.0/2+2.0/4)/3)
	near(t, "AP@2 of min(R,K)", j.AveragePrecision(2, evaluate.OverCutoff), (1.0/2)/2)
	near(t, "reciprocal rank", j.ReciprocalRank(0), 1.0/2)
	near(t, "reciprocal rank@1", j.ReciprocalRank(1), 0)
	near(t, "hit@1", j.Hit(1), 0)
	near(t, "hit@2", j.Hit(2), 1)
	near(t, "RBP", j.RankBiasedPrecision(0, .5), .5*(.5+.125))
}

// A product that stands twice is found once.
func TestARepeatedProductCountsOnce(t *testing.T) {
	j := evaluate.Judge([]int{7, 7, 7}, map[int]int32{7: 1, 8: 1})
	near(t, "recall", j.Recall(0, evaluate.OverRelevant), .5)
	near(t, "precision", j.Precision(0), 1.0/3)
}

// Where nothing was relevant every measure is 0, and where no list is too.
func TestNothingIsZero(t *testing.T) {
	for _, j := range []evaluate.Judgement{
		{}, evaluate.Judge([]int{1, 2}, nil), evaluate.Judge(nil, map[int]int32{1: 1}),
	} {
		for name, v := range measures(&j, 3) {
			if v != 0 {
				t.Errorf("%s of %+v: %v, expected 0", name, j, v)
			}
		}
	}
}

func measures(j *evaluate.Judgement, k int) map[string]float64 {
	return map[string]float64{
		"nDCG": j.NDCG(k, evaluate.LinearGain), "nDCG exponential": j.NDCG(k, evaluate.ExponentialGain),
		"recall": j.Recall(k, evaluate.OverRelevant), "recall of min": j.Recall(k, evaluate.OverCutoff),
		"precision": j.Precision(k), "hit": j.Hit(k), "RR": j.ReciprocalRank(k), "RBP": j.RankBiasedPrecision(k, .8),
		"AP": j.AveragePrecision(k, evaluate.OverRelevant), "AP of min": j.AveragePrecision(k, evaluate.OverCutoff),
	}
}

func drawJudgement(t *rapid.T) evaluate.Judgement {
	grades := rapid.MapOf(rapid.IntRange(0, 12), rapid.Int32Range(0, 4)).Draw(t, "grades")
	list := rapid.SliceOfDistinct(rapid.IntRange(0, 12), rapid.ID[int]).Draw(t, "list")
	return evaluate.Judge(list, grades)
}

// Every measure lies in [0, 1], whatever the list and the cutoff.
func TestMeasuresAreShares(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		j, k := drawJudgement(t), rapid.IntRange(0, 15).Draw(t, "k")
		for name, v := range measures(&j, k) {
			if !(v >= 0 && v <= 1+1e-12) {
				t.Fatalf("%s@%d of %+v: %v", name, k, j, v)
			}
		}
	})
}

// The best list has nDCG, recall and AP of 1 over min(R, K), and moving a product of a
// higher grade forward never costs any.
func TestBetterListsMeasureBetter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		j, k := drawJudgement(t), rapid.IntRange(1, 15).Draw(t, "k")
		if len(j.Relevant) > 0 {
			best := evaluate.Judgement{Ranked: j.Relevant, Relevant: j.Relevant}
			for _, name := range []string{"nDCG", "nDCG exponential", "recall of min", "AP of min", "hit", "RR"} {
				if v := measures(&best, k)[name]; math.Abs(v-1) > 1e-12 {
					t.Fatalf("%s@%d of the best list: %v", name, k, v)
				}
			}
		}
		if len(j.Ranked) < 2 {
			return
		}
		at := rapid.IntRange(1, len(j.Ranked)-1).Draw(t, "at")
		if j.Ranked[at] <= j.Ranked[at-1] {
			return
		}
		better := evaluate.Judgement{Ranked: slices.Clone(j.Ranked), Relevant: j.Relevant}
		better.Ranked[at], better.Ranked[at-1] = better.Ranked[at-1], better.Ranked[at]
		before, after := measures(&j, k), measures(&better, k)
		for name := range before {
			if after[name] < before[name]-1e-12 {
				t.Fatalf("%s@%d fell from %v to %v", name, k, before[name], after[name])
			}
		}
	})
}

// With grades of 0 and 1 the gains are one.
func TestGainsAgreeOnYesAndNo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		j := drawJudgement(t)
		for _, grades := range [][]int32{j.Ranked, j.Relevant} {
			for i := range grades {
				grades[i] = min(grades[i], 1)
			}
		}
		if a, b := j.NDCG(10, evaluate.LinearGain), j.NDCG(10, evaluate.ExponentialGain); a != b {
			t.Fatalf("%v and %v", a, b)
		}
	})
}

func TestMean(t *testing.T) {
	nan := math.NaN()
	near(t, "absent as zero", evaluate.Mean([]float64{1, nan, .5}, evaluate.CountAsZero), .5)
	near(t, "absent skipped", evaluate.Mean([]float64{1, nan, .5}, evaluate.Skip), .75)
	for _, absent := range []evaluate.Absent{evaluate.CountAsZero, evaluate.Skip} {
		if v := evaluate.Mean(nil, absent); !math.IsNaN(v) {
			t.Errorf("mean of nobody: %v, expected NaN", v)
		}
	}
	if v := evaluate.Mean([]float64{nan}, evaluate.Skip); !math.IsNaN(v) {
		t.Errorf("mean of nobody who counts: %v, expected NaN", v)
	}
}

func TestOrder(t *testing.T) {
	run := []evaluate.Scored{{"a", 1}, {"c", 2}, {"b", 2}, {"d", .5}}
	if got := evaluate.Order(run, evaluate.TiesByIDDescending); !slices.Equal(got, []string{"c", "b", "a", "d"}) {
		t.Errorf("by id: %v", got)
	}
	run[1], run[2] = run[2], run[1]
	if got := evaluate.Order(run, evaluate.TiesAsGiven); !slices.Equal(got, []string{"b", "c", "a", "d"}) {
		t.Errorf("as given: %v", got)
	}
	if run[0].ID != "a" {
		t.Error("the run was changed")
	}
}

func TestLists(t *testing.T) {
	counts := evaluate.Counts([][]int32{{0, 1}, {0, 1}, {0, -1, 9}}, 4)
	if !slices.Equal(counts, []int64{3, 2, 0, 0}) {
		t.Fatalf("counts %v", counts)
	}
	near(t, "coverage", evaluate.Coverage(counts), .5)
	near(t, "entropy", evaluate.Entropy(counts), -.6*math.Log(.6)-.4*math.Log(.4))
	near(t, "entropy of nothing", evaluate.Entropy([]int64{0, 0}), 0)
	// Gini by its other definition: the mean absolute difference over twice the mean.
	near(t, "Gini", evaluate.Gini(counts), (2*(1+3+3+2+2)/16.0)/(2*5/4.0))
	near(t, "Gini of equals", evaluate.Gini([]int64{4, 4, 4}), 0)
	near(t, "Gini of one who has all", evaluate.Gini([]int64{0, 9, 0}), 2.0/3)
	near(t, "Gini of nothing", evaluate.Gini([]int64{0, 0}), 0)
	near(t, "coverage of no products", evaluate.Coverage(nil), 0)
}

func TestDiversity(t *testing.T) {
	vectors := [][]float64{{1, 0}, {0, 2}, {3, 0}, {0, 0}}
	vector := func(p int32) []float64 { return vectors[p] }
	near(t, "three", evaluate.Diversity([]int32{0, 1, 2}, 0, vector), 2.0/3)
	near(t, "two of them", evaluate.Diversity([]int32{0, 2, 1}, 2, vector), 0)
	near(t, "one", evaluate.Diversity([]int32{0}, 0, vector), 0)
	near(t, "without features", evaluate.Diversity([]int32{0, 3}, 0, vector), 1)
}
