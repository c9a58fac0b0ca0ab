package accounts

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
)

// LoopbackLogin is a command line that waits for its answer on a port of the
// machine that the browser is on.
type LoopbackLogin struct {
	RedirectURI string // http://127.0.0.1:port/path
	State       string
	Challenge   string // S256 of the verifier (RFC 7636)
	Client      string // "tameflare 0.1.0 on laptop-ana (linux)"
	IP          string
}

const (
	beginLimit = 60 // logins that one address may begin in throttleWindow
	guessLimit = 5  // wrong user codes that one person may type in it
	pollEvery  = 5  // seconds between two questions of a device
)

// BeginLoopback begins a login that a person confirms in the browser. It fails
// with fault.Invalid where the request could send the answer anywhere else
// than to the machine of whoever confirms.
func (s *Service) BeginLoopback(ctx context.Context, b LoopbackLogin) (team.Login, error) {
	if err := checkRedirect(b.RedirectURI); err != nil {
		return team.Login{}, err
	}
	if len(b.Challenge) != 43 || strings.ContainsFunc(b.Challenge, notBase64URL) {
		return team.Login{}, fault.New(fault.Invalid, "The login has no PKCE challenge of the kind S256.", nil)
	}
	if b.State == "" || len(b.State) > 200 || strings.ContainsFunc(b.State, notBase64URL) {
		return team.Login{}, fault.New(fault.Invalid, "The login's state is 1 to 200 letters, digits, dashes and underscores.", nil)
	}
	l := s.newLogin(team.LoopbackLogin, b.Client, b.IP)
	l.RedirectURI, l.State, l.Challenge, l.Words = b.RedirectURI, b.State, b.Challenge, team.PairingWords(b.Challenge)
	return l, s.begin(ctx, l, b.IP)
}

// BeginDevice begins a login on a machine without a browser. The device code
// is the machine's secret, the login's UserCode is what a person types.
func (s *Service) BeginDevice(ctx context.Context, client, ip string) (team.Login, credential.Secret, error) {
	deviceCode := newSecret()
	l := s.newLogin(team.DeviceLogin, client, ip)
	l.UserCode, l.DeviceHash, l.PollSeconds = newUserCode(), hash(deviceCode.Reveal()), pollEvery
	l.Words = team.PairingWords(l.UserCode)
	return l, deviceCode, s.begin(ctx, l, ip)
}

func (s *Service) newLogin(kind, client, ip string) team.Login {
	now := s.now()
	if client = clamp(client, 200); client == "" {
		client = "a program that does not say its name"
	}
	return team.Login{
		ID: newID("login_"), Kind: kind, Client: client, ClientIP: clamp(ip, 60),
		Status: team.LoginPending, CreatedAt: now, ExpiresAt: now.Add(loginLife),
	}
}

func (s *Service) begin(ctx context.Context, l team.Login, ip string) error {
	from := network(ip)
	if wait := s.begun.blocked(from, beginLimit, l.CreatedAt); wait > 0 {
		return tooMany(wait)
	}
	s.begun.add(l.CreatedAt, from)
	if err := s.Store.InsertLogin(ctx, l); err != nil {
		return fmt.Errorf("begin login: %w", err)
	}
	return nil
}

// checkRedirect lets an answer go to a loopback address only (RFC 8252, 7.3).
// "localhost" is not one: what it means is the resolver's affair.
func checkRedirect(uri string) error {
	invalid := func(err error) error {
		return fault.New(fault.Invalid, "The login's answer may go to http://127.0.0.1:PORT or http://[::1]:PORT only.", err)
	}
	u, err := url.Parse(uri)
	if err != nil || len(uri) > 200 {
		return invalid(nil) // err quotes the address
	}
	host, err := netip.ParseAddr(u.Hostname())
	port, perr := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil || host.Zone() != "" || (host != netip.AddrFrom4([4]byte{127, 0, 0, 1}) && host != netip.IPv6Loopback()) ||
		perr != nil || port == 0 || u.Scheme != "http" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" ||
		strings.ContainsFunc(u.Path, func(r rune) bool { return r != '/' && notBase64URL(r) }) {
		return invalid(err)
	}
	return nil
}

func notBase64URL(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
}

