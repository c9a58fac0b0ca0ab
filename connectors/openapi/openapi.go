// Package openapi makes a connector type of a service's own description:
// OpenAPI 3.0 and 3.1 and Swagger 2, as JSON or YAML.
//
// What it makes is a proposal. Names and classes are guessed from words, each
// guess that matters is noted, and a person looks at all of it before it
// counts. A description comes from outside: nothing that it refers to is ever
// fetched, and what would take long or much memory is refused.
package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/tameflare/tameflare/domain/definition"
	"github.com/tameflare/tameflare/domain/fault"
)

// MaxSize is how large a description may be.
const MaxSize = 8 << 20

const (
	maxLooked     = 96 << 20 // bytes that looking things up may go over
	maxOperations = 2000
	maxPaths      = 10_000
	maxNotes      = 500
)

// Read makes a definition of a description. It fails with fault.Invalid where
// it is none, has no operations, or is too large.
func Read(data []byte) (definition.Definition, []definition.Note, error) {
	d, notes, err := read(data)
	if errors.Is(err, errTooMuch) {
		err = fault.New(fault.Invalid, "This description refers to itself in more ways than can be followed.", err)
	}
	if err != nil {
		return definition.Definition{}, nil, fmt.Errorf("read OpenAPI description: %w", err)
	}
	return d, notes, nil
}

// Looks reports whether data is probably such a description, and not a
// definition: it says so at its top.
func Looks(data []byte) bool {
	data = bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))
	if bytes.HasPrefix(data, []byte("{")) {
		return true
	}
	for line := range bytes.Lines(data) {
		key, _, _ := bytes.Cut(line, []byte(":"))
		switch string(bytes.Trim(key, `"'`)) {
		case "openapi", "swagger", "paths":
			return true
		}
	}
	return false
}

func read(data []byte) (d definition.Definition, notes []definition.Note, err error) {
	if len(data) > MaxSize {
		return d, nil, fault.New(fault.Invalid, fmt.Sprintf("The description has %d bytes; at most 8 MB can be read.", len(data)), nil)
	}
	data = bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))
	switch {
	case len(data) == 0:
		return d, nil, fault.New(fault.Invalid, "The description is empty.", nil)
	case !utf8.Valid(data):
		return d, nil, fault.New(fault.Invalid, "The description is not UTF-8 text.", nil)
	case data[0] != '{':
		if data, err = fromYAML(data); err != nil {
			return d, nil, err
		}
	case !json.Valid(data):
		return d, nil, fault.New(fault.Invalid, "The description begins like JSON and is not valid JSON.", nil)
	}
	r := &reading{looker: looker{left: maxLooked}, top: map[string]value{}, cache: map[string]map[string]value{}}
	if err := r.each(data, func(key string, v value) (bool, error) {
		r.top[key] = v
		return len(r.top) < maxNamed, nil
	}); err != nil {
		return d, nil, err
	}
	if err := r.all(); err != nil {
		return d, nil, err
	}
	if n := len(r.notes); n > maxNotes {
		r.notes = append(r.notes[:maxNotes], definition.Note{Message: fmt.Sprintf("%d more notes are not shown.", n-maxNotes)})
	}
	return r.d, r.notes, nil
}

// reading is one description, and what has been made of it.
type reading struct {
	looker
	top   map[string]value
	cache map[string]map[string]value // of what is referred to, by where that is
	d     definition.Definition
	notes []definition.Note
	old   bool // Swagger 2
	forms int  // operations with a form as body, less those with JSON
	found []found
}

func (r *reading) note(form, format string, args ...any) {
	r.notes = append(r.notes, definition.Note{Form: form, Message: fmt.Sprintf(format, args...)})
}

func (r *reading) all() error {
	v3, v2 := text(r.top["openapi"]), text(r.top["swagger"])
	switch {
	case len(v3) > 1 && v3[:2] == "3.":
	case len(v2) > 0 && v2[0] == '2':
		r.old = true
	default:
		return fault.New(fault.Invalid, "This is neither OpenAPI 3 nor Swagger 2: it says neither “openapi: 3…” nor “swagger: 2…”.", nil)
	}
	if err := r.head(r.top["info"], r.top["externalDocs"]); err != nil {
		return err
	}
	if err := r.paths(r.top["paths"]); err != nil {
		return err
	}
	if len(r.found) == 0 {
		return fault.New(fault.Invalid, "The description has no operations that can be told apart.", nil)
	}
	r.name()
	if r.forms > 0 {
		r.d.Body = definition.Form
	}
	r.d = r.d.Sorted()
	return nil
}
