package matcher_test

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// The orders of these tests are given on Wednesday, 13 March 2024, at 10:00.
const orderDay fund.Date = 20240313

var orderAt = orderDay.Start().Add(10 * time.Hour)

// shop is a small pool, a customer of level C3 with a million yuan who searched for every
// product himself, and an order of his.
type shop struct {
	products []fund.Product
	navs     map[string]float64 // of yesterday, by code
	calendar fund.Calendar
	profile  *fund.Profile
	events   []fund.Event
	request  matcher.OrderRequest
}

func newShop() *shop {
	s := &shop{
		profile: &fund.Profile{
			CustomerID: "c1",
			Person:     fund.Person{BirthDate: 19850615, Capacity: fund.FullCapacity, IsLowestClass: fund.No, AUM: 100_000_000, ManagerID: "M1", BranchID: "B1"},
			Assessment: fund.Assessment{Level: fund.C3, On: 20240101},
			Needs:      fund.StatedNeeds{Goals: []fund.Goal{fund.Growth}, HorizonMonths: 60, Liquidity: fund.NeedLow},
		},
		request: matcher.OrderRequest{ProductCode: "BOND", Amount: 1_000_000, At: orderAt, Channel: fund.App, Licence: eligibility.LicenceValid},
	}
	for _, p := range []struct {
		code, parent, class string
		grade               fund.RiskGrade
	}{{"BOND", "", "", fund.R2}, {"STOCKA", "F", "A", fund.R4}, {"STOCKC", "F", "C", fund.R4}, {"HIGH", "", "", fund.R5}} {
		s.products = append(s.products, fund.Product{
			Code: p.code, Name: "测试" + p.code, Type: "混合型-偏债", ParentCode: p.parent, ShareClass: p.class,
			Grades: fund.Grades{Bank: p.grade, Issuer: p.grade}, Parties: fund.Parties{Issuer: "甲"},
			Listing: fund.Listing{Kind: fund.PublicFund, Status: fund.Open, DueDiligenceID: "DD", KeyFactsVersion: "v2"},
			Terms:   fund.Terms{MinPurchase: 1_000, LaunchedOn: 20150101},
			Content: fund.Content{Goals: fund.SetOf([]fund.Goal{fund.Growth})},
			Fees: fund.FeeSchedule{
				Subscription: []fund.SubscriptionTier{{Rate: 30}}, Redemption: []fund.RedemptionTier{{Below: 7, Rate: 150}, {}},
			},
		})
		s.searched(p.code)
	}
	return s
}

func (s *shop) searched(code string) {
	s.events = append(s.events, fund.Event{Kind: fund.Click, At: orderAt - 60_000_000, ProductCode: code, About: behaviour.SearchPage})
}

