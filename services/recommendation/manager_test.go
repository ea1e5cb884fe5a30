package recommendation

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/expectation"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
	"github.com/fundmatch/fundmatch/matcher/score/outcome"
	"github.com/fundmatch/fundmatch/matcher/wording"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
)

// TestNothingOfTheManagersReachesACustomer: random answers and explanations are filled
// with whatever a manager may know, each piece marked. Presented to a customer, no field
// that the API marks manager_only is set, and no mark is anywhere in the bytes or the
// JSON. Presented to a manager every mark is there, and over the run every such field is
// set: what the test looks for can be found.
func TestNothingOfTheManagersReachesACustomer(t *testing.T) {
	t.Parallel()
	store, core, at := openCore(t)
	ids, err := store.CustomerIDs(t.Context(), "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	var service Service
	seen := map[protoreflect.FullName]bool{}
	var slate matcher.Slate
	rapid.Check(t, func(rt *rapid.T) {
		profile, err := store.Profile(t.Context(), rapid.SampledFrom(ids).Draw(rt, "customer"), at)
		if err != nil {
			rt.Fatal(err)
		}
		request := matcher.Request{
			At: at, Channel: fund.Branch, Licence: matcher.Licence{State: matcher.LicenceValid}, Audience: wording.Manager, Limit: rapid.IntRange(1, 6).Draw(rt, "limit"),
		}
		if err := core.Match(profile, request, &slate); err != nil {
			rt.Fatal(err)
		}
		p := planter{rt: rt, core: core}
		p.fill(&slate)
		for _, present := range []func(*presenter) proto.Message{
			func(v *presenter) proto.Message { return v.answer(&slate, true) },
			func(v *presenter) proto.Message { return v.explanation(p.explanation(&slate)) },
		} {
			for _, audience := range []wording.Audience{wording.Customer, wording.Manager} {
				view := service.presenter(core, audience)
				message := present(&view)
				if view.err != nil {
					rt.Fatal(view.err)
				}
				set := managersFields(message.ProtoReflect())
				if audience == wording.Manager {
					for _, f := range set {
						seen[f] = true
					}
					continue
				}
				if len(set) > 0 {
					rt.Fatalf("the customer reads %v", set)
				}
				p.mustNotTell(message)
			}
		}
		view := service.presenter(core, wording.Manager)
		p.mustTell(view.answer(&slate, true))
		p.mustAgree(&slate)
	})
	for _, root := range []proto.Message{new(fundmatchv1.RecommendResponse), new(fundmatchv1.ExplainResponse)} {
		for _, f := range markedFields(root.ProtoReflect().Descriptor(), map[protoreflect.FullName]bool{}) {
			if !seen[f] {
				t.Errorf("%s was never filled, so that nothing was tried of it", f)
			}
		}
	}
}

// isManagers reads the option of a field.
func isManagers(f protoreflect.FieldDescriptor) bool {
	marked, ok := proto.GetExtension(f.Options(), fundmatchv1.E_ManagerOnly).(bool)
	return ok && marked
}

// managersFields walks a message and lists the fields for managers that are set.
func managersFields(m protoreflect.Message) (out []protoreflect.FullName) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if isManagers(f) {
			out = append(out, f.FullName())
		}
		switch {
		case f.Kind() != protoreflect.MessageKind:
		case f.IsList():
			for i := range v.List().Len() {
				out = append(out, managersFields(v.List().Get(i).Message())...)
			}
		default:
			out = append(out, managersFields(v.Message())...)
		}
		return true
	})
	return out
}

// markedFields lists the fields for managers that a message can hold.
func markedFields(d protoreflect.MessageDescriptor, done map[protoreflect.FullName]bool) (out []protoreflect.FullName) {
	if done[d.FullName()] {
		return nil
	}
	done[d.FullName()] = true
	for i := range d.Fields().Len() {
		f := d.Fields().Get(i)
		if isManagers(f) {
			out = append(out, f.FullName())
		}
		if f.Kind() == protoreflect.MessageKind {
			out = append(out, markedFields(f.Message(), done)...)
		}
	}
	return out
}

