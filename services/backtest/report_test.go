package backtest_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/evaluate"
	"github.com/fundmatch/fundmatch/services/backtest"
)

// meanOf is the mean of a contender's nDCG over some of its splits, by place.
func meanOf(c *backtest.Contender, from, to int) float64 {
	sum := 0.0
	for i := from; i < to; i++ {
		sum += float64(c.Splits[i].NDCG.Value)
	}
	return sum / float64(to-from)
}

// Means, halves, groups of five and the worst five are what the splits give.
func TestReportAddsUp(t *testing.T) {
	b := randomBank(t, 10, 200) // splits 0 3 6 9 12 15 18
	_, report := runOf(t, b, backtest.Config{Subject: scored(t), Baselines: []backtest.Recommender{backtest.Popularity()}})
	subject, baseline := &report.Contenders[0], &report.Contenders[1]
	near(t, "mean", subject.Whole.NDCG.Value, meanOf(subject, 0, 7))
	near(t, "first half", subject.Halves[0].NDCG.Value, meanOf(subject, 0, 3))
	near(t, "second half", subject.Halves[1].NDCG.Value, meanOf(subject, 3, 7))
	if subject.Halves[0].Splits != "0-6" || subject.Halves[1].Splits != "9-18" {
		t.Errorf("halves %s and %s", subject.Halves[0].Splits, subject.Halves[1].Splits)
	}
	c := &report.Comparisons[0]
	near(t, "difference", c.Whole.NDCG.Value, meanOf(subject, 0, 7)-meanOf(baseline, 0, 7))
	near(t, "ratio", c.Whole.NDCG.Ratio, meanOf(subject, 0, 7)/meanOf(baseline, 0, 7))
	if len(c.Fives) != 2 || c.Fives[0].Splits != "0-12" || c.Fives[1].Splits != "15-18" {
		t.Fatalf("groups %+v", c.Fives)
	}
	near(t, "first five", c.Fives[0].NDCG.Ratio, meanOf(subject, 0, 5)/meanOf(baseline, 0, 5))
	near(t, "what is left", c.Fives[1].NDCG.Value, meanOf(subject, 5, 7)-meanOf(baseline, 5, 7))
	near(t, "second half's difference", c.Halves[1].NDCG.Value, meanOf(subject, 3, 7)-meanOf(baseline, 3, 7))
	worst := math.Inf(1)
	for from := range 3 {
		worst = min(worst, meanOf(subject, from, from+5)/meanOf(baseline, from, from+5))
	}
	near(t, "worst five", c.Worst.Ratio, worst)
	for _, f := range []backtest.Figure{subject.Whole.NDCG, subject.Splits[2].Recall, c.Whole.NDCG.Figure, c.Fives[1].PermittedNDCG.Figure} {
		if !(f.CI95[0] < f.Value && f.Value < f.CI95[1]) {
			t.Errorf("%v does not lie in its interval", f)
		}
	}
}

// A contender beside itself differs by nothing, certainly: differences are paired.
func TestNothingDiffersFromItself(t *testing.T) {
	_, report := runOf(t, randomBank(t, 11, 200), backtest.Config{
		Subject:   scored(t, []string{"OBJECTED"}), // nobody objected: the same lists
		Bootstrap: evaluate.Bootstrap{Replicates: 100, Seed: 3, Level: .9},
	})
	d := report.Comparisons[0].Whole.NDCG
	if d.Value != 0 || d.CI95 != [2]backtest.Number{} || d.Ratio != 1 {
		t.Errorf("%+v, expected 0 [0, 0] and 1", d)
	}
}

// One split has no halves, and is its own worst five.
func TestOneSplit(t *testing.T) {
	_, report := runOf(t, smallBank(t), backtest.Config{Subject: nearest(t), Baselines: []backtest.Recommender{backtest.Popularity()}, Splits: &[2]int32{1, 1}})
	c := &report.Comparisons[0]
	if len(c.Halves) > 0 || len(report.Contenders[0].Halves) > 0 || len(c.Fives) != 1 || c.Worst.Splits != "1-1" || report.Config.FirstSplit != 1 {
		t.Errorf("halves %+v, fives %+v, worst %+v", c.Halves, c.Fives, c.Worst)
	}
}

