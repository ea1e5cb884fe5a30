package evaluation_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/evaluate/policy"
	"github.com/fundmatch/fundmatch/services/evaluation"
	"github.com/fundmatch/fundmatch/services/evaluation/gate"
	"github.com/fundmatch/fundmatch/services/evaluation/policylog"
)

var update = flag.Bool("update", false, "write the schema anew") //nolint:gochecknoglobals // a test's flag

// joinedColumns are those of the logs of this test.
const joinedColumns = "decision_id,customer_id,decided_at,position,product_code,reward,propensity,target_propensity,segment,arm,risk_level,risk_grade,issuer,foreseen,raised," +
	"exposed,viewed,answered,started,confirmed,abandoned,complained,redeemed_7d,redeemed_30d,redeemed_90d,new_issue,no_benefit,breached_90d,breached_180d,breached_365d," +
	"amount_fen,return_90d,return_180d,return_365d,held_days"

// writeLogs writes a log of three files, some of whose decisions list what is above the level.
func writeLogs(t *testing.T, decisions int, violations bool) (dir string) {
	t.Helper()
	dir = t.TempDir()
	rng := rand.New(rand.NewPCG(1, 2))
	of := func(p float64) string {
		if rng.Float64() < p {
			return "1"
		}
		return "0"
	}
	for file := range 3 {
		var b bytes.Buffer
		b.WriteString(joinedColumns + "\n")
		for d := range decisions / 3 {
			customer := rng.IntN(decisions / 4)
			level := 1 + customer%5
			for position := 1; position <= 3; position++ {
				grade := 1 + rng.IntN(level)
				if violations && d%50 == 7 && position == 2 {
					grade = min(5, level+1)
				}
				bought := of(.2)
				redeemed, amount := ",,", ""
				if bought == "1" {
					redeemed, amount = of(.02)+","+of(.1)+","+of(.2), "1000000"
				}
				raised := []string{"", "FEE", "FEE TIMING"}[rng.IntN(3)]
				fmt.Fprintf(&b, "d%d-%d,c%d,2026-0%d-%02dT01:00:00Z,%d,P%d,%v,0.25,%v,%s,exp:%s,C%d,R%d,I%d,FEE,%s,1,%s,%s,%s,%s,0,%s,%s,%s,,%s,%s,,%s,%.4f,%.4f,,%d\n",
					file, d, customer, file+1, 1+d%28, position, rng.IntN(12), float64(rng.IntN(3))/2, []float64{.15, .25, .35}[rng.IntN(3)],
					[]string{"MASS", "大众 <b>", ""}[customer%3], []string{"control", "new"}[customer/3%2], level, grade, rng.IntN(4), raised,
					of(.7), of(.4), of(.3), bought, of(.01), redeemed, of(.1), of(.2), of(.1), amount, rng.NormFloat64()*.05, rng.NormFloat64()*.08, rng.IntN(300))
			}
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("log-%d.csv", file)), b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// reportSettings are those of the tests.
func reportSettings() *evaluation.Settings {
	return &evaluation.Settings{Verb: evaluation.VerbReport, Policy: policy.DefaultSettings(), Segments: []string{"segment"}}
}

// sourceOf opens a log as a report does.
func sourceOf(t *testing.T, s *evaluation.Settings, names ...string) (evaluation.Source, *policylog.Log) {
	t.Helper()
	log, err := policylog.Open(names, s.Options())
	if err != nil {
		t.Fatal(err)
	}
	source, err := evaluation.LogSource(log, false)
	if err != nil {
		t.Fatal(err)
	}
	return source, log
}

func reportConfig(t *testing.T, s *evaluation.Settings, workers int) *evaluation.Config {
	t.Helper()
	parts, err := s.Parts()
	if err != nil {
		t.Fatal(err)
	}
	settings, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return &evaluation.Config{Version: "v", Settings: settings, Parts: parts, Workers: workers}
}

// conclude makes a report of an outcome, with the gates that were asked for.
func conclude(t *testing.T, o *evaluation.Outcome, s *evaluation.Settings, gates ...string) *evaluation.Report {
	t.Helper()
	r, err := evaluation.ReportOf(o, s, "v")
	if err != nil {
		t.Fatal(err)
	}
	asked, err := gate.ParseAll(gates)
	if err != nil {
		t.Fatal(err)
	}
	if asked, err = r.GatesWith(asked); err != nil {
		t.Fatal(err)
	}
	results, err := gate.Judge(asked, r, r.Withheld)
	if err != nil {
		t.Fatal(err)
	}
	r.Conclude(results)
	return r
}

func reportOf(t *testing.T, s *evaluation.Settings, workers int, gates []string, names ...string) *evaluation.Report {
	t.Helper()
	source, log := sourceOf(t, s, names...)
	s.NoPolicy = s.Policy.Target == nil && !log.Has(policylog.ColumnTarget)
	o, err := evaluation.Run(t.Context(), source, reportConfig(t, s, workers))
	if err != nil {
		t.Fatal(err)
	}
	return conclude(t, o, s, gates...)
}

// written are the report's two files.
func written(t *testing.T, r *evaluation.Report) (document, page []byte) {
	t.Helper()
	document, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := r.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	return document, b.Bytes()
}

// The same log gives the same bytes on any number of workers, and as shards put together.
func TestReportsDoNotDependOnWorkersNorShards(t *testing.T) {
	logs := filepath.Join(writeLogs(t, 900, true), "log-*.csv")
	s := reportSettings()
	document, page := written(t, reportOf(t, s, 1, nil, logs))
	again, pageAgain := written(t, reportOf(t, s, 4, nil, logs))
	if !bytes.Equal(document, again) || !bytes.Equal(page, pageAgain) {
		t.Error("four workers give other bytes than one")
	}
	var partials []*evaluation.Partial
	for i := range 2 {
		source, _ := sourceOf(t, s, logs)
		part, err := evaluation.RunShard(t.Context(), source, evaluation.Shard{Index: i, Of: 2}, reportConfig(t, s, 1))
		if err != nil {
			t.Fatal(err)
		}
		data, err := part.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if part, err = evaluation.ReadPartial(data, "v"); err != nil {
			t.Fatal(err)
		}
		partials = append(partials, part)
	}
	merged, err := evaluation.Merge(partials, func([]byte) ([]evaluation.Part, error) { return s.Parts() })
	if err != nil {
		t.Fatal(err)
	}
	again, pageAgain = written(t, conclude(t, merged, s))
	if !bytes.Equal(document, again) || !bytes.Equal(page, pageAgain) {
		t.Error("merged shards give other bytes than one run")
	}
}

func TestReportSaysWhatIsWrongFirst(t *testing.T) {
	logs := filepath.Join(writeLogs(t, 900, true), "log-*.csv")
	r := reportOf(t, reportSettings(), 2, []string{"violations < 1000", "rows > 5"}[:1], logs)
	if r.Violations == nil || *r.Violations == 0 || r.Conclusion.Status != evaluation.StatusStop {
		t.Fatalf("violations %v, %+v", r.Violations, r.Conclusion)
	}
	if got := gate.Failed(r.Gates); len(got) != 1 || got[0].Gate != evaluation.BuiltInGate {
		t.Errorf("failed gates: %v", got)
	}
	if len(r.Conduct.First) != 10 || r.Conduct.First[0].DecisionID != "d0-7" || r.Conduct.First[0].Position != 2 {
		t.Errorf("first violations: %+v", r.Conduct.First)
	}
	if f := &r.Conduct.Shown; *f.AboveLevel+*f.UnknownLevel+*f.Ungraded != *r.Violations || f.Violations.Yes != *r.Violations {
		t.Errorf("kinds do not add up: %+v", f)
	}
	sum := int64(0)
	for _, segment := range r.Segments {
		sum += *segment.Violations
	}
	if sum != *r.Violations || len(r.Segments) != 3 {
		t.Errorf("%d violations in %d segments, %d in all", sum, len(r.Segments), *r.Violations)
	}
}

func TestReportOfAGoodLog(t *testing.T) {
	logs := filepath.Join(writeLogs(t, 900, false), "log-*.csv")
	r := reportOf(t, reportSettings(), 2, []string{"snips.ci95.low >= 0.1", "policy.diagnostics.ess > 100", "conduct.bought.complaints < 0.5"}, logs)
	if r.Conclusion.Status != evaluation.StatusClear || len(r.Gates) != 4 {
		t.Errorf("%+v, gates %v", r.Conclusion, r.Gates)
	}
	if r.Log.From != "2026-01-01T01:00:00Z" || r.Log.To != "2026-03-28T01:00:00Z" {
		t.Errorf("decided from %s to %s", r.Log.From, r.Log.To)
	}
	if e := r.Experiment.Experiments; len(e) != 1 || e[0].Name != "exp" || e[0].Control != "control" || len(e[0].Arms) != 2 || len(e[0].Comparisons) != 1 || e[0].Mixed != 0 {
		t.Errorf("experiments: %+v", e)
	}
	if h := r.Money.Horizons; h[0].ROI.N != 900 || h[2].ROI == nil || h[2].ROI.N != 0 || *h[2].Censored != 900 || h[0].BreachBought.Known == 0 || h[0].ROI.CI95 == nil {
		t.Errorf("money: %+v", h)
	}
	steps := r.Funnel.Steps
	if len(steps) != 5 || *steps[0].Reached != 2700 || *steps[1].Reached != 2700 || *steps[2].Reached >= *steps[1].Reached {
		t.Errorf("funnel: %+v", steps)
	}
	if o := r.Funnel.Objections; len(o) != 2 || o[0].Code != "FEE" || *o[0].Foreseen != 2700 || *o[0].Both != *o[0].Raised || o[1].Code != "TIMING" {
		t.Errorf("objections: %+v", o)
	}
}

// Arms are judged by the shares that were planned; the first that is named is the control.
func TestPlannedShares(t *testing.T) {
	logs := filepath.Join(writeLogs(t, 900, false), "log-*.csv")
	s := reportSettings()
	for _, c := range []struct {
		arms    []string
		control string
		status  string
	}{
		{nil, "control", "GIVEN"}, {[]string{"exp:new=1", "exp:control=1"}, "new", "GIVEN"}, {[]string{"exp:control=9", "exp:new=1"}, "control", "WITHHELD"},
	} {
		s.Arms = nil
		for _, text := range c.arms {
			arm, err := evaluation.ParseArm(text)
			if err != nil {
				t.Fatal(err)
			}
			s.Arms = append(s.Arms, arm)
		}
		e := reportOf(t, s, 1, nil, logs).Experiment.Experiments[0]
		if e.Control != c.control || string(e.Verdict.Status) != c.status || e.Planned != (c.arms != nil) {
			t.Errorf("%v: control %s, %+v, planned %v", c.arms, e.Control, e.Verdict, e.Planned)
		}
	}
	for _, text := range []string{"", "=", "exp=1", "exp:=1", ":a=1", "exp:a", "exp:a=", "exp:a=0", "exp:a=-1", "exp:a=NaN", "exp:a=Inf", "exp:a=x"} {
		if arm, err := evaluation.ParseArm(text); err == nil {
			t.Errorf("%q is read as %+v", text, arm)
		}
	}
}

// A log with the contract's columns alone has a report too, that says what it lacks and never takes it for 0.
func TestReportOfAPlainLog(t *testing.T) {
	plain := "decision_id,customer_id,decided_at,position,product_code,reward,propensity\nd1,c1,2026-01-01T00:00:00Z,1,A,1,0.5\nd1,c1,2026-01-01T00:00:00Z,2,B,,0.5\n"
	name := filepath.Join(t.TempDir(), "plain.csv")
	if err := os.WriteFile(name, []byte(plain), 0o600); err != nil {
		t.Fatal(err)
	}
	s := reportSettings()
	s.Segments = nil
	r := reportOf(t, s, 1, nil, name)
	if r.Violations != nil || len(r.Gates) != 0 || r.Conclusion.Status != evaluation.StatusWithheld {
		t.Errorf("violations %v, gates %v, %+v", r.Violations, r.Gates, r.Conclusion)
	}
	if r.Policy.Verdict.Status != evaluation.NotAsked || r.Log.Censored != 1 || *r.Log.Reward.Value != 1 {
		t.Errorf("policy %+v, log %+v", r.Policy.Verdict, r.Log)
	}
	if got := strings.Join(r.Conduct.Needs, " "); got != "risk_level risk_grade new_issue no_benefit complained redeemed_7d redeemed_30d redeemed_90d issuer confirmed" {
		t.Errorf("conduct needs %s", got)
	}
	document, page := written(t, r)
	for _, want := range []string{"Needs columns that the log lacks: risk_level, risk_grade", "NOT_ASKED", "cannot be said"} {
		if !bytes.Contains(append(document, page...), []byte(want)) {
			t.Errorf("neither file says %q", want)
		}
	}
	// A gate that asks for what is not known fails: it is not 0.
	for _, asked := range []string{"violations == 0", "snips >= 0", "conduct.shown.complaints <= 1"} {
		if r := reportOf(t, s, 1, []string{asked}, name); len(gate.Failed(r.Gates)) != 1 {
			t.Errorf("%s: %v", asked, r.Gates)
		}
	}
}

func TestRowsThatAReportRefuses(t *testing.T) {
	for columns, want := range map[string]string{
		"exposed|0.5":                            "decision d1 from row 1 on, position 1: exposed: 0.5, expected 1, 0, or nothing",
		"complained|2":                           "complained: 2, expected 1, 0",
		"arm|control":                            "expected experiment:arm",
		"confirmed,conversion_probability|1,1.5": "conversion_probability: 1.5, expected 0 to 1",
		"confirmed,conversion_probability|2,.5":  "confirmed: 2, expected 1, 0",
		"return_90d|-1.5":                        "return_90d: -1.5, expected -1 to",
		"arm|e:a\nd1,c1,2026-01-01T00:00:00Z,2,B,1,0.5,e:b": `position 2: arm: "e:b", expected the decision's "e:a"`,
	} {
		column, value, _ := strings.Cut(columns, "|")
		name := filepath.Join(t.TempDir(), "bad.csv")
		text := "decision_id,customer_id,decided_at,position,product_code,reward,propensity," + column + "\nd1,c1,2026-01-01T00:00:00Z,1,A,1,0.5," + value + "\n"
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s := reportSettings()
		s.Segments, s.NoPolicy = nil, true
		source, _ := sourceOf(t, s, name)
		if _, err := evaluation.Run(t.Context(), source, reportConfig(t, s, 1)); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "bad.csv") {
			t.Errorf("%s: %v, expected %q and the file", columns, err, want)
		}
	}
}

// The page has everything in it: nothing of it is fetched, and nothing of the log becomes markup.
func TestThePageStandsAlone(t *testing.T) {
	logs := filepath.Join(writeLogs(t, 300, true), "log-*.csv")
	_, page := written(t, reportOf(t, reportSettings(), 1, nil, logs))
	for _, banned := range []string{"<script", "http:", "https:", " src=", "url(", "@import", "<link", "href=", "<b>大", "javascript:"} {
		if bytes.Contains(bytes.ToLower(page), []byte(banned)) {
			t.Errorf("the page holds %s", banned)
		}
	}
	if !bytes.Contains(page, []byte("大众 &lt;b&gt;")) {
		t.Error("the segment's name is not shown")
	}
	last := -1
	for _, id := range []string{"safe", "better", "segments", "sure", "money", "funnel", "gates"} {
		at := bytes.Index(page, []byte(`<section id="`+id+`"`))
		if at <= last {
			t.Errorf("section %s stands at %d, behind one at %d", id, at, last)
		}
		last = at
	}
	if n := bytes.Count(page, []byte("<svg")); n < 7 || bytes.Count(page, []byte("<title id=")) != n || bytes.Count(page, []byte("<desc")) != n {
		t.Errorf("%d drawings, not all with title and description", n)
	}
}

const schemaFile = "../../docs/evaluation/report.schema.json"

func TestThePublishedSchemaIsThatOfTheTypes(t *testing.T) {
	schema := evaluation.ReportJSONSchema()
	if *update {
		if err := os.WriteFile(schemaFile, schema, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	published, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(published, schema) {
		t.Error("docs/evaluation/report.schema.json is not that of the types: go test ./services/evaluation -run Schema -update")
	}
}

func TestReportsKeepToTheSchema(t *testing.T) {
	rules := &schema{}
	if err := json.Unmarshal(evaluation.ReportJSONSchema(), rules); err != nil {
		t.Fatal(err)
	}
	good := writeLogs(t, 300, true)
	plain := filepath.Join(t.TempDir(), "plain.csv")
	if err := os.WriteFile(plain, []byte("decision_id,customer_id,decided_at,position,product_code,reward,propensity\nd1,c1,2026-01-01T00:00:00Z,1,A,,0.5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	whole := reportSettings()
	whole.Policy.Replicates = 10
	none := reportSettings()
	none.Segments = nil
	for _, r := range []*evaluation.Report{reportOf(t, whole, 1, nil, filepath.Join(good, "log-*.csv")), reportOf(t, none, 1, nil, plain)} {
		data, _ := written(t, r)
		var document map[string]any
		if err := json.Unmarshal(data, &document); err != nil {
			t.Fatal(err)
		}
		if wrong := rules.validate(document, "report"); len(wrong) > 0 {
			t.Errorf("%s", strings.Join(wrong, "\n"))
		}
		document["version"], document["log"] = 5., []any{}
		document["more"] = true
		delete(document, "gates")
		if wrong := rules.validate(document, "report"); len(wrong) != 4 {
			t.Errorf("of four faults the check found %q", wrong)
		}
	}
}

// schema is as much of JSON Schema as the report's uses.
type schema struct {
	Type       any                `json:"type"`
	Properties map[string]*schema `json:"properties"`
	Required   []string           `json:"required"`
	Items      *schema            `json:"items"`
	MinItems   *int               `json:"minItems"`
}

func (s *schema) validate(value any, at string) (wrong []string) {
	kinds := strings.Fields(strings.Trim(fmt.Sprint(s.Type), "[]"))
	if !slices.ContainsFunc(kinds, func(kind string) bool { return isOf(value, kind) }) {
		return []string{fmt.Sprintf("%s: %v is none of %v", at, value, kinds)}
	}
	switch v := value.(type) {
	case map[string]any:
		for _, name := range s.Required {
			if _, there := v[name]; !there {
				wrong = append(wrong, fmt.Sprintf("%s has no %s", at, name))
			}
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if s.Properties[name] == nil {
				wrong = append(wrong, fmt.Sprintf("%s.%s is not in the schema", at, name))
				continue
			}
			wrong = append(wrong, s.Properties[name].validate(v[name], at+"."+name)...)
		}
	case []any:
		if s.MinItems != nil && len(v) != *s.MinItems {
			wrong = append(wrong, fmt.Sprintf("%s: %d items, expected %d", at, len(v), *s.MinItems))
		}
		for i, item := range v {
			wrong = append(wrong, s.Items.validate(item, fmt.Sprintf("%s.%d", at, i))...)
		}
	}
	return wrong
}

func isOf(value any, kind string) bool {
	switch v := value.(type) {
	case nil:
		return kind == "null"
	case bool:
		return kind == "boolean"
	case string:
		return kind == "string"
	case float64:
		return kind == "number" || kind == "integer" && v == float64(int64(v))
	case []any:
		return kind == "array"
	default:
		return kind == "object"
	}
}
