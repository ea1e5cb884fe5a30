package wording

import (
	"bufio"
	"maps"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
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
		// A lawful line before it shifts the lines and changes nothing else.
		second := l.Lint("请阅读产品资料概要。\n"+text, SalesText)
		for i := range second {
			second[i].Line--
		}
		if !slices.Equal(first, second) {
			t.Fatalf("%q reads otherwise behind a lawful line: %v, %v", text, first, second)
		}
	})
}

// wordRules are the rules that are found by their words alone, so that a disguise of
// the words changes nothing.
var wordRules = RuleSet(0).With(ruleBit("W04")).With(ruleBit("W06")).With(ruleBit("W07")).With(ruleBit("S06")).With(ruleBit("C09"))

// Whatever is put between the characters of a flagged word, and however wide it is
// written, it stays flagged; so do the words around it.
func TestDisguiseKeepsFindings(t *testing.T) {
	l := linter(t)
	disguises := map[string]func(string) string{
		"zero width":  func(s string) string { return strings.Join(strings.Split(s, ""), "\u200b") },
		"selectors":   func(s string) string { return strings.Join(strings.Split(s, ""), "\ufe0f") },
		"spaces":      func(s string) string { return strings.Join(strings.Split(s, ""), " ") },
		"stars":       func(s string) string { return strings.Join(strings.Split(s, ""), "*") },
		"emoji":       func(s string) string { return strings.Join(strings.Split(s, ""), "🔥") },
		"full width":  fullWidth,
		"traditional": func(s string) string { return traditional(l, s) },
	}
	flagged := 0
	for _, s := range judgedSentences(t) {
		for _, f := range l.LintRules(s.text, SalesText, wordRules) {
			runes := []rune(s.text)
			flagged++
			for name, disguise := range disguises {
				text := string(runes[:f.Start]) + disguise(f.Text) + string(runes[f.End:])
				if found := l.Lint(text, SalesText); !rulesOf(found).Has(f.Rule) {
					t.Errorf("%s: %s of %s is no longer found in %s", name, f.Rule, f.Text, text)
				}
			}
		}
	}
	if flagged < 150 {
		t.Errorf("only %d flagged words were tried", flagged)
	}
}

// fullWidth writes the ASCII letters, digits and marks of a text in full width.
func fullWidth(s string) string {
	return strings.Map(func(r rune) rune {
		if r > ' ' && r <= '~' {
			return r + 0xFEE0
		}
		return r
	}, s)
}

// traditional writes every character in another form that folds to it, if there is one.
func traditional(l *Linter, s string) string {
	return strings.Map(func(r rune) rune {
		for _, other := range "證諾風險無穩賺剛兌擔強購從機盡獎禮贈現過業績預來資損獲漲錢絕對會產個動勝達紅" {
			if other != r && l.fold.of(other) == uint16(r) {
				return other
			}
		}
		return r
	}, s)
}

// Text of a megabyte: the sentences over and over.
func megabyte(texts []string, separator string) string {
	var b strings.Builder
	for b.Len() < 1<<20 {
		for _, text := range texts {
			b.WriteString(text)
			b.WriteString(separator)
		}
	}
	return strings.ToValidUTF8(b.String()[:1<<20], "")
}

// benchTexts are ordinary and hostile texts of a megabyte each.
func benchTexts(tb testing.TB) map[string]string {
	var all, lawful []string
	for _, s := range judgedSentences(tb) {
		all = append(all, s.text)
		if s.want == 0 {
			lawful = append(lawful, s.text)
		}
	}
	mixed := slices.Clone(lawful) // one unlawful line in ten, as a bad poster has
	for i := 0; i < len(all); i += 30 {
		mixed = append(mixed, all[i])
	}
	return map[string]string{
		"lawful": megabyte(lawful, "\n"), "mixed": megabyte(mixed, "\n"), "unlawful": megabyte(all, "\n"),
		"one line": megabyte(mixed, "。"), "digits": megabyte([]string{"1234567890"}, ""), "one character": megabyte([]string{"保"}, ""),
		"quotes": megabyte([]string{"“"}, ""), "words": megabyte([]string{"保证任何收益的"}, ""), "returns": megabyte([]string{"近收益"}, ""),
		"findings": megabyte([]string{"保本"}, "。"), "plans": megabyte([]string{"定投"}, ""), "ranks": megabyte([]string{"排名第1"}, ""),
		"percent": megabyte([]string{"收益1%"}, ""), "pinyin": megabyte([]string{"bao3"}, ""), "not": megabyte([]string{"不"}, ""),
	}
}

// A megabyte of ordinary text is linted in under 100 ms on one core; this is the
// benchmark that shows it.
func BenchmarkLint1MB(b *testing.B) {
	l := linter(b)
	texts := benchTexts(b)
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(texts[name])))
			b.ReportAllocs()
			for b.Loop() {
				l.Lint(texts[name], SalesText)
			}
		})
	}
}

// The time grows with the text and not with its square, whatever it is made of: a line
// of sixteen times the length may take eighty times the processor, where a square would
// take two hundred and fifty-six times.
func TestLintIsLinear(t *testing.T) {
	if testing.Short() {
		t.Skip("measures time")
	}
	l := linter(t)
	for name, text := range benchTexts(t) {
		took := func(text string) time.Duration {
			best := time.Hour
			for range 2 {
				start := processorTime(t)
				l.Lint(text, SalesText)
				best = min(best, processorTime(t)-start)
			}
			return best
		}
		small, large := took(strings.ToValidUTF8(text[:1<<14], "")), took(strings.ToValidUTF8(text[:1<<18], ""))
		if large > 80*small+20*time.Millisecond {
			t.Errorf("%s: %v for 16 KiB, %v for 256 KiB", name, small, large)
		}
	}
}

// processorTime is what this process has used of the processor: a busy machine does
// not change it.
func processorTime(tb testing.TB) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
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
