package configuration_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/app/configuration"
	"github.com/tameflare/tameflare/app/gateways"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/app/vault"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
)

type fixture struct {
	*configuration.Service
	store *store.Store
	owner team.Viewer
}

// certificates notes whose certificates were revoked.
type certificates struct {
	gateways.Authority
	revoked []string
}

func (c *certificates) Revoke(_ context.Context, gatewayID, _ string) error {
	c.revoked = append(c.revoked, gatewayID)
	return nil
}

func each(t *testing.T, test func(t *testing.T, f fixture)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		master, _, err := vault.OpenMaster(t.TempDir(), credential.Secret{})
		if err != nil {
			t.Fatal(err)
		}
		f := fixture{store: s, owner: owner(t, s, master)}
		f.Service = &configuration.Service{
			Store: s, Vault: &vault.Service{Store: s, Master: master, Now: time.Now}, Authority: &certificates{},
			Bus: new(bus.Local), Now: time.Now, Log: slog.New(slog.DiscardHandler),
		}
		test(t, f)
	})
}

func owner(t testing.TB, s *store.Store, master vault.Master) team.Viewer {
	t.Helper()
	now := audit.Time(time.Now())
	id := strings.ToLower(rand.Text())
	key, err := master.NewTeamKey("team_" + id)
	if err != nil {
		t.Fatal(err)
	}
	v := team.Viewer{
		User: team.User{ID: "usr_" + id, Email: id + "@example.org", Name: "Ana", PasswordHash: "none", CreatedAt: now},
		Team: team.Team{ID: "team_" + id, Name: "Acme", Revision: 1, DataKey: key, CreatedAt: now},
		Role: team.RoleOwner, Auth: "token",
	}
	if err := s.InsertTeam(t.Context(), v.Team, v.User, audit.Event{Time: now, Type: "team.created", Actor: v.Actor(), Target: v.Team.ID}); err != nil {
		t.Fatal(err)
	}
	return v
}

func sample() *config.Document {
	hold := 5 * time.Second
	return &config.Document{
		Credentials: []config.Credential{
			{Name: "github-bot", Connector: "github", From: config.Source{Env: "GITHUB_TOKEN"}},
			{Name: "internal", Connector: "http", Hosts: []string{"api.internal.example"}, From: config.Source{Stdin: true}},
		},
		Gateways: []config.Gateway{{
			Name: "deploy-bot", Environment: "production",
			Connectors: []config.Connector{
				{Type: "github", Name: "github", Credential: "github-bot", Rules: []config.Rule{
					{Preset: policy.ReadOnly},
					{Action: "github.pr.merge", Decision: policy.RequireApproval, Hold: &hold, TTL: time.Hour, Reason: "Merges need a person."},
					{Action: "github.repo.delete", Decision: policy.Deny},
					{Action: "github.pr.merge", When: policy.Limits{"base": {"main", "release/*"}, "resource": {"acme/*"}}, Decision: policy.Deny},
				}},
				{
					Type: "http", Name: "internal-api", Hosts: []string{"api.internal.example"}, Private: []string{"10.0.0.0/8"},
					Auth: credential.Style{Kind: credential.Header, Name: "X-Api-Key"}, Credential: "internal", ClientKey: credential.RequireDummy,
					Rules: []config.Rule{{Action: "http.*", Decision: policy.Allow}},
				},
			},
		}, {Name: "lab-bot", Enforcement: policy.Monitor}},
	}
}

func secrets() map[string]credential.Secret {
	return map[string]credential.Secret{"github-bot": credential.NewSecret("ghp_one"), "internal": credential.NewSecret("key-one")}
}

func (f fixture) apply(t *testing.T, doc *config.Document, secrets map[string]credential.Secret, opt configuration.Options) []string {
	t.Helper()
	changes, err := f.Apply(t.Context(), f.owner, doc, secrets, opt)
	if err != nil {
		t.Fatalf("apply: %v", err)
	}
	var out []string
	for _, c := range changes {
		out = append(out, string(c.Op)+" "+c.Path)
	}
	return out
}

