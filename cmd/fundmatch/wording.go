package main

import (
	"bytes"
	"io"
	"os"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/fundmatch/fundmatch/matcher/wording"
)

// maxLintBytes bounds a text that is checked: far more than any sales text.
const maxLintBytes = 16 << 20

// lintAnswer is what wording lint --json prints.
type lintAnswer struct {
	Findings []lintFinding `json:"findings"`
}

// lintFinding is one place. Lines count from 1, offsets in characters within the line.
type lintFinding struct {
	Rule    string `json:"rule"`
	Line    int    `json:"line"`
	Start   int    `json:"start"`
	End     int    `json:"end"`
	Text    string `json:"text"`
	Why     string `json:"why"`
	Instead string `json:"instead"`
}

func (p *program) wordingCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "wording",
		Short:   "Work with sales texts",
		Example: "  fundmatch wording lint talk.txt",
		Args:    arguments(0),
		RunE:    needsVerb,
	}
	asJSON, off := false, ""
	lint := &cobra.Command{
		Use:     "lint [FILE]",
		Short:   "Check a sales text against the text rules, a line at a time; exit code 1 when there are findings",
		Example: "  fundmatch wording lint talk.txt\n  echo '本产品保本保收益' | fundmatch wording lint --json\n  fundmatch wording lint talk.txt --off W01,W02,W03,W04,W06",
		Args:    arguments(1, "FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			disabled, err := wording.ParseRuleSet(off)
			if err != nil {
				return usageError("--off: %s", err)
			}
			return p.lint(args, asJSON, wording.AllRules().Without(disabled))
		},
	}
	lint.Flags().StringVar(&off, "off", "", "rules to leave out, such as those of the draft of 2025-12: W01,W02,W03,W04,W06")
	lint.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	cmd.AddCommand(lint)
	return cmd
}

// needsVerb refuses a group of verbs without one of them.
func needsVerb(cmd *cobra.Command, _ []string) error {
	return usageError("%s: expected one of its verbs (see %s --help)", cmd.CommandPath(), cmd.CommandPath())
}

func (p *program) lint(args []string, asJSON bool, enabled wording.RuleSet) error {
	name, in := "stdin", p.stdin
	if len(args) == 1 && args[0] != "-" {
		name = args[0]
		file, err := os.Open(name)
		if err != nil {
			return usageError("%s: cannot be read: %s", name, pathReason(err))
		}
		defer func() { _ = file.Close() }() // read only
		in = file
	}
	text, err := readText(name, in)
	if err != nil {
		return err
	}
	linter, err := wording.NewLinter()
	if err != nil {
		return err
	}
	found := linter.LintRules(string(text), wording.SalesText, enabled)
	if asJSON {
		answer := lintAnswer{Findings: make([]lintFinding, len(found))}
		for i, f := range found {
			answer.Findings[i] = lintFinding(f)
		}
		err = p.printJSON(answer)
	} else {
		var c card
		for _, f := range found {
			c.line(0, "%s:%d:%d: %s %s", name, f.Line, f.Start+1, f.Rule, f.Text)
			c.textLine(1, "", f.Why)
			c.textLine(1, "可以说：", f.Instead)
		}
		err = c.writeTo(p.stdout)
	}
	if err == nil && len(found) > 0 {
		err = failedError("%s: %d findings", name, len(found))
	}
	return err
}

// readText reads a whole text within the bound.
func readText(name string, in io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(in, maxLintBytes+1))
	if err != nil {
		return nil, usageError("%s: cannot be read: %s", name, pathReason(err))
	}
	if len(text) > maxLintBytes {
		return nil, usageError("%s: more than %d MiB, expected a sales text", name, maxLintBytes>>20)
	}
	if at, ok := firstInvalid(text); !ok {
		// Read as if it were UTF-8, a text of GBK holds no word that any rule knows, and passes.
		return nil, usageError("%s:%d: byte 0x%02x, expected UTF-8", name, 1+bytes.Count(text[:at], []byte{'\n'}), text[at])
	}
	return text, nil
}

// firstInvalid is the place of the first byte that is no UTF-8; ok: there is none.
func firstInvalid(text []byte) (at int, ok bool) {
	for at < len(text) {
		r, size := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && size <= 1 {
			return at, false
		}
		at += size
	}
	return at, true
}
