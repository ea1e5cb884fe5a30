package wording

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// A judged sentence of testdata/lint_sentences.txt: the rules that it breaks.
type judged struct {
	line  int
	round string
	want  RuleSet
	text  string
}

func judgedSentences(tb testing.TB) []judged {
	tb.Helper()
	f, err := os.Open("testdata/lint_sentences.txt")
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	var out []judged
	round := ""
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if name, ok := strings.CutPrefix(line, "## "); ok {
			round = name
		}
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		ids, text, ok := strings.Cut(line, "\t")
		if !ok {
			tb.Fatalf("line %d: no tab", n)
		}
		want, err := ParseRuleSet(strings.TrimPrefix(ids, "-"))
		if err != nil {
			tb.Fatalf("line %d: %v", n, err)
		}
		out = append(out, judged{line: n, round: round, want: want, text: text})
	}
	return out
}

func rulesOf(found []Finding) RuleSet {
	var set RuleSet
	for _, f := range found {
		set |= ruleBit(f.Rule)
	}
	return set
}

// A tally counts, of one rule or of whole sentences, what was found rightly, found
// wrongly, and missed.
type tally struct{ hit, alarm, miss int }

func (t *tally) add(want, got bool) {
	switch {
	case want && got:
		t.hit++
	case got:
		t.alarm++
	case want:
		t.miss++
	}
}

func (t *tally) String() string {
	ratio := func(of int) float64 {
		if of == 0 {
			return 1
		}
		return float64(t.hit) / float64(of)
	}
	return fmt.Sprintf("found %3d, false alarms %d, missed %d: precision %.3f, recall %.3f",
		t.hit, t.alarm, t.miss, ratio(t.hit+t.alarm), ratio(t.hit+t.miss))
}

// Every sentence, of every round, is judged rightly: precision and recall are 1 for
// each rule and for sentences as a whole.
func TestLintSentences(t *testing.T) {
	l := linter(t)
	var perRule [len(textRules)]tally
	var rounds []string
	whole := map[string]*tally{}
	all := judgedSentences(t)
	lawful := 0
	for _, s := range all {
		found := l.Lint(s.text, SalesText)
		checkSpans(t, s.text, found)
		got := rulesOf(found)
		for i := range textRules {
			perRule[i].add(s.want>>i&1 == 1, got>>i&1 == 1)
		}
		if whole[s.round] == nil {
			whole[s.round] = &tally{}
			rounds = append(rounds, s.round)
		}
		whole[s.round].add(s.want != 0, got != 0)
		if s.want == 0 {
			lawful++
		}
		if got != s.want {
			t.Errorf("lint_sentences.txt:%d %s\n got %s\nwant %s", s.line, s.text, summary(found), s.want)
		}
	}
	for i, id := range textRules {
		t.Logf("%s: %s", id, perRule[i].String())
	}
	for _, r := range rounds {
		t.Logf("%s, whole sentences: %s", r, whole[r].String())
	}
	if texts := len(all); texts < 300 || lawful < texts/4 || slices.Contains(rounds, "") {
		t.Errorf("%d sentences, %d lawful, rounds %q; the promise is 300 and a quarter", texts, lawful, rounds)
	}
}
