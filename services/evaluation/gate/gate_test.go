package gate_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/services/evaluation/gate"
)

// document has what the documents of all verbs have: estimates with intervals, some of them null, lists of named
// elements, and TREC's names that hold dots.
const document = `{
	"rows": 120,
	"verdict": {"status": "GIVEN"},
	"estimates": {
		"ips":   {"value": 0.005, "stderr": 0.001, "ci95": [0.003, 0.007]},
		"snips": {"value": 0.0051, "stderr": 0.0005, "ci95": [0.0041, 0.0061]},
		"dr":    null,
		"dm":    {"value": 0.004, "stderr": null, "ci95": null}
	},
	"diagnostics": {"ess": 80.5, "mean_weight": 1.01},
	"segments": [
		{"name": "channel:APP", "value": "APP", "rows": 70, "estimates": {"snips": {"value": 0.006}}},
		{"name": "channel:BRANCH", "value": "BRANCH", "rows": 50, "estimates": {"snips": {"value": 0.002}}},
		{"name": "region:上海 西", "value": "上海 西", "rows": 1, "estimates": {"snips": {"value": 1}}}
	],
	"all": {"map": 0.31, "iprec_at_recall_0.10": 0.7, "iprec_at_recall_0.1": {"0": 5}},
	"policy": {"estimates": {"sndr": {"value": 2}}, "diagnostics": {"max_weight": 9}},
	"list": [1.5, 2.5, 3.5],
	"given": true
}`

func TestGates(t *testing.T) {
	for _, c := range []struct {
		gate   string
		passed bool
		reason string // "" where it passed
	}{
		{"snips.ci95.low >= 0.004", true, ""},
		{"snips.ci95.low >= 0.0041", true, ""},
		{"snips.ci95.low > 0.0041", false, "it is 0.0041"},
		{"snips.ci95.high<=0.0061", true, ""},
		{"snips.ci95.high < .0061", false, "it is 0.0061"},
		{"snips.low >= 4e-3", true, ""},
		{"snips >= 0.0051", true, ""},
		{"snips.value == 0.0051", true, ""},
		{"snips.value != 0.0051", false, "it is 0.0051"},
		{"estimates.snips.stderr < 0.0004", false, "it is 0.0005"},
		{"ess >= 100", false, "it is 80.5"},
		{"diagnostics.mean_weight <= +1.05", true, ""},
		{"rows > -1", true, ""},
		{"dr.ci95.low >= 0", false, "there is no figure: estimates.dr is null"},
		{"dr >= 0", false, "there is no figure: estimates.dr is null"},
		{"dm.ci95.low >= 0", false, "there is no figure: estimates.dm.ci95 is null"},
		{"dm.low >= 0", false, "there is no figure: estimates.dm.low is null"},
		{"dm.stderr >= 0", false, "there is no figure: estimates.dm.stderr is null"},
		{"segments.channel:APP.estimates.snips >= 0.005", true, ""},
		{"segments.BRANCH.estimates.snips.value >= 0.005", false, "it is 0.002"},
		{"segments.1.rows == 50", true, ""},
		{`segments."region:上海 西".rows == 1`, true, ""},
		{`segments . "上海 西" . rows==1`, true, ""},
		{"map >= 0.3", true, ""},
		{"all.iprec_at_recall_0.10 >= 0.8", false, "it is 0.7"},
		{"iprec_at_recall_0.1.0 == 5", true, ""},
		{"sndr == 2", true, ""},
		{"max_weight < 9", false, "it is 9"},
		{"list.2 == 3.5", true, ""},
	} {
		g, err := gate.Parse(c.gate)
		if err != nil {
			t.Error(err)
			continue
		}
		r, err := g.Judge([]byte(document), nil)
		if err != nil {
			t.Error(err)
			continue
		}
		if r.Passed != c.passed || r.Reason != c.reason || r.Gate != c.gate {
			t.Errorf("%s: %+v, expected passed %v and the reason %q", c.gate, r, c.passed, c.reason)
		}
		if null := strings.HasPrefix(r.Reason, "there is no figure"); null != (r.Value == nil) {
			t.Errorf("%s: value %v with the reason %q", c.gate, r.Value, r.Reason)
		}
	}
}

// What elements are called goes before what words mean: of two segments called low and high each is found by its name,
// and two that are called alike are told apart by their places and full names alone.
func TestElementsAreNotMistaken(t *testing.T) {
	const document = `{
		"segments": [
			{"name": "risk:high", "value": "high", "rows": 1},
			{"name": "risk:low", "value": "low", "rows": 2}
		],
		"both": [
			{"name": "a:x", "value": "x", "rows": 3},
			{"name": "b:x", "value": "x", "rows": 4},
			{"name": "c:0", "value": "0", "rows": 5}
		],
		"unknown": {"ci95": [null, null]}
	}`
	for asked, want := range map[string]string{
		"segments.low.rows == 2":  "segments.low.rows == 2: 2",
		"segments.high.rows == 1": "segments.high.rows == 1: 1",
		"both.b:x.rows == 4":      "both.b:x.rows == 4: 4",
		"both.0.rows == 5":        "both.0.rows == 5: 5",
		"unknown.low >= 0":        "unknown.low >= 0: there is no figure: unknown.low is null",
		"both.x.rows > 0":         "has no both.x.rows",
		"segments.00.rows > 0":    "has no segments.00.rows",
		"both.02.rows > 0":        "has no both.02.rows",
	} {
		g, err := gate.Parse(asked)
		if err != nil {
			t.Error(err)
			continue
		}
		r, err := g.Judge([]byte(document), nil)
		if got := fmt.Sprint(r, err); !strings.Contains(got, want) {
			t.Errorf("%s: %s, expected %q", asked, got, want)
		}
	}
}

