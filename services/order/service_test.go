package order_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/dataset/synthetic"
	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/decisionlog"
	"github.com/fundmatch/fundmatch/services/engine"
	"github.com/fundmatch/fundmatch/services/event"
	"github.com/fundmatch/fundmatch/services/order"
)

// customerID has a valid C3; amount is one that his means bear.
const (
	customerID = "DEMO-0002-STEADY-C3"
	amount     = 500_000
)

// bank is a synthetic bank behind the service, with a clock that tests move.
type bank struct {
	*order.Service
	store  *memory.Store
	engine *engine.Engine
	log    *failingLog
	events *event.Service
	now    time.Time
	above  string // a product on sale above his level
}

// failingLog refuses records while it is full.
type failingLog struct {
	*decisionlog.Log
	full bool
}

func (l *failingLog) Append(ctx context.Context, r decisionlog.Record) error {
	if l.full {
		return decisionlog.ErrFull
	}
	return l.Log.Append(ctx, r)
}

func open(t *testing.T) *bank {
	t.Helper()
	opts := synthetic.Options{Customers: 40, Products: 60, Seed: 7, AsOf: fund.Date(20260310)}
	b := &bank{store: memory.New(), now: opts.AsOf.Start().Add(10 * time.Hour).Time()}
	clock := func() time.Time { return b.now }
	generated, err := synthetic.Generate(opts)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.store.Import(t.Context(), fund.InstantOf(b.now), generated.Load); err != nil {
		t.Fatal(err)
	}
	if err := engine.InstallDefaults(t.Context(), b.store, fund.InstantOf(b.now)); err != nil {
		t.Fatal(err)
	}
	loader, err := engine.NewLoader(b.store, b.store, "test")
	if err != nil {
		t.Fatal(err)
	}
	b.engine = engine.New(loader, clock, engine.Config{})
	if err := b.engine.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "decisions")
	log, err := decisionlog.Open(dir, decisionlog.Config{Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	reader, err := decisionlog.OpenReader(dir)
	if err != nil {
		t.Fatal(err)
	}
	b.log, b.events = &failingLog{Log: log}, event.New(b.store, clock)
	b.Service = order.New(b.engine, order.Stores{
		Profiles: b.store, Confirmations: b.store, Staff: b.store, Log: b.log, Records: reader,
	}, order.Config{NewID: func() (string, error) { id, err := uuid.NewV7(); return id.String(), err }, Now: clock})
	b.above = b.product(t, fund.R4)
	return b
}

// product finds a product of a grade that may be sold.
func (b *bank) product(t *testing.T, grade fund.RiskGrade) string {
	t.Helper()
	core, _, err := b.engine.Core()
	if err != nil {
		t.Fatal(err)
	}
	for i := range core.Len() {
		p := core.Product(i)
		if p.Grades.Effective() == grade && p.Listing.Status == fund.Open && p.Listing.Kind == fund.PublicFund && p.Parties.Issuer != "" && len(core.Admission(i)) == 0 {
			return p.Code
		}
	}
	t.Fatalf("no product of %s", grade)
	return ""
}

// searched records that he came to the product by a search of his own.
func (b *bank) searched(t *testing.T, code string) {
	t.Helper()
	b.happened(t, "CLICK", code, map[string]any{"page": "SEARCH"})
}

func (b *bank) happened(t *testing.T, kind, code string, attributes map[string]any) {
	t.Helper()
	more, err := structpb.NewStruct(attributes)
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.events.RecordEvents(t.Context(), &fundmatchv1.RecordEventsRequest{Events: []*fundmatchv1.Event{{
		EventId: kind + "-" + code, CustomerId: customerID, Kind: kind, ProductCode: code, Channel: "APP",
		EventAt: timestamppb.New(b.now.Add(-time.Minute)), Attributes: more,
	}}})
	if err != nil {
		t.Fatal(err)
	}
}

func (b *bank) check(t *testing.T, ids ...string) *fundmatchv1.CheckOrderResponse {
	t.Helper()
	got, err := b.CheckOrder(t.Context(), &fundmatchv1.CheckOrderRequest{
		CustomerId: customerID, ProductCode: b.above, AmountFen: amount, Confirmations: ids,
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// answered confirms all that a check asks.
func (b *bank) answered(t *testing.T, c *fundmatchv1.CheckOrderResponse) []string {
	t.Helper()
	got, err := b.RecordConfirmations(t.Context(), wordOn(c))
	if err != nil {
		t.Fatal(err)
	}
	ids := make([]string, len(got.GetConfirmations()))
	for i, x := range got.GetConfirmations() {
		ids[i] = x.GetId()
	}
	return ids
}

func wordOn(c *fundmatchv1.CheckOrderResponse) *fundmatchv1.RecordConfirmationsRequest {
	r := &fundmatchv1.RecordConfirmationsRequest{CustomerId: c.GetCustomerId(), DecisionId: c.GetDecisionId(), Trace: "sign-1"}
	for _, q := range c.GetRequired() {
		r.Items = append(r.Items, &fundmatchv1.ConfirmedItem{RuleId: q.GetRuleId(), Reason: q.GetReason()})
	}
	return r
}

func wantVerdict(t *testing.T, c *fundmatchv1.CheckOrderResponse, verdict, initiative string) {
	t.Helper()
	if c.GetVerdict() != verdict || c.GetInitiative() != initiative {
		t.Fatalf("%s of the %s, want %s of the %s: %v", c.GetVerdict(), c.GetInitiative(), verdict, initiative, c.GetFindings())
	}
}

// An order above his level is blocked as the firm's; his own is warned of, confirmed, and
// allowed once.
func TestAConfirmationServesOneOrder(t *testing.T) {
	t.Parallel()
	b := open(t)
	wantVerdict(t, b.check(t), "BLOCK", "FIRM")
	b.searched(t, b.above)
	asked := b.check(t)
	wantVerdict(t, asked, "CONFIRM", "CUSTOMER")
	if q := asked.GetRequired(); len(q) != 1 || q[0].GetRuleId() != "S03" || q[0].GetKind() != "CONFIRM" || q[0].GetMet() || !strings.Contains(q[0].GetText(), "R4") {
		t.Fatalf("required %v, want the warning of S03", q)
	}
	ids := b.answered(t, asked)
	b.now = b.now.Add(time.Minute)
	allowed := b.check(t, ids...)
	wantVerdict(t, allowed, "ALLOW", "CUSTOMER")
	if !slices.Equal(allowed.GetUsedConfirmations(), ids) {
		t.Errorf("used %v, want %v", allowed.GetUsedConfirmations(), ids)
	}
	again := b.check(t, ids...)
	wantVerdict(t, again, "CONFIRM", "CUSTOMER")
	if x := again.GetRejectedConfirmations(); len(x) != 1 || x[0].GetWhy() != "USED" || x[0].GetUsedBy() != allowed.GetDecisionId() {
		t.Errorf("rejected %v, want USED by %s", x, allowed.GetDecisionId())
	}
	b.happened(t, "EXPOSURE", b.above, nil)
	b.now = b.now.Add(time.Minute)
	wantVerdict(t, b.check(t), "BLOCK", "FIRM") // whatever he did before: the bank showed it to him
}

// Of many orders that come together with one confirmation one is allowed.
func TestOneConfirmationManyOrders(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.searched(t, b.above)
	ids := b.answered(t, b.check(t))
	b.now = b.now.Add(time.Minute)
	verdicts := make([]string, 16)
	var group sync.WaitGroup
	for i := range verdicts {
		group.Go(func() {
			got, err := b.CheckOrder(context.Background(), &fundmatchv1.CheckOrderRequest{
				CustomerId: customerID, ProductCode: b.above, AmountFen: amount, Confirmations: ids,
			})
			if err != nil {
				t.Error(err)
			}
			verdicts[i] = got.GetVerdict()
		})
	}
	group.Wait()
	slices.Sort(verdicts)
	if verdicts[0] != "ALLOW" || verdicts[1] != "CONFIRM" || verdicts[15] != "CONFIRM" {
		t.Errorf("%v, want one ALLOW", verdicts)
	}
}

// A decision that cannot be recorded is not answered; the confirmation that was bound to it
// is spent rather than used twice.
func TestWhatIsNotRecordedIsNotAnswered(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.searched(t, b.above)
	ids := b.answered(t, b.check(t))
	b.now = b.now.Add(time.Minute)
	b.log.full = true
	got, err := b.CheckOrder(t.Context(), &fundmatchv1.CheckOrderRequest{CustomerId: customerID, ProductCode: b.above, AmountFen: amount, Confirmations: ids})
	if got != nil || !errors.Is(err, decisionlog.ErrFull) {
		t.Fatalf("%v, %v, want ErrFull", got, err)
	}
	b.log.full = false
	after := b.check(t, ids...)
	wantVerdict(t, after, "CONFIRM", "CUSTOMER")
	if x := after.GetRejectedConfirmations(); len(x) != 1 || x[0].GetWhy() != "USED" {
		t.Errorf("rejected %v, want USED", x)
	}
}

// One question has one answer: sent again it is the same, with other proof it is refused.
func TestAQuestionHasOneAnswer(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.searched(t, b.above)
	asked := b.check(t)
	first, err := b.RecordConfirmations(t.Context(), wordOn(asked))
	if err != nil {
		t.Fatal(err)
	}
	b.now = b.now.Add(time.Hour)
	if second, err := b.RecordConfirmations(t.Context(), wordOn(asked)); err != nil || !proto.Equal(first, second) {
		t.Errorf("%v, %v, want %v", second, err, first)
	}
	other := wordOn(asked)
	other.Trace = "sign-2"
	if _, err := b.RecordConfirmations(t.Context(), other); !errors.Is(err, order.ErrAlreadyConfirmed) {
		t.Errorf("%v, want ErrAlreadyConfirmed", err)
	}
	id, err := uuid.Parse(first.GetConfirmations()[0].GetId())
	if err != nil || id.Version() != 7 || !first.GetConfirmations()[0].GetExpiresAt().AsTime().Equal(asked.GetDecidedAt().AsTime().Add(matcher.OrderConfirmationLife)) {
		t.Errorf("%v, %v, want a UUIDv7 that expires a week after the question", first, err)
	}
}

// What was not asked cannot be confirmed: by its record, whoever says otherwise.
func TestOnlyWhatWasAskedIsConfirmed(t *testing.T) {
	t.Parallel()
	b := open(t)
	blocked := b.check(t)
	b.searched(t, b.above)
	asked := b.check(t)
	change := func(edit func(r *fundmatchv1.RecordConfirmationsRequest)) *fundmatchv1.RecordConfirmationsRequest {
		r := wordOn(asked)
		edit(r)
		return r
	}
	notAsked := map[string]*fundmatchv1.RecordConfirmationsRequest{
		"another rule":   change(func(r *fundmatchv1.RecordConfirmationsRequest) { r.Items[0].RuleId = "S05" }),
		"another reason": change(func(r *fundmatchv1.RecordConfirmationsRequest) { r.Items[0].Reason = "X" }),
		"the recording itself": change(func(r *fundmatchv1.RecordConfirmationsRequest) {
			r.Items[0].RuleId, r.Items[0].Reason = "C04", "ELECTRONIC_TRACE"
		}),
		"a blocked order": change(func(r *fundmatchv1.RecordConfirmationsRequest) { r.DecisionId = blocked.GetDecisionId() }),
	}
	for name, r := range notAsked {
		if _, err := b.RecordConfirmations(t.Context(), r); !errors.Is(err, order.ErrNotAsked) {
			t.Errorf("%s: %v, want ErrNotAsked", name, err)
		}
	}
	unknown := map[features.Kind]*fundmatchv1.RecordConfirmationsRequest{
		features.DecisionKind: change(func(r *fundmatchv1.RecordConfirmationsRequest) { r.CustomerId = "DEMO-0016-GROWTH-C4" }),
		features.ManagerKind: change(func(r *fundmatchv1.RecordConfirmationsRequest) {
			r.Channel, r.RecordingId, r.ManagerId = "BRANCH", "REC-1", "NOBODY"
		}),
	}
	for kind, r := range unknown {
		var missing *features.NotFoundError
		if _, err := b.RecordConfirmations(t.Context(), r); !errors.As(err, &missing) || missing.Kind != kind {
			t.Errorf("%v, want a NotFoundError of %s", err, kind)
		}
	}
	b.now = b.now.Add(matcher.OrderConfirmationLife)
	if _, err := b.RecordConfirmations(t.Context(), wordOn(asked)); !errors.Is(err, order.ErrQuestionExpired) {
		t.Errorf("a week later: %v, want ErrQuestionExpired", err)
	}
}

func TestWhatIsWrongIsNamed(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.searched(t, b.above)
	asked := b.check(t)
	many := func(n int) (ids []string) {
		for range n {
			ids = append(ids, uuid.Must(uuid.NewV7()).String())
		}
		return ids
	}
	orders := map[string]func(r *fundmatchv1.CheckOrderRequest){
		"customerId":       func(r *fundmatchv1.CheckOrderRequest) { r.CustomerId = "a b" },
		"productCode":      func(r *fundmatchv1.CheckOrderRequest) { r.ProductCode = "" },
		"amountFen":        func(r *fundmatchv1.CheckOrderRequest) { r.AmountFen = 0 },
		"confirmations":    func(r *fundmatchv1.CheckOrderRequest) { r.Confirmations = many(33) },
		"confirmations[0]": func(r *fundmatchv1.CheckOrderRequest) { r.Confirmations = []string{"x"} },
		"confirmations[1]": func(r *fundmatchv1.CheckOrderRequest) { id := many(1)[0]; r.Confirmations = []string{id, id} },
		"recordingId":      func(r *fundmatchv1.CheckOrderRequest) { r.RecordingId = "a\nb" },
		"channel":          func(r *fundmatchv1.CheckOrderRequest) { r.Channel = "app" },
		"audience":         func(r *fundmatchv1.CheckOrderRequest) { r.Audience = "ME" },
	}
	for field, edit := range orders {
		r := &fundmatchv1.CheckOrderRequest{CustomerId: customerID, ProductCode: b.above, AmountFen: amount}
		edit(r)
		_, err := b.CheckOrder(t.Context(), r)
		wantInvalid(t, err, field)
	}
	words := map[string]func(r *fundmatchv1.RecordConfirmationsRequest){
		"customerId":  func(r *fundmatchv1.RecordConfirmationsRequest) { r.CustomerId = "" },
		"decisionId":  func(r *fundmatchv1.RecordConfirmationsRequest) { r.DecisionId = "d-1" },
		"items":       func(r *fundmatchv1.RecordConfirmationsRequest) { r.Items = nil },
		"items[1]":    func(r *fundmatchv1.RecordConfirmationsRequest) { r.Items = append(r.Items, r.GetItems()[0]) },
		"trace":       func(r *fundmatchv1.RecordConfirmationsRequest) { r.Trace = "" },
		"recordingId": func(r *fundmatchv1.RecordConfirmationsRequest) { r.Channel = "BRANCH" },
		"managerId":   func(r *fundmatchv1.RecordConfirmationsRequest) { r.Channel, r.RecordingId = "BRANCH", "REC-1" },
		"reviewerId":  func(r *fundmatchv1.RecordConfirmationsRequest) { r.ReviewerId = "a b" },
		"channel":     func(r *fundmatchv1.RecordConfirmationsRequest) { r.Channel = "PHONE" },
	}
	for field, edit := range words {
		r := wordOn(asked)
		edit(r)
		_, err := b.RecordConfirmations(t.Context(), r)
		wantInvalid(t, err, field)
	}
	switches := map[string]func(r *fundmatchv1.AssessSwitchRequest){
		"customerId":      func(r *fundmatchv1.AssessSwitchRequest) { r.CustomerId = "" },
		"sellProductCode": func(r *fundmatchv1.AssessSwitchRequest) { r.SellProductCode = "" },
		"buyProductCode":  func(r *fundmatchv1.AssessSwitchRequest) { r.BuyProductCode = r.GetSellProductCode() },
		"shares":          func(r *fundmatchv1.AssessSwitchRequest) { r.Shares = "1.00001" },
		"amountFen":       func(r *fundmatchv1.AssessSwitchRequest) { r.AmountFen = -1 },
		"channel":         func(r *fundmatchv1.AssessSwitchRequest) { r.Channel = "x" },
		"audience":        func(r *fundmatchv1.AssessSwitchRequest) { r.Audience = "x" },
	}
	for field, edit := range switches {
		r := &fundmatchv1.AssessSwitchRequest{CustomerId: customerID, SellProductCode: "A", BuyProductCode: "B"}
		edit(r)
		_, err := b.AssessSwitch(t.Context(), r)
		wantInvalid(t, err, field)
	}
}

func wantInvalid(t *testing.T, err error, field string) {
	t.Helper()
	var invalid *features.InvalidError
	if !errors.As(err, &invalid) || invalid.Field != field || invalid.Expected == "" {
		t.Errorf("%v, want an InvalidError of %s", err, field)
	}
}

// Whoever a word names is one of the bank's people, also where none had to be named: what is
// kept as evidence is true.
func TestANamedManagerIsKnown(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.searched(t, b.above)
	asked := b.check(t)
	for field, edit := range map[string]func(r *fundmatchv1.RecordConfirmationsRequest){
		"manager":  func(r *fundmatchv1.RecordConfirmationsRequest) { r.ManagerId = "M99999" },
		"reviewer": func(r *fundmatchv1.RecordConfirmationsRequest) { r.ReviewerId = "M99999" },
	} {
		r := wordOn(asked)
		edit(r)
		var missing *features.NotFoundError
		if _, err := b.RecordConfirmations(t.Context(), r); !errors.As(err, &missing) || missing.Kind != features.ManagerKind {
			t.Errorf("%s: %v, want a NotFoundError of a manager", field, err)
		}
	}
}

func TestWhoAndWhatIsUnknown(t *testing.T) {
	t.Parallel()
	b := open(t)
	for kind, r := range map[features.Kind]*fundmatchv1.CheckOrderRequest{
		features.CustomerKind:     {CustomerId: "NOBODY", ProductCode: b.above, AmountFen: 1},
		features.ConfirmationKind: {CustomerId: customerID, ProductCode: b.above, AmountFen: 1, Confirmations: []string{uuid.Must(uuid.NewV7()).String()}},
	} {
		var missing *features.NotFoundError
		if _, err := b.CheckOrder(t.Context(), r); !errors.As(err, &missing) || missing.Kind != kind {
			t.Errorf("%v, want a NotFoundError of %s", err, kind)
		}
	}
	if _, err := b.CheckOrder(t.Context(), &fundmatchv1.CheckOrderRequest{CustomerId: customerID, ProductCode: "X", AmountFen: 1}); !errors.Is(err, matcher.ErrUnknownProduct) {
		t.Errorf("%v, want ErrUnknownProduct", err)
	}
	var missing *features.NotFoundError
	_, err := b.AssessSwitch(t.Context(), &fundmatchv1.AssessSwitchRequest{CustomerId: customerID, SellProductCode: b.above, BuyProductCode: "X"})
	if !errors.As(err, &missing) || missing.ID != "X" {
		t.Errorf("%v, want a NotFoundError of X", err)
	}
}
