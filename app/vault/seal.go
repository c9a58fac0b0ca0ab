package vault

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strconv"

	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fleet"
)

// associated joins fields so that no two lists of them look the same.
func associated(fields ...string) []byte {
	var out []byte
	for _, f := range fields {
		out = binary.BigEndian.AppendUint32(out, uint32(len(f)))
		out = append(out, f...)
	}
	return out
}

// binding is what a credential's secret is sealed together with. Somebody who
// can write to the database can therefore neither give it to another
// credential or team, nor bring an old version back, nor send it elsewhere.
//
// Of an OAuth credential everything that says where its secrets are sent is
// among it: else whoever can write to the database could have them sent to a
// token endpoint of their own.
func binding(c fleet.Credential) []byte {
	fields := []string{"tameflare/vault/credential/1", c.TeamID, c.ID, strconv.FormatInt(c.Version, 10), c.Type}
	if o := c.OAuth; o.Grant != credential.Static {
		fields[0] = "tameflare/vault/oauth-credential/1"
		fields = append(fields, string(o.Grant), o.TokenURL, o.ClientID, o.Scope, o.Audience, o.Resource, string(o.ClientAuth),
			strconv.FormatInt(c.Refresh.ExpiresAt.UnixMicro(), 10))
	}
	return associated(append(fields, c.Hosts...)...)
}

// fingerprint tells two secrets of a team apart, and means nothing without its
// data key: a plain hash would let whoever has the database try out guesses.
func fingerprint(key []byte, secret string) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("tameflare/vault/fingerprint/1\x00" + secret))
	return hex.EncodeToString(h.Sum(nil)[:6])
}
