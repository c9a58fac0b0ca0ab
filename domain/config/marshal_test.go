package config_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/policy"
)

func TestADocumentIsWrittenAsAPersonWouldWriteIt(t *testing.T) {
	t.Parallel()

	doc := sampleDocument()
	github := &doc.Gateways[0].Connectors[0]
	github.Rules = append(github.Rules, config.Rule{Action: "github.repo.push", When: policy.Limits{"ref": {"refs/heads/main"}, "a": {"*", "b c"}}, Decision: policy.Deny})
	got, err := config.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	want := `version: 1
credentials:
  - name: github-bot
    connector: github
    from: {env: GITHUB_TOKEN}
gateways:
  - name: deploy-bot
    environment: production
    enforcement: full_enforce
    connectors:
      - type: github
        credential: github-bot
        rules:
          - {preset: read_only}
          - {action: "github.pr.merge", decision: require_approval, hold: 55s, ttl: 10m}
          - {action: "github.repo.delete", decision: deny}
          - {action: "github.repo.push", decision: deny, when: {a: ["*", "b c"], ref: refs/heads/main}}
      - type: http
        name: internal-api
        hosts: [api.internal.example]
        private: ["10.0.0.0/8"]
        auth: {style: header, name: X-Api-Key}
        credential: internal
        client_key: require_dummy
        rules:
          - {action: "http.*", decision: allow}
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

var (
	names = rapid.StringMatching(`[a-z0-9]([a-z0-9._-]{0,8}[a-z0-9])?`)
	texts = rapid.StringN(0, 20, 60)
	hosts = rapid.SliceOfNDistinct(rapid.StringMatching(`(\*\.)?[a-z]{1,5}\.[a-z]{2}`), 1, 3, rapid.ID)

	globs = rapid.OneOf(rapid.SampledFrom([]string{"main", "refs/heads/*", "*", "yes", "null", "12", "0x1f", " a", "a, b", `"`, "ü: #x"}), rapid.StringMatching(`[!-~]{1,20}`))

	groups = rapid.OneOf(rapid.SampledFrom([]string{"ops", "on", "null", "12", "0x1f", "1e3"}), rapid.StringMatching(`[a-z0-9][a-z0-9-]{0,39}`))

	someRule = rapid.Custom(func(t *rapid.T) config.Rule {
		r := config.Rule{Decision: rapid.SampledFrom([]policy.Effect{policy.Deny, policy.Allow, policy.RequireApproval}).Draw(t, "decision"), Reason: texts.Draw(t, "reason")}
		if r.Decision == policy.RequireApproval && rapid.Bool().Draw(t, "times") {
			hold := time.Duration(rapid.IntRange(0, 1800).Draw(t, "hold")) * time.Second
			r.Approvers = policy.Approvers{
				Role: rapid.SampledFrom([]string{"", "member", "admin", "owner"}).Draw(t, "role"), Count: rapid.SampledFrom([]int{0, 2, 10}).Draw(t, "count"),
				Group: policy.JoinGroups(rapid.SliceOfNDistinct(groups, 0, 4, rapid.ID).Draw(t, "groups")...), NotSelf: rapid.Bool().Draw(t, "not self"), StepUp: rapid.Bool().Draw(t, "step up"),
			}
			r.Hold, r.TTL = &hold, time.Duration(rapid.IntRange(30, 86400).Draw(t, "ttl"))*time.Second
		}
		if rapid.Bool().Draw(t, "limited") {
			class := rapid.SampledFrom([]action.Class{action.Admin, action.Delete, action.Write, action.Read}).Draw(t, "class")
			r.Class = &class
		}
		if rapid.Bool().Draw(t, "narrow") {
			r.When = policy.Limits(rapid.MapOfN(rapid.SampledFrom([]string{"ref", "resource", "no", "1e3", "-x", "a.b"}), rapid.SliceOfN(globs, 1, 3), 1, 4).Draw(t, "when")).Plain()
		}
		return r
	})

	someConnector = rapid.Custom(func(t *rapid.T) config.Connector {
		c := config.Connector{
			Type: rapid.SampledFrom([]string{"github", "http"}).Draw(t, "type"), Hosts: hosts.Draw(t, "hosts"),
			Private:    rapid.SampledFrom([][]string{nil, {"10.0.0.0/8", "fd00::/8"}}).Draw(t, "private"),
			Auth:       rapid.SampledFrom([]credential.Style{{}, {Kind: credential.Bearer}, {Kind: credential.Header, Name: "X-Api-Key"}, {Kind: credential.Query, Name: "clé{"}}).Draw(t, "auth"),
			Credential: rapid.SampledFrom([]string{"", "true", "1e3", "a"}).Draw(t, "credential"),
			ClientKey:  rapid.SampledFrom([]credential.ClientKey{credential.Replace, credential.Pass, credential.RequireDummy}).Draw(t, "client key"),
		}
		for i := range rapid.IntRange(0, 3).Draw(t, "rules") {
			r := someRule.Draw(t, "rule")
			r.Action = action.Pattern(fmt.Sprintf("*.noun%d.*", i))
			c.Rules = append(c.Rules, r)
		}
		if rapid.Bool().Draw(t, "preset") {
			c.Rules = append(c.Rules, config.Rule{Preset: policy.ReadOnly})
		}
		return c
	})

	someDocument = rapid.Custom(func(t *rapid.T) *config.Document {
		d := &config.Document{}
		for _, name := range rapid.SliceOfNDistinct(groups, 0, 3, rapid.ID).Draw(t, "groups") {
			var members []string
			members = append(members, rapid.SampledFrom([][]string{nil, {"a@b.example"}, {"a+b@c", "no@d e"}}).Draw(t, "members")...)
			d.Groups = append(d.Groups, config.Group{Name: name, Members: members})
		}
		for _, name := range rapid.SliceOfNDistinct(names, 0, 3, rapid.ID).Draw(t, "credentials") {
			d.Credentials = append(d.Credentials, config.Credential{
				Name: "cred-" + name, Connector: "http", Hosts: rapid.SampledFrom([][]string{nil, {"a.b", "*.c.d"}}).Draw(t, "hosts"),
				From: rapid.SampledFrom([]config.Source{{}, {Env: "A_B1"}, {File: "/run/a: b#c"}, {File: "no"}, {Stdin: true}}).Draw(t, "from"),
			})
		}
		for _, name := range rapid.SliceOfNDistinct(names, 0, 3, rapid.ID).Draw(t, "gateways") {
			g := config.Gateway{Name: name, Environment: rapid.SampledFrom([]string{"", "production", "yes", "null", "12", "1.5", "0x1f", "a-b.c_d"}).Draw(t, "environment"), Enforcement: rapid.SampledFrom([]policy.Enforcement{policy.FullEnforce, policy.SoftEnforce, policy.Monitor}).Draw(t, "level")}
			for i, c := range rapid.SliceOfN(someConnector, 0, 3).Draw(t, "connectors") {
				c.Name = fmt.Sprint("con", i)
				if i == 0 && rapid.Bool().Draw(t, "by type") {
					c.Name = c.Type
				}
				g.Connectors = append(g.Connectors, c)
			}
			d.Gateways = append(d.Gateways, g)
		}
		return d
	})
)

