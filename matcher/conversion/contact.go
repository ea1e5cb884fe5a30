package conversion

import "github.com/fundmatch/fundmatch/matcher/fund"

// Contact says whether the customer may be contacted about products now, and if not,
// why and from when (rule A06). The zero value allows nothing.
type Contact struct {
	Allowed        bool
	Reason         ContactReason // why not, the strongest reason; empty: allowed
	Remaining      int32         // contacts left within the window
	Cap            int32         // contacts within the window
	WindowDays     int32
	NotBefore      fund.Date // every reason that ends by itself has ended on this day; 0: none of them does
	LastOn         fund.Date // the last contact; 0: never
	OpenComplaints int32
}

// ContactReason is why a contact is not allowed.
type ContactReason string

// The reasons, strongest first.
const (
	ContactRefused   ContactReason = "REFUSED"
	ContactNotNow    ContactReason = "NOT_NOW" // he named a day to come
	ContactComplaint ContactReason = "COMPLAINT"
	ContactNoConsent ContactReason = "NO_CONSENT"
	ContactCap       ContactReason = "CAP"
	ContactQuiet     ContactReason = "QUIET"
)

// ContactLimits are the bank's. The zero value allows no contact.
type ContactLimits struct {
	Cap         int32 // contacts within the window
	WindowDays  int32 // counted as the next longer of 30, 90 and 365 days
	RefusalDays int32 // how long a refusal holds that names no day
	QuietFrom   int32 // minute of the day from which nobody is called, Asia/Shanghai
	QuietUntil  int32 // minute of the day until which nobody is called; equal to QuietFrom: no quiet hours
}

// Allow says whether a contact about products is allowed at an instant. consent
// is that to pushes in the app and to calls elsewhere; Unknown is none. Nothing follows a
// refusal or a complaint; of several reasons the strongest is named, and NotBefore holds
// for all. A conduct that may not be read (nil) allows nothing: it may hold a refusal.
func Allow(c *fund.Conduct, consent fund.Answer, at fund.Instant, l *ContactLimits) Contact {
	out := Contact{Cap: l.Cap, WindowDays: l.WindowDays, Reason: ContactNoConsent}
	if c == nil {
		return out
	}
	day := at.Date()
	used, kept := window(&c.Contacts, l.WindowDays)
	out.Remaining, out.LastOn, out.OpenComplaints = max(0, l.Cap-used), c.Contacts.Last, c.Complaints
	out.Reason = ""
	bar := func(why ContactReason, until fund.Date) {
		if out.Reason == "" {
			out.Reason = why
		}
		out.NotBefore = max(out.NotBefore, until)
	}
	if until := RefusedUntil(c.Refused, l.RefusalDays); until > day {
		bar(ContactRefused, until)
	}
	for i := range c.Doubts {
		if d := &c.Doubts[i]; d.Code == notNow && d.Until > day {
			bar(ContactNotNow, d.Until)
		}
	}
	if c.Complaints > 0 {
		bar(ContactComplaint, 0) // it ends when it is settled, on no day that is known
	}
	if consent != fund.Yes {
		bar(ContactNoConsent, 0)
	}
	if out.Remaining == 0 {
		// The days of the single contacts are not kept: when the last one has left the
		// window all have. A cap of none has no end.
		end := fund.Date(0)
		if l.Cap > 0 && c.Contacts.Last != 0 {
			end = c.Contacts.Last.AddDays(kept)
		}
		bar(ContactCap, end)
	}
	if quiet, until := l.quiet(at); quiet {
		bar(ContactQuiet, until)
	}
	out.Allowed = out.Reason == ""
	return out
}

// RefusedUntil returns the first day on which a refusal holds no more, as the gate reads
// it (A06): so many days after it, at least the next day, and not before the day that he
// named; 0: no refusal.
func RefusedUntil(w fund.RefusalWord, days int32) fund.Date {
	if w.At == 0 {
		return 0
	}
	return max(w.Until, w.At.Date().AddDays(int(max(1, days))))
}

// notNow is the doubt's code with which a customer names a day, as OBJECTION events bring it.
const notNow = "NOT_NOW"

// window counts the contacts of the window that was kept, and returns its length: where
// the bank's lies between two, the longer one, which never counts too few.
func window(a *fund.Activity, days int32) (count int32, kept int) {
	switch {
	case days <= 30:
		return a.Count30, 30
	case days <= 90:
		return a.Count90, 90
	default:
		return a.Count365, 365
	}
}

// quiet reports whether nobody is called at an instant, and the day on which that ends.
func (l *ContactLimits) quiet(at fund.Instant) (bool, fund.Date) {
	if l.QuietFrom == l.QuietUntil {
		return false, 0
	}
	minute := int32(at.SinceMidnight().Minutes())
	late, early := minute >= l.QuietFrom, minute < l.QuietUntil
	switch day := at.Date(); {
	case l.QuietFrom < l.QuietUntil: // within one day
		return late && early, day
	case late:
		return true, day.AddDays(1)
	default:
		return early, day
	}
}
