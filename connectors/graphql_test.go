package connectors_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/action"
)

// What GitHub's GraphQL would run and we cannot read may be anything.
func TestAGraphQLRequestThatHidesWhatItDoesMayBeAnything(t *testing.T) {
	t.Parallel()

	const read = `{"query":"{viewer{login}}"}`
	c := one(t, "github")
	for name, r := range map[string]connectors.Request{
		"no body":                 {},
		"an empty body":           {Body: connectors.Whole(nil)},
		"not read":                {Body: connectors.Unreadable()},
		"the beginning":           {Body: connectors.BeginningOf([]byte(read))},
		"cut off":                 {Body: connectors.Whole([]byte(read[:20]))},
		"encoded":                 {Body: connectors.Whole([]byte(read)), Header: http.Header{"Content-Encoding": {"gzip"}}},
		"also in the query":       {Body: connectors.Whole([]byte(read)), RawQuery: "query=mutation%7Bx%7D"},
		"in the query":            {Body: connectors.Whole([]byte("{}")), RawQuery: "query=%7Bviewer%7Blogin%7D%7D"},
		"of another kind":         {Body: connectors.Whole([]byte(read)), Header: http.Header{"Content-Type": {"multipart/form-data; boundary=x"}}},
		"persisted":               {Body: connectors.Whole([]byte(`{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"ab"}}}`))},
		"a field nobody knows":    {Body: connectors.Whole([]byte(`{"query":"mutation{mergeEverything(input:{}){x}}"}`))},
		"one of two":              {Body: connectors.Whole([]byte(`{"query":"mutation{addStar(input:{}){x} mergeEverything(input:{}){x}}"}`))},
		"one of a batch":          {Body: connectors.Whole([]byte(`[` + read + `,{"query":"{"}]`))},
		"an unreadable document":  {Body: connectors.Whole([]byte(`{"query":"{viewer{login}"}`))},
		"two operations":          {Body: connectors.Whole([]byte(`{"query":"query A{viewer{login}} mutation B{addStar(input:{}){x}}"}`))},
		"a subscription":          {Body: connectors.Whole([]byte(`{"query":"subscription{viewer{login}}"}`))},
		"a query said twice":      {Body: connectors.Whole([]byte(`{"query":"{viewer{login}}","query":"mutation{addStar(input:{}){x}}"}`))},
		"a query in capitals too": {Body: connectors.Whole([]byte(`{"query":"{viewer{login}}","Query":"mutation{addStar(input:{}){x}}"}`))},
	} {
		r.Method, r.Host, r.Path = "POST", "api.github.com", "/graphql"
		a, err := c.Read(r)
		want := []action.Alternative{{Name: "github.*", Class: action.Admin}}
		if err != nil || a.Name != "github.graphql.unknown" || a.Class != action.Admin || a.Risk != action.Critical || cmp.Diff(want, a.Or) != "" || cmp.Diff([]string{"*"}, a.Unknown) != "" {
			t.Errorf("%s: %+v, %v, want what may be anything", name, a, err)
		}
		if c.NeedsBody(r) != connectors.NeedAll {
			t.Errorf("%s: does not want the body", name)
		}
	}
	for name, document := range map[string]string{"a schema": "{__schema{types{name}}}", "a type": "query{__type(name:1){name}}", "its own name": "{__typename}"} {
		r := connectors.Request{Method: "POST", Host: "api.github.com", Path: "/graphql", Body: connectors.Whole([]byte(`{"query":"` + document + `"}`))}
		if a, err := c.Read(r); err != nil || a.Name != "github.graphql.inspect" || a.Class != action.Read {
			t.Errorf("%s: %+v, %v, want github.graphql.inspect", name, a, err)
		}
	}
}
