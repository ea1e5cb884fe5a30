package order_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
)

// A customer's answer has no field that is for managers; a manager's has.
func TestManagersFieldsAreManagers(t *testing.T) {
	t.Parallel()
	b := open(t)
	ask := func(audience string) []proto.Message {
		check, err := b.CheckOrder(t.Context(), &fundmatchv1.CheckOrderRequest{
			CustomerId: customerID, ProductCode: b.above, AmountFen: amount, Audience: audience,
		})
		if err != nil {
			t.Fatal(err)
		}
		sw, err := b.AssessSwitch(t.Context(), &fundmatchv1.AssessSwitchRequest{
			CustomerId: customerID, SellProductCode: b.product(t, fund.R2), BuyProductCode: b.above, Audience: audience,
		})
		if err != nil {
			t.Fatal(err)
		}
		return []proto.Message{check, sw}
	}
	for _, m := range ask("CUSTOMER") {
		if got := managersFields(m.ProtoReflect()); len(got) > 0 {
			t.Errorf("a customer is shown %v", got)
		}
	}
	for _, m := range ask("MANAGER") {
		if got := managersFields(m.ProtoReflect()); len(got) == 0 {
			t.Errorf("a manager is shown nothing of his: %v", m)
		}
	}
}

// managersFields names the fields that are set and marked manager_only.
func managersFields(m protoreflect.Message) (names []string) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if marked, ok := proto.GetExtension(f.Options(), fundmatchv1.E_ManagerOnly).(bool); ok && marked {
			names = append(names, string(f.FullName()))
		}
		switch {
		case f.Message() == nil || f.IsMap():
		case f.IsList():
			for i := range v.List().Len() {
				names = append(names, managersFields(v.List().Get(i).Message())...)
			}
		default:
			names = append(names, managersFields(v.Message())...)
		}
		return true
	})
	return names
}

// While checks of him are open no order is placed, and he is not told that there are any.
func TestOpenChecksAreNotTold(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.openChecks(t)
	fits := b.product(t, fund.R2)
	b.searched(t, fits)
	ask := func(audience string) (*fundmatchv1.CheckOrderResponse, string) {
		got, err := b.CheckOrder(t.Context(), &fundmatchv1.CheckOrderRequest{
			CustomerId: customerID, ProductCode: fits, AmountFen: amount, Audience: audience,
		})
		if err != nil {
			t.Fatal(err)
		}
		text, err := protojson.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		return got, string(text)
	}
	got, text := ask("CUSTOMER")
	wantVerdict(t, got, "BLOCK", "CUSTOMER")
	for _, word := range []string{"C07", "CHECK", "反洗钱", "核查", "身份"} {
		if strings.Contains(strings.ReplaceAll(text, "orders:check", ""), word) {
			t.Errorf("a customer is told of %q: %s", word, text)
		}
	}
	if len(got.GetTexts()) != 1 {
		t.Errorf("texts %q, want the one that tells no reason", got.GetTexts())
	}
	if _, text := ask("MANAGER"); !strings.Contains(text, "C07") {
		t.Errorf("a manager is not told of C07: %s", text)
	}
}

// openChecks reports a check of the customer as open.
func (b *bank) openChecks(t *testing.T) {
	t.Helper()
	_, err := b.store.Import(t.Context(), fund.InstantOf(b.clock()), func(to features.Batch) error {
		return to.Cells([]features.Cell{{CustomerID: customerID, View: features.PersonView, Name: "open_checks", Value: "AML"}})
	})
	if err != nil {
		t.Fatal(err)
	}
}
