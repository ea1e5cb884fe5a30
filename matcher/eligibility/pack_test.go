package eligibility_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

func TestTheDefaultPackHoldsEveryRuleWithItsSource(t *testing.T) {
	p, err := eligibility.ParsePack(eligibility.Default())
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range p.Rules {
		ids = append(ids, string(r.ID))
		dated := r.Book == eligibility.NFRA || slices.Contains([]eligibility.RuleID{"S11", "F01", "F02", "F03"}, r.ID)
		if r.Citation == "" || r.SourceMark < 1 || !r.Enabled || (r.From != 0) != dated || r.Until != fund.Forever {
			t.Errorf("%+v, expected an enabled rule without end, with its source", r)
		}
	}
	if got := strings.Join(ids, " "); got != "S01 S02 S02 S03 S03 S04 S05 S05 S06 S07 S08 S09 S10 S11 S12 S13 S13 S14 S15 S15 E01 E02 "+
		"C01 C02 C03 C04 C05 C06 C07 C08 C09 G01 P01 P02 P03 A01 A02 A03 A04 A05 A06 A07 A08 A09 F01 F02 F03 F04 K01 K02 K03 K04 "+
		"W01 W02 W03 W04 W05 W06 W07 W08 W09 W10" {
		t.Errorf("rules %s", got)
	}
	if b := p.Boundaries(); !slices.Equal(b, []fund.Instant{fund.Date(20260101).Start(), fund.Date(20260201).Start()}) {
		t.Errorf("boundaries %v, expected the fee reform and the NFRA's rules", b)
	}
	eligibility.Default()[0] = 'X'
	if eligibility.Default()[0] == 'X' {
		t.Error("the caller changed the built-in pack")
	}
}

