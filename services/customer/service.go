// Package customer answers fundmatch.v1.CustomerService: what is known of one customer,
// with the age and state of every fact, and the bank's writes to it. It checks every
// value that comes in, turns it into bitemporal cells, and leaves truth to the store.
package customer

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
)

// Service implements fundmatchv1.CustomerServiceServer. Its methods return the typed
// errors of package features; the server's table gives them codes.
type Service struct {
	fundmatchv1.UnimplementedCustomerServiceServer
	profiles features.Profiles
	now      func() time.Time
	rules    func() (Rules, error)
	eraser   *Eraser // nil: none
	views    Views
}

// Rules are what the rule pack in force says of facts about customers. *matcher.Core has
// them.
type Rules interface {
	// AssessmentLimits is how many assessments count at most in a day and in twelve months
	// (S13); 0: any number.
	AssessmentLimits() (perDay, perYear int)
	// ForbidsTag reports whether no tag of a name may be kept (A09).
	ForbidsTag(name string) bool
}

// New returns the service over a store. now is the clock: what is written is known from
// now on, and the state of a fact is its state now. rules gives the rules in force; while it
// returns an error, what they govern is not written.
func New(profiles features.Profiles, now func() time.Time, rules func() (Rules, error), options ...Option) *Service {
	s := &Service{profiles: profiles, now: now, rules: rules, views: builtInViews}
	for _, add := range options {
		add(s)
	}
	return s
}

// GetCustomer returns the profile with the age and state of each cell; what the role of who
// will see it may not see is PURPOSE_DENIED. Errors:
// *features.InvalidError, *features.NotFoundError, what the store returns.
func (s *Service) GetCustomer(ctx context.Context, req *fundmatchv1.GetCustomerRequest) (*fundmatchv1.GetCustomerResponse, error) {
	id := req.GetCustomerId()
	if err := checkID("customerId", id); err != nil {
		return nil, err
	}
	role, err := parseRole(req.GetRole())
	if err != nil {
		return nil, err
	}
	at := fund.InstantOf(s.now())
	p, err := s.profiles.Profile(ctx, id, at)
	if err != nil {
		return nil, unknownCustomer(err, id)
	}
	return s.masked(ctx, answer(p, at), p, role, at)
}

// PutRiskAssessment records a risk assessment, unless it is one too many: an
// *AssessmentLimitError.
func (s *Service) PutRiskAssessment(ctx context.Context, req *fundmatchv1.PutRiskAssessmentRequest) (*fundmatchv1.PutRiskAssessmentResponse, error) {
	w, err := s.begin(ctx, fundmatchv1.CustomerService_PutRiskAssessment_FullMethodName, req)
	if err != nil {
		return nil, err
	}
	at, err := w.eventTime("assessedAt", req.GetAssessedAt())
	if err != nil {
		return nil, err
	}
	value, err := assessmentValue(req, at)
	if err != nil {
		return nil, err
	}
	if w.Guard, err = s.limitAssessments(at, req.GetRiskLevel()); err != nil {
		return nil, err
	}
	w.add(features.Cell{View: features.AssessmentView, Name: features.AssessedName, Value: value, EventAt: at})
	receipt, err := w.commit(ctx)
	return &fundmatchv1.PutRiskAssessmentResponse{Receipt: receipt}, err
}

// PutTags records tags; tags that are not named stay. A name that the rules forbid is a
// *ForbiddenTagError, and nothing is written.
func (s *Service) PutTags(ctx context.Context, req *fundmatchv1.PutTagsRequest) (*fundmatchv1.PutTagsResponse, error) {
	w, err := s.begin(ctx, fundmatchv1.CustomerService_PutTags_FullMethodName, req)
	if err != nil {
		return nil, err
	}
	tags := req.GetTags()
	if len(tags) < 1 || len(tags) > maxTagsPerCall {
		return nil, features.Invalid("tags", strconv.Itoa(len(tags))+" tags", "1 to "+strconv.Itoa(maxTagsPerCall)+" tags")
	}
	rules, err := s.rules()
	if err != nil {
		return nil, err
	}
	seen := make(map[string]bool, len(tags))
	for i, t := range tags {
		field := element("tags", i)
		if err := w.addTag(field, t); err != nil {
			return nil, err
		}
		if rules.ForbidsTag(t.GetName()) {
			return nil, &ForbiddenTagError{Field: field + ".name", Name: t.GetName()}
		}
		if seen[t.GetName()] {
			return nil, features.Invalid(field+".name", t.GetName(), "each name once")
		}
		seen[t.GetName()] = true
	}
	receipt, err := w.commit(ctx)
	if errors.Is(err, features.ErrInvalid) {
		err = s.tooManyTags(ctx, w, len(tags), err)
	}
	return &fundmatchv1.PutTagsResponse{Receipt: receipt}, err
}

