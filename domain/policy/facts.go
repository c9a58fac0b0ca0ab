package policy

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tameflare/tameflare/domain/action"
)

// facts are what is known of a request as one of the actions that it may be.
type facts struct {
	q       Question // by value: what is made of it may stay, and it need not
	engine  *Engine
	name    string // of the action; how it begins, where below
	class   action.Class
	below   bool // no more is known of the action than how it begins
	hidden  bool // what else is known of the action is not of this one
	mildest bool // a parameter that is not there may be anything
	about   object
}

// object is what an action's resource comes to, found once.
type object struct {
	known                       bool
	resource, owner, repository string
}

// read returns what a field is: unknown where that cannot be known, absent
// where it is known that the request does not have it.
func (x *facts) read(f *field) value {
	switch f.part {
	case onAction:
		if x.below {
			return value{kind: opening, text: x.name}
		}
		return textValue(x.name)
	case onClass:
		if x.below {
			return value{}
		}
		return textValue(x.class.String())
	case onService:
		return textValue(x.q.Type)
	case onConnector:
		return textValue(x.q.Action.Connector)
	case onGateway:
		return textValue(x.engine.gateway)
	case onEnvironment:
		return textValue(x.engine.environment)
	case onTime:
		if x.q.Time.IsZero() || !common(x.q.Time) {
			return value{}
		}
		return momentValue(x.q.Time)
	case onRun, onPrincipal:
		return x.run(f.part)
	case onMethod, onScheme, onHost, onPath, onQuery, onHeader, onBody:
		return x.request(f)
	case noField:
		return value{}
	default:
		return x.action(f)
	}
}

// common reports whether t is in a year that CEL has.
func common(t time.Time) bool { return t.Year() >= 1 && t.Year() <= 9999 }

// action reads what is known of the action besides its name.
func (x *facts) action(f *field) value {
	if x.hidden {
		return value{}
	}
	a := &x.q.Action
	switch f.part {
	case onRisk:
		return textValue(a.Risk.String())
	case onRiskLevel:
		return wholeValue(int64(action.Low) - int64(a.Risk) + 1)
	case onReversible:
		return truthValue(a.Reversible)
	case onParam:
		return x.param(f.key)
	default:
		return x.about.part(f.part)
	}
}

// objectOf looks at the resource once for all clauses.
func objectOf(a *action.Action) object {
	if hides(a, OnResource) {
		return object{}
	}
	o := object{known: true, resource: a.Resource}
	o.owner, o.repository, _ = strings.Cut(a.Resource, "/")
	if i := strings.IndexAny(o.repository, "#@:"); i >= 0 {
		o.repository = o.repository[:i]
	}
	return o
}

func (o *object) part(p part) value {
	s := o.resource
	switch {
	case !o.known:
		return value{}
	case s == "":
		return value{kind: absent}
	case p == onOwner:
		s = o.owner
	case p == onRepository:
		if s = o.repository; s == "" {
			return value{kind: absent}
		}
	}
	return textValue(s)
}

// plain is what a field is where it is certainly a text, which most are. It is
// there for speed: read says the same.
func (x *facts) plain(f *field) (s string, ok bool) {
	switch f.part {
	case onAction:
		return x.name, !x.below
	case onClass:
		return x.class.String(), !x.below
	case onService:
		return x.q.Type, true
	case onConnector:
		return x.q.Action.Connector, true
	case onResource:
		return x.about.resource, x.about.resource != "" && !x.hidden
	case onOwner:
		return x.about.owner, x.about.resource != "" && !x.hidden
	case onRepository:
		return x.about.repository, x.about.repository != "" && !x.hidden
	case onHost:
		if x.q.Request != nil {
			return x.q.Request.Host, x.q.Request.Host != ""
		}
	case onMethod:
		if x.q.Request != nil {
			return x.q.Request.Method, x.q.Request.Method != ""
		}
	case onParam:
		if !x.hidden && len(x.q.Action.Unknown) == 0 {
			s, ok = x.q.Action.Params[f.key].(string)
		}
	default:
	}
	return s, ok
}

func hides(a *action.Action, key string) bool {
	return len(a.Unknown) > 0 && (slices.Contains(a.Unknown, key) || slices.Contains(a.Unknown, "*"))
}

func (x *facts) param(key string) value {
	a := &x.q.Action
	if hides(a, key) {
		return value{}
	}
	v, there := a.Params[key]
	if !there {
		if x.mildest {
			return value{}
		}
		return value{kind: absent}
	}
	switch v := v.(type) {
	case string:
		return textValue(v)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return value{}
		}
	case bool, int64, []string:
	default:
		return value{} // no connector makes one
	}
	return valueOf(v)
}

func (x *facts) run(p part) value {
	if x.q.Run == nil {
		return value{}
	}
	if p == onPrincipal {
		return given(x.q.Run.Principal)
	}
	return given(x.q.Run.ID)
}

// given is a text that every request has. Where it is left out it is unknown.
func given(s string) value {
	if s == "" {
		return value{}
	}
	return textValue(s)
}

func (x *facts) request(f *field) value {
	r := x.q.Request
	if r == nil {
		return value{}
	}
	switch f.part {
	case onMethod:
		return given(r.Method)
	case onScheme:
		return given(r.Scheme)
	case onHost:
		return given(r.Host)
	case onPath:
		if slices.Contains(r.Hidden, "path") {
			return value{}
		}
		return given(r.Path)
	case onQuery:
		if slices.Contains(r.Hidden, "query") {
			return value{}
		}
		switch all := r.Query[f.key]; len(all) {
		case 0:
			return missing(r.Query, f.key)
		case 1:
			return textValue(all[0])
		default:
			return value{kind: list, texts: all}
		}
	case onHeader:
		if slices.Contains(r.Hidden, "headers") || len(r.Hidden) > 0 && slices.Contains(r.Hidden, "headers."+f.key) {
			return value{}
		}
		if s, there := r.Header[f.key]; there {
			return textValue(s)
		}
		return value{kind: absent}
	default:
		return body(r, f.steps)
	}
}

// body goes down the levels of a body. A list on the way has no names, but the
// service may look into each of its elements.
func body(r *Request, steps []string) value {
	if slices.Contains(r.Hidden, "body") {
		return value{}
	}
	at := r.Body
	for _, step := range steps {
		switch below := at.(type) {
		case map[string]any:
			var there bool
			if at, there = below[step]; !there {
				return missing(below, step)
			}
		case []any, []string:
			return value{}
		default:
			return value{kind: absent}
		}
	}
	return valueOf(at)
}

// manyNames is how many names a map may have for it to be looked through for
// one that is not there.
const manyNames = 256

// missing is a name that a map does not have. There are services that do not
// mind the case of names, so one that differs in nothing else may be meant.
func missing[V any](m map[string]V, name string) value {
	if len(m) > manyNames {
		return value{}
	}
	for key := range m {
		if strings.EqualFold(key, name) {
			return value{}
		}
	}
	return value{kind: absent}
}
