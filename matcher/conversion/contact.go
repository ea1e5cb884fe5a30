package conversion

import "github.com/fundmatch/fundmatch/matcher/fund"

// Contact says whether the customer may be contacted about products now, and if not,
// why and from when (rule A06). The zero value allows nothing.
type Contact struct {
	Allowed        bool
	Reason         ContactReason // why not; empty: allowed
	Remaining      int32         // contacts left within the window
	Cap            int32         // contacts within the window
	WindowDays     int32
	NotBefore      fund.Date // no contact before this day; 0: no day cures the reason, or none is needed
	LastOn         fund.Date // the last contact; 0: never
	OpenComplaints int32
}

// ContactReason is why a contact is not allowed.
type ContactReason string

// The reasons, strongest first.
const (
	ContactRefused   ContactReason = "REFUSED"
	ContactComplaint ContactReason = "COMPLAINT"
	ContactNoConsent ContactReason = "NO_CONSENT"
	ContactCap       ContactReason = "CAP"
	ContactQuiet     ContactReason = "QUIET"
)

// ContactLimits are the bank's. The zero value allows no contact.
type ContactLimits struct {
	Cap           int32 // contacts within the window
	WindowDays    int32 // counted as the next longer of 30, 90 and 365 days
	RefusalDays   int32 // how long a refusal holds that names no day
	ComplaintDays int32 // rest after an open complaint: no contact sooner than so many days from now
	QuietFrom     int32 // minute of the day from which nobody is called, Asia/Shanghai
	QuietUntil    int32 // minute of the day until which nobody is called; equal to QuietFrom: no quiet hours
}

// Allow says whether a contact is allowed at an instant. call is the consent
// fund.ConsentCall; Unknown is no consent.
func Allow(c *fund.Conduct, call fund.Answer, at fund.Instant, l *ContactLimits) Contact {
	return Contact{Cap: l.Cap, WindowDays: l.WindowDays}
}

// RefusedUntil returns the first day on which a refusal holds no more: the day that he
// named, else days after it; 0: no refusal.
func RefusedUntil(w fund.RefusalWord, days int32) fund.Date {
	return 0
}
