package main

import (
	"context"
	"net/http"
	"time"

	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/app/hooks"
	"github.com/tameflare/tameflare/app/integrations"
	"github.com/tameflare/tameflare/app/mail"
	"github.com/tameflare/tameflare/app/outbound"
	"github.com/tameflare/tameflare/app/outbox"
	"github.com/tameflare/tameflare/app/slack"
	"github.com/tameflare/tameflare/domain/integration"
	kinds "github.com/tameflare/tameflare/domain/outbox"
)

// outside is what the server has to do with the world beyond its own people
// and gateways.
type outside struct {
	integrations *integrations.Service
	hooks        *hooks.Service
	decisions    *hooks.Receiver
	mail         *mail.Service
	slack        *slack.Service
	outbox       *outbox.Service
}

// open lets the house tell the outside what happens, and hear from it.
func (h *house) open(c Config, at places) {
	now := time.Now
	ring := func(ctx context.Context) { h.bus.Publish(ctx, bus.Outbox) }
	kept := &integrations.Service{Store: h.store, Vault: h.vault, Now: now, Log: h.log}
	sent := &hooks.Service{
		Integrations: kept, Items: h.store, Ring: ring, Guard: outbound.Guard{Allow: c.OutAllow, Plain: true},
		BaseURL: at.BaseURL, Now: now, Log: h.log,
	}
	mails := &mail.Service{
		Server: c.SMTP, Integrations: kept, Items: h.store, Approvals: h.store, People: h.store, Ring: ring,
		BaseURL: at.BaseURL, Now: now, Log: h.log,
	}
	chat := &slack.Service{
		Store: h.store, Approvals: h.approvals, Integrations: kept, Bus: h.bus,
		BaseURL: at.BaseURL, APIURL: c.SlackAPI, IP: clientIP(c, at), Now: now, Log: h.log,
	}
	h.outside = outside{
		slack:        chat,
		integrations: kept, hooks: sent, mail: mails,
		decisions: &hooks.Receiver{
			Integrations: kept, Seen: h.store, People: h.store, Approvals: h.approvals,
			BaseURL: at.BaseURL, IP: clientIP(c, at), Now: now, Log: h.log,
		},
		outbox: &outbox.Service{
			Store: h.store, Bus: h.bus, Now: now, Log: h.log,
			Deliver: map[kinds.Kind]outbox.Deliverer{kinds.Webhook: sent, kinds.Email: mails, kinds.Slack: chat},
			Route: map[integration.Kind]outbox.Router{
				integration.Webhook: hooks.Router{Service: sent}, integration.Email: mail.Router{Service: mails},
				integration.Slack: chat,
			},
		},
	}
	h.working = append(h.working, h.outside.outbox.Run)
	h.running = append(h.running, chat.Run) // what requests have brought is seen to after the last of them
}

// doors are the addresses that programs of the outside reach.
func (o outside) doors(mux *http.ServeMux) {
	mux.Handle(hooks.Decisions, o.decisions)
	mux.Handle(slack.Prefix, o.slack.Handler())
}
