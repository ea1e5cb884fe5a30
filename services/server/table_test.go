package server

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/fundmatch/fundmatch/features"
)

var update = flag.Bool("update", false, "write the error table into docs/serving.md")

// internal are the exported errors without a row, each with the reason why no caller can
// cause it or why he is told INTERNAL. A pattern ends with "*".
var internal = map[string]string{
	"dataset.*":                 "import is a command; its errors go to its terminal",
	"decisiontable.*":           "the decision table is read by tests",
	"synthetic.*":               "demo is a command; its errors go to its terminal",
	"telemetry.*":               "settings; the program does not start",
	"*server.ConfigError":       "settings; the program does not start",
	"*server.ExposedError":      "settings; the program does not start",
	"*server.OrderError":        "wiring; the program does not start",
	"server.ErrStarted":         "Run's result, not an answer's",
	"server.ErrDrainTimeout":    "Run's result, not an answer's",
	"decisionlog.ErrInvalid":    "a record that the log refuses is this program's fault: INTERNAL",
	"*decisionlog.InvalidError": "a decisionlog.ErrInvalid: this program's fault",
	"*decisionlog.BrokenError":  "a decisionlog.ErrCorrupt, whose row speaks for it",
	"matcher.ErrCompile":        "a core that cannot be compiled is refused by the engine: who asks is told ErrNoCore; in a replay it is this program's fault",
	"eligibility.ErrCompile":    "within matcher.ErrCompile",
	"eligibility.ErrPack":       "within matcher.ErrCompile, and a command's error on import",
	"*eligibility.PackError":    "an eligibility.ErrPack",
	"score.ErrModel":            "within matcher.ErrCompile, and a command's error on import",
	"score.ErrForbiddenInput":   "within matcher.ErrCompile, and a command's error on import",
	"modelfile.*":               "within score.ErrModel; of an upload the registry tells them as *model.RefusedError and *model.StateError",
	"affinity.*":                "within score.ErrModel, and within matcher.ErrCompile where a core is trained",
	"outcome.ErrParams":         "within score.ErrModel",
	"slate.ErrExploration":      "within score.ErrModel and experiment.ErrPlan; nobody sends one",
	"experiment.ErrPlan":        "the plan in force stays; publishing one is a command",
	"evaluate.*":                "measures are taken by commands",
	"calibration.*":             logsAreJudged,
	"conduct.*":                 logsAreJudged,
	"evaluation.*":              logsAreJudged,
	"experiments.*":             logsAreJudged,
	"funnel.*":                  logsAreJudged,
	"gate.*":                    logsAreJudged,
	"inference.*":               logsAreJudged,
	"joined.*":                  logsAreJudged,
	"money.*":                   logsAreJudged,
	"parquetfile.*":             logsAreJudged,
	"policy.*":                  logsAreJudged,
	"policylog.*":               logsAreJudged,
	"share.*":                   logsAreJudged,
	"survival.*":                logsAreJudged,
	"trec.*":                    logsAreJudged,
	"trecfile.*":                logsAreJudged,
	"uplift.*":                  logsAreJudged,
	"backtest.*":                "backtest is a command; its errors go to its terminal",
	"frontier.*":                "the frontier is a command; its errors go to its terminal",
	"wording.*":                 "sentences that cannot be filled are this program's fault: the answer is INTERNAL rather than half a sentence",
	"sqlstore.*":                "a store returns the errors of features; its own are for commands",
	"memory.*":                  "a store for tests",

	"score.ErrFitColumns":        fitsAreTrained,
	"score.ErrFitRagged":         fitsAreTrained,
	"score.ErrFitNotFinite":      fitsAreTrained,
	"score.ErrFitRange":          fitsAreTrained,
	"score.ErrFitWeight":         fitsAreTrained,
	"score.ErrFitRows":           fitsAreTrained,
	"score.ErrFitConstant":       fitsAreTrained,
	"score.ErrFitConstantTarget": fitsAreTrained,
	"score.ErrFitCollinear":      fitsAreTrained,
	"score.ErrFitCondition":      fitsAreTrained,
	"score.ErrFitOptions":        fitsAreTrained,
	"score.ErrFitMerge":          fitsAreTrained,
	"score.ErrLinear":            "within a model that is refused, and a command's error on import",
	"*score.FitError":            fitsAreTrained,
	"logit.*":                    fitsAreTrained,
	"training.*":                 fitsAreTrained,
}

const logsAreJudged = "logs are judged by a command; its errors go to its terminal"

const fitsAreTrained = "models are fitted by a command; its errors go to its terminal"