// What is planted: texts, dates, and a figure that no answer holds by chance.
const (
	secret       = "SECRET"
	secretDay    = fund.Date(19770707)
	secretFigure = 731_073_107
)

// planter fills slates with what only managers may know.
type planter struct {
	rt    *rapid.T
	core  *matcher.Core
	texts []string // planted in the slate
}

// text plants a text.
func (p *planter) text(what string) string {
	text := secret + "-" + what
	p.texts = append(p.texts, text)
	return text
}

// facts plants facts of both kinds that a leak could take.
func (p *planter) facts(what, source string) []fund.Evidence {
	return []fund.Evidence{
		{Field: p.text(what), Text: p.text(what + "-value"), AsOf: 20260310, Source: source},
		{Field: "FIGURE", Unit: fund.UnitFen, Number: secretFigure, AsOf: 20260310, Source: source},
		{Field: "DAY", Unit: fund.UnitDate, Number: int64(secretDay), AsOf: 20260310, Source: source},
	}
}

func (p *planter) fill(s *matcher.Slate) {
	s.Elder = rapid.Bool().Draw(p.rt, "elder")
	s.Brief = &matcher.Brief{
		Standing: matcher.Standing{
			Level: fund.C3, State: eligibility.Valid, AssessedOn: secretDay, ExpiresOn: secretDay, InvestorType: fund.Ordinary, Elder: true, Company: true,
		},
		Contact: conversion.Contact{
			Reason: conversion.ContactReason(p.text("contact")), Remaining: secretFigure, Cap: 4, WindowDays: 30, NotBefore: secretDay, LastOn: secretDay, OpenComplaints: 1,
		},
		Consents: []fund.Consent{{Purpose: p.text("purpose"), Granted: true, At: secretDay.Start()}},
		Licence:  matcher.Licence{ManagerID: p.text("manager"), State: "VALID", Until: secretDay}, Delivery: "MANAGER",
		DeliveryReason: "card.delivery.MANAGER.elder", Facts: p.facts("fact", "BEHAVIOUR"),
	}
	for i := range s.Items {
		p.item(&s.Items[i])
	}
	if len(s.Items) > 0 {
		s.Holdings = append(s.Holdings, matcher.HoldingReview{
			Code: s.Items[0].Code, Action: conversion.Reduce, Sentence: humanRoute, Private: p.facts("private", "CUSTOMER"),
		})
	}
}

func (p *planter) item(it *matcher.Item) {
	it.Why = matcher.WhyOf(it.Contributions, rapid.Bool().Draw(p.rt, "personal"))
	it.Matched = append(it.Matched[:len(it.Matched):len(it.Matched)],
		p.aspect("unmet", false, true), p.aspect("managers", true, true), p.aspect("not-met", false, false))
	it.Objections = nil
	for _, code := range rapid.SliceOfN(rapid.Uint8Range(0, uint8(objection.Codes)-1), 1, 3).Draw(p.rt, "doubts") {
		it.Objections = append(it.Objections, objection.Objection{
			Code: objection.Code(code), Band: fund.High, Silenced: rapid.Bool().Draw(p.rt, "silenced"), Raised: secretFigure,
			Triggers: [3]string{p.text("trigger")}, Grounds: append(p.facts("ground", "CUSTOMER"), p.facts("record", "NAV")...),
			Sentences: [4]string{humanRoute}, Advice: "card.avoid.PROMISE",
		})
	}
	it.Conversion.ToManager = "card.do_nothing.PLAIN"
	it.Conversion.Probability = fund.Measure{Value: 7_777, OK: true}
	it.Conversion.FollowUp = conversion.FollowUp{Node: fund.Abandoned, Backward: true, On: secretDay, Sentence: "card.avoid.URGING"}
	it.PeerCode = it.Code
	it.Card = &matcher.Card{
		Opinion: "card.opinion.FITS", OpinionFacts: []fund.Evidence{
			{Field: "LEVEL", Text: "C3"},
			{Field: "GRADE", Text: "R2"},
			{Field: "ASSESSED_ON", Unit: fund.UnitDate, Number: int64(secretDay)},
			{Field: "EXPIRES_ON", Unit: fund.UnitDate, Number: int64(secretDay)},
		},
		BankGrade: fund.R2, IssuerGrade: fund.R2, Grade: fund.R2, BreakEvenDays: secretFigure, Recording: true, DoNothing: "card.do_nothing.PLAIN",
		Costs:     []matcher.CostPoint{{ShareClass: "A", Days: 7, Cost: fund.Cost{Entry: secretFigure}, OK: true}, {ShareClass: "C"}},
		WorstYear: p.facts("worst", "NAV"), PeerFacts: p.facts("peer", "NAV"),
	}
}

