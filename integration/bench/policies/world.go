package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/policy"
)

// world is as many rules as many teams have, and requests about some of them.
// A rule is about one action, and a repository, three of them, or an account.
type world struct {
	rules []ruleOf
	asked []request
	want  []policy.Effect // of each of asked; by looking at every rule
}

type kind uint8

const (
	branch  kind = iota // a repository and a branch
	several             // three repositories
	amount              // an account, and more than so much
)

type ruleOf struct {
	kind      kind
	deny      bool // or it asks
	action    string
	owner     string
	resources []string // one, or three
	account   string
	over      int64
}

type request struct {
	action, class, owner, repository, resource, base, account string
	amount                                                    int64
}

var verbs = []string{
	"github.pr.merge", "github.pr.close", "github.repo.delete", "github.repo.update", "github.branch.delete", "github.branch.protect",
	"github.release.create", "github.release.delete", "github.issue.close", "github.workflow.run", "github.secret.set", "github.secret.delete",
	"github.hook.create", "github.hook.delete", "github.team.add", "github.team.remove", "github.contents.write", "github.tag.delete",
	"github.deployment.create", "github.environment.delete",
}

const requests = 2000

func newWorld(n int) *world {
	d := rand.New(rand.NewPCG(uint64(n), 1))
	w := &world{}
	for i := range n {
		r := ruleOf{deny: i%3 == 0, action: verbs[i%len(verbs)], owner: fmt.Sprintf("team-%d", i/len(verbs)/20), over: 1000}
		repository := i / len(verbs) % 20
		switch {
		case i%10 == 9:
			r.kind, r.action, r.account = amount, "stripe.refund.create", fmt.Sprintf("acct_%d", i)
		case i%10 >= 7:
			r.kind = several
			for k := range 3 {
				r.resources = append(r.resources, fmt.Sprintf("%s/repo-%d", r.owner, repository+k))
			}
		default:
			r.resources = []string{fmt.Sprintf("%s/repo-%d", r.owner, repository)}
		}
		w.rules = append(w.rules, r)
	}
	for range requests {
		r := w.rules[d.IntN(n)]
		q := request{action: r.action, class: pick(d, "read", "write"), base: pick(d, "main", "dev"), account: r.account, amount: int64(d.IntN(2000)), owner: r.owner, resource: fmt.Sprintf("%s/repo-%d", r.owner, d.IntN(22))}
		if d.IntN(2) == 0 && r.kind != amount {
			q.resource = r.resources[0]
		}
		if d.IntN(4) == 0 {
			q.action = verbs[d.IntN(len(verbs))]
		}
		_, q.repository, _ = strings.Cut(q.resource, "/")
		w.asked = append(w.asked, q)
		w.want = append(w.want, w.answer(q))
	}
	return w
}

func pick(d *rand.Rand, from ...string) string { return from[d.IntN(len(from))] }

func (w *world) answer(q request) policy.Effect {
	out := policy.Allow
	for _, r := range w.rules {
		if r.applies(q) {
			out = min(out, r.effect())
		}
	}
	return out
}

func (r ruleOf) effect() policy.Effect {
	if r.deny {
		return policy.Deny
	}
	return policy.RequireApproval
}

func (r ruleOf) applies(q request) bool {
	switch {
	case r.action != q.action:
		return false
	case r.kind == amount:
		return r.account == q.account && q.amount > r.over
	case r.kind == several:
		return q.class == "write" && (q.resource == r.resources[0] || q.resource == r.resources[1] || q.resource == r.resources[2])
	}
	return q.owner == r.owner && q.resource == r.resources[0] && q.base == "main"
}

func (r ruleOf) repository() string {
	_, name, _ := strings.Cut(r.resources[0], "/")
	return name
}

// agree fails where an engine answers otherwise than looking at every rule
// does.
func (w *world) agree(e engine) error {
	counts := map[policy.Effect]int{}
	for i, q := range w.asked {
		if e.few && i == fewRequests {
			break
		}
		if got := e.decide(i); got != w.want[i] {
			return fmt.Errorf("request %d, %+v: %v, want %v", i, q, got, w.want[i])
		}
		counts[w.want[i]]++
	}
	if len(counts) < 3 {
		return fmt.Errorf("the requests come to %v only", counts)
	}
	return nil
}

func (q request) question() policy.Question {
	a := action.Action{Connector: "all", Name: q.action, Risk: action.Medium, Resource: q.resource, Params: map[string]any{"base": q.base, "amount": q.amount, "account": q.account}}
	if err := a.Class.UnmarshalText([]byte(q.class)); err != nil {
		panic(err)
	}
	service, _, _ := strings.Cut(q.action, ".")
	return policy.Question{
		Action: a, Type: service, Run: &policy.Run{ID: "run_1", Principal: "ana@laptop"}, Time: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC),
		Request: &policy.Request{Method: http.MethodPost, Scheme: "https", Host: "api.github.com", Path: "/repos/" + q.resource},
	}
}
