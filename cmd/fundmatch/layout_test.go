package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// This file holds the layout of docs/design.md, section 2: who may import whom, what the pure packages may not reach,
// which directories there are and which names there are not; sources_test.go holds what only the source shows. A
// package's tests may import what they like: what is held is what the program is made of.

// modulePath is this module's; every rule below speaks of paths relative to it.
const modulePath = "github.com/fundmatch/fundmatch"

// root is the repository's, from this package's directory, where go test runs.
const root = "../.."

// importRule says which packages of this module a package may import. Patterns are matched segment by segment as by
// path.Match; a last segment "..." stands for the package itself and everything below it.
type importRule struct {
	importer string   // the packages that the rule is for; the first rule that matches a package is its rule
	may      []string // what they may import
	why      string   // printed with a violation
}

// importRules is the table of design.md, more specific importers first. services/engine is decision 0001.
var importRules = []importRule{
	{"cmd/...", []string{"proto/...", "matcher/...", "features/...", "services/..."}, "cmd wires everything; nothing imports cmd"},
	{
		"services/server",
		[]string{"proto/...", "matcher/...", "features", "services/*"},
		"services/server -> services/*",
	},
	{
		"services/engine",
		[]string{"features", "matcher/...", "services/telemetry"},
		"services/engine -> features, matcher: it loads and swaps cores and knows nothing of the wire (decision 0001)",
	},
	{
		"services/customer",
		[]string{"proto/...", "features", "features/view", "matcher/...", "services/telemetry", "services/decisionlog", "services/engine", "services/wire"},
		"services/customer also -> features/view: a customer's cells are read as everywhere, with a status for who reads",
	},
	{
		"services/evaluation",
		append(slices.Clone(servicesMay), "services/evaluation/policylog", "services/evaluation/gate", "services/evaluation/experiments", "services/evaluation/page", "services/evaluation/spill"),
		"services/evaluation -> its readers, its gates, its experiments, its page, its spill: what a log says, what stops a release, how it is shown, what memory does not hold",
	},
	{
		"services/evaluation/policylog",
		append(slices.Clone(servicesMay), "services/evaluation/packed", "services/evaluation/parquetfile", "services/evaluation/spill"),
		"services/evaluation/policylog -> services/evaluation/{packed,parquetfile,spill}: how a file lies on disk, and what memory does not hold",
	},
	{"services/evaluation/gate", nil, "services/evaluation/gate judges any document, and knows none of them"},
	{
		"services/evaluation/experiments",
		append(slices.Clone(servicesMay), "services/evaluation/gate"),
		"services/evaluation/experiments -> services/evaluation/gate: its document says what became of the gates",
	},
	{
		"services/evaluation/experimentfile",
		append(slices.Clone(servicesMay), "services/evaluation/experiments", "services/evaluation/packed"),
		"services/evaluation/experimentfile -> services/evaluation/{experiments,packed}: it reads the rows that are evaluated there",
	},
	{
		"services/evaluation/trecfile",
		append(slices.Clone(servicesMay), "services/evaluation/packed"),
		"services/evaluation/trecfile -> services/evaluation/packed: how a file lies on disk",
	},
	{
		"services/evaluation/joined",
		append(slices.Clone(servicesMay), "services/evaluation/policylog"),
		"services/evaluation/joined -> services/evaluation/policylog: it makes the rows that are read there",
	},
	{
		"services/...",
		servicesMay,
		"services/* -> proto, features, features/view, matcher..., services/{auth,telemetry,decisionlog,engine,wire}: no service imports another, and cmd chooses the store",
	},
	{"features", []string{"matcher/fund"}, "features -> matcher/fund: contracts speak of nouns only"},
	{"features/sqlstore", storeMay, storeWhy},
	{"features/memory", storeMay, storeWhy},
	{"features/storetest", append(slices.Clone(storeMay), "features/view"), storeWhy + "; the oracle judges the statuses of views"},
	{"features/dataset", storeMay, storeWhy},
	{"features/dataset/synthetic", append(slices.Clone(storeMay), "features/dataset"), storeWhy + "; the synthetic bank is written in dataset's formats"},
	{"features/history", storeMay, storeWhy},
	{"features/view", append(slices.Clone(storeMay), "matcher/strictyaml"), storeWhy + "; a bank's catalogue is YAML from outside"},
	{"features/extract", append(slices.Clone(storeMay), "features/view", "features/history", "features/dataset"), "features/extract reads histories by views, and labels in the dataset's CSV"},
	{"features/casefile", append(slices.Clone(storeMay), "features/view", "features/history"), "features/casefile reads cases through a store by views"},
	{"features/monitor", append(slices.Clone(storeMay), "features/view", "features/history"), "features/monitor measures views"},
	{"features/sqlstore/pgtest", nil, "features/sqlstore/pgtest starts servers for tests and knows nothing of stores"},
	{"features/*", []string{"features", "matcher/fund"}, "features/* -> features -> matcher/fund"},
	{"matcher", []string{"matcher/*", "matcher/score/*"}, "matcher -> its stages -> matcher/fund"},
	{"matcher/fund", nil, "matcher/fund is the nouns: it imports nothing of this module"},
	{"matcher/strictyaml", nil, "matcher/strictyaml guards YAML from outside, whoever reads it: it imports nothing of this module"},
	{"matcher/eligibility", []string{"matcher/fund", "matcher/strictyaml"}, "matcher/eligibility -> matcher/strictyaml: a rule pack is YAML from outside"},
	{"matcher/score", []string{"matcher/fund", "matcher/strictyaml", "matcher/score/*"}, "matcher/score -> matcher/fund, the models that it adds up, and matcher/strictyaml"},
	{"matcher/score/*", []string{"matcher/fund"}, "matcher/score/* -> matcher/fund: each model by itself"},
	{"matcher/score/outcome/assess", []string{"matcher/fund", "matcher/score/outcome"}, "matcher/score/outcome/assess measures matcher/score/outcome; nothing that serves imports it"},
	{"matcher/experiment", []string{"matcher/fund", "matcher/slate", "matcher/strictyaml"}, "matcher/experiment -> matcher/slate: an arm chooses how much is explored"},
	{"matcher/evaluate", []string{"matcher/fund", "matcher/evaluate/draw"}, "matcher/evaluate -> matcher/fund, matcher/evaluate/draw: a bootstrap's draws"},
	{"matcher/evaluate/*", []string{"matcher/fund", "matcher/evaluate/draw", "matcher/evaluate/share"}, "matcher/evaluate/* -> matcher/fund, matcher/evaluate/{draw,share}: each kind of measure by itself, draws and shares in one way"},
	{"matcher/*", []string{"matcher/fund"}, "matcher -> its stages -> matcher/fund; stages never import each other"},
	{"scripts/mutate", nil, "scripts/mutate reads the source of this module and runs its tests, and imports none of it"},
	{"proto/...", nil, "proto is the wire alone: generated code imports nothing else of this module"},
}

