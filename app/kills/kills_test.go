package kills_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/app/kills"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/domain/wire"
)

type fixture struct {
	*kills.Service
	store *store.Store
	bus   *bus.Local
	owner team.Viewer
	gw    fleet.Gateway
}

func each(t *testing.T, test func(t *testing.T, f fixture)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := new(bus.Local)
		owner := storetest.Owner(t, s)
		test(t, fixture{&kills.Service{Store: s, Bus: b, Now: time.Now}, s, b, owner, storetest.Gateway(t, s, owner, "deploy-bot")})
	})
}

func (f fixture) revision(t *testing.T) int64 {
	t.Helper()
	n, err := f.store.Revision(t.Context(), f.owner.Team.ID)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestPullAndLift(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		before := f.revision(t)
		rung, stop := f.bus.Subscribe(bus.Config(f.owner.Team.ID))
		defer stop()
		k, err := f.Pull(t.Context(), f.owner, kills.Scope{}, " It runs wild. ")
		if err != nil || k.Reason != "It runs wild." || k.PulledBy != f.owner.User.ID {
			t.Fatalf("pull: %+v, %v", k, err)
		}
		select {
		case <-rung:
		default:
			t.Error("the gateways were not told")
		}
		if after := f.revision(t); after != before+1 {
			t.Errorf("revision %d after %d, want one more", after, before)
		}
		again, err := f.Pull(t.Context(), f.owner, kills.Scope{}, "Once more.")
		if err != nil || again.ID != k.ID || f.revision(t) != before+1 {
			t.Errorf("pulled twice: %+v, %v, want the first", again, err)
		}
		narrow, err := f.Pull(t.Context(), f.owner, kills.Scope{GatewayID: f.gw.ID, Connector: "github"}, "")
		if err != nil || narrow.ID == k.ID {
			t.Errorf("another scope: %+v, %v", narrow, err)
		}
		if err := f.Lift(t.Context(), f.owner, k.ID); err != nil {
			t.Fatal(err)
		}
		if err := f.Lift(t.Context(), f.owner, k.ID); fault.Of(err) != fault.Conflict {
			t.Errorf("lifted twice: %v, want a conflict", err)
		}
		if on, err := f.Active(t.Context(), f.owner.Team.ID); err != nil || len(on) != 1 || on[0].ID != narrow.ID {
			t.Errorf("on: %+v, %v, want the narrow one", on, err)
		}
		if after := f.revision(t); after != before+3 {
			t.Errorf("revision %d after %d, want three more", after, before)
		}
	})
}

func TestWhoMayPullAndLift(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		on, err := f.Pull(t.Context(), f.owner, kills.Scope{}, "")
		if err != nil {
			t.Fatal(err)
		}
		for role, want := range map[team.Role][2]fault.Kind{
			team.RoleViewer: {fault.Forbidden, fault.Forbidden},
			team.RoleMember: {fault.Internal, fault.Forbidden},
		} {
			v := storetest.Member(t, f.store, f.owner, "Somebody", role)
			if _, err := f.Pull(t.Context(), v, kills.Scope{GatewayID: f.gw.ID}, ""); fault.Of(err) != want[0] || (err == nil) != (want[0] == fault.Internal) {
				t.Errorf("%s pulls: %v, want %v", role, err, want[0])
			}
			if err := f.Lift(t.Context(), v, on.ID); fault.Of(err) != want[1] {
				t.Errorf("%s lifts: %v, want %v", role, err, want[1])
			}
		}
		demoted := storetest.Member(t, f.store, f.owner, "Demoted", team.RoleViewer)
		demoted.Role = team.RoleMember // what they were when they signed in
		if _, err := f.Pull(t.Context(), demoted, kills.Scope{}, ""); fault.Of(err) != fault.Forbidden {
			t.Errorf("somebody demoted since pulls: %v, want forbidden", err)
		}
		stranger := storetest.Owner(t, f.store)
		if err := f.Lift(t.Context(), stranger, on.ID); fault.Of(err) != fault.NotFound {
			t.Errorf("another team lifts: %v, want not found", err)
		}
		if _, err := f.Pull(t.Context(), stranger, kills.Scope{GatewayID: f.gw.ID}, ""); fault.Of(err) != fault.NotFound {
			t.Errorf("another team's gateway: %v, want not found", err)
		}
	})
}

func TestScopesThatCannotBe(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		for name, tt := range map[string]struct {
			scope kills.Scope
			want  fault.Kind
		}{
			"a connector with spaces": {kills.Scope{Connector: "git hub"}, fault.Invalid},
			"one with a NUL":          {kills.Scope{Connector: "a\x00"}, fault.Invalid},
			"no such gateway":         {kills.Scope{GatewayID: "gw_none"}, fault.NotFound},
			"a gateway with a NUL":    {kills.Scope{GatewayID: "gw\x00"}, fault.NotFound},
		} {
			if _, err := f.Pull(t.Context(), f.owner, tt.scope, ""); fault.Of(err) != tt.want {
				t.Errorf("%s: %v, want %v", name, err, tt.want)
			}
		}
		k, err := f.Pull(t.Context(), f.owner, kills.Scope{}, strings.Repeat("x\x00", 1000))
		if err != nil || len(k.Reason) > 500 {
			t.Errorf("an ugly reason: %d bytes, %v", len(k.Reason), err)
		}
	})
}

func TestMachinesSwitchIsItsOwn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		byPerson, err := f.Pull(t.Context(), f.owner, kills.Scope{GatewayID: f.gw.ID}, "Stop.")
		if err != nil {
			t.Fatal(err)
		}
		on := wire.KillReport{On: true, Reason: "Pulled at the machine.", At: time.Now()}
		for range 2 { // the answer to the first was lost
			if err := f.Report(t.Context(), f.gw, on); err != nil {
				t.Fatal(err)
			}
		}
		active := func() (by []string) {
			ks, err := f.Active(t.Context(), f.owner.Team.ID)
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range ks {
				by = append(by, k.PulledBy)
				if k.GatewayID != f.gw.ID {
					t.Errorf("kill of %q, want of the gateway alone", k.GatewayID)
				}
			}
			return by
		}
		if by := active(); len(by) != 2 {
			t.Errorf("on: by %v, want a person's and the machine's", by)
		}
		for range 2 {
			if err := f.Report(t.Context(), f.gw, wire.KillReport{At: time.Now()}); err != nil {
				t.Fatal(err)
			}
		}
		if by := active(); len(by) != 1 || by[0] != byPerson.PulledBy {
			t.Errorf("after the machine's was lifted: by %v, want the person's", by)
		}
		if err := f.Report(t.Context(), f.gw, wire.KillReport{On: true, Connector: "../x"}); fault.Of(err) != fault.Invalid {
			t.Errorf("an odd connector: %v, want invalid", err)
		}
		chain, err := f.store.EventChain(t.Context(), f.owner.Team.ID, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		if err := audit.Verify(0, "", chain); err != nil {
			t.Error(err)
		}
	})
}
