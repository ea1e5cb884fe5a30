package wire

import (
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/wording"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
)

// The states of a product's admission to the pool.
const (
	Admitted     = "ADMITTED"
	InQuarantine = "QUARANTINED" // in the pool, and neither recommended nor sold
)

// Quarantined presents every product of a core that breaks a rule of admission, by code, with
// the rules that it breaks in the pack's order; nil: there is none.
func Quarantined(core *matcher.Core) []*fundmatchv1.QuarantineFinding {
	var out []*fundmatchv1.QuarantineFinding
	for _, place := range core.Quarantined() {
		out = append(out, Quarantine(core, place)...)
	}
	return out
}

// Quarantine presents what keeps the product at a place in quarantine; nil: it is admitted.
func Quarantine(core *matcher.Core, place int) []*fundmatchv1.QuarantineFinding {
	findings := core.Admission(place)
	out := make([]*fundmatchv1.QuarantineFinding, 0, len(findings))
	for i := range findings {
		f := &findings[i]
		m := &fundmatchv1.QuarantineFinding{
			ProductCode: core.Product(place).Code, RuleId: string(f.Rule), Reason: f.Reason,
			Text: core.Words(f, wording.Manager).Text, Until: f.Remedy.On.String(),
		}
		for _, fact := range f.Facts {
			m.Facts = append(m.Facts, fact.Name+"="+fact.Value)
		}
		for _, p := range f.Parameters {
			m.Parameters = append(m.Parameters, p.Name+"="+p.Value)
		}
		out = append(out, m)
	}
	return out
}
