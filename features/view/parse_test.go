package view_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/view"
)

const bank = `schema: fundmatch.views/v1
purposes:
  - {name: RESEARCH, kind: personalizing, doc: to find out}
views:
  - name: salary
    owner: retail data
    version: "3"
    purposes: [SUITABILITY, RESEARCH]
    needs_consent: [RESEARCH]
    roles: [MANAGER]
    max_age: 30d
    look_back: 400d
    retention: 3650d
    features:
      - {name: monthly, type: decimal, doc: yuan a month}
      - {name: employer, type: string, roles: [AUDITOR]}
  - name: market
    owner: research
    version: "1"
    personal: false
    purposes: [PUBLIC]
    open: int
  - name: tag
    owner: retail data
    max_age: 365d
    roles: [MANAGER]
    features:
      - {name: children, type: int}
`

// ofBank is the catalogue of the bank.
func ofBank(t *testing.T) *view.Catalogue {
	t.Helper()
	c, err := view.Parse([]byte(bank))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestParseAddsViewsAndRefinesBuiltInOnes(t *testing.T) {
	c := ofBank(t)
	salary, ok := c.View("salary")
	if !ok || salary.Owner != "retail data" || salary.MaxAge.Hours() != 720 || !salary.Personal || salary.Gate {
		t.Errorf("salary: %+v", salary)
	}
	if market, _ := c.View("market"); market.Personal || market.Open != view.Int {
		t.Errorf("market: %+v", market)
	}
	before, _ := view.Default().View("tag")
	tag, _ := c.View("tag")
	if diff := cmp.Diff(before.Purposes, tag.Purposes); diff != "" || tag.Owner != "retail data" || tag.Version != before.Version {
		t.Errorf("tag: %+v", tag)
	}
	if got := c.Version("salary"); got != "3" {
		t.Errorf("version %q", got)
	}
	if got := c.Version("nothing"); got != "" {
		t.Errorf("version of nothing: %q", got)
	}
	if n := len(c.Views()); n != len(view.Default().Views())+2 {
		t.Errorf("%d views", n)
	}
	if n := len(c.Purposes()); n != len(view.Default().Purposes())+1 {
		t.Errorf("%d purposes", n)
	}
}

func TestParseNamesLineAndPlace(t *testing.T) {
	for name, c := range map[string]struct{ from, to, want string }{
		"another schema":       {"views/v1", "views/v2", `line 1, schema: "fundmatch.views/v2", expected fundmatch.views/v1`},
		"an unknown key":       {"owner: research", "ovner: research", `[18:5] unknown field`},
		"a built-in purpose":   {"name: RESEARCH", "name: PUBLIC", `line 3, purposes[0].name: "PUBLIC"`},
		"an unknown kind":      {"kind: personalizing", "kind: nice", `line 3, purposes[0].kind: "nice", expected one of personalizing, duty, non_personal`},
		"a long doc":           {"to find out", strings.Repeat("x", 257), `purposes[0].doc`},
		"an unknown purpose":   {"purposes: [SUITABILITY, RESEARCH]", "purposes: [SUITABILITY, RESERCH]", `line 8, views[0].purposes[1]: "RESERCH"`},
		"a purpose twice":      {"purposes: [SUITABILITY, RESEARCH]", "purposes: [RESEARCH, RESEARCH]", `line 8, views[0].purposes[1]: "RESEARCH", expected each purpose once`},
		"consent to another":   {"needs_consent: [RESEARCH]", "needs_consent: [AUDIT]", `line 9, views[0].needs_consent[0]: "AUDIT"`},
		"an unknown role":      {"roles: [MANAGER]\n    max_age: 30d", "roles: [BOSS]\n    max_age: 30d", `line 10, views[0].roles[0]: "BOSS", expected one of MANAGER, APP, AUDITOR`},
		"an age without unit":  {"max_age: 30d", "max_age: 30", `line 11, views[0].max_age: "30"`},
		"an age of nothing":    {"max_age: 30d", "max_age: 0d", `line 11, views[0].max_age: "0d"`},
		"an age beyond bounds": {"max_age: 30d", "max_age: 36501d", `line 11, views[0].max_age: "36501d"`},
		"a narrow look-back":   {"look_back: 400d", "look_back: 1d", `line 12, views[0].look_back: "24h0m0s", expected not below max_age`},
		"a short retention":    {"retention: 3650d", "retention: 399d", `line 13, views[0].retention`},
		"an unknown type":      {"type: decimal", "type: float", `line 15, views[0].features[0].type: "float", expected one of int, decimal, string, bool, time, list`},
		"a feature twice":      {"name: employer", "name: monthly", `line 16, views[0].features[1].name: "monthly", expected each feature once`},
		"a feature's bad name": {"name: employer", `name: "a b"`, `line 16, views[0].features[1].name: "a b"`},
		"a feature's bad role": {"roles: [AUDITOR]", "roles: [PROGRAM]", `line 16, views[0].features[1].roles[0]: "PROGRAM"`},
		"a view with a dot":    {"name: market", "name: mar.ket", `line 17, views[1].name: "mar.ket"`},
		"a view of cells":      {"name: market", "name: lot", `line 17, views[1].name: "lot"`},
		"a view twice":         {"name: market", "name: salary", `line 17, views[1].name: "salary", expected each view once`},
		"no owner":             {"    owner: research\n", "", `views[1].owner: "", expected who answers for it`},
		"no version":           {"    version: \"1\"\n", "", `views[1].version: ""`},
		"no features":          {"    open: int\n", "", `views[1].features: "none"`},
		"a version of ours":    {"name: tag", "name: tag\n    version: \"9\"", `views[2]: "tag", expected owner, purposes`},
		"more roles":           {"name: tag\n    owner: retail data\n    max_age: 365d\n    roles: [MANAGER]", "name: behaviour\n    owner: retail data\n    roles: [APP]", `views[2].`},
		"features of ours":     {"name: tag", "name: consent", `views[2].features: "consent"`},
		"ages that nobody keeps": {
			"  - name: tag\n    owner: retail data\n    max_age: 365d\n    roles: [MANAGER]\n    features:\n      - {name: children, type: int}\n",
			"  - {name: needs, max_age: 1d}\n", `views[2].max_age: "needs", expected no bounds of age`,
		},
		"an alias":      {"owner: research", "owner: &x research", "an anchor, alias or tag"},
		"no YAML":       {"schema:", "{schema", "document"},
		"two documents": {"views:", "---\nviews:", "document"},
		"a deep line":   {"owner: research", "owner: " + strings.Repeat("[", 9), "line 18"},
		"a long line":   {"owner: research", "owner: " + strings.Repeat("x", 1100), "line 18"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(bank, c.from, c.to, 1)
			if text == bank {
				t.Fatal("nothing was changed")
			}
			_, err := view.Parse([]byte(text))
			if !errors.Is(err, features.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nexpected %s", err, c.want)
			}
		})
	}
}

