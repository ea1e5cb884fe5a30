package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fundmatch/fundmatch/matcher/fund"
	outcomes "github.com/fundmatch/fundmatch/matcher/score/outcome"
	"github.com/fundmatch/fundmatch/matcher/score/outcome/assess"
)

const outcomeHeader = "product_code,nav_date,unit_nav,accum_nav\n"

// waveRows are so many weekdays' NAVs of a fund from 2014-01-01 on, in waves, rounded as they are published.
func waveRows(code string, days int, wave float64) string {
	var b strings.Builder
	for i, day := 0, fund.Date(20140101); i < days; day = day.AddDays(1) {
		if w := day.Weekday(); w == 0 || w == 6 {
			continue
		}
		v := 1 + 0.2*math.Sin(float64(i)/wave) + 0.01*float64(i%3)
		fmt.Fprintf(&b, "%s,%s,%.4f,%.4f\n", code, day, v, v)
		i++
	}
	return b.String()
}

// outcomeBank writes a folder with the two files.
func outcomeBank(t *testing.T, products, navs string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"products.csv": products, "nav.csv": navs} {
		if text == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const outcomeProductsCSV = "product_code,name,product_type,risk_grade,subscription_ladder,redemption_ladder\n" +
	"000001,甲,混合型-偏股,R4,:150,7:150;:50\n000002,乙,混合型-偏股,R4,,\n000003,丙,混合型-偏股,R4,,\n"

func readReport(t *testing.T, name string) assess.Report {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var r assess.Report
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestOutcomeReports(t *testing.T) {
	t.Parallel()
	dir := outcomeBank(t, outcomeProductsCSV, outcomeHeader+waveRows("000002", 800, 40)+waveRows("000001", 800, 60))
	report, figure := filepath.Join(dir, "o.json"), filepath.Join(dir, "o.svg")
	out := inProcess(t.Context(), "", "outcome", "--data", dir, "--json", report, "--svg", figure, "--resamples", "100")
	if out.code != exitDone || !strings.Contains(out.stdout, "ORDINARY") || !strings.Contains(out.stderr, "2 products with NAVs, 0 of them left out") {
		t.Fatalf("exit code %d\n%s%s", out.code, out.stdout, out.stderr)
	}
	r := readReport(t, report)
	if r.Products != 2 || r.Costed != 1 || r.Plan.TrainUntil != "2015-06-12" || r.Plan.Resamples != 100 || r.Params.Shapes[0].Holdings == 0 {
		t.Errorf("%+v", r.Plan)
	}
	if svg, err := os.ReadFile(figure); err != nil || !strings.HasPrefix(string(svg), "<svg ") {
		t.Errorf("figure: %v", err)
	}
}

// A silence of more than 31 days makes two series of one fund, and none spans it; a fund whose NAVs are on no clear
// basis is left out and counted.
func TestOutcomeCutsSeries(t *testing.T) {
	t.Parallel()
	var broken, drifting strings.Builder
	for i, line := range strings.Split(strings.TrimSpace(waveRows("000001", 800, 60)), "\n") {
		if i < 300 || i > 340 {
			broken.WriteString(line + "\n")
		}
	}
	for i, line := range strings.Split(strings.TrimSpace(waveRows("000003", 400, 60)), "\n") {
		fields := strings.Split(line, ",")
		var unit float64
		if _, err := fmt.Sscan(fields[2], &unit); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&drifting, "%s,%s,%.4f,%.4f\n", fields[0], fields[1], unit, 1.7*unit+float64(i%2)*0.0001)
	}
	dir := outcomeBank(t, outcomeProductsCSV, outcomeHeader+broken.String()+drifting.String())
	report := filepath.Join(dir, "o.json")
	out := inProcess(t.Context(), "", "outcome", "--data", dir, "--json", report)
	if out.code != exitDone || !strings.Contains(out.stderr, "2 products with NAVs, 1 of them left out") {
		t.Fatalf("exit code %d\n%s%s", out.code, out.stdout, out.stderr)
	}
	r := readReport(t, report)
	if r.Products != 1 {
		t.Errorf("%d products", r.Products)
	}
	for _, m := range r.Horizons[outcomes.ThreeMonths].ByMonth {
		if m.Month == "2015-01" { // entered before the silence of 2015-02-25 to 2015-04-22, due in it
			t.Errorf("%d holdings of three months span the gap", m.Entries)
		}
	}
}

func TestOutcomeRefuses(t *testing.T) {
	t.Parallel()
	good := outcomeBank(t, outcomeProductsCSV, outcomeHeader+waveRows("000001", 300, 60))
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no folder":               {nil, "--data: expected a folder"},
		"no such folder":          {[]string{"--data", filepath.Join(good, "x")}, "no such file"},
		"no NAVs":                 {[]string{"--data", outcomeBank(t, outcomeProductsCSV, "")}, "nav.csv: is not there"},
		"no products":             {[]string{"--data", outcomeBank(t, "", outcomeHeader)}, "products.csv: is not there"},
		"a bad NAV":               {[]string{"--data", outcomeBank(t, outcomeProductsCSV, outcomeHeader+"000001,2014-01-01,-1,1\n")}, "nav.csv:2:unit_nav"},
		"a product unknown":       {[]string{"--data", outcomeBank(t, outcomeProductsCSV, outcomeHeader+"000009,2014-01-01,1,1\n")}, `"000009", expected a product`},
		"a loss of more than all": {[]string{"--data", outcomeBank(t, outcomeProductsCSV, outcomeHeader+"000001,2014-01-01,1,5\n000001,2014-01-02,1,1\n")}, "product 000001"},
		"a day that is none":      {[]string{"--data", good, "--train-until", "2015-02-30"}, "--train-until: \"2015-02-30\""},
		"no day":                  {[]string{"--data", good, "--crash-from", ""}, "--crash-from"},
		"a crash that ends first": {[]string{"--data", good, "--crash-to", "2015-01-01"}, "--crash-to: 2015-01-01"},
		"training until the end":  {[]string{"--data", good, "--train-until", "2016-01-01"}, "--train-until: 2016-01-01"},
		"no amount":               {[]string{"--data", good, "--amount-fen", "0"}, "--amount-fen"},
		"blocks of nothing":       {[]string{"--data", good, "--block-months", "0"}, "--block-months"},
		"no resample":             {[]string{"--data", good, "--resamples", "0"}, "--resamples"},
		"one file for both":       {[]string{"--data", good, "--json", "x", "--svg", "./x"}, "--svg: ./x is the report"},
		"what is read":            {[]string{"--data", good, "--svg", filepath.Join(good, "nav.csv")}, "nav.csv is what would be written"},
		"a folder for a file":     {[]string{"--data", good, "--json", good}, "is a directory"},
	} {
		out := inProcess(t.Context(), "", append([]string{"outcome"}, c.args...)...)
		if out.code != exitUsage || !strings.Contains(out.stderr, c.want) || out.stdout != "" {
			t.Errorf("%s: exit code %d, want %d and %q\n%s", name, out.code, exitUsage, c.want, out.stderr)
		}
	}
}

