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

// report tells the survivors as they come, and in the end the sums by rule.
type report struct {
	out      io.Writer
	verbose  bool
	reviewed map[int]string     // reasons by number of the mutant
	sums     map[string]*[2]int // held, all
	all      int
	wrong    int
	overtime int // held because the tests did not end: to be read with care on a busy machine
}

// tell is told of every mutant in its turn.
func (p *report) tell(r result) {
	reason, equal := p.reviewed[r.number]
	held := (r.killer == "") == equal
	switch {
	case held && !p.verbose:
	case held && equal:
		fmt.Fprintf(p.out, "EQUIVALENT %s  (%s)\n", r.mutant, reason)
	case held:
		fmt.Fprintf(p.out, "KILLED     %s  (%s)\n", r.mutant, r.killer)
	case equal:
		fmt.Fprintf(p.out, "KILLED     %s  (%s) although it is listed as equivalent\n", r.mutant, r.killer)
	default:
		fmt.Fprintf(p.out, "SURVIVED   %s\n", r.mutant)
	}
	if r.killer == overtime {
		p.overtime++
	}
	p.count(r.named(), held)
}

func (p *report) count(rules []string, held bool) {
	p.all++
	if !held {
		p.wrong++
	}
	for _, id := range rules {
		if p.sums[id] == nil {
			p.sums[id] = &[2]int{}
		}
		p.sums[id][1]++
		if held {
			p.sums[id][0]++
		}
	}
}

// end tells the sums. The error is errSurvived where a test is missing.
func (p *report) end() error {
	tellSums(p.out, p.sums)
	fmt.Fprintf(p.out, "%d mutants, %d not held by a test, %d whose tests did not end\n", p.all, p.wrong, p.overtime)
	if p.wrong > 0 {
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