func TestARefinementNeverLoosens(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"roles":   {"  - {name: behaviour, roles: [APP]}\n", "views[0].roles"},
		"consent": {"  - {name: tag, needs_consent: []}\n", "views[0].needs_consent"},
		"gate":    {"  - {name: tag, gate: true}\n", `[3:17] unknown field`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := view.Parse([]byte("schema: fundmatch.views/v1\nviews:\n" + c.text))
			if !errors.Is(err, features.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, expected %s", err, c.want)
			}
		})
	}
	_, err := view.Extend(nil, []view.View{{
		Definition: view.Definition{Name: "x", Owner: "o", Version: "1"}, Access: view.Access{Gate: true}, Open: view.Int,
	}})
	if !errors.Is(err, features.ErrInvalid) {
		t.Errorf("a bank's view of the gate: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(bank))
	f.Add([]byte("schema: fundmatch.views/v1"))
	f.Add([]byte("views: [[[[[["))
	f.Add([]byte("schema: fundmatch.views/v1\nviews: !0 ")) // the decoder would panic
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := view.Parse(data)
		if err != nil {
			if !errors.Is(err, features.ErrInvalid) {
				t.Errorf("no ErrInvalid: %v", err)
			}
			return
		}
		for _, v := range c.Views() {
			if v.Name == "" || v.Owner == "" || v.Version == "" {
				t.Errorf("a view without name, owner or version: %+v", v)
			}
		}
	})
}
