package identity

import (
	"context"
	"crypto/x509"
	"fmt"
	"time"
)

// enter puts a new certificate into the ledger. One that is not there is good
// for nothing, so it is only handed out afterwards.
func (a *Authority) enter(ctx context.Context, chain []*x509.Certificate, n name, renewedFrom string) (Certificate, error) {
	leaf := chain[0]
	serial := leaf.SerialNumber.String()
	if err := a.store.InsertCertificate(ctx, Issued{
		Serial:      serial,
		TeamID:      n.team,
		GatewayID:   n.gateway,
		DER:         leaf.Raw,
		NotBefore:   leaf.NotBefore.UTC(),
		NotAfter:    leaf.NotAfter.UTC(),
		RenewedFrom: renewedFrom,
		CreatedAt:   time.Now().UTC(),
	}); err != nil {
		return Certificate{}, fmt.Errorf("enter certificate: %w", err)
	}
	return Certificate{
		ChainPEM:  encodeChain(chain...),
		Serial:    serial,
		NotAfter:  leaf.NotAfter.UTC(),
		GatewayID: n.gateway,
		TeamID:    n.team,
	}, nil
}

// live reads the gateway's certificates that still count.
func (a *Authority) live(ctx context.Context, gatewayID string) ([]*x509.Certificate, error) {
	rows, err := a.store.LiveCertificates(ctx, gatewayID, time.Now().UTC())
	if err != nil {
		return nil, fmt.Errorf("list certificates: %w", err)
	}
	var out []*x509.Certificate
	for _, row := range rows {
		cert, err := x509.ParseCertificate(row.DER)
		if err != nil {
			return nil, fmt.Errorf("parse certificate %s: %w", row.Serial, err)
		}
		out = append(out, cert)
	}
	return out, nil
}
