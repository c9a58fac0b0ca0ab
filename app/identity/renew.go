package identity

import (
	"context"
	"crypto"
	"crypto/tls"
	"errors"
	"fmt"

	"github.com/tameflare/tameflare/domain/fault"
)

// Renew gives the gateway at the other end of a connection its next
// certificate: the same name, another 24 h. With a csrPEM it is for the key of
// that request, and with nil for the key that the gateway has. The old
// certificate stays good until its end.
//
// It fails as Check does, with fault.Invalid where the request is not
// acceptable, and with fault.Unavailable where we could not do our part; then
// the gateway tries again later.
func (a *Authority) Renew(ctx context.Context, peer tls.ConnectionState, csrPEM []byte) (Certificate, error) {
	id, old, err := a.check(ctx, peer)
	if err != nil {
		return Certificate{}, fmt.Errorf("renew: %w", err)
	}
	n := name{team: id.TeamID, gateway: id.GatewayID}
	var pub crypto.PublicKey
	if csrPEM != nil {
		req, err := parseRequest(csrPEM, n, a.domain)
		if err != nil {
			return Certificate{}, fmt.Errorf("renew: %w", err)
		}
		pub = req.PublicKey
	}
	if _, err := a.currentIssuer(ctx); err != nil {
		return Certificate{}, fmt.Errorf("renew: %w", err)
	}
	chain, err := a.step.renew(ctx, old, pub)
	if err != nil {
		return Certificate{}, notRenewed(err)
	}
	cert, err := a.enter(ctx, chain, n, id.Serial)
	if err != nil {
		return Certificate{}, notRenewed(err)
	}
	// A revocation may have come in between. Either it saw the new certificate
	// in the ledger and has revoked it, or it revoked the old one before we
	// look here: see Revoke.
	if _, err := a.Check(ctx, peer); err != nil {
		undo := a.step.revoke(ctx, chain[0], "renewed while it was being revoked")
		return Certificate{}, fmt.Errorf("renew: %w", errors.Join(err, undo))
	}
	a.log.InfoContext(ctx, "gateway's certificate renewed", "team", cert.TeamID, "gateway", cert.GatewayID, "serial", cert.Serial, "from", id.Serial)
	return cert, nil
}

func notRenewed(cause error) error {
	return fault.New(fault.Unavailable, "The certificate could not be renewed. Try again later.", cause)
}

// Revoke ends every certificate that the gateway has, and with them its
// renewals. Connections that are open stay open: Check refuses their next
// call, and whoever holds them may cut them.
//
// A token that is still out could enrol the gateway again, so make Admit
// refuse the gateway first.
func (a *Authority) Revoke(ctx context.Context, gatewayID, reason string) error {
	count := 0
	// Until there is none left, and not once: a renewal that was under way
	// may have entered another meanwhile. One that enters its certificate
	// after the last look finds the old one revoked.
	for {
		live, err := a.live(ctx, gatewayID)
		if err != nil {
			return fmt.Errorf("revoke gateway: %w", err)
		}
		if len(live) == 0 {
			break
		}
		for _, cert := range live {
			if err := a.step.revoke(ctx, cert, reason); err != nil {
				return fmt.Errorf("revoke gateway: %w", err)
			}
		}
		count += len(live)
	}
	a.log.InfoContext(ctx, "gateway revoked", "gateway", gatewayID, "certificates", count)
	return nil
}
