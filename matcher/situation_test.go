package matcher_test

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/score/logit"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

// foretelling compiles the bank with a conversion model whose every input counts, each with
// a coefficient of its own: no two situations give the same by chance.
func (b *bank) foretelling(tb testing.TB) (*matcher.Core, *score.Conversion) {
	tb.Helper()
	fit := logit.Model{Intercept: -1, Rows: 1000, Events: 200, LogLoss: .4, NullLogLoss: .5, Steps: 5}
	for i := range score.ConversionInputCount {
		fit.Terms = append(fit.Terms, logit.Slope{
			Name: i.String(), Coefficient: math.Sqrt(float64(i+2)) / 9 * float64(1-2*(i%2)), Scale: 1, Most: 1,
		})
	}
	calibration, err := logit.Platt([]logit.Scored{{LogOdds: -2}, {LogOdds: -1, Happened: true}, {LogOdds: 0}, {LogOdds: 1, Happened: true}})
	if err != nil {
		tb.Fatal(err)
	}
	m, err := score.NewConversion(30, &fit, calibration)
	if err != nil {
		tb.Fatal(err)
	}
	in := b.inputs()
	model := *in.Model
	model.Conversion = m
	in.Model = &model
	return compile(tb, in), m
}

// What an answer foretells is what a training reads of the same customer at the same
// instant: online is offline. And it is known for those alone of whom it may be.
func TestAnAnswerForetellsFromWhatATrainingReads(t *testing.T) {
	told := 0
	for seed := range uint64(4) {
		b := newBank(seed, 150)
		core, m := b.foretelling(t)
		plain := b.compile(t)
		for i := range 150 {
			p, r := b.customer(i), b.request(core)
			s := match(t, core, p, r)
			var situation matcher.Situation
			if err := core.Situate(p, r, &situation); err != nil {
				t.Fatal(err)
			}
			for k := range s.Items {
				it := &s.Items[k]
				place, _ := core.Find(it.Code)
				want := fund.Measure{}
				if s.Personal && !s.Information && it.Conversion.Action != conversion.NoContact {
					var in score.ConversionInputs
					situation.Conversion(place, &in)
					want = m.Probability(&in)
					told++
				}
				if it.Conversion.Probability != want {
					t.Fatalf("seed %d, customer %d, %s: %+v, a training reads %+v", seed, i, it.Code, it.Conversion.Probability, want)
				}
				if situation.Personal() != s.Personal || !situation.Permitted(place) {
					t.Fatalf("seed %d, customer %d: personal %v, %s permitted %v", seed, i, situation.Personal(), it.Code, situation.Permitted(place))
				}
			}
			without := match(t, plain, p, r)
			for k := range s.Items {
				s.Items[k].Conversion.Probability = fund.Measure{}
			}
			if diff := cmp.Diff(without, s, cmpopts.IgnoreUnexported(matcher.Slate{}), cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("the model changed more than the probability (- without, + with):\n%s", diff)
			}
		}
	}
	if told < 100 {
		t.Errorf("%d items with a probability, expected hundreds", told)
	}
}

// Nothing that happens at the instant or after it is among what a probability rests on. What
// the gate hears at once, a refusal or a redemption, decides whether there is one.
func TestNothingOfTheInstantIsAnInput(t *testing.T) {
	bank := benchBank(60)
	core, _ := bank.foretelling(t)
	before := busyCustomer(bank)
	r := matcher.Request{At: bank.asOf, Channel: fund.App, Limit: 5}
	read := func(p *fund.Profile) (out []score.ConversionInputs) {
		var s matcher.Situation
		if err := core.Situate(p, r, &s); err != nil {
			t.Fatal(err)
		}
		for place := range core.Len() {
			var in score.ConversionInputs
			s.Conversion(place, &in)
			out = append(out, in)
		}
		return out
	}
	want := read(before)
	rapid.Check(t, func(rt *rapid.T) {
		after := *before
		events := slices.Clone(before.Trail.Recent)
		for range rapid.IntRange(1, 6).Draw(rt, "events") {
			kind := rapid.SampledFrom([]fund.EventKind{
				fund.Exposure, fund.Click, fund.DetailView, fund.ObjectionRaised, fund.EvidenceOpen, fund.OrderStart, fund.OrderConfirm,
				fund.OrderAbandon, fund.Redeem, fund.Contact,
			}).Draw(rt, "kind")
			late := time.Duration(rapid.SampledFrom([]int64{0, 1, 1e6, 1e12}).Draw(rt, "µs late")) * time.Microsecond
			if kind == fund.Redeem && late == 0 {
				late = 1000 // the gate hears of money from a redemption at once: less is permitted
			}
			code := bank.products[rapid.IntRange(0, 59).Draw(rt, "product")].Code
			events = append(events, fund.Event{Kind: kind, At: bank.asOf.Add(late), ProductCode: code, Channel: "APP", About: "DRAWDOWN", Amount: 1})
		}
		after.Trail = behaviour.Of(events)
		if diff := cmp.Diff(want, read(&after)); diff != "" {
			rt.Fatalf("inputs moved (- before, + after):\n%s", diff)
		}
	})
	earlier := *before
	earlier.Trail = behaviour.Of(append(slices.Clone(before.Trail.Recent), fund.Event{Kind: fund.Exposure, At: bank.asOf - 1, ProductCode: bank.products[0].Code}))
	if cmp.Equal(want, read(&earlier)) {
		t.Error("an exposure just before the instant is no input: the test would see nothing")
	}
}

