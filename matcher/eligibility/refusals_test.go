package eligibility_test

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// mayNotHear reads A06 off the trail in plain lines that share nothing with the gate.
func (q *question) mayNotHear(p *fund.Product) bool {
	e := q.gate.Edition()
	if q.ctx.Initiative == fund.ByCustomer && e.Rules[slices.IndexFunc(e.Rules, func(r *eligibility.Rule) bool { return r.ID == eligibility.A06 })].Outcomes[eligibility.CustomerOrder] < eligibility.Hide {
		return false
	}
	sameFund := func(code string) bool {
		for i := range q.products {
			if q.products[i].Code == code {
				return q.products[i].FundCode() == p.FundCode()
			}
		}
		return code == p.FundCode()
	}
	trail := q.profile.Trail.Recent
	for _, said := range trail {
		if said.At > q.ctx.At {
			continue
		}
		age := q.ctx.At.Date().DaysSince(said.At.Date())
		if said.Kind == fund.Refusal {
			running := age < e.RefusalDays() || q.ctx.At.Date() < said.Until
			if running && (sameFund(said.ProductCode) || said.ProductCode == "" && q.ctx.Channel != fund.App) {
				return true
			}
		}
		if said.Kind == fund.Complaint && !said.Closed && age < e.ComplaintDays() && q.ctx.Channel != fund.App {
			settled := slices.ContainsFunc(trail, func(l fund.Event) bool {
				sameMatter := l.ProductCode == said.ProductCode || l.ProductCode == ""
				return l.Kind == fund.Complaint && l.Closed && sameMatter && said.At <= l.At && l.At <= q.ctx.At
			})
			if !settled {
				return true
			}
		}
	}
	// Only a list lets a fund rest: an order of it is not barred.
	return !q.ctx.Order && q.ctx.Initiative == fund.ByFirm && q.shownTooOften(sameFund)
}

// shownTooOften counts by brute force: for every showing in the window, those from it on,
// where he did not react since.
func (q *question) shownTooOften(sameFund func(code string) bool) bool {
	e := q.gate.Edition()
	inWindow := func(x *fund.Event) bool {
		return x.At <= q.ctx.At && q.ctx.At.Date().DaysSince(x.At.Date()) < e.ExposureWindowDays()
	}
	for i := range q.profile.Trail.Recent {
		first := &q.profile.Trail.Recent[i]
		if first.Kind != fund.Exposure || !inWindow(first) || !sameFund(first.ProductCode) {
			continue
		}
		shown, reacted := 0, false
		for j := range q.profile.Trail.Recent {
			x := &q.profile.Trail.Recent[j]
			if !sameFund(x.ProductCode) || x.At < first.At || x.At > q.ctx.At {
				continue
			}
			switch x.Kind {
			case fund.Exposure:
				shown++
			case fund.Click, fund.OrderAbandon:
				reacted = true
			default:
			}
		}
		if !reacted && shown >= e.ExposureCap() {
			return true
		}
	}
	return false
}

// TestNothingFollowsARefusalAndNothingElseIsHidden: with his words the gate permits what
// it permits without them, less exactly what he may not hear of.
func TestNothingFollowsARefusalAndNothingElseIsHidden(t *testing.T) {
	packs := somePacks(t)
	hidden, open, draws := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		draws++
		q := someQuestion(t, packs)
		q.profile.Trail.Recent = someTrail(t)
		f, with := q.ask(q.profile)
		var without eligibility.Verdicts
		q.gate.Select(&f, nil, &without)
		count := 0
		for i := range q.products {
			silent := q.mayNotHear(&q.products[i])
			if silent {
				count++
			}
			if with.Has(i) != (without.Has(i) && !silent) {
				t.Fatalf("product %d: permitted %v, without his words %v, may not hear of it %v", i, with.Has(i), without.Has(i), silent)
			}
		}
		hidden, open = hidden+count, open+len(q.products)-count
		reported := 0
		for _, x := range with.Excluded {
			if x.ID == eligibility.A06 {
				reported = x.Count
			}
		}
		if reported != count {
			t.Fatalf("A06 excluded %d, reported %d", count, reported)
		}
	})
	if (hidden == 0 || open == 0) && draws >= enoughDraws {
		t.Errorf("%d hidden, %d not: the draws show nothing", hidden, open)
	}
}

