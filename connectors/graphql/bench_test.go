package graphql_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/tameflare/tameflare/connectors/graphql"
)

// typical is a request of about two kilobytes, as the command line client of
// GitHub sends them.
func typical(tb testing.TB) (document string, data []byte) {
	tb.Helper()
	document = `query PullRequestByNumber($owner: String!, $repo: String!, $pr_number: Int!) {
  repository(owner: $owner, name: $repo) {
    pullRequest(number: $pr_number) {
      id number title state url body isDraft mergeable
      author { login ... on User { id name } }
      headRefName baseRefName headRepository { id name }
      commits(first: 100) {
        nodes { commit { oid messageHeadline authors(first: 100) { nodes { name email user { id login } } } } }
        pageInfo { hasNextPage endCursor }
      }
      statusCheckRollup: commits(last: 1) {
        nodes { commit { statusCheckRollup { contexts(first: 100) {
          nodes {
            __typename
            ... on StatusContext { context state targetUrl createdAt description }
            ... on CheckRun { name checkSuite { workflowRun { workflow { name } } } status conclusion startedAt completedAt detailsUrl }
          }
          pageInfo { hasNextPage endCursor }
        } } } }
      }
`
	for len(document) < 1850 {
		document += "      reviews(first: 10) { nodes { id body state author { login } } }\n"
	}
	document += "    }\n  }\n}\n"
	data, err := json.Marshal(map[string]any{"query": document, "variables": map[string]any{"owner": "acme", "repo": "site", "pr_number": 12}})
	if err != nil {
		tb.Fatal(err)
	}
	return document, data
}

func BenchmarkRead(b *testing.B) {
	_, data := typical(b)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		requests, err := graphql.Envelope(data)
		if err != nil {
			b.Fatal(err)
		}
		op, err := graphql.Read(requests[0])
		if err != nil || len(op.Fields) != 1 {
			b.Fatal(err, op)
		}
		if v, _ := op.Fields[0].Args.Lookup("owner"); v.Text != "acme" {
			b.Fatal(v)
		}
	}
}

// BenchmarkTree is what a whole tree of the document would cost, for comparison.
func BenchmarkTree(b *testing.B) {
	document, _ := typical(b)
	for b.Loop() {
		if _, err := parser.ParseQuery(&ast.Source{Input: document}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWorst is the most expensive kind of document: one that is refused
// at the last of its tokens.
func BenchmarkWorst(b *testing.B) {
	document := "{ a(x: [" + strings.Repeat("1 ", 19_990) + "}"
	for b.Loop() {
		if _, err := graphql.Read(graphql.Request{Query: document}); err == nil {
			b.Fatal("read")
		}
	}
}
