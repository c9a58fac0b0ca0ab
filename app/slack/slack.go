// Package slack puts held requests before people in Slack, and takes their
// answers.
//
// What is posted comes from the outbox, so a card follows its approval to its
// end, whoever ends it. What comes in is believed as far as Slack has signed
// it, and no further: whose a Slack account is, the team has said itself, and
// what that person may do is read anew for each click. A click ends in the
// same call as every other decision.
package slack

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/integration"
	"github.com/tameflare/tameflare/domain/outbox"
	"github.com/tameflare/tameflare/domain/team"
)

// Approvals is where held requests wait.
type Approvals interface {
	Get(ctx context.Context, teamID, id string) (approval.Approval, error)
	Body(ctx context.Context, teamID, id string) (approval.Body, error)
	Decide(ctx context.Context, v team.Viewer, id string, d approval.Decision) (approval.Approval, error)
}

// Integrations keeps what is set up, with its secrets.
type Integrations interface {
	Kept
	Health
}

// Kept is what is set up.
type Kept interface {
	List(ctx context.Context, teamID string) ([]integration.Integration, error)
	Save(ctx context.Context, v team.Viewer, i integration.Integration, secrets credential.Secret) (integration.Integration, error)
	Delete(ctx context.Context, v team.Viewer, id string) error
	Secrets(ctx context.Context, i integration.Integration) (credential.Secret, error)
}

// Health is how an integration does.
type Health interface {
	Did(ctx context.Context, id string, err error)
	Refused(ctx context.Context, i integration.Integration, e audit.Event)
}

// Store keeps cards, linked people, and what came in.
type Store interface {
	Cards
	People
	Integration(ctx context.Context, id string) (integration.Integration, error)
	SlackIntegrations(ctx context.Context) ([]integration.Integration, error)
	Letters
}

// Cards is where cards stand.
type Cards interface {
	SlackMessage(ctx context.Context, approvalID, channel string) (store.SlackMessage, error)
	SlackMessages(ctx context.Context, approvalID string) ([]store.SlackMessage, error)
	InsertSlackMessage(ctx context.Context, m store.SlackMessage) error
	ShownInSlack(ctx context.Context, m store.SlackMessage) error
	AddItems(ctx context.Context, items ...outbox.Item) error
}

// People says whose a Slack account is, and who they are now.
type People interface {
	Links
	Viewer(ctx context.Context, userID, teamID string) (team.Viewer, error)
	LastProof(ctx context.Context, teamID, userID string, now time.Time) (time.Time, error)
}

// Links are Slack accounts of people.
type Links interface {
	SlackPerson(ctx context.Context, teamID, workspace, slackUser string) (store.SlackPerson, error)
	SlackPeople(ctx context.Context, teamID string) ([]store.SlackPerson, error)
	AddSlackCode(ctx context.Context, hash, teamID, userID string, now, expires time.Time) error
	LinkSlack(ctx context.Context, hash string, p store.SlackPerson, e func(userID string) audit.Event) (store.SlackPerson, error)
	UnlinkSlack(ctx context.Context, p store.SlackPerson, e audit.Event) error
}

// Letters is what came in, and what was wrong with it.
type Letters interface {
	SeeMessage(ctx context.Context, integrationID, nonce string, at time.Time) error
	RecordEvent(ctx context.Context, teamID string, e audit.Event) error
}

// Service is Slack. All fields but APIURL, Client and IP are needed. Clicks
// are answered while Run runs.
type Service struct {
	Store        Store
	Approvals    Approvals
	Integrations Integrations
	Bus          bus.Bus
	BaseURL      string // of the dashboard
	APIURL       string // of Slack; "" is Slack's own
	Client       *http.Client
	IP           func(*http.Request) string // whose request it is; nil: who connects
	Now          func() time.Time
	Log          *slog.Logger

	desk  desk
	tries guesses
}

func (s *Service) now() time.Time { return audit.Time(s.Now()) }

// link is an address of the dashboard's.
func (s *Service) link(path string) string { return s.BaseURL + path }
