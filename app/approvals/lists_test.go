package approvals_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/approvals"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/domain/wire"
)

// put asks something of its own.
func (f fixture) put(t *testing.T, gw fleet.Gateway, fingerprint byte, change func(*wire.Ask)) approval.Approval {
	t.Helper()
	q := question(fingerprint)
	change(&q)
	a, err := f.Ask(t.Context(), gw, q)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestFilters(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		ben := storetest.Member(t, f.store, f.owner, "Ben", team.RoleMember)
		other := storetest.Gateway(t, f.store, f.owner, "other-bot")
		is := func(connector, name string, risk action.Risk, sentence string) func(*wire.Ask) {
			return func(q *wire.Ask) {
				q.Action = action.Action{Connector: connector, Name: name, Risk: risk, Resource: "acme/site#12"}
				q.Sentence = sentence
			}
		}
		merge := f.put(t, f.gw, 'a', is("github", "github.pr.merge", action.High, "merge acme/site#12"))
		refund := f.put(t, other, 'b', is("stripe", "stripe.refund.create", action.Critical, "refund 100% of it"))
		hook := f.put(t, f.gw, 'c', is("github", "github.prs_x", action.Low, "odd"))
		if _, err := f.Decide(t.Context(), ben, refund.ID, approval.Decision{Channel: approval.CLI}); err != nil {
			t.Fatal(err)
		}
		storetest.Gateway(t, f.store, storetest.Owner(t, f.store), "elsewhere")
		for name, tt := range map[string]struct {
			filter approvals.Filter
			want   []string
		}{
			"all":                  {approvals.Filter{}, []string{merge.ID, refund.ID, hook.ID}},
			"status":               {approvals.Filter{Status: []approval.Status{approval.Denied}}, []string{refund.ID}},
			"gateway":              {approvals.Filter{GatewayID: f.gw.ID}, []string{merge.ID, hook.ID}},
			"connector":            {approvals.Filter{Connector: "stripe"}, []string{refund.ID}},
			"an action":            {approvals.Filter{Action: "github.pr.merge"}, []string{merge.ID}},
			"actions":              {approvals.Filter{Action: "github.*"}, []string{merge.ID, hook.ID}},
			"actions, narrower":    {approvals.Filter{Action: "github.pr.*"}, []string{merge.ID}},
			"an underscore":        {approvals.Filter{Action: "github_*"}, nil},
			"risk":                 {approvals.Filter{Risk: "critical"}, []string{refund.ID}},
			"channel":              {approvals.Filter{Channel: "cli"}, []string{refund.ID}},
			"decider, by ID":       {approvals.Filter{Decider: ben.User.ID}, []string{refund.ID}},
			"decider, by name":     {approvals.Filter{Decider: "Ben"}, []string{refund.ID}},
			"text":                 {approvals.Filter{Text: "MERGE ACME"}, []string{merge.ID}},
			"text in the address":  {approvals.Filter{Text: "api.github.com"}, []string{merge.ID, refund.ID, hook.ID}},
			"a percent sign":       {approvals.Filter{Text: "100%"}, []string{refund.ID}},
			"nothing has all that": {approvals.Filter{Risk: "low", Connector: "stripe"}, nil},
			"hostile":              {approvals.Filter{Text: "' OR 1=1 --\x00?0", Decider: "\xff", Action: "*\x00"}, nil},
		} {
			list, _, err := f.List(t.Context(), f.owner.Team.ID, tt.filter, approvals.Cursor{}, 10)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			var got []string
			for _, a := range list {
				got = append(got, a.ID)
			}
			slices.Sort(got)
			slices.Sort(tt.want)
			if !slices.Equal(got, tt.want) {
				t.Errorf("%s: %v, want %v", name, got, tt.want)
			}
		}
	})
}

func TestSimilar(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		comment := func(q *wire.Ask) {
			q.Action = action.Action{Connector: "github", Name: "github.issue.comment", Risk: action.Low, Resource: "acme/site#1"}
		}
		for _, fingerprint := range []byte("abc") {
			a := f.put(t, f.gw, fingerprint, comment)
			f.decide(t, a.ID, approval.Grant)
			f.use(t, a)
			f.clock.Add(time.Second)
		}
		other := storetest.Gateway(t, f.store, f.owner, "other-bot")
		f.put(t, other, 'd', comment)
		f.ask(t, 'e') // another action
		this := f.put(t, f.gw, 'f', comment)
		h, err := f.Similar(t.Context(), this)
		if err != nil || h.Asked != 3 || h.Approved != 3 || h.Suggest != 3 || len(h.Last) != 3 || h.Last[0].Fingerprint[0] != 'c' {
			t.Errorf("%+v, %v", h, err)
		}
		f.clock.Add(31 * 24 * time.Hour)
		if h, err := f.Similar(t.Context(), this); err != nil || h.Asked != 0 || h.Suggest != 0 {
			t.Errorf("a month later: %+v, %v", h, err)
		}
	})
}

