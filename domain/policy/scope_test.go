package policy_test

import (
	"testing"

	"github.com/tameflare/tameflare/domain/policy"
)

func TestAScopeIncludesGatewaysByNameAndEnvironment(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		scope policy.Scope
		want  bool
	}{
		"the empty scope":                 {policy.Scope{}, true},
		"a name":                          {policy.Scope{Gateways: []string{"other", "deploy-bot"}}, true},
		"a star":                          {policy.Scope{Gateways: []string{"deploy-*"}, Environments: []string{"*"}}, true},
		"another name":                    {policy.Scope{Gateways: []string{"deploy"}}, false},
		"another environment":             {policy.Scope{Gateways: []string{"deploy-*"}, Environments: []string{"production"}}, false},
		"more names than Compile accepts": {policy.Scope{Gateways: make([]string, 1001)}, true},
	} {
		if got := tt.scope.Includes("deploy-bot", ""); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}
