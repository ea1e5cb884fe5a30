package eligibility

import "github.com/fundmatch/fundmatch/matcher/fund"

// Refusals is what a customer does not want to be offered, as of an instant (A06): what
// has ended by then is not in it. It stands beside Facts and not in them, because facts
// stay small and comparable. nil and the zero value are none.
type Refusals struct {
	Funds []Refused // refused funds, each once
	// Every is a refusal that named no product, Complaint an open complaint. Outside the
	// app both hide everything; in the app his own feed goes on.
	Every, Complaint Refused
	// Until is the first later instant at which any of this changes by the clock alone;
	// fund.Forever: never. 0 in the zero value, which nobody read off a profile.
	Until fund.Instant
}

// Refused is one word of the customer's that is still to be kept. Until 0: none.
type Refused struct {
	Fund  int32        // as the gate numbers funds; of Funds only
	On    fund.Date    // the day on which he said it
	Until fund.Instant // the first instant at which it no longer hides anything
}

// silence are A06's parameters.
type silence struct {
	RefusalDays       int
	ComplaintDays     int
	ContactCap        int
	ContactWindowDays int
}

func (s silence) install(e *Edition) { e.silence = s }

// readSilence: how long a word holds is the bank's to set, not whether it holds; so each
// has a floor.
func readSilence(in *reader) setting {
	return silence{
		RefusalDays:       in.number("refusal_days", 30, 1095),
		ComplaintDays:     in.number("complaint_days", 30, 1095),
		ContactCap:        in.number("contact_cap", 1, 31),
		ContactWindowDays: in.number("contact_window_days", 7, 365),
	}
}

// nothingFollows (A06) asks about the customer's own words, product by product, which no
// key of Facts holds: Gate.refuse and Gate.judgeRefusals speak for it.
func nothingFollows(*Edition, fund.Date) []part { return nil }

// Refusals reads off a profile's trail what A06 keeps from him at an instant, into dst,
// whose buffers are used again. It does not allocate once they have grown.
func (g *Gate) Refusals(p *fund.Profile, at fund.Instant, dst *Refusals) {
	*dst = Refusals{Funds: dst.Funds[:0], Until: fund.Forever}
}
