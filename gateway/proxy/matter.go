package proxy

import (
	"strings"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/gateway/decide"
)

// matter is what policies are shown of a request besides its action. It stands
// in the exchange, so that showing it costs nothing where nobody looks closer.
type matter struct {
	request policy.Request
	hidden  [8]string // enough for most
}

// matter returns what is decided about, as of now. What the policies of st do
// not look at is hidden from them.
func (x *exchange) matterOf(st *decide.State, c *connectors.Connector, a action.Action) policy.Question {
	uses := st.Uses()
	r := policy.Request{Method: x.r.Method, Scheme: x.dest.scheme, Host: x.dest.host, Hidden: x.matter.hidden[:0]}
	var known bool
	if r.Path, known = connectors.PlainPath(x.path); !known {
		r.Hidden = append(r.Hidden, "path")
	}
	known = false
	if uses.Query {
		r.Query, known = x.question().QueryValues()
	}
	if !known {
		r.Hidden = append(r.Hidden, "query")
	}
	if len(uses.Headers) > 0 {
		r.Header = make(map[string]string, len(uses.Headers))
		for name, values := range x.shownHeaders(uses.Headers) {
			if len(values) == 1 {
				r.Header[name] = values[0]
			} else { // servers differ in which of several counts
				r.Hidden = append(r.Hidden, "headers."+name)
			}
		}
	}
	if r.Body, known = x.bodyValue(uses, c); !known {
		r.Hidden = append(r.Hidden, "body")
	}
	x.matter.request = r
	return policy.Question{Action: a, Request: &x.matter.request, Run: &x.s.who, Time: x.s.now()}
}

// shownHeaders are those of the request that are named, in lower case, with the
// value of each line.
func (x *exchange) shownHeaders(names []string) map[string][]string {
	shown := make(map[string][]string, len(names))
	for name, values := range x.r.Header {
		if name = strings.ToLower(name); policy.SecretHeader(name) {
			continue
		}
		for _, wanted := range names {
			if wanted == name {
				shown[name] = append(shown[name], values...)
			}
		}
	}
	for _, wanted := range names {
		if wanted == "host" {
			shown[wanted] = []string{x.dest.authority()}
		}
	}
	return shown
}

// judgesBodies reports whether a policy looks at the bodies of c's requests.
func judgesBodies(uses policy.Uses, c *connectors.Connector) bool {
	return c != nil && uses.Body != nil && uses.Body(c.Type().Name)
}

// bodyValue is what the body says, where a policy looks at it. However much of
// it was kept since, it is the same each time.
func (x *exchange) bodyValue(uses policy.Uses, c *connectors.Connector) (value any, known bool) {
	if !judgesBodies(uses, c) || len(x.kept) > x.s.limits.Look {
		return nil, false
	}
	q := x.question()
	q.Body = x.known(connectors.NeedAll)
	return c.BodyValue(q)
}
