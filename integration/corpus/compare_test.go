package corpus_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/integration/corpus"
)

// named is what the program says that a recorded request is. The body is given
// as the gateway gives it.
func named(t *testing.T, r corpus.Record) (action.Action, error) {
	t.Helper()
	set := connected(t)
	c := set.For(r.Host)
	if c == nil {
		return action.Action{}, fmt.Errorf("no connector answers for %s", r.Host)
	}
	body, err := r.Bytes()
	if err != nil {
		return action.Action{}, err
	}
	q := connectors.Request{Method: r.Method, Host: r.Host, Path: r.Path, RawQuery: r.Query, Header: http.Header{}}
	for name, value := range r.Headers {
		q.Header.Set(name, value)
	}
	switch need := c.NeedsBody(q); {
	case need == connectors.NeedNothing:
	case !r.Cut:
		q.Body = connectors.Whole(body)
	case need == connectors.NeedBeginning:
		q.Body = connectors.BeginningOf(body)
	}
	return c.Read(q)
}

func connected(t *testing.T) *connectors.Set {
	t.Helper()
	var all []*connectors.Connector
	for _, kind := range []string{"github", "openai", "anthropic", "stripe", "slack"} {
		c, err := connectors.New(connectors.Config{Type: kind})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	set, err := connectors.NewSet(all)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// differences are in what got differs from what a person says that r is. Of
// the parameters only those that the person names have to agree.
func differences(r corpus.Record, got action.Action) string {
	var all []string
	differ := func(what string, got, want any) {
		if a, b := plain(got), plain(want); !reflect.DeepEqual(a, b) {
			all = append(all, fmt.Sprintf("%s is %v, want %v", what, a, b))
		}
	}
	differ("action", got.Name, r.Action)
	differ("class", got.Class.String(), r.Class)
	differ("resource", got.Resource, r.Resource)
	for name, want := range r.Params {
		differ(name, got.Params[name], want)
	}
	return strings.Join(all, "; ")
}

// plain is v as JSON has it, so that numbers are of one kind.
func plain(v any) any {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var out any
	if err := json.Unmarshal(text, &out); err != nil {
		return err
	}
	return out
}
