package backtest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/services/backtest"
)

func nearest(t *testing.T) backtest.Recommender {
	t.Helper()
	return backtest.Nearest()
}

func scored(t *testing.T, variants ...[]string) backtest.Recommender {
	t.Helper()
	m, err := score.ParseModel(score.DefaultModel())
	if err != nil {
		t.Fatal(err)
	}
	r, err := backtest.Scored(m, variants)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// By hand. Buyers as of split 0: P1 3 (a b d), P2 2 (b c), P3 2 (c d), P4 1 (e), P5 none: no candidate.
// As of split 1: P2 3 (a b c); the candidates are P1 P3 P4.
func TestPopularityByHand(t *testing.T) {
	run, report := runOf(t, smallBank(t), backtest.Config{Subject: backtest.Popularity()})
	want := `split,customer_id,rank,product_code
0,a,1,P2
0,a,2,P3
0,a,3,P4
0,b,1,P3
0,b,2,P4
0,c,1,P1
0,c,2,P4
1,b,1,P3
1,b,2,P4
1,d,1,P4
`
	if diff := cmp.Diff(want, run); diff != "" {
		t.Errorf("lists (-want +got):\n%s", diff)
	}
	log3 := math.Log2(3)
	c := &report.Contenders[0]
	// Split 0: a 1; b finds P4 in the second place of two wished for; c wanted nothing: 0.
	split0 := (1 + (1/log3)/(1+1/log3) + 0) / 3
	// Split 1: b 1; d finds P4, and not P2, which is no candidate.
	split1 := (1 + 1/(1+1/log3)) / 2
	near(t, "nDCG of split 0", c.Splits[0].NDCG.Value, split0)
	near(t, "nDCG of split 1", c.Splits[1].NDCG.Value, split1)
	near(t, "nDCG", c.Whole.NDCG.Value, (split0+split1)/2)
	near(t, "recall of split 0", c.Splits[0].Recall.Value, (1+.5+0)/3)
	near(t, "recall", c.Whole.Recall.Value, ((1+.5+0)/3+(1+.5)/2)/2)
	// Permitted: split 0: a (C2) 1; b (no level: R1) wanted P5, which is not listed: 0; c wanted nothing: skipped.
	// Split 1: b wanted nothing that is R1: skipped; d (C3) wanted P2: 0.
	near(t, "permitted nDCG of split 0", c.Splits[0].PermittedNDCG.Value, .5)
	near(t, "permitted nDCG of split 1", c.Splits[1].PermittedNDCG.Value, 0)
	// Above the level: a P3 P4, b P3 P4, c (C5) none; b P3 P4, d P4.
	if got := []int64{c.Splits[0].Violations, c.Splits[1].Violations, c.Violations}; !slices.Equal(got, []int64{4, 3, 7}) {
		t.Errorf("violations %v, expected [4 3 7]", got)
	}
	near(t, "coverage of split 0", c.Splits[0].Coverage, 1)
	near(t, "coverage of split 1", c.Splits[1].Coverage, 2.0/3)
	near(t, "coverage", c.Coverage, 1)
	if s := report.Splits[0]; s.Customers != 3 || s.Candidates != 4 || s.Products != 4 || s.AsOf != "2020-01-31" {
		t.Errorf("split 0: %+v", s)
	}
	if d := report.Data; d.Interactions != 9 || d.Ignored != 1 || d.Products != 5 || d.Customers != 5 {
		t.Errorf("data: %+v", d)
	}
}

// With the grade rule, by hand: a (C2) may have P1 P2, b (no level) P1 P5, c (C5) all, d
// (C3, assessed after split 0 and before split 1: the rule does not ask when) P1 P2 P3.
func TestPermittedByHand(t *testing.T) {
	run, report := runOf(t, smallBank(t), backtest.Config{Subject: backtest.Popularity(), Permitted: true})
	want := `split,customer_id,rank,product_code
0,a,1,P2
0,c,1,P1
0,c,2,P4
`
	if diff := cmp.Diff(want, run); diff != "" {
		t.Errorf("lists (-want +got):\n%s", diff)
	}
	c := &report.Contenders[0]
	near(t, "permitted nDCG of split 0", c.Splits[0].PermittedNDCG.Value, .5)
	if c.Violations != 0 || report.Run.Rows != 3 {
		t.Errorf("%d violations, %d rows, expected 0 and 3", c.Violations, report.Run.Rows)
	}
	near(t, "nDCG", c.Splits[0].NDCG.Value, 1.0/3)
}

// kNN by hand, split 0: together are P1 P2 (b), P2 P3 (c), P1 P3 (d), once each, and
// co/(n_x^.5 n_y^.1). For a, who has P1: P2 and P3 are equal, and P2 comes first; P4 has none.
// For b, who has P1 and P2: P3. For c, who has P2 and P3: P1 before P4.
func TestNearestByHand(t *testing.T) {
	run, _ := runOf(t, smallBank(t), backtest.Config{Subject: nearest(t), Splits: &[2]int32{0, 0}})
	want := `split,customer_id,rank,product_code
0,a,1,P2
0,a,2,P3
0,a,3,P4
0,b,1,P3
0,b,2,P4
0,c,1,P1
0,c,2,P4
`
	if diff := cmp.Diff(want, run); diff != "" {
		t.Errorf("lists (-want +got):\n%s", diff)
	}
}

func near(t *testing.T, what string, got backtest.Number, want float64) {
	t.Helper()
	if !(math.Abs(float64(got)-want) <= 1e-12) {
		t.Errorf("%s: %v, expected %v", what, got, want)
	}
}

// all are the recommenders that there are, and the spy, who reads all that he can.
func all(t *testing.T) map[string]backtest.Recommender {
	t.Helper()
	return map[string]backtest.Recommender{
		"spy": spy{"spy"}, "popularity": backtest.Popularity(), "knn": nearest(t), "model": scored(t),
	}
}

// What became known after a split's day changes nothing in the lists of the split; on the
// day itself it does.
func TestLaterPurchasesChangeNothing(t *testing.T) {
	for name, r := range all(t) {
		t.Run(name, func(t *testing.T) {
			b := randomBank(t, 1, 60)
			one := backtest.Config{Subject: r, Splits: &[2]int32{9, 9}} // as of day 60
			before, _ := runOf(t, b, one)
			for _, c := range b.customers {
				b.purchases = append(b.purchases,
					purchase{c.ID, "P003", b.splits[3].AsOf.AddDays(1).String(), ""}, purchase{c.ID, "P004", "2021-01-01", ""})
			}
			if after, _ := runOf(t, b, one); after != before {
				t.Error("purchases that were not known yet changed the lists")
			}
			for i := range b.purchases[len(b.purchases)-2*len(b.customers):] {
				b.purchases[len(b.purchases)-1-i].day = b.splits[3].AsOf.String()
			}
			if after, _ := runOf(t, b, one); after == before {
				t.Error("purchases of the day itself changed nothing")
			}
		})
	}
}

// What customers turned out to want changes no list: only who gets one, and what it is worth.
func TestWishesChangeNoList(t *testing.T) {
	for name, r := range all(t) {
		t.Run(name, func(t *testing.T) {
			b := randomBank(t, 2, 60)
			before, worth := runOf(t, b, backtest.Config{Subject: r})
			for i := range b.wanted {
				b.wanted[i].products = "P000 P001 P002"
			}
			after, other := runOf(t, b, backtest.Config{Subject: r})
			if after != before {
				t.Error("the wishes changed the lists")
			}
			if worth.Contenders[0].Whole == other.Contenders[0].Whole {
				t.Error("the wishes changed no figure")
			}
			for i := range b.splits { // neither does until when they are judged
				b.splits[i].TestEnd = b.splits[i].TestEnd.AddDays(50)
			}
			if after, _ := runOf(t, b, backtest.Config{Subject: r}); after != before {
				t.Error("the end of the test changed the lists")
			}
		})
	}
}

// A level that was assessed later, or that is no assessment, feeds no list.
func TestLaterLevelsChangeNothing(t *testing.T) {
	for name, r := range all(t) {
		t.Run(name, func(t *testing.T) {
			b := randomBank(t, 3, 60)
			one := backtest.Config{Subject: r, Splits: &[2]int32{9, 9}}
			asOf := b.splits[3].AsOf
			before, _ := runOf(t, b, one)
			changed := 0
			for i := range b.customers {
				l := &b.customers[i].Level
				if l.AssessedOn == 0 || l.AssessedOn > asOf {
					l.Level = fund.C1 + (l.Level+2)%5
					changed++
				}
			}
			if after, _ := runOf(t, b, one); after != before || changed == 0 {
				t.Errorf("%d levels that were not known changed the lists", changed)
			}
			if name != "spy" && name != "model" {
				return // who never reads a level
			}
			for i := range b.customers {
				b.customers[i].Level.AssessedOn = asOf
			}
			if after, _ := runOf(t, b, one); after == before {
				t.Error("levels of the day itself changed nothing")
			}
		})
	}
}

// With the grade rule on, no list holds what the level in the file does not permit,
// whoever makes it; and nobody gets what he has.
func TestListsHoldOnlyWhatIsOffered(t *testing.T) {
	for name, r := range all(t) {
		t.Run(name, func(t *testing.T) {
			b := randomBank(t, 4, 80)
			run, report := runOf(t, b, backtest.Config{Subject: r, Permitted: true})
			if v := report.Contenders[0].Violations; v != 0 {
				t.Errorf("%d violations", v)
			}
			grades, levels, bought := map[string]fund.RiskGrade{}, map[string]fund.RiskGrade{}, map[string]string{}
			for _, p := range b.products {
				grades[p.Code] = p.Grades.Bank
			}
			for _, c := range b.customers {
				levels[c.ID] = max(fund.R1, fund.RiskGrade(c.Level.Level))
			}
			for _, p := range b.purchases {
				if known, ok := bought[p.customer+" "+p.product]; !ok || p.day < known {
					bought[p.customer+" "+p.product] = p.day
				}
			}
			days := map[string]string{}
			for _, s := range b.splits {
				days[fmtInt(s.Number)] = s.AsOf.String()
			}
			lines := strings.Split(strings.TrimSuffix(run, "\n"), "\n")[1:]
			for _, line := range lines {
				f := strings.Split(line, ",")
				if grades[f[3]] > levels[f[1]] {
					t.Fatalf("%s: a product of %s for a level that permits %s", line, grades[f[3]], levels[f[1]])
				}
				if day, ok := bought[f[1]+" "+f[3]]; ok && day <= days[f[0]] {
					t.Fatalf("%s: he had it since %s", line, day)
				}
			}
			if len(lines) == 0 || int64(len(lines)) != report.Run.Rows {
				t.Errorf("%d lines, %d reported", len(lines), report.Run.Rows)
			}
		})
	}
}

func fmtInt(n int32) string { b, _ := json.Marshal(n); return string(b) }

// The lists and the report are the same bytes for any worker count.
func TestWorkersChangeNothing(t *testing.T) {
	b := randomBank(t, 5, 700)
	document := func(workers int) (string, string) {
		run, report := runOf(t, b, backtest.Config{
			Subject: scored(t, []string{"POPULARITY"}), Baselines: []backtest.Recommender{nearest(t), backtest.Popularity(), spy{"spy"}}, Workers: workers,
		})
		report.NotCompared = backtest.Effort{}
		text, err := json.Marshal(report)
		if err != nil {
			t.Fatal(err)
		}
		return run, string(text)
	}
	run, report := document(1)
	for _, workers := range []int{2, 3, 16} {
		otherRun, otherReport := document(workers)
		if otherRun != run {
			t.Errorf("%d workers made other lists", workers)
		}
		if otherReport != report {
			t.Errorf("%d workers made another report", workers)
		}
	}
}

// The order of the rows leaves no trace.
func TestOrderOfRowsChangesNothing(t *testing.T) {
	b := randomBank(t, 6, 60)
	config := backtest.Config{Subject: scored(t), Baselines: []backtest.Recommender{spy{"spy"}}}
	run, report := runOf(t, b, config)
	slices.Reverse(b.products)
	slices.Reverse(b.customers)
	slices.Reverse(b.splits)
	slices.Reverse(b.purchases)
	slices.Reverse(b.wanted)
	otherRun, otherReport := runOf(t, b, config)
	if run != otherRun {
		t.Error("another order of rows made other lists")
	}
	if diff := cmp.Diff(report, otherReport); diff != "" {
		t.Errorf("another order of rows made another report:\n%s", diff)
	}
}

// rogue lists what it was not offered, or fails, or does too much.
type rogue struct {
	list  []int32
	train error
	names []string
}

func (r rogue) Names() []string {
	if r.names != nil {
		return r.names
	}
	return []string{"rogue"}
}

func (r rogue) Train(context.Context, *backtest.History, int) ([]backtest.Model, error) {
	return []backtest.Model{r}, r.train
}

func (r rogue) Ranker() backtest.Ranker { return r }

func (r rogue) Rank(_ int32, _ []uint64, _ int, dst []int32) []int32 { return append(dst, r.list...) }

func TestRefusedRuns(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		change func(*bank, *backtest.Config)
		is     error
		want   string
	}{
		"no such split":         {func(_ *bank, c *backtest.Config) { c.Splits = &[2]int32{5, 9} }, backtest.ErrConfig, "no split to run"},
		"no workers":            {func(_ *bank, c *backtest.Config) { c.Workers = -1 }, backtest.ErrConfig, "-1 workers, expected 1 or more"},
		"one name twice":        {func(_ *bank, c *backtest.Config) { c.Baselines = []backtest.Recommender{backtest.Popularity()} }, backtest.ErrConfig, "two contenders have one name"},
		"no candidates":         {func(b *bank, _ *backtest.Config) { delete(b.offered, 1) }, backtest.ErrData, "split 1 has no candidates"},
		"no customers":          {func(b *bank, _ *backtest.Config) { b.wanted = b.wanted[:3] }, backtest.ErrData, "split 1 has no customers"},
		"training that fails":   {func(_ *bank, c *backtest.Config) { c.Subject = rogue{train: broken} }, broken, "train rogue: broken"},
		"models that are short": {func(_ *bank, c *backtest.Config) { c.Subject = rogue{names: []string{"x", "y"}} }, backtest.ErrRecommender, "x trained 1 models, expected 2"},
		"what he has":           {func(_ *bank, c *backtest.Config) { c.Subject = rogue{list: []int32{1, 0}}; c.Splits = &[2]int32{0, 0} }, backtest.ErrRecommender, "rogue listed what it was not offered, for customer a"},
		"no product at all":     {func(_ *bank, c *backtest.Config) { c.Subject = rogue{list: []int32{700}} }, backtest.ErrRecommender, "rogue listed what it was not offered"},
		"a negative product":    {func(_ *bank, c *backtest.Config) { c.Subject = rogue{list: []int32{-1}} }, backtest.ErrRecommender, "rogue listed what it was not offered"},
		"a list too long":       {func(_ *bank, c *backtest.Config) { c.Subject = rogue{list: make([]int32, 11)} }, backtest.ErrRecommender, "rogue listed what it was not offered"},
		"a product twice":       {func(_ *bank, c *backtest.Config) { c.Subject = rogue{list: []int32{1, 1}}; c.Splits = &[2]int32{0, 0} }, backtest.ErrRecommender, "rogue listed what it was not offered, for customer a"},
		"no replicates":         {func(_ *bank, c *backtest.Config) { c.Bootstrap.Level = 2 }, nil, "20 replicates at level 2"},
	} {
		t.Run(name, func(t *testing.T) {
			b, config := smallBank(t), backtest.Config{Subject: backtest.Popularity(), Workers: 2, Bootstrap: few()}
			c.change(b, &config)
			var run bytes.Buffer
			_, err := backtest.Run(context.Background(), b.data(t), config, &run)
			if err == nil || !strings.Contains(err.Error(), c.want) || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("got %v, expected %q", err, c.want)
			}
		})
	}
}

