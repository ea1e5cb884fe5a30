package behaviour_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// The order of these tests: 15 March 2024, 10:00.
const orderDay fund.Date = 20240315

var orderAt = orderDay.Start().Add(10 * time.Hour)

// fundF are the share classes of one fund.
func fundF(code string) bool { return code == "FA" || code == "FC" }

func daysBefore(n int) fund.Instant { return orderDay.AddDays(-n).Start().Add(9 * time.Hour) }

func TestOrigin(t *testing.T) {
	search := fund.Event{Kind: fund.Click, At: daysBefore(1), ProductCode: "FA", About: behaviour.SearchPage}
	seen := func(kind fund.EventKind, code string, at fund.Instant) fund.Event {
		return fund.Event{Kind: kind, ProductCode: code, At: at}
	}
	windowStart := orderDay.AddDays(-30).Start()
	for name, c := range map[string]struct {
		events []fund.Event
		want   behaviour.OriginReason
		on     fund.Date
	}{
		"nothing on record":                    {nil, behaviour.NotShown, 0},
		"his own search":                       {[]fund.Event{search}, behaviour.OwnSearch, 20240314},
		"a page opened out of a search":        {[]fund.Event{{Kind: fund.DetailView, At: daysBefore(2), ProductCode: "FA", About: "SEARCH"}}, behaviour.OwnSearch, 20240313},
		"a search for another class":           {[]fund.Event{{Kind: fund.Click, At: daysBefore(2), ProductCode: "FC", About: "SEARCH"}}, behaviour.OwnSearch, 20240313},
		"a search for another fund":            {[]fund.Event{{Kind: fund.Click, At: daysBefore(2), ProductCode: "G", About: "SEARCH"}}, behaviour.NotShown, 0},
		"a search for nothing named":           {[]fund.Event{{Kind: fund.Click, At: daysBefore(2), About: "SEARCH"}}, behaviour.NotShown, 0},
		"another page":                         {[]fund.Event{{Kind: fund.Click, At: daysBefore(2), ProductCode: "FA", About: "FEED"}}, behaviour.NotShown, 0},
		"an abandoned order out of a search":   {[]fund.Event{{Kind: fund.OrderStart, At: daysBefore(2), ProductCode: "FA", About: "SEARCH"}}, behaviour.NotShown, 0},
		"a search on the window's first day":   {[]fund.Event{{Kind: fund.Click, At: windowStart, ProductCode: "FA", About: "SEARCH"}}, behaviour.OwnSearch, 20240214},
		"a search before the window":           {[]fund.Event{{Kind: fund.Click, At: windowStart - 1, ProductCode: "FA", About: "SEARCH"}}, behaviour.NotShown, 0},
		"a search with the order":              {[]fund.Event{{Kind: fund.Click, At: orderAt, ProductCode: "FA", About: "SEARCH"}}, behaviour.NotShown, 0},
		"a search after the order":             {[]fund.Event{{Kind: fund.Click, At: orderAt + 1, ProductCode: "FA", About: "SEARCH"}}, behaviour.NotShown, 0},
		"exposed, then searched":               {[]fund.Event{seen(fund.Exposure, "FA", daysBefore(3)), search}, behaviour.WasExposed, 20240312},
		"searched, then exposed":               {[]fund.Event{search, seen(fund.Exposure, "FA", orderAt)}, behaviour.WasExposed, orderDay},
		"another class was exposed":            {[]fund.Event{seen(fund.Exposure, "FC", daysBefore(3)), search}, behaviour.WasExposed, 20240312},
		"another fund was exposed":             {[]fund.Event{seen(fund.Exposure, "G", daysBefore(3)), search}, behaviour.OwnSearch, 20240314},
		"something unnamed was exposed":        {[]fund.Event{seen(fund.Exposure, "", daysBefore(3)), search}, behaviour.WasExposed, 20240312},
		"exposed on the window's first day":    {[]fund.Event{seen(fund.Exposure, "FA", windowStart), search}, behaviour.WasExposed, 20240214},
		"exposed before the window":            {[]fund.Event{seen(fund.Exposure, "FA", windowStart-1), search}, behaviour.OwnSearch, 20240314},
		"exposed after the order":              {[]fund.Event{search, seen(fund.Exposure, "FA", orderAt+1)}, behaviour.OwnSearch, 20240314},
		"contacted about the fund":             {[]fund.Event{seen(fund.Contact, "FC", daysBefore(5)), search}, behaviour.WasContacted, 20240310},
		"contacted about another":              {[]fund.Event{seen(fund.Contact, "G", daysBefore(5)), search}, behaviour.OwnSearch, 20240314},
		"contacted about who knows what":       {[]fund.Event{seen(fund.Contact, "", daysBefore(5)), search}, behaviour.ContactedAboutUnknown, 20240310},
		"contacted about who knows, long past": {[]fund.Event{seen(fund.Contact, "", windowStart-1), search}, behaviour.OwnSearch, 20240314},
		"exposed and contacted":                {[]fund.Event{seen(fund.Contact, "FA", daysBefore(2)), seen(fund.Exposure, "FA", daysBefore(9))}, behaviour.WasExposed, 20240306},
	} {
		trail := behaviour.Of(c.events)
		got := behaviour.OriginOf(&trail, fundF, orderAt, 30)
		initiative := fund.ByFirm
		if c.want == behaviour.OwnSearch {
			initiative = fund.ByCustomer
		}
		if want := (behaviour.Origin{Initiative: initiative, Reason: c.want, On: c.on}); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

// A trail that no longer holds every exposure or contact of the window cannot show that the
// fund was not among them.
func TestACutTrailShowsNoOwnSearch(t *testing.T) {
	for _, kind := range []fund.EventKind{fund.Exposure, fund.Contact} {
		room := behaviour.Kept(kind)
		for name, c := range map[string]struct {
			events int
			oldest fund.Instant // of those kept
			want   behaviour.OriginReason
		}{
			"as many as it keeps":                   {room, daysBefore(2), behaviour.OwnSearch},
			"one more, all in the window":           {room + 1, daysBefore(2), behaviour.TrailCut},
			"one more, kept from its first instant": {room + 1, orderDay.AddDays(-30).Start(), behaviour.TrailCut},
			"one more, kept from before the window": {room + 1, orderDay.AddDays(-30).Start() - 1, behaviour.OwnSearch},
			"one more, all kept after the order":    {room + 1, orderAt + 1, behaviour.TrailCut},
		} {
			events := []fund.Event{{Kind: fund.Click, At: orderAt - 1, ProductCode: "FA", About: behaviour.SearchPage}}
			for i := range c.events {
				at := c.oldest + fund.Instant(i-(c.events-room))
				events = append(events, fund.Event{Kind: kind, ProductCode: "G", At: at})
			}
			trail := behaviour.Of(events)
			if got := behaviour.OriginOf(&trail, fundF, orderAt, 30); got.Reason != c.want {
				t.Errorf("%s, %s: %+v, want %s", kind, name, got, c.want)
			}
		}
	}
}

// An exposure of the fund in the window makes the order the firm's, whatever else happened;
// and no further exposure or contact ever makes an order of the firm's the customer's.
func TestExposuresOnlyTakeAway(t *testing.T) {
	at := rapid.Custom(func(t *rapid.T) fund.Instant {
		return orderAt - fund.Instant(rapid.Int64Range(-2*86_400_000_000, 40*86_400_000_000).Draw(t, "before"))
	})
	event := rapid.Custom(func(t *rapid.T) fund.Event {
		return fund.Event{
			Kind:        rapid.SampledFrom([]fund.EventKind{fund.Exposure, fund.Contact, fund.Click, fund.DetailView, fund.OrderStart}).Draw(t, "kind"),
			ProductCode: rapid.SampledFrom([]string{"FA", "FC", "G", ""}).Draw(t, "code"),
			About:       rapid.SampledFrom([]string{"", "SEARCH", "SEARCH", "FEED"}).Draw(t, "page"), At: at.Draw(t, "at"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(event, 0, 12).Draw(t, "events")
		before := behaviour.Of(events)
		was := behaviour.OriginOf(&before, fundF, orderAt, 30)
		more := event.Draw(t, "more")
		more.Kind = rapid.SampledFrom([]fund.EventKind{fund.Exposure, fund.Contact}).Draw(t, "firm's")
		after := behaviour.Of(append(events, more))
		is := behaviour.OriginOf(&after, fundF, orderAt, 30)
		if was.Initiative == fund.ByFirm && is.Initiative == fund.ByCustomer {
			t.Fatalf("%+v turned %+v into %+v", more, was, is)
		}
		inWindow := more.At <= orderAt && more.At >= orderDay.AddDays(-30).Start()
		if inWindow && more.ProductCode != "G" && is.Initiative != fund.ByFirm {
			t.Fatalf("after %+v: %+v", more, is)
		}
	})
}
