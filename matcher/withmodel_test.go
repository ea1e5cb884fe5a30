package matcher_test

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/score/outcome"
)

// remodels change one thing of a model each. Every field of score.Settings has one: what a
// new field decides must not be shared with a core that has another value of it.
var remodels = map[string]func(*score.Model){
	"Weights": func(m *score.Model) { m.Weights[score.Quality], m.Weights[score.Affinity] = 3, .2 },
	"Affinity": func(m *score.Model) {
		m.Settings.Affinity.Learned.Backoff.Holders, m.Settings.Affinity.Learned.MaxBasket = 3, 3
	},
	"Cost": func(m *score.Model) {
		m.Settings.Cost.ReferenceAmount, m.Settings.Cost.DefaultHorizonMonths = 90_000_000, 5
	},
	"StaleDays": func(m *score.Model) { m.Settings.StaleDays = 1 },
	"Quality": func(m *score.Model) {
		m.Settings.Quality.MinObservations = 5000
	},
	"Tables": func(m *score.Model) {
		m.Settings.LossTolerance[fund.C4], m.Settings.LiquidityDays[fund.NeedLow] = 900_000, 1
	},
	"Slate": func(m *score.Model) {
		m.Settings.Slate = score.SlateSettings{MaxIssuerPct: 20, MaxThemePct: 20, MaxManagerPct: 20}
	},
	"Suggestion": func(m *score.Model) { m.Settings.Suggestion.AUMShare, m.Settings.Suggestion.Rounding = 10, 700 },
	"Objection": func(m *score.Model) {
		m.Settings.Objection = score.ObjectionSettings{ClosureLine: 100_000_000_000, LossRatio: 1, TenureDays: 4000, ManyFunds: 2}
	},
	"Outcome": func(m *score.Model) {
		p := outcome.Default()
		p.Settings.HalfLife, p.Settings.MinReturns = 20, 30
		m.Settings.Outcome = &p
	},
	"Track": func(m *score.Model) { m.Settings.Track.RiskFree = 900 },
	"Plan":  func(m *score.Model) { m.Settings.Plan = score.PlanSettings{IncomeShare: 10, MinHorizonMonths: 1} },
}

// A core with another model is the core that would be compiled from the start: the same bytes
// for everybody, also when one follows the other many times.
func TestWithModelIsCompile(t *testing.T) {
	t.Parallel()
	for i := range reflect.TypeFor[score.Settings]().NumField() {
		if name := reflect.TypeFor[score.Settings]().Field(i).Name; remodels[name] == nil {
			t.Errorf("no model of the test has other settings of %s", name)
		}
	}
	b := benchBank(80)
	for i := range b.products {
		b.navs[b.products[i].Code] = b.series(600, 1)
		b.products[i].Parties.ManagerSince, b.products[i].Parties.Size = b.day.AddDays(-900), 90_000_000_000
	}
	in := b.inputs()
	first := b.compile(t)
	chained := first
	for name, change := range remodels {
		other, model := *in, *in.Model
		change(&model)
		other.Model, other.Identity.ModelID = &model, name
		want := compile(t, &other)
		differ := false
		for hop, from := range map[string]*matcher.Core{"first": first, "chained": chained} {
			got, err := from.WithModel(&other)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if hop == "chained" {
				chained = got
			}
			for i := range want.Len() {
				if !reflect.DeepEqual(got.Record(i), want.Record(i)) {
					t.Fatalf("%s from the %s: another record of product %d", name, hop, i)
				}
				differ = differ || !reflect.DeepEqual(got.Record(i), first.Record(i))
				p, r := b.customer(i), b.request(want)
				if i%2 == 0 {
					p = busyCustomer(b)
				}
				is := match(t, got, p, r).AppendCanonical(nil)
				if !bytes.Equal(is, match(t, want, p, r).AppendCanonical(nil)) {
					t.Fatalf("%s from the %s: another answer than of a core compiled from the start", name, hop)
				}
				before := match(t, first, p, r)
				before.Identity.ModelID = name
				differ = differ || !bytes.Equal(is, before.AppendCanonical(nil))
				if code := want.Product(i).Code; !sameExplanation(t, got, want, p, code, r) {
					t.Fatalf("%s from the %s: %s is explained otherwise", name, hop, code)
				}
			}
		}
		if !differ && name != "Plan" { // read at each match and compiled into nothing
			t.Errorf("%s: no answer changed: nothing was tried", name)
		}
	}
}

