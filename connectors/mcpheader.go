package connectors

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/tameflare/tameflare/connectors/body"
	"github.com/tameflare/tameflare/connectors/jsonrpc"
	"github.com/tameflare/tameflare/domain/fault"
)

// Newer clients say in headers too what the body says, for whoever routes
// requests without reading it.
const (
	mcpMethodHeader = "Mcp-Method"
	mcpNameHeader   = "Mcp-Name"
)

// mirrored fails with fault.Invalid where the headers say something else
// than the body: nobody knows which of them the server goes by.
func (s *mcpService) mirrored(h http.Header, b jsonrpc.Batch) error {
	methods, names := h[mcpMethodHeader], h[mcpNameHeader]
	for _, m := range b.Messages {
		for _, value := range methods {
			if strings.TrimSpace(value) != m.Method || m.Kind == jsonrpc.Response {
				return fault.New(fault.Invalid, "The header "+mcpMethodHeader+" and the body name different methods.", nil)
			}
		}
		row := s.row(m)
		if row == nil || len(names) == 0 {
			continue
		}
		want, mirrors := row.mirrored(m)
		if !mirrors {
			continue
		}
		for _, value := range names {
			if name, ok := mcpHeaderText(value); !ok || want.Kind != body.String || name != want.Text {
				return fault.New(fault.Invalid, "The header "+mcpNameHeader+" and the body do not name the same.", nil)
			}
		}
	}
	return nil
}

// mcpHeaderText undoes the form in which text stands in a header that a header
// cannot hold as it is.
func mcpHeaderText(value string) (string, bool) {
	value = strings.TrimSpace(value)
	const begin, end = "=?base64?", "?="
	inner, coded := strings.CutPrefix(value, begin)
	if !coded {
		return value, true
	}
	inner, whole := strings.CutSuffix(inner, end)
	if !whole {
		return "", false
	}
	plain, err := base64.StdEncoding.DecodeString(inner)
	return string(plain), err == nil
}
