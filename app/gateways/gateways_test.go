package gateways_test

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/app/gateways"
	"github.com/tameflare/tameflare/app/identity"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
)

// authority is one that knows who is at the other end, and cannot revoke.
type authority struct {
	gateways.Authority
	peer    identity.Identity
	revoked []string
}

func (a *authority) Check(context.Context, tls.ConnectionState) (identity.Identity, error) {
	return a.peer, nil
}

func (a *authority) Revoke(_ context.Context, id, _ string) error {
	a.revoked = append(a.revoked, id)
	return errors.New("down")
}

func (a *authority) EnrolToken(context.Context, string, string) (string, time.Time, error) {
	return "token", time.Now().Add(time.Minute), nil
}

func (a *authority) RootPEM() []byte { return []byte("root") }

type fixture struct {
	*gateways.Service
	store     *store.Store
	authority *authority
	owner     team.Viewer
}

func each(t *testing.T, test func(t *testing.T, f fixture)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := new(authority)
		test(t, fixture{&gateways.Service{
			Store: s, Authority: a, Bus: new(bus.Local), LinkURL: "https://link.example:8443", Now: time.Now, Log: slog.New(slog.DiscardHandler),
		}, s, a, storetest.Owner(t, s)})
	})
}

func (f fixture) create(t *testing.T, name string) fleet.Gateway {
	t.Helper()
	g, err := f.Create(t.Context(), f.owner, gateways.Settings{Name: name, Environment: "production"})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func (f fixture) credential(t *testing.T, v team.Viewer, name, typ string, hosts ...string) fleet.Credential {
	t.Helper()
	now := audit.Time(time.Now())
	c := fleet.Credential{ID: "cred_" + name, TeamID: v.Team.ID, Name: name, Type: typ, Hosts: hosts, Version: 1, Sealed: []byte("x"), CreatedAt: now, RotatedAt: now}
	if err := f.store.InsertCredential(t.Context(), c, audit.Event{Time: now, Type: "credential.created", Actor: v.Actor()}); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestGatewaySettings(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		g := f.create(t, "deploy-bot")
		for name, set := range map[string]gateways.Settings{
			"no name":            {},
			"capitals":           {Name: "Deploy"},
			"a space":            {Name: "deploy bot"},
			"a NUL":              {Name: "a\x00b"},
			"an odd environment": {Name: "x", Environment: "Pro duction"},
			"a long environment": {Name: "x", Environment: strings.Repeat("x", 41)},
			"a level too high":   {Name: "x", Enforcement: 7},
		} {
			if _, err := f.Create(t.Context(), f.owner, set); fault.Of(err) != fault.Invalid {
				t.Errorf("%s: %v, want invalid", name, err)
			}
			if err := f.Update(t.Context(), f.owner, g.ID, set); fault.Of(err) != fault.Invalid {
				t.Errorf("update, %s: %v, want invalid", name, err)
			}
		}
		if _, err := f.Create(t.Context(), f.owner, gateways.Settings{Name: "deploy-bot"}); fault.Of(err) != fault.Conflict || !strings.Contains(fault.Message(err), "name") {
			t.Errorf("a taken name: %v, want a conflict", err)
		}
		if err := f.Update(t.Context(), f.owner, g.ID, gateways.Settings{Name: "release-bot", Enforcement: policy.SoftEnforce}); err != nil {
			t.Fatal(err)
		}
		got, err := f.Find(t.Context(), f.owner.Team.ID, "release-bot")
		if err != nil || got.ID != g.ID || got.Enforcement != policy.SoftEnforce || got.Environment != "" {
			t.Errorf("found %+v, %v", got, err)
		}
		for _, idOrName := range []string{"deploy-bot", "", "gw_none", "\x00"} {
			if _, err := f.Find(t.Context(), f.owner.Team.ID, idOrName); fault.Of(err) != fault.NotFound {
				t.Errorf("%q: %v, want not found", idOrName, err)
			}
		}
	})
}

