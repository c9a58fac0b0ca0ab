package audit_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/audit"
)

func TestWhatIsKeptOfAnActionComesBack(t *testing.T) {
	t.Parallel()

	for name, a := range map[string]action.Action{
		"nothing beside": {Connector: "github", Name: "github.pr.merge", Class: action.Write, Risk: action.Medium, Resource: "acme/site#1"},
		"everything": {
			Connector: "stripe", Name: "stripe.refund.create", Class: action.Write, Risk: action.High, Reversible: true,
			Params:  map[string]any{"amount": int64(1 << 60), "rate": 0.5, "live": true, "charge": "ch_1", "refs": []string{"a", "b"}, "none": []string{}},
			Unknown: []string{"currency"}, Or: []action.Alternative{{Name: "stripe.*", Class: action.Admin}},
		},
	} {
		row := audit.Request{Connector: a.Connector, Action: a.Name, Class: a.Class.String(), Risk: a.Risk.String(), Resource: a.Resource, Facts: audit.Facts(a)}
		got, ok := row.ReadAction()
		if diff := cmp.Diff(a, got); diff != "" || !ok {
			t.Errorf("%s: %v (-want +got):\n%s", name, ok, diff)
		}
	}
}

func TestWhatWasNotKeptIsUnknown(t *testing.T) {
	t.Parallel()

	old, ok := audit.Request{Action: "github.pr.merge", Class: "write", Risk: "medium"}.ReadAction()
	if !ok || len(old.Unknown) != 1 || old.Unknown[0] != "*" || old.Class != action.Write {
		t.Errorf("a row of before facts were kept: %+v, %v", old, ok)
	}
	if a, ok := (audit.Request{}).ReadAction(); ok {
		t.Errorf("a malformed request has an action: %+v", a)
	}
	if a, _ := (audit.Request{Action: "x.y", Class: "harmless"}).ReadAction(); a.Class != action.Admin || a.Risk != action.Critical {
		t.Errorf("a class that there is not: %+v", a)
	}
}
