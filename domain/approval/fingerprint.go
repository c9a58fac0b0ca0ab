package approval

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// Request is what a grant is bound to. Any other value in any field is another
// request, which has to be asked for anew.
type Request struct {
	GatewayID     string
	Principal     string // the run's principal, not the run: a restarted agent meets its approval again
	Action        string
	Method        string
	Scheme        string
	Authority     string // host and port, in their one spelling
	Path          string // escaped, as it is sent
	Query         string // as it is sent, without the injected credential
	ContentType   string
	ContentCoding string
	BodyDigest    string // SHA-256 of the body as it is sent, hex
	CredentialID  string
	RuleID        string

	// Params are what the request was judged by, as JSON: some of it stands in
	// headers, such as the account that a charge is for.
	Params string
}

// Fingerprint returns the name of r: SHA-256 over its fields, each with its
// length before it, so that no two requests share one.
func (r Request) Fingerprint() string {
	h := sha256.New()
	h.Write([]byte("tameflare approval v1\n"))
	for _, field := range []string{
		r.GatewayID, r.Principal, r.Action, r.Method, r.Scheme, r.Authority, r.Path, r.Query,
		r.ContentType, r.ContentCoding, r.BodyDigest, r.CredentialID, r.RuleID, r.Params,
	} {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(field)))
		h.Write(n[:])
		h.Write([]byte(field))
	}
	return hex.EncodeToString(h.Sum(nil))
}
