package approvals_test

import (
	"context"
	"fmt"
	"time"

	"pgregory.net/rapid"

	"github.com/tameflare/tameflare/app/kills"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/domain/wire"
)

// wants fails t unless err is of the kind that the oracle says; fine is none.
func wants(t *rapid.T, what string, err error, want fault.Kind) {
	if fault.Of(err) != want || (err == nil) != (want == fine) {
		t.Fatalf("%s: %v, want %v", what, err, want)
	}
}

// steps are everything that can happen.
func (w *world) steps() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"ask": w.ask, "ask again": w.askAgain, "decide": w.decides, "vote": w.votes, "use": w.uses, "use twice": w.usesTwice, "poll": w.polls,
		"end repeat": w.endsRepeat, "time": w.time, "lapse": w.lapses, "kill": w.kill, "lift": w.lifts, "people": w.peopleChange, "owner": w.ownerChanges,
		"revoke": w.revokes, "server crashes": func(*rapid.T) { w.restart() }, "server dies in between": w.dies,
		"gateway crashes": func(*rapid.T) { w.known = nil },
		"":                func(t *rapid.T) { w.check(t) },
	}
}

func (w *world) ask(t *rapid.T) { w.asks(t, w.question(t)) }

// askAgain is a retry, with what the rule says by now.
func (w *world) askAgain(t *rapid.T) {
	c := w.any(t)
	q := w.question(t)
	q.Fingerprint = question(c.request).Fingerprint
	q.Action.Risk = 3 // low
	if c.critical {
		q.Action.Risk = 0
	}
	w.asks(t, q)
}

func (w *world) asks(t *rapid.T, q wire.Ask) {
	before := len(w.cards)
	want, kind := w.oracle.ask(q.Fingerprint[0], q.Approvers, q.TTL, w.clock.Now())
	got, err := w.desk.Ask(ctx, w.gw, q)
	wants(t, "ask", err, kind)
	if err != nil {
		return
	}
	if len(w.cards) > before {
		want.id = got.ID
	}
	if got.ID != want.id || got.Status != want.status || got.Repeats != want.repeats {
		t.Fatalf("ask met %s, %s because of %q; want %s, %s because of %q", got.ID, got.Status, got.Repeats, want.id, want.status, want.repeats)
	}
	w.known = append(w.known, want)
}

// any is a card of the run; there has to be one.
func (w *world) any(t *rapid.T) *card {
	if len(w.cards) == 0 {
		t.Skip("nothing was asked yet")
	}
	// Mostly one of the last: those are open.
	back := rapid.IntRange(0, min(len(w.cards)-1, 5)).Draw(t, "card")
	return w.cards[len(w.cards)-1-back]
}

func (w *world) decides(t *rapid.T) {
	grant := rapid.IntRange(0, 3).Draw(t, "grant") > 0
	spans := []time.Duration{0, 0, 10 * time.Minute, time.Hour, 9 * time.Hour, -time.Minute}
	w.decided(t, w.any(t), grant, rapid.SampledFrom(spans).Draw(t, "for"))
}

func (w *world) votes(t *rapid.T) { w.decided(t, w.any(t), true, 0) }

func (w *world) decided(t *rapid.T, c *card, grant bool, span time.Duration) {
	p := rapid.IntRange(0, len(w.people)-1).Draw(t, "person")
	fresh := rapid.Bool().Draw(t, "fresh")
	now := w.clock.Now()
	v := w.people[p]
	v.Role = team.RoleOwner // what they were when they signed in
	v.ConfirmedAt = now.Add(-team.StepUpWindow)
	if fresh {
		v.ConfirmedAt = now
	}
	kind := w.oracle.decide(c, p, grant, span, fresh, now)
	got, err := w.desk.Decide(ctx, v, c.id, approval.Decision{Verdict: approval.Verdict(grant), Channel: approval.Dashboard, For: span})
	wants(t, "decide", err, kind)
	if (kind == fine || kind == fault.Conflict || kind == fault.Expired) && got.Status != c.status {
		t.Fatalf("decide: it is %s, want %s", got.Status, c.status)
	}
}

func (w *world) remembered(t *rapid.T) *card {
	if len(w.known) == 0 {
		t.Skip("the gateway knows of none")
	}
	return w.known[len(w.known)-1-rapid.IntRange(0, min(len(w.known)-1, 5)).Draw(t, "known")]
}

func (w *world) uses(t *rapid.T) {
	request := byte(0)
	if rapid.IntRange(0, 9).Draw(t, "another request") == 0 {
		request = 'e'
	}
	w.used(t, w.remembered(t), request)
}

func (w *world) usesTwice(t *rapid.T) { // the answer to the first was lost
	c := w.remembered(t)
	w.used(t, c, 0)
	w.used(t, c, 0)
}

