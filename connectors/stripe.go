package connectors

import (
	"strings"

	"github.com/tameflare/tameflare/connectors/tables"
	"github.com/tameflare/tameflare/domain/credential"
)

var stripe = &Type{
	Name:   "stripe",
	Title:  "Stripe",
	Docs:   "https://docs.stripe.com/api",
	Hosts:  []string{"api.stripe.com", "files.stripe.com"},
	Styles: []credential.Kind{credential.Bearer, credential.Basic},
	Hint: Hint{
		Label:       "Restricted key",
		Placeholder: "rk_live_…",
		Help:        "A restricted key with the permissions that your rules allow. Make one in the Dashboard under Developers → API keys.",
	},
	Headers: append([]string{"Cookie"}, carriers...),
	Queries: append([]string{"key"}, carrierQueries...),
	service: newTabled(spec{
		word: "stripe",
		// Version 1 reads forms, version 2 JSON.
		format: readsForm | readsJSON | readsMultipart | readsQuery,
		prefix: "sk_test_",
		always: []param{
			// Whose money it is, where a platform acts for another account.
			{name: "account", source: source{in: inHeader, name: canonical("Stripe-Account")}},
			{name: "context", source: source{in: inHeader, name: canonical("Stripe-Context")}},
			{name: "idempotency_key", source: source{in: inHeader, name: canonical("Idempotency-Key")}},
		},
		hosts: map[string]string{"api": "api.stripe.com", "files": "files.stripe.com"},
		where: func(host string, segments []string) (string, []string) {
			if host == "files.stripe.com" {
				return "files", segments
			}
			return "api", segments
		},
		page: func(r *row) string {
			_, noun, _ := strings.Cut(strings.TrimPrefix(r.path, "/"), "/")
			noun, _, _ = strings.Cut(noun, "/")
			return "https://docs.stripe.com/api/" + noun
		},
		shape: stripeRefusal,
	}, tables.Stripe),
}

// stripeRefusal is an error as Stripe's SDKs print it.
func stripeRefusal(_ Request, p Problem) Reply {
	type failure struct {
		Type    string `json:"type"`
		Code    string `json:"code"`
		Message string `json:"message"`
		Docs    string `json:"doc_url"`
	}
	return p.shaped(plainJSON, struct {
		Error failure `json:"error"`
		Problem
	}{failure{"invalid_request_error", p.Code, p.sentence(), p.Type}, p})
}