func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		d := someDocument.Draw(t, "document")
		data, err := config.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		got, err := config.Parse("export", data, nil)
		if diff := cmp.Diff(d, got); err != nil || diff != "" {
			t.Fatalf("%s\n%v (-want +got)\n%s", data, err, diff)
		}
		again, err := config.Marshal(got)
		if err != nil || !bytes.Equal(again, data) {
			t.Fatalf("written again, it is\n%s, %v, want\n%s", again, err, data)
		}
		if changes := config.Diff(d, got); len(changes) > 0 {
			t.Fatalf("differs from itself: %v", changes)
		}
	})
}

func TestWhatCouldNotBeReadBackIsNotWritten(t *testing.T) {
	t.Parallel()

	if data, err := config.Marshal(&config.Document{Gateways: []config.Gateway{{Name: "Not A Name"}}}); err == nil {
		t.Errorf("wrote %s", data)
	}
}

func TestTheDifferenceIsNamedThingByThing(t *testing.T) {
	t.Parallel()

	old, changed := sampleDocument(), sampleDocument()
	g := &changed.Gateways[0]
	g.Enforcement = policy.Monitor
	g.Connectors[0].ClientKey = credential.Pass
	g.Connectors[0].Rules = []config.Rule{g.Connectors[0].Rules[2], {Action: "github.pr.merge", Decision: policy.Allow, Reason: "Fine."}, {Action: "github.pr.*", Decision: policy.Allow},
		{Action: "github.pr.*", When: policy.Limits{"resource": {"acme/*"}, "base": {"a", "b"}}, Decision: policy.Deny}}
	g.Connectors = append(g.Connectors[:1], config.Connector{Type: "http", Name: "other", Hosts: []string{"a.b"}, Rules: []config.Rule{{Preset: policy.AllowAll}}})
	changed.Credentials = append(changed.Credentials, config.Credential{Name: "new", Connector: "http"})

	var got []string
	for _, c := range config.Diff(old, changed) {
		got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s", c.Op, c.Path, c.Detail)))
	}
	want := []string{
		"create credentials/new connector: http",
		"update gateways/deploy-bot enforcement: full_enforce → monitor",
		"update gateways/deploy-bot/connectors/github client_key: replace → pass",
		"update gateways/deploy-bot/connectors/github/rules/github.pr.merge decision: require_approval → allow, hold: 55s → none, ttl: 10m → none, reason: none → Fine.",
		"create gateways/deploy-bot/connectors/github/rules/github.pr.* decision: allow",
		"create gateways/deploy-bot/connectors/github/rules/github.pr.* where base=a, base=b, resource=acme/* decision: deny",
		"delete gateways/deploy-bot/connectors/github/rules/preset read_only",
		"create gateways/deploy-bot/connectors/other type: http, hosts: [a.b]",
		"create gateways/deploy-bot/connectors/other/rules/preset allow_all",
		"delete gateways/deploy-bot/connectors/internal-api type: http, hosts: [api.internal.example], private: [\"10.0.0.0/8\"], auth: {style: header, name: X-Api-Key}, credential: internal, client_key: require_dummy",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
