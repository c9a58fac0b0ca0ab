// Package web is the dashboard: pages for people.
//
// Every page is a row in routes.go, which says who it is for. A handler parses,
// calls a service and renders a view; it returns an error, and fail makes an
// answer of it in the one place where that is done. Pages work without
// JavaScript; what is live is told over /events that there is something to read
// again, and reads the same fragments.
package web

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/tameflare/tameflare/app/accounts"
	"github.com/tameflare/tameflare/app/approvals"
	"github.com/tameflare/tameflare/app/gateways"
	"github.com/tameflare/tameflare/app/kills"
	"github.com/tameflare/tameflare/app/policies"
	"github.com/tameflare/tameflare/app/proposals"
	"github.com/tameflare/tameflare/app/replay"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/trail"
	"github.com/tameflare/tameflare/app/vault"
	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/definition"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/page"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
)

// Accounts says who is asking.
type Accounts interface {
	Sessions
	SignIns
	Logins
	Tokens
}

// Sessions are signed-in browsers.
type Sessions interface {
	StartSession(ctx context.Context, userID, userAgent, ip string) (credential.Secret, error)
	StartLinkedSession(ctx context.Context, userID, userAgent, ip string) (credential.Secret, error)
	Viewer(ctx context.Context, sessionID, ip string) (team.Viewer, error)
	EndSession(ctx context.Context, v team.Viewer) error
	Confirm(ctx context.Context, v team.Viewer, password, ip string) error
}

// SignIns are the ways to prove who one is.
type SignIns interface {
	NeedsSetup(ctx context.Context) (bool, error)
	Register(ctx context.Context, r accounts.Registration) (team.User, error)
	SignIn(ctx context.Context, email, password, ip string) (team.User, error)
	SignInWithLink(ctx context.Context, token string) (team.User, error)
}

// Logins are command lines that ask to be signed in.
type Logins interface {
	Login(ctx context.Context, id string) (team.Login, error)
	LoginByUserCode(ctx context.Context, v team.Viewer, code string) (team.Login, error)
	ConfirmLogin(ctx context.Context, v team.Viewer, id string, approve bool) (redirect string, err error)
}

// Tokens are command lines that are signed in.
type Tokens interface {
	Tokens(ctx context.Context, v team.Viewer) ([]team.Token, error)
	RevokeToken(ctx context.Context, v team.Viewer, id string) error
}

// People knows who is in a team.
type People interface {
	Members(ctx context.Context, teamID string) ([]store.Member, error)
}

// Approvals is where held requests wait.
type Approvals interface {
	Waiting
	Deciding
	Bodies
	Similar(ctx context.Context, a approval.Approval) (approval.History, error)
}

// Waiting reads approvals.
type Waiting interface {
	List(ctx context.Context, teamID string, f approval.Filter, after page.Cursor, limit int) ([]approval.Approval, page.Cursor, error)
	Get(ctx context.Context, teamID, id string) (approval.Approval, error)
	PendingCount(ctx context.Context, teamID string) (int, error)
	Repeating(ctx context.Context, teamID string) ([]approval.Approval, error)
}

// Deciding settles approvals. MayAgree says before what Decide would say to
// somebody's agreement.
type Deciding interface {
	Decide(ctx context.Context, v team.Viewer, id string, choice approval.Decision) (approval.Approval, error)
	DecideAll(ctx context.Context, v team.Viewer, ids []string, choice approval.Decision) ([]approvals.Outcome, error)
	EndRepeat(ctx context.Context, v team.Viewer, id string) (approval.Approval, error)
	MayAgree(ctx context.Context, v team.Viewer, a approval.Approval) error
}

// Bodies are what held requests would send. Viewed puts on record who looked.
type Bodies interface {
	Body(ctx context.Context, teamID, id string) (approval.Body, error)
	Viewed(ctx context.Context, v team.Viewer, id string) (approval.Body, error)
}

// Gateways keeps gateways and what is configured for them.
type Gateways interface {
	Fleet
	Uses
	Types
	Create(ctx context.Context, v team.Viewer, set gateways.Settings) (fleet.Gateway, error)
	Update(ctx context.Context, v team.Viewer, id string, set gateways.Settings) error
	Configure(ctx context.Context, v team.Viewer, gatewayID string, cs []gateways.Connector) error
	Revoke(ctx context.Context, v team.Viewer, id string) error
}

// Fleet reads gateways.
type Fleet interface {
	List(ctx context.Context, teamID string) ([]fleet.Gateway, error)
	Find(ctx context.Context, teamID, idOrName string) (fleet.Gateway, error)
	Configuration(ctx context.Context, teamID, gatewayID string) ([]gateways.Connector, error)
	Own(ctx context.Context, teamID string) (connectors.Own, error)
}

// Uses says what is configured for all gateways together.
type Uses interface {
	Connectors(ctx context.Context, teamID string) ([]fleet.Connector, error)
}

