package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
)

func TestTheWizardLeadsToARunningGateway(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	w := h.post(t, "/gateways", "name", "triage-bot", "environment", "staging", "enforcement", "soft_enforce")
	to := w.Header().Get("Location")
	base, ok := strings.CutSuffix(to, "/setup/connectors")
	if !ok {
		t.Fatalf("%d to %q, want the second step\n%s", w.Code, to, w.Body)
	}
	wantSays(t, "first step, gone back to", h.get(t, base+"/setup"), `value="triage-bot"`, `value="staging"`, `value="soft_enforce" checked`)
	wantSays(t, "second step", h.get(t, to), "Add the connector", "GitHub", "Generic HTTP", "Webhook")
	wantSays(t, "second step for http", h.get(t, to+"?type=http"), "Hosts", "Private networks")
	const pasted = "ghp_PASTED_SECRET"
	w = h.post(t, to, "type", "github", "source", "paste", "secret", pasted, "credential_name", "triage-key")
	if w.Code != http.StatusSeeOther {
		t.Fatalf("add connector: %d\n%s", w.Code, w.Body)
	}
	wantSays(t, "second step, reloaded", h.get(t, to), "credential triage-key", "Add another")
	access := base + "/setup/access"
	wantSays(t, "third step", h.get(t, access), `value="read_only" checked`)
	rows := []string{
		"github.preset", "read_only",
		"github.pattern", "github.pr.merge", "github.when", "", "github.effect", "require_approval", "github.reason", "Merges need a person.", "github.hold", "2m", "github.ttl", "1h", "github.class", "",
		"github.role", "admin", "github.count", "2", "github.group", "release, ops", "github.self", "yes", "github.proof", "yes",
		"github.pattern", "", "github.when", " ", "github.effect", "allow", "github.reason", "", "github.hold", "", "github.ttl", "", "github.class", "",
		"github.role", "", "github.count", "", "github.group", "", "github.self", "", "github.proof", "",
		"github.pattern", "github.repo.*", "github.when", "resource=acme/*,\nresource=other/<b>", "github.effect", "deny", "github.reason", "", "github.hold", "", "github.ttl", "", "github.class", "delete",
		"github.role", "", "github.count", "", "github.group", "", "github.self", "", "github.proof", "",
	}
	wantSays(t, "more rows", h.post(t, access, append(rows, "more", "1")...).Body.String(), `value="github.pr.merge"`, `value="github.repo.*"`)
	wantSays(t, "groups that there are not", h.post(t, access, rows...).Body.String(), "asks for the approver group ops, and there is none of that name")
	for _, name := range []string{"ops", "release"} {
		if w := h.post(t, "/settings/groups", "name", name, "member", h.owner.User.ID); w.Code != http.StatusSeeOther {
			t.Fatalf("%s: %d", name, w.Code)
		}
	}
	w = h.post(t, access, rows...)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != base+"/setup/run" {
		t.Fatalf("third step: %d to %q\n%s", w.Code, w.Header().Get("Location"), w.Body)
	}
	wantSays(t, "third step, gone back to", h.get(t, access), `value="github.pr.merge"`, `value="2m"`, `value="1h"`, "Only what counts as delete.", `value="ops, release"`, `<option value="ops">`, ">resource=acme/*, resource=other/&lt;b&gt;</textarea>")
	wantSays(t, "the gateway's page", h.get(t, base), "<span>resource</span>", "<b>acme/*</b> or ", "<b>other/&lt;b&gt;</b>")
	if w := h.post(t, access, rows...); w.Code != http.StatusSeeOther {
		t.Errorf("third step, sent again: %d", w.Code)
	}
	id := strings.TrimPrefix(base, "/gateways/")
	cs, err := h.Gateways.Configuration(t.Context(), h.owner.Team.ID, id)
	if err != nil {
		t.Fatal(err)
	}
	type rule struct {
		Pattern, When, Class, Effect, Reason string
		Hold, TTL                            int64
		Preset                               policy.Preset
		Who                                  policy.Approvers
	}
	var got []rule
	for _, r := range cs[0].Rules {
		got = append(got, rule{string(r.Pattern), r.When.String(), r.Class, r.Effect.String(), r.Reason, r.HoldMS, r.TTLMS, r.Preset, r.Approvers})
	}
	want := []rule{
		{"*", "", "read", "allow", "", -1, 0, policy.ReadOnly, policy.Approvers{}},
		{"github.pr.merge", "", "", "require_approval", "Merges need a person.", 120_000, 3_600_000, "", policy.Approvers{Role: "admin", Count: 2, Group: "ops+release", NotSelf: true, StepUp: true}},
		{"github.repo.*", "resource=acme/*, resource=other/<b>", "delete", "deny", "", -1, 0, "", policy.Approvers{}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	wantSays(t, "fourth step", h.get(t, base+"/setup/run"), "tameflare run --gateway triage-bot -- python agent.py", "Waiting for the gateway to connect.")
	g, err := h.Gateways.Find(t.Context(), h.owner.Team.ID, id)
	if err != nil {
		t.Fatal(err)
	}
	g.EnrolledAt, g.LastSeenAt, g.SealKey = time.Now(), time.Now(), []byte("key")
	if err := h.store.EnrolGateway(t.Context(), g, audit.Event{Time: time.Now(), Type: "gateway.enrolled"}); err != nil {
		t.Fatal(err)
	}
	wantSays(t, "progress", h.get(t, base+"/setup/progress"), "The gateway is connected.", "Waiting for the first request.")
	h.gateway = g
	h.record(t, audit.Traffic{Request: "req_firstaaaa", Step: audit.Refused, Method: "GET", Host: "api.github.com", Decision: "allow"})
	wantSays(t, "progress", h.get(t, base+"/setup/progress"), "The first request has arrived.", "/traffic?gateway="+id)
	for _, path := range []string{base, base + "/setup/connectors", "/vault", "/audit"} {
		wantSilent(t, path, h.get(t, path), pasted)
	}
}

func TestWrongFieldsAreNamedAndKept(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	gw, vault := "/gateways/"+h.gateway.ID, "/vault"
	connector := func(fields ...string) []string {
		return append([]string{"type", "http", "name", "api", "hosts", "api.example.com", "source", "none"}, fields...)
	}
	for name, c := range map[string]struct {
		path   string
		fields []string
		status int
		says   []string
	}{
		"gateway without a name":      {"/gateways", []string{"enforcement", "monitor"}, 422, []string{"A name is 1 to 63", `value="monitor" checked`}},
		"gateway of a strange name":   {"/gateways", []string{"name", "Deploy Bot", "enforcement", "monitor"}, 422, []string{"A name is 1 to 63", `value="Deploy Bot"`}},
		"gateway of a taken name":     {"/gateways", []string{"name", "deploy-bot", "enforcement", "monitor"}, 409, []string{"name", `value="deploy-bot"`}},
		"gateway of no environment":   {"/gateways", []string{"name", "x", "environment", "my laptop!", "enforcement", "monitor"}, 422, []string{"An environment is a word", `value="my laptop!"`}},
		"gateway of no enforcement":   {"/gateways", []string{"name", "x", "enforcement", "hard"}, 422, []string{"An enforcement level is"}},
		"rename to nothing":           {gw + "/setup", []string{"name", "", "enforcement", "monitor"}, 422, []string{"A name is 1 to 63"}},
		"revoke without the name":     {gw + "/revoke", []string{"confirm", "deploy"}, 422, []string{"Type the gateway&#39;s name"}},
		"connector of no kind":        {gw + "/setup/connectors", []string{"type", "ftp"}, 422, []string{"Choose a kind of connector."}},
		"connector without hosts":     {gw + "/setup/connectors", []string{"type", "http", "source", "none"}, 422, []string{"Name the hosts"}},
		"connector of a strange host": {gw + "/setup/connectors", []string{"type", "http", "source", "none", "hosts", "https://x/y"}, 422, []string{`value="https://x/y"`}},
		"connector name in use":       {gw + "/setup/connectors", []string{"type", "http", "name", "github", "hosts", "x.example", "source", "none"}, 422, []string{"There is a connector of this name."}},
		"hosts of another connector":  {gw + "/setup/connectors", []string{"type", "http", "hosts", "api.github.com", "source", "none"}, 422, []string{"both answer for"}},
		"network with host bits":      {gw + "/setup/connectors", connector("private", "10.1.2.3/8"), 422, []string{"Write a network as 10.0.0.0/8", `value="10.1.2.3/8"`}},
		"header without a name":       {gw + "/setup/connectors", connector("style", "header"), 422, []string{"Name the header"}},
		"no key pasted":               {gw + "/setup/connectors", []string{"type", "http", "hosts", "x.example", "source", "paste", "credential_name", "k"}, 422, []string{"Paste the key"}},
		"credential name in use":      {gw + "/setup/connectors", []string{"type", "http", "hosts", "x.example", "source", "paste", "secret", "hunter2", "credential_name", "github-bot"}, 422, []string{"There is a credential of this name.", "Paste the key again."}},
		"key with a line break":       {gw + "/setup/connectors", []string{"type", "http", "hosts", "x.example", "source", "paste", "secret", "hunter2\nx", "credential_name", "k"}, 422, []string{"line break"}},
		"no credential chosen":        {gw + "/setup/connectors", []string{"type", "http", "hosts", "x.example", "source", "vault"}, 422, []string{"Choose a credential."}},
		"credential of another kind":  {gw + "/setup/connectors", []string{"type", "http", "hosts", "x.example", "source", "vault", "credential", h.cred.ID}, 422, []string{"is for github"}},
		"credential from nowhere":     {gw + "/setup/connectors", []string{"type", "http", "hosts", "x.example", "source", ""}, 422, []string{"Say where the credential comes from."}},
		"remove what is not there":    {gw + "/setup/connectors/remove", []string{"name", "nothing"}, 404, []string{"There is no such connector."}},
		"no preset":                   {gw + "/setup/access", []string{"github.preset", "everything"}, 422, []string{"need"}},
		"connectors have changed":     {gw + "/setup/access", nil, 409, []string{"The connectors have changed"}},
		"unknown action":              {gw + "/setup/access", access("github.pr.smash", "allow", "", ""), 422, []string{"No action of this connector is called that.", `value="github.pr.smash"`}},
		"strange pattern":             {gw + "/setup/access", access("github..merge", "allow", "", ""), 422, []string{"A pattern is words with dots"}},
		"no decision":                 {gw + "/setup/access", access("github.pr.merge", "maybe", "", ""), 422, []string{"A decision is"}},
		"hold of no length":           {gw + "/setup/access", access("github.pr.merge", "allow", "soon", ""), 422, []string{"Write how long to hold", `value="soon"`}},
		"hold too long":               {gw + "/setup/access", access("github.pr.merge", "allow", "31m", ""), 422, []string{"A hold is between 0s and 30m."}},
		"time to answer too short":    {gw + "/setup/access", access("github.pr.merge", "allow", "", "1s"), 422, []string{"A ttl is between 30s and 24h."}},
		"limit without a value":       {gw + "/setup/access", limited("github.pr.merge", "base"), 422, []string{"Write a limit as a name, an equals sign and a value", ">base</textarea>"}},
		"limit on nothing there":      {gw + "/setup/access", limited("github.pr.merge", "colour=red"), 422, []string{"github.pr.merge has no colour to look at. It has", "resource.", ">colour=red</textarea>"}},
		"limit without an action":     {gw + "/setup/access", limited("", "base=main"), 422, []string{"Say which action", ">base=main</textarea>"}},
		"limit with an open quote":    {gw + "/setup/access", limited("github.pr.merge", `base="a`), 422, []string{"The double quotes around what base has to be"}},
		"rows without their limits":   {gw + "/setup/access", []string{"github.preset", "custom", "github.pattern", "*", "github.effect", "allow", "github.class", ""}, 409, []string{"Open it again"}},
		"rows without their class":    {gw + "/setup/access", []string{"github.preset", "custom", "github.pattern", "*", "github.effect", "allow", "github.when", ""}, 409, []string{"Open it again"}},
		"rows without who agrees":     {gw + "/setup/access", access("github.pr.merge", "require_approval", "", "")[:22], 409, []string{"Open it again"}},
		"who agrees to a deny":        {gw + "/setup/access", asking("deny", "owner", "", ""), 422, []string{"Who has to agree goes with the decision require_approval only."}},
		"a group that cannot be":      {gw + "/setup/access", asking("require_approval", "", "", "a+b"), 422, []string{"A group&#39;s name is", `value="a+b"`}},
		"too many people":             {gw + "/setup/access", asking("require_approval", "", "11", ""), 422, []string{"An approval takes 1 to 10 people."}},
		"people without a number":     {gw + "/setup/access", asking("require_approval", "", "many", ""), 422, []string{"a number from 1 to 10"}},
		"a group without a name":      {"/settings/groups", nil, 422, []string{"A group&#39;s name is"}},
		"a group of a stranger":       {"/settings/groups", []string{"name", "ops", "member", "usr_none"}, 422, []string{"not in the team any more"}},
		"a group that is not there":   {"/settings/groups/grp_none", []string{"name", "ops"}, 404, []string{"There is no such group."}},
		"rule without an action":      {gw + "/setup/access", access("", "allow", "5s", ""), 422, []string{"Say which action"}},
		"credential without a name":   {vault, []string{"type", "http", "secret", "hunter2"}, 422, []string{"A name is 1 to 63"}},
		"credential of no kind":       {vault, []string{"name", "k", "type", "ftp", "secret", "hunter2"}, 422, []string{"Choose what the credential is for.", `value="k"`}},
		"credential without a secret": {vault, []string{"name", "k", "type", "http"}, 422, []string{"Paste the secret."}},
		"credential that is there":    {vault, []string{"name", "github-bot", "type", "github", "secret", "hunter2"}, 422, []string{"There is a credential of this name."}},
		"secret with a space":         {vault, []string{"name", "k", "type", "http", "secret", " hunter2"}, 422, []string{"begins or ends with a space"}},
		"credential for no host":      {vault, []string{"name", "k", "type", "http", "secret", "hunter2", "hosts", "https://x/y"}, 422, []string{"A host is written like", `value="https://x/y"`}},
		"rotate without a secret":     {vault + "/" + h.cred.ID + "/rotate", nil, 422, []string{"Paste the new secret."}},
		"delete what is in use":       {vault + "/" + h.cred.ID + "/delete", nil, 409, []string{"uses"}},
		"revoke no token":             {"/settings/tokens/tok_none/revoke", nil, 404, []string{"There is no such token"}},
	} {
		w := h.post(t, c.path, c.fields...)
		if w.Code != c.status {
			t.Errorf("%s: %d, want %d", name, w.Code, c.status)
		}
		wantSays(t, name, w.Body.String(), c.says...)
		wantSilent(t, name, w.Body.String(), "hunter2")
		wantSound(t, name, w.Body.String())
	}
	cs, err := h.Vault.List(t.Context(), h.owner.Team.ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(cs) != 1 || cs[0].Version != 1 {
		t.Errorf("the vault holds %v, want what it held", cs)
	}
}

// access is the form of the third step with one row.
func access(pattern, effect, hold, ttl string) []string {
	return []string{"github.preset", "custom", "github.pattern", pattern, "github.when", "", "github.effect", effect, "github.hold", hold, "github.ttl", ttl, "github.reason", "", "github.class", "",
		"github.role", "", "github.count", "", "github.group", "", "github.self", "", "github.proof", ""}
}

// asking is access with who has to agree.
func asking(effect, role, count, group string) []string {
	form := access("github.pr.merge", effect, "", "")
	for i, value := range map[int]string{1: role, 3: count, 5: group} {
		form[len(form)-10+i] = value
	}
	return form
}

// limited is access with something in the field "only where".
func limited(pattern, when string) []string {
	form := access(pattern, "allow", "", "")
	form[5] = when
	return form
}

func TestARevokedGatewayCannotBeChanged(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	base := "/gateways/" + h.gateway.ID
	if w := h.post(t, base+"/revoke", "confirm", h.gateway.Name); w.Code != http.StatusSeeOther {
		t.Fatalf("revoke: %d\n%s", w.Code, w.Body)
	}
	body := h.get(t, base)
	wantSays(t, "page", body, "Revoked")
	wantSilent(t, "page", body, "/setup")
	if w := h.post(t, base+"/setup/access", "github.preset", "allow_all"); w.Code != http.StatusConflict {
		t.Errorf("change: %d, want 409", w.Code)
	}
}

func TestTheVaultIsWriteOnly(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	if w := h.post(t, "/vault", "name", "stripe", "type", "http", "secret", "sk_live_1", "hosts", "api.stripe.com, files.stripe.com"); w.Code != http.StatusSeeOther {
		t.Fatalf("add: %d\n%s", w.Code, w.Body)
	}
	body := h.get(t, "/vault")
	wantSays(t, "vault", body, "stripe", "api.stripe.com, files.stripe.com", "deploy-bot/github")
	wantSilent(t, "vault", body, "sk_live_1")
	id := h.named(t, "stripe").ID
	before := h.named(t, "stripe").Fingerprint
	wantSilent(t, "rotate", h.get(t, "/vault/"+id+"/rotate"), "sk_live_1")
	if w := h.post(t, "/vault/"+id+"/rotate", "secret", "sk_live_2", "hosts", "api.stripe.com"); w.Code != http.StatusSeeOther {
		t.Fatalf("rotate: %d\n%s", w.Code, w.Body)
	}
	if c := h.named(t, "stripe"); c.Version != 2 || c.Fingerprint == before || c.ID != id {
		t.Errorf("rotated: %+v, want version 2 with another fingerprint", c)
	}
	wantSays(t, "delete", h.get(t, "/vault/"+id+"/delete"), "gone for good")
	if w := h.post(t, "/vault/"+id+"/delete"); w.Code != http.StatusSeeOther {
		t.Errorf("delete: %d", w.Code)
	}
	wantSilent(t, "vault", h.get(t, "/vault"), "stripe")
}

func (h *house) named(t *testing.T, name string) fleet.Credential {
	t.Helper()
	cs, err := h.Vault.List(t.Context(), h.owner.Team.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cs {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no credential %q", name)
	return fleet.Credential{}
}

func TestATokenIsRevokedInTheSettings(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	secret, tok, err := h.accounts.NewToken(t.Context(), h.owner.User.ID, h.owner.Team.ID, "ci", 0)
	if err != nil {
		t.Fatal(err)
	}
	wantSays(t, "settings", h.get(t, "/settings"), "laptop", ">ci<", "…"+tok.Hint)
	if w := h.post(t, "/settings/tokens/"+tok.ID+"/revoke"); w.Code != http.StatusSeeOther {
		t.Errorf("revoke: %d", w.Code)
	}
	if _, err := h.accounts.TokenViewer(t.Context(), secret.Reveal(), ""); err == nil {
		t.Error("the token still works")
	}
}