// A figure whose verdict is withheld stops the release, also where it would pass. Others are judged.
func TestWithheld(t *testing.T) {
	var asked []string
	withheld := func(path string) bool {
		asked = append(asked, path)
		return strings.HasPrefix(path, "estimates.")
	}
	gates, err := gate.ParseAll([]string{"snips >= 0", "ess > 1", "dr > 0"})
	if err != nil {
		t.Fatal(err)
	}
	results, err := gate.Judge(gates, []byte(document), withheld)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%q %q failed %q", asked, results, gate.Failed(results))
	const want = `["estimates.snips" "diagnostics.ess" "estimates.dr"] ` +
		`["snips >= 0: its verdict is withheld" "ess > 1: 80.5" "dr > 0: its verdict is withheld"] ` +
		`failed ["snips >= 0: its verdict is withheld" "dr > 0: its verdict is withheld"]`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// What is not in the document is a slip of who asks, and must not pass for a failure, nor for a success.
func TestFiguresThatAreNotThere(t *testing.T) {
	for asked, said := range map[string]string{
		"snisp.ci95.low >= 0":  "the document has no snisp.ci95.low; did you mean snips.ci95.low",
		"ess_ > 1":             "did you mean ess",
		"snips.ci95.lo >= 0":   "did you mean snips.ci95.low",
		"segments.APPS.rows>0": "segments.",
		"segments.9.rows > 0":  "has no segments.9.rows",
		"list.-1 > 0":          "has no list.-1",
		"rows.low > 0":         "has no rows.low",
		"verdict.status == 1":  "verdict.status is text, expected a number",
		"estimates > 0":        "estimates is an object, expected a number",
		"list > 0":             "list is a list, expected a number",
		"given == 1":           "given is true or false, expected a number",
		"zzzzzzzzzzzzz > 0":    "has no zzzzzzzzzzzzz",
	} {
		g, err := gate.Parse(asked)
		if err != nil {
			t.Error(err)
			continue
		}
		r, err := g.Judge([]byte(document), nil)
		if !errors.Is(err, gate.ErrGate) || !strings.Contains(fmt.Sprint(err), said) {
			t.Errorf("%s: %v, %v, expected an error that says %q", asked, r, err, said)
		}
	}
}

func TestWhatIsNoGate(t *testing.T) {
	for text, said := range map[string]string{
		"":                                    "expected the name of a figure",
		"   ":                                 "expected the name of a figure",
		">= 1":                                "expected the name of a figure",
		"snips":                               "expected >=",
		"snips 4":                             "expected >=",
		"snips = 4":                           "expected >=",
		"snips => 4":                          "expected >=",
		"snips >=":                            "expected a finite decimal number",
		"snips >= low":                        "expected a finite decimal number",
		"snips >= NaN":                        "expected a finite decimal number",
		"snips >= Inf":                        "expected a finite decimal number",
		"snips >= 1e999":                      "expected a finite decimal number",
		"snips >= 0x1p-2":                     "expected a finite decimal number",
		"snips >= 1_000":                      "expected a finite decimal number",
		"snips >= 1 2":                        "expected a finite decimal number",
		"snips >= 1 && ess > 2":               "expected a finite decimal number",
		"a..b > 1":                            "expected the name of a figure",
		"a. > 1":                              "expected the name of a figure",
		`"" > 1`:                              "expected a name in double quotes",
		`"a > 1`:                              "expected a name in double quotes",
		strings.Repeat("a", 401) + " > 1":     "at most 400 bytes",
		"a\xff > 1":                           "UTF-8",
		strings.Repeat("a.", 16) + "a > 1":    "more than 16 words",
		"a > 1\n> 2":                          "expected a finite decimal number",
		strings.Repeat("a", 300) + "\x00 > 1": "expected >=",
	} {
		g, err := gate.Parse(text)
		if !errors.Is(err, gate.ErrGate) || !strings.Contains(fmt.Sprint(err), said) {
			t.Errorf("%q: %v, %v, expected an error that says %q", text, g, err, said)
		}
	}
	if _, err := gate.ParseAll(make([]string, gate.MaxGates+1)); !errors.Is(err, gate.ErrGate) {
		t.Errorf("%v for 101 gates", err)
	}
	if _, err := gate.ParseAll([]string{"a > 1", " a > 1 "}); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("%v for a gate that is there twice", err)
	}
}

// What is read back from a parsed gate is the same gate, and judging never panics, whatever was asked.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"snips.ci95.low >= 0.004", `segments."上海 西".rows==1`, "a.b.c != -1e-3", "iprec_at_recall_0.10<.5", `"\u0000".x > 0`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		g, err := gate.Parse(text)
		if err != nil {
			return
		}
		again, err := gate.Parse(g.String())
		if err != nil || fmt.Sprintf("%#v", again) != fmt.Sprintf("%#v", g) {
			t.Fatalf("%q reads as %#v, and that as %#v, %v", text, g, again, err)
		}
		if r, err := g.Judge([]byte(document), nil); err == nil && r.Passed != (r.Reason == "") {
			t.Fatalf("%q: %+v", text, r)
		}
	})
}
