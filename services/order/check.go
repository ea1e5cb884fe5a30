package order

import (
	"context"
	"errors"
	"strconv"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/wording"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
)

// orderQuestion is an order as it is asked about.
type orderQuestion struct {
	customerID string
	ids        []string // of confirmations
	audience   wording.Audience
	request    matcher.OrderRequest
}

// maxTries bounds how often an order is judged again because a confirmation that it was
// going to use was used meanwhile: each time one fewer is left.
const maxTries = matcher.MaxGivenConfirmations + 1

// CheckOrder implements the RPC. The confirmations are bound to the decision first, then
// the decision is recorded, then it is answered. So of two orders that come together with
// one confirmation one is allowed, and a failure in between spends a confirmation for
// nothing rather than twice. Errors: *features.InvalidError, *features.NotFoundError,
// those of Core.CheckOrder, of the stores and of the log.
func (s *Service) CheckOrder(ctx context.Context, r *fundmatchv1.CheckOrderRequest) (*fundmatchv1.CheckOrderResponse, error) {
	asked, err := parseOrder(r)
	if err != nil {
		return nil, err
	}
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	for range maxTries {
		q, given, err := s.readOrder(ctx, &asked)
		if err != nil {
			return nil, err
		}
		var check matcher.OrderCheck
		if err := q.core.CheckOrder(q.profile, asked.request, &check); err != nil {
			return nil, err
		}
		view := presenter{question: q, audience: asked.audience}
		answer := view.order(&check, given, id)
		if view.err != nil {
			return nil, view.err
		}
		err = s.use(ctx, &check, id)
		if errors.Is(err, features.ErrConfirmationUsed) {
			continue // by another order, meanwhile
		}
		if err != nil {
			return nil, err
		}
		if err := s.record(ctx, id, &q, check.AppendCanonical(nil)); err != nil {
			return nil, err
		}
		return answer, nil
	}
	return nil, features.ErrConfirmationUsed
}

// use binds what the order uses to its decision, so that it serves no other.
func (s *Service) use(ctx context.Context, check *matcher.OrderCheck, decisionID string) error {
	if len(check.Uses) == 0 {
		return nil
	}
	return s.stores.Confirmations.Use(ctx, check.CustomerID, check.Uses, decisionID, check.Request.At)
}

// parseOrder checks every value of the request.
func parseOrder(r *fundmatchv1.CheckOrderRequest) (q orderQuestion, err error) {
	q = orderQuestion{customerID: r.GetCustomerId(), ids: r.GetConfirmations()}
	q.request = matcher.OrderRequest{ProductCode: r.GetProductCode(), Amount: fund.Money(r.GetAmountFen()), RecordingID: r.GetRecordingId()}
	if err := checkID("customerId", q.customerID); err != nil {
		return q, err
	}
	if err := checkID("productCode", q.request.ProductCode); err != nil {
		return q, err
	}
	if q.request.Amount < 1 || q.request.Amount > fund.MaxMoney {
		return q, features.Invalid("amountFen", strconv.FormatInt(r.GetAmountFen(), 10), "1 to "+strconv.FormatInt(int64(fund.MaxMoney), 10)+" fen")
	}
	if err := checkConfirmations(q.ids); err != nil {
		return q, err
	}
	if err := checkProof("recordingId", q.request.RecordingID); err != nil {
		return q, err
	}
	if q.request.Channel, err = parseChannel(r.GetChannel(), fund.App); err != nil {
		return q, err
	}
	q.audience, err = parseAudience(r.GetAudience(), wording.Customer)
	return q, err
}

func checkConfirmations(ids []string) error {
	if len(ids) > matcher.MaxGivenConfirmations {
		return features.Invalid("confirmations", strconv.Itoa(len(ids))+" ids", "at most "+strconv.Itoa(matcher.MaxGivenConfirmations))
	}
	for i, id := range ids {
		field := "confirmations[" + strconv.Itoa(i) + "]"
		if !isUUID(id) {
			return features.Invalid(field, id, "the id of a confirmation, a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057")
		}
		for _, before := range ids[:i] {
			if before == id {
				return features.Invalid(field, id, "each id once")
			}
		}
	}
	return nil
}

// readOrder reads what an order is judged by.
func (s *Service) readOrder(ctx context.Context, asked *orderQuestion) (question, []features.Confirmation, error) {
	q, err := s.ask(ctx, asked.customerID)
	if err != nil {
		return q, nil, err
	}
	r := &asked.request
	r.At = q.at
	if r.Licence, err = s.licence(ctx, &q, r.Channel); err != nil {
		return q, nil, err
	}
	given, err := s.confirmations(ctx, asked.customerID, asked.ids)
	if err != nil {
		return q, nil, err
	}
	r.Confirmations = make([]matcher.GivenConfirmation, len(given))
	for i := range given {
		r.Confirmations[i] = asGiven(&given[i])
	}
	return q, given, nil
}

// confirmations reads those of a customer; one that is not his is named.
func (s *Service) confirmations(ctx context.Context, customerID string, ids []string) ([]features.Confirmation, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	all, err := s.stores.Confirmations.Confirmations(ctx, customerID, ids)
	if !errors.Is(err, features.ErrNotFound) {
		return all, err
	}
	for _, id := range ids {
		if _, err := s.stores.Confirmations.Confirmations(ctx, customerID, []string{id}); errors.Is(err, features.ErrNotFound) {
			return nil, &features.NotFoundError{Kind: features.ConfirmationKind, ID: id}
		}
	}
	return nil, err
}

// asGiven is a kept confirmation in the words of the core.
func asGiven(c *features.Confirmation) matcher.GivenConfirmation {
	return matcher.GivenConfirmation{
		ID: c.ID,
		WarnedOf: matcher.WarnedOf{
			Rule: eligibility.RuleID(c.RuleID), Reason: c.Reason, ProductCode: c.ProductCode, Grade: c.Grade, Level: c.Level, Amount: c.Amount,
		},
		WordProof: matcher.WordProof{
			Channel: c.Channel, Trace: c.Trace, RecordingID: c.RecordingID, ManagerID: c.ManagerID, ReviewerID: c.ReviewerID,
		},
		AskedAt: c.AskedAt, ConfirmedAt: c.ConfirmedAt, ExpiresAt: c.ExpiresAt, Used: c.UsedBy != "",
	}
}
