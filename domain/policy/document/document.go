// Package document is how people write policies: YAML with conditions, or CEL,
// and with tests that a policy has to pass before it counts.
package document

import (
	"bytes"
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
	Principal   string // "" is not known
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

// Result is what became of a Test.
type Result struct {
	Test        Test
	Passed      bool
	Got         policy.Decision
	Rule        string // the name of the clause that decided; "" for none
	Line        int    // of that clause
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

// MaxSize is how many bytes a document may have.
const MaxSize = 200 << 10

// What a document may have of YAML, and of everything in it. The limits are
// far above what anyone writes, and below what would keep a reader busy.
const (
	maxMarks   = 60_000 // of the characters that structure is made of
	maxDepth   = 44
	maxKeys    = 500
	maxRules   = 1000
	maxTests   = 500
	maxNesting = 12   // of conditions
	maxValues  = 1000 // of a list
	maxText    = 1000 // bytes of a value
	maxReason  = 500  // bytes
	maxScope   = 100  // of a list
	maxAbout   = 4000 // bytes of a description
	maxName    = 80
	maxNotes   = 200
	maxSources = 100_000 // bytes of CEL
)

// Parse reads a document. It fails with fault.Invalid, and then the message has
// every problem with its line and, where a word is nearly right, the right one;
// errors.AsType finds them as *yamldoc.Problems. File is what they call the
// document.
func Parse(file string, data []byte, known Catalogue) (*Document, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	r := &reading{known: facts{Catalogue: known}}
	r.Problems.File = file
	if root, ok := r.tree(data, MaxSize); ok {
		r.document(root)
	}
	r.check()
	if err := r.Problems.Err(); err != nil {
		return nil, err
	}
	r.look()
	return &r.doc, nil
}

// tree notes a problem where data cannot be read as YAML, or is empty.
func (r *reading) tree(data []byte, size int) (yamldoc.Place, bool) {
	if len(data) <= size && marks(data) > maxMarks {
		r.Problems.All = append(r.Problems.All, yamldoc.Problem{Message: "There is too much in this document. Make several of it."})
		return yamldoc.Place{}, false
	}
	root, problem := yamldoc.Tree(data, size, maxDepth, maxKeys)
	if problem == nil {
		r.text = newText(data)
	}
	switch {
	case problem != nil:
		r.Problems.All = append(r.Problems.All, *problem)
	case root == nil:
		r.Problems.All = append(r.Problems.All, yamldoc.Problem{Line: 1, Column: 1, Message: "There is nothing here; begin with “name: ”."})
	}
	return yamldoc.Place{Node: root}, root != nil
}

// marks counts the characters of which a YAML reader makes something, so that
// no document costs it much more than its length.
func marks(data []byte) int {
	n := 0
	for _, c := range data {
		switch c {
		case ',', ':', '[', ']', '{', '}', '"', '\'', '#', '\n', '-', '?', '&', '*', '!', '|', '>', '%', '@', '`':
			n++
		}
	}
	return n
}
