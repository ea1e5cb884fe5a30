package conversion_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// limits: two contacts in 30 days, 90 days after a refusal, no
// calls from 20:00 to 9:00.
func limits() *conversion.ContactLimits {
	return &conversion.ContactLimits{Cap: 2, WindowDays: 30, RefusalDays: 90, QuietFrom: 20 * 60, QuietUntil: 9 * 60}
}

// Whether a contact is allowed on Wednesday, 2024-03-06, and from when.
func TestAllow(t *testing.T) {
	const noon = "2024-03-06T12:00:00+08:00"
	refused := func(at string, until fund.Date) func(c *fund.Conduct) {
		return func(c *fund.Conduct) { c.Refused = fund.RefusalWord{At: instantOf(at), Until: until} }
	}
	contacts := func(last fund.Date, in30, in90, in365 int32) func(c *fund.Conduct) {
		return func(c *fund.Conduct) {
			c.Contacts = fund.Activity{Last: last, Count30: in30, Count90: in90, Count365: in365}
		}
	}
	for name, c := range map[string]struct {
		at        string
		call      fund.Answer
		conduct   func(c *fund.Conduct)
		limits    func(l *conversion.ContactLimits)
		reason    conversion.ContactReason
		remaining int32
		notBefore fund.Date
	}{
		"nothing stands against it": {noon, fund.Yes, nil, nil, "", 2, 0},
		"no consent":                {noon, fund.No, nil, nil, "NO_CONSENT", 2, 0},
		"consent unknown":           {noon, fund.Unknown, nil, nil, "NO_CONSENT", 2, 0},

		"refused 89 days ago":                       {noon, fund.Yes, refused("2023-12-08T23:59:59+08:00", 0), nil, "REFUSED", 2, 20240307},
		"refused 90 days ago":                       {noon, fund.Yes, refused("2023-12-07T00:00:00+08:00", 0), nil, "", 2, 0},
		"refused until tomorrow":                    {noon, fund.Yes, refused("2022-12-07T00:00:00+08:00", 20240307), nil, "REFUSED", 2, 20240307},
		"refused until today, and within 90 days":   {noon, fund.Yes, refused("2024-03-01T00:00:00+08:00", 20240306), nil, "REFUSED", 2, 20240530},
		"refused until today, long ago":             {noon, fund.Yes, refused("2022-03-01T00:00:00+08:00", 20240306), nil, "", 2, 0},
		"refused, the day named was over":           {noon, fund.Yes, refused("2024-03-01T00:00:00+08:00", 20240301), nil, "REFUSED", 2, 20240530},
		"refused just now, the bank has no limit":   {noon, fund.Yes, refused(noon, 0), func(l *conversion.ContactLimits) { l.RefusalDays = 0 }, "REFUSED", 2, 20240307},
		"refused and no consent: the refusal's day": {noon, fund.No, refused("2024-03-01T00:00:00+08:00", 0), nil, "REFUSED", 2, 20240530},

		"a complaint is open": {noon, fund.Yes, func(c *fund.Conduct) { c.Complaints = 1 }, nil, "COMPLAINT", 2, 0},
		"a complaint after a refusal": {noon, fund.Yes, func(c *fund.Conduct) {
			c.Complaints = 2
			refused("2024-01-01T00:00:00+08:00", 20240310)(c)
		}, nil, "REFUSED", 2, 20240331},

		"one contact in the window":  {noon, fund.Yes, contacts(20240301, 1, 5, 9), nil, "", 1, 0},
		"two contacts in the window": {noon, fund.Yes, contacts(20240301, 2, 5, 9), nil, "CAP", 0, 20240331},
		"more than two":              {noon, fund.Yes, contacts(20240301, 3, 5, 9), nil, "CAP", 0, 20240331},
		"a cap of none":              {noon, fund.Yes, nil, func(l *conversion.ContactLimits) { l.Cap = 0 }, "CAP", 0, 0},
		"a cap of none, called before": {
			noon, fund.Yes, contacts(20240301, 1, 1, 1), func(l *conversion.ContactLimits) { l.Cap = 0 }, "CAP", 0, 0,
		},
		"a window of 31 days is 90":   {noon, fund.Yes, contacts(20240301, 0, 2, 9), func(l *conversion.ContactLimits) { l.WindowDays = 31 }, "CAP", 0, 20240530},
		"a window of 90 days":         {noon, fund.Yes, contacts(20240301, 0, 1, 9), func(l *conversion.ContactLimits) { l.WindowDays = 90 }, "", 1, 0},
		"a window of 91 days is 365":  {noon, fund.Yes, contacts(20240301, 0, 0, 2), func(l *conversion.ContactLimits) { l.WindowDays = 91 }, "CAP", 0, 20250301},
		"capped and without consent":  {noon, fund.No, contacts(20240301, 2, 2, 2), nil, "NO_CONSENT", 0, 20240331},
		"a minute before 9:00":        {"2024-03-06T08:59:59+08:00", fund.Yes, nil, nil, "QUIET", 2, 20240306},
		"9:00":                        {"2024-03-06T09:00:00+08:00", fund.Yes, nil, nil, "", 2, 0},
		"a minute before 20:00":       {"2024-03-06T19:59:59+08:00", fund.Yes, nil, nil, "", 2, 0},
		"20:00":                       {"2024-03-06T20:00:00+08:00", fund.Yes, nil, nil, "QUIET", 2, 20240307},
		"quiet over noon, before":     {"2024-03-06T11:59:00+08:00", fund.Yes, nil, overNoon, "", 2, 0},
		"quiet over noon":             {noon, fund.Yes, nil, overNoon, "QUIET", 2, 20240306},
		"quiet over noon, after":      {"2024-03-06T13:00:00+08:00", fund.Yes, nil, overNoon, "", 2, 0},
		"no quiet hours, at midnight": {"2024-03-06T00:00:00+08:00", fund.Yes, nil, func(l *conversion.ContactLimits) { l.QuietFrom, l.QuietUntil = 0, 0 }, "", 2, 0},
	} {
		in, l := &fund.Conduct{}, limits()
		if c.conduct != nil {
			c.conduct(in)
		}
		if c.limits != nil {
			c.limits(l)
		}
		got := conversion.Allow(in, c.call, instantOf(c.at), l)
		want := conversion.Contact{
			Allowed: c.reason == "", Reason: c.reason, Remaining: c.remaining, Cap: l.Cap, WindowDays: l.WindowDays,
			NotBefore: c.notBefore, LastOn: in.Contacts.Last, OpenComplaints: in.Complaints,
		}
		if got != want {
			t.Errorf("%s:\n%+v, want\n%+v", name, got, want)
		}
	}
}

