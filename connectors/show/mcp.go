package show

import "github.com/tameflare/tameflare/connectors/jsonrpc"

// mcp shows which tools are called with what.
func (s *sheet) mcp(in input, root *node) {
	if in.whole {
		if _, err := jsonrpc.Read(in.data); err != nil {
			s.note("It is not certain what the MCP server would make of this message.")
		}
	}
	all := []*node{root}
	if root.kind == list {
		all = root.items
	}
	for _, m := range all {
		if v := m.get("jsonrpc"); v != nil && v.text == "2.0" {
			v.shown = true
		}
		if v := m.get("id"); v != nil && v.kind == number && m.get("method") != nil {
			v.shown = true // by which the answer finds its request
		}
		method := m.take("method")
		params := m.get("params")
		if name := params.get("name"); method == "tools/call" && name != nil && name.kind == text {
			s.table("", [][2]string{s.row("Tool", params.take("name"))})
			args := params.get("arguments")
			s.rest("Arguments", args)
			if args != nil {
				args.shown = true
			}
		} else if method != "" {
			s.table("", [][2]string{s.row("Method", method)})
		}
		s.rest("Details", m)
		m.shown = true
	}
}