func (w *world) used(t *rapid.T, c *card, request byte) {
	if request == 0 {
		request = c.request
	}
	kind := w.oracle.use(c, request, w.clock.Now())
	_, err := w.desk.Use(ctx, w.gw, c.id, wire.Use{Fingerprint: question(request).Fingerprint})
	wants(t, "use", err, kind)
	if c.sent > 1 {
		t.Fatalf("%s let %d requests through", c.id, c.sent)
	}
}

func (w *world) polls(t *rapid.T) {
	c := w.remembered(t)
	want := fine
	if w.revoked {
		want = fault.Forbidden
	} else {
		c.lapse(w.clock.Now())
	}
	got, err := w.desk.Wait(ctx, w.gw, c.id, 0, 0)
	wants(t, "poll", err, want)
	if err == nil && got.Status != c.status {
		t.Fatalf("poll: %s, want %s", got.Status, c.status)
	}
}

func (w *world) endsRepeat(t *rapid.T) {
	c := w.any(t)
	p := rapid.IntRange(0, len(w.people)-1).Draw(t, "person")
	want := fault.Conflict
	switch {
	case w.roles[p] == team.RoleViewer:
		want = fault.Forbidden
	case c.endRepeat(w.clock.Now()):
		want = fine
	}
	_, err := w.desk.EndRepeat(ctx, team.Viewer{User: w.people[p].User, Team: w.people[p].Team, Role: team.RoleOwner, Auth: "session"}, c.id)
	wants(t, "end repeat", err, want)
}

// time goes on, and once in a while back.
func (w *world) time(t *rapid.T) {
	w.clock.Add(rapid.SampledFrom([]time.Duration{
		time.Second, 5 * time.Second, 29 * time.Second, time.Minute, 2 * time.Minute, 10 * time.Minute, time.Hour, -time.Second, -2 * time.Minute, -time.Hour,
	}).Draw(t, "by"))
}

func (w *world) lapses(t *rapid.T) {
	for _, c := range w.cards {
		c.lapse(w.clock.Now())
	}
	wants(t, "lapse", w.desk.Lapse(ctx), fine)
}

func (w *world) kill(t *rapid.T) {
	if rapid.IntRange(0, 2).Draw(t, "kill") > 0 {
		t.Skip("not now")
	}
	scope := rapid.SampledFrom([]kills.Scope{{}, {GatewayID: w.gw.ID}, {Connector: "github"}, {GatewayID: w.gw.ID, Connector: "github"}, {Connector: "stripe"}}).Draw(t, "scope")
	k, err := w.kills.Pull(ctx, w.people[0], scope, "Stop.")
	wants(t, "pull", err, fine)
	if w.on[scope] == "" && scope.Connector != "stripe" {
		w.stop(w.clock.Now())
		w.killed = true
	}
	w.on[scope] = k.ID
}

func (w *world) lifts(t *rapid.T) {
	for scope := range w.on {
		w.lift(t, scope)
	}
}

func (w *world) revokes(t *rapid.T) {
	if w.revoked || rapid.IntRange(0, 9).Draw(t, "revoke") > 0 {
		t.Skip("not now")
	}
	w.revoke(t)
}

// peopleChange gives somebody another role, or takes them in or out of the
// group.
func (w *world) peopleChange(t *rapid.T) {
	p := rapid.IntRange(1, len(w.people)-1).Draw(t, "person")
	id := w.people[p].User.ID
	switch r := rapid.SampledFrom([]team.Role{"", "", team.RoleAdmin, team.RoleMember, team.RoleMember, team.RoleViewer}).Draw(t, "role"); {
	case r != "":
		w.roles[p] = r
		w.do(t, fmt.Sprintf("UPDATE memberships SET role = '%s' WHERE user_id = '%s'", r, id))
	case w.release[p]:
		w.release[p] = false
		w.do(t, fmt.Sprintf("DELETE FROM approver_group_members WHERE user_id = '%s'", id))
	default:
		w.release[p] = true
		w.do(t, fmt.Sprintf("INSERT INTO approver_group_members (group_id, user_id) VALUES ('grp', '%s')", id))
	}
}

func (w *world) ownerChanges(t *rapid.T) {
	w.own = rapid.IntRange(-1, len(w.people)-1).Draw(t, "owner")
	by := "NULL"
	if w.own >= 0 {
		by = "'" + w.people[w.own].User.ID + "'"
	}
	w.do(t, fmt.Sprintf("UPDATE gateways SET enrolled_by = %s WHERE id = '%s'", by, w.gw.ID))
}

// dies is a server that ends before it has written: nothing has happened.
func (w *world) dies(t *rapid.T) {
	dead, end := context.WithCancel(ctx)
	end()
	c := w.any(t)
	if _, err := w.desk.Decide(dead, w.people[0], c.id, approval.Decision{Verdict: approval.Grant}); err == nil {
		t.Fatalf("a dead server decided")
	}
	if _, err := w.desk.Use(dead, w.gw, c.id, wire.Use{Fingerprint: question(c.request).Fingerprint}); err == nil {
		t.Fatalf("a dead server gave a grant away")
	}
	w.restart()
}