// An interrupt ends the run before anything is written; the goroutines are gone (TestMain).
func TestInterruptedRunWritesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var calls atomic.Int64
	config := backtest.Config{Subject: scored(t), Workers: 2, Bootstrap: few(), Progress: func(int64, int64) {
		if calls.Add(1) == 3 {
			cancel()
		}
	}}
	var run bytes.Buffer
	_, err := backtest.Run(ctx, randomBank(t, 7, 700).data(t), config, &run)
	if !errors.Is(err, context.Canceled) || run.Len() > 0 {
		t.Errorf("%v, %d bytes written", err, run.Len())
	}
}

// Progress ends at its total.
func TestProgress(t *testing.T) {
	var last, total atomic.Int64
	_, report := runOf(t, randomBank(t, 8, 300), backtest.Config{
		Subject: scored(t, []string{"COST"}), Workers: 3, Bootstrap: few(),
		Progress: func(done, all int64) { last.Store(max(last.Load(), done)); total.Store(all) },
	})
	if want := int64(2 * report.Lists()); total.Load() != want || last.Load() != want {
		t.Errorf("%d of %d lists done, expected %d", last.Load(), total.Load(), want)
	}
}

// A full disk is no run.
func TestListsThatCannotBeWritten(t *testing.T) {
	full := errors.New("disk full")
	_, err := backtest.Run(context.Background(), smallBank(t).data(t), backtest.Config{Subject: backtest.Popularity(), Workers: 1, Bootstrap: few()}, failing{full})
	if !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// A product that nobody graded is permitted to nobody; without the grade rule it may be listed.
func TestUngradedProducts(t *testing.T) {
	b := smallBank(t)
	for i := range b.products {
		b.products[i].Grades = fund.Grades{}
	}
	run, report := runOf(t, b, backtest.Config{Subject: backtest.Popularity(), Permitted: true})
	if report.Run.Rows != 0 {
		t.Errorf("lists of ungraded products:\n%s", run)
	}
	run, report = runOf(t, b, backtest.Config{Subject: backtest.Popularity()})
	if report.Run.Rows != 10 || report.Contenders[0].Violations != 10 {
		t.Errorf("%d violations in:\n%s", report.Contenders[0].Violations, run)
	}
}

// Variants leave out features, by name.
func TestVariants(t *testing.T) {
	b := randomBank(t, 9, 120)
	_, report := runOf(t, b, backtest.Config{Subject: scored(t, []string{"AFFINITY"}, []string{"POPULARITY", "AFFINITY"}), Baselines: []backtest.Recommender{nearest(t)}})
	var names []string
	for _, c := range report.Contenders {
		names = append(names, string(c.Role)+" "+c.Name)
	}
	want := []string{"SUBJECT spine", "VARIANT spine without AFFINITY", "VARIANT spine without POPULARITY, AFFINITY", "BASELINE knn"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("contenders (-want +got):\n%s", diff)
	}
	if a, c := report.Contenders[0].Whole.NDCG.Value, report.Contenders[1].Whole.NDCG.Value; a == c {
		t.Error("without AFFINITY the lists are worth the same")
	}
	m, err := score.ParseModel(score.DefaultModel())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := backtest.Scored(m, [][]string{{"COMMISSION"}}); !errors.Is(err, backtest.ErrFeature) || !strings.Contains(err.Error(), `"COMMISSION", expected one of AFFINITY `) {
		t.Errorf("an unknown feature: %v", err)
	}
	if m.Weights[score.Affinity] == 0 {
		t.Error("the model itself was changed")
	}
}
