package training

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/score/modelfile"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The same history gives the same bytes and the same report for any number of workers, and
// the file says what it was made from.
func TestTheSameBytesForAnyNumberOfWorkers(t *testing.T) {
	store := aBank(t, 3_800, 30)
	first := run(t, store, Options{Workers: 1})
	report, err := json.Marshal(first.Report)
	if err != nil {
		t.Fatal(err)
	}
	for _, workers := range []int{2, 3} {
		again := run(t, store, Options{Workers: workers})
		if !bytes.Equal(again.Model, first.Model) {
			t.Errorf("%d workers: another model", workers)
		}
		if other, err := json.Marshal(again.Report); err != nil || !bytes.Equal(other, report) {
			t.Errorf("%d workers: another report (%v):\n%s\n%s", workers, err, report, other)
		}
	}
	testModel(t, first)
	testConversion(t, first.Report.Conversion)
}

// testModel holds that the file is one that programs take, and says what it is.
func testModel(t *testing.T, result *Result) {
	t.Helper()
	m, err := score.ParseModel(result.Model)
	if err != nil {
		t.Fatal(err)
	}
	base, err := score.ParseModel(score.DefaultModel())
	if err != nil {
		t.Fatal(err)
	}
	if m.Conversion == nil || m.Name != base.Name+"-trained" || m.Version != base.Version || m.Weights != base.Weights || m.Reasons != base.Reasons {
		t.Errorf("%s version %d with conversion %v and weights %v, expected the base's under another name", m.Name, m.Version, m.Conversion != nil, m.Weights)
	}
	if told := result.Report.Outcome; told == nil || !told.Horizons[0].Own || m.Settings.Outcome.Shapes[0].Holdings != told.Horizons[0].Holdings {
		t.Errorf("ranges %+v, told %+v", m.Settings.Outcome, told)
	}
	is, sum := m.Manifest, sha256.Sum256(result.Model)
	if is.Training != result.Report.Training || is.Training.Through != "2026-11-19" || is.Training.Rows != result.Report.Counts.Examples || is.Code != "test" {
		t.Errorf("manifest %+v of %+v", is, result.Report.Training)
	}
	if hex.EncodeToString(sum[:]) != result.Report.ID {
		t.Errorf("id %s, the file's hash is %x", result.Report.ID, sum)
	}
	skill := slices.IndexFunc(is.Validation, func(f modelfile.Figure) bool { return f.Name == "conversion.brier_skill" })
	if skill < 0 || is.Validation[skill].Low == nil || is.Validation[skill].Value != result.Report.Conversion.Assessment.Skill.Value {
		t.Errorf("figures %+v", is.Validation)
	}
	if !slices.ContainsFunc(is.Features, func(f modelfile.Term) bool {
		return f.Name == "CONVERSION.VIEWED" && strings.HasPrefix(f.Definition, score.ConversionDefinition)
	}) {
		t.Errorf("features %+v", is.Features)
	}
}

// testConversion holds that the probability is worth something on a bank where it can be:
// who looked before, in the branch, at what serves him, orders more often. The fit is of some
// hundred orders here; docs/training.md has the figures of a bank of 70,000 customers.
func testConversion(t *testing.T, c *Conversion) {
	t.Helper()
	if a := c.Assessment; a.Skill.Low <= 0 || a.Lines[0].Slope.Low > 1.1 || a.Lines[0].Slope.High < .9 || a.Rows < 500 {
		t.Errorf("held out: %d examples, skill %+v, slope %+v", a.Rows, a.Skill, a.Lines[0].Slope)
	}
	signs := map[string]float64{"VIEWED": 1, "BRANCH": 1, "GOAL_FIT": 1, "SHOWINGS": -1}
	for i := range c.Fit.Terms {
		term := &c.Fit.Terms[i]
		if sign := signs[term.Name]; sign != 0 && sign*term.Coefficient <= 0 {
			t.Errorf("%s: %v, expected the sign of %v", term.Name, term.Coefficient, sign)
		}
	}
	segments := ""
	for i := range c.Segments {
		segments += c.Segments[i].Segment + " "
	}
	if !strings.HasPrefix(segments, "APP BRANCH ") || !strings.Contains(segments, "C3 ") || !strings.Contains(segments, "EXISTING ") {
		t.Errorf("segments %s", segments)
	}
}

// A part of the history that is not looked at changes nothing: the model of then can be made
// again later.
func TestThroughADayNothingLaterCounts(t *testing.T) {
	shown, visit := did(fund.Exposure, 10, 10, ""), did(fund.DetailView, 100, 10, "")
	bank := aBank(t, 40, 40)
	of := func(events ...features.Event) *told {
		return &told{Store: bank, histories: []*features.History{customer(1, events...), customer(2)}}
	}
	through := Options{Through: visit.EventAt.Date()}
	first := run(t, of(shown, visit), through)
	later := did(fund.OrderConfirm, 101, 10, "")
	again := run(t, of(shown, visit, later), through)
	if !bytes.Equal(first.Model, again.Model) {
		t.Error("an order of the day after changed the model")
	}
	known := did(fund.DetailView, 20, 10, "")
	other := run(t, of(shown, known, visit), through)
	if first.Report.Training.DataHash == other.Report.Training.DataHash {
		t.Error("another visit before it, and the same hash of the data")
	}
}

