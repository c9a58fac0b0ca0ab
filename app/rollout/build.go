package rollout

import (
	"cmp"
	"context"
	"crypto/ecdh"
	"crypto/hpke"
	"fmt"
	"slices"

	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/definition"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/wire"
)

func (s *Service) build(ctx context.Context, gw fleet.Gateway) (wire.SnapshotAnswer, error) {
	c, err := s.Store.Configuration(ctx, gw.TeamID, gw.ID)
	if err != nil {
		return wire.SnapshotAnswer{}, fmt.Errorf("build snapshot: %w", err)
	}
	if c.Gateway.Status != fleet.Active {
		return wire.SnapshotAnswer{}, fault.New(fault.Forbidden, "This gateway has been revoked.", nil)
	}
	snap := wire.Snapshot{
		Version: c.Revision, GatewayID: c.Gateway.ID, TeamID: c.Gateway.TeamID, GatewayName: c.Gateway.Name,
		Environment: c.Gateway.Environment, Enforcement: c.Gateway.Enforcement,
		IssuedAt: s.Now().UTC(), ValidFor: cmp.Or(s.ValidFor, DefaultValidFor), BaseURL: s.BaseURL,
		Kills: kills(c),
	}
	for _, row := range c.Connectors {
		snap.Connectors = append(snap.Connectors, wire.Connector{
			Name: row.Name, Type: row.Type, Hosts: row.Hosts, Private: row.Private, Style: row.Style(), CredentialID: row.CredentialID,
			ClientKey: row.ClientKey,
		})
	}
	snap.Types = types(c)
	if snap.Rules, err = rules(c); err != nil {
		return wire.SnapshotAnswer{}, fmt.Errorf("build snapshot: %w", err)
	}
	snap.Policies, err = policies(c)
	snap.Requires = requires(snap)
	if err != nil {
		// Without it more would pass. The gateway stays with what it has, and
		// takes the kill switches, which have to get through.
		s.Log.ErrorContext(ctx, "a policy cannot be read, so a gateway stays with what it has", "gateway", gw.ID, "error", err)
		snap.Requires = append(snap.Requires, wire.Unreadable)
	}
	snap.Credentials = s.credentials(ctx, c)
	signed, err := s.Signer.sign(wire.SnapshotContext, snap)
	if err != nil {
		return wire.SnapshotAnswer{}, fmt.Errorf("build snapshot: %w", err)
	}
	return wire.SnapshotAnswer{Snapshot: signed}, nil
}

// types are those of the team's own that the gateway's connectors are of.
func types(c store.Configuration) []definition.Definition {
	var used []definition.Definition
	for _, t := range c.Types {
		if slices.ContainsFunc(c.Connectors, func(row fleet.Connector) bool { return row.Type == t.Name }) {
			used = append(used, t.Definition)
		}
	}
	return used
}

// kills are those that concern the gateway.
func kills(c store.Configuration) []policy.Kill {
	var ks []policy.Kill
	for _, k := range c.Kills {
		if k.GatewayID == "" || k.GatewayID == c.Gateway.ID {
			ks = append(ks, policy.Kill{ID: k.ID, Connector: k.Connector, Reason: k.Reason, Since: k.PulledAt})
		}
	}
	return ks
}

func rules(c store.Configuration) ([]policy.Rule, error) {
	names := make(map[string]string, len(c.Connectors))
	for _, row := range c.Connectors {
		names[row.ID] = row.Name
	}
	rs := make([]policy.Rule, 0, len(c.Rules))
	for _, row := range c.Rules {
		r, err := row.Policy(names[row.ConnectorID])
		if err != nil {
			return nil, fmt.Errorf("rule %s: %w", row.ID, err)
		}
		rs = append(rs, r)
	}
	return rs, nil
}

// credentials seals what the gateway's connectors need to its key. One that
// cannot be opened is left out, so that its connector has none and everything
// else goes on: a kill switch has to get through whatever the vault is like.
func (s *Service) credentials(ctx context.Context, c store.Configuration) []wire.SealedCredential {
	var sealed []wire.SealedCredential
	for i, row := range c.Connectors {
		id := row.CredentialID
		if id == "" || slices.ContainsFunc(c.Connectors[:i], func(o fleet.Connector) bool { return o.CredentialID == id }) {
			continue
		}
		one, err := s.seal(ctx, c, id)
		if err != nil {
			s.Log.ErrorContext(ctx, "a credential is missing in a gateway's snapshot", "gateway", c.Gateway.ID, "credential", id, "error", err)
			continue
		}
		sealed = append(sealed, one)
	}
	return sealed
}

func (s *Service) seal(ctx context.Context, c store.Configuration, id string) (wire.SealedCredential, error) {
	to, err := hpke.DHKEM(ecdh.X25519()).NewPublicKey(c.Gateway.SealKey)
	if err != nil {
		return wire.SealedCredential{}, fmt.Errorf("gateway's seal key: %w", err)
	}
	secret, cred, err := s.Vault.Reveal(ctx, c.Gateway.TeamID, id)
	if err != nil {
		return wire.SealedCredential{}, err
	}
	out := wire.SealedCredential{ID: cred.ID, Name: cred.Name, Version: cred.Version, Hosts: cred.Hosts}
	if len(out.Hosts) == 0 {
		out.Hosts = hosts(c, id)
	}
	enc, sender, err := hpke.NewSender(to, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(wire.SealInfo))
	if err != nil {
		return wire.SealedCredential{}, fmt.Errorf("seal: %w", err)
	}
	ciphertext, err := sender.Seal(out.Binding(c.Gateway.ID), []byte(secret.Reveal()))
	if err != nil {
		return wire.SealedCredential{}, fmt.Errorf("seal: %w", err)
	}
	out.Sealed = append(enc, ciphertext...) // as hpke.Open and its kin in other languages take it
	return out, nil
}

// hosts are those of the connectors that use a credential: where one may go
// that nobody has bound more narrowly.
func hosts(c store.Configuration, credentialID string) []string {
	own, _ := connectors.DefineAll(types(c)) // one that cannot be used has no hosts
	var all []string
	for _, row := range c.Connectors {
		if row.CredentialID != credentialID {
			continue
		}
		known, err := connectors.New(connectors.Config{Type: row.Type, Own: own.Named(row.Type), Name: row.Name, Hosts: row.Hosts, Style: row.Style()})
		if err == nil { // or the gateway will refuse it, too
			all = append(all, known.Hosts()...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