func TestABadPackIsRefusedByPlaceAndValue(t *testing.T) {
	for _, c := range []struct {
		name     string
		old, new string // in the default pack
		say      []string
	}{
		{"unknown key", "name: fundmatch default", "name: x\nowner: y", []string{"owner"}},
		{"unknown rule key", "    source_mark: 3\n\n  - id: S14", "    source_mark: 3\n    severity: high\n\n  - id: S14", []string{"severity"}},
		{"unknown rule", "id: S01", "id: S99", []string{"rules[0]", `"S99"`}},
		{"a third book", "  - id: S05\n    book: NFRA\n", "  - id: S05\n    book: CBIRC\n", []string{"S05 book", `"CBIRC"`}},
		{"twice the key", "name: fundmatch default", "name: x\nname: y", []string{"name"}},
		{"no version", `version: "2026-11-22.2"`, `version: ""`, []string{"version"}},
		{"no citation", "citation: 证券期货投资者适当性管理办法 第十九条", "citation: ''", []string{"rules[3] S03 citation"}},
		{"mark out of bounds", "source_mark: 2", "source_mark: 4", []string{"source_mark", "4", "1, 2 or 3"}},
		{"enabled missing", "  - id: S01\n    enabled: true\n", "  - id: S01\n", []string{"S01 enabled"}},
		{"law disabled", "  - id: S01\n    enabled: true\n", "  - id: S01\n    enabled: false\n", []string{"S01 enabled", "law"}},
		{"outcome missing", "{recommendation: NONE, firm_order: NONE, customer_order: CONFIRM}", "{recommendation: NONE, firm_order: NONE}", []string{"S03 outcome.customer_order"}},
		{"outcome unknown", "customer_order: CONFIRM}\n    citation: 证券", "customer_order: WARN}\n    citation: 证券", []string{"S03 outcome.customer_order", `"WARN"`}},
		{"outcome too weak", "customer_order: CONFIRM}\n    citation: 证券", "customer_order: STEP}\n    citation: 证券", []string{`"STEP"`, "CONFIRM or stronger"}},
		{"outcome key unknown", "customer_order: CONFIRM}\n    citation: 证券", "customer_order: CONFIRM, push: BLOCK}\n    citation: 证券", []string{"S03 outcome"}},
		{"outcome of a switch", "  - id: S14\n    enabled: true\n", "  - id: S14\n    enabled: true\n    outcome: {recommendation: HIDE}\n", []string{"S14 outcome"}},
		{"parameter missing", "      valid_months: 12\n", "", []string{"S12 parameters.valid_months"}},
		{"parameter unknown", "      valid_months: 12\n", "      valid_months: 12\n      grace_days: 3\n", []string{"S12 parameters.grace_days"}},
		{"parameter of a rule without", "  - id: S01\n    enabled: true\n", "  - id: S01\n    enabled: true\n    parameters: {grade: R2}\n", []string{"S01 parameters.grade"}},
		{"over the bound", "valid_months: 12", "valid_months: 13", []string{"valid_months", "13", "1 to 12"}},
		{"under the bound", "valid_months: 12", "valid_months: 0", []string{"valid_months", "0"}},
		{"negative", "unknown_lockup_days: 90", "unknown_lockup_days: -1", []string{"unknown_lockup_days", "-1"}},
		{"not whole", "valid_months: 12", "valid_months: 11.5", []string{"valid_months", "11.5"}},
		{"huge", "valid_months: 12", "valid_months: 18446744073709551615", []string{"valid_months"}},
		{"not a bool", "sell_r1_while_expired: false", "sell_r1_while_expired: maybe", []string{"sell_r1_while_expired", "maybe"}},
		{"not a word", "unknown_age: ELDER", "unknown_age: YOUNG", []string{"unknown_age", "YOUNG", "ELDER ADULT"}},
		{"not a grade", "app_grade: R3", "app_grade: R6", []string{"app_grade", "R6"}},
		{"matrix too lax", "C2: R2", "C2: R3", []string{"matrix.C2", "R3"}},
		{"matrix falls", "C3: R3, C4: R4", "C3: R3, C4: R2", []string{"matrix.C4", "R2"}},
		{"matrix without a level", ", C5: R5", "", []string{"matrix.C5"}},
		{"matrix with a level more", "C5: R5}", "C5: R5, C6: R5}", []string{"matrix.C6"}},
		{"a goal without classes", "CASH: [MONEY_MARKET, SHORT_BOND]", "CASH: []", []string{"goal_classes.CASH"}},
		{"an unknown class", "CASH: [MONEY_MARKET, SHORT_BOND]", "CASH: [GOLD]", []string{"goal_classes.CASH", "GOLD"}},
		{"the unknown class", "CASH: [MONEY_MARKET, SHORT_BOND]", "CASH: [UNKNOWN]", []string{"goal_classes.CASH", "UNKNOWN"}},
		{"a class twice", "CASH: [MONEY_MARKET, SHORT_BOND]", "CASH: [BOND, BOND]", []string{"goal_classes.CASH", "BOND"}},
		{"a horizon too long", "EQUITY: 36", "EQUITY: 601", []string{"class_months.EQUITY", "601"}},
		{"an input allowed", "[commission, rebate, trailing_fee, quota]", "[commission, rebate, trailing_fee]", []string{"F04 parameters.inputs", "quota"}},
		{"a share over all", "share_percent: 30", "share_percent: 101", []string{"share_percent", "101"}},
		{"a silence too short", "refusal_days: 90", "refusal_days: 29", []string{"A06 parameters.refusal_days", "29", "30 to 1095"}},
		{"a silence too long", "refusal_days: 90", "refusal_days: 1096", []string{"A06 parameters.refusal_days", "1096"}},
		{"a complaint forgotten", "complaint_days: 180", "complaint_days: 29", []string{"A06 parameters.complaint_days", "29"}},
		{"a complaint for ever", "complaint_days: 180", "complaint_days: 1096", []string{"A06 parameters.complaint_days", "1096"}},
		{"no contact at all", "contact_cap: 4", "contact_cap: 0", []string{"A06 parameters.contact_cap", "0", "1 to 31"}},
		{"contacts without end", "contact_cap: 4", "contact_cap: 32", []string{"A06 parameters.contact_cap", "32"}},
		{"a window too short", "contact_window_days: 30", "contact_window_days: 6", []string{"A06 parameters.contact_window_days", "6"}},
		{"a window too long", "contact_window_days: 30", "contact_window_days: 366", []string{"A06 parameters.contact_window_days", "366"}},
		{"what follows a refusal", "firm_order: HIDE, customer_order: NONE}\n    citation: 互联网", "firm_order: CONFIRM, customer_order: NONE}\n    citation: 互联网", []string{"A06 outcome.firm_order", "HIDE or stronger"}},
		{"a bad date", "  - id: K03\n", "  - id: K03\n    effective_from: 2021-02-29\n", []string{"K03 effective_from", "2021-02-29"}},
		{"evidence kept too short", "keep_years: 20", "keep_years: 19", []string{"C06 parameters.keep_years", "19", "20 to 100"}},
		{"logs kept too short", "keep_years: 3", "keep_years: 2", []string{"A08 parameters.keep_years", "2", "3 to 100"}},
		{"an empty period", "  - id: K03\n", "  - id: K03\n    effective_from: 2021-02-01\n    effective_to: 2021-02-01\n", []string{"K03 effective_to"}},
		{"law with an end", "  - id: S01\n", "  - id: S01\n    effective_to: 2021-02-01\n", []string{"S01", "law"}},
		{"law with a beginning", "  - id: S01\n", "  - id: S01\n    effective_from: 2021-02-01\n", []string{"S01", "law"}},
		{"an anchor", "[commission, rebate, trailing_fee, quota]", "&a [commission, rebate, trailing_fee, quota]", []string{"anchor"}},
		{"two documents", "# The built-in", "a: b\n---\n# The built-in", []string{"document"}},
		{"no YAML", "version:", "\t{[:", []string{"document"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := string(eligibility.Default())
			if !strings.Contains(text, c.old) {
				t.Fatalf("the default pack does not contain %q", c.old)
			}
			_, err := eligibility.ParsePack([]byte(strings.Replace(text, c.old, c.new, 1)))
			var refused *eligibility.PackError
			if !errors.As(err, &refused) || !errors.Is(err, eligibility.ErrPack) {
				t.Fatalf("error %v, expected a *PackError", err)
			}
			for _, s := range c.say {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%q does not say %q", err, s)
				}
			}
		})
	}
}