// What is not known is null, and reads back as not known.
func TestReportJSON(t *testing.T) {
	b := smallBank(t)
	b.wanted = []wanted{{0, "c", ""}, {1, "c", ""}}
	_, report := runOf(t, b, backtest.Config{Subject: nearest(t), Baselines: []backtest.Recommender{backtest.Popularity()}})
	data, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"schema":"fundmatch.backtest/v1"`, `"permitted_ndcg10":{"value":null,"ci95":[null,null]}`, `"ndcg10":{"value":0,"ci95":[0,0],"ratio":null}`,
		`"splits":"0-0"`, `"role":"BASELINE"`, `"not_compared":{"seconds":0,"peak_memory_bytes":0,"workers":1}`,
	} {
		if !bytes.Contains(data, []byte(want)) {
			t.Errorf("no %s in %s", want, data)
		}
	}
	var again backtest.Report
	if err := json.Unmarshal(data, &again); err != nil {
		t.Fatal(err)
	}
	if v := again.Contenders[0].Whole.PermittedNDCG.Value; !math.IsNaN(float64(v)) || again.Run != report.Run {
		t.Errorf("read back as %v and %+v", v, again.Run)
	}
	if err := json.Unmarshal([]byte(`{"config":{"bootstrap_level":"x"}}`), &again); err == nil {
		t.Error("a text in a number's place was read")
	}
}

func page(t *testing.T, report *backtest.Report) string {
	t.Helper()
	var out bytes.Buffer
	if err := report.WriteHTML(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// The page is whole: every drawing is well-formed, nothing is drawn at NaN, nothing comes
// from elsewhere, and names are texts whatever they hold.
func TestPage(t *testing.T) {
	const name = `<script>alert("x")</script>&`
	for title, config := range map[string]backtest.Config{
		"one contender":       {Subject: backtest.Popularity()},
		"baselines, variants": {Subject: scored(t, []string{"AFFINITY"}), Baselines: []backtest.Recommender{nearest(t), backtest.Popularity(), spy{name}}},
		"permitted":           {Subject: nearest(t), Baselines: []backtest.Recommender{spy{name}}, Permitted: true},
		"one split":           {Subject: nearest(t), Baselines: []backtest.Recommender{spy{name}}, Splits: &[2]int32{3, 3}},
	} {
		t.Run(title, func(t *testing.T) {
			_, report := runOf(t, randomBank(t, 12, 100), config)
			report.Data.Files = []backtest.File{{Name: "a<b.csv", Rows: 1234567}}
			text := page(t, report)
			drawings := regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(text, -1)
			if len(drawings) == 0 {
				t.Error("nothing is drawn")
			}
			for _, d := range drawings {
				for dec := xml.NewDecoder(strings.NewReader(d)); ; {
					if _, err := dec.Token(); errors.Is(err, io.EOF) {
						break
					} else if err != nil {
						t.Fatalf("%v in %s", err, d)
					}
				}
			}
			for _, bad := range []string{"NaN", "Inf", "<script", "http:", "https:", "a<b", "%!"} {
				if strings.Contains(text, bad) {
					t.Errorf("the page holds %q", bad)
				}
			}
			if !strings.Contains(text, "1,234,567") {
				t.Error("the rows of a file are not shown")
			}
		})
	}
}

// What it took to make it is not on the page.
func TestPageDoesNotTellTheEffort(t *testing.T) {
	_, report := runOf(t, smallBank(t), backtest.Config{Subject: nearest(t)})
	before := page(t, report)
	report.NotCompared = backtest.Effort{Seconds: 12.75, PeakMemoryBytes: 987654321, Workers: 63}
	if page(t, report) != before {
		t.Error("seconds, memory or workers changed the page")
	}
}

// Nobody counts in a split: there is no point, and the axis stands.
func TestPageWithoutFigures(t *testing.T) {
	b := smallBank(t)
	b.wanted = []wanted{{0, "c", ""}, {1, "c", ""}}
	_, report := runOf(t, b, backtest.Config{Subject: nearest(t), Baselines: []backtest.Recommender{backtest.Popularity()}, Permitted: true})
	text := page(t, report)
	if strings.Contains(text, "NaN") || strings.Contains(text, "<circle") {
		t.Error("something is drawn of nobody")
	}
}

func TestText(t *testing.T) {
	_, report := runOf(t, smallBank(t), backtest.Config{Subject: nearest(t), Baselines: []backtest.Recommender{backtest.Popularity()}, Permitted: true})
	var out bytes.Buffer
	if err := report.WriteText(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"splits 0-1, 5 lists a contender, with the grade rule", "knn", "popularity", "less popularity", "worst five", "0.5000 ["} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "NaN") {
		t.Errorf("NaN in\n%s", out.String())
	}
	if err := report.WriteText(failing{io.ErrClosedPipe}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a closed pipe: %v", err)
	}
}
