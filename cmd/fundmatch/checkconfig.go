package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (p *program) checkConfigCommand() *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:     "check-config",
		Short:   "Check a configuration file without starting anything",
		Example: "  fundmatch check-config --config fundmatch.yaml",
		Args:    arguments(0),
		RunE: func(*cobra.Command, []string) error {
			if _, err := o.settings(); err != nil {
				return err
			}
			what := o.config
			if what == "" {
				what = "the defaults"
			}
			_, err := fmt.Fprintf(p.stdout, "%s: good\n", what)
			return err
		},
	}
	cmd.Flags().StringVar(&o.config, "config", "", "configuration file (YAML)")
	return cmd
}
