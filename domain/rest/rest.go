// Package rest is what command lines and automation say to the server: the
// JSON of /api/v1. It does no I/O.
//
// Every call but those that begin a sign-in carries a token as a bearer
// credential. Errors are Problem with the status of their kind. A list is
// always a List; what comes after it is asked for with its Next as "cursor".
package rest

import (
	"encoding/json"
	"time"

	"github.com/tameflare/tameflare/domain/wire"
)

// Prefix is where the API is.
const Prefix = "/api/v1"

// Problem is an error (RFC 9457).
type Problem struct {
	wire.Problem
	Approval *Approval `json:"approval,omitempty"` // as it now is, where somebody else was faster

	// What is wrong with a policy's document, and its tests where any failed.
	Problems []PolicyProblem `json:"problems,omitempty"`
	Tests    []PolicyTest    `json:"tests,omitempty"`
}

// The codes of a login that is not over: those of RFC 8628, 3.5.
const (
	AuthorizationPending = "authorization_pending"
	SlowDown             = "slow_down"
	AccessDenied         = "access_denied"
	ExpiredToken         = "expired_token"
)

// List is one page of a list.
type List[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"` // cursor of the next page; empty at the end
}

// LoginRequest begins a sign-in.
type LoginRequest struct {
	Kind        string `json:"kind"`   // team.LoopbackLogin or team.DeviceLogin
	Client      string `json:"client"` // "tameflare 0.1.0 on laptop-ana (linux)"
	RedirectURI string `json:"redirect_uri,omitempty"`
	State       string `json:"state,omitempty"`
	Challenge   string `json:"challenge,omitempty"` // S256
}

// LoginAnswer says how a person goes on with a sign-in.
type LoginAnswer struct {
	ID         string    `json:"id"`
	URL        string    `json:"url"`   // to open in the browser
	Words      string    `json:"words"` // pairing words, which the browser shows too
	ExpiresAt  time.Time `json:"expires_at"`
	UserCode   string    `json:"user_code,omitempty"` // device only
	DeviceURL  string    `json:"device_url,omitempty"`
	DeviceCode string    `json:"device_code,omitempty"`
	Interval   int       `json:"interval,omitempty"` // seconds between two questions
}

// TokenRequest asks for the token of a sign-in: either with the code that the
// browser brought, or with the device code.
type TokenRequest struct {
	Code        string `json:"code,omitempty"`
	Verifier    string `json:"verifier,omitempty"`
	RedirectURI string `json:"redirect_uri,omitempty"`
	DeviceCode  string `json:"device_code,omitempty"`
}

// TokenAnswer is a token, shown this once.
type TokenAnswer struct {
	Token string `json:"token"`
	Me    Me     `json:"me"`
}

// Me is who a token acts as.
type Me struct {
	User           User      `json:"user"`
	Team           Team      `json:"team"`
	Role           string    `json:"role"`
	TokenID        string    `json:"token_id,omitempty"`
	TokenName      string    `json:"token_name,omitempty"`
	TokenExpiresAt time.Time `json:"token_expires_at,omitzero"`
}

// User is a person.
type User struct {
	ID    string `json:"id"`
	Email string `json:"email"`
	Name  string `json:"name"`
}

// Team is what people and gateways belong to.
type Team struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Gateway is a gateway as the server knows it.
type Gateway struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Environment string    `json:"environment,omitempty"`
	Enforcement string    `json:"enforcement"`
	Status      string    `json:"status"`
	Version     string    `json:"version,omitempty"`
	Snapshot    int64     `json:"snapshot"`
	EnrolledAt  time.Time `json:"enrolled_at,omitzero"`
	LastSeenAt  time.Time `json:"last_seen_at,omitzero"`
	CertExpires time.Time `json:"cert_expires,omitzero"`
	CreatedAt   time.Time `json:"created_at"`
}

// NewGateway asks for a gateway.
type NewGateway struct {
	Name        string `json:"name"`
	Environment string `json:"environment,omitempty"`
	Enforcement string `json:"enforcement,omitempty"` // full_enforce where empty
}

