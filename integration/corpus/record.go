// Package corpus keeps what real clients send, and what each of it has to be
// named. The recordings are made by running the clients through the gateway
// against stand-ins, and are read by a test that needs neither.
package corpus

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"unicode/utf8"
)

// Record is a request as it arrived, and what it is.
type Record struct {
	Method  string            `json:"method"`
	Host    string            `json:"host"`
	Path    string            `json:"path"`
	Query   string            `json:"query,omitempty"`
	Headers map[string]string `json:"headers,omitempty"` // those that connectors look at
	Body    string            `json:"body,omitempty"`
	Binary  bool              `json:"binary,omitempty"` // body is in base64
	Cut     bool              `json:"cut,omitempty"`    // body is only the beginning

	// What a person says that it is, from reading it.
	Action   string         `json:"action"`
	Class    string         `json:"class"`
	Resource string         `json:"resource,omitempty"`
	Params   map[string]any `json:"params,omitempty"` // those that matter most; there may be more
}

// looked are the headers that connectors look at. None of them is secret.
var looked = []string{
	"Content-Type", "Content-Encoding", "Git-Protocol", "Idempotency-Key", "Stripe-Account", "OpenAI-Organization", "OpenAI-Project", "Anthropic-Workspace-Id",
}

// maxBody is how much of a body is kept: what is longer is a pack or a file.
const maxBody = 16 << 10

// Of returns r as it is kept.
func Of(r *http.Request, body []byte) Record {
	rec := Record{Method: r.Method, Host: r.Host, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery}
	for _, name := range looked {
		if v := r.Header.Get(name); v != "" {
			if rec.Headers == nil {
				rec.Headers = map[string]string{}
			}
			rec.Headers[name] = v
		}
	}
	if len(body) > maxBody {
		body, rec.Cut = body[:maxBody], true
	}
	if utf8.Valid(body) && !strings.ContainsRune(string(body), 0) {
		rec.Body = string(body)
	} else {
		rec.Body, rec.Binary = base64.StdEncoding.EncodeToString(body), true
	}
	return rec
}

func (r Record) String() string {
	text := r.Method + " " + r.Host + r.Path
	if r.Query != "" {
		text += "?" + r.Query
	}
	if !r.Binary && r.Body != "" {
		text += " " + r.Body[:min(len(r.Body), 200)]
	}
	return text
}

// Shape is what two requests have in common that ask for the same, whenever
// they are sent: all but the body, and of the body what GraphQL has in it.
func (r Record) Shape() string {
	shape := r.Method + " " + r.Host + r.Path + "?" + r.Query
	var document struct {
		Query string `json:"query"`
	}
	if strings.HasSuffix(r.Path, "/graphql") && json.Unmarshal([]byte(r.Body), &document) == nil {
		shape += " " + document.Query
	}
	return shape
}

// Bytes returns the body as it was.
func (r Record) Bytes() ([]byte, error) {
	if !r.Binary {
		return []byte(r.Body), nil
	}
	return base64.StdEncoding.DecodeString(r.Body)
}

// Read reads a file of recordings, one a line.
func Read(file string) ([]Record, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []Record
	d := json.NewDecoder(bufio.NewReader(f))
	for {
		var r Record
		switch err := d.Decode(&r); err {
		case nil:
			all = append(all, r)
		case io.EOF:
			return all, nil
		default:
			return nil, fmt.Errorf("%s: record %d: %w", file, len(all)+1, err)
		}
	}
}

// Write writes a file of recordings, one a line.
func Write(file string, all []Record) error {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	for _, r := range all {
		if err := e.Encode(r); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return os.WriteFile(file, text.Bytes(), 0o600)
}
