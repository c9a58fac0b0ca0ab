package proxy_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway/decide"
	"github.com/tameflare/tameflare/gateway/proxy"
)

func TestWhatCannotBeSentAsksNobodyAndSpendsNoGrant(t *testing.T) {
	t.Parallel()
	lost := func(s *wire.Snapshot) { s.Credentials = s.Credentials[1:] }
	elsewhere := func(s *wire.Snapshot) { s.Credentials[0].Hosts = []string{"evil.example"} }
	at := func(edit func(*wire.Snapshot)) settings {
		return func(_ *rig, s *wire.Snapshot, _ *proxy.Run) { edit(s) }
	}
	nothing := func(*wire.Snapshot) {}
	for name, test := range map[string]struct {
		scheme string
		change settings
		status int
		asked  int
	}{
		"the credential is missing":                     {"https", at(lost), 503, 0},
		"the credential is for another host":            {"https", at(elsewhere), 403, 0},
		"the request is in the clear":                   {"http", at(nothing), 403, 0},
		"the credential is lost during the wait":        {"https", change(lost), 503, 1},
		"the credential loses its host during the wait": {"https", change(elsewhere), 403, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, http.HandlerFunc(echo), test.change)
			res, body := g.do(g.client(false), "POST", test.scheme+"://"+host+"/", "x")
			if res.StatusCode != test.status {
				t.Errorf("status %d, want %d: %s", res.StatusCode, test.status, body)
			}
			if got := len(g.desk.asked); got != test.asked {
				t.Errorf("asked %d times, want %d", got, test.asked)
			}
			if got := g.desk.uses(); got != 0 {
				t.Errorf("%d grants spent, want none", got)
			}
			if got, _ := g.upstream.seen(); len(got) > 0 {
				t.Errorf("upstream got %v", got)
			}
		})
	}
}

func TestASecretThatNoHeaderCanHoldIsNotTheClientsMistake(t *testing.T) {
	t.Parallel()
	g := newRig(t, http.HandlerFunc(echo))
	g.useSecret(testSnapshot(), canary+"\n")
	res, body := g.do(g.client(false), "GET", base, "")
	if res.StatusCode != 503 || !strings.Contains(body, `"code":"unavailable"`) || strings.Contains(body, canary) {
		t.Errorf("%s %s", res.Status, body)
	}
}

func TestWhatTheServerRefusesIsSaidAsWhatItIs(t *testing.T) {
	t.Parallel()
	asking := func(err error) settings {
		return func(g *rig, _ *wire.Snapshot, _ *proxy.Run) {
			g.desk.answer = func(context.Context, wire.Ask) (wire.Approval, error) { return wire.Approval{}, err }
		}
	}
	using := func(err error) settings {
		return func(g *rig, _ *wire.Snapshot, _ *proxy.Run) { g.desk.useErr = err }
	}
	full := fault.New(fault.Limited, "Too many wait.", nil)
	kill := fault.New(fault.Forbidden, "The kill switch is on: Enough.", decide.ErrKilled)
	revoked := fault.New(fault.Forbidden, "This gateway has been revoked.", errors.New("status 403"))
	for name, test := range map[string]struct {
		change settings
		status int
		code   string
		by     string
	}{
		"too many wait":                       {asking(full), 429, "rate_limited", "rule"},
		"a kill switch this gateway has not":  {asking(kill), 403, "kill_switch", "kill_switch"},
		"the gateway is revoked":              {asking(revoked), 503, "unavailable", "rule"},
		"that kill switch, with a grant":      {using(kill), 403, "kill_switch", "kill_switch"},
		"the gateway is revoked, and a grant": {using(revoked), 503, "unavailable", "rule"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, http.HandlerFunc(echo), test.change)
			res, body := g.do(g.client(false), "POST", base, "x")
			if res.StatusCode != test.status || !strings.Contains(body, `"code":"`+test.code+`"`) {
				t.Errorf("%s %s, want %d %s", res.Status, body, test.status, test.code)
			}
			if got := res.Header.Get("X-TameFlare-Kill-Switch") == "active"; got != (test.code == "kill_switch") {
				t.Errorf("kill header %v", got)
			}
			if limited := test.status == 429; limited && res.Header.Get("Retry-After") == "" {
				t.Error("429 without Retry-After")
			}
			if e := g.spool.settled(t, 1)[0]; e.By != test.by || e.Code != test.code {
				t.Errorf("on record: by %q, code %q; want %q, %q", e.By, e.Code, test.by, test.code)
			}
			if got, _ := g.upstream.seen(); len(got) > 0 {
				t.Errorf("upstream got %v", got)
			}
		})
	}
}

func TestAKillSwitchThatEndsAWaitIsOnRecordAsOne(t *testing.T) {
	t.Parallel()
	g := newRig(t, http.HandlerFunc(echo), func(g *rig, _ *wire.Snapshot, _ *proxy.Run) {
		g.desk.answer = func(ctx context.Context, _ wire.Ask) (wire.Approval, error) {
			g.current.Kill("api", "Enough.")
			<-ctx.Done()
			return granted, nil
		}
	})
	g.do(g.client(false), "POST", base, "x")
	if e := g.spool.settled(t, 1)[0]; e.By != string(policy.ByKillSwitch) || e.Decision != "deny" || e.Reason != "Enough." {
		t.Errorf("on record: %+v", e)
	}
}

func TestNobodyIsToldThatNothingWasSentAfterItWas(t *testing.T) {
	t.Parallel()
	both(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		close(signalOf(r))
		<-r.Context().Done()
	}), func(t *testing.T, g *rig, c *http.Client) {
		go func() {
			<-g.upstream.signal
			g.current.Revoke()
		}()
		res, body := g.do(c, "PUT", base, "x")
		if res.StatusCode != 503 || strings.Contains(body, "Nothing was sent") || res.Header.Get("Retry-After") != "" {
			t.Errorf("%s %v %s", res.Status, res.Header, body)
		}
	})
}
