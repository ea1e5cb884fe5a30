package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
)

// handMade reads the answer that was written by hand, with every part in it.
func handMade(t *testing.T) *fundmatchv1.RecommendResponse {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "talkcard", "manager.json"))
	if err != nil {
		t.Fatal(err)
	}
	answer := new(fundmatchv1.RecommendResponse)
	if err := protojson.Unmarshal(text, answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// forCustomer makes of the answer what the service gives the customer: a doubt under its
// face, nothing silenced, no aspect that is not met, no field that is the manager's.
func forCustomer(a *fundmatchv1.RecommendResponse) {
	takeManagers(a.ProtoReflect())
	it := a.GetItems()[0]
	it.Objections, it.Expectation.Matched = it.GetObjections()[:1], it.GetExpectation().GetMatched()[:1]
	it.Objections[0].Code, a.Audience = "DRAWDOWN", "CUSTOMER"
}

func takeManagers(m protoreflect.Message) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		marked, ok := proto.GetExtension(f.Options(), fundmatchv1.E_ManagerOnly).(bool)
		switch {
		case ok && marked:
			m.Clear(f)
		case f.Kind() != protoreflect.MessageKind:
		case f.IsList():
			for i := range v.List().Len() {
				takeManagers(v.List().Get(i).Message())
			}
		default:
			takeManagers(v.Message())
		}
		return true
	})
}

// The card as each reads it, from an answer with every part in it.
func TestTheTalkCard(t *testing.T) {
	t.Parallel()
	manager, customer := handMade(t), handMade(t)
	forCustomer(customer)
	for name, answer := range map[string]*fundmatchv1.RecommendResponse{"manager.golden": manager, "customer.golden": customer} {
		var out bytes.Buffer
		if err := writeAnswer(&out, answer); err != nil {
			t.Fatal(err)
		}
		checkGolden(t, filepath.Join("testdata", "talkcard", name), out.Bytes())
	}
}

// An explanation shows the same card and brief.
func TestTheExplanationHasTheCard(t *testing.T) {
	t.Parallel()
	answer := handMade(t)
	it := answer.GetItems()[0]
	var out bytes.Buffer
	above := &fundmatchv1.Finding{
		RuleId: "S02", Outcome: "HIDE", Text: "等级高于客户。", Change: "重新测评。", Citation: "适当性办法", SourceMark: 1, CustomerText: "高于您的等级。",
		Facts: []string{"grade=R3", "level=C2"}, Parameters: []*fundmatchv1.RuleParameter{{Name: "matrix", Value: "R2"}},
		Remedy: &fundmatchv1.Remedy{Code: "LOWER_GRADE", Text: "看等级更低的产品。"},
	}
	err := writeExplanation(&out, &fundmatchv1.ExplainResponse{
		Strongest: above, CustomerId: "C000001", Product: it.GetProduct(), At: answer.GetDecidedAt(), Verdict: "HIDE", OrderVerdict: "CONFIRM", Score: 2.5,
		Findings: []*fundmatchv1.Finding{above},
		Evidence: []*fundmatchv1.Evidence{{Field: "RETURN_1Y", Value: "0.205800", Unit: "RATIO"}},
		Why:      it.GetWhy(), Expectation: it.GetExpectation(), Objections: it.GetObjections(), Conversion: it.GetConversion(),
		TalkCard: it.GetTalkCard(), Brief: answer.GetBrief(), Assumed: []string{"LOCKUP"},
	})
	if err != nil {
		t.Fatal(err)
	}
	checkGolden(t, filepath.Join("testdata", "talkcard", "explanation.golden"), out.Bytes())
}

// Every text of a message that a reader should see is on the card.
func TestTheCardLeavesNoTextOut(t *testing.T) {
	t.Parallel()
	answer := handMade(t)
	var out bytes.Buffer
	if err := writeAnswer(&out, answer); err != nil {
		t.Fatal(err)
	}
	seen := 0
	eachText(answer.ProtoReflect(), func(field protoreflect.FieldDescriptor, text string) {
		if !isSentence(text) {
			return
		}
		seen++
		if !strings.Contains(out.String(), text) {
			t.Errorf("%s is not on the card: %q", field.FullName(), text)
		}
	})
	if seen < 20 {
		t.Errorf("only %d sentences were looked for", seen)
	}
}

func eachText(m protoreflect.Message, visit func(protoreflect.FieldDescriptor, string)) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		one := func(v protoreflect.Value) {
			if f.Kind() == protoreflect.MessageKind {
				eachText(v.Message(), visit)
			} else if f.Kind() == protoreflect.StringKind {
				visit(f, v.String())
			}
		}
		if !f.IsList() {
			one(v)
			return true
		}
		for i := range v.List().Len() {
			one(v.List().Get(i))
		}
		return true
	})
}

// isSentence tells sentences from codes and names.
func isSentence(text string) bool { return strings.ContainsAny(text, "。？，") }

func TestYuan(t *testing.T) {
	t.Parallel()
	for fen, want := range map[int64]string{
		0: "0 元", 5: "0.05 元", 100: "1 元", 99_999: "999.99 元", 100_000: "1,000 元", 123_456_789: "1,234,567.89 元", -318_795: "-3,187.95 元",
	} {
		if got := yuan(fen); got != want {
			t.Errorf("yuan(%d) = %q, expected %q", fen, got, want)
		}
	}
}

func TestReadableFacts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ unit, value, want string }{
		{"RATIO", "-0.360100", "-36.01%"},
		{"RATIO", "?", "?"},
		{"FEN", "123450", "1,234.50 元"},
		{"FEN", "?", "?"},
		{"DAYS", "7", "7 天"},
		{"MONTHS", "12", "12 个月"},
		{"MINUTES", "905", "15:05"},
		{"COUNT", "3", "3"},
		{"TEXT", "R3", "R3"},
		{"DATE", "2024-03-12", "2024-03-12"},
	} {
		if got := readable(&fundmatchv1.Evidence{Field: "X", Unit: c.unit, Value: c.value}); got != c.want {
			t.Errorf("%s %s: %q, expected %q", c.unit, c.value, got, c.want)
		}
	}
	for _, c := range []struct{ field, unit, value, want string }{
		{"GRADE_GAP", "RATIO", "-1", "-1.00 级"}, // grades, no share
		{"NEXT_STEP", "TEXT", "ASKED", "提疑问"},
		{"CHANNEL", "TEXT", "BRANCH", "网点"},
		{"LAST_PAGE", "TEXT", "FEE", "费用"},
		{"CHANNEL", "TEXT", "KIOSK", "KIOSK"},
	} {
		if got := readable(&fundmatchv1.Evidence{Field: c.field, Unit: c.unit, Value: c.value}); got != c.want {
			t.Errorf("%s %s: %q, expected %q", c.field, c.value, got, c.want)
		}
	}
	for field, want := range map[string]string{"MAX_DRAWDOWN": "最大回撤", "MAX_DRAWDOWN_3Y": "近三年最大回撤", "SOMETHING_NEW": "SOMETHING_NEW"} {
		if got := evidenceName(field); got != want {
			t.Errorf("%s is called %q, expected %q", field, got, want)
		}
	}
}
