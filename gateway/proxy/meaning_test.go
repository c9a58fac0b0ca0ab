package proxy_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway/proxy"
)

// What a header says about a request is part of what somebody grants.
func TestAGrantIsForTheAccountThatAHeaderNames(t *testing.T) {
	t.Parallel()
	g := newRig(t, http.HandlerFunc(echo), func(_ *rig, s *wire.Snapshot, _ *proxy.Run) {
		s.Connectors = []wire.Connector{{Name: "stripe", Type: "stripe", Hosts: []string{host}, CredentialID: "cred_1"}}
		s.Rules = []policy.Rule{{ID: "rule_1", Connector: "stripe", Pattern: "stripe.refund.create", Effect: policy.RequireApproval}}
		s.Credentials = s.Credentials[:1]
	})
	c := g.client(false)
	ask := func(header, value string) wire.Ask {
		r, err := http.NewRequestWithContext(t.Context(), "POST", "https://"+host+"/v1/refunds", strings.NewReader("charge=ch_1&amount=500"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set(header, value)
		res, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Fatal(res.Status)
		}
		return <-g.desk.asked
	}
	plain := ask("X-Other", "a")
	if plain.Action.Params["amount"] != int64(500) {
		t.Fatalf("%+v", plain.Action)
	}
	if ask("Stripe-Account", "acct_1").Fingerprint == plain.Fingerprint || ask("Stripe-Account", "acct_1").Fingerprint == ask("Stripe-Account", "acct_2").Fingerprint {
		t.Error("a grant for one account fits another")
	}
	if ask("Idempotency-Key", "a").Fingerprint != ask("Idempotency-Key", "b").Fingerprint {
		t.Error("a retry under another idempotency key does not fit its grant")
	}
}

// So is what a header says that policies look at.
func TestAGrantIsForTheHeadersThatPoliciesLookAt(t *testing.T) {
	t.Parallel()
	ask := func(c policy.Clause) func(header http.Header) string {
		g := newRig(t, http.HandlerFunc(echo), judged(c))
		client := g.client(false)
		return func(header http.Header) string {
			r, err := http.NewRequestWithContext(t.Context(), "PUT", "https://"+host+"/x", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			r.Header = header
			res, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != http.StatusOK {
				t.Fatal(res.Status)
			}
			return (<-g.desk.asked).Fingerprint
		}
	}
	looks := ask(asks("not here", where("request.headers.x-env", policy.NotEquals, text("test")), policy.Approvers{}))
	all := map[string]string{}
	for name, h := range map[string]http.Header{
		"none": {}, "one": {"X-Env": {"prod"}}, "another": {"X-Env": {"stage"}}, "both": {"X-Env": {"prod", "stage"}}, "both in one line": {"X-Env": {"prod, stage"}},
	} {
		got := looks(h)
		if was, twice := all[got]; twice {
			t.Errorf("a grant for %s fits %s", was, name)
		}
		all[got] = name
	}
	if looks(http.Header{"X-Env": {"prod"}, "X-Other": {"a"}}) != looks(http.Header{"X-Env": {"prod"}, "X-Other": {"b"}}) {
		t.Error("a header that no policy looks at counts")
	}
	blind := ask(asks("always", nil, policy.Approvers{}))
	if blind(http.Header{"X-Env": {"prod"}}) != blind(http.Header{"X-Env": {"stage"}}) {
		t.Error("without a policy that looks at it, the header counts")
	}
}
