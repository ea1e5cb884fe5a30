package server

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/dataset"
	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/matcher/decisiontable"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/services/engine"
)

const gateTable = "../../matcher/eligibility/testdata/decisions.yaml"

// leastOverREST is how many in a hundred cases of a table the API can be asked.
const leastOverREST = 90

// TestGateCasesOverREST asks every case of the gate's decision table of the whole service:
// the bank's recommendation by products:explain, an order by orders:check, its origin made
// by what the customer and the bank did.
func TestGateCasesOverREST(t *testing.T) {
	t.Parallel()
	runOverREST(t, gateTable, beyondREST, (*caseBank).checkGate)
}

// runOverREST runs the cases of a table, and counts those that the API cannot express.
func runOverREST(t *testing.T, path string, beyond func(*decisiontable.Case) string, check func(*caseBank, string)) {
	t.Helper()
	table, err := decisiontable.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	hall := newHall(t)
	asked, passed := 0, map[string]int{}
	for _, id := range table.IDs() {
		for i := range table.Rules[id] {
			c := &table.Rules[id][i]
			if why := beyond(c); why != "" {
				passed[why]++
				continue
			}
			asked++
			t.Run(id+"/"+c.About, func(t *testing.T) { check(hall.open(t, c), id) })
		}
	}
	t.Logf("%d of %d cases over REST", asked, table.Len())
	for _, why := range slices.Sorted(maps.Keys(passed)) {
		t.Logf("%3d not over REST: %s", passed[why], why)
	}
	if asked*100 < table.Len()*leastOverREST {
		t.Errorf("%d of %d cases over REST, expected %d in a hundred", asked, table.Len(), leastOverREST)
	}
}

// beyondREST says why the API cannot be asked a case of the gate; empty: it can.
func beyondREST(c *decisiontable.Case) string {
	profile, _ := c.Profile() // who opens the case reports what does not read
	events, _ := c.Events()
	at, _ := fund.ParseInstant(c.At)
	switch {
	case slices.ContainsFunc(events, func(e fund.Event) bool { return e.At > at }):
		return "the API refuses events of the future"
	case c.Channel == "none":
		return "the API always knows the channel: its default is APP"
	case c.Public:
		return "the API has no list for the unspecified public"
	case c.Settled != decisiontable.Settled{}:
		return "what is settled of a wish is inferred from many events, not stated"
	case slices.ContainsFunc(profile.Assessments, func(a fund.Assessed) bool { return a.Level == fund.LevelUnknown }):
		return "the stores refuse an assessment without a level"
	}
	return ""
}

// caseBank is a bank of one case behind the whole service.
type caseBank struct {
	t       *testing.T
	c       *decisiontable.Case
	bank    *bank
	server  *running
	at      fund.Instant // of the question
	profile *fund.Profile
	events  []fund.Event
	posted  int // events
}

// hall is where the banks of cases open, one after the other: each has a store of its own,
// and all have the sentences, which take longest to compile.
type hall struct {
	bankStore // of the case that is asked

	loader *engine.Loader
}

func newHall(t *testing.T) *hall {
	t.Helper()
	h := &hall{bankStore: memory.New()}
	var err error
	if h.loader, err = engine.NewLoader(h, h, "test"); err != nil {
		t.Fatal(err)
	}
	return h
}

// open loads customer, product and pack of a case as an import does, and serves them.
func (h *hall) open(t *testing.T, c *decisiontable.Case) *caseBank {
	t.Helper()
	at, err := fund.ParseInstant(c.At)
	if err != nil {
		t.Fatal(err)
	}
	pack, err := decisiontable.Edit(eligibility.Default(), c.Set)
	if err != nil {
		t.Fatal(err)
	}
	b := &caseBank{t: t, c: c, at: at}
	if b.profile, err = c.Profile(); err != nil {
		t.Fatal(err)
	}
	if b.events, err = c.Events(); err != nil {
		t.Fatal(err)
	}
	origin, err := c.Origin()
	if err != nil {
		t.Fatal(err)
	}
	b.events = append(b.events, origin...)
	slices.SortStableFunc(b.events, func(x, y fund.Event) int { return fund.CompareEvents(&x, &y) })
	h.bankStore = memory.New()
	opens := at
	if len(c.Confirmed) > 0 {
		opens = b.instant(c.Confirmed[0].Asked)
	}
	b.bank = openBankAt(t, &opening{store: h, loader: h.loader, at: opens, told: b.at, pack: pack, load: b.load})
	b.server = b.bank.start(t)
	return b
}

// load puts the case into an import.
func (b *caseBank) load(to features.Batch) error {
	products, err := b.products()
	if err != nil {
		return err
	}
	if err := b.loadCalendar(to); err != nil {
		return err
	}
	if err := to.Products(products); err != nil {
		return err
	}
	if err := to.Branches([]features.Branch{{ID: decisiontable.BranchID, Name: "一支行"}, {ID: "B2", Name: "二支行"}}); err != nil {
		return err
	}
	if err := to.Managers(b.managers()); err != nil {
		return err
	}
	return to.Cells(cellsOf(b.profile))
}

