package wording

import (
	"bufio"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func linter(tb testing.TB) *Linter {
	tb.Helper()
	l, err := NewLinter()
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

// A lintCase is one line of testdata/lint_cases.txt.
type lintCase struct {
	line int
	want string
	text string
}

func lintCases(tb testing.TB) []lintCase {
	tb.Helper()
	f, err := os.Open("testdata/lint_cases.txt")
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	var out []lintCase
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		if lines.Text() == "" || strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		want, text, ok := strings.Cut(lines.Text(), "\t")
		if !ok {
			tb.Fatalf("line %d: no tab", n)
		}
		out = append(out, lintCase{line: n, want: want, text: text})
	}
	return out
}

// summary writes findings as the case file does.
func summary(found []Finding) string {
	if len(found) == 0 {
		return "-"
	}
	parts := make([]string, len(found))
	for i, f := range found {
		parts[i] = f.Rule + ":" + f.Text
	}
	return strings.Join(parts, " ")
}

// The sentences of the case file, unlawful and lawful, are judged without a miss
// and without a false alarm.
func TestLintCases(t *testing.T) {
	l := linter(t)
	cases := lintCases(t)
	lawful := 0
	for _, c := range cases {
		found := l.Lint(c.text, SalesText)
		if got := summary(found); got != c.want {
			t.Errorf("lint_cases.txt:%d %s\n got %s\nwant %s", c.line, c.text, got, c.want)
		}
		checkSpans(t, c.text, found)
		if c.want == "-" {
			lawful++
		}
	}
	if len(cases) < 200 || lawful < 80 {
		t.Errorf("%d cases, %d lawful; the promise is more than 200 and 80", len(cases), lawful)
	}
}

// checkSpans holds what every finding promises: a place in the text that reads as
// it says, and words of advice.
func checkSpans(tb testing.TB, text string, found []Finding) {
	tb.Helper()
	lines := strings.Split(text, "\n")
	for i, f := range found {
		if f.Line < 1 || f.Line > len(lines) {
			tb.Fatalf("finding %+v: line out of range", f)
		}
		runes := []rune(strings.TrimSuffix(lines[f.Line-1], "\r"))
		if f.Start < 0 || f.End <= f.Start || f.End > len(runes) {
			tb.Fatalf("finding %+v: span out of a line of %d", f, len(runes))
		}
		if got := string(runes[f.Start:f.End]); got != f.Text {
			tb.Fatalf("finding %+v: the line reads %q there", f, got)
		}
		if f.Why == "" || f.Instead == "" {
			tb.Fatalf("finding %+v: no advice", f)
		}
		if i > 0 && (found[i-1].Line > f.Line || found[i-1].Line == f.Line && found[i-1].Start > f.Start) {
			tb.Fatalf("findings out of order: %+v", found)
		}
	}
}

// Offsets count characters of the original line, lines count from 1, and neither
// CRLF nor characters beyond the basic plane shift them.
func TestFindingPlaces(t *testing.T) {
	text := "本产品可能亏损。\r\n😀保 本，𠮷祥\r\n\n收益有保障"
	got := linter(t).Lint(text, SalesText)
	type place struct {
		Rule             string
		Line, Start, End int
	}
	var places []place
	for _, f := range got {
		places = append(places, place{f.Rule, f.Line, f.Start, f.End})
	}
	want := []place{{"W07", 2, 1, 4}, {"W07", 4, 0, 5}}
	if diff := cmp.Diff(want, places); diff != "" {
		t.Error(diff)
	}
}

// A return in a product template needs the benchmark too; a line of text does not.
func TestProductTemplateNeedsBenchmark(t *testing.T) {
	l := linter(t)
	const without = "近一年收益率12.3%，同期最大回撤18.2%，波动率15.1%。过往业绩不预示未来表现。"
	const with = "近一年收益率12.3%，业绩比较基准为10.1%，同期最大回撤18.2%，波动率15.1%。过往业绩不预示未来表现。"
	if got := summary(l.Lint(without, SalesText)); got != "-" {
		t.Errorf("sales text: %s", got)
	}
	if got := summary(l.Lint(without, ProductTemplate)); got != "W03:收益率12.3%" {
		t.Errorf("template without benchmark: %s", got)
	}
	if got := summary(l.Lint(with, ProductTemplate)); got != "-" {
		t.Errorf("template with benchmark: %s", got)
	}
}

// A word that is cut by any of these is still found, at its whole span.
func TestDisguisesBetweenCharacters(t *testing.T) {
	l := linter(t)
	for _, cut := range []string{"", " ", "　", "*", "·", ".", "-", "_", "/", "|", "~", "★", "\u200b", "\u00ad", "\ufe0f", "🔒", "...", " * "} {
		for _, word := range []string{"保本", "零风险", "稳赚", "承诺", "保证", "高收益", "刚兑", "名列前茅", "欲购从速", "正收益", "抽奖", "绝对安全"} {
			cutWord := strings.Join(strings.Split(word, ""), cut)
			found := l.Lint("本产品："+cutWord+"。", SalesText)
			if len(found) != 1 || found[0].Text != cutWord {
				t.Errorf("%q: got %s", cutWord, summary(found))
			}
		}
	}
}

// The negation of a claim is lawful for every forbidden word that can be denied.
func TestNegationOfEveryClaim(t *testing.T) {
	l := linter(t)
	for _, word := range []string{"保本", "保证收益", "承诺收益", "无风险", "刚兑", "兜底", "稳赚"} {
		for _, frame := range []string{"本产品不%s。", "本产品并非%s。", "没有任何产品能够%s。", "不得使用“%s”等字样。", "“%s”等说法都是骗局。"} {
			text := strings.ReplaceAll(frame, "%s", word)
			if found := l.Lint(text, SalesText); len(found) > 0 {
				t.Errorf("%s: false alarm %s", text, summary(found))
			}
		}
		for _, frame := range []string{"本产品%s。", "不仅%s，而且灵活。", "不是不%s。"} {
			text := strings.ReplaceAll(frame, "%s", word)
			if len(l.Lint(text, SalesText)) == 0 {
				t.Errorf("%s: missed", text)
			}
		}
	}
}

// An empty text, a text of marks only, and bytes that are no UTF-8 are no trouble.
func TestLintOddInput(t *testing.T) {
	l := linter(t)
	for _, text := range []string{"", "\n\n", "。。。", "\xff\xfe\xfd", "\x00", "\u202e", strings.Repeat("不", 500), "%", "近", "近个", "半年", "7日年化", "收益", "12%收益"} {
		checkSpans(t, text, l.Lint(text, SalesText))
	}
}

// Rule data that are broken are refused with a message that names the place.
func TestBrokenRuleData(t *testing.T) {
	good := map[string]string{}
	for _, name := range []string{"rules/text_rules.yaml", "rules/context.yaml", "rules/disguises.yaml"} {
		text, err := rulesFiles.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		good[name] = string(text)
	}
	for name, c := range map[string]struct{ file, old, with, want string }{
		"unknown key":    {"rules/text_rules.yaml", "- id: W04\n", "- id: W04\n    colour: red\n", "colour"},
		"no why":         {"rules/text_rules.yaml", "    why: 提到业绩", "    instead: 提到业绩", "instead"},
		"twice":          {"rules/text_rules.yaml", "- id: W04\n", "- id: W03\n", "W03 stands twice"},
		"missing":        {"rules/text_rules.yaml", "- id: W05\n", "- id: W55\n", "W05 is missing"},
		"one character":  {"rules/text_rules.yaml", "terms: [保本,", "terms: [保, 保本,", "shorter than two"},
		"context":        {"rules/text_rules.yaml", "lawful: [真~,", "lawful: [真,", "one ~"},
		"pinyin":         {"rules/text_rules.yaml", "[zheng shou yi]", "[zheng shou]", "does not spell"},
		"unknown in ctx": {"rules/context.yaml", "negators:", "nogators:", "nogators"},
		"variant":        {"rules/context.yaml", "  证: 證証", "  证据: 證証", "want one character"},
	} {
		files := fsOf(good)
		files[c.file].Data = []byte(strings.Replace(good[c.file], c.old, c.with, 1))
		_, err := newLinter(files)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.file) {
			t.Errorf("%s: got %v, want the file and %q", name, err, c.want)
		}
	}
	if _, err := newLinter(fsOf(nil)); err == nil {
		t.Error("no files: want an error")
	}
}

