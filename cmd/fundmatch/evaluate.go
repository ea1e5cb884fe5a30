package main

import "github.com/spf13/cobra"

func (p *program) evaluateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "evaluate",
		Short: "Judge policies, rankings and experiments by what was logged, and stop a release that fails",
		Long: "Judge what was logged: another policy than the one that ran, rankings, experiments, or all of it in one report.\n" +
			"With --gate a figure that fails ends with exit code 1.",
		Example: "  fundmatch evaluate policy --log 'log-*.parquet' --json policy.json --gate 'snips.ci95.low >= 0.004'",
		Args:    arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
	cmd.AddCommand(
		p.evaluatePolicyCommand(), p.evaluateRankingCommand(), p.evaluateExperimentCommand(),
		p.evaluateReportCommand(), p.evaluateMergeCommand(), p.evaluateJoinCommand(),
	)
	return cmd
}
