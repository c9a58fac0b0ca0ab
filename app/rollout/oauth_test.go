package rollout_test

import (
	"context"
	"crypto/ecdh"
	"crypto/hpke"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/app/oauth/oauthtest"
	"github.com/tameflare/tameflare/app/rollout"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/app/vault"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/domain/wire"
)

// A gateway gets the access token and nothing that it was got with, the next
// one within a second, and none when it has run out.
func TestGatewayHasTheCurrentAccessTokenAlone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		m, rings, end := master(t), new(bus.Local), oauthtest.New(t)
		signer, err := rollout.OpenSigner(t.Context(), st, m)
		if err != nil {
			t.Fatal(err)
		}
		at := time.Now()
		v := storetest.Owner(t, st)
		v.Team.ID += "o"
		v.User.ID, v.User.Email = v.User.ID+"o", "o"+v.User.Email
		if v.Team.DataKey, err = m.NewTeamKey(v.Team.ID); err != nil {
			t.Fatal(err)
		}
		if err := st.InsertTeam(t.Context(), v.Team, v.User, audit.Event{Time: at, Type: "team.created"}); err != nil {
			t.Fatal(err)
		}
		house := &vault.Service{
			Store: st, Master: m, Tokens: end.Client(), Now: func() time.Time { return at },
			Changed: func(ctx context.Context, teamID string) { rings.Publish(ctx, bus.Config(teamID)) },
		}
		key, gw := connected(t, st, v, house, end)
		s := &rollout.Service{Store: st, Vault: house, Signer: signer, Bus: rings, Now: time.Now, Log: slog.New(slog.DiscardHandler)}

		first, err := s.Snapshot(t.Context(), gw, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		version, got := opened(t, first, key, gw.ID, end)
		if got != end.Access() {
			t.Errorf("the gateway got %q, want %q", got, end.Access())
		}

		type answer struct {
			wire.SnapshotAnswer
			at  time.Time
			err error
		}
		polled := make(chan answer, 1)
		go func() {
			a, err := s.Snapshot(t.Context(), gw, version, 20*time.Second)
			polled <- answer{a, time.Now(), err}
		}()
		at = at.Add(50 * time.Minute)
		house.RefreshDue(t.Context())
		renewed := time.Now()
		next := <-polled
		if next.err != nil {
			t.Fatal(next.err)
		}
		if took := next.at.Sub(renewed); took > time.Second {
			t.Errorf("the gateway heard of it after %v", took)
		}
		if version, got = opened(t, next.SnapshotAnswer, key, gw.ID, end); got != end.Access() {
			t.Errorf("the gateway got %q, want %q", got, end.Access())
		}

		end.Revoke()
		at = at.Add(2 * time.Hour)
		house.RefreshDue(t.Context())
		last, err := s.Snapshot(t.Context(), gw, version, 0)
		if err != nil || last.Snapshot == nil {
			t.Fatalf("the gateway was not told that there is no token: %v", err)
		}
		if _, got = opened(t, last, key, gw.ID, end); got != "" {
			t.Errorf("the gateway still gets %q", got)
		}
	})
}

// connected adds a gateway whose connector uses a refreshed credential.
func connected(t *testing.T, st *store.Store, v team.Viewer, house *vault.Service, end *oauthtest.Endpoint) (hpke.PrivateKey, fleet.Gateway) {
	t.Helper()
	key, err := hpke.DHKEM(ecdh.X25519()).GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	c, err := house.PutEntry(t.Context(), v, vault.Entry{
		Name: "login", Type: "http", OAuth: end.OAuth(credential.RefreshToken), ClientSecret: credential.NewSecret(end.ClientSecret), RefreshToken: end.SignIn(),
	})
	if err != nil {
		t.Fatal(err)
	}
	gw := storetest.Gateway(t, st, v, "bot")
	gw.SealKey = key.PublicKey().Bytes()
	if err := st.EnrolGateway(t.Context(), gw, audit.Event{Time: time.Now(), Type: "gateway.enrolled"}); err != nil {
		t.Fatal(err)
	}
	row := fleet.Connector{ID: "con_" + gw.ID, GatewayID: gw.ID, Type: "http", Name: "api", Hosts: []string{"api.example"}, AuthKind: credential.Bearer, CredentialID: c.ID}
	if err := st.Configure(t.Context(), v.Team.ID, gw.ID, []fleet.Connector{row}, nil, audit.Event{Time: time.Now(), Type: "gateway.configured"}); err != nil {
		t.Fatal(err)
	}
	return key, gw
}

// opened returns a snapshot's version and the one secret in it, "" for none.
func opened(t *testing.T, a wire.SnapshotAnswer, key hpke.PrivateKey, gatewayID string, end *oauthtest.Endpoint) (int64, string) {
	t.Helper()
	if a.Snapshot == nil {
		t.Fatal("no snapshot")
	}
	var snap wire.Snapshot
	if err := json.Unmarshal(a.Snapshot.Payload, &snap); err != nil {
		t.Fatal(err)
	}
	if len(snap.Credentials) == 0 {
		return snap.Version, ""
	}
	one := snap.Credentials[0]
	r, err := hpke.NewRecipient(one.Sealed[:32], key, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(wire.SealInfo))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := r.Open(one.Binding(gatewayID), one.Sealed[32:])
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range end.Secrets() {
		if strings.Contains(string(plain), secret) && secret != string(plain) {
			t.Error("there is more than the access token in what the gateway opens")
		}
	}
	return snap.Version, string(plain)
}
