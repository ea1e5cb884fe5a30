package eligibility_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/eligibility"
)

// edit is one replacement in the default pack's text.
type edit struct{ old, new string }

const (
	k03 = "  - id: K03\n    enabled: true\n    parameters:\n      share_percent: 30\n      new_for_days: 180\n" +
		"    citation: 本行规则：持续营销优先于新发\n    source_mark: 3\n\n"
	k03Later = "  - id: K03\n    effective_from: 2027-01-01\n    enabled: false\n    parameters:\n      share_percent: 20\n      new_for_days: 365\n" +
		"    citation: 董事会决议\n    source_mark: 1\n\n"
)

// diffCases have every kind of change; testdata/diff.golden has their words.
var diffCases = []struct {
	name  string
	edits []edit
}{
	{"nothing", nil},
	{"only a comment", []edit{{"# The built-in rule pack.", "# The bank's rule pack."}}},
	{"name and version", []edit{{"name: fundmatch default", "name: 某银行"}, {`version: "2026-11-22.2"`, `version: "2027-01-01"`}}},
	{"a number, stricter", []edit{{"valid_months: 12", "valid_months: 6"}}},
	{"a number, laxer", []edit{{"app_grade: R3", "app_grade: R4"}, {"young_days: 180", "young_days: 90"}}},
	{"a number without direction", []edit{{"existing_until: 2027-01-01\n      floors", "existing_until: 2027-07-01\n      floors"}}},
	{"a word", []edit{{"unknown_age: ELDER", "unknown_age: ADULT"}}},
	{"true for false", []edit{{"sell_r1_while_expired: false", "sell_r1_while_expired: true"}}},
	{"cells of tables", []edit{{"C4: R4, C5: R5", "C4: R3, C5: R4"}, {"EQUITY: 36\n", "EQUITY: 48\n"}, {"CASH: [MONEY_MARKET, SHORT_BOND]", "CASH: [MONEY_MARKET]"}}},
	{"a list that grows, one that changes", []edit{
		{"[commission, rebate, trailing_fee, quota]", "[commission, rebate, trailing_fee, quota, gift points]"},
		{"exempt_classes: [INDEX, BOND, SHORT_BOND, MIXED_BOND]", "exempt_classes: [INDEX, EQUITY]"},
		{`floors: ["7:150", "30:100", "180:50"]`, `floors: ["7:200", "30:100", "180:50"]`},
	}},
	{"stricter outcomes", []edit{{"{recommendation: NONE, firm_order: NONE, customer_order: CONFIRM}\n    citation: 证券", "{recommendation: NONE, firm_order: HIDE, customer_order: REVIEW}\n    citation: 证券"}}},
	{"enabled", []edit{{"  - id: K04\n    enabled: true", "  - id: K04\n    enabled: false"}}},
	{"a relief switched off", []edit{{"  - id: S14\n    enabled: true", "  - id: S14\n    enabled: false"}}},
	{"a period", []edit{{"  - id: K03\n", "  - id: K03\n    effective_from: 2026-12-01\n    effective_to: 2027-06-30T12:00:00+08:00\n"}}},
	{"a beginning moved", []edit{{"  - id: S15\n    book: NFRA\n    effective_from: 2026-02-01", "  - id: S15\n    book: NFRA\n    effective_from: 2026-06-01"}}},
	{"an entry of another book", []edit{{"  - id: S15\n    book: NFRA", "  - id: S15\n    book: CSRC"}}},
	{"an entry added after another", []edit{{k03, strings.Replace(k03, "K03\n", "K03\n    effective_to: 2027-01-01\n", 1) + k03Later}}},
	{"an entry removed", []edit{{k03, ""}}},
	{"a source", []edit{{"citation: 本行规则：持续营销优先于新发\n    source_mark: 3", "citation: 董事会决议\n    source_mark: 1"}}},
	{"rules in another order", []edit{{k03, ""}, {"  - id: S01\n", k03 + "  - id: S01\n"}}},
}

