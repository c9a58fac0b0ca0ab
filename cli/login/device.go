package login

import (
	"context"
	"strings"
	"time"

	"github.com/tameflare/tameflare/cli/apiclient"
	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/cli/exit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/rest"
	"github.com/tameflare/tameflare/domain/team"
)

// device signs in with a code that a person types in any browser (RFC 8628).
func device(ctx context.Context, c *console.Console, api *apiclient.Client) (rest.TokenAnswer, error) {
	begun, err := apiclient.Post[rest.LoginAnswer](ctx, api, "/logins", nil, rest.LoginRequest{Kind: team.DeviceLogin, Client: client(c)})
	if err != nil {
		return rest.TokenAnswer{}, err
	}
	c.Say("%s Open %s and type the code:\n\n    %s\n", console.Note, begun.DeviceURL, begun.UserCode)
	c.Say("  Or open:        %s", begun.URL)
	c.Say("  Pairing words:  %s", strings.ReplaceAll(team.PairingWords(begun.UserCode), " ", " · "))
	return poll(ctx, api, begun)
}

// poll asks for the token until somebody has confirmed, or will not.
func poll(ctx context.Context, api *apiclient.Client, begun rest.LoginAnswer) (rest.TokenAnswer, error) {
	every := time.Duration(max(begun.Interval, 1)) * time.Second
	timer := time.NewTimer(every)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return rest.TokenAnswer{}, ctx.Err()
		case <-timer.C:
		}
		answer, err := apiclient.Post[rest.TokenAnswer](ctx, api, "/logins/token", nil, rest.TokenRequest{DeviceCode: begun.DeviceCode})
		switch code := apiclient.Code(err); {
		case code == rest.AuthorizationPending:
		case code == rest.SlowDown:
			every += 5 * time.Second
		case fault.Of(err) == fault.Limited || fault.Of(err) == fault.Unavailable && ctx.Err() == nil: // it may be back in time
		case code == rest.AccessDenied, code == rest.ExpiredToken:
			return answer, exit.With(exit.Auth, err)
		default:
			return answer, err
		}
		if time.Now().After(begun.ExpiresAt) {
			return answer, exit.With(exit.Auth, fault.New(fault.Expired, "Nobody confirmed the sign-in in time. Run tameflare login again.", nil))
		}
		timer.Reset(every)
	}
}