// TestEveryExportedErrorHasARow reads the source, so that an error that nobody thought of
// cannot reach a caller as INTERNAL unnoticed.
func TestEveryExportedErrorHasARow(t *testing.T) {
	t.Parallel()
	rows := map[string]bool{}
	for _, r := range table {
		rows[r.error] = true
	}
	found := map[string]bool{}
	for _, dir := range []string{"matcher", "features", "services"} {
		for name := range exportedErrors(t, filepath.Join("..", "..", dir)) {
			found[name] = true
			if rows[name] || whyInternal(name) != "" {
				continue
			}
			t.Errorf("%s has no row in the error table (errors.go) and no reason to be internal (table_test.go)", name)
		}
	}
	if !found["features.ErrNoPool"] || !found["*features.NotFoundError"] || !found["*server.ConfigError"] {
		t.Fatalf("the source was not read: %v", found)
	}
	for name := range rows {
		if !strings.HasPrefix(name, "context.") && strings.Contains(name, ".") && !found[name] {
			t.Errorf("the table has a row for %s, which is nowhere", name)
		}
	}
}

func whyInternal(name string) string {
	if why := internal[name]; why != "" {
		return why
	}
	pkg, _, _ := strings.Cut(strings.TrimPrefix(name, "*"), ".")
	return internal[pkg+".*"]
}

// exportedErrors lists pkg.ErrX for variables and *pkg.XError for types below a directory.
func exportedErrors(t *testing.T, root string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for _, decl := range file.Decls {
			for _, name := range errorsOf(decl) {
				names[strings.Replace(name, ".", file.Name.Name+".", 1)] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func errorsOf(decl ast.Decl) (names []string) {
	general, ok := decl.(*ast.GenDecl)
	if !ok {
		return nil
	}
	for _, spec := range general.Specs {
		switch spec := spec.(type) {
		case *ast.ValueSpec:
			for _, name := range spec.Names {
				if general.Tok == token.VAR && strings.HasPrefix(name.Name, "Err") {
					names = append(names, "."+name.Name)
				}
			}
		case *ast.TypeSpec:
			if _, isStruct := spec.Type.(*ast.StructType); isStruct && spec.Name.IsExported() && strings.HasSuffix(spec.Name.Name, "Error") {
				names = append(names, "*."+spec.Name.Name)
			}
		}
	}
	return names
}

func TestTheTableIsWellFormed(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, r := range append(slices.Clone(table), internalRow) {
		if r.code == codes.OK || r.code == codes.Unknown || r.reason == "" || !strings.HasSuffix(r.sentence, ".") && !strings.HasSuffix(r.sentence, "operator.") {
			t.Errorf("%s: %+v", r.error, r)
		}
		if seen[r.error] {
			t.Errorf("%s stands twice", r.error)
		}
		seen[r.error] = true
		if strings.ToUpper(r.reason) != r.reason || len(r.reason) > 63 {
			t.Errorf("%s: reason %q is not UPPER_SNAKE_CASE of at most 63 characters", r.error, r.reason)
		}
	}
	byReason := map[string]int{}
	for _, r := range table {
		if before, ok := byReason[r.reason]; ok && before != r.http {
			t.Errorf("reason %s has the HTTP statuses %d and %d", r.reason, before, r.http)
		}
		byReason[r.reason] = r.http
	}
}

func TestTellingAnErrorTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	once := tell(features.ErrNoPool, "req-1")
	twice := tell(fmt.Errorf("outer: %w", once), "req-2")
	if !errors.Is(causeOf(twice), features.ErrNoPool) || status.Convert(twice).String() != status.Convert(once).String() {
		t.Errorf("%v, then %v", status.Convert(once), status.Convert(twice))
	}
}

// TestErrorTableIsDocumented holds the table of docs/serving.md; -update writes it.
func TestErrorTableIsDocumented(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "docs", "serving.md")
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- error table: go test ./services/server -run Documented -update -->\n", "<!-- end of the error table -->"
	before, rest, ok := bytes.Cut(doc, []byte(begin))
	_, after, ok2 := bytes.Cut(rest, []byte(end))
	if !ok || !ok2 {
		t.Fatalf("%s lacks the marks of the error table", path)
	}
	want := slices.Concat(before, []byte(begin), errorTable(), []byte(end), after)
	if *update {
		if err := os.WriteFile(path, want, 0o600); err != nil { //nolint:gosec // G703: the path is a constant
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(doc, want) {
		t.Errorf("the error table of %s is not current: run go test ./services/server -run Documented -update", path)
	}
}

func errorTable() []byte {
	var b bytes.Buffer
	b.WriteString("\n| reason | gRPC code | HTTP | raised by | sentence | retry |\n|---|---|---|---|---|---|\n")
	for _, r := range append(slices.Clone(table), internalRow) {
		http := r.http
		if http == 0 {
			http = runtime.HTTPStatusFromCode(r.code)
		}
		retry := ""
		if r.retry > 0 {
			retry = r.retry.String()
		}
		fmt.Fprintf(&b, "| %s | %s | %d | `%s` | %s | %s |\n", strings.ReplaceAll(r.reason, "<KIND>", "\\<KIND\\>"), r.code, http, r.error, r.sentence, retry)
	}
	b.WriteString("\n")
	return b.Bytes()
}