func TestOneMoreRefusalPermitsNothingMore(t *testing.T) {
	packs := somePacks(t)
	rapid.Check(t, func(t *rapid.T) {
		q := someQuestion(t, packs)
		_, before := q.ask(q.profile)
		more := *q.profile
		more.Trail.Recent = slices.Clone(more.Trail.Recent)
		for _, said := range someTrail(t) {
			said.Closed = false // a settled complaint lets the bank speak again
			if said.Kind == fund.Click || said.Kind == fund.OrderAbandon {
				said.Kind = fund.Refusal // his own step lets a fund that was tired speak again
			}
			more.Trail.Recent = append(more.Trail.Recent, said)
		}
		slices.SortFunc(more.Trail.Recent, func(a, b fund.Event) int { return fund.CompareEvents(&a, &b) })
		_, after := q.ask(&more)
		assertSubset(t, "one more refusal", after, before, len(q.products))
	})
}

// TestRefusalsHoldUntilTheySay: until then the clock alone changes nothing, and at that
// instant something does.
func TestRefusalsHoldUntilTheySay(t *testing.T) {
	packs := somePacks(t)
	rapid.Check(t, func(t *rapid.T) {
		q := someQuestion(t, packs)
		q.profile.Trail.Recent = someTrail(t)
		before := q.refusals(q.profile)
		until := before.Until
		if until <= q.ctx.At {
			t.Fatalf("at %v they hold until %v", q.ctx.At, until)
		}
		asked := q.ctx.At
		q.ctx.At = min(until-1, asked+fund.Instant(rapid.IntRange(0, 100).Draw(t, "days"))*86_400_000_000)
		after := q.refusals(q.profile)
		// What was still to come may no longer matter when a showing has left the window: then
		// they hold for longer than was said, never for less.
		if after.Until < until {
			t.Fatalf("said to hold until %v, and later until %v", until, after.Until)
		}
		after.Until = until
		if diff := cmp.Diff(before, after, cmpopts.IgnoreUnexported(eligibility.Refusals{})); diff != "" {
			t.Fatalf("changed before %v: %s", until, diff)
		}
		if until == fund.Forever {
			return
		}
		q.ctx.At = until
		if after := q.refusals(q.profile); after.Until <= until {
			t.Fatalf("at %v they hold until %v", until, after.Until)
		}
	})
}

// TestWhatARefusalSays shows the reasons and facts that the manager's sentence is made of.
func TestWhatARefusalSays(t *testing.T) {
	q := question{
		products: []fund.Product{{Code: "a", ParentCode: "f"}, {Code: "c", ParentCode: "f"}, {Code: "other"}},
		profile: &fund.Profile{Trail: fund.Trail{Recent: []fund.Event{
			{Kind: fund.Refusal, At: 1_583_000_000_000_000, ProductCode: "c", Until: 20210401},
			{Kind: fund.Complaint, At: today.AddDays(-10).Start(), About: "态度"},
			{Kind: fund.Refusal, At: today.AddDays(-2).Start() + 1},
		}}},
		ctx: eligibility.Context{At: today.Start(), Channel: fund.Branch},
	}
	q.gate = compile(t, packWith(t, nil), q.products, q.ctx.At)
	said := func(i int) (out []string) {
		f := q.gate.Facts(q.profile, fund.GoalUnknown, 0, fund.NeedUnknown, q.ctx)
		_, findings := q.gate.Judge(i, &f, q.refusals(q.profile), nil)
		for _, x := range findings {
			if x.Rule == eligibility.A06 {
				out = append(out, fmt.Sprintf("%s%v%v", x.Reason, x.Facts, x.Outcome))
			}
		}
		return out
	}
	everything := []string{
		"EVERYTHING_REFUSED[{refused_on 2021-02-27} {until 2021-05-28}]HIDE",
		"COMPLAINT_OPEN[{complained_on 2021-02-19} {until 2021-08-18}]HIDE",
	}
	refused := "PRODUCT_REFUSED[{refused_on 2020-03-01} {until 2021-04-01}]HIDE"
	for i, want := range [][]string{append([]string{refused}, everything...), append([]string{refused}, everything...), everything} {
		if diff := cmp.Diff(want, said(i)); diff != "" {
			t.Errorf("product %d: %s", i, diff)
		}
	}
	if word, ok := q.gate.RefusalOf(0, q.refusals(q.profile)); !ok || word.On != 20200301 || word.Until != fund.Date(20210401).Start() {
		t.Errorf("the refusal of the other class: %+v %v", word, ok)
	}
	if _, ok := q.gate.RefusalOf(2, q.refusals(q.profile)); ok {
		t.Error("another fund is refused")
	}
	if _, ok := q.gate.RefusalOf(0, nil); ok {
		t.Error("nobody refused it")
	}
	var nobody *eligibility.Refusals
	if nobody.Silent(fund.Branch) || !q.refusals(q.profile).Silent(fund.ChannelUnknown) || q.refusals(q.profile).Silent(fund.App) {
		t.Error("silence over the wrong channel")
	}
}

