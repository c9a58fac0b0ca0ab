package graphql

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strings"

	"github.com/tameflare/tameflare/connectors/body"
	"github.com/tameflare/tameflare/connectors/rawjson"
)

// known are the keys that some server acts upon. Those after the first four
// name a document that the server has.
var known = []string{"query", "operationName", "variables", "extensions", "id", "doc_id", "docId", "documentId", "queryId"}

// Envelope reads the JSON body of a POST: one request, or several in an array.
// It fails with ErrUnreadable where two readers could understand it
// differently, or a server could not run it.
func Envelope(data []byte) ([]Request, error) {
	if body.Check(data) != nil {
		return nil, unreadable("the JSON is ambiguous")
	}
	if rawjson.First(data) != '[' {
		r, err := request(data)
		if err != nil {
			return nil, err
		}
		return []Request{r}, nil
	}
	var all []Request
	for element := range rawjson.Elements(data) {
		if len(all) == maxRequests {
			return nil, unreadable("more than %d requests", maxRequests)
		}
		r, err := request(element)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	if all == nil {
		return nil, unreadable("no request")
	}
	return all, nil
}

func request(data []byte) (r Request, err error) {
	if rawjson.First(data) != '{' {
		return r, unreadable("no object")
	}
	var extensions []byte
	for key, value := range rawjson.Members(data) {
		if key, err = exact(key); err != nil {
			return Request{}, err
		}
		kind := rawjson.First(value)
		if key == "" || kind == 'n' {
			continue
		}
		want := byte('"')
		switch key {
		case "query":
			r.Query = rawjson.Text(value)
		case "operationName":
			r.OperationName = rawjson.Text(value)
		case "variables":
			r.Variables, want = value, '{'
		case "extensions":
			extensions, want = value, '{'
		default:
			r.Persisted, want = true, kind
		}
		if kind != want {
			return Request{}, unreadable("%s is of another type", key)
		}
	}
	r.Persisted = r.Persisted || r.Query == "" || persisted(extensions, r.Query)
	return r, nil
}

// exact returns key if it is a known one, and "" if it is none. It fails where
// a lax reader could take it for one: those of Go, and others, ignore case.
func exact(key string) (string, error) {
	for _, k := range known {
		if key == k {
			return key, nil
		}
		if strings.EqualFold(key, k) {
			return "", unreadable("%q is nearly %q", key, k)
		}
	}
	return "", nil
}

// persisted reports whether the extensions name a document that may be another
// than query.
func persisted(extensions []byte, query string) bool {
	for key, value := range rawjson.Members(extensions) {
		if !strings.EqualFold(key, "persistedQuery") || rawjson.First(value) == 'n' {
			continue
		}
		hash := rawjson.Find(value, []string{"sha256Hash"})
		sum := sha256.Sum256([]byte(query))
		return query == "" || key != "persistedQuery" || hash.Text != hex.EncodeToString(sum[:])
	}
	return false
}

// FromGET reads the query of a URL. Of other keys, and of keys that nest in
// brackets, nothing is taken.
func FromGET(rawQuery string) (Request, error) {
	values, err := url.ParseQuery(rawQuery)
	if err != nil {
		return Request{}, unreadable("the query of the URL")
	}
	r := Request{}
	var extensions []byte
	for key, all := range values {
		base, _, nested := strings.Cut(key, "[")
		key, err = exact(strings.TrimSpace(base))
		if err != nil {
			return Request{}, err
		}
		if key == "" {
			continue
		}
		if nested || base != key || len(all) > 1 {
			return Request{}, unreadable("%s is there twice, or in another form", key)
		}
		switch text := all[0]; key {
		case "query":
			r.Query = text
		case "operationName":
			r.OperationName = text
		case "variables":
			r.Variables, err = object(text)
		case "extensions":
			extensions, err = object(text)
		default:
			r.Persisted = true
		}
		if err != nil {
			return Request{}, err
		}
	}
	r.Persisted = r.Persisted || r.Query == "" || persisted(extensions, r.Query)
	return r, nil
}

// object returns the JSON object that text is, and nothing where it is null.
func object(text string) ([]byte, error) {
	data := []byte(text)
	if text == "" || text == "null" {
		return nil, nil
	}
	if body.Check(data) != nil || rawjson.First(data) != '{' {
		return nil, unreadable("variables or extensions are no object")
	}
	return data, nil
}
