package vault

import (
	"encoding/json"
	"errors"

	"github.com/tameflare/tameflare/domain/credential"
)

// keys are all the secrets of an OAuth credential. They are sealed as one.
type keys struct {
	client   credential.Secret // of the client, empty for a public one
	refresh  credential.Secret // to ask with
	previous credential.Secret // that refresh took the place of, until refresh has been used with success
	access   credential.Secret // the only one that leaves the server
}

// sealedKeys is keys as they are sealed.
type sealedKeys struct {
	ClientSecret         string `json:"client_secret,omitempty"`
	RefreshToken         string `json:"refresh_token,omitempty"`
	PreviousRefreshToken string `json:"previous_refresh_token,omitempty"`
	AccessToken          string `json:"access_token"`
}

func (k keys) bytes() []byte {
	b, err := json.Marshal(sealedKeys{k.client.Reveal(), k.refresh.Reveal(), k.previous.Reveal(), k.access.Reveal()}) //nolint:gosec // it is sealed next
	if err != nil {
		panic("vault: strings do not marshal")
	}
	return b
}

func parseKeys(plain []byte) (keys, error) {
	var k sealedKeys
	if json.Unmarshal(plain, &k) != nil { // whose error may quote it
		return keys{}, errors.New("what is sealed is not what an OAuth credential has")
	}
	return keys{
		credential.NewSecret(k.ClientSecret), credential.NewSecret(k.RefreshToken),
		credential.NewSecret(k.PreviousRefreshToken), credential.NewSecret(k.AccessToken),
	}, nil
}

// with returns the keys after an answer to a request with the refresh token
// used. An endpoint that rotates has made that the previous one; used as it
// was, it has just proven itself, and what was before it is not needed.
func (k keys) with(t credential.AccessToken, used credential.Secret) keys {
	k.access, k.refresh, k.previous = t.Value, used, credential.Secret{}
	if !used.Empty() && !t.Refresh.Empty() && t.Refresh != used {
		k.refresh, k.previous = t.Refresh, used
	}
	return k
}
