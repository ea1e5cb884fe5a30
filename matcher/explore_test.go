package matcher_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/behaviour"
	"github.com/fundmatch/fundmatch/matcher/experiment"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/slate"
)

// checkExplored holds the form of what was left to chance: the last place of a personal
// list, propensities that sum to one, alternatives no further below than allowed and never
// above the one that they stand for.
func checkExplored(s *matcher.Slate) error {
	x, e := &s.Explored, &s.Request.Exploration
	for i := range s.Items {
		if i+1 != x.Rank && s.Items[i].Propensity != 1 {
			return fmt.Errorf("rank %d: propensity %v where nothing is explored", i+1, s.Items[i].Propensity)
		}
	}
	if x.Rank == 0 {
		return nil
	}
	last := &s.Items[len(s.Items)-1]
	switch {
	case e.Probability == 0 || !s.Personal || s.Information:
		return fmt.Errorf("left to chance with %+v, personal %v, information %v", *e, s.Personal, s.Information)
	case x.Rank != len(s.Items) || len(x.Choices) < 2 || len(x.Choices) > e.Next+1:
		return fmt.Errorf("%d choices at rank %d of %d", len(x.Choices), x.Rank, len(s.Items))
	case x.Choices[x.Drawn].Code != last.Code || x.Choices[x.Drawn].Score != last.Score || x.Choices[x.Drawn].Propensity != last.Propensity:
		return fmt.Errorf("drawn %+v, shown %s %v %v", x.Choices[x.Drawn], last.Code, last.Score, last.Propensity)
	}
	sum, lost, seen := 0.0, 0.0, map[string]bool{}
	for i := range x.Choices {
		c := &x.Choices[i]
		gap := x.Choices[0].Score - c.Score
		if gap < 0 || gap > e.MaxGap || seen[c.Code] || c.Propensity <= 0 {
			return fmt.Errorf("choice %+v beside %+v, the gap may be %v", *c, x.Choices[0], e.MaxGap)
		}
		sum, lost, seen[c.Code] = sum+c.Propensity, lost+c.Propensity*gap, true
	}
	if math.Abs(sum-1) > 1e-12 {
		return fmt.Errorf("propensities sum to %v", sum)
	}
	if bound := float64(e.Probability) / 10_000 * e.MaxGap; lost > bound*(1+1e-12) {
		return fmt.Errorf("the list loses %v in the mean, expected at most %v", lost, bound)
	}
	return nil
}

// exploring asks for five with much exploration.
func exploring(b *bank, next int) matcher.Request {
	return matcher.Request{
		At: b.asOf, Channel: fund.App, Limit: 5, Seed: matcher.SeedOf("01890a5d-ac96-774b-bcce-b302099a8057"),
		Exploration: slate.Exploration{Probability: slate.MaxExploration, Next: next, MaxGap: .5},
	}
}

// Without a probability nothing changes: neither a byte of the record, whatever else the
// settings say, nor anything that a list without them would show.
func TestWithoutExplorationNothingIsLeftToChance(t *testing.T) {
	b := newBank(5, 120)
	core := b.compile(t)
	for i := range 60 {
		p, r := b.customer(i), b.request(core)
		r.Exploration, r.Seed, r.Exposures = slate.Exploration{}, 0, nil
		plain := match(t, core, p, r).AppendCanonical(nil)
		if plain[0] != 3 {
			t.Fatalf("a record of version %d, expected 3: what is in the log is replayed by bytes", plain[0])
		}
		r.Exploration, r.Seed = slate.Exploration{Next: 10, MaxGap: 1}, 7
		if got := match(t, core, p, r).AppendCanonical(nil); !bytes.Equal(got, plain) {
			t.Fatalf("customer %d: settings of an exploration that is off change the record", i)
		}
	}
}