// A pack of before A06 hides nothing by it: old decisions are replayed as they were made.
func TestARecordedPackWithoutA06HidesNothing(t *testing.T) {
	old, err := os.ReadFile("testdata/pack-2026-11-01.yaml")
	if err != nil {
		t.Fatal(err)
	}
	pack, err := eligibility.ParseRecorded(old)
	if err != nil {
		t.Fatal(err)
	}
	products := []fund.Product{{Code: "a"}}
	gate := compile(t, pack, products, today.Start())
	profile := &fund.Profile{Trail: fund.Trail{Recent: []fund.Event{{Kind: fund.Refusal, At: today.Start() - 1}}}}
	var r eligibility.Refusals
	gate.Refusals(profile, today.Start(), &r)
	if r.Silent(fund.Branch) || r.Until != fund.Forever {
		t.Errorf("%+v", r)
	}
	// Nor do words that another gate read.
	other := eligibility.Refusals{Funds: []eligibility.Refused{{Fund: 0, Until: 1}}, Every: eligibility.Refused{Until: 1}}
	f := gate.Facts(profile, fund.GoalUnknown, 0, fund.NeedUnknown, eligibility.Context{At: today.Start()})
	var with, without eligibility.Verdicts
	gate.Select(&f, &other, &with)
	gate.Select(&f, nil, &without)
	if diff := cmp.Diff(without, with); diff != "" {
		t.Error(diff)
	}
	e := gate.Edition()
	if e.RefusalDays() != 0 || e.ComplaintDays() != 0 || e.ContactCap() != 0 || e.ContactWindowDays() != 0 {
		t.Error("parameters of a rule that is not in force")
	}
}

// Words that another gate read name funds that this one may not have.
func TestRefusalsOfAnotherPool(t *testing.T) {
	gate, facts := benchmarkGate(t, 3)
	r := eligibility.Refusals{Funds: []eligibility.Refused{{Fund: -1, Until: 1}, {Fund: 3, Until: 1}}}
	var v eligibility.Verdicts
	gate.Select(&facts, &r, &v)
	for _, x := range v.Excluded {
		if x.ID == eligibility.A06 {
			t.Errorf("%+v", x)
		}
	}
}

func TestACompanyIsPermittedNothingButWhatAgeHeldBack(t *testing.T) {
	packs := somePacks(t)
	freed, draws := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		draws++
		for range 8 { // one in some tens frees anything
			q := someQuestion(t, packs)
			freed += freedByMark(t, &q)
		}
	})
	if freed == 0 && draws >= enoughDraws {
		t.Error("the draws show nothing")
	}
}

// freedByMark marks a customer as a company, holds that nothing is lost and that nothing is
// permitted but what his age alone held back, and returns how many products that are.
func freedByMark(t *rapid.T, q *question) (freed int) {
	if rapid.Bool().Draw(t, "no birth date") {
		q.profile.Person.BirthDate = 0
	}
	f, before := q.ask(q.profile)
	company := *q.profile
	company.Person.Segment = fund.CorporateSegment
	g, after := q.ask(&company)
	if f.Company || g.Company != company.Person.IsCompany() || g.Company && g.Elder {
		t.Fatalf("%+v, marked: %+v", f.Standing, g.Standing)
	}
	for i := range q.products {
		if before.Has(i) && !after.Has(i) {
			t.Fatalf("product %d is permitted to a person and not to a company", i)
		}
		if before.Has(i) || !after.Has(i) {
			continue
		}
		freed++
		_, findings := q.gate.Judge(i, &f, q.refusals(q.profile), nil)
		for _, x := range findings {
			if x.Outcome.Excludes() && x.Rule != eligibility.E01 {
				t.Fatalf("product %d, held back by %+v, is permitted to a company", i, x)
			}
		}
	}
	return freed
}

// A fund that he refused and that was shown too often is excluded once.
func TestARefusedFundThatIsTiredCountsOnce(t *testing.T) {
	gate, facts := benchmarkGate(t, 3)
	r := eligibility.Refusals{
		Funds: []eligibility.Refused{{Fund: 0, Until: 1}, {Fund: 1, Until: 1}}, Tired: []eligibility.Refused{{Fund: 1, Until: 1}, {Fund: 2, Until: 1}},
	}
	var v eligibility.Verdicts
	gate.Select(&facts, &r, &v)
	if !slices.Contains(v.Excluded, eligibility.RuleCount{ID: eligibility.A06, Count: 3}) {
		t.Errorf("%v, expected A06 with 3", v.Excluded)
	}
}
