package expectation_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/expectation"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// The tables of the page are what Settle does.
func TestDocsShowTheTables(t *testing.T) {
	const page = "../../docs/expectations.md"
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	want := string(data)
	for name, table := range map[string]string{"sources": sourcesTable(t), "groups": groupsTable(), "industries": industriesTable(t)} {
		want = between(t, want, name, table)
	}
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil { //nolint:gosec // a page of this repository
			t.Fatal(err)
		}
		return
	}
	if string(data) != want {
		t.Error("docs/expectations.md shows other tables: go test ./matcher/expectation -run Docs -update")
	}
}

func sourcesTable(t *testing.T) string {
	t.Helper()
	says := map[expectation.Source]string{
		expectation.Stated: "he said so to the bank", expectation.FromQuestionnaire: "an answer in a questionnaire",
		expectation.FromHoldings: "what he holds", expectation.FromBehaviour: "the product pages that he saw",
		expectation.FromTag: "a label", expectation.FromGroup: "what customers in his situation may want",
	}
	samples := map[expectation.Source][]func() expectation.Wish{
		expectation.Stated: {func() expectation.Wish {
			return settled(&fund.Profile{Needs: fund.StatedNeeds{Goals: []fund.Goal{fund.Cash}, HorizonMonths: 6}}, nil)
		}},
		expectation.FromQuestionnaire: {func() expectation.Wish {
			return settled(&fund.Profile{Tags: tags("goal", asked, "CASH", "horizon_months", asked, "6")}, nil)
		}},
		expectation.FromHoldings: {
			func() expectation.Wish {
				return settled(&fund.Profile{}, holding(map[fund.Class]fund.Ratio{fund.Bond: 600_000}))
			},
			func() expectation.Wish {
				return settled(&fund.Profile{}, holding(map[fund.Class]fund.Ratio{fund.Bond: 1_000_000}))
			},
		},
		expectation.FromBehaviour: {
			func() expectation.Wish {
				return settled(&fund.Profile{}, viewing(map[fund.Class]int32{fund.Bond: 6, fund.Equity: 4}))
			},
			func() expectation.Wish {
				return settled(&fund.Profile{}, viewing(map[fund.Class]int32{fund.Bond: 8}))
			},
		},
		expectation.FromTag:   {func() expectation.Wish { return settled(&fund.Profile{Tags: tags("goal", "CRM", "CASH")}, nil) }},
		expectation.FromGroup: {func() expectation.Wish { return settled(&fund.Profile{Person: person(19900101)}, nil) }},
	}
	out := "| source | | sure | narrows | scores | waits |\n|---|---|---|---|---|---|\n"
	for _, s := range byTrust() {
		var sure []string
		var w expectation.Wish
		for _, sample := range samples[s] {
			if w = sample(); w.Source != s {
				t.Fatalf("the sample of %s is of %s", s, w.Source)
			}
			sure = append(sure, fmt.Sprintf("%d %%", w.Confidence/10_000))
		}
		out += fmt.Sprintf("| %s | %s | %s | %s | %s | %s |\n", s, says[s], strings.Join(sure, " to "), yes(w.Narrows()), yes(w.Scores()), yes(w.MustAsk()))
	}
	return out + "| none | | 10 % | no | no | yes |\n"
}

func settled(p *fund.Profile, k *expectation.Knowledge) expectation.Wish {
	w, _ := expectation.Settle(p, at, k)
	return w
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func groupsTable() string {
	out := "| age | horizon unknown | below a year | below 3 years | 3 years and more |\n|---|---|---|---|---|\n"
	for _, age := range []int{18, 30, 45, 60} {
		p := fund.Profile{Person: person(day.AddMonths(-12 * age))}
		row := "| " + ageOf(&p)
		for _, months := range []int32{0, 11, 35, 36} {
			p.Needs.HorizonMonths = months
			row += " | " + settled(&p, nil).Goal.String()
		}
		out += row + " |\n"
	}
	return out
}

func ageOf(p *fund.Profile) string {
	w := settled(p, nil)
	return w.Ground.Age.String()
}

func industriesTable(t *testing.T) string {
	t.Helper()
	out := "| industry | months | money may be needed |\n|---|---|---|\n"
	for i := range expectation.Industry(expectation.Industries) {
		w := settled(&fund.Profile{Person: company(i.String())}, nil)
		if w.Ground.Industry != i {
			t.Errorf("%s is found as %s", i, w.Ground.Industry)
		}
		out += fmt.Sprintf("| %s | %d | %s |\n", i, w.Ground.Months, w.Ground.Need)
	}
	return out
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