func overNoon(l *conversion.ContactLimits) { l.QuietFrom, l.QuietUntil = 12*60, 13*60 }

// Nothing is allowed by default: without limits, and without a conduct that may be read.
func TestNothingIsAllowedByDefault(t *testing.T) {
	at := instantOf("2024-03-06T12:00:00+08:00")
	if got := conversion.Allow(&fund.Conduct{}, fund.Yes, at, &conversion.ContactLimits{}); got.Allowed || got.Reason != conversion.ContactCap {
		t.Errorf("without limits: %+v", got)
	}
	if got := conversion.Allow(nil, fund.Yes, at, limits()); got.Allowed || got.NotBefore != 0 {
		t.Errorf("without conduct: %+v", got)
	}
}

// A contact that is allowed is one without a refusal in force, a complaint, or a full
// window; and on the day it names, a reason that ends by itself has ended.
func TestAllowKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := instantOf("2024-03-06T12:00:00+08:00")
		in := &fund.Conduct{Complaints: rapid.Int32Range(0, 1).Draw(t, "complaints")}
		in.Contacts.Count30 = rapid.Int32Range(0, 3).Draw(t, "contacts")
		if in.Contacts.Count30 > 0 {
			in.Contacts.Last = at.Date().AddDays(-rapid.IntRange(0, 29).Draw(t, "last"))
		}
		if rapid.Bool().Draw(t, "refused") {
			in.Refused.At = at.Add(-hours(rapid.Int32Range(0, 3000).Draw(t, "hours ago")))
		}
		got := conversion.Allow(in, fund.Yes, at, limits())
		inForce := conversion.RefusedUntil(in.Refused, 90) > at.Date()
		if want := !inForce && in.Complaints == 0 && in.Contacts.Count30 < 2; got.Allowed != want {
			t.Fatalf("%+v, want %v", got, want)
		}
		if ends := inForce || in.Contacts.Count30 >= 2; ends != (got.NotBefore != 0) { // a complaint ends on no day
			t.Fatalf("%+v", got)
		}
		if got.NotBefore != 0 {
			later := got.NotBefore.Start().Add(hours(12))
			in.Complaints, in.Contacts.Count30 = 0, 0 // settled, and out of the window
			if again := conversion.Allow(in, fund.Yes, later, limits()); !again.Allowed {
				t.Fatalf("on %s still %+v", got.NotBefore, again)
			}
		}
	})
}
