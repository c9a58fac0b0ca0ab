package connectors

import (
	"slices"
	"strings"

	"github.com/tameflare/tameflare/connectors/body"
	"github.com/tameflare/tameflare/connectors/graphql"
	"github.com/tameflare/tameflare/domain/action"
)

var (
	githubInspect = action.Action{Name: "github.graphql.inspect", Class: action.Read, Risk: action.Low, Reversible: true}
	githubAny     = action.Action{
		Name: "github.graphql.unknown", Unknown: []string{"*"}, Or: []action.Alternative{{Name: "github.*", Class: action.Admin}},
	}
)

var githubMore = []Operation{
	{
		Action: githubInspect.Name, Class: githubInspect.Class, Risk: githubInspect.Risk, Reversible: true, Title: "read how GitHub's GraphQL is made",
		Forms: []Form{{Host: "api.github.com", Method: "POST", Path: "/graphql", Note: "with nothing but __schema, __type or __typename", Docs: "https://docs.github.com/graphql/guides/introduction-to-graphql#discovering-the-graphql-api"}},
	},
	{Action: githubAny.Name, Title: "send a GraphQL request that cannot be read"},
}

// githubSecretFields hand out what works as a credential, wherever they stand
// in a query.
var githubSecretFields = []string{"tempCloneToken", "recoveryCodes"}

// graphql names a GraphQL request by all the root fields that would run. What
// cannot be read may be anything that GitHub can do.
func (g githubService) graphql(r *Request) action.Action {
	anything := githubAny
	if !r.Body.whole || r.RawQuery != "" || len(r.Header["Content-Encoding"]) > 0 && !r.Body.decoded {
		return anything
	}
	if _, _, ok := (readsJSON | anyType).kind(r.Header["Content-Type"]); !ok {
		return anything
	}
	requests, err := graphql.Envelope(r.Body.data)
	if err != nil || len(requests) == 0 {
		return anything
	}
	var all []action.Action
	for _, request := range requests {
		if slices.ContainsFunc(githubSecretFields, func(name string) bool { return strings.Contains(request.Query, name) }) {
			return anything
		}
		op, err := graphql.Read(request)
		if err != nil || len(op.Fields) == 0 && op.Kind != "query" {
			return anything
		}
		for _, field := range op.Fields {
			a, ok := g.field(op.Kind, field)
			if !ok {
				return anything
			}
			all = append(all, a)
		}
	}
	if len(all) == 0 { // only __typename
		return githubInspect
	}
	return action.Together(all)
}

// field names one root field of an operation.
func (g githubService) field(kind string, field graphql.Field) (action.Action, bool) {
	if kind == "query" && strings.HasPrefix(field.Name, "__") {
		return githubInspect, true
	}
	tree := g.table().places[githubGraphQL]
	group, err := tree.find(strings.ToUpper(kind), []string{field.Name}, "", &captured{})
	if err != nil || group == nil {
		return action.Action{}, false
	}
	v := values{readable: true, body: make([]body.Value, group.size)}
	for i, path := range group.paths {
		v.body[i] = argument(field, path)
	}
	a, ok := group.pick(&v)
	if !ok {
		return action.Action{Name: "github.unknown", Unknown: []string{"*"}, Or: group.alternatives()}, true
	}
	a.Resource = lower(a.Resource) // GitHub's names do not mind their case
	for _, name := range githubEnums {
		if value, ok := a.Params[name].(string); ok {
			a.Params[name] = lower(value)
		}
	}
	return a, true
}

// githubEnums are parameters whose values GraphQL has in capitals, and REST,
// which the rules are written for, has not.
var githubEnums = []string{
	"content", "lock_reason", "merge_method", "permission", "privacy", "reason", "role", "state", "state_reason", "visibility",
}

// argument finds a value among the arguments of a field: those of a mutation
// are all in one that is called input.
func argument(field graphql.Field, path body.Path) body.Value {
	if value, ok := field.Args.Lookup(append([]string{"input"}, path...)...); ok {
		return value
	}
	value, _ := field.Args.Lookup(path...)
	return value
}
