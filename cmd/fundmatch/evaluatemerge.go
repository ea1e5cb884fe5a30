package main

import "github.com/spf13/cobra"

func (p *program) evaluateMergeCommand() *cobra.Command {
	return &cobra.Command{
		Use: "merge", Short: "Not there yet", Example: "  fundmatch evaluate merge", Hidden: true, Args: arguments(0),
		RunE: func(*cobra.Command, []string) error { return usageError("not there yet") },
	}
}
