// Package ca shows the root that the gateway on this machine makes certificates
// with.
package ca

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/cli/local"
)

// Command is "tameflare ca".
func Command(c *console.Console) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "ca",
		Short:   "Look at the gateway's own root certificate",
		Example: "  tameflare ca show",
	}
	cmd.AddCommand(show(c))
	return cmd
}

func show(c *console.Console) *cobra.Command {
	var (
		name        string
		asJSON, pem bool
	)
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show the root certificate; it never leaves this machine",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, err := local.On(c)
			if err != nil {
				return err
			}
			chosen, err := m.Here(cmd.Context(), name)
			if err != nil {
				return err
			}
			client, err := m.Client(chosen)
			if err != nil {
				return err
			}
			root, err := client.CA(cmd.Context())
			if err != nil {
				return err
			}
			switch {
			case asJSON:
				return c.JSON(root)
			case pem:
				_, err := fmt.Fprint(c.Out, root.PEM)
				return err
			}
			return c.Table([][]string{
				{"gateway", chosen}, {"file", root.Path}, {"with the system's", root.Bundle}, {"SHA-256", root.Fingerprint},
			})
		},
	}
	f := cmd.Flags()
	f.StringVarP(&name, "gateway", "g", "", "which gateway (TAMEFLARE_GATEWAY)")
	f.BoolVar(&asJSON, "json", false, "write JSON")
	f.BoolVar(&pem, "pem", false, "write the certificate itself")
	return cmd
}
