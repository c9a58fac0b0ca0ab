// Package graphql says what a GraphQL request would run: the root fields of
// one operation, with their arguments.
//
// A server picks one operation out of a document, follows its fragments, and
// runs every root field that it finds, under whatever alias. So does this
// package, without a schema, and it reads the document stricter than any
// server in use: where two of them are known to cut a document into different
// tokens, or to pick a different operation, it is ErrUnreadable. The grammar is
// that of the specification of October 2021 for executable documents.
package graphql

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/tameflare/tameflare/connectors/body"
)

// ErrUnreadable says that it is not certain what a server would run.
var ErrUnreadable = errors.New("not a GraphQL request that can be read")

// ErrPersisted says that the server runs a document that it has, and we have
// not. It is an ErrUnreadable.
var ErrPersisted = fmt.Errorf("%w: the document is at the server", ErrUnreadable)

const (
	// maxDocument is far above what people and generators write, some tens of
	// kilobytes; contents belong into variables.
	maxDocument = 1 << 20
	// maxTokens bounds the time that one document can cost to some milliseconds.
	maxTokens = 20_000
	// maxDepth bounds the stack. Introspection nests to 13, generated documents to 30.
	maxDepth = 64
	// maxFields bounds what is decided about one request.
	maxFields = 256
	// maxFragments is some times what the largest generated documents have.
	maxFragments = 1000
	// maxRequests bounds a batch. Servers that take batches stop at ten or so.
	maxRequests = 128
)

// Request is one GraphQL request as it came.
type Request struct {
	Query         string
	OperationName string
	Variables     json.RawMessage // an object, or nothing
	Persisted     bool            // the server may run another document than Query
}

// Operation is what a request would run.
type Operation struct {
	Kind string // query, mutation or subscription
	// Fields are the root fields without __typename, in their order, each as
	// often as it is there. One that a directive may leave out is among them.
	Fields []Field
}

// Field is a root field.
type Field struct {
	Name string // not its alias
	Args Args
}

// Read says what r would run. It fails with ErrPersisted where that is a
// document of the server's, and else with ErrUnreadable.
func Read(r Request) (Operation, error) {
	switch {
	case r.Persisted || r.Query == "":
		return Operation{}, ErrPersisted
	case len(r.Query) > maxDocument || !utf8.ValidString(r.Query):
		return Operation{}, unreadable("the document is no text of at most %d bytes", maxDocument)
	}
	if len(r.Variables) > 0 && body.Check(r.Variables) != nil {
		return Operation{}, unreadable("the variables are ambiguous")
	}
	doc, err := parse(r.Query)
	if err != nil {
		return Operation{}, err
	}
	op, err := doc.operation(r.OperationName)
	if err != nil {
		return Operation{}, err
	}
	c := collector{doc: doc, names: newScope(r.Variables, op.variables)}
	if err := c.collect(op.selections); err != nil {
		return Operation{}, err
	}
	return Operation{op.kind, c.fields}, nil
}

// operation picks the one that runs.
func (d *document) operation(name string) (*operation, error) {
	names := make([]string, len(d.operations))
	for i, op := range d.operations {
		names[i] = op.name
	}
	if len(names) > 1 {
		slices.Sort(names)
		// An operation without a name must be alone.
		if len(slices.Compact(names)) < len(d.operations) || names[0] == "" {
			return nil, unreadable("operations of the same name, or without one")
		}
		if name == "" {
			return nil, unreadable("several operations, and none is named")
		}
	}
	for i := range d.operations {
		if op := &d.operations[i]; name == "" || op.name == name {
			return op, nil
		}
	}
	return nil, unreadable("there is no operation %q", name)
}

// collector gathers the root fields.
type collector struct {
	doc    *document
	names  *scope
	fields []Field
}

func (c *collector) collect(selections []selection) error {
	for _, s := range selections {
		switch s.kind {
		case aField:
			if s.name == "__typename" {
				continue
			}
			if len(c.fields) == maxFields {
				return unreadable("more than %d root fields", maxFields)
			}
			c.fields = append(c.fields, Field{s.name, Args{s.args, c.names}})
		case inline:
			if err := c.collect(s.selections); err != nil {
				return err
			}
		case spread:
			if err := c.follow(s.name); err != nil {
				return err
			}
		}
	}
	return nil
}

// follow collects what is in a fragment, the first time that it is spread: as
// servers do, which is also what keeps nested spreads from multiplying.
func (c *collector) follow(name string) error {
	f, ok := c.doc.fragments[name]
	if !ok {
		return unreadable("there is no fragment %q", name)
	}
	switch f.state {
	case open:
		return unreadable("the fragment %q is in itself", name)
	case done:
		return nil
	case untouched:
	}
	f.state = open
	err := c.collect(f.selections)
	f.state = done
	return err
}

func unreadable(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUnreadable, fmt.Sprintf(format, args...))
}
