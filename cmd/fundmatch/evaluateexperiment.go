package main

import "github.com/spf13/cobra"

func (p *program) evaluateExperimentCommand() *cobra.Command {
	return &cobra.Command{
		Use: "experiment", Short: "Not there yet", Example: "  fundmatch evaluate experiment", Hidden: true, Args: arguments(0),
		RunE: func(*cobra.Command, []string) error { return usageError("not there yet") },
	}
}
