package connectorstest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/definition"
)

// Sample is a request of a size that is usual, with what it is.
type Sample struct {
	Name   string
	Type   string // of the connector
	Action string
	Kind   Kind
	Size   int // of the body
	connectors.Request
}

// Kind is how much of a request there is to read.
type Kind int

const (
	Path    Kind = iota // nothing but the path
	Body                // two kilobytes of JSON, or of a form
	GraphQL             // two kilobytes of GraphQL
)

const size = 2 << 10

// Samples are what naming is measured with.
func Samples() []Sample {
	text := strings.Repeat("A line of text, as people write them.\\n", 60)
	chat := `{"model":"gpt-5","temperature":0.2,"max_completion_tokens":512,"stream":true,"messages":[{"role":"system","content":"` +
		text[:900] + `"},{"role":"user","content":"` + text[:850] + `"}],"tools":[{"type":"function","function":{"name":"look_up","parameters":{"type":"object"}}}]}`
	form := "amount=2000&currency=eur&customer=cus_1&confirm=true&description=" + strings.Repeat("a+line+of+text%2C+", 90)
	for i := range 10 {
		form += fmt.Sprintf("&metadata[key_%d]=value", i)
	}
	document, err := json.Marshal(map[string]any{"query": merge(), "variables": map[string]any{"input": map[string]any{"pullRequestId": "PR_1", "mergeMethod": "SQUASH"}}})
	if err != nil { // maps of strings always marshal
		document = nil
	}
	sample := func(name, action string, kind Kind, method, url, contentType, body string) Sample {
		r := Request{Method: method, URL: url, Headers: http.Header{"Accept": {"*/*"}, "User-Agent": {"sample/1.0"}}, Body: body}
		if contentType != "" {
			r.Headers.Set("Content-Type", contentType)
		}
		typ, _, _ := strings.Cut(action, ".")
		return Sample{Name: name, Type: typ, Action: action, Kind: kind, Size: len(body), Request: r.Connectors()}
	}
	return []Sample{
		sample("GitHub, a list", "github.pr_review.list", Path, "GET", "https://api.github.com/repos/acme/site/pulls/812/reviews", "", ""),
		sample("GitHub, a deletion", "github.repo.delete", Path, "DELETE", "https://api.github.com/repos/acme/site", "", ""),
		sample("GitHub, not listed", "github.other.get", Path, "GET", "https://api.github.com/repos/acme/site/no/such/thing", "", ""),
		sample("Stripe, a customer", "stripe.customer.get", Path, "GET", "https://api.stripe.com/v1/customers/cus_1", "", ""),
		sample("OpenAI, the models", "openai.model.list", Path, "GET", "https://api.openai.com/v1/models", "", ""),
		sample("OpenAI, a chat", "openai.chat.create", Body, "POST", "https://api.openai.com/v1/chat/completions", aJSON, chat),
		sample("GitHub, a pull request closed", "github.pr.close", Body, "PATCH", "https://api.github.com/repos/acme/site/pulls/812", aJSON, `{"body":"`+text[:2000]+`","state":"closed"}`),
		sample("Stripe, a payment by form", "stripe.payment_intent.create", Body, "POST", "https://api.stripe.com/v1/payment_intents", aForm, form),
		sample("GitHub, a merge by GraphQL", "github.pr.merge", GraphQL, "POST", "https://api.github.com/graphql", aJSON, string(document)),
	}
}

// merge is a document as the command line client of GitHub sends them.
func merge() string {
	var b strings.Builder
	b.WriteString("mutation PullRequestMerge($input: MergePullRequestInput!) {\n  mergePullRequest(input: $input) {\n    clientMutationId\n    pullRequest {\n" +
		"      id number title state url isDraft mergeable\n      author { login ... on User { id name } }\n")
	for i := 0; b.Len() < size-250; i++ {
		fmt.Fprintf(&b, "      reviews%d: reviews(first: %d, states: [APPROVED]) { nodes { id body state author { login } } }\n", i, i+1)
	}
	b.WriteString("    }\n  }\n}\n")
	return b.String()
}

// Many is a type of n operations, the last of which is asked for by the
// request.
func Many(n int) (*connectors.Connector, connectors.Request, error) {
	d := definition.Definition{Name: "many", Hosts: []string{"api.example.com"}}
	for i := range n {
		d.Operations = append(d.Operations, definition.Operation{
			Method: "GET", Path: fmt.Sprintf("/v1/things_%d/{thing}/parts_%d/{part}", i/4, i%4), Action: fmt.Sprintf("many.thing_%d.get", i),
			Class: action.Read, Risk: action.Low, Reversible: true, Params: []string{"part"}, Resource: "{thing}",
		})
	}
	typ, err := connectors.Define(d)
	if err != nil {
		return nil, connectors.Request{}, fmt.Errorf("define a type of %d operations: %w", n, err)
	}
	c, err := connectors.New(connectors.Config{Own: typ})
	if err != nil {
		return nil, connectors.Request{}, fmt.Errorf("make a connector of %d operations: %w", n, err)
	}
	path := fmt.Sprintf("/v1/things_%d/12/parts_%d/7", (n-1)/4, (n-1)%4)
	return c, connectors.Request{Method: "GET", Host: "api.example.com", Path: path, Header: http.Header{}, Body: connectors.Whole(nil)}, nil
}
