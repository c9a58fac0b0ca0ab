// Package tables holds what connectors know of each service: one row for each
// form of each operation.
//
// The rows are made by gen from committed facts (operations.tsv, graphql.tsv:
// what the service's own description lists) and from our names for them
// (naming.tsv, actions.tsv). README.md says how the files are written.
package tables

import _ "embed"

//go:generate go run ./gen

// The tables. Columns: place, method, path, action, class, risk, undo, when,
// parameters, resource, title, the service's own name.
var (
	//go:embed anthropic.tsv
	Anthropic string
	//go:embed github.tsv
	GitHub string
	//go:embed openai.tsv
	OpenAI string
	//go:embed slack.tsv
	Slack string
	//go:embed stripe.tsv
	Stripe string
)
