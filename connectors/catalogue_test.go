package connectors_test

import (
	"strings"
	"testing"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/fault"
)

func TestAConfigurationIsCheckedAgainstWhatThereIs(t *testing.T) {
	t.Parallel()

	doc := func(connectors string) []byte {
		return []byte("version: 1\ngateways:\n  - name: a\n    connectors:\n" + connectors)
	}
	for name, tt := range map[string]struct{ doc, want string }{
		"as it should be":    {"      - {type: github, rules: [{action: github.pr.merge, decision: allow}, {action: github.search.*, decision: allow}]}\n      - {type: http, hosts: [a.example.com]}\n", ""},
		"a type":             {"      - {type: gitlab}\n", "there is no connector type \"gitlab\"; there are github, openai, anthropic, stripe, slack, mcp, http or webhook"},
		"an action":          {"      - {type: github, rules: [{action: github.pr.mrege, decision: deny}]}\n", "did you mean \"github.pr.merge\"?"},
		"no hosts":           {"      - {type: http}\n", "Name the hosts"},
		"a host":             {"      - {type: http, hosts: [\"a:80\"]}\n", "without a port"},
		"a style of others":  {"      - {type: github, auth: {style: header, name: X-A}}\n", "does not take"},
		"the same host":      {"      - {type: http, hosts: [a.example.com]}\n      - {type: webhook, hosts: [A.example.com]}\n", "both answer for a.example.com"},
		"GitHub's own hosts": {"      - {type: github}\n      - {type: http, hosts: [api.github.com]}\n", "both answer for api.github.com"},
	} {
		_, err := config.Parse("tameflare.yaml", doc(tt.doc), connectors.Catalogue{})
		if tt.want == "" && err != nil || tt.want != "" && (fault.Of(err) != fault.Invalid || !strings.Contains(fault.Message(err), tt.want)) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}
