// Package oauth asks token endpoints for access tokens.
//
// It sends one form and reads one answer (RFC 6749, 4.4 and 6), by way of
// app/outbound. It is written on net/http and not on a library because most of
// it is what must not happen: nothing is asked twice, and neither an error nor
// a log ever quotes an answer, which may hold a token.
package oauth

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tameflare/tameflare/app/outbound"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
)

const (
	// Timeout is how long a token endpoint has for its answer.
	Timeout   = 10 * time.Second
	maxAnswer = 64 << 10
)

// Client asks token endpoints. The zero Client reaches public ones, by https.
type Client struct {
	Allow []outbound.Allowed // hosts that may be at addresses that are not public
	Roots *x509.CertPool     // nil: the system's
}

// Token asks for an access token: with the refresh token where the grant is
// that, else for the client itself. It asks once. It fails with fault.Invalid
// where the endpoint says no, and then the cause is a *credential.Refusal, or
// where the endpoint must not be asked at all; and with fault.Unavailable
// where it does not answer as a token endpoint does, so that another time it
// may.
func (c *Client) Token(ctx context.Context, o credential.OAuth, clientSecret, refresh credential.Secret) (credential.AccessToken, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	req, err := request(ctx, o, clientSecret, refresh)
	if err != nil {
		return credential.AccessToken{}, fmt.Errorf("ask for token: %w", err)
	}
	client := outbound.Guard{Allow: c.Allow, Roots: c.Roots}.Client()
	resp, err := client.Do(req)
	if err != nil {
		return credential.AccessToken{}, unanswered(o, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return credential.AccessToken{}, unanswered(o, err)
	}
	if len(body) > maxAnswer {
		return credential.AccessToken{}, odd(o, "answers with more than 64 kB")
	}
	return read(o, resp.StatusCode, body)
}

func request(ctx context.Context, o credential.OAuth, clientSecret, refresh credential.Secret) (*http.Request, error) {
	form := url.Values{"grant_type": {string(o.Grant)}}
	for name, value := range map[string]string{"scope": o.Scope, "audience": o.Audience, "resource": o.Resource} {
		if value != "" {
			form.Set(name, value)
		}
	}
	if o.Grant == credential.RefreshToken {
		form.Set("refresh_token", refresh.Reveal())
	}
	basic := o.ClientAuth != credential.ClientPost && !clientSecret.Empty()
	if !basic { // also a public client, which has nothing to prove with (RFC 6749, 3.2.1)
		form.Set("client_id", o.ClientID)
	}
	if !basic && !clientSecret.Empty() {
		form.Set("client_secret", clientSecret.Reveal())
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, o.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, fault.New(fault.Invalid, "The token address cannot be used.", err)
	}
	req.GetBody = nil // else net/http would send it again where a connection breaks, and a refresh token goes once
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "tameflare-server")
	if basic { // each half is encoded by itself (RFC 6749, 2.3.1)
		req.SetBasicAuth(url.QueryEscape(o.ClientID), url.QueryEscape(clientSecret.Reveal()))
	}
	return req, nil
}

// unanswered is what a connection that came to nothing means.
func unanswered(o credential.OAuth, err error) error {
	if r, ok := errors.AsType[*outbound.Refused](err); ok {
		return fault.New(fault.Invalid, sentence(r), err)
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return fault.New(fault.Unavailable, "The certificate of the token endpoint at "+o.Host()+" is not one that this server trusts.", err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fault.New(fault.Unavailable, "The token endpoint at "+o.Host()+" did not answer in time.", err)
	}
	return fault.New(fault.Unavailable, "The token endpoint at "+o.Host()+" cannot be reached.", err)
}

// sentence says why a token endpoint is not asked.
func sentence(r *outbound.Refused) string {
	switch {
	case r.Plain:
		return "The token endpoint at " + r.Host + " is not asked without TLS: only one on this machine is, where TAMEFLARE_OAUTH_ALLOW names it."
	case r.Class.Permissible():
		return "The token endpoint at " + r.Host + " is at " + r.Class.String() + ". Whoever runs this server can allow that in TAMEFLARE_OAUTH_ALLOW."
	}
	return "The token endpoint at " + r.Host + " is at " + r.Class.String() + ", where none may be."
}

// odd is an answer that none should give.
func odd(o credential.OAuth, how string) error {
	return fault.New(fault.Unavailable, "The token endpoint at "+o.Host()+" "+how+".", nil)
}
