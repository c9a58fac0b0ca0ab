package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/gateway"
	"github.com/tameflare/tameflare/gateway/link"
	"github.com/tameflare/tameflare/gateway/runs"
	"github.com/tameflare/tameflare/gateway/state"
)

// enrolment is what the server's answer to somebody who may enrol says.
type enrolment struct {
	Token     string `json:"token"`
	LinkURL   string `json:"link_url"`
	RootPEM   string `json:"root_pem"`
	GatewayID string `json:"gateway_id"`
}

const maxEnrolment = 64 << 10

// enrol makes this machine a gateway. The directory may be one already: then
// it becomes the same gateway again.
func enrol(ctx context.Context, c settings, in io.Reader, out io.Writer) error {
	text, err := c.readEnrolment(in)
	if err != nil {
		return err
	}
	dir, err := state.Open(c.state)
	if err != nil {
		return err
	}
	id, err := enrolAs(ctx, dir, text)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "Enrolled as "+id.Name+".")
	return nil
}

func enrolAs(ctx context.Context, dir state.Dir, text credential.Secret) (link.Identity, error) {
	var e enrolment
	if err := json.Unmarshal([]byte(text.Reveal()), &e); err != nil || e.Token == "" {
		return link.Identity{}, fault.New(fault.Invalid, "An enrolment is one JSON object with token, link_url and root_pem.", nil)
	}
	return link.Enrol(ctx, dir, link.Enrolment{
		Token: credential.NewSecret(e.Token), LinkURL: e.LinkURL, RootPEM: e.RootPEM, GatewayID: e.GatewayID, Version: programVersion(),
	})
}

func (c settings) readEnrolment(in io.Reader) (credential.Secret, error) {
	switch c.token {
	case "":
		if c.enrolment.Empty() {
			return credential.Secret{}, fault.New(fault.Invalid, "Give the enrolment with --token - on standard input, --token FILE or TAMEFLARE_ENROL.", nil)
		}
		return c.enrolment, nil
	case "-":
	default:
		f, err := os.Open(c.token)
		if err != nil {
			return credential.Secret{}, fault.New(fault.Invalid, "The file "+c.token+" cannot be read.", err)
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, maxEnrolment))
	if err != nil {
		return credential.Secret{}, fmt.Errorf("read enrolment: %w", err)
	}
	return credential.NewSecret(string(b)), nil
}

// serve runs the gateway. A container that is started with TAMEFLARE_ENROL
// enrols itself the first time.
func serve(ctx context.Context, c settings, log *slog.Logger) error {
	runtimeDir, err := runs.RuntimeDir(c.runtimeEnv)
	if err != nil {
		return err
	}
	dir, err := state.Open(c.state)
	if err != nil {
		return err
	}
	if _, err := link.Load(dir); fault.Of(err) == fault.NotFound && !c.enrolment.Empty() {
		id, err := enrolAs(ctx, dir, c.enrolment)
		if err != nil {
			return err
		}
		log.Info("enrolled", "gateway", id.Name)
	}
	return gateway.Run(ctx, gateway.Config{
		StateDir: c.state, RuntimeDir: runtimeDir, ConnectTo: c.connectTo, UpstreamCA: c.upstreamCA,
		Version: programVersion(), Log: log, Idle: c.idle,
	})
}
