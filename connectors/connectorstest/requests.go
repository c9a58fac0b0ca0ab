package connectorstest

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/tameflare/tameflare/connectors"
)

// Request is a request as explain reads it.
type Request struct {
	Method  string      `json:"method"`
	URL     string      `json:"url"`
	Headers http.Header `json:"headers,omitempty"`
	Body    string      `json:"body,omitempty"`
}

// Connectors returns r as a connector reads it.
func (r Request) Connectors() connectors.Request {
	rest := strings.TrimPrefix(r.URL, "https://")
	host, rest, _ := strings.Cut(rest, "/")
	path, query, _ := strings.Cut("/"+rest, "?")
	return connectors.Request{Method: r.Method, Host: host, Path: path, RawQuery: query, Header: r.Headers, Body: connectors.Whole([]byte(r.Body))}
}

var hosts = map[string]string{
	"anthropic": "https://api.anthropic.com", "github": "https://api.github.com", "openai": "https://api.openai.com/v1",
	"slack": "https://slack.com/api/", "stripe": "https://api.stripe.com",
}

// spellings of what can stand in a path: what the services write in their own
// examples, and then what nobody would think of.
var spellings = []func(name string) string{
	plausible,
	func(string) string { return "12" },
	func(string) string { return "alpha" },
	func(string) string { return "x" },
	func(string) string { return "c56a4180-65aa-42ec-a945-5fd21dec0538" },
	func(name string) string {
		if strings.HasSuffix(name, "_number") { // is a number, and anything that begins like one is refused
			return "7"
		}
		return "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
	},
	func(name string) string { return name },
}

func plausible(name string) string {
	switch {
	case strings.HasSuffix(name, "_number"), strings.HasSuffix(name, "_id"), name == "id", name == "number":
		return "12"
	case name == "owner", name == "org":
		return "acme"
	case name == "repo":
		return "site"
	}
	return "main"
}

// Requests returns requests that ask for f: with every spelling of what is in
// the path, and with every kind of body that the service takes, empty or with
// nothing in it.
func (f Fact) Requests() []Request {
	method, path, rest := strings.Cut(f.Key, " ")
	if f.Service == "slack" {
		return slack(f.Key)
	}
	if method == "mutation" || method == "query" {
		return graphql(method, path)
	}
	var all []Request
	for i, value := range spellings {
		if !rest || i > 0 && !strings.Contains(path, "{") {
			break
		}
		r := Request{Method: method, URL: hosts[f.Service] + fill(path, value)}
		all = append(all, r)
		if method == "GET" || method == "DELETE" {
			continue
		}
		for _, b := range bodies[f.Service] {
			with := r
			with.Headers, with.Body = http.Header{"Content-Type": {b.kind}}, b.text
			all = append(all, with)
		}
	}
	return all
}

type body struct{ kind, text string }

const (
	aJSON      = "application/json"
	aForm      = "application/x-www-form-urlencoded"
	aMultipart = "multipart/form-data; boundary=x"
)

var bodies = map[string][]body{
	"anthropic": {{aJSON, "{}"}, {aMultipart, "--x--\r\n"}},
	"github":    {{aJSON, "{}"}, {aJSON + "; charset=utf-8", "{}"}, {"", "{}"}},
	"openai":    {{aJSON, "{}"}, {aMultipart, "--x--\r\n"}},
	"stripe":    {{aForm, "expand[]=x"}, {aForm, ""}, {aJSON, "{}"}, {"", "{}"}},
}

// fill puts values in the place of names in braces.
func fill(path string, value func(name string) string) string {
	if strings.HasSuffix(path, "/{ref}") { // which may have slashes in it
		path = strings.TrimSuffix(path, "{ref}") + "heads/" + value("ref")
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(path, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		var name string
		name, path, _ = strings.Cut(after, "}")
		b.WriteString(value(name))
	}
}

func slack(method string) []Request {
	at := hosts["slack"] + method
	kind := func(kind string) http.Header { return http.Header{"Content-Type": {kind}} }
	return []Request{
		{Method: "POST", URL: at},
		{Method: "POST", URL: at, Headers: kind(aJSON), Body: "{}"},
		{Method: "POST", URL: at, Headers: kind(aJSON + "; charset=utf-8"), Body: `{"channel":"C012AB3CD"}`},
		{Method: "POST", URL: at, Headers: kind(aForm), Body: "channel=C012AB3CD"},
		{Method: "POST", URL: at, Headers: kind(aMultipart), Body: "--x\r\nContent-Disposition: form-data; name=\"channel\"\r\n\r\nC012AB3CD\r\n--x--\r\n"},
		{Method: "GET", URL: at},
		{Method: "GET", URL: at + "?channel=C012AB3CD"},
		{Method: "POST", URL: strings.Replace(at, "//slack.com", "//api.slack.com", 1)},
	}
}

func graphql(kind, field string) []Request {
	arguments := map[string]string{
		"repository": `(owner:"acme",name:"site")`, "organization": `(login:"acme")`, "user": `(login:"octocat")`, "node": `(id:"R_1")`, "nodes": `(ids:["R_1"])`,
	}[field]
	documents := []struct{ query, variables string }{
		{"query { " + field + arguments + " { __typename } }", ""},
		{"query Q { a: " + field + arguments + " { __typename } }", "{}"},
		{"{" + field + arguments + "{id}}", "null"},
	}
	if kind == "mutation" {
		documents = []struct{ query, variables string }{
			{"mutation { " + field + "(input: {}) { __typename } }", ""},
			{"mutation M($input: X!) { a: " + field + "(input: $input) { clientMutationId } }", `{"input":{"clientMutationId":"x"}}`},
			{"mutation M { ...f } fragment f on Mutation { " + field + "(input: {}) { clientMutationId } }", `{}`},
		}
	}
	var all []Request
	for _, d := range documents {
		text, err := json.Marshal(d.query)
		if err != nil { // strings always marshal
			continue
		}
		b := `{"query":` + string(text)
		if d.variables != "" {
			b += `,"variables":` + d.variables
		}
		all = append(all, Request{Method: "POST", URL: hosts["github"] + "/graphql", Headers: http.Header{"Content-Type": {aJSON}}, Body: b + "}"})
	}
	return all
}
