// Package api is what command lines and automation call: JSON over HTTP under
// /api/v1.
//
// Every route is a row of one table with its audience. A call is let in by a
// bearer token alone, never by a cookie, so that no other site's page can make
// one; there are no CORS headers for the same reason. Whatever fails becomes a
// problem in one place.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/tameflare/tameflare/app/accounts"
	"github.com/tameflare/tameflare/app/approvals"
	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/app/gateways"
	"github.com/tameflare/tameflare/app/judge"
	"github.com/tameflare/tameflare/app/kills"
	"github.com/tameflare/tameflare/app/policies"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/page"
	"github.com/tameflare/tameflare/domain/team"
)

// Tokens knows whose token it is.
type Tokens interface {
	TokenViewer(ctx context.Context, token, ip string) (team.Viewer, error)
	Tokens(ctx context.Context, v team.Viewer) ([]team.Token, error)
	RevokeToken(ctx context.Context, v team.Viewer, id string) error
	NewSignInLink(ctx context.Context, v team.Viewer) (token string, err error)
}

// Logins signs command lines in.
type Logins interface {
	BeginLoopback(ctx context.Context, b accounts.LoopbackLogin) (team.Login, error)
	BeginDevice(ctx context.Context, client, ip string) (team.Login, credential.Secret, error)
	ExchangeCode(ctx context.Context, code, verifier, redirectURI string) (credential.Secret, team.Token, team.Viewer, error)
	PollDevice(ctx context.Context, deviceCode string) (credential.Secret, team.Token, team.Viewer, error)
}

// Gateways knows the team's gateways.
type Gateways interface {
	Create(ctx context.Context, v team.Viewer, s gateways.Settings) (fleet.Gateway, error)
	List(ctx context.Context, teamID string) ([]fleet.Gateway, error)
	Find(ctx context.Context, teamID, idOrName string) (fleet.Gateway, error)
	Enrolment(ctx context.Context, v team.Viewer, id string) (gateways.Enrolment, error)
}

// Approvals is what waits, or waited, for a person.
type Approvals interface {
	KeptApprovals
	SeenApprovals
	DecidedApprovals
}

// KeptApprovals finds approvals.
type KeptApprovals interface {
	List(ctx context.Context, teamID string, f approval.Filter, after page.Cursor, limit int) ([]approval.Approval, page.Cursor, error)
	Get(ctx context.Context, teamID, id string) (approval.Approval, error)
	PendingCount(ctx context.Context, teamID string) (int, error)
	Similar(ctx context.Context, a approval.Approval) (approval.History, error)
}

// SeenApprovals shows what happens to approvals, and what they are about.
type SeenApprovals interface {
	News(ctx context.Context, teamID string, f approval.Filter, after int64, wait time.Duration) ([]approval.Approval, int64, error)
	Viewed(ctx context.Context, v team.Viewer, id string) (approval.Body, error)
}

// DecidedApprovals settles approvals.
type DecidedApprovals interface {
	Decide(ctx context.Context, v team.Viewer, id string, choice approval.Decision) (approval.Approval, error)
	DecideAll(ctx context.Context, v team.Viewer, ids []string, choice approval.Decision) ([]approvals.Outcome, error)
	EndRepeat(ctx context.Context, v team.Viewer, id string) (approval.Approval, error)
}

// Kills pulls and lifts kill switches.
type Kills interface {
	Pull(ctx context.Context, v team.Viewer, scope kills.Scope, reason string) (fleet.Kill, error)
	Lift(ctx context.Context, v team.Viewer, id string) error
	Active(ctx context.Context, teamID string) ([]fleet.Kill, error)
}

// Trail finds what agents did.
type Trail interface {
	Requests(ctx context.Context, teamID string, f audit.Filter, after page.Cursor, limit int) ([]audit.Request, page.Cursor, error)
}

// Configurations is configuration as code. Apply does everything or nothing.
type Configurations struct {
	Catalogue func(ctx context.Context, teamID string) (config.Catalogue, error) // with the team's own connector types
	Export    func(ctx context.Context, teamID string) (*config.Document, error)
	Apply     func(ctx context.Context, v team.Viewer, d *config.Document, secrets map[string]credential.Secret, dryRun, prune bool) ([]config.Change, error)
}

// Policies is what a team's policies say, and have said.
type Policies interface {
	KeptPolicies
	ChangedPolicies
}

// KeptPolicies finds policies.
type KeptPolicies interface {
	List(ctx context.Context, teamID string) ([]fleet.Policy, error)
	Find(ctx context.Context, teamID, idOrName string) (fleet.Policy, error)
	Versions(ctx context.Context, teamID, id string) ([]fleet.PolicyVersion, error)
	Version(ctx context.Context, teamID, id string, n int64) (fleet.PolicyVersion, error)
}

// ChangedPolicies makes and ends policies.
type ChangedPolicies interface {
	Check(ctx context.Context, teamID, text string) (policies.Checked, error)
	Save(ctx context.Context, v team.Viewer, d policies.Draft) (fleet.Policy, error)
	Revert(ctx context.Context, v team.Viewer, id string, base, to int64, message string) (fleet.Policy, error)
	Delete(ctx context.Context, v team.Viewer, id string, base int64) error
}

// Server answers calls. All its fields are needed. The http.Server around
// Handler has no WriteTimeout, and a BaseContext that ends when it begins to
// stop: streams end then.
type Server struct {
	Tokens         Tokens
	Logins         Logins
	Gateways       Gateways
	Approvals      Approvals
	Kills          Kills
	Trail          Trail
	Configurations Configurations
	Policies       Policies
	Judge          func(ctx context.Context, teamID, gatewayID string) (*judge.Judge, error)
	Bus            bus.Bus
	ClientIP       func(*http.Request) string
	BaseURL        string // of the dashboard
	Version        string // of this program
	Now            func() time.Time
	Log            *slog.Logger

	strangers limiter // of calls without a good token, by address
}
