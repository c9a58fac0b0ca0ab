package policy

import (
	"time"

	"github.com/tameflare/tameflare/domain/action"
)

// Question is what is decided about. What it leaves out is unknown, and takes
// the stricter way.
type Question struct {
	Action  action.Action
	Type    string    // the connector's type; "" where no connector answers for the host
	Request *Request  // nil: unknown
	Run     *Run      // nil: unknown
	Time    time.Time // zero: unknown
}

// Request is what policies may look at of a request besides its action. Only
// what the engine Uses has to be there.
type Request struct {
	Method, Scheme, Host, Path string
	Query                      map[string][]string
	Header                     map[string]string // by the name in lower case
	Body                       any               // the JSON value, or the form as a map: maps by text, lists, texts, int64, float64, bool, nil

	// Hidden names the parts that are not known: "path", "query", "headers",
	// "headers.NAME", "body".
	Hidden []string
}

// Run is the process that makes a request.
type Run struct {
	ID        string
	Principal string // "ana@laptop"
}

// Uses are the parts of requests that an Engine looks at, so that nobody has
// to fetch the others.
type Uses struct {
	Query   bool
	Headers []string                        // in lower case, sorted
	Body    func(connectorType string) bool // whether any policy could look at bodies there
}