// With too little to learn from, the model goes without, and the notices say what is missing
// and how much there should be.
func TestTooLittleHistoryIsSaid(t *testing.T) {
	store := &told{Store: aBank(t, 40, 40), histories: []*features.History{
		customer(1, did(fund.Exposure, 10, 10, ""), did(fund.OrderConfirm, 11, 10, ""), did(fund.DetailView, 250, 10, "")),
	}}
	result := run(t, store, Options{})
	m, err := score.ParseModel(result.Model)
	if err != nil {
		t.Fatal(err)
	}
	if m.Conversion != nil || result.Report.Conversion != nil || len(result.Report.Weights) != 0 {
		t.Error("a model of one example")
	}
	all := strings.Join(result.Report.Notices, "\n")
	for _, says := range []string{"fitting", "expected at least 200 of each", "weights: ", "amount: ", "holding days: "} {
		if !strings.Contains(all, says) {
			t.Errorf("notices do not say %q:\n%s", says, all)
		}
	}
	short := &told{Store: store.Store, histories: []*features.History{customer(1, did(fund.Exposure, 10, 10, ""), did(fund.DetailView, 60, 10, ""))}}
	if notices := run(t, short, Options{}).Report.Notices; !strings.Contains(strings.Join(notices, "\n"), "leaves less than the 30 days") {
		t.Errorf("notices of fifty days: %q", notices)
	}
}

func TestRefusals(t *testing.T) {
	bank := aBank(t, 40, 40)
	nothing := &told{Store: bank, histories: []*features.History{customer(1, did(fund.DetailView, 10, 10, ""))}}
	for name, c := range map[string]struct {
		change func(*Job)
		want   error
		says   string
	}{
		"no days":             {func(j *Job) { j.Options.WithinDays = -1 }, ErrOptions, "1 to 180"},
		"too many days":       {func(j *Job) { j.Options.WithinDays = 181 }, ErrOptions, "1 to 180"},
		"workers":             {func(j *Job) { j.Options.Workers = 257 }, ErrOptions, "1 to 256"},
		"weights":             {func(j *Job) { j.Options.Weights = "learned" }, ErrOptions, `"learned", expected judged or fitted`},
		"weights that cannot": {func(j *Job) { j.Options.Weights = Fitted }, ErrOptions, "orders, expected at least"},
		"no exposures":        {func(j *Job) { j.Store = nothing }, ErrNoHistory, "among 1 customers"},
		"none by then":        {func(j *Job) { j.Options.Through = 20260305 }, ErrNoHistory, "EXPOSURE"},
		"no days over yet":    {func(j *Job) { j.Options.Through = 20260315 }, ErrNoHistory, "1 of which the 30 days are not over"},
		"no model":            {func(j *Job) { j.Base = []byte("name: x") }, score.ErrModel, ""},
		"a broken model file": {func(j *Job) { j.Base = []byte(modelfile.Magic + "\n") }, score.ErrModel, ""},
	} {
		store := &told{Store: bank, histories: []*features.History{customer(1, did(fund.Exposure, 10, 10, ""), did(fund.DetailView, 100, 10, ""))}}
		job := jobOn(t, store, Options{})
		c.change(job)
		before := job.Options
		_, err := job.Run(t.Context())
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, expected %v that says %q", name, err, c.want, c.says)
		}
		if job.Options.WithinDays != before.WithinDays {
			t.Errorf("%s: the caller's options were changed", name)
		}
	}
}

// Who gives up gets no model, and no goroutine stays behind (TestMain).
func TestATrainingThatIsEndedReturnsNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	job := jobOn(t, aBank(t, 600, 40), Options{Workers: 2})
	job.Options.Progress = func(stage Stage, _, _ int64) {
		if stage == Examples {
			cancel()
		}
	}
	if result, err := job.Run(ctx); result != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", result, err)
	}
}

// A model is trained again from one that was trained: its settings are read out of the file,
// its name stays, its version rises.
func TestATrainedModelIsABase(t *testing.T) {
	store := &told{Store: aBank(t, 40, 40), histories: []*features.History{customer(1, did(fund.Exposure, 10, 10, ""), did(fund.DetailView, 100, 10, ""))}}
	first := run(t, store, Options{})
	job := jobOn(t, store, Options{})
	job.Base = first.Model
	second, err := job.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if a, b := first.Report, second.Report; b.Name != a.Name || b.Version != a.Version+1 || b.Training != a.Training {
		t.Errorf("%s %d from %s %d", b.Name, b.Version, a.Name, a.Version)
	}
}
