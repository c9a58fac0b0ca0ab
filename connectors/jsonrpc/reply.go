package jsonrpc

import "encoding/json"

// response is an answer that says what went wrong.
type response struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Error   failure         `json:"error"`
}

type failure struct {
	Code    int             `json:"code"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data,omitempty"`
}

// ErrorReply returns the answer to b that fails every request in it: an array
// where b was one. Where b has no request, such as the zero Batch for a body
// that cannot be read, it is one error that answers none. Data that is nil, or
// cannot be written as JSON, is left out.
func ErrorReply(b Batch, code int, message string, data any) []byte {
	f := failure{Code: code, Message: message}
	if data != nil {
		if encoded, err := json.Marshal(data); err == nil {
			f.Data = encoded
		}
	}
	var all []response
	for _, m := range b.Messages {
		if m.Kind == Request {
			all = append(all, response{"2.0", m.ID, f})
		}
	}
	switch {
	case len(all) == 0:
		return encode(response{"2.0", json.RawMessage("null"), f})
	case b.Array:
		return encode(all)
	}
	return encode(all[0])
}

// encode writes what has nothing in it that could fail.
func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}
