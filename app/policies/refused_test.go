package policies_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/app/policies"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

func TestOnlyThoseWhoManageChangePolicies(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		p := f.save(t, draft("first"))
		for _, role := range []team.Role{team.RoleMember, team.RoleViewer, ""} {
			v := f.owner
			v.Role = role
			d := draft("second")
			_, err := f.Save(t.Context(), v, d)
			wantKind(t, string(role)+" saves", err, fault.Forbidden, "owners and admins")
			_, err = f.Set(t.Context(), v, p.ID, 1, policies.Counts{}, "")
			wantKind(t, string(role)+" sets", err, fault.Forbidden, "owners and admins")
			_, err = f.Revert(t.Context(), v, p.ID, 1, 1, "")
			wantKind(t, string(role)+" reverts", err, fault.Forbidden, "owners and admins")
			wantKind(t, string(role)+" deletes", f.Delete(t.Context(), v, p.ID, 1), fault.Forbidden, "owners and admins")
		}
		admin := storetest.Member(t, f.store, f.owner, "Ben", team.RoleAdmin)
		if _, err := f.Save(t.Context(), admin, draft("third")); err != nil {
			t.Errorf("an admin: %v", err)
		}
	})
}

func TestWhatCannotBeUsedIsNotSaved(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		before := f.revision(t)
		for name, tt := range map[string]struct {
			change func(*policies.Draft)
			says   string
		}{
			"a word that there is not": {func(d *policies.Draft) {
				d.Document = strings.Replace(d.Document, "decision: deny", "decision: denny", 1)
			}, "deny"},
			"an action that there is not": {func(d *policies.Draft) {
				d.Document = strings.Replace(d.Document, "gateways: [deploy-*]", "actions: [github.repo.delet]", 1)
			}, "github.repo.delete"},
			"no name":                {func(d *policies.Draft) { d.Document = strings.Replace(d.Document, "name: new\n", "", 1) }, "name"},
			"nothing":                {func(d *policies.Draft) { d.Document = "" }, ""},
			"no text":                {func(d *policies.Draft) { d.Document += "\x00" }, "character"},
			"half a character":       {func(d *policies.Draft) { d.Document += "\xc3" }, "character"},
			"a failing test":         {func(d *policies.Draft) { d.Document = strings.Replace(d.Document, "expect: deny", "expect: allow", 1) }, "The test “it is denied” fails: "},
			"a test of another rule": {func(d *policies.Draft) { d.Document = strings.Replace(d.Document, "rule: never", "rule: nevr", 1) }, "never"},
			"a priority of 1001":     {func(d *policies.Draft) { d.Priority = 1001 }, "priority"},
			"a priority below 1":     {func(d *policies.Draft) { d.Priority = -1 }, "priority"},
			"a long message":         {func(d *policies.Draft) { d.Message = strings.Repeat("ä", 501) }, "500 characters"},
		} {
			d := draft("new")
			tt.change(&d)
			_, err := f.Save(t.Context(), f.owner, d)
			wantKind(t, name, err, fault.Invalid, tt.says)
		}
		if f.revision(t) != before || len(f.events(t)) != 0 {
			t.Errorf("revision %d after %d, events %v", f.revision(t), before, f.events(t))
		}
		_, err := f.Check(t.Context(), f.owner.Team.ID, strings.Replace(text("new", "github.repo.delete"), "decision: deny", "decision: denny", 1))
		if p, ok := errors.AsType[*yamldoc.Problems](err); !ok || len(p.All) == 0 || p.All[0].Line != 9 {
			t.Errorf("problems: %+v, %v, want one in line 9", p, err)
		}
		long := draft("new")
		long.Message = strings.Repeat("ä", 500)
		f.save(t, long)
	})
}

func TestCheckingSaysWhatBecameOfEachTest(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		doc := text("new", "github.repo.delete") + `  - name: another passes
    request: {method: GET, url: "https://api.github.com/repos/acme/site"}
    expect: allow
  - name: this fails
    request: {method: DELETE, url: "https://api.github.com/repos/acme/site"}
    expect: require_approval
  - name: so does this
    request: {method: GET, url: "https://api.github.com/user"}
    expect: deny
`
		c, err := f.Check(t.Context(), f.owner.Team.ID, doc)
		if err != nil {
			t.Fatal(err)
		}
		var passed []bool
		for _, r := range c.Results {
			passed = append(passed, r.Passed)
		}
		if diff := cmp.Diff([]bool{true, true, false, false}, passed); diff != "" {
			t.Errorf("-want +got\n%s\n%+v", diff, c.Results)
		}
		wantKind(t, "failing", c.Failing(), fault.Invalid, "“this fails”")
		if got := fault.Message(c.Failing()); !strings.HasSuffix(got, " One more test fails.") {
			t.Errorf("failing: %s", got)
		}
		if c.Document.Policy.Name != "new" || c.Compiled.Name != "new" {
			t.Errorf("%+v", c.Document)
		}
	})
}

// A policy of a time when more was possible is not switched on as it stands,
// and can be switched off.
func TestAPolicyThatNoGatewayTakesIsNotSwitchedOn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		p := f.save(t, draft("old"))
		rewritten := p
		rewritten.Enabled, rewritten.Version = false, 2
		rewritten.Compiled = strings.Replace(p.Compiled, `"equals"`, `"resembles"`, 1)
		v, err := f.Version(t.Context(), f.owner.Team.ID, p.ID, 1)
		if err != nil || rewritten.Compiled == p.Compiled {
			t.Fatalf("%v, %s", err, p.Compiled)
		}
		v.Version = 2
		if err := f.store.Carry(t.Context(), store.Plan{TeamID: p.TeamID, Revision: f.revision(t), Policies: []store.PolicyStep{{Policy: rewritten, Version: v}}}); err != nil {
			t.Fatal(err)
		}
		_, err = f.Set(t.Context(), f.owner, p.ID, 2, policies.Counts{Enabled: true}, "")
		wantKind(t, "enable", err, fault.Invalid, "")
		if _, err = f.Set(t.Context(), f.owner, p.ID, 2, policies.Counts{ReportOnly: true}, ""); err != nil {
			t.Errorf("something else: %v", err)
		}
	})
}
