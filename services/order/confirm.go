package order

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/decisionlog"
	"github.com/fundmatch/fundmatch/services/wire"
)

// maxProof bounds a trace and a recording's id, in characters.
const maxProof = fund.MaxTextLength

// word is what somebody says to the questions of one order check.
type word struct {
	customerID, decisionID string
	items                  []*fundmatchv1.ConfirmedItem
	channel                fund.Channel
	proof                  matcher.WordProof
}

// RecordConfirmations implements the RPC. What is confirmed is read from the record of the
// order check that asked, never from the caller: product, grade, level, amount and the
// instant of the question. A question has one answer, whose id follows from it, so that a
// call may be sent again and never makes two confirmations of one word. Errors:
// *features.InvalidError, *features.NotFoundError, ErrNotAsked, ErrAlreadyConfirmed,
// ErrQuestionExpired, those of the stores and of the log.
func (s *Service) RecordConfirmations(ctx context.Context, r *fundmatchv1.RecordConfirmationsRequest) (*fundmatchv1.RecordConfirmationsResponse, error) {
	w, err := parseWord(r)
	if err != nil {
		return nil, err
	}
	check, err := s.asking(ctx, &w)
	if err != nil {
		return nil, err
	}
	words, err := s.words(ctx, &w, check)
	if err != nil {
		return nil, err
	}
	kept, err := s.keep(ctx, w.customerID, words)
	if err != nil {
		return nil, err
	}
	out := &fundmatchv1.RecordConfirmationsResponse{Confirmations: make([]*fundmatchv1.RecordedConfirmation, len(kept))}
	for i := range kept {
		c := &kept[i]
		out.Confirmations[i] = &fundmatchv1.RecordedConfirmation{
			Id: c.ID, RuleId: c.RuleID, Reason: c.Reason, ProductCode: c.ProductCode, RiskGrade: c.Grade.String(),
			RiskLevel: c.Level.String(), AmountFen: int64(c.Amount), ConfirmedAt: wire.Timestamp(c.ConfirmedAt),
			ExpiresAt: wire.Timestamp(c.ExpiresAt), UsedBy: c.UsedBy,
		}
	}
	return out, nil
}

// parseWord checks every value of the request but what the record must say.
func parseWord(r *fundmatchv1.RecordConfirmationsRequest) (w word, err error) {
	w = word{customerID: r.GetCustomerId(), decisionID: r.GetDecisionId(), items: r.GetItems()}
	if err := checkID("customerId", w.customerID); err != nil {
		return w, err
	}
	if !isUUID(w.decisionID) {
		return w, features.Invalid("decisionId", w.decisionID, "the decisionId of an order check, a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057")
	}
	if n := len(w.items); n < 1 || n > features.MaxConfirmations {
		return w, features.Invalid("items", strconv.Itoa(n)+" items", "1 to "+strconv.Itoa(features.MaxConfirmations))
	}
	for i, it := range w.items {
		for _, before := range w.items[:i] {
			if before.GetRuleId() == it.GetRuleId() && before.GetReason() == it.GetReason() {
				return w, features.Invalid("items["+strconv.Itoa(i)+"]", it.GetRuleId()+" "+it.GetReason(), "each rule and reason once")
			}
		}
	}
	if w.channel, err = parseChannel(r.GetChannel(), fund.App); err != nil {
		return w, err
	}
	w.proof = matcher.WordProof{
		Channel: w.channel.String(), Trace: r.GetTrace(), RecordingID: r.GetRecordingId(), ManagerID: r.GetManagerId(), ReviewerID: r.GetReviewerId(),
	}
	err = w.checkProof()
	return w, err
}

