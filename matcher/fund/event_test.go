package fund_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

func TestEventKindsAreReadAsTheyAreWritten(t *testing.T) {
	want := []string{
		"UNKNOWN", "EXPOSURE", "CLICK", "DETAIL_VIEW", "OBJECTION", "EVIDENCE_OPEN", "ORDER_START", "ORDER_CONFIRM", "ORDER_ABANDON", "REFUSAL", "REDEEM", "COMPLAINT", "CONTACT",
	}
	if len(want) != fund.EventKinds {
		t.Fatalf("%d kinds, want %d", fund.EventKinds, len(want))
	}
	for i, code := range want {
		kind := fund.EventKind(i)
		if kind.String() != code {
			t.Errorf("kind %d is %q, want %q", i, kind, code)
		}
		got, err := fund.ParseEventKind(code)
		if kind == fund.EventUnknown {
			if !errors.Is(err, fund.ErrInvalid) {
				t.Errorf("UNKNOWN is read as %v (%v)", got, err)
			}
			continue
		}
		if err != nil || got != kind {
			t.Errorf("%q is read as %v (%v)", code, got, err)
		}
	}
	for _, bad := range []string{"", "click", "CLICK ", "LIKE"} {
		if got, err := fund.ParseEventKind(bad); !errors.Is(err, fund.ErrInvalid) {
			t.Errorf("%q is read as %v (%v)", bad, got, err)
		}
	}
}

// Two events that differ in anything are in an order, and it is the same from both sides:
// otherwise the order of arrival would leave a trace. By reflection, so that a field that
// is added must join.
func TestEventsThatDifferAreInOrder(t *testing.T) {
	base := fund.Event{Kind: 3, At: 5, ProductCode: "P", Channel: "C", About: "A", Until: 20240101, Amount: 5, Cost: 5, Dwell: 5}
	if fund.CompareEvents(&base, &base) != 0 {
		t.Error("an event is not equal to itself")
	}
	for i := range reflect.TypeFor[fund.Event]().NumField() {
		more := base
		switch f := reflect.ValueOf(&more).Elem().Field(i); f.Kind() {
		case reflect.Uint8:
			f.SetUint(f.Uint() + 1)
		case reflect.Int32, reflect.Int64:
			f.SetInt(f.Int() + 1)
		case reflect.String:
			f.SetString(f.String() + "x")
		case reflect.Bool:
			f.SetBool(true)
		default:
			t.Fatalf("a field of kind %s", f.Kind())
		}
		if a, b := fund.CompareEvents(&base, &more), fund.CompareEvents(&more, &base); a >= 0 || b <= 0 {
			t.Errorf("%s: %d and %d, want less and more", reflect.TypeFor[fund.Event]().Field(i).Name, a, b)
		}
	}
	earlier := fund.Event{Kind: 12, At: 4, ProductCode: "Z", Amount: 9, Closed: true}
	if fund.CompareEvents(&earlier, &base) >= 0 {
		t.Error("time does not come first")
	}
}

func TestTheLastWordOnAPurpose(t *testing.T) {
	p := fund.Profile{Consents: []fund.Consent{{Purpose: fund.ConsentCall, At: 5}, {Purpose: fund.ConsentPush, Granted: true, At: 6}}}
	for purpose, want := range map[string]fund.Answer{fund.ConsentCall: fund.No, fund.ConsentPush: fund.Yes, "PROFILING": fund.Unknown, "": fund.Unknown} {
		if got := p.Consent(purpose); got != want {
			t.Errorf("%q: %q, want %q", purpose, got, want)
		}
	}
}

// Who was born is no company, whatever his segment says.
func TestCompanies(t *testing.T) {
	for want, people := range map[bool][]fund.Person{
		true:  {{Segment: fund.CorporateSegment}},
		false: {{}, {Segment: "RETAIL"}, {Segment: fund.CorporateSegment, BirthDate: 19800101}},
	} {
		for i := range people {
			if people[i].IsCompany() != want {
				t.Errorf("%+v is a company: %v", people[i], !want)
			}
		}
	}
}
