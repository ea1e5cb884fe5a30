package matcher_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

// randomBank draws a pool and its core.
func randomBank(t *testing.T, rt *rapid.T) (*bank, *matcher.Core) {
	t.Helper()
	b := newBank(rapid.Uint64Range(0, 1<<20).Draw(rt, "bank"), rapid.IntRange(1, 90).Draw(rt, "products"))
	core := b.compile(t)
	return b, core
}

// What happens on the day asked about, or later, changes no answer about it.
func TestTheFutureDoesNotLeakIntoAnAnswer(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b, core := randomBank(t, rt)
		p, r := b.customer(1), b.request(core)
		want := match(t, core, p, r).AppendCanonical(nil)
		for code, navs := range b.navs {
			later := slices.Clone(navs)
			for day := range 3 {
				later = append(later, fund.NAV{Date: b.day.AddDays(day), Unit: .01 + float64(day), Accum: 5})
			}
			b.navs[code] = later
		}
		if got := match(t, b.compile(t), p, r).AppendCanonical(nil); !bytes.Equal(got, want) {
			rt.Fatalf("NAVs dated %s and later changed the answer", b.day)
		}
	})
}

// A NAV of the day before does change an answer: the test above can fail.
func TestYesterdaysNAVIsKnown(t *testing.T) {
	b := newBank(3, 60)
	core := b.compile(t)
	changed := false
	for code, navs := range b.navs {
		last := navs[len(navs)-1]
		if last.Date < b.day.AddDays(-1) {
			b.navs[code] = append(slices.Clone(navs), fund.NAV{Date: b.day.AddDays(-1), Unit: last.Unit / 2, Accum: last.Accum / 2})
		}
	}
	fresh := b.compile(t)
	for i := range core.Len() {
		changed = changed || core.Record(i).Series != fresh.Record(i).Series
	}
	if !changed {
		t.Error("yesterday's NAVs are not in any record")
	}
}

// Two customers with the same gate facts and personalisation off get the same list,
// whatever else is known of them (A02).
func TestWithoutPersonalisationOnlyTheGateReadsTheCustomer(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b, core := randomBank(t, rt)
		one, r := b.customer(1), b.request(core)
		one.Personalization = fund.No
		other := b.customer(1)
		other.Personalization = fund.No
		// The gate's facts are the same ...
		other.Assessment, other.PredictedLevel, other.Needs = one.Assessment, one.PredictedLevel, one.Needs
		person := one.Person
		other.Tags = slices.Clone(one.Tags)
		// ... and nothing else is.
		person.AUM, person.Income, person.Industry, person.BranchID = 77_000_000, 1, "IT", "b9"
		other.Person, other.Revision = person, 99
		soon := r.At + 1
		other.Tags = append(other.Tags, fund.Tag{Name: "goal", Value: "CASH", To: soon}, fund.Tag{Name: "hobby", Value: "golf", To: soon})
		other.Attributes = []fund.Attribute{{Name: "likes", Value: "risk"}}
		other.Trail = trailWithSilenceOf(one.Trail, other.Trail)
		behaviour.Fold(&other.Trail, &fund.Event{Kind: fund.DetailView, At: soon})
		want, got := match(t, core, one, r), match(t, core, other, r)
		// What he holds above his level he is told by law (S08), and a manager sees the
		// contacts on file: neither is part of the list.
		want.Holdings, got.Holdings, want.Brief, got.Brief = nil, nil, nil, nil
		if r.Audience == wording.Manager {
			want.ValidUntil, got.ValidUntil = 0, 0 // with what he sees of the contacts
		}
		if !bytes.Equal(want.AppendCanonical(nil), got.AppendCanonical(nil)) {
			rt.Fatalf("two answers:\n%+v\n%+v", want, got)
		}
		if got.Personal {
			rt.Fatal("the answer calls itself personal")
		}
	})
}

// trailWithSilenceOf is a trail with the refusals, complaints and redemptions of one, which
// are facts of the gate (A06, K01), and everything else of another.
func trailWithSilenceOf(one, other fund.Trail) fund.Trail {
	var events []fund.Event
	isSilence := func(e *fund.Event) bool {
		return e.Kind == fund.Refusal || e.Kind == fund.Complaint || e.Kind == fund.Redeem
	}
	for i := range one.Recent {
		if isSilence(&one.Recent[i]) {
			events = append(events, one.Recent[i])
		}
	}
	for i := range other.Recent {
		if !isSilence(&other.Recent[i]) {
			events = append(events, other.Recent[i])
		}
	}
	return behaviour.Of(events)
}

