package server

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/decisiontable"
)

const (
	dutyTable = "testdata/duties.yaml"
	textTable = "../../matcher/wording/testdata/texts.yaml"
)

func everyCase(*decisiontable.Case) string { return "" }

// TestDutyCasesOverREST holds the service to what the rules say beside its answers.
func TestDutyCasesOverREST(t *testing.T) {
	t.Parallel()
	runOverREST(t, dutyTable, everyCase, func(b *caseBank, id string) {
		does := b.record
		if id == "A03" {
			does = b.deleteTags
		}
		if got := does(); got != b.c.Does {
			b.t.Errorf("%s, expected %s", got, b.c.Does)
		}
	})
}

// deleteTags (A03) gives him two tags, deletes one, and looks for the case's.
func (b *caseBank) deleteTags() string {
	b.t.Helper()
	path := "/v1/customers/" + decisiontable.CustomerID
	b.call(http.MethodPut, path+"/tags", `{"tags":[{"name":"favourite","value":"科技"},{"name":"hobby","value":"围棋"}]}`, nil)
	b.bank.clock.set(b.at + 1) // what is written in one microsecond has no before and after
	b.call(http.MethodDelete, path+"/tags/favourite", "", nil)
	var out struct {
		Cells []struct{ Name, Value, Status string }
	}
	b.call(http.MethodGet, path, "", &out)
	for _, c := range out.Cells {
		if c.Name == "tag."+b.c.Given && c.Status == "PRESENT" {
			return "KEPT " + c.Value
		} else if c.Name == "tag."+b.c.Given {
			return "GONE"
		}
	}
	if b.c.Given == "favourite" {
		return "GONE"
	}
	return "NOT_FOUND"
}

// record (C06, A08) has an order checked and warned of, confirmed and let through, and asks
// for the record years later.
func (b *caseBank) record() string {
	b.t.Helper()
	b.moveTo(b.at)
	asked := b.order(b.request(b.fen(b.c.Amount)))
	word := decisiontable.Confirmation{Rule: "S03", Reason: "WARN_GRADE_ABOVE_LEVEL", Trace: "T-1"}
	request := b.request(b.fen(b.c.Amount))
	request["confirmations"] = []string{b.keep(&word, asked.DecisionID, "APP")}
	allowed := b.order(request)
	years, err := strconv.Atoi(b.c.Given)
	if err != nil || allowed.Verdict != "ALLOW" {
		b.t.Fatalf("%v, verdict %s", err, allowed.Verdict)
	}
	b.bank.clock.set(b.at.Date().AddMonths(12 * years).Start())
	for _, id := range []string{asked.DecisionID, allowed.DecisionID} {
		var out struct{ DecisionID, Kind string }
		b.call(http.MethodGet, "/v1/decisions/"+id, "", &out)
		if out.DecisionID != id {
			return "GONE"
		}
	}
	return "FOUND"
}

// TestTextCasesOverREST asks every sentence of the decision table of wording:lint.
func TestTextCasesOverREST(t *testing.T) {
	t.Parallel()
	table, err := decisiontable.Read(textTable)
	if err != nil {
		t.Fatal(err)
	}
	first := table.Rules["W01"][0]
	b := newHall(t).open(t, &first) // one bank: a sentence asks nothing of it
	asked := 0
	for _, id := range table.IDs() {
		for i := range table.Rules[id] {
			c := &table.Rules[id][i]
			asked++
			t.Run(id+"/"+c.About, func(t *testing.T) { b.checkText(t, id, c) })
		}
	}
	t.Logf("%d of %d cases over REST", asked, table.Len())
}

func (b *caseBank) checkText(t *testing.T, id string, c *decisiontable.Case) {
	t.Helper()
	body, err := json.Marshal(map[string]string{"text": c.Text, "kind": "SALES_TEXT"})
	if err != nil {
		t.Fatal(err)
	}
	var out struct {
		Findings []struct{ Rule, Text string }
	}
	b.t, b.server.t = t, t
	b.call(http.MethodPost, "/v1/wording:lint", string(body), &out)
	at := slices.IndexFunc(out.Findings, func(f struct{ Rule, Text string }) bool { return f.Rule == id })
	if says := map[bool]string{true: "BLOCK", false: "NONE"}[at >= 0]; says != c.Says || c.Words != "" && out.Findings[at].Text != c.Words {
		t.Errorf("%s says %s, expected %s of %q: %+v", id, says, c.Says, c.Words, out.Findings)
	}
}