// What docs/outcome.md says of the 94 funds, and issue 6 asks for: outside the crash 5 to 15 % of the entries beyond the
// 90 % range, and losses below the unconditional past quantile's; the crash is told, not hidden. The shipped shapes are
// the fit to all of these funds.
func TestOutcomeOnRealFunds(t *testing.T) {
	t.Parallel()
	data := filepath.Join(root, "..", "shared", "data", "cn-funds")
	if _, err := os.Stat(data); err != nil {
		t.Skipf("no real funds: %v", err)
	}
	dir := t.TempDir()
	until := func(day string) assess.Report {
		name := filepath.Join(dir, day)
		if out := inProcess(t.Context(), "", "outcome", "--data", data, "--train-until", day, "--json", name); out.code != exitDone {
			t.Fatalf("exit code %d\n%s", out.code, out.stderr)
		}
		return readReport(t, name)
	}
	r := until("2015-06-12")
	for h, years := range map[outcomes.Horizon]float64{outcomes.TwoYears: 2, outcomes.ThreeYears: 3} { // of 244 days on which NAVs come
		if got, want := outcomes.DefaultSettings().LongRun[h], 1-outcomes.Kept(r.Persistence, 244*years); math.Abs(got-want) > 0.01 {
			t.Errorf("%v: the long run weighs %v, of a persistence of %v it is %.3f", h, got, r.Persistence, want)
		}
	}
	for i := range r.Horizons {
		h := &r.Horizons[i]
		parts := map[string]*assess.Score{}
		for k := range h.Parts {
			parts[h.Parts[k].Part] = &h.Parts[k]
		}
		if h.Months > 12 { // no holding of two years misses the crash
			if len(parts) != 2 || parts["CRASH"] == nil {
				t.Errorf("%d months: %d parts", h.Months, len(parts))
			}
			continue
		}
		if rate := parts["ORDINARY"].Beyond90.Value; rate < 0.05 || rate > 0.15 {
			t.Errorf("%d months: %.1f %% of ordinary entries beyond, want 5 to 15", h.Months, 100*rate)
		}
		if crash := parts["CRASH"].Beyond90.Value; crash < 0.3 {
			t.Errorf("%d months: %.1f %% of the crash's entries beyond: is it what docs/outcome.md tells?", h.Months, 100*crash)
		}
		for _, name := range []string{"HELD_OUT", "ORDINARY", "CRASH", "ALL"} {
			if s := parts[name]; s.Drawdown.Gain.Value <= 0 || s.Return.Gain.Value <= 0 {
				t.Errorf("%d months, %s: gains of %v and %v over the past quantiles", h.Months, name, s.Drawdown.Gain.Value, s.Return.Gain.Value)
			}
		}
	}
	if diff := cmp.Diff(outcomes.Default(), until("2023-02-01").Params); diff != "" {
		t.Errorf("the shipped parameters are not the fit to all: %s", diff)
	}
}
