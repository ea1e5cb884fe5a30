package server

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/decisiontable"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

const orderTable = "../../matcher/testdata/orders.yaml"

// TestOrderCasesOverREST asks every order of the decision table of the whole service: what
// happened before is sent as events, each when it happened; a confirmation is the answer to
// an order check of its time, recorded as the channel records it.
func TestOrderCasesOverREST(t *testing.T) {
	t.Parallel()
	runOverREST(t, orderTable, beyondREST, (*caseBank).checkOrder)
}

// checkOrder lives through the case and compares the answer to its order.
func (b *caseBank) checkOrder(id string) {
	b.t.Helper()
	request := b.request(b.fen(b.c.Amount))
	for i := range b.c.Confirmed {
		if word := b.confirm(&b.c.Confirmed[i]); word != "" {
			request["confirmations"] = []string{word}
		}
	}
	b.publishProducts()
	b.moveTo(b.at)
	out := b.order(request)
	c := b.c
	if out.Verdict != c.Verdict {
		b.t.Errorf("verdict %s, expected %s: %+v", out.Verdict, c.Verdict, out.Findings)
	}
	b.checkRule(id, c.Says, c.Reason, out.Findings)
	for other, says := range c.By {
		b.checkRule(other, says, "", out.Findings)
	}
	b.checkDemands(id, &out)
}

func (b *caseBank) checkDemands(id string, out *toldOrder) {
	b.t.Helper()
	c, rejected := b.c, ""
	for _, r := range out.RejectedConfirmations {
		rejected += r.Why
	}
	if expected := c.Rejected; rejected != expected && !slices.ContainsFunc(c.Confirmed, unproven) {
		b.t.Errorf("rejected %q, expected %q", rejected, expected)
	}
	for _, s := range out.Steps {
		if s.RuleID == id && s.Code == c.Reason && c.Step != "" && s.Done != (c.Step == "DONE") {
			b.t.Errorf("step %s done %v, expected %s", s.Code, s.Done, c.Step)
		}
	}
	if c.Dealt != "" && out.AvailableOn != c.Dealt {
		b.t.Errorf("dealt on %s, expected %s", out.AvailableOn, c.Dealt)
	}
	if c.Answer.Origin != "" && out.OriginReason != c.Answer.Origin {
		b.t.Errorf("origin %s, expected %s", out.OriginReason, c.Answer.Origin)
	}
	if most := b.fen(c.Most); c.Most != "" && out.MaxAmountFen != inFen(most) {
		b.t.Errorf("at most %s fen, expected %d", out.MaxAmountFen, most)
	}
}

// unproven reports whether a word lacks its proof. The library is told of such a word and
// rejects it; the service does not keep it.
func unproven(w decisiontable.Confirmation) bool {
	return w.Trace == "none" || w.Branch && w.Recording == "" || w.Rule == "S13" && (w.Reviewer == "" || w.Reviewer == decisiontable.ManagerID)
}

// confirm has the customer asked, and answering, and perhaps spending the answer on another
// order. It returns the id of what is kept; empty: the service refused it.
func (b *caseBank) confirm(w *decisiontable.Confirmation) string {
	b.t.Helper()
	b.moveTo(b.instant(w.Asked))
	ask := b.request(b.fen(b.c.Amount))
	ask["channel"], ask["recordingId"] = "APP", ""
	if w.Branch {
		ask["channel"], ask["recordingId"] = "BRANCH", "R-0"
	}
	if w.Product != "" {
		ask["productCode"] = w.Product
	}
	if w.Amount != "" {
		ask["amountFen"] = inFen(b.fen(w.Amount))
	}
	asked := b.order(ask)
	b.moveTo(b.instant(w.Confirmed))
	id := b.keep(w, asked.DecisionID, ask["channel"])
	if w.Used {
		ask["confirmations"] = []string{id}
		if other := b.order(ask); other.Verdict != "ALLOW" {
			b.t.Fatalf("the other order is %s", other.Verdict)
		}
	}
	return id
}

// keep records a word.
func (b *caseBank) keep(w *decisiontable.Confirmation, decisionID string, channel any) string {
	b.t.Helper()
	word := map[string]any{
		"decisionId": decisionID, "items": []map[string]string{{"ruleId": w.Rule, "reason": w.Reason}}, "channel": channel,
		"trace": w.Trace, "recordingId": w.Recording, "reviewerId": w.Reviewer,
	}
	if w.Trace == "none" {
		delete(word, "trace")
	}
	if w.Branch {
		word["managerId"] = decisiontable.ManagerID
	}
	body, err := json.Marshal(word)
	if err != nil {
		b.t.Fatal(err)
	}
	got := b.server.do(http.MethodPost, "/v1/customers/"+decisiontable.CustomerID+"/confirmations", string(body), "Content-Type", "application/json")
	if refused := got.code != http.StatusOK; refused != unproven(*w) {
		b.t.Fatalf("confirmation: HTTP %d %s", got.code, got.body)
	} else if refused {
		return ""
	}
	var kept struct{ Confirmations []struct{ ID string } }
	if err := json.Unmarshal([]byte(got.body), &kept); err != nil || len(kept.Confirmations) != 1 {
		b.t.Fatalf("%q: %v", got.body, err)
	}
	return kept.Confirmations[0].ID
}

// moveTo sets the clock, and sends what has happened by then.
func (b *caseBank) moveTo(at fund.Instant) {
	b.t.Helper()
	b.bank.clock.set(at)
	if err := b.bank.engine.Reload(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	past := slices.IndexFunc(b.events, func(e fund.Event) bool { return e.At > at })
	if past < 0 {
		past = len(b.events)
	}
	b.post(b.events[:past])
	b.events = b.events[past:]
}

// publishProducts replaces the products of the time of a confirmation by those of now.
func (b *caseBank) publishProducts() {
	b.t.Helper()
	products, err := b.c.Products()
	if err != nil {
		b.t.Fatal(err)
	}
	_, err = b.bank.store.Import(b.t.Context(), fund.InstantOf(b.bank.clock.now()), func(to features.Batch) error { return to.Products(products) })
	if err != nil {
		b.t.Fatal(err)
	}
}

// products are those of the pool when the case begins: graded as when he was warned.
func (b *caseBank) products() ([]fund.Product, error) {
	then := *b.c
	for i := range b.c.Confirmed {
		if grade := b.c.Confirmed[i].Grade; grade != "" {
			then.Product.Grade = grade
		}
	}
	return then.Products()
}

func (b *caseBank) fen(y decisiontable.Yuan) fund.Money {
	b.t.Helper()
	m, err := y.Fen()
	if err != nil {
		b.t.Fatal(err)
	}
	return m
}

func (b *caseBank) instant(s string) fund.Instant {
	b.t.Helper()
	at, err := fund.ParseInstant(s)
	if err != nil {
		b.t.Fatal(err)
	}
	return at
}