func (f fixture) revision(t *testing.T) int64 {
	t.Helper()
	n, err := f.store.Revision(t.Context(), f.owner.Team.ID)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (f fixture) export(t *testing.T) *config.Document {
	t.Helper()
	doc, err := f.Export(t.Context(), f.owner.Team.ID)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestWhatIsAppliedIsExported(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		before := f.revision(t)
		dry := f.apply(t, sample(), secrets(), configuration.Options{DryRun: true})
		if doc := f.export(t); len(doc.Gateways)+len(doc.Credentials) != 0 || f.revision(t) != before {
			t.Errorf("a dry run left %+v", doc)
		}
		real := f.apply(t, sample(), secrets(), configuration.Options{})
		if diff := cmp.Diff(dry, real); diff != "" || len(real) == 0 {
			t.Errorf("the dry run said something else: %s", diff)
		}
		want := sample()
		for i := range want.Credentials {
			want.Credentials[i].From = config.Source{}
		}
		if diff := cmp.Diff(want, f.export(t)); diff != "" {
			t.Errorf("exported: %s", diff)
		}
		after := f.revision(t)
		if again := f.apply(t, sample(), secrets(), configuration.Options{Prune: true}); len(again) != 0 || f.revision(t) != after {
			t.Errorf("applied again: %v, revision %d after %d", again, f.revision(t), after)
		}
		if again := f.apply(t, f.export(t), nil, configuration.Options{Prune: true}); len(again) != 0 {
			t.Errorf("what was exported, applied: %v", again)
		}
	})
}

func TestChangesAreNamedAndMade(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		f.apply(t, sample(), secrets(), configuration.Options{})
		before, err := f.store.TeamGateway(t.Context(), f.owner.Team.ID, "deploy-bot")
		if err != nil {
			t.Fatal(err)
		}
		was, err := f.store.Connectors(t.Context(), before.ID)
		if err != nil {
			t.Fatal(err)
		}
		doc := sample()
		doc.Gateways[0].Enforcement = policy.SoftEnforce
		doc.Gateways[0].Connectors[1].ClientKey = credential.Pass
		doc.Gateways[0].Connectors[0].Rules[2].Decision = policy.RequireApproval
		doc.Gateways[0].Connectors[0].Rules[3].When = policy.Limits{"base": {"main"}}
		got := f.apply(t, doc, map[string]credential.Secret{"github-bot": credential.NewSecret("ghp_two"), "internal": credential.NewSecret("key-one")}, configuration.Options{})
		want := []string{"update credentials/github-bot", "update gateways/deploy-bot", "update gateways/deploy-bot/connectors/github/rules/github.repo.delete",
			"create gateways/deploy-bot/connectors/github/rules/github.pr.merge where base=main",
			"delete gateways/deploy-bot/connectors/github/rules/github.pr.merge where base=main, base=release/*, resource=acme/*", "update gateways/deploy-bot/connectors/internal-api"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		after, err := f.store.TeamGateway(t.Context(), f.owner.Team.ID, "deploy-bot")
		if err != nil || after.ID != before.ID || after.Enforcement != policy.SoftEnforce {
			t.Errorf("gateway: %+v, %v", after, err)
		}
		if is, err := f.store.Connectors(t.Context(), before.ID); err != nil || is[0].ID != was[0].ID || is[1].ClientKey != credential.Pass || is[0].ClientKey != credential.Replace {
			t.Errorf("the connector became another: %v, %v", is, err)
		}
		if same, err := f.store.CredentialByName(t.Context(), f.owner.Team.ID, "internal"); err != nil || same.Version != 1 {
			t.Errorf("the same secret again: version %d, %v, want 1", same.Version, err)
		}
		cred, err := f.store.CredentialByName(t.Context(), f.owner.Team.ID, "github-bot")
		if err != nil || cred.Version != 2 {
			t.Errorf("credential: version %d, %v, want 2", cred.Version, err)
		}
		if secret, _, err := f.Vault.Reveal(t.Context(), f.owner.Team.ID, cred.ID); err != nil || secret.Reveal() != "ghp_two" {
			t.Errorf("the secret does not open: %v", err)
		}
	})
}

func TestPruneRemovesWhatIsNotNamed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		f.apply(t, sample(), secrets(), configuration.Options{})
		smaller := sample()
		smaller.Gateways = smaller.Gateways[1:]
		smaller.Credentials = smaller.Credentials[:1]
		if left := f.apply(t, smaller, nil, configuration.Options{}); len(left) != 0 {
			t.Errorf("without prune: %v, want nothing", left)
		}
		got := f.apply(t, smaller, nil, configuration.Options{Prune: true})
		if want := "delete credentials/internal delete gateways/deploy-bot"; strings.Join(got, " ") != want {
			t.Errorf("pruned %v, want %s", got, want)
		}
		doc := f.export(t)
		if len(doc.Gateways) != 1 || len(doc.Credentials) != 1 {
			t.Errorf("left: %+v", doc)
		}
		if c, ok := f.Authority.(*certificates); !ok || len(c.revoked) != 1 {
			t.Errorf("revoked certificates of %v, want one gateway", c.revoked)
		}
		f.apply(t, sample(), secrets(), configuration.Options{}) // the names are free again

		external := sample()
		external.Credentials = nil // the connectors name them all the same
		if got := f.apply(t, external, nil, configuration.Options{Prune: true}); len(got) != 0 {
			t.Errorf("pruned %v, which is in use", got)
		}
	})
}

