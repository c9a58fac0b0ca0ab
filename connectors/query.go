package connectors

import (
	"net/url"
	"strings"

	"github.com/tameflare/tameflare/domain/fault"
)

// queryValues returns the values of the parameter called name. Semicolons
// separate too, as they do for some servers. It fails with fault.Invalid
// where it cannot tell whether a parameter has that name.
func queryValues(raw, name string) ([]string, error) {
	if !mayName(raw, name) {
		return nil, nil
	}
	var values []string
	for raw != "" {
		var part string
		if i := strings.IndexAny(raw, "&;"); i >= 0 {
			part, raw = raw[:i], raw[i+1:]
		} else {
			part, raw = raw, ""
		}
		key, value, _ := strings.Cut(part, "=")
		key, err := url.QueryUnescape(key)
		if err != nil {
			return nil, malformedQuery(err)
		}
		if !strings.EqualFold(key, name) {
			continue
		}
		if value, err = url.QueryUnescape(value); err != nil {
			return nil, malformedQuery(err)
		}
		values = append(values, value)
	}
	return values, nil
}

// mayName reports whether looking closer could find name. Most queries are
// done with here.
func mayName(raw, name string) bool {
	if raw == "" {
		return false
	}
	if strings.IndexByte(raw, '%') >= 0 || strings.Contains(raw, name) {
		return true
	}
	for i := 0; i+len(name) <= len(raw); i++ {
		if strings.EqualFold(raw[i:i+len(name)], name) {
			return true
		}
	}
	return false
}

func malformedQuery(err error) error {
	return fault.New(fault.Invalid, "The query has a % that is not followed by two hexadecimal digits.", err)
}

func malformedTwice(name string) error {
	return fault.New(fault.Invalid, "The query says "+name+" twice, and not the same.", nil)
}