// An answer equals itself, but for the time on it, at every instant until it says that
// it ends.
func TestAnAnswerHoldsAsLongAsItSays(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b, core := randomBank(t, rt)
		p, r := b.customer(1), b.request(core)
		first := match(t, core, p, r)
		from, until := core.Validity()
		if first.ValidUntil <= r.At || first.ValidUntil > until || r.At < from {
			rt.Fatalf("at %s the answer says that it holds until %s, the core from %s to %s", r.At, first.ValidUntil, from, until)
		}
		later := r
		later.At = fund.Instant(rapid.Int64Range(int64(r.At), int64(first.ValidUntil)-1).Draw(rt, "at"))
		if rapid.Bool().Draw(rt, "at the very end") {
			later.At = first.ValidUntil - 1
		}
		second := match(t, core, p, later)
		second.Request.At = r.At
		if !bytes.Equal(first.AppendCanonical(nil), second.AppendCanonical(nil)) {
			rt.Fatalf("said at %s to hold until %s, changed at %s\n%+v\n%+v", r.At, first.ValidUntil, later.At, first, second)
		}
	})
}

// Begin and end of a goal's tag bound the answers that may read it, and only those (A02).
func TestAnAnswerEndsWhenAGoalsTagDoes(t *testing.T) {
	b := newBank(9, 40)
	core := b.compile(t)
	r := matcher.Request{Channel: fund.App, At: b.asOf, Limit: 5}
	soon := b.asOf + 7
	for name, tag := range map[string]fund.Tag{
		"it ends": {Name: "goal", Value: "CASH", To: soon}, "it begins": {Name: "goal", Value: "CASH", From: soon, To: fund.Forever},
	} {
		for _, personalization := range []fund.Answer{fund.Yes, fund.No} {
			p := &fund.Profile{
				CustomerID: "c", Tags: []fund.Tag{tag}, Personalization: personalization,
				Person: fund.Person{BirthDate: 19800101}, Assessment: fund.Assessment{Level: fund.C5, On: b.day},
			}
			s := match(t, core, p, r)
			if personal := personalization == fund.Yes; s.Personal != personal || (s.ValidUntil == soon) != personal {
				t.Errorf("%s, personalisation %s: holds until %s, the tag changes at %s", name, personalization, s.ValidUntil, soon)
			}
		}
	}
}

// A slate that is used again gives the same answers as a new one.
func TestASlateMayBeUsedAgain(t *testing.T) {
	b := newBank(11, 80)
	core := b.compile(t)
	var used matcher.Slate
	for i := range 200 {
		p, r := b.customer(i), b.request(core)
		if err := core.Match(p, r, &used); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(used.AppendCanonical(nil), match(t, core, p, r).AppendCanonical(nil)) {
			t.Fatalf("customer %d: the used slate answers otherwise", i)
		}
	}
}

// The explanation of a listed product is the list's: the same item, to the last fact.
func TestExplainAgreesWithTheList(t *testing.T) {
	b := newBank(5, 120)
	core := b.compile(t)
	explained := 0
	for i := range 60 {
		p, r := b.customer(i), b.request(core)
		s := match(t, core, p, r) // of either audience, as drawn
		listed := map[string]*matcher.Item{}
		for j := range s.Items {
			listed[s.Items[j].Code] = &s.Items[j]
		}
		for place := range core.Len() {
			code := core.Product(place).Code
			e, err := core.Explain(p, code, r)
			if err != nil {
				t.Fatal(err)
			}
			item := &e.Slate.Items[0]
			inList, isListed := listed[code]
			switch {
			case isListed && (!e.Verdict.Permitted || e.Personal != s.Personal):
				t.Fatalf("%s to customer %d: listed, and explained as %+v", code, i, e.Verdict)
			case isListed && cmp.Diff(inList, item, cmpopts.EquateEmpty()) != "":
				t.Fatalf("%s to customer %d, listed and explained: %s", code, i, cmp.Diff(inList, item, cmpopts.EquateEmpty()))
			case !e.Verdict.Permitted && item.Conversion.Action.String() == "BUY":
				t.Fatalf("%s to customer %d: %+v, and yet it says BUY", code, i, e.Verdict)
			case !e.Verdict.Permitted && len(e.Findings) == 0:
				t.Fatalf("%s to customer %d is refused without a finding", code, i)
			}
			explained++
		}
	}
	t.Logf("%d explanations", explained)
}

func TestCompileRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		damage func(in *matcher.Inputs)
		want   string
	}{
		"a product twice":        {func(in *matcher.Inputs) { in.Products = append(in.Products, in.Products[0]) }, "P0000 stands twice"},
		"a code that is no id":   {func(in *matcher.Inputs) { in.Products[1].Code = "../x" }, `id "../x"`},
		"no rules":               {func(in *matcher.Inputs) { in.Rules = nil }, "rule pack"},
		"no model":               {func(in *matcher.Inputs) { in.Model = nil }, "model"},
		"no templates":           {func(in *matcher.Inputs) { in.Wording = nil }, "templates"},
		"no instant":             {func(in *matcher.Inputs) { in.Identity.AsOf = 0 }, "instant"},
		"a NAV of zero":          {func(in *matcher.Inputs) { in.NAVs = navs("P0000", fund.NAV{Date: 20200101, Accum: 1}) }, "P0000: invalid value: unit_nav"},
		"NAVs that fail to come": {func(in *matcher.Inputs) { in.NAVs = failingNAVs }, "disk on fire"},
		"purchases that fail to come": {func(in *matcher.Inputs) {
			in.Purchases = func(func(string, []fund.Purchase) error) error { return errors.New("disk on fire") }
		}, "disk on fire"},
	} {
		b := newBank(1, 5)
		in := b.inputs()
		in.Products = slices.Clone(b.products)
		c.damage(in)
		_, err := matcher.Compile(in)
		if !errors.Is(err, matcher.ErrCompile) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, expected one of ErrCompile that says %q", name, err, c.want)
		}
	}
}

func failingNAVs(func(string, []fund.NAV) error) error { return errors.New("disk on fire") }

func navs(code string, list ...fund.NAV) func(func(string, []fund.NAV) error) error {
	return func(yield func(string, []fund.NAV) error) error { return yield(code, list) }
}

// A rule pack may forbid an input that the model reads (F04): the core is not compiled.
func TestAModelWithAForbiddenInputIsNotCompiled(t *testing.T) {
	pack, err := eligibility.ParsePack(bytes.Replace(eligibility.Default(), []byte("trailing_fee, quota]"), []byte("trailing_fee, quota, popularity]"), 1))
	if err != nil {
		t.Fatal(err)
	}
	in := newBank(1, 5).inputs()
	in.Rules = pack
	if _, err := matcher.Compile(in); !errors.Is(err, matcher.ErrCompile) || !errors.Is(err, score.ErrForbiddenInput) {
		t.Errorf("error %v, expected ErrCompile and ErrForbiddenInput", err)
	}
}

func TestAnEmptyPoolAnswersWithNothing(t *testing.T) {
	b := newBank(1, 0)
	core := b.compile(t)
	s := match(t, core, &fund.Profile{CustomerID: "c"}, matcher.Request{Channel: fund.App, At: b.asOf, Limit: 5})
	if len(s.Items) != 0 || !slices.ContainsFunc(s.Notices, func(n matcher.Notice) bool { return n.Code == "NO_SUITABLE_PRODUCT" }) {
		t.Errorf("%+v", s)
	}
}

func TestMatchRefuses(t *testing.T) {
	b := newBank(1, 5)
	core := b.compile(t)
	from, until := core.Validity()
	if from != b.asOf || until != b.day.AddDays(1).Start() {
		t.Errorf("a core of %s speaks from %s to %s, expected its instant to the end of its day", b.asOf, from, until)
	}
	for name, c := range map[string]struct {
		r    matcher.Request
		want error
	}{
		"the least":          {matcher.Request{At: from, Limit: 1}, nil},
		"the most":           {matcher.Request{At: until - 1, Limit: 50}, nil},
		"no limit":           {matcher.Request{At: from}, matcher.ErrRequest},
		"51":                 {matcher.Request{At: from, Limit: 51}, matcher.ErrRequest},
		"a negative limit":   {matcher.Request{At: from, Limit: -1}, matcher.ErrRequest},
		"before the core":    {matcher.Request{At: from - 1, Limit: 1}, matcher.ErrOutsideValidity},
		"when the core ends": {matcher.Request{At: until, Limit: 1}, matcher.ErrOutsideValidity},
	} {
		var out matcher.Slate
		if err := core.Match(b.customer(1), c.r, &out); !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", name, err, c.want)
		}
	}
	if _, err := core.Explain(b.customer(1), "P9999", matcher.Request{At: from}); !errors.Is(err, matcher.ErrUnknownProduct) {
		t.Errorf("an unknown product: error %v", err)
	}
	if _, err := core.Explain(b.customer(1), "P0001", matcher.Request{At: until}); !errors.Is(err, matcher.ErrOutsideValidity) {
		t.Errorf("explained when the core has ended: error %v", err)
	}
}

