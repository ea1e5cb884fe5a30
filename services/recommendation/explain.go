package recommendation

import (
	"strconv"
	"strings"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/wire"
)

// explanation presents why and why not.
func (v *presenter) explanation(e *matcher.Explanation) *fundmatchv1.ExplainResponse {
	s := &e.Slate
	v.begin(s)
	out := &fundmatchv1.ExplainResponse{
		CustomerId: s.CustomerID, Product: wire.Product(v.core, e.Place), At: wire.Timestamp(s.Request.At),
		Verdict: verdict(e.Verdict), Permitted: e.Verdict.Permitted, OrderVerdict: verdict(e.OrderVerdict),
		Findings: findings(e.Findings), OrderFindings: findings(e.OrderFindings),
		Evidence: wire.Evidence(e.Evidence), Revisions: wire.Revisions(s.Identity), Personalized: e.Personal,
	}
	items := make([]*fundmatchv1.Item, len(s.Items))
	for i := range s.Items {
		items[i] = v.item(s, i, true)
	}
	d, manager := v.desk()
	for _, it := range items {
		if it == nil {
			continue
		}
		out.Score, out.Contributions = it.GetScore(), it.GetContributions()
		out.Expectation, out.Objections, out.Conversion = it.GetExpectation(), it.GetObjections(), it.GetConversion()
		if e.Verdict.Permitted || manager {
			// What may not be recommended to him is not praised to him either.
			out.Why = it.GetWhy()
		}
	}
	if manager {
		d.explanation(e, out)
	}
	out.Notices = v.notices(s)
	v.page.finish()
	for _, f := range e.Assumed {
		out.Assumed = append(out.Assumed, f.String())
	}
	return out
}

// verdict is the strongest outcome; what excludes nothing is PERMITTED.
func verdict(v eligibility.Verdict) string {
	switch {
	case v.Permitted && v.Outcome <= eligibility.Step:
		return "PERMITTED"
	default:
		return v.Outcome.String()
	}
}

// findings tells which rules spoke and what follows; their words and facts are the
// manager's.
func findings(fs []eligibility.Finding) []*fundmatchv1.Finding {
	out := make([]*fundmatchv1.Finding, len(fs))
	for i := range fs {
		f := &fs[i]
		out[i] = &fundmatchv1.Finding{RuleId: string(f.Rule), Outcome: f.Outcome.String(), Reason: f.Reason}
	}
	return out
}

// firstThatFits renders the first of the sentences that exists and whose slots the facts
// fill; "" when none does. A finding may lack a fact, so this is no error.
func (v *presenter) firstThatFits(facts []fund.Evidence, names ...string) string {
	for _, name := range names {
		if id, ok := v.core.Wording().ID(name); ok {
			if text, err := v.core.Wording().AppendEvidence(nil, id, facts); err == nil {
				return string(text)
			}
		}
	}
	return ""
}

// factEvidence reads a rule's fact, a text under a name, as what its name says it is.
func factEvidence(f eligibility.Fact) fund.Evidence {
	e := fund.Evidence{Field: strings.ToUpper(f.Name), Text: f.Value}
	n, err := strconv.ParseInt(f.Value, 10, 64)
	switch {
	case strings.HasSuffix(f.Name, "_days") && err == nil:
		e.Unit, e.Number, e.Text = fund.UnitDays, n, ""
	case strings.HasSuffix(f.Name, "_months") && err == nil:
		e.Unit, e.Number, e.Text = fund.UnitMonths, n, ""
	default:
		if day, err := fund.ParseDate(f.Value); err == nil && day != 0 {
			e.Unit, e.Number, e.Text = fund.UnitDate, int64(day), ""
		}
	}
	return e
}
