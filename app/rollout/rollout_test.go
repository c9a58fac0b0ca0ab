package rollout_test

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hpke"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/app/rollout"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/app/vault"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/definition"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/wire"
)

// memory is one gateway's configuration.
type memory struct {
	mu   sync.Mutex
	conf store.Configuration
}

func (m *memory) change(f func(*store.Configuration)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.conf.Revision++
	f(&m.conf)
}

func (m *memory) Gateway(context.Context, string) (fleet.Gateway, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.conf.Gateway, nil
}

func (m *memory) Revision(context.Context, string) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.conf.Revision, nil
}

func (m *memory) RaiseRevision(context.Context, string, int64, audit.Event) error {
	return errors.New("not here")
}

func (m *memory) AcknowledgeSnapshot(_ context.Context, _ string, version int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.conf.Gateway.SnapshotAck = version
	return nil
}

func (m *memory) Configuration(context.Context, string, string) (store.Configuration, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.conf, nil
}

// locked is a vault that does not open.
type locked struct{}

func (locked) Reveal(context.Context, string, string) (credential.Secret, fleet.Credential, error) {
	return credential.Secret{}, fleet.Credential{}, errors.New("no key")
}

// deaf is a bus whose rings get lost.
type deaf struct{}

func (deaf) Publish(context.Context, string) {}

func (deaf) Subscribe(string) (<-chan struct{}, func()) { return nil, func() {} }

func service(t *testing.T, b bus.Bus) (*rollout.Service, *memory) {
	t.Helper()
	signer, err := rollout.OpenSigner(t.Context(), storetest.Open(t), master(t))
	if err != nil {
		t.Fatal(err)
	}
	key, err := hpke.DHKEM(ecdh.X25519()).GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	m := &memory{conf: store.Configuration{Revision: 1, Gateway: fleet.Gateway{ID: "gw_1", TeamID: "team_1", Status: fleet.Active, SealKey: key.PublicKey().Bytes()}}}
	return &rollout.Service{Store: m, Vault: locked{}, Signer: signer, Bus: b, Now: time.Now, Log: slog.New(slog.DiscardHandler)}, m
}

func master(t *testing.T) vault.Master {
	t.Helper()
	m, _, err := vault.OpenMaster(t.TempDir(), credential.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestPollWaitsForNews(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		bus  bus.Bus
		took time.Duration
	}{
		"rung":          {new(bus.Local), 7 * time.Second},
		"ring got lost": {deaf{}, 10 * time.Second}, // the next look after 7s
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, m := service(t, tt.bus)
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				go func() {
					time.Sleep(7 * time.Second)
					m.change(func(c *store.Configuration) { c.Kills = []fleet.Kill{{ID: "kill_1"}} })
					tt.bus.Publish(t.Context(), bus.Config("team_1"))
				}()
				a, err := s.Snapshot(t.Context(), m.conf.Gateway, 1, 20*time.Second)
				if err != nil || a.Snapshot == nil {
					t.Fatalf("got %+v, %v, want a snapshot", a, err)
				}
				if took := time.Since(began); took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
				if m.conf.Gateway.SnapshotAck != 1 {
					t.Errorf("acknowledged %d, want 1", m.conf.Gateway.SnapshotAck)
				}
			})
		})
	}
}

func TestPollWithoutNewsConfirms(t *testing.T) {
	t.Parallel()
	s, m := service(t, new(bus.Local))
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		a, err := s.Snapshot(t.Context(), m.conf.Gateway, 1, 20*time.Second)
		if err != nil || a.Snapshot != nil || a.Confirmation == nil {
			t.Fatalf("got %+v, %v, want a confirmation", a, err)
		}
		if took := time.Since(began); took != 20*time.Second {
			t.Errorf("took %v, want 20s", took)
		}
		var c wire.Confirmation
		if err := json.Unmarshal(a.Confirmation.Payload, &c); err != nil || c.Version != 1 || c.GatewayID != "gw_1" || !c.At.Equal(time.Now()) {
			t.Errorf("confirmation: %+v, %v", c, err)
		}
		if !ed25519.Verify(s.PublicKey(), append([]byte(wire.ConfirmationContext), a.Confirmation.Payload...), a.Confirmation.Signature) {
			t.Error("the confirmation's signature does not hold")
		}
		if ed25519.Verify(s.PublicKey(), append([]byte(wire.SnapshotContext), a.Confirmation.Payload...), a.Confirmation.Signature) {
			t.Error("the confirmation passes for a snapshot")
		}
	})
}

