package backtest

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"github.com/fundmatch/fundmatch/matcher/evaluate"
)

// Schema names the form of a Report.
const Schema = "fundmatch.backtest/v1"

// Report is what a backtest found. The same data, model and settings give the same bytes,
// whatever the workers, but for NotCompared. Whoever runs the job fills in Version, Model
// and Files.
type Report struct {
	Schema      string       `json:"schema"`
	Version     string       `json:"version"` // the program's
	Config      Settings     `json:"config"`
	Model       ModelID      `json:"model"`
	Data        DataCounts   `json:"data"`
	Run         RunFile      `json:"run"`
	Splits      []SplitFacts `json:"splits"`
	Contenders  []Contender  `json:"contenders"`  // the subject first
	Comparisons []Comparison `json:"comparisons"` // of the subject with each other contender
	NotCompared Effort       `json:"not_compared"`
}

// Settings are those of the run.
type Settings struct {
	FirstSplit int32  `json:"first_split"`
	LastSplit  int32  `json:"last_split"`
	Permitted  bool   `json:"permitted"`
	Places     int    `json:"k"`
	Replicates int    `json:"bootstrap_replicates"`
	Seed       uint64 `json:"bootstrap_seed"`
	Level      Number `json:"bootstrap_level"`
}

// ModelID says which model was run.
type ModelID struct {
	Name    string `json:"name"`
	Version int    `json:"version"`
	SHA256  string `json:"sha256"` // of its file
	Terms   string `json:"terms"`  // of its score: demand, all; empty of what has none
	// TrainedThrough is the last day that a trained model's weights may know of; empty: nothing
	// was trained. Lists as of that day or before are no test of fitted weights.
	TrainedThrough string `json:"trained_through,omitempty"`
}

// Foreknown counts the splits as of which the model's weights may know what came later.
func (r *Report) Foreknown() (n int) {
	for i := range r.Splits {
		if r.Splits[i].AsOf <= r.Model.TrainedThrough { // days, YYYY-MM-DD
			n++
		}
	}
	return n
}

// DataCounts says what the run was made on.
type DataCounts struct {
	Products     int    `json:"products"`
	Customers    int    `json:"customers"`
	Interactions int    `json:"interactions"` // different pairs of customer and product
	Ignored      int64  `json:"interactions_ignored"`
	Files        []File `json:"files"`
}

// File is one file that was read.
type File struct {
	Name   string `json:"name"`
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256"` // of what it holds when it is unpacked
}

// SplitFacts say what lists of a split were made of.
type SplitFacts struct {
	Split      int32  `json:"split"`
	AsOf       string `json:"as_of"`
	TestEnd    string `json:"test_end"`
	Customers  int    `json:"customers"`
	Candidates int    `json:"candidates"` // that occur in the training history
	Products   int    `json:"products"`   // that do, candidates or not
}

// Role is what a contender is there for.
type Role string

// The roles.
const (
	RoleSubject  Role = "SUBJECT"  // its lists are the run
	RoleVariant  Role = "VARIANT"  // the subject with something left out
	RoleBaseline Role = "BASELINE" // what the subject has to beat
)

// Contender is what one recommender's lists were worth.
type Contender struct {
	Name       string           `json:"name"`
	Role       Role             `json:"role"`
	Whole      Figures          `json:"whole"`
	Halves     []PartFigures    `json:"halves"`
	Splits     []ContenderSplit `json:"splits"`
	Coverage   Number           `json:"coverage"` // products in any list, of those that were candidates of any split
	Violations int64            `json:"violations"`
}

// Figures are means over splits of the means over their customers.
type Figures struct {
	NDCG          Figure `json:"ndcg10"`
	Recall        Figure `json:"recall10"`
	PermittedNDCG Figure `json:"permitted_ndcg10"`
}

// Figure is a mean with its interval.
type Figure struct {
	Value Number    `json:"value"`
	CI95  [2]Number `json:"ci95"`
}

// PartFigures are those of some consecutive splits.
type PartFigures struct {
	Splits string `json:"splits"` // 23-45
	Figures
}

