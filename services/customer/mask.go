package customer

import (
	"strings"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
)

// parseRole reads who will see the answer. PROGRAM is what the empty text says, so that it is
// no role of anybody.
func parseRole(text string) (view.Role, error) {
	role, err := view.ParseRole(text)
	if err != nil || text != "" && role == view.AnyRole {
		return 0, features.Invalid("role", text, "nothing, or one of MANAGER, APP, AUDITOR")
	}
	return role, nil
}

// mask takes from an answer what the role may not see, as the catalogue of views says: the
// cell stays in the list without value and times. Which features a cell has no name for in
// the catalogue nobody but the program may see.
func mask(out *fundmatchv1.GetCustomerResponse, p *fund.Profile, role view.Role, at fund.Instant) error {
	if role == view.AnyRole {
		return nil
	}
	refs := make([]view.Ref, len(out.GetCells()))
	for i, c := range out.GetCells() {
		refs[i] = refOf(c.GetName())
	}
	catalogue := view.Default()
	request := view.Request{At: at, Role: role}
	for len(refs) > 0 {
		n := min(len(refs), view.MaxColumns)
		plan, err := catalogue.Plan(refs[:n])
		if err != nil {
			return err
		}
		from := len(out.GetCells()) - len(refs)
		for i, found := range plan.Read(p, &request, nil) {
			if hidden(found.Status, role) {
				c := out.GetCells()[from+i]
				out.Cells[from+i] = &fundmatchv1.ProfileCell{Name: c.GetName(), Status: found.Status.String()}
			}
		}
		refs = refs[n:]
	}
	if role == view.Auditor {
		addSources(out, p)
	}
	return nil
}

// hidden reports whether a role sees nothing of a cell but its name. What is kept for a
// purpose that the customer did not agree to, or no longer does, a manager may not use; the
// customer himself sees what the bank keeps (A03), and who audits it does.
func hidden(s view.Status, role view.Role) bool {
	switch s {
	case view.PurposeDenied:
		return true
	case view.ConsentMissing, view.ConsentWithdrawn:
		return role == view.Manager
	default:
		return false
	}
}

// refOf returns the feature of a cell of the answer.
func refOf(name string) view.Ref {
	switch name {
	case "risk_level":
		return view.Ref{View: string(features.AssessmentView), Name: "level"}
	case "risk_level_predicted":
		return view.Ref{View: string(features.AssessmentView), Name: "predicted_level"}
	case features.GoalsName, features.HorizonName, features.LiquidityName:
		return view.Ref{View: string(features.NeedsView), Name: name}
	case "personalization":
		return view.Ref{View: string(features.PersonalizationView), Name: features.EnabledName}
	}
	if tag, ok := strings.CutPrefix(name, tagPrefix); ok {
		return view.Ref{View: string(features.TagView), Name: tag}
	}
	if attribute, ok := strings.CutPrefix(name, attributePrefix); ok {
		return view.Ref{View: string(features.AttributeView), Name: attribute}
	}
	return view.Ref{View: string(features.PersonView), Name: name}
}

// addSources tells an auditor where tags come from.
func addSources(out *fundmatchv1.GetCustomerResponse, p *fund.Profile) {
	sources := make(map[string]string, len(p.Tags))
	for i := range p.Tags {
		sources[tagPrefix+p.Tags[i].Name] = p.Tags[i].Source
	}
	for _, c := range out.GetCells() {
		if source := sources[c.GetName()]; source != "" {
			c.Source = &source
		}
	}
}