func TestWhoMayChangeGateways(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		g := f.create(t, "deploy-bot")
		member, stranger := f.owner, storetest.Owner(t, f.store)
		member.Role = team.RoleMember
		set := gateways.Settings{Name: "other"}
		for who, tt := range map[string]struct {
			v    team.Viewer
			want fault.Kind
		}{"a member": {member, fault.Forbidden}, "another team": {stranger, fault.NotFound}, "nobody": {team.Viewer{}, fault.Forbidden}} {
			_, enrolment := f.Enrolment(t.Context(), tt.v, g.ID)
			for what, err := range map[string]error{
				"update": f.Update(t.Context(), tt.v, g.ID, set), "revoke": f.Revoke(t.Context(), tt.v, g.ID),
				"configure": f.Configure(t.Context(), tt.v, g.ID, nil), "enrol": enrolment,
			} {
				if fault.Of(err) != tt.want {
					t.Errorf("%s: %s: %v, want %v", who, what, err, tt.want)
				}
			}
		}
		if _, err := f.Configuration(t.Context(), stranger.Team.ID, g.ID); fault.Of(err) != fault.NotFound {
			t.Errorf("another team looks: %v, want not found", err)
		}
		if e, err := f.Enrolment(t.Context(), f.owner, "deploy-bot"); err != nil || e.Token != "token" || e.LinkURL != f.LinkURL || e.RootPEM != "root" || e.GatewayID != g.ID {
			t.Errorf("enrolment: %+v, %v", e, err)
		}
		owned := func(what, want string) {
			t.Helper()
			if got, err := f.store.Gateway(t.Context(), g.ID); err != nil || got.EnrolledBy != want || got.Name != "deploy-bot" {
				t.Errorf("%s: enrolled by %q, want %q (%v)", what, got.EnrolledBy, want, err)
			}
		}
		owned("by somebody", f.owner.User.ID)
		console := f.owner
		console.Auth = "console"
		if _, err := f.Enrolment(t.Context(), console, g.ID); err != nil {
			t.Fatal(err)
		}
		owned("by the console", "")
	})
}

func TestRevokedGatewayIsOutWhateverTheAuthoritySays(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		g := f.create(t, "deploy-bot")
		f.authority.peer = identity.Identity{GatewayID: g.ID, TeamID: g.TeamID}
		if got, err := f.Peer(t.Context(), tls.ConnectionState{}); err != nil || got.ID != g.ID {
			t.Fatalf("peer: %+v, %v", got, err)
		}
		f.authority.peer.TeamID = "team_other"
		if _, err := f.Peer(t.Context(), tls.ConnectionState{}); fault.Of(err) != fault.Forbidden {
			t.Errorf("with another team's certificate: %v, want forbidden", err)
		}
		f.authority.peer.TeamID = g.TeamID
		if err := f.Revoke(t.Context(), f.owner, g.ID); err != nil || len(f.authority.revoked) != 1 {
			t.Errorf("revoke: %v, certificates of %v", err, f.authority.revoked)
		}
		if err := f.Revoke(t.Context(), f.owner, g.ID); fault.Of(err) != fault.Conflict {
			t.Errorf("revoked twice: %v, want a conflict", err)
		}
		if _, err := f.Peer(t.Context(), tls.ConnectionState{}); fault.Of(err) != fault.Forbidden {
			t.Errorf("peer: %v, want forbidden", err)
		}
		for id, want := range map[string]fault.Kind{g.ID: fault.Forbidden, "gw_none": fault.Forbidden} {
			if err := f.Admit(t.Context(), id); fault.Of(err) != want {
				t.Errorf("admit %s: %v, want %v", id, err, want)
			}
		}
		f.create(t, "deploy-bot") // the name is free again
	})
}

