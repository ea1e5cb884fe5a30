package recommendation_test

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/fundmatch/fundmatch/features/dataset/synthetic"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/wording"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
)

// testBank is the bank of most tests here: every story, every anchor product, some others.
var testBank = synthetic.Options{Customers: 400, Products: 80, Seed: 11, AsOf: fund.Date(20260310)}

// answers is how many random answers a property is tried on: the environment's number,
// or usual.
func answers(tb testing.TB, usual int) int {
	tb.Helper()
	text := os.Getenv("FUNDMATCH_PROPERTY_ANSWERS")
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		tb.Fatalf("FUNDMATCH_PROPERTY_ANSWERS=%q, expected a number of answers", text)
	}
	return n
}

// asker asks random questions about a bank.
type asker struct {
	rng *rand.Rand
	ids []string
}

func newAsker(tb testing.TB, b *bank, seed uint64) *asker {
	tb.Helper()
	ids, err := b.store.CustomerIDs(tb.Context(), "", 100_000)
	if err != nil || len(ids) == 0 {
		tb.Fatalf("%d customers, %v", len(ids), err)
	}
	return &asker{rand.New(rand.NewPCG(seed, 3)), ids}
}

func (a *asker) customer() string { return a.ids[a.rng.IntN(len(a.ids))] }

func (a *asker) question() *fundmatchv1.RecommendRequest {
	limit := int32(1 + a.rng.IntN(50))
	return &fundmatchv1.RecommendRequest{
		CustomerId: a.customer(), Channel: []string{"", "APP", "BRANCH"}[a.rng.IntN(3)], Limit: &limit,
		Explain: a.rng.IntN(2) == 0, Audience: []string{"", "CUSTOMER", "MANAGER"}[a.rng.IntN(3)],
	}
}

// managersOnly finds what no customer may read in a message.
type managersOnly struct {
	texts []string        // pieces of sentences that are written for managers alone
	clean map[string]bool // texts that were searched: answers repeat theirs
}

// newManagersOnly reads the templates' source, so that the test does not depend on the
// code that keeps the audiences apart.
func newManagersOnly(tb testing.TB) *managersOnly {
	tb.Helper()
	m := &managersOnly{clean: map[string]bool{}}
	var forAll []string
	files, err := fs.Glob(wording.DefaultTemplates(), "*.yaml")
	if err != nil || len(files) == 0 {
		tb.Fatalf("%d files of templates, %v", len(files), err)
	}
	for _, name := range files {
		file, err := wording.DefaultTemplates().Open(name)
		if err != nil {
			tb.Fatal(err)
		}
		var source struct {
			Templates []struct {
				ID, Audience, Text string
			}
		}
		if err := yaml.NewDecoder(file).Decode(&source); err != nil {
			tb.Fatal(err)
		}
		_ = file.Close()
		for _, t := range source.Templates {
			if t.Audience == "MANAGER" {
				m.texts = append(m.texts, pieces(t.Text)...)
			} else {
				forAll = append(forAll, t.Text)
			}
		}
	}
	kept := m.texts[:0]
	for _, piece := range m.texts { // what a customer may read elsewhere proves nothing
		if !strings.Contains(strings.Join(forAll, "\n"), piece) {
			kept = append(kept, piece)
		}
	}
	m.texts = kept
	return m
}

// pieces cuts a template at its slots.
func pieces(text string) []string {
	var out []string
	for _, part := range strings.Split(text, "{") {
		if _, after, ok := strings.Cut(part, "}"); ok {
			part = after
		}
		if len([]rune(part)) >= 5 {
			out = append(out, part)
		}
	}
	return out
}

// find walks a message and returns the first thing that is for managers alone.
func (m *managersOnly) find(message protoreflect.Message) string {
	found := ""
	message.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if managerOnly(f) {
			found = string(f.FullName())
		}
		each(f, v, func(v protoreflect.Value) {
			switch {
			case f.Kind() == protoreflect.MessageKind:
				if inner := m.find(v.Message()); inner != "" {
					found = inner
				}
			case f.Kind() == protoreflect.StringKind && !m.clean[v.String()]:
				if m.holds(v.String()) {
					found = fmt.Sprintf("%s: %q", f.FullName(), v.String())
				}
			}
		})
		return found == ""
	})
	return found
}

func (m *managersOnly) holds(text string) bool {
	for _, piece := range m.texts {
		if strings.Contains(text, piece) {
			return true
		}
	}
	m.clean[text] = true
	return false
}

// each visits a field's value, or every element of a list.
func each(f protoreflect.FieldDescriptor, v protoreflect.Value, visit func(protoreflect.Value)) {
	if !f.IsList() {
		visit(v)
		return
	}
	for i := range v.List().Len() {
		visit(v.List().Get(i))
	}
}

