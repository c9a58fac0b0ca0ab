package policies_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/policies"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/definition"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
)

func TestATeamHasSoManyPoliciesAndNoMore(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		plan := store.Plan{TeamID: f.owner.Team.ID, Revision: f.revision(t)}
		for i := range policies.MaxPolicies - 1 {
			n := policies.Next{Document: "…"}
			n.Compiled.Name = fmt.Sprint("policy", i)
			step, changes, err := n.Step(f.owner, nil, time.Now())
			if err != nil || !changes {
				t.Fatal(changes, err)
			}
			plan.Policies = append(plan.Policies, step)
		}
		if err := f.store.Carry(t.Context(), plan); err != nil {
			t.Fatal(err)
		}
		last := f.save(t, draft("the-last"))
		_, err := f.Save(t.Context(), f.owner, draft("one-more"))
		wantKind(t, "one more", err, fault.Invalid, "500 policies")
		d := draft("the-last")
		d.ID, d.Base, d.Priority = last.ID, 1, 7
		f.save(t, d)
	})
}

func TestAllPoliciesTogetherFitIntoASnapshot(t *testing.T) {
	t.Parallel()

	half := fleet.Policy{Compiled: strings.Repeat("x", policies.MaxCompiled/2)}
	if err := policies.CheckAll([]fleet.Policy{half, half}); err != nil {
		t.Error(err)
	}
	wantKind(t, "one byte more", policies.CheckAll([]fleet.Policy{half, half, {Compiled: "x"}}), fault.Invalid, "16 MB")
}

// Documents may be about the connector types of their own team.
func TestATeamsOwnTypesAreKnown(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		d := definition.Definition{Name: "billing", Hosts: []string{"billing.example.com"}, Operations: []definition.Operation{
			{Method: "POST", Path: "/invoices/{id}/void", Action: "billing.invoice.void", Class: action.Delete, Risk: action.High, Resource: "{id}"},
		}}
		doc := strings.ReplaceAll(text("no-voids", "billing.invoice.void"), "service: github, ", "service: billing, ") + `  - name: so is the request
    request: {method: POST, url: "https://billing.example.com/invoices/7/void"}
    expect: deny
    rule: never
`
		_, err := f.Save(t.Context(), f.owner, policies.Draft{Document: doc})
		if fault.Of(err) != fault.Invalid {
			t.Errorf("before the type is there: %v, want invalid", err)
		}
		row := fleet.ConnectorType{ID: "type_" + f.owner.Team.ID, TeamID: f.owner.Team.ID, Name: d.Name, Definition: d, Version: 1, CreatedAt: audit.Time(time.Now()), ChangedAt: audit.Time(time.Now())}
		step := store.TypeStep{Type: row, New: true, Event: audit.Event{Time: time.Now(), Type: "connector_type.created"}}
		if err := f.store.Carry(t.Context(), store.Plan{TeamID: f.owner.Team.ID, Revision: f.revision(t), Types: []store.TypeStep{step}}); err != nil {
			t.Fatal(err)
		}
		if p := f.save(t, policies.Draft{Document: doc}); p.Enabled || p.Priority != 100 {
			t.Errorf("%+v, want what the draft says", p)
		}
	})
}