// userCodeLetters has no vowels, so that no word comes out, and nothing that
// looks like something else.
const userCodeLetters = "BCDFGHJKLMNPQRSTVWXZ"

func newUserCode() string {
	var code []byte
	for len(code) < 9 {
		if len(code) == 4 {
			code = append(code, '-')
		}
		var b [1]byte
		rand.Read(b[:])
		if n := int(b[0]); n < 240 { // 240 is 12 times 20: the rest would come more often
			code = append(code, userCodeLetters[n%len(userCodeLetters)])
		}
	}
	return string(code)
}

// Login returns a login that somebody asks to confirm. It fails with
// fault.NotFound where there is none, and with fault.Expired where it is over.
func (s *Service) Login(ctx context.Context, id string) (team.Login, error) {
	l, err := s.Store.Login(ctx, id)
	return s.confirmable(l, err)
}

// LoginByUserCode returns the device login with the code that v typed, in any
// spelling. It fails as Login does, and with fault.Limited after five wrong ones.
func (s *Service) LoginByUserCode(ctx context.Context, v team.Viewer, code string) (team.Login, error) {
	now := s.now()
	if wait := s.guesses.blocked(v.User.ID, guessLimit, now); wait > 0 {
		return team.Login{}, tooMany(wait)
	}
	s.guesses.add(now, v.User.ID)
	code = strings.Map(func(r rune) rune {
		if strings.ContainsRune(userCodeLetters, r) {
			return r
		}
		return -1
	}, strings.ToUpper(code))
	if len(code) != 8 {
		return team.Login{}, fault.New(fault.NotFound, "There is no such code. It looks like BCDF-GHJK; check it in the terminal.", nil)
	}
	l, err := s.Store.LoginByUserCode(ctx, code[:4]+"-"+code[4:])
	if fault.Of(err) == fault.NotFound {
		return team.Login{}, fault.New(fault.NotFound, "There is no such code, or it is too old. Check it in the terminal.", err)
	}
	if err == nil {
		s.guesses.takeBack(v.User.ID)
	}
	return s.confirmable(l, err)
}

func (s *Service) confirmable(l team.Login, err error) (team.Login, error) {
	switch {
	case fault.Of(err) == fault.NotFound:
		return team.Login{}, fault.New(fault.NotFound, "There is no such sign-in. Run tameflare login again.", err)
	case err != nil:
		return team.Login{}, fmt.Errorf("look up login: %w", err)
	case !s.now().Before(l.ExpiresAt):
		return team.Login{}, fault.New(fault.Expired, "This sign-in is more than ten minutes old. Run tameflare login again.", nil)
	}
	return l, nil
}

// ConfirmLogin lets the command line that began the login act as v, or does
// not. Only somebody who is signed in with a browser can do it. For a loopback
// login it returns where to send the browser. It fails with fault.Conflict
// where the login has been decided already.
func (s *Service) ConfirmLogin(ctx context.Context, v team.Viewer, id string, approve bool) (redirect string, err error) {
	if v.Auth != "session" || !v.May(team.View) {
		return "", fault.New(fault.Forbidden, "Confirm a sign-in in the browser.", nil)
	}
	l, err := s.Login(ctx, id)
	if err != nil {
		return "", err
	}
	now := s.now()
	l.UserID, l.TeamID = v.User.ID, v.Team.ID
	e := audit.Event{Time: now, Actor: v.Actor(), Target: l.ID, Name: l.Client, Detail: map[string]string{"kind": l.Kind, "ip": l.ClientIP}}
	answer := url.Values{"state": {l.State}}
	if approve {
		e.Type, l.Status = "login.approved", team.LoginApproved
		if l.Kind == team.LoopbackLogin {
			code := newSecret().Reveal()
			l.CodeHash, l.ExpiresAt = hash(code), earlier(l.ExpiresAt, now.Add(codeLife))
			answer.Set("code", code)
		}
	} else {
		e.Type, l.Status = "login.denied", team.LoginDenied
		answer.Set("error", "access_denied")
	}
	if err := s.Store.SettleLogin(ctx, l, e); err != nil {
		return "", fmt.Errorf("confirm login: %w", err)
	}
	if l.Kind != team.LoopbackLogin {
		return "", nil
	}
	return l.RedirectURI + "?" + answer.Encode(), nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
