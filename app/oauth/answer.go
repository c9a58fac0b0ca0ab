package oauth

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
)

const (
	usualLifetime   = time.Hour // where the endpoint does not say
	longestLifetime = 365 * 24 * time.Hour
)

// answer is what a token endpoint says (RFC 6749, 5.1 and 5.2).
type answer struct {
	AccessToken  string          `json:"access_token"`
	TokenType    string          `json:"token_type"`
	ExpiresIn    json.RawMessage `json:"expires_in"` // some write it as text
	RefreshToken string          `json:"refresh_token"`
	Error        string          `json:"error"`
}

// refusals are the definite ones, with what people can do about each. Some
// endpoints have words of their own.
var refusals = map[string]struct{ code, sentence string }{
	"invalid_grant":                {credential.InvalidGrant, "does not take the refresh token any more. Sign in at the service again, and put in the new one."},
	"bad_refresh_token":            {credential.InvalidGrant, "does not take the refresh token any more. Sign in at the service again, and put in the new one."},
	"invalid_client":               {credential.InvalidClient, "does not know the client: its ID or its secret is wrong or has expired."},
	"incorrect_client_credentials": {credential.InvalidClient, "does not know the client: its ID or its secret is wrong or has expired."},
	"unauthorized_client":          {"unauthorized_client", "does not let this client use this grant."},
	"unsupported_grant_type":       {"unsupported_grant_type", "does not know this grant."},
	"invalid_scope":                {"invalid_scope", "does not give these scopes."},
	"invalid_target":               {"invalid_target", "does not give tokens for this resource or audience."},
	"invalid_request":              {"invalid_request", "did not understand the request: a setting is missing or too much."},
	"access_denied":                {"access_denied", "denies this client the token."},
}

// read makes a token, or an error, of an answer. No error quotes the answer.
func read(o credential.OAuth, status int, body []byte) (credential.AccessToken, error) {
	var none credential.AccessToken
	var a answer
	err := json.Unmarshal(body, &a)
	switch {
	case status >= 300 && status < 400:
		return none, odd(o, "sends elsewhere. Give the address that it is at")
	case status == http.StatusTooManyRequests || status >= 500:
		return none, odd(o, "answers "+strconv.Itoa(status)+". It may be down or overloaded")
	case err == nil && a.Error != "":
		return none, refused(o, a.Error)
	case status == http.StatusUnauthorized:
		return none, refused(o, credential.InvalidClient)
	case status != http.StatusOK && status != http.StatusCreated:
		return none, odd(o, "answers "+strconv.Itoa(status)+". Is the address that of a token endpoint")
	case err != nil:
		return none, odd(o, "does not answer with JSON as a token endpoint does") // the error may quote it
	case a.TokenType != "" && !strings.EqualFold(a.TokenType, "bearer"): // some leave out what there is but one of
		return none, odd(o, "gives a token that is not of the type Bearer")
	case !visible(a.AccessToken) || a.AccessToken == "":
		return none, odd(o, "gives a token that cannot be sent")
	case !visible(a.RefreshToken):
		return none, odd(o, "gives a refresh token that cannot be kept")
	}
	return credential.AccessToken{
		Value: credential.NewSecret(a.AccessToken), Refresh: credential.NewSecret(a.RefreshToken), Lifetime: lifetime(a.ExpiresIn),
	}, nil
}

func refused(o credential.OAuth, code string) error {
	r, definite := refusals[code]
	if !definite {
		return odd(o, "could not give a token now")
	}
	sentence := r.sentence
	if o.Grant != credential.RefreshToken && r.code == credential.InvalidGrant {
		sentence = "does not give this client a token."
	}
	return fault.New(fault.Invalid, "The token endpoint at "+o.Host()+" "+sentence, &credential.Refusal{Code: r.code})
}

// visible reports whether s is what a token may be made of (RFC 6749, A.12),
// but for spaces, which no header takes well.
func visible(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// lifetime reads expires_in. What cannot be read is as if it were not there:
// an answer may have used up the refresh token, and must not be thrown away.
func lifetime(raw json.RawMessage) time.Duration {
	seconds, err := strconv.ParseFloat(strings.Trim(string(raw), `"`), 64)
	if err != nil || !(seconds >= 1) {
		return usualLifetime
	}
	return time.Duration(min(seconds, longestLifetime.Seconds()) * float64(time.Second))
}
