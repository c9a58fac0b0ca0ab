package explain

import (
	"bytes"
	"encoding/json"
	"net/http"

	"github.com/tameflare/tameflare/connectors/described"
	"github.com/tameflare/tameflare/domain/fault"
)

// parse reads a line of --jsonl. A header may have one value or a list; a body
// is text, or any other JSON for a body of just that.
func parse(line []byte) (described.Request, error) {
	var in struct {
		Method  string                     `json:"method"`
		URL     string                     `json:"url"`
		Headers map[string]json.RawMessage `json:"headers"`
		Body    json.RawMessage            `json:"body"`
	}
	bad := func(err error) (described.Request, error) {
		return described.Request{}, fault.New(fault.Invalid, `A line is {"method","url","headers","body"}.`, err)
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil || d.More() {
		return bad(err)
	}
	r := described.Request{Method: in.Method, URL: in.URL, Header: http.Header{}}
	for name, raw := range in.Headers {
		var one string
		var many []string
		if json.Unmarshal(raw, &one) == nil {
			many = []string{one}
		} else if err := json.Unmarshal(raw, &many); err != nil {
			return bad(err)
		}
		for _, value := range many {
			r.Header.Add(name, value)
		}
	}
	var text string
	switch {
	case len(in.Body) == 0 || string(in.Body) == "null":
	case json.Unmarshal(in.Body, &text) == nil:
		r.Body = []byte(text)
	default:
		r.Body = in.Body
	}
	return r, nil
}
