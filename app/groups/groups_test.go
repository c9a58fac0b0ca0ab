package groups_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/groups"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
)

type fixture struct {
	*groups.Service
	store *store.Store
	owner team.Viewer
	ben   team.User
}

func each(t *testing.T, test func(t *testing.T, f fixture)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		f := fixture{&groups.Service{Store: s, Now: time.Now}, s, storetest.Owner(t, s), team.User{}}
		f.ben = f.join(t, f.owner, "ben@example.org")
		test(t, f)
	})
}

// join adds somebody to a team.
func (f fixture) join(t *testing.T, v team.Viewer, email string) team.User {
	t.Helper()
	now := audit.Time(time.Now())
	u := team.User{ID: "usr_" + strings.TrimSuffix(email, "@example.org"), Email: email, Name: email, PasswordHash: "none", CreatedAt: now}
	if err := f.store.InsertUser(t.Context(), u, v.Team.ID, team.RoleMember, now, audit.Event{Time: now, Type: "user.added", Actor: v.Actor(), Target: u.ID}); err != nil {
		t.Fatal(err)
	}
	return u
}

func (f fixture) save(t *testing.T, name string, members ...string) team.Group {
	t.Helper()
	g, err := f.Save(t.Context(), f.owner, "", name, members)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// asks configures a gateway whose one rule asks for groups.
func (f fixture) asks(t *testing.T, groups string) (gatewayID string, err error) {
	t.Helper()
	g := fleet.Gateway{ID: "gw_" + f.owner.Team.ID, TeamID: f.owner.Team.ID, Name: "bot", Status: fleet.Active, CreatedAt: audit.Time(time.Now())}
	e := audit.Event{Time: time.Now(), Type: "x", Actor: f.owner.Actor()}
	if _, err := f.store.Gateway(t.Context(), g.ID); err != nil {
		if err := f.store.InsertGateway(t.Context(), g, e); err != nil {
			t.Fatal(err)
		}
	}
	c := fleet.Connector{ID: "con_" + g.ID, GatewayID: g.ID, Type: "github", Name: "github"}
	r := fleet.Rule{ID: "rule_" + g.ID, GatewayID: g.ID, ConnectorID: c.ID, Pattern: "github.pr.merge", Effect: policy.RequireApproval, HoldMS: -1, Approvers: policy.Approvers{Group: groups}}
	return g.ID, f.store.Configure(t.Context(), g.TeamID, g.ID, []fleet.Connector{c}, []fleet.Rule{r}, e)
}

func wants(t *testing.T, what string, err error, k fault.Kind, sentence string) {
	t.Helper()
	if fault.Of(err) != k || !strings.Contains(fault.Message(err), sentence) {
		t.Errorf("%s: %v, want %v with %q", what, err, k, sentence)
	}
}

func TestAGroupIsWhoIsInIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		g := f.save(t, "release", f.ben.ID, f.owner.User.ID, f.ben.ID)
		f.save(t, "ops")
		all, err := f.List(t.Context(), f.owner.Team.ID)
		if err != nil || len(all) != 2 || all[0].Name != "ops" || len(all[0].Members) != 0 || len(all[1].Members) != 2 || all[1].ID != g.ID {
			t.Fatalf("%+v, %v", all, err)
		}
		if _, err := f.Save(t.Context(), f.owner, g.ID, "deployers", []string{f.ben.ID}); err != nil {
			t.Fatal(err)
		}
		got, err := f.Find(t.Context(), f.owner.Team.ID, g.ID)
		if err != nil || got.Name != "deployers" || len(got.Members) != 1 || got.Members[0].Email != f.ben.Email || got.CreatedAt.IsZero() {
			t.Errorf("%+v, %v", got, err)
		}
		if err := f.Delete(t.Context(), f.owner, g.ID); err != nil {
			t.Fatal(err)
		}
		if all, err := f.List(t.Context(), f.owner.Team.ID); err != nil || len(all) != 1 {
			t.Errorf("%+v, %v", all, err)
		}
		events, err := f.store.Events(t.Context(), f.owner.Team.ID, 0, 4)
		if err != nil {
			t.Fatal(err)
		}
		var said []string
		for _, row := range events {
			var e audit.Event
			if err := json.Unmarshal(row.Entry, &e); err != nil {
				t.Fatal(err)
			}
			said = append(said, e.Type+" "+e.Name+" ["+e.Detail["members"]+"] was ["+e.Detail["members_before"]+"] "+e.Detail["renamed"])
		}
		both := "ben@example.org " + f.owner.User.Email
		if f.owner.User.Email < f.ben.Email {
			both = f.owner.User.Email + " ben@example.org"
		}
		want := []string{
			"group.deleted deployers [ben@example.org] was [] ", "group.changed release [ben@example.org] was [" + both + "] deployers",
			"group.created ops [] was [] ", "group.created release [" + both + "] was [] ",
		}
		if strings.Join(said, "\n") != strings.Join(want, "\n") {
			t.Errorf("recorded\n%s\nwant\n%s", strings.Join(said, "\n"), strings.Join(want, "\n"))
		}
	})
}

