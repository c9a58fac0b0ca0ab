package body

import (
	"fmt"
	"strings"
)

// Each stands in a Path for every element of a list.
const Each = "[]"

// Path names a place in a body: field names, and Each for every element of a
// list. A field that is itself called "[]" cannot be named.
type Path []string

// ParsePath reads a path as tables write it: .tools[].function.name, with or
// without the leading dot.
func ParsePath(text string) (Path, error) {
	var path Path
	for part := range strings.SplitSeq(strings.TrimPrefix(text, "."), ".") {
		name, lists, _ := strings.Cut(part, "[")
		if len(name) < len(part) {
			lists = "[" + lists
		}
		if strings.Trim(lists, Each) != "" || strings.Repeat(Each, len(lists)/2) != lists || strings.Contains(name, "]") {
			return nil, fmt.Errorf("parse path %q: brackets stand empty, and after a name", text)
		}
		if name != "" {
			path = append(path, name)
		} else if lists == "" || path != nil {
			return nil, fmt.Errorf("parse path %q: a name is empty", text)
		}
		for range len(lists) / 2 {
			path = append(path, Each)
		}
	}
	return path, nil
}

// String writes p as ParsePath reads it.
func (p Path) String() string {
	var b strings.Builder
	for i, name := range p {
		if name != Each || i == 0 {
			b.WriteByte('.')
		}
		b.WriteString(name)
	}
	return b.String()
}
