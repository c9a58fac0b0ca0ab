package hooks

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"

	delivery "github.com/tameflare/tameflare/app/outbox"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/integration"
	"github.com/tameflare/tameflare/domain/outbox"
	"github.com/tameflare/tameflare/domain/page"
	"github.com/tameflare/tameflare/domain/team"
)

// Draft makes an integration, or changes the one with its ID.
type Draft struct {
	ID      string
	Version int64 // that it was made from
	Name    string
	Enabled bool
}

func (d Draft) of(kind integration.Kind, settings any) (integration.Integration, error) {
	b, err := json.Marshal(settings)
	if err != nil {
		return integration.Integration{}, fmt.Errorf("write settings: %w", err)
	}
	return integration.Integration{ID: d.ID, Kind: kind, Name: d.Name, Settings: b, Version: d.Version, Enabled: d.Enabled}, nil
}

// SaveWebhook makes or changes a webhook. Of a new one it returns the secret,
// which is shown this once. It fails as app/integrations' Save does, and with
// fault.Invalid where the settings cannot be.
func (s *Service) SaveWebhook(ctx context.Context, v team.Viewer, d Draft, set Settings) (integration.Integration, credential.Secret, error) {
	if !v.May(team.Manage) {
		return integration.Integration{}, credential.Secret{}, mayNotManage()
	}
	if err := set.check(s.Guard); err != nil {
		return integration.Integration{}, credential.Secret{}, err
	}
	return s.save(ctx, v, d, integration.Webhook, set)
}

// SaveInbound makes or changes who sends decisions. Of a new one it returns the
// secret. It fails as SaveWebhook does.
func (s *Service) SaveInbound(ctx context.Context, v team.Viewer, d Draft, set InboundSettings) (integration.Integration, credential.Secret, error) {
	var risk action.Risk
	if err := risk.UnmarshalText([]byte(cmp.Or(set.MaxRisk, defaultRisk.String()))); err != nil {
		return integration.Integration{}, credential.Secret{}, fault.New(fault.Invalid, "A risk is low, medium, high or critical.", nil)
	}
	return s.save(ctx, v, d, integration.Inbound, set)
}

func (s *Service) save(ctx context.Context, v team.Viewer, d Draft, kind integration.Kind, settings any) (integration.Integration, credential.Secret, error) {
	i, err := d.of(kind, settings)
	if err != nil {
		return integration.Integration{}, credential.Secret{}, err
	}
	if d.ID != "" { // its secret stays
		if _, err = s.find(ctx, v.Team.ID, d.ID, kind); err == nil {
			i, err = s.Integrations.Save(ctx, v, i, credential.Secret{})
		}
		return i, credential.Secret{}, err
	}
	k := newKeys()
	if i, err = s.Integrations.Save(ctx, v, i, k.sealed()); err != nil {
		return i, credential.Secret{}, err
	}
	return i, credential.NewSecret(k.Secret), nil
}

// Rotate gives an integration a new secret, and returns it. The one before
// counts for Overlap, so that the other side can take its time.
func (s *Service) Rotate(ctx context.Context, v team.Viewer, id string) (integration.Integration, credential.Secret, error) {
	if !v.May(team.Manage) {
		return integration.Integration{}, credential.Secret{}, mayNotManage()
	}
	i, err := s.find(ctx, v.Team.ID, id, "")
	if err != nil {
		return i, credential.Secret{}, err
	}
	plain, err := s.Integrations.Secrets(ctx, i)
	if err != nil {
		return i, credential.Secret{}, err
	}
	k, err := parseKeys(plain)
	if err != nil {
		return i, credential.Secret{}, err
	}
	k = k.changed(audit.Time(s.Now()))
	if i, err = s.Integrations.Save(ctx, v, i, k.sealed()); err != nil {
		return i, credential.Secret{}, err
	}
	return i, credential.NewSecret(k.Secret), nil
}

// find returns a webhook, or who sends decisions, of the team's; of that kind,
// where it is not "".
func (s *Service) find(ctx context.Context, teamID, id string, kind integration.Kind) (integration.Integration, error) {
	i, err := s.Integrations.Find(ctx, teamID, id)
	if err == nil && (i.Kind != integration.Webhook && i.Kind != integration.Inbound || kind != "" && i.Kind != kind) {
		err = fault.New(fault.NotFound, "There is no such webhook.", nil)
	}
	return i, err
}