// TestCustomersReadNothingThatIsForManagers: likelihoods, triggers, resolution rates,
// probabilities and managers' sentences never reach a customer.
func TestCustomersReadNothingThatIsForManagers(t *testing.T) {
	t.Parallel()
	b := openBank(t, testBank)
	ask := newAsker(t, b, 1)
	secret := newManagersOnly(t)
	if len(secret.texts) < 10 {
		t.Fatalf("only %d pieces of managers' sentences: the templates were not read", len(secret.texts))
	}
	items, managers := 0, 0
	for range answers(t, 2000) {
		question := ask.question()
		got, err := b.service.Recommend(t.Context(), question)
		if err != nil {
			t.Fatalf("%v: %v", question, err)
		}
		items += len(got.GetItems())
		found := secret.find(got.ProtoReflect())
		switch {
		case question.GetAudience() == "MANAGER":
			if found != "" {
				managers++
			}
		case found != "":
			t.Fatalf("%v: the customer reads %s", question, found)
		}
	}
	if items == 0 || managers == 0 {
		t.Fatalf("%d items, and %d answers with something for managers: nothing was tried", items, managers)
	}
}

// TestTheAudienceChangesTextsOnly: who reads changes neither list, scores nor evidence.
func TestTheAudienceChangesTextsOnly(t *testing.T) {
	t.Parallel()
	b := openBank(t, testBank)
	ask := newAsker(t, b, 2)
	for range 200 {
		question := ask.question()
		var facts [2]string
		for i, audience := range []string{"CUSTOMER", "MANAGER"} {
			question.Audience = audience
			got, err := b.service.Recommend(t.Context(), question)
			if err != nil {
				t.Fatal(err)
			}
			facts[i] = factsOf(t, got)
		}
		if facts[0] != facts[1] {
			t.Fatalf("%v:\nCUSTOMER %s\nMANAGER  %s", question, facts[0], facts[1])
		}
	}
}

// factsOf is what an answer says besides texts, its id and what only managers see.
func factsOf(tb testing.TB, answer *fundmatchv1.RecommendResponse) string {
	tb.Helper()
	out, ok := proto.Clone(answer).(*fundmatchv1.RecommendResponse)
	if !ok {
		tb.Fatal("a clone of another type")
	}
	out.DecisionId, out.Audience, out.Disclosures, out.Notices = "", "", nil, nil
	takeManagers(out.ProtoReflect())
	// That a check stands open is the bank's matter (C07).
	out.Excluded = slices.DeleteFunc(out.Excluded, func(x *fundmatchv1.Exclusion) bool { return x.GetRuleId() == "C07" })
	for _, it := range out.GetItems() {
		it.Expectation.Headline, it.Expectation.Question, it.Conversion.Text = "", "", ""
		// Whether an aspect is told depends on the reader; those that both see are the same.
		it.Expectation.Matched = nil
		for _, s := range it.GetConversion().GetSteps() {
			s.Text = ""
		}
		// A customer sees some doubts, and those under another name.
		it.Objections = nil
	}
	return bytesOf(tb, out)
}

// takeManagers clears whatever is for managers only.
func takeManagers(m protoreflect.Message) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if managerOnly(f) {
			m.Clear(f)
			return true
		}
		if f.Kind() == protoreflect.MessageKind {
			each(f, v, func(v protoreflect.Value) { takeManagers(v.Message()) })
		}
		return true
	})
}

// managerOnly reads the option of a field.
func managerOnly(f protoreflect.FieldDescriptor) bool {
	marked, ok := proto.GetExtension(f.Options(), fundmatchv1.E_ManagerOnly).(bool)
	return ok && marked
}

// bytesOf marshals a message so that equal ones are equal.
func bytesOf(tb testing.TB, m proto.Message) string {
	tb.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}

// TestEveryItemIsWhole: no item without expectation, objection, conversion; texts
// without holes; contributions that sum to the score in their order.
func TestEveryItemIsWhole(t *testing.T) {
	t.Parallel()
	b := openBank(t, testBank)
	ask := newAsker(t, b, 4)
	items := 0
	for range 500 {
		question := ask.question()
		got, err := b.service.Recommend(t.Context(), question)
		if err != nil {
			t.Fatalf("%v: %v", question, err)
		}
		if len(got.GetItems()) > int(question.GetLimit()) {
			t.Fatalf("%v: %d items", question, len(got.GetItems()))
		}
		for i, it := range got.GetItems() {
			items++
			if err := whole(i, it, question); err != nil {
				t.Fatalf("%v: %v", question, err)
			}
		}
	}
	if items == 0 {
		t.Fatal("no item was looked at")
	}
}

