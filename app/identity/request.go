package identity

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"

	"github.com/tameflare/tameflare/domain/fault"
)

const maxRequest = 8 << 10

var oidSubjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}

// parseRequest reads a PKCS #10 request on behalf of the gateway called uri.
// It fails with fault.Invalid unless the request is signed by the key in it,
// the key is P-256 or Ed25519, and it asks for no name but uri, or for none.
//
// Nothing but the key will be taken from it. One that asks for more is refused
// all the same: whoever sends it misunderstands, or tries something.
func parseRequest(in []byte, n name, domain string) (*x509.CertificateRequest, error) {
	if len(in) > maxRequest {
		return nil, badRequest("It is too large.", nil)
	}
	block, rest := pem.Decode(in)
	if block == nil || block.Type != "CERTIFICATE REQUEST" || len(block.Headers) != 0 || len(bytes.TrimSpace(rest)) != 0 {
		return nil, badRequest("Send one PEM block of type CERTIFICATE REQUEST.", nil)
	}
	req, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, badRequest("It cannot be read.", errors.New("not a PKCS #10 request"))
	}
	if !isKeyAllowed(req.PublicKey) {
		return nil, badRequest("Its key must be ECDSA on P-256, or Ed25519.", nil)
	}
	switch req.SignatureAlgorithm {
	case x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512, x509.PureEd25519:
	default:
		return nil, badRequest("It must be signed with SHA-256 or better, or with Ed25519.", nil)
	}
	if req.CheckSignature() != nil {
		return nil, badRequest("It is not signed by the key that it carries.", nil)
	}
	for _, ext := range req.Extensions {
		if !ext.Id.Equal(oidSubjectAltName) {
			return nil, badRequest("It may ask for a name only; usages and constraints are the server's.", errors.New("extension "+ext.Id.String()))
		}
	}
	uri, one := soleURI(req.URIs)
	named := len(req.URIs) != 0
	if len(req.DNSNames)+len(req.IPAddresses)+len(req.EmailAddresses) != 0 || named && (!one || uri != n.uri(domain)) {
		return nil, badRequest("It asks for a name that this gateway does not have.", nil)
	}
	if cn := req.Subject.CommonName; cn != "" && cn != n.gateway {
		return nil, badRequest("Its common name must be empty, or the gateway's identifier.", nil)
	}
	return req, nil
}

func isKeyAllowed(key crypto.PublicKey) bool {
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		return key.Curve == elliptic.P256()
	case ed25519.PublicKey:
		return true
	}
	return false
}

func badRequest(why string, cause error) error {
	return fault.New(fault.Invalid, "The certificate request is not acceptable. "+why, cause)
}
