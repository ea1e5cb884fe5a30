package matcher_test

import (
	"slices"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// shanghai is the time of the rulebook's days.
var shanghai = time.FixedZone("CST", 8*60*60)

// midnight is the beginning of an instant's day, reckoned by the standard library.
func midnight(at fund.Instant) time.Time {
	y, m, d := at.Time().In(shanghai).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, shanghai)
}

// An exposure followed by an order is the firm's, and so is one that follows a word of the
// firm's: in whichever share class or by the fund's own name, from thirty days before the
// order's day to its very instant, whatever else he did or searched for, in whatever order
// the events arrived, and however much of the trail was pushed out. An order and the
// purchase of a switch have one origin.
func TestWhatTheFirmBroughtUpIsTheFirmsOrder(t *testing.T) {
	t.Parallel()
	n, own, cut := 0, 0, 0
	scenes(t, tries(t, 1_000, 20), 24, func(s *scene) {
		n++
		wanted := s.bank.products[s.bank.rng.IntN(len(s.bank.products))]
		from := fund.InstantOf(midnight(s.request.At).AddDate(0, 0, -30))
		events := append(s.bank.events(), s.searches(wanted.Code)...)
		events = slices.DeleteFunc(events, func(e fund.Event) bool { // what the firm did is added by hand
			return e.Kind == fund.Exposure || e.Kind == fund.Contact
		})
		quiet := s.origin(t, events, wanted.Code)
		if quiet.Initiative == fund.ByCustomer {
			own++
		}
		brought := fund.Event{
			Kind: pick(s.bank, fund.Exposure, fund.Contact), ProductCode: s.nameOf(&wanted), Channel: pick(s.bank, "APP", "BRANCH", "PUSH"),
			At: pick(s.bank, from, s.request.At, from+fund.Instant(s.bank.rng.Int64N(int64(s.request.At-from)+1))),
		}
		with := append(slices.Clone(events), brought)
		if got := s.origin(t, with, wanted.Code); got.Initiative != fund.ByFirm {
			t.Errorf("bank %d: an order of %s at %s after %+v is %+v", s.seed, wanted.Code, s.request.At, brought, got)
		}
		// The day before does not count, and nothing that comes after the order.
		for _, at := range []fund.Instant{from - 1, s.request.At + 1} {
			brought.At = at
			if got := s.origin(t, append(slices.Clone(events), brought), wanted.Code); got != quiet {
				t.Errorf("bank %d: an event at %s turns the order of %s from %+v to %+v", s.seed, at, s.request.At, quiet, got)
			}
		}
		if s.bank.one(40) {
			cut++
			s.checkCut(t, with, &wanted, from)
		}
	})
	if own < n/10 || cut < n/100 {
		t.Errorf("of %d orders %d would have been his own, %d trails were cut: hardly tried", n, own, cut)
	}
}

// checkCut floods the trail with later exposures or contacts of other funds, until what the
// firm brought up is pushed out: that it did not can no longer be shown.
func (s *scene) checkCut(t *testing.T, events []fund.Event, wanted *fund.Product, from fund.Instant) {
	t.Helper()
	for _, kind := range []fund.EventKind{fund.Exposure, fund.Contact} {
		for range behaviour.Kept(kind) + 1 {
			events = append(events, fund.Event{Kind: kind, ProductCode: "elsewhere", Channel: "APP", At: s.request.At})
		}
	}
	trail := behaviour.Of(events)
	left := slices.ContainsFunc(trail.Recent, func(e fund.Event) bool {
		return (e.Kind == fund.Exposure || e.Kind == fund.Contact) && e.At >= from && e.At < s.request.At && e.ProductCode != "elsewhere"
	})
	if got := s.origin(t, events, wanted.Code); got.Initiative != fund.ByFirm || !left && got.Reason != behaviour.TrailCut && got.Reason != behaviour.WasExposed && got.Reason != behaviour.WasContacted {
		t.Errorf("bank %d: an order of %s with a trail that was cut is %+v", s.seed, wanted.Code, got)
	}
}

// nameOf is one of the names of a product's fund: its own code, that of another share
// class, or the fund's.
func (s *scene) nameOf(wanted *fund.Product) string {
	names := []string{wanted.Code, wanted.FundCode(), ""} // and what is not named may be anything
	for i := range s.bank.products {
		if p := &s.bank.products[i]; p.FundCode() == wanted.FundCode() {
			names = append(names, p.Code)
		}
	}
	return pick(s.bank, names...)
}

// The fund's own name, under which no class of it is sold, is its name too: what was shown
// as the fund was shown in every class.
func TestWhatIsShownAsTheFundIsShownInEveryClass(t *testing.T) {
	t.Parallel()
	b := newBank(3, 12)
	b.products[0].ParentCode, b.products[1].ParentCode, b.products[2].ParentCode = "FUND", "FUND", ""
	core := b.compile(t)
	from, _ := core.Validity()
	s := scene{bank: b, core: core, profile: b.customer(0), request: matcher.Request{At: from + 1_000_000, Channel: fund.App}}
	for code, want := range map[string]fund.Initiative{
		b.products[0].Code: fund.ByFirm, b.products[1].Code: fund.ByFirm, b.products[2].Code: fund.ByCustomer,
	} {
		events := []fund.Event{
			{Kind: fund.Exposure, ProductCode: "FUND", Channel: "APP", At: s.request.At - 2},
			{Kind: fund.Click, ProductCode: code, Channel: "APP", About: behaviour.SearchPage, At: s.request.At - 1},
		}
		if got := s.origin(t, events, code); got.Initiative != want {
			t.Errorf("the order of %s after the fund was shown is %+v, want initiative %v", code, got, want)
		}
	}
}

// searches are his own ways to a product, most of them lately.
func (s *scene) searches(code string) []fund.Event {
	var events []fund.Event
	for range s.bank.rng.IntN(4) {
		events = append(events, fund.Event{
			Kind: pick(s.bank, fund.Click, fund.DetailView), ProductCode: code, Channel: "APP", About: behaviour.SearchPage,
			At: s.request.At - fund.Instant(s.bank.rng.Int64N(40*86_400_000_000)),
		})
	}
	return events
}

// origin asks both paths, with the events folded in by a random order.
func (s *scene) origin(t *testing.T, events []fund.Event, code string) behaviour.Origin {
	t.Helper()
	events = slices.Clone(events)
	s.bank.rng.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	p := *s.profile
	p.Trail = fund.Trail{}
	for i := range events {
		behaviour.Fold(&p.Trail, &events[i])
	}
	var check matcher.OrderCheck
	if err := s.core.CheckOrder(&p, matcher.OrderRequest{ProductCode: code, Amount: 1_000_000, At: s.request.At, Channel: s.request.Channel}, &check); err != nil {
		t.Fatal(err)
	}
	sold := s.bank.products[0].Code
	if sold == code {
		sold = s.bank.products[1].Code
	}
	var assessed matcher.SwitchAssessment
	if err := s.core.AssessSwitch(&p, matcher.SwitchRequest{SellCode: sold, BuyCode: code, At: s.request.At, Channel: s.request.Channel}, &assessed); err != nil {
		t.Fatal(err)
	}
	if assessed.Origin != check.Origin {
		t.Errorf("bank %d: the order of %s is %+v, the switch into it %+v", s.seed, code, check.Origin, assessed.Origin)
	}
	return check.Origin
}
