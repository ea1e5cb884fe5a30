package customer_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/matcher/fund"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/customer"
)

// bank is a service over a store with one customer, and a clock that tests move.
type bank struct {
	*customer.Service
	store *memory.Store
	now   time.Time
	rules pack
}

// pack are the rules of a test.
type pack struct {
	perDay, perYear int
	missing         error
}

func (p pack) AssessmentLimits() (perDay, perYear int) { return p.perDay, p.perYear }

func (p pack) ForbidsTag(name string) bool { return strings.Contains(name, "religion") }

const known = "CUST-1"

func day(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func open(t *testing.T, cells ...features.Cell) *bank {
	t.Helper()
	b := &bank{store: memory.New(), now: day(t, "2026-03-05T10:00:00+08:00")}
	b.Service = customer.New(b.store, func() time.Time { return b.now }, func() (customer.Rules, error) { return b.rules, b.rules.missing })
	cells = append(cells, features.Cell{View: features.PersonView, Name: "industry", Value: "BANKING"})
	for i := range cells {
		cells[i].CustomerID = known
	}
	if _, err := b.store.Import(t.Context(), fund.InstantOf(b.now.Add(-time.Hour)), func(batch features.Batch) error { return batch.Cells(cells) }); err != nil {
		t.Fatal(err)
	}
	return b
}

// cell returns one cell of the profile.
func (b *bank) cell(t *testing.T, name string) *fundmatchv1.ProfileCell {
	t.Helper()
	got, err := b.GetCustomer(t.Context(), &fundmatchv1.GetCustomerRequest{CustomerId: known})
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(got.GetCells(), func(c *fundmatchv1.ProfileCell) bool { return c.GetName() == name })
	if at < 0 {
		return nil
	}
	return got.GetCells()[at]
}

func withKey(ctx context.Context, keys ...string) context.Context {
	md := metadata.MD{}
	md.Append(customer.IdempotencyMetadata, keys...)
	return metadata.NewIncomingContext(ctx, md)
}

func TestEveryCellHasAState(t *testing.T) {
	t.Parallel()
	b := open(t)
	got, err := b.GetCustomer(t.Context(), &fundmatchv1.GetCustomerRequest{CustomerId: known})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, c := range got.GetCells() {
		lines = append(lines, c.GetName()+"="+c.GetValue()+" "+c.GetStatus())
	}
	want := []string{
		"risk_level= NOT_FOUND", "risk_level_predicted= NOT_FOUND", "investor_type= NOT_FOUND", "professional_class= NOT_FOUND",
		"elects_ordinary= NOT_FOUND", "birth_date= NOT_FOUND", "capacity= NOT_FOUND", "is_lowest_class= NOT_FOUND", "industry=BANKING PRESENT",
		"segment= NOT_FOUND", "branch_id= NOT_FOUND", "manager_id= NOT_FOUND", "aum_fen= NOT_FOUND", "income_fen= NOT_FOUND",
		"qualified_class= NOT_FOUND", "pension_account= NOT_FOUND",
		"goals= NOT_FOUND", "horizon_months= NOT_FOUND", "liquidity_need= NOT_FOUND", "personalization= NOT_FOUND",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
}

// C07: a profile is shown to the customer too (A03), and an open check must not be.
func TestAnOpenCheckIsToldToNobody(t *testing.T) {
	t.Parallel()
	b := open(t, features.Cell{View: features.PersonView, Name: "open_checks", Value: "AML"})
	got, err := b.GetCustomer(t.Context(), &fundmatchv1.GetCustomerRequest{CustomerId: known})
	if err != nil {
		t.Fatal(err)
	}
	if text := got.String(); strings.Contains(text, "open_checks") || strings.Contains(text, "AML") {
		t.Errorf("the profile tells of it: %s", text)
	}
}

func TestALevelHoldsForAYear(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ assessed, last, first string }{
		{"2026-03-05T09:00:00+08:00", "2027-03-04T23:59:59+08:00", "2027-03-05T00:00:00+08:00"},
		{"2024-02-29T09:00:00+08:00", "2025-02-28T23:59:59+08:00", "2025-03-01T00:00:00+08:00"},
	} {
		b := open(t)
		b.now = day(t, c.assessed)
		_, err := b.PutRiskAssessment(t.Context(), &fundmatchv1.PutRiskAssessmentRequest{CustomerId: known, RiskLevel: "C4", QuestionnaireVersion: "q7", Channel: "APP"})
		if err != nil {
			t.Fatal(err)
		}
		b.now = day(t, c.last)
		want := &fundmatchv1.ProfileCell{
			Name: "risk_level", Value: "C4", Status: "PRESENT", EventAt: timestamppb.New(day(t, c.assessed)),
			ValidTo: timestamppb.New(day(t, c.first)), AgeDays: b.cell(t, "risk_level").AgeDays,
		}
		if diff := cmp.Diff(want, b.cell(t, "risk_level"), protocmp.Transform()); diff != "" {
			t.Error(diff)
		}
		if age := b.cell(t, "risk_level").GetAgeDays(); age != 364 && age != 365 {
			t.Errorf("age %d days", age)
		}
		b.now = day(t, c.first)
		if got := b.cell(t, "risk_level"); got.GetStatus() != "EXPIRED" || got.GetValue() != "" || got.GetValidTo() == nil {
			t.Errorf("a year on: %v", got)
		}
	}
}

func TestStatesThatDependOnTime(t *testing.T) {
	t.Parallel()
	b := open(
		t,
		features.Cell{View: features.AssessmentView, Name: features.AssessedName, Value: `{"level":"C3","on":""}`},
		features.Cell{View: features.PersonView, Name: "professional_class", Value: "B"},
		features.Cell{View: features.PersonView, Name: "professional_until", Value: "2026-03-06"},
		features.Cell{View: features.TagView, Name: "payroll", Value: "large", EventAt: fund.InstantOf(day(t, "2026-03-01T00:00:00+08:00")), ValidTo: fund.InstantOf(day(t, "2026-03-06T00:00:00+08:00"))},
		features.Cell{View: features.AttributeView, Name: "favourite", Value: "tea"},
	)
	check := func(name, status string) {
		t.Helper()
		if got := b.cell(t, name); got.GetStatus() != status || (status == "PRESENT") != (got.GetValue() != "") {
			t.Errorf("%s at %v: %v, want %s", name, b.now, got, status)
		}
	}
	check("risk_level", "EXPIRED") // a level whose day is unknown cannot be shown to hold
	check("professional_class", "PRESENT")
	check("tag.payroll", "PRESENT")
	check("attribute.favourite", "PRESENT")
	if age := b.cell(t, "tag.payroll").GetAgeDays(); age != 4 {
		t.Errorf("the tag is %d days old, want 4", age)
	}
	b.now = day(t, "2026-03-06T00:00:00+08:00")
	check("professional_class", "EXPIRED")
	check("tag.payroll", "EXPIRED")
}

func TestWritesAreReadBack(t *testing.T) {
	t.Parallel()
	b := open(t)
	ctx := t.Context()
	receipt, err := b.PutGoals(ctx, &fundmatchv1.PutGoalsRequest{CustomerId: known, Goals: []string{"EDUCATION", "CASH"}, HorizonMonths: 600, LiquidityNeed: "LOW"})
	if err != nil || !receipt.GetReceipt().GetChanged() || receipt.GetReceipt().GetRevision() == 0 {
		t.Fatalf("%v, %v", receipt, err)
	}
	if _, err := b.PutPersonalization(ctx, &fundmatchv1.PutPersonalizationRequest{CustomerId: known, Enabled: proto.Bool(false)}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.PutTags(ctx, &fundmatchv1.PutTagsRequest{CustomerId: known, Tags: []*fundmatchv1.Tag{
		{Name: "工资户", Value: "是", Source: "core", Purpose: "MATCHING"},
		{Name: "child", Value: "2", ValidTo: timestamppb.New(b.now.AddDate(1, 0, 0))},
	}}); err != nil {
		t.Fatal(err)
	}
	lots := []*fundmatchv1.Lot{
		{ProductCode: "510300", Shares: "0.0001", AcquiredOn: "2026-03-05"},
		{ProductCode: "000001", Shares: "1000.25", AcquiredOn: "2020-01-02", CostFen: 100_000, Account: "6222 01"},
		{ProductCode: "000001", Shares: "100000000000", AcquiredOn: "2020-01-02"},
	}
	if _, err := b.PutHoldings(ctx, &fundmatchv1.PutHoldingsRequest{CustomerId: known, Lots: lots, BatchId: "b-1"}); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"goals": "EDUCATION CASH", "horizon_months": "600", "liquidity_need": "LOW", "personalization": "false", "tag.工资户": "是", "tag.child": "2",
	} {
		if got := b.cell(t, name); got.GetValue() != value || got.GetStatus() != "PRESENT" {
			t.Errorf("%s: %v, want %s", name, got, value)
		}
	}
	got, err := b.GetCustomer(ctx, &fundmatchv1.GetCustomerRequest{CustomerId: known})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]*fundmatchv1.Lot{lots[2], lots[1], lots[0]}, got.GetLots(), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}

	b.now = b.now.Add(time.Minute)
	if _, err := b.PutHoldings(ctx, &fundmatchv1.PutHoldingsRequest{CustomerId: known, BatchId: "b-2"}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.PutGoals(ctx, &fundmatchv1.PutGoalsRequest{CustomerId: known, LiquidityNeed: "LOW"}); err != nil {
		t.Fatal(err)
	}
	deleted, err := b.DeleteTag(ctx, &fundmatchv1.DeleteTagRequest{CustomerId: known, Name: "child"})
	if err != nil || !deleted.GetReceipt().GetChanged() {
		t.Errorf("delete: %v, %v", deleted, err)
	}
	again, err := b.DeleteTag(ctx, &fundmatchv1.DeleteTagRequest{CustomerId: known, Name: "child"})
	if err != nil || again.GetReceipt().GetChanged() || again.GetReceipt().GetRevision() != deleted.GetReceipt().GetRevision() {
		t.Errorf("delete again: %v, %v", again, err)
	}
	if got, _ := b.GetCustomer(ctx, &fundmatchv1.GetCustomerRequest{CustomerId: known}); len(got.GetLots()) != 0 || b.cell(t, "tag.child") != nil || b.cell(t, "tag.工资户") == nil || b.cell(t, "goals").GetStatus() != "NOT_FOUND" {
		t.Errorf("afterwards: %v", got)
	}
}

