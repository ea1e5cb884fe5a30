package main

import "github.com/spf13/cobra"

func (p *program) evaluateJoinCommand() *cobra.Command {
	return &cobra.Command{
		Use: "join", Short: "Not there yet", Example: "  fundmatch evaluate join", Hidden: true, Args: arguments(0),
		RunE: func(*cobra.Command, []string) error { return usageError("not there yet") },
	}
}