func TestAPackIsBounded(t *testing.T) {
	for name, b := range map[string][]byte{
		"nothing": nil, "null": []byte("null"), "list": []byte("[]"), "comment": []byte("# nothing\n"),
		"too large": append(eligibility.Default(), make([]byte, eligibility.MaxPackBytes)...),
		"long line": append(eligibility.Default(), "# "+strings.Repeat("x", 1024)+"\n"...),
		"deep":      append(eligibility.Default(), strings.Repeat("[\n", 9)...),
		"marks":     append(eligibility.Default(), strings.Repeat("- ", 65)...),
		"tags":      []byte(strings.Repeat("!a\n", 20_000)),
		"too many":  append(eligibility.Default(), strings.Repeat("  - {id: K03}\n", 300)...),
	} {
		if _, err := eligibility.ParsePack(b); !errors.Is(err, eligibility.ErrPack) {
			t.Errorf("%s: error %v, expected ErrPack", name, err)
		}
	}
}

// dated puts entries of one rule with other periods in place of the default's.
func dated(t *testing.T, id string, periods ...[2]string) (*eligibility.Pack, error) {
	t.Helper()
	text := string(eligibility.Default())
	begin := strings.Index(text, "  - id: "+id)
	end := begin + len(text[begin:])
	if i := strings.Index(text[begin+1:], "  - id: "); i >= 0 {
		end = begin + 1 + i
	}
	entry := text[begin:end]
	var entries string
	for _, p := range periods {
		head := "  - id: " + id + "\n    effective_from: '" + p[0] + "'\n    effective_to: '" + p[1] + "'\n"
		entries += strings.Replace(entry, "  - id: "+id+"\n", head, 1)
	}
	return eligibility.ParsePack([]byte(text[:begin] + entries + "\n" + text[end:]))
}

func TestEntriesOfOneRuleFollowEachOther(t *testing.T) {
	const noon = "2021-06-01T12:00:00+08:00"
	p, err := dated(t, "E01", [2]string{"2021-06-01", noon}, [2]string{"2022-01-01", ""}, [2]string{"", "2021-01-01"})
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, b := range p.Boundaries() {
		texts = append(texts, b.String())
	}
	want := []string{"2020-12-31T16:00:00Z", "2021-05-31T16:00:00Z", "2021-06-01T04:00:00Z", "2021-12-31T16:00:00Z", "2025-12-31T16:00:00Z", "2026-01-31T16:00:00Z"}
	if diff := cmp.Diff(want, texts); diff != "" {
		t.Error(diff)
	}
	for at, in := range map[string]bool{
		"2020-12-31T23:59:59.999999+08:00": true, "2021-01-01T00:00:00+08:00": false,
		"2021-06-01T00:00:00+08:00": true, "2021-06-01T11:59:59.999999+08:00": true, noon: false,
		"2022-01-01T00:00:00+08:00": true, "2099-01-01T00:00:00+08:00": true,
	} {
		e := p.InForce(must(t, fund.ParseInstant, at))
		found := false
		for _, r := range e.Rules {
			found = found || r.ID == eligibility.E01
		}
		if found != in {
			t.Errorf("%s: in force %v, expected %v", at, found, in)
		}
	}
	// The gate of a day with a boundary in it ends there.
	for at, want := range map[string][2]string{
		"2021-06-01T10:00:00+08:00": {"2021-06-01T00:00:00+08:00", noon},
		noon:                        {noon, "2021-06-02T00:00:00+08:00"},
		"2021-06-05T10:00:00+08:00": {"2021-06-05T00:00:00+08:00", "2021-06-06T00:00:00+08:00"},
	} {
		g, err := eligibility.Compile(p, nil, must(t, fund.ParseInstant, at))
		if err != nil {
			t.Fatal(err)
		}
		from, until := g.Validity()
		if from != must(t, fund.ParseInstant, want[0]) || until != must(t, fund.ParseInstant, want[1]) {
			t.Errorf("%s: valid from %v until %v, expected %v", at, from, until, want)
		}
	}
}