// Test sends a message that says nothing but that it is a test. It fails with
// fault.Conflict where the webhook is off.
func (s *Service) Test(ctx context.Context, v team.Viewer, id string) error {
	i, err := s.sendable(ctx, v, id)
	if err != nil {
		return err
	}
	now := audit.Time(s.Now())
	body, err := payload("msg_"+strings.ToLower(rand.Text()), TestEvent, now, map[string]string{
		"message": "This is a test. Nothing happened.", "by": audit.Plain(v.User.Name, maxText), "page": s.BaseURL + "/settings/integrations/webhooks/" + i.ID,
	})
	if err != nil {
		return err
	}
	return s.add(ctx, outbox.Item{TeamID: i.TeamID, Kind: outbox.Webhook, Integration: i.ID, Target: TestEvent, Payload: body})
}

// Again sends what was sent, or was given up, once more: the same message
// under the same ID. It fails with fault.NotFound, and with fault.Conflict
// where the webhook is off or the message is still on its way.
func (s *Service) Again(ctx context.Context, v team.Viewer, id, itemID string) error {
	i, err := s.sendable(ctx, v, id)
	if err != nil {
		return err
	}
	was, err := s.Items.Delivery(ctx, v.Team.ID, audit.Plain(itemID, 100))
	switch {
	case err != nil:
		return fmt.Errorf("send again: %w", err)
	case was.Integration != i.ID || was.Kind != outbox.Webhook:
		return fault.New(fault.NotFound, "There is no such delivery.", nil)
	case was.DoneAt.IsZero():
		return fault.New(fault.Conflict, "This is still on its way: it is sent by itself.", nil)
	}
	return s.add(ctx, outbox.Item{TeamID: i.TeamID, Kind: outbox.Webhook, Integration: i.ID, Ref: was.Ref, Target: was.Target, Payload: was.Payload})
}

func (s *Service) sendable(ctx context.Context, v team.Viewer, id string) (integration.Integration, error) {
	if !v.May(team.Manage) {
		return integration.Integration{}, mayNotManage()
	}
	i, err := s.find(ctx, v.Team.ID, id, integration.Webhook)
	if err == nil && !i.Enabled {
		err = fault.New(fault.Conflict, "The webhook is switched off. Switch it on first.", nil)
	}
	return i, err
}

// add lets an item of its own go out: it waits for no other.
func (s *Service) add(ctx context.Context, i outbox.Item) error {
	i = delivery.Completed(i, s.Now())
	i.Lane = i.ID
	if err := s.Items.AddItems(ctx, i); err != nil {
		return fmt.Errorf("send message: %w", err)
	}
	s.Ring(ctx)
	return nil
}

// Delivery is a message and how it goes.
type Delivery struct {
	outbox.Item
	Message string // its ID
	Event   string
}

const deliveriesPage = 50

// Deliveries returns what was sent to a webhook, newest first, from after a
// place on, and the next place.
func (s *Service) Deliveries(ctx context.Context, teamID, id string, after page.Cursor) ([]Delivery, page.Cursor, error) {
	items, err := s.Items.Deliveries(ctx, teamID, id, after, deliveriesPage+1)
	if err != nil {
		return nil, page.Cursor{}, fmt.Errorf("list deliveries: %w", err)
	}
	var next page.Cursor
	if len(items) > deliveriesPage {
		items = items[:deliveriesPage]
		last := items[deliveriesPage-1]
		next = page.Cursor{Time: last.CreatedAt, ID: last.ID}
	}
	all := make([]Delivery, len(items))
	for n, i := range items {
		var m message
		_ = json.Unmarshal(i.Payload, &m) // of ours
		all[n] = Delivery{Item: i, Message: m.ID, Event: m.Type}
	}
	return all, next, nil
}

// Sent is what a delivery sends, as it is sent.
func Sent(d Delivery) string {
	var m message
	_ = json.Unmarshal(d.Payload, &m)
	return string(m.Body)
}

func mayNotManage() error {
	return fault.New(fault.Forbidden, "Only owners and admins change integrations. Ask one of them.", nil)
}
