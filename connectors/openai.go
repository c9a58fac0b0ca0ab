package connectors

import (
	"strings"

	"github.com/tameflare/tameflare/connectors/tables"
	"github.com/tameflare/tameflare/domain/credential"
)

var openai = &Type{
	Name:   "openai",
	Title:  "OpenAI",
	Docs:   "https://platform.openai.com/docs/api-reference",
	Hosts:  []string{"api.openai.com", "eu.api.openai.com", "us.api.openai.com"},
	Styles: []credential.Kind{credential.Bearer},
	Hint: Hint{
		Label:       "API key",
		Placeholder: "sk-proj-…",
		Help:        "A project key with the permissions that your rules allow. Make one under Settings → API keys.",
	},
	Headers: append([]string{"Cookie"}, carriers...),
	Queries: carrierQueries,
	Meaning: []string{"OpenAI-Organization", "OpenAI-Project", "OpenAI-Beta"},
	service: newTabled(spec{
		word:   "openai",
		format: readsJSON | readsMultipart,
		prefix: "sk-proj-",
		always: []param{
			{name: "organization", source: source{in: inHeader, name: canonical("OpenAI-Organization")}},
			{name: "project", source: source{in: inHeader, name: canonical("OpenAI-Project")}},
		},
		hosts: map[string]string{"api": "api.openai.com"},
		page: func(r *row) string {
			_, tag, _ := strings.Cut(r.id, "/")
			return "https://platform.openai.com/docs/api-reference/" + strings.ReplaceAll(strings.ToLower(tag), " ", "-")
		},
		shape: openaiRefusal,
	}, tables.OpenAI),
}

// openaiRefusal is an error as OpenAI's SDKs print it.
func openaiRefusal(_ Request, p Problem) Reply {
	type failure struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    string  `json:"code"`
	}
	return p.shaped(plainJSON, struct {
		Error failure `json:"error"`
		Problem
	}{failure{Message: p.sentence(), Type: "tameflare_" + p.Code, Code: p.Code}, p})
}
