package proxy_test

import (
	"bufio"
	"io"
	"net/http"
	"testing"

	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway/proxy"
)

func TestAKillSwitchFindsAStreamWhoseConnectorHasAnotherNameNow(t *testing.T) {
	t.Parallel()
	both(t, http.HandlerFunc(endless), func(t *testing.T, g *rig, c *http.Client) {
		res, err := c.Get(base + "/stream")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		br := bufio.NewReader(res.Body)
		if line, err := br.ReadString('\n'); line != "first\n" {
			t.Fatalf("%q %v", line, err)
		}
		s := testSnapshot()
		s.Version++
		s.Connectors[0].Name = "renamed"
		s.Kills = []policy.Kill{{ID: "kill_1", Connector: "renamed", Reason: "Enough."}}
		s.Rules = nil
		g.use(s)
		if b, err := io.ReadAll(br); err == nil {
			t.Errorf("the stream ended well, after %q", b)
		}
		<-g.upstream.signal
		if e := g.spool.settled(t, 2)[1]; e.Code != "kill_switch" || e.Status != 200 {
			t.Errorf("the outcome says code %q and status %d", e.Code, e.Status)
		}
	})
}

func TestAPanicOutsideTheStagesEndsOneConnectionAlone(t *testing.T) {
	t.Parallel()
	g := newRig(t, http.HandlerFunc(echo), func(_ *rig, _ *wire.Snapshot, r *proxy.Run) {
		r.Tell = func(e proxy.Event) {
			if e.Entry.Code == "malformed" {
				panic("a bug")
			}
		}
	})
	if answers, err := g.raw("GET / HTTP/1.1\nHost: "+host+"\n\n", 1); err == nil {
		t.Errorf("an answer: %s", answers[0].Status)
	}
	if res, _ := g.do(g.client(false), "GET", base, ""); res.StatusCode != 200 {
		t.Errorf("afterwards: %s", res.Status)
	}
}
