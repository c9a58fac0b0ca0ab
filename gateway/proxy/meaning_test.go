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