// ContenderSplit are a contender's figures in one split.
type ContenderSplit struct {
	Split int32 `json:"split"`
	Figures
	Coverage   Number `json:"coverage"` // products in any list, of the candidates
	Violations int64  `json:"violations"`
}

// Comparison is the subject beside another contender, customer by customer.
type Comparison struct {
	Of     string           `json:"of"`
	To     string           `json:"to"`
	Whole  Differences      `json:"whole"`
	Halves []PartDifference `json:"halves"`
	// Fives are groups of five consecutive splits; the last may be shorter.
	Fives []PartDifference `json:"fives"`
	// Worst is the lowest ratio of nDCG over any five consecutive splits, wherever they
	// begin; WorstPermitted that of permitted nDCG.
	Worst          PartRatio `json:"worst_five"`
	WorstPermitted PartRatio `json:"worst_five_permitted"`
}

// Differences are Of less To.
type Differences struct {
	NDCG          Difference `json:"ndcg10"`
	Recall        Difference `json:"recall10"`
	PermittedNDCG Difference `json:"permitted_ndcg10"`
}

// Difference is paired: both sides are of the same customers in every replicate.
type Difference struct {
	Figure
	Ratio Number `json:"ratio"` // Of over To
}

// PartDifference is that of some consecutive splits.
type PartDifference struct {
	Splits string `json:"splits"`
	Differences
}

// PartRatio is a ratio over some consecutive splits.
type PartRatio struct {
	Splits string `json:"splits"`
	Ratio  Number `json:"ratio"`
}

// Effort differs from run to run, and is no part of the result.
type Effort struct {
	Seconds         Number `json:"seconds"`
	PeakMemoryBytes int64  `json:"peak_memory_bytes"`
	Workers         int    `json:"workers"`
}

// Number is a float that is null in JSON where it is not known (NaN).
type Number float64

// MarshalJSON writes the shortest form that reads back as the same number, or null.
func (n Number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (n *Number) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*n = Number(math.NaN())
		return nil
	}
	f, err := strconv.ParseFloat(string(data), 64)
	*n = Number(f)
	return err
}

// findings are what a report is made from.
type findings struct {
	*job
	*judged

	outcomes  []*outcome
	resampled *evaluate.Resampled
}

func (j *job) report(outcomes []*outcome, run RunFile) (*Report, error) {
	judged, err := j.judge(outcomes)
	if err != nil {
		return nil, err
	}
	resampled, err := j.config.Bootstrap.Resample(judged.panel, j.config.Workers)
	if err != nil {
		return nil, err
	}
	f := &findings{job: j, judged: judged, outcomes: outcomes, resampled: resampled}
	b := &j.config.Bootstrap
	r := &Report{
		Schema: Schema,
		Config: Settings{
			FirstSplit: j.splits[0].Number, LastSplit: j.splits[len(j.splits)-1].Number, Permitted: j.config.Permitted,
			Places: Places, Replicates: b.Replicates, Seed: b.Seed, Level: Number(b.Level),
		},
		Data: DataCounts{
			Products: len(j.data.products), Customers: len(j.data.ids), Interactions: len(j.data.bought), Ignored: j.data.ignored,
		},
		Run:         run,
		NotCompared: Effort{Workers: j.config.Workers},
	}
	for _, o := range outcomes {
		r.Splits = append(r.Splits, SplitFacts{
			Split: o.split.Number, AsOf: o.split.AsOf.String(), TestEnd: o.split.TestEnd.String(),
			Customers: len(o.split.wanted), Candidates: o.eligible, Products: o.learned,
		})
	}
	for c := range j.names {
		r.Contenders = append(r.Contenders, f.contender(c))
		if c > 0 {
			r.Comparisons = append(r.Comparisons, f.comparison(c))
		}
	}
	return r, nil
}

func (f *findings) role(contender int) Role {
	switch {
	case contender == 0:
		return RoleSubject
	case contender < len(f.config.Subject.Names()):
		return RoleVariant
	default:
		return RoleBaseline
	}
}