func (s *shop) check(t failing) *matcher.OrderCheck {
	s.profile.Trail = behaviour.Of(s.events)
	d := defaults()
	core, err := matcher.Compile(&matcher.Inputs{
		Identity: matcher.Identity{PoolRevision: 1, AsOf: orderDay.Start(), ModelID: "m", RulesID: "r", WordingID: d.text.Version(), Engine: "test"},
		Products: s.products, Model: d.model, Rules: d.rules, Wording: d.text, Calendar: s.calendar,
		NAVs: func(yield func(string, []fund.NAV) error) error {
			for _, code := range slices.Sorted(maps.Keys(s.navs)) {
				if err := yield(code, []fund.NAV{{Date: orderDay.AddDays(-1), Unit: s.navs[code], Accum: s.navs[code]}}); err != nil {
					return err
				}
			}
			return nil
		},
		Purchases: func(func(string, []fund.Purchase) error) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	var out matcher.OrderCheck
	if err := core.CheckOrder(s.profile, s.request, &out); err != nil {
		t.Fatal(err)
	}
	checkSentences(t, core, &out)
	return &out
}

type failing interface {
	Fatal(args ...any)
	Errorf(format string, args ...any)
}

// checkSentences renders everything that is said: no sentence has a hole.
func checkSentences(t failing, core *matcher.Core, out *matcher.OrderCheck) {
	say := func(sentence string, evidence []fund.Evidence, needed bool) {
		id, ok := core.Wording().ID(sentence)
		if !ok {
			if needed || sentence != "" {
				t.Errorf("no sentence %q", sentence)
			}
			return
		}
		if _, err := core.Wording().AppendEvidence(nil, id, evidence); err != nil {
			t.Errorf("%s: %v", sentence, err)
		}
	}
	for i := range out.Required {
		say(out.Required[i].Sentence, out.Required[i].Evidence, true)
	}
	for i := range out.Steps {
		say(out.Steps[i].Sentence, out.Steps[i].Evidence, out.Steps[i].Rule != eligibility.E02)
	}
	for i := range out.Disclosures {
		say(out.Disclosures[i].Sentence, out.Disclosures[i].Evidence, false)
	}
}

// confirmed gives the order a proven confirmation of a warning.
func (s *shop) confirmed(id string, rule eligibility.RuleID, reason string, grade fund.RiskGrade) *matcher.GivenConfirmation {
	s.request.Confirmations = append(s.request.Confirmations, matcher.GivenConfirmation{
		ID:        id,
		WarnedOf:  matcher.WarnedOf{Rule: rule, Reason: reason, ProductCode: s.request.ProductCode, Grade: grade, Level: fund.C3, Amount: s.request.Amount},
		WordProof: matcher.WordProof{Channel: "APP", Trace: "T1"},
		AskedAt:   orderAt.Add(-48 * time.Hour), ConfirmedAt: orderAt.Add(-47 * time.Hour), ExpiresAt: orderAt.Add(time.Hour),
	})
	return &s.request.Confirmations[len(s.request.Confirmations)-1]
}

// wanted lists what is required, with + where it is met.
func wanted(out *matcher.OrderCheck) (all []string) {
	for i := range out.Required {
		r := &out.Required[i]
		met := ""
		if r.Met {
			met = "+"
		}
		all = append(all, string(r.Rule)+" "+r.Reason+met)
	}
	return all
}

const overLevel = "WARN_GRADE_ABOVE_LEVEL"

func TestVerdictsOfOrders(t *testing.T) {
	for name, c := range map[string]struct {
		change   func(s *shop)
		want     matcher.OrderVerdict
		required []string
	}{
		"a suitable product":              {func(*shop) {}, matcher.OrderAllow, nil},
		"above his level":                 {func(s *shop) { s.request.ProductCode = "STOCKA" }, matcher.OrderConfirm, []string{"S03 " + overLevel}},
		"above his level, and warned":     {func(s *shop) { s.request.ProductCode = "STOCKA"; s.confirmed("w", eligibility.S03, overLevel, fund.R4) }, matcher.OrderAllow, []string{"S03 " + overLevel + "+"}},
		"above his level, and the firm's": {func(s *shop) { s.request.ProductCode = "STOCKA"; s.exposed("STOCKC") }, matcher.OrderBlock, nil},
		"warned of it on the firm's": {func(s *shop) {
			s.request.ProductCode = "STOCKA"
			s.exposed("STOCKA")
			s.confirmed("w", eligibility.S03, overLevel, fund.R4)
		}, matcher.OrderBlock, nil},
		"the lowest class": {func(s *shop) {
			s.request.ProductCode = "STOCKA"
			s.profile.Person.IsLowestClass = fund.Yes
			s.confirmed("w", eligibility.S03, overLevel, fund.R4)
		}, matcher.OrderBlock, nil},
		"an expired assessment":             {func(s *shop) { s.profile.Assessment.On = 20230313 }, matcher.OrderBlock, nil},
		"suspended":                         {func(s *shop) { s.products[0].Listing.Status = fund.Suspended }, matcher.OrderBlock, nil},
		"more than half of his assets":      {func(s *shop) { s.request.Amount = 50_000_001; s.profile.Assessment.Level = fund.C3; s.others() }, matcher.OrderConfirm, []string{"S15 ABOVE_MEANS", "K04 FUND_CONCENTRATED"}},
		"means that nobody knows":           {func(s *shop) { s.profile.Person.AUM = 0 }, matcher.OrderConfirm, []string{"S15 MEANS_UNKNOWN", "K04 ASSETS_UNKNOWN"}},
		"means that nobody knows, firm's":   {func(s *shop) { s.profile.Person.AUM = 0; s.exposed("BOND") }, matcher.OrderAllow, nil},
		"too much on the firm's initiative": {func(s *shop) { s.request.Amount = 30_000_001; s.exposed("BOND") }, matcher.OrderBlock, nil},
		"just within on the firm's":         {func(s *shop) { s.request.Amount = 30_000_000; s.exposed("BOND") }, matcher.OrderAllow, nil},
		"split into two orders":             {func(s *shop) { s.request.Amount = 20_000_000; s.ordered("BOND", 10_000_001) }, matcher.OrderConfirm, []string{"K04 FUND_CONCENTRATED"}},
		"split, the first one on file":      {func(s *shop) { s.request.Amount = 20_000_000; s.ordered("BOND", 10_000_001); s.onFile("BOND") }, matcher.OrderAllow, nil},
		"split over many products":          {func(s *shop) { s.request.Amount = 25_000_000; s.ordered("GONE", 25_000_001) }, matcher.OrderConfirm, []string{"S15 ABOVE_MEANS"}},
		"ordered before the window": {func(s *shop) {
			s.request.Amount = 25_000_000
			s.orderedAt("GONE", 25_000_001, orderDay.AddDays(-29).Start()-1)
		}, matcher.OrderAllow, nil},
		"ordered on the window's first day": {func(s *shop) {
			s.request.Amount = 25_000_000
			s.orderedAt("GONE", 25_000_001, orderDay.AddDays(-29).Start())
		}, matcher.OrderConfirm, []string{"S15 ABOVE_MEANS"}},
		"bought by the books": {func(s *shop) {
			s.request.Amount = 25_000_000
			s.profile.Purchases = []fund.Purchase{{ProductCode: "GONE", KnownOn: orderDay, Kind: "BUY", Amount: 25_000_001}}
		}, matcher.OrderConfirm, []string{"S15 ABOVE_MEANS"}},
		"bought by the books, and a little on the trail": {func(s *shop) {
			s.request.Amount = 25_000_000
			s.profile.Purchases = []fund.Purchase{{ProductCode: "GONE", KnownOn: orderDay, Kind: "BUY", Amount: 25_000_001}}
			s.ordered("GONE", 1)
		}, matcher.OrderConfirm, []string{"S15 ABOVE_MEANS"}},
	} {
		s := newShop()
		c.change(s)
		out := s.check(t)
		if out.Verdict != c.want {
			t.Errorf("%s: %s, want %s: %+v", name, out.Verdict, c.want, out.Findings)
		}
		if d := cmp.Diff(c.required, wanted(out)); d != "" && c.want != matcher.OrderBlock {
			t.Errorf("%s (-want +required):\n%s", name, d)
		}
	}
}

// What he ordered, holds and bought before, as S15 and K04 count it: at each edge.
func TestWhatAnOrderStandsBeside(t *testing.T) {
	const half, third = fund.Money(25_000_000), fund.Money(10_000_000) // with 20,000,000 ordered
	windowStart := orderDay.AddDays(-29)
	s15, k04 := []string{"S15 ABOVE_MEANS"}, []string{"K04 FUND_CONCENTRATED"}
	bought := func(on fund.Date, kind string) func(*shop) {
		return func(s *shop) {
			s.request.Amount = half
			s.profile.Purchases = []fund.Purchase{{ProductCode: "GONE", KnownOn: on, Kind: kind, Amount: half + 1}}
		}
	}
	held := func(code string, cost fund.Money, also func(*shop)) func(*shop) {
		return func(s *shop) {
			s.request.Amount = 2 * third
			s.profile.Lots = []fund.Lot{{ProductCode: code, Shares: 10_000, AcquiredOn: 20240102, Cost: cost}}
			also(s)
		}
	}
	themes := func(other string) func(*shop) {
		return func(s *shop) {
			s.products[0].Content.Themes, s.products[3].Content.Themes = []string{"芯片", "军工"}, []string{other}
		}
	}
	issuer := func(name string) func(*shop) { return func(s *shop) { s.products[3].Parties.Issuer = name } }
	nav := func(unit float64) func(*shop) { return func(s *shop) { s.navs = map[string]float64{"BOND": unit} } }
	nothing := func(*shop) {}
	for name, c := range map[string]struct {
		change   func(s *shop)
		required []string
	}{
		"ordered with the order":        {func(s *shop) { s.request.Amount = half; s.orderedAt("GONE", half+1, orderAt) }, s15},
		"ordered after it":              {func(s *shop) { s.request.Amount = half; s.orderedAt("GONE", half+1, orderAt+1) }, nil},
		"an order of no amount":         {func(s *shop) { s.ordered("GONE", 0) }, []string{"S15 ORDERS_UNKNOWN"}},
		"of no amount, and then of one": {func(s *shop) { s.orderedAt("GONE", 0, orderAt-9); s.ordered("GONE", 5) }, []string{"S15 ORDERS_UNKNOWN"}},
		"bought on the window's first":  {bought(windowStart, "BUY"), s15},
		"bought the day before":         {bought(windowStart.AddDays(-1), "BUY"), nil},
		"bought tomorrow":               {bought(orderDay.AddDays(1), "BUY"), nil},
		"given up in the window":        {bought(orderDay, "GIVE_UP"), nil},
		"pending for thirty days": {func(s *shop) {
			s.request.Amount = 2 * third
			s.orderedAt("BOND", third+1, orderDay.AddDays(-30).Start())
		}, k04},
		"pending for longer": {func(s *shop) {
			s.request.Amount = 2 * third
			s.orderedAt("BOND", third+1, orderDay.AddDays(-30).Start()-1)
		}, nil},
		"held at its cost":                {held("BOND", third+1, nothing), k04},
		"held at a fen less":              {held("BOND", third, nothing), nil},
		"held, of no cost":                {held("BOND", 0, nothing), nil},
		"held at its value, above cost":   {held("BOND", 1, nav(100_000.01)), k04},
		"held at its value, below cost":   {held("BOND", third+1, nav(100_000)), nil},
		"of the same issuer":              {held("HIGH", 4*third+1, nothing), []string{"K04 ISSUER_CONCENTRATED"}},
		"of the same issuer, a fen less":  {held("HIGH", 4*third, nothing), nil},
		"of another issuer":               {held("HIGH", 4*third+1, issuer("乙")), nil},
		"of no issuer":                    {held("HIGH", 4*third+1, func(s *shop) { s.others(); issuer("")(s) }), nil},
		"of the second theme":             {held("HIGH", third+1, themes("军工")), []string{"K04 THEME_CONCENTRATED"}},
		"of the second theme, a fen less": {held("HIGH", third, themes("军工")), nil},
		"of another theme":                {held("HIGH", third+1, themes("医药")), nil},
	} {
		s := newShop()
		c.change(s)
		if d := cmp.Diff(c.required, wanted(s.check(t))); d != "" {
			t.Errorf("%s (-want +required):\n%s", name, d)
		}
	}
}

// A trail that was cut shows what was ordered only as far back as it reaches: to before the
// window (S15), and to an order that was dealt on an earlier day (G01).
func TestOrdersThatLeftTheTrail(t *testing.T) {
	yesterday := orderDay.AddDays(-1).Start()
	for name, c := range map[string]struct {
		reach fund.Instant
		limit fund.Money
		want  matcher.OrderVerdict
	}{
		"to before the window":             {orderDay.AddDays(-29).Start() - 1, 0, matcher.OrderAllow},
		"to the window's first instant":    {orderDay.AddDays(-29).Start(), 0, matcher.OrderConfirm},
		"to yesterday's orders":            {yesterday.Add(15*time.Hour) - 1, 1_000_000, matcher.OrderConfirm},
		"to orders that are dealt today":   {yesterday.Add(15 * time.Hour), 1_000_000, matcher.OrderBlock},
		"to before the window, with limit": {orderDay.AddDays(-29).Start() - 1, 1_000_000, matcher.OrderAllow},
	} {
		s := newShop()
		s.products[0].Terms.DayLimit, s.request.Amount = c.limit, 600_000
		s.orderedAt("GONE", 1, 1)
		for i := range behaviour.KeptActs {
			s.orderedAt("GONE", 1, c.reach+fund.Instant(i))
		}
		if out := s.check(t); out.Verdict != c.want {
			t.Errorf("%s: %s, want %s: %v", name, out.Verdict, c.want, wanted(out))
		}
	}
}

// Only what the firm says of the ordered fund makes the order the firm's.
func TestOrdersAfterSomethingElseWasShown(t *testing.T) {
	for code, want := range map[string]fund.Initiative{
		"BOND": fund.ByFirm, "HIGH": fund.ByCustomer, "STOCKC": fund.ByCustomer, "GONE": fund.ByCustomer, "": fund.ByFirm,
	} {
		s := newShop()
		s.exposed(code)
		if got := s.check(t).Origin; got.Initiative != want {
			t.Errorf("%q was shown: %+v", code, got)
		}
	}
}

// A launch takes orders although the fund is closed; a fund that is closed deals later.
func TestOrdersOfAClosedFund(t *testing.T) {
	for status, want := range map[fund.Status]fund.Date{fund.Subscription: orderDay, fund.Open: 20240318} {
		s := newShop()
		s.products[0].Listing.Status, s.products[0].Terms.ClosedUntil = status, 20240318
		if got := s.check(t).Dealing.On; got != want {
			t.Errorf("%s: dealt on %s, want %s", status, got, want)
		}
	}
}

func (s *shop) exposed(code string) {
	s.events = append(s.events, fund.Event{Kind: fund.Exposure, At: orderAt - 5, ProductCode: code})
}

func (s *shop) ordered(code string, m fund.Money) { s.orderedAt(code, m, orderAt-5) }

func (s *shop) orderedAt(code string, m fund.Money, at fund.Instant) {
	s.events = append(s.events, fund.Event{Kind: fund.OrderConfirm, At: at, ProductCode: code, Amount: m})
}

// onFile puts a lot of a cost of one fen on file, by today.
func (s *shop) onFile(code string) {
	s.profile.Lots = append(s.profile.Lots, fund.Lot{ProductCode: code, Shares: 1, AcquiredOn: orderDay, Cost: 1})
}

// others makes the order's product one whose issuer is not named.
func (s *shop) others() { s.products[0].Parties.Issuer = "" }

// Every change of what a confirmation is about, or of its proof, makes it count nothing; and
// the answer says why.
func TestConfirmationsThatDoNotCount(t *testing.T) {
	for name, c := range map[string]struct {
		change func(s *shop, g *matcher.GivenConfirmation)
		want   matcher.RejectionReason
	}{
		"another rule":                  {func(_ *shop, g *matcher.GivenConfirmation) { g.Rule = eligibility.S15 }, matcher.RejectedNotRequired},
		"another reason":                {func(_ *shop, g *matcher.GivenConfirmation) { g.Reason = "OTHER" }, matcher.RejectedNotRequired},
		"another share class":           {func(_ *shop, g *matcher.GivenConfirmation) { g.ProductCode = "STOCKC" }, matcher.RejectedProduct},
		"a lower grade":                 {func(_ *shop, g *matcher.GivenConfirmation) { g.Grade = fund.R3 }, matcher.RejectedGrade},
		"the grade rose since":          {func(s *shop, _ *matcher.GivenConfirmation) { s.products[1].Grades.Issuer = fund.R5 }, matcher.RejectedGrade},
		"another level":                 {func(_ *shop, g *matcher.GivenConfirmation) { g.Level = fund.C2 }, matcher.RejectedLevel},
		"his level fell since":          {func(s *shop, _ *matcher.GivenConfirmation) { s.profile.Assessment.Level = fund.C2 }, matcher.RejectedLevel},
		"a fen less":                    {func(_ *shop, g *matcher.GivenConfirmation) { g.Amount-- }, matcher.RejectedAmount},
		"confirmed before it was asked": {func(_ *shop, g *matcher.GivenConfirmation) { g.ConfirmedAt = g.AskedAt - 1 }, matcher.RejectedTimes},
		"never asked":                   {func(_ *shop, g *matcher.GivenConfirmation) { g.AskedAt = 0 }, matcher.RejectedTimes},
		"confirmed after the order":     {func(_ *shop, g *matcher.GivenConfirmation) { g.ConfirmedAt = orderAt + 1 }, matcher.RejectedTimes},
		"expired at the instant":        {func(_ *shop, g *matcher.GivenConfirmation) { g.ExpiresAt = orderAt }, matcher.RejectedExpired},
		"older than a confirmation may be": {func(_ *shop, g *matcher.GivenConfirmation) {
			g.AskedAt, g.ConfirmedAt = 1, orderAt.Add(-matcher.OrderConfirmationLife)
		}, matcher.RejectedExpired},
		"used":                               {func(_ *shop, g *matcher.GivenConfirmation) { g.Used = true }, matcher.RejectedUsed},
		"no trace":                           {func(_ *shop, g *matcher.GivenConfirmation) { g.Trace = "" }, matcher.RejectedTrace},
		"spoken in a branch, not recorded":   {func(_ *shop, g *matcher.GivenConfirmation) { g.Channel, g.ManagerID = "BRANCH", "M1" }, matcher.RejectedRecording},
		"spoken in a branch, to nobody":      {func(_ *shop, g *matcher.GivenConfirmation) { g.Channel, g.RecordingID = "BRANCH", "R1" }, matcher.RejectedRecording},
		"a trace for an order in the branch": {func(s *shop, _ *matcher.GivenConfirmation) { s.request.Channel = fund.Branch }, matcher.RejectedRecording},
	} {
		s := newShop()
		s.request.ProductCode = "STOCKA"
		c.change(s, s.confirmed("w", eligibility.S03, overLevel, fund.R4))
		out := s.check(t)
		if out.Verdict == matcher.OrderAllow || len(out.Uses) != 0 {
			t.Errorf("%s: %s, uses %v", name, out.Verdict, out.Uses)
		}
		if want := []matcher.RejectedConfirmation{{ID: "w", Why: c.want}}; !slices.Equal(out.Rejected, want) {
			t.Errorf("%s: %v, want %v", name, out.Rejected, want)
		}
	}
}

func TestConfirmationsThatCount(t *testing.T) {
	for name, change := range map[string]func(s *shop, g *matcher.GivenConfirmation){
		"as asked":                 func(*shop, *matcher.GivenConfirmation) {},
		"of a larger amount":       func(_ *shop, g *matcher.GivenConfirmation) { g.Amount = fund.MaxMoney },
		"confirmed when asked":     func(_ *shop, g *matcher.GivenConfirmation) { g.ConfirmedAt = g.AskedAt },
		"confirmed with the order": func(_ *shop, g *matcher.GivenConfirmation) { g.AskedAt, g.ConfirmedAt = orderAt, orderAt },
		"in its last moment":       func(_ *shop, g *matcher.GivenConfirmation) { g.ExpiresAt = orderAt + 1 },
		"spoken in a branch": func(s *shop, g *matcher.GivenConfirmation) {
			s.request.Channel, g.Channel, g.Trace, g.RecordingID, g.ManagerID = fund.Branch, "BRANCH", "", "R1", "M1"
		},
	} {
		s := newShop()
		s.request.ProductCode = "STOCKA"
		change(s, s.confirmed("w", eligibility.S03, overLevel, fund.R4))
		s.request.Confirmations = append(s.request.Confirmations, s.request.Confirmations[0])
		out := s.check(t)
		if out.Verdict != matcher.OrderAllow || !slices.Equal(out.Uses, []string{"w"}) {
			t.Errorf("%s: %s, uses %v, rejected %v", name, out.Verdict, out.Uses, out.Rejected)
		}
		if want := []matcher.RejectedConfirmation{{ID: "w", Why: matcher.RejectedTwice}}; !slices.Equal(out.Rejected, want) {
			t.Errorf("%s, given twice: %v", name, out.Rejected)
		}
	}
}

// Two confirmations of one warning: the first serves, the second is kept for another order.
func TestOneConfirmationAWarning(t *testing.T) {
	s := newShop()
	s.request.ProductCode = "STOCKA"
	s.confirmed("a", eligibility.S03, overLevel, fund.R4)
	s.confirmed("b", eligibility.S03, overLevel, fund.R4)
	out := s.check(t)
	if !slices.Equal(out.Uses, []string{"a"}) || !slices.Equal(out.Rejected, []matcher.RejectedConfirmation{{ID: "b", Why: matcher.RejectedSurplus}}) {
		t.Errorf("uses %v, rejected %v", out.Uses, out.Rejected)
	}
}

// A step is done by what he opened, of the version of now, or by a proven confirmation; it
// never changes the verdict.
func TestStepsOfAnOrder(t *testing.T) {
	open := func(code, about string, at fund.Instant) fund.Event {
		return fund.Event{Kind: fund.EvidenceOpen, At: at, ProductCode: code, About: about}
	}
	for name, c := range map[string]struct {
		change func(s *shop)
		want   string
		done   bool
	}{
		"key facts not opened":      {func(*shop) {}, "KEY_FACTS", false},
		"key facts of this version": {func(s *shop) { s.events = append(s.events, open("BOND", "KEY_FACTS:v2", orderAt)) }, "KEY_FACTS", true},
		"key facts of another":      {func(s *shop) { s.events = append(s.events, open("BOND", "KEY_FACTS:v1", orderAt)) }, "KEY_FACTS", false},
		"key facts of no version":   {func(s *shop) { s.events = append(s.events, open("BOND", "KEY_FACTS", orderAt)) }, "KEY_FACTS", false},
		"key facts that have none": {func(s *shop) {
			s.products[0].Listing.KeyFactsVersion = ""
			s.events = append(s.events, open("BOND", "KEY_FACTS", orderAt))
		}, "KEY_FACTS", true},
		"opened later":             {func(s *shop) { s.events = append(s.events, open("BOND", "KEY_FACTS:v2", orderAt+1)) }, "KEY_FACTS", false},
		"another product's":        {func(s *shop) { s.events = append(s.events, open("HIGH", "KEY_FACTS:v2", orderAt)) }, "KEY_FACTS", false},
		"confirmed":                {func(s *shop) { s.confirmed("k", eligibility.C05, "KEY_FACTS", fund.R2) }, "KEY_FACTS", true},
		"the opinion":              {func(s *shop) { s.events = append(s.events, open("BOND", "OPINION", orderAt)) }, "MATCHING_OPINION", true},
		"the fees":                 {func(s *shop) { s.events = append(s.events, open("BOND", "FEES", orderAt)) }, "FEES", true},
		"a recording":              {func(s *shop) { s.request.Channel, s.request.RecordingID = fund.Branch, "R1" }, "RECORDING", true},
		"no recording":             {func(s *shop) { s.request.Channel = fund.Branch }, "RECORDING", false},
		"a trace of what is asked": {func(s *shop) { s.request.ProductCode = "STOCKA"; s.confirmed("w", eligibility.S03, overLevel, fund.R4) }, "ELECTRONIC_TRACE", true},
		"nothing confirmed yet":    {func(s *shop) { s.request.ProductCode = "STOCKA" }, "ELECTRONIC_TRACE", false},
	} {
		s := newShop()
		c.change(s)
		out := s.check(t)
		i := slices.IndexFunc(out.Steps, func(x matcher.OrderStep) bool { return x.Code == c.want })
		if i < 0 || out.Steps[i].Done != c.done {
			t.Errorf("%s: %s: %+v", name, c.want, out.Steps)
		}
	}
}

// The trace of an electronic confirmation is asked for where something is to be confirmed
// or reviewed, and not otherwise.
func TestTheTraceOfAWarnedOrder(t *testing.T) {
	for name, c := range map[string]struct {
		change func(s *shop)
		want   bool
	}{
		"nothing to confirm":  {func(*shop) {}, false},
		"a warning":           {func(s *shop) { s.request.ProductCode = "STOCKA" }, true},
		"a review":            {(*shop).jumped, true},
		"a warning of S15":    {func(s *shop) { s.profile.Person.AUM = 0 }, true},
		"a branch's, in both": {func(s *shop) { s.request.ProductCode, s.request.Channel = "STOCKA", fund.Branch }, false},
	} {
		s := newShop()
		c.change(s)
		got := slices.ContainsFunc(s.check(t).Steps, func(x matcher.OrderStep) bool { return x.Code == "ELECTRONIC_TRACE" })
		if got != c.want {
			t.Errorf("%s: a trace is asked for %v", name, got)
		}
	}
}

// jumped orders what his level of last week would not have allowed (S13): a review.
func (s *shop) jumped() {
	s.request.ProductCode = "STOCKA"
	s.profile.Assessment = fund.Assessment{Level: fund.C5, On: 20240312}
	s.profile.Assessments = []fund.Assessed{{At: fund.Date(20240101).Start(), Level: fund.C2}, {At: fund.Date(20240312).Start(), Level: fund.C5}}
}

// A review is decided by somebody else than the manager in charge, and than who heard it.
func TestWhoMayReviewAnOrder(t *testing.T) {
	for reviewer, want := range map[string]matcher.RejectionReason{
		"": matcher.RejectedReviewer, "M1": matcher.RejectedReviewer, "M2": matcher.RejectedReviewer, "M3": "",
	} {
		s := newShop()
		s.jumped()
		g := s.confirmed("r", eligibility.S13, "LEVEL_JUMPED", fund.R4)
		g.Level, g.ManagerID, g.ReviewerID = fund.C5, "M2", reviewer // M1 is in charge
		out := s.check(t)
		if want != "" && !slices.Equal(out.Rejected, []matcher.RejectedConfirmation{{ID: "r", Why: want}}) || want == "" && out.Verdict != matcher.OrderAllow {
			t.Errorf("reviewed by %q: %s, %v of %v", reviewer, out.Verdict, out.Rejected, wanted(out))
		}
	}
}

// The time to think begins when he is asked (S05); of other warnings there is none.
func TestTimeToThinkBeforeAnOrder(t *testing.T) {
	hour := func(n int) fund.Instant { return orderAt.Add(time.Duration(n) * time.Hour) }
	for name, c := range map[string]struct {
		asked     fund.Instant // 0: not yet
		rejected  matcher.RejectionReason
		notBefore fund.Instant
	}{
		"not asked yet":             {0, "", hour(24)},
		"asked an hour ago":         {hour(-1), matcher.RejectedTooEarly, hour(23)},
		"asked a day ago, not over": {hour(-24) + 1, matcher.RejectedTooEarly, orderAt + 1},
		"asked a day ago":           {hour(-24), "", orderAt},
	} {
		s := newShop()
		s.request.ProductCode = "HIGH"
		s.profile.Assessment.Level = fund.C5
		if c.asked != 0 {
			g := s.confirmed("w", eligibility.S05, "HIGH_RISK", fund.R5)
			g.Level, g.AskedAt, g.ConfirmedAt = fund.C5, c.asked, orderAt
		}
		out := s.check(t)
		why := matcher.RejectionReason("")
		if len(out.Rejected) > 0 {
			why = out.Rejected[0].Why
		}
		if len(out.Required) != 1 || out.Required[0].NotBefore != c.notBefore || why != c.rejected {
			t.Errorf("%s: %+v, rejected %v", name, out.Required, out.Rejected)
		}
	}
	s := newShop()
	s.request.ProductCode = "STOCKA"
	if out := s.check(t); out.Required[0].NotBefore != 0 {
		t.Errorf("a warning to think over: %+v", out.Required)
	}
}

// The time to cool off of what is sold to qualified investors (P01), and the call back that
// waits for nothing.
func TestCoolingOffBeforeAnOrder(t *testing.T) {
	for name, c := range map[string]struct {
		reason string
		asked  fund.Instant
		done   bool
	}{
		"cooling off, not over": {"COOLING_OFF", orderAt.Add(-24*time.Hour) + 1, false},
		"cooling off, over":     {"COOLING_OFF", orderAt.Add(-24 * time.Hour), true},
		"called back just now":  {"CALL_BACK", orderAt, true},
	} {
		s := newShop()
		s.products[0].Listing.Kind, s.request.Amount = fund.Trust, 30_000_000
		s.profile.Person.Qualified = fund.Qualified{Class: "ASSETS", Until: orderDay.AddDays(1)}
		g := s.confirmed("p", eligibility.P01, c.reason, fund.R2)
		g.AskedAt, g.ConfirmedAt = c.asked, orderAt
		out := s.check(t)
		i := slices.IndexFunc(out.Steps, func(x matcher.OrderStep) bool { return x.Rule == eligibility.P01 && x.Code == c.reason })
		if i < 0 || out.Steps[i].Done != c.done || len(out.Rejected) > 0 == c.done {
			t.Errorf("%s: %+v, rejected %v", name, out.Steps, out.Rejected)
		}
		f := slices.IndexFunc(out.Findings, func(f eligibility.OrderFinding) bool { return f.Rule == eligibility.P01 && f.Reason == c.reason })
		if f < 0 || out.Findings[f].Done != c.done {
			t.Errorf("%s: %+v", name, out.Findings)
		}
	}
}

// C08 is said of the bank's own products in words of their own.
func TestOrdersOfOwnProductsAreNoDeposits(t *testing.T) {
	for kind, want := range map[fund.Kind]string{
		fund.PublicFund: "order.C08.NO_DEPOSIT", fund.OwnProduct: "order.C08.NO_DEPOSIT.own",
	} {
		s := newShop()
		s.products[0].Listing.Kind = kind
		out := s.check(t)
		for _, d := range out.Disclosures {
			if own := strings.HasSuffix(d.Sentence, ".own"); d.Rule == eligibility.C08 && d.Sentence != want || d.Rule != eligibility.C08 && own {
				t.Errorf("%s: %s", kind, d.Sentence)
			}
		}
	}
}

func TestTheDayOnWhichAnOrderIsDealt(t *testing.T) {
	known := map[fund.Date]bool{}
	for d := range 20 {
		day := orderDay.AddDays(d)
		known[day] = day.Weekday() != time.Saturday && day.Weekday() != time.Sunday && day != 20240314
	}
	for name, c := range map[string]struct {
		at       time.Duration
		calendar fund.Calendar
		want     fund.Date
		says     string
	}{
		"before the cutoff":                   {15*time.Hour - time.Microsecond, fund.NewCalendar(known), orderDay, ""},
		"at the cutoff, a closed day follows": {15 * time.Hour, fund.NewCalendar(known), 20240315, "order.G01.ACCEPTED_FOR_NEXT_OPEN_DAY"},
		"at the cutoff, without a calendar":   {15 * time.Hour, fund.Calendar{}, 20240314, "order.G01.ACCEPTED_FOR_NEXT_OPEN_DAY.assumed"},
	} {
		s := newShop()
		s.calendar, s.request.At = c.calendar, orderDay.Start().Add(c.at)
		out := s.check(t)
		i := slices.IndexFunc(out.Disclosures, func(d matcher.OrderDisclosure) bool { return d.Rule == eligibility.G01 })
		says := ""
		if i >= 0 {
			says = out.Disclosures[i].Sentence
		}
		if out.Dealing.On != c.want || says != c.says || out.Dealing.Later != (c.says != "") {
			t.Errorf("%s: %+v %q", name, out.Dealing, says)
		}
	}
}

// Orders that are dealt on one day stand against one day limit, on whatever day they came.
func TestTheDayLimitIsOfOneDealingDay(t *testing.T) {
	for name, c := range map[string]struct {
		before fund.Instant
		amount fund.Money
		want   matcher.OrderVerdict
	}{
		"this morning":                {orderAt - 1, 400_001, matcher.OrderBlock},
		"this morning, within":        {orderAt - 1, 400_000, matcher.OrderAllow},
		"yesterday before the cutoff": {orderDay.AddDays(-1).Start().Add(15*time.Hour) - 1, 400_001, matcher.OrderAllow},
		"yesterday after the cutoff":  {orderDay.AddDays(-1).Start().Add(15 * time.Hour), 400_001, matcher.OrderBlock},
		"of an amount on no record":   {orderAt - 1, 0, matcher.OrderBlock},
	} {
		s := newShop()
		s.products[0].Terms.DayLimit, s.request.Amount = 1_000_000, 600_000
		s.orderedAt("BOND", c.amount, c.before)
		if out := s.check(t); out.Verdict != c.want {
			t.Errorf("%s: %s, want %s", name, out.Verdict, c.want)
		}
	}
}

func TestOrdersThatAreNone(t *testing.T) {
	s := newShop()
	s.check(t) // the core stands
	for name, c := range map[string]struct {
		change func(r *matcher.OrderRequest)
		want   error
	}{
		"no amount":                 {func(r *matcher.OrderRequest) { r.Amount = 0 }, matcher.ErrRequest},
		"less than none":            {func(r *matcher.OrderRequest) { r.Amount = -1 }, matcher.ErrRequest},
		"more than there is":        {func(r *matcher.OrderRequest) { r.Amount = fund.MaxMoney + 1 }, matcher.ErrRequest},
		"a product of another pool": {func(r *matcher.OrderRequest) { r.ProductCode = "X" }, matcher.ErrUnknownProduct},
		"another day":               {func(r *matcher.OrderRequest) { r.At = orderDay.AddDays(1).Start() }, matcher.ErrOutsideValidity},
		"a confirmation too many": {func(r *matcher.OrderRequest) {
			r.Confirmations = make([]matcher.GivenConfirmation, matcher.MaxGivenConfirmations+1)
		}, matcher.ErrRequest},
		"as many as there may be": {func(r *matcher.OrderRequest) {
			r.Confirmations = make([]matcher.GivenConfirmation, matcher.MaxGivenConfirmations)
		}, nil},
	} {
		b := newBank(1, 40)
		core := b.compile(t)
		from, _ := core.Validity()
		r := matcher.OrderRequest{ProductCode: b.products[0].Code, Amount: 1, At: from, Channel: fund.App}
		c.change(&r)
		var out matcher.OrderCheck
		if err := core.CheckOrder(b.customer(1), r, &out); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// A core speaks from its first instant to the one before its last.
func TestOrdersAtTheEndsOfValidity(t *testing.T) {
	b := newBank(1, 40)
	core := b.compile(t)
	from, until := core.Validity()
	for at, want := range map[fund.Instant]error{from - 1: matcher.ErrOutsideValidity, from: nil, until - 1: nil, until: matcher.ErrOutsideValidity} {
		var out matcher.OrderCheck
		r := matcher.OrderRequest{ProductCode: b.products[0].Code, Amount: 1, At: at, Channel: fund.App}
		if err := core.CheckOrder(b.customer(1), r, &out); !errors.Is(err, want) {
			t.Errorf("%s in %s to %s: %v, want %v", at, from, until, err, want)
		}
	}
}

// someCheck is an order by a random customer of a random bank, with confirmations of what
// was required of him and of other things.
func someCheck(b *bank, core *matcher.Core, i int) (*fund.Profile, matcher.OrderRequest) {
	p := b.customer(i)
	r := b.request(core)
	order := matcher.OrderRequest{
		ProductCode: b.products[b.rng.IntN(len(b.products))].Code, Amount: pick(b, fund.Money(1), 1_000, 100_000, 30_000_000, 1_000_000_000),
		At: r.At, Channel: r.Channel, Licence: pick(b, eligibility.LicenceMissing, eligibility.LicenceValid, eligibility.LicenceValid), RecordingID: pick(b, "", "R"),
	}
	if b.one(3) {
		order.Channel, order.Amount = fund.App, 1_000
	}
	if !b.one(3) {
		p.Trail = behaviour.Of([]fund.Event{{Kind: fund.Click, At: r.At - 1, ProductCode: order.ProductCode, About: behaviour.SearchPage}})
	}
	return p, order
}

// confirmAll confirms everything that a check requires, with all proof.
func confirmAll(out *matcher.OrderCheck) []matcher.GivenConfirmation {
	var all []matcher.GivenConfirmation
	at := out.Request.At
	for i := range out.Required {
		all = append(all, matcher.GivenConfirmation{
			ID: "c" + string(rune('a'+i)), WarnedOf: out.Required[i].WarnedOf,
			WordProof: matcher.WordProof{Channel: "BRANCH", Trace: "T", RecordingID: "R", ManagerID: "M1", ReviewerID: "M2"},
			AskedAt:   at.Add(-5 * 24 * time.Hour), ConfirmedAt: at, ExpiresAt: at + 1,
		})
	}
	return all
}

// On random banks: the same question gives the same bytes, which are read back; confirming
// all that is required makes an order allowed and nothing else; a confirmation of anything
// else never counts.
func TestOrdersOfRandomBanks(t *testing.T) {
	verdicts := map[matcher.OrderVerdict]int{}
	for seed := range uint64(5) {
		b := newBank(1_000+seed, 60)
		core := b.compile(t)
		var out, again matcher.OrderCheck
		for i := range 250 {
			p, r := someCheck(b, core, i)
			if err := core.CheckOrder(p, r, &out); err != nil {
				t.Fatal(err)
			}
			checkSentences(t, core, &out)
			verdicts[out.Verdict]++
			record := out.AppendCanonical(nil)
			read, err := matcher.ParseOrderCheck(record)
			if err != nil || !bytes.Equal(read.AppendCanonical(nil), record) {
				t.Fatalf("the record is read back as another check: %v", err)
			}
			if err := core.CheckOrder(p, read.Request, &again); err != nil || !bytes.Equal(again.AppendCanonical(nil), record) {
				t.Fatalf("replayed to other bytes: %v", err)
			}
			r.Confirmations = confirmAll(&out)
			other := slices.Clone(r.Confirmations)
			before := out.Verdict
			if err := core.CheckOrder(p, r, &again); err != nil {
				t.Fatal(err)
			}
			if want := map[matcher.OrderVerdict]matcher.OrderVerdict{matcher.OrderConfirm: matcher.OrderAllow}[before]; before == matcher.OrderConfirm && again.Verdict != want || before != matcher.OrderConfirm && again.Verdict != before {
				t.Fatalf("%s, all confirmed: %s, rejected %v", before, again.Verdict, again.Rejected)
			}
			for j := range other {
				misuse(b, &other[j])
			}
			r.Confirmations = other
			if err := core.CheckOrder(p, r, &again); err != nil || again.Verdict != before || len(again.Rejected) != len(other) {
				t.Fatalf("%s, other things confirmed: %s, rejected %v of %+v", before, again.Verdict, again.Rejected, other)
			}
		}
	}
	for v := range matcher.OrderAllow + 1 {
		if verdicts[v] < 10 {
			t.Errorf("only %d orders are %s: the test shows little", verdicts[v], v)
		}
	}
}

// misuse makes a confirmation one of something else.
func misuse(b *bank, c *matcher.GivenConfirmation) {
	switch b.rng.IntN(5) {
	case 0:
		c.ProductCode += "x"
	case 1:
		c.Grade = fund.R5 - c.Grade
	case 2:
		c.Level = fund.C5 - c.Level
	case 3:
		c.Amount--
	case 4:
		c.Rule = eligibility.W01
	}
}

// A larger amount never turns a blocked order into an allowed one, the minimum aside.
func TestALargerOrderIsNeverJudgedMoreMildly(t *testing.T) {
	b := newBank(77, 60)
	core := b.compile(t)
	rapid.Check(t, func(t *rapid.T) {
		p, r := someCheck(b, core, rapid.IntRange(0, 1000).Draw(t, "customer"))
		const least = 100_000_000 // above every minimum of the bank
		verdict := func(amount fund.Money) matcher.OrderVerdict {
			r.Amount = amount
			var out matcher.OrderCheck
			if err := core.CheckOrder(p, r, &out); err != nil {
				t.Fatal(err)
			}
			return out.Verdict
		}
		small := fund.Money(rapid.Int64Range(least, int64(fund.MaxMoney)).Draw(t, "small"))
		large := fund.Money(rapid.Int64Range(int64(small), int64(fund.MaxMoney)).Draw(t, "large"))
		if a, b := verdict(small), verdict(large); b > a {
			t.Fatalf("%d fen: %s, %d fen: %s", small, a, large, b)
		}
	})
}

func FuzzParseOrderCheck(f *testing.F) {
	s := newShop()
	s.request.ProductCode = "STOCKA"
	s.confirmed("w", eligibility.S03, overLevel, fund.R4)
	f.Add(s.check(f).AppendCanonical(nil))
	f.Add([]byte{0x40, 1})
	f.Add([]byte{0x40, 2})
	f.Add([]byte{2})
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := matcher.ParseOrderCheck(b)
		if err != nil {
			if !errors.Is(err, fund.ErrMalformed) && !errors.Is(err, fund.ErrNewerVersion) {
				t.Fatal(err)
			}
			return
		}
		again, err := matcher.ParseOrderCheck(out.AppendCanonical(nil))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(out, again, cmp.AllowUnexported(), cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".work" }, cmp.Ignore())); d != "" {
			t.Fatal(d)
		}
	})
}

// What was shown under a fund's own name, which is no product's, was shown in every class of
// that fund, and in none of another.
func TestAFundsOwnNameIsEveryClass(t *testing.T) {
	for _, c := range []struct {
		ordered string
		want    fund.Initiative
	}{{"STOCKA", fund.ByFirm}, {"STOCKC", fund.ByFirm}, {"BOND", fund.ByCustomer}} {
		s := newShop()
		s.exposed("F")
		s.request.ProductCode = c.ordered
		if got := s.check(t).Origin; got.Initiative != c.want {
			t.Errorf("%s: %+v", c.ordered, got)
		}
	}
}
