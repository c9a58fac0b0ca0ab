package standin

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
)

// LeafPEM returns a certificate for hosts and its key, for programs that read
// them from files.
func (ca *CA) LeafPEM(hosts ...string) (cert, key []byte, err error) {
	leaf, err := ca.Leaf(hosts...)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(leaf.PrivateKey)
	if err != nil {
		return nil, nil, fmt.Errorf("write key: %w", err)
	}
	for _, one := range leaf.Certificate {
		cert = append(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: one})...)
	}
	return cert, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}
