package trail_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/trail"
	"github.com/tameflare/tameflare/domain/audit"
)

func raising(id, run, kind, host string) audit.Traffic {
	t := intent(id)
	t.Step, t.Run, t.Alert, t.Host, t.Decision, t.Code, t.Status = audit.Refused, run, kind, host, "deny", "denied", 403
	return t
}

// securityEvents are the details of the team's alerts, the oldest first.
func (f fixture) securityEvents(t *testing.T) []map[string]string {
	t.Helper()
	rows, err := f.Events(t.Context(), f.owner.Team.ID, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for i := len(rows) - 1; i >= 0; i-- {
		e, err := rows[i].Event()
		if err != nil {
			t.Fatal(err)
		}
		if e.Type != audit.SecurityAlert {
			continue
		}
		if e.Gateway != f.gw.ID || e.Name != "deploy-bot" || e.Actor.Kind != audit.ByGateway {
			t.Errorf("the event does not say whose it is: %+v", e)
		}
		out = append(out, e.Detail)
	}
	return out
}

func TestAnAlertIsOneEventHoweverOftenItIsRaised(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		var c chain
		const gh = "api.github.com"
		f.append(t, c.traffic(
			raising("aaaa", "run_1", audit.ForeignKey, gh), raising("bbbb", "run_1", audit.ForeignKey, gh), intent("cccc"),
			raising("dddd", "run_1", audit.DummyElsewhere, gh), raising("eeee", "run_1", audit.ForeignKey, "evil.example"),
		), 5)
		f.append(t, c.traffic(raising("ffff", "run_1", audit.ForeignKey, gh), raising("gggg", "run_2", audit.ForeignKey, gh)), 7)

		var got []string
		for _, d := range f.securityEvents(t) {
			got = append(got, d["run"]+" "+d["alert"]+" "+d["host"]+" "+d["connector"])
		}
		want := []string{
			"run_1 foreign_key api.github.com github", "run_1 dummy_elsewhere api.github.com github",
			"run_1 foreign_key evil.example github", "run_2 foreign_key api.github.com github",
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("events %v, want %v", got, want)
		}
		all, err := f.Alerts(t.Context(), f.owner.Team.ID, time.Now().Add(-time.Hour))
		if err != nil || len(all) != 4 {
			t.Fatalf("%d alerts, %v, want 4", len(all), err)
		}
		for _, a := range all {
			if a.RunID == "run_1" && a.Kind == audit.ForeignKey && a.Host == gh && (a.Requests != 3 || a.RequestID != "req_aaaa" || a.Connector != "github") {
				t.Errorf("the alert of three requests: %+v", a)
			}
		}
		if all, err := f.Alerts(t.Context(), f.owner.Team.ID, time.Now().Add(time.Hour)); err != nil || len(all) != 0 {
			t.Errorf("alerts of the future: %v, %v", all, err)
		}
		if rows, err := f.store.EventChain(t.Context(), f.owner.Team.ID, 0, 100); err != nil || audit.Verify(0, "", rows) != nil {
			t.Errorf("the team's chain does not hold: %v", err)
		}
	})
}

func TestRequestsAreFoundByTheirAlert(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		var c chain
		f.append(t, c.traffic(
			intent("aaaa"), outcome("aaaa", 200), raising("bbbb", "run_1", audit.ForeignKey, "a.example"),
			raising("cccc", "run_1", audit.DummyElsewhere, "a.example"),
		), 4)
		for alert, want := range map[string]int{"": 3, audit.AnyAlert: 2, audit.ForeignKey: 1, audit.DummyOfAnotherRun: 0} {
			rs, _, err := f.Requests(t.Context(), f.owner.Team.ID, trail.Filter{Alert: alert}, trail.Cursor{}, 0)
			if err != nil || len(rs) != want {
				t.Errorf("%q: %d requests, %v, want %d", alert, len(rs), err, want)
			}
		}
		if r := f.request(t, "bbbb"); r.Alert != audit.ForeignKey {
			t.Errorf("the row says %q", r.Alert)
		}
	})
}

func TestAlertsOfOneGatewayDoNotFillTheAuditTrail(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		var c chain
		var ts []audit.Traffic
		for i := range store.MaxAlerts + 20 {
			ts = append(ts, raising(fmt.Sprintf("r%06d", i), "run_1", audit.DummyElsewhere, fmt.Sprintf("h%d.example", i)))
		}
		f.append(t, c.traffic(ts...), int64(len(ts)))
		if n := len(f.securityEvents(t)); n != store.MaxAlerts {
			t.Errorf("%d events, want %d", n, store.MaxAlerts)
		}
		if r := f.request(t, fmt.Sprintf("r%06d", store.MaxAlerts+10)); r.Alert == "" {
			t.Error("a request beyond the limit has lost its mark")
		}
	})
}

func TestAClientsOwnKeyIsNoCredentialOfTheVault(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		var c chain
		own := intent("aaaa")
		own.Credential = audit.ClientsOwn
		f.append(t, c.traffic(own, outcome("aaaa", 200)), 2)
		if r := f.request(t, "aaaa"); r.Credential != audit.ClientsOwn {
			t.Errorf("the row says %q", r.Credential)
		}
	})
}
