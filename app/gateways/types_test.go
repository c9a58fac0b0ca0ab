package gateways_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/app/gateways"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/definition"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
)

func billing() definition.Definition {
	return definition.Definition{
		Name: "billing", Hosts: []string{"api.billing.example.com"},
		Operations: []definition.Operation{
			{Method: "GET", Path: "/invoices", Action: "billing.invoice.list", Class: action.Read, Risk: action.Low},
			{Method: "DELETE", Path: "/invoices/{id}", Action: "billing.invoice.delete", Class: action.Delete, Risk: action.High, Resource: "{id}"},
		},
	}
}

func TestAConnectorTypeLivesAsLongAsItIsUsed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		d, ctx := billing(), t.Context()
		viewer := f.owner
		viewer.Role = team.RoleViewer
		if err := f.SaveType(ctx, viewer, d, 0); fault.Of(err) != fault.Forbidden {
			t.Errorf("a viewer saves it: %v", err)
		}
		if err := f.SaveType(ctx, f.owner, d, 0); err != nil {
			t.Fatal(err)
		}
		if err := f.SaveType(ctx, f.owner, d, 0); fault.Of(err) != fault.Conflict {
			t.Errorf("it is made twice: %v", err)
		}
		builtin := d
		builtin.Name = "github"
		builtin.Operations = []definition.Operation{{Method: "GET", Path: "/", Action: "github.a.get"}}
		if err := f.SaveType(ctx, f.owner, builtin, 0); fault.Of(err) != fault.Invalid {
			t.Errorf("a built-in name is taken: %v", err)
		}

		g := f.create(t, "bot")
		rule := fleet.Rule{Pattern: "billing.invoice.delete", Effect: policy.Deny, HoldMS: -1}
		if err := f.Configure(ctx, f.owner, g.ID, []gateways.Connector{{Connector: fleet.Connector{Type: "billing"}, Rules: []fleet.Rule{rule}}}); err != nil {
			t.Fatal(err)
		}
		if cs, _, err := f.Uses(ctx, f.owner.Team.ID, "billing"); err != nil || !slices.Equal(cs, []string{"bot/billing"}) {
			t.Errorf("used by %v, %v", cs, err)
		}
		if err := f.DeleteType(ctx, f.owner, "billing"); fault.Of(err) != fault.Conflict {
			t.Errorf("it is deleted while in use: %v", err)
		}

		next := d
		next.Hosts = nil
		if err := f.SaveType(ctx, f.owner, next, 1); fault.Of(err) != fault.Invalid || !strings.Contains(fault.Message(err), "Gateway bot could not use it any more. Connector billing: Name the hosts") {
			t.Errorf("the gateway is left without a host: %v", err)
		}
		next = billing()
		next.Operations = next.Operations[:1]
		if lost, err := f.Lost(ctx, f.owner.Team.ID, next); err != nil || len(lost) != 1 || !strings.Contains(lost[0], "billing.invoice.delete (deny) of bot/billing") {
			t.Errorf("lost are %v, %v", lost, err)
		}
		if err := f.SaveType(ctx, f.owner, next, 7); fault.Of(err) != fault.Conflict {
			t.Errorf("a version of somebody else: %v", err)
		}
		if err := f.SaveType(ctx, f.owner, next, 1); err != nil {
			t.Fatal(err)
		}
		if have, err := f.Type(ctx, f.owner.Team.ID, "billing"); err != nil || have.Version != 2 || len(have.Definition.Operations) != 1 {
			t.Errorf("%+v, %v", have, err)
		}

		if err := f.Configure(ctx, f.owner, g.ID, nil); err != nil {
			t.Fatal(err)
		}
		if err := f.DeleteType(ctx, viewer, "billing"); fault.Of(err) != fault.Forbidden {
			t.Errorf("a viewer deletes it: %v", err)
		}
		if err := f.DeleteType(ctx, f.owner, "billing"); err != nil {
			t.Fatal(err)
		}
		if err := f.DeleteType(ctx, f.owner, "billing"); fault.Of(err) != fault.NotFound {
			t.Errorf("it is deleted twice: %v", err)
		}
	})
}