func TestRevokedGatewayGetsNothing(t *testing.T) {
	t.Parallel()
	s, m := service(t, new(bus.Local))
	m.change(func(c *store.Configuration) { c.Gateway.Status = fleet.Revoked })
	for _, after := range []int64{0, 1, 2} {
		if a, err := s.Snapshot(t.Context(), m.conf.Gateway, after, 0); fault.Of(err) != fault.Forbidden || a.Snapshot != nil {
			t.Errorf("after %d: %v, want forbidden", after, err)
		}
	}
}

// A kill switch has to get through whatever the vault is like, and another
// gateway's kill switch is none of this one's business.
func TestSnapshotWithoutTheVault(t *testing.T) {
	t.Parallel()
	s, m := service(t, new(bus.Local))
	m.change(func(c *store.Configuration) {
		c.Connectors = []fleet.Connector{{ID: "con_1", Type: "github", Name: "github", AuthKind: credential.Bearer, CredentialID: "cred_1"}}
		c.Rules = []fleet.Rule{{ID: "rule_1", ConnectorID: "con_1", Pattern: "*", When: policy.Limits{"ref": {"main"}}, Effect: policy.Allow, HoldMS: -1}}
		c.Kills = []fleet.Kill{{ID: "kill_all"}, {ID: "kill_other", GatewayID: "gw_2"}, {ID: "kill_mine", GatewayID: "gw_1", Connector: "github"}}
	})
	a, err := s.Snapshot(t.Context(), m.conf.Gateway, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	var snap wire.Snapshot
	if err := json.Unmarshal(a.Snapshot.Payload, &snap); err != nil {
		t.Fatal(err)
	}
	if len(snap.Kills) != 2 || snap.Kills[0].ID != "kill_all" || snap.Kills[1].ID != "kill_mine" {
		t.Errorf("kills: %+v", snap.Kills)
	}
	if len(snap.Credentials) != 0 || snap.Connectors[0].CredentialID != "cred_1" {
		t.Errorf("credentials %+v, connector %+v: want none, and a connector that misses it", snap.Credentials, snap.Connectors[0])
	}
	if snap.Rules[0].Connector != "github" || cmp.Diff(policy.Limits{"ref": {"main"}}, snap.Rules[0].When) != "" {
		t.Errorf("rule: %+v", snap.Rules[0])
	}
}

func TestServersShareOneSnapshotKey(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		m := master(t)
		keys := make([][]byte, 4)
		var wg sync.WaitGroup
		for i := range keys {
			wg.Go(func() {
				signer, err := rollout.OpenSigner(t.Context(), s, m)
				if err != nil {
					t.Errorf("open: %v", err)
					return
				}
				keys[i] = signer.Public()
			})
		}
		wg.Wait()
		for _, key := range keys {
			if !bytes.Equal(key, keys[0]) || len(key) != ed25519.PublicKeySize {
				t.Errorf("keys differ: %x", keys)
				break
			}
		}
		if _, err := rollout.OpenSigner(t.Context(), s, master(t)); err == nil {
			t.Error("the key opens with another master key")
		}
	})
}

func TestASnapshotBringsTheTypesThatItsConnectorsAreOf(t *testing.T) {
	t.Parallel()

	s, m := service(t, new(bus.Local))
	typed := func(name string) fleet.ConnectorType {
		return fleet.ConnectorType{Name: name, Definition: definition.Definition{
			Name: name, Hosts: []string{name + ".example.com"}, Operations: []definition.Operation{{Method: "GET", Path: "/", Action: name + ".root.get", Class: action.Read, Risk: action.Low}},
		}}
	}
	m.change(func(c *store.Configuration) {
		c.Types = []fleet.ConnectorType{typed("billing"), typed("tickets")}
		c.Connectors = []fleet.Connector{{ID: "con_1", Type: "billing", Name: "bills"}, {ID: "con_2", Type: "github", Name: "github"}}
	})
	answer, err := s.Snapshot(t.Context(), m.conf.Gateway, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	var snap wire.Snapshot
	if err := json.Unmarshal(answer.Snapshot.Payload, &snap); err != nil {
		t.Fatal(err)
	}
	if len(snap.Types) != 1 || snap.Types[0].Name != "billing" || snap.Types[0].Operations[0].Class != action.Read {
		t.Errorf("%+v", snap.Types)
	}
}
