package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// variable names the mutant that is switched on in a test binary.
const variable = "FUNDMATCH_MUTANT"

const switches = `package %s

import (
	"os"
	"strconv"
)

var mutantNumber = func() int {
	n, _ := strconv.Atoi(os.Getenv("` + variable + `"))
	return n
}()

func mutantOn(number int) bool { return mutantNumber == number }

func mutantMore(number int) int {
	if mutantNumber == number {
		return 1
	}
	return 0
}

var _, _ = mutantOn, mutantMore
`

// build compiles the test binary of every package whose tests are needed, with the mutants
// of all targets in it, and returns them by directory.
func build(ctx context.Context, dir string, sources []*source, needed []*target) (map[string]string, error) {
	overlay, err := writeOverlay(dir, sources)
	if err != nil {
		return nil, err
	}
	binaries := map[string]string{}
	for _, t := range needed {
		for _, s := range t.tests {
			if binaries[s.dir] != "" {
				continue
			}
			out := filepath.Join(dir, strings.ReplaceAll(s.dir, "/", "-")+".test")
			//nolint:gosec // the arguments are constants of this program and paths that it made
			cmd := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", out, "./"+s.dir)
			if text, err := cmd.CombinedOutput(); err != nil {
				return nil, fmt.Errorf("NOT COMPILED %s: %w\n%s", s.dir, err, text)
			}
			binaries[s.dir] = out
		}
	}
	return binaries, nil
}

// writeOverlay writes the broken sources and the overlay that puts them in the place of the
// real ones.
func writeOverlay(dir string, sources []*source) (string, error) {
	replace := map[string]string{}
	put := func(path string, text []byte) error {
		real, err := filepath.Abs(path)
		if err != nil {
			return err
		}
		at := filepath.Join(dir, strings.ReplaceAll(path, "/", "-"))
		replace[real] = at
		return os.WriteFile(at, text, 0o600)
	}
	for _, s := range sources {
		if err := put(s.path, s.instrumented()); err != nil {
			return "", err
		}
		file, err := parser.ParseFile(token.NewFileSet(), s.path, s.text, parser.PackageClauseOnly)
		if err != nil {
			return "", err
		}
		if err := put(filepath.Join(s.target.dir, "mutant_switches.go"), fmt.Appendf(nil, switches, file.Name.Name)); err != nil {
			return "", err
		}
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, data, 0o600)
}

// suiteArguments bound the tests of one mutant. Random tests draw the same cases for every
// mutant, few of them first, and leave nothing behind.
func suiteArguments(s suite, checks int) []string {
	args := []string{
		"-test.failfast", "-test.short", "-test.timeout=0", fmt.Sprintf("-rapid.checks=%d", checks),
		"-rapid.seed=1", "-rapid.nofailfile", "-rapid.shrinktime=0s",
	}
	if s.run != "" {
		args = append(args, "-test.run="+s.run)
	}
	return args
}

// runSuite runs the tests with a mutant switched on; 0: none. A failure is told by the name
// of the test that failed first.
func runSuite(ctx context.Context, binary string, s suite, checks, number int) (failed string, err error) {
	//nolint:gosec // the binary is one that this program made
	cmd := exec.CommandContext(ctx, binary, suiteArguments(s, checks)...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", variable, number), "GOMAXPROCS=1")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err = cmd.Run(); err == nil {
		return "", nil
	}
	return firstFailure(out.String()), err
}

func firstFailure(output string) string {
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "--- FAIL: "); ok {
			name, _, _ = strings.Cut(name, " ")
			return name
		}
		if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") {
			return line
		}
	}
	return "a failure without a name"
}
