package matcher_test

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/slate"
)

// explorable is a customer's list and what is known of it in a simulation: what each product
// is worth at each rank, and how another policy would fill the last place.
type explorable struct {
	slate  *matcher.Slate
	means  []float64 // of each rank but the last
	choice []float64 // mean reward of each choice at the last
	target []float64 // the other policy's probability of each choice
}

// worth is the mean reward of a product at a rank, fixed and unknown to the estimator.
func worth(code string, rank int) float64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s@%d", code, rank)
	return .05 + .45*float64(h.Sum64()>>11)/(1<<53)
}

// explorables are lists of customers with wishes of their own over one pool.
func explorables(t *testing.T) []explorable {
	t.Helper()
	b := benchBank(300)
	core := b.compile(t)
	var out []explorable
	for i := range 40 {
		p := benchCustomer(b)
		p.CustomerID = fmt.Sprintf("C%04d", i)
		p.Needs.Goals, p.Needs.HorizonMonths = []fund.Goal{fund.Goal(1 + i%(fund.Goals-1))}, int32(12+i*3)
		p.Purchases = p.Purchases[i%len(p.Purchases):]
		r := exploring(b, 8)
		r.Exploration.MaxGap = 2
		s := match(t, core, p, r)
		if s.Explored.Rank == 0 {
			continue
		}
		x := explorable{slate: s}
		for rank := 1; rank < s.Explored.Rank; rank++ {
			x.means = append(x.means, worth(s.Items[rank-1].Code, rank))
		}
		sum := 0.0
		for j := range s.Explored.Choices {
			x.choice = append(x.choice, worth(s.Explored.Choices[j].Code, s.Explored.Rank))
			x.target = append(x.target, float64(j+1)) // it prefers what comes later
			sum += float64(j + 1)
		}
		for j := range x.target {
			x.target[j] /= sum
		}
		out = append(out, x)
	}
	if len(out) < 20 {
		t.Fatalf("%d lists of 40 are explored", len(out))
	}
	return out
}

// value is what a row of a list is worth in the mean under the other policy.
func (x *explorable) value() float64 {
	sum := 0.0
	for _, m := range x.means {
		sum += m
	}
	for j, m := range x.choice {
		sum += x.target[j] * m
	}
	return sum / float64(x.slate.Explored.Rank)
}

// moments are the sums of a mean's normal interval.
type moments struct{ n, sum, squares float64 }

func (m *moments) add(x float64) { m.n, m.sum, m.squares = m.n+1, m.sum+x, m.squares+x*x }

// covers reports whether the 95 % normal interval of the mean holds a value: the sample
// standard deviation over the root of n, as evaluation.md has it.
func (m *moments) covers(value float64) bool {
	mean := m.sum / m.n
	variance := (m.squares - m.n*mean*mean) / (m.n - 1)
	return math.Abs(mean-value) <= 1.959963984540054*math.Sqrt(variance/m.n)
}

// simulate logs decisions of random customers under exploration, with the draws that Match
// makes, and estimates by inverse propensities what the other policy would have earned: by
// rows, as the contract's log is read, and by decisions. logged is the propensity that is
// taken for that of a choice.
func simulate(lists []explorable, seed uint64, decisions int, logged func(*matcher.Slate, int) float64) (rows, whole moments) {
	rng := rand.New(rand.NewPCG(seed, 1))
	for i := range decisions {
		x := &lists[rng.IntN(len(lists))]
		s := x.slate
		total := 0.0
		for _, m := range x.means {
			reward := reward(rng, m)
			total += reward
			rows.add(reward) // propensity and target are 1
		}
		id := fmt.Appendf(nil, "%08x-%04x-7000-8000-%012x", seed, i>>16, i)
		drawn := s.Request.Exploration.Draw(matcher.SeedOf(string(id)), len(s.Explored.Choices)-1) + 1
		weighted := x.target[drawn] / logged(s, drawn) * reward(rng, x.choice[drawn])
		rows.add(weighted)
		whole.add((total + weighted) / float64(s.Explored.Rank))
	}
	return rows, whole
}

func reward(rng *rand.Rand, mean float64) float64 {
	if rng.Float64() < mean {
		return 1
	}
	return 0
}

// Over many simulated logs the intervals of inverse propensity scoring hold the value that
// another policy has in truth as often as they say. With propensities that are wrong they
// do not: the test would see it.
func TestExploredLogsAreUnbiasedEvidence(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("simulates many logs")
	}
	const simulations, decisions = 2000, 2000
	lists := explorables(t)
	value := 0.0
	for i := range lists {
		value += lists[i].value() / float64(len(lists))
	}
	coverage := func(logged func(*matcher.Slate, int) float64, simulations int) (rows, whole float64) {
		var first, second int
		for seed := range uint64(simulations) {
			byRow, byDecision := simulate(lists, seed, decisions, logged)
			if byRow.covers(value) {
				first++
			}
			if byDecision.covers(value) {
				second++
			}
		}
		return float64(first) / float64(simulations), float64(second) / float64(simulations)
	}
	exact := func(s *matcher.Slate, choice int) float64 { return s.Explored.Choices[choice].Propensity }
	rows, whole := coverage(exact, simulations)
	t.Logf("%d simulations of %d decisions over %d lists: intervals hold the value %.4f in %.2f %% by rows, %.2f %% by decisions",
		simulations, decisions, len(lists), value, 100*rows, 100*whole)
	for _, c := range []float64{rows, whole} {
		if c < .935 || c > .965 {
			t.Errorf("coverage %.4f, expected .935 to .965", c)
		}
	}
	wrong := func(s *matcher.Slate, choice int) float64 { return 1.2 * exact(s, choice) }
	if rows, whole := coverage(wrong, 100); rows > .9 || whole > .9 {
		t.Errorf("with wrong propensities the intervals hold the value in %v by rows, %v by decisions: the test sees nothing", rows, whole)
	}
}

// A million draws by seeds of decision ids fall as the propensities say.
func TestAMillionDrawsFallAsTheirPropensitiesSay(t *testing.T) {
	t.Parallel()
	const draws = 1_000_000
	for _, e := range []slate.Exploration{{Probability: 2000, Next: 10}, {Probability: 300, Next: 7}, {Probability: 1000, Next: 50}} {
		counts := make([]int, e.Next+1)
		for i := range draws {
			counts[e.Draw(matcher.SeedOf(fmt.Sprintf("01890a5d-ac96-774b-bcce-%012x", i)), e.Next)+1]++
		}
		test := func(stays, taken float64) float64 {
			statistic := 0.0
			for i, n := range counts {
				expected := draws * taken
				if i == 0 {
					expected = draws * stays
				}
				statistic += (float64(n) - expected) * (float64(n) - expected) / expected
			}
			return statistic
		}
		stays, taken := e.Propensities(e.Next)
		statistic := test(stays, taken)
		p := chiSquareAbove(statistic, e.Next)
		t.Logf("%+v: chi-square %.2f of %d degrees, p %.3f", e, statistic, e.Next, p)
		if p < .001 {
			t.Errorf("%+v: p %v", e, p)
		}
		if wrong := chiSquareAbove(test(1-(1-stays)*1.03, taken*1.03), e.Next); wrong > .001 {
			t.Errorf("%+v: propensities of three hundredths too many are not rejected, p %v: the test sees nothing", e, wrong)
		}
	}
}
