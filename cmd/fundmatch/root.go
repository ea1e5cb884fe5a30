package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// world is everything outside the program that a verb may touch besides files: tests
// give their own.
type world struct {
	version        string
	stdin          io.Reader
	stdout, stderr io.Writer
	terminal       bool // stderr is one: show progress
	now            func() time.Time
	random         io.Reader // of decision ids
}

// program is what all verbs share.
type program struct {
	world
	quiet bool
}

// run executes a command line and returns its exit code.
func run(ctx context.Context, w world, args []string) int {
	cmd := newRoot(w)
	cmd.SetArgs(args)
	err := knownVerb(cmd, args)
	if err == nil {
		err = cmd.ExecuteContext(ctx)
	}
	if err == nil {
		return exitDone
	}
	return tellFailure(ctx, w.stderr, err)
}

// knownVerb refuses a verb that there is not, before the flags behind it are looked at:
// they are those of another verb, and not what is wrong.
func knownVerb(root *cobra.Command, args []string) error {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd(args...)
	cmd, rest, err := root.Find(args)
	if err != nil || !cmd.HasSubCommands() {
		return err
	}
	rest = slices.DeleteFunc(slices.Clone(rest), func(arg string) bool { return arg == "--quiet" })
	// A hidden verb such as __complete, with which shells ask, is cobra's own.
	if len(rest) == 0 || strings.HasPrefix(rest[0], "-") || strings.HasPrefix(rest[0], "__") {
		return nil
	}
	return fmt.Errorf("unknown command %q for %q", rest[0], cmd.CommandPath())
}

// newRoot wires the verbs.
func newRoot(w world) *cobra.Command {
	p := &program{world: w}
	root := &cobra.Command{
		Use:   "fundmatch",
		Short: "Match customers with the funds of a bank's pool: expectation, objection, conversion",
		Long: "fundmatch matches customers with the funds of a bank's pool in three steps:\n" +
			"接 (expectation), 化 (objection), 发 (conversion).\n\n" +
			"Exit codes: 0 done; 1 a gate or check failed; 2 wrong usage, unknown id or bad input;\n" +
			"3 something needed is unavailable; 130 interrupted.",
		Example:       "  fundmatch serve --demo\n  fundmatch import ./bank && fundmatch recommend C000001",
		Args:          cobra.NoArgs,
		SilenceErrors: true, // tellFailure says them, once
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
	root.SetIn(w.stdin)
	root.SetOut(w.stdout)
	root.SetErr(w.stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		text, _, _ := strings.Cut(err.Error(), ": strconv.") // the library's own words
		if before, _, is := strings.Cut(text, ": time: "); is {
			text = before + ", expected a time span such as 250ms, 10s, 5m or 720h"
		}
		return fmt.Errorf("%s: %s", cmd.Name(), text)
	})
	root.PersistentFlags().BoolVar(&p.quiet, "quiet", false, "no progress and no notes on stderr")
	root.AddCommand(
		p.serveCommand(), p.importCommand(), p.demoCommand(), p.trainCommand(),
		p.recommendCommand(), p.explainCommand(), p.rematchCommand(),
		p.backtestCommand(), p.evaluateCommand(),
		p.replayCommand(), p.decisionsCommand(), p.eraseCommand(),
		p.wordingCommand(), p.rulesCommand(), p.viewsCommand(), p.modelsCommand(), p.experimentsCommand(), p.featuresCommand(), p.outcomeCommand(),
		p.backupCommand(), p.restoreCommand(),
		p.migrateCommand(), p.checkConfigCommand(), p.versionCommand(),
	)
	markRuns(root)
	return root
}

// markRuns makes every verb mark its own errors: what is left unmarked is cobra's, about
// the command line.
func markRuns(cmd *cobra.Command) {
	if inner := cmd.RunE; inner != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if err := inner(cmd, args); err != nil {
				return &verbError{err}
			}
			return nil
		}
	}
	for _, c := range cmd.Commands() {
		markRuns(c)
	}
}

// arguments takes one argument for each name, of which the last optional ones may be
// absent, and says so in the names' words.
func arguments(optional int, names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) >= len(names)-optional && len(args) <= len(names) {
			return nil
		}
		expected := "no arguments"
		if len(names) > 0 {
			expected = strings.Join(names, " ")
		}
		verb := strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
		return fmt.Errorf("%s: %s given, expected %s", verb, plural(len(args), "argument", "arguments"), expected)
	}
}