// Enrolment makes a machine a gateway, once. The token is a secret.
type Enrolment struct {
	Token     string    `json:"token"`
	ExpiresAt time.Time `json:"expires_at"`
	LinkURL   string    `json:"link_url"`
	RootPEM   string    `json:"root_pem"`
	GatewayID string    `json:"gateway_id"`
	Name      string    `json:"name"`
}

// Kill is a kill switch that is on.
type Kill struct {
	ID        string    `json:"id"`
	GatewayID string    `json:"gateway_id,omitempty"`
	Gateway   string    `json:"gateway,omitempty"`
	Connector string    `json:"connector,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	PulledBy  string    `json:"pulled_by"`
	PulledAt  time.Time `json:"pulled_at"`
}

// NewKill pulls a kill switch. Without gateway and connector it stops the team.
type NewKill struct {
	Gateway   string `json:"gateway,omitempty"` // name or ID
	Connector string `json:"connector,omitempty"`
	Reason    string `json:"reason,omitempty"`
}

// Request is a request that an agent made, and what became of it.
type Request struct {
	ID         string    `json:"id"`
	Time       time.Time `json:"time"`
	GatewayID  string    `json:"gateway_id"`
	Run        string    `json:"run,omitempty"`
	Method     string    `json:"method"`
	URL        string    `json:"url"`
	Host       string    `json:"host"`
	Connector  string    `json:"connector,omitempty"`
	Action     string    `json:"action"`
	Class      string    `json:"class,omitempty"`
	Risk       string    `json:"risk,omitempty"`
	Resource   string    `json:"resource,omitempty"`
	Decision   string    `json:"decision"`
	Would      string    `json:"would,omitempty"`
	DecidedBy  string    `json:"decided_by,omitempty"`
	Rule       string    `json:"rule,omitempty"`
	Reason     string    `json:"reason,omitempty"`
	Code       string    `json:"code,omitempty"`
	Policy     string    `json:"policy,omitempty"` // ID of the policy that decided
	PolicyV    int64     `json:"policy_version,omitempty"`
	Score      int       `json:"risk_score,omitempty"` // that policies gave it
	Reported   string    `json:"reported,omitempty"`   // the rule of a report-only policy that would have been stricter
	ReportedAs string    `json:"reported_as,omitempty"`
	ApprovalID string    `json:"approval_id,omitempty"`
	Alert      string    `json:"alert,omitempty"` // foreign_key, dummy_elsewhere or dummy_of_another_run
	Snapshot   int64     `json:"snapshot,omitempty"`
	Step       string    `json:"step"` // "intent" where nobody knows yet what came of it
	Status     int       `json:"status,omitempty"`
	Sent       int64     `json:"sent,omitempty"`
	Received   int64     `json:"received,omitempty"`
	Error      string    `json:"error,omitempty"`
	DecideUS   int64     `json:"decide_us,omitempty"`
	HeldMS     int64     `json:"held_ms,omitempty"`
	UpstreamMS int64     `json:"upstream_ms,omitempty"`
	TotalMS    int64     `json:"total_ms,omitempty"`

	Why json.RawMessage `json:"why,omitempty"` // a policy.Explanation
}

// Configuration is a document to apply, and the secrets that it names, each
// fetched from where the document says.
type Configuration struct {
	File     string            `json:"file,omitempty"` // what its author calls it, for the lines of problems
	Document string            `json:"document"`       // YAML
	Secrets  map[string]string `json:"secrets,omitempty"`
}

// Change is one difference that applying a document makes.
type Change struct {
	Op     string `json:"op"` // "create", "update" or "delete"
	Path   string `json:"path"`
	Detail string `json:"detail,omitempty"`
}

// Changes is what applying a document did, or would do.
type Changes struct {
	DryRun  bool     `json:"dry_run"`
	Changes []Change `json:"changes"`
}

// Status is one look at everything.
type Status struct {
	Version  string    `json:"version"` // of the server
	BaseURL  string    `json:"base_url"`
	Me       Me        `json:"me"`
	Gateways []Gateway `json:"gateways"`
	Pending  int       `json:"pending_approvals"`
	Kills    []Kill    `json:"kills"`
}

// Link is a one-time link.
type Link struct {
	URL string `json:"url"`
}

// Version is what the server is.
type Version struct {
	Version string `json:"version"`
}