func TestUnknownCustomers(t *testing.T) {
	t.Parallel()
	b, ctx := open(t), t.Context()
	for name, call := range calls(b, "nobody") {
		err := call(ctx)
		var missing *features.NotFoundError
		if !errors.As(err, &missing) || missing.Kind != features.CustomerKind || missing.ID != "nobody" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, id := range []string{"", ".a", "a b", strings.Repeat("x", 65), "客户", "a\x00"} {
		for name, call := range calls(b, id) {
			var invalid *features.InvalidError
			if err := call(ctx); !errors.As(err, &invalid) || invalid.Field != "customerId" {
				t.Errorf("%s of %q: %v", name, id, err)
			}
		}
	}
}

// calls is each method with a request that is otherwise good.
func calls(b *bank, id string) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"GetCustomer": func(ctx context.Context) error {
			_, err := b.GetCustomer(ctx, &fundmatchv1.GetCustomerRequest{CustomerId: id})
			return err
		},
		"PutRiskAssessment": func(ctx context.Context) error {
			_, err := b.PutRiskAssessment(ctx, &fundmatchv1.PutRiskAssessmentRequest{CustomerId: id, RiskLevel: "C1"})
			return err
		},
		"PutTags": func(ctx context.Context) error {
			_, err := b.PutTags(ctx, &fundmatchv1.PutTagsRequest{CustomerId: id, Tags: []*fundmatchv1.Tag{{Name: "n", Value: "v"}}})
			return err
		},
		"DeleteTag": func(ctx context.Context) error {
			_, err := b.DeleteTag(ctx, &fundmatchv1.DeleteTagRequest{CustomerId: id, Name: "n"})
			return err
		},
		"PutHoldings": func(ctx context.Context) error {
			_, err := b.PutHoldings(ctx, &fundmatchv1.PutHoldingsRequest{CustomerId: id, BatchId: "b"})
			return err
		},
		"PutGoals": func(ctx context.Context) error {
			_, err := b.PutGoals(ctx, &fundmatchv1.PutGoalsRequest{CustomerId: id, HorizonMonths: 1})
			return err
		},
		"PutPersonalization": func(ctx context.Context) error {
			_, err := b.PutPersonalization(ctx, &fundmatchv1.PutPersonalizationRequest{CustomerId: id, Enabled: proto.Bool(true)})
			return err
		},
	}
}

