package gatewaycmd

import (
	"github.com/spf13/cobra"

	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/cli/exit"
	"github.com/tameflare/tameflare/cli/local"
	"github.com/tameflare/tameflare/domain/fleet"
)

func enrolment(c *console.Console) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "enrolment",
		Short: "Print what makes another machine or a container this gateway: JSON, good once, for 15 minutes",
		Example: `  tameflare gateway enrolment --gateway ci | ssh build tameflare-gateway enrol --token -
  docker run -e TAMEFLARE_ENROL="$(tameflare gateway enrolment --gateway ci)" tameflare-gateway`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if name == "" {
				name = c.Getenv("TAMEFLARE_GATEWAY")
			}
			if name == "" {
				return exit.Wrong("Say which gateway with --gateway.")
			}
			if err := fleet.CheckName(name); err != nil {
				return err
			}
			e, err := local.Enrolment(cmd.Context(), c, name)
			if err != nil {
				return err
			}
			return c.JSON(e)
		},
	}
	cmd.Flags().StringVarP(&name, "gateway", "g", "", "which gateway (TAMEFLARE_GATEWAY)")
	return cmd
}
