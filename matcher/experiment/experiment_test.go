package experiment_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/experiment"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/slate"
)

const during = fund.Date(20261215)

func file(tb testing.TB) string {
	tb.Helper()
	text, err := os.ReadFile("testdata/plan.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

func parse(tb testing.TB, text string) *experiment.Plan {
	tb.Helper()
	p, err := experiment.Parse([]byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func TestParse(t *testing.T) {
	p := parse(t, file(t))
	if p.Name != "bank-2026" || p.Version != 3 || len(p.Layers) != 2 || len(p.Layers[0].Experiments) != 2 {
		t.Fatalf("%+v", p)
	}
	ease, explore := &p.Layers[0].Experiments[0], &p.Layers[1].Experiments[0]
	if ease.From != fund.Date(20261201).Start() || ease.Until != fund.Date(20270301).Start() || ease.EndBucket != 2000 || !ease.Arms[0].Control {
		t.Errorf("%+v", ease)
	}
	want := slate.Exploration{Probability: 500, Next: 10, MaxGap: .05}
	if got := explore.Arms[1].Explore; got == nil || *got != want || explore.Arms[0].Explore != nil {
		t.Errorf("%+v", explore.Arms)
	}
	if models := p.Models(); len(models) != 3 || models[0] != ease.Arms[1].Model {
		t.Errorf("models %v", models)
	}
	if err := p.Check(); err != nil {
		t.Error(err)
	}
	empty := parse(t, "schema: fundmatch.experiments/v1\nname: none\nversion: 1\nlayers: []\n")
	if a := empty.Assign("C1", during.Start(), nil); len(a.Exposures) != 0 || len(empty.Models()) != 0 {
		t.Errorf("a plan without layers assigns %+v", a)
	}
}

// What a plan must not be is refused with its place, its value and what was expected.
func TestParseRefuses(t *testing.T) {
	good := file(t)
	for _, c := range []struct{ name, old, new, say string }{
		{"another schema", "experiments/v1", "experiments/v2", `schema: "fundmatch.experiments/v2", expected fundmatch.experiments/v1`},
		{"no name", "name: bank-2026", "name: ''", `name: "", expected an id`},
		{"version 0", "version: 3", "version: 0", `version: "0", expected 1 to`},
		{"a rule of an arm", "share_bps: 1000", "share_bps: 1000\n            rules: lax", "unknown field"},
		{"a rule pack of an experiment", "salt: ease-1", "salt: ease-1\n        rules: lax", "unknown field"},
		{"an anchor", "name: bank-2026", "name: &n bank-2026", "an anchor, alias or tag"},
		{"several documents", "# Two", "a: 1\n---\n# Two", "several documents"},
		{"a key twice", "version: 3", "version: 3\nversion: 4", "document:"},
		{"another type", "version: 3", "version: three", "document:"},
		{"no day", "from: 2026-12-01", "from: 2026-12-01T00:00:00Z", `layers[0].experiments[0].from: "2026-12-01T00:00:00Z", expected a day`},
		{"no such day", "until: 2027-03-01", "until: 2027-02-30", `layers[0].experiments[0].until: "2027-02-30"`},
		{"ends before it begins", "until: 2027-03-01", "until: 2026-12-01", `layers[0].experiments[0].until: "2026-12-01", expected a later day than from, 2026-12-01`},
		{"no buckets", "        first_bucket: 0\n        end_bucket: 2000\n", "", "layers[0].experiments[0].first_bucket, end_bucket:"},
		{"a bucket below 0", "first_bucket: 0", "first_bucket: -1", `layers[0].experiments[0].first_bucket: "-1", expected 0 to 9999`},
		{"too many buckets", "end_bucket: 10000", "end_bucket: 10001", `layers[1].experiments[0].end_bucket: "10001", expected 1 to 10000`},
		{"an empty range", "end_bucket: 2000", "end_bucket: 0", "layers[0].experiments[0].end_bucket:"},
		{"buckets of two", "first_bucket: 2000", "first_bucket: 1999", `layers[0].experiments[1]: "knn-tuned", expected buckets or days of its own: ease has`},
		{"shares below all", "share_bps: 1500", "share_bps: 1400", `layers[0].experiments[1].arms: "9900", expected shares that sum to 10000`},
		{"a share of nothing", "share_bps: 1500", "share_bps: 0", `layers[0].experiments[1].arms[1].share_bps: "0", expected 1 to 10000`},
		{"a share beyond counting", "share_bps: 1500", "share_bps: 4294968796", `layers[0].experiments[1].arms[1].share_bps: "4294968796"`},
		{"no control", "            control: true\n          - name: ease", "          - name: ease", `layers[0].experiments[0].arms[0]: "control", expected a model or an exploration`},
		{"two controls", "            model: 4a44", "            control: true\n            #model: 4a44", "expected exactly one"},
		{"a control that chooses", "share_bps: 9000", "share_bps: 9000\n            model: 6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b", "expected a control that chooses nothing"},
		{"an arm that chooses nothing", "            exploration: {probability_bps: 500, next: 10, max_gap: 0.05}", "", `layers[1].experiments[0].arms[1]: "five-percent", expected a model or an exploration`},
		{"a model by name", "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b", "spine", `layers[0].experiments[1].arms[1].model: "spine", expected the hex SHA-256`},
		{"a model in capitals", "4a44dc", "4A44DC", "layers[0].experiments[0].arms[1].model:"},
		{"one arm", "          - name: five-percent\n            share_bps: 1000\n            exploration: {probability_bps: 500, next: 10, max_gap: 0.05}\n", "", `layers[1].experiments[0].arms: "1", expected 2 to 10`},
		{"too much exploration", "probability_bps: 500", "probability_bps: 2001", `layers[1].experiments[0].arms[1].exploration.probability_bps: "2001", expected 0 to 2000`},
		{"exploration of nothing", "next: 10", "next: 0", "layers[1].experiments[0].arms[1].exploration:"},
		{"a gap below 0", "max_gap: 0.05", "max_gap: -0.05", "max_gap -0.05"},
		{"a gap that is no number", "max_gap: 0.05", "max_gap: .nan", "max_gap NaN"},
		{"two arms of a name", "name: five-percent", "name: control", "a name that no other arm"},
		{"two layers of a name", "- name: learning", "- name: ranking", `layers[1].name: "ranking", expected an id of its own`},
		{"two experiments of a name", "name: explore", "name: ease", `layers[1].experiments[0].name: "ease", expected an id of its own`},
		{"two layers of a salt", "salt: learning-1", "salt: ranking-1", `layers[1].salt: "ranking-1"`},
		{"an experiment with its layer's salt", "salt: explore-1", "salt: learning-1", `layers[1].experiments[0].salt: "learning-1"`},
		{"no salt", "salt: explore-1", "salt: ''", "layers[1].experiments[0].salt:"},
		{
			"two layers that choose the model", "exploration: {probability_bps: 500, next: 10, max_gap: 0.05}",
			"model: 6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b", "layer ranking chooses already",
		},
		{"two layers that explore", "share_bps: 500, model:", "share_bps: 500, exploration: {probability_bps: 1, next: 1}, model:", "layer ranking chooses already"},
		{"a long line", "# Two", "#" + strings.Repeat("x", 5000) + " Two", "line 1"},
		{"deep nesting", "version: 3", "version: " + strings.Repeat("[", 50), "line 4"},
		{"too long a file", "# Two", strings.Repeat("# \n", experiment.MaxBytes/3+1) + "# Two", "expected at most 262144 bytes"},
		{"nothing", good, "", "document:"},
		{"no YAML", good, "\t{", "document:"},
	} {
		if !strings.Contains(good, c.old) {
			t.Fatalf("%s: the plan has no %q", c.name, c.old)
		}
		p, err := experiment.Parse([]byte(strings.Replace(good, c.old, c.new, 1)))
		if !errors.Is(err, experiment.ErrPlan) || p != nil || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s: error %v, expected it to say %q", c.name, err, c.say)
		}
	}
}

// Experiments of a layer may follow each other on the same buckets: it is at one time that a
// customer is in one at most.
func TestBucketsMayBeUsedAgain(t *testing.T) {
	text := strings.NewReplacer("first_bucket: 2000", "first_bucket: 0", "from: 2026-12-01\n        until: 2027-01-01", "from: 2027-03-01\n        until: 2027-04-01").Replace(file(t))
	p := parse(t, text)
	for i := range 200 {
		id := fmt.Sprint("C", i)
		for _, day := range []fund.Date{20270228, 20270301} {
			exposures := p.Assign(id, day.Start(), nil).Exposures
			if n := len(exposures); n > 2 || n == 2 && (exposures[0].Experiment == "ease") != (day == 20270228) {
				t.Fatalf("%s on %s: %v", id, day, exposures)
			}
		}
	}
}

// Buckets are what the documentation says, for whoever computes them elsewhere: the first
// eight bytes of SHA-256("ranking-1", 0, "C000001"), modulo 10,000.
func TestBucketIsWhatIsDocumented(t *testing.T) {
	for id, want := range map[string]int{"C000001": 5364, "C000002": 170} {
		if got := experiment.Bucket("ranking-1", id); got != want {
			t.Errorf("%s: bucket %d, want %d", id, got, want)
		}
	}
	if experiment.Bucket("ab", "c") == experiment.Bucket("a", "bc") {
		t.Error("salt and id run into each other")
	}
	if long := strings.Repeat("x", 300); experiment.Bucket(long, long) == experiment.Bucket(long, long+"y") {
		t.Error("long ids are cut off")
	}
}

// z is how many standard deviations chi-square of many degrees of freedom is off its mean.
func z(counts []int, expected float64) float64 {
	statistic := 0.0
	for _, n := range counts {
		statistic += (float64(n) - expected) * (float64(n) - expected) / expected
	}
	degrees := float64(len(counts) - 1)
	return (statistic - degrees) / math.Sqrt(2*degrees)
}

// Buckets are uniform, and two salts draw independently: chi-square over all buckets and over
// a table of two layers, of ids as banks give them.
func TestBucketsAreUniformAndLayersIndependent(t *testing.T) {
	const customers, side = 400_000, 50
	buckets, table, shifted := make([]int, experiment.Buckets), make([]int, side*side), make([]int, side*side)
	for i := range customers {
		id := fmt.Sprintf("C%06d", i)
		a, b := experiment.Bucket("ranking-1", id), experiment.Bucket("learning-1", id)
		buckets[a]++
		table[a*side/experiment.Buckets*side+b*side/experiment.Buckets]++
		// A layer whose salt only shifts the buckets of another would depend on it.
		shifted[a*side/experiment.Buckets*side+(a+37)%experiment.Buckets*side/experiment.Buckets]++
	}
	if off := z(buckets, float64(customers)/experiment.Buckets); math.Abs(off) > 4 {
		t.Errorf("buckets: %.1f standard deviations off", off)
	}
	if off := z(table, float64(customers)/(side*side)); math.Abs(off) > 4 {
		t.Errorf("two layers: %.1f standard deviations off", off)
	}
	if off := z(shifted, float64(customers)/(side*side)); off < 100 {
		t.Errorf("layers that depend on each other are only %.1f off: the test sees nothing", off)
	}
}

// Arms get their shares, within what chance allows.
func TestSharesAreMet(t *testing.T) {
	p := parse(t, file(t))
	const customers = 200_000
	counts := map[string]int{}
	for i := range customers {
		for _, e := range p.Assign(fmt.Sprintf("C%06d", i), during.Start(), nil).Exposures {
			counts[e.Experiment+"/"+e.Arm]++
		}
	}
	for arm, share := range map[string]float64{
		"ease/control": .2 * .5, "ease/ease": .2 * .5, "knn-tuned/control": .1 * .8, "knn-tuned/tuned": .1 * .15, "knn-tuned/wide": .1 * .05,
		"explore/control": .9, "explore/five-percent": .1,
	} {
		spread := math.Sqrt(customers * share * (1 - share))
		if off := (float64(counts[arm]) - customers*share) / spread; math.Abs(off) > 4 {
			t.Errorf("%s: %d of %d, %.1f standard deviations off", arm, counts[arm], customers, off)
		}
	}
}

// A control chooses nothing, a treatment what it says, and of layers each its own.
func TestArmsChoose(t *testing.T) {
	p := parse(t, file(t))
	both := 0
	for i := range 5_000 {
		a := p.Assign(fmt.Sprintf("C%06d", i), during.Start(), nil)
		model, explores := "", false
		for _, e := range a.Exposures {
			switch e {
			case experiment.Assignment{Layer: "ranking", Experiment: "ease", Arm: "ease"}:
				model = p.Layers[0].Experiments[0].Arms[1].Model
			case experiment.Assignment{Layer: "ranking", Experiment: "knn-tuned", Arm: "tuned"}:
				model = p.Layers[0].Experiments[1].Arms[1].Model
			case experiment.Assignment{Layer: "ranking", Experiment: "knn-tuned", Arm: "wide"}:
				model = p.Layers[0].Experiments[1].Arms[2].Model
			case experiment.Assignment{Layer: "learning", Experiment: "explore", Arm: "five-percent"}:
				explores = true
			}
		}
		if a.Model != model || (a.Explore != nil) != explores || explores && a.Explore.Probability != 500 {
			t.Fatalf("customer %d in %v: model %q, exploration %v", i, a.Exposures, a.Model, a.Explore)
		}
		if model != "" && explores {
			both++
		}
	}
	if both == 0 {
		t.Error("no customer is treated in both layers")
	}
}

// An experiment begins and ends with its days; a nil plan has none.
func TestPeriods(t *testing.T) {
	p := parse(t, file(t))
	in := func(at fund.Instant) bool {
		return slices.ContainsFunc(p.Assign("C1", at, nil).Exposures, func(a experiment.Assignment) bool { return a.Experiment == "explore" })
	}
	from, until := fund.Date(20261201).Start(), fund.Date(20270601).Start()
	for at, want := range map[fund.Instant]bool{from - 1: false, from: true, until - 1: true, until: false} {
		if in(at) != want {
			t.Errorf("at %s: %v", at, !want)
		}
	}
	var none *experiment.Plan
	if a := none.Assign("C1", from, nil); len(a.Exposures) != 0 || a.Model != "" || a.Explore != nil {
		t.Errorf("no plan assigns %+v", a)
	}
}

// Who is in is decided by the bucket alone, the first and not the end; and arms are dealt by
// the experiment's salt: another one deals anew, and independently of the layer's.
func TestBucketsAndSaltsDecide(t *testing.T) {
	p := parse(t, file(t))
	ease := &p.Layers[0].Experiments[0]
	again := *ease
	again.Salt = "ease-2"
	other, edges := 0, 0
	treated := map[bool]int{} // by half of the buckets
	for i := range 60_000 {
		id := fmt.Sprint("C", i)
		bucket := experiment.Bucket("ranking-1", id)
		in := ""
		if exposures := p.Assign(id, during.Start(), nil).Exposures; exposures[0].Layer == "ranking" {
			in = exposures[0].Experiment
		}
		want := ""
		switch {
		case bucket < 2000:
			want = "ease"
		case bucket < 3000:
			want = "knn-tuned"
		}
		if in != want {
			t.Fatalf("bucket %d is in %q, want %q", bucket, in, want)
		}
		if bucket == 0 || bucket == 1999 || bucket == 2000 || bucket == 2999 || bucket == 3000 {
			edges++
		}
		if ease.ArmOf(id).Name != again.ArmOf(id).Name {
			other++
		}
		if ease.ArmOf(id).Name == "ease" {
			treated[bucket < experiment.Buckets/2]++
		}
	}
	if edges < 5 || other < 29_000 || other > 31_000 || treated[true] < 14_500 || treated[false] < 14_500 {
		t.Errorf("%d at the edges, %d dealt otherwise by another salt, treated by half of the buckets %v", edges, other, treated)
	}
}

func TestAssignDoesNotAllocate(t *testing.T) {
	p := parse(t, file(t))
	buf := make([]experiment.Assignment, 0, 2)
	if allocated := testing.AllocsPerRun(100, func() { p.Assign("C000001", during.Start(), buf) }); allocated != 0 {
		t.Errorf("%v allocations", allocated)
	}
}

// treatments draws an experiment with so many treatments.
func treatments(t *rapid.T, n int) experiment.Experiment {
	e := experiment.Experiment{
		Name: "x", Salt: rapid.StringMatching(`[a-z]{1,8}`).Draw(t, "salt"), From: during.Start(), Until: during.AddDays(9).Start(), EndBucket: experiment.Buckets,
	}
	left := experiment.Buckets
	for i := range n {
		share := rapid.IntRange(1, left/(2*(n-i)+1)).Draw(t, "share")
		left -= share
		e.Arms = append(e.Arms, experiment.Arm{Name: fmt.Sprint("t", i), Share: fund.BasisPoints(share), Model: strings.Repeat("a", 64)})
	}
	at := rapid.IntRange(0, n).Draw(t, "control's place")
	e.Arms = slices.Insert(e.Arms, at, experiment.Arm{Name: "control", Share: fund.BasisPoints(left), Control: true})
	return e
}

func arms(e *experiment.Experiment) []string {
	out := make([]string, 2000)
	for i := range out {
		out[i] = e.ArmOf(fmt.Sprint("C", i)).Name
	}
	return out
}

// Raising the treatments' shares in proportion takes customers from the control and moves
// nobody else; so does raising the share of the only treatment.
func TestRampingKeepsThoseWhoWereIn(t *testing.T) {
	joined := 0
	rapid.Check(t, func(t *rapid.T) {
		e := treatments(t, rapid.IntRange(1, 4).Draw(t, "treatments"))
		before := arms(&e)
		treated := 0
		for i := range e.Arms {
			if !e.Arms[i].Control {
				treated += int(e.Arms[i].Share)
			}
		}
		factor := rapid.IntRange(1, (experiment.Buckets-1)/treated).Draw(t, "factor")
		for i := range e.Arms {
			if a := &e.Arms[i]; a.Control {
				a.Share = fund.BasisPoints(experiment.Buckets - treated*factor)
			} else {
				a.Share *= fund.BasisPoints(factor)
			}
		}
		for i, arm := range arms(&e) {
			if arm == before[i] {
				continue
			}
			if before[i] != "control" {
				t.Fatalf("customer %d was in %s and is in %s", i, before[i], arm)
			}
			joined++
		}
	})
	if joined == 0 {
		t.Error("nobody joined: the draws show nothing")
	}
}

// Widening an experiment's buckets keeps everybody in and in his arm. Another experiment in
// the layer, another layer, and those of other days change nothing for who is in this one.
func TestOtherExperimentsChangeNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := treatments(t, 2)
		e.EndBucket = rapid.IntRange(1, 5000).Draw(t, "end")
		alone := &experiment.Plan{Name: "p", Version: 1, Layers: []experiment.Layer{{Name: "a", Salt: "layer-a", Experiments: []experiment.Experiment{e}}}}
		if err := alone.Check(); err != nil {
			t.Fatal(err)
		}
		wide := e
		wide.EndBucket = rapid.IntRange(e.EndBucket, 6000).Draw(t, "wider")
		other, further, later := treatments(t, 1), treatments(t, 1), treatments(t, 1)
		other.Name, other.Salt, other.FirstBucket = "other", "salt-other", wide.EndBucket
		further.Name, further.Salt = "further", "salt-further"
		for i := range further.Arms {
			if a := &further.Arms[i]; !a.Control {
				a.Model, a.Explore = "", &slate.Exploration{Probability: 5, Next: 1}
			}
		}
		later.Name, later.Salt, later.From, later.Until = "later", "salt-later", e.Until, e.Until.Date().AddDays(1).Start()
		among := &experiment.Plan{Name: "p", Version: 2, Layers: []experiment.Layer{
			{Name: "b", Salt: "layer-b", Experiments: []experiment.Experiment{further}},
			{Name: "a", Salt: "layer-a", Experiments: []experiment.Experiment{later, other, wide}},
		}}
		if err := among.Check(); err != nil {
			t.Fatal(err)
		}
		for i := range 300 {
			id := fmt.Sprint("C", i)
			was := alone.Assign(id, during.Start(), nil)
			is := among.Assign(id, during.Start(), nil)
			if again := among.Assign(id, during.Start(), nil); !slices.Equal(again.Exposures, is.Exposures) {
				t.Fatalf("%s: %v, then %v", id, is.Exposures, again.Exposures)
			}
			if len(was.Exposures) == 1 && !slices.Contains(is.Exposures, was.Exposures[0]) {
				t.Fatalf("%s was in %v and is in %v", id, was.Exposures, is.Exposures)
			}
			if len(was.Exposures) == 1 && was.Model != is.Model {
				t.Fatalf("%s had model %q and has %q", id, was.Model, is.Model)
			}
		}
	})
}

// Whatever the bytes, a plan that parses is checked, and an error is one of a plan.
func FuzzParse(f *testing.F) {
	f.Add(file(f))
	f.Add("schema: fundmatch.experiments/v1\nname: none\nversion: 1\nlayers: []\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := experiment.Parse([]byte(text))
		if err != nil {
			if !errors.Is(err, experiment.ErrPlan) {
				t.Fatalf("error %v", err)
			}
			return
		}
		if err := p.Check(); err != nil {
			t.Fatalf("parsed and refused: %v", err)
		}
		p.Assign("C1", during.Start(), nil)
	})
}

func BenchmarkAssign(b *testing.B) {
	p := parse(b, file(b))
	buf := make([]experiment.Assignment, 0, 2)
	b.ReportAllocs()
	for b.Loop() {
		p.Assign("C000001", during.Start(), buf)
	}
}
