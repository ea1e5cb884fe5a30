package recommendation_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"google.golang.org/grpc"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/recommendation"
)

// put puts an artifact in force, here too, and returns its id.
func (b *bank) put(t *testing.T, kind features.ArtifactKind, data []byte) string {
	t.Helper()
	id := b.keep(t, kind, data)
	err := b.store.Activate(t.Context(), features.Activation{Kind: kind, ArtifactID: id, At: fund.InstantOf(b.at), By: "tester"})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.engine.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if refused := b.engine.Refusals(); len(refused) > 0 {
		t.Fatal(refused[0].Err)
	}
	return id
}

func (b *bank) keep(t *testing.T, kind features.ArtifactKind, data []byte) string {
	t.Helper()
	id, err := b.store.Put(t.Context(), kind, data)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// heavier is the built-in model with ten times the weight of quality.
func heavier() []byte {
	return bytes.Replace(score.DefaultModel(), []byte("QUALITY\n    weight: 0.2"), []byte("QUALITY\n    weight: 2"), 1)
}

// halves is a plan by which half of the customers get a model, and half of those and of the
// others a list with a place left to chance.
func halves(model string) []byte {
	return fmt.Appendf(nil, `schema: fundmatch.experiments/v1
name: halves
version: 1
layers:
  - name: models
    salt: models-2026
    experiments:
      - {name: quality, salt: quality-2026, from: 2026-03-01, until: 2026-04-01, first_bucket: 0, end_bucket: 10000, arms: [
          {name: control, share_bps: 5000, control: true}, {name: heavy, share_bps: 5000, model: %s}]}
  - name: chance
    salt: chance-2026
    experiments:
      - {name: next, salt: next-2026, from: 2026-03-01, until: 2026-04-01, first_bucket: 0, end_bucket: 10000, arms: [
          {name: greedy, share_bps: 5000, control: true}, {name: explore, share_bps: 5000, exploration: {probability_bps: 2000, next: 8, max_gap: 10}}]}
`, model)
}

// A customer is answered by one model wherever scores show, the record names it, says which
// arms he was in, and gives the same bytes again; what is drawn is drawn by the decision id.
func TestACustomerIsAnsweredByHisArm(t *testing.T) {
	t.Parallel()
	b := openBank(t, testBank)
	heavy := b.keep(t, features.ModelArtifact, heavier())
	if heavy == b.keep(t, features.ModelArtifact, score.DefaultModel()) {
		t.Fatal("the models are the same")
	}
	b.put(t, features.ExperimentsArtifact, halves(heavy))
	ask := newAsker(t, b, 21)
	by, drawn := map[string]int{}, 0
	models := map[string]string{} // by customer
	for i := range 400 {
		question := ask.question()
		got, err := b.service.Recommend(t.Context(), question)
		if err != nil {
			t.Fatal(err)
		}
		r := &b.log.records[i]
		if err := again(t.Context(), b, r, got); err != nil {
			t.Fatalf("answer %d: %v", i, err)
		}
		recorded, err := matcher.ParseSlate(r.Payload)
		if err != nil {
			t.Fatal(err)
		}
		model := recorded.Identity.ModelID
		if before, known := models[r.CustomerID]; known && before != model {
			t.Fatalf("%s is answered by two models", r.CustomerID)
		}
		models[r.CustomerID] = model
		by[model]++
		arms := map[string]string{}
		for _, x := range recorded.Request.Exposures {
			arms[x.Layer] = x.Arm
		}
		if len(arms) != 2 || (arms["models"] == "heavy") != (model == heavy) || (arms["chance"] == "explore") != (recorded.Request.Exploration.Probability > 0) {
			t.Fatalf("answer %d: arms %v, model %.8s, exploration %+v", i, arms, model, recorded.Request.Exploration)
		}
		if p := recorded.Request; p.Exploration.Probability > 0 && p.Seed != matcher.SeedOf(got.GetDecisionId()) {
			t.Fatalf("answer %d: drawn by %x", i, p.Seed)
		}
		drawn += min(recorded.Explored.Drawn, 1)
		if got.GetRevisions().GetModel() != model {
			t.Fatalf("answer %d: told of model %.8s, recorded %.8s", i, got.GetRevisions().GetModel(), model)
		}
		if items := got.GetItems(); len(items) > 0 && i%4 == 0 {
			e, err := b.service.Explain(t.Context(), &fundmatchv1.ExplainRequest{
				CustomerId: r.CustomerID, ProductCode: items[0].GetProduct().GetCode(), Channel: question.GetChannel(), Audience: question.GetAudience(),
			})
			if err != nil || e.GetScore() != items[0].GetScore() || e.GetRevisions().GetModel() != model { //nolint:testifylint // the same bits
				t.Fatalf("answer %d: score %v by %.8s in the list, %v by %.8s beside it (%v)",
					i, items[0].GetScore(), model, e.GetScore(), e.GetRevisions().GetModel(), err)
			}
		}
	}
	if by[heavy] < 100 || len(by) != 2 || drawn == 0 {
		t.Errorf("answers by model: %v, places left to chance: %d", by, drawn)
	}
}

// The name of an answer tells which arm it is of, and a list whose last place was left to chance
// shares its name with none: taken for one before, what is drawn often would be shown under
// fewer decisions than are logged.
func TestAnETagKnowsArmsAndChance(t *testing.T) {
	t.Parallel()
	b := openBank(t, testBank)
	b.put(t, features.ExperimentsArtifact, halves(b.keep(t, features.ModelArtifact, heavier())))
	ids := newAsker(t, b, 22).ids
	said := map[string]string{}
	known := 0
	for i := range 3000 {
		stream := &headerStream{}
		limit := int32(3)
		got, err := b.service.Recommend(grpc.NewContextWithServerTransportStream(t.Context(), stream), &fundmatchv1.RecommendRequest{
			CustomerId: ids[i%30], Limit: &limit,
		})
		if err != nil {
			t.Fatal(err)
		}
		tag, body := stream.header.Get("etag")[0], contentOf(t, got)
		items := got.GetItems()
		if _, ok := said[tag]; ok && len(items) > 0 && items[len(items)-1].GetPropensity() < 1 {
			t.Fatalf("%s names two draws", tag)
		}
		if before, ok := said[tag]; ok && before != body {
			t.Fatalf("%s names two answers:\n%s\n%s", tag, before, body)
		} else if ok {
			known++
		}
		said[tag] = body
	}
	if known < 1000 || len(said) < 300 {
		t.Errorf("%d names, %d of them again: nothing was tried", len(said), known)
	}
}

// What is recorded is offered to the shadow, what an arm answered is not.
func TestTheShadowIsGivenWhatWasAnswered(t *testing.T) {
	t.Parallel()
	b := openBank(t, testBank)
	heavy := b.keep(t, features.ModelArtifact, heavier())
	b.put(t, features.ExperimentsArtifact, halves(heavy))
	dark := b.put(t, features.ShadowArtifact, bytes.Replace(heavier(), []byte("name: spine"), []byte("name: dark"), 1))
	var last struct {
		shadow, customer, model string
		n                       int
	}
	service := recommendation.New(b.engine, b.store, b.log, recommendation.Config{
		Clock: b.clock, NewID: newID,
		Compare: func(shadow *matcher.Core, p *fund.Profile, answer *matcher.Slate) {
			last.shadow, last.customer, last.model = shadow.Identity().ModelID, p.CustomerID, answer.Identity.ModelID
			last.n++
		},
	})
	want, ask := 0, newAsker(t, b, 23)
	for range 200 {
		id := ask.customer()
		got, err := service.Recommend(t.Context(), &fundmatchv1.RecommendRequest{CustomerId: id})
		if err != nil {
			t.Fatal(err)
		}
		if got.GetRevisions().GetModel() != heavy {
			want++
			if last.customer != id || last.shadow != dark || last.model != got.GetRevisions().GetModel() {
				t.Fatalf("offered %+v", last)
			}
		}
		if last.n != want {
			t.Fatalf("%d offered, want %d", last.n, want)
		}
		if want > 20 && b.log.err == nil {
			b.log.err = context.Canceled
			if _, err := service.Recommend(t.Context(), &fundmatchv1.RecommendRequest{CustomerId: id}); err == nil || last.n != want {
				t.Fatalf("%v; an answer that was not given is compared", err)
			}
			return
		}
	}
	t.Fatal("hardly anybody was answered by the model in force")
}