func TestRefusedValuesAreNamed(t *testing.T) {
	t.Parallel()
	b := open(t)
	future := timestamppb.New(b.now.Add(customer.FutureTolerance + time.Microsecond))
	tag := func(change func(*fundmatchv1.Tag)) proto.Message {
		g := &fundmatchv1.Tag{Name: "n", Value: "v"}
		change(g)
		return &fundmatchv1.PutTagsRequest{Tags: []*fundmatchv1.Tag{{Name: "other", Value: "v"}, g}}
	}
	lot := func(change func(*fundmatchv1.Lot)) proto.Message {
		l := &fundmatchv1.Lot{ProductCode: "p", Shares: "1", AcquiredOn: "2026-03-05"}
		change(l)
		return &fundmatchv1.PutHoldingsRequest{Lots: []*fundmatchv1.Lot{l}}
	}
	manyTags := &fundmatchv1.PutTagsRequest{}
	for i := range 101 {
		manyTags.Tags = append(manyTags.Tags, &fundmatchv1.Tag{Name: fmt.Sprint(i), Value: "v"})
	}
	for _, c := range []struct {
		field string
		req   proto.Message
	}{
		{"riskLevel", &fundmatchv1.PutRiskAssessmentRequest{}},
		{"riskLevel", &fundmatchv1.PutRiskAssessmentRequest{RiskLevel: "C6"}},
		{"riskLevel", &fundmatchv1.PutRiskAssessmentRequest{RiskLevel: "R3"}},
		{"channel", &fundmatchv1.PutRiskAssessmentRequest{RiskLevel: "C1", Channel: "PHONE"}},
		{"questionnaireVersion", &fundmatchv1.PutRiskAssessmentRequest{RiskLevel: "C1", QuestionnaireVersion: strings.Repeat("x", 257)}},
		{"assessedAt", &fundmatchv1.PutRiskAssessmentRequest{RiskLevel: "C1", AssessedAt: future}},
		{"assessedAt", &fundmatchv1.PutRiskAssessmentRequest{RiskLevel: "C1", AssessedAt: &timestamppb.Timestamp{}}},
		{"assessedAt", &fundmatchv1.PutRiskAssessmentRequest{RiskLevel: "C1", AssessedAt: &timestamppb.Timestamp{Seconds: 1, Nanos: -1}}},
		{"tags", &fundmatchv1.PutTagsRequest{}},
		{"tags", manyTags},
		{"tags[1].name", tag(func(g *fundmatchv1.Tag) { g.Name = "" })},
		{"tags[1].name", tag(func(g *fundmatchv1.Tag) { g.Name = "other" })},
		{"tags[1].name", tag(func(g *fundmatchv1.Tag) { g.Name = "a\nb" })},
		{"tags[1].name", tag(func(g *fundmatchv1.Tag) { g.Name = strings.Repeat("基", 200) })},
		{"tags[1].value", tag(func(g *fundmatchv1.Tag) { g.Value = "" })},
		{"tags[1].value", tag(func(g *fundmatchv1.Tag) { g.Value = strings.Repeat("基", 257) })},
		{"tags[1].value", tag(func(g *fundmatchv1.Tag) { g.Value = "\xff" })},
		{"tags[1].source", tag(func(g *fundmatchv1.Tag) { g.Source = "\x00" })},
		{"tags[1].purpose", tag(func(g *fundmatchv1.Tag) { g.Purpose = "\u007f" })},
		{"tags[1].eventAt", tag(func(g *fundmatchv1.Tag) { g.EventAt = future })},
		{"tags[1].validTo", tag(func(g *fundmatchv1.Tag) { g.ValidTo = timestamppb.New(b.now) })},
		{"tags[1].validTo", tag(func(g *fundmatchv1.Tag) { g.ValidTo = &timestamppb.Timestamp{Seconds: 7_258_118_400} })},
		{"name", &fundmatchv1.DeleteTagRequest{}},
		{"batchId", &fundmatchv1.PutHoldingsRequest{BatchId: "\t"}},
		{"lots", &fundmatchv1.PutHoldingsRequest{}},
		{"lots", &fundmatchv1.PutHoldingsRequest{EventAt: timestamppb.New(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))}},
		{"goals", &fundmatchv1.PutGoalsRequest{}},
		{"goals", &fundmatchv1.PutGoalsRequest{EventAt: timestamppb.New(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))}},
		{"lots", &fundmatchv1.PutHoldingsRequest{Lots: make([]*fundmatchv1.Lot, fund.MaxLots+1)}},
		{"lots[0].productCode", lot(func(l *fundmatchv1.Lot) { l.ProductCode = "a/b" })},
		{"lots[0].acquiredOn", lot(func(l *fundmatchv1.Lot) { l.AcquiredOn = "" })},
		{"lots[0].acquiredOn", lot(func(l *fundmatchv1.Lot) { l.AcquiredOn = "2026-02-30" })},
		{"lots[0].acquiredOn", lot(func(l *fundmatchv1.Lot) { l.AcquiredOn = "2026-03-06" })},
		{"lots[0].costFen", lot(func(l *fundmatchv1.Lot) { l.CostFen = -1 })},
		{"lots[0].costFen", lot(func(l *fundmatchv1.Lot) { l.CostFen = int64(fund.MaxMoney) + 1 })},
		{"lots[0].account", lot(func(l *fundmatchv1.Lot) { l.Account = "a\x1b" })},
		{"lots[1]", &fundmatchv1.PutHoldingsRequest{Lots: []*fundmatchv1.Lot{
			{ProductCode: "p", Shares: "1", AcquiredOn: "2026-03-05"}, {ProductCode: "p", Shares: "2", AcquiredOn: "2026-03-05"},
		}}},
		{"goals[1]", &fundmatchv1.PutGoalsRequest{Goals: []string{"CASH", "CASH"}}},
		{"goals[0]", &fundmatchv1.PutGoalsRequest{Goals: []string{"UNKNOWN"}}},
		{"goals[0]", &fundmatchv1.PutGoalsRequest{Goals: []string{"YACHT"}}},
		{"horizonMonths", &fundmatchv1.PutGoalsRequest{HorizonMonths: 601}},
		{"horizonMonths", &fundmatchv1.PutGoalsRequest{HorizonMonths: -1}},
		{"liquidityNeed", &fundmatchv1.PutGoalsRequest{LiquidityNeed: "SOON"}},
		{"eventAt", &fundmatchv1.PutGoalsRequest{EventAt: future}},
		{"enabled", &fundmatchv1.PutPersonalizationRequest{}},
		{"eventAt", &fundmatchv1.PutPersonalizationRequest{Enabled: proto.Bool(true), EventAt: future}},
	} {
		before := revision(t, b)
		err := b.send(t.Context(), c.req)
		var invalid *features.InvalidError
		if !errors.As(err, &invalid) || invalid.Field != c.field || invalid.Expected == "" {
			t.Errorf("%T, want %s refused: %v", c.req, c.field, err)
		}
		if after := revision(t, b); after != before {
			t.Errorf("%s was refused, but the revision went from %d to %d", c.field, before, after)
		}
	}
	for _, shares := range []string{"", ".", "1.", ".5", "-1", "+1", "1e3", "0x1", "1.00001", "100000000000.0001", "1000000000000", "1,0", " 1", "NaN", "١"} {
		var invalid *features.InvalidError
		if err := b.send(t.Context(), lot(func(l *fundmatchv1.Lot) { l.Shares = shares })); !errors.As(err, &invalid) || invalid.Field != "lots[0].shares" {
			t.Errorf("shares %q: %v", shares, err)
		}
	}
}