func packEdited(tb testing.TB, edits []edit) *eligibility.Pack {
	tb.Helper()
	text := string(eligibility.Default())
	for _, e := range edits {
		if strings.Count(text, e.old) != 1 {
			tb.Fatalf("the default pack has %q %d times, expected once", e.old, strings.Count(text, e.old))
		}
		text = strings.Replace(text, e.old, e.new, 1)
	}
	p, err := eligibility.ParsePack([]byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

const diffGolden = "testdata/diff.golden"

func TestWhatChangedIsSaidInWords(t *testing.T) {
	var b strings.Builder
	before := packEdited(t, nil)
	kinds := map[eligibility.ChangeKind]bool{}
	for _, c := range diffCases {
		after := packEdited(t, c.edits)
		fmt.Fprintf(&b, "== %s\n", c.name)
		for _, way := range [2]struct {
			name     string
			from, to *eligibility.Pack
		}{{"", before, after}, {"-- and back\n", after, before}} {
			b.WriteString(way.name)
			for _, change := range eligibility.Diff(way.from, way.to) {
				kinds[change.Kind] = true
				fmt.Fprintln(&b, change.Words())
			}
		}
	}
	if len(kinds) != 12 {
		t.Errorf("the cases show %d kinds of changes, expected all 12: %v", len(kinds), kinds)
	}
	if *update {
		if err := os.WriteFile(diffGolden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(diffGolden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(b.String(), "\n")); diff != "" {
		t.Errorf("%s, expected to change under -update only:\n%s", diffGolden, diff)
	}
}

// editedPacks are the default pack with the edits of one case each, and with those of more
// and more cases together.
func editedPacks(tb testing.TB) []*eligibility.Pack {
	tb.Helper()
	var packs []*eligibility.Pack
	together := string(eligibility.Default())
	for _, c := range diffCases {
		packs = append(packs, packEdited(tb, c.edits))
		edited := together
		for _, e := range c.edits {
			edited = strings.Replace(edited, e.old, e.new, 1)
		}
		// Some of the cases cannot stand together.
		if p, err := eligibility.ParsePack([]byte(edited)); err == nil {
			together = edited
			packs = append(packs, p)
		}
	}
	return packs
}

// sets is all that a pack sets, whatever the order of its entries.
func sets(p *eligibility.Pack) []string {
	lines := []string{p.Name, p.Version}
	for i := range p.Rules {
		r := &p.Rules[i]
		lines = append(lines, fmt.Sprintf("%s %s %d %d %v %v %q %q %d", r.ID, r.Book, r.From, r.Until, r.Enabled, r.Outcomes, r.Parameters, r.Citation, r.SourceMark))
	}
	slices.Sort(lines)
	return lines
}

// Two packs that differ from a third in the same words set the same, and a pack does not
// differ from itself: nothing that a pack sets goes unsaid.
func TestADiffTellsAllThatAPackSets(t *testing.T) {
	packs := editedPacks(t)
	rapid.Check(t, func(rt *rapid.T) {
		some := rapid.SampledFrom(packs)
		base, a, b := some.Draw(rt, "base"), some.Draw(rt, "a"), some.Draw(rt, "b")
		if d := eligibility.Diff(a, a); len(d) != 0 {
			rt.Fatalf("a pack differs from itself: %v", d)
		}
		same := slices.Equal(sets(a), sets(b))
		if got := len(eligibility.Diff(a, b)) == 0; got != same {
			rt.Fatalf("no difference %v, the same %v", got, same)
		}
		if got := slices.Equal(eligibility.Diff(base, a), eligibility.Diff(base, b)); got != same {
			rt.Fatalf("equal differences to a third %v, the same %v", got, same)
		}
		if !slices.Equal(eligibility.Diff(a, b), eligibility.Diff(a, b)) {
			rt.Fatal("the order of the differences is not fixed")
		}
	})
}

// An older program's pack knows fewer rules and parameters: what it lacks is said.
func TestARecordedPackIsComparedToo(t *testing.T) {
	recorded, err := os.ReadFile("testdata/pack-2026-11-01.yaml")
	if err != nil {
		t.Fatal(err)
	}
	old, err := eligibility.ParseRecorded(recorded)
	if err != nil {
		t.Fatal(err)
	}
	now := packEdited(t, nil)
	var added, removed int
	for _, c := range eligibility.Diff(old, now) {
		if c.Kind == eligibility.EntryAdded {
			added++
		}
	}
	for _, c := range eligibility.Diff(now, old) {
		if c.Kind == eligibility.EntryRemoved {
			removed++
		}
	}
	if want := len(now.Rules) - len(old.Rules); added != want || removed != want {
		t.Errorf("%d entries added, %d removed on the way back, expected %d", added, removed, want)
	}
}