// tooManyTags tells a write that would exceed a profile's limit from damage: what was
// written had passed every other check.
func (s *Service) tooManyTags(ctx context.Context, w *write, added int, refused error) error {
	p, err := s.profiles.Profile(ctx, w.CustomerID, w.RecordedAt)
	if err != nil || len(p.Tags)+added <= fund.MaxTags {
		return refused
	}
	return features.Invalid("tags", strconv.Itoa(added)+" tags beside "+strconv.Itoa(len(p.Tags))+" others",
		"at most "+strconv.Itoa(fund.MaxTags)+" tags a customer")
}

// DeleteTag removes a tag as of now (A03: he sees the tags that are used, GetCustomer, and
// deletes them). A tag that is not there leaves nothing changed.
func (s *Service) DeleteTag(ctx context.Context, req *fundmatchv1.DeleteTagRequest) (*fundmatchv1.DeleteTagResponse, error) {
	w, err := s.begin(ctx, fundmatchv1.CustomerService_DeleteTag_FullMethodName, req)
	if err != nil {
		return nil, err
	}
	if err := checkTagName("name", req.GetName()); err != nil {
		return nil, err
	}
	w.within(req.GetName())
	w.add(features.Cell{View: features.TagView, Name: req.GetName(), EventAt: w.RecordedAt, Tombstone: true})
	if w.Idempotency.Key == "" { // nothing to remember, so nothing needs to be written for a tag that is not there
		p, err := s.profiles.Profile(ctx, w.CustomerID, w.RecordedAt)
		if err != nil {
			return nil, unknownCustomer(err, w.CustomerID)
		}
		if !hasTag(p, req.GetName()) {
			return &fundmatchv1.DeleteTagResponse{Receipt: &fundmatchv1.Receipt{Revision: p.Revision}}, nil
		}
	}
	receipt, err := w.commit(ctx)
	return &fundmatchv1.DeleteTagResponse{Receipt: receipt}, err
}

// PutHoldings records all holdings as of an instant, in place of what was known before.
func (s *Service) PutHoldings(ctx context.Context, req *fundmatchv1.PutHoldingsRequest) (*fundmatchv1.PutHoldingsResponse, error) {
	w, err := s.begin(ctx, fundmatchv1.CustomerService_PutHoldings_FullMethodName, req)
	if err != nil {
		return nil, err
	}
	at, err := w.eventTime("eventAt", req.GetEventAt())
	if err != nil {
		return nil, err
	}
	value, err := holdingsValue(req, at)
	if err != nil {
		return nil, err
	}
	w.add(features.Cell{View: features.HoldingsView, Name: features.SnapshotName, Value: value, EventAt: at})
	receipt, err := w.commit(ctx)
	return &fundmatchv1.PutHoldingsResponse{Receipt: receipt}, err
}

// PutGoals records what the customer says that he wants: all three needs at once, so
// that an absent one is unknown from then on.
func (s *Service) PutGoals(ctx context.Context, req *fundmatchv1.PutGoalsRequest) (*fundmatchv1.PutGoalsResponse, error) {
	w, err := s.begin(ctx, fundmatchv1.CustomerService_PutGoals_FullMethodName, req)
	if err != nil {
		return nil, err
	}
	at, err := w.eventTime("eventAt", req.GetEventAt())
	if err != nil {
		return nil, err
	}
	n, err := needs(req)
	if err != nil {
		return nil, err
	}
	w.add(features.Cell{View: features.NeedsView, Name: features.GoalsName, Value: fund.JoinGoals(n.Goals), EventAt: at})
	w.add(features.Cell{View: features.NeedsView, Name: features.HorizonName, Value: strconv.Itoa(int(n.HorizonMonths)), EventAt: at})
	w.add(features.Cell{View: features.NeedsView, Name: features.LiquidityName, Value: n.Liquidity.String(), EventAt: at})
	receipt, err := w.commit(ctx)
	return &fundmatchv1.PutGoalsResponse{Receipt: receipt}, err
}

// PutPersonalization switches personalisation on or off, with immediate effect.
func (s *Service) PutPersonalization(ctx context.Context, req *fundmatchv1.PutPersonalizationRequest) (*fundmatchv1.PutPersonalizationResponse, error) {
	w, err := s.begin(ctx, fundmatchv1.CustomerService_PutPersonalization_FullMethodName, req)
	if err != nil {
		return nil, err
	}
	if req.Enabled == nil { // absent is no choice: a right is never switched by an omission
		return nil, features.Invalid("enabled", "", "true or false")
	}
	at, err := w.eventTime("eventAt", req.GetEventAt())
	if err != nil {
		return nil, err
	}
	w.add(features.Cell{View: features.PersonalizationView, Name: features.EnabledName, Value: strconv.FormatBool(req.GetEnabled()), EventAt: at})
	receipt, err := w.commit(ctx)
	return &fundmatchv1.PutPersonalizationResponse{Receipt: receipt}, err
}