func revision(t *testing.T, b *bank) uint64 {
	t.Helper()
	got, err := b.GetCustomer(t.Context(), &fundmatchv1.GetCustomerRequest{CustomerId: known})
	if err != nil {
		t.Fatal(err)
	}
	return got.GetRevision()
}

// send gives a write to its method, for the known customer.
func (b *bank) send(ctx context.Context, req proto.Message) (err error) {
	switch r := req.(type) {
	case *fundmatchv1.PutRiskAssessmentRequest:
		r.CustomerId = known
		_, err = b.PutRiskAssessment(ctx, r)
	case *fundmatchv1.PutTagsRequest:
		r.CustomerId = known
		_, err = b.PutTags(ctx, r)
	case *fundmatchv1.DeleteTagRequest:
		r.CustomerId = known
		_, err = b.DeleteTag(ctx, r)
	case *fundmatchv1.PutHoldingsRequest:
		r.CustomerId = known
		_, err = b.PutHoldings(ctx, r)
	case *fundmatchv1.PutGoalsRequest:
		r.CustomerId = known
		_, err = b.PutGoals(ctx, r)
	case *fundmatchv1.PutPersonalizationRequest:
		r.CustomerId = known
		_, err = b.PutPersonalization(ctx, r)
	}
	return err
}

