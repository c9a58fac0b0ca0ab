package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/tameflare/tameflare/app/accounts"
	"github.com/tameflare/tameflare/app/api"
	"github.com/tameflare/tameflare/app/configuration"
	"github.com/tameflare/tameflare/app/groups"
	"github.com/tameflare/tameflare/app/judge"
	"github.com/tameflare/tameflare/app/proposals"
	"github.com/tameflare/tameflare/app/web"
	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/connectors/policies"
	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/rest"
	"github.com/tameflare/tameflare/domain/team"
)

// handler is what people and command lines reach: the pages, and the API beside
// them.
func (h *house) handler(stopping context.Context, c Config, at places) http.Handler {
	ip := clientIP(c, at)
	calls := &api.Server{
		Tokens: h.accounts, Logins: h.accounts, Gateways: h.gateways, Approvals: h.approvals, Kills: h.kills, Trail: h.trail,
		Configurations: api.Configurations{Export: h.configuration.Export, Apply: h.apply, Catalogue: h.catalogue},
		Policies:       h.policies, Judge: h.judge,
		Bus: h.bus, ClientIP: ip, BaseURL: at.BaseURL, Version: programVersion(), Now: time.Now, Log: h.log,
	}
	mux := http.NewServeMux()
	mux.Handle(rest.Prefix+"/", calls.Handler())
	h.doors(mux)
	pages := &web.Server{
		Accounts: h.accounts, People: h.store, Approvals: h.approvals, Gateways: h.gateways, Trail: h.trail, Vault: h.vault, Kills: h.kills,
		Groups:   &groups.Service{Store: h.store, Now: time.Now},
		Policies: h.policies, Replays: h.replays, Configured: h.store, Slack: h.outside.slack,
		Proposals: &proposals.Service{Store: h.store, Gateways: h.gateways, Now: time.Now},
		Bus:       h.bus, Cookies: accounts.Cookies{Secure: at.Secure}, Now: time.Now, Log: h.log,
		BaseURL: at.BaseURL, Loopback: at.Loopback, IP: ip, Stopping: stopping.Done(), Ready: h.store.Ping,
	}
	mux.Handle("/", pages.Handler())
	return bounded(stopping, mux)
}

func (h *house) apply(ctx context.Context, v team.Viewer, d *config.Document, secrets map[string]credential.Secret, dryRun, prune bool) ([]config.Change, error) {
	return h.configuration.Apply(ctx, v, d, secrets, configuration.Options{DryRun: dryRun, Prune: prune})
}

// catalogue knows the built-in connector types and the team's own, and reads
// policies that are about them.
func (h *house) catalogue(ctx context.Context, teamID string) (config.Catalogue, error) {
	own, err := h.gateways.Own(ctx, teamID)
	return policies.Catalogue{Catalogue: connectors.Catalogue{Own: own}}, err
}

// judge decides as a gateway does, by what is stored for it now.
func (h *house) judge(ctx context.Context, teamID, gatewayID string) (*judge.Judge, error) {
	c, err := h.store.Configuration(ctx, teamID, gatewayID)
	if err != nil {
		return nil, fmt.Errorf("read what is configured: %w", err)
	}
	return judge.Of(c)
}

// bodyPatience is what a change has to arrive and be made.
const bodyPatience = 30 * time.Second

// bounded ends what is only read, a stream most of all, when the server begins
// to stop. A change that has begun is finished; but it may not take for ever
// to arrive.
func bounded(stopping context.Context, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			ctx, cancel := context.WithCancel(r.Context())
			defer cancel()
			defer context.AfterFunc(stopping, cancel)()
			r = r.WithContext(ctx)
		} else {
			// A connection that knows no deadlines is one of a test.
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyPatience))
		}
		h.ServeHTTP(w, r)
	})
}