func TestWhoMayNotChangeAGroup(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		g := f.save(t, "release")
		member, other := f.owner, storetest.Owner(t, f.store)
		member.Role = team.RoleMember
		for who, tt := range map[string]struct {
			v    team.Viewer
			want fault.Kind
		}{"a member": {member, fault.Forbidden}, "another team": {other, fault.NotFound}, "nobody": {team.Viewer{}, fault.Forbidden}} {
			_, err := f.Save(t.Context(), tt.v, g.ID, "theirs", nil)
			wants(t, who+" changes it", err, tt.want, "")
			wants(t, who+" deletes it", f.Delete(t.Context(), tt.v, g.ID), tt.want, "")
		}
		_, err := f.Save(t.Context(), member, "", "new", nil)
		wants(t, "a member makes one", err, fault.Forbidden, "Only owners and admins")
		_, err = f.Save(t.Context(), f.owner, "", "mixed", []string{other.User.ID})
		wants(t, "a member of another team", err, fault.Invalid, "not in the team")
		err = f.store.PutGroup(t.Context(), store.GroupStep{Group: team.Group{ID: g.ID, TeamID: f.owner.Team.ID, Name: "release", Members: []team.User{other.User}}})
		wants(t, "a member who has just left", err, fault.Invalid, "not in the team")
		_, err = f.Save(t.Context(), f.owner, "", "Not A Name", nil)
		wants(t, "a bad name", err, fault.Invalid, "A group's name is")
		_, err = f.Save(t.Context(), f.owner, "", "release", nil)
		wants(t, "a taken name", err, fault.Conflict, "of that name already")
		if _, err := f.Save(t.Context(), other, "", "release", nil); err != nil {
			t.Errorf("the name in another team: %v", err)
		}
		if all, err := f.List(t.Context(), f.owner.Team.ID); err != nil || len(all) != 1 || all[0].Name != "release" || len(all[0].Members) != 0 {
			t.Errorf("%+v, %v", all, err)
		}
	})
}

func TestWhatIsAskedForStays(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		_, err := f.asks(t, "release")
		wants(t, "a rule for a group that there is not", err, fault.Invalid, "The rule github.pr.merge asks for the approver group release")
		other := storetest.Owner(t, f.store)
		if _, err := f.Save(t.Context(), other, "", "release", nil); err != nil {
			t.Fatal(err)
		}
		_, err = f.asks(t, "release")
		wants(t, "a rule for a group of another team", err, fault.Invalid, "none of that name")
		g, ops := f.save(t, "release", f.ben.ID), f.save(t, "ops")
		_, err = f.asks(t, "gone+ops+release")
		wants(t, "a rule for three, of which one is gone", err, fault.Invalid, "group gone,")
		gateway, err := f.asks(t, "ops+release")
		if err != nil {
			t.Fatal(err)
		}
		uses, err := f.Uses(t.Context(), f.owner.Team.ID)
		if err != nil || len(uses) != 2 || len(uses["ops"]) != 1 || uses["release"][0] != "the rule github.pr.merge of bot/github" {
			t.Errorf("%v, %v", uses, err)
		}
		wants(t, "delete", f.Delete(t.Context(), f.owner, g.ID), fault.Conflict, "The group release cannot be deleted: the rule github.pr.merge of bot/github asks for it.")
		_, err = f.Save(t.Context(), f.owner, ops.ID, "operators", nil)
		wants(t, "rename", err, fault.Conflict, "The group ops cannot be renamed: the rule")
		if _, err := f.Save(t.Context(), f.owner, g.ID, "release", nil); err != nil {
			t.Errorf("other members: %v", err)
		}
		if err := f.store.Configure(t.Context(), f.owner.Team.ID, gateway, nil, nil, audit.Event{Time: time.Now(), Type: "x"}); err != nil {
			t.Fatal(err)
		}
		if err := f.Delete(t.Context(), f.owner, g.ID); err != nil {
			t.Errorf("delete what nothing asks for: %v", err)
		}
	})
}

func TestAPolicyAsksOnlyForGroupsThatThereAre(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		compiled, err := json.Marshal(policy.Policy{Clauses: []policy.Clause{{Name: "c", Effect: policy.RequireApproval, Approvers: policy.Approvers{Group: "release"}}}})
		if err != nil {
			t.Fatal(err)
		}
		put := func(version int64, compiled string) error {
			revision, err := f.store.Revision(t.Context(), f.owner.Team.ID)
			if err != nil {
				t.Fatal(err)
			}
			now := audit.Time(time.Now())
			// One that is not enabled may be, later.
			p := fleet.Policy{ID: "pol_1", TeamID: f.owner.Team.ID, Name: "protect-main", Priority: 100, Version: version, Document: "d", Compiled: compiled, CreatedAt: now, UpdatedAt: now}
			v := fleet.PolicyVersion{PolicyID: p.ID, Version: version, TeamID: p.TeamID, Priority: 100, Document: "d", CreatedAt: now}
			return f.store.Carry(t.Context(), store.Plan{TeamID: p.TeamID, Revision: revision, Policies: []store.PolicyStep{{Policy: p, Version: v, New: version == 1, Event: audit.Event{Time: now, Type: "x"}}}})
		}
		wants(t, "no such group", put(1, string(compiled)), fault.Invalid, "The policy protect-main asks for the approver group release")
		g := f.save(t, "release")
		if err := put(1, string(compiled)); err != nil {
			t.Fatal(err)
		}
		wants(t, "delete", f.Delete(t.Context(), f.owner, g.ID), fault.Conflict, "the policy protect-main asks for it")
		if err := put(2, `{"rules":[{"name":"c","decision":"deny"}]}`); err != nil {
			t.Fatal(err)
		}
		if err := f.Delete(t.Context(), f.owner, g.ID); err != nil {
			t.Errorf("delete what nothing asks for: %v", err)
		}
	})
}