func TestConfigurationComesBack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		g := f.create(t, "deploy-bot")
		cred := f.credential(t, f.owner, "github-bot", "github")
		preset, err := fleet.PresetRules(policy.ReadOnly)
		if err != nil {
			t.Fatal(err)
		}
		hold := 5 * time.Second
		merge := fleet.NewRule(policy.Rule{Pattern: "github.pr.merge", Effect: policy.RequireApproval, Hold: &hold, TTL: time.Hour, Reason: "Merges need a person."}, policy.NoPreset)
		narrow, narrowAgain := merge, merge
		narrow.When, narrowAgain.When = policy.Limits{"base": {"b", "a", "b"}, "resource": {"acme/*"}}, policy.Limits{"base": {"a", "b"}, "resource": {"acme/*"}}
		want := []gateways.Connector{
			{Connector: fleet.Connector{Type: "github", CredentialID: cred.ID}, Rules: append(preset, merge, merge, narrow, narrowAgain)},
			{Connector: fleet.Connector{Type: "http", Name: "internal", Hosts: []string{"API.internal.example"}, Private: []string{"10.0.0.0/8"}, AuthKind: credential.Header, AuthName: "X-Key"}},
		}
		before, err := f.store.Revision(t.Context(), g.TeamID)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Configure(t.Context(), f.owner, g.ID, want); err != nil {
			t.Fatal(err)
		}
		if after, err := f.store.Revision(t.Context(), g.TeamID); err != nil || after != before+1 {
			t.Errorf("revision %d after %d, %v", after, before, err)
		}
		got, err := f.Configuration(t.Context(), g.TeamID, g.ID)
		if err != nil || len(got) != 2 || len(got[0].Rules) != 3 {
			t.Fatalf("configuration: %+v, %v", got, err)
		}
		if all, err := f.Connectors(t.Context(), g.TeamID); err != nil || len(all) != 2 || all[1].Name != "internal" {
			t.Errorf("connectors of the team: %+v, %v", all, err)
		}
		if none, err := f.Connectors(t.Context(), "team_other"); err != nil || len(none) != 0 {
			t.Errorf("connectors of another team: %+v, %v", none, err)
		}
		if got[0].Name != "github" || got[0].AuthKind == credential.None || got[0].Rules[0].Preset != policy.ReadOnly || got[1].Hosts[0] != "api.internal.example" {
			t.Errorf("configuration: %+v", got)
		}
		rule, err := got[0].Rules[1].Policy("github")
		if err != nil || *rule.Hold != hold || rule.TTL != time.Hour || rule.Reason != merge.Reason {
			t.Errorf("rule: %+v, %v", rule, err)
		}
		if diff := cmp.Diff(narrowAgain.When, got[0].Rules[2].When); diff != "" || rule.When != nil {
			t.Errorf("limits: %s, and %v for a rule without", diff, rule.When)
		}
		if err := f.Configure(t.Context(), f.owner, g.ID, got); err != nil {
			t.Fatal(err)
		}
		again, err := f.Configuration(t.Context(), g.TeamID, g.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(got, again); diff != "" {
			t.Errorf("the same once more is something else: %s", diff)
		}
		got[0].Rules[1].Reason = "Because."
		if err := f.Configure(t.Context(), f.owner, g.ID, got); err != nil {
			t.Fatal(err)
		}
		edited, err := f.Configuration(t.Context(), g.TeamID, g.ID)
		if err != nil || edited[0].Rules[1].ID == again[0].Rules[1].ID || edited[0].Rules[0].ID != again[0].Rules[0].ID {
			t.Errorf("an edited rule keeps its ID, or another does not: %v", err)
		}
	})
}