func (b *caseBank) loadCalendar(to features.Batch) error {
	days, err := b.c.Calendar()
	if len(days) == 0 || err != nil {
		return err
	}
	rows := make([]features.CalendarDay, 0, len(days))
	for _, day := range slices.Sorted(maps.Keys(days)) {
		rows = append(rows, features.CalendarDay{Date: day, Open: days[day]})
	}
	return to.Calendar(rows)
}

// managers are the one in charge, whose licence is as the case says, and a reviewer.
func (b *caseBank) managers() []features.Manager {
	m := features.Manager{ID: decisiontable.ManagerID, BranchID: decisiontable.BranchID, LicenceID: "L1", LicenceUntil: b.at.Date().AddDays(1)}
	switch b.c.Licence {
	case "none":
		m.LicenceID, m.LicenceUntil = "", 0
	case "EXPIRED":
		m.LicenceUntil = b.at.Date()
	case "ELSEWHERE":
		m.BranchID = "B2"
	}
	return []features.Manager{m, {ID: decisiontable.ReviewerID, BranchID: decisiontable.BranchID, LicenceID: "L2", LicenceUntil: b.at.Date().AddDays(1)}}
}

// cellsOf writes a customer as the rows of a dataset do.
func cellsOf(p *fund.Profile) []features.Cell {
	row := dataset.CustomerRow{CustomerID: p.CustomerID, Person: p.Person, Needs: p.Needs, Personalization: p.Personalization}
	switch {
	case p.Assessment.Level != fund.LevelUnknown:
		row.Level = dataset.CustomerLevel{Level: p.Assessment.Level, Source: dataset.LevelAssessed, AssessedOn: p.Assessment.On}
	case p.PredictedLevel != fund.LevelUnknown:
		row.Level = dataset.CustomerLevel{Level: p.PredictedLevel, Source: dataset.LevelPredicted}
	}
	// An assessment of the history is not told twice.
	if slices.ContainsFunc(p.Assessments, func(a fund.Assessed) bool { return a.At.Date() == p.Assessment.On }) {
		row.Level = dataset.CustomerLevel{}
	}
	cells := row.AppendCells(nil)
	for _, a := range p.Assessments {
		assessed := dataset.AssessmentRow{CustomerID: p.CustomerID, AssessedAt: a.At, Level: a.Level}
		cells = assessed.AppendCells(cells)
	}
	for _, l := range p.Lots {
		held := dataset.HoldingRow{CustomerID: p.CustomerID, Lot: l}
		cells = held.AppendCells(cells)
	}
	return cells
}

// toldFinding is a rule's word in an answer.
type toldFinding struct {
	RuleID, Outcome, Reason string
	Facts                   []string
	Remedy                  struct{ Code, On string }
}

// checkGate asks what the case asks and compares what the gate's rules say.
func (b *caseBank) checkGate(id string) {
	b.t.Helper()
	var said []toldFinding
	if b.c.As == decisiontable.Recommendation {
		said = b.explain()
	} else {
		b.post(b.events)
		said = ofGate(b.order(b.request(1_000_000)).Findings)
	}
	c := b.c
	b.checkRule(id, c.Says, c.Reason, said)
	for other, says := range c.By {
		b.checkRule(other, says, "", said)
	}
	if got := strongest(said, func(toldFinding) bool { return true }); c.Verdict != "" && got != c.Verdict {
		b.t.Errorf("the strongest outcome is %s, expected %s: %+v", got, c.Verdict, said)
	}
	for _, f := range said {
		if f.RuleID != id || f.Reason != c.Reason {
			continue
		}
		if facts := "[{" + strings.ReplaceAll(strings.Join(f.Facts, "} {"), "=", " ") + "}]"; c.Facts != "" && facts != c.Facts && c.Facts != "[]" {
			b.t.Errorf("facts %s, expected %s", facts, c.Facts)
		}
		if remedy := strings.TrimSpace(f.Remedy.Code + " " + f.Remedy.On); c.Remedy != "" && c.Remedy != eligibility.RemedyNone && remedy != c.Remedy {
			b.t.Errorf("remedy %s, expected %s", remedy, c.Remedy)
		}
	}
}

func (b *caseBank) checkRule(id, says, reason string, said []toldFinding) {
	b.t.Helper()
	reasons := ""
	for _, f := range said {
		if f.RuleID == id {
			reasons += f.Reason + " "
		}
	}
	if got := strongest(said, func(f toldFinding) bool { return f.RuleID == id }); got != says || !strings.Contains(reasons, reason) {
		b.t.Errorf("%s says %s (%s), expected %s (%s): %+v", id, got, reasons, says, reason, said)
	}
}

// strongest is the strongest outcome of some findings.
func strongest(said []toldFinding, of func(toldFinding) bool) string {
	top := eligibility.None
	for o := eligibility.None; o <= eligibility.Block; o++ {
		if slices.ContainsFunc(said, func(f toldFinding) bool { return of(f) && f.Outcome == o.String() }) {
			top = o
		}
	}
	return top.String()
}