func sameExplanation(t *testing.T, one, other *matcher.Core, p *fund.Profile, code string, r matcher.Request) bool {
	t.Helper()
	a, errA := one.Explain(p, code, r)
	b, errB := other.Explain(p, code, r)
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	return reflect.DeepEqual(a.Evidence, b.Evidence) && reflect.DeepEqual(a.Findings, b.Findings) &&
		bytes.Equal(a.Slate.AppendCanonical(nil), b.Slate.AppendCanonical(nil))
}

// What the model does not decide is read once.
func TestWithModelReadsMarketDataOnlyWhereItMust(t *testing.T) {
	t.Parallel()
	b := newBank(12, 30)
	first := b.compile(t)
	for name, want := range map[string]string{"Weights": "", "Objection": "", "Slate": "", "Affinity": "purchases", "Track": "navs"} {
		in, model, read := *b.inputs(), *b.inputs().Model, ""
		remodels[name](&model)
		in.Model, in.Identity.ModelID = &model, name
		in.NAVs = func(func(string, []fund.NAV) error) error { read += "navs"; return nil }
		in.Purchases = func(func(string, []fund.Purchase) error) error { read += "purchases"; return nil }
		if _, err := first.WithModel(&in); err != nil || strings.ReplaceAll(read, "navsnavs", "navs") != want {
			t.Errorf("%s: read %q, %v, expected %q", name, read, err, want)
		}
	}
}

// Inputs of another core are refused: nothing may mix two pools.
func TestWithModelIsOfTheSamePool(t *testing.T) {
	t.Parallel()
	b := newBank(13, 20)
	first := b.compile(t)
	errRead := errors.New("no such row")
	for name, change := range map[string]func(*matcher.Inputs){
		"another pool":   func(in *matcher.Inputs) { in.Identity.PoolRevision++ },
		"other data":     func(in *matcher.Inputs) { in.Identity.DataSeq++ },
		"another time":   func(in *matcher.Inputs) { in.Identity.AsOf++ },
		"other rules":    func(in *matcher.Inputs) { in.Identity.RulesID += "x" },
		"other words":    func(in *matcher.Inputs) { in.Identity.WordingID += "x" },
		"another engine": func(in *matcher.Inputs) { in.Identity.Engine += "x" },
		"no model":       func(in *matcher.Inputs) { in.Model = nil },
		"no NAVs":        func(in *matcher.Inputs) { in.NAVs = nil },
		"no purchases":   func(in *matcher.Inputs) { in.Purchases = nil },
		"unreadable": func(in *matcher.Inputs) {
			model := *in.Model
			remodels["Affinity"](&model)
			in.Model, in.Purchases = &model, func(func(string, []fund.Purchase) error) error { return errRead }
		},
	} {
		in := b.inputs()
		in.Identity.ModelID = "other"
		if _, err := first.WithModel(in); err != nil {
			t.Fatal(err)
		}
		change(in)
		if _, err := first.WithModel(in); !errors.Is(err, matcher.ErrCompile) {
			t.Errorf("%s: %v, expected ErrCompile", name, err)
		}
	}
}

func BenchmarkWithModel(b *testing.B) {
	bank := benchBank(300)
	core, in := bank.compile(b), bank.inputs()
	in.Identity.ModelID = "other"
	b.ReportAllocs()
	for b.Loop() {
		if _, err := core.WithModel(in); err != nil {
			b.Fatal(err)
		}
	}
}
