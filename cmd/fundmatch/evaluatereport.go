package main

import "github.com/spf13/cobra"

func (p *program) evaluateReportCommand() *cobra.Command {
	return &cobra.Command{
		Use: "report", Short: "Not there yet", Example: "  fundmatch evaluate report", Hidden: true, Args: arguments(0),
		RunE: func(*cobra.Command, []string) error { return usageError("not there yet") },
	}
}
