package joined

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/dataset/synthetic"
	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/experiment"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/slate"
	"github.com/fundmatch/fundmatch/matcher/wording"
	"github.com/fundmatch/fundmatch/services/decisionlog"
	"github.com/fundmatch/fundmatch/services/engine"
)

// served is a synthetic bank that answered its customers at ten o'clock of a day.
type served struct {
	store   *memory.Store
	core    *matcher.Core
	at      fund.Instant
	answers []*matcher.Slate
	log     told
}

// serve answers every customer, with settings of exploration.
func serve(t *testing.T, e slate.Exploration, edit func(i int, s *matcher.Request)) *served {
	t.Helper()
	opts := synthetic.Options{Customers: 40, Products: 60, Seed: 5, AsOf: fund.Date(20260310)}
	s := &served{store: memory.New(), at: opts.AsOf.Start().Add(10 * time.Hour)}
	generated, err := synthetic.Generate(opts)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.store.Import(t.Context(), s.at, generated.Load); err != nil {
		t.Fatal(err)
	}
	if err := engine.InstallDefaults(t.Context(), s.store, s.at); err != nil {
		t.Fatal(err)
	}
	loader, err := engine.NewLoader(s.store, s.store, "served")
	if err != nil {
		t.Fatal(err)
	}
	if s.core, err = loader.Newest(t.Context(), s.at); err != nil {
		t.Fatal(err)
	}
	ids, err := s.store.CustomerIDs(t.Context(), "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range ids {
		s.answer(t, i, id, e, edit)
	}
	return s
}

func (s *served) answer(t *testing.T, i int, customerID string, e slate.Exploration, edit func(int, *matcher.Request)) {
	t.Helper()
	profile, err := s.store.Profile(t.Context(), customerID, s.at)
	if err != nil {
		t.Fatal(err)
	}
	id := decisionID(i)
	request := matcher.Request{At: s.at, Channel: fund.App, Audience: wording.Customer, Limit: 4, Exploration: e, Seed: matcher.SeedOf(id)}
	edit(i, &request)
	answer := new(matcher.Slate)
	if err := s.core.Match(profile, request, answer); err != nil {
		t.Fatal(err)
	}
	if len(answer.Items) == 0 {
		return
	}
	s.answers = append(s.answers, answer)
	s.log = append(s.log, decisionlog.Stored{Record: decisionlog.Record{
		DecisionID: id, DecidedAt: int64(s.at), RecordedAt: int64(s.at), CustomerID: customerID, Kind: decisionlog.KindDecision,
		Profile: fund.AppendProfile(nil, profile), Payload: answer.AppendCanonical(nil),
	}})
}

// judge joins for a policy. Nothing is known of outcomes.
func (s *served) judge(t *testing.T, policy Policy, model []byte) ([]Row, *PolicySummary) {
	t.Helper()
	var rows taken
	o := Options{Window: time.Hour, Outcome: fund.OrderConfirm, Through: s.at, Policy: policy, Model: model, Workers: 2}
	told, err := (&Job{Log: s.log, Store: s.store, Now: s.at, Version: "judging", Options: o}).Run(context.Background(), &rows)
	if err != nil {
		t.Fatal(err)
	}
	return rows, told.Policy
}

// spread leaves the last place to chance, to many.
func spread() slate.Exploration { return slate.Exploration{Probability: 2000, Next: 8, MaxGap: 10} }

func unedited(int, *matcher.Request) {}

