package trec_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/evaluate"
	"github.com/fundmatch/fundmatch/matcher/evaluate/trec"
)

// graded is what is judged, by document.
type graded map[string]int32

func (g graded) judged(t interface{ Fatal(...any) }) *trec.Judged {
	var all []trec.Judgement
	for id, grade := range g {
		all = append(all, trec.Judgement{ID: id, Grade: grade})
	}
	j, err := trec.NewJudged(all)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// list is a run in the order of its documents.
func list(ids ...string) (run []trec.Retrieved) {
	for i, id := range ids {
		run = append(run, trec.Retrieved{ID: id, Score: float32(len(ids) - i)})
	}
	return run
}

// measure is a query's values by name.
func measure(t interface{ Fatal(...any) }, s trec.Settings, g graded, run []trec.Retrieved) map[string]float64 {
	m, err := trec.New(s)
	if err != nil {
		t.Fatal(err)
	}
	j := g.judged(t)
	trec.Order(run)
	values := make([]float64, len(m.Names()))
	m.Query(values, j, j.Rank(nil, run))
	out := map[string]float64{}
	for i, name := range m.Names() {
		out[name] = values[i]
	}
	return out
}

func expect(t *testing.T, got, want map[string]float64) {
	t.Helper()
	for name, v := range want {
		if g, measured := got[name]; !measured || !(math.Abs(g-v) <= 1e-15) {
			t.Errorf("%s: %v, expected %v", name, g, v)
		}
	}
}

// By hand: a b c d e are retrieved; b (grade 2) and d (1) are relevant, z (1) too and not retrieved; a and y are judged
// not relevant, c was pooled and not judged, e is unknown.
func TestByHand(t *testing.T) {
	t.Parallel()
	g := graded{"a": 0, "b": 2, "c": -1, "d": 1, "y": 0, "z": 1}
	log3, log5 := math.Log2(3), math.Log2(5)
	ideal := 2 + 1/log3 + 1/2.0
	expect(t, measure(t, trec.Settings{Cutoffs: []int{2, 3}}, g, list("a", "b", "c", "d", "e")), map[string]float64{
		"num_ret": 5, "num_rel": 3, "num_rel_ret": 2,
		"map": (1/2.0 + 2/4.0) / 3, "Rprec": 1 / 3.0, "recip_rank": 1 / 2.0,
		"bpref":                (1 - 1/2.0 + 1 - 1/2.0) / 3, // one of two nonrelevant stands above each; c and e count not
		"iprec_at_recall_0.00": 1 / 2.0, "iprec_at_recall_0.30": 1 / 2.0, "iprec_at_recall_0.60": 1 / 2.0, "iprec_at_recall_1.00": 0,
		"iprec_at_recall_0.70": 1 / 2.0, // .7 x 3 + .9 is 2.9999999999999996 in binary, and so 2: trec_eval's own figure
		"iprec_at_recall_0.80": 0, "11pt_avg": 8 * .5 / 11,
		"P_2": 1 / 2.0, "P_5": 2 / 5.0, "P_10": 2 / 10.0, "recall_3": 1 / 3.0, "recall_1000": 2 / 3.0,
		"ndcg": (2/log3 + 1/log5) / ideal, "ndcg_cut_2": (2 / log3) / (2 + 1/log3), "ndcg_cut_10": (2/log3 + 1/log5) / ideal,
		"map_cut_3": (1 / 2.0) / 3, "map_cut_5": (1/2.0 + 2/4.0) / 3,
		"success_1": 0, "success_2": 1, "success_5": 1,
		"set_P": 2 / 5.0, "set_recall": 2 / 3.0, "set_F": 2 * (2 / 5.0) * (2 / 3.0) / (2/5.0 + 2/3.0),
	})
}

// bpref counts at most as many nonrelevant documents as there are relevant ones, above and in all.
func TestBprefBounds(t *testing.T) {
	t.Parallel()
	g := graded{"n1": 0, "n2": 0, "n3": 0, "r1": 1, "r2": 1}
	for _, c := range []struct {
		list []string
		want float64
	}{
		{[]string{"r1", "r2"}, 1},                            // nothing above: no division
		{[]string{"n1", "r1", "n2", "r2"}, (1 - .5 + 0) / 2}, // min(1,2)/min(3,2), min(2,2)/min(3,2)
		{[]string{"n1", "n2", "n3", "r1"}, 0},                // three above are as two
		{[]string{"n1"}, 0},
		{[]string{"x", "y", "r1"}, 1 / 2.0}, // unknown documents are passed over
	} {
		expect(t, measure(t, trec.Settings{}, g, list(c.list...)), map[string]float64{"bpref": c.want})
	}
	one := graded{"n": 0, "r1": 1, "r2": 1, "r3": 1}
	expect(t, measure(t, trec.Settings{}, one, list("r1", "n", "r2")), map[string]float64{"bpref": (1 + 1 - 1/1.0) / 3})
}

// .1 of 11 relevant documents is 1.1, + .9 is 2: the first alone is not enough, where rounding would say so.
func TestInterpolationNeedsTrecEvals9Thresholds(t *testing.T) {
	t.Parallel()
	g := graded{}
	for i := range 11 {
		g[fmt.Sprint("r", i)] = 1
	}
	expect(t, measure(t, trec.Settings{}, g, list("r0")), map[string]float64{
		"iprec_at_recall_0.00": 1, "iprec_at_recall_0.10": 0, "11pt_avg": 1 / 11.0, "num_rel": 11, "Rprec": 1 / 11.0,
	})
	expect(t, measure(t, trec.Settings{}, g, list("r0", "x", "r1")), map[string]float64{
		"iprec_at_recall_0.00": 1, "iprec_at_recall_0.10": 2 / 3.0, "iprec_at_recall_0.20": 0,
	})
}

// Scores that are the same in 32 bits are ties, and ties go by id, bytes descending.
func TestTies(t *testing.T) {
	t.Parallel()
	run := []trec.Retrieved{
		{ID: "a", Score: 1},
		{ID: "B", Score: 1},
		{ID: "ä", Score: 1},
		{ID: "z", Score: 2},
		{ID: "b", Score: float32(1 + 1e-9)},
		{ID: "zero", Score: 0},
		{ID: "minus zero", Score: float32(math.Copysign(0, -1))},
		{ID: "infinite", Score: float32(math.Inf(1))},
	}
	trec.Order(run)
	var ids []string
	for _, r := range run {
		ids = append(ids, r.ID)
	}
	if want := []string{"infinite", "z", "ä", "b", "a", "B", "zero", "minus zero"}; !slices.Equal(ids, want) {
		t.Errorf("%q, expected %q", ids, want)
	}
}

// With a level of 2, grade 1 is judged not relevant, and still a gain of nDCG.
func TestLevel(t *testing.T) {
	t.Parallel()
	g := graded{"a": 1, "b": 2, "c": 3}
	expect(t, measure(t, trec.Settings{Level: 2}, g, list("a", "b")), map[string]float64{
		"num_rel": 2, "num_rel_ret": 1, "map": (1 / 2.0) / 2, "bpref": 0, "recip_rank": .5,
		"ndcg": (1 + 2/math.Log2(3)) / (3 + 2/math.Log2(3) + 1/2.0),
	})
}

// Where nothing is relevant, or nothing judged, every measure is 0; gm_map's logarithm is the least.
func TestNothingRelevant(t *testing.T) {
	t.Parallel()
	for name, g := range map[string]graded{"judged": {"a": 0}, "pooled": {"a": -1, "b": -2}, "other": {"q": 0}} {
		for measure, v := range measure(t, trec.Settings{}, g, list("a", "b")) {
			want := map[string]float64{"num_q": 1, "num_ret": 2, "gm_map": math.Log(.00001)}[measure]
			if v != want {
				t.Errorf("%s: %s: %v, expected %v", name, measure, v, want)
			}
		}
	}
}

func TestSummary(t *testing.T) {
	t.Parallel()
	first, second, third := graded{"a": 1}, graded{"a": 1, "b": 1}, graded{"a": 2, "b": 1, "c": 0}
	sum := func(s trec.Settings) map[string]float64 {
		m, err := trec.New(s)
		if err != nil {
			t.Fatal(err)
		}
		summary, values := m.Summary(), make([]float64, len(m.Names()))
		for _, g := range []graded{first, second} {
			j := g.judged(t)
			m.Query(values, j, j.Rank(nil, list("a", "x")))
			summary.Add(values, j)
		}
		summary.Lacks(third.judged(t))
		out := map[string]float64{}
		for i, v := range summary.Result() {
			out[m.Names()[i]] = v
		}
		if int(out["num_q"]) != summary.Queries() {
			t.Errorf("%d queries, and num_q %v", summary.Queries(), out["num_q"])
		}
		return out
	}
	expect(t, sum(trec.Settings{}), map[string]float64{
		"num_q": 2, "num_ret": 4, "num_rel": 3, "num_rel_ret": 2, "map": .75, "gm_map": math.Sqrt(.5), "P_5": .2, "set_recall": .75,
	})
	expect(t, sum(trec.Settings{Complete: true}), map[string]float64{
		"num_q": 3, "num_ret": 4, "num_rel": 5, "num_rel_ret": 2, "map": .5, "gm_map": math.Cbrt(.5 * .00001), "set_recall": .5,
	})
	// trec_eval counts grades above 0 when it takes in missing queries, whatever the level.
	expect(t, sum(trec.Settings{Complete: true, Level: 2}), map[string]float64{"num_q": 3, "num_rel": 5, "num_rel_ret": 0})
	m, err := trec.New(trec.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range m.Summary().Result() {
		if v != 0 {
			t.Errorf("%s of no queries: %v", m.Names()[i], v)
		}
	}
}

// The measures stand in the order in which trec_eval prints them; cutoffs are added in theirs, once.
func TestNames(t *testing.T) {
	t.Parallel()
	m, err := trec.New(trec.Settings{Cutoffs: []int{7, 10, 7}})
	if err != nil {
		t.Fatal(err)
	}
	names := m.Names()
	want := []string{"num_q", "num_ret", "num_rel", "num_rel_ret", "map", "gm_map", "Rprec", "bpref", "recip_rank", "iprec_at_recall_0.00"}
	if !slices.Equal(names[:len(want)], want) || names[len(names)-1] != "set_F" {
		t.Errorf("%q", names)
	}
	at := slices.Index(names, "P_5")
	if got, want := names[at:at+11], []string{"P_5", "P_7", "P_10", "P_15", "P_20", "P_30", "P_100", "P_200", "P_500", "P_1000", "recall_5"}; !slices.Equal(got, want) {
		t.Errorf("%q, expected %q", got, want)
	}
	at = slices.Index(names, "success_1")
	if got, want := names[at:at+5], []string{"success_1", "success_5", "success_7", "success_10", "set_P"}; !slices.Equal(got, want) {
		t.Errorf("%q, expected %q", got, want)
	}
	for i, name := range names {
		if trec.OverAll(i) != (name == "num_q" || name == "gm_map") || trec.Counts(i) != (name[:2] == "nu") {
			t.Errorf("%s: only over all %v, counts %v", name, trec.OverAll(i), trec.Counts(i))
		}
	}
}

func TestSettingsBounds(t *testing.T) {
	t.Parallel()
	for _, s := range []trec.Settings{
		{Cutoffs: []int{0}}, {Cutoffs: []int{trec.MaxCutoff + 1}}, {Cutoffs: make([]int, trec.MaxCutoffs+1)}, {Level: -1},
	} {
		if _, err := trec.New(s); !errors.Is(err, trec.ErrSettings) {
			t.Errorf("%d cutoffs, level %d: %v", len(s.Cutoffs), s.Level, err)
		}
	}
	if _, err := trec.New(trec.Settings{Cutoffs: slices.Repeat([]int{trec.MaxCutoff}, trec.MaxCutoffs)}); err != nil {
		t.Error(err)
	}
}

// Of several documents that are judged twice, the one that repeats first in the file is told.
func TestJudgedTwice(t *testing.T) {
	t.Parallel()
	_, err := trec.NewJudged([]trec.Judgement{{ID: "b", Line: 1}, {ID: "a", Line: 2}, {ID: "a", Line: 5}, {ID: "b", Line: 4}, {ID: "b", Line: 3}})
	var twice *trec.DuplicateError
	if !errors.As(err, &twice) || *twice != (trec.DuplicateError{ID: "b", First: 1, Line: 3}) {
		t.Errorf("%v", err)
	}
}

// Where the definitions are the same, the measures are those of matcher/evaluate.
func TestAgreesWithEvaluate(t *testing.T) {
	t.Parallel()
	documents := rapid.SliceOfNDistinct(rapid.IntRange(0, 60), 1, 40, rapid.ID[int])
	rapid.Check(t, func(t *rapid.T) {
		g, grades := graded{}, map[string]int32{}
		for _, d := range documents.Draw(t, "judged") {
			id := fmt.Sprint(d)
			g[id] = rapid.Int32Range(-2, 4).Draw(t, "grade")
			grades[id] = g[id]
		}
		var run []trec.Retrieved
		var scored []evaluate.Scored
		for _, d := range documents.Draw(t, "run") {
			score := float32(rapid.IntRange(0, 5).Draw(t, "score"))
			run = append(run, trec.Retrieved{ID: fmt.Sprint(d), Score: score})
			scored = append(scored, evaluate.Scored{ID: fmt.Sprint(d), Score: float64(score)})
		}
		got := measure(t, trec.Settings{Cutoffs: []int{3}}, g, run)
		j := evaluate.Judge(evaluate.Order(scored, evaluate.TiesByIDDescending), grades)
		for name, want := range map[string]float64{
			"map": j.AveragePrecision(0, evaluate.OverRelevant), "map_cut_3": j.AveragePrecision(3, evaluate.OverRelevant),
			"ndcg": j.NDCG(0, evaluate.LinearGain), "ndcg_cut_3": j.NDCG(3, evaluate.LinearGain), "ndcg_cut_10": j.NDCG(10, evaluate.LinearGain),
			"P_3": j.Precision(3), "recall_5": j.Recall(5, evaluate.OverRelevant), "recip_rank": j.ReciprocalRank(0), "success_3": j.Hit(3),
			"set_P": j.Precision(0), "set_recall": j.Recall(0, evaluate.OverRelevant), "Rprec": j.Recall(len(j.Relevant), evaluate.OverRelevant),
		} {
			if len(j.Relevant) == 0 {
				want = 0 // a cutoff of 0 means the whole list there
			}
			if !(math.Abs(got[name]-want) <= 1e-14) {
				t.Fatalf("%s: %v, expected %v", name, got[name], want)
			}
		}
		for name, v := range got {
			if name != "gm_map" && name[:2] != "nu" && !(v >= 0 && v <= 1+1e-15) {
				t.Fatalf("%s: %v", name, v)
			}
		}
	})
}

// What trec_eval itself prints for query 303 of its own test (test/out.test.aqc). The list is put together again from that
// output: 84 documents, 6 of 10 relevant ones at ranks 3, 4, 5, 7, 13 and 18, all of the first 20 judged, 67 in all.
func TestTrecEvalsOwnOutput(t *testing.T) {
	t.Parallel()
	g, ids := graded{}, []string(nil)
	for i := range 84 {
		id := fmt.Sprintf("d%02d", i+1)
		ids = append(ids, id)
		switch {
		case slices.Contains([]int{3, 4, 5, 7, 13, 18}, i+1):
			g[id] = 1
		case i < 67:
			g[id] = 0
		}
	}
	for _, id := range []string{"w", "x", "y", "z"} {
		g[id] = 1
	}
	got := measure(t, trec.Settings{}, g, list(ids...))
	for name, want := range map[string]string{
		"num_ret": "84.0000", "num_rel": "10.0000", "num_rel_ret": "6.0000", "map": "0.2723", "Rprec": "0.4000", "bpref": "0.3300", "recip_rank": "0.3333",
		"iprec_at_recall_0.00": "0.6000", "iprec_at_recall_0.10": "0.6000", "iprec_at_recall_0.20": "0.6000", "iprec_at_recall_0.30": "0.6000",
		"iprec_at_recall_0.40": "0.5714", "iprec_at_recall_0.50": "0.3846", "iprec_at_recall_0.60": "0.3333", "iprec_at_recall_0.70": "0.0000",
		"P_5": "0.6000", "P_10": "0.4000", "P_15": "0.3333", "P_20": "0.3000", "P_30": "0.2000", "P_100": "0.0600", "P_200": "0.0300", "P_500": "0.0120", "P_1000": "0.0060",
		"recall_5": "0.3000", "recall_10": "0.4000", "recall_15": "0.5000", "recall_20": "0.6000", "recall_1000": "0.6000",
		"11pt_avg": "0.3354", "ndcg": "0.4730", "ndcg_cut_5": "0.4469", "ndcg_cut_10": "0.3633", "ndcg_cut_15": "0.4211", "ndcg_cut_20": "0.4730", "ndcg_cut_1000": "0.4730",
		"map_cut_5": "0.1433", "map_cut_10": "0.2005", "map_cut_15": "0.2389", "map_cut_20": "0.2723", "map_cut_1000": "0.2723",
		"success_1": "0.0000", "success_5": "1.0000", "success_10": "1.0000", "set_P": "0.0714", "set_recall": "0.6000", "set_F": "0.1277",
	} {
		if v := fmt.Sprintf("%.4f", got[name]); v != want {
			t.Errorf("%s: %s, expected %s", name, v, want)
		}
	}
}