// Each input says what its name says, of a history made by hand.
func TestInputsOfAHandMadeHistory(t *testing.T) {
	bank := benchBank(20)
	core, _ := bank.foretelling(t)
	p := benchCustomer(bank)
	code := bank.products[3].Code
	p.Lots = []fund.Lot{{ProductCode: code, Shares: 100, AcquiredOn: bank.day.AddDays(-90)}}
	p.Purchases = []fund.Purchase{{ProductCode: code, KnownOn: bank.day.AddDays(-90), Kind: "BUY"}}
	ago := func(days int) fund.Instant { return bank.day.AddDays(-days).Start() }
	p.Trail = behaviour.Of([]fund.Event{
		{Kind: fund.Exposure, At: ago(7), ProductCode: code},
		{Kind: fund.Exposure, At: ago(40), ProductCode: bank.products[4].Code},
		{Kind: fund.DetailView, At: ago(14), ProductCode: code},
		{Kind: fund.OrderStart, At: ago(21), ProductCode: code},
		{Kind: fund.OrderConfirm, At: ago(60), ProductCode: code},
		{Kind: fund.Contact, At: ago(3), ProductCode: code},
		{Kind: fund.ObjectionRaised, At: ago(20), ProductCode: code, About: "FEE"},
		{Kind: fund.ObjectionRaised, At: ago(200), ProductCode: code, About: "TIMING"},
	})
	var s matcher.Situation
	if err := core.Situate(p, matcher.Request{At: bank.asOf, Channel: fund.Branch, Licence: licensed, Limit: 1}, &s); err != nil {
		t.Fatal(err)
	}
	var in score.ConversionInputs
	place, _ := core.Find(code)
	s.Conversion(place, &in)
	for input, want := range map[score.ConversionInput]float64{
		score.InputBranch: 1, score.InputHeld: 1, score.InputShown: 7. / 14, score.InputViewed: 7. / 21, score.InputStarted: 7. / 28,
		score.InputBought: 30. / 90, score.InputDoubts: 1, score.InputShowings: math.Log1p(1), score.InputVisits: math.Log1p(1),
		score.InputVisitRecency: 7. / 21, score.InputPurchases: math.Log1p(1), score.InputPurchaseRecency: 30. / 120,
		score.InputContacts: math.Log1p(1), score.InputLevel: .75, score.InputGrade: .75,
	} {
		if in[input] != want {
			t.Errorf("%s: %v, expected %v", input, in[input], want)
		}
	}
	for _, c := range s.Contributions(place) {
		if int(c.Feature) < int(score.InputBranch) && in[c.Feature] != c.Value {
			t.Errorf("%s: %v, the score has %v", c.Feature, in[c.Feature], c.Value)
		}
	}
}

// A core may be asked about later days than its own, never about earlier ones: it knows what
// came until its instant.
func TestASituationIsNeverBeforeItsCore(t *testing.T) {
	bank := benchBank(20)
	core, p := bank.compile(t), benchCustomer(bank)
	var s matcher.Situation
	for days, want := range map[int]error{-1: matcher.ErrOutsideValidity, 0: nil, 28: nil} {
		at := bank.asOf.Add(time.Duration(days) * 24 * time.Hour)
		if err := core.Situate(p, matcher.Request{At: at, Channel: fund.App, Limit: 1}, &s); !errors.Is(err, want) {
			t.Errorf("%d days from the core: %v, expected %v", days, err, want)
		}
	}
}

