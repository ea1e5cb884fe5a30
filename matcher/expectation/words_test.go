package expectation_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/expectation"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

var update = flag.Bool("update", false, "write testdata/wishes.golden and the tables of docs/expectations.md anew")

func templates(tb testing.TB) *wording.Templates {
	tb.Helper()
	text, err := wording.Compile(wording.DefaultTemplates())
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

// say renders a sentence for a reader who may read it.
func say(t *testing.T, text *wording.Templates, reader wording.Audience, name string, evidence ...fund.Evidence) string {
	t.Helper()
	id, ok := text.ID(name)
	if !ok || !text.Audience(id).May(reader) {
		t.Fatalf("%q is no sentence for a %s", name, reader)
	}
	out, err := text.AppendEvidence(nil, id, evidence)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// grounded is a wish as Settle makes it of a goal and a source.
func grounded(g fund.Goal, s expectation.Source, isCompany bool) expectation.Wish {
	w := expectation.Wish{Goal: g, Source: s, Company: isCompany, Question: expectation.AskGoal}
	class := [fund.Goals]fund.Class{
		fund.Cash: fund.MoneyMarket, fund.SteadyIncome: fund.Bond, fund.Growth: fund.Equity, fund.Education: fund.FundOfFunds, fund.Retirement: fund.FundOfFunds,
		fund.Inflation: fund.Commodity, fund.House: fund.ShortBond, fund.TaxDeferredPension: fund.FundOfFunds, fund.Treasury: fund.MoneyMarket,
	}[g]
	switch s {
	case expectation.Stated:
		w.Question = expectation.AskHorizon
		if isCompany {
			w.Question = expectation.AskCashCycle
		}
	case expectation.FromHoldings:
		w.Ground = expectation.Ground{Class: class, Share: 720_000}
	case expectation.FromBehaviour:
		w.Ground = expectation.Ground{Class: class, Share: 650_000, Views: 20}
	case expectation.FromTag, expectation.FromQuestionnaire:
		w.Ground = expectation.Ground{Since: 20240101}
	case expectation.FromGroup:
		w.Ground = expectation.Ground{Age: expectation.From30}
		if isCompany {
			w.Ground = expectation.Ground{Industry: 2, Months: 2, Need: fund.NeedHigh}
		}
	}
	return w
}

// For each goal and source what a person and a company read: the headline, what it rests
// on, and the question.
func TestWishesInWords(t *testing.T) {
	text := templates(t)
	var out bytes.Buffer
	heads := map[string]string{}
	for _, isCompany := range []bool{false, true} {
		who := map[bool]string{false: "PERSON", true: "COMPANY"}[isCompany]
		for g := fund.Cash; int(g) < fund.Goals; g++ {
			for _, s := range byTrust() {
				w := grounded(g, s, isCompany)
				if g == fund.Treasury && !isCompany && s == expectation.FromGroup {
					continue // nobody guesses that a person is a company
				}
				head := say(t, text, wording.Customer, w.Headline(true))
				reason := say(t, text, wording.Customer, w.Reason(), w.Facts(day, nil)...)
				fmt.Fprintf(&out, "%s %s %s\n  %s\n  %s\n  %s\n", who, g, s, head, reason, say(t, text, wording.Customer, w.QuestionSentence()))
				checkVoice(t, &w, head)
				key := w.Headline(true)
				if other, ok := heads[head]; ok && other != key {
					t.Errorf("%s and %s say the same: %s", other, key, head)
				}
				heads[head] = key
			}
		}
	}
	golden(t, "testdata/wishes.golden", out.Bytes())
}

// checkVoice holds what a headline says to its source: what is inferred is put as a
// question, and nobody is told what others like him want.
func checkVoice(t *testing.T, w *expectation.Wish, said string) {
	t.Helper()
	asks := strings.Contains(said, "吗？") || strings.Contains(said, "请告诉我们") || strings.Contains(said, "请贵公司先告诉")
	if asks == (w.Source == expectation.Stated) && w.Goal != fund.TaxDeferredPension {
		t.Errorf("%s from %s: %s", w.Goal, w.Source, said)
	}
	if w.Company && strings.Contains(said, "您") || !w.Company && w.Goal != fund.Treasury && strings.Contains(said, "公司") {
		t.Errorf("%s from %s, company %v: %s", w.Goal, w.Source, w.Company, said)
	}
	for _, word := range []string{"不少人", "同行业的企业", "客户", "大众", "MASS", "PRIVATE"} {
		if strings.Contains(said, word) {
			t.Errorf("%s from %s is told %q: %s", w.Goal, w.Source, word, said)
		}
	}
}

// byTrust lists the sources, the most trusted first.
func byTrust() []expectation.Source {
	out := make([]expectation.Source, 0, expectation.Sources)
	for s := range expectation.Source(expectation.Sources) {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b expectation.Source) int { return b.Trust() - a.Trust() })
	return out
}

// Where nothing is known, or nothing may be read, that is what is said.
func TestHeadlinesOfNobody(t *testing.T) {
	text := templates(t)
	for _, c := range []struct {
		wish     expectation.Wish
		personal bool
		want     string
	}{
		{expectation.Impersonal(false), false, "这份列表没有使用您的个人偏好，请对照自己的用途来看。"},
		{expectation.Wish{Goal: fund.House, Source: expectation.Stated}, false, "这份列表没有使用您的个人偏好，请对照自己的用途来看。"},
		{expectation.Wish{}, true, "我们还不知道这笔钱的用途，先请您回答一个问题，再谈合不合适。"},
		{expectation.Wish{Company: true}, true, "我们还不知道这笔资金的用途，先请贵公司回答一个问题，再谈合不合适。"},
	} {
		if got := say(t, text, wording.Customer, c.wish.Headline(c.personal)); got != c.want {
			t.Errorf("%+v: %s", c.wish, got)
		}
	}
	w := grounded(fund.Cash, expectation.FromGroup, false)
	w.HorizonMonths, w.HorizonSource = 6, expectation.Stated
	if got := say(t, text, wording.Customer, w.Reason(), w.Facts(day, nil)...); got != "您还没有告诉我们用途，我们只参考了您的年龄段（30至44岁）和打算放的时间（6个月），所以先问您一句。" {
		t.Errorf("a group by age and horizon: %s", got)
	}
	if w := (expectation.Wish{}); w.Reason() != "" || w.QuestionSentence() != "" || len(w.Facts(day, nil)) != 0 {
		t.Error("nothing rests on something")
	}
}

// Each question as it is put to a person and to a company, first asked and confirmed.
func TestQuestions(t *testing.T) {
	text := templates(t)
	want := map[string][2]string{
		"GOAL":          {"这笔钱您打算用来做什么？例如日常备用、孩子教育、养老，或者长期增值。", "这笔资金贵公司打算用在哪里？例如日常付款、工程款，或者暂时没有安排。"},
		"HORIZON":       {"这笔钱您大约多久以后要用？", "这笔资金贵公司大约多久以后要付出去？从收到货款到对外付款，一般隔多久？"},
		"LIQUIDITY":     {"在这段时间里，您有没有可能提前用到这笔钱？", "在这段时间里，发工资、缴税或者付货款，会不会提前用到这笔资金？"},
		"LOSS_ATTITUDE": {"如果这笔钱一段时间里出现亏损，您更可能卖出、继续持有，还是再买一些？", "如果这笔资金一段时间里出现亏损，贵公司更可能取出、继续持有，还是再买一些？"},
		"CASH_CYCLE":    {"这笔资金贵公司大约多久以后要付出去？从收到货款到对外付款，一般隔多久？", "这笔资金贵公司大约多久以后要付出去？从收到货款到对外付款，一般隔多久？"},
		"GOAL answered": {"您在问卷里说过这笔钱的用途，现在有变化吗？", "贵公司在问卷里说过这笔资金的用途，现在有变化吗？"},
		"HORIZON answered": {
			"您在问卷里说过这笔钱打算放多久，现在有变化吗？", "贵公司在问卷里说过这笔资金可以放多久，现在的付款安排有变化吗？",
		},
		"CASH_CYCLE answered": {
			"贵公司在问卷里说过这笔资金可以放多久，现在的付款安排有变化吗？", "贵公司在问卷里说过这笔资金可以放多久，现在的付款安排有变化吗？",
		},
	}
	for q := expectation.AskGoal; int(q) < expectation.Questions; q++ {
		for _, answered := range []bool{false, true} {
			name := q.String()
			w := expectation.Wish{Goal: fund.Cash, Source: expectation.Stated, Question: q}
			if answered {
				w.Source, w.HorizonSource = expectation.FromQuestionnaire, expectation.FromQuestionnaire
				if _, ok := want[name+" answered"]; ok {
					name += " answered"
				}
			}
			for i, isCompany := range []bool{false, true} {
				if w.Company = isCompany; say(t, text, wording.Customer, w.QuestionSentence()) != want[name][i] {
					t.Errorf("%s, company %v: %s", name, isCompany, w.QuestionSentence())
				}
			}
		}
		w := expectation.Wish{Question: q}
		if q.Sentence() != w.QuestionSentence() || q.String() == "" {
			t.Errorf("%q is asked as %q and as %q", q, q.Sentence(), w.QuestionSentence())
		}
	}
	if expectation.NoQuestion.Sentence() != "" || expectation.NoQuestion.String() != "" {
		t.Error("no question asks something")
	}
}

// The evidence of a wish: what it rests on, since when, and where to look it up.
func TestFacts(t *testing.T) {
	line := func(facts []fund.Evidence) string {
		var out []string
		for i := range facts {
			e := &facts[i]
			out = append(out, strings.TrimSpace(fmt.Sprintf("%s=%s %s %s %d", e.Field, e.Value(), e.Source, e.Window, e.Stale)))
			if e.AsOf != day {
				t.Errorf("%+v is not as of %s", e, day)
			}
		}
		return strings.Join(out, "; ")
	}
	for s, want := range map[expectation.Source]string{
		expectation.Stated:            "GOAL=购房 CUSTOMER  0",
		expectation.FromQuestionnaire: "GOAL=购房 QUESTIONNAIRE 2024-01-01/2024-03-06 65",
		expectation.FromHoldings:      "GOAL=购房 HOLDINGS  0; CLASS=短期债券基金 HOLDINGS  0; SHARE=0.720000 HOLDINGS  0",
		expectation.FromBehaviour: "GOAL=购房 BEHAVIOUR  0; CLASS=短期债券基金 BEHAVIOUR 2023-12-08/2024-03-06 0; SHARE=0.650000 BEHAVIOUR 2023-12-08/2024-03-06 0; " +
			"VIEWS=20 BEHAVIOUR 2023-12-08/2024-03-06 0; VIEW_DAYS=90 MODEL 2023-12-08/2024-03-06 0",
		expectation.FromTag:   "GOAL=购房 TAG 2024-01-01/2024-03-06 65",
		expectation.FromGroup: "GOAL=购房 MODEL  0; AGE_BAND=30至44岁 CUSTOMER  0",
	} {
		w := grounded(fund.House, s, false)
		if got := line(w.Facts(day, nil)); got != want {
			t.Errorf("%s:\n got %s\nwant %s", s, got, want)
		}
	}
	w := grounded(fund.Treasury, expectation.FromGroup, true)
	w.HorizonMonths, w.HorizonSource = 6, expectation.FromQuestionnaire
	want := "BEFORE=   0; GOAL=企业闲置资金 MODEL  0; SEGMENT=企业客户 CUSTOMER  0; INDUSTRY=物流运输 CUSTOMER  0; CYCLE=2 MODEL  0; USUAL_NEED=HIGH MODEL  0; HORIZON=6 QUESTIONNAIRE  0"
	if got := line(w.Facts(day, []fund.Evidence{{Field: "BEFORE", AsOf: day}})); got != want {
		t.Errorf("a company:\n got %s\nwant %s", got, want)
	}
	// A tag without a day, or of tomorrow, has no age.
	for _, since := range []fund.Date{0, day.AddDays(1)} {
		w := grounded(fund.House, expectation.FromTag, false)
		w.Ground.Since = since
		if got := line(w.Facts(day, nil)); got != "GOAL=购房 TAG  0" {
			t.Errorf("since %s: %s", since, got)
		}
	}
}

// Each goal and each class has a name of its own that customers read.
func TestEverythingHasAName(t *testing.T) {
	seen := map[string]bool{}
	for g := fund.Cash; int(g) < fund.Goals; g++ {
		w := grounded(g, expectation.Stated, false)
		label := w.Facts(day, nil)[0].Text
		if seen[label] || label == "" || strings.Contains(label, g.String()) {
			t.Errorf("%s: %q", g, label)
		}
		seen[label] = true
	}
	for c := range fund.Class(fund.Classes) {
		w := grounded(fund.House, expectation.FromHoldings, false)
		w.Ground.Class = c
		label := w.Facts(day, nil)[1].Text
		if seen[label] || label == "" || strings.Contains(label, c.String()) {
			t.Errorf("%s: %q", c, label)
		}
		seen[label] = true
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not current; run the test with -update and read the diff", name)
	}
}
