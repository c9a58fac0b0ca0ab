package connectors

import (
	"github.com/tameflare/tameflare/connectors/tables"
	"github.com/tameflare/tameflare/domain/credential"
)

var anthropic = &Type{
	Name:   "anthropic",
	Title:  "Anthropic",
	Docs:   "https://docs.claude.com/en/api/overview",
	Hosts:  []string{"api.anthropic.com"},
	Styles: []credential.Kind{credential.Header, credential.Bearer},
	Header: "X-Api-Key",
	Hint: Hint{
		Label:       "API key",
		Placeholder: "sk-ant-api03-…",
		Help:        "A key of a workspace that has no more than your agents need. Make one in the Console under Settings → API keys.",
	},
	Headers: append([]string{"Cookie"}, carriers...),
	Queries: carrierQueries,
	Meaning: []string{"Anthropic-Workspace-Id", "Anthropic-Beta", "Anthropic-Version"},
	service: newTabled(spec{
		word:   "anthropic",
		format: readsJSON | readsMultipart,
		prefix: "sk-ant-api03-",
		always: []param{{name: "workspace", source: source{in: inHeader, name: canonical("Anthropic-Workspace-Id")}}},
		hosts:  map[string]string{"api": "api.anthropic.com"},
		page:   func(*row) string { return "https://docs.claude.com/en/api/overview" },
		shape:  anthropicRefusal,
	}, tables.Anthropic),
}

// anthropicRefusal is an error as Anthropic's SDKs print it. Its type is the
// service's own word, so the problem's is one level down.
func anthropicRefusal(_ Request, p Problem) Reply {
	type failure struct {
		Type    string `json:"type"`
		Message string `json:"message"`
		Problem string `json:"problem"`
	}
	kind := "permission_error"
	switch {
	case p.Status == 429:
		kind = "rate_limit_error"
	case p.Status >= 500:
		kind = "api_error"
	case p.Status == 400 || p.Status == 421:
		kind = "invalid_request_error"
	}
	return p.shaped(plainJSON, struct {
		Type  string  `json:"type"`
		Error failure `json:"error"`
		Problem
	}{"error", failure{kind, p.sentence(), p.Type}, p})
}