// Whatever the text, linting ends, findings lie in it, and it says the same twice.
func FuzzLint(f *testing.F) {
	for _, c := range lintCases(f) {
		f.Add(c.text)
	}
	f.Add("近\xff3个月\n收益%")
	l := linter(f)
	f.Fuzz(func(t *testing.T, text string) {
		first := l.Lint(text, SalesText)
		if utf8.ValidString(text) {
			checkSpans(t, text, first)
		}
		if !slices.Equal(first, l.Lint(text, SalesText)) {
			t.Fatalf("two answers for %q", text)
		}
		l.Lint(text, ProductTemplate)
	})
}

// Ordinary sales text: the case file over and over, to a megabyte.
func megabyte(tb testing.TB, separator string) string {
	tb.Helper()
	var b strings.Builder
	for b.Len() < 1<<20 {
		for _, c := range lintCases(tb) {
			b.WriteString(c.text)
			b.WriteString(separator)
		}
	}
	return b.String()[:1<<20]
}

func BenchmarkLint(b *testing.B) {
	l := linter(b)
	lawful := strings.Repeat("本产品不是存款，可能亏损，请阅读基金合同、招募说明书和产品资料概要后独立决定。\n", 1<<20/115)
	for _, c := range []struct{ name, text string }{
		{"lawful", lawful},
		{"cases", megabyte(b, "\n")},
		{"oneline", megabyte(b, "，")},
		{"hostile", strings.Repeat("保证任何收益的", 1<<20/21)},
		{"returns", strings.Repeat("近收益", 1<<20/9)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.text)))
			b.ReportAllocs()
			for b.Loop() {
				l.Lint(c.text, SalesText)
			}
		})
	}
}

func BenchmarkNewLinter(b *testing.B) {
	for b.Loop() {
		linter(b)
	}
}

// A rule that is off is not reported, and the others say what they said before.
func TestLintRulesOff(t *testing.T) {
	l := linter(t)
	const text = "近一个月收益5.2%，规模突破百亿，保本"
	all := l.Lint(text, SalesText)
	for _, id := range AllRules().IDs() {
		off, err := ParseRuleSet(id)
		if err != nil {
			t.Fatal(err)
		}
		want := slices.DeleteFunc(slices.Clone(all), func(f Finding) bool { return f.Rule == id })
		if diff := cmp.Diff(want, l.LintRules(text, SalesText, AllRules().Without(off))); diff != "" {
			t.Errorf("without %s: %s", id, diff)
		}
	}
	if got := summary(l.LintRules(text, SalesText, AllRules().Without(DraftRules()))); got != "W05:收益5.2% W07:保本" {
		t.Errorf("without the draft: %s", got)
	}
	if got := l.LintRules(text, SalesText, 0); len(got) != 0 {
		t.Errorf("no rules: %s", summary(got))
	}
}
