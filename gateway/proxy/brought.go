package proxy

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/gateway/decide"
	"github.com/tameflare/tameflare/gateway/dummy"
)

// brought is what follows from the keys that the client itself has put on a
// request. The zero brought is that nothing does.
type brought struct {
	alert      string // what people are told of; see package audit
	reason     string // why the request must not go, a sentence; "" where it may
	suggestion string
	own        string // a digest of the client's own keys, where they go through and ours stays here
}

// byClientKey decides where a rule would let a request pass, and what the
// client brought with it does not.
const byClientKey policy.By = "client_key"

const (
	saysToken      = "This request carries the token with which this run asks about its approvals."
	saysElsewhere  = "This request carries a key that was given to this run for another service."
	saysAnother    = "This request carries a key that this run was not given."
	saysVisible    = "This request carries a key of this run in a place from which it would go on to the service."
	saysOnlyTheRun = "This connector takes only the key that this run was given, and the request brings another, or none."

	doToken   = "Send it to the status_url of an approval, and nowhere else." //nolint:gosec // it holds none
	doRestart = "Start the process anew under tameflare run, so that it reads the keys of this run."
	doPlain   = "Send the key only where the service's own clients do, and to no other host."
	doGiven   = "Send the key from the environment that tameflare run has set, and no other."
)

// weigh decides with st about a, and about what the client brought with it. A
// rule that denies says so itself; at monitor nothing is refused, and what
// would have been is marked.
func (x *exchange) weigh(st *decide.State, c *connectors.Connector, a action.Action) (policy.Decision, brought) {
	x.asking = x.matterOf(st, c, a)
	d, b := st.Decide(x.asking, c), x.brings(st, c)
	switch {
	case b.reason == "" || d.By == policy.ByKillSwitch || d.Effect == policy.Deny:
	case st.Enforcement() != policy.Monitor:
		d = policy.Decision{Effect: policy.Deny, Would: policy.Deny, By: byClientKey, Reason: b.reason}
	case d.Would != policy.Deny:
		d.Would, d.Flagged, d.By, d.Rule, d.Reason = policy.Deny, true, byClientKey, "", b.reason
	}
	return d, b
}

// brings finds out what the client brought to c, which may be nil.
func (x *exchange) brings(st *decide.State, c *connectors.Connector) brought {
	u := x.url()
	found := dummiesOf(x.r.Header, x.path, x.query)
	for _, dummy := range slices.Concat(found, x.keptDummies()) {
		if b := x.misplaced(st, c, dummy); b.reason != "" {
			return b
		}
	}
	if c == nil {
		return brought{}
	}
	var b brought
	switch clientKey := st.ClientKey(c); clientKey {
	case credential.Pass:
		h := x.r.Header.Clone()
		h.Del("Cookie") // which comes with a service's answers, and is nobody's key
		h.Del("Proxy-Authorization")
		if keys := x.carried(st, c, h, &u); !keys.given && !keys.other {
			b.own = digest(keys.foreign)
		}
	case credential.Replace:
	default: // require_dummy, and what this version does not know
		h := x.r.Header.Clone()
		h.Del("Cookie") // clients return what they were given there, by themselves
		switch keys := x.carried(st, c, h, &u); {
		case len(keys.foreign) > 0:
			return brought{alert: audit.ForeignKey, reason: saysOnlyTheRun, suggestion: doGiven}
		case keys.other || !keys.given:
			return brought{reason: saysOnlyTheRun, suggestion: doGiven}
		}
	}
	if len(found) > 0 && x.stays(c, b, u) {
		return brought{reason: saysVisible, suggestion: doPlain}
	}
	return b
}

// misplaced says why a dummy key has no business on a request to c.
func (x *exchange) misplaced(st *decide.State, c *connectors.Connector, key string) brought {
	made, known := x.s.keys.Origin(key)
	if !known { // a connector may have come since the run began
		for _, all := range st.Connectors() {
			x.s.keys.For(st.GatewayID(), all)
		}
		made, known = x.s.keys.Origin(key)
	}
	switch {
	case !known:
		return brought{alert: audit.DummyOfAnotherRun, reason: saysAnother, suggestion: doRestart}
	case made == (dummy.Origin{}):
		return brought{alert: audit.DummyElsewhere, reason: saysToken, suggestion: doToken}
	case c == nil || made.Type != c.Type().Name:
		return brought{alert: audit.DummyElsewhere, reason: saysElsewhere, suggestion: doPlain}
	}
	return brought{}
}

// stays reports whether a dummy key is still there once what is taken off has
// been.
func (x *exchange) stays(c *connectors.Connector, b brought, u url.URL) bool {
	if b.own != "" { // nothing is taken off
		return true
	}
	h := x.r.Header.Clone()
	c.Strip(h, &u)
	return len(dummiesOf(h, x.path, u.RawQuery)) > 0
}

// carried is what the client has put where a service looks for a key.
type carried struct {
	given   bool     // the key that this run was given for this connector
	other   bool     // a dummy key, but not that
	foreign []string // anything else
}

// carried looks into each place by itself: of the two halves of a Basic
// authorisation one may be a user's name.
func (x *exchange) carried(st *decide.State, c *connectors.Connector, h http.Header, u *url.URL) carried {
	given, _ := connectors.FindDummy(x.s.keys.For(st.GatewayID(), c))
	var all carried
	look := func(place []string) {
		var other, foreign []string
		for _, value := range place {
			switch dummy, ok := connectors.FindDummy(value); {
			case ok && dummy == given:
				all.given = true
				return
			case ok:
				other = append(other, value)
			case value != "":
				foreign = append(foreign, value)
			}
		}
		if len(other) > 0 {
			all.other = true
			return
		}
		all.foreign = append(all.foreign, foreign...)
	}
	rest := h.Clone()
	nowhere := &url.URL{}
	for _, name := range [...]string{"Authorization", "Proxy-Authorization"} {
		for _, value := range h[name] {
			look(c.Brought(http.Header{name: {value}}, nowhere))
		}
		delete(rest, name)
	}
	for _, value := range c.Brought(rest, u) {
		look([]string{value})
	}
	return all
}

// digest names a client's own keys without telling them; "" where there are
// none. A grant is bound to it.
func digest(keys []string) string {
	if len(keys) == 0 {
		return ""
	}
	h := sha256.New()
	h.Write([]byte("tameflare client key v1\n"))
	for _, key := range slices.Sorted(slices.Values(keys)) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(key)))
		h.Write(n[:])
		h.Write([]byte(key))
	}
	return "client:" + hex.EncodeToString(h.Sum(nil))
}
