package main

import "github.com/spf13/cobra"

func (p *program) evaluateRankingCommand() *cobra.Command {
	return &cobra.Command{
		Use: "ranking", Short: "Not there yet", Example: "  fundmatch evaluate ranking", Hidden: true, Args: arguments(0),
		RunE: func(*cobra.Command, []string) error { return usageError("not there yet") },
	}
}