func TestAClockThatRunsAheadCountsAsNow(t *testing.T) {
	t.Parallel()
	b := open(t)
	ahead := timestamppb.New(b.now.Add(customer.FutureTolerance))
	if err := b.send(t.Context(), &fundmatchv1.PutPersonalizationRequest{Enabled: proto.Bool(false), EventAt: ahead}); err != nil {
		t.Fatal(err)
	}
	if got := b.cell(t, "personalization"); got.GetValue() != "false" {
		t.Errorf("the switch does not take effect at once: %v", got)
	}
}

func TestAWriteIsKnownFromNowOn(t *testing.T) {
	t.Parallel()
	b := open(t)
	req := &fundmatchv1.PutPersonalizationRequest{Enabled: proto.Bool(false), EventAt: timestamppb.New(b.now.AddDate(-1, 0, 0))}
	if err := b.send(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	for ago, want := range map[time.Duration]fund.Answer{0: fund.No, time.Minute: fund.Unknown} {
		p, err := b.store.Profile(t.Context(), known, fund.InstantOf(b.now.Add(-ago)))
		if err != nil || p.Personalization != want {
			t.Errorf("to someone %v ago it was %v, want %v (%v)", ago, p.Personalization, want, err)
		}
	}
}

func TestTheOrderOfLotsDoesNotMatter(t *testing.T) {
	t.Parallel()
	b := open(t)
	lots := []*fundmatchv1.Lot{
		{ProductCode: "b", Shares: "1", AcquiredOn: "2026-03-05"},
		{ProductCode: "a", Shares: "1", AcquiredOn: "2026-03-05"},
		{ProductCode: "a", Shares: "1", AcquiredOn: "2026-03-04", Account: "2"},
		{ProductCode: "a", Shares: "1", AcquiredOn: "2026-03-04", Account: "1"},
	}
	for i := range 2 {
		got, err := b.PutHoldings(t.Context(), &fundmatchv1.PutHoldingsRequest{CustomerId: known, Lots: lots})
		if err != nil || got.GetReceipt().GetChanged() != (i == 0) {
			t.Errorf("time %d: %v, %v", i+1, got, err)
		}
		slices.Reverse(lots)
	}
}

func TestAProfileHoldsSoManyTags(t *testing.T) {
	t.Parallel()
	b := open(t)
	put := func(from, to int) error {
		req := &fundmatchv1.PutTagsRequest{}
		for i := from; i < to; i++ {
			req.Tags = append(req.Tags, &fundmatchv1.Tag{Name: fmt.Sprint(i), Value: "v"})
		}
		return b.send(t.Context(), req)
	}
	for from := 0; from < fund.MaxTags; from += 64 {
		if err := put(from, from+64); err != nil {
			t.Fatal(err)
		}
	}
	var invalid *features.InvalidError
	if err := put(fund.MaxTags, fund.MaxTags+1); !errors.As(err, &invalid) || invalid.Field != "tags" {
		t.Errorf("one tag too many: %v", err)
	}
	if err := put(0, 1); err != nil {
		t.Errorf("a new value of a tag that is there: %v", err)
	}
}

func TestIdempotency(t *testing.T) {
	t.Parallel()
	b := open(t)
	put := func(key, level string) (*fundmatchv1.Receipt, error) {
		got, err := b.PutRiskAssessment(withKey(t.Context(), key), &fundmatchv1.PutRiskAssessmentRequest{CustomerId: known, RiskLevel: level})
		return got.GetReceipt(), err
	}
	first, err := put("key-1", "C2")
	if err != nil || first.GetReplayed() {
		t.Fatalf("%v, %v", first, err)
	}
	b.now = b.now.Add(time.Hour) // the event time was left out, so it is another one now: still the same body
	again, err := put("key-1", "C2")
	if err != nil || !again.GetReplayed() || again.GetRevision() != first.GetRevision() || again.GetChanged() != first.GetChanged() {
		t.Errorf("%v, %v, first %v", again, err, first)
	}
	if _, err := put("key-1", "C3"); !errors.Is(err, features.ErrIdempotencyReused) {
		t.Errorf("another body: %v", err)
	}
	if got := b.cell(t, "risk_level").GetValue(); got != "C2" {
		t.Errorf("level %s, want C2", got)
	}
	if err := b.send(withKey(t.Context(), "key-1"), &fundmatchv1.PutGoalsRequest{HorizonMonths: 1}); err != nil {
		t.Errorf("the same key for another method: %v", err)
	}
	for _, name := range []string{"a", "b"} {
		if err := b.send(withKey(t.Context(), "key-2"), &fundmatchv1.DeleteTagRequest{Name: name}); err != nil {
			t.Errorf("the same key for the tag %s: %v", name, err)
		}
	}
	b.now = b.now.Add(features.IdempotencyLife * time.Hour)
	if got, err := put("key-1", "C3"); err != nil || got.GetReplayed() {
		t.Errorf("after the key's life: %v, %v", got, err)
	}
	for _, keys := range [][]string{{""}, {strings.Repeat("k", 129)}, {"a b"}, {"ключ"}, {"a\x7f"}, {"one", "two"}} {
		var invalid *features.InvalidError
		if err := b.send(withKey(t.Context(), keys...), &fundmatchv1.PutGoalsRequest{}); !errors.As(err, &invalid) || invalid.Field != customer.IdempotencyMetadata {
			t.Errorf("keys %q: %v", keys, err)
		}
	}
	if err := b.send(withKey(t.Context(), strings.Repeat("~", 128)), &fundmatchv1.PutGoalsRequest{HorizonMonths: 1}); err != nil {
		t.Errorf("a key at the limit: %v", err)
	}
}

// TestSharesAreReadBackAsTheyWere: any number of shares that is accepted comes back equal.
func TestSharesAreReadBackAsTheyWere(t *testing.T) {
	t.Parallel()
	b := open(t)
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.Int64Range(0, 1_000_000_000_000_000).Draw(rt, "shares")
		digits := rapid.IntRange(0, 4).Draw(rt, "digits")
		for range 4 - digits {
			n -= n % 10
			n /= 10
		}
		text := fmt.Sprintf("%0*d", digits+1, n)
		want := text
		if digits > 0 {
			text = text[:len(text)-digits] + "." + text[len(text)-digits:]
			want = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
		}
		b.now = b.now.Add(time.Second)
		req := &fundmatchv1.PutHoldingsRequest{Lots: []*fundmatchv1.Lot{{ProductCode: "p", Shares: text, AcquiredOn: "2026-03-05"}}}
		if err := b.send(context.Background(), req); err != nil {
			rt.Fatalf("%q: %v", text, err)
		}
		got, err := b.GetCustomer(context.Background(), &fundmatchv1.GetCustomerRequest{CustomerId: known})
		if err != nil || got.GetLots()[0].GetShares() != want {
			rt.Fatalf("%q came back as %v, want %q (%v)", text, got.GetLots(), want, err)
		}
	})
}

// TestStoreErrorsPass: what the store says goes to the error table as it is.
func TestStoreErrorsPass(t *testing.T) {
	t.Parallel()
	b := open(t)
	if err := b.store.Close(); err != nil {
		t.Fatal(err)
	}
	for name, call := range calls(b, known) {
		if err := call(t.Context()); !errors.Is(err, features.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
