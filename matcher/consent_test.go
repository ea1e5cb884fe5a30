package matcher_test

import (
	"bytes"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/expectation"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// A tag that may not be used leaves no trace in an answer, not even in how long it holds.
func TestATagThatMayNotBeUsedIsNotThere(t *testing.T) {
	values := map[string][]string{
		"goal": {"CASH", "GROWTH", "HOUSE"}, "horizon_months": {"6", "120"}, "liquidity_need": {"LOW", "HIGH"}, "loss_attitude": {"SELL", "ADD"},
		"theme_interest": {"医药"}, "reads_risk_tab": {"true"}, "deposit_maturing": {"2024-06-01"}, "asks_for_income": {"true"}, "joint_decision": {"true"},
	}
	purposes := []string{"", "PERSONALIZATION", fund.ConsentProfiling, fund.ConsentPush, "BANKS_OWN"}
	rapid.Check(t, func(rt *rapid.T) {
		b, core := randomBank(t, rt)
		p, r := b.customer(1), b.request(core)
		p.Personalization, p.Tags, p.Consents = fund.Yes, nil, nil
		for _, name := range slices.Sorted(keysOf(values)) {
			if !rapid.Bool().Draw(rt, name) {
				continue
			}
			p.Tags = append(p.Tags, fund.Tag{
				Name: name, Value: rapid.SampledFrom(values[name]).Draw(rt, "value"), Source: expectation.QuestionnaireSource,
				From: r.At + fund.Instant(rapid.Int64Range(-5, 2).Draw(rt, "from")), To: r.At + fund.Instant(rapid.Int64Range(3, 9).Draw(rt, "to")),
				Purpose: rapid.SampledFrom(purposes).Draw(rt, "purpose"),
			})
		}
		for _, purpose := range []string{"BANKS_OWN", fund.ConsentPush, "PERSONALIZATION", fund.ConsentProfiling} {
			if word := rapid.SampledFrom([]string{"none", "yes", "no"}).Draw(rt, purpose); word != "none" {
				p.Consents = append(p.Consents, fund.Consent{Purpose: purpose, Granted: word == "yes", At: r.At - 1})
			}
		}
		without := *p
		without.Tags = slices.DeleteFunc(slices.Clone(p.Tags), func(t fund.Tag) bool {
			word := p.Consent(t.Purpose)
			needed := t.Purpose == fund.ConsentPush || t.Purpose == fund.ConsentProfiling
			return t.Purpose != "" && (word == fund.No || needed && word != fund.Yes)
		})
		if one, other := match(t, core, p, r).AppendCanonical(nil), match(t, core, &without, r).AppendCanonical(nil); !bytes.Equal(one, other) {
			rt.Fatalf("tags %+v\nconsents %+v\nchange the answer by what may not be used", p.Tags, p.Consents)
		}
	})
}

func keysOf[V any](m map[string]V) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// The wish follows the consent: from its instant on, and no longer than until its withdrawal.
// The stores give the word that stands at the instant of the question.
func TestAWishFollowsTheConsent(t *testing.T) {
	b := newBank(9, 40)
	core := b.compile(t)
	r := matcher.Request{Channel: fund.App, At: b.asOf, Limit: 5}
	for name, c := range map[string]struct {
		purpose string
		words   []fund.Consent
		read    bool
	}{
		"kept for nothing in particular":              {"", nil, true},
		"no consent needed":                           {"PERSONALIZATION", nil, true},
		"none needed, and taken back":                 {"PERSONALIZATION", []fund.Consent{{Purpose: "PERSONALIZATION", At: 1}}, false},
		"profiling without a word":                    {fund.ConsentProfiling, nil, false},
		"profiling with a consent":                    {fund.ConsentProfiling, []fund.Consent{{Purpose: fund.ConsentProfiling, Granted: true, At: 1}}, true},
		"profiling with a consent to something else":  {fund.ConsentProfiling, []fund.Consent{{Purpose: fund.ConsentPush, Granted: true, At: 1}}, false},
		"profiling, and the consent to it taken back": {fund.ConsentProfiling, []fund.Consent{{Purpose: fund.ConsentProfiling, At: 1}}, false},
	} {
		p := &fund.Profile{
			CustomerID: "c", Personalization: fund.Yes, Consents: c.words, Assessment: fund.Assessment{Level: fund.C5, On: b.day},
			Tags: []fund.Tag{{Name: expectation.GoalTag, Value: "HOUSE", To: fund.Forever, Purpose: c.purpose}}, Person: fund.Person{BirthDate: 19800101},
		}
		if got := match(t, core, p, r).Wish; (got.Goal == fund.House) != c.read {
			t.Errorf("%s: the wish is %s from %s", name, got.Goal, got.Source)
		}
	}
}

// The gate reads what the law asks for, whatever he said about the use of his facts: no word
// makes a product permitted that his level forbids.
func TestTheGateHeedsNoConsent(t *testing.T) {
	b := newBank(11, 80)
	core := b.compile(t)
	items := 0
	for i := range 40 {
		p, r := b.customer(i), b.request(core)
		before := match(t, core, p, r)
		p.Consents = nil
		for _, purpose := range []string{fund.ConsentCall, fund.ConsentPush, "PERSONALIZATION", fund.ConsentProfiling, "SUITABILITY"} {
			p.Consents = append(p.Consents, fund.Consent{Purpose: purpose, At: 1})
		}
		after := match(t, core, p, r)
		items += len(after.Items)
		if !slices.Equal(before.Excluded, after.Excluded) || len(before.Items) != len(after.Items) {
			t.Errorf("customer %d: %d items, excluded %v; after every consent was taken back %d, %v", i, len(before.Items), before.Excluded, len(after.Items), after.Excluded)
		}
	}
	if items == 0 {
		t.Error("nothing was permitted to anybody")
	}
}

// An answer does not rest on what it brings about: events of its very instant, its own
// exposure above all, change nothing, and an instant later it is another answer. A refusal
// binds from its instant on.
func TestAnAnswerDoesNotSeeItsOwnInstant(t *testing.T) {
	core, p, r, code := counter(t)
	before := match(t, core, p, r)
	for kind, changes := range map[fund.EventKind]bool{fund.Exposure: false, fund.DetailView: false, fund.Contact: false, fund.ObjectionRaised: false, fund.Refusal: true} {
		p.Trail = behaviour.Of([]fund.Event{{Kind: kind, ProductCode: code, At: r.At, About: "FEE"}})
		after := match(t, core, p, r)
		if end := after.ValidUntil; kind != fund.Refusal && end != r.At+1 {
			t.Errorf("%s at the instant: the answer holds until %s, expected the instant after it", kind, end)
		}
		after.ValidUntil = before.ValidUntil
		if same := bytes.Equal(before.AppendCanonical(nil), after.AppendCanonical(nil)); same == changes {
			t.Errorf("%s at the instant: the same answer: %v", kind, same)
		}
	}
}
