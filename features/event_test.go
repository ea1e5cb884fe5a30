package features_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

const happened = fund.Instant(1_600_000_000_000_000)

func stored(kind, attributes string) *features.Event {
	return &features.Event{ID: "e", CustomerID: "c", Kind: kind, EventAt: happened, ProductCode: "P", Channel: "APP", Attributes: attributes}
}

// What each kind reads, in each spelling, and what it passes over.
func TestEntryReadsWhatItsKindKnows(t *testing.T) {
	base := fund.Event{At: happened, ProductCode: "P", Channel: "APP"}
	about := func(s string) func(*fund.Event) { return func(e *fund.Event) { e.About = s } }
	none := func(*fund.Event) {}
	for _, c := range []struct {
		kind       fund.EventKind
		attributes string
		want       func(*fund.Event)
	}{
		{fund.Exposure, `{"page":"FEE","amount_fen":1}`, none},
		{fund.Contact, `{"about":"x"}`, none},
		{fund.Click, `{"page":"FEE"}`, about("FEE")},
		{fund.Click, `{"tab":"RISK","dwell_seconds":4}`, about("RISK")},
		{fund.Click, `{"tab":"RISK","page":"FEE"}`, about("FEE")},
		{fund.DetailView, `{"dwell_seconds":42,"page":"PERFORMANCE"}`, func(e *fund.Event) { e.Dwell, e.About = 42, "PERFORMANCE" }},
		{fund.DetailView, `{"dwellSeconds":86400}`, func(e *fund.Event) { e.Dwell = 86_400 }},
		{fund.ObjectionRaised, `{"objection":"NOT_NOW","until":"2026-05-01"}`, func(e *fund.Event) { e.About, e.Until = "NOT_NOW", 2026_05_01 }},
		{fund.ObjectionRaised, `{"code":"FEE","reason":"x"}`, about("FEE")},
		{fund.EvidenceOpen, `{"field":"MAX_DRAWDOWN"}`, none},
		{fund.EvidenceOpen, `{"field":"MAX_DRAWDOWN","objection":"DRAWDOWN","until":"2026-05-01"}`, about("DRAWDOWN")},
		{fund.OrderStart, `{"amount_fen":500}`, func(e *fund.Event) { e.Amount = 500 }},
		{fund.OrderConfirm, `{"amountFen":1000000000000000}`, func(e *fund.Event) { e.Amount = fund.MaxMoney }},
		{fund.OrderAbandon, `{"amount_fen":1,"cost_fen":2}`, func(e *fund.Event) { e.Amount = 1 }},
		{fund.Refusal, `{"reason":"先不买了","until":"2026-12-31"}`, func(e *fund.Event) { e.About, e.Until = "先不买了", 2026_12_31 }},
		{fund.Redeem, `{"amount_fen":70,"cost_fen":100}`, func(e *fund.Event) { e.Amount, e.Cost = 70, 100 }},
		{fund.Redeem, `{"amountFen":70,"costFen":100,"reason":"FELL"}`, func(e *fund.Event) { e.Amount, e.Cost = 70, 100 }},
		{fund.Complaint, `{"about":"LOSS","closed":true}`, func(e *fund.Event) { e.About, e.Closed = "LOSS", true }},
		{fund.Complaint, `{"closed":false}`, none},
		{fund.Complaint, `{"closed":null,"about":null}`, none},
		{fund.Complaint, ``, none},
	} {
		want := base
		want.Kind = c.kind
		c.want(&want)
		e := stored(c.kind.String(), c.attributes)
		got, ok := e.Entry()
		if d := cmp.Diff(want, got); d != "" || !ok {
			t.Errorf("%s %s (-want +got):\n%s", c.kind, c.attributes, d)
		}
		if err := e.CheckAttributes(); err != nil {
			t.Errorf("%s %s: %v, want no error", c.kind, c.attributes, err)
		}
	}
	if _, ok := stored("CALLED_BACK", "").Entry(); ok {
		t.Error("a kind of the bank's own became an entry")
	}
	if _, ok := stored("UNKNOWN", "").Entry(); ok {
		t.Error("UNKNOWN became an entry")
	}
}

