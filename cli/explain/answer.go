package explain

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tameflare/tameflare/cli/apiclient"
	"github.com/tameflare/tameflare/cli/apply"
	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/cli/exit"
	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/connectors/described"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/rest"
)

// Answer is what there is to say about a request. Other programs read it.
type Answer struct {
	Connector  string               `json:"connector"`
	Action     string               `json:"action"`
	Class      action.Class         `json:"class"`
	Risk       action.Risk          `json:"risk"`
	Resource   string               `json:"resource"`
	Params     map[string]any       `json:"params"`
	Reversible bool                 `json:"reversible"`
	Unknown    []string             `json:"unknown,omitempty"`
	Or         []action.Alternative `json:"or,omitempty"`

	// With a configuration.
	Decision string `json:"decision,omitempty"`
	Rule     string `json:"rule,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Would    string `json:"would,omitempty"` // at full enforcement, where that differs

	Policy     string              `json:"policy,omitempty"` // the name of the one that decided
	Version    int64               `json:"version,omitempty"`
	Line       int                 `json:"line,omitempty"` // of the rule that decided, in the policy's document
	Score      int                 `json:"risk_score,omitempty"`
	Approvers  *policy.Approvers   `json:"approvers,omitempty"`
	Reported   string              `json:"reported,omitempty"` // the rule of a report-only policy that would have been stricter
	ReportedAs string              `json:"reported_as,omitempty"`
	Considered []policy.Considered `json:"considered,omitempty"`
	More       int                 `json:"more,omitempty"` // that were considered and are left out
	Flip       *policy.Flip        `json:"flip,omitempty"`

	Error string `json:"error,omitempty"` // why the gateway would refuse the request as malformed
	Code  string `json:"code,omitempty"`

	sentence string
}

// explainer knows connectors, and maybe what is configured for a gateway.
type explainer struct {
	set    *connectors.Set
	engine *policy.Engine // nil: nothing is to be decided
	time   time.Time      // of the requests
	rules  map[string]named
}

func (o options) explainer(ctx context.Context, c *console.Console) (*explainer, error) {
	now, err := o.when(c)
	if err != nil {
		return nil, err
	}
	var doc *config.Document
	var own connectors.Own
	var versions map[string]int64
	switch {
	case o.config != "":
		text, name, err := apply.Read(c, o.config)
		if err != nil {
			return nil, err
		}
		if doc, own, err = apply.ParseUntested(o.config, name, text); err != nil {
			return nil, err
		}
	case o.gateway != "":
		client, err := c.Client()
		if err != nil {
			return nil, err
		}
		export, err := apiclient.Get[rest.Configuration](ctx, client, "/configuration", nil)
		if err != nil {
			return nil, err
		}
		if doc, own, err = apply.ParseUntested("-", "the server's configuration", []byte(export.Document)); err != nil {
			return nil, err
		}
		if versions, err = versionsOf(ctx, client, doc); err != nil {
			return nil, err
		}
	default:
		return offline()
	}
	g, err := choose(doc, o.gateway)
	if err != nil {
		return nil, err
	}
	policies, err := compiled(doc, versions)
	if err != nil {
		return nil, err
	}
	e, err := configured(g, own, policies)
	if err != nil {
		return nil, err
	}
	e.time, e.rules = now, rulesOf(policies)
	return e, nil
}

// offline knows every type at its own hosts.
func offline() (*explainer, error) {
	var all []*connectors.Connector
	for _, t := range connectors.Types() {
		if len(t.Hosts) == 0 {
			continue
		}
		one, err := connectors.New(connectors.Config{Type: t.Name})
		if err != nil {
			return nil, fmt.Errorf("connector %s: %w", t.Name, err)
		}
		all = append(all, one)
	}
	set, err := connectors.NewSet(all)
	return &explainer{set: set}, err
}

func choose(doc *config.Document, name string) (config.Gateway, error) {
	var names []string
	for _, g := range doc.Gateways {
		if g.Name == name || name == "" && len(doc.Gateways) == 1 {
			return g, nil
		}
		names = append(names, g.Name)
	}
	switch {
	case len(names) == 0:
		return config.Gateway{}, fault.New(fault.NotFound, "The configuration has no gateway.", nil)
	case name == "":
		return config.Gateway{}, exit.Wrong("The configuration has several gateways: say which with --gateway. There are " + strings.Join(names, ", ") + ".")
	}
	return config.Gateway{}, fault.New(fault.NotFound, "There is no gateway "+name+" in the configuration. There are "+strings.Join(names, ", ")+".", nil)
}

func configured(g config.Gateway, own connectors.Own, policies []policy.Policy) (*explainer, error) {
	var all []*connectors.Connector
	for _, c := range g.Connectors {
		one, err := connectors.New(connectors.Config{Type: c.Type, Own: own.Named(c.Type), Name: c.Name, Hosts: c.Hosts, Style: c.Auth})
		if err != nil {
			return nil, fmt.Errorf("connector %s: %w", c.Name, err)
		}
		all = append(all, one)
	}
	set, err := connectors.NewSet(all)
	if err != nil {
		return nil, err
	}
	rules, err := g.AccessRules()
	if err != nil {
		return nil, err
	}
	engine, err := policy.Compile(policy.Settings{Gateway: g.Name, Environment: g.Environment, Enforcement: g.Enforcement, Rules: rules, Policies: policies})
	return &explainer{set: set, engine: engine}, err
}

// answer explains a request.
func (e *explainer) answer(in described.Request) Answer {
	q, c, err := in.Question(e.set)
	sentence, name := connectors.Sentence, ""
	if c != nil {
		sentence, name = c.Sentence, c.Name()
	}
	if err != nil {
		return e.malformed(name, err)
	}
	a := q.Action
	out := Answer{
		Connector: a.Connector, Action: a.Name, Class: a.Class, Risk: a.Risk, Resource: a.Resource, Params: a.Params,
		Reversible: a.Reversible, Unknown: a.Unknown, Or: a.Or, sentence: sentence(a),
	}
	if out.Params == nil {
		out.Params = map[string]any{}
	}
	if e.engine == nil {
		return out
	}
	q.Time = e.time
	d, why := e.engine.Explain(q)
	out.decided(e.rules, d, why)
	return out
}

// malformed is the answer about a request that the gateway refuses before it
// decides: nothing looser than the strictest is said about it.
func (e *explainer) malformed(connector string, err error) Answer {
	a := Answer{Connector: connector, Params: map[string]any{}, Error: fault.Message(err), Code: "malformed"}
	if e.engine != nil {
		a.Decision, a.Rule, a.Reason = policy.Deny.String(), "malformed", a.Error
	}
	return a
}
