package wire

import (
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/wording"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
)

// Finding presents what everybody may read of a finding: which rule, what follows, the
// customer's words, and the way out in the words of its reader. Of a rule that a customer may
// not learn of he gets what follows and the words that give no reason.
func Finding(core *matcher.Core, f *eligibility.Finding, reader wording.Audience) *fundmatchv1.Finding {
	out := &fundmatchv1.Finding{Outcome: f.Outcome.String(), CustomerText: core.Words(f, wording.Customer).Text}
	if reader != wording.Manager && !f.Rule.Tellable() {
		return out
	}
	out.RuleId, out.Reason = string(f.Rule), f.Reason
	if code := f.Remedy.Code; code != "" && code != eligibility.RemedyNone {
		out.Remedy = &fundmatchv1.Remedy{Code: code, Text: core.Words(f, reader).Remedy, On: f.Remedy.On.String()}
	}
	return out
}

// FillFinding adds what only managers read: the rule's words, its source, and what it
// looked at.
func FillFinding(out *fundmatchv1.Finding, core *matcher.Core, f *eligibility.Finding) {
	words := core.Words(f, wording.Manager)
	out.Text, out.Change, out.Citation, out.SourceMark = words.Text, words.Change, f.Citation, int32(core.SourceMark(f))
	out.Facts = make([]string, len(f.Facts))
	for i, fact := range f.Facts {
		out.Facts[i] = fact.Name + "=" + fact.Value
	}
	out.Parameters = make([]*fundmatchv1.RuleParameter, len(f.Parameters))
	for i, p := range f.Parameters {
		out.Parameters[i] = &fundmatchv1.RuleParameter{Name: p.Name, Value: p.Value}
	}
}
