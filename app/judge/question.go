package judge

import (
	"net/url"
	"strings"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/address"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/policy"
)

// Question is what a gateway was asked when it recorded r, as far as the record
// shows it: headers and bodies are not kept, and values of queries that look
// like secrets are not either, so they are unknown. It reports false for a
// request that was refused before it had an action.
func (j *Judge) Question(r *audit.Request) (policy.Question, bool) {
	a, ok := r.ReadAction()
	if !ok {
		return policy.Question{}, false
	}
	host := r.Host
	if h, _, err := address.ParseHost(r.Host); err == nil {
		host = h // without the port
	}
	q := policy.Question{
		Action: a, Time: r.Time,
		Request: &policy.Request{Method: r.Method, Scheme: r.Scheme, Host: host, Hidden: []string{"headers", "body"}},
	}
	path, known := connectors.PlainPath(r.Path)
	if known && !strings.Contains(r.Path, "…") { // which marks one that was cut
		q.Request.Path = path
	} else {
		q.Request.Hidden = append(q.Request.Hidden, "path")
	}
	if r.RunID != "" {
		q.Run = &policy.Run{ID: r.RunID} // whose it was is not kept, so the principal is unknown
	}
	if c := j.Set.Named(r.Connector); c != nil {
		q.Type = c.Type().Name
	}
	query, err := url.ParseQuery(r.Query)
	if err != nil || strings.Contains(r.Query, "[cut]") || strings.Contains(r.Query, "…") {
		q.Request.Hidden = append(q.Request.Hidden, "query")
	} else {
		q.Request.Query = query
	}
	return q, true
}
