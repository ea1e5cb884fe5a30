package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// equivalentFile lists the mutants that no test can kill, each with the reason.
const equivalentFile = "scripts/mutate/equivalent.yaml"

// equivalent is a reviewed mutant that behaves as the source does.
type equivalent struct {
	File     string
	Function string
	Was      string
	Now      string
	Nth      int // of equal ones in the function; absent: the first
	Reason   string
}

// readEquivalent reads the reviewed list by the mutants' numbers. An entry without a reason,
// or of which there is no mutant any more, is an error.
func readEquivalent(path string, all []*mutant) (map[int]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var list []equivalent
	if err := yaml.UnmarshalWithOptions(data, &list, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	reviewed := map[int]string{}
	for _, e := range list {
		i := slices.IndexFunc(all, func(m *mutant) bool {
			return m.source.path == e.File && m.function == e.Function && m.was == e.Was && m.now == e.Now && m.nth == max(e.Nth, 1)
		})
		if i < 0 || e.Reason == "" {
			return nil, fmt.Errorf("%s: %s %s: %s => %s: expected a mutant that there is, and a reason", path, e.File, e.Function, e.Was, e.Now)
		}
		reviewed[all[i].number] = e.Reason
	}
	return reviewed, nil
}

// report tells the survivors, the sums by rule, and what is wrong.
func report(out io.Writer, o *options, results []result, reviewed map[int]string) error {
	sums := map[string]*[2]int{} // killed or reviewed, all
	var wrong int
	for _, r := range results {
		reason, equal := reviewed[r.number]
		held := r.killer != "" && !equal || r.killer == "" && equal
		switch {
		case held && o.verbose && equal:
			fmt.Fprintf(out, "EQUIVALENT %s  (%s)\n", r.mutant, reason)
		case held && o.verbose:
			fmt.Fprintf(out, "KILLED     %s  (%s)\n", r.mutant, r.killer)
		case held:
		case equal:
			wrong++
			fmt.Fprintf(out, "KILLED     %s  (%s) although it is listed as equivalent\n", r.mutant, r.killer)
		default:
			wrong++
			fmt.Fprintf(out, "SURVIVED   %s\n", r.mutant)
		}
		for _, id := range r.named() {
			if sums[id] == nil {
				sums[id] = &[2]int{}
			}
			sums[id][1]++
			if held {
				sums[id][0]++
			}
		}
	}
	tellSums(out, sums)
	fmt.Fprintf(out, "%d mutants, %d not held by a test\n", len(results), wrong)
	if wrong > 0 {
		return errSurvived
	}
	return nil
}

// named are the rules of a mutant, or what stands for none.
func (r result) named() []string {
	if len(r.rules) == 0 {
		return []string{"gate"} // what all rules go through
	}
	return r.rules
}

func tellSums(out io.Writer, sums map[string]*[2]int) {
	ids := make([]string, 0, len(sums))
	for id := range sums {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	var line []string
	for _, id := range ids {
		line = append(line, fmt.Sprintf("%s %d/%d", id, sums[id][0], sums[id][1]))
	}
	fmt.Fprintln(out, strings.Join(line, ", "))
}
