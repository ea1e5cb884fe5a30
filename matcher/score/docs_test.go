package score_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
)

var update = flag.Bool("update", false, "write the tables of docs/matching.md anew")

// The tables of the page are those of the default model.
func TestDocsShowTheDefaultModel(t *testing.T) {
	const page = "../../docs/matching.md"
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	m := model(t)
	features := "| feature | weight | reads the customer | reason |\n|---|---|---|---|\n"
	for f := range score.Features {
		reads := "no"
		if f.Personal() {
			reads = "yes"
		}
		features += fmt.Sprintf("| %s | %g | %s | %s |\n", f, m.Weights[f], reads, m.Reasons[f])
	}
	classes := "| class | sensible months | fall to expect |\n|---|---|---|\n"
	for c := fund.MoneyMarket; int(c) < fund.Classes; c++ {
		s := m.Settings.Classes[c]
		classes += fmt.Sprintf("| %s | %d | %.0f %% |\n", c, s.Months, s.Drawdown.Float()*100)
	}
	want := between(t, between(t, string(data), "features", features), "classes", classes)
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil { //nolint:gosec // a page of this repository
			t.Fatal(err)
		}
		return
	}
	if string(data) != want {
		t.Error("docs/matching.md shows another model: go test ./matcher/score -run Docs -update")
	}
}

// between puts a table between its marks.
func between(t *testing.T, page, name, table string) string {
	t.Helper()
	before, rest, ok := strings.Cut(page, "<!-- "+name+": ")
	mark, rest, ok2 := strings.Cut(rest, "-->\n")
	_, after, ok3 := strings.Cut(rest, "<!-- end -->")
	if !ok || !ok2 || !ok3 {
		t.Fatalf("no place for the table of %s", name)
	}
	return before + "<!-- " + name + ": " + mark + "-->\n" + table + "<!-- end -->" + after
}