func whole(i int, it *fundmatchv1.Item, question *fundmatchv1.RecommendRequest) error {
	explained, manager := question.GetExplain(), question.GetAudience() == "MANAGER"
	switch {
	case int(it.GetRank()) != i+1:
		return fmt.Errorf("item %d has rank %d", i, it.GetRank())
	case it.GetExpectation().GetHeadline() == "" || it.GetConversion().GetText() == "":
		return fmt.Errorf("item %d lacks expectation or conversion: %v", i, it)
	case manager && len(it.GetObjections()) == 0:
		// A customer may be shown none: some doubts are not for his eyes.
		return fmt.Errorf("item %d lacks an objection: %v", i, it)
	case it.GetOrderable() != slices.Contains([]string{"BUY", "PLAN"}, it.GetConversion().GetAction()):
		return fmt.Errorf("item %d: orderable %v with action %s", i, it.GetOrderable(), it.GetConversion().GetAction())
	case explained != (len(it.GetContributions()) > 0):
		return fmt.Errorf("item %d: %d contributions, explain %v", i, len(it.GetContributions()), explained)
	}
	sum := 0.0
	for _, c := range it.GetContributions() {
		sum += c.GetContribution()
	}
	if explained && sum != it.GetScore() { //nolint:testifylint // exact by contract
		return fmt.Errorf("item %d: contributions sum to %v, score %v", i, sum, it.GetScore())
	}
	for _, o := range it.GetObjections() {
		// To some doubts silence is the answer: the manager is told so.
		silence := manager && o.GetAnswer() == "" && o.GetAdvice() != ""
		figures := strings.ContainsAny(o.GetAnswer(), "0123456789")
		if !silence && o.GetAnswer() == "" || figures && len(o.GetEvidence()) == 0 {
			return fmt.Errorf("item %d: objection %s without answer or evidence", i, o.GetCode())
		}
	}
	return nil
}

// TestExplainAgreesWithRecommend: what is recommended is explained as permitted, with the
// same score, and what Explain refuses is not recommended.
func TestExplainAgreesWithRecommend(t *testing.T) {
	t.Parallel()
	b := openBank(t, testBank)
	ask := newAsker(t, b, 5)
	core, _, err := b.engine.Core()
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for range 60 {
		question := ask.question()
		got, err := b.service.Recommend(t.Context(), question)
		if err != nil {
			t.Fatal(err)
		}
		scores := map[string]float64{}
		for _, it := range got.GetItems() {
			scores[it.GetProduct().GetCode()] = it.GetScore()
		}
		for i := range core.Len() {
			code := core.Product(i).Code
			why, err := b.service.Explain(t.Context(), &fundmatchv1.ExplainRequest{
				CustomerId: question.GetCustomerId(), ProductCode: code, Channel: question.GetChannel(),
			})
			if err != nil {
				t.Fatal(err)
			}
			score, listed := scores[code]
			if listed && (!why.GetPermitted() || why.GetScore() != score) { //nolint:testifylint // the same computation
				t.Fatalf("%v: %s is listed with %v; explain: permitted %v, score %v", question, code, score, why.GetPermitted(), why.GetScore())
			}
			if !why.GetPermitted() {
				refused++
				if len(why.GetFindings()) == 0 || why.GetConversion().GetAction() == "BUY" {
					t.Fatalf("%v: %s is refused without a rule, or may be bought: %v", question, code, why)
				}
			}
		}
	}
	if refused == 0 {
		t.Fatal("nothing was refused")
	}
}

// TestQuestionsThatAreRefused names field and value of each.
func TestQuestionsThatAreRefused(t *testing.T) {
	t.Parallel()
	b := openBank(t, testBank)
	limit := func(n int32) *int32 { return &n }
	const customer = "DEMO-0002-STEADY-C3"
	for name, call := range map[string]func(context.Context) error{
		`customerId: "", expected`: func(ctx context.Context) error {
			_, err := b.service.Recommend(ctx, &fundmatchv1.RecommendRequest{})
			return err
		},
		`limit: "0", expected 1 to 50`: func(ctx context.Context) error {
			_, err := b.service.Recommend(ctx, &fundmatchv1.RecommendRequest{CustomerId: customer, Limit: limit(0)})
			return err
		},
		`limit: "51", expected 1 to 50`: func(ctx context.Context) error {
			_, err := b.service.Recommend(ctx, &fundmatchv1.RecommendRequest{CustomerId: customer, Limit: limit(51)})
			return err
		},
		`channel: "WEB", expected APP or BRANCH`: func(ctx context.Context) error {
			_, err := b.service.Recommend(ctx, &fundmatchv1.RecommendRequest{CustomerId: customer, Channel: "WEB"})
			return err
		},
		`audience: "BOTH", expected CUSTOMER or MANAGER`: func(ctx context.Context) error {
			_, err := b.service.Recommend(ctx, &fundmatchv1.RecommendRequest{CustomerId: customer, Audience: "BOTH"})
			return err
		},
		`productCode: "", expected`: func(ctx context.Context) error {
			_, err := b.service.Explain(ctx, &fundmatchv1.ExplainRequest{CustomerId: customer})
			return err
		},
		`PRODUCT "999999": not found`: func(ctx context.Context) error {
			_, err := b.service.Explain(ctx, &fundmatchv1.ExplainRequest{CustomerId: customer, ProductCode: "999999"})
			return err
		},
		`CUSTOMER "NOBODY": not found`: func(ctx context.Context) error {
			_, err := b.service.Recommend(ctx, &fundmatchv1.RecommendRequest{CustomerId: "NOBODY"})
			return err
		},
	} {
		if err := call(t.Context()); err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("%v, expected %s...", err, name)
		}
	}
	if n := len(b.log.records); n != 0 {
		t.Errorf("%d records of questions that were refused", n)
	}
}