// explain asks about a recommendation.
func (b *caseBank) explain() []toldFinding {
	b.t.Helper()
	b.post(b.events)
	var out struct {
		Verdict      string
		Permitted    bool
		Personalized bool
		Findings     []toldFinding
		Assumed      []string
	}
	b.call(http.MethodGet, "/v1/customers/"+decisiontable.CustomerID+"/products/"+b.code()+":explain?channel="+b.channel(), "", &out)
	if b.c.Personal != nil && out.Personalized != *b.c.Personal {
		b.t.Errorf("personal %v, expected %v", out.Personalized, *b.c.Personal)
	}
	if b.c.Assumed != "" && !slices.Contains(out.Assumed, b.c.Assumed) {
		b.t.Errorf("assumed %v, expected %s among them", out.Assumed, b.c.Assumed)
	}
	top := strongest(out.Findings, func(toldFinding) bool { return true })
	mild := slices.Contains([]string{"NONE", "AUDIT", "TASK", "DISCLOSE", "STEP"}, top)
	if out.Permitted != mild || mild != (out.Verdict == "PERMITTED") || !mild && out.Verdict != top {
		b.t.Errorf("verdict %s, permitted %v, the strongest finding is %s", out.Verdict, out.Permitted, top)
	}
	return out.Findings
}

func (b *caseBank) channel() string { return b.c.Channel }

func (b *caseBank) code() string {
	if b.c.Product.Code != "" {
		return b.c.Product.Code
	}
	return decisiontable.Code
}

// post sends events that were not sent before.
func (b *caseBank) post(events []fund.Event) {
	b.t.Helper()
	const most = 500
	for from := 0; from < len(events); from += most {
		var batch []map[string]any
		for _, e := range events[from:min(from+most, len(events))] {
			b.posted++
			batch = append(batch, eventJSON(&e, b.posted))
		}
		body, err := json.Marshal(map[string]any{"events": batch})
		if err != nil {
			b.t.Fatal(err)
		}
		b.call(http.MethodPost, "/v1/events", string(body), nil)
	}
}

// eventJSON writes an entry of a trail as a channel sends it.
func eventJSON(e *fund.Event, number int) map[string]any {
	about := map[fund.EventKind]string{
		fund.Click: "page", fund.DetailView: "page", fund.ObjectionRaised: "objection", fund.Refusal: "reason", fund.Complaint: "about",
		fund.EvidenceOpen: "code",
	}
	attributes := map[string]any{}
	if name := about[e.Kind]; name != "" && e.About != "" {
		attributes[name] = e.About
	}
	if e.Until != 0 {
		attributes["until"] = e.Until.String()
	}
	if e.Amount != 0 {
		attributes["amount_fen"] = int64(e.Amount)
	}
	if e.Cost != 0 {
		attributes["cost_fen"] = int64(e.Cost)
	}
	if e.Closed {
		attributes["closed"] = true
	}
	return map[string]any{
		"eventId": fmt.Sprintf("E%d", number), "customerId": decisiontable.CustomerID, "kind": e.Kind.String(),
		"eventAt": e.At.Time().Format(time.RFC3339Nano), "productCode": e.ProductCode, "attributes": attributes,
	}
}

// toldOrder is the answer to an order check.
type toldOrder struct {
	DecisionID, Verdict, OriginReason, AvailableOn string
	Findings                                       []toldFinding
	Steps                                          []struct {
		RuleID, Code string
		Done         bool
	}
	RejectedConfirmations []struct{ Why string }
	MaxAmountFen          string
}

// request is the body of the order's check.
func (b *caseBank) request(amount fund.Money) map[string]any {
	return map[string]any{
		"productCode": b.code(), "amountFen": inFen(amount), "channel": b.channel(), "audience": "MANAGER", "recordingId": b.c.Recording,
	}
}

func inFen(m fund.Money) string { return strconv.FormatInt(int64(m), 10) }

func (b *caseBank) order(request map[string]any) (out toldOrder) {
	b.t.Helper()
	body, err := json.Marshal(request)
	if err != nil {
		b.t.Fatal(err)
	}
	b.call(http.MethodPost, "/v1/customers/"+decisiontable.CustomerID+"/orders:check", string(body), &out)
	return out
}

// ofGate leaves the findings of the rules of orders out.
func ofGate(all []toldFinding) []toldFinding {
	return slices.DeleteFunc(slices.Clone(all), func(f toldFinding) bool {
		return slices.ContainsFunc(eligibility.Reasons(), func(r eligibility.ReasonSpec) bool {
			return r.Order && string(r.Rule) == f.RuleID && r.Reason == f.Reason
		})
	})
}

// call asks the service and reads the answer, which must be one.
func (b *caseBank) call(method, path, body string, into any) {
	b.t.Helper()
	got := b.server.do(method, path, body, "Content-Type", "application/json")
	if got.code != http.StatusOK {
		b.t.Fatalf("%s %s: HTTP %d %s", method, path, got.code, got.body)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal([]byte(got.body), into); err != nil {
		b.t.Fatal(err)
	}
}