// Only the last place is left to chance: all else of the list is as without exploration, and
// so is the whole answer where the draw lets the product stay, but for what is said of it.
func TestOnlyTheLastPlaceIsLeftToChance(t *testing.T) {
	b := benchBank(300)
	core, p := b.compile(t), benchCustomer(b)
	r := exploring(b, 10)
	plain := r
	plain.Exploration = slate.Exploration{}
	greedy := match(t, core, p, plain)
	stayed, taken := 0, 0
	for seed := range uint64(200) {
		r.Seed = seed
		s := match(t, core, p, r)
		last := len(s.Items) - 1
		if s.Explored.Rank != last+1 || s.Explored.Choices[0].Code != greedy.Items[last].Code {
			t.Fatalf("%+v, expected the last of %d to be %s", s.Explored, last+1, greedy.Items[last].Code)
		}
		if s.Explored.Drawn == 0 {
			stayed++
		} else {
			taken++
			s.Items[last] = greedy.Items[last]
			s.Notices, s.Disclosures = greedy.Notices, greedy.Disclosures // they speak of the products that are shown
		}
		s.Items[last].Propensity = 1
		s.Request, s.Explored = greedy.Request, matcher.Explored{}
		if !bytes.Equal(s.AppendCanonical(nil), greedy.AppendCanonical(nil)) {
			t.Fatalf("seed %d: more differs from the list without exploration than its last place", seed)
		}
	}
	if stayed < 120 || taken < 15 {
		t.Errorf("%d stayed, %d were taken of 200 draws at one in five", stayed, taken)
	}
}

// What a customer doubted, and what has in it what he doubts, is never drawn: an objection
// makes nothing likelier that it was about.
func TestWhatHeDoubtedIsNeverDrawn(t *testing.T) {
	b := benchBank(300)
	core, p := b.compile(t), benchCustomer(b)
	r := exploring(b, slate.MaxNext)
	r.Exploration.MaxGap = 10 // what is doubted scores less, and must not be left out by that alone
	before := match(t, core, p, r).Explored.Choices
	doubted := before[2].Code
	p.Trail = behaviour.Of([]fund.Event{
		{Kind: fund.ObjectionRaised, At: b.day.AddDays(-3).Start(), ProductCode: doubted, Channel: "APP", About: "FEE"},
	})
	after := match(t, core, p, r).Explored.Choices
	if len(after) == 0 || slices.ContainsFunc(after, func(c matcher.Choice) bool { return c.Code == doubted }) {
		t.Fatalf("%s was doubted, and %+v may be drawn", doubted, after)
	}
	liked := 0
	for _, c := range after[1:] {
		e, err := core.Explain(p, c.Code, r)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range e.Slate.Items[0].Contributions {
			if part.Feature.String() == "OBJECTED" && part.Value != 0 {
				t.Errorf("%s has in it what he doubts, %v", c.Code, part.Value)
			}
		}
		liked++
	}
	if liked == 0 {
		t.Error("nothing else may be drawn: the case shows nothing")
	}
}

// Lists for everybody and lists for information are nobody's to learn from: two customers of
// the same gate facts get the same list, and no order is possible on the other.
func TestListsWithoutPersonalisationAreNotExplored(t *testing.T) {
	b := benchBank(300)
	core, p := b.compile(t), benchCustomer(b)
	r := exploring(b, 10)
	p.Personalization = fund.No
	if s := match(t, core, p, r); s.Personal || s.Explored.Rank != 0 || checkExplored(s) != nil {
		t.Errorf("not personal: %+v", s.Explored)
	}
	p.Personalization, p.Assessment = fund.Yes, fund.Assessment{}
	if s := match(t, core, p, r); !s.Information || len(s.Items) == 0 || s.Explored.Rank != 0 || checkExplored(s) != nil {
		t.Errorf("for information: %+v", s.Explored)
	}
}

func TestMatchRefusesExplorationOutOfBounds(t *testing.T) {
	b := benchBank(20)
	core, p := b.compile(t), benchCustomer(b)
	for _, e := range []slate.Exploration{{Probability: 2001, Next: 1}, {Probability: 100}, {Probability: 100, Next: 51}, {Probability: 1, Next: 1, MaxGap: math.NaN()}} {
		r := exploring(b, 1)
		r.Exploration = e
		if err := core.Match(p, r, new(matcher.Slate)); !errors.Is(err, matcher.ErrRequest) || !errors.Is(err, slate.ErrExploration) {
			t.Errorf("%+v: error %v", e, err)
		}
	}
}