func TestNothingChangesWhereSomethingIsWrong(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		f.apply(t, sample(), secrets(), configuration.Options{})
		before, beforeDoc := f.revision(t), f.export(t)
		for name, tt := range map[string]struct {
			change  func(d *config.Document)
			secrets map[string]credential.Secret
			says    string
		}{
			"a credential that is nowhere": {func(d *config.Document) { d.Gateways[0].Connectors[0].Credential = "nowhere" }, nil, "nowhere"},
			"a new credential without its secret": {func(d *config.Document) {
				d.Credentials = append(d.Credentials, config.Credential{Name: "late", Connector: "http"})
			}, nil, "late"},
			"other hosts without the secret": {func(d *config.Document) { d.Credentials[1].Hosts = []string{"other.example"} }, nil, "internal"},
			"a secret for nothing":           {func(*config.Document) {}, map[string]credential.Secret{"typo": credential.NewSecret("x")}, "typo"},
			"a secret with a line break":     {func(*config.Document) {}, map[string]credential.Secret{"github-bot": credential.NewSecret("a\nb")}, "github-bot"},
			"a type that there is not":       {func(d *config.Document) { d.Gateways[0].Connectors[0].Type = "gitlab" }, nil, "gitlab"},
			"the same host twice": {func(d *config.Document) {
				d.Gateways[0].Connectors[1].Hosts = []string{"api.github.com"}
			}, nil, "deploy-bot"},
			"a network with host bits": {func(d *config.Document) { d.Gateways[0].Connectors[1].Private = []string{"10.0.0.1/8"} }, nil, "network"},
			"a credential for another service": {func(d *config.Document) {
				d.Gateways[0].Connectors[0].Credential = "internal"
			}, nil, "internal"},
			"a credential of another type": {func(d *config.Document) { d.Credentials[0].Connector = "http" }, nil, "github-bot"},
			"a hold of a day":              {func(d *config.Document) { day := 24 * time.Hour; d.Gateways[0].Connectors[0].Rules[1].Hold = &day }, nil, "hold"},
			"an odd name":                  {func(d *config.Document) { d.Gateways[1].Name = "Lab Bot" }, nil, "Lab Bot"},
		} {
			doc := sample()
			doc.Gateways[1].Enforcement = policy.FullEnforce // which would be fine
			tt.change(doc)
			_, err := f.Apply(t.Context(), f.owner, doc, tt.secrets, configuration.Options{})
			if fault.Of(err) != fault.Invalid || !strings.Contains(fault.Message(err), tt.says) {
				t.Errorf("%s: %v, want invalid and a word about %q", name, err, tt.says)
			}
			if f.revision(t) != before {
				t.Fatalf("%s: the revision was raised", name)
			}
		}
		if diff := cmp.Diff(beforeDoc, f.export(t)); diff != "" {
			t.Error(diff)
		}
		member := f.owner
		member.Role = team.RoleMember
		if _, err := f.Apply(t.Context(), member, sample(), nil, configuration.Options{}); fault.Of(err) != fault.Forbidden {
			t.Errorf("a member applies: %v, want forbidden", err)
		}
	})
}

// meddled is a store in which somebody is faster, once.
type meddled struct {
	*store.Store
	meddle func()
}

func (m *meddled) Carry(ctx context.Context, p store.Plan) error {
	if m.meddle != nil {
		m.meddle()
		m.meddle = nil
	}
	return m.Store.Carry(ctx, p)
}

func TestChangeMeanwhileIsSeen(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		f.apply(t, sample(), secrets(), configuration.Options{})
		g, err := f.store.TeamGateway(t.Context(), f.owner.Team.ID, "lab-bot")
		if err != nil {
			t.Fatal(err)
		}
		f.Store = &meddled{f.store, func() {
			c := fleet.Connector{ID: "con_meddled", GatewayID: g.ID, Type: "github", Name: "github"}
			if err := f.store.Configure(t.Context(), g.TeamID, g.ID, []fleet.Connector{c}, nil, audit.Event{Time: time.Now(), Type: "gateway.configured"}); err != nil {
				t.Error(err)
			}
		}}
		doc := sample()
		doc.Gateways[1].Environment = "lab"
		f.apply(t, doc, nil, configuration.Options{})
		if got := f.export(t).Gateways[1]; got.Environment != "lab" || len(got.Connectors) != 0 {
			t.Errorf("afterwards: %+v, want what the document says", got)
		}
	})
}