// A candidate that is the model in force shows what was shown, exactly as likely: every weight is 1, also of a place
// that was left to chance, by whoever's settings, and of records of before definitions were named.
func TestTheModelInForceHasWeightOne(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]*served{
		"greedy": serve(t, slate.Exploration{}, unedited),
		"explored by an arm": serve(t, spread(), func(_ int, r *matcher.Request) {
			r.Exposures = []experiment.Assignment{{Layer: "chance", Experiment: "next", Arm: "explore"}}
		}),
		"some explored": serve(t, spread(), func(i int, r *matcher.Request) {
			if i%2 == 0 {
				r.Exploration = slate.Exploration{}
			}
		}),
	} {
		rows, told := s.judge(t, Candidate, score.DefaultModel())
		explored := 0
		for i := range rows {
			r := &rows[i]
			if r.Target != r.Propensity || r.Numbers[unsupported] != 0 {
				t.Fatalf("%s: %s at %d: target %v, logged %v, unsupported %v", name, r.DecisionID, r.Position, r.Target, r.Propensity, r.Numbers[unsupported])
			}
			if r.Propensity < 1 {
				explored++
			}
		}
		if len(rows) < 60 || (explored > 0) != (name != "greedy") || told.Unsupported+told.Longer+told.Shorter != 0 {
			t.Errorf("%s: %d rows, %d explored, %+v", name, len(rows), explored, told)
		}
	}
	old := serve(t, slate.Exploration{}, unedited)
	for i, answer := range old.answers {
		answer.Identity.Definitions = "" // a record of version 2
		old.log[i].Payload = answer.AppendCanonical(nil)
		if old.log[i].Payload[0] != 2 {
			t.Fatalf("a record of version %d", old.log[i].Payload[0])
		}
	}
	rows, _ := old.judge(t, Candidate, score.DefaultModel())
	for i := range rows {
		if rows[i].Target != 1 {
			t.Fatalf("an old record: %+v", rows[i])
		}
	}
}

// edited is the built-in model with an edit.
func edited(t *testing.T, from, to string) []byte {
	t.Helper()
	data := bytes.Replace(score.DefaultModel(), []byte(from), []byte(to), 1)
	if bytes.Equal(data, score.DefaultModel()) {
		t.Fatalf("the model has no %q", from)
	}
	return data
}

// Another candidate: at every position of every decision its probabilities over what the log could show, and the mass
// that is told as unsupported, are all of it; both are what its own answers say, by every draw; and none of what it
// would show is anything that the gate forbids.
func TestACandidatesProbabilities(t *testing.T) {
	t.Parallel()
	s := serve(t, spread(), unedited)
	for name, model := range map[string][]byte{
		"quality counts ten times": edited(t, "QUALITY\n    weight: 0.2", "QUALITY\n    weight: 2"),
		"explores by itself":       edited(t, "  max_issuer_pct: 40", "  exploration: {probability_bps: 1000, next: 3, max_gap: 5}\n  max_issuer_pct: 40"),
	} {
		rows, told := s.judge(t, Candidate, model)
		id, err := s.store.Put(t.Context(), features.ModelArtifact, model)
		if err != nil {
			t.Fatal(err)
		}
		core := s.coreOf(t, id)
		at, differ := 0, false
		for i, logged := range s.answers {
			profile, err := fund.ParseProfile(s.log[i].Profile)
			if err != nil {
				t.Fatal(err)
			}
			judged := new(matcher.Slate)
			if err := core.Match(profile, logged.Request, judged); err != nil {
				t.Fatal(err)
			}
			if n, err := s.core.Violations(profile, judged, new(matcher.Slate)); n != 0 || err != nil {
				t.Fatalf("%s: %d violations (%v)", name, n, err)
			}
			for rank := 1; rank <= len(logged.Items); rank++ {
				r := &rows[at]
				at++
				sum := r.Numbers[unsupported]
				for _, code := range couldStand(logged, rank) {
					sum += chance(judged, rank, code)
				}
				if rank <= len(judged.Items) && math.Abs(sum-1) > 1e-12 {
					t.Fatalf("%s: %s at %d: the probabilities sum to %v", name, r.DecisionID, rank, sum)
				}
				if want := chance(judged, rank, r.ProductCode); r.Target != want {
					t.Fatalf("%s: %s at %d: target %v, want %v", name, r.DecisionID, rank, r.Target, want)
				}
				differ = differ || r.Numbers[unsupported] > 0
			}
		}
		if at != len(rows) || told.Model != id || differ != (told.Unsupported > 0) || !differ && name[0] == 'q' {
			t.Errorf("%s: %d of %d rows, %+v", name, at, len(rows), told)
		}
	}
}

