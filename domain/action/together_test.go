package action_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/domain/action"
)

func TestSeveralActionsAtOnceAreTheStrictest(t *testing.T) {
	t.Parallel()

	read := action.Action{Name: "a.x.get", Class: action.Read, Risk: action.Low, Resource: "x", Reversible: true, Params: map[string]any{"n": int64(1), "same": "s"}}
	write := action.Action{Name: "a.x.update", Class: action.Write, Risk: action.Medium, Resource: "x", Reversible: true, Params: map[string]any{"n": int64(2), "same": "s"}}
	remove := action.Action{Name: "a.y.delete", Class: action.Delete, Risk: action.High, Resource: "y", Params: map[string]any{"same": "s", "ref": []string{"m"}}, Unknown: []string{"z"}}

	for name, tt := range map[string]struct {
		all  []action.Action
		want action.Action
	}{
		"one": {[]action.Action{read}, read},
		"a read and a write of one thing": {
			[]action.Action{read, write},
			action.Action{
				Name: "a.x.update", Class: action.Write, Risk: action.Medium, Resource: "x", Reversible: true,
				Params: map[string]any{"same": "s"}, Unknown: []string{"n"}, Or: []action.Alternative{{Name: "a.x.get", Class: action.Read}},
			},
		},
		"things apart": {
			[]action.Action{write, remove, write},
			action.Action{
				Name: "a.y.delete", Class: action.Delete, Risk: action.High,
				Params: map[string]any{"same": "s"}, Unknown: []string{"z", "n", "ref", "resource"},
				Or: []action.Alternative{{Name: "a.x.update", Class: action.Write}},
			},
		},
		"the same twice": {[]action.Action{write, write}, write},
	} {
		if diff := cmp.Diff(tt.want, action.Together(tt.all)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
