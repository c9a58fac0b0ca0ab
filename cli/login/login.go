// Package login signs the command line in to a server, and out again.
package login

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tameflare/tameflare/cli/account"
	"github.com/tameflare/tameflare/cli/apiclient"
	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/cli/exit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/rest"
)

type options struct {
	token     string
	device    bool
	noBrowser bool
}

// Command is "tameflare login".
func Command(c *console.Console) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "login",
		Short: "Sign in to a server",
		Example: `  tameflare login --host https://flare.example.com
  tameflare login --device
  tameflare login --token - < token.txt`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.login(cmd.Context(), c) },
	}
	f := cmd.Flags()
	f.StringVar(&o.token, "token", "", "read a token from standard input; the only value is -")
	f.BoolVar(&o.device, "device", false, "sign in with a code, from any browser")
	f.BoolVar(&o.noBrowser, "no-browser", false, "print the address and do not open it")
	return cmd
}

func (o options) login(ctx context.Context, c *console.Console) error {
	a, err := c.Account()
	if err != nil {
		return err
	}
	host, err := a.Host(c.Host)
	if fault.Of(err) == fault.Unauthenticated {
		var answer string
		if answer, err = c.Ask("Address of your server: ", "--host URL"); err == nil {
			host, err = account.ParseHost(answer)
		}
	}
	if err != nil {
		return err
	}
	if account.Plain(host) {
		c.Say("%s %s is not encrypted: whoever is on the way can read the token.", c.Mark(c.Err, console.Bad), host)
	}
	if o.token != "" {
		return o.withToken(ctx, c, a, host)
	}
	if before, err := a.Token(host); err == nil {
		if me, err := whoami(ctx, c, host, before); err == nil {
			c.Say("%s You are signed in already, as %s (team %s, role %s).", c.Mark(c.Err, console.Good), me.User.Email, me.Team.Name, me.Role)
			return a.Use(host) // the token stays where it is: one of the environment is not ours to keep
		}
	}
	if c.NoInput {
		return exit.Wrong("Nobody can sign in here. Give a token: tameflare login --token - < FILE")
	}
	client := apiclient.New(host, credential.Secret{}, c.Version)
	var answer rest.TokenAnswer
	if o.device {
		answer, err = device(ctx, c, client)
	} else {
		answer, err = loopback(ctx, c, client, o.noBrowser)
	}
	if err != nil {
		return err
	}
	return keep(c, a, host, credential.NewSecret(answer.Token), answer.Me)
}

const maxToken = 1 << 10

func (o options) withToken(ctx context.Context, c *console.Console, a account.Store, host string) error {
	if o.token != "-" {
		return exit.Wrong("A token does not belong on a command line, where others can see it. Use: tameflare login --token - < FILE")
	}
	b, err := io.ReadAll(io.LimitReader(c.In, maxToken))
	if err != nil {
		return fmt.Errorf("read token: %w", err)
	}
	token := credential.NewSecret(strings.TrimSpace(string(b)))
	if token.Empty() {
		return exit.Wrong("There is no token on standard input.")
	}
	me, err := whoami(ctx, c, host, token)
	if err != nil {
		return err
	}
	return keep(c, a, host, token, me)
}

func whoami(ctx context.Context, c *console.Console, host string, token credential.Secret) (rest.Me, error) {
	return apiclient.Get[rest.Me](ctx, apiclient.New(host, token, c.Version), "/me", nil)
}

func keep(c *console.Console, a account.Store, host string, token credential.Secret, me rest.Me) error {
	where, err := a.Save(host, token)
	if err != nil {
		return err
	}
	expires := ""
	if !me.TokenExpiresAt.IsZero() {
		expires = " Token expires " + me.TokenExpiresAt.Format("2006-01-02") + "."
	}
	c.Say("%s Signed in to %s as %s (team %s, role %s).%s", c.Mark(c.Err, console.Good), host, me.User.Email, me.Team.Name, me.Role, expires)
	c.Say("  The token is in %s.", where)
	c.Say("  Next:  tameflare run -- your-command")
	return nil
}

// client is who asks, as the confirmation page shows it.
func client(c *console.Console) string {
	host, err := os.Hostname()
	if err != nil {
		host = "a machine without a name"
	}
	return "tameflare " + c.Version + " on " + host + " (" + runtime.GOOS + ")"
}

// Logout is "tameflare logout".
func Logout(c *console.Console) *cobra.Command {
	return &cobra.Command{
		Use:   "logout",
		Short: "Revoke this machine's token and forget it",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a, err := c.Account()
			if err != nil {
				return err
			}
			host, err := a.Host(c.Host)
			if err != nil {
				return err
			}
			token, err := a.Token(host)
			if fault.Of(err) == fault.Unauthenticated {
				c.Say("You are not signed in to %s.", host)
				return nil
			}
			if err != nil {
				return err
			}
			revoked := apiclient.Delete(cmd.Context(), apiclient.New(host, token, c.Version), "/tokens/current")
			if err := a.Remove(host); err != nil {
				return err
			}
			if revoked != nil && fault.Of(revoked) != fault.Unauthenticated {
				return exit.With(exit.Failure, fault.New(fault.Unavailable, "The token is forgotten here, but could not be revoked at the server. Revoke it in the dashboard under Settings.", revoked))
			}
			c.Say("%s Signed out of %s; the token is revoked.", c.Mark(c.Err, console.Good), host)
			return nil
		},
	}
}

// Whoami is "tameflare whoami".
func Whoami(c *console.Console) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "whoami",
		Short: "Show who you are signed in as",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := c.Client()
			if err != nil {
				return err
			}
			me, err := apiclient.Get[rest.Me](cmd.Context(), client, "/me", nil)
			if err != nil {
				return err
			}
			if asJSON {
				return c.JSON(struct {
					Host string `json:"host"`
					rest.Me
				}{client.Host, me})
			}
			return c.Table([][]string{
				{"user", me.User.Email + " (" + me.User.Name + ")"}, {"team", me.Team.Name}, {"role", me.Role}, {"server", client.Host},
				{"token", me.TokenName + ", expires " + me.TokenExpiresAt.Format("2006-01-02")},
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}
