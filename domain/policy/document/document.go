// Package document is how people write policies: YAML with conditions, or CEL,
// and with tests that a policy has to pass before it counts.
package document

import (
	"net/http"
	"time"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

// Document is what a file says. ID, Version, Priority and ReportOnly of its
// Policy are zero: they are kept beside the text.
type Document struct {
	Policy      policy.Policy
	Description string
	Tests       []Test

	// Notes are what may stay and is worth a look: a parameter that no action
	// in scope has, a clause that another makes superfluous.
	Notes []yamldoc.Problem
}

// Test is a request, or an action, and what the policy has to say about it.
type Test struct {
	Name        string
	Line        int
	Request     *Request // one of the two
	Action      *Action
	Gateway     string // "" is one that the scope includes
	Environment string // "" is one that the scope includes
	Time        time.Time
	Expect      policy.Effect
	Rule        string // the name of the clause that has to decide; "" is any
}

// Request is a request as a test describes it.
type Request struct {
	Method, URL string
	Header      http.Header
	Body        []byte
}

// Action is an action as a test, or an action document, describes it.
type Action struct {
	Action    action.Action
	Type      string // the connector's type; the action's first word where empty
	Principal string
}

// Result is what became of a Test.
type Result struct {
	Test        Test
	Passed      bool
	Got         policy.Decision
	Problem     string // why it failed, in a sentence; "" where it passed
	Explanation policy.Explanation
}

// Catalogue is what is known of connectors. It may be nil where that is of no
// interest.
type Catalogue interface {
	Types() []string
	Actions(connectorType string) []string
	Params(connectorType string, of action.Pattern) []string // what the actions show besides their resource; none where that is not known
}

// Reader names the request of a test. It fails with fault.Invalid where a
// gateway would not have taken it.
type Reader func(Request) (policy.Question, error)

// Parse reads a document. It fails with fault.Invalid, and then the message has
// every problem with its line and, where a word is nearly right, the right one;
// errors.AsType finds them as *yamldoc.Problems. File is what they call the
// document.
func Parse(file string, data []byte, known Catalogue) (*Document, error) {
	p := yamldoc.Problems{File: file, All: []yamldoc.Problem{{Message: "Policies are not read yet."}}}
	return nil, p.Err()
}

// Run makes the tests of d, in their order. Only d decides in them: what it
// says nothing about is allowed.
func (d *Document) Run(read Reader) ([]Result, error) {
	return nil, nil
}

// ParseAction reads an action document: JSON or YAML with action, service,
// class, risk, resource, params, environment, gateway and principal, or an
// older product's action_spec. It fails with fault.Invalid.
func ParseAction(data []byte) (Action, policy.Question, error) {
	return Action{}, policy.Question{}, nil
}