// aspect is a comparison that a customer must not see: unmet, or kept for managers.
func (p *planter) aspect(what string, met, managers bool) expectation.Match {
	return expectation.Match{
		Aspect: expectation.LossAspect, Customer: fund.Evidence{Field: "LEVEL", Text: p.text(what)}, Product: fund.Evidence{Field: "GRADE", Text: "R2"},
		Facts: p.facts(what, "CUSTOMER"), Sentence: "card.avoid.SWITCH", Fit: 300_000, Met: met, ManagerOnly: managers,
	}
}

// explanation makes one of a slate's first item, with rules that spoke.
func (p *planter) explanation(s *matcher.Slate) *matcher.Explanation {
	e := &matcher.Explanation{Slate: *s}
	e.Slate.Items = s.Items[:min(len(s.Items), 1)]
	finding := eligibility.Finding{
		Rule: "S02", Outcome: eligibility.Hide, Reason: "GRADE_ABOVE_LEVEL", Citation: secret,
		Facts:      []eligibility.Fact{{Name: "level", Value: secret}, {Name: "grade", Value: "R5"}},
		Parameters: []eligibility.Parameter{{Name: "app_grade", Value: secret}}, Remedy: eligibility.Remedy{Code: eligibility.RemedyRetest},
	}
	e.Findings, e.OrderFindings = []eligibility.Finding{finding}, []eligibility.Finding{finding}
	if rapid.Bool().Draw(p.rt, "a breach") {
		e.Breach = &matcher.BreachBasis{Value: 0.5, Level: fund.C3, Tolerance: 150_000, Months: 12, Foreseen: &outcome.Distribution{}}
		e.Breach.Foreseen.Basis.LastNAV = secretDay
	}
	return e
}

// written is a message in all the ways in which it leaves.
func (p *planter) written(m proto.Message) string {
	binary, err := proto.Marshal(m)
	if err != nil {
		p.rt.Fatal(err)
	}
	text, err := protojson.Marshal(m)
	if err != nil {
		p.rt.Fatal(err)
	}
	return string(binary) + string(text)
}

func (p *planter) mustNotTell(m proto.Message) {
	written := p.written(m)
	for _, word := range []string{secret, secretDay.String(), "1977年7月7日", "731073107", "7,310,731.07"} {
		if at := strings.Index(written, word); at >= 0 {
			p.rt.Fatalf("the customer reads %q in ...%q", word, written[max(0, at-80):min(len(written), at+80)])
		}
	}
}

// mustAgree holds the presenter to the plain one on what no bank's answer has yet.
func (p *planter) mustAgree(s *matcher.Slate) {
	for _, audience := range []wording.Audience{wording.Customer, wording.Manager} {
		onPage, simple := new(Service).presenter(p.core, audience), plain{core: p.core, audience: audience}
		got, want := onPage.answer(s, true), simple.answer(s, true)
		if onPage.err != nil || simple.err != nil || !proto.Equal(want, got) {
			p.rt.Fatalf("%v, %v (-plain +page):\n%s", simple.err, onPage.err, cmp.Diff(want, got, protocmp.Transform()))
		}
	}
}

func (p *planter) mustTell(m *fundmatchv1.RecommendResponse) {
	written := p.written(m)
	for _, word := range append(p.texts, secretDay.String(), "731073107") {
		if !strings.Contains(written, word) {
			p.rt.Fatalf("the manager does not read %q", word)
		}
	}
	if len(m.GetItems()) > 0 && !strings.Contains(written, "1977年7月7日") {
		p.rt.Fatal("the manager does not read the matching opinion")
	}
}