func TestDecidingSeveral(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		low := func(q *wire.Ask) { q.Action.Risk = action.Low }
		a, b, late := f.put(t, f.gw, 'a', low), f.put(t, f.gw, 'b', low), f.put(t, f.gw, 'c', low)
		terms := f.put(t, f.gw, 'd', func(q *wire.Ask) { low(q); q.Approvers = policy.Approvers{Group: "release"} })
		f.decide(t, late.ID, approval.Deny)
		grant := approval.Decision{Verdict: approval.Grant, Channel: approval.Dashboard}
		got, err := f.DecideAll(t.Context(), f.owner, []string{a.ID, late.ID, "apr_none", b.ID, a.ID, terms.ID}, grant)
		if err != nil || len(got) != 5 {
			t.Fatalf("%d outcomes, %v", len(got), err)
		}
		for i, want := range []struct {
			id     string
			status approval.Status
			kind   fault.Kind
		}{
			{a.ID, approval.Approved, fault.Internal}, {late.ID, approval.Denied, fault.Conflict}, {"apr_none", "", fault.NotFound},
			{b.ID, approval.Approved, fault.Internal}, {terms.ID, approval.Pending, fault.Forbidden},
		} {
			if o := got[i]; o.Approval.ID != want.id || o.Approval.Status != want.status || fault.Of(o.Err) != want.kind || (o.Err == nil) != (want.kind == fault.Internal) {
				t.Errorf("%d: %s %s, %v; want %+v", i, o.Approval.ID, o.Approval.Status, o.Err, want)
			}
		}

		high := f.ask(t, 'e')
		other := storetest.Gateway(t, f.store, f.owner, "other-bot")
		elsewhere := f.put(t, other, 'f', low)
		here := f.put(t, f.gw, '0', low)
		comment := f.put(t, f.gw, '1', func(q *wire.Ask) { low(q); q.Action.Name = "github.issue.comment" })
		var many []string
		for i := range approvals.MaxAtOnce + 1 {
			many = append(many, fmt.Sprint(i))
		}
		for name, tt := range map[string]struct {
			ids  []string
			want string
		}{
			"none":             {nil, "Choose the requests"},
			"too many":         {many, "At most 20"},
			"two gateways":     {[]string{here.ID, elsewhere.ID}, "one gateway and one action"},
			"two actions":      {[]string{here.ID, comment.ID}, "one gateway and one action"},
			"one of high risk": {[]string{here.ID, high.ID}, "one at a time"},
		} {
			if got, err := f.DecideAll(t.Context(), f.owner, tt.ids, grant); fault.Of(err) != fault.Invalid || !strings.Contains(fault.Message(err), tt.want) || got != nil {
				t.Errorf("%s: %v, %v", name, got, err)
			}
		}
		if a, err := f.Get(t.Context(), f.owner.Team.ID, here.ID); err != nil || a.Status != approval.Pending {
			t.Errorf("after refusals: %s, %v", a.Status, err)
		}
		if got, err := f.DecideAll(t.Context(), f.owner, []string{here.ID, high.ID}, approval.Decision{Note: "No."}); err != nil || got[0].Err != nil || got[1].Approval.Status != approval.Denied {
			t.Errorf("denied together: %+v, %v", got, err)
		}
		reader := storetest.Member(t, f.store, f.owner, "Reader", team.RoleViewer)
		if _, err := f.DecideAll(t.Context(), reader, []string{elsewhere.ID}, grant); fault.Of(err) != fault.Forbidden {
			t.Errorf("a viewer: %v", err)
		}
		if got, err := f.DecideAll(t.Context(), storetest.Owner(t, f.store), []string{elsewhere.ID}, grant); err != nil || fault.Of(got[0].Err) != fault.NotFound {
			t.Errorf("another team: %+v, %v", got, err)
		}
	})
}
