package local

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/tameflare/tameflare/cli/apiclient"
	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/cli/exit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/rest"
	"github.com/tameflare/tameflare/gateway/link"
	"github.com/tameflare/tameflare/gateway/state"
)

// ask lets the user choose one of the team's gateways, or name a new one.
func (m Machine) ask(ctx context.Context) (string, error) {
	client, err := m.Console.Client()
	if err != nil {
		return "", err
	}
	list, err := apiclient.Get[rest.List[rest.Gateway]](ctx, client, "/gateways", nil)
	if err != nil {
		return "", err
	}
	m.Console.Say("Which gateway is this machine?")
	var names []string
	for _, g := range list.Items {
		if g.Status != "active" {
			continue
		}
		names = append(names, g.Name)
		seen := "new"
		if !g.EnrolledAt.IsZero() {
			seen = "last seen " + m.Console.Ago(g.LastSeenAt)
		}
		m.Console.Say("  %d  %s  %s (%s)", len(names), g.Name, g.Environment, seen)
	}
	preset := hostName()
	answer, err := m.Console.Ask("Number, or the name of a new one ["+preset+"]: ", "--gateway NAME")
	if err != nil {
		return "", err
	}
	if answer == "" {
		answer = preset
	}
	if n, err := strconv.Atoi(answer); err == nil && n >= 1 && n <= len(names) {
		return names[n-1], nil
	}
	for _, name := range names {
		if name == answer {
			return name, nil
		}
	}
	if _, err := apiclient.Post[rest.Gateway](ctx, client, "/gateways", nil, rest.NewGateway{Name: answer}); err != nil {
		return "", err
	}
	m.Console.Say("%s Created the gateway %s. Until it has connectors and rules it refuses everything; set them up at %s/gateways.", m.Console.Mark(m.Console.Err, console.Good), answer, client.Host)
	return answer, nil
}

// hostName is what a gateway on this machine would be called.
func hostName() string {
	name, err := os.Hostname()
	if err != nil {
		return "laptop"
	}
	name, _, _ = strings.Cut(strings.ToLower(name), ".")
	name = strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '-'
	}, name), "-")
	if name == "" || len(name) > 60 {
		return "laptop"
	}
	return name
}

// Enrolment asks the server for what makes a machine the gateway called name.
// It is good once, for a quarter of an hour.
func Enrolment(ctx context.Context, c *console.Console, name string) (rest.Enrolment, error) {
	client, err := c.Client()
	if err != nil {
		return rest.Enrolment{}, err
	}
	e, err := apiclient.Post[rest.Enrolment](ctx, client, "/gateways/"+url.PathEscape(name)+"/enrolments", nil, nil)
	switch {
	case fault.Of(err) == fault.NotFound:
		err = fault.New(fault.NotFound, "There is no gateway "+name+" in your team. Create it at "+client.Host+"/gateways, or with tameflare apply.", err)
	case fault.Of(err) == fault.Forbidden:
		err = exit.With(exit.Denied, fault.New(fault.Forbidden, "Only owners and admins enrol a gateway. Ask one of them, or use a gateway that this machine is already.", err))
	}
	return e, err
}

// Enrol makes this machine the gateway called name, whose state is in dir. The keys are made here;
// the server only sees the public ones.
func (m Machine) Enrol(ctx context.Context, name string, dir state.Dir) error {
	e, err := Enrolment(ctx, m.Console, name)
	if err != nil {
		return err
	}
	_, err = link.Enrol(ctx, dir, link.Enrolment{
		Token: credential.NewSecret(e.Token), LinkURL: e.LinkURL, RootPEM: e.RootPEM, GatewayID: e.GatewayID, Version: m.Console.Version,
	})
	if err != nil {
		return fmt.Errorf("enrol gateway %s: %w", name, err)
	}
	m.Console.Say("%s This machine is now the gateway %s.", m.Console.Mark(m.Console.Err, console.Good), name)
	return nil
}
