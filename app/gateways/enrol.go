package gateways

import (
	"context"
	"crypto/ecdh"
	"crypto/tls"
	"fmt"
	"time"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/domain/wire"
)

// Enrolment is what a machine needs to become a gateway, once. The token is a
// secret.
type Enrolment struct {
	Token     string
	Expires   time.Time
	LinkURL   string
	RootPEM   string
	GatewayID string
	Name      string
}

// Enrolment hands out a token for a gateway, whose runs are v's from then on,
// as far as approving one's own is concerned. A gateway that has been enrolled
// may be enrolled again: the machine that was it before cannot read what it is
// sent any more.
func (s *Service) Enrolment(ctx context.Context, v team.Viewer, id string) (Enrolment, error) {
	if err := manages(v); err != nil {
		return Enrolment{}, err
	}
	g, err := s.Find(ctx, v.Team.ID, id)
	if err != nil {
		return Enrolment{}, err
	}
	token, expires, err := s.Authority.EnrolToken(ctx, g.ID, g.TeamID)
	if err != nil {
		return Enrolment{}, fmt.Errorf("enrolment: %w", err)
	}
	g.EnrolledBy = v.User.ID
	if v.Auth == "console" { // nobody's in particular
		g.EnrolledBy = ""
	}
	if err := s.Store.OfferGateway(ctx, g, s.event(v, "gateway.enrolment_issued", g)); err != nil { // or nobody gets it
		return Enrolment{}, fmt.Errorf("enrolment: %w", err)
	}
	return Enrolment{
		Token: token, Expires: expires, LinkURL: s.LinkURL, RootPEM: string(s.Authority.RootPEM()), GatewayID: g.ID, Name: g.Name,
	}, nil
}

const maxVersion = 60

// Enrol makes whoever has a token the gateway that it is for. It fails as
// identity.Authority.Enrol does, and with fault.Invalid, the token unused,
// where the key for sealing credentials is none.
func (s *Service) Enrol(ctx context.Context, r wire.EnrolRequest) (wire.EnrolAnswer, error) {
	if _, err := ecdh.X25519().NewPublicKey(r.SealKey); err != nil {
		return wire.EnrolAnswer{}, fault.New(fault.Invalid, "The seal key is not an X25519 public key. Use a gateway of this server's version.", err)
	}
	cert, err := s.Authority.Enrol(ctx, r.Token, []byte(r.CSR))
	if err != nil {
		return wire.EnrolAnswer{}, fmt.Errorf("enrol gateway: %w", err)
	}
	g, err := s.Store.Gateway(ctx, cert.GatewayID)
	if err != nil {
		return wire.EnrolAnswer{}, fmt.Errorf("enrol gateway: %w", err)
	}
	now := audit.Time(s.Now())
	g.SealKey, g.Version, g.CertExpires, g.EnrolledAt, g.LastSeenAt = r.SealKey, audit.Plain(r.Version, maxVersion), audit.Time(cert.NotAfter), now, now
	e := machine("gateway.enrolled", g, now)
	e.Detail = map[string]string{"serial": cert.Serial, "version": g.Version}
	if err := s.Store.EnrolGateway(ctx, g, e); err != nil {
		return wire.EnrolAnswer{}, fmt.Errorf("enrol gateway: %w", err)
	}
	tail, err := s.Store.TrafficTail(ctx, g.ID)
	if err != nil {
		return wire.EnrolAnswer{}, fmt.Errorf("enrol gateway: %w", err)
	}
	s.changed(ctx, g.TeamID)
	return wire.EnrolAnswer{
		Chain: string(cert.ChainPEM), NotAfter: cert.NotAfter, GatewayID: g.ID, TeamID: g.TeamID, Name: g.Name,
		SnapshotKey: s.Snapshots(), AuditThrough: tail.Seq, AuditHash: tail.Hash,
	}, nil
}

// Renew gives the gateway at the other end of a connection its next
// certificate. It fails as identity.Authority.Renew does.
func (s *Service) Renew(ctx context.Context, state tls.ConnectionState, r wire.RenewRequest) (wire.RenewAnswer, error) {
	var csr []byte
	if r.CSR != "" {
		csr = []byte(r.CSR)
	}
	cert, err := s.Authority.Renew(ctx, state, csr)
	if err != nil {
		return wire.RenewAnswer{}, fmt.Errorf("renew gateway: %w", err)
	}
	g, err := s.Store.Gateway(ctx, cert.GatewayID)
	if err != nil {
		return wire.RenewAnswer{}, fmt.Errorf("renew gateway: %w", err)
	}
	g.CertExpires = audit.Time(cert.NotAfter)
	e := machine("gateway.renewed", g, s.Now())
	e.Detail = map[string]string{"serial": cert.Serial}
	if err := s.Store.RenewGateway(ctx, g, e); err != nil {
		return wire.RenewAnswer{}, fmt.Errorf("renew gateway: %w", err)
	}
	return wire.RenewAnswer{Chain: string(cert.ChainPEM), NotAfter: cert.NotAfter}, nil
}

// Admit says whether a gateway may take part. It is what the authority asks.
// It fails with fault.Forbidden where the gateway is revoked or not there.
func (s *Service) Admit(ctx context.Context, id string) error {
	_, err := s.active(ctx, id)
	return err
}

// Peer returns the gateway at the other end of a connection, as it is now. It
// fails as identity.Authority.Check does.
func (s *Service) Peer(ctx context.Context, state tls.ConnectionState) (fleet.Gateway, error) {
	id, err := s.Authority.Check(ctx, state)
	if err != nil {
		return fleet.Gateway{}, fmt.Errorf("peer: %w", err)
	}
	g, err := s.active(ctx, id.GatewayID)
	if err == nil && g.TeamID != id.TeamID {
		return fleet.Gateway{}, shutOut(nil)
	}
	return g, err
}

func (s *Service) active(ctx context.Context, id string) (fleet.Gateway, error) {
	g, err := s.Store.Gateway(ctx, id)
	switch {
	case fault.Of(err) == fault.NotFound:
		return fleet.Gateway{}, shutOut(err)
	case err != nil:
		return fleet.Gateway{}, fmt.Errorf("admit gateway: %w", err)
	case g.Status != fleet.Active:
		return fleet.Gateway{}, shutOut(nil)
	}
	return g, nil
}

func shutOut(cause error) error {
	return fault.New(fault.Forbidden, "This gateway has been revoked. Create another one, or enrol this machine as another gateway.", cause)
}

// seenEvery is how exact a gateway's last sign of life is kept.
const seenEvery = 15 * time.Second

// Saw notes that a gateway, as Peer returned it, has called.
func (s *Service) Saw(ctx context.Context, g fleet.Gateway, version string) error {
	now := audit.Time(s.Now())
	if version = audit.Plain(version, maxVersion); version == "" {
		version = g.Version
	}
	if now.Sub(g.LastSeenAt) < seenEvery && version == g.Version {
		return nil
	}
	if err := s.Store.SawGateway(ctx, g.ID, version, now); err != nil {
		return fmt.Errorf("note gateway: %w", err)
	}
	return nil
}

func machine(typ string, g fleet.Gateway, at time.Time) audit.Event {
	return audit.Event{
		Time: at, Type: typ, Target: g.ID, Name: g.Name, Gateway: g.ID,
		Actor: audit.Actor{Kind: audit.ByGateway, ID: g.ID, Name: g.Name, Auth: "mtls"},
	}
}
