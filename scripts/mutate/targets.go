package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// target is some source of one package and the tests that have to see it broken.
type target struct {
	dir   string   // of the package, from the module's root
	files []string // patterns; without _test.go files
	tests []suite  // quickest first
}

// suite are tests of one package.
type suite struct {
	dir string
	run string // pattern of the tests; empty: all
}

// targets are where the rules live.
var targets = []target{
	{
		dir: "matcher/eligibility",
		files: []string{
			"admission.go", "assessed.go", "book.go", "edition.go", "facts.go", "fees.go", "gate.go", "goal.go", "grade.go", "order*.go",
			"outcome.go", "parts.go", "person.go", "pool.go", "program.go", "refusals.go", "sale.go", "showings.go", "switch.go",
		},
		tests: []suite{{dir: "matcher/eligibility"}},
	},
	{
		dir:   "matcher/behaviour",
		files: []string{"origin.go"},
		tests: []suite{{dir: "matcher/behaviour"}},
	},
}

// source is one file and its mutants.
type source struct {
	target  *target
	path    string // from the module's root
	text    []byte
	mutants []*mutant
	edits   []edit
}

// readSources reads the targets from the working directory, the module's root, and finds
// their mutants, numbered from 1 in the order of targets, files and places.
func readSources() ([]*source, error) {
	if _, err := os.Stat("go.mod"); err != nil {
		return nil, fmt.Errorf("run it in the module's root: %w", err)
	}
	rules, err := readRuleFunctions("matcher/eligibility/rulebook.go")
	if err != nil {
		return nil, err
	}
	var sources []*source
	number := 0
	for i := range targets {
		paths, err := targets[i].paths()
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			s := &source{target: &targets[i], path: path}
			if s.text, err = os.ReadFile(path); err != nil {
				return nil, err
			}
			if err := s.mutate(rules, &number); err != nil {
				return nil, err
			}
			sources = append(sources, s)
		}
	}
	return sources, nil
}

// paths are the files of a target, each once, in order.
func (t *target) paths() ([]string, error) {
	var all []string
	for _, pattern := range t.files {
		paths, err := filepath.Glob(filepath.Join(t.dir, pattern))
		if err != nil {
			return nil, err
		}
		paths = slices.DeleteFunc(paths, func(p string) bool { return strings.HasSuffix(p, "_test.go") })
		if len(paths) == 0 {
			return nil, fmt.Errorf("%s/%s: there is no such file any more", t.dir, pattern)
		}
		all = append(all, paths...)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

func allMutants(sources []*source) []*mutant {
	var all []*mutant
	for _, s := range sources {
		all = append(all, s.mutants...)
	}
	return all
}

// targetsOf are the targets of some mutants, in order.
func targetsOf(chosen []*mutant) []*target {
	var out []*target
	for _, m := range chosen {
		if !slices.Contains(out, m.source.target) {
			out = append(out, m.source.target)
		}
	}
	return out
}