var servicesMay = []string{"proto/...", "features", "features/view", "matcher/...", "services/auth", "services/telemetry", "services/decisionlog", "services/engine", "services/wire"}

var storeMay = []string{"features", "features/history", "matcher/fund", "matcher/behaviour", "matcher/track"}

const storeWhy = "features/{sqlstore,memory,storetest,dataset} -> features, matcher/{fund,behaviour,track}"

// banRule says what packages may not import from outside this module.
type banRule struct {
	importer   string   // the packages that the rule is for, as in importRule; every rule that matches counts
	direct     []string // import paths that they may not import; a last "/..." takes everything below in
	transitive []string // import paths that they may not reach over any chain of imports
	why        string   // printed with a violation
}

// banRules keep the domain pure and ignorant of the wire.
var banRules = []banRule{
	{
		importer:   "matcher/...",
		direct:     []string{"net/...", "database/sql", "os/exec", "log", "log/slog", "math/rand", "math/rand/v2"},
		transitive: []string{"net", "net/http", "database/sql", "os/exec"},
		why:        "matcher is pure: same input, same output",
	},
	{
		importer: "features/...",
		direct:   []string{"google.golang.org/grpc/...", "google.golang.org/protobuf/...", "net/http"},
		why:      "domain packages own typed errors and know nothing of the wire; services/server/errors.go maps them",
	},
}

