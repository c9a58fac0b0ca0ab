// Package hooks tells programs of a team's what happens to approvals, and
// takes decisions from them, as Standard Webhooks 1.0 says.
//
// A message is signed over its ID, its time and its bytes with a secret that
// the two sides share. On the way out it goes through app/outbound, since
// people type in where to; on the way in nothing of it is believed before its
// signature is.
package hooks

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
)

// The headers of a message.
const (
	HeaderID        = "Webhook-Id"
	HeaderTimestamp = "Webhook-Timestamp"
	HeaderSignature = "Webhook-Signature"
)

const (
	secretPrefix = "whsec_"
	secretBytes  = 32
	// Overlap is for how long the secret before the last change still counts.
	Overlap = 24 * time.Hour
	// Tolerance is how far a message's time may be off.
	Tolerance = 5 * time.Minute
)

// keys are the secrets of a webhook, in either direction: as they are sealed.
type keys struct {
	Secret        string    `json:"secret"`
	Previous      string    `json:"previous,omitempty"`
	PreviousUntil time.Time `json:"previous_until,omitzero"`
}

func newKeys() keys {
	b := make([]byte, secretBytes)
	_, _ = rand.Read(b) // it never fails
	return keys{Secret: secretPrefix + base64.StdEncoding.EncodeToString(b)}
}

// changed has a new secret. The one there was counts a while longer.
func (k keys) changed(now time.Time) keys {
	next := newKeys()
	next.Previous, next.PreviousUntil = k.Secret, now.Add(Overlap)
	return next
}

func (k keys) sealed() credential.Secret {
	b, _ := json.Marshal(k) //nolint:errchkjson,gosec // two texts and a time, to be sealed
	return credential.NewSecret(string(b))
}

func parseKeys(plain credential.Secret) (keys, error) {
	var k keys
	if err := json.Unmarshal([]byte(plain.Reveal()), &k); err != nil || k.Secret == "" {
		return keys{}, fault.New(fault.Internal, "", nil) // the error may quote it
	}
	return k, nil
}

// live are the secrets that count at now, the newest first.
func (k keys) live(now time.Time) []string {
	if k.Previous != "" && now.Before(k.PreviousUntil) {
		return []string{k.Secret, k.Previous}
	}
	return []string{k.Secret}
}

// sign returns the signature header of a message: one signature for each
// secret that counts.
func (k keys) sign(id string, at, now time.Time, body []byte) string {
	var all []string
	for _, secret := range k.live(now) {
		all = append(all, "v1,"+base64.StdEncoding.EncodeToString(signature(secret, id, strconv.FormatInt(at.Unix(), 10), body)))
	}
	return strings.Join(all, " ")
}

// verify reports whether one of the header's signatures is right. Those of
// versions that are not known are passed over.
func (k keys) verify(id, timestamp, header string, now time.Time, body []byte) bool {
	right := false
	for n, s := range strings.Fields(header) {
		if n == maxSignatures {
			break
		}
		text, ok := strings.CutPrefix(s, "v1,")
		if !ok {
			continue
		}
		got, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(got) != sha256.Size {
			continue
		}
		for _, secret := range k.live(now) {
			if hmac.Equal(got, signature(secret, id, timestamp, body)) {
				right = true
			}
		}
	}
	return right
}

const maxSignatures = 10

func signature(secret, id, timestamp string, body []byte) []byte {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, secretPrefix))
	if err != nil || len(key) < 24 { // a short key would sign anything
		return nil
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return mac.Sum(nil)
}