// The record says what could have been shown, and by which draw; a replay draws the same.
func TestARecordReplaysTheDraw(t *testing.T) {
	b := benchBank(300)
	core, p := b.compile(t), benchCustomer(b)
	for seed := range uint64(50) {
		r := exploring(b, 8)
		r.Seed, r.Exposures = seed, []experiment.Assignment{{Layer: "ranking", Experiment: "ease", Arm: "control"}}
		sealed := match(t, core, p, r).AppendCanonical(nil)
		if sealed[0] != 4 {
			t.Fatalf("version %d", sealed[0])
		}
		parsed := must[*matcher.Slate](t)(matcher.ParseSlate(sealed))
		if parsed.Request.Seed != seed || !slices.Equal(parsed.Request.Exposures, r.Exposures) || parsed.Request.Exploration != r.Exploration {
			t.Fatalf("read back as %+v", parsed.Request)
		}
		if err := checkExplored(parsed); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(match(t, core, p, parsed.Request).AppendCanonical(nil), sealed) {
			t.Fatalf("seed %d: a replay of the recorded request is another answer", seed)
		}
	}
}

// What no answer can be is refused: a draw of a product that is not shown, one outside the
// choices, a version that nothing needs.
func TestARecordOfAnImpossibleDrawIsMalformed(t *testing.T) {
	b := benchBank(300)
	core, p := b.compile(t), benchCustomer(b)
	spoilt := map[string]func(*matcher.Slate){
		"another product stands there": func(s *matcher.Slate) { s.Items[4].Code = "other" },
		"outside the choices":          func(s *matcher.Slate) { s.Explored.Drawn = len(s.Explored.Choices) },
		"not the last place":           func(s *matcher.Slate) { s.Explored.Rank-- },
		"one choice":                   func(s *matcher.Slate) { s.Explored.Choices = s.Explored.Choices[:1] },
		"a probability out of bounds":  func(s *matcher.Slate) { s.Request.Exploration.Probability = 5000 },
		"choices of no exploration":    func(s *matcher.Slate) { s.Request.Exploration.Probability = 0 },
	}
	for name, spoil := range spoilt {
		s := match(t, core, p, exploring(b, 8))
		spoil(s)
		if _, err := matcher.ParseSlate(s.AppendCanonical(nil)); !errors.Is(err, fund.ErrMalformed) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	s := match(t, core, p, exploring(b, 8))
	s.Request.Exploration, s.Request.Seed, s.Explored = slate.Exploration{}, 0, matcher.Explored{}
	plain := s.AppendCanonical(nil)
	s.Request.Seed = 1
	needless := bytes.Clone(s.AppendCanonical(nil))
	needless[bytes.Index(needless, seedOfOne)] = 0
	if _, err := matcher.ParseSlate(needless); !errors.Is(err, fund.ErrMalformed) || len(needless) <= len(plain) {
		t.Errorf("version 4 without need: error %v", err)
	}
}

// seedOfOne is a recorded seed of 1.
var seedOfOne = []byte{1, 0, 0, 0, 0, 0, 0, 0}

// answersOfDraws is how many answers the chi-square test asks for; make property asks for a
// million.
func answersOfDraws(t *testing.T) int {
	t.Helper()
	if os.Getenv(answersEnv) == "" {
		return 10_000
	}
	return tries(t, 1_000_000, 1)
}

// chiSquareAbove is the probability that chi-square of so many degrees of freedom is above a
// value: the incomplete gamma function by its recurrence, from one degree or two upwards.
func chiSquareAbove(value float64, degrees int) float64 {
	half := value / 2
	above, from := math.Exp(-half), 2
	if degrees%2 == 1 {
		above, from = math.Erfc(math.Sqrt(half)), 1
	}
	for k := from; k < degrees; k += 2 {
		gamma, _ := math.Lgamma(float64(k)/2 + 1)
		above += math.Exp(float64(k)/2*math.Log(half) - half - gamma)
	}
	return above
}

// The propensities in the answers are the frequencies of the products at the place: a
// chi-square test does not reject, and rejects when a propensity is a hundredth off.
func TestLoggedPropensitiesAreExact(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("asks for many answers")
	}
	n := answersOfDraws(t)
	b := benchBank(300)
	core, p := b.compile(t), benchCustomer(b)
	r := exploring(b, 10)
	r.Exploration.MaxGap = 10
	counts := map[string]int{}
	propensities := map[string]float64{}
	var s matcher.Slate
	for i := range n {
		r.Seed = matcher.SeedOf(fmt.Sprintf("01890a5d-ac96-774b-bcce-%012x", i))
		if err := core.Match(p, r, &s); err != nil {
			t.Fatal(err)
		}
		last := &s.Items[len(s.Items)-1]
		counts[strings.Clone(last.Code)]++
		propensities[last.Code] = last.Propensity
	}
	statistic, sum := 0.0, 0.0
	for code, propensity := range propensities {
		expected := propensity * float64(n)
		statistic += (float64(counts[code]) - expected) * (float64(counts[code]) - expected) / expected
		sum += propensity
	}
	pValue := chiSquareAbove(statistic, len(counts)-1)
	t.Logf("%d answers, %d products, chi-square %.2f, p %.3f, propensities sum to 1%+.1e", n, len(counts), statistic, pValue, sum-1)
	if len(counts) != len(s.Explored.Choices) || len(counts) < 5 || math.Abs(sum-1) > 1e-12 || pValue < .001 {
		t.Errorf("%d products, propensities sum to %v, p %v", len(counts), sum, pValue)
	}
}