// Types keeps the connector types that a team defines.
type Types interface {
	Types(ctx context.Context, teamID string) ([]fleet.ConnectorType, error)
	Type(ctx context.Context, teamID, name string) (fleet.ConnectorType, error)
	SaveType(ctx context.Context, v team.Viewer, d definition.Definition, version int64) error
	DeleteType(ctx context.Context, v team.Viewer, name string) error
	Uses(ctx context.Context, teamID, name string) (connectors, credentials []string, err error)
	Lost(ctx context.Context, teamID string, d definition.Definition) ([]string, error)
}

// Policies keeps what a team's policies say.
type Policies interface {
	Written
	Writing
}

// Written reads policies.
type Written interface {
	List(ctx context.Context, teamID string) ([]fleet.Policy, error)
	Find(ctx context.Context, teamID, idOrName string) (fleet.Policy, error)
	Versions(ctx context.Context, teamID, id string) ([]fleet.PolicyVersion, error)
	Version(ctx context.Context, teamID, id string, n int64) (fleet.PolicyVersion, error)
}

// Writing changes policies. Check says what Save would say of a text.
type Writing interface {
	Check(ctx context.Context, teamID, text string) (policies.Checked, error)
	Save(ctx context.Context, v team.Viewer, d policies.Draft) (fleet.Policy, error)
	Set(ctx context.Context, v team.Viewer, id string, base int64, c policies.Counts, message string) (fleet.Policy, error)
	Revert(ctx context.Context, v team.Viewer, id string, base, to int64, message string) (fleet.Policy, error)
	Delete(ctx context.Context, v team.Viewer, id string, base int64) error
}

// Replays says what policies would have changed.
type Replays interface {
	Start(teamID string, c replay.Change) (string, error)
	Status(teamID, id string) (replay.Progress, bool)
	Cancel(teamID, id string)
}

// Configured reads all that is stored for one gateway, so that what it would
// decide can be said.
type Configured interface {
	Configuration(ctx context.Context, teamID, gatewayID string) (store.Configuration, error)
}

// Proposals makes access rules of what a gateway's requests have done.
type Proposals interface {
	Propose(ctx context.Context, teamID, gatewayID string, until time.Time) (proposals.Proposal, error)
	Adopt(ctx context.Context, v team.Viewer, gatewayID string, until time.Time, digest string) error
	RuleFor(ctx context.Context, teamID string, a approval.Approval, effect policy.Effect) (proposals.Single, error)
	AddRule(ctx context.Context, v team.Viewer, a approval.Approval, effect policy.Effect) error
}

// Trail finds what happened.
type Trail interface {
	Requests(ctx context.Context, teamID string, f audit.Filter, after page.Cursor, limit int) ([]audit.Request, page.Cursor, error)
	Request(ctx context.Context, teamID, id string) (audit.Request, error)
	Events(ctx context.Context, teamID string, before int64, limit int) ([]audit.EventRow, error)
	Summary(ctx context.Context, teamID string, since time.Time) (trail.Summary, error)
	Alerts(ctx context.Context, teamID string, since time.Time) ([]audit.Alert, error)
}

// Vault keeps credentials. What it gives back never holds a secret.
type Vault interface {
	Put(ctx context.Context, v team.Viewer, name, typ string, hosts []string, secret credential.Secret) (fleet.Credential, error)
	PutEntry(ctx context.Context, v team.Viewer, e vault.Entry) (fleet.Credential, error)
	RefreshNow(ctx context.Context, v team.Viewer, id string) error
	List(ctx context.Context, teamID string) ([]fleet.Credential, error)
	Delete(ctx context.Context, v team.Viewer, id string) error
}

// Kills stops agents.
type Kills interface {
	Pull(ctx context.Context, v team.Viewer, scope kills.Scope, reason string) (fleet.Kill, error)
	Lift(ctx context.Context, v team.Viewer, id string) error
	Active(ctx context.Context, teamID string) ([]fleet.Kill, error)
}

// Bus tells that something has changed.
type Bus interface {
	Subscribe(topic string) (rung <-chan struct{}, stop func())
}

// Cookies carries the session's ID.
type Cookies interface {
	Read(r *http.Request) string
	Write(w http.ResponseWriter, r *http.Request, id credential.Secret)
	Clear(w http.ResponseWriter, r *http.Request)
}

// Server is the dashboard. All fields but IP, Stopping and Ready are needed.
type Server struct {
	Accounts   Accounts
	People     People
	Approvals  Approvals
	Gateways   Gateways
	Groups     Groups
	Policies   Policies
	Replays    Replays
	Configured Configured
	Proposals  Proposals
	Trail      Trail
	Vault      Vault
	Kills      Kills
	Slack      Slack
	Bus        Bus
	Cookies    Cookies
	Now        func() time.Time
	Log        *slog.Logger

	BaseURL  string                      // where people reach the dashboard: "https://flare.example.com"
	Loopback bool                        // it listens on loopback only
	IP       func(*http.Request) string  // who is asking; nil: who connects
	Stopping <-chan struct{}             // closed when the server shuts down, so that streams end; nil: never
	Ready    func(context.Context) error // whether requests can be served; nil: always

	known catalogue
}
