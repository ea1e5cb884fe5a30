package recommendation

import (
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
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
		Findings: v.findings(e.Findings), OrderFindings: v.findings(e.OrderFindings), Strongest: v.strongest(e.Strongest()),
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
	if first := out.GetStrongest(); first != nil && !e.Verdict.Permitted && out.GetExpectation() != nil {
		// Whether and why not comes before what the product could do for him.
		out.Expectation.Headline = first.GetCustomerText()
		if manager {
			out.Expectation.Headline = first.GetText()
		}
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

// findings tells which rules spoke, what follows, the way out, and the words that are his
// to read; facts, parameters and sources are the manager's.
func (v *presenter) findings(fs []eligibility.Finding) []*fundmatchv1.Finding {
	out := make([]*fundmatchv1.Finding, len(fs))
	for i := range fs {
		out[i] = wire.Finding(v.core, &fs[i], v.audience)
	}
	return out
}

// strongest presents what decides, to be said before everything else; nil: nothing keeps the
// product back.
func (v *presenter) strongest(f *eligibility.Finding) *fundmatchv1.Finding {
	if f == nil {
		return nil
	}
	one := []eligibility.Finding{*f}
	out := v.findings(one)
	if d, manager := v.desk(); manager {
		d.findings(one, out)
	}
	return out[0]
}
