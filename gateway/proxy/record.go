package proxy

import (
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/policy"
)

// describe fills in what an entry says of the request itself.
func (x *exchange) describe() {
	x.entry.Request, x.entry.Run, x.entry.Proto = x.id, x.s.run.ID, x.proto
	x.entry.Method = x.r.Method
	x.entry.Scheme = x.dest.scheme
	if x.dest.host != "" {
		x.entry.Host = x.dest.authority()
	}
	x.entry.Path, x.entry.Query = blotted(x.path), shownQuery(x.query)
	x.entry.UserAgent = blotted(x.r.UserAgent())
}

// judged fills in the decision.
func (x *exchange) judged() {
	d := x.decision
	x.entry.Action = x.action
	x.entry.Action.Resource = blotted(x.action.Resource)
	x.entry.Decision, x.entry.By, x.entry.Rule, x.entry.Reason = d.Effect.String(), string(d.By), d.Rule, d.Reason
	x.entry.Policy, x.entry.PolicyV, x.entry.Score = d.Policy, d.Version, d.Risk
	x.entry.Reported, x.entry.ReportedAs = d.Reported, ""
	if d.Reported != "" {
		x.entry.ReportedAs = d.ReportedAs.String()
	}
	x.explained, x.entry.Why = false, nil
	x.entry.Alert = x.client.alert
	x.entry.Would = ""
	if d.Flagged || d.Would != d.Effect && d.By != policy.ByKillSwitch {
		x.entry.Would = d.Would.String()
	}
}

// recordIntent writes that the request is about to be sent, and returns when
// that is durable.
func (x *exchange) recordIntent() error {
	x.explain()
	x.entry.Time, x.entry.Step = x.s.now(), audit.Intent
	if x.client.own != "" {
		x.entry.Credential = audit.ClientsOwn
	} else if c, ok := x.state.Credential(x.connector); ok {
		x.entry.Credential = c.ID
	}
	if err := x.s.Spool.Record(x.entry); err != nil {
		return unavailable("This gateway cannot write its record now, and without one it forwards nothing.", err)
	}
	x.intended = true
	x.tell(false)
	return nil
}

// recordEnd writes what came of the request: the outcome of an intent, or that
// it was refused. Nothing waits for it; a refusal stays one also where it
// cannot be written.
func (x *exchange) recordEnd(why *refusal, cause error) {
	if x.ended {
		return
	}
	x.ended = true
	if x.entry.Request == "" {
		x.describe()
	}
	if !x.intended {
		x.explain()
	}
	e := x.entry
	if x.intended {
		e = audit.Traffic{Request: x.id, Run: x.entry.Run, UpstreamMS: x.entry.UpstreamMS, Approval: x.entry.Approval}
	}
	e.Time, e.Step = x.s.now(), audit.Refused
	if x.intended {
		e.Step = audit.Outcome
	}
	e.Status, e.Sent, e.Received = x.status, x.sent.Load(), x.received
	e.TotalMS = time.Since(x.began).Milliseconds()
	if why != nil {
		e.Code = why.code
		if !x.intended && e.Decision == "" {
			e.Decision, e.Reason = policy.Deny.String(), why.detail
		}
	}
	if cause != nil {
		e.Error = shownError(cause)
	}
	if err := x.s.Spool.Note(e); err != nil {
		x.s.log.Error("a request's end is not on record", "request", x.id, "error", err)
	}
	x.entry.Step, x.entry.Status, x.entry.Code, x.entry.Error = e.Step, e.Status, e.Code, e.Error
	x.tell(false)
}

// tell lets the run's owner know.
func (x *exchange) tell(held bool) {
	if x.s.run.Tell == nil {
		return
	}
	x.s.run.Tell(Event{Held: held, Entry: x.entry, Approval: x.approval})
}

// shownError is the text of err, shortened. Errors of ours name hosts and
// addresses; what clients and upstreams wrote is in none of them, save that a
// URL can be.
func shownError(err error) string {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	return audit.Plain(err.Error(), 300)
}

// shownURL is the request's URL as people may see it.
func (x *exchange) shownURL() string {
	s := x.dest.scheme + "://" + x.dest.authority() + blotted(x.path)
	if x.query != "" {
		s += "?" + shownQuery(x.query)
	}
	return s
}

const cut = "[cut]"

// blotted is s without the keys and the token that runs are given. They open
// nothing, and are still nothing to go on record.
func blotted(s string) string {
	for {
		key, ok := connectors.FindDummy(s)
		if !ok {
			return s
		}
		s = strings.ReplaceAll(s, key, cut)
	}
}

// telling are parts of parameter names whose values are secrets, more often
// than not.
var telling = []string{
	"token", "secret", "passw", "pwd", "apikey", "api_key", "api-key", "auth", "sig", "credential", "session", "jwt", "assertion", "private",
}

// shapes are how well known keys begin.
var shapes = []string{
	"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "sk-", "sk_", "rk_", "pk_", "xox", "akia", "asia", "eyj", "glpat-", "npm_", "tfc_", "aiza", "ya29.",
}

// shownQuery cuts the values that look like secrets out of a query.
func shownQuery(query string) string {
	if query == "" {
		return ""
	}
	parts := strings.Split(query, "&")
	for i, part := range parts {
		name, value, found := strings.Cut(part, "=")
		if found && value != "" && secretive(name, value) {
			parts[i] = name + "=" + cut
		} else if !found && looksSecret(name) {
			parts[i] = cut
		}
	}
	return strings.Join(parts, "&")
}

func secretive(name, value string) bool {
	name = strings.ToLower(unescaped(name))
	if name == "key" || name == "code" || name == "pass" {
		return true
	}
	for _, word := range telling {
		if strings.Contains(name, word) {
			return true
		}
	}
	return looksSecret(value)
}

func looksSecret(value string) bool {
	value = unescaped(value)
	if _, ok := connectors.FindDummy(value); ok {
		return true
	}
	value = strings.ToLower(value)
	for _, start := range shapes {
		if strings.HasPrefix(value, start) && len(value) > len(start)+8 {
			return true
		}
	}
	return false
}

func unescaped(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}
