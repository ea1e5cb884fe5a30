package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// sample holds one condition of each kind, as rules write them.
const sample = `package sample

// limited (S01): speaks above a limit.
func limited(limit int) func(x int) bool { return func(x int) bool { return x > limit } }

// keyed (S02) is -1 where it does not apply.
func keyed(known bool, level int) int {
	if !known {
		return -1
	}
	return level
}

func both(a, b, c bool) bool { return a && (b || c) }

func when(applies bool) int {
	switch {
	case applies:
		return 0
	default:
		return -1
	}
}

func applied(old bool) int { return when(old) }

func within(at, from, until int64) bool { return from <= at && at < until }

func counted(n int) (sum int) {
	for i := 0; i < n; i++ {
		sum += i
	}
	return sum
}
`

func mutantsOf(t *testing.T, text string) *source {
	t.Helper()
	number := 0
	s := &source{target: &target{dir: "sample"}, path: "sample.go", text: []byte(text)}
	if err := s.mutate(map[string][]string{"both": {"S03"}}, &number); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEveryConditionIsBroken(t *testing.T) {
	var got []string
	for _, m := range mutantsOf(t, sample).mutants {
		got = append(got, m.function+" "+strings.Join(m.rules, " ")+": "+m.was+" => "+m.now)
	}
	want := []string{
		"limited S01: x > limit => x >= limit",
		"limited S01: x > limit => x <= limit",
		"keyed S02: !known => known",
		"keyed S02: -1 => 0",
		"both S03: a && (b || c) => !(a && (b || c))",
		"both S03: a && (b || c) => a || (b || c)",
		"both S03: a => !(a)",
		"both S03: b || c => b && c",
		"both S03: b => !(b)",
		"both S03: c => !(c)",
		"when : applies => !(applies)",
		"when : -1 => 0",
		"applied : old => !(old)",
		"within : from <= at && at < until => !(from <= at && at < until)",
		"within : from <= at && at < until => from <= at || at < until",
		"within : from <= at => from < at",
		"within : from <= at => from > at",
		"within : at < until => at <= until",
		"within : at < until => at >= until",
	}
	if !slices.Equal(got, want) {
		t.Errorf("mutants\n%s\nexpected\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// table answers every input of the sample.
const table = `package %s

import "fmt"

func Table() {
	yes := []bool{false, true}
	for x := range 3 {
		fmt.Print(limited(1)(x), keyed(x > 0, x), applied(x > 0), counted(x), " ")
		for until := range 3 {
			fmt.Print(within(1, int64(x), int64(until)), " ")
		}
	}
	for _, a := range yes {
		for _, b := range yes {
			for _, c := range yes {
				fmt.Print(both(a, b, c), " ")
			}
		}
	}
	fmt.Println()
}
`

// The broken file, all switches off, is the file; with one on it is what the mutant says:
// held by asking both for every input.
func TestASwitchDoesWhatItsMutantSays(t *testing.T) {
	s := mutantsOf(t, sample)
	files := map[string]string{"broken/switches.go": fmt.Sprintf(switches, "broken")}
	var imports, calls strings.Builder
	put := func(name, text string) {
		files[name+"/sample.go"] = strings.Replace(text, "package sample", "package "+name, 1)
		files[name+"/table.go"] = fmt.Sprintf(table, name)
		fmt.Fprintf(&imports, "import %q\n", "sample/"+name)
		fmt.Fprintf(&calls, "\t%s.Table()\n", name)
	}
	put("broken", string(s.instrumented()))
	put("m0", sample)
	for _, m := range s.mutants {
		put("m"+strconv.Itoa(m.number), replaced(t, m))
	}
	files["main.go"] = "package main\n\n" + imports.String() + "\nfunc main() {\n" + calls.String() + "}\n"
	binary := program(t, files)
	for number := range len(s.mutants) + 1 {
		lines := answers(t, binary, number)
		if lines[0] != lines[1+number] {
			t.Errorf("mutant %d answers\n%s, expected\n%s", number, lines[0], lines[1+number])
		}
		if number > 0 && lines[1+number] == lines[1] {
			t.Errorf("mutant %s changes nothing", s.mutants[number-1])
		}
	}
}

// replaced is the sample with the mutant written into it by hand.
func replaced(t *testing.T, m *mutant) string {
	t.Helper()
	begin := strings.Index(sample, "func "+m.function+"(")
	body := sample[begin:]
	end := begin + strings.Index(body, "\n\n")
	if strings.Index(body, "\n\n") < 0 {
		end = len(sample)
	}
	function := sample[begin:end]
	// One letter is not searched in other words.
	at := strings.LastIndex(function, map[string]string{"a": "a &&", "b": "b ||", "c": "c)", "old": "old)"}[m.was])
	if at == len(function) || len(m.was) > 3 || m.was == "-1" {
		at = strings.LastIndex(function, m.was)
	}
	return sample[:begin] + function[:at] + m.now + function[at+len(m.was):] + sample[end:]
}

// program builds a module of files and returns the binary's path.
func program(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	files["go.mod"] = "module sample\n\ngo 1.24\n"
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(dir, "program")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", out, ".")
	cmd.Dir = dir
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	return out
}

func answers(t *testing.T, program string, number int) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Env = append(os.Environ(), variable+"="+strconv.Itoa(number))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return strings.Split(string(out), "\n")
}

func TestASampleIsDrawnAgain(t *testing.T) {
	all := mutantsOf(t, sample).mutants
	first, again := choose(all, &options{sample: 5, seed: 7}), choose(all, &options{sample: 5, seed: 7})
	if len(first) != 5 || !slices.Equal(first, again) || slices.Equal(first, choose(all, &options{sample: 5, seed: 8})) {
		t.Error("a sample is not its seed's")
	}
	if got := choose(all, &options{only: "S01"}); len(got) != 2 {
		t.Errorf("%d mutants of S01, expected 2", len(got))
	}
}

// The report names what survived, and does not trust the reviewed list blindly.
func TestReport(t *testing.T) {
	all := mutantsOf(t, sample).mutants
	var out bytes.Buffer
	results := []result{{all[0], "TestA"}, {all[1], ""}, {all[2], ""}, {all[3], "TestB"}}
	if err := report(&out, &options{}, results, map[int]string{2: "reason", 4: "reason"}); err == nil {
		t.Error("a survivor is no failure")
	}
	if s := out.String(); strings.Contains(s, "x <= limit") || !strings.Contains(s, "SURVIVED   sample.go:8: keyed (S02): !known") ||
		!strings.Contains(s, "although it is listed") || !strings.Contains(s, "S01 2/2, S02 0/2") || !strings.Contains(s, "4 mutants, 2 not held") {
		t.Errorf("report:\n%s", s)
	}
	if err := report(&out, &options{}, results[:2], map[int]string{2: "reason"}); err != nil {
		t.Errorf("all is held: %v", err)
	}
}

func TestTheReviewedListIsHeldToTheSource(t *testing.T) {
	all := mutantsOf(t, sample).mutants
	name := filepath.Join(t.TempDir(), "equivalent.yaml")
	for text, good := range map[string]bool{
		"- {file: sample.go, function: when, was: applies, now: \"!(applies)\", reason: x}":         true,
		"- {file: sample.go, function: when, was: applies, now: \"!(applies)\"}":                    false,
		"- {file: sample.go, function: gone, was: applies, now: \"!(applies)\", reason: x}":         false,
		"- {file: sample.go, function: when, was: applies, now: \"!(applies)\", why: x}":            false,
		"- {file: sample.go, function: when, was: applies, now: \"!(applies)\", nth: 2, reason: x}": false,
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := readEquivalent(name, all); (err == nil) != good || good && got[11] != "x" {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}