// checkProof checks the form of the proof; what of it is needed depends on the question.
func (w *word) checkProof() error {
	if err := checkProof("trace", w.proof.Trace); err != nil {
		return err
	}
	if err := checkProof("recordingId", w.proof.RecordingID); err != nil {
		return err
	}
	for _, id := range [...]struct{ field, value string }{{"managerId", w.proof.ManagerID}, {"reviewerId", w.proof.ReviewerID}} {
		if id.value != "" {
			if err := checkID(id.field, id.value); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkProof refuses what no store may keep as proof; an empty text is none.
func checkProof(field, text string) error {
	if utf8.ValidString(text) && utf8.RuneCountInString(text) <= maxProof && strings.IndexFunc(text, unicode.IsControl) < 0 {
		return nil
	}
	return features.Invalid(field, strings.ToValidUTF8(text, "\uFFFD"), "at most "+strconv.Itoa(maxProof)+" characters without control characters")
}

// asking reads the order check that the word answers. That it asked is proven by its
// record, not believed.
func (s *Service) asking(ctx context.Context, w *word) (*matcher.OrderCheck, error) {
	unknown := &features.NotFoundError{Kind: features.DecisionKind, ID: w.decisionID}
	stored, err := s.stores.Records.Find(ctx, w.decisionID)
	switch {
	case errors.Is(err, decisionlog.ErrNotFound), errors.Is(err, decisionlog.ErrInvalid), errors.Is(err, fs.ErrNotExist):
		return nil, unknown
	case err != nil:
		return nil, err
	case stored.CustomerID != w.customerID:
		return nil, unknown // nobody is told of another's decisions
	case matcher.KindOf(stored.Payload) != matcher.OrderAnswer:
		return nil, fmt.Errorf("%w: decision %s is no order check", ErrNotAsked, w.decisionID)
	}
	check, err := matcher.ParseOrderCheck(stored.Payload)
	if err != nil {
		return nil, fmt.Errorf("decision %s: %w", w.decisionID, err)
	}
	if check.Verdict == matcher.OrderBlock { // whatever is confirmed, it cannot be placed
		return nil, fmt.Errorf("%w: decision %s answered %s", ErrNotAsked, w.decisionID, check.Verdict)
	}
	return check, nil
}

// words makes one confirmation of each item.
func (s *Service) words(ctx context.Context, w *word, check *matcher.OrderCheck) ([]features.Confirmation, error) {
	askedAt := check.Request.At
	now, expires := max(fund.InstantOf(s.config.Now()), askedAt), askedAt.Add(matcher.OrderConfirmationLife)
	if now >= expires {
		return nil, fmt.Errorf("%w: asked at %s", ErrQuestionExpired, askedAt)
	}
	out := make([]features.Confirmation, len(w.items))
	for i, it := range w.items {
		q, ok := asked(check, it)
		if !ok {
			return nil, fmt.Errorf("%w: %.64q %.64q", ErrNotAsked, it.GetRuleId(), it.GetReason())
		}
		if err := s.prove(ctx, w, q.review, now); err != nil {
			return nil, err
		}
		c := features.Confirmation{
			ID: confirmationID(w.decisionID, it), CustomerID: w.customerID, RuleID: string(q.Rule), Reason: q.Reason,
			ProductCode: q.ProductCode, Grade: q.Grade, Level: q.Level, Amount: q.Amount, DecisionID: w.decisionID,
			Channel: w.proof.Channel, Trace: w.proof.Trace, RecordingID: w.proof.RecordingID, ManagerID: w.proof.ManagerID,
			AskedAt: askedAt, ConfirmedAt: now, ExpiresAt: expires,
		}
		if q.review {
			c.ReviewerID = w.proof.ReviewerID
		}
		out[i] = c
	}
	return out, nil
}

// open is one question or step of an order check that can be answered.
type open struct {
	matcher.WarnedOf
	review bool
}

// asked finds what an item answers: a warning that is not confirmed yet, a review, or a step
// that is done by his word; not the steps that are themselves proof (C04). Not ok: the check
// did not ask for it.
func asked(check *matcher.OrderCheck, it *fundmatchv1.ConfirmedItem) (open, bool) {
	for i := range check.Required {
		if q := &check.Required[i]; !q.Met && string(q.Rule) == it.GetRuleId() && q.Reason == it.GetReason() {
			return open{q.WarnedOf, q.Kind == eligibility.Review}, true
		}
	}
	for i := range check.Steps {
		x := &check.Steps[i]
		if !x.Done && x.Rule != eligibility.C04 && string(x.Rule) == it.GetRuleId() && x.Code == it.GetReason() {
			return open{subject(check, x), false}, true
		}
	}
	return open{}, false
}

// subject is what the word on a step is bound to: as a warning of the same check would be.
func subject(check *matcher.OrderCheck, x *matcher.OrderStep) matcher.WarnedOf {
	out := matcher.WarnedOf{Rule: x.Rule, Reason: x.Code, ProductCode: check.Request.ProductCode, Amount: check.Request.Amount}
	for i := range check.Facts {
		switch f := &check.Facts[i]; f.Field {
		case "GRADE":
			out.Grade, _ = fund.ParseRiskGrade(f.Text) // unknown where it does not parse, and then no store keeps it
		case "LEVEL":
			out.Level, _ = fund.ParseRiskLevel(f.Text)
		}
	}
	return out
}

// prove asks for the proof that a word needs: in a branch the recording and the manager,
// elsewhere the trace of the signature (C04); of a review also who decided, and that he is
// neither that manager nor the one in charge.
func (s *Service) prove(ctx context.Context, w *word, review bool, now fund.Instant) error {
	p := &w.proof
	if w.channel == fund.Branch {
		if p.RecordingID == "" {
			return features.Invalid("recordingId", "", "the id of the recording in the branch")
		}
		if p.ManagerID == "" {
			return features.Invalid("managerId", "", "the manager before whom it was said")
		}
	} else if p.Trace == "" {
		return features.Invalid("trace", "", "the trace of the electronic signature")
	}
	for _, id := range [...]string{p.ManagerID, p.ReviewerID} {
		// Named, though nothing asked for them, they are kept as evidence all the same.
		if id == "" {
			continue
		}
		if err := s.known(ctx, id); err != nil {
			return err
		}
	}
	if !review {
		return nil
	}
	profile, err := s.profile(ctx, w.customerID, now)
	if err != nil {
		return err
	}
	if p.ReviewerID == "" || p.ReviewerID == p.ManagerID || p.ReviewerID == profile.Person.ManagerID {
		return features.Invalid("reviewerId", p.ReviewerID, "who decided the review, and not the manager in charge of the customer")
	}
	return nil
}

// known asks that somebody is one of the bank's people.
func (s *Service) known(ctx context.Context, managerID string) error {
	unknown := &features.NotFoundError{Kind: features.ManagerKind, ID: managerID}
	if s.stores.Staff == nil {
		return unknown
	}
	if _, err := s.stores.Staff.Manager(ctx, managerID); !errors.Is(err, features.ErrNotFound) {
		return err
	}
	return unknown
}

// keep writes the words that are new, all or none, and returns all as they are kept.
func (s *Service) keep(ctx context.Context, customerID string, words []features.Confirmation) ([]features.Confirmation, error) {
	missing, err := s.missing(ctx, customerID, words)
	if err != nil || len(missing) == 0 {
		return words, err
	}
	err = s.stores.Confirmations.Confirm(ctx, missing)
	if errors.Is(err, features.ErrInvalid) {
		// The same word came twice at once, and the other call was first.
		if missing, err2 := s.missing(ctx, customerID, words); err2 != nil || len(missing) == 0 {
			return words, err2
		}
	}
	if errors.Is(err, features.ErrNotFound) {
		return nil, &features.NotFoundError{Kind: features.CustomerKind, ID: customerID}
	}
	return words, err
}

// missing returns the words that are not kept yet, and puts those that are in their place.
func (s *Service) missing(ctx context.Context, customerID string, words []features.Confirmation) (out []features.Confirmation, err error) {
	for i := range words {
		w := &words[i]
		kept, err := s.stores.Confirmations.Confirmations(ctx, customerID, []string{w.ID})
		switch {
		case errors.Is(err, features.ErrNotFound):
			out = append(out, *w)
		case err != nil:
			return nil, err
		default:
			said := kept[0]
			w.ConfirmedAt = said.ConfirmedAt // when it was said first
			if !said.SameWord(w) {
				return nil, fmt.Errorf("%w: %s %s", ErrAlreadyConfirmed, w.RuleID, w.Reason)
			}
			*w = said
		}
	}
	return out, nil
}

// confirmationID makes the id of the answer to a question: a UUIDv7 of the time of the
// decision that asked, whose other bits follow from decision, rule and reason.
func confirmationID(decisionID string, it *fundmatchv1.ConfirmedItem) string {
	id, err := uuid.Parse(decisionID)
	if err != nil {
		return "" // parseWord has refused it
	}
	sum := sha256.Sum256([]byte("confirmation\x00" + decisionID + "\x00" + it.GetRuleId() + "\x00" + it.GetReason()))
	copy(id[6:], sum[:])
	id[6], id[8] = 0x70|id[6]&0x0f, 0x80|id[8]&0x3f
	return id.String()
}

// isUUID accepts the canonical text of a UUID.
func isUUID(text string) bool {
	id, err := uuid.Parse(text)
	return err == nil && id.String() == text
}
