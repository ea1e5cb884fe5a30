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
	v.page.lay(s)
	out := &fundmatchv1.ExplainResponse{
		CustomerId: s.CustomerID, Product: wire.Product(v.core, e.Place), At: wire.Timestamp(s.Request.At),
		Verdict: verdict(e.Verdict), Permitted: e.Verdict.Permitted, OrderVerdict: verdict(e.OrderVerdict),
		Findings: v.findings(e.Findings), OrderFindings: v.findings(e.OrderFindings),
		Evidence: wire.Evidence(e.Evidence), Revisions: wire.Revisions(s.Identity), Personalized: e.Personal,
	}
	items := make([]*fundmatchv1.Item, len(s.Items))
	for i := range s.Items {
		items[i] = v.item(s, i, true)
	}
	v.page.finish()
	for _, it := range items {
		if it == nil {
			continue
		}
		out.Score, out.Contributions = it.GetScore(), it.GetContributions()
		out.Expectation, out.Objections, out.Conversion = it.GetExpectation(), it.GetObjections(), it.GetConversion()
	}
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

func (v *presenter) findings(fs []eligibility.Finding) []*fundmatchv1.Finding {
	out := make([]*fundmatchv1.Finding, len(fs))
	for i := range fs {
		f := &fs[i]
		if !v.forManager() {
			// Which rule spoke and what follows; its words and facts are the manager's.
			out[i] = &fundmatchv1.Finding{RuleId: string(f.Rule), Outcome: f.Outcome.String(), Reason: f.Reason}
			continue
		}
		facts := make([]fund.Evidence, len(f.Facts))
		names := make([]string, len(f.Facts))
		for j, fact := range f.Facts {
			facts[j], names[j] = factEvidence(fact), fact.Name+"="+fact.Value
		}
		rule := "rule." + string(f.Rule)
		out[i] = &fundmatchv1.Finding{
			RuleId: string(f.Rule), Outcome: f.Outcome.String(), Reason: f.Reason, Citation: f.Citation, Facts: names,
			Text:   v.firstThatFits(facts, rule+"."+f.Reason, rule+"."+f.Reason+".no_level", rule+"."+f.Reason+".no_grade"),
			Change: v.firstThatFits(facts, rule+".change"),
		}
		if out[i].GetText() == "" {
			v.sentence(&out[i].Text, "rule.unknown.reason", []fund.Evidence{{Field: "RULE", Text: string(f.Rule)}})
		}
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