// listed is what the rules need of one package of `go list -deps -json`.
type listed struct {
	ImportPath string
	Name       string
	Imports    []string
}

// TestImports holds the import rules over the real tree.
func TestImports(t *testing.T) {
	t.Parallel()
	packages := listPackages(t)
	if !slices.ContainsFunc(packages, func(p listed) bool { return p.ImportPath == modulePath+"/cmd/fundmatch" }) {
		t.Fatal("go list did not name cmd/fundmatch: the rules were not checked")
	}
	for _, v := range violations(packages) {
		t.Error(v)
	}
}

// violations checks every package of this module in the list and returns what breaks a rule, in the list's order.
func violations(packages []listed) []string {
	imports := make(map[string][]string, len(packages))
	for _, p := range packages {
		imports[p.ImportPath] = p.Imports
	}
	var found []string
	for _, p := range packages {
		importer, ours := strings.CutPrefix(p.ImportPath, modulePath+"/")
		if !ours {
			continue
		}
		found = append(found, nameViolations(importer, p.Name)...)
		found = append(found, importViolations(importer, p.Imports)...)
		found = append(found, banViolations(importer, imports)...)
	}
	return found
}

// importViolations checks one package's imports from this module against the first rule for it.
func importViolations(importer string, imports []string) []string {
	at := slices.IndexFunc(importRules, func(r importRule) bool { return matches(r.importer, importer) })
	if at < 0 {
		return []string{fmt.Sprintf("%s stands in no place of the layout: add it to design.md's section 2 and to importRules", importer)}
	}
	rule := importRules[at]
	var found []string
	for _, i := range imports {
		imported, ours := strings.CutPrefix(i, modulePath+"/")
		if ours && !slices.ContainsFunc(rule.may, func(pattern string) bool { return matches(pattern, imported) }) {
			found = append(found, fmt.Sprintf("%s imports %s, against the rule: %s", importer, imported, rule.why))
		}
	}
	return found
}

// banViolations checks one package against every ban for it, direct imports first, then the shortest chains.
func banViolations(importer string, imports map[string][]string) []string {
	var found []string
	for _, rule := range banRules {
		if !matches(rule.importer, importer) {
			continue
		}
		for _, i := range imports[modulePath+"/"+importer] {
			if slices.ContainsFunc(rule.direct, func(pattern string) bool { return matches(pattern, i) }) {
				found = append(found, fmt.Sprintf("%s imports %s, against the rule: %s", importer, i, rule.why))
			}
		}
		for _, target := range rule.transitive {
			if chain := reach(modulePath+"/"+importer, target, imports); len(chain) > 2 {
				found = append(found, fmt.Sprintf("%s reaches %s (%s), against the rule: %s",
					importer, target, strings.Join(chain, " -> "), rule.why))
			}
		}
	}
	return found
}

// nameViolations refuses the names that say nothing, as a package's own or as a directory's on the way to it.
func nameViolations(importer, name string) []string {
	var found []string
	for _, word := range append(strings.Split(importer, "/"), name) {
		if slices.Contains([]string{"util", "utils", "common", "commons", "helper", "helpers", "base", "impl"}, word) {
			found = append(found, fmt.Sprintf("%s is named %q, which says nothing: name it after what it does", importer, word))
		}
	}
	return slices.Compact(found)
}

// reach returns the shortest chain of imports from one package to another, both included, or nil. The packages of a
// level are visited in order, so that one failure has one message.
func reach(from, to string, imports map[string][]string) []string {
	previous := map[string]string{from: ""}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		for _, next := range slices.Sorted(slices.Values(imports[queue[0]])) {
			if _, seen := previous[next]; seen {
				continue
			}
			previous[next] = queue[0]
			if next == to {
				return chainTo(to, previous)
			}
			queue = append(queue, next)
		}
	}
	return nil
}

