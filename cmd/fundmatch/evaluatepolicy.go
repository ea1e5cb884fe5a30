package main

import "github.com/spf13/cobra"

func (p *program) evaluatePolicyCommand() *cobra.Command {
	return &cobra.Command{
		Use: "policy", Short: "Not there yet", Example: "  fundmatch evaluate policy", Hidden: true, Args: arguments(0),
		RunE: func(*cobra.Command, []string) error { return usageError("not there yet") },
	}
}
