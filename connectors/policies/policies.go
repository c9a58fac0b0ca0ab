// Package policies reads policy documents with all that is known of
// connectors: the actions that they name, and what the requests of their tests
// would do.
package policies

import (
	"bytes"
	"fmt"
	"slices"
	"sync"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/connectors/described"
	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/policy/document"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

// Catalogue is a connectors.Catalogue for documents that have policies.
type Catalogue struct {
	connectors.Catalogue
	Untested bool // tests are not made
}

var (
	_ config.Definer      = Catalogue{}
	_ config.PolicyReader = Catalogue{}
)

// OpenPolicy reads a file that a configuration names. It fails with
// fault.Invalid where there is none, or there are no files here.
func (c Catalogue) OpenPolicy(file string) ([]byte, error) {
	if c.Open == nil {
		return nil, fault.New(fault.Invalid, "A policy's file can be read only where the document is applied from.", nil)
	}
	data, err := c.Open(file)
	return bytes.TrimPrefix(data, []byte("\ufeff")), err
}

// ReadPolicy reads a document and makes its tests: one that fails is a problem
// in the line where it begins.
func (c Catalogue) ReadPolicy(file string, text []byte, known config.Catalogue) ([]yamldoc.Problem, error) {
	d, err := document.Parse(file, text, known)
	if err != nil {
		return nil, err
	}
	if c.Untested {
		return d.Notes, nil
	}
	own := c.Own
	if with, ok := known.(connectors.Catalogue); ok { // what the configuration itself brings
		own = with.Own
	}
	results, err := d.Run(Reader(own))
	if err != nil {
		return nil, fmt.Errorf("test the policy %s: %w", d.Policy.Name, err)
	}
	if failed := Failed(file, results); failed != nil {
		return nil, failed.Err()
	}
	return d.Notes, nil
}

// Failed are the tests that failed, as problems of their file; nil for none.
func Failed(file string, results []document.Result) *yamldoc.Problems {
	p := &yamldoc.Problems{File: file}
	for _, r := range results {
		if !r.Passed {
			p.All = append(p.All, yamldoc.Problem{Line: r.Test.Line, Column: 1, Message: "The test “" + r.Test.Name + "” fails: " + r.Problem})
		}
	}
	if len(p.All) == 0 {
		return nil
	}
	return p
}

// Reader names the requests of tests. Own are connector types besides those
// that the program brings along; each answers at its service's own hosts, and
// for every other host there is one of the type http.
func Reader(own connectors.Own) document.Reader {
	usual := sync.OnceValue(func() *connectors.Set { return Usual(own) })
	return func(r document.Request) (policy.Question, error) {
		q, c, err := described.Request{Method: r.Method, URL: r.URL, Header: r.Header, Body: r.Body}.Question(usual())
		if err != nil {
			return policy.Question{}, err
		}
		if c == nil {
			q.Type, q.Action.Connector = "http", "http"
		}
		return q, nil
	}
}

// Usual is every type at its service's own hosts. A host that several share is
// that of the first, and own come first.
func Usual(own connectors.Own) *connectors.Set {
	var all []*connectors.Connector
	set := (*connectors.Set)(nil)
	for _, t := range slices.Concat(own, connectors.Types()) {
		c, err := connectors.New(connectors.Config{Type: t.Name, Own: own.Named(t.Name)})
		if err != nil {
			continue // it has no hosts of its own
		}
		if bigger, err := connectors.NewSet(append(slices.Clone(all), c)); err == nil {
			all, set = append(all, c), bigger
		}
	}
	return set
}