// coreOf compiles the core of another model of the store, by another loader.
func (s *served) coreOf(t *testing.T, model string) *matcher.Core {
	t.Helper()
	loader, err := engine.NewLoader(s.store, s.store, "other")
	if err != nil {
		t.Fatal(err)
	}
	id := s.core.Identity()
	id.ModelID = model
	core, err := loader.Past(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return core
}

// couldStand lists what a logged list could show at a rank.
func couldStand(s *matcher.Slate, rank int) []string {
	if s.Explored.Rank != rank {
		return []string{s.Items[rank-1].Code}
	}
	var codes []string
	for _, c := range s.Explored.Choices {
		codes = append(codes, c.Code)
	}
	return codes
}

// A candidate whose file leaves more to chance than the log did: what it would show in that place is mostly without
// support, and said to be so.
func TestWhatTheLogCouldNotShow(t *testing.T) {
	t.Parallel()
	s := serve(t, slate.Exploration{}, unedited)
	model := edited(t, "  max_issuer_pct: 40", "  exploration: {probability_bps: 1000, next: 3, max_gap: 5}\n  max_issuer_pct: 40")
	rows, told := s.judge(t, Candidate, model)
	explored := 0
	for i := range rows {
		r := &rows[i]
		if math.Abs(r.Target+r.Numbers[unsupported]-1) > 1e-12 || r.Target != 1 && r.Target != .9 {
			t.Fatalf("%s at %d: target %v, unsupported %v", r.DecisionID, r.Position, r.Target, r.Numbers[unsupported])
		}
		if r.Target != 1 {
			explored++
		}
	}
	counted := int64(0)
	for _, p := range told.Positions {
		counted += p.Unsupported
		if p.Unsupported > 0 && math.Abs(p.Mass-.1*float64(p.Unsupported)/float64(p.Decisions)) > 1e-12 {
			t.Errorf("position %+v", p)
		}
	}
	if explored == 0 || counted != int64(explored) || told.Unsupported != int64(explored) {
		t.Errorf("%d explored, %d counted, %+v", explored, counted, told)
	}
}

// The list without exploration: 1 where it stands, 0 where another was drawn in its place.
func TestGreedy(t *testing.T) {
	t.Parallel()
	s := serve(t, spread(), unedited)
	rows, told := s.judge(t, Greedy, nil)
	at, drawn := 0, 0
	for _, logged := range s.answers {
		for i := range logged.Items {
			want := 1.0
			if logged.Explored.Rank == i+1 && logged.Items[i].Code != logged.Explored.Choices[0].Code {
				want = 0
				drawn++
			}
			if r := &rows[at]; r.Target != want || r.Numbers[unsupported] != 0 {
				t.Fatalf("%s at %d: target %v, want %v", r.DecisionID, r.Position, r.Target, want)
			}
			at++
		}
	}
	if drawn == 0 || told.Unsupported != 0 || told.Policy != "greedy" {
		t.Errorf("%d drawn, %+v", drawn, told)
	}
	none, nobody := s.judge(t, NoPolicy, nil)
	if nobody != nil || !math.IsNaN(none[0].Target) || !math.IsNaN(none[0].Numbers[unsupported]) {
		t.Errorf("without a policy: %+v, %+v", nobody, none[0])
	}
}

// What is no model is refused before anything is read.
func TestACandidateThatIsNoModel(t *testing.T) {
	t.Parallel()
	s := serve(t, slate.Exploration{}, unedited)
	o := Options{Window: time.Hour, Outcome: fund.OrderConfirm, Through: s.at, Policy: Candidate, Model: []byte("name: none")}
	_, err := (&Job{Log: s.log, Store: s.store, Now: s.at, Options: o}).Run(t.Context(), &taken{})
	if !errors.Is(err, score.ErrModel) {
		t.Error(err)
	}
}

// Supports add up as one would have counted them.
func TestSupportsAddUp(t *testing.T) {
	t.Parallel()
	row := func(mass float64) Row {
		r := Row{Numbers: emptyNumbers()}
		r.Numbers[unsupported] = mass
		return r
	}
	lists := [][]Row{{row(0), row(.5)}, {row(0)}, {row(1), row(0), row(.25)}, {row(0), row(0)}}
	judged := []int{2, 3, 3, 1}
	var whole, first, second support
	for i, rows := range lists {
		whole.count(rows, judged[i])
		if i < 2 {
			first.count(rows, judged[i])
		} else {
			second.count(rows, judged[i])
		}
	}
	first.add(&second)
	if fmt.Sprint(first) != fmt.Sprint(whole) {
		t.Errorf("%+v, want %+v", first, whole)
	}
	got := whole.summary(Candidate, nil)
	want := PolicySummary{Policy: "model", Unsupported: 3, Longer: 1, Shorter: 1, Positions: []PositionSupport{
		{1, 4, 1, .25}, {2, 3, 1, .5 / 3}, {3, 1, 1, .25},
	}}
	if fmt.Sprint(*got) != fmt.Sprint(want) {
		t.Errorf("%+v, want %+v", *got, want)
	}
}
