package main

import (
	"errors"
	"strings"

	"github.com/spf13/pflag"

	"github.com/fundmatch/fundmatch/services/evaluation/gate"
)

// gates are the gates of a verb of evaluate: added to its flags, read before its work, judged by its document, and told
// when all is written.
type gates struct {
	texts []string
	read  []gate.Gate
}

func (g *gates) flags(f *pflag.FlagSet) {
	f.StringArrayVar(&g.texts, "gate", nil, "a figure and its bound, as 'snips.ci95.low >= 0.004': exit code 1 when it does not hold; may be given several times")
}

// parse reads what was asked, so that a slip costs no run.
func (g *gates) parse() (err error) {
	if g.read, err = gate.ParseAll(g.texts); err != nil {
		return usageError("--gate: %v", err)
	}
	return nil
}

// judge judges by a document: JSON, or what becomes it. Withheld says of which figures the verdict is withheld; nil: of
// none. Documents list the results under "gates", so that they are judged without.
func (g *gates) judge(document any, withheld func(path string) bool) ([]gate.Result, error) {
	results, err := gate.Judge(g.read, document, withheld)
	if errors.Is(err, gate.ErrGate) {
		return nil, usageError("--gate: %v", err)
	}
	return results, err
}

// tellGates is the error that names every gate that failed, for exit code 1; nil where none did.
func tellGates(results []gate.Result) error {
	failed := gate.Failed(results)
	if len(failed) == 0 {
		return nil
	}
	lines := make([]string, len(failed))
	for i, r := range failed {
		lines[i] = r.String()
	}
	return failedError("%s failed: %s", plural(len(failed), "gate", "gates"), strings.Join(lines, "; "))
}
