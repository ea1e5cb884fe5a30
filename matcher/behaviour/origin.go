package behaviour

import "github.com/fundmatch/fundmatch/matcher/fund"

// SearchPage is the page (Event.About) of a CLICK or DETAIL_VIEW that came out of a search
// which the customer typed himself: his own way to the product. A list that the bank put
// together is no search, whatever he did to see it.
const SearchPage = "SEARCH"

// OriginReason says what shows whose initiative an order is.
type OriginReason string

// The reasons. All but OwnSearch are the firm's.
const (
	NotShown              OriginReason = "NOT_SHOWN"               // nothing shows that he came to it himself
	WasExposed            OriginReason = "EXPOSED"                 // the firm showed him the fund, or something that it did not name
	WasContacted          OriginReason = "CONTACTED"               // the firm spoke to him of the fund
	ContactedAboutUnknown OriginReason = "CONTACTED_ABOUT_UNKNOWN" // the firm spoke to him, of what is not on record
	TrailCut              OriginReason = "TRAIL_CUT"               // the trail does not reach back far enough to show that it did not
	OwnSearch             OriginReason = "OWN_SEARCH"              // he searched for the fund, and the firm had not brought it up
)

// Origin is whose initiative an order is, and what shows it. The zero value is the firm's.
type Origin struct {
	Initiative fund.Initiative
	Reason     OriginReason
	On         fund.Date // of the newest trace that shows it; 0: there is none
}

// OriginOf derives whose initiative an order at an instant is from what the bank has on
// record of the customer; what the caller says of it is not asked. ofFund tells the codes
// of the fund's share classes, which are one fund.
//
// It is the firm's when the firm showed or spoke of the fund within the days before the
// order (the day of the order and so many before it), of something that is not named, or
// where the trail no longer shows that it did not. It is the customer's own only when, in
// the same days and before the order, he came upon the fund by a search of his own.
// Otherwise it cannot be shown, and is the firm's (rulebook: initiative is derived, not
// believed).
func OriginOf(trail *fund.Trail, ofFund func(code string) bool, at fund.Instant, days int) Origin {
	from := at.Date().AddDays(-days).Start()
	var newest [originTraces]fund.Instant
	for i := len(trail.Recent) - 1; i >= 0 && trail.Recent[i].At >= from; i-- {
		if e := &trail.Recent[i]; e.At <= at {
			if t := traceOf(e, ofFund, at); newest[t] == 0 {
				newest[t] = e.At
			}
		}
	}
	for _, t := range [...]originTrace{exposedTrace, contactTrace, unnamedTrace} {
		if newest[t] != 0 {
			return Origin{Initiative: fund.ByFirm, Reason: firmReasons[t], On: newest[t].Date()}
		}
	}
	if isCut(trail, from) {
		return Origin{Initiative: fund.ByFirm, Reason: TrailCut}
	}
	if searched := newest[searchTrace]; searched != 0 {
		return Origin{Initiative: fund.ByCustomer, Reason: OwnSearch, On: searched.Date()}
	}
	return Origin{Initiative: fund.ByFirm, Reason: NotShown}
}

// originTrace is what one event says of an origin.
type originTrace uint8

const (
	noTrace originTrace = iota
	exposedTrace
	contactTrace
	unnamedTrace // a contact about no product on record
	searchTrace
	originTraces
)

var firmReasons = [originTraces]OriginReason{
	exposedTrace: WasExposed, contactTrace: WasContacted, unnamedTrace: ContactedAboutUnknown,
}

func traceOf(e *fund.Event, ofFund func(code string) bool, at fund.Instant) originTrace {
	unnamed := e.ProductCode == ""
	switch {
	case e.Kind == fund.Contact && unnamed:
		return unnamedTrace
	case e.Kind == fund.Exposure && unnamed:
		return exposedTrace
	case unnamed || !ofFund(e.ProductCode):
		return noTrace
	case e.Kind == fund.Exposure:
		return exposedTrace
	case e.Kind == fund.Contact:
		return contactTrace
	case (e.Kind == fund.Click || e.Kind == fund.DetailView) && e.About == SearchPage && e.At < at:
		return searchTrace
	}
	return noTrace
}

// isCut reports whether exposures or contacts since an instant may have left the trail.
func isCut(trail *fund.Trail, since fund.Instant) bool {
	for _, kind := range [...]fund.EventKind{fund.Exposure, fund.Contact} {
		if reach := Reach(trail, kind); reach != 0 && reach >= since {
			return true
		}
	}
	return false
}
