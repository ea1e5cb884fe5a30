package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

// versionAnswer is what version --json prints.
type versionAnswer struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func (p *program) versionCommand() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the program's version",
		Example: "  fundmatch version --json",
		Args:    arguments(0),
		RunE: func(*cobra.Command, []string) error {
			v := versionAnswer{p.version, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
			if asJSON {
				return p.printJSON(v)
			}
			_, err := fmt.Fprintf(p.stdout, "fundmatch %s (%s, %s)\n", v.Version, v.Go, v.Platform)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}