// What is stored already leaves the field zero; what comes in is named.
func TestAttributesOutOfTypeAreTolerantOrNamed(t *testing.T) {
	for _, c := range []struct{ kind, attributes, field string }{
		{"CLICK", `[]`, "attributes"},
		{"CLICK", `{`, "attributes"},
		{"CLICK", `{"page":7}`, "attributes.page"},
		{"CLICK", `{"tab":"` + strings.Repeat("页", 257) + `"}`, "attributes.tab"},
		{"CLICK", `{"page":"a\u0000b"}`, "attributes.page"},
		{"OBJECTION", `{"objection":["FEE"]}`, "attributes.objection"},
		{"OBJECTION", `{"until":"2026-02-30"}`, "attributes.until"},
		{"REFUSAL", `{"until":20260401}`, "attributes.until"},
		{"REFUSAL", `{"reason":{}}`, "attributes.reason"},
		{"ORDER_START", `{"amount_fen":-1}`, "attributes.amount_fen"},
		{"ORDER_START", `{"amount_fen":1.5}`, "attributes.amount_fen"},
		{"ORDER_START", `{"amountFen":"5"}`, "attributes.amountFen"},
		{"REDEEM", `{"cost_fen":1000000000000001}`, "attributes.cost_fen"},
		{"REDEEM", `{"costFen":1e30}`, "attributes.costFen"},
		{"DETAIL_VIEW", `{"dwell_seconds":86401}`, "attributes.dwell_seconds"},
		{"DETAIL_VIEW", `{"dwellSeconds":true}`, "attributes.dwellSeconds"},
		{"COMPLAINT", `{"closed":"true"}`, "attributes.closed"},
		{"COMPLAINT", `{"closed":1}`, "attributes.closed"},
		{"BUY", ``, "kind"},
		{"", ``, "kind"},
		{"CLICK", `{"a":"` + strings.Repeat("x", features.MaxEventAttributes) + `"}`, "attributes"},
	} {
		var invalid *features.InvalidError
		if err := stored(c.kind, c.attributes).CheckAttributes(); !errors.As(err, &invalid) || invalid.Field != c.field {
			t.Errorf("%s %.60s: %v, want an InvalidError of %s", c.kind, c.attributes, err, c.field)
		}
		got, _ := stored(c.kind, c.attributes).Entry()
		if got.About != "" || got.Until != 0 || got.Amount != 0 || got.Cost != 0 || got.Dwell != 0 || got.Closed {
			t.Errorf("%s %.60s became %+v, want zero fields", c.kind, c.attributes, got)
		}
	}
}

func TestOneBadAttributeLeavesTheOthers(t *testing.T) {
	got, ok := stored("REDEEM", `{"amount_fen":"much","cost_fen":9}`).Entry()
	if !ok || got.Amount != 0 || got.Cost != 9 {
		t.Errorf("entry %+v, want the cost alone", got)
	}
}

func TestRepeats(t *testing.T) {
	base := *stored("CLICK", `{"page":"FEE","n":12345678901234567890}`)
	base.KnownAt = happened + 9
	for name, c := range map[string]struct {
		change func(*features.Event)
		want   bool
	}{
		"nothing":             {func(*features.Event) {}, true},
		"no known time":       {func(e *features.Event) { e.KnownAt = 0 }, true},
		"another known time":  {func(e *features.Event) { e.KnownAt-- }, false},
		"other spacing":       {func(e *features.Event) { e.Attributes = ` { "n" : 12345678901234567890, "page":"FEE" } ` }, true},
		"another last digit":  {func(e *features.Event) { e.Attributes = `{"page":"FEE","n":12345678901234567891}` }, false},
		"another page":        {func(e *features.Event) { e.Attributes = `{"page":"RISK","n":12345678901234567890}` }, false},
		"no attributes":       {func(e *features.Event) { e.Attributes = "" }, false},
		"another product":     {func(e *features.Event) { e.ProductCode = "Q" }, false},
		"attributes, no JSON": {func(e *features.Event) { e.Attributes = "{" }, false},
	} {
		e := base
		c.change(&e)
		if got := e.Repeats(&base); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	empty, object := stored("CLICK", ""), stored("CLICK", "{}")
	if !object.Repeats(empty) || !empty.Repeats(object) {
		t.Error("an empty object says something")
	}
}

// Whatever bytes are stored, an entry stays within its bounds, and what passes the
// strict check is read the same.
func FuzzEventAttributes(f *testing.F) {
	for _, seed := range []string{`{"page":"FEE","dwell_seconds":4}`, `{"amount_fen":1e3,"cost_fen":9}`, `{"until":"2026-05-01","closed":true}`, `{"about":"\ud800"}`, `[`} {
		f.Add(uint8(3), seed)
	}
	f.Fuzz(func(t *testing.T, kind uint8, attributes string) {
		e := stored(fund.EventKind(int(kind)%(fund.EventKinds-1)+1).String(), attributes)
		got, ok := e.Entry()
		if !ok || got.Amount < 0 || got.Amount > fund.MaxMoney || got.Cost < 0 || got.Cost > fund.MaxMoney ||
			got.Dwell < 0 || got.Dwell > features.MaxDwell || len([]rune(got.About)) > fund.MaxTextLength {
			t.Errorf("%s %q became %+v", e.Kind, attributes, got)
		}
		p := fund.Profile{Trail: fund.Trail{Recent: []fund.Event{got}}}
		if _, err := fund.ParseProfile(fund.AppendProfile(nil, &p)); err != nil {
			t.Errorf("%s %q cannot be read back: %v", e.Kind, attributes, err)
		}
		_ = e.CheckAttributes()
	})
}