func TestConfigurationsThatCannotBe(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		g := f.create(t, "deploy-bot")
		bound := f.credential(t, f.owner, "bound", "http", "api.example.com", "*.internal.example")
		theirs := f.credential(t, storetest.Owner(t, f.store), "theirs", "http")
		good := gateways.Connector{Connector: fleet.Connector{Type: "github"}, Rules: []fleet.Rule{fleet.NewRule(policy.Rule{Pattern: "*", Effect: policy.Allow}, "")}}
		if err := f.Configure(t.Context(), f.owner, g.ID, []gateways.Connector{good}); err != nil {
			t.Fatal(err)
		}
		http := func(change func(*gateways.Connector)) []gateways.Connector {
			c := gateways.Connector{Connector: fleet.Connector{Type: "http", Name: "api", Hosts: []string{"api.example.com"}}}
			change(&c)
			return []gateways.Connector{good, c}
		}
		rule := func(change func(*fleet.Rule)) []gateways.Connector {
			r := fleet.NewRule(policy.Rule{Pattern: "http.*", Effect: policy.Allow}, "")
			change(&r)
			return http(func(c *gateways.Connector) { c.Rules = []fleet.Rule{r} })
		}
		for name, tt := range map[string]struct {
			cs   []gateways.Connector
			want fault.Kind
		}{
			"no such type":             {http(func(c *gateways.Connector) { c.Type = "gitlab" }), fault.Invalid},
			"no hosts":                 {http(func(c *gateways.Connector) { c.Hosts = nil }), fault.Invalid},
			"a host with a path":       {http(func(c *gateways.Connector) { c.Hosts = []string{"a.example/x"} }), fault.Invalid},
			"a host twice":             {http(func(c *gateways.Connector) { c.Hosts = []string{"api.github.com"} }), fault.Invalid},
			"a name twice":             {http(func(c *gateways.Connector) { c.Name = "github" }), fault.Invalid},
			"an odd name":              {http(func(c *gateways.Connector) { c.Name = "A b" }), fault.Invalid},
			"a network with host bits": {http(func(c *gateways.Connector) { c.Private = []string{"10.1.0.0/8"} }), fault.Invalid},
			"an odd style":             {http(func(c *gateways.Connector) { c.AuthKind = "magic" }), fault.Invalid},
			"a header without a name":  {http(func(c *gateways.Connector) { c.AuthKind = credential.Header }), fault.Invalid},
			"no such credential":       {http(func(c *gateways.Connector) { c.CredentialID = "cred_none" }), fault.NotFound},
			"another team's":           {http(func(c *gateways.Connector) { c.CredentialID = theirs.ID }), fault.NotFound},
			"one for another host":     {http(func(c *gateways.Connector) { c.CredentialID, c.Hosts = bound.ID, []string{"evil.example"} }), fault.Invalid},
			"one for another type":     {[]gateways.Connector{{Connector: fleet.Connector{Type: "github", CredentialID: bound.ID}}}, fault.Invalid},
			"a pattern that is none":   {rule(func(r *fleet.Rule) { r.Pattern = "http..get" }), fault.Invalid},
			"a class that is none":     {rule(func(r *fleet.Rule) { r.Class = "nuclear" }), fault.Invalid},
			"a hold of a day":          {rule(func(r *fleet.Rule) { r.HoldMS = 86_400_000 }), fault.Invalid},
			"a hold that overflows":    {rule(func(r *fleet.Rule) { r.HoldMS = 1 << 62 }), fault.Invalid},
			"a ttl that overflows":     {rule(func(r *fleet.Rule) { r.TTLMS = 1 << 62 }), fault.Invalid},
			"a ttl of a second":        {rule(func(r *fleet.Rule) { r.TTLMS = 1000 }), fault.Invalid},
			"a reason like a book":     {rule(func(r *fleet.Rule) { r.Reason = strings.Repeat("x", 501) }), fault.Invalid},
		} {
			if err := f.Configure(t.Context(), f.owner, g.ID, tt.cs); fault.Of(err) != tt.want || fault.Message(err) == "" {
				t.Errorf("%s: %v, want %v", name, err, tt.want)
			}
		}
		for name, host := range map[string]string{"the host itself": "api.example.com", "one below a pattern": "a.internal.example", "the pattern": "*.internal.example"} {
			if err := f.Configure(t.Context(), f.owner, g.ID, http(func(c *gateways.Connector) { c.CredentialID, c.Hosts = bound.ID, []string{host} })); err != nil {
				t.Errorf("a credential for %s: %v", name, err)
			}
		}
		if got, err := f.Configuration(t.Context(), g.TeamID, g.ID); err != nil || len(got) != 2 {
			t.Errorf("afterwards: %+v, %v", got, err)
		}
	})
}
