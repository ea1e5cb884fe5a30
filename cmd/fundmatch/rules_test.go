package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
)

// bankRules writes the built-in pack as a bank's own, with its edits (old, new, ...).
func bankRules(t *testing.T, version string, edits ...string) string {
	t.Helper()
	text := string(eligibility.Default())
	edits = append([]string{"name: fundmatch default", "name: 某银行", `version: "2026-11-22.2"`, `version: "` + version + `"`}, edits...)
	for i := 0; i < len(edits); i += 2 {
		if !strings.Contains(text, edits[i]) {
			t.Fatalf("the built-in pack has no %q", edits[i])
		}
		text = strings.Replace(text, edits[i], edits[i+1], 1)
	}
	name := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

const sixMonths = "S12 须有有效测评：测评有效期 valid_months 12 → 6 个月（更严）\n"

// A bank changes a parameter by publishing: who, when, why and what is told ever after.
func TestRulesArePublishedWithTheirHistory(t *testing.T) {
	t.Parallel()
	store := bankInProcess(t)
	own := bankRules(t, "2026-07-01", "valid_months: 12", "valid_months: 6")
	if out := mustRun(t, "rules", "diff", "active", own, "--store", store); !strings.HasSuffix(out, sixMonths) || strings.Count(out, "\n") != 3 {
		t.Errorf("diff: %s", out)
	}
	publish := []string{"rules", "publish", own, "--by", "zhang.li", "--note", "董事会决议", "--store", store}
	if out := mustRun(t, append(publish, "--dry-run")...); !strings.Contains(out, sixMonths) || !strings.Contains(out, "没有发布") {
		t.Errorf("dry run: %s", out)
	}
	if h := history(t, store); len(h) != 1 {
		t.Errorf("after the dry run: %+v", h)
	}
	if out := mustRun(t, publish...); !strings.Contains(out, sixMonths) || !strings.Contains(out, "已发布　某银行") {
		t.Errorf("publish: %s", out)
	}
	if out := mustRun(t, publish...); !strings.Contains(out, "没有变化") {
		t.Errorf("published again: %s", out)
	}
	h := history(t, store)
	if len(h) != 2 || !h[0].First || h[1].First || h[1].By != "zhang.li" || h[1].Note != "董事会决议" || h[1].At != "2026-06-30T02:00:00Z" || len(h[1].Changes) != 3 {
		t.Errorf("history: %+v", h)
	}
	if c := h[1].Changes[2]; c.Rule != "S12" || c.Kind != "PARAMETER" || c.Before != "12" || c.After != "6" || c.Effect != "STRICTER" {
		t.Errorf("change: %+v", c)
	}
	if out := mustRun(t, "rules", "history", "--store", store); !strings.Contains(out, "首次启用") || !strings.HasSuffix(out, "  "+sixMonths) {
		t.Errorf("history: %s", out)
	}
	if out := mustRun(t, "rules", "diff", own, own); out != "没有变化\n" {
		t.Errorf("diff of a pack with itself: %s", out)
	}
}

func history(t *testing.T, store string) []publication {
	t.Helper()
	return decode[historyAnswer](t, mustRun(t, "rules", "history", "--json", "--store", store)).History
}

// What may not be in force is refused by name and value, and the pack in force stays.
func TestABadPackIsNotPublished(t *testing.T) {
	t.Parallel()
	store := bankInProcess(t)
	mustRun(t, "rules", "publish", bankRules(t, "2026-07-01"), "--by", "a", "--note", "b", "--store", store)
	for name, c := range map[string]struct {
		file, by, note string
		say            []string
	}{
		"out of bounds":        {bankRules(t, "2026-08-01", "valid_months: 12", "valid_months: 13"), "a", "b", []string{"S12 parameters.valid_months: 13", "1 to 12"}},
		"the same version":     {bankRules(t, "2026-07-01", "valid_months: 12", "valid_months: 6"), "a", "b", []string{`version: "2026-07-01"`}},
		"an older version":     {bankRules(t, "2026-06-01"), "a", "b", []string{`version: "2026-06-01"`, `"2026-07-01"`}},
		"the built-in's name":  {bankRules(t, "2026-08-01", "name: 某银行", "name: fundmatch default"), "a", "b", []string{"name"}},
		"nobody":               {bankRules(t, "2026-08-01"), "", "b", []string{"--by"}},
		"no reason":            {bankRules(t, "2026-08-01"), "a", "", []string{"--note"}},
		"no file":              {"no-such-file.yaml", "a", "b", []string{"no-such-file.yaml"}},
		"an input of the core": {bankRules(t, "2026-08-01", "[commission, rebate, trailing_fee, quota]", "[commission, rebate, trailing_fee, quota, popularity]"), "a", "b", []string{"would not compile", "nothing was published"}},
		// What would stop answers one day is refused today.
		"an input forbidden later": {bankRules(t, "2026-08-01", f04, strings.Replace(f04, "F04\n", "F04\n    effective_to: 2027-01-01\n", 1)+strings.Replace(strings.Replace(
			f04, "F04\n", "F04\n    effective_from: 2027-01-01\n", 1), "quota]", "quota, popularity]", 1)), "a", "b", []string{"2027-01-01", "would not compile"}},
	} {
		out := inProcess(t.Context(), "", "rules", "publish", c.file, "--by", c.by, "--note", c.note, "--store", store)
		if out.code != exitUsage {
			t.Errorf("%s: %+v", name, out)
		}
		for _, s := range c.say {
			if !strings.Contains(out.stderr, s) {
				t.Errorf("%s: %q does not say %q", name, out.stderr, s)
			}
		}
	}
	if h := history(t, store); len(h) != 2 || h[1].Version != "2026-07-01" {
		t.Errorf("in force is another pack: %+v", h)
	}
	if out := inProcess(t.Context(), "", "rules", "check", bankRules(t, "1", "valid_months: 12", "valid_months: 0")); out.code != exitUsage || !strings.Contains(out.stderr, "valid_months: 0") {
		t.Errorf("check: %+v", out)
	}
}

const f04 = "  - id: F04\n    enabled: true\n    parameters:\n      inputs: [commission, rebate, trailing_fee, quota]\n" +
	"    citation: 公开募集证券投资基金销售费用管理规定\n    source_mark: 2\n"

// An earlier pack may come back as it was, also the built-in one.
func TestAnEarlierPackComesBack(t *testing.T) {
	t.Parallel()
	store := bankInProcess(t)
	first, second := bankRules(t, "2026-07-01"), bankRules(t, "2026-08-01", "valid_months: 12", "valid_months: 6")
	for _, file := range []string{first, second, first} {
		mustRun(t, "rules", "publish", file, "--by", "a", "--note", "b", "--store", store)
	}
	if h := history(t, store); len(h) != 4 || h[3].ID != h[1].ID || h[3].Changes[1].Effect != "LAXER" {
		t.Errorf("history: %+v", h)
	}
}

// A bank may publish its rules before its first product.
func TestRulesBeforeThePool(t *testing.T) {
	t.Parallel()
	store := "sqlite:" + filepath.Join(t.TempDir(), "bank.db")
	mustRun(t, "migrate", "--store", store)
	mustRun(t, "rules", "publish", bankRules(t, "2026-07-01"), "--by", "a", "--note", "b", "--store", store)
	if h := history(t, store); len(h) != 2 {
		t.Errorf("history: %+v", h)
	}
}

// show says which entry holds, for whose products, and when the next one begins.
func TestRulesShowWhatHoldsAtAnInstant(t *testing.T) {
	t.Parallel()
	own := bankRules(t, "2026-07-01")
	at := func(instant string) showAnswer {
		return decode[showAnswer](t, mustRun(t, "rules", "show", own, "--at", instant, "--json"))
	}
	books := func(a showAnswer, id string) (out string) {
		for _, r := range a.Rules {
			if r.ID == id {
				out += "[" + strings.Join(r.Books, " ") + "]"
			}
		}
		return out
	}
	before, after := at("2026-01-31T23:59:59.999999+08:00"), at("2026-02-01T00:00:00+08:00")
	if books(before, "S02") != "[CSRC NFRA]" || books(after, "S02") != "[CSRC][NFRA]" || books(after, "S01") != "[CSRC NFRA]" {
		t.Errorf("books %s, then %s; of S01 %s", books(before, "S02"), books(after, "S02"), books(after, "S01"))
	}
	if before.Next != "2026-01-31T16:00:00Z" || after.Next != "" || strings.Join(before.NotInIt, " ") != "S11" || len(after.NotInIt) != 0 {
		t.Errorf("next change %q, then %q; not in force %v, then %v", before.Next, after.Next, before.NotInIt, after.NotInIt)
	}
	for _, r := range after.Rules {
		if r.Name == "" || r.Says == "" || r.Citation == "" || !r.Enabled {
			t.Errorf("%+v", r)
		}
	}
	if out := mustRun(t, "rules", "show", own); !strings.Contains(out, "S12　须有有效测评　两套规则\n") || !strings.Contains(out, "参数　测评有效期　valid_months = 12 个月\n") {
		t.Errorf("show: %s", out)
	}
}

// A pack of the past is shown as it was in force then; before the first there was none.
func TestRulesShowThePackOfThatTime(t *testing.T) {
	t.Parallel()
	store := bankInProcess(t)
	if out := mustRun(t, "rules", "show", "--store", store); !strings.Contains(out, "fundmatch default") || !strings.Contains(out, "编号") {
		t.Errorf("show: %s", out)
	}
	out := inProcess(t.Context(), "", "rules", "show", "--store", store, "--at", "2020-01-01T00:00:00Z")
	if out.code != exitUnavailable || !strings.Contains(out.stderr, "no rule pack is in force") {
		t.Errorf("before the first: %+v", out)
	}
	if out := inProcess(t.Context(), "", "rules", "show", "--at", "yesterday"); out.code != exitUsage {
		t.Errorf("--at yesterday: %+v", out)
	}
	if out := inProcess(t.Context(), "", "rules", "show", "--store", "sqlite:"+filepath.Join(t.TempDir(), "none.db")); out.code != exitUnavailable {
		t.Errorf("no store: %+v", out)
	}
}

// A running service takes what another process publishes, without a restart.
func TestARunningServiceTakesThePublishedRules(t *testing.T) {
	t.Parallel()
	store := bankInProcess(t)
	spec, err := parseStore(store)
	if err != nil {
		t.Fatal(err)
	}
	s, _ := serviceOver(t, spec)
	if err := s.engine.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	before, _, err := s.engine.Core()
	if err != nil {
		t.Fatal(err)
	}
	mustRun(t, "rules", "publish", bankRules(t, "2026-07-01"), "--by", "a", "--note", "b", "--store", store)
	if err := s.engine.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	after, _, err := s.engine.Core()
	if err != nil {
		t.Fatal(err)
	}
	id, _, err := s.store.Active(t.Context(), features.RulesArtifact)
	if err != nil || after.Identity().RulesID != id || id == before.Identity().RulesID {
		t.Errorf("the core has rules %s, in force is %s (%v), before %s", after.Identity().RulesID, id, err, before.Identity().RulesID)
	}
}