// chainTo walks back from the last package of a search to its first.
func chainTo(last string, previous map[string]string) []string {
	var chain []string
	for at := last; at != ""; at = previous[at] {
		chain = append(chain, at)
	}
	slices.Reverse(chain)
	return chain
}

// matches tells whether a path fits a rule's pattern.
func matches(pattern, name string) bool {
	if stem, below := strings.CutSuffix(pattern, "/..."); below {
		return name == stem || strings.HasPrefix(name, stem+"/")
	}
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

// TestViolations sees every rule fail: on lists of packages that break one thing each, and none on a list that is right.
func TestViolations(t *testing.T) {
	t.Parallel()
	pkg := func(importPath string, imports ...string) listed {
		return listed{ImportPath: ours(importPath), Name: path.Base(importPath), Imports: imports}
	}
	std := []listed{
		{"net/http", "http", []string{"net", "io"}},
		{"net", "net", []string{"io"}},
		{"os/exec", "exec", []string{"io"}},
		{"io", "io", nil},
		{"example.org/client", "client", []string{"io", "net/http"}},
	}
	const pure = "matcher is pure: same input, same output"
	const stages = "matcher -> its stages -> matcher/fund; stages never import each other"
	const wire = "domain packages own typed errors and know nothing of the wire; services/server/errors.go maps them"
	const handlers = "services/* -> proto, features, features/view, matcher..., services/{auth,telemetry,decisionlog,engine,wire}: no service imports another, and cmd chooses the store"

	cases := []struct {
		name string
		tree []listed
		want []string
	}{
		{"a tree that is right", []listed{
			pkg("cmd/fundmatch", ours("services/server"), ours("features/sqlstore"), ours("matcher"), "net/http"),
			pkg("services/server", ours("services/recommendation"), ours("services/engine"), ours("proto/fundmatch/v1"), "net/http"),
			pkg("services/recommendation", ours("services/engine"), ours("services/decisionlog"), ours("features"), ours("matcher/fund")),
			pkg("services/engine", ours("features"), ours("matcher"), ours("matcher/fund")),
			pkg("features/sqlstore", ours("features"), ours("matcher/fund"), ours("matcher/track"), "database/sql"),
			pkg("features/dataset/synthetic", ours("features/dataset"), ours("matcher/fund")),
			pkg("features/cache", ours("features")),
			pkg("features", ours("matcher/fund")),
			pkg("matcher", ours("matcher/score"), ours("matcher/fund")),
			pkg("matcher/score", ours("matcher/fund"), "io"),
			pkg("matcher/fund", "io", "time"),
			pkg("proto/fundmatch/v1", "google.golang.org/grpc"),
		}, nil},
		{"matcher/score imports net/http", []listed{pkg("matcher/score", ours("matcher/fund"), "net/http")}, []string{
			"matcher/score imports net/http, against the rule: " + pure,
			"matcher/score reaches net (" + ours("matcher/score") + " -> net/http -> net), against the rule: " + pure,
		}},
		{"matcher reaches net over a library", []listed{pkg("matcher/track", "example.org/client")}, []string{
			"matcher/track reaches net (" + ours("matcher/track") + " -> example.org/client -> net/http -> net), against the rule: " + pure,
			"matcher/track reaches net/http (" + ours("matcher/track") + " -> example.org/client -> net/http), against the rule: " + pure,
		}},
		{"matcher parses addresses", []listed{pkg("matcher/wording", "net/netip")}, []string{
			"matcher/wording imports net/netip, against the rule: " + pure,
		}},
		{"matcher throws dice, logs, starts a program, opens a database", []listed{
			pkg("matcher", "math/rand/v2", "log/slog", "os/exec", "database/sql"),
		}, []string{
			"matcher imports math/rand/v2, against the rule: " + pure,
			"matcher imports log/slog, against the rule: " + pure,
			"matcher imports os/exec, against the rule: " + pure,
			"matcher imports database/sql, against the rule: " + pure,
		}},
		{"a stage imports another", []listed{pkg("matcher/slate", ours("matcher/track"))}, []string{
			"matcher/slate imports matcher/track, against the rule: " + stages,
		}},
		{"the nouns import a stage", []listed{pkg("matcher/fund", ours("matcher/track"))}, []string{
			"matcher/fund imports matcher/track, against the rule: matcher/fund is the nouns: it imports nothing of this module",
		}},
		{"a contract imports the matcher", []listed{pkg("features", ours("matcher"))}, []string{
			"features imports matcher, against the rule: features -> matcher/fund: contracts speak of nouns only",
		}},
		{"the cache computes", []listed{pkg("features/cache", ours("matcher/track"))}, []string{
			"features/cache imports matcher/track, against the rule: features/* -> features -> matcher/fund",
		}},
		{"the formats make a bank", []listed{pkg("features/dataset", ours("features/dataset/synthetic"))}, []string{
			"features/dataset imports features/dataset/synthetic, against the rule: " + storeWhy,
		}},
		{"a store speaks gRPC", []listed{pkg("features/memory", ours("features"), "google.golang.org/grpc/status")}, []string{
			"features/memory imports google.golang.org/grpc/status, against the rule: " + wire,
		}},
		{"a service chooses its store", []listed{pkg("services/pool", ours("features/sqlstore"))}, []string{
			"services/pool imports features/sqlstore, against the rule: " + handlers,
		}},
		{"a service imports another", []listed{pkg("services/pool", ours("services/customer"))}, []string{
			"services/pool imports services/customer, against the rule: " + handlers,
		}},
		{"the engine knows the wire", []listed{pkg("services/engine", ours("proto/fundmatch/v1"))}, []string{
			"services/engine imports proto/fundmatch/v1, against the rule: services/engine -> features, matcher: it loads and swaps cores and knows nothing of the wire (decision 0001)",
		}},
		{"somebody imports cmd", []listed{pkg("services/server", ours("cmd/fundmatch"))}, []string{
			"services/server imports cmd/fundmatch, against the rule: services/server -> services/*",
		}},
		{"a package has no place", []listed{pkg("pkg/money")}, []string{
			"pkg/money stands in no place of the layout: add it to design.md's section 2 and to importRules",
		}},
		{"a name says nothing", []listed{pkg("features/common")}, []string{
			`features/common is named "common", which says nothing: name it after what it does`,
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			wantLines(t, violations(append(c.tree, std...)), c.want)
		})
	}
}

// TestDirectories holds the top level of the tree: what design.md names is there, and nothing else but what git ignores.
func TestDirectories(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	ignored := append(ignoredDirectories(t), ".git")
	for _, e := range entries {
		if e.IsDir() && !slices.ContainsFunc(ignored, func(pattern string) bool { return matches(pattern, e.Name()) }) {
			got = append(got, e.Name())
		}
	}
	want := []string{".ci", "charts", "cmd", "docs", "features", "matcher", "proto", "scripts", "services"}
	wantLines(t, got, want)
}

// ignoredDirectories returns the top-level directories that .gitignore names, as patterns: /bin/ is bin.
func ignoredDirectories(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, ".gitignore"))
	if err != nil {
		t.Fatal(err)
	}
	var patterns []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "/") && strings.HasSuffix(line, "/") && len(line) > 2 {
			patterns = append(patterns, strings.Trim(line, "/"))
		}
	}
	return patterns
}

// listPackages asks the go command once for every package of the module and everything they import.
func listPackages(t *testing.T) []listed {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Name,Imports", "./...")
	list.Dir = root
	var problems bytes.Buffer
	list.Stderr = &problems
	output, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, problems.String())
	}
	var packages []listed
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var p listed
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatalf("go list's output: %v", err)
		}
		packages = append(packages, p)
	}
}

// ours returns the import path of a package of this module.
func ours(relative string) string { return modulePath + "/" + relative }

// wantLines compares what was found with what was expected, line by line.
func wantLines(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got:\n\t%s\nwant:\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}