// A bank may forbid more inputs than the rulebook names (F04). A model that reads one is
// refused, when a core is compiled and when another model is put beneath one.
func TestAnInputThatThePackForbidsIsRefused(t *testing.T) {
	bank := benchBank(20)
	_, m := bank.foretelling(t)
	text := strings.Replace(string(eligibility.Default()), "inputs: [commission,", "inputs: [doubts, commission,", 1)
	pack, err := eligibility.ParsePack([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	in := bank.inputs()
	in.Rules = pack
	plain := compile(t, in)
	model := *in.Model
	model.Conversion = m
	in.Model, in.Identity.ModelID = &model, "another"
	if _, err := matcher.Compile(in); !errors.Is(err, score.ErrForbiddenInput) || !strings.Contains(err.Error(), "DOUBTS") {
		t.Errorf("compiled: %v, expected DOUBTS refused", err)
	}
	if _, err := plain.WithModel(in); !errors.Is(err, score.ErrForbiddenInput) || !strings.Contains(err.Error(), "DOUBTS") {
		t.Errorf("with the model: %v, expected DOUBTS refused", err)
	}
}

// A core that is given the model foretells as one that was compiled with it.
func TestWithModelForetells(t *testing.T) {
	bank := benchBank(60)
	whole, m := bank.foretelling(t)
	in := bank.inputs()
	model := *in.Model
	model.Conversion = m
	in.Model, in.Identity.ModelID = &model, "another"
	swapped, err := bank.compile(t).WithModel(in)
	if err != nil {
		t.Fatal(err)
	}
	p, r := busyCustomer(bank), matcher.Request{At: bank.asOf, Channel: fund.App, Limit: 10}
	a, b := match(t, whole, p, r), match(t, swapped, p, r)
	for i := range a.Items {
		if x, y := a.Items[i].Conversion.Probability, b.Items[i].Conversion.Probability; x != y || !x.OK && a.Items[i].Conversion.Action != conversion.NoContact {
			t.Errorf("item %d: %+v and %+v", i, x, y)
		}
	}
}

func TestAForetellingMatchDoesNotAllocate(t *testing.T) {
	bank := benchBank(300)
	core, _ := bank.foretelling(t)
	p := busyCustomer(bank)
	r := matcher.Request{At: bank.asOf, Channel: fund.Branch, Licence: licensed, Audience: wording.Manager, Limit: 5}
	var out matcher.Slate
	if err := core.Match(p, r, &out); err != nil {
		t.Fatal(err)
	}
	canonical := slices.Grow(out.AppendCanonical(nil), 1024)
	if n := testing.AllocsPerRun(100, func() {
		if err := core.Match(p, r, &out); err != nil {
			t.Error(err)
		}
		canonical = out.AppendCanonical(canonical[:0])
	}); n != 0 {
		t.Errorf("%v allocations an answer", n)
	}
}

// What a probability costs an answer of five items, beside the same answer without.
func BenchmarkForetelling(b *testing.B) {
	bank := benchBank(300)
	foretelling, _ := bank.foretelling(b)
	p := busyCustomer(bank)
	r := matcher.Request{At: bank.asOf, Channel: fund.App, Limit: 5}
	for name, core := range map[string]*matcher.Core{"with": foretelling, "without": bank.compile(b)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var out matcher.Slate
			for b.Loop() {
				if err := core.Match(p, r, &out); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A record keeps the probabilities, of some items or of all; one that claims what cannot be
// is refused, and one without any is of the version before.
func TestARecordKeepsProbabilities(t *testing.T) {
	b := newBank(3, 150)
	core, _ := b.foretelling(t)
	plain := b.compile(t)
	kept := 0
	for i := range 60 {
		p, r := b.customer(i), b.request(core)
		s := match(t, core, p, r)
		data := s.AppendCanonical(nil)
		parsed, err := matcher.ParseSlate(data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s, parsed, cmpopts.IgnoreUnexported(matcher.Slate{}), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("customer %d (- answered, + read back):\n%s", i, diff)
		}
		foretold := slices.ContainsFunc(s.Items, func(it matcher.Item) bool { return it.Conversion.Probability.OK })
		if want := match(t, plain, p, r).AppendCanonical(nil); !foretold && !bytes.Equal(data, want) {
			t.Fatalf("customer %d: without a probability the record is of version %d and another than without a model", i, data[0])
		}
		if !foretold {
			continue
		}
		kept++
		s.Items[0].Conversion.Probability = fund.Measure{Value: 1_000_001, OK: true}
		if _, err := matcher.ParseSlate(s.AppendCanonical(nil)); !errors.Is(err, fund.ErrMalformed) {
			t.Fatalf("a probability above 1: %v", err)
		}
	}
	if kept == 0 {
		t.Error("no answer with a probability")
	}
}