func (f *findings) contender(c int) Contender {
	out := Contender{Name: f.names[c], Role: f.role(c), Whole: f.figures(c, span{0, len(f.splits)})}
	for _, s := range f.halves() {
		out.Halves = append(out.Halves, PartFigures{Splits: f.name(s), Figures: f.figures(c, s)})
	}
	words := (len(f.data.products) + 63) / 64
	listed, candidates := make([]uint64, words), make([]uint64, words)
	for t, o := range f.outcomes {
		split := ContenderSplit{
			Split: o.split.Number, Figures: f.figures(c, span{t, t + 1}), Violations: f.violations[c][t],
			Coverage: share(count(f.listed[c][t]), o.eligible),
		}
		out.Splits = append(out.Splits, split)
		out.Violations += split.Violations
		for w := range words {
			listed[w] |= f.listed[c][t][w]
			candidates[w] |= o.candidates[w]
		}
	}
	out.Coverage = share(count(listed), count(candidates))
	return out
}

func share(part, whole int) Number {
	if whole == 0 {
		return Number(math.NaN())
	}
	return Number(float64(part) / float64(whole))
}

func (f *findings) comparison(c int) Comparison {
	out := Comparison{Of: f.names[0], To: f.names[c], Whole: f.differences(c, span{0, len(f.splits)})}
	for _, s := range f.halves() {
		out.Halves = append(out.Halves, PartDifference{Splits: f.name(s), Differences: f.differences(c, s)})
	}
	for from := 0; from < len(f.splits); from += five {
		s := span{from, min(from+five, len(f.splits))}
		out.Fives = append(out.Fives, PartDifference{Splits: f.name(s), Differences: f.differences(c, s)})
	}
	out.Worst, out.WorstPermitted = f.worst(c, ndcg), f.worst(c, permittedNDCG)
	return out
}

// worst is the lowest ratio over any five consecutive splits, or over all if there are fewer.
func (f *findings) worst(c int, m measure) (lowest PartRatio) {
	length := min(five, len(f.splits))
	for from := 0; from+length <= len(f.splits); from++ {
		s := span{from, from + length}
		ratio := f.ratio(f.means, c, m, s)
		if from == 0 || ratio < float64(lowest.Ratio) || math.IsNaN(float64(lowest.Ratio)) {
			lowest = PartRatio{Splits: f.name(s), Ratio: Number(ratio)}
		}
	}
	return lowest
}

// five is how many consecutive splits make a group.
const five = 5

// span are the splits [from, to) of a run, by their places.
type span struct{ from, to int }

// halves are the first and the second half of the splits; the second has the odd one.
func (f *findings) halves() []span {
	if len(f.splits) < 2 {
		return nil
	}
	middle := len(f.splits) / 2
	return []span{{0, middle}, {middle, len(f.splits)}}
}

func (f *findings) name(s span) string {
	return fmt.Sprintf("%d-%d", f.splits[s.from].Number, f.splits[s.to-1].Number)
}

func (f *findings) figures(contender int, s span) Figures {
	figure := func(m measure) Figure {
		return f.figure(func(means evaluate.Means) float64 { return over(means[series(contender, m)], s) })
	}
	return Figures{NDCG: figure(ndcg), Recall: figure(recall), PermittedNDCG: figure(permittedNDCG)}
}

func (f *findings) differences(contender int, s span) Differences {
	difference := func(m measure) Difference {
		return Difference{
			Figure: f.figure(func(means evaluate.Means) float64 {
				return over(means[series(0, m)], s) - over(means[series(contender, m)], s)
			}),
			Ratio: Number(f.ratio(f.means, contender, m, s)),
		}
	}
	return Differences{NDCG: difference(ndcg), Recall: difference(recall), PermittedNDCG: difference(permittedNDCG)}
}

func (*findings) ratio(means evaluate.Means, contender int, m measure, s span) float64 {
	return over(means[series(0, m)], s) / over(means[series(contender, m)], s)
}

// figure is a statistic of the run with its interval.
func (f *findings) figure(statistic func(evaluate.Means) float64) Figure {
	ci := f.resampled.Interval(statistic)
	return Figure{Value: Number(statistic(f.means)), CI95: [2]Number{Number(ci.Low), Number(ci.High)}}
}

// over is the mean over splits; one in which nobody counts is left out.
func over(bySplit []float64, s span) float64 {
	return evaluate.Mean(bySplit[s.from:s.to], evaluate.Skip)
}
