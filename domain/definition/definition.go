// Package definition describes a service in a team's own words: what can be
// asked of it, and what each of that means for rules. It does no I/O.
//
// It is the table of a connector type that the program does not bring along,
// in the notation of the tables that it does. A definition comes from a YAML
// document or from a service's OpenAPI description, is checked and looked at
// by a person, and goes to gateways as JSON.
package definition

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
)

// Definition is a connector type that somebody has written down. A zero class
// is admin and a zero risk critical, as everywhere; what people leave out is
// filled in by Usual before that.
type Definition struct {
	Name       string           `json:"name"` // the first word of its actions
	Title      string           `json:"title,omitempty"`
	Docs       string           `json:"docs,omitempty"`  // the service's own documentation
	Hosts      []string         `json:"hosts,omitempty"` // where the service lives; none: a connector must name its hosts
	Auth       credential.Style `json:"auth,omitzero"`   // how it is usually shown a credential; bearer where zero
	Base       string           `json:"base,omitempty"`  // what all paths begin with: "/api/v1"
	Body       Body             `json:"body,omitzero"`
	Env        []string         `json:"env,omitempty"` // variables in which its clients look for a key
	Operations []Operation      `json:"operations"`
}

// Operation is one form of a request, and what it asks for. Several may share
// an action; they agree about its class and risk then.
type Operation struct {
	Method     string       `json:"method"`
	Path       string       `json:"path"`   // after Base, with {names} for what differs; {name...} at the end is the rest
	Action     string       `json:"action"` // "billing.invoice.send"
	Class      action.Class `json:"class"`
	Risk       action.Risk  `json:"risk"`
	Reversible bool         `json:"reversible,omitempty"` // the service can undo it
	When       string       `json:"when,omitempty"`       // what tells it from others of the same form: ".state=closed", "?all"
	Params     []string     `json:"params,omitempty"`     // what rules may look at: "amount=.total:int", "invoice", "?dry_run:bool"
	Resource   string       `json:"resource,omitempty"`   // "{customer}/{invoice}"; "?" where the request hides it
	Title      string       `json:"title,omitempty"`      // what goes after "wants to"; made of the action where empty
}

// Form is an operation's method and path, by which people refer to it.
func (o Operation) Form() string { return o.Method + " " + o.Path }

// Body is how a service reads bodies. The zero Body is JSON.
type Body uint8

const (
	JSON Body = iota
	Form      // application/x-www-form-urlencoded, or multipart
)

var bodies = [...]string{JSON: "json", Form: "form"}

func (b Body) String() string { return bodies[b] }

// MarshalText writes b as String does.
func (b Body) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (b *Body) UnmarshalText(text []byte) error {
	for i, name := range bodies {
		if name == string(text) {
			*b = Body(i)
			return nil
		}
	}
	return fault.New(fault.Invalid, "A body is json or form.", nil)
}

// Actions returns the names of the actions, sorted.
func (d Definition) Actions() []string {
	all := make([]string, 0, len(d.Operations))
	for _, o := range d.Operations {
		all = append(all, o.Action)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Called returns the title that people see, which is the name where there is
// no other.
func (d Definition) Called() string { return cmp.Or(d.Title, d.Name) }

// Plain returns d in the one spelling: methods in capitals, hosts in small
// letters, titles written out.
func (d Definition) Plain() Definition {
	d.Title = cmp.Or(strings.TrimSpace(d.Title), d.Name)
	d.Base = strings.TrimRight(d.Base, "/")
	d.Hosts, d.Env = orNil(d.Hosts), orNil(d.Env)
	for i, h := range d.Hosts {
		d.Hosts[i] = strings.TrimSuffix(strings.ToLower(strings.TrimSpace(h)), ".")
	}
	if d.Auth == (credential.Style{}) {
		d.Auth.Kind = credential.Bearer
	}
	d.Operations = slices.Clone(d.Operations)
	for i := range d.Operations {
		d.Operations[i] = d.Operations[i].plain()
	}
	return d
}

// Sorted returns d as Plain does, with its operations by path and method: two
// definitions that mean the same are equal then. Conditions are looked at in
// the order in which they stand, so operations of one form stay as they are.
func (d Definition) Sorted() Definition {
	d = d.Plain()
	slices.SortStableFunc(d.Operations, func(a, b Operation) int {
		return cmp.Or(strings.Compare(Shape("", a.Path), Shape("", b.Path)), strings.Compare(a.Method, b.Method))
	})
	return d
}

// Note is something about a definition that a person should look at: what was
// guessed, and what was left out.
type Note struct {
	Form    string // of the operation it is about; "" for the whole
	Message string // a sentence
}

func (n Note) String() string {
	if n.Form == "" {
		return n.Message
	}
	return n.Form + ": " + n.Message
}

func (o Operation) plain() Operation {
	o.Method = strings.ToUpper(strings.TrimSpace(o.Method))
	if trimmed := strings.TrimRight(o.Path, "/"); trimmed != "" || o.Path != "" {
		o.Path = cmp.Or(trimmed, "/")
	}
	o.Params = orNil(o.Params)
	o.Title = cmp.Or(strings.TrimSpace(o.Title), o.UsualTitle())
	return o
}

// UsualTitle is the title of o where nobody gives it another.
func (o Operation) UsualTitle() string {
	return titleOf(o.Action, o.Resource != "" && o.Resource != "?")
}

func orNil(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	return slices.Clone(list)
}
