package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"text/tabwriter"
	"time"

	"github.com/tameflare/tameflare/app/accounts"
	"github.com/tameflare/tameflare/app/approvals"
	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/app/configuration"
	"github.com/tameflare/tameflare/app/gateways"
	"github.com/tameflare/tameflare/app/identity"
	"github.com/tameflare/tameflare/app/kills"
	"github.com/tameflare/tameflare/app/link"
	"github.com/tameflare/tameflare/app/policies"
	"github.com/tameflare/tameflare/app/replay"
	"github.com/tameflare/tameflare/app/rollout"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/trail"
	"github.com/tameflare/tameflare/app/vault"
)

// trustDomain is part of every gateway's name in its certificate. It is not
// the server's host name: that may change, and a gateway's name may not.
const trustDomain = "tameflare.internal"

// house is the server's rooms, each with what it needs of the others.
type house struct {
	store     *store.Store
	accounts  *accounts.Service
	vault     *vault.Service
	authority *identity.Authority
	gateways  *gateways.Service
	rollout   *rollout.Service
	approvals *approvals.Service
	trail     *trail.Service
	policies  *policies.Service
	replays   *replay.Service
	kills     *kills.Service
	link      *link.Server
	outside

	configuration *configuration.Service

	bus     bus.Bus
	log     *slog.Logger
	running []func(context.Context) error // until the last request has ended
	working []func(context.Context) error // until the server is told to stop, and then what is under way
}

// furnish puts the rooms together. Nothing runs yet.
func furnish(ctx context.Context, st *store.Store, master vault.Master, tokens vault.Tokens, at places, log *slog.Logger) (*house, error) {
	h := &house{store: st, bus: new(bus.Local), log: log}
	if st.Shared() {
		shared := bus.NewPostgres(st, log)
		h.bus, h.running = shared, append(h.running, shared.Run)
	}
	now := time.Now
	h.accounts = &accounts.Service{Store: st, Keys: master, Now: now, Log: log}
	h.vault = &vault.Service{
		Store: st, Master: master, Tokens: tokens, Now: now, Log: log,
		Changed: func(ctx context.Context, teamID string) { h.bus.Publish(ctx, bus.Config(teamID)) },
	}
	signer, err := rollout.OpenSigner(ctx, st, master)
	if err != nil {
		return nil, fmt.Errorf("open snapshot key: %w", err)
	}
	h.rollout = &rollout.Service{Store: st, Vault: h.vault, Signer: signer, Bus: h.bus, BaseURL: at.BaseURL, Now: now, Log: log}
	h.gateways = &gateways.Service{Store: st, Bus: h.bus, LinkURL: at.LinkURL, Snapshots: h.rollout.PublicKey, Now: now, Log: log}
	h.authority, err = identity.Open(ctx, identity.Config{
		TrustDomain: trustDomain, LinkNames: at.LinkNames, Store: st, Sealer: master, Admit: h.gateways.Admit, Log: log,
	})
	if err != nil {
		return nil, err
	}
	h.gateways.Authority = h.authority
	h.approvals = &approvals.Service{Store: st, Bodies: h.vault, Bus: h.bus, Now: now, Log: log}
	h.trail = &trail.Service{Store: st, Bus: h.bus, Now: now, Log: log}
	h.replays = &replay.Service{Store: st, Now: now, Log: log}
	h.policies = &policies.Service{Store: st, Known: policies.Types{Store: st}, Bus: h.bus, Now: now, Log: log}
	h.kills = &kills.Service{Store: st, Bus: h.bus, Now: now}
	h.configuration = &configuration.Service{Store: st, Vault: h.vault, Authority: h.authority, Bus: h.bus, Now: now, Log: log}
	h.link = &link.Server{
		Fleet: h.gateways, Rollout: h.rollout, Approvals: h.approvals, Trail: h.trail, Kills: h.kills,
		BaseURL: at.BaseURL, Version: programVersion(), Log: log,
	}
	h.working = append(h.working, h.vault.Run)
	h.running = append(h.running, h.accounts.Run, h.approvals.Run, h.replays.Run)
	return h, nil
}

// announce says where everything is, in one block.
func (h *house) announce(ctx context.Context, c Config, at places, out io.Writer) error {
	fresh, err := h.accounts.NeedsSetup(ctx)
	if err != nil {
		return err
	}
	var block bytes.Buffer // written at once: whoever reads along sees it whole
	w := tabwriter.NewWriter(&block, 0, 0, 3, ' ', 0)
	fmt.Fprintf(w, "TameFlare %s\n\n", programVersion())
	fmt.Fprintf(w, "  Dashboard\t%s\n", at.BaseURL)
	fmt.Fprintf(w, "  Gateways' port\t%s\n", at.LinkURL)
	fmt.Fprintf(w, "  Data directory\t%s\n", c.DataDir)
	if h.store.Shared() {
		fmt.Fprintf(w, "  Database\tPostgres, as DATABASE_URL says\n")
	}
	switch {
	case fresh && at.Loopback:
		fmt.Fprintf(w, "  Set up\topen the dashboard and make the first account\n")
	case fresh:
		token, err := h.accounts.SetupLink(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "  Set-up link\t%s/register?setup=%s\n", at.BaseURL, token)
		fmt.Fprintf(w, "  \tgood once, for 24 hours; whoever opens it owns this server\n")
	}
	fmt.Fprintln(w)
	if err := w.Flush(); err != nil {
		return err
	}
	_, err = out.Write(block.Bytes())
	return err
}
