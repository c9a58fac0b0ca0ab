package connectors

import (
	"fmt"
	"strings"

	"github.com/tameflare/tameflare/connectors/body"
)

// place is where in a request a value comes from.
type place uint8

const (
	inPath place = iota
	inBody
	inQuery
	inHeader
	nowhere // the request does not show it: only the service knows
)

// source names a value of a request. In the tables it is written like
// owner (a name in the path), .base.ref (a field of the body), ?state (the
// query), @Stripe-Account (a header) or ? (nowhere).
type source struct {
	in    place
	name  string    // as written, without its mark; of a header in its canonical form
	path  body.Path // of a field of the body
	index int       // of the capture, or of the body's value in the group
	many  *param    // the list that stands here, where a resource is one of its elements
}

func parseSource(text string, captures []capture) (source, error) {
	if text == "" {
		return source{}, fmt.Errorf("a source without a name")
	}
	switch text[0] {
	case '.':
		path, err := body.ParsePath(text)
		if err != nil {
			return source{}, fmt.Errorf("source %s: %w", text, err)
		}
		return source{in: inBody, name: text[1:], path: path}, nil
	case '?':
		if text == "?" {
			return source{in: nowhere, name: text}, nil
		}
		return source{in: inQuery, name: text[1:]}, nil
	case '@':
		return source{in: inHeader, name: canonical(text[1:])}, nil
	}
	for i, c := range captures {
		if c.name == text {
			return source{in: inPath, name: text, index: i}, nil
		}
	}
	return source{}, fmt.Errorf("no %s in the path", text)
}

// short is the name that a parameter has where the table gives none.
func (s source) short() string {
	name := strings.TrimSuffix(s.name, "."+body.Each)
	name = strings.TrimSuffix(name, body.Each)
	return name[strings.LastIndexByte(name, '.')+1:]
}
