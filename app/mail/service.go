package mail

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"time"

	delivery "github.com/tameflare/tameflare/app/outbox"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/integration"
	"github.com/tameflare/tameflare/domain/outbox"
	"github.com/tameflare/tameflare/domain/team"
)

// Integrations keeps integrations: see app/integrations.
type Integrations interface {
	List(ctx context.Context, teamID string) ([]integration.Integration, error)
	Find(ctx context.Context, teamID, id string) (integration.Integration, error)
	Save(ctx context.Context, v team.Viewer, i integration.Integration, secrets credential.Secret) (integration.Integration, error)
	Did(ctx context.Context, id string, err error)
}

// Items keeps what is to be delivered.
type Items interface {
	AddItems(ctx context.Context, items ...outbox.Item) error
}

// Approvals is what mails are about.
type Approvals interface {
	Approval(ctx context.Context, id string) (approval.Approval, error)
}

// People knows who is in a team.
type People interface {
	Members(ctx context.Context, teamID string) ([]store.Member, error)
}

// Service writes mails and hands them in.
type Service struct {
	Server       Server
	Roots        *x509.CertPool // nil: the system's
	Integrations Integrations
	Items        Items
	Approvals    Approvals
	People       People
	Ring         func(ctx context.Context) // that there is something to deliver
	BaseURL      string                    // of the dashboard
	Now          func() time.Time
	Log          *slog.Logger
}

// Ready reports whether this server can send mails at all.
func (s *Service) Ready() bool { return s.Server.Set() }

// Settings say to whom cards go, and about what. The zero Settings are
// everybody who may decide, about everything.
type Settings struct {
	To       []string `json:"to,omitempty"`       // user IDs; empty is all who may decide
	MinRisk  string   `json:"min_risk,omitempty"` // the lowest that is worth a mail; empty is any
	Gateways []string `json:"gateways,omitempty"` // IDs; empty is all
}

// ParseSettings reads an integration's settings.
func ParseSettings(i integration.Integration) (Settings, error) {
	var s Settings
	if err := json.Unmarshal(i.Settings, &s); err != nil {
		return Settings{}, fmt.Errorf("read settings of %s: %w", i.ID, err)
	}
	return s, nil
}

// wants reports whether somebody is to have a mail about a.
func (s Settings) wants(a approval.Approval, m store.Member) bool {
	least := action.Low
	if s.MinRisk != "" && least.UnmarshalText([]byte(s.MinRisk)) != nil {
		least = action.Low // rather a mail too many
	}
	return m.Role.May(team.Decide) && m.User.DisabledAt.IsZero() && a.Action.Risk <= least && // the worst risk is the least
		(len(s.To) == 0 || slices.Contains(s.To, m.User.ID)) &&
		(len(s.Gateways) == 0 || slices.Contains(s.Gateways, a.GatewayID))
}

// Draft makes an integration, or changes the one with its ID.
type Draft struct {
	ID      string
	Version int64
	Name    string
	Enabled bool
	Settings
}

// Save makes or changes an e-mail integration. It fails as app/integrations'
// Save does, and with fault.Invalid where the settings cannot be.
func (s *Service) Save(ctx context.Context, v team.Viewer, d Draft) (integration.Integration, error) {
	var none integration.Integration
	risk := action.Low
	if err := risk.UnmarshalText([]byte(cmp.Or(d.MinRisk, risk.String()))); err != nil {
		return none, err
	}
	members, err := s.People.Members(ctx, v.Team.ID)
	if err != nil {
		return none, fmt.Errorf("look who is in the team: %w", err)
	}
	for _, id := range d.To {
		if !slices.ContainsFunc(members, func(m store.Member) bool { return m.User.ID == id }) {
			return none, fault.New(fault.Invalid, "Somebody chosen is not in the team.", nil)
		}
	}
	b, err := json.Marshal(d.Settings)
	if err != nil {
		return none, fmt.Errorf("write settings: %w", err)
	}
	if d.ID != "" {
		if _, err := s.find(ctx, v.Team.ID, d.ID); err != nil {
			return none, err
		}
	}
	return s.Integrations.Save(ctx, v, integration.Integration{
		ID: d.ID, Kind: integration.Email, Name: d.Name, Settings: b, Version: d.Version, Enabled: d.Enabled,
	}, credential.Secret{})
}

func (s *Service) find(ctx context.Context, teamID, id string) (integration.Integration, error) {
	i, err := s.Integrations.Find(ctx, teamID, id)
	if err == nil && i.Kind != integration.Email {
		err = fault.New(fault.NotFound, "There is no such integration.", nil)
	}
	return i, err
}

// Test sends v a mail that says nothing but that it is a test. It fails with
// fault.Conflict where the server sends none.
func (s *Service) Test(ctx context.Context, v team.Viewer, id string) error {
	if !v.May(team.Manage) {
		return fault.New(fault.Forbidden, "Only owners and admins do this. Ask one of them.", nil)
	}
	i, err := s.find(ctx, v.Team.ID, id)
	switch {
	case err != nil:
		return err
	case !s.Ready():
		return fault.New(fault.Conflict, "This server sends no e-mail: SMTP_URL is not set.", nil)
	case !i.Enabled:
		return fault.New(fault.Conflict, "The integration is switched off. Switch it on first.", nil)
	}
	item := delivery.Completed(outbox.Item{TeamID: i.TeamID, Kind: outbox.Email, Integration: i.ID, Target: v.User.Email}, s.Now())
	item.Lane = item.ID
	if err := s.Items.AddItems(ctx, item); err != nil {
		return fmt.Errorf("send test: %w", err)
	}
	s.Ring(ctx)
	return nil
}

// Router is the service as what makes mails of changes.
type Router struct{ *Service }

// Items returns a mail for each person who is to hear that an approval was
// opened. Where several integrations name somebody, they get one.
func (r Router) Items(ctx context.Context, teamID string, i integration.Integration, a approval.Approval, c outbox.Change) ([]outbox.Item, error) {
	if c.Type != "approval.opened" || a.Repeats != "" || a.Status != approval.Pending || !r.Ready() {
		return nil, nil
	}
	set, err := ParseSettings(i)
	if err != nil {
		return nil, err
	}
	members, err := r.People.Members(ctx, teamID)
	if err != nil {
		return nil, fmt.Errorf("look who is in the team: %w", err)
	}
	others, err := r.before(ctx, teamID, i)
	if err != nil {
		return nil, err
	}
	var items []outbox.Item
	for _, m := range members {
		if !set.wants(a, m) || slices.ContainsFunc(others, func(o Settings) bool { return o.wants(a, m) }) {
			continue
		}
		items = append(items, outbox.Item{Kind: outbox.Email, Integration: i.ID, Ref: a.ID, Target: m.User.Email, Lane: "mail " + a.ID + " " + m.User.ID})
	}
	return items, nil
}

// before are the settings of those e-mail integrations whose word comes before
// i's.
func (s *Service) before(ctx context.Context, teamID string, i integration.Integration) ([]Settings, error) {
	all, err := s.Integrations.List(ctx, teamID)
	if err != nil {
		return nil, err
	}
	var sets []Settings
	for _, o := range all {
		if o.Kind != integration.Email || !o.Enabled || o.ID >= i.ID {
			continue
		}
		if set, err := ParseSettings(o); err == nil {
			sets = append(sets, set)
		}
	}
	return sets, nil
}
