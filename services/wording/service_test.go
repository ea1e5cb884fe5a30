package wording_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/dataset/synthetic"
	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	text "github.com/fundmatch/fundmatch/matcher/wording"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/engine"
	"github.com/fundmatch/fundmatch/services/wording"
)

// cores gives one core, or none.
type cores struct{ core *matcher.Core }

func (c cores) Core() (*matcher.Core, fund.Instant, error) {
	if c.core == nil {
		return nil, 0, engine.ErrNoCore
	}
	return c.core, c.core.Identity().AsOf, nil
}

func open(t *testing.T, core *matcher.Core) *wording.Service {
	t.Helper()
	linter, err := text.NewLinter()
	if err != nil {
		t.Fatal(err)
	}
	return wording.New(cores{core}, linter)
}

func rules(found *fundmatchv1.LintResponse) (ids []string) {
	for _, f := range found.GetFindings() {
		ids = append(ids, f.GetRule())
	}
	return ids
}

func TestAFindingIsTheLintersOwn(t *testing.T) {
	t.Parallel()
	got, err := open(t, nil).Lint(t.Context(), &fundmatchv1.LintRequest{Text: "不保证收益\n本产品保本"})
	if err != nil || len(got.GetFindings()) != 1 {
		t.Fatalf("%v, %v, want one finding", got, err)
	}
	f := got.GetFindings()[0]
	if f.GetRule() != "W07" || f.GetLine() != 2 || f.GetStart() != 3 || f.GetEnd() != 5 || f.GetText() != "保本" || f.GetWhy() == "" || f.GetInstead() == "" {
		t.Errorf("%v, want W07 on 保本 in line 2, characters 3 to 5, with reason and way out", f)
	}
	for _, lawful := range []string{"", "\n\n", "最大回撤是从高点到低点的最大跌幅。"} {
		if got, err := open(t, nil).Lint(t.Context(), &fundmatchv1.LintRequest{Text: lawful}); err != nil || len(got.GetFindings()) != 0 {
			t.Errorf("%q: %v, %v, want nothing", lawful, got, err)
		}
	}
}

// A template about a product owes more than a sales text: the benchmark's figure (W03).
func TestTheKindSaysWhatATextOwes(t *testing.T) {
	t.Parallel()
	const line = "2025-01-01至2025-12-31收益5.2%，同期最大回撤8.1%，年化波动12.0%。过往业绩不预示未来表现。"
	for kind, want := range map[string]int{"": 0, "SALES_TEXT": 0, "PRODUCT_TEMPLATE": 1} {
		got, err := open(t, nil).Lint(t.Context(), &fundmatchv1.LintRequest{Text: line, Kind: kind})
		if err != nil || len(got.GetFindings()) != want {
			t.Errorf("%q: %v, %v, want %d findings", kind, got, err, want)
		}
	}
	var invalid *features.InvalidError
	if _, err := open(t, nil).Lint(t.Context(), &fundmatchv1.LintRequest{Text: line, Kind: "sales"}); !errors.As(err, &invalid) || invalid.Field != "kind" {
		t.Errorf("%v, want an InvalidError of kind", err)
	}
}

func TestTheBoundOfAText(t *testing.T) {
	t.Parallel()
	whole := strings.Repeat("a", wording.MaxText)
	if _, err := open(t, nil).Lint(t.Context(), &fundmatchv1.LintRequest{Text: whole}); err != nil {
		t.Errorf("%d bytes: %v", len(whole), err)
	}
	var invalid *features.InvalidError
	_, err := open(t, nil).Lint(t.Context(), &fundmatchv1.LintRequest{Text: whole + "a"})
	if !errors.As(err, &invalid) || invalid.Field != "text" || !strings.Contains(invalid.Expected, "1048576 bytes") {
		t.Errorf("one byte more: %v, want an InvalidError that names the limit", err)
	}
}

// The pack in force says which rules of the draft speak; without a core all do.
func TestThePackSwitchesRulesOfTheDraft(t *testing.T) {
	t.Parallel()
	const line = "规模突破百亿，保本"
	ask := func(core *matcher.Core) []string {
		got, err := open(t, core).Lint(t.Context(), &fundmatchv1.LintRequest{Text: line})
		if err != nil {
			t.Fatal(err)
		}
		return rules(got)
	}
	both := []string{"W06", "W07"}
	if got := ask(nil); !slices.Equal(got, both) {
		t.Errorf("without a core: %v, want %v", got, both)
	}
	whole := string(eligibility.Default())
	if got := ask(compile(t, whole)); !slices.Equal(got, both) {
		t.Errorf("built-in pack: %v, want %v", got, both)
	}
	off := strings.Replace(whole, "- id: W06\n    enabled: true", "- id: W06\n    enabled: false", 1)
	if got := ask(compile(t, off)); off == whole || !slices.Equal(got, both[1:]) {
		t.Errorf("W06 switched off: %v, want %v", got, both[1:])
	}
}

// compile makes the core of a small bank with a rule pack.
func compile(t *testing.T, pack string) *matcher.Core {
	t.Helper()
	opts := synthetic.Options{Customers: 20, Products: 20, Seed: 3, AsOf: fund.Date(20260310)}
	at, store := opts.AsOf.Start().Add(10*time.Hour), memory.New()
	bank, err := synthetic.Generate(opts)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Import(t.Context(), at, bank.Load); err != nil {
		t.Fatal(err)
	}
	if err := engine.InstallDefaults(t.Context(), store, at); err != nil {
		t.Fatal(err)
	}
	id, err := store.Put(t.Context(), features.RulesArtifact, []byte(pack))
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Activate(t.Context(), features.Activation{Kind: features.RulesArtifact, ArtifactID: id, At: at, By: "compliance", Note: "test"}); err != nil {
		t.Fatal(err)
	}
	loader, err := engine.NewLoader(store, store, "test")
	if err != nil {
		t.Fatal(err)
	}
	core, err := loader.Newest(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	return core
}
