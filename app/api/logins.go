package api

import (
	"net/url"
	"strings"
	"time"

	"github.com/tameflare/tameflare/app/accounts"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/rest"
	"github.com/tameflare/tameflare/domain/team"
)

func (s *Server) version(c *call) (rest.Version, error) {
	return rest.Version{Version: s.Version}, c.only()
}

// beginLogin begins a sign-in. What it answers is no secret but the device
// code, which only who began it has.
func (s *Server) beginLogin(c *call, in rest.LoginRequest) (rest.LoginAnswer, error) {
	switch in.Kind {
	case team.LoopbackLogin:
		l, err := s.Logins.BeginLoopback(c.Context(), accounts.LoopbackLogin{
			RedirectURI: in.RedirectURI, State: in.State, Challenge: in.Challenge, Client: in.Client, IP: c.ip,
		})
		if err != nil {
			return rest.LoginAnswer{}, err
		}
		return rest.LoginAnswer{ID: l.ID, URL: s.page("/cli/login/", l.ID), Words: l.Words, ExpiresAt: l.ExpiresAt}, nil
	case team.DeviceLogin:
		if in.RedirectURI != "" || in.State != "" || in.Challenge != "" {
			return rest.LoginAnswer{}, fault.New(fault.Invalid, "A device's login has no redirect_uri, state or challenge.", nil)
		}
		l, code, err := s.Logins.BeginDevice(c.Context(), in.Client, c.ip)
		if err != nil {
			return rest.LoginAnswer{}, err
		}
		device := s.page("/device", "")
		return rest.LoginAnswer{
			ID: l.ID, URL: device + "?code=" + url.QueryEscape(l.UserCode), Words: l.Words, ExpiresAt: l.ExpiresAt,
			UserCode: l.UserCode, DeviceURL: device, DeviceCode: code.Reveal(), Interval: l.PollSeconds,
		}, nil
	}
	return rest.LoginAnswer{}, fault.New(fault.Invalid, "The kind of a login is loopback or device.", nil)
}

// finishLogin gives out the token of a sign-in, once.
func (s *Server) finishLogin(c *call, in rest.TokenRequest) (rest.TokenAnswer, error) {
	var (
		answer rest.TokenAnswer
		t      team.Token
		v      team.Viewer
		err    error
	)
	switch {
	case in.DeviceCode != "" && in.Code == "" && in.Verifier == "" && in.RedirectURI == "":
		secret, token, viewer, perr := s.Logins.PollDevice(c.Context(), in.DeviceCode)
		answer.Token, t, v, err = secret.Reveal(), token, viewer, perr
	case in.Code != "" && in.Verifier != "" && in.DeviceCode == "":
		secret, token, viewer, xerr := s.Logins.ExchangeCode(c.Context(), in.Code, in.Verifier, in.RedirectURI)
		answer.Token, t, v, err = secret.Reveal(), token, viewer, xerr
	default:
		err = fault.New(fault.Invalid, "Send code, verifier and redirect_uri, or device_code.", nil)
	}
	if err != nil {
		return rest.TokenAnswer{}, err
	}
	answer.Me = me(v, t)
	return answer, nil
}

func me(v team.Viewer, t team.Token) rest.Me {
	return rest.Me{
		User: rest.User{ID: v.User.ID, Email: v.User.Email, Name: v.User.Name}, Team: rest.Team{ID: v.Team.ID, Name: v.Team.Name},
		Role: string(v.Role), TokenID: t.ID, TokenName: t.Name, TokenExpiresAt: t.ExpiresAt,
	}
}

func (s *Server) me(c *call) (rest.Me, error) {
	if err := c.only(); err != nil {
		return rest.Me{}, err
	}
	return s.whoIs(c)
}

func (s *Server) whoIs(c *call) (rest.Me, error) {
	tokens, err := s.Tokens.Tokens(c.Context(), c.viewer)
	if err != nil {
		return rest.Me{}, err
	}
	for _, t := range tokens {
		if t.ID == c.viewer.By {
			return me(c.viewer, t), nil
		}
	}
	return me(c.viewer, team.Token{}), nil
}

// logout revokes the token that the call came with.
func (s *Server) logout(c *call) (nothing, error) {
	if err := c.only(); err != nil {
		return nothing{}, err
	}
	return nothing{}, s.Tokens.RevokeToken(c.Context(), c.viewer, c.viewer.By)
}

// signInLink makes a link with which the caller themselves signs in with a
// browser, once.
func (s *Server) signInLink(c *call, _ struct{}) (rest.Link, error) {
	token, err := s.Tokens.NewSignInLink(c.Context(), c.viewer)
	if err != nil {
		return rest.Link{}, err
	}
	return rest.Link{URL: s.page("/sign-in/link", "") + "?token=" + url.QueryEscape(token)}, nil
}

// page is the address of a page of the dashboard.
func (s *Server) page(path, id string) string {
	return strings.TrimSuffix(s.BaseURL, "/") + path + url.PathEscape(id)
}

func (s *Server) status(c *call) (rest.Status, error) {
	if err := c.only(); err != nil {
		return rest.Status{}, err
	}
	who, err := s.whoIs(c)
	if err != nil {
		return rest.Status{}, err
	}
	gs, err := s.Gateways.List(c.Context(), c.viewer.Team.ID)
	if err != nil {
		return rest.Status{}, err
	}
	pending, err := s.Approvals.PendingCount(c.Context(), c.viewer.Team.ID)
	if err != nil {
		return rest.Status{}, err
	}
	on, err := s.activeKills(c)
	if err != nil {
		return rest.Status{}, err
	}
	return rest.Status{Version: s.Version, BaseURL: s.BaseURL, Me: who, Gateways: shownGateways(gs), Pending: pending, Kills: on}, nil
}

// since reads a time, or how long ago.
func since(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || at.UTC().Year() < 1 || at.UTC().Year() > 9999 { // what not every database can compare with
		return time.Time{}, fault.New(fault.Invalid, "A time is like 2026-11-23T14:00:00Z, or how long ago, like 15m.", nil)
	}
	return at, nil
}
