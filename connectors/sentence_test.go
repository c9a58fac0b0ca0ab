package connectors_test

import (
	"strings"
	"testing"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/action"
)

func TestASentenceIsWhatAPersonWouldSay(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		act  action.Action
		want string
	}{
		"plain":               {action.Action{Name: "github.pr.merge", Resource: "acme/site#812"}, "merge acme/site#812"},
		"with what is known":  {action.Action{Name: "github.pr.merge", Resource: "acme/site#812", Params: map[string]any{"merge_method": "squash"}}, "merge acme/site#812 by squash"},
		"by a node":           {action.Action{Name: "github.pr.merge", Params: map[string]any{"node": "PR_1"}, Unknown: []string{"resource"}}, "merge node PR_1"},
		"money":               {action.Action{Name: "stripe.refund.create", Resource: "ch_1", Params: map[string]any{"amount": int64(2050), "currency": "eur"}}, "refund 20.50 EUR of ch_1"},
		"money of a yen":      {action.Action{Name: "stripe.refund.create", Resource: "ch_1", Params: map[string]any{"amount": int64(2050), "currency": "JPY"}}, "refund 2,050 JPY of ch_1"},
		"money of a dinar":    {action.Action{Name: "stripe.refund.create", Resource: "ch_1", Params: map[string]any{"amount": int64(5), "currency": "kwd"}}, "refund 0.005 KWD of ch_1"},
		"money of no country": {action.Action{Name: "stripe.refund.create", Resource: "ch_1", Params: map[string]any{"amount": int64(2050)}}, "refund 2050 minor units of ch_1"},
		"from the request":    {action.Action{Name: "github.file.delete", Resource: "acme/site", Params: map[string]any{"path": "a\u202eb[x]{resource}\n"}}, "delete a\ufffdb[x]{resource}\ufffd in acme/site"},
		"hidden":              {action.Action{Name: "github.repo.delete"}, "delete the repository (the request hides which)"},
		"not in the table":    {action.Action{Name: "github.unknown", Resource: "acme/site"}, "do something that the connector does not know to acme/site"},
		"of no connector":     {action.Action{Name: "gitlab.issue.create"}, "do gitlab.issue.create"},
		"http":                {action.Action{Name: "http.post", Resource: "api.example.com/v1"}, "send to api.example.com/v1"},
		"of nothing":          {action.Action{}, "do "},
		"very long":           {action.Action{Name: "http.get", Resource: strings.Repeat("é", 500)}, "read " + strings.Repeat("é", 120) + "…"},
		"a param of any kind": {action.Action{Name: "github.repo.create", Params: map[string]any{"name": int64(7)}}, "create a public repository 7"},
	} {
		if got := connectors.Sentence(tt.act); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
