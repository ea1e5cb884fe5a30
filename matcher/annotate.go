package matcher

import (
	"slices"

	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

// annotate adds what speaks about the whole answer: how long it holds, notices, texts
// that must be shown.
func (c *Core) annotate(a *asking, out *Slate) {
	out.ValidUntil = c.validUntil(a, &out.work)
	c.noticeStanding(a, out)
	c.noticeQuestions(a, out)
	c.noticeData(a, out)
	c.disclose(out)
}

// validUntil is the first instant at which the clock alone may change the answer: the
// core's end, an expiry or birthday, the end of a tag, the dealing cutoff.
func (c *Core) validUntil(a *asking, w *work) fund.Instant {
	until := min(c.until, c.changes(a, w))
	if cutoff := a.request.At.Date().Start().Add(fund.Cutoff); a.request.At < cutoff {
		until = min(until, cutoff)
	}
	return until
}

func (c *Core) noticeStanding(a *asking, out *Slate) {
	switch {
	case out.Information && c.expiry(a) != 0:
		out.notice("RISK_ASSESSMENT_EXPIRED", "notice.RISK_ASSESSMENT_EXPIRED", string(conversion.StepRetest), fund.Evidence{
			Field: "EXPIRED_ON", Unit: fund.UnitDate, Number: int64(c.expiry(a)), AsOf: a.request.At.Date(), Source: "CUSTOMER",
		})
	case out.Information:
		out.notice("RISK_ASSESSMENT_REQUIRED", "notice.RISK_ASSESSMENT_REQUIRED", string(conversion.StepRetest))
	}
	switch {
	case out.Information:
		out.notice("NOT_PERSONALIZED", "notice.NOT_PERSONALIZED.information", "")
	case !out.Personal:
		out.notice("NOT_PERSONALIZED", "notice.NOT_PERSONALIZED", "")
	}
	silenced, unlicensed := c.noticeSilence(a, out), noticeLicence(a, out)
	if len(out.Items) == 0 && !silenced && !unlicensed {
		out.notice("NO_SUITABLE_PRODUCT", "notice.NO_SUITABLE_PRODUCT", string(conversion.StepTalk))
	}
	if _, known := a.profile.Person.AgeOn(a.request.At.Date()); !known && a.facts.Elder {
		out.notice("AGE_UNKNOWN", "notice.AGE_UNKNOWN", "")
	}
}

// noticeSilence tells the manager that the customer's own words leave nothing to offer him
// in the branch, and until when (A06).
func (c *Core) noticeSilence(a *asking, out *Slate) bool {
	r := &out.work.refusals
	if !r.Silent(a.request.Channel) {
		return false
	}
	day := a.request.At.Date()
	until := func(at fund.Instant) fund.Evidence {
		return fund.Evidence{Field: "UNTIL", Unit: fund.UnitDate, Number: int64(at.Date()), AsOf: day, Source: "CUSTOMER"}
	}
	if r.Every.Until != 0 {
		out.notice("CUSTOMER_REFUSED", "notice.CUSTOMER_REFUSED", "RESPECT_REFUSAL", until(r.Every.Until))
	}
	if r.Complaint.Until != 0 {
		out.notice("COMPLAINT_OPEN", "notice.COMPLAINT_OPEN", "SETTLE_COMPLAINT", until(r.Complaint.Until))
	}
	return true
}

// noticeLicence tells the branch that it has nobody who may sell to him (C03): that nothing
// suits him would be untrue. The customer is not told about the bank's people.
func noticeLicence(a *asking, out *Slate) bool {
	if a.request.Audience != wording.Manager {
		return false
	}
	for _, x := range out.Excluded {
		if x.ID == eligibility.C03 {
			out.notice("MANAGER_NOT_LICENSED", "notice.MANAGER_NOT_LICENSED", string(conversion.StepTalk))
			return true
		}
	}
	return false
}

func (c *Core) noticeQuestions(a *asking, out *Slate) {
	if !a.personal || !a.mustAsk {
		return
	}
	if a.wish.Question.String() == "HORIZON" {
		out.notice("HORIZON_UNKNOWN", "notice.HORIZON_UNKNOWN", string(conversion.StepAnswer))
		return
	}
	out.notice("GOAL_UNKNOWN", "notice.GOAL_UNKNOWN", string(conversion.StepAnswer))
}

// noticeData reports what the shown figures rest on: an assumed calendar, stale NAVs,
// gaps in them.
func (c *Core) noticeData(a *asking, out *Slate) {
	day := a.request.At.Date()
	assumed, doubtful, oldest := false, false, fund.Date(0)
	var gap *fund.Window
	for i := range out.Items {
		assumed = assumed || out.Items[i].Conversion.Calendar == conversion.AssumedCalendar
		r := &c.records[c.index[out.Items[i].Code]]
		if r.Observations > 0 && r.StaleDays > c.model.Settings.StaleDays && (oldest == 0 || r.Series.To < oldest) {
			oldest = r.Series.To
		}
		doubtful = doubtful || unclear(r)
		if len(r.Gaps) > 0 && gap == nil {
			gap = &r.Gaps[len(r.Gaps)-1]
		}
	}
	date := func(field string, d fund.Date) fund.Evidence {
		return fund.Evidence{Field: field, Unit: fund.UnitDate, Number: int64(d), AsOf: day, Source: "NAV"}
	}
	if assumed {
		out.notice("CALENDAR_ASSUMED", "notice.CALENDAR_ASSUMED", "")
	}
	if oldest != 0 {
		out.notice("PRODUCT_DATA_STALE", "notice.PRODUCT_DATA_STALE", "", date("AS_OF", oldest))
	}
	if doubtful {
		// The distance of accumulated and unit NAV drifts: they are not on one basis, and
		// returns computed from both may be off by the factor (docs/track.md, Limits).
		out.notice("NAV_BASIS_UNCLEAR", "notice.NAV_BASIS_UNCLEAR", "")
	}
	if gap != nil {
		out.notice("NAV_GAP", "notice.NAV_GAP", "", date("FROM", gap.From), date("TO", gap.To))
	}
}

// disclose lists the texts that must be shown: how the list came about and how to switch
// it off (A01, A02), that a fund is no deposit and not the bank's (C08), what past
// figures are worth (W05), a human (A04).
func (c *Core) disclose(out *Slate) {
	d := out.Disclosures
	if out.Personal {
		d = append(d, "disclosure.ALGORITHM", "disclosure.ALGORITHM.off")
	} else {
		d = append(d, "disclosure.ALGORITHM.not_personalized")
	}
	d = append(d, "disclosure.NOT_A_DEPOSIT")
	d = c.discloseIssuers(out, d)
	d = append(d, "disclosure.SUITABILITY", "disclosure.INDEPENDENT_DECISION")
	if out.showsPast() {
		d = append(d, objection.PastPerformance, "disclosure.SURVIVORS")
	}
	if out.shows("disclosure.NEW_ISSUE") {
		d = append(d, "disclosure.NEW_ISSUE")
	}
	d = append(d, "disclosure.HUMAN")
	out.Disclosures = d
}

// IssuerDisclosure is the text that names an issuer: it stands once in a slate and is
// shown for each issuer of its products (C08).
const IssuerDisclosure = "disclosure.ISSUER"

// discloseIssuers says who stands behind the products: their issuers by name, that the
// bank only distributes them, or that they are the bank's own.
func (c *Core) discloseIssuers(out *Slate, d []string) []string {
	named, unknown, own := false, false, false
	for i := range out.Items {
		p := &c.products[c.index[out.Items[i].Code]]
		switch {
		case p.Listing.Kind == fund.OwnProduct:
			own = true
		case p.Parties.Issuer == "":
			unknown = true
		default:
			named = true
		}
	}
	if named {
		d = append(d, IssuerDisclosure)
	}
	if unknown {
		d = append(d, "disclosure.ISSUER_UNKNOWN")
	}
	if own {
		d = append(d, "disclosure.OWN_PRODUCT")
	}
	return d
}

// shows reports whether a doubt that a disclosure belongs to is answered.
func (s *Slate) shows(disclosure string) bool {
	for i := range s.Items {
		for j := range s.Items[i].Objections {
			if s.Items[i].Objections[j].Discloses == disclosure {
				return true
			}
		}
	}
	return false
}

// showsPast reports whether a figure of the past is shown, of the product or of one that
// it is compared with (W05).
func (s *Slate) showsPast() bool {
	fromNAV := func(e fund.Evidence) bool { return e.Source == "NAV" }
	for i := range s.Items {
		for j := range s.Items[i].Objections {
			if slices.ContainsFunc(s.Items[i].Objections[j].Evidence, fromNAV) {
				return true
			}
		}
		for j := range s.Items[i].Matched {
			if slices.ContainsFunc(s.Items[i].Matched[j].Facts, fromNAV) {
				return true
			}
		}
	}
	return false
}

func (s *Slate) notice(code, sentence, task string, evidence ...fund.Evidence) {
	start := len(s.work.facts)
	s.work.facts = append(s.work.facts, evidence...)
	end := len(s.work.facts)
	s.Notices = append(s.Notices, Notice{Code: code, Sentence: sentence, Task: task, Evidence: s.work.facts[start:end:end]})
}