// What a customer holds: lots with shares; without any lot on file, what he bought. What
// lies outside the pool is nobody's.
func TestWhatCountsAsHeld(t *testing.T) {
	b := benchBank(40)
	core := b.compile(t)
	best := match(t, core, holder(b), matcher.Request{Channel: fund.App, At: b.asOf, Limit: 1}).Items[0].Code
	for name, c := range map[string]struct {
		lots      []fund.Lot
		purchases []fund.Purchase
		held      bool
	}{
		"nothing":                   {nil, nil, false},
		"a lot":                     {[]fund.Lot{{ProductCode: best, Shares: 1}}, nil, true},
		"a lot that was sold":       {[]fund.Lot{{ProductCode: best}}, []fund.Purchase{{ProductCode: best, Kind: "BUY"}}, false},
		"bought, and no lots known": {nil, []fund.Purchase{{ProductCode: best, Kind: "BUY"}}, true},
		"only looked at":            {nil, []fund.Purchase{{ProductCode: best, Kind: "VIEW"}}, false},
		"what is not in the pool":   {[]fund.Lot{{ProductCode: "GONE", Shares: 1}}, []fund.Purchase{{ProductCode: "GONE", Kind: "BUY"}}, false},
	} {
		p := holder(b)
		p.Lots, p.Purchases = c.lots, c.purchases
		e, err := core.Explain(p, best, matcher.Request{Channel: fund.App, At: b.asOf})
		if err != nil {
			t.Fatal(err)
		}
		if action := e.Slate.Items[0].Conversion.Action.String(); (action == "HOLD") != c.held {
			t.Errorf("%s: %s, held: %v", name, action, c.held)
		}
	}
}

// holder is a customer of the bench bank who has nothing yet.
func holder(b *bank) *fund.Profile {
	p := benchCustomer(b)
	p.Lots, p.Purchases = nil, nil
	return p
}

func TestACoreSaysWhatItIs(t *testing.T) {
	b := newBank(4, 60)
	in := b.inputs()
	core := compile(t, in)
	want := in.Identity
	want.Definitions = behaviour.DefinitionVersion // nobody else may say which ones it derives by
	if core.Identity() != want || core.Len() != 60 || core.Wording() != in.Wording {
		t.Errorf("%+v of %d products", core.Identity(), core.Len())
	}
	for i := range core.Len() {
		p := core.Product(i)
		if place, ok := core.Find(p.Code); !ok || place != i {
			t.Fatalf("%s is at %d, not at %d", p.Code, place, i)
		}
		classes := core.Classes(i)
		if !slices.Contains(classes, int32(i)) || !slices.IsSorted(classes) {
			t.Fatalf("%s is not among its own classes %v", p.Code, classes)
		}
		for _, c := range classes {
			if core.Product(int(c)).FundCode() != p.FundCode() {
				t.Fatalf("%s is no class of %s's fund", core.Product(int(c)).Code, p.Code)
			}
		}
		if p.Listing.Kind == fund.KindUnknown && !slices.Contains(core.Assumed(i), fund.FieldKind) {
			t.Fatalf("%s: assumed are %v, not its kind", p.Code, core.Assumed(i))
		}
		for _, e := range core.ProductFacts(i) {
			if e.Source != "NAV" || e.AsOf != b.day || e.Field == "" {
				t.Fatalf("%s: a fact without source or date: %+v", p.Code, e)
			}
		}
	}
	if _, ok := core.Find("nowhere"); ok {
		t.Error("a product that is not there is found")
	}
}