func TestExplorationDoesNotAllocate(t *testing.T) {
	b := benchBank(300)
	core, p := b.compile(t), benchCustomer(b)
	r := exploring(b, 20)
	var out matcher.Slate
	for range 30 {
		r.Seed++
		if err := core.Match(p, r, &out); err != nil {
			t.Fatal(err)
		}
	}
	allocated := testing.AllocsPerRun(50, func() {
		r.Seed++
		if err := core.Match(p, r, &out); err != nil {
			t.Fatal(err)
		}
	})
	if allocated != 0 {
		t.Errorf("%v allocations", allocated)
	}
}

// A model's exploration is the core's, and the bounds of a model file are the slate's: none
// that parses is refused by Match.
func TestACoreExploresAsItsModelSays(t *testing.T) {
	const last = "  max_held_pct: 20\n"
	for section, want := range map[string]slate.Exploration{
		"": {},
		"  exploration: {probability_bps: 500, next: 10, max_gap: 0.05}\n":              {Probability: 500, Next: 10, MaxGap: .05},
		fmt.Sprintf("  exploration: {probability_bps: %d, next: 50}\n", 2000):           {Probability: slate.MaxExploration, Next: slate.MaxNext},
		fmt.Sprintf("  exploration: {probability_bps: 1, next: %d, max_gap: 1e9}\n", 1): {Probability: 1, Next: 1, MaxGap: 1e9},
	} {
		model, err := score.ParseModel([]byte(strings.Replace(string(score.DefaultModel()), last, last+section, 1)))
		if err != nil {
			t.Fatal(err)
		}
		in := newBank(3, 20).inputs()
		in.Model = model
		got := compile(t, in).Exploration()
		if got != want || got.Check() != nil {
			t.Errorf("%q: %+v, %v", section, got, got.Check())
		}
	}
	for _, beyond := range []string{"probability_bps: 2001, next: 1", "probability_bps: 1, next: 51"} {
		if _, err := score.ParseModel([]byte(strings.Replace(string(score.DefaultModel()), last, last+"  exploration: {"+beyond+"}\n", 1))); err == nil {
			t.Errorf("%s: parsed, and Match refuses it", beyond)
		}
	}
}
