package customer

import (
	"context"
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

// Views gives the catalogue of views that is in force at an instant.
type Views func(ctx context.Context, at fund.Instant) (*view.Catalogue, error)

// WithViews lets a bank's own catalogue say what a role may see. Without it the built-in one
// does.
func WithViews(v Views) Option { return func(s *Service) { s.views = v } }

// builtInViews are the views before a bank has put a catalogue in force.
func builtInViews(context.Context, fund.Instant) (*view.Catalogue, error) { return view.Default(), nil }

// masked is mask by the catalogue in force, which only an answer for a role needs.
func (s *Service) masked(ctx context.Context, out *fundmatchv1.GetCustomerResponse, p *fund.Profile, role view.Role, at fund.Instant) (*fundmatchv1.GetCustomerResponse, error) {
	if role == view.AnyRole {
		return out, nil
	}
	catalogue, err := s.views(ctx, at)
	if err != nil {
		return nil, err
	}
	if err := mask(out, catalogue, p, role, at); err != nil {
		return nil, err
	}
	return out, nil
}

// mask takes from an answer what the role may not see, as the catalogue of views says: the
// cell stays in the list without value and times. Which features a cell has no name for in
// the catalogue nobody but the program may see.
func mask(out *fundmatchv1.GetCustomerResponse, catalogue *view.Catalogue, p *fund.Profile, role view.Role, at fund.Instant) error {
	refs := make([]view.Ref, len(out.GetCells()))
	for i, c := range out.GetCells() {
		refs[i] = refOf(c.GetName())
	}
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
