package proposals

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/policy"
)

func TestWhatKeptRulesStopIsNeverMilderBesideAProposedRule(t *testing.T) {
	t.Parallel()

	patterns := []action.Pattern{"github.file.get", "github.file.*", "github.*", "github.*.get", "*", "*.file.*"}
	values := []string{"acme/secret*", "acme/site*", "*x", "acme/*"}
	stopped, left := 0, 0
	for seed := range uint64(3000) {
		random := rand.New(rand.NewPCG(seed, 4))
		one := func(all []string) string { return all[random.IntN(len(all))] }
		var kept []policy.Rule
		for i := range 1 + random.IntN(5) {
			k := policy.Rule{ID: fmt.Sprint(i), Connector: "github", Pattern: patterns[random.IntN(len(patterns))], Effect: policy.Effect(random.IntN(2)), When: policy.Limits{}}
			if k.Effect == policy.Allow {
				t.Fatal("an allow rule is not kept")
			}
			for _, key := range []string{"resource", "ref", "tool"} {
				if random.IntN(2) == 0 {
					k.When[key] = []string{one(values)}
				}
			}
			if class := action.Class(random.IntN(4)); random.IntN(3) == 0 {
				k.Class = &class
			}
			kept = append(kept, k)
		}
		r := policy.Rule{Pattern: "github.file.get", Effect: policy.Allow}
		if random.IntN(2) == 0 {
			r.When = policy.Limits{"resource": {one(values)}}
		}
		if random.IntN(3) == 0 {
			r.Effect = policy.RequireApproval
		}
		proposed, ok := guard(r, action.Class(random.IntN(4)), kept)
		if !ok {
			left++
			continue
		}
		adopted := append([]policy.Rule(nil), kept...)
		for _, p := range proposed {
			p.Connector = "github"
			adopted = append(adopted, p)
		}
		if wideReads(kept) {
			all := allReads()
			all.Connector = "github"
			adopted = append(adopted, all)
		}
		before, err := policy.Compile(policy.Settings{Rules: kept, Enforcement: policy.FullEnforce})
		if err != nil {
			t.Fatal(err)
		}
		after, err := policy.Compile(policy.Settings{Rules: adopted, Enforcement: policy.FullEnforce})
		if err != nil {
			t.Fatal(err)
		}
		for range 40 {
			a := action.Action{Connector: "github", Name: one([]string{"github.file.get", "github.file.put"}), Class: action.Class(random.IntN(4)), Params: map[string]any{}}
			a.Resource = one([]string{"acme/secret@x", "acme/site@a", "other/y", ""})
			for _, key := range []string{"ref", "tool"} {
				switch random.IntN(4) {
				case 0:
					a.Params[key] = one([]string{"acme/secret@x", "acme/site", "z"})
				case 1:
					a.Params[key] = []string{"acme/site", one([]string{"acme/secret", "z"})}
				case 2:
					a.Unknown = append(a.Unknown, key)
				}
			}
			q := policy.Question{Action: a, Type: "github"}
			was, is := before.Decide(q), after.Decide(q)
			if was.By == policy.ByDefault {
				continue
			}
			stopped++
			if is.Would > was.Would {
				t.Fatalf("seed %d: %+v was %v and is %v\nkept %+v\nproposed %+v", seed, a, was.Would, is.Would, kept, proposed)
			}
		}
	}
	if stopped < 1000 || left > 1000 {
		t.Errorf("%d requests were stopped, and %d proposals left out", stopped, left)
	}
}
