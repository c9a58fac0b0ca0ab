package connectors_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/fault"
)

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
)

func sent(method, host, path, query, contentType, body string) connectors.Request {
	h := http.Header{}
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	return connectors.Request{Method: method, Host: host, Path: path, RawQuery: query, Header: h, Body: connectors.Whole([]byte(body))}
}

// What a service could take for another key, account or number is refused.
func TestWhatCouldCountMoreThanTheHeadersIsRefused(t *testing.T) {
	t.Parallel()

	const post = "/api/chat.postMessage"
	for name, tt := range map[string]struct {
		typ string
		r   connectors.Request
		ok  bool
	}{
		"Slack, as it should be":         {"slack", sent("POST", "slack.com", post, "", formType, "channel=C1&text=s"), true},
		"Slack, a token to strip":        {"slack", sent("POST", "slack.com", post, "token=x", formType, "channel=C1"), true},
		"Slack, a token":                 {"slack", sent("POST", "slack.com", post, "", formType, "token=x&channel=C1"), false},
		"Slack, a token twice":           {"slack", sent("POST", "slack.com", post, "", formType, "token=x&token=x&channel=C1"), false},
		"Slack, a token with a blank":    {"slack", sent("POST", "slack.com", post, "", formType, "%20token=x&channel=C1"), false},
		"Slack, a blank in the query":    {"slack", sent("POST", "slack.com", post, "%20token=x", formType, "channel=C1"), false},
		"Slack, an unreadable body":      {"slack", sent("POST", "slack.com", post, "", "text/plain", "token=x"), false},
		"Slack, a token in JSON":         {"slack", sent("POST", "slack.com", post, "", jsonType, `{"token":"x"}`), false},
		"Stripe, as it should be":        {"stripe", sent("POST", "api.stripe.com", "/v1/refunds", "", formType, "charge=ch_1"), true},
		"Stripe, a key in the body":      {"stripe", sent("POST", "api.stripe.com", "/v1/refunds", "", formType, "charge=ch_1&key=sk_live_x"), false},
		"Stripe, an account":             {"stripe", sent("POST", "api.stripe.com", "/v1/refunds", "", formType, "charge=ch_1&_stripe_account=acct_9"), false},
		"Stripe, an account, query":      {"stripe", sent("GET", "api.stripe.com", "/v1/charges", "_stripe_account=acct_9", "", ""), false},
		"GitHub, a number":               {"github", sent("GET", "api.github.com", "/repositories/123/issues", "", "", ""), true},
		"GitHub, a number with a zero":   {"github", sent("GET", "api.github.com", "/repositories/0123/secret-scanning/alerts", "", "", ""), false},
		"GitHub, a number with a sign":   {"github", sent("GET", "api.github.com", "/organizations/+123/members", "", "", ""), false},
		"GitHub, an organisation's name": {"github", sent("GET", "api.github.com", "/organizations/acme/settings/billing/usage", "", "", ""), true},
	} {
		a, err := one(t, tt.typ).Read(tt.r)
		if tt.ok != (err == nil) || err != nil && fault.Of(err) != fault.Invalid {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
}

// What a request says in two ways is not known, and what it may be besides
// is among its alternatives.
func TestWhatCanBeReadInTwoWaysIsNotKnown(t *testing.T) {
	t.Parallel()

	const repo = "/repos/acme/site"
	for name, tt := range map[string]struct {
		typ     string
		r       connectors.Request
		want    string
		unknown string
		or      string
	}{
		"a list in the query as well":    {"github", sent("POST", "api.github.com", repo+"/issues", "labels[]=x", jsonType, `{"title":"t"}`), "github.issue.create", "labels", ""},
		"a state as a list in the query": {"github", sent("PATCH", "api.github.com", repo+"/pulls/1", "state[]=closed", jsonType, `{"title":"t"}`), "github.unknown", "*", "github.pr.close"},
		"JSON that is a form":            {"github", sent("PATCH", "api.github.com", repo+"/pulls/1", "", formType, `{"title":"&state=closed&"}`), "github.unknown", "*", "github.pr.close"},
		"JSON that curl calls a form":    {"github", sent("PATCH", "api.github.com", repo+"/pulls/1", "", formType, `{"state":"closed","title":"100% sure"}`), "github.pr.close", "", ""},
		"two targets":                    {"slack", sent("POST", "slack.com", "/api/files.completeUploadExternal", "", formType, "files=[]&channel_id=C1&channels=C2"), "slack.file.upload", "resource", ""},
		"a way into a codespace":         {"github", sent("GET", "api.github.com", "/user/codespaces/x", "internal=true&refresh=true", "", ""), "github.codespace.connect", "resource", ""},
		"a card's number":                {"stripe", sent("GET", "api.stripe.com", "/v1/issuing/cards/ic_1", "expand[]=number&expand[]=cvc", "", ""), "stripe.issuing_card.get", "", "stripe.secret_number.reveal"},
		"a card's number, further down":  {"stripe", sent("GET", "api.stripe.com", "/v1/issuing/authorizations", "expand[0]=data.card.number", "", ""), "stripe.issuing_authorization.list", "", "stripe.secret_number.reveal"},
		"an expansion like others":       {"stripe", sent("GET", "api.stripe.com", "/v1/charges/ch_1", "expand[]=customer", "", ""), "stripe.charge.get", "", ""},
		"GraphQL in the query of a GET":  {"github", sent("GET", "api.github.com", "/graphql", "query=mutation{a}", "", ""), "github.graphql.unknown", "*", "github.*"},
		"GraphQL for a token":            {"github", sent("POST", "api.github.com", "/graphql", "", jsonType, `{"query":"{ repository(owner:\"a\",name:\"b\"){ tempCloneToken } }"}`), "github.graphql.unknown", "*", "github.*"},
	} {
		a, err := one(t, tt.typ).Read(tt.r)
		if err != nil || a.Name != tt.want || tt.unknown != "" && !slices.Contains(a.Unknown, tt.unknown) || tt.unknown == "" && len(a.Unknown) > 0 {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
		if has := slices.ContainsFunc(a.Or, func(o action.Alternative) bool { return o.Name == tt.or }); has != (tt.or != "") {
			t.Errorf("%s: or %v, want %q", name, a.Or, tt.or)
		}
	}
	a, err := one(t, "slack").Read(sent("POST", "slack.com", "/api/conversations.invite", "", formType, "channel=C1&users=U1,+U2"))
	if err != nil || cmp.Diff([]string{"U1", "U2"}, a.Params["users"]) != "" {
		t.Errorf("%+v, %v", a, err)
	}
}
