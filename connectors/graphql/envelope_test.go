package graphql_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/connectors/graphql"
)

func TestTheEnvelopeIsReadOneWayOrNotAtAll(t *testing.T) {
	t.Parallel()

	one := graphql.Request{Query: "{a}"}
	hash := fmt.Sprintf("%x", sha256.Sum256([]byte("{a}")))
	for name, tc := range map[string]struct {
		data string
		want []graphql.Request // none where it is unreadable
	}{
		"query":                 {`{"query":"{a}"}`, []graphql.Request{one}},
		"everything":            {` {"variables":{"x":[1]},"operationName":"A","qu\u0065ry":"\u007ba}","extensions":{}} `, []graphql.Request{{Query: "{a}", OperationName: "A", Variables: json.RawMessage(`{"x":[1]}`)}}},
		"nulls":                 {`{"query":"{a}","variables":null,"operationName":null,"extensions":null,"id":null}`, []graphql.Request{one}},
		"other keys":            {`{"query":"{a}","x":{"query":1}}`, []graphql.Request{one}},
		"batch":                 {`[{"query":"{a}"}, {"query":"{b}"}]`, []graphql.Request{one, {Query: "{b}"}}},
		"hash of the same":      {`{"query":"{a}","extensions":{"persistedQuery":{"version":1,"sha256Hash":"` + hash + `"}}}`, []graphql.Request{one}},
		"hash of another":       {`{"query":"{a}","extensions":{"persistedQuery":{"version":1,"sha256Hash":"00"}}}`, []graphql.Request{{Query: "{a}", Persisted: true}}},
		"hash in another case":  {`{"query":"{a}","extensions":{"persistedquery":{"sha256Hash":"` + hash + `"}}}`, []graphql.Request{{Query: "{a}", Persisted: true}}},
		"hash alone":            {`{"extensions":{"persistedQuery":{"sha256Hash":"` + hash + `"}}}`, []graphql.Request{{Persisted: true}}},
		"empty query":           {`{"query":""}`, []graphql.Request{{Persisted: true}}},
		"null query":            {`{"query":null}`, []graphql.Request{{Persisted: true}}},
		"no query":              {`{}`, []graphql.Request{{Persisted: true}}},
		"id":                    {`{"id":"1"}`, []graphql.Request{{Persisted: true}}},
		"id beside a query":     {`{"query":"{a}","id":1}`, []graphql.Request{{Query: "{a}", Persisted: true}}},
		"doc_id":                {`{"query":"{a}","doc_id":"1"}`, []graphql.Request{{Query: "{a}", Persisted: true}}},
		"documentId":            {`{"documentId":"1"}`, []graphql.Request{{Persisted: true}}},
		"nothing":               {``, nil},
		"empty batch":           {`[]`, nil},
		"batch too long":        {`[` + strings.Repeat(`{"query":"{a}"},`, 128) + `{"query":"{a}"}]`, nil},
		"batch of batches":      {`[[{"query":"{a}"}]]`, nil},
		"batch with null":       {`[{"query":"{a}"},null]`, nil},
		"a string":              {`"{a}"`, nil},
		"key twice":             {`{"query":"{a}","query":"{b}"}`, nil},
		"key twice by escape":   {`{"query":"{a}","\u0071uery":"{b}"}`, nil},
		"key twice below":       {`{"query":"{a}","variables":{"a":1,"a":2}}`, nil},
		"key in another case":   {`{"query":"{a}","Query":"{b}"}`, nil},
		"name in another case":  {`{"query":"{a}","operationname":"B"}`, nil},
		"kelvin":                {"{\"query\":\"{a}\",\"quer\u212a\":1,\"operat\u0130onName\":1,\"variable\u017f\":{}}", nil},
		"more after it":         {`{"query":"{a}"} {"query":"{b}"}`, nil},
		"query of another type": {`{"query":["{a}"]}`, nil},
		"variables as a string": {`{"query":"{a}","variables":"{}"}`, nil},
		"name of another type":  {`{"query":"{a}","operationName":1}`, nil},
		"extensions as a list":  {`{"query":"{a}","extensions":[]}`, nil},
		"not UTF-8":             {"{\"query\":\"{a}\xff\"}", nil},
		"half a pair":           {`{"query":"{a(x:\"\ud800\")}"}`, nil},
	} {
		got, err := graphql.Envelope([]byte(tc.data))
		if diff := cmp.Diff(got, tc.want); diff != "" || (tc.want == nil) != errors.Is(err, graphql.ErrUnreadable) {
			t.Errorf("%s: %v, %s", name, err, diff)
		}
	}
}

func TestTheQueryOfAURLIsReadOneWayOrNotAtAll(t *testing.T) {
	t.Parallel()

	for rawQuery, want := range map[string]*graphql.Request{
		"query={a}": {Query: "{a}"},
		"query=%7Ba%7D&operationName=A&variables=%7B%22x%22:1%7D&x=1&x=2":        {Query: "{a}", OperationName: "A", Variables: json.RawMessage(`{"x":1}`)},
		"variables=&query=mutation+M{a}":                                         {Query: "mutation M{a}"},
		"query={a}&variables=null":                                               {Query: "{a}"},
		"query={a}&id=1":                                                         {Query: "{a}", Persisted: true},
		"extensions=" + url.QueryEscape(`{"persistedQuery":{"sha256Hash":"x"}}`): {Persisted: true},
		"":                                  {Persisted: true},
		"query=":                            {Persisted: true},
		"query={a}&query={b}":               nil,
		"query={a}&Query={b}":               nil,
		"query={a}&query[]={b}":             nil,
		"query={a}&variables[x]=1":          nil,
		"query={a}&+query={b}":              nil,
		"query={a}&variables=1":             nil,
		"query={a}&variables=%7B":           nil,
		`query={a}&variables={"a":1,"a":2}`: nil,
		"query={a}&extensions=[]":           nil,
		"query={a};query={b}":               nil,
		"query=%zz":                         nil,
	} {
		got, err := graphql.FromGET(rawQuery)
		if want == nil {
			if !errors.Is(err, graphql.ErrUnreadable) {
				t.Errorf("%s: %+v, %v", rawQuery, got, err)
			}
			continue
		}
		if diff := cmp.Diff(got, *want); diff != "" || err != nil {
			t.Errorf("%s: %v, %s", rawQuery, err, diff)
		}
	}
}

func TestAPersistedDocumentIsNotRead(t *testing.T) {
	t.Parallel()

	for _, r := range []graphql.Request{{}, {Query: "{a}", Persisted: true}} {
		if op, err := graphql.Read(r); !errors.Is(err, graphql.ErrPersisted) || !errors.Is(err, graphql.ErrUnreadable) || op.Kind != "" {
			t.Errorf("%+v: %v, %v", r, op, err)
		}
	}
}
