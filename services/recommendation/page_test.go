package recommendation

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/fundmatch/fundmatch/features/dataset/synthetic"
	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/expectation"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
	"github.com/fundmatch/fundmatch/matcher/wording"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/engine"
	"github.com/fundmatch/fundmatch/services/wire"
)

// TestPageMakesWhatThePlainPresenterMakes, for random customers, channels, lengths and
// audiences, on buffers that are used again.
func TestPageMakesWhatThePlainPresenterMakes(t *testing.T) {
	t.Parallel()
	store, core, at := openCore(t)
	ids, err := store.CustomerIDs(t.Context(), "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var slate matcher.Slate
	var b buffers
	var service Service
	items := 0
	for range 500 {
		p, err := store.Profile(t.Context(), ids[rng.IntN(len(ids))], at)
		if err != nil {
			t.Fatal(err)
		}
		r := matcher.Request{At: at, Channel: fund.App, Audience: wording.Customer, Limit: 1 + rng.IntN(matcher.MaxLimit)}
		if rng.IntN(2) == 0 {
			r.Channel, r.Audience = fund.Branch, wording.Manager
		}
		if err := core.Match(p, r, &slate); err != nil {
			t.Fatal(err)
		}
		explain := rng.IntN(2) == 0
		onPage := service.presenter(core, r.Audience)
		onPage.page.text, onPage.page.marks, onPage.facts = b.text, b.marks, b.facts
		got := onPage.answer(&slate, explain)
		b.text, b.marks, b.facts = onPage.page.text, onPage.page.marks, onPage.facts
		simple := plain{core: core, audience: r.Audience}
		want := simple.answer(&slate, explain)
		if onPage.err != nil || simple.err != nil || !proto.Equal(want, got) {
			t.Fatalf("%v, %v (-plain +page):\n%s", simple.err, onPage.err, cmp.Diff(want, got, protocmp.Transform()))
		}
		items += len(got.GetItems())
	}
	if items < 1000 {
		t.Errorf("only %d items were compared", items)
	}
}

// openCore compiles the core of a synthetic bank.
func openCore(tb testing.TB) (*memory.Store, *matcher.Core, fund.Instant) {
	tb.Helper()
	opts := synthetic.Options{Customers: 200, Products: 80, Seed: 21, AsOf: fund.Date(20260310)}
	at := opts.AsOf.Start().Add(10 * time.Hour)
	generated, err := synthetic.Generate(opts)
	if err != nil {
		tb.Fatal(err)
	}
	store := memory.New()
	if _, err := store.Import(tb.Context(), at, generated.Load); err != nil {
		tb.Fatal(err)
	}
	if err := engine.InstallDefaults(tb.Context(), store, at); err != nil {
		tb.Fatal(err)
	}
	loader, err := engine.NewLoader(store, store, "test")
	if err != nil {
		tb.Fatal(err)
	}
	core, err := loader.Newest(tb.Context(), at)
	if err != nil {
		tb.Fatal(err)
	}
	return store, core, at
}

// TestStaticTextsAreShared: messages that many answers share are made once for an
// audience, for that audience alone, and again for another wording.
func TestStaticTextsAreShared(t *testing.T) {
	t.Parallel()
	_, core, _ := openCore(t)
	var s Service
	customer, manager := s.static(core.Wording(), wording.Customer), s.static(core.Wording(), wording.Manager)
	if customer != s.static(core.Wording(), wording.Customer) || customer == manager {
		t.Error("texts are made again, or for the wrong audience")
	}
	if customer.sentences["rule.S01.change"] != "" || manager.sentences["rule.S01.change"] == "" {
		t.Error("a manager's sentence is among the customer's texts, or not among the manager's")
	}
	if len(customer.disclosures) == 0 || len(customer.steps) == 0 {
		t.Errorf("%d disclosures, %d steps", len(customer.disclosures), len(customer.steps))
	}
	other, err := wording.Compile(wording.DefaultTemplates())
	if err != nil {
		t.Fatal(err)
	}
	if s.static(other, wording.Customer) == customer {
		t.Error("another wording has the old texts")
	}
}

// TestAPresenterSendsNoHalfText: a sentence that is for managers, that nobody wrote, or
// whose slot no fact fills, is an error and leaves no text.
func TestAPresenterSendsNoHalfText(t *testing.T) {
	t.Parallel()
	_, core, _ := openCore(t)
	for _, name := range []string{"rule.S01.change", "rule.XXX.change", "objection.DRAWDOWN.recovered"} {
		v := new(Service).presenter(core, wording.Customer)
		text := ""
		v.sentence(&text, name, nil)
		v.page.finish()
		if v.err == nil || text != "" {
			t.Errorf("%s: %q, %v", name, text, v.err)
		}
	}
}

// plain presents answers one message and one text at a time: slower by half, and easy to
// see through. What presenter makes on its page must be the same.
type plain struct {
	core     *matcher.Core
	audience wording.Audience
	buf      []byte
	err      error
}

func (v *plain) forManager() bool { return v.audience == wording.Manager }

// answer presents a slate.
func (v *plain) answer(s *matcher.Slate, explain bool) *fundmatchv1.RecommendResponse {
	out := &fundmatchv1.RecommendResponse{
		DecidedAt: wire.Timestamp(s.Request.At), ValidUntil: wire.Timestamp(s.ValidUntil), Personalized: s.Personal,
		Revisions: wire.Revisions(s.Identity), CustomerId: s.CustomerID, Channel: s.Request.Channel.String(),
		Audience: v.audience.String(), Initiative: fund.ByFirm.String(),
		Items: make([]*fundmatchv1.Item, len(s.Items)), Excluded: make([]*fundmatchv1.Exclusion, len(s.Excluded)),
	}
	for i := range s.Items {
		out.Items[i] = v.item(s, i, explain)
	}
	for i, x := range s.Excluded {
		out.Excluded[i] = &fundmatchv1.Exclusion{RuleId: string(x.ID), Count: int32(x.Count)}
	}
	for _, name := range s.Disclosures {
		if name == matcher.IssuerDisclosure {
			out.Disclosures = append(out.Disclosures, v.issuers(s)...)
			continue
		}
		out.Disclosures = append(out.Disclosures, v.disclosure(name, s.Identity.WordingID))
	}
	for i := range s.Notices {
		n := &s.Notices[i]
		if v.mayShow(n.Sentence) {
			out.Notices = append(out.Notices, &fundmatchv1.Notice{Code: n.Code, Text: v.sentence(n.Sentence, n.Evidence), Task: n.Task})
		}
	}
	return out
}

func (v *plain) item(s *matcher.Slate, i int, explain bool) *fundmatchv1.Item {
	it := &s.Items[i]
	place, ok := v.core.Find(it.Code)
	if !ok {
		v.fail(fmt.Errorf("product %s of the answer is not in its core", it.Code))
		return nil
	}
	out := &fundmatchv1.Item{
		Rank: int32(i + 1), Product: wire.Product(v.core, place), Score: it.Score, Propensity: it.Propensity, PeerCode: it.PeerCode,
		Expectation: v.expectation(&s.Wish, s.Personal, it.Matched), Conversion: v.conversion(&it.Conversion),
		Orderable: it.Conversion.Action == conversion.Buy,
	}
	if explain {
		out.Contributions = wire.Contributions(it.Contributions)
	}
	for j := range it.Objections {
		out.Objections = append(out.Objections, v.objection(&it.Objections[j]))
	}
	return out
}

func (v *plain) expectation(w *expectation.Wish, personal bool, matched []expectation.Match) *fundmatchv1.Expectation {
	out := &fundmatchv1.Expectation{
		Goal: w.Goal.String(), HorizonMonths: w.HorizonMonths, Confidence: w.Confidence.Float(), Source: w.Source.String(),
		Headline: v.sentence(w.Headline(personal), nil), QuestionCode: w.Question.String(),
	}
	if name := w.Question.Sentence(); name != "" {
		out.Question = v.sentence(name, nil)
	}
	for i := range matched {
		m := &matched[i]
		facts := append([]fund.Evidence{m.Customer, m.Product}, m.Facts...)
		horizon := fund.Evidence{Field: "HORIZON", Unit: fund.UnitMonths, Number: int64(w.HorizonMonths)}
		out.Matched = append(out.Matched, &fundmatchv1.MatchedAspect{
			Aspect: m.Aspect.String(), CustomerValue: m.Customer.Value(), ProductValue: m.Product.Value(),
			Evidence: wire.Evidence(m.Facts), Text: v.sentence(m.Sentence, append(facts, horizon)),
		})
	}
	return out
}

// objection presents a doubt. Trigger, likelihood and how often the answer resolves it
// are for managers only.
func (v *plain) objection(o *objection.Objection) *fundmatchv1.Objection {
	out := &fundmatchv1.Objection{Code: o.Code.String(), Evidence: wire.Evidence(o.Evidence)}
	start := len(v.buf)
	for _, name := range o.Sentences {
		if name != "" {
			v.appendSentence(name, o.Evidence)
		}
	}
	out.Answer = string(v.buf[start:])
	if o.Discloses != "" {
		out.Disclosures = []string{o.Discloses}
	}
	if v.forManager() {
		out.LikelihoodBand, out.ResolvedBand = o.Band.String(), "UNKNOWN"
		for _, t := range o.Triggers {
			if t != "" {
				out.Trigger = append(out.Trigger, t)
			}
		}
	}
	return out
}

func (v *plain) conversion(c *conversion.Conversion) *fundmatchv1.Conversion {
	out := &fundmatchv1.Conversion{
		Action: c.Action.String(), ProductCode: c.ProductCode, ShareClass: c.ShareClass, CalendarSource: c.Calendar.String(),
		AvailableOn: c.AvailableOn.String(), Text: v.sentence(c.Sentence, c.Evidence),
		HorizonCost: &fundmatchv1.HorizonCost{A: plainCost(&c.Quote.A), C: plainCost(&c.Quote.C), Days: c.Quote.Days, AmountFen: int64(c.Quote.CostAmount)},
	}
	if c.Cutoff != 0 {
		out.Cutoff = wire.Timestamp(c.Cutoff)
	}
	if c.Action == conversion.Buy {
		out.AmountFen = &fundmatchv1.AmountRange{Min: int64(c.Quote.Min), Suggested: int64(c.Quote.Suggested), Max: int64(c.Quote.Max)}
	}
	for _, step := range c.Steps {
		if step != "" {
			out.Steps = append(out.Steps, &fundmatchv1.Step{Code: string(step), Text: v.sentence(step.Label(), nil)})
		}
	}
	return out
}

func plainCost(c *conversion.ClassCost) *fundmatchv1.Cost {
	if !c.OK {
		return nil
	}
	return &fundmatchv1.Cost{
		EntryFen: int64(c.Entry), ServiceFen: int64(c.Service), RunningFen: int64(c.Running), ExitFen: int64(c.Exit), TotalFen: int64(c.Total()),
	}
}

// issuers names each issuer once, but for the bank's own products.
func (v *plain) issuers(s *matcher.Slate) []*fundmatchv1.Disclosure {
	var out []*fundmatchv1.Disclosure
	var named []string
	for i := range s.Items {
		place, _ := v.core.Find(s.Items[i].Code)
		p := v.core.Product(place)
		if issuer := p.Parties.Issuer; p.Listing.Kind != fund.OwnProduct && issuer != "" && !slices.Contains(named, issuer) {
			named = append(named, issuer)
			text := v.sentence(matcher.IssuerDisclosure, []fund.Evidence{{Field: "ISSUER", Text: issuer}})
			out = append(out, &fundmatchv1.Disclosure{Id: matcher.IssuerDisclosure, Version: s.Identity.WordingID, Text: text})
		}
	}
	return out
}

func (v *plain) disclosure(name, version string) *fundmatchv1.Disclosure {
	return &fundmatchv1.Disclosure{Id: name, Version: version, Text: v.sentence(name, nil)}
}

// mayShow reports whether a sentence is for this audience.
func (v *plain) mayShow(name string) bool {
	id, ok := v.core.Wording().ID(name)
	return ok && v.core.Wording().Audience(id).May(v.audience)
}

// sentence renders a template.
func (v *plain) sentence(name string, facts []fund.Evidence) string {
	start := len(v.buf)
	v.appendSentence(name, facts)
	return string(v.buf[start:])
}

// appendSentence renders a template into the buffer. A sentence that is for somebody
// else, or whose slot no fact fills, is an error: a text with a hole is not sent.
func (v *plain) appendSentence(name string, facts []fund.Evidence) {
	id, ok := v.core.Wording().ID(name)
	if !ok || !v.core.Wording().Audience(id).May(v.audience) {
		v.fail(fmt.Errorf("sentence %q is unknown or not for %s", name, v.audience))
		return
	}
	buf, err := v.core.Wording().AppendEvidence(v.buf, id, facts)
	if err != nil {
		v.fail(err)
		return
	}
	v.buf = buf
}

func (v *plain) fail(err error) {
	if v.err == nil {
		v.err = err
	}
}