func TestEntriesOfOneRuleDoNotOverlap(t *testing.T) {
	for name, periods := range map[string][][2]string{
		"overlap": {{"", "2021-01-02"}, {"2021-01-01", ""}},
		"twice":   {{"", ""}, {"", ""}},
	} {
		if _, err := dated(t, "E01", periods...); !errors.Is(err, eligibility.ErrPack) || !strings.Contains(err.Error(), "disjoint") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := dated(t, "P02"); !errors.Is(err, eligibility.ErrPack) || !strings.Contains(err.Error(), "P02") {
		t.Errorf("a legal rule left out: %v", err)
	}
	if _, err := dated(t, "K03"); err != nil {
		t.Errorf("the bank's own rule left out: %v", err)
	}
	if _, err := dated(t, "S02", [2]string{"", "2021-01-01"}, [2]string{"2021-01-01", ""}); err != nil {
		t.Errorf("a legal rule in two entries without a gap: %v", err)
	}
	if _, err := dated(t, "S02", [2]string{"", "2021-01-01"}, [2]string{"2021-01-02", ""}); !errors.Is(err, eligibility.ErrPack) {
		t.Errorf("a legal rule with a gap of a day: %v", err)
	}
}

func TestWhatOtherCodeReads(t *testing.T) {
	e := packWith(t, nil).InForce(1)
	if m := e.Matrix(); !m.Fits(fund.R3, fund.C3) || m.Fits(fund.R4, fund.C3) || m.Fits(fund.R2, fund.LevelUnknown) {
		t.Errorf("matrix %v", m)
	}
	if e.NewIssueShare() != 30 || e.AssessmentMonths() != 12 || e.Fit().UnknownLockupDays != 90 {
		t.Errorf("share %d, months %d, lockup %d", e.NewIssueShare(), e.AssessmentMonths(), e.Fit().UnknownLockupDays)
	}
	if e.RefusalDays() != 90 || e.ComplaintDays() != 180 || e.ContactCap() != 4 || e.ContactWindowDays() != 30 {
		t.Errorf("A06: %d, %d, %d in %d days", e.RefusalDays(), e.ComplaintDays(), e.ContactCap(), e.ContactWindowDays())
	}
	for name, want := range map[string]bool{
		"commission": true, "max_commission_bps": true, "branch.quota": true, "TRAILING_FEE": true, "Rebate-2026": true,
		"cost": false, "quotation": false, "fee": false, "trailing_return": false, "commissioned": false, "": false,
	} {
		if got := e.ForbidsInput(name); got != want {
			t.Errorf("feature %q forbidden: %v, expected %v", name, got, want)
		}
	}
	for _, word := range e.ForbiddenInputs() {
		if !e.ForbidsInput(word) {
			t.Errorf("%q is listed and not forbidden", word)
		}
	}
	product := func(s fund.Status, launched fund.Date) *fund.Product {
		return &fund.Product{Listing: fund.Listing{Status: s}, Terms: fund.Terms{LaunchedOn: launched}}
	}
	for _, c := range []struct {
		p    *fund.Product
		want bool
	}{
		{product(fund.Subscription, 0), true},
		{product(fund.Open, 0), false},
		{product(fund.Open, 20200101), true},  // day 179
		{product(fund.Open, 20191231), false}, // day 180
	} {
		if got := e.IsNewIssue(c.p, 20200628); got != c.want {
			t.Errorf("%v launched %v: new issue %v", c.p.Listing.Status, c.p.Terms.LaunchedOn, got)
		}
	}
	off := packWith(t, map[string]any{"K03.enabled": false}).InForce(1)
	if off.NewIssueShare() != 100 {
		t.Errorf("share %d with the rule off, expected 100", off.NewIssueShare())
	}
}

func TestCompileRefuses(t *testing.T) {
	p := packWith(t, nil)
	for name, compile := range map[string]func() (*eligibility.Gate, error){
		"no pack":    func() (*eligibility.Gate, error) { return eligibility.Compile(nil, nil, 1) },
		"no instant": func() (*eligibility.Gate, error) { return eligibility.Compile(p, nil, 0) },
		"forever":    func() (*eligibility.Gate, error) { return eligibility.Compile(p, nil, fund.Forever) },
		"too many products": func() (*eligibility.Gate, error) {
			return eligibility.Compile(p, make([]fund.Product, eligibility.MaxProducts+1), 1)
		},
	} {
		if _, err := compile(); !errors.Is(err, eligibility.ErrCompile) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParsePack(f *testing.F) {
	f.Add(eligibility.Default())
	f.Add([]byte("version: x\nname: y\nrules:\n  - {id: S04, parameters: {goal_classes: {CASH: [1, {}]}}}\n"))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("rules: !0 \nweights: !0 ")) // the decoder would panic
	if b, err := os.ReadFile("testdata/decisions.yaml"); err == nil {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := eligibility.ParsePack(b)
		if err != nil {
			if !errors.Is(err, eligibility.ErrPack) {
				t.Fatalf("error %v does not wrap ErrPack", err)
			}
			return
		}
		e := p.InForce(1_600_000_000_000_000)
		has := map[eligibility.RuleID]bool{}
		for _, r := range e.Rules {
			has[r.ID] = true
		}
		for _, law := range []eligibility.RuleID{"S01", "S02", "S12", "E02", "C02", "S10"} {
			if !has[law] {
				t.Fatalf("a pack without %s was accepted", law)
			}
		}
	})
}

// A pack of before a legal rule was known serves replay, and no new answer.
func TestRecordedPackMayLackANewRule(t *testing.T) {
	start := bytes.Index(eligibility.Default(), []byte("  - id: P03"))
	end := bytes.Index(eligibility.Default(), []byte("  - id: A02"))
	if start < 0 || end < start {
		t.Fatal("the default pack has no P03 before A02")
	}
	old := slices.Concat(eligibility.Default()[:start], eligibility.Default()[end:])
	if _, err := eligibility.ParsePack(old); !errors.Is(err, eligibility.ErrPack) {
		t.Errorf("ParsePack without P03: %v, expected it to be refused", err)
	}
	p, err := eligibility.ParseRecorded(old)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range p.Rules {
		if r.ID == eligibility.P03 {
			t.Error("P03 came from nowhere")
		}
	}
	if _, err := eligibility.ParseRecorded(append(old, "extra: 1\n"...)); !errors.Is(err, eligibility.ErrPack) {
		t.Errorf("ParseRecorded with an unknown key: %v", err)
	}
}

// The pack of before A06 is read for replay, rule by rule as it was; nothing that it set
// has changed since.
func TestThePackOfBeforeA06(t *testing.T) {
	old, err := os.ReadFile("testdata/pack-2026-11-01.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := eligibility.ParsePack(old); !errors.Is(err, eligibility.ErrPack) || !strings.Contains(err.Error(), "S05") {
		t.Errorf("new answers by the old pack: %v", err)
	}
	p, err := eligibility.ParseRecorded(old)
	if err != nil {
		t.Fatal(err)
	}
	current := packWith(t, nil)
	if p.Version >= current.Version || p.Name != current.Name {
		t.Errorf("%s %s is not renewed by %s %s", p.Name, p.Version, current.Name, current.Version)
	}
	known := map[eligibility.RuleID]bool{}
	for _, r := range p.Rules {
		known[r.ID] = true
	}
	described := func(rules []eligibility.Rule) (out []string) {
		for _, r := range rules {
			if known[r.ID] && r.Book == eligibility.BothBooks {
				out = append(out, fmt.Sprint(r.ID, r.From, r.Until, r.Enabled, r.Outcomes, r.Parameters, r.Citation, r.SourceMark))
			}
		}
		return out
	}
	if diff := cmp.Diff(described(p.Rules), described(current.Rules)); diff != "" {
		t.Error(diff)
	}
	if _, err := eligibility.Compile(p, nil, 1); err != nil {
		t.Errorf("the old pack is not compiled: %v", err)
	}
}
