package matcher

import (
	"slices"
	"time"

	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// settlement is one order whose findings are in, while they are settled.
type settlement struct {
	core    *Core
	check   *OrderCheck
	profile *fund.Profile
	place   int
	terms   eligibility.OrderTerms
	level   fund.RiskLevel
}

// settle writes down what the findings ask for, holds the given confirmations against it,
// and says the verdict.
func (s *settlement) settle() {
	for i := range s.check.Findings {
		f := &s.check.Findings[i]
		switch f.Outcome { //nolint:exhaustive // the others are told as findings only
		case eligibility.Confirm, eligibility.Review:
			s.require(f)
		case eligibility.Step:
			s.check.Steps = append(s.check.Steps, OrderStep{
				Rule: f.Rule, Code: f.Reason, Done: f.Done, Sentence: s.sentence(f.Rule, f.Reason, ""), Evidence: s.evidence(f.Rule, f.Reason, ""),
			})
		case eligibility.Disclose:
			s.check.Disclosures = append(s.check.Disclosures, OrderDisclosure{
				Rule: f.Rule, Code: f.Reason, Sentence: s.sentence(f.Rule, s.variant(f.Reason), ""), Evidence: s.evidence(f.Rule, s.variant(f.Reason), ""),
			})
		}
	}
	accepted := s.hear()
	s.check.Verdict = s.verdict()
	if s.check.Verdict == OrderAllow {
		s.check.Uses = append(s.check.Uses, accepted...)
	}
}

// variant is the reason in the words for a day that was reckoned without a calendar, and
// for a product of the bank's own.
func (s *settlement) variant(reason string) string {
	switch {
	case reason == "ACCEPTED_FOR_NEXT_OPEN_DAY" && s.check.Dealing.Calendar == conversion.AssumedCalendar:
		return reason + ".assumed"
	case reason == "NO_DEPOSIT" && s.core.products[s.place].Listing.Kind == fund.OwnProduct:
		return reason + ".own"
	}
	return reason
}

// require adds a requirement; a rule that says the same twice is confirmed once.
func (s *settlement) require(f *eligibility.OrderFinding) {
	if s.required(f.Rule, f.Reason) != nil {
		return
	}
	r := Requirement{
		WarnedOf: WarnedOf{
			Rule: f.Rule, Reason: f.Reason, ProductCode: s.check.Request.ProductCode, Grade: s.grade(), Level: s.level,
			Amount: s.check.Request.Amount,
		},
		Kind: f.Outcome, Sentence: s.sentence(f.Rule, f.Reason, otherWarning), Evidence: s.evidence(f.Rule, f.Reason, otherWarning),
	}
	if wait := s.wait(f.Rule, f.Reason); wait > 0 {
		r.NotBefore = s.check.Request.At.Add(wait) // unless he was asked before
	}
	s.check.Required = append(s.check.Required, r)
}

func (s *settlement) grade() fund.RiskGrade { return s.core.rules.Grade(&s.core.products[s.place]) }

// wait is the time to think between a warning and the order (S05, P01).
func (s *settlement) wait(rule eligibility.RuleID, reason string) time.Duration {
	switch {
	case rule == eligibility.S05:
		return time.Duration(s.terms.ThinkHours) * time.Hour
	case rule == eligibility.P01 && reason == "COOLING_OFF":
		return time.Duration(s.terms.CoolingHours) * time.Hour
	}
	return 0
}

func (s *settlement) required(rule eligibility.RuleID, reason string) *Requirement {
	i := slices.IndexFunc(s.check.Required, func(r Requirement) bool { return r.Rule == rule && r.Reason == reason })
	if i < 0 {
		return nil
	}
	return &s.check.Required[i]
}

func (s *settlement) step(rule eligibility.RuleID, code string) *OrderStep {
	i := slices.IndexFunc(s.check.Steps, func(x OrderStep) bool { return x.Rule == rule && x.Code == code })
	if i < 0 {
		return nil
	}
	return &s.check.Steps[i]
}

// hear holds each given confirmation against what is required, in the order given, and
// returns the ids of those that count. Why the others do not is told.
func (s *settlement) hear() (accepted []string) {
	given := s.check.Request.Confirmations
	for i := range given {
		c := &given[i]
		twice := slices.ContainsFunc(given[:i], func(x GivenConfirmation) bool { return x.ID == c.ID })
		why := RejectedTwice
		if !twice {
			why = s.hearOne(c)
		}
		if why != "" {
			s.check.Rejected = append(s.check.Rejected, RejectedConfirmation{ID: c.ID, Why: why})
			continue
		}
		accepted = append(accepted, c.ID)
	}
	s.trace()
	return accepted
}

// hearOne lets a confirmation meet the requirement, or do the step, that it is about; or
// says why it does not.
func (s *settlement) hearOne(c *GivenConfirmation) RejectionReason {
	requirement, step := s.required(c.Rule, c.Reason), s.step(c.Rule, c.Reason)
	switch {
	case c.Used:
		return RejectedUsed
	case c.ProductCode != s.check.Request.ProductCode:
		return RejectedProduct
	case requirement == nil && step == nil || c.Rule == eligibility.C04: // a recording and a trace are no words
		return RejectedNotRequired
	case requirement != nil && requirement.Met, requirement == nil && step.Done:
		return RejectedSurplus
	}
	if why := s.bound(c); why != "" {
		return why
	}
	if why := s.timely(c, requirement); why != "" {
		return why
	}
	if why := s.proven(c, requirement); why != "" {
		return why
	}
	if requirement != nil {
		requirement.Met = true
	} else {
		step.Done = true
	}
	return ""
}

// bound: what was confirmed is what is ordered: the product at this grade, by a customer of
// this level, up to this amount.
func (s *settlement) bound(c *GivenConfirmation) RejectionReason {
	switch {
	case c.Grade != s.grade():
		return RejectedGrade
	case c.Level != s.level:
		return RejectedLevel
	case c.Amount < s.check.Request.Amount:
		return RejectedAmount
	}
	return ""
}

// timely: asked, then confirmed, by now, and not too long ago; and the time to think is over.
func (s *settlement) timely(c *GivenConfirmation, requirement *Requirement) RejectionReason {
	at := s.check.Request.At
	switch {
	case c.AskedAt <= 0 || c.ConfirmedAt < c.AskedAt || c.ConfirmedAt > at:
		return RejectedTimes
	case at >= c.ExpiresAt || at >= c.ConfirmedAt.Add(OrderConfirmationLife):
		return RejectedExpired
	}
	ready := c.AskedAt.Add(s.wait(c.Rule, c.Reason))
	if requirement != nil && requirement.NotBefore != 0 {
		requirement.NotBefore = min(requirement.NotBefore, ready)
	}
	if at < ready {
		return RejectedTooEarly
	}
	return ""
}

// proven: a word spoken in a branch, or about an order there, has its recording and the
// manager who heard it; any other the trace of the signature. A review was decided by
// somebody else than the manager in charge.
func (s *settlement) proven(c *GivenConfirmation, requirement *Requirement) RejectionReason {
	branch := fund.Branch.String()
	switch inBranch := s.check.Request.Channel == fund.Branch || c.Channel == branch; {
	case inBranch && (c.RecordingID == "" || c.ManagerID == ""):
		return RejectedRecording
	case !inBranch && c.Trace == "":
		return RejectedTrace
	}
	if requirement != nil && requirement.Kind == eligibility.Review &&
		(c.ReviewerID == "" || c.ReviewerID == c.ManagerID || c.ReviewerID == s.profile.Person.ManagerID) {
		return RejectedReviewer
	}
	return ""
}

// trace: the electronic trace is there once everything required is confirmed with its own.
func (s *settlement) trace() {
	if step := s.step(eligibility.C04, "ELECTRONIC_TRACE"); step != nil {
		step.Done = s.met()
	}
	for i := range s.check.Findings {
		f := &s.check.Findings[i]
		if step := s.step(f.Rule, f.Reason); step != nil {
			f.Done = step.Done
		}
	}
}

func (s *settlement) met() bool {
	return !slices.ContainsFunc(s.check.Required, func(r Requirement) bool { return !r.Met })
}

func (s *settlement) verdict() OrderVerdict {
	excludes := func(f eligibility.OrderFinding) bool { return f.Outcome.Excludes() }
	switch {
	case slices.ContainsFunc(s.check.Findings, excludes):
		return OrderBlock
	case !s.met():
		return OrderConfirm
	default:
		return OrderAllow
	}
}
